"""Files of rows: what they are called, who they are, and their rows in record batches of the columns asked for.

Parquet files are read one row group at a time, in any order and as often as needed; whatever else pyarrow reads (CSV, Arrow
files, a filtered Dataset, a plan of DuckDB or Dask) is walked from its first row to its last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from logit_stats.errors import DataError, MissingColumnError

BATCH_ROWS = 1 << 16


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What must stay as it is while a file is read several times."""

    path: str
    size: int
    changed: int
    rows: int


@dataclass(frozen=True, slots=True)
class Part:
    """A row group: rows that can be read by themselves.

    Attributes
    ----------
    file, group : int
        Which of the files, and which of its row groups.
    first, rows : int
        Number of its first row among all rows, and how many there are.
    """

    file: int
    group: int
    first: int
    rows: int


class RowSource(Protocol):
    """Rows that can be read again and again."""

    @property
    def names(self) -> list[str]:
        """Columns."""
        ...

    @property
    def parts(self) -> tuple[Part, ...] | None:
        """What can be read by itself; None where rows come one after the other only."""
        ...

    @property
    def rows(self) -> int | None:
        """How many; None where only a pass tells."""
        ...

    @property
    def columns_read(self) -> tuple[str, ...]:
        """Columns that are read."""
        ...

    def prepared(self, columns: Sequence[str]) -> RowSource:
        """Return the source of these columns, of one type each in all files."""
        ...

    def read(self, part: Part | None) -> Iterator[Any]:
        """Record batches of a part, or of everything."""
        ...

    def identity(self) -> tuple[Any, ...]:
        """What two fits of the same rows have in common."""
        ...


@dataclass(frozen=True, eq=False)
class ParquetRows:
    """Parquet files.

    Attributes
    ----------
    filesystem : pyarrow.fs.FileSystem
    files : tuple of FileIdentity
    parts : tuple of Part
    names : list of str
    verify : bool
    types : mapping of str to pyarrow.DataType
        The columns to be read, and their types.
    """

    filesystem: Any
    files: tuple[FileIdentity, ...]
    parts: tuple[Part, ...]
    names: list[str]
    verify: bool = True
    types: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, filesystem: Any, paths: Sequence[str], verify: bool) -> ParquetRows:
        """Files by their paths, whose footers are read now."""
        files, parts, first = [], [], 0
        names: list[str] = []
        for number, path in enumerate(paths):
            with _opened(filesystem, path) as file:
                footer = file.metadata
                names = names or list(file.schema_arrow.names)
                for group in range(footer.num_row_groups):
                    rows = footer.row_group(group).num_rows
                    if rows:
                        parts.append(Part(number, group, first, rows))
                    first += rows
                files.append(FileIdentity(path, *_stamp(filesystem, path), footer.num_rows))
        return cls(filesystem, tuple(files), tuple(parts), names, verify)

    @property
    def columns_read(self) -> tuple[str, ...]:
        """Columns that are read."""
        return tuple(self.types or ())

    @property
    def rows(self) -> int:
        """Number of rows of all files."""
        return sum(file.rows for file in self.files)

    def identity(self) -> tuple[Any, ...]:
        """The files as they are."""
        return self.files

    def prepared(self, columns: Sequence[str]) -> ParquetRows:
        """Return the same files with the columns to be read, of one type each.

        Raises
        ------
        DataError
            If a file lacks one of them, or has it as something else.
        """
        types: dict[str, Any] = {}
        for file in self.files:
            with _opened(self.filesystem, file.path) as opened:
                schema = opened.schema_arrow
            for name in columns:
                places = schema.get_all_field_indices(name)
                if not places:
                    raise DataError(f"{file.path} has no column {name!r}, which {self.files[0].path} has.")
                if len(places) > 1:
                    raise DataError(f"{file.path} has {len(places)} columns named {name!r}; rename or drop one.")
                found = schema.field(places[0]).type
                types[name] = _widened(name, types.get(name, found), found, file.path, self.files[0].path)
        return ParquetRows(self.filesystem, self.files, self.parts, self.names, self.verify, types)

    def read(self, part: Part | None) -> Iterator[Any]:
        """Record batches of a row group, checked."""
        assert part is not None
        assert self.types is not None
        file = self.files[part.file]
        self._refuse_changed(file)
        read = 0
        columns = list(self.types)
        with _opened(self.filesystem, file.path, self.verify) as opened:
            limits = _limits(opened, part.group, columns) if self.verify else {}
            where = f"{file.path}, row group {part.group}"
            batches = _guarded(
                opened.iter_batches(BATCH_ROWS, row_groups=[part.group], columns=columns, use_threads=False), where
            )
            for batch in batches:
                read += batch.num_rows
                _refuse_outside(batch, limits, where)
                yield _cast(batch.select(columns), self.types, where)
        self._refuse_changed(file)
        if read != part.rows:
            raise DataError(f"{where} holds {read} rows, and its footer says {part.rows}: the file is damaged.")

    def _refuse_changed(self, file: FileIdentity) -> None:
        if _stamp(self.filesystem, file.path) != (file.size, file.changed):
            raise DataError(
                f"{file.path} was changed while it was read: a fit needs the same rows in every pass. Fit again when nobody "
                f"writes to it."
            )


def _opened(filesystem: Any, path: str, verify: bool = False) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path, filesystem=filesystem, page_checksum_verification=verify)
    except FileNotFoundError:
        raise DataError(f"{path} is not there (any more).") from None
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} is damaged, cut off, or no Parquet file: {_first_line(error)}") from error


