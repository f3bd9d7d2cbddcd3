"""Summary and tidy frame of a penalized fit: coefficients and penalties, and no errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.report.coefficients import CoefficientTable
from logit_stats.report.numbers import adaptive, count, significant
from logit_stats.report.summary import header_of_items, summary_notes, when
from logit_stats.report.summary_output import Summary
from logit_stats.report.table import Table, TextLayout


def penalized_summary(
    res: Any, *, yname: str | None = None, xname: Sequence[str] | None = None, title: str | None = None, clock: bool = True
) -> Summary:  # fmt: skip
    """Header and coefficients of a penalized fit; parameters as for `summary`."""
    found = CoefficientTable.of(res).renamed(xname)
    e = res.estimate
    left = [
        ("Dep. Variable:", str(res.model.endog_names if yname is None else yname)),
        ("Model:", type(res.model).__name__), ("Method:", str(res.kind)), *(when() if clock else []),
        ("converged:", str(res.converged)), ("L1 share:", f"{e.penalty.l1_wt:g}"),
    ]  # fmt: skip
    right = [
        ("No. Observations:", count(res.nobs)), ("Nonzero:", count(float((found.numbers[:, 0] != 0.0).sum()))),
        ("Log-Likelihood:", significant(res.llf, 5)), ("Penalty:", significant(res.penalty_value, 4)),
        ("Penalized cost:", significant(res.penalized_cost, 5)), ("Violation:", f"{res.optimality_violation:.1e}"),
    ]  # fmt: skip
    name = f"{type(res.model).__name__} Regression Results (penalized)"
    header = header_of_items(left, right, name if title is None else title)
    ratios = np.exp(np.clip(found.numbers[:, 0], -700.0, 700.0))
    body = [
        (str(row), adaptive(b, 4), adaptive(ratio, 4), f"{strength:.4g}")
        for row, b, ratio, strength in zip(found.row_names, found.numbers[:, 0].tolist(), ratios.tolist(), _strength(res, found),
                                           strict=True)
    ]  # fmt: skip
    table = Table.of(body, head=("", "coef", "exp(coef)", "penalty"), layout=TextLayout(least_widths=(10, 10, 10, 10)))
    return Summary((header, table), summary_notes(res))


def penalized_tidy(res: Any, exponentiate: bool) -> pd.DataFrame:
    """One row a coefficient: term (and y_level), estimate, penalty."""
    found = CoefficientTable.of(res)
    estimate = found.numbers[:, 0]
    with np.errstate(over="ignore"):
        values = np.exp(estimate) if exponentiate else estimate
    return pd.DataFrame({**found.keys(), "estimate": values, "penalty": _strength(res, found)})


def _strength(res: Any, found: CoefficientTable) -> list[float]:
    return [float(value) for value in np.resize(res.estimate.penalty.strength, len(found.numbers))]
