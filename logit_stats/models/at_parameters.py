"""The likelihood of the binary and grouped logit at any coefficients, under statsmodels' names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.from_arrays import new_columns
from logit_stats.errors import DataError, check_choice
from logit_stats.estimation.likelihood import moments
from logit_stats.likelihoods.deviance import deviance_terms, saturated_logliks
from logit_stats.likelihoods.moments import Moments
from logit_stats.likelihoods.rows import probability, score_residual, variance
from logit_stats.likelihoods.working import WorkingColumns
from logit_stats.models.complex_step import at_complex
from logit_stats.models.statsmodels_names import BinaryNames

_PLAIN = WorkingColumns()


def by_name(params: Any, names: tuple[str, ...], equations: tuple[Any, ...] = ()) -> Any:
    """Coefficients given under the names of columns (and equations), in the order of the model; anything else as it is."""
    if not isinstance(params, (pd.Series, pd.DataFrame)):
        return params
    if len(params) == len(names) and set(params.index) == set(names):
        params = params.loc[list(names)]
    if isinstance(params, pd.DataFrame) and params.shape[1] == len(equations) and set(params.columns) == set(equations):
        params = params[list(equations)]
    return params


class BinaryLikelihood(BinaryNames):
    """What a model can say of coefficients that need not be its estimates."""

    def _moments(self, params: Any) -> Moments:
        return moments(self.design, self._coefficients(params), _PLAIN)

    def _coefficients(self, params: Any) -> FloatArray:
        beta = np.asarray(by_name(params, self.design.names), dtype=np.float64).reshape(-1)
        if len(beta) != self.design.columns:
            raise DataError(f"params has {len(beta)} values; the model has {self.design.columns} columns.")
        return beta

    def _eta(self, params: Any) -> FloatArray:
        eta = self.design.X @ self._coefficients(params)
        return eta if self.design.offset is None else eta + self.design.offset.values

    def _weighted(self, values: FloatArray) -> FloatArray:
        return values if self.design.weight is None else values * self.design.weight.values

    def loglike(self, params: Any) -> float:
        """Log-likelihood at `params` (with binomial coefficients, where rows hold counts); of complex ones, for complex steps."""
        if np.iscomplexobj(params):
            return at_complex(self.design, params, self._saturated()).loglike  # type: ignore[return-value]
        return np.float64(self.loglikeobs(params).sum())

    def loglikeobs(self, params: Any) -> FloatArray:
        """(n,) log-likelihood of every row, weighted."""
        if np.iscomplexobj(params):
            return at_complex(self.design, params).obs  # type: ignore[return-value]
        y, m = self.design.response.successes, self.design.response.trials
        return self._weighted(saturated_logliks(y, m) - 0.5 * deviance_terms(self._eta(params), y, m))

    def _saturated(self) -> float:
        """What the log-likelihood of counts has that does not depend on coefficients."""
        response = self.design.response
        if response.trials is None:
            return 0.0
        zero = np.zeros(self.design.columns)
        return float(self.loglike(zero) - at_complex(self.design, zero).loglike.real)

    def score(self, params: Any) -> FloatArray:
        """(k,) gradient of the log-likelihood."""
        if np.iscomplexobj(params):
            return at_complex(self.design, params).score  # type: ignore[return-value]
        return self._moments(params).score

    def score_obs(self, params: Any) -> FloatArray:
        """(n, k) contribution of every row to the gradient."""
        return np.asarray(self.score_factor(params)[:, None] * self.design.X)

    def score_factor(self, params: Any) -> FloatArray:
        """(n,) derivative of every row's log-likelihood by its linear predictor, ``y - m p``, weighted."""
        response = self.design.response
        return self._weighted(score_residual(self._eta(params), response.successes, response.trials))

    def hessian(self, params: Any) -> FloatArray:
        """(k, k) second derivatives of the log-likelihood."""
        if np.iscomplexobj(params):
            return at_complex(self.design, params).hessian  # type: ignore[return-value]
        return -self.information(params)

    def hessian_factor(self, params: Any) -> FloatArray:
        """(n,) second derivative of every row's log-likelihood by its linear predictor, ``-m p (1 - p)``, weighted."""
        trials = self.design.response.trials
        factor = -variance(self._eta(params)) * (1.0 if trials is None else trials)
        return self._weighted(np.asarray(factor))

    def information(self, params: Any) -> FloatArray:
        """(k, k) expected information, for the logit minus the Hessian."""
        return self._moments(params).information

    def predict(self, params: Any, exog: Any = None, offset: Any = None, which: str = "mean") -> FloatArray:
        """Probabilities, linear predictors or variances at `params`.

        Parameters
        ----------
        params : (k,) array_like
        exog : (m, k) array_like, optional
            Design columns; by default those of the model.
        offset : float or (m,) array_like, optional
            By default that of the model where `exog` is, else none.
        which : {"mean", "linear", "var"}
            Probability p, linear predictor, or p (1 - p).
        """
        check_choice("which", which, ("mean", "linear", "var"))
        beta = self._coefficients(params)
        if exog is None:
            eta = self._eta(beta) if offset is None else self.design.X @ beta + np.asarray(offset, dtype=np.float64)
        else:
            X, _ = new_columns(exog, self.design.names)
            eta = X @ beta + (0.0 if offset is None else np.asarray(offset, dtype=np.float64))
        return eta if which == "linear" else (probability if which == "mean" else variance)(eta)
