"""The solver: every method, every start, every scale; statsmodels' likelihood functions; separation and rank."""

from __future__ import annotations

import re
import warnings
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import approx_fprime, linprog

import logit_stats as ls
from logit_stats.design.block import Block
from logit_stats.errors import (
    ConvergenceWarning,
    DataError,
    NearSeparationWarning,
    RankDeficientError,
    SeparationError,
    UnknownOptionError,
)
from logit_stats.estimation.maximum_likelihood import FIRST_ORDER_METHODS, METHODS
from logit_stats.estimation.separation import find_separation
from logit_stats.likelihoods.moments import block_moments
from tests.cases import load_case

SPECTOR = load_case("spector_numeric").data
FORMULA = "grade ~ gpa + tuce + psi"


def simulated(rows: int = 400, columns: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(rows), rng.normal(size=(rows, columns - 1))])
    return (rng.random(rows) < 1 / (1 + np.exp(-X @ rng.normal(size=columns) * 0.7))).astype(float), X


@pytest.mark.parametrize("method", [method for method in METHODS if method not in FIRST_ORDER_METHODS])
def test_every_method_finds_the_same_answer(method):
    expected = ls.logit(FORMULA, SPECTOR).fit()
    res = ls.logit(FORMULA, SPECTOR).fit(method=method, maxiter=2000)
    assert res.converged
    assert_allclose((res.params - expected.params) / expected.bse, 0, atol=2e-5)
    assert res.fit_.method == method


@pytest.mark.parametrize("method", METHODS)
def test_stopping_early_is_a_warning_that_says_how_far(method):
    with pytest.warns(ConvergenceWarning, match=r"stopped after .* standard errors from the maximum"):
        res = ls.logit(FORMULA, SPECTOR).fit(method=method, maxiter=1)
    assert not res.converged
    assert "NOT CONVERGED" in " ".join(res.summary_notes())
    assert "NOT CONVERGED" in repr(res)


def test_maxiter_zero_tolerance_and_callback():
    seen = []
    res = ls.logit(FORMULA, SPECTOR).fit(callback=seen.append)
    assert len(seen) == res.mle_retvals["iterations"]
    assert_allclose(seen[-1], res.params, atol=1e-4)
    with pytest.warns(ConvergenceWarning):
        start = ls.logit(FORMULA, SPECTOR).fit(maxiter=0)
    assert_allclose(start.params[1:], 0)
    assert ls.logit(FORMULA, SPECTOR).fit(tol=0.1).mle_retvals["iterations"] < res.mle_retvals["iterations"]
    with pytest.raises(DataError, match="negative"):
        ls.logit(FORMULA, SPECTOR).fit(maxiter=-1)
    with pytest.raises(UnknownOptionError, match="newton"):
        ls.logit(FORMULA, SPECTOR).fit(method="newtn")


@pytest.mark.parametrize("start", [[1.0], [np.nan, 0, 0, 0], [np.inf, 0, 0, 0]])
def test_a_start_that_is_none_is_refused(start):
    with pytest.raises(DataError, match="4 finite numbers"):
        ls.logit(FORMULA, SPECTOR).fit(start_params=start)


def test_disp_prints_as_statsmodels_does(capsys):
    ls.logit(FORMULA, SPECTOR).fit(disp=True)
    ours = capsys.readouterr().out
    sm.Logit(SPECTOR["grade"], sm.add_constant(SPECTOR[["gpa", "tuce", "psi"]])).fit()
    theirs = capsys.readouterr().out
    assert re.sub(r"Iterations \d+", "", ours) == re.sub(r"Iterations \d+", "", theirs)


