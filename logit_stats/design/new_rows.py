"""Other data as a `Design`: coded as at the fit, outcomes read as at the fit, every row accounted for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.alignment import in_row_order
from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.factor_values import FactorValues, NumericValues, align_levels, factor_values, refuse_infinite
from logit_stats.design.from_arrays import endog_columns, new_columns
from logit_stats.design.from_formula import missing_in
from logit_stats.design.response import Response, count_column, grouped_response
from logit_stats.design.row_arguments import RowArguments
from logit_stats.design.row_numbers import PREVALENCE, RowNumbers, row_numbers
from logit_stats.design.sample import Mask, Screening
from logit_stats.design.screening import screen
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
    given = RowArguments(offset=offset, freq_weights=freq_weights, sampling_weights=sampling_weights, trials=trials)
    if design.formula is not None:
        outcome_column = (outcome,) if isinstance(outcome, str) else ()
        columns = _formula_columns(design, data, {*given.columns, *_known_columns(design), *outcome_column})
    else:
        columns = _array_columns(design, data)
    table, index = columns.table, columns.index
    rows = _as_at_the_fit(design, table, given).read(table, index, labelled=columns.labelled).check(index)
    outcomes = _outcomes(design, columns, outcome)
    left = {} if outcome is not None or design.formula is None else design.formula.left
    masks: list[tuple[str, Mask | None]] = [(name, value.missing) for name, value in outcomes.items()]
    if left and table is not None:
        masks = [*missing_in(left, outcomes, table)]
    masks += columns.missing
    screened = screen(Screening(index, None), masks, rows, list(outcomes.values()), "drop")
    used = np.ones(len(index), dtype=np.bool_) if screened.keep is None else screened.keep
    rows, labels = screened.rows, screened.labels
    response = _response(design.response, {n: screened.of(v) for n, v in outcomes.items()}, rows.trials, labels)
    weight = 1.0 if rows.weights is None else rows.weights.values
    total = 1.0 if response.trials is None else response.trials
    events = float(np.sum(weight * response.successes))
    nonevents = float(np.sum(weight * (total - response.successes)))
    return Design(
        X=columns.of(used), names=design.names, response=response, weight=rows.weights, offset=rows.offset,
        sample=screened.account(response, events, nonevents), index=labels, labelled=design.labelled,
        formula=design.formula, constant=design.constant, table=table,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Columns:
    """Design columns of new rows, still to be filled: the factors of a formula, or the columns of an array."""

    design: Design
    table: Table | None
    index: pd.Index
    labelled: bool
    missing: list[tuple[str, Mask | None]]
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


def _formula_columns(design: Design, data: Any, also: set[str]) -> _Columns:
    formula = design.formula
    assert formula is not None
    table = Table.of(data, {*formula.columns, *also})
    values = formula.values_of(table)
    return _Columns(design, table, table.index, True, [*missing_in(formula.factors, values, table)], values)


def _known_columns(design: Design) -> set[str]:
    """Columns beside the formula's right-hand side that the fit used: of the response, weights, offset and trials."""
    left = {} if design.formula is None else design.formula.left
    found = {column for factor in left.values() for column in factor.columns}
    named = [design.response.trials_column, *(n.column for n in (design.weight, design.offset) if n is not None)]
    return found | {name for name in named if name is not None}


def _array_columns(design: Design, data: Any) -> _Columns:
    X, own = new_columns(data, design.names)
    index = pd.RangeIndex(len(X)) if own is None else own
    absent = [(name, np.isnan(X[:, j])) for j, name in enumerate(design.names)]
    for j, (name, rows) in enumerate(absent):
        refuse_infinite(name, NumericValues(X[:, [j]]), index, ~rows)
    return _Columns(design, None, index, own is not None, list(absent), {}, X)


def new_offset(
    design: Design, table: Table | None, index: pd.Index, offset: Any, *, labelled: bool = True
) -> RowNumbers | None:
    """Offset of new rows: as given, or the column that the fit used.

    Raises
    ------
    DataError
        If the model has an offset and the new data have none.
    """
    return row_numbers("offset", _known_offset(design, offset), table, index, labelled=labelled)


def _known_offset(design: Design, offset: Any) -> Any:
    known = design.offset
    if offset is not None or known is None or known.argument == PREVALENCE:
        return offset
    if known.column is None or design.formula is None:
        raise DataError(
            "The model was fitted with an offset given as an array: give the offset of the new rows as offset= (0 for none)."
        )
    return known.column


def _as_at_the_fit(design: Design, table: Table | None, given: RowArguments) -> RowArguments:
    """The arguments with the columns that the fit used, where nothing is given and the new data have them."""
    weight, trials = design.weight, design.response.trials_column
    found: dict[str, Any] = {"offset": _known_offset(design, given.offset)}
    unweighted = given.freq_weights is None and given.sampling_weights is None
    if unweighted and weight is not None and table is not None and weight.column in table:
        found[weight.argument] = weight.column
    if given.trials is None and trials is not None and table is not None:
        table.column(trials, "trials of the new data")
        found["trials"] = trials
    return replace(given, **found)


def _outcomes(design: Design, new: _Columns, outcome: Any) -> dict[str, FactorValues]:
    """One column of outcomes, or successes and failures, by name."""
    left = {} if design.formula is None else design.formula.left
    table, index = new.table, new.index
    if isinstance(outcome, str):
        if table is None:
            raise DataError(f"outcome={outcome!r} names a column, and an array fit has none: give the outcomes.")
        outcome = table.column(outcome, "outcome")
    if outcome is not None:
        if len(outcome) != len(index):
            raise DataError(f"outcome has {len(outcome)} values and the new data have {len(index)} rows.")
        if new.labelled:
            outcome = in_row_order("outcome", outcome, index)
        columns, names, _ = endog_columns(outcome)
        if len(names) == 1 and not isinstance(outcome, (pd.Series, pd.DataFrame)):
            names = [design.response.name]
        return {name: factor_values(name, c, len(index), index) for name, c in zip(names, columns, strict=True)}
    if table is None or not left:
        raise DataError("An array fit needs outcome=: the new outcomes, one for each row.")
    absent = [column for factor in left.values() for column in factor.columns if column not in table]
    if absent:
        raise DataError(f"The new data have no column {absent[0]!r}; give the outcomes as outcome=.")
    return {name: factor.evaluate(table) for name, factor in left.items()}


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
