"""The design of an ordered response: the order of its categories, a constant for the thresholds, whose slopes are shared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import patsy

from logit_stats.design.categories import category_response
from logit_stats.design.design import Design
from logit_stats.design.factor_values import CategoricalValues, FactorValues
from logit_stats.design.parameters import Parametrized
from logit_stats.design.response import Response
from logit_stats.errors import DataError, FormulaError, ResponseError, listed

ADDED_CONSTANT = "const"


def ordered_response(name: str, values: FactorValues, index: pd.Index, levels: Sequence[Any] | None = None) -> Response:
    """Categories in their order: that of numbers, of an ordered categorical, or of `levels`.

    Raises
    ------
    ResponseError
        If text comes without an order, `levels` leave a category out, or there are only two.
    OneClassError
        If there is a single category.
    """
    if levels is not None:
        values = _in_order_of(name, values, levels)
    elif isinstance(values, CategoricalValues) and not values.ordered:
        _refuse_unordered(name, values)
    response = category_response(name, values, index)
    assert response.categories is not None
    labels = response.categories.labels
    if len(labels) == 2:
        raise ResponseError(
            f"The response {name!r} has two categories in the rows used ({labels[0]!r} and {labels[1]!r}): an ordered logit of "
            f"these is a logit. Use logit() or Logit."
        )
    return response


def _refuse_unordered(name: str, values: CategoricalValues) -> None:
    """Refuse text whose order nobody stated; levels that are declared in another order than the alphabet's have one."""
    levels = values.levels
    if all(isinstance(level, (int, float, np.integer, np.floating)) for level in levels):
        return
    if values.declared and list(levels) != sorted(levels, key=str):
        return
    shown = listed([repr(level) for level in levels], 6)
    raise ResponseError(
        f"The response {name!r} holds text ({shown}), and nothing says in which order: the alphabet's is rarely meant. Give "
        f"levels=[...] from the lowest to the highest, or make the column pd.Categorical(..., categories=[...], ordered=True)."
    )


def _in_order_of(name: str, values: FactorValues, levels: Sequence[Any]) -> CategoricalValues:
    """Values as codes into the stated levels."""
    stated = _stated(name, levels)
    if isinstance(values, CategoricalValues):
        own, codes = [_same(level) for level in values.levels], values.codes
    else:
        found, codes = np.unique(np.asarray(values.values[:, 0]), return_inverse=True)
        own, codes = [_same(level) for level in found.tolist()], codes.reshape(-1)
    place = {_same(level): i for i, level in enumerate(stated)}
    occurring = np.flatnonzero(np.bincount(codes, minlength=len(own)))
    missing = [own[i] for i in occurring if own[i] not in place]
    if missing:
        raise ResponseError(
            f"levels= leaves out {listed([repr(level) for level in missing], 6)}, which the response {name!r} has. Name every "
            f"category from the lowest to the highest, or leave these rows out (subset=)."
        )
    to = np.array([place.get(level, -1) for level in own], dtype=np.intp)
    return CategoricalValues(to[codes], tuple(stated), ordered=True)


def _stated(name: str, levels: Sequence[Any]) -> list[Any]:
    if isinstance(levels, str) or not isinstance(levels, Iterable):
        raise ResponseError(
            f"levels={levels!r} must be a list: the categories of {name!r} from the lowest to the highest."
        )
    stated = list(levels)
    same = [_same(level) for level in stated]
    repeated = [stated[i] for i, level in enumerate(same) if level in same[:i]]
    if repeated:
        raise ResponseError(f"levels= names {repeated[0]!r} more than once.")
    return stated


def _same(level: Any) -> Any:
    """A level as it is compared: 2.0 is the category 2."""
    level = level.item() if isinstance(level, np.generic) else level
    return int(level) if isinstance(level, float) and level.is_integer() else level


def ordered_design(design: Design, likelihood: Parametrized) -> Design:
    """Design under an ordered likelihood, with a constant column, which the thresholds stand on."""
    if design.response.categories is None:
        raise ResponseError(
            f"The response {design.response.name!r} is two columns of counts; an ordered logit takes one column of categories "
            f"(with freq_weights= where a row stands for several)."
        )
    if design.constant is None:
        X = np.column_stack([np.ones(design.rows), np.asarray(design.X)])
        design = replace(design, X=X, names=(ADDED_CONSTANT, *design.names), constant=0)
    if design.columns < 2:
        raise DataError(
            "The model has thresholds and no column beside them: there is nothing to explain the response by."
        )
    return replace(design, likelihood=likelihood)


def columns_with_own_slopes(design: Design, nonparallel: Any) -> frozenset[str]:
    """Names of the columns that `nonparallel` means: of terms or columns by name, or of all of them.

    Parameters
    ----------
    design : Design
    nonparallel : None, bool, str or list of str
        ``"x + C(g)"`` in the grammar of formulas, or names of columns.

    Raises
    ------
    FormulaError
        If a term is none of the model's.
    """
    slopes = [name for j, name in enumerate(design.names) if j != design.constant]
    if nonparallel is None or nonparallel is False:
        return frozenset()
    if nonparallel is True:
        return frozenset(slopes)
    if not isinstance(nonparallel, (str, list, tuple)):
        raise FormulaError(
            f"nonparallel={nonparallel!r} must be True, a text such as 'x + C(g)', or a list of columns."
        )
    wanted = _terms(nonparallel) if isinstance(nonparallel, str) else [str(name) for name in nonparallel]
    found: set[str] = set()
    for name in wanted:
        found |= set(_columns_of(design, name, slopes))
    return frozenset(found)


def _terms(text: str) -> list[str]:
    try:
        terms = patsy.ModelDesc.from_formula(f"~ 0 + {text.removeprefix('~')}").rhs_termlist
    except patsy.PatsyError as error:
        raise FormulaError(f"nonparallel={text!r} cannot be read: {error.message}.") from None
    return [term.name() for term in terms if term.factors]


def _columns_of(design: Design, name: str, slopes: list[str]) -> list[str]:
    slices = {} if design.formula is None else design.formula.term_slices
    if name in slices:
        of_term = design.formula.names[slices[name]]  # type: ignore[union-attr]
        return [column for column in of_term if column in slopes]
    if name in slopes:
        return [name]
    known = [term for term in slices if term != "Intercept"] or slopes
    raise FormulaError(f"nonparallel= names {name!r}, which is no term of the model; it has {listed(known, 8)}.")
