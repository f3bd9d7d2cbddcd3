"""Tests of hypotheses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from logit_stats.accepted import only_none
from logit_stats.design.constraints import Constraints, read_constraints
from logit_stats.errors import DataError, check_choice
from logit_stats.estimation.mixed import MixedFit
from logit_stats.inference.covariance import spelled
from logit_stats.inference.likelihood_ratio import LikelihoodRatioTest, likelihood_ratio_test
from logit_stats.results.finished import Finished, fit_of
from logit_stats.results.needs import needs

if TYPE_CHECKING:
    from logit_stats.inference.covariance import Covariance
    from logit_stats.inference.deviance_analysis import Measures
    from logit_stats.inference.evidence import Evidence
    from logit_stats.inference.hypotheses import TestTable, TTest, WaldTest
    from logit_stats.inference.score_test import ScoreTest


class JointTests(Finished):
    """What can be tested of every model."""

    def _constraints(self, given: Any) -> Constraints:
        return read_constraints(given, self.fit_.design.coefficient_names)

    @needs("finite", "wald")
    def t_test(self, r_matrix: Any, cov_p: Any = None, use_t: bool | None = None) -> TTest:
        """Test constraints one by one, under the covariance of the result.

        Parameters
        ----------
        r_matrix : str, list of str, dict, (q, k) array_like, or pair (R, q)
            ``"x1 = x2, x3 = 0.5"`` in patsy's grammar, or a matrix with one column for each coefficient.
        cov_p : (k, k) array_like, optional
            Another covariance of the coefficients; see also `with_cov`.
        use_t : bool, optional
            Student's t with n - k degrees of freedom; by default as the result does.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("low ~ age + lwt + smoke", ls.datasets.load("birthwt")).fit()
        >>> res.t_test("smoke = 0.5").pvalue.round(4)
        array([0.6003])
        """
        from logit_stats.inference.hypotheses import t_test

        return t_test(self.fit_, self._with_matrix(cov_p), self._constraints(r_matrix), use_t)

    @needs("finite", "wald")
    def wald_test(
        self, r_matrix: Any, cov_p: Any = None, invcov: Any = None, use_f: bool | None = None, df_constraints: int | None = None,
        scalar: bool | None = None,
    ) -> WaldTest:  # fmt: skip
        """Test constraints jointly, by chi-squared, or by F with n - k denominator degrees of freedom; see `t_test`.

        Parameters
        ----------
        r_matrix, cov_p
            As for `t_test`.
        use_f : bool, optional
            F rather than chi-squared; by default as the covariance has it.
        invcov, df_constraints, scalar : optional
            statsmodels' arguments. Statistics are numbers, whatever `scalar` is; the others can only be None.
        """
        from logit_stats.inference.hypotheses import wald_test

        only_none("wald_test()", invcov=invcov, df_constraints=df_constraints)
        return wald_test(self.fit_, self._with_matrix(cov_p), self._constraints(r_matrix), use_f)

    @needs("finite", "wald")
    def f_test(self, r_matrix: Any, cov_p: Any = None, invcov: Any = None) -> WaldTest:
        """Test constraints jointly by F with n - k denominator degrees of freedom; see `t_test`."""
        return self.wald_test(r_matrix, cov_p, invcov, use_f=True)

    @needs("finite", "wald")
    def wald_test_terms(
        self, skip_single: bool = False, extra_constraints: Any = None, combine_terms: Any = None, scalar: bool | None = None
    ) -> TestTable:  # fmt: skip
        """Joint Wald test of the columns of each term.

        Parameters
        ----------
        skip_single : bool
            Leave terms of one column out.
        extra_constraints, combine_terms, scalar : optional
            statsmodels' arguments. Statistics are numbers, whatever `scalar` is; the others can only be None (see `wald_test`).
        """
        from logit_stats.inference.deviance_analysis import wald_of_terms

        only_none("wald_test_terms()", extra_constraints=extra_constraints, combine_terms=combine_terms)
        found = wald_of_terms(self.fit_, self.covariance_)
        return replace(found, frame=found.frame[found.frame["df_constraint"] > 1]) if skip_single else found

    def _with_matrix(self, cov_p: Any) -> Covariance:
        """The covariance of the result, or another matrix of the same coefficients."""
        if cov_p is None:
            return self.covariance_
        from logit_stats.inference.covariance import of_matrix

        return of_matrix(self.fit_, self.covariance_, cov_p)

    def lr_test(self, other: Finished) -> LikelihoodRatioTest:
        """Likelihood-ratio test against a nested (or nesting) fit to the same rows."""
        other_fit = fit_of(other, "lr_test()")
        if isinstance(getattr(other, "fit_", None), MixedFit):  # a variance of zero has a distribution of its own
            mixed: Any = other
            found: LikelihoodRatioTest = mixed.lr_test(self)
            return found
        larger = self if self.fit_.free_parameters >= other_fit.free_parameters else other
        return likelihood_ratio_test(self.fit_, other_fit, larger.covariance_.likelihood_reference)

    @needs("finite", "wald")
    def anova(self, type: int = 1, test: str = "LR") -> TestTable:
        """Analysis of deviance of types 1, 2 and 3, by "LR", "Wald" or "score"; see `deviance_analysis.anova`."""
        from logit_stats.inference.deviance_analysis import anova

        return anova(self.fit_, self.covariance_, self._measures, type, test)

    @needs("finite", "wald")
    def drop1(self) -> TestTable:
        """Leave out each term in turn that no other contains: deviance, AIC, likelihood-ratio test."""
        from logit_stats.inference.deviance_analysis import drop1

        return drop1(self.fit_, self.covariance_, self._measures)

    @needs("finite", "wald")
    def add1(self, scope: Any) -> TestTable:
        """Add each term (``"z + x:z"``) or column in turn: deviance, AIC, likelihood-ratio test."""
        from logit_stats.inference.deviance_analysis import add1

        return add1(self.fit_, self.covariance_, self._measures, scope, _callers_scope())

    @property
    def _measures(self) -> Measures:
        from logit_stats.inference.deviance_analysis import Measures

        return Measures(self._statistics.deviance, self._criterion("aic"))


class Hypotheses(JointTests):
    """What can be tested."""

    @needs("finite", "wald", "latent")
    def t_test_pairwise(
        self, term_name: str, method: str = "holm", alpha: float = 0.05, factors: Any = None
    ) -> TestTable:
        """Differences between all pairs of levels of a factor.

        Parameters
        ----------
        term_name : str
        method : {"holm", "holm-sidak", "bonferroni", "sidak", "fdr_bh", "none"}
            Adjustment of the p-values; "hs" (statsmodels' default) is another name of "holm-sidak".
        alpha : float
        factors : optional
            statsmodels' argument; can only be None.
        """
        only_none("t_test_pairwise()", factors=factors)
        from logit_stats.inference.multiple_testing import pairwise_test

        return pairwise_test(self.fit_, self.covariance_, term_name, method, alpha)

    @needs("finite", "maximum")
    def score_test(
        self, added: Any = None, robust: bool | None = None, *, exog_extra: Any = None, cov_type: str | None = None,
        params_constrained: Any = None, hypothesis: str = "joint", cov_kwds: Any = None, k_constraints: Any = None,
        r_matrix: Any = None, scale: Any = None, observed: bool = True,
    ) -> ScoreTest:  # fmt: skip
        """Score test of columns that the model does not have, without fitting the larger model.

        Parameters
        ----------
        added : str or (n, q) array_like
            Terms as on the right of a formula (``"z + x:z"``), or columns.
        robust : bool, optional
            Hold when the model's variance is wrong; by default where the covariance of the result is robust.
        exog_extra : (n, q) array_like, optional
            statsmodels' name of `added`.
        cov_type : {"nonrobust", "HC0"}, optional
            statsmodels' name of ``robust=False`` and ``robust=True``.
        params_constrained, hypothesis, cov_kwds, k_constraints, r_matrix, scale, observed : optional
            statsmodels' arguments; only their defaults are possible, and `observed` changes nothing: the observed information of
            the logit is the expected one.
        """
        from logit_stats.inference.added_terms import score_test_of_added

        only_none(
            "score_test()", params_constrained=params_constrained, cov_kwds=cov_kwds or None, k_constraints=k_constraints,
            r_matrix=r_matrix, scale=scale,
        )  # fmt: skip
        check_choice("hypothesis", hypothesis, ("joint",))
        added = exog_extra if added is None else added
        if added is None:
            raise DataError(
                "score_test() tests columns that the model lacks: give them, or their names. For constraints see lr_test()."
            )
        if cov_type is not None:
            check_choice("cov_type", spelled(cov_type), ("nonrobust", "HC0"))
            robust = spelled(cov_type) == "HC0"
        robust = self.covariance_.robust if robust is None else robust
        return score_test_of_added(self.fit_, self.covariance_, added, robust, _callers_scope())

    @needs("finite", "maximum", "binary")
    def evidence(self, term: str, alpha: float = 0.05) -> Evidence:
        """Wald, likelihood-ratio and score tests, profile and robust intervals of one term side by side: do they agree?"""
        from logit_stats.inference.evidence import evidence

        return evidence(self.fit_, self.covariance_, self._measures, term, alpha)


def _callers_scope() -> Any:
    """The variables where the method was called."""
    from logit_stats.design.formula import capture_scope

    return capture_scope(3)  # past the guard of the method and the method itself
