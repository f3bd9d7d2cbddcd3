"""`Table`: what the user handed in (pandas, dict, polars, Arrow), seen as named pandas Series over one index.

Columns are converted one at a time, when they are first looked up: only what a formula uses is ever touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.errors import DataError, MissingColumnError, listed


class Table(Mapping[str, pd.Series]):
    """Named columns over one index, read lazily.

    Parameters
    ----------
    data : DataFrame, mapping of str to array, or any table that narwhals reads (polars, pyarrow, ...)

    Raises
    ------
    DataError
        If `data` is none of these, or its columns have different lengths.
    """

    def __init__(self, data: Any) -> None:
        self._read: dict[str, pd.Series] = {}
        self._keep: NDArray[np.bool_] | None = None
        if isinstance(data, pd.DataFrame):
            self._frame: Any = data
            self.names = [name for name in data.columns if isinstance(name, str)]
            self.index: pd.Index = data.index
        elif isinstance(data, Mapping):
            self._frame = {str(name): _column_of(str(name), column) for name, column in data.items()}
            self.names = list(self._frame)
            self.index = _common_index(self._frame)
        else:
            self._frame = _narwhals_frame(data)
            self.names = list(self._frame.columns)
            self.index = pd.RangeIndex(len(self._frame))
        duplicates = [name for name in dict.fromkeys(self.names) if self.names.count(name) > 1]
        self._duplicates = frozenset(duplicates)

    def __getitem__(self, name: str) -> pd.Series:
        if name not in self._read:
            if name not in self.names:
                raise KeyError(name)
            if name in self._duplicates:
                raise DataError(f"The data have more than one column named {name!r}; rename or drop one of them.")
            column = self._column(name)
            self._read[name] = column if self._keep is None else column[self._keep]
        return self._read[name]

    def _column(self, name: str) -> pd.Series:
        if isinstance(self._frame, dict):
            column = self._frame[name]
            return column if isinstance(column, pd.Series) else pd.Series(column, index=self.index, name=name)
        if isinstance(self._frame, pd.DataFrame):
            return self._frame[name]
        return _series_from_narwhals(self._frame[name], name)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.index)

    def __getstate__(self) -> dict[str, Any]:
        """Keep the columns that were looked up: what a saved result may need again is what its fit used."""
        kept = {name: self[name] for name in self._read}
        return {"_frame": kept, "names": list(kept), "index": self.index, "_read": kept, "_keep": None,
                "_duplicates": frozenset()}  # fmt: skip

    def column(self, name: str, wanted_for: str) -> pd.Series:
        """One column; an error that names it, its purpose and the nearest names where it is missing."""
        try:
            return self[name]
        except KeyError:
            raise MissingColumnError(f"{wanted_for}: {missing_column_message(name, self.names)}") from None

    def where(self, keep: NDArray[np.bool_]) -> Table:
        """Return the table of the rows in which `keep` (rows,) is true."""
        # not copy(): that goes through __getstate__, which keeps only what was looked up
        view = Table.__new__(Table)
        view.__dict__.update(self.__dict__)
        view._read = {}
        view._keep = keep if self._keep is None else _both(self._keep, keep)
        view.index = self.index[keep]
        return view


def _both(outer: NDArray[np.bool_], inner: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mask over all rows of `inner`, which is a mask over the rows that `outer` keeps."""
    combined = outer.copy()
    combined[outer] = inner
    return combined


def missing_column_message(name: str, names: list[str]) -> str:
    """Say that a column is not there, and which ones come near."""
    near = get_close_matches(name, names, n=3, cutoff=0.6)
    hint = f"did you mean {listed([repr(n) for n in near])}?" if near else f"the data have {listed(names, 8)}."
    return f"there is no column {name!r} in the data; {hint}"


def _column_of(name: str, column: Any) -> Any:
    if isinstance(column, (pd.Series, pd.Categorical)):
        return column
    array = np.asarray(column)
    if array.ndim == 0:
        raise DataError(f"Column {name!r} is a single value; give one value per row.")
    if array.ndim > 1:
        raise DataError(f"Column {name!r} has {array.ndim} dimensions; give one value per row.")
    return array


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


def _narwhals_frame(data: Any) -> Any:
    import narwhals.stable.v1 as nw

    try:
        frame = nw.from_native(data, allow_series=False)
    except TypeError:
        kind = type(data).__name__
        raise DataError(
            f"`data` is a {kind}; give a pandas, polars or Arrow table, or a dict of columns (arrays go to Logit(y, X))."
        ) from None
    return frame.collect() if isinstance(frame, nw.LazyFrame) else frame


def _series_from_narwhals(column: Any, name: str) -> pd.Series:
    """A narwhals column as a pandas Series, without passing through Python objects where that can be avoided."""
    import narwhals.stable.v1 as nw

    kind = column.dtype
    if kind in (nw.Categorical, nw.Enum):
        categories = column.cat.get_categories().to_list()
        codes = pd.Index(categories).get_indexer(pd.Index(column.cast(nw.String).to_list()))
        return pd.Series(pd.Categorical.from_codes(codes, categories), name=name)
    if kind == nw.Boolean and column.null_count() > 0:
        return pd.Series(column.to_list(), dtype="boolean", name=name)
    if kind.is_numeric():
        # a null in an integer column becomes NaN here, as in every float column
        return pd.Series(column.cast(nw.Float64).to_numpy() if column.null_count() else column.to_numpy(), name=name)
    return pd.Series(column.to_numpy(), name=name)
