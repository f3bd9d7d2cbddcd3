"""Likelihood-ratio tests and profile-likelihood limits of a fit whose coefficients may be infinite.

A finite coefficient has the profile of the limiting fit: holding it at a value leaves the directions of recession as they are.
For an infinite one the supremum of the likelihood with the coefficient held at t rises towards that of the whole model, and
the interval has one end: the t at which a likelihood-ratio test just rejects. The model that is left may be separated itself,
by the same rows whatever t is; its supremum is again that of the rows it leaves (Geyer 2009, section 3.16).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import check_alpha
from logit_stats.estimation.likelihood import moments
from logit_stats.estimation.limit import LimitFit, kept_columns, remaining
from logit_stats.estimation.recession import DOWN, FINITE, UNDETERMINED, RecessionCone, SignedRows
from logit_stats.estimation.separation import find_separation
from logit_stats.inference.profile import HeldWalk, Profile
from logit_stats.likelihoods.working import WorkingColumns, boxed_columns, scaled_row

DOUBLINGS = 60


@dataclass(frozen=True, eq=False)
class HeldCoefficient:
    """The supremum of the likelihood with one coefficient held at a value.

    Attributes
    ----------
    design : Design
        Rows that the model without the column does not separate, columns that they tell apart, and the column last.
    working : WorkingColumns
    """

    design: Design
    working: WorkingColumns

    @classmethod
    def of(cls, fit: LimitFit, j: int) -> HeldCoefficient:
        """Coefficient j of a fit."""
        others = [i for i in range(fit.parameters) if i != j]
        design = fit.design
        if others:
            without = design.with_columns(others, ())
            found = find_separation(without)
            kept = kept_columns(RecessionCone.of(SignedRows.of(without), found.level > 0))
            design = remaining(design, found, [*(others[i] for i in kept), j])
        return cls(design, boxed_columns(design))

    @cached_property
    def _row(self) -> tuple[FloatArray, float]:
        return scaled_row(self.working, self.design.columns, self.design.columns - 1)

    @property
    def unit(self) -> float:
        """What values are multiples of: the size of the coefficient of a working column."""
        return self._row[1]

    def walk(self) -> HeldWalk:
        """Suprema with the coefficient held at values in `unit`, from zero coefficients."""
        zero = np.zeros(self.design.columns)
        here = moments(self.design, zero, self.working)
        return HeldWalk(self.design, self.working, self._row[0], zero, here.information)


@dataclass(frozen=True, eq=False)
class LimitProfile:
    """The likelihood of a limiting fit, profiled over its coefficients.

    Attributes
    ----------
    fit : LimitFit
    """

    fit: LimitFit

    def _fate(self, j: int) -> str:
        return self.fit.separation.fates[j]

    def statistic(self, j: int) -> float:
        """Likelihood-ratio statistic of coefficient j against zero; 0 where the data say nothing of it."""
        if self._fate(j) == UNDETERMINED:
            return 0.0
        if self._fate(j) == FINITE:
            assert self.fit.inner is not None
            return Profile(self.fit.inner).statistic(self.fit.kept.index(j))
        loglik = HeldCoefficient.of(self.fit, j).walk().loglik_at(0.0)
        return max(2.0 * (self.fit.loglik - loglik), 0.0)

    def interval(self, j: int, alpha: float = 0.05) -> tuple[float, float]:
        """Limits of coefficient j at level ``1 - alpha``.

        Raises
        ------
        DataError
            Unless 0 < alpha < 1.
        """
        check_alpha(alpha)
        fate = self._fate(j)
        if fate == UNDETERMINED:
            return -np.inf, np.inf
        if fate == FINITE:
            assert self.fit.inner is not None
            return Profile(self.fit.inner).interval(self.fit.kept.index(j), alpha)
        end = self._end(HeldCoefficient.of(self.fit, j), fate == DOWN, float(stats.chi2.isf(alpha, 1)))
        return (-np.inf, end) if fate == DOWN else (end, np.inf)

    def _end(self, held: HeldCoefficient, falling: bool, quantile: float) -> float:
        """Value at which twice the fall of the log-likelihood is the quantile; the fall is monotone in the value."""
        sign = -1.0 if falling else 1.0
        walk = held.walk()

        def excess(t: float) -> float:
            return 2.0 * (self.fit.loglik - walk.loglik_at(t * sign)) - quantile

        low = high = 0.0
        if excess(0.0) > 0.0:
            high = self._first(excess, 1.0, positive=False)
        else:
            low = self._first(excess, -1.0, positive=True)
        return sign * held.unit * float(brentq(excess, low, high, xtol=1e-12, rtol=1e-14))

    @staticmethod
    def _first(excess: object, step: float, positive: bool) -> float:
        """First of the values step, 2 step, 4 step, ... at which the excess has the sign wanted."""
        assert callable(excess)
        for _ in range(DOUBLINGS):
            if (excess(step) > 0.0) == positive:
                break
            step *= 2.0
        return step
