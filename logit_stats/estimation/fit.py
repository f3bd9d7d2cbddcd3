"""`Fit`: a finished fit, frozen. Every analysis is a function of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.removed import without_rows
from logit_stats.estimation.likelihood import linear_predictor, triangular_factor
from logit_stats.estimation.null_model import NullModel
from logit_stats.estimation.trace import Trace
from logit_stats.likelihoods.deviance import deviance_terms
from logit_stats.likelihoods.facts import Facts
from logit_stats.likelihoods.likelihood import Likelihood
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky, inverse_root
from logit_stats.likelihoods.of_design import likelihood_of
from logit_stats.likelihoods.outcomes import Outcomes
from logit_stats.likelihoods.working import WorkingColumns

# With a smaller pivot the information has lost half of its digits: covariances come from a QR of the rows instead.
QR_PIVOT = 1e-7
# Methods whose estimate is not where the likelihood is largest, in fits that were pickled before `Fit.maximum` was written.
_MOVED_AWAY = ("firth", "median", "correction", "flic", "flac")


@dataclass(frozen=True, eq=False)
class Fit:
    """A finished fit of the likelihood that its design carries.

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
    maximum : bool
        Whether the method seeks the largest likelihood; no for Firth's and its relatives.
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
    maximum: bool = field(default=True, kw_only=True)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({"maximum": state.get("method") not in _MOVED_AWAY, **state})

    @property
    def likelihood(self) -> Likelihood:
        """The likelihood of the rows."""
        return likelihood_of(self.design)

    @cached_property
    def facts(self) -> Facts:
        """What is true of this fit: what answers ask, by name."""
        facts, words = self.likelihood.facts, {}
        if self.design.weight_kind == "sampling":
            words["likelihood"] = (
                "needs a likelihood, and under sampling weights there is none, only a weighted sum; use Wald tests and intervals "
                '(method="wald"), whose covariance is robust'
            )
        if not self.converged:
            words["converged"] = (
                f"needs the maximum of the likelihood; this fit has not converged ({self.decrement:.2g} standard errors "
                f"away). Fit again with more iterations, or with method='newton'"
            )
        return facts.but(
            words,
            likelihood=facts.likelihood and self.design.weight_kind != "sampling",
            maximum=facts.maximum and self.maximum,
            converged=self.converged,
            rows=self.design.has_rows,
            constrained=self.free_parameters < self.parameters,
        )

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

    @property
    def ill_conditioned(self) -> bool:
        """Whether the information has lost half of its digits, so that covariances come from a QR of the rows."""
        return self._ill_conditioned_root is not None

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

    @cached_property
    def deviance_of_counts(self) -> float | None:
        """Deviance where rows hold counts, in a form in which nothing cancels; None where they do not, or there is none."""
        response = self.design.response
        if response.trials is None or not (self.design.has_rows and self.facts.finite and self.facts.likelihood):
            return None
        terms = deviance_terms(self.eta, response.successes, response.trials)
        return float(terms.sum() if self.design.weight is None else self.design.weight.values @ terms)

    def twice_above(self, other: Fit) -> float:
        """Twice the log-likelihood by which this fit lies above another one of the same rows.

        Of counts it is the difference of deviances: of 10¹² trials log-likelihoods have no digit left that matters.
        """
        mine, theirs = self.deviance_of_counts, other.deviance_of_counts
        if mine is None or theirs is None:
            return 2.0 * (self.loglik - other.loglik)
        return theirs - mine

    def predictor(self, Z: FloatArray) -> FloatArray:
        """Linear predictor of rows of working columns, the offset left out: (m,), for several categories (m, E)."""
        if self.likelihood.facts.binary:
            return Z @ self.gamma
        return np.asarray(Z @ self.design.parameters.table(self.gamma).T)

    def outcomes(self, eta: FloatArray) -> Outcomes:
        """Probabilities of the outcomes of m rows, and their derivatives, at linear predictors (m,) or (m, E).

        Linear predictors are as `eta` and `predictor` have them, the offset added.
        """
        return self.likelihood.outcomes(eta[None, :] if eta.ndim == 1 else eta.T, self.design)

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
    def absorbed_parameters(self) -> int:
        """Number of effects of groups that were estimated and never stand as columns."""
        return 0

    @property
    def bias_reduced(self) -> bool:
        """Whether the estimate was moved away from the maximum of the likelihood to reduce its bias (Firth's and others)."""
        return not self.facts.maximum

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
        self.facts.require(what, "finite", "unconstrained")

    def refuse_unconverged(self, what: str) -> None:
        """Raise `NotAvailableError` where the iterations ended before the maximum, which `what` takes these numbers for."""
        self.facts.require(what, "converged")

    @property
    def free_parameters(self) -> int:
        """Number of coefficients that were estimated: k, less the constraints there were."""
        return self.parameters
