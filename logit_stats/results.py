"""`LogitResults`: what a user asks of a fit. Methods here hand over to the rooms below and attach labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.assess.classification import Classification, classification, pred_table
from logit_stats.assess.fit_statistics import PSEUDO_RSQUARED, FitStatistics
from logit_stats.assess.residuals import residuals
from logit_stats.design.block import FloatArray
from logit_stats.errors import check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.rows import probability, variance
from logit_stats.inference.covariance import Covariance, covariance
from logit_stats.inference.likelihood_ratio import LikelihoodRatioTest, likelihood_ratio_test
from logit_stats.inference.predictions import AveragePrediction, Prediction, average_prediction, prediction
from logit_stats.inference.wald import p_values, wald_interval, z_values
from logit_stats.prediction import new_rows, predict_new

if TYPE_CHECKING:
    from logit_stats.assess.certificate import Certificate
    from logit_stats.assess.collinearity import VarianceInflation
    from logit_stats.assess.influence import Influence
    from logit_stats.assess.ranking import Roc
    from logit_stats.crosscheck import Crosscheck
    from logit_stats.estimation.trace import Trace
    from logit_stats.inference.column_margins import ColumnMargins
    from logit_stats.inference.dose import EffectiveDose
    from logit_stats.inference.marginal_means import MarginalMeans
    from logit_stats.inference.variable_margins import Margins
    from logit_stats.model import Logit
    from logit_stats.report.summary import Summary

Vector = Any  # pandas Series for labelled fits, NumPy array for array fits
Matrix = Any  # pandas DataFrame or NumPy array


@dataclass(frozen=True, eq=False)
class LogitResults:
    """Results of a logit fit, with statsmodels' names.

    Results of formula fits (and of fits to pandas objects) carry labels; those of array fits are NumPy arrays.

    Attributes
    ----------
    model : Logit
        The model.
    fit_ : Fit
        The finished fit in the solver's terms.
    covariance_ : Covariance
        The covariance that standard errors, tests and intervals use.
    use_t : bool
        Whether they use Student's t.
    """

    model: Logit
    fit_: Fit
    covariance_: Covariance
    use_t: bool = False

    # Labels.

    def _coefficients(self, values: FloatArray) -> Vector:
        return pd.Series(values, index=self.model.exog_names) if self.fit_.design.labelled else values

    def _rows(self, values: FloatArray) -> Vector:
        return pd.Series(values, index=self.fit_.design.index) if self.fit_.design.labelled else values

    @cached_property
    def _statistics(self) -> FitStatistics:
        return FitStatistics(self.fit_)

    @property
    def _t_df(self) -> float | None:
        return self.df_resid if self.use_t else None

    # Estimates.

    @property
    def params(self) -> Vector:
        """(k,) coefficients."""
        return self._coefficients(self.fit_.beta.copy())

    @property
    def bse(self) -> Vector:
        """(k,) standard errors."""
        return self._coefficients(self.covariance_.standard_errors.copy())

    @property
    def tvalues(self) -> Vector:
        """(k,) z (or t) statistics."""
        return self._coefficients(z_values(self.fit_, self.covariance_))

    @property
    def pvalues(self) -> Vector:
        """(k,) two-sided p-values."""
        return self._coefficients(p_values(z_values(self.fit_, self.covariance_), self._t_df))

    def conf_int(self, alpha: float = 0.05, method: str = "wald") -> Matrix:
        """(k, 2) confidence limits at level ``1 - alpha``, from standard errors or from the profile likelihood."""
        limits = self._limits(alpha, method)
        return pd.DataFrame(limits, index=self.model.exog_names) if self.fit_.design.labelled else limits

    def _limits(self, alpha: float, method: str) -> FloatArray:
        check_choice("method", method, ("wald", "profile"))
        if method == "profile":
            from logit_stats.inference.profile import profile_interval

            return profile_interval(self.fit_, alpha)
        return wald_interval(self.fit_, self.covariance_, alpha, self._t_df)

    def cov_params(self) -> Matrix:
        """(k, k) covariance of the coefficients."""
        names, matrix = self.model.exog_names, self.covariance_.matrix.copy()
        return pd.DataFrame(matrix, index=names, columns=names) if self.fit_.design.labelled else matrix

    def odds_ratios(self, alpha: float = 0.05, method: str = "wald") -> pd.DataFrame:
        """Odds ratios exp(beta), their delta-method standard errors, and the exponentiated limits of `conf_int`."""
        beta, limits = self.fit_.beta, self._limits(alpha, method)
        ratio, low, high = np.exp(beta), np.exp(limits[:, 0]), np.exp(limits[:, 1])
        columns = {"odds_ratio": ratio, "std_error": ratio * self.covariance_.standard_errors,
                   "conf_low": low, "conf_high": high}  # fmt: skip
        return pd.DataFrame(columns, index=self.model.exog_names)

    # Likelihood.

    @property
    def llf(self) -> float:
        """Maximised log-likelihood."""
        return self._statistics.llf

    @property
    def llnull(self) -> float:
        """Log-likelihood of the null model (probability 1/2 where there is no constant)."""
        return self._statistics.llnull

    @property
    def llr(self) -> float:
        """Likelihood-ratio statistic against the null model."""
        return self._statistics.llr

    @property
    def llr_pvalue(self) -> float:
        """P-value of `llr`."""
        return self._statistics.llr_pvalue

    @property
    def prsquared(self) -> float:
        """McFadden's pseudo-R²."""
        return self._statistics.prsquared

    @property
    def deviance(self) -> float:
        """Residual deviance."""
        return self._statistics.deviance

    @property
    def null_deviance(self) -> float:
        """Deviance of the null model."""
        return self._statistics.null_deviance

    @property
    def pearson_chi2(self) -> float:
        """Pearson's chi-squared."""
        return self._statistics.pearson_chi2

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return self._statistics.criterion("aic")

    @property
    def bic(self) -> float:
        """Schwarz's information criterion; n is the number of observations."""
        return self._statistics.criterion("bic")

    @property
    def aicc(self) -> float:
        """AIC corrected for small samples."""
        return self._statistics.criterion("aicc")

    def info_criteria(self, crit: str) -> float:
        """Information criterion `crit`: "aic", "bic" or "aicc"."""
        return self._statistics.criterion(crit)

    def pseudo_rsquared(self, kind: str = "mcfadden") -> Any:
        """Pseudo-R² of one kind, or of all as a Series (``kind="all"``)."""
        check_choice("kind", kind, (*PSEUDO_RSQUARED, "all"))
        if kind != "all":
            return self._statistics.pseudo_rsquared(kind)
        return pd.Series({name: self._statistics.pseudo_rsquared(name) for name in PSEUDO_RSQUARED})

    # Size, and how the fit went.

    @property
    def nobs(self) -> float:
        """Number of observations."""
        return self.fit_.design.observations

    @property
    def df_model(self) -> float:
        """Coefficients beyond the null model."""
        return float(self._statistics.df_model)

    @property
    def df_resid(self) -> float:
        """Observations minus coefficients."""
        return self._statistics.df_resid

    @property
    def converged(self) -> bool:
        """Whether the iterations met their tolerance."""
        return self.fit_.converged

    @property
    def cov_type(self) -> str:
        """Type of the covariance."""
        return self.covariance_.cov_type

    @property
    def trace(self) -> Trace:
        """Every evaluation of the likelihood during the fit."""
        return self.fit_.trace

    @property
    def mle_retvals(self) -> dict[str, Any]:
        """How the iterations went, with statsmodels' keys and more."""
        fit = self.fit_
        return {
            "fopt": -self.llf / self.nobs,
            "iterations": fit.iterations,
            "converged": fit.converged,
            "warnflag": 0 if fit.converged else 1,
            "score": self.model.score(fit.beta),
            "decrement": fit.decrement,
            "condition_number": fit.condition,
            "trace": fit.trace,
        }

    def convergence_message(self) -> str:
        """How the iterations ended, in statsmodels' words."""
        first = "Optimization terminated successfully." if self.converged else "Maximum number of iterations reached."
        value = -self.llf / self.nobs
        return f"{first}\n         Current function value: {value:.6f}\n         Iterations {self.fit_.iterations}"

    def sample_line(self) -> str:
        """The account of the rows in one line."""
        return self.model.sample.line()

    # Fitted values and residuals.

    @property
    def fittedvalues(self) -> Vector:
        """(n,) linear predictor."""
        return self._rows(self.fit_.eta)

    def predict(self, exog: Any = None, which: str = "mean", offset: Any = None) -> Vector:
        """Probabilities, linear predictors or variances.

        Parameters
        ----------
        exog : table or (m, k) array_like, optional
            New data: for formula fits a table with the formula's columns, else design columns. By default the rows of
            the fit.
        which : {"mean", "linear", "var"}
            Probability p, linear predictor, or p (1 - p).
        offset : str, float or (m,) array_like, optional
            For models with an offset given as a column, that column of the new data by default; for models with an
            offset given as an array it must be given.

        Returns
        -------
        Series or array
            One value for each row, NaN where something is missing.
        """
        check_choice("which", which, ("mean", "linear", "var"))
        eta, index = (self.fit_.eta, None) if exog is None and offset is None else predict_new(self.fit_, exog, offset)
        values = eta if which == "linear" else (probability if which == "mean" else variance)(eta)
        if not self.fit_.design.labelled and index is None:
            return values
        return pd.Series(values, index=self.fit_.design.index if index is None else index)

    @property
    def resid_response(self) -> Vector:
        """(n,) observed proportion minus probability."""
        return self._rows(residuals(self.fit_, "response"))

    @property
    def resid_pearson(self) -> Vector:
        """(n,) Pearson residuals."""
        return self._rows(residuals(self.fit_, "pearson"))

    @property
    def resid_dev(self) -> Vector:
        """(n,) deviance residuals."""
        return self._rows(residuals(self.fit_, "dev"))

    @property
    def resid_generalized(self) -> Vector:
        """(n,) score residuals, successes minus expected successes."""
        return self._rows(residuals(self.fit_, "generalized"))

    @property
    def resid_working(self) -> Vector:
        """(n,) working residuals."""
        return self._rows(residuals(self.fit_, "working"))

    def pred_table(self, threshold: float = 0.5) -> FloatArray:
        """(2, 2) counts, observed by predicted outcome; a success is predicted where p > threshold."""
        return pred_table(self.fit_, threshold)

    # How good.

    def classification(self, threshold: float = 0.5) -> Classification:
        """Accuracy, sensitivity, specificity and the other measures at a threshold, with a `report()` text."""
        return classification(self.fit_, threshold)

    def roc(self) -> Roc:
        """ROC curve: area with DeLong's standard error and limits, Youden's index, concordance."""
        from logit_stats.assess.ranking import roc

        return roc(self.fit_)

    def get_influence(self) -> Influence:
        """Leverage, Cook's distance, dfbetas and residuals standardized for leverage, of every row."""
        from logit_stats.assess.influence import Influence

        return Influence(self.fit_)

    def vif(self) -> VarianceInflation:
        """Generalized variance inflation factors of the terms, and those of the design columns."""
        from logit_stats.assess.collinearity import variance_inflation

        return variance_inflation(self.fit_, self.covariance_)

    # The same fit seen differently.

    def with_cov(self, cov_type: str, **settings: Any) -> LogitResults:
        """Return the same fit with another covariance, without fitting again.

        Parameters
        ----------
        cov_type : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster", "survey"}
        **settings
            For "cluster": `groups`, a column name, one label for each row, or a list of several groupings; and
            `use_correction`, True (as statsmodels), "G" or False.
        """
        return replace(self, covariance_=covariance(self.fit_, cov_type, **settings))

    def lr_test(self, other: LogitResults) -> LikelihoodRatioTest:
        """Likelihood-ratio test against a nested (or nesting) fit to the same rows."""
        return likelihood_ratio_test(self.fit_, other.fit_)

    def get_margeff(
        self, at: str = "overall", method: str = "dydx", atexog: Any = None, dummy: bool = False, count: bool = False
    ) -> ColumnMargins:
        """Marginal effects of single design columns, as statsmodels defines them; see `column_margins`."""
        from logit_stats.inference.column_margins import column_margins

        return column_margins(self.fit_, self.covariance_, at, method, atexog, dummy, count)

    def margins(
        self, variables: str | Sequence[str] | None = None, at: Mapping[str, Any] | None = None,
        over: str | None = None, method: str = "dydx", *, comparison: str = "difference", changes: str = "reference",
        dummy: bool = False, subset: Any = None, alpha: float = 0.05,
    ) -> Margins:  # fmt: skip
        """Marginal effects of variables, all of their terms moving together; see `variable_margins`."""
        from logit_stats.inference.variable_margins import variable_margins

        return variable_margins(
            self.fit_, self.covariance_, variables, at, over, method,
            comparison=comparison, changes=changes, dummy=dummy, subset=subset, alpha=alpha,
        )  # fmt: skip

    def means(self, spec: str) -> MarginalMeans:
        """Estimated marginal means of factors, with contrasts: ``"sex"``, ``"sex + race"`` or ``"sex | race"``."""
        from logit_stats.inference.marginal_means import marginal_means

        return marginal_means(self.fit_, self.covariance_, spec)

    def dose(self, p: Any = 0.5, variable: str | None = None, alpha: float = 0.05) -> EffectiveDose:
        """Value of a number at which the probability reaches p, with delta-method and Fieller limits."""
        from logit_stats.inference.dose import effective_dose

        return effective_dose(self.fit_, self.covariance_, p, variable, alpha)

    # Predictions with standard errors.

    def get_prediction(self, exog: Any = None, offset: Any = None) -> Prediction:
        """Predicted probabilities of new data (or of the rows of the fit) with standard errors and limits."""
        Z, eta, index = new_rows(self.fit_, exog, offset)
        labels = index if index is not None else self.fit_.design.index if exog is None else pd.RangeIndex(len(eta))
        return prediction(self.covariance_, Z, eta, labels)

    def average_prediction(self, exog: Any = None, offset: Any = None, alpha: float = 0.05) -> AveragePrediction:
        """Mean predicted probability of new data, or of the rows of the fit (weights and trials counted)."""
        Z, eta, _ = new_rows(self.fit_, exog, offset)
        return average_prediction(
            self.covariance_, Z, eta, self.fit_.design.row_weight if exog is None else None, alpha
        )

    def get_distribution(self, exog: Any = None, offset: Any = None) -> Any:
        """Return SciPy's frozen Bernoulli distribution of every row's outcome."""
        from scipy.stats import bernoulli

        return bernoulli(probability(new_rows(self.fit_, exog, offset)[1]))

    # Reports.

    def summary_notes(self) -> list[str]:
        """Return the sentences that stand under the summary."""
        from logit_stats.report.notes import notes

        return notes(self)

    def summary(
        self, yname: str | None = None, xname: list[str] | None = None, title: str | None = None,
        alpha: float = 0.05, *, clock: bool = True,
    ) -> Summary:  # fmt: skip
        """Summary in statsmodels' layout; ``clock=False`` leaves date and time out, so that reports reproduce."""
        from logit_stats.report.summary import summary

        return summary(self, yname=yname, xname=xname, title=title, alpha=alpha, clock=clock)

    def summary2(
        self, yname: str | None = None, xname: list[str] | None = None, title: str | None = None,
        alpha: float = 0.05, float_format: str = "%.4f", *, clock: bool = True,
    ) -> Summary:  # fmt: skip
        """Summary in the layout of statsmodels' ``summary2``."""
        from logit_stats.report.summary import summary2

        return summary2(
            self, yname=yname, xname=xname, title=title, alpha=alpha, float_format=float_format, clock=clock
        )

    def tidy(self, conf_int: bool = True, exponentiate: bool = False, alpha: float = 0.05) -> pd.DataFrame:
        """One row a coefficient, as broom's ``tidy``."""
        from logit_stats.report.tidy import tidy

        return tidy(self, conf_int=conf_int, exponentiate=exponentiate, alpha=alpha)

    def glance(self) -> pd.DataFrame:
        """One row for the model, as broom's ``glance``."""
        from logit_stats.report.tidy import glance

        return glance(self)

    def augment(self, data: Any = None) -> pd.DataFrame:
        """One row an observation with fitted values and residuals, as broom's ``augment``."""
        from logit_stats.report.tidy import augment

        return augment(self, data=data)

    def crosscheck(self, rtol: float = 1e-6) -> Crosscheck:
        """Fit the same model in statsmodels and compare, quantity by quantity."""
        from logit_stats.crosscheck import crosscheck

        return crosscheck(self, rtol=rtol)

    def certificate(self) -> Certificate:
        """Guaranteed digits, conditioning, versions and a hash of the data."""
        from logit_stats.assess.certificate import certificate

        return certificate(self.fit_)

    def report(self, path: str | Path | None = None, alpha: float = 0.05) -> str:
        """One self-contained page of HTML, written to `path` where it is given; without a clock, so it reproduces."""
        from logit_stats.report.page import page

        text = page(self, alpha=alpha)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    # Keeping.

    def save(self, path: str | Path) -> None:
        """Write the result to a file; `logit_stats.load` reads it back."""
        from logit_stats.keep import save

        save(self, path)

    def __str__(self) -> str:
        return f"{self.model!r}\n{self.tidy().to_string(index=False)}"

    def __repr__(self) -> str:
        state = "" if self.converged else "NOT CONVERGED, "
        return f"<LogitResults {state}llf={self.llf:.6g}, {self.fit_.parameters} coefficients; {self.sample_line()}>"

    def _repr_html_(self) -> str:
        return str(self.summary(clock=False)._repr_html_())
