"""Summary of pooled results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logit_stats.report.summary_output import Summary
from logit_stats.report.table import Table

if TYPE_CHECKING:
    from logit_stats.results.pooled import PooledResults


def pooled_summary(res: PooledResults, alpha: float) -> Summary:
    """Header, and coefficients with degrees of freedom and fractions of missing information."""
    head = [
        ("Dep. Variable:", res.model.endog_names, "No. Observations:", f"{res.nobs:g}"),
        ("Data sets:", str(res.m), "Df of complete data:", f"{res.dfcom:g}"),
        ("Covariance:", res.cov_type, "Largest FMI:", f"{res.pooled.missing_information.max():.3f}"),
    ]
    frame = res.tidy(alpha=alpha)
    low, high = f"[{alpha / 2:g}", f"{1 - alpha / 2:g}]"
    body = [
        (str(row.term), f"{row.estimate:.4f}", f"{row.std_error:.3f}", f"{row.statistic:.3f}", f"{row.p_value:.3f}",
         f"{row.conf_low:.3f}", f"{row.conf_high:.3f}", f"{row.df:.1f}", f"{row.fmi:.3f}")
        for row in frame.itertuples()
    ]  # fmt: skip
    notes = [
        "Pooled by Rubin's rules; t with the degrees of freedom of Barnard and Rubin (1999). fmi is the fraction of missing "
        "information.",
        res.sample_line() + ".",
    ]
    largest = float(res.pooled.missing_information.max())
    if largest > 0.0 and 100.0 * largest > res.m:
        notes.append(
            f"With a fraction of missing information of {largest:.2f}, {int(-(-100 * largest // 1))} data sets or so would make "
            f"the p-values reproduce (White, Royston and Wood 2011)."
        )
    parts = (
        Table.of(head, align="lrlr", title="Pooled logit results", heading_columns=(0, 2)),
        Table.of(body, head=("", "coef", "std err", "t", "P>|t|", low, high, "df", "fmi")),
    )
    return Summary(parts, notes)
