"""The values of one formula factor on the rows at hand: numbers, or codes into levels.

patsy walks categorical values one by one in Python; here levels come from the dtype or from one vectorised pass, in
the order that patsy would give them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from patsy.builtins import C
from patsy.categorical import guess_categorical
from patsy.util import SortAnythingKey

from logit_stats.design.containers import as_column
from logit_stats.design.uncodable import refuse_objects, refuse_times, refuse_written_numbers
from logit_stats.errors import DataError, FormulaError, NonFiniteError, UnseenLevelError, listed, listed_rows

CategoricalBox = type(C([0]))


@dataclass(frozen=True, slots=True)
class NumericValues:
    """A numerical factor: ``values`` (n, c) of any real type, NaN where missing."""

    values: NDArray[Any]

    @property
    def missing(self) -> NDArray[np.bool_] | None:
        """(n,) rows in which a value is missing; None where there is none."""
        if self.values.dtype.kind != "f" or np.isfinite(self.values).all():
            return None
        missing: NDArray[np.bool_] = np.isnan(self.values).any(axis=1)
        return missing

    def where(self, keep: NDArray[np.bool_]) -> NumericValues:
        """Return the values of the rows in which `keep` is true."""
        return NumericValues(self.values[keep])


@dataclass(frozen=True, slots=True)
class CategoricalValues:
    """A categorical factor: ``codes`` (n,) into ``levels``, -1 where missing, and the contrast asked for.

    ``declared`` says that the levels come from the dtype or from ``C(..., levels=...)``, not from the rows; ``ordered`` that
    their order was stated.
    """

    codes: NDArray[np.intp]
    levels: tuple[Any, ...]
    contrast: Any = None
    declared: bool = True
    ordered: bool = False

    @property
    def missing(self) -> NDArray[np.bool_] | None:
        """(n,) rows in which the level is missing; None where there is none."""
        return self.codes < 0 if self.codes.min(initial=0) < 0 else None

    def where(self, keep: NDArray[np.bool_]) -> CategoricalValues:
        """Return the codes of the rows in which `keep` is true; levels found only in other rows are forgotten."""
        codes = self.codes[keep]
        if self.declared:
            return replace(self, codes=codes)
        occurs = np.bincount(codes, minlength=len(self.levels)) > 0
        levels = tuple(level for level, here in zip(self.levels, occurs, strict=True) if here)
        return CategoricalValues((np.cumsum(occurs) - 1)[codes], levels, self.contrast, declared=False)


FactorValues = NumericValues | CategoricalValues


def factor_values(name: str, value: Any, rows: int, index: pd.Index) -> FactorValues:
    """Sort an evaluated factor into numbers or levels.

    Parameters
    ----------
    name : str
        The factor as written in the formula, for messages.
    value : array, Series, DataFrame or patsy's ``C(...)`` box
        What the expression gave.
    rows : int
        Number of rows expected; a single value is an error.
    index : Index
        Row labels, for messages.

    Raises
    ------
    FormulaError
        If the value has the wrong length or a type that is neither numbers nor levels.
    """
    if type(value) in (np.ndarray, pd.Series) and isinstance(value.dtype, np.dtype) and value.dtype.kind in "iuf":
        return _numbers(name, value if type(value) is np.ndarray else value.to_numpy(), rows)
    if isinstance(value, CategoricalBox):
        levels = None if value.levels is None else tuple(value.levels)
        return _levels_and_codes(name, value.data, rows, levels, value.contrast, index, boxed=True)
    if not hasattr(value, "dtype") and not hasattr(value, "__array__"):
        _refuse_no_column(name, value)
    value = as_column(value)
    dtype = getattr(value, "dtype", None)
    if isinstance(dtype, pd.api.extensions.ExtensionDtype) and pd.api.types.is_numeric_dtype(dtype):
        if pd.api.types.is_bool_dtype(dtype):
            return _levels_and_codes(name, value, rows, None, None, index)
        value = value.to_numpy(dtype=np.float64, na_value=np.nan)
    if isinstance(dtype, pd.StringDtype):
        return _levels_and_codes(name, value, rows, None, None, index)
    if dtype is np.dtype(object) and pd.api.types.infer_dtype(value, skipna=True) == "decimal":
        value = np.asarray(value, dtype=np.float64)
    if guess_categorical(value):
        array = value if hasattr(value, "dtype") else np.asarray(value)
        refuse_times(name, array.dtype)
        if array.dtype == object:
            refuse_objects(name, array)
        return _levels_and_codes(name, value, rows, None, None, index)
    return _numbers(name, value, rows)


def _refuse_no_column(name: str, value: Any) -> None:
    """Raise `FormulaError` where an expression gives something that is no value for each row, nor one number for all."""
    if isinstance(value, (bool, int, float, complex)):
        return
    flat = isinstance(value, (list, tuple)) and not any(
        hasattr(part, "__len__") and not isinstance(part, str) for part in value
    )
    if not flat:
        shown = repr(value) if isinstance(value, str) else f"a {type(value).__name__}"
        raise FormulaError(f"{name!r} in the formula gives {shown}; a term needs one value for each row.")


def _numbers(name: str, value: Any, rows: int) -> NumericValues:
    array = np.asarray(value)
    values = array if array.dtype.kind in "iuf" else _real(name, array)
    if values.ndim == 0:
        values = np.full(rows, values)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim > 2 or values.shape[0] != rows:
        raise FormulaError(
            f"{name!r} gives {values.shape[0]} rows of {array.ndim} dimensions; {rows} rows were expected."
        )
    return NumericValues(values)


def _real(name: str, array: NDArray[Any]) -> NDArray[Any]:
    refuse_times(name, array.dtype)
    if np.iscomplexobj(array):
        raise FormulaError(f"{name!r} gives complex numbers; a design column must be real.")
    return np.asarray(array, dtype=np.float64)


def _levels_and_codes(
    name: str,
    data: Any,
    rows: int,
    levels: tuple[Any, ...] | None,
    contrast: Any,
    index: pd.Index,
    *,
    boxed: bool = False,
) -> CategoricalValues:
    categorical = _as_categorical(data)
    if categorical is not None:
        codes = np.asarray(categorical.codes, dtype=np.intp)
        own_levels = tuple(categorical.categories)
        if levels is not None and levels != own_levels:
            codes = _recode(name, codes, own_levels, levels, index)
    else:
        codes, own_levels = _factorize(name, data)
        if levels is not None:
            codes = _recode(name, codes, own_levels, levels, index)
    if codes.shape != (rows,):
        raise FormulaError(f"{name!r} gives {codes.shape[0]} values; {rows} rows were expected.")
    if categorical is None and not boxed:
        refuse_written_numbers(name, own_levels)
    declared = categorical is not None or levels is not None or own_levels == (False, True)
    ordered = levels is not None or (categorical is not None and bool(categorical.ordered))
    return CategoricalValues(codes, own_levels if levels is None else levels, contrast, declared, ordered)


def _as_categorical(data: Any) -> pd.Categorical | None:
    if isinstance(data, pd.Categorical):
        return data
    if isinstance(data, pd.CategoricalIndex):
        return data.array
    if isinstance(data, pd.Series) and isinstance(data.dtype, pd.CategoricalDtype):
        return data.array  # type: ignore[return-value]
    return None


def _factorize(name: str, data: Any) -> tuple[NDArray[np.intp], tuple[Any, ...]]:
    """Codes and sorted levels of text, numbers or booleans in one vectorised pass."""
    array = data if isinstance(data, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)) else np.asarray(data)
    if array.ndim == 0:
        raise FormulaError(
            f"{name!r} in the formula gives {array.item()!r} for all rows; a term needs one value for each row."
        )
    if array.ndim != 1:
        raise FormulaError(f"{name!r} is categorical and has {array.ndim} dimensions; it needs one value per row.")
    if array.dtype == np.bool_:
        return np.asarray(array, dtype=np.intp), (False, True)
    if isinstance(array, np.ndarray) and array.dtype.kind in "US":
        array = array.astype(object)
    try:
        codes, uniques = pd.factorize(array, use_na_sentinel=True)  # type: ignore[arg-type]
    except TypeError:
        raise FormulaError(f"{name!r} holds values that cannot be levels (lists or dicts?).") from None
    found = [value.item() if isinstance(value, np.generic) else value for value in uniques]
    if found and all(isinstance(value, (bool, np.bool_)) for value in found):
        levels: list[Any] = [False, True]
    else:
        levels = _sorted(found)
    position = {level: i for i, level in enumerate(levels)}
    lookup = np.array([position[value] for value in found] + [-1], dtype=np.intp)
    return lookup[codes], tuple(levels)


def _sorted(levels: list[Any]) -> list[Any]:
    """Levels in the order that patsy gives them; members of an Enum in the order of their class."""
    if levels and isinstance(levels[0], Enum) and all(type(level) is type(levels[0]) for level in levels):
        declared = list(type(levels[0]))
        return sorted(levels, key=declared.index)
    return sorted(levels, key=SortAnythingKey)


def _recode(
    name: str, codes: NDArray[np.intp], found: tuple[Any, ...], levels: tuple[Any, ...], index: pd.Index
) -> NDArray[np.intp]:
    """Codes into `levels` from codes into `found`; values outside `levels` are named."""
    position = {level: i for i, level in enumerate(levels)}
    lookup = np.array([position.get(level, -2) for level in found] + [-1], dtype=np.intp)
    recoded = lookup[codes]
    bad = recoded == -2
    if bad.any():
        occurring = [found[code] for code in dict.fromkeys(codes[bad].tolist())]
        occurring = [level.item() if isinstance(level, np.generic) else level for level in occurring]
        where = listed_rows(np.asarray(index)[bad]) if len(index) == len(bad) else ""
        if declared_in(name):
            raise UnseenLevelError(_not_declared(name, occurring, int(bad.sum()), where, levels))
        raise UnseenLevelError(
            f"{name} has the level{'s' if len(occurring) > 1 else ''} {listed([repr(u) for u in occurring])} "
            f"in {int(bad.sum())} row{'s' if bad.sum() > 1 else ''} (row {where}), which the model does not know; "
            f"it knows {listed([repr(level) for level in levels], 8)}."
        )
    return recoded


def declared_in(name: str) -> bool:
    """Whether a factor's text says its levels: ``C(ans, levels=[...])``."""
    return re.match(r"C\(.*\blevels\s*=", name) is not None


