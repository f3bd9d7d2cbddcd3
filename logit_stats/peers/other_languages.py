"""Expressions of a formula in the language of R and of Stata; what has no translation is handed over as columns of data."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

import numpy as np
from patsy.splines import BS
from patsy.state import Center, Standardize

from logit_stats.design.expression import CALLED, HELPER
from logit_stats.design.factor import Factor
from logit_stats.design.transforms import NaturalSpline


class NoTranslationError(Exception):
    """An expression means nothing in the other language; caught where columns take its place."""


@dataclass(frozen=True)
class Language:
    """What a language writes in its own way.

    Attributes
    ----------
    name : str
    power : str
    conjunction, disjunction, negation : str
    functions : dict of str to str
        NumPy's functions.
    splines : bool
        Whether there are ``bs`` and ``ns``.
    """

    name: str
    power: str
    conjunction: str
    disjunction: str
    negation: str
    functions: dict[str, str]
    splines: bool


_COMMON = {"log": "log", "exp": "exp", "sqrt": "sqrt", "abs": "abs", "floor": "floor", "sin": "sin", "cos": "cos"}
R = Language(
    "R", "^", "&", "|", "!", {**_COMMON, "ceil": "ceiling", "log10": "log10", "log2": "log2", "log1p": "log1p"}, True
)
STATA = Language("Stata", "^", "&", "|", "!", {**_COMMON, "ceil": "ceil", "log10": "log10"}, False)
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARED = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


def number(value: Any) -> str:
    """A number to the last bit."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)) or not np.isfinite(value):
        raise NoTranslationError
    text = repr(float(value))
    return f"({text})" if text.startswith("-") else text


def quoted(value: str) -> str:
    """A text in quotation marks."""
    if any(mark in value for mark in '"\\`$\n\r\0'):
        raise NoTranslationError
    return f'"{value}"'


def plain_name(name: Any) -> bool:
    """Whether a column's name is a name in every language."""
    return (
        isinstance(name, str) and name.isascii() and name.isidentifier() and not name.startswith("_") and len(name) < 32
    )


def translated(factor: Factor, language: Language) -> str:
    """The factor's expression; of a categorical one what has its levels.

    Raises
    ------
    NoTranslationError
        If part of it has none.
    """
    return _Translator(factor, language).write(_unboxed(ast.parse(factor.term_factor.code, mode="eval").body))


def _unboxed(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("I", "C") and node.args:
        node = node.args[0]
    return node


class _Translator:
    def __init__(self, factor: Factor, language: Language) -> None:
        self.factor, self.language = factor, language
        state = factor.state["transforms"]
        self.memory: dict[str, Any] = getattr(state.get(HELPER), "memory", {})
        self.transforms = [t for n, t in state.items() if n != HELPER and not n.startswith(CALLED)]
        self.scope = factor.state["eval_env"].namespace

    def write(self, node: ast.expr) -> str:
        source = ast.unparse(node)
        if source in self.memory:
            return number(self.memory[source])
        writer = getattr(self, f"_{type(node).__name__.lower()}", None)
        if writer is None:
            raise NoTranslationError
        return str(writer(node))

    def _constant(self, node: ast.Constant) -> str:
        return quoted(node.value) if isinstance(node.value, str) else number(node.value)

    def _name(self, node: ast.Name) -> str:
        if node.id in self.factor.columns and plain_name(node.id):
            return node.id
        if node.id in self.scope:
            return number(self.scope[node.id])
        raise NoTranslationError

    def _unaryop(self, node: ast.UnaryOp) -> str:
        if isinstance(node.op, ast.Invert):
            return f"({self.language.negation}({self.write(node.operand)}))"
        if isinstance(node.op, ast.USub):
            return f"(-{self.write(node.operand)})"
        raise NoTranslationError

    def _binop(self, node: ast.BinOp) -> str:
        a, b = self.write(node.left), self.write(node.right)
        if isinstance(node.op, ast.FloorDiv):
            return f"floor({a} / {b})"
        if isinstance(node.op, ast.Mod):
            return f"({a} - {b} * floor({a} / {b}))"
        signs = {
            **_OPERATORS,
            ast.Pow: self.language.power,
            ast.BitAnd: self.language.conjunction,
            ast.BitOr: self.language.disjunction,
        }
        sign = signs.get(type(node.op))
        if sign is None:
            raise NoTranslationError
        return f"({a} {sign} {b})"

    def _compare(self, node: ast.Compare) -> str:
        sign = _COMPARED.get(type(node.ops[0]))
        if len(node.ops) != 1 or sign is None:
            raise NoTranslationError
        return f"({self.write(node.left)} {sign} {self.write(node.comparators[0])})"

    def _call(self, node: ast.Call) -> str:
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            known = self.language.functions.get(node.func.attr) if node.func.value.id in ("np", "numpy") else None
            if known is not None and len(node.args) == 1 and not node.keywords:
                return f"{known}({self.write(node.args[0])})"
        if not isinstance(node.func, ast.Name):
            raise NoTranslationError
        if node.func.id == "I":
            return self.write(node.args[0])
        if len(self.transforms) == 1 and node.args:
            return self._transformed(self.transforms[0], self.write(node.args[0]), node)
        raise NoTranslationError

    def _transformed(self, transform: Any, x: str, node: ast.Call) -> str:
        if isinstance(transform, Center):
            return f"({x} - {number(float(np.asarray(transform._sum).ravel()[0] / transform._count))})"
        if isinstance(transform, Standardize) and not node.keywords and len(node.args) == 1:
            square = float(np.asarray(transform.current_M2).ravel()[0]) / transform.current_n
            mean = float(np.asarray(transform.current_mean).ravel()[0])
            return f"(({x} - {number(mean)}) / {number(float(np.sqrt(square)))})"
        if self.language.splines and isinstance(transform, NaturalSpline):
            low, *inner, high = (number(float(knot)) for knot in transform.knots)
            return f"splines::ns({x}, knots = c({', '.join(inner)}), Boundary.knots = c({low}, {high}))"
        if self.language.splines and isinstance(transform, BS) and "include_intercept" not in ast.unparse(node):
            degree, knots = int(transform._degree), [number(float(knot)) for knot in transform._all_knots]
            inner = knots[degree + 1 : len(knots) - degree - 1]
            limits = f"Boundary.knots = c({knots[0]}, {knots[-1]})"
            return f"splines::bs({x}, knots = c({', '.join(inner)}), degree = {degree}, {limits})"
        raise NoTranslationError
