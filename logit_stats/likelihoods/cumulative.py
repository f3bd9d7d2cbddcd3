"""The cumulative logit: proportional odds, wholly or in part.

With thresholds t_j, ``logit P(Y <= j) = t_j - x'b``: the linear predictor of cut j is ``eta_j = x'b - t_j = logit P(Y > j)``. A
row of category c lies between two of them, ``a = eta_{c-1}`` (infinite for the lowest category) and ``b = eta_c`` (minus infinity
for the highest), and has the probability

    F(a) - F(b) = F(a) F(-b) (1 - exp(b - a)),

in which nothing cancels. Its logarithm is concave in (a, b) jointly (Pratt 1981, JASA 76, 103-106; Burridge 1981), with shared
slopes or not: where a maximum exists, Newton's method from the null model, whose thresholds are in order, finds it, and a step
that would turn the order of a row's two thresholds has no likelihood and is shortened.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.likelihoods.demands import Forms
from logit_stats.likelihoods.likelihood import RowTerms
from logit_stats.likelihoods.ordered import Ordered, own_cut_forms
from logit_stats.likelihoods.outcomes import Outcomes
from logit_stats.likelihoods.rows import probability, variance_and_slope


class Cumulative(Ordered):
    """``logit P(Y <= j) = t_j - x'b`` (McCullagh 1980, JRSS B 42, 109-142)."""

    name: ClassVar[str] = "cumulative logit"
    kind: ClassVar[str] = "cumulative"
    falling: ClassVar[bool] = True

    def terms(self, block: Block, eta: FloatArray) -> RowTerms:
        """Logarithm of F(a) - F(b), its derivatives by a and b, and minus its second ones."""
        E, m = eta.shape
        y = block.category
        assert y is not None
        rows = np.arange(m)
        a = np.where(y > 0, eta[np.maximum(y - 1, 0), rows], np.inf)
        b = np.where(y < E, eta[np.minimum(y, E - 1), rows], -np.inf)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
            apart = b - a
            wide = -np.expm1(apart)
            q = np.exp(apart) / wide
            r = q / wide
            e_a, e_b = np.exp(-np.abs(a)), np.exp(-np.abs(b))
            s_a, s_b = 1.0 / (1.0 + e_a), 1.0 / (1.0 + e_b)
            loglik = np.log(wide * s_a * s_b) + np.minimum(a, 0.0) - np.maximum(b, 0.0)
            of_a, of_b = np.where(a < 0.0, s_a, e_a * s_a) + q, -np.where(b < 0.0, e_b * s_b, s_b) - q
            v_a, v_b = e_a * s_a**2 + r, e_b * s_b**2 + r
        upper, lower = [y - 1 == e for e in range(E)], [y == e for e in range(E)]
        residual = np.array(
            [np.where(u, of_a, 0.0) + np.where(d, of_b, 0.0) for u, d in zip(upper, lower, strict=True)]
        )

        def weight(e: int, f: int) -> FloatArray:
            if e == f:
                return np.asarray(np.where(upper[e], v_a, 0.0) + np.where(lower[e], v_b, 0.0))
            if abs(e - f) > 1:
                return np.zeros(m)
            return np.where(lower[max(e, f)], -r, 0.0)

        return RowTerms(loglik, residual, weight)

    def outcomes(self, eta: FloatArray, design: Design) -> Outcomes:
        """Differences of neighbouring tails; negative where the tails of a model without shared slopes cross."""
        E, m = eta.shape
        a = np.vstack([np.full((1, m), np.inf), eta])
        b = np.vstack([eta, np.full((1, m), -np.inf)])
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            prob = probability(a) * probability(-b) * -np.expm1(b - a)
            complement = probability(-a) + probability(b)
        density, bend = variance_and_slope(eta)
        first = np.zeros((E + 1, E, m))
        for e in range(E):
            first[e, e], first[e + 1, e] = -density[e], density[e]

        def second() -> FloatArray:
            found = np.zeros((E + 1, E, E, m))
            for e in range(E):
                found[e, e, e], found[e + 1, e, e] = -bend[e], bend[e]
            return found

        return Outcomes(prob, complement, first, second)

    def intercepts(self, counts: FloatArray) -> FloatArray:
        """(E,) log odds of lying above each cut."""
        below = counts.cumsum()[:-1]
        return np.asarray(np.log(counts[::-1].cumsum()[::-1][1:]) - np.log(below))

    def forms(self, codes: NDArray[np.intp], equations: int) -> Forms:
        """The cut below a row must not rise above it, nor the cut above it fall."""
        return own_cut_forms(codes, codes[:, None] - 1 == np.arange(equations), equations)


def crossing(eta: FloatArray) -> NDArray[np.bool_]:
    """(n,) rows, of linear predictors (n, E), in which a higher cut is the likelier one: some probability is negative."""
    with np.errstate(invalid="ignore"):
        return np.asarray((np.diff(eta, axis=1) > 0.0).any(axis=1))
