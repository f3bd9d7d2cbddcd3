"""Sample size and power for the effect of one covariate: Hsieh, Bloch and Larsen; Demidenko."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from logit_stats.errors import DataError
from logit_stats.planning.wald_variance import Covariate

METHODS = ("hsieh", "demidenko")
DISTRIBUTIONS = ("normal", "uniform", "binary")
# Log odds ratios in which a detectable effect is looked for.
LEAST_EFFECT, LARGEST_EFFECT = 1e-6, 20.0


@dataclass(frozen=True)
class EffectDesign:
    """A study that is to show the effect of one covariate.

    Attributes
    ----------
    probability : float
        Share of events where a normal or uniform covariate stands at its mean, or where a binary one is 0.
    distribution : {"normal", "uniform", "binary"}
        Of the covariate. Effects of the first two are per standard deviation.
    share : float
        Of ones of a binary covariate.
    r2_other : float
        Squared multiple correlation of the covariate with the others of the model.
    alpha : float
        Size of the two-sided test.
    method : {"hsieh", "demidenko"}
    """

    probability: float
    distribution: str = "normal"
    share: float = 0.5
    r2_other: float = 0.0
    alpha: float = 0.05
    method: str = "hsieh"

    @property
    def intercept(self) -> float:
        """Log odds of the event at the reference."""
        return float(np.log(self.probability / (1.0 - self.probability)))

    @property
    def covariate(self) -> Covariate:
        """The covariate's distribution."""
        if self.distribution == "binary":
            return Covariate.binary(self.share)
        return Covariate.normal() if self.distribution == "normal" else Covariate.uniform()

    def prevalence(self, odds_ratio: float) -> float:
        """Share of events in the whole study."""
        return self.covariate.prevalence(self.intercept, float(np.log(odds_ratio)))

    def observations(self, odds_ratio: float, power: float) -> float:
        """Number of observations, not rounded, at which the test has this power."""
        at_null, at_effect, effect = self._spreads(float(np.log(odds_ratio)))
        level = float(stats.norm.isf(self.alpha / 2.0))
        wanted = (level * at_null + float(stats.norm.ppf(power)) * at_effect) / effect
        return wanted**2 / (1.0 - self.r2_other)

    def power(self, odds_ratio: float, observations: float) -> float:
        """Power of the two-sided test with so many observations (the far tail left out)."""
        at_null, at_effect, effect = self._spreads(float(np.log(odds_ratio)))
        level = float(stats.norm.isf(self.alpha / 2.0))
        reach = np.sqrt(observations * (1.0 - self.r2_other)) * abs(effect)
        return float(stats.norm.cdf((reach - level * at_null) / at_effect))

    def detectable(self, power: float, observations: float) -> float:
        """Smallest odds ratio above one that the test finds with this power.

        Raises
        ------
        DataError
            If no effect however large is found with so few observations.
        """

        def missing(log_odds_ratio: float) -> float:
            return self.power(float(np.exp(log_odds_ratio)), observations) - power

        grid = np.geomspace(LEAST_EFFECT, LARGEST_EFFECT, 200)
        found = [missing(effect) for effect in grid]
        first = next((i for i, gap in enumerate(found) if gap >= 0.0), None)
        if first is None:
            raise DataError(f"With n={observations:g} no odds ratio is found with power {power:g}; raise n.")
        if first == 0:
            return float(np.exp(grid[0]))
        return float(np.exp(brentq(missing, grid[first - 1], grid[first], xtol=1e-13)))

    def _spreads(self, slope: float) -> tuple[float, float, float]:
        """Standard deviations per observation of the test's statistic, without and with the effect, and the effect."""
        if self.method == "demidenko":
            at_effect = float(np.sqrt(self.covariate.wald_variance(self.intercept, slope)))
            return at_effect, at_effect, abs(slope)
        if self.distribution == "binary":
            return self._two_proportions(slope)
        # Hsieh, Bloch and Larsen (1998), formula (1): the variance at the mean of the covariate
        spread = float(1.0 / np.sqrt(self.probability * (1.0 - self.probability)))
        return spread, spread, abs(slope)

    def _two_proportions(self, slope: float) -> tuple[float, float, float]:
        """Hsieh, Bloch and Larsen (1998), formula (2): a comparison of two proportions, B the share of ones."""
        first, B = self.probability, self.share
        second = float(1.0 / (1.0 + np.exp(-self.intercept - slope)))
        pooled = (1.0 - B) * first + B * second
        at_null = np.sqrt(pooled * (1.0 - pooled) / B)
        at_effect = np.sqrt(first * (1.0 - first) + second * (1.0 - second) * (1.0 - B) / B)
        return float(at_null), float(at_effect), abs(second - first) * float(np.sqrt(1.0 - B))
