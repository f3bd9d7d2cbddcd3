"""`LogitClassifier`: the package's fits behind scikit-learn's interface (needs scikit-learn).

Minimises, with scikit-learn's meaning of C and l1_ratio,

    sum_i s_i loss_i + (1/C) [ (1 - l1_ratio) w'w / 2 + l1_ratio sum |w| ],

to an optimality violation of 1e-10 per observation instead of stopping early.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, Self

import numpy as np
from scipy.special import log_softmax, softmax

from logit_stats.design.design import Design
from logit_stats.errors import ConvergenceWarning, DataError, check_choice
from logit_stats.estimation.one_vs_rest import one_vs_rest_fits
from logit_stats.estimation.penalized import PenalizedEstimate, Penalty, prepare
from logit_stats.estimation.symmetric_penalty import category_penalized_fit, coefficients_by_category
from logit_stats.likelihoods.rows import probability
from logit_stats.models.logit import Logit
from logit_stats.models.multinomial import MNLogit

try:
    from sklearn.base import BaseEstimator, ClassifierMixin  # type: ignore[import-untyped]
    from sklearn.utils.class_weight import compute_class_weight  # type: ignore[import-untyped]
    from sklearn.utils.multiclass import check_classification_targets  # type: ignore[import-untyped]
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data  # type: ignore[import-untyped]
except ImportError as missing:  # pragma: no cover
    raise ImportError("logit_stats.sklearn needs scikit-learn 1.6 or later: pip install scikit-learn.") from missing


class LogitClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Logistic regression for scikit-learn.

    Parameters
    ----------
    C : float or None
        Inverse strength of the penalty; None or infinity for none.
    l1_ratio : float
        0 is ridge, 1 the lasso.
    fit_intercept : bool
    intercept_scaling : float
        Value of the constant column; matters only where the intercept is penalized.
    penalize_intercept : bool
        Penalize the intercept like the other coefficients, as liblinear does.
    class_weight : dict, "balanced" or None
    multi_class : {"ovr", "multinomial"}
        For more than two classes: one-vs-rest, or the multinomial logit, in which every class has coefficients.
    tol : float
        Largest violation of the optimality conditions, per observation.
    max_iter : int

    Attributes
    ----------
    classes_ : (c,)
    coef_ : (1, k) or (c, k)
    intercept_ : (1,) or (c,)
    n_iter_ : (1,) or (c,) int
    result_ : LogitResults, list of them, or MNLogitResults
        The maximum-likelihood results, where the fit is not penalized (one for each class of one-vs-rest).

    Examples
    --------
    >>> X = np.arange(10.0)[:, None]
    >>> model = LogitClassifier(C=10.0, penalize_intercept=True).fit(X, [0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    >>> model.intercept_.round(6), model.coef_.round(6)
    (array([-3.513537]), array([[1.12074]]))
    """

    def __init__(
        self,
        C: float | None = 1.0,
        *,
        l1_ratio: float = 0.0,
        fit_intercept: bool = True,
        intercept_scaling: float = 1.0,
        penalize_intercept: bool = False,
        class_weight: Any = None,
        multi_class: str = "ovr",
        tol: float = 1e-10,
        max_iter: int = 200,
    ) -> None:
        self.C = C
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.penalize_intercept = penalize_intercept
        self.class_weight = class_weight
        self.multi_class = multi_class
        self.tol = tol
        self.max_iter = max_iter

    def _check_settings(self) -> None:
        check_choice("multi_class", self.multi_class, ("ovr", "multinomial"))
        if self.C is not None and not self.C > 0.0:
            raise DataError(f"C={self.C!r} must be above zero, or None for no penalty.")
        if not 0.0 <= self.l1_ratio <= 1.0:
            raise DataError(f"l1_ratio={self.l1_ratio!r} must be between 0 and 1.")
        if not self.intercept_scaling > 0.0:
            raise DataError(f"intercept_scaling={self.intercept_scaling!r} must be above zero.")

    @property
    def _unpenalized(self) -> bool:
        return self.C is None or bool(np.isinf(self.C))

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit.

        Parameters
        ----------
        X : (n, k) array_like
        y : (n,) array_like
            Classes.
        sample_weight : (n,) array_like, optional

        Raises
        ------
        DataError
            If there is only one class, or a setting is out of range.
        SeparationError, RankDeficientError
            Without a penalty, where there is no unique finite estimate.
        """
        self._check_settings()
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        X, y, weight = X[weight > 0.0], y[weight > 0.0], weight[weight > 0.0]
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise DataError(f"y holds one class only ({self.classes_!r}); a classifier needs two or more.")
        if self.class_weight is not None:
            factors = compute_class_weight(
                self.class_weight, classes=self.classes_, y=y, **_weights_argument(compute_class_weight, weight)
            )
            weight = weight * factors[np.searchsorted(self.classes_, y)]
        positives = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        if self.fit_intercept:
            X = np.column_stack([np.full(len(X), float(self.intercept_scaling)), X])
        if self._softmax:
            codes = np.searchsorted(self.classes_, y)
            beta, steps, result = (self._multinomial if self._unpenalized else self._penalized_multinomial)(
                X, codes, weight
            )
            found = [(beta, steps, result)]
        else:
            if self._unpenalized:
                found = [self._maximum_likelihood(X, y == label, weight) for label in positives]
            else:
                found = self._one_vs_rest(X, (y[:, None] == positives).astype(np.float64), weight)
            beta = np.array([part[0] for part in found])
        self.n_iter_ = np.array([part[1] for part in found], dtype=np.int32)
        first = int(self.fit_intercept)
        self.coef_ = beta[:, first:]
        self.intercept_ = beta[:, 0] * self.intercept_scaling if self.fit_intercept else np.zeros(len(beta))
        self.__dict__.pop("result_", None)
        if self._unpenalized:
            results = [part[2] for part in found]
            self.result_ = results[0] if len(results) == 1 else results
        return self

    def _names(self, columns: int) -> list[str]:
        first = int(self.fit_intercept)
        given = getattr(self, "feature_names_in_", [f"x{j}" for j in range(columns - first)])
        return ["Intercept"] * first + [str(name) for name in given]

    @property
    def _softmax(self) -> bool:
        return self.multi_class == "multinomial" and len(self.classes_) > 2

    def _multinomial(self, X: Any, codes: Any, weight: Any) -> tuple[Any, int, Any]:
        """Coefficients of every class, which sum to zero, and the results against the first class."""
        import pandas as pd

        frame = pd.DataFrame(X, columns=self._names(X.shape[1]))
        outcome = pd.Series(pd.Categorical.from_codes(codes, pd.Index(self.classes_)), name="y")
        result = MNLogit(outcome, frame, **_weights(weight)).fit(maxiter=self.max_iter)
        beta = np.vstack([np.zeros(X.shape[1]), np.asarray(result.params).T])
        return beta - beta.mean(axis=0), max(1, int(result.fit_.iterations)), result

    def _penalized_multinomial(self, X: Any, codes: Any, weight: Any) -> tuple[Any, int, None]:
        design, penalty = self._problem(MNLogit(codes, X, check_rank=False, **_sampling(weight)).design)
        estimate = category_penalized_fit(design, penalty, tol=self.tol, maxiter=self.max_iter)
        self._warn_unless_converged(estimate)
        return coefficients_by_category(estimate), max(1, estimate.iterations), None

    def _maximum_likelihood(self, X: Any, success: Any, weight: Any) -> tuple[Any, int, Any]:
        import pandas as pd

        frame = pd.DataFrame(X, columns=self._names(X.shape[1]))
        outcome = pd.Series(success.astype(np.float64), name="y")
        result = Logit(outcome, frame, **_weights(weight)).fit(maxiter=self.max_iter)
        return np.asarray(result.params), max(1, int(result.fit_.iterations)), result

    def _one_vs_rest(self, X: Any, outcomes: Any, weight: Any) -> list[tuple[Any, int, None]]:
        design, penalty = self._problem(Logit(outcomes[:, 0], X, check_rank=False, **_sampling(weight)).design)
        estimates = one_vs_rest_fits(prepare(design, penalty), penalty, outcomes, tol=self.tol, maxiter=self.max_iter)
        for estimate in estimates:
            self._warn_unless_converged(estimate)
        return [(estimate.beta, max(1, estimate.iterations), None) for estimate in estimates]

    def _problem(self, design: Design) -> tuple[Design, Penalty]:
        """Return the design, its first column the intercept if there is one, and the penalty of its columns."""
        total = float(design.row_weight.sum())
        strength = np.full(design.columns, 1.0 / (float(self.C) * total))  # type: ignore[arg-type]
        if self.fit_intercept and not self.penalize_intercept:
            strength[0] = 0.0
        # a constant column of the user's is penalized like any other; the intercept is column 0 or none
        return replace(design, constant=0 if self.fit_intercept else None), Penalty(strength, float(self.l1_ratio))

    def _warn_unless_converged(self, estimate: PenalizedEstimate) -> None:
        if not estimate.converged:
            warnings.warn(
                f"The penalized fit stopped after {estimate.iterations} steps with an optimality violation of "
                f"{estimate.violation:.1e}; raise max_iter, or scale the columns.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def decision_function(self, X: Any) -> Any:
        """Linear predictor: (m,) for two classes, else (m, c)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        eta = X @ self.coef_.T + self.intercept_
        return eta[:, 0] if len(self.classes_) == 2 else eta

    def predict_proba(self, X: Any) -> Any:
        """(m, c) probabilities; those of one-vs-rest are scaled to sum to one."""
        eta = self.decision_function(X)
        if eta.ndim == 1:
            return np.column_stack([probability(-eta), probability(eta)])
        if self._softmax:
            return softmax(eta, axis=1)
        # relative to the largest of a row, so that rows far from every class do not divide zero by zero
        log_p = np.minimum(eta, 0.0) - np.log1p(np.exp(-np.abs(eta)))
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X: Any) -> Any:
        """(m, c) logarithms of the probabilities."""
        eta = self.decision_function(X)
        if eta.ndim == 1:
            eta = np.column_stack([-eta, eta])
            return np.minimum(eta, 0.0) - np.log1p(np.exp(-np.abs(eta)))
        if self._softmax:
            return log_softmax(eta, axis=1)
        log_p = np.minimum(eta, 0.0) - np.log1p(np.exp(-np.abs(eta)))
        log_p -= log_p.max(axis=1, keepdims=True)
        return log_p - np.log(np.exp(log_p).sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> Any:
        """(m,) most probable class."""
        eta = self.decision_function(X)
        return self.classes_[(eta > 0).astype(int) if eta.ndim == 1 else eta.argmax(axis=1)]


def _weights(weight: Any) -> dict[str, Any]:
    """Weights as counts of identical rows where they are whole numbers, else as sampling weights."""
    if (weight == 1.0).all():
        return {}
    return {"freq_weights" if (weight == np.round(weight)).all() else "sampling_weights": weight}


def _sampling(weight: Any) -> dict[str, Any]:
    return {} if (weight == 1.0).all() else {"sampling_weights": weight}


def _weights_argument(function: Any, weight: Any) -> dict[str, Any]:
    """`sample_weight` for scikit-learn versions whose balanced class weights count it."""
    from inspect import signature

    return {"sample_weight": weight} if "sample_weight" in signature(function).parameters else {}