def _stamp(filesystem: Any, path: str) -> tuple[int, int]:
    """Size and time of the last change, in nanoseconds."""
    info = filesystem.get_file_info(path)
    return int(info.size or 0), int(info.mtime_ns or 0)


def _guarded(batches: Iterator[Any], where: str) -> Iterator[Any]:
    """The batches; what a reader says of damaged bytes becomes a sentence that names the place."""
    import pyarrow as pa

    try:
        yield from batches
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{where} cannot be read; its bytes are damaged: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:200]


def _limits(opened: Any, group: int, columns: list[str]) -> dict[str, tuple[Any, Any]]:
    """Smallest and largest value of the numbers in a row group, as the footer has them."""
    found = {}
    row_group = opened.metadata.row_group(group)
    for place in range(row_group.num_columns):
        column = row_group.column(place)
        name, statistics = column.path_in_schema, column.statistics
        if name in columns and statistics is not None and statistics.has_min_max:
            low, high = statistics.min, statistics.max
            if isinstance(low, (int, float)) and not isinstance(low, bool) and low <= high:
                found[name] = (low, high)
    return found


def _refuse_outside(batch: Any, limits: dict[str, tuple[Any, Any]], where: str) -> None:
    """Raise where values lie outside of what the footer says: bytes were changed that no checksum covers."""
    import pyarrow.compute as pc
    import pyarrow.types as pat

    for name, (low, high) in limits.items():
        column = batch.column(name)
        if not (pat.is_integer(column.type) or pat.is_floating(column.type)):
            continue
        seen = pc.min_max(column).as_py()
        if seen["min"] is not None and (seen["min"] < low or seen["max"] > high):
            raise DataError(
                f"{where}, column {name!r}: values from {seen['min']:g} to {seen['max']:g}, and the footer says {low:g} to "
                f"{high:g}: the file is damaged."
            )


def _widened(name: str, one: Any, other: Any, path: str, first: str) -> Any:
    """The type that holds the values of both; an error where there is none without loss."""
    import pyarrow as pa
    import pyarrow.types as pat

    one, other = _plain(one), _plain(other)
    if one == other or pat.is_null(other):
        return one
    if pat.is_null(one):
        return other
    if all(pat.is_integer(kind) for kind in (one, other)):
        return one if one.bit_width >= other.bit_width and pat.is_signed_integer(one) else pa.int64()
    if all(pat.is_integer(kind) or pat.is_floating(kind) for kind in (one, other)):
        return pa.float64()
    raise DataError(
        f"{path} has the column {name!r} as {other}, and {first} as {one}: write the files with one type, or leave one out."
    )


def _plain(kind: Any) -> Any:
    """A type without its encoding: texts are texts, whether a file keeps a dictionary of them or not."""
    import pyarrow as pa
    import pyarrow.types as pat

    if pat.is_dictionary(kind) and not kind.ordered:
        kind = kind.value_type
    if pat.is_large_string(kind) or (hasattr(pat, "is_string_view") and pat.is_string_view(kind)):
        return pa.string()
    return pa.float64() if pat.is_decimal(kind) else kind


def _cast(batch: Any, types: Mapping[str, Any], where: str) -> Any:
    import pyarrow as pa

    columns = []
    for name, kind in types.items():
        column = batch.column(name)
        try:
            columns.append(column if column.type == kind else column.cast(kind))
        except pa.ArrowException as error:
            raise DataError(f"{where}, column {name!r}: {_first_line(error)}") from error
    return pa.RecordBatch.from_arrays(columns, names=list(types))


@dataclass(frozen=True, eq=False)
class BatchRows:
    """Rows that come one after the other: whatever gives record batches anew for every pass.

    Attributes
    ----------
    what : str
        What they are, for messages.
    names : list of str
    batches : callable
        Record batches of some columns, from the first row on.
    stamp : callable
        Something that changes when the rows do.
    columns : tuple of str
        Those to be read.
    """

    what: str
    names: list[str]
    batches: Callable[[list[str]], Iterator[Any]]
    stamp: Callable[[], tuple[Any, ...]] = tuple
    columns: tuple[str, ...] = ()
    stamped: tuple[Any, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...] | None:
        """None: rows come one after the other."""
        return None

    @property
    def rows(self) -> int | None:
        """Not known before a pass."""
        return None

    @property
    def columns_read(self) -> tuple[str, ...]:
        """Columns that are read."""
        return self.columns

    def identity(self) -> tuple[Any, ...]:
        """What the rows are, as far as it can be told."""
        return self.stamped or (id(self.batches),)

    def prepared(self, columns: Sequence[str]) -> BatchRows:
        """Return the same rows with the columns to be read."""
        missing = [name for name in columns if name not in self.names]
        if missing:
            raise MissingColumnError(f"{self.what} has no column {missing[0]!r}.")
        return BatchRows(self.what, self.names, self.batches, self.stamp, tuple(columns), self.stamp())

    def read(self, part: Part | None = None) -> Iterator[Any]:
        """Record batches, the types of the first kept by all."""
        types: dict[str, Any] | None = None
        self._refuse_changed()
        for batch in _guarded(self.batches(list(self.columns)), self.what):
            types = {name: _plain(batch.schema.field(name).type) for name in self.columns} if types is None else types
            yield _cast(batch.select(list(self.columns)), types, self.what)
        self._refuse_changed()

    def _refuse_changed(self) -> None:
        if self.stamp() != self.stamped:
            raise DataError(
                f"{self.what} was changed while it was read: a fit needs the same rows in every pass. Fit again when nobody "
                f"writes to it."
            )
