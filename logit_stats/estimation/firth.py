"""Firth's penalized likelihood: finite estimates also where the maximum-likelihood estimate is infinite.

Maximises ``loglik(beta) + log det information(beta) / 2``, Jeffreys' prior, which removes the first-order bias of the
estimate (Firth 1993, Biometrika 80, 27-38) and gives a finite one under separation (Heinze and Schemper 2002, Statistics
in Medicine 21, 2409-2419). Its gradient is

    sum a_i [ y_i - m_i p_i + h_i (1/2 - p_i) ] z_i,        h_i = m_i p_i (1 - p_i) z_i' information^-1 z_i,

a sum over the rows (a_i is the frequency weight; h_i is the leverage of one of the identical rows).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import NotAvailableError
from logit_stats.estimation.climb import climb, rounding_distance
from logit_stats.estimation.likelihood import TALL_ROWS, moments
from logit_stats.estimation.trace import Step, Trace
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.likelihoods.moments import working_columns
from logit_stats.likelihoods.rows import probability, variance
from logit_stats.likelihoods.working import WorkingColumns, directions_along, scaled_row

# Distances that may be nothing but the rounding of the score; if they no longer shrink, the end is reached.
ROUNDING = 1e-8
# In linear predictor: far from the maximum the quadratic model is not to be trusted further.
LONGEST_STEP = 5.0
# Linear predictor beyond which outcomes are so nearly certain that the penalized likelihood may have several maxima; numbers in
# the rows, squared columns, up to which other starts cost next to nothing; how often to start again.
CERTAIN = 5.0
CHEAP = 1_000_000
RESTARTS = 5
HELD_STEPS = 500
# Least cosine of the angle between a step and what it tells of the curvature.
UPDATED = 1e-8


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
    pull : (k,)
        The penalty's part of it.
    information, inverse : (k, k)
        Expected information and its inverse, in the working columns.
    max_abs_eta : float
    """

    gamma: FloatArray
    loglik: float
    log_det: float
    score: FloatArray
    pull: FloatArray
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
        gamma, here.loglik, factor.log_det(), here.score + pull, pull, here.information, inverse, here.max_abs_eta
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
        Distance in standard errors at which to stop.

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
    found = climb(PenalizedSurface(design, working, directions), start, here, maxiter=maxiter, tol=tol)
    return found.place, found.converged, Trace(tuple(found.steps), penalized=True)


def highest_penalized(
    design: Design, working: WorkingColumns, start: FloatArray, *, maxiter: int = 500, tol: float = 1e-12
) -> tuple[PenalizedPoint, bool, Trace]:
    """Maximise the penalized likelihood, from other starts too where it may have several maxima.

    The penalty is not concave: where outcomes are nearly certain there can be a lower maximum, with other signs. The best point
    with each coefficient at zero is found as well; if one is higher, the climb starts again from there.
    Parameters and returns as for `maximise_penalized`.
    """
    best, converged, trace = maximise_penalized(design, working, start, maxiter=maxiter, tol=tol)
    cheap = design.rows * design.columns**2 <= CHEAP
    for _ in range(RESTARTS):
        if not (converged and cheap and best.max_abs_eta > CERTAIN):
            break
        other = _higher_at_zero(design, working, best)
        if other is None:
            break
        best, converged, trace = maximise_penalized(design, working, other.gamma, maxiter=maxiter, tol=tol)
        trace = replace(
            trace, note="started again from a higher point than a lower maximum of the penalized likelihood"
        )
    return best, converged, trace


def _higher_at_zero(design: Design, working: WorkingColumns, best: PenalizedPoint) -> PenalizedPoint | None:
    """Highest of the maxima with one coefficient at zero, where one is higher than the best point."""
    k = len(best.gamma)
    held = [held_maximum(design, working, scaled_row(working, k, j)[0], 0.0, best) for j in range(k)]
    higher = [point for point in held if point is not None and is_higher(point, best)]
    return max(higher, key=lambda point: point.penalized_loglik, default=None)


def is_higher(point: PenalizedPoint, best: PenalizedPoint) -> bool:
    """Whether a point is higher than another beyond rounding."""
    slack = 1e-9 * (1.0 + abs(best.loglik) + abs(best.log_det))
    return point.penalized_loglik > best.penalized_loglik + slack


