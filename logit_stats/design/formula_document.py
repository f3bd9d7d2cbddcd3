"""A compiled formula as a text that holds no code but the formula language's own, and back.

Every expression is held to `restricted.refuse_unsafe`, when it is written and again when it is read: a file from a stranger
reaches columns, the transforms of the formula language and NumPy's elementwise functions, nothing else. Transforms are of a
short list of kinds, and what they remember is data.
"""

from __future__ import annotations

from typing import Any

import patsy.builtins
from patsy.mgcv_cubic_splines import CC, CR, TE
from patsy.splines import BS
from patsy.state import Center, Standardize

from logit_stats.design.expression import HELPER, columns_read
from logit_stats.design.formula import CompiledFormula
from logit_stats.design.formula_pickle import formula_state, restore_formula
from logit_stats.design.operators import Operators
from logit_stats.design.plain_values import decoded, encoded
from logit_stats.design.restricted import FORMULA_FUNCTIONS, refuse_unsafe, restricted_names
from logit_stats.design.transforms import NaturalSpline, OrthogonalPolynomial
from logit_stats.errors import DataError, FormulaError, NotAvailableError

# What each kind of transform may remember.
REMEMBERED: dict[type, frozenset[str]] = {
    Center: frozenset(("_sum", "_count")),
    Standardize: frozenset(("current_n", "current_mean", "current_M2")),
    BS: frozenset(("_all_knots", "_degree")),
    CR: frozenset(("_all_knots", "_constraints", "_cyclic", "_name")),
    CC: frozenset(("_all_knots", "_constraints", "_cyclic", "_name")),
    TE: frozenset(("_constraints",)),
    OrthogonalPolynomial: frozenset(("_degree", "_seen", "centres", "norms")),
    NaturalSpline: frozenset(("_asked", "_seen", "knots")),
    Operators: frozenset(("limits", "memory", "rows", "sealed")),
}
KINDS = {kind.__name__: kind for kind in REMEMBERED}
TYPES = ("numerical", "categorical")


def formula_document(formula: CompiledFormula) -> dict[str, Any]:
    """What a formula has learned, as JSON has it.

    Raises
    ------
    NotAvailableError
        If an expression uses a function of the caller's, or something else that a text cannot carry.
    """
    state = formula_state(formula)
    return {
        "text": state["text"],
        "columns": list(state["column_names"]),
        "factors": [_factor_document(code, kept) for code, kept in state["factors"].items()],
        "terms": [
            {"factors": list(factors), "codings": [_coding_document(coding) for coding in codings]}
            for factors, codings in state["codings"]
        ],
    }


def _factor_document(code: str, kept: dict[str, Any]) -> dict[str, Any]:
    try:
        refuse_unsafe(code)
    except FormulaError as error:
        said = str(error).split(" is not allowed here")[0].partition(" in the formula: ")[2]
        raise NotAvailableError(
            f"{code!r} cannot be carried in a text, which may say nothing but the formula language, NumPy's functions as "
            f"np.log(x) and simple methods of a column: {said} is none of these. Compute the column in the data and name it, or "
            f"keep the result with save()."
        ) from None
    categories = kept["categories"]
    return {
        "expression": code,
        "type": kept["type"],
        "reads": [encoded(name, "a column") for name in kept["columns"]],
        "looked_after": encoded(kept["looked_after"], code),
        "numbers": encoded(kept["numbers"], code),
        "integers": encoded(kept["integers"], code),
        "width": kept["num_columns"],
        "levels": None if categories is None else [encoded(level, f"A level of {code}") for level in categories],
        "constants": {name: _constant(code, name, given) for name, given in kept["scope"].items() if name != "np"},
        "remembers": [_transform_document(code, name, *found) for name, found in kept["transforms"].items()],
    }


def _constant(code: str, name: str, given: tuple[str, Any]) -> Any:
    kind, value = given
    if kind == "module":
        raise NotAvailableError(f"{code!r} names the module {value} as {name}; in a text NumPy is called np.")
    return encoded(value, f"{name!r} in {code!r}")


