"""Generalized estimating equations: reference values, statsmodels, identities, refusals."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal

import logit_stats as ls
from logit_stats.errors import (
    DataError,
    EstimationError,
    MissingColumnError,
    NotAvailableError,
    OneClassError,
    SeparationError,
    UnknownOptionError,
    WeightError,
)

HERE = Path(__file__).parent / "reference"
VALUES = json.loads((HERE / "values/family/toenail_gee.json").read_text())["values"]
OHIO = json.loads((HERE / "values/ohio_clusters_gee.json").read_text())["values"]["gee"]
TOENAIL = pd.read_csv(HERE / "data/toenail.csv")
BACTERIA = pd.read_csv(HERE / "data/bacteria.csv")
CASES = {
    "toenail": ("outcome ~ terbinafine * time", TOENAIL, "patient"),
    "bacteria_small": ("y ~ active + high + week", BACTERIA, "child"),
}
STRUCTURES = ("independence", "exchangeable", "ar1_by_order", "ar1", "unstructured")


def fitted(case: str, structure: str, **fit: object) -> ls.GEEResults:
    formula, data, groups = CASES[case]
    data = data.sort_values([groups, "visit"], kind="stable")
    time = None if structure == "ar1_by_order" else "visit"
    return ls.gee(formula, data, groups=groups, corr=structure.removesuffix("_by_order"), time=time).fit(**fit)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("case", CASES)
def test_reference_values(case: str, structure: str) -> None:
    ref, res = VALUES[case][structure], fitted(case, structure)
    assert_allclose(res.params, ref["coef"], rtol=1e-8, atol=1e-10)
    assert_allclose(res.scale, ref["scale"], rtol=1e-9)
    assert_allclose(res.alpha, ref.get("alpha", []), atol=1e-9)
    for kind in ("naive", "robust", "kauermann_carroll", "mancl_derouen"):
        other = res.with_cov(kind)
        assert_allclose(other.cov_params(), ref[kind]["vcov"], rtol=1e-8, atol=1e-11)
        assert_allclose(other.bse, ref[kind]["se"], rtol=1e-8)
    assert_allclose(res.qic(), ref["qic"], rtol=1e-9)
    assert_allclose(res.qicu(), ref["qicu"], rtol=1e-10)
    assert_allclose(res.quasi_loglik, ref["quasi_loglik"], rtol=1e-10)
    size = len(ref["working_correlation"])
    assert_allclose(res.working_correlation.to_numpy()[:size, :size], ref["working_correlation"], atol=1e-9)


@pytest.mark.parametrize(("who", "small_sample"), [("geepack", False), ("gee", True)])
@pytest.mark.parametrize("structure", ["exchangeable", "independence"])
def test_moments_of_geepack_and_of_gee(structure: str, who: str, small_sample: bool) -> None:
    data, ref = pd.read_csv(HERE / "data/ohio.csv"), OHIO[structure][who]
    res = ls.gee("resp ~ age * smoke", data, groups="id", corr=structure).fit(small_sample=small_sample)
    assert_allclose(res.params, ref["coef"], rtol=1e-9)
    assert_allclose(res.bse, ref["se_robust"], rtol=1e-9)
    assert_allclose(res.with_cov("naive").bse, ref["se_naive"], rtol=1e-9)
    assert_allclose(res.scale, ref["scale"], rtol=1e-9)
    if structure == "exchangeable":
        assert_allclose(res.alpha, ref["alpha"], rtol=1e-9)


def test_geepack_with_clusters_of_unequal_size() -> None:
    ref = VALUES["toenail"]["exchangeable"]["geepack"]
    res = fitted("toenail", "exchangeable", small_sample=False)
    assert_allclose(res.params, ref["coef"], rtol=1e-7)
    assert_allclose(res.alpha, ref["alpha"], rtol=1e-7)


@pytest.mark.parametrize("cov_type", ["robust", "naive", "bias_reduced", "kauermann_carroll"])
@pytest.mark.parametrize("corr", ["independence", "exchangeable"])
def test_crosscheck_with_statsmodels(corr: str, cov_type: str) -> None:
    res = ls.gee("outcome ~ terbinafine * time", TOENAIL, groups="patient", corr=corr).fit(cov_type)
    assert res.crosscheck(rtol=1e-7).passed


def test_crosscheck_says_where_statsmodels_has_another_estimator() -> None:
    assert "another" in fitted("toenail", "ar1").crosscheck().failure


def test_independence_is_maximum_likelihood_with_cluster_robust_errors() -> None:
    res = fitted("toenail", "independence")
    ml = ls.logit("outcome ~ terbinafine * time", TOENAIL).fit(
        cov_type="cluster", cov_kwds={"groups": "patient", "use_correction": False}
    )
    assert_allclose(res.params, ml.params, rtol=1e-10)
    assert_allclose(res.bse, ml.bse, rtol=1e-9)
    # Mancl and DeRouen under independence is CR3 up to the definition of the leverage: here they are the same
    cr3 = ml.with_cov("cluster", groups="patient", use_correction="CR3")
    assert_allclose(res.with_cov("mancl_derouen").bse, cr3.bse, rtol=1e-8)


def test_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    shuffled = TOENAIL.sample(frac=1.0, random_state=rng.integers(1 << 31))
    for corr in ("exchangeable", "ar1", "unstructured"):
        one = ls.gee("outcome ~ time", TOENAIL, groups="patient", corr=corr, time="visit").fit()
        two = ls.gee("outcome ~ time", shuffled, groups="patient", corr=corr, time="visit").fit()
        assert_allclose(one.params, two.params, rtol=1e-9)
        assert_allclose(one.bse, two.bse, rtol=1e-9)
        assert_allclose(one.predict(), two.predict().loc[one.predict().index], rtol=1e-9)


def test_units_and_origins_do_not_matter() -> None:
    data = TOENAIL.assign(t=TOENAIL["time"] * 1e-7 + 1e3)
    one = ls.gee("outcome ~ time", TOENAIL, groups="patient", corr="exchangeable").fit()
    two = ls.gee("outcome ~ t", data, groups="patient", corr="exchangeable").fit()
    assert_allclose(one.tvalues["time"], two.tvalues["t"], rtol=1e-6)


def test_gaps_in_time_widen_the_exponent() -> None:
    # two waves four steps apart and two that are one apart: the correlation of neighbours is a power of the gap
    res = ls.gee("outcome ~ time", TOENAIL, groups="patient", corr="ar1", time="visit").fit()
    in_weeks = ls.gee(
        "outcome ~ time", TOENAIL.assign(week=TOENAIL["visit"] * 4), groups="patient", corr="ar1", time="week"
    )
    assert_allclose(in_weeks.fit().params, res.params, rtol=1e-9)


def test_ar1_and_unstructured_by_dense_matrices() -> None:
    """Information and scores from inverses of R, cluster by cluster, as the definition has it."""
    for corr in ("exchangeable", "ar1", "unstructured"):
        res = fitted("toenail", corr)
        X, y = np.asarray(res.model.exog), np.asarray(res.model.endog)
        data = TOENAIL.sort_values(["patient", "visit"], kind="stable")
        p = np.asarray(res.predict())
        R, alpha = res.working_correlation, res.alpha
        information, meat, score = np.zeros((4, 4)), np.zeros((4, 4)), np.zeros(4)
        for rows in data.reset_index(drop=True).groupby("patient").indices.values():
            visit = data["visit"].to_numpy()[rows]
            if corr == "unstructured":
                own = R.loc[visit, visit].to_numpy()
            elif corr == "ar1":
                own = alpha[0] ** np.abs(visit[:, None] - visit)
            else:
                own = np.where(np.eye(len(rows)) > 0, 1.0, alpha[0])
            v = np.sqrt(p[rows] * (1 - p[rows]))
            W = np.linalg.inv(own) / v[:, None] / v
            D = X[rows] * (v * v)[:, None]
            information += D.T @ W @ D
            s = D.T @ W @ (y[rows] - p[rows])
            score, meat = score + s, meat + np.outer(s, s)
        V = np.linalg.inv(information)
        assert np.abs(V @ score).max() < 1e-8
        assert_allclose(res.cov_params(), V @ meat @ V, rtol=1e-8)


def test_offset_is_part_of_the_predictor() -> None:
    data = TOENAIL.assign(known=0.3 * TOENAIL["time"])
    free = ls.gee("outcome ~ time", data, groups="patient").fit()
    with_offset = ls.gee("outcome ~ time", data, groups="patient", offset="known").fit()
    assert_allclose(with_offset.params["time"], free.params["time"] - 0.3, rtol=1e-8)
    assert_allclose(with_offset.predict(data), free.predict(data), rtol=1e-9)


def test_frequency_weights_stand_for_identical_clusters() -> None:
    some = TOENAIL[TOENAIL["patient"] < 60].assign(times=lambda d: 1 + d["patient"] % 3)
    copies = [some[some["times"] > j].assign(patient=lambda d, j=j: d["patient"] + 1000 * j) for j in range(3)]
    expanded = pd.concat(copies, ignore_index=True)
    for corr in ("exchangeable", "ar1", "unstructured"):
        one = ls.gee("outcome ~ time", some, groups="patient", corr=corr, time="visit", freq_weights="times").fit()
        two = ls.gee("outcome ~ time", expanded, groups="patient", corr=corr, time="visit").fit()
        for kind in ("robust", "naive", "kauermann_carroll", "mancl_derouen"):
            assert_allclose(one.with_cov(kind).bse, two.with_cov(kind).bse, rtol=1e-8)
        assert_allclose([one.scale, one.qic(), one.nobs], [two.scale, two.qic(), two.nobs], rtol=1e-8)


def test_counts_of_trials_under_independence_are_their_single_rows() -> None:
    grouped = TOENAIL.groupby(["patient", "terbinafine"])["outcome"].agg(["sum", "count"]).reset_index()
    one = ls.gee("sum ~ terbinafine", grouped, groups="patient", corr="independence", trials="count").fit()
    two = ls.gee("outcome ~ terbinafine", TOENAIL, groups="patient", corr="independence").fit()
    assert_allclose(one.params, two.params, rtol=1e-9)
    assert_allclose(one.bse, two.bse, rtol=1e-9)


def test_arrays_and_formulas_agree() -> None:
    X = np.column_stack([np.ones(len(TOENAIL)), TOENAIL["time"]])
    arrays = ls.LogitGEE(TOENAIL["outcome"].to_numpy(), X, TOENAIL["patient"].to_numpy()).fit()
    formula = ls.gee("outcome ~ time", TOENAIL, groups="patient").fit()
    assert isinstance(arrays.params, np.ndarray)
    assert_array_equal(arrays.params, formula.params.to_numpy())


def test_missing_clusters_and_times_drop_their_rows_and_are_counted() -> None:
    data = TOENAIL.assign(patient=TOENAIL["patient"].astype(float), visit=TOENAIL["visit"].astype(float))
    data.loc[3:5, "patient"] = np.nan
    data.loc[9, "visit"] = np.nan
    res = ls.gee("outcome ~ time", data, groups="patient", time="visit").fit()
    assert "4 dropped for missing values (patient 3, visit 1)" in res.sample_line()
    rest = data.dropna(subset=["patient", "visit"])
    again = ls.gee("outcome ~ time", rest, groups=rest["patient"].to_numpy(), time="visit").fit()
    assert_allclose(res.params, again.params, rtol=1e-10)
    with pytest.raises(DataError, match="patient in 3 rows"):
        ls.gee("outcome ~ time", data, groups="patient", missing="raise")


def test_answers_without_a_likelihood_are_refused_in_words() -> None:
    res = fitted("toenail", "exchangeable")
    for name in ("llf", "aic", "bic", "prsquared", "lr_test", "drop1", "score_test", "deviance", "pseudo_rsquared"):
        with pytest.raises(NotAvailableError, match="estimating equations have none"):
            getattr(res, name)
        assert not hasattr(res, name)
    with pytest.raises(NotAvailableError, match="qic"):
        res.anova(test="LR")
    with pytest.raises(NotAvailableError, match="estimating equations have none"):
        res.conf_int(method="profile")
    ml = ls.logit("outcome ~ 1", TOENAIL).fit()
    with pytest.raises(NotAvailableError, match="estimating equations have none"):
        ml.lr_test(res)


def test_wald_answers_use_the_robust_covariance() -> None:
    res = fitted("toenail", "exchangeable")
    z = res.params["terbinafine:time"] / res.bse["terbinafine:time"]
    table = res.anova(type=3).frame
    assert_allclose(table.loc["terbinafine:time", "statistic"], z**2, rtol=1e-10)
    assert_allclose(res.t_test("time = 0").pvalue, res.pvalues["time"], rtol=1e-10)
    by_t = fitted("toenail", "exchangeable", use_t=True)
    assert by_t.pvalues["time"] > res.pvalues["time"]
    assert_allclose(by_t.covariance_.reference.df, 294 - 4)


def test_margins_and_predictions_with_errors() -> None:
    res = fitted("toenail", "exchangeable")
    X, V = np.asarray(res.model.exog), np.asarray(res.cov_params())
    p = np.asarray(res.predict())
    gradient = (p * (1 - p))[:, None] * X
    assert_allclose(res.get_prediction().se, np.sqrt(np.einsum("ij,jk,ik->i", gradient, V, gradient)), rtol=1e-9)
    assert res.margins("time").frame["std_error"].item() > 0
    assert 0.5 < res.classification().accuracy < 1


def test_roc_error_is_that_of_delong_where_every_row_is_a_cluster() -> None:
    data = TOENAIL.iloc[::7].reset_index(drop=True).assign(row=lambda d: np.arange(len(d)))
    res = ls.gee("outcome ~ time", data, groups="row", corr="independence").fit()
    ml = ls.logit("outcome ~ time", data).fit()
    assert_allclose(res.roc().auc, ml.roc().auc)
    assert_allclose(res.roc().se, ml.roc().se, rtol=1e-10)
    # the same rows twice in each cluster know no more than once
    twice = pd.concat([data, data], ignore_index=True)
    doubled = ls.gee("outcome ~ time", twice, groups="row", corr="independence").fit()
    assert_allclose(doubled.roc().se, ml.roc().se, rtol=1e-2)
    assert ls.logit("outcome ~ time", twice).fit().roc().se < 0.75 * ml.roc().se


def test_kept_and_without_rows(tmp_path: Path) -> None:
    res = fitted("toenail", "ar1")
    res.save(tmp_path / "fit")
    back = ls.load(tmp_path / "fit")
    assert back.summary(clock=False).as_text() == res.summary(clock=False).as_text()
    small = res.remove_data()
    assert small.summary(clock=False).as_text() == res.summary(clock=False).as_text()
    assert len(pickle.dumps(small)) < len(pickle.dumps(res)) / 3
    assert_allclose(small.predict(TOENAIL.head()), res.predict(TOENAIL.head()))
    with pytest.raises(NotAvailableError, match="remove_data"):
        small.with_cov("mancl_derouen")


def test_summary_says_what_was_fitted() -> None:
    text = fitted("toenail", "ar1").summary(clock=False).as_text()
    for said in (
        "No. clusters:",
        "1 to 7",
        "ar1",
        "0.6799",
        "QIC:",
        "Population-averaged",
        "cannot be\n    so correlated",
    ):
        assert said in text
    assert max(map(len, text.split("\n"))) <= 90


# Bad input.


def small(**columns: object) -> pd.DataFrame:
    base = {"y": [0, 1, 0, 1, 1, 0, 0, 1], "x": [1, 2, 3, 4, 5, 6, 7, 8], "id": [1, 1, 2, 2, 3, 3, 4, 4]}
    return pd.DataFrame({**base, **columns})


def test_one_class() -> None:
    with pytest.raises(OneClassError, match="does not vary"):
        ls.gee("y ~ x", small(y=[1] * 8), groups="id")


def test_one_cluster() -> None:
    with pytest.raises(DataError, match="single cluster"):
        ls.gee("y ~ x", small(id=[1] * 8), groups="id").fit()


def test_a_cluster_for_every_row() -> None:
    data = small(id=range(8))
    with pytest.raises(DataError, match="single row"):
        ls.gee("y ~ x", data, groups="id").fit()
    res = ls.gee("y ~ x", data, groups="id", corr="independence").fit()
    assert_allclose(res.bse, ls.logit("y ~ x", data).fit(cov_type="HC0").bse, rtol=1e-8)


def test_a_time_twice_in_a_cluster_is_named() -> None:
    with pytest.raises(DataError, match=r"'t' has the value 1 more than once in id 2 \(row 3"):
        ls.gee("y ~ x", small(t=[1, 2, 1, 1, 1, 2, 1, 2]), groups="id", corr="ar1", time="t").fit()


def test_times_that_are_no_numbers() -> None:
    with pytest.raises(DataError, match="number the occasions"):
        ls.gee("y ~ x", small(t=list("abababab")), groups="id", corr="ar1", time="t")


def test_dates_and_ordered_categories_are_times() -> None:
    visit = TOENAIL["visit"]
    ref = ls.gee("outcome ~ time", TOENAIL, groups="patient", corr="ar1", time="visit").fit().params
    dates = pd.Timestamp("2020-01-01") + pd.to_timedelta(visit * 7, unit="D")
    ordered = pd.Categorical(visit.map(str), categories=[str(v) for v in range(1, 8)], ordered=True)
    for time in (dates, ordered):
        data = TOENAIL.assign(when=time)
        assert_allclose(
            ls.gee("outcome ~ time", data, groups="patient", corr="ar1", time="when").fit().params, ref, rtol=1e-9
        )


def test_unknown_column_and_structure() -> None:
    with pytest.raises(MissingColumnError, match="groups"):
        ls.gee("y ~ x", small(), groups="idd")
    with pytest.raises(UnknownOptionError, match="exchangeable"):
        ls.gee("y ~ x", small(), groups="id", corr="compound")


def test_separation_is_said() -> None:
    with pytest.raises(SeparationError, match="x"):
        ls.gee("y ~ x", small(y=[0, 0, 0, 0, 1, 1, 1, 1]), groups="id").fit()


def test_an_infeasible_correlation_is_said() -> None:
    rng = np.random.default_rng(3)
    half = rng.integers(0, 2, 60)
    data = pd.DataFrame({"y": np.repeat(half, 3), "id": np.repeat(np.arange(60), 3)})
    with pytest.raises(EstimationError, match=r"not feasible.*independence"):
        ls.gee("y ~ 1", data, groups="id").fit()


def test_weights_that_vary_within_a_cluster() -> None:
    with pytest.raises(WeightError, match="vary within id 1"):
        ls.gee("y ~ x", small(w=[1, 2, 1, 1, 1, 1, 1, 1]), groups="id", freq_weights="w").fit()


def test_few_clusters_for_an_unstructured_correlation() -> None:
    with pytest.raises(EstimationError, match="too few clusters for the correlation between times"):
        ls.gee("y ~ x", small(t=[1, 2, 1, 2, 2, 3, 1, 2]), groups="id", corr="unstructured", time="t").fit()


def test_few_clusters_are_noted() -> None:
    data = TOENAIL[TOENAIL["patient"].isin(TOENAIL["patient"].unique()[:20])]
    assert "20 clusters are few" in str(ls.gee("outcome ~ time", data, groups="patient").fit().summary())


def test_large_clusters_need_no_matrix_of_their_size() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(4), 5000)
    x = rng.normal(size=20_000)
    y = (rng.random(20_000) < 1 / (1 + np.exp(-x - 0.3 * groups))).astype(float)
    X = np.column_stack([np.ones(20_000), x])
    res = ls.LogitGEE(y, X, groups).fit("mancl_derouen")
    model = sm.GEE(y, X, groups, family=sm.families.Binomial(), cov_struct=sm.cov_struct.Exchangeable())
    theirs = model.fit(ctol=1e-10, maxiter=200)
    assert_allclose(res.params, theirs.params, rtol=1e-7)
    assert_allclose(res.with_cov("robust").bse, theirs.bse, rtol=1e-6)
