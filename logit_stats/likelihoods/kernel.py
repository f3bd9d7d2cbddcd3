"""The compiled kernel: the moments of moments.py, one walk over the rows, on one thread or several.

The kernel is built by pip where there is a C compiler and left out where there is none; the answers are the same. Threads
split the rows into equal ranges, and their sums are added in the order of the rows: for a given number of threads the
result repeats bit by bit.
"""

from __future__ import annotations

import itertools
import operator
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, reduce
from threading import current_thread
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.coded import coded
from logit_stats.errors import DataError
from logit_stats.likelihoods.coded_moments import coded_gram, coded_linear_predictor, coded_score
from logit_stats.likelihoods.moments import Moments, Score, block_moments, block_row_terms, working_columns

try:
    from logit_stats.likelihoods import _kernel
except ImportError:
    _kernel = None  # type: ignore[assignment]

THREAD_NAME = "logit_stats"
# Time in nanoseconds that a range must take for another thread to save more than it costs.
THREAD_TIME = 100_000.0
# What is around the sums of a pass and of the step that follows, in nanoseconds.
CALL_TIME = 50_000.0
# Cross-tables of codes take little time beside the linear predictor.
CODED_COST = 2.0
# Above this many columns the Gram matrix is left to BLAS, whose blocking reaches further than the second-level cache.
# Measured, one thread (AMD EPYC, AVX2), kernel / BLAS in microseconds per row: k = 100 0.32 / 0.40, 200 1.21 / 1.30,
# 250 2.04 / 1.98, 400 4.9 / 4.3, 1200 45 / 36.
BLAS_COLUMNS = 256
BLAS_ROWS = 4096

_threads: int | None = None


def set_threads(n: int) -> None:
    """Say how many threads may walk over the rows of a fit.

    The environment variable ``LOGIT_STATS_THREADS`` says it for a whole process; by default all processors are used.
    Small fits stay on one thread whatever the setting.

    Parameters
    ----------
    n : int
        1 or more.

    Raises
    ------
    DataError
        If n is less than 1.
    """
    global _threads  # noqa: PLW0603  the one setting of the package
    if n < 1:
        raise DataError(f"set_threads({n}): give 1 or more.")
    _threads = int(n)


def threads() -> int:
    """Return the number of threads in use."""
    if _threads is not None:
        return _threads
    given = os.environ.get("LOGIT_STATS_THREADS", "")
    if given:
        if not given.isdigit() or int(given) < 1:
            raise DataError(f"LOGIT_STATS_THREADS={given!r} must be a whole number, 1 or more.")
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available() -> bool:
    """Whether the compiled kernel is installed."""
    return _kernel is not None


def description() -> str:
    """Name of the implementation in use, and its instruction set."""
    if not available():
        return "NumPy"
    _, name = _instruction_set()
    return f"compiled ({name}), up to {threads()} thread{'s' if threads() > 1 else ''}"


@cache
def _instruction_set() -> tuple[int, str]:
    sets = _kernel.instruction_sets()
    number = next(iter(sets))
    return number, sets[number]


def walk(
    X: FloatArray,
    block: Block | None,
    gamma: FloatArray | None = None,
    center: FloatArray | None = None,
    scale: FloatArray | None = None,
    *,
    weight: FloatArray | None = None,
    offset: FloatArray | None = None,
    codes: NDArray[np.int64] | None = None,
    root: FloatArray | None = None,
    eta: FloatArray | None = None,
    residual: FloatArray | None = None,
    information_weight: FloatArray | None = None,
    terms: FloatArray | None = None,
    form: FloatArray | None = None,
    score: FloatArray | None = None,
    information: FloatArray | None = None,
    code_sums: FloatArray | None = None,
) -> tuple[float, float]:
    """One walk of the compiled kernel over some rows, which fills what is given to be filled.

    Parameters
    ----------
    X : (m, k)
        Columns; ``Z = (X - center) * scale`` are the working columns.
    block : Block or None
        Outcomes, trials, weights and offset of these rows, for row terms.
    gamma, center, scale : (k,) or None
    weight, offset : (m,), optional
        Where there is no block.
    codes : (m,) int64, optional
    root : (r, k), optional
    eta, residual, information_weight : (m,), to be filled
        Linear predictor; score residual and information weight, times the weight.
    terms : (m,), to be filled
        Log-likelihood of each row, without its weight.
    form : (m,), to be filled
        Quadratic form ``|root z|²``.
    score : (k,), to be filled
    information : (k, k), to be filled
        ``Z' diag(w) Z`` with the information weights, or without a block the weights.
    code_sums : (c, k), to be added to
        Sums of z times the residual, or without a block the weight, by code.

    Returns
    -------
    loglik, max_abs_eta : float
    """
    number, _ = _instruction_set()
    successes = trials = None
    if block is not None:
        successes, trials, weight, offset = block.successes, block.trials, block.weight, block.offset
    return _kernel.rows(
        number, X, successes, trials, weight, offset, codes,
        _contiguous(gamma), _contiguous(center), _contiguous(scale), _contiguous(root),
        eta, residual, information_weight, terms, form, score, information, code_sums,
    )  # fmt: skip


