"""Logits of neighbouring categories, and of going on: the ordered models whose probabilities cannot cross.

Adjacent categories: ``log P(Y = j + 1) / P(Y = j) = a_j + x'b``. Continuation ratio: ``logit P(Y > j | Y >= j) = a_j + x'b``.
Agresti (2010), Analysis of Ordinal Categorical Data, sections 4.1 and 4.2.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.likelihoods.category_moments import category_terms
from logit_stats.likelihoods.demands import Forms
from logit_stats.likelihoods.likelihood import RowTerms
from logit_stats.likelihoods.ordered import Ordered, own_cut_forms
from logit_stats.likelihoods.outcomes import Outcomes
from logit_stats.likelihoods.rows import loglik_terms, probability, variance


class Adjacent(Ordered):
    """``log P(Y = j + 1) / P(Y = j) = a_j + x'b``: a multinomial logit whose predictors are sums of those of the cuts below."""

    name: ClassVar[str] = "adjacent-category logit"
    kind: ClassVar[str] = "adjacent"

    def terms(self, block: Block, eta: FloatArray) -> RowTerms:
        """Log probability of the own category; the residual of cut j is ``1[Y > j] - P(Y > j)``."""
        y = block.category
        assert y is not None
        found = category_terms(eta.cumsum(axis=0), y, len(eta) + 1)
        below, above = _tails(found.prob)
        residual = np.array([np.where(y > j, below[j], -above[j]) for j in range(len(eta))])

        def weight(e: int, f: int) -> FloatArray:
            return np.asarray(below[min(e, f)] * above[max(e, f)])

        return RowTerms(found.loglik, residual, weight)

    def outcomes(self, eta: FloatArray, design: Design) -> Outcomes:
        """Probabilities of all categories; ``dp_c / d eta_j = p_c (1[c > j] - P(Y > j))``."""
        E = len(eta)
        found = category_terms(eta.cumsum(axis=0), None, E + 1)
        p, (below, above) = found.prob, _tails(found.prob)
        moved = np.array([[below[j] if c > j else -above[j] for j in range(E)] for c in range(E + 1)])
        first = p[:, None] * moved

        def second() -> FloatArray:
            shared = np.array([[below[min(e, f)] * above[max(e, f)] for f in range(E)] for e in range(E)])
            return np.asarray(p[:, None, None] * (moved[:, :, None] * moved[:, None] - shared[None]))

        return Outcomes(p, found.complement, first, second)

    def intercepts(self, counts: FloatArray) -> FloatArray:
        """(E,) log odds of neighbours."""
        return np.asarray(np.diff(np.log(counts)))

    def forms(self, codes: NDArray[np.intp], equations: int) -> Forms:
        """A row's own category must gain on each other one: sums of the predictors between the two."""
        others = np.arange(equations + 1)
        low, high = np.minimum(codes[:, None], others), np.maximum(codes[:, None], others)
        pairs = [(c, d) for c in others for d in others]
        e = np.arange(equations)
        patterns = np.array(
            [np.where((e >= min(c, d)) & (e < max(c, d)), np.sign(c - d), 0.0) for c, d in pairs], dtype=np.float64
        )
        row, other = np.nonzero(low < high)
        return Forms(row, codes[row] * (equations + 1) + other, patterns)


class Continuation(Ordered):
    """``logit P(Y > j | Y >= j) = a_j + x'b``: a yes or no at every category that is reached (Fienberg 1980; Tutz 1991)."""

    name: ClassVar[str] = "continuation-ratio logit"
    kind: ClassVar[str] = "continuation"

    def terms(self, block: Block, eta: FloatArray) -> RowTerms:
        """The binary terms of the cuts that a row reached."""
        y = block.category
        assert y is not None
        reached, gone_on = [y >= j for j in range(len(eta))], [y > j for j in range(len(eta))]
        up, down = probability(eta), probability(-eta)
        loglik = np.zeros(eta.shape[1])
        for j, went in enumerate(gone_on):
            loglik += np.where(reached[j], loglik_terms(eta[j], went.astype(np.float64), None), 0.0)
        residual = np.array(
            [np.where(went, down[j], np.where(reached[j], -up[j], 0.0)) for j, went in enumerate(gone_on)]
        )

        def weight(e: int, f: int) -> FloatArray:
            return np.where(reached[e], variance(eta[e]), 0.0) if e == f else np.zeros(eta.shape[1])

        return RowTerms(loglik, residual, weight)

    def outcomes(self, eta: FloatArray, design: Design) -> Outcomes:
        """Products of going on and stopping."""
        E, m = eta.shape
        up, down = probability(eta), probability(-eta)
        reach = np.vstack([np.ones((1, m)), up.cumprod(axis=0)])
        p = reach * np.vstack([down, np.ones((1, m))])
        complement = (1.0 - np.eye(E + 1)) @ p
        moved = np.array([[down[j] if c > j else -up[j] * (c == j) for j in range(E)] for c in range(E + 1)])
        spread = variance(eta)

        def second() -> FloatArray:
            found = moved[:, :, None] * moved[:, None]
            for j in range(E):
                found[j:, j, j] -= spread[j]
            return np.asarray(p[:, None, None] * found)

        return Outcomes(p, complement, p[:, None] * moved, second)

    def intercepts(self, counts: FloatArray) -> FloatArray:
        """(E,) log odds of going on."""
        return np.asarray(np.log(counts[::-1].cumsum()[::-1][1:]) - np.log(counts[:-1]))

    def forms(self, codes: NDArray[np.intp], equations: int) -> Forms:
        """Every cut that a row passed must rise, the one at which it stopped fall."""
        return own_cut_forms(codes, codes[:, None] > np.arange(equations), equations)


def _tails(prob: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(E, m) each: probabilities of lying below a cut, and above."""
    return prob.cumsum(axis=0)[:-1], prob[::-1].cumsum(axis=0)[::-1][1:]
