"""The sections of a page on a result, each a function that returns HTML, or nothing where the result has no such thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from logit_stats.design.sample import Sample
from logit_stats.errors import LogitStatsError
from logit_stats.report.escaping import one_line
from logit_stats.report.page_pictures import Picture, drawn
from logit_stats.report.paragraphs import methods_text, results_text
from logit_stats.report.publication.build import table
from logit_stats.report.publication.labels import Labels
from logit_stats.report.publication.model import Asked, design_of, model_numbers
from logit_stats.report.publication.numbers import p_value

MOST_ROWS = 20
INFLUENTIAL = 10


@dataclass(frozen=True, slots=True)
class Asking:
    """What a page is asked for.

    Attributes
    ----------
    alpha : float
    labels : mapping or None
    pictures : bool
    comparison : Crosscheck or None
    """

    alpha: float = 0.05
    labels: Any = None
    pictures: bool = True
    comparison: Any = None


def wide(html: str) -> str:
    """Something that may be wider than a small screen."""
    return f'<div class="wide">{html}</div>'


def _pictures(asking: Asking, pictures: list[Picture]) -> str:
    return drawn(pictures) if asking.pictures else ""


def _safe(text: Any) -> str:
    return escape(one_line(str(text)))


def _frame(frame: pd.DataFrame, number: str = "{:.4g}") -> str:
    """A small table of numbers and texts."""
    shown = frame.map(lambda v: number.format(v) if isinstance(v, float) else one_line(str(v)))
    shown.index = shown.index.map(lambda v: one_line(str(v)))
    html: str = shown.to_html(border=0, escape=True)
    return wide(html)


# The sections, in the order in which they stand.


def methods(res: Any, asking: Asking) -> str:
    """The paragraph on methods, and its sources as a list."""
    text, _, sources = methods_text(res, asking.alpha, asking.labels).partition("\n\n")
    items = "".join(f"<li>{_safe(line.partition('] ')[2])}</li>" for line in sources.split("\n") if line)
    return f"<p>{_safe(text)}</p>" + (f'<ol class="sources">{items}</ol>' if items else "")


def results(res: Any, asking: Asking) -> str:
    """The paragraph on results."""
    return f"<p>{_safe(results_text(res, asking.alpha, asking.labels))}</p>"


def sample(res: Any, asking: Asking) -> str:
    """What became of the rows, step by step, and which were left out."""
    design = design_of(res)
    if design is None:
        return ""
    steps = sample_flow(design.sample)
    rows = "".join(
        f'<tr><td class="text">{_safe(step).replace("    ", "&emsp;")}</td><td>{number}</td></tr>'
        for step, number in steps
    )
    return f"<p>{_safe(res.sample_line())}.</p><table><tbody>{rows}</tbody></table>{_left_out(design.sample)}"


def sample_flow(account: Sample) -> list[tuple[str, str]]:
    """Rows read, rows left out by reason, rows used, and their outcomes."""
    found = [("Rows read", account.read)]
    if account.outside_subset:
        found.append(("− outside the subset", account.outside_subset))
    if account.dropped:
        found.append(("− with missing values", account.dropped))
        found += [(f"    missing: {name}", rows) for name, rows in account.dropped_by.items()]
    if account.zero_weight.sum():
        found.append(("− of zero weight or without trials", int(account.zero_weight.sum())))
    found += [(f"− in {name} without variation", int(rows.sum())) for name, rows in account.uninformative.items()]
    found.append(("= used", int(account.used.sum())))
    steps = [(step, f"{number:,}") for step, number in found]
    outcomes = account.categories or (("events", account.events), ("non-events", account.nonevents))
    return [*steps, *((f"    {name}", f"{number:,.6g}") for name, number in outcomes)]


def _left_out(account: Sample) -> str:
    left_out = account.left_out()
    if not len(left_out):
        return ""
    rows = "".join(
        f'<tr><td>{_safe(label)}</td><td class="text">{_safe(reason)}</td></tr>'
        for label, reason in left_out.head(MOST_ROWS).items()
    )
    more = f"<p>... and {len(left_out) - MOST_ROWS} more.</p>" if len(left_out) > MOST_ROWS else ""
    head = '<thead><tr><th>row</th><th class="text">reason</th></tr></thead>'
    return f"<h3>Rows left out</h3><table>{head}{rows}</table>{more}"


def odds(res: Any, asking: Asking) -> str:
    """The table for publication, and a forest that is as high as its rows ask for."""
    shown = table(res, labels=asking.labels, alpha=asking.alpha)
    rows = sum(column.kind == "estimate" for column in shown.columns) * len(res.model.exog_names)
    forest = Picture(
        "Odds ratios with their intervals", lambda ax: res.plot.odds_ratios(alpha=asking.alpha, ax=ax),
        7.5 if rows > 8 else 4.8, max(3.2, 1.2 + 0.34 * rows),
    )  # fmt: skip
    return wide(shown.as_html()) + _pictures(asking, [forest] if hasattr(res, "plot") else [])


def summary(res: Any, asking: Asking) -> str:
    """The summary in statsmodels' layout."""
    return wide("\n".join(part.as_html() for part in res.summary(alpha=asking.alpha, clock=False).parts))


