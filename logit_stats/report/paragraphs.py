"""The paragraphs on methods and results of a paper, in plain English, with the numbers and the sources of the methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from logit_stats.errors import LogitStatsError, listed
from logit_stats.report.publication.build import outcome
from logit_stats.report.publication.cells import Estimate, PValue
from logit_stats.report.publication.labels import Labels
from logit_stats.report.publication.model import Asked, ModelNumbers, design_of, model_numbers
from logit_stats.report.publication.numbers import count
from logit_stats.report.publication.rows import TermRows
from logit_stats.version import __version__

# fmt: off
_SOURCES = {
    "firth": "Heinze G, Schemper M. A solution to the problem of separation in logistic regression. Stat Med 2002;21:2409-19.",
    "limit": "Geyer CJ. Likelihood inference in exponential families and directions of recession. Electron J "
    "Stat 2009;3:259-89.",
    "exact": "Mehta CR, Patel NR. Exact logistic regression: theory and examples. Stat Med 1995;14:2143-60.",
    "rubin": "Rubin DB. Multiple Imputation for Nonresponse in Surveys. New York: Wiley; 1987.",
    "barnard": "Barnard J, Rubin DB. Small-sample degrees of freedom with multiple imputation. Biometrika 1999;86:948-55.",
    "gee": "Liang KY, Zeger SL. Longitudinal data analysis using generalized linear models. Biometrika 1986;73:13-22.",
    "conditional": "Breslow NE, Day NE. Statistical Methods in Cancer Research, vol. 1. Lyon: IARC; 1980.",
    "multinomial": "McFadden D. Conditional logit analysis of qualitative choice behavior. In: Frontiers in "
    "Econometrics. 1974:105-42.",
    "mixed": "Stiratelli R, Laird N, Ware JH. Random-effects models for serial observations with binary "
    "response. Biometrics 1984;40:961-71.",
    "penalized": "Friedman J, Hastie T, Tibshirani R. Regularization paths for generalized linear models. J Stat "
    "Softw 2010;33(1):1-22.",
    "white": "White H. Maximum likelihood estimation of misspecified models. Econometrica 1982;50:1-25.",
    "small": "MacKinnon JG, White H. Some heteroskedasticity-consistent covariance matrix estimators. J Econom 1985;29:305-25.",
    "survey": "Binder DA. On the variances of asymptotically normal estimators from complex surveys. Int Stat "
    "Rev 1983;51:279-92.",
    "bootstrap": "Efron B, Tibshirani RJ. An Introduction to the Bootstrap. New York: Chapman & Hall; 1993.",
    "profile": "Venzon DJ, Moolgavkar SH. A method for computing profile-likelihood-based confidence "
    "intervals. Appl Stat 1988;37:87-94.",
    "delong": "DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated ROC curves. "
    "Biometrics 1988;44:837-45.",
    "prevalence": "King G, Zeng L. Logistic regression in rare events data. Polit Anal 2001;9:137-63.",
    "ordinal": "McCullagh P. Regression models for ordinal data. J R Stat Soc B 1980;42:109-42.",
}
# fmt: on

# What is said of each model, by the name of its class: the words, and the source.
_MODELS = {
    "ConditionalLogit": ("conditional logistic regression", "conditional"),
    "LogitGEE": ("generalized estimating equations with a logit link (population-averaged effects)", "gee"),
    "RandomEffectsLogit": ("logistic regression with random effects (subject-specific effects)", "mixed"),
    "AbsorbedLogit": ("logistic regression with an effect of its own for every group", ""),
    "MNLogit": ("multinomial logistic regression", "multinomial"),
    "OrderedLogit": ("ordinal logistic regression", "ordinal"),
}
_ERRORS = {
    "nonrobust": ("model-based", ""), "quasi": ("model-based, times an estimated dispersion", ""),
    "HC0": ("robust (HC0)", "white"), "HC1": ("robust (HC1)", "small"), "HC2": ("robust (HC2)", "small"),
    "HC3": ("robust (HC3)", "small"), "cluster": ("cluster-robust", "gee"), "robust": ("robust (sandwich)", "gee"),
    "survey": ("design-based", "survey"), "bootstrap": ("from bootstrap resamples", "bootstrap"),
    "opg": ("from the outer product of the gradients", ""), "HAC": ("robust to autocorrelation", ""),
}  # fmt: skip


def methods_text(res: Any, alpha: float = 0.05, labels: Any = None) -> str:
    """Return a paragraph on the methods of a fit, and below it the sources that it cites by number.

    Parameters
    ----------
    res : result
        Of any model.
    alpha : float
        Level of the limits is ``1 - alpha``.
    labels : mapping, optional
        What variables are called; as for `table`.

    Examples
    --------
    >>> import logit_stats as ls
    >>> res = ls.logit("low ~ race + lwt", ls.datasets.load("birthwt")).fit(cov_type="HC3")
    >>> print(methods_text(res).split(". ")[0])
    The odds of low = 1 were modelled by logistic regression (maximum likelihood) on race and lwt
    """
    model = _read(res, alpha, labels)
    cited: list[str] = []

    def cite(key: str) -> str:
        if not key:
            return ""
        if key not in cited:
            cited.append(key)
        return f" [{cited.index(key) + 1}]"

    sentences = [_model_sentence(model, cite), *_sample_sentences(model, cite), _limits_sentence(model, alpha, cite)]
    if _tested(model) and any(len(term.columns) > 1 for term in model.terms):
        sentences.append("Factors of several levels were tested by one joint test.")
    if _tested(model) and _area(res, alpha):
        sentences.append(
            f"Discrimination was measured by the area under the ROC curve with DeLong's limits{cite('delong')}."
        )
    sentences.append(f"Analyses were done with logit_stats {__version__} (Python).")
    text = " ".join(filter(None, sentences))
    return "\n".join([text, *(["", *(f"[{i}] {_SOURCES[key]}" for i, key in enumerate(cited, 1))] if cited else [])])


def results_text(res: Any, alpha: float = 0.05, labels: Any = None) -> str:
    """Return a paragraph on the results of a fit: numbers of observations, each variable's estimates and its p-value, the fit.

    Parameters
    ----------
    res : result
    alpha : float
    labels : mapping, optional

    Examples
    --------
    >>> import logit_stats as ls
    >>> res = ls.logit("low ~ race + lwt", ls.datasets.load("birthwt")).fit()
    >>> print(results_text(res, labels={"lwt": "weight"}).split(". ")[1])
    race (p = 0.067): black against white, odds ratio 2.95 (95% CI 1.13 to 7.67); other against white, 1.62 (0.80 to 3.25)
    """
    model = _read(res, alpha, labels)
    level = f"{100.0 * (1.0 - alpha):.10g}% CI"
    sentences = [_counts_sentence(model)]
    for e, equation in enumerate(model.equations):
        about = (
            f"For {outcome(model)}{' = ' if model.design.parameters.separate else ' at '}{equation}: "
            if equation and model.design is not None
            else ""
        )
        said = [_term_words(model, e, term, level, first=i == 0) for i, term in enumerate(model.terms)]
        sentences += [f"{about if i == 0 else ''}{words}." for i, words in enumerate(filter(None, said))]
    area = _area(res, alpha) if _tested(model) else None
    if area:
        sentences.append(f"The area under the ROC curve was {area[0]:.3f} ({level} {area[1]:.3f} to {area[2]:.3f}) in the data "
                         "of the fit.")  # fmt: skip
    return " ".join(filter(None, sentences))


def _read(res: Any, alpha: float, labels: Any) -> ModelNumbers:
    design = design_of(res)
    return model_numbers(res, Asked(Labels.read(labels, [] if design is None else [design]), alpha))


def _tested(model: ModelNumbers) -> bool:
    """Whether there are errors and tests; none of a penalized fit."""
    facts = getattr(model.res, "facts", None)
    return facts is None or bool(facts.wald)


# Methods.


def _model_sentence(model: ModelNumbers, cite: Any) -> str:
    names = [term.rows[0].label for term in model.terms]
    on = f" on {_enumerated(names)}" if names else " by a constant alone"
    how, key = _method_words(model)
    what = outcome(model)
    subject = f"The odds of {what}" if model.equations == ("",) else f"The category of {what}"
    return f"{subject} were modelled by {how}{cite(key)}{on}.".replace(
        "The category of", "The categories of" if len(model.equations) > 1 else "The category of"
    )


def _method_words(model: ModelNumbers) -> tuple[str, str]:
    res = model.res
    if model.design is None:
        return "exact conditional logistic regression", "exact"
    facts = getattr(res, "facts", None)
    if facts is not None and not facts.finite:
        return "logistic regression; as the data are separated, estimates are limits of maximum likelihood", "limit"
    if facts is not None and not facts.wald:
        return "penalized logistic regression", "penalized"
    name = type(res.model).__name__
    if name in _MODELS:
        return _MODELS[name]
    if facts is not None and not facts.maximum:
        return "logistic regression with Firth's penalized likelihood", "firth"
    return "logistic regression (maximum likelihood)", ""


def _sample_sentences(model: ModelNumbers, cite: Any) -> list[str]:
    design = model.design
    if design is None:
        return []
    sample = design.sample
    found = []
    if not hasattr(model.res, "fit_"):
        found.append(f"Missing values were imputed {model.res.m} times and estimates pooled by Rubin's rules{cite('rubin')} with "
                     f"the degrees of freedom of Barnard and Rubin{cite('barnard')}.")  # fmt: skip
    elif sample.dropped:
        variables = listed([f"{name} ({rows})" for name, rows in sample.dropped_by.items()], 8)
        found.append(
            f"Of {count(sample.read)} rows {count(sample.dropped)} with missing values were left out: {variables}."
        )
    if design.weight_kind == "sampling":
        found.append("Observations were weighted by the inverse of their probability of selection.")
    if design.offset is not None and design.offset.shift:
        found.append(f"The constant was corrected for the sampling by outcome{cite('prevalence')}.")
    return found


def _limits_sentence(model: ModelNumbers, alpha: float, cite: Any) -> str:
    res = model.res
    level = f"{100.0 * (1.0 - alpha):.10g}%"
    facts = getattr(res, "facts", None)
    if facts is not None and not facts.wald:
        return "Estimates are given without limits, for none are valid after penalization."
    if model.design is None:
        return f"Odds ratios are given with exact {level} confidence limits."
    if facts is not None and hasattr(res, "inference_") and res.inference_.methods[0] == "profile":
        return (
            f"Odds ratios are given with {level} confidence limits and p-values from the likelihood{cite('profile')}."
        )
    words, key = _ERRORS.get(str(res.cov_type), (str(res.cov_type), ""))
    return f"Odds ratios are given with {level} confidence limits (Wald); standard errors were {words}{cite(key)}."


# Results.


def _counts_sentence(model: ModelNumbers) -> str:
    if model.total is None:
        return ""
    n, events = model.total.observations, model.total.events
    if len(events) > 1:
        return f"The analysis used {count(n)} observations."
    share = f" ({100.0 * float(events[0]) / n:.1f}%)" if n else ""
    return f"The analysis used {count(n)} observations with {count(float(events[0]))} events{share}."


def _term_words(model: ModelNumbers, e: int, term: TermRows, level: str, *, first: bool) -> str:
    """One variable: its p-value, and each of its estimates."""
    p = model.term_p(e, term)
    said = [
        _row_words(model, e, term, row.key, row.label, row.kind) for row in term.rows if row.key in model.numbers[e]
    ]
    if not said:
        return ""
    if first:
        said[0] = _spelt_out(said[0], level)
    label = term.rows[0].label
    if np.isnan(p):
        return f"{label}: {'; '.join(said)}"
    written = str(PValue(p))
    return (
        f"{label} (p {written[0]} {written[1:]}): {'; '.join(said)}"
        if written[0] in "<>"
        else (f"{label} (p = {written}): {'; '.join(said)}")
    )


def _row_words(model: ModelNumbers, e: int, term: TermRows, key: tuple[str, ...], label: str, kind: str) -> str:
    numbers = model.numbers[e][key]
    with np.errstate(over="ignore"):
        value, low, high = (float(v) for v in np.exp(numbers[[0, 4, 5]]))
    ratio = Estimate(value, low, high)
    if kind == "single":
        return f"per unit, {ratio}"
    reference = next((row.label for row in term.rows if row.kind == "reference"), None)
    against = f"{label} against {reference}" if reference is not None else label
    return f"{against}, {ratio}"


def _spelt_out(words: str, level: str) -> str:
    """Say once what the numbers are."""
    before, _, numbers = words.rpartition(", ")
    return f"{before}, odds ratio {numbers.replace('(', f'({level} ', 1)}"


def _area(res: Any, alpha: float) -> tuple[float, float, float] | None:
    """Area under the ROC curve and its limits; None where there is none."""
    try:
        found = res.roc()
        low, high = found.conf_int(alpha)
        return float(found.auc), float(low), float(high)
    except (LogitStatsError, AttributeError, TypeError, ValueError):
        return None


def _enumerated(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
