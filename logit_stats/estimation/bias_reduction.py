"""Estimates of smaller bias that are no maximum of anything: median bias reduction, and the correction in one step.

Both add to the score of the likelihood. Firth's addition (firth.py) removes the first-order mean bias and happens to be a
gradient. The median-reducing one (Kenne Pagui, Salvan and Sartori 2017, Biometrika 104, 923-938; for generalized linear models
Kosmidis, Kenne Pagui and Sartori 2020, Statistics and Computing 30, 43-59) moves its root by

    u_j = - sum a_i m_i p_i (1 - p_i) (1 - 2 p_i) q_ij³ / (3 V_jj),        q_ij = x_i' V e_j,

a third cumulant of the score, in such a way that each component of the estimate lies above and below the truth with equal
probability to that order. The correction subtracts the bias at the maximum-likelihood estimate (Cordeiro and McCullagh 1991,
Journal of the Royal Statistical Society B 53, 629-643).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import NotAvailableError
from logit_stats.estimation.firth import LONGEST_STEP, PenalizedPoint, at_rounding, penalized_point
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.estimation.trace import Step, Trace
from logit_stats.likelihoods.rows import variance_and_slope
from logit_stats.likelihoods.working import WorkingColumns

PATIENCE = 10
SHORTEST = 1e-6


def median_root(
    design: Design, working: WorkingColumns, start: FloatArray, *, maxiter: int = 500, tol: float = 1e-12
) -> tuple[PenalizedPoint, bool, Trace]:
    """Root of the median-reducing score, by Fisher scoring.

    Nothing is maximised, so a step may lead away before it leads nearer; steps are shortened for good when for a while none
    comes nearer than the nearest so far. Under complete separation there can be several roots; this is the one that scoring
    finds from the start, as in R's brglm2.

    Parameters
    ----------
    design : Design
    working : WorkingColumns
    start : (k,)
        Working coefficients.
    maxiter : int
        Largest number of steps.
    tol : float
        Distance in standard errors at which to stop.

    Returns
    -------
    point : PenalizedPoint
        Where the iterations ended; its penalized likelihood means nothing here.
    converged : bool
    trace : Trace

    Raises
    ------
    NotAvailableError
        If the information is singular at the start.
    """
    found = _median_step(design, working, start)
    if found is None:
        raise NotAvailableError("The median-reducing score cannot be evaluated: the information matrix is singular.")
    here, step = found
    steps: list[Step] = []
    length, damping, nearest, waited = 0.0, 1.0, np.inf, 0
    for _ in range(maxiter + 1):
        distance = _distance(here, step)
        steps.append(Step(here.loglik, distance, length))
        if distance <= tol or at_rounding(steps):
            return here, True, Trace(tuple(steps))
        waited = 0 if distance < nearest else waited + 1
        nearest = min(nearest, distance)
        if waited == PATIENCE:
            damping, waited = 0.5 * damping, 0
        length = min(damping, LONGEST_STEP * float(np.sqrt(design.rows)) / distance)
        moved = _median_step(design, working, here.gamma + length * step)
        while moved is None and length > SHORTEST:
            length *= 0.5
            moved = _median_step(design, working, here.gamma + length * step)
        if moved is None:
            break
        here, step = moved
    return here, False, Trace(tuple(steps))


def _distance(here: PenalizedPoint, step: FloatArray) -> float:
    return float(np.sqrt(max(float(step @ here.information @ step), 0.0)))


def _median_step(
    design: Design, working: WorkingColumns, gamma: FloatArray
) -> tuple[PenalizedPoint, FloatArray] | None:
    """A point, and the step of Fisher scoring from it; None where the information is singular in double precision."""
    here = penalized_point(design, gamma, working)
    if here is None:
        return None
    A = working.matrix(design.columns)
    to_user = here.inverse @ A.T
    sums = design.reduce(partial(_third_cumulants, gamma=gamma, working=working, to_user=to_user), rows=TALL_ROWS)
    size = np.einsum("ij,ji->i", A, to_user)
    return here, here.inverse @ here.score - working.gamma(sums / (3.0 * size))


def _third_cumulants(block: Block, gamma: FloatArray, working: WorkingColumns, to_user: FloatArray) -> FloatArray:
    """(k,) sums over rows of the third cumulant of the outcome times the cubed move that it makes of each coefficient."""
    Z = np.asarray(working.columns(block.X))
    eta = Z @ gamma
    if block.offset is not None:
        eta += block.offset
    _, cumulant = variance_and_slope(eta)
    for factor in (block.trials, block.weight):
        if factor is not None:
            cumulant = cumulant * factor
    return np.asarray(cumulant @ (Z @ to_user) ** 3)


def corrected_estimate(design: Design, working: WorkingColumns, gamma: FloatArray) -> PenalizedPoint:
    """Maximum-likelihood estimate `gamma` less its first-order bias, and the information there.

    Raises
    ------
    NotAvailableError
        If the information is singular.
    """
    here = penalized_point(design, gamma, working)
    there = None if here is None else penalized_point(design, gamma + here.inverse @ here.score, working)
    if there is None:
        raise NotAvailableError("The bias cannot be evaluated: the information matrix is singular.")
    return there
