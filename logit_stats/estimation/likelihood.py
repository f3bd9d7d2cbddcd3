"""The seam between the rows and everything that sums over them: moments and triangular factors of a design."""

from __future__ import annotations

from functools import partial

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.coded import coded
from logit_stats.design.design import Design
from logit_stats.estimation.category_moments import (
    category_block_moments,
    category_block_score,
    category_predictor,
    category_root,
)
from logit_stats.estimation.kernel import available, fast_moments, fast_score, kernel_moments, kernel_score
from logit_stats.estimation.kernel import linear_predictor as rows_predictor
from logit_stats.estimation.moments import Moments, Score, working_columns
from logit_stats.estimation.working import WorkingColumns

TALL_ROWS = 4096
# A design so small goes to the kernel at once: asking for blocks, ranges and threads would take longer than the sums.
SMALL_ROWS = 1024
SMALL_COLUMNS = 100


def moments(design: Design, gamma: FloatArray, working: WorkingColumns) -> Moments:
    """Log-likelihood, score and information at the working coefficients `gamma`, summed over all rows."""
    if design.response.categories is not None:
        with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
            return design.reduce(
                partial(category_block_moments, gamma=gamma, center=working.center, scale=working.scale)
            )
    if _small(design):
        return kernel_moments(design.block, gamma, working.center, working.scale)
    with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
        return design.reduce(partial(fast_moments, gamma=gamma, center=working.center, scale=working.scale), rows=None)


def score(design: Design, gamma: FloatArray, working: WorkingColumns) -> Score:
    """Log-likelihood and score at the working coefficients `gamma`, without the information."""
    if _small(design):
        return kernel_score(design.block, gamma, working.center, working.scale)
    function = fast_score if design.response.categories is None else category_block_score
    with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
        return design.reduce(partial(function, gamma=gamma, center=working.center, scale=working.scale), rows=None)


def _small(design: Design) -> bool:
    plain = design.response.categories is None and coded(design.X) is None
    return plain and design.rows <= SMALL_ROWS and design.columns <= SMALL_COLUMNS and available()


def linear_predictor(design: Design, gamma: FloatArray, working: WorkingColumns) -> FloatArray:
    """Linear predictor ``offset + Z gamma`` of every row, computed in the working columns: (n,).

    For several categories (n, J), a column for each equation.
    """
    block = design.block
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        if design.response.categories is not None:
            parts = [
                category_predictor(part.X, gamma, working.center, working.scale) for part in design.blocks(TALL_ROWS)
            ]
            return np.hstack(parts).T
        return rows_predictor(block.X, gamma, block.offset, working.center, working.scale)


def largest_predictor(design: Design, gamma: FloatArray, working: WorkingColumns) -> float:
    """Largest absolute linear predictor, the offset left out."""
    if design.response.categories is not None:
        return float(np.abs(linear_predictor(design, gamma, working)).max(initial=0.0))
    return float(np.abs(rows_predictor(design.block.X, gamma, None, working.center, working.scale)).max(initial=0.0))


def triangular_factor(design: Design, working: WorkingColumns, gamma: FloatArray | None = None) -> FloatArray:
    """R of a QR factorisation of the working columns, or with `gamma` of the weighted ones: (k, k) upper triangular.

    Frequency weights count as that many rows.

    R'R is the (weighted) Gram matrix, but R keeps the digits that squaring loses (Golub and Van Loan 2013, Matrix
    Computations, section 5.3). Rows are walked in tiles, each stacked under the R so far.
    """
    k = design.columns if gamma is None else len(gamma)
    R = np.zeros((0, k))
    for block in design.blocks(TALL_ROWS):
        Z = working_columns(block.X, working.center, working.scale)
        if gamma is not None and block.categories:
            Z = category_root(block, Z, gamma)
        elif gamma is not None:
            Z = Z * _root_weight(block, Z, gamma)[:, None]
        elif design.weight_kind == "frequency" and block.weight is not None:
            Z = Z * np.sqrt(block.weight)[:, None]
        R = np.asarray(np.linalg.qr(np.vstack([R, Z]), mode="r"))
    return R if R.shape[0] == k else np.vstack([R, np.zeros((k - R.shape[0], k))])


def _root_weight(block: Block, Z: FloatArray, gamma: FloatArray) -> FloatArray:
    """Square root of the information weight a m p (1 - p)."""
    eta = Z @ gamma
    if block.offset is not None:
        eta += block.offset
    e = np.exp(-np.abs(eta))
    root: FloatArray = np.sqrt(e) / (1.0 + e)
    if block.trials is not None:
        root *= np.sqrt(block.trials)
    if block.weight is not None:
        root *= np.sqrt(block.weight)
    return root
