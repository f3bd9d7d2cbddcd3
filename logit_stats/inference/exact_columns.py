"""From the rows of a design to the integer patterns that the exact distribution is computed over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import NotAvailableError
from logit_stats.inference.exact_network import Integers, Patterns

# Decimal places, and denominators, that are tried for values which are no whole numbers.
DECIMALS = 9
DENOMINATOR = 1000


@dataclass(frozen=True, eq=False)
class ExactProblem:
    """Patterns, and how their integers stand for the values of the free columns.

    Attributes
    ----------
    patterns : Patterns
        With held columns as integers; its free columns are integers where `units` is given.
    free : (P, r)
        Values of the free columns.
    units : (r,) or None
        A free column is ``origins + units * integer``; None where its values lie on no grid.
    origins : (r,)
    observed : (r,)
        Observed sums of the free columns over the events.
    """

    patterns: Patterns
    free: FloatArray
    units: FloatArray | None
    origins: FloatArray
    observed: FloatArray

    @property
    def events(self) -> float:
        """Number of events of all strata, which `patterns` hold."""
        return 0.0 if self.patterns.events is None else float(self.patterns.events.sum())


def exact_problem(design: Design, free: Sequence[int], strata: NDArray[np.intp] | None = None) -> ExactProblem:
    """Patterns of a design: columns `free` are asked about, sums of the others are held.

    Parameters
    ----------
    design : Design
    free : sequence of int
        Positions of columns.
    strata : (n,) int, optional
        Stratum of each row, whose number of events is held.

    Raises
    ------
    NotAvailableError
        If there are sampling weights or an offset, or a held column lies on no grid.
    """
    design.require_rows()
    _refuse(design)
    X = np.asarray(design.X)
    held = [j for j in range(design.columns) if j not in free]
    counted = strata is not None or _spans_constant(X[:, held])
    stratum = np.zeros(design.rows, dtype=np.intp) if strata is None else strata
    events, outcomes = _counts(design)
    columns = np.column_stack([stratum, X[:, held], X[:, list(free)]])
    distinct, which = np.unique(columns, axis=0, return_inverse=True)
    y = np.bincount(which.ravel(), events).round().astype(np.int64)
    trials = np.bincount(which.ravel(), outcomes).round().astype(np.int64)
    code = np.unique(distinct[:, 0], return_inverse=True)[1].astype(np.int64)
    grids = [_held_grid(distinct[:, 1 + i], design.names[j], counted, code) for i, j in enumerate(held)]
    of_held = np.column_stack([np.zeros((len(y), 0), dtype=np.int64), *[g for g in grids if g is not None]])
    values = distinct[:, 1 + len(held) :]
    whole = [on_grid(column, counted) for column in values.T]
    units = None if any(grid is None for grid in whole) else np.array([grid[2] for grid in whole if grid is not None])
    integers = np.column_stack([np.zeros(len(y), dtype=np.int64) if g is None else g[0] for g in whole])
    patterns = Patterns(
        held=of_held,
        free=integers,
        trials=trials,
        stratum=code,
        total=y @ of_held,
        events=np.bincount(code, y).round().astype(np.int64) if counted else None,
    )
    origins = np.array([0.0 if grid is None else grid[1] for grid in whole])
    return ExactProblem(patterns, values, units, origins, y @ values)


def _refuse(design: Design) -> None:
    if design.weight_kind == "sampling":
        raise NotAvailableError(
            "Exact inference counts the response vectors of a sample; under sampling weights there is no such count. Use the "
            "robust Wald tests of fit()."
        )
    if design.offset is not None:
        raise NotAvailableError(
            "Exact inference holds sums of columns fixed; an offset is no column. Leave it out, or use profile limits."
        )


def _counts(design: Design) -> tuple[FloatArray, FloatArray]:
    """Events and outcomes of every row, frequency weights counted."""
    weight = np.ones(design.rows) if design.frequency is None else design.frequency
    trials = 1.0 if design.response.trials is None else design.response.trials
    return weight * design.response.successes, weight * trials


def _spans_constant(columns: FloatArray) -> bool:
    """Whether some combination of the columns is one in every row."""
    if columns.shape[1] == 0:
        return False
    ones = np.ones(len(columns))
    return bool(np.abs(columns @ np.linalg.lstsq(columns, ones, rcond=None)[0] - 1.0).max() < 1e-8)


def _held_grid(column: FloatArray, name: str, counted: bool, stratum: Integers) -> Integers | None:
    """Integers for a held column; None where the number of events of each stratum holds its sum already."""
    constant = all(np.ptp(column[stratum == g]) == 0.0 for g in np.unique(stratum))
    if counted and constant:
        return None
    grid = on_grid(column, counted)
    if grid is None:
        raise NotAvailableError(
            f"The sum of {name!r} must be held fixed, and its values lie on no grid: no other response vector has the same "
            f"sum, so that nothing is left to compare with. Round or group {name!r}, or use fit_firth()."
        )
    return grid[0]


def on_grid(column: FloatArray, shift: bool = True) -> tuple[Integers, float, float] | None:
    """A column as ``origin + unit * integer`` with the largest unit: integers, origin, unit; None where there is none.

    Parameters
    ----------
    column : (n,)
    shift : bool
        Whether the origin may be other than zero (the least value).

    Examples
    --------
    >>> on_grid(np.array([2.5, 4.0, 3.5]))
    (array([0, 3, 2]), 2.5, 0.5)
    """
    origin = float(column.min()) if shift and len(column) else 0.0
    values = column - origin
    precision = 8.0 * np.finfo(float).eps * float(np.abs(column).max(initial=0.0))
    for denominator in (*(10**d for d in range(DECIMALS + 1)), _common_denominator(values, precision)):
        scaled = values * denominator
        integers = np.rint(scaled)
        if np.abs(integers).max(initial=0.0) < 2**52 and (np.abs(scaled - integers) <= precision * denominator).all():
            if precision * denominator > 1e-3:
                return None
            common = max(int(np.gcd.reduce(integers.astype(np.int64))), 1) if len(integers) else 1
            return integers.astype(np.int64) // common, origin, common / denominator
    return None


def _common_denominator(values: FloatArray, precision: float) -> int:
    """Least common denominator of values that are fractions with small ones; 1 where they are not."""
    common = 1
    for value in np.unique(values).tolist():
        fraction = Fraction(value).limit_denominator(DENOMINATOR)
        if abs(float(fraction) - value) > precision:
            return 1
        common = math.lcm(common, fraction.denominator)
        if common > 10**9:
            return 1
    return common
