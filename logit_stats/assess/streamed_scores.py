"""Scores of rows out of memory: a histogram of the log odds by outcome, taken in one pass.

Rows whose log odds fall into the same bin count as ties at the mean of the bin. The area under the ROC curve is then off by at
most half the share of pairs (event, non-event) that share a bin, and that bound is printed; calibration and other sums move
by less than the width of a bin.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from logit_stats.assess.classification import pred_table
from logit_stats.assess.scored import Scored
from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.streamed import StreamedDesign
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.streamed import CarriedFit, StreamedFit
from logit_stats.likelihoods.rows import probability

BINS = 1 << 16


@dataclass(frozen=True, eq=False)
class Histogram:
    """Events, non-events and sums of the log odds by bin: (3, bins)."""

    sums: FloatArray

    def __add__(self, other: Histogram) -> Histogram:
        return Histogram(self.sums + other.sums)


@dataclass(frozen=True, eq=False)
class StreamedScores:
    """Scores in bins.

    Attributes
    ----------
    scored : Scored
        A row for each bin.
    bound : float
        How far the area under the ROC curve may be off.
    """

    scored: Scored
    bound: float

    def sentence(self) -> str:
        """What a reader must know."""
        return (
            f"Rows out of memory: log odds in {BINS} bins; the area under the curve is within {self.bound:.1e} of that of "
            f"the rows."
        )


def streamed_scores(fit: StreamedFit) -> StreamedScores:
    """Histogram of the rows of a fit."""
    design = fit.design
    assert isinstance(design, StreamedDesign)
    reach = fit.max_abs_eta * (1.0 + 1e-12) + 1e-12
    found: Histogram = design.sum(partial(_histogram, fit=fit.carried, reach=reach), "scores")
    events, nonevents, eta = found.sums
    held = events + nonevents > 0.0
    events, nonevents, eta = events[held], nonevents[held], eta[held]
    eta = eta / (events + nonevents)
    bound = 0.5 * float((events / events.sum()) @ (nonevents / nonevents.sum()))
    return StreamedScores(
        Scored(probability(eta), eta, events, nonevents, design.weight_kind == "sampling"), bound
    )  # fmt: skip


def _histogram(design: Design, fit: CarriedFit, reach: float) -> Histogram:
    scored = Scored.of_fit(fit.on(design))
    place = np.clip(((scored.eta / reach + 1.0) * (0.5 * BINS)).astype(np.intp), 0, BINS - 1)
    counts = (scored.events, scored.nonevents, scored.outcomes * scored.eta)
    return Histogram(np.array([np.bincount(place, count, minlength=BINS) for count in counts]))


def streamed_pred_table(fit: StreamedFit, threshold: float) -> FloatArray:
    """(2, 2) counts of observed by predicted outcome, exact."""
    design = fit.design
    assert isinstance(design, StreamedDesign)
    found: Histogram = design.sum(partial(_counted, fit=fit.carried, threshold=threshold), "classification")
    return found.sums


def _counted(design: Design, fit: CarriedFit, threshold: float) -> Histogram:
    part: Fit = fit.on(design)
    return Histogram(pred_table(part, threshold))
