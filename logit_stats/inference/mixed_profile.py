"""Profile-likelihood limits of coefficients and of standard deviations of random effects.

A limit is where twice the fall of the likelihood, maximised over all other parameters, is the quantile of chi-squared. It is
found by Newton's method on the signed root of the fall, whose slope is the gradient at the constrained maximum.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from logit_stats.design.block import FloatArray
from logit_stats.errors import check_alpha
from logit_stats.estimation.marginal_newton import Marginal, maximise
from logit_stats.estimation.mixed import MixedFit, inverse_information, marginal_likelihood
from logit_stats.estimation.random_blocks import RandomBlocks
from logit_stats.estimation.random_effect import MarginalPoint

STEPS = 30
TOLERANCE = 1e-9


def coefficient_profile_limits(fit: MixedFit, alpha: float) -> FloatArray:
    """(k, 2) limits of the coefficients."""
    quantile = float(np.sqrt(stats.chi2.isf(check_alpha(alpha), 1)))
    marginal, psi, V = _in_user_columns(fit)
    point = marginal.at(psi)
    return np.array(
        [[_limit(marginal, point, V, j, side * quantile) for side in (-1.0, 1.0)] for j in range(len(fit.gamma))]
    )


def sd_profile_limits(fit: MixedFit, g: int, i: int, alpha: float) -> tuple[float, float]:
    """Limits of the standard deviation of effect i of grouping g; the lower may be zero."""
    quantile = float(np.sqrt(stats.chi2.isf(check_alpha(alpha), 1)))
    fit.facts.require("A profile of the likelihood", "rows")
    assert fit.marginal is not None
    marginal, psi, V, j = _leading(fit, g, i)
    point = marginal.at(psi)
    zero = psi.copy()
    zero[j] = 0.0
    free = [m for m in range(len(psi)) if m != j]
    at_zero = maximise(marginal, zero, free=free).point
    low = 0.0
    if 2.0 * (point.value - at_zero.value) > quantile**2 and psi[j] > 0.0:
        low = max(_limit(marginal, point, V, j, -quantile, least=0.0), 0.0)
    return low, _limit(marginal, point, V, j, quantile)


def _in_user_columns(fit: MixedFit) -> tuple[Marginal, FloatArray, FloatArray]:
    """The likelihood with the user's own columns, its parameters and their covariance."""
    fit.facts.require("A profile of the likelihood", "rows")
    k = len(fit.gamma)
    A = np.eye(len(fit.psi))
    A[:k, :k] = fit.working.matrix(k)
    marginal = marginal_likelihood(fit, fit.layout, fit.points, np.asarray(fit.design.X))
    return marginal, A @ fit.psi, A @ fit.covariance_psi @ A.T


def _leading(fit: MixedFit, g: int, i: int) -> tuple[Marginal, FloatArray, FloatArray, int]:
    """The likelihood written so that one parameter is the standard deviation itself.

    The first diagonal entry of a triangular factor is one; so is every diagonal entry without correlations. Else the effects
    are put in another order.
    """
    assert fit.marginal is not None
    template, k = fit.layout.templates[g], len(fit.gamma)
    if (template[i, :i] < 0).all():
        return fit.marginal, fit.psi, fit.covariance_psi, k + int(template[i, i])
    assert isinstance(fit.marginal, RandomBlocks)
    group = fit.marginal.groupings[g]
    order = np.array([i, *(j for j in range(len(template)) if j != i)])
    reordered = _dense(template, order)
    groupings = list(fit.marginal.groupings)
    groupings[g] = replace(group, Z=group.Z[:, order], template=reordered)
    marginal = replace(fit.marginal, groupings=tuple(groupings))
    covariance = fit.effects[g].covariance[np.ix_(order, order)]
    # a singular covariance has a factor too: a ridge far below what can be seen
    factor = np.linalg.cholesky(covariance + 1e-14 * np.trace(covariance) * np.eye(len(order)))
    psi = fit.psi.copy()
    psi[k + reordered[reordered >= 0]] = factor[reordered >= 0]
    best = maximise(marginal, psi)
    return marginal, best.point.psi, inverse_information(best.information), k + int(reordered[0, 0])


def _dense(template: NDArray[np.intp], order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Template of the reordered effects: entries between effects of the same term, numbered anew."""
    q = len(order)
    linked = template >= 0
    linked = linked | linked.T
    numbers = iter(sorted(template[template >= 0].tolist()))
    found = np.full((q, q), -1, dtype=np.intp)
    for j in range(q):
        for i in range(j, q):
            if linked[order[i], order[j]]:
                found[i, j] = next(numbers)
    return found


def _limit(
    marginal: Marginal, best: MarginalPoint, V: FloatArray, j: int, quantile: float, least: float = -np.inf
) -> float:
    """Value of parameter j at which the signed root of twice the fall is `quantile`."""
    centre, se = best.psi[j], float(np.sqrt(V[j, j]))
    free = [m for m in range(len(best.psi)) if m != j]
    slope = V[:, j] / V[j, j]
    sign = float(np.sign(quantile))
    inside, outside = centre, sign * np.inf if sign > 0 else least
    value = centre + quantile * se
    if value <= least:
        value = 0.5 * (centre + least)
    here = best
    for _ in range(STEPS):
        start = here.psi + slope * (value - here.psi[j])
        here = maximise(marginal, start, free=free, modes=here.modes).point
        root = sign * np.sqrt(max(2.0 * (best.value - here.value), 0.0))
        if abs(root) < abs(quantile):
            inside = value
        else:
            outside = value
        change = (quantile - root) * (-root / here.gradient[j] if here.gradient[j] != 0.0 and root != 0.0 else se)
        if abs(change) <= TOLERANCE * se:
            return float(value + change)
        value = _between(value + change, inside, outside)
    return float(value)


def _between(value: float, inside: float, outside: float) -> float:
    """The next value, kept between what is inside and what is outside the limits."""
    low, high = min(inside, outside), max(inside, outside)
    if low < value < high:
        return value
    if not np.isfinite(outside):
        return value
    return 0.5 * (inside + outside)
