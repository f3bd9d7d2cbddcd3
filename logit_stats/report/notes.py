"""The notes under a summary: what a reader must know beside the numbers, a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logit_stats.design.codings import factors_without_reference, words_of_codings
from logit_stats.errors import listed
from logit_stats.estimation.constrained import ConstrainedFit
from logit_stats.estimation.fit import Fit
from logit_stats.inference.wald import overall_wald
from logit_stats.likelihoods.ordered import Ordered
from logit_stats.report.ordinal_notes import ordered_notes

if TYPE_CHECKING:
    from logit_stats.design.categories import Categories
    from logit_stats.results.answers import Answers

# Half of the digits of a standard error are still right here; the reader should know why they are large.
ILL_CONDITIONED = 1e4

_COVARIANCE_WORDS = {
    "HC0": "robust (White's sandwich, no small-sample factor)",
    "HC1": "robust (sandwich times n / (n - k))",
    "HC2": "robust (sandwich, residuals divided by the root of 1 - leverage)",
    "HC3": "robust (sandwich, residuals divided by 1 - leverage)",
}


def design_notes(fit: Fit) -> list[str]:
    """What is modelled, and what of the data is not in the columns."""
    design, response = fit.design, fit.design.response
    if response.grouped:
        found = [
            f"Models the probability of success in {response.name}: {design.rows} rows of "
            f"{response.trials.sum():.0f} trials; the log-likelihood contains the binomial coefficients."  # type: ignore[union-attr]
        ]
    elif (categories := response.categories) is not None:
        model = design.likelihood
        if isinstance(model, Ordered):
            found = ordered_notes(response.name, categories, model)
        else:
            found = _category_notes(response.name, categories)
    else:
        found = [f"Models the probability of {response.success} (against {response.failure})."]
    if design.row_offset is not None and design.offset is not None:
        found.append(f"The linear predictor contains the offset {design.offset.label}.")
    if design.offset is not None and design.offset.shift:
        found.append(
            f"Sample taken by the outcome: the constant, predictions and effects are those of the population (corrected by "
            f"{design.offset.shift:.4f}; King and Zeng 2001); fitted values and measures of fit are those of the sample."
        )
    if design.weight_kind == "frequency":
        found.append(f"Frequency weights: {design.rows} rows stand for {design.observations:.0f} observations.")
    contrasts = factors_without_reference(design)
    if contrasts:
        found.append(words_of_codings(contrasts))
    if design.left_out:
        plural = "s" if len(design.left_out) > 1 else ""
        found.append(f"Left out, being combinations of other columns: column{plural} {listed(design.left_out, 8)}.")
    return found


def notes(res: Answers) -> list[str]:
    """Notes of a result, the most general first."""
    fit = res.fit_
    binary = fit.facts.binary
    found = design_notes(fit)
    if isinstance(fit, ConstrainedFit):
        found.append(f"Fitted under the constraints {fit.constraints}; the covariance is zero in their directions.")
    found += _weights_notes(res)
    if fit.null.kind == "half":
        found.append(
            "There is no constant: the null model is "
            + ("a probability of 1/2 in every row" if binary else "equal probabilities of all categories")
            + (" (the offset alone)" if fit.design.offset is not None else "")
            + f", with {res.df_model:g} degrees of freedom to this model."
        )
    if not fit.converged:
        found.append(
            f"NOT CONVERGED: {fit.decrement:.2g} standard errors from the maximum after {fit.iterations} iterations."
        )
    if fit.trace.note:
        found.append(f"{fit.trace.note[0].upper()}{fit.trace.note[1:]}.")
    if fit.condition > ILL_CONDITIONED:
        found.append(
            f"The condition number of the weighted design is {fit.condition:.3g}: some columns are nearly dependent"
            + ("; certificate() names them." if binary else ".")
        )
    # a penalized fit has p-values from its likelihood, which this effect does not touch
    past_peak = res._past_peak if fit.facts.maximum and binary else ()
    if past_peak:
        found.append(
            f"Hauck-Donner effect: the Wald statistic of {listed(past_peak)} shrinks as the effect grows, so its z and p "
            f"understate the evidence; use a likelihood-ratio test (lr_test() against the fit without it)."
        )
    return found


def _category_notes(name: str, categories: Categories) -> list[str]:
    reference, *others = categories.names
    found = [f"Models {name} = {', '.join(others)} against {name} = {reference} (the reference)."]
    if categories.empty:
        found.append(f"Left out, because no row used has it: {name} = {listed([str(c) for c in categories.empty])}.")
    return found


def _weights_notes(res: Answers) -> list[str]:
    found = []
    design = res.fit_.design
    if res.covariance_.robust:
        said = _COVARIANCE_WORDS.get(res.cov_type, res.covariance_.description)
        found.append(f"Standard errors are {said}.")
        found += res.covariance_.notes
        if design.weight_kind == "sampling":
            found.append(
                "With sampling weights the log-likelihood is a weighted sum: likelihood-ratio tests, AIC and BIC are not "
                "defined."
            )
        else:
            found.append("The LLR p-value in the header is model-based.")
        test = overall_wald(res.fit_, res.covariance_)
        if test is not None:
            found.append(f"Robust Wald test that all slopes are zero: {test}.")
    elif res.covariance_.description:
        found.append(f"Standard errors are {res.covariance_.description}.")
    elif design.weight_kind == "sampling":
        found.append(
            "Sampling weights with a model-based covariance: standard errors are not valid; use cov_type='survey'."
        )
    return found
