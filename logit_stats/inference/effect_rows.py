"""The rows at which effects of design columns are evaluated, and which columns vary, are dummies, or are counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.errors import DataError
from logit_stats.estimation.fit import Fit

# Measured best of 2,048 ... 32,768 for 18 columns: shorter parts cost more calls than they save in cache.
PART_ROWS = 1 << 15


@dataclass(frozen=True, eq=False)
class RowPart:
    """Rows: user's columns, linear predictor (for several categories one for each equation) and weight."""

    X: FloatArray
    eta: FloatArray
    weight: FloatArray


@dataclass(frozen=True, eq=False)
class EffectRows:
    """All rows of the fit with some columns replaced, or a few rows given."""

    fit: Fit
    given: FloatArray | None
    given_offset: FloatArray | None
    replaced: dict[int, FloatArray]

    @classmethod
    def of(cls, fit: Fit, at: str, atexog: Any) -> EffectRows:
        """Rows for ``at`` and ``atexog`` as `column_margins` takes them."""
        design = fit.design
        replaced: dict[int, FloatArray] = {}
        offset = design.row_offset
        if isinstance(atexog, Mapping):
            for key, value in atexog.items():
                if not isinstance(key, (int, np.integer)) or not 0 <= key < design.columns:
                    raise DataError(f"atexog has the key {key!r}; keys are column positions 0 to {design.columns - 1}.")
                replaced[int(key)] = np.broadcast_to(np.asarray(value, dtype=np.float64), (design.rows,))
        elif atexog is not None:
            X = np.atleast_2d(np.asarray(atexog, dtype=np.float64))
            if X.shape[1] != design.columns:
                raise DataError(f"atexog has {X.shape[1]} columns; the model has {design.columns}.")
            shift = np.zeros(len(X)) if offset is None else np.full(len(X), offset.mean())
            return cls(fit, X if at in ("overall", "all") else _point(X, at, fit), shift[: len(X)], {})
        if at in ("overall", "all"):
            return cls(fit, None, None, replaced)
        point = _point_of_design(fit, at, replaced)
        shift = np.zeros(1) if offset is None or at == "zero" else np.array([_middle(offset, at, fit)])
        return cls(fit, point, shift, {})

    def parts(self, rows: int = PART_ROWS) -> Iterator[RowPart]:
        """Walk the rows, a part of at most `rows` of the fit's own at a time."""
        fit = self.fit
        if self.given is not None:
            offset = np.zeros(len(self.given)) if self.given_offset is None else self.given_offset
            Z = fit.working.columns(self.given)
            eta = fit.predictor(Z)
            eta = eta + offset[: len(self.given)] if eta.ndim == 1 else eta
            yield RowPart(self.given, eta, np.ones(len(self.given)))
            return
        start = 0
        for block in fit.design.blocks(rows):
            X = block.X
            if self.replaced:
                X = np.array(X)
                for j, values in self.replaced.items():
                    X[:, j] = values[start : start + len(X)]
            eta = fit.predictor(fit.working.columns(X))
            if block.offset is not None and fit.design.offset is not None:
                eta = eta + (block.offset - fit.design.offset.shift)
            yield RowPart(X, eta, _row_weight(block))
            start += len(X)


def _row_weight(block: Block) -> FloatArray:
    weight = np.ones(len(block.successes)) if block.trials is None else block.trials
    return weight if block.weight is None else weight * block.weight


def _weights(fit: Fit) -> FloatArray | None:
    block = fit.design.block
    return None if block.weight is None and block.trials is None else _row_weight(block)


def _middle(values: FloatArray, at: str, fit: Fit) -> float:
    weight = _weights(fit)
    if at == "mean":
        return float(np.average(values, weights=weight))
    if weight is None:
        return float(np.median(values))
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weight[order])
    half = cumulated[-1] / 2.0
    low = values[order][np.searchsorted(cumulated, half, side="left")]
    high = values[order][min(np.searchsorted(cumulated, half, side="right"), len(values) - 1)]
    return float((low + high) / 2.0)


def _point_of_design(fit: Fit, at: str, replaced: dict[int, FloatArray]) -> FloatArray:
    """One row: means, medians, or zeros with the constant kept."""
    design = fit.design
    point = np.zeros((1, design.columns))
    if at == "zero":
        constant = [j for j in range(design.columns) if j not in columns_that_vary(fit)]
        point[0, constant] = 1.0
        return point
    for j in range(design.columns):
        point[0, j] = _middle(np.asarray(replaced.get(j, design.X[:, j])), at, fit)
    return point


def _point(X: FloatArray, at: str, fit: Fit) -> FloatArray:
    if at == "zero":
        point = np.zeros((1, X.shape[1]))
        point[0, [j for j in range(X.shape[1]) if j not in columns_that_vary(fit)]] = 1.0
        return point
    return np.atleast_2d(X.mean(axis=0) if at == "mean" else np.median(X, axis=0))


def columns_that_vary(fit: Fit) -> list[int]:
    """Positions of the columns that are not constant."""
    if not fit.design.in_memory:
        low, high = next(iter(fit.design.column_ends()))
        return [int(j) for j in np.flatnonzero(low != high)]
    first = fit.design.X[0]
    varies = np.zeros(fit.design.columns, dtype=np.bool_)
    for block in fit.design.blocks(PART_ROWS):
        varies |= (first != block.X).any(axis=0)
        if varies.sum() >= fit.design.columns - 1 and (fit.design.constant is not None or varies.all()):
            break
    return [int(j) for j in np.flatnonzero(varies)]


def columns_of_kind(fit: Fit, columns: list[int], kind: Callable[[FloatArray], bool]) -> list[int]:
    """Those of the columns whose values are of a kind."""
    if not fit.design.in_memory:
        others = fit.design.reduce(partial(_of_other_kind, columns=columns, kind=kind))
        return [j for j, other in zip(columns, others, strict=True) if not other]
    return [j for j in columns if kind(fit.design.X[:, j])]


def _of_other_kind(block: Block, columns: list[int], kind: Callable[[FloatArray], bool]) -> FloatArray:
    """(columns,) one where a column holds other values."""
    return np.array([0.0 if kind(np.asarray(block.X[:, j])) else 1.0 for j in columns])


def is_dummy(x: FloatArray) -> bool:
    """Whether a column holds 0 and 1 only."""
    return bool(((x == 0.0) | (x == 1.0)).all())


def is_count(x: FloatArray) -> bool:
    """Whether a column holds whole numbers, 0 or more, only."""
    return bool((x >= 0.0).all() and (x == np.floor(x)).all())
