"""Coefficients and odds ratios with their intervals, of one model or several; the profile likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from logit_stats.errors import DataError, check_alpha, listed
from logit_stats.report.coefficients import CoefficientTable
from logit_stats.report.plots.canvas import (
    MARKERS,
    axes,
    font_size,
    inches,
    interval_words,
    legend,
    name_axes,
    palette,
    plain_log_axis,
    wrapped,
)


def forest(res: Any, *, ratios: bool, alpha: float, method: str | None, numbers: bool, ax: Any) -> Any:
    """Coefficients (without the constant), or odds ratios on a logarithmic axis, with intervals."""
    return forests([res], [""], ratios=ratios, alpha=alpha, method=method, numbers=numbers, ax=ax)


def forests(
    results: Sequence[Any], labels: Sequence[str], *, ratios: bool, alpha: float, method: str | None,
    numbers: bool = False, ax: Any = None,
) -> Any:  # fmt: skip
    """Forests of several models on one pair of axes, a coefficient a row, the models under each other within it."""
    tables = [_estimates(res, alpha, method, ratios) for res in results]
    names = list(dict.fromkeys(name for table in tables for name in table))
    if not names:
        raise DataError("The model has no coefficient beside the constant; there is nothing to draw.")
    several = len(results) > 1
    ax = axes(ax, 6.0, 1.4 + (0.42 + 0.16 * (len(results) - 1)) * len(names))
    colours = palette(ax)
    low, high, edge = _range([row for table in tables for row in table.values()], ratios)
    for m, (table, label) in enumerate(zip(tables, labels, strict=True)):
        shift = 0.6 * ((m + 0.5) / len(tables) - 0.5) if several else 0.0
        colour, places = colours.number(m), {name: i + shift for i, name in enumerate(names) if name in table}
        for name, place in places.items():
            _interval(ax, place, table[name], edge, ratios, colour)
        middle = np.array([table[name][0] for name in places])
        shown = np.isfinite(middle) & ((middle > 0.0) | (not ratios))
        place = np.array(list(places.values()))[shown]
        ax.plot(
            middle[shown], place, MARKERS[m % len(MARKERS)], color=colour, markersize=5, label=label or None
        )  # fmt: skip
    ax.axvline(1.0 if ratios else 0.0, color=colours.faint, linewidth=1.0, linestyle="--", zorder=0)
    if ratios:
        plain_log_axis(ax, low, high)
    else:
        ax.set_xlim(low, high)
    kinds = {method or _errors_of(res) for res in results}
    kind = kinds.pop() if len(kinds) == 1 else ""
    name_axes(ax, f"{'odds ratio' if ratios else 'coefficient (log odds)'}, {interval_words(alpha, kind)}", "")
    _name_rows(ax, names)
    if numbers and not several:
        _write_numbers(ax, list(tables[0].values()))
    if several:
        legend(ax)
    return ax


def _errors_of(res: Any) -> str:
    """What the intervals are made with, where it is not the model's own covariance; of penalized fits nothing."""
    return "" if not res.facts.wald or res.cov_type == "nonrobust" else str(res.cov_type)


def _estimates(res: Any, alpha: float, method: str | None, ratios: bool) -> dict[str, Any]:
    """Estimate and limits of every coefficient beside the constant, by name."""
    table = CoefficientTable.of(res, alpha, method)
    rows = table.numbers[:, [0, 4, 5]]
    if ratios:
        with np.errstate(over="ignore"):
            rows = np.exp(rows)
    constant, columns = res.fit_.design.constant, len(table.terms)
    return {name: rows[j] for j, name in enumerate(table.row_names) if j % columns != constant}


def _range(rows: list[Any], ratios: bool) -> tuple[float, float, tuple[float, float]]:
    """Ends of the axis (all finite numbers and the value of no effect, and some air), and where arrows stand."""
    values = np.array(rows).ravel()
    values = values[np.isfinite(values) & ((values > 0.0) | (not ratios))]
    values = np.log(np.r_[values, 1.0]) if ratios else np.r_[values, 0.0]
    low, high = float(values.min()), float(values.max())
    air = 0.05 * (high - low) if high > low else 1.0
    ends = np.array([low - air, high + air, low - 0.6 * air, high + 0.6 * air])
    left, right, *arrows = (np.exp(ends) if ratios else ends).tolist()
    return left, right, (arrows[0], arrows[1])


def _interval(ax: Any, place: float, row: Any, edge: tuple[float, float], ratios: bool, colour: str) -> None:
    """One interval; an end without limit is an arrow at the edge of the picture."""
    _, low, high = row
    if np.isnan(low) or np.isnan(high):
        return
    endless = (not np.isfinite(low) or (ratios and low <= 0.0), not np.isfinite(high))
    ends = (edge[0] if endless[0] else low, edge[1] if endless[1] else high)
    ax.plot(ends, (place, place), color=colour, linewidth=1.8, solid_capstyle="butt")
    for on, end, mark in zip(endless, edge, "<>", strict=True):
        if on:
            ax.plot(end, place, mark, color=colour, markersize=6)


