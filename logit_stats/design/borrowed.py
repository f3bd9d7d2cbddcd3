"""Arrays that are used where they lie, and how it is noticed that their owner filled them anew.

Copying every array would double the memory of a large fit. An array that is only borrowed is compared on use with what was kept
of it: whole rows, evenly spaced. A sort, a shuffle, a shift, a refill or a changed column cannot leave all of these as they
were; a change of single numbers elsewhere can. Arrays of up to `COPIED` numbers are copied, so nothing can happen to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logit_stats.errors import DataError

# Numbers up to which an array is copied.
COPIED = 1 << 20
# Rows that are kept of a larger one.
KEPT = 256


@dataclass(frozen=True, eq=False)
class Borrowed:
    """An array of someone else, and what it was.

    Attributes
    ----------
    name : str
        What it was given as.
    array : array
    rows : (at most `KEPT`,) int
        Positions of the rows kept.
    kept : array
        These rows.
    """

    name: str
    array: NDArray[Any]
    rows: NDArray[np.intp]
    kept: NDArray[Any]

    @classmethod
    def of(cls, array: NDArray[Any], name: str) -> Borrowed:
        """Remember an array as it is now."""
        rows = np.unique(np.linspace(0, max(len(array) - 1, 0), min(len(array), KEPT)).astype(np.intp))
        return cls(name, array, rows, array[rows])

    @property
    def unchanged(self) -> bool:
        """Whether the rows kept are what they were."""
        now = self.array[self.rows]
        if now.dtype == object:
            return all(a is b or a == b for a, b in zip(now.ravel(), self.kept.ravel(), strict=True))
        return now.tobytes() == self.kept.tobytes()

    def require(self, what: str) -> None:
        """Raise `DataError` where the array was changed."""
        if not self.unchanged:
            raise DataError(
                f"{what} was changed after the model was made, which would change what its results say: make the model again, "
                f"or give it a copy (.copy()) from the start."
            )
