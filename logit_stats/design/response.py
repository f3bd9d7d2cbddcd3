"""`Response`: the outcome as successes out of trials, and which level counts as a success."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.factor_values import CategoricalValues, FactorValues
from logit_stats.errors import NonFiniteError, OneClassError, ResponseError, counted, listed, listed_rows

if TYPE_CHECKING:
    from logit_stats.design.categories import Categories
    from logit_stats.design.row_numbers import RowNumbers


@dataclass(frozen=True, eq=False)
class Response:
    """The outcome of a binary or grouped logit.

    Attributes
    ----------
    name : str
        As the formula or the data name it.
    success, failure : str
        What is counted as a success and as a failure, in words: ``low = 1``.
    successes : (n,)
        Number of successes of each row, 0 or 1 for binary rows.
    trials : (n,) or None
        Number of trials of each row; None for binary rows.
    levels : (failure, success), optional
        The two values of a binary response, by which new data are read.
    trials_column : str, optional
        Where the trials came from, if that was a column of the table.
    categories : Categories or None
        The categories, where there may be more than two; successes are then the rows outside the reference category.
    """

    name: str
    success: str
    failure: str
    successes: FloatArray
    trials: FloatArray | None
    levels: tuple[Any, Any] | None = None
    trials_column: str | None = None
    categories: Categories | None = None

    @property
    def equations(self) -> tuple[str, ...]:
        """Names of the linear predictors of a row: a category each beyond the reference; one without a name for two outcomes."""
        return ("",) if self.categories is None else self.categories.names[1:]

    @property
    def labels(self) -> tuple[Any, ...]:
        """The categories, the reference first; none of a response of two outcomes."""
        return () if self.categories is None else self.categories.labels

    @property
    def codes(self) -> NDArray[np.intp] | None:
        """(n,) position of each row's category in `labels`."""
        return None if self.categories is None else self.categories.codes

    @property
    def outcomes(self) -> NDArray[Any]:
        """(n,) successes, or labels of the categories, whatever the reference."""
        if self.categories is None:
            return self.successes
        return np.asarray(self.categories.labels, dtype=object)[self.categories.codes]

    def counts(self, weight: FloatArray | None) -> FloatArray:
        """(C,) how often each outcome was observed, weights counted; of two: failures and successes."""
        if self.categories is not None:
            return self.categories.counts(weight)
        return np.asarray(self.observed(weight).sum(axis=0))

    def observed(self, weight: FloatArray | None) -> FloatArray:
        """(n, C) how often each outcome was observed in each row, weights counted; of two: failures and successes."""
        if self.categories is not None:
            one = np.eye(len(self.categories.labels))[self.categories.codes]
        else:
            one = np.column_stack([(1.0 if self.trials is None else self.trials) - self.successes, self.successes])
        return one if weight is None else np.asarray(one * weight[:, None])

    def at(self, rows: NDArray[np.intp]) -> Response:
        """Return the response of the rows at these positions."""
        return replace(
            self,
            successes=self.successes[rows],
            trials=None if self.trials is None else self.trials[rows],
            categories=None if self.categories is None else self.categories.at(rows),
        )

    @property
    def grouped(self) -> bool:
        """Whether a row holds counts."""
        return self.trials is not None

    @property
    def proportions(self) -> FloatArray:
        """(n,) share of successes of each row."""
        return self.successes if self.trials is None else self.successes / self.trials


# Reads one variable as a response: its name, values without missing ones, and the labels of the rows.
ResponseReader = Callable[[str, FactorValues, pd.Index], Response]


def binary_response(name: str, values: FactorValues, index: pd.Index) -> Response:
    """0/1 numbers, booleans or two levels as a response; the second level is the success.

    Raises
    ------
    ResponseError
        If there are more than two levels, or numbers other than 0 and 1.
    """
    if isinstance(values, CategoricalValues):
        return _two_levels(name, values)
    numbers = _one_column(name, values.values)
    binary = (numbers == 0.0) | (numbers == 1.0)
    if not binary.all():
        raise ResponseError(_not_binary(name, numbers[~binary], numbers, np.asarray(index)[~binary]))
    return Response(name, f"{name} = 1", f"{name} = 0", numbers, None, (0.0, 1.0))


def _two_levels(name: str, values: CategoricalValues) -> Response:
    counts = np.bincount(values.codes, minlength=len(values.levels))
    occurring = np.flatnonzero(counts)
    if len(occurring) > 2:
        shown = listed([repr(values.levels[i]) for i in occurring], 6)
        raise ResponseError(
            f"The response {name!r} has {len(occurring)} different values ({shown}); a logit needs two. "
            f"Compare with one of them, for example I({name} == {values.levels[occurring[-1]]!r}) ~ ..., or model all of them "
            f"with mnlogit or MNLogit."
        )
    if len(occurring) < 2 and len(values.levels) != 2:
        only = repr(values.levels[occurring[0]]) if len(occurring) else "nothing"
        raise OneClassError(f"The response {name!r} holds only {only}; there is nothing to compare it with.")
    failure, success = occurring if len(occurring) == 2 else (0, 1)
    successes = (values.codes == success).astype(np.float64)
    no, yes = values.levels[failure], values.levels[success]
    return Response(name, f"{name} = {yes}", f"{name} = {no}", successes, None, (no, yes))


