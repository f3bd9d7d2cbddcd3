"""Rows counted as patterns: where few different rows occur again and again, each is kept once, with its number.

A fit of the patterns with their numbers as frequency weights is the fit of the rows, exactly: coefficients, errors (robust ones
too), likelihood, and every sum over rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from logit_stats.design.row_arguments import RowArguments
from logit_stats.design.row_batch import RowBatch
from logit_stats.design.row_sources import BatchRows
from logit_stats.design.scan import Scan
from logit_stats.design.stream import Stream

# Column that no user has: how many rows a pattern stands for.
COUNT = " rows counted"
# Patterns are looked for where there are so many rows for each, and given up where there are more than this.
SHARE, MOST = 100, 1_000_000


@dataclass(frozen=True, eq=False)
class Patterns:
    """Different rows with their numbers; None where there are too many."""

    table: Any
    limit: int

    def __add__(self, other: Patterns) -> Patterns:
        import pyarrow as pa

        if self.table is None or other.table is None:
            return Patterns(None, self.limit)
        return _few(_grouped(pa.concat_tables([self.table, other.table])), self.limit)


def _few(table: Any, limit: int) -> Patterns:
    return Patterns(table if table.num_rows <= limit else None, limit)


@dataclass(frozen=True, eq=False)
class PatternsOf:
    """Patterns of a range of rows."""

    limit: int

    def __call__(self, index: int, batch: RowBatch) -> Patterns:
        """Of one range of rows."""
        import numpy as np
        import pyarrow as pa

        return _few(
            _grouped(batch.rows.append_column(COUNT, pa.array(np.ones(len(batch), dtype=np.int64)))), self.limit
        )


def _grouped(rows: Any) -> Any:
    keys = [name for name in rows.column_names if name != COUNT]
    sums = rows.group_by(keys, use_threads=False).aggregate([(COUNT, "sum")])
    sums = sums.rename_columns([COUNT if name == f"{COUNT}_sum" else name for name in sums.column_names])
    return sums.select([*keys, COUNT]).combine_chunks()


def as_patterns(stream: Stream, scan: Scan, arguments: RowArguments) -> tuple[Stream, RowArguments, int] | None:
    """The stream of the patterns, and the arguments that weight them; None where rows stay rows, as weighted ones do."""
    if scan.compress is False or arguments.sampling_weights is not None or arguments.freq_weights is not None:
        return None
    first = next((batch for _, batch in stream.batches()), None)
    if first is None:
        return None
    known = stream.source.rows
    limit = MOST if known is None else max(min(known // SHARE, MOST), 1)
    if scan.compress == "auto":
        seen = PatternsOf(max(len(first) // SHARE, 1))(0, first)
        if seen.table is None:
            return None
    else:
        limit = MOST
    found: Patterns = stream.sum(PatternsOf(limit), "patterns")
    if found.table is None:
        return None
    source = BatchRows(
        "the patterns", found.table.column_names, partial(_batches, found.table), tuple, tuple(found.table.column_names),
        stream.source.identity(),
    )  # fmt: skip
    return replace(stream, source=_Counted(source)), replace(arguments, freq_weights=COUNT), found.table.num_rows


def _batches(table: Any, columns: list[str]) -> Iterator[Any]:
    yield from table.select(columns).to_batches()


class _Counted(BatchRows):
    """The patterns, which stay as they are."""

    def __init__(self, source: BatchRows) -> None:
        self.__dict__.update(source.__dict__)

    def _refuse_changed(self) -> None:
        return
