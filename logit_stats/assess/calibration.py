"""How far probabilities can be believed: calibration, the Brier score and its parts, log loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from logit_stats.assess.hosmer_lemeshow import quantile_limits
from logit_stats.assess.scored import Scored
from logit_stats.assess.smoothing import kernel_curve, lowess_curve
from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.from_arrays import design_from_arrays
from logit_stats.design.row_arguments import RowArguments
from logit_stats.errors import DataError, SeparationError, check_choice, whole_number
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.inference.covariance import covariance
from logit_stats.likelihoods.rows import probability
from logit_stats.wording import WIDTH, decimals, lines, printed


@dataclass(frozen=True, eq=False)
class Calibration:
    """Calibration of probabilities against what happened.

    Attributes
    ----------
    intercept, slope : float
        Of a logistic regression of the outcome on the log odds (Cox 1958, Biometrika 45, 562-565): 0 and 1 if calibrated,
        NaN where the log odds separate the outcomes.
    se_intercept, se_slope : float
    intercept_slope_1 : float
        Intercept with the slope held at 1 (calibration in the large).
    lr, lr_pvalue : float
        Likelihood-ratio test (2 df) that intercept and slope are 0 and 1.
    brier, brier_scaled : float
        Mean squared difference of outcome and probability (Brier 1950); 1 - brier / (prevalence (1 - prevalence)).
    reliability, resolution, uncertainty : float
        Murphy's (1973) parts over the bins: brier = reliability - resolution + uncertainty + what varies within bins.
    log_loss : float
        Mean negative log-likelihood.
    spiegelhalter_z, spiegelhalter_pvalue : float
        Spiegelhalter (1986, Statistics in Medicine 5, 421-433).
    ece : float
        Expected calibration error: mean over the bins, weighted by their size, of the absolute difference between the share
        of events and the mean probability.
    observed_over_expected : float
    emax, e90, eavg : float
        Largest, 90 % quantile and mean of the distances between the probabilities and a smooth calibration curve (Harrell
        2015; the last is also known as the integrated calibration index, Austin and Steyerberg 2019).
    table : DataFrame
        One row a bin: n, mean probability, share of events with Wilson's (1927, JASA 22, 209-212) 95 % limits.
    scored : Scored
        What is compared.
    note : str
        What a reader must know of how it was computed.
    """

    intercept: float
    slope: float
    se_intercept: float
    se_slope: float
    intercept_slope_1: float
    lr: float
    lr_pvalue: float
    brier: float
    brier_scaled: float
    reliability: float
    resolution: float
    uncertainty: float
    log_loss: float
    spiegelhalter_z: float
    spiegelhalter_pvalue: float
    ece: float
    observed_over_expected: float
    table: pd.DataFrame = field(repr=False)
    scored: Scored = field(repr=False)
    note: str = ""

    @cached_property
    def _distances(self) -> tuple[float, float, float]:
        away, count = np.abs(self.scored.prob - lowess_curve(self.scored)), self.scored.outcomes
        return float(away.max()), weighted_quantile(away, count, 0.9), float(count @ away / count.sum())

    @property
    def emax(self) -> float:
        """Largest distance between a probability and the smooth curve."""
        return self._distances[0]

    @property
    def e90(self) -> float:
        """90 % quantile of these distances."""
        return self._distances[1]

    @property
    def eavg(self) -> float:
        """Mean of these distances."""
        return self._distances[2]

    def curve(self, points: int = 100, method: str = "kernel") -> pd.DataFrame:
        """Smooth calibration curve: the share of events along the probability.

        Parameters
        ----------
        points : int
            Number of probabilities, equally far apart.
        method : {"kernel", "lowess"}
            A local mean over the log odds, between the 1 % and 99 % quantiles, as in the picture; or the local lines from
            which `emax`, `e90` and `eavg` are measured, which can leave 0 and 1.
        """
        check_choice("method", method, ("kernel", "lowess"))
        if points < 2:
            raise DataError(f"points={points}: give two or more.")
        if method == "lowess":
            at = np.linspace(self.scored.prob.min(), self.scored.prob.max(), points)
            return pd.DataFrame({"prob": at, "share": lowess_curve(self.scored, at)})
        eta, count = self.scored.eta, self.scored.outcomes
        grid = np.linspace(weighted_quantile(eta, count, 0.01), weighted_quantile(eta, count, 0.99), points)
        return pd.DataFrame({"prob": probability(grid), "share": kernel_curve(self.scored, grid)})

    def summary_frame(self) -> pd.DataFrame:
        """One row a measure."""
        names = [name for name in self.__dataclass_fields__ if name not in ("table", "scored", "note")]
        names += ["emax", "e90", "eavg"]
        return pd.DataFrame({"value": [getattr(self, name) for name in names]}, index=names)

    def _sentence(self) -> str:
        return (
            f"Calibration: intercept {self.intercept:.4f} (SE {self.se_intercept:.4f}), slope {self.slope:.4f} (SE "
            f"{self.se_slope:.4f}); Brier {self.brier:.4f} (scaled {self.brier_scaled:.4f}), log loss {self.log_loss:.4f}, "
            f"Spiegelhalter z = {decimals(self.spiegelhalter_z, 3)} (p = {self.spiegelhalter_pvalue:.3g}), ECE {self.ece:.4f}"
            + (f". {self.note}" if self.note else "")
        )

    @printed
    def __str__(self) -> str:
        table = self.table.to_string(line_width=WIDTH, index=False, float_format="{:.4g}".format)
        return f"{lines(self._sentence())}\n{table}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(self._sentence())}</p>{self.table.to_html(index=False, float_format='{:.4g}'.format)}"


def calibration(scored: Scored, bins: int = 10) -> Calibration:
    """Calibration over bins between quantiles of the probabilities.

    Raises
    ------
    DataError
        If `bins` is less than 2, or a probability is 0 or 1, whose log odds are infinite.
    """
    bins = whole_number("bins", bins)
    if bins < 2:
        raise DataError(f"bins={bins}: give two or more.")
    if not np.isfinite(scored.eta).all():
        raise DataError(
            "A probability is 0 or 1 exactly: its log odds are infinite, and no calibration line can be fitted."
        )
    p, n = scored.prob, scored.total
    line, shifted = calibration_line(scored), calibration_shift(scored)
    at_identity = scored.loglik
    # under sampling weights there is no likelihood to compare
    lr = float("nan") if scored.sampling else float(np.maximum(2.0 * (line.loglik - at_identity), 0.0))
    prevalence = float(scored.events.sum()) / n
    brier = scored.mean((1.0 - p) ** 2, p**2)
    table, expected = _bins(scored, bins), float(scored.outcomes @ p)
    share, mean_prob, weight = (table[name].to_numpy(dtype=np.float64) for name in ("share", "mean_prob", "n"))
    weight = weight / n
    size = scored.outcomes**2 if scored.sampling else scored.outcomes
    spread = float(np.sqrt(np.sum(size * (1.0 - 2.0 * p) ** 2 * p * (1.0 - p))))
    z = (
        float(np.sum((scored.events - scored.outcomes * p) * (1.0 - 2.0 * p))) / spread
        if spread > 0.0
        else float("nan")
    )
    return Calibration(
        intercept=float(line.coef[0]), slope=float(line.coef[1]),
        se_intercept=float(line.std_error[0]), se_slope=float(line.std_error[1]),
        intercept_slope_1=float(shifted.beta[0]), lr=lr, lr_pvalue=float(stats.chi2.sf(lr, 2)),
        brier=brier, brier_scaled=1.0 - brier / (prevalence * (1.0 - prevalence)),
        reliability=float(weight @ (share - mean_prob) ** 2),
        resolution=float(weight @ (share - prevalence) ** 2), uncertainty=prevalence * (1.0 - prevalence),
        log_loss=-at_identity / n, spiegelhalter_z=z, spiegelhalter_pvalue=float(2.0 * stats.norm.sf(abs(z))),
        ece=float(weight @ np.abs(share - mean_prob)),
        observed_over_expected=float(scored.events.sum()) / expected if expected > 0.0 else float("inf"),
        table=table, scored=scored,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class CalibrationLine:
    """Logistic regression of the outcome on the log odds; NaN where the log odds separate the outcomes.

    Attributes
    ----------
    fit_ : Fit or None
    """

    fit_: Fit | None

    @property
    def coef(self) -> FloatArray:
        """(2,) intercept and slope."""
        return np.full(2, np.nan) if self.fit_ is None else self.fit_.beta

    @property
    def std_error(self) -> FloatArray:
        """(2,) their standard errors, robust under sampling weights."""
        return np.full(2, np.nan) if self.fit_ is None else covariance(self.fit_).standard_errors

    @property
    def loglik(self) -> float:
        """Its log-likelihood."""
        return float("nan") if self.fit_ is None else self.fit_.loglik


def calibration_line(scored: Scored) -> CalibrationLine:
    """Fit the line.

    Raises
    ------
    DataError
        If all probabilities are the same.
    """
    if np.ptp(scored.eta) < 1e-10 * max(1.0, float(np.abs(scored.eta).max())):
        raise DataError("The probability is the same in every row; there is no calibration line to fit.")
    design = _design(scored, np.column_stack([np.ones(len(scored.eta)), scored.eta]), None)
    try:
        return CalibrationLine(maximum_likelihood(design, start=np.array([0.0, 1.0])))
    except SeparationError:
        return CalibrationLine(None)


def calibration_shift(scored: Scored) -> Fit:
    """Fit of a new intercept with the linear predictor as offset: recalibration in the large."""
    return maximum_likelihood(_design(scored, np.ones((len(scored.eta), 1)), scored.eta))


def _design(scored: Scored, X: np.ndarray, offset: np.ndarray | None) -> Design:
    counts = np.column_stack([scored.events, scored.nonevents])
    if not scored.sampling:
        return design_from_arrays(counts, X, RowArguments(offset=offset, missing="none"))
    # sampling weights are no counts: each row once as an event, once as a non-event, weighted
    y = np.repeat([1.0, 0.0], len(X))
    weight = np.concatenate([scored.events, scored.nonevents])
    keep = weight > 0.0
    both = None if offset is None else np.tile(offset, 2)[keep]
    return design_from_arrays(
        y[keep],
        np.tile(X, (2, 1))[keep],
        RowArguments(offset=both, sampling_weights=weight[keep], missing="none"),
    )


def _bins(scored: Scored, bins: int) -> pd.DataFrame:
    counts = np.ones(len(scored.prob)) if scored.sampling else np.maximum(np.rint(scored.outcomes), 1.0)
    limits = quantile_limits(scored.prob, counts, bins)
    place = (
        np.searchsorted(limits[1:], scored.prob, side="left")
        if len(limits) > 1
        else np.zeros(len(scored.prob), dtype=int)
    )
    n, events, expected = (
        np.bincount(place, weights=w).astype(np.float64)
        for w in (scored.outcomes, scored.events, scored.outcomes * scored.prob)
    )
    kept = n > 0
    share = events[kept] / n[kept]
    low, high = wilson_limits(share, _effective_size(scored, place, n)[kept])
    return pd.DataFrame(
        {"n": n[kept], "mean_prob": expected[kept] / n[kept], "share": share, "lower": low, "upper": high}
    )


def _effective_size(scored: Scored, place: NDArray[np.intp], n: FloatArray) -> FloatArray:
    """Outcomes in each bin; under sampling weights as many equal ones as would be as sure (Kish 1965, section 11.7)."""
    if not scored.sampling:
        return n
    squares = np.bincount(place, weights=scored.outcomes**2)
    return np.asarray(n**2 / np.where(squares > 0.0, squares, 1.0))


def wilson_limits(share: FloatArray, n: FloatArray, alpha: float = 0.05) -> tuple[FloatArray, FloatArray]:
    """Wilson's score limits of shares of `n`: within 0 and 1, and no point where a share is 0 or 1."""
    z = float(stats.norm.isf(alpha / 2.0))
    middle = (share + z**2 / (2.0 * n)) / (1.0 + z**2 / n)
    half = z / (1.0 + z**2 / n) * np.sqrt(share * (1.0 - share) / n + z**2 / (4.0 * n**2))
    # a share of 0 or 1 is its own limit, whatever rounding says
    return np.where(share == 0.0, 0.0, middle - half), np.where(share == 1.0, 1.0, middle + half)


def weighted_quantile(values: FloatArray, count: FloatArray, level: float) -> float:
    """Quantile of type 7 (Hyndman and Fan 1996); a value counts `count` times, which need not be whole."""
    order = np.argsort(values, kind="stable")
    x, upto = values[order], np.cumsum(count[order])
    position = level * (upto[-1] - 1.0)
    whole = np.floor(position)
    low, high = (x[min(int(np.searchsorted(upto, at, side="right")), len(x) - 1)] for at in (whole, whole + 1.0))
    return float(low + (high - low) * (position - whole))
