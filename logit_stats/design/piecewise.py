"""Transforms of a column as polynomials between knots: what a program without splines can compute.

Every column of ``bs``, ``ns``, ``cr``, ``cc`` and ``poly`` is a polynomial of low degree on each of a few intervals. The
coefficients are found by interpolation at Chebyshev points of the interval, in ``t = (x - origin) / width``, which is exact
up to rounding, and are checked at other points before they are handed out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from patsy.mgcv_cubic_splines import CC, CR
from patsy.splines import BS

from logit_stats.design.block import FloatArray
from logit_stats.design.transforms import DEGREE, NaturalSpline, OrthogonalPolynomial
from logit_stats.errors import NotAvailableError

# How far the polynomials may be from the transform, relative to its largest value.
AGREEMENT = 1e-9


@dataclass(frozen=True, eq=False)
class Piece:
    """One interval.

    Attributes
    ----------
    low, high : float
        Its ends; infinite where it goes on.
    origin, width : float
        ``t = (x - origin) / width``.
    coefficients : (degree + 1, columns)
        Of 1, t, t², ...
    """

    low: float
    high: float
    origin: float
    width: float
    coefficients: FloatArray

    def values(self, x: FloatArray) -> FloatArray:
        """(n, columns) of places inside."""
        t = (x - self.origin) / self.width
        return np.vander(t, len(self.coefficients), increasing=True) @ self.coefficients


@dataclass(frozen=True, eq=False)
class Piecewise:
    """A transform as polynomials on intervals; outside of all of them it has no value.

    Attributes
    ----------
    pieces : tuple of Piece
        From left to right.
    period : (float, float) or None
        Where the transform repeats itself: start and length.
    """

    pieces: tuple[Piece, ...]
    period: tuple[float, float] | None = None


def piecewise(transform: Any, arguments: tuple[Any, ...], options: dict[str, Any], name: str) -> Piecewise:
    """Polynomials of a transform that has learned its numbers.

    Raises
    ------
    NotAvailableError
        If the transform is no such thing (``te``, a transform of the user's).
    """

    def function(x: FloatArray) -> FloatArray:
        values = np.asarray(
            transform.transform(np.asarray(x, dtype=np.float64), *arguments, **options), dtype=np.float64
        )
        return values if values.ndim == 2 else values[:, None]

    found = _pieces(transform, options, arguments, function)
    if found is None:
        raise NotAvailableError(f"{name} is no polynomial between knots, and cannot be written as an expression.")
    _check(found, function, name)
    return found


def _pieces(transform: Any, options: dict[str, Any], arguments: tuple[Any, ...], function: Any) -> Piecewise | None:
    if isinstance(transform, OrthogonalPolynomial):
        return None if options.get("raw") or len(arguments) > 1 else _one_polynomial(transform, function)
    if isinstance(transform, NaturalSpline):
        return Piecewise(_with_tails(np.asarray(transform.knots), function))
    if not isinstance(transform, (BS, CC, CR)):
        return None
    knots = np.unique(transform._all_knots)
    if isinstance(transform, CC):
        return Piecewise(_between(knots, DEGREE, function), (float(knots[0]), float(knots[-1] - knots[0])))
    pieces = (
        _between(knots, int(transform._degree), function) if isinstance(transform, BS) else _with_tails(knots, function)
    )
    return Piecewise(pieces)


def _one_polynomial(transform: OrthogonalPolynomial, function: Callable[[FloatArray], FloatArray]) -> Piecewise:
    middle = float(transform.centres[0])
    spread = float(np.sqrt(transform.norms[2] / transform.norms[1]))
    degree = len(transform.centres)
    return Piecewise((_piece(-np.inf, np.inf, middle - spread, 2.0 * spread, degree, function),))


def _between(knots: FloatArray, degree: int, function: Callable[[FloatArray], FloatArray]) -> tuple[Piece, ...]:
    return tuple(_piece(float(a), float(b), float(a), float(b - a), degree, function) for a, b in pairwise(knots))


def _with_tails(knots: FloatArray, function: Callable[[FloatArray], FloatArray]) -> tuple[Piece, ...]:
    """Straight lines beyond the outermost knots."""
    low, high = float(knots[0]), float(knots[-1])
    width = high - low
    before = _piece(-np.inf, low, low - width, width, 1, function)
    after = _piece(high, np.inf, high, width, 1, function)
    return (before, *_between(knots, DEGREE, function), after)


def _piece(
    low: float, high: float, origin: float, width: float, degree: int, function: Callable[[FloatArray], FloatArray]
) -> Piece:
    t = (1.0 - np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))) / 2.0
    coefficients = np.asarray(
        np.linalg.solve(np.vander(t, degree + 1, increasing=True), function(origin + t * width)), dtype=np.float64
    )
    return Piece(low, high, origin, width, coefficients)


def _check(found: Piecewise, function: Callable[[FloatArray], FloatArray], name: str) -> None:
    for piece in found.pieces:
        t = np.array([0.1, 0.45, 0.8])
        if np.isinf(piece.low):
            t = np.append(t, -3.0)
        if np.isinf(piece.high):
            t = np.append(t, 4.0)
        x = piece.origin + t * piece.width
        wanted = function(x)
        if not np.abs(wanted - piece.values(x)).max() <= AGREEMENT * max(1.0, float(np.abs(wanted).max())):
            raise NotAvailableError(f"{name} is no polynomial between knots, and cannot be written as an expression.")
