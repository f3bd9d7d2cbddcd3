"""Maximum likelihood under linear constraints ``R beta = q``.

The constraints are solved for as many coefficients as there are constraints; what is left is a fit without constraints of
combined columns, with a known part in the offset (Fahrmeir and Tutz 2001, Multivariate Statistical Modelling, section 2.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.constraints import Constraints, refuse_repeated
from logit_stats.design.design import Design, constant_column
from logit_stats.design.row_numbers import RowNumbers
from logit_stats.errors import DataError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import moments
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.estimation.null_model import NullModel
from logit_stats.likelihoods.working import WorkingColumns


@dataclass(frozen=True, eq=False)
class ConstrainedFit(Fit):
    """A fit whose coefficients satisfy constraints.

    Attributes
    ----------
    free : (k, k - q)
        Directions in which the coefficients were free.
    restricted : (k, k)
        Their covariance, of rank k - q.
    constraints : Constraints
    """

    free: FloatArray
    restricted: FloatArray
    constraints: Constraints

    @property
    def free_parameters(self) -> int:
        """Coefficients minus constraints."""
        return int(self.free.shape[1])

    @cached_property
    def covariance_working(self) -> FloatArray:
        """(k, k) covariance, zero in the directions of the constraints."""
        return self.restricted

    @cached_property
    def covariance_root(self) -> FloatArray:
        """(k, k) C with ``C C'`` the covariance."""
        values, vectors = np.linalg.eigh(self.restricted)
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))

    @cached_property
    def covariance(self) -> FloatArray:
        """(k, k) covariance, zero in the directions of the constraints."""
        return self.restricted

    @cached_property
    def standard_errors(self) -> FloatArray:
        """(k,) standard errors; zero where a coefficient is fixed."""
        return np.asarray(np.sqrt(np.maximum(self.restricted.diagonal(), 0.0)))


def constrained_fit(
    design: Design,
    constraints: Constraints,
    maxiter: int = 35,
    tol: float | None = None,
    *,
    start: FloatArray | None = None,
    method: str = "newton",
) -> ConstrainedFit:
    """Fit under constraints; from the coefficients that satisfy them nearest to `start`, where it is given.

    Raises
    ------
    DataError
        If constraints repeat one another, or leave nothing free.
    RankDeficientError, SeparationError
        If the model under the constraints has no unique or no finite estimate.
    """
    refuse_repeated(constraints)
    if len(constraints) >= design.columns:
        raise DataError(f"{len(constraints)} constraints on {design.columns} coefficients leave nothing to estimate.")
    particular, free, kept = _solved(constraints, design)
    within = (
        None
        if start is None
        else np.asarray(np.linalg.lstsq(free, start - particular, rcond=None)[0], dtype=np.float64)
    )
    inner = maximum_likelihood(
        _reduced(design, particular, free, kept), start=within, method=method, maxiter=maxiter, tol=tol, stacklevel=4
    )
    beta = particular + free @ inner.beta
    plain = WorkingColumns(constant=design.constant)
    information = moments(design, beta, plain).information
    null = _null(inner, design)
    return ConstrainedFit(
        design=design, working=plain, gamma=beta, information_working=information, loglik=inner.loglik,
        max_abs_eta=inner.max_abs_eta, null=null, constant_in_span=inner.constant_in_span, method=inner.method,
        converged=inner.converged, iterations=inner.iterations, decrement=inner.decrement, trace=inner.trace,
        free=free, restricted=free @ inner.covariance @ free.T, constraints=constraints,
    )  # fmt: skip


def _solved(constraints: Constraints, design: Design) -> tuple[FloatArray, FloatArray, list[int]]:
    """A solution of the constraints, the directions that leave them satisfied, and the coefficients that stay.

    Gauss-Jordan elimination; pivots are sought in every column but the constant first, which then stays in the model.
    """
    q, k = constraints.R.shape
    table = np.column_stack([constraints.R, constraints.value])
    pivots: list[int] = []
    for i in range(q):
        size = np.abs(table[i:, :k]) / np.abs(table[i:, :k]).max(axis=1, keepdims=True)
        size[:, pivots] = 0.0
        if design.constant is not None and np.delete(size, design.constant, axis=1).max() > 1e-8:
            size[:, design.constant] = 0.0
        row, column = divmod(int(np.argmax(size)), k)
        table[[i, i + row]] = table[[i + row, i]]
        table[i] /= float(table[i, column])
        for other in range(q):
            if other != i:
                table[other] -= table[other, column] * table[i]
        pivots.append(column)
    kept = [j for j in range(k) if j not in pivots]
    particular = np.zeros(k)
    particular[pivots] = table[:, k]
    free = np.zeros((k, k - q))
    free[kept, np.arange(k - q)] = 1.0
    free[pivots] = -table[:, kept]
    return particular, free, kept


def _reduced(design: Design, particular: FloatArray, free: FloatArray, kept: list[int]) -> Design:
    """Return the design of the free directions, with what the constraints fix in the offset."""
    X = np.asarray(design.X @ free)
    known = np.asarray(design.X @ particular)
    offset = design.offset
    if known.any():
        values = known if offset is None else offset.values + known
        offset = RowNumbers("offset", None, values)
    names = tuple(design.names[j] for j in kept)
    return replace(design, X=X, names=names, offset=offset, constant=constant_column(X), formula=None)


def _null(inner: Fit, design: Design) -> NullModel:
    """The null model of the data, not of what the constraints have put into the offset."""
    from logit_stats.estimation.null_model import null_model

    return null_model(design, constant_in_span=inner.constant_in_span)
