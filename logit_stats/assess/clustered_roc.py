"""The ROC curve of outcomes in clusters: the same area, with an error that allows for dependence within clusters.

Placements are summed within clusters (Obuchowski 1997, Biometrics 53, 567-578), as scores are for a robust covariance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from logit_stats.assess.ranking import Roc, _Ties, roc_of
from logit_stats.assess.scored import Scored
from logit_stats.design.block import FloatArray


def clustered_roc(scored: Scored, clusters: NDArray[np.intp]) -> Roc:
    """ROC curve of probabilities, its area with the standard error for these clusters (n,)."""
    found, ties = roc_of(scored), _Ties.of(scored)
    events, others = float(scored.events.sum()), float(scored.nonevents.sum())
    tie = np.empty(len(ties.order), dtype=np.intp)
    tie[ties.order] = np.repeat(np.arange(len(ties.starts)), np.diff(np.r_[ties.starts, len(ties.order)]))
    of_event = ((ties.below + 0.5 * ties.nonevents) / others)[tie] - found.auc
    of_other = ((ties.above + 0.5 * ties.events) / events)[tie] - found.auc
    first = np.bincount(clusters, scored.events * of_event)
    second = np.bincount(clusters, scored.nonevents * of_other)
    with_events = _count(clusters, scored.events)
    with_others = _count(clusters, scored.nonevents)
    variance = _factor(with_events) * float(first @ first) / events**2
    variance += _factor(with_others) * float(second @ second) / others**2
    variance += 2.0 * _factor(len(first)) * float(first @ second) / (events * others)
    return replace(found, variance=max(variance, 0.0))


def _count(clusters: NDArray[np.intp], weight: FloatArray) -> int:
    """Number of clusters with such an outcome."""
    return int((np.bincount(clusters, weight) > 0.0).sum())


def _factor(count: int) -> float:
    return count / (count - 1.0) if count > 1 else float("nan")
