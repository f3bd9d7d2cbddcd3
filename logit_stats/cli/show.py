"""What commands print: rich tables on a terminal, plain text when piped."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from logit_stats.cli.words import on_the_command_line
from logit_stats.errors import LogitStatsWarning
from logit_stats.report.escaping import one_line

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def warnings_on_one_line() -> Iterator[None]:
    """Say the package's warnings on standard error, each in a line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LogitStatsWarning)
        yield
    for warning in caught:
        if issubclass(warning.category, LogitStatsWarning):
            click.echo(f"logit-stats: warning: {on_the_command_line(warning.message)}", err=True)


def show_frame(frame: pd.DataFrame, title: str) -> None:
    """Print a table under its title."""
    shown = frame.map(lambda v: one_line(v) if isinstance(v, str) else v)
    shown.index = shown.index.map(lambda v: one_line(str(v)))
    if sys.stdout.isatty():
        _rich(shown.reset_index(names="").map(lambda v: v if isinstance(v, str) else f"{v:.4g}"), title)
    else:
        click.echo(f"\n{title}")
        click.echo(shown.to_string(float_format=lambda v: f"{v:.4g}"))


def _rich(frame: pd.DataFrame, title: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title)
    for j, column in enumerate(frame.columns):
        table.add_column(Text(str(column)), justify="left" if j == 0 else "right")
    for row in frame.itertuples(index=False):
        table.add_row(*[Text(str(value)) for value in row])
    Console().print(table)


def show_sql(found: Any) -> None:
    """Print an expression, or one for each category."""
    if isinstance(found, str):
        click.echo(found)
        return
    for label, sql in found.items():
        click.echo(f"-- {one_line(str(label))}\n{sql}")


def list_frame(frame: pd.DataFrame, title: str) -> None:
    """Print a table of texts."""
    if sys.stdout.isatty():
        _rich(frame, title)
    else:
        click.echo(frame.to_string(index=False))
