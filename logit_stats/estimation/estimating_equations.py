"""Generalized estimating equations for the logit (Liang and Zeger 1986, Biometrika 73, 13-22).

With v = m p (1 - p), r = (y - p) sqrt(m / (p (1 - p))) and T the square root of a cluster's inverse working correlation, the
equations are ``sum Z' r~ = 0`` with rows ``Z~ = T sqrt(v) X`` and ``r~ = T r``: those of weighted least squares. Each step
takes the correlation from the residuals of the step before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.errors import EstimationError
from logit_stats.estimation.clusters import ClusteredRows
from logit_stats.estimation.working_correlation import WorkingCorrelation
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.likelihoods.rows import probability, variance

# Steps in standard errors, and changes of alpha, that count as nothing.
TOLERANCE = 1e-10
ROUNDING = 1e-7
HALVINGS = 12
# By how much a correlation that is none is weakened, again and again, until it is one.
WEAKER = 0.8


@dataclass(frozen=True, eq=False)
class Equations:
    """The estimating equations at some coefficients.

    Attributes
    ----------
    clusters : ClusteredRows
    alpha : (a,)
        Numbers of the working correlation.
    phi : float
        Dispersion.
    Z : (n, k)
        Columns times the root of the variance, made uncorrelated.
    r : (n,)
        Pearson residuals, made uncorrelated.
    eta : (n,)
        Linear predictor.
    fault : str or None
        Why the estimated correlation is none; a weaker one was used then.
    """

    clusters: ClusteredRows
    alpha: FloatArray
    phi: float
    Z: FloatArray
    r: FloatArray
    eta: FloatArray
    fault: str | None = None

    @cached_property
    def information(self) -> FloatArray:
        """(k, k) information, without the dispersion."""
        return np.asarray((self.Z * self.clusters.row_copies[:, None]).T @ self.Z)

    @cached_property
    def factor(self) -> EquilibratedCholesky:
        """Its factor."""
        return EquilibratedCholesky(self.information)

    @cached_property
    def step(self) -> FloatArray:
        """(k,) step to the root."""
        return self.factor.solve(self.Z.T @ (self.clusters.row_copies * self.r))

    @property
    def distance(self) -> float:
        """Length of the step in (naive) standard errors."""
        return float(np.sqrt(max(float(self.step @ self.information @ self.step), 0.0) / self.phi))

    @property
    def scores(self) -> FloatArray:
        """(G, k) score of each cluster, without the dispersion."""
        return self.clusters.sums(self.Z * self.r[:, None])


@dataclass(frozen=True, eq=False)
class Root:
    """Where the equations are zero.

    Attributes
    ----------
    gamma : (k,)
        Coefficients.
    at : Equations
        The equations there.
    converged : bool
    iterations : int
    distance : float
        Last step in standard errors.
    """

    gamma: FloatArray
    at: Equations
    converged: bool
    iterations: int
    distance: float


def solve_equations(
    clusters: ClusteredRows,
    structure: WorkingCorrelation,
    start: FloatArray,
    *,
    ddof: float,
    scale: float | None = None,
    maxiter: int = 100,
    tol: float = TOLERANCE,
) -> Root:
    """Solve the estimating equations.

    Parameters
    ----------
    clusters : ClusteredRows
    structure : WorkingCorrelation
    start : (k,)
        Coefficients to start from: those of independence.
    ddof : float
        What is subtracted from numbers of terms: the number of coefficients, or 0.
    scale : float, optional
        Dispersion; by default the mean squared Pearson residual, ``sum r^2 / (n - ddof)``.
    maxiter : int
    tol : float
        Step in standard errors that counts as none.

    Raises
    ------
    EstimationError
        If the estimated correlation is none, or the equations are singular.
    """
    gamma, here = start, _equations(clusters, structure, start, ddof, scale)
    converged, steps = False, 0
    while steps < maxiter and not converged:
        steps += 1
        there, length = _next(clusters, structure, gamma, here, ddof, scale)
        gamma = gamma + length * here.step
        settled = np.abs(there.alpha - here.alpha).max(initial=0.0) <= max(tol, TOLERANCE)
        at_rounding = there.distance < ROUNDING and there.distance > 0.5 * here.distance
        here, converged = there, (there.distance <= tol or at_rounding) and bool(settled)
    if here.fault is not None:
        raise EstimationError(here.fault)
    return Root(gamma, here, converged, steps, here.distance)


def _next(
    clusters: ClusteredRows,
    structure: WorkingCorrelation,
    gamma: FloatArray,
    here: Equations,
    ddof: float,
    scale: float | None,
) -> tuple[Equations, float]:
    """The equations after a step, which is halved while it leads farther away."""
    length = 1.0
    for _ in range(HALVINGS):
        there = _equations(clusters, structure, gamma + length * here.step, ddof, scale)
        if there.distance <= 2.0 * here.distance or there.distance < ROUNDING:
            break
        length *= 0.5
    return there, length


def _equations(
    clusters: ClusteredRows, structure: WorkingCorrelation, gamma: FloatArray, ddof: float, scale: float | None
) -> Equations:
    eta = clusters.X @ gamma + clusters.offset
    p, v = probability(eta), variance(eta)
    r = (clusters.y - p) * np.sqrt(clusters.trials / v)
    phi = scale if scale is not None else _dispersion(clusters, r, ddof)
    alpha = structure.estimate(r, phi, ddof)
    fault = structure.fault(alpha)
    while structure.fault(alpha) is not None:
        alpha = alpha * WEAKER
    rows = np.column_stack([clusters.X * np.sqrt(v * clusters.trials)[:, None], r])
    rows = structure.whitened(alpha, rows)
    made = Equations(clusters, alpha, phi, rows[:, :-1], rows[:, -1], eta, fault)
    if not made.factor.definite:
        raise EstimationError("The estimating equations are singular: the columns are nearly dependent.")
    return made


def _dispersion(clusters: ClusteredRows, r: FloatArray, ddof: float) -> float:
    left = clusters.observations - ddof
    if left <= 0:
        raise EstimationError("A dispersion needs more rows than coefficients; give scale=1.")
    return float(clusters.row_copies @ (r * r) / left)
