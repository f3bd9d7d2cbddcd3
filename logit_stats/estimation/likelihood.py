"""The seam between the rows and everything that sums over them: moments and triangular factors of a design."""

from __future__ import annotations

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.likelihoods.absorbed import AbsorbedEffects
from logit_stats.likelihoods.conditional import Conditional
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
    return float(np.abs(likelihood_of(design).linear_predictor(design, gamma, working, offset=False)).max(initial=0.0))


def triangular_factor(design: Design, working: WorkingColumns, gamma: FloatArray | None = None) -> FloatArray:
    """R of a QR factorisation of the working columns, or with `gamma` of the weighted ones: (k, k) upper triangular.

    Frequency weights count as that many rows.

    R'R is the (weighted) Gram matrix, but R keeps the digits that squaring loses (Golub and Van Loan 2013, Matrix
    Computations, section 5.3). Rows are walked in tiles, each stacked under the R so far.
    """
    k = design.columns if gamma is None else len(gamma)
    R, model = np.zeros((0, k)), likelihood_of(design)
    if gamma is not None and isinstance(model, Conditional | AbsorbedEffects):
        for part in model.roots(design, gamma, working):
            R = np.asarray(np.linalg.qr(np.vstack([R, part]), mode="r"))
        return R if R.shape[0] == k else np.vstack([R, np.zeros((k - R.shape[0], k))])
    for block in design.blocks(TALL_ROWS):
        Z = working_columns(block.X, working.center, working.scale)
        if gamma is not None:
            Z = model.root(block, Z, gamma, design.parameters)
        elif design.weight_kind == "frequency" and block.weight is not None:
            Z = Z * np.sqrt(block.weight)[:, None]
        R = np.asarray(np.linalg.qr(np.vstack([R, Z]), mode="r"))
    return R if R.shape[0] == k else np.vstack([R, np.zeros((k - R.shape[0], k))])
