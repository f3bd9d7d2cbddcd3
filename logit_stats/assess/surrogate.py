"""Residuals of an ordered response: on the scale of probabilities, and surrogate ones that behave like those of a number."""

from __future__ import annotations

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.estimation.fit import Fit
from logit_stats.likelihoods.outcomes import Outcomes


def _sides(fit: Fit) -> tuple[FloatArray, FloatArray]:
    """(n,) each: probabilities of a lower and of a higher category than the one observed."""
    categories = fit.design.response.categories
    assert categories is not None
    found: Outcomes = fit.outcomes(fit.eta).cumulative()
    n, y = fit.design.rows, categories.codes
    none, rows = np.zeros((1, n)), np.arange(n)
    return np.vstack([none, found.prob])[y, rows], np.vstack([found.complement, none])[y, rows]


def probability_residuals(fit: Fit) -> FloatArray:
    """(n,) ``P(Y < y) - P(Y > y)`` (Li and Shepherd 2012, Biometrika 99, 473-480); expectation zero, in [-1, 1]."""
    fit.facts.require("resid_prob", "rows")
    below, above = _sides(fit)
    return below - above


def surrogate_residuals(fit: Fit, seed: int | None = None) -> FloatArray:
    """(n,) surrogate residuals (Liu and Zhang 2018, JASA 113, 845-854).

    The latent variable is drawn from its distribution given that it lies between the thresholds of the observed category, and
    its mean is taken off. In a cumulative logit that is ``logit(u)`` with u uniform between P(Y < y) and P(Y <= y), which is a
    draw with the same property, standard logistic where the model holds, for the other kinds too.

    Parameters
    ----------
    fit : Fit
    seed : int, optional
        The same seed gives the same draws.
    """
    fit.facts.require("resid_surrogate()", "rows")
    below, above = _sides(fit)
    v = np.random.default_rng(seed).uniform(size=len(below))
    own = np.maximum(1.0 - below - above, 0.0)
    low, high = below + v * own, above + (1.0 - v) * own
    # log of both tails: neither cancels near one
    return np.asarray(np.log(low) - np.log(high))
