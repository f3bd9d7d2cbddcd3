"""`OfCategories`: answers whose shape is a response of several categories, under the names of every other result."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.assess.classification import CategoryClassification, category_table
from logit_stats.assess.fit_statistics import LIKELIHOOD_RSQUARED
from logit_stats.design.block import FloatArray
from logit_stats.design.constraints import Constraints, read_constraints
from logit_stats.errors import NotAvailableError, check_choice
from logit_stats.likelihoods.category_moments import by_category
from logit_stats.results.answers import Answers
from logit_stats.results.finished import Matrix, Vector
from logit_stats.results.needs import needs
from logit_stats.results.prediction import new_rows, not_estimable, predict_new, warn_not_estimable
from logit_stats.wording import printed, table

if TYPE_CHECKING:
    from logit_stats.assess.category_ranking import CategoryRoc
    from logit_stats.inference.predictions import AveragePrediction
    from logit_stats.models.multinomial import MNLogit
    from logit_stats.peers.crosscheck import Crosscheck


@dataclass(frozen=True, eq=False, repr=False)
class OfCategories(Answers):
    """Answers for several categories.

    Coefficients are a table with a row for each column of the design and a column for each category but the reference.
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

    @property
    def J(self) -> int:
        """Number of categories, the reference counted."""
        return self.model.J

    @property
    def K(self) -> int:
        """Number of design columns."""
        return self.model.K

    def _constraints(self, given: Any) -> Constraints:
        """Constraints; a coefficient may be called as statsmodels does, ``y1_age`` for ``1:age``."""
        return read_constraints(self._our_names(given), self.fit_.design.coefficient_names)

    def _our_names(self, given: Any) -> Any:
        if isinstance(given, (list, tuple)) and given and all(isinstance(text, str) for text in given):
            return [self._our_names(text) for text in given]
        if not isinstance(given, str):
            return given
        names = self.model.exog_names
        theirs = {f"y{label}_{name}": f"{label}:{name}" for label in self._equations for name in names}
        found = [name for name in sorted(theirs, key=len, reverse=True) if name in given]
        pattern = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in found)
        return re.sub(pattern, lambda match: theirs[match[0]], given) if found else given

    # Estimates.

    @needs("wald")
    def conf_int(self, alpha: float = 0.05, method: str | None = None) -> Matrix:
        """Confidence limits at level ``1 - alpha``: a row for each category and column; of array fits (J, k, 2).

        Parameters
        ----------
        alpha : float
        method : {"wald", "profile", "bootstrap", "bca"}, optional
            From standard errors (the default), from the profile likelihood, or from resamples.
        """
        limits = self._limits(alpha, method)
        if not self.fit_.design.labelled:
            return limits.reshape(len(self._equations), -1, 2)
        return pd.DataFrame(limits, index=self._index(), columns=["lower", "upper"])

    @needs("wald")
    def cov_params(self) -> Matrix:
        """(k J, k J) covariance of the coefficients, equation by equation."""
        matrix = self.covariance_.matrix.copy()
        return pd.DataFrame(matrix, index=self._index(), columns=self._index()) if self.fit_.design.labelled else matrix

    @needs("wald")
    def relative_risk_ratios(self, alpha: float = 0.05, method: str | None = None) -> pd.DataFrame:
        """Relative risk ratios exp(beta), their delta-method standard errors, and the exponentiated limits of `conf_int`.

        By how much the ratio of a category's probability to the reference's is multiplied when the column grows by one
        (Stata calls it RRR; others the odds ratio against the reference).
        """
        limits = self._limits(alpha, method)
        ratio, low, high = np.exp(self.fit_.beta), np.exp(limits[:, 0]), np.exp(limits[:, 1])
        columns = {"relative_risk_ratio": ratio, "std_error": ratio * self.covariance_.standard_errors,
                   "conf_low": low, "conf_high": high}  # fmt: skip
        return pd.DataFrame(columns, index=self._index())

    @needs("wald")
    def odds_ratios(
        self, alpha: float = 0.05, method: str | None = None, units: Any = None, at: Any = None
    ) -> pd.DataFrame:  # fmt: skip
        """Odds ratios against the reference category, which are the `relative_risk_ratios`."""
        if units is not None or at is not None:
            self.facts.require("odds_ratios(units=)", "binary")
        return self.relative_risk_ratios(alpha, method).rename(columns={"relative_risk_ratio": "odds_ratio"})

    def pseudo_rsquared(self, kind: str = "mcfadden") -> Any:
        """Pseudo-R² of one kind that is made of likelihoods, or of all these as a Series (``kind="all"``)."""
        check_choice("kind", kind, (*LIKELIHOOD_RSQUARED, "all"))
        if kind != "all":
            return self._statistics.pseudo_rsquared(kind)
        return pd.Series({name: self._statistics.pseudo_rsquared(name) for name in LIKELIHOOD_RSQUARED})

    # Rows.

    @property
    def fittedvalues(self) -> Matrix:
        """(n, J) linear predictors."""
        eta = self.fit_.eta
        columns = pd.Index(list(self._equations), name=self.model.endog_names)
        return pd.DataFrame(eta, index=self.fit_.design.index, columns=columns) if self.fit_.design.labelled else eta

    def predict(self, exog: Any = None, which: str = "mean", offset: Any = None, *, transform: bool = True) -> Matrix:
        """Probabilities, or linear predictors (zero for the reference), a column for each category.

        Parameters
        ----------
        exog : table or (m, k) array_like, optional
            New data: for formula fits a table with the formula's columns, else design columns. By default the rows of
            the fit.
        which : {"mean", "linear"}
        transform : bool
            With False the new data of a formula fit are design columns.

        Returns
        -------
        DataFrame or array
            One row for each row, NaN where something is missing.
        """
        check_choice("which", which, ("mean", "linear"))
        eta, index = (
            (self.fit_.eta, None)
            if exog is None and offset is None
            else predict_new(self.fit_, exog, offset, transform)
        )
        if transform:
            warn_not_estimable(self.fit_.design, exog)
        values = by_category(eta, which)
        return values if exog is not None and index is None else self._by_category(values, index)

    @needs("wald")
    def average_prediction(self, exog: Any = None, offset: Any = None, alpha: float = 0.05) -> AveragePrediction:
        """Mean probability of each category over new data, or over the rows of the fit (weights counted)."""
        from logit_stats.inference.predictions import average_prediction

        Z, eta, _ = new_rows(self.fit_, exog, offset)
        weight = self.fit_.design.row_weight if exog is None else None
        notes = not_estimable(self.fit_.design, exog)
        return average_prediction(self.fit_, self.covariance_, Z, eta, weight, alpha, notes)

    @property
    def resid_response(self) -> Matrix:
        """(n, J + 1) indicator of the category minus its probability."""
        return self._by_category(self.model.wendog - by_category(self.fit_.eta, "mean"), None)

    @property
    def resid_pearson(self) -> Matrix:
        """(n, J + 1) indicator of the category minus its probability p, over the root of p (1 - p)."""
        p = by_category(self.fit_.eta, "mean")
        return self._by_category((self.model.wendog - p) / np.sqrt(p * (1.0 - p)), None)

    @property
    def resid_generalized(self) -> Matrix:
        """(n, J) derivatives of every row's log-likelihood by its linear predictors, weights left out."""
        return self.model.wendog[:, 1:] - by_category(self.fit_.eta, "mean")[:, 1:]

    @property
    def pearson_chi2(self) -> float:
        """Sum over rows and categories of ``(y - p)² / p`` (Agresti 2013, section 8.1.5), weights counted."""
        p = by_category(self.fit_.eta, "mean")
        with np.errstate(divide="ignore"):
            return float(self.fit_.design.row_weight @ ((self.model.wendog - p) ** 2 / p).sum(axis=1))

    @property
    def resid_misclassified(self) -> Vector:
        """(n,) 1 where the most probable category is not the observed one, else 0."""
        most_probable = by_category(self.fit_.eta, "mean").argmax(axis=1)
        return self._rows((most_probable != self.model.categories.codes).astype(np.float64))

    def pred_table(self, threshold: float = 0.5) -> Matrix:
        """(J + 1, J + 1) counts: row observed, column the most probable category; weights are counted."""
        no_threshold(threshold)
        counts = category_table(self.fit_)
        if not self.fit_.design.labelled:
            return counts
        labels = list(self.model.categories.labels)
        return pd.DataFrame(counts, index=pd.Index(labels, name="observed"), columns=pd.Index(labels, name="predicted"))

    def classification(self, threshold: float = 0.5) -> CategoryClassification:  # type: ignore[override]
        """Precision, recall and F1 of each category, accuracy, Cohen's kappa, with a `report()` text."""
        no_threshold(threshold)
        return CategoryClassification(category_table(self.fit_), self.model.categories.names)

    def roc(self) -> CategoryRoc:  # type: ignore[override]
        """ROC curves of each category against all others, their macro and weighted averages, Hand and Till's M."""
        from logit_stats.assess.category_ranking import category_roc

        self.facts.require("roc", "rows")
        sampling = self.fit_.design.weight_kind == "sampling"
        prob = by_category(self.fit_.eta, "mean")
        return category_roc(prob, self.model.categories, self.fit_.design.row_weight, sampling)

    @property
    def plot(self) -> Any:
        """Pictures: ``coefficients()``, ``odds_ratios()``, ``roc()`` of each category, ``confusion()``."""
        from logit_stats.results.plots import LimitPlots

        return LimitPlots(self)

    # Reports.

    def equation_names(self) -> list[str]:
        """Names of the equations in a summary."""
        return [f"{self.model.endog_names}={name}" for name in self.model.categories.names[1:]]

    @needs("maximum", "rows")
    def crosscheck(self, rtol: float = 1e-6) -> Crosscheck:
        """Fit the same model in statsmodels and compare, quantity by quantity."""
        from logit_stats.peers.crosscheck import crosscheck_categories

        return crosscheck_categories(self, rtol=rtol)

    @printed
    def __str__(self) -> str:
        return f"{self.model!r}\n{table(self.tidy(), '{:.4g}'.format, 2)}"


def no_threshold(threshold: float) -> None:
    """Refuse a threshold where the most probable category is predicted."""
    if threshold != 0.5:
        raise NotAvailableError(
            "Of several categories the most probable one is predicted; there is no threshold. Compare two of them by logit()."
        )
