"""Coefficients and odds ratios with their intervals; the profile likelihood."""

from __future__ import annotations

from typing import Any

import numpy as np

from logit_stats.errors import DataError, NotAvailableError
from logit_stats.report.plots.canvas import BLUE, GREY, ORANGE, axes, wrapped


def forest(res: Any, *, ratios: bool, alpha: float, method: str | None, ax: Any) -> Any:
    """Coefficients (without the constant), or odds ratios on a logarithmic axis, with intervals."""
    keep = [j for j in range(res.fit_.parameters) if j != res.fit_.design.constant]
    if not keep:
        raise DataError("The model has no coefficient beside the constant; there is nothing to draw.")
    ax = axes(ax, 6.0, 1.2 + 0.42 * len(keep))
    limits = np.asarray(res.conf_int(alpha) if method is None else res.conf_int(alpha, method))[keep]
    middle = np.asarray(res.params)[keep]
    if ratios:
        middle, limits = np.exp(middle), np.exp(limits)
        ax.set_xscale("log")
    place = np.arange(len(keep))
    finite = np.where(np.isfinite(limits), limits, np.nan)
    edge = (np.nanmin(np.r_[finite.ravel(), middle]), np.nanmax(np.r_[finite.ravel(), middle]))
    for i, (low, high) in enumerate(limits):
        endless = (not np.isfinite(low) or (ratios and low <= 0.0), not np.isfinite(high))
        ends = (edge[0] if endless[0] else low, edge[1] if endless[1] else high)
        ax.plot(ends, (i, i), color=BLUE, linewidth=1.8)
        for on, end, mark in zip(endless, ends, "<>", strict=True):
            if on:
                ax.plot(end, i, mark, color=BLUE)  # the interval goes on for ever
    ax.plot(middle, place, "o", color=BLUE)
    ax.axvline(1.0 if ratios else 0.0, color=GREY, linewidth=1.0, linestyle="--")
    ax.set_yticks(place, [wrapped(res.model.exog_names[j]) for j in keep])
    ax.invert_yaxis()
    ax.set_xlabel(f"{'odds ratio' if ratios else 'coefficient (log odds)'}, {100 * (1 - alpha):g} % interval")
    return ax


def profile(res: Any, name: str, *, alpha: float, ax: Any) -> Any:
    """Twice the fall of the log-likelihood along one coefficient, with Wald's parabola and both intervals."""
    from scipy import stats

    from logit_stats.inference.profile import Profile

    if res.fit_.method == "firth":
        raise NotAvailableError(
            "The picture is of the unpenalized likelihood; conf_int() of a penalized fit has its own limits."
        )
    names = list(res.model.exog_names)
    if name not in names:
        raise DataError(f"{name!r} is no coefficient; they are {', '.join(names[:8])}.")
    j = names.index(name)
    ax = axes(ax)
    curve = Profile(res.fit_)
    low, high = curve.interval(j, alpha)
    quantile = float(stats.chi2.isf(alpha, 1))
    middle, se = float(res.fit_.beta[j]), float(res.fit_.standard_errors[j])
    levels = quantile * np.linspace(0.05, 1.6, 12)
    limits = np.array([curve.interval(j, float(stats.chi2.sf(q, 1))) for q in levels])
    beta = np.concatenate([limits[::-1, 0], [middle], limits[:, 1]])
    fall = np.concatenate([levels[::-1], [0.0], levels])
    ax.plot(beta, fall, color=BLUE, label="profile likelihood")
    grid = np.linspace(beta[0], beta[-1], 200)
    ax.plot(grid, ((grid - middle) / se) ** 2, color=ORANGE, linestyle="--", label="Wald's parabola")
    ax.axhline(quantile, color=GREY, linewidth=1.0)
    ax.plot([low, high], [quantile, quantile], "o", color=BLUE)
    ax.set(xlabel=wrapped(name), ylabel="2 x fall of the log-likelihood", ylim=(0.0, 1.7 * quantile))
    ax.legend(frameon=False)
    return ax
