"""Marginal effects on the probability of the population: averages over rows and over the random effects.

For a number, the average of the derivative of the integrated probability; for a factor, the average at a level minus the
average at another. Errors by the delta method, those of the variances included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.counterfactual import Part, kept_places, parts
from logit_stats.design.smoothness import derivative
from logit_stats.design.variables import Variable, find_variable, is_number, used_column, variables
from logit_stats.errors import DataError, check_choice
from logit_stats.estimation.mixed import MixedFit
from logit_stats.inference.integrated import integrated
from logit_stats.inference.margins_table import Margins
from logit_stats.inference.mixed_predictions import MixedRows, population_probability
from logit_stats.inference.reference import NORMAL

Average = tuple[float, FloatArray]


def population_margins(
    fit: MixedFit,
    V: FloatArray,
    names: str | Sequence[str] | None = None,
    at: Mapping[str, Any] | None = None,
    *,
    changes: str = "reference",
    dummy: bool = False,
    alpha: float = 0.05,
    cov_type: str = "nonrobust",
) -> Margins:
    """Effects of variables on the probability, averaged over rows and groups.

    Parameters
    ----------
    fit : MixedFit
    V : (p, p)
        Covariance of psi.
    names : str or sequence of str, optional
        Variables; by default all of the fixed part.
    at : mapping, optional
        Variables set to a value.
    changes : {"reference", "pairwise"}
        Levels against the first, or every pair.
    dummy : bool
        Whether numbers with two values change from one to the other.
    alpha : float
    cov_type : str
        What the covariance is called.
    """
    check_choice("changes", changes, ("reference", "pairwise"))
    design, values = fit.design, dict(at or {})
    design.require_rows()
    for name, value in values.items():
        find_variable(design, name)
        if isinstance(value, (list, tuple, np.ndarray, pd.Series)):
            raise DataError(f"at={{{name!r}: ...}} takes one value here; ask for each in turn.")
    wanted = [names] if isinstance(names, str) else list(variables(design)) if names is None else list(names)
    rows: list[dict[str, Any]] = []
    gradients = []
    for name in wanted:
        if name in values:
            continue
        for label, (estimate, gradient) in _effects(fit, find_variable(design, name), values, changes, dummy):
            rows.append({"variable": name, "contrast": label, "estimate": estimate})
            gradients.append(gradient)
    if not rows:
        raise DataError("The model has no variable; there is no effect to show.")
    G = np.array(gradients)
    covariance = G @ V @ G.T
    frame = pd.DataFrame(rows)
    estimates, se = frame["estimate"].to_numpy(dtype=np.float64), np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = estimates / se
    limits = NORMAL.limits(estimates, se, alpha)
    frame = frame.assign(std_error=se, z=z, p_value=NORMAL.p_value(z), conf_low=limits[:, 0], conf_high=limits[:, 1])
    return Margins(
        frame=frame, covariance=covariance, method="dydx", comparison="difference", alpha=alpha, cov_type=cov_type
    )


def _effects(
    fit: MixedFit, variable: Variable, values: dict[str, Any], changes: str, dummy: bool
) -> Iterator[tuple[str, Average]]:
    if variable.kind == "number" and not (dummy and variable.levels):
        yield "dy/dx", _derivative(fit, variable, values)
        return
    levels = variable.levels
    pairs = combinations(levels, 2) if changes == "pairwise" else ((levels[0], other) for other in levels[1:])
    averages = {level: _average(fit, {**values, variable.name: level}) for level in levels}
    for low, high in pairs:
        (p, g), (q, h) = averages[low], averages[high]
        yield f"{high} against {low}", (q - p, h - g)


def _average(fit: MixedFit, values: dict[str, Any]) -> Average:
    """Average probability with variables set, and its gradient by psi."""
    return _summed(fit, values, lambda part: population_probability(fit, _rows(fit, part)))


def _derivative(fit: MixedFit, variable: Variable, values: dict[str, Any]) -> Average:
    """Average derivative by a number, and its gradient by psi."""
    return _summed(fit, values, lambda part: _slopes(fit, part, variable))


def _summed(fit: MixedFit, values: dict[str, Any], of_part: Callable[[Part], tuple[FloatArray, FloatArray]]) -> Average:
    """Weighted average of values (m,) of rows and of their gradients (m, p), with variables set."""
    total, gradient = 0.0, np.zeros(len(fit.psi))
    weight = fit.design.row_weight
    for part in parts(fit.design):
        found, slope = of_part(part.with_values(values))
        a = weight[part.rows]
        total += float(a @ found)
        gradient += a @ slope
    return total / float(weight.sum()), gradient / float(weight.sum())


def _slopes(fit: MixedFit, part: Part, variable: Variable) -> tuple[FloatArray, FloatArray]:
    """(m,) derivatives of the integrated probability by a number, and (m, p) their gradients.

    With d the derivative of the linear predictor and e that of the spread tau, ``dP = P_eta d + P_tau e``.
    """
    rows = _rows(fit, part)
    tau = rows.spread(fit)
    P = integrated(rows.eta, tau)
    columns, moved = part.derivative(variable)
    kept, places = kept_places(fit.design, columns)
    dX = np.zeros((part.size, fit.design.columns))
    dX[:, places] = moved[:, [columns.index(j) for j in kept]]
    dX = dX if fit.working.scale is None else dX * fit.working.scale
    d = dX @ fit.gamma
    e, by_theta = _spread_slope(fit, rows, _random_slope(fit, part, variable), tau)
    by_beta = (P.by_eta2 * d + P.by_both * e)[:, None] * rows.working + P.by_eta[:, None] * dX
    of_tau = (P.by_both * d + P.by_tau2 * e)[:, None] * rows.spread_gradient(fit) + P.by_tau[:, None] * by_theta
    return P.by_eta * d + P.by_tau * e, np.column_stack([by_beta, of_tau])


def _spread_slope(
    fit: MixedFit, rows: MixedRows, slope: tuple[FloatArray, ...], tau: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(m,) derivative of the spread by a number that moves Z by `slope`, and (m, t) its derivatives by theta."""
    safe = np.where(tau > 0.0, tau, 1.0)
    e, by_theta = np.zeros(len(tau)), np.zeros((len(tau), len(fit.theta)))
    for Z, dZ, effects, template in zip(rows.Z, slope, fit.effects, fit.layout.templates, strict=True):
        a, b = Z @ effects.factor, dZ @ effects.factor
        e += (a * b).sum(axis=1) / safe
        for i, j in np.argwhere(template >= 0):
            by_theta[:, template[i, j]] += (Z[:, i] * b[:, j] + a[:, j] * dZ[:, i]) / safe
    return e, by_theta - (e / safe)[:, None] * rows.spread_gradient(fit)


