"""Values that are neither numbers nor levels as they stand, refused by name with what to do about them.

Dates and times, durations, numbers with a text among them, numbers written as text: taken as they come, each would silently be
one level for every value, or a number in whatever unit the container happens to hold.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.errors import FormulaError, listed

# Texts of so many different values are looked at for numbers and dates; fewer are levels.
FEW_LEVELS = 10
OBJECT_NUMBERS = ("integer", "floating", "mixed-integer-float", "complex")
OBJECT_TIMES = {"date": "dates", "datetime": "dates", "datetime64": "dates", "timedelta": "durations",
                "timedelta64": "durations", "period": "periods", "time": "times of day"}  # fmt: skip
# Numbers as people write them: 36,4   1,019.90   1 019,90   6%   €3   3 USD   (2.50)
_WRITTEN = re.compile(
    r"\s*[(+-]?\s*(?:[$€£¥]|USD|EUR|GBP|CHF)?\s*[+-]?\s*\d{1,3}(?:[.,' \u00a0\u202f]?\d{3})*(?:[.,]\d+)?\s*"
    r"(?:%|[$€£¥]|USD|EUR|GBP|CHF)?\s*\)?\s*"
)
_DATE = re.compile(r"\s*\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}.*)?\s*|\s*\d{1,2}[./]\d{1,2}[./]\d{2,4}\s*")


def refuse_times(name: str, dtype: Any) -> None:
    """Raise `FormulaError` for dtypes of dates, durations and periods, of NumPy and of pandas."""
    kind = getattr(dtype, "kind", "")
    if isinstance(dtype, pd.PeriodDtype):
        what = "periods"
    elif kind == "M" or isinstance(dtype, pd.DatetimeTZDtype):
        what = "dates"
    elif kind == "m":
        what = "durations"
    else:
        return
    _refuse_times(name, what)


def _refuse_times(name: str, what: str) -> None:
    number = {
        "durations": f"{name}.dt.total_seconds() / 86400, its days",
        "times of day": "its hours",
        "periods": f"{name}.dt.year",
    }.get(what, f"({name} - {name}.min()).dt.days, the days since the first")
    raise FormulaError(
        f"{name!r} holds {what}, which have no unit of their own; make a column of numbers (for example {number}), or write "
        f"C({name}) for one level per value."
    )


def refuse_objects(name: str, array: Any) -> None:
    """Raise `FormulaError` for dates, durations and numbers kept as Python objects, with texts among them or not."""
    kind = pd.api.types.infer_dtype(array, skipna=True)
    if kind in OBJECT_TIMES:
        _refuse_times(name, OBJECT_TIMES[kind])
    if kind in OBJECT_NUMBERS:
        raise FormulaError(
            f"{name!r} holds numbers stored as Python objects; convert it with pd.to_numeric, "
            f"or write C({name}) if every value is a level."
        )
    if kind not in ("mixed", "mixed-integer"):
        return
    # by type as well: True and 1 are one value to Python
    values = list({(type(value), value): value for value in pd.Series(array, dtype=object).dropna()}.values())
    numbers = [
        v for v in values if isinstance(v, (int, float, complex, np.number)) and not isinstance(v, (bool, np.bool_))
    ]
    if numbers and len(numbers) < len(values):
        others = [value for value in values if not any(value is number for number in numbers)]
        odd, what = (
            [repr(value) for value in others],
            "texts" if all(isinstance(v, str) for v in others) else "other values",
        )
        raise FormulaError(
            f"{name!r} holds numbers and {what} mixed (not a number: {listed(odd, 3)}); convert it with "
            f"pd.to_numeric(..., errors='coerce'), or write C({name}) if every value is a level."
        )


def refuse_written_numbers(name: str, levels: tuple[Any, ...]) -> None:
    """Raise `FormulaError` where most of many levels are numbers or dates written as text, and no plain numbers."""
    if len(levels) <= FEW_LEVELS or not all(isinstance(level, str) for level in levels):
        return
    plain = pd.to_numeric(pd.Series(levels, dtype=object), errors="coerce").notna().to_numpy()
    if plain.all() and not any("." in level for level in levels):
        return  # whole numbers in text are codes: of places, of products
    if 0.5 < plain.mean() < 1.0:
        odd = [repr(level) for level, number in zip(levels, plain, strict=True) if not number]
        raise FormulaError(
            f"{name!r} holds text, most of which is numbers; not a number: {listed(odd)}. Convert it with "
            f"pd.to_numeric(..., errors='coerce'), or write C({name}) if every value is a level."
        )
    if _share(_DATE, levels) > 0.5:
        raise FormulaError(
            f"{name!r} holds dates written as text ({levels[0]!r}); read them with pd.to_datetime and make a column of numbers, "
            f"or write C({name}) if every value is a level."
        )
    written = np.array([_WRITTEN.fullmatch(level) is not None for level in levels]) | plain
    if written.mean() > 0.5:
        shown = next((level for level, number in zip(levels, plain, strict=True) if not number), levels[0])
        raise FormulaError(
            f"{name!r} holds numbers written as text ({shown!r}); {_how_to_read(shown, name)}, or write C({name}) if every value "
            f"is a level."
        )


def _share(pattern: re.Pattern[str], levels: tuple[str, ...]) -> float:
    return float(np.mean([pattern.fullmatch(level) is not None for level in levels]))


def _how_to_read(text: str, name: str) -> str:
    """Say how a text such as this becomes a number."""
    sign = re.search(r"[%$€£¥]|USD|EUR|GBP|CHF", text)
    if sign:
        return f"take the sign off: pd.to_numeric({name}.str.replace({sign.group()!r}, ''))"
    if re.search(r",\d{3}(\D|$)", text) and text.count(",") >= 1 and "." in text:
        return f"take the separators of thousands off: pd.to_numeric({name}.str.replace(',', ''))"
    if "," in text:
        return f"make the comma a point: pd.to_numeric({name}.str.replace(',', '.')), or read the file with decimal=','"
    return f"convert it with pd.to_numeric({name})"