def test_likelihood_functions_are_those_of_statsmodels():
    y, X = simulated()
    offset = np.linspace(-1, 1, len(y))
    ours, theirs = ls.Logit(y, X, offset=offset), sm.Logit(y, X, offset=offset)
    b = np.array([0.1, -0.4, 0.3, 0.2])
    for name in ("loglike", "loglikeobs", "score", "score_obs", "score_factor", "hessian", "hessian_factor", "predict"):
        assert_allclose(getattr(ours, name)(b), getattr(theirs, name)(b), rtol=1e-9, atol=1e-12, err_msg=name)
    assert_allclose(ours.information(b), -ours.hessian(b))
    for which in ("mean", "linear", "var"):
        assert_allclose(ours.predict(b, which=which), theirs.predict(b, which=which), rtol=1e-10)
    res = ours.fit()
    assert_allclose(ours.loglike(res.params), res.llf, rtol=1e-12)
    assert_allclose(ours.score(res.params), 0, atol=1e-8)


@pytest.mark.parametrize("extra", ["freq_weights", "trials", "plain"])
def test_score_and_hessian_are_the_derivatives(extra):
    rng = np.random.default_rng(1)
    y, X = simulated(60, 3, 1)
    given = {"freq_weights": rng.integers(0, 4, 60), "trials": rng.integers(1, 5, 60)}
    arguments = {} if extra == "plain" else {extra: given[extra]}
    model = ls.Logit(y, X, **arguments)
    b = np.array([0.2, -0.3, 0.5])
    assert_allclose(approx_fprime(b, model.loglike, 1e-7), model.score(b), rtol=1e-4, atol=1e-4)
    assert_allclose(model.score_obs(b).sum(axis=0), model.score(b), rtol=1e-9)
    numerical = np.array([(model.score(b + h) - model.score(b - h)) / 2e-6 for h in np.eye(3) * 1e-6])
    assert_allclose(numerical, model.hessian(b), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shift", [-700.0, -30.0, 30.0, 700.0])
def test_huge_offsets(shift):
    y, X = simulated()
    plain = ls.Logit(y, X).fit()
    res = ls.Logit(y, X, offset=np.full(len(y), shift)).fit()
    assert_allclose(res.params[1:], plain.params[1:], rtol=1e-9)
    assert_allclose(res.params[0] + shift, plain.params[0], atol=1e-9)
    assert_allclose(res.llnull, plain.llnull, rtol=1e-9)


def test_hilbert_like_columns_have_honest_errors():
    rng = np.random.default_rng(4)
    t = rng.uniform(0, 1, 500)
    X = np.vander(t, 8, increasing=True)
    y = (rng.random(500) < 0.4 + 0.2 * t).astype(float)
    res = ls.Logit(y, X).fit()
    # the same space in an orthogonal basis: same likelihood, same fitted values
    Q = np.linalg.qr(X)[0]
    orthogonal = ls.Logit(y, Q * np.sqrt(500)).fit()
    assert_allclose(res.llf, orthogonal.llf, rtol=1e-10)
    assert_allclose(res.predict(), orthogonal.predict(), atol=1e-7)
    assert res.certificate().condition_number > 1e3


def test_constant_only_and_as_many_columns_as_rows():
    res = ls.Logit([0, 1, 1, 1], np.ones((4, 1))).fit()
    assert_allclose(res.params, [np.log(3)], rtol=1e-12)
    assert res.llr == pytest.approx(0, abs=1e-12)
    saturated = ls.logit("k ~ C(g)", {"k": [1, 3, 2], "g": [1, 2, 3]}, trials=[5, 5, 5]).fit()
    assert_allclose(saturated.predict(), [0.2, 0.6, 0.4], rtol=1e-9)
    assert saturated.deviance == pytest.approx(0, abs=1e-9)
    assert saturated.df_resid == 0


def test_a_large_fit_started_from_a_tenth_of_its_rows_is_the_same_fit():
    y, X = simulated(60_000, 5, 3)
    whole = ls.Logit(y, X).fit()
    from_zero = ls.Logit(y, X).fit(start_params=np.zeros(5))
    assert_allclose((whole.params - from_zero.params) / whole.bse, 0, atol=1e-9)
    assert whole.mle_retvals["iterations"] < from_zero.mle_retvals["iterations"]
    # a tenth that is no sample of the whole does no harm
    order = np.argsort(y, kind="stable")
    assert_allclose(ls.Logit(y[order], X[order]).fit().params, whole.params, rtol=1e-9)
    only = np.zeros(60_000)
    only[np.arange(60_000) % 640 >= 64] = 1.0  # constant in the rows of the share
    res = ls.Logit(y, np.column_stack([X, only])).fit()
    assert_allclose(res.params, sm.Logit(y, np.column_stack([X, only])).fit(disp=0).params, rtol=1e-6)


@pytest.mark.parametrize("kind", ["weights", "sampling", "trials", "offset", "rare", "strong", "many columns", "codes"])
def test_large_fits_end_where_careful_iterations_end(kind):
    rng = np.random.default_rng(5)
    n, k = 50_000, 30 if kind == "many columns" else 4
    X = np.column_stack([np.ones(n), rng.normal(size=(n, k - 1))])
    beta = rng.normal(size=k) * (2.5 if kind == "strong" else 0.5) - (
        5.0 * (np.arange(k) == 0) if kind == "rare" else 0
    )
    trials = rng.integers(1, 6, n)
    events = rng.binomial(trials if kind == "trials" else 1, 1 / (1 + np.exp(-X @ beta))).astype(float)
    arguments = {
        "weights": {"freq_weights": rng.integers(1, 4, n)}, "sampling": {"sampling_weights": rng.uniform(0.2, 8, n)},
        "trials": {"trials": trials}, "offset": {"offset": rng.normal(size=n)},
    }.get(kind, {})  # fmt: skip
    model = ls.Logit(events, X, **arguments)
    if kind == "codes":
        model = ls.logit("y ~ x + C(g)", {"y": events, "x": X[:, 1], "g": rng.integers(0, 40, n)})
        k = 41
    quick, careful = model.fit(), model.fit(start_params=np.zeros(k), tol=1e-12)
    assert quick.mle_retvals["iterations"] <= 5
    assert_allclose((quick.params - careful.params) / careful.bse, 0, atol=1e-9)
    assert_allclose(quick.bse, careful.bse, rtol=5e-9)
    assert_allclose(quick.llf, careful.llf, rtol=1e-13)


# Moments.


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 40),
    st.integers(1, 6),
    st.sampled_from([1.0, 30.0, 800.0]),
    st.integers(0, 10**6),
    st.booleans(),
    st.booleans(),
)
def test_moments_agree_with_their_definition(rows, columns, size, seed, counts, weighted):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, columns))
    gamma = rng.normal(size=columns) * size
    trials = rng.integers(1, 5, rows).astype(float)
    y = rng.binomial(trials.astype(int), 0.5).astype(float) if counts else rng.integers(0, 2, rows).astype(float)
    weight = rng.integers(0, 4, rows).astype(float)
    block = Block(X, y, trials if counts else None, weight if weighted else None, None)
    got = block_moments(block, gamma)
    long = np.longdouble
    eta = (X.astype(long) @ gamma.astype(long)).astype(long)
    m, a = (trials if counts else np.ones(rows)).astype(long), (weight if weighted else np.ones(rows)).astype(long)
    log_p, log_q = -np.logaddexp(long(0), -eta), -np.logaddexp(long(0), eta)
    loglik = float((a * (y * log_p + (m - y) * log_q)).sum())
    residual = a * (y * np.exp(log_q) - (m - y) * np.exp(log_p))
    w = (a * m * np.exp(log_p + log_q)).astype(float)
    assert_allclose(got.loglik, loglik, rtol=1e-11, atol=1e-13)
    assert_allclose(got.score, (residual @ X).astype(float), rtol=1e-9, atol=1e-11 * max(1, rows))
    assert_allclose(got.information, (X * w[:, None]).T @ X, rtol=1e-9, atol=1e-12 * max(1, rows))
    assert got.max_abs_eta == pytest.approx(float(np.abs(eta).max(initial=0)), rel=1e-12)


