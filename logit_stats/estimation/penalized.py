"""Penalized maximum likelihood: ridge, lasso and elastic net by proximal Newton steps.

Minimises, with N observations and a penalty lambda_j for each coefficient,

    -loglik(beta) / N + sum_j lambda_j [ (1 - w) d_j^2 / 2 + w |d_j| ],        d_j = s_j beta_j,

where s_j is one, or the standard deviation (divisor N) of column j where columns are standardized (Friedman, Hastie and
Tibshirani 2010, Journal of Statistical Software 33(1), equations 3 and 17). Every step needs the moments of the rows once,
and solves the penalized quadratic on the k x k information (Lee, Sun and Saunders 2014, SIAM Journal on Optimization 24,
1420-1443). A ridge penalty alone leaves plain Newton steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.estimation.coordinate_descent import elastic_net_quadratic, subgradient_violation
from logit_stats.estimation.likelihood import moments
from logit_stats.estimation.moments import Moments
from logit_stats.estimation.working import WorkingColumns

TOLERANCE = 1e-10
HALVINGS = 40
# Fits of more rows start from a fit of a part of them: the part costs a tenth of a pass, and saves several passes.
SUBSAMPLE_ROWS = 50_000
SUBSAMPLE_STRIDE = 16


@dataclass(frozen=True, eq=False)
class Penalty:
    """An elastic-net penalty.

    Attributes
    ----------
    strength : (k,)
        lambda_j of each coefficient, per observation; 0 leaves it free.
    l1_wt : float
        Share w of the absolute values: 0 is ridge, 1 is the lasso.
    standardize : bool
        Whether the penalty is on coefficients of columns divided by their standard deviations.
    """

    strength: FloatArray
    l1_wt: float
    standardize: bool = False

    def times(self, factor: float) -> Penalty:
        """Return the penalty with every strength multiplied."""
        return replace(self, strength=self.strength * factor)


@dataclass(frozen=True, eq=False)
class PenalizedProblem:
    """A design made ready for penalized fits: several penalties share its columns.

    Attributes
    ----------
    design : Design
    working : WorkingColumns
        Columns of mean zero (where the intercept is free) and standard deviation one.
    unit : (k,)
        ``d_j = unit_j * gamma_j``: from working to penalized coefficients.
    observations : float
        N: weights times trials, summed.
    pinned : (k, k) or None
        Curvature added where the likelihood has none, in directions that no step should take.
    """

    design: Design
    working: WorkingColumns
    unit: FloatArray
    observations: float
    pinned: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class PenalizedEstimate:
    """A penalized fit.

    Attributes
    ----------
    problem : PenalizedProblem
    penalty : Penalty
    gamma : (k,)
        Working coefficients.
    moments : Moments
        Log-likelihood, score and information at the estimate.
    objective : float
        What was minimised.
    violation : float
        Largest violation of the conditions of an optimum (gradient per observation, by penalized coefficient).
    converged : bool
    iterations : int
    """

    problem: PenalizedProblem
    penalty: Penalty
    gamma: FloatArray
    moments: Moments
    objective: float
    violation: float
    converged: bool
    iterations: int

    @property
    def beta(self) -> FloatArray:
        """(k,) coefficients of the user's columns; zeros are exact."""
        beta = self.problem.working.beta(self.gamma)
        column = np.arange(len(beta)) % self.problem.design.columns
        beta[(self.gamma == 0.0) & (column != self.problem.working.constant)] = 0.0
        return beta


def column_sums(design: Design, center: FloatArray | None) -> FloatArray:
    """Weighted sums of the columns, or with `center` of their squared distances to it: (k,)."""

    def of_block(block: Block) -> FloatArray:
        weight = np.ones(len(block.successes)) if block.weight is None else block.weight
        if block.trials is not None:
            weight = weight * block.trials
        return np.asarray(weight @ (block.X if center is None else (block.X - center) ** 2))

    return design.reduce(of_block, rows=4096)


