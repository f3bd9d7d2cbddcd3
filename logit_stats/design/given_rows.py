"""Something given for each row of a finished design (clusters, strata, times, masks, columns), for the rows used."""

from __future__ import annotations

from typing import Any

import numpy as np

from logit_stats.design.alignment import in_row_order
from logit_stats.design.containers import as_column
from logit_stats.design.design import Design
from logit_stats.errors import DataError, MissingColumnError


def for_rows_used(design: Design, argument: str, given: Any) -> Any:
    """Values of the rows used, in their order.

    Parameters
    ----------
    design : Design
    argument : str
        Name of the argument, for messages.
    given : str, or array_like of as many rows as were read or used
        A column of the fit's table; or values: of a Series or DataFrame by their labels, where the data have labels, else
        by position.

    Returns
    -------
    Series, DataFrame, Categorical or array

    Raises
    ------
    MissingColumnError
        If the data have no such column.
    DataError
        If there is another number of values, or their labels are not those of the data.
    """
    design.require_rows()
    if isinstance(given, str):
        if design.table is None:
            raise MissingColumnError(
                f"{argument}={given!r} names a column, and an array fit has none: give the values."
            )
        given = design.table.column(given, argument)
    given = as_column(given)
    if design.labelled:
        given = in_row_order(argument, given, design.sample.index, design.index)
    if np.ndim(given) == 0 or len(given) not in (design.sample.read, design.rows):
        has = "is a single value" if np.ndim(given) == 0 else f"has {len(given)} values"
        raise DataError(f"{argument} {has}; the data have {design.sample.read} rows, {design.rows} of them used.")
    return given if len(given) == design.rows else given[design.sample.used]
