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
from scipy import stats

from logit_stats.design.block import Block, FloatArray
from logit_stats.errors import DataError, NotAvailableError, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.estimation.moments import working_columns
from logit_stats.estimation.rows import probability, variance
from logit_stats.inference.covariance import Covariance

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
    """

    margeff: FloatArray
    margeff_cov: FloatArray | None
    names: tuple[str, ...]
    at: str
    method: str
    endog_name: str
    note: str = ""

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
        return np.asarray(2.0 * stats.norm.sf(np.abs(self.tvalues)))

    def conf_int(self, alpha: float = 0.05) -> FloatArray:
        """(m, 2) confidence limits."""
        if not 0.0 < alpha < 1.0:
            raise DataError(f"alpha={alpha} must lie between 0 and 1 (0.05 gives 95 % intervals).")
        half = stats.norm.isf(alpha / 2.0) * self.margeff_se
        return np.column_stack([self.margeff - half, self.margeff + half])

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Effects with standard errors, z, p and limits; statsmodels' heads, their spelling included."""
        columns = [self.margeff, self.margeff_se, self.tvalues, self.pvalues, self.conf_int(alpha)]
        heads = [METHODS[self.method], "Std. Err.", "z", "Pr(>|z|)", "Conf. Int. Low", "Cont. Int. Hi."]
        return pd.DataFrame(np.column_stack(columns), columns=heads, index=list(self.names))

    def summary(self, alpha: float = 0.05) -> Summary:
        """Table in statsmodels' layout."""
        from logit_stats.report.margins import margins_summary

        return margins_summary(self, METHODS[self.method], alpha)

    def __str__(self) -> str:
        return str(self.summary()) if self.margeff_cov is not None else str(self.margeff)

    def _repr_html_(self) -> str:
        return str(self.summary()._repr_html_()) if self.margeff_cov is not None else ""


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
    check_choice("at", at, AT)
    check_choice("method", method, tuple(METHODS))
    if (dummy or count) and ("ex" in method or at in ("median", "zero")):
        raise DataError(f"at={at!r}, method={method!r} is not defined for dummy or count columns.")
    rows = _Rows.of(fit, at, atexog)
    varies = _columns_that_vary(fit)
    dummies = _columns_of_kind(fit, varies, _is_dummy) if dummy else []
    counts = [j for j in _columns_of_kind(fit, varies, _is_count) if j not in dummies] if count else []
    if count and not dummy:
        # a column of 0 and 1 is no count
        counts = [j for j in counts if j not in _columns_of_kind(fit, varies, _is_dummy)]
    steps = {**dict.fromkeys(dummies, "dummy"), **dict.fromkeys(counts, "count")}
    names = tuple(fit.design.names[j] for j in varies)
    note = _note(fit)
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
    return ColumnMargins(effects[varies], J @ cov.working @ J.T, names, at, method, fit.design.response.name, note)


def _note(fit: Fit) -> str:
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


# The rows at which effects are evaluated.


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows: user's columns, linear predictor and weight."""

    X: FloatArray
    eta: FloatArray
    weight: FloatArray


@dataclass(frozen=True, eq=False)
class _Rows:
    """All rows of the fit with some columns replaced, or a few rows given."""

    fit: Fit
    given: FloatArray | None
    given_offset: FloatArray | None
    replaced: dict[int, FloatArray]

    @classmethod
    def of(cls, fit: Fit, at: str, atexog: Any) -> _Rows:
        design = fit.design
        replaced: dict[int, FloatArray] = {}
        offset = None if design.offset is None else design.offset.values
        if isinstance(atexog, Mapping):
            for key, value in atexog.items():
                if not isinstance(key, (int, np.integer)) or not 0 <= key < design.columns:
                    raise DataError(f"atexog has the key {key!r}; keys are column positions 0 to {design.columns - 1}.")
                replaced[int(key)] = np.broadcast_to(np.asarray(value, dtype=np.float64), (design.rows,))
        elif atexog is not None:
            X = np.atleast_2d(np.asarray(atexog, dtype=np.float64))
            if X.shape[1] != design.columns:
                raise DataError(f"atexog has {X.shape[1]} columns; the model has {design.columns}.")
            shift = np.zeros(len(X)) if offset is None else np.full(len(X), offset.mean())
            return cls(fit, X if at in ("overall", "all") else _point(X, at, fit), shift[: len(X)], {})
        if at in ("overall", "all"):
            return cls(fit, None, None, replaced)
        point = _point_of_design(fit, at, replaced)
        shift = np.zeros(1) if offset is None or at == "zero" else np.array([_middle(offset, at, fit)])
        return cls(fit, point, shift, {})

    def parts(self) -> Any:
        fit = self.fit
        if self.given is not None:
            offset = np.zeros(len(self.given)) if self.given_offset is None else self.given_offset
            Z = working_columns(self.given, fit.working.center, fit.working.scale)
            yield _Part(self.given, Z @ fit.gamma + offset[: len(self.given)], np.ones(len(self.given)))
            return
        start = 0
        for block in fit.design.blocks(TALL_ROWS):
            X = block.X
            if self.replaced:
                X = np.array(X)
                for j, values in self.replaced.items():
                    X[:, j] = values[start : start + len(X)]
            eta = working_columns(X, fit.working.center, fit.working.scale) @ fit.gamma
            if block.offset is not None:
                eta = eta + block.offset
            yield _Part(X, eta, _row_weight(block))
            start += len(X)


