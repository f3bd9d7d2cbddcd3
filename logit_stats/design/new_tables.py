"""New data as the fit's formula takes them: one row as a dict or a Series, numbers that were stored as objects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.factor import Factor
from logit_stats.design.table import Table
from logit_stats.errors import DataError, listed, listed_rows


def new_table(data: Any, columns: Collection[Any]) -> Table:
    """The table of new data; a dict may hold single values, which stand in every row, and a Series is one row.

    Raises
    ------
    DataError
        If a Series has none of the formula's columns as its labels.
    """
    if isinstance(data, Mapping) and not isinstance(data, Table):
        return Table.of(_broadcast(data), columns)
    if isinstance(data, pd.Series):
        if not set(data.index) & set(columns):
            raise DataError(
                f"The new data are a Series without the columns of the model ({listed([str(c) for c in columns], 8)}). One row "
                f"of a table is df.loc[[label]], with two brackets, or a Series of its columns."
            )
        frame = data.to_frame().T
        return Table.of(frame.infer_objects(), columns)
    return Table.of(data, columns)


def _broadcast(data: Mapping[Any, Any]) -> Mapping[Any, Any]:
    single = {name for name, value in data.items() if _is_single(value)}
    if not single:
        return data
    several = [value for name, value in data.items() if name not in single]
    rows = len(several[0]) if several else 1
    index = next((value.index for value in several if isinstance(value, pd.Series)), None)
    return {name: pd.Series([value] * rows, index=index) if name in single else value for name, value in data.items()}


def _is_single(value: Any) -> bool:
    return value is None or isinstance(value, (str, bytes)) or np.ndim(value) == 0


def numbers_as_at_the_fit(table: Table, factors: Iterable[Factor]) -> Table:
    """Return the table with columns that were numbers at the fit as numbers: objects, booleans, nothing but missing values.

    Raises
    ------
    DataError
        If such a column holds texts now.
    """
    factors = list(factors)
    numbers = dict.fromkeys(name for factor in factors for name in sorted(factor.numbers, key=str))
    integers = frozenset().union(*(factor.integers for factor in factors))
    changed = {}
    for name in numbers:
        if name not in table:
            continue
        column = table[name]
        if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
            column = changed[name] = _as_numbers(str(name), column)
        if name in integers and pd.api.types.is_float_dtype(column.dtype):
            changed[name] = _as_integers(column)
    return table.replaced(changed) if changed else table


def _as_integers(column: pd.Series) -> pd.Series:
    """Whole numbers that are floats only because values are missing beside them; others as they are."""
    gone = np.asarray(column.isna())
    values = column.to_numpy(np.float64, na_value=np.nan)
    present = values[~gone]
    if not (present == np.round(present)).all() or (np.abs(present) > 2**53).any():
        return column
    return column.astype("Int64") if gone.any() else column.astype(np.int64)


def _as_numbers(name: str, column: pd.Series) -> pd.Series:
    gone = np.asarray(column.isna())
    numbers = np.full(len(column), np.nan)
    present = column[~gone]
    if pd.api.types.is_bool_dtype(column.dtype):
        numbers[~gone] = present.astype(np.float64)
        return pd.Series(numbers, index=column.index, name=column.name)
    values = list(present)
    odd = np.array([not isinstance(value, (bool, int, float, np.bool_, np.number)) for value in values], dtype=np.bool_)
    if odd.any():
        labels = np.asarray(column.index)[~gone][odd]
        first = values[int(np.argmax(odd))]
        of_text = isinstance(first, str)
        kind = "text. Convert the column with pd.to_numeric" if of_text else type(first).__name__
        raise DataError(
            f"{name!r} was a column of numbers at the fit, and in the new data it holds {first!r} (row {listed_rows(labels)}), a "
            f"{kind}."
        )
    numbers[~gone] = [float(value) for value in values]
    return pd.Series(numbers, index=column.index, name=column.name)
