"""The prediction of a model as one expression of SQL, for scoring rows where they lie.

The linear predictor is written term by term. A factor is a ``CASE`` over its levels without an ``ELSE``: a level that the fit did
not see, and a missing value, give NULL, which runs through the sum to the prediction. A spline is a ``CASE`` over its knots
with a polynomial for each interval. The probability is written so that no linear predictor overflows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.estimable import null_space
from logit_stats.design.factor import Factor
from logit_stats.design.formula import CompiledFormula
from logit_stats.design.piecewise import Piece, Piecewise
from logit_stats.design.row_numbers import PREVALENCE
from logit_stats.errors import NotAvailableError, check_choice
from logit_stats.likelihoods.ordered import Ordered
from logit_stats.report.sql_dialects import DIALECTS, Dialect
from logit_stats.report.sql_expressions import Expression

# Beyond these 1 / (1 + exp(-eta)) is 1, and exp(-eta) no number.
CERTAIN, IMPOSSIBLE = 40.0, -700.0
LARGEST = 1e304


def sql_of(
    design: Design, beta: FloatArray, dialect: str = "duckdb", kind: str = "probability"
) -> str | dict[Any, str]:
    """A prediction in SQL.

    Parameters
    ----------
    design : Design
    beta : (p,)
        Coefficients of the user's columns.
    dialect : str
    kind : {"probability", "linear"}

    Returns
    -------
    str, or dict of str
        Of several categories one for each.

    Raises
    ------
    NotAvailableError
        If part of the formula has no exact translation; it is named.
    """
    check_choice("dialect", dialect, tuple(DIALECTS))
    check_choice("kind", kind, ("probability", "linear"))
    writer = Writer(design, DIALECTS[dialect])
    categories = design.response.categories
    if categories is None:
        eta = writer.linear(beta)
        return eta if kind == "linear" else _probability(eta, writer.dialect)
    tables = design.parameters.table(beta)
    if isinstance(design.likelihood, Ordered):
        return _of_ordered(design.likelihood.kind, tables, categories.labels, writer, kind)
    return _of_categories(np.vstack([np.zeros(design.columns), tables]), categories.labels, writer, kind)


def _of_categories(tables: FloatArray, labels: tuple[Any, ...], writer: Writer, kind: str) -> dict[Any, str]:
    if kind == "linear":
        return {label: writer.linear(row) for label, row in zip(labels, tables, strict=True)}
    return {label: _share(tables - row, writer) for label, row in zip(labels, tables, strict=True)}


def _of_ordered(ordered: str, tables: FloatArray, labels: tuple[Any, ...], writer: Writer, kind: str) -> dict[Any, str]:
    """Probabilities of ordered categories from the linear predictors of the cuts."""
    if kind == "linear":
        raise NotAvailableError(
            "An ordinal model has no linear predictor of a category; kind='probability' has the probabilities."
        )
    if ordered == "adjacent":
        return _of_categories(np.vstack([np.zeros(tables.shape[1]), tables.cumsum(axis=0)]), labels, writer, kind)
    above = [f"({_probability(writer.linear(row), writer.dialect)})" for row in tables]
    below = [f"({_probability(f'(-{writer.linear(row)})', writer.dialect)})" for row in tables]
    if ordered == "continuation":
        return {label: " * ".join([*above[:c], *below[c : c + 1]]) for c, label in enumerate(labels)}
    ends = ["1e0", *above, "0e0"]
    return {label: f"({a} - {b})" for label, a, b in zip(labels, ends, ends[1:], strict=False)}


def _probability(eta: str, dialect: Dialect) -> str:
    high, low = dialect.number(CERTAIN), dialect.number(IMPOSSIBLE)
    usual = f"WHEN {eta} >= {low} THEN 1e0 / (1e0 + EXP(-({eta})))"
    return f"CASE WHEN {eta} > {high} THEN 1e0 {usual} WHEN {eta} < {low} THEN 0e0 END"


def _share(differences: FloatArray, writer: Writer) -> str:
    """One over the sum of exp(eta_j - eta_c)."""
    high, low = writer.dialect.number(-IMPOSSIBLE), writer.dialect.number(IMPOSSIBLE)
    parts = []
    for difference in differences:
        if not difference.any():
            parts.append("1e0")
            continue
        d = writer.linear(difference)
        parts.append(f"CASE WHEN {d} > {high} THEN {LARGEST!r} WHEN {d} < {low} THEN 0e0 ELSE EXP({d}) END")
    return f"1e0 / ({' + '.join(parts)})"


class Writer:
    """Writes linear predictors of a design.

    Parameters
    ----------
    design : Design
    dialect : Dialect
    """

    def __init__(self, design: Design, dialect: Dialect) -> None:
        self.design = design
        self.dialect = dialect
        formula = design.formula
        self.expressions = {} if formula is None else {n: Expression(f, dialect) for n, f in formula.factors.items()}

    def linear(self, beta: FloatArray) -> str:
        """The linear predictor of coefficients (k,), the offset added."""
        formula = self.design.formula
        parts = self._of_columns(beta) if formula is None else self._of_formula(formula, beta)
        parts += self._offset()
        total = "(" + " + ".join(parts or ["0e0"]) + ")"
        return total if formula is None else self._guarded(formula, total)

    def _offset(self) -> list[str]:
        offset = self.design.offset
        if offset is None or offset.argument == PREVALENCE:
            return []
        if offset.column is None:
            raise NotAvailableError(
                "The model has an offset that was given as an array, which has no name in a database."
            )
        return [self.dialect.as_number(self.dialect.column(offset.column))]

    def _of_columns(self, beta: FloatArray) -> list[str]:
        names = self.design.names
        return [
            f"{self.dialect.number(b)} * {self.dialect.as_number(self.dialect.column(name))}"
            for name, b in zip(names, beta, strict=True)
        ]

    def _of_formula(self, formula: CompiledFormula, beta: FloatArray) -> list[str]:
        whole = np.zeros(len(formula.names))
        whole[[formula.names.index(name) for name in self.design.names]] = beta
        return self._terms(formula, whole)

    def _terms(self, formula: CompiledFormula, whole: FloatArray) -> list[str]:
        """The terms of a linear combination of the formula's columns (all of them)."""
        parts, start = [], 0
        for subterms in formula.info.term_codings.values():
            for subterm in subterms:
                values = whole[start : start + subterm.num_columns]
                start += subterm.num_columns
                parts.append(self._subterm(formula, subterm, values))
        return parts

    def _subterm(self, formula: CompiledFormula, subterm: Any, values: FloatArray) -> str:
        factors = [formula.factors[f.name()] for f in subterm.factors]
        contrasts = {f.name(): np.asarray(m.matrix, dtype=float) for f, m in subterm.contrast_matrices.items()}
        widths = [
            contrasts[f.name].shape[1] if f.name in contrasts else formula.info.factor_infos[f.term_factor].num_columns
            for f in factors
        ]
        # the leftmost factor varies fastest
        tensor = values.reshape(widths[::-1]).transpose() if widths else values
        for axis, factor in enumerate(factors):
            if factor.name in contrasts:
                tensor = np.moveaxis(np.tensordot(contrasts[factor.name], tensor, axes=(1, axis)), 0, axis)
        order = sorted(range(len(factors)), key=lambda i: self._rank(factors[i], contrasts))
        if not order:
            return self.dialect.number(float(values[0]))
        return self._product(formula, [factors[i] for i in order], tensor.transpose(order), contrasts)

    def _rank(self, factor: Factor, contrasts: dict[str, FloatArray]) -> int:
        """Levels first; a spline last, where its columns are summed into one polynomial."""
        return 0 if factor.name in contrasts else 1 if self.expressions[factor.name].spline() is None else 2

    def _product(
        self, formula: CompiledFormula, factors: list[Factor], tensor: FloatArray, contrasts: dict[str, FloatArray]
    ) -> str:
        if not factors:
            return self.dialect.number(float(tensor))
        factor, rest = factors[0], factors[1:]
        expression = self.expressions[factor.name]
        if factor.name in contrasts:
            levels = formula.info.factor_infos[factor.term_factor].categories
            return self._levels(expression, levels, [self._product(formula, rest, part, contrasts) for part in tensor])
        spline = expression.spline()
        if spline is None:
            if len(tensor) != 1:
                raise expression.refuse(expression.tree)
            return f"({expression.number()} * {self._product(formula, rest, tensor[0], contrasts)})"
        pieces, x = spline
        if not rest:
            return self._polynomials(pieces, x, tensor)
        columns = np.eye(len(tensor))
        return "(" + " + ".join(
            f"{self._polynomials(pieces, x, columns[j])} * {self._product(formula, rest, tensor[j], contrasts)}"
            for j in range(len(tensor))
        ) + ")"  # fmt: skip

    def _levels(self, expression: Expression, levels: tuple[Any, ...], values: list[str]) -> str:
        cut = expression.cut()
        if cut is not None:
            return self._cut(cut[0], cut[1], values)
        found = expression.levels_of()
        if levels == (False, True):
            condition = found.text
            return f"CASE WHEN {condition} THEN {values[1]} WHEN NOT ({condition}) THEN {values[0]} END"
        if found.kind == "condition":
            raise expression.refuse(expression.tree)
        value = found.text
        if all(isinstance(level, str) for level in levels):
            value = self.dialect.exact_text.format(value)
        cases = " ".join(f"WHEN {self.dialect.level(level)} THEN {v}" for level, v in zip(levels, values, strict=True))
        return f"CASE {value} {cases} END"

    def _cut(self, x: str, learned: Any, values: list[str]) -> str:
        limits, _, _, lowest, right = learned
        cases = []
        for j, value in enumerate(values):
            low, high = self.dialect.number(limits[j]), self.dialect.number(limits[j + 1])
            first = f"{x} {'>=' if not right or (lowest and j == 0) else '>'} {low}"
            last = f"{x} {'<=' if right or (lowest and j == len(values) - 1) else '<'} {high}"
            cases.append(f"WHEN {first} AND {last} THEN {value}")
        return f"CASE {' '.join(cases)} END"

    def _polynomials(self, found: Piecewise, x: str, weights: FloatArray) -> str:
        number = self.dialect.number
        if found.period is not None:
            start, length = found.period
            x = f"({x} - {number(length)} * FLOOR(({x} - {number(start)}) / {number(length)}))"
        if len(found.pieces) == 1 and np.isinf(found.pieces[0].low):
            return self._polynomial(found.pieces[0], x, weights)
        cases = [self._case(piece, x, weights) for piece in found.pieces]
        return f"CASE {' '.join(cases)} END"

    def _case(self, piece: Piece, x: str, weights: FloatArray) -> str:
        conditions = []
        if np.isfinite(piece.low):
            conditions.append(f"{x} >= {self.dialect.number(piece.low)}")
        if np.isfinite(piece.high):
            conditions.append(f"{x} <= {self.dialect.number(piece.high)}")
        return f"WHEN {' AND '.join(conditions)} THEN {self._polynomial(piece, x, weights)}"

    def _polynomial(self, piece: Piece, x: str, weights: FloatArray) -> str:
        number = self.dialect.number
        coefficients = piece.coefficients @ weights
        t = f"(({x} - {number(piece.origin)}) / {number(piece.width)})"
        found = number(float(coefficients[-1]))
        for value in coefficients[-2::-1]:
            found = f"({number(float(value))} + {t} * {found})"
        return found

    def _guarded(self, formula: CompiledFormula, total: str) -> str:
        """NULL for rows of which the data say nothing, after columns were left out."""
        N = null_space(self.design)
        if N is None:
            return total
        contrasts = {
            f.name() for subterms in formula.info.term_codings.values() for s in subterms for f in s.contrast_matrices
        }
        if not set(formula.factors) <= contrasts:
            raise NotAvailableError(
                f"Columns were left out of this model ({', '.join(self.design.left_out[:3])}), and where the data determine no "
                f"prediction SQL could not say so; take the terms out of the formula."
            )
        checks = [f"ABS({' + '.join(self._terms(formula, direction))}) < 1e-6" for direction in N.T]
        return f"CASE WHEN {' AND '.join(checks)} THEN {total} END"
