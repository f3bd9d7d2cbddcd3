"""`StreamedResults`: results of rows that are out of memory. Each answer says how it gets its rows, in a pass or not at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np

from logit_stats.assess.classification import Classification
from logit_stats.assess.fit_statistics import FitStatistics
from logit_stats.assess.row_sums import statistics_of
from logit_stats.assess.streamed_scores import StreamedScores, streamed_pred_table, streamed_scores
from logit_stats.design.block import FloatArray
from logit_stats.design.streamed import StreamedDesign
from logit_stats.errors import DataError, NotAvailableError
from logit_stats.estimation.streamed import StreamedFit
from logit_stats.results.logit import LogitResults
from logit_stats.results.streamed_rows import written

if TYPE_CHECKING:
    from logit_stats.assess.calibration import Calibration
    from logit_stats.assess.discrimination import PrecisionRecall, Threshold
    from logit_stats.assess.hosmer_lemeshow import HosmerLemeshow
    from logit_stats.assess.ranking import Roc
    from logit_stats.inference.predictions import AveragePrediction

WRITE = "write the rows: res.augment(to='rows.parquet') has the linear predictor, probability and residuals of each"
PART = "fit a part of the rows in memory, a sample of the files or a table of counts with freq_weights="


@dataclass(frozen=True, eq=False, repr=False)
class StreamedResults(LogitResults):
    """Results of a logit fit to rows out of memory, with the names of `LogitResults`.

    What is a function of the estimate needs no row. What is a sum over rows takes a pass over the files. What ranks rows
    (`roc`, `calibration`) takes one too, by a fine histogram whose bound is given. What is as long as the rows is written.
    """

    @property
    def _fit(self) -> StreamedFit:
        return cast(StreamedFit, self.fit_)

    @property
    def _design(self) -> StreamedDesign:
        return cast(StreamedDesign, self.fit_.design)

    @cached_property
    def _statistics(self) -> FitStatistics:
        return statistics_of(self._fit)

    def summary_notes(self) -> list[str]:
        """Return the sentences that stand under the summary."""
        notes = super().summary_notes()
        if self._design.patterns is not None:
            notes = [note for note in notes if not note.startswith("Frequency weights:")]
        return [*notes, self.rows_note()]

    def rows_note(self) -> str:
        """Say how often the rows were read."""
        passes = self._design.stream.passes or []
        said = f"Rows out of memory: read in {len(passes)} passes so far"
        if self._design.patterns is not None:
            rows, patterns = self._design.patterns
            return (
                f"Rows out of memory: {rows} rows were counted as {patterns} different ones (frequency weights), which is "
                f"exact."
            )
        return f"{said}."

    # As long as the rows: written, not returned.

    def augment(self, data: Any = None, *, to: str | Path | None = None) -> Any:
        """Write one row for each observation: the columns of the formula, fitted values and residuals.

        Parameters
        ----------
        data : None
            Not for rows out of memory.
        to : str or Path
            Parquet file to be written: columns ``.row`` (number of the row among all rows), the columns that were read,
            ``.fitted`` (linear predictor), ``.prob``, ``.resid`` (deviance residual) and ``.resid_pearson``. Rows that were
            left out have nulls.

        Returns
        -------
        Path
            The file.
        """
        if data is not None:
            raise DataError(
                "augment(data) takes a table in memory; rows out of memory are written with augment(to='rows.parquet')."
            )
        if to is None:
            raise NotAvailableError(
                "augment() would be as long as the rows, which are out of memory; give a file: augment(to='rows.parquet')."
            )
        return written(self._fit, Path(to))

    @property
    def fittedvalues(self) -> NoReturn:
        """Not returned."""
        _refuse("fittedvalues is as long as the rows", WRITE)

    @property
    def resid_response(self) -> NoReturn:
        """Not returned."""
        _refuse("resid_response is as long as the rows", WRITE)

    @property
    def resid_pearson(self) -> NoReturn:
        """Not returned."""
        _refuse("resid_pearson is as long as the rows", WRITE)

    @property
    def resid_dev(self) -> NoReturn:
        """Not returned."""
        _refuse("resid_dev is as long as the rows", WRITE)

    @property
    def resid_generalized(self) -> NoReturn:
        """Not returned."""
        _refuse("resid_generalized is as long as the rows", WRITE)

    @property
    def resid_working(self) -> NoReturn:
        """Not returned."""
        _refuse("resid_working is as long as the rows", WRITE)

    def predict(self, exog: Any = None, which: str = "mean", offset: Any = None, *, transform: bool = True) -> Any:
        """Probabilities, linear predictors or variances of new data; those of the fit's own rows are written, see `augment`."""
        if exog is None:
            _refuse("predict() of the fit's own rows is as long as they are", f"{WRITE}; predict(data) takes new data")
        return super().predict(exog, which, offset, transform=transform)

    def get_prediction(self, exog: Any = None, offset: Any = None, **settings: Any) -> Any:
        """Predicted probabilities of new data with standard errors and limits."""
        if exog is None:
            _refuse("get_prediction() of the fit's own rows is as long as they are", "give new data")
        return super().get_prediction(exog, offset, **settings)

    # One more pass.

    def average_prediction(self, exog: Any = None, offset: Any = None, alpha: float = 0.05) -> AveragePrediction:
        """Mean predicted probability of new data, or of the rows of the fit (one pass)."""
        if exog is not None:
            return super().average_prediction(exog, offset, alpha)
        from logit_stats.inference.predictions import AveragePrediction
        from logit_stats.inference.streamed_effects import mean_prediction

        mean, gradient, rows = mean_prediction(self._fit)
        se = float(np.sqrt(gradient @ self.covariance_.working @ gradient))
        low, high = self.covariance_.reference.along(gradient[None]).limits(np.array([mean]), np.array([se]), alpha)[0]
        return AveragePrediction(mean, se, float(low), float(high), rows)

    def pred_table(self, threshold: float = 0.5) -> FloatArray:
        """(2, 2) counts, observed by predicted outcome; one pass."""
        if not 0.0 <= threshold <= 1.0:
            raise DataError(f"threshold={threshold} must lie between 0 and 1.")
        return streamed_pred_table(self._fit, threshold)

    def classification(self, threshold: float = 0.5) -> Classification:
        """Accuracy, sensitivity, specificity and the other measures at a threshold; one pass."""
        return Classification(self.pred_table(threshold), threshold=threshold)

    @cached_property
    def _scores(self) -> StreamedScores:
        return streamed_scores(self._fit)

    def roc(self) -> Roc:
        """ROC curve of binned log odds, with the bound of what the bins may move; one pass."""
        from logit_stats.assess.ranking import roc_of

        return replace(roc_of(self._scores.scored), note=self._scores.sentence())

    def calibration(self, bins: int = 10) -> Calibration:
        """Calibration of binned log odds; one pass."""
        from logit_stats.assess.calibration import calibration

        return replace(calibration(self._scores.scored, bins), note=self._scores.sentence())

    def hosmer_lemeshow(self, groups: int = 10) -> HosmerLemeshow:
        """Hosmer and Lemeshow's test of binned log odds: groups end where bins do; one pass."""
        from logit_stats.assess.hosmer_lemeshow import hosmer_lemeshow

        return hosmer_lemeshow(self._scores.scored, groups)

    def precision_recall(self) -> PrecisionRecall:
        """Precision and recall at the thresholds of the bins; one pass."""
        from logit_stats.assess.discrimination import precision_recall

        return precision_recall(self._scores.scored)

    def threshold(
        self, *, false_negative: float | None = None, false_positive: float = 1.0, sensitivity: float | None = None,
        specificity: float | None = None,
    ) -> Threshold:  # fmt: skip
        """Threshold of least cost, or that just reaches a sensitivity or a specificity, among those of the bins; one pass."""
        from logit_stats.assess.discrimination import best_threshold

        return best_threshold(self._scores.scored, false_negative, false_positive, sensitivity, specificity)

    # Not to be had in passes.

    def get_influence(self, *_: Any, **__: Any) -> Any:
        """Not available."""
        _refuse("Influence is as long as the rows", PART)

    def outlier_test(self, *_: Any, **__: Any) -> Any:
        """Not available."""
        _refuse("The outlier test needs the residuals of all rows", f"{WRITE}; or {PART}")

    def bootstrap(self, *_: Any, **__: Any) -> Any:
        """Not available."""
        _refuse(
            "The bootstrap reads the rows hundreds of times", "take with_cov('HC3') or with_cov('cluster', groups=)"
        )

    def crosscheck(self, rtol: float = 1e-6) -> Any:
        """Not available."""
        _refuse("The cross-check fits all rows in statsmodels, which needs them in memory", PART)

    def gof(self) -> Any:
        """Not available."""
        _refuse(
            "The tests of fit group the rows by what they have in common",
            f"take hosmer_lemeshow() and calibration(); or {PART}",
        )

    def link_test(self) -> Any:
        """Not available."""
        _refuse(
            "The link test needs the linear predictor of each row as a column", f"take hosmer_lemeshow(); or {PART}"
        )

    def optimism(self, *_: Any, **__: Any) -> Any:
        """Not available."""
        _refuse("Resampling reads the rows hundreds of times", f"validate(data) on other files; or {PART}")

    def fragility(self, *_: Any, **__: Any) -> Any:
        """Not available."""
        _refuse("What a few rows can change is a search among all of them", PART)


def _refuse(what: str, instead: str) -> NoReturn:
    raise NotAvailableError(f"{what}, and they are out of memory: {instead}.")
