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
from logit_stats.design.coded import coded
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.likelihoods.moments import working_columns
from logit_stats.likelihoods.rows import probability, variance

BEYOND_DOUBT = 10.0


def hauck_donner(fit: Fit) -> tuple[str, ...]:
    """Columns (without the constant) whose model-based Wald statistic is past its peak, and not beyond doubt.

    A statistic of `BEYOND_DOUBT` and more misleads nobody, peak or not. Since sum w q² = V_jj, the sum is at most V_jj times
    the largest |q|; most columns are cleared by that bound, which needs the range of the columns and no pass over the rows.
    """
    # |beta_j q_ij| is small in every row unless some probability is extreme
    if not fit.facts.binary or fit.max_abs_eta < 2.0 or fit.free_parameters < fit.parameters:
        return ()
    V = fit.covariance_working
    size = np.abs(fit.gamma)
    with np.errstate(divide="ignore", invalid="ignore"):
        doubtful = size < BEYOND_DOUBT * np.sqrt(V.diagonal())
    if fit.design.constant is not None:
        doubtful[fit.design.constant] = False
    if doubtful.any():
        doubtful &= 0.5 * size * _reach(fit, V) / V.diagonal() >= 1.0
    suspects = np.flatnonzero(doubtful)
    if len(suspects) == 0:
        return ()
    third = fit.design.reduce(partial(_third_moment, fit=fit, V=V[:, suspects]), rows=TALL_ROWS)
    slope = 1.0 + 0.5 * fit.gamma[suspects] * third / V.diagonal()[suspects] ** 2
    return tuple(fit.design.names[j] for j, here in zip(suspects, slope, strict=True) if here < 0.0)


def _reach(fit: Fit, V: FloatArray) -> FloatArray:
    """(k,) bound of the largest |q_ij|: the columns' largest values; of a factor kept as codes, its worst level."""
    largest = np.zeros(fit.parameters)
    for ends in fit.design.column_ends():
        np.maximum(largest, np.abs(fit.working.columns(ends)).max(axis=0), out=largest)
    by_code = coded(fit.design.X)
    parts = () if by_code is None else by_code.parts
    for part in parts:
        largest[part.columns] = 0.0
    reach = np.abs(V) @ largest
    for part in parts:
        reach += np.abs(part.contrast @ V[part.columns]).max(axis=0)
    return reach


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
