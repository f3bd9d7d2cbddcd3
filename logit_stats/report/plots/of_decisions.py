"""Pictures for decisions: net benefit by threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from logit_stats.report.plots.canvas import axes, interval_words, legend, name_axes, palette, wrapped

if TYPE_CHECKING:
    from logit_stats.assess.decision_curve import DecisionCurve


def decision_curve(found: DecisionCurve, *, ax: Any) -> Any:
    """Net benefit of every model, of treating all and of treating none."""
    from logit_stats.assess.decision_curve import TREAT_ALL

    ax = axes(ax)
    colours = palette(ax)
    top = 0.0
    for i, label in enumerate(found.models):
        rows = found.of(label)
        colour = colours.number(i)
        words = f"{label}, with {interval_words(found.alpha)}" if len(found.models) == 1 else label
        ax.plot(rows["threshold"], rows["net_benefit"], color=colour, label=wrapped(words, 40))
        if len(found.models) == 1:
            ax.fill_between(
                rows["threshold"], rows["conf_low"], rows["conf_high"], color=colour, alpha=0.15, linewidth=0
            )
        top = max(top, float(np.max(rows["net_benefit"])))
    everyone = found.of(TREAT_ALL)
    ax.plot(
        everyone["threshold"],
        everyone["net_benefit"],
        color=colours.ink,
        linestyle="--",
        linewidth=1.0,
        label=TREAT_ALL,
    )
    ax.axhline(0.0, color=colours.faint, linewidth=1.0, label="treat none")
    top = max(top, found.prevalence)
    # treating all falls without end; what lies far below treating none decides nothing
    ax.set_ylim(-0.2 * top, 1.1 * top)
    name_axes(ax, "threshold probability", "net benefit")
    legend(ax, "upper right")
    return ax
