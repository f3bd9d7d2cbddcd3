"""Updating a model with data from elsewhere: against R's logic written out, and identities."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError, UnknownOptionError


def simulated(n, seed, shift=0.0, slope=1.0, extra=0.0):
    random = np.random.default_rng(seed)
    df = pd.DataFrame({"x": random.normal(size=n), "z": random.normal(size=n), "g": random.choice(["a", "b"], n)})
    eta = shift + slope * (-0.5 + df["x"] + 0.5 * (df["g"] == "b")) + extra * df["z"]
    return df.assign(y=(random.random(n) < 1 / (1 + np.exp(-eta))).astype(int))


@pytest.fixture(scope="module")
def res():
    return ls.logit("y ~ x + z + g", simulated(2_000, 1)).fit()


def test_the_three_fits_are_those_of_statsmodels(res):
    new = simulated(600, 2, shift=0.7, slope=0.6)
    found = res.update(new)
    eta = np.asarray(res.predict(new, which="linear"))
    y = new["y"].to_numpy()
    shift = sm.GLM(y, np.ones((600, 1)), family=sm.families.Binomial(), offset=eta).fit(tol=1e-14)
    line = sm.Logit(y, sm.add_constant(eta)).fit(disp=0, tol=1e-14)
    whole = ls.logit("y ~ x + z + g", new).fit()
    assert_allclose(found.lines["intercept"][0], shift.params[0], rtol=1e-8)
    assert_allclose(found.lines["logistic"], line.params, rtol=1e-8)
    assert_allclose(found.coefficients("refit"), whole.params, rtol=1e-9)
    want = [np.sum(y * eta - np.logaddexp(0, eta)), shift.llf, line.llf, whole.llf]
    assert_allclose(found.table["llf"], want, rtol=1e-10)
    assert found.table["fitted"].tolist() == [0, 1, 2, 4]
    assert_allclose(found.table["lr_of_refit"][:3], 2 * (whole.llf - np.array(want[:3])), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "method"),
    [
        ({}, "original"),
        ({"shift": 1.0}, "intercept"),
        ({"shift": 0.5, "slope": 0.4}, "logistic"),
        ({"extra": 1.5}, "refit"),
    ],
)
def test_what_changed_is_what_is_recommended(res, change, method):
    assert res.update(simulated(3_000, 7, **change), alpha=0.01).recommended == method


@pytest.mark.parametrize("method", ["original", "intercept", "logistic", "refit"])
def test_coefficients_and_predictions_agree(res, method):
    new, other = simulated(500, 3, shift=0.5), simulated(20, 4)
    found = res.update(new)
    X = np.column_stack([np.ones(20), other["g"] == "b", other["x"], other["z"]]).astype(float)
    beta = found.coefficients(method)
    assert beta.index.tolist() == ["Intercept", "g[T.b]", "x", "z"]
    assert_allclose(found.predict(other, method), 1 / (1 + np.exp(-X @ beta.to_numpy())), rtol=1e-9)
    assert_allclose(found.predict(method=method), found.predict(new, method), rtol=1e-9)
    assert found.predict(other, method).index.equals(other.index)


def test_updating_with_the_own_rows_changes_nothing(res):
    own = simulated(2_000, 1)
    found = res.update(own)
    assert_allclose(found.lines["intercept"][0], 0.0, atol=1e-8)
    assert_allclose(found.lines["logistic"], (0.0, 1.0), atol=1e-7)
    assert found.recommended == "original"


def test_it_prints_and_says_what_is_wrong(res):
    found = res.update(simulated(500, 3, shift=1.5))
    assert max(map(len, str(found).splitlines())) <= 80
    assert "recalibration in the large" in str(found)
    assert "<table" in found._repr_html_()
    with pytest.raises(UnknownOptionError, match="original"):
        found.predict(method="bayes")
    with pytest.raises(DataError, match="same"):
        res.update(simulated(500, 3).assign(y=1))
