"""What sandwich covariances take from the rows: score residuals, leverages, and their sums. Vectors of n, never n x k."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import Block, FloatArray
from logit_stats.estimation import row_passes
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.row_passes import quadratic_form
from logit_stats.likelihoods.kernel import row_terms, weighted_gram

# Most sums by code (codes times coefficients) that are held at a time: 128 MiB.
SUMS = 1 << 24


def score_residuals(fit: Fit, weighted: bool = True) -> FloatArray:
    """(n,) ``y - m p``, times the weight of the row where `weighted`: row i's score is this times z_i.

    For a response of several categories (J, n), a row for each equation.
    """
    u = fit.likelihood.residuals(fit.design, fit.eta)
    return u if fit.design.weight is None or not weighted else u * fit.design.weight.values


def information_weights(fit: Fit) -> FloatArray:
    """(n,) ``m p (1 - p)``, without frequency or sampling weights."""
    return residuals_and_weights(fit)[1]


def residuals_and_weights(fit: Fit, eta: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """(n,) ``y - m p`` and ``m p (1 - p)``, without frequency or sampling weights, in one pass.

    `eta` is the linear predictor, where that is known already.
    """
    _, u, weight, _ = row_terms(_unweighted(fit), fit.eta if eta is None else eta)
    return u, weight


def _unweighted(fit: Fit) -> Block:
    return replace(fit.design.block, weight=None)


def leverages(fit: Fit, weight: FloatArray | None = None) -> FloatArray:
    """(n,) ``w_i z_i' V z_i``; sampling weights are part of w, a frequency weight counts rows of the same leverage.

    `weight` is `information_weights`, where these are known already.
    """
    form = quadratic_form(fit.design.X, fit.covariance_root, fit.working.center, fit.working.scale)
    form *= information_weights(fit) if weight is None else weight
    if fit.design.weight_kind == "sampling" and fit.design.weight is not None:
        form *= fit.design.weight.values
    return form


def gram(fit: Fit, weight: FloatArray) -> FloatArray:
    """(k, k) ``Z' diag(weight) Z`` of the working columns."""
    return weighted_gram(fit.design.X, weight, fit.working.center, fit.working.scale)


def score_gram(fit: Fit, u: FloatArray, factor: FloatArray | float = 1.0) -> FloatArray:
    """(k, k) sum over rows of the squared scores ``u_i z_i``, each times its factor."""
    if u.ndim == 1:
        return gram(fit, u**2 * factor)
    k = fit.design.columns
    total = np.empty((len(u), k, len(u), k))
    for e in range(len(u)):
        for f in range(e + 1):
            total[e, :, f, :] = total[f, :, e, :] = gram(fit, u[e] * u[f] * factor)
    return fit.design.parameters.gathered_twice(total)


def sums_by_code(fit: Fit, codes: NDArray[np.intp], count: int, u: FloatArray) -> FloatArray:
    """(k, count) sums of the scores ``u_i z_i`` by code."""
    if u.ndim == 2:
        return _of_parameters(fit, [sums_by_code(fit, codes, count, of_equation) for of_equation in u])
    return row_passes.sums_by_code(fit.design.X, codes, count, u, fit.working.center, fit.working.scale).T


def meat_by_code(
    fit: Fit, codes: NDArray[np.intp], count: int, u: FloatArray, factor: FloatArray | None = None
) -> FloatArray:
    """(k, k) sum over codes of the squares of the scores' sums, each times its factor (count,).

    There are never more than `SUMS` of these sums at a time.
    """
    factor = np.ones(count) if factor is None else factor
    at_a_time = max(SUMS // fit.parameters, 1)
    if count <= at_a_time:
        sums = sums_by_code(fit, codes, count, u)
        return np.asarray((sums * factor) @ sums.T)
    # rows of the same range of codes together, in their order
    order = np.argsort(codes, kind="stable")
    firsts = list(range(0, count, at_a_time))
    bounds = np.searchsorted(codes[order], [*firsts, count]).tolist()
    total = np.zeros((fit.parameters, fit.parameters))
    for first, start, stop in zip(firsts, bounds, bounds[1:], strict=False):
        sums = np.zeros((fit.parameters, min(at_a_time, count - first)))
        for begin in range(start, stop, at_a_time):
            rows = order[begin : min(begin + at_a_time, stop)]
            sums += _sums_of_rows(fit, rows, codes[rows] - first, sums.shape[1], u[..., rows])
        total += (sums * factor[first : first + sums.shape[1]]) @ sums.T
    return total


def _sums_of_rows(fit: Fit, rows: NDArray[np.intp], codes: NDArray[np.intp], count: int, u: FloatArray) -> FloatArray:
    """(k, count) sums of the scores of some rows by code; `u` is that of these rows."""
    if u.ndim == 2:
        return _of_parameters(fit, [_sums_of_rows(fit, rows, codes, count, of_equation) for of_equation in u])
    return row_passes.sums_by_code(fit.design.X[rows], codes, count, u, fit.working.center, fit.working.scale).T


def _of_parameters(fit: Fit, of_equations: list[FloatArray]) -> FloatArray:
    """(p, count) sums of scores, from those (k, count) of every equation."""
    return fit.design.parameters.gathered(np.stack(of_equations).transpose(2, 0, 1)).T
