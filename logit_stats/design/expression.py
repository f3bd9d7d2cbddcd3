"""What a formula's expression says, and a rewriting of it in which values keep the meaning they have in statistics.

Python's own answers differ from those that a model needs in four places: small integers wrap round, booleans added are a
boolean, a comparison with a missing value is False, and a mean taken inside the formula is that of whichever rows are asked
about. `rewritten` sends these operations through `Operators`, which widens, keeps missing values missing (three-valued logic,
as in R and SQL), and remembers what the rows of the fit gave.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

HELPER = "_logit_stats_"
CALLED = "_logit_stats_called_"
ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.FloorDiv: "floordiv", ast.Mod: "mod", ast.Pow: "pow",
}  # fmt: skip
NUMPY_ARITHMETIC = {"add": "add", "subtract": "sub", "multiply": "mul", "power": "pow"}
METHOD_ARITHMETIC = {"add": "add", "sub": "sub", "subtract": "sub", "mul": "mul", "multiply": "mul", "pow": "pow"}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip
# Questions that pandas answers with False where the value is missing.
QUESTIONS = frozenset((
    "isin", "between", "eq", "ne", "lt", "le", "gt", "ge", "contains", "startswith", "endswith", "match", "fullmatch",
    "isdigit", "isalpha", "isalnum", "isnumeric", "isdecimal", "isspace", "islower", "isupper", "istitle",
))  # fmt: skip
# What looks after missing values itself.
AWARE = frozenset((
    "isna", "isnull", "notna", "notnull", "isnan", "isfinite", "fillna", "combine_first", "ffill", "bfill",
    "interpolate", "nan_to_num", "hasnans", "coalesce",
))  # fmt: skip
# Methods of a column whose argument is looked up in, and not lined up with the rows.
LOOK_UPS = ("map", "replace", "isin", "reindex", "take")
MODULES = ("np", "numpy", "pd", "pandas", "math", "scipy")
MISSING_NAMES = frozenset(("nan", "NaN", "NA", "NaT"))


def columns_read(code: str, names: Container[Any] | None) -> tuple[Any, ...]:
    """Columns of the data that an expression reads: its bare names (all of them without `names`), and ``Q("...")``.

    The name of a function that is called is no column, whatever the data have.
    """
    found, quoted = _names_read(code)
    return tuple(name for name in found if name in quoted or names is None or name in names)


@lru_cache(maxsize=4096)
def _names_read(code: str) -> tuple[tuple[Any, ...], frozenset[Any]]:
    """Names in an expression in their order, and those of them that stand in ``Q(...)``."""
    tree = ast.parse(code)
    called, bound = _names_called(tree), names_bound(tree)
    found: list[Any] = []
    quoted: set[Any] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in called and node.id not in bound:
            found.append(node.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Q":
            texts = [name for name in map(_literal, node.args) if name is not None]
            found += texts
            quoted.update(texts)
    return tuple(dict.fromkeys(found)), frozenset(quoted)


@lru_cache(maxsize=4096)
def names_called(code: str) -> frozenset[str]:
    """Names of the functions, and of the modules whose functions, an expression calls."""
    tree = ast.parse(code)
    called = _names_called(tree)
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) in called)


def _names_called(tree: ast.AST) -> set[int]:
    """Name nodes in the place of a function, or of ``np`` in ``np.log``."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    # np.abs(x) is NumPy's where it is handed a variable, though columns have a method of that name
    of_columns = {
        id(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and any(isinstance(part, ast.Name) for a in node.args for part in ast.walk(a))
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if node.value.id in MODULES and (not hasattr(pd.Series, node.attr) or id(node) in of_columns):
            called.add(id(node.value))
    return called


@lru_cache(maxsize=4096)
def looked_up_in(code: str) -> frozenset[str]:
    """Names that an expression looks values up in (``k.map(names)``, ``names[k]``): they need not have the rows of the data."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found |= {a.id for a in node.args if isinstance(a, ast.Name)} if node.func.attr in LOOK_UPS else set()
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            found.add(node.value.id)
    return frozenset(found)


def columns_looked_after(code: str, names: Container[Any]) -> frozenset[Any]:
    """Columns whose missing values the expression itself looks after (``x.fillna(0)``, ``pd.isna(x)``, ``isin([1, nan])``)."""
    found: set[Any] = set()
    for node in ast.walk(ast.parse(code)):
        if (isinstance(node, ast.Call) and _is_aware(node)) or (isinstance(node, ast.Attribute) and node.attr in AWARE):
            found.update(columns_read(ast.unparse(node), names))
    return frozenset(found)


@lru_cache(maxsize=4096)
def is_bare(code: str) -> bool:
    """Whether an expression is a column as it stands, or its levels: nothing in it can lose a missing value."""
    node = _inside_brackets(code)
    return isinstance(node, ast.Name) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Q"
    )


def bare_name(code: str) -> str | None:
    """The name that an expression consists of, or of whose levels; None where it is more than a name."""
    node = _inside_brackets(code)
    return node.id if isinstance(node, ast.Name) else None


def _inside_brackets(code: str) -> ast.expr:
    """What stands in ``C(...)`` and ``I(...)``, or the expression itself."""
    node = ast.parse(code, mode="eval").body
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("C", "I") and node.args:
        node = node.args[0]
    return node


def names_bound(tree: ast.AST) -> frozenset[str]:
    """Names that an expression itself gives values to: variables of comprehensions, arguments of lambda."""
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return frozenset(found | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)})


@lru_cache(maxsize=4096)
def is_rowwise(code: str) -> bool:
    """Whether an expression is seen at a glance to work row by row: operators on columns, and no function but `C`, `I`, `Q`."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, (ast.Subscript, ast.Attribute)):
            return False
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in ("C", "I", "Q")):
            return False
    return True


def _is_aware(node: ast.Call) -> bool:
    function = node.func
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    if name in AWARE:
        return True
    if name not in ("isin", "replace", "map"):
        return False
    inside = [part for argument in (*node.args, *(k.value for k in node.keywords)) for part in ast.walk(argument)]
    return any(
        (isinstance(part, ast.Attribute) and part.attr in MISSING_NAMES)
        or (isinstance(part, ast.Constant) and part.value is None)
        for part in inside
    )


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def rewritten(code: str, names: Container[Any], scope: Mapping[str, Any]) -> str:
    """An expression with its operators sent through `Operators`, which stands in its namespace as `HELPER`."""
    tree = ast.parse(code, mode="eval")
    return ast.unparse(ast.fix_missing_locations(_Rewriter(names, scope).visit(tree)))


class _Rewriter(ast.NodeTransformer):
    def __init__(self, names: Container[Any], scope: Mapping[str, Any]) -> None:
        self.names = names
        self.scope = scope

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, (ast.BitOr, ast.BitAnd)):
            return _helper("either" if isinstance(node.op, ast.BitOr) else "both", node.left, node.right)
        name = ARITHMETIC.get(type(node.op))
        if name is None or all(isinstance(side, ast.Constant) for side in (node.left, node.right)):
            return node
        return _helper("arithmetic", ast.Constant(name), node.left, node.right)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Invert):
            return _helper("inverse", node.operand)
        if isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
            return _helper("arithmetic", ast.Constant("sub"), ast.Constant(0), node.operand)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        name = COMPARISONS.get(type(node.ops[0]))
        if len(node.ops) > 1 or name is None:
            return node
        return _helper("compare", ast.Constant(name), node.left, node.comparators[0])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        source = ast.unparse(node)
        reads = bool(columns_read(source, self.names))
        plain = not node.keywords and not any(isinstance(a, ast.Starred) for a in node.args)
        function = self._called(node.func)
        own = isinstance(node.func, ast.Name) and node.func.id in ("C", "I", "Q")
        for name in ast.walk(node.func):
            # a column may have the name of a function or module: C(C), np.log(np)
            if isinstance(name, ast.Name) and name.id in self.names and id(name) in _names_called(node):
                name.id = f"{CALLED}{name.id}"
        self.generic_visit(node)
        call = self._answered(node, function, plain)
        if not reads or own:
            return call
        return _helper("learned", ast.Constant(source), call)

    def _called(self, function: ast.expr) -> Any:
        """What a function's dotted name stands for in the caller's scope; None where it is a method of a value."""
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            return (
                getattr(self.scope.get(function.value.id), function.attr, None) if self._no_column(function) else None
            )
        return self.scope.get(function.id) if isinstance(function, ast.Name) else None

    def _no_column(self, function: ast.Attribute) -> bool:
        assert isinstance(function.value, ast.Name)
        return function.value.id not in self.names or id(function.value) in _names_called(function)

    def _answered(self, node: ast.Call, function: Any, plain: bool) -> ast.expr:
        if function is not None:
            return self._known_function(node, function, plain)
        return self._method(node, node.func, plain) if isinstance(node.func, ast.Attribute) else node

    def _known_function(self, node: ast.Call, function: Any, plain: bool) -> ast.expr:
        """Functions of NumPy and pandas by what they are, under whatever name they were imported."""
        if function is pd.cut or function is pd.qcut:
            return _helper("cut", ast.Constant(ast.unparse(node)), node.func, *node.args, keywords=node.keywords)
        named = next((name for name in ("where", "isin", "digitize") if function is getattr(np, name)), None)
        if named and len(node.args) >= 2:
            return _helper(named, *node.args, keywords=node.keywords)
        operation = next((name for ours, name in NUMPY_ARITHMETIC.items() if function is getattr(np, ours)), None)
        if plain and operation and len(node.args) == 2:
            return _helper("arithmetic", ast.Constant(operation), *node.args)
        if plain and function is np.square and len(node.args) == 1:
            return _helper("arithmetic", ast.Constant("pow"), node.args[0], ast.Constant(2))
        return node

    def _method(self, node: ast.Call, method: ast.Attribute, plain: bool) -> ast.expr:
        if method.attr in QUESTIONS:
            return _helper("asked", method.value, ast.Constant(method.attr), *node.args, keywords=node.keywords)
        if method.attr == "astype" and plain and len(node.args) == 1:
            return _helper("astype", method.value, node.args[0])
        if method.attr in METHOD_ARITHMETIC and plain and len(node.args) == 1:
            return _helper("arithmetic", ast.Constant(METHOD_ARITHMETIC[method.attr]), method.value, node.args[0])
        return node


def _helper(name: str, *arguments: ast.expr, keywords: list[ast.keyword] | None = None) -> ast.Call:
    function = ast.Attribute(ast.Name(HELPER, ast.Load()), name, ast.Load())
    return ast.Call(function, list(arguments), keywords or [])
