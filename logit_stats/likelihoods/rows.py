"""Row-wise quantities of the logit: probabilities, weights, residuals, log-likelihood terms.

All are written in e = exp(-|eta|), so that no finite linear predictor overflows and nothing near 0 or 1 cancels: the
residual of a success at eta = 40 is exp(-40), not 1 - 1.
"""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

from logit_stats.design.block import FloatArray


def probability(eta: FloatArray) -> FloatArray:
    """Probability of success, 1 / (1 + exp(-eta)): (n,)."""
    e = np.exp(-np.abs(eta))
    return np.asarray(np.where(eta >= 0, 1.0, e) / (1.0 + e))


def variance(eta: FloatArray) -> FloatArray:
    """Bernoulli variance p (1 - p), which is also dp/deta: (n,)."""
    e = np.exp(-np.abs(eta))
    return np.asarray(e / (1.0 + e) ** 2)


def variance_and_slope(eta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bernoulli variance p (1 - p) and its derivative p (1 - p) (1 - 2 p), from one exponential: (n,) each."""
    e = np.abs(eta)
    np.negative(e, out=e)
    np.exp(e, out=e)
    likelier = 1.0 / (1.0 + e)
    slope = 1.0 - e
    e *= likelier
    e *= likelier
    slope *= likelier
    slope *= e
    return e, np.copysign(slope, -eta)


def score_residual(eta: FloatArray, successes: FloatArray, trials: FloatArray | None) -> FloatArray:
    """Successes minus expected successes, ``y - m p``, without cancellation in rows of one outcome: (n,)."""
    m = 1.0 if trials is None else trials
    prob, complement = probability(eta), probability(-eta)
    # y - m p = y (1 - p) - (m - y) p
    return np.asarray(successes * complement - (m - successes) * prob)


def loglik_terms(eta: FloatArray, successes: FloatArray, trials: FloatArray | None) -> FloatArray:
    """Log-likelihood of each row without the binomial coefficient, ``y log p + (m - y) log(1 - p)``: (n,)."""
    m = 1.0 if trials is None else trials
    log1p_e = np.log1p(np.exp(-np.abs(eta)))
    return np.asarray(successes * np.minimum(eta, 0.0) - (m - successes) * np.maximum(eta, 0.0) - m * log1p_e)


def saturated_terms(successes: FloatArray, trials: FloatArray | None) -> FloatArray:
    """Log-likelihood of each row at its own proportion, without the binomial coefficient: (n,), zero for 0/1 rows."""
    if trials is None:
        return np.zeros_like(successes)
    failures = trials - successes
    return np.asarray(xlogy(successes, successes / trials) + xlogy(failures, failures / trials))
