"""Outlier tests: is a row's residual too large to be one of so many?"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from scipy import stats

from logit_stats.assess.influence import influence
from logit_stats.errors import DataError, whole_number
from logit_stats.inference.wald import Reported
from logit_stats.wording import WIDTH, lines, printed

NOTE = "Residuals of 0/1 outcomes are far from normal: the p-values are a screen, not a verdict."


@dataclass(frozen=True, eq=False)
class OutlierTest:
    """Largest studentized residuals with p-values for one row, and adjusted for choosing it among all (Bonferroni).

    Attributes
    ----------
    frame : DataFrame
        row labels; resid_studentized, p_value, bonferroni.
    observations : float
        Number of observations it was chosen from: rows, or the sum of the frequency weights.
    """

    frame: pd.DataFrame
    observations: float

    @property
    def _title(self) -> str:
        return f"Largest studentized residuals of {self.observations:.0f} observations"

    @printed
    def __str__(self) -> str:
        return f"{self._title}\n{self.frame.to_string(line_width=WIDTH, float_format='{:.4g}'.format)}\n{lines(NOTE)}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(self._title)}</p>{self.frame.to_html(float_format='{:.4g}'.format)}<p>{escape(NOTE)}</p>"


def outlier_test(reported: Reported, most: int = 10) -> OutlierTest:
    """Bonferroni outlier test of the studentized residuals (Fox and Weisberg 2019, section 8.3.1, normal for GLMs).

    Parameters
    ----------
    reported : Reported
    most : int
        How many are listed.
    """
    most = whole_number("most", most)
    if most < 1:
        raise DataError(f"most={most}: list one or more.")
    design = reported.fit.design
    studentized = influence(reported).resid_studentized
    p = 2.0 * stats.norm.sf(np.abs(studentized))
    columns = {"resid_studentized": studentized, "p_value": p, "bonferroni": np.minimum(p * design.observations, 1.0)}
    frame = pd.DataFrame(columns, index=design.index)
    order = np.argsort(-np.nan_to_num(np.abs(studentized), nan=-1.0), kind="stable")[:most]
    return OutlierTest(frame.iloc[order], design.observations)
