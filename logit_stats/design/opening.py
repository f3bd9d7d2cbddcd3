"""From what the user points at (paths, globs, folders, URLs, Datasets, plans of engines) to a `RowSource`."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from functools import partial
from os import fspath
from pathlib import Path
from typing import Any

from logit_stats.design.row_sources import BATCH_ROWS, BatchRows, ParquetRows, RowSource, _stamp
from logit_stats.design.scan import Scan, is_dataset
from logit_stats.errors import DataError, NotAvailableError

PARQUET = (".parquet", ".pq", ".parq")
FORMATS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".csv.gz": "csv", ".tsv.gz": "csv",
    ".feather": "feather", ".arrow": "ipc", ".ipc": "ipc", ".orc": "orc",
}  # fmt: skip


def opened(scan: Scan) -> RowSource:
    """The rows that a scan describes.

    Raises
    ------
    DataError
        If there are no such files, or they are of several kinds, or of none that is known.
    NotAvailableError
        If pyarrow is not there.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise NotAvailableError(
            "Files are read by pyarrow, which is not installed: pip install 'logit-stats[scale]'."
        ) from None
    data = scan.data
    if is_dataset(data):
        return _of_dataset(data, "the Dataset", scan)
    if isinstance(data, (list, tuple, str)) or hasattr(data, "__fspath__"):
        return _of_paths([fspath(path) for path in data] if isinstance(data, (list, tuple)) else [fspath(data)], scan)
    return _of_plan(data)


def _of_paths(given: list[str], scan: Scan) -> RowSource:
    filesystem, paths, partitioned = _resolved(given)
    kinds = {_kind(filesystem, path) for path in paths}
    if len(kinds) > 1:
        raise DataError(f"The files are of several kinds ({', '.join(sorted(kinds))}); give files of one kind.")
    kind = kinds.pop()
    if kind == "parquet" and not partitioned:
        return ParquetRows.of(filesystem, paths, scan.verify)
    import pyarrow.dataset as pads

    form = pads.ParquetFileFormat() if kind == "parquet" else _format(kind, paths[0], scan)
    dataset = pads.dataset(paths, filesystem=filesystem, format=form, partitioning="hive" if partitioned else None)
    stamp = partial(_stamps, filesystem, tuple(paths))
    what = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
    return _of_dataset(dataset, what, scan, stamp)


