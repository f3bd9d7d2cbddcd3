"""The bootstrap: refits by weights against fits of the rows drawn, intervals against their definitions."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError, UnknownOptionError
from logit_stats.estimation.refits import DEPENDENT, FITTED, SEPARATED, Refitter
from logit_stats.inference.bootstrap import Bootstrap

# scipy before 1.15 calls it otherwise
SEED = "rng" if "rng" in signature(stats.bootstrap).parameters else "random_state"


def simulated(n: int = 300, k: int = 4, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, k - 1))
    eta = 0.3 + X @ np.linspace(-0.8, 0.8, k - 1)
    data = pd.DataFrame(X, columns=[f"x{j}" for j in range(1, k)])
    data["y"] = (rng.random(n) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
    data["school"] = rng.integers(0, 25, n)
    data["off"] = rng.normal(size=n) * 0.2
    data["m"] = rng.integers(1, 6, n)
    data["s"] = rng.binomial(data["m"], 1.0 / (1.0 + np.exp(-eta)))
    data["w"] = rng.integers(1, 4, n)
    return data


FORMULA = "y ~ x1 + x2 + x3"


@pytest.mark.parametrize("seed", range(5))
def test_a_refit_is_the_fit_of_the_rows_drawn(seed):
    data = simulated()
    res = ls.logit(FORMULA, data).fit()
    drawn = np.random.default_rng(seed).integers(0, len(data), len(data))
    weight = np.bincount(drawn, minlength=len(data)).astype(float)
    found = Refitter(res.fit_).fits(weight[None, :])
    peer = sm.Logit.from_formula(FORMULA, data.iloc[drawn]).fit(disp=0, tol=1e-12)
    np.testing.assert_allclose(res.fit_.working.beta(found.gamma[0]), peer.params.to_numpy(), rtol=1e-9)


@pytest.mark.parametrize("case", ["grouped", "offset", "frequency", "no intercept", "shifted"])
def test_refits_of_other_models_are_first_fits_of_the_weighted_rows(case):
    data = simulated()
    data["far"] = data["x1"] * 1e-4 + 1e6
    formula, settings = {
        "grouped": ("s ~ x1 + x2", {"trials": "m"}),
        "offset": ("y ~ x1", {"offset": "off"}),
        "frequency": (FORMULA, {"freq_weights": "w"}),
        "no intercept": ("y ~ x1 + x2 - 1", {}),
        "shifted": ("y ~ far + x2", {}),
    }[case]
    res = ls.logit(formula, data, **settings).fit()
    base = data["w"].to_numpy(dtype=float) if case == "frequency" else np.ones(len(data))
    weights = base * np.random.default_rng(1).integers(0, 3, size=(4, len(data)))
    found = Refitter(res.fit_).fits(weights)
    assert (found.outcome == FITTED).all()
    for gamma, weight in zip(found.gamma, weights, strict=True):
        rows = weight > 0
        again = ls.logit(formula, data[rows], **{**settings, "freq_weights": weight[rows]}).fit()
        assert (np.abs(res.fit_.working.beta(gamma) - again.params) <= 1e-8 * again.bse).all()


def test_outcomes_are_told_apart():
    data = pd.DataFrame({"x": [0.0, 1, 2, 3, 4, 5], "y": [0.0, 0, 1, 0, 1, 1], "g": list("aabbab")})
    res = ls.logit("y ~ x", data).fit()
    separated = np.array([1.0, 1, 0, 0, 1, 1])
    one_class = np.array([1.0, 1, 0, 1, 0, 0])
    one_value = np.array([0.0, 0, 1, 0, 0, 0])
    found = Refitter(res.fit_).fits(np.array([separated, one_class, one_value, np.ones(6)]))
    assert found.outcome.tolist() == [SEPARATED, SEPARATED, SEPARATED, FITTED]
    grouped = pd.DataFrame({"y": [0.0, 1, 0, 1, 0, 1, 0, 1, 1], "g": list("aaaaabbbc"), "x": np.arange(9.0) % 4})
    model = ls.logit("y ~ x + C(g, levels=['a', 'b', 'c'])", grouped[:8].assign(g=list("aaaabbcc"))).fit()
    assert Refitter(model.fit_).fits(np.array([[1.0, 1, 1, 1, 1, 1, 0, 0]])).outcome.tolist() == [DEPENDENT]


def test_separated_resamples_are_counted():
    data = ls.datasets.load("ten_points")
    found = ls.logit("y ~ x", data).fit().bootstrap(400, seed=5)
    rng, separated, dependent = np.random.default_rng(5), 0, 0
    for _ in range(400):
        drawn = data.iloc[rng.integers(0, 10, 10)]
        zeros, ones = drawn.x[drawn.y == 0], drawn.x[drawn.y == 1]
        apart = zeros.empty or ones.empty or zeros.max() <= ones.min() or ones.max() <= zeros.min()
        dependent += not apart and drawn.x.nunique() == 1
        separated += apart
    assert (found.separated, found.dependent, found.unfinished) == (separated, dependent, 0)
    assert separated > 50
    assert len(found.draws) == 400 - separated - dependent
    assert f"{separated} without a finite estimate" in " ".join(str(found).split())


def test_draws_repeat_with_their_seed_and_whatever_the_threads():
    res = ls.logit(FORMULA, simulated()).fit()
    first = res.bootstrap(50)
    again = res.bootstrap(50, seed=first.seed)
    np.testing.assert_array_equal(first.draws, again.draws)
    assert not np.array_equal(first.draws, res.bootstrap(50, seed=first.seed + 1).draws)


def test_threads_share_large_refits(monkeypatch):
    monkeypatch.setattr("logit_stats.estimation.refits.THREADED_ROWS", 10)
    res = ls.logit(FORMULA, simulated()).fit()
    shared = res.bootstrap(40, seed=1).draws
    monkeypatch.setattr("logit_stats.estimation.refits.threads", lambda: 1)
    np.testing.assert_array_equal(shared, res.bootstrap(40, seed=1).draws)


def test_covariance_is_that_of_the_draws_and_runs_through():
    res = ls.logit(FORMULA, simulated()).fit().with_cov("bootstrap", reps=200, seed=2)
    draws = res.covariance_.bootstrap.draws
    np.testing.assert_allclose(res.cov_params(), np.cov(draws, rowvar=False), rtol=1e-10)
    np.testing.assert_allclose(res.bse, draws.std(axis=0, ddof=1), rtol=1e-12)
    assert "bootstrap" in str(res.summary(clock=False))
    assert "200 resamples, seed 2" in str(res.summary(clock=False))
    np.testing.assert_allclose(res.conf_int(method="bootstrap"), res.covariance_.bootstrap.conf_int())
    fitted = ls.logit(FORMULA, simulated()).fit(cov_type="bootstrap", cov_kwds={"reps": 200, "seed": 2})
    np.testing.assert_array_equal(fitted.bse, res.bse)


def test_units_of_columns_do_not_matter():
    data = simulated()
    plain = ls.logit("y ~ x1 + x2", data).fit().bootstrap(60, seed=4)
    data["x1"] = data["x1"] * 1e-300
    tiny = ls.logit("y ~ x1 + x2", data).fit().bootstrap(60, seed=4)
    np.testing.assert_allclose(tiny.standard_errors[1] * 1e-300, plain.standard_errors[1], rtol=1e-8)


def test_frequency_weights_draw_the_rows_they_stand_for():
    data = simulated(120)
    expanded = data.loc[data.index.repeat(data["w"])]
    weighted = ls.logit("y ~ x1 + x2", data, freq_weights="w").fit().bootstrap(3000, seed=1)
    plain = ls.logit("y ~ x1 + x2", expanded).fit().bootstrap(3000, seed=2)
    assert weighted.units == plain.units == len(expanded)
    # the standard error of a standard deviation of 3,000 draws is 1.3 %, of their ratio 1.8 %
    np.testing.assert_allclose(weighted.standard_errors, plain.standard_errors, rtol=0.08)
    np.testing.assert_allclose(weighted.acceleration, plain.acceleration, rtol=1e-8, atol=1e-12)


def test_clusters_are_drawn_whole():
    data = simulated(400)
    res = ls.logit("y ~ x1 + x2", data).fit()
    by_cluster = res.bootstrap(1500, seed=1, groups="school")
    assert (by_cluster.unit, by_cluster.units) == ("clusters of school", 25)
    robust = res.with_cov("cluster", groups="school")
    np.testing.assert_allclose(by_cluster.standard_errors, robust.bse, rtol=0.25)
    weights = data["school"].to_numpy()
    rng = np.random.default_rng(1)
    first = np.bincount(rng.integers(0, 25, 25), minlength=25)[pd.factorize(weights)[0]].astype(float)
    np.testing.assert_allclose(
        by_cluster.draws[0],
        ls.logit("y ~ x1 + x2", data[first > 0], freq_weights=first[first > 0]).fit().params,
        rtol=1e-8,
    )


def test_intervals_of_an_intercept_agree_with_scipy():
    rng = np.random.default_rng(8)
    y = (rng.random(60) < 0.25).astype(float)
    drawn = ls.Logit(y, np.ones((60, 1))).fit().bootstrap(20_000, seed=1)
    logit_of_mean = lambda sample, axis: np.log(sample.mean(axis) / (1.0 - sample.mean(axis)))  # noqa: E731
    for kind, method in [("percentile", "percentile"), ("basic", "basic"), ("bca", "BCa")]:
        peer = stats.bootstrap((y,), logit_of_mean, n_resamples=20_000, method=method, **{SEED: 9}).confidence_interval
        # the statistic takes few values: neighbouring ones are 0.09 apart
        np.testing.assert_allclose(drawn.conf_int(kind=kind)[0], [peer.low, peer.high], atol=0.1)


def test_bca_levels_by_hand():
    rng = np.random.default_rng(2)
    draws = rng.normal(0.3, 1.0, size=(999, 1))
    drawn = Bootstrap(("b",), np.array([0.5]), draws, 999, 0, 0, 0, "rows", 50, 1, np.array([0.04]))
    z0 = stats.norm.ppf((draws[:, 0] < 0.5).mean())
    ordered = np.sort(draws[:, 0])
    for side, p in enumerate((0.05, 0.95)):
        z = z0 + stats.norm.ppf(p)
        rank = 1000 * stats.norm.cdf(z0 + z / (1 - 0.04 * z)) - 1
        low = int(rank)
        by_hand = ordered[low] + (rank - low) * (ordered[low + 1] - ordered[low])
        assert drawn.conf_int(0.1, "bca")[0, side] == pytest.approx(by_hand, rel=1e-12)


def test_what_is_refused():
    data = simulated(80)
    res = ls.logit("y ~ x1", data).fit()
    with pytest.raises(NotAvailableError, match="with_cov"):
        res.conf_int(method="bca")
    with pytest.raises(DataError, match="reps=1"):
        res.bootstrap(1)
    with pytest.raises(UnknownOptionError, match="rep"):
        res.with_cov("bootstrap", rep=10)
    with pytest.raises(DataError, match="alpha"):
        res.bootstrap(10, seed=1).conf_int(1.5)
    with pytest.raises(DataError, match="whole numbers"):
        ls.logit("y ~ x1", data.assign(w=data.w + 0.5), freq_weights="w").fit().bootstrap(10)
    with pytest.raises(NotAvailableError, match="penalized"):
        ls.logit("y ~ x1", data).fit_firth().bootstrap(10)


def test_progress_is_shown_on_request_only(capsys, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    res = ls.logit("y ~ x1", simulated(80)).fit()
    res.bootstrap(20, seed=1)
    assert capsys.readouterr().err == ""
    res.bootstrap(20, seed=1, progress=True)
    assert "resamples" in capsys.readouterr().err
