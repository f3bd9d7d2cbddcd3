"""How well events are ranked and predicted: ROC, precision and recall, calibration, tables of observed and predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from logit_stats.assess.scored import Scored
from logit_stats.errors import DataError
from logit_stats.report.plots.canvas import (
    MOST_POINTS,
    axes,
    font_size,
    inches,
    legend,
    name_axes,
    palette,
    without_hidden,
    wrapped,
)

if TYPE_CHECKING:
    from logit_stats.assess.ranking import Roc


def roc(res: Any, *, label: str, thresholds: Sequence[float], youden: bool, ax: Any) -> Any:
    """ROC curve with its area, thresholds and the largest Youden index; called again on the same axes, for comparison."""
    ax = axes(ax, 4.8, 4.8)
    if not res.facts.binary:
        for category, curve in res.roc().curves.items():
            _draw_roc(curve, f"{label} {category}".strip(), thresholds, youden, ax)
        return ax
    return _draw_roc(res.roc(), label, thresholds, youden, ax)


def _draw_roc(found: Roc, label: str, thresholds: Sequence[float], youden: bool, ax: Any) -> Any:
    colours, before = palette(ax), _drawn(ax)
    colour = colours.number(before)
    low, high = found.conf_int()
    curve = found.curve
    x, y = np.r_[0.0, 1.0 - curve["specificity"], 1.0], np.r_[0.0, curve["sensitivity"], 1.0]
    seen = without_hidden(x, y)
    words = f"{f'{label}: ' if label else ''}area {found.auc:.3f} ({low:.3f} to {high:.3f})"
    ax.plot(x[seen], y[seen], color=colour, label=_legend_words(ax, words), gid=_CURVE)
    if not before:
        ax.plot([0, 1], [0, 1], color=colours.faint, linewidth=1.0, linestyle="--", zorder=0)
    best = found.youden.iloc[0]
    if youden:
        words = f"largest Youden index, p ≥ {best['threshold']:.3f}"
        ax.plot(
            1.0 - best["specificity"], best["sensitivity"], "o",
            color=colour if label else colours.second, label=None if label else _legend_words(ax, words),
        )  # fmt: skip
    for threshold in thresholds:
        place = _at_threshold(curve, threshold)
        ax.plot(*place, "s", color=colour, markersize=4)
        ax.annotate(
            f"p ≥ {threshold:g}", place, xytext=(6, -6), textcoords="offset points", fontsize=font_size(ax, 0.8)
        )
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    name_axes(ax, "1 - specificity", "sensitivity")
    legend(ax, "lower right")
    return ax


# Marks the curves of this module, so that one more on the same axes gets a colour of its own.
_CURVE = "logit_stats curve"


def _drawn(ax: Any) -> int:
    return sum(line.get_gid() == _CURVE for line in ax.lines)


def _legend_words(ax: Any, words: str) -> str:
    return wrapped(words, max(int(0.85 * min(inches(ax)) * 72.0 / (0.56 * font_size(ax))), 14))


def _at_threshold(curve: Any, threshold: float) -> tuple[float, float]:
    """Point of the curve for the rule "predict an event where p >= threshold"."""
    if not 0.0 <= threshold <= 1.0:
        raise DataError(f"A threshold of {threshold} must lie between 0 and 1.")
    above = curve[curve["threshold"] >= threshold]
    if above.empty:
        return 0.0, 0.0
    return 1.0 - float(above["specificity"].iloc[-1]), float(above["sensitivity"].iloc[-1])


def precision_recall(res: Any, *, label: str, ax: Any) -> Any:
    """Precision against recall, with the precision of a prediction that says nothing; the area is the average precision."""
    ax = axes(ax, 4.8, 4.4)
    found, colours, before = res.precision_recall(), palette(ax), _drawn(ax)
    recall, precision = (np.asarray(found.curve[name], dtype=np.float64) for name in ("recall", "precision"))
    # from no recall on: the average precision takes each precision for the step that leads to it
    recall, precision = np.r_[0.0, recall], np.r_[precision[0], precision]
    seen = without_hidden(recall, precision)
    words = f"{f'{label}: ' if label else ''}average precision {found.average_precision:.3f}"
    ax.step(recall[seen], precision[seen], where="pre", color=colours.number(before),
            label=_legend_words(ax, words), gid=_CURVE)  # fmt: skip
    known = {round(float(line.get_ydata()[0]), 12) for line in ax.lines if line.get_gid() == "prevalence"}
    if round(found.prevalence, 12) not in known:
        ax.axhline(found.prevalence, color=colours.faint, linewidth=1.0, linestyle="--", zorder=0, gid="prevalence",
                   label=f"prevalence {found.prevalence:.3f}")  # fmt: skip
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
    name_axes(ax, "recall", "precision")
    legend(ax)
    return ax


def calibration(res: Any, bins: int, *, ax: Any) -> Any:
    """Share of events against mean probability by bins, a smooth through all rows, and where the predictions are."""
    ax = axes(ax, 4.8, 4.8)
    found, colours = res.calibration(bins), palette(ax)
    table, smooth = found.table, found.curve()
    error = np.array([table["share"] - table["lower"], table["upper"] - table["share"]])
    ax.errorbar(table["mean_prob"], table["share"], yerr=error, fmt="o", color=colours.first, capsize=2,
                label="bins, 95 % interval")  # fmt: skip
    ax.plot(smooth["prob"], smooth["share"], color=colours.second, label="smooth")
    ax.plot([0, 1], [0, 1], color=colours.faint, linewidth=1.0, linestyle="--", zorder=0)
    _rug(ax, found.scored)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.12, 1.04))
    ax.set_yticks(np.linspace(0.0, 1.0, 6))
    name_axes(ax, "predicted probability", "share of events")
    legend(ax, "upper left")
    return ax


def _rug(ax: Any, scored: Scored) -> None:
    """A stroke for each prediction; of many, strokes as high as there are outcomes, in a hundred steps."""
    place, height = scored.prob, np.full(len(scored.prob), 0.04)
    if len(place) > MOST_POINTS // 4:
        count, edges = np.histogram(place, bins=100, range=(0.0, 1.0), weights=scored.outcomes)
        place, height = 0.5 * (edges[1:] + edges[:-1])[count > 0], 0.09 * count[count > 0] / count.max()
    ax.vlines(place, -0.11, -0.11 + height, color=palette(ax).number(2), linewidth=0.8, alpha=0.8)


def confusion(res: Any, threshold: float, *, ax: Any) -> Any:
    """Counts of observed against predicted outcomes as a heat map, with shares of the observed."""
    response = res.fit_.design.response
    if not res.facts.binary:
        ax = plot_confusion(res.pred_table(), list(res.model.categories.names), ax=ax)
        name_axes(ax, "predicted (most probable)", "observed")
        return ax
    labels = ["failure", "success"] if response.grouped else [response.failure, response.success]
    ax = plot_confusion(res.pred_table(threshold), labels, ax=ax)
    name_axes(ax, f"predicted (success where p > {threshold:g})", "observed")
    return ax


def plot_confusion(table: Any, labels: Sequence[Any] | None = None, *, ax: Any = None) -> Any:
    r"""Draw a table of observed (rows) against predicted (columns) classes as a heat map.

    Parameters
    ----------
    table : (m, m) array_like
        Counts, weighted or not: ``res.pred_table()``, or ``sklearn.metrics.confusion_matrix(y, predicted)``. A DataFrame's
        row labels name the classes.
    labels : sequence, optional
        Names of the classes.
    ax : Axes, optional

    Returns
    -------
    Axes
        Colours are shares of the observed class; each field says the count and, where there is room, the share.

    Raises
    ------
    DataError
        If the table is not square, or has negative or missing numbers.

    Examples
    --------
    >>> import logit_stats as ls
    >>> ax = ls.plot_confusion([[50, 2, 0], [3, 45, 2], [0, 4, 46]], labels=["setosa", "versicolor", "virginica"])
    >>> [text.get_text() for text in ax.texts][:3]
    ['50\n96.2 %', '2\n3.8 %', '0\n0.0 %']
    """
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size or not (counts >= 0.0).all():
        raise DataError(
            f"A table of observed against predicted classes is square and holds counts; this is {counts.shape}."
        )
    m = len(counts)
    names = list(getattr(table, "index", range(m))) if labels is None else list(labels)
    if len(names) != m:
        raise DataError(f"There are {m} classes and {len(names)} labels.")
    ax = axes(ax, 1.8 + 1.1 * min(m, 6), 1.4 + 1.0 * min(m, 6))
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0.0)
    ax.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    _fill_fields(ax, counts, share)
    size = min(font_size(ax, 1.0), 72.0 * inches(ax)[1] / (1.4 * m))
    widest = max(int(72.0 * inches(ax)[0] / m / (0.56 * size)), 6)
    texts = [wrapped(str(name), 18 if m <= 3 else 24) for name in names]
    turned = max(len(line) for text in texts for line in text.split("\n")) > widest
    ax.set_xticks(range(m), texts, fontsize=size, rotation=90 if turned else 0)
    ax.set_yticks(range(m), texts, fontsize=size)
    name_axes(ax, "predicted", "observed")
    ax.tick_params(length=0, labelsize=size)
    return ax


def _fill_fields(ax: Any, counts: Any, share: Any) -> None:
    """Write counts, and shares where two lines fit, in letters that fit; light on dark."""
    m, side = len(counts), 72.0 * min(inches(ax)) / len(counts)
    texts = [f"{v:,.0f}" if v == round(v) else f"{v:,.1f}" for v in counts.ravel()]
    size = min(font_size(ax, 1.0), side / (0.62 * (max(len(text) for text in texts) + 0.5)))
    shares = side > 3.0 * size and side > 0.6 * size * 7.0
    for (i, j), text in zip(np.ndindex(m, m), texts, strict=True):
        both = f"{text}\n{100.0 * share[i, j]:.1f} %" if shares else text
        colour = "white" if share[i, j] > 0.55 else "black"
        ax.text(j, i, both, ha="center", va="center", color=colour, fontsize=size)
