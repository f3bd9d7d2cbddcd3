"""Predictions with standard errors: linear predictor and probability, limits through the link and on the probability."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.errors import check_choice
from logit_stats.estimation.rows import probability, variance
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.reference import NORMAL, Reference
from logit_stats.wording import WIDTH, lines


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted probabilities.

    Attributes
    ----------
    linear : (m,)
        Linear predictor; NaN in rows with missing values.
    se_linear : (m,)
        Its standard error.
    index : Index
        Row labels.
    reference : Reference
        What limits are taken from.
    """

    linear: FloatArray
    se_linear: FloatArray
    index: pd.Index
    reference: Reference = NORMAL

    @property
    def predicted(self) -> FloatArray:
        """(m,) probabilities."""
        return probability(self.linear)

    @property
    def se(self) -> FloatArray:
        """(m,) standard errors of the probabilities by the delta method."""
        return np.asarray(variance(self.linear) * self.se_linear)

    def conf_int(self, alpha: float = 0.05, method: str = "link") -> FloatArray:
        """(m, 2) limits of the probability.

        Parameters
        ----------
        alpha : float
            The limits have level ``1 - alpha``.
        method : {"link", "delta"}
            Carried through the link from the limits of the linear predictor, so that they stay between 0 and 1; or
            probability plus and minus a multiple of its standard error.
        """
        check_choice("method", method, ("link", "delta"))
        if method == "delta":
            return self.reference.limits(self.predicted, self.se, alpha)
        return probability(self.reference.limits(self.linear, self.se_linear, alpha))

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Predicted, se, ci_lower and ci_upper (through the link), as statsmodels names them, and the linear predictor."""
        limits = self.conf_int(alpha)
        return pd.DataFrame(
            {
                "predicted": self.predicted,
                "se": self.se,
                "ci_lower": limits[:, 0],
                "ci_upper": limits[:, 1],
                "linear": self.linear,
                "se_linear": self.se_linear,
            },
            index=self.index,
        )

    def __str__(self) -> str:
        return self.summary_frame().to_string(line_width=WIDTH, float_format=lambda v: f"{v:.6g}")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.summary_frame().to_html(float_format=lambda v: f"{v:.6g}"))


@dataclass(frozen=True, slots=True)
class AveragePrediction:
    """Mean predicted probability of some rows, with its delta-method standard error and limits."""

    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    rows: int

    def __str__(self) -> str:
        return lines(
            f"Average predicted probability of {self.rows} rows: {self.estimate:.6g} (SE {self.std_error:.3g}, "
            f"{self.conf_low:.6g} to {self.conf_high:.6g})"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def prediction(cov: Covariance, Z: FloatArray, eta: FloatArray, index: pd.Index) -> Prediction:
    """Predictions for rows of working columns Z with linear predictor eta."""
    se = np.sqrt(np.maximum(np.einsum("ij,ij->i", Z @ cov.working, Z), 0.0))
    return Prediction(eta, se, index, cov.reference.along(Z))


def average_prediction(
    cov: Covariance, Z: FloatArray, eta: FloatArray, weight: FloatArray | None = None, alpha: float = 0.05
) -> AveragePrediction:
    """Weighted mean probability of rows of working columns Z; rows with missing values are left out and not counted."""
    complete = np.isfinite(eta)
    Z, eta = Z[complete], eta[complete]
    a = np.ones(len(eta)) if weight is None else weight[complete]
    gradient = (a * variance(eta)) @ Z / a.sum()
    estimate = float(a @ probability(eta) / a.sum())
    se = float(np.sqrt(gradient @ cov.working @ gradient))
    half = float(cov.reference.along(gradient[None, :]).half_width(np.array([se]), alpha)[0])
    return AveragePrediction(estimate, se, estimate - half, estimate + half, len(eta))
