"""Numbers as statsmodels prints them in its summaries, each a short text whatever its size."""

from __future__ import annotations

from math import isnan

LONGEST = 20  # characters; more would push the other columns off the page
SMALLEST_FIXED, LARGEST_FIXED = 1e-4, 1e4


def adaptive(value: float, places: int) -> str:
    """`places` decimals between 0.0001 and 10,000 in size, beyond that as many significant digits.

    >>> adaptive(2.82611, 3), adaptive(-0.0, 3), adaptive(1e-300, 3)
    ('2.826', '-0', '1e-300')
    """
    size = abs(value)
    kind = "g" if size >= LARGEST_FIXED or size < SMALLEST_FIXED else "f"
    return f"{value:.{places}{kind}}"


def significant(value: float, digits: int) -> str:
    """`digits` significant digits, zeros at the end kept.

    >>> significant(0.0015018, 4), significant(-12.8896, 5)
    ('0.001502', '-12.890')
    """
    return f"{value:#.{digits}g}"


def fixed(value: float, float_format: str) -> str:
    """Value in a format such as ``"%.4f"``; six significant digits where that takes more than 20 characters.

    >>> fixed(33.77934, "%.4f"), fixed(1e300, "%.4f")
    ('33.7793', '1e+300')
    """
    text = (float_format % value).strip()
    return text if len(text) <= LONGEST else f"{value:.6g}"


def count(value: float) -> str:
    """Number of observations or degrees of freedom; weights can make it fractional.

    >>> count(32.0), count(31.25), count(float("nan"))
    ('32', '31.25', 'NaN')
    """
    if isnan(value):
        return "NaN"
    return fixed(value, "%.0f" if value == value // 1 else "%.2f")
