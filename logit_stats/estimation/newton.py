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
from math import sqrt

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.estimation.climb import Ascent, climb, rounding_distance
from logit_stats.estimation.likelihood import largest_predictor, moments, triangular_factor
from logit_stats.estimation.trace import Step, Trace
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.likelihoods.moments import Moments
from logit_stats.likelihoods.working import WorkingColumns

# When the distance after the next step is foretold: the step must be small, the constant is taken larger than seen, and
# the information must not change by more than this share.
SMALL_DISTANCE = 1e-3
SAFETY = 4.0
INFORMATION_TOLERANCE = 2e-9
# When the iterations have gone on for so long with predictions so extreme, the maximum may be at infinity.
SUSPECT_STEPS = 9
SUSPECT_ETA = 8.0
CONSTRAINED_STEPS, CONSTRAINED_TOLERANCE = 100, 1e-10


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
    surface = LikelihoodSurface(design, working)
    checked = check is None

    def before(iteration: int, gamma: FloatArray, here: Moments) -> None:
        nonlocal checked
        if not checked and iteration >= SUSPECT_STEPS and here.max_abs_eta > SUSPECT_ETA:
            check(gamma)  # type: ignore[misc]
            checked = True

    first = moments(design, start, working) if first is None else first
    found = climb(
        surface, start, first, maxiter=maxiter, tol=tol, before=None if check is None else before, after=callback
    )
    # the last step costs no pass over the rows and squares the distance
    gamma = found.gamma + found.step if found.converged else found.gamma
    return Optimum(
        gamma, found.place, found.decrement, found.converged, len(found.steps) - 1, Trace(tuple(found.steps))
    )


def constrained_maximum(
    design: Design, working: WorkingColumns, start: FloatArray, directions: FloatArray, first: Moments | None = None
) -> Ascent[Moments]:
    """Maximum of the log-likelihood over ``start + directions @ u``.

    Whoever uses it must ask whether it has `converged`: a climb that was given up has not reached the maximum.
    """
    first = moments(design, start, working) if first is None else first
    return climb(
        LikelihoodSurface(design, working, directions),
        start,
        first,
        maxiter=CONSTRAINED_STEPS,
        tol=CONSTRAINED_TOLERANCE,
    )


@dataclass(frozen=True, eq=False)
class LikelihoodSurface:
    """The log-likelihood, over all coefficients or along some directions (k, d) from where the climb starts."""

    design: Design
    working: WorkingColumns
    directions: FloatArray | None = None

    def at(self, gamma: FloatArray) -> Moments:
        """Moments at the working coefficients."""
        return moments(self.design, gamma, self.working)

    def height(self, place: Moments) -> float:
        """Log-likelihood."""
        return place.loglik

    def gradient(self, place: Moments) -> FloatArray:
        """Score."""
        return place.score

    def step(self, gamma: FloatArray, place: Moments) -> tuple[FloatArray, float]:
        """Newton step and its length in standard errors."""
        N = self.directions
        if N is None:
            factor, score = place.factor, place.score
        else:
            factor, score = EquilibratedCholesky(N.T @ place.information @ N), N.T @ place.score
        step = factor.solve(score) if factor.definite else self._from_rows(gamma, score)
        decrement = sqrt(max(float(score @ step), 0.0))
        return (step if N is None else N @ step), decrement

    def _from_rows(self, gamma: FloatArray, score: FloatArray) -> FloatArray:
        """Step where the information is singular in double precision: from its triangular factor, a little damped."""
        if not np.isfinite(score).all():
            return np.zeros(len(score))
        R = triangular_factor(self.design, self.working, gamma)
        _, singular, rows = np.linalg.svd(R if self.directions is None else R @ self.directions)
        damped = singular**2 + (1e-15 * singular.max(initial=0.0)) ** 2
        damped[damped == 0.0] = np.inf
        step: FloatArray = rows.T @ ((rows @ score) / damped)
        return step

    def longest(self, place: Moments, step: FloatArray) -> float:
        """Full steps are tried first."""
        return 1.0

    def shorter(self, place: Moments, step: FloatArray) -> float:
        """Fraction of a step that leads no farther than a few times the linear predictors of now.

        Where all probabilities are 0 or 1 to the last digit (a huge offset), the information is next to nothing, and the step
        so long that halving it would not end.
        """
        if not np.isfinite(step).all():
            return 1.0
        reach = largest_predictor(self.design, step, self.working)
        return min(1.0, (4.0 * place.max_abs_eta + 20.0) / reach) if reach > 0.0 else 1.0

    def rounding(self, place: Moments) -> float:
        """Distance that may be nothing but the rounding of the score."""
        return rounding_distance(self.design.rows, len(place.score), place.factor.smallest_pivot)

    def foreseen(self, steps: list[Step], place: Moments, tol: float) -> bool:
        """Whether the next full step ends within the tolerance; never along directions, where each is evaluated."""
        if self.directions is not None or len(steps) < 2:
            return False
        return next_is_exact(steps[-2], steps[-1], steps[-1].decrement, place.max_abs_eta, tol)


def newton_decrement(here: Moments) -> float:
    """Distance to the maximum in standard errors, as the quadratic model sees it; NaN where the information is singular."""
    factor = here.factor
    if not factor.definite:
        return float("nan")
    return float(np.sqrt(max(float(here.score @ factor.solve(here.score)), 0.0)))


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
