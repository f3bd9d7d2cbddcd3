"""Newton's method with step control, judged in standard errors.

For the logit the observed and the expected information are the same, so Newton's method and iteratively reweighted
least squares are one iteration (McCullagh and Nelder 1989, section 2.5). The log-likelihood is concave: a step that does
not raise it is halved until it does, which makes the method converge from any start.

The distance to the maximum is measured by the Newton decrement, sqrt(s' I^-1 s) (Boyd and Vandenberghe 2004, section
9.5.1): the length of the step in standard errors. It does not depend on the units of the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.estimation.likelihood import largest_predictor, moments, triangular_factor
from logit_stats.estimation.trace import Step, Trace
from logit_stats.likelihoods.moments import Moments
from logit_stats.likelihoods.working import WorkingColumns

HALVINGS = 60
# Decrements below this may be nothing but the rounding of the score; if they no longer shrink, the end is reached.
ROUNDING = 1e-6
# When the distance after the next step is foretold: the step must be small, the constant is taken larger than seen, and
# the information must not change by more than this share.
SMALL_DISTANCE = 1e-3
SAFETY = 4.0
INFORMATION_TOLERANCE = 2e-9
# When the iterations have gone on for so long with predictions so extreme, the maximum may be at infinity.
SUSPECT_STEPS = 9
SUSPECT_ETA = 8.0


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where the iterations ended.

    Attributes
    ----------
    gamma : (k,)
        Working coefficients.
    moments : Moments
        Log-likelihood, score and information within one negligible step of `gamma`.
    decrement : float
        Newton decrement of the last evaluation.
    converged : bool
        Whether it met the tolerance.
    iterations : int
        Number of steps taken.
    trace : Trace
        Every evaluation.
    """

    gamma: FloatArray
    moments: Moments
    decrement: float
    converged: bool
    iterations: int
    trace: Trace


def newton(
    design: Design,
    working: WorkingColumns,
    start: FloatArray,
    *,
    maxiter: int,
    tol: float,
    callback: Callable[[FloatArray], None] | None = None,
    check: Callable[[FloatArray], None] | None = None,
    first: Moments | None = None,
) -> Optimum:
    """Maximise the log-likelihood.

    Parameters
    ----------
    design : Design
    working : WorkingColumns
        The columns to compute in.
    start : (k,)
        Working coefficients to start from.
    maxiter : int
        Largest number of steps.
    tol : float
        Distance to the maximum, in standard errors, at which to stop.
    callback : callable, optional
        Called with the working coefficients after every step.
    check : callable, optional
        Called with the working coefficients once, when the iterations look as if the maximum were at infinity; it
        raises if it is.
    first : Moments, optional
        Moments at `start`, where they are known already.

    Returns
    -------
    Optimum
    """
    gamma = start
    here = moments(design, gamma, working) if first is None else first
    steps: list[Step] = []
    length = 0.0
    checked = check is None
    for iteration in range(maxiter + 1):
        step, decrement = _newton_step(design, working, gamma, here)
        steps.append(Step(here.loglik, decrement, length))
        if decrement <= tol or _at_rounding(steps) or _foreseen(steps, here, tol):
            # this last step costs no pass over the rows and squares the distance
            return Optimum(gamma + step, here, decrement, True, iteration, Trace(tuple(steps)))
        if iteration == maxiter:
            break
        if not checked and iteration >= SUSPECT_STEPS and here.max_abs_eta > SUSPECT_ETA:
            check(gamma)  # type: ignore[misc]
            checked = True
        gamma, here, length = _controlled_step(design, working, gamma, here, step)
        if callback is not None:
            callback(gamma)
        if length == 0.0:
            return Optimum(gamma, here, decrement, decrement <= ROUNDING, iteration, Trace(tuple(steps)))
    return Optimum(gamma, here, decrement, False, maxiter, Trace(tuple(steps)))