def prepare(design: Design, penalty: Penalty) -> PenalizedProblem:
    """Centre and scale the columns for a kind of penalty (its strength may still change, but not where it is zero)."""
    total = float(design.row_weight.sum())
    # where columns are not standardized, centre and scale only condition the problem: a part of the rows will do
    part = design.thinned(SUBSAMPLE_STRIDE) if not penalty.standardize and design.rows >= SUBSAMPLE_ROWS else design
    counted = float(part.row_weight.sum())
    mean = column_sums(part, None) / counted
    deviation = np.sqrt(column_sums(part, mean) / counted)
    constant = design.constant
    deviation[deviation <= 1e-13 * np.abs(mean)] = 0.0
    sized = np.where(deviation > 0.0, deviation, np.where(mean != 0.0, np.abs(mean), 1.0))
    if constant is not None:
        sized[constant] = 1.0
    centred = constant is not None and penalty.strength[constant] == 0.0
    center = None
    if centred:
        mean[constant] = 0.0
        # a second constant column stays as it is: centred, it would be nothing
        center = np.where(deviation > 0.0, mean, 0.0)
    value = float(design.X[0, constant]) if constant is not None else 1.0
    working = WorkingColumns(center, 1.0 / sized, constant if centred else None, value)
    unit = np.ones(design.columns) if penalty.standardize else 1.0 / sized
    return PenalizedProblem(design, working, unit, total)


def penalized_fit(
    problem: PenalizedProblem,
    penalty: Penalty,
    start: FloatArray | None = None,
    *,
    tol: float = TOLERANCE,
    maxiter: int = 200,
) -> PenalizedEstimate:
    """Minimise the penalized objective.

    Parameters
    ----------
    problem : PenalizedProblem
    penalty : Penalty
    start : (k,), optional
        Working coefficients.
    tol : float
        Violation of the optimality conditions at which to stop; up to 1e-10 counts as converged where rounding allows no less.
    maxiter : int
        Largest number of steps.
    """
    k = problem.design.columns
    if start is None:
        start = _null_start(problem)
        if problem.design.rows >= SUBSAMPLE_ROWS and problem.design.rows >= 200 * k:
            part = problem.design.thinned(SUBSAMPLE_STRIDE)
            smaller = replace(problem, design=part, observations=float(part.row_weight.sum()))
            start = penalized_fit(smaller, penalty, start, tol=1e-4, maxiter=20).gamma
    l1 = penalty.strength * penalty.l1_wt * problem.unit
    l2 = penalty.strength * (1.0 - penalty.l1_wt) * problem.unit**2
    gamma, here = start, moments(problem.design, start, problem.working)
    value = _objective(problem, here, gamma, l1, l2)
    violation, steps = np.inf, 0
    while True:
        violation = _violation(problem, here, gamma, l1, l2)
        if violation <= tol or steps >= maxiter:
            break
        H, gradient = here.information / problem.observations, -here.score / problem.observations
        if problem.pinned is not None:
            H = H + problem.pinned
        target = elastic_net_quadratic(H, gradient - H @ gamma, l1, l2, gamma)
        moved = _halved(problem, gamma, target, here, value, l1, l2)
        if moved is None:
            break
        gamma, here, value = moved
        steps += 1
    return PenalizedEstimate(problem, penalty, gamma, here, value, violation, violation <= max(tol, TOLERANCE), steps)


def _null_start(problem: PenalizedProblem) -> FloatArray:
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


def _objective(problem: PenalizedProblem, here: Moments, gamma: FloatArray, l1: FloatArray, l2: FloatArray) -> float:
    return float(-here.loglik / problem.observations + 0.5 * (l2 @ gamma**2) + l1 @ np.abs(gamma))


def _violation(problem: PenalizedProblem, here: Moments, gamma: FloatArray, l1: FloatArray, l2: FloatArray) -> float:
    gradient = -here.score / problem.observations + l2 * gamma
    return float((subgradient_violation(gradient, gamma, l1) / problem.unit).max(initial=0.0))


def _halved(
    problem: PenalizedProblem,
    gamma: FloatArray,
    target: FloatArray,
    here: Moments,
    value: float,
    l1: FloatArray,
    l2: FloatArray,
) -> tuple[FloatArray, Moments, float] | None:
    """Go to the target, or part of the way, so that the objective does not rise; None where nothing helps."""
    slack = 1e-14 * (1.0 + abs(value))
    now = _violation(problem, here, gamma, l1, l2)
    length = 1.0
    for _ in range(HALVINGS):
        point = target if length == 1.0 else gamma + length * (target - gamma)
        there = moments(problem.design, point, problem.working)
        new = _objective(problem, there, point, l1, l2)
        if new < value - slack:
            return point, there, new
        # within rounding of the objective the conditions of the optimum are the finer measure
        if new <= value + slack and _violation(problem, there, point, l1, l2) < now:
            return point, there, new
        length *= 0.5
    return None
