"""Newton's method on a marginal log-likelihood, with its exact second derivatives, judged in standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.estimation.outcome_terms import Numbers
from logit_stats.estimation.random_effect import MarginalPoint

COMPLEX_STEP = 1e-30
TOLERANCE = 1e-8
ROUNDING = 1e-6
HALVINGS = 40


class Marginal(Protocol):
    """A marginal log-likelihood of coefficients and parameters of random effects."""

    @property
    def parameters(self) -> int:
        """Number p of parameters."""
        ...

    def at(self, psi: FloatArray, start: FloatArray | None = None) -> MarginalPoint:
        """Value, gradient and modes."""
        ...

    def gradient(self, psi: Numbers, modes: FloatArray) -> Numbers:
        """Gradient at complex parameters near those of the modes."""
        ...

    def scores(self, psi: FloatArray, modes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(G, p) score of each group of a single grouping, and (G,) how many identical groups it stands for."""
        ...


@dataclass(frozen=True, eq=False)
class MarginalOptimum:
    """Where the marginal likelihood is largest.

    Attributes
    ----------
    point : MarginalPoint
    information : (p, p)
        Minus the second derivatives there.
    converged : bool
    iterations : int
    decrement : float
        Distance to the maximum in standard errors, before the last step.
    """

    point: MarginalPoint
    information: FloatArray
    converged: bool
    iterations: int
    decrement: float


def information(marginal: Marginal, point: MarginalPoint, free: list[int] | None = None) -> FloatArray:
    """(f, f) minus the second derivatives by the free parameters: complex steps of the exact gradient."""
    free = list(range(len(point.psi))) if free is None else free
    columns = []
    for j in free:
        psi = point.psi.astype(np.complex128)
        # a step in proportion to the parameter has the same relative rounding everywhere
        step = COMPLEX_STEP * max(abs(float(point.psi[j])), 1e-3)
        psi[j] += 1j * step
        columns.append(marginal.gradient(psi, point.modes).imag[free] / step)
    H = -np.array(columns)
    return 0.5 * (H + H.T)


def maximise(
    marginal: Marginal,
    start: FloatArray,
    *,
    free: list[int] | None = None,
    modes: FloatArray | None = None,
    maxiter: int = 60,
    tol: float = TOLERANCE,
) -> MarginalOptimum:
    """Maximise over the free parameters.

    Parameters
    ----------
    marginal : Marginal
    start : (p,)
    free : list of int, optional
        Parameters that move; by default all.
    modes : optional
        Where the search for the modes starts.
    maxiter : int
    tol : float
        Distance to the maximum in standard errors; one step more is taken from there, which squares it.
    """
    free = list(range(len(start))) if free is None else free
    point = marginal.at(start, modes)
    before = np.inf
    for iteration in range(maxiter + 1):
        info = information(marginal, point, free)
        step = _ascent(info, point.gradient[free])
        decrement = float(np.sqrt(max(float(point.gradient[free] @ step), 0.0)))
        settled = decrement <= tol or (decrement < ROUNDING and decrement > 0.25 * before)
        if settled or iteration == maxiter:
            last = _climb(marginal, point, free, step) if settled else None
            return MarginalOptimum(last or point, info, settled, iteration, decrement)
        before = decrement
        better = _climb(marginal, point, free, step)
        if better is None:
            return MarginalOptimum(point, info, decrement <= ROUNDING, iteration, decrement)
        point = better
    raise AssertionError("unreachable")


def _ascent(info: FloatArray, gradient: FloatArray) -> FloatArray:
    """Newton's step where the information is positive definite; else with the size of its eigenvalues, which goes up too."""
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(info)), 1e-300))
    values, vectors = np.linalg.eigh(info * scale * scale[:, None])
    floor = max(1e-12 * float(np.abs(values).max(initial=0.0)), 1e-300)
    return np.asarray(scale * (vectors @ ((vectors.T @ (scale * gradient)) / np.maximum(np.abs(values), floor))))


def _climb(marginal: Marginal, here: MarginalPoint, free: list[int], step: FloatArray) -> MarginalPoint | None:
    """The point after the step, halved until the likelihood does not fall; None where no fraction of it helps."""
    slack = 1e-13 * (1.0 + abs(here.value))
    length = 1.0
    for _ in range(HALVINGS):
        psi = here.psi.copy()
        psi[free] += length * step
        there = marginal.at(psi, here.modes)
        if np.isfinite(there.value) and there.value >= here.value - slack:
            return there
        length *= 0.5
    return None
