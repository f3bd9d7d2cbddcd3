"""Deviances and log-likelihoods of many trials, to the last digits: against 60-digit arithmetic."""

from __future__ import annotations

import mpmath
import numpy as np
import pandas as pd
import pytest

import logit_stats as ls
from logit_stats.likelihoods.deviance import deviance_terms, exact_residual, saturated_logliks, stirling_error

DIGITS = mpmath.mp.clone()
DIGITS.dps = 60


def exactly(eta: float, y: float, m: float):
    """Deviance, log-likelihood with its coefficient, and y - m p, in 60 digits."""
    mp = DIGITS
    eta, y, m = mp.mpf(eta), mp.mpf(y), mp.mpf(m)
    p, q = 1 / (1 + mp.exp(-eta)), 1 / (1 + mp.exp(eta))
    own = (y * mp.log(y / m) if y else 0) + ((m - y) * mp.log((m - y) / m) if m - y else 0)
    here = y * mp.log(p) + (m - y) * mp.log(q)
    coefficient = mp.loggamma(m + 1) - mp.loggamma(y + 1) - mp.loggamma(m - y + 1)
    return 2 * (own - here), here + coefficient, y - m * p


def rows():
    rng = np.random.default_rng(7)
    for m in (1.0, 2.0, 7.0, 100.0, 1e4, 1e8, 1e12):
        for p in (1e-12, 1e-6, 0.03, 0.5, 0.8, 1 - 1e-9):
            eta = float(np.log(p) - np.log1p(-p))
            for z in (-3.0, -1e-2, 0.0, 1.0, 40.0):
                y = float(np.clip(np.rint(m * p + z * np.sqrt(m * p * (1 - p)) + rng.integers(0, 2)), 0, m))
                yield eta, y, m


ROWS = sorted(set(rows()))


def test_deviance_loglik_and_residual_have_all_digits():
    eta, y, m = (np.array(column) for column in zip(*ROWS, strict=True))
    deviance, residual = deviance_terms(eta, y, m), exact_residual(eta, y, m)
    loglik = saturated_logliks(y, m) - 0.5 * deviance
    for i, row in enumerate(ROWS):
        exact = exactly(*row)
        assert abs(deviance[i] / exact[0] - 1) < 1e-14 if exact[0] else deviance[i] == 0, row
        assert abs(residual[i] / exact[2] - 1) < 1e-14 if exact[2] else residual[i] == 0, row
        assert abs(loglik[i] - exact[1]) < 1e-14 * max(1, abs(exact[1])), row


def test_stirling_error():
    n = np.array([0.5, 1, 2, 3, 7.25, 15, 16, 17, 100, 1e6, 1e12])
    mp = DIGITS
    for value, found in zip(n, stirling_error(n), strict=True):
        exact = mp.loggamma(mp.mpf(value) + 1) - (mp.mpf(value) * mp.log(value) - value + mp.log(2 * mp.pi * value) / 2)
        assert abs(found - exact) < 1e-15


def test_a_fit_of_many_trials():
    data = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "m": [1e12, 2e12, 1e12, 5e11]})
    data["y"] = [250000300000.0, 700000000000.0, 449999500000.0, 274999000000.0]
    res = ls.logit("y ~ x", data, trials="m").fit()
    exact = [exactly(eta, y, m) for eta, y, m in zip(res.fittedvalues, data["y"], data["m"], strict=True)]
    assert res.llf == pytest.approx(float(sum(row[1] for row in exact)), rel=1e-14)
    assert res.deviance == pytest.approx(float(sum(row[0] for row in exact)), rel=1e-14)
    np.testing.assert_allclose(res.resid_dev**2, [float(row[0]) for row in exact], rtol=1e-13)
    np.testing.assert_allclose(res.resid_generalized, [float(row[2]) for row in exact], rtol=1e-13)
    np.testing.assert_allclose(res.model.loglike(res.params), res.llf, rtol=1e-10)
    assert res.llr == pytest.approx(res.null_deviance - res.deviance, rel=1e-12)


def test_rare_events_among_many():
    data = pd.DataFrame({"m": [1e12, 1e12, 1e12], "y": [0.0, 1.0, 2.0]})
    res = ls.logit("y ~ 1", data, trials="m").fit()
    expected = [float(exactly(eta, y, 1e12)[0]) for eta, y in zip(res.fittedvalues, data["y"], strict=True)]
    np.testing.assert_allclose(res.resid_dev**2, expected, rtol=1e-14, atol=1e-25)


def test_pearson_of_a_probability_that_underflows():
    """R: sum(residuals(fit, "pearson")^2) of the same coefficients."""
    rng = np.random.default_rng(3)
    x = np.r_[rng.normal(size=300), -2500.0]
    y = np.r_[(rng.random(300) < 1 / (1 + np.exp(-x[:-1]))).astype(float), 0.0]
    data = pd.DataFrame({"x": x, "y": y})
    res = ls.logit("y ~ x", data).fit()
    assert res.pearson_chi2 == pytest.approx(float((res.resid_pearson**2).sum()), rel=1e-13)
    assert np.isfinite(res.with_cov("quasi").bse).all()
    assert "nan" not in str(res.gof())
    eta = np.asarray(res.fittedvalues)
    direct = np.exp(np.where(y == 1, -eta, eta)).sum()
    assert res.pearson_chi2 == pytest.approx(direct, rel=1e-12)


def test_likelihood_ratios_of_many_trials_have_all_digits_in_every_answer():
    # of 10¹² trials two log-likelihoods differ in their last digits only: the tests compare deviances
    trials = 1e12
    data = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "z": [1.0, 0.0, 0.0, 1.0]})
    moved = np.array([3e5, -2e5, 1.5e5, 2.5e5])
    data["s"] = np.round(trials / (1.0 + np.exp(0.5 - 0.3 * data["x"]))) + moved
    data["f"] = trials - data["s"]
    larger, smaller = (ls.logit(f"s + f ~ {right}", data).fit() for right in ("x + z", "x"))
    expected = float(_exact_loglik(larger, data) - _exact_loglik(smaller, data)) * 2.0
    assert expected == pytest.approx(0.383655157598, rel=1e-11)
    tests = larger.evidence("z").tests
    found = [
        larger.lr_test(smaller).statistic,
        larger.drop1().frame.loc["z", "lr"],
        smaller.add1("z").frame.loc["z", "lr"],
        *(larger.anova(kind).frame.loc["z", "statistic"] for kind in (1, 2, 3)),
        float(tests.loc[tests["method"] == "likelihood ratio", "statistic"].iloc[0]),
        smaller.deviance - larger.deviance,
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def _exact_loglik(res, data):
    """Log-likelihood at the maximum, found by Newton's method in 60 digits."""
    mp = DIGITS
    X = mp.matrix(np.asarray(res.model.exog).tolist())
    y, m = [mp.mpf(v) for v in data["s"]], [mp.mpf(v) for v in data["s"] + data["f"]]
    beta = mp.matrix([mp.mpf(v) for v in res.params])
    for _ in range(6):
        p = [1 / (1 + mp.exp(-eta)) for eta in X * beta]
        score = X.T * mp.matrix([a - b * c for a, b, c in zip(y, m, p, strict=True)])
        W = mp.diag([b * c * (1 - c) for b, c in zip(m, p, strict=True)])
        beta += mp.lu_solve(X.T * W * X, score)
    eta = X * beta
    return sum(a * e - b * mp.log(1 + mp.exp(e)) for a, b, e in zip(y, m, eta, strict=True))
