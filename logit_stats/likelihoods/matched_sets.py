"""`MatchedSets`: which rows belong together, how many of them are cases, and which sets have the same shape."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray

IntArray = NDArray[np.intp]

# Numbers in the largest table of a batch of sets: it stays in cache while the recursion walks over it.
BATCH_NUMBERS = 1 << 16


@dataclass(frozen=True, eq=False)
class Batch:
    """Sets of about the same shape, one a column.

    Attributes
    ----------
    sets : (S,)
        Positions of the sets.
    rows : (n, S)
        Positions of their rows among the rows in set order; what lies beyond the end of a set repeats its first row.
    real : (n, S) bool or None
        Where there is a row; None where all sets have n rows.
    picks : (S,)
        Number of rows that are picked: cases, or where there are fewer of these, the others (`flipped`).
    flipped : bool
        Whether the picked rows are those that are no cases.
    """

    sets: IntArray
    rows: IntArray
    real: NDArray[np.bool_] | None
    picks: IntArray
    flipped: bool


@dataclass(frozen=True, eq=False)
class MatchedSets:
    """The sets of a design; only those with variation, each with its rows side by side.

    Attributes
    ----------
    order : (n,)
        Positions of the rows in the design, set by set.
    starts : (S + 1,)
        Where each set begins in `order`, and its end.
    cases : (S,)
        Number of cases of each set.
    """

    order: IntArray
    starts: IntArray
    cases: IntArray

    @property
    def sizes(self) -> IntArray:
        """(S,) number of rows of each set."""
        return np.diff(self.starts)

    @property
    def count(self) -> int:
        """Number S of sets."""
        return len(self.cases)

    @property
    def of_row(self) -> IntArray:
        """(n,) position of the set of each row, in set order."""
        return np.repeat(np.arange(self.count), self.sizes)

    @property
    def single(self) -> bool:
        """Whether every set has one case, or one row that is none: the likelihood has a closed form."""
        return bool((np.minimum(self.cases, self.sizes - self.cases) <= 1).all())

    def batches(self, columns: int) -> Iterator[Batch]:
        """Sets of like shape together, few enough at a time that the recursion over `columns` columns stays in cache."""
        flipped = 2 * self.cases > self.sizes
        picks = np.where(flipped, self.sizes - self.cases, self.cases)
        shape = np.stack([flipped, _rounded(picks), _rounded(self.sizes)])
        order = np.lexsort(shape)
        ends = np.flatnonzero(np.r_[(np.diff(shape[:, order], axis=1) != 0).any(axis=0), True]) + 1
        for start, end in zip(np.r_[0, ends[:-1]], ends, strict=True):
            alike = order[start:end]
            numbers = int(self.sizes[alike].max() * 3 + picks[alike].max() * (columns + self.sizes[alike].max()))
            at_once = max(1, BATCH_NUMBERS // numbers)
            for first in range(0, len(alike), at_once):
                sets = alike[first : first + at_once]
                yield self._batch(sets, picks[sets], bool(flipped[sets[0]]))

    def tiles(self, rows: int) -> Iterator[tuple[slice, slice]]:
        """Sets, and their rows, in runs of about so many rows."""
        cuts = np.unique(np.searchsorted(self.starts, np.arange(0, self.starts[-1] + rows, rows)))
        for first, last in itertools.pairwise(np.minimum(cuts, self.count).tolist()):
            if last > first:
                yield slice(first, last), slice(int(self.starts[first]), int(self.starts[last]))

    def _batch(self, sets: IntArray, picks: IntArray, flipped: bool) -> Batch:
        sizes = self.sizes[sets]
        place = np.arange(sizes.max())[:, None]
        real = place < sizes
        rows = self.starts[sets] + np.where(real, place, 0)
        return Batch(sets, rows, None if real.all() else real, picks, flipped)


def matched_sets(codes: IntArray, y: FloatArray) -> MatchedSets:
    """Sets with variation.

    Parameters
    ----------
    codes : (n,)
        Number of each row's set.
    y : (n,)
        1 for a case, 0 for the others.
    """
    order = np.argsort(codes, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0]) if len(order) else np.zeros(0, dtype=np.intp)
    sizes = np.diff(np.r_[first, len(order)])
    cases = np.add.reduceat(y[order], first) if len(order) else np.zeros(0)
    varied = (cases > 0) & (cases < sizes)
    kept = order[np.repeat(varied, sizes)]
    return MatchedSets(kept, np.r_[0, np.cumsum(sizes[varied])].astype(np.intp), cases[varied].astype(np.intp))


def _rounded(numbers: IntArray) -> IntArray:
    """Numbers rounded up to three binary digits: sets of about the same size go together, at a quarter of waste at most."""
    digit = np.exp2(np.floor(np.log2(np.maximum(numbers, 1))) - 2.0)
    return np.where(numbers <= 8, numbers, np.ceil(numbers / digit) * digit).astype(np.intp)
