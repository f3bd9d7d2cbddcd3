"""Expressions that look at other rows (ranks, lags, scores by an own function): found at the fit, before they mislead.

Such an expression gives a row another value when other rows stand beside it, so its coefficient says nothing about new data, and
an effect computed by moving its variable is wrong. What is seen at a glance to work row by row is not looked at; everything else
is evaluated again on parts of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from logit_stats.design.expression import is_rowwise
from logit_stats.design.factor import Factor
from logit_stats.design.factor_values import CategoricalValues, FactorValues
from logit_stats.design.sample import Mask
from logit_stats.design.table import Table
from logit_stats.errors import FormulaError

PART_ROWS = 1000
AGREEMENT = 1e-7


def refuse_other_rows(factor: Factor, table: Table, values: FactorValues) -> None:
    """Raise `FormulaError` if the values of a factor in some rows depend on which other rows there are."""
    if is_rowwise(factor.term_factor.code) or table.rows < 2:
        return
    failed = False
    for part in _parts(table.rows):
        try:
            again = factor.evaluate(table.where(part))
        except Exception:
            failed = True
            continue
        if not _agree(values, again, part):
            raise FormulaError(
                f"{factor.name!r} in the formula gives a row another value when other rows stand beside it, so it could not be "
                f"applied to new data. Make the column first (df['new'] = ...), or use what remembers the rows of the fit: "
                f"center(x), standardize(x), bs, ns, poly, or a summary written out, as in I(x / x.max())."
            )
    if failed:
        # of another length than the part, perhaps: the same rows again tell whether chance is in it
        _refuse_chance(factor, table, values)


def _refuse_chance(factor: Factor, table: Table, values: FactorValues) -> None:
    """Raise `FormulaError` if an expression gives the same rows other values when it is evaluated again."""
    if not _agree(values, factor.evaluate(table), np.ones(table.rows, dtype=np.bool_)):
        raise FormulaError(
            f"{factor.name!r} in the formula gives other values each time it is evaluated: make the column first "
            f"(df['new'] = ...)."
        )


def _parts(rows: int) -> Iterator[Mask]:
    """Every second row, the others (at most a thousand of each), and a single row."""
    stride = max(2, 2 * (rows // (2 * PART_ROWS)))
    for start, step in ((0, stride), (stride // 2, stride), (rows // 3, rows)):
        part = np.zeros(rows, dtype=np.bool_)
        part[start::step] = True
        yield part


def _agree(values: FactorValues, again: FactorValues, part: Mask) -> bool:
    if isinstance(values, CategoricalValues) or isinstance(again, CategoricalValues):
        both = isinstance(values, CategoricalValues) and isinstance(again, CategoricalValues)
        return _nothing(again) or (both and bool((_labels(values)[part] == _labels(again)).all()))
    first, second = values.values[part], again.values
    if first.shape != second.shape:
        return bool(np.isnan(second.astype(np.float64)).all() and np.isnan(first.astype(np.float64)).all())
    finite = np.isfinite(first)
    spread = float(np.max(np.abs(first[finite]), initial=0.0))
    return np.allclose(first, second, rtol=AGREEMENT, atol=AGREEMENT * spread, equal_nan=True)


def _nothing(values: FactorValues) -> bool:
    return values.missing is not None and bool(values.missing.all())


def _labels(values: Any) -> Any:
    labels = np.empty(len(values.levels) + 1, dtype=object)
    labels[:-1] = [str(level) for level in values.levels]
    labels[-1] = None
    return labels[values.codes]
