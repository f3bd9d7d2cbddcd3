"""Profile-likelihood intervals: the values of a coefficient that a likelihood-ratio test does not reject.

A limit t solves ``2 (loglik - profile(t)) = q``, where profile(t) is the log-likelihood maximised over the other coefficients
with this one held at t, and q the chi-squared quantile (Venzon and Moolgavkar 1988, Applied Statistics 37, 87-94). Each
constrained maximum starts from the last one, along the tangent of the profile there: ``V a / a'V a`` is how the other
coefficients follow a change of ``a'gamma`` by one. A climb that was given up is no maximum and is never used; the fall of the
likelihood at every limit is looked at again. A fit with a finite estimate has finite limits: without separation the likelihood
falls for ever in every direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import NotAvailableError, check_alpha
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import moments
from logit_stats.estimation.newton import constrained_maximum
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.likelihoods.moments import Moments
from logit_stats.likelihoods.working import WorkingColumns, directions_along, scaled_row

# A limit farther out than this many standard errors is beyond double precision, and reported as infinite.
FARTHEST = 1e4
# How far the fall of twice the log-likelihood at a limit may be from the quantile, as a share of it, and absolutely of the sum.
CLOSE = 1e-6
# Parts into which a move is cut, again and again, where the maximum at its end is not found at once.
PARTS, CUTS = 4, 4


@dataclass(frozen=True, eq=False)
class Profile:
    """The likelihood of a fit profiled over its coefficients.

    Attributes
    ----------
    fit : Fit
    """

    fit: Fit

    def interval(self, j: int, alpha: float = 0.05) -> tuple[float, float]:
        """Limits of coefficient j at level ``1 - alpha``.

        Raises
        ------
        DataError
            Unless 0 < alpha < 1.
        NotAvailableError
            Where there is no likelihood (sampling weights), or it could not be maximised at a limit.
        """
        check_alpha(alpha)
        self.fit.facts.require(
            "A profile of the likelihood", "finite", "unconstrained", "converged", "likelihood", "maximum", "rows"
        )
        quantile = float(stats.chi2.isf(alpha, 1))
        a, size = scaled_row(self.fit.working, self.fit.parameters, j)
        se = float(self.fit.standard_errors[j]) / size
        low, high = (size * self._limit(a, sign * se, quantile) for sign in (-1.0, 1.0))
        return low, high

    def _limit(self, a: FloatArray, unit: float, quantile: float) -> float:
        """Root of ``fall(t) = quantile`` on one side; t is measured in standard errors."""
        walk = HeldWalk.from_maximum(self.fit, a)
        centre = float(a @ self.fit.gamma)
        points: dict[float, float] = {0.0: -quantile}

        def excess(t: float) -> float:
            if t not in points:
                points[t] = 2.0 * (self.fit.loglik - walk.loglik_at(centre + t * unit)) - quantile
            return points[t]

        inner, outer = 0.0, float(np.sqrt(quantile))
        while excess(outer) < 0.0:
            inner, outer = outer, outer * 1.5
            if outer > FARTHEST:
                return float(np.copysign(np.inf, unit))
        found = float(brentq(excess, inner, outer, xtol=1e-12, rtol=1e-14))
        if not abs(excess(found)) <= CLOSE * quantile + 1e-12 * abs(self.fit.loglik):
            raise NotAvailableError(
                "The likelihood is too flat or too rough in double precision for a limit of its profile; centre and scale the "
                'columns, or use method="wald".'
            )
        return centre + unit * found

    def statistic(self, j: int, value: float = 0.0) -> float:
        """Likelihood-ratio statistic of coefficient j against a value."""
        a, size = scaled_row(self.fit.working, self.fit.parameters, j)
        loglik = HeldWalk.from_maximum(self.fit, a).loglik_at(value / size)
        return max(2.0 * (self.fit.loglik - loglik), 0.0)


class HeldWalk:
    """Maxima of the log-likelihood with ``a'gamma`` held at one value after the other, each started from the last.

    Parameters
    ----------
    design : Design
    working : WorkingColumns
    a : (k,)
    gamma : (k,)
        Where to start from.
    information : (k, k)
        The information there.
    """

    def __init__(
        self, design: Design, working: WorkingColumns, a: FloatArray, gamma: FloatArray, information: FloatArray
    ) -> None:
        self._design, self._working, self._a = design, working, a
        self._directions = directions_along(a)
        self.gamma, self._information = gamma, information

    @classmethod
    def from_maximum(cls, fit: Fit, a: FloatArray) -> HeldWalk:
        """Walk from the maximum of a fit."""
        return cls(fit.design, fit.working, a, fit.gamma, fit.information_working)

    def loglik_at(self, value: float) -> float:
        """Log-likelihood at the maximum with ``a'gamma = value``.

        Raises
        ------
        NotAvailableError
            If the maximum was not found.
        """
        place = self._move(value, CUTS)
        if place is None:
            raise NotAvailableError(
                "The log-likelihood with a coefficient held fixed could not be maximised in double precision; centre and scale "
                'the columns, or use method="wald".'
            )
        return place.loglik

    def _move(self, value: float, cuts: int) -> Moments | None:
        """Go to the maximum at a value; where that fails, in smaller moves."""
        start, first = self._start(value)
        if self._directions.shape[1] == 0:
            self.gamma, self._information = start, first.information
            return first
        found = constrained_maximum(self._design, self._working, start, self._directions, first)
        if found.converged:
            self.gamma, self._information = found.gamma, found.place.information
            return found.place
        if cuts == 0:
            return None
        place: Moments | None = None
        for part in np.linspace(float(self._a @ self.gamma), value, PARTS + 1)[1:]:
            place = self._move(float(part), cuts - 1)
            if place is None:
                return None
        return place

    def _start(self, value: float) -> tuple[FloatArray, Moments]:
        """Where to start from: the likeliest of the moves along the tangent, along a alone, and of the whole vector stretched.

        Far out all coefficients grow together; a start that only one of them has left may predict everything wrongly with
        certainty, where Newton's method finds no slope.
        """
        at = float(self._a @ self.gamma)
        starts = [self.gamma + toward * (value - at) for toward in self._towards()]
        if at * value > 0.0:
            starts.append(self.gamma * (value / at))
        places = [moments(self._design, start, self._working) for start in starts]
        best = max(range(len(starts)), key=lambda i: _number(places[i].loglik))
        return starts[best], places[best]

    def _towards(self) -> list[FloatArray]:
        """Moves of the coefficients that change ``a'gamma`` by one: the tangent of the profile, else a alone."""
        factor = EquilibratedCholesky(self._information)
        if factor.definite:
            tangent = factor.solve(self._a)
            along = float(self._a @ tangent)
            if np.isfinite(tangent).all() and along > 0.0:
                return [tangent / along]
        return [self._a / float(self._a @ self._a)]


def _number(loglik: float) -> float:
    return loglik if np.isfinite(loglik) else -np.inf


def profile_interval(fit: Fit, alpha: float = 0.05) -> FloatArray:
    """(k, 2) profile-likelihood limits of every coefficient."""
    profile = Profile(fit)
    return np.array([profile.interval(j, alpha) for j in range(fit.parameters)])
