"""Which likelihood the rows of a design have."""

from __future__ import annotations

from typing import cast

from logit_stats.design.design import Design
from logit_stats.likelihoods.binomial import BINOMIAL
from logit_stats.likelihoods.likelihood import Likelihood
from logit_stats.likelihoods.multinomial import MULTINOMIAL


def likelihood_of(design: Design) -> Likelihood:
    """Return the likelihood that a design carries; without one, that of two outcomes or of several categories."""
    if design.likelihood is not None:
        return cast(Likelihood, design.likelihood)
    return MULTINOMIAL if design.response.labels else BINOMIAL
