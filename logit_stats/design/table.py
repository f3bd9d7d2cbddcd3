"""`Table`: what the user handed in (pandas, dict, polars, Arrow), seen as named pandas Series over one index.

Columns are converted one at a time, when they are first looked up: only what a formula uses is ever touched.
"""

from __future__ import annotations

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
        self._counts = Counter(self.names)

    @classmethod
    def of(cls, data: Any, columns: Collection[str] | None = None) -> Table:
        """Return `data` where it is a table already, else the table of it."""
        return data if isinstance(data, Table) else cls(data, columns)

    def __getitem__(self, name: str) -> pd.Series:
        if name not in self._read:
            if name not in self._counts:
                raise KeyError(name)
            if self._counts[name] > 1:
                raise DataError(f"The data have more than one column named {name!r}; rename or drop one of them.")
            column = self._source.column(name)
            self._read[name] = column if self._keep is None else column[self._keep]
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._counts

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
        self.names, self._counts = list(kept), Counter(kept)

    def column(self, name: str, wanted_for: str) -> pd.Series:
        """One column; an error that names it, its purpose and the nearest names where it is missing."""
        try:
            return self[name]
        except KeyError:
            raise MissingColumnError(f"{wanted_for}: {missing_column_message(name, self.names)}") from None

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


def column_names(data: Any) -> tuple[Any, ...]:
    """Names of the columns of anything that a `Table` takes, read without touching a column."""
    if isinstance(data, Mapping):
        return tuple(data)
    if hasattr(data, "collect_schema"):
        return tuple(data.collect_schema().names())
    names = getattr(data, "column_names", None)
    names = getattr(data, "columns", ()) if names is None else names
    return tuple(names) if isinstance(names, (list, tuple, pd.Index)) else ()


def missing_column_message(name: str, names: list[str]) -> str:
    """Say that a column is not there, and which ones come near."""
    near = get_close_matches(name, names, n=3, cutoff=0.6)
    hint = f"did you mean {listed([repr(n) for n in near])}?" if near else f"the data have {listed(names, 8)}."
    return f"there is no column {name!r} in the data; {hint}"
