"""Design columns of factors with many levels, kept as codes: memory grows with the rows, not with rows times levels.

The columns of a categorical factor (or of a product of several) are ``contrast[codes, :]``. `CodedColumns` keeps codes and
contrast, and stands for the (n, k) array: it has a shape, can be sliced by rows and columns, and becomes an array where
arithmetic asks for one. What sums over all rows (the moments of a fit) sums by code instead; see
estimation/coded_moments.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray


@dataclass(frozen=True, eq=False)
class CodedPart:
    """Columns ``contrast[codes]``.

    Attributes
    ----------
    codes : (n,) int
        Level of each row.
    contrast : (levels, c)
        What each level contributes to each column.
    columns : (c,) int
        Positions of the columns in the design.
    """

    codes: NDArray[np.intp]
    contrast: FloatArray
    columns: NDArray[np.intp]

    @property
    def levels(self) -> int:
        """Number of levels."""
        return len(self.contrast)

    @cached_property
    def _picked(self) -> NDArray[np.intp] | None:
        """(c,) level that each column indicates, where columns are indicators (treatment coding); else None."""
        ones = self.contrast == 1.0
        if not (((self.contrast == 0.0) | ones).all() and (ones.sum(axis=0) == 1).all()):
            return None
        return np.asarray(ones.argmax(axis=0))

    def to_columns(self, by_level: FloatArray) -> FloatArray:
        """Sums by column from sums by level: ``C' by_level`` for (levels,) or (levels, m)."""
        return self.contrast.T @ by_level if self._picked is None else by_level[self._picked]

    def gram(self, by_level: FloatArray) -> FloatArray:
        """``C' diag(by_level) C``: (c, c)."""
        if self._picked is None:
            return np.asarray((self.contrast * by_level[:, None]).T @ self.contrast)
        return np.diag(by_level[self._picked])

    def at(self, rows: Any) -> CodedPart:
        """Return the part of these rows (a slice, positions, or a mask)."""
        return replace(self, codes=self.codes[rows])

    def times(self, right: FloatArray) -> FloatArray:
        """Product of the columns with coefficients (c,) or with a matrix (c, m)."""
        if self._picked is None:
            by_level = self.contrast @ right
        else:
            by_level = np.zeros((self.levels, *right.shape[1:]))
            by_level[self._picked] = right
        return np.take(by_level, self.codes, axis=0, mode="clip")


class CodedColumns(NDArrayOperatorsMixin):
    """An (n, k) design of dense columns and coded parts.

    Parameters
    ----------
    dense : (n, d)
        Columns that are numbers.
    dense_columns : (d,) int
        Their positions.
    parts : tuple of CodedPart
    """

    ndim = 2
    dtype = np.dtype(np.float64)

    def __init__(self, dense: FloatArray, dense_columns: NDArray[np.intp], parts: tuple[CodedPart, ...]) -> None:
        self.dense = dense
        self.dense_columns = dense_columns
        self.parts = parts
        self.shape = (len(dense), len(dense_columns) + sum(len(part.columns) for part in parts))

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        X = np.empty((self.shape[1], self.shape[0])).T
        X[:, self.dense_columns] = self.dense
        for part in self.parts:
            for column, position in zip(np.ascontiguousarray(part.contrast.T), part.columns, strict=True):
                np.take(column, part.codes, out=X[:, position], mode="clip")
        return X if dtype is None else X.astype(dtype, copy=False)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        arrays = [np.asarray(value) if isinstance(value, CodedColumns) else value for value in inputs]
        return getattr(ufunc, method)(*arrays, **settings)

    def __matmul__(self, right: Any) -> Any:
        product = self.dense @ right[self.dense_columns]
        for part in self.parts:
            product += part.times(right[part.columns])
        return product

    def __getitem__(self, key: Any) -> Any:
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        if isinstance(rows, (int, np.integer)):
            index = int(rows) % len(self)
            return np.asarray(self[index : index + 1])[0][columns]
        some = self
        if not (isinstance(rows, slice) and rows == slice(None)):
            parts = tuple(part.at(rows) for part in self.parts)
            some = CodedColumns(self.dense[rows], self.dense_columns, parts)
        if isinstance(columns, (int, np.integer)):
            return np.asarray(some._select(np.array([columns])))[:, 0]
        if isinstance(columns, slice) and columns == slice(None):
            return some
        return some._select(np.arange(self.shape[1])[columns])

    def _select(self, keep: NDArray[np.intp]) -> CodedColumns:
        """Columns at these positions (no repetition), in this order."""
        place = np.full(self.shape[1], -1, dtype=np.intp)
        place[keep] = np.arange(len(keep))
        kept = place[self.dense_columns] >= 0
        parts = []
        for part in self.parts:
            here = place[part.columns] >= 0
            if here.any():
                parts.append(replace(part, contrast=part.contrast[:, here], columns=place[part.columns[here]]))
        dense = self.dense if kept.all() else self.dense[:, kept]
        return CodedColumns(dense, place[self.dense_columns[kept]], tuple(parts))

    @property
    def T(self) -> FloatArray:
        """The transpose, as an array."""
        return np.asarray(self).T

    def sum(self, axis: int) -> Any:
        """Sums over rows (axis 0) or columns."""
        return np.asarray(self).sum(axis=axis)

    def max(self, axis: int) -> Any:
        """Largest value by column (axis 0) or row."""
        return self._extreme(np.max, axis)

    def min(self, axis: int) -> Any:
        """Smallest value by column (axis 0) or row."""
        return self._extreme(np.min, axis)

    def _extreme(self, function: Any, axis: int) -> Any:
        if axis != 0:
            return function(np.asarray(self), axis=axis)
        extreme = np.empty(self.shape[1])
        extreme[self.dense_columns] = function(self.dense, axis=0)
        for part in self.parts:
            occurs = np.bincount(part.codes, minlength=part.levels) > 0
            extreme[part.columns] = function(part.contrast[occurs], axis=0)
        return extreme

    def astype(self, dtype: Any) -> NDArray[Any]:
        """Array of another type."""
        return np.asarray(self).astype(dtype)


def coded(X: Any) -> CodedColumns | None:
    """X where its columns are coded, None where they are an array."""
    return X if isinstance(X, CodedColumns) else None
