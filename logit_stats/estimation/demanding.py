"""Rows in the search for directions of recession, by what their likelihood demands of one (`likelihoods.demands`).

A row may make several demands (to prefer its own category to each other one); they are never written out as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.estimation.recession import Mask, SignedRows, unmoved_by
from logit_stats.likelihoods.demands import Forms, Pairs
from logit_stats.likelihoods.of_design import likelihood_of
from logit_stats.likelihoods.working import boxed_columns

# Demands whose forms are looked at a time.
DEMANDS = 1 << 18


def demanding_rows(design: Design) -> SignedRows:
    """Rows of a design, as its likelihood has them."""
    demands = likelihood_of(design).demands(design)
    if isinstance(demands, Forms):
        size = len(demands.row)
        return FormRows(design, boxed_columns(design), np.ones(size), np.ones(size, dtype=np.bool_), demands)
    if isinstance(demands, Pairs):
        pairs = _differences(design, demands)
        size = len(demands.ahead)
        return PairedRows(
            pairs, boxed_columns(pairs), np.ones(size), np.ones(size, dtype=np.bool_), demands, design.rows
        )
    return SignedRows(design, boxed_columns(design), demands.sign, demands.informative)


@dataclass(frozen=True, eq=False)
class FormRows(SignedRows):
    """Forms of the linear predictors of a row: N of them, none of which may fall.

    Attributes
    ----------
    design, working
        As for `SignedRows`.
    sign, informative : (N,)
        1 and true everywhere.
    forms : Forms
    """

    forms: Forms

    @property
    def coefficients(self) -> int:
        """Number of coefficients of a direction."""
        return self.design.coefficients

    def levels(self, level: NDArray[np.int_]) -> NDArray[np.int_]:
        """(n,) the first direction that some form of the row rises along."""
        found = np.zeros(self.design.rows, dtype=np.int_)
        for number in range(int(level.max(initial=0)), 0, -1):
            found[self.forms.row[level == number]] = number
        return found

    def sides(self, level: NDArray[np.int_]) -> NDArray[np.int_]:
        """(n,) 1 where some category becomes impossible."""
        return (self.levels(level) > 0).astype(np.int_)

    def margins(self, d: FloatArray) -> FloatArray:
        """(N,) by how much each form rises along d."""
        table = self.design.parameters.table(d)
        eta = np.vstack([self.working.columns(block.X) @ table.T for block in self.design.blocks(TALL_ROWS)])
        found, forms = np.empty(len(self.forms.row)), self.forms
        for start in range(0, len(found), DEMANDS):
            part = slice(start, start + DEMANDS)
            found[part] = np.einsum("ij,ij->i", eta[forms.row[part]], forms.patterns[forms.pattern[part]])
        return found

    def at(self, rows: NDArray[np.intp]) -> FloatArray:
        """(m, p) vectors of the forms at these positions."""
        Z = np.asarray(self.working.columns(self.design.X[self.forms.row[rows]]))
        weights = self.forms.patterns[self.forms.pattern[rows]]
        return self.design.parameters.gathered(weights[:, :, None] * Z[:, None, :])

    def sum_of_margins(self, rows: Mask) -> FloatArray:
        """(p,) c with ``c'd`` the sum of the margins along d of these forms."""
        row, pattern = self.forms.row[rows], self.forms.pattern[rows]
        of_row = np.array([np.bincount(row, w[pattern], minlength=self.design.rows) for w in self.forms.patterns.T])
        total, start = np.zeros((self.design.equations, self.design.columns)), 0
        for block in self.design.blocks(TALL_ROWS):
            stop = start + len(block.successes)
            total += of_row[:, start:stop] @ self.working.columns(block.X)
            start = stop
        return self.design.parameters.gathered(total)

    def unmoved(self, rows: Mask, tolerance: float) -> FloatArray:
        """(p, r) orthonormal directions that leave these forms as they are."""
        positions, R = np.flatnonzero(rows), np.zeros((0, self.coefficients))
        for start in range(0, len(positions), TALL_ROWS):
            part = self.at(positions[start : start + TALL_ROWS])
            R = np.asarray(np.linalg.qr(np.vstack([R, part]), mode="r"))
        return unmoved_by(R, tolerance)


@dataclass(frozen=True, eq=False)
class PairedRows(SignedRows):
    """Pairs of rows, each a row of differences that must not fall: an ordinary search, of the design of these.

    Attributes
    ----------
    pairs : Pairs
    count : int
        Number n of rows that the pairs are made of.
    """

    pairs: Pairs
    count: int

    def levels(self, level: NDArray[np.int_]) -> NDArray[np.int_]:
        """(n,) the direction that parts a row from another one."""
        return self._of_rows(level, level)

    def sides(self, level: NDArray[np.int_]) -> NDArray[np.int_]:
        """(n,) 1 for rows that draw ahead, -1 for those that fall behind."""
        return self._of_rows(np.ones_like(level), level)

    def _of_rows(self, value: NDArray[np.int_], level: NDArray[np.int_]) -> NDArray[np.int_]:
        found, apart = np.zeros(self.count, dtype=np.int_), level > 0
        signed = value if value is level else -value
        found[self.pairs.behind[apart]] = signed[apart]
        found[self.pairs.ahead[apart]] = value[apart]
        return found


def _differences(design: Design, pairs: Pairs) -> Design:
    """The design of the differences of the pairs, each a success."""
    X = np.asarray(design.X)
    return replace(
        design, X=X[pairs.ahead] - X[pairs.behind], likelihood=None, group=None, offset=None, weight=None, constant=None,
        response=replace(design.response, successes=np.ones(len(pairs.ahead)), trials=None), index=design.index[pairs.ahead],
    )  # fmt: skip
