"""From a formula and a table to a `Design`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.design import Design, constant_column
from logit_stats.design.factor_values import FactorValues, refuse_infinite
from logit_stats.design.formula import Factor, ParsedFormula, lay_out, learn_factors, parse, scope_columns
from logit_stats.design.response import (
    Response,
    ResponseReader,
    binary_response,
    count_column,
    grouped_response,
    outcome_counts,
    refuse_one_class,
)
from logit_stats.design.row_numbers import RowNumbers, check_weights, numbers_at, row_numbers
from logit_stats.design.sample import Mask, Screening
from logit_stats.design.table import Table
from logit_stats.errors import DataError, ResponseError, TooFewRowsError, WeightError, check_choice, listed


def design_from_formula(
    formula: str,
    data: Any,
    scope: Any,
    *,
    subset: Any = None,
    missing: str = "drop",
    offset: Any = None,
    freq_weights: Any = None,
    sampling_weights: Any = None,
    trials: Any = None,
    refuse_wide: bool = True,
    as_response: ResponseReader = binary_response,
) -> Design:
    """Columns, response, weights and the account of the rows, from a formula.

    Parameters are those of `logit_stats.logit`; `scope` comes from `capture_scope`. With `refuse_wide` a design of
    more columns than rows is refused before it is built; `as_response` reads the response where it is a single variable.

    Raises
    ------
    DataError
        One of its kinds, for everything that can be wrong with the data.
    """
    check_choice("missing", missing, ("drop", "raise"))
    parsed = parse(formula, scope)
    whole = Table(scope_columns(parsed) if data is None else data)
    inside = _subset_mask(subset, whole.index)
    numbers = [
        row_numbers(argument, given, whole, whole.index)
        for argument, given in (
            ("offset", offset),
            ("freq_weights", freq_weights),
            ("sampling_weights", sampling_weights),
            ("trials", trials),
        )
    ]
    screening = Screening(whole.index, inside)
    table = whole if inside is None else whole.where(inside)
    offset_, weights, trials_ = _sorted_out(numbers, inside, table.index)

    left = learn_factors(parsed.response_terms, parsed, table)
    right = learn_factors(parsed.terms, parsed, table)
    values = {name: factor.evaluate(table) for name, factor in {**left, **right}.items()}
    given = [number for number in (offset_, weights, trials_) if number is not None]
    missing_rows = rows_missing({**left, **right}, values, given)
    zero = zero_weight(weights, trials_)
    keep = screening.keep(missing_rows, zero, missing)
    labels = screening.labels
    if keep is not None:
        values = {name: value.where(keep) for name, value in values.items()}
        labels = labels[keep]
        offset_, weights, trials_ = (numbers_at(number, keep) for number in (offset_, weights, trials_))
    for name, value in values.items():
        refuse_infinite(name, value, labels, np.ones(len(labels), dtype=np.bool_))

    response = _response(parsed, values, trials_, labels, as_response)
    compiled = replace(lay_out(parsed, right, {name: values[name] for name in right}), left=left)
    if refuse_wide and len(compiled.names) > len(labels):
        raise TooFewRowsError(_too_wide(compiled, len(labels)))
    events, nonevents = refuse_one_class(response, None if weights is None else weights.values)
    X = compiled.fill_coded(values, len(labels))
    return Design(
        X=X,
        names=compiled.names,
        response=response,
        weight=weights,
        offset=offset_,
        sample=screening.account(missing_rows, zero, keep, events, nonevents, outcome_counts(response, weights)),
        index=labels,
        labelled=True,
        formula=compiled,
        table=whole,
        constant=compiled.names.index("Intercept") if "Intercept" in compiled.names else constant_column(X),
    )


def _subset_mask(subset: Any, index: pd.Index) -> Mask | None:
    if subset is None:
        return None
    if isinstance(subset, pd.Series) and len(subset) == len(index) and not subset.index.equals(index):
        raise DataError("`subset` is a Series whose index differs from the data's; align it, or give an array.")
    mask = subset if isinstance(subset, pd.Series) else np.asarray(subset)
    if not pd.api.types.is_bool_dtype(mask.dtype) or mask.shape != (len(index),):
        raise DataError(
            f"`subset` must say True or False for each of the {len(index)} rows, as in subset=df['year'] > 2000; "
            f"it has shape {mask.shape} and holds {mask.dtype}."
        )
    if pd.isna(mask).any():
        raise DataError(
            "`subset` has missing values; say with fillna(False) or fillna(True) what becomes of these rows."
        )
    return np.asarray(mask, dtype=np.bool_)


def _sorted_out(
    numbers: list[RowNumbers | None], inside: Mask | None, labels: pd.Index
) -> tuple[RowNumbers | None, RowNumbers | None, RowNumbers | None]:
    """Offset, weights of either kind, and trials, inside the subset; both kinds at once are refused."""
    if inside is not None:
        numbers = [numbers_at(number, inside) for number in numbers]
    offset, frequency, sampling, trials = numbers
    if frequency is not None and sampling is not None:
        raise WeightError("Give freq_weights or sampling_weights, not both: they mean different things.")
    weights = frequency if frequency is not None else sampling
    if weights is not None:
        check_weights(weights, labels)
    return offset, weights, trials


def rows_missing(
    factors: dict[str, Factor], values: dict[str, FactorValues], given: list[RowNumbers]
) -> dict[str, Mask]:
    """Rows in which each variable is missing, by column where a factor reads one column, else by factor."""
    missing: dict[str, Mask] = {}
    masks: list[tuple[str, NDArray[np.bool_] | None]] = []
    for name, factor in factors.items():
        masks.append((factor.columns[0] if len(factor.columns) == 1 else name, values[name].missing))
    masks += [(number.label, np.isnan(number.values)) for number in given]
    for name, mask in masks:
        if mask is not None and mask.any():
            missing[name] = missing[name] | mask if name in missing else mask
    return missing


def zero_weight(weights: RowNumbers | None, trials: RowNumbers | None) -> Mask | None:
    """Rows whose weight, or number of trials, is zero."""
    zero: Mask | None = None
    for number in (weights, trials):
        if number is not None and (number.values == 0).any():
            zero = number.values == 0 if zero is None else zero | (number.values == 0)
    return zero


def _response(
    parsed: ParsedFormula,
    values: dict[str, FactorValues],
    trials: RowNumbers | None,
    labels: pd.Index,
    as_response: ResponseReader,
) -> Response:
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
    terms = listed([f"{name} ({where.stop - where.start} columns)" for name, where in widest[:3]])
    return (
        f"The formula gives {len(compiled.names)} columns and there are {rows} rows: more coefficients than rows cannot "
        f"be estimated. The widest terms are {terms}."
    )
