"""Probabilities averaged over a normal random effect: ``P(eta, tau) = E Lambda(eta + tau Z)``, Z standard normal.

The integrals are sums over an even grid (the trapezoidal rule), which for analytic integrands that fall off at both ends is
right to rounding: the error is ``exp(-2 pi d / h)`` with step h and d the distance from the real line at which the logistic
function has its poles, pi / tau (Trefethen and Weideman 2014, SIAM Review 56, 385-458, section 5).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from logit_stats.design.block import FloatArray

# Beyond this many standard deviations the normal density is below rounding.
REACH = 8.8
# log of the accuracy wanted, 2e-16, over 2 pi.
STRIP = 36.0 / (2.0 * np.pi)
LARGEST_STEP = 0.4
ROWS = 4096


class Integrated(NamedTuple):
    """P and its derivatives, each (m,): by eta, twice by eta, by tau, by both, and twice by tau."""

    prob: FloatArray
    by_eta: FloatArray
    by_eta2: FloatArray
    by_tau: FloatArray
    by_both: FloatArray
    by_tau2: FloatArray


def integrated(eta: FloatArray, tau: FloatArray) -> Integrated:
    """Average over the random effect.

    Parameters
    ----------
    eta : (m,)
        Linear predictors of the fixed part.
    tau : (m,)
        Standard deviation of what the random effects add.
    """
    eta, tau = np.broadcast_arrays(np.asarray(eta, dtype=np.float64), np.asarray(tau, dtype=np.float64))
    widest = float(np.nanmax(tau, initial=0.0))
    step = min(LARGEST_STEP, np.pi / max(widest, 1e-8) / STRIP)
    half = int(np.ceil(REACH / step))
    z = np.asarray(np.arange(-half, half + 1) * step, dtype=np.float64)
    weight = np.exp(-0.5 * z * z)
    weight /= weight.sum()
    rows = max(1, ROWS * 64 // len(z))
    parts = [_part(eta[i : i + rows], tau[i : i + rows], z, weight) for i in range(0, len(eta), rows)]
    return Integrated(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _part(eta: FloatArray, tau: FloatArray, z: FloatArray, weight: FloatArray) -> tuple[FloatArray, ...]:
    at = eta[:, None] + tau[:, None] * z
    e = np.exp(-np.abs(at))
    far = e / (1.0 + e)
    prob = np.where(at >= 0.0, 1.0 - far, far)
    first = e / (1.0 + e) ** 2
    second = first * (1.0 - 2.0 * prob)
    moments = weight * z
    return prob @ weight, first @ weight, second @ weight, first @ moments, second @ moments, second @ (moments * z)
