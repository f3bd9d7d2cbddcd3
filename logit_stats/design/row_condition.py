"""Rows of a table for which a condition holds, given as a text from outside: ``"age > 50 & sex == 'female'"``."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.restricted import refuse_unsafe, restricted_names
from logit_stats.design.table import missing_column_message
from logit_stats.errors import DataError, FormulaError, MissingColumnError


def rows_where(condition: str, data: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows in which the condition is true; where a variable in it is missing it is not.

    Raises
    ------
    DataError
        If it cannot be read, names no column, or is not true or false row by row.

    Examples
    --------
    >>> rows_where("x > 1 & g == 'a'", pd.DataFrame({"x": [1.0, 2, 3], "g": ["a", "a", "b"]}))
    array([False,  True, False])
    """
    code = _with_brackets(condition)
    refuse_unsafe(code)
    names = restricted_names()
    used = sorted({node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)} - set(names))
    columns = [str(name) for name in data.columns]
    for name in used:
        if name not in columns:
            raise MissingColumnError(f"The subset {condition!r}: {missing_column_message(name, columns)}")
    try:
        # nothing but columns and NumPy's functions is reachable: refuse_unsafe has read every node
        found: Any = eval(code, {"__builtins__": {}}, {**names, **{name: data[name] for name in used}})
    except Exception as error:
        raise DataError(f"The subset {condition!r} cannot be evaluated: {error}") from None
    values = np.asarray(found)
    if values.shape != (len(data),) or not (values.dtype == np.bool_ or pd.api.types.is_bool_dtype(found)):
        raise DataError(f"The subset {condition!r} is not true or false in every row, as age > 50 would be.")
    known = data[used].notna().all(axis=1).to_numpy() if used else True
    return np.asarray(pd.array(values, dtype="boolean").fillna(False), dtype=np.bool_) & known


def _with_brackets(condition: str) -> str:
    """Comparisons joined by & and | in brackets, as they are meant: in Python ``a > 1 & b > 2`` is ``a > (1 & b) > 2``."""
    parts = [part.strip() for part in _split(condition)]
    code = "".join(part if part in "&|" else f"({part})" for part in parts if part)
    try:
        ast.parse(code, mode="eval")
    except (SyntaxError, ValueError):
        raise FormulaError(
            f"The subset {condition!r} cannot be read; write it as age > 50 & sex == 'female'."
        ) from None
    return code


def _split(condition: str) -> list[str]:
    """Cut at & and | that stand outside brackets and texts."""
    parts, depth, quote = [""], 0, ""
    for letter in condition:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        if letter in "&|" and not quote and depth == 0:
            parts += [letter, ""]
        else:
            parts[-1] += letter
    return parts
