"""Tables for publication as plain text, Markdown and comma-separated values."""

from __future__ import annotations

from logit_stats.report.escaping import display_width, one_line, padded
from logit_stats.report.publication.grid import Grid, GridRow
from logit_stats.report.table import csv_lines
from logit_stats.wording import WIDTH, lines

GAP = "  "


def text(grid: Grid) -> str:
    """Plain text; models that do not fit beside each other stand below each other."""
    parts = [_block(part) for part in _parts(grid)]
    title = [lines(one_line(grid.title))] if grid.title else []
    return "\n".join([*title, "\n\n".join(parts), *(lines(one_line(note)) for note in grid.notes)])


def _parts(grid: Grid) -> list[Grid]:
    """Runs of columns that fit; columns under one spanner stay together where they can."""
    if _width(grid) <= WIDTH or len(grid.heads) == 1:
        return [grid]
    runs = [(first, last) for _, first, last in grid.spans]
    if len(runs) == 1:
        runs = [(j, j + 1) for j in range(len(grid.heads))]
    parts, start, end = [], 0, 0
    for first, last in runs:
        if end > start and _width(grid.only(start, last)) > WIDTH:
            parts.append(grid.only(start, first))
            start = first
        end = last
    parts.append(grid.only(start, end))
    found = [again for part in parts for again in (_parts(part) if len(part.heads) < len(grid.heads) else [part])]
    return found


def _label(row: GridRow) -> str:
    return ("  " if row.indented else "") + one_line(row.label)


def _widths(grid: Grid) -> list[int]:
    stub = max([display_width(_label(row)) for row in grid.rows] + [display_width(grid.stub)])
    columns = [
        max([display_width(head)] + [display_width(row.texts[j]) for row in grid.rows])
        for j, head in enumerate(grid.heads)
    ]
    for spanner, first, last in grid.spans:
        missing = display_width(one_line(spanner)) - (sum(columns[first:last]) + len(GAP) * (last - first - 1))
        if missing > 0:
            columns[last - 1] += missing
    return [min(stub, WIDTH // 2), *columns]


def _width(grid: Grid) -> int:
    widths = _widths(grid)
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _block(grid: Grid) -> str:
    widths = _widths(grid)
    rule = max(_width(grid), 1)
    found = ["=" * rule]
    if grid.spanned:
        found += _spanner_lines(grid, widths)
    found += [_line(grid.stub, grid.heads, widths), "-" * rule]
    below = False
    for row in grid.rows:
        if row.statistic and not below:
            found.append("-" * rule)
            below = True
        found += _row_lines(row, widths)
    return "\n".join([*found, "=" * rule])


def _spanner_lines(grid: Grid, widths: list[int]) -> list[str]:
    names, rules = [" " * widths[0]], [" " * widths[0]]
    for spanner, first, last in grid.spans:
        wide = sum(widths[first + 1 : last + 1]) + len(GAP) * (last - first - 1)
        names.append(padded(one_line(spanner), wide, "c"))
        rules.append("-" * wide if spanner else " " * wide)
    return [GAP.join(names).rstrip(), GAP.join(rules).rstrip()]


def _line(label: str, texts: tuple[str, ...], widths: list[int]) -> str:
    cells = [padded(one_line(cell), wide, "r") for cell, wide in zip(texts, widths[1:], strict=True)]
    return GAP.join([padded(label, widths[0], "l"), *cells]).rstrip()


def _row_lines(row: GridRow, widths: list[int]) -> list[str]:
    """A row; a label longer than its column goes on in the lines above the numbers."""
    from textwrap import wrap

    label = _label(row)
    if display_width(label) <= widths[0]:
        return [_line(label, row.texts, widths)]
    inner = "    " if row.indented else "  "
    pieces = wrap(label, widths[0], subsequent_indent=inner, initial_indent=inner[:-2])
    return [*pieces[:-1], _line(pieces[-1], row.texts, widths)]


def markdown(grid: Grid) -> str:
    """Markdown with pipes; spanners go into the heads, for Markdown has none."""
    heads = [f"{spanner}: {head}" if spanner else head for spanner, head in zip(grid.spanners, grid.heads, strict=True)]
    found = [f"**{_pipes(grid.title)}**", ""] if grid.title else []
    found += [_piped([grid.stub, *heads]), _piped([":--", *("--:" for _ in heads)], escape=False)]
    for row in grid.rows:
        label = _pipes(row.label)
        shown = f"&emsp;{label}" if row.indented else f"**{label}**" if row.kind == "heading" else label
        found.append(f"| {shown} | " + " | ".join(_pipes(cell) for cell in row.texts) + " |")
    notes = [f"*{_pipes(note)}*" for note in grid.notes]
    return "\n".join([*found, *(part for note in notes for part in ("", note))])


def _pipes(text: str) -> str:
    safe = one_line(text)
    for sign in "\\`*_{}[]<>|$":
        safe = safe.replace(sign, f"\\{sign}")
    return safe


def _piped(cells: list[str], escape: bool = True) -> str:
    return "| " + " | ".join(_pipes(cell) if escape else cell for cell in cells) + " |"


def comma_separated(grid: Grid) -> str:
    """Comma-separated values: title, heads, rows (a column for the variable, one for the level), notes.

    What a spreadsheet would take for a formula is guarded.
    """
    table: list[list[str]] = [[grid.title]] if grid.title else []
    if grid.spanned:
        table.append(["", "", *grid.spanners])
    table.append([grid.stub or "variable", "level", *grid.heads])
    variable = ""
    for row in grid.rows:
        variable = variable if row.indented else row.label
        table.append([variable, row.label if row.indented else "", *row.texts])
    return csv_lines([*table, *([note] for note in grid.notes)])
