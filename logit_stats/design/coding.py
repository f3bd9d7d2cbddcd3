"""`Coding`: how rows of a stream become a design. What was learned of all rows once, every range of them is coded by.

A range of rows goes through the same screening, the same formula and the same checks as a table in memory; only levels, the
two values of the response, and what transforms remember are those of all rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.design import Design
from logit_stats.design.factor import Factor
from logit_stats.design.factor_values import (
    CategoricalValues,
    FactorValues,
    align_levels,
    as_numbers,
    refuse_infinite,
)
from logit_stats.design.formula import CompiledFormula, ParsedFormula
from logit_stats.design.from_formula import missing_in, response_of
from logit_stats.design.response import Response, binary_response, event_counts
from logit_stats.design.row_arguments import RowArguments
from logit_stats.design.row_batch import RowBatch
from logit_stats.design.row_numbers import RowNumbers
from logit_stats.design.sample import Mask, Screening, _any
from logit_stats.design.screening import Screened, screen
from logit_stats.design.table import Table


class RangeScreening(Screening):
    """The screening of a range of rows, of which none need be left."""

    __slots__ = ()

    def keep(self, missing: dict[str, Mask], weight_zero: Mask | None, policy: str) -> Mask | None:
        """Rows to use; None for all."""
        if missing and policy != "drop":
            return super().keep(missing, weight_zero, policy)
        if not missing and weight_zero is None:
            return None
        keep = ~_any(missing, self.rows)
        return keep if weight_zero is None else keep & ~weight_zero


def screened_values(
    left: dict[str, Factor], right: dict[str, Factor], arguments: RowArguments, table: Table
) -> tuple[dict[str, FactorValues], Screened]:
    """Values of all factors in a range of rows, and which of its rows stay."""
    rows = arguments.read(table, table.index).check(table.index)
    factors = {**left, **right}
    values = {name: factor.evaluate(table) for name, factor in factors.items()}
    masks = missing_in(factors, values, table)
    response = [values[name] for name in left]
    return values, screen(RangeScreening(table.index, None), masks, rows, response, arguments.missing)


@dataclass(frozen=True, eq=False)
class Coding:
    """From rows to columns.

    Attributes
    ----------
    formula : CompiledFormula
    parsed : ParsedFormula
    arguments : RowArguments
        Offset, weights and trials, by the names of their columns.
    response : Response
        What it is called and which value is the event; its arrays are empty.
    """

    formula: CompiledFormula
    parsed: ParsedFormula
    arguments: RowArguments
    response: Response

    def design(self, batch: RowBatch) -> Design | None:
        """The design of a range of rows; None where none of them is used."""
        table = Table(batch)
        formula = self.formula
        values, screened = screened_values(formula.left, formula.factors, self.arguments, table)
        labels = screened.labels
        if len(labels) == 0:
            return None
        values = {name: screened.of(value) for name, value in values.items()}
        used = np.ones(len(labels), dtype=np.bool_)
        for name, value in values.items():
            refuse_infinite(name, value, labels, used)
        response = self._response(values, screened.rows.trials, labels)
        weights = screened.rows.weights
        events, nonevents = event_counts(response, None if weights is None else weights.values)
        X = formula.fill_coded(self._aligned(values, labels), len(labels))
        return Design(
            X, formula.names, response, weights, screened.rows.offset, screened.account(response, events, nonevents),
            labels, True, formula, formula.names.index("Intercept") if "Intercept" in formula.names else None,
            table=table,
        )  # fmt: skip

    def _aligned(self, values: dict[str, FactorValues], labels: pd.Index) -> dict[str, FactorValues]:
        aligned: dict[str, FactorValues] = {}
        for name, factor in self.formula.factors.items():
            info = self.formula.info.factor_infos[factor.term_factor]
            aligned[name] = (
                align_levels(name, values[name], info.categories, labels)
                if info.type == "categorical"
                else as_numbers(name, values[name], info.num_columns)
            )
        return aligned

    def _response(self, values: dict[str, FactorValues], trials: RowNumbers | None, labels: pd.Index) -> Response:
        return response_of(self.parsed, values, trials, labels, self._binary)

    def _binary(self, name: str, values: FactorValues, index: pd.Index) -> Response:
        """The response of a range of rows, in which one of the values may not occur."""
        if not isinstance(values, CategoricalValues):
            return binary_response(name, values, index)
        assert self.response.levels is not None
        yes = np.array([level == self.response.levels[1] for level in values.levels], dtype=np.float64)
        return replace(self.response, successes=yes[values.codes])

    def __getstate__(self) -> dict[str, Any]:
        # patsy's terms and the caller's scope cannot travel; the right-hand side is in the compiled formula already
        return {**self.__dict__, "parsed": [len(term.factors) for term in self.parsed.response_terms]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        left = list(state["formula"].left.values())
        terms = tuple(_Term([factor.term_factor]) for factor in left)
        state["parsed"] = ParsedFormula(state["formula"].text, terms, (), None)
        self.__dict__.update(state)


@dataclass(frozen=True)
class _Term:
    """Stands for a term of the response in another process."""

    factors: list[Any]
