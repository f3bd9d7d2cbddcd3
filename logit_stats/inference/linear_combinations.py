"""Linear combinations of coefficients: estimates, standard errors, z, p and limits, on the scale of the log odds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.rows import probability, variance
from logit_stats.inference.covariance import Covariance


@dataclass(frozen=True, eq=False)
class LinearCombinations:
    """m combinations ``L gamma + constant`` of the working coefficients.

    Attributes
    ----------
    estimate : (m,)
    covariance : (m, m)
    """

    estimate: FloatArray
    covariance: FloatArray

    @classmethod
    def of_rows(
        cls, fit: Fit, cov: Covariance, Z: FloatArray, constant: FloatArray | float = 0.0
    ) -> LinearCombinations:
        """Combinations given as rows of working columns."""
        return cls(Z @ fit.gamma + constant, Z @ cov.working @ Z.T)

    def contrast(self, C: FloatArray) -> LinearCombinations:
        """Combinations of the combinations."""
        return LinearCombinations(C @ self.estimate, C @ self.covariance @ C.T)

    @property
    def se(self) -> FloatArray:
        """(m,) standard errors."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))

    @property
    def z(self) -> FloatArray:
        """(m,) z statistics."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.estimate / self.se)

    @property
    def pvalues(self) -> FloatArray:
        """(m,) two-sided p-values."""
        return np.asarray(2.0 * stats.norm.sf(np.abs(self.z)))


def half_width(se: FloatArray, alpha: float) -> FloatArray:
    """Half the width of normal intervals at level ``1 - alpha``."""
    if not 0.0 < alpha < 1.0:
        raise DataError(f"alpha={alpha} must lie between 0 and 1 (0.05 gives 95 % intervals).")
    return np.asarray(stats.norm.isf(alpha / 2.0) * se)


def on_probability(eta: FloatArray, se: FloatArray, alpha: float) -> dict[str, FloatArray]:
    """Probability, its delta-method standard error, and limits carried through the link from those of the log odds."""
    half = half_width(se, alpha)
    return {
        "prob": probability(eta),
        "std_error": variance(eta) * se,
        "conf_low": probability(eta - half),
        "conf_high": probability(eta + half),
    }
