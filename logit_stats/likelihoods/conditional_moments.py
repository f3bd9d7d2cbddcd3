"""Log-likelihood, score and information of matched sets: sums over sets of what `conditional_terms` says of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.likelihoods.conditional_terms import Walk, spread_of_columns, steps_of_columns, walk
from logit_stats.likelihoods.matched_sets import Batch, MatchedSets

# Rows of a tile of sets with one case each: its columns and their deviations stay in cache.
TILE_ROWS = 8192


@dataclass(frozen=True, eq=False)
class SetTerms:
    """What the conditional likelihood says of each set and row at some linear predictors.

    Attributes
    ----------
    loglik : (S,)
        Log-likelihood of every set.
    prob : (n,)
        Probability that each row is a case given the number of cases of its set.
    residual : (n,)
        Outcome minus `prob`.
    """

    loglik: FloatArray
    prob: FloatArray
    residual: FloatArray


def set_terms(y: FloatArray, eta: FloatArray, sets: MatchedSets) -> SetTerms:
    """Log-likelihoods of sets and probabilities of rows.

    Parameters
    ----------
    y, eta : (n,)
        Outcome and linear predictor of the rows in set order.
    sets : MatchedSets
    """
    if sets.single:
        return _softmax_terms(y, eta, sets)
    found = SetTerms(np.empty(sets.count), np.empty(len(eta)), np.empty(len(eta)))
    for batch in sets.batches(1):
        _put(found, y, eta, batch, walk(eta[batch.rows], batch))
    return found


def set_moments(
    X: FloatArray, y: FloatArray, eta: FloatArray, sets: MatchedSets, weight: FloatArray | None = None
) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood, score (k,) and information (k, k), observed and expected.

    Parameters
    ----------
    X : (n, k)
        Columns of the rows in set order; what is added to all rows of a set makes no difference.
    y, eta : (n,)
    sets : MatchedSets
    weight : (S,), optional
        Weights of the sets.
    """
    summed = _softmax_sums if sets.single else _walked_sums
    terms, information = summed(X, y, eta, sets, weight)
    residual = terms.residual
    loglik = float(terms.loglik.sum())
    if weight is not None:
        residual = residual * np.repeat(weight, sets.sizes)
        loglik = float(terms.loglik @ weight)
    return loglik, residual @ X, information


def information_root(
    X: FloatArray, eta: FloatArray, sets: MatchedSets, weight: FloatArray | None = None
) -> Iterator[FloatArray]:
    """Rows of a root of the information, in parts (r, k): the sum of their squares is the information."""
    for batch in sets.batches(X.shape[1]):
        table = walk(eta[batch.rows], batch)
        for d, spread in steps_of_columns(_columns(X, batch), table, batch):
            root = np.sqrt(spread if weight is None else spread * weight[batch.sets])
            yield (d * root).reshape(len(d), -1).T


# Sets of any number of cases, by the walk.


def _walked_sums(
    X: FloatArray, y: FloatArray, eta: FloatArray, sets: MatchedSets, weight: FloatArray | None
) -> tuple[SetTerms, FloatArray]:
    found = SetTerms(np.empty(sets.count), np.empty(len(eta)), np.empty(len(eta)))
    information = np.zeros((X.shape[1], X.shape[1]))
    for batch in sets.batches(X.shape[1]):
        table = walk(eta[batch.rows], batch)
        _put(found, y, eta, batch, table)
        of_set = None if weight is None else weight[batch.sets]
        information += spread_of_columns(_columns(X, batch), table, batch, of_set)
    return found, information


def _put(found: SetTerms, y: FloatArray, eta: FloatArray, batch: Batch, table: Walk) -> None:
    """Write what the table of a batch says where its sets and rows stand."""
    outcome, predictor = y[batch.rows], eta[batch.rows]
    observed = (1.0 - outcome) * -predictor if batch.flipped else outcome * predictor
    left = table.picked - (1.0 - outcome) if batch.flipped else outcome - table.picked
    prob = 1.0 - table.picked if batch.flipped else table.picked
    real = np.ones(outcome.shape, dtype=np.bool_) if batch.real is None else batch.real
    found.loglik[batch.sets] = np.where(real, observed, 0.0).sum(axis=0) - table.log_total
    found.prob[batch.rows[real]] = prob[real]
    found.residual[batch.rows[real]] = left[real]


def _columns(X: FloatArray, batch: Batch) -> FloatArray:
    """(n, k, S) columns of a batch, less each set's first row: what is the same in a set is zero, and costs no digit."""
    columns = X[batch.rows.T]
    columns -= columns[:, :1].copy()
    return np.ascontiguousarray(columns.transpose(1, 2, 0))


# One row to pick in every set: its probabilities are a softmax.


def _softmax_terms(y: FloatArray, eta: FloatArray, sets: MatchedSets) -> SetTerms:
    """The same where each set has one row to pick: a case, or the one row that is none."""
    if not sets.count:
        return SetTerms(np.zeros(0), np.zeros(0), np.zeros(0))
    sizes, starts = sets.sizes, sets.starts[:-1]
    case = np.repeat(2 * sets.cases <= sets.sizes, sizes)
    signed = np.where(case, eta, -eta)
    chosen = np.where(case, y, 1.0 - y)
    signed -= np.repeat(np.add.reduceat(chosen * signed, starts), sizes)
    largest = np.maximum.reduceat(signed, starts)
    odds = np.exp(signed - np.repeat(largest, sizes))
    total = np.add.reduceat(odds, starts)
    picked = odds / np.repeat(total, sizes)
    left = np.where(case, chosen - picked, picked - chosen)
    return SetTerms(-(largest + np.log(total)), np.where(case, picked, 1.0 - picked), left)


def _softmax_sums(
    X: FloatArray, y: FloatArray, eta: FloatArray, sets: MatchedSets, weight: FloatArray | None
) -> tuple[SetTerms, FloatArray]:
    terms = _softmax_terms(y, eta, sets)
    information = np.zeros((X.shape[1], X.shape[1]))
    case = 2 * sets.cases <= sets.sizes
    picked = np.where(np.repeat(case, sets.sizes), terms.prob, 1.0 - terms.prob)
    for of_sets, rows in sets.tiles(TILE_ROWS):
        sizes, starts = sets.sizes[of_sets], sets.starts[:-1][of_sets] - rows.start
        root = X[rows] - np.repeat(X[sets.starts[:-1][of_sets]], sizes, axis=0)
        prob = picked[rows]
        root -= np.repeat(np.add.reduceat(root * prob[:, None], starts, axis=0), sizes, axis=0)
        root *= np.sqrt(prob if weight is None else prob * np.repeat(weight[of_sets], sizes))[:, None]
        information += root.T @ root
    return terms, information
