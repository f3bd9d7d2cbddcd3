"""Rubin's rules: one answer from the answers of several imputed data sets.

With estimates Q_i and covariances U_i of m data sets, the pooled estimate is the mean of the Q_i, and its covariance
``T = U + (1 + 1/m) B`` with U the mean of the U_i and B the covariance of the Q_i (Rubin 1987, Multiple Imputation, section 3.3).
Degrees of freedom are those of Barnard and Rubin (1999, Biometrika 86, 948-955).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError
from logit_stats.inference.reference import Reference


@dataclass(frozen=True, eq=False)
class Pooled:
    """Estimates of m data sets and what they say together.

    Attributes
    ----------
    estimates : (m, k)
        One row a data set.
    covariances : (m, k, k)
    dfcom : float
        Degrees of freedom that complete data would have; infinite for large samples.
    """

    estimates: FloatArray
    covariances: FloatArray
    dfcom: float = np.inf

    @property
    def m(self) -> int:
        """Number of data sets."""
        return len(self.estimates)

    @cached_property
    def estimate(self) -> FloatArray:
        """(k,) pooled estimates."""
        return np.asarray(self.estimates.mean(axis=0))

    @cached_property
    def within(self) -> FloatArray:
        """(k, k) mean covariance."""
        return np.asarray(self.covariances.mean(axis=0))

    @cached_property
    def between(self) -> FloatArray:
        """(k, k) covariance of the estimates over the data sets."""
        away = self.estimates - self.estimate
        return np.asarray(away.T @ away / (self.m - 1.0))

    @property
    def covariance(self) -> FloatArray:
        """(k, k) total covariance T."""
        return np.asarray(self.within + (1.0 + 1.0 / self.m) * self.between)

    @property
    def standard_errors(self) -> FloatArray:
        """(k,) square roots of the diagonal of T."""
        return np.asarray(np.sqrt(self.covariance.diagonal()))

    @property
    def relative_increase(self) -> FloatArray:
        """(k,) relative increase in variance because of the missing data, ``(1 + 1/m) B / U``."""
        return np.asarray((1.0 + 1.0 / self.m) * self.between.diagonal() / self.within.diagonal())

    @property
    def share_of_variance(self) -> FloatArray:
        """(k,) lambda, share of the total variance that is between the data sets."""
        riv = self.relative_increase
        return np.asarray(riv / (1.0 + riv))

    @property
    def df(self) -> FloatArray:
        """(k,) degrees of freedom of Barnard and Rubin."""
        share = self.share_of_variance
        with np.errstate(divide="ignore"):
            old = (self.m - 1.0) / share**2
        if np.isinf(self.dfcom):
            return np.asarray(old)
        observed = (self.dfcom + 1.0) / (self.dfcom + 3.0) * self.dfcom * (1.0 - share)
        return np.asarray(1.0 / (1.0 / old + 1.0 / observed))

    @property
    def missing_information(self) -> FloatArray:
        """(k,) fraction of missing information, ``(riv + 2 / (df + 3)) / (1 + riv)``."""
        riv = self.relative_increase
        return np.asarray((riv + 2.0 / (self.df + 3.0)) / (1.0 + riv))

    @property
    def reference(self) -> Reference:
        """Student's t, with degrees of freedom for each estimate."""
        return Reference(self.df)

    def of(self, L: FloatArray) -> Pooled:
        """Pooled combinations ``L Q`` (q, k)."""
        return Pooled(self.estimates @ L.T, np.einsum("ai,mij,bj->mab", L, self.covariances, L), self.dfcom)


@dataclass(frozen=True)
class PooledTest:
    """A joint hypothesis, tested on several data sets together.

    Attributes
    ----------
    method : str
        "D1", "D2" or "D3".
    statistic : float
        F.
    df_num, df_denom : float
    pvalue : float
    relative_increase : float
        Average relative increase in variance.
    """

    method: str
    statistic: float
    df_num: int
    df_denom: float
    pvalue: float
    relative_increase: float