def held_maximum(
    design: Design, working: WorkingColumns, a: FloatArray, value: float, near: PenalizedPoint
) -> PenalizedPoint | None:
    """Maximum under ``a'gamma = value``, from a point nearby moved along the profile's tangent; None where it is not found."""
    toward = near.inverse @ a
    onto = near.gamma + toward * ((value - float(a @ near.gamma)) / float(a @ toward))
    here = penalized_point(design, onto, working)
    if here is None or len(a) == 1:
        return here
    surface = PenalizedSurface(design, working, directions_along(a))
    found = climb(surface, onto, here, maxiter=HELD_STEPS, tol=1e-10)
    return found.place if found.converged else None


class PenalizedSurface:
    """The penalized likelihood, over all coefficients or along some directions (k, d) from where the climb starts.

    The information is the curvature of the likelihood; that of the penalty is learnt from its gradients on the way, by the
    symmetric rank-one update (Conn, Gould and Toint 1991, Mathematical Programming 50, 177-195). Without it the step of Fisher
    scoring is twice Newton's where a row has leverage one, and goes to and fro for ever.
    """

    def __init__(self, design: Design, working: WorkingColumns, directions: FloatArray | None = None) -> None:
        self._design, self._working, self._directions = design, working, directions
        self._last: PenalizedPoint | None = None
        self._learnt = np.zeros((design.parameters.count,) * 2)

    def at(self, gamma: FloatArray) -> PenalizedPoint | None:
        """The penalized likelihood at coefficients."""
        return penalized_point(self._design, gamma, self._working)

    def height(self, place: PenalizedPoint) -> float:
        """Penalized log-likelihood."""
        return place.penalized_loglik

    def gradient(self, place: PenalizedPoint) -> FloatArray:
        """Its gradient."""
        return place.score

    def step(self, gamma: FloatArray, place: PenalizedPoint) -> tuple[FloatArray, float]:
        """Step with the curvature of likelihood and penalty, and the distance in standard errors of the likelihood."""
        self._learn(place)
        N = self._directions
        score = place.score if N is None else N.T @ place.score
        inside = _within(place.information, N)
        fisher = EquilibratedCholesky(inside)
        if not fisher.definite:
            return np.zeros(len(place.score)), 0.0
        u = fisher.solve(score)
        decrement = float(np.sqrt(max(float(score @ u), 0.0)))
        both = EquilibratedCholesky(inside + _within(self._learnt, N))
        # what was learnt far away may be wrong: a curvature of less than half the information's is not believed
        if both.definite:
            better = both.solve(score)
            if 0.0 < float(score @ better) <= 2.0 * decrement**2:
                u = better
        return (u if N is None else N @ u), decrement

    def _learn(self, place: PenalizedPoint) -> None:
        """Curvature of the penalty from the change of its gradient along the last step."""
        last, self._last = self._last, place
        if last is None:
            return
        moved = place.gamma - last.gamma
        missed = last.pull - place.pull - self._learnt @ moved
        size = float(missed @ moved)
        # measured in standard errors, so that units do not matter
        scale = np.sqrt(float(moved @ place.information @ moved) * float(missed @ place.inverse @ missed))
        if abs(size) > UPDATED * scale:
            self._learnt = self._learnt + np.outer(missed, missed) / size

    def longest(self, place: PenalizedPoint, step: FloatArray) -> float:
        """No step leads farther than so much of the linear predictor: the quadratic model is not to be trusted there."""
        reach = float(np.sqrt(max(float(step @ place.information @ step), 0.0)))
        most = LONGEST_STEP * float(np.sqrt(self._design.rows))
        return 1.0 if reach <= most else most / reach

    def shorter(self, place: PenalizedPoint, step: FloatArray) -> float:
        """Steps are halved."""
        return 1.0

    def rounding(self, place: PenalizedPoint) -> float:
        """Distance that may be nothing but the rounding of the score."""
        pivot = EquilibratedCholesky(place.information).smallest_pivot
        return rounding_distance(self._design.rows, len(place.score), pivot, ROUNDING)

    def foreseen(self, steps: list[Step], place: PenalizedPoint, tol: float) -> bool:
        """Every point is evaluated."""
        return False


def _within(matrix: FloatArray, directions: FloatArray | None) -> FloatArray:
    return matrix if directions is None else np.asarray(directions.T @ matrix @ directions)


def at_rounding(steps: list[Step]) -> bool:
    """Whether the distance is tiny and has stopped shrinking."""
    return len(steps) > 1 and steps[-1].decrement < ROUNDING and steps[-1].decrement > 0.9 * steps[-2].decrement
