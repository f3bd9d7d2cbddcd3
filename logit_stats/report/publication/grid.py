"""`Grid`: a table for publication as texts, rows and columns, ready to be set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row: its label, its kind, the texts of its cells.

    Attributes
    ----------
    label : str
    kind : {"heading", "level", "reference", "single"}
        Levels and references are set in under their heading.
    texts : tuple of str
    statistic : bool
        Whether it says something of whole models, below a rule.
    """

    label: str
    kind: str
    texts: tuple[str, ...]
    statistic: bool = False

    @property
    def indented(self) -> bool:
        """Whether the row stands under a heading."""
        return self.kind in ("level", "reference")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of texts.

    Attributes
    ----------
    title, stub : str
    heads, spanners : tuple of str
        One for each column; neighbours with the same spanner share it.
    rows : tuple of GridRow
    notes : tuple of str
    """

    title: str
    stub: str
    heads: tuple[str, ...]
    spanners: tuple[str, ...]
    rows: tuple[GridRow, ...]
    notes: tuple[str, ...] = ()

    @property
    def spans(self) -> list[tuple[str, int, int]]:
        """Spanner, first column, and the column after the last, for every run of columns; "" where there is none."""
        runs: list[tuple[str, int, int]] = []
        for j, spanner in enumerate(self.spanners):
            if runs and runs[-1][0] == spanner:
                runs[-1] = (spanner, runs[-1][1], j + 1)
            else:
                runs.append((spanner, j, j + 1))
        return runs

    @property
    def spanned(self) -> bool:
        """Whether any column stands under a spanner."""
        return any(self.spanners)

    def only(self, first: int, last: int) -> Grid:
        """Return the grid of some neighbouring columns."""
        rows = tuple(GridRow(r.label, r.kind, r.texts[first:last], r.statistic) for r in self.rows)
        return Grid(self.title, self.stub, self.heads[first:last], self.spanners[first:last], rows, self.notes)
