"""A result as one self-contained page of HTML, without a clock: the same fit gives the same page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logit_stats.errors import LogitStatsError, NotAvailableError

if TYPE_CHECKING:
    from logit_stats.results.answers import Answers

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #ffffff; --stripe: #f4f5f7; --line: #c9ccd1; --faint: #5c6066; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --paper: #16181c; --stripe: #1f2227; --line: #444a52; --faint: #a3a8af; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0.3rem; }
h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.8rem 0; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.7rem; text-align: right; border: 0; } tr > :first-child, .text { text-align: left; }
th { font-weight: 600; } thead th { border-bottom: 2px solid var(--faint); }
tbody tr:nth-child(even) { background: var(--stripe); }
code { background: var(--stripe); padding: 0.1rem 0.3rem; border-radius: 3px; overflow-wrap: anywhere; }
caption { text-align: left; font-weight: 600; } li { margin: 0.2rem 0; } footer { color: var(--faint); margin-top: 2rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { color: var(--faint); font-size: 0.9rem; }
figure img { width: 100%; background: #ffffff; border-radius: 4px; }
@page { size: A4; margin: 16mm; }
@media print {
  :root { --ink: #000000; --paper: #ffffff; --stripe: #f4f5f7; --line: #c9ccd1; --faint: #444444; }
  body { font-size: 10pt; max-width: none; margin: 0; padding: 0; } h2 { break-after: avoid; }
  .pictures { grid-template-columns: 1fr 1fr; } figure, tr { break-inside: avoid; } .wide { overflow: visible; }
  table { font-size: 8.5pt; } th, td { padding: 0.1rem 0.4rem; } }
"""


def page(res: Answers, *, alpha: float = 0.05, source: str = "", comparison: Any = None, pictures: bool = True) -> str:
    """Summary, odds ratios, pictures, account of the rows, notes, certificate and, where given, the cross-check.

    Parameters
    ----------
    res : Answers
    alpha : float
        Limits have level ``1 - alpha``.
    source : str
        Where the data came from, as the page should say it.
    comparison : Crosscheck, optional
    pictures : bool
        Whether to draw; without matplotlib the page says that it is missing.
    """
    title = f"Logit of {res.model.endog_names}"
    tables = "\n".join(part.as_html() for part in res.summary(alpha=alpha, clock=False).parts)
    ratios = res.odds_ratios(alpha).to_html(float_format=lambda v: f"{v:.4g}", border=0)
    notes = "".join(f"<li>{escape(note)}</li>" for note in res.summary_notes())
    sections = [
        f"<h1>{escape(title)}</h1>",
        f"<p><code>{escape(res.model.formula or ' + '.join(res.model.exog_names))}</code>"
        + (f" on {escape(Path(source).name)}</p>" if source else "</p>"),
        f"<p>{escape(res.sample_line())}.</p>",
        f"<h2>Summary</h2>{_wide(tables)}",
        f"<h2>Odds ratios</h2>{_wide(ratios)}",
        _drawn(res, alpha) if pictures else "",
        f"<h2>Notes</h2><ul>{notes}</ul>",
        _rows_left_out(res),
    ]
    if comparison is not None:
        sections.append(f"<h2>Cross-check with statsmodels</h2>{_wide(comparison._repr_html_())}")
    with suppress(NotAvailableError):  # a penalized fit has none
        sections.append(f"<h2>Certificate</h2>{_wide(res.certificate()._repr_html_())}")
    body = "\n".join(filter(None, sections))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _wide(html: str) -> str:
    """Something that may be wider than a small screen."""
    return f'<div class="wide">{html}</div>'


def _rows_left_out(res: Answers) -> str:
    left_out = res.model.sample.left_out()
    if not len(left_out):
        return ""
    rows = "".join(
        f'<tr><td>{escape(str(k))}</td><td class="text">{escape(str(v))}</td></tr>'
        for k, v in left_out.head(20).items()
    )
    more = f"<p>... and {len(left_out) - 20} more.</p>" if len(left_out) > 20 else ""
    head = '<thead><tr><th>row</th><th class="text">reason</th></tr></thead>'
    return f"<h2>Rows left out</h2><table>{head}{rows}</table>{more}"


def _drawn(res: Answers, alpha: float) -> str:
    """Pictures inside the page, drawn alike whatever style is in use; what is missing, where matplotlib is not installed."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        return "<h2>Pictures</h2><p>Pictures need matplotlib, which is not installed: pip install matplotlib.</p>"
    figures = []
    # names of parts of the picture come from the salt, so that the same fit gives the same page
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams["svg.hashsalt"] = "logit_stats"
        for caption, draw in _pictures(res, alpha):
            figure = Figure(figsize=(4.8, 3.8), layout="constrained")
            with suppress(LogitStatsError):
                draw(figure.subplots())
                file = BytesIO()
                figure.savefig(file, format="svg", metadata={"Date": None})
                data = b64encode(file.getvalue()).decode("ascii")
                figures.append(
                    f'<figure><img alt="{escape(caption)}" src="data:image/svg+xml;base64,{data}">'
                    f"<figcaption>{escape(caption)}</figcaption></figure>"
                )
    return f'<h2>Pictures</h2><div class="pictures">{"".join(figures)}</div>' if figures else ""


def _pictures(res: Answers, alpha: float) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    plot = res.plot
    if not res.facts.binary:
        yield "Odds ratios against the reference", lambda ax: plot.odds_ratios(alpha=alpha, ax=ax)
        yield "Observed and predicted categories", lambda ax: plot.confusion(ax=ax)
        return
    if not res.facts.finite:
        yield "Odds ratios with their intervals", lambda ax: plot.odds_ratios(alpha=alpha, ax=ax)
        yield "ROC curve", lambda ax: plot.roc(ax=ax)
        return
    yield "Odds ratios with their intervals", lambda ax: plot.odds_ratios(alpha=alpha, ax=ax)
    yield "ROC curve", lambda ax: plot.roc(ax=ax)
    yield "Calibration: events against predictions", lambda ax: plot.calibration(ax=ax)
    yield "Mean residuals by bins of the predictions", lambda ax: plot.residuals(ax=ax)
    yield "Influence of the rows", lambda ax: plot.influence(ax=ax)