def _row_weight(block: Block) -> FloatArray:
    weight = np.ones(len(block.successes)) if block.trials is None else block.trials
    return weight if block.weight is None else weight * block.weight


def _weights(fit: Fit) -> FloatArray | None:
    block = fit.design.block
    return None if block.weight is None and block.trials is None else _row_weight(block)


def _middle(values: FloatArray, at: str, fit: Fit) -> float:
    weight = _weights(fit)
    if at == "mean":
        return float(np.average(values, weights=weight))
    if weight is None:
        return float(np.median(values))
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weight[order])
    half = cumulated[-1] / 2.0
    low = values[order][np.searchsorted(cumulated, half, side="left")]
    high = values[order][min(np.searchsorted(cumulated, half, side="right"), len(values) - 1)]
    return float((low + high) / 2.0)


def _point_of_design(fit: Fit, at: str, replaced: dict[int, FloatArray]) -> FloatArray:
    """One row: means, medians, or zeros with the constant kept."""
    design = fit.design
    point = np.zeros((1, design.columns))
    if at == "zero":
        constant = [j for j in range(design.columns) if j not in _columns_that_vary(fit)]
        point[0, constant] = 1.0
        return point
    for j in range(design.columns):
        point[0, j] = _middle(np.asarray(replaced.get(j, design.X[:, j])), at, fit)
    return point


def _point(X: FloatArray, at: str, fit: Fit) -> FloatArray:
    if at == "zero":
        point = np.zeros((1, X.shape[1]))
        point[0, [j for j in range(X.shape[1]) if j not in _columns_that_vary(fit)]] = 1.0
        return point
    return np.atleast_2d(X.mean(axis=0) if at == "mean" else np.median(X, axis=0))


# Which columns are what.


def _columns_that_vary(fit: Fit) -> list[int]:
    first = fit.design.X[0]
    varies = np.zeros(fit.design.columns, dtype=np.bool_)
    for block in fit.design.blocks(TALL_ROWS):
        varies |= (first != block.X).any(axis=0)
        if varies.sum() >= fit.design.columns - 1 and (fit.design.constant is not None or varies.all()):
            break
    return [int(j) for j in np.flatnonzero(varies)]


def _columns_of_kind(fit: Fit, columns: list[int], kind: Any) -> list[int]:
    return [j for j in columns if kind(fit.design.X[:, j])]


def _is_dummy(x: FloatArray) -> bool:
    return bool(((x == 0.0) | (x == 1.0)).all())


def _is_count(x: FloatArray) -> bool:
    return bool((x >= 0.0).all() and (x == np.floor(x)).all())


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
    f = variance(eta)
    if "ey" in method:
        return probability(-eta), -f
    return f, f * (1.0 - 2.0 * probability(eta))


def _level(eta: FloatArray, method: str) -> tuple[FloatArray, FloatArray]:
    """F (or log F) and its derivative by eta."""
    if "ey" in method:
        return np.minimum(eta, 0.0) - np.log1p(np.exp(-np.abs(eta))), probability(-eta)
    return probability(eta), variance(eta)


def _ends(x: FloatArray, kind: str) -> tuple[FloatArray, FloatArray, float]:
    """The two values of a stepping column, and by what their difference is divided."""
    return (np.zeros_like(x), np.ones_like(x), 1.0) if kind == "dummy" else (x - 1.0, x + 1.0, 2.0)


def _sums(part: _Part, fit: Fit, method: str, steps: dict[int, str]) -> _Sums:
    k = fit.parameters
    Z = working_columns(part.X, fit.working.center, fit.working.scale)
    g, dg = _slope(part.eta, method)
    a = part.weight
    if "ex" in method:
        sum_g = part.X.T @ (a * g)
        sum_dg = part.X.T @ (Z * (a * dg)[:, None])
    else:
        sum_g = np.full(k, float(a @ g))
        sum_dg = np.broadcast_to((a * dg) @ Z, (k, k))
    change, dchange = np.zeros(k), np.zeros((k, k))
    A = fit.working.matrix(k)
    for j, kind in steps.items():
        x = part.X[:, j]
        low, high, divisor = _ends(x, kind)
        for end, sign in ((high, 1.0), (low, -1.0)):
            level, slope = _level(part.eta + (end - x) * fit.beta[j], method)
            change[j] += sign * float(a @ level) / divisor
            # the row with its column j moved: in working columns that is a shift along row j of A
            dchange[j] += sign * ((a * slope) @ Z + float((a * slope) @ (end - x)) * A[j]) / divisor
    return _Sums(float(a.sum()), sum_g, np.array(sum_dg), change, dchange)


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


def _row_effects(part: _Part, fit: Fit, method: str, steps: dict[int, str]) -> FloatArray:
    """(rows, k) effects of every row."""
    g, _ = _slope(part.eta, method)
    effects = g[:, None] * fit.beta
    if "ex" in method:
        effects = effects * part.X
    for j, kind in steps.items():
        x = part.X[:, j]
        low, high, divisor = _ends(x, kind)
        after = _level(part.eta + (high - x) * fit.beta[j], method)[0]
        before = _level(part.eta + (low - x) * fit.beta[j], method)[0]
        effects[:, j] = (after - before) / divisor
    return np.asarray(effects)
