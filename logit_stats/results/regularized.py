"""`RegularizedResults`: a ridge, lasso or elastic-net fit; and paths of them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.accepted import OF_L1, accept
from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.row_numbers import RowNumbers
from logit_stats.errors import (
    ConvergenceWarning,
    DataError,
    NotAvailableError,
    UnknownOptionError,
    WeightError,
    check_choice,
    listed,
)
from logit_stats.estimation.penalized import TOLERANCE, Penalty, prepare
from logit_stats.estimation.penalty_path import (
    CrossValidation,
    alpha_grid,
    cross_validate,
    penalty_path,
    selection_frequencies,
)
from logit_stats.estimation.proximal_newton import estimate_at, penalized_fit
from logit_stats.results.l1 import L1Answers, with_errors
from logit_stats.results.penalized import PenalizedAnswers
from logit_stats.wording import WIDTH, printed

if TYPE_CHECKING:
    from logit_stats.models.logit import Logit
    from logit_stats.results.logit import LogitResults


class RegularizedResults(PenalizedAnswers):
    """A penalized fit.

    Attributes
    ----------
    model : Logit
    estimate : PenalizedEstimate
    method : str
    """

    @property
    def params(self) -> Any:
        """(k,) coefficients on the scale of the columns; those left out are exactly zero."""
        return self._coefficients(self.estimate.beta)

    @property
    def llf(self) -> float:
        """Log-likelihood at the estimate, without the penalty, weights as given to the fit."""
        return float(self.estimate.point.loglik)

    def _instead(self) -> str:
        return "Use refit() (conditional on the selection), or stability() for selection frequencies."

    def refit(self) -> LogitResults:
        """Maximum likelihood with the selected columns only.

        Its standard errors take the selection as given beforehand: they are too small where the same rows selected.
        """
        kept = [j for j, b in enumerate(self.estimate.beta) if b != 0.0 or j == self.model.design.constant]
        if not kept:
            raise NotAvailableError("No column is left to refit: every coefficient is zero; take a smaller alpha.")
        left_out = tuple(n for j, n in enumerate(self.model.exog_names) if j not in kept)
        design = self.model.design if not left_out else self.model.design.with_columns(kept, left_out)
        return self.model.with_design(design).fit()

    def stability(self, replications: int = 100, share: float = 0.5, seed: int = 0) -> Any:
        """Share of random subsamples in which each column is selected at this penalty.

        Parameters
        ----------
        replications : int
        share : float
            Share of the rows in a subsample (without replacement); 1 for bootstrap samples.
        seed : int

        References
        ----------
        Meinshausen and Bühlmann (2010), Journal of the Royal Statistical Society B 72, 417-473.
        """
        if replications < 1 or not 0.0 < share <= 1.0:
            raise DataError("stability() needs replications of 1 or more, and a share above 0 and up to 1.")
        e = self.estimate
        return self._coefficients(selection_frequencies(e.problem.design, e.penalty, replications, share, seed, 1e-8))

    def summary_frame(self) -> pd.DataFrame:
        """Coefficients, odds ratios and penalties, by column."""
        beta = self.estimate.beta
        with np.errstate(over="ignore"):
            columns = {"coef": beta, "odds ratio": np.exp(beta), "penalty": self.estimate.penalty.strength}
        return pd.DataFrame(columns, index=self.model.exog_names)

    def _lines(self) -> list[str]:
        e = self.estimate
        scale = "standardized columns" if e.penalty.standardize else "columns as given"
        state = "converged" if e.converged else "NOT converged"
        return [
            f"Penalized logit of {self.model.endog_names}: {self.kind}, L1 share {e.penalty.l1_wt:g}, {scale}",
            f"{len(self.selected)} of {len(e.beta)} coefficients not zero; log-likelihood {self.llf:.6g}; "
            f"{state} in {e.iterations} steps, optimality violation {e.violation:.1e}",
        ]


@with_errors
class L1Results(L1Answers, RegularizedResults):
    """A fit with ``method="l1"``, or without any penalty: what `RegularizedResults` answers, and what statsmodels does."""


@dataclass(frozen=True, eq=False)
class RegularizationPath:
    """Penalized fits at falling strengths.

    Attributes
    ----------
    fits : tuple of RegularizedResults
    alphas : (m,)
    cv : CrossValidation or None
    """

    fits: tuple[RegularizedResults, ...]
    alphas: FloatArray
    cv: CrossValidation | None = None

    @property
    def params(self) -> pd.DataFrame:
        """Coefficients: one row for each alpha."""
        index = pd.Index(self.alphas, name="alpha")
        return pd.DataFrame([fit.estimate.beta for fit in self.fits], index, self.fits[0].model.exog_names)

    def choose(self, rule: str = "one_se") -> RegularizedResults:
        """Return the fit chosen by cross-validation: the least deviance ("best"), or the simplest within one standard error."""
        check_choice("rule", rule, ("one_se", "best"))
        if self.cv is None:
            raise NotAvailableError("The path was fitted without cross-validation; ask for it with cv=10.")
        return self.fits[self.cv.one_se if rule == "one_se" else self.cv.best]

    def summary_frame(self) -> pd.DataFrame:
        """One row for each alpha: coefficients not zero, log-likelihood, violation, held-out deviance."""
        rows = {
            "nonzero": [len(fit.selected) for fit in self.fits],
            "llf": [fit.llf for fit in self.fits],
            "violation": [fit.optimality_violation for fit in self.fits],
        }
        frame = pd.DataFrame(rows, index=pd.Index(self.alphas, name="alpha"))
        return frame if self.cv is None else frame.assign(cv_deviance=self.cv.deviance, cv_se=self.cv.se)

    def plot(self, ax: Any = None) -> Any:
        """Draw the coefficients of the penalized columns against alpha; see `report.penalty_path_plot`.

        Those of standardized columns are drawn times the standard deviation of their column, as they are penalized.
        """
        from logit_stats.report.penalty_path_plot import penalty_path_plot

        first = self.fits[0].estimate
        free, drawn = first.penalty.strength == 0.0, self.params
        if first.penalty.standardize and first.problem.working.scale is not None:
            drawn = drawn.mul(first.problem.unit / first.problem.working.scale, axis=1)
        chosen = None if self.cv is None else float(self.alphas[self.cv.one_se])
        label = "coefficient × standard deviation" if first.penalty.standardize else "coefficient"
        return penalty_path_plot(drawn.loc[:, ~free], chosen, ax, label=label)

    @printed
    def __str__(self) -> str:
        return f"Path of {len(self.fits)} penalized fits\n{self.summary_frame().to_string(line_width=WIDTH)}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.summary_frame().to_html()


def make_penalty(
    design: Design, alpha: Any, l1_wt: float, standardize: bool, penalize_intercept: bool, penalty_weights: Any
) -> Penalty:
    """Read a penalty: a scalar alpha spares the intercept unless asked; an array is taken coefficient by coefficient."""
    if not 0.0 <= l1_wt <= 1.0:
        raise DataError(f"L1_wt={l1_wt!r} must be between 0 (ridge) and 1 (lasso).")
    strength = _by_column("alpha", alpha, design)
    if strength.ndim == 0:
        strength = np.full(design.columns, float(strength))
        if design.constant is not None and not penalize_intercept:
            strength[design.constant] = 0.0
    if penalty_weights is not None:
        factors = _by_column("penalty_weights", penalty_weights, design)
        strength = strength * factors if factors.shape in ((), strength.shape) else factors
    if strength.shape != (design.columns,) or not np.isfinite(strength).all() or (strength < 0.0).any():
        raise DataError(
            f"alpha and penalty_weights must be finite, not negative, and a number or one for each of the "
            f"{design.columns} columns."
        )
    return Penalty(strength, float(l1_wt), standardize)


def _by_column(argument: str, values: Any, design: Design) -> FloatArray:
    """Read a number, one for each column, or a Series or dict by the columns' names."""
    if isinstance(values, dict) or (isinstance(values, pd.Series) and not isinstance(values.index, pd.RangeIndex)):
        labelled = pd.Series(values)
        if set(labelled.index) != set(design.names) or len(labelled) != design.columns:
            raise DataError(_names_of_columns(argument, [str(label) for label in labelled.index], design))
        values = labelled.loc[list(design.names)]
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{argument} must be a number, or one for each column.") from None


