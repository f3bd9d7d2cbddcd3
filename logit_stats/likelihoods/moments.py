"""The moments of a block of rows: log-likelihood, score and information of the binomial logit model.

For row i with successes y_i out of m_i trials, weight a_i and linear predictor eta_i = x_i'beta + offset_i,
p_i = 1 / (1 + exp(-eta_i)) (McCullagh and Nelder 1989, Generalized Linear Models, sections 4.3-4.4):

    loglik      = sum a_i [ y_i log p_i + (m_i - y_i) log(1 - p_i) ]        (binomial coefficients left out)
    score       = sum a_i (y_i - m_i p_i) z_i
    information = sum a_i m_i p_i (1 - p_i) z_i z_i'

where z_i = (x_i - center) * scale is the row in the solver's working columns and eta_i = offset_i + z_i'gamma.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky

# A tile's working columns, weighted columns and row terms stay in cache; measured best of 512 ... 16384 for k = 10 to 50.
TILE_ROWS = 8192
# Rows whose factors 1 + e are multiplied before one logarithm is taken: each factor is at most 2, so 2^64 at most.
LOG_ROWS = 64


@dataclass(frozen=True)
class Moments:
    """Sums over rows at one coefficient vector.

    Attributes
    ----------
    loglik : float
        Log-likelihood without binomial coefficients.
    score : (k,)
        Gradient of the log-likelihood.
    information : (k, k)
        Expected (for the logit: also observed) information.
    max_abs_eta : float
        Largest absolute linear predictor: says how near the fit is to a probability of 0 or 1.
    """

    loglik: float
    score: FloatArray
    information: FloatArray
    max_abs_eta: float

    @cached_property
    def factor(self) -> EquilibratedCholesky:
        """Cholesky factor of the information."""
        return EquilibratedCholesky(self.information)

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.loglik + other.loglik,
            self.score + other.score,
            self.information + other.information,
            max(self.max_abs_eta, other.max_abs_eta),
        )


@dataclass(frozen=True, slots=True)
class Score:
    """Log-likelihood, its gradient and the largest absolute linear predictor: moments without the information."""

    loglik: float
    score: FloatArray
    max_abs_eta: float

    def __add__(self, other: Score) -> Score:
        return Score(self.loglik + other.loglik, self.score + other.score, max(self.max_abs_eta, other.max_abs_eta))


def block_moments(
    block: Block, gamma: FloatArray, center: FloatArray | None = None, scale: FloatArray | None = None
) -> Moments:
    """Moments of one block at working coefficients `gamma`; the NumPy reference.

    Rows are walked in tiles that stay in cache: nothing of the size of the block is allocated.

    Parameters
    ----------
    block : Block
        m rows of k columns.
    gamma : (k,)
        Coefficients of the working columns.
    center, scale : (k,) or None
        Working columns are ``(X - center) * scale``; None leaves X as it is.

    Returns
    -------
    Moments
    """
    m, k = block.X.shape
    loglik = 0.0
    score = np.zeros(k)
    information = np.zeros((k, k))
    max_abs_eta = 0.0
    # the scratch has the memory order of the columns: a product of arrays of unlike order is several times slower
    row_major = abs(block.X.strides[0]) > abs(block.X.strides[1])
    rows_at_once = min(m, TILE_ROWS)
    scratch = np.empty((rows_at_once, k)) if row_major else np.empty((k, rows_at_once)).T
    row_terms = _binary_row_terms if block.trials is None else _grouped_row_terms
    for start in range(0, m, TILE_ROWS):
        rows = slice(start, min(start + TILE_ROWS, m))
        Z = working_columns(block.X[rows], center, scale)
        eta = Z @ gamma
        if block.offset is not None:
            eta += block.offset[rows]
        tile_loglik, residual, root_weight, tile_max = row_terms(block, rows, eta)
        loglik += tile_loglik
        max_abs_eta = max(max_abs_eta, tile_max)
        score += Z.T @ residual
        weighted = np.multiply(Z, root_weight[:, None], out=scratch[: len(eta)])
        information += weighted.T @ weighted
    return Moments(loglik, score, information, max_abs_eta)


def block_row_terms(block: Block, eta: FloatArray) -> tuple[float, FloatArray, FloatArray, float]:
    """Log-likelihood, score residual and information weight of every row, and the largest |eta|; the NumPy reference."""
    terms = _binary_row_terms if block.trials is None else _grouped_row_terms
    residual, weight = np.empty(len(eta)), np.empty(len(eta))
    loglik = max_abs_eta = 0.0
    for start in range(0, len(eta), TILE_ROWS):
        rows = slice(start, start + TILE_ROWS)
        tile_loglik, residual[rows], root_weight, tile_max = terms(block, rows, eta[rows])
        weight[rows] = root_weight**2
        loglik += tile_loglik
        max_abs_eta = max(max_abs_eta, tile_max)
    return loglik, residual, weight, max_abs_eta


def working_columns(X: FloatArray, center: FloatArray | None, scale: FloatArray | None) -> FloatArray:
    """Return ``(X - center) * scale``, X itself where both are None."""
    if center is not None:
        X = X - center
    if scale is not None:
        X = X * scale
    return X


RowTerms = tuple[float, FloatArray, FloatArray, float]


def _binary_row_terms(block: Block, rows: slice, eta: FloatArray) -> RowTerms:
    """Log-likelihood, score residual, square root of the information weight and largest |eta| of a tile of 0/1 rows.

    With t = eta for a success and -eta for a failure, the outcome had probability 1/(1+exp(-t)). In e = exp(-|t|) nothing
    overflows, and the probability of the other outcome, which is the residual, loses no digit however small it is.
    """
    sign = 2.0 * block.successes[rows] - 1.0
    t = sign * eta
    absolute = np.abs(t)
    e = np.exp(-absolute)
    likelier = 1.0 / (1.0 + e)
    missed = np.where(t >= 0.0, e, 1.0)
    missed *= likelier
    residual = np.multiply(sign, missed, out=sign)
    root_weight = np.sqrt(e)
    root_weight *= likelier
    if block.weight is None:
        loglik = float(np.minimum(t, 0.0).sum()) - _sum_log1p(e)
    else:
        weight = block.weight[rows]
        loglik = float(weight @ (np.minimum(t, 0.0) - np.log1p(e)))
        residual *= weight
        root_weight *= np.sqrt(weight)
    return loglik, residual, root_weight, float(absolute.max(initial=0.0))


def _grouped_row_terms(block: Block, rows: slice, eta: FloatArray) -> RowTerms:
    """The same for rows of several trials: y (1 - p) - (m - y) p keeps the digits of rows of one outcome."""
    assert block.trials is not None
    y, trials = block.successes[rows], block.trials[rows]
    absolute = np.abs(eta)
    e = np.exp(-absolute)
    likelier = 1.0 / (1.0 + e)
    positive = eta >= 0.0
    prob = np.where(positive, likelier, e * likelier)
    complement = np.where(positive, e * likelier, likelier)
    residual = y * complement - (trials - y) * prob
    root_weight = np.sqrt(e * trials) * likelier
    terms = y * np.minimum(eta, 0.0) - (trials - y) * np.maximum(eta, 0.0) - trials * np.log1p(e)
    if block.weight is not None:
        weight = block.weight[rows]
        terms *= weight
        residual *= weight
        root_weight *= np.sqrt(weight)
    return float(terms.sum()), residual, root_weight, float(absolute.max(initial=0.0))


def _sum_log1p(e: FloatArray) -> float:
    """Sum of log(1 + e) for 0 <= e <= 1: the logarithm of products of many factors, which costs a quarter of log1p.

    A factor is rounded to half a unit, so the sum is off by 1e-16 a row; where the sum is so small that this would show
    (nearly perfect fits), the terms are summed one by one.
    """
    whole = len(e) - len(e) % LOG_ROWS
    factors = 1.0 + e
    products = np.multiply.reduce(factors[:whole].reshape(LOG_ROWS, -1), axis=0)
    total = float(np.log(products).sum() + np.log(factors[whole:]).sum())
    return total if total > 1e-3 * len(e) else float(np.log1p(e).sum())
