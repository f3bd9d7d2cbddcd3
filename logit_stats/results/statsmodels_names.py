"""What scripts read off a result of statsmodels beyond the answers that both give alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.results.finished import Finished, Matrix
from logit_stats.results.needs import needs
from logit_stats.results.refusals import NotAnsweredError

if TYPE_CHECKING:
    from pathlib import Path


class StatsmodelsNames(Finished):
    """statsmodels' names of what is here under another."""

    @property
    @needs("wald")
    def normalized_cov_params(self) -> Matrix:
        """(k, k) inverse information: the model-based covariance, whatever covariance the result has."""
        matrix = self.fit_.covariance.copy()
        names = list(self.fit_.design.coefficient_names)
        return pd.DataFrame(matrix, index=names, columns=names) if self.fit_.design.labelled else matrix

    @property
    def _results(self) -> Self:
        """The result itself: statsmodels' are wrapped, and tools ask for what is inside."""
        return self

    @property
    def _cache(self) -> dict[str, Any]:
        """What was computed so far and is kept."""
        return {
            name: value
            for name, value in self.__dict__.items()
            if name not in ("model", "fit_", "covariance_", "inference_")
        }

    @property
    def scale(self) -> float:
        """1: there is no dispersion (that of "quasi" is part of its covariance)."""
        return 1.0

    @property
    def method(self) -> str:
        """What fitted, in statsmodels' word."""
        return "MLE"

    @property
    def k_constant(self) -> int:
        """1 where a column is constant, else 0."""
        return int(self.fit_.design.constant is not None)

    @property
    def mle_settings(self) -> dict[str, Any]:
        """How it was fitted: optimiser, and the coefficients it started from (None for those of the null model)."""
        method, start = self.__dict__.get("_started", (self.fit_.method, None))
        return {"optimizer": method, "start_params": start}

    @property
    def cov_kwds(self) -> dict[str, Any]:
        """Settings of the covariance, and what it is in words."""
        cov = self.covariance_
        words = cov.description or f"Standard Errors of type {cov.cov_type}"
        return {"scaling_factor": None, **cov.settings, "description": words}

    @property
    def cov_params_default(self) -> Matrix:
        """(k, k) covariance of the result."""
        return self.cov_params()

    @property
    def constraints(self) -> Any:
        """Linear constraints of ``fit_constrained``, with `coefs` and `constants`.

        Raises
        ------
        NotAnsweredError
            If there are none; for ``hasattr`` the name is not there then.
        """
        found = getattr(self.fit_, "constraints", None)
        if found is None:
            raise NotAnsweredError(
                f"{type(self).__name__} has no constraints; fit_constrained() makes results with some."
            )
        return found

    @property
    def k_constr(self) -> int:
        """Number of linear constraints."""
        return int(self.fit_.parameters - self.fit_.free_parameters)

    @property
    def resid(self) -> Any:
        """(n,) observed minus predicted, as `resid_response`."""
        return self.resid_response

    @property
    @needs("wald", "likelihood", "maximum", "rows")
    def im_ratio(self) -> FloatArray:
        """(k, k) outer product of the scores relative to the information: near the identity where the model holds."""
        return np.asarray(np.linalg.solve(self._covariance("opg", None, {}).matrix, self.fit_.covariance).T)

    @classmethod
    def load(cls, path: str | Path | Any) -> Self:
        """Read a result that `save` wrote; see `logit_stats.load`.

        Raises
        ------
        DataError
            If it is a result of another class.
        """
        from logit_stats.errors import DataError
        from logit_stats.results.keep import load

        found = load(path)
        if not isinstance(found, cls):
            raise DataError(f"{path} holds a {type(found).__name__}, not a {cls.__name__}.")
        return found

    def to_statsmodels(self) -> Any:
        """Return statsmodels' result at our coefficients, for tools that take no other.

        statsmodels' ``Logit``, ``MNLogit`` or (for counts and weights) ``GLM`` of the same rows, with our coefficients and our
        covariance. Nothing is fitted again.

        Raises
        ------
        NotAvailableError
            If statsmodels has no such model.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("GRADE ~ GPA + PSI", ls.datasets.load("spector")).fit()
        >>> type(res.to_statsmodels()).__name__
        'BinaryResultsWrapper'
        """
        from logit_stats.peers.translation import to_statsmodels

        self.facts.require("to_statsmodels", "rows", "finite")
        return to_statsmodels(self)  # type: ignore[arg-type]