def tests(res: Any, asking: Asking) -> str:
    """One p-value a term, and analysis of deviance where there is a likelihood."""
    facts = res.facts
    if facts.likelihood and facts.maximum and facts.finite and facts.wald and not res.covariance_.robust:
        try:
            return wide(res.anova(type=2, test="LR")._repr_html_())
        except LogitStatsError:
            pass
    model = model_numbers(res, Asked(Labels.read(asking.labels, [res.fit_.design]), asking.alpha))
    several = model.equations != ("",)
    rows = [
        {"term": term.rows[0].label, **({"equation": equation} if several else {}), "df": str(len(term.columns)),
         "p": p_value(model.term_p(e, term))}
        for term in model.terms
        for e, equation in enumerate(model.equations)
    ]  # fmt: skip
    return _frame(pd.DataFrame(rows).set_index("term")) if rows else ""


def margins(res: Any, asking: Asking) -> str:
    """Average effects of the variables on the probability."""
    return wide(res.margins(alpha=asking.alpha)._repr_html_())


def calibration(res: Any, asking: Asking) -> str:
    """How far predictions are right, and how far they rank; in the data of the fit."""
    ranks, right = res.roc(), res.calibration()
    low, high = ranks.conf_int(asking.alpha)
    level = f"{100.0 * (1.0 - asking.alpha):.10g}% CI"
    rows = {f"Area under the ROC curve ({level})": f"{ranks.auc:.3f} ({low:.3f} to {high:.3f})",
            "Brier score": f"{right.brier:.4f}", "Calibration slope": f"{right.slope:.3f}",
            "Calibration intercept": f"{right.intercept:.3f}"}  # fmt: skip
    try:
        test = res.hosmer_lemeshow()
        rows["Hosmer–Lemeshow"] = f"chi2({test.df:g}) = {test.statistic:.2f}, p = {p_value(test.pvalue)}"
    except (LogitStatsError, AttributeError):
        pass
    body = "".join(f'<tr><td class="text">{_safe(k)}</td><td>{_safe(v)}</td></tr>' for k, v in rows.items())
    pictures = [
        Picture("ROC curve", lambda ax: res.plot.roc(ax=ax)),
        Picture("Calibration: events against predictions", lambda ax: res.plot.calibration(ax=ax)),
        Picture("Mean residuals by bins of the predictions", lambda ax: res.plot.residuals(ax=ax)),
    ]
    note = "<p>In the data of the fit, where predictions look better than they are elsewhere; validate() corrects for that.</p>"
    return f"<table><tbody>{body}</tbody></table>{note}{_pictures(asking, pictures)}"


def influence(res: Any, asking: Asking) -> str:
    """The rows that matter most."""
    res.facts.require("The influence of rows on a page", "binary")  # its picture is of one residual a row
    found = res.get_influence()
    top = found.order[:INFLUENTIAL]
    frame = found.summary_frame().iloc[top]
    picture = Picture("Influence of the rows", lambda ax: res.plot.influence(ax=ax), 6.0, 4.2)
    kept = [name for name in frame.columns if not str(name).startswith("dfb")]
    return f"<p>The {len(top)} rows that matter most.</p>{_frame(frame[kept])}{_pictures(asking, [picture])}"


def crosscheck(res: Any, asking: Asking) -> str:
    """The same model in statsmodels."""
    found = asking.comparison if asking.comparison is not None else res.crosscheck()
    return wide(found._repr_html_())


def certificate(res: Any, asking: Asking) -> str:
    """Guaranteed digits, versions, the hash of the data."""
    return wide(res.certificate()._repr_html_())


def notes(res: Any, asking: Asking) -> str:
    """The notes under the summary."""
    return "<ul>" + "".join(f"<li>{_safe(note)}</li>" for note in res.summary_notes()) + "</ul>"


# Name of a section, its head, and what makes it.
SECTIONS: dict[str, tuple[str, Callable[[Any, Asking], str]]] = {
    "methods": ("Methods", methods),
    "results": ("Results", results),
    "sample": ("Sample", sample),
    "table": ("Odds ratios", odds),
    "tests": ("Tests of terms", tests),
    "margins": ("Average effects on the probability", margins),
    "calibration": ("Calibration and discrimination", calibration),
    "influence": ("Influence", influence),
    "summary": ("Summary", summary),
    "notes": ("Notes", notes),
    "crosscheck": ("Cross-check with statsmodels", crosscheck),
    "certificate": ("Certificate", certificate),
}
