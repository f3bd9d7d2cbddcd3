"""`MNRegularizedResults`: a ridge, lasso or elastic-net fit of a multinomial logit."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.from_arrays import new_columns
from logit_stats.errors import ConvergenceWarning, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import moments
from logit_stats.estimation.proximal_newton import estimate_at
from logit_stats.estimation.symmetric_penalty import category_penalized_fit, coefficients_by_category
from logit_stats.likelihoods.category_moments import category_predictor, category_terms
from logit_stats.results.l1 import L1Answers, with_errors
from logit_stats.results.of_categories import OfCategories
from logit_stats.results.penalized import PenalizedAnswers, fit_of_estimate
from logit_stats.results.prediction import new_design_columns
from logit_stats.results.regularized import make_penalty, read_trim

if TYPE_CHECKING:
    from logit_stats.models.multinomial import MNLogit


class MNRegularizedResults(PenalizedAnswers, OfCategories):
    """A penalized multinomial fit.

    Attributes
    ----------
    model : MNLogit
    estimate : PenalizedEstimate
    method : str
        "elastic_net": every category has coefficients, the reference too. "l1": the reference has none.
    """

    model: MNLogit

    def _fit(self) -> Fit:
        """The same probabilities with coefficients against the reference."""
        e, J = self.estimate, self.model.J
        gamma, working = e.gamma.reshape(-1, self.model.K), replace(e.problem.working, equations=J - 1)
        against = (gamma[1:] - gamma[0] if len(gamma) == J else gamma).ravel()
        information = moments(self.model.design, against, working).information
        return fit_of_estimate(e, self.model.design, against, information, working)

    def _by_column(self) -> FloatArray:
        return coefficients_by_category(self.estimate)

    def _table(self, B: FloatArray, labels: tuple[Any, ...]) -> Any:
        if not self.model.design.labelled:
            return B.T
        columns = pd.Index(list(labels), name=self.model.endog_names)
        return pd.DataFrame(B.T, index=self.model.exog_names, columns=columns)

    @property
    def params(self) -> Any:
        """(k, E) coefficients, a column for each category that has an equation; those left out are exactly zero."""
        B = self._by_column()
        return self._table(B, self.model.categories.labels[-len(B) :])

    @property
    def against_reference(self) -> Any:
        """(k, J) coefficients minus those of the reference, as `MNLogitResults.params` has them."""
        B = self._by_column()
        return self._table(B[1:] - B[0] if len(B) == self.model.J else B, self.model.categories.labels[1:])

    def predict(self, exog: Any = None, which: str = "mean", offset: Any = None, *, transform: bool = True) -> Any:
        """Probabilities, or linear predictors, a column for each category; arguments as for `MNLogitResults.predict`."""
        check_choice("which", which, ("mean", "linear"))
        design, working = self.model.design, self.estimate.problem.working
        X, index = (
            new_columns(exog, design.names) if exog is not None and not transform else new_design_columns(design, exog)
        )
        eta = category_predictor(X, self.estimate.gamma, working.center, working.scale)
        if which == "mean":
            values = category_terms(eta, None, self.model.J).prob.T
        else:
            values = np.vstack([np.zeros((self.model.J - len(eta), eta.shape[1])), eta]).T
        if index is None and (exog is not None or not design.labelled):
            return values
        columns = pd.Index(list(self.model.categories.labels), name=self.model.endog_names)
        return pd.DataFrame(values, index=design.index if index is None else index, columns=columns)

    def summary_frame(self) -> pd.DataFrame:
        """Coefficients, a row for each column of the design."""
        B = self._by_column()
        return pd.DataFrame(B.T, index=self.model.exog_names, columns=list(self.model.categories.labels[-len(B) :]))

    def _lines(self) -> list[str]:
        e = self.estimate
        scale = "standardized columns" if e.penalty.standardize else "columns as given"
        state = "converged" if e.converged else "NOT converged"
        kind = "every category has coefficients" if self.kind == "elastic_net" else "the reference has none"
        return [
            f"Penalized multinomial logit of {self.model.endog_names}: L1 share {e.penalty.l1_wt:g}, {scale}, {kind}",
            f"{len(self.selected)} of {self.model.K} columns in use; log-likelihood {self.llf:.6g}; {state} in {e.iterations} "
            f"steps, optimality violation {e.violation:.1e}",
        ]


@with_errors
class MNL1Results(L1Answers, MNRegularizedResults):
    """A multinomial fit with ``method="l1"``: what `MNRegularizedResults` answers, and what statsmodels does."""

    @property
    def trimmed(self) -> NDArray[np.bool_]:
        """(k, J) which coefficients are zero."""
        return self.trimmed_.reshape(self.model.J - 1, -1).T.copy()


def fit_regularized(
    model: MNLogit,
    method: str,
    alpha: Any,
    l1_wt: float,
    *,
    standardize: bool,
    penalize_intercept: bool | None,
    penalty_weights: Any,
    start_params: Any,
    tol: float,
    maxiter: Any,
    trim: dict[str, Any],
) -> MNRegularizedResults:
    """Fit with a penalty; see `MNLogit.fit_regularized`."""
    check_choice("method", method, ("elastic_net", "l1"))
    design, symmetric = model.design, method == "elastic_net"
    if not symmetric:
        l1_wt, penalize_intercept = 1.0, True if penalize_intercept is None else penalize_intercept
    trimmed_below = read_trim(method, trim)
    maxiter = 200 if isinstance(maxiter, str) and maxiter == "defined_by_method" else maxiter
    by_coefficient = None
    if not symmetric and np.size(alpha) == model.K * (model.J - 1) > model.K:  # one strength for every coefficient
        table = np.asarray(alpha, dtype=np.float64)
        by_coefficient = table.ravel(order="F")
        alpha = by_coefficient.reshape(model.J - 1, -1).max(axis=0)
    penalty = make_penalty(design, alpha, l1_wt, standardize, bool(penalize_intercept), penalty_weights)
    total = float(design.row_weight.sum())
    if not symmetric:  # there alpha weighs the sum of the log-likelihood, not its mean
        penalty = penalty.times(1.0 / total)
    start = None if start_params is None else model._coefficients(start_params)
    estimate = category_penalized_fit(
        design, penalty, symmetric=symmetric, start_beta=start, tol=tol, maxiter=maxiter,
        by_coefficient=None if by_coefficient is None else by_coefficient / total,
    )  # fmt: skip
    if not estimate.converged:
        warnings.warn(
            f"The penalized fit stopped after {estimate.iterations} steps with an optimality violation of "
            f"{estimate.violation:.1e}; raise maxiter or alpha.",
            ConvergenceWarning,
            stacklevel=3,
        )
    if trimmed_below is not None:
        small = np.abs(estimate.beta) < trimmed_below
        estimate = estimate_at(estimate, estimate.problem.working.gamma(np.where(small, 0.0, estimate.beta)))
    return (MNRegularizedResults if symmetric else MNL1Results)(model, estimate, method)
