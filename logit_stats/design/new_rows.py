"""Other data as a `Design`: coded as at the fit, outcomes read as at the fit, every row accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.factor_values import FactorValues, NumericValues, align_levels, factor_values, refuse_infinite
from logit_stats.design.from_arrays import endog_columns, new_columns
from logit_stats.design.from_formula import rows_missing, zero_weight
from logit_stats.design.response import Response, count_column, grouped_response
from logit_stats.design.row_numbers import RowNumbers, numbers_at, refuse_other_rows, row_numbers, weights_of
from logit_stats.design.sample import Mask, Screening
from logit_stats.design.table import Table
from logit_stats.errors import DataError, ResponseError


def design_of_new_rows(
    design: Design,
    data: Any,
    *,
    outcome: Any = None,
    offset: Any = None,
    freq_weights: Any = None,
    sampling_weights: Any = None,
    trials: Any = None,
) -> Design:
    """Rows of other data in the columns of a fit, with their outcomes; incomplete rows are left out and counted.

    Parameters
    ----------
    design : Design
        Of the fit.
    data : table, or (m, k) array_like
        For formula fits a table, else design columns.
    outcome : str or (m,) array_like, optional
        Outcomes, or the column that has them, where it is not that of the fit (always for array fits); counts of successes,
        or two columns of successes and failures, for grouped data.
    offset, freq_weights, sampling_weights, trials : str or (m,) array_like, optional
        By default the columns of these names that the fit used, where `data` have them.

    Raises
    ------
    DataError
        One of its kinds, for everything that can be wrong with the data.
    """
    columns = _formula_columns(design, data) if design.formula is not None else _array_columns(design, data)
    table, index = columns.table, columns.index
    weights = _weights(design, table, index, freq_weights, sampling_weights)
    trials_ = _trials(design, table, index, trials)
    offset_ = new_offset(design, table, index, offset)
    if table is not None or isinstance(data, pd.DataFrame):
        refuse_other_rows("outcome", outcome, index)
    outcomes, missing = _outcomes(design, table, index, outcome)
    for name, rows in (columns.missing | _numbers_missing(weights, trials_, offset_)).items():
        missing[name] = missing[name] | rows if name in missing else rows
    screening, zero = Screening(index, None), zero_weight(weights, trials_)
    keep = screening.keep(missing, zero, "drop")
    used = np.ones(len(index), dtype=np.bool_) if keep is None else keep
    labels = index[used]
    weights, trials_, offset_ = (numbers_at(number, used) for number in (weights, trials_, offset_))
    response = _response(design.response, {name: v.where(used) for name, v in outcomes.items()}, trials_, labels)
    weight = 1.0 if weights is None else weights.values
    total = 1.0 if response.trials is None else response.trials
    events = float(np.sum(weight * response.successes))
    nonevents = float(np.sum(weight * (total - response.successes)))
    return Design(
        X=columns.of(used), names=design.names, response=response, weight=weights, offset=offset_,
        sample=screening.account(missing, zero, keep, events, nonevents), index=labels, labelled=design.labelled,
        formula=design.formula, constant=design.constant, table=table,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Columns:
    """Design columns of new rows, still to be filled: the factors of a formula, or the columns of an array."""

    design: Design
    table: Table | None
    index: pd.Index
    missing: dict[str, Mask]
    values: dict[str, FactorValues]
    X: FloatArray | None = None

    def of(self, used: Mask) -> FloatArray:
        """Columns of the rows used."""
        formula = self.design.formula
        if self.X is not None or formula is None:
            assert self.X is not None
            return self.X[used]
        values = {name: value.where(used) for name, value in self.values.items()}
        for name, value in values.items():
            refuse_infinite(name, value, self.index[used], np.ones(int(used.sum()), dtype=np.bool_))
        X = formula.fill_coded(values, int(used.sum()))
        if formula.names == self.design.names:
            return X
        return X[:, [formula.names.index(name) for name in self.design.names]]


def _formula_columns(design: Design, data: Any) -> _Columns:
    formula, table = design.formula, Table(data)
    assert formula is not None
    values = formula.values_of(table)
    return _Columns(design, table, table.index, rows_missing(formula.factors, values, []), values)


def _array_columns(design: Design, data: Any) -> _Columns:
    X, index = new_columns(data, design.names)
    index = pd.RangeIndex(len(X)) if index is None else index
    absent = {name: np.isnan(X[:, j]) for j, name in enumerate(design.names)}
    for j, name in enumerate(design.names):
        refuse_infinite(name, NumericValues(X[:, [j]]), index, ~absent[name])
    return _Columns(design, None, index, {name: rows for name, rows in absent.items() if rows.any()}, {}, X)


def new_offset(design: Design, table: Table | None, index: pd.Index, offset: Any) -> RowNumbers | None:
    """Offset of new rows: as given, or the column that the fit used.

    Raises
    ------
    DataError
        If the model has an offset and the new data have none.
    """
    known = design.offset
    if offset is None and known is not None:
        if known.column is None or design.formula is None:
            raise DataError(
                "The model was fitted with an offset given as an array: give the offset of the new rows as offset= "
                "(0 for none)."
            )
        offset = known.column
    return row_numbers("offset", offset, table, index)


def _weights(design: Design, table: Table | None, index: pd.Index, frequency: Any, sampling: Any) -> RowNumbers | None:
    known = design.weight
    if frequency is None and sampling is None and known is not None and table is not None and known.column in table:
        if known.argument == "freq_weights":
            frequency = known.column
        else:
            sampling = known.column
    return weights_of(frequency, sampling, table, index)


def _trials(design: Design, table: Table | None, index: pd.Index, trials: Any) -> RowNumbers | None:
    known = design.response.trials_column
    if trials is None and known is not None and table is not None:
        table.column(known, "trials of the new data")
        trials = known
    return row_numbers("trials", trials, table, index)


def _numbers_missing(*numbers: RowNumbers | None) -> dict[str, Mask]:
    found = {number.label: np.isnan(number.values) for number in numbers if number is not None}
    return {name: rows for name, rows in found.items() if rows.any()}


def _outcomes(
    design: Design, table: Table | None, index: pd.Index, outcome: Any
) -> tuple[dict[str, FactorValues], dict[str, Mask]]:
    """One column of outcomes, or successes and failures, by name, and where they are missing."""
    left = {} if design.formula is None else design.formula.left
    if isinstance(outcome, str):
        if table is None:
            raise DataError(f"outcome={outcome!r} names a column, and an array fit has none: give the outcomes.")
        outcome = table.column(outcome, "outcome")
    if outcome is not None:
        if len(outcome) != len(index):
            raise DataError(f"outcome has {len(outcome)} values and the new data have {len(index)} rows.")
        columns, names, _ = endog_columns(outcome, len(index))
        if len(names) == 1 and not isinstance(outcome, (pd.Series, pd.DataFrame)):
            names = [design.response.name]
        values = {name: factor_values(name, c, len(index), index) for name, c in zip(names, columns, strict=True)}
        return values, {name: v.missing for name, v in values.items() if v.missing is not None}
    if table is None or not left:
        raise DataError("An array fit needs outcome=: the new outcomes, one for each row.")
    absent = [column for factor in left.values() for column in factor.columns if column not in table]
    if absent:
        raise DataError(f"The new data have no column {absent[0]!r}; give the outcomes as outcome=.")
    values = {name: factor.evaluate(table) for name, factor in left.items()}
    return values, rows_missing(left, values, [])


def _response(
    fitted: Response, outcomes: dict[str, FactorValues], trials: RowNumbers | None, labels: pd.Index
) -> Response:
    if len(outcomes) == 2:
        if trials is not None:
            raise ResponseError("Give either successes and failures, or one column of successes with trials=.")
        successes, failures = (count_column(name, values, labels) for name, values in outcomes.items())
        return grouped_response(" + ".join(outcomes), successes, successes + failures, labels)
    ((name, values),) = outcomes.items()
    if trials is not None:
        return grouped_response(name, count_column(name, values, labels), trials.values, labels, trials.column)
    if fitted.levels is None:
        raise ResponseError(
            "The model counts successes out of trials: give trials= for the new rows (trials=1 where each is one outcome)."
        )
    codes = align_levels(f"the outcome {name!r}", values, fitted.levels, labels).codes
    return Response(name, fitted.success, fitted.failure, np.asarray(codes, dtype=np.float64), None, fitted.levels)
