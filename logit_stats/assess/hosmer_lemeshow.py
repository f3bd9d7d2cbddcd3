"""Hosmer and Lemeshow's test: observed against expected events in groups of similar probability.

Hosmer and Lemeshow (1980, Communications in Statistics A9, 1043-1069). Groups lie between quantiles of the probabilities (type 7
of Hyndman and Fan 1996, linear interpolation), open on the left and closed on the right; equal quantiles are joined, so
ties always stay together. Positions are computed in whole numbers: no rounding moves a row to the next group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from logit_stats.assess.scored import Scored
from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError, NotAvailableError


@dataclass(frozen=True, eq=False)
class HosmerLemeshow:
    """Hosmer and Lemeshow's test.

    Attributes
    ----------
    statistic, pvalue : float
    df : int
        Groups minus 2 on the data of the fit, groups on other data.
    table : DataFrame
        One row a group: upper limit of p, n, observed and expected events and non-events.
    stability : DataFrame
        The test with 6 to 15 groups: a p-value that jumps about says little.
    """

    statistic: float
    pvalue: float
    df: int
    table: pd.DataFrame
    stability: pd.DataFrame

    def __str__(self) -> str:
        p = self.stability["p_value"]
        return (
            f"Hosmer-Lemeshow test, {len(self.table)} groups between quantiles of p: chi2({self.df}) = {self.statistic:.4f}, "
            f"p = {self.pvalue:.4g} (with 6 to 15 groups p from {p.min():.3g} to {p.max():.3g})\n"
            f"{self.table.to_string(index=False, float_format='{:.4g}'.format)}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        first = str(self).partition("\n")[0]
        return f"<p>{first}</p>{self.table.to_html(index=False, float_format='{:.4g}'.format)}"


def hosmer_lemeshow(scored: Scored, groups: int = 10, fitted: bool = True) -> HosmerLemeshow:
    """Hosmer and Lemeshow's test.

    Parameters
    ----------
    scored : Scored
    groups : int
        Number of groups asked for; ties may leave fewer.
    fitted : bool
        Whether the probabilities were fitted to these data.

    Raises
    ------
    DataError
        If `groups` is less than 3, or ties leave too few.
    """
    if scored.sampling:
        raise NotAvailableError("The Hosmer-Lemeshow test is not defined under sampling weights.")
    if groups < 3:
        raise DataError(f"groups={groups}: the test needs three at the least.")
    table = _table(scored, groups)
    lost = 2 if fitted else 0
    if len(table) <= lost:
        raise DataError(
            f"The probabilities have so few different values that {len(table)} group(s) are left; use the tests on covariate "
            f"patterns (gof())."
        )
    statistic, df = _statistic(table), len(table) - lost
    rows = []
    for count in range(6, 16):
        other = _table(scored, count)
        value, other_df = _statistic(other), len(other) - lost
        p = float(stats.chi2.sf(value, other_df)) if other_df > 0 else float("nan")
        rows.append({"groups": len(other), "statistic": value, "df": other_df, "p_value": p})
    return HosmerLemeshow(
        statistic, float(stats.chi2.sf(statistic, df)), df, table, pd.DataFrame(rows, index=range(6, 16))
    )


def _statistic(table: pd.DataFrame) -> float:
    events = (table["observed"] - table["expected"]) ** 2 / table["expected"]
    others = (table["observed_0"] - table["expected_0"]) ** 2 / table["expected_0"]
    return float(events.sum() + others.sum())


def _table(scored: Scored, groups: int) -> pd.DataFrame:
    limits = quantile_limits(scored.prob, scored.outcomes, groups)
    place = np.searchsorted(limits[1:], scored.prob, side="left")
    sums = [np.bincount(place, weights=w, minlength=len(limits) - 1) for w in
            (scored.outcomes, scored.events, scored.outcomes * scored.prob, scored.nonevents)]  # fmt: skip
    n, observed, expected, others = sums
    columns = {"upper_limit": limits[1:], "n": n, "observed": observed, "expected": expected}
    return pd.DataFrame({**columns, "observed_0": others, "expected_0": n - expected})[n > 0].reset_index(drop=True)


def quantile_limits(prob: FloatArray, weight: FloatArray, groups: int) -> FloatArray:
    """Different quantiles of type 7 at 0, 1/groups, ..., 1; a row counts `weight` times."""
    order = np.argsort(prob, kind="stable")
    values, upto = prob[order], np.cumsum(np.rint(weight[order]).astype(np.int64))
    last = int(upto[-1]) - 1
    limits = []
    for i in range(groups + 1):
        whole, rest = divmod(last * i, groups)
        low, high = values[np.searchsorted(upto, [whole, min(whole + 1, last)], side="right")]
        limits.append(low + (high - low) * (rest / groups))
    return np.unique(limits)
