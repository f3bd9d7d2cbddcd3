"""Why columns of a formula depend on others, and what to write instead: empty levels, empty cells, splines with a constant."""

from __future__ import annotations

import ast
import itertools
from typing import Any

import numpy as np

from logit_stats.design.design import Design
from logit_stats.design.expression import is_bare
from logit_stats.design.factor import Factor
from logit_stats.design.factor_values import CategoricalValues, FactorValues
from logit_stats.errors import listed

# Splines whose columns add up to one, so that a constant stands in them already.
WITH_CONSTANT = ("cr", "cc", "te")


def remedies(design: Design, columns: list[int]) -> list[str]:
    """Sentences about dependent columns of a formula's design; none where nothing more is known than that they depend."""
    formula = design.formula
    if formula is None or design.table is None or set(design.names) - set(formula.names):
        return []
    values = formula.values_of(design.table.where(design.sample.used))
    found = []
    for term, subterms in formula.info.term_codings.items():
        where = formula.term_slices[term.name()]
        if subterms and any(where.start <= formula.names.index(design.names[j]) < where.stop for j in columns):
            factors = [formula.factors[factor.name()] for factor in term.factors]
            found += _of_term(factors, values)
    return list(dict.fromkeys(found))


def _of_term(factors: list[Factor], values: dict[str, FactorValues]) -> list[str]:
    of_splines = [said for factor in factors if (said := _spline(factor)) is not None]
    levels = {f.name: (f, v) for f in factors if isinstance(v := values[f.name], CategoricalValues)}
    of_levels = [said for factor, value in levels.values() if (said := _empty_levels(factor, value)) is not None]
    of_cells = _empty_cells({name: value for name, (_, value) in levels.items()}) if not of_levels else None
    return [*of_splines, *of_levels, *([of_cells] if of_cells else [])]


def _spline(factor: Factor) -> str | None:
    """A spline that has a constant of its own beside that of the formula."""
    call = ast.parse(factor.term_factor.code, mode="eval").body
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    options = {keyword.arg: keyword.value for keyword in call.keywords}
    if call.func.id in WITH_CONSTANT and "constraints" not in options:
        centred = f"{ast.unparse(call)[:-1]}, constraints='center')"
        return f"{factor.name} has a constant of its own; beside the formula's write {centred}, or end the formula in '- 1'."
    included = options.get("include_intercept")
    if call.func.id == "bs" and isinstance(included, ast.Constant) and included.value:
        return f"{factor.name} has a constant of its own; leave include_intercept out, or end the formula in '- 1'."
    return None


def _empty_levels(factor: Factor, value: CategoricalValues) -> str | None:
    """Levels without rows, and how they are taken out."""
    counts = np.bincount(value.codes, minlength=len(value.levels))
    empty = [_plain(level) for level, count in zip(value.levels, counts, strict=True) if not count]
    if not empty:
        return None
    code = factor.term_factor.code
    if value.levels == (False, True):
        return f"{factor.name} is {not empty[0]} in every row used: leave it out."
    said = f"No row used has {factor.name} = {listed([repr(level) for level in empty], 3)}"
    if "levels=" in code.replace(" ", ""):
        return f"{said}: leave {'it' if len(empty) == 1 else 'them'} out of levels=."
    if not is_bare(code) or not factor.columns:
        return f"{said}."
    column = factor.columns[0]
    return f"{said}; df[{column!r}] = df[{column!r}].cat.remove_unused_categories(), after the rows are chosen, takes such out."


def _empty_cells(values: dict[str, CategoricalValues]) -> str | None:
    """Combinations of levels without rows."""
    if len(values) < 2:
        return None
    shape = tuple(len(value.levels) for value in values.values())
    cell = np.ravel_multi_index(tuple(value.codes for value in values.values()), shape)
    seen = np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape) > 0
    empty = [cell for cell in itertools.product(*map(range, shape)) if not seen[cell]]
    if not empty:
        return None
    texts = [
        " and ".join(
            f"{name} = {_plain(value.levels[i])!r}" for i, (name, value) in zip(cell, values.items(), strict=True)
        )
        for cell in empty
    ]
    return f"No row used has {listed(texts, 3)}: the data say nothing of {'this cell' if len(texts) == 1 else 'these cells'}."


def _plain(level: Any) -> Any:
    return level.item() if isinstance(level, np.generic) else level
