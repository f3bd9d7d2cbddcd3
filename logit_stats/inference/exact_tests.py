"""Exact tests, estimates and limits from the conditional distribution of a sum of a column over the events.

Given the sums of the other columns, P(T = t) is proportional to c(t) exp(beta t), with c(t) the number of response vectors
(Cox 1970, Analysis of Binary Data, chapter 4; Mehta and Patel 1995, Statistics in Medicine 14, "Exact logistic regression:
theory and examples"). Limits and the median-unbiased estimate solve equations in the tails of that distribution, which rise
or fall with beta; at an end of the distribution they are infinite on one side (Hirji, Tsiatis and Mehta 1989, American
Statistician 43).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import logsumexp

from logit_stats.design.block import FloatArray
from logit_stats.errors import NotAvailableError, check_choice

# Probabilities that differ by no more than this share are taken for equal.
TIE = 1e-7
P_VALUES = ("probability", "score", "twice_smaller_tail")


@dataclass(frozen=True, eq=False)
class ConditionalDistribution:
    """The distribution of r sums over the events, given the other sums, where their coefficients are zero.

    Attributes
    ----------
    values : (N, r)
        Possible values.
    log_count : (N,)
        Logarithms of their numbers of response vectors, or of draws.
    observed : (r,)
        The values observed.
    draws : int or None
        Number of random draws that the counts come from; None where they are exact.
    """

    values: FloatArray
    log_count: FloatArray
    observed: FloatArray
    draws: int | None = None

    @cached_property
    def prob(self) -> FloatArray:
        """(N,) probabilities of the values."""
        return np.asarray(np.exp(self.log_count - logsumexp(self.log_count)))

    @property
    def point_probability(self) -> float:
        """Probability of what was observed."""
        return float(self.prob[self._here].sum())

    @cached_property
    def _here(self) -> NDArray[np.bool_]:
        width = np.ptp(self.values, axis=0) + np.abs(self.values).max(axis=0) * 1e-6
        close: NDArray[np.bool_] = (np.abs(self.values - self.observed) <= 1e-9 * width).all(axis=1)
        return close

    @cached_property
    def score_statistics(self) -> FloatArray:
        """(N,) score statistic (t - mean)' Cov^-1 (t - mean) of every value."""
        centred = self.values - self.prob @ self.values
        covariance = centred.T @ (centred * self.prob[:, None])
        scaled = centred @ np.linalg.pinv(covariance, hermitian=True)
        return np.asarray((scaled * centred).sum(axis=1))

    @property
    def score_statistic(self) -> float:
        """Score statistic of what was observed."""
        return float(self.score_statistics[self._here][0])

    @property
    def degenerate(self) -> bool:
        """Whether only one value is possible, which says nothing of the coefficient."""
        return len(self.values) == 1

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of p-values, the usual one first.

        From random draws there is none by probability: which values are less likely than the observed one cannot be told from
        how often each of many was drawn.
        """
        kinds = P_VALUES if self.draws is None else P_VALUES[1:]
        return kinds if self.values.shape[1] == 1 else tuple(k for k in kinds if k != "twice_smaller_tail")

    def p_value(self, kind: str | None = None, mid_p: bool = False) -> float:
        """P-value of the hypothesis that the coefficients are zero.

        Parameters
        ----------
        kind : {"probability", "score", "twice_smaller_tail"}, optional
            The probability of the values no likelier than the observed one; of those with a score statistic no smaller; twice
            the smaller tail (of a single sum). By default the first of `kinds`.
        mid_p : bool
            Whether half of the probability of the observed value is left out (of twice the tail: all of it).
        """
        kind = self._checked(kind)
        if kind == "twice_smaller_tail":
            less = 0.5 * self.point_probability if mid_p else 0.0
            return min(1.0, 2.0 * (min(self.tails()) - less))
        if kind == "probability":
            extreme = self.prob <= self.point_probability * (1.0 + TIE)
        else:
            extreme = self.score_statistics >= self.score_statistic * (1.0 - TIE)
        return float(self.prob[extreme].sum()) - (0.5 * self.point_probability if mid_p else 0.0)

    def _checked(self, kind: str | None) -> str:
        if kind is None:
            return self.kinds[0]
        check_choice("kind", kind, P_VALUES)
        if kind not in self.kinds:
            several = self.values.shape[1] > 1
            why = (
                "several sums have no smaller tail"
                if several and kind == P_VALUES[2]
                else ("random draws do not say how likely each single value is")
            )
            raise NotAvailableError(f"There is no p-value by {kind} here: {why}. Ask for {' or '.join(self.kinds)}.")
        return kind

    def p_error(self, kind: str | None = None) -> float:
        """Monte Carlo standard error of a p-value; 0 where the distribution is exact."""
        if self.draws is None:
            return 0.0
        if self._checked(kind) == "twice_smaller_tail":
            tail = min(self.tails())
            return 2.0 * float(np.sqrt(tail * (1.0 - tail) / self.draws))
        p = self.p_value(kind)
        return float(np.sqrt(p * (1.0 - p) / self.draws))

    def tails(self) -> tuple[float, float]:
        """P(T <= t) and P(T >= t) of a single sum."""
        return self._tail_at(0.0, below=True), self._tail_at(0.0, below=False)

    # A single sum, tilted by exp(beta t).

    @cached_property
    def _unit(self) -> float:
        """Distance that counts as one: equations are solved for beta times it."""
        mean = self.prob @ self.values[:, 0]
        return float(np.sqrt(max(float(self.prob @ (self.values[:, 0] - mean) ** 2), 1e-300)))

    @cached_property
    def _standard(self) -> FloatArray:
        return np.asarray((self.values[:, 0] - self.observed[0]) / self._unit)

    def _tilted(self, gamma: float) -> FloatArray:
        exponent = self.log_count + gamma * self._standard
        return np.asarray(np.exp(exponent - logsumexp(exponent)))

    def _tail_at(self, gamma: float, *, below: bool, share: float = 1.0) -> float:
        """P(T < t) or P(T > t), and a share of P(T = t), at coefficient `gamma` in standard units."""
        prob = self._tilted(gamma)
        away = (self._standard < 0.0) if below else (self._standard > 0.0)
        return float(prob[away & ~self._here].sum() + share * prob[self._here].sum())

    @property
    def at_low_end(self) -> bool:
        """Whether the least possible value was observed: the coefficient may be minus infinity."""
        return not bool(((self._standard < 0.0) & ~self._here).any())

    @property
    def at_high_end(self) -> bool:
        """Whether the largest possible value was observed: the coefficient may be infinite."""
        return not bool(((self._standard > 0.0) & ~self._here).any())

    @cached_property
    def conditional_mle(self) -> float:
        """Estimate that maximises the conditional likelihood; infinite at an end of the distribution."""
        if self.degenerate:
            return float("nan")
        if self.at_low_end or self.at_high_end:
            return float("inf") if self.at_high_end else float("-inf")
        return _root(lambda gamma: float(self._tilted(gamma) @ self._standard)) / self._unit

    @property
    def conditional_mle_se(self) -> float:
        """Standard error of the conditional estimate from its information; NaN where it is infinite."""
        if not np.isfinite(self.conditional_mle):
            return float("nan")
        prob = self._tilted(self.conditional_mle * self._unit)
        spread = float(prob @ self._standard**2 - (prob @ self._standard) ** 2)
        return 1.0 / (self._unit * float(np.sqrt(spread)))

    @cached_property
    def median_unbiased(self) -> float:
        """Mean of the solutions of P(T >= t) = 1/2 and P(T <= t) = 1/2; at an end of the distribution the one that exists."""
        solutions = [limit for limit in self.limits(alpha=1.0) if np.isfinite(limit)]
        return float(np.mean(solutions)) if solutions else float("nan")

    def limits(self, alpha: float = 0.05, mid_p: bool = False) -> tuple[float, float]:
        """Exact confidence limits, alpha / 2 in each tail; infinite on the side where the distribution ends.

        Parameters
        ----------
        alpha : float
        mid_p : bool
            Whether the observed value counts half in the tails.
        """
        share = 0.5 if mid_p else 1.0
        low = -np.inf if self.at_low_end else self._limit(alpha, below=False, share=share)
        high = np.inf if self.at_high_end else self._limit(alpha, below=True, share=share)
        return float(low), float(high)

    def _limit(self, alpha: float, *, below: bool, share: float) -> float:
        sign = -1.0 if below else 1.0
        return _root(lambda g: sign * (self._tail_at(g, below=below, share=share) - 0.5 * alpha)) / self._unit


def _root(rising: Callable[[float], float]) -> float:
    """Where a rising function is zero: bracketed by doubling, then Brent's method to the last digits."""
    low, high = -1.0, 1.0
    while rising(low) > 0.0:
        low *= 2.0
    while rising(high) < 0.0:
        high *= 2.0
    return float(brentq(rising, low, high, xtol=1e-14, rtol=4.0 * np.finfo(float).eps, maxiter=300))