def _not_declared(name: str, occurring: list[Any], rows: int, where: str, levels: tuple[Any, ...]) -> str:
    column, shown = name[2:].split(",", maxsplit=1)[0].strip(), [repr(level) for level in levels]
    return (
        f"{name} has {listed([repr(value) for value in occurring])} in {rows} row{'s' if rows > 1 else ''} (row {where}), beside "
        f"the levels {listed(shown, 8)}. Add the value to levels=, or make these rows missing, so that they are left out and "
        f"counted: C({column}.where({column}.isin([{', '.join(shown)}])), levels=[{', '.join(shown)}])."
    )


def align_levels(name: str, values: FactorValues, levels: tuple[Any, ...], index: pd.Index) -> CategoricalValues:
    """Codes of new data in the levels remembered from the fit.

    Raises
    ------
    UnseenLevelError
        If a value is not among the levels.
    """
    if isinstance(values, NumericValues):
        if values.values.shape[1] != 1:
            raise DataError(f"{name!r} was categorical at the fit and has several columns of numbers now.")
        codes, found = _factorize(name, values.values[:, 0])
        values = CategoricalValues(codes, found)
    codes = values.codes if values.levels == levels else _recode(name, values.codes, values.levels, levels, index)
    # the levels are the fit's, whichever rows are used: none is forgotten with the rows that hold it
    return CategoricalValues(codes, levels, values.contrast)


