"""`AbsorbedLogitResults`: what a user asks of a fit with absorbed effects, under the names of every other fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np
import pandas as pd

from logit_stats.assess.fit_statistics import FitStatistics
from logit_stats.assess.residuals import residuals
from logit_stats.errors import NotAvailableError, check_choice
from logit_stats.estimation.absorbed import AbsorbedFit
from logit_stats.inference.absorbed_covariance import absorbed_covariance
from logit_stats.inference.covariance import Covariance
from logit_stats.likelihoods.rows import probability, variance
from logit_stats.results.estimates import Estimates
from logit_stats.results.finished import Vector
from logit_stats.results.hypotheses import JointTests
from logit_stats.results.likelihood import Likelihood
from logit_stats.results.transport import Transport
from logit_stats.wording import lines, printed, table

if TYPE_CHECKING:
    from logit_stats.models.absorbed import AbsorbedLogit
    from logit_stats.report.summary import Summary


@dataclass(frozen=True, eq=False)
class AbsorbedStatistics(FitStatistics):
    """How well a fit with absorbed effects describes its data: the effects count as parameters."""

    @property
    def df_resid(self) -> float:
        """Observations minus coefficients and effects."""
        return super().df_resid - self.fit.absorbed_parameters

    def criterion(self, name: str) -> float:
        """AIC, BIC or AICc, the effects counted."""
        check_choice("criterion", name, ("aic", "bic", "aicc"))
        n, k = self.fit.design.observations, self.fit.free_parameters + self.fit.absorbed_parameters
        if name == "bic":
            return float(-2.0 * self.llf + k * np.log(n))
        more = 2.0 * k * (k + 1.0) / (n - k - 1.0) if name == "aicc" else 0.0
        return -2.0 * self.llf + 2.0 * k + more


@dataclass(frozen=True, eq=False)
class AbsorbedLogitResults(Estimates, Likelihood, JointTests, Transport):
    """Results of a logit with absorbed effects, with statsmodels' names.

    Attributes
    ----------
    model : AbsorbedLogit
        The model.
    fit_ : AbsorbedFit
        The finished fit in the solver's terms.
    covariance_ : Covariance
        The covariance that standard errors, tests and intervals use.
    """

    model: AbsorbedLogit  # type: ignore[assignment]
    fit_: AbsorbedFit

    @cached_property
    def _statistics(self) -> AbsorbedStatistics:
        return AbsorbedStatistics(self.fit_)

    # Estimates.

    def conf_int(self, alpha: float = 0.05, method: str | None = "wald") -> Any:
        """(k, 2) confidence limits at level ``1 - alpha``, from standard errors ("wald") or the "profile" likelihood."""
        check_choice("method", method, ("wald", "profile"))
        if method == "profile":
            self.fit_.facts.require("A profile of the likelihood", "maximum")
        return super().conf_int(alpha, method)

    def with_cov(self, cov_type: str, use_t: bool | None = None, **settings: Any) -> Self:
        """Return the same fit with another covariance: "nonrobust", "opg", "HC0", "HC1" or "cluster" (groups=)."""
        return self._carried_to(replace(self, covariance_=self._covariance(cov_type, use_t, settings)))

    def bootstrap(self, *_: Any, **__: Any) -> NoReturn:
        """Not available with absorbed effects."""
        raise NotAvailableError(
            "Resampled rows do not have the same groups; use with_cov('cluster', groups=), which allows for dependence."
        )

    @property
    def correction(self) -> Vector:
        """(k,) what the bias correction added to the coefficients; zeros without one."""
        found = self.fit_.correction
        return self._coefficients(np.zeros(self.fit_.parameters) if found is None else found.copy())

    def absorbed_effects(self) -> dict[str, pd.Series]:
        """Effects of the groups of each factor, by label; of factors after the first measured from a group of each part.

        Effects of several factors are told apart up to a constant for each connected part; here as the solver left them.
        """
        fit, effects = self.fit_, self.fit_.effects
        found = {}
        for name, codes, values in zip(effects.factors, effects.grouping.codes, fit.absorbed.effects, strict=True):
            first = np.empty(len(values), dtype=np.intp)
            first[codes[::-1]] = effects.order[::-1]
            table_ = fit.design.table
            used = np.flatnonzero(fit.design.sample.used)
            labels = (
                None if table_ is None or name not in table_ else np.asarray(table_.column(name, "absorb"))[used][first]
            )
            found[name] = pd.Series(values, index=first if labels is None else labels, name=name)
        return found

    def _covariance(self, cov_type: str, use_t: bool | None, settings: dict[str, Any]) -> Covariance:
        return absorbed_covariance(self.fit_, cov_type, self.covariance_.use_t if use_t is None else use_t, **settings)

    # Rows.

    @property
    def fittedvalues(self) -> Vector:
        """(n,) linear predictor, effects included."""
        return self._rows(self.fit_.eta)

    @property
    def resid_response(self) -> Vector:
        """(n,) observed proportion minus probability."""
        return self._rows(residuals(self.fit_.plain, "response"))

    @property
    def resid_pearson(self) -> Vector:
        """(n,) Pearson residuals."""
        return self._rows(residuals(self.fit_.plain, "pearson"))

    @property
    def resid_dev(self) -> Vector:
        """(n,) deviance residuals."""
        return self._rows(residuals(self.fit_.plain, "dev"))

    def predict(self, exog: Any = None, which: str = "mean") -> Vector:
        """Probabilities, linear predictors or variances of the rows of the fit, effects of their groups included.

        Parameters
        ----------
        exog : None
            New rows are refused: an effect is known for the groups of the fit alone, and no error of it is reported.
        which : {"mean", "linear", "var"}
        """
        check_choice("which", which, ("mean", "linear", "var"))
        if exog is not None:
            raise NotAvailableError(
                "New rows need the effect of their group: take it from absorbed_effects() and add the columns' part, or fit a "
                "random-effects model, which predicts for groups that it has not seen."
            )
        eta = self.fit_.eta
        return self._rows(eta if which == "linear" else (probability if which == "mean" else variance)(eta))

    def margins(self, *_: Any, **__: Any) -> NoReturn:
        """Not available: see the words."""
        raise NotAvailableError(
            "Average effects on the probability depend on every group's effect, which few rows estimate badly; odds_ratios() do "
            "not. For average effects fit the model with the groups as columns, C(group), or a random-effects model."
        )

    get_margeff = means = get_prediction = margins

    # Reports.

    model_title = "Logit Regression Results, Effects Absorbed"

    def summary(
        self, yname: str | None = None, xname: list[str] | None = None, title: str | None = None,
        alpha: float = 0.05, *, clock: bool = True,
    ) -> Summary:  # fmt: skip
        """Summary in statsmodels' layout; ``clock=False`` leaves date and time out, so that reports reproduce."""
        from logit_stats.report.summary import summary

        return summary(self, yname=yname, xname=xname, title=title, alpha=alpha, clock=clock)

    def summary_notes(self) -> list[str]:
        """Return the sentences that stand under the summary."""
        from logit_stats.report.absorbed_notes import absorbed_notes

        return absorbed_notes(self)

    def tidy(self, conf_int: bool = True, exponentiate: bool = False, alpha: float = 0.05) -> pd.DataFrame:
        """One row a coefficient, as broom's ``tidy``."""
        from logit_stats.report.tidy import tidy

        return tidy(self, conf_int=conf_int, exponentiate=exponentiate, alpha=alpha)

    def glance(self) -> pd.DataFrame:
        """One row for the model, as broom's ``glance``."""
        from logit_stats.report.tidy import glance

        return glance(self)

    def augment(self, data: Any = None) -> pd.DataFrame:
        """One row an observation with fitted values and residuals, as broom's ``augment``; NaN in rows left out."""
        from logit_stats.report.tidy import augment

        return augment(self, data=data)

    def crosscheck(self, *_: Any, **__: Any) -> NoReturn:
        """Not available: statsmodels cannot absorb effects."""
        raise NotAvailableError(
            "statsmodels has no absorbed effects; where the groups are few, ls.logit(... + C(group)).fit().crosscheck() compares "
            "the same model with them as columns."
        )

    def save(self, path: str | Path) -> None:
        """Write the result to a file; `logit_stats.load` reads it back."""
        from logit_stats.results.keep import save

        save(self, path)

    @printed
    def __str__(self) -> str:
        return f"{self.model!r}\n{table(self.tidy(), '{:.5g}'.format)}"

    def __repr__(self) -> str:
        state = "" if self.converged else "NOT CONVERGED, "
        what = f"{state}llf={self.llf:.6g}, {self.fit_.parameters} coefficients; {self.sample_line()}"
        return lines(f"<{type(self).__name__} {what}>")

    def _repr_html_(self) -> str:
        return str(self.summary(clock=False)._repr_html_())
