"""Leverage and influence of every row: what the fit owes to it (Pregibon 1981, Annals of Statistics 9, 705-724).

With m_i trials, r Pearson and d deviance residuals, V the inverse information and h_i = m_i p_i (1 - p_i) x_i' V x_i:

=================== ==============================================================
cooks_distance      r² h / ((1 - h)² k)
dfbeta              V x_i (y_i - m_i p_i) / (1 - h_i): the coefficients minus those without the row, in one step
dfbetas             the same in standard errors
resid_studentized   sign(y - m p) sqrt(d² + h r² / (1 - h)) (Williams 1987)
delta_chi2          r² / (1 - h): fall of Pearson's chi-squared without the row
delta_deviance      d² / (1 - h) (Hosmer and Lemeshow 2000, section 5.3)
delta_deviance_hl   d² + h r² / (1 - h): the same to the next order
delta_beta          r² h / (1 - h)²
=================== ==============================================================

A frequency weight stands for identical rows: the row spoken of is one of them. A sampling weight, relative to the mean
weight, multiplies r², d², the information weight and the score of its row.

Rows of equal columns can be put together, as Hosmer and Lemeshow do: the row of m_j trials then is a covariate pattern.

A row of leverage one has a coefficient of its own, which fits it perfectly: without the row that coefficient has no estimate,
and what divides by 1 - h is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.assess.influence_names import CooksDistances, InfluenceNames
from logit_stats.assess.residuals import residuals
from logit_stats.design.block import FloatArray
from logit_stats.design.patterns import PatternCodes, grouped_by_pattern, pattern_codes
from logit_stats.errors import NotAvailableError, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.inference.row_scores import leverages, residuals_and_weights, score_residuals
from logit_stats.inference.wald import Reported
from logit_stats.wording import WIDTH, printed

if TYPE_CHECKING:
    from logit_stats.assess.exact_influence import ExactInfluence

# What a leverage of one leaves of one is rounding, some hundred times the precision where columns are badly scaled.
FITTED_PERFECTLY = 1e-8
MOST_SHOWN = 10


@dataclass(frozen=True, eq=False)
class Influence(InfluenceNames):
    """Influence of the rows of a fit, or of its covariate patterns; each statistic is computed when it is first asked for.

    Attributes
    ----------
    fit : Fit
        For patterns, with a row for each of them.
    of_rows : Reported
        The fit to the rows as they were, with the covariance that its summary shows.
    patterns : PatternCodes or None
        Which rows were put together, where they were.
    """

    fit: Fit
    of_rows: Reported
    patterns: PatternCodes | None = None

    @property
    def unit(self) -> str:
        """What is left out: "row" or "pattern"."""
        return "row" if self.patterns is None else "pattern"

    @property
    def labels(self) -> pd.Index:
        """Labels of the rows, or numbers of the patterns."""
        return self.fit.design.index

    @property
    def codes(self) -> NDArray[np.intp] | None:
        """(n,) pattern of each row; None where every row is one."""
        return None if self.patterns is None else self.patterns.codes

    @cached_property
    def _relative_weight(self) -> FloatArray | None:
        weight = self.fit.design.weight
        if weight is None or self.fit.design.weight_kind != "sampling":
            return None
        return np.asarray(weight.values / weight.values.mean())

    def _weighted(self, squares: FloatArray) -> FloatArray:
        return squares if self._relative_weight is None else squares * self._relative_weight

    @cached_property
    def hat_matrix_diag(self) -> FloatArray:
        """(n,) leverages."""
        return leverages(self.fit, residuals_and_weights(self.fit, self._eta)[1])

    @cached_property
    def _eta(self) -> FloatArray:
        return self.fit.eta

    @cached_property
    def _left(self) -> FloatArray:
        left = 1.0 - self.hat_matrix_diag
        return np.where(left > FITTED_PERFECTLY, left, np.nan)

    def _without(self) -> FloatArray:
        """1 - h, for statistics that speak of the fit without a row."""
        self.fit.facts.require("What the absence of a row does", "maximum", "converged")
        return self._left

    @cached_property
    def resid_pearson(self) -> FloatArray:
        """(n,) Pearson residuals."""
        return residuals(self.fit, "pearson", self._eta)

    @cached_property
    def resid_dev(self) -> FloatArray:
        """(n,) deviance residuals."""
        return residuals(self.fit, "dev", self._eta)

    @cached_property
    def _chi2(self) -> FloatArray:
        with np.errstate(over="ignore"):
            return self._weighted(self.resid_pearson**2)

    @property
    def resid_pearson_std(self) -> FloatArray:
        """(n,) Pearson residuals over sqrt(1 - h)."""
        return np.asarray(np.sign(self.resid_pearson) * np.sqrt(self._chi2 / self._left))

    @property
    def resid_dev_std(self) -> FloatArray:
        """(n,) deviance residuals over sqrt(1 - h)."""
        return np.asarray(np.sign(self.resid_dev) * np.sqrt(self._weighted(self.resid_dev**2) / self._left))

    @property
    def resid_studentized(self) -> FloatArray:
        """(n,) studentized residuals."""
        squared = self._weighted(self.resid_dev**2) + self.hat_matrix_diag * self._chi2 / self._left
        return np.asarray(np.sign(self.resid_dev) * np.sqrt(squared))

    @property
    def cooks_distance(self) -> CooksDistances:
        """(n,) Cook's distances; for statsmodels' scripts ``[0]`` is all of them, ``[1]`` their p-values."""
        parameters = self.fit.free_parameters
        left = self.of_rows.fit.design.observations - parameters
        return CooksDistances.of(self.delta_beta / parameters, parameters, left)

    @property
    def delta_chi2(self) -> FloatArray:
        """(n,) fall of Pearson's chi-squared without the row."""
        return np.asarray(self._chi2 / self._without())

    @property
    def delta_deviance(self) -> FloatArray:
        """(n,) fall of the deviance without the row."""
        return np.asarray(self._weighted(self.resid_dev**2) / self._without())

    @property
    def delta_deviance_hl(self) -> FloatArray:
        """(n,) fall of the deviance without the row, to the next order: the squared studentized residual."""
        return np.asarray(self._weighted(self.resid_dev**2) + self.hat_matrix_diag * self._chi2 / self._without())

    @property
    def delta_beta(self) -> FloatArray:
        """(n,) standardized distance that the coefficients move without the row."""
        return np.asarray(self._chi2 * self.hat_matrix_diag / self._without() ** 2)

    @cached_property
    def dfbeta(self) -> FloatArray:
        """(n, k) coefficients minus those without the row, in one step."""
        fit = self.fit
        to_user = fit.covariance_working @ fit.working.matrix(fit.parameters).T
        factor = score_residuals(fit, weighted=fit.design.weight_kind == "sampling") / self._without()
        moved, start = np.empty((fit.design.rows, fit.parameters)), 0
        for block in fit.design.blocks(TALL_ROWS):
            rows = slice(start, start + len(block.successes))
            np.matmul(fit.working.columns(block.X), to_user, out=moved[rows])
            moved[rows] *= factor[rows, None]
            start = rows.stop
        return moved

    @property
    def dfbetas(self) -> FloatArray:
        """(n, k) the same in standard errors: model-based ones, under sampling weights those of the result."""
        with np.errstate(divide="ignore", invalid="ignore"):  # what a constraint has fixed has none
            return np.asarray(self.dfbeta / self.scale)

    @property
    def scale(self) -> FloatArray:
        """(k,) the standard errors in which `dfbetas` are."""
        sampling = self._relative_weight is not None
        return self.of_rows.standard_errors if sampling else self.fit.standard_errors

    def exact(self, rows: Any = None, most: int = MOST_SHOWN) -> ExactInfluence:
        """Refit without each of some rows in turn; see `exact_influence.ExactInfluence`.

        Parameters
        ----------
        rows : label, or list of labels, optional
            Rows (or patterns) to leave out, one after the other; by default those of the largest Cook's distances.
        most : int
            How many of them, where `rows` is not given.
        """
        from logit_stats.assess.exact_influence import exact_influence

        return exact_influence(self, rows, most)

    def summary_frame(self) -> pd.DataFrame:
        """One row an observation: dfbetas of every coefficient, then the other statistics, statsmodels' names last."""
        frame = self._frame(np.arange(self.fit.design.rows))
        if not self.fit.facts.maximum:
            return frame
        return frame.assign(standard_resid=self.resid_pearson_std, dffits_internal=self.d_fittedvalues_scaled)

    def _frame(self, rows: NDArray[np.intp]) -> pd.DataFrame:
        design = self.fit.design
        found: dict[str, Any] = {}
        if self.patterns is not None:
            found["first_row"] = self.of_rows.fit.design.index[self.patterns.first[rows]]
            found["trials"] = np.asarray(design.response.trials)[rows]
            found["events"] = design.response.successes[rows]
        penalized = not self.fit.facts.maximum
        if not penalized:
            dfbetas = self.dfbetas[rows]
            found.update({f"dfb_{name}": dfbetas[:, j] for j, name in enumerate(design.names)})
            found["cooks_d"] = self.cooks_distance[rows]
        found["hat_diag"] = self.hat_matrix_diag[rows]
        for name in ("resid_pearson_std", "resid_dev_std", "resid_studentized"):
            found[name] = getattr(self, name)[rows]
        if not penalized:
            for name in ("delta_chi2", "delta_deviance", "delta_beta"):
                found[name] = getattr(self, name)[rows]
        return pd.DataFrame(found, index=design.index[rows])

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """(n,) positions, the most influential first: by Cook's distance (of penalized fits, by leverage)."""
        penalized = not self.fit.facts.maximum
        size = self.hat_matrix_diag if penalized else np.nan_to_num(self.cooks_distance, nan=-1.0, posinf=np.inf)
        return np.argsort(-size, kind="stable")

    def _head(self) -> tuple[str, pd.DataFrame]:
        what = "Rows" if self.patterns is None else f"Covariate patterns, of {self.patterns.count},"
        by = "leverages" if not self.fit.facts.maximum else "Cook's distances"
        return f"{what} with the largest {by}", self._frame(self.order[:MOST_SHOWN])

    @printed
    def __str__(self) -> str:
        title, top = self._head()
        return f"{title}\n{top.to_string(line_width=WIDTH, float_format='{:.4g}'.format)}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        title, top = self._head()
        return f"<p>{escape(title)}</p>{top.to_html(float_format='{:.4g}'.format)}"


def influence(reported: Reported, by: str = "row") -> Influence:
    """Influence of every row, or of every covariate pattern.

    Parameters
    ----------
    reported : Reported
    by : {"row", "pattern"}

    Raises
    ------
    NotAvailableError
        For patterns under sampling weights, where outcomes of one pattern stand for unequal numbers.
    """
    check_choice("by", by, ("row", "pattern"))
    design = reported.fit.design
    if by == "row":
        return Influence(reported.fit, reported)
    if design.weight_kind == "sampling":
        raise NotAvailableError(
            "Under sampling weights the outcomes of a covariate pattern stand for unequal numbers and are no counts; "
            "use by='row'."
        )
    patterns = pattern_codes(design)
    return Influence(replace(reported.fit, design=grouped_by_pattern(design, patterns)), reported, patterns)
