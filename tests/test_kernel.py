"""The compiled kernel and the NumPy moments are one function, written twice."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading

import mpmath as mp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import logit_stats as ls
from logit_stats.design.block import Block
from logit_stats.errors import DataError
from logit_stats.estimation import row_passes
from logit_stats.likelihoods import kernel
from logit_stats.likelihoods.moments import Moments, block_moments, working_columns
from logit_stats.likelihoods.rows import probability, variance

needs_kernel = pytest.mark.skipif(not kernel.available(), reason="the kernel is not built (no C compiler)")

LAYOUTS = ("C", "F", "strided", "reversed", "every third row", "rows a page apart")


def instruction_sets() -> dict[int, str]:
    return kernel._kernel.instruction_sets() if kernel.available() else {0: "none"}


@pytest.fixture(params=list(instruction_sets().items()), ids=lambda item: item[1])
def instruction_set(request, monkeypatch) -> int:
    """Each instruction set of this processor in turn, not only the best."""
    monkeypatch.setattr(kernel, "_instruction_set", lambda: request.param)
    return request.param[0]


def laid_out(X: np.ndarray, layout: str) -> np.ndarray:
    if layout == "C":
        return np.ascontiguousarray(X)
    if layout == "strided":
        return np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]
    if layout == "reversed":
        return np.asfortranarray(X[::-1, ::-1])[::-1, ::-1]
    if layout == "every third row":
        return np.asfortranarray(np.repeat(X, 3, axis=0))[::3]
    if layout == "rows a page apart":  # columns a multiple of 4096 bytes apart
        wide = np.zeros((X.shape[1], -(-max(len(X), 1) // 512) * 512)).T
        wide[: len(X)] = X
        return wide[: len(X)]
    return np.asfortranarray(X)


def a_block(rng, rows: int, k: int, size: float, layout: str, counts=False, weighted=False, offset=False):
    X = laid_out(rng.normal(size=(rows, k)), layout)
    trials = rng.integers(1, 6, rows).astype(float)
    y = rng.binomial(trials.astype(int), 0.5).astype(float) if counts else rng.integers(0, 2, rows).astype(float)
    block = Block(
        X, y, trials if counts else None, rng.integers(0, 4, rows).astype(float) if weighted else None,
        np.repeat(rng.normal(size=rows) * size, 2)[::2] if offset else None,
    )  # fmt: skip
    return block, rng.normal(size=k) * size / np.sqrt(k)


def assert_same_moments(ours: Moments, reference: Moments, block: Block, gamma, center=None, scale=None) -> None:
    """To the rounding of the linear predictor, relative to the sum of the terms' absolute values."""
    Z = working_columns(block.X, center, scale)
    known = np.zeros(len(Z)) if block.offset is None else block.offset
    weight = np.ones(len(Z)) if block.weight is None else block.weight
    trials = np.ones(len(Z)) if block.trials is None else block.trials
    eta = Z @ gamma + known
    rounding = 1e-14 * (1.0 + (np.abs(Z) @ np.abs(gamma) + np.abs(known)).max(initial=0.0))
    # y (1 - p) - (m - y) p cancels where the share of successes is p
    residual = weight * (block.successes * probability(-eta) + (trials - block.successes) * probability(eta))
    information = weight * trials * variance(eta)

    assert abs(ours.loglik - reference.loglik) <= rounding * (abs(reference.loglik) + residual.sum()) + 1e-300
    assert (np.abs(ours.score - reference.score) <= rounding * (np.abs(Z).T @ residual) + 1e-300).all()
    terms = np.abs(Z).T @ (np.abs(Z) * information[:, None])
    assert (np.abs(ours.information - reference.information) <= rounding * terms + 1e-300).all()
    assert_array_equal(ours.information, ours.information.T)
    assert abs(ours.max_abs_eta - reference.max_abs_eta) <= rounding


def agree(block: Block, gamma, center=None, scale=None) -> None:
    ours, reference = kernel.kernel_moments(block, gamma, center, scale), block_moments(block, gamma, center, scale)
    assert_same_moments(ours, reference, block, gamma, center, scale)
    alone = kernel.fast_score(block, gamma, center, scale)
    again = Moments(alone.loglik, alone.score, ours.information, alone.max_abs_eta)
    assert_same_moments(again, reference, block, gamma, center, scale)


