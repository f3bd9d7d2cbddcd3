"""Marginal effects of variables: all terms in which a variable occurs move together.

For a number, the average over rows of dp/dx with ``d eta / dx = (dX/dx) beta``; terms that are linear in the variable are
differentiated exactly, others (powers, splines, logs) through the quartic that runs through five neighbouring values
inside the range of the data. For a factor, the average of p at a level minus the average of p at another (Greene 2012,
section 17.3.2; Norton, Dowd and Maciejewski 2019, JAMA 321, 1304-1305). Averages are weighted by frequency or sampling
weights and by trials; standard errors by the delta method under any covariance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.counterfactual import Part, Variable, find_variable, parts, used_column, variables
from logit_stats.design.given_rows import for_rows_used
from logit_stats.errors import DataError, check_alpha, check_choice, listed
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.rows import probability, variance
from logit_stats.inference.category_effects import mean_category_derivatives, mean_category_probabilities
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.reference import Reference
from logit_stats.wording import table

METHODS = ("dydx", "eyex", "dyex", "eydx")
COMPARISONS = ("difference", "ratio", "odds_ratio")
CHANGES = ("reference", "pairwise")

# Quartic through nodes at -2 ... 2 steps: the five-point rule is exact for polynomials of degree 4.
_NODES = np.arange(-2.0, 3.0)
_STEPS_IN_RANGE = 1000.0


@dataclass(frozen=True, eq=False)
class Margins:
    """Effects of variables.

    Attributes
    ----------
    frame : DataFrame
        One row for each effect: variable, contrast, the values and groups it holds for, estimate, std_error, z (or t, as the
        covariance has it), p_value, conf_low, conf_high. Ratios have their standard error on the log scale.
    covariance : (m, m)
        Covariance of the estimates (of their logarithms for ratios).
    method, comparison : str
        What was asked for.
    alpha : float
        The limits have level ``1 - alpha``.
    cov_type : str
        Covariance of the coefficients that the standard errors come from.
    """

    frame: pd.DataFrame
    covariance: FloatArray
    method: str
    comparison: str
    alpha: float
    cov_type: str

    def summary_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()

    def __str__(self) -> str:
        lines = [f"Marginal effects of variables ({self.method}, covariance {self.cov_type})"]
        if self.comparison != "difference":
            lines[0] += f", changes as {self.comparison.replace('_', ' ')} (standard errors of the logarithm)"
        return "\n".join([*lines, table(self.frame, "{:.6g}".format, list(self.frame).index("estimate"))])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.frame.to_html(index=False, float_format=lambda v: f"{v:.6g}", escape=True))


def variable_margins(
    fit: Fit,
    cov: Covariance,
    names: str | Sequence[str] | None = None,
    at: Mapping[str, Any] | None = None,
    over: str | None = None,
    method: str = "dydx",
    *,
    comparison: str = "difference",
    changes: str = "reference",
    dummy: bool = False,
    subset: Any = None,
    alpha: float = 0.05,
) -> Margins:
    """Effects of variables.

    Parameters
    ----------
    fit : Fit
        Of a formula.
    cov : Covariance
    names : str or sequence of str, optional
        Variables; by default all.
    at : mapping, optional
        Variables set to a value, or to each of several values in turn.
    over : str, optional
        A column of the data: effects for each of its values.
    method : {"dydx", "eyex", "dyex", "eydx"}
        Derivative, elasticity, or one of the semi-elasticities, for numbers.
    comparison : {"difference", "ratio", "odds_ratio"}
        How the average probabilities of two levels are compared.
    changes : {"reference", "pairwise"}
        Levels against the first, or every pair.
    dummy : bool
        Whether numbers with two values (0 and 1, say) change from one to the other instead of being differentiated.
    subset : (rows used,) bool array_like, optional
        Rows to average over.
    alpha : float
        The limits have level ``1 - alpha``.

    Raises
    ------
    MissingColumnError
        If a name is no variable of the model.
    NotAvailableError
        For array fits.
    """
    check_choice("method", method, METHODS)
    check_choice("comparison", comparison, COMPARISONS)
    check_choice("changes", changes, CHANGES)
    check_alpha(alpha)
    design = fit.design
    known = variables(design)
    wanted = [names] if isinstance(names, str) else list(known) if names is None else list(names)
    chosen = [find_variable(design, name) for name in wanted]
    if not chosen:
        raise DataError("The model has no variable; there is no effect to show.")
    settings = scenarios(fit, at)
    groups = weight_groups(fit, over, subset)
    effects = [e for v in chosen for e in _effects_of(v, method, changes, dummy)]
    rows, gradients = [], []
    for scenario, (group, weight), effect in product(settings, groups, effects):
        if effect.variable.name in scenario:
            continue
        place = {f"at {name}": value for name, value in scenario.items()}
        if over is not None:
            place[over] = group
        for outcome, estimate, gradient in _estimates(fit, effect, scenario, weight, method, comparison):
            named = {"variable": effect.variable.name, "contrast": effect.label(method), **place, **outcome}
            rows.append({**named, "estimate": estimate})
            gradients.append(gradient)
    G = np.array(gradients)
    return _table(rows, G @ cov.working @ G.T, cov.reference.along(G), method, comparison, alpha, cov.cov_type, effects)


@dataclass(frozen=True, eq=False)
class _Effect:
    """A derivative by a number (`levels` None), or a change between two levels."""

    variable: Variable
    levels: tuple[Any, Any] | None

    def label(self, method: str) -> str:
        if self.levels is None:
            return {"dydx": "dy/dx", "eyex": "d(lny)/d(lnx)", "dyex": "dy/d(lnx)", "eydx": "d(lny)/dx"}[method]
        return f"{self.levels[1]} against {self.levels[0]}"


def _effects_of(variable: Variable, method: str, changes: str, dummy: bool) -> Iterator[_Effect]:
    if variable.kind == "number" and not (dummy and variable.levels):
        yield _Effect(variable, None)
        return
    if variable.kind == "factor" or method == "dydx":
        levels = variable.levels
        pairs = combinations(levels, 2) if changes == "pairwise" else ((levels[0], other) for other in levels[1:])
        for low, high in pairs:
            yield _Effect(variable, (low, high))


def scenarios(fit: Fit, at: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Every combination of the values that `at` sets variables to."""
    if not at:
        return [{}]
    choices = []
    for name, values in at.items():
        find_variable(fit.design, name)
        several = isinstance(values, (list, tuple, set, range, np.ndarray, pd.Series))
        choices.append([(name, value) for value in (values if several else [values])])
    return [dict(choice) for choice in product(*choices)]


