"""`CompiledFormula`: a patsy formula that has seen its data once and can code new data the same way.

patsy gives the grammar, the codings and the column names. The columns themselves are filled here, vectorised: each
factor is evaluated once on all rows, its type and levels are read off, and patsy lays out the design on a *skeleton*
that holds every level and not a single row of data.
"""

from __future__ import annotations

import ast
import itertools
from collections import ChainMap, OrderedDict
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import numpy as np
import pandas as pd
import patsy
import patsy.builtins
import patsy.eval
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.coded import CodedColumns, CodedPart
from logit_stats.design.factor_values import (
    CategoricalValues,
    FactorValues,
    NumericValues,
    align_levels,
    as_numbers,
    factor_values,
)
from logit_stats.design.names import refuse_unknown_names, unknown_name
from logit_stats.design.reading import ParsedFormula, capture_scope, parse, scope_of
from logit_stats.design.table import Table
from logit_stats.errors import DataError, FormulaError, MissingColumnError

__all__ = [
    "CompiledFormula",
    "Factor",
    "ParsedFormula",
    "capture_scope",
    "lay_out",
    "learn_factors",
    "parse",
    "scope_of",
]

# Columns from which a factor is kept as codes: a dense pass takes a time that grows with their square.
CODED_COLUMNS = 32
# Methods of a column whose argument is looked up in, and not lined up with the rows.
LOOK_UPS = ("map", "replace", "isin", "reindex", "take")
# Largest contrast matrix of such a factor.
CONTRAST_NUMBERS = 25_000_000


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
    """

    term_factor: Any
    state: dict[str, Any]
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """The factor as the formula writes it."""
        return str(self.term_factor.name())

    def evaluate(self, table: Table) -> FactorValues:
        """Values of the factor on every row of `table`."""
        complete = self._complete(table) if self.state["transforms"] else None
        if complete is None:
            value = _evaluate(self.term_factor, self.state, table)
            return factor_values(self.name, value, table.rows, table.index)
        # a spline of NaN is not defined: transform the complete rows, and mark the others missing
        part = self.evaluate(table.where(complete))
        return _spread(part, complete)

    def evaluate_new(self, table: Table, wanted_for: str) -> FactorValues:
        """Values on new data; a column that is missing there is named, with what it is wanted for."""
        for column in self.columns:
            table.column(column, wanted_for)
        return self.evaluate(table)

    def _complete(self, table: Table) -> NDArray[np.bool_] | None:
        """Rows in which all columns that the factor reads are present; None where that is every row."""
        complete = np.ones(table.rows, dtype=np.bool_)
        for column in self.columns:
            if column in table:
                complete &= np.asarray(table[column].notna())
        return None if complete.all() else complete

    def memorize(self, table: Table, passes: int) -> None:
        """Let the transforms learn from the rows in which the factor's own columns are present."""
        complete = self._complete(table)
        seen = table if complete is None else table.where(complete)
        for number in range(passes):
            known = _with_scope(self.term_factor, self.state, seen)
            _guarded(self.term_factor, self.term_factor.memorize_chunk, table, self.state, number, known)
            _guarded(self.term_factor, self.term_factor.memorize_finish, table, self.state, number)