def _not_binary(name: str, bad: FloatArray, numbers: FloatArray, rows: Any) -> str:
    distinct = np.unique(numbers)
    if len(distinct) == 2:
        low, high = (f"{value:g}" for value in distinct)
        return (
            f"The response {name!r} holds the values {low} and {high}, not 0 and 1; write C({name}) ~ ... "
            f"to model {high} against {low}, or recode it."
        )
    if bad.min() > 0.0 and bad.max() < 1.0:
        return (
            f"The response {name!r} holds proportions ({len(bad)} values strictly between 0 and 1, first in row "
            f"{listed_rows(rows, 1)}); a logit counts outcomes: give the successes and the number of trials (trials=...)."
        )
    shown = listed([f"{value:g}" for value in distinct], 6)
    return (
        f"The response {name!r} has {len(distinct)} different values ({shown}); a logit needs 0 and 1, two levels, "
        f"or counts of successes with trials=; categories go to mnlogit or MNLogit."
    )


def grouped_response(
    name: str, successes: FloatArray, trials: FloatArray, index: pd.Index, trials_column: str | None = None
) -> Response:
    """Counts of successes out of trials.

    Raises
    ------
    ResponseError
        If a count is negative, not whole, or larger than its trials.
    """
    labels = np.asarray(index)
    for what, counts in (("number of successes", successes), ("number of trials", trials)):
        bad = (counts < 0) | (counts != np.floor(counts))
        if bad.any():
            raise ResponseError(
                f"The {what} of {name!r} must be whole numbers, 0 or more: row {listed_rows(labels[bad], 1)} has "
                f"{counts[bad][0]:g}."
            )
    over = successes > trials
    if over.any():
        raise ResponseError(
            f"The successes of {name!r} exceed the trials in {counted(int(over.sum()), 'row')}: row "
            f"{listed_rows(labels[over], 1)} has {successes[over][0]:g} out of {trials[over][0]:g}."
        )
    return Response(name, "success", "failure", successes, trials, None, trials_column)


def count_column(name: str, values: FactorValues, index: pd.Index) -> FloatArray:
    """One column of counts, from a factor on the left-hand side."""
    if isinstance(values, CategoricalValues):
        raise ResponseError(
            f"{name!r} must hold counts, and holds the levels {listed([str(v) for v in values.levels])}."
        )
    numbers = _one_column(name, values.values)
    infinite = np.isinf(numbers)
    if infinite.any():
        raise NonFiniteError(f"{name!r} is infinite in row {listed_rows(np.asarray(index)[infinite])}.")
    return numbers


def _one_column(name: str, values: NDArray[Any]) -> FloatArray:
    if values.shape[1] != 1:
        raise ResponseError(
            f"The response {name!r} has {values.shape[1]} columns; give one, or 'successes + failures'."
        )
    return np.ascontiguousarray(values[:, 0], dtype=np.float64)


def outcome_counts(response: Response, weights: RowNumbers | None) -> tuple[tuple[str, float], ...]:
    """Number of rows of each category (frequency weights counted); empty for a binary response."""
    if response.categories is None:
        return ()
    counted = None if weights is None or weights.argument != "freq_weights" else weights.values
    return tuple(zip(response.categories.names, response.categories.counts(counted).tolist(), strict=True))


def event_counts(response: Response, weight: FloatArray | None) -> tuple[float, float]:
    """Events and non-events, weighted, trials counted."""
    successes, trials = response.successes, response.trials
    if weight is None:
        events = float(successes.sum())
        return events, (len(successes) if trials is None else float(trials.sum())) - events
    return float(weight @ successes), float(weight @ (1.0 - successes if trials is None else trials - successes))


def refuse_one_class(response: Response, weight: FloatArray | None) -> tuple[float, float]:
    """Events and non-events (weighted, trials counted); an error where either is zero.

    Raises
    ------
    OneClassError
        If all outcomes are the same.
    """
    events, nonevents = event_counts(response, weight)
    if events == 0.0 or nonevents == 0.0:
        always = response.failure if events == 0.0 else response.success
        raise OneClassError(
            f"All {len(response.successes)} rows used have {always}: the response {response.name!r} does not vary, "
            f"so no coefficient can be estimated. Check the coding of the response, and the rows left out."
        )
    return events, nonevents