def test_tiny_log_likelihoods_keep_their_digits():
    # outcomes predicted to 1e-13: log(1 + e) of each row is e, which 1 + e would round to a few digits
    x = np.linspace(30, 40, 200)
    got = block_moments(Block(x[:, None], np.ones(200)), np.ones(1))
    assert_allclose(got.loglik, -np.exp(-x).sum(), rtol=1e-12)
    assert_allclose(got.score, [(np.exp(-x) * x).sum()], rtol=1e-12)


# Separation.


def brute_force(X: np.ndarray, sign: np.ndarray) -> tuple[bool, int]:
    """Whether a direction separates, and how many rows some direction separates (Konis 2007, one programme)."""
    n, k = X.shape
    # maximise sum of s_i with s_i <= c_i(d), 0 <= s_i <= 1, d free
    signed = X * sign[:, None]
    A = np.hstack([-signed, np.eye(n)])
    bounds = [(None, None)] * k + [(0, 1)] * n
    found = linprog(np.r_[np.zeros(k), -np.ones(n)], A_ub=A, b_ub=np.zeros(n), bounds=bounds, method="highs")
    return -found.fun > 0.5, round(-found.fun)


@pytest.mark.filterwarnings("ignore::logit_stats.errors.NearSeparationWarning")  # which some of the draws are
@pytest.mark.parametrize("seed", range(120))
def test_separation_agrees_with_one_large_linear_programme(seed):
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(6, 25)), int(rng.integers(1, 5))
    X = np.column_stack([np.ones(n), rng.integers(-2, 3, size=(n, k)) if seed % 2 else rng.normal(size=(n, k))]).astype(
        float
    )
    y = rng.integers(0, 2, n).astype(float)
    y[:2] = [0, 1]
    if np.linalg.matrix_rank(X) < k + 1:
        with pytest.raises(RankDeficientError):
            ls.Logit(y, X).fit()
        return
    separated, rows = brute_force(X, 2 * y - 1)
    if not separated:
        assert ls.Logit(y, X).fit().converged
        return
    with pytest.raises(SeparationError) as caught:
        ls.Logit(y, X).fit()
    found = caught.value.separation
    assert found.rows == rows
    assert found.kind == ("complete" if rows == n else "quasi-complete")
    margin = (2 * y - 1) * (X @ found.directions[0])
    assert margin.min() >= -1e-9
    assert margin.max() > 1e-6


