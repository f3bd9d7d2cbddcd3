"""Large fits in three to four cheap passes over the rows.

The fit of a tenth of the rows (itself started that way) is some standard errors away, and its information is good to a
percent. So the first step needs no more than the score of all rows; one pass with the information follows, one more with the
score alone, whose step still uses that information and leaves nothing but rounding; and a last pass gives the information
at the estimate. A pass without the information costs a half at 10 columns and a quarter at 50.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.estimation.likelihood import moments, score
from logit_stats.estimation.newton import Optimum, newton, next_is_exact
from logit_stats.estimation.null_model import null_gamma, null_model
from logit_stats.estimation.trace import Step, Trace
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.likelihoods.moments import Moments, Score
from logit_stats.likelihoods.working import WorkingColumns

# A large fit starts from the fit of a tenth of the rows, to a twentieth of a standard error (of that smaller fit).
THIN = 10
THIN_FROM_ROWS = 20_000
THINNED_TOLERANCE = 0.05
# Passes without the information after the first one with it, and how much larger the share that such a step leaves may be
# than the one foreseen.
SCORE_PASSES = 3
STALE = 10.0
# Least share of a column that the others may leave unexplained, and sizes of information whose products stay numbers.
LEAST_PIVOT = 1e-6
SIZES = (1e-140, 1e140)


@dataclass(frozen=True, eq=False)
class Thinned:
    """The fit of some of the rows: its working columns, coefficients, and the information it promises for all rows."""

    working: WorkingColumns
    gamma: FloatArray
    information: FloatArray


def sound(here: Moments) -> bool:
    """Whether the information can be trusted in these columns: no dependence in sight, no extreme size."""
    sizes = here.information.diagonal()
    return bool(here.factor.smallest_pivot > LEAST_PIVOT and SIZES[0] < sizes.min() and sizes.max() < SIZES[1])


def large_optimum(design: Design, tol: float) -> tuple[WorkingColumns, Optimum] | None:
    """Maximise the log-likelihood of many rows.

    Returns
    -------
    working, optimum
        None where the rows are few, or where a tenth of them, or a step from it, is not sound (one class, dependent or
        badly scaled columns, no finite estimate): such a fit must be prepared with care. An optimum that has not
        converged is where careful iterations go on from.
    """
    thinned = _fit_of_a_share(design)
    if thinned is None:
        return None
    working = thinned.working
    start = score(design, thinned.gamma, working)
    step, distance = _step(thinned.information, start)
    steps = [Step(start.loglik, distance, 0.0)]
    gamma = thinned.gamma + step
    here = moments(design, gamma, working)
    if not (_rises(start, here) and sound(here)):
        return None
    step, distance = _step(here.information, here)
    steps.append(Step(here.loglik, distance, 1.0))
    if distance <= tol:
        return working, Optimum(gamma + step, here, distance, True, 1, Trace(tuple(steps)))
    there: Moments | Score = here
    for _ in range(SCORE_PASSES):
        gamma, before = gamma + step, there
        there = score(design, gamma, working)
        if not _rises(before, there):
            return None
        step, distance = _step(here.information, there)
        steps.append(Step(there.loglik, distance, 1.0))
        # a step with the information of a point d away leaves a share of the order of C d of the distance
        left = min(1.0, STALE * steps[2].decrement / steps[1].decrement) * distance
        if next_is_exact(steps[1], steps[2], left, here.max_abs_eta, tol):
            break
    gamma = gamma + step
    last = moments(design, gamma, working)
    if not (_rises(there, last) and sound(last)):
        return None
    step, distance = _step(last.information, last)
    converged = distance <= tol or next_is_exact(steps[1], steps[2], distance, last.max_abs_eta, tol)
    steps.append(Step(last.loglik, distance, 1.0))
    optimum = Optimum(gamma + step * converged, last, distance, converged, len(steps) - 1, Trace(tuple(steps)))
    return working, optimum


def _fit_of_a_share(design: Design) -> Thinned | None:
    if design.rows < max(THIN_FROM_ROWS, 100 * THIN * design.columns, 10 * THIN * design.columns * design.equations):
        return None
    part = design.thinned(THIN)
    if not part.response.counts(None).all():
        return None
    nested = _fit_of_a_share(part)
    if nested is None:
        # where a hidden constant makes the null model another one, the start is merely a little farther away
        null = null_model(part, constant_in_span=design.constant is not None)
        working = WorkingColumns.of(design)
        gamma = null_gamma(part, null)
    else:
        working, gamma = nested.working, nested.gamma
    first = moments(part, gamma, working)
    if not sound(first):
        return None
    found = newton(part, working, gamma, maxiter=12, tol=THINNED_TOLERANCE, first=first)
    if not (found.converged and sound(found.moments)):
        return None
    return Thinned(working, found.gamma, found.moments.information * (design.rows / part.rows))


def _step(information: FloatArray, here: Moments | Score) -> tuple[FloatArray, float]:
    """Newton step and its length in standard errors."""
    step = EquilibratedCholesky(information).solve(here.score)
    return step, float(np.sqrt(max(float(here.score @ step), 0.0)))


def _rises(before: Moments | Score, after: Moments | Score) -> bool:
    return bool(after.loglik >= before.loglik - 1e-13 * (1.0 + abs(before.loglik)))
