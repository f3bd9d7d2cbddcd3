"""Effects on the decision's scale: g-computation, attributable fractions, additive interaction, E-values; against references."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError
from tests.cases import FOLDER, read_data

INFO = json.loads((FOLDER / "values" / "family" / "birthwt_epidemiology.json").read_text(encoding="utf-8"))
VALUES = INFO["values"]
DATA = read_data("birthwt.csv", INFO["factor_levels_first_is_reference"])
TOLERANCE = {"rtol": 1e-9, "atol": 1e-12}


def case(name: str):
    """Values, the exposure, and the fit."""
    values = VALUES if name == "smoke" else VALUES["ui_exposure"]
    return values, name, ls.logit(values["formula_r"], DATA).fit()


@pytest.fixture(scope="module", params=["smoke", "ui"])
def epidemiology(request):
    return case(request.param)


@pytest.mark.parametrize("rows", ["all_rows_ATE", "exposed_rows_ATT"])
def test_g_computation(epidemiology, rows):
    values, exposure, res = epidemiology
    reference = values["g_computation"][rows]
    subset = None if rows == "all_rows_ATE" else DATA[exposure] == 1
    difference = res.margins(exposure, dummy=True, subset=subset).frame.iloc[0]
    expected = reference["risk_difference"]
    assert_allclose(
        difference[["estimate", "std_error"]].astype(float), [expected["estimate"], expected["se"]], **TOLERANCE
    )
    assert_allclose(difference[["conf_low", "conf_high"]].astype(float), expected["ci_95"], **TOLERANCE)
    for comparison, key in (("ratio", "risk_ratio"), ("odds_ratio", "odds_ratio")):
        got, expected = res.margins(exposure, comparison=comparison, subset=subset).frame.iloc[0], reference[key]
        assert_allclose(got["estimate"], expected["estimate"], **TOLERANCE)
        assert_allclose(got["std_error"], expected["log"]["se"], **TOLERANCE)
        assert_allclose(got[["conf_low", "conf_high"]].astype(float), expected["ci_95"], **TOLERANCE)
    got, expected = res.margins(exposure, comparison="nnt", subset=subset), reference["number_needed"]
    assert_allclose(got.frame["estimate"], expected["estimate"], **TOLERANCE)
    limits = got.frame[["conf_low", "conf_high"]].iloc[0].astype(float)
    assert_allclose(limits, expected["ci_95_from_risk_difference"], rtol=1e-7)
    assert ("two signs" in " ".join(got.notes)) == expected["risk_difference_limits_include_zero"]


def test_risks_under_each_exposure(epidemiology):
    values, exposure, res = epidemiology
    for level in (0, 1):
        got = res.average_prediction(DATA.assign(**{exposure: level}))
        expected = values["g_computation"]["all_rows_ATE"][f"risk_{level}"]
        assert_allclose([got.estimate, got.std_error], [expected["estimate"], expected["se"]], **TOLERANCE)


def test_population_attributable_fraction(epidemiology):
    values, exposure, res = epidemiology
    got, expected = res.margins(exposure, comparison="af").frame.iloc[0], values["population_attributable_fraction"]
    assert got["contrast"] == "all at 0"
    assert_allclose(got[["estimate", "std_error"]].astype(float), [expected["estimate"], expected["se"]], **TOLERANCE)
    assert_allclose(got[["conf_low", "conf_high"]].astype(float), expected["ci_95"], **TOLERANCE)


def test_additive_interaction():
    reference = VALUES["additive_interaction"]
    data = DATA.assign(ptl1=(DATA["ptl"] > 0).astype(int))
    for formula in (reference["formula_r"], "low ~ smoke * C(ptl > 0) + lwt + race"):
        second = "ptl1" if "ptl1" in formula else "ptl"
        found = ls.logit(formula, data).fit().interaction("smoke", second)
        frame = found.frame
        for name, key in (("OR10", "or_10"), ("OR01", "or_01"), ("OR11", "or_11")):
            assert_allclose(frame.loc[name, "estimate"], reference[key], rtol=1e-9)
        for name in ("RERI", "AP"):
            assert_allclose(frame.loc[name, ["estimate", "std_error"]].astype(float),
                            [reference[name]["estimate"], reference[name]["se"]], rtol=1e-8)  # fmt: skip
            assert_allclose(
                frame.loc[name, ["conf_low", "conf_high"]].astype(float), reference[name]["ci_95"], rtol=1e-8
            )
        synergy = reference["synergy_S"]
        assert_allclose(frame.loc["S", ["estimate", "std_error"]].astype(float),
                        [synergy["estimate"], synergy["log"]["se"]], rtol=1e-8)  # fmt: skip
        assert_allclose(frame.loc["S", ["conf_low", "conf_high"]].astype(float), synergy["ci_95"], rtol=1e-8)
        assert "RERI" in str(found)


def test_interaction_that_depends_on_others_is_refused_until_they_are_set():
    res = ls.logit("low ~ smoke * ht * lwt", DATA).fit()
    with pytest.raises(DataError, match="at="):
        res.interaction("smoke", "ht")
    assert np.isfinite(res.interaction("smoke", "ht", at={"lwt": 130}).reri)
    with pytest.raises(DataError, match="levels="):
        ls.logit("low ~ smoke * race", DATA).fit().interaction("smoke", "race")


def test_e_values(epidemiology):
    values, exposure, res = epidemiology
    for scale, key in (("rare", "rare_outcome_or_as_rr"), ("common", "common_outcome_sqrt_or")):
        got, expected = res.e_values(scale).loc[exposure], values["e_value"][key]
        assert_allclose(got["risk_ratio"], expected["risk_ratio_used"], rtol=1e-9)
        assert_allclose(got["e_value"], expected["e_value"], rtol=1e-9)
        assert_allclose(got["e_value_limit"], expected["e_value_limit"], rtol=1e-8)
    assert ls.e_value(0.5, 0.3, 1.2).limit == 1.0
    assert_allclose(ls.e_value(0.5).e_value, ls.e_value(2.0).e_value)
    with pytest.raises(DataError, match="do not hold"):
        ls.e_value(2.0, 2.5, 3.0)


def test_the_effect_in_the_untreated_and_the_treated_add_up():
    _, exposure, res = case("smoke")
    share = (DATA[exposure] == 1).mean()
    ate, att, atu = (
        res.margins(exposure, dummy=True, subset=subset).frame["estimate"].iloc[0]
        for subset in (None, DATA[exposure] == 1, DATA[exposure] == 0)
    )
    assert_allclose(ate, share * att + (1 - share) * atu, rtol=1e-12)


def test_contrasts_and_joint_tests_of_margins():
    res = ls.logit("low ~ smoke * race + lwt", DATA).fit()
    effects = res.margins("smoke", over="race", dummy=True)
    found = effects.contrast("b2 - b1, b3 - b1")
    estimates = effects.frame["estimate"].to_numpy()
    assert_allclose(found.estimate, [estimates[1] - estimates[0], estimates[2] - estimates[0]], rtol=1e-12)
    V = effects.covariance
    assert_allclose(found.std_error[0] ** 2, V[0, 0] + V[1, 1] - 2 * V[0, 1], rtol=1e-12)
    assert_allclose(effects.contrast("reference").estimate, found.estimate, rtol=1e-12)
    L = np.array([[-1.0, 1, 0], [-1, 0, 1]])
    chi2 = (L @ estimates) @ np.linalg.solve(L @ V @ L.T, L @ estimates)
    assert_allclose(effects.wald_test("reference").statistic, chi2, rtol=1e-9)
    ratios = res.margins("smoke", over="race", comparison="ratio").contrast("pairwise")
    assert "exp(estimate)" in ratios.summary_frame()
    assert len(ratios.labels) == 3


def test_a_difference_of_differences_of_means_is_the_interaction():
    res = ls.logit("low ~ smoke * ht + lwt", DATA).fit()
    means = res.means("smoke + ht")
    found = means.contrast("(b4 - b3) - (b2 - b1)")
    assert_allclose(found.estimate, res.params["smoke:ht"], rtol=1e-9)
    assert_allclose(found.std_error, res.bse["smoke:ht"], rtol=1e-9)
    assert_allclose(found.pvalue, res.pvalues["smoke:ht"], rtol=1e-7)


def test_bootstrap_errors_are_those_of_the_effect_at_every_draw():
    res = ls.logit("low ~ smoke + lwt + race", DATA).fit().with_cov("bootstrap", reps=60, seed=4)
    got = res.margins("smoke", dummy=True, errors="bootstrap").frame.iloc[0]
    draws = []
    for beta in res.covariance_.bootstrap.draws:
        p = [1 / (1 + np.exp(-(np.asarray(res.model.exog) + shift) @ beta)) for shift in _smoke_set(res)]
        draws.append(p[1].mean() - p[0].mean())
    assert_allclose(got["std_error"], np.std(draws, ddof=1), rtol=1e-9)
    assert_allclose([got["conf_low"], got["conf_high"]], np.quantile(draws, [0.025, 0.975]), rtol=1e-9)
    with pytest.raises(NotAvailableError, match="with_cov"):
        ls.logit("low ~ smoke", DATA).fit().margins("smoke", errors="bootstrap")


def _smoke_set(res):
    X = np.asarray(res.model.exog)
    j = list(res.model.exog_names).index("smoke")
    for level in (0.0, 1.0):
        shift = np.zeros_like(X)
        shift[:, j] = level - X[:, j]
        yield shift


def test_standardized_coefficients():
    res = ls.logit("low ~ age + lwt", DATA).fit()
    frame = res.standardized()
    sd = DATA[["age", "lwt"]].std()
    assert_allclose(frame["x"], res.params[["age", "lwt"]] * sd, rtol=1e-12)
    assert_allclose(frame["logistic"], frame["x"] * np.sqrt(3) / np.pi, rtol=1e-12)
    eta = res.fittedvalues
    assert_allclose(frame["latent"], frame["x"] / np.sqrt(eta.var() + np.pi**2 / 3), rtol=1e-12)
    assert_allclose(frame["menard"], frame["x"] * np.corrcoef(DATA["low"], res.predict())[0, 1] / eta.std(), rtol=1e-12)
    assert_allclose(frame["odds_ratio"], res.odds_ratios(units={"age": "sd", "lwt": "sd"})["odds_ratio"], rtol=1e-12)


def test_odds_ratios_of_chosen_changes():
    res = ls.logit("low ~ age + lwt + race", DATA).fit()
    frame = res.odds_ratios(units={"lwt": 10, "age": -5, "race": None})
    assert_allclose(frame["odds_ratio"].iloc[:2], np.exp([10 * res.params["lwt"], -5 * res.params["age"]]), rtol=1e-12)
    limits = np.exp(10 * np.asarray(res.conf_int().loc["lwt"]))
    assert_allclose(frame[["conf_low", "conf_high"]].iloc[0], limits, rtol=1e-12)
    assert (frame["conf_low"] < frame["conf_high"]).all()
    assert_allclose(frame["odds_ratio"].iloc[2:], np.exp(res.params[["race[T.black]", "race[T.other]"]]), rtol=1e-12)


def test_odds_ratios_at_levels_of_what_they_interact_with_and_their_ratio():
    res = ls.logit("low ~ smoke * lwt + age + I(age**2)", DATA).fit()
    with pytest.raises(DataError, match="depends on smoke"):
        res.odds_ratios(units={"lwt": 10})
    frame = res.odds_ratios(units={"lwt": 10}, at={"smoke": [0, 1]})
    b = res.params
    expected = np.exp(10 * np.array([b["lwt"], b["lwt"] + b["smoke:lwt"], b["smoke:lwt"]]))
    assert_allclose(frame["odds_ratio"], expected, rtol=1e-10)
    assert_allclose(frame["p_value"].iloc[2], res.pvalues["smoke:lwt"], rtol=1e-8)
    with pytest.raises(DataError, match="'age' itself"):
        res.odds_ratios(units={"age": 5})
    at_20 = res.odds_ratios(units={"age": 5}, at={"age": 20})["odds_ratio"].iloc[0]
    assert_allclose(at_20, np.exp(5 * b["age"] + (25**2 - 20**2) * b["I(age ** 2)"]), rtol=1e-10)
    pair = res.odds_ratios(units={"age": (20, 25)})["odds_ratio"].iloc[0]
    assert_allclose(pair, at_20, rtol=1e-12)