def d1(pooled: Pooled, value: FloatArray | None = None) -> PooledTest:
    """Wald's test of all estimates together (Li, Raghunathan and Rubin 1991, JASA 86, 1065-1073).

    Denominator degrees of freedom for finite samples are those of Reiter (2007, Biometrika 94, 502-508), where there are
    more than four degrees between the data sets.
    """
    away = pooled.estimate - (0.0 if value is None else value)
    q = len(away)
    inverse = np.linalg.inv(pooled.within)
    riv = (1.0 + 1.0 / pooled.m) * float(np.trace(pooled.between @ inverse)) / q
    statistic = float(away @ inverse @ away) / (q * (1.0 + riv))
    if q == 1:
        # one hypothesis has one p-value: that of its t
        return _test("D1", statistic, q, float(pooled.df[0]), riv)
    return _test("D1", statistic, q, _df_of_ratio(q, pooled.m, riv, pooled.dfcom), riv)


def d2(statistics: FloatArray, q: int) -> PooledTest:
    """Test from the chi-squared statistics of the data sets (Li, Meng et al. 1991, Statistica Sinica 1, 65-92)."""
    m = len(statistics)
    riv = (1.0 + 1.0 / m) * float(np.sqrt(statistics).var(ddof=1))
    statistic = (float(statistics.mean()) / q - (m + 1.0) / (m - 1.0) * riv) / (1.0 + riv)
    df = q ** (-3.0 / m) * (m - 1.0) * (1.0 + 1.0 / riv) ** 2 if riv > 0.0 else np.inf
    return _test("D2", max(statistic, 0.0), q, df, riv)


def d3(of_each: FloatArray, at_average: FloatArray, q: int) -> PooledTest:
    """Likelihood-ratio test (Meng and Rubin 1992, Biometrika 79, 103-111).

    Parameters
    ----------
    of_each : (m,)
        Likelihood-ratio statistics at the data sets' own estimates.
    at_average : (m,)
        At the averages of the estimates, of the full and of the reduced model.
    q : int
        Number of hypotheses.
    """
    m = len(of_each)
    riv = (m + 1.0) / (q * (m - 1.0)) * float(of_each.mean() - at_average.mean())
    statistic = float(at_average.mean()) / (q * (1.0 + riv))
    return _test("D3", max(statistic, 0.0), q, _df_of_ratio(q, m, riv, np.inf), riv)


def _df_of_ratio(q: int, m: int, riv: float, dfcom: float) -> float:
    """Denominator degrees of freedom of D1 and D3."""
    t = q * (m - 1.0)
    if riv <= 0.0:
        return np.inf if np.isinf(dfcom) else dfcom
    if not np.isinf(dfcom) and t > 4.0:
        return _reiter(t, riv, dfcom)
    if t > 4.0:
        return 4.0 + (t - 4.0) * (1.0 + (1.0 - 2.0 / t) / riv) ** 2
    return t * (1.0 + 1.0 / q) * (1.0 + 1.0 / riv) ** 2 / 2.0


def _reiter(t: float, riv: float, dfcom: float) -> float:
    """Reiter (2007), equation (2)."""
    a = riv * t / (t - 2.0)
    complete = (dfcom + 1.0) / (dfcom + 3.0) * dfcom
    c0, c1, c2 = 1.0 / (t - 4.0), complete - 2.0 * (1.0 + a), complete - 4.0 * (1.0 + a)
    z = (
        1.0 / c2
        + c0 * (a**2 * c1) / ((1.0 + a) ** 2 * c2)
        + c0 * (8.0 * a**2 * c1) / ((1.0 + a) * c2**2)
        + c0 * (4.0 * a**2) / ((1.0 + a) * c2)
        + c0 * (4.0 * a**2) / (c2 * c1)
        + c0 * (16.0 * a**2 * c1) / c2**3
        + c0 * (8.0 * a**2) / c2**2
    )
    return 4.0 + 1.0 / z


def _test(method: str, statistic: float, q: int, df: float, riv: float) -> PooledTest:
    return PooledTest(method, statistic, q, float(df), float(stats.f.sf(statistic, q, df)), riv)


def pooled_scalars(estimates: FloatArray, errors: FloatArray, dfcom: float = np.inf) -> Pooled:
    """Pool several quantities one by one: estimates and standard errors (m, k), whose covariances do not matter.

    Raises
    ------
    DataError
        If there are fewer than two data sets.
    """
    if len(estimates) < 2:
        raise DataError(f"Pooling needs two results or more; here is {len(estimates)}.")
    k = estimates.shape[1]
    covariances = np.zeros((len(estimates), k, k))
    covariances[:, np.arange(k), np.arange(k)] = errors**2
    return Pooled(estimates, covariances, dfcom)
