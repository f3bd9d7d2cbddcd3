"""Rows out of memory against a plain scan: CPU of a pass, passes of a fit, memory added. Ratios within one run.

python benchmarks/out_of_memory.py [rows] [folder]

The scan is pyarrow's own, of the same columns and row groups, on the same number of threads. By default 1,000,000 rows; the
folder is made once and kept where one is named.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import logit_stats as ls
from logit_stats.design.engines import finished
from logit_stats.estimation.likelihood import moments

NUMBERS, LEVELS, GROUP = 8, 300, 250_000


def make(folder: Path, rows: int) -> None:
    """Parquet files of two million rows each."""
    rng = np.random.default_rng(1)
    levels = np.array([f"g{i:03d}" for i in range(LEVELS)])
    for number, start in enumerate(range(0, rows, 2_000_000)):
        n = min(2_000_000, rows - start)
        x = rng.normal(size=(n, NUMBERS))
        eta = x @ np.linspace(-0.3, 0.3, NUMBERS) - 1.0
        columns = {f"x{j}": x[:, j] for j in range(NUMBERS)}
        columns["y"] = (rng.random(n) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
        columns["g"] = levels[rng.integers(0, LEVELS, n)]
        pq.write_table(pa.table(columns), folder / f"part-{number:03d}.parquet", row_group_size=GROUP)


def scan_of(source, part) -> int:
    """Read a row group and do nothing."""
    return sum(batch.num_rows for batch in source.read(part))


def measured(function) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - cpu


def compare(formula: str, folder: Path) -> None:
    """One formula: passes over scans, three times by turns, the median."""
    begun = time.perf_counter()
    model = ls.logit(formula, ls.scan(folder, compress=False, verify=False))
    res = model.fit()
    whole = time.perf_counter() - begun
    stream, fit = model.design.stream, res.fit_
    ratios = []
    for _ in range(3):
        scan = measured(lambda: [*finished(None, lambda part: scan_of(stream.source, part), stream.source.parts)])
        one = measured(lambda: moments(fit.design, fit.gamma, fit.working))
        ratios.append((one[0] / scan[0], one[1] / scan[1], scan[0]))
    wall, cpu, seconds = np.median(np.array(ratios), axis=0)
    steps = ", ".join(f"{step.decrement:.2g}" for step in fit.trace.steps)
    print(f"{formula}\n  a pass over a scan: wall {wall:.2f}, CPU {cpu:.2f} (scan {seconds:.2f} s)")
    print(
        f"  the whole fit over a scan: {whole / seconds:.1f}; {len(fit.trace.steps)} passes of moments, distances {steps}"
    )


def main() -> None:
    """Make the files, compare, say how much memory was added."""
    rows = int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(kept)
        folder.mkdir(exist_ok=True)
        if not any(folder.iterdir()):
            make(folder, rows)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        numbers = " + ".join(f"x{j}" for j in range(NUMBERS))
        compare(f"y ~ {numbers}", folder)
        compare(f"y ~ {numbers} + C(g)", folder)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"memory added to the peak: {(after - before) / 1024:.0f} MiB ({rows} rows)")


if __name__ == "__main__":
    main()
