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
from logit_stats.models.gee import LogitGEE
from logit_stats.report.numbers import count, significant
from logit_stats.results.accuracy import Accuracy
from logit_stats.results.effects import Effects
from logit_stats.results.estimates import Estimates
from logit_stats.results.fitted import Fitted
from logit_stats.results.hypotheses import JointTests
from logit_stats.results.refusals import Refused
from logit_stats.results.reports import Reports
from logit_stats.wording import lines, table

if TYPE_CHECKING:
    from logit_stats.inference.covariance import Covariance
    from logit_stats.inference.hypotheses import TestTable
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
    use_t : bool
        Whether they use Student's t.
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

    def with_cov(self, cov_type: str) -> Self:
        """Return the same fit with another covariance, without fitting again.

        Parameters
        ----------
        cov_type : {"robust", "naive", "kauermann_carroll", "mancl_derouen"}
            Liang and Zeger's sandwich; that which the working correlation promises; corrected for few clusters by the square
            root of the leverage, and by all of it. statsmodels' names "bias_reduced" (the last) and "nonrobust" (naive) are
            understood.
        """
        return self._carried_to(replace(self, covariance_=gee_covariance(self.fit_, cov_type)))

    def anova(self, type: int = 2, test: str = "Wald") -> TestTable:
        """Wald tests of terms, of types 2 and 3; there are no likelihood-ratio tests, because there is no likelihood."""
        from logit_stats.errors import UnknownOptionError
        from logit_stats.inference.deviance_analysis import anova

        if test != "Wald":
            self.fit_.facts.require(f"anova(test={test!r})", "likelihood")
        if type == 1:
            raise UnknownOptionError("type=1 is not there for estimating equations; choose one of 2, 3.")
        return anova(self.fit_, self.covariance_, self._measures, type, test)

    # What there is no answer to.

    llf = Refused("llf", "likelihood")
    llnull = Refused("llnull", "likelihood")
    llr = Refused("llr", "likelihood")
    llr_pvalue = Refused("llr_pvalue", "likelihood")
    prsquared = Refused("prsquared", "likelihood")
    pseudo_rsquared = Refused("A pseudo-R²", "likelihood")
    deviance = Refused("The deviance", "likelihood")
    null_deviance = Refused("The null deviance", "likelihood")
    aic = Refused("AIC", "likelihood")
    bic = Refused("BIC", "likelihood")
    aicc = Refused("AICc", "likelihood")
    info_criteria = Refused("An information criterion", "likelihood")
    lr_test = Refused("A likelihood-ratio test", "likelihood")
    drop1 = Refused("drop1()", "likelihood")
    add1 = Refused("add1()", "likelihood")
    score_test = Refused("The score test", "likelihood")
    evidence = Refused("evidence()", "likelihood")
    hosmer_lemeshow = Refused(
        "The Hosmer-Lemeshow test",
        words="is for independent rows; calibration() shows observed against predicted without a test",
    )
    gof = Refused("gof()", words="has tests for independent rows; see calibration() and qic()")
    link_test = Refused(
        "The link test", words="is for independent rows; add the square of a column to the model instead"
    )
    optimism = Refused("optimism()", words="refits by maximum likelihood; validate() tells of other data")
    certificate = Refused("certificate()", words="is for maximum likelihood")
    bootstrap = Refused("bootstrap()", words="is not there; with_cov('mancl_derouen') allows for few clusters")
    get_influence = Refused("get_influence()", words="is for independent rows; fit without a cluster by subset=")

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
    def _past_peak(self) -> tuple[str, ...]:  # type: ignore[override]
        return ()

    @property
    def _score(self) -> FloatArray:  # type: ignore[override]
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
