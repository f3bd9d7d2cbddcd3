"""Inputs to which other packages answer wrongly without a word: one test each. docs/no_silent_wrong_answers.md lists them."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import (
    DataError,
    FormulaError,
    NearSeparationWarning,
    OneClassError,
    RankDeficientError,
    ResponseError,
    SeparationError,
    UnseenLevelError,
)


@pytest.fixture
def data() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    frame = pd.DataFrame({"x": rng.normal(size=300), "z": rng.normal(size=300), "g": rng.choice(list("abc"), 300)})
    frame["y"] = (rng.random(300) < 1 / (1 + np.exp(-0.3 - 0.8 * frame["x"]))).astype(int)
    frame["f"] = rng.integers(1, 5, 300)
    frame["o"] = rng.normal(size=300)
    return frame


def words(res: ls.LogitResults) -> str:
    return " ".join(res.summary_notes())


def test_robust_covariances_are_four_different_matrices(data):
    res = ls.logit("y ~ x + z", data).fit()
    errors = [res.with_cov(kind).bse["x"] for kind in ("nonrobust", "HC0", "HC1", "HC2", "HC3")]
    assert len(set(errors)) == 5
    n, k = 300, 3
    assert_allclose(errors[2], errors[1] * np.sqrt(n / (n - k)), rtol=1e-12)
    assert errors[1] < errors[3] < errors[4]
    assert ls.logit("y ~ x + z", data).fit(cov_type="HC3").bse["x"] == errors[4]


@pytest.mark.parametrize("kind", ["bool", "text", "categorical", "object", "reversed"])
def test_the_second_level_of_the_response_is_modelled_and_named(data, kind):
    expected = ls.logit("y ~ x", data).fit().params
    texts = data["y"].map({0: "bad", 1: "good"})
    coded = {
        "bool": data["y"] == 1,
        "text": texts,
        "object": texts.astype(object),
        "categorical": pd.Categorical(texts, ["bad", "good"]),
        "reversed": pd.Categorical(texts, ["good", "bad"]),
    }[kind]
    res = ls.logit("w ~ x", data.assign(w=coded)).fit()
    assert_allclose(res.params, -expected if kind == "reversed" else expected, rtol=1e-9)
    level = {"bool": "True", "reversed": "bad"}.get(kind, "good")
    assert f"w = {level}" in words(res)
    by_array = ls.Logit(data.assign(w=coded)["w"], np.column_stack([np.ones(300), data["x"]])).fit()
    assert_allclose(by_array.params, res.params, rtol=1e-9)


def test_margins_of_a_variable_move_all_of_its_terms(data):
    res = ls.logit("y ~ x + I(x**2)", data).fit()
    b, x, p = res.params, data["x"], res.predict()
    expected = (p * (1 - p) * (b["x"] + 2 * b["I(x ** 2)"] * x)).mean()
    assert_allclose(res.margins("x").frame["estimate"], [expected], rtol=1e-9)
    assert "margins()" in res.get_margeff().summary().as_text()


def test_frequency_weights_equal_the_repeated_rows_in_every_statistic(data):
    weighted = ls.logit("y ~ x + C(g)", data, freq_weights="f").fit()
    repeated = ls.logit("y ~ x + C(g)", data.loc[data.index.repeat(data["f"])].reset_index(drop=True)).fit()
    for name in ("llf", "llnull", "llr_pvalue", "aic", "bic", "aicc", "prsquared", "deviance", "null_deviance",
                 "pearson_chi2", "nobs", "df_resid", "df_model"):  # fmt: skip
        assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-9, err_msg=name)
    for kind in ("nonrobust", "HC0", "HC1", "HC2", "HC3"):
        assert_allclose(weighted.with_cov(kind).bse, repeated.with_cov(kind).bse, rtol=1e-9, err_msg=kind)
    assert_allclose(weighted.params, repeated.params, rtol=1e-9)
    assert_allclose(weighted.pseudo_rsquared("all"), repeated.pseudo_rsquared("all"), rtol=1e-9)
    assert_allclose(weighted.pred_table(), repeated.pred_table())
    assert_allclose(weighted.certificate().condition_number, repeated.certificate().condition_number, rtol=1e-9)


def test_prediction_takes_the_offset_of_the_new_data(data):
    by_name = ls.logit("y ~ x", data, offset="o").fit()
    new = data.head(4).assign(o=[0.0, 1.0, 2.0, 3.0])
    eta = by_name.predict(new, which="linear")
    expected = by_name.params["Intercept"] + by_name.params["x"] * new["x"] + new["o"]
    assert_allclose(eta, expected, rtol=1e-9)
    with pytest.raises(DataError, match="'o'"):
        by_name.predict(new.drop(columns="o"))
    by_array = ls.logit("y ~ x", data, offset=data["o"].to_numpy()).fit()
    with pytest.raises(DataError, match="offset="):
        by_array.predict(new)
    assert_allclose(by_array.predict(new, offset=new["o"].to_numpy(), which="linear"), expected, rtol=1e-9)
    assert_allclose(by_array.predict(), by_name.predict())


def test_without_an_intercept_the_null_model_is_one_half(data):
    res = ls.logit("y ~ x + z - 1", data).fit()
    assert_allclose(res.llnull, 300 * np.log(0.5), rtol=1e-12)
    assert res.df_model == 2
    assert "1/2" in words(res)
    # a factor coded in full holds the constant: then the null is an intercept
    full = ls.logit("y ~ g - 1", data).fit()
    assert_allclose(full.llnull, ls.logit("y ~ g", data).fit().llnull, rtol=1e-12)
    assert full.df_model == 2


def test_a_robust_wald_test_stands_beside_the_model_based_p_value(data):
    res = ls.logit("y ~ x + z", data).fit(cov_type="HC1")
    V, b = res.cov_params().to_numpy()[1:, 1:], res.params.to_numpy()[1:]
    statistic = b @ np.linalg.solve(V, b)
    assert f"{statistic:.4f}" in words(res)
    assert "model-based" in words(res)


@pytest.mark.parametrize("value", [0, 1])
def test_a_response_with_one_class_is_an_error(data, value):
    with pytest.raises(OneClassError, match="does not vary"):
        ls.logit("y ~ x", data.assign(y=value)).fit()
    # also where only the rows left after dropping have one class
    frame = data.assign(x=data["x"].where(data["y"] == value))
    with pytest.raises(OneClassError):
        ls.logit("y ~ x", frame)


def test_separation_in_a_small_cell_names_column_direction_and_rows(data):
    rare = np.zeros(300, dtype=int)
    rare[np.flatnonzero(data["y"] == 1)[:9]] = 1
    with pytest.raises(SeparationError, match=r"rare.*\+inf.*fit_firth") as caught:
        ls.logit("y ~ x + rare", data.assign(rare=rare)).fit()
    separation = caught.value.separation
    assert separation.kind == "quasi-complete"
    assert separation.rows == 9
    assert separation.infinite == {"rare": np.inf}
    X = np.column_stack([np.ones(300), data["x"], rare])
    margins = (2 * data["y"].to_numpy() - 1) * (X @ separation.directions[0])
    assert margins.min() >= 0
    assert (margins > 0).sum() == 9


@pytest.mark.parametrize(
    "change", [lambda x: x * 1e-8, lambda x: x * 1e8, lambda x: x + 1e6, lambda x: x * 1e-300, lambda x: x * 1e300]
)
def test_units_and_origin_do_not_matter(data, change):
    plain = ls.logit("y ~ x + z", data).fit()
    other = ls.logit("y ~ x + z", data.assign(x=change(data["x"]))).fit()
    assert_allclose(other.tvalues[["x", "z"]], plain.tvalues[["x", "z"]], rtol=1e-7)
    assert_allclose(other.pvalues[["x", "z"]], plain.pvalues[["x", "z"]], rtol=1e-6)
    assert_allclose(other.llf, plain.llf, rtol=1e-10)
    assert_allclose(other.predict(), plain.predict(), rtol=1e-8)


def test_a_shift_of_1e10_keeps_the_z_statistic(data):
    # the shift rounds x to 2e-6 of its size; the fit of the rounded numbers is the one to compare with
    rounded = (data["x"] + 1e10) - 1e10
    plain = ls.logit("y ~ x", data.assign(x=rounded)).fit()
    other = ls.logit("y ~ x", data.assign(x=data["x"] + 1e10)).fit()
    assert_allclose(other.tvalues["x"], plain.tvalues["x"], rtol=1e-9)
    assert_allclose(other.predict(), plain.predict(), rtol=1e-9)


def test_a_nearly_dependent_column_has_an_answer_and_a_condition_number(data):
    near = data["x"] + data["z"] + 1e-7 * data["o"]
    res = ls.logit("y ~ x + z + near", data.assign(near=near)).fit()
    assert np.isfinite(res.bse).all()
    assert "condition number" in words(res)
    certificate = res.certificate()
    assert certificate.condition_number > 1e6
    assert set(certificate.near_dependences[0].shares) == {"x", "z", "near"}
    # the same model in other columns: the well-determined combination has the same estimate
    same = ls.logit("y ~ x + z + o", data).fit()
    assert_allclose(res.llf, same.llf, rtol=1e-9)
    assert_allclose(res.bse["near"] * 1e-7, same.bse["o"], rtol=1e-6)


def test_dependent_columns_are_named(data):
    with pytest.raises(RankDeficientError, match=r"'I\(x \+ z\)' = 1\*x \+1\*z"):
        ls.logit("y ~ x + z + I(x + z)", data).fit()
    with pytest.raises(RankDeficientError, match="'copy'"):
        ls.logit("y ~ x + copy", data.assign(copy=3.7 * data["x"] + 2)).fit()
    empty = data.assign(g=pd.Categorical(data["g"], ["a", "b", "c", "d"]))
    with pytest.raises(RankDeficientError, match=r"'g\[T.d\]' is zero in every row"):
        ls.logit("y ~ g", empty).fit()
    res = ls.logit("y ~ x + z + I(x + z)", data, check_rank="drop").fit()
    assert_allclose(res.params, ls.logit("y ~ x + z", data).fit().params, rtol=1e-9)
    assert "I(x + z)" in words(res)


@pytest.mark.parametrize("start", [[1e3, 1e3], [-50.0, 80.0], [1e10, -1e10], [0.0, 0.0]])
def test_a_bad_start_is_recovered(data, start):
    expected = ls.logit("y ~ x", data).fit().params
    assert_allclose(ls.logit("y ~ x", data).fit(start_params=start).params, expected, rtol=1e-9)
    shrunk = ls.logit("y ~ x", data).fit_regularized(alpha=0.01)
    again = ls.logit("y ~ x", data).fit_regularized(alpha=0.01, start_params=start)
    assert_allclose(again.params, shrunk.params, rtol=1e-6)


FITS = {
    "fit": lambda data, **arguments: ls.logit("y ~ x + g", data, **arguments).fit(),
    "firth": lambda data, **arguments: ls.logit("y ~ x + g", data, **arguments).fit_firth(),
    "limit": lambda data, **arguments: ls.logit("y ~ x + g", data, **arguments).fit_limit(),
    "regularized": lambda data, **arguments: ls.logit("y ~ x + g", data, **arguments).fit_regularized(alpha=0.01),
    "gradient descent": lambda data, **arguments: ls.logit("y ~ x + g", data, **arguments).fit(
        method="gd", epochs=5000
    ),
}
CATEGORIES = {
    "several categories": lambda data, **arguments: ls.mnlogit("f ~ x + g", data, **arguments).fit(),
    "several categories, regularized": lambda data, **arguments: ls.mnlogit(
        "f ~ x + g", data, **arguments
    ).fit_regularized(alpha=0.01),
}


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_every_fit_takes_the_offset_of_new_data_and_uses_frequency_weights(data, fit):
    res = fit(data, offset="o")
    assert np.abs(res.predict(data) - res.predict(data.assign(o=0.0))).max() > 0.1
    with pytest.raises(DataError, match="offset"):
        res.predict(data.drop(columns="o"))
    repeated = data.loc[data.index.repeat(data["f"])]
    assert_allclose(fit(data, freq_weights="f").params, fit(repeated).params, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("fit", [*FITS.values(), *CATEGORIES.values()], ids=[*FITS, *CATEGORIES])
def test_every_fit_knows_its_levels_and_refuses_dependent_or_constant_data(data, fit):
    res = fit(data)
    with pytest.raises(UnseenLevelError, match="'q'"):
        res.predict(data.head(3).assign(g="q"))
    predicted = res.predict(data.head(3).assign(x=[0.0, np.nan, 1.0]))
    assert np.isnan(np.asarray(predicted)).reshape(3, -1).any(axis=1).tolist() == [False, True, False]
    with pytest.raises(OneClassError):
        fit(data.assign(y=1, f=1))


def test_the_interval_of_an_infinite_coefficient_has_one_end(data):
    cell = data.assign(cell=((data["y"] == 1) & (data["x"] > 1)).astype(float))
    low, high = ls.logit("y ~ z + cell", cell).fit_limit().conf_int().loc["cell"]
    assert np.isfinite(low)
    assert np.isposinf(high)


def test_an_estimate_that_one_observation_keeps_finite_is_warned_of():
    x = [-3, -2, -1.5, -1, 0.01, 0, 1, 1.5, 2, 3]
    with pytest.warns(NearSeparationWarning, match=r"one observation \(row 5\)"):
        ls.logit("y ~ x", {"x": x, "y": [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]}).fit(maxiter=100)


@pytest.mark.parametrize("fit", [ls.logit, ls.mnlogit])
def test_clusters_are_lined_up_with_the_rows_used(data, fit):
    holes = data.assign(x=data["x"].where(data.index % 7 > 0))
    whole = holes.dropna()
    expected = fit("y ~ x", whole).fit(cov_type="cluster", cov_kwds={"groups": whole["g"]}).bse
    for groups in ("g", holes["g"], whole["g"]):
        assert_allclose(fit("y ~ x", holes).fit(cov_type="cluster", cov_kwds={"groups": groups}).bse, expected)


def test_an_unseen_level_is_named(data):
    res = ls.logit("y ~ x + g", data).fit()
    new = data.head(3).assign(g=["a", "q", "b"])
    with pytest.raises(UnseenLevelError, match=r"g has the level 'q' in 1 row \(row 1\).*'a', 'b', 'c'"):
        res.predict(new)


def test_rows_with_missing_values_keep_their_place(data):
    res = ls.logit("y ~ x + g", data).fit()
    new = (
        data.head(4)
        .set_index(pd.Index(["p", "q", "r", "s"]))
        .assign(x=[0.0, np.nan, 1.0, 2.0], g=["a", "b", None, "c"])
    )
    for values in (res.predict(new), res.get_prediction(new).summary_frame()["predicted"]):
        assert list(values.index) == ["p", "q", "r", "s"]
        assert values.isna().tolist() == [False, True, True, False]


def test_a_fractional_response_is_an_error(data):
    with pytest.raises(ResponseError, match=r"proportions.*trials"):
        ls.logit("p ~ x", data.assign(p=np.linspace(0, 1, 300)))


def test_large_z_that_shrinks_is_noted():
    def two_groups(events: int) -> ls.LogitResults:
        frame = pd.DataFrame({"k": [25, events], "n": [100, 100], "x": [0, 1]})
        return ls.logit("k ~ x", frame, trials="n").fit()

    z = {events: two_groups(events).tvalues["x"] for events in (60, 80, 92, 97, 99)}
    assert z[60] < z[80] < z[92]
    assert z[99] < z[97] < z[92]
    assert "Hauck-Donner" not in words(two_groups(80))
    assert "Hauck-Donner" in words(two_groups(99))
    assert "lr_test" in words(two_groups(99))


def test_reports_reproduce_without_a_clock(data, monkeypatch):
    res = ls.logit("y ~ x", data).fit()
    first = [res.summary(clock=False).as_text(), res.summary2(clock=False).as_text(), res.report()]
    later = time.localtime(1e9)
    monkeypatch.setattr(time, "localtime", lambda *_: later)
    assert [res.summary(clock=False).as_text(), res.summary2(clock=False).as_text(), res.report()] == first
    assert "2001" in res.summary().as_text()
    assert "2001" not in "".join(first)


def test_every_row_is_accounted_for(data):
    frame = data.copy()
    frame.loc[:9, "x"] = np.nan
    frame.loc[5:14, "g"] = None
    frame.loc[20:22, "f"] = 0
    model = ls.logit("y ~ x + g", frame, freq_weights="f", subset=frame.index < 200)
    sample = model.sample
    assert (sample.read, sample.outside_subset, sample.dropped) == (300, 100, 15)
    assert sample.dropped_by == {"x": 10, "g": 10}
    assert int(sample.zero_weight.sum()) == 3
    assert int(sample.used.sum()) == 200 - 15 - 3
    used = frame[sample.used]
    assert sample.events == (used["f"] * used["y"]).sum()
    line = model.fit().sample_line()
    assert "15 dropped for missing values (x 10, g 10), 3 of zero weight, 182 used" in line
    assert line in " ".join(model.fit().summary().as_text().split())
    assert sample.left_out()[7] == "missing x, g"


def test_average_effects_of_a_large_fit_need_little_memory():
    rng = np.random.default_rng(1)
    X = np.column_stack([np.ones(100_000), rng.normal(size=(100_000, 29))])
    y = (rng.random(100_000) < 0.5).astype(float)
    res = ls.Logit(y, X).fit()
    tracemalloc.start()
    res.get_margeff()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # the design has 24 MB; an effect for every row and column, or its Jacobian, would take 24 or 720 MB more
    assert peak < 12e6


def test_numbers_kept_as_objects_and_dates_are_not_taken_for_levels(data):
    with pytest.raises(FormulaError, match=r"pd\.to_numeric"):
        ls.logit("y ~ x", data.assign(x=data["x"].astype(object)))
    with pytest.raises(FormulaError, match="dates"):
        ls.logit("y ~ when", data.assign(when=pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(300), unit="D")))


def test_ordered_responses_have_a_stated_order_and_no_negative_probability():
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 200))
    grade = np.digitize(x + rng.logistic(size=200), [-1.0, 1.0])
    text = pd.DataFrame({"x": x, "z": z, "y": np.array(["poor", "fair", "good"])[grade]})
    with pytest.raises(ResponseError, match="in which order"):
        ls.ologit("y ~ x", text)
    levels = ["poor", "fair", "good"]
    res = ls.ologit("y ~ x + z", text, levels=levels).fit()
    assert res.params["x"] > 0
    assert_allclose(ls.ologit("y ~ 0 + x + z", text, levels=levels).fit().params, res.params, rtol=1e-12)
    partial = ls.ologit("y ~ x + z", text, levels=levels, nonparallel="z").fit()
    with pytest.warns(ls.errors.CrossingWarning, match="cross"):
        partial.predict({"x": [0.0, 0.0], "z": [500.0, -500.0]})


def test_two_columns_of_one_name_are_an_error(data):
    twice = pd.concat([data, data[["x"]]], axis=1)
    with pytest.raises(DataError, match="more than one column named 'x'"):
        ls.logit("y ~ x", twice)


def test_misspelt_arguments_are_an_error(data):
    with pytest.raises(TypeError):
        ls.logit("y ~ x", data, freq_weight="f")
    with pytest.raises(ls.errors.UnknownOptionError, match="HC9"):
        ls.logit("y ~ x", data).fit(cov_type="HC9")
    with pytest.raises(ls.errors.UnknownOptionError, match="groups"):
        ls.logit("y ~ x", data).fit(cov_type="HC0", cov_kwds={"groups": "g"})


def test_predictions_do_not_depend_on_the_rows_left_out():
    # every row with the first level lacks another value: the level must keep its place all the same
    rng = np.random.default_rng(0)
    data = pd.DataFrame(
        {"g": rng.choice(["a", "b", "c"], 300), "x": rng.normal(size=300), "y": rng.integers(0, 2, 300)}
    )
    res = ls.logit("y ~ g + x", data).fit()
    new = pd.DataFrame({"g": ["a", "b", "c"], "x": [np.nan, 0.0, 0.0]})
    assert_allclose(res.predict(new)[1:], res.predict(new.fillna(0.0))[1:], rtol=1e-14)
