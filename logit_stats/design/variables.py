"""The variables of a formula's right-hand side: what kind each is, its levels, and what its expressions can tell apart.

A variable is what the user's table calls a column; it may stand in several terms and inside expressions. Its kind and
levels are those of the column, not of the expressions: ``C(age > 50)`` makes no factor of age. What an expression that
jumps can tell apart are the *states* of the variable: `age > 50` has two, `s.str.lower()` as many as there are spellings.
Two values of a variable are in one state when every jumping expression gives the same for both.
"""

from __future__ import annotations

import ast
from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from patsy.util import SortAnythingKey

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.factor_values import CategoricalValues, FactorValues, align_levels
from logit_stats.design.formula import Factor
from logit_stats.design.smoothness import derivative, jumps
from logit_stats.design.table import Table
from logit_stats.errors import MissingColumnError, NotAvailableError, listed

# Rows at which an expression is looked at to see whether it is smooth, and those at which other variables stand meanwhile.
LOOKED_AT = 256
OTHER_ROWS = 64
FEW_ROWS = 8
FEW_STATES = 12
MOST_STATES = 200


@dataclass(frozen=True, eq=False)
class Variable:
    """A variable of the formula's right-hand side.

    Attributes
    ----------
    name : str
        Its column in the user's table.
    kind : {"factor", "number"}
        A factor changes from state to state; a number is differentiated where its expressions are smooth.
    levels : tuple
        A value for each state, the first is the reference; of a number with two values, these two.
    linear : bool
        Whether every expression is the number itself.
    low, high : float
        Range of a number in the rows used.
    labels : tuple of str
        What the states are called.
    steps : tuple of str
        Expressions (by name) that jump from state to state and are flat between.
    slopes : tuple of str
        Expressions that have a derivative.
    jumps : dict of str to tuple of float
        Of expressions that have both: where they jump.
    numeric_step : str or None
        The only expression of the variable, where it is a step with many numbers as states, such as ``x // 10``.
    tangled : tuple of str
        Steps whose states cannot be told, because they depend on other variables in too many ways.
    """

    name: str
    kind: Literal["factor", "number"]
    levels: tuple[Any, ...]
    linear: bool
    low: float = float("nan")
    high: float = float("nan")
    labels: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    slopes: tuple[str, ...] = ()
    jumps: dict[str, tuple[float, ...]] | None = None
    numeric_step: str | None = None
    tangled: tuple[str, ...] = ()

    @property
    def two_valued(self) -> bool:
        """Whether it is a number with two values."""
        return self.kind == "number" and len(self.levels) == 2 and not self.steps

    @property
    def own_levels(self) -> bool:
        """Whether the states are called by the variable's own values."""
        return self.labels == tuple(str(level) for level in self.levels)


def variables(design: Design) -> dict[str, Variable]:
    """Variables of the formula's right-hand side, in its order.

    Raises
    ------
    NotAvailableError
        For array fits, which have columns and no variables.
    """
    if design.formula is None or design.table is None:
        raise NotAvailableError(
            "Effects of variables need a formula, which says which columns belong to a variable; for an array fit use "
            "get_margeff(), one effect for each column."
        )
    design.require_rows()
    return {name: variable_of(design, name) for name in design.formula.columns}


def names_given(given: Any, known: Container[Any]) -> list[Any]:
    """One name, or several of them, as a list; a name may be a number or a tuple, as the columns of tables may be."""
    if isinstance(given, (str, int)):
        return [given]
    if isinstance(given, tuple) and given in known:
        return [given]
    return list(given)


def find_variable(design: Design, name: str) -> Variable:
    """One variable; an error that lists them where it is not there."""
    if design.formula is not None and design.table is not None and name in design.formula.columns:
        return variable_of(design, name)
    found = variables(design)
    raise MissingColumnError(f"{name!r} is no variable of the model; its variables are {listed(list(found), 10)}.")


