"""Firth's penalized likelihood: finite estimates also where the maximum-likelihood estimate is infinite.

Maximises ``loglik(beta) + log det information(beta) / 2``, Jeffreys' prior, which removes the first-order bias of the
estimate (Firth 1993, Biometrika 80, 27-38) and gives a finite one under separation (Heinze and Schemper 2002, Statistics
in Medicine 21, 2409-2419). Its gradient is

    sum a_i [ y_i - m_i p_i + h_i (1/2 - p_i) ] z_i,        h_i = m_i p_i (1 - p_i) z_i' information^-1 z_i,

a sum over the rows (a_i is the frequency weight; h_i is the leverage of one of the identical rows).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import NotAvailableError
from logit_stats.estimation.likelihood import TALL_ROWS, moments
from logit_stats.estimation.trace import Step, Trace
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.likelihoods.moments import working_columns
from logit_stats.likelihoods.rows import probability, variance
from logit_stats.likelihoods.working import WorkingColumns

HALVINGS = 40
ROUNDING = (
    1e-8  # distances that may be nothing but the rounding of the score; if they no longer shrink, the end is reached
)
LONGEST_STEP = 5.0  # in linear predictor: far from the maximum the quadratic model is not to be trusted further


@dataclass(frozen=True, eq=False)
class PenalizedPoint:
    """The penalized likelihood at one coefficient vector.

    Attributes
    ----------
    gamma : (k,)
        Working coefficients.
    loglik : float
        Log-likelihood without penalty and without binomial coefficients.
    log_det : float
        Logarithm of the determinant of the information in the working columns.
    score : (k,)
        Gradient of the penalized log-likelihood.
    information, inverse : (k, k)
        Expected information and its inverse, in the working columns.
    max_abs_eta : float
    """

    gamma: FloatArray
    loglik: float
    log_det: float
    score: FloatArray
    information: FloatArray
    inverse: FloatArray
    max_abs_eta: float

    @property
    def penalized_loglik(self) -> float:
        """Log-likelihood plus half the log determinant."""
        return self.loglik + 0.5 * self.log_det


def penalized_point(design: Design, gamma: FloatArray, working: WorkingColumns) -> PenalizedPoint | None:
    """Evaluate the penalized likelihood; None where the information is singular in double precision."""
    here = moments(design, gamma, working)
    factor = EquilibratedCholesky(here.information)
    if not factor.definite or not np.isfinite(here.loglik):
        return None
    with np.errstate(over="ignore"):
        inverse = factor.inverse()
    if not np.isfinite(inverse).all():
        return None
    pull = design.reduce(partial(_pull, gamma=gamma, working=working, inverse=inverse), rows=TALL_ROWS)
    return PenalizedPoint(
        gamma, here.loglik, factor.log_det(), here.score + pull, here.information, inverse, here.max_abs_eta
    )


def _pull(block: Block, gamma: FloatArray, working: WorkingColumns, inverse: FloatArray) -> FloatArray:
    """Gradient of half the log determinant: sum a_i h_i (1/2 - p_i) z_i."""
    Z = working_columns(block.X, working.center, working.scale)
    eta = Z @ gamma
    if block.offset is not None:
        eta += block.offset
    leverage = variance(eta) * np.einsum("ij,ij->i", Z @ inverse, Z)
    if block.trials is not None:
        leverage = leverage * block.trials
    if block.weight is not None:
        leverage = leverage * block.weight
    return np.asarray((leverage * (0.5 - probability(eta))) @ Z)


def maximise_penalized(
    design: Design,
    working: WorkingColumns,
    start: FloatArray,
    *,
    directions: FloatArray | None = None,
    maxiter: int = 500,
    tol: float = 1e-12,
) -> tuple[PenalizedPoint, bool, Trace]:
    """Maximise the penalized likelihood, over all coefficients or along some directions.

    Parameters
    ----------
    design : Design
    working : WorkingColumns
    start : (k,)
        Working coefficients.
    directions : (k, d), optional
        The coefficients move by ``start + directions @ u`` only; the penalty stays that of the whole information.
    maxiter : int
        Largest number of steps.
    tol : float
        Distance to the maximum in standard errors at which to stop.

    Returns
    -------
    point : PenalizedPoint
    converged : bool
    trace : Trace

    Raises
    ------
    NotAvailableError
        If the information is singular at the start.
    """
    here = penalized_point(design, start, working)
    if here is None:
        raise NotAvailableError("The penalized likelihood cannot be evaluated: the information matrix is singular.")
    N = np.eye(len(start)) if directions is None else directions
    steps: list[Step] = []
    length = 0.0
    for _ in range(maxiter + 1):
        reduced = EquilibratedCholesky(N.T @ here.information @ N)
        gradient = N.T @ here.score
        u = reduced.solve(gradient) if reduced.definite else np.zeros(N.shape[1])
        decrement = float(np.sqrt(max(float(gradient @ u), 0.0)))
        steps.append(Step(here.penalized_loglik, decrement, length))
        if decrement <= tol or at_rounding(steps):
            return here, True, Trace(tuple(steps))
        moved, length = _halved(design, working, here, N @ u)
        if moved is None:
            # nothing is gained any more: at a distance that small it is rounding
            return here, decrement < 1e-6, Trace(tuple(steps))
        here = moved
    return here, False, Trace(tuple(steps))


def at_rounding(steps: list[Step]) -> bool:
    """Whether the distance is tiny and has stopped shrinking."""
    return len(steps) > 1 and steps[-1].decrement < ROUNDING and steps[-1].decrement > 0.9 * steps[-2].decrement


def _halved(
    design: Design, working: WorkingColumns, here: PenalizedPoint, step: FloatArray
) -> tuple[PenalizedPoint | None, float]:
    """Take the step, shortened until the penalized likelihood does not fall; None where no fraction of it helps."""
    reach = float(np.sqrt(max(float(step @ here.information @ step), 0.0)))
    length = 1.0 if reach <= LONGEST_STEP * np.sqrt(design.rows) else LONGEST_STEP * np.sqrt(design.rows) / reach
    slack = 1e-13 * (1.0 + abs(here.penalized_loglik))
    for _ in range(HALVINGS):
        there = penalized_point(design, here.gamma + length * step, working)
        if there is not None and there.penalized_loglik >= here.penalized_loglik - slack:
            return there, length
        length *= 0.5
    return None, 0.0
