"""Rows matched by their labels: what was given for each row, brought into the order of the data.

Position is never trusted where labels say otherwise: after ``sort_values`` or ``sample`` a frame has the labels of before in
another order, and weights that kept theirs would go to the wrong rows without a word.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from logit_stats.errors import DataError, listed_rows


def in_row_order(argument: str, given: Any, *rows: pd.Index, error: type[DataError] = DataError) -> Any:
    """Return what was given for each row in the order of the data.

    Parameters
    ----------
    argument : str
        What it was given as, for messages.
    given : Any
        A Series or DataFrame is matched by its labels; anything else has none, and is returned as it is.
    *rows : Index
        Labels of the data; several where different sets of rows may be meant (all rows read, the rows used), the first first.
    error : type
        What is raised.

    Returns
    -------
    Any
        `given` where its labels are those of the data one by one, else its rows in the order of the data. What has another
        number of rows than the data is returned too: its length is for the caller to check.

    Raises
    ------
    DataError
        If the labels are not those of the data, or are in another order and occur more than once.
    """
    if not isinstance(given, (pd.Series, pd.DataFrame)):
        return given
    if any(given.index.equals(index) for index in rows):
        return given
    like = [index for index in rows if len(index) == len(given)]
    for index in like:
        if not (index.has_duplicates or given.index.has_duplicates) and given.index.isin(index).all():
            return given.loc[index]
    if like:
        raise error(_unlike(argument, given.index, like[0]))
    return given


def _unlike(argument: str, labels: pd.Index, index: pd.Index) -> str:
    said = f"{argument} has an index that differs from the data's"
    as_array = "if it is in the order of the data, give it as an array (.to_numpy())"
    foreign = labels[~labels.isin(index)]
    if len(foreign):
        which = f"{len(foreign)} of its labels are not among the data's (label {listed_rows(foreign, 3)})"
        return f"{said}: {which}. Align it, or, {as_array}."
    return f"{said}, and labels that occur more than once do not say which row is meant: {as_array}."
