"""Marginal likelihood of a logit with one random effect for each group: adaptive Gauss-Hermite quadrature.

Row i of group g has the linear predictor ``eta = x'beta + offset + theta z u``, u standard normal, z one (a random intercept) or
a column. With the mode û of ``f(u) = sum loglik - u^2/2`` and ``s = (-f'')^(-1/2)`` there, nodes t and weights w of
Gauss-Hermite quadrature for the standard normal,

    L_g = log s + log sum_k w_k exp(t_k^2/2 + f(û + s t_k))

(Liu and Pierce 1994, Biometrika 81, 624-629; Pinheiro and Bates 1995, J. Computational and Graphical Statistics 4, 12-35); one
node is Laplace's approximation. The gradient is that of this sum, nodes and their scale moving with the parameters, worked
out backwards: what L owes to û and s goes back to the rows that determine them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.estimation.clusters import ClusteredRows
from logit_stats.estimation.outcome_terms import Numbers, damping, loglik_and_residual, row_terms

MODE_STEPS = 100
MODE_TOLERANCE = 1e-11
# Numbers of a (rows, nodes) array of one part: it stays in the cache.
PART_NUMBERS = 1 << 15


@dataclass(frozen=True, eq=False)
class MarginalPoint:
    """A marginal log-likelihood at some parameters.

    Attributes
    ----------
    psi : (p,)
        Coefficients, then the parameters of the random effects.
    value : float
        Log-likelihood, without binomial coefficients.
    gradient : (p,)
    modes : (G,) or (G q + ...,)
        Conditional modes of the standardised effects u.
    """

    psi: FloatArray
    value: float
    gradient: FloatArray
    modes: FloatArray


@dataclass(frozen=True, eq=False)
class RandomEffect:
    """The marginal likelihood of one random effect.

    Attributes
    ----------
    clusters : ClusteredRows
        Rows, their columns in the solver's terms.
    z : (n,)
        What the effect multiplies.
    points : int
        Number of nodes.
    """

    clusters: ClusteredRows
    z: FloatArray
    points: int
    nodes: FloatArray = field(init=False)
    log_weights: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        nodes, weights = np.polynomial.hermite_e.hermegauss(self.points)
        object.__setattr__(self, "nodes", nodes)
        # exp(t^2/2) belongs to the integrand, and 1/sqrt(2 pi) to the normal density
        object.__setattr__(self, "log_weights", np.log(weights) - 0.5 * np.log(2.0 * np.pi) + 0.5 * nodes**2)

    @property
    def successes(self) -> FloatArray:
        """(n,) number of successes."""
        return self.clusters.y * self.clusters.trials

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return int(self.clusters.X.shape[1]) + 1

    def at(self, psi: FloatArray, start: FloatArray | None = None) -> MarginalPoint:
        """Value and gradient; modes are searched from `start`."""
        modes = self._modes(psi, np.zeros(len(self.clusters.starts)) if start is None else start)
        value, gradient = self._value_and_gradient(psi, modes)
        return MarginalPoint(psi, float(value), gradient, modes)

    def gradient(self, psi: Numbers, modes: FloatArray) -> Numbers:
        """Gradient at complex parameters near those of the modes."""
        return self._value_and_gradient(psi, self._mode_step(psi, modes.astype(psi.dtype))[0])[1]

    def mode_errors(self, point: MarginalPoint) -> FloatArray:
        """(G,) standard deviations of u given the data: from the curvature at the mode."""
        k = self.clusters.X.shape[1]
        a = point.psi[k] * self.z
        eta = self._base(point.psi) + a * point.modes[self.clusters.cluster]
        return np.asarray(
            1.0 / np.sqrt(1.0 + self.clusters.sums(a * a * row_terms(eta, self.successes, self.clusters.trials).weight))
        )

    def _base(self, psi: Numbers) -> Numbers:
        return np.asarray(self.clusters.X @ psi[:-1] + self.clusters.offset)

    def _mode_step(self, psi: Numbers, u: Numbers) -> tuple[Numbers, Numbers]:
        """Modes after a Newton step, and the lengths of the steps in standard deviations."""
        of, a = self.clusters, psi[-1] * self.z
        terms = row_terms(self._base(psi) + a * u[of.cluster], self.successes, of.trials)
        curvature = 1.0 + of.sums(a * a * terms.weight)
        step = (of.sums(a * terms.residual) - u) / curvature
        reach = np.maximum.reduceat(np.abs(a), of.starts) * np.abs(step)
        # for the complex step the full step is needed, and it is tiny
        return u + (step if np.iscomplexobj(u) else damping(reach) * step), step * np.sqrt(curvature)

    def _modes(self, psi: FloatArray, u: FloatArray) -> FloatArray:
        before = np.inf
        for _ in range(MODE_STEPS):
            u, steps = self._mode_step(psi, u)
            length = float(np.abs(steps).max())
            if length < MODE_TOLERANCE or (length < 1e-8 and length > 0.1 * before):
                break
            before = length
        return u

    def scores(self, psi: FloatArray, modes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(G, p) score of each group, and (G,) how many identical groups it stands for."""
        _, rho, tau = self._adjoints(psi, modes)
        return self.clusters.sums(np.column_stack([self.clusters.X * rho[:, None], tau])), self.clusters.copies

    def _value_and_gradient(self, psi: Numbers, u: Numbers) -> tuple[Any, Numbers]:
        value, rho, tau = self._adjoints(psi, u)
        rho, tau = rho * self.clusters.row_copies, tau * self.clusters.row_copies
        return value, np.append(rho @ self.clusters.X, tau.sum())

    def _adjoints(self, psi: Numbers, u: Numbers) -> tuple[Any, Numbers, Numbers]:
        """Value, and derivatives by each row's predictor and by theta through it, over parts that fit into the cache."""
        of = self.clusters
        value: Any = 0.0
        rho, tau = np.empty((2, len(of.y)), dtype=psi.dtype)
        base = self._base(psi)
        for first, last in _parts(of, self.points):
            rows = slice(of.starts[first], of.starts[last] if last < len(of.starts) else len(of.y))
            part = _Part(self, psi[-1], base[rows], u[first:last], first, last, rows)
            value = value + of.copies[first:last] @ part.loglik
            rho[rows], tau[rows] = part.adjoints()
        return value, rho, tau