def _rows(fit: MixedFit, part: Part) -> MixedRows:
    """Working columns, linear predictor and columns of random effects of rows with variables set."""
    design = fit.design
    working = np.asarray(fit.working.columns(part.X()))
    eta = working @ fit.gamma
    if design.offset is not None:
        eta = eta + design.offset.values[part.rows]
    return MixedRows(working, eta, _random_columns(fit, part, {}))


def _random_columns(fit: MixedFit, part: Part, moved: Mapping[str, FloatArray]) -> tuple[FloatArray, ...]:
    """For each grouping (m, q) what the effects multiply, with variables set, or moved to other values in each row."""
    found = []
    for of_grouping in fit.layout.parts:
        columns = []
        for random in of_grouping:
            assert random.formula is not None
            needed = {name: _column(fit, part, name, moved) for name in random.formula.columns}
            columns.append(random.formula.design_matrix(needed)[0] if needed else random.Z[part.rows])
        found.append(np.column_stack(columns))
    return tuple(found)


def _column(fit: MixedFit, part: Part, name: str, moved: Mapping[str, FloatArray]) -> pd.Series:
    column = used_column(fit.design, name).iloc[part.rows].reset_index(drop=True)
    if name in moved:
        return pd.Series(moved[name])
    if name not in part.set:
        return column
    return pd.Series([part.set[name]] * part.size, dtype=None if is_number(column) else column.dtype)


def _random_slope(fit: MixedFit, part: Part, variable: Variable) -> tuple[FloatArray, ...]:
    """For each grouping (m, q) derivatives of what the effects multiply by a number."""
    reading = [n for of in fit.layout.parts for r in of if r.formula is not None for n in r.formula.columns]
    sizes = [fit.layout.Z(g).shape[1] for g in range(len(fit.layout.names))]
    if variable.name not in reading:
        return tuple(np.zeros((part.size, q)) for q in sizes)

    def function(places: FloatArray, rows: NDArray[np.intp]) -> FloatArray:
        at = part.numbers(variable.name).copy()
        at[rows] = places
        return np.column_stack(_random_columns(fit, part, {variable.name: at}))[rows]

    slope = np.asarray(derivative(function, part.numbers(variable.name), variable.low, variable.high).values)
    return tuple(np.split(slope, np.cumsum(sizes)[:-1], axis=1))
