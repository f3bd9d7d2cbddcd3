"""`FirthResults`: the results of a penalized fit, under the names of every other fit."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from logit_stats.answers.finished import Finished
from logit_stats.assess.fit_statistics import PenalizedStatistics
from logit_stats.design.block import FloatArray
from logit_stats.errors import ConvergenceWarning, NotAvailableError, check_choice
from logit_stats.estimation.firth import PenalizedPoint, maximise_penalized
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.maximum_likelihood import prepared_for_penalty
from logit_stats.estimation.trace import Trace
from logit_stats.inference.covariance import covariance
from logit_stats.inference.penalized import PenalizedProfile
from logit_stats.inference.wald import wald_interval
from logit_stats.results import LogitResults

if TYPE_CHECKING:
    from logit_stats.assess.certificate import Certificate
    from logit_stats.crosscheck import Crosscheck
    from logit_stats.inference.likelihood_ratio import LikelihoodRatioTest
    from logit_stats.model import Logit


@dataclass(frozen=True, eq=False)
class FirthResults(LogitResults):
    """Results of Firth's penalized likelihood.

    Standard errors come from the information at the estimate; p-values and intervals from the penalized likelihood.
    `llf`, `llnull`, `llr` and what is made of them are penalized.
    """

    point_: PenalizedPoint | None = None

    model_title = "Logit Regression Results (Firth's penalized likelihood)"
    method = "Firth"

    @property
    def _point(self) -> PenalizedPoint:
        assert self.point_ is not None
        return self.point_

    @cached_property
    def _profile(self) -> PenalizedProfile:
        return PenalizedProfile(self.fit_.design, self.fit_.working, self._point)

    @cached_property
    def penalized_lr(self) -> FloatArray:
        """(k,) penalized likelihood-ratio statistic of each coefficient."""
        return self._profile.statistics()

    @property
    def pvalues(self) -> Any:
        """(k,) p-values of the penalized likelihood-ratio statistics."""
        return self._coefficients(np.asarray(stats.chi2.sf(self.penalized_lr, 1)))

    def conf_int(self, alpha: float = 0.05, method: str = "profile") -> Any:
        """(k, 2) limits from the penalized likelihood, or from the standard errors (``method="wald"``)."""
        return super().conf_int(alpha, method)

    def _limits(self, alpha: float, method: str) -> FloatArray:
        check_choice("method", method, ("profile", "wald"))
        if method == "wald":
            return wald_interval(self.fit_, self.covariance_, alpha, None)
        return np.array([self._profile.interval(j, alpha) for j in range(self.fit_.parameters)])

    def odds_ratios(self, alpha: float = 0.05, method: str = "profile") -> pd.DataFrame:
        """Odds ratios with limits from the penalized likelihood, or from the standard errors (``method="wald"``)."""
        return super().odds_ratios(alpha, method)

    @cached_property
    def _statistics(self) -> PenalizedStatistics:
        # half the log determinant of the information is that of the user's columns, not of the solver's
        A = self.fit_.working.matrix(self.fit_.parameters)
        shift = -float(np.linalg.slogdet(A)[1])
        null = self._profile.null()
        at_null = float("nan") if null is None else null.penalized_loglik + shift
        return PenalizedStatistics(self.fit_, self._point.penalized_loglik + shift, at_null)

    def summary_notes(self) -> list[str]:
        """Return the sentences that stand under the summary."""
        return [
            *super().summary_notes(),
            "Estimates, log-likelihoods, p-values and intervals are those of Firth's penalized likelihood; z and standard "
            "errors come from the information at the estimate.",
        ]

    def lr_test(self, other: Finished) -> LikelihoodRatioTest:
        """Not defined between penalized fits, whose penalties differ."""
        raise NotAvailableError("Penalized fits of different models have different penalties; use pvalues and llr.")

    def crosscheck(self, rtol: float = 1e-6) -> Crosscheck:
        """Not available: statsmodels has no penalized likelihood of this kind."""
        raise NotAvailableError("statsmodels has no Firth fit to compare with.")

    def certificate(self) -> Certificate:
        """Not available: the bounds are those of the unpenalized likelihood."""
        raise NotAvailableError("The certificate bounds the error of maximum-likelihood fits; this one is penalized.")


def fit_firth(model: Logit, start_params: Any = None, maxiter: int = 500, tol: float = 1e-10) -> FirthResults:
    """Fit a model by Firth's penalized likelihood; see `Logit.fit_firth`."""
    if model.design.weight_kind == "sampling":
        raise NotAvailableError(
            "Firth's likelihood is not defined for sampling weights; give frequency weights or none."
        )
    design, working, null, start = prepared_for_penalty(model.design, model.check_rank, start_params)
    point, converged, trace = maximise_penalized(design, working, start, maxiter=maxiter, tol=tol)
    if not converged:
        last = trace.steps[-1].decrement
        message = (
            f"The penalized iterations stopped after {len(trace.steps) - 1} steps, {last:.2g} standard errors from the "
            f"maximum; raise maxiter."
        )
        warnings.warn(message, ConvergenceWarning, stacklevel=3)
    fitted = Fit(
        design=design,
        working=working,
        gamma=point.gamma,
        information_working=point.information,
        loglik=point.loglik,
        max_abs_eta=point.max_abs_eta,
        null=null,
        constant_in_span=null.kind == "intercept",
        method="firth",
        converged=converged,
        iterations=len(trace.steps) - 1,
        decrement=trace.steps[-1].decrement,
        trace=Trace(trace.steps, trace.note, design.outcomes),
    )
    return FirthResults(model.with_design(design), fitted, covariance(fitted, "nonrobust"), False, point)
