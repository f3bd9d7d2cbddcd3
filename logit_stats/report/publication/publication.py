"""`PublicationTable`: a table for publication as data, and its forms: text, HTML, LaTeX, Typst, Markdown, CSV, Word, GT."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from logit_stats.errors import DataError
from logit_stats.report.publication.cells import Cell, Count, Estimate, Measure, PValue, Share
from logit_stats.report.publication.grid import Grid, GridRow

if TYPE_CHECKING:
    from logit_stats.report.publication.rows import Row


@dataclass(frozen=True, slots=True)
class Column:
    """One column of numbers.

    Attributes
    ----------
    kind : str
        ``"n"``, ``"events"``, ``"estimate"``, ``"interval"``, ``"se"``, ``"statistic"`` or ``"p"``.
    head : str
    spanner : str
        What stands above it and its neighbours; "" for nothing.
    cells : tuple of Cell
        One for each row.
    """

    kind: str
    head: str
    spanner: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, eq=False)
class PublicationTable:
    """A table for publication.

    Attributes
    ----------
    title : str
    rows : tuple of Row
        Variables, their levels, and at the end statistics of the models.
    columns : tuple of Column
    notes : tuple of str
        Abbreviations, sample, covariance, tests.
    stub : str
        Head of the names of the rows.
    statistics : int
        How many of the rows, the last ones, are statistics of the models.
    """

    title: str
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()
    stub: str = ""
    statistics: int = 0

    @property
    def grid(self) -> Grid:
        """The texts, from which every form is made."""
        body = tuple(
            GridRow(
                row.label,
                row.kind,
                tuple("" if column.cells[i] is None else str(column.cells[i]) for column in self.columns),
                i >= len(self.rows) - self.statistics,
            )
            for i, row in enumerate(self.rows)
        )
        return Grid(
            self.title, self.stub, tuple(column.head for column in self.columns),
            tuple(column.spanner for column in self.columns), body, self.notes,
        )  # fmt: skip

    @property
    def frame(self) -> pd.DataFrame:
        """The texts as a DataFrame; with spanners the columns have two levels."""
        names = [column.head for column in self.columns]
        spanners = [column.spanner for column in self.columns]
        columns: Any = pd.MultiIndex.from_arrays([spanners, names]) if any(spanners) else names
        texts = [list(row.texts) for row in self.grid.rows]
        return pd.DataFrame(texts, index=[row.label for row in self.rows], columns=columns)

    @property
    def numbers(self) -> pd.DataFrame:
        """The numbers behind the cells, unrounded: a row for each cell that holds any.

        Columns `term`, `level`, `model` (the spanner), `kind`, `value`, `conf_low`, `conf_high`.
        """
        found = [
            {"term": row.key[0], "level": row.key[1] if len(row.key) > 1 else "", "model": column.spanner,
             "kind": column.kind, **_values(cell)}
            for column in self.columns
            for row, cell in zip(self.rows, column.cells, strict=True)
            if isinstance(cell, (Estimate, PValue, Count, Share, Measure))
        ]  # fmt: skip
        return pd.DataFrame(found, columns=["term", "level", "model", "kind", "value", "conf_low", "conf_high"])

    def with_title(self, title: str) -> PublicationTable:
        """Return the table under another title."""
        return replace(self, title=title)

    def with_notes(self, *notes: str) -> PublicationTable:
        """Return the table with further notes."""
        return replace(self, notes=(*self.notes, *notes))

    def as_text(self) -> str:
        """Return plain text of at most 80 columns; where the table is wider, its models stand below each other."""
        from logit_stats.report.publication.plain import text

        return text(self.grid)

    def as_markdown(self) -> str:
        """Return a table in Markdown (pipes)."""
        from logit_stats.report.publication.plain import markdown

        return markdown(self.grid)

    def as_csv(self) -> str:
        """Return comma-separated values; a cell that a spreadsheet would take for a formula is guarded by an apostrophe."""
        from logit_stats.report.publication.plain import comma_separated

        return comma_separated(self.grid)

    def as_html(self) -> str:
        """Return an HTML table with its caption, scopes of its heads, and its notes; it needs no style sheet."""
        from logit_stats.report.publication.web import html

        return html(self.grid)

    def as_latex(self) -> str:
        """Return a LaTeX ``table`` (packages booktabs and threeparttable)."""
        from logit_stats.report.publication.typeset import latex_table

        return latex_table(self.grid)

    def as_typst(self) -> str:
        """Return a Typst ``figure`` with a table."""
        from logit_stats.report.publication.typeset import typst

        return typst(self.grid)

    def as_gt(self) -> Any:
        """Return a ``great_tables.GT`` (extra ``tables``), to be styled further."""
        from logit_stats.report.publication.office import great_table

        return great_table(self.grid)

    def save(self, path: str | Path) -> None:
        """Write the table to a file, in the form that its name ends with.

        Parameters
        ----------
        path : str or Path
            ``.docx`` (extra ``tables``), ``.html``, ``.tex``, ``.typ``, ``.md``, ``.csv``, ``.txt``.

        Raises
        ------
        DataError
            If the ending is none of these.
        """
        target = Path(path)
        if target.suffix == ".docx":
            from logit_stats.report.publication.office import word

            word(self.grid).save(str(target))
            return
        forms = {".html": self.as_page, ".tex": self.as_latex, ".typ": self.as_typst, ".md": self.as_markdown,
                 ".csv": self.as_csv, ".txt": self.as_text}  # fmt: skip
        if target.suffix not in forms:
            raise DataError(f"{target.name} does not say the form; end it with one of .docx, {', '.join(forms)}.")
        # a spreadsheet takes a CSV without the mark for an old encoding
        encoding = "utf-8-sig" if target.suffix == ".csv" else "utf-8"
        target.write_text(forms[target.suffix]().rstrip("\n") + "\n", encoding=encoding, newline="\n")

    def as_page(self) -> str:
        """Return the table as a whole page of HTML."""
        from logit_stats.report.publication.web import page_of

        return page_of(self.grid)

    def __str__(self) -> str:
        return self.as_text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.as_html()

    def _repr_latex_(self) -> str:
        return self.as_latex()


def _values(cell: Any) -> dict[str, float]:
    if isinstance(cell, Estimate):
        return {"value": cell.value, "conf_low": cell.low, "conf_high": cell.high}
    return {"value": cell.value, "conf_low": float("nan"), "conf_high": float("nan")}
