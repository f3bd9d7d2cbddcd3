"""What every answer starts from: the model, its finished fit, the covariance chosen, and the labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from logit_stats.assess.fit_statistics import FitStatistics
from logit_stats.design.block import FloatArray
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.wald import Reported, t_degrees

if TYPE_CHECKING:
    from logit_stats.model import Logit

Vector = Any  # pandas Series for labelled fits, NumPy array for array fits
Matrix = Any  # pandas DataFrame or NumPy array


@dataclass(frozen=True, eq=False)
class Finished:
    """A fit that can be asked.

    Attributes
    ----------
    model : Logit
        The model.
    fit_ : Fit
        The finished fit in the solver's terms.
    covariance_ : Covariance
        The covariance that standard errors, tests and intervals use.
    use_t : bool
        Whether they use Student's t.
    """

    model: Logit
    fit_: Fit
    covariance_: Covariance
    use_t: bool = False

    def _coefficients(self, values: FloatArray) -> Vector:
        return pd.Series(values, index=self.model.exog_names) if self.fit_.design.labelled else values

    def _rows(self, values: FloatArray) -> Vector:
        return pd.Series(values, index=self.fit_.design.index) if self.fit_.design.labelled else values

    @cached_property
    def _statistics(self) -> FitStatistics:
        return FitStatistics(self.fit_)

    @property
    def uses_t(self) -> bool:
        """Whether p-values and intervals are Student's t: on request, or as the covariance has it."""
        return self.use_t or self.covariance_.df is not None

    @property
    def _t_df(self) -> Any:
        return t_degrees(self.fit_, self.covariance_, self.use_t)

    @property
    def _reported(self) -> Reported:
        return Reported(self.fit_, self.covariance_, self.use_t)
