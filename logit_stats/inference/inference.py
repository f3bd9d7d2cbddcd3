"""How p-values and limits of the coefficients are had: from standard errors, or from a likelihood, penalized or in the limit.

A result is put together from a fit, a covariance and one of these; which one is decided where the fit is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from scipy import stats

from logit_stats.design.block import FloatArray
from logit_stats.errors import check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.limit import LimitFit
from logit_stats.inference.bootstrap import resampled_interval
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.limit_profile import LimitProfile
from logit_stats.inference.penalized import PenalizedProfile
from logit_stats.inference.profile import Profile, profile_interval
from logit_stats.inference.wald import p_values, wald_interval


class Inference(Protocol):
    """P-values and limits of the coefficients of a fit.

    Attributes
    ----------
    methods : tuple of str
        Ways to limits, the usual one first.
    """

    @property
    def methods(self) -> tuple[str, ...]:
        """Ways to limits, the usual one first."""
        ...

    def p_values(self, fit: Fit, cov: Covariance) -> FloatArray:
        """(k,) two-sided p-values."""
        ...

    def limits(self, fit: Fit, cov: Covariance, alpha: float, method: str) -> FloatArray:
        """(k, 2) limits at level ``1 - alpha``."""
        ...

    def profile(self, fit: Fit) -> Any:
        """Return what is profiled over the coefficients; None for nothing."""
        ...


@dataclass(frozen=True)
class Wald:
    """From standard errors; limits from the likelihood or from resamples on request.

    Attributes
    ----------
    methods : tuple of str
    """

    methods: tuple[str, ...] = ("wald", "profile", "bootstrap", "bca")

    def p_values(self, fit: Fit, cov: Covariance) -> FloatArray:
        """(k,) two-sided p-values, from the reference distribution of the covariance."""
        return p_values(fit, cov)

    def limits(self, fit: Fit, cov: Covariance, alpha: float, method: str) -> FloatArray:
        """(k, 2) limits at level ``1 - alpha``."""
        check_choice("method", method, self.methods)
        if method == "profile":
            return profile_interval(fit, cov.likelihood_reference.plain_alpha(alpha))
        if method in ("bootstrap", "bca"):
            return resampled_interval(cov.bootstrap, alpha, method)
        return wald_interval(fit, cov, alpha)

    def profile(self, fit: Fit) -> Any:
        """The likelihood, profiled; None where nothing is maximised."""
        return Profile(fit) if "profile" in self.methods else None


WALD = Wald()
ONLY_WALD = Wald(("wald",))


class _FromLikelihood:
    """P-values and limits of every coefficient from a likelihood of its own; Wald's limits on request."""

    methods = ("profile", "wald")

    def p_values(self, fit: Fit, cov: Covariance) -> FloatArray:
        """(k,) p-values of the likelihood-ratio statistics."""
        return np.asarray(stats.chi2.sf(self.statistics, 1))

    def limits(self, fit: Fit, cov: Covariance, alpha: float, method: str) -> FloatArray:
        """(k, 2) limits at level ``1 - alpha``."""
        check_choice("method", method, self.methods)
        if method == "wald":
            return wald_interval(fit, cov, alpha)
        return np.array([self.profiled.interval(j, alpha) for j in range(fit.parameters)])

    def profile(self, fit: Fit) -> Any:
        """What is profiled over the coefficients."""
        return self.profiled

    if TYPE_CHECKING:

        @property
        def profiled(self) -> Any: ...
        @cached_property
        def statistics(self) -> FloatArray: ...


@dataclass(frozen=True, eq=False)
class PenalizedLikelihood(_FromLikelihood):
    """From Firth's penalized likelihood.

    Attributes
    ----------
    profiled : PenalizedProfile
    """

    profiled: PenalizedProfile

    @cached_property
    def statistics(self) -> FloatArray:
        """(k,) penalized likelihood-ratio statistic of each coefficient."""
        return self.profiled.statistics()


@dataclass(frozen=True, eq=False)
class AugmentedLikelihood(_FromLikelihood):
    """From the likelihood of data with pseudo-observations (FLAC), whose first coefficients are those of the fit.

    Attributes
    ----------
    larger : Fit
    """

    larger: Fit

    @property
    def profiled(self) -> Profile:
        """The likelihood of the augmented data, profiled."""
        return Profile(self.larger)

    @cached_property
    def statistics(self) -> FloatArray:
        """(k,) likelihood-ratio statistic of each coefficient but the last, the indicator's."""
        return np.array([self.profiled.statistic(j) for j in range(self.larger.parameters - 1)])


@dataclass(frozen=True, eq=False)
class LimitLikelihood(_FromLikelihood):
    """From the likelihood of a limiting fit; an infinite coefficient has an interval with one end.

    Attributes
    ----------
    fit : LimitFit
    """

    fit: LimitFit

    @cached_property
    def profiled(self) -> LimitProfile:
        """The likelihood, profiled."""
        return LimitProfile(self.fit)

    @cached_property
    def statistics(self) -> FloatArray:
        """(k,) likelihood-ratio statistic of each coefficient against zero; 0 where undetermined."""
        return np.array([self.profiled.statistic(j) for j in range(self.fit.parameters)])


@dataclass(frozen=True, eq=False)
class FittedIntercept:
    """Those of other estimates for the slopes, Wald's for the intercept (FLIC).

    Attributes
    ----------
    slopes : PenalizedLikelihood
    constant : int
        The intercept's column.
    """

    slopes: PenalizedLikelihood
    constant: int
    methods = ("profile", "wald")

    def p_values(self, fit: Fit, cov: Covariance) -> FloatArray:
        """(k,) p-values."""
        found = self.slopes.p_values(fit, cov)
        found[self.constant] = p_values(fit, cov)[self.constant]
        return found

    def limits(self, fit: Fit, cov: Covariance, alpha: float, method: str) -> FloatArray:
        """(k, 2) limits at level ``1 - alpha``."""
        found = self.slopes.limits(fit, cov, alpha, method)
        found[self.constant] = wald_interval(fit, cov, alpha)[self.constant]
        return found

    def profile(self, fit: Fit) -> None:
        """None: the intercept and the slopes do not maximise one likelihood."""
        return
