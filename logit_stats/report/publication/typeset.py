"""A table for publication in LaTeX (booktabs, threeparttable) and in Typst."""

from __future__ import annotations

import re

from logit_stats.report.escaping import latex, one_line
from logit_stats.report.publication.grid import Grid, GridRow
from logit_stats.report.publication.numbers import DASH, MINUS

_SIGNS = {MINUS: "$-$", DASH: "--", "∞": r"$\infty$", "×": r"$\times$", "²": r"\textsuperscript{2}", "≥": r"$\ge$",
          "≤": r"$\le$", "χ": r"$\chi$"}  # fmt: skip
_TYPST = re.compile(r"([\\#$*_`<>@\[\]~=/\-+])")


def latex_table(grid: Grid) -> str:
    """Return a ``table`` environment; the notes stand below the rules, as wide as the table."""
    lines = [r"\begin{table}[htbp]", r"\centering", r"\begin{threeparttable}"]
    if grid.title:
        lines.append(rf"\caption{{{tex(grid.title)}}}")
    lines += [rf"\begin{{tabular}}{{l{'r' * len(grid.heads)}}}", r"\toprule"]
    if grid.spanned:
        lines += _latex_spanners(grid)
    lines += [_latex_row([tex(grid.stub), *map(tex, grid.heads)]), r"\midrule"]
    below = False
    for row in grid.rows:
        if row.statistic and not below:
            lines.append(r"\midrule")
            below = True
        lines.append(_latex_row([_latex_label(row), *map(tex, row.texts)]))
    lines += [r"\bottomrule", r"\end{tabular}"]
    if grid.notes:
        notes = [rf"\item {tex(note)}" for note in grid.notes]
        lines += [r"\begin{tablenotes}[flushleft]\footnotesize", *notes, r"\end{tablenotes}"]
    return "\n".join([*lines, r"\end{threeparttable}", r"\end{table}"])


def tex(text: str) -> str:
    r"""Text for LaTeX.

    >>> print(tex("95% CI"), tex("−0.5 to ∞"))
    95\% CI $-$0.5 to $\infty$
    """
    safe = latex(text)
    for sign, written in _SIGNS.items():
        safe = safe.replace(sign, written)
    return safe


def _latex_label(row: GridRow) -> str:
    label = tex(row.label)
    return rf"\quad {label}" if row.indented else label


def _latex_spanners(grid: Grid) -> list[str]:
    cells, rules = [""], []
    for spanner, first, last in grid.spans:
        if not spanner:
            cells += [""] * (last - first)
            continue
        cells.append(rf"\multicolumn{{{last - first}}}{{c}}{{{tex(spanner)}}}")
        rules.append(rf"\cmidrule(lr){{{first + 2}-{last + 1}}}")
    return [_latex_row(cells), "".join(rules)]


def _latex_row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def typst(grid: Grid) -> str:
    """Return a ``figure`` with a table, its head repeated on every page; the notes stand below it."""
    width = len(grid.heads) + 1
    lines = ["#figure(", f"  caption: [{typ(grid.title)}]," if grid.title else "", "  kind: table,", "  [", "#table("]
    lines += [f"  columns: {width},", f"  align: (left, {', '.join(['right'] * len(grid.heads))},),", "  stroke: none,"]
    lines += ["  table.hline(),", "  table.header(", *_typst_head(grid), "  ),", "  table.hline(stroke: 0.5pt),"]
    below = False
    for row in grid.rows:
        if row.statistic and not below:
            lines.append("  table.hline(stroke: 0.5pt),")
            below = True
        label = f"#h(1em){typ(row.label)}" if row.indented else typ(row.label)
        label = f"#strong[{label}]" if row.kind == "heading" else label
        lines.append("  " + " ".join(f"[{cell}]," for cell in [label, *map(typ, row.texts)]))
    lines += ["  table.hline(),", ")"]
    lines += [f"#align(left, text(size: 0.85em)[{typ(note)}])" for note in grid.notes]
    return "\n".join([*filter(None, lines), "  ],", ")"])


def _typst_head(grid: Grid) -> list[str]:
    lines = []
    if grid.spanned:
        cells = ["[],"]
        for spanner, first, last in grid.spans:
            cells.append(f"table.cell(colspan: {last - first}, align: center)[{typ(spanner)}],")
        lines.append("    " + " ".join(cells))
        rules = [
            f"    table.hline(start: {first + 1}, end: {last + 1}, stroke: 0.5pt),"
            for spanner, first, last in grid.spans
            if spanner
        ]
        lines += rules
    lines.append("    " + " ".join(f"[{typ(cell)}]," for cell in [grid.stub, *grid.heads]))
    return lines


def typ(text: str) -> str:
    r"""Text for Typst.

    >>> print(typ("C(race)[T.2] #1"))
    C(race)\[T.2\] \#1
    """
    return _TYPST.sub(r"\\\1", one_line(text))
