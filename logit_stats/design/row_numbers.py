"""Offsets, weights and trials: one number a row, given as a column name or as an array, checked and named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.alignment import in_row_order
from logit_stats.design.block import FloatArray
from logit_stats.design.containers import numbers_of
from logit_stats.design.table import Table
from logit_stats.errors import NonFiniteError, WeightError, counted, listed_rows

# The argument of an offset that is all shift.
PREVALENCE = "population_prevalence"


@dataclass(frozen=True, eq=False)
class RowNumbers:
    """One number for every row.

    Attributes
    ----------
    argument : str
        ``"offset"``, ``"freq_weights"``, ``"sampling_weights"`` or ``"trials"``.
    column : str or None
        Name of the column they came from; None where an array was given.
    values : (n,)
        NaN where missing.
    shift : float
        What of an offset belongs to the sample and not to its rows: it is left out of predictions and effects.
    """

    argument: str
    column: str | None
    values: FloatArray
    shift: float = 0.0

    @property
    def of_rows(self) -> FloatArray | None:
        """(n,) the numbers without the shift; None where they are nothing else."""
        return None if self.argument == PREVALENCE else self.values - self.shift if self.shift else self.values

    @property
    def label(self) -> str:
        """How messages and accounts call them."""
        return self.column if self.column is not None else self.argument


def row_numbers(
    argument: str, given: Any, table: Table | None, index: pd.Index, *, labelled: bool = True
) -> RowNumbers | None:
    """Read an argument that gives one number a row.

    Parameters
    ----------
    argument : str
        Its name, for messages.
    given : str, array, Series or None
        A column of `table`, or the numbers.
    table : Table or None
        Where a column name is looked up; None for array fits.
    index : Index
        Labels of the rows read.
    labelled : bool
        Whether these are the data's own, by which a Series is put in order; if not, it is taken by position.

    Raises
    ------
    MissingColumnError
        If the column is not there.
    WeightError
        If the numbers are not numbers, or not one for each row.
    """
    if given is None:
        return None
    column = None
    if isinstance(given, str):
        if table is None:
            raise WeightError(f"{argument}={given!r} names a column, and an array fit has none: give the numbers.")
        column, given = given, table.column(given, argument)
    elif labelled:
        given = in_row_order(argument, given, index, error=WeightError)
    try:
        values = numbers_of(given)
    except (TypeError, ValueError):
        what = f"column {column!r}" if column else "array"
        raise WeightError(f"{argument}: the {what} does not hold numbers.") from None
    if values.ndim == 0:
        values = np.full(len(index), float(values))
    if values.shape != (len(index),):
        raise WeightError(
            f"{argument} has shape {values.shape}; it needs one number for each of the {len(index)} rows."
        )
    if column is None and (values is given or values.base is not None):
        values = values.copy()  # its owner may fill it anew
    infinite = np.isinf(values)
    if infinite.any():
        raise NonFiniteError(f"{argument} is infinite in row {listed_rows(np.asarray(index)[infinite])}.")
    return RowNumbers(argument, column, values)


def numbers_at(number: RowNumbers | None, keep: NDArray[np.bool_]) -> RowNumbers | None:
    """Return the numbers of the rows in which `keep` is true."""
    return None if number is None else RowNumbers(number.argument, number.column, number.values[keep])


def check_weights(weights: RowNumbers, index: pd.Index) -> None:
    """Refuse negative weights, and frequency weights that are no counts.

    Raises
    ------
    WeightError
    """
    values, labels = weights.values, np.asarray(index)
    negative = values < 0
    if negative.any():
        raise WeightError(
            f"{weights.argument} is negative in {counted(int(negative.sum()), 'row')}: row {listed_rows(labels[negative], 1)} "
            f"has {values[negative][0]:g}. Weights must be 0 or more."
        )
    if weights.argument == "freq_weights":
        broken = np.isfinite(values) & (values != np.floor(values))
        if broken.any():
            raise WeightError(
                f"freq_weights stand for identical rows and must be whole numbers: row {listed_rows(labels[broken], 1)} "
                f"has {values[broken][0]:g}. Inverse selection probabilities go to sampling_weights."
            )