def weight_groups(fit: Fit, over: str | None, subset: Any) -> list[tuple[Any, FloatArray]]:
    """Weights of the rows used, one vector for each value of the column `over`, with that value."""
    design = fit.design
    weight = design.row_weight
    if subset is not None:
        mask = for_rows_used(design, "`subset`", subset)
        if not pd.api.types.is_bool_dtype(mask.dtype) or mask.ndim != 1 or pd.isna(mask).any():
            raise DataError(f"`subset` must say True or False for each of the {design.rows} rows used.")
        mask = np.asarray(mask, dtype=np.bool_)
        if not mask.any():
            raise DataError("`subset` holds no row.")
        weight = weight * mask
    if over is None:
        return [(None, weight)]
    column = used_column(design, over)
    values = (
        column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else sorted(column.dropna().unique())
    )
    found = [(value, weight * np.asarray(column == value)) for value in values]
    found = [(value, w) for value, w in found if w.any()]
    if len(found) > 200:
        raise DataError(f"over={over!r} has {len(found)} values; give a variable with few.")
    return found


def _estimates(
    fit: Fit, effect: _Effect, scenario: dict[str, Any], weight: FloatArray, method: str, comparison: str
) -> list[tuple[dict[str, Any], float, FloatArray]]:
    """Estimate and gradient, for a response of several categories on the probability of each."""
    categories = fit.design.response.categories
    if categories is None:
        return [({}, *_estimate(fit, effect, scenario, weight, method, comparison))]
    if effect.levels is None:
        values, slopes = mean_category_derivatives(fit, effect.variable, scenario, weight, method)
        found = list(zip(values.tolist(), slopes, strict=True))
    else:
        name = effect.variable.name
        low, high = (mean_category_probabilities(fit, {**scenario, name: v}, weight) for v in effect.levels)
        kind = "ratio" if "ey" in method else comparison
        found = [
            _compared((low[0][c], low[1][c]), (high[0][c], high[1][c]), kind) for c in range(len(categories.labels))
        ]
    return [({"category": label}, *answer) for label, answer in zip(categories.labels, found, strict=True)]


def _estimate(
    fit: Fit, effect: _Effect, scenario: dict[str, Any], weight: FloatArray, method: str, comparison: str
) -> tuple[float, FloatArray]:
    """Estimate (its logarithm for ratios) and gradient by the working coefficients."""
    if effect.levels is None:
        total, gradient = 0.0, np.zeros(fit.parameters)
        for part in parts(fit.design):
            value, slope = _derivative_sums(fit, part.with_values(scenario), effect.variable, weight[part.rows], method)
            total, gradient = total + value, gradient + slope
        return total / weight.sum(), gradient / weight.sum()
    low, high = (mean_probability(fit, {**scenario, effect.variable.name: v}, weight) for v in effect.levels)
    return _compared(low, high, "ratio" if "ey" in method else comparison)


