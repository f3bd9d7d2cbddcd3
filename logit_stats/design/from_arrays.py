"""From arrays (or a frame of numbers) to a `Design`, with statsmodels' names and conventions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.borrowed import Borrowed
from logit_stats.design.borrowed_design import own_or_borrow, watched
from logit_stats.design.containers import as_column, numbers_of, refuse_sparse
from logit_stats.design.design import Design, constant_column
from logit_stats.design.factor_values import factor_values
from logit_stats.design.response import (
    Response,
    ResponseReader,
    binary_response,
    count_column,
    grouped_response,
    refuse_one_class,
)
from logit_stats.design.row_arguments import RowArguments
from logit_stats.design.row_numbers import RowNumbers
from logit_stats.design.sample import Screening
from logit_stats.design.screening import screen
from logit_stats.design.table import Table
from logit_stats.errors import (
    DataError,
    NonFiniteError,
    ResponseError,
    TooFewRowsError,
    check_choice,
    counted,
    listed_rows,
)


def design_from_arrays(
    endog: Any,
    exog: Any,
    arguments: RowArguments | None = None,
    *,
    refuse_wide: bool = True,
    as_response: ResponseReader = binary_response,
) -> Design:
    """Columns, response, weights and the account of the rows, from arrays.

    Parameters are those of `logit_stats.Logit`, what is given for each row in `arguments`. A large float64 array is used where
    it lies (see `borrowed`): nothing is copied unless rows are left out.

    Raises
    ------
    DataError
        One of its kinds, for everything that can be wrong with the arrays.
    """
    arguments = RowArguments(missing="none") if arguments is None else arguments
    check_choice("missing", arguments.missing, ("none", "drop", "raise"))
    X, names, own_index = _exog(exog)
    constant = constant_column(X)
    if not names:
        names = _default_names(X.shape[1], constant)
    endog_frame, endog_names, endog_index = endog_columns(endog)
    index, labelled = _labels(own_index, endog_index, len(X))
    if len(endog_frame[0]) != len(X):
        raise DataError(f"endog has {len(endog_frame[0])} rows and exog has {len(X)}; they must be the same rows.")
    rows = arguments.read(None, index, labelled=labelled).check(index)
    columns = [factor_values(name, c, len(X), index) for name, c in zip(endog_names, endog_frame, strict=True)]
    suspects = _columns_not_finite(X)
    masks = [(name, c.missing) for name, c in zip(endog_names, columns, strict=True)]
    masks += [(names[j], np.isnan(X[:, j])) for j in suspects]
    screened = screen(Screening(index, arguments.inside(index)), masks, rows, columns, arguments.missing)
    borrowed: tuple[Borrowed, ...] = ()
    if screened.keep is not None:
        X = X[screened.keep]
        constant = constant_column(X)
    else:
        X, borrowed = own_or_borrow("exog", X, exog)
    _refuse_infinite(X, names, suspects, screened.labels)
    response = _response(
        endog_names, [screened.of(c) for c in columns], screened.rows.trials, screened.labels, as_response
    )
    if refuse_wide and X.shape[1] > X.shape[0]:
        raise TooFewRowsError(
            f"exog has {counted(X.shape[1], 'column')} and {counted(X.shape[0], 'row')}: more coefficients than rows "
            f"cannot be estimated."
        )
    successes, more = own_or_borrow("endog", response.successes, endog)
    response = response if successes is response.successes else replace(response, successes=successes)
    weights = screened.rows.weights
    events, nonevents = refuse_one_class(response, None if weights is None else weights.values)
    design = Design(
        X=X,
        names=names,
        response=response,
        weight=weights,
        offset=screened.rows.offset,
        sample=screened.account(response, events, nonevents),
        index=screened.labels,
        labelled=labelled,
        formula=None,
        constant=constant,
    )
    return watched(design, borrowed + more)


def _labels(own: pd.Index | None, endog: pd.Index | None, rows: int) -> tuple[pd.Index, bool]:
    """Labels of the rows, and whether the user's data carry them."""
    if own is not None and endog is not None and not own.equals(endog):
        raise DataError("The indices for endog and exog are not aligned: sort them the same way, or pass arrays.")
    index = own if own is not None else endog
    return (pd.RangeIndex(rows), False) if index is None else (index, True)


def new_columns(exog: Any, names: tuple[str, ...]) -> tuple[FloatArray, pd.Index | None]:
    """Columns of new data for an array fit: (m, k), one row where a single row is given, and the labels if any.

    Raises
    ------
    DataError
        If the number of columns is not that of the fit.
    """
    if isinstance(exog, pd.DataFrame) and set(names) <= set(exog.columns):
        exog = exog[list(names)]
    X, _, index = _exog(exog, row_wise=names)
    if X.shape[1] != len(names):
        raise DataError(f"exog has {X.shape[1]} columns; the model has {len(names)} ({', '.join(names[:8])}).")
    return X, index


