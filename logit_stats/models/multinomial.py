"""`MNLogit` and `mnlogit`: the multinomial (baseline-category) logit model of a response with several categories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from logit_stats.accepted import OF_OPTIMISERS, STAND_INS, accept, optimiser
from logit_stats.design.block import FloatArray
from logit_stats.design.categories import Categories, category_response, from_indicators
from logit_stats.design.design import Design, without_columns
from logit_stats.design.formula import formula_scope, scope_of
from logit_stats.design.from_arrays import design_from_arrays, new_columns
from logit_stats.design.from_formula import design_from_formula
from logit_stats.design.row_arguments import RowArguments
from logit_stats.errors import DataError, ResponseError, TooFewRowsError, check_choice
from logit_stats.estimation.likelihood import linear_predictor, moments
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.estimation.scipy_methods import SCIPY_METHODS
from logit_stats.inference.covariance import covariance, covariance_asked
from logit_stats.likelihoods.category_moments import CategoryTerms, by_category, category_terms
from logit_stats.likelihoods.moments import Moments
from logit_stats.likelihoods.working import WorkingColumns
from logit_stats.models.at_parameters import by_name
from logit_stats.models.complex_step import at_complex
from logit_stats.models.statsmodels_names import StatsmodelsModel

if TYPE_CHECKING:
    from logit_stats.estimation.separation import Separation
    from logit_stats.results.multinomial import MNLogitResults
    from logit_stats.results.multinomial_regularized import MNRegularizedResults


class MNLogit(StatsmodelsModel):
    """Multinomial logit model of arrays; the counterpart of ``statsmodels.api.MNLogit``.

    The log odds of each category against a reference category are linear in the columns. With two categories it is `Logit`.

    Parameters
    ----------
    endog : (n,) array_like
        Categories: text, numbers, booleans or a pandas categorical. The first (in the order of the categorical, else
        sorted) is the reference. Or (n, J + 1) indicators, a column for each category (the categories are then their names).
    exog : (n, k) array_like
        Design columns. No intercept is added.
    base : optional
        Another reference category.
    freq_weights : (n,) array_like, optional
        How many identical rows each row stands for.
    sampling_weights : (n,) array_like, optional
        Inverse selection probabilities. The covariance is then design-based by default.
    missing : {"none", "drop", "raise"}
        What to do with rows that have missing values: refuse them ("none", "raise") or leave them out.
    check_rank : bool or "drop"
        Whether columns that are combinations of others are an error, left out ("drop"), or not looked for (False).
    hasconst : optional
        statsmodels' argument; has no effect: whether a constant is among the columns is found out.

    References
    ----------
    McFadden (1974), Conditional logit analysis of qualitative choice behavior; Agresti (2013), Categorical Data Analysis,
    section 8.1.

    Examples
    --------
    >>> import numpy as np
    >>> from logit_stats import MNLogit
    >>> x = np.arange(12)
    >>> y = list("aababcabcbcc")
    >>> MNLogit(y, np.column_stack([np.ones(12), x])).fit().params.round(4)
    array([[-1.706 , -4.8464],
           [ 0.4406,  0.8812]])
    """

    def __init__(
        self,
        endog: Any,
        exog: Any,
        *,
        base: Any = None,
        freq_weights: Any = None,
        sampling_weights: Any = None,
        missing: str = "none",
        check_rank: bool | str = True,
        hasconst: bool | None = None,
    ) -> None:
        design = design_from_arrays(
            from_indicators(endog),
            exog,
            RowArguments(freq_weights=freq_weights, sampling_weights=sampling_weights, missing=missing),
            refuse_wide=check_rank is True,
            as_response=partial(category_response, base=base),
        )
        self._adopt(design, check_rank)

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        subset: Any = None,
        drop_cols: Any = None,
        *,
        base: Any = None,
        missing: str = "drop",
        freq_weights: Any = None,
        sampling_weights: Any = None,
        check_rank: bool | str = True,
        names: Mapping[str, Any] | None = None,
        depth: int = 0,
        hasconst: bool | None = None,
        eval_env: Any = 0,
    ) -> Self:
        """Model from a formula and a table; arguments as for `mnlogit`.

        `depth` says how many calls above the caller the formula's variables are looked up; with `names` they are looked up there
        alone.
        """
        model = cls.__new__(cls)
        design = design_from_formula(
            formula,
            data,
            formula_scope(eval_env, depth + 1) if names is None else scope_of(names),
            RowArguments(freq_weights=freq_weights, sampling_weights=sampling_weights, subset=subset, missing=missing),
            refuse_wide=check_rank is True,
            as_response=partial(category_response, base=base),
        )
        model._adopt(without_columns(design, drop_cols), check_rank)
        return model

    def _adopt(self, design: Design, check_rank: bool | str) -> None:
        if not design.response.labels:
            raise ResponseError(
                f"The response {design.response.name!r} is two columns of counts; a multinomial logit takes one column of "
                f"categories (with freq_weights= where a row stands for several)."
            )
        coefficients = design.equations * design.columns
        if check_rank is True and coefficients > design.observations:
            raise TooFewRowsError(
                f"{design.equations + 1} categories and {design.columns} columns make {coefficients} coefficients, and there "
                f"are {design.observations:g} observations: more coefficients than observations cannot be estimated."
            )
        super()._adopt(design, check_rank)

    # What the model is made of.

    @property
    def categories(self) -> Categories:
        """The categories, the reference first."""
        assert self.design.response.categories is not None
        return self.design.response.categories

    @property
    def endog(self) -> FloatArray:
        """(n,) position of every row's category."""
        return self.categories.codes.astype(np.float64)

    @property
    def wendog(self) -> FloatArray:
        """(n, J + 1) indicators of the categories."""
        return np.eye(self.J)[self.categories.codes]

    @property
    def J(self) -> int:
        """Number of categories, the reference counted."""
        return self.design.equations + 1

    @property
    def K(self) -> int:
        """Number of design columns."""
        return self.design.columns

    # The likelihood at any coefficients.

    def _coefficients(self, params: Any) -> FloatArray:
        """Coefficients equation by equation, from a (k, J) table or from these numbers one after the other."""
        given = np.asarray(by_name(params, self.design.names, self.categories.labels[1:]), dtype=np.float64)
        beta = given.ravel(order="F")
        if len(beta) != self.K * (self.J - 1) or (given.ndim == 2 and given.shape != (self.K, self.J - 1)):
            raise DataError(
                f"params has shape {given.shape}; the model has {self.K} columns and {self.J - 1} equations: give "
                f"({self.K}, {self.J - 1}), or {self.K * (self.J - 1)} numbers equation by equation."
            )
        return beta

    def _plain(self) -> WorkingColumns:
        return WorkingColumns(equations=self.design.equations)

    def _moments(self, params: Any) -> Moments:
        return moments(self.design, self._coefficients(params), self._plain())

    def _terms(self, params: Any) -> CategoryTerms:
        eta = linear_predictor(self.design, self._coefficients(params), self._plain())
        return category_terms(eta.T, self.categories.codes, self.J)

    def _weighted(self, values: FloatArray) -> FloatArray:
        return values if self.design.weight is None else values * self.design.weight.values

    def loglike(self, params: Any) -> float:
        """Log-likelihood at `params`; of complex ones, for complex steps."""
        if np.iscomplexobj(params):
            return at_complex(self.design, params).loglike  # type: ignore[return-value]
        return self._moments(params).loglik

    def loglikeobs(self, params: Any) -> FloatArray:
        """(n,) log-likelihood of every row, weighted."""
        if np.iscomplexobj(params):
            return at_complex(self.design, params).obs  # type: ignore[return-value]
        return self._weighted(self._terms(params).loglik)

    def score(self, params: Any) -> FloatArray:
        """(k J,) gradient of the log-likelihood, equation by equation."""
        if np.iscomplexobj(params):
            return at_complex(self.design, params).score  # type: ignore[return-value]
        return self._moments(params).score

    def score_obs(self, params: Any) -> FloatArray:
        """(n, k J) contribution of every row to the gradient."""
        factor = self.score_factor(params)
        return np.asarray((factor[:, :, None] * np.asarray(self.design.X)[:, None, :]).reshape(len(factor), -1))

    def score_factor(self, params: Any) -> FloatArray:
        """(n, J) derivatives of every row's log-likelihood by its linear predictors, weighted."""
        return self._weighted(self._terms(params).residual).T

    def hessian_factor(self, params: Any) -> FloatArray:
        """(n, J, J) second derivatives of every row's log-likelihood by its linear predictors, weighted."""
        p = self.predict(params)[:, 1:]
        inside = p[:, :, None] * (np.eye(p.shape[1]) - p[:, None, :])
        return -inside if self.design.weight is None else -inside * self.design.weight.values[:, None, None]

    def loglike_and_score(self, params: Any) -> tuple[float, FloatArray]:
        """Log-likelihood and its gradient, from one pass over the rows."""
        found = self._moments(params)
        return found.loglik, found.score

    def hessian(self, params: Any) -> FloatArray:
        """(k J, k J) second derivatives of the log-likelihood."""
        if np.iscomplexobj(params):
            return at_complex(self.design, params).hessian  # type: ignore[return-value]
        return -self.information(params)

    def information(self, params: Any) -> FloatArray:
        """(k J, k J) expected information, which is minus the Hessian."""
        return self._moments(params).information

    def predict(self, params: Any, exog: Any = None, which: str = "mean") -> FloatArray:
        """(m, J + 1) probabilities or linear predictors (zero for the reference) at `params`.

        Parameters
        ----------
        params : (k, J) array_like
        exog : (m, k) array_like, optional
            Design columns; by default those of the model.
        which : {"mean", "linear"}
        """
        check_choice("which", which, ("mean", "linear"))
        beta = self._coefficients(params)
        X = self.exog if exog is None else new_columns(exog, self.design.names)[0]
        return by_category(X @ beta.reshape(self.J - 1, -1).T, which)

    # Fitting.

    def fit(
        self,
        start_params: Any = None,
        method: str = "newton",
        maxiter: int | None = None,
        tol: float | None = None,
        cov_type: str | None = None,
        cov_kwds: dict[str, Any] | None = None,
        use_t: bool | None = None,
        disp: bool | int = False,
        callback: Callable[[FloatArray], Any] | None = None,
        **unused: Any,
    ) -> MNLogitResults:
        """Fit by maximum likelihood.

        Parameters
        ----------
        start_params : (k, J) array_like, optional
            Coefficients to start from, by default those of the null model.
        method : {"newton", "bfgs", "lbfgs", "cg", "ncg", "powell", "nm"}
            Newton's method with step control, or an optimiser of SciPy.
        maxiter : int, optional
            Largest number of iterations, by default 35.
        tol : float, optional
            Distance to the maximum, in standard errors, that counts as reached; see `Logit.fit`.
        cov_type : str, optional
            Covariance of the coefficients, see `MNLogitResults.with_cov`; by default "nonrobust", or "survey" under
            sampling weights.
        cov_kwds : dict, optional
            Settings of the covariance.
        use_t : bool
            Use Student's t for p-values and intervals.
        disp : bool
            Print how the iterations went.
        callback : callable, optional
            Called with the coefficients (equation by equation) after every iteration.
        **unused
            Arguments of statsmodels' ``fit`` that have nothing to do here; see `Logit.fit`.

        Returns
        -------
        MNLogitResults

        Raises
        ------
        RankDeficientError
            If columns are combinations of others.
        SeparationError
            If no finite estimate exists: some category never occurs where certain columns say so.

        Warns
        -----
        ConvergenceWarning
            If the iterations end before the tolerance is met.
        """
        from logit_stats.results.multinomial import MNLogitResults

        accept(
            "fit()", unused, OF_OPTIMISERS, ("start_params", "method", "maxiter", "cov_type", "cov_kwds", "callback")
        )
        check_choice("method", method, ("newton", "irls", *SCIPY_METHODS, *STAND_INS))
        cov_type, settings = covariance_asked(cov_type, cov_kwds)
        fitted = maximum_likelihood(
            self.design,
            start=None if start_params is None else self._coefficients(start_params),
            method=optimiser(method, unused),
            maxiter=maxiter,
            tol=tol,
            callback=callback,
            check_rank=self.check_rank,
        )
        cov = covariance(fitted, cov_type, use_t, **settings)
        results = MNLogitResults(self.with_design(fitted.design), fitted, cov)
        results.__dict__["_started"] = (
            method,
            None if start_params is None else np.array(start_params, dtype=np.float64),
        )
        if disp:
            print(results.convergence_message())
        return results

    def fit_regularized(
        self,
        method: str = "elastic_net",
        alpha: Any = 0.0,
        L1_wt: float = 1.0,
        *,
        standardize: bool = False,
        penalize_intercept: bool | None = None,
        penalty_weights: Any = None,
        start_params: Any = None,
        tol: float = 1e-12,
        maxiter: int | str = 200,
        **trim: Any,
    ) -> MNRegularizedResults:
        """Fit with a ridge, lasso or elastic-net penalty.

        Minimises ``-llf/N + sum alpha ((1 - L1_wt) b**2 / 2 + L1_wt |b|)`` with coefficients for every category, the
        reference too, as glmnet and scikit-learn do: the choice of the reference does not matter for predictions.

        Parameters
        ----------
        method : {"elastic_net", "l1"}
            "l1" minimises ``-llf + sum alpha |b|`` as statsmodels does: the reference has no coefficients, and the intercepts
            are penalized too.
        alpha : float or (k,) array_like
            Strength; a number spares the intercept unless `penalize_intercept`; an array is taken as it is, the same in
            every category.
        L1_wt : float
            0 is ridge, 1 the lasso.
        standardize : bool
            Penalize the coefficients of columns divided by their standard deviations (divisor N).
        penalize_intercept : bool, optional
            By default only for ``method="l1"``. Intercepts that are not penalized sum to zero over the categories.
        penalty_weights : (k,) array_like, optional
            Factors of alpha, one for each column.
        tol : float
            Violation of the optimality conditions at which to stop; a fit that ends below 1e-10 has converged.
        maxiter : int

        Returns
        -------
        MNRegularizedResults

        Examples
        --------
        >>> import logit_stats as ls
        >>> model = ls.mnlogit("partic ~ hincome + children", ls.datasets.load("womenlf"))
        >>> model.fit_regularized(alpha=0.05).params.round(4)
        partic               not_work  parttime  fulltime
        Intercept              0.1205   -1.2020    1.0815
        children[T.present]    0.0000    0.0000   -1.1842
        hincome                0.0000    0.0011   -0.0763
        """
        from logit_stats.results.multinomial_regularized import fit_regularized

        return fit_regularized(
            self, method, alpha, L1_wt, standardize=standardize, penalize_intercept=penalize_intercept,
            penalty_weights=penalty_weights, start_params=start_params, tol=tol,
            maxiter=maxiter, trim=trim,
        )  # fmt: skip

    def separation(self) -> Separation:
        """Say whether the data are separated: which coefficients (``category:column``) have no finite estimate, where they go."""
        from logit_stats.estimation.separation import find_separation

        return find_separation(self.design)

    def with_design(self, design: Design) -> MNLogit:
        """Return the model of another design, this one where it is the same."""
        if design is self.design:
            return self
        model = MNLogit.__new__(MNLogit)
        model._adopt(design, self.check_rank)
        return model


