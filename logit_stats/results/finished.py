"""What every answer starts from: the model, its finished fit, the covariance chosen, and the labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from inspect import getattr_static
from typing import TYPE_CHECKING, Any, NoReturn, Self

import pandas as pd

from logit_stats.assess.fit_statistics import FitStatistics
from logit_stats.design.block import FloatArray
from logit_stats.design.removed import DesignWithoutRows, removed_if_long
from logit_stats.errors import DataError, NotAvailableError
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance, covariance
from logit_stats.inference.hauck_donner import hauck_donner
from logit_stats.inference.inference import WALD, Inference
from logit_stats.inference.wald import Reported
from logit_stats.likelihoods.facts import Facts
from logit_stats.results.published import Published
from logit_stats.results.refusals import not_there

if TYPE_CHECKING:
    from logit_stats.models.logit import Logit

Vector = Any  # pandas Series for labelled fits, NumPy array for array fits
Matrix = Any  # pandas DataFrame or NumPy array


def fit_of(res: Any, asked: str) -> Fit:
    """The fit of a result; what is no result of `fit`, such as a model, gets a clear refusal."""
    if not hasattr(res, "fit_"):
        raise DataError(f"{asked} takes results of fit(), and this is a {type(res).__name__}.")
    fit: Fit = res.fit_
    return fit


@dataclass(frozen=True, eq=False)
class Finished(Published):
    """A fit that can be asked.

    Attributes
    ----------
    model : Logit
        The model.
    fit_ : Fit
        The finished fit in the solver's terms.
    covariance_ : Covariance
        The covariance that standard errors, tests and intervals use.
    inference_ : Inference
        How p-values and limits of the coefficients are had.
    """

    model: Logit
    fit_: Fit
    covariance_: Covariance
    inference_: Inference = WALD

    def __getattr__(self, name: str) -> NoReturn:
        """Refuse in words what other results answer and this one does not; for ``hasattr`` the name is not there."""
        own = getattr_static(type(self), name, None)
        if hasattr(own, "__get__"):  # the name is there, and has its own words
            own.__get__(self, type(self))
        raise not_there(self, name)

    @property
    def facts(self) -> Facts:
        """What is true of the fit: what answers ask before they are given."""
        return self.fit_.facts

    @property
    def profile_(self) -> Any:
        """What is profiled over the coefficients: the likelihood, penalized where the fit is.

        Raises
        ------
        NotAvailableError
            If nothing is maximised that could be profiled.
        """
        found = self.inference_.profile(self.fit_)
        if found is None:
            raise NotAvailableError("This fit maximises nothing that could be profiled over all of its coefficients.")
        return found

    def _coefficients(self, values: FloatArray) -> Vector:
        return pd.Series(values, index=self.model.exog_names) if self.fit_.design.labelled else values

    def _rows(self, values: FloatArray) -> Vector:
        return pd.Series(values, index=self.fit_.design.index) if self.fit_.design.labelled else values

    @cached_property
    def _statistics(self) -> FitStatistics:
        return FitStatistics(self.fit_)

    def _criterion(self, name: str) -> float:
        """Information criterion; NaN with a dispersion, under which there is no likelihood."""
        value = self._statistics.criterion(name)
        return float("nan") if self.covariance_.likelihood_reference.scaled else value

    def _covariance(self, cov_type: str, use_t: bool | None, settings: dict[str, Any]) -> Covariance:
        """Another covariance; t is used where it was asked for, now or at the fit."""
        return covariance(self.fit_, cov_type, self.covariance_.use_t if use_t is None else use_t, **settings)

    @cached_property
    def _past_peak(self) -> tuple[str, ...]:
        return hauck_donner(self.fit_)

    @cached_property
    def _score(self) -> FloatArray:
        return self.model.score(self.fit_.beta)

    def _without_rows(self) -> Self:
        """Return the same answers without the rows: what they need of them is computed now."""
        if isinstance(self.fit_.design, DesignWithoutRows):
            return self
        fit = self.fit_.without_rows()
        values = {
            "_statistics": self._statistics.without_rows(fit),
            "_past_peak": self._past_peak,
            "_score": self._score,
        }
        cov = replace(
            self.covariance_, settings={name: removed_if_long(v) for name, v in self.covariance_.settings.items()}
        )
        found = replace(self, model=self.model.with_design(fit.design), fit_=fit, covariance_=cov)
        found.__dict__.update(values)
        return found

    def _carried_to(self, other: Self) -> Self:
        """Return another result of the same fit with what was computed for this one and depends on the fit alone."""
        for name in ("_statistics", "_past_peak", "_score"):
            if name in self.__dict__:
                other.__dict__[name] = self.__dict__[name]
        return other

    @property
    def use_t(self) -> bool:
        """Whether p-values and intervals are Student's t: on request, or as the covariance has it."""
        return self.covariance_.reference.uses_t

    uses_t = use_t

    @property
    def _reported(self) -> Reported:
        return Reported(self.fit_, self.covariance_)
