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

import numpy as np

from logit_stats.design.block import Block, FloatArray

TILE_ROWS = 2048


@dataclass(frozen=True, slots=True)
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

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.loglik + other.loglik,
            self.score + other.score,
            self.information + other.information,
            max(self.max_abs_eta, other.max_abs_eta),
        )


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
    scratch = np.empty((k, TILE_ROWS)).T
    for start in range(0, m, TILE_ROWS):
        rows = slice(start, min(start + TILE_ROWS, m))
        Z = working_columns(block.X[rows], center, scale)
        eta = Z @ gamma
        if block.offset is not None:
            eta += block.offset[rows]
        tile_loglik, residual, root_weight, tile_max = _row_terms(block, rows, eta)
        loglik += tile_loglik
        max_abs_eta = max(max_abs_eta, tile_max)
        score += Z.T @ residual
        weighted = np.multiply(Z, root_weight[:, None], out=scratch[: len(eta)])
        information += weighted.T @ weighted
    return Moments(loglik, score, information, max_abs_eta)


def working_columns(X: FloatArray, center: FloatArray | None, scale: FloatArray | None) -> FloatArray:
    """Return ``(X - center) * scale``, X itself where both are None."""
    if center is not None:
        X = X - center
    if scale is not None:
        X = X * scale
    return X


def _row_terms(block: Block, rows: slice, eta: FloatArray) -> tuple[float, FloatArray, FloatArray, float]:
    """Log-likelihood, score residual, square root of the information weight and largest |eta| of a tile.

    With e = exp(-|eta|) the probability of the likelier outcome is 1/(1+e) and of the other e/(1+e): no overflow and
    no cancellation for any finite eta.
    """
    y = block.successes[rows]
    absolute = np.abs(eta)
    e = np.exp(-absolute)
    likelier = 1.0 / (1.0 + e)
    prob = np.where(eta >= 0.0, likelier, e * likelier)
    variance_root = np.sqrt(e) * likelier
    # log p = min(eta, 0) - log1p(e) and log(1-p) = min(-eta, 0) - log1p(e)
    log1p_e = np.log1p(e)
    trials = 1.0 if block.trials is None else block.trials[rows]
    terms = y * np.minimum(eta, 0.0) - (trials - y) * np.maximum(eta, 0.0) - trials * log1p_e
    residual = y - trials * prob
    # where p is within rounding of 1 the difference y - p must keep its digits: for all-success rows it is the
    # probability of failure, computed directly
    full = (eta > 0.0) & (y == trials)
    residual[full] = (trials * (e * likelier))[full] if block.trials is not None else (e * likelier)[full]
    if block.trials is not None:
        variance_root = variance_root * np.sqrt(trials)
    if block.weight is not None:
        weight = block.weight[rows]
        terms = terms * weight
        residual = residual * weight
        variance_root = variance_root * np.sqrt(weight)
    return float(terms.sum()), residual, variance_root, float(absolute.max(initial=0.0))
