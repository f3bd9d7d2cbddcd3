"""Rows: residuals against probabilities and variables, influence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.counterfactual import find_column, used_column
from logit_stats.errors import DataError
from logit_stats.report.plots.canvas import (
    MOST_POINTS,
    areas,
    axes,
    font_size,
    legend,
    name_axes,
    name_levels,
    palette,
    place_labels,
    remark,
)


def residuals(res: Any, variable: str | int | None, bins: int | None, *, ax: Any) -> Any:
    """Binned mean residuals against the probability, a number, or by level of a factor.

    About 95 % of them lie within two standard errors of zero where the model holds (Gelman and Hill 2007, Data Analysis Using
    Regression, section 5.6). The variable may be any column of the data, also one that the model leaves out.
    """
    if bins is not None and bins < 1:
        raise DataError(f"bins={bins}: give one or more.")
    ax = axes(ax)
    colours = palette(ax)
    x, levels = _along(res, variable)
    known = np.isfinite(x)
    residual, size, spread = (v[known] for v in _row_sums(res))
    table = _binned(x[known], residual, size, spread, bins if bins is not None else _usual_bins(len(x)))
    if levels or len(table) < 3:
        ax.vlines(table["x"], -table["bound"], table["bound"], color=colours.faint, alpha=0.3, linewidth=9,
                  label="± 2 standard errors")  # fmt: skip
    else:
        ax.fill_between(table["x"], -table["bound"], table["bound"], color=colours.faint, alpha=0.25, linewidth=0,
                        label="± 2 standard errors")  # fmt: skip
    words = "mean residual of a level" if levels else "mean residual of a bin"
    ax.plot(table["x"], table["mean"], "o", color=colours.first, markersize=4.5, label=words)
    ax.axhline(0.0, color=colours.ink, linewidth=0.8)
    if levels:
        name_levels(ax, [str(level) for level in levels])
    if not known.all():
        remark(ax, f"{int((~known).sum()):,} rows without {variable} left out")
    name_axes(ax, "predicted probability" if variable is None else _words(res, variable), "observed - predicted")
    legend(ax)
    return ax


def _usual_bins(rows: int) -> int:
    return int(np.clip(np.sqrt(rows), 5, 80))


def _words(res: Any, variable: str | int) -> str:
    return variable if isinstance(variable, str) else str(res.model.exog_names[variable])


def _along(res: Any, variable: str | int | None) -> tuple[Any, list[Any]]:
    """What residuals are drawn against, NaN where it is missing: numbers, or positions of levels and these."""
    design = res.fit_.design
    if variable is None:
        return np.asarray(res.predict(), dtype=np.float64), []
    if design.table is None:
        return np.asarray(design.X[:, find_column(design, variable)], dtype=np.float64), []
    column = used_column(design, str(variable))
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        numbers = np.asarray(column.astype("float64"), dtype=np.float64)
        two = np.unique(numbers[np.isfinite(numbers)])
        if len(two) != 2:
            return numbers, []
        # of two numbers, 0 and 1 say, the distance means nothing
        return np.where(np.isfinite(numbers), numbers == two[1], np.nan), [f"{value:g}" for value in two]
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, levels = column.cat.codes.to_numpy(), list(column.cat.categories)
    else:
        found, values = pd.factorize(column, sort=True)
        codes, levels = np.asarray(found), list(values)
    if len(levels) > 60:
        raise DataError(f"{variable!r} has {len(levels)} levels, too many for a picture.")
    return np.where(codes < 0, np.nan, codes), levels


def _row_sums(res: Any) -> tuple[Any, Any, Any]:
    """Residual, weight, and variance of weight times residual if the model holds, of every row."""
    design = res.fit_.design
    residual, p = (np.asarray(v, dtype=np.float64) for v in (res.resid_response, res.predict()))
    size = design.row_weight
    # a frequency weight stands for that many rows; a sampling weight multiplies one
    once = design.weight.values if design.weight_kind == "sampling" else 1.0
    return residual, size, size * once * p * (1.0 - p)


def _binned(x: Any, residual: Any, size: Any, spread: Any, bins: int) -> pd.DataFrame:
    """Mean residuals by bins with equally many rows; rows of one value stay together, and weights count."""
    values = np.unique(x)
    inner = values[1:] if len(values) <= bins else np.unique(np.quantile(x, np.linspace(0.0, 1.0, bins + 1)))[1:-1]
    place = np.searchsorted(inner, x, side="right")
    total, kept = np.bincount(place, weights=size), np.bincount(place, weights=size) > 0.0
    middle, mean = (np.bincount(place, weights=size * v)[kept] / total[kept] for v in (x, residual))
    bound = 2.0 * np.sqrt(np.bincount(place, weights=spread)[kept]) / total[kept]
    return pd.DataFrame({"x": middle, "mean": mean, "bound": bound})


# Rows drawn as circles; the others are dots, which take no room in a file.
_CIRCLES = 400


def influence(res: Any, labels: int, by: str, *, ax: Any) -> Any:
    """Studentized residuals against leverage; areas are Cook's distances; the largest carry their row labels."""
    return influence_of(res.get_influence(by), labels, ax=ax)


