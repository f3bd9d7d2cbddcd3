"""`ConditionalLogit` and `clogit`: the conditional logit model of matched sets."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.formula import capture_scope, scope_of
from logit_stats.design.from_arrays import design_from_arrays, new_columns
from logit_stats.design.from_formula import design_from_formula
from logit_stats.design.matched import group_codes, matched_design
from logit_stats.design.row_arguments import RowArguments
from logit_stats.errors import DataError, RankDeficientError, RankWarning, check_choice, listed
from logit_stats.estimation.likelihood import moments
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.estimation.rank import Dependence, dependent_columns, rank_error
from logit_stats.estimation.scipy_methods import SCIPY_METHODS
from logit_stats.inference.set_covariance import SET_COV_TYPES, set_covariance
from logit_stats.likelihoods.conditional import CONDITIONAL, sets_of, within_sets
from logit_stats.likelihoods.matched_sets import MatchedSets
from logit_stats.likelihoods.moments import Moments
from logit_stats.likelihoods.working import WorkingColumns
from logit_stats.models.base import DesignModel

if TYPE_CHECKING:
    from logit_stats.estimation.separation import Separation
    from logit_stats.inference.exact import ExactResults
    from logit_stats.results.conditional import ConditionalLogitResults


class ConditionalLogit(DesignModel):
    """Conditional logit model of arrays: matched case-control sets, or fixed effects of one grouping.

    The likelihood is that of which rows of a set are its cases, given how many are; the sets' own effects drop out. It is exact,
    for any number of cases in a set.

    Parameters
    ----------
    endog : (n,) array_like
        0/1 numbers, booleans, or two levels (the second is a case).
    exog : (n, k) array_like
        Design columns. A constant drops out.
    groups : (n,) array_like
        Set of each row.
    offset : (n,) array_like, optional
        Known part of the linear predictor.
    freq_weights : (n,) array_like, optional
        How many identical sets each set stands for: the same number in all of its rows.
    missing : {"none", "drop", "raise"}
        What to do with rows that have missing values: refuse them ("none", "raise") or leave them out.
    check_rank : bool or "drop"
        Whether columns that do not vary within sets, or are combinations of others there, are an error, left out ("drop"), or
        not looked for (False).

    References
    ----------
    Breslow and Day (1980), Statistical Methods in Cancer Research I, chapter 7; Chamberlain (1980), Review of Economic Studies
    47, 225-238; Gail, Lubin and Rubinstein (1981), Biometrika 68, 703-707.

    Examples
    --------
    >>> import numpy as np
    >>> from logit_stats import ConditionalLogit
    >>> case = [1, 0, 0, 1, 0, 0, 0, 1, 1, 0]
    >>> x = np.array([3.0, 1, 2, 2, 2, 3, 1, 2, 4, 3])[:, None]
    >>> ConditionalLogit(case, x, groups=[1, 1, 1, 2, 2, 2, 3, 3, 3, 3]).fit().params.round(4)
    array([0.7153])
    """

    def __init__(
        self,
        endog: Any,
        exog: Any,
        *,
        groups: Any,
        offset: Any = None,
        freq_weights: Any = None,
        missing: str = "none",
        check_rank: bool | str = True,
    ) -> None:
        arguments = RowArguments(offset=offset, freq_weights=freq_weights, missing=missing)
        design = design_from_arrays(endog, exog, arguments, refuse_wide=False)
        self._adopt_sets(design, groups, missing, check_rank)

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        *,
        groups: Any,
        subset: Any = None,
        missing: str = "drop",
        offset: Any = None,
        freq_weights: Any = None,
        check_rank: bool | str = True,
        names: Mapping[str, Any] | None = None,
        depth: int = 0,
    ) -> Self:
        """Model from a formula and a table; arguments as for `clogit`.

        What is no column the formula looks up in `names`; without them in the variables `depth` calls above the caller.
        """
        model = cls.__new__(cls)
        arguments = RowArguments(offset=offset, freq_weights=freq_weights, subset=subset, missing=missing)
        design = design_from_formula(
            formula, data, capture_scope(depth + 1) if names is None else scope_of(names), arguments, refuse_wide=False
        )
        model._adopt_sets(design, groups, missing, check_rank)
        return model

    def _adopt_sets(self, design: Design, groups: Any, missing: str, check_rank: bool | str) -> None:
        if groups is None:
            raise DataError("A conditional logit needs groups=: the column that says which set each row belongs to.")
        design, codes, self.groups_name = group_codes(design, "groups", groups, missing)
        design = matched_design(design, codes, self.groups_name, CONDITIONAL)
        self._adopt(design, check_rank)
        if not design.columns:
            raise DataError("The model has nothing but a constant, which drops out of a conditional likelihood.")
        self.design = self._of_full_rank(design)

    def _of_full_rank(self, design: Design) -> Design:
        """The design, or an error or warning about columns that the sets do not tell apart."""
        if self.check_rank is False:
            return design
        X = within_sets(design)
        fixed = [j for j in range(design.columns) if not X[:, j].any()]
        others = [j for j in range(design.columns) if j not in fixed]
        plain = replace(
            design.with_columns(others, ()), X=X[:, others], likelihood=None, group=None, weight=None, constant=None
        )
        found = dependent_columns(plain) if others else []
        if self.check_rank is True:
            self._refuse(design, plain, fixed, found)
        out = {*fixed, *(others[d.column] for d in found)}
        if not out:
            return design
        names = tuple(design.names[j] for j in sorted(out))
        warnings.warn(
            f"Left out, being the same within every set or combinations there: {listed(names)}.", RankWarning, 4
        )
        return design.with_columns([j for j in range(design.columns) if j not in out], names)

    def _refuse(self, design: Design, plain: Design, fixed: list[int], found: list[Dependence]) -> None:
        if fixed:
            names, verb = [repr(design.names[j]) for j in fixed], "does" if len(fixed) == 1 else "do"
            raise RankDeficientError(
                f"{listed(names)} {verb} not vary within any set of {self.groups_name!r} that has both outcomes: such an effect "
                f"drops out with the sets' own and cannot be estimated (interactions with what varies can). Leave it out of the "
                f'model, or pass check_rank="drop" to have that done.',
                {design.names[j]: {} for j in fixed},
            )
        if found:
            raise rank_error(plain, found)

    @property
    def endog(self) -> FloatArray:
        """(n,) 1 for a case, 0 for the others."""
        return self.design.response.successes

    @property
    def groups(self) -> FloatArray:
        """(n,) number of every row's set."""
        assert self.design.group is not None
        return np.asarray(self.design.group)

    @property
    def sets(self) -> MatchedSets:
        """The sets that have both outcomes."""
        return sets_of(self.design)

    @property
    def df_resid(self) -> float:
        """Observations minus coefficients."""
        return self.design.observations - self.design.columns

    def loglike(self, params: Any) -> float:
        """Log-likelihood at `params`."""
        return self._moments(params).loglik

    def score(self, params: Any) -> FloatArray:
        """(k,) gradient of the log-likelihood."""
        return self._moments(params).score

    def hessian(self, params: Any) -> FloatArray:
        """(k, k) second derivatives of the log-likelihood."""
        return -self.information(params)

    def information(self, params: Any) -> FloatArray:
        """(k, k) information, expected and observed."""
        return self._moments(params).information

    def predict(self, params: Any, exog: Any = None) -> FloatArray:
        """Linear predictors at `params`, up to a number that is the same for all rows of a set."""
        X = self.exog if exog is None else new_columns(exog, self.design.names)[0]
        return np.asarray(X @ np.asarray(params, dtype=np.float64))

    def _moments(self, params: Any) -> Moments:
        beta = np.asarray(params, dtype=np.float64).ravel()
        if len(beta) != self.design.columns:
            raise DataError(f"params has {len(beta)} numbers; the model has {self.design.columns} columns.")
        return moments(self.design, beta, WorkingColumns())

    def fit(
        self,
        start_params: Any = None,
        method: str = "newton",
        maxiter: int = 35,
        tol: float | None = None,
        cov_type: str = "nonrobust",
        cov_kwds: dict[str, Any] | None = None,
        use_t: bool | None = None,
        disp: bool = False,
        callback: Callable[[FloatArray], None] | None = None,
    ) -> ConditionalLogitResults:
        """Fit by maximum conditional likelihood.

        Parameters
        ----------
        start_params : (k,) array_like, optional
            Coefficients to start from, by default zero.
        method : {"newton", "bfgs", "lbfgs", "cg", "ncg", "powell", "nm"}
        maxiter : int
        tol : float, optional
            Distance to the maximum, in standard errors, that counts as reached.
        cov_type : {"nonrobust", "opg", "HC0", "HC1", "cluster"}
            "HC0" and "HC1" are robust by set, "cluster" by clusters of whole sets.
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
            If no finite estimate exists: along some columns no case falls behind another row of its set.

        Warns
        -----
        ConvergenceWarning
            If the iterations end before the tolerance is met.
        """
        from logit_stats.results.conditional import ConditionalLogitResults

        check_choice("method", method, ("newton", "irls", *SCIPY_METHODS))
        check_choice("cov_type", cov_type, SET_COV_TYPES)
        fitted = maximum_likelihood(
            self.design,
            start=start_params,
            method=method,
            maxiter=maxiter,
            tol=tol,
            callback=callback,
            check_rank=False,
        )
        results = ConditionalLogitResults(self, fitted, set_covariance(fitted, cov_type, use_t, **(cov_kwds or {})))
        if disp:
            print(results.convergence_message())
        return results

    def separation(self) -> Separation:
        """Say whether the sets are separated: along which columns, and which rows draw ahead or fall behind."""
        from logit_stats.estimation.separation import find_separation

        return find_separation(self.design)

    def exact(
        self,
        of: str | Sequence[str] | None = None,
        *,
        alpha: float = 0.05,
        monte_carlo: int | None = None,
        seed: int | None = None,
        max_states: float | None = None,
    ) -> ExactResults:
        """Exact inference of terms, the number of cases of every set held fixed; see `exlogit`."""
        from logit_stats.inference.exact import MAX_STATES, exact

        limit = MAX_STATES if max_states is None else max_states
        return exact(
            self.design, of, strata=self.design.group, alpha=alpha, monte_carlo=monte_carlo, seed=seed, max_states=limit
        )

    def with_design(self, design: Design) -> Self:
        """Return the model of another design, this one where it is the same."""
        if design is self.design:
            return self
        model = type(self).__new__(type(self))
        model.groups_name = self.groups_name
        model._adopt(design, self.check_rank)
        return model


