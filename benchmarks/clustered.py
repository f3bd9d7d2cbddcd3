"""Clustered outcomes against statsmodels and R (geepack, lme4): seconds and ratios in one run, interleaved.

    python benchmarks/clustered.py

R is timed from inside (reading the data and loading the package are left out); it is skipped where there is no Rscript.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from timing import peak_mib, seconds

import logit_stats as ls

TURNS = 3
GEE_R = (
    "suppressMessages(library(geepack)); "
    "f <- function() geeglm(y ~ x1 + x2 + x3, id = id, data = d, family = binomial, corstr = '{}')"
)
MIXED_R = "suppressMessages(library(lme4)); f <- function() glmer(y ~ x1 + x2 + x3 + (1 | id), d, family = binomial, nAGQ = 10)"


def made(groups: int, size: int, sd: float) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n, group = groups * size, np.repeat(np.arange(groups), size)
    data = pd.DataFrame({"id": group, "x1": rng.normal(size=n), "x2": rng.normal(size=groups)[group]})
    data["x3"] = rng.integers(0, 2, n)
    eta = -0.5 + 0.8 * data["x1"] - 0.5 * data["x2"] + 0.3 * data["x3"] + sd * rng.normal(size=groups)[group]
    return data.assign(y=(rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int))


def seconds_in_r(data: pd.DataFrame, code: str) -> float:
    if shutil.which("Rscript") is None:
        return float("nan")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        data.to_csv(path, index=False)
        script = f"d <- read.csv('{path}'); {code}; cat(system.time(f())[3])"
        done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def report(what: str, ours: object, peers: dict[str, object]) -> None:
    """One line a peer: the median of ratios of turns taken one after the other."""
    ours()  # type: ignore[operator]
    turns = [(seconds(ours), {name: work() for name, work in peers.items()}) for _ in range(TURNS)]  # type: ignore[arg-type,operator]
    mine = np.median([a for a, _ in turns])
    for name in peers:
        theirs = np.median([b[name] for _, b in turns])
        ratio = np.median([b[name] / a for a, b in turns])
        print(
            f"| {what} | {mine:.3g} s | {name} | {theirs:.3g} s | {ratio:.1f} | {peak_mib(ours):.1f} MiB |", flush=True
        )  # type: ignore[arg-type]


def main() -> None:
    warnings.simplefilter("ignore")
    print("| what | logit_stats | peer | its time | ratio | our memory |\n|---|---|---|---|---|---|")
    data = made(2000, 10, 1.0)
    X = np.column_stack([np.ones(len(data)), data[["x1", "x2", "x3"]]])
    for corr, theirs in (("exchangeable", sm.cov_struct.Exchangeable), ("ar1", None)):
        peers = {"geepack": lambda corr=corr: seconds_in_r(data, GEE_R.format(corr))}
        if theirs is not None:
            model = sm.GEE(data["y"], X, data["id"], family=sm.families.Binomial(), cov_struct=theirs())
            peers["statsmodels"] = lambda model=model: seconds(lambda: model.fit(maxiter=200))
        report(
            f"GEE {corr}, 2,000 groups of 10",
            lambda corr=corr: ls.gee("y ~ x1 + x2 + x3", data, groups="id", corr=corr).fit(),
            peers,
        )
    data = made(1000, 20, 1.2)
    report(
        "random intercept, 1,000 groups of 20, 10 points",
        lambda: ls.melogit("y ~ x1 + x2 + x3 + (1 | id)", data, quadrature=10).fit(),
        {"lme4": lambda: seconds_in_r(data, MIXED_R)},
    )


if __name__ == "__main__":
    main()
