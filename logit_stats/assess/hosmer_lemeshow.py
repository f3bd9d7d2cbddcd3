"""Hosmer and Lemeshow's test: observed against expected events in groups of similar probability.

Hosmer and Lemeshow (1980, Communications in Statistics A9, 1043-1069). Groups lie between quantiles of the probabilities (type 7
of Hyndman and Fan 1996, linear interpolation), open on the left and closed on the right; equal quantiles are joined, so
ties always stay together. Positions are computed in whole numbers: no rounding moves a row to the next group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from logit_stats.assess.scored import Scored
from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError, NotAvailableError, counted, whole_number
from logit_stats.wording import WIDTH, decimals, lines, printed

# Difference of observed and expected, as a share of a group, that is rounding.
REPRODUCED = 1e-9


@dataclass(frozen=True, eq=False)
class HosmerLemeshow:
    """Hosmer and Lemeshow's test.

    Attributes
    ----------
    statistic, pvalue : float
        The p-value is NaN where the model reproduces every group exactly, whatever the data.
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

    def sentence(self) -> str:
        """Say the test in one sentence."""
        p = self.stability["p_value"]
        verdict = f"p = {self.pvalue:.4g} (with 6 to 15 groups p from {p.min():.3g} to {p.max():.3g})"
        if np.isnan(self.pvalue):
            verdict = "no p-value: the model reproduces every group exactly"
        return (
            f"Hosmer-Lemeshow test, {len(self.table)} groups between quantiles of p: chi2({self.df}) = "
            f"{decimals(self.statistic)}, {verdict}"
        )

    @printed
    def __str__(self) -> str:
        table = self.table.to_string(line_width=WIDTH, index=False, float_format="{:.4g}".format)
        return f"{lines(self.sentence())}\n{table}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{self.sentence()}</p>{self.table.to_html(index=False, float_format='{:.4g}'.format)}"


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
    groups = whole_number("groups", groups)
    if groups < 3:
        raise DataError(f"groups={groups}: the test needs three at the least.")
    rising = _Rising.of(scored)
    table = rising.sums(groups)
    found, lost = len(table["n"]), 2 if fitted else 0
    if found <= lost:
        raise DataError(
            f"The probabilities have so few different values that no more than {counted(found, 'group')} can be made; use the "
            f"tests on covariate patterns (gof())."
        )
    statistic, df = _statistic(table), found - lost
    # a model that reproduces every group exactly (a factor whose levels the groups are) cannot be tested by them
    reproduced = fitted and bool((np.abs(table["observed"] - table["expected"]) <= REPRODUCED * table["n"]).all())
    rows = []
    for count in range(6, 16):
        other = table if count == groups else rising.sums(count)
        value, other_df = _statistic(other), len(other["n"]) - lost
        p = float(stats.chi2.sf(value, other_df)) if other_df > 0 and not reproduced else float("nan")
        rows.append({"groups": len(other["n"]), "statistic": value, "df": other_df, "p_value": p})
    stability = pd.DataFrame(rows, index=range(6, 16))
    p = float("nan") if reproduced else float(stats.chi2.sf(statistic, df))
    return HosmerLemeshow(statistic, p, df, pd.DataFrame(table), stability)


def _statistic(table: dict[str, FloatArray]) -> float:
    total = 0.0
    for observed, expected in (("observed", "expected"), ("observed_0", "expected_0")):
        away = (table[observed] - table[expected]) ** 2
        # where nothing is expected and nothing observed, nothing is amiss
        with np.errstate(divide="ignore", over="ignore"):
            total += float(np.divide(away, table[expected], out=np.zeros(len(away)), where=away > 0.0).sum())
    return total


@dataclass(frozen=True, eq=False)
class _Rising:
    """Rows in the order of their probabilities, sorted once for every number of groups.

    `upto` counts the outcomes up to each row, in whole numbers.
    """

    prob: FloatArray
    upto: NDArray[np.int64]
    outcomes: FloatArray
    events: FloatArray
    nonevents: FloatArray

    @classmethod
    def of(cls, scored: Scored) -> _Rising:
        order = np.argsort(scored.prob, kind="stable")
        outcomes = scored.outcomes[order]
        return cls(
            scored.prob[order], _counted(outcomes), outcomes, scored.events[order], scored.nonevents[order]
        )  # fmt: skip

    def sums(self, groups: int) -> dict[str, FloatArray]:
        """Upper limits, outcomes, observed and expected events and non-events of each group."""
        limits = _limits(self.prob, self.upto, groups)
        upper = limits[1:] if len(limits) > 1 else limits
        # rows above one limit up to the next; the lowest group holds its lower limit too
        ends = np.searchsorted(self.prob, upper, side="right")
        starts = np.r_[0, ends[:-1]]
        kept = ends > starts
        columns = (self.outcomes, self.events, self.outcomes * self.prob, self.nonevents)
        n, observed, expected, others = (np.add.reduceat(w, starts[kept]) for w in columns)
        return {"upper_limit": upper[kept], "n": n, "observed": observed, "expected": expected,
                "observed_0": others, "expected_0": n - expected}  # fmt: skip


def _counted(outcomes: FloatArray) -> NDArray[np.int64]:
    return np.cumsum(np.rint(outcomes).astype(np.int64))


def quantile_limits(prob: FloatArray, weight: FloatArray, groups: int) -> FloatArray:
    """Different quantiles of type 7 at 0, 1/groups, ..., 1; a row counts `weight` times."""
    order = np.argsort(prob, kind="stable")
    return _limits(prob[order], _counted(weight[order]), groups)


def _limits(values: FloatArray, upto: NDArray[np.int64], groups: int) -> FloatArray:
    last = int(upto[-1]) - 1
    limits = []
    for i in range(groups + 1):
        whole, rest = divmod(last * i, groups)
        low, high = values[np.searchsorted(upto, [whole, min(whole + 1, last)], side="right")]
        limits.append(low + (high - low) * (rest / groups))
    return np.unique(limits)
