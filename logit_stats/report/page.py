"""A result as one self-contained page of HTML, without a clock: the same fit gives the same page."""

from __future__ import annotations

from contextlib import suppress
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logit_stats.results import LogitResults

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b1b; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; border-bottom: 1px solid #ccc; }
table { border-collapse: collapse; margin: 0.8rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.7rem; text-align: right; } tr > :first-child { text-align: left; }
thead th { border-bottom: 2px solid #555; } tbody tr:nth-child(even) { background: #f5f5f5; }
code { background: #f2f2f2; padding: 0.1rem 0.3rem; } caption { text-align: left; font-weight: 600; }
"""


def page(res: LogitResults, *, alpha: float = 0.05, source: str = "", comparison: Any = None) -> str:
    """Summary, odds ratios, account of the rows, notes, certificate and, where given, the comparison with statsmodels.

    Parameters
    ----------
    res : LogitResults
    alpha : float
        Limits have level ``1 - alpha``.
    source : str
        Where the data came from, as the page should say it.
    comparison : Crosscheck, optional
    """
    from logit_stats.errors import NotAvailableError

    title = f"Logit of {res.model.endog_names}"
    summary = res.summary(alpha=alpha, clock=False)
    tables = "\n".join(part.as_html() for part in summary.parts)
    ratios = res.odds_ratios(alpha).to_html(float_format=lambda v: f"{v:.4g}", border=0)
    sections = [
        f"<h1>{escape(title)}</h1>",
        f"<p><code>{escape(res.model.formula or ' + '.join(res.model.exog_names))}</code>"
        + (f" on {escape(Path(source).name)}</p>" if source else "</p>"),
        f"<p>{escape(res.sample_line())}.</p>",
        f"<h2>Summary</h2>{tables}",
        f"<h2>Odds ratios</h2>{ratios}",
        "<h2>Notes</h2><ul>" + "".join(f"<li>{escape(note)}</li>" for note in res.summary_notes()) + "</ul>",
    ]
    left_out = res.model.sample.left_out()
    if len(left_out):
        rows = "".join(
            f"<tr><td>{escape(str(k))}</td><td>{escape(str(v))}</td></tr>" for k, v in left_out.head(20).items()
        )
        more = f"<p>... and {len(left_out) - 20} more.</p>" if len(left_out) > 20 else ""
        sections.append(
            f"<h2>Rows left out</h2><table><thead><tr><th>row</th><th>reason</th></tr></thead>{rows}</table>{more}"
        )
    if comparison is not None:
        sections.append(f"<h2>Cross-check with statsmodels</h2>{comparison._repr_html_()}")
    with suppress(NotAvailableError):  # a penalized fit has none
        sections.append(f"<h2>Certificate</h2>{res.certificate()._repr_html_()}")
    body = "\n".join(sections)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )
