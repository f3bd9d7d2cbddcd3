"""The table of ratios, the passes beside the machine's limits, and growth with rows and columns.

Run ``pip install -e ".[bench]"`` and then ``python benchmarks/run.py``; with ``--write docs`` the output goes into
``docs/performance_table.md`` and ``docs/performance.png``, which ``docs/performance.md`` shows. ``--quick`` takes a tenth of
the rows. R is compared where ``Rscript`` is on the path. Every peer that is not installed is left out, and named.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from timing import fastest, paired, peak_mib
from work import (
    Work,
    arrays,
    factor_of_many_levels,
    fit_of_arrays,
    formula_to_summary,
    here,
    marginal_effects,
    resampled_fits,
)

import logit_stats as ls
from logit_stats.likelihoods import kernel

ROWS_GROWTH = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
COLUMNS_GROWTH = (2, 5, 10, 20, 50, 100, 200)
PEERS = ("statsmodels", "scikit-learn", "glum", "pyfixest")


def works(rows: int) -> Iterator[Work]:
    yield fit_of_arrays(rows, 10, ">= 20 than statsmodels, >= 8 than the fastest")
    yield fit_of_arrays(rows, 50, ">= 15 than statsmodels, >= 3 than the fastest", 3)
    yield fit_of_arrays(200, 4, ">= 2 than statsmodels", 200)
    yield resampled_fits()
    yield formula_to_summary(rows)
    yield marginal_effects(rows)
    yield factor_of_many_levels(rows // 5, 300)


def distance(work: Work, peer: str, ours: object, theirs: np.ndarray) -> str:
    """Largest distance of a peer's coefficients to ours, in standard errors."""
    mine = work.coefficients["ours"](ours)
    se = np.asarray(ours.bse)[-len(mine) :]  # type: ignore[attr-defined]
    return f"{np.abs((theirs - mine) / se).max():.0e}"


def rows_of(work: Work) -> Iterator[str]:
    ours = work.ours()
    for peer, theirs in work.peers.items():
        mine, other, ratio = paired(work.ours, theirs, work.pairs)
        how = distance(work, peer, ours, work.coefficients[peer](theirs())) if peer in work.coefficients else ""
        note = ""
        if work.memory:
            a, b = peak_mib(work.ours), peak_mib(theirs)
            note = f"peak {a:.0f} against {b:.0f} MiB"
        yield line(work, peer, mine, other, ratio, how, note)
    for peer, run in work.timed_itself.items():
        timed = [(fastest(work.ours, 1), *run()) for _ in range(3)]
        ratio = float(np.median([b / a for a, b, _ in timed]))
        how = distance(work, peer, ours, timed[0][2])
        yield line(work, peer, timed[0][0], timed[0][1], ratio, how, "timed in R")


def line(work: Work, peer: str, mine: float, other: float, ratio: float, how: str, note: str) -> str:
    cells = [
        work.name,
        peer,
        f"{mine * 1e3:.4g} ms",
        f"{other * 1e3:.4g} ms",
        f"**{ratio:.1f}**",
        work.wanted,
        how,
        note,
    ]
    return "| " + " | ".join(cells) + " |"


def report(rows: int) -> Iterator[str]:
    versions = [
        f"{name} {importlib.metadata.version(name)}" for name in PEERS if here(name.replace("scikit-learn", "sklearn"))
    ]
    missing = [name for name in PEERS if not here(name.replace("scikit-learn", "sklearn"))]
    missing += [] if shutil.which("Rscript") else ["R"]
    yield (
        f"logit_stats {ls.__version__}, kernel {kernel.description()}; Python {platform.python_version()}, "
        + ", ".join(versions)
    )
    yield f"Not installed, so not compared: {', '.join(missing) or 'none'}."
    yield ""
    yield "| work | peer | here | peer's time | times faster | wanted | peer's distance (SE) | |"
    yield "|---|---|---|---|---|---|---|---|"
    for work in works(rows):
        yield from rows_of(work)


def growth(rows: int) -> tuple[dict[str, list[tuple[float, ...]]], list[str]]:
    """Seconds and MiB of a fit against statsmodels': by rows at 10 columns, by columns at `rows` / 5 rows."""
    import statsmodels.api as sm

    found: dict[str, list[tuple[float, ...]]] = {"rows": [], "columns": []}
    lines = [
        "| rows | columns | fit, ms | ns a row and column | peak MiB | statsmodels, ms | peak MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    shapes = [("rows", n, 10) for n in ROWS_GROWTH if n <= 10 * rows] + [
        ("columns", rows // 5, k) for k in COLUMNS_GROWTH
    ]
    for kind, n, k in shapes:
        y, X = arrays(n, k)
        repeats = 3 if n * k > 5e6 else 9
        mine = fastest(lambda y=y, X=X: ls.Logit(y, X).fit(), repeats)
        mine_peak = peak_mib(lambda y=y, X=X: ls.Logit(y, X).fit())
        theirs, theirs_peak = np.nan, np.nan
        if n * k <= 4e7:
            theirs = fastest(lambda y=y, X=X: sm.Logit(y, X).fit(disp=0), 1 if n * k > 5e6 else 3)
            theirs_peak = peak_mib(lambda y=y, X=X: sm.Logit(y, X).fit(disp=0))
        found[kind].append((n if kind == "rows" else k, mine, theirs, mine_peak, theirs_peak))
        shown = [f"{n:,}", str(k), f"{mine * 1e3:.3g}", f"{mine / n / k * 1e9:.2f}", f"{mine_peak:.1f}"]
        shown += ["", ""] if np.isnan(theirs) else [f"{theirs * 1e3:.3g}", f"{theirs_peak:.1f}"]
        lines.append("| " + " | ".join(shown) + " |")
    return found, lines


def draw(found: dict[str, list[tuple[float, ...]]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(9, 6.5), layout="constrained")
    for column, (kind, label) in enumerate([("rows", "rows (10 columns)"), ("columns", "columns")]):
        x, mine, theirs, mine_peak, theirs_peak = np.array(found[kind]).T
        for axis, ours, other, unit in [(axes[0, column], mine, theirs, "seconds of a fit"),
                                        (axes[1, column], mine_peak, theirs_peak, "peak memory, MiB")]:  # fmt: skip
            axis.loglog(x, ours, "o-", color="#0072B2", label="logit_stats")
            axis.loglog(x, other, "s--", color="#D55E00", label="statsmodels")
            axis.set_xlabel(label), axis.set_ylabel(unit)
            axis.grid(alpha=0.3)
    axes[0, 0].legend(frameon=False)
    figure.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--write", type=Path, help="folder for performance_table.md and performance.png")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = 100_000 if arguments.quick else 1_000_000
    lines = []
    for text in report(rows):
        print(text, flush=True)
        lines.append(text)
    # in a process of its own, whose BLAS starts with one thread
    limits = subprocess.run(
        [sys.executable, Path(__file__).with_name("kernel_pass.py")], capture_output=True, text=True, check=True
    )
    for text in ["", "### Passes", "", *limits.stdout.splitlines()]:
        print(text, flush=True)
        lines.append(text)
    found, table = growth(rows)
    for text in ["", "### Growth", "", *table]:
        print(text, flush=True)
        lines.append(text)
    if arguments.write:
        (arguments.write / "performance_table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
        draw(found, arguments.write / "performance.png")


if __name__ == "__main__":
    main()
