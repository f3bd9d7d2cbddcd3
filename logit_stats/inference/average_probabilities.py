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
from logit_stats.design.counterfactual import find_column, find_variable
from logit_stats.design.design import Design
from logit_stats.errors import NotAvailableError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.estimation.rows import probability, variance
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.variable_margins import mean_probability, scenarios, weight_groups


def average_probabilities(
    fit: Fit,
    cov: Covariance,
    name: str | int,
    values: Sequence[Any],
    at: Mapping[str, Any] | None = None,
    over: str | None = None,
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
    over : str, optional
        A column of the data: averages over the rows of each of its values.
    alpha : float
        The limits have level ``1 - alpha``.

    Returns
    -------
    DataFrame
        One row each: the variables of `at`, `over`, the variable, prob, std_error (delta method), conf_low, conf_high.

    Raises
    ------
    NotAvailableError
        For `at` and `over` of array fits.
    """
    arrays = fit.design.formula is None
    if arrays and (at or over is not None):
        raise NotAvailableError("`at` and `over` need a formula fit, which knows variables.")
    settings, groups = ([{}], [(None, fit.design.row_weight)]) if arrays else (
        scenarios(fit, at), weight_groups(fit, over, None))  # fmt: skip
    rows, gradients = [], []
    for setting, (group, weight), value in product(settings, groups, values):
        if arrays:
            p, gradient = _mean_with_column(fit, find_column(fit.design, name), float(value))
        else:
            p, gradient = mean_probability(fit, {**setting, str(name): value}, weight)
        rows.append({**setting, **({} if over is None else {over: group}), name: value, "prob": p})
        gradients.append(gradient)
    G = np.array(gradients)
    se = np.sqrt(np.maximum(np.einsum("ij,ij->i", G @ cov.working, G), 0.0))
    half, frame = cov.reference.along(G).half_width(se, alpha), pd.DataFrame(rows)
    return frame.assign(std_error=se, conf_low=frame["prob"] - half, conf_high=frame["prob"] + half)


def usual_values(design: Design, name: str | int, points: int) -> tuple[list[Any], bool]:
    """Levels of a factor (or the two values of a number that has two), else `points` values along the range of a number.

    The second answer says whether they are levels.
    """
    if design.formula is not None:
        found = find_variable(design, str(name))
        levels, low, high = list(found.levels), found.low, found.high
    else:
        column = np.asarray(design.X[:, find_column(design, name)])
        low, high = float(column.min()), float(column.max())
        levels = [low, high] if low < high and bool(((column == low) | (column == high)).all()) else []
    return (levels, True) if levels else (list(np.linspace(low, high, points)), False)


def _mean_with_column(fit: Fit, j: int, value: float) -> tuple[float, FloatArray]:
    """Weighted mean probability with design column j set, and its gradient."""
    total, size, gradient = 0.0, 0.0, np.zeros(fit.parameters)
    for block in fit.design.blocks(TALL_ROWS):
        X = np.array(block.X)
        X[:, j] = value
        Z = fit.working.columns(X)
        eta = Z @ fit.gamma if block.offset is None else Z @ fit.gamma + block.offset
        a = np.ones(len(eta)) if block.weight is None else block.weight
        a = a if block.trials is None else a * block.trials
        total, size = total + float(a @ probability(eta)), size + float(a.sum())
        gradient += (a * variance(eta)) @ Z
    return total / size, gradient / size
