"""Score test of terms or columns that a finished fit does not have."""

from __future__ import annotations

from typing import Any

import numpy as np

from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.deviance_analysis import extended
from logit_stats.inference.score_test import ScoreTest, score_test


def score_test_of_added(fit: Fit, cov: Covariance, added: Any, robust: bool, scope: Any) -> ScoreTest:
    """Score test at the fit of the columns that `added` brings.

    Raises
    ------
    NotAvailableError
        For penalized fits, whose score is not zero at the estimate.
    """
    fit.facts.require("The score test", "maximum", "finite", "unconstrained", "converged")
    larger, terms = extended(fit.design, added, scope)
    beta = np.zeros(larger.coefficients)
    for name, value in zip(fit.design.coefficient_names, fit.beta, strict=True):
        beta[larger.coefficient_names.index(name)] = value
    columns = [j for j, name in enumerate(larger.names) if name not in fit.design.names]
    return score_test(larger, beta, columns, " + ".join(term.name for term in terms), robust, cov.likelihood_reference)
