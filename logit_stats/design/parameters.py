"""`Parameters`: how the coefficients of a model stand on the columns of its design.

A row has one or several linear predictors ("equations"). In equation e column j is multiplied by the parameter at
``slots[e, j]``. A binary logit has one equation; a multinomial one has an equation for each category beyond the reference, with
parameters of its own; in a proportional-odds model all equations share the slopes and each has a constant (a threshold) of its
own; with partial proportional odds some slopes are the equations' own. What is on no column (a variance, say) is ancillary.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray

if TYPE_CHECKING:
    from logit_stats.design.design import Design

NOWHERE = -1


@dataclass(frozen=True, eq=False)
class Parameters:
    """The layout of p parameters on E equations of k columns.

    Attributes
    ----------
    names : (p,) tuple of str
        Names of the parameters, ancillary ones last.
    slots : (E, k) int
        Position of the parameter of each column in each equation; `NOWHERE` (-1) where the column is not in the equation.
    equations : (E,) tuple of str
        Names of the equations; one empty name where there is a single one.
    ancillary : int
        Number of parameters, the last ones, that multiply no column.
    negative : tuple of int
        Parameters that stand on their columns with a minus: a threshold, which a linear predictor falls with.

    Examples
    --------
    >>> by_equation = Parameters.by_equation(("const", "x"), ("b", "c"))
    >>> by_equation.names
    ('b:const', 'b:x', 'c:const', 'c:x')
    >>> by_equation.slots
    array([[0, 1],
           [2, 3]])
    >>> shared = Parameters(("x", "0|1", "1|2"), np.array([[1, 0], [2, 0]]), ("0|1", "1|2"))
    >>> shared.table(np.array([3.0, 1.0, 2.0]))
    array([[1., 3.],
           [2., 3.]])
    >>> shared.gathered(np.array([[1.0, 10.0], [2.0, 20.0]]))
    array([30.,  1.,  2.])
    """

    names: tuple[str, ...]
    slots: NDArray[np.intp]
    equations: tuple[str, ...] = ("",)
    ancillary: int = 0
    negative: tuple[int, ...] = ()

    @classmethod
    def by_equation(cls, columns: tuple[str, ...], equations: tuple[str, ...] = ("",)) -> Self:
        """Every column has a parameter of its own in every equation; they stand equation by equation."""
        names = tuple(f"{e}:{name}" if e else name for e in equations for name in columns)
        return cls(names, np.arange(len(names), dtype=np.intp).reshape(len(equations), len(columns)), equations)

    @property
    def count(self) -> int:
        """Number p of parameters."""
        return len(self.names)

    @cached_property
    def signs(self) -> FloatArray:
        """(p,) what parameters are multiplied by on their columns: -1 for the negative ones, 1 for the others."""
        signs = np.ones(self.count)
        signs[list(self.negative)] = -1.0
        return signs

    @cached_property
    def common(self) -> tuple[int, ...]:
        """Columns of which all equations have the same parameter."""
        same = (self.slots == self.slots[0]).all(axis=0) & (self.slots[0] != NOWHERE)
        return tuple(np.flatnonzero(same).tolist()) if len(self.slots) > 1 else ()

    @cached_property
    def _in_order(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Entries of the table in the order of their parameters, where each parameter's begin, and which these are."""
        flat = self.slots.ravel()
        order = np.argsort(flat, kind="stable")[int((flat == NOWHERE).sum()) :]
        places, starts = np.unique(flat[order], return_index=True)
        return order, starts.astype(np.intp), places

    @cached_property
    def separate(self) -> bool:
        """Whether parameters stand equation by equation, one for each column of each, and nothing else."""
        in_order = self.slots.size == self.count and bool((self.slots.ravel() == np.arange(self.count)).all())
        return in_order and not self.negative

    def of_columns(self, columns: tuple[int, ...]) -> tuple[int, ...]:
        """Positions of all parameters of some columns, in the order of equations."""
        found = self.slots[:, list(columns)].ravel().tolist()
        return tuple(dict.fromkeys(place for place in found if place != NOWHERE))

    def of_part(self, columns: list[int]) -> Self:
        """The same parameters on some of the columns."""
        return self if len(columns) == self.slots.shape[1] else replace(self, slots=self.slots[:, columns])

    def table(self, theta: FloatArray) -> FloatArray:
        """(E, k) coefficients of every column in every equation; zero where a column is not in an equation."""
        if self.separate:
            return theta.reshape(self.slots.shape)
        return np.where(self.slots == NOWHERE, 0.0, (self.signs * theta)[self.slots])

    def gathered(self, by_equation: FloatArray) -> FloatArray:
        """(..., p) derivatives by the parameters, from those (..., E, k) by the entries of `table`."""
        lead = by_equation.shape[:-2]
        if self.separate:
            return by_equation.reshape(*lead, self.count)
        order, starts, places = self._in_order
        total = np.zeros((*lead, self.count))
        flat = by_equation.reshape(*lead, self.slots.size)
        total[..., places] = np.add.reduceat(flat[..., order], starts, axis=-1) if len(order) else 0.0
        return np.asarray(total * self.signs)

    def gathered_twice(self, by_equation: FloatArray) -> FloatArray:
        """(p, p) second derivatives by the parameters, from those (E, k, E, k) by the entries of `table`."""
        E, k = self.slots.shape
        if self.separate:
            return by_equation.reshape(self.count, self.count)
        rows = self.gathered(by_equation.reshape(E, k, E * k).transpose(2, 0, 1))
        return self.gathered(rows.T.reshape(self.count, E, k))

    def matrix(self, of_columns: FloatArray) -> FloatArray:
        """(p, p) map of the parameters, from the map (k, k) that the coefficients of each equation undergo.

        Ancillary parameters stay as they are.
        """
        if self.separate and len(self.slots) == 1:
            return of_columns
        if self.separate:
            return np.asarray(np.kron(np.eye(len(self.slots)), of_columns), dtype=np.float64)
        A = np.eye(self.count)
        for row in self.slots:
            here = np.flatnonzero(row != NOWHERE)
            A[np.ix_(row[here], row[here])] = of_columns[np.ix_(here, here)]
        return np.asarray(A * self.signs * self.signs[:, None])

    def spread(self, V: FloatArray) -> FloatArray:
        """(E, k, E, k) covariance of the entries of `table`, from that (p, p) of the parameters."""
        slots = self.slots.ravel()
        there = slots != NOWHERE
        signed = V * self.signs * self.signs[:, None]
        found = np.where(there[:, None] & there, signed[np.ix_(slots, slots)], 0.0)
        return np.asarray(found.reshape(*self.slots.shape, *self.slots.shape))


class Parametrized(Protocol):
    """What a design asks of the likelihood that it carries."""

    def parameters(self, design: Design) -> Parameters:
        """Return the layout of the parameters on the columns of a design."""
        ...