def _parts(of: ClusteredRows, points: int) -> list[tuple[int, int]]:
    """Ranges of groups, of a bounded number of rows each (or one group)."""
    ends = np.cumsum(of.sizes)
    cuts = np.searchsorted(ends, np.arange(1, ends[-1] * points // PART_NUMBERS + 1) * (PART_NUMBERS // points))
    edges = np.unique(np.concatenate([[0], cuts, [len(ends)]]))
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


class _Part:
    """Some groups: their log-likelihoods, and what each row's predictor and each row's ``theta z`` owe to the gradient."""

    def __init__(
        self, of: RandomEffect, theta: Any, base: Numbers, u: Numbers, first: int, last: int, rows: slice
    ) -> None:
        clusters = of.clusters
        self.z, self.base, self.u = of.z[rows], base, u
        self.starts = clusters.starts[first:last] - rows.start
        self.group: NDArray[np.intp] = clusters.cluster[rows] - first
        self.a = theta * self.z
        trials = clusters.trials[rows]
        successes = clusters.y[rows] * trials
        self.terms = row_terms(base + self.a * u[self.group], successes, trials)
        self.s = (1.0 + self._sums(self.a**2 * self.terms.weight)) ** -0.5
        self.nodes = of.nodes
        self.U = u[:, None] + self.s[:, None] * of.nodes
        eta = base[:, None] + self.a[:, None] * self.U[self.group]
        logs, self.residual = loglik_and_residual(eta, successes[:, None], trials[:, None])
        F = self._sums(logs) - 0.5 * self.U**2 + of.log_weights
        top = F.real.max(axis=1, keepdims=True)
        mass = np.exp(F - top)
        total = mass.sum(axis=1, keepdims=True)
        self.share = mass / total
        self.loglik = np.log(self.s) + top[:, 0] + np.log(total[:, 0])

    def _sums(self, values: Numbers) -> Numbers:
        return np.asarray(np.add.reduceat(values, self.starts, axis=0))

    def adjoints(self) -> tuple[Numbers, Numbers]:
        """(rows,) derivatives by the predictor, and by theta through this row."""
        a, s, u, w, g = self.a, self.s, self.u, self.terms, self.group
        fprime = self.share * (self._sums(self.residual * a[:, None]) - self.U)
        by_s = 1.0 / s + fprime @ self.nodes
        by_H = -0.5 * s**3 * by_s
        by_u = (fprime.sum(axis=1) + by_H * self._sums(w.slope * a**3)) * s**2
        shared = self.residual * self.share[g]
        H, U = by_H[g], by_u[g]
        curved = H * w.slope * a**2 - U * w.weight * a
        rho = shared.sum(axis=1) + curved
        theta = np.einsum("ik,ik->i", shared, self.U[g]) + curved * u[g] + 2.0 * H * w.weight * a + U * w.residual
        return rho, self.z * theta
