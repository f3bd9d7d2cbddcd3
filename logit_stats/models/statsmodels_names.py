"""What scripts read off a model of statsmodels: its data, its link, the distribution of its outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.likelihoods.rows import probability, variance
from logit_stats.models.base import DesignModel


@dataclass(frozen=True, eq=False)
class ModelData:
    """The data of a model under the names of statsmodels' ``model.data``.

    Attributes
    ----------
    model : DesignModel
    """

    model: Any

    @property
    def frame(self) -> Any:
        """The table of a formula fit, the rows used; None for array fits."""
        design = self.model.design
        table = getattr(design, "table", None)
        return None if table is None else pd.DataFrame(dict(table), index=table.index).loc[design.index]

    @property
    def xnames(self) -> list[str]:
        """Names of the design columns."""
        return list(self.model.exog_names)

    param_names = cov_names = xnames

    @property
    def ynames(self) -> str:
        """Name of the response."""
        return str(self.model.endog_names)

    @property
    def row_labels(self) -> Any:
        """Labels of the rows used; None for array fits."""
        return self.model.design.index if self.model.design.labelled else None

    @property
    def endog(self) -> Any:
        """(n,) the response as numbers."""
        return self.model.endog

    @property
    def exog(self) -> FloatArray:
        """(n, k) design columns."""
        return np.asarray(self.model.exog)

    @property
    def orig_exog(self) -> Any:
        """Design columns with their labels; an array for array fits."""
        if not self.model.design.labelled:
            return self.exog
        return pd.DataFrame(self.exog, index=self.row_labels, columns=self.xnames)

    @property
    def orig_endog(self) -> Any:
        """The response with its labels; an array for array fits."""
        return (
            pd.Series(self.endog, index=self.row_labels, name=self.ynames) if self.model.design.labelled else self.endog
        )

    @property
    def k_constant(self) -> int:
        """1 where a column is constant, else 0."""
        return int(self.model.k_constant)

    @property
    def const_idx(self) -> int | None:
        """Position of the constant."""
        found: int | None = self.model.design.constant
        return found

    @property
    def design_info(self) -> Any:
        """DesignInfo (patsy's) of the columns; None for array fits."""
        return self.model.design_info

    @property
    def formula(self) -> str | None:
        """The formula; None for array fits."""
        found: str | None = self.model.formula
        return found


class StatsmodelsModel(DesignModel):
    """statsmodels' names of what every model here has."""

    @property
    def data(self) -> ModelData:
        """The data under statsmodels' names: ``data.frame``, ``data.orig_exog``, ``data.xnames``, ..."""
        return ModelData(self)

    @property
    def k_constant(self) -> int:
        """1 where a column is constant, else 0."""
        return int(self.design.constant is not None)

    @property
    def k_extra(self) -> int:
        """Parameters beyond the coefficients: none."""
        return 0

    @property
    def k_vars(self) -> int:
        """Number of design columns."""
        return self.design.columns

    @property
    def offset(self) -> Any:
        """(n,) known part of the linear predictor; None without."""
        return None if self.design.offset is None else self.design.offset.values

    def _get_init_kwds(self) -> dict[str, Any]:
        """What makes the model again beside `endog` and `exog`: tools of statsmodels ask for it by this name."""
        kwds: dict[str, Any] = {"check_rank": self.check_rank}
        if self.offset is not None:
            kwds["offset"] = self.offset
        if self.design.weight is not None:
            kwds[f"{self.design.weight_kind}_weights" if self.design.weight_kind == "sampling" else "freq_weights"] = (
                self.weights
            )
        return kwds

    @property
    def weights(self) -> Any:
        """(n,) weights of the rows; None without."""
        return None if self.design.weight is None else self.design.weight.values


class BinaryNames(StatsmodelsModel):
    """The link and the distribution of a response of two categories."""

    def cdf(self, X: Any) -> FloatArray:
        """Logistic distribution function: the probability at linear predictors X."""
        return probability(np.asarray(X, dtype=np.float64))

    def pdf(self, X: Any) -> FloatArray:
        """Logistic density at linear predictors X: p (1 - p)."""
        return variance(np.asarray(X, dtype=np.float64))

    @property
    def link(self) -> Any:
        """The logit link, an object of statsmodels."""
        from statsmodels.genmod.families import links

        return links.Logit()

    @property
    def family(self) -> Any:
        """The binomial family with this link, an object of statsmodels."""
        from statsmodels.genmod import families

        return families.Binomial(self.link)

    def get_distribution(self, params: Any, exog: Any = None, offset: Any = None) -> Any:
        """Return SciPy's frozen Bernoulli distribution of every row's outcome at `params`."""
        from scipy.stats import bernoulli

        return bernoulli(self.predict(params, exog=exog, offset=offset))  # type: ignore[attr-defined]

    def loglike_and_score(self, params: Any) -> tuple[float, FloatArray]:
        """Log-likelihood and its gradient."""
        return self.loglike(params), self.score(params)  # type: ignore[attr-defined]
