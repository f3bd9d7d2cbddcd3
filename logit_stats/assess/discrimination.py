"""Comparisons of ROC curves, precision and recall, thresholds by what errors cost."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from scipy import stats

from logit_stats.assess.scored import Scored, first_of_ties
from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError
from logit_stats.wording import lines, printed


@dataclass(frozen=True, slots=True)
class RocComparison:
    """Difference of two areas under ROC curves of the same rows (DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44).

    Attributes
    ----------
    auc1, auc2, difference, std_error, statistic, pvalue : float
    """

    auc1: float
    auc2: float
    difference: float
    std_error: float
    statistic: float
    pvalue: float

    def conf_int(self, alpha: float = 0.05) -> tuple[float, float]:
        """Limits of the difference at level ``1 - alpha``."""
        half = float(stats.norm.isf(alpha / 2.0)) * self.std_error
        return self.difference - half, self.difference + half

    @printed
    def __str__(self) -> str:
        low, high = self.conf_int()
        return lines(
            f"Areas {self.auc1:.4f} and {self.auc2:.4f}: difference {self.difference:.4f} (SE {self.std_error:.4f}, 95 % "
            f"{low:.4f} to {high:.4f}), z = {self.statistic:.4f}, p = {self.pvalue:.4g} (DeLong, paired)"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def compare_rocs(one: Scored, other: Scored) -> RocComparison:
    """Compare the areas of two sets of probabilities of the same outcomes.

    Raises
    ------
    DataError
        If the outcomes are not the same.
    """
    same_outcomes(one, other)
    places = [_placements(scored) for scored in (one, other)]
    auc = [float(one.events @ of_event) / float(one.events.sum()) for of_event, _ in places]
    variance = 0.0
    for kind, weight in ((0, one.events), (1, one.nonevents)):
        variance += one.variance_of_mean(places[0][kind] - places[1][kind], weight, auc[0] - auc[1])
    difference, se = auc[0] - auc[1], float(np.sqrt(variance))
    z = difference / se if se > 0.0 else float(np.copysign(np.inf, difference)) if difference else 0.0
    return RocComparison(auc[0], auc[1], difference, se, z, float(2.0 * stats.norm.sf(abs(z))))


def same_outcomes(one: Scored, other: Scored) -> None:
    """Refuse probabilities of different rows or outcomes.

    Raises
    ------
    DataError
    """
    if len(one.prob) != len(other.prob) or not (
        np.array_equal(one.events, other.events) and np.array_equal(one.nonevents, other.nonevents)
    ):
        raise DataError("The two results have different rows or outcomes; a paired comparison needs the same.")


def _placements(scored: Scored) -> tuple[FloatArray, FloatArray]:
    """For each row the share of non-events below it, and of events above it, ties counting half."""
    order = np.argsort(scored.eta, kind="stable")
    prob = scored.prob[order]
    starts = first_of_ties(scored.eta[order])
    group = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(prob)]))
    events = np.add.reduceat(scored.events[order], starts)
    others = np.add.reduceat(scored.nonevents[order], starts)
    below = (np.cumsum(others) - 0.5 * others) / others.sum()
    above = (events.sum() - np.cumsum(events) + 0.5 * events) / events.sum()
    of_event, of_other = np.empty(len(prob)), np.empty(len(prob))
    of_event[order], of_other[order] = below[group], above[group]
    return of_event, of_other


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Precision and recall at every threshold.

    Attributes
    ----------
    curve : DataFrame
        threshold (predict an event where p >= it), precision, recall, from the highest threshold to the lowest.
    average_precision : float
        Sum of precision times the step in recall.
    prevalence : float
        Precision of a prediction that says nothing.
    """

    curve: pd.DataFrame
    average_precision: float
    prevalence: float

    @printed
    def __str__(self) -> str:
        return f"Average precision {self.average_precision:.4f} (prevalence {self.prevalence:.4f})"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def precision_recall(scored: Scored) -> PrecisionRecall:
    """Precision-recall curve; rows of equal probability come in together."""
    counts = _by_threshold(scored)
    recall = counts["true_positive"] / counts["true_positive"].iloc[-1]
    precision = counts["true_positive"] / (counts["true_positive"] + counts["false_positive"])
    curve = pd.DataFrame({"threshold": counts["threshold"], "precision": precision, "recall": recall})
    average = float((precision * np.diff(recall, prepend=0.0)).sum())
    return PrecisionRecall(curve, average, float(scored.events.sum()) / scored.total)


def _by_threshold(scored: Scored) -> pd.DataFrame:
    order = np.argsort(-scored.eta, kind="stable")
    prob = scored.prob[order]
    ends = np.r_[first_of_ties(scored.eta[order])[1:], len(prob)] - 1
    columns = {"threshold": prob[ends], "true_positive": np.cumsum(scored.events[order])[ends],
               "false_positive": np.cumsum(scored.nonevents[order])[ends]}  # fmt: skip
    return pd.DataFrame(columns)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold (predict an event where p >= it) and what it does."""

    threshold: float
    sensitivity: float
    specificity: float
    cost: float

    @printed
    def __str__(self) -> str:
        cost = "" if np.isnan(self.cost) else f", mean cost {self.cost:.4g}"
        return (
            f"p >= {self.threshold:.6g}: sensitivity {self.sensitivity:.4f}, specificity {self.specificity:.4f}{cost}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def best_threshold(
    scored: Scored, false_negative: float | None = None, false_positive: float = 1.0, sensitivity: float | None = None,
    specificity: float | None = None,
) -> Threshold:  # fmt: skip
    """Threshold of least cost, or that just reaches a wanted sensitivity or specificity.

    Parameters
    ----------
    scored : Scored
    false_negative, false_positive : float
        Costs of a missed event and of a false alarm.
    sensitivity, specificity : float, optional
        Wanted share of events found, or of non-events left alone; exactly one of the two or `false_negative`.

    Raises
    ------
    DataError
        For shares outside 0 and 1, and costs below zero.
    """
    if sum(v is not None for v in (false_negative, sensitivity, specificity)) != 1:
        raise DataError("Give one of false_negative= (with false_positive=), sensitivity= or specificity=.")
    for name, wanted in (("sensitivity", sensitivity), ("specificity", specificity)):
        if wanted is not None and not 0.0 <= wanted <= 1.0:
            raise DataError(f"{name}={wanted} must lie between 0 and 1.")
    for name, price in (("false_negative", false_negative), ("false_positive", false_positive)):
        if price is not None and not 0.0 <= price < np.inf:
            raise DataError(f"{name}={price} is a cost: a number, zero or above.")
    counts = _by_threshold(scored)
    nothing = pd.DataFrame({"threshold": [np.inf], "true_positive": [0.0], "false_positive": [0.0]})
    counts = pd.concat([nothing, counts], ignore_index=True)
    found = counts["true_positive"].to_numpy() / float(scored.events.sum())
    alone = 1.0 - counts["false_positive"].to_numpy() / float(scored.nonevents.sum())
    cost = np.full(len(counts), np.nan)
    if false_negative is not None:
        missed = float(scored.events.sum()) - counts["true_positive"].to_numpy()
        cost = (false_negative * missed + false_positive * counts["false_positive"].to_numpy()) / scored.total
        best = int(np.argmin(cost))
    elif sensitivity is not None:
        best = int(np.argmax(found >= sensitivity - 1e-12))
    else:
        assert specificity is not None
        best = len(alone) - 1 - int(np.argmax(alone[::-1] >= specificity - 1e-12))
    return Threshold(float(counts["threshold"].iloc[best]), float(found[best]), float(alone[best]), float(cost[best]))
