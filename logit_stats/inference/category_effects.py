"""Effects of variables on the probability of each category: the estimates behind `margins()` of a multinomial fit.

The derivative of p_c is ``p_c (d_c - sum_l p_l d_l)`` with d_l the derivative of the predictor of category l, zero for the
reference; changes of levels are differences of average probabilities (Greene 2012, section 18.2.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.counterfactual import Part, Variable, parts
from logit_stats.estimation.category_moments import category_terms
from logit_stats.estimation.fit import Fit


def mean_category_probabilities(fit: Fit, values: dict[str, Any], weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weighted mean probabilities (C,) with variables set, and their gradients by the working coefficients (C, J k)."""
    J = fit.design.equations
    total, gradient = np.zeros(J + 1), np.zeros((J + 1, J, fit.design.columns))
    for part in parts(fit.design):
        Z = fit.working.columns(part.with_values(values).X())
        p = category_terms(fit.predictor(Z).T, None, J + 1).prob
        a = weight[part.rows]
        total += p @ a
        for c in range(J + 1):
            for e in range(J):
                gradient[c, e] += (a * p[c] * ((c == e + 1) - p[e + 1])) @ Z
    size = float(weight.sum())
    return total / size, gradient.reshape(J + 1, -1) / size


def mean_category_derivatives(
    fit: Fit, variable: Variable, scenario: dict[str, Any], weight: FloatArray, method: str
) -> tuple[FloatArray, FloatArray]:
    """Weighted mean derivatives by a number (C,), and their gradients by the working coefficients (C, J k)."""
    J = fit.design.equations
    total, gradient = np.zeros(J + 1), np.zeros((J + 1, J, fit.design.columns))
    for part in parts(fit.design):
        _add_derivatives(fit, part.with_values(scenario), variable, weight[part.rows], method, total, gradient)
    size = float(weight.sum())
    return total / size, gradient.reshape(J + 1, -1) / size


def _add_derivatives(
    fit: Fit, part: Part, variable: Variable, a: FloatArray, method: str, total: FloatArray, gradient: FloatArray
) -> None:
    from logit_stats.inference.variable_margins import column_derivative

    Z = fit.working.columns(part.X())
    dZ = column_derivative(part, variable)
    if fit.working.scale is not None:
        dZ = dZ * fit.working.scale
    p = category_terms(fit.predictor(Z).T, None, fit.design.equations + 1).prob
    d = np.vstack([np.zeros(len(Z)), fit.predictor(dZ).T])
    away = d - (p * d).sum(axis=0)
    if "ex" in method:
        a = a * np.asarray(part.columns[variable.name], dtype=np.float64)
    g = np.ones_like(p) if "ey" in method else p
    total += (g * away) @ a
    for c in range(len(p)):
        for e in range(1, len(p)):
            own = (c == e) - p[e]
            by_d = g[c] * own
            by_eta = -g[c] * p[e] * away[e]
            if "ey" not in method:
                by_eta = by_eta + by_d * away[c]
            gradient[c, e - 1] += (a * by_eta) @ Z + (a * by_d) @ dZ
