"""A formula's text becomes terms: patsy's grammar, without the texts that would quietly mean something else in Python."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import patsy
from patsy.desc import INTERCEPT, Evaluator
from patsy.infix_parser import ParseNode
from patsy.parse_formula import parse_formula

from logit_stats.design.hints import hint_for_column, hint_for_piece, hint_for_text, written
from logit_stats.design.restricted import is_restricted, refuse_unsafe, restricted_names
from logit_stats.design.transforms import TRANSFORMS
from logit_stats.errors import DataError, FormulaError


@dataclass(frozen=True, slots=True)
class ParsedFormula:
    """A formula read by patsy and not yet shown any data: its terms on both sides, and the caller's scope."""

    text: str
    response_terms: tuple[Any, ...]
    terms: tuple[Any, ...]
    scope: Any

    def with_constant(self) -> ParsedFormula:
        """The same formula with a constant."""
        return self if INTERCEPT in self.terms else replace(self, terms=(INTERCEPT, *self.terms))


def capture_scope(depth: int) -> Any:
    """The variables visible `depth` calls above the caller of this function; none inside `restricted_formulas()`."""
    if is_restricted():
        return scope_of({})
    return patsy.EvalEnvironment.capture(depth + 1).with_outer_namespace(TRANSFORMS)


def formula_scope(eval_env: Any, depth: int) -> Any:
    """The scope that statsmodels' ``eval_env`` asks for: as many calls further up, only the data (-1), or patsy's environment.

    Raises
    ------
    DataError
        If it is none of these.
    """
    if isinstance(eval_env, patsy.EvalEnvironment):
        return scope_of({}) if is_restricted() else eval_env.with_outer_namespace(TRANSFORMS)
    if isinstance(eval_env, bool) or not isinstance(eval_env, int) or eval_env < -1:
        raise DataError(f"eval_env={eval_env!r} must be a number of calls, or -1 for the data alone.")
    return scope_of({}) if eval_env == -1 else capture_scope(depth + eval_env + 1)


def scope_of(names: Mapping[str, Any]) -> Any:
    """The scope that has these names, the transforms of the formula language, and no others."""
    known = restricted_names() if is_restricted() else dict(names)
    return patsy.EvalEnvironment([known]).with_outer_namespace(TRANSFORMS)


def parse(formula: str, scope: Any, columns: Sequence[Any] = ()) -> ParsedFormula:
    """Read a formula.

    Parameters
    ----------
    formula : str
    scope : EvalEnvironment
        Where names are looked up that are no columns.
    columns : sequence
        Names of the data's columns, from which errors suggest a spelling.

    Raises
    ------
    FormulaError
        If it is not a formula, has no response, cannot be read, or says what means something else here than where it comes
        from (``x^2``, ``1 | id``).
    """
    if not isinstance(formula, str):
        raise FormulaError(f"The formula is a {type(formula).__name__}; write it as a text such as 'y ~ x1 + x2'.")
    left, right = _terms(_composed(formula), tuple(columns), is_restricted())
    return ParsedFormula(formula, left, right, scope)


def _composed(formula: str) -> str:
    """The formula with its letters and accents as one character each; what stands in quotes is left as it is.

    An editor or a file name of macOS gives them as two, of which Python's grammar of names knows the first only.
    """
    if formula.isascii():
        return formula
    parts = re.split(r"""("[^"]*"|'[^']*')""", formula)
    return "".join(part if part[:1] in "\"'" and part else unicodedata.normalize("NFC", part) for part in parts)


@lru_cache(maxsize=256)
def _terms(formula: str, columns: tuple[Any, ...], restricted: bool) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Terms of both sides; a formula that is fitted again and again is read once."""
    try:
        description = _described(formula, columns)
    except (patsy.PatsyError, AssertionError) as error:
        raise FormulaError(
            f"The formula {formula!r} cannot be read: {hint_for_text(formula, columns) or _patsys_words(error)}"
        ) from None
    _refuse_column_with_operators(formula, description, columns)
    if not description.lhs_termlist:
        raise FormulaError(f"The formula {formula!r} has no response; write it as 'response ~ predictors'.")
    return tuple(description.lhs_termlist), tuple(description.rhs_termlist)


def right_hand_terms(formula: str) -> tuple[Any, ...]:
    """Patsy's terms of the right-hand side of a formula that was read before."""
    return tuple(_described(formula, ()).rhs_termlist)


