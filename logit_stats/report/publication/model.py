"""`ModelNumbers`: what a table needs of a result, the same for every kind of result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import DataError, LogitStatsError, NotAvailableError
from logit_stats.inference.joint_p import joint_p
from logit_stats.report.coefficients import CoefficientTable
from logit_stats.report.publication.counts import Counted, counted, totals
from logit_stats.report.publication.labels import Labels
from logit_stats.report.publication.rows import Row, TermRows, rows_of

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of every model.

    Attributes
    ----------
    labels : Labels
    alpha : float
    method : str or None
        Of the limits; None for the result's own.
    tests : {"own", "LR"}
        P-values of terms: of the kind of the result's p-values, or likelihood ratios.
    binary : {"levels", "single"}
    intercept : bool
    """

    labels: Labels
    alpha: float = 0.05
    method: str | None = None
    tests: str = "own"
    binary: str = "levels"
    intercept: bool = False


@dataclass(frozen=True, eq=False)
class ModelNumbers:
    """Rows, coefficients, tests and counts of one result.

    Attributes
    ----------
    res : result
    terms : list of TermRows
    equations : tuple of str
        One for each column of estimates; a single "" where there is one.
    numbers : list of dict of row key to (6,)
        For each equation: estimate, error, statistic, p-value, limits.
    term_p : function of (equation, TermRows)
        One p-value for the whole term.
    counts : dict of row key to Counted
    total : Counted or None
    """

    res: Any
    terms: list[TermRows]
    equations: tuple[str, ...]
    numbers: list[dict[tuple[str, ...], FloatArray]]
    term_p: Callable[[int, TermRows], float]
    counts: dict[tuple[str, ...], Counted] = field(default_factory=dict)
    total: Counted | None = None
    design: Design | None = None
    letter: str = "z"


def model_numbers(res: Any, asked: Asked) -> ModelNumbers:
    """Read a result.

    Raises
    ------
    DataError
        If it is no result of a fit.
    """
    if hasattr(res, "joint_tests") and hasattr(res, "coefficients"):
        return _exact(res, asked)
    design = design_of(res)
    if design is None:
        raise DataError(f"A table takes results of fit(), and this is a {type(res).__name__}.")
    terms = rows_of(design, asked.labels, asked.binary, asked.intercept)
    table = CoefficientTable.of(res, asked.alpha, asked.method)
    slots, equations = _columns(design)
    numbers = [
        {key: table.numbers[slots[e, j]] for term in terms for key, j in term.columns.items() if slots[e, j] >= 0}
        for e in range(len(equations))
    ]
    members = {key: rows for term in terms for key, rows in term.members.items()}
    # imputed data sets differ in their levels, so that no single count is right
    pooled = not hasattr(res, "fit_")
    counts = {} if pooled else counted(design, members)
    test = partial(_term_p, res, table.numbers, slots, _likelihood_ratios(res) if asked.tests == "LR" else None)
    return ModelNumbers(res, terms, equations, numbers, test, counts, totals(design), design, table.letter)


def design_of(res: Any) -> Design | None:
    """The design of a result; of pooled results, that of the first data set; None where there is none."""
    if hasattr(res, "fit_"):
        found: Design = res.fit_.design
        return found
    several = getattr(res, "results", None)
    return design_of(several[0]) if isinstance(several, tuple) and several else None


def _columns(design: Design) -> tuple[Any, tuple[str, ...]]:
    """Positions of the coefficients of every column, in one row where all equations share them; names of the equations."""
    parameters = design.parameters
    slopes = [j for j in range(design.columns) if j != design.constant]
    shared = (parameters.slots[:, slopes] == parameters.slots[:1, slopes]).all()
    if len(parameters.slots) == 1 or (shared and slopes):
        return parameters.slots[:1], ("",)
    return parameters.slots, parameters.equations


def _term_p(res: Any, numbers: FloatArray, slots: Any, ratios: Any, equation: int, term: TermRows) -> float:
    if ratios is not None:
        return float(ratios.get(term.name, NAN))
    positions = tuple(int(slots[equation, j]) for j in term.places if slots[equation, j] >= 0)
    if len(positions) == 1:
        return float(numbers[positions[0], 3])
    if not positions or np.isnan(numbers[list(positions), 3]).all():
        return NAN
    try:
        return joint_p(res, positions) if hasattr(res, "fit_") else _pooled_p(res, positions)
    except NotAvailableError:
        return NAN


def _pooled_p(res: Any, positions: tuple[int, ...]) -> float:
    return float(res.wald_test(np.eye(len(res.names))[list(positions)]).pvalue)


def _likelihood_ratios(res: Any) -> dict[str, float]:
    """P-values of likelihood-ratio tests of the terms."""
    if not hasattr(res, "anova"):
        raise NotAvailableError(f'tests="LR" needs a likelihood; leave it out for a {type(res).__name__}.')
    frame = res.anova(type=3, test="LR").frame
    name = next(name for name in frame.columns if name.lower() in ("pvalue", "p_value", "pr(>chi)"))
    return {Labels().key(str(term)): float(p) for term, p in frame[name].items()}


def _exact(res: Any, asked: Asked) -> ModelNumbers:
    """Exact conditional results have no design: rows are told from the names of the columns."""
    level = asked.alpha
    limits, p = res.conf_int(level), res.pvalues()
    joint = {frozenset(test.columns): test.distribution for test in res.joint}
    numbers: dict[tuple[str, ...], FloatArray] = {}
    rows: dict[str, list[Row]] = {}
    columns: dict[str, dict[tuple[str, ...], int]] = {}
    for i, (column, value) in enumerate(res.params.items()):
        name, label = asked.labels.name_and_level(str(column))
        term = name
        if not label:
            row = Row((term,), asked.labels.of(term), "single")
            rows.setdefault(term, []).append(row)
        else:
            rows.setdefault(term, [Row((term,), asked.labels.of(term), "heading")])
            row = Row((term, label), asked.labels.level(term, label), "level")
            rows[term].append(row)
        columns.setdefault(term, {})[row.key] = i
        numbers[row.key] = np.array([value, NAN, NAN, p[column], *limits.loc[column]])
    terms = [
        TermRows(name, tuple(found), columns[name], {}, tuple(columns[name].values())) for name, found in rows.items()
    ]
    names = list(res.params.index)

    def test(_: int, term: TermRows) -> float:
        if len(term.columns) == 1:
            return float(numbers[next(iter(term.columns))][3])
        found = joint.get(frozenset(names[i] for i in term.places))
        return NAN if found is None else float(found.p_value())

    total = Counted(float(res.observations), np.array([float(res.events)]))
    return ModelNumbers(res, terms, ("",), [numbers], test, {}, total)


def measure(res: Any, name: str) -> float:
    """A statistic of a result by its name; NaN where it has none."""
    try:
        if name == "auc":
            return float(res.roc().auc)
        return float(getattr(res, name))
    except (LogitStatsError, AttributeError, TypeError):
        return NAN
