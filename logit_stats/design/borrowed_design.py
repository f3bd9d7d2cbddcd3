"""A design whose columns lie in an array of the user's: looked at before every use, see `borrowed`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.borrowed import COPIED, Borrowed
from logit_stats.design.design import Design


@dataclass(frozen=True, eq=False)
class BorrowedDesign(Design):
    """A design that asks, before it hands out its columns, whether the arrays it borrowed are what they were.

    Attributes
    ----------
    borrowed : tuple of Borrowed
        Large arrays that were not copied.
    """

    borrowed: tuple[Borrowed, ...] = ()

    @property  # type: ignore[misc]
    def X(self) -> FloatArray:
        """(n, k) design columns."""
        for array in self.borrowed:
            array.require(f"The array given as {array.name}")
        columns: FloatArray = self.__dict__["X"]
        return columns

    @X.setter
    def X(self, columns: FloatArray) -> None:
        self.__dict__["X"] = columns

    @property
    def rows(self) -> int:
        """Number n of rows."""
        return int(self.__dict__["X"].shape[0])

    @property
    def columns(self) -> int:
        """Number k of columns."""
        return int(self.__dict__["X"].shape[1])


def own_or_borrow(name: str, array: FloatArray, given: Any) -> tuple[FloatArray, tuple[Borrowed, ...]]:
    """Return a copy of an array that may be the user's own where that is cheap, else the array and what to remember of it."""
    if array is not given and array.base is None:
        return array, ()
    if array.size <= COPIED:
        return np.array(array, order="K"), ()
    return array, (Borrowed.of(array, name),)


def watched(design: Design, borrowed: tuple[Borrowed, ...]) -> Design:
    """Return the design as one that looks at the arrays it borrowed; itself where it borrowed none."""
    if not borrowed:
        return design
    return BorrowedDesign(**{f.name: getattr(design, f.name) for f in fields(design)}, borrowed=borrowed)
