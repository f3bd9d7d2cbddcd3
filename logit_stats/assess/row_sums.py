"""Statistics of a fit that are sums over rows, taken in the last pass of a fit whose rows are out of memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logit_stats.assess.fit_statistics import FitStatistics
from logit_stats.design.block import FloatArray
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.streamed import StreamedFit

_NAMES = (
    "pearson", "constant", "saturated", "saturated_count", "deviance", "null_deviance", "size", "prob_of_events",
    "prob_of_nonevents", "squares", "eta", "eta_squares", "right", "events", "nonevents",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class RowSums:
    """Sums over rows, in the order of their names."""

    values: FloatArray

    def __add__(self, other: RowSums) -> RowSums:
        return RowSums(self.values + other.values)

    def __getitem__(self, name: str) -> float:
        return float(self.values[_NAMES.index(name)])


def row_sums(fit: Fit) -> RowSums:
    """Sums over some of the rows of a fit."""
    s = FitStatistics(fit)
    deviances = s._deviances or (0.0, 0.0)
    p, events, nonevents = s._prob, s._events, s._nonevents
    weight = s._row_weight * s._trials
    eta = s._eta - fit.null.intercept
    found = (
        s.pearson_chi2, s.binomial_constant, s._saturated, s._saturated_count if s._counts else 0.0, *deviances, s._size,
        events @ p, nonevents @ p, events @ (1.0 - p) ** 2 + nonevents @ p**2, weight @ eta, weight @ eta**2, s._right(),
        events.sum(), nonevents.sum(),
    )  # fmt: skip
    return RowSums(np.array(found, dtype=np.float64))


def statistics_of(fit: StreamedFit) -> FitStatistics:
    """Fit statistics from the sums of the last pass."""
    sums: RowSums = fit.beside
    found = FitStatistics(fit)
    n, events, nonevents = sums["size"], sums["events"], sums["nonevents"]
    share = events / n
    mean = sums["eta"] / n
    spread = max(sums["eta_squares"] / n - mean**2, 0.0)
    larger = max(events, nonevents)
    counts = fit.design.response.trials is not None and fit.facts.likelihood
    found.__dict__.update(
        binomial_constant=sums["constant"], _saturated=sums["saturated"], _saturated_count=sums["saturated_count"],
        _deviances=(sums["deviance"], sums["null_deviance"]) if counts else None, pearson_chi2=sums["pearson"], _size=n,
        _pseudo_rsquared={
            "tjur": sums["prob_of_events"] / events - sums["prob_of_nonevents"] / nonevents,
            "efron": 1.0 - sums["squares"] / (n * share * (1.0 - share)),
            "mckelvey_zavoina": spread / (spread + np.pi**2 / 3.0),
            "count": sums["right"] / n,
            "count_adj": (sums["right"] - larger) / (n - larger),
        },
    )  # fmt: skip
    return found
