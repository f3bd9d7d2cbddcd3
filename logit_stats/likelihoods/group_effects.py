"""Least squares on the effects of very many groups, without a column for each.

With D the indicators of all groups of all factors and W the weights, `EffectsSolver` gives a with D'W D a = D'W v for the sums
D'W v. The factor of the most groups is eliminated: its block of D'W D is diagonal. What remains, one equation for each group of
the other factors, is solved densely where these are few, else by conjugate gradients preconditioned by the diagonal (Hestenes
and Stiefel 1952; Abowd, Creecy and Kramarz 2002, "Computing person and firm effects"). Time and memory grow with the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from scipy.sparse.csgraph import connected_components

from logit_stats.design.block import FloatArray

IntArray = NDArray[np.intp]

# With so few groups beside those of the largest factor, the equations that remain are solved directly.
DENSE_GROUPS = 1500
# Share of the diagonal that is added where effects are not told apart: it moves only what makes no difference to a row.
RIDGE = 1e-13
# Conjugate gradients stop when the residual has shrunk to this share.
CG_TOLERANCE = 1e-13
CG_STEPS = 2000


@dataclass(frozen=True, eq=False)
class Grouping:
    """The groups that rows belong to, by one factor or several.

    Attributes
    ----------
    codes : tuple of (n,) int
        Each factor's groups, numbered from 0; the factor of the most groups first.
    levels : tuple of int
        Their numbers.
    """

    codes: tuple[IntArray, ...]
    levels: tuple[int, ...]

    @property
    def groups(self) -> int:
        """Number of groups of all factors."""
        return sum(self.levels)

    @cached_property
    def _indicators(self) -> tuple[sparse.csr_array, ...]:
        """(G, n) indicators of each factor's groups."""
        rows = np.arange(len(self.codes[0]))
        ones = np.ones(len(rows))
        return tuple(
            sparse.csr_array((ones, (codes, rows)), shape=(levels, len(rows)))
            for codes, levels in zip(self.codes, self.levels, strict=True)
        )

    def sums(self, values: FloatArray) -> list[FloatArray]:
        """For each factor the sums of the rows' values over its groups: (G,) or (G, c)."""
        if values.ndim == 1:
            return [np.bincount(c, values, m).astype(np.float64) for c, m in zip(self.codes, self.levels, strict=True)]
        return [indicators @ values for indicators in self._indicators]

    def spread(self, effects: list[FloatArray]) -> FloatArray:
        """Sum of the effects of each row's groups: (n,) or (n, c)."""
        total: FloatArray = np.take(effects[0], self.codes[0], axis=0)
        for codes, effect in zip(self.codes[1:], effects[1:], strict=True):
            total += np.take(effect, codes, axis=0)
        return total

    @cached_property
    def _cells(self) -> list[tuple[IntArray, IntArray, IntArray, int]]:
        """For every pair of factors a < b that is not on the diagonal: each row's cell, and the cells' groups."""
        return [self._cells_of(a, b) for a in range(len(self.codes)) for b in range(a + 1, len(self.codes))]

    def _cells_of(self, a: int, b: int) -> tuple[IntArray, IntArray, IntArray, int]:
        key = self.codes[a].astype(np.int64) * self.levels[b] + self.codes[b]
        found, cell = np.unique(key, return_inverse=True)
        return cell, found // self.levels[b], found % self.levels[b], len(found)

    def cross(self, weight: FloatArray) -> list[sparse.csr_array]:
        """For every pair of factors (G_a, G_b) sums of the weights over their cells."""
        pairs = [(a, b) for a in range(len(self.codes)) for b in range(a + 1, len(self.codes))]
        return [
            sparse.csr_array((np.bincount(cell, weight, count), (one, other)), shape=(self.levels[a], self.levels[b]))
            for (a, b), (cell, one, other, count) in zip(pairs, self._cells, strict=True)
        ]

    @cached_property
    def independent(self) -> int:
        """Number of effects that are told apart: the rank of all indicators.

        With two factors one effect is lost for each part of the graph of their groups that is connected (Abowd, Creecy and
        Kramarz 2002). With more, the rank is computed where there are few groups; else one effect is lost for each further
        factor, the least that it can be.
        """
        if len(self.levels) == 1:
            return self.levels[0]
        if len(self.levels) == 2:
            _, one, other, _ = self._cells[0]
            edges = sparse.coo_array(
                (np.ones(len(one)), (one, self.levels[0] + other)), shape=(self.groups, self.groups)
            )
            return self.groups - int(connected_components(edges, directed=False)[0])
        if self.groups - self.levels[0] > DENSE_GROUPS:
            return self.groups - len(self.levels) + 1
        solver = EffectsSolver(self, np.ones(len(self.codes[0])))
        scale = 1.0 / np.sqrt(solver.rest_diagonal)
        values = np.linalg.eigvalsh(solver.dense_remainder * scale * scale[:, None])
        return self.levels[0] + int((values > 1e-9).sum())


