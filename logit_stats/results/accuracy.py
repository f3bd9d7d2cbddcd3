"""How well the fit tells successes from failures, and how well it is calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logit_stats.assess.classification import Classification, classification
from logit_stats.assess.scored import Scored
from logit_stats.results.finished import Finished
from logit_stats.results.needs import needs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logit_stats.assess.calibration import Calibration
    from logit_stats.assess.decision_curve import DecisionCurve
    from logit_stats.assess.discrimination import PrecisionRecall, Threshold
    from logit_stats.assess.goodness_of_fit import GoodnessOfFit, LinkTest
    from logit_stats.assess.hosmer_lemeshow import HosmerLemeshow
    from logit_stats.assess.optimism import Optimism
    from logit_stats.assess.ranking import Roc
    from logit_stats.results.updating import ModelUpdate
    from logit_stats.results.validation import Validation


class Accuracy(Finished):
    """How good the probabilities are."""

    def classification(self, threshold: float = 0.5) -> Classification:
        """Accuracy, sensitivity, specificity and the other measures at a threshold, with a `report()` text."""
        return classification(self.fit_, threshold)

    def roc(self) -> Roc:
        """ROC curve: area with DeLong's standard error and limits, Youden's index, concordance."""
        from logit_stats.assess.ranking import roc

        return roc(self.fit_)

    @needs("finite", "wald", "binary")
    def hosmer_lemeshow(self, groups: int = 10) -> HosmerLemeshow:
        """Hosmer and Lemeshow's test, its table, and how it moves with the number of groups."""
        from logit_stats.assess.hosmer_lemeshow import hosmer_lemeshow

        return hosmer_lemeshow(Scored.of_fit(self.fit_), groups)

    @needs("finite", "wald", "binary")
    def gof(self) -> GoodnessOfFit:
        """All tests of fit in one table that says in words what each asks."""
        from logit_stats.assess.goodness_of_fit import goodness_of_fit

        return goodness_of_fit(self.fit_)

    @needs("finite", "maximum", "binary")
    def link_test(self) -> LinkTest:
        """Pregibon's link test: does the square of the linear predictor add anything?"""
        from logit_stats.assess.goodness_of_fit import link_test

        return link_test(self.fit_)

    @needs("finite", "binary")
    def calibration(self, bins: int = 10) -> Calibration:
        """Slope and intercept, Brier score and its parts, log loss, expected calibration error, and a table by bins."""
        from logit_stats.assess.calibration import calibration

        return calibration(Scored.of_fit(self.fit_), bins)

    @needs("finite", "binary")
    def precision_recall(self) -> PrecisionRecall:
        """Precision and recall at every threshold, and the average precision."""
        from logit_stats.assess.discrimination import precision_recall

        return precision_recall(Scored.of_fit(self.fit_))

    @needs("finite", "binary")
    def threshold(
        self, *, false_negative: float | None = None, false_positive: float = 1.0, sensitivity: float | None = None,
        specificity: float | None = None,
    ) -> Threshold:  # fmt: skip
        """Threshold of least cost, or that just reaches a sensitivity or a specificity; see `best_threshold`."""
        from logit_stats.assess.discrimination import best_threshold

        return best_threshold(Scored.of_fit(self.fit_), false_negative, false_positive, sensitivity, specificity)

    @needs("finite", "binary")
    def decision_curve(
        self, *others: Any, thresholds: Any = None, data: Any = None, outcome: Any = None,
        labels: Sequence[str] | None = None, alpha: float = 0.05,
    ) -> DecisionCurve:  # fmt: skip
        """Net benefit at thresholds, of this result and others, on the rows of the fit or other data; see `decisions`."""
        from logit_stats.results.validation import decisions

        return decisions((self, *others), thresholds, data, outcome, labels, alpha)

    @needs("finite", "binary")
    def validate(
        self, data: Any, outcome: Any = None, offset: Any = None, bins: int = 10, *, freq_weights: Any = None,
        sampling_weights: Any = None, trials: Any = None,
    ) -> Validation:  # fmt: skip
        """Discrimination and calibration on other data; see `validation.validate`."""
        from logit_stats.results.validation import validate

        return validate(self.fit_, data, outcome, offset, bins, freq_weights=freq_weights,
                        sampling_weights=sampling_weights, trials=trials)  # fmt: skip

    @needs("finite", "maximum", "binary")
    def update(self, data: Any, outcome: Any = None, offset: Any = None, *, alpha: float = 0.05) -> ModelUpdate:
        """Bring the model up to date with new data: a new intercept, intercept and slope, or all anew; see `ModelUpdate`.

        Parameters
        ----------
        data, outcome, offset
            As for `validate`.
        alpha : float
            Size of the closed test that recommends one of them.
        """
        from logit_stats.results.updating import model_update
        from logit_stats.results.validation import scored_on

        return model_update(self.fit_, *scored_on(self.fit_, data, outcome=outcome, offset=offset), alpha)

    @needs("finite", "maximum", "binary")
    def optimism(
        self, method: str = "bootstrap", *, reps: int = 200, folds: Any = 10, repeats: int = 1, groups: Any = None,
        seed: int | None = None, progress: bool | None = None,
    ) -> Optimism:  # fmt: skip
        """Indexes corrected for optimism by the bootstrap or cross-validation; see `assess.optimism.optimism`.

        Where the model was selected by `step`, `StepPath.optimism` repeats the selection in every resample.
        """
        from logit_stats.assess.optimism import optimism

        return optimism(self.fit_, method, reps=reps, folds=folds, repeats=repeats, groups=groups, seed=seed,
                        progress=progress)  # fmt: skip
