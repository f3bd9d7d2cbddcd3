"""`Categories`: a response of several categories, and which of them is the reference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.factor_values import CategoricalValues, FactorValues
from logit_stats.design.response import Response
from logit_stats.errors import NonFiniteError, OneClassError, ResponseError, listed, listed_rows

# More different numbers than this, not all of them whole, are a measurement and no categories.
MEASUREMENT = 20


@dataclass(frozen=True, eq=False)
class Categories:
    """The categories of a response.

    Attributes
    ----------
    labels : tuple
        The categories that occur, the reference first.
    codes : (n,) int
        Position of each row's category in `labels`.
    empty : tuple
        Categories that were declared and occur in no row used.
    """

    labels: tuple[Any, ...]
    codes: NDArray[np.intp]
    empty: tuple[Any, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The labels as texts."""
        return tuple(str(label) for label in self.labels)

    def at(self, rows: NDArray[np.intp]) -> Categories:
        """Return the categories of the rows at these positions; all labels stay."""
        return replace(self, codes=self.codes[rows])

    def counts(self, weight: FloatArray | None) -> FloatArray:
        """Number of rows (or sum of the weights) of each category: (J + 1,)."""
        return np.bincount(self.codes, weights=weight, minlength=len(self.labels)).astype(np.float64)


def category_response(name: str, values: FactorValues, index: pd.Index, base: Any = None) -> Response:
    """Text, booleans or numbers as a response of several categories.

    Parameters
    ----------
    name : str
    values : FactorValues
        Without missing values.
    index : Index
        Labels of the rows, for messages.
    base : optional
        The reference category; by default the first.

    Raises
    ------
    ResponseError
        If the reference occurs in no row, or there are many numbers that are not whole.
    OneClassError
        If there is a single category.
    """
    levels, codes = _levels(name, values, index)
    counts = np.bincount(codes, minlength=len(levels))
    occurring = [int(i) for i in np.flatnonzero(counts)]
    if len(occurring) < 2:
        only = repr(levels[occurring[0]]) if occurring else "nothing"
        raise OneClassError(f"The response {name!r} holds only {only}; there is nothing to compare it with.")
    if base is not None:
        reference = _position(name, levels, occurring, base)
        occurring = [reference, *(i for i in occurring if i != reference)]
    position = np.full(len(levels), -1, dtype=np.intp)
    position[occurring] = np.arange(len(occurring))
    labels = tuple(levels[i] for i in occurring)
    empty = tuple(level for level, count in zip(levels, counts, strict=True) if count == 0)
    categories = Categories(labels, position[codes], empty)
    away = (categories.codes != 0).astype(np.float64)
    return Response(name, f"{name} other than {labels[0]}", f"{name} = {labels[0]}", away, None, categories=categories)


def _levels(name: str, values: FactorValues, index: pd.Index) -> tuple[tuple[Any, ...], NDArray[np.intp]]:
    if isinstance(values, CategoricalValues):
        return tuple(_plain(level) for level in values.levels), values.codes
    if values.values.shape[1] != 1:
        raise ResponseError(
            f"The response {name!r} has {values.values.shape[1]} columns; give one column of categories."
        )
    numbers = np.asarray(values.values[:, 0])
    finite = np.isfinite(numbers)
    if not finite.all():
        raise NonFiniteError(f"{name!r} is infinite in row {listed_rows(np.asarray(index)[~finite])}.")
    found, codes = np.unique(numbers, return_inverse=True)
    if len(found) > MEASUREMENT and (found != np.round(found)).any():
        raise ResponseError(
            f"The response {name!r} holds {len(found)} different numbers, not all of them whole: a measurement, not "
            f"categories. Cut it into classes (pd.cut), or write C({name}) ~ ... if each value is a category."
        )
    return tuple(_plain(value) for value in found.tolist()), codes.reshape(-1).astype(np.intp)


def _plain(level: Any) -> Any:
    """Whole numbers as int, NumPy's scalars as Python's: 2.0 is the category 2."""
    level = level.item() if isinstance(level, np.generic) else level
    return int(level) if isinstance(level, float) and level.is_integer() else level


def _position(name: str, levels: tuple[Any, ...], occurring: list[int], base: Any) -> int:
    wanted = _plain(base)
    for i in occurring:
        if levels[i] == wanted and isinstance(levels[i], bool) == isinstance(wanted, bool):
            return i
    shown = listed([repr(levels[i]) for i in occurring], 8)
    raise ResponseError(f"base={base!r} is no category of {name!r} in the rows used; these are {shown}.")


def from_indicators(endog: Any) -> Any:
    """Categories from a table of indicators, of which one is 1 in every row; anything else as it is.

    Rows with a missing value are missing.
    """
    labels: tuple[Any, ...]
    if isinstance(endog, pd.DataFrame):
        numbers, labels, index = endog, tuple(endog.columns), endog.index
    elif isinstance(endog, np.ndarray) and endog.ndim == 2:
        numbers, labels, index = pd.DataFrame(endog), tuple(range(endog.shape[1])), None
    else:
        return endog
    if len(labels) < 3 or not all(
        pd.api.types.is_numeric_dtype(t) or pd.api.types.is_bool_dtype(t) for t in numbers.dtypes
    ):
        return endog
    values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    known = ~np.isnan(values).any(axis=1)
    held = values[known]
    if not (((held == 0.0) | (held == 1.0)).all() and (held.sum(axis=1) == 1.0).all()):
        return endog
    codes = np.where(known, np.nan_to_num(values).argmax(axis=1), -1).astype(np.intp)
    made = pd.Categorical.from_codes(codes, list(labels))  # type: ignore[call-overload]
    return made if index is None else pd.Series(made, index=index, name="y")
