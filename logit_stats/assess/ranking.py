"""How well the probabilities rank events above non-events: ROC curve, its area, and measures of concordance.

The area is the share of all pairs of an event and a non-event in which the event has the larger probability, ties counting
half (exact, by sorting: O(n log n)); its variance is that of DeLong, DeLong and Clarke-Pearson (1988, Biometrics 44,
837-845). Weights and trials count as that many outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from logit_stats.assess.scored import Scored, first_of_ties
from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError
from logit_stats.estimation.fit import Fit

# Youden indexes that differ by less than rounding are the same.
TIED = 1e-12


@dataclass(frozen=True, eq=False)
class Concordance:
    """Pairs of one event and one non-event: C index, Somers' D, Goodman and Kruskal's gamma, Kendall's tau-a."""

    pairs: float
    concordant: float
    discordant: float
    tied: float
    observations: float

    @property
    def c_index(self) -> float:
        """Share of concordant pairs, ties counting half."""
        return (self.concordant + 0.5 * self.tied) / self.pairs

    @property
    def somers_dxy(self) -> float:
        """(concordant - discordant) / pairs."""
        return (self.concordant - self.discordant) / self.pairs

    @property
    def goodman_kruskal_gamma(self) -> float:
        """(concordant - discordant) / (concordant + discordant)."""
        return (self.concordant - self.discordant) / (self.concordant + self.discordant)

    @property
    def kendall_tau_a(self) -> float:
        """(concordant - discordant) over all pairs of observations."""
        return (self.concordant - self.discordant) / (self.observations * (self.observations - 1.0) / 2.0)

    def __str__(self) -> str:
        return (
            f"{self.pairs:.0f} pairs: {self.concordant:.0f} concordant, {self.discordant:.0f} discordant, {self.tied:.0f} tied; "
            f"C {self.c_index:.4f}, Dxy {self.somers_dxy:.4f}, gamma {self.goodman_kruskal_gamma:.4f}, "
            f"tau-a {self.kendall_tau_a:.4f}"
        )


@dataclass(frozen=True, eq=False)
class Roc:
    """ROC curve.

    Attributes
    ----------
    auc : float
        Area under the curve.
    variance : float
        Its variance (DeLong).
    curve : DataFrame
        threshold, sensitivity, specificity, youden for the rule "predict an event where p >= threshold", largest threshold
        first.
    concordance : Concordance
    """

    auc: float
    variance: float
    curve: pd.DataFrame
    concordance: Concordance

    @property
    def se(self) -> float:
        """Standard error of the area."""
        return float(np.sqrt(self.variance))

    def conf_int(self, alpha: float = 0.05, clip: bool = True) -> tuple[float, float]:
        """Normal limits of the area, by default within 0 and 1."""
        if not 0.0 < alpha < 1.0:
            raise DataError(f"alpha={alpha} must lie between 0 and 1 (0.05 gives 95 % intervals).")
        half = float(stats.norm.isf(alpha / 2.0)) * self.se
        low, high = self.auc - half, self.auc + half
        return (max(low, 0.0), min(high, 1.0)) if clip else (low, high)

    @property
    def youden(self) -> pd.DataFrame:
        """Row or rows of the curve with the largest sensitivity + specificity - 1 (Youden 1950)."""
        j = self.curve["youden"]
        best: pd.DataFrame = self.curve[j >= j.max() - TIED]
        return best.reset_index(drop=True)

    def __str__(self) -> str:
        low, high = self.conf_int()
        best = self.youden.iloc[0]
        return (
            f"Area under the ROC curve {self.auc:.4f} (SE {self.se:.4f}, 95 % {low:.4f} to {high:.4f}); largest Youden index "
            f"{best['youden']:.4f} at p >= {best['threshold']:.4f} (sensitivity {best['sensitivity']:.4f}, specificity "
            f"{best['specificity']:.4f})"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(str(self))}</p>"


def roc(fit: Fit) -> Roc:
    """ROC curve of the fitted probabilities."""
    return roc_of(Scored.of_fit(fit))


def roc_of(scored: Scored) -> Roc:
    """ROC curve of probabilities."""
    order = np.argsort(scored.eta, kind="stable")
    prob = scored.prob[order]
    starts = first_of_ties(scored.eta[order])
    events = np.add.reduceat(scored.events[order], starts)
    others = np.add.reduceat(scored.nonevents[order], starts)
    total_events, total_others = float(events.sum()), float(others.sum())
    below = np.cumsum(others) - others
    above = total_events - np.cumsum(events)
    concordant, tied = float(events @ below), float(events @ others)
    pairs = total_events * total_others
    auc = (concordant + 0.5 * tied) / pairs
    # the share of non-events below each event, and of events above each non-event
    of_event, of_other = (below + 0.5 * others) / total_others, (above + 0.5 * events) / total_events
    spread = [
        _spread(scored, of_event, events, auc, starts, order, 0),
        _spread(scored, of_other, others, auc, starts, order, 1),
    ]
    sensitivity = (above + events) / total_events
    specificity = below / total_others
    curve = pd.DataFrame(
        {"threshold": prob[starts], "sensitivity": sensitivity, "specificity": specificity,
         "youden": sensitivity + specificity - 1.0}
    ).iloc[::-1].reset_index(drop=True)  # fmt: skip
    concordance = Concordance(pairs, concordant, pairs - concordant - tied, tied, total_events + total_others)
    return Roc(auc, sum(spread), curve, concordance)


def _spread(
    scored: Scored, values: FloatArray, weight: FloatArray, mean: float, starts: Any, order: Any, kind: int
) -> float:
    """Variance of the mean placement; sampling weights are squared row by row, not by tie."""
    if not scored.sampling:
        return scored.variance_of_mean(values, weight, mean)
    rows = (scored.events, scored.nonevents)[kind][order]
    sizes = np.diff(np.r_[starts, len(rows)])
    return scored.variance_of_mean(np.repeat(values, sizes), rows, mean)