def fast_moments(
    block: Block, gamma: FloatArray, center: FloatArray | None = None, scale: FloatArray | None = None
) -> Moments:
    """Moments of one block, as `block_moments`, by the fastest implementation there is."""
    if coded(block.X) is not None:
        return _coded_block_moments(block, gamma, center, scale)
    if not available():
        return block_moments(block, gamma, center, scale)
    if block.X.shape[1] > BLAS_COLUMNS:
        return _moments_by_blas(block, gamma, center, scale)
    parts = ranges(len(block.successes), _gram_time(block.X.shape[1]))
    if len(parts) == 1:
        return kernel_moments(block, gamma, center, scale)
    return summed([block.at(part) for part in parts], lambda part: kernel_moments(part, gamma, center, scale))


def kernel_moments(
    block: Block, gamma: FloatArray, center: FloatArray | None = None, scale: FloatArray | None = None
) -> Moments:
    """Moments of one block by the compiled kernel on one thread; parameters and result as for `block_moments`."""
    if coded(block.X) is not None:
        return _coded_block_moments(block, gamma, center, scale)
    k = block.X.shape[1]
    score, information = np.empty(k), np.empty((k, k))
    loglik, largest = walk(block.X, block, gamma, center, scale, score=score, information=information)
    return Moments(loglik, score, information, largest)


def fast_score(
    block: Block, gamma: FloatArray, center: FloatArray | None = None, scale: FloatArray | None = None
) -> Score:
    """Moments of one block without the information, which is what takes most of the time where columns are many."""
    by_code = coded(block.X)
    if by_code is not None or not available():
        eta = linear_predictor(block.X, gamma, block.offset, center, scale)
        loglik, residual, _, largest = row_terms(block, eta)
        if by_code is not None:
            return Score(loglik, coded_score(by_code, residual, center, scale), largest)
        score = np.zeros(len(gamma))
        for start in range(0, len(residual), BLAS_ROWS):
            rows = slice(start, start + BLAS_ROWS)
            score += working_columns(block.X[rows], center, scale).T @ residual[rows]
        return Score(loglik, score, largest)
    parts = ranges(len(block.successes), _score_time(block.X.shape[1]))
    if len(parts) == 1:
        return kernel_score(block, gamma, center, scale)
    return summed([block.at(part) for part in parts], lambda part: kernel_score(part, gamma, center, scale))


def kernel_score(
    block: Block, gamma: FloatArray, center: FloatArray | None = None, scale: FloatArray | None = None
) -> Score:
    """Moments of one block without the information, by the compiled kernel on one thread."""
    score = np.empty(block.X.shape[1])
    loglik, largest = walk(block.X, block, gamma, center, scale, score=score)
    return Score(loglik, score, largest)


def row_terms(block: Block, eta: FloatArray) -> tuple[float, FloatArray, FloatArray, float]:
    """Log-likelihood, score residual and information weight of every row, and the largest |eta|."""
    if not available():
        return block_row_terms(block, eta)
    residual, weight = np.empty(len(eta)), np.empty(len(eta))
    known = Block(eta[:, None], block.successes, block.trials, block.weight)

    def of_range(part: slice) -> Score:
        of_part = known.at(part)
        loglik, largest = walk(
            of_part.X, of_part, np.ones(1), residual=residual[part], information_weight=weight[part]
        )  # fmt: skip
        return Score(loglik, np.empty(0), largest)

    sums = summed(ranges(len(eta), 3.0), of_range)
    return sums.loglik, residual, weight, sums.max_abs_eta


def _coded_block_moments(
    block: Block, gamma: FloatArray, center: FloatArray | None, scale: FloatArray | None
) -> Moments:
    X = coded(block.X)
    assert X is not None
    eta = coded_linear_predictor(X, gamma, block.offset, center, scale)
    loglik, residual, weight, largest = row_terms(block, eta)
    information = coded_gram(X, weight, center, scale, weighted_gram)
    return Moments(loglik, coded_score(X, residual, center, scale), information, largest)


def _moments_by_blas(block: Block, gamma: FloatArray, center: FloatArray | None, scale: FloatArray | None) -> Moments:
    """Moments with the row terms from the kernel and the products from BLAS, which brings its own threads."""
    rows, k = block.X.shape
    total = Moments(0.0, np.zeros(k), np.zeros((k, k)), 0.0)
    for start in range(0, rows, BLAS_ROWS):
        part = block.at(slice(start, start + BLAS_ROWS))
        residual, weight = np.empty(len(part.successes)), np.empty(len(part.successes))
        loglik, largest = walk(part.X, part, gamma, center, scale, residual=residual, information_weight=weight)
        Z = working_columns(part.X, center, scale)
        weighted = Z * np.sqrt(weight)[:, None]
        total += Moments(loglik, Z.T @ residual, weighted.T @ weighted, largest)
    return total


