"""`FirthResults`: the results of Firth's penalized likelihood, and its two corrections for predictions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import stats

from logit_stats.assess.fit_statistics import PenalizedStatistics
from logit_stats.design.block import FloatArray
from logit_stats.errors import NotAvailableError, check_choice
from logit_stats.estimation.firth import PenalizedPoint
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.intercept_correction import augmented, refitted, with_fitted_intercept
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.inference.covariance import COV_TYPES, Covariance, covariance
from logit_stats.inference.inference import AugmentedLikelihood, FittedIntercept, PenalizedLikelihood
from logit_stats.inference.likelihood_ratio import LikelihoodRatioTest
from logit_stats.inference.penalized import augmented_covariance, own_null
from logit_stats.inference.penalized_tests import penalized_anova, penalized_drop1, penalized_lr_test
from logit_stats.inference.row_scores import leverages
from logit_stats.inference.wald import OverallTest
from logit_stats.likelihoods.working import map_between
from logit_stats.results.bias_reduced import BiasReducedResults
from logit_stats.results.finished import Finished, fit_of

if TYPE_CHECKING:
    from logit_stats.inference.evidence import Evidence
    from logit_stats.inference.hypotheses import TestTable


@dataclass(frozen=True, eq=False, repr=False)
class FirthResults(BiasReducedResults):
    """Results of Firth's penalized likelihood.

    Standard errors come from the information at the estimate, as in R's brglm2 and logistf before 1.24;
    ``with_cov("augmented")`` takes the information of the augmented data, weights w (1 + h), as logistf since then. P-values
    and intervals come from the penalized likelihood. `llf`, `llnull`, `llr` and what is made of them are penalized.
    """

    inference_: PenalizedLikelihood

    model_title = "Logit Regression Results (Firth's penalized likelihood)"
    method = "Firth"

    @property
    def _point(self) -> PenalizedPoint:
        return self.inference_.profiled.best

    @property
    def penalized_lr(self) -> FloatArray:
        """(k,) penalized likelihood-ratio statistic of each coefficient."""
        return self.inference_.statistics

    def with_cov(self, cov_type: str, use_t: bool | None = None, **settings: Any) -> Self:
        """Return the same fit with another covariance: those of `LogitResults.with_cov`, or "augmented".

        "augmented" is the inverse information of the data that Firth's estimate is the maximum-likelihood estimate of:
        smaller standard errors than "nonrobust", the inverse information of the data themselves.
        """
        if cov_type == "augmented" and not settings:
            return replace(self, covariance_=augmented_covariance(self.fit_))
        check_choice("cov_type", cov_type, ("augmented", *COV_TYPES))
        return super().with_cov(cov_type, use_t, **settings)

    @cached_property
    def _statistics(self) -> PenalizedStatistics:
        # half the log determinant of the information is that of the user's columns, not of the solver's
        A = self.fit_.working.matrix(self.fit_.parameters)
        shift = -float(np.linalg.slogdet(A)[1])
        null = self.inference_.profiled.null()
        at_null = float("nan") if null is None else null.penalized_loglik + shift
        return PenalizedStatistics(self.fit_, self._point.penalized_loglik + shift, at_null)

    def global_test(self, penalty: str = "full") -> OverallTest:
        """Penalized likelihood-ratio test that all slopes are zero.

        Parameters
        ----------
        penalty : {"full", "own"}
            The null model is penalized by the information of the whole model with the slopes at zero, as in R's logistf
            (this is `llr`); or by its own, which depends on the units of the columns.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_firth()
        >>> print(res.global_test())
        chi2(3) = 43.6558, p = 1.786e-09
        """
        check_choice("penalty", penalty, ("full", "own"))
        found, df = self._statistics, self._statistics.df_model
        if penalty == "full":
            return OverallTest(found.llr, df, found.llr_pvalue)
        null = own_null(self.fit_.design, self.fit_.constant_in_span)
        statistic = 2.0 * (found.penalized_loglik - null)
        return OverallTest(statistic, df, float(stats.chi2.sf(statistic, df)))

    def lr_test(self, other: Finished) -> LikelihoodRatioTest:
        """Penalized likelihood-ratio test against a nested (or nesting) Firth fit to the same rows.

        The smaller model is maximised inside the larger, under the larger one's penalty (R's ``logistftest``).

        Examples
        --------
        >>> import logit_stats as ls
        >>> data = ls.datasets.load("endometrial")
        >>> large, small = (ls.logit(f, data).fit_firth() for f in ("HG ~ NV + PI + EH", "HG ~ EH"))
        >>> print(large.lr_test(small))
        Penalized likelihood-ratio test of NV + PI beyond Intercept + EH: chi2(2) =
          7.0658, p = 0.02922
        """
        if not isinstance(other, FirthResults):
            fit_of(other, "lr_test()")
            raise NotAvailableError(
                "A penalized likelihood is compared with penalized ones: lr_test() takes two results of fit_firth()."
            )
        large, small = (self, other) if self.fit_.parameters >= other.fit_.parameters else (other, self)
        return penalized_lr_test(large.fit_, large.inference_.profiled, small.fit_)

    def anova(self, type: int = 1, test: str = "LR") -> TestTable:
        """Analysis of terms of types 1, 2 and 3 by penalized likelihood ratios; of types 2 and 3 also by "Wald".

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_firth()
        >>> res.anova(3).frame.round(4)  # doctest: +NORMALIZE_WHITESPACE
              df  statistic  p_value
        term
        NV     1     6.7985   0.0091
        PI     1     0.7468   0.3875
        EH     1    17.7593   0.0000
        """
        return penalized_anova(self.fit_, self.covariance_, self.inference_.profiled, type, test)

    def drop1(self) -> TestTable:
        """Leave out each term in turn that no other contains: penalized likelihood-ratio tests."""
        return penalized_drop1(self.fit_, self.covariance_, self.inference_.profiled)

    def evidence(self, term: str, alpha: float = 0.05) -> Evidence:
        """Wald's and the penalized likelihood-ratio tests and intervals of one term side by side: do they agree?"""
        from logit_stats.inference.evidence import evidence

        return evidence(self.fit_, self.covariance_, self._measures, term, alpha, self.inference_.profiled)

    def flic(self) -> FlicResults:
        """Return the fit with its intercept refitted, so that probabilities are right on average (FLIC).

        Slopes, their p-values and intervals stay; the intercept is the maximum-likelihood one with the slopes held, with
        Wald's test and interval. Standard errors come from the information at the new estimate.

        References
        ----------
        Puhr, Heinze, Nold, Lusa and Geroldinger (2017), Statistics in Medicine 36, 2302-2317.

        Examples
        --------
        >>> import logit_stats as ls
        >>> data = ls.datasets.load("endometrial")
        >>> res = ls.logit("HG ~ NV + PI + EH", data).fit_firth()
        >>> [round(float(p.mean()), 4) for p in (data["HG"], res.predict(), res.flic().predict(), res.flac().predict())]
        [0.3797, 0.3783, 0.3797, 0.3797]
        """
        self._need_constant("FLIC")
        fitted = refitted(self.fit_, with_fitted_intercept(self.fit_), "flic")
        inference = FittedIntercept(self.inference_, self._need_constant("FLIC"))
        return FlicResults(self.model, fitted, covariance(fitted, "nonrobust"), inference)

    def flac(self) -> FlacResults:
        """Return the fit with the penalty as data and an indicator of these, so that probabilities are right on average (FLAC).

        Standard errors, p-values and intervals are those of the likelihood of the augmented data, the indicator in it.

        References
        ----------
        Puhr, Heinze, Nold, Lusa and Geroldinger (2017), Statistics in Medicine 36, 2302-2317.
        """
        self._need_constant("FLAC")
        larger = maximum_likelihood(augmented(self.fit_.design, leverages(self.fit_)))
        k = self.fit_.parameters
        M = map_between(larger.working, self.fit_.working, (*range(k), None), k)
        fitted = refitted(self.fit_, M @ larger.gamma, "flac")
        fitted = replace(fitted, converged=larger.converged, iterations=larger.iterations, trace=larger.trace)
        cov = Covariance(
            "augmented",
            M @ larger.covariance_working @ M.T,
            larger.covariance[:k, :k],
            larger.standard_errors[:k],
            "from the information of the augmented data, the indicator among its columns",
        )
        return FlacResults(self.model, fitted, cov, AugmentedLikelihood(larger))

    def _need_constant(self, what: str) -> int:
        if self.fit_.design.constant is None:
            raise NotAvailableError(f"{what} corrects the intercept, and this model has no constant column.")
        return self.fit_.design.constant

    def _what(self) -> list[str]:
        return [
            "Estimates, log-likelihoods, p-values and intervals are those of Firth's penalized likelihood; z and standard "
            f"errors come from the information {'of the augmented data' if self.cov_type == 'augmented' else 'at the estimate'}."
        ]


@dataclass(frozen=True, eq=False, repr=False)
class FlicResults(BiasReducedResults):
    """Firth's slopes with the intercept refitted, so that probabilities are right on average; see `FirthResults.flic`."""

    def _what(self) -> list[str]:
        return [
            "Slopes, their p-values and intervals are those of Firth's penalized likelihood; the intercept is fitted by maximum "
            "likelihood with the slopes held, so that the mean probability is the share of events, and has Wald's test and "
            "interval. The log-likelihood is that at the estimate, not its maximum."
        ]


@dataclass(frozen=True, eq=False, repr=False)
class FlacResults(BiasReducedResults):
    """Maximum likelihood of Firth's augmented data with an indicator of what was added; see `FirthResults.flac`."""

    inference_: AugmentedLikelihood

    @property
    def augmented_(self) -> Fit:
        """The fit to the augmented data."""
        return self.inference_.larger

    def _what(self) -> list[str]:
        return [
            "Estimates, standard errors, p-values and intervals are those of the data with Firth's pseudo-observations and an "
            "indicator of these; the mean probability is the share of events. The log-likelihood is that of the data at the "
            "estimate, not its maximum."
        ]
