"""Predicted probabilities of each category with standard errors and limits.

By the delta method the variance of p_c in a row is ``g'Vg`` with ``dp_c / d eta_e = p_c (1[c = e] - p_e)``. Limits are carried
through the log odds of the category against all others, so that they stay between 0 and 1; with two categories these are the
limits of the binary model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.errors import check_choice
from logit_stats.estimation.category_moments import category_terms
from logit_stats.estimation.rows import probability
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.reference import NORMAL, Reference
from logit_stats.wording import WIDTH


@dataclass(frozen=True, eq=False)
class CategoryPrediction:
    """Predicted probabilities of m rows for C categories.

    Attributes
    ----------
    log_odds : (m, C)
        Log odds of each category against all others; NaN in rows with missing values.
    se_log_odds : (m, C)
        Their standard errors.
    labels : tuple
        The categories, the reference first.
    index : Index
        Row labels.
    reference : Reference
        What limits are taken from.
    """

    log_odds: FloatArray
    se_log_odds: FloatArray
    labels: tuple[Any, ...]
    index: pd.Index
    reference: Reference = NORMAL

    @property
    def predicted(self) -> FloatArray:
        """(m, C) probabilities."""
        return probability(self.log_odds)

    @property
    def se(self) -> FloatArray:
        """(m, C) standard errors of the probabilities."""
        return np.asarray(self.predicted * probability(-self.log_odds) * self.se_log_odds)

    def conf_int(self, alpha: float = 0.05, method: str = "link") -> FloatArray:
        """(m, C, 2) limits of the probabilities at level ``1 - alpha``.

        Parameters
        ----------
        alpha : float
        method : {"link", "delta"}
            Through the log odds, or probability plus and minus a multiple of its standard error.
        """
        check_choice("method", method, ("link", "delta"))
        if method == "delta":
            half = self.reference.half_width(self.se, alpha)
            return np.stack([self.predicted - half, self.predicted + half], axis=2)
        half = self.reference.half_width(self.se_log_odds, alpha)
        return np.stack([probability(self.log_odds - half), probability(self.log_odds + half)], axis=2)

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Predicted, se, ci_lower and ci_upper (through the log odds), a row for each row and category."""
        limits = self.conf_int(alpha)
        columns = {"predicted": self.predicted, "se": self.se, "ci_lower": limits[:, :, 0], "ci_upper": limits[:, :, 1]}
        rows = np.repeat(self.index.to_numpy(), len(self.labels))
        index = pd.MultiIndex.from_arrays(
            [rows, list(self.labels) * len(self.index)], names=[self.index.name, "category"]
        )
        return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)

    def __str__(self) -> str:
        return self.summary_frame().to_string(line_width=WIDTH, float_format=lambda v: f"{v:.6g}")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.summary_frame().to_html(float_format=lambda v: f"{v:.6g}"))


def category_prediction(
    cov: Covariance, Z: FloatArray, eta: FloatArray, labels: tuple[Any, ...], index: pd.Index
) -> CategoryPrediction:
    """Predictions of rows.

    Parameters
    ----------
    cov : Covariance
        Of the coefficients.
    Z : (m, k)
        Working columns, NaN where something is missing.
    eta : (m, J)
        Their linear predictors.
    labels : tuple
        The J + 1 categories.
    index : Index
    """
    m, J = eta.shape
    terms = category_terms(eta.T, None, J + 1)
    V = cov.working.reshape(J, Z.shape[1], J, Z.shape[1])
    forms = np.array([[np.einsum("ij,ij->i", Z @ V[e, :, f], Z) for f in range(J)] for e in range(J)])
    # the derivative of log(p / (1 - p)) by eta_e is (1[c = e] - p_e) / (1 - p_c): one for its own predictor
    variance = np.empty((J + 1, m))
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(terms.prob) - np.log(terms.complement)
        for c in range(J + 1):
            slope = np.array([(-terms.prob[e] / terms.complement[c]) for e in range(1, J + 1)])
            if c > 0:
                slope[c - 1] = 1.0
            variance[c] = np.einsum("ei,efi,fi->i", slope, forms, slope)
    return CategoryPrediction(odds.T, np.sqrt(np.maximum(variance, 0.0)).T, labels, index, cov.reference)
