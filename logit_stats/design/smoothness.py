"""How a function of a number changes with it: its derivative where it is smooth, and the places where it jumps.

The function is a factor of a formula, any expression of Python, known by its values alone. The derivative at x is that of
the polynomial of degree six through Chebyshev's points of a window around x, and windows shrink by four until two in
turn agree: exact for polynomials and for splines between their knots, and for logarithms and roots near zero the window
is as small as it must be, whatever the range of the data. Windows stay inside the range of the data, where splines and
logarithms are defined. Where no window around x agrees, x is the place of a jump, and the derivative is that of the side
on which the value at x lies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray

Values = Callable[[FloatArray, NDArray[np.intp]], FloatArray]

_NODES = np.cos(np.pi * np.arange(7) / 6.0)
_SHRINK = 4.0
_WINDOWS = 28
# Two windows agree when they, and what rounding does to them, differ by less than this share of the derivative.
_AGREE = 1e-10
_UNSETTLED = 1e-4
_ASIDE = 1e-5
# Narrower windows, relative to x, see the last digits of the function and not its slope.
_NARROWEST = 1e-7
_ROUNDING = 64.0 * float(np.finfo(np.float64).eps)
# A difference that is left after so many halvings of an interval is a jump.
_HALVINGS = 60
_JUMP = 1e-9
_GRID = 257


@dataclass(frozen=True, eq=False)
class Derivative:
    """Derivatives of c columns at n places.

    Attributes
    ----------
    values : (n, c)
    error : (n,)
        Difference between the two windows that agree best, relative to the derivative: 1e-10 where it is settled.
    """

    values: FloatArray
    error: FloatArray

    def take(self, rows: NDArray[np.intp], other: Derivative) -> None:
        """Take what another has for some rows where it is better settled."""
        better = other.error < self.error[rows]
        self.values[rows[better]] = other.values[better]
        self.error[rows[better]] = other.error[better]


def derivative(function: Values, x: FloatArray, low: float, high: float) -> Derivative:
    """Derivative at every place.

    Parameters
    ----------
    function : callable
        ``function(places, rows)`` gives the values (m, c) at places (m,) in the rows (m,) of x.
    x : (n,)
    low, high : float
        The range inside which the function is asked.
    """
    low, high = min(low, float(x.min())), max(high, float(x.max()))
    found = _settle(function, x, np.arange(len(x)), low, high, _around)
    open_rows = np.flatnonzero(found.error > _UNSETTLED)
    for window in (_right_of, _left_of) if len(open_rows) else ():
        side = _settle(function, x[open_rows], open_rows, low, high, window)
        found.take(open_rows, side)
    ends = np.flatnonzero(found.error > _UNSETTLED)
    if len(ends):
        # a jump at the very end of the range: the derivative is that next to it
        aside = (high - low) * _ASIDE * np.where(x[ends] > (low + high) / 2.0, -1.0, 1.0)
        found.take(ends, _settle(function, x[ends] + aside, ends, low, high, _around))
    return found


Window = Callable[[FloatArray, float, float, float], tuple[FloatArray, FloatArray]]


def _around(x: FloatArray, share: float, low: float, high: float) -> tuple[FloatArray, FloatArray]:
    """Ends of the windows around x, moved into the range, each a share of it."""
    radius = share * (high - low) / 4.0
    middle = np.clip(x, low + radius, high - radius)
    return np.maximum(middle - radius, low), np.minimum(middle + radius, high)


def _right_of(x: FloatArray, share: float, low: float, high: float) -> tuple[FloatArray, FloatArray]:
    return x, x + share * (high - x)


def _left_of(x: FloatArray, share: float, low: float, high: float) -> tuple[FloatArray, FloatArray]:
    return x - share * (x - low), x


def _settle(
    function: Values, x: FloatArray, rows: NDArray[np.intp], low: float, high: float, window: Window
) -> Derivative:
    """Shrink the windows until two in turn agree; the pair that agrees best counts where none does."""
    width = high - low if high > low else max(abs(high), 1.0)
    if high <= low:
        low, high = low - width, high + width
    best: FloatArray | None = None
    error, before = np.full(len(x), np.inf), None
    active = np.arange(len(x))
    for step in range(_WINDOWS):
        ends = window(x[active], _SHRINK**-step, low, high)
        half = (ends[1] - ends[0]) / 2.0
        now, size = _through_nodes(function, x[active], rows[active], ends)
        if best is None:
            best = np.full((len(x), now.shape[1]), np.nan)
        if before is not None:
            apart, scale = np.abs(now - before).max(axis=1), np.abs(now).max(axis=1)
            noise = _ROUNDING * size / np.maximum(half, 1e-300)
            with np.errstate(invalid="ignore", divide="ignore"):
                relative = np.where(scale > 0.0, np.maximum(apart, noise) / scale, np.where(apart > 0.0, np.inf, 0.0))
            relative = np.where(np.isfinite(relative) & (half > _NARROWEST * np.abs(x[active])), relative, np.inf)
            better = relative < error[active]
            best[active[better]], error[active[better]] = now[better], relative[better]
            on = error[active] > _AGREE
            active, now = active[on], now[on]
        before = now
        if not len(active):
            break
    assert best is not None
    return Derivative(best, error)


def _through_nodes(
    function: Values, x: FloatArray, rows: NDArray[np.intp], ends: tuple[FloatArray, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Derivative (m, c) at x of the polynomial through the nodes of each window, and the size of the values there."""
    middle, half = ends[0] + (ends[1] - ends[0]) / 2.0, (ends[1] - ends[0]) / 2.0
    safe = np.where(half > 0.0, half, 1.0)
    weights = _weights((x - middle) / safe) / safe
    first = total = None
    size = np.zeros(len(x))
    for node, weight in zip(_NODES, weights, strict=True):
        value = function(np.clip(middle + half * node, *ends), rows)
        size = np.maximum(size, np.abs(value).max(axis=1))
        # the weights sum to zero: a constant is taken away first, so that it leaves no rounding error
        if first is None:
            first, total = value, np.zeros_like(value)
            continue
        total = total + (value - first) * weight[:, None]
    assert total is not None
    total[half <= 0.0] = np.nan
    return total, size


