"""Numbers as a journal prints them: as many decimals as the interval deserves, p-values that are never 0.000."""

from __future__ import annotations

from math import ceil, floor, isfinite, isinf, isnan, log10

MOST_DECIMALS = 6
LARGEST_PLAIN = 1e6
MINUS = "\u2212"
DASH = "\u2013"


def number(value: float, places: int) -> str:
    """Value with so many decimals, fewer where it is large; infinity as a sign.

    >>> number(2.31349, 2), number(158.23, 2), number(-0.5, 2), number(float("inf"), 2), number(3.2e9, 2)
    ('2.31', '158', '−0.50', '∞', '3.2e+09')
    """
    if isnan(value):
        return DASH
    if isinf(value):
        return "∞" if value > 0.0 else f"{MINUS}∞"
    size = abs(value)
    if size >= LARGEST_PLAIN:
        return f"{value:.1e}".replace("-", MINUS, 1) if value < 0.0 else f"{value:.1e}"
    # three digits before the point say enough, whatever stands after it
    places = min(places, max(0, 3 - len(str(floor(size))))) if size >= 100.0 and places <= 2 else places
    text = f"{size:.{places}f}"
    negative = value < 0.0 and float(text) != 0.0
    return f"{MINUS}{text}" if negative else text


def decimals(low: float, high: float, estimate: float, least: int = 2) -> int:
    """How many decimals show an interval with two digits of its width.

    >>> decimals(1.2, 4.5, 2.3), decimals(0.972, 0.998, 0.985), decimals(1.00002, 1.00019, 1.0001)
    (2, 3, 5)
    """
    ends = [v for v in (low, high) if isfinite(v)]
    width = max(ends) - min(ends) if len(ends) == 2 else abs(estimate - ends[0]) if ends and isfinite(estimate) else 0.0
    if width <= 0.0:
        return least if not isfinite(estimate) or estimate == 0.0 else _for_size(abs(estimate), least)
    return min(max(least, ceil(-log10(width)) + 1), MOST_DECIMALS)


def _for_size(size: float, least: int) -> int:
    return min(max(least, 1 - floor(log10(size))), MOST_DECIMALS)


def beside(value: float, places: int, null: float) -> str:
    """A limit that rounding would put on the value of no effect: with one more decimal, or said to be beside it.

    >>> beside(0.994, 2, 1.0), beside(0.9961, 2, 1.0), beside(1.00002, 2, 1.0), beside(0.0004, 2, 1.0)
    ('0.99', '0.996', '>1.00', '<0.01')
    """
    if not isfinite(value) or value == null:
        return number(value, places)
    if null == 1.0 and value > 0.0 and round(value, places) == 0.0:
        return f"<{10.0**-places:.{places}f}"  # a ratio is never zero
    if round(value, places) != null:
        return number(value, places)
    if round(value, places + 1) != null:
        return number(value, places + 1)
    return f"{'<' if value < null else '>'}{null:.{places}f}"


def p_value(p: float) -> str:
    """A p-value: two decimals, three below 0.1, ``<0.001`` below that; never rounded onto 0.05.

    >>> p_value(0.4567), p_value(0.0234), p_value(1e-9), p_value(0.04987), p_value(0.9999)
    ('0.46', '0.023', '<0.001', '0.0499', '>0.99')
    """
    if isnan(p):
        return DASH
    if p < 0.001:
        return "<0.001"
    if p > 0.99:
        return ">0.99"
    if p < 0.0995:
        text = f"{p:.3f}"
        return next((f"{p:.{k}f}" for k in range(4, 8) if f"{p:.{k}f}".rstrip("0") != "0.05"), text) if (
            text == "0.050" and p != 0.05
        ) else text  # fmt: skip
    return f"{p:.2f}"


def count(value: float) -> str:
    """A number of observations.

    >>> count(1234.0), count(31.25)
    ('1,234', '31.2')
    """
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def share(part: float, whole: float) -> str:
    """``part (per cent)``."""
    return f"{count(part)} ({100.0 * part / whole:.1f})" if whole > 0.0 else count(part)
