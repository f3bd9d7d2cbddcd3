"""How far probabilities can be believed: calibration, the Brier score and its parts, log loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

import numpy as np
import pandas as pd
from scipy import stats

from logit_stats.assess.hosmer_lemeshow import quantile_limits
from logit_stats.assess.scored import Scored
from logit_stats.design.design import Design
from logit_stats.design.from_arrays import design_from_arrays
from logit_stats.errors import DataError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.inference.covariance import covariance


@dataclass(frozen=True, eq=False)
class Calibration:
    """Calibration of probabilities against what happened.

    Attributes
    ----------
    intercept, slope : float
        Of a logistic regression of the outcome on the log odds (Cox 1958, Biometrika 45, 562-565): 0 and 1 if calibrated.
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
    table : DataFrame
        One row a bin: n, mean probability, share of events.
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

    def summary_frame(self) -> pd.DataFrame:
        """One row a measure."""
        names = [name for name in self.__dataclass_fields__ if name != "table"]
        return pd.DataFrame({"value": [getattr(self, name) for name in names]}, index=names)

    def __str__(self) -> str:
        return (
            f"Calibration: intercept {self.intercept:.4f} (SE {self.se_intercept:.4f}), slope {self.slope:.4f} (SE "
            f"{self.se_slope:.4f}); Brier {self.brier:.4f} (scaled {self.brier_scaled:.4f}), log loss {self.log_loss:.4f}, "
            f"Spiegelhalter z = {self.spiegelhalter_z:.3f} (p = {self.spiegelhalter_pvalue:.3g}), ECE {self.ece:.4f}\n"
            f"{self.table.to_string(index=False, float_format='{:.4g}'.format)}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        first = escape(str(self).partition("\n")[0])
        return f"<p>{first}</p>{self.table.to_html(index=False, float_format='{:.4g}'.format)}"


def calibration(scored: Scored, bins: int = 10) -> Calibration:
    """Calibration over bins between quantiles of the probabilities.

    Raises
    ------
    DataError
        If `bins` is less than 2, or a probability is 0 or 1, whose log odds are infinite.
    """
    if bins < 2:
        raise DataError(f"bins={bins}: give two or more.")
    if not np.isfinite(scored.eta).all():
        raise DataError(
            "A probability is 0 or 1 exactly: its log odds are infinite, and no calibration line can be fitted."
        )
    p, n = scored.prob, scored.total
    line, shifted = _line(scored), _shift(scored)
    at_identity = float(
        scored.events @ -np.logaddexp(0.0, -scored.eta) + scored.nonevents @ -np.logaddexp(0.0, scored.eta)
    )
    # under sampling weights there is no likelihood to compare
    lr = float("nan") if scored.sampling else max(2.0 * (line.loglik - at_identity), 0.0)
    errors = covariance(line).standard_errors
    prevalence = float(scored.events.sum()) / n
    brier = scored.mean((1.0 - p) ** 2, p**2)
    table = _bins(scored, bins)
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
        intercept=float(line.beta[0]), slope=float(line.beta[1]),
        se_intercept=float(errors[0]), se_slope=float(errors[1]),
        intercept_slope_1=float(shifted.beta[0]), lr=lr, lr_pvalue=float(stats.chi2.sf(lr, 2)),
        brier=brier, brier_scaled=1.0 - brier / (prevalence * (1.0 - prevalence)),
        reliability=float(weight @ (share - mean_prob) ** 2),
        resolution=float(weight @ (share - prevalence) ** 2), uncertainty=prevalence * (1.0 - prevalence),
        log_loss=-at_identity / n, spiegelhalter_z=z, spiegelhalter_pvalue=float(2.0 * stats.norm.sf(abs(z))),
        ece=float(weight @ np.abs(share - mean_prob)),
        observed_over_expected=float(scored.events.sum()) / float(scored.outcomes @ p), table=table,
    )  # fmt: skip


def _line(scored: Scored) -> Fit:
    """Logistic regression of the outcome on the log odds."""
    if np.ptp(scored.eta) < 1e-10 * max(1.0, float(np.abs(scored.eta).max())):
        raise DataError("The probability is the same in every row; there is no calibration line to fit.")
    return maximum_likelihood(_design(scored, np.column_stack([np.ones(len(scored.eta)), scored.eta]), None))


def _shift(scored: Scored) -> Fit:
    return maximum_likelihood(_design(scored, np.ones((len(scored.eta), 1)), scored.eta))


def _design(scored: Scored, X: np.ndarray, offset: np.ndarray | None) -> Design:
    counts = np.column_stack([scored.events, scored.nonevents])
    if not scored.sampling:
        return design_from_arrays(counts, X, offset=offset)
    # sampling weights are no counts: each row once as an event, once as a non-event, weighted
    y = np.repeat([1.0, 0.0], len(X))
    weight = np.concatenate([scored.events, scored.nonevents])
    keep = weight > 0.0
    both = None if offset is None else np.tile(offset, 2)[keep]
    return design_from_arrays(y[keep], np.tile(X, (2, 1))[keep], offset=both, sampling_weights=weight[keep])


def _bins(scored: Scored, bins: int) -> pd.DataFrame:
    counts = np.ones(len(scored.prob)) if scored.sampling else np.maximum(np.rint(scored.outcomes), 1.0)
    limits = quantile_limits(scored.prob, counts, bins)
    place = (
        np.searchsorted(limits[1:], scored.prob, side="left")
        if len(limits) > 1
        else np.zeros(len(scored.prob), dtype=int)
    )
    n, events, expected = (
        np.bincount(place, weights=w) for w in (scored.outcomes, scored.events, scored.outcomes * scored.prob)
    )
    kept = n > 0
    return pd.DataFrame({"n": n[kept], "mean_prob": expected[kept] / n[kept], "share": events[kept] / n[kept]})
