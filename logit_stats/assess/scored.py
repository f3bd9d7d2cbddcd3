"""`Scored`: probabilities beside what happened, of the rows of a fit or of other data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.rows import probability


@dataclass(frozen=True, eq=False)
class Scored:
    """Outcomes and their probabilities; weights and trials count as that many outcomes.

    Attributes
    ----------
    prob : (n,)
        Probability of an event.
    eta : (n,)
        Its log odds.
    events, nonevents : (n,)
        How many outcomes of each kind a row stands for.
    sampling : bool
        Whether these are sampling weights, whose unit means nothing, and not counts.
    """

    prob: FloatArray
    eta: FloatArray
    events: FloatArray
    nonevents: FloatArray
    sampling: bool = False

    @classmethod
    def of_fit(cls, fit: Fit) -> Scored:
        """Rows of a fit."""
        y, trials = fit.design.response.successes, fit.design.response.trials
        weight = 1.0 if fit.design.weight is None else fit.design.weight.values
        m = 1.0 if trials is None else trials
        eta = fit.eta
        sampling = fit.design.weight_kind == "sampling"
        return cls(probability(eta), eta, np.asarray(weight * y), np.asarray(weight * (m - y)), sampling)

    @classmethod
    def of_rows(cls, eta: FloatArray, events: FloatArray, nonevents: FloatArray) -> Scored:
        """Rows of other data; both outcomes must occur."""
        if events.sum() <= 0.0 or nonevents.sum() <= 0.0:
            raise DataError("All outcomes are the same: discrimination and calibration need both.")
        return cls(probability(eta), eta, events, nonevents)

    @property
    def outcomes(self) -> FloatArray:
        """(n,) outcomes that each row stands for."""
        return self.events + self.nonevents

    @property
    def total(self) -> float:
        """Number of outcomes."""
        return float(self.outcomes.sum())

    def mean(self, of_event: FloatArray, of_nonevent: FloatArray) -> float:
        """Mean over outcomes of a quantity that depends on whether it was an event."""
        return float((self.events @ of_event + self.nonevents @ of_nonevent) / self.total)

    def variance_of_mean(self, values: FloatArray, weight: FloatArray, mean: float) -> float:
        """Variance of a weighted mean: of counts with divisor n - 1, of sampling weights by linearisation."""
        n = float(weight.sum())
        if self.sampling:
            return float(weight**2 @ (values - mean) ** 2) / n**2
        return float(weight @ (values - mean) ** 2) / (n - 1.0) / n if n > 1.0 else float("nan")


# Log odds that differ by no more than rounding belong to rows of equal columns: they are ties.
TIED = 1e-11


def first_of_ties(eta: FloatArray) -> NDArray[np.intp]:
    """Positions in sorted log odds (of either direction) where a new value begins."""
    apart = np.abs(np.diff(eta)) > TIED * np.maximum(np.abs(eta[1:]), 1.0)
    return np.flatnonzero(np.r_[True, apart])
