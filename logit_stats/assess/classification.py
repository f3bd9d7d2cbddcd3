"""Predicted against observed outcomes at a threshold."""

from __future__ import annotations

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.rows import probability


def pred_table(fit: Fit, threshold: float = 0.5) -> FloatArray:
    """(2, 2) counts: row i observed, column j predicted; a success is predicted where p > threshold.

    Frequency and sampling weights and trials are counted.

    Raises
    ------
    DataError
        Unless 0 <= threshold <= 1.
    """
    if not 0.0 <= threshold <= 1.0:
        raise DataError(f"threshold={threshold} must lie between 0 and 1.")
    predicted = probability(fit.eta) > threshold
    response = fit.design.response
    weight = np.ones(fit.design.rows) if fit.design.weight is None else fit.design.weight.values
    trials = np.ones(fit.design.rows) if response.trials is None else response.trials
    events, nonevents = weight * response.successes, weight * (trials - response.successes)
    return np.array(
        [
            [nonevents[~predicted].sum(), nonevents[predicted].sum()],
            [events[~predicted].sum(), events[predicted].sum()],
        ]
    )
