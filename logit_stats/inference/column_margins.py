"""Marginal effects of single design columns, as statsmodels' ``get_margeff`` defines them.

Each column moves by itself, also where it is one of several columns of a variable (x and x²); the effects of variables
are another question. With F the logistic function, f its derivative and g = f (or f / F = 1 - F for "ey" methods), the
effect of column j in a row is ``g(eta) beta_j`` (times x_j for "ex" methods); a dummy has ``F(x_j = 1) - F(x_j = 0)`` and
a count ``(F(x_j + 1) - F(x_j - 1)) / 2`` (of log F for "ey"). Averages over the rows and their Jacobians are sums over
the rows, so memory does not grow with n. Standard errors by the delta method (Greene 2012, Econometric Analysis,
section 17.3.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError, NotAvailableError, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.rows import probability, variance, variance_and_slope
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.effect_rows import (
    EffectRows,
    RowPart,
    columns_of_kind,
    columns_that_vary,
    is_count,
    is_dummy,
)
from logit_stats.inference.reference import NORMAL, Reference

if TYPE_CHECKING:
    from logit_stats.report.summary import Summary

AT = ("overall", "mean", "median", "zero", "all")
METHODS = {"dydx": "dy/dx", "eyex": "d(lny)/d(lnx)", "dyex": "dy/d(lnx)", "eydx": "d(lny)/dx"}


@dataclass(frozen=True, eq=False)
class ColumnMargins:
    """Marginal effects of the design columns, the constant left out.

    Attributes
    ----------
    margeff : (m,) or (n, m)
        Effects; one row for each observation with ``at="all"``.
    margeff_cov : (m, m) or None
        Their covariance; None with ``at="all"``.
    names : tuple of str
        Columns.
    at, method : str
        What was asked for.
    endog_name : str
    note : str
        What a reader should know about these effects; empty for nothing.
    reference : Reference
        What statistics are compared with.
    """

    margeff: FloatArray
    margeff_cov: FloatArray | None
    names: tuple[str, ...]
    at: str
    method: str
    endog_name: str
    note: str = ""
    reference: Reference = NORMAL

    def _covariance(self) -> FloatArray:
        if self.margeff_cov is None:
            raise NotAvailableError(
                'With at="all" there are effects for every row, and no standard errors; ask at="overall" or "mean".'
            )
        return self.margeff_cov

    @property
    def margeff_se(self) -> FloatArray:
        """(m,) standard errors."""
        return np.sqrt(np.diag(self._covariance()))

    @property
    def tvalues(self) -> FloatArray:
        """(m,) z statistics."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.margeff / self.margeff_se)

    @property
    def pvalues(self) -> FloatArray:
        """(m,) two-sided p-values."""
        return self.reference.p_value(self.tvalues)

    def conf_int(self, alpha: float = 0.05) -> FloatArray:
        """(m, 2) confidence limits."""
        return self.reference.limits(self.margeff, self.margeff_se, alpha)

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Effects with standard errors, z, p and limits; statsmodels' heads, their spelling included."""
        columns = [self.margeff, self.margeff_se, self.tvalues, self.pvalues, self.conf_int(alpha)]
        letter = self.reference.letter
        heads = [METHODS[self.method], "Std. Err.", letter, f"Pr(>|{letter}|)", "Conf. Int. Low", "Cont. Int. Hi."]
        return pd.DataFrame(np.column_stack(columns), columns=heads, index=list(self.names))

    def summary(self, alpha: float = 0.05) -> Summary:
        """Table in statsmodels' layout."""
        from logit_stats.report.margins import margins_summary

        return margins_summary(self, METHODS[self.method], alpha)

    def __str__(self) -> str:
        return str(self.summary()) if self.margeff_cov is not None else str(self.margeff)

    __repr__ = __str__

    def _repr_html_(self) -> str | None:
        # None: effects of every row show as text
        return str(self.summary()._repr_html_()) if self.margeff_cov is not None else None


def column_margins(
    fit: Fit,
    cov: Covariance,
    at: str = "overall",
    method: str = "dydx",
    atexog: Mapping[int, Any] | FloatArray | None = None,
    dummy: bool = False,
    count: bool = False,
) -> ColumnMargins:
    """Marginal effects of the design columns.

    Parameters
    ----------
    fit : Fit
    cov : Covariance
        Any covariance of the coefficients.
    at : {"overall", "mean", "median", "zero", "all"}
        Average over the rows (weighted by frequency or sampling weights and trials), at a point, or for every row.
    method : {"dydx", "eyex", "dyex", "eydx"}
        Derivative, elasticity, or one of the semi-elasticities.
    atexog : dict or array, optional
        Columns (by position from 0) set to a value or to values for all rows, or the rows themselves.
    dummy, count : bool
        Whether columns of 0 and 1, and of counts, change by one instead of being differentiated.

    Raises
    ------
    UnknownOptionError
        If `at` or `method` is unknown.
    DataError
        If an option is not defined for dummies and counts, or `atexog` does not fit.
    """
    at, method = at.lower(), method.lower()
    varies, steps = requested(fit, at, method, dummy, count)
    rows = EffectRows.of(fit, at, atexog)
    names = tuple(fit.design.names[j] for j in varies)
    note = note_of_shared_columns(fit)
    if at == "all":
        effects = np.vstack([_row_effects(part, fit, method, steps) for part in rows.parts()])[:, varies]
        return ColumnMargins(effects, None, names, at, method, fit.design.response.name, note)
    total: _Sums | None = None
    for part in rows.parts():
        sums = _sums(part, fit, method, steps)
        total = sums if total is None else total + sums
    assert total is not None
    effects, jacobian = _average(total, fit, method, steps)
    J = jacobian[varies]
    reference = cov.reference.along(J)
    return ColumnMargins(
        effects[varies], J @ cov.working @ J.T, names, at, method, fit.design.response.name, note, reference
    )


