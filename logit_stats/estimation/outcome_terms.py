"""What one row adds to a log-likelihood, for real and for complex linear predictors.

Second derivatives of a marginal likelihood are taken by the complex step: the derivative of an analytic function is the
imaginary part of its value a tiny imaginary step away, exact to rounding (Squire and Trapp 1998, SIAM Review 40, 110-112).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Real numbers, or complex ones on their way to a derivative.
Numbers = NDArray[Any]


class RowTerms(NamedTuple):
    """Log-likelihood (no binomial coefficient) of s successes in m trials, and minus its derivatives by eta.

    Attributes
    ----------
    loglik : s eta - m log(1 + exp(eta))
    residual : s - m p
    weight : m p (1 - p)
    slope : derivative of the weight, m p (1 - p) (1 - 2 p)
    """

    loglik: Numbers
    residual: Numbers
    weight: Numbers
    slope: Numbers


def _tails(eta: Numbers) -> tuple[Numbers, Numbers, Numbers, Any]:
    positive = eta.real > 0.0
    e = np.exp(np.where(positive, -eta, eta))
    near, far = 1.0 / (1.0 + e), e / (1.0 + e)
    return e, np.where(positive, near, far), np.where(positive, far, near), positive


def row_terms(eta: Numbers, successes: Numbers, trials: Numbers) -> RowTerms:
    """All terms of rows."""
    e, p, q, positive = _tails(eta)
    loglik = successes * eta - trials * (np.where(positive, eta, 0.0) + np.log1p(e))
    weight = trials * p * q
    return RowTerms(loglik, successes - trials * p, weight, weight * (q - p))


def loglik_and_residual(eta: Numbers, successes: Numbers, trials: Numbers) -> tuple[Numbers, Numbers]:
    """The first two of `row_terms`, for many predictors of a row: eta (n, K), the rest (n, 1)."""
    e, p, _, positive = _tails(eta)
    return successes * eta - trials * (np.where(positive, eta, 0.0) + np.log1p(e)), successes - trials * p


def damping(change: Numbers) -> Numbers:
    """Length of a Newton step that changes linear predictors by `change` at most, with which the likelihood cannot fall.

    The logistic loss is generalised self-concordant; ``log(1 + d) / d`` is the step that its bound allows (Sun and
    Tran-Dinh 2019, Mathematical Programming 178, 145-213, theorem 2). It tends to one as the steps become small.
    """
    safe = np.maximum(change, 1e-12)
    return np.asarray(np.log1p(safe) / safe)