@dataclass(frozen=True)
class CompiledFormula:
    """The right-hand side of a formula, learned from data: codes further data into the same columns.

    Attributes
    ----------
    text : str
        The formula as the user wrote it.
    info : patsy.DesignInfo
        Columns, terms, levels and contrasts, in patsy's own terms.
    factors : dict of str to Factor
        Factors by name.
    left : dict of str to Factor
        Factors of the response, by which the outcomes of new data are read.
    """

    text: str
    info: Any
    factors: dict[str, Factor] = field(repr=False)
    left: dict[str, Factor] = field(repr=False, default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Design column names."""
        return tuple(self.info.column_names)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the data that the right-hand side reads."""
        return tuple(dict.fromkeys(column for factor in self.factors.values() for column in factor.columns))

    @property
    def term_slices(self) -> dict[str, slice]:
        """Range of design columns of each term."""
        return dict(self.info.term_name_slices)

    def fill(self, values: dict[str, FactorValues], rows: int) -> FloatArray:
        """Design columns (rows, k), column-major, from the values of the factors."""
        X = np.empty((len(self.names), rows)).T
        column = 0
        for subterms in self.info.term_codings.values():
            for subterm in subterms:
                for picks in _column_picks(self.info, subterm):
                    _fill_column(X[:, column], self.info, subterm, picks, values)
                    column += 1
        return X

    def fill_columns(self, values: dict[str, FactorValues], rows: int, columns: list[int]) -> FloatArray:
        """Some of the design columns (rows, len(columns)), by position, as by `fill`."""
        place = {j: i for i, j in enumerate(columns)}
        X = np.empty((len(columns), rows)).T
        column = 0
        for subterms in self.info.term_codings.values():
            for subterm in subterms:
                for picks in _column_picks(self.info, subterm):
                    if column in place:
                        _fill_column(X[:, place[column]], self.info, subterm, picks, values)
                    column += 1
        return X

    def fill_coded(self, values: dict[str, FactorValues], rows: int) -> FloatArray:
        """Design columns as by `fill`, with factors of many levels kept as codes (`CodedColumns`) where there are such."""
        subterms = [subterm for found in self.info.term_codings.values() for subterm in found]
        widths = [subterm.num_columns for subterm in subterms]
        many = [_kept_as_codes(subterm) for subterm in subterms]
        if not any(many):
            return self.fill(values, rows)
        starts = np.concatenate([[0], np.cumsum(widths)])
        numbers = [j for j, coded in enumerate(many) if not coded]
        dense = np.empty((sum(widths[j] for j in numbers), rows)).T
        filled, parts = 0, []
        for j, subterm in enumerate(subterms):
            if many[j]:
                parts.append(_coded_part(subterm, values, np.arange(starts[j], starts[j + 1])))
                continue
            for picks in _column_picks(self.info, subterm):
                _fill_column(dense[:, filled], self.info, subterm, picks, values)
                filled += 1
        places = [np.arange(starts[j], starts[j + 1]) for j in numbers]
        where = np.concatenate(places) if places else np.zeros(0, dtype=np.intp)
        return cast(FloatArray, CodedColumns(dense, where, tuple(parts)))

    def values_of(self, table: Table) -> dict[str, FactorValues]:
        """Values of the factors on new data, levels coded as at the fit; errors as in `design_matrix`."""
        values: dict[str, FactorValues] = {}
        for name, factor in self.factors.items():
            value = factor.evaluate_new(table, f"new data for {self.text!r}")
            info = self.info.factor_infos[factor.term_factor]
            if info.type == "categorical":
                value = align_levels(name, value, info.categories, table.index)
            else:
                value = as_numbers(name, value, info.num_columns)
            values[name] = value
        return values

    def design_matrix(self, data: Any) -> tuple[FloatArray, NDArray[np.bool_], pd.Index]:
        """Columns of new data.

        Returns
        -------
        X : (n, k)
            NaN in rows with a missing value.
        complete : (n,) bool
            Rows without a missing value.
        index : Index
            Row labels of `data`.

        Raises
        ------
        MissingColumnError
            If a column of the formula is not in `data`.
        UnseenLevelError
            If a factor has a level that the fit did not see.
        """
        table = Table.of(data, self.columns)
        values = self.values_of(table)
        complete = np.ones(table.rows, dtype=np.bool_)
        for value in values.values():
            if value.missing is not None:
                complete &= ~value.missing
        if complete.all():
            return self.fill(values, table.rows), complete, table.index
        X = np.full((len(self.names), table.rows), np.nan).T
        X[complete] = self.fill({name: v.where(complete) for name, v in values.items()}, int(complete.sum()))
        return X, complete, table.index

    def __getstate__(self) -> dict[str, Any]:
        from logit_stats.design.formula_pickle import formula_state

        return formula_state(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        from logit_stats.design.formula_pickle import restore_formula

        restore_formula(self, state)


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


def learn_factors(terms: tuple[Any, ...], parsed: ParsedFormula, table: Table) -> dict[str, Factor]:
    """Factors of the terms, their transforms learned from `table`."""
    learned: dict[str, Factor] = {}
    for term_factor in dict.fromkeys(factor for term in terms for factor in term.factors):
        refuse_unknown_names(term_factor.code, parsed, table)
        state: dict[str, Any] = {}
        passes = _guarded(term_factor, term_factor.memorize_passes_needed, table, state, parsed.scope)
        factor = Factor(term_factor, state, columns_read(term_factor.code, table))
        if passes:
            factor.memorize(table, passes)
        learned[factor.name] = factor
    return learned


def lay_out(parsed: ParsedFormula, factors: dict[str, Factor], values: dict[str, FactorValues]) -> CompiledFormula:
    """Columns, codings and names of the right-hand side, laid out by patsy on a skeleton."""
    skeletons = {name: _SkeletonFactor(factor.term_factor, values[name]) for name, factor in factors.items()}
    terms = [patsy.Term([skeletons[f.name()] for f in term.factors]) for term in parsed.terms]
    try:
        (skeleton_info,) = patsy.design_matrix_builders([terms], lambda: iter([{}]), patsy.EvalEnvironment([]))
    except patsy.PatsyError as error:
        raise FormulaError(f"The formula {parsed.text!r} cannot be coded: {error}") from None
    except Exception as error:
        raise FormulaError(f"The contrasts asked for in {parsed.text!r} do not fit its levels: {error}") from error
    if not skeleton_info.column_names:
        raise FormulaError(f"The formula {parsed.text!r} has no columns; a model needs at least a constant ('y ~ 1').")
    return CompiledFormula(parsed.text, _with_real_factors(skeleton_info, factors), factors)


class _SkeletonFactor:
    """Stands in for a factor whose values are known already: tells patsy its type and levels, and holds no rows."""

    def __init__(self, term_factor: Any, values: FactorValues) -> None:
        self.term_factor = term_factor
        self.origin = term_factor.origin
        self.values = values

    def name(self) -> str:
        return str(self.term_factor.name())

    def memorize_passes_needed(self, state: dict[str, Any], eval_env: Any) -> int:
        return 0

    def eval(self, state: dict[str, Any], data: Any) -> Any:
        if isinstance(self.values, CategoricalValues):
            return patsy.builtins.C([], contrast=self.values.contrast, levels=self.values.levels)
        return np.zeros((1, self.values.values.shape[1]))


def _with_real_factors(skeleton_info: Any, factors: dict[str, Factor]) -> Any:
    """Return the same DesignInfo with the formula's own factors, so that patsy can use it on new data as well."""
    infos = {}
    for skeleton, info in skeleton_info.factor_infos.items():
        factor = factors[skeleton.name()]
        infos[factor.term_factor] = patsy.FactorInfo(
            factor.term_factor, info.type, factor.state, info.num_columns, info.categories
        )
    codings = {}
    for term, subterms in skeleton_info.term_codings.items():
        codings[patsy.Term([f.term_factor for f in term.factors])] = [
            patsy.SubtermInfo(
                [f.term_factor for f in subterm.factors],
                {f.term_factor: matrix for f, matrix in subterm.contrast_matrices.items()},
                subterm.num_columns,
            )
            for subterm in subterms
        ]
    return patsy.DesignInfo(skeleton_info.column_names, infos, OrderedDict(codings))


def _column_picks(info: Any, subterm: Any) -> Iterator[tuple[int, ...]]:
    """For each column of a subterm, which proto-column of each factor it multiplies; the leftmost varies fastest."""
    counts = [
        subterm.contrast_matrices[f].matrix.shape[1]
        if f in subterm.contrast_matrices
        else info.factor_infos[f].num_columns
        for f in subterm.factors
    ]
    for reversed_picks in itertools.product(*[range(count) for count in reversed(counts)]):
        yield reversed_picks[::-1]


def _fill_column(
    out: FloatArray, info: Any, subterm: Any, picks: tuple[int, ...], values: dict[str, FactorValues]
) -> None:
    if not picks:
        out[:] = 1.0
    for position, (factor, pick) in enumerate(zip(subterm.factors, picks, strict=True)):
        value = values[factor.name()]
        if isinstance(value, NumericValues):
            column: Any = value.values[:, pick]
            if position == 0:
                out[:] = column
            else:
                out *= column
            continue
        contrast = np.ascontiguousarray(subterm.contrast_matrices[factor].matrix[:, pick], dtype=np.float64)
        if position == 0:
            # "clip" skips the bounds check; the codes are known to be levels
            np.take(contrast, value.codes, out=out, mode="clip")
        else:
            out *= contrast[value.codes]


def _kept_as_codes(subterm: Any) -> bool:
    """Whether a subterm is a factor, or a product of factors, of so many columns that codes are cheaper."""
    matrices = subterm.contrast_matrices
    if (
        not subterm.factors
        or subterm.num_columns < CODED_COLUMNS
        or any(factor not in matrices for factor in subterm.factors)
    ):
        return False
    levels = int(np.prod([float(len(matrices[factor].matrix)) for factor in subterm.factors]))
    return bool(levels * subterm.num_columns <= CONTRAST_NUMBERS)


def _coded_part(subterm: Any, values: dict[str, FactorValues], columns: NDArray[np.intp]) -> CodedPart:
    """Codes and contrast of a product of factors; the leftmost factor varies fastest, in levels as in columns."""
    codes: Any = 0
    contrast: Any = np.ones((1, 1))
    for factor in subterm.factors:
        value = values[factor.name()]
        assert isinstance(value, CategoricalValues)
        codes = codes + len(contrast) * value.codes
        contrast = np.kron(np.asarray(subterm.contrast_matrices[factor].matrix, dtype=np.float64), contrast)
    return CodedPart(codes, contrast, columns)


def columns_read(code: str, names: Container[str] | None) -> tuple[str, ...]:
    """Columns of the data that an expression reads: its bare names (all of them without `names`), and ``Q("...")``."""
    found, quoted = _names_read(code)
    return tuple(name for name in found if name in quoted or names is None or name in names)


@lru_cache(maxsize=4096)
def _names_read(code: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Names in an expression in their order, and those of them that stand in ``Q("...")``."""
    found, quoted = [], set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            found.append(node.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Q":
            texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            found += texts
            quoted.update(texts)
    return tuple(dict.fromkeys(found)), frozenset(quoted)


@lru_cache(maxsize=4096)
def _looked_up_in(code: str) -> frozenset[str]:
    """Names that an expression looks values up in (``k.map(names)``, ``names[k]``): they need not have the rows of the data."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found |= {a.id for a in node.args if isinstance(a, ast.Name)} if node.func.attr in LOOK_UPS else set()
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            found.add(node.value.id)
    return frozenset(found)


def _spread(part: FactorValues, complete: NDArray[np.bool_]) -> FactorValues:
    if isinstance(part, CategoricalValues):
        codes = np.full(len(complete), -1, dtype=np.intp)
        codes[complete] = part.codes
        return CategoricalValues(codes, part.levels, part.contrast, part.declared)
    values = np.full((len(complete), part.values.shape[1]), np.nan)
    values[complete] = part.values
    return NumericValues(values)


def _evaluate(term_factor: Any, state: dict[str, Any], table: Table) -> Any:
    return _guarded(term_factor, term_factor.eval, table, state, _with_scope(term_factor, state, table))


def _with_scope(term_factor: Any, state: dict[str, Any], table: Table) -> Mapping[str, Any]:
    """The table, and beside it the Series of the caller's scope that the expression names, their rows in its order."""
    namespace = state["eval_env"].namespace
    looked_up = _looked_up_in(term_factor.code)
    names = (
        n for n in columns_read(term_factor.code, None) if n not in looked_up and n not in table and n in namespace
    )
    series = {name: namespace[name] for name in names}
    ordered = {
        name: table.in_order(repr(name), given)
        for name, given in series.items()
        if isinstance(given, (pd.Series, pd.DataFrame))
    }
    return ChainMap(ordered, cast(Any, table)) if ordered else table


def _guarded(term_factor: Any, function: Any, table: Table, *arguments: Any) -> Any:
    """Call patsy; what goes wrong inside the user's expression becomes one sentence about that expression."""
    try:
        # log(-1) is NaN, which is reported as a missing value of this very factor; numpy's warning adds nothing
        with np.errstate(all="ignore"):
            return function(*arguments)
    except patsy.PatsyError as error:
        cause = error.__cause__
        if isinstance(cause, DataError):
            raise cause from None
        if isinstance(cause, (NameError, KeyError)):
            missing = cause.name if isinstance(cause, NameError) else cause.args[0]
            raise MissingColumnError(unknown_name(str(term_factor.name()), str(missing), table)) from None
        what = cause if cause is not None else error
        raise FormulaError(
            f"{term_factor.name()!r} in the formula cannot be evaluated: {type(what).__name__}: {what}"
        ) from error
