"""The limiting fit: maximum likelihood where the estimate lies at infinity.

Along a direction of recession the likelihood rises to a supremum that no coefficients reach. In the limit the separated rows
are predicted with certainty and drop out; the likelihood of the other rows, in as many columns as these rows tell apart, has
a finite maximum, which is the supremum (Geyer 2009, Electronic Journal of Statistics 3, 259-289; Correia, Guimarães and
Zylkin 2019, arXiv:1903.01633). That fit estimates every linear form of the coefficients that the directions do not move.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import NotAvailableError, SeparationError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import linear_predictor, moments
from logit_stats.estimation.maximum_likelihood import maximum_likelihood, prepared_for_penalty
from logit_stats.estimation.rank import of_full_rank
from logit_stats.estimation.recession import DOWN, FINITE, UP, RecessionCone, SignedRows
from logit_stats.estimation.separation import Separation, no_separation
from logit_stats.estimation.trace import Trace
from logit_stats.likelihoods.facts import Facts
from logit_stats.likelihoods.working import WorkingColumns, map_between

_VALUE = {UP: np.inf, DOWN: -np.inf}


@dataclass(frozen=True, eq=False)
class LimitFit(Fit):
    """A fit whose coefficients may be infinite.

    `gamma` and `covariance_working` are those of the finite part: right for linear forms that no direction of recession
    moves, and for no others.

    Attributes
    ----------
    separation : Separation
    cone : RecessionCone
    kept : tuple of int
        Columns of the finite part.
    inner : Fit or None
        The fit of these columns to the rows that are not separated; None where there are none.
    """

    separation: Separation
    cone: RecessionCone
    kept: tuple[int, ...]
    inner: Fit | None

    @cached_property
    def finite(self) -> NDArray[np.bool_]:
        """(k,) coefficients with a finite estimate."""
        return np.array([fate == FINITE for fate in self.separation.fates])

    @cached_property
    def beta(self) -> FloatArray:
        """(k,) coefficients: finite, infinite, or NaN where undetermined."""
        beta = np.array([_VALUE.get(fate, np.nan) for fate in self.separation.fates])
        if self.inner is not None:
            beta[self.finite] = self._from_inner(self.inner.beta)
        return beta

    def _from_inner(self, values: FloatArray) -> FloatArray:
        """Values of the finite coefficients from those of the inner fit."""
        return values[[self.kept.index(j) for j in np.flatnonzero(self.finite)]]

    @cached_property
    def standard_errors(self) -> FloatArray:
        """(k,) standard errors of the finite coefficients; NaN for the others."""
        errors = np.full(self.parameters, np.nan)
        if self.inner is not None:
            errors[self.finite] = self._from_inner(self.inner.standard_errors)
        return errors

    @cached_property
    def covariance(self) -> FloatArray:
        """(k, k) covariance of the finite coefficients; NaN for the others."""
        matrix = np.full((self.parameters, self.parameters), np.nan)
        if self.inner is not None:
            here = [self.kept.index(j) for j in np.flatnonzero(self.finite)]
            matrix[np.ix_(self.finite, self.finite)] = self.inner.covariance[np.ix_(here, here)]
        return matrix

    @cached_property
    def covariance_working(self) -> FloatArray:
        """(k, k) covariance of `gamma`."""
        if self.inner is None:
            return np.zeros((self.parameters, self.parameters))
        M = map_between(self.inner.working, self.working, self.kept, self.parameters)
        return np.asarray(M @ self.inner.covariance_working @ M.T)

    @property
    def eta(self) -> FloatArray:
        """(n,) linear predictor; infinite in the rows that are separated."""
        eta = linear_predictor(self.design, self.gamma, self.working)
        side = self.separation.side
        return np.where(side > 0, np.inf, np.where(side < 0, -np.inf, eta))

    def limits_of(self, Z: FloatArray, eta: FloatArray) -> FloatArray:
        """Linear predictors of rows of working columns Z: `eta` where finite, else infinite, or NaN where undetermined."""
        complete = np.isfinite(eta)
        found = np.full(len(eta), np.nan)
        fates = self.cone.fates(np.asarray(Z)[complete])
        values = [_VALUE.get(fate, np.nan) for fate in fates]
        found[complete] = np.where([fate == FINITE for fate in fates], eta[complete], values)
        return found

    def degrees_beyond(self, larger: Design) -> int:
        """Degrees of freedom of a larger model beyond this one: columns more that the rows tell apart which this one leaves.

        The rows that this model predicts with certainty it predicts so in the larger one too; what that has more to say of
        them is no evidence against this one (Geyer 2009, section 3.16).
        """
        if self.separation.kind == "none":
            return larger.columns - self.parameters
        rows = SignedRows.of(larger)
        left = rows.informative & (self.separation.level == 0)
        return larger.columns - int(rows.unmoved(left, 1e-10).shape[1]) - len(self.kept)

    @cached_property
    def condition(self) -> float:
        """Condition number of the finite part."""
        return 1.0 if self.inner is None else self.inner.condition

    @cached_property
    def facts(self) -> Facts:
        """What is true of this fit; its coefficients may be infinite."""
        return super().facts.but(finite=False)


def limiting_fit(
    design: Design, *, maxiter: int = 35, tol: float | None = None, check_rank: bool | str = True
) -> LimitFit:
    """Fit, to the limit where there is no finite estimate.

    Raises
    ------
    RankDeficientError
        If columns are combinations of others.
    NotAvailableError
        Under sampling weights, where there is no likelihood whose supremum could be meant.

    Warns
    -----
    ConvergenceWarning
        If the iterations of the finite part end before the tolerance is met.
    """
    if design.weight_kind == "sampling":
        raise NotAvailableError(
            "Tests and intervals of a limiting fit come from the likelihood, which sampling weights do not have; leave the "
            "columns out, or fit without the weights."
        )
    design = of_full_rank(design, check_rank)
    rows = SignedRows.of(design)
    inner: Fit | None
    try:
        inner = maximum_likelihood(design, maxiter=maxiter, tol=tol, check_rank=False)
        separation, kept = no_separation(design), tuple(range(design.columns))
        cone = RecessionCone.of(rows, np.zeros(design.rows, dtype=np.bool_))
    except SeparationError as error:
        separation = error.separation
        cone = RecessionCone.of(rows, separation.level > 0)
        kept = kept_columns(cone)
        inner = None
        if kept:
            inner = maximum_likelihood(
                remaining(design, separation, list(kept)), maxiter=maxiter, tol=tol, check_rank=False
            )
    _, _, null, _ = prepared_for_penalty(design, False, None)
    k = design.columns
    gamma = np.zeros(k)
    if inner is not None:
        gamma = map_between(inner.working, rows.working, kept, k) @ inner.gamma
    return LimitFit(
        design=design,
        working=rows.working,
        gamma=gamma,
        information_working=np.zeros((k, k)),
        loglik=inner.loglik if inner is not None else loglik_beside(design, separation),
        max_abs_eta=inner.max_abs_eta if inner is not None and separation.kind == "none" else np.inf,
        null=null,
        constant_in_span=null.kind == "intercept",
        method="limit",
        converged=inner is None or inner.converged,
        iterations=0 if inner is None else inner.iterations,
        decrement=0.0 if inner is None else inner.decrement,
        trace=Trace(()) if inner is None else inner.trace,
        separation=separation,
        cone=cone,
        kept=kept,
        inner=inner,
    )


def kept_columns(cone: RecessionCone) -> tuple[int, ...]:
    """Columns that span, on the rows that are not separated, what all columns span there; the constant among the first.

    As many columns are left out as the cone has dimensions, such that the cone moves no combination of the others alone.
    """
    k, dimensions = cone.span.shape
    if dimensions == 0:
        return tuple(range(k))
    A = cone.rows.working.matrix(k)
    moved = (A / np.abs(A).max(axis=1, keepdims=True)) @ cone.span
    if cone.rows.design.constant is not None:
        moved[cone.rows.design.constant] *= 1e-3
    _, _, order = qr(moved.T, mode="economic", pivoting=True)
    return tuple(sorted(int(j) for j in order[dimensions:]))


def loglik_beside(design: Design, separation: Separation) -> float:
    """Log-likelihood of the rows that are not separated where no column has anything to say of them."""
    left = np.flatnonzero(separation.level == 0)
    if not len(left):
        return 0.0
    return moments(design.at(left), np.zeros(design.columns), WorkingColumns()).loglik


def remaining(design: Design, separation: Separation, columns: list[int]) -> Design:
    """Return the design of these columns in the rows that are not separated."""
    return design.at(np.flatnonzero(separation.level == 0)).with_columns(columns, ())
