"""`RowBatch`: a range of the rows of a stream, as a source of columns whose labels are row numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from logit_stats.design.containers import series_from_narwhals


class RowBatch:
    """Some rows of a stream.

    Parameters
    ----------
    rows : pyarrow.Table
    first : int
        Number of their first row among all rows.
    """

    def __init__(self, rows: Any, first: int) -> None:
        self.rows = rows
        self.first = first
        self.names: list[str] = list(rows.column_names)
        self.index = pd.RangeIndex(first, first + rows.num_rows)

    def column(self, name: str) -> pd.Series:
        """One column."""
        import narwhals.stable.v1 as nw

        series = series_from_narwhals(nw.from_native(self.rows.column(name), series_only=True), name)
        series.index = self.index
        return series

    def __len__(self) -> int:
        return len(self.index)
