"""Influence of the rows where each has several linear predictors: leverage, Cook's distance, dfbetas.

The changes are one-step ones (`logit_stats.inference.row_blocks`): ``dfbeta_i = V Z_i' (I - W_i G_i)^-1 u_i``; Cook's distance is
their squared length in the metric of the information over the number of coefficients (Lesaffre and Albert 1989, Applied
Statistics 38, 425-440). For two categories they are those of the binary logit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.errors import NotAvailableError, check_choice
from logit_stats.inference.row_blocks import RowBlocks, moved_without, row_blocks
from logit_stats.inference.wald import Reported
from logit_stats.wording import WIDTH, printed

MOST_SHOWN = 10


@dataclass(frozen=True, eq=False)
class EquationInfluence:
    """Influence of the rows of a fit with several equations.

    Attributes
    ----------
    of_rows : Reported
        The fit, with the covariance that its summary shows.
    blocks : RowBlocks
        Leverages and scores of the rows.
    """

    of_rows: Reported
    blocks: RowBlocks

    @property
    def labels(self) -> pd.Index:
        """Labels of the rows."""
        return self.of_rows.fit.design.index

    @property
    def hat_matrix_diag(self) -> FloatArray:
        """(n,) leverages: traces of the rows' blocks of the hat matrix, which sum to the number of coefficients."""
        return self.blocks.leverage

    @cached_property
    def cooks_distance(self) -> FloatArray:
        """(n,) Cook's distances."""
        fit = self.of_rows.fit
        mean = fit.design.row_weight.mean() if fit.design.weight_kind == "sampling" else 1.0
        return np.asarray(self.blocks.length / (fit.free_parameters * mean))

    @cached_property
    def dfbeta(self) -> FloatArray:
        """(n, p) coefficients (equation by equation) minus those without the row, in one step."""
        return moved_without(self.of_rows.fit, self.blocks)

    @property
    def dfbetas(self) -> FloatArray:
        """(n, p) the same in standard errors: model-based ones, under sampling weights those of the result."""
        sampling = self.of_rows.fit.design.weight_kind == "sampling"
        scale = self.of_rows.standard_errors if sampling else self.of_rows.fit.standard_errors
        with np.errstate(divide="ignore", invalid="ignore"):  # what a constraint has fixed has none
            return np.asarray(self.dfbeta / scale)

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """(n,) positions, the largest Cook's distance first."""
        return np.argsort(-np.nan_to_num(self.cooks_distance, nan=-1.0, posinf=np.inf), kind="stable")

    def summary_frame(self) -> pd.DataFrame:
        """One row an observation: dfbetas of every coefficient, Cook's distance, leverage."""
        names = self.of_rows.fit.design.coefficient_names
        found = {f"dfb_{name}": self.dfbetas[:, j] for j, name in enumerate(names)}
        return pd.DataFrame(
            {**found, "cooks_d": self.cooks_distance, "hat_diag": self.hat_matrix_diag}, index=self.labels
        )

    def _head(self) -> pd.DataFrame:
        return self.summary_frame().iloc[self.order[:MOST_SHOWN]]

    @printed
    def __str__(self) -> str:
        top = self._head().to_string(line_width=WIDTH, float_format="{:.4g}".format)
        return f"Rows with the largest Cook's distances\n{top}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        title = escape("Rows with the largest Cook's distances")
        return f"<p>{title}</p>{self._head().to_html(float_format='{:.4g}'.format)}"


def equation_influence(reported: Reported, by: str = "row") -> EquationInfluence:
    """Influence of every row.

    Raises
    ------
    NotAvailableError
        For covariate patterns, which are counts of two outcomes; and for a fit that is not at the maximum.
    """
    check_choice("by", by, ("row", "pattern"))
    if by == "pattern":
        raise NotAvailableError("Covariate patterns are put together for responses of two categories; use by='row'.")
    reported.fit.facts.require("What the absence of a row does", "maximum", "converged", "rows")
    return EquationInfluence(reported, row_blocks(reported.fit))
