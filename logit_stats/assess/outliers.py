"""Outlier tests: is a row's residual too large to be one of so many?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from logit_stats.assess.influence import Influence
from logit_stats.estimation.fit import Fit


@dataclass(frozen=True, eq=False)
class OutlierTest:
    """Largest studentized residuals with p-values for one row, and adjusted for choosing it among all (Bonferroni).

    Attributes
    ----------
    frame : DataFrame
        row labels; resid_studentized, p_value, bonferroni.
    rows : int
        Number of rows it was chosen from.
    """

    frame: pd.DataFrame
    rows: int

    def __str__(self) -> str:
        note = "Residuals of 0/1 outcomes are far from normal: the p-values are a screen, not a verdict."
        return f"Largest studentized residuals of {self.rows} rows\n{self.frame.to_string(float_format='{:.4g}'.format)}\n{note}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.frame.to_html(float_format="{:.4g}".format))


def outlier_test(fit: Fit, most: int = 10) -> OutlierTest:
    """Bonferroni outlier test of the studentized residuals (Fox and Weisberg 2019, section 8.3.1, normal for GLMs)."""
    studentized = Influence(fit).resid_studentized
    p = 2.0 * stats.norm.sf(np.abs(studentized))
    columns = {"resid_studentized": studentized, "p_value": p, "bonferroni": np.minimum(p * len(p), 1.0)}
    frame = pd.DataFrame(columns, index=fit.design.index)
    order = np.argsort(-np.abs(studentized), kind="stable")[:most]
    return OutlierTest(frame.iloc[order], len(p))
