"""How databases write the same expression: names, texts, numbers, types and functions."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.errors import NotAvailableError


@dataclass(frozen=True)
class Dialect:
    """What a database writes in its own way.

    Attributes
    ----------
    name : str
    quotes : (str, str)
        Marks around a name; the closing one is doubled inside.
    double : str
        Type of a number of 64 bits.
    backslash : bool
        Whether a backslash in a text has a meaning, and has to be doubled.
    quoted_by_backslash : bool
        Whether a quotation mark in a text is written with a backslash, not doubled.
    log : str
        The natural logarithm.
    ceiling : str
    exact_text : str
        How a column of texts is compared letter by letter, where it is not by itself; ``{}`` is the column.
    bare_conditions : bool
        Whether there are true and false.
    """

    name: str
    quotes: tuple[str, str] = ('"', '"')
    double: str = "DOUBLE PRECISION"
    backslash: bool = False
    quoted_by_backslash: bool = False
    log: str = "LN"
    ceiling: str = "CEIL"
    exact_text: str = "{}"
    bare_conditions: bool = True

    def column(self, name: Any) -> str:
        """A column by its name."""
        if not isinstance(name, str) or "\0" in name or not name:
            raise NotAvailableError(f"{name!r} cannot be the name of a column in SQL.")
        first, last = self.quotes
        return f"{first}{name.replace(last, last * 2)}{last}"

    def number(self, value: float) -> str:
        """A finite number, to the last bit and never as a decimal of limited digits."""
        text = repr(float(value))
        if text in ("inf", "-inf", "nan"):
            raise NotAvailableError("A coefficient that is no finite number cannot be written in SQL.")
        text = text if "e" in text else f"{text}e0"
        return f"({text})" if text.startswith("-") else text

    def text(self, value: str) -> str:
        """A text in quotation marks."""
        if "\0" in value:
            raise NotAvailableError(f"The text {value!r} cannot be written in SQL.")
        if self.backslash:
            value = value.replace("\\", "\\\\")
        return "'" + value.replace("'", "\\'" if self.quoted_by_backslash else "''") + "'"

    def level(self, value: Any) -> str:
        """A level of a factor as a literal.

        Raises
        ------
        NotAvailableError
            If it is of a kind that has none.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (bool, np.bool_)):
            return ("TRUE" if value else "FALSE") if self.bare_conditions else str(int(value))
        if isinstance(value, (int, np.integer)):
            return str(int(value))
        if isinstance(value, (float, np.floating)):
            return self.number(float(value))
        if isinstance(value, pd.Timestamp):
            return f"CAST('{value.isoformat(sep=' ')}' AS TIMESTAMP)"
        if isinstance(value, datetime.date):
            return f"CAST('{value.isoformat()}' AS DATE)"
        raise NotAvailableError(f"The level {value!r} ({type(value).__name__}) has no literal in SQL.")

    def as_number(self, sql: str) -> str:
        """An expression as a number of 64 bits: integers neither overflow nor divide as integers."""
        return f"CAST({sql} AS {self.double})"


_BACKTICKS = ("`", "`")
DIALECTS = {
    one.name: one
    for one in (
        Dialect("duckdb", double="DOUBLE"),
        Dialect("postgres"),
        Dialect("sqlite", double="REAL"),
        Dialect("mysql", _BACKTICKS, "DOUBLE", backslash=True, exact_text="CAST({} AS BINARY)"),
        Dialect("mariadb", _BACKTICKS, "DOUBLE", backslash=True, exact_text="CAST({} AS BINARY)"),
        Dialect("snowflake", double="DOUBLE", backslash=True),
        Dialect("bigquery", _BACKTICKS, "FLOAT64", backslash=True, quoted_by_backslash=True),
        Dialect("spark", _BACKTICKS, "DOUBLE", backslash=True, quoted_by_backslash=True),
        Dialect("sqlserver", ("[", "]"), "FLOAT", log="LOG", ceiling="CEILING", bare_conditions=False,
                exact_text="{} COLLATE Latin1_General_BIN2"),
        Dialect("oracle", double="BINARY_DOUBLE", bare_conditions=False),
    )
}  # fmt: skip
