"""What all plots share: axes, colours that the colour-blind can tell apart, texts and ticks that fit the space there is."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np

from logit_stats.report.escaping import one_line

# More points than these are thinned evenly, and the picture says so.
MOST_POINTS = 2_000
MARKERS = "osD^vP"


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of Okabe and Ito (2008, Color Universal Design) that stand out on a background.

    Attributes
    ----------
    series : tuple of str
        For what is compared; the first two serve most pictures.
    ink, faint : str
        For lines that matter, and for those that only guide the eye.
    """

    series: tuple[str, ...]
    ink: str
    faint: str

    @property
    def first(self) -> str:
        """Colour of what the picture is about."""
        return self.series[0]

    @property
    def second(self) -> str:
        """Colour of what it is compared with."""
        return self.series[1]

    def number(self, i: int) -> str:
        """Colour of the i-th thing compared."""
        return self.series[i % len(self.series)]


ON_LIGHT = Palette(("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"), "#000000", "#767676")
ON_DARK = Palette(("#56B4E9", "#E69F00", "#2FBF93", "#CC79A7", "#F0E442", "#D55E00"), "#FFFFFF", "#A8A8A8")


def palette(ax: Any) -> Palette:
    """Colours for the background that the style in use gives the axes."""
    from matplotlib.colors import to_rgba

    red, green, blue, opacity = to_rgba(ax.get_facecolor())
    if opacity == 0.0:
        red, green, blue, _ = to_rgba(ax.figure.get_facecolor())
    return ON_DARK if 0.299 * red + 0.587 * green + 0.114 * blue < 0.4 else ON_LIGHT


def axes(ax: Any, width: float = 6.0, height: float = 4.2) -> Any:
    """Return `ax`, or the axes of a new figure.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as missing:
        raise ImportError("Plots need matplotlib: pip install matplotlib.") from missing
    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


# Texts.


def inches(ax: Any) -> tuple[float, float]:
    """Width and height of the axes."""
    place, figure = ax.get_position(), ax.figure.get_figure(root=True)
    width, height = figure.get_size_inches()
    return float(place.width * width), float(place.height * height)


def font_size(ax: Any, share: float = 0.9) -> float:
    """Points of a text inside the axes: a share of the style's size, less in small axes."""
    from matplotlib import rcParams

    width, height = inches(ax)
    return float(rcParams["font.size"]) * share * float(np.clip(min(width / 3.6, height / 1.6), 0.65, 1.0))


def plain(text: str) -> str:
    r"""A text no character of which is taken for mathematics, also if it was made plain before.

    >>> print(plain("cost ($x^{$)"), plain(plain("$")))
    cost (\$x^{\$) \$
    """
    shown = "\n".join(one_line(line) for line in text.split("\n"))
    return re.sub(r"(?<!\\)\$", r"\\$", shown)


def wrapped(name: str, width: int = 32, *, within_words: bool = True) -> str:
    """A long name in several lines; no character of it is taken for mathematics."""
    safe = plain(one_line(name))
    return "\n".join(textwrap.wrap(safe, width, break_long_words=within_words)) or safe


def _letters(length: float, points: float) -> int:
    """How many letters of a size go into a length in inches."""
    return max(int(length * 72.0 / (0.56 * points)), 8)


def name_axes(ax: Any, x: str, y: str, title: str = "") -> None:
    """Label the axes in as many lines as their length asks for, smaller on small axes."""
    width, height = inches(ax)
    shrink = float(np.clip(min(width / 2.8, height / 1.2), 0.75, 1.0))
    for text, words, length in ((ax.xaxis.label, x, width), (ax.yaxis.label, y, height), (ax.title, title, width)):
        points = text.get_fontsize() * shrink
        if text is ax.title:
            points = font_size(ax)
        text.set_fontsize(points)
        text.set_text(wrapped(words, _letters(length * 1.1, points)))
    if shrink < 1.0:
        ax.tick_params(labelsize=font_size(ax))


def legend(ax: Any, loc: str = "best", title: str | None = None) -> None:
    """Legend without a box: outside the axes, where it covers no data, or in a corner that the picture leaves free.

    Parameters
    ----------
    ax : Axes
    loc : str
        ``"best"`` is outside: above the axes, or at their right where it would be long; else a corner, on a veil.
    title : str, optional
    """
    handles, labels = ax.get_legend_handles_labels()
    size = font_size(ax)
    words = {"fontsize": size, "title": title, "title_fontsize": size, "borderpad": 0.3}
    labels = [plain(label) for label in labels]
    if loc != "best":
        shown = ax.legend(handles, labels, loc=loc, framealpha=0.75, **words)
    elif len(labels) > _LONG_LEGEND:
        shown = ax.legend(handles, labels, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, **words)
    else:
        wide = max(len(line) for label in labels for line in label.split("\n")) + 5 if labels else 1
        columns = max(min(len(labels), int(_letters(inches(ax)[0], size) / wide)), 1)
        shown = ax.legend(handles, labels, loc="lower left", ncols=columns, frameon=False, borderaxespad=0.0,
                          bbox_to_anchor=(0.0, 1.01), columnspacing=1.2, **words)  # fmt: skip
        _lift(ax, 4.0 + 1.5 * size * sum(label.count("\n") + 1 for label in labels[::columns]))
    shown.get_frame().set_linewidth(0.0)


def _lift(ax: Any, points: float) -> None:
    """Make room for a legend between the axes and what is said above them."""
    for text in _remarks(ax):
        text.xyann = (0.0, 3.0 + points)
    if ax.get_title():
        ax.set_title(ax.get_title(), fontsize=ax.title.get_fontsize(), pad=4.0 + points)


