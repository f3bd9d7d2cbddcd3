"""Tables read from files: CSV and its relatives, Excel, Parquet, Stata, SPSS, SAS.

Files of other programs are read with their value labels: a labelled code becomes a category of that name. What cannot be read is
refused with what to do. Settings are named as the command line writes them.
"""

from __future__ import annotations

import csv
import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from logit_stats.errors import DataError

EXCEL = (".xlsx", ".xlsm", ".xls", ".ods")
PARQUET = (".parquet", ".pq")
SAS = (".sas7bdat", ".xpt")
SPSS = (".sav", ".zsav", ".por")
NAMED_SEPARATORS = {"tab": "\t", "comma": ",", "semicolon": ";", "space": r"\s+"}
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read; None leaves it to the file.

    Attributes
    ----------
    sep : str or None
        What separates columns: a character, or ``"tab"``, ``"semicolon"``, ``"comma"``, ``"space"``.
    decimal : str
    thousands : str or None
    encoding : str or None
    na_values : tuple of str
        Texts (and numbers) that stand for a missing value, besides the usual ones.
    sheet : str or None
        Name of a sheet of a workbook, or its number from 1.
    """

    sep: str | None = None
    decimal: str = "."
    thousands: str | None = None
    encoding: str | None = None
    na_values: tuple[str, ...] = ()
    sheet: str | None = None


def read_file(name: str, how: Reading | None = None) -> pd.DataFrame:
    """Read a table from a file; ``-`` is CSV on standard input.

    Raises
    ------
    DataError
        If the file is not there, is empty, or cannot be read as a table.
    """
    how = Reading() if how is None else how
    if name == "-":
        return _csv(sys.stdin.buffer.read(), "standard input", how)
    path = Path(name)
    if not path.exists():
        raise DataError(f"There is no file {name!r}.")
    if path.is_dir():
        raise DataError(f"{name!r} is a folder; give a file.")
    ending = path.suffix.lower()
    reader = next((read for endings, read in _READERS if ending in endings), None)
    if reader is not None:
        return reader(path, how)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    if content.startswith(b"PK\x03\x04"):
        raise DataError(f"{path} is a zip archive or a workbook, not text; name an Excel file .xlsx.")
    if content.startswith(b"PAR1"):
        return _parquet(path, how)
    return _csv(content, str(path), how)


def _csv(content: bytes, said: str, how: Reading) -> pd.DataFrame:
    text = _decoded(content, said, how.encoding)
    sep = NAMED_SEPARATORS.get(how.sep or "", how.sep) or _usual_separator(said)
    _refuse_unquoted_decimals(text, said, sep, how)
    options: dict[str, Any] = {"sep": sep, "decimal": how.decimal, "thousands": how.thousands, "index_col": False}
    if how.na_values:
        options["na_values"] = list(how.na_values)
    try:
        with warnings.catch_warnings():
            # cells beyond the head are empty: `_refuse_unquoted_decimals` has looked
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            frame: pd.DataFrame = pd.read_csv(
                BytesIO(text.encode()), engine="python" if len(sep) > 1 else "c", **options
            )
    except pd.errors.EmptyDataError:
        raise DataError(f"{said} is empty.") from None
    except (pd.errors.ParserError, ValueError, TypeError) as error:
        raise DataError(f"{said} cannot be read as CSV: {error}") from None
    _refuse_other_separators(frame, said, sep)
    return frame


def _usual_separator(said: str) -> str:
    return "\t" if said.lower().endswith((".tsv", ".tab")) else ","


def _decoded(content: bytes, said: str, encoding: str | None) -> str:
    if encoding is None and content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    try:
        return content.decode(encoding or "utf-8-sig")
    except LookupError:
        raise DataError(f"There is no encoding {encoding!r}; try latin-1, cp1252, utf-16 or utf-8.") from None
    except UnicodeDecodeError:
        if encoding is not None:
            raise DataError(f"{said} is not encoded in {encoding}; give another --encoding.") from None
        raise DataError(f"{said} is not encoded in UTF-8; give --encoding, often cp1252 or latin-1.") from None


def _refuse_unquoted_decimals(text: str, said: str, sep: str, how: Reading) -> None:
    """Rows with more cells than the head: decimal commas that are not quoted, or something that shifts the columns."""
    if len(sep) != 1:
        return
    rows = csv.reader(text.splitlines(), delimiter=sep)
    head = next(rows, [])
    for number, row in enumerate(rows, 2):
        extra = row[len(head) :]
        if not any(cell.strip() for cell in extra):
            continue
        advice = "the values of its columns cannot be told apart."
        if sep == "," and all(re.fullmatch(r"-?\d*", cell.strip()) for cell in extra):
            advice = (
                'if its numbers have decimal commas they must be quoted ("1,71"), or columns separated by something else '
                '(--sep ";" --decimal ",").'
            )
        raise DataError(
            f"{said} cannot be read as CSV: line {number} has {len(row)} cells and the head {len(head)}; {advice}"
        )


def _refuse_other_separators(frame: pd.DataFrame, said: str, sep: str) -> None:
    if frame.shape[1] != 1:
        return
    for mark, name, option in (
        (";", "semicolons", '--sep ";"'),
        ("\t", "tabs", "--sep tab"),
        (",", "commas", '--sep ","'),
    ):
        if mark != sep and mark in str(frame.columns[0]):
            column = frame.iloc[:, 0].dropna().astype(str).head(50)
            commas = mark == ";" and any(_DECIMAL_COMMA.search(cell) for cell in column)
            more = ' --decimal ","' if commas else ""
            raise DataError(f"{said} separates its columns by {name}: give {option}{more}.")


def _parquet(path: Path, how: Reading) -> pd.DataFrame:
    return _by_pandas(path, "Parquet", "parquet", lambda: pd.read_parquet(path))


def _excel(path: Path, how: Reading) -> pd.DataFrame:
    sheet: Any = 0 if how.sheet is None else (int(how.sheet) - 1 if how.sheet.isdecimal() else how.sheet)

    def read() -> pd.DataFrame:
        with pd.ExcelFile(path) as book:
            known = [str(name) for name in book.sheet_names]
            if (isinstance(sheet, str) and sheet not in known) or (
                isinstance(sheet, int) and not 0 <= sheet < len(known)
            ):
                raise DataError(f"{path} has no sheet {how.sheet!r}; it has {', '.join(known)}.")
            missing = list(how.na_values) or None
            frame: pd.DataFrame = pd.read_excel(
                book, sheet_name=sheet, na_values=missing, decimal=how.decimal, thousands=how.thousands
            )
            return frame

    return _by_pandas(path, "an Excel workbook", "excel", read)


def _stata(path: Path, how: Reading) -> pd.DataFrame:
    return _by_pandas(
        path, "Stata", "", lambda: pd.read_stata(path, convert_categoricals=True, order_categoricals=False)
    )


def _spss(path: Path, how: Reading) -> pd.DataFrame:
    return _by_pandas(path, "SPSS", "files", lambda: pd.read_spss(path, convert_categoricals=True))


def _sas(path: Path, how: Reading) -> pd.DataFrame:
    def read() -> pd.DataFrame:
        found: Any = pd.read_sas(path, encoding=how.encoding or "utf-8")
        return found  # type: ignore[no-any-return]

    return _by_pandas(path, "SAS", "", read)


def _by_pandas(path: Path, what: str, extra: str, read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    try:
        return read()
    except ImportError as error:
        raise DataError(
            f"Reading {what} needs a package that is not installed ({error.name or error}); the extra {extra!r} of logit-stats "
            f"brings it."
        ) from None
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{path} cannot be read as {what}: {error}") from None


_READERS: tuple[tuple[tuple[str, ...], Callable[[Path, Reading], pd.DataFrame]], ...] = (
    (EXCEL, _excel), (PARQUET, _parquet), ((".dta",), _stata), (SPSS, _spss), (SAS, _sas),
)  # fmt: skip
