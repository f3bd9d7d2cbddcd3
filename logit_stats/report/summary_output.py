"""`Summary`: tables and notes of a result, as plain text, HTML, LaTeX and CSV."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import pandas as pd

from logit_stats.report.escaping import display_width, latex, one_line
from logit_stats.report.table import Table, csv_lines


@dataclass(frozen=True, slots=True)
class Summary:
    """Tables and notes of a result.

    Attributes
    ----------
    parts : tuple of Table
        The tables as they are shown.
    notes : list of str
        Notes, a sentence each.
    """

    parts: tuple[Table, ...]
    notes: list[str]

    @property
    def tables(self) -> list[Any]:
        """The tables (`Table`), as statsmodels names them."""
        return list(self.parts)

    @property
    def extra_txt(self) -> str | None:
        """The notes as they stand under the tables, numbered and wrapped to their width; None where there are none."""
        if not self.notes:
            return None
        width = max(display_width(line) for part in self.parts for line in part.as_text().split("\n"))
        return "\n".join(["Notes:", *(_hung(f"[{i}] ", note, width) for i, note in enumerate(self.notes, 1))])

    def _tables_text(self) -> str:
        # the rule above a table is the one below the table before it
        *others, last = self.parts
        joined = [replace(part, layout=replace(part.layout, below="")) for part in others]
        return "\n".join(part.as_text() for part in (*joined, last))

    def _tabulars(self) -> str:
        # paragraphs put the tabulars under each other
        between = "\n\n\\medskip\n"
        return f"\\begin{{center}}\n{between.join(part.as_latex() for part in self.parts)}\n\\end{{center}}"

    def as_text(self) -> str:
        """Return the summary as plain text."""
        return self._tables_text() + (f"\n\n{self.extra_txt}" if self.notes else "")

    def as_html(self) -> str:
        """Return the summary as HTML."""
        lines = [part.as_html() for part in self.parts]
        if self.notes:
            lines += ["<p>Notes:</p>", "<ol>", *(f"<li>{escape(one_line(note))}</li>" for note in self.notes), "</ol>"]
        return "\n".join(lines)

    def as_latex(self) -> str:
        r"""Return the summary as LaTeX; needs ``\usepackage{booktabs}``. The title is there as a comment."""
        return f"{self._tabulars()}\n%\\caption{{{latex(self.parts[0].title)}}}{self._latex_notes()}"

    def _latex_notes(self) -> str:
        if not self.notes:
            return ""
        lines = ["Notes:", *(f"{{[}}{i}{{]}} {latex(note)}" for i, note in enumerate(self.notes, 1))]
        return "\n\n\\noindent " + " \\newline\n".join(lines)

    def as_csv(self) -> str:
        """Return the summary as comma-separated values, the tables one under the other."""
        notes = [["Notes:"], *([f"[{i}] {note}"] for i, note in enumerate(self.notes, 1))] if self.notes else []
        return "".join(part.as_csv() for part in self.parts) + csv_lines(notes)

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return f'{type(self)}\n"""\n{self.as_text()}\n"""'

    def _repr_html_(self) -> str:
        return self.as_html()

    def _repr_latex_(self) -> str:
        return self.as_latex()


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Summary2(Summary):
    """Summary in the second layout of statsmodels, whose `tables` are frames.

    Attributes
    ----------
    frames : tuple of DataFrame
        The header's texts, and the coefficients in full precision.
    """

    frames: tuple[pd.DataFrame, ...]

    @property
    def tables(self) -> list[Any]:
        """The tables as frames: the header's texts, and the coefficients in full precision."""
        return list(self.frames)

    def as_text(self) -> str:
        """Return the summary as plain text."""
        first, *others = self.parts
        title, width = one_line(first.title), len(first.layout.above)
        untitled = replace(self, parts=(replace(first, title=""), *others))
        heading = " " * ((width - display_width(title)) // 2) + title
        return f"{heading}\n{untitled._tables_text()}\n" + (f"\n{self.extra_txt}" if self.notes else "")

    def as_latex(self, label: str = "") -> str:
        r"""Return the summary as a LaTeX table with caption and `label`; needs ``\usepackage{booktabs}``."""
        caption = f"\\caption{{{latex(self.parts[0].title)}}}\n\\label{{{label}}}"
        return f"\\begin{{table}}\n{caption}\n{self._tabulars()}{self._latex_notes()}\n\\end{{table}}"


def _hung(lead: str, note: str, width: int) -> str:
    """Paragraph whose lines after the first are indented below the first; names are not broken."""
    return textwrap.fill(
        one_line(note),
        width=max(width, 40),
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )
