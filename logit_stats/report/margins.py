"""Table of the marginal effects of design columns, in statsmodels' layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logit_stats.report.summary import Summary, coefficient_rows, equation_tables
from logit_stats.report.table import Table, TextLayout

if TYPE_CHECKING:
    from logit_stats.inference.column_margins import ColumnMargins

_HEADER_LAYOUT = TextLayout(least_widths=(18, 18))
_EFFECTS_LAYOUT = TextLayout(least_widths=(10, 10, 10, 10, 10, 11, 11))


def margins_summary(margins: ColumnMargins, head: str, alpha: float) -> Summary:
    """Header and a table of the effects, for several categories one for each."""
    heads, numbers = _heads(margins, head, alpha), margins.numbers(alpha)
    notes = [margins.note] if margins.note else []
    if margins.categories:
        tables = equation_tables(margins.categories, margins.names, heads, numbers)
        return Summary((_header(margins, f"{margins.model} Marginal Effects"), *tables), notes)
    body = coefficient_rows(margins.names, numbers[0])
    effects = Table.of(body, head=("", *heads), layout=_EFFECTS_LAYOUT)
    return Summary((_header(margins, "Logit Marginal Effects"), effects), notes)


def _header(margins: ColumnMargins, title: str) -> Table:
    items = [("Dep. Variable:", margins.endog_name), ("Method:", margins.method), ("At:", margins.at)]
    return Table.of(items, title=title, align="lr", layout=_HEADER_LAYOUT)


def _heads(margins: ColumnMargins, head: str, alpha: float) -> tuple[str, ...]:
    letter = margins.reference.letter
    return (head, "std err", letter, f"P>|{letter}|", f"[{alpha / 2:.12g}", f"{1 - alpha / 2:.12g}]")
