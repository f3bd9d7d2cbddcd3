"""Most probable against observed categories."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from logit_stats.assess.classification import report_lines
from logit_stats.design.block import FloatArray
from logit_stats.estimation.fit import Fit
from logit_stats.wording import WIDTH


def category_table(fit: Fit) -> FloatArray:
    """(C, C) counts (weights counted): row observed, column the most probable category, the first of equals."""
    categories = fit.design.response.categories
    assert categories is not None
    size = len(categories.labels)
    eta = np.column_stack([np.zeros(fit.design.rows), fit.eta])
    weight = None if fit.design.weight is None else fit.design.weight.values
    cells = np.bincount(categories.codes * size + eta.argmax(axis=1), weights=weight, minlength=size * size)
    return cells.astype(np.float64).reshape(size, size)


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

    def __str__(self) -> str:
        head = "Most probable category (row observed, column predicted)"
        counts = self._counts().to_string(line_width=WIDTH, float_format="{:g}".format)
        return f"{head}\n{counts}\n\n{self.report()}\n\n{self._measures()}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        table = self._counts().to_html(float_format="{:g}".format)
        return f"{table}{self.summary_frame().to_html(float_format='{:.4g}'.format)}<p>{escape(self._measures())}</p>"
