"""Absorbed fixed effects: equal to dummies, to independent values, and to the bias correction's formula."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import logit_stats as ls
from logit_stats.errors import (
    DataError,
    MissingColumnError,
    MissingDataError,
    NotAvailableError,
    OneClassError,
    RankDeficientError,
    RankWarning,
    SeparationError,
    UnknownOptionError,
    WeightError,
)
from logit_stats.likelihoods import group_effects
from logit_stats.likelihoods.group_effects import EffectsSolver, Grouping
from tests.cases import FOLDER

VALUES = json.loads((FOLDER / "values" / "family" / "verbagg_fixed_effects.json").read_text())["values"]
VERBAGG = pd.read_csv(FOLDER / "data" / "verbagg.csv").assign(
    own=lambda d: (d.situ == "self").astype(int), male=lambda d: (d.gender == "M").astype(int)
)
ONE = ("agree ~ btype + situ", "person")
TWO = ("agree ~ anger:own + male:own", "person + item")


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize(("case", "model"), [("one_way_person", ONE), ("two_way_person_item", TWO)])
def test_reference(case: str, model: tuple[str, str], dense: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not dense:
        monkeypatch.setattr(group_effects, "DENSE_GROUPS", 3)
    reference = VALUES[case]
    res = ls.logit(model[0], VERBAGG, absorb=model[1]).fit()
    np.testing.assert_allclose(res.params, reference["coef"], rtol=1e-9)
    np.testing.assert_allclose(res.bse, reference["se"], rtol=1e-8)
    np.testing.assert_allclose(res.cov_params(), reference["vcov"], rtol=1e-7)
    np.testing.assert_allclose(res.conf_int(), reference["wald_ci_95"], rtol=1e-8)
    np.testing.assert_allclose(res.pvalues, reference["p"], rtol=1e-7)
    assert res.llf == pytest.approx(reference["loglik"], rel=1e-11)
    assert res.nobs == reference["rows_used"]
    assert list(res.model.effects.grouping.levels) == reference["groups_used"]
    clustered = reference["cluster_robust_by_first_factor"]
    plain = res.with_cov("cluster", groups="person", use_correction=False)
    np.testing.assert_allclose(plain.bse, clustered["no_correction"]["se"], rtol=1e-8)
    corrected = res.with_cov("cluster", groups="person", use_correction="G")
    np.testing.assert_allclose(corrected.bse, clustered["correction_G"]["se"], rtol=1e-8)


@pytest.mark.parametrize(("case", "model"), [("one_way_person", ONE), ("two_way_person_item", TWO)])
def test_bias_correction(case: str, model: tuple[str, str]) -> None:
    reference = VALUES[case]["bias_corrected"]
    res = ls.logit(model[0], VERBAGG, absorb=model[1], bias_correction="analytical").fit()
    np.testing.assert_allclose(res.params, reference["coef"], rtol=1e-9)
    np.testing.assert_allclose(res.correction, reference["correction"], rtol=1e-8)
    np.testing.assert_allclose(res.bse, VALUES[case]["se"], rtol=1e-8)
    assert "corrected for their bias" in " ".join(str(res.summary(clock=False)).split())
    with pytest.raises(NotAvailableError):
        res.conf_int(method="profile")
    with pytest.raises(NotAvailableError):
        res.drop1()


def _panel(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = 900
    data = pd.DataFrame({"firm": rng.integers(0, 60, n), "year": 2000 + rng.integers(0, 7, n), "x": rng.normal(size=n)})
    data["z"] = rng.integers(0, 3, n)
    eta = 0.5 * data.x + 0.3 * data.z + rng.normal(size=60)[data.firm] * 0.7 + 0.1 * (data.year - 2003)
    data["m"] = 1 + rng.integers(0, 4, n)
    data["y"] = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
    data["s"] = rng.binomial(data.m, 1 / (1 + np.exp(-eta)))
    data["o"] = rng.normal(size=n) * 0.3
    data["w"] = rng.integers(1, 4, n)
    return data


ARGUMENTS: list[dict[str, Any]] = [
    {},
    {"offset": "o"},
    {"freq_weights": "w"},
    {"trials": "m"},
    {"trials": "m", "offset": "o"},
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
@pytest.mark.parametrize("absorb", ["firm", "firm + year", "year:z + firm"])
def test_effects_are_dummies(arguments: dict[str, Any], absorb: str) -> None:
    data = _panel()
    response = "s" if "trials" in arguments else "y"
    data = data[data.groupby("firm")[response].transform(lambda v: v.nunique() > 1)]
    columns = {"firm": "C(firm)", "firm + year": "C(firm) + C(year)", "year:z + firm": "C(firm) + C(year):C(z)"}[absorb]
    right = "x" if ":" in absorb else "x + C(z)"
    ours = ls.logit(f"{response} ~ {right}", data, absorb=absorb, **arguments).fit()
    theirs = ls.logit(f"{response} ~ {right} + {columns}", data, check_rank="drop", **arguments).fit()
    names = list(ours.params.index)
    np.testing.assert_allclose(ours.params, theirs.params[names], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ours.bse, theirs.bse[names], rtol=1e-7)
    assert ours.llf == pytest.approx(theirs.llf, rel=1e-11)
    assert ours.df_resid == theirs.df_resid
    assert ours.aic == pytest.approx(theirs.aic, rel=1e-11)
    assert ours.bic == pytest.approx(theirs.bic, rel=1e-11)
    assert ours.deviance == pytest.approx(theirs.deviance, rel=1e-10)
    for kind in ("HC0", "HC1", "opg"):
        if kind != "opg":
            np.testing.assert_allclose(ours.with_cov(kind).bse, theirs.with_cov(kind).bse[names], rtol=1e-6)
    by_year = {"groups": "year"}
    np.testing.assert_allclose(
        ours.with_cov("cluster", use_correction="G", **by_year).bse,
        theirs.with_cov("cluster", use_correction="G", **by_year).bse[names],
        rtol=1e-6,
    )
    np.testing.assert_allclose(ours.predict(), theirs.predict(), rtol=1e-7)
    np.testing.assert_allclose(ours.resid_dev, theirs.resid_dev, rtol=1e-6, atol=1e-9)


def test_profile_and_likelihood_ratios_are_those_of_dummies() -> None:
    data = _panel(1)
    data = data[data.groupby("firm").y.transform("nunique") > 1]
    ours = ls.logit("y ~ x + C(z)", data, absorb="firm").fit()
    theirs = ls.logit("y ~ x + C(z) + C(firm)", data).fit()
    names = list(ours.params.index)
    np.testing.assert_allclose(
        ours.conf_int(method="profile").loc["x"], theirs.conf_int(method="profile").loc["x"], rtol=1e-6
    )
    assert ours.drop1().frame.loc["C(z)", "lr"] == pytest.approx(theirs.drop1().frame.loc["C(z)", "lr"], rel=1e-8)
    smaller = ls.logit("y ~ x", data, absorb="firm").fit()
    assert ours.lr_test(smaller).df == 2
    assert ours.lr_test(smaller).statistic == pytest.approx(ours.drop1().frame.loc["C(z)", "lr"], rel=1e-8)
    null = ls.logit("y ~ C(firm)", data).fit()
    assert ours.llnull == pytest.approx(null.llf, rel=1e-11)
    assert ours.wald_test_terms().frame.loc["C(z)", "statistic"] == pytest.approx(
        theirs.wald_test_terms().frame.loc["C(z)", "statistic"], rel=1e-7
    )
    assert list(ours.anova().frame.index) == ["NULL", "x", "C(z)"]
    assert len(names) == 3


@pytest.mark.parametrize("factors", [1, 2, 3])
@pytest.mark.parametrize("dense", [True, False])
def test_the_effects_solver(factors: int, dense: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not dense:
        monkeypatch.setattr(group_effects, "DENSE_GROUPS", 2)
    rng = np.random.default_rng(factors)
    n, levels = 300, (40, 9, 5)[:factors]
    grouping = Grouping(tuple(np.r_[np.arange(m), rng.integers(0, m, n - m)] for m in levels), levels)
    weight, values = rng.uniform(0.1, 2.0, n), rng.normal(size=(n, 2))
    D = np.hstack([np.eye(m)[codes] for codes, m in zip(grouping.codes, levels, strict=True)])
    effects = EffectsSolver(grouping, weight).solve(grouping.sums(values * weight[:, None]))
    root = np.sqrt(weight)[:, None]
    expected = D @ np.linalg.lstsq(D * root, values * root, rcond=None)[0]
    np.testing.assert_allclose(grouping.spread(effects), expected, rtol=1e-8, atol=1e-9)
    if dense or factors < 3:
        assert grouping.independent == np.linalg.matrix_rank(D)


def test_parts_that_are_not_connected_are_counted() -> None:
    grouping = Grouping((np.array([0, 0, 1, 2, 2, 3]), np.array([0, 1, 1, 2, 3, 3])), (4, 4))
    assert grouping.independent == 8 - 2


def test_groups_without_variation_are_dropped_again_and_again() -> None:
    # firm 0 has no variation; without it year 0 has none; without that firm 1 has none
    data = pd.DataFrame(
        {"firm": [0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3], "year": [0, 0, 0, 1, 1, 2, 1, 2, 1, 2, 1, 2],
         "y": [1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0], "x": [0.1, 2, 1, 3, 2, 1, 0.3, 0.4, 2, 1, 0.7, 0.8]}
    )  # fmt: skip
    model = ls.logit("y ~ x", data, absorb="firm + year")
    assert model.nobs == 8
    assert "in firm without variation" in model.sample.line()
    assert sorted(model.sample.left_out().index) == [0, 1, 2, 3]


def test_rows_that_groups_alone_predict_are_dropped() -> None:
    # firm 0 and year 1 have both outcomes, but only where they meet: down with firm 0 and up with year 1, and every other row of
    # theirs is certain
    rng = np.random.default_rng(3)
    base = pd.DataFrame(
        {"firm": rng.integers(1, 9, 200), "year": rng.integers(2, 6, 200), "y": rng.integers(0, 2, 200)}
    )
    meet = pd.DataFrame({"firm": 0, "year": 1, "y": [0, 1, 1, 0]})
    certain = pd.DataFrame({"firm": [0] * 5 + [3, 4, 5, 6], "year": [2, 3, 4, 5, 2] + [1] * 4, "y": [0] * 5 + [1] * 4})
    data = pd.concat([base, meet, certain], ignore_index=True)
    data["x"] = rng.normal(size=len(data))
    res = ls.logit("y ~ x", data, absorb="firm + year").fit()
    assert res.nobs == 204
    assert sorted(res.model.sample.left_out().index) == list(range(204, 213))
    without = ls.logit("y ~ x", data.head(204), absorb="firm + year").fit()
    np.testing.assert_allclose(res.params, without.params, rtol=1e-10)
    assert "9 in groups of firm and year that together predict them" in res.model.sample.line()


def test_separation_by_a_column_names_it() -> None:
    data = _panel(2)
    data["sure"] = ((data.y == 1) & (data.year == 2004)).astype(int)
    with pytest.raises(SeparationError, match=r"Separation: sure and the effects of firm together predict \d+ of"):
        ls.logit("y ~ x + sure", data, absorb="firm").fit()


# What says nothing, or nonsense.


def test_a_column_of_the_groups() -> None:
    data = _panel().assign(size=lambda d: d.firm % 4)
    with pytest.raises(RankDeficientError, match=r"'size': nothing is left that the effects of firm do not explain"):
        ls.logit("y ~ x + size", data, absorb="firm")
    inside = ls.logit("y ~ x + x:size", data, absorb="firm").fit()
    assert list(inside.params.index) == ["x", "x:size"]
    with pytest.warns(RankWarning, match="size"):
        dropped = ls.logit("y ~ x + size + x:size", data, absorb="firm", check_rank="drop").fit()
    np.testing.assert_allclose(dropped.params, inside.params, rtol=1e-9)
    with pytest.raises(RankDeficientError, match="'x2'"):
        ls.logit("y ~ x + x2", data.assign(x2=data.x + data["size"]), absorb="firm")


def test_missing_groups() -> None:
    data = _panel().assign(firm=lambda d: d.firm.where(d.index != 7))
    model = ls.logit("y ~ x", data, absorb="firm + year")
    assert model.sample.dropped_by == {"firm": 1}
    with pytest.raises(MissingDataError, match="firm in 1 row"):
        ls.logit("y ~ x", data, absorb="firm", missing="raise")


@pytest.mark.parametrize(
    ("change", "absorb", "error", "words"),
    [
        ({"firm": np.arange(900)}, "firm", OneClassError, "No group of firm has both outcomes"),
        ({}, "company", MissingColumnError, "company"),
        ({}, "firm + ", DataError, "plus signs"),
        ({}, "firm + firm", DataError, "twice"),
    ],
)
def test_refused_groups(change: dict[str, Any], absorb: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        ls.logit("y ~ x", _panel().assign(**change), absorb=absorb)


def test_refused_arguments() -> None:
    data = _panel()
    with pytest.raises(DataError, match="absorb="):
        ls.logit("y ~ x", data, bias_correction="analytical")
    with pytest.raises(UnknownOptionError, match="bias_correction"):
        ls.logit("y ~ x", data, absorb="firm", bias_correction="jackknife")
    with pytest.raises(WeightError, match="sampling weights"):
        ls.logit("y ~ x", data, absorb="firm", sampling_weights="w")
    with pytest.raises(DataError, match="nothing but a constant"):
        ls.logit("y ~ 1", data, absorb="firm")
    res = ls.logit("y ~ x", data, absorb="firm").fit()
    with pytest.raises(NotAvailableError, match="odds_ratios"):
        res.margins()
    with pytest.raises(NotAvailableError, match="absorbed_effects"):
        res.predict(data.head(2))
    with pytest.raises(NotAvailableError, match="leverages"):
        res.with_cov("cluster", groups="firm", use_correction="CR2")
    with pytest.raises(UnknownOptionError):
        res.with_cov("HC3")


def test_ways_to_give_groups() -> None:
    data = _panel()
    named = ls.logit("y ~ x", data, absorb="firm + year").fit()
    for absorb in (
        ["firm", "year"],
        data[["firm", "year"]],
        [data.firm, data.year],
        {"firm": data.firm, "year": data.year},
    ):
        np.testing.assert_allclose(ls.logit("y ~ x", data, absorb=absorb).fit().params, named.params, rtol=1e-12)
    arrays = ls.AbsorbedLogit(data.y.to_numpy(), data[["x"]].to_numpy(), absorb=data[["firm", "year"]].to_numpy()).fit()
    np.testing.assert_allclose(arrays.params, named.params, rtol=1e-12)


def test_order_of_rows_makes_no_difference() -> None:
    data = _panel()
    shuffled = data.sample(frac=1.0, random_state=2)
    one, other = (ls.logit("y ~ x", d, absorb="firm + year").fit() for d in (data, shuffled))
    np.testing.assert_allclose(other.params, one.params, rtol=1e-10)
    np.testing.assert_allclose(other.predict().sort_index(), one.predict(), rtol=1e-9)


def test_clustering_by_the_absorbed_factor_does_not_count_its_effects() -> None:
    data = _panel()
    res = ls.logit("y ~ x", data, absorb="firm").fit()
    n, G = res.nobs, res.model.effects.grouping.levels[0]
    plain = res.with_cov("cluster", groups="firm", use_correction=False).bse
    factor = np.sqrt(G / (G - 1) * (n - 1) / (n - 1))
    np.testing.assert_allclose(res.with_cov("cluster", groups="firm").bse, plain * factor, rtol=1e-10)


def test_reports(tmp_path: Any) -> None:
    res = ls.logit("y ~ x", _panel(), absorb="firm + year").fit(cov_type="HC1")
    text = str(res.summary(clock=False))
    firms = len(res.absorbed_effects()["firm"])
    assert f"{firms} of firm, 7 of year ({firms + 6} parameters)" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80
    assert {".fitted", ".prob", ".resid"} <= set(res.augment().columns)
    assert res.glance()["df_model"].item() == 1
    res.save(tmp_path / "fit.pkl")
    assert str(ls.load(tmp_path / "fit.pkl").summary(clock=False)) == text


def test_other_effects_are_not_compared() -> None:
    data = _panel()
    res = ls.logit("y ~ x", data, absorb="firm").fit()
    rows = data.loc[res.predict().index]
    with pytest.raises(DataError, match="different likelihoods"):
        res.lr_test(ls.logit("y ~ x + z", rows).fit())
    with pytest.raises(DataError, match="different groups"):
        res.lr_test(ls.logit("y ~ x + z", rows, absorb="firm + year").fit())


def test_the_correction_is_near_the_conditional_estimate() -> None:
    # which has no such bias
    data = pd.read_csv(FOLDER / "data" / "bacteria.csv")
    plain, corrected = (
        ls.logit("y ~ week", data, absorb="child", bias_correction=c).fit().params["week"] for c in (None, "analytical")
    )
    conditional = ls.clogit("y ~ week", data, groups="child").fit().params["week"]
    assert abs(corrected - conditional) < 0.1 * abs(plain - conditional)
