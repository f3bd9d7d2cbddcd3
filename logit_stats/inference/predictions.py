"""Predictions with standard errors: probabilities of the outcomes, limits through the log odds and on the probability.

By the delta method the variance of the log odds of outcome c, ``log p_c / (1 - p_c)``, in a row is ``g' V g`` with
``d/d eta_e = (dp_c / d eta_e) / (p_c (1 - p_c))``; limits are carried back from them, so that they stay between 0 and 1. For a
response of two categories the log odds are the linear predictor.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.errors import check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.reference import NORMAL, Reference
from logit_stats.likelihoods.outcomes import Outcomes
from logit_stats.likelihoods.rows import probability, variance
from logit_stats.wording import WIDTH, lines, printed


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted probabilities of m rows; of several categories the arrays have a column for each.

    Attributes
    ----------
    linear : (m,) or (m, C)
        Log odds (of each category against all others); NaN in rows with missing values.
    se_linear : (m,) or (m, C)
        Their standard errors.
    index : Index
        Row labels.
    reference : Reference
        What limits are taken from.
    labels : tuple
        The categories; empty for a response of two.
    notes : tuple of str
        What a reader must know of the rows.
    which : {"mean", "linear"}
        What `predicted`, `se` and `conf_int` speak of: probabilities, or log odds.
    """

    linear: FloatArray
    se_linear: FloatArray
    index: pd.Index
    reference: Reference = NORMAL
    labels: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()
    which: str = "mean"

    @property
    def log_odds(self) -> FloatArray:
        """(m,) or (m, C) log odds."""
        return self.linear

    @property
    def se_log_odds(self) -> FloatArray:
        """(m,) or (m, C) standard errors of the log odds."""
        return self.se_linear

    @property
    def predicted(self) -> FloatArray:
        """(m,) or (m, C) probabilities; log odds where these were asked for."""
        return self.linear if self.which == "linear" else probability(self.linear)

    @property
    def se(self) -> FloatArray:
        """(m,) or (m, C) standard errors of `predicted`, those of probabilities by the delta method."""
        return self.se_linear if self.which == "linear" else np.asarray(variance(self.linear) * self.se_linear)

    def conf_int(self, alpha: float = 0.05, method: str = "link") -> FloatArray:
        """(m, 2) or (m, C, 2) limits of the probabilities.

        Parameters
        ----------
        alpha : float
            The limits have level ``1 - alpha``.
        method : {"link", "delta"}
            Carried through the link from the limits of the log odds, so that they stay between 0 and 1 ("endpoint" is
            statsmodels' name of it); or probability plus and minus a multiple of its standard error.
        """
        check_choice("method", method, ("link", "endpoint", "delta"))
        if method == "delta" or self.which == "linear":
            return self._limits(self.predicted, self.se, alpha)
        return probability(self._limits(self.linear, self.se_linear, alpha))

    def _limits(self, estimate: FloatArray, se: FloatArray, alpha: float) -> FloatArray:
        half = self.reference.half_width(se, alpha)
        return np.stack([estimate - half, estimate + half], axis=-1)

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Predicted, se, ci_lower and ci_upper (through the link), as statsmodels names them, and the linear predictor.

        Of several categories a row for each row and category, without linear predictors.
        """
        limits = self.conf_int(alpha)
        columns = {"predicted": self.predicted, "se": self.se, "ci_lower": limits[..., 0], "ci_upper": limits[..., 1]}
        if not self.labels:
            columns |= {"linear": self.linear, "se_linear": self.se_linear}
            return pd.DataFrame(columns, index=self.index)
        rows = np.repeat(self.index.to_numpy(), len(self.labels))
        index = pd.MultiIndex.from_arrays(
            [rows, list(self.labels) * len(self.index)], names=[self.index.name, "category"]
        )
        return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)

    @printed
    def __str__(self) -> str:
        shown = self.summary_frame().to_string(line_width=WIDTH, float_format=lambda v: f"{v:.6g}")
        return "\n".join([shown, *map(lines, self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        below = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return str(self.summary_frame().to_html(float_format=lambda v: f"{v:.6g}")) + below


@dataclass(frozen=True, slots=True)
class AveragePrediction:
    """Mean predicted probability of some rows, with its delta-method standard error and limits.

    Of several categories the numbers are arrays, one for each of `labels`.
    """

    estimate: Any
    std_error: Any
    conf_low: Any
    conf_high: Any
    rows: int
    labels: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()

    def summary_frame(self) -> pd.DataFrame:
        """One row, or one for each category."""
        index = list(self.labels) or ["probability"]
        numbers = [self.estimate, self.std_error, self.conf_low, self.conf_high]
        return pd.DataFrame(
            np.column_stack([np.atleast_1d(number) for number in numbers]),
            index=index,
            columns=["estimate", "std_error", "conf_low", "conf_high"],
        )

    @printed
    def __str__(self) -> str:
        if self.labels:
            table = self.summary_frame().to_string(float_format=lambda v: f"{v:.6g}")
            return "\n".join([f"Average predicted probabilities of {self.rows} rows", table, *map(lines, self.notes)])
        said = lines(
            f"Average predicted probability of {self.rows} rows: {self.estimate:.6g} (SE {self.std_error:.3g}, "
            f"{self.conf_low:.6g} to {self.conf_high:.6g})"
        )
        return "\n".join([said, *map(lines, self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def prediction(
    fit: Fit, cov: Covariance, Z: FloatArray, eta: FloatArray, index: pd.Index, notes: tuple[str, ...] = (),
    *, cumulative: bool = False,
) -> Prediction:  # fmt: skip
    """Predictions for rows.

    Parameters
    ----------
    fit : Fit
    cov : Covariance
        Of the coefficients.
    Z : (m, k)
        Working columns, NaN where something is missing.
    eta : (m,) or (m, E)
        Their linear predictors.
    index : Index
    notes : tuple of str
    cumulative : bool
        Probabilities of a category or one below it, in the place of those of the categories; the last, which is one, left out.
    """
    if fit.facts.binary:
        se = np.sqrt(np.maximum(np.einsum("ij,ij->i", Z @ cov.working, Z), 0.0))
        return Prediction(eta, se, index, cov.reference.along(Z), notes=notes)
    found, labels = fit.outcomes(eta), fit.design.response.labels
    if cumulative:
        found, labels = found.cumulative(), tuple(f"<= {label}" for label in labels[:-1])
    V = fit.design.parameters.spread(cov.working)
    E = len(V)
    forms = np.array([[np.einsum("ij,ij->i", Z @ V[e, :, f], Z) for f in range(E)] for e in range(E)])
    slope = _slope_of_log_odds(found)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(found.prob) - np.log(found.complement)
    square = np.einsum("cem,efm,cfm->cm", slope, forms, slope)
    return Prediction(odds.T, np.sqrt(np.maximum(square, 0.0)).T, index, cov.reference, labels, notes)


def _slope_of_log_odds(found: Outcomes) -> FloatArray:
    """(C, E, m) derivatives of the log odds of each outcome against the others."""
    p, q = found.prob[:, None], found.complement[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = found.first / p / q
    # the linear predictor of an outcome that has one of its own moves its log odds by as much, however rare it is
    return np.where(np.isfinite(slope) | np.isnan(found.prob[:, None]), slope, 1.0)


def average_prediction(
    fit: Fit,
    cov: Covariance,
    Z: FloatArray,
    eta: FloatArray,
    weight: FloatArray | None = None,
    alpha: float = 0.05,
    notes: tuple[str, ...] = (),
) -> AveragePrediction:
    """Weighted mean probability of rows; rows with missing values are left out and not counted.

    With `notes` some row is not estimable, and neither is the mean.
    """
    complete = np.isfinite(eta if eta.ndim == 1 else eta.sum(axis=1))
    Z, eta = Z[complete], eta[complete]
    a = np.ones(len(eta)) if weight is None else weight[complete]
    found = fit.outcomes(eta)
    G = fit.design.parameters.gathered((found.first * a) @ Z) / a.sum()
    estimate = found.prob @ a / a.sum()
    se = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", G, cov.working, G), 0.0))
    if notes:
        estimate, se = np.full_like(estimate, np.nan), np.full_like(se, np.nan)
    limits = cov.reference.along(G).limits(estimate, se, alpha)
    low, high = limits[:, 0], limits[:, 1]
    if not fit.facts.binary:
        return AveragePrediction(estimate, se, low, high, len(eta), fit.design.response.labels, notes)
    one = [float(number[0]) for number in (estimate, se, low, high)]
    return AveragePrediction(one[0], one[1], one[2], one[3], len(eta), notes=notes)
