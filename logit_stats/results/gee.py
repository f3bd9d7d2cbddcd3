"""`GEEResults`: what a user asks of a population-averaged fit, under the names of every other fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.estimation.gee import GeeFit
from logit_stats.inference.cluster_sandwich import gee_covariance, qic
from logit_stats.report.numbers import count, significant
from logit_stats.results.accuracy import Accuracy
from logit_stats.results.effects import Effects
from logit_stats.results.estimates import Estimates
from logit_stats.results.fitted import Fitted
from logit_stats.results.hypotheses import JointTests
from logit_stats.results.refusals import refused
from logit_stats.results.reports import Reports
from logit_stats.wording import lines, printed, table

if TYPE_CHECKING:
    from logit_stats.assess.ranking import Roc
    from logit_stats.inference.covariance import Covariance
    from logit_stats.inference.hypotheses import TestTable
    from logit_stats.models.gee import LogitGEE
    from logit_stats.peers.crosscheck import Crosscheck


@dataclass(frozen=True, eq=False)
class GEEResults(Estimates, Fitted, JointTests, Effects, Accuracy, Reports):
    """Results of generalized estimating equations: population-averaged coefficients, and errors that allow for clusters.

    Attributes
    ----------
    model : LogitGEE
    fit_ : GeeFit
    covariance_ : Covariance
        The covariance that standard errors, tests and intervals use.
    """

    model: LogitGEE  # type: ignore[assignment]
    fit_: GeeFit

    # What is estimated beside the coefficients.

    @property
    def scale(self) -> float:
        """Dispersion."""
        return self.fit_.scale

    @property
    def alpha(self) -> FloatArray:
        """Numbers of the working correlation: one for exchangeable and ar1, the upper triangle by columns for unstructured."""
        return self.fit_.correlation.alpha.copy()

    @property
    def working_correlation(self) -> pd.DataFrame:
        """Working correlation of a cluster that has all positions."""
        found = self.fit_.correlation
        labels = pd.Index(found.positions, name=self.fit_.labels.time_name or "order")
        return pd.DataFrame(found.matrix, index=labels, columns=labels)

    @property
    def quasi_loglik(self) -> float:
        """Quasi-likelihood: the log-likelihood of independent rows at these coefficients. No test is made of it."""
        return self.fit_.loglik + self._statistics.binomial_constant

    @cached_property
    def _criteria(self) -> tuple[float, float]:
        constant = 2.0 * self._statistics.binomial_constant
        first, second = qic(self.fit_, self._robust)
        return first - constant, second - constant

    @cached_property
    def _robust(self) -> Covariance:
        return self.covariance_ if self.covariance_.cov_type == "robust" else gee_covariance(self.fit_)

    def qic(self) -> float:
        """QIC (Pan 2001): smaller is better, among correlations and among columns.

        The trace is without a dispersion, as in SAS; geepack's divides it by its scale.
        """
        return self._criteria[0]

    def qicu(self) -> float:
        """QIC with the number of coefficients in place of the trace: for columns, under the same correlation."""
        return self._criteria[1]

    def with_cov(self, cov_type: str, use_t: bool | None = None) -> Self:
        """Return the same fit with another covariance, without fitting again.

        Parameters
        ----------
        cov_type : {"robust", "naive", "kauermann_carroll", "mancl_derouen"}
            Liang and Zeger's sandwich; that which the working correlation promises; corrected for few clusters by the square
            root of the leverage, and by all of it. statsmodels' names "bias_reduced" (the last) and "nonrobust" (naive) are
            understood.
        use_t : bool, optional
            Use Student's t with as many degrees of freedom as there are clusters less coefficients; by default as at the fit.
        """
        use_t = self.covariance_.use_t if use_t is None else use_t
        return self._carried_to(replace(self, covariance_=gee_covariance(self.fit_, cov_type, use_t)))

    def _limits(self, alpha: float, method: str | None) -> FloatArray:
        method = "wald" if method is None else method
        if method != "wald":
            self.fit_.facts.require(f"conf_int(method={method!r})", "likelihood")
        return super()._limits(alpha, method)

    def anova(self, type: int = 2, test: str = "Wald") -> TestTable:
        """Wald tests of terms, of types 2 and 3; there are no likelihood-ratio tests, because there is no likelihood."""
        from logit_stats.errors import UnknownOptionError
        from logit_stats.inference.deviance_analysis import anova

        if test != "Wald":
            self.fit_.facts.require(f"anova(test={test!r})", "likelihood")
        if type == 1:
            raise UnknownOptionError("type=1 is not there for estimating equations; choose one of 2, 3.")
        return anova(self.fit_, self.covariance_, self._measures, type, test)

    def roc(self) -> Roc:
        """ROC curve; the standard error of its area allows for dependence within clusters (Obuchowski 1997)."""
        from logit_stats.assess.clustered_roc import clustered_roc
        from logit_stats.assess.scored import Scored

        self.fit_.design.require_rows()
        return clustered_roc(Scored.of_fit(self.fit_), self.fit_.labels.codes)

    def glance(self) -> pd.DataFrame:
        """One row for the model."""
        sizes, alpha = self.fit_.sizes, self.fit_.correlation.alpha
        values = {
            "nobs": self.nobs, "clusters": len(sizes), "max_cluster_size": int(sizes.max()), "df_model": self.df_model,
            "df_resid": self.df_resid, "corr": self.fit_.correlation.name,
            "alpha": float(alpha[0]) if len(alpha) == 1 else float("nan"), "scale": self.scale, "qic": self.qic(),
            "qicu": self.qicu(), "converged": self.converged, "cov_type": self.cov_type,
        }  # fmt: skip
        return pd.DataFrame([values])

    # What there is no answer to.

    summary2 = refused("summary2()", words="has statsmodels' likelihood layout; summary() has this model's")

    llf = refused("llf", "likelihood")
    llnull = refused("llnull", "likelihood")
    llr = refused("llr", "likelihood")
    llr_pvalue = refused("llr_pvalue", "likelihood")
    prsquared = refused("prsquared", "likelihood")
    pseudo_rsquared = refused("A pseudo-R²", "likelihood")
    deviance = refused("The deviance", "likelihood")
    null_deviance = refused("The null deviance", "likelihood")
    aic = refused("AIC", "likelihood")
    bic = refused("BIC", "likelihood")
    aicc = refused("AICc", "likelihood")
    info_criteria = refused("An information criterion", "likelihood")
    lr_test = refused("A likelihood-ratio test", "likelihood")
    drop1 = refused("drop1()", "likelihood")
    add1 = refused("add1()", "likelihood")
    score_test = refused("The score test", "likelihood")
    evidence = refused("evidence()", "likelihood")
    hosmer_lemeshow = refused(
        "The Hosmer-Lemeshow test",
        words="is for independent rows; calibration() shows observed against predicted without a test",
    )
    gof = refused("gof()", words="has tests for independent rows; see calibration() and qic()")
    link_test = refused(
        "The link test", words="is for independent rows; add the square of a column to the model instead"
    )
    optimism = refused("optimism()", words="refits by maximum likelihood; validate() tells of other data")
    certificate = refused("certificate()", words="is for maximum likelihood")
    update = refused("update()", words="compares likelihoods of independent rows; validate() tells of other data")
    bootstrap = refused("bootstrap()", words="is not there; with_cov('mancl_derouen') allows for few clusters")
    get_influence = refused("get_influence()", words="is for independent rows; fit without a cluster by subset=")

    # Reports.

    @property
    def method(self) -> str:
        """How it was fitted."""
        return "GEE"

    def header_items(self) -> list[tuple[str, str]]:
        """Right half of the summary's header."""
        sizes, found = self.fit_.sizes, self.fit_.correlation
        shown = f"{sizes.min()} to {sizes.max()}" if sizes.min() < sizes.max() else str(sizes.max())
        alpha = [("Correlation:", significant(float(found.alpha[0]), 4))] if len(found.alpha) == 1 else []
        return [
            ("No. Observations:", count(self.nobs)),
            ("No. clusters:", count(len(sizes))),
            ("Rows a cluster:", shown),
            ("Working corr.:", found.name),
            *alpha,
            ("Scale:", significant(self.scale, 4)),
            ("QIC:", significant(self.qic(), 6)),
        ]

    def summary_notes(self) -> list[str]:
        """Return the sentences that stand under the summary."""
        from logit_stats.report.gee_notes import gee_notes

        return gee_notes(self)

    def crosscheck(self, rtol: float = 1e-6) -> Crosscheck:
        """Fit the same model in statsmodels' GEE and compare, quantity by quantity."""
        from logit_stats.peers.crosscheck_gee import crosscheck_gee

        self.fit_.design.require_rows()
        return crosscheck_gee(self, rtol)

    @property
    def _past_peak(self) -> tuple[str, ...]:
        return ()

    @property
    def _score(self) -> FloatArray:
        return np.zeros(self.fit_.parameters)

    def remove_data(self) -> Self:
        """Return the same result without its rows; it prints, predicts new data and tests hypotheses as before."""
        criteria, robust = self._criteria, self._robust
        found = self._without_rows()
        found.__dict__.update({"_criteria": criteria, "_robust": robust})
        return found

    def save(self, path: str | Path) -> None:
        """Write the result to a file; `logit_stats.load` reads it back."""
        from logit_stats.results.keep import save

        save(self, path)

    @printed
    def __str__(self) -> str:
        return f"{self.model!r}\n{table(self.tidy(), '{:.5g}'.format)}"

    def __repr__(self) -> str:
        state = "" if self.converged else "NOT CONVERGED, "
        what = (
            f"{state}{len(self.fit_.sizes)} clusters, {self.fit_.correlation.name}, {self.fit_.parameters} coefficients"
        )
        return lines(f"<GEEResults {what}; {self.sample_line()}>")

    def _repr_html_(self) -> str:
        return str(self.summary(clock=False)._repr_html_())
