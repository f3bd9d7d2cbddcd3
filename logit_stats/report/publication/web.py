"""A table for publication as HTML that stands by itself: caption, heads with scopes, notes in the foot."""

from __future__ import annotations

from html import escape

from logit_stats.report.escaping import one_line
from logit_stats.report.publication.grid import Grid, GridRow

_TABLE = (
    "border-collapse:collapse;border-top:2px solid;border-bottom:2px solid;font-variant-numeric:tabular-nums;"
    "line-height:1.35"
)
_CAPTION = "text-align:left;font-weight:600;padding:0 0 .4em 0;caption-side:top"
_CELL = "padding:.15em .8em;border:0;background:none;"
_NOTE = "padding:.4em .8em 0;border:0;background:none;text-align:left;font-size:.85em;font-weight:400"


def html(grid: Grid) -> str:
    """Return the table; every text is escaped, styles stand with the elements."""
    parts = [f'<table class="publication" style="{_TABLE}">']
    if grid.title:
        parts.append(f'<caption style="{_CAPTION}">{_safe(grid.title)}</caption>')
    parts += ["<thead>", *_head(grid), "</thead>", "<tbody>"]
    parts += [_row(row, ruled) for row, ruled in _ruled(grid)]
    parts.append("</tbody>")
    if grid.notes:
        notes = "".join('<p style="margin:.1em 0">' + _safe(note) + "</p>" for note in grid.notes)
        width = len(grid.heads) + 1
        # the notes wrap to the table's width instead of widening it
        inner = f'<div style="width:0;min-width:100%">{notes}</div>'
        rule = "border-top:1px solid;"
        parts.append(f'<tfoot><tr><td colspan="{width}" style="{_NOTE};{rule}">{inner}</td></tr></tfoot>')
    return "\n".join([*parts, "</table>"])


def _head(grid: Grid) -> list[str]:
    rows = []
    line = "border-bottom:1px solid;"
    rowspan = ' rowspan="2"' if grid.spanned else ""
    stub = (
        f'<th scope="col"{rowspan} style="{_CELL}{line}text-align:left;vertical-align:bottom">{_safe(grid.stub)}</th>'
    )
    if not grid.stub:
        stub = f'<td{rowspan} style="{_CELL}{line}"></td>'
    if grid.spanned:
        cells = []
        for spanner, first, last in grid.spans:
            if spanner:
                cells.append(
                    f'<th scope="colgroup" colspan="{last - first}" style="{_CELL}text-align:center">'
                    f'<span style="display:block;border-bottom:1px solid">{_safe(spanner)}</span></th>'
                )
            else:
                cells += [_column_head(head, 'rowspan="2" ') for head in grid.heads[first:last]]
        rows.append(f"<tr>{stub}{''.join(cells)}</tr>")
    under = [head for head, spanner in zip(grid.heads, grid.spanners, strict=True) if spanner or not grid.spanned]
    rows.append(f"<tr>{'' if grid.spanned else stub}{''.join(_column_head(head) for head in under)}</tr>")
    return rows


def _column_head(head: str, more: str = "") -> str:
    style = f"{_CELL}border-bottom:1px solid;text-align:right;vertical-align:bottom"
    return f'<th scope="col" {more}style="{style}">{_safe(head)}</th>'


def _ruled(grid: Grid) -> list[tuple[GridRow, bool]]:
    """Every row, and whether a rule stands above it."""
    before = False
    found = []
    for row in grid.rows:
        found.append((row, row.statistic and not before))
        before = row.statistic
    return found


def _row(row: GridRow, ruled: bool) -> str:
    rule = "border-top:1px solid;" if ruled else ""
    weight = 600 if row.kind == "heading" else 400
    inset = "padding-left:2em;" if row.indented else ""
    label = f'<th scope="row" style="{_CELL}{rule}text-align:left;font-weight:{weight};{inset}">{_safe(row.label)}</th>'
    style = f"{_CELL}{rule}text-align:right;white-space:nowrap"
    cells = "".join(f'<td style="{style}">{_safe(cell)}</td>' for cell in row.texts)
    return f"<tr>{label}{cells}</tr>"


def _safe(text: str) -> str:
    return escape(one_line(text))


def page_of(grid: Grid) -> str:
    """Return a whole page with the table."""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{_safe(grid.title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem;color-scheme:light dark}</style></head><body>\n"
        f"{html(grid)}\n</body></html>\n"
    )
