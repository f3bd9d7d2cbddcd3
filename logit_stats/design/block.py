"""`Block`: a range of rows of the design, as the estimation room sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Block:
    """A range of m rows of a design with k columns.

    Attributes
    ----------
    X : (m, k) float64, any strides
        Design columns.
    successes : (m,) float64
        Number of events of the row, between 0 and its trials.
    trials : (m,) float64 or None
        Number of trials of the row; None where every row is one trial.
    weight : (m,) float64 or None
        Non-negative frequency or sampling weight; None where every weight is one.
    offset : (m,) float64 or None
        Known part of the linear predictor; None where there is none.
    category : (m,) int or None
        Position of the row's category, where the response has several; the reference is 0.
    categories : int
        Number of categories; 0 for a binary response.
    group : (m,) int or None
        Which rows belong together (a matched set), where the likelihood takes them as one.
    """

    X: FloatArray
    successes: FloatArray
    trials: FloatArray | None = None
    weight: FloatArray | None = None
    offset: FloatArray | None = None
    category: NDArray[np.intp] | None = None
    categories: int = 0
    group: NDArray[np.intp] | None = None

    def at(self, rows: slice | NDArray[np.intp]) -> Block:
        """Return the block of these rows: views of a slice, copies of positions."""
        return Block(
            self.X[rows],
            self.successes[rows],
            None if self.trials is None else self.trials[rows],
            None if self.weight is None else self.weight[rows],
            None if self.offset is None else self.offset[rows],
            None if self.category is None else self.category[rows],
            self.categories,
            None if self.group is None else self.group[rows],
        )
