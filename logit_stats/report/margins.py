"""Table of the marginal effects of design columns, in statsmodels' layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logit_stats.report.category_summary import equation_tables
from logit_stats.report.numbers import adaptive
from logit_stats.report.summary import Summary
from logit_stats.report.table import Table, TextLayout

if TYPE_CHECKING:
    from logit_stats.inference.category_margins import CategoryMargins
    from logit_stats.inference.column_margins import ColumnMargins

_HEADER_LAYOUT = TextLayout(least_widths=(18, 18))
_EFFECTS_LAYOUT = TextLayout(least_widths=(10, 10, 10, 10, 10, 11, 11))


def margins_summary(margins: ColumnMargins, head: str, alpha: float) -> Summary:
    """Header and table of the effects."""
    header = _header(margins, "Logit Marginal Effects")
    frame = margins.summary_frame(alpha)
    body = [
        (str(name), adaptive(row[0], 4), adaptive(row[1], 3), adaptive(row[2], 3), f"{row[3]:#.3f}",
         adaptive(row[4], 3), adaptive(row[5], 3))
        for name, row in zip(margins.names, frame.to_numpy().tolist(), strict=True)
    ]  # fmt: skip
    effects = Table.of(body, head=("", *_heads(margins, head, alpha)), layout=_EFFECTS_LAYOUT)
    return Summary((header, effects), [margins.note] if margins.note else [])


def category_margins_summary(margins: CategoryMargins, head: str, alpha: float) -> Summary:
    """Header and a table of the effects on each category."""
    tables = equation_tables(margins.categories, margins.names, _heads(margins, head, alpha), margins.numbers(alpha))
    header = _header(margins, "MNLogit Marginal Effects")
    return Summary((header, *tables), [margins.note] if margins.note else [])


def _header(margins: ColumnMargins, title: str) -> Table:
    items = [("Dep. Variable:", margins.endog_name), ("Method:", margins.method), ("At:", margins.at)]
    return Table.of(items, title=title, align="lr", layout=_HEADER_LAYOUT)


def _heads(margins: ColumnMargins, head: str, alpha: float) -> tuple[str, ...]:
    letter = margins.reference.letter
    return (head, "std err", letter, f"P>|{letter}|", f"[{alpha / 2:.12g}", f"{1 - alpha / 2:.12g}]")
