"""Marginal effects: against statsmodels column by column, against numerical derivatives variable by variable."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError, MissingColumnError, NotAvailableError, UnknownOptionError
from tests.cases import load_case, read_data

MROZ = read_data("mroz.csv")
FORMULA = "lfp ~ k5 + k618 + age + I(age**2) + C(wc) + lwg + inc"


@pytest.fixture(scope="module")
def both():
    return ls.logit(FORMULA, MROZ).fit(), smf.logit(FORMULA, MROZ).fit(disp=0)


OPTIONS = [{}, {"dummy": True}, {"count": True}, {"dummy": True, "count": True}, {"atexog": {1: 1.0}}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("method", ["dydx", "eyex", "dyex", "eydx"])
@pytest.mark.parametrize("at", ["overall", "mean", "median", "zero", "all"])
def test_get_margeff_is_that_of_statsmodels(both, at, method, options):
    ours, theirs = both
    discrete = "dummy" in options or "count" in options
    if discrete and ("ex" in method or at in ("median", "zero")):
        with pytest.raises(DataError, match="not defined"):
            ours.get_margeff(at=at, method=method, **options)
        return
    got, expected = ours.get_margeff(at, method, **options), theirs.get_margeff(at, method, **options)
    assert_allclose(got.margeff, expected.margeff, rtol=1e-8, atol=1e-12)
    if at != "all":
        assert_allclose(got.margeff_se, expected.margeff_se, rtol=1e-6, atol=1e-12)
        assert_allclose(got.conf_int(0.1), expected.conf_int(0.1), rtol=1e-6, atol=1e-9)
        with np.errstate(invalid="ignore"):  # statsmodels divides 0 by 0 where a column stands at zero
            frame = expected.summary_frame()
        assert list(got.summary_frame().columns) == list(frame.columns)
        assert list(got.summary_frame().index) == list(frame.index)


def test_get_margeff_summary_is_that_of_statsmodels(both):
    ours, theirs = both
    text = ours.get_margeff().summary().as_text()
    assert text.startswith(theirs.get_margeff().summary().as_text())
    assert "age stands in more than one term" in " ".join(text.split())


def test_get_margeff_takes_the_covariance_of_the_result(both):
    ours, _ = both
    robust = smf.logit(FORMULA, MROZ).fit(disp=0, cov_type="HC0").get_margeff()
    assert_allclose(ours.with_cov("HC0").get_margeff().margeff_se, robust.margeff_se, rtol=1e-6)


def test_get_margeff_with_an_offset_equals_the_fit_with_the_column_fixed():
    case = load_case("mroz_offset")
    formula, arguments = case.model_arguments()
    res = ls.logit(formula, case.data, **arguments).fit()
    eta = res.fittedvalues
    mean_density = (res.predict() * (1 - res.predict())).mean()
    assert_allclose(res.get_margeff().margeff, res.params[1:] * mean_density, rtol=1e-10)
    assert np.isfinite(eta).all()


def test_frequency_weights_weigh_the_average():
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"x": rng.normal(size=60), "f": rng.integers(1, 5, 60)})
    data["y"] = (rng.random(60) < 1 / (1 + np.exp(-data["x"]))).astype(int)
    repeated = data.loc[data.index.repeat(data["f"])]
    weighted = ls.logit("y ~ x + I(x**2)", data, freq_weights="f").fit()
    expanded = ls.logit("y ~ x + I(x**2)", repeated).fit()
    for at in ("overall", "mean", "median"):
        left, right = weighted.get_margeff(at=at, method="dyex"), expanded.get_margeff(at=at, method="dyex")
        assert_allclose(left.margeff, right.margeff, rtol=1e-9)
        assert_allclose(left.margeff_se, right.margeff_se, rtol=1e-9)
    assert_allclose(weighted.margins().frame.estimate, expanded.margins().frame.estimate, rtol=1e-9)
    assert_allclose(weighted.margins().frame.std_error, expanded.margins().frame.std_error, rtol=1e-9)


# Effects of variables.

VARIABLE_FORMULAS = [
    "lfp ~ age + I(age**2) + inc",
    "lfp ~ age * inc + np.log(age)",
    "lfp ~ bs(age, df=5) * inc",
    "lfp ~ cr(age, df=4, constraints='center') + inc",
    "lfp ~ center(age) * C(wc) + standardize(inc)",
]


@pytest.mark.parametrize("formula", VARIABLE_FORMULAS)
def test_derivatives_agree_with_a_numerical_derivative_of_the_mean_prediction(formula):
    res = ls.logit(formula, MROZ).fit()
    # a step inside the range of the data, where splines are defined
    inner = MROZ[(MROZ["age"] > 31) & (MROZ["age"] < 59)]
    inside = np.asarray((MROZ["age"] > 31) & (MROZ["age"] < 59))
    step = 1e-4
    up = res.predict(inner.assign(age=inner["age"] + step)).mean()
    down = res.predict(inner.assign(age=inner["age"] - step)).mean()
    got = res.margins("age", subset=inside).frame.estimate.iloc[0]
    assert_allclose(got, (up - down) / (2 * step), rtol=2e-6)


def test_standard_error_agrees_with_a_numerical_gradient():
    res = ls.logit("lfp ~ age + I(age**2) + inc", MROZ).fit()
    model, beta = res.model, np.asarray(res.params)

    def effect(b):
        p = model.predict(b)
        return np.mean(p * (1 - p) * (b[1] + 2 * b[2] * MROZ["age"].to_numpy()))

    gradient = np.empty(len(beta))
    for j in range(len(beta)):
        h = 1e-6 * max(1e-4, abs(beta[j]))
        move = np.zeros(len(beta))
        move[j] = h
        gradient[j] = (effect(beta + move) - effect(beta - move)) / (2 * h)
    row = res.margins("age").frame.iloc[0]
    assert_allclose(row.estimate, effect(beta), rtol=1e-9)
    assert_allclose(row.std_error, np.sqrt(gradient @ res.cov_params().to_numpy() @ gradient), rtol=1e-5)


def test_the_effect_of_a_variable_is_not_that_of_its_first_column():
    # x has opposite column effects in x and x²; the variable's effect is what the mean prediction does
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"x": rng.uniform(0, 4, 500)})
    data["y"] = (rng.random(500) < 1 / (1 + np.exp(-(1.0 + data["x"] - 0.5 * data["x"] ** 2)))).astype(int)
    res = ls.logit("y ~ x + I(x**2)", data).fit()
    columns = res.get_margeff().margeff
    variable = res.margins("x").frame.estimate.iloc[0]
    assert columns[0] > 0 > columns[1]
    assert variable < 0


def test_at_and_over():
    res = ls.logit("lfp ~ age * C(wc) + inc", MROZ).fit()
    frame = res.margins("inc", at={"age": [30, 50]}).frame
    assert list(frame["at age"]) == [30, 50]
    for age, estimate in zip(frame["at age"], frame["estimate"], strict=True):
        p = res.predict(MROZ.assign(age=float(age)))
        assert_allclose(estimate, (p * (1 - p)).mean() * res.params["inc"], rtol=1e-9)
    over = res.margins("inc", over="wc").frame
    for value, estimate in zip(over["wc"], over["estimate"], strict=True):
        p = res.predict()[MROZ["wc"] == value]
        assert_allclose(estimate, (p * (1 - p)).mean() * res.params["inc"], rtol=1e-9)


def test_pairwise_changes_of_a_text_factor():
    data = read_data("titanic_passengers.csv").dropna(subset=["age"])
    res = ls.logit("survived ~ pclass * age + sex", data).fit()
    frame = res.margins("pclass", changes="pairwise").frame
    assert len(frame) == 3
    for contrast, estimate in zip(frame["contrast"], frame["estimate"], strict=True):
        high, low = contrast.split(" against ")
        difference = res.predict(data.assign(pclass=high)).mean() - res.predict(data.assign(pclass=low)).mean()
        assert_allclose(estimate, difference, rtol=1e-9)


def test_rows_dropped_for_missing_values_do_not_count():
    data = read_data("titanic_passengers.csv")
    whole = ls.logit("survived ~ sex + age", data).fit().margins().frame
    complete = ls.logit("survived ~ sex + age", data.dropna(subset=["age"])).fit().margins().frame
    assert_allclose(whole["estimate"], complete["estimate"], rtol=1e-12)


def test_errors_are_clear(both):
    ours, _ = both
    with pytest.raises(MissingColumnError, match="no variable of the model"):
        ours.margins("edu")
    with pytest.raises(MissingColumnError, match="no variable"):
        ours.margins("inc", at={"edu": 3})
    with pytest.raises(UnknownOptionError, match="dydx"):
        ours.margins(method="slope")
    with pytest.raises(UnknownOptionError, match="overall"):
        ours.get_margeff(at="everywhere")
    with pytest.raises(NotAvailableError, match="formula"):
        ls.Logit(MROZ["lfp"].to_numpy(), sm.add_constant(MROZ[["age"]].to_numpy())).fit().margins()
    with pytest.raises(NotAvailableError, match="every row"):
        _ = ours.get_margeff(at="all").margeff_se
    with pytest.raises(DataError, match="not a factor"):
        ours.means("inc")
    with pytest.raises(DataError, match="compares levels"):
        ours.margins("inc", comparison="ratio")


def test_predictions_agree_with_statsmodels(both):
    ours, theirs = both
    new = MROZ.head(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = theirs.get_prediction(new).summary_frame()
    got = ours.get_prediction(new)
    assert_allclose(got.predicted, expected["predicted"], rtol=1e-8)
    assert_allclose(got.se, expected["se"], rtol=1e-6)
    average = ours.average_prediction()
    with pytest.raises(DataError, match="alpha"):
        ours.average_prediction(alpha=2)
    assert_allclose(average.estimate, MROZ["lfp"].mean(), rtol=1e-10)
    assert_allclose(ours.get_distribution(new).mean(), got.predicted)


def test_prediction_keeps_rows_with_missing_values():
    res = ls.logit("lfp ~ age + C(wc)", MROZ).fit()
    new = MROZ.head(5).assign(age=[30, np.nan, 40, 50, np.nan])
    frame = res.get_prediction(new).summary_frame()
    assert list(frame.index) == list(new.index)
    assert frame["predicted"].isna().tolist() == [False, True, False, False, True]
    assert res.predict(new).isna().tolist() == [False, True, False, False, True]
