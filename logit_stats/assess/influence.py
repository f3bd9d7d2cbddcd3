"""Leverage and influence of every row: what the fit owes to it (Pregibon 1981, Annals of Statistics 9, 705-724).

With m_i trials, r Pearson and d deviance residuals, V the inverse information and h_i = m_i p_i (1 - p_i) x_i' V x_i:

=================== ==============================================================
cooks_distance      r² h / ((1 - h)² k)
dfbeta              V x_i (y_i - m_i p_i) / (1 - h_i): the coefficients minus those without the row, in one step
dfbetas             the same in standard errors
resid_studentized   sign(y - m p) sqrt(d² + h r² / (1 - h)) (Williams 1987)
delta_chi2          r² / (1 - h): fall of Pearson's chi-squared without the row
delta_deviance      d² / (1 - h) (Hosmer and Lemeshow 2000, section 5.3)
delta_beta          r² h / (1 - h)²
=================== ==============================================================

A frequency weight stands for identical rows: the row spoken of is one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from logit_stats.assess.residuals import residuals
from logit_stats.design.block import FloatArray
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.estimation.rows import score_residual, variance
from logit_stats.inference.row_scores import leverages


@dataclass(frozen=True, eq=False)
class Influence:
    """Influence of the rows of a fit; each statistic is computed when it is first asked for.

    Attributes
    ----------
    fit : Fit
    """

    fit: Fit

    def _parts(self) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Working columns, information weight of one of the identical rows, and score residual, a tile at a time."""
        for block in self.fit.design.blocks(TALL_ROWS):
            Z = self.fit.working.columns(block.X)
            eta = Z @ self.fit.gamma
            if block.offset is not None:
                eta = eta + block.offset
            weight = variance(eta)
            if block.trials is not None:
                weight = weight * block.trials
            score = score_residual(eta, block.successes, block.trials)
            if self.fit.design.weight_kind == "sampling" and block.weight is not None:
                weight, score = weight * block.weight, score * block.weight
            yield Z, weight, score

    @cached_property
    def hat_matrix_diag(self) -> FloatArray:
        """(n,) leverages."""
        return leverages(self.fit)

    @cached_property
    def _left(self) -> FloatArray:
        return 1.0 - self.hat_matrix_diag

    @cached_property
    def resid_pearson(self) -> FloatArray:
        """(n,) Pearson residuals."""
        return residuals(self.fit, "pearson")

    @cached_property
    def resid_dev(self) -> FloatArray:
        """(n,) deviance residuals."""
        return residuals(self.fit, "dev")

    @property
    def resid_pearson_std(self) -> FloatArray:
        """(n,) Pearson residuals over sqrt(1 - h)."""
        return np.asarray(self.resid_pearson / np.sqrt(self._left))

    @property
    def resid_dev_std(self) -> FloatArray:
        """(n,) deviance residuals over sqrt(1 - h)."""
        return np.asarray(self.resid_dev / np.sqrt(self._left))

    @property
    def resid_studentized(self) -> FloatArray:
        """(n,) studentized residuals."""
        squared = self.resid_dev**2 + self.hat_matrix_diag * self.resid_pearson**2 / self._left
        return np.asarray(np.sign(self.resid_dev) * np.sqrt(squared))

    @property
    def cooks_distance(self) -> FloatArray:
        """(n,) Cook's distances."""
        return np.asarray(self.resid_pearson**2 * self.hat_matrix_diag / (self._left**2 * self.fit.parameters))

    @property
    def delta_chi2(self) -> FloatArray:
        """(n,) fall of Pearson's chi-squared without the row."""
        return np.asarray(self.resid_pearson**2 / self._left)

    @property
    def delta_deviance(self) -> FloatArray:
        """(n,) fall of the deviance without the row."""
        return np.asarray(self.resid_dev**2 / self._left)

    @property
    def delta_beta(self) -> FloatArray:
        """(n,) standardized distance that the coefficients move without the row."""
        return np.asarray(self.resid_pearson**2 * self.hat_matrix_diag / self._left**2)

    @cached_property
    def dfbeta(self) -> FloatArray:
        """(n, k) coefficients minus those without the row, in one step."""
        to_user = self.fit.covariance_working @ self.fit.working.matrix(self.fit.parameters).T
        moved = np.vstack([(Z * score[:, None]) @ to_user for Z, _, score in self._parts()])
        return np.asarray(moved / self._left[:, None])

    @property
    def dfbetas(self) -> FloatArray:
        """(n, k) the same in model-based standard errors."""
        return np.asarray(self.dfbeta / self.fit.standard_errors)

    def summary_frame(self) -> pd.DataFrame:
        """One row an observation: dfbetas of every coefficient, then the other statistics."""
        frame = pd.DataFrame(
            self.dfbetas, index=self.fit.design.index, columns=[f"dfb_{name}" for name in self.fit.design.names]
        )
        return frame.assign(
            cooks_d=self.cooks_distance,
            hat_diag=self.hat_matrix_diag,
            resid_pearson_std=self.resid_pearson_std,
            resid_dev_std=self.resid_dev_std,
            resid_studentized=self.resid_studentized,
            delta_chi2=self.delta_chi2,
            delta_deviance=self.delta_deviance,
            delta_beta=self.delta_beta,
        )

    def __str__(self) -> str:
        top = self.summary_frame().nlargest(10, "cooks_d")
        return f"Rows with the largest Cook's distances\n{top.to_string(float_format=lambda v: f'{v:.4g}')}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.summary_frame().nlargest(10, "cooks_d").to_html(float_format=lambda v: f"{v:.4g}"))
