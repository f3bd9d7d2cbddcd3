"""What pooled results show of effects, means and predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.inference.pooling import Pooled
from logit_stats.likelihoods.rows import probability, variance
from logit_stats.wording import printed, table


@dataclass(frozen=True, eq=False)
class PooledTable:
    """Pooled effects or means.

    Attributes
    ----------
    keys : DataFrame
        What each row is of.
    pooled : Pooled
    title : str
    alpha : float
    probability : bool
        Whether the estimates are log odds, and their probabilities stand beside them.
    """

    keys: pd.DataFrame
    pooled: Pooled
    title: str
    alpha: float
    probability: bool = False

    def summary_frame(self) -> pd.DataFrame:
        """Keys, estimate, std_error, t, df, p_value, limits, fmi."""
        p = self.pooled
        limits = p.reference.limits(p.estimate, p.standard_errors, self.alpha)
        t = p.estimate / p.standard_errors
        frame = self.keys.assign(
            estimate=p.estimate, std_error=p.standard_errors, t=t, df=p.df, p_value=p.reference.p_value(t),
            conf_low=limits[:, 0], conf_high=limits[:, 1], fmi=p.missing_information,
        )  # fmt: skip
        if self.probability:
            low, high = probability(limits[:, 0]), probability(limits[:, 1])
            frame = frame.assign(prob=probability(p.estimate), prob_low=low, prob_high=high)
        return frame

    @printed
    def __str__(self) -> str:
        head = f"{self.title}, pooled over {self.pooled.m} data sets"
        return f"{head}\n{table(self.summary_frame(), '{:.5g}'.format, max(self.keys.shape[1], 1))}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.summary_frame().to_html(index=False, float_format="{:.5g}".format))


@dataclass(frozen=True, eq=False)
class PooledPrediction:
    """Pooled predictions.

    Attributes
    ----------
    pooled : Pooled
        Of the linear predictors.
    index : Index
        Row labels.
    """

    pooled: Pooled
    index: pd.Index

    @property
    def predicted(self) -> FloatArray:
        """(m,) probabilities."""
        return probability(self.pooled.estimate)

    @property
    def se(self) -> FloatArray:
        """(m,) standard errors of the probabilities by the delta method."""
        return np.asarray(variance(self.pooled.estimate) * self.pooled.standard_errors)

    def conf_int(self, alpha: float = 0.05) -> FloatArray:
        """(m, 2) limits of the probabilities, through the link."""
        return probability(self.pooled.reference.limits(self.pooled.estimate, self.pooled.standard_errors, alpha))

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Predicted, se, ci_lower, ci_upper, linear, se_linear, df."""
        limits = self.conf_int(alpha)
        return pd.DataFrame(
            {"predicted": self.predicted, "se": self.se, "ci_lower": limits[:, 0], "ci_upper": limits[:, 1],
             "linear": self.pooled.estimate, "se_linear": self.pooled.standard_errors, "df": self.pooled.df},
            index=self.index,
        )  # fmt: skip

    @printed
    def __str__(self) -> str:
        return table(self.summary_frame().reset_index(names="row"), "{:.5g}".format)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.summary_frame().to_html(float_format="{:.5g}".format))