def _names_of_columns(argument: str, given: list[str], design: Design) -> str:
    missing = [name for name in design.names if name not in given]
    unknown = [name for name in given if name not in design.names]
    said = f"; it leaves out {listed(missing, 6)} (0 leaves a column free)" if missing else ""
    said += f"; {listed(unknown, 6)} is no column" if unknown else ""
    return f"{argument} must name each column once, the intercept too: {listed(list(design.names), 12)}{said}."


def with_class_weight(design: Design, class_weight: Any) -> Design:
    """Multiply the weights of failures and successes: ``{0: a, 1: b}``, or "balanced" for N / (2 N of the class).

    The keys are 0 and 1, or the two values of the response.
    """
    if class_weight is None:
        return design
    y, m = design.response.successes, design.response.trials
    weight = np.ones(design.rows) if design.weight is None else design.weight.values
    total, events = float(design.row_weight.sum()), float(weight @ y)
    if isinstance(class_weight, str):
        check_choice("class_weight", class_weight, ("balanced",))
        class_weight = {0: total / (2.0 * (total - events)), 1: total / (2.0 * events)}
    levels = design.response.levels or (0, 1)
    if isinstance(class_weight, dict) and set(class_weight) <= set(levels):
        class_weight = {levels.index(level): factor for level, factor in class_weight.items()}
    if not isinstance(class_weight, dict) or not set(class_weight) <= {0, 1}:
        raise WeightError("class_weight must be 'balanced' or a dict such as {0: 1, 1: 5}.")
    failure, success = float(class_weight.get(0, 1.0)), float(class_weight.get(1, 1.0))
    if not (0.0 < failure < np.inf and 0.0 < success < np.inf):
        raise WeightError("class_weight must hold finite numbers above zero.")
    if m is None:
        values = weight * np.where(y > 0.5, success, failure)
        return replace(design, weight=RowNumbers("sampling_weights", None, values))
    response = replace(design.response, successes=y * success, trials=y * success + (m - y) * failure)
    return replace(design, response=response)


