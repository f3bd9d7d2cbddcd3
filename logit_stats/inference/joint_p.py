"""One p-value for several coefficients of a result, of the kind that its single p-values are of."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from logit_stats.design.constraints import Constraints
from logit_stats.estimation.limit import LimitFit, limiting_fit
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.inference.hypotheses import joint_wald
from logit_stats.inference.inference import AugmentedLikelihood, FittedIntercept, PenalizedLikelihood
from logit_stats.inference.likelihood_ratio import likelihood_ratio_test


def joint_p(res: Any, positions: tuple[int, ...]) -> float:
    """P-value of the hypothesis that the coefficients at these positions are all zero.

    From Wald's statistic under the result's covariance; for penalized fits and fits to the limit, whose own p-values come from a
    likelihood, from that likelihood.

    Parameters
    ----------
    res : result
        With `fit_`, `covariance_` and, where p-values come from a likelihood, `inference_`.
    positions : tuple of int
        Positions among the coefficients.

    Examples
    --------
    >>> import logit_stats as ls
    >>> res = ls.logit("low ~ age + race", ls.datasets.load("birthwt")).fit()
    >>> round(joint_p(res, (1, 2)), 4), round(float(res.wald_test_terms().frame.loc["race", "pvalue"]), 4)
    (0.1543, 0.1543)
    """
    inference, fit = getattr(res, "inference_", None), res.fit_
    if isinstance(inference, FittedIntercept):
        inference = inference.slopes
    if isinstance(inference, PenalizedLikelihood):
        return _tail(inference.profiled.joint_statistic(positions), len(positions))
    if isinstance(inference, AugmentedLikelihood):
        smaller = maximum_likelihood(_without(inference.larger.design, positions))
        return _tail(inference.larger.twice_above(smaller), len(positions))
    if isinstance(fit, LimitFit):
        return float(likelihood_ratio_test(fit, limiting_fit(_without(fit.design, positions))).pvalue)
    names = fit.design.coefficient_names
    R = np.zeros((len(positions), len(names)))
    R[np.arange(len(positions)), list(positions)] = 1.0
    held = Constraints(R, np.zeros(len(positions)), tuple(f"{names[j]} = 0" for j in positions))
    return float(joint_wald(fit, res.covariance_, held).pvalue)


def _tail(statistic: float, df: int) -> float:
    return float(stats.chi2.sf(max(statistic, 0.0), df))


def _without(design: Any, positions: tuple[int, ...]) -> Any:
    return design.with_columns([j for j in range(design.columns) if j not in positions], ())