def _transform_document(code: str, name: str, kind: type, remembered: dict[str, Any]) -> dict[str, Any]:
    known = REMEMBERED.get(kind)
    if known is None or not set(remembered) <= known:
        raise NotAvailableError(
            f"{code!r} uses the transform {kind.__name__}, which a text cannot carry; save() keeps it."
        )
    state = {key: encoded(value, f"what {code} remembers") for key, value in remembered.items()}
    return {"name": name, "kind": kind.__name__, "state": state}


def _coding_document(coding: dict[str, Any]) -> dict[str, Any]:
    contrasts = [
        {"factor": code, "matrix": encoded(matrix, "a contrast"), "suffixes": list(suffixes)}
        for code, (matrix, suffixes) in coding["contrasts"].items()
    ]
    return {"factors": coding["factors"], "contrasts": contrasts, "width": coding["num_columns"]}


def formula_of(document: dict[str, Any]) -> CompiledFormula:
    """Build the formula that `formula_document` wrote.

    Raises
    ------
    DataError
        If the text says anything that a restricted formula may not.
    """
    state = {
        "text": _text(document["text"]),
        "column_names": [_text(name) for name in document["columns"]],
        "factors": dict(_factor_state(found) for found in document["factors"]),
        "left": {},
        "codings": [
            ([_text(code) for code in term["factors"]], [_coding_state(coding) for coding in term["codings"]])
            for term in document["terms"]
        ],
    }
    formula = CompiledFormula.__new__(CompiledFormula)
    restore_formula(formula, state)
    return formula


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise DataError(f"{value!r} stands where a text was expected.")
    return value


def _factor_state(found: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    code = _text(found["expression"])
    refuse_unsafe(code)
    constants = {_name(name): ("value", decoded(value)) for name, value in found["constants"].items()}
    if found["type"] not in TYPES:
        raise DataError(f"The type {found['type']!r} of {code!r} is not known.")
    columns = tuple(decoded(name) for name in found["reads"])
    if not set(columns) <= set(columns_read(code, None)):
        raise DataError(f"{code!r} does not read the columns {columns}.")
    levels = found["levels"]
    scope = {name: ("value", value) for name, value in restricted_names().items()}
    return code, {
        "type": found["type"],
        "num_columns": found["width"],
        "categories": None if levels is None else tuple(decoded(level) for level in levels),
        "columns": columns,
        "looked_after": decoded(found["looked_after"]),
        "numbers": decoded(found["numbers"]),
        "integers": decoded(found["integers"]),
        "scope": {**scope, **constants},
        "transforms": dict(_transform_state(code, kept) for kept in found["remembers"]),
    }


def _name(name: str) -> str:
    """A name that may stand for a constant: none of those that mean something here."""
    if not name.isidentifier() or name.startswith("_") or name in FORMULA_FUNCTIONS or name in restricted_names():
        raise DataError(f"{name!r} cannot be the name of a constant.")
    if hasattr(patsy.builtins, name):
        raise DataError(f"{name!r} is a function of the formula language.")
    return name


def _transform_state(code: str, kept: dict[str, Any]) -> tuple[str, tuple[type, dict[str, Any]]]:
    kind = KINDS.get(kept["kind"])
    name = _text(kept["name"])
    if kind is None or not set(kept["state"]) <= REMEMBERED[kind]:
        raise DataError(f"{code!r} remembers a transform that is not known: {kept['kind']!r}.")
    if (kind is Operators) != (name == HELPER):
        raise DataError(f"{code!r} calls a transform {name!r}.")
    return name, (kind, {key: decoded(value) for key, value in kept["state"].items()})


def _coding_state(coding: dict[str, Any]) -> dict[str, Any]:
    contrasts = {
        _text(c["factor"]): (decoded(c["matrix"]), [_text(s) for s in c["suffixes"]]) for c in coding["contrasts"]
    }
    return {"factors": [_text(f) for f in coding["factors"]], "contrasts": contrasts, "num_columns": coding["width"]}