def as_numbers(name: str, values: FactorValues, columns: int) -> NumericValues:
    """Numbers of new data where the fit had `columns` columns of numbers; nothing but missing values is NaN, True is 1.

    Raises
    ------
    DataError
        If they hold something else, or another number of columns.
    """
    if isinstance(values, CategoricalValues):
        if values.levels and not (columns == 1 and all(isinstance(v, (bool, np.bool_)) for v in values.levels)):
            raise DataError(
                f"{name!r} was a number at the fit and holds {listed([repr(v) for v in values.levels], 3)} in the new data; make "
                f"it a number, for example with pd.to_numeric."
            )
        codes = values.codes.astype(np.float64)
        values = NumericValues(np.where(values.codes < 0, np.nan, codes)[:, None].repeat(columns, axis=1))
    if values.values.shape[1] != columns:
        raise DataError(
            f"{name!r} was {columns} column{'s' if columns > 1 else ''} of numbers at the fit and is {values.values.shape[1]} in "
            f"the new data."
        )
    return values


def refuse_infinite(name: str, values: FactorValues, index: pd.Index, keep: NDArray[np.bool_]) -> None:
    """Raise `NonFiniteError` where a numerical factor is infinite in a row that would be used."""
    if isinstance(values, CategoricalValues) or values.values.dtype.kind != "f":
        return
    if np.isfinite(values.values).all():
        return
    infinite = np.isinf(values.values).any(axis=1) & keep
    if infinite.any():
        raise NonFiniteError(
            f"{name} is infinite in {int(infinite.sum())} row{'s' if infinite.sum() > 1 else ''} "
            f"(row {listed_rows(np.asarray(index)[infinite])}); correct these values or leave the rows out with `subset`."
        )
