"""`Table`: rows of texts that print as plain text, HTML, LaTeX and CSV.

A table holds what is shown, not the numbers behind it. Its cells are plain texts; escaping is the matter of the output.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from io import StringIO
from typing import Literal

from logit_stats.errors import DataError
from logit_stats.report.escaping import display_width, latex, one_line, padded

Align = Literal["l", "r", "c"]
_CSS = {"l": "left", "r": "right", "c": "center"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes
    ----------
    text : str
        What it says, not escaped; blanks at its ends are kept in plain text only.
    align : {"l", "r", "c"}
        Where the text stands in its column.
    heading : bool
        Whether it names its row or column.
    """

    text: str = ""
    align: Align = "r"
    heading: bool = False

    def as_html(self, scope: str) -> str:
        """Return the cell as ``<td>``, or ``<th>`` where it is a heading of a `scope` ("row" or "col")."""
        text = one_line(self.text).strip()
        style = f' style="text-align:{_CSS[self.align]}"'
        if self.heading and text:
            return f'<th scope="{scope}"{style}>{escape(text)}</th>'
        return f"<td{style}>{escape(text)}</td>" if text else "<td></td>"

    def as_latex(self) -> str:
        """Return the cell as LaTeX, headings in bold."""
        text = latex(self.text.strip())
        return rf"\textbf{{{text}}}" if self.heading and text else text


