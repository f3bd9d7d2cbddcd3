"""Predicted against observed outcomes: at a threshold of the probability, or the most probable of several categories.

One rule holds wherever a threshold stands (here, in ROC curves, `threshold()` and decision curves): an event is predicted where
p >= threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import DataError
from logit_stats.estimation.fit import Fit
from logit_stats.wording import WIDTH, printed


def pred_table(fit: Fit, threshold: float = 0.5) -> FloatArray:
    """(2, 2) counts: row i observed, column j predicted; a success is predicted where p >= threshold.

    Frequency and sampling weights and trials are counted.

    Raises
    ------
    DataError
        Unless 0 <= threshold <= 1.
    """
    if not 0.0 <= threshold <= 1.0:
        raise DataError(f"threshold={threshold} must lie between 0 and 1.")
    return _counted(fit.design, (fit.outcomes(fit.eta).prob[0] >= threshold).astype(np.intp))


def category_table(fit: Fit) -> FloatArray:
    """(C, C) counts (weights counted): row observed, column the most probable category, the first of equals."""
    return _counted(fit.design, fit.outcomes(fit.eta).prob.argmax(axis=0))


def _counted(design: Design, predicted: NDArray[np.intp]) -> FloatArray:
    """(C, C) weights of the outcomes observed (rows) and predicted (columns)."""
    observed = _observed(design)
    C = observed.shape[1]
    return np.array([np.bincount(predicted, weights=observed[:, c], minlength=C) for c in range(C)])


def _observed(design: Design) -> FloatArray:
    """(n, C) how often each outcome was observed in each row, weights counted; of two: failures and successes."""
    return design.response.observed(None if design.weight is None else design.weight.values)


@dataclass(frozen=True, eq=False)
class CategoryClassification:
    """Most probable against observed categories, and the measures made of the counts.

    Attributes
    ----------
    table : (C, C)
        Row observed, column predicted.
    names : tuple of str
        The categories.
    """

    table: FloatArray
    names: tuple[str, ...]

    @property
    def accuracy(self) -> float:
        """Share predicted right."""
        return float(np.trace(self.table) / self.table.sum())

    @property
    def precision(self) -> FloatArray:
        """(C,) share of those predicted in a category that are in it; NaN where none is predicted."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.table.diagonal() / self.table.sum(axis=0))

    @property
    def recall(self) -> FloatArray:
        """(C,) share of those in a category that are predicted in it."""
        return np.asarray(self.table.diagonal() / self.table.sum(axis=1))

    @property
    def f1(self) -> FloatArray:
        """(C,) harmonic mean of precision and recall."""
        return np.asarray(2.0 * self.table.diagonal() / (self.table.sum(axis=0) + self.table.sum(axis=1)))

    @property
    def balanced_accuracy(self) -> float:
        """Mean of the recalls."""
        return float(self.recall.mean())

    @property
    def kappa(self) -> float:
        """Cohen's kappa (1960): agreement beyond chance."""
        total = self.table.sum()
        expected = float(self.table.sum(axis=0) @ self.table.sum(axis=1) / total**2)
        return (self.accuracy - expected) / (1.0 - expected)

    def summary_frame(self) -> pd.DataFrame:
        """Precision, recall, F1 and number of observations of each category."""
        columns = {"precision": self.precision, "recall": self.recall, "f1": self.f1, "support": self.table.sum(axis=1)}
        return pd.DataFrame(columns, index=list(self.names))

    def report(self, digits: int = 2) -> str:
        """Text with precision, recall, f1-score and support of each category, their means, and accuracy."""
        numbers = np.column_stack([self.precision, self.recall, self.f1])
        return report_lines(self.names, np.nan_to_num(numbers), self.table.sum(axis=1), self.accuracy, digits)

    def _counts(self) -> pd.DataFrame:
        names = [f"predicted {name}" for name in self.names]
        return pd.DataFrame(self.table, index=[f"observed {name}" for name in self.names], columns=names)

    def _measures(self) -> str:
        return f"accuracy {self.accuracy:.4f}, balanced accuracy {self.balanced_accuracy:.4f}, kappa {self.kappa:.4f}"

    @printed
    def __str__(self) -> str:
        head = "Most probable category (row observed, column predicted)"
        counts = self._counts().to_string(line_width=WIDTH, float_format="{:g}".format)
        return f"{head}\n{counts}\n\n{self.report()}\n\n{self._measures()}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        table = self._counts().to_html(float_format="{:g}".format)
        return f"{table}{self.summary_frame().to_html(float_format='{:.4g}'.format)}<p>{escape(self._measures())}</p>"


