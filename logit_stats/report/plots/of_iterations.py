"""How the iterations went: the cost, or the distance to the maximum, after each of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from logit_stats.errors import check_choice
from logit_stats.report.plots.canvas import axes, legend, name_axes, palette

MARK = "logit_stats trace"
# Up to so many iterations each has its point.
MOST_MARKED = 30
# Fits of so unlike a number of iterations are side by side on a logarithmic axis.
UNLIKE = 8.0


def trace(res: Any, *, quantity: str, label: str | None, ax: Any) -> Any:
    """Cost or distance at every evaluation; several results on the same axes have colours of their own."""
    check_choice("quantity", quantity, ("cost", "distance"))
    ax = axes(ax)
    found = res.trace
    values = found.cost if quantity == "cost" else np.where(found.distance > 0.0, found.distance, np.nan)
    before = [line for line in ax.lines if line.get_gid() == MARK]
    colour = palette(ax).number(len(before))
    name = label if label is not None else f"{res.fit_.method}{'' if res.converged else ', not converged'}"
    at = np.arange(len(values))
    points = "o" if len(values) <= MOST_MARKED else None
    ax.plot(at, values, color=colour, marker=points, markersize=4, linewidth=1.6, label=name, gid=MARK)
    ax.plot(at[-1:], values[-1:], "o" if res.converged else "X", color=colour, markersize=7, zorder=3)
    lengths = [max(len(line.get_xdata()) - 1, 1) for line in ax.lines if line.get_gid() == MARK]
    if max(lengths) > UNLIKE * min(lengths):
        ax.set_xscale("symlog", linthresh=1.0)
        ax.set_xlim(-0.1, 1.3 * max(lengths))
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    if quantity == "distance":
        ax.set_yscale("log")
    penalized = "penalized " if found.penalized else ""
    cost, distance = f"cost (mean negative {penalized}log-likelihood)", "distance to the maximum (standard errors)"
    name_axes(ax, _iteration(res, ax.get_xlabel() if before else ""), cost if quantity == "cost" else distance)
    if label is not None or before:
        legend(ax)
    return ax


def _iteration(res: Any, earlier: str) -> str:
    word = res.trace.step_name
    return word if earlier in ("", word) else "iteration or epoch"
