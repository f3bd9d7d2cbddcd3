"""Tests of hypotheses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logit_stats.answers.finished import Finished
from logit_stats.inference.likelihood_ratio import LikelihoodRatioTest, likelihood_ratio_test

if TYPE_CHECKING:
    from logit_stats.results import LogitResults


class Hypotheses(Finished):
    """What can be tested."""

    def lr_test(self, other: LogitResults) -> LikelihoodRatioTest:
        """Likelihood-ratio test against a nested (or nesting) fit to the same rows."""
        return likelihood_ratio_test(self.fit_, other.fit_)
