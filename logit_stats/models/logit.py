"""`Logit` and `logit`: a model, which is data in the form of a design, and its fit."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import numpy as np

from logit_stats.accepted import OF_OPTIMISERS, STAND_INS, accept, optimiser
from logit_stats.assess.row_sums import row_sums
from logit_stats.design.block import FloatArray
from logit_stats.design.constraints import read_constraints
from logit_stats.design.design import Design, without_columns
from logit_stats.design.formula import formula_scope, scope_of
from logit_stats.design.from_arrays import design_from_arrays
from logit_stats.design.from_formula import design_from_formula
from logit_stats.design.prevalence import with_prevalence
from logit_stats.design.row_arguments import RowArguments
from logit_stats.design.scan import scan_of
from logit_stats.design.streamed import streamed_design
from logit_stats.errors import DataError, NearSeparationWarning
from logit_stats.estimation.gradient_descent import Descent
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.inference.covariance import covariance, covariance_asked
from logit_stats.inference.near_separation import near_separation
from logit_stats.models.at_parameters import BinaryLikelihood
from logit_stats.models.imputed import ImputedModel, imputed_data_sets
from logit_stats.results.logit import LogitResults
from logit_stats.results.streamed import StreamedResults

if TYPE_CHECKING:
    from logit_stats.estimation.separation import Separation
    from logit_stats.inference.exact import ExactResults
    from logit_stats.models.absorbed import AbsorbedLogit
    from logit_stats.results.bias_reduced import BiasReducedResults
    from logit_stats.results.firth import FirthResults
    from logit_stats.results.limit import LimitResults
    from logit_stats.results.regularized import RegularizationPath, RegularizedResults


class Logit(BinaryLikelihood):
    """Binary logit model of arrays; the counterpart of ``statsmodels.api.Logit``.

    Parameters
    ----------
    endog : (n,) array_like, or (n, 2) counts
        0/1 numbers, booleans, or two levels (the second is modelled); or successes and failures.
    exog : (n, k) array_like
        Design columns. No intercept is added.
    offset : (n,) array_like, optional
        Known part of the linear predictor.
    freq_weights : (n,) array_like, optional
        How many identical rows each row stands for.
    sampling_weights : (n,) array_like, optional
        Inverse selection probabilities. The covariance is then design-based by default.
    trials : (n,) array_like, optional
        Number of trials, where `endog` counts successes.
    missing : {"none", "drop", "raise"}
        What to do with rows that have missing values: refuse them ("none", "raise") or leave them out.
    check_rank : bool or "drop"
        Whether columns that are combinations of others are an error, left out ("drop"), or not looked for (False).
    population_prevalence : float, optional
        Share of events in the population, of a sample that was taken by the outcome (case-control): the constant, predictions,
        means and effects are corrected for it (King and Zeng 2001).
    hasconst : optional
        statsmodels' argument; has no effect: whether a constant is among the columns is found out.

    Examples
    --------
    >>> import numpy as np
    >>> from logit_stats import Logit
    >>> x = np.arange(10)
    >>> y = [0, 1, 0, 0, 1, 1, 1, 1, 1, 1]
    >>> Logit(y, np.column_stack([np.ones(10), x])).fit().params.round(6)
    array([-1.972805,  0.822401])
    """

    def __init__(
        self,
        endog: Any,
        exog: Any,
        offset: Any = None,
        check_rank: bool | str = True,
        *,
        freq_weights: Any = None,
        sampling_weights: Any = None,
        trials: Any = None,
        missing: str = "none",
        population_prevalence: float | None = None,
        hasconst: bool | None = None,
    ) -> None:
        design = design_from_arrays(
            endog,
            exog,
            RowArguments(
                offset=offset,
                freq_weights=freq_weights,
                sampling_weights=sampling_weights,
                trials=trials,
                missing=missing,
            ),
            refuse_wide=check_rank is True,
        )
        self._adopt(with_prevalence(design, population_prevalence), check_rank)

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        subset: Any = None,
        drop_cols: Any = None,
        *,
        missing: str = "drop",
        offset: Any = None,
        freq_weights: Any = None,
        sampling_weights: Any = None,
        trials: Any = None,
        check_rank: bool | str = True,
        population_prevalence: float | None = None,
        names: Mapping[str, Any] | None = None,
        depth: int = 0,
        hasconst: bool | None = None,
        eval_env: Any = 0,
    ) -> Self:
        """Model from a formula and a table; arguments as for `logit`.

        What is no column the formula looks up in `names`; without them in the variables `depth` calls above the caller.
        """
        model = cls.__new__(cls)
        scope = formula_scope(eval_env, depth + 1) if names is None else scope_of(names)
        arguments = RowArguments(
            offset=offset,
            freq_weights=freq_weights,
            sampling_weights=sampling_weights,
            trials=trials,
            subset=subset,
            missing=missing,
        )
        rows = scan_of(data)
        if rows is None:
            design = design_from_formula(formula, data, scope, arguments, refuse_wide=check_rank is True)
        else:
            design = streamed_design(formula, rows, scope, arguments, refuse_wide=check_rank is True)
        model._adopt(with_prevalence(without_columns(design, drop_cols), population_prevalence), check_rank)
        return model

    @property
    def endog(self) -> FloatArray:
        """(n,) outcome: 0/1, or the proportion of successes of grouped rows."""
        return self.design.response.proportions

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
        *,
        learning_rate: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        decay: float | None = None,
        seed: int | None = None,
        **unused: Any,
    ) -> LogitResults:
        """Fit by maximum likelihood.

        Parameters
        ----------
        start_params : (k,) array_like, optional
            Coefficients to start from, by default those of the null model; zero for "gd" and "sgd".
        method : {"newton", "irls", "bfgs", "lbfgs", "cg", "ncg", "powell", "nm", "gd", "sgd"}
            Newton's method with step control (for the logit the same as iteratively reweighted least squares), an
            optimiser of SciPy, or gradient descent by all rows ("gd") or by mini-batches ("sgd") on the columns as they are.
        maxiter : int, optional
            Largest number of iterations, by default 35; for "gd" and "sgd" another name of `epochs`.
        tol : float, optional
            Distance to the maximum, in standard errors, that counts as reached: by default 1e-9 for Newton's method,
            1e-5 for SciPy's and "gd", 0.01 for "sgd".
        cov_type : str, optional
            Covariance of the coefficients, see `LogitResults.with_cov`; by default "nonrobust", or "survey" under sampling
            weights.
        cov_kwds : dict, optional
            Settings of the covariance; see `LogitResults.with_cov`.
        use_t : bool
            Use Student's t with n - k degrees of freedom for p-values and intervals.
        disp : bool
            Print how the iterations went.
        callback : callable, optional
            Called with the coefficients after every iteration (for "sgd": every epoch).
        learning_rate : float, optional
            For "gd" and "sgd": step length on the mean cost. By default 1 / L, at which the cost of "gd" falls in every step
            (L is the largest eigenvalue of ``X'X / (4 n)``); for "sgd" L allows for the spread of the batches.
        epochs : int, optional
            For "gd" and "sgd": largest number of passes over the rows, by default 1000 and 100.
        batch_size : int, optional
            For "sgd": rows of a step, by default 32. Rows are shuffled in every epoch.
        decay : float, optional
            For "sgd": the learning rate of epoch e = 0, 1, ... is ``learning_rate / (1 + decay * e)``; by default 0.1.
        seed : int, optional
            For "sgd": of the shuffling, by default 0.
        **unused
            Arguments of statsmodels' ``fit`` that have nothing to do here (`full_output`, `retall`, `warn_convergence`, `gtol`,
            ...); see `logit_stats.accepted`. Its methods "minimize" (without `min_method`) and "basinhopping" are done by
            Newton's: there is one maximum.

        Returns
        -------
        LogitResults

        Raises
        ------
        RankDeficientError
            If columns are combinations of others.
        SeparationError
            If some combination of columns predicts outcomes perfectly, so that no finite estimate exists.
        DivergenceError
            If the steps of gradient descent are so long that the cost stops being a number.

        Warns
        -----
        ConvergenceWarning
            If the iterations end before the tolerance is met.
        NearSeparationWarning
            If the estimate is finite only because of very few observations, without which the data are separated.

        Examples
        --------
        >>> import logit_stats as ls
        >>> model = ls.logit("y ~ x", ls.datasets.load("ten_points"))
        >>> slow = model.fit(method="gd", learning_rate=0.1, epochs=5000)
        >>> slow.mle_retvals["iterations"], model.fit().mle_retvals["iterations"]
        (3612, 6)
        """
        accept(
            "fit()", unused, OF_OPTIMISERS, ("start_params", "method", "maxiter", "cov_type", "cov_kwds", "callback")
        )
        cov_type, settings = covariance_asked(cov_type, cov_kwds)
        fitted = maximum_likelihood(
            self.design,
            start=start_params,
            method=optimiser(method, unused),
            maxiter=maxiter,
            tol=tol,
            callback=callback,
            check_rank=self.check_rank,
            descent=Descent(learning_rate, epochs, batch_size, decay, None if method in STAND_INS else seed),
            beside=row_sums,
        )
        cov = covariance(fitted, cov_type, use_t, **settings)
        near = near_separation(fitted)
        if near is not None:
            warnings.warn(near.message(fitted), NearSeparationWarning, stacklevel=2)
        kind = LogitResults if fitted.design.in_memory else StreamedResults
        results = kind(self.with_design(fitted.design), fitted, cov)
        results.__dict__["_started"] = (
            method,
            None if start_params is None else np.array(start_params, dtype=np.float64),
        )
        if disp:
            print(results.convergence_message())
        return results

    def separation(self) -> Separation:
        """Say whether the data are separated: which columns, in which direction, which rows, where each coefficient goes.

        Returns
        -------
        Separation
            Its `direction` can be checked by anyone: ``X @ direction`` is not negative for events and not positive for
            non-events, and not zero everywhere (Albert and Anderson 1984, Biometrika 71, 1-10).

        Raises
        ------
        RankDeficientError
            If columns are combinations of others.

        Examples
        --------
        >>> import logit_stats as ls
        >>> ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).separation().summary_frame()["coefficient"].tolist()
        ['finite', '+inf', 'finite', 'finite']
        """
        self.design.require_memory("separation()")
        from logit_stats.estimation.rank import of_full_rank
        from logit_stats.estimation.separation import find_separation

        return find_separation(of_full_rank(self.design, self.check_rank))

    def exact(
        self,
        of: str | Sequence[str] | None = None,
        *,
        alpha: float = 0.05,
        monte_carlo: int | None = None,
        seed: int | None = None,
        max_states: float | None = None,
    ) -> ExactResults:
        """Exact inference of terms, from the conditional distribution of their sufficient statistics; see `exlogit`.

        Examples
        --------
        >>> import logit_stats as ls
        >>> model = ls.logit("HG ~ NV + PI", ls.datasets.load("endometrial"))
        >>> model.exact("NV").conf_int().round(4).loc["NV"].tolist()
        [1.9521, inf]
        """
        self.design.require_memory("exact()")
        from logit_stats.inference.exact import MAX_STATES, exact

        limit = MAX_STATES if max_states is None else max_states
        return exact(self.design, of, alpha=alpha, monte_carlo=monte_carlo, seed=seed, max_states=limit)

    def fit_constrained(
        self, constraints: Any, maxiter: int = 35, tol: float | None = None, *, start_params: Any = None, method: str = "newton",
        disp: bool | int = False, cov_type: str | None = None, cov_kwds: dict[str, Any] | None = None, use_t: bool | None = None,
        callback: Any = None, **unused: Any,
    ) -> LogitResults:  # fmt: skip
        """Fit by maximum likelihood under linear constraints on the coefficients.

        Parameters
        ----------
        constraints : str, (q, k) array_like, or pair (R, q)
            As for `LogitResults.t_test`: ``"x1 = x2, x3 = 0.5"``.
        maxiter : int
        tol : float, optional
        start_params : (k,) array_like, optional
            Coefficients to start from; where they do not satisfy the constraints, the nearest that do.
        method, disp, cov_type, cov_kwds, use_t, callback, **unused
            As for `fit`. Covariances of scores are those of the free directions, which `lr_test` does not need.

        Returns
        -------
        LogitResults
            Degrees of freedom count the coefficients that were free; the covariance is zero in the directions that were
            not. ``res.lr_test(constrained)`` tests the constraints.

        Examples
        --------
        >>> import logit_stats as ls
        >>> model = ls.logit("low ~ age + lwt + C(race)", data=ls.datasets.load("birthwt"))
        >>> same = model.fit_constrained("C(race)[T.black] = C(race)[T.other]")
        >>> same.params.round(4).tolist()
        [1.1252, 0.5937, 0.5937, -0.0293, -0.0122]
        """
        self.design.require_memory("fit_constrained()")
        from logit_stats.estimation.constrained import constrained_fit

        accept(
            "fit_constrained()", unused, OF_OPTIMISERS, ("start_params", "method", "maxiter", "cov_type", "cov_kwds")
        )
        cov_type, settings = covariance_asked(cov_type, cov_kwds)
        held = read_constraints(constraints, self.design.names)
        start = None if start_params is None else self._coefficients(start_params)
        fitted = constrained_fit(self.design, held, maxiter, tol, start=start, method=optimiser(method, unused))
        results = LogitResults(self, fitted, covariance(fitted, cov_type, use_t, **settings))
        results.__dict__["_started"] = (method, start)
        if disp:
            print(results.convergence_message())
        return results

    def fit_limit(self, maxiter: int = 35, tol: float | None = None) -> LimitResults:
        """Fit by maximum likelihood, to the limit where the estimate is infinite.

        Under separation some coefficients are infinite. The rows that these predict with certainty drop out; the others
        determine the finite coefficients. Tests and intervals are those of likelihood ratios, and the interval of an
        infinite coefficient has one end. Without separation this is the fit of `fit`.

        Parameters
        ----------
        maxiter : int
            Largest number of iterations of the finite part.
        tol : float, optional
            Distance to its maximum, in standard errors, that counts as reached.

        Returns
        -------
        LimitResults
            The names of `LogitResults`; what needs finite coefficients raises `NotAvailableError`.

        Raises
        ------
        RankDeficientError
            If columns are combinations of others.
        NotAvailableError
            Under sampling weights, where there is no likelihood.

        References
        ----------
        Geyer (2009), Electronic Journal of Statistics 3, 259-289; Correia, Guimarães and Zylkin (2019), arXiv:1903.01633.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_limit()
        >>> res.params.round(4).tolist()
        [4.3045, inf, -0.0422, -2.9026]
        >>> res.conf_int().loc["NV"].round(4).tolist()
        [1.2841, inf]
        """
        self.design.require_memory("fit_limit()")
        from logit_stats.results.limit import fit_limit

        return fit_limit(self, maxiter, tol)

    @overload
    def fit_firth(
        self, start_params: Any = None, maxiter: int = 500, tol: float = 1e-12, *, kind: Literal["firth"] = "firth"
    ) -> FirthResults: ...

    @overload
    def fit_firth(
        self, start_params: Any = None, maxiter: int = 500, tol: float = 1e-12, *, kind: str
    ) -> BiasReducedResults: ...

    def fit_firth(
        self, start_params: Any = None, maxiter: int = 500, tol: float = 1e-12, *, kind: str = "firth"
    ) -> BiasReducedResults:
        """Fit by Firth's penalized likelihood, which has a finite estimate also under separation, or a relative of it.

        Parameters
        ----------
        start_params : (k,) array_like, optional
            Coefficients to start from.
        maxiter : int
            Largest number of iterations.
        tol : float
            Distance to the estimate, in standard errors, that counts as reached.
        kind : {"firth", "median", "correction"}
            Firth's penalized likelihood, which removes the first-order bias of the mean; median bias reduction, whose
            estimates are as likely above as below the truth, finite under separation too; or the maximum-likelihood estimate
            less its first-order bias, which needs a finite one.

        Returns
        -------
        FirthResults or BiasReducedResults
            The names of `LogitResults`. P-values and intervals of Firth's fit are those of the penalized likelihood; those of
            the others are Wald's.

        References
        ----------
        Firth (1993), Biometrika 80, 27-38; Heinze and Schemper (2002), Statistics in Medicine 21, 2409-2419; Kenne Pagui,
        Salvan and Sartori (2017), Biometrika 104, 923-938; Cordeiro and McCullagh (1991), Journal of the Royal Statistical
        Society B 53, 629-643.

        Examples
        --------
        >>> import logit_stats as ls
        >>> model = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial"))
        >>> model.fit_firth().params.round(4)
        Intercept    3.7746
        NV           2.9293
        PI          -0.0348
        EH          -2.6042
        dtype: float64
        >>> model.fit_firth(kind="median").params.round(4).tolist()
        [3.9694, 3.8692, -0.0387, -2.7079]
        """
        self.design.require_memory("fit_firth()")
        from logit_stats.results.bias_reduced import fit_bias_reduced

        return fit_bias_reduced(self, start_params, maxiter, tol, kind)

    def fit_regularized(
        self,
        method: str = "elastic_net",
        alpha: Any = 0.0,
        L1_wt: float = 1.0,
        *,
        standardize: bool = False,
        penalize_intercept: bool | None = None,
        penalty_weights: Any = None,
        class_weight: Any = None,
        start_params: Any = None,
        tol: float = 1e-12,
        maxiter: int = 200,
        **trim: Any,
    ) -> RegularizedResults:
        """Fit with a ridge, lasso or elastic-net penalty.

        Minimises ``-llf/N + sum alpha ((1 - L1_wt) b**2 / 2 + L1_wt |b|)``.

        Parameters
        ----------
        method : {"elastic_net", "l1"}
            "l1" minimises ``-llf + sum alpha |b|`` as statsmodels does, the intercept penalized too.
        alpha : float, (k,) array_like, Series or dict
            Strength; a number spares the intercept unless `penalize_intercept`; an array is taken as it is, a Series or dict
            by the names of the columns.
        L1_wt : float
            0 is ridge, 1 the lasso.
        standardize : bool
            Penalize the coefficients of columns divided by their standard deviations (divisor N).
        penalize_intercept : bool, optional
            By default only for ``method="l1"``.
        penalty_weights : (k,) array_like, Series or dict, optional
            Factors of alpha, one for each column.
        class_weight : dict or "balanced", optional
            Weights of failures and successes, as ``{0: 1, 1: 5}``, or by the two values of the response.
        start_params : (k,) array_like, optional
        tol : float
            Violation of the optimality conditions at which to stop; a fit that ends below 1e-10 has converged.
        maxiter : int
        **trim
            For ``method="l1"`` statsmodels' `trim_mode` and `size_trim_tol`. Its other arguments (`disp`, `acc`, `auto_trim_tol`,
            `qc_tol`, ...) are taken and have nothing to do: zeros are exact, and the accuracy is `tol`.

        Returns
        -------
        RegularizedResults

        Examples
        --------
        >>> import logit_stats as ls
        >>> import numpy as np
        >>> y = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
        >>> X = np.column_stack([np.ones(10), np.arange(10)])
        >>> ls.Logit(y, X).fit_regularized(alpha=0.1, L1_wt=0, penalize_intercept=True).params.round(6)
        array([-1.046098,  0.514921])
        """
        self.design.require_memory("fit_regularized()")
        from logit_stats.results.regularized import fit_regularized

        return fit_regularized(
            self, method, alpha, L1_wt, standardize=standardize, penalize_intercept=penalize_intercept,
            penalty_weights=penalty_weights, class_weight=class_weight, start_params=start_params, tol=tol,
            maxiter=maxiter, trim=trim,
        )  # fmt: skip

    def regularization_path(
        self,
        alphas: Any = None,
        L1_wt: float = 1.0,
        *,
        count: int = 100,
        ratio: float | None = None,
        standardize: bool = True,
        penalize_intercept: bool = False,
        penalty_weights: Any = None,
        class_weight: Any = None,
        cv: int | None = None,
        seed: int = 0,
        tol: float = 1e-10,
    ) -> RegularizationPath:
        """Penalized fits at falling strengths, and the choice among them by cross-validation.

        Parameters
        ----------
        alphas : array_like, optional
            Strengths; by default `count` of them, from the least that leaves no column down to `ratio` times that
            (1e-4, or 1e-2 where there are fewer rows than columns).
        cv : int, optional
            Number of folds.
        seed : int
            Of the folds.
        L1_wt, standardize, penalize_intercept, penalty_weights, class_weight, tol
            As for `fit_regularized`.
        """
        self.design.require_memory("regularization_path()")
        from logit_stats.results.regularized import regularization_path

        return regularization_path(
            self, alphas, L1_wt, count=count, ratio=ratio, standardize=standardize,
            penalize_intercept=penalize_intercept, penalty_weights=penalty_weights, class_weight=class_weight, cv=cv,
            seed=seed, tol=tol,
        )  # fmt: skip

    def with_design(self, design: Design) -> Logit:
        """Return the model of another design, this one where it is the same."""
        if design is self.design:
            return self
        model = Logit.__new__(Logit)
        model._adopt(design, self.check_rank)
        return model


@overload
def logit(
    formula: str, data: list[Any] | tuple[Any, ...], subset: Any = None, drop_cols: Any = None, *,
    missing: str = "drop", offset: Any = None,
    freq_weights: Any = None, sampling_weights: Any = None, trials: Any = None, check_rank: bool | str = True,
    absorb: None = None, bias_correction: None = None,
    population_prevalence: float | None = None, hasconst: bool | None = None, eval_env: Any = 0,
) -> ImputedModel: ...  # fmt: skip


@overload
def logit(
    formula: str, data: Any, subset: Any = None, drop_cols: Any = None, *,
    missing: str = "drop", offset: Any = None, freq_weights: Any = None,
    sampling_weights: Any = None, trials: Any = None, check_rank: bool | str = True, absorb: None = None,
    bias_correction: None = None,
    population_prevalence: float | None = None, hasconst: bool | None = None, eval_env: Any = 0,
) -> Logit: ...  # fmt: skip


@overload
def logit(
    formula: str, data: Any, subset: Any = None, drop_cols: Any = None, *,
    missing: str = "drop", offset: Any = None, freq_weights: Any = None,
    sampling_weights: Any = None, trials: Any = None, check_rank: bool | str = True, absorb: Any,
    bias_correction: str | None = None, hasconst: bool | None = None, eval_env: Any = 0,
) -> AbsorbedLogit: ...  # fmt: skip


def logit(
    formula: str,
    data: Any,
    subset: Any = None,
    drop_cols: Any = None,
    *,
    missing: str = "drop",
    offset: Any = None,
    freq_weights: Any = None,
    sampling_weights: Any = None,
    trials: Any = None,
    check_rank: bool | str = True,
    absorb: Any = None,
    bias_correction: str | None = None,
    population_prevalence: float | None = None,
    hasconst: bool | None = None,
    eval_env: Any = 0,
) -> Logit | AbsorbedLogit | ImputedModel:
    """Logit model from a formula and a table.

    Parameters
    ----------
    formula : str
        patsy's grammar, as in ``"low ~ age + lwt + C(race) + smoke"``. The response is 0/1, boolean or has two levels
        (the second is modelled); or counts, ``"successes + failures ~ x"``.
    data : DataFrame, dict of arrays, polars or Arrow table; or path, glob, folder, list of paths, pyarrow Dataset, `scan`
        Where the names of the formula are looked up, before the caller's variables. Files are read in passes and need not fit in
        memory (see `scan`). A list of tables is taken as imputed data sets: each is fitted, and the results are pooled (see
        `pool`).
    subset : (n,) bool array_like, optional
        Rows to use.
    missing : {"drop", "raise"}
        Leave rows with missing values out (and say so), or refuse them.
    offset, freq_weights, sampling_weights, trials : str or (n,) array_like, optional
        Column name or numbers; see `Logit`.
    check_rank : bool or "drop"
        Whether columns that are combinations of others are an error, left out ("drop"), or not looked for (False).
    absorb : str, or labels of rows, optional
        Factors whose groups get a fixed effect each without columns for them: ``"firm + year"``, ``"firm:year"`` for each pair.
        Groups in which every outcome is the same are left out and counted.
    bias_correction : {None, "analytical"}
        With `absorb`: correct the coefficients for the bias that few rows a group bring.
    population_prevalence : float, optional
        Share of events in the population, of a sample that was taken by the outcome (case-control): the constant, predictions,
        means and effects are corrected for it (King and Zeng 2001).
    drop_cols : list of str, optional
        Design columns to leave out, by their names (statsmodels' argument).
    hasconst, eval_env : optional
        statsmodels' arguments. Whether there is a constant is found out; `eval_env` says how many calls further up the formula's
        variables are looked up (-1: only in the data).

    Returns
    -------
    Logit, or AbsorbedLogit with `absorb`, or ImputedModel for a list of tables
        Call `.fit()`.

    Examples
    --------
    >>> import logit_stats as ls
    >>> res = ls.logit("GRADE ~ GPA + TUCE + PSI", data=ls.datasets.load("spector")).fit()
    >>> res.params.round(4)
    Intercept   -13.0213
    GPA           2.8261
    TUCE          0.0952
    PSI           2.3787
    dtype: float64
    """
    settings: dict[str, Any] = {
        "subset": subset, "missing": missing, "offset": offset, "freq_weights": freq_weights,
        "sampling_weights": sampling_weights, "trials": trials, "check_rank": check_rank,
    }  # fmt: skip
    sets = imputed_data_sets(data)
    if absorb is not None or bias_correction is not None:
        from logit_stats.models.absorbed import AbsorbedLogit, refuse_without_absorb

        refuse_without_absorb(absorb, sets)
        if population_prevalence is not None:
            raise DataError("absorb= has no constant for population_prevalence= to correct; leave one of them out.")
        if drop_cols is not None:
            raise DataError("absorb= takes no drop_cols; write the formula without these columns.")
        return AbsorbedLogit.from_formula(
            formula, data, absorb=absorb, bias_correction=bias_correction, **settings, depth=1
        )
    settings |= {"population_prevalence": population_prevalence, "drop_cols": drop_cols, "eval_env": eval_env}
    if sets is None:
        return Logit.from_formula(formula, data, **settings, depth=1)
    models = []
    for part in sets:
        models.append(Logit.from_formula(formula, part, **settings, depth=1))  # noqa: PERF401 (the caller is one frame up)
    return ImputedModel(tuple(models))
