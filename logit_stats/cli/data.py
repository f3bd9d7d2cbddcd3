"""What commands take: tables and saved models; and what they leave: files."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from logit_stats.design.files import Reading, read_file
from logit_stats.errors import DataError, LogitStatsError

if TYPE_CHECKING:
    import pandas as pd


def read_rows(data: str, how: Reading | None = None) -> Any:
    """Return a table as `read_table` does; of a folder or a glob the files, which are read in passes."""
    if data != "-" and (glob.has_magic(data) or "://" in data or Path(data).is_dir()) and not Path(data).is_file():
        from logit_stats.design.scan import scan

        return scan(data)
    return read_table(data, how)


def read_table(data: str, how: Reading | None = None) -> pd.DataFrame:
    """Read a file, standard input (``-``), or a data set that comes along; a file of that name wins.

    Raises
    ------
    DataError
        If the file is not there, is empty, or cannot be read as a table.
    """
    from logit_stats import datasets

    if data != "-" and not Path(data).exists():
        if data in datasets.names():
            return datasets.load(data)
        if not Path(data).suffix and "/" not in data:
            raise DataError(
                f"{data!r} is neither a file nor one of the data sets that come along: {', '.join(datasets.names())}."
            )
    return read_file(data, how)


def load_model(path: str) -> Any:
    """Read a model that ``fit --save`` or ``fit --model-json`` wrote.

    Raises
    ------
    DataError
        If there is none.
    """
    from logit_stats.results.keep import load

    if not Path(path).is_file():
        raise DataError(f"There is no file {path!r}; save a model with: logit-stats fit DATA FORMULA --save {path}")
    if Path(path).read_bytes()[:1] == b"{":
        from logit_stats.results.carrying import from_json

        return from_json(Path(path).read_text(encoding="utf-8"))
    try:
        return load(path)
    except (LogitStatsError, OSError):
        raise
    except Exception as error:  # whatever unpickling a foreign file raises
        raise DataError(f"{path} is no saved model: {error}") from None


def write_text(path: str | Path, text: str) -> None:
    """Write a file, or say in one line why not."""
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}.") from None


def write_frame(frame: pd.DataFrame, output: str | None, index: bool = True) -> None:
    """Write a table to a file, or as CSV to standard output."""
    if output is None:
        click.echo(frame.to_csv(index=index), nl=False)
        return
    try:
        if output.lower().endswith((".parquet", ".pq")):
            frame.to_parquet(output, index=index)
        else:
            frame.to_csv(output, index=index)
    except (OSError, ImportError) as error:
        raise DataError(f"{output} cannot be written: {error}.") from None
