"""Large-sample variance of a coefficient per observation, for a covariate whose distribution is known.

One observation's information about (intercept, slope) is ``E p (1 - p) (1, x)(1, x)'``, the expectation taken over the
covariate (Demidenko 2007, Statistics in Medicine 26, 3385-3397, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, roots_hermitenorm, roots_legendre

FloatArray = NDArray[np.float64]

# Points of the quadrature: the integrands are analytic, and 201 leave no error that a double shows for effects of use.
POINTS = 201


@dataclass(frozen=True)
class Covariate:
    """A distribution as points with probabilities.

    Attributes
    ----------
    values, shares : (m,)
        Values and their probabilities, which sum to one.
    """

    values: FloatArray
    shares: FloatArray

    @classmethod
    def normal(cls) -> Covariate:
        """Standard normal: the effect is per standard deviation (Gauss-Hermite quadrature)."""
        x, w = roots_hermitenorm(POINTS)
        return cls(np.asarray(x), np.asarray(w / w.sum()))

    @classmethod
    def uniform(cls) -> Covariate:
        """Uniform with mean 0 and standard deviation 1 (Gauss-Legendre quadrature)."""
        x, w = roots_legendre(POINTS)
        return cls(np.asarray(np.sqrt(3.0) * x), np.asarray(w / w.sum()))

    @classmethod
    def binary(cls, share: float) -> Covariate:
        """0 or 1, with the share of ones."""
        return cls(np.array([0.0, 1.0]), np.array([1.0 - share, share]))

    def wald_variance(self, intercept: float, slope: float) -> float:
        """Variance of the slope's estimate times the number of observations."""
        p = expit(intercept + slope * self.values)
        w = self.shares * p * (1.0 - p)
        total = float(w.sum())
        middle = float(w @ self.values) / total
        return 1.0 / float(w @ (self.values - middle) ** 2)

    def prevalence(self, intercept: float, slope: float) -> float:
        """Share of events."""
        return float(self.shares @ expit(intercept + slope * self.values))
