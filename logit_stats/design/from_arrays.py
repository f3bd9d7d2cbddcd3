"""From arrays (or a frame of numbers) to a `Design`, with statsmodels' names and conventions."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design, constant_column
from logit_stats.design.factor_values import factor_values
from logit_stats.design.response import (
    Response,
    ResponseReader,
    binary_response,
    count_column,
    grouped_response,
    outcome_counts,
    refuse_one_class,
)
from logit_stats.design.row_numbers import RowNumbers, numbers_at, row_numbers, weights_of
from logit_stats.design.sample import Screening
from logit_stats.errors import (
    DataError,
    NonFiniteError,
    ResponseError,
    TooFewRowsError,
    check_choice,
    listed_rows,
)


def design_from_arrays(
    endog: Any,
    exog: Any,
    *,
    offset: Any = None,
    freq_weights: Any = None,
    sampling_weights: Any = None,
    trials: Any = None,
    missing: str = "none",
    refuse_wide: bool = True,
    as_response: ResponseReader = binary_response,
) -> Design:
    """Columns, response, weights and the account of the rows, from arrays. Parameters are those of `logit_stats.Logit`.

    A float64 array is used where it lies: nothing is copied unless rows are left out.

    Raises
    ------
    DataError
        One of its kinds, for everything that can be wrong with the arrays.
    """
    check_choice("missing", missing, ("none", "drop", "raise"))
    X, names, index = _exog(exog)
    constant = constant_column(X)
    if not names:
        names = _default_names(X.shape[1], constant)
    endog_frame, endog_names, endog_index = endog_columns(endog, len(X))
    if index is not None and endog_index is not None and not index.equals(endog_index):
        raise DataError("The indices for endog and exog are not aligned: sort them the same way, or pass arrays.")
    labelled = index is not None or endog_index is not None
    index = index if index is not None else endog_index if endog_index is not None else pd.RangeIndex(len(X))
    if len(endog_frame[0]) != len(X):
        raise DataError(f"endog has {len(endog_frame[0])} rows and exog has {len(X)}; they must be the same rows.")
    offset_ = row_numbers("offset", offset, None, index)
    trials_ = row_numbers("trials", trials, None, index)
    weights = weights_of(freq_weights, sampling_weights, None, index)

    columns = [factor_values(name, c, len(X), index) for name, c in zip(endog_names, endog_frame, strict=True)]
    given = [number for number in (offset_, weights, trials_) if number is not None]
    masks = {name: c.missing for name, c in zip(endog_names, columns, strict=True)}
    suspects = _columns_not_finite(X)
    masks |= {names[j]: np.isnan(X[:, j]) for j in suspects}
    masks |= {number.label: np.isnan(number.values) for number in given}
    missing_rows = {name: mask for name, mask in masks.items() if mask is not None and mask.any()}
    zero = None
    for number in (weights, trials_):
        if number is not None and (number.values == 0).any():
            zero = (number.values == 0) | (zero if zero is not None else False)
    screening = Screening(index, None)
    keep = screening.keep(missing_rows, zero, missing)
    labels = index
    if keep is not None:
        X, labels = X[keep], index[keep]
        constant = constant_column(X)
        columns = [column.where(keep) for column in columns]
        offset_, weights, trials_ = (numbers_at(number, keep) for number in (offset_, weights, trials_))
    _refuse_infinite(X, names, suspects, labels)
    response = _response(endog_names, columns, trials_, labels, as_response)
    if refuse_wide and X.shape[1] > X.shape[0]:
        raise TooFewRowsError(
            f"exog has {X.shape[1]} columns and {X.shape[0]} rows: more coefficients than rows cannot be estimated."
        )
    events, nonevents = refuse_one_class(response, None if weights is None else weights.values)
    return Design(
        X=X,
        names=names,
        response=response,
        weight=weights,
        offset=offset_,
        sample=screening.account(missing_rows, zero, keep, events, nonevents, outcome_counts(response, weights)),
        index=labels,
        labelled=labelled,
        formula=None,
        constant=constant,
    )


def new_columns(exog: Any, names: tuple[str, ...]) -> tuple[FloatArray, pd.Index | None]:
    """Columns of new data for an array fit: (m, k), one row where a single row is given, and the labels if any.

    Raises
    ------
    DataError
        If the number of columns is not that of the fit.
    """
    if isinstance(exog, pd.DataFrame) and set(names) <= set(exog.columns):
        exog = exog[list(names)]
    X, _, index = _exog(exog, row_wise=len(names))
    if X.shape[1] != len(names):
        raise DataError(f"exog has {X.shape[1]} columns; the model has {len(names)} ({', '.join(names[:8])}).")
    return X, index


def _exog(exog: Any, row_wise: int | None = None) -> tuple[FloatArray, tuple[str, ...], pd.Index | None]:
    if isinstance(exog, (pd.DataFrame, pd.Series)):
        frame = exog.to_frame() if isinstance(exog, pd.Series) else exog
        if isinstance(exog, pd.Series) and row_wise is not None and row_wise != 1 and len(exog) == row_wise:
            return _exog(exog.to_numpy(), row_wise)
        return _frame_columns(frame), tuple(str(name) for name in frame.columns), frame.index
    try:
        X = np.asarray(exog, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            "exog must hold numbers; for text or categories use a formula, as in logit('y ~ x + C(group)', data)."
        ) from None
    if X.ndim == 1:
        X = X[None, :] if row_wise is not None and row_wise != 1 and len(X) == row_wise else X[:, None]
    if X.ndim != 2:
        raise DataError(f"exog has {X.ndim} dimensions; it must be a table of rows and columns.")
    if X.shape[1] == 0:
        raise DataError("exog has no columns; a model needs at least a constant.")
    return X, (), None


def _default_names(columns: int, constant: int | None) -> tuple[str, ...]:
    """Names as statsmodels gives them: const where a column is constant, x1, x2, ... else."""
    names = [f"x{j}" for j in range(1, columns + (constant is None))]
    if constant is not None:
        names.insert(constant, "const")
    return tuple(names)


def _frame_columns(frame: pd.DataFrame) -> FloatArray:
    for position, name in enumerate(frame.columns):
        kind = frame.dtypes.iloc[position]
        if not (pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind)):
            raise DataError(
                f"exog column {name!r} holds {kind}, not numbers; use a formula, as in logit('y ~ C({name})', data)."
            )
    if frame.shape[1] == 0:
        raise DataError("exog has no columns; a model needs at least a constant.")
    return frame.to_numpy(dtype=np.float64, na_value=np.nan)


def endog_columns(endog: Any, rows: int) -> tuple[list[Any], list[str], pd.Index | None]:
    """Columns of the response (one, or successes and failures), their names, and the labels if any."""
    columns: list[Any]
    if isinstance(endog, pd.DataFrame):
        names = [str(name) for name in endog.columns]
        columns = [endog.iloc[:, j] for j in range(endog.shape[1])]
        index: pd.Index | None = endog.index
    elif isinstance(endog, pd.Series):
        names, columns, index = ["y" if endog.name is None else str(endog.name)], [endog], endog.index
    elif isinstance(endog, pd.Categorical):
        names, columns, index = ["y"], [endog], None
    else:
        array = np.asarray(endog)
        if array.ndim == 2 and array.shape[1] > 1:
            columns = [array[:, j] for j in range(array.shape[1])]
        else:
            columns = [array.reshape(-1) if array.ndim == 2 else array]
        names, index = ["y"] if len(columns) == 1 else ["successes", "failures"], None
    if len(columns) > 2:
        raise ResponseError(f"endog has {len(columns)} columns; give one, or two with successes and failures.")
    return columns, names if len(names) == len(columns) else [f"y{j}" for j in range(len(columns))], index


def _columns_not_finite(X: FloatArray) -> list[int]:
    """Columns that may hold NaN or infinite values: one pass at the speed of memory, since their sum tells."""
    with np.errstate(all="ignore"):
        # not a product: BLAS's threads would go on spinning for some time, on the processors that the fit needs next
        sums = np.add.reduce(X, axis=0)
    return [j for j, total in enumerate(sums.tolist()) if not isfinite(total)]


def _refuse_infinite(X: FloatArray, names: tuple[str, ...], suspects: list[int], labels: pd.Index) -> None:
    for j in suspects:
        infinite = np.isinf(X[:, j])
        if infinite.any():
            raise NonFiniteError(
                f"exog column {names[j]!r} is infinite in {int(infinite.sum())} row(s) "
                f"(row {listed_rows(np.asarray(labels)[infinite])})."
            )


def _response(
    names: list[str], columns: list[Any], trials: RowNumbers | None, labels: pd.Index, as_response: ResponseReader
) -> Response:
    if len(columns) == 2:
        if trials is not None:
            raise ResponseError(
                "Give either two columns (successes, failures) or one column of successes with trials=."
            )
        successes, failures = (count_column(n, c, labels) for n, c in zip(names, columns, strict=True))
        return grouped_response(" + ".join(names), successes, successes + failures, labels)
    if trials is not None:
        return grouped_response(names[0], count_column(names[0], columns[0], labels), trials.values, labels)
    return as_response(names[0], columns[0], labels)
