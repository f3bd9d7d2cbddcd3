"""The seam between the rows and everything that sums over them: moments and triangular factors of a design."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.likelihoods.likelihood import TALL_ROWS as TALL_ROWS  # noqa: PLC0414
from logit_stats.likelihoods.moments import Moments, Score, working_columns
from logit_stats.likelihoods.of_design import likelihood_of
from logit_stats.likelihoods.working import WorkingColumns


def moments(design: Design, gamma: FloatArray, working: WorkingColumns) -> Moments:
    """Log-likelihood, score and information at the working coefficients `gamma`, summed over all rows."""
    return likelihood_of(design).moments(design, gamma, working)


def score(design: Design, gamma: FloatArray, working: WorkingColumns) -> Score:
    """Log-likelihood and score at the working coefficients `gamma`, without the information."""
    return likelihood_of(design).score(design, gamma, working)


def linear_predictor(design: Design, gamma: FloatArray, working: WorkingColumns) -> FloatArray:
    """Linear predictor ``offset + Z gamma`` of every row, computed in the working columns: (n,).

    For several equations (n, E), a column for each.
    """
    return likelihood_of(design).linear_predictor(design, gamma, working)


def largest_predictor(design: Design, gamma: FloatArray, working: WorkingColumns) -> float:
    """Largest absolute linear predictor, the offset left out."""
    if not design.in_memory:
        return design.largest(lambda part: largest_predictor(part, gamma, working))
    return float(np.abs(likelihood_of(design).linear_predictor(design, gamma, working, offset=False)).max(initial=0.0))


def triangular_factor(design: Design, working: WorkingColumns, gamma: FloatArray | None = None) -> FloatArray:
    """R of a QR factorisation of the working columns, or with `gamma` of the weighted ones: (k, k) upper triangular.

    Frequency weights count as that many rows.

    R'R is the (weighted) Gram matrix, but R keeps the digits that squaring loses (Golub and Van Loan 2013, Matrix
    Computations, section 5.3). Rows are walked in tiles, each stacked under the R so far.
    """
    k = design.columns if gamma is None else len(gamma)
    R = np.zeros((0, k))
    for part in _columns(design, working) if gamma is None else likelihood_of(design).roots(design, gamma, working):
        R = np.asarray(np.linalg.qr(np.vstack([R, part]), mode="r"))
    return R if R.shape[0] == k else np.vstack([R, np.zeros((k - R.shape[0], k))])


def _columns(design: Design, working: WorkingColumns) -> Iterator[FloatArray]:
    """Working columns in parts, each row times the root of its frequency weight."""
    for block in design.blocks(TALL_ROWS):
        Z = np.asarray(working_columns(block.X, working.center, working.scale))
        frequency = block.weight if design.weight_kind == "frequency" else None
        yield Z if frequency is None else Z * np.sqrt(frequency)[:, None]
