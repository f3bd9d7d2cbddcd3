"""The Hauck-Donner effect: a Wald statistic that shrinks although the effect grows.

Far from zero the standard error of a logit coefficient can grow faster than the coefficient (Hauck and Donner 1977,
JASA 72, 851-853; Yee 2022, JASA 117, 1763-1774). Moving coefficient j along its profile (the other coefficients follow
by V e_j / V_jj), the Wald statistic z_j changes in proportion to

    1 + (beta_j / 2) sum_i w_i (1 - 2 p_i) q_ij³ / V_jj²,      q_ij = z_i' V e_j.

Where that is negative the statistic is past its peak. (Yee moves beta_j alone, which depends on where the other columns
have their zero; the profile does not.)
"""

from __future__ import annotations

from functools import partial

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.estimation.moments import working_columns
from logit_stats.estimation.rows import probability, variance


def hauck_donner(fit: Fit) -> tuple[str, ...]:
    """Columns (without the constant) whose model-based Wald statistic is past its peak."""
    # |beta_j q_ij| is small in every row unless some probability is extreme
    if fit.max_abs_eta < 2.0:
        return ()
    V = fit.covariance_working
    third = fit.design.reduce(partial(_third_moment, fit=fit, V=V), rows=TALL_ROWS)
    slope = 1.0 + 0.5 * fit.gamma * third / V.diagonal() ** 2
    return tuple(name for j, name in enumerate(fit.design.names) if slope[j] < 0.0 and j != fit.design.constant)


def _third_moment(block: Block, fit: Fit, V: FloatArray) -> FloatArray:
    Z = working_columns(block.X, fit.working.center, fit.working.scale)
    eta = Z @ fit.gamma
    if block.offset is not None:
        eta += block.offset
    weight = variance(eta) * (1.0 - 2.0 * probability(eta))
    if block.trials is not None:
        weight = weight * block.trials
    if block.weight is not None:
        weight = weight * block.weight
    q = Z @ V
    return np.asarray(weight @ (q * q * q))