def influence_of(found: Any, labels: int = 5, *, ax: Any) -> Any:
    """Draw an `Influence`; see `influence`."""
    ax = axes(ax)
    colours = palette(ax)
    hat, resid, order = found.hat_matrix_diag, found.resid_studentized, found.order
    # Cook's distance is a matter of the unpenalized likelihood
    cook = None if not found.fit.facts.maximum else found.cooks_distance[0]
    measure = "leverages" if cook is None else "Cook's distances"
    # the rows that matter with their areas, and of many others evenly spaced ones as dots
    large, rest = order[:_CIRCLES], order[_CIRCLES:]
    if len(rest) > MOST_POINTS:
        rest = rest[:: -(-len(rest) // MOST_POINTS)]
        remark(ax, f"{_CIRCLES + len(rest):,} of {len(hat):,} {found.unit}s shown, all with large {measure}")
    large = np.sort(large)
    sizes = 25.0 if cook is None else areas(np.nan_to_num(cook[large]), 6.0, 260.0)
    ax.scatter(
        hat[large], resid[large], s=sizes, facecolors="none", edgecolors=colours.first, alpha=0.8, linewidths=0.9
    )
    ax.plot(hat[rest], resid[rest], "o", color=colours.first, markersize=2.0, alpha=0.5)
    ax.axhline(0.0, color=colours.faint, linewidth=0.8, zorder=0)
    mean = float(np.average(hat, weights=found.fit.design.frequency))
    ax.axvline(2.0 * mean, color=colours.faint, linewidth=0.8, linestyle=":", zorder=0, label="twice the mean leverage")
    if cook is not None:
        words = f"area: Cook's distance, at most {float(np.nanmax(cook)):.3g}"
        ax.plot([], [], "o", markerfacecolor="none", color=colours.first, label=words)
    ax.margins(0.08, 0.12)
    name_axes(ax, "leverage" if found.unit == "row" else f"leverage of a {found.unit}", "studentized residual")
    legend(ax)
    top = order[: max(labels, 0)]
    place_labels(ax, hat[top], resid[top], [str(label) for label in found.labels[top]], font_size(ax, 0.8))
    return ax


def index_plot(found: Any, values: Any, name: str, threshold: float | None, title: str | None, *, ax: Any) -> Any:
    """A statistic of every row in their order; rows beyond the threshold carry their labels."""
    ax = axes(ax)
    colours = palette(ax)
    place = np.arange(len(values))
    ax.vlines(place, 0.0, values, color=colours.first, alpha=0.6, linewidth=0.8)
    ax.plot(place, values, "o", color=colours.first, markersize=2.5)
    ax.axhline(0.0, color=colours.faint, linewidth=0.8, zorder=0)
    ax.margins(0.04, 0.12)
    name_axes(ax, f"{found.unit} in order", name, title or "")
    if threshold is not None:
        ax.axhline(threshold, color=colours.faint, linewidth=0.8, linestyle=":", zorder=0)
        beyond = np.flatnonzero(np.abs(values) > threshold)
        texts = [str(label) for label in found.labels[beyond]]
        place_labels(ax, place[beyond], values[beyond], texts, font_size(ax, 0.8))
    return ax
