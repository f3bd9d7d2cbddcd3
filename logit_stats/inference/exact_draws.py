"""Random response vectors from the exact conditional distribution: independent draws, not a Markov chain.

The network of the held sums alone is much smaller than that of the held and the free sums. Walked backward, each pattern's
number of events is drawn with probability in proportion to the response vectors that lead to the state before it times the
binomial coefficient, which makes every response vector with the held sums equally likely (Mehta, Patel and Senchaudhuri 2000,
JASA 95, "Efficient Monte Carlo methods for conditional logistic regression").
"""

from __future__ import annotations

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.inference.exact_network import (
    Counts,
    Integers,
    Patterns,
    Place,
    States,
    binomial_coefficients,
    network,
    refuse_large,
)


def drawn_sums(
    patterns: Patterns, free: FloatArray, draws: int, rng: np.random.Generator, max_states: float
) -> FloatArray:
    """(draws, r) sums of the free columns of random response vectors.

    Parameters
    ----------
    patterns : Patterns
    free : (P, r)
        Free columns; any numbers.
    draws : int
    rng : Generator
    max_states : float
        Largest number of states of the network of the held sums.

    Raises
    ------
    NotAvailableError
        If even that network is too large.
    """
    held = patterns.without_free()
    refuse_large(held, max_states, "The network of the held sums, which random draws are made from,")
    walked = list(network(held, max_states))
    first = States(np.zeros((1 + held.held.shape[1], 1), dtype=np.int64), np.ones(1))
    before = [first, *(states for _, states in walked[:-1])]
    at = np.repeat(walked[-1][1].sums, draws, axis=1)
    sums = np.zeros((draws, free.shape[1]))
    for (place, _), earlier in zip(reversed(walked), reversed(before), strict=True):
        if place.closes and patterns.events is not None:
            at[0] = patterns.events[patterns.stratum[place.pattern]]
        events = _drawn_events(held, place, earlier, at, rng)
        at = at - events * _shift(held, place)
        sums += events[:, None] * free[place.pattern]
    return sums


def _shift(patterns: Patterns, place: Place) -> Integers:
    counted = 0 if patterns.events is None else 1
    shift: Integers = np.r_[counted, patterns.held[place.pattern]][:, None]
    return shift


def _drawn_events(
    patterns: Patterns, place: Place, earlier: States, at: Integers, rng: np.random.Generator
) -> Integers:
    """Number of events of a pattern, drawn for every path that stands at states `at` after it."""
    trials = int(patterns.trials[place.pattern])
    coefficients = binomial_coefficients(trials, np.float64)
    distinct, which = np.unique(at, axis=1, return_inverse=True)
    scale = earlier.counts.max()
    weights = np.array(
        [
            coefficients[s] / coefficients.max() * (_counts_at(earlier, distinct - s * _shift(patterns, place)) / scale)
            for s in range(trials + 1)
        ],
        dtype=np.float64,
    )
    cumulated = np.cumsum(weights, axis=0)[:, which.ravel()]
    threshold = rng.random(at.shape[1]) * cumulated[-1]
    return np.asarray((cumulated <= threshold).sum(axis=0), dtype=np.int64)


def _counts_at(states: States, sums: Integers) -> Counts:
    """Counts of the given states; zero where there is no such state."""
    known, asked = np.zeros(states.sums.shape[1], dtype=np.int64), np.zeros(sums.shape[1], dtype=np.int64)
    missing = np.zeros(sums.shape[1], dtype=np.bool_)
    for ours, theirs in zip(states.sums, sums, strict=True):
        # one key of the sums so far and the next, numbered anew so that it never outgrows an integer
        values, rank = np.unique(ours, return_inverse=True)
        place = np.minimum(np.searchsorted(values, theirs), len(values) - 1)
        missing |= values[place] != theirs
        keys, known = np.unique(known * len(values) + rank, return_inverse=True)
        wanted = asked * len(values) + place
        asked = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        missing |= keys[asked] != wanted
    counts = np.empty_like(states.counts)
    counts[known] = states.counts
    return np.where(missing, 0.0, counts[asked])