def find_column(design: Design, name: str | int) -> int:
    """Position of a design column given by its name or position; an error that lists the names where it is not there."""
    if isinstance(name, str) and name in design.names:
        return design.names.index(name)
    if not isinstance(name, (str, bool)) and -design.columns <= name < design.columns:
        return range(design.columns)[name]
    raise MissingColumnError(f"{name!r} is no column of the model; its columns are {listed(design.names, 10)}.")


def used_column(design: Design, name: str) -> pd.Series:
    """A column of the user's table in the rows used."""
    assert design.table is not None
    return design.table.column(name, "the fit's data")[design.sample.used]


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers, not booleans, texts or categories."""
    dtype = column.dtype
    return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)


def as_numbers(column: pd.Series) -> FloatArray:
    """Values of a column of numbers."""
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def is_itself(factor: Factor, name: str) -> bool:
    """Whether an expression is the variable and nothing else."""
    return factor.name in (name, f"Q({name!r})", f'Q("{name}")')


def has_own_levels(factor: Factor, name: str) -> bool:
    """Whether an expression is the variable, or ``C()`` of it: its levels are the variable's own."""
    if is_itself(factor, name):
        return True
    tree = ast.parse(factor.name, mode="eval").body
    if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "C" and tree.args):
        return False
    return ast.unparse(tree.args[0]) in (name, f"Q({name!r})")


# One variable.


def variable_of(design: Design, name: str) -> Variable:
    """Kind, levels and states of one variable."""
    assert design.formula is not None
    column = used_column(design, name)
    reading = [f for f in design.formula.factors.values() if name in f.columns]
    own = [f for f in reading if _categorical(design, f) and has_own_levels(f, name)]
    number = is_number(column)
    if own and (number or len(own) == len(reading)):
        return _with_own_levels(design, name, column, own[0], reading)
    if not number:
        return _of_states(design, Variable(name, "factor", (), False), column, [f.name for f in reading])
    return _number(design, name, column, reading)


def _categorical(design: Design, factor: Factor) -> bool:
    assert design.formula is not None
    return bool(design.formula.info.factor_infos[factor.term_factor].type == "categorical")


def _with_own_levels(design: Design, name: str, column: pd.Series, factor: Factor, reading: list[Factor]) -> Variable:
    assert design.formula is not None
    occurring = set(pd.unique(column))
    categories = design.formula.info.factor_infos[factor.term_factor].categories
    levels = [level for level in categories if level in occurring]
    reference = _reference(design, factor)
    levels.sort(key=lambda level: level != reference)
    shown = tuple(levels)
    # every expression moves with the level, so none is held
    return Variable(name, "factor", shown, False, labels=tuple(map(str, shown)), steps=tuple(f.name for f in reading))


def _reference(design: Design, factor: Factor) -> Any:
    """The level whose contrast is zero, where one asks for it; else the first."""
    assert design.formula is not None
    info = design.formula.info
    categories = info.factor_infos[factor.term_factor].categories
    for subterms in info.term_codings.values():
        for subterm in subterms:
            contrast = subterm.contrast_matrices.get(factor.term_factor)
            if contrast is not None and contrast.matrix.shape[1] == len(categories) - 1:
                zero = np.flatnonzero(~np.asarray(contrast.matrix).any(axis=1))
                return categories[zero[0]] if len(zero) == 1 else categories[0]
    return categories[0]


def _number(design: Design, name: str, column: pd.Series, reading: list[Factor]) -> Variable:
    values = as_numbers(column)
    low, high = float(values.min()), float(values.max())
    if all(is_itself(f, name) for f in reading):
        ends = two_values(values, low, high)
        labels = tuple(map(str, ends))
        return Variable(name, "number", ends, True, low, high, labels, slopes=tuple(f.name for f in reading))
    steps, slopes, jumping = [], [], {}
    for factor in reading:
        if is_itself(factor, name):
            slopes.append(factor.name)
        elif _categorical(design, factor):
            steps.append(factor.name)
        else:
            sloping, places = _looked_at(design, factor, name, values, low, high)
            (slopes if sloping or not places else steps).append(factor.name)
            if sloping and places:
                jumping[factor.name] = tuple(places)
    found = Variable(name, "number", (), False, low, high, slopes=tuple(slopes), jumps=jumping)
    if not steps:
        ends = two_values(values, low, high)
        return replace(found, levels=ends, labels=tuple(map(str, ends)))
    return _of_states(design, replace(found, kind="number" if slopes else "factor"), column, steps)


