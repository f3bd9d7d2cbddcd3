"""The notes under a table for publication: abbreviations, the sample, where errors, limits and p-values come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from logit_stats.errors import listed
from logit_stats.estimation.limit import LimitFit
from logit_stats.inference.inference import AugmentedLikelihood, FittedIntercept, PenalizedLikelihood
from logit_stats.report.publication.cells import Absent, Estimate, Reference

if TYPE_CHECKING:
    from logit_stats.report.publication.build import Style
    from logit_stats.report.publication.model import Asked, ModelNumbers
    from logit_stats.report.publication.publication import PublicationTable

_COVARIANCES = {
    "nonrobust": "model-based", "HC0": "robust (HC0)", "HC1": "robust (HC1)", "HC2": "robust (HC2)", "HC3": "robust (HC3)",
    "cluster": "cluster-robust", "survey": "design-based (survey)", "bootstrap": "from the bootstrap", "quasi":
    "model-based times a dispersion", "opg": "from the outer product of gradients",
    "robust": "robust (sandwich)", "HAC": "robust to heteroscedasticity and autocorrelation",
}  # fmt: skip
_LIMITS = {
    "profile": "profile likelihood",
    "bootstrap": "percentiles of the bootstrap",
    "bca": "BCa percentiles of the bootstrap",
}


def table_notes(models: Sequence[ModelNumbers], found: PublicationTable, asked: Asked, style: Style) -> list[str]:
    """Notes of a table, the most general first."""
    return [
        *_abbreviations(found),
        *_by_model(models, found, _sample_words),
        *_by_model(models, found, lambda model: _origin_words(model, asked)),
        *_tests_words(models, found, asked),
        *_counts_words(models, found),
        *_special_words(models, found),
        *(["* p < 0.05, ** p < 0.01, *** p < 0.001."] if style.stars else []),
    ]


def _abbreviations(found: PublicationTable) -> list[str]:
    heads = " ".join(column.head for column in found.columns)
    known = {"OR": "odds ratio", "RRR": "relative risk ratio", "CI": "confidence interval", "SE": "standard error"}
    said = [
        f"{short}, {word}"
        for short, word in known.items()
        if short in heads.replace("(", " ").replace(")", " ").split()
    ]
    return [f"{'; '.join(said)}."] if said else []


def _by_model(models: Sequence[ModelNumbers], found: PublicationTable, words: Any) -> list[str]:
    """One note where all models say the same, else one for each."""
    said = [words(model) for model in models]
    if len(set(said)) == 1:
        return [said[0]] if said[0] else []
    names = _names(models, found)
    return [f"{name}: {text}" for name, text in zip(names, said, strict=True) if text]


def _names(models: Sequence[ModelNumbers], found: PublicationTable) -> list[str]:
    spanners = list(dict.fromkeys(column.spanner for column in found.columns if column.spanner))
    names, start = [], 0
    for model in models:
        own = spanners[start : start + len(model.equations)]
        start += len(model.equations)
        names.append(own[0].rpartition(": ")[0] or own[0] if len(own) > 1 else own[0] if own else "")
    return names


def _sample_words(model: ModelNumbers) -> str:
    line = model.res.sample_line() if hasattr(model.res, "sample_line") else ""
    return f"Sample: {line}." if line else ""


def _origin_words(model: ModelNumbers, asked: Asked) -> str:
    """Where limits and p-values come from."""
    res = model.res
    if model.design is None:
        return "Exact conditional estimates, limits and p-values."
    if not hasattr(res, "fit_"):
        return f"Pooled over {res.m} imputed data sets by Rubin's rules; standard errors within these {_errors(res.cov_type)}."
    return _of_likelihood(res, asked) or (
        f"Standard errors {_errors(res.cov_type)}; "
        + (f"limits by {_LIMITS[asked.method]}." if asked.method in _LIMITS else "Wald's limits and p-values.")
    )


def _of_likelihood(res: Any, asked: Asked) -> str:
    """Words for results whose p-values are not Wald's; "" for the others."""
    if not getattr(res, "facts", res.fit_.facts).wald:
        return "Penalized estimates: shrunk on purpose, without valid errors, limits or p-values."
    if isinstance(getattr(res, "inference_", None), (PenalizedLikelihood, FittedIntercept, AugmentedLikelihood)):
        limits = "limits from standard errors" if asked.method == "wald" else "limits from the same"
        return f"Firth's penalized likelihood: p-values from penalized likelihood ratios, {limits}."
    if isinstance(res.fit_, LimitFit):
        return "Separated data: estimates in the limit; limits (one-sided where infinite) and p-values from the likelihood."
    return ""


def _errors(cov_type: str) -> str:
    return _COVARIANCES.get(cov_type, cov_type)


def _tests_words(models: Sequence[ModelNumbers], found: PublicationTable, asked: Asked) -> list[str]:
    if not any(column.kind == "p" for column in found.columns):
        return []
    if asked.tests == "LR":
        return ["P-values of variables: likelihood-ratio tests of all of their coefficients together."]
    if any(len(term.columns) > 1 for model in models for term in model.terms):
        return ["P-values of factors: joint tests of all levels."]
    return []


def _counts_words(models: Sequence[ModelNumbers], found: PublicationTable) -> list[str]:
    kinds = {column.kind for column in found.columns}
    sampled = any(model.design is not None and model.design.weight_kind == "sampling" for model in models)
    return ["Numbers of observations and events are not weighted."] if sampled and kinds & {"n", "events"} else []


def _special_words(models: Sequence[ModelNumbers], found: PublicationTable) -> list[str]:
    cells = [cell for column in found.columns for cell in column.cells]
    left_out = list(dict.fromkeys(name for model in models if model.design is not None for name in model.design.left_out
                                  if name != "Intercept"))  # fmt: skip
    notes = []
    coded = list(dict.fromkeys(term.rows[0].label for model in models for term in model.terms if term.contrasts))
    if coded:
        notes.append(f"{listed(coded, 8)}: coded by contrasts; its rows do not compare a level with a reference.")
    if left_out:
        notes.append(f"Left out, being combinations of other columns: {listed(left_out, 8)}.")
    if any(isinstance(cell, Estimate) and cell.value != cell.value for cell in cells):
        notes.append("Undetermined: the data say nothing of this coefficient.")
    if any(isinstance(cell, (Absent, Reference)) and isinstance(cell, Absent) and not cell.why for cell in cells):
        notes.append("–: not estimated.")
    return notes