@pytest.mark.parametrize("overlap", [1e-1, 1e-3, 1e-5, 1e-7])
def test_the_smallest_overlap_is_no_separation(overlap):
    x = np.concatenate([np.linspace(-3, -1, 15), [overlap, 0.0], np.linspace(1, 3, 15)])
    y = np.concatenate([np.zeros(15), [0.0, 1.0], np.ones(15)])
    near = pytest.warns(NearSeparationWarning, match="one observation") if overlap < 0.01 else nullcontext()
    with near:
        res = ls.Logit(y, sm.add_constant(x)).fit(maxiter=200)
    assert res.converged
    assert res.params[1] > 1
    swapped = y.copy()
    swapped[15:17] = [1.0, 0.0]
    with pytest.raises(SeparationError, match="Complete"):
        ls.Logit(swapped, sm.add_constant(x)).fit()


def test_endometrial_reference():
    case = load_case("endometrial_separation_firth")
    with pytest.raises(SeparationError) as caught:
        ls.logit("HG ~ NV + PI + EH", case.data).fit()
    found, reference = caught.value.separation, case.values["separation"]
    assert found.kind == reference["separation"]
    assert found.rows == reference["rows_separated_sum_direction"]
    limits = ["finite" if np.isnan(v) else v for v in found.limits]
    assert [str(v).replace("inf", "+Inf").replace("-+", "-") if v != "finite" else v for v in limits] == [
        str(v).replace("inf", "+Inf").replace("-+", "-") if v != "finite" else v
        for v in reference["limit_of_coefficient"]
    ]


@pytest.mark.parametrize("part", ["petal_length_only", "sepal_length_and_width"])
def test_iris_reference(part):
    case = load_case("iris_complete_separation")
    with pytest.raises(SeparationError) as caught:
        ls.logit(case.values[part]["formula_r"], case.data).fit()
    assert caught.value.separation.kind == case.values[part]["separation"]["separation"]


