"""Working correlations of generalized estimating equations: how each is estimated, and how rows are made uncorrelated by it.

A structure turns rows b of a cluster into ``T b`` with ``T'T = R^-1``, R the correlation of the cluster: the estimating
equations are then those of independent rows. Estimates are moments of Pearson residuals r with dispersion phi (Liang and
Zeger 1986, Biometrika 73, 13-22, section 3), each sum divided by the number of its terms less `ddof`, as SAS and gee do; with
``ddof = 0`` the exchangeable one is geepack's.

============== ============================================ =====================================================
independence   R = I
exchangeable   R_jl = a                                     a: mean of r_j r_l / phi over all pairs of a cluster
ar1            R_jl = a^|t_j - t_l|                         a: mean of r_j r_(j+1) / phi over neighbouring rows
unstructured   R_jl = a(t_j, t_l)                           a(s, t): mean of r_s r_t / phi over clusters with both
============== ============================================ =====================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError, EstimationError, check_choice
from logit_stats.estimation.clusters import ClusteredRows

STRUCTURES = ("independence", "exchangeable", "ar1", "unstructured")
# A working correlation with a smaller eigenvalue cannot be told from a singular one.
SMALLEST_EIGENVALUE = 1e-8


class WorkingCorrelation(Protocol):
    """A correlation of the rows of a cluster, known up to some numbers alpha."""

    name: str

    def estimate(self, r: FloatArray, phi: float, ddof: float) -> FloatArray:
        """Alpha from the Pearson residuals (n,)."""
        ...

    def fault(self, alpha: FloatArray) -> str | None:
        """Why these numbers give no correlation; None where they do."""
        ...

    def whitened(self, alpha: FloatArray, rows: FloatArray) -> FloatArray:
        """(n, c) ``T b`` of rows b (n, c)."""
        ...

    def matrix(self, alpha: FloatArray) -> FloatArray:
        """Correlation of a cluster with all positions."""
        ...

    def between(self, alpha: FloatArray, rows: NDArray[np.intp]) -> FloatArray:
        """(g, s, s) correlation of the rows (g, s) of clusters of one size."""
        ...


def working_correlation(name: str, clusters: ClusteredRows) -> WorkingCorrelation:
    """The structure of this name for these clusters.

    Raises
    ------
    UnknownOptionError
        If there is no such structure.
    """
    check_choice("corr", name, STRUCTURES)
    kinds: dict[str, Callable[[ClusteredRows], Any]] = {
        "independence": Independence, "exchangeable": Exchangeable, "ar1": Autoregressive, "unstructured": Unstructured.of
    }  # fmt: skip
    found: WorkingCorrelation = kinds[name](clusters)
    return found


@dataclass(frozen=True, eq=False)
class Independence:
    """No correlation."""

    clusters: ClusteredRows
    name: str = "independence"

    def estimate(self, r: FloatArray, phi: float, ddof: float) -> FloatArray:
        """Nothing to estimate."""
        return np.zeros(0)

    def fault(self, alpha: FloatArray) -> str | None:
        """None."""
        return None

    def whitened(self, alpha: FloatArray, rows: FloatArray) -> FloatArray:
        """The rows themselves."""
        return rows

    def matrix(self, alpha: FloatArray) -> FloatArray:
        """Identity."""
        return np.eye(int(self.clusters.sizes.max()))

    def between(self, alpha: FloatArray, rows: NDArray[np.intp]) -> FloatArray:
        """Identity."""
        return np.broadcast_to(np.eye(rows.shape[1]), (*rows.shape, rows.shape[1]))


@dataclass(frozen=True, eq=False)
class Exchangeable:
    """The same correlation between all rows of a cluster."""

    clusters: ClusteredRows
    name: str = "exchangeable"

    def estimate(self, r: FloatArray, phi: float, ddof: float) -> FloatArray:
        """Mean product of all pairs."""
        of = self.clusters
        products = of.copies @ (of.sums(r) ** 2 - of.sums(r * r)) / 2.0
        pairs = float(of.copies @ (of.sizes * (of.sizes - 1.0))) / 2.0
        return np.array([products / phi / _terms(pairs, ddof, "pairs of rows in a cluster")])

    def fault(self, alpha: FloatArray) -> str | None:
        """The correlation must lie above -1 / (size - 1) and below 1."""
        least = -1.0 / (self.clusters.sizes.max() - 1.0)
        if least * (1.0 - SMALLEST_EIGENVALUE) < alpha[0] < 1.0 - SMALLEST_EIGENVALUE:
            return None
        return _infeasible(self.name, f"{alpha[0]:.4g}, which must lie between {least:.4g} and 1")

    def whitened(self, alpha: FloatArray, rows: FloatArray) -> FloatArray:
        """Cluster means and deviations from them, each divided by the root of its own eigenvalue of R."""
        of = self.clusters
        inside, size = 1.0 / np.sqrt(1.0 - alpha[0]), of.sizes
        between = 1.0 / np.sqrt(1.0 + (size - 1.0) * alpha[0])
        return np.asarray(inside * rows + ((between - inside) / size)[of.cluster][:, None] * of.sums(rows)[of.cluster])

    def matrix(self, alpha: FloatArray) -> FloatArray:
        """Alpha off the diagonal."""
        size = int(self.clusters.sizes.max())
        return np.where(np.eye(size, dtype=np.bool_), 1.0, alpha[0])

    def between(self, alpha: FloatArray, rows: NDArray[np.intp]) -> FloatArray:
        """Alpha off the diagonal."""
        size = rows.shape[1]
        return np.broadcast_to(np.where(np.eye(size, dtype=np.bool_), 1.0, alpha[0]), (len(rows), size, size))


@dataclass(frozen=True, eq=False)
class Autoregressive:
    """Correlation that falls geometrically with the distance in time; the smallest gap that occurs is one step."""

    clusters: ClusteredRows
    name: str = "ar1"

    @property
    def gaps(self) -> FloatArray:
        """(n - 1,) steps from each row to the next; NaN where a new cluster begins."""
        inside = self.clusters.cluster[1:] == self.clusters.cluster[:-1]
        gap = np.where(inside, np.diff(self.clusters.time), np.nan)
        return gap / np.nanmin(gap) if inside.any() else gap

    def estimate(self, r: FloatArray, phi: float, ddof: float) -> FloatArray:
        """Mean product of neighbours, however far apart they are."""
        of = self.clusters
        inside = of.cluster[1:] == of.cluster[:-1]
        weight = of.row_copies[1:][inside]
        products = weight @ (r[1:] * r[:-1])[inside]
        return np.array([products / phi / _terms(float(weight.sum()), ddof, "pairs of neighbouring rows")])

    def fault(self, alpha: FloatArray) -> str | None:
        """The correlation must lie between -1 and 1, and above 0 where gaps are no whole numbers of steps."""
        gaps = self.gaps[np.isfinite(self.gaps)]
        if abs(alpha[0]) >= 1.0 - SMALLEST_EIGENVALUE:
            return _infeasible(self.name, f"{alpha[0]:.4g}, which must lie between -1 and 1")
        if alpha[0] < 0.0 and (np.abs(gaps - np.round(gaps)) > 1e-9).any():
            said = f"{alpha[0]:.4g}, a negative number, which has no power for gaps of parts of a step"
            return _infeasible(self.name, said)
        return None

    def _powers(self, alpha: FloatArray, steps: FloatArray) -> FloatArray:
        # a negative number has powers only for whole steps
        return np.asarray(np.power(alpha[0], np.round(steps) if alpha[0] < 0.0 else steps))

    def whitened(self, alpha: FloatArray, rows: FloatArray) -> FloatArray:
        """What is new in each row: ``(b_j - c b_(j-1)) / sqrt(1 - c^2)``, c the correlation with the row before."""
        inside = self.clusters.cluster[1:] == self.clusters.cluster[:-1]
        c = np.where(inside, self._powers(alpha, np.where(inside, self.gaps, 1.0)), 0.0)
        out = rows.copy()
        out[1:] = (rows[1:] - c[:, None] * rows[:-1]) / np.sqrt(1.0 - c * c)[:, None]
        return out

    def matrix(self, alpha: FloatArray) -> FloatArray:
        """Powers of alpha."""
        steps = np.arange(int(self.clusters.sizes.max()))
        return self._powers(alpha, np.abs(steps[:, None] - steps).astype(np.float64))

    def between(self, alpha: FloatArray, rows: NDArray[np.intp]) -> FloatArray:
        """Powers of alpha."""
        gap = np.diff(self.clusters.time)[self.clusters.cluster[1:] == self.clusters.cluster[:-1]]
        time = self.clusters.time[rows] / (gap.min() if len(gap) else 1.0)
        return self._powers(alpha, np.abs(time[:, :, None] - time[:, None, :]))


@dataclass(frozen=True, eq=False)
class Unstructured:
    """A correlation of its own for each pair of positions.

    Attributes
    ----------
    clusters : ClusteredRows
    levels : (T,)
        Positions that occur.
    place : (n,) int
        Position of each row.
    patterns : list of (clusters (g,), positions (s,))
        Clusters that have the same positions.
    """

    clusters: ClusteredRows
    levels: FloatArray
    place: NDArray[np.intp]
    patterns: list[tuple[NDArray[np.intp], NDArray[np.intp]]]
    name: str = "unstructured"

    @classmethod
    def of(cls, clusters: ClusteredRows) -> Unstructured:
        """Positions and patterns of the clusters."""
        levels, place = np.unique(clusters.time, return_inverse=True)
        if len(levels) > 200:
            raise DataError(
                f"corr='unstructured' has a correlation for each pair of times, and there are {len(levels)} times; "
                f"use corr='exchangeable' or 'ar1', or times of fewer values (visits)."
            )
        there = np.zeros((len(clusters.starts), len(levels)), dtype=np.bool_)
        there[clusters.cluster, place] = True
        kinds, kind = np.unique(there, axis=0, return_inverse=True)
        kind = kind.ravel()
        patterns = [(np.flatnonzero(kind == i), np.flatnonzero(pattern)) for i, pattern in enumerate(kinds)]
        return cls(clusters, levels, place, patterns)

    def estimate(self, r: FloatArray, phi: float, ddof: float) -> FloatArray:
        """Mean product of each pair of positions: the upper triangle, by columns."""
        of, T = self.clusters, len(self.levels)
        wide, there = np.zeros((2, len(of.starts), T))
        wide[of.cluster, self.place], there[of.cluster, self.place] = r, 1.0
        products, count = ((of.copies[:, None] * a).T @ a for a in (wide, there))
        first, second = _upper(T)
        short = count[first, second] <= ddof
        if short.any():
            s, t = (self.levels[i[short][0]] for i in (first, second))
            raise EstimationError(
                f"corr='unstructured' has too few clusters for the correlation between times {s:g} and {t:g}: "
                f"{count[first, second][short][0]:g} have both, and {ddof:g} coefficients are estimated. "
                f"Use corr='exchangeable' or 'ar1'."
            )
        return np.asarray(products[first, second] / phi / (count[first, second] - ddof))

    def fault(self, alpha: FloatArray) -> str | None:
        """The matrix must be positive definite."""
        least = np.linalg.eigvalsh(self.matrix(alpha))[0]
        if least >= SMALLEST_EIGENVALUE:
            return None
        return _infeasible(self.name, f"a matrix that is no correlation (eigenvalue {least:.4g})")

    def matrix(self, alpha: FloatArray) -> FloatArray:
        """Correlation of all positions."""
        R = np.eye(len(self.levels))
        first, second = _upper(len(R))
        R[first, second] = R[second, first] = alpha
        return R

    def whitened(self, alpha: FloatArray, rows: FloatArray) -> FloatArray:
        """Rows multiplied by the inverse of R's Cholesky factor, clusters with the same positions together."""
        R, out = self.matrix(alpha), np.empty_like(rows)
        for clusters, positions in self.patterns:
            L = np.linalg.cholesky(R[np.ix_(positions, positions)])
            T = solve_triangular(L, np.eye(len(L)), lower=True)
            at = self.clusters.starts[clusters][:, None] + np.arange(len(positions))
            out[at] = T @ rows[at]
        return out

    def between(self, alpha: FloatArray, rows: NDArray[np.intp]) -> FloatArray:
        """Entries of the correlation."""
        place = self.place[rows]
        return self.matrix(alpha)[place[:, :, None], place[:, None, :]]


def _upper(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of the upper triangle, column by column."""
    second, first = np.tril_indices(size, -1)
    return first, second


def _terms(count: float, ddof: float, what: str) -> float:
    if count <= ddof:
        raise EstimationError(
            f"There are {count:g} {what} and {ddof:g} coefficients: a working correlation cannot be estimated. "
            f"Use corr='independence'."
        )
    return count - ddof


def _infeasible(name: str, found: str) -> str:
    return (
        f"The working correlation {name!r} is not feasible: its estimate is {found}. Use another structure; "
        f"corr='independence' with robust errors is always valid."
    )
