"""Directions of recession: where the likelihood never falls, however far one goes (Rockafellar 1970; Geyer 2009).

The margin of a row along a direction d is ``s_i z_i'd``, where s_i is +1 for an all-success row and -1 for an all-failure
row; a row with both outcomes has margin ``-|z_i'd|``. A direction of recession has no negative margin. The search for one is
a linear programme (Konis 2007): maximise the sum of the margins over a box. Working columns are made for a few rows at a
time; what is kept for every row is a number.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.likelihoods.demands import Signs
from logit_stats.likelihoods.kernel import linear_predictor
from logit_stats.likelihoods.of_design import likelihood_of
from logit_stats.likelihoods.working import WorkingColumns, boxed_columns

VIOLATED = 1e-9  # of the linear programme's box; HiGHS is asked for 1e-10
TIGHT = 2e-9  # margins that the programme may have meant to be zero
EXACT = 1e-12  # what rounding leaves of a margin of zero after polishing
CONSTRAINTS_A_ROUND = 400
UNMOVED = 1e-9  # share of a linear form that the directions may move by rounding
BELOW = 1e-8  # a minimum over the box that is not zero

Mask = NDArray[np.bool_]
FINITE, UP, DOWN, UNDETERMINED = "finite", "+inf", "-inf", "undetermined"


@dataclass(frozen=True, eq=False)
class SignedRows:
    """Rows of a design in working columns, with the sign that success or failure gives them.

    Attributes
    ----------
    design : Design
    working : WorkingColumns
        Centred and scaled.
    sign : (n,)
        +1 for rows of successes only, -1 for rows of failures only, 0 for rows with both.
    informative : (n,) bool
        Rows with trials.
    """

    design: Design
    working: WorkingColumns
    sign: FloatArray
    informative: Mask

    @classmethod
    def of(cls, design: Design) -> SignedRows:
        """Rows of a design of one linear predictor, with the signs that its likelihood says."""
        demands = likelihood_of(design).demands(design)
        assert isinstance(demands, Signs)
        return cls(design, boxed_columns(design), demands.sign, demands.informative)

    @property
    def coefficients(self) -> int:
        """Number of coefficients of a direction."""
        return self.design.columns

    def levels(self, level: NDArray[np.int_]) -> NDArray[np.int_]:
        """(n,) number of the direction that separates each row of the user's, from those of the demands; zero where none does."""
        return level

    def sides(self, level: NDArray[np.int_]) -> NDArray[np.int_]:
        """(n,) which way the predictor of each row of the user's goes."""
        return np.where(level > 0, self.sign, 0.0).astype(np.int_)

    def margins(self, d: FloatArray) -> FloatArray:
        """(n,) margin of every row along d."""
        along = linear_predictor(self.design.X, d, None, self.working.center, self.working.scale)
        return np.where(self.sign == 0.0, -np.abs(along), self.sign * along)

    def at(self, rows: NDArray[np.intp]) -> FloatArray:
        """(m, k) working columns of the rows at these positions."""
        return np.asarray(self.working.columns(self.design.X[rows]))

    def sum_of_margins(self, rows: Mask) -> FloatArray:
        """(k,) c with ``c'd`` the sum of the margins along d of the rows with one outcome."""
        total, start = np.zeros(self.design.columns), 0
        for block in self.design.blocks(TALL_ROWS):
            part = slice(start, start + len(block.successes))
            total += (self.sign[part] * rows[part]) @ self.working.columns(block.X)
            start = part.stop
        return total

    def unmoved(self, rows: Mask, tolerance: float) -> FloatArray:
        """(k, r) orthonormal directions along which these rows do not move."""
        R, start = np.zeros((0, self.coefficients)), 0
        for block in self.design.blocks(TALL_ROWS):
            part = slice(start, start + len(block.successes))
            start = part.stop
            if rows[part].any():
                Z = np.asarray(self.working.columns(block.X))[rows[part]]
                R = np.asarray(np.linalg.qr(np.vstack([R, Z]), mode="r"))
        return unmoved_by(R, tolerance)


