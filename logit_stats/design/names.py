"""The names in a formula's expressions: columns, variables in scope, functions; what is none of these is refused."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import patsy.eval
from patsy import builtins as patsy_builtins

from logit_stats.design.expression import bare_name, columns_read, names_bound
from logit_stats.design.hints import hint_for_function, written
from logit_stats.design.reading import ParsedFormula
from logit_stats.design.restricted import is_restricted
from logit_stats.design.table import Table, missing_column_message
from logit_stats.errors import FormulaError, MissingColumnError

# Words of R, and Python's.
R_CONSTANTS = {"TRUE": "True", "FALSE": "False", "NULL": "None", "NA": "np.nan", "Inf": "np.inf"}


def refuse_unknown_names(code: str, parsed: ParsedFormula, table: Table) -> None:
    """Raise before anything is evaluated where an expression names what is not there.

    Raises
    ------
    MissingColumnError
        For a name that is neither a column nor in scope, a Python function of that name included (``id``, ``type``).
    FormulaError
        For a function of another language.
    """
    if code.isidentifier() and code in table:
        return
    tree = ast.parse(code, mode="eval")
    known = parsed.scope.namespace if parsed.scope is not None else {}
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    bound = names_bound(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name) or node.id in bound:
            continue
        if not (node.id in known or hasattr(patsy_builtins, node.id)):
            _refuse(code, node.id, id(node) in called, table)
        elif id(node) in called and node.id in known and not callable(known[node.id]):
            _refuse_call(code, node.id, table)
    name = bare_name(code)
    if name is not None and name not in table and _is_no_data(name, known):
        raise MissingColumnError(
            f"{name!r} is a function or module, no column: {missing_column_message(name, table.known_names)}"
        )
    for name in _quoted(tree):
        if name not in table and not (isinstance(name, str) and name in known):
            raise MissingColumnError(f"{code!r}: {missing_column_message(name, table.known_names)}")


def _refuse(code: str, name: str, called: bool, table: Table) -> None:
    if name in table and not called:
        return
    if called and hasattr(builtins, name):
        return
    if not called and not is_restricted() and hasattr(builtins, name) and _is_argument(code, name):
        return
    if name in R_CONSTANTS and name not in table:
        raise FormulaError(f"{code!r} in the formula: {name} is R's; write {R_CONSTANTS[name]}.")
    hint = None if name in table else hint_for_function(name, code)
    dotted = _column_with_dots(code, name, table)
    if dotted is not None:
        raise MissingColumnError(
            f"{code!r}: {dotted!r} is a column whose name is no Python name; write {written(dotted)}."
        )
    if hint and (called or f"{name}." in code):
        raise FormulaError(f"{code!r} in the formula: {name} is not known here; {hint}")
    raise MissingColumnError(unknown_name(code, name, table))


def _refuse_call(code: str, name: str, table: Table) -> None:
    """A variable of the program that is no function, called as if it were: a function of R's of that name was meant."""
    if name in table:
        return
    hint = hint_for_function(name, code) or "give it another name than a function's."
    raise FormulaError(f"{code!r} in the formula: {name} is a variable of the program and no function; {hint}")


def _is_no_data(name: str, known: Any) -> bool:
    value = known[name] if name in known else getattr(patsy_builtins, name, None)
    return callable(value) or isinstance(value, ModuleType)


def _is_argument(code: str, name: str) -> bool:
    """Whether a builtin is handed to a function, as in ``x.astype(int)``."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                if isinstance(argument, ast.Name) and argument.id == name:
                    return True
    return False


def _column_with_dots(code: str, name: str, table: Table) -> str | None:
    """The column that ``blood.pressure`` means, where it is one."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in table and ast.unparse(node).split(".")[0] == name:
            return ast.unparse(node)
    return None


def _quoted(tree: ast.AST) -> Iterator[Any]:
    """Column names inside ``Q(...)``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Q" and node.args:
            try:
                yield ast.literal_eval(node.args[0])
            except ValueError:
                raise FormulaError(
                    f'{ast.unparse(node)!r} in the formula: write the column\'s name in quotes, as in Q("a b").'
                ) from None


def unknown_name(factor: str, name: str, table: Table) -> str:
    """Say that a name is neither a column nor in scope, and what may have been meant."""
    if name == "offset":
        return f"{factor!r}: an offset is not written in the formula; pass the column as offset=."
    where = "" if factor == name else f" (in {factor!r})"
    return f"{name!r}{where} is neither a column nor a variable in scope: {missing_column_message(name, table.known_names)}"


def names_in(parsed: ParsedFormula) -> tuple[str, ...]:
    """What may be columns of the data: every bare name of the formula, and what stands in ``Q("...")``."""
    codes = dict.fromkeys(f.code for t in (*parsed.response_terms, *parsed.terms) for f in t.factors)
    return tuple(dict.fromkeys(name for code in codes for name in columns_read(code, None)))


def scope_columns(parsed: ParsedFormula) -> dict[str, Any]:
    """Arrays of the caller's scope that the formula names: its data, where no table is given.

    Raises
    ------
    MissingColumnError
        If there is none.
    """
    terms = (*parsed.response_terms, *parsed.terms)
    names = dict.fromkeys(n for t in terms for f in t.factors for n in patsy.eval.ast_names(f.code))
    namespace = parsed.scope.namespace
    found = {
        name: namespace[name]
        for name in names
        if name in namespace and isinstance(namespace[name], (list, np.ndarray, pd.Series, pd.Categorical))
    }
    if not found:
        raise MissingColumnError(f"There are no data, and no variable of {parsed.text!r} is an array in scope.")
    return found
