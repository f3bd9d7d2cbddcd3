"""Smooth calibration curves: the share of events along the predicted probability.

`lowess_curve` is what rms measures distances from: Cleveland (1979, JASA 74, 829-836) without his robustness steps, which
have no meaning for outcomes of 0 and 1, with tricube weights over the nearest two thirds of the outcomes; as in his program
(and R's ``lowess(iter=0)``) lines are fitted where points are further apart than a hundredth of the range, and values
interpolated between. Its straight lines leave 0 and 1, and two thirds smooth a lot: what is drawn is `kernel_curve`, a local
mean over the log odds. A row counts as many times as it has outcomes.
"""

from __future__ import annotations

import numpy as np

from logit_stats.assess.scored import Scored
from logit_stats.design.block import FloatArray

# Share of the outcomes in each local line, and of the range within which values are interpolated: R's defaults.
SPAN = 2.0 / 3.0
STEP = 0.01
# Standard deviation of the kernel, in standard deviations of the log odds: half as wide follows the noise of a few hundred
# rows, twice as wide loses real bends of a few thousand.
KERNEL = 0.2
CHUNK_ROWS = 8192


def kernel_curve(scored: Scored, at: FloatArray) -> FloatArray:
    """Local mean of the outcome at given log odds: a normal kernel over the log odds, a fifth of their spread wide."""
    eta, weight = scored.eta, scored.outcomes
    middle = float(weight @ eta / weight.sum())
    spread = float(np.sqrt(weight @ (eta - middle) ** 2 / weight.sum()))
    width = max(KERNEL * spread, 1e-12)
    total, events = np.zeros(len(at)), np.zeros(len(at))
    for start in range(0, len(eta), CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        kernel = np.exp(-0.5 * ((at[:, None] - eta[part]) / width) ** 2)
        total += kernel @ weight[part]
        events += kernel @ scored.events[part]
    return np.asarray(np.divide(events, total, out=np.full(len(at), np.nan), where=total > 0.0))


def lowess_curve(scored: Scored, at: FloatArray | None = None, span: float = SPAN) -> FloatArray:
    """Smooth share of events at given probabilities (at each row's by default), NaN outside those that occur.

    Parameters
    ----------
    scored : Scored
    at : (m,), optional
        Probabilities.
    span : float
        Share of the outcomes that each local line is fitted to.
    """
    # rows of one probability are one point, with as many outcomes as they have together
    x, place = np.unique(scored.prob, return_inverse=True)
    weight = np.bincount(place, weights=scored.outcomes).astype(np.float64)
    share = np.bincount(place, weights=scored.events) / weight
    if scored.sampling:
        weight = weight * (len(scored.prob) / weight.sum())
    smooth = lowess(x, share, weight, span)
    wanted = scored.prob if at is None else np.asarray(at, dtype=np.float64)
    return np.interp(wanted, x, smooth, left=np.nan, right=np.nan)


def lowess(x: FloatArray, y: FloatArray, weight: FloatArray, span: float = SPAN) -> FloatArray:
    """Smooth of `y` at different, rising `x`; a point counts `weight` times."""
    if len(x) < 2:
        return y.copy()
    upto = np.cumsum(weight)
    size = max(min(np.floor(span * upto[-1] + 1e-7), upto[-1]), min(2.0, upto[-1]))
    fitted, step = np.empty(len(x)), STEP * (x[-1] - x[0])
    last = 0
    fitted[0] = _local_line(x, y, weight, upto, size, 0)
    while last < len(x) - 1:
        # the furthest point within a step of the last one that was fitted, or the next if there is none
        place = max(int(np.searchsorted(x, x[last] + step, side="right")) - 1, last + 1)
        fitted[place] = _local_line(x, y, weight, upto, size, place)
        between = slice(last + 1, place)
        share = (x[between] - x[last]) / (x[place] - x[last])
        fitted[between] = share * fitted[place] + (1.0 - share) * fitted[last]
        last = place
    return fitted


def _local_line(x: FloatArray, y: FloatArray, weight: FloatArray, upto: FloatArray, size: float, place: int) -> float:
    """Value at one point of the line through the nearest `size` outcomes."""
    here, width = x[place], _width(x, upto, size, x[place])
    low, high = np.searchsorted(x, [here - width, here + width], side="left")
    high = min(int(high) + 1, len(x))
    away = np.abs(x[low:high] - here)
    w = np.zeros(high - low)
    near = away <= 0.999 * width
    w[near] = (1.0 - np.minimum(away[near] / width, 1.0) ** 3) ** 3 if width > 0.0 else 1.0
    w[away <= 0.001 * width] = 1.0
    w *= weight[low:high]
    w /= w.sum()
    X, Y = x[low:high], y[low:high]
    middle = w @ X
    spread = w @ (X - middle) ** 2
    if np.sqrt(spread) <= 0.001 * (x[-1] - x[0]):
        return float(w @ Y)
    return float(w @ Y + (here - middle) * (w @ ((X - middle) * Y)) / spread)


def _width(x: FloatArray, upto: FloatArray, size: float, here: float) -> float:
    """Distance within which the nearest `size` outcomes lie: the shortest window of that many that holds `here`."""

    def ends(start: float) -> tuple[float, float]:
        first, last = np.searchsorted(upto, [start, start + size - 1.0], side="right")
        return here - x[min(first, len(x) - 1)], x[min(last, len(x) - 1)] - here

    # the left end comes nearer and the right end goes away as the window starts later: they cross between two starts
    low, high = 0, int(upto[-1] - size)
    while low < high:
        middle = (low + high) // 2
        left, right = ends(float(middle))
        if left > right:
            low = middle + 1
        else:
            high = middle
    return float(min(max(ends(float(s))) for s in {max(low - 1, 0), low}))