@needs_kernel
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 700), st.integers(1, 40), st.sampled_from([1e-9, 0.1, 1.0, 30.0, 800.0]), st.sampled_from(LAYOUTS),
    st.booleans(), st.booleans(), st.booleans(), st.integers(0, 10**6),
)  # fmt: skip
def test_agrees_with_numpy(instruction_set, rows, k, size, layout, counts, weighted, offset, seed):
    rng = np.random.default_rng(seed)
    block, gamma = a_block(rng, rows, k, size, layout, counts, weighted, offset)
    center, scale = rng.normal(size=k), np.exp2(rng.integers(-3, 4, k))
    agree(block, gamma)
    agree(block, gamma, center, scale)
    agree(block, gamma, np.where(np.arange(k) % 2, center, 0.0), None)
    agree(block, gamma, None, scale)


@needs_kernel
@pytest.mark.parametrize("layout", ["F", "C"])
@pytest.mark.parametrize("rows", [1, 7, 8, 383, 384, 385, 1500])
@pytest.mark.parametrize("k", [*range(1, 14), 50, 97, 200])
def test_every_remainder_of_tiles_and_register_blocks(instruction_set, rows, k, layout):
    block, gamma = a_block(np.random.default_rng(k), rows, k, 1.0, layout)
    agree(block, gamma)


@pytest.mark.parametrize("counts", [False, True])
def test_score_alone_by_numpy(monkeypatch, counts):
    block, gamma = a_block(np.random.default_rng(2), 9000, 5, 1.0, "C", counts, True, True)
    center, scale = np.full(5, 0.3), np.full(5, 2.0)
    monkeypatch.setattr(kernel, "_kernel", None)
    alone, reference = kernel.fast_score(block, gamma, center, scale), block_moments(block, gamma, center, scale)
    again = Moments(alone.loglik, alone.score, reference.information, alone.max_abs_eta)
    assert_same_moments(again, reference, block, gamma, center, scale)


@needs_kernel
def test_where_blas_takes_over_the_moments_are_the_same():
    block, gamma = a_block(np.random.default_rng(4), 9000, kernel.BLAS_COLUMNS + 3, 1.0, "F", True, True, True)
    center = np.full(len(gamma), 0.5)
    for moved in (None, center):
        ours = kernel.fast_moments(block, gamma, moved)
        assert_same_moments(ours, block_moments(block, gamma, moved), block, gamma, moved)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 500), st.integers(1, 30), st.sampled_from(LAYOUTS), st.booleans(), st.integers(0, 10**6))
def test_weighted_gram_and_linear_predictor(instruction_set, rows, k, layout, moved, seed):
    rng = np.random.default_rng(seed)
    block, gamma = a_block(rng, rows, k, 1.0, layout, offset=True)
    w = rng.normal(size=rows)
    center, scale = (rng.normal(size=k), np.exp2(rng.integers(-3, 4, k))) if moved else (None, None)
    Z = working_columns(block.X, center, scale)
    gram = kernel.weighted_gram(block.X, w, center, scale)
    bound = np.abs(Z).T @ (np.abs(Z) * np.abs(w)[:, None])
    assert (np.abs(gram - Z.T @ (Z * w[:, None])) <= 1e-13 * bound).all()
    assert_array_equal(gram, gram.T)

    out = np.empty(rows)
    eta = kernel.linear_predictor(block.X, gamma, block.offset, center, scale, out)
    assert eta is out
    bound = np.abs(Z) @ np.abs(gamma) + np.abs(block.offset)
    assert (np.abs(eta - (block.offset + Z @ gamma)) <= 1e-13 * bound).all()
    plain = kernel.linear_predictor(block.X, gamma, None, center, scale)
    assert (np.abs(plain - Z @ gamma) <= 1e-13 * bound).all()


@needs_kernel
def test_large_work_on_threads_is_that_of_one_thread():
    rng = np.random.default_rng(8)
    block, gamma = a_block(rng, 120_000, 9, 1.0, "F", offset=True)
    w = rng.normal(size=120_000)
    before = kernel.threads()
    try:
        ls.set_threads(1)
        gram, eta = kernel.weighted_gram(block.X, w), kernel.linear_predictor(block.X, gamma, block.offset)
        ls.set_threads(3)
        assert_allclose(kernel.weighted_gram(block.X, w), gram, rtol=1e-10, atol=1e-9)
        assert_array_equal(kernel.linear_predictor(block.X, gamma, block.offset), eta)
    finally:
        ls.set_threads(before)


