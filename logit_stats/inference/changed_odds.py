"""Odds ratios of chosen changes: per ten units, per standard deviation, of a level, at levels of what they interact with.

A change moves the linear predictor by ``d' theta`` with d the change of the design columns, all terms of the variable
together; the odds ratio is its exponential. Where d differs from row to row (an interaction, a square) the odds ratio
depends on other values, which must be set; odds ratios at several settings are compared by their ratios (Hosmer, Lemeshow
and Sturdivant 2013, Applied Logistic Regression, section 3.5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.counterfactual import Part, kept_places, parts
from logit_stats.design.design import Design
from logit_stats.design.estimable import null_space, outside
from logit_stats.design.variables import Variable, as_numbers, find_variable, used_column, variables
from logit_stats.errors import DataError
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.effect_weights import scenarios
from logit_stats.inference.linear_combinations import LinearCombinations

# Changes of the linear predictor's columns that differ by less, relative to their size, are the same change.
SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Change:
    """A change of one variable: by a number of units, or from one value to another."""

    variable: Variable
    label: str
    unit: float | None = None
    ends: tuple[Any, Any] | None = None


def changed_odds(
    fit: Fit, cov: Covariance, units: Mapping[str, Any], at: Mapping[str, Any] | None = None, alpha: float = 0.05
) -> pd.DataFrame:
    """Odds ratios of changes.

    Parameters
    ----------
    fit : Fit
        A binary fit of a formula.
    cov : Covariance
    units : mapping
        Variables with the change wanted: a number of units, "sd" for a standard deviation, a pair of values (from, to), or None
        for every level of a factor against the first.
    at : mapping, optional
        Other variables (or the variable itself, where it is not linear) set to a value, or to each of several in turn.
    alpha : float
        The limits have level ``1 - alpha``.

    Returns
    -------
    DataFrame
        change, the values of `at`, odds_ratio, std_error (delta method), conf_low, conf_high, p_value; with several settings
        also the ratio of each odds ratio to that of the first setting.

    Raises
    ------
    DataError
        If an odds ratio depends on a variable that is not set.
    """
    fit.facts.require("odds_ratios(units=)", "latent")
    settings = scenarios(fit.design, at)
    rows, D = [], []
    for name, unit in units.items():
        for change in _changes(fit.design, name, unit):
            found = [_direction(fit.design, change, setting) for setting in settings]
            rows += [{"change": change.label, **_at(setting)} for setting in settings]
            D += found
            for setting, d in list(zip(settings, found, strict=True))[1:]:
                rows.append({"change": f"{change.label}, ratio to the first", **_at(setting)})
                D.append(d - found[0])
    return _table(fit, cov, rows, np.array(D), alpha)


def _at(setting: Mapping[str, Any]) -> dict[str, Any]:
    return {f"at {name}": value for name, value in setting.items()}


def _table(fit: Fit, cov: Covariance, rows: list[dict[str, Any]], D: FloatArray, alpha: float) -> pd.DataFrame:
    N = null_space(fit.design)
    gone = np.zeros(len(D), dtype=np.bool_) if N is None else outside(N, D)
    kept, places = kept_places(fit.design, list(range(D.shape[1])))
    X = np.empty((len(D), fit.design.columns))
    X[:, places] = D[:, kept]
    # differences of rows: centres cancel, scales do not
    scale = fit.working.scale
    at = LinearCombinations.of_rows(fit, cov, X if scale is None else X * scale)
    limits, ratio = np.exp(at.limits(alpha)), np.exp(at.estimate)
    columns = {"odds_ratio": ratio, "std_error": ratio * at.se, "conf_low": limits[:, 0], "conf_high": limits[:, 1],
               "p_value": at.pvalues}  # fmt: skip
    frame = pd.DataFrame(rows).assign(**{name: np.where(gone, np.nan, values) for name, values in columns.items()})
    return frame


def _changes(design: Design, name: str, unit: Any) -> Iterator[Change]:
    variable = find_variable(design, name)
    if isinstance(unit, (tuple, list)):
        if len(unit) != 2:
            raise DataError(f"units={{{name!r}: {unit!r}}}: give a number of units, 'sd', or a pair (from, to).")
        yield Change(variable, f"{name} {unit[0]} to {unit[1]}", ends=(unit[0], unit[1]))
    elif variable.kind == "factor":
        for level, label in list(zip(variable.levels, variable.labels, strict=True))[1:]:
            yield Change(variable, f"{name} {label} against {variable.labels[0]}", ends=(variable.levels[0], level))
    elif isinstance(unit, str):
        if unit != "sd":
            raise DataError(f"units={{{name!r}: {unit!r}}}: give a number of units, 'sd', or a pair (from, to).")
        yield Change(variable, f"{name} + 1 sd", unit=standard_deviation(design, name))
    else:
        try:
            size = 1.0 if unit is None else float(unit)
        except (TypeError, ValueError):
            raise DataError(
                f"units={{{name!r}: {unit!r}}}: give a number of units, 'sd', or a pair (from, to)."
            ) from None
        yield Change(variable, f"{name} {'-' if size < 0 else '+'} {abs(size):g}", unit=size)


def standard_deviation(design: Design, name: str) -> float:
    """Standard deviation of a number over the observations (divisor n - 1)."""
    values, weight = as_numbers(used_column(design, name)), design.row_weight
    mean = np.average(values, weights=weight)
    counted = weight.sum() if design.weight_kind != "sampling" else float(len(values))
    return float(np.sqrt(np.average((values - mean) ** 2, weights=weight) * counted / (counted - 1.0)))


def _direction(design: Design, change: Change, setting: Mapping[str, Any]) -> FloatArray:
    """Change of the formula's columns, the same in every row."""
    first: FloatArray | None = None
    for part in parts(design):
        moved = _moved(part.with_values(setting), change)
        first = moved[0] if first is None else first
        size = np.abs(moved).max(axis=0)
        if (np.abs(moved - first) > SAME * np.maximum(size, np.abs(first))).any():
            raise DataError(
                f"The odds ratio of {change.label!r} depends on {_depends(design, change, setting)}: set the values with at=."
            )
    assert first is not None
    return first


