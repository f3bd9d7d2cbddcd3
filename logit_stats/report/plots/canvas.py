"""What all plots share: axes, colours that the colour-blind can tell apart, words."""

from __future__ import annotations

import textwrap
from typing import Any

# Okabe and Ito (2008), Color Universal Design
BLUE, ORANGE, GREEN, BLACK, GREY = "#0072B2", "#D55E00", "#009E73", "#000000", "#888888"
# More points than these are thinned evenly, and the picture says so.
MOST_POINTS = 5_000


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
        raise ImportError("Plots need matplotlib: pip install 'logit-stats[plot]'.") from missing
    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def wrapped(name: str, width: int = 32) -> str:
    """A long name in several lines."""
    safe = name.replace("$", r"\$")  # matplotlib takes what stands between two of them for mathematics
    return "\n".join(textwrap.wrap(safe, width)) or safe


def thinned(rows: int) -> slice:
    """Every row, or evenly as many as a picture can show."""
    return slice(None, None, max(1, -(-rows // MOST_POINTS)))


def say_thinned(ax: Any, rows: int) -> None:
    """Say in the picture that not every row is shown."""
    step = thinned(rows).step
    if step > 1:
        ax.annotate(
            f"every {step}th of {rows:,} rows shown",
            (1.0, 1.01),
            xycoords="axes fraction",
            ha="right",
            fontsize=8,
            color=GREY,
        )
