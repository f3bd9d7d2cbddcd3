"""Ridge, lasso and elastic net by proximal Newton steps.

A step minimises the penalized quadratic on a k x k curvature (Lee, Sun and Saunders 2014, SIAM Journal on Optimization 24,
1420-1443); a ridge penalty alone leaves plain Newton steps. The curvature is the information where that pays. In between
it is brought up to date by what the gradient did over the last step (the BFGS formula: Nocedal and Wright 2006, Numerical
Optimization, equation 6.19), which needs the score alone: a fraction of the time where columns are many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.estimation.coordinate_descent import elastic_net_quadratic, subgradient_violation
from logit_stats.estimation.likelihood import moments, score
from logit_stats.estimation.penalized import (
    SUBSAMPLE_ROWS,
    SUBSAMPLE_STRIDE,
    TOLERANCE,
    PenalizedEstimate,
    PenalizedProblem,
    Penalty,
)
from logit_stats.likelihoods.kernel import information_cost
from logit_stats.likelihoods.moments import Moments, Score

HALVINGS = 40
# The change of the gradient is learnt from where it is what was foreseen within this factor: else the step was too long for
# it to say something about here, or so short that it is rounding.
LEARNT = 4.0
# Passes over the score alone that a pass with the information must save to be worth each one that it costs more.
SAVED = 3.0
# The share of the violation that a first step leaves whose curvature is that of a neighbouring problem.
NEIGHBOUR_RATE = 0.1
# Violation per observation, in columns of size one, that is rounding where no step lessens it.
ROUNDING = 1e-14


@dataclass(frozen=True, eq=False)
class _Point:
    """Coefficients on the way, and what is known there."""

    gamma: FloatArray
    here: Moments | Score
    curvature: FloatArray
    value: float
    violation: float
    violation_working: float

    @property
    def informed(self) -> bool:
        """Whether the curvature is the information of this point."""
        return isinstance(self.here, Moments)


def penalized_fit(
    problem: PenalizedProblem,
    penalty: Penalty,
    start: FloatArray | PenalizedEstimate | None = None,
    *,
    curvature: FloatArray | None = None,
    tol: float = TOLERANCE,
    maxiter: int = 200,
) -> PenalizedEstimate:
    """Minimise the penalized objective.

    Parameters
    ----------
    problem : PenalizedProblem
    penalty : Penalty
    start : (k,) or PenalizedEstimate, optional
        Working coefficients; or an estimate of the same problem at another strength, whose score and curvature are used.
    curvature : (k, k), optional
        About what the information per observation is at a start given as coefficients: saves computing it.
    tol : float
        Violation of the optimality conditions at which to stop; up to 1e-10 counts as converged where rounding allows no less.
    maxiter : int
        Largest number of steps.
    """
    search = _Search(problem, penalty)
    if start is None:
        start, curvature = _rough_start(problem, penalty)
    point = search.at_start(start, curvature)
    rate, steps, at_rounding = 1.0 if point.informed else NEIGHBOUR_RATE, 0, False
    while point.violation > tol and steps < maxiter:
        moved = search.step(point, rate, tol)
        if moved is None:
            # in a column of size 1e8 the rounding of the gradient alone is more than the tolerance
            at_rounding = point.violation_working <= ROUNDING
            break
        rate = moved.violation / point.violation
        point = moved
        steps += 1
    converged = at_rounding or point.violation <= max(tol, TOLERANCE)
    return PenalizedEstimate(
        problem, penalty, point.gamma, point.here, point.curvature, point.value, point.violation, converged, steps
    )


def estimate_at(estimate: PenalizedEstimate, gamma: FloatArray) -> PenalizedEstimate:
    """Return the estimate moved to other working coefficients, with what holds there."""
    point = _Search(estimate.problem, estimate.penalty).at_start(gamma, None)
    return replace(
        estimate,
        gamma=gamma,
        point=point.here,
        curvature=point.curvature,
        objective=point.value,
        violation=point.violation,
    )


class _Search:
    """The objective of a penalized fit, and steps towards its minimum."""

    def __init__(self, problem: PenalizedProblem, penalty: Penalty) -> None:
        self.problem = problem
        self.l1 = penalty.strength * penalty.l1_wt * problem.unit
        self.l2 = penalty.strength * (1.0 - penalty.l1_wt) * problem.unit**2
        self.cost = information_cost(problem.design.X)

    def at_start(self, start: FloatArray | PenalizedEstimate, curvature: FloatArray | None) -> _Point:
        """Return the point to start from; that of an estimate of the same problem needs no pass over the rows."""
        if isinstance(start, PenalizedEstimate):
            return self._point(start.gamma, start.point, start.curvature)
        if curvature is None:
            return self._informed(start)
        return self._point(start, score(self.problem.design, start, self.problem.working), curvature)

    def step(self, point: _Point, rate: float, tol: float) -> _Point | None:
        """Return the next point; None where nothing lowers the objective.

        `rate` is the share of the violation that the last step left.
        """
        target = self._target(point)
        if self._information_pays(point, rate, tol):
            moved = self._informed(target)
        else:
            moved = self._learnt(target, point)
        if _better(moved, point):
            return moved
        if not point.informed:
            return self.step(self._informed(point.gamma), 1.0, tol)
        return self._part_of_the_way(point, target)

    def _target(self, point: _Point) -> FloatArray:
        linear = -point.here.score / self.problem.observations - point.curvature @ point.gamma
        return elastic_net_quadratic(point.curvature, linear, self.l1, self.l2, point.gamma)

    def _information_pays(self, point: _Point, rate: float, tol: float) -> bool:
        # Newton's method squares the distance: the share left by the next step, and with this curvature by those after it
        expected = rate**2 if point.informed else rate
        if expected >= 1.0:
            return True
        passes = np.log(tol / point.violation) / np.log(expected) if tol > 0.0 else np.inf
        return bool(passes > SAVED * (self.cost - 1.0))

    def _part_of_the_way(self, point: _Point, target: FloatArray) -> _Point | None:
        if point.violation <= TOLERANCE:
            return None
        length = 0.5
        for _ in range(HALVINGS):
            moved = self._informed(point.gamma + length * (target - point.gamma))
            if _better(moved, point):
                return moved
            length *= 0.5
        return None

    def _informed(self, gamma: FloatArray) -> _Point:
        here = moments(self.problem.design, gamma, self.problem.working)
        return self._point(gamma, here, _curvature(self.problem, here))

    def _learnt(self, gamma: FloatArray, before: _Point) -> _Point:
        here = score(self.problem.design, gamma, self.problem.working)
        change = (before.here.score - here.score) / self.problem.observations
        return self._point(gamma, here, _corrected(before.curvature, gamma - before.gamma, change))

    def _point(self, gamma: FloatArray, here: Moments | Score, curvature: FloatArray) -> _Point:
        value = -here.loglik / self.problem.observations + 0.5 * (self.l2 @ gamma**2) + self.l1 @ np.abs(gamma)
        gradient = -here.score / self.problem.observations + self.l2 * gamma
        violation = subgradient_violation(gradient, gamma, self.l1)
        in_units = float((violation / self.problem.unit).max(initial=0.0))
        return _Point(gamma, here, curvature, float(value), in_units, float(violation.max(initial=0.0)))


def _better(moved: _Point, point: _Point) -> bool:
    """Whether the objective falls; within rounding of it the conditions of the optimum are the finer measure."""
    slack = 1e-14 * (1.0 + abs(point.value))
    return moved.value < point.value - slack or (
        moved.value <= point.value + slack and moved.violation < point.violation
    )


def _curvature(problem: PenalizedProblem, here: Moments) -> FloatArray:
    information = here.information / problem.observations
    return information if problem.pinned is None else information + problem.pinned


def _corrected(curvature: FloatArray, step: FloatArray, change: FloatArray) -> FloatArray:
    """Curvature that foretells the change of the gradient over a step, nearest to the one given: self-scaling BFGS.

    Along a path the information changes mostly by a factor (Nocedal and Wright 2006, equation 6.20, at every step).
    """
    foretold = curvature @ step
    along, seen = float(step @ foretold), float(step @ change)
    if not along < LEARNT * seen or not seen < LEARNT * along:
        return curvature
    factor = seen / along
    return factor * curvature + (np.outer(change / seen, change) - np.outer(foretold * (factor / along), foretold))


def _rough_start(problem: PenalizedProblem, penalty: Penalty) -> tuple[FloatArray, FloatArray | None]:
    """Coefficients to start from, and the curvature there where it is known: of a part of the rows where they are many."""
    if problem.design.rows < max(SUBSAMPLE_ROWS, 200 * problem.design.columns):
        return null_start(problem), None
    part = problem.design.thinned(SUBSAMPLE_STRIDE)
    smaller = replace(problem, design=part, observations=float(part.row_weight.sum()))
    found = penalized_fit(smaller, penalty, tol=1e-4, maxiter=20)
    return found.gamma, _curvature(smaller, found.moments)


def null_start(problem: PenalizedProblem) -> FloatArray:
    """Zeros, and a free intercept at the log odds of the sample: one step is saved."""
    design, working = problem.design, problem.working
    start = np.zeros(design.columns)
    if working.constant is None or design.offset is not None:
        return start
    weight = 1.0 if design.weight is None else design.weight.values
    share = float(np.sum(weight * design.response.successes)) / float(design.row_weight.sum())
    if 0.0 < share < 1.0:
        start[working.constant] = np.log(share / (1.0 - share)) / working.constant_value
    return start
