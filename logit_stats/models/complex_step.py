"""Likelihoods of complex coefficients: what derivatives by complex steps are made of.

The imaginary part of ``f(x + ih)`` over h is the derivative of f at x without cancellation (Squire and Trapp 1998, SIAM Review
40, 110-112). The formulas are those of `likelihoods.multinomial` in plain complex arithmetic, a binary response being that of two
categories; rows of counts have m_i times the terms of one trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.design import Design

ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class AtComplex:
    """A likelihood at complex coefficients.

    Attributes
    ----------
    X : (n, k)
    eta : (n, J)
        Linear predictors against the reference.
    y : (n, J)
        Outcomes of the categories but the reference: indicators, or numbers of successes.
    trials, weight : (n,)
    constant : float
        What the log-likelihood has that does not depend on coefficients.
    """

    X: NDArray[np.float64]
    eta: ComplexArray
    y: NDArray[np.float64]
    trials: NDArray[np.float64]
    weight: NDArray[np.float64]
    constant: float = 0.0

    @property
    def probabilities(self) -> ComplexArray:
        """(n, J) probabilities of the categories but the reference."""
        top = np.maximum(self.eta.real.max(axis=1, keepdims=True), 0.0)
        odds = np.exp(self.eta - top)
        return np.asarray(odds / (np.exp(-top) + odds.sum(axis=1, keepdims=True)))

    @property
    def obs(self) -> ComplexArray:
        """(n,) log-likelihood of every row, without the constant."""
        top = np.maximum(self.eta.real.max(axis=1), 0.0)
        total = np.exp(-top) + np.exp(self.eta - top[:, None]).sum(axis=1)
        return np.asarray(self.weight * ((self.y * self.eta).sum(axis=1) - self.trials * (top + np.log(total))))

    @property
    def loglike(self) -> complex:
        """Log-likelihood."""
        return complex(self.obs.sum() + self.constant)

    @property
    def score(self) -> ComplexArray:
        """(k J,) gradient, equation by equation."""
        factor = self.weight[:, None] * (self.y - self.trials[:, None] * self.probabilities)
        return np.asarray((self.X.T @ factor).T.ravel())

    @property
    def hessian(self) -> ComplexArray:
        """(k J, k J) second derivatives."""
        p, size = self.probabilities, self.weight * self.trials
        J = p.shape[1]
        blocks = [
            [-(self.X.T * (size * p[:, a] * ((a == b) - p[:, b]))) @ self.X for b in range(J)] for a in range(J)
        ]  # fmt: skip
        return np.block(blocks)


def at_complex(design: Design, params: Any, constant: float = 0.0) -> AtComplex:
    """The likelihood of a design's rows at complex coefficients, equation by equation, or in a (k, J) table."""
    given = np.asarray(params, dtype=np.complex128)
    X = np.asarray(design.X)
    B = given.ravel(order="F").reshape(design.equations, design.columns)
    eta = X @ B.T
    if design.offset is not None:
        eta = eta + design.offset.values[:, None]
    response, ones = design.response, np.ones(len(X))
    y = (
        response.successes[:, None]
        if response.categories is None
        else np.eye(design.equations + 1)[response.categories.codes][:, 1:]
    )
    trials = ones if response.trials is None else response.trials
    return AtComplex(X, eta, y, trials, ones if design.weight is None else design.weight.values, constant)
