"""A table for publication as a Word document and as a ``great_tables.GT``; both libraries are imported on use."""

from __future__ import annotations

from typing import Any

import pandas as pd

from logit_stats.report.escaping import one_line
from logit_stats.report.publication.grid import Grid, GridRow

_NEEDS = "{0} needs {1}: pip install {1}."


def word(grid: Grid) -> Any:
    """Return a ``docx.Document`` with one real table: its heads are repeated on every page, its rows do not break."""
    try:
        from docx import Document
    except ImportError as missing:
        raise ImportError(_NEEDS.format("A Word document", "python-docx")) from missing
    document = Document()
    # the template's own date and author would make the same table a different file
    document.core_properties.author, document.core_properties.title = "", one_line(grid.title)
    if grid.title:
        document.add_paragraph(one_line(grid.title), style="Caption").paragraph_format.keep_with_next = True
    heads = 2 if grid.spanned else 1
    table = document.add_table(rows=heads + len(grid.rows), cols=len(grid.heads) + 1)
    table.autofit = True
    if grid.spanned:
        _spanners(table, grid)
    _texts(table.rows[heads - 1], [grid.stub, *grid.heads], bold=True)
    for i, row in enumerate(grid.rows):
        _texts(table.rows[heads + i], [row.label, *row.texts], bold=False)
        _label_of(table.cell(heads + i, 0), row)
    for i in range(heads):
        _mark(table.rows[i], "w:tblHeader")
    for row in table.rows:
        _mark(row, "w:cantSplit")
    _rules(table, heads, next((i for i, row in enumerate(grid.rows) if row.statistic), None))
    for note in grid.notes:
        _note(document, note)
    return document


def _texts(row: Any, texts: list[str], *, bold: bool) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    for j, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
        paragraph = cell.paragraphs[0]
        run = paragraph.add_run(one_line(text))
        run.bold, run.font.size = bold or None, Pt(9)
        paragraph.alignment = WD_ALIGN_PARAGRAPH.LEFT if j == 0 else WD_ALIGN_PARAGRAPH.RIGHT
        paragraph.paragraph_format.space_after = Pt(1)
        paragraph.paragraph_format.space_before = Pt(1)


def _label_of(cell: Any, row: GridRow) -> None:
    from docx.shared import Cm

    paragraph = cell.paragraphs[0]
    if row.indented:
        paragraph.paragraph_format.left_indent = Cm(0.4)
    if row.kind == "heading":
        paragraph.runs[0].bold = True
        paragraph.paragraph_format.keep_with_next = True


def _spanners(table: Any, grid: Grid) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    for spanner, first, last in grid.spans:
        if not spanner:
            continue
        cell = table.cell(0, first + 1).merge(table.cell(0, last))
        run = cell.paragraphs[0].add_run(one_line(spanner))
        run.bold, run.font.size = True, Pt(9)
        cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER
        _border(cell, "bottom", 4)


def _mark(row: Any, name: str) -> None:
    from docx.oxml import OxmlElement

    row._tr.get_or_add_trPr().append(OxmlElement(name))


def _rules(table: Any, heads: int, statistics: int | None) -> None:
    """Horizontal rules only: above, under the heads, above the statistics, below."""
    for cell in table.rows[0].cells:
        _border(cell, "top", 12)
    for cell in table.rows[heads - 1].cells:
        _border(cell, "bottom", 6)
    if statistics is not None:
        for cell in table.rows[heads + statistics].cells:
            _border(cell, "top", 6)
    for cell in table.rows[-1].cells:
        _border(cell, "bottom", 12)


def _border(cell: Any, edge: str, size: int) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    properties = cell._tc.get_or_add_tcPr()
    borders = properties.find(qn("w:tcBorders"))
    if borders is None:
        borders = OxmlElement("w:tcBorders")
        properties.append(borders)
    if borders.find(qn(f"w:{edge}")) is not None:
        return
    line = OxmlElement(f"w:{edge}")
    for name, value in (("val", "single"), ("sz", str(size)), ("space", "0"), ("color", "auto")):
        line.set(qn(f"w:{name}"), value)
    # the schema has the edges in this order
    if edge == "top":
        borders.insert(0, line)
    else:
        borders.append(line)


def _note(document: Any, note: str) -> None:
    from docx.shared import Pt

    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_after = Pt(0)
    paragraph.add_run(one_line(note)).font.size = Pt(8)


def great_table(grid: Grid) -> Any:
    """Return a ``GT``: spanners, levels set in under their headings, notes as source notes."""
    try:
        from great_tables import GT, html, loc, style
    except ImportError as missing:
        raise ImportError(_NEEDS.format("as_gt()", "great-tables")) from missing
    from html import escape

    names = [f"c{j}" for j in range(len(grid.heads))]
    frame = pd.DataFrame([[one_line(r.label), *map(one_line, r.texts)] for r in grid.rows], columns=["row", *names])
    heads: dict[str, Any] = {name: html(escape(one_line(head))) for name, head in zip(names, grid.heads, strict=True)}
    found = GT(frame, rowname_col="row", id="publication").cols_label(**heads)
    found = found.cols_align("right", columns=names).tab_stubhead(label=one_line(grid.stub) or " ")
    if grid.title:
        found = found.tab_header(title=html(escape(one_line(grid.title))))
    for i, (spanner, first, last) in enumerate(grid.spans):
        if spanner:
            label = html(escape(one_line(spanner)))
            found = found.tab_spanner(label=label, columns=names[first:last], id=f"spanner{i}")
    headings = [i for i, row in enumerate(grid.rows) if row.kind == "heading"]
    levels = [i for i, row in enumerate(grid.rows) if row.indented]
    if headings:
        found = found.tab_style(style.text(weight="bold"), loc.stub(rows=headings))
    if levels:
        found = found.tab_style(style.css("padding-left: 1.5em"), loc.stub(rows=levels))
    for note in grid.notes:
        found = found.tab_source_note(html(escape(one_line(note))))
    return found
