"""One column of any container (pandas, polars, Arrow, masked arrays, lists) as a pandas object or a NumPy array.

What a container knows of its values is kept: the mask of a masked array is missing values, texts beside a NaN stay texts, and
the levels of a dictionary that has no order are sorted, so that they do not depend on which row stands first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from logit_stats.errors import DataError


def as_column(given: Any) -> Any:
    """Return one column as a Series, Index, Categorical or NumPy array; tables and scalars as they are."""
    if isinstance(given, pd.Series):
        return plain_series(given)
    if isinstance(given, np.ma.MaskedArray):
        return _without_mask(given)
    if isinstance(given, (list, tuple, range)):
        return _of_list(given)
    if isinstance(given, (np.ndarray, pd.DataFrame)):
        return given
    if hasattr(given, "__arrow_c_stream__") or hasattr(given, "__arrow_c_array__"):
        return _of_arrow(given)
    return given


def _without_mask(given: Any) -> Any:
    """Numbers with NaN, anything else with None, where the mask says that there is no value."""
    mask = np.ma.getmaskarray(given)
    if not mask.any():
        return np.asarray(given.data)
    values = given.data.astype(np.float64 if given.dtype.kind in "iuf" else object)
    values[mask] = np.nan if values.dtype != object else None
    return np.asarray(values)


def _of_list(given: Any) -> Any:
    """A list as pandas reads it: texts and missing values stay what they are. Lists of lists become tables of numbers."""
    if len(given) and isinstance(given[0], (list, tuple, np.ndarray)):
        return np.asarray(given)
    column = pd.Series(given, dtype=None if len(given) else np.float64)
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array


def _of_arrow(given: Any) -> Any:
    """A polars or Arrow column without labels of its own; what is none as it is."""
    import narwhals.stable.v1 as nw

    if type(given).__module__.startswith("pyarrow") and not hasattr(given, "chunks"):
        import pyarrow as pa

        given = pa.chunked_array([given])
    try:
        column = nw.from_native(given, series_only=True)
    except TypeError:
        return given
    series = series_from_narwhals(column, str(column.name or ""))
    return series.to_numpy() if isinstance(series.dtype, np.dtype) else series.array


def series_from_narwhals(column: Any, name: str) -> pd.Series:
    """A narwhals column as a pandas Series, without passing through Python objects where that can be avoided."""
    import narwhals.stable.v1 as nw

    kind = column.dtype
    if kind in (nw.Categorical, nw.Enum):
        return pd.Series(_categories(column, kind), name=name)
    if kind == nw.Boolean and column.null_count() > 0:
        return pd.Series(column.to_list(), dtype="boolean", name=name)
    if kind == nw.Decimal:
        return pd.Series(column.cast(nw.Float64).to_numpy(), name=name)
    if kind.is_numeric():
        # a null in an integer column becomes NaN here, as in every float column
        return pd.Series(column.cast(nw.Float64).to_numpy() if column.null_count() else column.to_numpy(), name=name)
    return pd.Series(column.to_numpy(), name=name)


def _categories(column: Any, kind: Any) -> Any:
    """Categories in the order that was declared; texts where none was, since theirs is the order of the rows."""
    import narwhals.stable.v1 as nw

    codes, found = pd.factorize(np.asarray(column.cast(nw.String).to_list(), dtype=object), use_na_sentinel=True)
    declared = kind == nw.Enum or getattr(getattr(column.to_native(), "type", None), "ordered", False)
    if not declared:
        return np.array([*found, None], dtype=object)[codes]
    categories = pd.Index([str(category) for category in column.cat.get_categories().to_list()])
    places = np.append(categories.get_indexer(pd.Index(found)), -1)
    return pd.Categorical.from_codes(places[codes], categories=categories)


def plain_series(series: pd.Series) -> pd.Series:
    """A Series of pandas' Arrow dtypes in the dtypes that pandas has of its own; any other as it is."""
    if not isinstance(series.dtype, pd.ArrowDtype):
        return series
    kind = series.dtype.pyarrow_dtype
    import pyarrow.types as pat

    if pat.is_dictionary(kind):
        values = _of_arrow(series.array.__arrow_array__())
        return pd.Series(values, index=series.index, name=series.name)
    if pat.is_decimal(kind):
        return pd.Series(series.to_numpy(dtype=np.float64, na_value=np.nan), index=series.index, name=series.name)
    if pat.is_temporal(kind):
        return pd.Series(series.astype(object).to_numpy(), index=series.index, name=series.name, dtype=object)
    return series


def numbers_of(given: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A column, or a table of numbers, as aligned float64, NaN where missing.

    Raises
    ------
    TypeError, ValueError
        If it holds no real numbers: dates, durations and complex numbers are none.
    """
    if type(given) is np.ndarray and given.dtype == np.float64 and given.flags.aligned:
        return given
    given = as_column(given)
    if isinstance(given, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        if not isinstance(given.dtype, np.dtype) and not pd.api.types.is_numeric_dtype(given.dtype):
            if pd.api.types.is_string_dtype(given.dtype) or isinstance(given.dtype, pd.CategoricalDtype):
                return np.asarray(pd.Series(given).astype(object).to_numpy(dtype=np.float64, na_value=np.nan))
            raise TypeError(f"{given.dtype} are no numbers")
        array = (
            np.asarray(given.to_numpy(dtype=np.float64, na_value=np.nan))
            if not isinstance(given.dtype, np.dtype)
            else given.to_numpy()
        )
    else:
        array = np.asarray(given)
    if array.dtype.kind in "mMc":
        raise TypeError(f"{array.dtype} are no real numbers")
    return np.require(array, dtype=np.float64, requirements=["A"])


def frame_of_row(row: pd.Series) -> pd.DataFrame:
    """A row of a frame (a Series under the names of the columns) as a frame of one row."""
    return row.to_frame().T.infer_objects()


def refuse_sparse(what: str, given: Any) -> None:
    """Raise `DataError` for SciPy's sparse matrices, which NumPy takes for a single object."""
    if type(given) is not np.ndarray and hasattr(given, "tocsr") and hasattr(given, "toarray"):
        rows, columns = given.shape
        raise DataError(
            f"{what} is a sparse matrix ({rows} x {columns}); give {what}.toarray(), or the factor itself in a formula: factors "
            f"of many levels are kept as codes there."
        )
