"""The rows of a fit with some variables set to other values: design columns as the formula would have made them.

A variable is what the user's table calls a column; it may stand in several terms. All terms in which it occurs follow
when it is set. Rows are walked in parts, so that memory does not grow with n.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import DataError, MissingColumnError, NotAvailableError, UnseenLevelError, listed

PART_ROWS = 1 << 15


@dataclass(frozen=True, eq=False)
class Variable:
    """A variable of the formula's right-hand side.

    Attributes
    ----------
    name : str
        Its column in the user's table.
    kind : {"factor", "number"}
        A factor has levels wherever it occurs; a number is differentiated.
    levels : tuple
        Levels of a factor, the first is the reference; of a number with two values, these two.
    linear : bool
        Whether every term is linear in the number.
    low, high : float
        Range of a number in the rows used.
    """

    name: str
    kind: Literal["factor", "number"]
    levels: tuple[Any, ...]
    linear: bool
    low: float = float("nan")
    high: float = float("nan")


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
    return {name: _variable(design, name) for name in design.formula.columns}


def find_variable(design: Design, name: str) -> Variable:
    """One variable; an error that lists them where it is not there."""
    found = variables(design)
    if name not in found:
        raise MissingColumnError(f"{name!r} is no variable of the model; its variables are {listed(list(found), 10)}.")
    return found[name]


def find_column(design: Design, name: str | int) -> int:
    """Position of a design column given by its name or position; an error that lists the names where it is not there."""
    if isinstance(name, str) and name in design.names:
        return design.names.index(name)
    if not isinstance(name, (str, bool)) and -design.columns <= name < design.columns:
        return range(design.columns)[name]
    raise MissingColumnError(f"{name!r} is no column of the model; its columns are {listed(design.names, 10)}.")


def _variable(design: Design, name: str) -> Variable:
    assert design.formula is not None
    info = design.formula.info
    reading = [f for f in design.formula.factors.values() if name in f.columns]
    coded = [info.factor_infos[f.term_factor] for f in reading]
    column = used_column(design, name)
    if all(c.type == "categorical" for c in coded):
        direct = [c for f, c in zip(reading, coded, strict=True) if f.columns == (name,)]
        levels = direct[0].categories if direct else tuple(pd.unique(column))
        occurring = set(pd.unique(column))
        return Variable(name, "factor", tuple(v for v in levels if v in occurring), False)
    values = np.asarray(column, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    two_valued = low < high and bool(((values == low) | (values == high)).all())
    ends = tuple(int(v) if v == int(v) else v for v in (low, high)) if two_valued else ()
    linear = all(f.name in (name, f"Q({name!r})", f'Q("{name}")') for f in reading)
    return Variable(name, "number", ends, linear, low, high)


def used_column(design: Design, name: str) -> pd.Series:
    """A column of the user's table in the rows used."""
    assert design.table is not None
    return design.table.column(name, "the fit's data")[design.sample.used]


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the rows of a fit as the formula sees them.

    Attributes
    ----------
    design : Design
    rows : slice
        Which of the rows used.
    columns : dict of str to Series
        The formula's variables in these rows.
    """

    design: Design
    rows: slice
    columns: dict[str, pd.Series]

    def with_values(self, values: Mapping[str, Any]) -> Part:
        """Return the same rows with variables set: to one value, or to an array of values."""
        columns = dict(self.columns)
        for name, value in values.items():
            columns[name] = _set(columns[name], value)
        return Part(self.design, self.rows, columns)

    def X(self) -> FloatArray:
        """Return the design columns of these rows."""
        formula = self.design.formula
        assert formula is not None
        X, complete, _ = formula.design_matrix(self.columns)
        if not complete.all():
            raise DataError(
                "The values asked for give missing values in the formula's terms; ask for values inside the data."
            )
        if self.design.names == formula.names:
            return X
        return X[:, [formula.names.index(name) for name in self.design.names]]


def parts(design: Design) -> Iterator[Part]:
    """All rows of a formula fit, in parts."""
    assert design.formula is not None
    columns = {name: _coded_once(design, name) for name in design.formula.columns}
    for start in range(0, design.rows, PART_ROWS):
        rows = slice(start, min(start + PART_ROWS, design.rows))
        yield Part(design, rows, {name: column.iloc[rows] for name, column in columns.items()})


def _coded_once(design: Design, name: str) -> pd.Series:
    """A column of the rows used; text that is a factor and nothing else becomes codes here, not again in every part."""
    column = used_column(design, name)
    assert design.formula is not None
    reading = [factor for factor in design.formula.factors.values() if name in factor.columns]
    if [factor.name for factor in reading] != [name] or not isinstance(column.dtype, pd.StringDtype):
        return column
    levels = design.formula.info.factor_infos[reading[0].term_factor].categories
    codes, found = pd.factorize(column)
    position = {level: code for code, level in enumerate(levels)}
    recoded = np.array([position[level] for level in found], dtype=np.intp)[codes]
    coded = pd.Categorical.from_codes(recoded, categories=list(levels))  # type: ignore[call-overload]
    return pd.Series(coded, index=column.index, name=name)


def _set(column: pd.Series, value: Any) -> pd.Series:
    if isinstance(value, np.ndarray):
        return pd.Series(value, index=column.index)
    if isinstance(column.dtype, pd.CategoricalDtype):
        if value not in column.cat.categories:
            raise UnseenLevelError(
                f"{column.name!r} has no level {value!r}; its levels are {listed([repr(c) for c in column.cat.categories], 8)}."
            )
        code = column.cat.categories.get_loc(value)
        codes = np.full(len(column), code, dtype=np.intp)
        return pd.Series(pd.Categorical.from_codes(codes, dtype=column.dtype), index=column.index)
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return pd.Series(np.full(len(column), float(value)), index=column.index)
    return pd.Series(np.full(len(column), value), index=column.index)
