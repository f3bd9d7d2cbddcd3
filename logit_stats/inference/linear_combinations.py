"""Linear combinations of coefficients: estimates, standard errors, z, p and limits, on the scale of the log odds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.reference import NORMAL, Reference
from logit_stats.likelihoods.rows import probability, variance


@dataclass(frozen=True, eq=False)
class LinearCombinations:
    """m combinations ``L gamma + constant`` of the working coefficients.

    Attributes
    ----------
    estimate : (m,)
    covariance : (m, m)
    rows : (m, k)
        L.
    source : Reference
        Of the covariance of the coefficients.
    """

    estimate: FloatArray
    covariance: FloatArray
    rows: FloatArray
    source: Reference = NORMAL

    @classmethod
    def of_rows(
        cls, fit: Fit, cov: Covariance, Z: FloatArray, constant: FloatArray | float = 0.0
    ) -> LinearCombinations:
        """Combinations given as rows of working columns; of several equations the mean of their linear predictors."""
        if not fit.facts.binary:
            layout = fit.design.parameters
            E, k = layout.slots.shape
            Z = layout.gathered(np.broadcast_to((Z / E)[:, None, :], (len(Z), E, k)))
        return cls(Z @ fit.gamma + constant, Z @ cov.working @ Z.T, Z, cov.reference)

    def contrast(self, C: FloatArray) -> LinearCombinations:
        """Combinations of the combinations."""
        return LinearCombinations(C @ self.estimate, C @ self.covariance @ C.T, C @ self.rows, self.source)

    @property
    def reference(self) -> Reference:
        """What their statistics are compared with."""
        return self.source.along(self.rows)

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
        return self.reference.p_value(self.z)

    def limits(self, alpha: float) -> FloatArray:
        """(m, 2) limits at level ``1 - alpha``."""
        return self.reference.limits(self.estimate, self.se, alpha)


def on_probability(at: LinearCombinations, alpha: float) -> dict[str, FloatArray]:
    """Probability, its delta-method standard error, and limits carried through the link from those of the log odds."""
    limits = probability(at.limits(alpha))
    return {
        "prob": probability(at.estimate),
        "std_error": variance(at.estimate) * at.se,
        "conf_low": limits[:, 0],
        "conf_high": limits[:, 1],
    }
