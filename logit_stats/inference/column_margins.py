"""Marginal effects of single design columns, as statsmodels' ``get_margeff`` defines them.

Each column moves by itself, also where it is one of several columns of a variable (x and x²); the effects of variables
are another question. With p_c the probability of outcome c, eta_e the linear predictors of a row and b_ej their
coefficients of column j, the effect on p_c is ``sum_e (dp_c / d eta_e) b_ej`` (of log p_c for "ey" methods, times x_j for
"ex" methods); a dummy changes p_c from x_j = 0 to x_j = 1, and a count by ``(p_c(x_j + 1) - p_c(x_j - 1)) / 2``. Averages
over the rows and their Jacobians are sums over the rows, so memory does not grow with n. Standard errors by the delta
method (Greene 2012, Econometric Analysis, sections 17.3.2 and 18.2.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.streamed import StreamedDesign
from logit_stats.errors import DataError, NotAvailableError, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.streamed import CarriedFit, StreamedFit
from logit_stats.inference.averages import logarithms
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
from logit_stats.likelihoods.working import WorkingColumns
from logit_stats.wording import printed

if TYPE_CHECKING:
    from logit_stats.report.summary import Summary

AT = ("overall", "mean", "median", "zero", "all")
METHODS = {"dydx": "dy/dx", "eyex": "d(lny)/d(lnx)", "dyex": "dy/d(lnx)", "eydx": "d(lny)/dx"}
# Rows of a part: a table of the part's rows and columns for each of several outcomes stays in cache.
PART_ROWS = 2048
LONG_PART_ROWS = 1 << 15


@dataclass(frozen=True, eq=False)
class ColumnMargins:
    """Marginal effects of the design columns, the constant left out; shapes are statsmodels'.

    Attributes
    ----------
    margeff : (m,) or (n, m); for several categories (m, C) or (n, m, C)
        Effects; one row for each observation with ``at="all"``.
    margeff_cov : (m, m), for several categories (m C, m C) category by category, or None
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
    categories : tuple of str
        Names of the categories in a summary; empty for a response of two.
    model : str
        Name of the model in the title of a summary.
    """

    margeff: FloatArray
    margeff_cov: FloatArray | None
    names: tuple[str, ...]
    at: str
    method: str
    endog_name: str
    note: str = ""
    reference: Reference = NORMAL
    categories: tuple[str, ...] = ()
    model: str = "MNLogit"

    def _covariance(self) -> FloatArray:
        if self.margeff_cov is None:
            raise NotAvailableError(
                'With at="all" there are effects for every row, and no standard errors; ask at="overall" or "mean".'
            )
        return self.margeff_cov

    def _shaped(self, flat: FloatArray) -> FloatArray:
        """Numbers that stand category by category, in the shape of `margeff`."""
        return flat.reshape(len(self.categories), -1).T if self.categories else flat

    @property
    def _flat(self) -> FloatArray:
        return np.asarray(self.margeff.T.ravel())

    @property
    def _flat_se(self) -> FloatArray:
        return np.sqrt(np.diag(self._covariance()))

    @property
    def margeff_se(self) -> FloatArray:
        """Standard errors."""
        return self._shaped(self._flat_se)

    @property
    def tvalues(self) -> FloatArray:
        """Statistics, z or t."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.margeff / self.margeff_se)

    @property
    def pvalues(self) -> FloatArray:
        """Two-sided p-values."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._shaped(np.asarray(self.reference.p_value(self._flat / self._flat_se)))

    def conf_int(self, alpha: float = 0.05) -> FloatArray:
        """(m, 2) confidence limits, for several categories (m, 2, C)."""
        limits = self.reference.limits(self._flat, self._flat_se, alpha)
        return np.stack([self._shaped(limits[:, 0]), self._shaped(limits[:, 1])], axis=1)

    def numbers(self, alpha: float) -> FloatArray:
        """(C, m, 6) effects, standard errors, statistics, p-values and limits; C is 1 for a response of two."""
        limits = self.conf_int(alpha)
        columns = [self.margeff, self.margeff_se, self.tvalues, self.pvalues, limits[:, 0], limits[:, 1]]
        return np.stack([np.atleast_2d(column.T) for column in columns], axis=2)

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Effects with standard errors, statistics, p and limits; statsmodels' heads, their spelling included.

        Of several categories one row for each category and column.
        """
        letter = self.reference.letter
        heads = [METHODS[self.method], "Std. Err.", letter, f"Pr(>|{letter}|)", "Conf. Int. Low", "Cont. Int. Hi."]
        index = pd.Index(list(self.names))
        if self.categories:
            index = pd.MultiIndex.from_product((self.categories, self.names), names=["endog", "exog"])
        return pd.DataFrame(self.numbers(alpha).reshape(-1, 6), columns=heads, index=index)

    def summary(self, alpha: float = 0.05) -> Summary:
        """Table (for several categories one for each) in statsmodels' layout."""
        from logit_stats.report.margins import margins_summary

        return margins_summary(self, METHODS[self.method], alpha)

    @printed
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
    design = fit.design
    names = tuple(design.names[j] for j in varies)
    labels = tuple(f"{design.response.name}={label}" for label in design.response.labels)
    said = (names, at, method, design.response.name, note_of_shared_columns(fit))
    size = PART_ROWS if labels else LONG_PART_ROWS
    if at == "all":
        each = np.vstack([_row_effects(part, fit, method, steps) for part in rows.parts(size)])[:, varies]
        return ColumnMargins(each if labels else each[:, :, 0], None, *said, categories=labels, model=_model(fit))
    here = rows.given is not None or fit.design.in_memory
    total = (_total if here else _in_a_pass)(rows, fit, method, steps, size)
    effects, jacobian = _averaged(total, fit, method, steps)
    J = jacobian[:, varies].reshape(-1, fit.parameters)
    effects = effects[:, varies]
    return ColumnMargins(
        effects.T if labels else effects[0], J @ cov.working @ J.T, *said, cov.reference.along(J), labels, _model(fit)
    )


