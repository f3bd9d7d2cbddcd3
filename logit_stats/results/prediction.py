"""Linear predictors of new data, with the levels, transforms and offset of the fit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.estimable import null_space, outside, reason
from logit_stats.design.from_arrays import new_columns
from logit_stats.design.given_rows import for_rows_used
from logit_stats.design.new_rows import new_offset
from logit_stats.design.table import Table
from logit_stats.errors import NotEstimableWarning, listed_rows
from logit_stats.estimation.fit import Fit


def new_rows(
    fit: Fit, exog: Any, offset: Any, transform: bool = True
) -> tuple[FloatArray, FloatArray, pd.Index | None]:
    """Working columns (m, k) and linear predictor (m,) of new data, NaN where something is missing, and row labels if any.

    With ``transform=False`` the new data of a formula fit are its design columns already.

    Raises
    ------
    DataError
        If the model has an offset and the new data have none.
    """
    if not transform and exog is not None:
        X, index = new_columns(exog, fit.design.names)
        Z = fit.working.columns(X)
        return Z, fit.predictor(Z) + _offset_of(fit, exog, offset, len(X), index), index
    if exog is not None and fit.design.formula is not None:
        exog = Table.of(exog, {*fit.design.formula.columns, *_offset_columns(fit, offset)})
    X, index = new_design_columns(fit.design, exog)
    Z = fit.working.columns(X)
    if exog is None and offset is None:
        return Z, own_predictor(fit), index
    return Z, fit.predictor(Z) + _offset_of(fit, exog, offset, len(X), index), index


def own_predictor(fit: Fit) -> FloatArray:
    """Linear predictor of the fit's own rows as predictions have it: without what belongs to the sample alone."""
    shift = 0.0 if fit.design.offset is None else fit.design.offset.shift
    return fit.eta - shift if shift else fit.eta


def new_design_columns(design: Design, exog: Any) -> tuple[FloatArray, pd.Index | None]:
    """Design columns (m, k) of new data, NaN where something is missing, and row labels if any; without data the fit's own."""
    if exog is None:
        return design.X, None
    if design.formula is None:
        return new_columns(exog, design.names)
    X, _, labels = design.formula.design_matrix(exog)
    N = null_space(design)
    if N is not None:
        X = np.where(outside(N, X)[:, None], np.nan, X)
    return X[:, [design.formula.names.index(name) for name in design.names]], labels


def not_estimable(design: Design, exog: Any) -> tuple[str, ...]:
    """What to say of new rows for which the data determine no prediction; nothing where there are none."""
    N = null_space(design)
    if N is None or exog is None or design.formula is None:
        return ()
    X, _, labels = design.formula.design_matrix(exog)
    gone = outside(N, X)
    if not gone.any():
        return ()
    rows = f"row {listed_rows(np.asarray(labels)[gone])}" if len(gone) > 1 else "the row"
    return (f"No prediction for {rows}. {reason(design)}",)


def warn_not_estimable(design: Design, exog: Any) -> None:
    """Warn of rows for which there is no prediction: in an array of numbers NaN would not say why."""
    for note in not_estimable(design, exog):
        warnings.warn(note, NotEstimableWarning, stacklevel=3)


def predict_new(fit: Fit, exog: Any, offset: Any, transform: bool = True) -> tuple[FloatArray, pd.Index | None]:
    """Linear predictor of every row of new data, and the row labels if any; see `new_rows`."""
    _, eta, index = new_rows(fit, exog, offset, transform)
    return eta, index


def _offset_columns(fit: Fit, offset: Any) -> set[str]:
    known = None if fit.design.offset is None else fit.design.offset.column
    return {name for name in (known, offset) if isinstance(name, str)}


def _offset_of(fit: Fit, exog: Any, offset: Any, rows: int, index: pd.Index | None) -> FloatArray | float:
    if offset is None and fit.design.offset is None:
        return 0.0
    if exog is None:
        offset = offset if np.ndim(offset) == 0 else for_rows_used(fit.design, "offset", offset)
        labels, labelled = fit.design.index, fit.design.labelled
    else:
        labels, labelled = pd.RangeIndex(rows) if index is None else index, index is not None
    table = exog if isinstance(exog, Table) else None
    numbers = new_offset(fit.design, table, labels, offset, labelled=labelled)
    return np.zeros(rows) if numbers is None else numbers.values
