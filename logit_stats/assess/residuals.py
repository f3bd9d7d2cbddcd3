"""Residuals of every row. Frequency weights do not enter: a residual belongs to one of the identical rows.

With y_i successes out of m_i trials: response ``y/m - p``; Pearson ``(y - m p) / sqrt(m p (1 - p))``; deviance (signed
root of the row's deviance); generalized, or score, ``y - m p``; working ``(y/m - p) / (p (1 - p))`` (McCullagh and Nelder
1989, section 2.4). Rows of one outcome are computed from exp(-|eta|), so that small residuals keep their digits.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.errors import check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.likelihoods.deviance import deviance_terms, exact_residual, pearson_residual
from logit_stats.likelihoods.kernel import row_terms

RESIDUALS = ("response", "pearson", "dev", "generalized", "working")


def residuals(fit: Fit, kind: str, eta: FloatArray | None = None) -> FloatArray:
    """(n,) residuals of one of the kinds of `RESIDUALS`; `eta` is the linear predictor, where that is known already.

    Raises
    ------
    UnknownOptionError
        If `kind` is none of them.
    """
    check_choice("kind", kind, RESIDUALS)
    eta = fit.eta if eta is None else eta
    y, trials = fit.design.response.successes, fit.design.response.trials
    if kind == "pearson":
        return pearson_residual(eta, y, trials)
    m = np.ones_like(y) if trials is None else trials
    _, score, _, _ = row_terms(replace(fit.design.block, weight=None), eta)
    if trials is not None:
        score = exact_residual(eta, y, trials)
    if kind == "generalized":
        return score
    if kind == "response":
        return np.asarray(score / m)
    if kind == "working":
        # (1 - p) / (p (1 - p)) = 1 + exp(-eta), written so that a probability of zero in double precision does no harm
        with np.errstate(over="ignore"):
            success = np.where(y > 0, y / m * (1.0 + np.exp(-eta)), 0.0)
            failure = np.where(y < m, (1.0 - y / m) * (1.0 + np.exp(eta)), 0.0)
        return np.asarray(success - failure)
    return np.asarray(np.sign(score) * np.sqrt(deviance_terms(eta, y, trials)))
