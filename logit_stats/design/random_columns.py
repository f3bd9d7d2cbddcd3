"""`RandomPart`: a random term with its columns and the groups of the rows, and how new data become the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import patsy
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.formula import CompiledFormula, ParsedFormula, lay_out, learn_factors, names_in
from logit_stats.design.given_rows import for_rows_used
from logit_stats.design.random_terms import RandomTerm
from logit_stats.design.table import Table
from logit_stats.errors import DataError, FormulaError, UnseenLevelError, counted, listed

SEPARATOR = ":"


@dataclass(frozen=True, eq=False)
class RandomPart:
    """A random term in the rows of a fit.

    Attributes
    ----------
    term : RandomTerm
    names : (q,) tuple of str
        Names of the columns.
    labels : tuple
        What each group is called.
    codes : (n,) int
        Group of each row used.
    Z : (n, q)
        What the effects multiply.
    formula : CompiledFormula or None
        How new data become columns; None for the columns of an array fit.
    """

    term: RandomTerm
    names: tuple[str, ...]
    labels: tuple[Any, ...]
    codes: NDArray[np.intp]
    Z: FloatArray
    formula: CompiledFormula | None

    def columns(self, data: Any, rows: int) -> FloatArray:
        """(rows, q) columns of new data, NaN where something is missing.

        Raises
        ------
        DataError
            For an array fit with columns of its own, which new data do not have.
        """
        if self.formula is not None:
            return self.formula.design_matrix(data)[0]
        if self.names != ("const",):
            raise DataError("New data of an array fit have no columns for its random slopes; fit by a formula.")
        return np.ones((rows, 1))

    def groups(self, data: Any) -> NDArray[np.intp]:
        """(rows,) groups of new data.

        Raises
        ------
        MissingColumnError, UnseenLevelError
            If the data lack a column, or have a group that the fit did not see.
        """
        table = Table.of(data)
        columns = [table.column(name, f"groups of {self.term}") for name in self.term.factors]
        position = {label: code for code, label in enumerate(self.labels)}
        found = [position.get(label, -1) for label in _labels(columns)]
        codes = np.array(found, dtype=np.intp)
        if (codes < 0).any():
            unseen = listed(list(dict.fromkeys(str(v) for v, c in zip(_labels(columns), found, strict=True) if c < 0)))
            raise UnseenLevelError(
                f"The fit has no {self.term.grouping} {unseen}, so there is no effect to predict with: "
                f"effects='population' averages over groups."
            )
        return codes

    def without_rows(self) -> RandomPart:
        """Return the same part without the rows."""
        return RandomPart(self.term, self.names, self.labels, self.codes[:0], self.Z[:0], self.formula)


def names_needed(terms: tuple[RandomTerm, ...], scope: Any, table: Table) -> dict[str, str]:
    """Columns of the data that random terms read, by what they are wanted for."""
    found = {}
    for term in terms:
        for name in term.factors:
            table.column(name, f"groups of {term}")
            found[f"groups {name}"] = name
        found |= {f"random slope {name}": name for name in names_in(_parsed(term, scope)) if name in table}
    return found


def random_part(term: RandomTerm, scope: Any, design: Design) -> RandomPart:
    """A random term in the rows used of a design.

    Raises
    ------
    FormulaError
        If its columns cannot be read.
    DataError
        If a column has a missing value that is none in the data (a logarithm of a negative number).
    """
    assert design.table is not None
    table = design.table.where(design.sample.used)
    parsed = _parsed(term, scope)
    factors = learn_factors(parsed.terms, parsed, table)
    values = {name: factor.evaluate(table) for name, factor in factors.items()}
    for name, value in values.items():
        if value.missing is not None and value.missing.any():
            raise DataError(
                f"{name!r} in the random term {term} has no value in {counted(int(value.missing.sum()), 'row')} used."
            )
    compiled = lay_out(parsed, factors, values)
    labels, codes = group_codes([for_rows_used(design, "groups", name) for name in term.factors])
    return RandomPart(term, compiled.names, labels, codes, np.asarray(compiled.fill(values, design.rows)), compiled)


def group_codes(columns: list[Any]) -> tuple[tuple[Any, ...], NDArray[np.intp]]:
    """Labels and codes of the combinations of columns, in the order in which they occur."""
    codes, labels = pd.factorize(np.array(_labels(columns), dtype=object))
    return tuple(labels), codes.astype(np.intp)


def _labels(columns: list[Any]) -> list[Any]:
    """A label for each row; of several columns their labels joined."""
    if len(columns) == 1:
        return list(columns[0])
    return [SEPARATOR.join(map(str, row)) for row in zip(*columns, strict=True)]


def _parsed(term: RandomTerm, scope: Any) -> ParsedFormula:
    try:
        description = patsy.ModelDesc.from_formula(term.columns)
    except patsy.PatsyError as error:
        raise FormulaError(f"The random term {term} cannot be read: {error}") from None
    if description.lhs_termlist or not description.rhs_termlist:
        raise FormulaError(
            f"The random term {term} has no effect; write (1 | {term.grouping}) or (1 + x | {term.grouping})."
        )
    return ParsedFormula(term.columns, (), tuple(description.rhs_termlist), scope)
