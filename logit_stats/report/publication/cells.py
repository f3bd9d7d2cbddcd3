"""The cells of a table for publication: what they are, and how each is written."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isnan

from logit_stats.report.publication.numbers import (
    DASH,
    LARGEST_PLAIN,
    MINUS,
    beside,
    count,
    decimals,
    number,
    p_value,
    share,
)

STARS = (0.05, 0.01, 0.001)


@dataclass(frozen=True, slots=True)
class Estimate:
    """An odds ratio or coefficient with its limits.

    Attributes
    ----------
    value, low, high : float
        NaN where there is none; infinite where the likelihood has no maximum on that side.
    null : float
        The value of no effect: 1 for ratios, 0 for coefficients.
    p : float
        For stars.
    stars : bool
    digits : int or None
        Decimals; None for as many as the interval deserves.
    shown : {"both", "value", "limits"}
        What of it the cell says.
    """

    value: float
    low: float
    high: float
    null: float = 1.0
    p: float = float("nan")
    stars: bool = False
    digits: int | None = None
    shown: str = "both"

    @property
    def places(self) -> int:
        """Decimals."""
        return decimals(self.low, self.high, self.value) if self.digits is None else self.digits

    @property
    def mark(self) -> str:
        """The stars."""
        return "*" * sum(self.p < level for level in STARS) if self.stars else ""

    @property
    def limits(self) -> str:
        """Both limits; "" where there are none."""
        if isnan(self.low) or isnan(self.high):
            return ""
        ends = (number(v, self.places) if self.digits is not None else beside(v, self.places, self.null)
                for v in (self.low, self.high))  # fmt: skip
        return " to ".join(ends)

    def _rounded(self, value: float, places: int) -> str:
        small = self.null == 1.0 and value > 0.0 and round(value, places) == 0.0
        return beside(value, places, self.null) if small else number(value, places)

    def __str__(self) -> str:
        shown = number if self.digits is not None or not isfinite(self.value) else self._rounded
        value = "undetermined" if isnan(self.value) else shown(self.value, self.places) + self.mark
        if self.shown == "limits":
            return self.limits or DASH
        return value if self.shown == "value" or not self.limits else f"{value} ({self.limits})"


@dataclass(frozen=True, slots=True)
class Reference:
    """The level that others are compared with."""

    null: float = 1.0

    def __str__(self) -> str:
        return f"{self.null:g} (reference)"


@dataclass(frozen=True, slots=True)
class PValue:
    """A p-value."""

    value: float

    def __str__(self) -> str:
        return p_value(self.value)


@dataclass(frozen=True, slots=True)
class Count:
    """A number of observations."""

    value: float

    def __str__(self) -> str:
        return count(self.value)


@dataclass(frozen=True, slots=True)
class Share:
    """Events, and their per cent of the observations."""

    part: float
    whole: float

    @property
    def value(self) -> float:
        """The number of events."""
        return self.part

    def __str__(self) -> str:
        return share(self.part, self.whole)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with so many decimals; of small errors as many as show two digits."""

    value: float
    digits: int = 2

    def __str__(self) -> str:
        size = abs(self.value)
        if not isfinite(size) or size >= LARGEST_PLAIN:
            return number(self.value, self.digits)
        places = decimals(0.0, size, size, self.digits) if 0.0 < size < 0.1 else self.digits
        return f"{self.value:,.{places}f}".replace("-", MINUS)


@dataclass(frozen=True, slots=True)
class Absent:
    """What the model has no number for, and why where that is to be said."""

    why: str = ""

    def __str__(self) -> str:
        return self.why or DASH


Cell = Estimate | Reference | PValue | Count | Share | Measure | Absent | None