# More entries than these stand at the right of the axes, one below the other.
_LONG_LEGEND = 6


def _remarks(ax: Any) -> list[Any]:
    return [text for text in ax.texts if text.get_gid() == "remark"]


def remark(ax: Any, text: str) -> None:
    """Say something about the whole picture, above its right corner, beside what has been said."""
    said = _remarks(ax)
    if said:
        said[0].set_text(f"{said[0].get_text()}; {text}")
        return
    ax.annotate(
        text, (1.0, 1.0), xytext=(0, 3), xycoords="axes fraction", textcoords="offset points", ha="right", va="bottom",
        fontsize=font_size(ax, 0.8), color=palette(ax).faint, gid="remark",
    )  # fmt: skip


def interval_words(alpha: float, kind: str = "") -> str:
    """``95 % interval``, and of what kind unless it is the usual one."""
    return f"{100.0 * (1.0 - alpha):g} % interval{f' ({kind})' if kind else ''}"


def name_levels(ax: Any, levels: list[str]) -> None:
    """Names of levels below their places, turned where they would run into each other; no word is broken."""
    longest = max((len(word) for level in levels for word in level.split()), default=0)
    room = _letters(inches(ax)[0] / max(len(levels), 1), float(ax.xaxis.get_ticklabels()[0].get_fontsize()))
    turned = longest > max(room - 1, 1) or sum(len(level) + 2 for level in levels) > 4 * max(room, 1) * len(levels)
    width = 24 if turned else max(room, longest)
    ax.set_xticks(range(len(levels)), [wrapped(level, width, within_words=False) for level in levels])
    ax.set_xlim(-0.5, len(levels) - 0.5)
    if turned:
        ax.tick_params(axis="x", rotation=90)


# Rows.


def thinned(rows: int) -> slice:
    """Every row, or evenly as many as a picture can show."""
    return slice(None, None, max(1, -(-rows // MOST_POINTS)))


def thinned_words(rows: int) -> str:
    """Say that not every row is shown; nothing where every row is."""
    step = thinned(rows).step
    return (
        f"every {step}{'nd' if step == 2 else 'rd' if step == 3 else 'th'} of {rows:,} rows shown" if step > 1 else ""
    )


def without_hidden(x: Any, y: Any) -> Any:
    """Mask of the points of a curve in the unit square that the eye can tell from their neighbours."""
    if len(x) <= MOST_POINTS:
        return np.ones(len(x), dtype=bool)
    cell = np.rint(np.column_stack([x, y]) * MOST_POINTS)
    changed = np.r_[True, (np.diff(cell, axis=0) != 0.0).any(axis=1)]
    return changed | np.r_[changed[1:], True]


def areas(size: Any, least: float = 8.0, most: float = 120.0) -> Any:
    """Marker areas in proportion to sizes, within what can be seen and does not cover the picture."""
    largest = float(np.max(size)) if len(size) else 1.0
    return np.maximum(most * np.asarray(size) / max(largest, 1e-300), least)


# Ticks.


def plain_log_axis(ax: Any, low: float, high: float) -> None:
    """Logarithmic x axis over a range, ticks written as plain numbers: 0.1 0.2 0.5 1 2 5 10."""
    from matplotlib import ticker

    ax.set_xscale("log")
    room = max(int(inches(ax)[0] * 2.2), 2)
    decades = np.log10(high / low)
    axis = ax.xaxis
    if decades < 0.8:
        axis.set_major_locator(ticker.MaxNLocator(min(room, 6), steps=[1, 2, 2.5, 5, 10]))
    else:
        axis.set_major_locator(ticker.FixedLocator(_log_ticks(low, high, decades, room)))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: plain_number(value)))
    axis.set_minor_locator(ticker.NullLocator())
    ax.set_xlim(low, high)


def _log_ticks(low: float, high: float, decades: float, room: int) -> list[float]:
    """Ticks over decades, 1 among them: 1 2 5 or 1 3 of each where there is room, else powers of ten at even distances."""
    subs = next((s for s in ((1.0, 2.0, 5.0), (1.0, 3.0)) if decades * len(s) <= room), (1.0,))
    stride = max(1, int(np.ceil(decades / max(room, 3)))) if subs == (1.0,) else 1
    first, last = int(np.floor(np.log10(low) / stride)), int(np.ceil(np.log10(high) / stride))
    ticks = [sub * 10.0 ** (stride * power) for power in range(first, last + 1) for sub in subs]
    return [tick for tick in ticks if low <= tick <= high]


def plain_number(value: float) -> str:
    """A tick as one would write it."""
    return f"{value:.10g}" if 1e-4 <= abs(value) < 1e5 else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")


def place_labels(ax: Any, x: Any, y: Any, texts: list[str], points: float) -> None:
    """Write labels beside points, on the side where they do not cover a label written before."""
    taken: list[tuple[float, float, float, float]] = []
    per_point = ax.figure.dpi / 72.0
    for at_x, at_y, text in zip(x, y, texts, strict=True):
        px, py = ax.transData.transform((at_x, at_y)) / per_point
        wide, high = 0.6 * points * len(text), 1.1 * points
        sides = [(4, 4), (4, -4 - high), (-4 - wide, 4), (-4 - wide, -4 - high), (4, 4 + high), (4, -4 - 2 * high)]
        boxes = [(px + dx, py + dy, px + dx + wide, py + dy + high) for dx, dy in sides]
        free = next((i for i, box in enumerate(boxes) if not any(_overlap(box, other) for other in taken)), 0)
        taken.append(boxes[free])
        ax.annotate(plain(text), (at_x, at_y), xytext=sides[free], textcoords="offset points", fontsize=points)


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
