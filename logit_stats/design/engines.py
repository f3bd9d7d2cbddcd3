"""Where passes run: threads of this process, any Executor, a Dask cluster. The sum is the same everywhere, to the last bit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

from logit_stats.errors import DataError, LogitStatsError

# Jobs that are under way or waiting, for each worker: enough that none waits, so few that little is held.
AHEAD = 2
RETRIES = 3


def workers(engine: Any) -> int:
    """How many jobs run at the same time."""
    if engine is None:
        given = os.environ.get("LOGIT_STATS_THREADS", "")
        if given.isdigit() and int(given) > 0:
            return int(given)
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if hasattr(engine, "ncores"):  # a Dask client
        return max(int(sum(engine.ncores().values())), 1)
    return int(getattr(engine, "_max_workers", 4))


def is_local(engine: Any) -> bool:
    """Whether workers share the memory of this process."""
    return engine is None or isinstance(engine, ThreadPoolExecutor)


@contextmanager
def executor(engine: Any) -> Iterator[Any]:
    """An Executor on the engine."""
    if engine is None:
        with ThreadPoolExecutor(workers(None), thread_name_prefix="rows") as pool:
            yield pool
    elif hasattr(engine, "get_executor"):
        with engine.get_executor(retries=RETRIES, pure=False) as pool:
            yield pool
    else:
        yield engine


def finished(engine: Any, function: Callable[[Any], Any], jobs: Iterable[Any]) -> Iterator[Any]:
    """What the function makes of each job, as they finish; few are under way at a time.

    Raises
    ------
    DataError
        If a worker was lost, or a job failed for a reason that is not of this package: the job is named.
    """
    with executor(engine) as pool:
        waiting: dict[Future[Any], Any] = {}
        limit = AHEAD * workers(engine)
        try:
            for job in jobs:
                waiting[pool.submit(function, job)] = job
                if len(waiting) >= limit:
                    yield from _done(waiting)
            while waiting:
                yield from _done(waiting)
        finally:
            for future in waiting:
                future.cancel()


def _done(waiting: dict[Future[Any], Any]) -> Iterator[Any]:
    done, _ = wait(list(waiting), return_when=FIRST_COMPLETED)
    for future in done:
        job = waiting.pop(future)
        try:
            yield future.result()
        except LogitStatsError:
            raise
        except BrokenExecutor as error:
            raise DataError(
                f"A worker of the engine was lost while it read {job}, and its Executor does not replace it: {error}. A Dask "
                f"client does; or fit on threads (leave engine= out)."
            ) from error
        except MemoryError:
            raise
        except Exception as error:
            raise DataError(f"{job} failed on the engine: {type(error).__name__}: {error}") from error
