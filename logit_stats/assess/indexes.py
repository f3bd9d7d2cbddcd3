"""Indexes of probabilities against what happened, as `rms::validate` and `rms::val.prob` define them (Harrell 2015).

Harrell, F. E. (2015), Regression Modeling Strategies, sections 5.3 and 10.8-10.9. All are sums over rows or come from the
calibration line, the logistic regression of the outcome on the log odds.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from logit_stats.assess.calibration import calibration_line
from logit_stats.assess.fit_statistics import nagelkerke
from logit_stats.assess.ranking import concordance_of
from logit_stats.assess.scored import Scored
from logit_stats.design.block import FloatArray
from logit_stats.likelihoods.rows import probability


def gini_mean_difference(values: FloatArray, count: FloatArray) -> float:
    """Mean absolute difference of all pairs; a value counts `count` times. NaN of fewer than two."""
    order = np.argsort(values, kind="stable")
    x, w = values[order], count[order]
    total = float(w.sum())
    if total < 2.0:
        return float("nan")
    upto = np.cumsum(w)
    # each value stands above those before it and below those after it; centred, so that a large mean costs no digits
    return float(2.0 * (w * (2.0 * upto - w - total)) @ (x - x[len(x) // 2]) / (total * (total - 1.0)))


@dataclass(frozen=True, slots=True)
class LikelihoodIndexes:
    """How far probabilities explain outcomes, as they stand.

    Attributes
    ----------
    r2 : float
        Nagelkerke's R²; negative where the probabilities are worse than the prevalence.
    d : float
        Discrimination: (2 (log-likelihood - that of the prevalence) - 1) / n.
    u : float
        Unreliability: (2 (log-likelihood of the calibration line - log-likelihood) - 2) / n.
    q : float
        Quality, d - u.
    """

    r2: float
    d: float
    u: float
    q: float


def likelihood_indexes(scored: Scored, recalibrated: float) -> LikelihoodIndexes:
    """Indexes of probabilities as they stand; `recalibrated` is the log-likelihood of the calibration line."""
    n, loglik, null = scored.total, scored.loglik, scored.null_loglik
    d, u = (2.0 * (loglik - null) - 1.0) / n, (2.0 * (recalibrated - loglik) - 2.0) / n
    return LikelihoodIndexes(nagelkerke(loglik, null, n), d, u, d - u)


@dataclass(frozen=True, slots=True)
class Indexes:
    """The indexes that resampling corrects; those of other data are of the recalibrated log odds, as in `rms::validate`.

    Attributes
    ----------
    dxy, c : float
        Somers' D and the area under the ROC curve.
    r2 : float
        Nagelkerke's R².
    intercept, slope : float
        Calibration line: 0 and 1 on the data of an unpenalized fit.
    d, u, q : float
        Discrimination, unreliability and quality, per outcome.
    brier, brier_scaled : float
    g, gp : float
        Gini's mean difference of the log odds, and of the probabilities.
    """

    dxy: float
    c: float
    r2: float
    intercept: float
    slope: float
    d: float
    u: float
    q: float
    brier: float
    brier_scaled: float
    g: float
    gp: float

    def values(self) -> FloatArray:
        """(12,) all of them."""
        return np.array(astuple(self))


def indexes(scored: Scored) -> Indexes:
    """Indexes of probabilities; NaN where they are not defined (outcomes of one kind, a separated calibration line)."""
    nan = float("nan")
    n, events = scored.total, float(scored.events.sum())
    brier = scored.mean((1.0 - scored.prob) ** 2, scored.prob**2)
    if not 0.0 < events < n:
        return Indexes(nan, nan, nan, nan, nan, nan, nan, nan, brier, nan, nan, nan)
    # sorted once: the sorts below then find it done
    scored = scored.at(np.argsort(scored.eta, kind="stable"))
    share, pairs = events / n, concordance_of(scored)
    intercept, slope, recalibrated = _recalibration(scored)
    eta = slope * scored.eta
    d = (2.0 * (recalibrated - scored.null_loglik) - 1.0) / n
    u = (2.0 * (recalibrated - scored.loglik) - 2.0) / n
    return Indexes(
        dxy=pairs.somers_dxy, c=pairs.c_index, r2=nagelkerke(recalibrated, scored.null_loglik, n),
        intercept=intercept, slope=slope, d=d, u=u, q=d - u, brier=brier, brier_scaled=1.0 - brier / (share * (1.0 - share)),
        g=gini_mean_difference(eta, scored.outcomes), gp=gini_mean_difference(probability(intercept + eta), scored.outcomes),
    )  # fmt: skip


def _recalibration(scored: Scored) -> tuple[float, float, float]:
    """Intercept and slope of the calibration line, and its log-likelihood; of equal log odds the intercept alone."""
    if np.ptp(scored.eta) < 1e-10 * max(1.0, float(np.abs(scored.eta).max())):
        share = float(scored.events.sum()) / scored.total
        return float(np.log(share / (1.0 - share)) - scored.eta[0]), 1.0, scored.null_loglik
    if not np.isfinite(scored.eta).all():
        return float("nan"), float("nan"), float("nan")
    line = calibration_line(scored)
    return float(line.coef[0]), float(line.coef[1]), line.loglik