def fit_regularized(
    model: Logit,
    method: str,
    alpha: Any,
    l1_wt: float,
    *,
    standardize: bool,
    penalize_intercept: bool | None,
    penalty_weights: Any,
    class_weight: Any,
    start_params: Any,
    tol: float,
    maxiter: Any,
    trim: dict[str, Any],
) -> RegularizedResults:
    """Fit with a penalty; see `Logit.fit_regularized`."""
    check_choice("method", method, ("elastic_net", "l1"))
    trimmed_below = read_trim(method, trim)
    maxiter = 200 if isinstance(maxiter, str) and maxiter == "defined_by_method" else maxiter
    if not isinstance(maxiter, int | np.integer) or maxiter < 0:
        raise DataError(f"maxiter={maxiter!r} must be a whole number, 0 or more.")
    if method == "l1":
        if l1_wt != 1.0:
            raise UnknownOptionError(f"fit_regularized(method='l1') has no L1_wt={l1_wt!r}; take method='elastic_net'.")
        penalize_intercept = True if penalize_intercept is None else penalize_intercept
    design = model.design
    penalty = make_penalty(design, alpha, l1_wt, standardize, bool(penalize_intercept), penalty_weights)
    if method == "l1":  # there alpha weighs the sum of the log-likelihood, not its mean
        penalty = penalty.times(1.0 / float(design.row_weight.sum()))
    problem = prepare(with_class_weight(design, class_weight), penalty)
    problem = replace(problem, observations=float(design.row_weight.sum()))
    start = None
    if start_params is not None:
        given = model._coefficients(start_params)
        # a start that is less likely than no effects at all may lie where the likelihood is flat: better none
        if model.loglike(given) >= model.loglike(np.zeros_like(given)):
            start = problem.working.gamma(given)
    estimate = penalized_fit(problem, penalty, start, tol=tol, maxiter=int(maxiter))
    if not estimate.converged:
        warnings.warn(
            f"The penalized fit stopped after {estimate.iterations} steps with an optimality violation of "
            f"{estimate.violation:.1e}; raise maxiter or alpha.",
            ConvergenceWarning,
            stacklevel=3,
        )
    if trimmed_below is not None:
        small = np.abs(estimate.beta) < trimmed_below
        estimate = estimate_at(estimate, problem.working.gamma(np.where(small, 0.0, estimate.beta)))
    return (L1Results if method == "l1" or not penalty.strength.any() else RegularizedResults)(model, estimate, method)


