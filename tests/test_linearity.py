"""Tests of linearity: against R, expanded data, refits by formula."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.assess.linearity import spline_columns, spline_knots
from logit_stats.errors import DataError, NotAvailableError

FORMULA = "diabetic ~ npreg + glu + bp + skin + bmi + ped + age"
# R 4.2.2, Hmisc 4.8.0, sandwich 3.0.2: differences of deviances of glm(..., epsilon = 1e-14) without and with I(x * log(x)), and
# without and with rcspline.eval(x, nk = 3, 4, 5, inclx = FALSE); Wald statistic of the latter (nk = 4) with vcovHC type HC1
IN_R = {
    "glu": (0.820540518112, 0.789651005413, 1.133936695694, 1.247984209304, 1.1179281208),
    "bmi": (6.15935779077, 5.82131243093, 6.23528705544, 6.22649575261, 6.11555014129),
    "ped": (0.500924124712, 0.779211652045, 1.014472093712, 1.412802308364, 0.993339300486),
    "age": (3.10151202248, 2.02413787232, 3.67649632219, 3.73606942699, 3.10868395961),
}


def said(thing) -> str:
    """What a result prints, without its line breaks."""
    return " ".join(str(thing).split())


@pytest.fixture(scope="module")
def pima():
    return ls.logit(FORMULA, ls.datasets.load("pima")).fit()


@pytest.mark.parametrize("name", IN_R)
def test_statistics_are_those_of_r(pima, name):
    box_tidwell, *splines, robust = IN_R[name]
    for knots, want in zip((3, 4, 5), splines, strict=True):
        frame = pima.linearity(name, knots).frame
        assert_allclose(frame["statistic"], [box_tidwell, want], rtol=1e-7)
        assert frame["df"].tolist() == [1, knots - 2]
    assert_allclose(pima.with_cov("HC1").linearity(name).frame["statistic"].iloc[1], robust, rtol=1e-6)


def test_the_same_as_terms_written_in_the_formula(pima):
    data = ls.datasets.load("pima")
    larger = ls.logit(f"{FORMULA} + I(age * np.log(age))", data).fit()
    want = pima.lr_test(larger)
    got = pima.linearity("age").frame.iloc[0]
    assert_allclose([got["statistic"], got["p_value"]], [want.statistic, want.pvalue], rtol=1e-7)


def test_knots_are_harrells(pima):
    age = ls.datasets.load("pima")["age"].to_numpy()
    assert_allclose(spline_knots(age, 4), [21, 25, 33, 57.05])
    weights = np.random.default_rng(0).integers(1, 5, len(age)).astype(float)
    for knots in (3, 4, 5, 6, 7):
        want = np.quantile(
            np.repeat(age, weights.astype(int)), {3: (0.1, 0.9), 7: (0.025, 0.975)}.get(knots, (0.05, 0.95))
        )
        assert_allclose(spline_knots(age, knots, weights)[[0, -1]], want)
    # quantiles of counts fall together
    assert_allclose(spline_knots(np.array([0.0] * 90 + [1, 1, 2, 3, 6]), 4), [0, 1, 3, 6])
    assert_allclose(spline_knots(np.array([0.0] * 90 + [1, 2]), 5), [0, 1, 2])


def test_the_spline_is_linear_beyond_its_outer_knots_and_smooth():
    knots = np.array([1.0, 2.0, 4.0, 7.0])
    below, above = spline_columns(np.linspace(-3, 1, 9), knots), spline_columns(np.linspace(7, 11, 9), knots)
    assert_allclose(below, 0.0)
    assert_allclose(np.diff(above, 2, axis=0), 0.0, atol=1e-9)
    h = 1e-4
    for knot in knots:
        around = spline_columns(knot + h * np.arange(-2, 3), knots)
        # second derivatives meet at the knots
        left, right = np.diff(around[:3], 2, axis=0), np.diff(around[2:], 2, axis=0)
        assert_allclose(left / h**2, right / h**2, atol=1e-2)


def test_a_number_that_is_not_positive_is_not_shifted(pima):
    got = pima.linearity("npreg")
    assert np.isnan(got.frame["statistic"].iloc[0])
    assert got.frame["statistic"].iloc[1] > 0
    assert "npreg is 0 or less in 28 of 200 rows. It is not shifted" in said(got)
    assert "not shifted" in got._repr_html_()


def test_which_numbers_are_tested():
    data = ls.datasets.load("birthwt")
    res = ls.logit("low ~ age + I(lwt**2) + lwt + C(race) + smoke*ftv + np.log(lwt) + Q('ptl')", data).fit()
    assert res.linearity().frame["variable"].unique().tolist() == ["age", "ftv", "ptl"]
    for name in ("lwt", "smoke", "race", "height"):
        with pytest.raises(DataError, match=r"these do: age, ftv, ptl"):
            res.linearity(name)
    with pytest.raises(DataError, match="nothing to test"):
        ls.logit("low ~ smoke + C(race)", data).fit().linearity()


def test_what_cannot_be_fitted_is_said():
    got = ls.logit("low ~ age + lwt + ptl", ls.datasets.load("birthwt")).fit().linearity("ptl")
    assert got.frame["p_value"].isna().all()
    assert "no finite estimate (separation)" in said(got)


def test_frequency_weights_are_repeated_rows():
    data = ls.datasets.load("birthwt").assign(f=lambda d: 1 + d["ftv"])
    weighted = ls.logit("low ~ age + lwt + smoke", data, freq_weights="f").fit().linearity()
    repeated = ls.logit("low ~ age + lwt + smoke", data.loc[data.index.repeat(data["f"])]).fit().linearity()
    assert_allclose(weighted.frame["statistic"], repeated.frame["statistic"], rtol=1e-7)


def test_trials_offset_and_arrays():
    data = ls.datasets.load("menarche")
    total, age = data["total"].to_numpy(float), data["age"].to_numpy(float)
    res = ls.logit("reached ~ age", data, trials="total", offset=0.01 * age).fit()
    got = res.linearity().frame
    array = ls.Logit(
        data["reached"].to_numpy(float), np.column_stack([np.ones(25), age]), trials=total, offset=0.01 * age
    )
    assert_allclose(array.fit().linearity().frame["statistic"], got["statistic"], rtol=1e-9)
    # an offset in the direction of a column changes nothing but its coefficient
    plain = ls.logit("reached ~ age", data, trials="total").fit().linearity().frame
    assert_allclose(got["statistic"], plain["statistic"], rtol=1e-7)


def test_a_factor_kept_as_codes_stays_so():
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": np.arange(2000) % 40, "x": rng.gamma(2.0, size=2000), "y": rng.integers(0, 2, 2000)})
    coded = ls.logit("y ~ C(g) + x", data).fit().linearity("x").frame
    written = ls.Logit(data["y"], np.asarray(ls.logit("y ~ C(g) + x", data).exog)).fit()
    want = written.linearity(written.model.exog_names[-1]).frame
    assert_allclose(coded["statistic"], want["statistic"], rtol=1e-6)


def test_under_sampling_weights_the_test_is_walds():
    data = ls.datasets.load("birthwt").assign(s=lambda d: 1.5 + d["ftv"])
    got = ls.logit("low ~ age + lwt", data, sampling_weights="s").fit().linearity()
    larger = ls.logit("low ~ age + lwt + I(age * np.log(age))", data, sampling_weights="s").fit()
    want = larger.wald_test("I(age * np.log(age)) = 0")
    assert_allclose(got.frame["statistic"].iloc[0], want.statistic, rtol=1e-6)
    assert "Wald (survey covariance)" in said(got)


def test_what_is_refused(pima):
    with pytest.raises(DataError, match="knots=2"):
        pima.linearity(knots=2)
    data = ls.datasets.load("endometrial")
    with pytest.raises(NotAvailableError, match="penalized"):
        ls.logit("HG ~ NV + PI + EH", data).fit_firth().linearity()
    with pytest.raises(NotAvailableError, match="constraints"):
        ls.logit("HG ~ PI + EH", data).fit_constrained("PI = 0").linearity()


def test_counts_are_repeated_outcomes():
    rng = np.random.default_rng(4)
    dose, trials = rng.gamma(2.0, size=40).round(1) + 0.1, rng.integers(1, 12, 40)
    events = rng.binomial(trials, 1.0 / (1.0 + np.exp(1.0 - dose)))
    grouped = ls.logit("events ~ dose", {"events": events, "dose": dose, "trials": trials}, trials="trials").fit()
    outcomes = np.concatenate([np.repeat([1, 0], [y, m - y]) for y, m in zip(events, trials, strict=True)])
    expanded = ls.logit("y ~ dose", {"y": outcomes, "dose": np.repeat(dose, trials)}).fit()
    pd.testing.assert_frame_equal(grouped.linearity().frame, expanded.linearity().frame, rtol=1e-7)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shift", [1e6, 1e8, 1e10])
def test_large_numbers_that_differ_little_keep_their_digits(shift):
    rng = np.random.default_rng(11)
    x = rng.normal(size=300).round(3)
    y = (rng.random(300) < 1.0 / (1.0 + np.exp(-x - 0.3 * x**2))).astype(int)
    # far from zero the first-order effect of a power is that of the square
    square = ls.logit("y ~ x", {"x": x, "y": y}).fit().lr_test(ls.logit("y ~ x + I(x**2)", {"x": x, "y": y}).fit())
    got = ls.logit("y ~ x", {"x": x + shift, "y": y}).fit().linearity("x").frame["statistic"].iloc[0]
    assert_allclose(got, square.statistic, rtol=3.0 / shift + 1e-5)
