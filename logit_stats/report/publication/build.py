"""`table`: results side by side as a table for publication."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from logit_stats.errors import DataError, UnknownOptionError, check_alpha, check_choice, listed
from logit_stats.report.publication.cells import Absent, Cell, Count, Estimate, Measure, PValue, Reference, Share
from logit_stats.report.publication.labels import Labels
from logit_stats.report.publication.model import Asked, ModelNumbers, design_of, measure, model_numbers
from logit_stats.report.publication.notes import table_notes
from logit_stats.report.publication.publication import Column, PublicationTable
from logit_stats.report.publication.rows import Row, in_one_order

COLUMNS = ("n", "events", "estimate", "interval", "se", "statistic", "p")
STATISTICS = {
    "nobs": "Observations", "events": "Events", "llf": "Log-likelihood", "aic": "AIC", "bic": "BIC",
    "prsquared": "McFadden’s R²", "auc": "Area under the ROC curve",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Style:
    """How numbers are shown.

    Attributes
    ----------
    exponentiate : bool
    stars : bool
    digits : int or None
    level_p : bool
        Whether levels have p-values of their own beside the one of their factor.
    columns : tuple of str
    alpha : float
    """

    exponentiate: bool
    stars: bool
    digits: int | None
    level_p: bool
    columns: tuple[str, ...]
    alpha: float

    @property
    def null(self) -> float:
        """The value of no effect."""
        return 1.0 if self.exponentiate else 0.0


def table(
    *results: Any,
    names: Sequence[str] | None = None,
    labels: Any = None,
    columns: Sequence[str] | None = None,
    exponentiate: bool = True,
    alpha: float = 0.05,
    method: str | None = None,
    tests: str = "own",
    statistics: Sequence[str] = ("nobs", "events"),
    digits: int | None = None,
    stars: bool = False,
    level_p: bool = False,
    binary: str = "levels",
    intercept: bool = False,
    title: str | None = None,
    notes: Sequence[str] = (),
) -> PublicationTable:
    """Table for publication of one model or several, of any kind.

    A factor has a heading with one joint p-value, its reference level and a row for each other level; each level has its
    number of observations and of events. Models, and outcomes of a model of several, stand side by side under headings.

    Parameters
    ----------
    *results : results of fits
        Of any model, under whichever covariance they carry; also pooled and exact results.
    names : sequence of str, optional
        Headings of the models; (1), (2), ... where there are several.
    labels : mapping or DataFrame, optional
        What variables (``"race"``), levels (``"race=black"`` or ``{"race": {"black": ...}}``) and columns are called. The data's
        ``attrs["variable_labels"]`` are used where they are there; a DataFrame stands for its own.
    columns : sequence of str, optional
        Of "n", "events", "estimate" (with its limits), "interval" (the limits by themselves; "estimate" is then without),
        "se", "statistic", "p". By default n, events, estimate, p.
    exponentiate : bool
        Odds ratios in place of coefficients.
    alpha : float
        Limits have level ``1 - alpha``.
    method : str, optional
        Of the limits: "wald", "profile", ... as for `conf_int`; by default the result's own.
    tests : {"own", "LR"}
        P-values of factors: joint tests of the kind of the result's p-values, or likelihood-ratio tests of the terms.
    statistics : sequence of str
        Rows below: of "nobs", "events", "llf", "aic", "bic", "prsquared", "auc".
    digits : int, optional
        Decimals of estimates; by default as many as show two digits of the interval's width.
    stars : bool
        Mark estimates with p below 0.05, 0.01 and 0.001.
    level_p : bool
        Give levels p-values of their own.
    binary : {"levels", "single"}
        A number that is 0 or 1 as a factor of two levels, or in one row.
    intercept : bool
        Show the constant.
    title : str, optional
    notes : sequence of str
        Further notes.

    Returns
    -------
    PublicationTable
        Prints as text; ``as_html()``, ``as_latex()``, ``as_typst()``, ``as_markdown()``, ``as_csv()``, ``as_gt()``,
        ``save("table.docx")``; `numbers` holds the numbers unrounded.

    Raises
    ------
    DataError
        If there is no result, one is no result, or names and labels do not fit.

    Examples
    --------
    >>> import logit_stats as ls
    >>> res = ls.logit("low ~ race + smoke + lwt", ls.datasets.load("birthwt")).fit()
    >>> found = ls.table(res, labels={"lwt": "Weight (lb)", "smoke": {"0": "no", "1": "yes"}})
    >>> print(found)
    Odds ratios for low = 1
    ============================================================
                    n  Events (%)             OR (95% CI)      p
    ------------------------------------------------------------
    race                                                   0.013
      white        96   23 (24.0)           1 (reference)
      black        26   11 (42.3)     3.63 (1.33 to 9.89)
      other        67   25 (37.3)     2.64 (1.18 to 5.92)
    smoke                                                  0.005
      no          115   29 (25.2)           1 (reference)
      yes          74   30 (40.5)     2.89 (1.38 to 6.06)
    Weight (lb)                    0.987 (0.975 to 0.999)  0.036
    ------------------------------------------------------------
    Observations                                      189
    Events                                             59
    ============================================================
    OR, odds ratio; CI, confidence interval.
    Sample: 189 rows read, 189 used: 59 events, 130 non-events.
    Standard errors model-based; Wald's limits and p-values.
    P-values of factors: joint tests of all levels.
    """
    style = Style(exponentiate, stars, digits, level_p, check_columns(columns), check_alpha(alpha))
    check_choice("tests", tests, ("own", "LR"))
    check_choice("binary", binary, ("levels", "single"))
    _check_statistics(statistics)
    if not results:
        raise DataError("table() needs a result or more.")
    designs = [design for design in map(design_of, results) if design is not None]
    asked = Asked(Labels.read(labels, designs), style.alpha, method, tests, binary, intercept)
    models = [model_numbers(res, asked) for res in results]
    found = put_together(models, _names(names, len(models)), style, tuple(statistics))
    return replace(found, title=_title(models, style) if title is None else title,
                   notes=(*table_notes(models, found, asked, style), *notes))  # fmt: skip


def check_columns(columns: Sequence[str] | None) -> tuple[str, ...]:
    """Columns asked for, all known."""
    asked = ("n", "events", "estimate", "p") if columns is None else tuple(columns)
    if isinstance(columns, str) or not asked or set(asked) - set(COLUMNS):
        raise UnknownOptionError(f"columns={columns!r}: give a list of {listed(COLUMNS)}.")
    return asked


def _check_statistics(statistics: Sequence[str]) -> None:
    if isinstance(statistics, str) or set(statistics) - set(STATISTICS):
        raise UnknownOptionError(f"statistics={statistics!r}: give a list of {listed(tuple(STATISTICS))}.")


def _names(names: Sequence[str] | None, count: int) -> list[str]:
    if names is None:
        return [""] if count == 1 else [f"({i})" for i in range(1, count + 1)]
    found = [str(name) for name in names]
    if isinstance(names, str) or len(found) != count or len(set(found)) < count:
        raise DataError(f"There are {count} results and the names {names!r}: give one for each, all different.")
    return found


def _title(models: list[ModelNumbers], style: Style) -> str:
    what = "Odds ratios" if style.exponentiate else "Coefficients (log odds)"
    outcomes = list(dict.fromkeys(outcome(model) for model in models))
    return f"{what} for {outcomes[0]}" if len(outcomes) == 1 else what


def outcome(model: ModelNumbers) -> str:
    """What is modelled, in words."""
    if model.design is None:
        return str(model.res.response)
    response = model.design.response
    return response.name if response.grouped or response.categories is not None else response.success


# Columns.


def put_together(
    models: Sequence[ModelNumbers], names: Sequence[str], style: Style, statistics: tuple[str, ...]
) -> PublicationTable:
    """Rows of all models in one order, and their columns; without title and notes."""
    rows = in_one_order([model.terms for model in models])
    shared = _same_counts(models)
    columns: list[Column] = []
    for m, (model, name) in enumerate(zip(models, names, strict=True)):
        counts_here = m == 0 or not shared
        if shared and m == 0:
            columns += _count_columns(model, rows, style, "")
        for e, equation in enumerate(model.equations):
            spanner = ": ".join(filter(None, (name, _of_outcome(model, equation))))
            if counts_here and (not shared or equation):
                columns += _own_counts(model, e, rows, style, spanner, shared)
            columns += [_column(kind, model, e, rows, style, spanner)
                        for kind in style.columns if kind not in ("n", "events")]  # fmt: skip
    below = [Row((name,), STATISTICS[name], "single") for name in statistics]
    columns = _with_statistics(columns, models, names, below)
    columns = [
        _said(column, len(rows)) for column in columns if column.kind == "estimate" or any(column.cells[: len(rows)])
    ]
    return _without_empty(PublicationTable("", (*rows, *below), tuple(columns), (), "", len(below)))


def _without_empty(found: PublicationTable) -> PublicationTable:
    """The table without statistics that no model has."""
    first = len(found.rows) - found.statistics
    kept = [i for i in range(len(found.rows)) if i < first or any(column.cells[i] for column in found.columns)]
    columns = tuple(replace(column, cells=tuple(column.cells[i] for i in kept)) for column in found.columns)
    return replace(found, rows=tuple(found.rows[i] for i in kept), columns=columns, statistics=len(kept) - first)


def _said(column: Column, rows: int) -> Column:
    """The column, its head without limits where no cell has any."""
    estimates = [cell for cell in column.cells[:rows] if isinstance(cell, Estimate)]
    bare = column.kind == "estimate" and estimates and not any(cell.limits for cell in estimates)
    return replace(column, head=column.head.partition(" (")[0]) if bare else column


def _of_outcome(model: ModelNumbers, equation: str) -> str:
    if not equation or model.design is None:
        return equation
    joined = " = " if _nominal(model) else ": "
    return (
        f"{model.design.response.name}{joined}{equation}" if model.design.response.categories is not None else equation
    )


def _same_counts(models: Sequence[ModelNumbers]) -> bool:
    """Whether all models count the same observations and events, so that these stand in the table once."""
    if len(models) == 1:
        return True
    found = [(m.total.observations, m.total.events) if m.total is not None else None for m in models]
    first = found[0]
    if first is None:
        return all(one is None for one in found)
    return all(
        one is not None and one[0] == first[0] and np.array_equal(one[1], first[1]) for one in found
    ) and all(_agree(models[0], model) for model in models[1:])  # fmt: skip


def _agree(one: ModelNumbers, other: ModelNumbers) -> bool:
    common = one.counts.keys() & other.counts.keys()
    return all(
        one.counts[key].observations == other.counts[key].observations
        and np.array_equal(one.counts[key].events, other.counts[key].events)
        for key in common
    )


def _count_columns(model: ModelNumbers, rows: list[Row], style: Style, spanner: str) -> list[Column]:
    """Observations, and events where there is one kind of them."""
    kinds = [kind for kind in style.columns if kind == "n" or (kind == "events" and model.equations == ("",))]
    return [_column(kind, model, 0, rows, style, spanner) for kind in kinds]


def _own_counts(
    model: ModelNumbers, e: int, rows: list[Row], style: Style, spanner: str, shared: bool
) -> list[Column]:  # fmt: skip
    kinds = [kind for kind in style.columns if kind == "events" or (kind == "n" and not shared and e == 0)]
    return [_column(kind, model, e, rows, style, spanner) for kind in kinds]


def _column(kind: str, model: ModelNumbers, e: int, rows: list[Row], style: Style, spanner: str) -> Column:
    make = _MAKERS[kind]
    terms = {term.key: term for term in model.terms}
    cells = tuple(make(model, e, row, style, terms) for row in rows)
    return Column(kind, head(kind, model, style), spanner, cells)


def head(kind: str, model: ModelNumbers, style: Style) -> str:
    """Head of a column."""
    level = f"{100.0 * (1.0 - style.alpha):.10g}% CI"
    name = "Coefficient" if not style.exponentiate else "RRR" if len(model.equations) > 1 and _nominal(model) else "OR"
    own_limits = "interval" in style.columns
    return {
        "n": "n", "events": "Events (%)", "estimate": name if own_limits else f"{name} ({level})", "interval": level,
        "se": "SE", "statistic": model.letter, "p": "p",
    }[kind]  # fmt: skip


def _nominal(model: ModelNumbers) -> bool:
    return model.design is not None and model.design.parameters.separate


Terms = Mapping[tuple[str, ...], Any]


def _n(model: ModelNumbers, e: int, row: Row, style: Style, terms: Terms) -> Cell:
    found = model.counts.get(row.key)
    return None if found is None else Count(found.observations)


def _events(model: ModelNumbers, e: int, row: Row, style: Style, terms: Terms) -> Cell:
    found = model.counts.get(row.key)
    if found is None or not _counts_events(model):
        return None
    return Share(float(found.events[e]), found.observations)


def _counts_events(model: ModelNumbers) -> bool:
    """Whether every equation has events of its own: not the thresholds of an ordered response."""
    count = 0 if model.total is None else len(model.total.events)
    several = next(iter(model.counts.values())).events.size if model.counts else count
    return several == len(model.equations) and (several == 1 or _nominal(model))


def _estimate(model: ModelNumbers, e: int, row: Row, style: Style, terms: Terms) -> Cell:
    return _shown(model, e, row, style, "value" if "interval" in style.columns else "both")


def _interval(model: ModelNumbers, e: int, row: Row, style: Style, terms: Terms) -> Cell:
    found = _shown(model, e, row, style, "limits")
    return found if isinstance(found, Estimate) else None


def _shown(model: ModelNumbers, e: int, row: Row, style: Style, shown: str) -> Cell:
    numbers = model.numbers[e].get(row.key)
    if numbers is None:
        known = any(row.key == its.key for term in model.terms for its in term.rows)
        if row.kind == "reference" and known:
            return Reference(style.null)
        return Absent() if known and row.kind == "level" else None
    value, low, high = numbers[0], numbers[4], numbers[5]
    if style.exponentiate:
        with np.errstate(over="ignore"):
            value, low, high = np.exp(value), np.exp(low), np.exp(high)
    return Estimate(
        float(value), float(low), float(high), style.null, float(numbers[3]), style.stars, style.digits, shown
    )


def _error(model: ModelNumbers, e: int, row: Row, style: Style, terms: Terms) -> Cell:
    numbers = model.numbers[e].get(row.key)
    if numbers is None:
        return None
    # of a ratio by the delta method, as everywhere in the package
    return Measure(float(numbers[1] * np.exp(numbers[0])) if style.exponentiate else float(numbers[1]), 2)


def _statistic(model: ModelNumbers, e: int, row: Row, style: Style, terms: Terms) -> Cell:
    numbers = model.numbers[e].get(row.key)
    return None if numbers is None or np.isnan(numbers[2]) else Measure(float(numbers[2]), 2)


def _p(model: ModelNumbers, e: int, row: Row, style: Style, terms: Terms) -> Cell:
    term = terms.get(row.key)
    if term is not None:
        p = model.term_p(e, term)
        return None if np.isnan(p) else PValue(p)
    numbers = model.numbers[e].get(row.key) if style.level_p else None
    return None if numbers is None or np.isnan(numbers[3]) else PValue(float(numbers[3]))


_MAKERS: dict[str, Callable[..., Cell]] = {
    "n": _n, "events": _events, "estimate": _estimate, "interval": _interval, "se": _error, "statistic": _statistic,
    "p": _p,
}  # fmt: skip


# Statistics below.


def _with_statistics(
    columns: list[Column], models: Sequence[ModelNumbers], names: Sequence[str], below: list[Row]
) -> list[Column]:
    """Put the statistics of each model under its first column of estimates."""
    place: dict[int, tuple[int, int]] = {}
    start = 0
    estimates = [j for j, column in enumerate(columns) if column.kind not in ("n", "events")]
    for m, model in enumerate(models):
        width = sum(column.kind not in ("n", "events") for column in columns) // sum(len(x.equations) for x in models)
        for e in range(len(model.equations)):
            place[estimates[start]] = (m, e)
            start += width
    return [
        replace(column, cells=(*column.cells, *(_below(models, place.get(j), row.key[0]) for row in below)))
        for j, column in enumerate(columns)
    ]


def _below(models: Sequence[ModelNumbers], where: tuple[int, int] | None, name: str) -> Cell:
    if where is None:
        return None
    model, e = models[where[0]], where[1]
    if name == "events":
        return Count(float(model.total.events[e])) if model.total is not None and _counts_events(model) else None
    if e:
        return None
    if name == "nobs":
        value = model.total.observations if model.total is not None else measure(model.res, "nobs")
        return Count(value) if not np.isnan(value) else None
    value = measure(model.res, name)
    return None if np.isnan(value) else Measure(value, 3 if name in ("auc", "prsquared") else 1)
