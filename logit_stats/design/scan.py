"""`scan`: rows that stay where they are, in files, and are read in passes; and what counts as such at the door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, Literal

from logit_stats.errors import DataError, UnknownOptionError

# What a pass may hold by default, beside the program itself: 2 GiB.
MEMORY = 2 << 30


@dataclass(frozen=True, eq=False)
class Scan:
    """Rows out of memory, as `scan` describes them.

    Attributes
    ----------
    data : path, list of paths, pyarrow Dataset, DuckDB relation, polars LazyFrame, Dask frame
    engine : Executor, dask Client or None
    memory : int
        Bytes that sums by cluster, and transforms that need a whole column, may take.
    columns : mapping of str to str, or None
        Types of columns, for files that do not say (CSV).
    compress : bool or "auto"
        Whether equal rows are counted by the engine that holds them, and fitted as frequency weights.
    verify : bool
        Whether values are held against the limits and checksums that the files carry.
    """

    data: Any
    engine: Any = None
    memory: int = MEMORY
    columns: Mapping[str, str] | None = None
    compress: bool | Literal["auto"] = "auto"
    verify: bool = True

    def __repr__(self) -> str:
        return f"<Scan of {self.data!r}>"


def scan(
    data: Any,
    *,
    engine: Any = None,
    memory: int | None = None,
    columns: Mapping[str, str] | None = None,
    compress: bool | Literal["auto"] = "auto",
    verify: bool = True,
) -> Scan:
    """Rows that do not fit in memory: give the result to `logit` in place of a table.

    Parameters
    ----------
    data : str, Path, list of these, pyarrow Dataset, DuckDB relation, polars LazyFrame or Dask frame
        Files (Parquet, Arrow, CSV), a folder of them, a glob, a URL that pyarrow or fsspec opens; or a plan of an engine.
    engine : concurrent.futures.Executor or dask.distributed.Client, optional
        Where passes run; by default threads of this process.
    memory : int, optional
        Bytes that sums by cluster, and transforms that need a whole column, may take; by default 2 GiB.
    columns : mapping of str to str, optional
        Types of columns, as ``{"amount": "double"}``, for files that do not say (CSV).
    compress : bool or "auto"
        Count equal rows first and fit the counts as frequency weights, which is exact; "auto": where a sample says that
        there are a hundred rows or more for each different one.
    verify : bool
        Hold values against the limits and checksums in the files.

    Examples
    --------
    >>> import tempfile, pathlib, logit_stats as ls
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> ls.datasets.load("birthwt").to_parquet(folder / "part.parquet")
    >>> ls.logit("low ~ age + smoke", ls.scan(folder)).fit().params.round(4).tolist()
    [0.0609, -0.0498, 0.6918]
    """
    if isinstance(data, Scan):
        raise DataError("scan() was given the result of scan(); give it the path or the plan itself.")
    if compress not in (True, False, "auto"):
        raise UnknownOptionError(f"compress={compress!r} is not known; choose one of True, False, 'auto'.")
    if memory is not None and not (isinstance(memory, (int, float)) and memory > 0):
        raise DataError(f"memory={memory!r} must be a number of bytes, as in memory=2 << 30.")
    if engine is not None and not (hasattr(engine, "submit") or hasattr(engine, "get_executor")):
        raise DataError(
            f"engine is a {type(engine).__name__}; give a concurrent.futures.Executor or a dask.distributed.Client."
        )
    return Scan(data, engine, MEMORY if memory is None else int(memory), columns, compress, verify)


def scan_of(data: Any) -> Scan | None:
    """The scan that stands at the door: a path, several, a Dataset, or a `Scan`; None for what is read into memory."""
    if isinstance(data, Scan):
        return data
    several = isinstance(data, (list, tuple)) and len(data) > 0 and all(_is_path(part) for part in data)
    if _is_path(data) or several or is_dataset(data):
        return Scan(data)
    return None


def _is_path(data: Any) -> bool:
    return isinstance(data, (str, PathLike))


def is_dataset(data: Any) -> bool:
    """Whether this is a Dataset of pyarrow, which need not be imported to say no."""
    return any(base.__module__.startswith("pyarrow") and base.__name__ == "Dataset" for base in type(data).__mro__)
