"""The operations of formulas: 64-bit numbers, three-valued conditions, and the memory of what the rows of the fit gave."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.errors import FormulaError

LARGEST_INTEGER = float(2**62)


class Operators:
    """The operations that `logit_stats.design.expression.rewritten` sends here, with the memory of one factor.

    Attributes
    ----------
    rows : int
        Number of rows being evaluated.
    memory : dict of str to value
        What calls over the whole column gave on the rows of the fit (means, limits, quantiles), by their text.
    limits : dict of str to tuple
        Limits and levels of ``pd.cut`` and ``pd.qcut``, by their text.
    sealed : bool
        Whether the fit is over: what is remembered is used, nothing is learned.
    """

    def __init__(self) -> None:
        self.rows = -1
        self.memory: dict[str, Any] = {}
        self.limits: dict[str, Any] = {}
        self.sealed = False

    def learned(self, source: str, value: Any) -> Any:
        """A value per row as it is; any other (a mean, a list of quantiles) as the rows of the fit gave it."""
        if source in self.memory:
            return self.memory[source]
        if not self.sealed and self._is_summary(value):
            self.memory[source] = value
        return value

    def _is_summary(self, value: Any) -> bool:
        if isinstance(value, (bool, int, float, np.generic, pd.Timestamp, pd.Timedelta)):
            return True
        if isinstance(value, (np.ndarray, pd.Series, pd.Index, pd.DataFrame)):
            return value.ndim == 0 or (self.rows >= 0 and len(value) != self.rows)
        return False

    def cut(self, source: str, function: Callable[..., Any], x: Any, bins: Any, *arguments: Any, **options: Any) -> Any:
        """``pd.cut`` and ``pd.qcut``, whose limits are those of the rows of the fit."""
        if source not in self.limits:
            if self.sealed or options.get("retbins"):
                return function(x, bins, *arguments, **options)
            groups, limits = function(x, bins, *arguments, **options, retbins=True)
            categories = getattr(getattr(groups, "cat", groups), "categories", None)
            ordered = bool(getattr(getattr(groups, "cat", groups), "ordered", False))
            lowest = function is pd.qcut or bool(options.get("include_lowest", False))
            self.limits[source] = (np.asarray(limits), categories, ordered, lowest, bool(options.get("right", True)))
            return groups
        limits, categories, ordered, lowest, right = self.limits[source]
        codes = pd.cut(x, limits, labels=False, include_lowest=lowest, right=right)
        if categories is None:
            return codes
        places = np.where(pd.isna(codes), -1, codes).astype(np.intp)
        groups = pd.Categorical.from_codes(places, categories=categories, ordered=ordered)
        return pd.Series(groups, index=x.index) if isinstance(x, pd.Series) else groups

    def arithmetic(self, name: str, left: Any, right: Any) -> Any:
        """Integers and booleans as 64-bit integers, or as floats where these would overflow."""
        function = getattr(operator, name)
        if name == "mul" and _is_boolean(left) and _is_boolean(right):
            return function(left, right)
        left, right = wide(left), wide(right)
        if not (_is_integer(left) and _is_integer(right)) or name in ("truediv", "floordiv", "mod"):
            return function(left, right)
        as_floats = function(_as_float(left), _as_float(right))
        size = np.abs(np.asarray(as_floats, dtype=np.float64))
        negative_power = name == "pow" and bool(np.any(np.asarray(right) < 0))
        if negative_power or not np.all((size < LARGEST_INTEGER) | np.isnan(size)):
            return as_floats
        return function(left, right)

    def both(self, left: Any, right: Any) -> Any:
        """``&`` of two conditions."""
        _require_conditions("&", left, right)
        return left & right

    def either(self, left: Any, right: Any) -> Any:
        """``|`` of two conditions."""
        _require_conditions("|", left, right)
        return left | right

    def inverse(self, value: Any) -> Any:
        """``~`` of a condition."""
        _require_conditions("~", value, value)
        return ~value

    def compare(self, name: str, left: Any, right: Any) -> Any:
        """A comparison, missing where a side is."""
        return _unknown_where(getattr(operator, name)(left, right), left, right)

    def asked(self, receiver: Any, question: str, *arguments: Any, **options: Any) -> Any:
        """The answer of a method that says True or False, missing where the value is."""
        answer = getattr(receiver, question)(*arguments, **options)
        if question == "isin" and arguments and _lists_missing(arguments[0]):
            return answer
        if "na" in options:
            return answer
        # the accessor of text methods keeps its column as `_orig`
        return _unknown_where(answer, getattr(receiver, "_orig", receiver))

    def isin(self, values: Any, among: Any, **options: Any) -> Any:
        """``np.isin``, missing where the value is."""
        answer = np.isin(values, among, **options)
        return answer if _lists_missing(among) else _unknown_where(answer, values)

    def digitize(self, values: Any, bins: Any, *arguments: Any, **options: Any) -> Any:
        """``np.digitize``, missing where the value is."""
        places = np.digitize(np.asarray(wide(values), dtype=np.float64), bins, *arguments, **options)
        gone = _gone(values)
        return places if gone is None else np.where(gone, np.nan, places)

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        """``np.where``, missing where the condition is, and where what it picks is."""
        gone = _gone(condition)
        chosen = np.asarray(condition if gone is None else pd.Series(condition).fillna(False), dtype=np.bool_)
        sides = [side for side in (yes, no) if _gone(side) is not None]
        if gone is None and not sides:
            return np.where(chosen, yes, no)
        picked = pd.Series(np.where(chosen, _objects(yes), _objects(no)), dtype=object)
        if gone is not None:
            picked = picked.mask(gone)
        kept = list(picked[picked.notna()])
        if all(isinstance(value, (bool, np.bool_)) for value in kept):
            return picked.astype("boolean").array
        if all(isinstance(value, (bool, np.bool_, int, float, np.number)) for value in kept):
            return picked.astype("Float64").to_numpy(np.float64, na_value=np.nan)
        return picked.to_numpy(dtype=object)

    def astype(self, value: Any, kind: Any) -> Any:
        """``x.astype(kind)``, with numbers in place of integers where values are missing, and no text 'nan'."""
        gone = _gone(value)
        if gone is None or not isinstance(value, pd.Series):
            return value.astype(kind)
        filled = value[~gone].astype(kind)
        if pd.api.types.is_numeric_dtype(filled.dtype) and not pd.api.types.is_bool_dtype(filled.dtype):
            return (
                filled.astype(np.float64).reindex(value.index)
                if value.index.is_unique
                else _spread(filled, gone, value)
            )
        return _spread(filled.astype(object), gone, value)


def _spread(filled: pd.Series, gone: NDArray[np.bool_], like: pd.Series) -> pd.Series:
    spread = np.full(len(like), np.nan, dtype=filled.dtype if filled.dtype == object else np.float64)
    spread[~gone] = filled
    return pd.Series(spread, index=like.index).infer_objects()


def wide(value: Any) -> Any:
    """Integers, booleans and short floats in 64 bits; everything else as it is."""
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return int(value) if isinstance(value, bool) else value
    if isinstance(dtype, np.dtype):
        return _wide_numpy(value, dtype)
    if not isinstance(value, (pd.Series, pd.Index)) or not pd.api.types.is_numeric_dtype(dtype):
        return value
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_integer_dtype(dtype):
        return value.astype("Int64")
    return value.astype("Float64") if getattr(dtype, "itemsize", 8) < 8 else value


def wide_integers(column: Any) -> Any:
    """A column with its small integers and short floats in 64 bits; booleans are booleans, also among objects."""
    dtype = column.dtype
    if pd.api.types.is_object_dtype(dtype) and pd.api.types.infer_dtype(column, skipna=True) == "boolean":
        return column.astype("boolean") if column.isna().any() else column.astype(np.bool_)
    if pd.api.types.is_bool_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
        return column
    if getattr(dtype, "itemsize", 0) == 8 and dtype.kind in "if":
        return column
    return wide(column)


def _wide_numpy(value: Any, dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "b" or (dtype.kind in "iu" and dtype.itemsize < 8):
        return value.astype(np.int64)
    if dtype.kind == "u":
        return value.astype(np.int64 if np.max(np.asarray(value), initial=0) < LARGEST_INTEGER else np.float64)
    return value.astype(np.float64) if dtype.kind == "f" and dtype.itemsize < 8 else value


def _is_integer(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return isinstance(value, int)
    return pd.api.types.is_integer_dtype(dtype)


def _is_boolean(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return isinstance(value, bool)
    if pd.api.types.is_object_dtype(dtype):
        return pd.api.types.infer_dtype(value, skipna=True) == "boolean"
    return pd.api.types.is_bool_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype)


def _as_float(value: Any) -> Any:
    if isinstance(value, int):
        return float(value)
    return value.astype("Float64" if not isinstance(value.dtype, np.dtype) else np.float64)


def _require_conditions(sign: str, *sides: Any) -> None:
    if not all(_is_boolean(side) for side in sides):
        raise FormulaError(
            f"{sign} joins conditions, and a side of it is none. Put each comparison in brackets, as in (x > 3) {sign} (z == 1)"
            if sign != "~"
            else "~ turns a condition round, and what follows it is none. Write ~(x > 3)"
        )


def _gone(value: Any) -> NDArray[np.bool_] | None:
    """Rows in which a value is missing; None where there is none, or it is not one per row."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biu":
        return None
    if not isinstance(value, (np.ndarray, pd.Series, pd.Index, pd.api.extensions.ExtensionArray)) or value.ndim != 1:
        return None
    gone = np.asarray(pd.isna(value))
    return gone if gone.any() else None


def _unknown_where(answer: Any, *sides: Any) -> Any:
    """Booleans that are missing where one of the sides is."""
    masks = [gone for gone in map(_gone, sides) if gone is not None]
    if not masks or getattr(answer, "ndim", 0) != 1 or any(len(mask) != len(answer) for mask in masks):
        return answer
    gone = np.logical_or.reduce(masks)
    if isinstance(answer, pd.Series):
        return answer.astype("boolean").mask(gone)
    unknown = pd.array(np.asarray(answer, dtype=np.bool_), dtype="boolean")
    unknown[gone] = pd.NA
    return unknown


def _lists_missing(among: Any) -> bool:
    try:
        return bool(np.any(pd.isna(list(among))))
    except (TypeError, ValueError):
        return False


def _objects(value: Any) -> Any:
    return np.asarray(value, dtype=object) if getattr(value, "ndim", 0) == 1 else value
