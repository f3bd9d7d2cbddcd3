"""`MNLogitResults`: what a user asks of a multinomial fit, under the names of every other fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np
import pandas as pd

from logit_stats.assess.classification import CategoryClassification, category_table
from logit_stats.design.block import FloatArray
from logit_stats.errors import NotAvailableError, check_choice
from logit_stats.models.multinomial import MNLogit, by_category
from logit_stats.results.effects import Effects
from logit_stats.results.estimates import Estimates
from logit_stats.results.finished import Matrix, Vector
from logit_stats.results.hypotheses import JointTests
from logit_stats.results.likelihood import Likelihood
from logit_stats.results.prediction import new_rows, not_estimable, predict_new, warn_not_estimable
from logit_stats.wording import lines, table

if TYPE_CHECKING:
    from logit_stats.inference.predictions import AveragePrediction, Prediction
    from logit_stats.peers.crosscheck import Crosscheck
    from logit_stats.report.summary import Summary

LIKELIHOOD_RSQUARED = (
    "mcfadden", "mcfadden_adj", "cox_snell", "nagelkerke", "aldrich_nelson", "veall_zimmermann", "estrella"
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class MNLogitResults(Estimates, Likelihood, JointTests, Effects):
    """Results of a multinomial logit fit, with statsmodels' names.

    Coefficients are a table with a row for each column of the design and a column for each category but the reference.
    Results of formula fits (and of fits to pandas objects) carry labels; those of array fits are NumPy arrays.

    Attributes
    ----------
    model : MNLogit
        The model.
    fit_ : Fit
        The finished fit in the solver's terms.
    covariance_ : Covariance
        The covariance that standard errors, tests and intervals use.
    """

    model: MNLogit  # type: ignore[assignment]

    # Labels.

    @property
    def _equations(self) -> tuple[Any, ...]:
        return self.model.categories.labels[1:]

    def _coefficients(self, values: FloatArray) -> Matrix:
        """(k, J) table of values that stand equation by equation."""
        table = values.reshape(len(self._equations), -1).T.copy()
        if not self.fit_.design.labelled:
            return table
        columns = pd.Index(list(self._equations), name=self.model.endog_names)
        return pd.DataFrame(table, index=self.model.exog_names, columns=columns)

    def _index(self) -> pd.MultiIndex:
        names = (self.model.endog_names, None)
        return pd.MultiIndex.from_product((self._equations, self.model.exog_names), names=names)

    def _by_category(self, values: FloatArray, index: pd.Index | None) -> Matrix:
        if not self.fit_.design.labelled and index is None:
            return values
        columns = pd.Index(list(self.model.categories.labels), name=self.model.endog_names)
        return pd.DataFrame(values, index=self.fit_.design.index if index is None else index, columns=columns)

    # Estimates.

    def conf_int(self, alpha: float = 0.05, method: str = "wald") -> Matrix:
        """Confidence limits at level ``1 - alpha``: a row for each category and column; of array fits (J, k, 2).

        Parameters
        ----------
        alpha : float
        method : {"wald", "profile"}
            From standard errors, or from the profile likelihood.
        """
        check_choice("method", method, ("wald", "profile"))
        limits = self._limits(alpha, method)
        if not self.fit_.design.labelled:
            return limits.reshape(len(self._equations), -1, 2)
        return pd.DataFrame(limits, index=self._index(), columns=["lower", "upper"])

    def cov_params(self) -> Matrix:
        """(k J, k J) covariance of the coefficients, equation by equation."""
        matrix = self.covariance_.matrix.copy()
        return pd.DataFrame(matrix, index=self._index(), columns=self._index()) if self.fit_.design.labelled else matrix

    def relative_risk_ratios(self, alpha: float = 0.05, method: str = "wald") -> pd.DataFrame:
        """Relative risk ratios exp(beta), their delta-method standard errors, and the exponentiated limits of `conf_int`.

        By how much the ratio of a category's probability to the reference's is multiplied when the column grows by one
        (Stata calls it RRR; others the odds ratio against the reference).
        """
        limits = self._limits(alpha, method)
        ratio, low, high = np.exp(self.fit_.beta), np.exp(limits[:, 0]), np.exp(limits[:, 1])
        columns = {"relative_risk_ratio": ratio, "std_error": ratio * self.covariance_.standard_errors,
                   "conf_low": low, "conf_high": high}  # fmt: skip
        return pd.DataFrame(columns, index=self._index())

    def odds_ratios(
        self, alpha: float = 0.05, method: str = "wald", units: Mapping[str, Any] | None = None,
        at: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Odds ratios against the reference category, which are the `relative_risk_ratios`."""
        if units is not None or at is not None:
            self.fit_.facts.require("odds_ratios(units=)", "binary")
        return self.relative_risk_ratios(alpha, method).rename(columns={"relative_risk_ratio": "odds_ratio"})

    def bootstrap(self, *_: Any, **__: Any) -> NoReturn:
        """Not available for several categories."""
        raise NotAvailableError("The bootstrap is not there for a response of several categories; use with_cov('HC1').")

    @property
    def pearson_chi2(self) -> NoReturn:
        """Not available for several categories."""
        raise NotAvailableError("Pearson's chi-squared is not there for a response of several categories.")

    def pseudo_rsquared(self, kind: str = "mcfadden") -> Any:
        """Pseudo-R² of one kind that is made of likelihoods, or of all these as a Series (``kind="all"``)."""
        check_choice("kind", kind, (*LIKELIHOOD_RSQUARED, "all"))
        if kind != "all":
            return self._statistics.pseudo_rsquared(kind)
        return pd.Series({name: self._statistics.pseudo_rsquared(name) for name in LIKELIHOOD_RSQUARED})

    def with_cov(self, cov_type: str, use_t: bool | None = None, **settings: Any) -> Self:
        """Return the same fit with another covariance, without fitting again.

        Parameters
        ----------
        cov_type : {"nonrobust", "opg", "HC0", "HC1", "cluster", "survey"}
        **settings
            As for `LogitResults.with_cov`.
        """
        return replace(self, covariance_=self._covariance(cov_type, use_t, settings))

    # Rows.

    @property
    def fittedvalues(self) -> Matrix:
        """(n, J) linear predictors."""
        eta = self.fit_.eta
        columns = pd.Index(list(self._equations), name=self.model.endog_names)
        return pd.DataFrame(eta, index=self.fit_.design.index, columns=columns) if self.fit_.design.labelled else eta

    def predict(self, exog: Any = None, which: str = "mean") -> Matrix:
        """Probabilities, or linear predictors (zero for the reference), a column for each category.

        Parameters
        ----------
        exog : table or (m, k) array_like, optional
            New data: for formula fits a table with the formula's columns, else design columns. By default the rows of
            the fit.
        which : {"mean", "linear"}

        Returns
        -------
        DataFrame or array
            One row for each row, NaN where something is missing.
        """
        check_choice("which", which, ("mean", "linear"))
        eta, index = (self.fit_.eta, None) if exog is None else predict_new(self.fit_, exog, None)
        warn_not_estimable(self.fit_.design, exog)
        values = by_category(eta, which)
        return values if exog is not None and index is None else self._by_category(values, index)

    def get_prediction(self, exog: Any = None) -> Prediction:
        """Probabilities of each category with standard errors and intervals; `exog` as for `predict`."""
        from logit_stats.inference.predictions import prediction

        Z, eta, index = new_rows(self.fit_, exog, None)
        index = index if index is not None else self.fit_.design.index if exog is None else pd.RangeIndex(len(Z))
        return prediction(self.fit_, self.covariance_, Z, eta, index, not_estimable(self.fit_.design, exog))

    def average_prediction(self, exog: Any = None, alpha: float = 0.05) -> AveragePrediction:
        """Mean probability of each category over new data, or over the rows of the fit (weights counted)."""
        from logit_stats.inference.predictions import average_prediction

        Z, eta, _ = new_rows(self.fit_, exog, None)
        weight = self.fit_.design.row_weight if exog is None else None
        notes = not_estimable(self.fit_.design, exog)
        return average_prediction(self.fit_, self.covariance_, Z, eta, weight, alpha, notes)

    @property
    def resid_response(self) -> Matrix:
        """(n, J + 1) indicator of the category minus its probability."""
        return self._by_category(self.model.wendog - by_category(self.fit_.eta, "mean"), None)

    @property
    def resid_misclassified(self) -> Vector:
        """(n,) 1 where the most probable category is not the observed one, else 0."""
        most_probable = by_category(self.fit_.eta, "mean").argmax(axis=1)
        return self._rows((most_probable != self.model.categories.codes).astype(np.float64))

    def pred_table(self) -> Matrix:
        """(J + 1, J + 1) counts: row observed, column the most probable category; weights are counted."""
        counts = category_table(self.fit_)
        if not self.fit_.design.labelled:
            return counts
        labels = list(self.model.categories.labels)
        return pd.DataFrame(counts, index=pd.Index(labels, name="observed"), columns=pd.Index(labels, name="predicted"))

    def classification(self) -> CategoryClassification:
        """Precision, recall and F1 of each category, accuracy, Cohen's kappa, with a `report()` text."""
        return CategoryClassification(category_table(self.fit_), self.model.categories.names)

    # Reports.

    def equation_names(self) -> list[str]:
        """Names of the equations in a summary."""
        return [f"{self.model.endog_names}={name}" for name in self.model.categories.names[1:]]

    def summary(
        self, yname: str | None = None, xname: list[str] | None = None, title: str | None = None,
        alpha: float = 0.05, *, clock: bool = True,
    ) -> Summary:  # fmt: skip
        """Summary in statsmodels' layout; ``clock=False`` leaves date and time out, so that reports reproduce."""
        from logit_stats.report.category_summary import category_summary

        return category_summary(self, yname=yname, xname=xname, title=title, alpha=alpha, clock=clock)

    def summary_notes(self) -> list[str]:
        """Return the sentences that stand under the summary."""
        from logit_stats.report.notes import notes

        return notes(self)

    def tidy(self, conf_int: bool = True, exponentiate: bool = False, alpha: float = 0.05) -> pd.DataFrame:
        """One row a coefficient, as broom's ``tidy``; the column `y_level` says of which category."""
        from logit_stats.report.tidy import tidy_categories

        return tidy_categories(self, conf_int=conf_int, exponentiate=exponentiate, alpha=alpha)

    def glance(self) -> pd.DataFrame:
        """One row for the model, as broom's ``glance``."""
        from logit_stats.report.tidy import glance

        return glance(self)

    def crosscheck(self, rtol: float = 1e-6) -> Crosscheck:
        """Fit the same model in statsmodels and compare, quantity by quantity."""
        from logit_stats.peers.crosscheck import crosscheck_categories

        return crosscheck_categories(self, rtol=rtol)

    def save(self, path: str | Path) -> None:
        """Write the result to a file; `logit_stats.load` reads it back."""
        from logit_stats.results.keep import save

        save(self, path)

    def __str__(self) -> str:
        return f"{self.model!r}\n{table(self.tidy(), '{:.4g}'.format, 2)}"

    def __repr__(self) -> str:
        state = "" if self.converged else "NOT CONVERGED, "
        what = f"{state}llf={self.llf:.6g}, {self.fit_.parameters} coefficients; {self.sample_line()}"
        return lines(f"<MNLogitResults {what}>")

    def _repr_html_(self) -> str:
        return str(self.summary(clock=False)._repr_html_())
