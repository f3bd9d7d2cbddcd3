"""Separation: a direction in which the likelihood rises for ever, so that no finite estimate exists.

The estimate exists if and only if no direction of recession has a positive margin in some row (Albert and Anderson 1984,
Biometrika 71, 1-10; Santner and Duffy 1986). Rows that a direction separates are set aside and the search goes on among the
others, until they overlap; what is left determines the finite coefficients (Geyer 2009, Electronic Journal of Statistics 3,
259-289). See recession.py for the search itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import SeparationError, listed
from logit_stats.estimation.demanding import demanding_rows
from logit_stats.estimation.recession import (
    DOWN,
    FINITE,
    UNDETERMINED,
    UP,
    VIOLATED,
    RecessionCone,
    SignedRows,
    combined,
    direction_of_recession,
)
from logit_stats.likelihoods.binomial import SEPARATION
from logit_stats.likelihoods.demands import SeparationWords
from logit_stats.likelihoods.of_design import likelihood_of
from logit_stats.likelihoods.working import WorkingColumns
from logit_stats.wording import WIDTH, lines

NO_ESTIMATE = "there is no finite maximum-likelihood estimate."
_LIMIT = {UP: float("inf"), DOWN: float("-inf")}


@dataclass(frozen=True, eq=False, repr=False)
class Separation:
    """What is separated, and in which direction.

    Attributes
    ----------
    kind : str
        ``"complete"``, ``"quasi-complete"`` or ``"none"``.
    names : tuple of str
        Coefficients.
    direction : (k,)
        Direction in the user's coefficients that separates every row that can be separated, and is anyone's to check:
        ``X @ direction`` is not negative for events, not positive for non-events, and zero for rows with both outcomes
        (several categories: it grows for no other category faster than for the row's own). Zeros where nothing is separated.
    directions : (levels, k)
        The first separates some rows and keeps the others at margin zero; each further one does the same among the rows
        that the ones before it leave.
    level : (n,) int
        For every row the number (from 1) of the direction that separates it; 0 where none does.
    side : (n,) int
        1 for rows predicted to be events in the limit, -1 for non-events, 0 for rows that are not separated. Of several
        categories: 1 for rows for which one becomes impossible.
    fates : tuple of str
        Where each coefficient goes as the likelihood tends to its supremum: "finite"; "+inf" or "-inf" whatever way
        that is; "undetermined" where that depends on the way.
    index : Index
        Labels of the rows.
    words : SeparationWords
        How the likelihood tells it.
    """

    kind: str
    names: tuple[str, ...]
    direction: FloatArray
    directions: FloatArray
    level: NDArray[np.int_]
    side: NDArray[np.int_]
    fates: tuple[str, ...]
    index: pd.Index
    words: SeparationWords = SEPARATION

    @property
    def remedies(self) -> tuple[str, ...]:
        """What can be done."""
        return self.words.remedies

    @property
    def limits(self) -> tuple[float, ...]:
        """Limit of each coefficient that has an infinite one; NaN for the others."""
        return tuple(_LIMIT.get(fate, float("nan")) for fate in self.fates)

    @property
    def rows(self) -> int:
        """Number of rows that are predicted perfectly in the limit."""
        return int((self.level > 0).sum())

    @property
    def row_labels(self) -> pd.Index:
        """Labels of these rows."""
        return self.index[self.level > 0]

    @property
    def columns(self) -> list[str]:
        """Columns that make up the direction."""
        return [name for name, value in zip(self.names, self.direction, strict=True) if value != 0.0]

    @property
    def infinite(self) -> dict[str, float]:
        """Columns whose coefficient has an infinite limit, with the limit."""
        return {name: limit for name, limit in zip(self.names, self.limits, strict=True) if np.isinf(limit)}

    @property
    def undetermined(self) -> list[str]:
        """Columns whose coefficient the data leave undetermined: every value is as likely as any other."""
        return [name for name, fate in zip(self.names, self.fates, strict=True) if fate == UNDETERMINED]

    @property
    def along(self) -> str:
        """The direction, written out as far as a sentence takes it."""
        parts = zip(self.names, self.direction, strict=True)
        terms = [f"{value:+.4g}*{name}" for name, value in parts if abs(value) > 1e-9]
        return " ".join(terms[:6]).removeprefix("+") + (" ..." if len(terms) > 6 else "")

    @property
    def without_limit(self) -> list[str]:
        """Coefficients without a finite limit, and where they go."""
        infinite = [f"{name} -> {'+' if limit > 0 else '-'}inf" for name, limit in self.infinite.items()]
        return [*infinite, *(f"{name} (undetermined)" for name in self.undetermined)]

    def summary_frame(self) -> pd.DataFrame:
        """One row a column: the direction, and where its coefficient goes."""
        return pd.DataFrame({"direction": self.direction, "coefficient": list(self.fates)}, index=list(self.names))

    def rows_frame(self) -> pd.DataFrame:
        """One row for each row that is predicted perfectly in the limit: as what, and by which of the directions."""
        here = self.level > 0
        predicted = {"predicted": np.where(self.side[here] > 0, "event", "non-event")} if self.words.sides else {}
        return pd.DataFrame({**predicted, "direction": self.level[here]}, index=self.row_labels)

    def _sentences(self) -> tuple[list[str], list[str]]:
        """Sentences above and below the table."""
        above = [f"{self.kind.capitalize()} separation: {NO_ESTIMATE}", self.words.limit(self)]
        below = [self.words.check]
        if self.undetermined:
            below.append(
                f"Undetermined: {listed(self.undetermined)}. The likelihood comes as near to its supremum with any value."
            )
        return above, below

    def __str__(self) -> str:
        if self.kind == "none":
            return "No separation: the maximum-likelihood estimate is finite."
        above, below = self._sentences()
        table = self.summary_frame().to_string(float_format=_signed, line_width=WIDTH)
        remedies = (lines(f"- {remedy}") for remedy in self.remedies)
        return "\n".join([*map(lines, above), "", table, "", *map(lines, below), "Remedies:", *remedies])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        if self.kind == "none":
            return f"<p>{self}</p>"
        above, below = ("".join(f"<p>{escape(line)}</p>" for line in part) for part in self._sentences())
        remedies = "".join(f"<li>{escape(remedy)}</li>" for remedy in self.remedies)
        table = self.summary_frame().to_html(float_format=_signed)
        return f"{above}{table}{below}<p>Remedies:</p><ul>{remedies}</ul>"


def _signed(value: float) -> str:
    return f"{value:+.4g}" if value else "0"


def find_separation(design: Design, gamma: FloatArray | None = None) -> Separation:
    """Search for directions of separation.

    Parameters
    ----------
    design : Design
        n rows of k columns, none a combination of others.
    gamma : (k,) or None
        Coefficients (of the user's columns) at which the iterations were: the rows that they predict worst are looked
        at first, which saves most of the work.

    Returns
    -------
    Separation
    """
    rows = demanding_rows(design)
    first = np.zeros(len(rows.sign)) if gamma is None else rows.margins(rows.working.gamma(gamma))
    directions, level, left = directions_of(rows, first)
    if not directions:
        return no_separation(design)
    return Separation(
        kind="quasi-complete" if left.any() else "complete",
        names=design.coefficient_names,
        direction=user_direction(rows.working, combined(rows, directions, level)),
        directions=np.array([user_direction(rows.working, d) for d in directions]),
        level=rows.levels(level),
        side=rows.sides(level),
        fates=tuple(RecessionCone.of(rows, level > 0).fates(rows.working.matrix(rows.coefficients))),
        index=design.index,
        words=likelihood_of(design).separation,
    )


def directions_of(rows: SignedRows, first: FloatArray) -> tuple[list[FloatArray], NDArray[np.int_], NDArray[np.bool_]]:
    """Directions one after the other, the number (from 1) of the one that separates each row, and the rows that none does."""
    left = rows.informative.copy()
    level = np.zeros(len(left), dtype=np.int_)
    directions: list[FloatArray] = []
    while left.any():
        d = direction_of_recession(rows, left, first)
        if d is None:
            break
        directions.append(d)
        separated = left & (rows.margins(d) > VIOLATED)
        level[separated] = len(directions)
        left &= ~separated
    return directions, level, left


def no_separation(design: Design) -> Separation:
    """Return what is to be said of a design whose estimate is finite."""
    names, nowhere = design.coefficient_names, np.zeros(design.rows, dtype=np.int_)
    k = len(names)
    return Separation(
        "none", names, np.zeros(k), np.zeros((0, k)), nowhere, nowhere, (FINITE,) * k, design.index,
        likelihood_of(design).separation,
    )  # fmt: skip


def separation_error(design: Design, separation: Separation) -> SeparationError:
    """Return the error that says what is separated, by which columns, in which direction and in how many rows."""
    said = separation.words.error(design, separation)
    return SeparationError(f"{separation.kind.capitalize()} separation: {NO_ESTIMATE} {said}", separation)


def user_direction(working: WorkingColumns, d: FloatArray) -> FloatArray:
    """Return the direction in the user's coefficients; what cancels in the constant is zero."""
    A = working.matrix(len(d))
    direction: FloatArray = A @ d
    direction[np.abs(direction) < 1e-10 * (np.abs(A) @ np.abs(d))] = 0.0
    largest = np.abs(direction).max()
    return direction / largest if largest > 0 else direction