@needs_kernel
def test_exp_and_log1p_are_right_to_two_units(instruction_set):
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [
            -np.logspace(-300, 2.9, 1500),
            -rng.uniform(0, 700, 1500),
            -rng.uniform(700, 750, 992),
            [0.0, -0.0, -708.4, -745.0, -745.2, -1e4, -np.inf, -1e-310],
        ]
    )
    got, logs = np.empty_like(x), np.empty_like(x)
    kernel._kernel.functions(instruction_set, x, got, logs)
    with mp.workdps(40):
        assert max(units_off(ours, mp.exp(mp.mpf(v))) for v, ours in zip(x, got, strict=True)) <= 2
    e = np.concatenate([rng.uniform(0, 1, 2000), np.logspace(-300, 0, 1998), [0.0, 5e-324]])
    kernel._kernel.functions(instruction_set, e, np.empty(4000), logs := np.empty(4000))
    with mp.workdps(400):
        assert max(units_off(ours, mp.log1p(mp.mpf(v))) for v, ours in zip(e, logs, strict=True)) <= 2


def units_off(ours: float, exact: mp.mpf) -> float:
    """Distance in units in the last place of the exact value; denormal values have the unit 2**-1074."""
    unit = max(float(np.spacing(float(exact))), 5e-324)
    return float(abs(mp.mpf(float(ours)) - exact) / unit)


@needs_kernel
@pytest.mark.parametrize("distance", [0.0, 1.0, 3.0, 3.5, 8.0, 20.0, 40.0, 700.0])
@pytest.mark.parametrize("rows", [5, 1000])
def test_the_log_likelihood_keeps_its_digits_however_small_it_is(instruction_set, rows, distance):
    eta = distance + np.random.default_rng(5).uniform(0, 1, rows)
    sign = np.where(np.arange(rows) % 3 == 0, -1.0, 1.0)
    block = Block((eta * sign)[:, None], (sign > 0) * 1.0)
    exact = -math.fsum(math.log1p(math.exp(-t)) for t in eta)
    assert_allclose(kernel.kernel_moments(block, np.ones(1)).loglik, exact, rtol=1e-13)


@needs_kernel
@pytest.mark.parametrize("trials", [None, np.full(3, 4.0)])
def test_small_residuals_are_computed_as_small_numbers(instruction_set, trials):
    eta = np.array([40.0, 300.0, 700.0])
    m = 1.0 if trials is None else 4.0
    got = kernel.kernel_moments(Block(np.diag(eta), np.full(3, m), trials), np.ones(3))
    assert_allclose(got.score, m * eta * np.exp(-eta), rtol=1e-13)
    got = kernel.kernel_moments(Block(np.diag(-eta), np.zeros(3), trials), np.ones(3))
    assert_allclose(got.score, m * eta * np.exp(-eta), rtol=1e-13)


@needs_kernel
def test_threads_give_the_same_sums_and_repeat():
    block, gamma = a_block(np.random.default_rng(2), 200_000, 6, 1.0, "F")
    single = kernel.kernel_moments(block, gamma)
    before = kernel.threads()
    try:
        for n in (1, 2, 3, 4):
            ls.set_threads(n)
            first, again = kernel.fast_moments(block, gamma), kernel.fast_moments(block, gamma)
            assert first.loglik == again.loglik
            assert_array_equal(first.score, again.score)
            assert_array_equal(first.information, again.information)
            assert_same_moments(first, single, block, gamma)
    finally:
        ls.set_threads(before)
    with pytest.raises(DataError, match="1 or more"):
        ls.set_threads(0)


