"""The conditional likelihood of matched sets: which rows of a set are its cases, given how many there are.

With m cases among the n rows of a set, linear predictors eta_i and S the set of the cases (Breslow and Day 1980, Statistical
Methods in Cancer Research I, section 7.2; Cox and Snell 1989, Analysis of Binary Data, section 2.1.2),

    loglik = sum_{i in S} eta_i - log e_m,      e_m = sum over all choices of m rows of exp(sum of their eta),

where the elementary symmetric function e_m comes from the recursion over rows (Gail, Lubin and Rubinstein 1981, Biometrika 68)

    e(i, j) = e(i-1, j) + exp(eta_i) e(i-1, j-1).

It is kept as a logarithm, so that nothing overflows. The share of the second summand,

    q(i, j) = exp(eta_i) e(i-1, j-1) / e(i, j),

is the probability that row i is picked when j of the first i rows are. So a choice is drawn by walking the table from (n, m)
down to (0, 0), and with pi(i, j) the probability of passing (i, j):

    P(row i is a case) = sum_j pi(i, j) q(i, j)
    information        = sum_ij pi(i, j) q(i, j) (1 - q(i, j)) d_ij d_ij',
    d_ij = x_i + mu(i-1, j-1) - mu(i-1, j),     mu(i, j) = mu(i-1, j) + q(i, j) d_ij,

mu being the mean of the picked rows' sum: the law of total variance, step by step of the walk. Every term is a square with a
positive weight, so nothing cancels, and the d are the rows of a root of the information. Where more than half of the rows are
cases, the others are picked instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.likelihoods.matched_sets import Batch


@dataclass(frozen=True, eq=False)
class Walk:
    """The table of a batch of S sets of n rows, of which up to m are picked.

    Attributes
    ----------
    log_total : (S,)
        Logarithm of e_m.
    picked : (n, S)
        Probability that each row is picked.
    share : (n, m, S)
        q(i, j): probability that row i is picked when j of the first i rows are.
    spread : (n, m, S)
        pi q (1 - q): the weight of each step in the information.
    """

    log_total: FloatArray
    picked: FloatArray
    share: FloatArray
    spread: FloatArray


def walk(eta: FloatArray, batch: Batch) -> Walk:
    """Table of a batch at the linear predictors (n, S) of its rows."""
    signed = -eta if batch.flipped else eta
    if batch.real is not None:
        signed = np.where(batch.real, signed, -np.inf)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        log_total, share, other = _shares(signed, batch)
    return Walk(log_total, *_passed(share, other, batch))


def _shares(eta: FloatArray, batch: Batch) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log e_m, and q and 1 - q of every step."""
    n, sets = eta.shape
    log_e = np.full((int(batch.picks.max()) + 1, sets), -np.inf)
    log_e[0] = 0.0
    share = np.zeros((n, len(log_e) - 1, sets))
    other = np.ones_like(share)
    for i, low, high in _steps(batch):
        before, here = log_e[low - 1 : high], log_e[low : high + 1]
        with_row = eta[i] + before
        odds = np.exp(with_row - here)
        empty = with_row == -np.inf
        share[i, low - 1 : high] = np.where(empty, 0.0, np.where(odds == np.inf, 1.0, odds / (1.0 + odds)))
        other[i, low - 1 : high] = np.where(empty, 1.0, 1.0 / (1.0 + odds))
        log_e[low : high + 1] = np.logaddexp(here, with_row)
    return log_e[batch.picks, np.arange(sets)], share, other


def _passed(share: FloatArray, other: FloatArray, batch: Batch) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Probabilities that rows are picked, q, and pi q (1 - q), walking back from (n, m)."""
    n, m, sets = share.shape
    passing = np.zeros((m + 1, sets))
    passing[batch.picks, np.arange(sets)] = 1.0
    picked = np.zeros((n, sets))
    for i, low, high in reversed(_steps(batch)):
        here = slice(low - 1, high)
        drawn = passing[low : high + 1] * share[i, here]
        picked[i] = drawn.sum(axis=0)
        passing[low : high + 1] *= other[i, here]
        passing[here] += drawn
        other[i, here] *= drawn
        other[i, : here.start] = 0.0
        other[i, here.stop :] = 0.0
    return picked, share, other


def _steps(batch: Batch) -> list[tuple[int, int, int]]:
    """For every row i the j that matter: no more than rows so far, and enough that the rest can be picked."""
    n = len(batch.rows)
    m = int(batch.picks.max())
    sizes = n if batch.real is None else batch.real.sum(axis=0)
    lack = int((batch.picks - sizes).min())
    return [(i, max(1, i + 1 + lack), min(i + 1, m)) for i in range(n) if max(1, i + 1 + lack) <= min(i + 1, m)]


def spread_of_columns(X: FloatArray, table: Walk, batch: Batch, weight: FloatArray | None = None) -> FloatArray:
    """Information of a batch: (k, k).

    Parameters
    ----------
    X : (n, k, S)
        Columns of the batch's rows.
    table : Walk
    batch : Batch
    weight : (S,), optional
        Weight of every set.
    """
    information = np.zeros((X.shape[1], X.shape[1]))
    for d, spread in steps_of_columns(X, table, batch):
        weighted = d * (spread if weight is None else spread * weight)
        information += weighted.reshape(len(d), -1) @ d.reshape(len(d), -1).T
    return information


def steps_of_columns(X: FloatArray, table: Walk, batch: Batch) -> Iterator[tuple[FloatArray, FloatArray]]:
    """For every row i the (k, J, S) differences d_ij and their (J, S) weights."""
    _, k, sets = X.shape
    mean = np.zeros((k, table.share.shape[1] + 1, sets))
    for i, low, high in _steps(batch):
        d = mean[:, low - 1 : high] - mean[:, low : high + 1]
        d += X[i][:, None]
        mean[:, low : high + 1] += table.share[i, low - 1 : high] * d
        yield d, table.spread[i, low - 1 : high]
