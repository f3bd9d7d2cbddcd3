"""Rubin's rules against mice's numbers, identities, and what is refused."""

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError, UnknownOptionError

FOLDER = Path(__file__).parent / "reference"
CASE = json.loads((FOLDER / "values/family/pima_imputed.json").read_text(encoding="utf-8"))
V = CASE["values"]
TESTS = V["multi_parameter_tests"]


@pytest.fixture(scope="module")
def sets():
    whole = pd.read_csv(FOLDER / CASE["data_file"])
    return [part.drop(columns=["imputation"]).reset_index(drop=True) for _, part in whole.groupby("imputation")]


@pytest.fixture(scope="module")
def res(sets):
    return ls.pool([ls.logit(CASE["formula_patsy"], part).fit() for part in sets])


def test_coefficients_errors_and_degrees_of_freedom(res):
    v = V["pooled"]
    assert res.dfcom == V["dfcom"]
    for found, name in (
        (res.params, "estimate"), (res.bse, "se"), (res.df, "df"), (res.tvalues, "t"), (res.fmi, "fraction_missing_information"),
        (res.relative_increase, "relative_increase_in_variance"), (res.pooled.share_of_variance, "proportion_of_variance_lambda"),
    ):  # fmt: skip
        assert_allclose(found, v[name], rtol=1e-9, err_msg=name)
    assert_allclose(res.pvalues, v["p"], rtol=1e-8)
    assert_allclose(res.conf_int(), v["ci_95"], rtol=1e-9)
    assert_allclose(res.cov_params(), V["total_covariance"], rtol=1e-8)


def test_large_sample_degrees_of_freedom(res):
    v, large = V["pooled_dfcom_infinite"], ls.pool(res.results, dfcom=np.inf)
    assert_allclose(large.df, v["df"], rtol=1e-9)
    assert_allclose(large.fmi, v["fraction_missing_information"], rtol=1e-9)
    assert_allclose(large.pvalues, v["p"], rtol=1e-8)
    assert_allclose(large.conf_int(), v["ci_95"], rtol=1e-9)


@pytest.mark.parametrize("case", TESTS, ids=lambda t: "+".join(t["columns"]))
def test_joint_tests(res, case):
    text = ", ".join(f"{name} = 0" for name in case["columns"])
    large = ls.pool(res.results, dfcom=np.inf)
    pairs = [
        (large.wald_test(text), "D1"),
        (res.wald_test(text, "D2"), "D2_wald"),
        (res.lr_test(case["columns"]), "D3"),
    ]
    if "D1_reiter_df" in case:
        pairs.append((res.wald_test(text), "D1_reiter_df"))
    for found, name in pairs:
        want = case[name]
        assert_allclose(
            [found.statistic, found.df_num, found.df_denom, found.pvalue, found.relative_increase],
            [want["statistic"], want["df1"], want["df2"], want["p"], want["riv"]],
            rtol=1e-7, err_msg=name,
        )  # fmt: skip


def test_area_under_the_curve(res):
    v, found = V["auc"], res.roc()
    assert_allclose(found["auc"], v["pooled_auc"], rtol=1e-9)
    assert_allclose(found[["conf_low", "conf_high"]].to_numpy(), v["ci_95_t"], rtol=1e-9)
    assert_allclose(found["df"], v["df"], rtol=1e-7)


@pytest.mark.parametrize("name", ["glu", "bmi", "skin"])
def test_marginal_effects(res, name):
    v = V["average_marginal_effects"][name]
    row = res.margins(name).summary_frame().iloc[0]
    assert_allclose(row["estimate"], v["estimate"], rtol=1e-8)
    assert_allclose(row["std_error"], v["se"], rtol=1e-7)
    assert_allclose(row["df"], v["df"], rtol=1e-6)
    assert_allclose(row["fmi"], v["fraction_missing_information"], rtol=1e-6)


def test_one_hypothesis_has_one_p_value(res):
    table = res.wald_test_terms()
    assert_allclose(table.frame["p_value"], res.pvalues.drop("Intercept"), rtol=1e-10)
    assert_allclose(res.wald_test("glu = 0").pvalue, res.pvalues["glu"], rtol=1e-10)


def test_a_list_of_tables_is_fitted_and_pooled(sets, res):
    again = ls.logit(CASE["formula_patsy"], sets).fit()
    assert_allclose(again.params, res.params, rtol=1e-12)
    robust = ls.logit(CASE["formula_patsy"], sets).fit(cov_type="HC1")
    assert_allclose(robust.bse, res.with_cov("HC1").bse, rtol=1e-12)
    assert "5 data sets" in repr(ls.logit(CASE["formula_patsy"], sets))