@needs_kernel
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_has_threads_of_its_own():
    code = (
        "import os, numpy as np, warnings; warnings.simplefilter('ignore'); import logit_stats as ls\n"
        "from logit_stats.estimation import row_passes; from logit_stats.likelihoods import kernel; ls.set_threads(2)\n"
        "X = np.ones((300_000, 4)); w = np.ones(300_000); kernel.weighted_gram(X, w)\n"
        "child = os.fork()\n"
        "if child == 0: os._exit(0 if kernel.weighted_gram(X, w)[0, 0] == 300_000 else 1)\n"
        "raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@needs_kernel
def test_the_interpreter_goes_on_meanwhile():
    block, gamma = a_block(np.random.default_rng(3), 400_000, 20, 1.0, "F")
    done, ticks = threading.Event(), []

    def work():
        for _ in range(5):
            kernel.kernel_moments(block, gamma)
        done.set()

    worker = threading.Thread(target=work)
    worker.start()
    while not done.is_set():
        ticks.append(1)
    worker.join()
    assert len(ticks) > 1000


@needs_kernel
def test_denormal_numbers_still_work_afterwards():
    ls.logit("y ~ x", ls.datasets.load("ten_points")).fit()
    tiny = np.array([1e-310])
    assert (tiny * 0.5)[0] > 0


def passes(X, codes, count, u, root, block, eta, center, scale):
    return (
        row_passes.quadratic_form(X, root, center, scale),
        row_passes.sums_by_code(X, codes, count, u, center, scale),
        row_passes.loglik_rows(block, eta),
    )


@needs_kernel
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("rows", "k"), [(0, 1), (1, 1), (7, 3), (384, 5), (385, 12), (1000, 33)])
def test_other_passes_agree_with_numpy(instruction_set, monkeypatch, rows, k, layout):
    rng = np.random.default_rng(rows + k)
    block, _ = a_block(rng, rows, k, 1.0, layout, counts=k % 2 == 0)
    codes, u, eta = rng.integers(0, 4, rows), rng.normal(size=rows), rng.normal(size=rows) * 20.0
    for root in (rng.normal(size=(k, k)), np.linalg.cholesky(np.eye(k) + 0.1), np.ones((k, 1)), np.zeros((k, 2))):
        for center, scale in ((None, None), (rng.normal(size=k), rng.uniform(0.5, 2.0, k))):
            arguments = (block.X, codes, 4, u, root, block, eta, center, scale)
            ours = passes(*arguments)
            with monkeypatch.context() as without:
                without.setattr(kernel, "_kernel", None)
                reference = passes(*arguments)
            for one, other in zip(ours, reference, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12 * (1.0 + np.abs(other).max(initial=0.0)))


@pytest.mark.parametrize("compiled", [pytest.param(True, marks=needs_kernel), False])
def test_other_passes_are_what_they_say(monkeypatch, compiled):
    if not compiled:
        monkeypatch.setattr(kernel, "_kernel", None)
    rng = np.random.default_rng(3)
    X, root, u, codes = rng.normal(size=(50, 4)), rng.normal(size=(4, 4)), rng.normal(size=50), rng.integers(0, 3, 50)
    np.testing.assert_allclose(row_passes.quadratic_form(X, root), np.diag(X @ root @ root.T @ X.T), rtol=1e-12)
    by_hand = np.array([(X[codes == code] * u[codes == code, None]).sum(axis=0) for code in range(3)])
    np.testing.assert_allclose(row_passes.sums_by_code(X, codes, 3, u), by_hand, rtol=1e-12, atol=1e-14)
    eta = np.array([-800.0, -3.0, 0.0, 40.0, 800.0])
    likely, unlikely = row_passes.loglik_rows(Block(X[:5], np.array([0.0, 0, 1, 1, 1])), eta), -3.0486
    np.testing.assert_allclose(likely, [0.0, -np.log1p(np.exp(-3.0)), -np.log(2.0), -np.exp(-40.0), 0.0], rtol=1e-14)
    assert row_passes.loglik_rows(Block(X[:1], np.ones(1)), eta[1:2])[0] == pytest.approx(unlikely, abs=1e-4)


@needs_kernel
def test_wrong_buffers_are_refused():
    number, _ = kernel._instruction_set()
    X, y, gamma, g, S = np.ones((5, 2)), np.ones(5), np.ones(2), np.empty(2), np.empty((2, 2))

    def call(X=X, y=y, weight=None, gamma=gamma, eta=None, score=g, information=S, which=number, codes=None, root=None,
             terms=None, form=None, code_sums=None):  # fmt: skip
        kernel._kernel.rows(
            which, X, y, None, weight, None, codes, gamma, None, None, root, eta, None, None, terms, form, score,
            information, code_sums,
        )  # fmt: skip

    call()
    for wrong, message in [
        ({"y": np.ones(4)}, "length"),
        ({"gamma": np.ones(3)}, "length"),
        ({"score": np.ones(1)}, "length"),
        ({"information": np.ones((2, 3))}, "length"),
        ({"X": X.astype(np.float32)}, "float64"),
        ({"X": y}, "dimension"),
        ({"weight": np.ones(5, dtype=np.int64)}, "float64"),
        ({"gamma": None}, "gamma"),
        ({"y": None}, "successes"),
        ({"y": None, "score": None}, "weights"),
        ({"which": 99}, "instruction set"),
        ({"codes": np.arange(5)}, "code_sums"),
        ({"codes": np.arange(5), "code_sums": np.zeros((4, 2))}, "outside"),
        ({"codes": np.array([0, 1, -1, 0, 0]), "code_sums": np.zeros((4, 2))}, "outside"),
        ({"codes": np.arange(4), "code_sums": np.zeros((5, 2))}, "length"),
        ({"codes": np.arange(5), "code_sums": np.zeros((5, 3))}, "length"),
        ({"codes": np.ones(5), "code_sums": np.zeros((5, 2))}, "int64"),
        ({"root": np.ones((1, 2))}, "form"),
        ({"root": np.ones((1, 3)), "form": np.ones(5)}, "length"),
        ({"root": np.ones((1, 2)), "form": np.ones(4)}, "length"),
        ({"y": None, "score": None, "information": None, "terms": np.ones(5)}, "successes"),
    ]:
        with pytest.raises(ValueError, match=message):
            call(**wrong)
    with pytest.raises((BufferError, ValueError)):
        call(information=np.ones((4, 4))[::2, ::2])
    frozen = np.ones(2)
    frozen.flags.writeable = False
    with pytest.raises((BufferError, ValueError)):
        call(score=frozen)