def _described(formula: str, columns: Sequence[Any]) -> Any:
    tree = parse_formula(formula)
    for node in _nodes(tree):
        _refuse_node(formula, node)
        if node.type == "PYTHON_EXPR":
            _refuse_piece(formula, node, columns)
    return _SpineEvaluator().eval(tree, require_evalexpr=False)


class _SpineEvaluator(Evaluator):  # type: ignore[misc]
    """patsy's evaluator, which calls itself once for every ``+``: here a sum of any length is walked in a loop."""

    def eval(self, tree: Any, require_evalexpr: bool = True) -> Any:
        if isinstance(tree, _Evaluated):
            return tree.value
        spine = []
        while tree.type in ("+", "-") and len(tree.args) == 2:
            spine.append(tree)
            tree = tree.args[0]
        value = super().eval(tree, require_evalexpr)
        for node in reversed(spine):
            step = ParseNode(node.type, node.token, [_Evaluated(value, tree.origin), node.args[1]], node.origin)
            value = self._evaluators[node.type, 2](self, step)
        return value


@dataclass(frozen=True, slots=True)
class _Evaluated:
    """Stands in a parse tree for a part that has its value already."""

    value: Any
    origin: Any
    type: str = "evaluated"
    args: tuple[Any, ...] = ()


def _nodes(tree: Any) -> Iterator[Any]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.args))


def _text_of(node: Any) -> str:
    origin = node.origin
    return str(origin.code[origin.start : origin.end]) if origin is not None else ""


def _refuse_node(formula: str, node: Any) -> None:
    """Operators between terms that say nothing here, and something elsewhere."""
    if node.type == "**" and node.args[0].type == "PYTHON_EXPR":
        base = _text_of(node.args[0])
        raise FormulaError(
            f"{_text_of(node)!r} in the formula is only {base!r}: between terms ** builds interactions, as in (a + b)**2. For "
            f"the power of a column write I({_text_of(node)})."
        )
    if (
        node.type in ("+", "-")
        and len(node.args) == 2
        and node.args[1].type in ("+", "-")
        and len(node.args[1].args) == 1
    ):
        inner = _text_of(node.args[1]).strip("() ")
        sign = "-" if node.type != inner[0] else "+"
        raise FormulaError(
            f"'{node.type} {_text_of(node.args[1])}' in the formula {formula!r}: a term is added with + or taken away with -, "
            f"not both. Write '{sign} {inner[1:].strip()}'."
        )


def _refuse_piece(formula: str, node: Any, columns: Sequence[Any]) -> None:
    """One expression between the operators of a formula: not Python, or Python that means something else."""
    code, piece = node.token.extra, _text_of(node)
    try:
        tree = ast.parse(code, mode="eval").body
    except SyntaxError:
        hint = hint_for_piece(formula, piece, columns)
        raise FormulaError(f"{piece!r} in the formula {formula!r} cannot be read: {hint}") from None
    if isinstance(tree, ast.Constant):
        raise FormulaError(
            f"{piece!r} in the formula {formula!r} is a constant: {hint_for_piece(formula, piece, columns)}"
        )
    if is_restricted():
        refuse_unsafe(code)
    if isinstance(tree, ast.Tuple):
        names = " + ".join(ast.unparse(part) for part in tree.elts)
        raise FormulaError(f"{piece!r} in the formula {formula!r}: terms are joined by +, as in {names}.")
    for part in ast.walk(tree):
        remedy = _single_truth(part)
        if remedy:
            remedy = f"I({remedy})" if part is tree and remedy[0] in "(~" else remedy
            raise FormulaError(
                f"{piece!r} in the formula asks a whole column for one true or false; row by row it is written {remedy}."
            )
    _refuse_bit_operators(piece, tree)


def _single_truth(node: ast.AST) -> str | None:
    """What to write for an operator of Python that takes one truth value, and not one per row; None for any other node."""
    if isinstance(node, ast.BoolOp):
        sign = " & " if isinstance(node.op, ast.And) else " | "
        return sign.join(f"({ast.unparse(value)})" for value in node.values)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"~({ast.unparse(node.operand)})"
    if isinstance(node, ast.IfExp):
        return f"np.where({ast.unparse(node.test)}, {ast.unparse(node.body)}, {ast.unparse(node.orelse)})"
    return _one_by_one(node) if isinstance(node, ast.Compare) else None


def _one_by_one(node: ast.Compare) -> str | None:
    """What to write for ``in`` and for chains of comparisons."""
    if isinstance(node.ops[0], (ast.In, ast.NotIn)):
        negated = "~" if isinstance(node.ops[0], ast.NotIn) else ""
        return f"{negated}{ast.unparse(node.left)}.isin({ast.unparse(node.comparators[0])})"
    return _separate_comparisons(node) if len(node.ops) > 1 else None


