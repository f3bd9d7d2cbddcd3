"""Sums whose bits do not depend on the order in which their terms arrive: neighbours are added first, in a fixed tree."""

from __future__ import annotations

from typing import Any


class PairwiseSum:
    """A sum over numbered terms 0, 1, 2, ..., of which some may be nothing (None).

    Term 2i is added to term 2i + 1, these sums to their neighbours, and so on: whoever adds them, in whatever order, the same
    numbers are added to each other. Rounding grows with the logarithm of the number of terms (Higham 1993, SIAM Journal on
    Scientific Computing 14, 783-799).
    """

    def __init__(self) -> None:
        self.nodes: dict[tuple[int, int], Any] = {}

    def add(self, index: int, term: Any, level: int = 0) -> None:
        """Take one term, or the sum of the ``2 ** level`` terms from ``index * 2 ** level`` on."""
        while (level, index ^ 1) in self.nodes:
            other = self.nodes.pop((level, index ^ 1))
            term = both(other, term) if index & 1 else both(term, other)
            level, index = level + 1, index >> 1
        self.nodes[level, index] = term

    def take(self, nodes: dict[tuple[int, int], Any]) -> None:
        """Take what another sum has so far."""
        for (level, index), term in nodes.items():
            self.add(index, term, level)

    def total(self) -> Any:
        """Sum of all terms; None where every one is nothing."""
        total = None
        for level, index in sorted(self.nodes, key=lambda node: node[1] << node[0]):
            total = both(total, self.nodes[level, index])
        return total


def both(left: Any, right: Any) -> Any:
    """Sum of two terms; nothing counts as zero."""
    return right if left is None else left if right is None else left + right
