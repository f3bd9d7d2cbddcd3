"""`Fit`: a finished fit, frozen. Every analysis is a function of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.removed import without_rows
from logit_stats.errors import NotAvailableError
from logit_stats.estimation.likelihood import linear_predictor, triangular_factor
from logit_stats.estimation.linear_algebra import EquilibratedCholesky, inverse_root
from logit_stats.estimation.null_model import NullModel
from logit_stats.estimation.trace import Trace
from logit_stats.estimation.working import WorkingColumns

# With a smaller pivot the information has lost half of its digits: covariances come from a QR of the rows instead.
QR_PIVOT = 1e-7
# Methods whose estimate is not where the likelihood is largest.
BIAS_REDUCED = ("firth", "median", "correction", "flic", "flac")


@dataclass(frozen=True, eq=False)
class Fit:
    """A maximum-likelihood fit of the binomial logit model, or of the multinomial one where the response has categories.

    Attributes
    ----------
    design : Design
        The rows.
    working : WorkingColumns
        The columns in which the solver computed.
    gamma : (k,)
        Working coefficients.
    information_working : (k, k)
        Information in the working columns at the estimate.
    loglik : float
        Maximised log-likelihood, without binomial coefficients.
    max_abs_eta : float
        Largest absolute linear predictor.
    null : NullModel
        The null model.
    constant_in_span : bool
        Whether a constant is among the columns, or a combination of them.
    method : str
        Name of the method.
    converged : bool
        Whether the method met its tolerance.
    iterations : int
        Steps taken.
    decrement : float
        Last Newton decrement: distance to the maximum in standard errors.
    trace : Trace
        Every evaluation.
    """

    design: Design
    working: WorkingColumns
    gamma: FloatArray
    information_working: FloatArray
    loglik: float
    max_abs_eta: float
    null: NullModel
    constant_in_span: bool
    method: str
    converged: bool
    iterations: int
    decrement: float
    trace: Trace

    @cached_property
    def beta(self) -> FloatArray:
        """(k,) coefficients of the user's columns."""
        return self.working.beta(self.gamma)

    @cached_property
    def covariance_working(self) -> FloatArray:
        """(k, k) inverse information in the working columns."""
        root = self._ill_conditioned_root
        return self._factor.inverse() if root is None else root @ root.T

    @cached_property
    def covariance_root(self) -> FloatArray:
        """(k, r) C with ``C C'`` the covariance of the working coefficients."""
        root = self._ill_conditioned_root
        return np.asarray(np.linalg.cholesky(self.covariance_working)) if root is None else root

    @cached_property
    def _factor(self) -> EquilibratedCholesky:
        return EquilibratedCholesky(self.information_working)

    @cached_property
    def _ill_conditioned_root(self) -> FloatArray | None:
        """C with ``C C'`` the covariance, from a QR of the weighted rows; None where the information has its digits."""
        if self._factor.definite and self._factor.smallest_pivot > QR_PIVOT:
            return None
        return inverse_root(triangular_factor(self.design, self.working, self.gamma))

    @cached_property
    def covariance(self) -> FloatArray:
        """(k, k) model-based covariance of the user's coefficients."""
        root = self._ill_conditioned_root
        if root is None:
            return self.working.covariance(self.covariance_working)
        mapped = self.working.matrix(self.parameters) @ root
        with np.errstate(over="ignore"):
            return np.asarray(mapped @ mapped.T)

    @cached_property
    def standard_errors(self) -> FloatArray:
        """(k,) model-based standard errors of the user's coefficients."""
        root = self._ill_conditioned_root
        if root is None:
            return self.working.standard_errors(self.covariance_working)
        # the way back to the user's columns cancels: in the root it costs half the digits that it costs in the square
        return np.asarray(np.linalg.norm(self.working.matrix(self.parameters) @ root, axis=1))

    @property
    def eta(self) -> FloatArray:
        """(n,) linear predictor, computed in the working columns, where large offsets of columns do no harm.

        For several categories (n, J).
        """
        return linear_predictor(self.design, self.gamma, self.working)

    def predictor(self, Z: FloatArray) -> FloatArray:
        """Linear predictor of rows of working columns, the offset left out: (m,), for several categories (m, J)."""
        if self.design.response.categories is None:
            return Z @ self.gamma
        return Z @ self.gamma.reshape(self.design.equations, -1).T

    @cached_property
    def condition(self) -> float:
        """Condition number of the weighted working columns, each of unit length."""
        if self._ill_conditioned_root is None:
            scale = 1.0 / np.sqrt(self.information_working.diagonal())
            values = np.linalg.eigvalsh(self.information_working * scale * scale[:, None])
            return float(np.sqrt(values[-1] / values[0]))
        if not np.isfinite(self._ill_conditioned_root).all():
            return float("inf")
        R = triangular_factor(self.design, self.working, self.gamma)
        singular = np.linalg.svd(R / np.sqrt((R**2).sum(axis=0)), compute_uv=False)
        return float(singular[0] / singular[-1]) if singular[-1] > 0 else float("inf")

    @property
    def parameters(self) -> int:
        """Number k of coefficients, over all equations."""
        return len(self.gamma)

    @property
    def bias_reduced(self) -> bool:
        """Whether the estimate was moved away from the maximum of the likelihood to reduce its bias (Firth's and others)."""
        return self.method in BIAS_REDUCED

    def without_rows(self) -> Self:
        """Return the same fit without its rows; what inference needs of them is computed now."""
        kept = ("beta", "_factor", "_ill_conditioned_root", "covariance_root", "covariance_working", "covariance",
                "standard_errors", "condition")  # fmt: skip
        values = {name: getattr(self, name) for name in kept}
        fit = replace(self, design=without_rows(self.design))
        fit.__dict__.update(values)
        return fit

    def refuse_constraints(self, what: str) -> None:
        """Raise `NotAvailableError` where the coefficients were fitted under constraints, which `what` would forget."""
        if self.free_parameters < self.parameters:
            raise NotAvailableError(
                f"{what} would fit without the constraints of this model; fit it as a model of its own (combine the columns, "
                f"put what is fixed into offset=)."
            )

    def refuse_unconverged(self, what: str) -> None:
        """Raise `NotAvailableError` where the iterations ended before the maximum, which `what` takes these numbers for."""
        if not self.converged:
            raise NotAvailableError(
                f"{what} needs the maximum of the likelihood; this fit has not converged ({self.decrement:.2g} standard errors "
                f"away). Fit again with more iterations, or with method='newton'."
            )

    @property
    def free_parameters(self) -> int:
        """Number of coefficients that were estimated: k, less the constraints there were."""
        return self.parameters
