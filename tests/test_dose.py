"""Doses: at levels of factors, with weights and trials counted, and Fieller's sets in all their forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError

# Venables and Ripley, Modern Applied Statistics with S, section 7.2: moths killed of 20, by log2 of the dose.
BUDWORM = pd.DataFrame(
    {
        "ldose": [0, 1, 2, 3, 4, 5] * 2,
        "sex": ["M"] * 6 + ["F"] * 6,
        "dead": [1, 4, 9, 13, 18, 20, 0, 2, 6, 10, 12, 16],
        "n": [20] * 12,
    }
)


def test_doses_by_group_are_those_of_the_book():
    res = ls.logit("dead ~ sex + ldose", BUDWORM, trials="n").fit()
    frame = res.dose([0.25, 0.5, 0.75], by="sex").frame
    females = frame[frame["sex"] == "F"]
    # MASS, page 193: dose.p for females
    assert_allclose(females["dose"], [2.231265, 3.263587, 4.295910], atol=1e-6)
    assert_allclose(females["std_error"], [0.2499089, 0.2297539, 0.2746874], atol=1e-6)
    same = res.dose([0.25, 0.5, 0.75], at={"sex": "F"}).frame
    assert_allclose(same["dose"], females["dose"])
    with pytest.raises(DataError, match="by="):
        res.dose()
    crossed = ls.logit("dead ~ sex * ldose", BUDWORM, trials="n").fit()
    b = crossed.params
    expected = -(b["Intercept"] + b["sex[T.M]"]) / (b["ldose"] + b["sex[T.M]:ldose"])
    assert_allclose(crossed.dose(at={"sex": "M"}).frame["dose"], expected, rtol=1e-10)


def test_weights_and_trials_count_in_the_means_and_the_offset():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"x": rng.normal(size=80), "z": rng.normal(size=80), "w": rng.integers(1, 6, 80)})
    data["o"] = 0.3 * rng.normal(size=80)
    data["y"] = (rng.random(80) < 1 / (1 + np.exp(-data["x"] - data["z"]))).astype(int)
    repeated = data.loc[data.index.repeat(data["w"])].reset_index(drop=True)
    left = ls.logit("y ~ x + z", data, freq_weights="w", offset="o").fit().dose(variable="x").frame
    right = ls.logit("y ~ x + z", repeated, offset="o").fit().dose(variable="x").frame
    assert_allclose(left.drop(columns="fieller_set"), right.drop(columns="fieller_set"), rtol=1e-9)
    grouped = data.assign(s=rng.binomial(data["w"], 0.5))
    single = grouped.loc[grouped.index.repeat(grouped["w"])]
    first = single.groupby(level=0).cumcount()
    single = single.assign(y=(first < single["s"]).astype(int))
    left = ls.logit("s ~ x + z", grouped, trials="w").fit().dose(variable="x").frame
    right = ls.logit("y ~ x + z", single).fit().dose(variable="x").frame
    assert_allclose(left["dose"], right["dose"], rtol=1e-8)


def fieller_holds(res, name: str, x: float, alpha: float = 0.05) -> bool:
    """Whether a test of ``eta(x) = 0`` does not reject."""
    L = np.array([1.0, x])
    eta = L @ res.params
    return eta**2 <= 3.841458820694124 * (L @ res.cov_params().to_numpy() @ L) + 1e-9


@pytest.mark.parametrize(("slope", "kind"), [(1.5, "inside"), (0.25, "outside"), (0.0, "all")])
def test_fiellers_set_has_three_forms(slope, kind):
    rng = np.random.default_rng(8)
    found = None
    for seed in range(200):
        rng = np.random.default_rng(seed)
        data = pd.DataFrame({"x": rng.normal(size=60)})
        intercept = 1.5 if kind == "outside" else 0.1
        data["y"] = (rng.random(60) < 1 / (1 + np.exp(-intercept - slope * data["x"]))).astype(int)
        res = ls.logit("y ~ x", data).fit()
        row = res.dose().frame.iloc[0]
        if row["fieller_set"] == kind:
            found = row
            break
    assert found is not None
    low, high = found["fieller_low"], found["fieller_high"]
    if kind == "all":
        assert low == -np.inf
        assert high == np.inf
        assert all(fieller_holds(res, "x", x) for x in (-50.0, 0.0, 50.0))
        return
    step = 1e-6 * max(1.0, abs(high - low))
    inside = kind == "inside"
    assert fieller_holds(res, "x", low + step) == inside
    assert fieller_holds(res, "x", high - step) == inside
    assert fieller_holds(res, "x", low - step) != inside
    assert fieller_holds(res, "x", high + step) != inside


def test_the_threshold_found_is_the_threshold_used():
    data = ls.datasets.load("birthwt")
    res = ls.logit("low ~ age + lwt + smoke", data).fit()
    best = res.threshold(false_negative=2.0)
    table = res.classification(best.threshold)
    assert_allclose([table.sensitivity, table.specificity], [best.sensitivity, best.specificity], rtol=1e-12)
    youden = res.roc().youden.iloc[0]
    table = res.classification(youden["threshold"])
    assert_allclose([table.sensitivity, table.specificity], [youden["sensitivity"], youden["specificity"]], rtol=1e-12)
