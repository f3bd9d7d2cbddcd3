"""A large fit, a small fit and a large formula, against statsmodels and patsy.

Run ``python benchmarks/fit_and_design.py [--rows N] [--pairs P]``.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import patsy
import statsmodels.api as sm

import logit_stats as ls
from logit_stats.design.formula import capture_scope
from logit_stats.design.from_formula import design_from_formula

FORMULA = "y ~ x0 + x1 + x2 + x3 + x4 + x5 + c + s"


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_mib(work: Callable[[], Any]) -> float:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def compare(label: str, ours: Callable[[], Any], theirs: Callable[[], Any], pairs: int) -> None:
    ours(), theirs()
    times = [(seconds(ours), seconds(theirs)) for _ in range(pairs)]
    ratio = median(b / a for a, b in times)
    print(
        f"{label:<58} {median(a for a, _ in times) * 1e3:>10.2f} ms {median(b for _, b in times) * 1e3:>10.2f} ms"
        f"  {ratio:>6.1f}x faster  peak {peak_mib(ours):>7.1f} / {peak_mib(theirs):>7.1f} MiB"
    )


def arrays(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    X = np.column_stack([np.ones(rows), rng.normal(size=(rows, columns - 1))])
    eta = X @ (rng.normal(size=columns) * 0.5)
    return (rng.random(rows) < 1.0 / (1.0 + np.exp(-eta))).astype(float), X


def table(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({f"x{j}": rng.normal(size=rows) for j in range(6)})
    frame["c"] = pd.Categorical(rng.integers(0, 10, rows))
    frame["s"] = rng.choice(["red", "green", "blue"], rows)
    frame["y"] = (rng.random(rows) < 1.0 / (1.0 + np.exp(-frame["x0"]))).astype(int)
    return frame


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    arguments = parser.parse_args()
    ls.show_config()
    print(f"\n{'work':<58} {'logit_stats':>13} {'peer':>13}")

    y, X = arrays(arguments.rows, 10)
    for name, matrix in (("row-major", X), ("column-major", np.asfortranarray(X))):
        compare(
            f"fit {arguments.rows} x 10, {name}, statsmodels Logit",
            lambda m=matrix: ls.Logit(y, m).fit(),
            lambda m=matrix: sm.Logit(y, m).fit(disp=0),
            arguments.pairs,
        )
    small_y, small_X = arrays(200, 4)
    compare(
        "fit 200 x 4, statsmodels Logit",
        lambda: ls.Logit(small_y, small_X).fit(),
        lambda: sm.Logit(small_y, small_X).fit(disp=0),
        200,
    )
    frame = table(arguments.rows)
    compare(
        f"formula to design, {arguments.rows} rows, 18 columns, patsy",
        lambda: design_from_formula(FORMULA, frame, capture_scope(0)),
        lambda: patsy.dmatrices(FORMULA, frame),
        min(arguments.pairs, 3),
    )


if __name__ == "__main__":
    main()
