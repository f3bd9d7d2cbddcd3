"""How well events are ranked and predicted: ROC, precision and recall, calibration, the confusion matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from logit_stats.report.plots.canvas import BLUE, GREEN, GREY, ORANGE, axes, thinned


def roc(res: Any, *, ax: Any) -> Any:
    """ROC curve with its area and the threshold of the largest Youden index."""
    ax = axes(ax, 4.8, 4.8)
    found = res.roc()
    low, high = found.conf_int()
    curve = found.curve
    x, y = np.r_[0.0, 1.0 - curve["specificity"], 1.0], np.r_[0.0, curve["sensitivity"], 1.0]
    ax.plot(x, y, color=BLUE, label=f"area {found.auc:.3f} ({low:.3f} to {high:.3f})")
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1.0, linestyle="--")
    best = found.youden.iloc[0]
    ax.plot(
        1.0 - best["specificity"],
        best["sensitivity"],
        "o",
        color=ORANGE,
        label=f"largest Youden index, p >= {best['threshold']:.3f}",
    )
    ax.set(xlabel="1 - specificity", ylabel="sensitivity", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    ax.legend(loc="lower right", frameon=False, fontsize=9)
    return ax


def precision_recall(res: Any, *, ax: Any) -> Any:
    """Precision against recall, with the precision of a prediction that says nothing."""
    ax = axes(ax, 4.8, 4.4)
    found = res.precision_recall()
    ax.step(
        found.curve["recall"],
        found.curve["precision"],
        where="post",
        color=BLUE,
        label=f"average precision {found.average_precision:.3f}",
    )
    ax.axhline(found.prevalence, color=GREY, linewidth=1.0, linestyle="--", label=f"prevalence {found.prevalence:.3f}")
    ax.set(xlabel="recall", ylabel="precision", xlim=(0.0, 1.01), ylim=(0.0, 1.02))
    ax.legend(frameon=False)
    return ax


def calibration(res: Any, bins: int, *, ax: Any) -> Any:
    """Share of events against mean probability by bins, a smooth through all rows, and a rug of the predictions."""
    ax = axes(ax, 4.8, 4.8)
    found = res.calibration(bins)
    table, scored, smooth = found.table, found.scored, found.curve()
    error = np.array([table["share"] - table["lower"], table["upper"] - table["share"]])
    ax.errorbar(
        table["mean_prob"], table["share"], yerr=error, fmt="o", color=BLUE, capsize=2, label="bins, 95 % interval"
    )
    ax.plot(smooth["prob"], smooth["share"], color=ORANGE, label="smooth")
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1.0, linestyle="--")
    ax.plot(
        scored.prob[thinned(len(scored.prob))],
        np.full(len(scored.prob[thinned(len(scored.prob))]), -0.03),
        "|",
        color=GREEN,
        alpha=0.4,
    )
    ax.set(xlabel="predicted probability", ylabel="share of events", xlim=(-0.02, 1.02), ylim=(-0.06, 1.02))
    ax.legend(loc="upper left", frameon=False, fontsize=9)
    return ax


def confusion(res: Any, threshold: float, *, ax: Any) -> Any:
    """Confusion matrix as a heat map, with counts and shares of the observed."""
    ax = axes(ax, 4.4, 3.8)
    table = np.asarray(res.pred_table(threshold))
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1.0)
    ax.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    for i in range(2):
        for j in range(2):
            colour = "white" if share[i, j] > 0.55 else "black"
            ax.text(j, i, f"{table[i, j]:g}\n{100 * share[i, j]:.1f} %", ha="center", va="center", color=colour)
    response = res.fit_.design.response
    labels = ["failure", "success"] if response.grouped else [response.failure, response.success]
    ax.set_xticks([0, 1], labels), ax.set_yticks([0, 1], labels)
    ax.set(xlabel=f"predicted (success where p > {threshold:g})", ylabel="observed")
    return ax
