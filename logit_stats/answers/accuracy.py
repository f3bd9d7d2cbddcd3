"""How well the fit tells successes from failures, and how well it is calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logit_stats.answers.finished import Finished
from logit_stats.assess.classification import Classification, classification

if TYPE_CHECKING:
    from logit_stats.assess.ranking import Roc


class Accuracy(Finished):
    """How good the probabilities are."""

    def classification(self, threshold: float = 0.5) -> Classification:
        """Accuracy, sensitivity, specificity and the other measures at a threshold, with a `report()` text."""
        return classification(self.fit_, threshold)

    def roc(self) -> Roc:
        """ROC curve: area with DeLong's standard error and limits, Youden's index, concordance."""
        from logit_stats.assess.ranking import roc

        return roc(self.fit_)
