"""The exact distribution of sums of columns over the events, other sums held fixed, by a multivariate shift algorithm.

Patterns of columns are taken up one after the other. A state is what the sums are so far; its count is the number of response
vectors that lead there. A pattern of n trials sends each state to n + 1 others, s events farther, with a binomial coefficient
(Hirji, Mehta and Patel 1987, JASA 82, "Computing distributions for exact logistic regression"). A state from which the held
sums can no longer be reached is dropped at once, as in the network algorithm (Mehta and Patel 1985, JASA 80): the least and
the most that each held sum can still gain are known for every number of events left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from logit_stats.design.block import FloatArray
from logit_stats.errors import NotAvailableError

Integers = NDArray[np.int64]
Counts = NDArray[np.floating[Any]]

# A key made of several sums is one integer as long as it has room.
KEY_LIMIT = 2**62
# States are merged by adding at their key where there are at most so many possible keys to a state.
DENSE = 16
# Logarithm of the largest count that a double holds, with room for a sum.
DOUBLE_RANGE = 690.0


@dataclass(frozen=True, eq=False)
class Patterns:
    """Distinct rows of integer columns, in the order in which they are taken up: stratum by stratum.

    Attributes
    ----------
    held : (P, q)
        Columns whose sums over the events are fixed.
    free : (P, r)
        Columns whose sums' distribution is asked for.
    trials : (P,)
        Number of outcomes of each pattern.
    stratum : (P,)
        Its stratum, ascending from 0.
    total : (q,)
        The sums held.
    events : (G,) or None
        Number of events in each stratum; None where nothing holds it (a model without a constant), and all is one stratum.
    """

    held: Integers
    free: Integers
    trials: Integers
    stratum: Integers
    total: Integers
    events: Integers | None

    @cached_property
    def log_vectors(self) -> float:
        """Logarithm of the number of response vectors with as many events in each stratum."""
        if self.events is None:
            return float(self.trials.sum() * np.log(2.0))
        size = np.bincount(self.stratum, weights=self.trials, minlength=len(self.events))
        return float((gammaln(size + 1) - gammaln(self.events + 1) - gammaln(size - self.events + 1)).sum())

    def without_free(self) -> Patterns:
        """Return the same patterns with nothing free: the network of the held sums alone."""
        return Patterns(self.held, self.free[:, :0], self.trials, self.stratum, self.total, self.events)


@dataclass(frozen=True, eq=False)
class States:
    """What is possible after some of the patterns.

    Attributes
    ----------
    sums : (1 + q + r, N)
        Events in the stratum so far, held sums, free sums.
    counts : (N,)
        Number of response vectors that lead to each.
    """

    sums: Integers
    counts: Counts


@dataclass(frozen=True, eq=False)
class Place:
    """The place after a pattern: which states can still reach the sums held.

    Attributes
    ----------
    pattern : int
        The pattern just taken up.
    fewest, most : int
        Numbers of events in the stratum so far that are possible.
    least, largest : (most + 1, q)
        Bounds of the held sums for each number of events.
    states : float
        Upper bound of the number of states.
    closes : bool
        Whether the stratum ends here.
    """

    pattern: int
    fewest: int
    most: int
    least: Integers
    largest: Integers
    states: float
    closes: bool


def places(patterns: Patterns) -> Iterator[Place]:
    """The places of a network, one after each pattern."""
    columns = np.hstack([patterns.held, patterns.free])
    strata = [np.flatnonzero(patterns.stratum == g) for g in range(int(patterns.stratum.max(initial=-1)) + 1)]
    ends = [_stratum_extremes(patterns, columns, rows, g) for g, rows in enumerate(strata)]
    log_vectors = 0.0
    for g, rows in enumerate(strata):
        before = sum((np.stack(end) for end in ends[:g]), np.zeros((2, columns.shape[1]), dtype=np.int64))
        after = sum((np.stack(end) for end in ends[g + 1 :]), np.zeros((2, columns.shape[1]), dtype=np.int64))
        for t, row in enumerate(rows):
            log_vectors += float(np.log1p(patterns.trials[row]))
            behind = _extremes(patterns, columns, rows[: t + 1]) + before[:, None]
            ahead = _extremes(patterns, columns, rows[t + 1 :]) + after[:, None]
            yield _place(patterns, g, int(row), behind, ahead, log_vectors, closes=t + 1 == len(rows))


def _stratum_extremes(patterns: Patterns, columns: Integers, rows: Integers, g: int) -> tuple[Integers, Integers]:
    low, high = _extremes(patterns, columns, rows)
    events = 0 if patterns.events is None else int(patterns.events[g])
    return low[events], high[events]


def _extremes(patterns: Patterns, columns: Integers, rows: Integers) -> Integers:
    """(2, C, d) least and largest sums of c outcomes of these rows, for c from 0 to all; of any number where none is held."""
    values = np.repeat(columns[rows], patterns.trials[rows], axis=0)
    if patterns.events is None:
        return np.stack([np.minimum(values, 0).sum(axis=0)[None], np.maximum(values, 0).sum(axis=0)[None]])
    ordered = np.sort(values, axis=0)
    zero = np.zeros((1, columns.shape[1]), dtype=np.int64)
    return np.stack([np.vstack([zero, part.cumsum(axis=0)]) for part in (ordered, ordered[::-1])])


def _place(
    patterns: Patterns, g: int, row: int, behind: Integers, ahead: Integers, log_vectors: float, closes: bool
) -> Place:
    """Bounds at a place from what can lie behind and ahead of it."""
    left = behind.shape[1] - 1
    rest = ahead.shape[1] - 1
    events = 0 if patterns.events is None else int(patterns.events[g])
    fewest, most = max(0, events - rest), min(left, events)
    q = patterns.held.shape[1]
    ahead = ahead[:, events - np.arange(fewest, most + 1)]
    least = np.maximum(behind[0, fewest : most + 1, :q], patterns.total - ahead[1, :, :q])
    largest = np.minimum(behind[1, fewest : most + 1, :q], patterns.total - ahead[0, :, :q])
    free = behind[1, fewest : most + 1, q:] - behind[0, fewest : most + 1, q:]
    widths = np.maximum(np.hstack([largest - least, free]).astype(np.float64) + 1.0, 0.0)
    states = min(float(widths.prod(axis=1).sum()), float(np.exp(min(log_vectors, 700.0))))
    pad = np.zeros((fewest, q), dtype=np.int64)
    return Place(row, fewest, most, np.vstack([pad, least]), np.vstack([pad, largest]), states, closes)


def distribution(patterns: Patterns, max_states: float) -> tuple[Integers, FloatArray]:
    """Values (N, r) of the free sums, and the logarithms of their numbers of response vectors.

    Raises
    ------
    NotAvailableError
        If the network may have, or turns out to have, more than `max_states` states at a place.
    """
    refuse_large(patterns, max_states)
    # only the last states are kept
    _, states = deque(network(patterns, max_states), maxlen=1).pop()
    q = patterns.held.shape[1]
    return states.sums[1 + q :].T, np.log(states.counts).astype(np.float64)


def refuse_large(patterns: Patterns, max_states: float, what: str = "The exact distribution") -> None:
    """Raise `NotAvailableError` where the bound on the number of states is above what is allowed."""
    largest = max((place.states for place in places(patterns)), default=1.0)
    if largest > max_states:
        numbers = 2 * (2 + patterns.held.shape[1] + patterns.free.shape[1])
        raise NotAvailableError(
            f"{what} may need up to {largest:.3g} states at a time, about {largest * numbers * 8 / 1e9:.3g} GB; the limit is "
            f"{max_states:.3g} (max_states=). Coarser values of the numeric variables, or fewer of them, make it smaller; "
            f"monte_carlo=100000 estimates it from random draws, with their error."
        )


def network(patterns: Patterns, max_states: float) -> Iterator[tuple[Place, States]]:
    """The states after each pattern."""
    d = 1 + patterns.held.shape[1] + patterns.free.shape[1]
    states = States(np.zeros((d, 1), dtype=np.int64), np.ones(1, dtype=_count_type(patterns)))
    for place in places(patterns):
        states = _merged(*_shifted(states, patterns, place))
        if len(states.counts) > max_states:
            raise NotAvailableError(
                f"The exact distribution needs more than {max_states:.3g} states at a time (max_states=); "
                f"monte_carlo=100000 estimates it from random draws, with their error."
            )
        if place.closes:
            states.sums[0] = 0
        yield place, states


def _count_type(patterns: Patterns) -> type[np.floating[Any]]:
    if patterns.log_vectors < DOUBLE_RANGE:
        return np.float64
    if patterns.log_vectors > 16.0 * DOUBLE_RANGE or np.finfo(np.longdouble).maxexp < 16000:
        raise NotAvailableError(
            f"There are exp({patterns.log_vectors:.4g}) response vectors, more than a number of this machine can count: exact "
            f"inference is for small samples; ordinary likelihood inference is the one to use here."
        )
    return np.longdouble


def _shifted(states: States, patterns: Patterns, place: Place) -> tuple[Integers, Counts]:
    """States after one pattern more, not yet merged: s events of it, for every s, where the held sums can be reached."""
    row = place.pattern
    trials = int(patterns.trials[row])
    shift = np.r_[0 if patterns.events is None else 1, patterns.held[row], patterns.free[row]][:, None]
    coefficients = binomial_coefficients(trials, states.counts.dtype.type)
    sums, counts = [], []
    for s in range(trials + 1):
        moved = states.sums + s * shift
        kept = _reachable(moved, place, patterns.held.shape[1])
        sums.append(moved[:, kept])
        counts.append(states.counts[kept] * coefficients[s])
    return np.concatenate(sums, axis=1), np.concatenate(counts)


def binomial_coefficients(n: int, kind: type[np.floating[Any]]) -> Counts:
    """(n + 1,) binomial coefficients, by Pascal's rule: exact as long as they are integers of the type."""
    row = np.ones(1, dtype=kind)
    for _ in range(n):
        row = np.r_[row, kind(0)] + np.r_[kind(0), row]
    return row


