"""Penalized multinomial fits.

In the symmetric parametrization every category has coefficients of its own, the reference too (Friedman, Hastie and Tibshirani
2010, Journal of Statistical Software 33(1), section 4; scikit-learn's multinomial model is the same). The likelihood does not
change when the coefficients of a column are shifted in all categories alike; the penalty decides among them, and where a
column is not penalized (the intercept) they sum to zero. In the parametrization against a reference, its own are zero.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.estimation.penalized import PenalizedEstimate, PenalizedProblem, Penalty, prepare
from logit_stats.estimation.proximal_newton import penalized_fit


def category_problem(design: Design, penalty: Penalty, *, symmetric: bool) -> tuple[PenalizedProblem, Penalty]:
    """Return the problem and the penalty of all coefficients, from the penalty of the columns (k,)."""
    equations = design.equations + symmetric
    of_columns = prepare(design, penalty)
    free = penalty.strength == 0.0
    # what shifts the coefficients of a free column alike in all categories is fixed: its gradient is zero, so that Newton
    # steps with this curvature do not move along it
    pinned = np.kron(np.full((equations, equations), 0.25 / equations), np.diag(free.astype(np.float64)))
    problem = replace(
        of_columns,
        working=replace(of_columns.working, equations=equations),
        unit=np.tile(of_columns.unit, equations),
        pinned=pinned if symmetric else None,
    )
    return problem, replace(penalty, strength=np.tile(penalty.strength, equations))


def category_penalized_fit(
    design: Design,
    penalty: Penalty,
    *,
    symmetric: bool = True,
    start: FloatArray | None = None,
    start_beta: FloatArray | None = None,
    by_coefficient: FloatArray | None = None,
    tol: float = 1e-12,
    maxiter: int = 200,
) -> PenalizedEstimate:
    """Minimise the penalized objective, with the same penalty of the columns (k,) in every equation, or `by_coefficient`.

    `start` are working coefficients, equation by equation, `start_beta` those of the columns against the reference; by default
    zeros with the intercepts of the null model. `by_coefficient` (k J,) are strengths in the parametrization against the
    reference, of which the penalty holds the largest of each column.
    """
    problem, whole = category_problem(design, penalty, symmetric=symmetric)
    if by_coefficient is not None:
        whole = replace(whole, strength=by_coefficient)
    if start is None and start_beta is not None:
        table = start_beta.reshape(design.equations, -1)
        start = problem.working.gamma((np.vstack([0.0 * table[:1], table]) if symmetric else table).ravel())
    if start is None:
        start = _null_start(problem, symmetric)
    return penalized_fit(problem, whole, start, tol=tol, maxiter=maxiter)


def _null_start(problem: PenalizedProblem, symmetric: bool) -> FloatArray:
    design, working = problem.design, problem.working
    start = np.zeros((working.equations, design.columns))
    if working.constant is not None:
        logs = np.log(design.response.counts(None if design.weight is None else design.weight.values))
        values = logs - logs.mean() if symmetric else logs[1:] - logs[0]
        start[:, working.constant] = values / working.constant_value
    return start.ravel()


def coefficients_by_category(estimate: PenalizedEstimate) -> FloatArray:
    """(E, k) coefficients; those of free columns sum to zero where every category has its own."""
    B = estimate.beta.reshape(estimate.problem.working.equations, -1)
    if estimate.problem.pinned is not None:
        free = estimate.penalty.strength[: B.shape[1]] == 0.0
        B[:, free] -= B[:, free].mean(axis=0)
    return B
