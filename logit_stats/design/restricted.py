"""Formulas from outside a program (a command line, a form): only columns, the formula language and NumPy's functions.

A formula is Python, and a text from somewhere else must not be able to run any. Inside `restricted_formulas()` an expression may
name columns, numbers and texts, operators, the transforms of the formula language, NumPy's elementwise functions and those
methods of a column that answer row by row. Nothing else is reachable: no builtins, no modules, no other attribute, no name
that starts with an underscore.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import numpy as np

from logit_stats.errors import FormulaError

_restricted: ContextVar[bool] = ContextVar("restricted formulas", default=False)

NUMPY_NAMES = frozenset((
    "abs", "absolute", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cbrt", "ceil",
    "clip", "cos", "cosh", "deg2rad", "digitize", "divide", "e", "equal", "exp", "exp2", "expm1", "fabs", "floor",
    "fmax", "fmin", "fmod", "greater", "greater_equal", "hypot", "inf", "isfinite", "isin", "isinf", "isnan", "less",
    "less_equal", "log", "log10", "log1p", "log2", "logaddexp", "logical_and", "logical_not", "logical_or", "max",
    "maximum", "mean", "median", "min", "minimum", "mod", "multiply", "nan", "nan_to_num", "negative", "not_equal",
    "percentile", "pi", "power", "quantile", "rad2deg", "reciprocal", "remainder", "round", "select", "sign", "sin",
    "sinh", "sqrt", "square", "std", "subtract", "tan", "tanh", "trunc", "var", "where",
))  # fmt: skip
FORMULA_FUNCTIONS = frozenset((
    "C", "I", "Q", "bs", "cr", "cc", "te", "center", "standardize", "scale", "poly", "ns", "Treatment", "Sum",
    "Helmert", "Poly", "Diff",
))  # fmt: skip
COLUMN_ATTRIBUTES = frozenset((
    "str", "dt", "abs", "astype", "between", "clip", "fillna", "isin", "isna", "isnull", "notna", "notnull", "map",
    "replace", "round", "where", "mask", "max", "mean", "median", "min", "quantile", "std", "var", "eq", "ne", "lt",
    "le", "gt", "ge", "add", "sub", "mul", "div", "pow", "lower", "upper", "strip", "lstrip", "rstrip", "title",
    "capitalize", "len", "contains", "startswith", "endswith", "slice", "get", "zfill", "year", "month", "day", "hour",
    "minute", "weekday", "dayofweek", "dayofyear", "quarter", "days", "total_seconds",
))  # fmt: skip
ALLOWED_NODES = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call, ast.keyword, ast.Attribute, ast.Name, ast.Load,
    ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip
# Arguments by which a function writes into the data that it is given.
WRITING = frozenset((
    "out", "copy", "inplace", "where",
))  # fmt: skip
# Positional arguments of NumPy's functions that are no ufuncs; the next one would be `out`.
NUMPY_ARGUMENTS = {"where": 3, "select": 3, "clip": 3, "digitize": 3, "nan_to_num": 1}
LARGEST_EXPONENT = 100


@contextmanager
def restricted_formulas() -> Iterator[None]:
    """Read formulas, inside the ``with`` block, as texts of strangers: see the module.

    Examples
    --------
    >>> import logit_stats as ls
    >>> from logit_stats.design.restricted import restricted_formulas
    >>> with restricted_formulas():
    ...     try:
    ...         ls.logit("y ~ I(__import__('os').getpid())", {"y": [0, 1], "x": [1, 2]})
    ...     except ls.errors.FormulaError as error:
    ...         print(str(error).split(":")[1])
     '.getpid' is not allowed here
    """
    token = _restricted.set(True)
    try:
        yield
    finally:
        _restricted.reset(token)


def is_restricted() -> bool:
    """Whether formulas are read inside `restricted_formulas()`."""
    return _restricted.get()


def restricted_names() -> dict[str, Any]:
    """Names that are no columns and that a restricted formula can see: ``np`` with some functions, types to convert to."""
    numpy = SimpleNamespace(**{name: getattr(np, name) for name in NUMPY_NAMES})
    return {"np": numpy, "True": True, "False": False, "int": int, "float": float, "str": str, "bool": bool}


def refuse_unsafe(code: str) -> None:
    """Raise `FormulaError` unless an expression keeps to what a restricted formula may say."""
    for node in ast.walk(ast.parse(code, mode="eval")):
        said = _unsafe(node)
        if said:
            raise FormulaError(
                f"{code!r} in the formula: {said} is not allowed here: a formula from the command line may use columns, "
                f"operators, transforms such as bs(x, df=4), C(g), NumPy's functions (np.log(x)) and simple methods of a column."
            )


def _unsafe(node: ast.AST) -> str:
    if not isinstance(node, ALLOWED_NODES):
        return f"{type(node).__name__.lower()!r}"
    if isinstance(node, ast.Name):
        return repr(node.id) if node.id.startswith("_") else ""
    if isinstance(node, ast.Attribute):
        return _unsafe_attribute(node)
    if isinstance(node, ast.Call):
        return _unsafe_call(node)
    if isinstance(node, ast.BinOp):
        return _unsafe_arithmetic(node)
    return ""


def _unsafe_attribute(node: ast.Attribute) -> str:
    if isinstance(node.value, ast.Name) and node.value.id == "np":
        return "" if node.attr in NUMPY_NAMES else repr(f"np.{node.attr}")
    if isinstance(node.value, (ast.Constant, ast.List, ast.Dict, ast.Tuple, ast.Set)):
        return f"an attribute of a constant ({node.attr!r})"
    return "" if node.attr in COLUMN_ATTRIBUTES else repr(f".{node.attr}")


def _unsafe_call(node: ast.Call) -> str:
    """Functions are called by name, and none is handed on as a value (``x.map(f)``)."""
    called = node.func
    if isinstance(called, ast.Name) and called.id not in FORMULA_FUNCTIONS:
        return repr(f"{called.id}(...)")
    if not isinstance(called, (ast.Name, ast.Attribute)):
        return "a call of this kind"
    writing = [keyword.arg for keyword in node.keywords if keyword.arg is None or keyword.arg in WRITING]
    if writing or any(isinstance(argument, ast.Starred) for argument in node.args):
        return f"the argument {writing[0] if writing else '*'}"
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "np":
        most = NUMPY_ARGUMENTS.get(called.attr, getattr(getattr(np, called.attr), "nin", 2))
        return f"np.{called.attr} of {len(node.args)} arguments" if len(node.args) > most else ""
    if (
        isinstance(called, ast.Attribute)
        and called.attr == "map"
        and not all(isinstance(a, ast.Dict) for a in node.args)
    ):
        return "'.map' of anything but a dict"
    return ""


def _unsafe_arithmetic(node: ast.BinOp) -> str:
    """Numbers of astronomic size, and texts repeated, which would only fill the memory."""
    sides = (node.left, node.right)
    if isinstance(node.op, ast.Mult) and any(
        isinstance(side, (ast.List, ast.Tuple))
        or (isinstance(side, ast.Constant) and isinstance(side.value, (str, bytes)))
        for side in sides
    ):
        return "a repeated text or list"
    if isinstance(node.op, (ast.Pow, ast.LShift)) and _constant(node.left):
        exponent = node.right.value if isinstance(node.right, ast.Constant) else None
        if not isinstance(exponent, (int, float)) and _constant(node.right):
            return "a power of a power of numbers"
        if isinstance(exponent, (int, float)) and abs(exponent) > LARGEST_EXPONENT:
            return f"the exponent {exponent}"
    return ""


def _constant(node: ast.AST) -> bool:
    """Whether an expression reads nothing but numbers."""
    return not any(isinstance(part, (ast.Name, ast.Attribute)) for part in ast.walk(node))
