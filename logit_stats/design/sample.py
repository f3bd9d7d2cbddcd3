"""`Sample`: what became of the rows that were read: which were used, which were left out, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.errors import MissingDataError, NoRowsError, listed, listed_rows

Mask = NDArray[np.bool_]


class Expression(str):
    """Name of an expression that has no value in some rows, although all of its variables have one there: ``np.log(x)``."""

    __slots__ = ("says",)
    says: str

    def __new__(cls, name: str, numeric: bool = True) -> Self:
        """Return the name, with what is to be said of the rows."""
        made = super().__new__(cls, name)
        made.says = "is not a number" if numeric else "has no value"
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Expression, (str(self), self.says == "is not a number")


@dataclass(frozen=True, eq=False)
class Sample:
    """The account of the rows of a fit.

    Attributes
    ----------
    index : Index
        Labels of all rows read.
    used : (rows read,) bool
        Rows that entered the fit.
    outside_subset : int
        Rows left out because `subset` excludes them.
    missing : dict of str to (rows read,) bool
        For each variable with missing values, the rows (inside the subset) in which it is missing; for an `Expression` those
        in which only its value is.
    zero_weight : (rows read,) bool
        Complete rows with a weight, or a number of trials, of zero.
    events, nonevents : float
        Number of successes and failures in the rows used (frequency weights and trials counted).
    categories : tuple of (str, float)
        For a response of several categories, their numbers in the rows used.
    no_trials : (rows read,) bool or None
        Those of the rows under `zero_weight` in which nothing was tried.
    uninformative : dict of str to (rows read,) bool
        Rows of groups in which every outcome is the same, by what the groups are called; they say nothing of a model that gives
        each group an effect of its own.
    taken_out : (rows read,) bool or None
        Rows that were taken out after the fit, as if they had never been read: no part of a survey's design either.
    """

    index: pd.Index
    used: Mask
    outside_subset: int
    missing: dict[str, Mask]
    zero_weight: Mask
    events: float
    nonevents: float
    categories: tuple[tuple[str, float], ...] = ()
    no_trials: Mask | None = None
    uninformative: dict[str, Mask] = field(default_factory=dict)
    taken_out: Mask | None = None

    @property
    def read(self) -> int:
        """Number of rows read."""
        return len(self.used)

    @property
    def dropped(self) -> int:
        """Number of rows dropped for missing values."""
        return int(_any(self.missing, self.read).sum())

    @property
    def dropped_by(self) -> dict[str, int]:
        """Number of rows in which each variable is missing (a row can count for several variables)."""
        return {name: int(rows.sum()) for name, rows in self.missing.items()}

    def line(self) -> str:
        """The account in one line."""
        parts = [f"{self.read} rows read"]
        if self.outside_subset:
            parts.append(f"{self.outside_subset} outside the subset")
        if self.dropped:
            parts.append(f"{self.dropped} dropped {self._dropped_why()}")
        idle = 0 if self.no_trials is None else int(self.no_trials.sum())
        if idle:
            parts.append(f"{idle} without trials")
        if int(self.zero_weight.sum()) > idle:
            parts.append(f"{int(self.zero_weight.sum()) - idle} of zero weight")
        for name, rows in self.uninformative.items():
            parts.append(f"{int(rows.sum())} in {name} without variation")
        outcome = f"{_count(self.events)} events, {_count(self.nonevents)} non-events"
        if self.categories:
            outcome = ", ".join(f"{_count(number)} {name}" for name, number in self.categories)
        return f"{', '.join(parts)}, {int(self.used.sum())} used: {outcome}"

    def _dropped_why(self) -> str:
        variables = [f"{name} {rows}" for name, rows in self.dropped_by.items() if not isinstance(name, Expression)]
        expressions = [(name, rows) for name, rows in self.dropped_by.items() if isinstance(name, Expression)]
        reasons = [f"for missing values ({', '.join(variables)})"] if variables else []
        alone = not variables and len(expressions) == 1
        reasons += [f"because {name} {name.says}" + ("" if alone else f" ({rows})") for name, rows in expressions]
        return " or ".join(reasons)

    def left_out(self) -> pd.Series:
        """Rows that were left out, by label, each with the reason."""
        reasons = np.full(self.read, "", dtype=object)
        reasons[~self.used] = "outside subset"
        reasons[self.zero_weight] = "zero weight"
        if self.no_trials is not None:
            reasons[self.no_trials] = "no trials"
        for name, rows in self.uninformative.items():
            reasons[rows] = f"{name} without variation"
        for name, rows in self.missing.items():
            for row in np.flatnonzero(rows):
                reasons[row] = _with_reason(reasons[row], name)
        return pd.Series(reasons[~self.used], index=self.index[~self.used], name="reason")

    def __str__(self) -> str:
        return self.line()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def _with_reason(said: str, name: str) -> str:
    """What was said of a row, and that `name` is missing there."""
    if isinstance(name, Expression):
        return f"{said}, {name} {name.says}" if said.startswith("missing ") else f"{name} {name.says}"
    return f"{said}, {name}" if said.startswith("missing ") else f"missing {name}"


def _said(name: str) -> str:
    return f"{name} {name.says}" if isinstance(name, Expression) else name


def _count(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.6g}"


def _any(masks: dict[str, Mask], rows: int) -> Mask:
    combined = np.zeros(rows, dtype=np.bool_)
    for mask in masks.values():
        combined |= mask
    return combined


@dataclass(frozen=True, slots=True)
class Screening:
    """The rows of a table on their way into a fit: which are inside the subset, and what is missing in these.

    Attributes
    ----------
    index : Index
        Labels of all rows read.
    inside : (rows read,) bool or None
        Rows inside the subset; None for all.
    """

    index: pd.Index
    inside: Mask | None

    @property
    def rows(self) -> int:
        """Number of rows inside the subset."""
        return len(self.index) if self.inside is None else int(self.inside.sum())

    @property
    def labels(self) -> pd.Index:
        """Labels of the rows inside the subset."""
        return self.index if self.inside is None else self.index[self.inside]

    def keep(self, missing: dict[str, Mask], weight_zero: Mask | None, policy: str) -> Mask | None:
        """Rows (inside the subset) to use; None for all.

        Raises
        ------
        MissingDataError
            If values are missing and `policy` is not ``"drop"``.
        NoRowsError
            If no row is left.
        """
        if missing and policy != "drop":
            lines = [
                f"{_said(name)} in {int(rows.sum())} row{'s' if rows.sum() > 1 else ''} "
                f"(row {listed_rows(np.asarray(self.labels)[rows], 3)})"
                for name, rows in missing.items()
            ]
            raise MissingDataError(
                f'Values are missing: {listed(lines, 8)}. Fill them, or leave these rows out with missing="drop".'
            )
        if not missing and weight_zero is None:
            if self.rows == 0:
                raise NoRowsError("There is no row to fit: the data, or the subset of them, are empty.")
            return None
        keep = ~_any(missing, self.rows)
        if weight_zero is not None:
            keep &= ~weight_zero
        if not keep.any():
            by = listed([f"{_said(name)} in {int(rows.sum())}" for name, rows in missing.items()], 8)
            why = f"missing values: {by}" if missing else "every weight, or number of trials, is zero"
            raise NoRowsError(f"No row is left of the {self.rows} read ({why}).")
        return keep

    def account(
        self,
        missing: dict[str, Mask],
        weight_zero: Mask | None,
        keep: Mask | None,
        events: float,
        nonevents: float,
        categories: tuple[tuple[str, float], ...] = (),
        no_trials: Mask | None = None,
    ) -> Sample:
        """Return the `Sample` of a finished screening."""
        rows = len(self.index)
        used = self._whole(np.ones(self.rows, dtype=np.bool_) if keep is None else keep)
        zero, idle = np.zeros(rows, dtype=np.bool_), None
        if weight_zero is not None:
            complete = ~_any(missing, self.rows)
            zero = self._whole(weight_zero & complete)
            idle = None if no_trials is None else self._whole(no_trials & complete)
        whole_missing = {name: self._whole(mask) for name, mask in missing.items()}
        return Sample(self.index, used, rows - self.rows, whole_missing, zero, events, nonevents, categories, idle)

    def _whole(self, mask: Mask) -> Mask:
        """Return a mask over all rows read from one over the rows inside the subset."""
        if self.inside is None:
            return mask
        whole = np.zeros(len(self.index), dtype=np.bool_)
        whole[self.inside] = mask
        return whole
