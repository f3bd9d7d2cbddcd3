"""Variables: average probabilities along one, the curve of a model of one number, the boundary in the plane of two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import logit as log_odds

from logit_stats.design.variables import find_column, find_variable, is_number, used_column
from logit_stats.errors import DataError, NotAvailableError
from logit_stats.report.plots.canvas import (
    MARKERS,
    MOST_POINTS,
    areas,
    axes,
    font_size,
    interval_words,
    legend,
    name_axes,
    name_levels,
    palette,
    remark,
    thinned,
    thinned_words,
)

Name = str | int


def margins(
    res: Any, variable: Name, points: int, alpha: float, *, at: Mapping[str, Any] | None, over: str | None, ax: Any
) -> Any:
    """Average probability along a number, or at the levels of a factor; lines for `at` and `over`."""
    from logit_stats.inference.average_probabilities import average_probabilities, usual_values

    values, levels = usual_values(res.fit_.design, variable, points)
    table = average_probabilities(res.fit_, res.covariance_, variable, values, at, over, alpha)
    ax = axes(ax)
    colours = palette(ax)
    keys = [name for name in table.columns[: list(table.columns).index("prob")] if name != variable]
    groups = list(table.groupby(keys, sort=False, observed=True)) if keys else [((), table)]
    for i, (key, rows) in enumerate(groups):
        label = ", ".join(f"{k} = {_short(v)}" for k, v in zip(keys, key, strict=True)) or None
        if levels:
            place = np.arange(len(values)) + (0.5 * ((i + 0.5) / len(groups) - 0.5) if len(groups) > 1 else 0.0)
            limits = np.clip(rows[["conf_low", "conf_high"]], 0.0, 1.0)
            ends = np.abs(np.asarray(limits).T - np.asarray(rows["prob"]))
            ax.errorbar(place, rows["prob"], yerr=ends, fmt=MARKERS[i % len(MARKERS)], color=colours.number(i),
                        capsize=3, label=label)  # fmt: skip
        else:
            ax.plot(values, rows["prob"], color=colours.number(i), linestyle=_DASHES[i % 4], label=label)
            ax.fill_between(values, rows["conf_low"].clip(0.0), rows["conf_high"].clip(None, 1.0),
                            color=colours.number(i), alpha=0.2, linewidth=0)  # fmt: skip
    if levels:
        name_levels(ax, [_short(value) for value in values])
    else:
        _rug(ax, _numbers(res, variable))
    name_axes(ax, _words(res, variable), f"average probability, {interval_words(alpha, _kind(res))}")
    if keys:
        legend(ax)
    return ax


_DASHES = ("-", "--", "-.", ":")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _kind(res: Any) -> str:
    return "" if res.cov_type == "nonrobust" else str(res.cov_type)


def _rug(ax: Any, x: Any) -> None:
    """Strokes below the picture where the data are; of many rows, at their quantiles."""
    place = x if len(x) <= 400 else np.quantile(x, np.linspace(0.0, 1.0, 401))
    ax.plot(place, np.full(len(place), 0.015), "|", transform=ax.get_xaxis_transform(), color=palette(ax).faint,
            markersize=5, markeredgewidth=0.6, gid="rug")  # fmt: skip


def curve(
    res: Any, x: Name, threshold: float, alpha: float, *, logit: bool, ax: Any
) -> Any:  # fmt: skip
    """Data, probability and its interval along the only variable of a model, and where it crosses the threshold."""
    _check_threshold(threshold)
    _only_variable(res, x)
    ax = axes(ax)
    colours, data = palette(ax), _numbers(res, x)
    grid = np.linspace(data.min(), data.max(), 201)
    band, notes = _prediction(res, {x: grid})
    low, high = band.conf_int(alpha).T
    _draw_outcomes(ax, res, data)
    ax.fill_between(
        grid, low, high, color=colours.first, alpha=0.2, linewidth=0, label=interval_words(alpha, _kind(res))
    )
    ax.plot(grid, band.predicted, color=colours.first, label="probability")
    ax.axhline(threshold, color=colours.faint, linewidth=1.0, linestyle="--", zorder=0)
    crossings = _crossings(grid, band.linear - log_odds(threshold))
    for i, where in enumerate(crossings):
        ax.axvline(where, color=colours.second, linewidth=1.0, linestyle="--",
                   label=f"p = {threshold:g} at {where:.4g}" if i == 0 else None)  # fmt: skip
    ax.set_ylim(-0.05, 1.05)
    name_axes(ax, _words(res, x), "probability")
    for note in notes:
        remark(ax, note)
    if logit:
        _log_odds_line(ax, grid, band.linear)
    legend(ax)
    return ax


def _only_variable(res: Any, x: Name) -> None:
    design = res.fit_.design
    if design.formula is not None:
        others = [name for name in design.formula.columns if name != x]
        find_variable(design, str(x))
    else:
        position = find_column(design, x)
        others = [name for j, name in enumerate(design.names) if j not in (position, design.constant)]
    if others:
        raise DataError(
            f"curve({x!r}) draws models of that variable alone; this one has {', '.join(others)} too. Use margins()."
        )


def _check_threshold(threshold: float) -> None:
    if not 0.0 < threshold < 1.0:
        raise DataError(f"threshold={threshold} must lie between 0 and 1.")


def _crossings(grid: Any, height: Any) -> list[float]:
    """Where a curve given at some points crosses zero, straight in between (exact for a linear predictor that is)."""
    at = np.flatnonzero(np.sign(height[:-1]) * np.sign(height[1:]) < 0.0)
    found = grid[at] - height[at] * (grid[at + 1] - grid[at]) / (height[at + 1] - height[at])
    return sorted([*found.tolist(), *grid[height == 0.0].tolist()])


def _draw_outcomes(ax: Any, res: Any, x: Any) -> None:
    """Outcomes as they are; of many rows, how many events and non-events there are along x, and shares of events by bins."""
    design, colours = res.fit_.design, palette(ax)
    share, size = np.asarray(res.model.endog), design.row_weight
    if len(x) <= MOST_POINTS:
        binary = design.response.trials is None
        y = share + np.random.default_rng(0).uniform(-0.02, 0.02, len(x)) if binary else share
        same = bool((size == size[0]).all())
        words = "observed share, area by trials" if not binary else "data" if same else "data, area by weight"
        ax.scatter(
            x,
            y,
            s=(28.0 if len(x) < 60 else 12.0) if same else areas(size, 6.0, 90.0),
            color=colours.ink,
            alpha=0.5,
            linewidths=0,
            label=words,
        )
        return
    events, edges = np.histogram(x, 60, weights=size * share)
    others, _ = np.histogram(x, edges, weights=size * (1.0 - share))
    unit = 0.12 / max(float(events.max()), float(others.max()))
    middle, width = 0.5 * (edges[1:] + edges[:-1]), edges[1] - edges[0]
    ax.bar(middle, others * unit, width, bottom=-0.05, color=colours.faint, alpha=0.5, label="events (top), non-events")
    ax.bar(middle, -events * unit, width, bottom=1.05, color=colours.faint, alpha=0.5)
    place = np.searchsorted(np.unique(np.quantile(x, np.linspace(0.0, 1.0, 21)))[1:-1], x, side="right")
    total = np.bincount(place, weights=size)
    kept = total > 0.0
    means = [np.bincount(place, weights=size * v)[kept] / total[kept] for v in (x, share)]
    ax.plot(*means, "o", color=colours.ink, markersize=4, label="share of events, by bins")


def _log_odds_line(ax: Any, grid: Any, eta: Any) -> None:
    """The linear predictor on an axis of its own, at the right."""
    colour = palette(ax).number(2)
    right = ax.twinx()
    right.plot(grid, eta, color=colour, linestyle="-.")
    ax.plot([], [], color=colour, linestyle="-.", label="log odds (right)")
    right.tick_params(labelsize=ax.yaxis.get_ticklabels()[0].get_fontsize())
    right.set_ylabel("log odds", fontsize=ax.yaxis.label.get_fontsize())


def boundary(res: Any, x1: Name, x2: Name, threshold: float, *, ax: Any) -> Any:
    """Where the probability crosses the threshold in the plane of two numbers; the others stand at mean or commonest level."""
    from matplotlib.colors import LinearSegmentedColormap

    _check_threshold(threshold)
    ax = axes(ax, 5.4, 4.6)
    colours, first, second = palette(ax), _numbers(res, x1), _numbers(res, x2)
    ends = [_widened(v) for v in (first, second)]
    grid = np.meshgrid(*(np.linspace(*pair, 121) for pair in ends))
    band, notes = _prediction(res, {x1: grid[0].ravel(), x2: grid[1].ravel()})
    eta = band.linear.reshape(grid[0].shape)
    tints = LinearSegmentedColormap.from_list("events", [colours.first, ax.get_facecolor(), colours.second])
    shades = ax.imshow(band.predicted.reshape(eta.shape), origin="lower", extent=(*ends[0], *ends[1]), aspect="auto",
                       cmap=tints, vmin=0.0, vmax=1.0, alpha=0.55, interpolation="bilinear")  # fmt: skip
    bar = ax.figure.colorbar(shades, ax=ax)
    bar.set_label("probability", fontsize=font_size(ax, 1.0))
    bar.ax.tick_params(labelsize=font_size(ax))
    level = float(log_odds(threshold))
    if eta.min() < level < eta.max():
        lines = ax.contour(*grid, eta, levels=[level], colors=[colours.ink], linewidths=1.6)
        ax.clabel(lines, fmt=f"p = {threshold:g}", fontsize=font_size(ax, 0.8))
    else:
        notes = [*notes, f"p = {threshold:g} is not reached"]
    name_axes(ax, _words(res, x1), _words(res, x2), "; ".join([*notes, *filter(None, [thinned_words(len(first))])]))
    _draw_plane(ax, res, first, second, tints)
    return ax


def _widened(values: Any) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    air = 0.03 * (high - low) or 1.0
    return low - air, high + air


def _draw_plane(ax: Any, res: Any, first: Any, second: Any, tints: Any) -> None:
    """Events and non-events, or the shares of grouped rows in the colours of the probabilities."""
    share, colours, shown = np.asarray(res.model.endog), palette(ax), thinned(len(first))
    edge = {"edgecolors": ax.get_facecolor(), "linewidths": 0.4}
    if res.fit_.design.response.grouped:
        ax.scatter(first[shown], second[shown], c=share[shown], cmap=tints, vmin=0.0, vmax=1.0, edgecolors=colours.ink,
                   linewidths=0.6, s=areas(res.fit_.design.row_weight[shown], 12.0, 90.0),
                   label="observed share, area by trials")  # fmt: skip
    else:
        kinds = ((share < 0.5, "o", colours.first, "non-events"), (share >= 0.5, "^", colours.second, "events"))
        for kind, mark, colour, label in kinds:
            on = kind[shown]
            ax.scatter(first[shown][on], second[shown][on], s=20 if len(first) < MOST_POINTS else 8, marker=mark,
                       color=colour, label=label, **edge)  # fmt: skip
    legend(ax)


# Variables of formulas, and columns of arrays.


def _words(res: Any, name: Name) -> str:
    return name if isinstance(name, str) else str(res.model.exog_names[name])


def _numbers(res: Any, name: Name) -> Any:
    """The values of a number in the rows used."""
    design = res.fit_.design
    if design.formula is None:
        return np.asarray(design.X[:, find_column(design, name)], dtype=np.float64)
    found = find_variable(design, str(name))
    if found.kind != "number" and (found.own_levels or not is_number(used_column(design, str(name)))):
        raise DataError(f"{name!r} is a factor; this picture needs a number. Use margins({name!r}).")
    return np.asarray(used_column(design, str(name)), dtype=np.float64)


def _prediction(res: Any, values: dict[Any, Any]) -> tuple[Any, list[str]]:
    """Predictions with some variables set and the others typical, and sentences that say at what."""
    design = res.fit_.design
    weight, rows = design.row_weight, len(next(iter(values.values())))
    offset, held = None, {}
    if design.row_offset is not None:
        held["offset"] = offset = float(np.average(design.row_offset, weights=weight))
    if design.formula is None:
        X = np.tile(np.array([np.average(design.X[:, j], weights=weight) for j in range(design.columns)]), (rows, 1))
        taken = {find_column(design, name): numbers for name, numbers in values.items()}
        for j, numbers in taken.items():
            X[:, j] = numbers
        held |= {n: float(X[0, j]) for j, n in enumerate(design.names) if j not in (*taken, design.constant)}
        band = res.get_prediction(X, offset=None if offset is None else np.full(rows, offset))
    else:
        others = {name: _typical(res, name, weight) for name in design.formula.columns if name not in values}
        held = {**others, **held}
        table = {**values, **{name: [value] * rows for name, value in others.items()}}
        band = res.get_prediction(table, offset=offset)
    said = ", ".join(f"{name} = {f'{v:.3g}' if isinstance(v, float) else v}" for name, v in held.items())
    return band, [f"at {said}"] if said else []


def _typical(res: Any, name: str, weight: Any) -> Any:
    column = used_column(res.fit_.design, name)
    found = find_variable(res.fit_.design, name)
    if found.kind == "number" or (is_number(column) and not found.own_levels):
        return float(np.average(np.asarray(column, dtype=np.float64), weights=weight))
    counts = [float(weight[np.asarray(column == level)].sum()) for level in found.levels]
    if not counts:
        raise NotAvailableError(f"{name!r} has no level that could stand for all rows.")
    return found.levels[int(np.argmax(counts))]
