"""How well the probabilities rank events above non-events: ROC curve, its area, and measures of concordance.

The area is the share of all pairs of an event and a non-event in which the event has the larger probability, ties counting
half (exact, by sorting: O(n log n)); its variance is that of DeLong, DeLong and Clarke-Pearson (1988, Biometrics 44,
837-845). Weights and trials count as that many outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from logit_stats.assess.scored import Scored, first_of_ties
from logit_stats.design.block import FloatArray
from logit_stats.errors import check_alpha
from logit_stats.estimation.fit import Fit
from logit_stats.wording import lines, printed

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

    @printed
    def __str__(self) -> str:
        return lines(
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
        first; log_odds, the same threshold for the linear predictor, which tells apart what as a probability is 1.
    concordance : Concordance
    note : str
        What a reader must know of how it was computed.
    """

    auc: float
    variance: float
    curve: pd.DataFrame
    concordance: Concordance
    note: str = ""

    @property
    def se(self) -> float:
        """Standard error of the area."""
        return float(np.sqrt(self.variance))

    def conf_int(self, alpha: float = 0.05, clip: bool = True) -> tuple[float, float]:
        """Normal limits of the area, by default within 0 and 1."""
        check_alpha(alpha)
        half = float(stats.norm.isf(alpha / 2.0)) * self.se
        low, high = self.auc - half, self.auc + half
        return (max(low, 0.0), min(high, 1.0)) if clip else (low, high)

    @property
    def youden(self) -> pd.DataFrame:
        """Row or rows of the curve with the largest sensitivity + specificity - 1 (Youden 1950)."""
        j = self.curve["youden"]
        best: pd.DataFrame = self.curve[j >= j.max() - TIED]
        return best.reset_index(drop=True)

    @printed
    def __str__(self) -> str:
        low, high = self.conf_int()
        best = self.youden.iloc[0]
        return lines(
            f"Area under the ROC curve {self.auc:.4f} (SE {self.se:.4f}, 95 % {low:.4f} to {high:.4f}); largest Youden index "
            f"{best['youden']:.4f} at p >= {best['threshold']:.4f} (sensitivity {best['sensitivity']:.4f}, specificity "
            f"{best['specificity']:.4f})" + (f". {self.note}" if self.note else "")
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(str(self))}</p>"


def roc(fit: Fit) -> Roc:
    """ROC curve of the fitted probabilities."""
    return roc_of(Scored.of_fit(fit))


@dataclass(frozen=True, eq=False)
class _Ties:
    """Rows in rising order of log odds, those of equal log odds (ties) put together.

    Attributes
    ----------
    order : (n,) int
    starts : (t,) int
        Where a tie begins in that order.
    events, nonevents : (t,)
    below, above : (t,)
        Non-events below each tie, events above it.
    """

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    events: FloatArray
    nonevents: FloatArray
    below: FloatArray
    above: FloatArray

    @classmethod
    def of(cls, scored: Scored) -> _Ties:
        order = np.argsort(scored.eta, kind="stable")
        starts = first_of_ties(scored.eta[order])
        events = np.add.reduceat(scored.events[order], starts)
        others = np.add.reduceat(scored.nonevents[order], starts)
        return cls(order, starts, events, others, np.cumsum(others) - others, float(events.sum()) - np.cumsum(events))

    def concordance(self) -> Concordance:
        concordant, tied = float(self.events @ self.below), float(self.events @ self.nonevents)
        events, others = float(self.events.sum()), float(self.nonevents.sum())
        pairs = events * others
        return Concordance(pairs, concordant, pairs - concordant - tied, tied, events + others)


def concordance_of(scored: Scored) -> Concordance:
    """Pairs of an event and a non-event."""
    return _Ties.of(scored).concordance()


def roc_of(scored: Scored) -> Roc:
    """ROC curve of probabilities."""
    ties = _Ties.of(scored)
    concordance = ties.concordance()
    total_events, total_others = float(ties.events.sum()), float(ties.nonevents.sum())
    # the share of non-events below each event, and of events above each non-event
    of_event = (ties.below + 0.5 * ties.nonevents) / total_others
    of_other = (ties.above + 0.5 * ties.events) / total_events
    variance = _spread(scored, ties, of_event, ties.events, concordance.c_index)
    variance += _spread(scored, ties, of_other, ties.nonevents, concordance.c_index)
    sensitivity = (ties.above + ties.events) / total_events
    specificity = ties.below / total_others
    curve = pd.DataFrame(
        {"threshold": scored.prob[ties.order[ties.starts]], "sensitivity": sensitivity, "specificity": specificity,
         "youden": sensitivity + specificity - 1.0, "log_odds": scored.eta[ties.order[ties.starts]]}
    ).iloc[::-1].reset_index(drop=True)  # fmt: skip
    return Roc(concordance.c_index, variance, curve, concordance)


def _spread(scored: Scored, ties: _Ties, values: FloatArray, weight: FloatArray, mean: float) -> float:
    """Variance of the mean placement; sampling weights are squared row by row, not by tie."""
    if not scored.sampling:
        return scored.variance_of_mean(values, weight, mean)
    rows = (scored.events if weight is ties.events else scored.nonevents)[ties.order]
    sizes = np.diff(np.r_[ties.starts, len(rows)])
    return scored.variance_of_mean(np.repeat(values, sizes), rows, mean)
