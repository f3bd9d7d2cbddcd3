"""Sample size for developing a prediction model: the criteria of Riley et al.

Riley et al. (2019), Statistics in Medicine 38, 1276-1296, for a binary outcome, with p candidate parameters, anticipated
Cox-Snell R² and prevalence phi:

    1. expected shrinkage of S or better:    n = p / ((S - 1) log(1 - R² / S))                          (equation 11)
    2. optimism in Nagelkerke's R² of at most d:  the same with S = R² / (R² + d max R²)                 (equations 22, 23)
    3. the overall share known within m:     n = (1.96 / m)² phi (1 - phi)                               (equation 24)

with ``max R² = 1 - (phi^phi (1 - phi)^(1 - phi))²``. A C-statistic stands for the R² of normal linear predictors of equal
variance in both outcomes (Riley et al. 2021, Statistics in Medicine 40, 859-864), here by quadrature where pmsampsize simulates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import roots_hermitenorm

# The published tables take 1.96 for the normal quantile.
CRITERION_3_QUANTILE = 1.96


@dataclass(frozen=True)
class PredictionDesign:
    """A prediction model that is to be developed.

    Attributes
    ----------
    parameters : int
        Candidate parameters, the intercept left out.
    prevalence : float
        Share of events.
    r2 : float
        Cox-Snell R² that is anticipated.
    shrinkage, optimism, margin : float
        Smallest expected shrinkage, largest optimism in Nagelkerke's R², margin of error of the overall share.
    """

    parameters: int
    prevalence: float
    r2: float
    shrinkage: float = 0.9
    optimism: float = 0.05
    margin: float = 0.05

    @property
    def max_r2(self) -> float:
        """Largest Cox-Snell R² that this prevalence allows."""
        return largest_r2(self.prevalence)

    @property
    def nagelkerke(self) -> float:
        """Anticipated Nagelkerke R²."""
        return self.r2 / self.max_r2

    @property
    def shrinkage_for_optimism(self) -> float:
        """Shrinkage that criterion 2 asks for."""
        return self.r2 / (self.r2 + self.optimism * self.max_r2)

    @property
    def exact(self) -> tuple[float, float, float]:
        """Observations by each criterion, not rounded."""
        return (
            self._by_shrinkage(self.shrinkage),
            self._by_shrinkage(self.shrinkage_for_optimism),
            (CRITERION_3_QUANTILE / self.margin) ** 2 * self.prevalence * (1.0 - self.prevalence),
        )

    def expected_shrinkage(self, observations: float) -> float:
        """Shrinkage S to expect of a model fitted to so many observations: the root of criterion 1."""
        from scipy.optimize import brentq

        low = self.r2 * (1.0 + 1e-12)
        if self._by_shrinkage(low) >= observations:
            return low
        return float(brentq(lambda s: self._by_shrinkage(s) - observations, low, 1.0 - 1e-12))

    def _by_shrinkage(self, shrinkage: float) -> float:
        return float(self.parameters / ((shrinkage - 1.0) * np.log1p(-self.r2 / shrinkage)))


def largest_r2(prevalence: float) -> float:
    """Cox-Snell R² of perfect predictions."""
    return float(-np.expm1(2.0 * (prevalence * np.log(prevalence) + (1.0 - prevalence) * np.log1p(-prevalence))))


def r2_of_c_statistic(c_statistic: float, prevalence: float) -> float:
    """Cox-Snell R² where the linear predictor is normal with variance 1 in both outcomes and the C-statistic this large."""
    shift = float(np.sqrt(2.0) * stats.norm.ppf(c_statistic))
    x, w = roots_hermitenorm(201)
    w = w / w.sum()
    prior = float(np.log(prevalence / (1.0 - prevalence)))
    # log odds of an event given the predictor, where it is centred at 0 (no event) and at `shift` (event)
    without, with_event = prior + shift * x - shift**2 / 2.0, prior + shift * (x + shift) - shift**2 / 2.0
    loglik = -prevalence * w @ np.logaddexp(0.0, -with_event) - (1.0 - prevalence) * w @ np.logaddexp(0.0, without)
    null = prevalence * np.log(prevalence) + (1.0 - prevalence) * np.log1p(-prevalence)
    return float(-np.expm1(-2.0 * (loglik - null)))
