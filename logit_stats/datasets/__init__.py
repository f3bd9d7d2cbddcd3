"""The data sets that come with the package.

>>> from logit_stats import datasets
>>> datasets.load("ten_points").shape
(10, 2)
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import pandas as pd

from logit_stats.errors import UnknownOptionError
from logit_stats.wording import lines

__all__ = ["DatasetDescription", "describe", "load", "names", "table"]


@dataclass(frozen=True, slots=True)
class DatasetDescription:
    """What a data set holds and where it comes from.

    Attributes
    ----------
    name, title : str
    rows : int
    source : str
        Where the data were published, and the version that this is.
    licence : str
        The terms of the collection that the numbers were taken from.
    formula : str
        A model to begin with.
    trials : str or None
        Column with the number of trials that the formula's counts are out of.
    columns : dict of str to str
        Every column in a line.
    levels : dict of str to tuple of str
        Levels of the factors that have an order; the first is the reference.
    """

    name: str
    title: str
    rows: int
    source: str
    licence: str
    formula: str
    trials: str | None
    columns: dict[str, str]
    levels: dict[str, tuple[str, ...]]

    def __str__(self) -> str:
        width = max(len(column) for column in self.columns)
        shown = [lines(f"{self.name}: {self.title}"), "", f"Rows     {self.rows}", f"Formula  {self.formula}"]
        if self.trials is not None:
            shown.append(f"Trials   {self.trials}")
        shown += [
            "",
            *[lines(f"  {column:<{width}}  {text}", " " * (width + 4)) for column, text in self.columns.items()],
        ]
        shown += [f"  Levels of {column}: {', '.join(levels)}" for column, levels in self.levels.items()]
        return "\n".join([*shown, "", lines(f"Source: {self.source}"), lines(f"Licence: {self.licence}")])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(c)}</th><td>{escape(t)}</td></tr>" for c, t in self.columns.items())
        title = f"<b>{escape(self.name)}</b>: {escape(self.title)} ({self.rows} rows)"
        foot = f"<p>Source: {escape(self.source)}<br>Licence: {escape(self.licence)}</p>"
        return f"<p>{title}<br><code>{escape(self.formula)}</code></p><table>{rows}</table>{foot}"


@cache
def _catalogue() -> dict[str, dict[str, Any]]:
    return tomllib.loads((files(__name__) / "catalogue.toml").read_text(encoding="utf-8"))


def names() -> list[str]:
    """Return the names of the data sets."""
    return list(_catalogue())


def describe(name: str) -> DatasetDescription:
    """Describe a data set.

    Raises
    ------
    UnknownOptionError
        If there is none of this name.

    Examples
    --------
    >>> describe("ten_points")
    ten_points: Ten points on a line
    <BLANKLINE>
    Rows     10
    Formula  y ~ x
    <BLANKLINE>
      x  0 to 9
      y  0, 1, 0, 0, 1, 1, 1, 1, 1, 1
    <BLANKLINE>
    Source: Made up for teaching: x = 0, ..., 9 and one outcome out of order.
    Licence: Public domain.
    """
    entry = _entry(name)
    return DatasetDescription(
        name=name,
        title=entry["title"],
        rows=_rows(name),
        source=entry["source"],
        licence=entry["licence"],
        formula=entry["formula"],
        trials=entry.get("trials"),
        columns=dict(entry["columns"]),
        levels={column: tuple(levels) for column, levels in entry.get("levels", {}).items()},
    )


def load(name: str) -> pd.DataFrame:
    """Load a data set: a new frame each time, factors with an order of levels as categoricals.

    Parameters
    ----------
    name : str
        One of `names()`.

    Raises
    ------
    UnknownOptionError
        If there is none of this name.

    Examples
    --------
    >>> load("spector").head(2)
        GPA  TUCE  PSI  GRADE
    0  2.66    20    0      0
    1  2.89    22    0      0
    """
    entry = _entry(name)
    with (files(__name__) / f"{name}.csv").open("r", encoding="utf-8") as file:
        frame = pd.read_csv(file)
    for column, levels in entry.get("levels", {}).items():
        frame[column] = pd.Categorical(frame[column], levels)
    return frame


def table() -> pd.DataFrame:
    """List the data sets: name, rows, title, formula."""
    rows = [(name, _rows(name), entry["title"], entry["formula"]) for name, entry in _catalogue().items()]
    return pd.DataFrame(rows, columns=["name", "rows", "title", "formula"])


def _rows(name: str) -> int:
    # one line a row and one for the names: counting is enough to list the sets without parsing them all
    return (files(__name__) / f"{name}.csv").read_text(encoding="utf-8").count("\n") - 1


def _entry(name: str) -> dict[str, Any]:
    if isinstance(name, str) and name in _catalogue():
        return _catalogue()[name]
    near = get_close_matches(str(name).lower(), names(), n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise UnknownOptionError(f"There is no data set {name!r}. {hint}There are {', '.join(names())}.")


def __getattr__(name: str) -> Any:
    """Statsmodels' way to a data set: ``datasets.spector.load_pandas()``."""
    if not name.startswith("_") and name in _catalogue():
        from logit_stats.datasets.bunch import Loader

        return Loader(name, load, describe)
    near = "" if name.startswith("_") else f"; the data sets are {', '.join(_catalogue())}"
    raise AttributeError(f"module 'logit_stats.datasets' has no attribute {name!r}{near}")
