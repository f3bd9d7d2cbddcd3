"""Deviances and log-likelihoods of counts, in forms in which nothing cancels.

The log-likelihood of y successes out of m trials, binomial coefficient included, is by Loader's saddle-point expansion

    log f(y; m, p) = c(y, m) - D / 2,     D / 2 = bd0(y, m p) + bd0(m - y, m (1 - p)),
    c(y, m)        = stirlerr(m) - stirlerr(y) - stirlerr(m - y) + log(m / (2 pi y (m - y))) / 2,

with ``bd0(x, M) = x log(x / M) + M - x`` and stirlerr(n) the error of Stirling's formula for log n! (Loader 2000, Fast and
Accurate Computation of Binomial Probabilities). D is the row's deviance, c its saturated log-likelihood. The textbook's form
subtracts numbers of the size of m log m: of 10¹² trials none of the digits of D that matter would be left.
"""

from __future__ import annotations

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.likelihoods import doubled
from logit_stats.likelihoods.rows import probability, score_residual

# Differences smaller than this share of what is subtracted are computed with twice the digits.
CANCELS = 0.25
# bd0 goes by its series where x and M are as near as 1 : 2, else by its definition, which then loses a digit at most.
NEAR = 0.35
SERIES_TERMS = 20
# From here on Stirling's series, with the terms of `SERIES`, has all digits.
STIRLING = 16.0
SERIES = (691 / 360360, 1 / 1188, 1 / 1680, 1 / 1260, 1 / 360, 1 / 12)


def deviance_terms(eta: FloatArray, successes: FloatArray, trials: FloatArray | None) -> FloatArray:
    """Deviance of each row, twice the log-likelihood that is missing to that of its own proportion: (n,)."""
    if trials is None:
        # log(1 + exp(-eta)) for a success
        wrong = np.where(successes > 0, -eta, eta)
        return np.asarray(2.0 * np.logaddexp(0.0, wrong))
    failures = trials - successes
    with np.errstate(over="ignore", under="ignore"):
        difference = exact_residual(eta, successes, trials)
        one = _bd0(successes, trials * probability(eta), difference, -eta, trials)
        other = _bd0(failures, trials * probability(-eta), -difference, eta, trials)
    return np.asarray(2.0 * (one + other))


def exact_residual(eta: FloatArray, successes: FloatArray, trials: FloatArray) -> FloatArray:
    """``y - m p``, right to the last digits however large m is: (n,).

    With e = exp(-|eta|) it is ``(a e - b) / (1 + e)``, a and b the successes and failures, or for a negative eta the
    negative of that with a and b exchanged.
    """
    residual = score_residual(eta, successes, trials)
    m = np.asarray(trials, dtype=np.float64)
    spread = successes * probability(-eta) + (m - successes) * probability(eta)
    close = np.flatnonzero((np.abs(residual) < CANCELS * spread) & (np.abs(eta) < 700.0))
    if len(close):
        eta, y, f = eta[close], successes[close], (m - successes)[close]
        sign = np.where(eta >= 0, 1.0, -1.0)
        a, b = np.where(eta >= 0, y, f), np.where(eta >= 0, f, y)
        e, low = doubled.exp(-np.abs(eta))
        product = doubled.multiply((e, low), (a, np.zeros_like(a)))
        residual = residual.copy()
        residual[close] = sign * doubled.add(product, (-b, np.zeros_like(b)))[0] / (1.0 + e)
    return residual


def pearson_residual(eta: FloatArray, successes: FloatArray, trials: FloatArray | None) -> FloatArray:
    """``(y - m p) / sqrt(m p (1 - p))``: (n,), finite where every outcome of a row is the same and p underflows."""
    m = np.ones_like(successes) if trials is None else trials
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        one_sided = np.where(successes == m, np.exp(-0.5 * eta), -np.exp(0.5 * eta)) * np.sqrt(m)
        if trials is None:
            return np.asarray(one_sided)
        e = np.exp(-0.5 * np.abs(eta))
        mixed = exact_residual(eta, successes, m) * (1.0 + e * e) / (e * np.sqrt(m))
    return np.asarray(np.where((successes == 0) | (successes == m), one_sided, mixed))


def _bd0(x: FloatArray, mean: FloatArray, difference: FloatArray, eta: FloatArray, trials: FloatArray) -> FloatArray:
    """``x log(x / M) + M - x`` given x - M; eta is that of the complement, for means that are no numbers any more."""
    v = difference / np.maximum(x + mean, np.finfo(np.float64).tiny)
    total = np.zeros_like(v)
    for j in range(SERIES_TERMS, 0, -1):
        total = v * v * (1.0 / (2 * j + 1) + total)
    near = difference * v + 2.0 * x * v * total
    with np.errstate(divide="ignore", invalid="ignore"):
        # log M = log m + log p, and log p = -log(1 + exp(eta)) where p is below the smallest number
        log_ratio = np.log(x / trials) + np.logaddexp(0.0, eta)
        far = np.where(x > 0, x * log_ratio, 0.0) - difference
    return np.where(np.abs(v) < NEAR, near, far)


def stirling_error(n: FloatArray) -> FloatArray:
    """``log n! - log(sqrt(2 pi n) (n / e)^n)`` for n > 0, and 0 for n = 0.

    Examples
    --------
    >>> stirling_error(np.array([1.0, 1e12])).round(16)
    array([8.10614668e-02, 8.33000000e-14])
    """
    n = np.array(n, dtype=np.float64)
    error = np.zeros_like(n)
    for _ in range(int(STIRLING)):
        # from n to n + 1 until the series is good
        low = np.where((n > 0) & (n < STIRLING), n, np.inf)
        step = np.isfinite(low)
        error += np.where(step, (n + 0.5) * np.log1p(1.0 / low) - 1.0, 0.0)
        n = n + step
    inverse = 1.0 / np.maximum(n, STIRLING) ** 2
    series = np.zeros_like(n)
    for coefficient in SERIES:
        series = coefficient - inverse * series
    return np.asarray(error + np.where(n > 0, series * np.sqrt(inverse), 0.0))


def saturated_logliks(successes: FloatArray, trials: FloatArray | None) -> FloatArray:
    """Log-likelihood of each row at its own proportion, binomial coefficient included: (n,), zero for 0/1 rows."""
    if trials is None:
        return np.zeros_like(successes)
    y, f = successes, trials - successes
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = (
            stirling_error(trials) - stirling_error(y) - stirling_error(f)
            + 0.5 * (np.log(trials / (2.0 * np.pi)) - np.log(y) - np.log(f))
        )  # fmt: skip
    return np.asarray(np.where((y > 0) & (f > 0), inside, 0.0))