def unmoved_by(R: FloatArray, tolerance: float) -> FloatArray:
    """(k, r) orthonormal directions d with ``R d = 0``."""
    if not len(R):
        return np.eye(R.shape[1])
    _, singular, right = np.linalg.svd(R, full_matrices=True)
    rank = int((singular > tolerance * max(1.0, singular.max(initial=0.0))).sum())
    return np.asarray(right[rank:].T)


def direction_of_recession(rows: SignedRows, among: Mask, first: FloatArray) -> FloatArray | None:
    """One direction with a positive margin in some of the rows `among` and a negative one in none; None if they overlap.

    The programme is solved on few rows; rows that its solution violates are added until there are none. Its objective
    is that of all rows, so a maximum of zero on few rows is a maximum of zero on all.

    Parameters
    ----------
    rows : SignedRows
    among : (n,) bool
    first : (n,)
        Rows with the smallest numbers are looked at first.
    """
    objective = rows.sum_of_margins(among)
    positions = np.flatnonzero(among)
    looked_at = np.unique(np.r_[_smallest(first, positions), positions[rows.sign[positions] == 0.0][:200]])
    while True:
        d = _solve_programme(rows.at(looked_at), rows.sign[looked_at], objective)
        if d is None or objective @ d <= VIOLATED:
            return None
        margin = rows.margins(d)
        violated = np.flatnonzero(among & (margin < -VIOLATED))
        fresh = np.setdiff1d(violated, looked_at, assume_unique=True)
        if not len(fresh):
            return _polished(rows, among, d, margin)
        looked_at = np.union1d(looked_at, _smallest(margin, fresh))


def _smallest(values: FloatArray, positions: NDArray[np.intp]) -> NDArray[np.intp]:
    """Those of the positions where the values are smallest, as many as are added in a round."""
    if len(positions) <= CONSTRAINTS_A_ROUND:
        return positions
    return positions[np.argpartition(values[positions], CONSTRAINTS_A_ROUND)[:CONSTRAINTS_A_ROUND]]


def _solve_programme(Z: FloatArray, sign: FloatArray, objective: FloatArray) -> FloatArray | None:
    both = sign == 0
    one_sided = np.unique(Z[~both] * sign[~both, None], axis=0)
    equal = np.unique(Z[both], axis=0)
    size = np.abs(objective).max()
    return _maximised(objective / size if size > 0.0 else objective, one_sided, equal)


