"""The rows of a fit with some variables set to other values: design columns as the formula would have made them.

Variables are set and the compiled formula runs on them: all terms in which a variable occurs follow, whatever expression
it stands in. Rows are walked in parts, so that memory does not grow with n.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.expression import columns_read
from logit_stats.design.factor import Factor
from logit_stats.design.factor_values import CategoricalValues, FactorValues, NumericValues
from logit_stats.design.formula import CompiledFormula
from logit_stats.design.smoothness import derivative
from logit_stats.design.variables import (
    Variable,
    as_numbers,
    coded_values,
    column_of,
    find_column,
    find_variable,
    is_itself,
    is_number,
    numbers_of,
    used_column,
    variables,
)
from logit_stats.errors import DataError, UnseenLevelError, listed

__all__ = ["Part", "Variable", "find_column", "find_variable", "parts", "used_column", "variables"]

PART_ROWS = 1 << 15
# Name of a column that no user has: it tells a table how many rows there are.
_ROWS = " rows"


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the rows of a fit as the formula sees them.

    Attributes
    ----------
    design : Design
    rows : slice
        Which of the rows used.
    columns : dict of str to Series
        The formula's variables in these rows, as observed.
    set : dict
        Variables that are set to one value in all rows, by name.
    held : dict of str to FactorValues
        Expressions that keep these values although a variable of theirs is set.
    observed : dict of str to FactorValues
        Values of the expressions as observed, filled when they are asked for.
    """

    design: Design
    rows: slice
    columns: dict[str, pd.Series]
    set: dict[str, Any] = field(default_factory=dict)
    held: dict[str, FactorValues] = field(default_factory=dict)
    observed: dict[str, FactorValues] = field(default_factory=dict, repr=False)

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.rows.stop - self.rows.start)

    @property
    def formula(self) -> CompiledFormula:
        """The formula of the fit."""
        assert self.design.formula is not None
        return self.design.formula

    def with_values(self, values: Mapping[str, Any], only: tuple[str, ...] | None = None) -> Part:
        """Return the same rows with variables set to a value each.

        With `only`, the expressions of these names follow and the others stay as they are.
        """
        if not values:
            return self
        held = {name: value for name, value in self.held.items() if only is not None}
        if only is not None:
            reading = [f for f in self.formula.factors.values() if not values.keys().isdisjoint(f.columns)]
            held |= {f.name: self.value(f) for f in reading if f.name not in only}
        return replace(self, set={**self.set, **values}, held=held)

    def value(self, factor: Factor) -> FactorValues:
        """Values of an expression in these rows."""
        if factor.name in self.held:
            return self.held[factor.name]
        names = set(factor.columns)
        if names.isdisjoint(self.set):
            if factor.name not in self.observed:
                self.observed[factor.name] = self._as_observed(factor)
            return self.observed[factor.name]
        if reads_scope(factor):
            return _at_rows(whole_value(self.design, factor, self.set), self.rows)
        alone = names <= self.set.keys()
        columns = {name: self._column(name, 1 if alone else self.size) for name in names}
        value = coded_values(self.design, factor, columns)
        if value.missing is not None and value.missing.any():
            raise DataError(
                f"The values asked for give missing values in {factor.name!r}; ask for values inside the range of the data."
            )
        return _repeated(value, self.size) if alone else value

    def _as_observed(self, factor: Factor) -> FactorValues:
        if reads_scope(factor):
            return _at_rows(whole_value(self.design, factor, {}), self.rows)
        return coded_values(self.design, factor, {name: self.columns[name] for name in factor.columns})

    def _column(self, name: str, rows: int) -> pd.Series:
        if name not in self.set:
            return self.columns[name].reset_index(drop=True)
        return _one(self.columns[name], self.set[name]).iloc[np.zeros(rows, dtype=np.intp)].reset_index(drop=True)

    def numbers(self, name: str) -> FloatArray:
        """Values of a number in these rows."""
        return np.full(self.size, float(self.set[name])) if name in self.set else as_numbers(self.columns[name])

    def _filled(self, replaced: Mapping[str, FactorValues], columns: list[int]) -> FloatArray:
        """Some of the formula's columns, with other values for some expressions: (rows, len(columns))."""
        formula = self.formula
        names = {f.name() for s in subterms_of(formula, columns) for f in s.factors}
        values = {name: replaced.get(name) or self.value(formula.factors[name]) for name in names}
        return formula.fill_columns(values, self.size, columns)

    def full(self) -> FloatArray:
        """All columns of the formula in these rows, those that the fit left out too."""
        return self._filled({}, list(range(len(self.formula.names))))

    def X(self) -> FloatArray:
        """Design columns of these rows."""
        X = np.asarray(self.design.X[self.rows])
        changed = [f for f in self.formula.factors.values() if not self.set.keys().isdisjoint(f.columns)]
        columns, places = kept_places(self.design, [j for f in changed for j in columns_with(self.formula, f)])
        if not columns:
            return X
        X = np.array(X, order="F")
        X[:, places] = self._filled({}, columns)
        return X

    def derivative(self, variable: Variable) -> tuple[list[int], FloatArray]:
        """Derivative of the formula's columns by a number, steps held.

        Returns
        -------
        columns : list of int
            Positions among the formula's columns; the others do not move.
        derivative : (rows, len(columns))
        """
        sloping = variable.slopes if variable.numeric_step is None else (variable.numeric_step,)
        factors = [self.formula.factors[name] for name in sloping]
        columns = sorted({j for f in factors for j in columns_with(self.formula, f)})
        total = np.zeros((self.size, len(columns)), order="F")
        for factor in factors:
            own = columns_with(self.formula, factor)
            moved = {factor.name: NumericValues(self._slope(factor, variable))}
            total[:, [columns.index(j) for j in own]] += self._filled(moved, own)
        return columns, total

    def _slope(self, factor: Factor, variable: Variable) -> FloatArray:
        """Derivative (rows, c) of an expression by a number; by its own value where it is the variable's only step."""
        if is_itself(factor, variable.name) or factor.name == variable.numeric_step:
            return np.ones((self.size, 1))
        x = self.numbers(variable.name)
        others = [name for name in factor.columns if name != variable.name]
        if not others:
            # an expression of the variable alone has one slope at each of its values
            places, where = np.unique(x, return_inverse=True)
            alone = derivative(
                lambda at, _: numbers_of(factor, {variable.name: pd.Series(at)}), places, variable.low, variable.high
            )
            return np.asarray(alone.values[where.ravel()])
        beside = {name: self._column(name, self.size) for name in others}

        def function(places: FloatArray, rows: NDArray[np.intp]) -> FloatArray:
            columns = {name: column.iloc[rows].reset_index(drop=True) for name, column in beside.items()}
            return numbers_of(factor, {**columns, variable.name: pd.Series(places)})

        return np.asarray(derivative(function, x, variable.low, variable.high).values)