def _weights(s: FloatArray) -> FloatArray:
    """(7, m) weights of the values at the nodes in the derivative at s of the polynomial through them."""
    found = []
    for j, node in enumerate(_NODES):
        others = np.delete(_NODES, j)
        terms = [np.prod(s - np.delete(others, left)[:, None], axis=0) for left in range(len(others))]
        found.append(np.sum(terms, axis=0) / np.prod(node - others))
    return np.array(found)


def jumps(function: Values, x: FloatArray, rows: NDArray[np.intp]) -> list[float]:
    """Places at which the function jumps, in some of the rows.

    Parameters
    ----------
    function : callable
        As for `derivative`.
    x : (n,)
        Values of the number; jumps are looked for between neighbours among at most 257 of them.
    rows : (r,) int
        Rows in which to look.
    """
    places = np.unique(x)
    places = places[np.unique(np.linspace(0, len(places) - 1, _GRID).astype(np.intp))]
    found: list[float] = []
    for row in rows:
        found += _jumps_of_row(lambda at, row=row: function(at, np.full(len(at), row)), places)  # type: ignore[misc]
    return sorted(set(found))


def _jumps_of_row(function: Callable[[FloatArray], FloatArray], places: FloatArray) -> list[float]:
    if len(places) < 2:
        return []
    a, b = places[:-1].copy(), places[1:].copy()
    values = function(places)
    low, high = values[:-1].copy(), values[1:].copy()
    for _ in range(_HALVINGS):
        middle = a + (b - a) / 2.0
        value = function(middle)
        left = np.abs(value - low).max(axis=1) >= np.abs(high - value).max(axis=1)
        b, high = np.where(left, middle, b), np.where(left[:, None], value, high)
        a, low = np.where(left, a, middle), np.where(left[:, None], low, value)
    size = np.abs(values[np.isfinite(values).all(axis=1)]).max(initial=0.0)
    with np.errstate(invalid="ignore"):
        jumped = np.abs(high - low).max(axis=1) > _JUMP * max(float(size), 1e-300)
    return [float(f"{place:.12g}") for place in b[jumped]]
