"""What statistics are compared with: the normal distribution, or t and F with the degrees of freedom of a covariance.

A reference belongs to a covariance, and every table, test and interval asks it: one hypothesis has one p-value wherever it
stands. Most references hold for whatever is estimated; that of CR2 has its own degrees of freedom for every combination of
the coefficients, so it is asked for that of the combination (`along`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from logit_stats.design.block import FloatArray
from logit_stats.errors import check_alpha
from logit_stats.wording import printed


@dataclass(frozen=True, slots=True)
class Joint:
    """A joint statistic as it is reported.

    Attributes
    ----------
    statistic : float
        Chi-squared, or F where there are denominator degrees of freedom.
    df : int
        Number of hypotheses.
    df_denom : float or None
        Denominator degrees of freedom of F; None for chi-squared.
    pvalue : float
    """

    statistic: float
    df: int
    df_denom: float | None
    pvalue: float

    @printed
    def __str__(self) -> str:
        name = f"chi2({self.df})" if self.df_denom is None else f"F({self.df}, {self.df_denom:.4g})"
        return f"{name} = {self.statistic:.4f}, p = {self.pvalue:.4g}"


@dataclass(frozen=True, eq=False)
class Reference:
    """The normal distribution and chi-squared, or t and F.

    Attributes
    ----------
    df : float, (m,) array or None
        Degrees of freedom of t, one number or one for each estimate; None for the normal distribution. Where none are left
        (zero or fewer) p-values and limits are NaN.

    Examples
    --------
    >>> Reference().p_value(1.96).round(4), Reference(5.0).p_value(1.96).round(4)
    (np.float64(0.05), np.float64(0.1073))
    """

    df: float | FloatArray | None = None

    @property
    def uses_t(self) -> bool:
        """Whether it is t (and F)."""
        return self.df is not None

    @property
    def letter(self) -> str:
        """``"z"`` or ``"t"``."""
        return "z" if self.df is None else "t"

    def along(self, L: FloatArray) -> Reference:
        """The reference of combinations ``L gamma`` of the working coefficients; the same for all of them here."""
        return self

    def p_value(self, z: Any) -> FloatArray:
        """Two-sided p-values, exact in the far tail."""
        size = np.abs(z)
        return np.asarray(2.0 * (stats.norm.sf(size) if self.df is None else stats.t.sf(size, self.df)))[()]

    def critical(self, alpha: float) -> Any:
        """What estimates may differ by, in standard errors, at level ``1 - alpha``.

        Raises
        ------
        DataError
            Unless 0 < alpha < 1.
        """
        tail = check_alpha(alpha) / 2.0
        return stats.norm.isf(tail) if self.df is None else stats.t.isf(tail, self.df)

    def half_width(self, se: FloatArray, alpha: float) -> FloatArray:
        """Half the width of intervals at level ``1 - alpha``."""
        return np.asarray(self.critical(alpha) * se)

    def limits(self, estimate: FloatArray, se: FloatArray, alpha: float) -> FloatArray:
        """(m, 2) limits of estimates at level ``1 - alpha``."""
        half = self.half_width(se, alpha)
        return np.column_stack([estimate - half, estimate + half])

    def joint(self, chi2: float, q: int, L: FloatArray | None = None) -> Joint:
        """Test of q hypotheses from Wald's chi-squared, given with their combinations L (q, k) where these matter."""
        if self.df is None:
            return Joint(chi2, q, None, float(stats.chi2.sf(chi2, q)) if q else float("nan"))
        df = float(np.min(self.df))
        return Joint(chi2 / max(q, 1), q, df, float(stats.f.sf(chi2 / q, q, df)) if q else float("nan"))


NORMAL = Reference()


@dataclass(frozen=True, slots=True)
class LikelihoodReference:
    """What twice a difference of log-likelihoods is compared with: chi-squared, or F after division by a dispersion.

    With a dispersion estimated from the residuals, ``LR / (q dispersion)`` is F with q and the residual degrees of freedom
    (McCullagh and Nelder 1989, section 4.5; Venables and Ripley 2002, section 7.5).

    Attributes
    ----------
    dispersion : float
    df_denom : float or None
        Residual degrees of freedom; None for chi-squared.
    """

    dispersion: float = 1.0
    df_denom: float | None = None

    @property
    def scaled(self) -> bool:
        """Whether there is a dispersion."""
        return self.dispersion != 1.0 or self.df_denom is not None

    def test(self, lr: float, q: int) -> Joint:
        """Test of q hypotheses from a likelihood-ratio (or score) statistic."""
        scaled = lr / self.dispersion
        if self.df_denom is None:
            return Joint(scaled, q, None, float(stats.chi2.sf(scaled, q)) if q > 0 else float("nan"))
        if q <= 0:
            return Joint(scaled, q, self.df_denom, float("nan"))
        return Joint(scaled / q, q, self.df_denom, float(stats.f.sf(scaled / q, q, self.df_denom)))

    def plain_alpha(self, alpha: float) -> float:
        """Level at which chi-squared with one degree of freedom has the quantile that a profile's limit lies at."""
        tail = check_alpha(alpha)
        if not self.scaled:
            return tail
        square = stats.chi2.isf(tail, 1) if self.df_denom is None else stats.f.isf(tail, 1, self.df_denom)
        return float(stats.chi2.sf(square * self.dispersion, 1))

    def words(self) -> str:
        """Say how statistics were scaled; empty where they were not."""
        if not self.scaled:
            return ""
        how = "chi-squared" if self.df_denom is None else f"F with {self.df_denom:g} denominator degrees of freedom"
        return f"Likelihood ratios are divided by the dispersion {self.dispersion:.4f} and compared with {how}."


CHI_SQUARED = LikelihoodReference()
