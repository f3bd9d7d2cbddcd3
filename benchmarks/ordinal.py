"""Ordered logits beside statsmodels' OrderedModel and R's ordinal::clm, in one run on the same data.

    python benchmarks/ordinal.py [--rows 200000] [--only statsmodels clm partial]

Each line: the work, the peer, the seconds of each, the ratio, the largest difference of slopes in standard errors, and the peak
of memory here. R is timed inside R; peers that are not installed are left out.
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
FORMULA = "y ~ " + " + ".join(NAMES)


def line(work: str, peer: str, ours: float, theirs: float, ratio: float, away: float, memory: float) -> str:
    times = f"{ours:.3g} s | {theirs:.3g} s"
    return f"| {work} | {peer} | {times} | **{ratio:.1f}** | {away:.0e} | {memory:.0f} MiB |"


def data_of(rows: int) -> pd.DataFrame:
    """Five categories of a latent variable on ten columns."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, len(NAMES)))
    latent = X @ np.linspace(-0.5, 0.5, len(NAMES)) + rng.logistic(size=rows)
    return pd.DataFrame(X, columns=NAMES).assign(y=np.digitize(latent, [-1.5, -0.5, 0.5, 1.5]))


def in_r(data: pd.DataFrame, nominal: str, repeats: int) -> tuple[float, np.ndarray] | None:
    """Fastest seconds of ordinal::clm inside R, and its slopes."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        data.to_csv(path, index=False)
        fitted = f"clm({FORMULA.replace(' + x9', '') if nominal else FORMULA}, nominal = ~ {nominal or 1}, data = d)"
        script = f"""
        suppressMessages(library(ordinal)); d <- read.csv("{path}"); d$y <- factor(d$y)
        t <- Inf; for (i in 1:{repeats}) t <- min(t, system.time(m <- {fitted})[["elapsed"]])
        cat(sprintf("%.17g", c(t, m$beta)), sep = " ")
        """
        done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    found = [float(text) for text in done.stdout.split()]
    return found[0], np.array(found[1:])


def with_statsmodels(data: pd.DataFrame) -> Iterator[str]:
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    y, X = data.y.to_numpy(), data[NAMES].to_numpy()

    def ours() -> Any:
        return ls.OrderedLogit(y, X).fit()

    def theirs() -> Any:
        return OrderedModel(y, X, distr="logit").fit(method="bfgs", disp=0, maxiter=200)

    res = ours()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        times = paired(ours, theirs, 1)
        away = np.abs((res.slopes - theirs().params[: len(NAMES)]) / res.bse[: len(NAMES)]).max()
    yield line(f"{len(data):,} x 10, 5 categories", "OrderedModel", *times, float(away), peak_mib(ours))


def with_clm(data: pd.DataFrame, own: str = "") -> Iterator[str]:
    def ours() -> Any:
        return ls.ologit(FORMULA, data, nonparallel=own or None).fit()

    res, found = ours(), in_r(data, own, 2)
    if found is None:
        return
    mine = fastest(ours, 2)
    names = [name for name in NAMES if name != own]
    away = np.abs((res.params[names] - found[1]) / res.bse[names]).max()
    work = f"{len(data):,} x 10, 5 categories" + (f", slopes of {own} by cut" if own else "")
    yield line(work, "ordinal::clm", mine, found[0], found[0] / mine, float(away), peak_mib(ours))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--only", nargs="*", default=["statsmodels", "clm", "partial"])
    given = parser.parse_args()
    data = data_of(given.rows)
    jobs = {
        "statsmodels": lambda: with_statsmodels(data),
        "clm": lambda: with_clm(data),
        "partial": lambda: with_clm(data, "x9"),
    }
    print(HEADER)
    for name in given.only:
        for row in jobs[name]():
            print(row, flush=True)


if __name__ == "__main__":
    main()
