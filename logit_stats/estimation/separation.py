"""Separation: a direction in which the likelihood rises for ever, so that no finite estimate exists.

The estimate exists if and only if no direction d has ``c_i = s_i z_i'd >= 0`` for every row with one positive, where
s_i is +1 for an all-success row, -1 for an all-failure row, and a row with both outcomes demands ``z_i'd = 0`` (Albert
and Anderson 1984, Biometrika 71, 1-10; Santner and Duffy 1986). The search is a linear programme (Konis 2007):
maximise the sum of c_i over a box. Rows that a direction separates are set aside and the search goes on among the
others, until they overlap; what is left determines the finite coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import SeparationError, listed_rows
from logit_stats.estimation.moments import working_columns
from logit_stats.estimation.working import WorkingColumns, centred_columns

VIOLATED = 1e-9  # of the linear programme's box; HiGHS is asked for 1e-10
TIGHT = 2e-9  # margins that the programme may have meant to be zero
EXACT = 1e-12  # what rounding leaves of a margin of zero after polishing
CONSTRAINTS_A_ROUND = 400


@dataclass(frozen=True, eq=False, repr=False)
class Separation:
    """What is separated, and in which direction.

    Attributes
    ----------
    kind : str
        ``"complete"``, ``"quasi-complete"`` or ``"none"``.
    names : tuple of str
        Design columns.
    directions : (levels, k)
        Directions in the user's coefficients. The first separates some rows and keeps the others at margin zero; each
        further one does the same among the rows that the ones before it leave.
    level : (n,) int
        For every row the number (from 1) of the direction that separates it; 0 where none does.
    limits : tuple of float
        Where each coefficient goes along the directions: inf, -inf, or NaN for a finite limit.
    """

    kind: str
    names: tuple[str, ...]
    directions: FloatArray
    level: NDArray[np.int_]
    limits: tuple[float, ...]

    def summary_frame(self) -> pd.DataFrame:
        """One row a column: the direction (the first), and where its coefficient goes."""
        first = self.directions[0] if len(self.directions) else np.zeros(len(self.names))
        goes = ["finite" if np.isnan(limit) else f"{'+' if limit > 0 else '-'}inf" for limit in self.limits]
        return pd.DataFrame({"direction": first, "coefficient": goes}, index=list(self.names))

    def __str__(self) -> str:
        if self.kind == "none":
            return "No separation: the maximum-likelihood estimate is finite."
        table = self.summary_frame().to_string(float_format="{:+.4g}".format)
        return (
            f"{self.kind.capitalize()} separation: {self.rows} of {len(self.level)} rows are predicted perfectly in the limit.\n"
            f"{table}\nAlong the direction no row is predicted worse, however far one goes: X @ direction is not negative for "
            f"events and not positive for non-events. Remedies: fit_firth(), joining sparse levels, leaving the columns out."
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        first, _, rest = str(self).partition("\n")
        if self.kind == "none":
            return f"<p>{first}</p>"
        return f"<p>{first}</p>{self.summary_frame().to_html(float_format='{:+.4g}'.format)}<p>{rest.rpartition(chr(10))[2]}</p>"

    @property
    def rows(self) -> int:
        """Number of rows that are predicted perfectly in the limit."""
        return int((self.level > 0).sum())

    @property
    def infinite(self) -> dict[str, float]:
        """Columns whose coefficient has no finite limit, with the limit."""
        return {name: limit for name, limit in zip(self.names, self.limits, strict=True) if np.isinf(limit)}


def find_separation(design: Design, gamma: FloatArray | None = None) -> Separation:
    """Search for directions of separation.

    Parameters
    ----------
    design : Design
        n rows of k columns.
    gamma : (k,) or None
        Coefficients (of the user's columns) at which the iterations were: the rows that they predict worst are looked
        at first, which saves most of the work.

    Returns
    -------
    Separation
    """
    working = centred_columns(design)
    Z = working_columns(design.X, working.center, working.scale)
    sign = _signs(design)
    first = np.zeros(design.rows) if gamma is None else np.where(sign == 0, 0.0, sign * (design.X @ gamma))
    left = np.ones(design.rows, dtype=np.bool_)
    level = np.zeros(design.rows, dtype=np.int_)
    directions: list[FloatArray] = []
    while left.any():
        d = _direction(Z[left], sign[left], first[left])
        if d is None:
            break
        directions.append(d)
        separated = np.zeros(design.rows, dtype=np.bool_)
        separated[left] = np.abs(Z[left] @ d) > VIOLATED
        level[separated] = len(directions)
        left &= ~separated
    if not directions:
        return Separation("none", design.names, np.zeros((0, design.columns)), level, (float("nan"),) * design.columns)
    in_user_columns = np.array([_user_direction(working, d) for d in directions])
    kind = "complete" if not left.any() else "quasi-complete"
    limits = _limits(in_user_columns, _undetermined(Z[left], working))
    return Separation(kind, design.names, in_user_columns, level, limits)


def separation_error(design: Design, separation: Separation) -> SeparationError:
    """Return the error that says what is separated, by which columns, in which direction and in how many rows."""
    direction = separation.directions[0]
    largest = np.abs(direction).max()
    terms = [
        f"{value / largest:+.4g}*{name}"
        for name, value in zip(separation.names, direction, strict=True)
        if abs(value) > 1e-9 * largest
    ]
    infinite = [f"{name} -> {'+' if limit > 0 else '-'}inf" for name, limit in separation.infinite.items()]
    rows = np.flatnonzero(separation.level == 1)
    shown = " ".join(terms[:6]).removeprefix("+") + (" ..." if len(terms) > 6 else "")
    message = (
        f"{separation.kind.capitalize()} separation: there is no finite maximum-likelihood estimate. "
        f"Along {shown} the likelihood keeps rising; in the limit {separation.rows} of {design.rows} rows are predicted "
        f"perfectly (row {listed_rows(np.asarray(design.index)[rows])}). Coefficients without a limit: "
        f"{', '.join(infinite[:6])}{' ...' if len(infinite) > 6 else ''}. "
        f"Use Firth's penalized likelihood (fit_firth()), join sparse levels, or leave the columns out."
    )
    return SeparationError(message, separation)


def _signs(design: Design) -> FloatArray:
    """+1 for rows of successes only, -1 for rows of failures only, 0 for rows with both."""
    y = design.response.successes
    trials = np.ones_like(y) if design.response.trials is None else design.response.trials
    return np.asarray(np.where(y == trials, 1.0, np.where(y == 0.0, -1.0, 0.0)))


def _direction(Z: FloatArray, sign: FloatArray, first: FloatArray) -> FloatArray | None:
    """One direction that separates some of the rows and none wrongly; None where they overlap.

    The programme is solved on few rows; rows that its solution violates are added until there are none. Its objective
    is that of all rows, so a maximum of zero on few rows is a maximum of zero on all.
    """
    objective = sign @ Z
    looked_at = np.unique(
        np.r_[np.argsort(first, kind="stable")[:CONSTRAINTS_A_ROUND], np.flatnonzero(sign == 0)[:200]]
    )
    while True:
        d = _solve_programme(Z[looked_at], sign[looked_at], objective)
        if d is None or objective @ d <= VIOLATED:
            return None
        margin = Z @ d
        margin = np.where(sign == 0, -np.abs(margin), sign * margin)
        violated = np.flatnonzero(margin < -VIOLATED)
        fresh = np.setdiff1d(violated, looked_at)
        if not len(fresh):
            return _polished(Z, sign, d, margin)
        worst = fresh[np.argsort(margin[fresh], kind="stable")[:CONSTRAINTS_A_ROUND]]
        looked_at = np.union1d(looked_at, worst)


def _solve_programme(Z: FloatArray, sign: FloatArray, objective: FloatArray) -> FloatArray | None:
    both = sign == 0
    one_sided = np.unique(Z[~both] * sign[~both, None], axis=0)
    equal = np.unique(Z[both], axis=0)
    size = np.abs(objective).max()
    if size == 0.0:
        size = 1.0
    solution = linprog(
        -objective / size,
        A_ub=-one_sided if len(one_sided) else None,
        b_ub=np.zeros(len(one_sided)) if len(one_sided) else None,
        A_eq=equal if len(equal) else None,
        b_eq=np.zeros(len(equal)) if len(equal) else None,
        bounds=(-1.0, 1.0),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    return np.asarray(solution.x) if solution.x is not None else None


def _polished(Z: FloatArray, sign: FloatArray, d: FloatArray, margin: FloatArray) -> FloatArray | None:
    """Make the zero margins of d exactly zero and check every row; None where nothing is left of d.

    A programme solved to a tolerance calls two points 1e-10 apart "separated" by a direction of that size. Rows of
    (nearly) zero margin must have margin zero in truth: d is projected on the directions that leave them alone. What
    overlaps, however little, leaves none.
    """
    tight = np.abs(margin) <= TIGHT
    if tight.any():
        R = np.linalg.qr(Z[tight], mode="r")
        _, singular, rows = np.linalg.svd(R, full_matrices=True)
        rank = int((singular > 1e-11 * max(1.0, singular.max(initial=0.0))).sum())
        free = rows[rank:]
        polished: FloatArray = free.T @ (free @ d)
    else:
        polished = d
    size = float(np.abs(polished).max())
    if size < 1e-6:
        return None
    polished = polished / size
    polished[np.abs(polished) < EXACT] = 0.0
    exact = Z @ polished
    exact = np.where(sign == 0, -np.abs(exact), sign * exact)
    if exact.min() < -EXACT * max(1.0, float(np.abs(Z).max())) * len(d) or exact.max() <= VIOLATED:
        return None
    return polished


def _user_direction(working: WorkingColumns, d: FloatArray) -> FloatArray:
    """Return the direction in the user's coefficients; what cancels in the constant is zero."""
    A = working.matrix(len(d))
    direction: FloatArray = A @ d
    direction[np.abs(direction) < 1e-10 * (np.abs(A) @ np.abs(d))] = 0.0
    largest = np.abs(direction).max()
    return direction / largest if largest > 0 else direction


def _undetermined(Z: FloatArray, working: WorkingColumns) -> NDArray[np.bool_]:
    """Coefficients (of the user's columns) that the rows not separated leave undetermined."""
    k = Z.shape[1]
    A = working.matrix(k)
    if len(Z) == 0:
        return np.ones(k, dtype=np.bool_)
    R = np.linalg.qr(Z, mode="r")
    _, singular, rows = np.linalg.svd(R, full_matrices=True)
    rank = int((singular > 1e-10 * singular.max(initial=1e-300)).sum())
    moving = np.abs(A @ rows[rank:].T).max(axis=1, initial=0.0)
    return np.asarray(moving > 1e-9 * np.abs(A).sum(axis=1))


def _limits(directions: FloatArray, undetermined: NDArray[np.bool_]) -> tuple[float, ...]:
    """Sign of the first direction that moves each coefficient; NaN where none does."""
    limits = []
    for j, free in enumerate(undetermined):
        moves = directions[:, j][directions[:, j] != 0.0]
        limits.append(float(np.copysign(np.inf, moves[0])) if free and len(moves) else float("nan"))
    return tuple(limits)
