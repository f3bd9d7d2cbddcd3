"""Rows and variables: residuals, influence, margins, the curve of one number, the boundary of two."""

from __future__ import annotations

from typing import Any

import numpy as np

from logit_stats.design.counterfactual import find_variable, used_column
from logit_stats.errors import DataError
from logit_stats.report.plots.canvas import BLACK, BLUE, GREY, ORANGE, axes, say_thinned, thinned, wrapped


def residuals(res: Any, variable: str | None, bins: int, *, ax: Any) -> Any:
    """Binned mean residuals against the probability or a variable, inside +-2 of their standard errors if the model holds.

    Gelman and Hill (2007, Data Analysis Using Regression, section 5.6).
    """
    ax = axes(ax)
    residual, p = np.asarray(res.resid_response, dtype=np.float64), np.asarray(res.predict(), dtype=np.float64)
    x = p if variable is None else _numbers(res, variable)
    if bins < 1:
        raise DataError(f"bins={bins}: give one or more.")
    # rows of one value stay together, and count as many outcomes as they stand for
    size = res.fit_.design.row_weight
    edges = np.unique(np.quantile(x, np.linspace(0.0, 1.0, min(bins, max(len(x) // 5, 1)) + 1)))
    place = (
        np.searchsorted(edges[1:-1], x, side="right")
        if len(np.unique(x)) > bins
        else np.unique(x, return_inverse=True)[1]
    )
    total = np.bincount(place, weights=size)
    kept = total > 0
    sums = [np.bincount(place, weights=size * v)[kept] / total[kept] for v in (x, residual, p * (1.0 - p))]
    middle, mean, bound = sums[0], sums[1], 2.0 * np.sqrt(sums[2] / total[kept])
    ax.fill_between(middle, -bound, bound, color=GREY, alpha=0.25, step="mid", label="± 2 standard errors")
    ax.plot(middle, mean, "o", color=BLUE, label="mean residual of a bin")
    ax.axhline(0.0, color=BLACK, linewidth=0.8)
    ax.set(xlabel="predicted probability" if variable is None else wrapped(variable), ylabel="observed - predicted")
    ax.legend(frameon=False, fontsize=9)
    return ax


def influence(res: Any, labels: int, *, ax: Any) -> Any:
    """Studentized residuals against leverage; areas are Cook's distances; the largest carry their row labels."""
    ax = axes(ax)
    found = res.get_influence()
    hat, resid, cook = found.hat_matrix_diag, found.resid_studentized, found.cooks_distance
    shown = thinned(len(hat))
    largest = max(float(np.nanmax(cook)), 1e-300)
    ax.scatter(
        hat[shown], resid[shown], s=8.0 + 400.0 * cook[shown] / largest, facecolors="none", edgecolors=BLUE, alpha=0.8
    )
    ax.axhline(0.0, color=GREY, linewidth=0.8)
    for row in np.argsort(-cook, kind="stable")[:labels]:
        ax.annotate(
            str(res.fit_.design.index[row]),
            (hat[row], resid[row]),
            xytext=(4, 4),
            textcoords="offset points",
            fontsize=8,
        )
    ax.set(xlabel="leverage", ylabel="studentized residual")
    say_thinned(ax, len(hat))
    return ax


def margins(res: Any, variable: str, points: int, alpha: float, *, ax: Any) -> Any:
    """Average probability along a number, or at the levels of a factor, other variables as observed."""
    from scipy import stats

    ax = axes(ax)
    found = find_variable(res.fit_.design, variable)
    factor = found.kind == "factor" or bool(found.levels)
    values = list(found.levels) if factor else list(np.linspace(found.low, found.high, points))
    table = [_average(res, variable, value) for value in values]
    estimate, half = np.array([t[0] for t in table]), stats.norm.isf(alpha / 2.0) * np.array([t[1] for t in table])
    if factor:
        ax.errorbar(range(len(values)), estimate, yerr=half, fmt="o", color=BLUE, capsize=3)
        ax.set_xticks(range(len(values)), [wrapped(str(value), 14) for value in values])
        ax.set_xlim(-0.5, len(values) - 0.5)
    else:
        ax.plot(values, estimate, color=BLUE)
        ax.fill_between(
            values, np.maximum(estimate - half, 0.0), np.minimum(estimate + half, 1.0), color=BLUE, alpha=0.2
        )
    ax.set(xlabel=wrapped(variable), ylabel=f"average probability, {100 * (1 - alpha):g} % interval")
    return ax


def _average(res: Any, variable: str, value: Any) -> tuple[float, float]:
    from logit_stats.inference.variable_margins import mean_probability

    p, gradient = mean_probability(res.fit_, {variable: value}, res.fit_.design.row_weight)
    return p, float(np.sqrt(gradient @ res.covariance_.working @ gradient))


def curve(res: Any, x: str, threshold: float, alpha: float, *, ax: Any) -> Any:
    """Data, probability and its interval along the only variable of a model, and where it crosses the threshold."""
    variables = [] if res.fit_.design.formula is None else list(res.fit_.design.formula.columns)
    if variables != [x]:
        raise DataError(
            f"curve({x!r}) draws models of that variable alone; this one has {', '.join(variables) or 'columns'}. Use margins()."
        )
    ax = axes(ax)
    data, y = _numbers(res, x), np.asarray(res.model.endog)
    shown = thinned(len(data))
    jitter = np.random.default_rng(0).uniform(-0.02, 0.02, len(data)) if not res.fit_.design.response.grouped else 0.0
    ax.plot(data[shown], (y + jitter)[shown], "o", color=BLACK, markersize=3, alpha=0.5, label="data")
    grid = np.linspace(data.min(), data.max(), 200)
    band = res.get_prediction({x: grid})
    low, high = band.conf_int(alpha).T
    ax.fill_between(grid, low, high, color=BLUE, alpha=0.2, label=f"{100 * (1 - alpha):g} % interval")
    ax.plot(grid, band.predicted, color=BLUE, label="probability")
    ax.axhline(threshold, color=GREY, linewidth=1.0, linestyle="--")
    crosses = grid[np.flatnonzero(np.diff(np.sign(band.predicted - threshold)))]
    for where in crosses:
        ax.axvline(where, color=ORANGE, linewidth=1.0, linestyle="--")
    ax.set(xlabel=wrapped(x), ylabel="probability")
    ax.legend(frameon=False, fontsize=9)
    say_thinned(ax, len(data))
    return ax


def boundary(res: Any, x1: str, x2: str, threshold: float, *, ax: Any) -> Any:
    """Where the probability crosses the threshold in the plane of two numbers, other variables at mean or commonest level."""
    ax = axes(ax, 5.4, 4.6)
    first, second = _numbers(res, x1), _numbers(res, x2)
    grid = np.meshgrid(np.linspace(first.min(), first.max(), 120), np.linspace(second.min(), second.max(), 120))
    others = {name: _typical(res, name) for name in res.fit_.design.formula.columns if name not in (x1, x2)}
    flat = {x1: grid[0].ravel(), x2: grid[1].ravel(), **{k: [v] * grid[0].size for k, v in others.items()}}
    offset = None if res.fit_.design.offset is None else float(np.mean(res.fit_.design.offset.values))
    p = np.asarray(res.predict(flat, offset=offset)).reshape(grid[0].shape)
    filled = ax.contourf(*grid, p, levels=np.linspace(0.0, 1.0, 11), cmap="cividis", alpha=0.55)
    ax.figure.colorbar(filled, ax=ax, label="probability")
    if p.min() < threshold < p.max():
        ax.contour(*grid, p, levels=[threshold], colors=[BLACK], linewidths=1.6)
    y, shown = np.asarray(res.model.endog) > 0.5, thinned(len(first))
    for kind, mark, colour, label in ((~y, "o", BLUE, "non-events"), (y, "^", ORANGE, "events")):
        ax.plot(
            first[shown][kind[shown]],
            second[shown][kind[shown]],
            mark,
            color=colour,
            markersize=4,
            alpha=0.7,
            label=label,
        )
    said = (
        f" ({', '.join(f'{k} = {v:.3g}' if isinstance(v, float) else f'{k} = {v}' for k, v in others.items())})"
        if others
        else ""
    )
    ax.set(xlabel=wrapped(x1), ylabel=wrapped(x2), title=wrapped(f"boundary at p = {threshold:g}{said}", 60))
    ax.title.set_fontsize(9)
    ax.legend(loc="best", fontsize=8)
    say_thinned(ax, len(first))
    return ax


def _numbers(res: Any, name: str) -> Any:
    if find_variable(res.fit_.design, name).kind != "number":
        raise DataError(f"{name!r} is a factor; this picture needs a number. Use margins({name!r}).")
    return np.asarray(used_column(res.fit_.design, name), dtype=np.float64)


def _typical(res: Any, name: str) -> Any:
    column = used_column(res.fit_.design, name)
    if find_variable(res.fit_.design, name).kind == "number":
        return float(np.asarray(column, dtype=np.float64).mean())
    return column.mode().iloc[0]
