"""`OrderedLogit` and `ologit`: logits of an ordered response."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.categories import Categories
from logit_stats.design.design import Design
from logit_stats.design.formula import capture_scope, scope_of
from logit_stats.design.from_arrays import design_from_arrays, new_columns
from logit_stats.design.from_formula import design_from_formula
from logit_stats.design.ordered import ADDED_CONSTANT, columns_with_own_slopes, ordered_design, ordered_response
from logit_stats.design.row_arguments import RowArguments
from logit_stats.errors import CrossingWarning, DataError, TooFewRowsError, check_choice
from logit_stats.estimation.likelihood import linear_predictor, moments
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.estimation.scipy_methods import SCIPY_METHODS
from logit_stats.inference.cluster import check_settings
from logit_stats.inference.covariance import COV_TYPES, covariance
from logit_stats.likelihoods.cumulative import Cumulative, crossing
from logit_stats.likelihoods.moments import Moments
from logit_stats.likelihoods.of_design import likelihood_of
from logit_stats.likelihoods.ordered import WHICH, Ordered, crossing_words
from logit_stats.likelihoods.outcomes import Outcomes
from logit_stats.likelihoods.stepwise import Adjacent, Continuation
from logit_stats.likelihoods.working import WorkingColumns
from logit_stats.models.at_parameters import by_name
from logit_stats.models.base import DesignModel

if TYPE_CHECKING:
    from logit_stats.estimation.separation import Separation
    from logit_stats.results.ordinal import OrderedLogitResults

KINDS: dict[str, type[Ordered]] = {kind.kind: kind for kind in (Cumulative, Adjacent, Continuation)}


class OrderedLogit(DesignModel):
    """Logit model of an ordered response, of arrays; the counterpart of statsmodels' ``OrderedModel``.

    A positive coefficient means higher categories. Thresholds are named by the categories that they part, ``1|2``.

    Parameters
    ----------
    endog : (n,) array_like
        Numbers, an ordered categorical, or text with `levels`; three categories or more.
    exog : (n, k) array_like
        Design columns. A constant is not needed: the thresholds have its place.
    offset : (n,) array_like, optional
        Known part of the latent linear predictor.
    distr : {"logit"}
        As statsmodels has it; other distributions are not logits.
    kind : {"cumulative", "adjacent", "continuation"}
        ``logit P(Y <= j) = t_j - x'b`` (proportional odds); ``log P(Y = j + 1) / P(Y = j) = t_j + x'b``; or
        ``logit P(Y > j | Y >= j) = t_j + x'b``.
    nonparallel : bool, str or list of str, optional
        Columns whose slopes differ between the cuts: all (True), or these.
    levels : list, optional
        The categories from the lowest to the highest.
    freq_weights : (n,) array_like, optional
        How many identical rows each row stands for.
    sampling_weights : (n,) array_like, optional
        Inverse selection probabilities. The covariance is then design-based by default.
    missing : {"none", "drop", "raise"}
        What to do with rows that have missing values: refuse them ("none", "raise") or leave them out.
    check_rank : bool or "drop"
        Whether columns that are combinations of others are an error, left out ("drop"), or not looked for (False).

    References
    ----------
    McCullagh (1980), JRSS B 42, 109-142; Peterson and Harrell (1990), Applied Statistics 39, 205-217 (partial proportional
    odds); Agresti (2010), Analysis of Ordinal Categorical Data.

    Examples
    --------
    >>> import numpy as np
    >>> from logit_stats import OrderedLogit
    >>> x = np.arange(12.0)
    >>> y = [1, 1, 2, 1, 2, 1, 2, 3, 2, 3, 2, 3]
    >>> OrderedLogit(y, x).fit().params.round(4)
    array([0.6362, 2.1262, 5.5951])
    """

    added_constant = False
    constant_value = 1.0

    def __init__(
        self,
        endog: Any,
        exog: Any,
        offset: Any = None,
        distr: str = "logit",
        *,
        kind: str = "cumulative",
        nonparallel: Any = None,
        levels: Sequence[Any] | None = None,
        freq_weights: Any = None,
        sampling_weights: Any = None,
        missing: str = "none",
        check_rank: bool | str = True,
    ) -> None:
        _refuse_other_distributions(distr)
        arguments = RowArguments(
            offset=offset, freq_weights=freq_weights, sampling_weights=sampling_weights, missing=missing
        )
        design = design_from_arrays(
            endog,
            exog,
            arguments,
            refuse_wide=check_rank is True,
            as_response=partial(ordered_response, levels=levels),
        )
        self._adopt_kind(design, kind, nonparallel, check_rank)

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        *,
        kind: str = "cumulative",
        nonparallel: Any = None,
        levels: Sequence[Any] | None = None,
        distr: str = "logit",
        subset: Any = None,
        missing: str = "drop",
        offset: Any = None,
        freq_weights: Any = None,
        sampling_weights: Any = None,
        check_rank: bool | str = True,
        names: Mapping[str, Any] | None = None,
        depth: int = 0,
    ) -> Self:
        """Model from a formula and a table; arguments as for `ologit`.

        `depth` says how many calls above the caller the formula's variables are looked up; with `names` they are looked up there
        alone.
        """
        _refuse_other_distributions(distr)
        model = cls.__new__(cls)
        design = design_from_formula(
            formula,
            data,
            capture_scope(depth + 1) if names is None else scope_of(names),
            RowArguments(offset=offset, freq_weights=freq_weights, sampling_weights=sampling_weights, subset=subset,
                         missing=missing),
            refuse_wide=check_rank is True,
            as_response=partial(ordered_response, levels=levels),
            constant=True,
        )  # fmt: skip
        model._adopt_kind(design, kind, nonparallel, check_rank)
        return model

    def _adopt_kind(self, design: Design, kind: str, nonparallel: Any, check_rank: bool | str) -> None:
        check_choice("kind", kind, tuple(KINDS))
        self.added_constant = design.constant is None
        design = ordered_design(design, KINDS[kind]())
        own = columns_with_own_slopes(design, nonparallel)
        self._adopt(design if not own else ordered_design(design, KINDS[kind](own)), check_rank)

    def _adopt(self, design: Design, check_rank: bool | str) -> None:
        if check_rank is True and design.coefficients > design.observations:
            raise TooFewRowsError(
                f"{design.equations + 1} categories and {design.columns - 1} columns make {design.coefficients} coefficients, "
                f"and there are {design.observations:g} observations: more coefficients than observations cannot be "
                f"estimated."
            )
        super()._adopt(design, check_rank)
        if design.has_rows and design.constant is not None:
            self.constant_value = float(design.X[0, design.constant])

    # What the model is made of.

    @property
    def likelihood(self) -> Ordered:
        """The kind of logit, and which slopes are not shared."""
        assert isinstance(self.design.likelihood, Ordered)
        return self.design.likelihood

    @property
    def kind(self) -> str:
        """One of "cumulative", "adjacent", "continuation"."""
        return self.likelihood.kind

    @property
    def parallel(self) -> bool:
        """Whether all cuts share all slopes."""
        return not self.likelihood.own

    @property
    def categories(self) -> Categories:
        """The categories from the lowest to the highest."""
        assert self.design.response.categories is not None
        return self.design.response.categories

    @property
    def labels(self) -> list[Any]:
        """The categories from the lowest to the highest."""
        return list(self.categories.labels)

    @property
    def k_levels(self) -> int:
        """Number of categories."""
        return self.design.equations + 1

    @property
    def k_vars(self) -> int:
        """Number of slopes."""
        return self.design.coefficients - self.design.equations

    @property
    def endog(self) -> FloatArray:
        """(n,) position of every row's category."""
        return self.categories.codes.astype(np.float64)

    @property
    def exog(self) -> FloatArray:
        """(n, k) design columns, without a constant that was added."""
        keep = slice(1, None) if self.added_constant else slice(None)
        return np.asarray(self.design.X)[:, keep]

    @property
    def exog_names(self) -> list[str]:
        """Names of the coefficients: slopes, then thresholds."""
        return list(self.design.coefficient_names)

    @property
    def df_model(self) -> float:
        """Number of slopes."""
        return float(self.k_vars)

    @property
    def df_resid(self) -> float:
        """Observations minus coefficients."""
        return self.design.observations - self.design.coefficients

    # The likelihood at any coefficients.

    def _coefficients(self, params: Any) -> FloatArray:
        names = self.design.coefficient_names
        beta = np.asarray(by_name(params, names), dtype=np.float64).reshape(-1)
        if len(beta) != len(names):
            raise DataError(f"params has {len(beta)} values; the model has {len(names)}: {', '.join(names[:8])}.")
        return beta

    def _moments(self, params: Any) -> Moments:
        return moments(self.design, self._coefficients(params), WorkingColumns.of(self.design))

    def loglike(self, params: Any) -> float:
        """Log-likelihood at `params`; minus infinity where thresholds are out of order."""
        found = self._moments(params).loglik
        return found if np.isfinite(found) else -np.inf

    def loglikeobs(self, params: Any) -> FloatArray:
        """(n,) log-likelihood of every row, weighted."""
        eta = linear_predictor(self.design, self._coefficients(params), WorkingColumns.of(self.design))
        found = self.likelihood.terms(self.design.block, eta.T).loglik
        return found if self.design.weight is None else found * self.design.weight.values

    def score(self, params: Any) -> FloatArray:
        """(p,) gradient of the log-likelihood."""
        return self._moments(params).score

    def hessian(self, params: Any) -> FloatArray:
        """(p, p) second derivatives of the log-likelihood."""
        return -self.information(params)

    def information(self, params: Any) -> FloatArray:
        """(p, p) observed information, which is minus the Hessian."""
        return self._moments(params).information

    def predict(self, params: Any, exog: Any = None, offset: Any = None, which: str = "prob") -> FloatArray:
        """Probabilities ("mean" or "prob", (m, C)), P(Y <= j) ("cumulative" or "cumprob") or "linear" predictors at `params`."""
        check_choice("which", which, ("mean", "cumulative", "linear", *WHICH))
        beta = self._coefficients(params)
        X = np.asarray(self.design.X if exog is None else new_columns(self.with_constant(exog), self.design.names)[0])
        known = self.design.row_offset if exog is None else None
        offset = (0.0 if known is None else known) if offset is None else np.asarray(offset, dtype=np.float64)
        latent, eta = self.predictors(X, beta, offset)
        return latent if WHICH.get(which, which) == "linear" else self.asked(self.outcomes(eta), which)

    def predictors(self, X: FloatArray, beta: FloatArray, offset: Any = 0.0) -> tuple[FloatArray, FloatArray]:
        """Linear predictors without thresholds, (m,) or, where slopes differ, (m, E); and those of the cuts (m, E)."""
        table, by_row = self.design.parameters.table(beta), np.broadcast_to(offset, len(X))[:, None]
        eta = X @ table.T + by_row
        latent = eta - X[:, [self.design.constant]] * table[:, self.design.constant]  # type: ignore[index]
        return (latent[:, 0] if self.parallel else latent), eta

    def outcomes(self, eta: FloatArray) -> Outcomes:
        """Probabilities of the categories at linear predictors (m, E), and their derivatives."""
        return likelihood_of(self.design).outcomes(eta.T, self.design)

    @staticmethod
    def asked(found: Outcomes, which: str) -> FloatArray:
        """(m, C) probabilities, or (m, E) cumulative ones."""
        prob = found.prob.T
        return prob if WHICH.get(which, which) == "mean" else prob.cumsum(axis=1)[:, :-1]

    def with_constant(self, exog: Any) -> Any:
        """New design columns with the constant that the model added to those of the fit, if it did."""
        if not self.added_constant or self.design.formula is not None:
            return exog
        X, _ = new_columns(exog, self.design.names[1:])
        import pandas as pd

        labels = exog.index if isinstance(exog, pd.DataFrame) else None
        full = np.column_stack([np.ones(len(X)), X])
        return (
            full
            if labels is None
            else pd.DataFrame(full, index=labels, columns=[ADDED_CONSTANT, *self.design.names[1:]])
        )

    def transform_threshold_params(self, params: Any) -> FloatArray:
        """(C + 1,) thresholds with minus and plus infinity at the ends, as statsmodels hands them out."""
        thresholds = np.asarray(params, dtype=np.float64)[-self.design.equations :]
        return np.concatenate([[-np.inf], thresholds, [np.inf]])

    # Fitting.

    def fit(
        self,
        start_params: Any = None,
        method: str = "newton",
        maxiter: int = 35,
        tol: float | None = None,
        cov_type: str | None = None,
        cov_kwds: dict[str, Any] | None = None,
        use_t: bool | None = None,
        disp: bool = False,
        callback: Callable[[FloatArray], None] | None = None,
    ) -> OrderedLogitResults:
        """Fit by maximum likelihood.

        Parameters
        ----------
        start_params : (p,) array_like, optional
            Slopes and thresholds to start from, by default those of the null model.
        method : {"newton", "bfgs", "lbfgs", "cg", "ncg", "powell", "nm"}
            Newton's method with step control, or an optimiser of SciPy.
        maxiter : int
        tol : float, optional
            Distance to the maximum, in standard errors, that counts as reached.
        cov_type : str, optional
            "nonrobust", "opg", "HC0", "HC1", "cluster" or "survey", which is the default under sampling weights.
        cov_kwds : dict, optional
            Settings of the covariance.
        use_t : bool, optional
            Use Student's t for p-values and intervals.
        disp : bool
            Print how the iterations went.
        callback : callable, optional
            Called with the coefficients after every iteration.

        Raises
        ------
        SeparationError
            If no finite estimate exists.
        DataError
            If thresholds of `start_params` are out of order.

        Warns
        -----
        ConvergenceWarning
            If the iterations end before the tolerance is met.
        CrossingWarning
            If slopes of their own make cumulative probabilities of some rows cross.
        """
        from logit_stats.results.ordinal import OrderedLogitResults

        check_choice("method", method, ("newton", "irls", *SCIPY_METHODS))
        if cov_type is not None:
            check_choice("cov_type", cov_type, COV_TYPES)
        settings = dict(cov_kwds or {})
        check_settings(cov_type or "nonrobust", settings)
        start = None if start_params is None else self._checked_start(start_params)
        fitted = maximum_likelihood(
            self.design, start=start, method=method, maxiter=maxiter, tol=tol, callback=callback,
            check_rank=self.check_rank,
        )  # fmt: skip
        results = OrderedLogitResults(
            self.with_design(fitted.design), fitted, covariance(fitted, cov_type, use_t, **settings)
        )
        crossed = self.crossed(fitted.eta)
        if crossed:
            warnings.warn(crossing_words(crossed, fitted.design.rows), CrossingWarning, stacklevel=2)
        if disp:
            print(results.convergence_message())
        return results

    def _checked_start(self, start_params: Any) -> FloatArray:
        start = self._coefficients(start_params)
        thresholds = start[-self.design.equations :]
        if self.likelihood.falling and self.parallel and (np.diff(thresholds) <= 0.0).any():
            e = int(np.flatnonzero(np.diff(thresholds) <= 0.0)[0])
            low, high = self.design.coefficient_names[-self.design.equations :][e : e + 2]
            raise DataError(
                f"start_params: thresholds must rise from the lowest cut to the highest, and {low} = {thresholds[e]:g} is not "
                f"below {high} = {thresholds[e + 1]:g}. Slopes come first, then the thresholds in order."
            )
        return start

    def crossed(self, eta: FloatArray) -> int:
        """Number of rows of linear predictors (m, E) in which cumulative probabilities cross."""
        return int(crossing(eta).sum()) if self.kind == "cumulative" and not self.parallel else 0

    def separation(self) -> Separation:
        """Say whether the data are separated: which slopes and thresholds have no finite estimate, where they go."""
        from logit_stats.estimation.separation import find_separation

        return find_separation(self.design)

    def with_design(self, design: Design) -> Self:
        """Return the model of another design, this one where it is the same."""
        if design is self.design:
            return self
        model = type(self).__new__(type(self))
        model.added_constant, model.constant_value = self.added_constant, self.constant_value
        model._adopt(design, self.check_rank)
        return model


