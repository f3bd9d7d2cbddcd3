"""Wald statistics of single coefficients and of all slopes: z, p-values, intervals."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.reference import Joint
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.wording import printed


def z_values(fit: Fit, cov: Covariance) -> FloatArray:
    """(k,) coefficient over standard error; NaN where a constraint has fixed the coefficient."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.asarray(fit.beta / cov.standard_errors)
    return z if fit.free_parameters == fit.parameters else np.where(cov.standard_errors > 0.0, z, np.nan)


@dataclass(frozen=True, eq=False)
class Reported:
    """A fit with the covariance that its summary reports.

    Attributes
    ----------
    fit : Fit
    cov : Covariance
    """

    fit: Fit
    cov: Covariance

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
        return p_values(self.fit, self.cov)


def p_values(fit: Fit, cov: Covariance) -> FloatArray:
    """(k,) two-sided p-values of the coefficients, from the reference distribution of the covariance."""
    return cov.reference.p_value(z_values(fit, cov))


def wald_interval(fit: Fit, cov: Covariance, alpha: float) -> FloatArray:
    """(k, 2) limits: coefficient plus and minus a quantile times the standard error.

    Raises
    ------
    DataError
        Unless 0 < alpha < 1.
    """
    return cov.reference.limits(fit.beta, cov.standard_errors, alpha)


@dataclass(frozen=True, slots=True)
class OverallTest:
    """A test that all slopes are zero.

    Attributes
    ----------
    statistic : float
        Chi-squared statistic, or F where there are denominator degrees of freedom.
    df : int
        Number of slopes.
    pvalue : float
        Its p-value.
    df_denom : float or None
        Denominator degrees of freedom of F; None for chi-squared.
    """

    statistic: float
    df: int
    pvalue: float
    df_denom: float | None = None

    @printed
    def __str__(self) -> str:
        return str(Joint(self.statistic, self.df, self.df_denom, self.pvalue))

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
    found = cov.reference.joint(statistic, len(slopes), np.eye(fit.parameters)[slopes])
    return OverallTest(found.statistic, found.df, found.pvalue, found.df_denom)
