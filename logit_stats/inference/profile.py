"""Profile-likelihood intervals: the values of a coefficient that a likelihood-ratio test does not reject.

A limit t solves ``2 (loglik - profile(t)) = q``, where profile(t) is the log-likelihood maximised over the other coefficients
with this one held at t, and q the chi-squared quantile (Venzon and Moolgavkar 1988, Applied Statistics 37, 87-94). Each
constrained maximum starts from the last one. A fit with a finite estimate has finite limits: without separation the
likelihood falls for ever in every direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.linalg import null_space
from scipy.optimize import brentq

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import NotAvailableError, check_alpha
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import moments
from logit_stats.estimation.linear_algebra import EquilibratedCholesky
from logit_stats.estimation.moments import Moments
from logit_stats.estimation.working import WorkingColumns

# A limit farther out than this many standard errors is beyond double precision, and reported as infinite.
FARTHEST = 1e4
STEPS, HALVINGS = 100, 50
TOLERANCE = 1e-10


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
            Under sampling weights, where there is no likelihood.
        """
        check_alpha(alpha)
        self.fit.refuse_constraints("A profile of the likelihood")
        self.fit.refuse_unconverged("A profile of the likelihood")
        if self.fit.design.weight_kind == "sampling":
            raise NotAvailableError('Under sampling weights there is no likelihood to profile; use method="wald".')
        quantile = float(stats.chi2.isf(alpha, 1))
        a, size = scaled_row(self.fit.working, self.fit.parameters, j)
        directions = directions_along(a)
        centre, se = float(a @ self.fit.gamma), float(self.fit.standard_errors[j]) / size
        low, high = (size * self._limit(a, directions, centre, sign * se, quantile) for sign in (-1.0, 1.0))
        return low, high

    def _limit(self, a: FloatArray, directions: FloatArray, centre: float, unit: float, quantile: float) -> float:
        """Root of ``fall(t) = quantile`` on one side; t is measured in standard errors."""
        last = self.fit.gamma
        points: dict[float, float] = {0.0: -quantile}

        def excess(t: float) -> float:
            nonlocal last
            if t not in points:
                onto = last + a * ((centre + t * unit - float(a @ last)) / float(a @ a))
                last, loglik = constrained_maximum(self.fit.design, self.fit.working, onto, directions)
                points[t] = 2.0 * (self.fit.loglik - loglik) - quantile
            return points[t]

        inner, outer = 0.0, float(np.sqrt(quantile))
        while excess(outer) < 0.0:
            inner, outer = outer, outer * 1.5
            if outer > FARTHEST:
                return float(np.copysign(np.inf, unit))
        # warm starts come from the inner side, where the likelihood is known to behave
        last = self.fit.gamma
        return centre + unit * float(brentq(excess, inner, outer, xtol=1e-12, rtol=1e-14))

    def statistic(self, j: int, value: float = 0.0) -> float:
        """Likelihood-ratio statistic of coefficient j against a value."""
        a, size = scaled_row(self.fit.working, self.fit.parameters, j)
        onto = self.fit.gamma + a * ((value / size - float(a @ self.fit.gamma)) / float(a @ a))
        _, loglik = constrained_maximum(self.fit.design, self.fit.working, onto, directions_along(a))
        return max(2.0 * (self.fit.loglik - loglik), 0.0)


def scaled_row(working: WorkingColumns, k: int, j: int) -> tuple[FloatArray, float]:
    """(k,) a, and a number, with the user's coefficient j the number times ``a'gamma``.

    The largest of a is one: a column of size 1e300 has a coefficient of size 1e-300, whose square is no number.
    """
    a = working.matrix(k)[j]
    size = float(np.abs(a).max())
    return np.asarray(a / size), size


def directions_along(a: FloatArray) -> FloatArray:
    """(k, k - 1) directions that leave ``a'gamma`` alone."""
    return np.asarray(null_space(a[None, :] / np.abs(a).max()))


def constrained_maximum(
    design: Design, working: WorkingColumns, gamma: FloatArray, directions: FloatArray
) -> tuple[FloatArray, float]:
    """Maximum over ``gamma + directions @ u``: coefficients and log-likelihood. Newton's method, steps halved."""
    here = moments(design, gamma, working)
    if directions.shape[1] == 0:
        return gamma, here.loglik
    for _ in range(STEPS):
        factor = EquilibratedCholesky(directions.T @ here.information @ directions)
        if not factor.definite:
            break
        gradient = directions.T @ here.score
        u = factor.solve(gradient)
        if float(gradient @ u) <= TOLERANCE**2:
            break
        moved = _halved(design, working, gamma, here, directions @ u)
        if moved is None:
            break
        gamma, here = moved
    return gamma, here.loglik


def _halved(
    design: Design, working: WorkingColumns, gamma: FloatArray, here: Moments, step: FloatArray
) -> tuple[FloatArray, Moments] | None:
    slack = 1e-13 * (1.0 + abs(here.loglik))
    length = 1.0
    for _ in range(HALVINGS):
        there = moments(design, gamma + length * step, working)
        if there.loglik >= here.loglik - slack:
            return gamma + length * step, there
        length *= 0.5
    return None


def profile_interval(fit: Fit, alpha: float = 0.05) -> FloatArray:
    """(k, 2) profile-likelihood limits of every coefficient."""
    profile = Profile(fit)
    return np.array([profile.interval(j, alpha) for j in range(fit.parameters)])