@needs_kernel
@pytest.mark.parametrize("rows", [1, 5, 384])
@pytest.mark.parametrize("counts", [False, True])
def test_not_a_number_comes_out_as_such(instruction_set, rows, counts):
    X = np.ones((rows, 2))
    X[-1, 0] = np.nan
    trials = np.full(rows, 2.0) if counts else None
    got = kernel.kernel_moments(Block(X, np.ones(rows), trials), np.array([1.0, 0.0]))
    assert np.isnan(got.loglik)
    assert np.isnan(got.max_abs_eta)


@needs_kernel
def test_an_infinite_predictor_is_no_accident(instruction_set):
    X = np.ones((3, 1))
    right, wrong = Block(X, np.ones(3)), Block(X, np.zeros(3))
    assert kernel.kernel_moments(right, np.array([np.inf])).loglik == 0.0
    assert kernel.kernel_moments(wrong, np.array([np.inf])).loglik == -np.inf
    assert kernel.kernel_moments(wrong, np.array([np.inf])).max_abs_eta == np.inf


def test_without_the_kernel_the_answers_are_the_same():
    code = (
        "import sys; sys.modules['logit_stats.likelihoods._kernel'] = None\n"
        "import numpy as np, logit_stats as ls; from logit_stats.estimation import row_passes\n"
        "from logit_stats.likelihoods import kernel\n"
        "assert not kernel.available() and kernel.description() == 'NumPy'\n"
        "res = ls.logit('low ~ age + lwt + race + smoke', ls.datasets.load('birthwt')).fit()\n"
        "X = np.arange(12.0).reshape(4, 3); w = np.arange(4.0)\n"
        "print(repr(res.params.tolist())); print(repr(res.bse.tolist())); print(repr(res.llf))\n"
        "print(repr(kernel.weighted_gram(X, w, w[:3], w[1:]).tolist()))\n"
        "print(repr(kernel.linear_predictor(X, w[1:], w, w[:3], w[1:]).tolist()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    params, bse, llf, gram, eta = (eval(line) for line in done.stdout.splitlines())
    res = ls.logit("low ~ age + lwt + race + smoke", ls.datasets.load("birthwt")).fit()
    assert_allclose(res.params, params, rtol=1e-10)
    assert_allclose(res.bse, bse, rtol=1e-10)
    assert_allclose(res.llf, llf, rtol=1e-13)
    X, w = np.arange(12.0).reshape(4, 3), np.arange(4.0)
    Z = (X - w[:3]) * w[1:]
    assert_array_equal(gram, Z.T @ np.diag(w) @ Z)
    assert_array_equal(eta, w + Z @ w[1:])


def test_the_environment_variable_is_read_and_checked(monkeypatch):
    monkeypatch.setattr(kernel, "_threads", None)
    monkeypatch.setenv("LOGIT_STATS_THREADS", "3")
    assert kernel.threads() == 3
    monkeypatch.setenv("LOGIT_STATS_THREADS", "many")
    with pytest.raises(DataError, match="LOGIT_STATS_THREADS"):
        kernel.threads()


def test_sums_within_sums_do_not_wait_for_one_another():
    def inner(number: int) -> int:
        return kernel.summed([number, number, number], lambda one: one)

    found: list[int] = []
    outer = threading.Thread(target=lambda: found.append(kernel.summed([1, 2, 3], inner)), daemon=True)
    outer.start()
    outer.join(20.0)
    assert found == [18]
