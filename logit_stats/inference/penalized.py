"""Tests and intervals from Firth's penalized likelihood (Heinze and Schemper 2002).

A coefficient is tested by twice the fall of the penalized log-likelihood when it is fixed at zero and the others are
maximised again, the penalty being that of the whole information matrix; its limits are the values at which that fall
reaches the chi-squared quantile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.linalg import null_space

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import NotAvailableError, check_alpha
from logit_stats.estimation.firth import (
    HELD_STEPS,
    PenalizedPoint,
    held_maximum,
    is_higher,
    maximise_penalized,
    penalized_point,
)
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS, moments
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.row_scores import gram, information_weights, leverages
from logit_stats.likelihoods.kernel import weighted_gram
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.likelihoods.rows import variance
from logit_stats.likelihoods.working import WorkingColumns, scaled_row

# A limit farther out than this many standard errors is beyond double precision, and reported as infinite.
FARTHEST = 1e4
NEWTON_STEPS = 60


@dataclass(frozen=True, eq=False)
class PenalizedProfile:
    """The penalized likelihood profiled over one coefficient after the other.

    Attributes
    ----------
    design : Design
    working : WorkingColumns
    best : PenalizedPoint
        Its maximum.
    constant_in_span : bool
        Whether some combination of the columns is constant.
    """

    design: Design
    working: WorkingColumns
    best: PenalizedPoint
    constant_in_span: bool

    def constrained(self, a: FloatArray, value: float, near: PenalizedPoint) -> PenalizedPoint:
        """Maximum under ``a'gamma = value``, from a point nearby.

        Raises
        ------
        NotAvailableError
            If it was not found; or if it is higher than what was taken for the maximum, where the climb must start again.
        """
        return self._checked(held_maximum(self.design, self.working, a, value, near))

    def within(self, directions: FloatArray) -> PenalizedPoint:
        """Maximum over the working coefficients ``directions @ u``, (k, d) orthonormal; raises as `constrained`.

        Where outcomes are nearly certain there may be several maxima: the climb starts from the projection of the whole maximum
        (in the metric of the information) and from zero, and the higher end is taken.
        """
        N, k = directions, len(self.best.gamma)
        if N.shape[1] == 0:
            return self._checked(penalized_point(self.design, np.zeros(k), self.working))
        information = N.T @ self.best.information
        near = N @ np.linalg.solve(information @ N, information @ self.best.gamma)
        ends = [self._climbed(start, N) for start in (near, np.zeros(k))]
        return self._checked(max(filter(None, ends), key=lambda end: end.penalized_loglik, default=None))

    def _climbed(self, start: FloatArray, directions: FloatArray) -> PenalizedPoint | None:
        if penalized_point(self.design, start, self.working) is None:
            return None
        point, converged, _ = maximise_penalized(
            self.design, self.working, start, directions=directions, maxiter=HELD_STEPS, tol=1e-10
        )
        return point if converged else None

    def _checked(self, point: PenalizedPoint | None) -> PenalizedPoint:
        if point is None:
            raise NotAvailableError(
                "The penalized likelihood with a coefficient held fixed could not be maximised in double precision; centre and "
                'scale the columns, or use method="wald".'
            )
        if is_higher(point, self.best):
            start = ", ".join(f"{b:.6g}" for b in self.working.beta(point.gamma))
            raise NotAvailableError(
                "The penalized likelihood has several maxima, and this fit ended at a lower one; fit again from a higher point: "
                f"fit_firth(start_params=[{start}])."
            )
        return point

    def _fall(self, point: PenalizedPoint) -> float:
        # negative only by the rounding of two maxima that are one
        return max(2.0 * (self.best.penalized_loglik - point.penalized_loglik), 0.0)

    def statistics(self) -> FloatArray:
        """(k,) penalized likelihood-ratio statistics of each coefficient."""
        k = len(self.best.gamma)
        return np.array(
            [self._fall(self.constrained(scaled_row(self.working, k, j)[0], 0.0, self.best)) for j in range(k)]
        )

    def joint_statistic(self, columns: tuple[int, ...]) -> float:
        """Penalized likelihood-ratio statistic of several coefficients, under the penalty of the whole information.

        Raises
        ------
        NotAvailableError
            If the maximum with these coefficients at zero was not found.
        """
        k = len(self.best.gamma)
        held = np.array([scaled_row(self.working, k, j)[0] for j in columns])
        free = null_space(held)
        start = free @ (free.T @ self.best.gamma)
        point, found, _ = maximise_penalized(self.design, self.working, start, directions=free)
        if not found:
            raise NotAvailableError("The penalized likelihood with these coefficients at zero could not be maximised.")
        return self._fall(point)

    def interval(self, j: int, alpha: float) -> tuple[float, float]:
        """Limits of one coefficient at level ``1 - alpha``.

        Raises
        ------
        DataError
            Unless 0 < alpha < 1.
        """
        check_alpha(alpha)
        root = float(np.sqrt(stats.chi2.isf(alpha, 1)))
        a, size = scaled_row(self.working, len(self.best.gamma), j)
        se = float(np.sqrt(a @ self.best.inverse @ a))
        return size * self._limit(a, -se, root), size * self._limit(a, se, root)

    def _limit(self, a: FloatArray, unit: float, target: float) -> float:
        """Value on one side at which the root of the fall is the target, by Newton's method kept between bounds.

        The root of the fall is nearly a straight line in the value, and its slope is known: along the profile the score is a
        multiple of a, and the multiple is the derivative of the profile by the value. t is measured in standard errors.
        """
        centre = float(a @ self.best.gamma)
        inner, outer, t, point = 0.0, np.inf, target, self.best
        for _ in range(NEWTON_STEPS):
            point = self.constrained(a, centre + t * unit, point)
            root = float(np.sqrt(self._fall(point)))
            inner, outer = (t, outer) if root < target else (inner, t)
            slope = -unit * float(a @ point.score) / float(a @ a) / root if root > 0.0 else 0.0
            nearer = t + (target - root) / slope if slope > 0.0 else np.inf
            if not inner <= nearer <= outer:
                nearer = 0.5 * (inner + outer)
            nearer = min(nearer, 2.0 * t)
            if abs(nearer - t) <= 1e-11 * t:
                return centre + unit * nearer
            t = nearer
            if t > FARTHEST:
                return float(np.copysign(np.inf, unit))
        return centre + unit * t

    def null(self) -> PenalizedPoint | None:
        """Maximum with all slopes zero, the constant free, under the penalty of the whole information."""
        k = len(self.best.gamma)
        start = np.zeros(k)
        if not self.constant_in_span:
            return penalized_point(self.design, start, self.working)
        directions = self._constant()[:, None]
        point, _, _ = maximise_penalized(self.design, self.working, start, directions=directions)
        return point

    def _constant(self) -> FloatArray:
        """(k,) combination of the working columns that is constant in every row."""
        k, j = len(self.best.gamma), self.design.constant
        if j is not None:
            return np.asarray(np.eye(k)[j])
        ones = self.design.reduce(
            lambda block: np.asarray(self.working.columns(block.X)).sum(axis=0), rows=TALL_ROWS
        )  # fmt: skip
        gram = weighted_gram(self.design.X, np.ones(self.design.rows), self.working.center, self.working.scale)
        return np.asarray(np.linalg.lstsq(gram, ones, rcond=None)[0])


def own_null(design: Design, constant_in_span: bool) -> float:
    """Penalized log-likelihood of the null model under its own penalty: that of an information of one number, or of none."""
    only, plain = design.intercept_only(), WorkingColumns(constant=0)
    if not constant_in_span:
        return moments(only, np.zeros(1), plain).loglik
    point, _, _ = maximise_penalized(only, plain, np.zeros(1))
    return point.penalized_loglik


def augmented_covariance(fit: Fit) -> Covariance:
    """Covariance from the information of the data that Firth's estimate is the maximum-likelihood estimate of.

    To each row come pseudo-observations of total weight h_i, the leverage, half of them events: its weight is
    ``(m_i + h_i) p_i (1 - p_i)``, for a binary row w_i (1 + h_i).
    """
    pseudo = leverages(fit) * variance(fit.eta)
    weight = information_weights(fit) + pseudo
    if fit.design.weight is not None:
        weight = weight * fit.design.weight.values
    working = EquilibratedCholesky(gram(fit, weight)).inverse()
    description = "from the information of the augmented data, whose weights are w (1 + h)"
    return Covariance(
        "augmented", working, fit.working.covariance(working), fit.working.standard_errors(working), description
    )
