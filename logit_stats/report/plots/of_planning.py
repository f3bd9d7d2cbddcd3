"""Pictures of what a study needs: power, and expected shrinkage, by the number of observations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logit_stats.report.plots.canvas import axes, font_size, legend, name_axes, palette

if TYPE_CHECKING:
    from logit_stats.planning.sample_size import EffectSampleSize, PredictionSampleSize


def power_curve(found: EffectSampleSize, *, ax: Any) -> Any:
    """Power by observations; several studies may share the axes."""
    ax = axes(ax)
    colours, before = palette(ax), len(ax.lines) // 2
    frame = found.curve()
    colour = colours.number(before)
    ax.plot(frame["n"], frame["power"], color=colour, label=f"odds ratio {found.odds_ratio:.3g}")
    ax.plot([found.n], [found.power], "o", color=colour)
    ax.annotate(
        f"{found.n:,}: {found.power:.3g}", (found.n, found.power), xytext=(6, -12), textcoords="offset points",
        fontsize=font_size(ax),
    )  # fmt: skip
    ax.set_ylim(0.0, 1.02)
    name_axes(ax, "observations", "power")
    legend(ax, "lower right")
    return ax


def shrinkage_curve(found: PredictionSampleSize, *, ax: Any) -> Any:
    """Expected shrinkage by observations, with what each criterion asks for."""
    ax = axes(ax)
    colours = palette(ax)
    frame = found.curve()
    ax.plot(frame["n"], frame["shrinkage"], color=colours.ink)
    for i, (criterion, size) in enumerate(zip(found.table["criterion"], found.table["n"], strict=True)):
        ax.axvline(size, color=colours.number(i), linestyle="--", linewidth=1.2, label=f"{criterion}: {size:,}")
    ax.set_xlim(left=0.0)
    name_axes(ax, "observations", "expected shrinkage")
    legend(ax, "lower right")
    return ax
