"""`Scored`: probabilities beside what happened, of the rows of a fit or of other data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
    """

    prob: FloatArray
    eta: FloatArray
    events: FloatArray
    nonevents: FloatArray

    @classmethod
    def of_fit(cls, fit: Fit) -> Scored:
        """Rows of a fit."""
        y, trials = fit.design.response.successes, fit.design.response.trials
        weight = 1.0 if fit.design.weight is None else fit.design.weight.values
        m = 1.0 if trials is None else trials
        eta = fit.eta
        return cls(probability(eta), eta, np.asarray(weight * y), np.asarray(weight * (m - y)))

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
