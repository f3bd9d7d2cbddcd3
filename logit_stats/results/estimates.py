"""Coefficients with their errors, tests and intervals; how many observations; how the iterations went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.codings import factors_without_reference, words_of_codings
from logit_stats.errors import DataError
from logit_stats.inference.wald import z_values
from logit_stats.results.finished import Finished, Matrix, Vector
from logit_stats.results.needs import needs

if TYPE_CHECKING:
    from logit_stats.estimation.trace import Trace
    from logit_stats.inference.bootstrap import Bootstrap


class Estimates(Finished):
    """What was estimated, and how."""

    @property
    def params(self) -> Vector:
        """(k,) coefficients."""
        return self._coefficients(self.fit_.beta.copy())

    @property
    @needs("wald")
    def bse(self) -> Vector:
        """(k,) standard errors."""
        return self._coefficients(self.covariance_.standard_errors.copy())

    @property
    @needs("wald")
    def tvalues(self) -> Vector:
        """(k,) z (or t) statistics."""
        return self._coefficients(z_values(self.fit_, self.covariance_))

    @property
    @needs("wald")
    def pvalues(self) -> Vector:
        """(k,) two-sided p-values."""
        return self._coefficients(self.inference_.p_values(self.fit_, self.covariance_))

    @needs("wald")
    def conf_int(self, alpha: float = 0.05, method: str | None = None) -> Matrix:
        """(k, 2) confidence limits at level ``1 - alpha``.

        Parameters
        ----------
        alpha : float
        method : {"wald", "profile", "bootstrap", "bca"}, optional
            From standard errors; from the profile likelihood; percentiles or bias-corrected and accelerated percentiles of
            the resamples of ``with_cov("bootstrap", reps=, seed=)``. By default "wald"; "profile" where the p-values come from
            a likelihood too (Firth's, FLIC, FLAC, the limit).
        """
        limits = self._limits(alpha, method)
        return pd.DataFrame(limits, index=self.model.exog_names) if self.fit_.design.labelled else limits

    def _limits(self, alpha: float, method: str | None) -> FloatArray:
        method = self.inference_.methods[0] if method is None else method
        return self.inference_.limits(self.fit_, self.covariance_, alpha, method)

    @needs("finite", "wald")
    def bootstrap(
        self, reps: int = 999, *, seed: int | None = None, groups: Any = None, progress: bool | None = None
    ) -> Bootstrap:
        """Estimates from resampled rows or clusters, with their standard errors, bias and intervals; see `bootstrap`."""
        from logit_stats.inference.bootstrap import bootstrap

        return bootstrap(self.fit_, reps, seed=seed, groups=groups, progress=progress)

    @needs("wald")
    def cov_params(self) -> Matrix:
        """(k, k) covariance of the coefficients."""
        names, matrix = self.model.exog_names, self.covariance_.matrix.copy()
        return pd.DataFrame(matrix, index=names, columns=names) if self.fit_.design.labelled else matrix

    @needs("wald")
    def odds_ratios(
        self, alpha: float = 0.05, method: str | None = None, units: Mapping[str, Any] | None = None,
        at: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Odds ratios exp(beta), their delta-method standard errors, and the exponentiated limits of `conf_int`.

        Under codings other than treatment (``Sum``, ``Poly``, ``Helmert``) exp(beta) of a level is no odds ratio against another
        level; ``units={"g": None}`` gives these. The summary says so, and ``attrs["notes"]`` of the frame.

        Parameters
        ----------
        alpha : float
        method : {"wald", "profile", "bootstrap", "bca"}
            As for `conf_int`.
        units : mapping, optional
            Odds ratios of chosen changes instead: ``{"lwt": 10, "age": "sd", "race": None, "bmi": (20, 30)}``, Wald's limits.
        at : mapping, optional
            With `units`, values of the variables on which these odds ratios depend, several for their ratios; see
            `changed_odds`.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("low ~ smoke * lwt", ls.datasets.load("birthwt")).fit()
        >>> res.odds_ratios(units={"lwt": 10}, at={"smoke": [0, 1]})[["change", "at smoke", "odds_ratio"]].round(3)
                                 change  at smoke  odds_ratio
        0                      lwt + 10         0       0.788
        1                      lwt + 10         1       0.939
        2  lwt + 10, ratio to the first         1       1.192
        """
        if units is not None:
            from logit_stats.inference.changed_odds import changed_odds

            return changed_odds(self.fit_, self.covariance_, units, at, alpha)
        if at is not None:
            raise DataError("at= goes with units=: the odds ratios of coefficients do not depend on values.")
        beta, limits = self.fit_.beta, self._limits(alpha, method)
        with np.errstate(over="ignore"):
            ratio, low, high = np.exp(beta), np.exp(limits[:, 0]), np.exp(limits[:, 1])
            error = ratio * self.covariance_.standard_errors
        columns = {"odds_ratio": ratio, "std_error": error,
                   "conf_low": low, "conf_high": high}  # fmt: skip
        found = pd.DataFrame(columns, index=self.model.exog_names)
        contrasts = factors_without_reference(self.fit_.design)
        if contrasts:
            found.attrs["notes"] = (words_of_codings(contrasts),)
        return found

    @property
    def nobs(self) -> float:
        """Number of observations."""
        return _count(self.fit_.design.observations)

    @property
    def df_model(self) -> float:
        """Coefficients beyond the null model."""
        return float(self._statistics.df_model)

    @property
    def df_resid(self) -> float:
        """Observations minus coefficients."""
        return self._statistics.df_resid

    @property
    def converged(self) -> bool:
        """Whether the iterations met their tolerance."""
        return self.fit_.converged

    @property
    def cov_type(self) -> str:
        """Type of the covariance."""
        return self.covariance_.cov_type

    @property
    def trace(self) -> Trace:
        """Every evaluation of the likelihood during the fit."""
        return self.fit_.trace

    @property
    def mle_retvals(self) -> dict[str, Any]:
        """How the iterations went, with statsmodels' keys and more."""
        fit = self.fit_
        return {
            "fopt": -self._statistics.llf / self.nobs,
            "iterations": fit.iterations,
            "converged": fit.converged,
            "warnflag": 0 if fit.converged else 1,
            "score": self._score,
            "gopt": -self._score / self.nobs,
            "fcalls": len(fit.trace.steps),
            "gcalls": len(fit.trace.steps),
            "decrement": fit.decrement,
            "condition_number": fit.condition,
            "trace": fit.trace,
        }

    def convergence_message(self) -> str:
        """How the iterations ended, in statsmodels' words."""
        first = "Optimization terminated successfully." if self.converged else "Maximum number of iterations reached."
        value = -self._statistics.llf / self.nobs
        return f"{first}\n         Current function value: {value:.6f}\n         Iterations {self.fit_.iterations}"

    def sample_line(self) -> str:
        """The account of the rows in one line."""
        return self.model.sample.line()


def _count(observations: float) -> float:
    """A number of observations: an int where it is a whole one, so that it can be used as one."""
    return int(observations) if float(observations).is_integer() else float(observations)
