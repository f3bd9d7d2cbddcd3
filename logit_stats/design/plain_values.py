"""Values as JSON and back, to the last bit: numbers, texts, dates, intervals, arrays, and nothing that could run.

A value that JSON has is itself. Others are an object of one key that says what it is: ``{"array": {...}}``,
``{"tuple": [...]}``, ``{"number": "nan"}``.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.errors import DataError, NotAvailableError, counted

ARRAYS = ("float64", "int64", "bool", "longdouble")
LARGEST_ARRAY = 50_000_000
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def encoded(value: Any, what: str) -> Any:
    """Return a value as JSON has it.

    Raises
    ------
    NotAvailableError
        If it is of a kind that a text cannot carry; `what` says where it stands.
    """
    if value is None or isinstance(value, (str, bool)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, np.longdouble) and np.dtype(np.longdouble).itemsize > 8:
        return {"array": _array(np.asarray(value))}
    if isinstance(value, np.generic):
        return encoded(value.item(), what)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"number": str(value)}
    found = _tagged(value, what)
    if found is None:
        raise NotAvailableError(f"{what} is a {type(value).__name__}, which a text cannot carry; save() keeps it.")
    return found


def _tagged(value: Any, what: str) -> Any:
    if isinstance(value, np.ndarray) and (value.dtype.kind in "biu" or value.dtype.kind == "f"):
        return {"array": _array(value)}
    if isinstance(value, list):
        return [encoded(item, what) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [encoded(item, what) for item in value]}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted((encoded(item, what) for item in value), key=repr)}
    if isinstance(value, dict):
        return {"mapping": [[encoded(k, what), encoded(v, what)] for k, v in value.items()]}
    return _tagged_level(value, what)


def _tagged_level(value: Any, what: str) -> Any:
    if isinstance(value, pd.Interval):
        return {"interval": [encoded(value.left, what), encoded(value.right, what), value.closed]}
    if isinstance(value, pd.Timestamp):
        return {"timestamp": value.isoformat()}
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return {"date": value.isoformat()}
    return {"decimal": str(value)} if isinstance(value, Decimal) else None


def _array(value: np.ndarray[Any, Any]) -> dict[str, Any]:
    kind = {"b": "bool", "i": "int64", "u": "int64"}.get(value.dtype.kind, "float64")
    if value.dtype == np.longdouble and value.dtype.itemsize > 8:
        data = [np.format_float_scientific(v, unique=True) for v in value.ravel()]
        return {"dtype": "longdouble", "shape": list(value.shape), "data": data}
    data = [encoded(v, "an array") for v in value.astype(kind).ravel().tolist()]
    return {"dtype": kind, "shape": list(value.shape), "data": data}


def decoded(value: Any) -> Any:
    """Return what `encoded` wrote.

    Raises
    ------
    DataError
        If it is nothing that `encoded` writes.
    """
    if isinstance(value, list):
        return [decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1 or (tag := next(iter(value))) not in _DECODERS:
        raise DataError(f"An object with the keys {list(value)[:3]} stands where a value was expected.")
    return _DECODERS[tag](value[tag])


def decoded_array(value: Any, shape: tuple[int | None, ...], what: str) -> np.ndarray[Any, Any]:
    """An array of finite-or-not float64 numbers of this shape (None for any length).

    Raises
    ------
    DataError
        If it is none.
    """
    found = decoded(value)
    if not isinstance(found, np.ndarray) or found.dtype != np.float64 or found.ndim != len(shape):
        raise DataError(f"{what} is no array of {counted(len(shape), 'dimension')} of numbers.")
    if any(want is not None and have != want for have, want in zip(found.shape, shape, strict=True)):
        raise DataError(f"{what} has the shape {found.shape}; {shape} was expected.")
    return found


def _decoded_array(value: Any) -> np.ndarray[Any, Any]:
    dtype, shape, data = value["dtype"], value["shape"], value["data"]
    if dtype not in ARRAYS or not all(type(size) is int and size >= 0 for size in shape):
        raise DataError("An array has a type or shape that is not known.")
    if math.prod(shape) != len(data) or len(data) > LARGEST_ARRAY:
        raise DataError(f"An array of shape {shape} has {len(data)} numbers.")
    if dtype == "longdouble":
        return np.array([np.longdouble(str(text)) for text in data], dtype=np.longdouble).reshape(shape)
    kinds = {"bool": (bool,), "int64": (int,), "float64": (int, float)}[dtype]
    numbers = [decoded(item) for item in data]
    if not all(isinstance(n, kinds) and (dtype == "bool" or not isinstance(n, bool)) for n in numbers):
        raise DataError("An array of numbers holds something else.")
    return np.array(numbers, dtype=np.dtype(dtype)).reshape(shape)


def _interval(value: Any) -> Any:
    left, right, closed = value
    return pd.Interval(decoded(left), decoded(right), closed)


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "array": _decoded_array,
    "tuple": lambda value: tuple(decoded(item) for item in value),
    "set": lambda value: frozenset(decoded(item) for item in value),
    "mapping": lambda value: {decoded(k): decoded(v) for k, v in value},
    "number": lambda value: NOT_FINITE[value],
    "interval": _interval,
    "timestamp": lambda value: pd.Timestamp(str(value)),
    "date": datetime.date.fromisoformat,
    "decimal": lambda value: Decimal(str(value)),
}
