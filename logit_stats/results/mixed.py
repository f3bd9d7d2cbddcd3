"""`MixedResults`: what a user asks of a fit with random effects, under the names of every other fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from logit_stats.assess.classification import Classification, outcome_names
from logit_stats.assess.marginal_statistics import MarginalStatistics
from logit_stats.assess.residuals import residuals
from logit_stats.assess.scored import Scored
from logit_stats.design.block import FloatArray
from logit_stats.errors import check_choice
from logit_stats.estimation.mixed import MixedFit
from logit_stats.inference.mixed_covariance import MixedCovariance, mixed_covariance
from logit_stats.inference.mixed_predictions import (
    EFFECTS,
    MixedRows,
    group_shift,
    mixed_prediction,
    new_random_columns,
    predicted,
    rows_of_fit,
)
from logit_stats.inference.variance_components import icc, median_odds_ratio, variance_components
from logit_stats.report.numbers import adaptive, count, significant
from logit_stats.report.table import Table
from logit_stats.results.estimates import Estimates
from logit_stats.results.finished import Matrix, Vector
from logit_stats.results.hypotheses import JointTests
from logit_stats.results.prediction import new_rows
from logit_stats.results.refusals import refused
from logit_stats.results.reports import Reports
from logit_stats.wording import lines, printed, table

if TYPE_CHECKING:
    from logit_stats.assess.calibration import Calibration
    from logit_stats.assess.ranking import Roc
    from logit_stats.inference.hypotheses import TestTable
    from logit_stats.inference.marginal_means import MarginalMeans
    from logit_stats.inference.margins_table import Margins
    from logit_stats.inference.predictions import Prediction
    from logit_stats.inference.variance_components import LatentMeasure, VarianceComponents
    from logit_stats.inference.variance_test import VarianceTest
    from logit_stats.models.mixed import RandomEffectsLogit
    from logit_stats.report.summary import Summary


@dataclass(frozen=True, eq=False)
class MixedResults(Estimates, JointTests, Reports):
    """Results of a logit with random effects: subject-specific coefficients, and how much groups differ.

    Attributes
    ----------
    model : RandomEffectsLogit
    fit_ : MixedFit
    covariance_ : MixedCovariance
        The covariance that standard errors, tests and intervals use.
    """

    model: RandomEffectsLogit  # type: ignore[assignment]
    fit_: MixedFit
    covariance_: MixedCovariance

    # Random effects.

    def variance_components(self, alpha: float = 0.05, method: str = "wald") -> VarianceComponents:
        """Standard deviations and correlations of the random effects, with errors and limits ("wald" or "profile")."""
        return variance_components(self.fit_, alpha, method)

    def random_effects(self, grouping: str | None = None) -> pd.DataFrame:
        """Conditional modes of the effects of each group, with their standard errors given the parameters.

        Parameters
        ----------
        grouping : str, optional
            Where there are several; by default that with the most groups.
        """
        layout = self.fit_.layout
        grouping = layout.names[0] if grouping is None else grouping
        check_choice("grouping", grouping, layout.names)
        g = layout.names.index(grouping)
        found, names = self.fit_.effects[g], layout.columns(g)
        errors = np.sqrt(np.maximum(np.diagonal(found.covariances, axis1=1, axis2=2), 0.0))
        columns = {name: found.modes[:, j] for j, name in enumerate(names)}
        columns |= {f"se {name}": errors[:, j] for j, name in enumerate(names)}
        index = pd.Index(list(layout.labels(g)), name=grouping)
        return pd.DataFrame({**columns, "rows": found.rows}, index=index)

    def icc(self, grouping: str | None = None, alpha: float = 0.05, method: str = "wald") -> LatentMeasure:
        """Intraclass correlation of the latent response, with error and limits."""
        return icc(self.fit_, grouping, alpha, method)

    def median_odds_ratio(
        self, grouping: str | None = None, alpha: float = 0.05, method: str = "wald"
    ) -> LatentMeasure:
        """Median odds ratio between two groups, with error and limits."""
        return median_odds_ratio(self.fit_, grouping, alpha, method)

    def variance_test(self, term: str | None = None) -> VarianceTest:
        """Likelihood-ratio test of a random term (by default all), with the mixture that a variance of zero has."""
        from logit_stats.inference.variance_test import variance_test

        return variance_test(self.fit_, term)

    # Coefficients.

    def _limits(self, alpha: float, method: str | None) -> FloatArray:
        method = "wald" if method is None else method
        check_choice("method", method, ("wald", "profile"))
        if method == "wald":
            return super()._limits(alpha, method)
        from logit_stats.inference.mixed_profile import coefficient_profile_limits

        return coefficient_profile_limits(self.fit_, alpha)

    def with_cov(self, cov_type: str) -> Self:
        """Return the same fit with another covariance: "nonrobust", or "robust" (one grouping: sandwich of its groups)."""
        return replace(self, covariance_=mixed_covariance(self.fit_, cov_type))

    @property
    def llf(self) -> float:
        """Maximised marginal log-likelihood, as the quadrature has it."""
        return self._statistics.llf

    @property
    def aic(self) -> float:
        """Akaike's information criterion; parameters of random effects are counted."""
        return self._statistics.criterion("aic")

    @property
    def bic(self) -> float:
        """Schwarz's information criterion; n is the number of observations."""
        return self._statistics.criterion("bic")

    @property
    def df_model(self) -> float:
        """Coefficients beyond the constant."""
        return float(self.fit_.parameters - int(self.fit_.constant_in_span))

    def lr_test(self, other: Any) -> Any:
        """Likelihood-ratio test against a nested (or nesting) fit to the same rows, by the same quadrature.

        Where only random terms differ the mixture of `variance_test` is used.
        """
        from logit_stats.inference.mixed_tests import mixed_lr_test
        from logit_stats.results.finished import fit_of

        return mixed_lr_test(self.fit_, fit_of(other, "lr_test()"))

    def anova(self, type: int = 2, test: str = "LR") -> TestTable:
        """Tests of the terms of the fixed part, of types 2 and 3, by "LR" (the model fitted again) or "Wald"."""
        from logit_stats.inference.mixed_tests import mixed_anova

        return mixed_anova(self.fit_, self.covariance_, self._measures, type, test)

    def drop1(self) -> TestTable:
        """Leave out each term of the fixed part in turn that no other contains: AIC, likelihood-ratio test."""
        from logit_stats.inference.mixed_tests import mixed_drop1

        return mixed_drop1(self.fit_, self.aic)

    # Probabilities.

    def _asked_rows(self, exog: Any, offset: Any) -> tuple[MixedRows, pd.Index | None]:
        if exog is None and offset is None:
            return rows_of_fit(self.fit_), None
        working, eta, index = new_rows(self.fit_, exog, offset)
        Z = rows_of_fit(self.fit_).Z if exog is None else new_random_columns(self.fit_, exog, len(eta))
        return MixedRows(np.asarray(working), eta, Z), index

    def _labelled(self, values: FloatArray, index: pd.Index | None) -> Vector:
        if not self.fit_.design.labelled and index is None:
            return values
        return pd.Series(values, index=self.fit_.design.index if index is None else index)

    def predict(
        self, exog: Any = None, which: str = "mean", offset: Any = None, *, effects: str = "population"
    ) -> Vector:
        """Probabilities (or log odds, or variances of the outcome).

        Parameters
        ----------
        exog : table or (m, k) array_like, optional
            New data; by default the rows of the fit.
        which : {"mean", "linear", "var"}
        offset : optional
            As for `LogitResults.predict`.
        effects : {"population", "zero", "subject"}
            Averaged over the distribution of the random effects; of a group whose effects are zero; of the row's own
            groups, by their conditional modes.
        """
        rows, index = self._asked_rows(exog, offset)
        return self._labelled(predicted(self.fit_, rows, effects, which, exog), index)

    def get_prediction(self, exog: Any = None, offset: Any = None, *, effects: str = "population") -> Prediction:
        """Probabilities with standard errors and limits, of the population or of a group with effects of zero."""
        rows, index = self._asked_rows(exog, offset)
        labels = (
            index if index is not None else self.fit_.design.index if exog is None else pd.RangeIndex(len(rows.eta))
        )
        return mixed_prediction(self.fit_, self.covariance_.whole, rows, effects, labels)

    @property
    def _own(self) -> FloatArray:
        rows = rows_of_fit(self.fit_)
        return np.asarray(rows.eta + group_shift(self.fit_, rows.Z, None))

    @property
    def fittedvalues(self) -> Vector:
        """(n,) linear predictor, the modes of the row's own groups included."""
        return self._rows(self._own)

    @property
    def resid_response(self) -> Vector:
        """(n,) observed proportion minus the probability of the row's own groups."""
        return self._rows(residuals(self.fit_, "response", self._own))

    @property
    def resid_pearson(self) -> Vector:
        """(n,) Pearson residuals given the groups' modes."""
        return self._rows(residuals(self.fit_, "pearson", self._own))

    @property
    def resid_dev(self) -> Vector:
        """(n,) deviance residuals given the groups' modes."""
        return self._rows(residuals(self.fit_, "dev", self._own))

    def margins(
        self, variables: str | Sequence[str] | None = None, at: Mapping[str, Any] | None = None, *,
        effects: str = "population", changes: str = "reference", dummy: bool = False, alpha: float = 0.05,
    ) -> Margins:  # fmt: skip
        """Marginal effects of variables on the probability.

        Parameters
        ----------
        variables, at, changes, dummy, alpha
            As for `LogitResults.margins`.
        effects : {"population", "zero"}
            Averaged over the random effects too; or of groups whose effects are zero.
        """
        check_choice("effects", effects, EFFECTS[:2])
        if effects == "population":
            from logit_stats.inference.mixed_margins import population_margins

            return population_margins(
                self.fit_, self.covariance_.whole, variables, at, changes=changes, dummy=dummy, alpha=alpha,
                cov_type=self.cov_type,
            )  # fmt: skip
        from logit_stats.inference.variable_margins import variable_margins

        return variable_margins(
            self.fit_, self.covariance_, variables, at, None, "dydx", changes=changes, dummy=dummy, alpha=alpha
        )

    def means(self, spec: str) -> MarginalMeans:
        """Estimated marginal means of factors on the log odds of a group with effects of zero, with contrasts."""
        from logit_stats.inference.marginal_means import marginal_means

        return marginal_means(self.fit_, self.covariance_, spec)

    # How good.

    def _scored(self, effects: str) -> Scored:
        check_choice("effects", effects, EFFECTS)
        eta = predicted(self.fit_, rows_of_fit(self.fit_), effects, "linear", None)
        return Scored.of_design(self.fit_.design, eta)

    def pred_table(self, threshold: float = 0.5, *, effects: str = "population") -> FloatArray:
        """(2, 2) counts, observed by predicted outcome; a success is predicted where p >= threshold."""
        scored = self._scored(effects)
        yes = scored.prob >= threshold
        return np.array([[a[~yes].sum(), a[yes].sum()] for a in (scored.nonevents, scored.events)])

    def classification(self, threshold: float = 0.5, *, effects: str = "population") -> Classification:
        """Accuracy, sensitivity, specificity and the other measures at a threshold, with a `report()` text."""
        table = self.pred_table(threshold, effects=effects)
        return Classification(table, outcome_names(self.fit_.design), threshold)

    def roc(self, *, effects: str = "population") -> Roc:
        """ROC curve; the standard error of its area allows for dependence within groups (one grouping)."""
        from logit_stats.assess.clustered_roc import clustered_roc
        from logit_stats.errors import NotAvailableError

        if len(self.fit_.layout.names) > 1:
            raise NotAvailableError(
                "roc() needs independent groups for its error, and with several groupings there are none."
            )
        return clustered_roc(self._scored(effects), self.fit_.layout.codes(0))

    def calibration(self, bins: int = 10, *, effects: str = "population") -> Calibration:
        """Observed against predicted, in bins, with the Brier score and its parts."""
        from logit_stats.assess.calibration import calibration

        return calibration(self._scored(effects), bins)

    # Reports.

    @property
    def method(self) -> str:
        """How it was fitted."""
        return "Laplace" if self.fit_.points == 1 else f"AGQ, {self.fit_.points} points"

    def header_items(self) -> list[tuple[str, str]]:
        """Right half of the summary's header."""
        layout = self.fit_.layout
        groups = [(f"Groups of {name[:12]}:", count(len(layout.labels(g)))) for g, name in enumerate(layout.names)]
        return [
            ("No. Observations:", count(self.nobs)),
            *groups,
            ("Log-Likelihood:", significant(self.llf, 5)),
            ("LL, independent:", significant(self.fit_.loglik_independent + self._statistics.binomial_constant, 5)),
            ("AIC:", significant(self.aic, 6)),
            ("BIC:", significant(self.bic, 6)),
        ]

    def summary(
        self, yname: str | None = None, xname: list[str] | None = None, title: str | None = None,
        alpha: float = 0.05, *, clock: bool = True,
    ) -> Summary:  # fmt: skip
        """Summary in the layout of every other fit, with a table of the random effects."""
        found = super().summary(yname, xname, title, alpha, clock=clock)
        frame = self.variance_components(alpha).frame
        rows = [
            (_component_name(row), *(adaptive(v, 4) if np.isfinite(v) else "" for v in row[4:]))
            for row in frame.itertuples(index=False, name=None)
        ]
        heads = ("random effects", "estimate", "std err", f"[{alpha / 2:.12g}", f"{1 - alpha / 2:.12g}]")
        random = Table.of(rows, head=heads, layout=found.parts[-1].layout)
        return replace(found, parts=(*found.parts, random))

    def summary_notes(self) -> list[str]:
        """Return the sentences that stand under the summary."""
        from logit_stats.report.mixed_notes import mixed_notes

        return mixed_notes(self)

    def tidy(
        self, conf_int: bool = True, exponentiate: bool = False, alpha: float = 0.05, *, effects: str = "fixed"
    ) -> pd.DataFrame:
        """One row a coefficient, as broom.mixed: `effects` is "fixed", "ran_pars" (standard deviations) or "ran_vals" (modes)."""
        check_choice("effects", effects, ("fixed", "ran_pars", "ran_vals"))
        if effects == "fixed":
            return super().tidy(conf_int, exponentiate, alpha)
        if effects == "ran_pars":
            return self.variance_components(alpha).frame
        frames = []
        for g, name in enumerate(self.fit_.layout.names):
            found = self.random_effects(name)
            for column in self.fit_.layout.columns(g):
                values = {"group": name, "level": found.index, "term": column, "estimate": found[column].to_numpy()}
                frames.append(pd.DataFrame({**values, "std_error": found[f"se {column}"].to_numpy()}))
        return pd.concat(frames, ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """One row for the model."""
        values = {
            "nobs": self.nobs, "groups": len(self.fit_.layout.labels(0)), "llf": self.llf, "aic": self.aic, "bic": self.bic,
            "df_model": self.df_model, "df_resid": self.df_resid, "parameters": self.fit_.free_parameters,
            "quadrature": self.fit_.points, "converged": self.converged, "cov_type": self.cov_type,
        }  # fmt: skip
        return pd.DataFrame([values])

    def remove_data(self) -> Self:
        """Return the same result without its rows; it prints, predicts new data and tests hypotheses as before."""
        return self._without_rows()

    def save(self, path: str | Path) -> None:
        """Write the result to a file; `logit_stats.load` reads it back."""
        from logit_stats.results.keep import save

        save(self, path)

    # What there is no answer to.

    llnull = refused("llnull", words="is not there; fit the model without its columns and compare with lr_test()")
    llr = refused("llr", words="is not there; fit the smaller model and compare with lr_test(), or see wald_test()")
    llr_pvalue = refused("llr_pvalue", words="is not there; fit the smaller model and compare with lr_test()")
    prsquared = refused("prsquared", words="is not there; icc() says how much of the variance lies between groups")
    pseudo_rsquared = refused(
        "A pseudo-R²", words="is not there; icc() says how much of the variance lies between groups"
    )
    deviance = refused(
        "The deviance", words="needs a saturated model, which random effects do not have; use llf and aic"
    )
    null_deviance = refused("The null deviance", words="needs a saturated model, which random effects do not have")
    score_test = refused("The score test", words="is not there with random effects; use lr_test() or wald_test()")
    evidence = refused(
        "evidence()", words="is not there with random effects; use lr_test() and conf_int(method='profile')"
    )
    add1 = refused("add1()", words="is not there with random effects; fit the larger model and use lr_test()")
    get_margeff = refused("get_margeff()", words="is not there with random effects; use margins()")
    bootstrap = refused("bootstrap()", words="is not there with random effects; use profile limits")
    certificate = refused("certificate()", words="is for independent rows")
    summary2 = refused("summary2()", words="has statsmodels' layout of independent rows; summary() has this model's")
    crosscheck = refused(
        "crosscheck()",
        words="has nothing to compare with: statsmodels has random effects in a logit by variational Bayes only; R's lme4 "
        "has this model",
    )
    get_influence = refused("get_influence()", words="is for independent rows; fit without a group by subset=")
    hosmer_lemeshow = refused("The Hosmer-Lemeshow test", words="is for independent rows; see calibration()")
    gof = refused("gof()", words="has tests for independent rows; see calibration()")

    @cached_property
    def _statistics(self) -> MarginalStatistics:
        return MarginalStatistics(self.fit_)

    @property
    def _past_peak(self) -> tuple[str, ...]:
        return ()

    @property
    def _score(self) -> FloatArray:
        return np.zeros(self.fit_.parameters)

    def cov_params(self) -> Matrix:
        """(k, k) covariance of the coefficients."""
        return super().cov_params()

    @printed
    def __str__(self) -> str:
        return f"{self.model!r}\n{table(self.tidy(), '{:.5g}'.format)}\n{self.variance_components()}"

    def __repr__(self) -> str:
        state = "" if self.converged else "NOT CONVERGED, "
        groups = ", ".join(f"{len(self.fit_.layout.labels(g))} {name}" for g, name in enumerate(self.fit_.layout.names))
        what = f"{state}llf={self.llf:.6g}, groups: {groups}, {self.fit_.parameters} coefficients; {self.sample_line()}"
        return lines(f"<MixedResults {what}>")

    def _repr_html_(self) -> str:
        return str(self.summary(clock=False)._repr_html_())


def _component_name(row: tuple[Any, ...]) -> str:
    grouping, effect, other, what = row[:4]
    return f"{grouping}: {what}({effect})" if not other else f"{grouping}: corr({effect}, {other})"
