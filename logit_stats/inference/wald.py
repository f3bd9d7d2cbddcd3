"""Wald statistics of single coefficients and of all slopes: z, p-values, intervals."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from scipy import stats

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.linear_algebra import EquilibratedCholesky
from logit_stats.inference.covariance import Covariance


def z_values(fit: Fit, cov: Covariance) -> FloatArray:
    """(k,) coefficient over standard error; NaN where a constraint has fixed the coefficient."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.asarray(fit.beta / cov.standard_errors)
    return z if fit.free_parameters == fit.parameters else np.where(cov.standard_errors > 0.0, z, np.nan)


def p_values(z: FloatArray, df: float | None) -> FloatArray:
    """(k,) two-sided p-values, from the normal distribution or (`df`) from Student's t; exact in the far tail."""
    size = np.abs(z)
    return np.asarray(2.0 * (stats.norm.sf(size) if df is None else stats.t.sf(size, df)))


def t_degrees(fit: Fit, cov: Covariance, use_t: bool) -> Any:
    """Degrees of freedom of Student's t, one number or one for each coefficient; None for the normal distribution.

    The covariance's own where it has some; else, with `use_t`, those of a survey's design or n - k.
    """
    if cov.df is not None or not use_t:
        return cov.df
    return fit.design.observations - fit.free_parameters if cov.df_design is None else cov.df_design


@dataclass(frozen=True, eq=False)
class Reported:
    """A fit with the covariance and the distribution that its summary reports.

    Attributes
    ----------
    fit : Fit
    cov : Covariance
    use_t : bool
    """

    fit: Fit
    cov: Covariance
    use_t: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients."""
        return self.fit.design.names

    @property
    def standard_errors(self) -> FloatArray:
        """(k,) standard errors."""
        return self.cov.standard_errors

    @property
    def p_values(self) -> FloatArray:
        """(k,) two-sided p-values."""
        return p_values(z_values(self.fit, self.cov), t_degrees(self.fit, self.cov, self.use_t))


def wald_interval(fit: Fit, cov: Covariance, alpha: float, df: float | None) -> FloatArray:
    """(k, 2) limits: coefficient plus and minus a quantile times the standard error.

    Raises
    ------
    DataError
        Unless 0 < alpha < 1.
    """
    if not 0.0 < alpha < 1.0:
        raise DataError(f"alpha={alpha} must lie between 0 and 1 (0.05 gives 95 % intervals).")
    quantile = stats.norm.isf(alpha / 2.0) if df is None else stats.t.isf(alpha / 2.0, df)
    half = quantile * cov.standard_errors
    return np.column_stack([fit.beta - half, fit.beta + half])


@dataclass(frozen=True, slots=True)
class OverallTest:
    """A test that all slopes are zero.

    Attributes
    ----------
    statistic : float
        Chi-squared statistic.
    df : int
        Number of slopes.
    pvalue : float
        Its p-value.
    """

    statistic: float
    df: int
    pvalue: float

    def __str__(self) -> str:
        return f"chi2({self.df}) = {self.statistic:.4f}, p = {self.pvalue:.4g}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def overall_wald(fit: Fit, cov: Covariance) -> OverallTest | None:
    """Wald test of all slopes under the covariance given; None where a constant is hidden in the columns."""
    if fit.design.constant is None and fit.constant_in_span:
        return None
    constants = () if fit.design.constant is None else fit.design.coefficients_of((fit.design.constant,))
    slopes = [j for j in range(fit.parameters) if j not in constants]
    if not slopes:
        return None
    factor = EquilibratedCholesky(np.ascontiguousarray(cov.working[np.ix_(slopes, slopes)]))
    if not factor.definite:
        return None
    gamma = fit.gamma[slopes]
    statistic = float(gamma @ factor.solve(gamma))
    return OverallTest(statistic, len(slopes), float(stats.chi2.sf(statistic, len(slopes))))
