"""Average probabilities along a variable: what the rows of a fit would have if it were set, everything else as observed.

For array fits, where columns stand for themselves, one column is set and the others stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.variables import as_numbers, find_column, find_variable, used_column
from logit_stats.errors import NotAvailableError
from logit_stats.estimation.fit import Fit
from logit_stats.inference.averages import Average, Averages, Rows, sums
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.effect_weights import scenarios, weight_groups
from logit_stats.inference.variable_margins import outcome_labels

PART_ROWS = 1 << 15
_Place = tuple[dict[str, Any], dict[str, Any], Any, Average]


def average_probabilities(
    fit: Fit,
    cov: Covariance,
    name: str | int,
    values: Sequence[Any],
    at: Mapping[str, Any] | None = None,
    over: str | Sequence[str] | None = None,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Average probability with a variable at each of some values.

    Parameters
    ----------
    fit : Fit
    cov : Covariance
    name : str or int
        A variable; of array fits a column's name or position.
    values : sequence
    at : mapping, optional
        Other variables set to a value, or to each of several values in turn.
    over : str or sequence of str, optional
        Columns of the data: averages over the rows of each combination of their values.
    alpha : float
        The limits have level ``1 - alpha``.

    Returns
    -------
    DataFrame
        One row each: the variables of `at`, `over`, the variable, (category,) prob, std_error (delta method), conf_low,
        conf_high.

    Raises
    ------
    NotAvailableError
        For `at` and `over` of array fits.
    """
    arrays = fit.design.formula is None
    if arrays and (at or over is not None):
        raise NotAvailableError("`at` and `over` need a formula fit, which knows variables.")
    if arrays:
        column = find_column(fit.design, name)
        asked: list[_Place] = [({}, {}, value, _mean_with_column(fit, column, float(value))) for value in values]
    else:
        averages, settings = Averages(fit), scenarios(fit.design, at)
        asked = [
            (setting, group, value, averages.probabilities(weight, {**setting, str(name): value}))
            for setting, (group, weight), value in product(settings, weight_groups(fit.design, over), values)
        ]
    places = [
        {**setting, **group, name: value, **outcome}
        for setting, group, value, _ in asked
        for outcome in outcome_labels(fit)
    ]
    prob = np.concatenate([average.value for *_, average in asked])
    G = np.concatenate([average.gradient for *_, average in asked])
    se = np.sqrt(np.maximum(np.einsum("ij,ij->i", G @ cov.working, G), 0.0))
    limits = cov.reference.along(np.nan_to_num(G)).limits(prob, se, alpha)
    return pd.DataFrame(places).assign(prob=prob, std_error=se, conf_low=limits[:, 0], conf_high=limits[:, 1])


def usual_values(design: Design, name: str | int, points: int) -> tuple[list[Any], bool]:
    """Levels of a factor (or the two values of a number that has two), else `points` values along the range of a number.

    The second answer says whether they are levels.
    """
    if design.formula is not None:
        found = find_variable(design, str(name))
        levels = list(found.levels) if found.own_levels else []
        if levels or (found.kind == "factor" and np.isnan(found.low)):
            return levels or list(found.levels), True
        x = as_numbers(used_column(design, str(name)))
        return list(np.linspace(float(x.min()), float(x.max()), points)), False
    column = np.asarray(design.X[:, find_column(design, name)])
    low, high = float(column.min()), float(column.max())
    two = low < high and bool(((column == low) | (column == high)).all())
    return ([low, high], True) if two else (list(np.linspace(low, high, points)), False)


def _mean_with_column(fit: Fit, j: int, value: float) -> Average:
    """Weighted mean probabilities with design column j set, and their gradients."""
    level: FloatArray | float = 0.0
    gradient: FloatArray | float = 0.0
    weight = fit.design.row_weight
    start = 0
    for block in fit.design.blocks(PART_ROWS):
        X = np.array(block.X)
        X[:, j] = value
        a = weight[start : start + len(X)]
        offset = None if fit.design.row_offset is None else fit.design.row_offset[start : start + len(X)]
        found = sums(fit, Rows(fit.working.columns(X), offset, a, [], np.zeros((len(X), 0))), False, "dydx")
        level, gradient = level + found[0], gradient + found[1]
        start += len(X)
    size = float(weight.sum())
    return Average(np.asarray(level) / size, np.asarray(gradient) / size)