def reads_scope(factor: Factor) -> bool:
    """Whether an expression reads rows of the caller's scope: a Series or an array that is no column."""
    if not factor.columns:
        return True
    namespace = factor.state["eval_env"].namespace
    names = [n for n in columns_read(factor.term_factor.code, None) if n not in factor.columns and n in namespace]
    return any(isinstance(namespace[n], (pd.Series, np.ndarray, list, pd.Categorical)) for n in names)


def whole_value(design: Design, factor: Factor, values: Mapping[str, Any]) -> FactorValues:
    """Values of an expression in the rows used, evaluated on all rows read, as at the fit."""
    assert design.table is not None
    table, n = design.table, design.table.rows
    columns: dict[str, pd.Series] = {_ROWS: pd.Series(np.zeros(n), index=table.index)}
    for name in factor.columns:
        source = table.column(name, "the fit's data")
        set_ = name in values
        column = _one(source, values[name]).iloc[np.zeros(n, dtype=np.intp)].set_axis(table.index) if set_ else source
        columns[name] = column
    return coded_values(design, factor, columns).where(design.sample.used)


def _at_rows(value: FactorValues, rows: slice) -> FactorValues:
    if isinstance(value, CategoricalValues):
        return CategoricalValues(value.codes[rows], value.levels, value.contrast, value.declared, value.ordered)
    return NumericValues(value.values[rows])


