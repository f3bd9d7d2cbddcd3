"""A progress bar for work that takes more than a few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE = 3.0


def progress_of(
    chunks: Iterable[tuple[int, int]], total: int, what: str, shown: bool | None = None
) -> Iterator[tuple[int, int]]:
    """Yield the chunks (start, stop) of `total`, with a bar once the work has taken some seconds.

    Parameters
    ----------
    chunks : iterable of (int, int)
    total : int
    what : str
        What is counted.
    shown : bool, optional
        Show it from the start, or never; by default after three seconds, on a terminal or in a notebook.
    """
    if shown is None and not (sys.stderr.isatty() or "ipykernel" in sys.modules):
        shown = False
    if shown is False:
        yield from chunks
        return
    bar, task, begun = None, None, time.monotonic()
    try:
        for start, stop in chunks:
            yield start, stop
            if bar is None and (shown or time.monotonic() - begun > PATIENCE):
                bar, task = _started(total, what)
            if bar is not None and task is not None:
                bar.update(task, completed=stop)
    finally:
        if bar is not None:
            bar.stop()


def _started(total: int, what: str) -> tuple[Progress, TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.start()
    return bar, bar.add_task(what, total=total)
