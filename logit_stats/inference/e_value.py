"""E-values: how strong an unmeasured confounder would have to be to explain an association away.

For a risk ratio RR >= 1 it is ``RR + sqrt(RR (RR - 1))``; one below 1 is inverted first. That of the limit nearer to 1 is 1
where the interval holds 1. An odds ratio stands for the risk ratio where the outcome is rare, its square root where it is
common (VanderWeele and Ding 2017, Annals of Internal Medicine 167, 268-274).
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from logit_stats.errors import DataError, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.wald import wald_interval
from logit_stats.wording import lines, printed

SCALES = ("risk_ratio", "rare", "common")


@dataclass(frozen=True, slots=True)
class EValue:
    """An E-value.

    Attributes
    ----------
    ratio : float
        The ratio given.
    risk_ratio : float
        The risk ratio that it stands for.
    e_value : float
        For the estimate.
    limit : float
        For the confidence limit nearer to 1; NaN without limits.
    """

    ratio: float
    risk_ratio: float
    e_value: float
    limit: float

    @printed
    def __str__(self) -> str:
        limit = "" if np.isnan(self.limit) else f", for the confidence limit nearer to 1: {self.limit:.4g}"
        return lines(
            f"E-value {self.e_value:.4g}{limit}. A confounder tied to exposure and outcome by risk ratios of at least this size "
            f"each, beyond the covariates, could explain a risk ratio of {self.risk_ratio:.4g}; a weaker one could not."
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def e_value(ratio: float, low: float | None = None, high: float | None = None, scale: str = "risk_ratio") -> EValue:
    """E-value of a ratio.

    Parameters
    ----------
    ratio : float
        A risk ratio or an odds ratio.
    low, high : float, optional
        Its confidence limits.
    scale : {"risk_ratio", "rare", "common"}
        What the ratio is: a risk ratio, or an odds ratio of a rare or of a common (above 15 %, say) outcome.

    Raises
    ------
    DataError
        Unless the ratio and its limits are positive and in order.

    Examples
    --------
    >>> import logit_stats as ls
    >>> found = ls.e_value(3.9, 1.8, 8.7)
    >>> round(found.e_value, 2), round(found.limit, 2)
    (7.26, 3.0)
    """
    check_choice("scale", scale, SCALES)
    given = [ratio, *(v for v in (low, high) if v is not None)]
    if not all(np.isfinite(v) and v > 0.0 for v in given[:1]) or any(not v >= 0.0 for v in given[1:]):
        raise DataError("A ratio and its limits must be positive numbers.")
    if (low is not None and low > ratio) or (high is not None and high < ratio):
        raise DataError(f"The limits {low} and {high} do not hold the ratio {ratio}.")
    return _made(ratio, low, high, scale)


def _made(ratio: float, low: float | None, high: float | None, scale: str) -> EValue:
    """E-value of a ratio that may be zero or infinite in double precision."""
    power = 0.5 if scale == "common" else 1.0
    rr = float(ratio) ** power
    nearer = low if ratio >= 1.0 else high
    return EValue(float(ratio), rr, _of(rr), _of_limit(rr, nearer, power))


def _of_limit(rr: float, nearer: float | None, power: float) -> float:
    if nearer is None:
        return float("nan")
    limit = float(nearer) ** power
    return 1.0 if (rr >= 1.0) != (limit >= 1.0) or limit == 1.0 else _of(limit)


def _of(rr: float) -> float:
    if not 0.0 < rr < float("inf"):
        return float("inf")
    rr = rr if rr >= 1.0 else 1.0 / rr
    return float(rr + np.sqrt(rr * (rr - 1.0)))


def e_values(fit: Fit, cov: Covariance, scale: str = "rare", alpha: float = 0.05) -> pd.DataFrame:
    """E-values of the odds ratios of all columns but the constant.

    Parameters
    ----------
    fit : Fit
    cov : Covariance
    scale : {"rare", "common"}
        Whether the odds ratio, or its square root, stands for the risk ratio.
    alpha : float
        Of the limits.

    Returns
    -------
    DataFrame
        odds_ratio, risk_ratio, e_value, e_value_limit.
    """
    check_choice("scale", scale, ("rare", "common"))
    fit.facts.require("e_values()", "binary", "finite")
    with np.errstate(over="ignore"):
        limits, odds = np.exp(wald_interval(fit, cov, alpha)), np.exp(fit.beta)
    rows = [j for j in range(len(odds)) if j != fit.design.constant]
    found = [_made(float(odds[j]), float(limits[j, 0]), float(limits[j, 1]), scale) for j in rows]
    columns = ["odds_ratio", "risk_ratio", "e_value", "e_value_limit"]
    numbers = [(v.ratio, v.risk_ratio, v.e_value, v.limit) for v in found]
    return pd.DataFrame(numbers, columns=columns, index=[fit.design.names[j] for j in rows])