def two_values(values: FloatArray, low: float, high: float) -> tuple[Any, ...]:
    """The two values of a number that has two, whole ones as integers; else nothing."""
    if not (low < high and bool(((values == low) | (values == high)).all())):
        return ()
    return tuple(int(v) if v == int(v) else v for v in (low, high))


def _looked_at(
    design: Design, factor: Factor, name: str, values: FloatArray, low: float, high: float
) -> tuple[bool, list[float]]:
    """Whether an expression has a slope somewhere, and where it jumps, as seen in some of the rows."""
    order = np.argsort(values, kind="stable")
    some = order[np.unique(np.linspace(0, len(order) - 1, LOOKED_AT).astype(np.intp))]
    function = number_function(design, factor, name)

    def at(places: FloatArray, rows: NDArray[np.intp]) -> FloatArray:
        return np.asarray(function(places, some[rows]))

    slope = derivative(at, values[some], low, high).values
    others = _other_rows(design, factor, name)[:FEW_ROWS]
    return bool(np.any(slope != 0.0)), jumps(function, values, others)


def number_function(design: Design, factor: Factor, name: str) -> Any:
    """``f(places, rows)``: a factor's numbers with the variable at these places and the others as in these rows."""
    others = {other: used_column(design, other) for other in factor.columns if other != name}

    def function(places: FloatArray, rows: NDArray[np.intp]) -> FloatArray:
        columns = {other: column.iloc[rows].reset_index(drop=True) for other, column in others.items()}
        columns[name] = pd.Series(places)
        return numbers_of(factor, columns)

    return function


def numbers_of(factor: Factor, columns: dict[str, pd.Series]) -> FloatArray:
    """A factor's numbers (n, c)."""
    with np.errstate(all="ignore"):
        value = factor.evaluate(Table(columns))
    assert not isinstance(value, CategoricalValues)
    return np.asarray(value.values, dtype=np.float64)


# States.