def _stamps(filesystem: Any, paths: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple((path, *_stamp(filesystem, path)) for path in paths)


def _resolved(given: list[str]) -> tuple[Any, list[str], bool]:
    """One file system, the files in the order of their names, and whether their folders name columns (``year=2020``)."""
    from pyarrow import fs

    found: list[str] = []
    filesystem: Any = None
    partitioned = False
    for text in given:
        own, path = _filesystem(text)
        if filesystem is not None and own != filesystem:
            raise DataError("The paths are on several file systems; give paths of one.")
        filesystem = own
        if isinstance(own, fs.LocalFileSystem):
            matches = sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else [path]
        else:
            matches = _remote_matches(own, path)
        if not matches:
            raise DataError(f"There is no file {text!r}.")
        for match in matches:
            files = _inside(own, match, text)
            partitioned |= any("=" in piece for file in files for piece in file.removeprefix(match).split("/")[:-1])
            found += files
    return filesystem, list(dict.fromkeys(found)), partitioned


def _filesystem(text: str) -> tuple[Any, str]:
    from pyarrow import fs

    if "://" not in text:
        return fs.LocalFileSystem(), Path(text).expanduser().absolute().as_posix()
    try:
        return fs.FileSystem.from_uri(text)  # type: ignore[no-any-return]
    except Exception as error:
        try:
            import fsspec

            own, path = fsspec.core.url_to_fs(text)
        except Exception:
            raise DataError(f"{text!r} cannot be opened: {error}") from None
        return fs.PyFileSystem(fs.FSSpecHandler(own)), path


def _remote_matches(filesystem: Any, path: str) -> list[str]:
    if not glob.has_magic(path):
        return [path]
    from fnmatch import fnmatch

    from pyarrow import fs

    base = path[: min(path.find(sign) for sign in "*?[" if sign in path)].rsplit("/", 1)[0]
    infos = filesystem.get_file_info(fs.FileSelector(base, recursive=True))
    return sorted(info.path for info in infos if info.is_file and fnmatch(info.path, path))


def _inside(filesystem: Any, path: str, text: str) -> list[str]:
    """The path itself, or the files of a folder; names that begin with a dot or an underscore are none."""
    from pyarrow import fs

    info = filesystem.get_file_info(path)
    if info.type == fs.FileType.NotFound:
        raise DataError(f"There is no file or folder {text!r}.")
    if info.is_file:
        return [path]
    files = sorted(i.path for i in filesystem.get_file_info(fs.FileSelector(path, recursive=True)) if i.is_file)
    kept = [file for file in files if not file.rsplit("/", 1)[-1].startswith((".", "_"))]
    if not kept:
        raise DataError(f"The folder {text!r} holds no file.")
    return kept


def _kind(filesystem: Any, path: str) -> str:
    name = path.rsplit("/", 1)[-1].lower()
    if name.endswith(PARQUET):
        return "parquet"
    for ending, kind in FORMATS.items():
        if name.endswith(ending):
            return kind
    with filesystem.open_input_file(path) as file:
        if file.read(4) == b"PAR1":
            return "parquet"
    raise DataError(f"{path} is of no kind that is known; give Parquet, Arrow (.arrow, .feather) or CSV files.")


def _format(kind: str, path: str, scan: Scan) -> Any:
    if kind != "csv":
        return kind
    import pyarrow.dataset as pads
    from pyarrow import csv

    tabs = ".tsv" in path.lower()
    return pads.CsvFileFormat(
        parse_options=csv.ParseOptions(delimiter="\t" if tabs else ","),
        convert_options=csv.ConvertOptions(column_types=_types(scan), strings_can_be_null=True),
    )


def _types(scan: Scan) -> dict[str, Any]:
    import pyarrow as pa

    found = {}
    for name, kind in (scan.columns or {}).items():
        try:
            found[name] = pa.type_for_alias(kind) if isinstance(kind, str) else kind
        except ValueError:
            raise DataError(
                f"columns={{{name!r}: {kind!r}}} is no type; write 'double', 'int64', 'string', 'bool'."
            ) from None
    return found


def _of_dataset(dataset: Any, what: str, scan: Scan, stamp: Any = tuple) -> BatchRows:
    return BatchRows(what, list(dataset.schema.names), partial(_dataset_batches, dataset), stamp)


def _dataset_batches(dataset: Any, columns: list[str]) -> Iterator[Any]:
    yield from dataset.to_batches(columns=columns, batch_size=BATCH_ROWS, batch_readahead=4, fragment_readahead=1)


def _of_plan(data: Any) -> BatchRows:
    """A relation of DuckDB, a lazy frame of polars, a frame of Dask: read in batches, never whole."""
    if type(data).__name__ == "DuckDBPyRelation":
        return BatchRows("the DuckDB relation", list(data.columns), partial(_duckdb_batches, data))
    module = type(data).__module__
    if module.startswith("polars") and hasattr(data, "collect_schema"):
        return BatchRows("the LazyFrame", list(data.collect_schema().names()), partial(_polars_batches, data))
    if module.startswith("dask"):
        return BatchRows("the Dask frame", [str(name) for name in data.columns], partial(_dask_batches, data))
    raise DataError(
        f"scan() was given a {type(data).__name__}; give a path, a pyarrow Dataset, a DuckDB relation, a polars LazyFrame or a "
        f"Dask frame. Tables in memory go to logit() as they are."
    )


def _duckdb_batches(relation: Any, columns: list[str]) -> Iterator[Any]:
    chosen = ", ".join('"{}"'.format(name.replace('"', '""')) for name in columns)
    projected = relation.project(chosen)
    reader = getattr(projected, "to_arrow_reader", None) or projected.fetch_record_batch
    yield from reader(BATCH_ROWS)


def _polars_batches(frame: Any, columns: list[str]) -> Iterator[Any]:
    """Through a temporary Parquet file: the plan runs once for each pass, in its own order, never whole in memory."""
    import tempfile

    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        frame.select(columns).sink_parquet(path, maintain_order=True)
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(BATCH_ROWS, columns=columns)


def _dask_batches(frame: Any, columns: list[str]) -> Iterator[Any]:
    import pyarrow as pa

    chosen = frame[columns]
    for number in range(chosen.npartitions):
        part = chosen.get_partition(number).compute()
        table = pa.Table.from_pandas(part, preserve_index=False)
        yield from table.to_batches(BATCH_ROWS)
