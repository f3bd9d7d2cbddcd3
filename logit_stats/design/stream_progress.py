"""A progress bar over the rows of a pass, once the pass has taken some seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

PATIENCE = 2.0


class PassBar:
    """Shows rows read and passes done, on a terminal or in a notebook, from two seconds on.

    Parameters
    ----------
    what : str
        What the pass is for.
    rows : int or None
        How many rows there are, where that is known.
    number : int
        Number of the pass.
    """

    def __init__(self, what: str, rows: int | None, number: int) -> None:
        self.what, self.rows, self.number = what, rows, number
        self.begun = time.monotonic()
        self.shown = sys.stderr.isatty() or "ipykernel" in sys.modules
        self.bar: Any = None
        self.task: Any = None

    def at(self, rows: int) -> None:
        """Say how many rows were read."""
        if self.bar is None and self.shown and time.monotonic() - self.begun > PATIENCE:
            self._start()
        if self.bar is not None:
            self.bar.update(self.task, completed=rows)

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.bar.start()
        self.task = self.bar.add_task(f"pass {self.number} ({self.what}), rows", total=self.rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()
