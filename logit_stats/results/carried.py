"""`CarriedResults`: a model that came as a text: it predicts and tests as the original, and has no rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.parameters import Parameters
from logit_stats.design.removed import DesignWithoutRows
from logit_stats.errors import NotAvailableError, check_alpha, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.predictions import AveragePrediction, Prediction, average_prediction, prediction
from logit_stats.inference.wald import wald_interval, z_values
from logit_stats.likelihoods.facts import Facts
from logit_stats.likelihoods.likelihood import Likelihood
from logit_stats.likelihoods.of_design import likelihood_of
from logit_stats.likelihoods.rows import probability, variance
from logit_stats.likelihoods.working import WorkingColumns
from logit_stats.results.finished import Matrix, Vector
from logit_stats.results.prediction import new_rows, not_estimable, warn_not_estimable
from logit_stats.wording import lines, printed, table

NO_ROWS = (
    "{what} needs the rows of the fit, and a model that was carried as a text has none; give new data, or ask the result that "
    "was carried."
)


@dataclass(frozen=True, eq=False)
class CarriedFit:
    """What of a fit predictions and tests need.

    Attributes
    ----------
    design : DesignWithoutRows
        How new data become columns.
    working : WorkingColumns
    gamma : (k,)
        Working coefficients.
    """

    design: DesignWithoutRows
    working: WorkingColumns
    gamma: FloatArray

    predictor = Fit.predictor
    outcomes = Fit.outcomes
    parameters = Fit.parameters

    @property
    def likelihood(self) -> Likelihood:
        """The likelihood of the rows."""
        return likelihood_of(self.design)

    @property
    def facts(self) -> Facts:
        """What is true of it: it has no rows."""
        return self.likelihood.facts.but(rows=False)

    free_parameters = Fit.parameters

    @cached_property
    def beta(self) -> FloatArray:
        """(k,) coefficients of the user's columns."""
        return self.working.beta(self.gamma)


