"""Fitted values, residuals and predictions, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.assess.classification import pred_table
from logit_stats.assess.residuals import residuals
from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError, NotAvailableError, check_choice
from logit_stats.inference.predictions import AveragePrediction, average_prediction, prediction
from logit_stats.likelihoods.rows import probability, variance
from logit_stats.results.finished import Finished, Vector
from logit_stats.results.needs import needs
from logit_stats.results.prediction import new_rows, not_estimable, own_predictor, predict_new, warn_not_estimable

if TYPE_CHECKING:
    pass


class Fitted(Finished):
    """What the fit says of rows."""

    @property
    def fittedvalues(self) -> Vector:
        """(n,) linear predictor."""
        return self._rows(self.fit_.eta)

    def predict(self, exog: Any = None, which: str = "mean", offset: Any = None, *, transform: bool = True) -> Vector:
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
        transform : bool
            With False the new data of a formula fit are design columns, as in ``model.exog``.

        Returns
        -------
        Series or array
            One value for each row, NaN where something is missing.
        """
        check_choice("which", which, ("mean", "linear", "var"))
        eta, index = (
            (own_predictor(self.fit_), None)
            if exog is None and offset is None
            else predict_new(self.fit_, exog, offset, transform)
        )
        if transform:
            warn_not_estimable(self.fit_.design, exog)
        values = eta if which == "linear" else (probability if which == "mean" else variance)(eta)
        if index is None and exog is None and self.fit_.design.labelled:
            index = self.fit_.design.index
        return values if index is None else pd.Series(values, index=index)

    @property
    def resid_response(self) -> Vector:
        """(n,) observed proportion minus probability."""
        return self._rows(residuals(self.fit_, "response"))

    @property
    @needs("finite")
    def resid_pearson(self) -> Vector:
        """(n,) Pearson residuals."""
        return self._rows(residuals(self.fit_, "pearson"))

    @property
    @needs("finite", "binary")
    def resid_dev(self) -> Vector:
        """(n,) deviance residuals."""
        return self._rows(residuals(self.fit_, "dev"))

    @property
    @needs("finite")
    def resid_generalized(self) -> Vector:
        """(n,) score residuals, successes minus expected successes."""
        return self._rows(residuals(self.fit_, "generalized"))

    @property
    @needs("finite", "binary")
    def resid_working(self) -> Vector:
        """(n,) working residuals."""
        return self._rows(residuals(self.fit_, "working"))

    def pred_table(self, threshold: float = 0.5) -> FloatArray:
        """(2, 2) counts, observed by predicted outcome; a success is predicted where p >= threshold."""
        return pred_table(self.fit_, threshold)

    @needs("wald")
    def get_prediction(
        self, exog: Any = None, offset: Any = None, *, transform: bool = True, which: str = "mean", row_labels: Any = None,
        average: bool = False, agg_weights: Any = None,
    ) -> Any:  # fmt: skip
        """Predicted probabilities of new data (or of the rows of the fit) with standard errors and limits.

        Parameters
        ----------
        exog, offset, transform
            As for `predict`.
        which : {"mean", "linear"}
            Probabilities or log odds.
        row_labels : optional
            Labels of the rows, in the place of their own.
        average : bool
            The mean over the rows, as `average_prediction`; with `agg_weights`, one for each row.
        """
        check_choice("which", which, ("mean", "linear"))
        Z, eta, index = new_rows(self.fit_, exog, offset, transform)
        notes = not_estimable(self.fit_.design, exog) if transform else ()
        if average:
            return self._average(Z, eta, agg_weights, notes, which)
        labels = index if index is not None else self.fit_.design.index if exog is None else pd.RangeIndex(len(eta))
        labels = labels if row_labels is None else pd.Index(row_labels)
        return replace(prediction(self.fit_, self.covariance_, Z, eta, labels, notes), which=which)

    def _average(
        self, Z: FloatArray, eta: FloatArray, weights: Any, notes: tuple[str, ...], which: str
    ) -> AveragePrediction:
        if which != "mean":
            raise NotAvailableError(
                "The mean of log odds is not there; ask for it by t_test(mean of the design columns)."
            )
        weight = None if weights is None else np.asarray(weights, dtype=np.float64)
        if weight is not None and weight.shape != (len(Z),):
            raise DataError(f"agg_weights has shape {weight.shape}; there are {len(Z)} rows.")
        return average_prediction(self.fit_, self.covariance_, Z, eta, weight, 0.05, notes)

    @needs("finite", "wald", "binary")
    def average_prediction(self, exog: Any = None, offset: Any = None, alpha: float = 0.05) -> AveragePrediction:
        """Mean predicted probability of new data, or of the rows of the fit (weights and trials counted)."""
        Z, eta, _ = new_rows(self.fit_, exog, offset)
        weight = self.fit_.design.row_weight if exog is None else None
        notes = not_estimable(self.fit_.design, exog)
        return average_prediction(self.fit_, self.covariance_, Z, eta, weight, alpha, notes)

    @needs("finite", "binary")
    def get_distribution(self, exog: Any = None, offset: Any = None) -> Any:
        """Return SciPy's frozen Bernoulli distribution of every row's outcome."""
        from scipy.stats import bernoulli

        return bernoulli(probability(new_rows(self.fit_, exog, offset)[1]))
