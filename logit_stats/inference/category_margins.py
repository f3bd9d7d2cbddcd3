"""Marginal effects of single design columns on the probability of each category, as statsmodels' ``get_margeff`` has them.

In a row the effect of column j on category c is ``p_c (b_cj - mean_j)`` with mean_j = sum_d p_d b_dj, or without the factor
p_c for "ey" methods, and times x_j for "ex" methods (Greene 2012, Econometric Analysis, section 18.2.4); the effects on all
categories sum to zero. Dummies and counts change by steps, as in `column_margins`. Standard errors by the delta method.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.estimation.category_moments import CategoryTerms, category_terms
from logit_stats.estimation.fit import Fit
from logit_stats.inference.column_margins import METHODS, ColumnMargins, ends, note_of_shared_columns, requested
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.effect_rows import EffectRows, RowPart

if TYPE_CHECKING:
    from logit_stats.report.summary import Summary

# A table of the part's rows and columns for each category stays in cache.
PART_ROWS = 2048


@dataclass(frozen=True, eq=False)
class CategoryMargins(ColumnMargins):
    """Marginal effects of the design columns on each category, the constant left out; shapes are statsmodels'.

    Attributes
    ----------
    margeff : (m, C) or (n, m, C)
        Effects of m columns on C categories; one table for each observation with ``at="all"``.
    margeff_cov : (m C, m C) or None
        Their covariance, category by category; None with ``at="all"``.
    categories : tuple of str
        Names of the categories in a summary.
    """

    categories: tuple[str, ...] = ()

    @property
    def margeff_se(self) -> FloatArray:
        """(m, C) standard errors."""
        return np.sqrt(np.diag(self._covariance())).reshape(len(self.categories), -1).T

    def conf_int(self, alpha: float = 0.05) -> FloatArray:
        """(m, 2, C) confidence limits."""
        half = self.reference.half_width(self.margeff_se, alpha)
        return np.stack([self.margeff - half, self.margeff + half], axis=1)

    def numbers(self, alpha: float) -> FloatArray:
        """(C, m, 6) effects, standard errors, z, p and limits."""
        limits = self.conf_int(alpha)
        columns = [self.margeff, self.margeff_se, self.tvalues, self.pvalues, limits[:, 0], limits[:, 1]]
        return np.stack([column.T for column in columns], axis=2)

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Effects with standard errors, z, p and limits, a row for each category and column; statsmodels' heads."""
        letter = self.reference.letter
        heads = [METHODS[self.method], "Std. Err.", letter, f"Pr(>|{letter}|)", "Conf. Int. Low", "Cont. Int. Hi."]
        index = pd.MultiIndex.from_product((self.categories, self.names), names=["endog", "exog"])
        return pd.DataFrame(self.numbers(alpha).reshape(-1, 6), columns=heads, index=index)

    def summary(self, alpha: float = 0.05) -> Summary:
        """Tables in statsmodels' layout."""
        from logit_stats.report.margins import category_margins_summary

        return category_margins_summary(self, METHODS[self.method], alpha)

    __repr__ = ColumnMargins.__str__


def category_margins(
    fit: Fit,
    cov: Covariance,
    at: str = "overall",
    method: str = "dydx",
    atexog: Mapping[int, Any] | FloatArray | None = None,
    dummy: bool = False,
    count: bool = False,
) -> CategoryMargins:
    """Marginal effects of the design columns on each category; parameters as for `column_margins`."""
    at, method = at.lower(), method.lower()
    varies, steps = requested(fit, at, method, dummy, count)
    rows = EffectRows.of(fit, at, atexog)
    categories = fit.design.response.categories
    assert categories is not None
    name = fit.design.response.name
    labels = tuple(f"{name}={label}" for label in categories.names)
    names = tuple(fit.design.names[j] for j in varies)
    note = note_of_shared_columns(fit)
    if at == "all":
        each = np.vstack([_row_effects(part, fit, method, steps) for part in rows.parts(PART_ROWS)])[:, varies]
        return CategoryMargins(each, None, names, at, method, name, note, cov.reference, labels)
    C, k = len(labels), fit.design.columns
    weight, effects, jacobian = 0.0, np.zeros((C, k)), np.zeros((C, k, fit.parameters))
    for part in rows.parts(PART_ROWS):
        sums = _sums(part, fit, method, steps)
        effects, jacobian = effects + sums[0], jacobian + sums[1]
        weight += float(part.weight.sum())
    effects, jacobian = effects / weight, jacobian / weight
    J = jacobian[:, varies].reshape(-1, fit.parameters)
    return CategoryMargins(
        effects[:, varies].T, J @ cov.working @ J.T, names, at, method, name, note, cov.reference, labels
    )


