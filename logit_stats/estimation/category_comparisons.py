"""What rows demand of a direction of recession where the response has several categories.

A direction has a part d_c for each category, zero for the reference. The likelihood never falls along it if every row
prefers its own category: ``z_i'(d_y - d_c) >= 0`` for each other category c (Albert and Anderson 1984, Biometrika 71, 1-10,
section 4). So a row makes as many demands as there are other categories; they are never written out as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.estimation.recession import Mask, SignedRows, unmoved_by
from logit_stats.likelihoods.working import boxed_columns


@dataclass(frozen=True, eq=False)
class Comparisons(SignedRows):
    """All comparisons of a row's own category with another one, row by row: N = n J of them, all to be won.

    Attributes
    ----------
    design, working
        As for `SignedRows`.
    sign, informative : (N,)
        1 and true everywhere.
    own, other : (N,) int
        The categories compared.
    """

    own: NDArray[np.intp]
    other: NDArray[np.intp]

    @classmethod
    def of(cls, design: Design) -> Comparisons:
        """Comparisons of a design."""
        categories = design.response.categories
        assert categories is not None
        others = np.arange(design.equations)
        own = np.repeat(categories.codes, design.equations)
        other = np.tile(others, design.rows)
        other = other + (other >= own)
        size = len(own)
        return cls(design, boxed_columns(design), np.ones(size), np.ones(size, dtype=np.bool_), own, other)

    @property
    def coefficients(self) -> int:
        """Number of coefficients of a direction."""
        return self.design.columns * self.design.equations

    def margins(self, d: FloatArray) -> FloatArray:
        """(N,) margin of every comparison along d."""
        k, J = self.design.columns, self.design.equations
        D = np.vstack([np.zeros(k), d.reshape(J, k)])
        values = np.vstack([self.working.columns(block.X) @ D.T for block in self.design.blocks(TALL_ROWS)])
        row = np.arange(len(self.own)) // J
        return np.asarray(values[row, self.own] - values[row, self.other])

    def at(self, rows: NDArray[np.intp]) -> FloatArray:
        """(m, k J) vectors of the comparisons at these positions."""
        Z = np.asarray(self.working.columns(self.design.X[rows // self.design.equations]))
        found = np.zeros((len(rows), self.design.equations + 1, Z.shape[1]))
        found[np.arange(len(rows)), self.own[rows]] = Z
        found[np.arange(len(rows)), self.other[rows]] = -Z
        return found[:, 1:].reshape(len(rows), -1)

    def sum_of_margins(self, rows: Mask) -> FloatArray:
        """(k J,) c with ``c'd`` the sum of the margins along d of these comparisons."""
        J, size = self.design.equations, self.design.equations + 1
        cells = (np.arange(len(self.own)) // J)[rows] * size
        count = self.design.rows * size
        net = np.bincount(cells + self.own[rows], minlength=count) - np.bincount(
            cells + self.other[rows], minlength=count
        )
        of_row = net.reshape(-1, size)[:, 1:].astype(np.float64)
        total, start = np.zeros((J, self.design.columns)), 0
        for block in self.design.blocks(TALL_ROWS):
            stop = start + len(block.successes)
            total += of_row[start:stop].T @ self.working.columns(block.X)
            start = stop
        return total.ravel()

    def unmoved(self, rows: Mask, tolerance: float) -> FloatArray:
        """(k J, r) orthonormal directions that leave these comparisons as they are."""
        positions, R = np.flatnonzero(rows), np.zeros((0, self.coefficients))
        for start in range(0, len(positions), TALL_ROWS):
            part = self.at(positions[start : start + TALL_ROWS])
            R = np.asarray(np.linalg.qr(np.vstack([R, part]), mode="r"))
        return unmoved_by(R, tolerance)
