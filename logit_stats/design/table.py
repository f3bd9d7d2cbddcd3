"""`Table`: what the user handed in (pandas, dict, polars, Arrow), seen as named pandas Series over one index.

Columns are converted one at a time, when they are first looked up: only what a formula uses is ever touched.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.alignment import in_row_order
from logit_stats.design.sources import KeptColumns, Source, source_of
from logit_stats.errors import DataError, MissingColumnError, listed


class Table(Mapping[str, pd.Series]):
    """Named columns over one index, read lazily.

    Parameters
    ----------
    data : DataFrame, mapping of str to array, or any table that narwhals reads (polars, pyarrow, ...)
    columns : collection of str, optional
        What will be asked for; only a lazy frame or a relation needs to know, which is read once for these.

    Raises
    ------
    DataError
        If `data` is none of these, or its columns have different lengths.
    """

    def __init__(self, data: Any, columns: Collection[str] | None = None) -> None:
        self._source: Source = source_of(data, columns)
        self._read: dict[str, pd.Series] = {}
        self._keep: NDArray[np.bool_] | None = None
        self.names = self._source.names
        self.index: pd.Index = self._source.index
        self._counts: Counter[Any] = Counter(self.names)
        self._aliases = _aliases(self.names, getattr(self._source, "others", frozenset()))

    @classmethod
    def of(cls, data: Any, columns: Collection[str] | None = None) -> Table:
        """Return `data` where it is a table already, else the table of it."""
        return data if isinstance(data, Table) else cls(data, columns)

    def __getitem__(self, name: Any) -> pd.Series:
        if name not in self._read:
            if name not in self._counts:
                known = self._known(name)
                if known is None:
                    raise KeyError(name)
                if known != name or isinstance(known, str):
                    return self[known]
            if self._counts[name] > 1:
                raise DataError(f"The data have more than one column named {name!r}; rename or drop one of them.")
            column = self._source.column(name)
            self._read[name] = column if self._keep is None else column[self._keep]
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._counts or self._known(name) is not None

    def _known(self, name: Any) -> Any:
        """The column that a name means which is none of the texts as they stand: another spelling of its letters, a number."""
        if isinstance(name, str):
            return self._aliases.get(unicodedata.normalize("NFKC", name))
        try:
            return self._aliases.get(name)
        except TypeError:
            return None

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
        return {"kept": kept, "index": self.index}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # results of earlier versions kept the same under other names
        kept, self.index = state.get("kept", state.get("_read", {})), state["index"]
        self._source, self._read, self._keep = KeptColumns(kept, self.index), dict(kept), None
        self.names, self._counts = [name for name in kept if isinstance(name, str)], Counter(kept)
        self._aliases = _aliases(self.names, frozenset(name for name in kept if not isinstance(name, str)))

    def column(self, name: str, wanted_for: str) -> pd.Series:
        """One column; an error that names it, its purpose and the nearest names where it is missing."""
        try:
            return self[name]
        except KeyError:
            raise MissingColumnError(f"{wanted_for}: {missing_column_message(name, self.known_names)}") from None

    @property
    def known_names(self) -> list[Any]:
        """Names of all columns, those that are no texts included."""
        return [*self.names, *(name for name in self._aliases.values() if not isinstance(name, str))]

    def in_order(self, name: str, given: Any) -> Any:
        """A Series that is no column, such as a variable of the caller's, for the rows of this table by its labels.

        Raises
        ------
        DataError
            If its labels are not those of the table.
        """
        found = in_row_order(name, given, self._source.index, self.index)
        if self._keep is None or len(found) != len(self._source.index):
            return found
        return found[self._keep]

    def rows_of(self, given: Any) -> Any:
        """An array without labels, one value for each row read, for the rows of this table; any other length as it is."""
        if self._keep is None or len(given) != len(self._keep):
            return given
        return given[self._keep]

    def replaced(self, columns: dict[Any, pd.Series]) -> Table:
        """Return the table with other values, (rows,), in some of its columns."""
        view = Table.__new__(Table)
        view.__dict__.update(self.__dict__)
        # every row of the source again, as `where` starts from these
        view._read = {**self._read, **columns}
        view._source = _Replaced(self._source, {name: self._spread(column) for name, column in columns.items()})
        return view

    def _spread(self, column: pd.Series) -> pd.Series:
        if self._keep is None:
            return column
        whole = pd.Series(np.nan, index=self._source.index)
        whole[self._keep] = column.to_numpy()
        return whole

    def where(self, keep: NDArray[np.bool_]) -> Table:
        """Return the table of the rows in which `keep` (rows,) is true."""
        # not copy(): that goes through __getstate__, which keeps only what was looked up
        view = Table.__new__(Table)
        view.__dict__.update(self.__dict__)
        view._read = {}
        view._keep = keep if self._keep is None else _both(self._keep, keep)
        view.index = self.index[keep]
        return view


class _Replaced:
    """A source with some of its columns replaced."""

    def __init__(self, source: Source, columns: dict[Any, pd.Series]) -> None:
        self._source, self._columns = source, columns
        self.names, self.index = source.names, source.index

    def column(self, name: Any) -> pd.Series:
        """One column."""
        return self._columns[name] if name in self._columns else self._source.column(name)


def _aliases(names: list[str], others: frozenset[Any]) -> dict[Any, Any]:
    """Columns by what else may be said for them.

    Python reads every name in a formula in the Unicode form NFKC: the micro sign as the Greek letter, and an umlaut of two
    characters, as macOS writes them, as one.
    """
    spelled: dict[Any, Any] = {}
    for name in names:
        spelled.setdefault(name if name.isascii() else unicodedata.normalize("NFKC", name), name)
    return {**spelled, **{name: name for name in others}}


def _both(outer: NDArray[np.bool_], inner: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mask over all rows of `inner`, which is a mask over the rows that `outer` keeps."""
    combined = outer.copy()
    combined[outer] = inner
    return combined


def column_names(data: Any) -> tuple[Any, ...]:
    """Names of the columns of anything that a `Table` takes, read without touching a column."""
    if isinstance(data, pd.DataFrame):
        return tuple(data.columns)
    if isinstance(data, Mapping):
        return tuple(data)
    if hasattr(data, "collect_schema"):
        return tuple(data.collect_schema().names())
    names = getattr(data, "column_names", None)
    names = getattr(data, "columns", ()) if names is None else names
    return tuple(names) if isinstance(names, (list, tuple, pd.Index)) else ()


def missing_column_message(name: Any, names: list[Any]) -> str:
    """Say that a column is not there, and which ones come near."""
    near = get_close_matches(str(name), [n for n in names if isinstance(n, str)], n=3, cutoff=0.6)
    there = listed([n if isinstance(n, str) else repr(n) for n in names], 8) or "no columns"
    hint = f"did you mean {listed([repr(n) for n in near])}?" if near else f"the data have {there}."
    return f"there is no column {name!r} in the data; {hint}"