def _separate_comparisons(node: ast.Compare) -> str:
    """``(18 < age) & (age < 65)`` for ``18 < age < 65``; ``x > 3 | z > 2`` is such a chain as well, through ``3 | z``."""
    sides = [node.left, *node.comparators]
    said = []
    for left, sign, right in zip(sides, node.ops, sides[1:], strict=False):
        start = left.right if isinstance(left, ast.BinOp) and isinstance(left.op, (ast.BitOr, ast.BitAnd)) else left
        end = right.left if isinstance(right, ast.BinOp) and isinstance(right.op, (ast.BitOr, ast.BitAnd)) else right
        said.append(f"({ast.unparse(ast.Compare(start, [sign], [end]))})")
    middle = next((s for s in sides if isinstance(s, ast.BinOp) and isinstance(s.op, ast.BitOr)), None)
    return (" & " if middle is None else " | ").join(said)


def _refuse_bit_operators(piece: str, tree: ast.expr) -> None:
    """Refuse ``^`` anywhere, and ``|`` or ``&`` between terms that are no conditions.

    Inside a function they are looked at when their values are known (`logit_stats.design.expression`).
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
            left, right = ast.unparse(node.left), ast.unparse(node.right)
            remedy = f"{left}**{right}" if node is not tree else f"I({left}**{right})"
            raise FormulaError(
                f"{piece!r} in the formula: ^ is no power here (in Python it combines the bits of whole numbers); write {remedy}."
            )
    if not isinstance(tree, ast.BinOp) or not isinstance(tree.op, (ast.BitOr, ast.BitAnd)):
        return
    if not (_is_condition(tree.left) and _is_condition(tree.right)):
        raise FormulaError(f"{piece!r} in the formula: {_bar(tree)}")


def _bar(tree: ast.BinOp) -> str:
    left, right = ast.unparse(tree.left), ast.unparse(tree.right)
    if isinstance(tree.op, ast.BitAnd):
        return (
            f"& combines conditions, as in I(({left} == 1) & ({right} == 1)); for the product of two columns write "
            f"{left}:{right}, or {left}*{right} with their own effects."
        )
    if isinstance(tree.left, ast.Constant):
        return (
            f"a random intercept is not part of a logit's formula. For fixed effects of {right} write C({right}); for errors "
            f"that allow for groups leave it out and take with_cov('cluster', groups={right!r}). melogit fits random intercepts."
        )
    return (
        f"| does not set off fixed effects here; add them as a term, {left} + C({right}). Conditions are joined in brackets: "
        f"I(({left} == 1) | ({right} == 1))."
    )


def _is_condition(node: ast.expr) -> bool:
    """Whether an expression is true or false by its form: a comparison, its negation, a question asked of a column."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitOr, ast.BitAnd)):
        return _is_condition(node.left) and _is_condition(node.right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        return True
    return isinstance(node, (ast.Compare, ast.Call))


def _refuse_column_with_operators(formula: str, description: Any, columns: Sequence[Any]) -> None:
    """``follow-up``, where that is one column, would be read as ``follow`` without ``up``."""
    names = [str(name) for name in columns]
    odd = [name for name in columns if isinstance(name, str) and not name.isidentifier() and name.strip()]
    bare = re.sub(r"""(["']).*?\1""", "", formula)
    for name in odd:
        if name in bare and any(part not in names for part in re.findall(r"\w+", name)):
            raise FormulaError(
                f"{name!r} in the formula {formula!r} is a column whose name is no Python name; {hint_for_column(name)}"
            )


def _patsys_words(error: BaseException) -> str:
    """What is wrong in the grammar, and where, in one line."""
    said = str(getattr(error, "message", error)) or "an operator stands where a column should"
    words = {
        "expected a noun, but instead the expression ended": "a term is missing at its end",
        "expected a noun, not": "a term is missing before",
        "Unmatched '('": "a bracket is not closed",
        "missing '(' or extra ')'": "a bracket is closed that was not opened",
    }
    for theirs, ours in words.items():
        said = said.replace(theirs, ours)
    origin = None if said.endswith("at its end") else getattr(error, "origin", None)
    before = origin.code[: origin.start].strip() if origin is not None else ""
    return f"{said} (after {before!r})." if before else f"{said}."


__all__ = ["ParsedFormula", "capture_scope", "parse", "right_hand_terms", "scope_of", "written"]
