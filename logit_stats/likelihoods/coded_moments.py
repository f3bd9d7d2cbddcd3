"""The moments of a block whose factors are kept as codes: sums by code instead of sums over columns.

With a_i the indicator of the level of row i and C the contrast matrix, the factor's columns are ``C'a_i``. Hence

    score        C' sum_i r_i a_i                sums of the residuals by level
    with itself  C' diag(sum_i w_i a_i) C        sums of the weights by level
    with column  C' sum_i w_i z_ij a_i           sums of the weighted column by level
    with factor  C' (sum_i w_i a_i a'_i') C'     a cross-table of the two factors

so that a pass costs the same for 3 levels and for 3,000.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.coded import CodedColumns, CodedPart
from logit_stats.likelihoods.moments import working_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    GramFunction = Callable[[FloatArray, FloatArray, FloatArray | None, FloatArray | None], FloatArray]


def coded_linear_predictor(
    X: CodedColumns, gamma: FloatArray, offset: FloatArray | None, center: FloatArray | None, scale: FloatArray | None
) -> FloatArray:
    """Linear predictor ``offset + Z gamma``: (m,)."""
    columns = X.dense_columns
    eta = _dense(X, center, scale) @ gamma[columns]
    for part in X.parts:
        eta += part.times(gamma[part.columns])
    return eta if offset is None else eta + offset


def coded_score(
    X: CodedColumns, residual: FloatArray, center: FloatArray | None, scale: FloatArray | None
) -> FloatArray:
    """``Z' residual``: (k,)."""
    score = np.empty(X.shape[1])
    score[X.dense_columns] = _dense(X, center, scale).T @ residual
    for part in X.parts:
        score[part.columns] = part.to_columns(_by_level(part, residual))
    return score


def coded_gram(
    X: CodedColumns, weight: FloatArray, center: FloatArray | None, scale: FloatArray | None, dense_gram: GramFunction
) -> FloatArray:
    """Weighted Gram matrix ``Z' diag(weight) Z``: (k, k), the numbers' own part by `dense_gram`."""
    moved = [part for part in X.parts if _moved(part, center, scale)]
    assert not moved, "working columns leave coded columns as they are"
    gram = np.empty((X.shape[1], X.shape[1]))
    columns = X.dense_columns
    own_center, own_scale = _of(center, columns), _of(scale, columns)
    gram[np.ix_(columns, columns)] = dense_gram(X.dense, weight, own_center, own_scale)
    for number, part in enumerate(X.parts):
        _set(gram, part, part, part.gram(_by_level(part, weight)))
        for j, column in enumerate(columns):
            z = working_columns(X.dense[:, j], _at(own_center, j), _at(own_scale, j))
            cross = part.to_columns(_by_level(part, weight * z))
            gram[part.columns, column] = gram[column, part.columns] = cross
        for other in X.parts[:number]:
            table = part.to_columns(_cross_table(part, other, weight))
            _set(gram, part, other, other.to_columns(table.T).T)
    return gram


def _moved(part: CodedPart, center: FloatArray | None, scale: FloatArray | None) -> bool:
    moved = center is not None and bool(center[part.columns].any())
    return moved or (scale is not None and bool((scale[part.columns] != 1.0).any()))


def _dense(X: CodedColumns, center: FloatArray | None, scale: FloatArray | None) -> FloatArray:
    return working_columns(X.dense, _of(center, X.dense_columns), _of(scale, X.dense_columns))


def _by_level(part: CodedPart, values: FloatArray) -> FloatArray:
    """(levels,) sums by level."""
    return np.bincount(part.codes, weights=values, minlength=part.levels).astype(np.float64, copy=False)


def _cross_table(part: CodedPart, other: CodedPart, weight: FloatArray) -> FloatArray:
    """(levels, levels) sums by both levels."""
    cells = part.codes * other.levels + other.codes
    sums = np.bincount(cells, weights=weight, minlength=part.levels * other.levels)
    return sums.astype(np.float64, copy=False).reshape(part.levels, other.levels)


def _set(gram: FloatArray, part: CodedPart, other: CodedPart, values: FloatArray) -> None:
    gram[np.ix_(part.columns, other.columns)] = values
    gram[np.ix_(other.columns, part.columns)] = values.T


def _of(values: FloatArray | None, columns: np.ndarray) -> FloatArray | None:
    return None if values is None else values[columns]


def _at(values: FloatArray | None, j: int) -> FloatArray | None:
    return None if values is None else values[j : j + 1]