def kept_places(design: Design, columns: list[int]) -> tuple[list[int], list[int]]:
    """Those of the formula's columns that the fit kept, and their places in the design."""
    formula = design.formula
    assert formula is not None
    columns = sorted(set(columns))
    if design.names == formula.names:
        return columns, columns
    place = {name: j for j, name in enumerate(design.names)}
    kept = [j for j in columns if formula.names[j] in place]
    return kept, [place[formula.names[j]] for j in kept]


def subterms_of(formula: CompiledFormula, columns: list[int]) -> list[Any]:
    """Subterms that have some of these columns."""
    wanted, found, start = set(columns), [], 0
    for subterms in formula.info.term_codings.values():
        for subterm in subterms:
            if not wanted.isdisjoint(range(start, start + subterm.num_columns)):
                found.append(subterm)
            start += subterm.num_columns
    return found


def columns_with(formula: CompiledFormula, factor: Factor) -> list[int]:
    """Positions of the formula's columns in which a factor has a part."""
    found: list[int] = []
    start = 0
    for subterms in formula.info.term_codings.values():
        for subterm in subterms:
            if factor.term_factor in subterm.factors:
                found += range(start, start + subterm.num_columns)
            start += subterm.num_columns
    return found


def parts(design: Design, rows: int = PART_ROWS) -> Iterator[Part]:
    """All rows of a formula fit, in parts."""
    assert design.formula is not None
    columns = {name: _coded_once(design, name) for name in design.formula.columns}
    for start in range(0, design.rows, rows):
        some = slice(start, min(start + rows, design.rows))
        yield Part(design, some, {name: column.iloc[some] for name, column in columns.items()})


def _coded_once(design: Design, name: str) -> pd.Series:
    """A column of the rows used; text that is a factor and nothing else becomes codes here, not again in every part."""
    column = used_column(design, name)
    assert design.formula is not None
    reading = [factor for factor in design.formula.factors.values() if name in factor.columns]
    if [factor.name for factor in reading] != [name] or not isinstance(column.dtype, pd.StringDtype):
        return column.rename(name)
    levels = design.formula.info.factor_infos[reading[0].term_factor].categories
    codes, found = pd.factorize(column)
    position = {level: code for code, level in enumerate(levels)}
    recoded = np.array([position[level] for level in found], dtype=np.intp)[codes]
    coded = pd.Categorical.from_codes(recoded, categories=list(levels))  # type: ignore[call-overload]
    return pd.Series(coded, index=column.index, name=name)


def _one(column: pd.Series, value: Any) -> pd.Series:
    """A column of one row with the value, of the type of another column; numbers become floats."""
    if is_number(column):
        try:
            return pd.Series([float(value)], name=column.name)
        except (TypeError, ValueError):
            raise DataError(f"{column.name!r} is a number and cannot be {value!r}.") from None
    return column_of([value], column)


def check_level(design: Design, name: str, value: Any) -> None:
    """Refuse a level that a variable does not have.

    Raises
    ------
    UnseenLevelError
        If it occurs in no row of the fit and is no declared category.
    """
    column = used_column(design, name)
    if is_number(column):
        _one(column, value)
        return
    categorical = isinstance(column.dtype, pd.CategoricalDtype)
    known = list(column.cat.categories) if categorical else list(pd.unique(column.dropna()))
    if value not in known:
        raise UnseenLevelError(
            f"{name!r} has no level {value!r}; its levels are {listed([repr(level) for level in known], 8)}."
        )


def _repeated(value: FactorValues, rows: int) -> FactorValues:
    """Values of one row as values of many."""
    if isinstance(value, CategoricalValues):
        return CategoricalValues(
            np.repeat(value.codes, rows), value.levels, value.contrast, value.declared, value.ordered
        )
    return NumericValues(np.repeat(value.values, rows, axis=0))
