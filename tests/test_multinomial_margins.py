"""Marginal effects on the probability of each category: reference values, statsmodels, finite differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError, UnknownOptionError
from logit_stats.inference.column_margins import column_margins
from tests.cases import load_case
from tests.test_multinomial import FORMULA, flat, simulated

CASE = load_case("womenlf_multinomial")


@pytest.fixture(scope="module")
def women():
    return ls.mnlogit(FORMULA, CASE.data).fit()


def columns():
    """A constant, a number, a count and a dummy."""
    y, X = simulated(300, 4, 4)
    X[:, 2] = np.round(np.abs(3 * X[:, 2]))
    X[:, 3] = X[:, 3] > 0
    return y, X


@pytest.fixture(scope="module")
def res():
    return ls.MNLogit(*columns()).fit()


@pytest.fixture(scope="module")
def theirs():
    return sm.MNLogit(*columns()).fit(disp=0, tol=1e-14)


# statsmodels 0.15 fails for several categories at count=True and at methods with x.
SETTINGS = [
    {}, {"method": "eydx"}, {"at": "mean"}, {"at": "median"}, {"at": "zero"}, {"dummy": True},
    {"dummy": True, "method": "eydx"}, {"at": "mean", "atexog": {1: 2.0}}, {"at": "mean", "dummy": True},
]  # fmt: skip


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_column_effects_are_those_of_statsmodels(res, theirs, settings):
    mine, its = res.get_margeff(**settings), theirs.get_margeff(**settings)
    for name in ("margeff", "margeff_se", "tvalues", "pvalues", "margeff_cov"):
        assert_allclose(getattr(mine, name), getattr(its, name), rtol=1e-9, atol=1e-13)
    assert_allclose(mine.conf_int(0.1), its.conf_int(0.1), rtol=1e-9, atol=1e-13)
    pd.testing.assert_frame_equal(mine.summary_frame(), its.summary_frame(), rtol=1e-9)
    assert mine.summary(0.1).as_text() == str(its.summary(0.1))


def test_effects_of_every_row_are_those_of_statsmodels(res, theirs):
    mine = res.get_margeff(at="all")
    assert_allclose(mine.margeff, theirs.get_margeff(at="all").margeff, atol=1e-14)
    with pytest.raises(NotAvailableError):
        mine.summary()
    for method in ("eyex", "dyex"):
        assert_allclose(
            res.get_margeff(at="all", method=method).margeff.mean(axis=0), res.get_margeff(method=method).margeff
        )


@pytest.mark.parametrize(
    "settings", [{"method": "eyex"}, {"method": "dyex"}, {"count": True}, {"dummy": True, "count": True, "method": "eydx"}],
    ids=str,
)  # fmt: skip
def test_errors_are_those_of_differentiated_effects(res, settings):
    def effects(beta):
        moved = replace(res.fit_, gamma=res.fit_.working.gamma(beta))
        return column_margins(moved, res.covariance_, **settings).margeff.T.ravel()

    beta = flat(res.params)
    J = np.array([(effects(beta + e) - effects(beta - e)) / 2e-6 for e in 1e-6 * np.eye(len(beta))]).T
    mine = res.get_margeff(**settings)
    assert_allclose(mine.margeff_cov, J @ res.cov_params() @ J.T, rtol=1e-6, atol=1e-10)
    if settings == {"count": True}:
        y, X = columns()
        up, down = (ls.MNLogit(y, X).predict(res.params, np.add(X, [0, 0, step, 0])) for step in (1, -1))
        assert_allclose(mine.margeff[1], (up - down).mean(axis=0) / 2)


def test_effects_of_variables_are_those_of_the_reference(women):
    found = women.margins().frame.set_index(["variable", "category"])
    assert_allclose(found.loc["hincome", "estimate"], CASE.values["average_derivative_hincome"], rtol=1e-9)
    wanted = CASE.values["average_change_children_present_minus_absent"]
    assert_allclose(found.loc["children", "estimate"], wanted, rtol=1e-9)
    column = women.get_margeff().summary_frame().xs("hincome", level="exog")
    assert_allclose(found.loc["hincome", "std_error"], column["Std. Err."], rtol=1e-10)


@pytest.mark.parametrize("settings", [
    {"variables": "x"}, {"variables": "x", "method": "eyex"}, {"variables": "g"}, {"variables": "g", "changes": "pairwise"},
    {"variables": "g", "comparison": "ratio"}, {"variables": "x", "at": {"g": "b"}}, {"variables": "x", "over": "g"},
], ids=str)  # fmt: skip
def test_two_categories_have_the_effects_of_the_binary_logit(settings):
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"x": rng.uniform(1, 3, 200), "g": rng.choice(list("abc"), 200), "f": 1 + np.arange(200) % 3})
    data["y"] = (rng.random(200) < 1 / (1 + np.exp(1 - data["x"] + (data["g"] == "a")))).astype(int)
    two = ls.logit("y ~ x + I(x**2) + g", data, freq_weights="f").fit(cov_type="HC0").margins(**settings).frame
    many = ls.mnlogit("y ~ x + I(x**2) + g", data, freq_weights="f").fit(cov_type="HC0").margins(**settings).frame
    ours = many[many["category"] == 1].drop(columns="category").reset_index(drop=True)
    pd.testing.assert_frame_equal(ours, two, rtol=1e-7, check_exact=False)
    if "comparison" not in settings and settings.get("method") != "eyex":
        others = many[many["category"] == 0].reset_index(drop=True)
        assert_allclose(others["estimate"], -two["estimate"], rtol=1e-7)
        assert_allclose(others["std_error"], two["std_error"], rtol=1e-7)


def test_changes_are_differences_of_average_predictions(women):
    low, high = (women.predict(CASE.data.assign(children=level)).mean() for level in ("absent", "present"))
    frame = women.margins("children").frame
    assert_allclose(frame["estimate"], high - low, rtol=1e-12)
    ratio = women.margins("children", comparison="ratio").frame
    assert_allclose(ratio["estimate"], high / low, rtol=1e-12)


def test_margins_print_and_refuse(women, res):
    assert "not_work" in str(women.margins())
    assert "<table" in women.get_margeff()._repr_html_()
    assert "MNLogit Marginal Effects" in str(women.get_margeff())
    with pytest.raises(NotAvailableError, match="formula"):
        res.margins()
    with pytest.raises(UnknownOptionError):
        res.get_margeff(at="nowhere")
    with pytest.raises(DataError, match="not defined for dummy"):
        res.get_margeff(dummy=True, method="eyex")
    with pytest.raises(DataError, match="alpha"):
        res.get_margeff().conf_int(2.0)
