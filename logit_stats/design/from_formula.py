"""From a formula and a table to a `Design`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.codable import refuse_lone_levels
from logit_stats.design.design import Design, constant_column
from logit_stats.design.factor_values import FactorValues, refuse_infinite
from logit_stats.design.formula import (
    Factor,
    ParsedFormula,
    lay_out,
    learn_factors,
    names_in,
    parse,
    scope_columns,
)
from logit_stats.design.other_rows import refuse_other_rows
from logit_stats.design.response import (
    Response,
    ResponseReader,
    binary_response,
    count_column,
    grouped_response,
    refuse_one_class,
)
from logit_stats.design.row_arguments import RowArguments
from logit_stats.design.row_numbers import RowNumbers
from logit_stats.design.sample import Mask, Screening
from logit_stats.design.screening import screen
from logit_stats.design.table import Table, column_names
from logit_stats.errors import ResponseError, TooFewRowsError, check_choice, counted, listed


def design_from_formula(
    formula: str,
    data: Any,
    scope: Any,
    arguments: RowArguments | None = None,
    *,
    refuse_wide: bool = True,
    as_response: ResponseReader = binary_response,
    constant: bool = False,
) -> Design:
    """Columns, response, weights and the account of the rows, from a formula.

    Parameters are those of `logit_stats.logit`, what is given for each row in `arguments`; `scope` comes from `capture_scope`.
    With `refuse_wide` a design of more columns than rows is refused before it is built; `as_response` reads the response where
    it is a single variable. With `constant` there is one, whatever the formula says of it: a model of thresholds.

    Raises
    ------
    DataError
        One of its kinds, for everything that can be wrong with the data.
    """
    arguments = RowArguments() if arguments is None else arguments
    check_choice("missing", arguments.missing, ("drop", "raise"))
    parsed = parse(formula, scope, column_names(data))
    parsed = parsed.with_constant() if constant else parsed
    whole = Table(scope_columns(parsed) if data is None else data, {*names_in(parsed), *arguments.columns})
    inside = arguments.inside(whole.index)
    screening = Screening(whole.index, inside)
    table = whole if inside is None else whole.where(inside)
    rows = arguments.read(whole, whole.index).where(inside).check(table.index)

    left = learn_factors(parsed.response_terms, parsed, table)
    right = learn_factors(parsed.terms, parsed, table)
    factors = {**left, **right}
    values = {name: factor.evaluate(table) for name, factor in factors.items()}
    for name, factor in right.items():
        refuse_other_rows(factor, table, values[name])
    screened = screen(
        screening, missing_in(factors, values, table), rows, [values[name] for name in left], arguments.missing
    )
    before, values = values, {name: screened.of(value) for name, value in values.items()}
    refuse_lone_levels(right, before, values, screened.missing, inside is not None)
    labels = screened.labels
    for name, value in values.items():
        refuse_infinite(name, value, labels, np.ones(len(labels), dtype=np.bool_))

    response = response_of(parsed, values, screened.rows.trials, labels, as_response)
    compiled = replace(lay_out(parsed, right, {name: values[name] for name in right}), left=left)
    if refuse_wide and len(compiled.names) > len(labels):
        raise TooFewRowsError(_too_wide(compiled, len(labels)))
    weights = screened.rows.weights
    events, nonevents = refuse_one_class(response, None if weights is None else weights.values)
    X = compiled.fill_coded(values, len(labels))
    return Design(
        X=X,
        names=compiled.names,
        response=response,
        weight=weights,
        offset=screened.rows.offset,
        sample=screened.account(response, events, nonevents),
        index=labels,
        labelled=True,
        formula=compiled,
        table=whole,
        constant=compiled.names.index("Intercept") if "Intercept" in compiled.names else constant_column(X),
    )


def missing_in(factors: dict[str, Factor], values: dict[str, FactorValues], table: Table) -> list[tuple[str, Mask]]:
    """Rows in which each variable is missing, and in which an expression alone is: see `Factor.absent`."""
    return [found for name, factor in factors.items() for found in factor.absent(table, values[name])]


def response_of(
    parsed: ParsedFormula,
    values: dict[str, FactorValues],
    trials: RowNumbers | None,
    labels: pd.Index,
    as_response: ResponseReader,
) -> Response:
    """The response that the left-hand side gives."""
    terms = parsed.response_terms
    if any(len(term.factors) != 1 for term in terms) or len(terms) > 2:
        raise ResponseError(
            f"The response of {parsed.text!r} must be one variable, or 'successes + failures' as two variables."
        )
    names = [term.factors[0].name() for term in terms]
    if len(names) == 2:
        if trials is not None:
            raise ResponseError("Give either 'successes + failures ~ ...' or one column of successes with trials=.")
        successes, failures = (count_column(name, values[name], labels) for name in names)
        return grouped_response(" + ".join(names), successes, successes + failures, labels)
    if trials is not None:
        counts = count_column(names[0], values[names[0]], labels)
        return grouped_response(names[0], counts, trials.values, labels, trials.column)
    return as_response(names[0], values[names[0]], labels)


def _too_wide(compiled: Any, rows: int) -> str:
    widest = sorted(compiled.term_slices.items(), key=lambda item: item[1].start - item[1].stop)
    terms = listed([f"{name} ({counted(where.stop - where.start, 'column')})" for name, where in widest[:3]])
    return (
        f"The formula gives {counted(len(compiled.names), 'column')} for {counted(rows, 'row')}: more coefficients than rows "
        f"cannot be estimated. The widest terms are {terms}."
    )
