"""Separation of rows that are read in passes, decided exactly without ever holding them.

If all rows are separated along a direction, so are some of them, as long as these have columns of full rank: no direction but
zero is then indifferent to all of them. So the rows that contradict the iterations most, and those at the ends of the
columns, are looked at first. If they are not separated, nothing is. If they are, one pass asks every other row; the rows that
object join them, until none objects, or the direction is gone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.streamed import StreamedDesign, joined
from logit_stats.errors import SeparationError
from logit_stats.estimation.separation import Separation, find_separation
from logit_stats.likelihoods.working import WorkingColumns

PICKED = 2048
ROUNDS = 10
# A margin below this share of the largest possible one is an objection, and no rounding.
OBJECTION = 1e-9


@dataclass(frozen=True, eq=False)
class Objections:
    """The rows with the smallest margins.

    Attributes
    ----------
    margin : (m,)
    design : Design
        These rows, in memory.
    separated, objecting : float
        How many of all rows have a positive margin, and a negative one.
    """

    margin: FloatArray
    design: Design
    separated: float
    objecting: float

    def __add__(self, other: Objections) -> Objections:
        margin = np.concatenate([self.margin, other.margin])
        both = joined([self.design, other.design])
        chosen = np.sort(np.argsort(margin, kind="stable")[:PICKED])
        return Objections(
            margin[chosen], both.at(chosen), self.separated + other.separated, self.objecting + other.objecting
        )


@dataclass(frozen=True, eq=False)
class Along:
    """Margins of a range of rows along a direction of the user's coefficients."""

    direction: FloatArray

    def __call__(self, design: Design) -> Objections:
        """Of one range of rows."""
        X = np.asarray(design.X)
        y = design.response.successes
        m = np.ones_like(y) if design.response.trials is None else design.response.trials
        score = X @ self.direction
        size = np.abs(X) @ np.abs(self.direction)
        # a row of both outcomes objects to any movement
        margin = np.where(y == m, score, np.where(y == 0.0, -score, -np.abs(score)))
        margin = np.where(np.abs(margin) <= OBJECTION * size, 0.0, margin)
        chosen = np.sort(np.argsort(margin, kind="stable")[:PICKED])
        return Objections(margin[chosen], design.at(chosen), float((margin > 0.0).sum()), float((margin < 0.0).sum()))


@dataclass(frozen=True, eq=False)
class AtEnds:
    """Rows at the ends of the columns, of a range of rows."""

    low: FloatArray
    high: FloatArray

    def __call__(self, design: Design) -> Spread | None:
        """Of one range of rows."""
        X = np.asarray(design.X)
        at = np.concatenate([_firsts(self.low == X), _firsts(self.high == X)])
        return Spread(design.at(np.unique(at)), self.low, self.high) if len(at) else None


def _firsts(here: np.ndarray) -> np.ndarray:
    """For each column the first row in which it holds, as far as there is one."""
    return np.asarray([int(column.argmax()) for column in here.T if column.any()], dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Spread:
    """Rows that span the columns."""

    design: Design
    low: FloatArray
    high: FloatArray

    def __add__(self, other: Spread) -> Spread:
        both = joined([self.design, other.design])
        X = np.asarray(both.X)
        at = np.unique(np.concatenate([_firsts(self.low == X), _firsts(self.high == X)]))
        return Spread(both.at(at), self.low, self.high)


def refuse_streamed_separation(design: StreamedDesign, gamma: FloatArray, working: WorkingColumns) -> None:
    """Raise `SeparationError` where there is no finite estimate.

    Parameters
    ----------
    design : StreamedDesign
    gamma : (k,)
        Working coefficients at which the iterations are.
    working : WorkingColumns
    """
    ends = next(design.column_ends())
    spanning: Spread = design.sum(AtEnds(ends[0], ends[1]), "separation")
    worst: Objections = design.sum(Along(working.beta(gamma)), "separation")
    rows = [spanning.design, worst.design]
    for _ in range(ROUNDS):
        some = joined(rows)
        if np.linalg.matrix_rank(np.asarray(working.columns(np.asarray(some.X)))) < design.columns:
            rows.append(design.kept)
            some = joined(rows)
            if np.linalg.matrix_rank(np.asarray(working.columns(np.asarray(some.X)))) < design.columns:
                return
        found = find_separation(some)
        if found.kind == "none":
            return
        asked: Objections = design.sum(Along(found.direction), "separation")
        if asked.objecting == 0.0:
            raise _error(design, found, int(asked.separated))
        rows.append(asked.design)


def _error(design: StreamedDesign, found: Separation, separated: int) -> SeparationError:
    terms = [
        f"{value:+.4g}*{name}" for name, value in zip(found.names, found.direction, strict=True) if abs(value) > 1e-9
    ]
    shown = " ".join(terms[:6]).removeprefix("+") + (" ..." if len(terms) > 6 else "")
    infinite = [f"{name} -> {'+' if limit > 0 else '-'}inf" for name, limit in found.infinite.items()]
    infinite += [f"{name} (undetermined)" for name in found.undetermined]
    kind = "Complete" if separated == design.rows else "Quasi-complete"
    return SeparationError(
        f"{kind} separation: there is no finite maximum-likelihood estimate. Along {shown} the likelihood keeps rising; in the "
        f"limit {separated} of {design.rows} rows are predicted perfectly. Coefficients without a finite limit: "
        f"{', '.join(infinite[:6])}. Join sparse levels, leave the columns out, or fit a table of counts in memory "
        f"(freq_weights=) with fit_firth() or fit_limit().",
        found,
    )
