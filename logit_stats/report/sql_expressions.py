"""An expression of a formula in SQL: columns, arithmetic, NumPy's functions, conditions, and the transforms that remember.

NULL stands for what is missing, as in the formula: arithmetic and comparisons of NULL are NULL, and a condition that is
neither true nor false gives no number. Where NumPy gives infinity (a division by zero, the logarithm of zero) SQL says NULL.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from patsy.state import Center, Standardize

from logit_stats.design.expression import CALLED, HELPER
from logit_stats.design.factor import Factor
from logit_stats.design.piecewise import Piecewise, piecewise
from logit_stats.errors import NotAvailableError
from logit_stats.report.sql_dialects import Dialect

Kind = Literal["number", "condition", "text"]
_COMPARED = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "=", ast.NotEq: "<>"}
_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
SPLINES = ("bs", "ns", "cr", "cc", "poly")
LARGEST_EXP = 700.0


@dataclass(frozen=True)
class Sql:
    """A piece of SQL, and what it gives."""

    text: str
    kind: Kind


class Expression:
    """Translates the expression of one factor.

    Parameters
    ----------
    factor : Factor
    dialect : Dialect
    """

    def __init__(self, factor: Factor, dialect: Dialect) -> None:
        self.factor = factor
        self.dialect = dialect
        self.tree = ast.parse(factor.term_factor.code, mode="eval").body
        state = factor.state["transforms"]
        self.memory: dict[str, Any] = getattr(state.get(HELPER), "memory", {})
        self.limits: dict[str, Any] = getattr(state.get(HELPER), "limits", {})
        stateful = [t for name, t in state.items() if name != HELPER and not name.startswith(CALLED)]
        self.transforms = dict(zip(self._stateful_calls(len(stateful)), stateful, strict=False))

    # What is asked of it.

    def levels_of(self) -> Sql:
        """A categorical factor's value."""
        return self.sql(self._unboxed(self.tree))

    def number(self) -> str:
        """A numerical factor of one column."""
        return self._number(self.tree)

    def spline(self) -> tuple[Piecewise, str] | None:
        """A factor that is a spline or polynomial of something: its pieces, and that; None for any other."""
        node = self._unboxed(self.tree)
        transform = self.transforms.get(self._place(node))
        if transform is None or not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in SPLINES:
            return None
        arguments = tuple(self._constant(argument) for argument in node.args[1:])
        options = {str(keyword.arg): self._constant(keyword.value) for keyword in node.keywords}
        found = piecewise(transform, arguments, options, repr(self.factor.name))
        return found, self._number(node.args[0])

    def cut(self) -> tuple[str, Any] | None:
        """A factor that is ``pd.cut`` or ``pd.qcut`` of something: that, and the limits it learned."""
        node = self._unboxed(self.tree)
        limits = self.limits.get(ast.unparse(node)) if isinstance(node, ast.Call) else None
        return None if limits is None or not isinstance(node, ast.Call) else (self._number(node.args[0]), limits)

    # The walk.

    def _stateful_calls(self, count: int) -> list[tuple[int, int]]:
        """Places of calls of transforms, in the order in which patsy numbers them."""
        names = ("center", "standardize", "scale", "bs", "cr", "cc", "te", "poly", "ns")
        calls = [
            self._place(node)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
        ]
        return sorted(calls)[:count]

    @staticmethod
    def _place(node: ast.AST) -> tuple[int, int]:
        return getattr(node, "lineno", 0), getattr(node, "col_offset", -1)

    def refuse(self, node: ast.AST) -> NotAvailableError:
        """What to say of a part that has no translation."""
        return NotAvailableError(
            f"{ast.unparse(node)!r} (in {self.factor.name!r}) has no exact translation into SQL; compute the column in the "
            f"database, and fit the model with the column."
        )

    def _unboxed(self, node: ast.expr) -> ast.expr:
        while (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("I", "C") and node.args
        ):
            node = node.args[0]
        return node

    def _number(self, node: ast.expr) -> str:
        found = self.sql(node)
        if found.kind == "condition":
            return f"CASE WHEN {found.text} THEN 1e0 WHEN NOT ({found.text}) THEN 0e0 END"
        if found.kind == "text":
            raise self.refuse(node)
        return found.text

    def _condition(self, node: ast.expr) -> str:
        found = self.sql(node)
        if found.kind != "condition":
            raise self.refuse(node)
        return found.text

    def sql(self, node: ast.expr) -> Sql:
        """Translate a part of the expression."""
        if isinstance(node, ast.Call) and ast.unparse(node) in self.memory:
            return self._literal(node, self.memory[ast.unparse(node)])
        translate = _TRANSLATIONS.get(type(node))
        if translate is None:
            raise self.refuse(node)
        return translate(self, node)

    def _literal(self, node: ast.AST, value: Any) -> Sql:
        if isinstance(value, str):
            return Sql(self.dialect.text(value), "text")
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
            raise self.refuse(node)
        return Sql(self.dialect.number(float(value)), "number")

    def _constant_node(self, node: ast.Constant) -> Sql:
        return self._literal(node, node.value)

    def _name(self, node: ast.Name) -> Sql:
        if node.id in self.factor.columns:
            return self._column(node.id)
        scope = self.factor.state["eval_env"].namespace
        if node.id in scope:
            return self._literal(node, scope[node.id])
        raise self.refuse(node)

    def _column(self, name: Any) -> Sql:
        column = self.dialect.column(name)
        return Sql(self.dialect.as_number(column), "number") if name in self.factor.numbers else Sql(column, "text")

    def _constant(self, node: ast.expr) -> Any:
        """An argument of a transform: a literal, or a constant of the caller's."""
        scope = self.factor.state["eval_env"].namespace
        if isinstance(node, ast.Name) and node.id in scope:
            return scope[node.id]
        try:
            return ast.literal_eval(node)
        except ValueError:
            raise self.refuse(node) from None

    def _unary(self, node: ast.UnaryOp) -> Sql:
        if isinstance(node.op, (ast.Invert, ast.Not)):
            return Sql(f"(NOT {self._condition(node.operand)})", "condition")
        sign = "-" if isinstance(node.op, ast.USub) else ""
        return Sql(f"({sign}{self._number(node.operand)})", "number")

    def _binary(self, node: ast.BinOp) -> Sql:
        if isinstance(node.op, (ast.BitAnd, ast.BitOr)):
            word = "AND" if isinstance(node.op, ast.BitAnd) else "OR"
            return Sql(f"({self._condition(node.left)} {word} {self._condition(node.right)})", "condition")
        a, b = self._number(node.left), self._number(node.right)
        sign = _ARITHMETIC.get(type(node.op))
        if sign:
            return Sql(f"({a} {sign} {b})", "number")
        if isinstance(node.op, ast.Pow):
            return Sql(self._power(a, b, node.right), "number")
        ratio = f"({a} / NULLIF({b}, 0e0))"
        if isinstance(node.op, ast.Div):
            return Sql(ratio, "number")
        if isinstance(node.op, ast.FloorDiv):
            return Sql(f"FLOOR({ratio})", "number")
        if isinstance(node.op, ast.Mod):
            return Sql(f"({a} - {b} * FLOOR({ratio}))", "number")
        raise self.refuse(node)

    def _power(self, a: str, b: str, exponent: ast.expr) -> str:
        try:
            known = float(ast.literal_eval(exponent))
        except (ValueError, TypeError):
            known = float("nan")
        if known in (2.0, 3.0):
            return f"({' * '.join([a] * int(known))})"
        if known == int(known) if np.isfinite(known) else False:
            return (
                f"POWER({a}, {b})" if known >= 0 else f"(1e0 / NULLIF(POWER({a}, {self.dialect.number(-known)}), 0e0))"
            )
        return f"CASE WHEN {a} > 0e0 THEN POWER({a}, {b}) END"

    def _compare(self, node: ast.Compare) -> Sql:
        sides = [node.left, *node.comparators]
        parts = [self._one_comparison(a, op, b) for a, op, b in zip(sides, node.ops, sides[1:], strict=False)]
        return Sql(f"({' AND '.join(parts)})", "condition")

    def _one_comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> str:
        sign = _COMPARED.get(type(op))
        a, b = self.sql(left), self.sql(right)
        if sign is None or "condition" in (a.kind, b.kind) or a.kind != b.kind:
            raise self.refuse(left)
        if a.kind == "text" and sign not in ("=", "<>"):
            raise self.refuse(left)
        texts = [self._exact(part) for part in (a, b)]
        return f"{texts[0]} {sign} {texts[1]}"

    def _exact(self, found: Sql) -> str:
        is_column = found.kind == "text" and not found.text.startswith("'")
        return self.dialect.exact_text.format(found.text) if is_column else found.text

    # Calls.

    def _call(self, node: ast.Call) -> Sql:
        if isinstance(node.func, ast.Name):
            return self._named(node, node.func.id)
        if isinstance(node.func, ast.Attribute):
            value = node.func.value
            if isinstance(value, ast.Name) and value.id in ("np", "numpy") and value.id not in self.factor.columns:
                return self._numpy(node, node.func.attr)
            return self._method(node, node.func)
        raise self.refuse(node)

    def _named(self, node: ast.Call, name: str) -> Sql:
        if name == "I":
            return self.sql(node.args[0])
        if name == "Q":
            return self._column(ast.literal_eval(node.args[0]))
        transform = self.transforms.get(self._place(node))
        if isinstance(transform, Center) and len(node.args) == 1 and not node.keywords:
            mean = float(np.asarray(transform._sum).ravel()[0] / transform._count)
            return Sql(f"({self._number(node.args[0])} - {self.dialect.number(mean)})", "number")
        if isinstance(transform, Standardize):
            return self._standardized(node, transform)
        raise self.refuse(node)

    def _standardized(self, node: ast.Call, transform: Any) -> Sql:
        options = {str(keyword.arg): self._constant(keyword.value) for keyword in node.keywords}
        if len(node.args) != 1 or not set(options) <= {"center", "rescale", "ddof"}:
            raise self.refuse(node)
        x = self._number(node.args[0])
        mean = float(np.asarray(transform.current_mean).ravel()[0])
        square = float(np.asarray(transform.current_M2).ravel()[0]) / (transform.current_n - options.get("ddof", 0))
        if options.get("center", True):
            x = f"({x} - {self.dialect.number(mean)})"
        if options.get("rescale", True):
            x = f"({x} / {self.dialect.number(float(np.sqrt(square)))})"
        return Sql(x, "number")

    def _numpy(self, node: ast.Call, name: str) -> Sql:
        if node.keywords:
            raise self.refuse(node)
        if name == "where" and len(node.args) == 3:
            return self._where(node)
        if name == "isin" and len(node.args) == 2:
            return self._among(node.args[0], node.args[1])
        if name == "clip" and len(node.args) == 3:
            return self._clipped(node.args[0], node.args[1], node.args[2])
        if name in ("maximum", "minimum") and len(node.args) == 2:
            a, b = (self._number(argument) for argument in node.args)
            sign = ">=" if name == "maximum" else "<="
            return Sql(f"CASE WHEN {a} {sign} {b} THEN {a} WHEN NOT ({a} {sign} {b}) THEN {b} END", "number")
        write = _FUNCTIONS.get(name)
        if write is None or len(node.args) != 1:
            raise self.refuse(node)
        return Sql(write(self.dialect, self._number(node.args[0])), "number")

    def _where(self, node: ast.Call) -> Sql:
        condition = self._condition(node.args[0])
        yes, no = self.sql(node.args[1]), self.sql(node.args[2])
        if yes.kind != no.kind or yes.kind == "condition":
            raise self.refuse(node)
        return Sql(f"CASE WHEN {condition} THEN {yes.text} WHEN NOT ({condition}) THEN {no.text} END", yes.kind)

    def _among(self, value: ast.expr, among: ast.expr) -> Sql:
        listed = self._constant(among)
        found = self.sql(value)
        if found.kind == "condition" or not isinstance(listed, (list, tuple, set)) or not listed:
            raise self.refuse(among)
        literals = [self._literal(among, one) for one in listed]
        if any(one.kind != found.kind for one in literals):
            raise self.refuse(among)
        return Sql(f"({self._exact(found)} IN ({', '.join(one.text for one in literals)}))", "condition")

    def _clipped(self, value: ast.expr, low: ast.expr | None, high: ast.expr | None) -> Sql:
        x = self._number(value)
        cases = []
        if low is not None and not _is_none(low):
            cases.append(f"WHEN {x} < {self._number(low)} THEN {self._number(low)}")
        if high is not None and not _is_none(high):
            cases.append(f"WHEN {x} > {self._number(high)} THEN {self._number(high)}")
        return Sql(f"CASE {' '.join(cases)} ELSE {x} END" if cases else x, "number")

    def _method(self, node: ast.Call, method: ast.Attribute) -> Sql:
        name, value, given = method.attr, method.value, node.args
        if isinstance(value, ast.Attribute) and value.attr == "str" and name in _TEXTS and not given:
            found = self.sql(value.value)
            if found.kind == "text":
                return Sql(f"{_TEXTS[name]}({found.text})", "text")
        write = _METHODS.get((name, len(given)))
        if write is None or node.keywords:
            raise self.refuse(node)
        return write(self, value, given)

    def _is_null(self, value: ast.expr, given: list[ast.expr]) -> Sql:
        return Sql(f"({self.sql(value).text} IS NULL)", "condition")

    def _is_there(self, value: ast.expr, given: list[ast.expr]) -> Sql:
        return Sql(f"({self.sql(value).text} IS NOT NULL)", "condition")

    def _filled(self, value: ast.expr, given: list[ast.expr]) -> Sql:
        found, filled = self.sql(value), self.sql(given[0])
        if found.kind != filled.kind or found.kind == "condition":
            raise self.refuse(value)
        return Sql(f"COALESCE({found.text}, {filled.text})", found.kind)

    def _between(self, value: ast.expr, given: list[ast.expr]) -> Sql:
        x, low, high = self._number(value), self._number(given[0]), self._number(given[1])
        return Sql(f"({x} >= {low} AND {x} <= {high})", "condition")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _plain(name: str) -> Callable[[Dialect, str], str]:
    return lambda dialect, x: f"{name}({x})"


