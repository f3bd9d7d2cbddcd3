"""Marginal effects on the probability of the population: averages over rows and over the random effects.

For a number, the average of the derivative of the integrated probability (a quartic through five neighbouring values, as for
other margins); for a factor, the average at a level minus the average at another. Errors by the delta method, those of the
variances included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.counterfactual import Part, Variable, find_variable, parts, used_column, variables
from logit_stats.errors import DataError, check_choice
from logit_stats.estimation.mixed import MixedFit
from logit_stats.inference.mixed_predictions import MixedRows, population_probability
from logit_stats.inference.reference import NORMAL
from logit_stats.inference.variable_margins import Margins

# Neighbouring values, in thousandths of the range.
_NODES = np.arange(-2.0, 3.0)
_STEPS = 1000.0

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
    return _summed(fit, lambda part: (part.with_values(values), None))


def _derivative(fit: MixedFit, variable: Variable, values: dict[str, Any]) -> Average:
    """Average derivative by a number: of the quartic through five values, which stay inside the range of the data."""
    width = variable.high - variable.low
    step = (width if width > 0 else max(abs(variable.high), 1.0)) / _STEPS
    total, gradient = 0.0, np.zeros(len(fit.psi))
    for j, node in enumerate(_NODES):

        def moved(part: Part, j: int = j, node: float = float(node)) -> tuple[Part, FloatArray]:
            part = part.with_values(values)
            x = np.asarray(part.columns[variable.name], dtype=np.float64)
            middle = np.clip(x, variable.low + 2.0 * step, variable.high - 2.0 * step) if width > 0 else x
            weight = quartic_derivative((x - middle) / step)[j] / step
            return part.with_values({variable.name: middle + node * step}), weight

        value, slope = _summed(fit, moved)
        total, gradient = total + value, gradient + slope
    return total, gradient


def quartic_derivative(s: FloatArray) -> FloatArray:
    """(5, n) weights of the values at -2 ... 2 in the derivative at s of the quartic through them (Lagrange)."""
    found = []
    for j, node in enumerate(_NODES):
        others = np.delete(_NODES, j)
        terms = [np.prod([s - o for m, o in enumerate(others) if m != left], axis=0) for left in range(4)]
        found.append(np.sum(terms, axis=0) / np.prod(node - others))
    return np.array(found)


def _summed(fit: MixedFit, moved: Callable[[Part], tuple[Part, FloatArray | None]]) -> Average:
    """Average of the probability of moved rows, times a factor for each row where there is one."""
    total, gradient = 0.0, np.zeros(len(fit.psi))
    weight = fit.design.row_weight
    for part in parts(fit.design):
        there, factor = moved(part)
        prob, slope = population_probability(fit, _rows(fit, there, part.rows))
        a = weight[part.rows] if factor is None else weight[part.rows] * factor
        total += float(a @ prob)
        gradient += a @ slope
    return total / float(weight.sum()), gradient / float(weight.sum())


def _rows(fit: MixedFit, part: Part, where: slice) -> MixedRows:
    design = fit.design
    working = np.asarray(fit.working.columns(part.X()))
    eta = working @ fit.gamma
    if design.offset is not None:
        eta = eta + design.offset.values[where]
    Z = []
    for of_grouping in fit.layout.parts:
        columns = []
        for random in of_grouping:
            assert random.formula is not None
            needed = {name: part.columns.get(name) for name in random.formula.columns}
            needed = {n: used_column(design, n).iloc[where] if c is None else c for n, c in needed.items()}
            columns.append(random.formula.design_matrix(needed)[0] if needed else random.Z[where])
        Z.append(np.column_stack(columns))
    return MixedRows(working, eta, tuple(Z))
