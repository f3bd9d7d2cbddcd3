"""A result as one self-contained page of HTML, without a clock: the same fit gives the same page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logit_stats.errors import DataError, LogitStatsError, UnknownOptionError, check_alpha, listed
from logit_stats.report.escaping import one_line
from logit_stats.report.page_pictures import NO_MATPLOTLIB, can_draw
from logit_stats.report.page_sections import SECTIONS, Asking

if TYPE_CHECKING:
    from logit_stats.results.answers import Answers

# Without the cross-check, which fits the model once more in another package.
USUAL = tuple(name for name in SECTIONS if name != "crosscheck")
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #ffffff; --stripe: #f4f5f7; --line: #c9ccd1; --faint: #5c6066; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --paper: #16181c; --stripe: #1f2227; --line: #444a52; --faint: #a3a8af; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0.3rem; }
h3 { font-size: 1rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.8rem 0; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.7rem; text-align: right; border: 0; } tr > :first-child, .text { text-align: left; }
th { font-weight: 600; } thead th { border-bottom: 2px solid var(--faint); }
tbody tr:nth-child(even) { background: var(--stripe); }
code { background: var(--stripe); padding: 0.1rem 0.3rem; border-radius: 3px; overflow-wrap: anywhere; }
caption { text-align: left; font-weight: 600; } li { margin: 0.2rem 0; } footer { color: var(--faint); margin-top: 2rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1rem; }
figure { margin: 0; max-width: 30rem; }
figure.wide-picture { max-width: 46rem; } figcaption { color: var(--faint); font-size: 0.9rem; }
figure.wide-picture { grid-column: 1 / -1; } .sources { font-size: 0.85rem; color: var(--faint); }
figure img { width: 100%; background: #ffffff; border-radius: 4px; }
@page { size: A4; margin: 16mm; }
@media print {
  :root { --ink: #000000; --paper: #ffffff; --stripe: #f4f5f7; --line: #c9ccd1; --faint: #444444; }
  body { font-size: 10pt; max-width: none; margin: 0; padding: 0; } h2 { break-after: avoid; }
  .pictures { grid-template-columns: 1fr 1fr; } figure, tr { break-inside: avoid; } .wide { overflow: visible; }
  table { font-size: 8.5pt; } th, td { padding: 0.1rem 0.4rem; } }
"""


def page(
    res: Answers, *, alpha: float = 0.05, source: str = "", comparison: Any = None, pictures: bool = True,
    sections: Sequence[str] | None = None, labels: Any = None,
) -> str:  # fmt: skip
    """Page on a result, section by section.

    Parameters
    ----------
    res : Answers
    alpha : float
        Limits have level ``1 - alpha``.
    source : str
        Where the data came from, as the page should say it.
    comparison : Crosscheck, optional
        Shown, in place of a new one, in the section "crosscheck".
    pictures : bool
        Whether to draw; without matplotlib there are none, which the page says.
    sections : sequence of str, optional
        Of "methods", "results", "sample", "table", "tests", "margins", "calibration", "influence", "summary", "notes",
        "crosscheck", "certificate", in the order in which they are to stand; by default all but "crosscheck". Of those not named,
        what a result cannot answer is left out; of those named, the page says why.
    labels : mapping, optional
        What variables and levels are called; as for `table`.

    Raises
    ------
    UnknownOptionError
        If there is no section of a name.
    """
    check_alpha(alpha)
    names = _names(sections, comparison)
    asking = Asking(alpha, labels, pictures, comparison)
    title = f"Logit of {one_line(str(res.model.endog_names))}"
    formula = one_line(str(res.model.formula or " + ".join(res.model.exog_names)))
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p><code>{escape(formula)}</code>" + (f" on {escape(Path(source).name)}</p>" if source else "</p>"),
    ]
    if pictures and not can_draw():
        parts.append(f"<p>{escape(NO_MATPLOTLIB)}</p>")
    parts += [_section(name, res, asking, said=sections is not None) for name in names]
    # whatever makes the parts, no control character of a name gets into the page
    body = "\n".join(one_line(line) for part in filter(None, parts) for line in part.split("\n"))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _names(sections: Sequence[str] | None, comparison: Any) -> tuple[str, ...]:
    if sections is None:
        return tuple(name for name in SECTIONS if name in USUAL or (name == "crosscheck" and comparison is not None))
    if isinstance(sections, str):
        raise DataError(f"sections={sections!r}: give a list, as sections=[{sections!r}].")
    unknown = [name for name in sections if name not in SECTIONS]
    if unknown:
        raise UnknownOptionError(f"There is no section {unknown[0]!r}; there are {listed(tuple(SECTIONS), 20)}.")
    return tuple(dict.fromkeys(sections))


def _section(name: str, res: Any, asking: Asking, *, said: bool) -> str:
    """A section under its head; one that the result cannot answer is left out, or says why where it was asked for."""
    head, make = SECTIONS[name]
    try:
        html = make(res, asking)
    except (LogitStatsError, ImportError) as error:
        html = f"<p>{escape(one_line(str(error)))}</p>" if said else ""
    return f'<section id="{name}"><h2>{escape(head)}</h2>{html}</section>' if html else ""
