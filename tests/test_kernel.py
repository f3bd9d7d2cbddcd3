"""The compiled kernel and the NumPy moments are one function, written twice."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import logit_stats as ls
from logit_stats.design.block import Block
from logit_stats.errors import DataError
from logit_stats.estimation import kernel
from logit_stats.estimation.moments import block_moments

needs_kernel = pytest.mark.skipif(not kernel.available(), reason="the kernel is not built (no C compiler)")

LAYOUTS = ("C", "F", "strided", "reversed")


def laid_out(X: np.ndarray, layout: str) -> np.ndarray:
    if layout == "F":
        return np.asfortranarray(X)
    if layout == "strided":
        return np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]
    return X[::-1].copy()[::-1] if layout == "reversed" else X


def a_block(rng, rows: int, k: int, size: float, layout: str, counts: bool, weighted: bool, offset: bool) -> tuple:
    X = laid_out(rng.normal(size=(rows, k)), layout)
    trials = rng.integers(1, 6, rows).astype(float)
    y = rng.binomial(trials.astype(int), 0.5).astype(float) if counts else rng.integers(0, 2, rows).astype(float)
    block = Block(
        X, y, trials if counts else None, rng.integers(0, 4, rows).astype(float) if weighted else None,
        rng.normal(size=rows) * size if offset else None,
    )  # fmt: skip
    return block, rng.normal(size=k) * size / np.sqrt(k)


def agree(block: Block, gamma: np.ndarray, center=None, scale=None) -> None:
    ours, reference = kernel.kernel_moments(block, gamma, center, scale), block_moments(block, gamma, center, scale)
    rows = max(1, len(block.successes))
    assert_allclose(ours.loglik, reference.loglik, rtol=1e-11, atol=1e-13 * rows)
    size = np.sqrt(np.maximum(reference.information.diagonal(), 1e-300))
    assert_allclose(ours.information / size / size[:, None], reference.information / size / size[:, None], atol=1e-11)
    assert_allclose(
        ours.score, reference.score, rtol=1e-9, atol=1e-11 * rows * max(1.0, np.abs(block.X).max(initial=0))
    )
    assert ours.max_abs_eta == pytest.approx(reference.max_abs_eta, rel=1e-12)


@needs_kernel
@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 700), st.integers(1, 40), st.sampled_from([0.1, 1.0, 30.0, 800.0]), st.sampled_from(LAYOUTS),
    st.booleans(), st.booleans(), st.booleans(), st.integers(0, 10**6),
)  # fmt: skip
def test_agrees_with_numpy(rows, k, size, layout, counts, weighted, offset, seed):
    rng = np.random.default_rng(seed)
    block, gamma = a_block(rng, rows, k, size, layout, counts, weighted, offset)
    agree(block, gamma)
    agree(block, gamma, rng.normal(size=k), np.exp2(rng.integers(-3, 4, k)))


@needs_kernel
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 50, 97, 200])
@pytest.mark.parametrize("rows", [1, 255, 256, 257, 1500])
def test_every_remainder_of_tiles_and_register_blocks(rows, k):
    block, gamma = a_block(np.random.default_rng(k), rows, k, 1.0, "F", False, False, False)
    agree(block, gamma)


@needs_kernel
def test_exp_and_log1p_are_right_to_two_units():
    import mpmath as mp

    number, _ = kernel._instruction_set()
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [
            -np.logspace(-300, 2.9, 2000),
            -rng.uniform(0, 745, 2000),
            [0.0, -708.4, -745.0, -1e4, -np.inf, -0.0, -1e-310, -30],
        ]
    )
    got, logs = np.empty_like(x), np.empty_like(x)
    kernel._kernel.functions(number, x, got, logs)
    with mp.workdps(40):
        for value, ours in zip(x, got, strict=True):
            exact = mp.exp(mp.mpf(float(value))) if np.isfinite(value) else mp.mpf(0)
            unit = max(np.spacing(float(exact)), 5e-324)
            assert abs(mp.mpf(float(ours)) - exact) <= 2 * unit, value
    unit_interval = np.concatenate([rng.uniform(0, 1, 2000), np.logspace(-300, 0, 2000)])
    kernel._kernel.functions(number, unit_interval, np.empty(4000), logs := np.empty(4000))
    assert_allclose(logs, np.log1p(unit_interval), rtol=5e-16)


@needs_kernel
def test_threads_give_the_same_sums_and_repeat():
    block, gamma = a_block(np.random.default_rng(2), 200_000, 6, 1.0, "F", False, False, False)
    single = kernel.kernel_moments(block, gamma)
    before = kernel.threads()
    try:
        for n in (1, 2, 3, 4):
            ls.set_threads(n)
            first, again = kernel.fast_moments(block, gamma), kernel.fast_moments(block, gamma)
            assert first.loglik == again.loglik
            assert_array_equal(first.information, again.information)
            assert_allclose(first.loglik, single.loglik, rtol=1e-13)
            assert_allclose(first.information, single.information, rtol=1e-10, atol=1e-9)
    finally:
        ls.set_threads(before)
    with pytest.raises(DataError, match="1 or more"):
        ls.set_threads(0)


@needs_kernel
def test_the_interpreter_goes_on_meanwhile():
    block, gamma = a_block(np.random.default_rng(3), 400_000, 20, 1.0, "F", False, False, False)
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


@needs_kernel
def test_wrong_buffers_are_refused():
    number, _ = kernel._instruction_set()
    X, y = np.ones((5, 2)), np.ones(4)
    with pytest.raises(ValueError, match="length"):
        kernel._kernel.rows(
            number, X, y, None, None, None, np.ones(2), None, None, None, None, None, np.ones(2), np.ones((2, 2))
        )
    with pytest.raises((TypeError, ValueError)):
        kernel._kernel.rows(number, X.astype(np.float32), np.ones(5), None, None, None, np.ones(2), None, None, None, None, None,
                            np.ones(2), np.ones((2, 2)))  # fmt: skip


@needs_kernel
def test_not_a_number_comes_out_as_such():
    X = np.ones((5, 2))
    for eta in (np.nan, np.inf):
        got = kernel.kernel_moments(Block(X, np.ones(5)), np.array([eta, 0.0]))
        assert np.isnan(got.loglik) or got.loglik <= 0


def test_without_the_kernel_the_answers_are_the_same():
    code = (
        "import sys; sys.modules['logit_stats.estimation._kernel'] = None\n"
        "import logit_stats as ls; from logit_stats.estimation import kernel\n"
        "assert not kernel.available() and kernel.description() == 'NumPy'\n"
        "res = ls.logit('low ~ age + lwt + race + smoke', ls.datasets.load('birthwt')).fit()\n"
        "print(repr(res.params.tolist())); print(repr(res.bse.tolist())); print(repr(res.llf))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    params, bse, llf = (eval(line) for line in done.stdout.splitlines())
    res = ls.logit("low ~ age + lwt + race + smoke", ls.datasets.load("birthwt")).fit()
    assert_allclose(res.params, params, rtol=1e-10)
    assert_allclose(res.bse, bse, rtol=1e-10)
    assert_allclose(res.llf, llf, rtol=1e-13)


def test_the_environment_variable_is_read_and_checked(monkeypatch):
    monkeypatch.setattr(kernel, "_threads", None)
    monkeypatch.setenv("LOGIT_STATS_THREADS", "3")
    assert kernel.threads() == 3
    monkeypatch.setenv("LOGIT_STATS_THREADS", "many")
    with pytest.raises(DataError, match="LOGIT_STATS_THREADS"):
        kernel.threads()
