"""What a row with several linear predictors owes to itself: leverages, and its score with its own part of the fit taken out.

With u_i the derivatives of row i's log-likelihood by its E predictors, W_i (E, E) the weights of its information, and
G_i = Z_i V Z_i' the covariance of its predictors (Z_i the row's columns in every equation), the leverage is the trace of W_i G_i,
and the coefficients move in one step by ``V Z_i' x_i`` where the row comes in,

    x_i = (I - W_i G_i)^-1 u_i,

since ``(V^-1 - Z_i' W_i Z_i)^-1 Z_i' = V Z_i' (I - W_i G_i)^-1`` (Lesaffre and Albert 1989, Applied Statistics 38, 425-440). HC3
is made of these. HC2 takes ``(I - W_i G_i)^(-1/2) u_i``, whose variance is W_i where the model holds: Bell and McCaffrey's (2002)
correction of a cluster, the row being one with E outcomes. For one equation both are the well-known division by 1 - h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS

# What is left of one, where a row is fitted perfectly, is rounding.
FITTED_PERFECTLY = 1e-8


@dataclass(frozen=True, eq=False)
class RowBlocks:
    """Of every row; weights are left out, but sampling weights count in leverages and in `without`.

    Attributes
    ----------
    leverage : (n,)
        Trace of ``W G``: the leverages sum to the number of coefficients (frequency weights counted).
    left : (n,)
        Least eigenvalue of ``I - W G``: zero where the row has a coefficient of its own.
    without : (E, n)
        ``(I - W G)^-1 u``, NaN where nothing is left.
    standardized : (E, n)
        ``(I - W G)^(-1/2) u``.
    length : (n,)
        ``x' G x`` of `without`: the squared distance that the coefficients move, in the metric of the information.
    """

    leverage: FloatArray
    left: FloatArray
    without: FloatArray
    standardized: FloatArray
    length: FloatArray


def row_blocks(fit: Fit) -> RowBlocks:
    """Leverages and scores of all rows of a fit with several equations."""
    parts, eta, start = [], fit.eta.T, 0
    sampling = fit.design.weight_kind == "sampling"
    roots = np.array([fit.design.parameters.table(column) for column in fit.covariance_root.T])
    for block in fit.design.blocks(TALL_ROWS):
        rows = slice(start, start + len(block.successes))
        parts.append(_of_block(fit, block, eta[:, rows], roots, sampling))
        start = rows.stop
    joined = (np.concatenate(part, axis=-1) for part in zip(*parts, strict=True))
    return RowBlocks(*joined)


def _of_block(fit: Fit, block: Block, eta: FloatArray, roots: FloatArray, sampling: bool) -> tuple[FloatArray, ...]:
    terms, E = fit.likelihood.terms(block, eta), len(eta)
    W = np.array([[terms.weight(e, f) for f in range(E)] for e in range(E)]).transpose(2, 0, 1)
    u = terms.residual.T
    if sampling and block.weight is not None:
        W, u = W * block.weight[:, None, None], u * block.weight[:, None]
    L = np.einsum("rek,mk->mer", roots, np.asarray(fit.working.columns(block.X)))
    G = L @ L.transpose(0, 2, 1)
    R, inverse = _roots(W)
    values, vectors = np.linalg.eigh(R @ G @ R)
    left = 1.0 - values
    kept = np.where(left > FITTED_PERFECTLY, left, np.nan)
    turned = np.einsum("mij,mi->mj", vectors, np.einsum("mij,mj->mi", inverse, u))
    x, half = (np.einsum("mij,mj->mi", R @ vectors, turned / kept**power) for power in (1.0, 0.5))
    return values.sum(axis=1), left.min(axis=1), x.T, half.T, np.einsum("mi,mij,mj->m", x, G, x)


def _roots(W: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Symmetric square roots (m, E, E) and their inverses, without the directions in which there is no weight."""
    values, vectors = np.linalg.eigh(W)
    some = values > 1e-14 * values.max(axis=1, keepdims=True)
    root = np.sqrt(np.where(some, values, 0.0))
    back = np.divide(1.0, root, out=np.zeros_like(root), where=some)
    return tuple((vectors * size[:, None, :]) @ vectors.transpose(0, 2, 1) for size in (root, back))


def moved_without(fit: Fit, blocks: RowBlocks) -> FloatArray:
    """(n, p) coefficients minus those without the row (one of identical rows), in one step."""
    to_user = fit.covariance_working @ fit.working.matrix(fit.parameters).T
    moved, start = np.empty((fit.design.rows, fit.parameters)), 0
    for block in fit.design.blocks(TALL_ROWS):
        rows = slice(start, start + len(block.successes))
        Z = np.asarray(fit.working.columns(block.X))
        scores = fit.design.parameters.gathered(blocks.without.T[rows, :, None] * Z[:, None, :])
        moved[rows], start = scores @ to_user, rows.stop
    return moved
