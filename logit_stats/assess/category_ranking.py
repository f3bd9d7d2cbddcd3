"""How well a response of several categories is ranked: ROC curves of each category against all others, and their averages.

The macro average is the plain mean of the areas, the weighted one that by the observations of each category (Provost and Domingos
2000); M is the mean over pairs of categories of both ways to tell them apart (Hand and Till 2001, Machine Learning 45, 171-186).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.assess.ranking import Roc, roc_of
from logit_stats.assess.scored import Scored
from logit_stats.design.block import FloatArray
from logit_stats.design.categories import Categories
from logit_stats.wording import WIDTH, lines, printed


@dataclass(frozen=True, eq=False)
class CategoryRoc:
    """ROC curves of every category against all others.

    Attributes
    ----------
    curves : dict
        `Roc` of each category.
    weights : (C,)
        Observations of each.
    hand_till : float
        M of Hand and Till.
    """

    curves: dict[Any, Roc]
    weights: FloatArray
    hand_till: float

    def __getitem__(self, category: Any) -> Roc:
        return self.curves[category]

    @property
    def macro(self) -> float:
        """Mean of the areas."""
        return float(np.mean([curve.auc for curve in self.curves.values()]))

    @property
    def weighted(self) -> float:
        """Mean of the areas weighted by the observations."""
        return float(np.average([curve.auc for curve in self.curves.values()], weights=self.weights))

    @property
    def auc(self) -> float:
        """The macro average."""
        return self.macro

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row a category: observations, area, standard error and limits."""
        rows = []
        for (label, curve), count in zip(self.curves.items(), self.weights, strict=True):
            low, high = curve.conf_int(alpha)
            rows.append({"category": label, "observations": count, "auc": curve.auc, "std_error": curve.se,
                         "conf_low": low, "conf_high": high})  # fmt: skip
        return pd.DataFrame(rows).set_index("category")

    @printed
    def __str__(self) -> str:
        table = self.summary_frame().to_string(line_width=WIDTH, float_format="{:.4f}".format)
        averages = (
            f"Macro average {self.macro:.4f}, weighted {self.weighted:.4f}; Hand and Till's M {self.hand_till:.4f}"
        )
        return f"ROC areas, each category against all others\n{table}\n{lines(averages)}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.summary_frame().to_html(float_format="{:.4f}".format))


def category_roc(prob: FloatArray, categories: Categories, weight: FloatArray, sampling: bool) -> CategoryRoc:
    """ROC curves from probabilities (n, C) of the categories."""
    codes = categories.codes
    curves = {
        label: roc_of(_scored(prob[:, c], codes == c, codes != c, weight, sampling))
        for c, label in enumerate(categories.labels)
    }
    counts = np.array([float(weight[codes == c].sum()) for c in range(len(categories.labels))])
    pairs = []
    for a, b in combinations(range(len(categories.labels)), 2):
        ways = [roc_of(_scored(prob[:, c], codes == c, codes == d, weight, sampling)).auc for c, d in ((a, b), (b, a))]
        pairs.append(float(np.mean(ways)))
    return CategoryRoc(curves, counts, float(np.mean(pairs)))


def _scored(p: FloatArray, events: Any, others: Any, weight: FloatArray, sampling: bool) -> Scored:
    rows = events | others
    with np.errstate(divide="ignore"):
        odds = np.log(p[rows]) - np.log1p(-p[rows])
    return Scored(p[rows], odds, (weight * events)[rows], (weight * others)[rows], sampling)
