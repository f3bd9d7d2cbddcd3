"""`Outcomes`: probabilities of the outcomes of rows, and how they move with the linear predictors.

Margins, means, predictions, average probabilities and doses are written against these alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from logit_stats.design.block import FloatArray


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What m rows with E linear predictors promise for C outcomes.

    A binary response has one outcome, the event (C = 1); several categories are C outcomes whose probabilities sum to one.

    Attributes
    ----------
    prob, complement : (C, m)
        Probabilities, and one minus these without cancellation.
    first : (C, E, m)
        Derivatives of the probabilities by the linear predictors.
    second_ : callable
        Makes the second derivatives, on demand: `second`.
    """

    prob: FloatArray
    complement: FloatArray
    first: FloatArray
    second_: Callable[[], FloatArray] = field(repr=False)

    def second(self) -> FloatArray:
        """(C, E, E, m) second derivatives by the linear predictors."""
        return self.second_()

    def cumulative(self) -> Outcomes:
        """Probabilities of an outcome or one before it, the last left out."""
        before = self.prob.cumsum(axis=0)[:-1]
        beyond = self.prob[::-1].cumsum(axis=0)[::-1][1:]
        first = self.first.cumsum(axis=0)[:-1]
        return Outcomes(before, beyond, first, lambda: self.second_().cumsum(axis=0)[:-1])
