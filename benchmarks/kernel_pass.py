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

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import logit_stats as ls
from logit_stats.design.block import Block
from logit_stats.estimation import kernel
from logit_stats.estimation.moments import block_moments

COLUMNS = (2, 4, 10, 20, 50, 100, 200)


def fastest(work: Callable[[], Any], repeats: int) -> float:
    """Seconds of the fastest of several runs: other work on the machine only ever adds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bytes", type=float, default=160e6, help="size of the design")
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    bandwidth, peak = read_bandwidth(arguments.repeats), blas_peak(arguments.repeats)
    print(f"kernel {kernel.description()}")
    print(f"memory read {bandwidth / 1e9:.1f} GB/s, BLAS {peak / 1e9:.1f} GFLOP/s, one thread\n")
    print("ns per row and pass")
    print(f"{'k':>4} {'rows':>9} {'1 thread':>9} {'2 threads':>10} {'NumPy':>8} {'limit':>8} {'1 thread / limit':>17}")
    rng = np.random.default_rng(1)
    for k in COLUMNS:
        rows = int(min(2e6, arguments.bytes / (8 * k)))
        X = rng.normal(size=(k, rows)).T
        gamma = rng.normal(size=k) / np.sqrt(k)
        block = Block(X, (rng.random(rows) < 0.5) * 1.0)
        moments = lambda b=block, g=gamma: kernel.fast_moments(b, g)  # noqa: E731
        one, two = (fastest(on_threads(n, moments), arguments.repeats) / rows * 1e9 for n in (1, 2))
        numpy = fastest(lambda b=block, g=gamma: block_moments(b, g), 3) / rows * 1e9
        limit = max(8 * k / bandwidth, (k * (k + 1) + 5 * k) / peak) * 1e9
        print(f"{k:>4} {rows:>9} {one:>9.2f} {two:>10.2f} {numpy:>8.1f} {limit:>8.2f} {one / limit:>17.2f}", flush=True)


if __name__ == "__main__":
    main()
