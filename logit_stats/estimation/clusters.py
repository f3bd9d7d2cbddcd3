"""`ClusteredRows`: rows sorted by cluster and, inside it, by time, as the estimators of dependent outcomes read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray


@dataclass(frozen=True, eq=False)
class ClusteredRows:
    """Rows of clusters, each cluster in one run.

    Attributes
    ----------
    X : (n, k)
        Columns.
    y : (n,)
        Proportion of successes.
    trials : (n,)
        Number of trials (one for binary rows), or prior weight: the variance of y is ``p (1 - p) / trials``.
    offset : (n,)
    starts : (G,) int
        First row of each cluster.
    time : (n,)
        Where each row lies in its cluster, ascending: a time, or the order of the rows.
    copies : (G,)
        Number of identical clusters that each cluster stands for.
    order : (n,) int
        Where each row came from: row i here is row ``order[i]`` of the data.
    """

    X: FloatArray
    y: FloatArray
    trials: FloatArray
    offset: FloatArray
    starts: NDArray[np.intp]
    time: FloatArray
    copies: FloatArray
    order: NDArray[np.intp]

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """(G,) rows of each cluster."""
        return np.diff(np.append(self.starts, len(self.y)))

    @cached_property
    def cluster(self) -> NDArray[np.intp]:
        """(n,) number of the cluster of each row."""
        return np.repeat(np.arange(len(self.starts)), self.sizes)

    @cached_property
    def row_copies(self) -> FloatArray:
        """(n,) number of identical rows that each row stands for."""
        return self.copies[self.cluster]

    @property
    def observations(self) -> float:
        """Number of rows, identical ones counted."""
        return float(self.row_copies.sum())

    def sums(self, values: FloatArray) -> FloatArray:
        """(G, ...) sums of rows' values within clusters."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=0))

    def by_size(self) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """For each size s that occurs, the clusters (g,) of that size and their rows (g, s)."""
        found = []
        for size in np.unique(self.sizes):
            clusters = np.flatnonzero(self.sizes == size)
            found.append((clusters, self.starts[clusters][:, None] + np.arange(size)))
        return found


def clustered_rows(
    X: FloatArray,
    y: FloatArray,
    groups: NDArray[np.intp],
    *,
    trials: FloatArray | None = None,
    offset: FloatArray | None = None,
    time: FloatArray | None = None,
    copies: FloatArray | None = None,
) -> ClusteredRows:
    """Sort rows by cluster and time.

    Parameters
    ----------
    X : (n, k)
    y : (n,)
        Proportion of successes.
    groups : (n,) int
        Number of the cluster, from 0, none left out.
    trials, offset : (n,), optional
        One, and zero, where they are not given.
    time : (n,), optional
        Without it the rows of a cluster are in their order.
    copies : (n,), optional
        Number of identical clusters that the cluster of the row stands for; the same in all of its rows.
    """
    n = len(y)
    order = np.lexsort((np.arange(n), groups) if time is None else (time, groups))
    sizes = np.bincount(groups)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
    inside = np.arange(n) - np.repeat(starts, sizes)
    return ClusteredRows(
        X=np.ascontiguousarray(X[order]),
        y=y[order],
        trials=np.ones(n) if trials is None else trials[order],
        offset=np.zeros(n) if offset is None else offset[order],
        starts=starts,
        time=inside.astype(np.float64) if time is None else time[order],
        copies=np.ones(len(starts)) if copies is None else copies[order][starts],
        order=order,
    )
