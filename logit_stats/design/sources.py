"""Where columns come from: pandas, a dict of arrays, polars and Arrow tables, lazy frames and relations.

A source is asked for one column at a time and gives it as a pandas Series over its index. What it gives later is what it had
when it was made: a frame that is sorted, or an array that is filled anew, after a fit changes nothing in its results.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd

from logit_stats.design.borrowed import Borrowed
from logit_stats.design.containers import as_column, frame_of_row, plain_series, series_from_narwhals
from logit_stats.design.row_batch import RowBatch
from logit_stats.errors import DataError


class Source(Protocol):
    """Named columns over one index."""

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        ...

    @property
    def index(self) -> pd.Index:
        """Labels of the rows."""
        ...

    def column(self, name: str) -> pd.Series:
        """One column of `names`."""
        ...


def source_of(data: Any, columns: Collection[str] | None = None) -> Source:
    """The source of what the user handed in.

    Parameters
    ----------
    data : DataFrame, mapping of str to array, or any table that narwhals or Arrow can read
    columns : collection of str, optional
        What will be asked for: a lazy frame or relation is read once, for these. By default all.

    Raises
    ------
    DataError
        If `data` is no table, or its columns have different lengths.
    """
    if isinstance(data, RowBatch):
        return data
    if isinstance(data, pd.Series) and all(isinstance(name, str) for name in data.index):
        data = frame_of_row(data)
    if isinstance(data, pd.DataFrame):
        return PandasSource(data)
    if isinstance(data, Mapping):
        return DictSource(data)
    if _is_lazy(data):
        return LazySource(data, columns)
    return FrameSource(data)


class PandasSource:
    """A pandas frame as it is now: later changes of it are not seen.

    With pandas' copy-on-write (always on from pandas 3) a shallow copy costs nothing and keeps its values. Without, columns are
    copied as they are read.
    """

    def __init__(self, data: pd.DataFrame) -> None:
        self._frame = data.copy(deep=False)
        self._copied: dict[Any, pd.Series] = {}
        names = list(data.columns)
        self.names: list[str] = [name for name in names if isinstance(name, str)]
        # numbers and tuples, which a formula writes Q(2020) and Q(("lab", "first"))
        self.others = frozenset(name for name in names if not isinstance(name, str))
        self.index: pd.Index = data.index

    def column(self, name: Any) -> pd.Series:
        """One column."""
        if _COPY_ON_WRITE:
            return plain_series(self._frame[name])
        if name not in self._copied:
            self._copied[name] = plain_series(self._frame[name]).copy()
        return self._copied[name]


class DictSource:
    """A mapping of names to columns of equal length."""

    def __init__(self, data: Mapping[Any, Any]) -> None:
        self._columns = _filled_up({str(name): _column_of(str(name), column) for name, column in data.items()})
        self._borrowed = {name: Borrowed.of(c, name) for name, c in self._columns.items() if isinstance(c, np.ndarray)}
        self.names = list(self._columns)
        self.index = _common_index(self._columns)

    def column(self, name: str) -> pd.Series:
        """One column; an array is copied when it is first read, since its owner may fill it anew."""
        column = self._columns[name]
        if not isinstance(column, pd.Series):
            if name in self._borrowed:
                self._borrowed.pop(name).require(f"The array of the column {name!r}")
            column = self._columns[name] = pd.Series(column.copy(), index=self.index, name=name)
        return column


class FrameSource:
    """A polars or Arrow table, or whatever else narwhals reads."""

    def __init__(self, data: Any) -> None:
        self._frame = _narwhals_frame(data)
        self.names: list[str] = list(self._frame.columns)
        self.index = pd.RangeIndex(len(self._frame))

    def column(self, name: str) -> pd.Series:
        """One column."""
        return series_from_narwhals(self._frame[name], name)


class LazySource:
    """A lazy frame (polars, Dask) or a DuckDB relation: read once for the columns wanted.

    A column that is asked for later is read with those before, which must come out as they did: a plan can give its rows in
    another order every time.
    """

    def __init__(self, data: Any, columns: Collection[str] | None) -> None:
        self._data = data
        self.names: list[str] = list(data.columns) if _is_relation(data) else _lazy(data).collect_schema().names()
        wanted = self.names if columns is None else [name for name in self.names if name in set(columns)]
        self._collected = self._collect(wanted or self.names[:1])
        self.index = self._collected.index

    def column(self, name: str) -> pd.Series:
        """One column; read now where it was not wanted before."""
        if name not in self._collected.names:
            before = self._collected
            again = self._collect([*before.names, name])
            same = len(again.index) == len(before.index) and all(
                again.column(known).equals(before.column(known)) for known in before.names
            )
            if not same:
                raise DataError(
                    f"The column {name!r} was not read with the fit, and the lazy frame gives other rows, or another order, when "
                    f"it is read again: collect it first, with all the columns that will be needed."
                )
            self._collected = again
        return self._collected.column(name)

    def _collect(self, names: list[str]) -> FrameSource:
        if not _is_relation(self._data):
            return FrameSource(_lazy(self._data).select(*names).collect().to_native())
        import pyarrow as pa

        chosen = ", ".join('"{}"'.format(name.replace('"', '""')) for name in names)
        return FrameSource(pa.table(self._data.project(chosen)))


class KeptColumns:
    """Columns that were looked up, as a saved result has them."""

    def __init__(self, columns: dict[str, pd.Series], index: pd.Index) -> None:
        self._columns = columns
        self.names = list(columns)
        self.index = index

    def column(self, name: str) -> pd.Series:
        """One column."""
        return self._columns[name]


def _is_relation(data: Any) -> bool:
    """Whether `data` is a relation of DuckDB."""
    return type(data).__name__ == "DuckDBPyRelation"


def _is_lazy(data: Any) -> bool:
    import narwhals.stable.v1 as nw

    return _is_relation(data) or isinstance(_lazy(data), nw.LazyFrame)


def _lazy(data: Any) -> Any:
    import narwhals.stable.v1 as nw

    return nw.from_native(data, pass_through=True)


def _narwhals_frame(data: Any) -> Any:
    import narwhals.stable.v1 as nw

    if type(data).__name__ == "RecordBatch" and type(data).__module__.startswith("pyarrow"):
        import pyarrow as pa

        data = pa.Table.from_batches([data])
    try:
        frame = nw.from_native(data, allow_series=False)
    except (TypeError, NotImplementedError):
        kind = type(data).__name__
        raise DataError(
            f"`data` is a {kind}; give a pandas, polars or Arrow table, or a dict of columns (arrays go to Logit(y, X))."
        ) from None
    # polars changes a frame in place too (extend, insert_column); a clone shares its columns and costs nothing
    return frame.clone() if hasattr(data, "clone") else frame


def _column_of(name: str, given: Any) -> Any:
    column = as_column(given)
    if not isinstance(column, (pd.Series, pd.Categorical, np.ndarray, pd.api.extensions.ExtensionArray)):
        column = np.asarray(column)
    if column.ndim > 1:
        raise DataError(f"Column {name!r} has {column.ndim} dimensions; give one value per row.")
    return column.copy(deep=False) if isinstance(column, pd.Series) else column


def _filled_up(columns: dict[str, Any]) -> dict[str, Any]:
    """Columns of one length: a single value stands for all rows, and only single values are one row."""
    lengths = [len(column) for column in columns.values() if column.ndim]
    rows = max(lengths, default=1)
    return {
        name: column if column.ndim else pd.Series([column.item()] * rows).to_numpy()
        for name, column in columns.items()
    }


def _common_index(columns: dict[str, Any]) -> pd.Index:
    if not columns:
        return pd.RangeIndex(0)
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        first, *others = lengths
        other = next(name for name in others if lengths[name] != lengths[first])
        raise DataError(
            f"Columns have different lengths: {first!r} has {lengths[first]} rows, {other!r} has {lengths[other]}."
        )
    series = [column for column in columns.values() if isinstance(column, pd.Series)]
    if not series:
        return pd.RangeIndex(next(iter(lengths.values())))
    if any(not s.index.equals(series[0].index) for s in series[1:]):
        raise DataError("The Series in `data` have different indexes; align them, for example with pd.DataFrame(data).")
    return series[0].index


def _writes_copy() -> bool:
    if int(pd.__version__.split(".")[0]) >= 3:
        return True
    return bool(pd.get_option("mode.copy_on_write") is True)


_COPY_ON_WRITE = _writes_copy()
