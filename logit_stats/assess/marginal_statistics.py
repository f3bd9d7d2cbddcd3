"""Likelihood and information criteria of a fit with random effects, whose likelihood is no sum over rows."""

from __future__ import annotations

from dataclasses import dataclass

from logit_stats.assess.fit_statistics import FitStatistics


@dataclass(frozen=True, eq=False)
class MarginalStatistics(FitStatistics):
    """The same, from the log-likelihood that was maximised: linear predictors of rows do not determine it."""

    @property
    def _counts(self) -> bool:
        return False
