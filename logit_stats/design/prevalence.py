"""Case-control samples: the constant of a sample that was taken by the outcome, corrected for the population.

With a share tau of events in the population and ybar in the sample, the constant of a logit fitted to the sample is too
large by ``log[((1 - tau) / tau) (ybar / (1 - ybar))]``; slopes are right (Prentice and Pyke 1979, Biometrika 66, 403-411; King
and Zeng 2001, Political Analysis 9, 137-163, equation 7). The excess is part of the linear predictor of the sample's rows
and of no other: an offset in the fit, left out of predictions and effects.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from logit_stats.design.design import Design
from logit_stats.design.row_numbers import PREVALENCE, RowNumbers
from logit_stats.errors import DataError


def with_prevalence(design: Design, prevalence: float | None) -> Design:
    """Return the design of a sample taken by outcome from a population with this share of events; itself without one.

    Raises
    ------
    DataError
        If it is no share, the model has no constant, or rows have sampling weights.
    """
    if prevalence is None:
        return design
    if isinstance(prevalence, bool) or not isinstance(prevalence, (int, float, np.number)) or not 0 < prevalence < 1:
        raise DataError(
            f"population_prevalence={prevalence!r} must be a share between 0 and 1: 0.01 for one in a hundred."
        )
    if design.constant is None:
        raise DataError("population_prevalence= corrects the constant, and this model has none.")
    if design.weight_kind == "sampling":
        raise DataError(
            "sampling_weights= bring the sample to the population already; give them or population_prevalence=, not both."
        )
    events = float(np.sum(design.response.proportions * design.row_weight))
    others = float(design.row_weight.sum()) - events
    shift = float(np.log1p(-prevalence) - np.log(prevalence) + np.log(events) - np.log(others))
    if design.offset is None:
        numbers = RowNumbers(PREVALENCE, None, np.full(design.rows, shift), shift)
    else:
        numbers = replace(design.offset, values=design.offset.values + shift, shift=shift)
    return replace(design, offset=numbers)
