"""Keeping a compiled formula: patsy's objects refuse to be pickled, what they have learned does not.

Kept are the formula, the layout of its columns, the transforms' learned numbers and the variables of the caller's
scope that the formula uses (modules by name, functions by reference). patsy's objects are built anew from these.
"""

from __future__ import annotations

import importlib
from collections import OrderedDict
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import patsy
from patsy import builtins as patsy_builtins

from logit_stats.design.expression import CALLED, names_called
from logit_stats.design.transforms import TRANSFORMS

if TYPE_CHECKING:
    from logit_stats.design.formula import CompiledFormula


def formula_state(formula: CompiledFormula) -> dict[str, Any]:
    """Everything a compiled formula has learned, in plain objects."""
    info = formula.info
    return {
        "text": formula.text,
        "column_names": list(info.column_names),
        "factors": {name: _laid_out_state(factor, info) for name, factor in formula.factors.items()},
        "left": {name: factor_state(factor) for name, factor in formula.left.items()},
        "codings": [
            ([f.code for f in term.factors], [_subterm_state(subterm) for subterm in subterms])
            for term, subterms in info.term_codings.items()
        ],
    }


def _laid_out_state(factor: Any, info: Any) -> dict[str, Any]:
    learned = info.factor_infos[factor.term_factor]
    layout = {"type": learned.type, "num_columns": learned.num_columns, "categories": learned.categories}
    return {**factor_state(factor), **layout}


def factor_state(factor: Any) -> dict[str, Any]:
    """What a factor has learned, in plain objects."""
    scope = factor.state["eval_env"].namespace
    return {
        "columns": factor.columns,
        "looked_after": factor.looked_after,
        "numbers": factor.numbers,
        "integers": factor.integers,
        "scope": {name: _kept(scope[name]) for name in _scope_names(factor)},
        "transforms": {
            name: (type(t), dict(t.__dict__))
            for name, t in factor.state["transforms"].items()
            if not name.startswith(CALLED)
        },
    }


def _scope_names(factor: Any) -> list[str]:
    """Names the expression takes from the caller's scope: not columns, not patsy's own functions."""
    scope = factor.state["eval_env"].namespace
    names = []
    for name in dict.fromkeys(patsy.eval.ast_names(factor.term_factor.code)):
        if (name in factor.columns and name not in names_called(factor.term_factor.code)) or name not in scope:
            continue
        if scope[name] is not getattr(patsy_builtins, name, TRANSFORMS.get(name)):
            names.append(name)
    return names


def _kept(value: Any) -> tuple[str, Any]:
    return ("module", value.__name__) if isinstance(value, ModuleType) else ("value", value)


def _subterm_state(subterm: Any) -> dict[str, Any]:
    return {
        "factors": [f.code for f in subterm.factors],
        "contrasts": {f.code: (m.matrix, m.column_suffixes) for f, m in subterm.contrast_matrices.items()},
        "num_columns": subterm.num_columns,
    }


def restore_formula(formula: CompiledFormula, state: dict[str, Any]) -> None:
    """Build patsy's objects anew inside `formula`, a bare instance."""
    factors = {name: restored_factor(name, kept) for name, kept in state["factors"].items()}
    infos = {
        factors[name].term_factor: patsy.FactorInfo(
            factors[name].term_factor, kept["type"], factors[name].state, kept["num_columns"], kept["categories"]
        )
        for name, kept in state["factors"].items()
    }
    codings = OrderedDict(
        (patsy.Term([factors[code].term_factor for code in term]), [_restored_subterm(s, factors) for s in subterms])
        for term, subterms in state["codings"]
    )
    object.__setattr__(formula, "text", state["text"])
    object.__setattr__(formula, "info", patsy.DesignInfo(state["column_names"], infos, codings))
    object.__setattr__(formula, "factors", factors)
    object.__setattr__(formula, "left", {name: restored_factor(name, kept) for name, kept in state["left"].items()})


def restored_factor(code: str, kept: dict[str, Any]) -> Any:
    """The factor of an expression that has learned what was kept."""
    from logit_stats.design.factor import prepared

    scope = {
        name: importlib.import_module(value) if kind == "module" else value
        for name, (kind, value) in kept["scope"].items()
    }
    term_factor = patsy.EvalFactor(code)
    memory: dict[str, Any] = {}
    term_factor.memorize_passes_needed(memory, patsy.EvalEnvironment([scope, TRANSFORMS]))
    factor = prepared(term_factor, memory, kept["columns"])
    for name, (kind, learned) in kept["transforms"].items():
        transform = kind.__new__(kind)
        transform.__dict__.update(learned)
        memory["transforms"][name] = transform
    return replace(factor, looked_after=kept["looked_after"], numbers=kept["numbers"], integers=kept["integers"])


def _restored_subterm(kept: dict[str, Any], factors: dict[str, Any]) -> Any:
    return patsy.SubtermInfo(
        [factors[code].term_factor for code in kept["factors"]],
        {
            factors[code].term_factor: patsy.ContrastMatrix(*kept_matrix)
            for code, kept_matrix in kept["contrasts"].items()
        },
        kept["num_columns"],
    )