def _reachable(sums: Integers, place: Place, q: int) -> NDArray[np.bool_]:
    events = sums[0]
    kept = (events >= place.fewest) & (events <= place.most)
    at = np.where(kept, events, place.most)
    for j in range(q):
        kept &= (sums[1 + j] >= place.least[at, j]) & (sums[1 + j] <= place.largest[at, j])
    return np.asarray(kept)


def _merged(sums: Integers, counts: Counts) -> States:
    """Equal states made one, their counts added."""
    low = sums.min(axis=1)
    spans = (sums.max(axis=1) - low + 1).tolist()
    possible = 1
    for span in spans:
        possible *= span
    if possible > KEY_LIMIT:
        return _merged_in_order(sums, counts, np.lexsort(sums))
    radix = np.r_[1, np.cumprod(spans[:-1])].astype(np.int64)
    key = radix @ (sums - low[:, None])
    if counts.dtype != np.float64 or possible > DENSE * len(key):
        return _merged_in_order(sums, counts, np.argsort(key))
    added: Counts = np.bincount(key, weights=counts).astype(np.float64)
    found = np.flatnonzero(added)
    decoded = (found // radix[:, None]) % np.array(spans)[:, None] + low[:, None]
    return States(decoded, added[found])


def _merged_in_order(sums: Integers, counts: Counts, order: NDArray[np.intp]) -> States:
    ordered = sums[:, order]
    first = np.flatnonzero(np.r_[True, (np.diff(ordered, axis=1) != 0).any(axis=0)])
    return States(ordered[:, first], np.add.reduceat(counts[order], first))