def _refuse_other_distributions(distr: str) -> None:
    if distr != "logit":
        raise DataError(
            f"distr={distr!r}: this is a package of logits, and takes distr='logit' alone; statsmodels' OrderedModel has others."
        )


def ologit(
    formula: str,
    data: Any,
    *,
    kind: str = "cumulative",
    nonparallel: Any = None,
    levels: Sequence[Any] | None = None,
    subset: Any = None,
    missing: str = "drop",
    offset: Any = None,
    freq_weights: Any = None,
    sampling_weights: Any = None,
    check_rank: bool | str = True,
) -> OrderedLogit:
    """Logit model of an ordered response from a formula and a table.

    Parameters
    ----------
    formula : str
        As for `logit`: ``"rating ~ temp + contact"``. The response is numbers, an ordered categorical, or text with `levels`.
        The constant is always there, in the shape of thresholds; ``0 +`` changes nothing.
    data : DataFrame, dict of arrays, polars or Arrow table
        Where the names of the formula are looked up, before the caller's variables.
    kind : {"cumulative", "adjacent", "continuation"}
        ``logit P(Y <= j) = t_j - x'b`` (proportional odds); ``log P(Y = j + 1) / P(Y = j) = t_j + x'b``; or
        ``logit P(Y > j | Y >= j) = t_j + x'b``. A positive coefficient means higher categories in each.
    nonparallel : bool or str, optional
        Terms whose slopes differ between the cuts, as ``"x + C(g)"`` (partial proportional odds); all with True.
    levels : list, optional
        The categories from the lowest to the highest.
    subset, missing, offset, freq_weights, sampling_weights, check_rank
        As for `logit`.

    Returns
    -------
    OrderedLogit
        Call `.fit()`.

    Examples
    --------
    >>> import logit_stats as ls
    >>> children = ls.datasets.load("womenlf")
    >>> model = ls.ologit("partic ~ hincome + children", children, levels=["not_work", "parttime", "fulltime"])
    >>> model.fit().params.round(4)
    children[T.present]   -1.9720
    hincome               -0.0539
    not_work|parttime     -1.8520
    parttime|fulltime     -0.9409
    dtype: float64
    """
    return OrderedLogit.from_formula(
        formula, data, kind=kind, nonparallel=nonparallel, levels=levels, subset=subset, missing=missing, offset=offset,
        freq_weights=freq_weights, sampling_weights=sampling_weights, check_rank=check_rank, depth=1,
    )  # fmt: skip