@dataclass(frozen=True, eq=False)
class CarriedResults:
    """A fitted model read from a text by `logit_stats.from_json`.

    Predictions and their limits, Wald tests and the table of coefficients are those of the result that was carried.

    Attributes
    ----------
    fit_ : CarriedFit
    covariance_ : Covariance
    document : dict
        The text it came from, as JSON has it.
    """

    fit_: Any
    covariance_: Covariance
    document: dict[str, Any]

    @property
    def kind(self) -> str:
        """Which model: "binomial", "firth", "multinomial", "ordinal", "gee", "mixed"."""
        return str(self.document["model"])

    @property
    def formula(self) -> str | None:
        """Formula; None for array fits."""
        found = self.fit_.design.formula
        return None if found is None else str(found.text)

    @property
    def _layout(self) -> Parameters:
        found: Parameters = self.fit_.design.parameters
        return found

    def _series(self, values: FloatArray) -> pd.Series:
        return pd.Series(values, index=list(self._layout.names))

    @property
    def params(self) -> pd.Series:
        """Coefficients; of several categories named ``category:column``."""
        return self._series(self.fit_.beta)

    @property
    def bse(self) -> pd.Series:
        """Standard errors."""
        return self._series(self.covariance_.standard_errors)

    @property
    def tvalues(self) -> pd.Series:
        """Statistics z (or t)."""
        return self._series(z_values(self.fit_, self.covariance_))

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values as the carried result had them."""
        return self._series(np.array(self.document["coefficients"]["p_values"], dtype=np.float64))

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Wald's limits at level ``1 - alpha``.

        Raises
        ------
        NotAvailableError
            If the carried result had its limits from a profile, which needs the rows.
        """
        if self.document["coefficients"]["inference"] != "wald":
            raise NotAvailableError(
                "The limits of this model are from a profile of its likelihood, which needs the rows; tidy() has those at 95 %."
            )
        return pd.DataFrame(wald_interval(self.fit_, self.covariance_, alpha), index=list(self._layout.names))

    def cov_params(self) -> pd.DataFrame:
        """Covariance of the coefficients."""
        names = list(self._layout.names)
        return pd.DataFrame(self.covariance_.matrix, index=names, columns=names)

    def tidy(self) -> pd.DataFrame:
        """Coefficients, errors, statistics, p-values and 95 % limits as the carried result had them."""
        limits = np.array(self.document["coefficients"]["limits_95"], dtype=np.float64).reshape(-1, 2)
        columns = {
            "term": list(self._layout.names), "estimate": self.fit_.beta, "std_error": self.covariance_.standard_errors,
            "statistic": self.tvalues.to_numpy(), "p_value": self.pvalues.to_numpy(), "conf_low": limits[:, 0],
            "conf_high": limits[:, 1],
        }  # fmt: skip
        return pd.DataFrame(columns)

    def odds_ratios(self, alpha: float = 0.05) -> pd.DataFrame:
        """Odds ratios exp(beta) with Wald's limits at level ``1 - alpha``."""
        limits = wald_interval(self.fit_, self.covariance_, check_alpha(alpha))
        with np.errstate(over="ignore"):
            columns = {
                "odds_ratio": np.exp(self.fit_.beta),
                "conf_low": np.exp(limits[:, 0]),
                "conf_high": np.exp(limits[:, 1]),
            }
        return pd.DataFrame(columns, index=list(self._layout.names))

    # Tests.

    def t_test(self, r_matrix: Any) -> Any:
        """Test constraints one by one, as `LogitResults.t_test`."""
        from logit_stats.design.constraints import read_constraints
        from logit_stats.inference.hypotheses import t_test

        return t_test(self.fit_, self.covariance_, read_constraints(r_matrix, self._layout.names), None)

    def wald_test(self, r_matrix: Any) -> Any:
        """Test constraints jointly, as `LogitResults.wald_test`."""
        from logit_stats.design.constraints import read_constraints
        from logit_stats.inference.hypotheses import wald_test

        return wald_test(self.fit_, self.covariance_, read_constraints(r_matrix, self._layout.names), None)

    # Predictions.

    def predict(self, exog: Any, which: str = "mean", offset: Any = None) -> Vector | Matrix:
        """Probabilities, linear predictors or variances of new data, as the carried result gives them.

        Parameters
        ----------
        exog : table or (m, k) array_like
            For formula fits a table with the formula's columns, else design columns.
        which : {"mean", "linear", "var"}
        offset : str, float or (m,) array_like, optional

        Returns
        -------
        Series, DataFrame or array
            NaN in rows where something is missing; of several categories a column for each.
        """
        self._require_data("predict()", exog)
        categories = self.fit_.design.response.categories
        known = (
            ("mean", "linear", "var")
            if categories is None
            else ("mean",)
            if self.kind == "ordinal"
            else ("mean", "linear")
        )
        check_choice("which", which, known)
        _, eta, index = new_rows(self.fit_, exog, offset)
        warn_not_estimable(self.fit_.design, exog)
        if categories is None:
            values = eta if which == "linear" else (probability if which == "mean" else variance)(eta)
            return values if index is None else pd.Series(values, index=index)
        values = np.column_stack([np.zeros(len(eta)), eta]) if which == "linear" else self.fit_.outcomes(eta).prob.T
        return values if index is None else pd.DataFrame(values, index=index, columns=self._category_index)

    @property
    def _category_index(self) -> pd.Index:
        response = self.fit_.design.response
        labels: pd.Index = pd.Index(list(response.categories.labels), name=response.name)
        return labels

    def get_prediction(self, exog: Any, offset: Any = None) -> Prediction:
        """Probabilities of new data with standard errors and limits."""
        self._require_data("get_prediction()", exog)
        Z, eta, index = new_rows(self.fit_, exog, offset)
        labels = pd.RangeIndex(len(eta)) if index is None else index
        return prediction(self.fit_, self.covariance_, Z, eta, labels, not_estimable(self.fit_.design, exog))

    def average_prediction(self, exog: Any, offset: Any = None, alpha: float = 0.05) -> AveragePrediction:
        """Mean probability of new data with its standard error and limits."""
        self._require_data("average_prediction()", exog)
        Z, eta, _ = new_rows(self.fit_, exog, offset)
        notes = not_estimable(self.fit_.design, exog)
        return average_prediction(self.fit_, self.covariance_, Z, eta, None, alpha, notes)

    def _require_data(self, what: str, exog: Any) -> None:
        if exog is None:
            raise NotAvailableError(NO_ROWS.format(what=what))

    # Keeping and showing.

    @property
    def facts(self) -> Facts:
        """What is true of such a model."""
        found: Facts = self.fit_.facts
        return found

    def glance(self) -> pd.DataFrame:
        """One row for the model, as the carried result had it."""
        from logit_stats.design.plain_values import decoded

        return pd.DataFrame([{name: decoded(value) for name, value in self.document["statistics"].items()}])

    def to_json(self, indent: int | None = None) -> str:
        """Return the text again."""
        return json.dumps(self.document, indent=indent, allow_nan=False)

    def save(self, path: str | Path) -> None:
        """Write the model to a file; `logit_stats.load` reads it back."""
        from logit_stats.results.keep import save

        save(self, path)

    def to_sql(self, dialect: str = "duckdb", kind: str = "probability") -> str | dict[Any, str]:
        """The prediction as an expression of SQL; see `LogitResults.to_sql`."""
        from logit_stats.report.sql_prediction import sql_of

        return sql_of(self.fit_.design, self.fit_.beta, dialect, kind)

    def sample_line(self) -> str:
        """The account of the rows of the fit in one line."""
        return str(self.document["data"]["account"])

    @printed
    def __str__(self) -> str:
        head = f"{self.kind} logit: {self.formula or 'array fit'}"
        made = self.document["written_by"]
        below = (
            f"{self.sample_line()}; {self.covariance_.cov_type} errors; carried from logit-stats {made['logit-stats']}"
        )
        return "\n".join([lines(head), table(self.tidy(), "{:.5g}".format), lines(below)])

    def __repr__(self) -> str:
        return lines(f"<CarriedResults {self.kind}, {len(self.fit_.gamma)} coefficients; {self.sample_line()}>")

    def _repr_html_(self) -> str:
        return str(self.tidy().to_html(index=False, float_format="{:.5g}".format))
