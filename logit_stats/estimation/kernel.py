"""The compiled kernel: the moments of moments.py, one walk over the rows, on one thread or several.

The kernel is built by pip where there is a C compiler and left out where there is none; the answers are the same. Threads
split the rows into equal ranges, and their sums are added in the order of the rows: for a given number of threads the
result repeats bit by bit.
"""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.errors import DataError
from logit_stats.estimation.moments import Moments, block_moments

try:
    from logit_stats.estimation import _kernel
except ImportError:
    _kernel = None  # type: ignore[assignment]

# Multiplications of the Gram matrix (rows k²) below which starting a thread costs more than it saves.
THREAD_WORK = 2_000_000
# Rows of a range: threads do not share a cache line, and no range is trivial.
RANGE_ROWS = 1024

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
    if _kernel is None:
        return "NumPy"
    _, name = _instruction_set()
    return f"compiled ({name}), up to {threads()} thread{'s' if threads() > 1 else ''}"


@cache
def _instruction_set() -> tuple[int, str]:
    sets: dict[int, str] = _kernel.instruction_sets()
    number = next(iter(sets))
    return number, sets[number]


def fast_moments(
    block: Block, gamma: FloatArray, center: FloatArray | None = None, scale: FloatArray | None = None
) -> Moments:
    """Moments of one block, as `block_moments`, by the fastest implementation there is."""
    if _kernel is None:
        return block_moments(block, gamma, center, scale)
    rows, k = block.X.shape
    parts = min(rows // RANGE_ROWS, rows * k * k // THREAD_WORK)
    parts = min(parts, threads()) if parts > 1 else 1
    if parts < 2:
        return kernel_moments(block, gamma, center, scale)
    edges = np.linspace(0, rows, parts + 1).astype(int)
    pieces = [_rows(block, slice(int(a), int(b))) for a, b in itertools.pairwise(edges)]
    others = [_pool(parts - 1).submit(kernel_moments, piece, gamma, center, scale) for piece in pieces[1:]]
    total = kernel_moments(pieces[0], gamma, center, scale)
    for other in others:
        total = total + other.result()
    return total


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="logit_stats")


def _rows(block: Block, rows: slice) -> Block:
    return Block(
        block.X[rows],
        block.successes[rows],
        None if block.trials is None else block.trials[rows],
        None if block.weight is None else block.weight[rows],
        None if block.offset is None else block.offset[rows],
    )


def kernel_moments(
    block: Block, gamma: FloatArray, center: FloatArray | None = None, scale: FloatArray | None = None
) -> Moments:
    """Moments of one block by the compiled kernel on one thread; parameters and result as for `block_moments`."""
    number, _ = _instruction_set()
    k = block.X.shape[1]
    score, information = np.zeros(k), np.zeros((k, k))
    loglik, largest = _kernel.rows(
        number, block.X, block.successes, block.trials, block.weight, block.offset,
        np.ascontiguousarray(gamma), center, scale, None, None, None, score, information,
    )  # fmt: skip
    return Moments(loglik, score, information, largest)