def clogit(
    formula: str,
    data: Any,
    *,
    groups: Any,
    subset: Any = None,
    missing: str = "drop",
    offset: Any = None,
    freq_weights: Any = None,
    check_rank: bool | str = True,
) -> ConditionalLogit:
    """Conditional logit model from a formula and a table: matched sets, or fixed effects of one grouping.

    Parameters
    ----------
    formula : str
        As for `logit`: ``"case ~ x + C(g)"``. The constant drops out; factors keep their reference levels.
    data : table
    groups : str or (n,) array_like
        Column with the set of each row, or one label for each row. Rows whose set is missing are left out and counted.
    subset, missing, offset
        As for `logit`.
    freq_weights : str or (n,) array_like, optional
        How many identical sets each set stands for: the same number in all rows of a set.
    check_rank : bool or "drop"
        Whether columns that do not vary within sets, or are combinations of others there, are an error, left out ("drop"), or
        not looked for (False).

    Returns
    -------
    ConditionalLogit
        Call `.fit()`.

    Examples
    --------
    >>> import logit_stats as ls
    >>> import pandas as pd
    >>> pairs = pd.DataFrame({"pair": [1, 1, 2, 2, 3, 3, 4, 4], "case": [1, 0] * 4, "x": [3, 1, 2, 2, 1, 2, 5, 3]})
    >>> ls.clogit("case ~ x", pairs, groups="pair").fit().params.round(4)
    x    0.7866
    dtype: float64
    """
    return ConditionalLogit.from_formula(
        formula, data, groups=groups, subset=subset, missing=missing, offset=offset, freq_weights=freq_weights,
        check_rank=check_rank, depth=1,
    )  # fmt: skip
