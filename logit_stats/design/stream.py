"""`Stream`: passes over rows that are read anew every time, in blocks that do not depend on how files were cut.

Rows are numbered over all files. A block is the rows from ``i * BLOCK`` to ``(i + 1) * BLOCK``, wherever files and groups end:
it is read by the job in whose row group it begins. What is made of blocks is summed in a fixed tree (`PairwiseSum`). So the
same rows give the same bits, however they are cut into files and row groups, and whichever job ends first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from logit_stats.design.engines import finished, is_local
from logit_stats.design.pairwise import PairwiseSum
from logit_stats.design.row_batch import RowBatch
from logit_stats.design.row_sources import Part, RowSource
from logit_stats.design.stream_progress import PassBar
from logit_stats.errors import DataError

BLOCK_ROWS = 1 << 16


@dataclass(frozen=True, eq=False)
class Job:
    """The blocks that begin in one part.

    Attributes
    ----------
    source : RowSource
    number : int
        Position of the part among the parts.
    """

    source: RowSource
    number: int

    def __str__(self) -> str:
        part = self.source.parts[self.number]  # type: ignore[index]
        files = getattr(self.source, "files", ())
        name = files[part.file].path if files else f"part {part.file}"
        return f"{name}, row group {part.group}"

    def blocks(self, rows: int) -> Iterator[tuple[int, RowBatch]]:
        """The blocks with their numbers."""
        parts = self.source.parts
        assert parts is not None
        part = parts[self.number]
        start = -(-part.first // rows)  # the first block that begins here
        stop = -(-(part.first + part.rows) // rows)
        if start < stop:
            batches = _from_row(self.source, parts, self.number, start * rows)
            yield from _blocks(batches, start, stop, rows)


def _from_row(source: RowSource, parts: tuple[Part, ...], number: int, first: int) -> Iterator[Any]:
    """Batches from one row on, through as many parts as are asked for."""
    for part in parts[number:]:
        position = part.first
        for batch in source.read(part):
            skip = max(first - position, 0)
            position += batch.num_rows
            if skip < batch.num_rows:
                yield batch.slice(skip) if skip else batch


def _blocks(batches: Iterator[Any], start: int, stop: int | None, rows: int) -> Iterator[tuple[int, RowBatch]]:
    """Blocks of `rows` rows of batches that begin with block `start`; the last one may be shorter."""
    import pyarrow as pa

    held: list[Any] = []
    count, index = 0, start
    for batch in batches:
        while batch.num_rows:
            room = rows - count
            held.append(batch.slice(0, room))
            count += held[-1].num_rows
            batch = batch.slice(room)  # noqa: PLW2901
            if count == rows:
                yield index, RowBatch(pa.Table.from_batches(held).combine_chunks(), index * rows)
                held, count, index = [], 0, index + 1
                if index == stop:
                    return
    if count:
        yield index, RowBatch(pa.Table.from_batches(held).combine_chunks(), index * rows)


@dataclass(frozen=True, eq=False)
class Given:
    """A block that was read already, on its way to a worker."""

    index: int
    batch: RowBatch

    def __str__(self) -> str:
        return f"the rows from number {self.batch.first} on"

    def blocks(self, rows: int) -> Iterator[tuple[int, RowBatch]]:
        """Itself."""
        yield self.index, self.batch


@dataclass(frozen=True, eq=False)
class Worker:
    """What runs on the engine: a function of every block of a job, summed as far as the job goes."""

    function: Callable[[int, RowBatch], Any]
    rows: int

    def __call__(self, job: Any) -> tuple[dict[tuple[int, int], Any], int]:
        """Sums of the blocks of a job so far, and the number of rows read."""
        total, read = PairwiseSum(), 0
        # a thread has warnings of its own
        with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
            for index, batch in job.blocks(self.rows):
                total.add(index, self.function(index, batch))
                read += len(batch)
        return total.nodes, read


@dataclass(frozen=True, eq=False)
class Stream:
    """Rows that are read in passes.

    Attributes
    ----------
    source : RowSource
        With the columns to be read.
    engine : Executor, dask Client or None
    memory : int
        Bytes that a pass may hold beside its blocks.
    rows : int or None
        How many there are, once that is known.
    block_rows : int
        Rows of a block.
    """

    source: RowSource
    engine: Any = None
    memory: int = 2 << 30
    rows: int | None = None
    block_rows: int = BLOCK_ROWS
    passes: list[str] | None = None

    def __getstate__(self) -> dict[str, Any]:
        # an engine stays where it is
        return {**self.__dict__, "engine": None}

    def sum(self, function: Callable[[int, RowBatch], Any], what: str = "pass") -> Any:
        """Sum of what a function makes of every block: of its number and its rows. None where every one is None.

        Raises
        ------
        DataError
            If files cannot be read, or are not what they were in the pass before.
        """
        total, read = PairwiseSum(), 0
        with PassBar(what, self.rows if self.rows is not None else self.source.rows, self._number(what)) as bar:
            for nodes, rows in finished(self.engine, Worker(function, self.block_rows), self._jobs()):
                total.take(nodes)
                read += rows
                bar.at(read)
        self._refuse_other(read)
        return total.total()

    def _number(self, what: str) -> int:
        if self.passes is None:
            return 1
        self.passes.append(what)
        return len(self.passes)

    def _refuse_other(self, read: int) -> None:
        known = self.source.rows if self.rows is None else self.rows
        if known is not None and read != known:
            raise DataError(
                f"A pass read {read} rows, and there were {known} before: the rows changed while they were read. A plan of an "
                f"engine must give the same rows, in the same order, every time."
            )

    def _jobs(self) -> Iterator[Any]:
        parts = self.source.parts
        if parts is None:
            for index, batch in _blocks(self.source.read(None), 0, None, self.block_rows):
                yield Given(index, batch)
            return
        yield from (Job(self.source, number) for number in range(len(parts)) if self._begins(parts[number]))

    def _begins(self, part: Part) -> bool:
        rows = self.block_rows
        return -(-part.first // rows) < -(-(part.first + part.rows) // rows)

    def batches(self) -> Iterator[tuple[int, RowBatch]]:
        """Every block in its order, read by this process."""
        parts = self.source.parts
        if parts is None:
            yield from _blocks(self.source.read(None), 0, None, self.block_rows)
        elif parts:
            yield from _blocks(_from_row(self.source, parts, 0, 0), 0, None, self.block_rows)

    @property
    def local(self) -> bool:
        """Whether workers share the memory of this process."""
        return is_local(self.engine)

    def counted(self, rows: int) -> Stream:
        """Return the stream with its number of rows known."""
        return replace(self, rows=rows)