def _maximised(objective: FloatArray, not_negative: FloatArray, zero: FloatArray) -> FloatArray | None:
    """Point of the box [-1, 1]^k with the largest objective, under ``not_negative @ d >= 0`` and ``zero @ d = 0``."""
    solution = linprog(
        -objective,
        A_ub=-not_negative if len(not_negative) else None,
        b_ub=np.zeros(len(not_negative)) if len(not_negative) else None,
        A_eq=zero if len(zero) else None,
        b_eq=np.zeros(len(zero)) if len(zero) else None,
        bounds=(-1.0, 1.0),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    return np.asarray(solution.x) if solution.x is not None else None


def _polished(rows: SignedRows, among: Mask, d: FloatArray, margin: FloatArray) -> FloatArray | None:
    """Make the zero margins of d exactly zero and check every row; None where nothing is left of d.

    A programme solved to a tolerance calls two points 1e-10 apart "separated" by a direction of that size. Rows of
    (nearly) zero margin must have margin zero in truth: d is projected on the directions that leave them alone. What
    overlaps, however little, leaves none.
    """
    free = rows.unmoved(among & (np.abs(margin) <= TIGHT), 1e-11)
    polished: FloatArray = free @ (free.T @ d) if free.shape[1] < len(d) else d
    size = float(np.abs(polished).max())
    if size < 1e-6:
        return None
    polished = polished / size
    polished[np.abs(polished) < EXACT] = 0.0
    exact = rows.margins(polished)[among]
    if exact.min() < -2.0 * EXACT * len(d) or exact.max() <= VIOLATED:
        return None
    return polished


def combined(rows: SignedRows, directions: list[FloatArray], level: NDArray[np.int_]) -> FloatArray:
    """One direction with a positive margin in every row that one of the directions separates, and a negative one in none.

    Each further direction is added so faintly that it outweighs none of those before it.
    """
    total = directions[0]
    for number, d in enumerate(directions[1:], start=2):
        before, added = rows.margins(total), rows.margins(d)
        against = (level > 0) & (level < number) & (added < 0.0)
        share = 0.5 * float((before[against] / -added[against]).min(initial=2.0))
        total = total + share * d
    return np.asarray(total / np.abs(total).max())


@dataclass(frozen=True, eq=False)
class RecessionCone:
    """All directions of recession of a design, and what they do to linear forms of the coefficients.

    A form a'gamma tends to +inf along *every* sequence of coefficients on which the likelihood tends to its supremum if
    and only if ``a'd`` is negative for no direction of the cone and not zero for all (Farkas' lemma: a is then a sum of the
    margins, on the span of the cone, and every margin tends to infinity). It stays finite if ``a'd`` is zero for all, and
    is left undetermined where ``a'd`` takes both signs.

    Attributes
    ----------
    rows : SignedRows
    separated : (n,) bool
        Rows with a positive margin for some direction.
    span : (k, r)
        Orthonormal basis of the cone's span: the directions that leave the other rows alone.
    """

    rows: SignedRows
    separated: Mask
    span: FloatArray
    _looked_at: list[NDArray[np.intp]] = field(default_factory=list)

    @classmethod
    def of(cls, rows: SignedRows, separated: Mask) -> RecessionCone:
        """Cone of a design of which these rows are separated."""
        if not separated.any():
            return cls(rows, separated, np.zeros((rows.coefficients, 0)))
        return cls(rows, separated, rows.unmoved(rows.informative & ~separated, 1e-10))

    def fates(self, A: FloatArray) -> list[str]:
        """For each row of A (m, k), what becomes of the form: "finite", "+inf", "-inf", or "undetermined"."""
        moved = A @ self.span
        still = np.abs(moved).max(axis=1, initial=0.0) <= UNMOVED * np.abs(A).sum(axis=1)
        known: dict[bytes, str] = {}
        found = []
        for form, stays in zip(moved, still, strict=True):
            if stays:
                found.append(FINITE)
                continue
            unit = form / np.abs(form).max()  # whose square is a number, however small those of the form
            unit = unit / np.linalg.norm(unit)
            key = np.round(unit, 12).tobytes()
            if key not in known:
                known[key] = self._fate(unit)
            found.append(known[key])
        return found

    def _fate(self, form: FloatArray) -> str:
        if len(form) == 1:
            upwards = float(self.rows.margins(self.span[:, 0])[self.separated].sum()) > 0.0
            return UP if (form[0] > 0.0) == upwards else DOWN
        falls, rises = self._reaches_below(form), self._reaches_below(-form)
        if falls and rises:
            return UNDETERMINED
        return DOWN if falls else UP

    def _reaches_below(self, form: FloatArray) -> bool:
        """Whether the form is negative somewhere in the cone; constraints are looked at a few at a time."""
        positions = np.flatnonzero(self.separated)
        if not self._looked_at:
            self._looked_at.append(_smallest(np.abs(self.rows.margins(self.span.sum(axis=1))), positions))
        while True:
            looked_at = self._looked_at[0]
            normals = (self.rows.at(looked_at) @ self.span) * self.rows.sign[looked_at, None]
            normals = np.unique(normals / np.linalg.norm(normals, axis=1, keepdims=True), axis=0)
            u = _maximised(-form, normals, np.zeros((0, len(form))))
            if u is None or form @ u > -BELOW:
                return False
            margin = self.rows.margins(self.span @ u)
            fresh = np.setdiff1d(np.flatnonzero(self.separated & (margin < -VIOLATED)), looked_at, assume_unique=True)
            if not len(fresh):
                return True
            self._looked_at[0] = np.union1d(looked_at, _smallest(margin, fresh))