def _compared(
    low: tuple[float, FloatArray], high: tuple[float, FloatArray], comparison: str
) -> tuple[float, FloatArray]:
    if comparison == "difference":
        return high[0] - low[0], high[1] - low[1]
    if comparison == "ratio":
        return float(np.log(high[0] / low[0])), high[1] / high[0] - low[1] / low[0]
    logit = [np.log(p / (1.0 - p)) for p, _ in (low, high)]
    slope = [g / (p * (1.0 - p)) for p, g in (low, high)]
    return float(logit[1] - logit[0]), slope[1] - slope[0]


def mean_probability(fit: Fit, values: dict[str, Any], weight: FloatArray) -> tuple[float, FloatArray]:
    """Weighted mean probability with variables set, and its gradient."""
    total, gradient = 0.0, np.zeros(fit.parameters)
    for part in parts(fit.design):
        Z = fit.working.columns(part.with_values(values).X())
        eta = _eta(fit, Z, part)
        a = weight[part.rows]
        total += float(a @ probability(eta))
        gradient += (a * variance(eta)) @ Z
    return total / float(weight.sum()), gradient / float(weight.sum())


def _eta(fit: Fit, Z: FloatArray, part: Part) -> FloatArray:
    eta = Z @ fit.gamma
    return eta if fit.design.offset is None else eta + fit.design.offset.values[part.rows]


def _derivative_sums(fit: Fit, part: Part, variable: Variable, a: FloatArray, method: str) -> tuple[float, FloatArray]:
    """Weighted sum of one part's derivatives, and of their gradients."""
    Z = fit.working.columns(part.X())
    dZ = column_derivative(part, variable)
    if fit.working.scale is not None:
        dZ = dZ * fit.working.scale
    eta = _eta(fit, Z, part)
    d = dZ @ fit.gamma
    f = variance(eta)
    slope, curvature = (probability(-eta), -f) if "ey" in method else (f, f * (1.0 - 2.0 * probability(eta)))
    if "ex" in method:
        a = a * np.asarray(part.columns[variable.name], dtype=np.float64)
    return float(a @ (slope * d)), (a * curvature * d) @ Z + (a * slope) @ dZ


def column_derivative(part: Part, variable: Variable) -> FloatArray:
    """dX/dx for every row: (rows, k)."""
    x = np.asarray(part.columns[variable.name], dtype=np.float64)
    low, high = min(variable.low, float(x.min())), max(variable.high, float(x.max()))
    if variable.linear:
        width = high - low if high > low else max(abs(high), 1.0)
        ends = [part.with_values({variable.name: np.full(len(x), low + w)}).X() for w in (0.0, width)]
        return (ends[1] - ends[0]) / width
    width = high - low if high > low else max(abs(high), 1.0)
    step = width / _STEPS_IN_RANGE
    # the nodes stay inside the range of the data, where splines and logarithms are defined
    middle = np.clip(x, low + 2.0 * step, high - 2.0 * step) if high > low else x
    weights = _quartic_derivative((x - middle) / step) / step
    derivative: FloatArray | None = None
    for node, weight in zip(_NODES, weights, strict=True):
        term = part.with_values({variable.name: middle + node * step}).X() * weight[:, None]
        derivative = term if derivative is None else derivative + term
    assert derivative is not None
    return derivative


def _quartic_derivative(s: FloatArray) -> FloatArray:
    """(5, n) weights of the values at `_NODES` in the derivative at s of the quartic through them."""
    weights = []
    for j, node in enumerate(_NODES):
        others = np.delete(_NODES, j)
        scale = np.prod(node - others)
        # derivative of the product of (s - other) over the other four nodes
        terms = [np.prod([s - o for m, o in enumerate(others) if m != left_out], axis=0) for left_out in range(4)]
        weights.append(np.sum(terms, axis=0) / scale)
    return np.array(weights)


def _table(
    rows: list[dict[str, Any]],
    covariance: FloatArray,
    reference: Reference,
    method: str,
    comparison: str,
    alpha: float,
    cov_type: str,
    effects: list[_Effect],
) -> Margins:
    frame = pd.DataFrame(rows)
    estimate = np.array(frame["estimate"], dtype=np.float64)
    se = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = estimate / se
    low, high = reference.limits(estimate, se, alpha).T.copy()
    # ratios are worked out as logarithms, and only changes of levels are compared by ratios
    is_change = ~frame["contrast"].str.startswith(("dy/", "d(lny)/")).to_numpy()
    if comparison != "difference":
        for column in (estimate, low, high):
            column[is_change] = np.exp(column[is_change])
    frame["estimate"] = estimate
    statistics = {"std_error": se, reference.letter: z, "p_value": reference.p_value(z)}
    frame = frame.assign(**statistics, conf_low=low, conf_high=high)
    if comparison != "difference" and not is_change.any():
        raise DataError(
            f"comparison={comparison!r} compares levels, and {listed([e.variable.name for e in effects])} has none."
        )
    return Margins(frame, covariance, method, comparison, alpha, cov_type)