def _total(rows: EffectRows, fit: Fit, method: str, steps: dict[int, str], size: int) -> _Sums:
    total: _Sums | None = None
    for part in rows.parts(size):
        sums = _sums(part, fit, method, steps)
        total = sums if total is None else total + sums
    assert total is not None
    return total


def _in_a_pass(rows: EffectRows, fit: Fit, method: str, steps: dict[int, str], size: int) -> _Sums:
    """The sums over rows out of memory."""
    assert isinstance(fit, StreamedFit)
    assert isinstance(fit.design, StreamedDesign)
    values = {}
    for j, column in rows.replaced.items():
        if any(stride != 0 for stride in column.strides):
            raise NotAvailableError(
                "atexog= was given values for all rows, and they are out of memory: give one value for a column."
            )
        values[j] = float(column[0])
    function = partial(_of_range, fit=fit.carried, method=method, steps=steps, size=size, values=values)
    found: _Sums = fit.design.sum(function, "margins")
    return found


def _of_range(
    design: Design, fit: CarriedFit, method: str, steps: dict[int, str], size: int, values: dict[int, float]
) -> _Sums:
    part = fit.on(design)
    replaced = {j: np.broadcast_to(np.asarray(value), (design.rows,)) for j, value in values.items()}
    return _total(EffectRows(part, None, None, replaced), part, method, steps, size)


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


def _model(fit: Fit) -> str:
    """Name of the model of several categories: in the order of these, or not."""
    return "OrderedLogit" if fit.facts.latent and not fit.facts.binary else "MNLogit"


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


# Effects and their derivatives. B (E, k) are the coefficients of the user's columns in each equation.


@dataclass(frozen=True, eq=False)
class _Sums:
    """Weighted sums over rows that every average and its Jacobian are made of.

    ``slope (C, E, k or 1)``: sum of the derivatives of the outcomes by the equations, times x_j for "ex"; ``bend (C, k, E, k)``:
    derivatives of ``slope B`` by the working coefficients through the probabilities; ``change (C, k)`` and ``dchange
    (C, k, E, k)``: the same for columns that change by steps.
    """

    weight: float
    slope: FloatArray
    bend: FloatArray
    change: FloatArray
    dchange: FloatArray

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(
            self.weight + other.weight,
            self.slope + other.slope,
            self.bend + other.bend,
            self.change + other.change,
            self.dchange + other.dchange,
        )


def _coefficients(fit: Fit) -> FloatArray:
    """(E, k) coefficients of the user's columns."""
    return fit.design.parameters.table(fit.beta)


def _levels(fit: Fit, eta: FloatArray, method: str) -> tuple[FloatArray, FloatArray]:
    """Probabilities (C, m), or their logarithms, and derivatives (C, E, m) by the linear predictors."""
    found = fit.outcomes(eta)
    return logarithms(found)[:2] if "ey" in method else (found.prob, found.first)