def weighted_gram(
    X: FloatArray, w: FloatArray, center: FloatArray | None = None, scale: FloatArray | None = None
) -> FloatArray:
    """Weighted Gram matrix ``Z' diag(w) Z`` of the working columns ``Z = (X - center) * scale``.

    Parameters
    ----------
    X : (m, k)
        Rows of a design, any strides.
    w : (m,)
        Weights of either sign.
    center, scale : (k,) or None
        None leaves X as it is.

    Returns
    -------
    (k, k)
        Symmetric.

    Examples
    --------
    >>> weighted_gram(np.array([[1.0, 2.0], [1.0, 4.0]]), np.array([1.0, 0.5]))
    array([[ 1.5,  4. ],
           [ 4. , 12. ]])
    """
    by_code = coded(X)
    if by_code is not None:
        return coded_gram(by_code, w, center, scale, weighted_gram)
    if not available() or X.shape[1] > BLAS_COLUMNS:
        total = np.zeros((X.shape[1], X.shape[1]))
        for start in range(0, len(X), BLAS_ROWS):
            Z = working_columns(X[start : start + BLAS_ROWS], center, scale)
            total += Z.T @ (Z * w[start : start + BLAS_ROWS, None])
        return (total + total.T) / 2.0

    def of_range(part: slice) -> FloatArray:
        gram = np.empty((X.shape[1], X.shape[1]))
        walk(X[part], None, None, center, scale, weight=w[part], information=gram)
        return gram

    return summed(ranges(len(X), _gram_time(X.shape[1])), of_range)


def linear_predictor(
    X: FloatArray,
    gamma: FloatArray,
    offset: FloatArray | None = None,
    center: FloatArray | None = None,
    scale: FloatArray | None = None,
    out: FloatArray | None = None,
) -> FloatArray:
    """Linear predictor ``offset + Z gamma`` of the working columns ``Z = (X - center) * scale``.

    Parameters
    ----------
    X : (m, k)
        Rows of a design, any strides.
    gamma : (k,)
        Coefficients of the working columns.
    offset : (m,) or None
        Known part.
    center, scale : (k,) or None
        None leaves X as it is.
    out : (m,) or None
        Contiguous array to write to.

    Returns
    -------
    (m,)

    Examples
    --------
    >>> linear_predictor(np.array([[1.0, 2.0], [1.0, 4.0]]), np.array([0.5, 1.0]))
    array([2.5, 4.5])
    """
    eta = np.empty(len(X)) if out is None else out
    by_code = coded(X)
    if by_code is not None:
        eta[:] = coded_linear_predictor(by_code, gamma, offset, center, scale)
        return eta
    if not available():
        for start in range(0, len(X), BLAS_ROWS):
            part = slice(start, start + BLAS_ROWS)
            np.matmul(working_columns(X[part], center, scale), gamma, out=eta[part])
        if offset is not None:
            eta += offset
        return eta

    def of_range(part: slice) -> int:
        known = None if offset is None else offset[part]
        walk(X[part], None, gamma, center, scale, offset=known, eta=eta[part])
        return 0

    summed(ranges(len(X), 0.2 * X.shape[1]), of_range)
    return eta


Part = TypeVar("Part")
Sum = TypeVar("Sum", Moments, Score, FloatArray, int)


def summed(parts: list[Part], function: Callable[[Part], Sum]) -> Sum:
    """Sum of `function` over the parts, each on a thread, added in the order of the parts.

    A thread of the pool does all its parts itself: waiting for another one, all might wait for ever.
    """
    if current_thread().name.startswith(THREAD_NAME):
        return reduce(operator.add, map(function, parts))
    others = [_pool(len(parts) - 1).submit(function, part) for part in parts[1:]]
    total = function(parts[0])
    for other in others:
        total = total + other.result()
    return total


def ranges(rows: int, time: float) -> list[slice]:
    """Ranges of rows for the threads, equal, for rows that take `time` nanoseconds each."""
    parts = max(1, min(int(rows * time / THREAD_TIME), threads())) if rows * time >= 2 * THREAD_TIME else 1
    edges = [rows * part // parts for part in range(parts + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(edges)]


def information_cost(X: FloatArray) -> float:
    """How many passes over these columns with the score alone take the time of one with the information, roughly."""
    rows, k = X.shape
    if coded(X) is not None:
        return CODED_COST
    return float((CALL_TIME + rows * _gram_time(k)) / (CALL_TIME + rows * _score_time(k)))


def _gram_time(k: int) -> float:
    """Time of a row of k columns in nanoseconds, roughly."""
    return _score_time(k) + 0.025 * k * k


def _score_time(k: int) -> float:
    """The same without the information."""
    return 2.5 + 0.5 * k


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix=THREAD_NAME)


if hasattr(os, "register_at_fork"):  # a forked process has the pool but not its threads, and would wait for them
    os.register_at_fork(after_in_child=_pool.cache_clear)


def _contiguous(vector: FloatArray | None) -> FloatArray | None:
    """Short vector side by side in memory, as the kernel takes it."""
    return None if vector is None else np.ascontiguousarray(vector, dtype=np.float64)
