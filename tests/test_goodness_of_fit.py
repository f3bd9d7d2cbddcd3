"""Tests of fit against R's values, and what can go wrong with them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.assess.hosmer_lemeshow import hosmer_lemeshow, quantile_limits
from logit_stats.assess.scored import Scored
from logit_stats.errors import DataError, NotAvailableError
from tests.cases import STANDARD_CASES, load_case


def fitted(name: str):
    case = load_case(name)
    formula, arguments = case.model_arguments()
    return case.values.get("goodness_of_fit"), ls.logit(formula, case.data, **arguments).fit()


def having(key: str) -> list[str]:
    return [name for name in STANDARD_CASES if key in load_case(name).values.get("goodness_of_fit", {})]


@pytest.mark.parametrize("name", having("hosmer_lemeshow"))
def test_hosmer_lemeshow(name):
    reference, res = fitted(name)
    want = reference["hosmer_lemeshow"]["rule_A_type7_quantiles"]
    got = res.hosmer_lemeshow(10)
    assert (len(got.table), got.df) == (want["groups"], want["df"])
    assert_allclose([got.statistic, got.pvalue], [want["statistic"], want["p"]], rtol=1e-7)
    for ours, theirs in [
        ("upper_limit", "upper_limits"),
        ("n", "n"),
        ("observed", "observed_1"),
        ("expected", "expected_1"),
    ]:
        assert_allclose(got.table[ours], want[theirs], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", having("unweighted_sum_of_squares"))
def test_le_cessie_van_houwelingen(name):
    reference, res = fitted(name)
    want, got = reference["unweighted_sum_of_squares"], res.gof().frame.loc["le Cessie-van Houwelingen"]
    assert_allclose([got["statistic"], got["p_value"]], [want["z"], want["p"]], rtol=1e-7)


@pytest.mark.parametrize("name", having("covariate_patterns"))
def test_covariate_patterns(name):
    reference, res = fitted(name)
    want, got = reference["covariate_patterns"], res.gof().frame
    for kind, key, p in [("Pearson", "pearson_chi2", "pearson_p"), ("deviance", "deviance", "deviance_p")]:
        test = f"{kind}, covariate patterns"
        assert_allclose(got.loc[test, ["statistic", "df"]].astype(float), [want[key], want["df"]], rtol=1e-7)
        assert_allclose(got.loc[test, "p_value"], want[p], rtol=1e-7)
    normal = [want["osius_rojek"]["z"], want["osius_rojek"]["p"]]
    assert_allclose(got.loc["Osius-Rojek", ["statistic", "p_value"]].astype(float), normal, rtol=1e-7)


@pytest.mark.parametrize("name", having("link_test"))
def test_link_test(name):
    reference, res = fitted(name)
    want, got = reference["link_test"], res.link_test()
    assert_allclose(got.coef[1:], [want["coef_eta"], want["coef_eta_squared"]], rtol=1e-7)
    square = [want["se_eta_squared"], want["z_eta_squared"], want["p_eta_squared"]]
    assert_allclose([got.std_error[2], got.statistic, got.pvalue], square, rtol=1e-7)


@pytest.mark.parametrize("name", having("stukel"))
def test_stukel(name):
    reference, res = fitted(name)
    got = res.gof().frame.loc["Stukel"]
    assert_allclose(
        [got["statistic"], got["df"], got["p_value"]], [reference["stukel"][k] for k in ("lr", "df", "p")], rtol=1e-7
    )


def test_quantiles_are_type_seven_whatever_the_weights():
    rng = np.random.default_rng(1)
    p, w = rng.random(57), rng.integers(1, 5, 57).astype(float)
    expanded = np.repeat(p, w.astype(int))
    assert_allclose(quantile_limits(p, w, 10), np.quantile(expanded, np.arange(11) / 10), rtol=1e-12)


def test_frequency_weights_equal_the_repeated_rows():
    data = ls.datasets.load("birthwt").assign(w=lambda d: 1 + np.arange(len(d)) % 3)
    weighted = ls.logit("low ~ age + lwt", data, freq_weights="w").fit()
    expanded = ls.logit("low ~ age + lwt", data.loc[data.index.repeat(data.w)]).fit()
    assert_allclose(
        weighted.gof().frame[["statistic", "p_value"]], expanded.gof().frame[["statistic", "p_value"]], rtol=1e-6
    )


def test_few_patterns_and_constant_predictions():
    data = pd.DataFrame({"y": [0, 1, 0, 1, 1, 0, 1, 1], "g": [0, 0, 0, 0, 1, 1, 1, 1]})
    saturated = ls.logit("y ~ g", data).fit()
    with pytest.raises(DataError, match="so few different values"):
        saturated.hosmer_lemeshow()
    assert saturated.gof().tests == ()
    assert "saturated" in str(saturated.gof())
    with pytest.raises(NotAvailableError, match="square of the linear predictor already"):
        saturated.link_test()
    with pytest.raises(NotAvailableError, match="same in every row"):
        ls.logit("y ~ 1", data).fit().link_test()
    with pytest.raises(DataError, match="groups=2"):
        saturated.hosmer_lemeshow(2)


def test_under_sampling_weights_it_is_refused():
    data = ls.datasets.load("birthwt")
    res = ls.logit("low ~ age", data, sampling_weights=np.linspace(1, 2, len(data))).fit()
    with pytest.raises(NotAvailableError, match="sampling weights"):
        res.gof()


def test_a_model_that_reproduces_its_groups_has_no_p_value():
    data = ls.datasets.load("birthwt")
    found = ls.logit("low ~ C(race) * smoke", data).fit().hosmer_lemeshow()
    assert np.isnan(found.pvalue)
    assert found.stability["p_value"].isna().all()
    assert "reproduces every group" in str(found)


def test_tests_for_maximum_likelihood_are_left_out_elsewhere():
    data = ls.datasets.load("birthwt")
    firth = ls.logit("low ~ age + lwt", data).fit_firth().gof()
    constrained = ls.logit("low ~ age + lwt", data).fit_constrained("age = 0").gof()
    alone = ls.logit("low ~ lwt", data).fit().gof()
    for found, why in ((firth, "penalized"), (constrained, "constraints")):
        assert not {"Osius-Rojek", "Stukel", "le Cessie-van Houwelingen"} & set(found.frame.index)
        assert sum(why in note for note in found.notes) == 3
    same = ["Hosmer-Lemeshow, 10 groups", "link test (eta²)"]
    assert_allclose(constrained.frame.loc[same, "p_value"], alone.frame.loc[same, "p_value"], rtol=1e-6)


def test_groups_in_which_nothing_is_expected():
    eta = np.array([-800.0, -800.0, -800.0, -800.0, 0.0, 0.1, 0.2, 0.3])
    y = np.array([0.0, 0, 0, 0, 1, 0, 1, 1])
    found = hosmer_lemeshow(Scored.of_rows(eta, y, 1 - y), groups=4, fitted=False)
    assert found.table["expected"][0] == 0.0
    assert np.isfinite([found.statistic, found.pvalue]).all()
    y[0] = 1.0
    wrong = hosmer_lemeshow(Scored.of_rows(eta, y, 1 - y), groups=4, fitted=False)
    assert (wrong.statistic, wrong.pvalue) == (np.inf, 0.0)


def test_separation_is_said_in_the_words_of_the_test():
    res = ls.logit("y ~ x", pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [0, 1, 0, 1]})).fit()
    assert "Stukel left out: With the columns of the test there is no finite estimate (separation)." in res.gof().notes


def test_tables_say_in_words_what_is_asked():
    res = ls.logit("low ~ age + lwt + smoke", ls.datasets.load("birthwt")).fit()
    assert "the link is wrong" in str(res.gof())
    assert "6 to 15 groups" in str(res.hosmer_lemeshow())
    assert "<table" in res.gof()._repr_html_()
    assert "<table" in res.hosmer_lemeshow()._repr_html_()
    assert [*res.hosmer_lemeshow().stability.index] == list(range(6, 16))