def _coefficients(fit: Fit) -> FloatArray:
    """(C, k) coefficients, zeros for the reference."""
    k = fit.design.columns
    return np.vstack([np.zeros(k), fit.beta.reshape(-1, k)])


def _terms(eta: FloatArray) -> CategoryTerms:
    return category_terms(eta.T, None, eta.shape[1] + 1)


def _sums(part: RowPart, fit: Fit, method: str, steps: dict[int, str]) -> tuple[FloatArray, FloatArray]:
    """Weighted sums of the effects (C, k), and of their derivatives by the working coefficients (C, k, J k)."""
    B, Z, a = _coefficients(fit), fit.working.columns(part.X), part.weight
    C, k = B.shape
    p = _terms(part.eta).prob
    factor = part.X if "ex" in method else np.ones((1, k))
    away = [(b - p.T @ B) * factor for b in B]
    g = np.ones_like(p) if "ey" in method else p
    effects = np.array([(a * g[c]) @ away[c] for c in range(C)])
    jacobian = np.zeros((C, k, C - 1, k))
    if "ey" in method:
        own = [(away[e] * (a * p[e])[:, None]).T @ Z for e in range(1, C)]
        jacobian -= np.array(own).transpose(1, 0, 2)
    else:
        cross = np.array([[(away[c] * (a * p[c] * p[e])[:, None]).T @ Z for e in range(C)] for c in range(C)])
        for c in range(C):
            jacobian[c] -= (cross[c, 1:] + cross[1:, c]).transpose(1, 0, 2)
            if c > 0:
                jacobian[c, :, c - 1] += (away[c] * (a * p[c])[:, None]).T @ Z
    # what the coefficients of the column itself do, beside what they do to the probabilities
    A = fit.working.matrix(fit.parameters)[:k, :k]
    whole = np.broadcast_to(factor, part.X.shape)
    for c in range(C):
        for e in range(1, C):
            direct = (a * g[c] * ((c == e) - p[e])) @ whole
            jacobian[c, :, e - 1] += direct[:, None] * A
    for j, kind in steps.items():
        effects[:, j], jacobian[:, j] = _step_sums(part, fit, Z, method, j, kind)
    return effects, jacobian.reshape(C, k, -1)


def _step_sums(part: RowPart, fit: Fit, Z: FloatArray, method: str, j: int, kind: str) -> tuple[FloatArray, FloatArray]:
    """Weighted sums of the changes (C,) as column j takes a step, and of their derivatives (C, J, k)."""
    B, a = _coefficients(fit), part.weight
    C, k = B.shape
    x = part.X[:, j]
    A = fit.working.matrix(fit.parameters)[:k, :k]
    low, high, divisor = ends(x, kind)
    change, slope = np.zeros(C), np.zeros((C, C - 1, k))
    for end, sign in ((high, 1.0), (low, -1.0)):
        p = _terms(part.eta + np.outer(end - x, B[1:, j])).prob
        g = np.ones_like(p) if "ey" in method else p
        change += sign * ((np.log(p) if "ey" in method else p) @ a) / divisor
        for c in range(C):
            for e in range(1, C):
                w = a * g[c] * ((c == e) - p[e])
                # the row with its column j moved: in working columns that is a shift along row j of A
                slope[c, e - 1] += sign * (w @ Z + float(w @ (end - x)) * A[j]) / divisor
    return change, slope


def _row_effects(part: RowPart, fit: Fit, method: str, steps: dict[int, str]) -> FloatArray:
    """(rows, k, C) effects of every row."""
    B = _coefficients(fit)
    p = _terms(part.eta).prob
    effects = np.stack([b - p.T @ B for b in B], axis=2)
    if "ey" not in method:
        effects *= p.T[:, None, :]
    if "ex" in method:
        effects *= part.X[:, :, None]
    for j, kind in steps.items():
        x = part.X[:, j]
        low, high, divisor = ends(x, kind)
        after, before = (_terms(part.eta + np.outer(end - x, B[1:, j])).prob for end in (high, low))
        change = np.log(after) - np.log(before) if "ey" in method else after - before
        effects[:, j] = change.T / divisor
    return effects
