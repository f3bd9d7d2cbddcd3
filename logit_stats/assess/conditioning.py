"""Condition indices: how near the design columns are to being dependent, and which of them take part.

Columns are scaled to unit length, the constant among them, and not centred (Belsley, Kuh and Welsch 1980, Regression
Diagnostics, sections 3.2 and 3.3). With singular values s_i of that matrix and right singular vectors v_i, the indices are
``max s / s_i``, and the share of the variance of coefficient j that comes from direction i is ``v_ij² / s_i²`` over its sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import NotAvailableError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import triangular_factor
from logit_stats.likelihoods.working import WorkingColumns, centred_columns
from logit_stats.wording import lines, printed, table

NEAR_DEPENDENCE = 30.0  # Belsley, Kuh and Welsch 1980, section 3.4: a condition index worth a look
SHARE = 0.5


@dataclass(frozen=True, slots=True)
class NearDependence:
    """One near-dependence: its condition index, and the share of each column's variance that comes from it."""

    condition_index: float
    shares: dict[str, float]


@dataclass(frozen=True, eq=False)
class ConditionIndices:
    """Condition indices with variance-decomposition proportions.

    Attributes
    ----------
    index : (k,)
        Condition indices, rising.
    proportions : DataFrame
        A row for each index, a column for each coefficient; every column sums to one.
    weighted : bool
        Whether rows were weighted by their information, as the coefficients' covariance has them, or all alike.
    """

    index: FloatArray
    proportions: pd.DataFrame
    weighted: bool

    @property
    def frame(self) -> pd.DataFrame:
        """The proportions with the indices before them."""
        frame = self.proportions.reset_index(drop=True)
        frame.insert(0, "index", self.index)
        return frame

    @property
    def near_dependences(self) -> tuple[NearDependence, ...]:
        """Indices of 30 and more that hold more than half of the variance of two coefficients or more; the worst first."""
        found = []
        for i in range(len(self.index) - 1, -1, -1):
            row = self.proportions.iloc[i]
            involved = {str(name): float(share) for name, share in row.items() if share > SHARE}
            if self.index[i] >= NEAR_DEPENDENCE and len(involved) > 1:
                found.append(NearDependence(float(self.index[i]), involved))
        return tuple(found)

    @property
    def _title(self) -> str:
        rows = "rows weighted by their information" if self.weighted else "rows unweighted"
        return f"Condition indices and shares of the coefficients' variances (columns of unit length, {rows})"

    @property
    def verdict(self) -> str:
        """Say in words which columns are nearly dependent."""
        if not self.near_dependences:
            return f"No index of {NEAR_DEPENDENCE:g} or more holds more than half of the variance of two coefficients."
        return "\n".join(
            f"Nearly dependent, index {near.condition_index:.3g}: {', '.join(near.shares)}."
            for near in self.near_dependences
        )

    @printed
    def __str__(self) -> str:
        return "\n".join([lines(self._title), table(self.frame, "{:.3f}".format), lines(self.verdict)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        table = self.frame.to_html(index=False, float_format="{:.3f}".format)
        return f"<p>{escape(self._title)}</p>{table}<p>{escape(self.verdict)}</p>"


def condition_indices(design: Design, fit: Fit | None = None) -> ConditionIndices:
    """Condition indices of the columns of a design; with `fit`, of its rows times the roots of their information.

    Raises
    ------
    NotAvailableError
        If a column is zero everywhere.
    """
    # powers of two keep the squares of very large and very small columns numbers; lengths are one in the end
    scaled = WorkingColumns(None, centred_columns(design).scale)
    gamma = None if fit is None else scaled.gamma(fit.beta)
    R = triangular_factor(design, scaled, gamma)
    length = np.sqrt((R**2).sum(axis=0))
    if not (np.isfinite(length).all() and (length > 0.0).all()):
        raise NotAvailableError("A design column is zero in every row; it has no direction to compare.")
    _, singular, rows = np.linalg.svd(R / length)
    singular = np.maximum(singular, np.finfo(np.float64).tiny)
    parts = (rows / singular[:, None]) ** 2
    proportions = pd.DataFrame(parts / parts.sum(axis=0), columns=list(design.names))
    return ConditionIndices(singular[0] / singular, proportions, fit is not None)
