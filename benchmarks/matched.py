"""Matched sets and absorbed effects beside statsmodels, R's survival and pyfixest, in one run on the same data.

    python benchmarks/matched.py [--share 1.0] [--only sets large absorbed]

Each line: the work, the peer, the seconds of each, the median ratio of runs in turn, the largest difference of coefficients in
standard errors, and the peak of memory here. R is timed inside R; peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from timing import fastest, paired, peak_mib

import logit_stats as ls

HEADER = """\
| work | peer | here | peer's time | times faster | difference in standard errors | memory here |
|---|---|---|---|---|---|---|"""
NAMES = [f"x{j}" for j in range(10)]


def line(work: str, peer: str, ours: float, theirs: float, ratio: float, away: float, memory: float) -> str:
    times = f"{ours:.3g} s | {theirs:.3g} s"
    return f"| {work} | {peer} | {times} | **{ratio:.1f}** | {away:.0e} | {memory:.0f} MiB |"


def matched(sets: int, size: int, cases: int) -> pd.DataFrame:
    """Sets of rows of which some are cases, chosen with odds that depend on ten columns."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((sets * size, len(NAMES)))
    push = (X @ np.full(len(NAMES), 0.2) + rng.gumbel(size=sets * size)).reshape(sets, size)
    y = (push.argsort(axis=1).argsort(axis=1) >= size - cases).ravel().astype(int)
    return pd.DataFrame(X, columns=NAMES).assign(y=y, set=np.repeat(np.arange(sets), size))


def in_r(data: pd.DataFrame, repeats: int) -> tuple[float, np.ndarray] | None:
    """Fastest seconds of survival::clogit inside R, and its coefficients."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        data.to_csv(path, index=False)
        script = f"""
        suppressMessages(library(survival)); d <- read.csv("{path}")
        f <- as.formula("y ~ {" + ".join(NAMES)} + strata(set)")
        t <- Inf; for (i in 1:{repeats}) t <- min(t, system.time(m <- clogit(f, d, method = "exact"))[["elapsed"]])
        cat(sprintf("%.17g", c(t, coef(m))), sep = " ")
        """
        done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    found = [float(text) for text in done.stdout.split()]
    return found[0], np.array(found[1:])


def conditional(work: str, data: pd.DataFrame, statsmodels: bool) -> Iterator[str]:
    y, X, groups = data.y.to_numpy(), data[NAMES].to_numpy(), data.set.to_numpy()

    def ours() -> Any:
        return ls.ConditionalLogit(y, X, groups=groups).fit()

    res, memory = ours(), peak_mib(ours)

    def away(theirs: np.ndarray) -> float:
        return float(np.abs((res.params - theirs) / res.bse).max())

    if statsmodels:
        from statsmodels.discrete.conditional_models import ConditionalLogit

        def theirs() -> Any:
            return ConditionalLogit(y, X, groups=groups).fit(disp=0)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            times = paired(ours, theirs, 1)
            yield line(work, "statsmodels", *times, away(np.asarray(theirs().params)), memory)
    found = in_r(data, 3)
    if found is not None:
        # the same from a table and a formula, as R is given it
        mine = fastest(lambda: ls.clogit("y ~ " + " + ".join(NAMES), data, groups="set").fit(), 3)
        yield line(work, "survival::clogit", mine, found[0], found[0] / mine, away(found[1]), memory)


def sets(share: float) -> Iterator[str]:
    count = int(20_000 * share)
    yield from conditional(f"{count:,} sets of 5, one case", matched(count, 5, 1), True)
    yield from conditional(f"{count:,} sets of 5, two cases", matched(count, 5, 2), True)


def large(share: float) -> Iterator[str]:
    yield from conditional("one set of 500 rows, 200 cases", matched(1, 500, 200), False)


def absorbed(share: float) -> Iterator[str]:
    rng = np.random.default_rng(1)
    firms, n = int(100_000 * share), int(1_000_000 * share)
    firm, year = rng.integers(0, firms, n), rng.integers(0, 10, n)
    X = rng.standard_normal((n, 5))
    eta = X @ np.full(5, 0.3) + rng.standard_normal(firms)[firm]
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
    data = pd.DataFrame(X, columns=list("abcde")).assign(y=y, firm=firm, year=year)
    try:
        import pyfixest
    except ImportError:
        return
    for absorb in ("firm", "firm + year"):

        def ours(absorb: str = absorb) -> Any:
            return ls.logit("y ~ a + b + c + d + e", data, absorb=absorb).fit()

        def theirs(absorb: str = absorb) -> Any:
            return pyfixest.feglm(f"y ~ a + b + c + d + e | {absorb}", data, family="logit", vcov="iid")

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            times = paired(ours, theirs, 1)
            res, its = ours(), theirs()
        away = float(np.abs((res.params - its.coef()[res.params.index]) / res.bse).max())
        yield line(f"{firms:,} groups, {n:,} rows, absorb={absorb}", "pyfixest feglm", *times, away, peak_mib(ours))


WORK = {"sets": sets, "large": large, "absorbed": absorbed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--only", nargs="+", choices=sorted(WORK), default=sorted(WORK))
    chosen = parser.parse_args()
    print(HEADER)
    for name in chosen.only:
        for text in WORK[name](chosen.share):
            print(text, flush=True)


if __name__ == "__main__":
    main()
