"""The picture of a path of penalized fits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

# More names than these cannot be read: those of the largest coefficients are written.
MOST_NAMES = 15
_DASHES = ("-", "--", "-.", ":")


def penalty_path_plot(
    params: pd.DataFrame, chosen: float | None = None, ax: Any = None, *, label: str = "coefficient"
) -> Any:
    """Draw coefficients against the strength of the penalty, which falls from left to right (logarithmic).

    Parameters
    ----------
    params : DataFrame
        One row for each alpha (its index), one column for each coefficient. A fit without a penalty (alpha 0) has no place
        on the axis and is left out.
    chosen : float, optional
        Alpha to mark.
    ax : Axes, optional
    label : str
        What the coefficients are.

    Returns
    -------
    Axes
        The lines are named at their ends; of more than 15 those with the largest coefficients.
    """
    from logit_stats.report.plots.canvas import axes, font_size, name_axes, palette

    ax = axes(ax)
    colours = palette(ax)
    shown = params[np.asarray(params.index, dtype=np.float64) > 0.0].sort_index(ascending=False)
    for i, name in enumerate(shown.columns):
        ax.plot(shown.index, shown[name], color=colours.number(i), linestyle=_DASHES[i // len(colours.series) % 4])
    if chosen is not None and chosen > 0.0:
        ax.axvline(chosen, color=colours.faint, linestyle="--", linewidth=1.0)
        ax.annotate("one standard error", (chosen, 1.0), xytext=(0, 3), xycoords=("data", "axes fraction"), ha="center",
                    textcoords="offset points", fontsize=font_size(ax, 0.8), color=colours.faint)  # fmt: skip
    ax.axhline(0.0, color=colours.faint, linewidth=0.8, zorder=0)
    ax.set_xscale("log")
    ax.invert_xaxis()
    name_axes(ax, "alpha", label)
    if len(shown):
        _name_lines(ax, shown)
    return ax


def _name_lines(ax: Any, params: pd.DataFrame) -> None:
    """Write the names right of the ends of the lines, moved apart where they would cover each other."""
    from logit_stats.report.plots.canvas import font_size, inches, palette, wrapped

    ends, size = params.iloc[-1].to_numpy(dtype=np.float64), font_size(ax, 0.85)
    line = 1.25 * size / 72.0 / inches(ax)[1]  # a line of text as a share of the height
    kept = np.sort(np.argsort(-np.abs(ends), kind="stable")[: min(MOST_NAMES, max(int(1.0 / line), 1))])
    low, high = ax.get_ylim()
    order = kept[np.argsort(ends[kept], kind="stable")]
    places = moved_apart((ends[order] - low) / (high - low), line)
    for j, place in zip(order, places, strict=True):
        ax.annotate(
            wrapped(str(params.columns[j]), 1000), (params.index[-1], ends[j]), xytext=(1.02, place),
            textcoords="axes fraction", va="center", fontsize=size, color=palette(ax).number(int(j)),
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": palette(ax).faint, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip


def moved_apart(places: Any, distance: float) -> Any:
    """Increasing places moved as little as needed to lie `distance` apart, and inside 0 and 1 where they fit."""
    moved = np.array(places, dtype=np.float64)
    for _ in range(100):
        gaps = distance - np.diff(moved)
        if (gaps <= 1e-9).all():
            break
        push = np.where(gaps > 0.0, gaps / 2.0, 0.0)
        moved[:-1] -= push
        moved[1:] += push
    moved += max(0.0, -float(moved[0])) if len(moved) else 0.0
    return moved - (max(0.0, float(moved[-1]) - 1.0) if len(moved) else 0.0)
