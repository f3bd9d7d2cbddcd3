"""Time of one pass over the rows, beside what the machine can do.

Run ``python benchmarks/kernel_pass.py [--bytes N] [--repeats R]``. For each number of columns k the table gives nanoseconds per
row and pass: the kernel on one thread and on two, NumPy's moments, and the limit, which is the larger of

    bytes of the design (8 k a row) / memory read bandwidth,   and
    multiplications and additions / BLAS peak, where a row takes k (k + 1) for one triangle of the information, 2 k each for
    score and linear predictor, and k for the weights,

both measured on one thread in the same run. Columns are contiguous and in memory, not in cache.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from timing import fastest

import logit_stats as ls
from logit_stats.design.block import Block
from logit_stats.likelihoods import kernel
from logit_stats.likelihoods.moments import block_moments

COLUMNS = (2, 4, 10, 20, 50, 100, 200)


def read_bandwidth(repeats: int) -> float:
    """Bytes per second of the fastest way NumPy has to read an array far larger than the caches."""
    x = np.ones(25_000_000)
    return x.nbytes / min(fastest(x.max, repeats), fastest(x.sum, repeats), fastest(lambda: x @ x, repeats))


def blas_peak(repeats: int) -> float:
    """Multiplications and additions per second of a matrix product."""
    a = np.random.default_rng(0).normal(size=(1200, 1200))
    out = np.empty_like(a)
    return 2 * 1200**3 / fastest(lambda: np.matmul(a, a, out=out), repeats)


def on_threads(n: int, work: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> None:
        ls.set_threads(n)
        work()

    return run


def passes(size: float = 160e6, repeats: int = 9) -> Iterator[str]:
    """Lines of a table: nanoseconds per row and pass, and the limits of the machine."""
    bandwidth, peak = read_bandwidth(repeats), blas_peak(repeats)
    yield f"Kernel {kernel.description()}; memory read {bandwidth / 1e9:.1f} GB/s, BLAS {peak / 1e9:.1f} GFLOP/s, on one thread."
    yield ""
    yield "| k | rows | 1 thread | 2 threads | score alone | NumPy | limit | 1 thread / limit |"
    yield "|---|---|---|---|---|---|---|---|"
    rng = np.random.default_rng(1)
    for k in COLUMNS:
        rows = int(min(2e6, size / (8 * k)))
        X = rng.normal(size=(k, rows)).T
        gamma = rng.normal(size=k) / np.sqrt(k)
        block = Block(X, (rng.random(rows) < 0.5) * 1.0)
        moments = lambda b=block, g=gamma: kernel.fast_moments(b, g)  # noqa: E731
        alone = lambda b=block, g=gamma: kernel.fast_score(b, g)  # noqa: E731
        one, two = (fastest(on_threads(n, moments), repeats) / rows * 1e9 for n in (1, 2))
        score = fastest(on_threads(1, alone), repeats) / rows * 1e9
        numpy = fastest(lambda b=block, g=gamma: block_moments(b, g), 3) / rows * 1e9
        limit = max(8 * k / bandwidth, (k * (k + 1) + 5 * k) / peak) * 1e9
        shown = [
            str(k),
            f"{rows:,}",
            f"{one:.2f}",
            f"{two:.2f}",
            f"{score:.2f}",
            f"{numpy:.1f}",
            f"{limit:.2f}",
            f"{one / limit:.2f}",
        ]
        yield "| " + " | ".join(shown) + " |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bytes", type=float, default=160e6, help="size of the design")
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    for line in passes(arguments.bytes, arguments.repeats):
        print(line, flush=True)


if __name__ == "__main__":
    main()
