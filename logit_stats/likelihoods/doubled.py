"""Numbers of twice the digits, as unevaluated sums of two doubles, for the one difference that needs them.

``y - m p`` of 10¹² trials is of the size of a million where the model is right, while a probability rounded to sixteen digits
moves ``m p`` by 10⁻⁴: ten digits would be left. With exp(-|eta|) known to twice the digits the difference is right to the last.
(Dekker 1971, Numerische Mathematik 18, 224-242; Hida, Li and Bailey 2001, ARITH-15.)
"""

from __future__ import annotations

import numpy as np

from logit_stats.design.block import FloatArray

Doubled = tuple[FloatArray, FloatArray]

# ln 2 in three parts, the first of 32 bits, so that its product with an exponent is exact.
LN2 = (0.6931471803691238, 1.9082149292705877e-10, 1.1612227229362532e-26)
# The argument of the series is halved so often: after that its eighth power is below 2e-106 of the first.
HALVINGS = 10
SPLITTER = 134217729.0  # 2^27 + 1


def two_sum(a: FloatArray, b: FloatArray) -> Doubled:
    """A + b without error."""
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


def two_product(a: FloatArray, b: FloatArray) -> Doubled:
    """A times b without error (sizes below 1e290)."""
    p = a * b
    a1, a2 = _halves(a)
    b1, b2 = _halves(b)
    return p, a2 * b2 - (((p - a1 * b1) - a2 * b1) - a1 * b2)


def _halves(a: FloatArray) -> Doubled:
    t = SPLITTER * a
    high = t - (t - a)
    return high, a - high


def add(a: Doubled, b: Doubled) -> Doubled:
    """Sum of two doubled numbers."""
    s, e = two_sum(a[0], b[0])
    return _normal(s, e + (a[1] + b[1]))


def multiply(a: Doubled, b: Doubled) -> Doubled:
    """Product of two doubled numbers."""
    p, e = two_product(a[0], b[0])
    return _normal(p, e + (a[0] * b[1] + a[1] * b[0]))


def _normal(s: FloatArray, e: FloatArray) -> Doubled:
    high = s + e
    return high, e - (high - s)


def exp(x: FloatArray) -> Doubled:
    """exp(x) of doubles from -700 to 0, to about 30 digits.

    Examples
    --------
    >>> high, low = exp(np.array([-1.0]))
    >>> float(high[0]), round(float(low[0]) * 1e17, 12)
    (0.36787944117144233, -1.242875367279)
    """
    k = np.rint(x / np.log(2.0))
    r = two_sum(x, -k * LN2[0])
    middle, rest = two_product(k, np.full_like(k, LN2[1]))
    r = add(add(r, (-middle, -rest)), (-k * LN2[2], np.zeros_like(k)))
    small = 0.5**HALVINGS
    s = _expm1((r[0] * small, r[1] * small))
    for _ in range(HALVINGS):
        # exp(2 r) - 1 = 2 s + s²
        s = add((2.0 * s[0], 2.0 * s[1]), multiply(s, s))
    high, low = add(two_sum(np.ones_like(k), s[0]), (s[1], np.zeros_like(k)))
    power = k.astype(np.int64)
    return np.ldexp(high, power), np.ldexp(low, power)


def _expm1(r: Doubled) -> Doubled:
    """exp(r) - 1 of tiny r by Taylor's series, in Horner's form."""
    total = r
    for n in range(8, 1, -1):
        # r (1 + total / n), from the inside out; division by n is a doubled product with its reciprocal
        inner = multiply(total, _reciprocal(n))
        total = add(r, multiply(r, inner))
    return total


def _reciprocal(n: int) -> Doubled:
    high = 1.0 / n
    p, e = two_product(np.array(high), np.array(float(n)))
    return np.array(high), ((1.0 - p) - e) / n
