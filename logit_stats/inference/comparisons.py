"""How two average probabilities are compared: difference, ratio, odds ratio, number needed to treat, attributable fraction.

With p0 and p1 the averages before and after a change, and p that of the rows as observed (Greenland and Robins 1991, Stat.
Med. 10, 1593; Laupacis, Sackett and Roberts 1988, NEJM 318, 1728; Altman 1998, BMJ 317, 1309; Benichou 2001, SMMR 10, 195):

    difference  p1 - p0                  odds_ratio  [p1 / (1 - p1)] / [p0 / (1 - p0)]    nnt  1 / (p1 - p0)
    ratio       p1 / p0                  af          1 - p0 / p

Ratios are worked out as logarithms, and a number needed as the reciprocal of the difference and of its limits.
"""

from __future__ import annotations

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.inference.averages import Average

COMPARISONS = ("difference", "ratio", "odds_ratio", "nnt", "af")


def compared(before: Average, after: Average, comparison: str) -> Average:
    """Comparison of two averages on the scale on which it is tested: ratios as logarithms, `nnt` as the difference."""
    if comparison in ("difference", "nnt"):
        return Average(after.value - before.value, after.gradient - before.gradient)
    if comparison == "af":
        share = before.value / after.value
        slope = before.gradient / after.value[:, None] - (share / after.value)[:, None] * after.gradient
        return Average(1.0 - share, -slope)
    if comparison == "ratio":
        value = np.log(after.value) - np.log(before.value)
        return Average(value, after.gradient / after.value[:, None] - before.gradient / before.value[:, None])
    odds = [np.log(a.value) - np.log1p(-a.value) for a in (before, after)]
    slopes = [a.gradient / (a.value * (1.0 - a.value))[:, None] for a in (before, after)]
    return Average(odds[1] - odds[0], slopes[1] - slopes[0])


def shown(
    estimate: FloatArray, se: FloatArray, low: FloatArray, high: FloatArray, comparison: str
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Estimate, standard error and limits as they are shown; the standard error of a ratio stays that of its logarithm."""
    if comparison in ("ratio", "odds_ratio"):
        return np.exp(estimate), se, np.exp(low), np.exp(high)
    if comparison != "nnt":
        return estimate, se, low, high
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = 1.0 / low, 1.0 / high
        across = (low < 0.0) & (high > 0.0)
        # limits on both sides of no effect: from the negative number through infinity to the positive one
        return (
            1.0 / estimate, se / estimate**2, np.where(across, ends[0], ends[1]), np.where(across, ends[1], ends[0])
        )  # fmt: skip
