"""Tests and intervals from Firth's penalized likelihood (Heinze and Schemper 2002).

A coefficient is tested by twice the fall of the penalized log-likelihood when it is fixed at zero and the others are
maximised again, the penalty being that of the whole information matrix; its limits are the values at which that fall
reaches the chi-squared quantile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.linalg import null_space
from scipy.optimize import brentq

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.estimation.firth import PenalizedPoint, maximise_penalized, penalized_point
from logit_stats.estimation.working import WorkingColumns


@dataclass(frozen=True, eq=False)
class PenalizedProfile:
    """The penalized likelihood profiled over one coefficient after the other.

    Attributes
    ----------
    design : Design
    working : WorkingColumns
    best : PenalizedPoint
        Its maximum.
    """

    design: Design
    working: WorkingColumns
    best: PenalizedPoint

    def constrained(self, a: FloatArray, value: float, start: FloatArray) -> PenalizedPoint:
        """Maximum under ``a'gamma = value``, from a start that is moved onto the constraint."""
        onto = start + a * ((value - float(a @ start)) / float(a @ a))
        if len(a) == 1:
            point = penalized_point(self.design, onto, self.working)
            if point is None:
                raise FloatingPointError
            return point
        directions = null_space(a[None, :] / np.abs(a).max())
        point, _, _ = maximise_penalized(self.design, self.working, onto, directions=directions)
        return point

    def _row(self, j: int) -> FloatArray:
        return np.asarray(self.working.matrix(len(self.best.gamma))[j])

    def statistics(self) -> FloatArray:
        """(k,) penalized likelihood-ratio statistics of each coefficient."""
        found = []
        for j in range(len(self.best.gamma)):
            point = self.constrained(self._row(j), 0.0, self.best.gamma)
            found.append(2.0 * (self.best.penalized_loglik - point.penalized_loglik))
        return np.asarray(np.maximum(found, 0.0))

    def interval(self, j: int, alpha: float) -> tuple[float, float]:
        """Limits of one coefficient at level ``1 - alpha``."""
        quantile = float(stats.chi2.isf(alpha, 1))
        a = self._row(j)
        centre = float(a @ self.best.gamma)
        se = float(np.sqrt(a @ self.best.inverse @ a))
        return self._limit(a, centre, -se, quantile), self._limit(a, centre, se, quantile)

    def _limit(self, a: FloatArray, centre: float, unit: float, quantile: float) -> float:
        """Root of ``fall(t) = quantile`` on one side; t is measured in standard errors."""
        last = {"gamma": self.best.gamma}

        def excess(t: float) -> float:
            point = self.constrained(a, centre + t * unit, last["gamma"])
            last["gamma"] = point.gamma
            return 2.0 * (self.best.penalized_loglik - point.penalized_loglik) - quantile

        inner, outer = 0.0, float(np.sqrt(quantile))
        while excess(outer) < 0.0:
            inner, outer = outer, outer * 1.5
            if outer > 1e4:
                return float(np.copysign(np.inf, unit))
        last["gamma"] = self.best.gamma
        return centre + unit * float(brentq(excess, inner, outer, xtol=1e-11, rtol=1e-14))

    def null(self) -> PenalizedPoint | None:
        """Maximum with all slopes zero, the constant free, under the penalty of the whole information."""
        constant = self.design.constant
        k = len(self.best.gamma)
        start = np.zeros(k)
        if constant is None:
            return penalized_point(self.design, start, self.working)
        # slopes of zero are zero in either columns, and the constant is then the same number
        directions = np.zeros((k, 1))
        directions[constant, 0] = 1.0
        point, _, _ = maximise_penalized(self.design, self.working, start, directions=directions)
        return point