def _exog(exog: Any, row_wise: tuple[str, ...] = ()) -> tuple[FloatArray, tuple[str, ...], pd.Index | None]:
    """Columns, their names and row labels if any; with `row_wise`, the names of a fit, one row may be given as such."""
    refuse_sparse("exog", exog)
    k = len(row_wise)
    if type(exog) is not np.ndarray and (isinstance(exog, Mapping) or _is_frame(exog)):
        exog = pd.DataFrame(dict(Table(exog)))
        exog = exog if k == 0 or not set(row_wise) <= set(exog.columns) else exog[list(row_wise)]
        return _frame_columns(exog), tuple(str(name) for name in exog.columns), None
    if isinstance(exog, (pd.DataFrame, pd.Series)):
        if isinstance(exog, pd.Series) and k > 1 and len(exog) == k:
            named = set(exog.index) == set(row_wise)
            return _exog((exog.loc[list(row_wise)] if named else exog).to_numpy(), row_wise)
        frame = exog.to_frame() if isinstance(exog, pd.Series) else exog
        return _frame_columns(frame), tuple(str(name) for name in frame.columns), frame.index
    if exog is None:
        raise DataError("exog is None; give the design columns, or use a formula, as in logit('y ~ x', data).")
    try:
        X = numbers_of(exog if isinstance(exog, np.ma.MaskedArray) else np.asarray(exog))
    except (TypeError, ValueError):
        held = "complex numbers" if np.iscomplexobj(exog) else "something else"
        raise DataError(
            f"exog must hold real numbers and holds {held}; for text or categories use a formula, as in "
            f"logit('y ~ x + C(group)', data)."
        ) from None
    if X.ndim == 1:
        X = X[None, :] if k > 1 and len(X) == k else X[:, None]
    if X.ndim != 2:
        raise DataError(f"exog has {X.ndim} dimensions; it must be a table of rows and columns.")
    if X.shape[1] == 0:
        raise DataError("exog has no columns; a model needs at least a constant.")
    return X, (), None


def _is_frame(given: Any) -> bool:
    """Whether `given` is a polars or Arrow table, and no array or pandas object."""
    if isinstance(given, (np.ndarray, pd.DataFrame, pd.Series)):
        return False
    return hasattr(given, "__arrow_c_stream__") and hasattr(given, "columns")


def _default_names(columns: int, constant: int | None) -> tuple[str, ...]:
    """Names as statsmodels gives them: const where a column is constant, x1, x2, ... else."""
    names = [f"x{j}" for j in range(1, columns + (constant is None))]
    if constant is not None:
        names.insert(constant, "const")
    return tuple(names)


def _frame_columns(frame: pd.DataFrame) -> FloatArray:
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise DataError(f"exog has more than one column named {repeated[0]!r}; rename or drop one of them.")
    for position, name in enumerate(frame.columns):
        kind = frame.dtypes.iloc[position]
        if not (pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind)) or kind.kind == "c":
            raise DataError(
                f"exog column {name!r} holds {kind}, not numbers; use a formula, as in logit('y ~ C({name})', data)."
            )
    if frame.shape[1] == 0:
        raise DataError("exog has no columns; a model needs at least a constant.")
    return frame.to_numpy(dtype=np.float64, na_value=np.nan)


def endog_columns(endog: Any) -> tuple[list[Any], list[str], pd.Index | None]:
    """Columns of the response (one, or successes and failures), their names, and the labels if any."""
    columns: list[Any]
    if endog is None:
        raise ResponseError("endog is None; give the outcome of each row.")
    refuse_sparse("endog", endog)
    if _is_frame(endog):
        endog = pd.DataFrame(dict(Table(endog)))
        return [endog.iloc[:, j] for j in range(endog.shape[1])], [str(name) for name in endog.columns], None
    endog = as_column(endog)
    if isinstance(endog, pd.DataFrame):
        names = [str(name) for name in endog.columns]
        columns = [endog.iloc[:, j] for j in range(endog.shape[1])]
        index: pd.Index | None = endog.index
    elif isinstance(endog, pd.Series):
        names, columns, index = ["y" if endog.name is None else str(endog.name)], [endog], endog.index
    elif isinstance(endog, (pd.Index, pd.api.extensions.ExtensionArray)):
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
                f"exog column {names[j]!r} is infinite in {counted(int(infinite.sum()), 'row')} "
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