def newton_decrement(here: Moments) -> float:
    """Distance to the maximum in standard errors, as the quadratic model sees it; NaN where the information is singular."""
    factor = here.factor
    if not factor.definite:
        return float("nan")
    return float(np.sqrt(max(float(here.score @ factor.solve(here.score)), 0.0)))


def _newton_step(design: Design, working: WorkingColumns, gamma: FloatArray, here: Moments) -> tuple[FloatArray, float]:
    """Full step and its length in standard errors."""
    factor = here.factor
    if factor.definite:
        step = factor.solve(here.score)
    else:
        step = _step_from_rows(design, working, gamma, here)
    return step, float(np.sqrt(max(float(here.score @ step), 0.0)))


def _step_from_rows(design: Design, working: WorkingColumns, gamma: FloatArray, here: Moments) -> FloatArray:
    """Step where the information is singular in double precision: from its triangular factor, a little damped."""
    if not np.isfinite(here.score).all():
        return np.zeros(len(gamma))
    R = triangular_factor(design, working, gamma)
    _, singular, rows = np.linalg.svd(R)
    damped = singular**2 + (1e-15 * singular.max(initial=0.0)) ** 2
    damped[damped == 0.0] = np.inf
    step: FloatArray = rows.T @ ((rows @ here.score) / damped)
    return step


def next_is_exact(before: Step, after: Step, distance: float, max_abs_eta: float, tol: float) -> bool:
    """Whether the next full step ends within the tolerance, so that no pass is needed to see it.

    Newton's method squares the distance, d' = C d² (Boyd and Vandenberghe 2004, section 9.5.3); C is seen from the full
    step that led from `before` to `after`. The information changes over a distance d by about C d of itself: so small that
    standard errors do not show it. The distance must also be so small that it excludes separation by itself.
    """
    if after.length != 1.0 or not 0.0 < distance < SMALL_DISTANCE or distance**2 > 0.1 * np.exp(-max_abs_eta):
        return False
    constant = SAFETY * after.decrement / before.decrement**2
    return bool(constant * distance**2 <= tol and constant * distance <= INFORMATION_TOLERANCE)


def _foreseen(steps: list[Step], here: Moments, tol: float) -> bool:
    return len(steps) > 1 and next_is_exact(steps[-2], steps[-1], steps[-1].decrement, here.max_abs_eta, tol)


def _at_rounding(steps: list[Step]) -> bool:
    """Whether the decrement is tiny and has stopped shrinking: what is left of the score is rounding."""
    return len(steps) > 1 and steps[-1].decrement < ROUNDING and steps[-1].decrement > 0.25 * steps[-2].decrement


def _within_reach(design: Design, working: WorkingColumns, here: Moments, step: FloatArray) -> float:
    """Fraction of a step that leads no farther than a few times the linear predictors of now.

    Where all probabilities are 0 or 1 to the last digit (a huge offset), the information is next to nothing, and the step
    so long that halving it would not end.
    """
    if not np.isfinite(step).all():
        return 1.0
    reach = largest_predictor(design, step, working)
    return min(1.0, (4.0 * here.max_abs_eta + 20.0) / reach) if reach > 0.0 else 1.0


def _controlled_step(
    design: Design, working: WorkingColumns, gamma: FloatArray, here: Moments, step: FloatArray
) -> tuple[FloatArray, Moments, float]:
    """Take the step, halved until the log-likelihood does not fall; length 0 where no fraction of it helps."""
    # sums of n terms differ by rounding: a fall of this size is none
    slack = 1e-13 * (1.0 + abs(here.loglik)) if np.isfinite(here.loglik) else np.inf
    length = 1.0
    for _ in range(HALVINGS):
        candidate = gamma + length * step
        there = moments(design, candidate, working)
        if np.isfinite(there.loglik) and there.loglik >= here.loglik - slack:
            return candidate, there, length
        length = 0.5 * length if length < 1.0 else 0.5 * _within_reach(design, working, here, step)
    return gamma, here, 0.0
