"""`Factor`: one expression of a formula between its text and its values, with what it learned from the rows of the fit."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import patsy
import patsy.eval
from patsy.splines import BS

from logit_stats.design.expression import (
    CALLED,
    HELPER,
    columns_looked_after,
    columns_read,
    is_bare,
    looked_up_in,
    names_called,
    rewritten,
)
from logit_stats.design.factor_values import CategoricalValues, FactorValues, NumericValues, factor_values
from logit_stats.design.names import refuse_unknown_names, unknown_name
from logit_stats.design.operators import Operators, wide_integers
from logit_stats.design.reading import ParsedFormula
from logit_stats.design.sample import Expression, Mask
from logit_stats.design.table import Table
from logit_stats.errors import DataError, FormulaError, LogitStatsError, MissingColumnError, listed_rows


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of a formula between its text and its values: what patsy remembers of it, and what it reads.

    Attributes
    ----------
    term_factor : patsy.EvalFactor
        The expression.
    state : dict
        patsy's memory of its transforms (the mean of ``center``, the knots of ``bs``) and of its scope.
    columns : tuple of str
        Columns of the data that the expression reads.
    looked_after : frozenset of str
        Those of them whose missing values the expression itself looks after (``x.fillna(0)``).
    numbers, integers : frozenset of str
        Those of them that were numbers at the fit, and whole numbers.
    """

    term_factor: Any
    state: dict[str, Any]
    columns: tuple[Any, ...]
    looked_after: frozenset[Any] = frozenset()
    numbers: frozenset[Any] = frozenset()
    integers: frozenset[Any] = frozenset()

    @property
    def name(self) -> str:
        """The factor as the formula writes it."""
        return str(self.term_factor.name())

    @property
    def bare(self) -> bool:
        """Whether the factor is a column as it stands, or its levels."""
        return not self.state["transforms"] and is_bare(self.term_factor.code)

    def is_column_of(self, table: Table) -> bool:
        """Whether the factor is a column of the table as it stands: nothing is to be evaluated."""
        code = self.term_factor.code
        return bool(code.isidentifier()) and code in table

    def evaluate(self, table: Table) -> FactorValues:
        """Values of the factor on every row of `table`, missing wherever a variable that it reads is.

        The expression never sees a row in which a variable is missing: Python would call ``x > 3`` false there.
        """
        if self.is_column_of(table):
            column = table[self.term_factor.code]
            return factor_values(self.name, column, table.rows, table.index)
        seen, complete = self._complete(table)
        if complete is not None and not complete.any():
            return NumericValues(np.full((table.rows, 1), np.nan))
        operators = self._operators(seen)
        value = self._guarded(self.term_factor.eval, table, self.state, self._namespace(seen))
        if operators is not None:
            operators.sealed = True
        values = factor_values(self.name, value, seen.rows, seen.index)
        return values if complete is None else _spread(values, complete)

    def evaluate_new(self, table: Table, wanted_for: str) -> FactorValues:
        """Values on new data; a column that is missing there is named, with what it is wanted for."""
        for column in self.columns:
            table.column(column, wanted_for)
        return self.evaluate(table)

    def absent(self, table: Table, values: FactorValues) -> list[tuple[str, Mask]]:
        """Rows of `table` in which each variable of the factor is missing, and those in which only the factor is.

        The latter under an `Expression`: the logarithm of a negative number is missing, its variable is not.
        """
        if values.missing is None:
            return []
        found = [(str(name), np.asarray(table[name].isna())) for name in self.columns if name not in self.looked_after]
        rest = values.missing.copy()
        for _, mask in found:
            rest &= ~mask
        name = str(self.columns[0]) if self.bare and self.columns else self.name
        undefined = name if self.bare or self.looked_after else Expression(name, isinstance(values, NumericValues))
        return [(name, mask) for name, mask in [*found, (undefined, rest)] if mask.any()]

    def memorize(self, table: Table, passes: int) -> None:
        """Let the transforms learn from the rows in which the factor's own columns are present."""
        for number in range(passes):
            self.memorize_rows(table, number)
            self.memorize_end(table, number)

    def memorize_rows(self, table: Table, number: int) -> None:
        """Show some of the rows to the transforms, in pass `number` over them."""
        seen, _ = self._complete(table)
        self._operators(seen)
        self._guarded(self.term_factor.memorize_chunk, table, self.state, number, self._namespace(seen))

    def memorize_end(self, table: Table, number: int) -> None:
        """End pass `number`; the table is for messages."""
        self._guarded(self.term_factor.memorize_finish, table, self.state, number)

    def _operators(self, seen: Table) -> Operators | None:
        operators: Operators | None = self.state["transforms"].get(HELPER)
        if operators is not None:
            operators.rows = seen.rows
        return operators

    def _complete(self, table: Table) -> tuple[Table, Mask | None]:
        """The rows in which all columns that the factor reads are present, and which these are; None where it is every row."""
        if self.bare:
            return table, None
        complete = np.ones(table.rows, dtype=np.bool_)
        for column in self.columns:
            if column in table and column not in self.looked_after:
                complete &= np.asarray(table[column].notna())
        for name, values in self._of_scope(table).items():
            if name not in self.looked_after and getattr(values, "ndim", 0) == 1:
                complete &= np.asarray(pd.notna(values))
        return (table, None) if complete.all() else (table.where(complete), complete)

    def _namespace(self, table: Table) -> Mapping[str, Any]:
        """The columns as the expression sees them, and beside them the arrays of the caller's scope for the same rows."""
        columns: Any = table if self.bare else _WideColumns(table)
        of_scope = self._of_scope(table)
        return ChainMap(of_scope, columns) if of_scope else columns

    def _of_scope(self, table: Table) -> dict[str, Any]:
        """Series and arrays of the caller's scope that the expression names: by label, or one value for each row read."""
        code, namespace = self.term_factor.code, self.state["eval_env"].namespace
        looked_up = looked_up_in(code)
        found = {}
        for name in columns_read(code, None):
            if not isinstance(name, str) or name in looked_up or name in table or name not in namespace:
                continue
            given = namespace[name]
            if isinstance(given, (pd.Series, pd.DataFrame)):
                found[name] = table.in_order(repr(name), given)
            elif isinstance(given, (np.ndarray, pd.Categorical)) and given.ndim >= 1:
                found[name] = table.rows_of(given)
        return found

    def _guarded(self, function: Any, table: Table, *arguments: Any) -> Any:
        """Call patsy; what goes wrong inside the user's expression becomes one sentence about that expression."""
        try:
            # log(-1) is NaN, which is reported as a missing value of this very factor; numpy's warning adds nothing
            with np.errstate(all="ignore"):
                return function(*arguments)
        except patsy.PatsyError as error:
            cause = error.__cause__
            if isinstance(cause, FormulaError):
                raise FormulaError(f"{self.name!r} in the formula: {cause}") from None
            if isinstance(cause, DataError):
                raise cause from None
            if isinstance(cause, (NameError, KeyError)):
                missing = cause.name if isinstance(cause, NameError) else cause.args[0]
                raise MissingColumnError(unknown_name(self.name, str(missing), table)) from None
            raise FormulaError(self._what_went_wrong(cause if cause is not None else error, table)) from error
        except LogitStatsError:
            raise
        except Exception as error:
            # what a transform finds wrong when it has seen all rows, patsy passes on as it is
            raise FormulaError(self._what_went_wrong(error, table)) from error

    def _what_went_wrong(self, cause: BaseException, table: Table) -> str:
        if isinstance(cause, NotImplementedError) and "outermost knots" in str(cause):
            return _beyond_knots(self, table)
        if isinstance(cause, ValueError) and "must specify either 'df' or 'knots'" in str(cause):
            return f"{self.name!r} in the formula needs a number of columns: write df=5, or knots=[...]."
        return f"{self.name!r} in the formula cannot be evaluated: {type(cause).__name__}: {cause}"


