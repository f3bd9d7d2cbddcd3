"""The rows of a table for publication: a heading for each factor, a row for each level and its reference."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from logit_stats.design.block import Block
from logit_stats.design.design import Design
from logit_stats.design.terms import ModelTerm, model_terms
from logit_stats.report.publication.labels import Labels

Kind = Literal["heading", "level", "reference", "single"]


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows of the data a row of the table stands for: those with one in some columns and zero in others."""

    ones: tuple[int, ...] = ()
    zeros: tuple[int, ...] = ()

    def of(self, block: Block) -> Any:
        """(m,) mask."""
        here = np.ones(len(block.successes), dtype=np.bool_)
        for columns, value in ((self.ones, 1.0), (self.zeros, 0.0)):
            for j in columns:
                here &= np.asarray(block.X[:, j]) == value
        return here


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes
    ----------
    key : tuple of str
        Term and level, by which rows of several models are told to be the same.
    label : str
    kind : {"heading", "level", "reference", "single"}
    """

    key: tuple[str, ...]
    label: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class TermRows:
    """The rows of one term in one model.

    Attributes
    ----------
    name : str
        The term.
    rows : tuple of Row
    columns : dict of row key to int
        Column of the design whose coefficient the row shows.
    members : dict of row key to Rows
        For rows that stand for rows of the data.
    places : tuple of int
        All columns of the term.
    contrasts : bool
        Whether it is a factor whose columns compare something else than a level with the reference.
    """

    name: str
    rows: tuple[Row, ...]
    columns: dict[tuple[str, ...], int] = field(default_factory=dict)
    members: dict[tuple[str, ...], Rows] = field(default_factory=dict)
    places: tuple[int, ...] = ()
    contrasts: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """Key of the row that shows what is said of the whole term."""
        return self.rows[0].key


def rows_of(design: Design, labels: Labels, binary: str = "levels", intercept: bool = False) -> list[TermRows]:
    """Rows of a design, term by term; the constant only on request.

    Parameters
    ----------
    design : Design
    labels : Labels
    binary : {"levels", "single"}
        How numbers that are 0 or 1 are shown: as a factor of two levels, or in one row.
    intercept : bool
    """
    zero_one = _zero_one(design)
    shown = [term for term in model_terms(design) if term.factors or intercept]
    return [_of_term(design, term, labels, zero_one if binary == "levels" else ()) for term in shown]


def _zero_one(design: Design) -> tuple[int, ...]:
    """Columns that are terms by themselves and hold zeros and ones only."""
    if design.formula is None or not design.has_rows:
        return ()
    single = [term.columns[0] for term in model_terms(design) if len(term.columns) == 1 and len(term.factors) == 1]
    if not single:
        return ()

    def others(block: Block) -> Any:
        X = np.asarray(block.X[:, single])
        return ((X != 0.0) & (X != 1.0)).sum(axis=0)

    return tuple(j for j, odd in zip(single, design.reduce(others), strict=True) if not odd)


def _of_term(design: Design, term: ModelTerm, labels: Labels, zero_one: tuple[int, ...]) -> TermRows:
    name = labels.key(term.name)
    if not term.factors:
        row = Row(("Intercept",), labels.of("Intercept", design.names[term.columns[0]]), "single")
        return TermRows(name, (row,), {row.key: term.columns[0]}, {}, term.columns)
    coding = None if design.formula is None else _coding(design, term.name)
    if coding is not None and coding.factor is not None:
        return _of_factor(design, term, name, labels, coding)
    if len(term.columns) == 1:
        j = term.columns[0]
        return _of_two_values(name, j, labels) if j in zero_one else _of_number(design, name, j, labels)
    return _of_columns(design, term, name, labels, coding)


def _of_number(design: Design, name: str, j: int, labels: Labels) -> TermRows:
    row = Row((name,), labels.of(name, labels.pretty(design.names[j])), "single")
    return TermRows(name, (row,), {row.key: j}, {}, (j,))


def _of_two_values(name: str, j: int, labels: Labels) -> TermRows:
    heading, none, one = (name,), (name, "0"), (name, "1")
    rows = (
        Row(heading, labels.of(name), "heading"),
        Row(none, labels.level(name, "0"), "reference"),
        Row(one, labels.level(name, "1"), "level"),
    )
    return TermRows(name, rows, {one: j}, {none: Rows(zeros=(j,)), one: Rows(ones=(j,))}, (j,))


@dataclass(frozen=True, slots=True)
class _Coding:
    """What patsy knows of a term: its only factor with levels, if it is one, and the names of its columns."""

    factor: str | None
    levels: tuple[Any, ...]
    matrix: Any
    columns: tuple[str, ...]
    categorical: bool


def _coding(design: Design, name: str) -> _Coding | None:
    assert design.formula is not None
    info = design.formula.info
    for term, subterms in info.term_codings.items():
        if term.name() != name:
            continue
        names = design.formula.names[info.term_name_slices[name]]
        factors = [info.factor_infos[f] for f in term.factors]
        categorical = all(f.type == "categorical" for f in factors)
        # Treatment and full coding: a level is a column of ones and zeros, or none at all.
        if len(term.factors) == 1 and categorical and len(subterms) == 1:
            matrix = subterms[0].contrast_matrices[term.factors[0]].matrix
            plain = set(np.unique(matrix)) <= {0.0, 1.0} and (matrix.sum(axis=0) == 1.0).all() and (
                matrix.sum(axis=1) <= 1.0).all()  # fmt: skip
            if plain:
                return _Coding(name, tuple(factors[0].categories), matrix, tuple(names), True)
        return _Coding(None, (), None, tuple(names), categorical)
    return None


def _of_factor(design: Design, term: ModelTerm, name: str, labels: Labels, coding: _Coding) -> TermRows:
    place = {column: j for j, column in enumerate(design.names)}
    rows = [Row((name,), labels.of(name), "heading")]
    columns: dict[tuple[str, ...], int] = {}
    members: dict[tuple[str, ...], Rows] = {}
    kept = tuple(place[column] for column in coding.columns if column in place)
    complete = len(kept) == len(coding.columns)
    for level, coded in zip(coding.levels, coding.matrix, strict=True):
        key = (name, str(level))
        reference = not coded.any()
        rows.append(Row(key, labels.level(name, str(level)), "reference" if reference else "level"))
        if reference and complete:
            members[key] = Rows(zeros=kept)
        elif not reference:
            j = place.get(coding.columns[int(np.argmax(coded))])
            if j is not None:
                columns[key], members[key] = j, Rows(ones=(j,))
    return TermRows(name, tuple(rows), columns, members, term.columns)


def _of_columns(design: Design, term: ModelTerm, name: str, labels: Labels, coding: _Coding | None) -> TermRows:
    """A spline, a polynomial, other contrasts, or a product: a row for each column under a heading."""
    rows = [Row((name,), labels.of(name, labels.pretty(term.name)), "heading")]
    columns: dict[tuple[str, ...], int] = {}
    members: dict[tuple[str, ...], Rows] = {}
    for i, j in enumerate(term.columns):
        key = (name, design.names[j])
        label = labels.column(design.names[j], name, i, len(term.factors) > 1)
        rows.append(Row(key, label, "level"))
        columns[key] = j
        if coding is not None and coding.categorical and len(term.factors) > 1:
            members[key] = Rows(ones=(j,))
    contrasts = coding is not None and coding.categorical and len(term.factors) == 1
    return TermRows(name, tuple(rows), columns, members, term.columns, contrasts)


def in_one_order(all_rows: list[list[TermRows]]) -> list[Row]:
    """Rows of several models as one list: those of the first, and what others add, after what precedes it there."""
    order: list[str] = []
    by_term: dict[str, list[Row]] = {}
    for terms in all_rows:
        before = -1
        for term in terms:
            if term.name in by_term:
                before = order.index(term.name)
                by_term[term.name] = _merged(by_term[term.name], list(term.rows))
                continue
            before += 1
            order.insert(before, term.name)
            by_term[term.name] = list(term.rows)
    return [row for name in order for row in by_term[name]]


def _merged(rows: list[Row], more: list[Row]) -> list[Row]:
    known = {row.key for row in rows}
    return rows + [row for row in more if row.key not in known]