def _of_states(design: Design, variable: Variable, column: pd.Series, steps: list[str]) -> Variable:
    """The variable with the states that the steps tell apart."""
    values = _distinct(column)
    found = [_seen_by(design, name, variable.name, values) for name in steps]
    signature = np.hstack([seen for seen, _ in found])
    _, first, group = np.unique(signature, axis=0, return_index=True, return_inverse=True)
    group = group.ravel()
    alone = steps[0] if len(steps) == 1 and variable.kind == "factor" else None
    if alone and variable.kind == "factor" and is_number(column) and len(first) > 2 and found[0][1] is None:
        return replace(variable, kind="number", numeric_step=alone, steps=(alone,))
    if _tangled(found, len(first)) or (len(first) > MOST_STATES and is_number(column)):
        return replace(variable, kind="number" if is_number(column) else "factor", tangled=tuple(steps))
    ordered = _ordered(column, values, group, found, signature)
    levels = [_plain(values[np.flatnonzero(group == g)[(group == g).sum() // 2]]) for g in ordered]
    labels = _labels(values, group, ordered, found, signature, is_number(column))
    return replace(variable, levels=tuple(levels), labels=labels, steps=tuple(steps))


def _tangled(found: list[tuple[FloatArray, Any]], states: int) -> bool:
    """Whether more rows of the other variables tell more states apart, without end in sight."""
    return states > FEW_STATES and any(
        seen.shape[1] > FEW_STATES and len(np.unique(seen[:, : seen.shape[1] // 4], axis=0)) < states
        for seen, _ in found
    )


def _distinct(column: pd.Series) -> list[Any]:
    """Distinct values that occur: categories in their order, others sorted."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        occurring = set(column.unique())
        return [level for level in column.cat.categories if level in occurring]
    return sorted(pd.unique(column.dropna()), key=SortAnythingKey)


def _seen_by(design: Design, step: str, name: str, values: list[Any]) -> tuple[FloatArray, tuple[Any, ...] | None]:
    """What a step gives for each value (v, m), with other variables as in some rows; and its levels, if it has levels."""
    assert design.formula is not None
    factor = design.formula.factors[step]
    seen: list[FloatArray] = []
    source = used_column(design, name)
    levels: tuple[Any, ...] | None = None
    for row in _other_rows(design, factor, name):
        columns = {o: _repeated(used_column(design, o), int(row), len(values)) for o in factor.columns if o != name}
        columns[name] = column_of(values, source)
        value = coded_values(design, factor, columns)
        seen.append(codes_or_numbers(value))
        levels = value.levels if isinstance(value, CategoricalValues) else None
    return np.hstack(seen), levels


def codes_or_numbers(value: FactorValues) -> FloatArray:
    """What a factor tells of each row (n, c): codes of its levels, or its numbers."""
    told = value.codes[:, None] if isinstance(value, CategoricalValues) else value.values
    return np.asarray(told, dtype=np.float64)


def coded_values(design: Design, factor: Factor, columns: dict[str, pd.Series]) -> FactorValues:
    """Values of a factor on columns, levels coded as at the fit."""
    assert design.formula is not None
    table = Table(columns)
    value = factor.evaluate_new(table, f"rows for {design.formula.text!r}")
    info = design.formula.info.factor_infos[factor.term_factor]
    return align_levels(factor.name, value, info.categories, table.index) if info.type == "categorical" else value


def column_of(values: list[Any], like: pd.Series) -> pd.Series:
    """Values as a column of the type of another."""
    if isinstance(like.dtype, pd.CategoricalDtype):
        return pd.Series(pd.Categorical(values, dtype=like.dtype), name=like.name)
    if is_number(like):
        return pd.Series(np.asarray(values, dtype=np.float64), name=like.name)
    return pd.Series(values, dtype=like.dtype, name=like.name)


def _repeated(column: pd.Series, row: int, times: int) -> pd.Series:
    return column.iloc[np.full(times, row)].reset_index(drop=True)


def _other_rows(design: Design, factor: Factor, name: str) -> NDArray[np.intp]:
    """Rows at which the other variables of a factor stand while one moves: all their combinations, or some of many."""
    others = [other for other in factor.columns if other != name]
    if not others:
        return np.zeros(1, dtype=np.intp)
    frame = pd.DataFrame({other: used_column(design, other).reset_index(drop=True) for other in others})
    rows = np.asarray(frame.drop_duplicates().index, dtype=np.intp)
    return rows[np.unique(np.linspace(0, len(rows) - 1, OTHER_ROWS).astype(np.intp))]


def _ordered(
    column: pd.Series, values: list[Any], group: NDArray[np.intp], found: list[Any], signature: FloatArray
) -> list[int]:
    """Groups in order: of the variable's own values where each is a state, else of the step's levels or numbers."""
    groups = list(dict.fromkeys(group.tolist()))
    if len(groups) == len(values) or len(found) > 1 or signature.shape[1] > 1:
        return groups
    return sorted(groups, key=lambda g: float(signature[np.flatnonzero(group == g)[0], 0]))


def _labels(
    values: list[Any],
    group: NDArray[np.intp],
    ordered: list[int],
    found: list[Any],
    signature: FloatArray,
    number: bool,
) -> tuple[str, ...]:
    members = [[_plain(values[i]) for i in np.flatnonzero(group == g)] for g in ordered]
    if all(len(m) == 1 for m in members):
        return tuple(str(m[0]) for m in members)
    if len(found) == 1 and signature.shape[1] == 1:
        firsts = [signature[np.flatnonzero(group == g)[0], 0] for g in ordered]
        levels = found[0][1]
        return tuple(f"{v:g}" if levels is None else str(levels[int(v)]) for v in firsts)
    if number:
        return tuple(f"{m[0]:g} to {m[-1]:g}" if len(m) > 1 else f"{m[0]:g}" for m in members)
    return tuple("/".join(map(str, m)) for m in members)


def _plain(value: Any) -> Any:
    """A value as Python has it; whole numbers as integers."""
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value
