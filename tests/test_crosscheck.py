"""The comparison with statsmodels: it passes on every reference case, names known deviations, and can fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import logit_stats as ls
from logit_stats.errors import DataError
from tests.cases import STANDARD_CASES, load_case


@pytest.mark.parametrize("name", STANDARD_CASES)
def test_passes_on_every_reference_case(name):
    case = load_case(name)
    formula, arguments = case.model_arguments()
    check = ls.logit(formula, case.data, **arguments).fit().crosscheck()
    assert check.passed, str(check)
    assert not check.deviations
    compared = set(check.table["quantity"])
    assert {
        "params",
        "bse",
        "tvalues",
        "pvalues",
        "conf_int lower",
        "cov_params",
        "llf",
        "aic",
        "bic",
        "predict",
    } <= compared
    if not case.grouped and "freq_weights" not in arguments:
        assert {"llnull", "llr_pvalue", "prsquared", "pred_table"} <= compared


@pytest.fixture(scope="module")
def spector():
    return ls.logit("grade ~ gpa + tuce + psi", load_case("spector_numeric").data).fit()


@pytest.mark.parametrize("cov_type", ["HC1", "HC2", "HC3"])
def test_robust_covariances_of_statsmodels_are_a_named_deviation(spector, cov_type):
    check = spector.with_cov(cov_type).crosscheck()
    assert check.passed
    assert any("HC0" in text and cov_type in text for text in check.deviations)


def test_no_intercept_is_a_named_deviation():
    check = ls.logit("grade ~ gpa + psi - 1", load_case("spector_numeric").data).fit().crosscheck()
    assert check.passed
    assert set(check.table.loc[check.table["verdict"] == "known deviation", "quantity"]) == {
        "llnull", "llr_pvalue", "prsquared",
    }  # fmt: skip


def test_fails_when_a_coefficient_is_wrong(spector):
    wrong = replace(spector, fit_=replace(spector.fit_, gamma=spector.fit_.gamma * (1 + 1e-4)))
    check = wrong.crosscheck()
    assert not check.passed
    assert "FAILED" in str(check)
    assert "params" in set(check.table.loc[check.table["verdict"] == "differs", "quantity"])


def test_fails_when_a_standard_error_is_wrong(spector):
    tampered = replace(spector.covariance_, standard_errors=spector.covariance_.standard_errors * 1.001)
    check = replace(spector, covariance_=tampered).crosscheck()
    differing = set(check.table.loc[check.table["verdict"] == "differs", "quantity"])
    assert differing >= {"bse", "tvalues", "pvalues"}
    assert "params" not in differing


def test_offset_weights_and_sampling_weights():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"x": rng.normal(size=80), "o": rng.normal(size=80), "w": rng.uniform(1, 3, 80)})
    data["y"] = (rng.random(80) < 0.5).astype(int)
    assert ls.logit("y ~ x", data, offset="o").fit().crosscheck().passed
    survey = ls.logit("y ~ x", data, sampling_weights="w").fit().crosscheck()
    assert survey.passed, str(survey)
    assert any("design-based" in text for text in survey.deviations)


def test_a_model_that_statsmodels_cannot_fit_is_said_so():
    # columns of size 1e-200: our fit is that of x, theirs a singular matrix
    rng = np.random.default_rng(2)
    x = rng.normal(size=50)
    y = (rng.random(50) < 1 / (1 + np.exp(-x))).astype(float)
    check = ls.Logit(y, np.column_stack([np.ones(50), x * 1e-200])).fit().crosscheck()
    assert not check.passed
    assert "statsmodels" in check.failure
    assert "NOT POSSIBLE" in str(check)


def test_prints_in_html_and_refuses_a_bad_tolerance(spector):
    assert "<table" in spector.crosscheck()._repr_html_()
    with pytest.raises(DataError, match="positive"):
        spector.crosscheck(rtol=0)


@pytest.mark.parametrize(
    ("cov_type", "settings"),
    [
        ("cluster", {"groups": "site"}),
        ("cluster", {"groups": "site", "use_correction": False}),
        ("cluster", {"groups": ["site", "block"]}),
        ("HAC", {"maxlags": 3}),
        ("HAC", {"use_correction": True}),
    ],
)
def test_cluster_and_hac_covariances_are_compared(cov_type, settings):
    data = ls.datasets.load("birthwt").assign(
        site=lambda d: np.arange(len(d)) % 31, block=lambda d: np.arange(len(d)) // 7
    )
    res = ls.logit("low ~ age + lwt + smoke", data).fit(cov_type=cov_type, cov_kwds=settings)
    check = res.crosscheck()
    assert check.passed, str(check)
    assert not any("not compared" in text for text in check.deviations)


def test_covariances_that_statsmodels_has_not_are_named():
    data = ls.datasets.load("birthwt").assign(site=lambda d: np.arange(len(d)) % 31)
    res = ls.logit("low ~ age + lwt", data).fit()
    for cov_type, settings in [("cluster", {"groups": "site", "use_correction": "CR2"}), ("quasi", {}), ("opg", {})]:
        check = res.with_cov(cov_type, **settings).crosscheck()
        assert check.passed, str(check)
        assert any("not compared" in text for text in check.deviations)


def test_multinomial_fits_are_compared():
    women = load_case("womenlf_multinomial").data
    for arguments in ({}, {"freq_weights": 1 + np.arange(len(women)) % 3}, {"base": "fulltime"}):
        check = ls.mnlogit("partic ~ hincome + children", women, **arguments).fit().crosscheck()
        assert check.passed, str(check)
        assert "MNLogit" in check.peer
        assert not check.deviations
        assert {"params", "cov_params", "llnull", "bic", "predict", "pred_table", "get_margeff se"} <= set(
            check.table["quantity"]
        )
    robust = ls.mnlogit("partic ~ hincome", women).fit(cov_type="HC0")
    assert robust.crosscheck().passed
    assert not robust.crosscheck().deviations
    assert any("HC1" in text for text in robust.with_cov("HC1").crosscheck().deviations)
    wrong = replace(robust, fit_=replace(robust.fit_, gamma=robust.fit_.gamma * 1.001))
    assert not wrong.crosscheck().passed


def test_what_a_multinomial_fit_cannot_be_compared_in():
    women = load_case("womenlf_multinomial").data
    no_constant = ls.mnlogit("partic ~ hincome - 1", women).fit().crosscheck()
    assert no_constant.passed
    assert set(no_constant.table.loc[no_constant.table["verdict"] == "known deviation", "quantity"]) == {
        "llnull", "llr_pvalue", "prsquared",
    }  # fmt: skip
    weighted = ls.mnlogit("partic ~ hincome", women, sampling_weights=np.full(len(women), 2.5)).fit().crosscheck()
    assert not weighted.passed
    assert "no sampling weights" in weighted.failure
    assert ls.mnlogit("partic ~ 1", women).fit().crosscheck().passed