class _WideColumns(Mapping[str, Any]):
    """The columns of a table with small integers in 64 bits, so that arithmetic does not wrap round."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __getitem__(self, name: str) -> Any:
        return wide_integers(self._table[name])

    def __contains__(self, name: object) -> bool:
        return name in self._table

    def __iter__(self) -> Any:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def learn_factors(terms: tuple[Any, ...], parsed: ParsedFormula, table: Table) -> dict[str, Factor]:
    """Factors of the terms, their transforms learned from `table`."""
    learned: dict[str, Factor] = {}
    for factor, passes in begun_factors(terms, parsed, table):
        if passes:
            factor.memorize(table, passes)
        learned[factor.name] = factor
    return learned


def begun_factors(terms: tuple[Any, ...], parsed: ParsedFormula, table: Table) -> Iterator[tuple[Factor, int]]:
    """Factors of the terms that have learned nothing yet, and how many passes over the rows their transforms need."""
    for term_factor in dict.fromkeys(factor for term in terms for factor in term.factors):
        refuse_unknown_names(term_factor.code, parsed, table)
        state, passes = _memory(term_factor, parsed, table)
        yield prepared(term_factor, state, columns_read(term_factor.code, table), table), passes


def _memory(term_factor: Any, parsed: ParsedFormula, table: Table) -> tuple[dict[str, Any], int]:
    """What patsy remembers of a factor, and how often its transforms want to see the rows."""
    code = term_factor.code
    if code.isidentifier() and code in table:
        # as patsy has it for a name
        nothing = patsy.EvalEnvironment([{}])
        return {"transforms": {}, "eval_env": nothing, "eval_code": code, "memorize_code": {}, "pass_bins": []}, 0
    state: dict[str, Any] = {}
    try:
        return state, term_factor.memorize_passes_needed(state, parsed.scope)
    except patsy.PatsyError as error:
        raise FormulaError(f"{term_factor.name()!r} in the formula cannot be evaluated: {error}") from None


def prepared(term_factor: Any, state: dict[str, Any], columns: tuple[Any, ...], table: Table | None = None) -> Factor:
    """Factor whose expressions go through `Operators`; patsy's state has been made for it already.

    Without a table (a saved formula) what the factor knows of its columns is filled in by the caller.
    """
    code, scope = term_factor.code, state["eval_env"].namespace
    clashing = [name for name in names_called(code) if name in columns or (table is not None and name in table)]
    if clashing or not is_bare(code):
        names = frozenset([*columns, *clashing])
        state["eval_code"] = rewritten(state["eval_code"], names, scope)
        state["memorize_code"] = {key: rewritten(text, names, scope) for key, text in state["memorize_code"].items()}
        state["transforms"] |= {f"{CALLED}{name}": scope[name] for name in clashing if name in scope}
        state["transforms"][HELPER] = Operators()
    looked_after = frozenset() if is_bare(code) else columns_looked_after(code, columns)
    if table is None:
        return Factor(term_factor, state, columns, looked_after)
    numbers = frozenset(name for name in columns if _is_number(table[name]))
    integers = frozenset(name for name in numbers if pd.api.types.is_integer_dtype(table[name].dtype))
    return Factor(term_factor, state, columns, looked_after, numbers, integers)


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def _spread(part: FactorValues, complete: Mask) -> FactorValues:
    if isinstance(part, CategoricalValues):
        codes = np.full(len(complete), -1, dtype=np.intp)
        codes[complete] = part.codes
        return CategoricalValues(codes, part.levels, part.contrast, part.declared, part.ordered)
    values = np.full((len(complete), part.values.shape[1]), np.nan)
    values[complete] = part.values
    return NumericValues(values)


def _beyond_knots(factor: Factor, table: Table) -> str:
    """Say which rows lie outside a B-spline's boundary knots, and how to move these."""
    splines = [t for t in factor.state["transforms"].values() if isinstance(t, BS)]
    limits = [(t._all_knots.min(), t._all_knots.max()) for t in splines if hasattr(t, "_all_knots")]
    if not limits:
        return f"{factor.name!r} in the formula: some values lie beyond its lower_bound and upper_bound."
    low, high = max(low for low, _ in limits), min(high for _, high in limits)
    rows = ""
    if len(factor.columns) == 1 and pd.api.types.is_numeric_dtype(table[factor.columns[0]].dtype):
        values = table[factor.columns[0]].to_numpy(np.float64, na_value=np.nan)
        outside = (values < low) | (values > high)
        if outside.any() and f"({factor.columns[0]}," in factor.name:
            which = listed_rows(np.asarray(table.index)[outside])
            rows = f" in {int(outside.sum())} of the rows (row {which}; the first is {values[outside][0]:g})"
    return (
        f"{factor.name!r} in the formula covers {low:g} to {high:g}, the range of the fit, and the value lies outside{rows}. A "
        f"B-spline says nothing there. Fit it with lower_bound= and upper_bound= as far apart as it will be asked for, or use "
        f"ns(x, df=...), which goes on as a straight line."
    )