class EffectsSolver:
    """Solves D'W D a = s for some weights.

    Parameters
    ----------
    grouping : Grouping
    weight : (n,)
        Positive weights of the rows.
    """

    def __init__(self, grouping: Grouping, weight: FloatArray) -> None:
        self.grouping = grouping
        self.diagonals = grouping.sums(weight)
        self.rest_diagonal = np.concatenate(self.diagonals[1:]) if len(self.diagonals) > 1 else np.zeros(0)
        if len(self.diagonals) > 1:
            self._link, self._beside = _blocks(grouping, weight)

    def solve(self, sums: list[FloatArray]) -> list[FloatArray]:
        """Effects of each factor from the sums D'W v: (G,) or (G, c) each."""
        first, rest = sums[0], sums[1:]
        diagonal = self.diagonals[0] if first.ndim == 1 else self.diagonals[0][:, None]
        if not rest:
            return [first / diagonal]
        right = np.concatenate(rest) - self._link.T @ (first / diagonal)
        found = self._solve_rest(right)
        own = (first - self._link @ found) / diagonal
        ends = np.cumsum(self.grouping.levels[1:])[:-1]
        return [own, *np.split(found, ends)]

    def _solve_rest(self, right: FloatArray) -> FloatArray:
        if len(right) > DENSE_GROUPS:
            return _conjugate_gradients(self._times, self.rest_diagonal, right)
        found = linalg.cho_solve(self._factor, right)
        return found + linalg.cho_solve(self._factor, right - self.dense_remainder @ found)

    def _times(self, v: FloatArray) -> FloatArray:
        return np.asarray(self._beside @ v - self._link.T @ ((self._link @ v) / self.diagonals[0][:, None]))

    @cached_property
    def dense_remainder(self) -> FloatArray:
        """(L, L) equations of the other factors' effects, the first factor's eliminated."""
        scaled = self._link.multiply(1.0 / self.diagonals[0][:, None]).tocsr()
        return np.asarray((self._beside - self._link.T @ scaled).todense())

    @cached_property
    def _factor(self) -> tuple[FloatArray, bool]:
        padded = self.dense_remainder.copy()
        padded[np.diag_indices_from(padded)] += RIDGE * self.rest_diagonal
        while True:
            try:
                return linalg.cho_factor(padded, lower=True)
            except linalg.LinAlgError:
                padded[np.diag_indices_from(padded)] += 10.0 * RIDGE * self.rest_diagonal


def _blocks(grouping: Grouping, weight: FloatArray) -> tuple[sparse.csr_array, sparse.csr_array]:
    """D_1'W D_rest and D_rest'W D_rest."""
    cross = grouping.cross(weight)
    others = len(grouping.levels) - 1
    link = sparse.hstack(cross[:others], format="csr")
    diagonals = grouping.sums(weight)[1:]
    blocks: list[list[Any]] = [[None] * others for _ in range(others)]
    place = others
    for a in range(others):
        blocks[a][a] = sparse.diags_array(diagonals[a])
        for b in range(a + 1, others):
            blocks[a][b], blocks[b][a] = cross[place], cross[place].T
            place += 1
    return link, sparse.block_array(blocks, format="csr")


def _conjugate_gradients(
    times: Callable[[FloatArray], FloatArray], diagonal: FloatArray, right: FloatArray
) -> FloatArray:
    """Solve for every column of `right` at once; a column that has converged rests."""
    wide = right[:, None] if right.ndim == 1 else right
    x = np.zeros_like(wide)
    residual = wide.copy()
    z = residual / diagonal[:, None]
    direction = z.copy()
    rz = (residual * z).sum(axis=0)
    target = CG_TOLERANCE**2 * rz
    for _ in range(CG_STEPS):
        going = rz > target
        if not going.any():
            break
        image = times(direction)
        curvature = (direction * image).sum(axis=0)
        going &= curvature > 0.0
        length = np.divide(rz, curvature, out=np.zeros_like(rz), where=going)
        x += length * direction
        residual -= length * image
        z = residual / diagonal[:, None]
        after = (residual * z).sum(axis=0)
        ratio = np.divide(after, rz, out=np.zeros_like(rz), where=going)
        direction = z + ratio * direction
        rz = np.where(going, after, 0.0)
    return x[:, 0] if right.ndim == 1 else x
