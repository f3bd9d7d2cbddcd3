"""`LimitResults`: maximum likelihood where some coefficients are infinite."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.assess.fit_statistics import FitStatistics
from logit_stats.design.block import FloatArray
from logit_stats.errors import NotAvailableError, check_choice, listed
from logit_stats.estimation.limit import LimitFit, limiting_fit
from logit_stats.estimation.recession import FINITE
from logit_stats.inference.covariance import Covariance, covariance
from logit_stats.inference.inference import LimitLikelihood
from logit_stats.inference.likelihood_ratio import LikelihoodRatioTest, likelihood_ratio_test
from logit_stats.inference.predictions import Prediction, prediction
from logit_stats.likelihoods.facts import Facts
from logit_stats.likelihoods.rows import probability, variance
from logit_stats.results.answers import Answers
from logit_stats.results.finished import Vector
from logit_stats.results.prediction import new_rows
from logit_stats.wording import lines

if TYPE_CHECKING:
    from logit_stats.assess.ranking import Roc
    from logit_stats.estimation.separation import Separation
    from logit_stats.models.logit import Logit


@dataclass(frozen=True, eq=False, repr=False)
class LimitResults(Answers):
    """Results of the limiting fit, under the names of every other fit.

    Coefficients are finite, infinite, or NaN where the data leave them undetermined. `llf` is the supremum of the
    log-likelihood. Finite coefficients have the standard errors of the fit to the rows that are not separated; p-values and
    intervals come from the likelihood ratio, and the interval of an infinite coefficient has one end. Whatever needs finite
    coefficients raises `NotAvailableError`.
    """

    fit_: LimitFit

    model_title = "Logit Regression Results (limit of maximum likelihood)"
    method = "MLE (limit)"

    # Estimates.

    @property
    def separation(self) -> Separation:
        """What is separated, and in which direction."""
        return self.fit_.separation

    inference_: LimitLikelihood

    @cached_property
    def facts(self) -> Facts:
        """What is true of the fit."""
        if self.separation.kind == "none":
            return self.fit_.facts.but(
                {"finite": "is not there for a limiting fit; nothing is separated, so ask fit() for it"}
            )
        fates = zip(self.separation.names, self.separation.fates, strict=True)
        columns = listed([column for column, fate in fates if fate != FINITE])
        return self.fit_.facts.but(
            {"finite": f"needs finite coefficients, and those of {columns} are not. Ask fit_firth() for it, or a model without "
                       f"these columns"}
        )  # fmt: skip

    @property
    def lr_statistics(self) -> FloatArray:
        """(k,) likelihood-ratio statistic of each coefficient against zero; 0 where undetermined."""
        return self.inference_.statistics

    @cached_property
    def _statistics(self) -> LimitStatistics:
        return LimitStatistics(self.fit_)

    @property
    def mle_retvals(self) -> dict[str, Any]:
        """How the iterations of the finite part went."""
        return {"converged": self.converged, "iterations": self.fit_.iterations, "decrement": self.fit_.decrement}

    def lr_test(self, other: Any) -> LikelihoodRatioTest:
        """Likelihood-ratio test against a nested (or nesting) fit to the same rows, limiting or not.

        Where the smaller model is separated, only columns count as degrees of freedom that the rows tell apart which it
        does not predict with certainty (Geyer 2009).
        """
        return likelihood_ratio_test(self.fit_, other.fit_)

    # Rows.

    @property
    def fittedvalues(self) -> Vector:
        """(n,) linear predictor; infinite in separated rows."""
        return self._rows(self.fit_.eta)

    @property
    def resid_response(self) -> Vector:
        """(n,) observed proportion minus probability; zero in separated rows."""
        return self._rows(self.fit_.design.response.proportions - probability(self.fit_.eta))

    def predict(self, exog: Any = None, which: str = "mean", offset: Any = None, *, transform: bool = True) -> Vector:
        """Probabilities, linear predictors or variances; arguments as for `LogitResults.predict`.

        Rows on the separated side have probability 0 or 1; rows whose probability the data leave undetermined, and rows
        with missing values, have NaN.
        """
        check_choice("which", which, ("mean", "linear", "var"))
        _, eta, index = self._new(exog, offset, transform)
        values = eta if which == "linear" else (probability if which == "mean" else variance)(eta)
        return pd.Series(values, index=index) if index is not None else values

    def get_prediction(
        self, exog: Any = None, offset: Any = None, *, transform: bool = True, which: str = "mean", row_labels: Any = None,
        average: bool = False, agg_weights: Any = None,
    ) -> Prediction:  # fmt: skip
        """Predicted probabilities with standard errors and limits; these are NaN where the linear predictor is infinite."""
        if average or agg_weights is not None or which != "mean":
            raise NotAvailableError("A limiting fit has predicted probabilities of single rows; ask for these.")
        Z, eta, index = self._new(exog, offset, transform)
        labels = pd.Index(row_labels) if row_labels is not None else pd.RangeIndex(len(eta)) if index is None else index
        made = prediction(self.fit_, self.covariance_, np.asarray(Z), eta, labels)
        return Prediction(eta, np.where(np.isfinite(eta), made.se_linear, np.nan), labels)

    def _new(self, exog: Any, offset: Any, transform: bool = True) -> tuple[FloatArray, FloatArray, pd.Index | None]:
        Z, eta, index = new_rows(self.fit_, exog, offset, transform)
        if exog is None and offset is None:
            return Z, eta, self.fit_.design.index if self.fit_.design.labelled else None
        return Z, self.fit_.limits_of(Z, eta), index

    def roc(self) -> Roc:
        """ROC curve; separated rows rank above, or below, all others."""
        from logit_stats.assess.ranking import roc_of
        from logit_stats.assess.scored import Scored

        scored = Scored.of_fit(self.fit_)
        beyond = 1000.0 + np.abs(scored.eta[np.isfinite(scored.eta)]).max(initial=0.0)
        ranked = np.clip(scored.eta, -beyond, beyond)
        return roc_of(Scored(scored.prob, ranked, scored.events, scored.nonevents, scored.sampling))

    # Reports.

    def summary_notes(self) -> list[str]:
        """Return the sentences that stand under the summary."""
        from logit_stats.report.notes import design_notes

        found, split = design_notes(self.fit_), self.separation
        if split.kind == "none":
            return [*found, "No separation: this is the ordinary maximum-likelihood fit."]
        found.append(
            f"{split.kind.capitalize()} separation: {split.rows} of {len(split.level)} rows are predicted with certainty in "
            f"the limit and drop out; the finite part is the maximum-likelihood fit of the "
            f"{len(split.level) - split.rows} others. The log-likelihood is a supremum."
        )
        found.append(
            "p-values and intervals are those of likelihood ratios; an infinite coefficient has an interval with one end "
            "and no standard error."
        )
        if split.undetermined:
            found.append(
                f"Undetermined (nan): {listed(split.undetermined, 8)}; the likelihood comes as near to its supremum with "
                f"any value."
            )
        return found

    @property
    def plot(self) -> Any:
        """Pictures: ``coefficients()``, ``odds_ratios()``, ``roc()``, ``confusion()``; an arrow is an interval without end."""
        from logit_stats.results.plots import LimitPlots

        return LimitPlots(self)

    def __repr__(self) -> str:
        count = f"{self.fit_.parameters} coefficients, {len(self.separation.infinite)} infinite"
        return lines(f"<LimitResults llf={self.llf:.6g}, {count}; {self.sample_line()}>")


@dataclass(frozen=True, eq=False)
class LimitStatistics(FitStatistics):
    """The same for a limiting fit, whose separated rows add nothing to sums of residuals."""

    fit: LimitFit

    def _pearson_terms(self) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.fit.separation.level > 0, 0.0, super()._pearson_terms())

    def _mckelvey_zavoina(self) -> float:
        """Return the limit as the variance of the linear predictor grows: 1 under separation."""
        return super()._mckelvey_zavoina() if self.fit.separation.kind == "none" else 1.0


def fit_limit(model: Logit, maxiter: int = 35, tol: float | None = None) -> LimitResults:
    """Fit to the limit; see `Logit.fit_limit`."""
    fitted = limiting_fit(model.design, maxiter=maxiter, tol=tol, check_rank=model.check_rank)
    cov: Covariance = covariance(fitted, "nonrobust")
    return LimitResults(model.with_design(fitted.design), fitted, cov, LimitLikelihood(fitted))