def test_separation_of_counts_weights_and_offsets():
    frame = pd.DataFrame({"k": [0, 0, 3, 4], "n": [5, 4, 6, 4], "x": [0, 1, 2, 3], "o": [0.5, -1, 2, 0]})
    with pytest.raises(SeparationError) as caught:
        # rows of both outcomes must lie on the boundary: x = 2 does, the others are separated
        ls.logit("k ~ x", frame, trials="n", offset="o").fit()
    assert caught.value.separation.kind == "quasi-complete"
    assert caught.value.separation.level.tolist() == [1, 1, 0, 1]
    weights = [1, 7, 2, 3]
    with pytest.raises(SeparationError):
        ls.Logit([0, 0, 1, 1], sm.add_constant(np.arange(4.0)), freq_weights=weights).fit()
    with pytest.raises(SeparationError):
        ls.Logit([0, 0, 1, 1], np.array([-2.0, -1, 1, 2])).fit()


def test_a_large_separated_fit_is_recognised_without_all_constraints():
    y, X = simulated(50_000, 6, 8)
    rare = np.zeros(50_000)
    rare[np.flatnonzero(y == 0)[:40]] = 1
    model = ls.Logit(y, np.column_stack([X, rare]))
    with pytest.raises(SeparationError) as caught:
        model.fit()
    assert caught.value.separation.infinite == {"x6": -np.inf}
    assert caught.value.separation.rows == 40
    assert find_separation(replace(model.design, X=X, names=model.design.names[:6])).kind == "none"


def test_separation_errors_survive_pickling():
    import pickle

    with pytest.raises(SeparationError) as caught:
        ls.logit("y ~ x", ls.datasets.load("ten_points_separated")).fit()
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.separation.kind == "complete"


# Rank.


def test_the_named_combination_is_right():
    rng = np.random.default_rng(9)
    data = pd.DataFrame(rng.normal(size=(100, 3)), columns=list("abc"))
    data["y"] = rng.integers(0, 2, 100)
    data["d"] = 2.5 * data["a"] - 0.5 * data["c"] + 7
    with pytest.raises(RankDeficientError) as caught:
        ls.logit("y ~ a + b + c + d", data).fit()
    combination = caught.value.dependent["d"]
    assert set(combination) == {"Intercept", "a", "c"}
    assert_allclose([combination[k] for k in ("Intercept", "a", "c")], [7, 2.5, -0.5], rtol=1e-9)
    for scale in (1e-12, 1e12):
        with pytest.raises(RankDeficientError, match="'d'"):
            ls.logit("y ~ a + b + c + d", data.assign(d=data["d"] * scale)).fit()


def test_dropped_columns_reappear_nowhere():
    case = load_case("mroz_aliased")
    formula = case.info["formula_patsy"]
    with pytest.raises(RankDeficientError):
        ls.logit(formula, case.data).fit()
    res = ls.logit(formula, case.data, check_rank="drop").fit()
    assert res.model.design.left_out == ("I(k5 + k618)",)
    assert_allclose(res.predict(case.data.head(10)), case.values["fitted_first_10"], rtol=1e-8)
    assert res.df_model == case.values["rank"] - 1


def test_constant_and_zero_columns_of_arrays():
    y, X = simulated()
    with pytest.raises(RankDeficientError, match="is zero in every row"):
        ls.Logit(y, np.column_stack([X, np.zeros(400)])).fit()
    with pytest.raises(RankDeficientError, match=r"= 5\*const"):
        ls.Logit(y, np.column_stack([X, np.full(400, 5.0)])).fit()
    with pytest.raises(RankDeficientError):
        ls.Logit(y, np.column_stack([X, X[:, 1]]), check_rank=False).fit()


def test_no_warning_leaks_from_extreme_fits():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, X = simulated()
        for factor in (1e-300, 1e300):
            ls.Logit(y, X * np.array([1, factor, 1, 1])).fit().summary().as_text()