@dataclass(frozen=True, eq=False)
class Classification(CategoryClassification):
    """Predicted against observed outcomes at a threshold, and the measures made of the four counts.

    Attributes
    ----------
    table : (2, 2)
        Row observed, column predicted.
    names : tuple of str
        What the two outcomes are called.
    threshold : float
    """

    names: tuple[str, ...] = ("0", "1")
    threshold: float = 0.5

    @property
    def _four(self) -> tuple[float, float, float, float]:
        (tn, fp), (fn, tp) = self.table.tolist()
        return tn, fp, fn, tp

    @property
    def sensitivity(self) -> float:
        """Share of the events predicted right (recall)."""
        _, _, fn, tp = self._four
        return tp / (tp + fn)

    @property
    def specificity(self) -> float:
        """Share of the non-events predicted right."""
        tn, fp, _, _ = self._four
        return tn / (tn + fp)

    @property
    def ppv(self) -> float:
        """Share of the predicted events that are events (precision); NaN where none is predicted."""
        _, fp, _, tp = self._four
        return tp / (tp + fp) if tp + fp > 0 else float("nan")

    @property
    def npv(self) -> float:
        """Share of the predicted non-events that are non-events; NaN where none is predicted."""
        tn, _, fn, _ = self._four
        return tn / (tn + fn) if tn + fn > 0 else float("nan")

    @property
    def f1(self) -> float:  # type: ignore[override]
        """Harmonic mean of precision and recall."""
        _, fp, fn, tp = self._four
        return 2.0 * tp / (2.0 * tp + fp + fn)

    @property
    def balanced_accuracy(self) -> float:
        """Mean of sensitivity and specificity."""
        return (self.sensitivity + self.specificity) / 2.0

    @property
    def mcc(self) -> float:
        """Matthews' correlation of predicted and observed outcome (1975); NaN where one class is never predicted."""
        tn, fp, fn, tp = self._four
        scale = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        return float((tp * tn - fp * fn) / scale) if scale > 0 else float("nan")

    def summary_frame(self) -> pd.Series:  # type: ignore[override]
        """Every measure."""
        names = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "balanced_accuracy", "mcc", "kappa")
        return pd.Series({name: getattr(self, name) for name in names})

    def report(self, digits: int = 2) -> str:
        """Text with precision, recall, f1-score and support of each class, their plain and weighted means, and accuracy."""
        tn, fp, fn, tp = self._four
        rows = [(self.npv, self.specificity, 2.0 * tn / (2.0 * tn + fn + fp), tn + fp),
                (self.ppv, self.sensitivity, self.f1, tp + fn)]  # fmt: skip
        support = np.array([row[3] for row in rows])
        values = np.nan_to_num(np.array([row[:3] for row in rows]))
        return report_lines(self.names, values, support, self.accuracy, digits)

    @printed
    def __str__(self) -> str:
        head = f"Outcomes predicted at p >= {self.threshold:g} (row observed, column predicted)"
        table = self._counts()
        measures = "\n".join(f"{name:<18} {value:.4f}" for name, value in self.summary_frame().items())
        return f"{head}\n{table.to_string(float_format=lambda v: f'{v:g}')}\n\n{measures}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        frame = self.summary_frame().to_frame("value")
        table = self._counts()
        return f"{table.to_html(float_format=lambda v: f'{v:g}')}{frame.to_html(float_format=lambda v: f'{v:.4f}')}"


def report_lines(names: tuple[str, ...], values: FloatArray, support: FloatArray, accuracy: float, digits: int) -> str:
    """Text of precision, recall and f1-score (values, a row for each class), support, their means, and the accuracy."""
    wide = max(12, *(len(name) for name in names))
    lines = [f"{'':>{wide}} {'precision':>10} {'recall':>10} {'f1-score':>10} {'support':>10}", ""]
    shown = [(name, *row, count) for name, row, count in zip(names, values.tolist(), support, strict=True)]
    means = [("macro avg", *values.mean(axis=0), support.sum()),
             ("weighted avg", *np.average(values, axis=0, weights=support), support.sum())]  # fmt: skip
    lines += [_report_line(row, wide, digits) for row in shown]
    lines += ["", f"{'accuracy':>{wide}} {'':>10} {'':>10} {accuracy:>10.{digits}f} {support.sum():>10.0f}"]
    return "\n".join([*lines, *[_report_line(row, wide, digits) for row in means]])


def _report_line(row: tuple[object, ...], wide: int, digits: int) -> str:
    name, *numbers, count = row
    return f"{name:>{wide}} " + " ".join(f"{number:>10.{digits}f}" for number in numbers) + f" {count:>10.0f}"


def classification(fit: Fit, threshold: float = 0.5) -> Classification:
    """Outcomes predicted at a threshold, and the measures made of them."""
    return Classification(pred_table(fit, threshold), outcome_names(fit.design), threshold)


def outcome_names(design: Design) -> tuple[str, str]:
    """What non-events and events are called: the two values of the response, 0 and 1 where it counts successes."""
    levels = design.response.levels
    if levels is None:
        return "0", "1"
    failure, success = (f"{x:g}" if isinstance(x, (int, float)) and not isinstance(x, bool) else str(x) for x in levels)
    return failure, success
