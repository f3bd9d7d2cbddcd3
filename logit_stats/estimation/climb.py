"""One climb with one step control, for Newton's method, profiles and penalized likelihoods.

A surface has a height (what is maximised), a gradient, and a step that leads nearer to its top, whose length is measured in
standard errors. A step is taken in full where the height does not fall. Near the top a rise of half the squared distance is lost
in the rounding of the height long before the gradient has lost its digits (large coefficients that cancel, a log determinant of
nearly dependent columns): there the slope along the step decides, which at the end of a good step is about zero. A concave
function that still rises at the end of a step has risen along all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Generic, Protocol, TypeVar

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.estimation.trace import Step

HALVINGS = 60
# Distances from which on the slope at the end of a step may vouch for it, and how much of the slope at its start that may be.
NEAR = 1e-3
TURNED = 0.5
# Distances below this may be nothing but the rounding of the gradient; if they no longer shrink, the end is reached.
ROUNDING = 1e-6
STALLED = 0.25
# How far the bound of that rounding is taken beyond one unit in the last place of every term.
ULPS = 32.0

EPS = float(np.finfo(np.float64).eps)

P = TypeVar("P")


class Surface(Protocol[P]):
    """What is climbed; P is what is known at a place."""

    def at(self, gamma: FloatArray) -> P | None:
        """Evaluate at coefficients; None where that cannot be done."""
        ...

    def height(self, place: P) -> float:
        """What is maximised."""
        ...

    def gradient(self, place: P) -> FloatArray:
        """(k,) its gradient."""
        ...

    def step(self, gamma: FloatArray, place: P) -> tuple[FloatArray, float]:
        """(k,) step towards the top, and the distance in standard errors."""
        ...

    def longest(self, place: P, step: FloatArray) -> float:
        """Fraction of a step that is tried first."""
        ...

    def shorter(self, place: P, step: FloatArray) -> float:
        """Fraction of a step to fall back on, before halving, where the first did not rise."""
        ...

    def rounding(self, place: P) -> float:
        """Distance that may be nothing but rounding."""
        ...

    def foreseen(self, steps: list[Step], place: P, tol: float) -> bool:
        """Whether the next full step needs no evaluation to know that it ends within the tolerance."""
        ...


@dataclass(frozen=True, eq=False)
class Ascent(Generic[P]):
    """Where a climb ended.

    Attributes
    ----------
    gamma : (k,)
    place : P
        What is known at `gamma`.
    step : (k,)
        The step that would follow; zero where none helps.
    decrement : float
        Its length in standard errors.
    converged : bool
    steps : list of Step
        Every evaluation.
    """

    gamma: FloatArray
    place: P
    step: FloatArray
    decrement: float
    converged: bool
    steps: list[Step]


def climb(
    surface: Surface[P],
    start: FloatArray,
    first: P,
    *,
    maxiter: int,
    tol: float,
    before: Callable[[int, FloatArray, P], None] | None = None,
    after: Callable[[FloatArray], None] | None = None,
) -> Ascent[P]:
    """Climb from a start to the top.

    Parameters
    ----------
    surface : Surface
    start : (k,)
    first : P
        What is known at the start.
    maxiter : int
        Largest number of steps.
    tol : float
        Distance in standard errors at which to stop.
    before, after : callable, optional
        Called before every step with its number and the place, and after it with the coefficients.
    """
    gamma, here = start, first
    steps: list[Step] = []
    length = 0.0
    for iteration in range(maxiter + 1):
        step, decrement = surface.step(gamma, here)
        steps.append(Step(surface.height(here), decrement, length))
        if decrement <= tol or _at_rounding(steps, surface, here) or surface.foreseen(steps, here, tol):
            return Ascent(gamma, here, step, decrement, True, steps)
        if iteration == maxiter:
            break
        if before is not None:
            before(iteration, gamma, here)
        moved = _controlled(surface, gamma, here, step, decrement)
        if moved is None:
            return Ascent(gamma, here, np.zeros_like(step), decrement, decrement <= surface.rounding(here), steps)
        gamma, here, length = moved
        if after is not None:
            after(gamma)
    return Ascent(gamma, here, step, decrement, False, steps)


def rounding_distance(rows: int, coefficients: int, smallest_pivot: float, least: float = ROUNDING) -> float:
    """Distance in standard errors that rounding of a score of so many rows may leave.

    A sum over n rows of ``u_i z_i`` is known to about ``eps sqrt(n)`` times the standard deviation of the score in each
    column; seen through the inverse information, that grows with the root of the share of a column that the others leave.
    """
    return max(least, ULPS * EPS * sqrt(rows * coefficients / max(smallest_pivot, EPS)))


def _at_rounding(steps: list[Step], surface: Surface[P], here: P) -> bool:
    """Whether the distance is tiny and has stopped shrinking: what is left of the gradient is rounding."""
    if len(steps) < 2 or not steps[-1].decrement > STALLED * steps[-2].decrement:
        return False
    return steps[-1].decrement < surface.rounding(here)


def _controlled(
    surface: Surface[P], gamma: FloatArray, here: P, step: FloatArray, decrement: float
) -> tuple[FloatArray, P, float] | None:
    """Take the step, shortened until the height does not fall; None where no fraction of it helps."""
    height = surface.height(here)
    # sums of n terms differ by rounding: a fall of this size is none
    slack = 1e-13 * (1.0 + abs(height)) if isfinite(height) else inf
    length = surface.longest(here, step)
    for trial in range(HALVINGS):
        candidate = gamma + step if length == 1.0 else gamma + length * step
        there = surface.at(candidate)
        if there is not None:
            reached = surface.height(there)
            if isfinite(reached) and (
                reached >= height - slack or (decrement < NEAR and _still_rises(surface, here, there, step))
            ):
                return candidate, there, length
        length = 0.5 * length if trial else 0.5 * length * surface.shorter(here, step)
    return None


def _still_rises(surface: Surface[P], here: P, there: P, step: FloatArray) -> bool:
    return bool(float(surface.gradient(there) @ step) >= -TURNED * float(surface.gradient(here) @ step))
