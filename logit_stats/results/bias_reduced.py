"""`BiasReducedResults`: estimates moved away from the maximum of the likelihood to reduce their bias."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from logit_stats.assess.fit_statistics import FitStatistics
from logit_stats.errors import ConvergenceWarning, NotAvailableError, check_choice
from logit_stats.estimation.bias_reduction import corrected_estimate, median_root
from logit_stats.estimation.firth import PenalizedPoint, highest_penalized
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.maximum_likelihood import maximum_likelihood, prepared_for_penalty
from logit_stats.estimation.trace import Trace
from logit_stats.inference.covariance import covariance
from logit_stats.inference.inference import ONLY_WALD, PenalizedLikelihood
from logit_stats.inference.penalized import PenalizedProfile
from logit_stats.results.logit import LogitResults

if TYPE_CHECKING:
    from logit_stats.models.logit import Logit

KINDS = ("firth", "median", "correction")
_TITLES = {
    "median": "median bias reduction",
    "correction": "bias corrected in one step",
    "flic": "Firth's with fitted intercept, FLIC",
    "flac": "Firth's with added covariate, FLAC",
}
_NAMES = {"median": "Median bias red.", "correction": "Bias corrected", "flic": "FLIC", "flac": "FLAC"}
_NOTES = {
    "median": "Estimates are those of median bias reduction: each is as likely above as below the truth, to the order of the "
    "method.",
    "correction": "Estimates are the maximum-likelihood ones less their first-order bias.",
}


@dataclass(frozen=True, eq=False, repr=False)
class BiasReducedResults(LogitResults):
    """Results of a fit whose bias is reduced: by median bias reduction, or corrected in one step.

    Standard errors, tests and intervals are Wald's, from the information at the estimate. The log-likelihood is that at the
    estimate, which is not its maximum; there are no likelihood-ratio tests.
    """

    @property
    def model_title(self) -> str:
        """Title of the summary."""
        return f"Logit Regression Results ({_TITLES[self.fit_.method]})"

    @property
    def method(self) -> str:
        """Name of the method in the summary."""
        return _NAMES[self.fit_.method]

    @cached_property
    def _statistics(self) -> FitStatistics:
        return UnmaximisedStatistics(self.fit_)

    def _what(self) -> list[str]:
        return [f"{_NOTES[self.fit_.method]} The log-likelihood is that at the estimate, not its maximum."]

    def summary_notes(self) -> list[str]:
        """Return the sentences that stand under the summary."""
        return [*super().summary_notes(), *self._what()]

    def remove_data(self) -> NoReturn:
        """Not available: p-values and intervals of these fits need the rows."""
        raise NotAvailableError(
            "The p-values and intervals of a bias-reduced fit come from its penalized likelihood, which needs the rows."
        )


@dataclass(frozen=True, eq=False, repr=False)
class UnmaximisedStatistics(FitStatistics):
    """The same for an estimate at which the likelihood is not largest: its ratio to another is no test."""

    @property
    def llr(self) -> float:
        """NaN: not defined."""
        return float("nan")


def fit_bias_reduced(model: Logit, start_params: Any, maxiter: int, tol: float, kind: str) -> BiasReducedResults:
    """Fit with a smaller bias; see `Logit.fit_firth`."""
    check_choice("kind", kind, KINDS)
    if model.design.weight_kind == "sampling":
        raise NotAvailableError(
            "Bias reduction is not defined for sampling weights (Firth's likelihood no more than the others); give frequency "
            "weights or none."
        )
    if kind == "correction":
        return _corrected(model, start_params, maxiter)
    design, working, null, start = prepared_for_penalty(model.design, model.check_rank, start_params)
    search = highest_penalized if kind == "firth" else median_root
    point, converged, trace = search(design, working, start, maxiter=maxiter, tol=tol)
    if not converged:
        _warn(trace)
    fitted = Fit(
        design=design,
        working=working,
        gamma=point.gamma,
        information_working=point.information,
        loglik=point.loglik,
        max_abs_eta=point.max_abs_eta,
        null=null,
        constant_in_span=null.kind == "intercept",
        method=kind,
        converged=converged,
        iterations=len(trace.steps) - 1,
        decrement=trace.steps[-1].decrement,
        trace=replace(trace, outcomes=design.outcomes),
        maximum=False,
    )
    return _firth(model, fitted, point) if kind == "firth" else _results(model, fitted)


def _corrected(model: Logit, start_params: Any, maxiter: int) -> BiasReducedResults:
    from logit_stats.estimation.intercept_correction import refitted

    best = maximum_likelihood(model.design, start=start_params, maxiter=maxiter, check_rank=model.check_rank)
    point = corrected_estimate(best.design, best.working, best.gamma)
    return _results(model, refitted(best, point.gamma, "correction"))


def _results(model: Logit, fitted: Fit) -> BiasReducedResults:
    return BiasReducedResults(model.with_design(fitted.design), fitted, covariance(fitted, "nonrobust"), ONLY_WALD)


def _firth(model: Logit, fitted: Fit, point: PenalizedPoint) -> BiasReducedResults:
    from logit_stats.results.firth import FirthResults

    profile = PenalizedProfile(fitted.design, fitted.working, point, fitted.constant_in_span)
    cov = covariance(fitted, "nonrobust")
    return FirthResults(model.with_design(fitted.design), fitted, cov, PenalizedLikelihood(profile))


def _warn(trace: Trace) -> None:
    last = trace.steps[-1].decrement
    message = (
        f"The iterations of the bias-reduced fit stopped after {len(trace.steps) - 1} steps, {last:.2g} standard errors from "
        f"its estimate; raise maxiter."
    )
    warnings.warn(message, ConvergenceWarning, stacklevel=4)