def _logarithm(base: float | None = None, plus: str = "") -> Callable[[Dialect, str], str]:
    def write(dialect: Dialect, x: str) -> str:
        inside = f"({plus}{x})" if plus else x
        found = f"{dialect.log}({inside})"
        found = found if base is None else f"({found} / {dialect.number(float(np.log(base)))})"
        return f"CASE WHEN {inside} > 0e0 THEN {found} END"

    return write


def _exponential(less: str = "") -> Callable[[Dialect, str], str]:
    def write(dialect: Dialect, x: str) -> str:
        low, high = dialect.number(-LARGEST_EXP), dialect.number(LARGEST_EXP)
        return f"CASE WHEN {x} < {low} THEN 0e0{less} WHEN {x} <= {high} THEN EXP({x}){less} END"

    return write


_TEXTS = {"lower": "LOWER", "upper": "UPPER", "strip": "TRIM"}
_FUNCTIONS: dict[str, Callable[[Dialect, str], str]] = {
    "log": _logarithm(),
    "log2": _logarithm(2.0),
    "log10": _logarithm(10.0),
    "log1p": _logarithm(plus="1e0 + "),
    "exp": _exponential(),
    "expm1": _exponential(" - 1e0"),
    "sqrt": lambda dialect, x: f"CASE WHEN {x} >= 0e0 THEN SQRT({x}) END",
    "square": lambda dialect, x: f"({x} * {x})",
    "abs": _plain("ABS"),
    "absolute": _plain("ABS"),
    "fabs": _plain("ABS"),
    "floor": _plain("FLOOR"),
    "ceil": lambda dialect, x: f"{dialect.ceiling}({x})",
    "sign": _plain("SIGN"),
    "sin": _plain("SIN"),
    "cos": _plain("COS"),
    "negative": lambda dialect, x: f"(-{x})",
    "reciprocal": lambda dialect, x: f"(1e0 / NULLIF({x}, 0e0))",
}
_METHODS: dict[tuple[str, int], Callable[[Expression, ast.expr, list[ast.expr]], Sql]] = {
    ("isna", 0): Expression._is_null,
    ("isnull", 0): Expression._is_null,
    ("notna", 0): Expression._is_there,
    ("notnull", 0): Expression._is_there,
    ("fillna", 1): Expression._filled,
    ("isin", 1): lambda one, value, given: one._among(value, given[0]),
    ("between", 2): Expression._between,
    ("clip", 1): lambda one, value, given: one._clipped(value, given[0], None),
    ("clip", 2): lambda one, value, given: one._clipped(value, given[0], given[1]),
    ("abs", 0): lambda one, value, given: Sql(f"ABS({one._number(value)})", "number"),
}
_TRANSLATIONS: dict[type[ast.expr], Callable[[Expression, Any], Sql]] = {
    ast.Constant: Expression._constant_node,
    ast.Name: Expression._name,
    ast.UnaryOp: Expression._unary,
    ast.BinOp: Expression._binary,
    ast.Compare: Expression._compare,
    ast.Call: Expression._call,
}