def _moved(part: Part, change: Change) -> FloatArray:
    name = change.variable.name
    if change.ends is not None:
        low, high = (part.with_values({name: end}).full() for end in change.ends)
        return high - low
    assert change.unit is not None
    if change.variable.linear:
        columns, slope = part.derivative(change.variable)
        moved = np.zeros((part.size, len(part.formula.names)))
        moved[:, columns] = slope * change.unit
        # a product of the number with itself is not linear in it
        return moved
    if name not in part.set:
        return _spread_out(part, change)
    after = part.with_values({name: float(part.set[name]) + change.unit}).full()
    return after - part.full()


def _spread_out(part: Part, change: Change) -> FloatArray:
    """Changes from two values of the range: they differ where the variable is not linear."""
    name, v = change.variable.name, change.variable
    assert change.unit is not None
    found = [
        part.with_values({name: start + change.unit}).full() - part.with_values({name: start}).full()
        for start in (v.low, (v.low + v.high) / 2.0 - change.unit)
    ]
    return np.vstack(found)


def _depends(design: Design, change: Change, setting: Mapping[str, Any]) -> str:
    """Variables that stand in one term with the one that changes, or that one itself."""
    formula = design.formula
    assert formula is not None
    name = change.variable.name
    found: dict[str, None] = {}
    for term in formula.info.terms:
        reads = {c: None for f in term.factors for c in formula.factors[f.name()].columns}
        if name in reads:
            found |= {other: None for other in reads if other != name and other not in setting}
    return ", ".join(found) or f"{name!r} itself"


def is_plain(design: Design, name: str) -> bool:
    """Whether a variable is one design column and stands in no other: its odds ratio is that of the column."""
    if design.formula is None or name not in design.formula.columns or name not in design.names:
        return False
    known = variables(design)[name]
    return (
        known.linear
        and sum(name in f.columns for f in design.formula.factors.values()) == 1
        and all(
            [f.name() for f in term.factors] == [name] or name not in {f.name() for f in term.factors}
            for term in design.formula.info.terms
        )
    )