def mnlogit(
    formula: str,
    data: Any,
    subset: Any = None,
    drop_cols: Any = None,
    *,
    base: Any = None,
    missing: str = "drop",
    freq_weights: Any = None,
    sampling_weights: Any = None,
    check_rank: bool | str = True,
    hasconst: bool | None = None,
    eval_env: Any = 0,
) -> MNLogit:
    """Multinomial logit model from a formula and a table.

    Parameters
    ----------
    formula : str
        patsy's grammar, as in ``"partic ~ hincome + children"``. The response is text, numbers, booleans or a categorical.
    data : DataFrame, dict of arrays, polars or Arrow table
        Where the names of the formula are looked up, before the caller's variables.
    base : optional
        The reference category; by default the first (in the order of a categorical, else sorted).
    subset : (n,) bool array_like, optional
        Rows to use.
    missing : {"drop", "raise"}
        Leave rows with missing values out (and say so), or refuse them.
    freq_weights, sampling_weights : str or (n,) array_like, optional
        Column name or numbers; see `MNLogit`.
    check_rank : bool or "drop"
        Whether columns that are combinations of others are an error, left out ("drop"), or not looked for (False).
    drop_cols, hasconst, eval_env : optional
        statsmodels' arguments; see `logit`.

    Returns
    -------
    MNLogit
        Call `.fit()`.

    Examples
    --------
    >>> import logit_stats as ls
    >>> res = ls.mnlogit("partic ~ hincome + children", ls.datasets.load("womenlf")).fit()
    >>> res.params.round(4)
    partic               parttime  fulltime
    Intercept             -1.4323    1.9828
    children[T.present]    0.0215   -2.5586
    hincome                0.0069   -0.0972
    """
    return MNLogit.from_formula(
        formula,
        data,
        base=base,
        subset=subset,
        drop_cols=drop_cols,
        eval_env=eval_env,
        missing=missing,
        freq_weights=freq_weights,
        sampling_weights=sampling_weights,
        check_rank=check_rank,
        depth=1,
    )
