"""For which rows, with which weights and at which values effects are averaged: `at`, `over`, `subset` and `weights`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.counterfactual import check_level
from logit_stats.design.design import Design
from logit_stats.design.given_rows import for_rows_used
from logit_stats.design.representative import Representative
from logit_stats.design.variables import as_numbers, find_variable, is_number, names_given, used_column, variables
from logit_stats.errors import DataError, WeightError

MOST_GROUPS = 200


def scenarios(design: Design, at: Mapping[str, Any] | str | None) -> list[dict[str, Any]]:
    """Every combination of the values that `at` sets variables to; "mean" and "median" stand for those of a number."""
    if not at or isinstance(at, str):
        return [{}]
    choices = []
    for name, values in at.items():
        find_variable(design, name)
        several = isinstance(values, (list, tuple, set, range, np.ndarray, pd.Series, pd.Index))
        choices.append([(name, _value(design, name, value)) for value in (values if several else [values])])
        if not choices[-1]:
            raise DataError(f"at= gives no value for {name!r}.")
    return [dict(choice) for choice in product(*choices)]


def _value(design: Design, name: str, value: Any) -> Any:
    column = used_column(design, name)
    if isinstance(value, str) and value in ("mean", "median") and is_number(column):
        return mean_of(design, name) if value == "mean" else float(np.median(as_numbers(column)))
    check_level(design, name, value)
    return value.item() if isinstance(value, np.generic) else value


def mean_of(design: Design, name: str, weight: FloatArray | None = None) -> float:
    """Mean of a number over the rows used; rows count by their weight and trials, or by the weight given."""
    if isinstance(design, Representative):
        return design.mean(name)
    weight = design.row_weight if weight is None else weight
    return float(np.average(as_numbers(used_column(design, name)), weights=weight))


def means_of_numbers(design: Design, weight: FloatArray) -> dict[str, float]:
    """Means of all variables that are numbers."""
    return {
        name: mean_of(design, name, weight) for name, variable in variables(design).items() if variable.kind == "number"
    }


def weight_groups(
    design: Design, over: str | Sequence[str] | None, subset: Any = None, weights: Any = None
) -> list[tuple[dict[str, Any], FloatArray]]:
    """Weights of the rows used, a vector for each combination of values of the columns `over`, with these values."""
    weight = design.row_weight if weights is None else given_weights(design, weights)
    if subset is not None:
        mask = row_mask(design, subset)
        if not (weight * mask).any():
            raise DataError("`subset` holds no row.")
        weight = weight * mask
    names = [] if over is None else names_given(over, () if design.table is None else design.table)
    columns = {name: used_column(design, name) for name in names}
    choices = [[(name, value) for value in _values(column)] for name, column in columns.items()]
    size = int(np.prod([len(choice) for choice in choices]))
    if size > MOST_GROUPS:
        raise DataError(f"over={over!r} has {size} combinations of values; give columns with few.")
    found = []
    for group in product(*choices):
        inside = weight
        for name, value in group:
            inside = inside * np.asarray(columns[name] == value, dtype=np.float64)
        if inside.any():
            found.append((dict(group), inside))
    if not found:
        raise DataError(f"over={over!r} has no value in the rows asked for.")
    return found


def _values(column: pd.Series) -> list[Any]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return list(column.cat.categories)
    return sorted(column.dropna().unique())


def row_mask(design: Design, subset: Any) -> FloatArray:
    """One or zero for each of the rows used: a Series is taken by its labels, an array by its places.

    Raises
    ------
    DataError
        If it does not say True or False for every row.
    """
    said = f"`subset` must say True or False for each of the {design.rows} rows used."
    if isinstance(subset, str):
        subset = used_column(design, subset)
    values = _of_rows(design, subset, "subset")
    if values.dtype != np.bool_:
        if pd.isna(values).any() or not all(isinstance(v, (bool, np.bool_)) for v in values.ravel()[:1000]):
            raise DataError(said)
        values = values.astype(np.bool_)
    return np.asarray(values, dtype=np.float64)


def given_weights(design: Design, weights: Any) -> FloatArray:
    """Weights of the rows used: a column's name, a Series (by its labels) or an array."""
    if isinstance(weights, str):
        weights = used_column(design, weights)
    try:
        values = np.asarray(_of_rows(design, weights, "weights"), dtype=np.float64)
    except (TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise WeightError("`weights` must be numbers.") from None
    if not np.isfinite(values).all() or (values < 0.0).any() or not values.any():
        raise WeightError("`weights` must be finite, not negative, and not all zero.")
    return values


def _of_rows(design: Design, given: Any, argument: str) -> Any:
    """Values for the rows used, of a Series by label, of an array by place (of the rows read, or of those used)."""
    if isinstance(given, pd.DataFrame):
        raise DataError(f"`{argument}` is a table; give one column.")
    values = np.asarray(for_rows_used(design, f"`{argument}`", given))
    if values.shape != (design.rows,):
        raise DataError(
            f"`{argument}` has shape {values.shape}; it needs one value for each of the {design.rows} rows used "
            f"(or the {design.sample.read} rows read)."
        )
    return values