def _name_rows(ax: Any, names: list[str]) -> None:
    """Names beside their rows, in lines and letters that fit the figure."""
    from matplotlib import rcParams

    width, height = inches(ax)
    points = min(float(rcParams["font.size"]), 72.0 * height / (1.25 * len(names)))
    texts = [wrapped(name, max(int(0.55 * width * 72.0 / (0.56 * points)), 14)) for name in names]
    lines = max(text.count("\n") + 1 for text in texts)
    points = max(min(points, 72.0 * height / (1.25 * lines * len(names))), 4.0)
    ax.set_yticks(range(len(names)), texts, fontsize=points)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)


def _write_numbers(ax: Any, rows: list[Any]) -> None:
    """Estimates and limits in figures, right of the picture."""
    right = ax.secondary_yaxis("right")
    texts = [f"{_figure(middle)} ({_figure(low)} to {_figure(high)})" for middle, low, high in rows]
    size = ax.get_yticklabels()[0].get_fontsize()
    right.set_yticks(range(len(rows)), texts, fontsize=min(size, font_size(ax)))
    right.tick_params(length=0)


def _figure(value: float) -> str:
    if np.isinf(value):
        return "∞" if value > 0.0 else "-∞"
    return f"{value:.2f}" if 0.1 <= abs(value) < 1000.0 or value == 0.0 else f"{value:.3g}"


def profile(res: Any, name: str, *, alpha: float, ax: Any) -> Any:
    """Twice the fall of the log-likelihood along one coefficient, beside Wald's parabola of the covariance in use.

    For Firth fits it is the penalized likelihood. Limits are found at several heights, and the signed root of the fall,
    which is nearly a straight line, is interpolated between them.
    """
    from scipy import stats
    from scipy.interpolate import PchipInterpolator

    names = list(res.model.exog_names)
    if name not in names:
        raise DataError(f"{name!r} is no coefficient; they are {listed(names, 10)}.")
    check_alpha(alpha)
    j, at = names.index(name), _profile_of(res)
    quantile = float(stats.chi2.isf(alpha, 1))
    limits = at.interval(j, alpha)
    roots = np.sqrt(quantile) * np.array([0.4, 0.8, 1.0, 1.3])
    further = [limits if root == roots[2] else at.interval(j, float(stats.chi2.sf(root**2, 1))) for root in roots]
    middle, se = float(res.fit_.beta[j]), float(res.covariance_.standard_errors[j])
    beta = np.concatenate([np.array(further)[::-1, 0], [middle], np.array(further)[:, 1]])
    signed = np.concatenate([-roots[::-1], [0.0], roots])
    finite = np.isfinite(beta)
    ax = axes(ax)
    colours = palette(ax)
    ends = _profile_range(beta[finite], middle, se, float(roots[-1]))
    grid = np.linspace(max(ends[0], beta[finite][0]), min(ends[1], beta[finite][-1]), 201)
    penalized = not res.facts.maximum
    ax.plot(grid, PchipInterpolator(beta[finite], signed[finite])(grid) ** 2, color=colours.first,
            label="penalized profile likelihood" if penalized else "profile likelihood")  # fmt: skip
    grid = np.linspace(*ends, 201)
    ax.plot(grid, ((grid - middle) / se) ** 2, color=colours.second, linestyle="--",
            label=f"Wald's parabola ({res.cov_type})")  # fmt: skip
    ax.axhline(quantile, color=colours.faint, linewidth=1.0, zorder=0)
    shown = [limit for limit in limits if np.isfinite(limit)]
    ax.plot(shown, [quantile] * len(shown), "o", color=colours.first, label=f"profile {interval_words(alpha)}")
    ax.set(xlim=ends, ylim=(0.0, 1.7 * quantile))
    name_axes(ax, name, f"2 × fall of the {'penalized ' if penalized else ''}log-likelihood")
    legend(ax, "upper center")
    return ax


def _profile_of(res: Any) -> Any:
    from logit_stats.inference.profile import Profile

    if not res.fit_.facts.maximum:
        return res.profile_
    return Profile(res.fit_)


def _profile_range(beta: Any, middle: float, se: float, root: float) -> tuple[float, float]:
    """Ends of the axis: what was profiled, and Wald's parabola where it is not out of all proportion."""
    width = float(beta[-1] - beta[0]) or root * se
    low, high = max(middle - root * se, beta[0] - width), min(middle + root * se, beta[-1] + width)
    return float(min(beta[0], low)), float(max(beta[-1], high))