def test_a_list_of_tables_sees_the_callers_variables(sets):
    limit = 120  # noqa: F841 (the formula uses it)
    assert "I(glu > limit)[T.True]" in ls.logit("diabetic ~ I(glu > limit)", sets).fit().params.index


def test_equal_data_sets_have_no_missing_information(sets):
    one = ls.logit(CASE["formula_patsy"], sets[0]).fit()
    found = ls.pool([one, one, one], dfcom=np.inf)
    assert_allclose(found.params, one.params, rtol=1e-12)
    assert_allclose(found.bse, one.bse, rtol=1e-12)
    assert_allclose(found.pvalues, one.pvalues, rtol=1e-9)
    assert_allclose(found.fmi, 0.0, atol=1e-12)


def test_predictions_pool_the_linear_predictor(res, sets):
    new = sets[0].iloc[:4]
    found = res.get_prediction(new)
    each = np.array([r.get_prediction(new).linear for r in res.results])
    assert_allclose(found.pooled.estimate, each.mean(axis=0), rtol=1e-12)
    assert_allclose(res.predict(new), 1 / (1 + np.exp(-each.mean(axis=0))), rtol=1e-12)
    frame = found.summary_frame()
    assert ((frame["ci_lower"] < frame["predicted"]) & (frame["predicted"] < frame["ci_upper"])).all()
    # the pooled coefficients give the same predictor, its error is that of the total covariance
    X = np.column_stack([np.ones(4), new[["glu", "bp", "skin", "bmi", "age"]]])
    assert_allclose(found.pooled.estimate, X @ res.params.to_numpy(), rtol=1e-10)
    assert_allclose(found.pooled.standard_errors**2, np.einsum("ij,jk,ik->i", X, res.cov_params(), X), rtol=1e-8)


def test_means_of_a_factor(sets):
    parts = [part.assign(g=np.where(part["age"] > 30, "old", "young")) for part in sets]
    found = ls.logit("diabetic ~ g + bmi", parts).fit().means("g").summary_frame()
    assert found["g"].tolist() == ["old", "young"]
    assert ((found["prob_low"] < found["prob"]) & (found["prob"] < found["prob_high"])).all()


def test_odds_ratios_tidy_glance_and_multinomial(res, sets):
    ratios = res.odds_ratios()
    assert_allclose(np.log(ratios["odds_ratio"]), res.params)
    tidy = res.tidy(exponentiate=True)
    assert_allclose(tidy["conf_low"], ratios["conf_low"])
    assert res.glance()["m"].tolist() == [5]
    parts = [part.assign(k=pd.cut(part["age"], [0, 25, 35, 99], labels=["a", "b", "c"])) for part in sets]
    many = ls.pool([ls.mnlogit("k ~ glu + bmi", part).fit() for part in parts])
    assert len(many.params) == 6


def test_it_prints_and_is_kept(res):
    summary = res.summary()
    for text in (str(summary), str(res), repr(res), str(res.margins("glu")), str(res.wald_test_terms())):
        assert max(map(len, text.splitlines())) <= 80
    assert "fmi" in str(summary)
    assert "<table" in res._repr_html_()
    assert "\\toprule" in summary.as_latex()
    assert_allclose(pickle.loads(pickle.dumps(res)).bse, res.bse)


def test_what_cannot_be_pooled_is_said(res, sets):
    one = res.results[0]
    with pytest.raises(DataError, match="two results or more"):
        ls.pool([one])
    with pytest.raises(DataError, match="results of fit"):
        ls.pool([ls.logit("diabetic ~ glu", sets[0]), one])
    with pytest.raises(DataError, match="other coefficients than the first"):
        ls.pool([one, ls.logit("diabetic ~ glu + npreg", sets[1]).fit()])
    with pytest.raises(DataError, match="another order"):
        ls.pool([ls.logit("diabetic ~ glu + bmi", sets[0]).fit(), ls.logit("diabetic ~ bmi + glu", sets[1]).fit()])
    with pytest.raises(DataError, match="still missing"):
        ls.pool([one, ls.logit(CASE["formula_patsy"], sets[1].iloc[:200]).fit()])
    with pytest.raises(DataError, match="dfcom"):
        ls.pool(res.results, dfcom=-3)
    with pytest.raises(UnknownOptionError, match="D1"):
        res.wald_test("glu = 0", method="D4")
    firth = [ls.logit("diabetic ~ glu", part).fit_firth() for part in sets[:2]]
    with pytest.raises(NotAvailableError, match="likelihood-ratio"):
        ls.pool(firth).lr_test(["glu"])
