"""`Scored`: probabilities beside what happened, of the rows of a fit or of other data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import DataError
from logit_stats.estimation.fit import Fit
from logit_stats.likelihoods.rows import probability


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
        return cls.of_design(fit.design, fit.eta)

    @classmethod
    def of_design(cls, design: Design, eta: FloatArray) -> Scored:
        """Rows of a design with these log odds."""
        y, trials = design.response.successes, design.response.trials
        weight = 1.0 if design.weight is None else design.weight.values
        m = 1.0 if trials is None else trials
        events, nonevents = np.asarray(weight * y), np.asarray(weight * (m - y))
        return cls(probability(eta), eta, events, nonevents, design.weight_kind == "sampling")

    @classmethod
    def of_rows(cls, eta: FloatArray, events: FloatArray, nonevents: FloatArray) -> Scored:
        """Rows with these log odds and outcomes; both kinds must occur."""
        return cls(probability(eta), eta, events, nonevents).of_both_kinds()

    def of_both_kinds(self) -> Scored:
        """Return itself; an error where all outcomes are the same."""
        if self.events.sum() <= 0.0 or self.nonevents.sum() <= 0.0:
            raise DataError("All outcomes are the same: discrimination and calibration need both.")
        return self

    def at(self, rows: NDArray[np.intp]) -> Scored:
        """Return the rows at these positions."""
        return Scored(self.prob[rows], self.eta[rows], self.events[rows], self.nonevents[rows], self.sampling)

    @property
    def outcomes(self) -> FloatArray:
        """(n,) outcomes that each row stands for."""
        return self.events + self.nonevents

    @property
    def total(self) -> float:
        """Number of outcomes."""
        return float(self.outcomes.sum())

    @property
    def loglik(self) -> float:
        """Log-likelihood of the probabilities, without binomial coefficients."""
        return float(self.events @ -np.logaddexp(0.0, -self.eta) + self.nonevents @ -np.logaddexp(0.0, self.eta))

    @property
    def null_loglik(self) -> float:
        """Log-likelihood of the share of events in every row."""
        events, nonevents = float(self.events.sum()), float(self.nonevents.sum())
        total = events + nonevents
        return float(sum(count * np.log(count / total) for count in (events, nonevents) if count > 0.0))

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
