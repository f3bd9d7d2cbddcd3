"""Times of two pieces of work, pair by pair, so that a machine whose speed drifts favours neither; peak memory."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Any

Work = Callable[[], Any]
# BLAS's threads spin for some time after their last work, on the processors of whoever comes next.
PAUSE = 0.15
LONG = 2.0


def seconds(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def fastest(work: Work, repeats: int) -> float:
    """Seconds of the fastest of several runs in a row: other work on the machine only ever adds."""
    time.sleep(PAUSE)
    return min(seconds(work) for _ in range(repeats))


def paired(ours: Work, theirs: Work, pairs: int) -> tuple[float, float, float]:
    """Median seconds of ours and of theirs, and the median of the ratios theirs / ours, after a run of each to warm up.

    A turn is the fastest of three runs in a row, of one where a run takes more than two seconds.
    """
    turns = [3 if max(seconds(ours), seconds(ours)) < LONG else 1, 3 if seconds(theirs) < LONG else 1]
    times = [(fastest(ours, turns[0]), fastest(theirs, turns[1])) for _ in range(pairs)]
    return median(a for a, _ in times), median(b for _, b in times), median(b / a for a, b in times)


def peak_mib(work: Work) -> float:
    """Largest memory held by Python and NumPy during the work, in MiB, beyond what was held before."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20