def requested(fit: Fit, at: str, method: str, dummy: bool, count: bool) -> tuple[list[int], dict[int, str]]:
    """Columns that vary, and those of them that change by steps ("dummy", "count")."""
    check_choice("at", at, AT)
    check_choice("method", method, tuple(METHODS))
    if (dummy or count) and ("ex" in method or at in ("median", "zero")):
        raise DataError(f"at={at!r}, method={method!r} is not defined for dummy or count columns.")
    varies = columns_that_vary(fit)
    dummies = columns_of_kind(fit, varies, is_dummy) if dummy else []
    counts = [j for j in columns_of_kind(fit, varies, is_count) if j not in dummies] if count else []
    if count and not dummy:
        # a column of 0 and 1 is no count
        counts = [j for j in counts if j not in columns_of_kind(fit, varies, is_dummy)]
    return varies, {**dict.fromkeys(dummies, "dummy"), **dict.fromkeys(counts, "count")}


def note_of_shared_columns(fit: Fit) -> str:
    """Say where a variable stands in several terms, so that effects of its columns are not its effect."""
    formula = fit.design.formula
    if formula is None:
        return ""
    shared = [
        column
        for column in formula.columns
        if sum(column in formula.factors[f.name()].columns for t in formula.info.terms for f in t.factors) > 1
    ]
    if not shared:
        return ""
    return (
        f"{', '.join(shared)} stands in more than one term: these are effects of single columns with the others held, "
        f"not the effect of the variable; margins() gives that."
    )


# Effects and their derivatives.


@dataclass(frozen=True, eq=False)
class _Sums:
    """Weighted sums over rows that every average and its Jacobian are made of.

    ``g (k,)``: sum of g (times x_j for "ex"); ``dg (k, k)``: sum of g' (times x_j) z', one row a column; ``change (k,)``
    and ``dchange (k, k)``: the same for columns that change by steps.
    """

    weight: float
    g: FloatArray
    dg: FloatArray
    change: FloatArray
    dchange: FloatArray

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(
            self.weight + other.weight,
            self.g + other.g,
            self.dg + other.dg,
            self.change + other.change,
            self.dchange + other.dchange,
        )


def _slope(eta: FloatArray, method: str) -> tuple[FloatArray, FloatArray]:
    """G and its derivative by eta."""
    if "ey" in method:
        return probability(-eta), -variance(eta)
    return variance_and_slope(eta)


def _level(eta: FloatArray, method: str) -> tuple[FloatArray, FloatArray]:
    """F (or log F) and its derivative by eta."""
    if "ey" in method:
        return np.minimum(eta, 0.0) - np.log1p(np.exp(-np.abs(eta))), probability(-eta)
    return probability(eta), variance(eta)


def ends(x: FloatArray, kind: str) -> tuple[FloatArray, FloatArray, float]:
    """The two values of a stepping column, and by what their difference is divided."""
    return (np.zeros_like(x), np.ones_like(x), 1.0) if kind == "dummy" else (x - 1.0, x + 1.0, 2.0)


def _sums(part: RowPart, fit: Fit, method: str, steps: dict[int, str]) -> _Sums:
    k = fit.parameters
    Z = fit.working.columns(part.X)
    g, dg = _slope(part.eta, method)
    a = part.weight
    if "ex" in method:
        sum_g = part.X.T @ (a * g)
        sum_dg = part.X.T @ (Z * (a * dg)[:, None])
    else:
        sum_g = np.full(k, float(a @ g))
        sum_dg = np.tile((a * dg) @ Z, (k, 1))
    change, dchange = np.zeros(k), np.zeros((k, k))
    A = fit.working.matrix(k)
    for j, kind in steps.items():
        x = part.X[:, j]
        low, high, divisor = ends(x, kind)
        for end, sign in ((high, 1.0), (low, -1.0)):
            level, slope = _level(part.eta + (end - x) * fit.beta[j], method)
            change[j] += sign * float(a @ level) / divisor
            # the row with its column j moved: in working columns that is a shift along row j of A
            dchange[j] += sign * ((a * slope) @ Z + float((a * slope) @ (end - x)) * A[j]) / divisor
    return _Sums(float(a.sum()), sum_g, sum_dg, change, dchange)


def _average(total: _Sums, fit: Fit, method: str, steps: dict[int, str]) -> tuple[FloatArray, FloatArray]:
    """Average effects (k,) and their Jacobian (k, k) by the working coefficients."""
    beta = fit.beta
    A = fit.working.matrix(fit.parameters)
    g, dg = total.g / total.weight, total.dg / total.weight
    effects = beta * g
    jacobian = A * g[:, None] + beta[:, None] * dg
    for j in steps:
        effects[j] = total.change[j] / total.weight
        jacobian[j] = total.dchange[j] / total.weight
    return effects, jacobian


def _row_effects(part: RowPart, fit: Fit, method: str, steps: dict[int, str]) -> FloatArray:
    """(rows, k) effects of every row."""
    g, _ = _slope(part.eta, method)
    effects = g[:, None] * fit.beta
    if "ex" in method:
        effects = effects * part.X
    for j, kind in steps.items():
        x = part.X[:, j]
        low, high, divisor = ends(x, kind)
        after = _level(part.eta + (high - x) * fit.beta[j], method)[0]
        before = _level(part.eta + (low - x) * fit.beta[j], method)[0]
        effects[:, j] = (after - before) / divisor
    return np.asarray(effects)