@dataclass(frozen=True, slots=True)
class TextLayout:
    """How a table looks as plain text.

    Attributes
    ----------
    above, under_head, below : str
        Horizontal rules. One character is repeated to the table's width, a longer text is the rule itself, an empty one
        is none.
    gap : str
        Stands between columns.
    least_widths : tuple of int
        Columns are at least so wide; columns past the end of the tuple are as wide as their contents.
    head_align : {"l", "r", "c"} or None
        Where all heads stand in their columns; None leaves it to the cells.
    """

    above: str = "="
    under_head: str = "-"
    below: str = "="
    gap: str = " "
    least_widths: tuple[int, ...] = ()
    head_align: Align | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under an optional head and title.

    Attributes
    ----------
    body : tuple of tuple of Cell
    head : tuple of Cell
        Column heads; empty for none.
    title : str
    layout : TextLayout
        Rules, gaps and widths in plain text.

    Raises
    ------
    DataError
        If the rows have different numbers of cells.

    Examples
    --------
    >>> print(Table.of([("age", "0.02"), ("a<b", "-1.30")], head=("", "coef"), align="lr"))
    =========
         coef
    ---------
    age  0.02
    a<b -1.30
    =========
    """

    body: tuple[tuple[Cell, ...], ...]
    head: tuple[Cell, ...] = ()
    title: str = ""
    layout: TextLayout = field(default_factory=TextLayout)

    def __post_init__(self) -> None:
        lengths = sorted({len(row) for row in self._rows()})
        if len(lengths) > 1:
            raise DataError(f"The rows of a table have different numbers of cells: {lengths[0]} and {lengths[-1]}.")

    @classmethod
    def of(
        cls,
        body: Iterable[Sequence[str]],
        *,
        head: Sequence[str] = (),
        title: str = "",
        align: str = "",
        heading_columns: Sequence[int] = (0,),
        layout: TextLayout | None = None,
    ) -> Table:
        """Table of texts.

        Parameters
        ----------
        body : rows of texts
        head : texts, optional
            One for each column.
        title : str, optional
        align : str, optional
            One letter ("l", "r" or "c") for each column, head included; the first column left and all others right by
            default.
        heading_columns : sequence of int
            Columns whose cells name something.
        layout : TextLayout, optional
        """
        rows = [tuple(row) for row in body]
        columns = len(head) or (len(rows[0]) if rows else 0)
        aligns = _aligns(align or "l" + "r" * (columns - 1), columns) if columns else ()

        def cells(row: Sequence[str], in_head: bool) -> tuple[Cell, ...]:
            if row and len(row) != columns:
                raise DataError(f"The rows of a table have different numbers of cells: {columns} and {len(row)}.")
            return tuple(Cell(text, aligns[j], in_head or j in heading_columns) for j, text in enumerate(row))

        return cls(
            tuple(cells(row, False) for row in rows),
            cells(head, True),
            title,
            TextLayout() if layout is None else layout,
        )

    def _rows(self) -> tuple[tuple[Cell, ...], ...]:
        return (self.head, *self.body) if self.head else self.body

    @property
    def data(self) -> list[list[str]]:
        """The texts, row by row, the head first."""
        return [[cell.text for cell in row] for row in self._rows()]

    # Plain text.

    @property
    def widths(self) -> tuple[int, ...]:
        """Width of each column in plain text."""
        least = self.layout.least_widths
        columns = zip(*self._rows(), strict=True)
        return tuple(
            max(least[j] if j < len(least) else 0, *(display_width(one_line(cell.text)) for cell in column))
            for j, column in enumerate(columns)
        )

    @property
    def width(self) -> int:
        """Width of the whole table in plain text."""
        widths = self.widths
        return sum(widths) + display_width(self.layout.gap) * max(len(widths) - 1, 0)

    def as_text(self) -> str:
        """Return the table as plain text."""
        layout, widths, width = self.layout, self.widths, self.width

        def rule(mark: str) -> list[str]:
            return [mark * width if len(mark) == 1 else mark] if mark else []

        def line(row: tuple[Cell, ...], align: Align | None = None) -> str:
            texts = (
                padded(one_line(cell.text), wide, align or cell.align) for cell, wide in zip(row, widths, strict=True)
            )
            return layout.gap.join(texts)

        lines = [padded(one_line(self.title), width, "c")] if self.title else []
        lines += rule(layout.above)
        if self.head:
            lines += [line(self.head, layout.head_align), *rule(layout.under_head)]
        lines += [line(row) for row in self.body]
        return "\n".join(lines + rule(layout.below))

    # Other outputs.

    def as_html(self) -> str:
        """Return the table as HTML; names and texts are escaped."""
        # the spacing is for bare pages; notebooks have styles of their own
        lines = ['<table class="simpletable" style="border-spacing:1em 0.1em">']
        if self.title:
            lines.append(f"<caption>{escape(one_line(self.title))}</caption>")
        if self.head:
            lines += ["<thead>", _html_row(self.head, "col"), "</thead>"]
        lines += ["<tbody>", *(_html_row(row, "row") for row in self.body), "</tbody>", "</table>"]
        return "\n".join(lines)

    def as_latex(self) -> str:
        """Return the table as a LaTeX tabular (needs booktabs; names and texts are escaped); the title is left out."""
        rows = self._rows()
        aligns = "".join(cell.align for cell in (rows[-1] if rows else ()))
        lines = [rf"\begin{{tabular}}{{{aligns}}}", r"\toprule"]
        if self.head:
            lines += [_latex_row(self.head), r"\midrule"]
        lines += [*(_latex_row(row) for row in self.body), r"\bottomrule", r"\end{tabular}"]
        return "\n".join(lines)

    def as_csv(self) -> str:
        """Return the table as comma-separated values, the title in a line of its own; ends with a line break."""
        return csv_lines([[self.title], *self.data] if self.title else self.data)

    def __str__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        return self.as_html()

    def _repr_latex_(self) -> str:
        return self.as_latex()


def csv_lines(rows: Iterable[Sequence[str]]) -> str:
    """Rows of texts as comma-separated values, a line each, quoted where they need it.

    A text that a spreadsheet would take for a formula gets an apostrophe in front, which spreadsheets do not show.
    """
    lines = StringIO()
    csv.writer(lines, lineterminator="\n").writerows([_csv_cell(text) for text in row] for row in rows)
    return lines.getvalue()


def _csv_cell(text: str) -> str:
    cell = one_line(text).strip()
    if cell.startswith(("=", "@")) or (cell[:1] in ("+", "-") and not _starts_as_number(cell)):
        return f"'{cell}"
    return cell


def _starts_as_number(cell: str) -> bool:
    return len(cell) == 1 or cell[1].isdigit() or cell[1] in ".-" or cell[1:4] in ("inf", "nan")


def _aligns(letters: str, columns: int) -> tuple[Align, ...]:
    known: dict[str, Align] = {"l": "l", "r": "r", "c": "c"}
    if len(letters) != columns or not set(letters) <= set(known):
        raise DataError(f"align={letters!r} must have one of the letters l, r and c for each of {columns} columns.")
    return tuple(known[letter] for letter in letters)


def _html_row(row: tuple[Cell, ...], scope: str) -> str:
    return "<tr>" + "".join(cell.as_html(scope) for cell in row) + "</tr>"


def _latex_row(row: tuple[Cell, ...]) -> str:
    return " & ".join(cell.as_latex() for cell in row) + r" \\"
