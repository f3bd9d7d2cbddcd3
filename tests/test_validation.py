"""Validation on other data, reclassification and rms::val.prob against R's values; weights, counts and expressions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from statsmodels.nonparametric.smoothers_lowess import lowess as statsmodels_lowess
from statsmodels.stats.proportion import proportion_confint

import logit_stats as ls
from logit_stats.assess.calibration import weighted_quantile, wilson_limits
from logit_stats.assess.smoothing import kernel_curve, lowess
from logit_stats.errors import (
    DataError,
    MissingColumnError,
    NotAvailableError,
    ResponseError,
    UnseenLevelError,
    WeightError,
)
from tests.cases import load_case, read_data


@pytest.fixture(scope="module")
def pima():
    case = load_case("pima_train_test")
    want = case.values["validation"]
    formulas = (case.info["formula_patsy"], want["model_2_formula_r"].partition("~")[2])
    models = [ls.logit(f"diabetic ~ {f.rpartition('~')[2]}", case.data).fit() for f in formulas]
    return want, *models, read_data("pima_test.csv", case.info["factor_levels_first_is_reference"])


@pytest.mark.parametrize("model", [1, 2])
def test_ranking_and_scores(pima, model):
    want, test = pima[0], pima[3]
    got = pima[model].validate(test)
    assert_allclose(pima[model].predict(test)[:10], want[f"first_10_prob_model_{model}"], rtol=1e-7)
    scores, roc = want[f"scores_model_{model}"], want[f"roc_model_{model}"]
    measured = [got.calibration.brier, got.calibration.brier_scaled, got.calibration.log_loss]
    assert_allclose(measured, [scores[k] for k in ("brier", "brier_scaled", "log_loss")], rtol=1e-7)
    assert_allclose(
        [got.roc.auc, got.roc.variance, got.roc.se], [roc[k] for k in ("auc", "delong_var", "delong_se")], rtol=1e-7
    )
    assert_allclose(got.roc.conf_int(clip=False), roc["delong_ci_95"], rtol=1e-7)
    assert_allclose(got.roc.conf_int(), roc["delong_ci_95_clipped_to_0_1"], rtol=1e-7)
    best = [roc[k] for k in ("youden_cutoffs_rule_ge", "youden_sensitivity", "youden_specificity")]
    assert_allclose(got.roc.youden[["threshold", "sensitivity", "specificity"]].to_numpy().T, best, rtol=1e-7)
    if model == 1:
        pairs = got.roc.concordance
        for key, value in want["pairs_model_1"].items():
            assert_allclose(getattr(pairs, key), value, rtol=1e-12, err_msg=key)


def test_calibration(pima):
    want, res, _, test = pima
    line, got = want["calibration_model_1"], res.validate(test)
    assert (got.rows, got.dropped, got.sample.events) == (want["rows"], 0, want["events"])
    assert "332 rows read, 332 used: 109 events" in " ".join(str(got).split())
    c = got.calibration
    same = ("intercept", "slope", "se_intercept", "se_slope", "observed_over_expected", "spiegelhalter_z")
    for ours, theirs in [*zip(same, same, strict=True), ("intercept_slope_1", "intercept_with_slope_1")]:
        assert_allclose(getattr(c, ours), line[theirs], rtol=1e-7, err_msg=ours)
    lr = line["lr_of_intercept_0_and_slope_1"]
    assert_allclose([c.lr, c.lr_pvalue], [lr["statistic"], lr["p"]], rtol=1e-7)
    groups = want["hosmer_lemeshow_model_1_df_g"]["rule_A_type7_quantiles"]
    found = got.hosmer_lemeshow
    assert_allclose([found.statistic, found.pvalue, found.df], [groups[k] for k in ("statistic", "p", "df")], rtol=1e-7)
    for ours, theirs in (
        ("upper_limit", "upper_limits"),
        ("n", "n"),
        ("observed", "observed_1"),
        ("expected", "expected_1"),
    ):
        assert_allclose(found.table[ours], groups[theirs], rtol=1e-7)


def test_rms_val_prob(pima):
    want, res, _, test = pima
    want, got = want["rms_val_prob_model_1"], res.validate(test)
    c, found = got.calibration, got.indexes
    ours = {
        "R2": found.r2, "D": found.d, "D_Chi_sq": found.d * got.rows + 1.0, "U": found.u, "U_Chi_sq": c.lr, "U_p": c.lr_pvalue,
        "Q": found.q, "Brier": c.brier, "Intercept": c.intercept, "Slope": c.slope, "Emax": c.emax, "E90": c.e90,
        "Eavg": c.eavg, "S_z": c.spiegelhalter_z, "S_p": c.spiegelhalter_pvalue,
    }  # fmt: skip
    for key, value in ours.items():
        assert_allclose(value, want[key], rtol=1e-7, err_msg=key)
    # rms sorts probabilities into bins of 0.002 before it counts pairs
    assert_allclose([got.roc.concordance.somers_dxy, got.roc.auc], [want["Dxy"], want["C_ROC_"]], rtol=1e-3)
    assert set(want) == {*ours, "Dxy", "C_ROC_", "D_p"}


def test_paired_comparisons(pima):
    want, one, two, test = pima
    paired, got = want["delong_paired"], ls.compare_roc(one, two, test)
    assert_allclose(
        [got.difference, got.std_error, got.statistic, got.pvalue],
        [paired[k] for k in ("difference", "se", "z", "p")],
        rtol=1e-7,
    )
    moved, net = want["reclassification_2_to_1"], ls.reclassification(one, two, test, cutoffs=[0.2, 0.5])
    assert_allclose([net.idi, net.se_idi], [moved["idi"], moved["idi_se"]], rtol=1e-7)
    for ours, theirs in ((net.continuous, "nri_continuous"), (net.categories, "nri_categories")):
        assert_allclose([ours.total, ours.events, ours.nonevents], [moved[theirs + end] for end in ("", "_events", "_nonevents")],
                        rtol=1e-9, atol=1e-15)  # fmt: skip
    assert_allclose([net.table_events.to_numpy().sum(), net.table_nonevents.to_numpy().sum()], [109, 223])
    tjur = [res.validate(test).roc for res in (one, two)]
    assert tjur[0].auc != tjur[1].auc


def test_reclassification_of_weights_and_of_equal_models(pima):
    _, one, two, test = pima
    f = 1 + np.arange(len(test)) % 3
    expanded = test.loc[test.index.repeat(f)]
    # weights of the fits' own rows
    fits = [ls.logit(f"diabetic ~ {r}", test.assign(f=f), freq_weights="f").fit() for r in ("glu + bmi", "glu")]
    long = [ls.logit(f"diabetic ~ {r}", expanded).fit() for r in ("glu + bmi", "glu")]
    weighted, whole = (ls.reclassification(*pair, cutoffs=[0.3]).summary_frame() for pair in (fits, long))
    assert_allclose(weighted, whole, rtol=1e-7)
    same = ls.reclassification(one, one, cutoffs=[0.5])
    assert_allclose(same.summary_frame(), 0.0, atol=1e-15)
    with pytest.raises(DataError, match="rising numbers"):
        ls.reclassification(one, two, cutoffs=[0.5, 0.2])
    with pytest.raises(DataError, match="different rows"):
        ls.reclassification(one, ls.logit("diabetic ~ glu", test).fit())
    with pytest.raises(DataError, match="belongs to data"):
        ls.reclassification(one, two, outcome=[1, 0])
    assert "Non-events" in str(same)
    assert "<table" in same._repr_html_()


@pytest.fixture
def births():
    return ls.datasets.load("birthwt")


def measures(found):
    c = found.calibration.summary_frame()["value"]
    likelihood = [found.indexes.r2, found.indexes.d, found.indexes.u, found.indexes.q]
    return np.array([*c, found.roc.auc, found.roc.se, *likelihood, found.hosmer_lemeshow.statistic])


def test_frequency_weights_are_repeated_rows(births):
    res = ls.logit("low ~ age + lwt", births).fit()
    new = births.assign(f=1 + np.arange(len(births)) % 3, age=births.age + 1)
    whole = measures(res.validate(new.loc[new.index.repeat(new.f)]))
    assert_allclose(measures(res.validate(new, freq_weights="f")), whole, rtol=1e-6, atol=1e-9)
    assert_allclose(measures(res.validate(new, freq_weights=new.f.to_numpy())), whole, rtol=1e-6, atol=1e-9)
    # the column of the fit is used where the new data have it, and said
    fitted = ls.logit("low ~ age + lwt", new, freq_weights="f").fit()
    assert_allclose(
        measures(fitted.validate(new)), measures(fitted.validate(new.drop(columns="f"), freq_weights=new.f))
    )
    assert "Rows are weighted by f (freq_weights)." in str(fitted.validate(new))
    assert fitted.validate(new.drop(columns="f")).calibration.table["n"].sum() == len(new)
    with pytest.raises(WeightError, match="not both"):
        res.validate(new, freq_weights="f", sampling_weights="f")


def test_sampling_weights_have_no_unit(births):
    res = ls.logit("low ~ age + lwt", births).fit()
    weight = np.linspace(1.0, 3.0, len(births))
    one = res.validate(births, sampling_weights=weight)
    ten = res.validate(births, sampling_weights=10.0 * weight)
    numbers = [[v.roc.auc, v.roc.se, v.calibration.slope, v.calibration.brier, v.calibration.eavg] for v in (one, ten)]
    assert_allclose(numbers[0], numbers[1], rtol=1e-7)
    assert_allclose(one.calibration.table["lower"], ten.calibration.table["lower"], rtol=1e-7)
    assert one.hosmer_lemeshow is None
    assert one.indexes is None
    assert "left out" in str(one)


def test_counts_are_repeated_outcomes():
    grouped = ls.datasets.load("menarche")
    res = ls.logit("reached ~ age", grouped, trials="total").fit()
    single = pd.concat(
        [pd.DataFrame({"age": np.repeat(grouped.age, n), "reached": y})
         for y, n in ((1, grouped.reached), (0, grouped.total - grouped.reached))]
    )  # fmt: skip
    counted, one_by_one = res.validate(grouped), res.validate(single, trials=1)
    assert_allclose(measures(counted)[:-1], measures(one_by_one)[:-1], rtol=1e-6, atol=1e-8)
    both = ls.logit("reached + left ~ age", grouped.assign(left=grouped.total - grouped.reached)).fit()
    again = both.validate(grouped.assign(left=grouped.total - grouped.reached))
    assert_allclose(measures(again), measures(counted), rtol=1e-7, atol=1e-9)
    binary = ls.logit("reached ~ age", single.reset_index(drop=True)).fit()
    assert_allclose(measures(binary.validate(grouped, trials="total")), measures(counted), rtol=1e-6, atol=1e-7)
    assert_allclose(measures(res.validate(grouped.drop(columns="reached"), outcome=grouped.reached)), measures(counted))
    with pytest.raises(MissingColumnError, match="total"):
        res.validate(single)
    with pytest.raises(ResponseError, match="trials=1"):
        both.validate(single, outcome=single.reached)
    with pytest.raises(ResponseError, match="exceed the trials"):
        res.validate(grouped.assign(reached=grouped.total + 1))


LIMIT = 2.5


def test_the_response_is_evaluated_as_the_formula_writes_it(births, tmp_path):
    half = births.index % 2 == 0
    births["weight"] = 3.0 - births.low  # in kg
    plain = ls.logit("low ~ age + lwt", births[half]).fit().validate(births[~half])
    for response in ("I(weight < 2.5)", "I(weight < LIMIT)", "C(low)", "I(1 - high)"):
        data = births.assign(high=1 - births.low)
        res = ls.logit(f"{response} ~ age + lwt", data[half]).fit()
        res.save(tmp_path / "kept")
        for found in (res, ls.load(tmp_path / "kept")):
            assert_allclose(measures(found.validate(data[~half])), measures(plain), rtol=1e-6, atol=1e-8)
    stepped = ls.step(ls.logit("I(weight < LIMIT) ~ lwt + age", births).fit()).result
    assert "age" not in stepped.params.index
    assert stepped.validate(births[~half]).rows == (~half).sum()


def test_levels_mean_what_they_meant(births):
    words = births.assign(
        low=np.where(births.low == 1, "yes", "no"), smoke=np.where(births.smoke == 1, "often", "never")
    )
    res, same = ls.logit("low ~ lwt + smoke", words).fit(), ls.logit("low ~ lwt + smoke", births).fit()
    assert_allclose(measures(res.validate(words)), measures(same.validate(births)), rtol=1e-7, atol=1e-9)
    named = same.validate(births.rename(columns={"low": "light"}), outcome="light")
    assert_allclose(measures(named), measures(same.validate(births)))
    with pytest.raises(DataError, match="2 values and the new data have 189 rows"):
        same.validate(births, outcome=[0, 1])
    with pytest.raises(MissingColumnError, match="lihgt"):
        same.validate(births, outcome="lihgt")
    # with missing values whole numbers become floats, and booleans objects: the levels stay the same
    two = ls.logit("C(low) ~ lwt", births.assign(low=births.low + 1)).fit()
    holes = births.assign(low=(births.low + 1.0).where(births.index != births.index[0]))
    assert two.validate(holes).rows == len(births) - 1
    assert same.validate(births.assign(low=births.low.astype(bool))).roc.auc == same.roc().auc
    with pytest.raises(UnseenLevelError, match=r"outcome 'low' has the level 'maybe' in 1 row.*'no', 'yes'"):
        res.validate(words.assign(low=words.low.mask(words.index == words.index[3], "maybe")))
    with pytest.raises(UnseenLevelError, match=r"smoke has the level 'daily' in 1 row"):
        res.validate(words.assign(smoke=words.smoke.mask(words.index == words.index[3], "daily")))
    with pytest.raises(DataError, match="same"):
        same.validate(births[births.low == 1])


def test_limiting_fits_are_not_compared_by_their_finite_part(births):
    data = births.assign(certain=(births["low"] == 1) & (births["age"] > 28))
    limit, res = ls.logit("low ~ lwt + certain", data).fit_limit(), ls.logit("low ~ lwt", data).fit()
    for ask in (ls.compare_roc, ls.reclassification):
        for pair in ((limit, res), (res, limit)):
            with pytest.raises(NotAvailableError, match="finite coefficients"):
                ask(*pair, data=data)


def test_outcomes_of_other_rows_are_refused_and_shuffled_ones_put_in_order(births):
    res = ls.logit("low ~ lwt", births).fit()
    shuffled = births["low"].sample(frac=1, random_state=1)
    for ask in (res.validate, lambda data, outcome: ls.compare_roc(res, res, data, outcome)):
        with pytest.raises(DataError, match="outcome has an index that differs"):
            ask(births, outcome=births["low"].set_axis(births.index + 1000))
    want = res.validate(births).roc.auc
    for outcome in (births["low"], shuffled, births["low"].to_numpy()):
        assert res.validate(births, outcome=outcome).roc.auc == want
    # beside columns without labels there is nothing to align to, as at the fit
    array = ls.Logit(births["low"].to_numpy(), births[["lwt"]].to_numpy() / 100).fit()
    shifted = births["low"].set_axis(births.index + 1000)
    assert array.validate(births[["lwt"]].to_numpy() / 100, shifted).roc.auc == array.roc().auc


@pytest.mark.filterwarnings("error")
def test_predictions_that_are_very_wrong_print(births):
    res = ls.logit("low ~ smoke", births.assign(o=0.0), offset="o").fit()
    far = res.validate(births.assign(o=np.where(np.arange(len(births)) % 2, 800.0, -740.0)))
    assert far.hosmer_lemeshow.statistic > 1e100
    assert max(map(len, str(far).split("\n"))) <= 80


def test_unknown_numbers_are_named_as_the_data_have_them(births):
    res = ls.logit("low ~ lwt", births).fit()
    with pytest.raises(UnseenLevelError, match=r"has the level 2 in"):
        res.validate(births.assign(low=2))


def test_missing_values_are_counted_by_variable(births):
    res = ls.logit("low ~ np.log(age) + lwt", births, offset="ftv").fit()
    new = births.astype({"age": float, "lwt": float, "low": float, "ftv": float}).reset_index(drop=True)
    new.loc[:3, "age"] = np.nan
    new.loc[2:4, "lwt"] = np.nan
    new.loc[7, "low"] = np.nan
    new.loc[8:9, "ftv"] = np.nan
    got = res.validate(new)
    assert (got.rows, got.dropped) == (len(new) - 8, 8)
    assert got.sample.dropped_by == {"low": 1, "age": 4, "lwt": 3, "ftv": 2}
    assert "8 dropped for missing values (low 1, age 4, lwt 3, ftv 2)" in " ".join(str(got).split())
    assert_allclose(measures(got), measures(res.validate(new.dropna())))
    array = ls.Logit(births.low.to_numpy(), np.column_stack([np.ones(len(births)), births.lwt])).fit()
    other = array.validate([[1.0, 120.0], [1.0, np.nan], [1.0, 90.0]], outcome=[0, 1, 1])
    # two rows, whose log odds separate the outcomes: no line, and no error
    assert np.isnan([other.calibration.slope, other.calibration.lr, other.indexes.u]).all()
    assert other.sample.dropped_by == {"x1": 1}


def test_lowess_is_that_of_r_and_statsmodels():
    rng = np.random.default_rng(2)
    x = np.sort(rng.random(400))
    y = (rng.random(400) < x).astype(float)
    theirs = statsmodels_lowess(y, x, frac=2.0 / 3.0, it=0, delta=0.01 * np.ptp(x))[:, 1]
    assert_allclose(lowess(x, y, np.ones(400)), theirs, rtol=1e-8)
    w = rng.integers(1, 4, 400)
    births = ls.datasets.load("birthwt")
    res = ls.logit("low ~ lwt + age", births.assign(f=w[: len(births)]), freq_weights="f").fit()
    long = ls.logit("low ~ lwt + age", births.loc[births.index.repeat(w[: len(births)])]).fit()
    assert_allclose(res.calibration().curve(9), long.calibration().curve(9), rtol=1e-6)
    assert_allclose(res.calibration().eavg, long.calibration().eavg, rtol=1e-6)
    assert_allclose(res.calibration().curve(9, "lowess"), long.calibration().curve(9, "lowess"), rtol=1e-6)
    with pytest.raises(DataError, match="points=1"):
        res.calibration().curve(1)


def test_the_curve_follows_a_bend_that_the_model_lacks():
    # the model is linear, the truth bends: the curve must lie near the truth where there are data
    rng = np.random.default_rng(3)
    x = rng.uniform(-3.0, 3.0, 4000)
    truth = 1.0 / (1.0 + np.exp(-(x + np.sin(3.0 * x))))
    res = ls.logit("y ~ x", {"x": x, "y": (rng.random(4000) < truth).astype(float)}).fit()
    scored = res.calibration().scored
    away = np.abs(kernel_curve(scored, scored.eta) - truth)[np.abs(x) < 2.5]
    assert away.mean() < 0.06
    assert np.abs(scored.prob - truth)[np.abs(x) < 2.5].mean() > 0.1


def test_limits_and_quantiles():
    events = np.array([0.0, 3.0, 10.0])
    theirs = proportion_confint(events, 10.0, method="wilson")
    assert_allclose(wilson_limits(events / 10.0, np.full(3, 10.0)), theirs, rtol=1e-12, atol=1e-15)
    rng = np.random.default_rng(1)
    values, count = rng.normal(size=50), rng.integers(1, 4, 50)
    expanded = np.repeat(values, count)
    for level in (0.0, 0.1, 0.9, 1.0):
        assert_allclose(weighted_quantile(values, count.astype(float), level), np.quantile(expanded, level), rtol=1e-12)


def test_predictions_that_are_certain_and_wrong():
    births = ls.datasets.load("birthwt")
    found = ls.logit("low ~ age", births).fit().validate(births.assign(age=births.age * 1e300))
    assert found.calibration.observed_over_expected == np.inf
    assert found.indexes.r2 == -np.inf
    assert found.calibration.log_loss > 1e290
    # as probabilities all thresholds are 0; as log odds they are not
    curve = found.roc.curve
    assert curve["threshold"].nunique() == 1
    assert curve["log_odds"].is_monotonic_decreasing
    assert curve["log_odds"].nunique() == len(curve)