def read_trim(method: str, trim: dict[str, Any]) -> float | None:
    """Read statsmodels' arguments of ``method="l1"``: the size below which coefficients become zero, None for none."""
    if method == "l1":
        accept("fit_regularized(method='l1')", trim, {*OF_L1, "trim_mode", "size_trim_tol"})
    else:
        accept(f"fit_regularized(method={method!r})", trim, {"disp", "full_output"})
    mode, size = trim.get("trim_mode", "auto"), trim.get("size_trim_tol", 1e-4)
    check_choice("trim_mode", mode, ("auto", "size", "off"))
    if not 0.0 <= size < np.inf:
        raise DataError(f"size_trim_tol={size!r} must be a finite number, not negative.")
    return float(size) if mode == "size" else None


def regularization_path(
    model: Logit,
    alphas: Any,
    l1_wt: float,
    *,
    count: int,
    ratio: float | None,
    standardize: bool,
    penalize_intercept: bool,
    penalty_weights: Any,
    class_weight: Any,
    cv: int | None,
    seed: int,
    tol: float,
) -> RegularizationPath:
    """Fit a path; see `Logit.regularization_path`."""
    design = with_class_weight(model.design, class_weight)
    penalty = make_penalty(design, 1.0, l1_wt, standardize, penalize_intercept, penalty_weights)
    if alphas is None:
        if not isinstance(count, int | np.integer) or count < 1:
            raise DataError(f"count={count!r} must be a whole number, 1 or more.")
        if ratio is not None and not 0.0 < ratio < 1.0:
            raise DataError(f"ratio={ratio!r} must be between 0 and 1.")
        grid = alpha_grid(design, penalty, count, ratio)
    else:
        try:
            grid = np.sort(np.asarray(alphas, dtype=np.float64).reshape(-1))[::-1]
        except (TypeError, ValueError):
            raise DataError("alphas must be numbers.") from None
    if not len(grid) or not np.isfinite(grid).all() or grid[-1] < 0.0:
        raise DataError("alphas must be finite numbers, none of them negative.")
    if cv is not None and not (isinstance(cv, int | np.integer) and 2 <= cv <= design.rows):
        raise DataError(f"cv={cv!r} must be a whole number between 2 and the number of rows.")
    fits = tuple(
        RegularizedResults(model, estimate, "elastic_net") for estimate in penalty_path(design, penalty, grid, tol)
    )
    chosen = None if cv is None else cross_validate(design, penalty, grid, cv, seed, max(tol, 1e-8))
    return RegularizationPath(fits, grid, chosen)


__all__ = ["TOLERANCE", "RegularizationPath", "RegularizedResults", "fit_regularized", "regularization_path"]