def _slopes(fit: Fit, eta: FloatArray, method: str) -> tuple[FloatArray, FloatArray]:
    """First (C, E, m) and second (C, E, E, m) derivatives of the probabilities, or of their logarithms."""
    found = fit.outcomes(eta)
    return logarithms(found)[1:] if "ey" in method else (found.first, found.second())


def ends(x: FloatArray, kind: str) -> tuple[FloatArray, FloatArray, float]:
    """The two values of a stepping column, and by what their difference is divided."""
    return (np.zeros_like(x), np.ones_like(x), 1.0) if kind == "dummy" else (x - 1.0, x + 1.0, 2.0)


def _sums(part: RowPart, fit: Fit, method: str, steps: dict[int, str]) -> _Sums:
    B, Z, X, a = _coefficients(fit), fit.working.columns(part.X), part.X, part.weight
    first, second = _slopes(fit, part.eta, method)
    first, second = first * a, second * a
    C, (E, k) = len(first), B.shape
    bend = np.empty((C, k, E, k))
    if "ex" in method:
        slope = first @ X
        for c in range(C):
            for f in range(E):
                bend[c, :, f] = (X * (second[c, :, f].T @ B)).T @ Z
    else:
        slope = first.sum(axis=2)[:, :, None]
        bend[:] = np.einsum("cefk,ej->cjfk", second @ Z, B)
    change, dchange = np.zeros((C, k)), np.zeros((C, k, E, k) if steps else (1, 1, 1, 1))
    for j, kind in steps.items():
        change[:, j], dchange[:, j] = _step_sums(part, fit, Z, method, j, kind)
    return _Sums(float(a.sum()), slope, bend, change, dchange)


def _step_sums(part: RowPart, fit: Fit, Z: FloatArray, method: str, j: int, kind: str) -> tuple[FloatArray, FloatArray]:
    """Weighted sums of the changes (C,) as column j takes a step, and their derivatives (C, E, k)."""
    B, A = _coefficients(fit), _map_of_columns(fit)
    x, a = part.X[:, j], part.weight
    low, high, divisor = ends(x, kind)
    change: FloatArray | float = 0.0
    slope: FloatArray | float = 0.0
    for end, sign in ((high, 1.0), (low, -1.0)):
        level, first = _levels(fit, _moved(part.eta, end - x, B[:, j]), method)
        first = first * a
        change = change + sign * (level @ a) / divisor
        # the row with its column j moved: in working columns that is a shift along row j of A
        slope = slope + sign * (first @ Z + (first @ (end - x))[:, :, None] * A[j]) / divisor
    return np.asarray(change), np.asarray(slope)


def _moved(eta: FloatArray, by: FloatArray, b: FloatArray) -> FloatArray:
    """Linear predictors with a column moved."""
    return eta + by * b[0] if eta.ndim == 1 else eta + np.outer(by, b)


def _map_of_columns(fit: Fit) -> FloatArray:
    """(k, k) map from the working coefficients of an equation to those of the user's columns."""
    w = fit.working
    return WorkingColumns(w.center, w.scale, w.constant, w.constant_value).matrix(fit.design.columns)


def _averaged(total: _Sums, fit: Fit, method: str, steps: dict[int, str]) -> tuple[FloatArray, FloatArray]:
    """Average effects (C, k) and their Jacobian (C, k, p) by the working parameters."""
    B, A = _coefficients(fit), _map_of_columns(fit)
    slope = np.broadcast_to(total.slope / total.weight, (len(total.slope), *B.shape))
    effects = np.einsum("cej,ej->cj", slope, B)
    # what the coefficients of the column itself do, beside what they do to the probabilities
    jacobian = total.bend / total.weight + np.einsum("cfj,jk->cjfk", slope, A)
    for j in steps:
        effects[:, j] = total.change[:, j] / total.weight
        jacobian[:, j] = total.dchange[:, j] / total.weight
    return effects, fit.design.parameters.gathered(jacobian)


def _row_effects(part: RowPart, fit: Fit, method: str, steps: dict[int, str]) -> FloatArray:
    """(rows, k, C) effects of every row."""
    B = _coefficients(fit)
    effects = np.einsum("cem,ej->mjc", _levels(fit, part.eta, method)[1], B)
    if "ex" in method:
        effects = effects * part.X[:, :, None]
    for j, kind in steps.items():
        x = part.X[:, j]
        low, high, divisor = ends(x, kind)
        after, before = (_levels(fit, _moved(part.eta, end - x, B[:, j]), method)[0] for end in (high, low))
        effects[:, j] = (after - before).T / divisor
    return np.asarray(effects)
