"""Ridge fits of several outcomes on the same columns, as in one-vs-rest, in step with each other.

The information of a logit is nowhere more than a quarter of the Gram matrix (Böhning 1992, Annals of the Institute of
Statistical Mathematics 44, 197-200). That bound is the same for every outcome, so that one factorisation starts all of
them; from there the inverse of each curvature learns from the change of the gradient (self-scaling BFGS), and the linear
predictors and scores of all outcomes are two matrix products a step.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.estimation.penalized import PenalizedEstimate, PenalizedProblem, Penalty
from logit_stats.estimation.proximal_newton import LEARNT, null_start, penalized_fit
from logit_stats.likelihoods.kernel import ranges, row_terms, summed, weighted_gram
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.likelihoods.moments import Score
from logit_stats.likelihoods.working import WorkingColumns

STEPS = 80
BLOCK_ROWS = 8192
# Products of so few terms BLAS leaves on one thread: its own threads cost more than they save in products so small.
UNTHREADED = 1 << 18
LEAST_PIVOT = 1e-10


def one_vs_rest_fits(
    problem: PenalizedProblem, penalty: Penalty, outcomes: FloatArray, *, tol: float, maxiter: int
) -> list[PenalizedEstimate]:
    """Fit each outcome as `penalized_fit` does.

    Parameters
    ----------
    problem : PenalizedProblem
        Of rows of one trial each; its response is not looked at.
    penalty : Penalty
    outcomes : (n, c)
        One column of zeros and ones for each fit.
    tol, maxiter
        As for `penalized_fit`.
    """
    problems = [replace(problem, design=_with_outcome(problem.design, outcome)) for outcome in outcomes.T]
    bound = None if penalty.l1_wt * penalty.strength.max(initial=0.0) > 0.0 else _bound(problem)
    found = None if bound is None else _in_step(problems, penalty, outcomes, bound, tol, maxiter)
    if found is None:
        return [penalized_fit(one, penalty, tol=tol, maxiter=maxiter) for one in problems]
    # every fit is checked, and where need be ended, by itself
    estimates = [
        penalized_fit(one, penalty, start, curvature=bound, tol=tol, maxiter=maxiter)
        for one, start in zip(problems, found[0], strict=True)
    ]
    return [replace(one, iterations=one.iterations + int(n)) for one, n in zip(estimates, found[1], strict=True)]


def _with_outcome(design: Design, outcome: FloatArray) -> Design:
    return replace(design, response=replace(design.response, successes=np.ascontiguousarray(outcome)))


def _bound(problem: PenalizedProblem) -> FloatArray:
    working, weight = problem.working, problem.design.row_weight
    gram = weighted_gram(problem.design.X, weight, working.center, working.scale)
    return gram / (4.0 * problem.observations)


def _in_step(
    problems: list[PenalizedProblem],
    penalty: Penalty,
    outcomes: FloatArray,
    bound: FloatArray,
    tol: float,
    maxiter: int,
) -> tuple[FloatArray, FloatArray] | None:
    """Coefficients (c, k) at or near the optimum and numbers of steps (c,); None where columns are close to dependent."""
    problem, outcomes = problems[0], np.ascontiguousarray(outcomes)
    steps = np.zeros(len(problems))
    l2 = penalty.strength * problem.unit**2
    factor = EquilibratedCholesky(bound + np.diag(l2))
    if not factor.definite or factor.smallest_pivot < LEAST_PIVOT:
        return None
    inverse = np.repeat(factor.inverse()[None], len(problems), axis=0)
    gamma = np.array([null_start(one) for one in problems])
    value, gradient = _objective(problem.design, problem.working, outcomes, gamma, l2)
    for _ in range(min(STEPS, maxiter)):
        wanted = np.abs(gradient / problem.unit).max(axis=1) > 0.5 * tol
        if not wanted.any():
            break
        step = -np.matmul(inverse, gradient[:, :, None])[:, :, 0] * wanted[:, None]
        new, change = _objective(problem.design, problem.working, outcomes, gamma + step, l2)
        if not new <= value + 1e-12 * (1.0 + abs(value)):
            break
        _learn(inverse, step, -gradient, change - gradient)
        gamma, value, gradient = gamma + step, new, change
        steps += wanted
    return gamma, steps


def _objective(
    design: Design, working: WorkingColumns, outcomes: FloatArray, gamma: FloatArray, l2: FloatArray
) -> tuple[float, FloatArray]:
    """Sum of the objectives of all outcomes, and the gradient of each: (c, k)."""
    scale = np.ones(design.columns) if working.scale is None else working.scale
    beta, total = np.ascontiguousarray((gamma * scale).T), float(design.row_weight.sum())

    def of_rows(rows: slice) -> Score:
        return _block_score(design, rows, working.center, outcomes[rows], beta)

    here = summed(ranges(design.rows, 4.0 * beta.shape[1] + 0.1 * beta.size), of_rows)
    value = 0.5 * float((l2 * gamma**2).sum()) - here.loglik / total
    return value, l2 * gamma - (here.score.T * scale) / total


def _block_score(
    design: Design, rows: slice, center: FloatArray | None, outcomes: FloatArray, beta: FloatArray
) -> Score:
    """Log-likelihood of all outcomes over a range of rows, and their scores: (k, c)."""
    total = Score(0.0, np.zeros(beta.shape), 0.0)
    size = min(max(UNTHREADED // beta.size, 64), BLOCK_ROWS)
    X, weight = design.X[rows], None if design.weight is None else design.weight.values[rows]
    for start in range(0, len(X), BLOCK_ROWS):
        eta = np.empty((min(BLOCK_ROWS, len(X) - start), beta.shape[1]))
        part = [slice(first, first + size) for first in range(0, len(eta), size)]
        block = X[start : start + BLOCK_ROWS] if center is None else X[start : start + BLOCK_ROWS] - center
        for few in part:
            np.matmul(block[few], beta, out=eta[few])
        successes = outcomes[start : start + BLOCK_ROWS].reshape(-1)
        repeated = None if weight is None else np.repeat(weight[start : start + BLOCK_ROWS], beta.shape[1])
        # one row for each outcome of a row
        loglik, residual, _, largest = row_terms(Block(eta, successes, None, repeated), eta.reshape(-1))
        residual = residual.reshape(eta.shape)
        score = sum((block[few].T @ residual[few] for few in part), np.zeros(beta.shape))
        total += Score(loglik, score, largest)
    return total


def _learn(inverse: FloatArray, step: FloatArray, foretold: FloatArray, change: FloatArray) -> None:
    """Bring the inverses (c, k, k) up to date: each then foretells the change (c, k) of its gradient over its step (c, k).

    The inverse form of the update in `proximal_newton` (Nocedal and Wright 2006, equations 6.17 and 6.20).
    """
    along, seen = (step * foretold).sum(axis=1), (step * change).sum(axis=1)
    learnt = (along < LEARNT * seen) & (seen < LEARNT * along)
    along, seen = np.where(learnt, along, 1.0), np.where(learnt, seen, 1.0)
    step, change = np.where(learnt[:, None], step, 0.0), np.where(learnt[:, None], change, 0.0)
    inverse *= (along / seen)[:, None, None]
    moved = np.matmul(inverse, change[:, :, None])[:, :, 0]
    factor = (1.0 + (moved * change).sum(axis=1) / seen) / (2.0 * seen)
    other = factor[:, None] * step - moved / seen[:, None]
    # step other' + other step'
    inverse += np.matmul(np.stack([step, other], axis=2), np.stack([other, step], axis=1))
