"""Gradient descent: the textbook's path step by step, its end, its settings, and what it refuses."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import log_loss

import logit_stats as ls
from logit_stats.errors import (
    ConvergenceWarning,
    DataError,
    DivergenceError,
    NotAvailableError,
    RankDeficientError,
    SeparationError,
    UnknownOptionError,
)

TEN = ls.datasets.load("ten_points")


def rows(n: int = 60, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.normal(2.0, 3.0, n), rng.exponential(0.5, n)])
    return (rng.random(n) < 0.4).astype(float), X, rng


def path_of(model: ls.Logit, **settings) -> np.ndarray:
    """(epochs + 1, k) coefficients, the start first."""
    path = [np.zeros(model.exog.shape[1])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        res = model.fit(callback=lambda beta: path.append(beta.copy()), **settings)
    assert_array_equal(path[-1], res.params)
    return np.array(path)


def textbook(y, X, rate, epochs, *, m=1.0, a=1.0, offset=0.0, batches=None, decay=0.0):
    """Gradient descent as it is written on the blackboard."""
    a, m, offset = (np.broadcast_to(value, len(y)).astype(float) for value in (a, m, offset))
    beta, path = np.zeros(X.shape[1]), [np.zeros(X.shape[1])]
    for epoch in range(epochs):
        for batch in [np.arange(len(y))] if batches is None else batches[epoch]:
            residual = m[batch] / (1 + np.exp(-(X[batch] @ beta + offset[batch]))) - y[batch]
            mean = X[batch].T @ (a[batch] * residual) * len(y) / len(batch) / (a * m).sum()
            beta = beta - rate / (1 + decay * epoch) * mean
        path.append(beta)
    return np.array(path)


def shuffled(n: int, batch: int, epochs: int, seed: int) -> list[list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [np.array_split(rng.permutation(n), -(-n // batch)) for _ in range(epochs)]


KINDS = ("plain", "offset", "freq_weights", "sampling_weights", "trials", "everything")


def given(kind: str):
    """Response, columns, the model's arguments and the textbook's."""
    y, X, rng = rows()
    a, trials = rng.integers(1, 5, len(y)), rng.integers(1, 4, len(y))
    offset = rng.normal(size=len(y))
    ours, theirs = {}, {}
    if kind in ("offset", "everything"):
        ours["offset"] = theirs["offset"] = offset
    if kind in ("freq_weights", "sampling_weights", "everything"):
        theirs["a"] = a
        ours["freq_weights" if kind != "sampling_weights" else kind] = a
    if kind in ("trials", "everything"):
        ours["trials"] = theirs["m"] = trials
        y = rng.binomial(trials, 0.4).astype(float)
    return y, X, ours, theirs


@pytest.mark.parametrize("kind", KINDS)
def test_gd_walks_the_path_of_the_textbook(kind):
    y, X, ours, theirs = given(kind)
    got = path_of(ls.Logit(y, X, **ours), method="gd", learning_rate=0.2, epochs=25)
    assert_allclose(got, textbook(y, X, 0.2, 25, **theirs), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_sgd_walks_the_path_of_the_textbook_through_shuffled_batches(kind):
    y, X, ours, theirs = given(kind)
    settings = {"learning_rate": 0.1, "epochs": 6, "batch_size": 7, "decay": 0.5, "seed": 9}
    got = path_of(ls.Logit(y, X, **ours), method="sgd", tol=1e-9, **settings)
    expected = textbook(y, X, 0.1, 6, batches=shuffled(60, 7, 6, 9), decay=0.5, **theirs)
    assert_allclose(got, expected, rtol=1e-10, atol=1e-13)


def test_weights_and_trials_are_the_expanded_rows():
    y, X, rng = rows()
    a = rng.integers(1, 5, len(y))
    expanded = ls.Logit(np.repeat(y, a), np.repeat(X, a, axis=0))
    assert_allclose(
        path_of(ls.Logit(y, X, freq_weights=a), method="gd", epochs=30),
        path_of(expanded, method="gd", epochs=30),
        rtol=1e-9, atol=1e-13,
    )  # fmt: skip
    successes = rng.binomial(a, 0.5)
    one_by_one = np.concatenate([np.r_[np.ones(s), np.zeros(m - s)] for s, m in zip(successes, a, strict=True)])
    grouped = ls.Logit(successes, X, trials=a)
    each = ls.Logit(one_by_one, np.repeat(X, a, axis=0))
    assert_allclose(
        path_of(grouped, method="gd", epochs=30), path_of(each, method="gd", epochs=30), rtol=1e-9, atol=1e-13
    )
    with pytest.warns(ConvergenceWarning):
        cost = grouped.fit(method="gd", epochs=2).trace.cost
    with pytest.warns(ConvergenceWarning):
        assert_allclose(cost, each.fit(method="gd", epochs=2).trace.cost, rtol=1e-12)


def test_columns_centred_by_the_solver_walk_the_path_of_the_users_columns():
    # so far from zero, the information of the columns as they are is singular in double precision
    y, X, _ = rows()
    X = X[:, :2] + [0.0, 1e7]
    exact = X.astype(np.longdouble)
    beta = np.zeros(2, dtype=np.longdouble)
    rate = 4e-14
    for _ in range(5):
        beta = beta - rate * exact.T @ (1 / (1 + np.exp(-exact @ beta)) - y) / len(y)
    for method in ({"method": "gd"}, {"method": "sgd", "batch_size": 60, "decay": 0.0}):
        got = path_of(ls.Logit(y, X), learning_rate=rate, epochs=5, **method)[-1]
        assert_allclose(got[1], float(beta[1]), rtol=1e-12)
        assert_allclose(X @ got, (exact @ beta).astype(float), rtol=1e-12)
    with pytest.warns(ConvergenceWarning):
        assert np.isfinite(ls.Logit(y, X).fit(method="gd", epochs=3).trace.distance).all()


def test_the_end_is_the_maximum_and_the_result_a_normal_one():
    data = ls.datasets.load("birthwt")
    model = ls.logit("low ~ standardize(age) + standardize(lwt) + C(race) + smoke", data)
    expected = model.fit(cov_type="HC1")
    gd = model.fit(method="gd", cov_type="HC1")
    assert (gd.converged, gd.fit_.method) == (True, "gd")
    assert gd.mle_retvals["decrement"] <= 1e-5
    assert_allclose((gd.params - expected.params) / expected.bse, 0, atol=2e-5)
    assert_allclose(gd.bse, expected.bse, rtol=1e-5)
    assert_allclose(gd.llf, expected.llf, rtol=1e-10)
    assert "converged:                       True" in gd.summary().as_text()
    assert gd.trace.steps[1].length == pytest.approx(4 * 189 / np.linalg.eigvalsh(model.exog.T @ model.exog)[-1])
    assert any("Fitted by gradient descent, learning rate" in note for note in gd.summary_notes())
    sgd = model.fit(method="sgd", epochs=2000, decay=0.05)
    assert sgd.converged
    assert_allclose((sgd.params - expected.params) / expected.bse, 0, atol=0.02)


def test_at_the_default_rate_the_cost_falls_in_every_step():
    for n, seed in ((30, 0), (500, 1)):
        y, X, rng = rows(n, seed)
        with pytest.warns(ConvergenceWarning, match="raise epochs"):
            res = ls.Logit(y, X * [1.0, 100.0, 0.01], freq_weights=rng.integers(1, 9, n)).fit(method="gd", epochs=200)
        assert (np.diff(res.trace.cost) < 0).all()


def test_unlike_columns_make_gd_slow_but_not_newton():
    model = ls.logit("y ~ x", TEN.assign(x=TEN.x * 100))
    with pytest.warns(ConvergenceWarning):
        res = model.fit(method="gd", epochs=2000)
    assert res.trace.distance[-1] > 0.5
    like = ls.logit("y ~ standardize(x)", TEN)
    assert like.fit(method="gd").mle_retvals["iterations"] < 200
    assert model.fit().mle_retvals["iterations"] == like.fit().mle_retvals["iterations"]


def test_one_batch_of_all_rows_is_gd_and_the_seed_decides_the_rest():
    y, X, _ = rows()
    model = ls.Logit(y, X)
    gd = path_of(model, method="gd", epochs=20)
    assert_allclose(
        path_of(model, method="sgd", batch_size=100, decay=0, epochs=20, tol=1e-9), gd, rtol=1e-10, atol=1e-13
    )
    same = path_of(model, method="sgd", batch_size=8, epochs=5, seed=4)
    assert_array_equal(path_of(model, method="sgd", batch_size=8, epochs=5, seed=4), same)
    assert np.abs(path_of(model, method="sgd", batch_size=8, epochs=5, seed=5) - same).max() > 1e-6
    assert_array_equal(
        path_of(model, method="sgd", batch_size=8, epochs=5),
        path_of(model, method="sgd", batch_size=8, epochs=5, seed=0),
    )
    with pytest.warns(ConvergenceWarning):
        lengths = [step.length for step in model.fit(method="sgd", learning_rate=0.3, decay=0.5, epochs=4).trace.steps]
    assert_allclose(lengths, [0.0, 0.3, 0.3 / 1.5, 0.3 / 2.0, 0.3 / 2.5])


def test_factors_kept_as_codes_walk_the_path_of_their_columns():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"g": rng.integers(0, 40, 3000).astype(str), "x": rng.normal(size=3000)})
    data["y"] = (rng.random(3000) < 0.5).astype(int)
    model = ls.logit("y ~ x + g", data)
    dense = ls.Logit(data["y"], model.exog)
    for settings in ({"method": "gd"}, {"method": "sgd"}):
        got, expected = (path_of(m, epochs=3, **settings) for m in (model, dense))
        assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


def test_the_trace_holds_the_mean_negative_loglikelihood():
    y, X, rng = rows()
    a = rng.integers(1, 5, len(y))
    for arguments, weight in (({}, None), ({"freq_weights": a}, a), ({"sampling_weights": a / 2}, a)):
        for method in ("newton", "bfgs", "gd"):
            res = ls.Logit(y, X, **arguments).fit(method=method, maxiter=5000)
            assert_allclose(res.trace.cost[-1], log_loss(y, res.predict(), sample_weight=weight), rtol=1e-9)
        assert res.trace.cost[0] == pytest.approx(np.log(2))
        assert_allclose(res.trace.distance[-1], res.mle_retvals["decrement"])


def test_start_params_are_where_it_starts():
    model = ls.logit("y ~ x", TEN)
    with pytest.warns(ConvergenceWarning, match="stopped after 0 steps"):
        res = model.fit(method="gd", start_params=[3.0, -2.0], epochs=0)
    assert_array_equal(res.params, [3.0, -2.0])
    with pytest.raises(DataError, match="2 finite numbers"):
        model.fit(method="gd", start_params=[1.0])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"learning_rate": 0.1}, UnknownOptionError, "learning_rate belongs to .*'gd'.*method='newton'"),
        ({"method": "bfgs", "epochs": 3}, UnknownOptionError, "epochs belongs to .*method='bfgs'"),
        ({"method": "gd", "batch_size": 3}, UnknownOptionError, "batch_size belongs to method='sgd'; method='gd'"),
        ({"method": "gd", "seed": 3}, UnknownOptionError, "seed belongs to method='sgd'"),
        ({"method": "gd", "decay": 0.1}, UnknownOptionError, "decay belongs to method='sgd'"),
        ({"method": "gd", "epochs": 3, "maxiter": 3}, UnknownOptionError, "the same"),
        ({"method": "gd", "learning_rate": 0.0}, DataError, "above zero"),
        ({"method": "gd", "learning_rate": np.nan}, DataError, "above zero"),
        ({"method": "gd", "learning_rate": "0.1"}, DataError, "above zero"),
        ({"method": "gd", "tol": np.nan}, DataError, "tol=nan"),
        ({"tol": -1.0}, DataError, "tol=-1"),
        ({"method": "sgd", "decay": -1.0}, DataError, "zero or above"),
        ({"method": "sgd", "batch_size": 0}, DataError, "batch_size=0 must be a whole number, 1 or above"),
        ({"method": "sgd", "seed": -1}, DataError, "seed=-1"),
        ({"method": "gd", "epochs": 2.5}, DataError, "epochs=2.5"),
        ({"method": "gd", "epoch": 2}, TypeError, "epoch"),
    ],
)
def test_settings_that_make_no_sense_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        ls.logit("y ~ x", TEN).fit(**arguments)


def test_steps_that_are_too_long_are_said_so():
    model = ls.logit("y ~ x", TEN)
    with pytest.warns(ConvergenceWarning) as caught:
        res = model.fit(method="gd", learning_rate=20, epochs=300)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    found = re.search(r"rose in (\d+) of 300 steps: lower learning_rate \(at ([\d.]+) or less", str(caught[0].message))
    assert int(found[1]) == (np.diff(res.trace.cost) > 0).sum() > 50
    safe = model.fit(method="gd", learning_rate=float(found[2]), epochs=5000)
    assert safe.converged
    assert "converged:                      False" in res.summary().as_text()
    assert "NOT CONVERGED" in repr(res)
    with pytest.warns(ConvergenceWarning, match="ended higher than it began: lower learning_rate"):
        model.fit(method="sgd", learning_rate=50, batch_size=2, decay=0)
    with pytest.warns(ConvergenceWarning, match=r"raise learning_rate \(up to 0.137"):
        model.fit(method="gd", learning_rate=0.001)
    with pytest.raises(
        DivergenceError, match=r"not a number after epoch 1\. Lower the learning rate \(it is 1e\+308\)"
    ):
        model.fit(method="gd", learning_rate=1e308)
    with pytest.raises(DivergenceError, match="rescale"):
        ls.logit("y ~ x", TEN.assign(x=TEN.x * 1e200)).fit(method="gd")


@pytest.mark.parametrize("method", ["gd", "sgd"])
def test_a_fit_gone_astray_has_a_summary_without_numbers_it_does_not_know(method):
    y, X, _ = rows()
    # every probability is 1 to the last digit: the information is zero
    with pytest.warns(ConvergenceWarning, match="an unknown distance from the maximum"):
        res = ls.Logit(y, X, offset=np.full(len(y), 1e4)).fit(method=method, epochs=2)
    assert np.isnan(res.bse).all()
    assert res.fit_.condition == np.inf
    assert "converged:                      False" in res.summary().as_text()
    with pytest.warns(ConvergenceWarning, match="lower learning_rate|method='newton'"):
        res = ls.Logit(y, X * [1.0, 1e3, 1e5]).fit(method=method, learning_rate=10.0, epochs=3)
    assert "nan" in res.summary().as_text()


@pytest.mark.parametrize("method", ["gd", "sgd"])
def test_separated_and_dependent_columns_are_refused_however_early_it_stops(method):
    for epochs in (0, 1, 200):
        with pytest.raises(SeparationError, match="x"):
            ls.logit("y ~ x", ls.datasets.load("ten_points_separated")).fit(method=method, epochs=epochs)
    with pytest.raises(SeparationError, match="NV"):
        ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit(method=method, epochs=1)
    with pytest.raises(RankDeficientError):
        ls.logit("y ~ x + I(2 * x)", TEN).fit(method=method)


def test_what_needs_the_maximum_refuses_a_fit_that_ended_before_it():
    model = ls.logit("low ~ age + lwt + smoke", ls.datasets.load("birthwt"))
    with pytest.warns(ConvergenceWarning):
        res = model.fit(method="gd", epochs=50)
    smaller = ls.logit("low ~ age + lwt", ls.datasets.load("birthwt")).fit()
    asked = (
        lambda: res.conf_int(method="profile"), lambda: res.lr_test(smaller), lambda: smaller.lr_test(res), res.anova, res.drop1,
        lambda: res.bootstrap(20, seed=1), lambda: res.evidence("smoke"), lambda: ls.step(res), lambda: res.add1("ui"),
        lambda: res.plot.profile("age"), res.linearity,
    )  # fmt: skip
    for ask in asked:
        with pytest.raises(NotAvailableError, match=r"not converged \(2\.7 standard errors"):
            ask()


def test_one_column_and_no_intercept():
    y = np.array([1.0, 0.0, 1.0, 1.0])
    res = ls.Logit(y, np.ones((4, 1))).fit(method="gd")
    assert res.params[0] == pytest.approx(np.log(3), abs=1e-4)
    model = ls.logit("y ~ 0 + x", TEN)
    assert_allclose(model.fit(method="gd").params, model.fit().params, rtol=1e-4)
