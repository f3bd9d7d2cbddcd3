"""What sandwich covariances take from the rows: score residuals, leverages, and their sums. Vectors of n, never n x k."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import Block, FloatArray
from logit_stats.estimation.category_moments import category_predictor, category_terms
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.kernel import row_terms, weighted_gram
from logit_stats.estimation.likelihood import TALL_ROWS


def score_residuals(fit: Fit, weighted: bool = True) -> FloatArray:
    """(n,) ``y - m p``, times the weight of the row where `weighted`: row i's score is this times z_i.

    For a response of several categories (J, n), a row for each equation.
    """
    if fit.design.response.categories is not None:
        u = _category_residuals(fit)
        return u if fit.design.weight is None or not weighted else u * fit.design.weight.values
    _, u, _, _ = row_terms(_unweighted(fit), fit.eta)
    return u if fit.design.weight is None or not weighted else u * fit.design.weight.values


def _category_residuals(fit: Fit) -> FloatArray:
    u = np.empty((fit.design.equations, fit.design.rows))
    start = 0
    for block in fit.design.blocks(TALL_ROWS):
        eta = category_predictor(block.X, fit.gamma, fit.working.center, fit.working.scale)
        u[:, start : start + eta.shape[1]] = category_terms(eta, block.category, block.categories).residual
        start += eta.shape[1]
    return u


def information_weights(fit: Fit) -> FloatArray:
    """(n,) ``m p (1 - p)``, without frequency or sampling weights."""
    return row_terms(_unweighted(fit), fit.eta)[2]


def _unweighted(fit: Fit) -> Block:
    return replace(fit.design.block, weight=None)


def leverages(fit: Fit) -> FloatArray:
    """(n,) ``w_i z_i' V z_i``; sampling weights are part of w, a frequency weight counts rows of the same leverage."""
    root = np.ascontiguousarray(fit.covariance_root.T)
    form = np.empty(fit.design.rows)
    start = 0
    for block in fit.design.blocks(TALL_ROWS):
        half = root @ fit.working.columns(block.X).T
        np.square(half, out=half).sum(axis=0, out=form[start : start + half.shape[1]])
        start += half.shape[1]
    weight = information_weights(fit)
    if fit.design.weight_kind == "sampling" and fit.design.weight is not None:
        weight *= fit.design.weight.values
    form *= weight
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
    return total.reshape(fit.parameters, fit.parameters)


def sums_by_code(fit: Fit, codes: NDArray[np.intp], count: int, u: FloatArray) -> FloatArray:
    """(k, count) sums of the scores ``u_i z_i`` by code."""
    if u.ndim == 2:
        return np.vstack([sums_by_code(fit, codes, count, of_equation) for of_equation in u])
    sums = np.empty((fit.design.columns, count))
    for j in range(fit.design.columns):
        center = None if fit.working.center is None else fit.working.center[j]
        z = fit.design.X[:, j]
        if center is not None and center != 0.0:
            z = z - center
        scale = 1.0 if fit.working.scale is None else float(fit.working.scale[j])
        sums[j] = scale * np.bincount(codes, weights=u * z, minlength=count)
    return sums
