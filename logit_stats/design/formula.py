"""`CompiledFormula`: a patsy formula that has seen its data once and can code new data the same way.

patsy gives the grammar, the codings and the column names. The columns themselves are filled here, vectorised: each
factor is evaluated once on all rows, its type and levels are read off, and patsy lays out the design on a *skeleton*
that holds every level and not a single row of data.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterator, Mapping
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
from logit_stats.design.codable import refuse_uncodable
from logit_stats.design.coded import CodedColumns, CodedPart
from logit_stats.design.factor import Factor, learn_factors
from logit_stats.design.factor_values import (
    CategoricalValues,
    FactorValues,
    NumericValues,
    align_levels,
    as_numbers,
)
from logit_stats.design.names import names_in, scope_columns
from logit_stats.design.new_tables import new_table, numbers_as_at_the_fit
from logit_stats.design.reading import ParsedFormula, capture_scope, formula_scope, parse, scope_of
from logit_stats.design.table import Table
from logit_stats.errors import FormulaError

__all__ = [
    "CompiledFormula",
    "Factor",
    "ParsedFormula",
    "capture_scope",
    "formula_scope",
    "lay_out",
    "learn_factors",
    "names_in",
    "parse",
    "scope_columns",
    "scope_of",
]

# Columns from which a factor is kept as codes: a dense pass takes a time that grows with their square.
CODED_COLUMNS = 32
# Largest contrast matrix of such a factor.
CONTRAST_NUMBERS = 25_000_000


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
        table = numbers_as_at_the_fit(table, self.factors.values())
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
        table = new_table(data, self.columns)
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


def lay_out(parsed: ParsedFormula, factors: dict[str, Factor], values: dict[str, FactorValues]) -> CompiledFormula:
    """Columns, codings and names of the right-hand side, laid out by patsy on a skeleton."""
    rows = max((len(_along_rows(value)) for value in values.values()), default=0)
    refuse_uncodable(parsed, values, rows)
    terms = tuple(term.factors for term in parsed.terms)
    try:
        if all(isinstance(values[name], NumericValues) for name in factors):
            widths = tuple((name, _along_rows(values[name]).shape[1]) for name in factors)
            info = _layout_of_numbers(terms, widths)
        else:
            info = _layout(terms, values)
    except patsy.PatsyError as error:
        raise FormulaError(f"The formula {parsed.text!r} cannot be coded: {error}") from None
    except Exception as error:
        raise FormulaError(f"The contrasts asked for in {parsed.text!r} do not fit its levels: {error}") from error
    if not info.column_names:
        raise FormulaError(f"The formula {parsed.text!r} has no columns; a model needs at least a constant ('y ~ 1').")
    return CompiledFormula(parsed.text, _with_states(info, factors), factors)


def _along_rows(value: FactorValues) -> NDArray[Any]:
    return value.codes if isinstance(value, CategoricalValues) else value.values


@lru_cache(maxsize=256)
def _layout_of_numbers(terms: tuple[tuple[Any, ...], ...], widths: tuple[tuple[str, int], ...]) -> Any:
    """Layout of terms of numbers alone, which depends on no data but the number of columns of each factor."""
    return _layout(terms, dict(widths))


def _layout(terms: tuple[tuple[Any, ...], ...], values: Mapping[str, FactorValues | int]) -> Any:
    """The DesignInfo of terms whose factors have these levels, or as many columns of numbers."""
    named = {factor.name(): factor for factors in terms for factor in factors}
    skeletons = {name: _SkeletonFactor(factor, values[name]) for name, factor in named.items()}
    laid_out = [patsy.Term([skeletons[factor.name()] for factor in factors]) for factors in terms]
    (info,) = patsy.design_matrix_builders([laid_out], lambda: iter([{}]), patsy.EvalEnvironment([]))
    return _of_real_factors(info, named)


class _SkeletonFactor:
    """Stands in for a factor whose values are known already: tells patsy its type and levels, and holds no rows."""

    def __init__(self, term_factor: Any, values: FactorValues | int) -> None:
        self.term_factor = term_factor
        self.origin = term_factor.origin
        self.columns = 0
        if isinstance(values, CategoricalValues):
            self.levels, self.contrast = values.levels, values.contrast
        else:
            self.columns = values if isinstance(values, int) else values.values.shape[1]

    def name(self) -> str:
        return str(self.term_factor.name())

    def memorize_passes_needed(self, state: dict[str, Any], eval_env: Any) -> int:
        return 0

    def eval(self, state: dict[str, Any], data: Any) -> Any:
        if self.columns:
            return np.zeros((1, self.columns))
        return patsy.builtins.C([], contrast=self.contrast, levels=self.levels)


def _of_real_factors(skeleton_info: Any, named: dict[str, Any]) -> Any:
    """Return the same DesignInfo with the formula's own factors, so that patsy can use it on new data as well."""
    infos = {}
    for skeleton, info in skeleton_info.factor_infos.items():
        real = named[skeleton.name()]
        infos[real] = patsy.FactorInfo(real, info.type, {}, info.num_columns, info.categories)
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


def _with_states(info: Any, factors: dict[str, Factor]) -> Any:
    """Return the DesignInfo with what the factors have learned; the layout itself is shared."""
    known = patsy.DesignInfo.__new__(patsy.DesignInfo)
    known.__dict__.update(info.__dict__)
    known.factor_infos = {
        real: patsy.FactorInfo(real, i.type, factors[real.name()].state, i.num_columns, i.categories)
        for real, i in info.factor_infos.items()
    }
    return known


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
