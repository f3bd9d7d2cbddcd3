"""Covariance robust to autocorrelation: rows in time, whose scores go together over a few lags.

The meat adds to the squares of the scores their products over up to L lags, weighted down by the kernel (Newey and West 1987,
Econometrica 55, 703-708).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.given_rows import for_rows_used
from logit_stats.errors import DataError, NotAvailableError, check_choice, counted
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.inference.row_scores import score_residuals

KERNELS = ("bartlett", "uniform")


def autocorrelation_meat(
    fit: Fit, maxlags: int | None = None, kernel: str = "bartlett", time: Any = None
) -> tuple[FloatArray, str]:
    """Meat of the working coefficients, and what a report says of it.

    Parameters
    ----------
    fit : Fit
    maxlags : int, optional
        Largest lag L; by default floor(4 (n / 100)^(2/9)) (Newey and West 1994, Review of Economic Studies 61, 631-653).
    kernel : {"bartlett", "uniform"}
        Weights 1 - l / (L + 1), or 1.
    time : str or (n,) array_like, optional
        What orders the rows: a column name or values; by default they are in order.

    Raises
    ------
    DataError
        If the lags do not fit the rows, or times are missing or tied.
    NotAvailableError
        Under frequency weights, which have no place in time.
    """
    check_choice("kernel", kernel, KERNELS)
    if fit.design.weight_kind == "frequency":
        raise NotAvailableError("Rows with frequency weights have no order in time; expand them for cov_type='HAC'.")
    n = fit.design.rows
    lags = default_lags(n) if maxlags is None else int(maxlags)
    if maxlags is not None and lags != maxlags:
        raise DataError(f"maxlags={maxlags} is no whole number.")
    if not 0 <= lags < n:
        raise DataError(f"maxlags={maxlags} does not fit {n} rows.")
    order = _order(fit, time)
    u = score_residuals(fit)[order]
    total = np.zeros((fit.parameters, fit.parameters))
    for start in range(0, n, TALL_ROWS):
        first = max(start - lags, 0)
        rows = slice(first, min(start + TALL_ROWS, n))
        scores = fit.working.columns(fit.design.X[order[rows]]) * u[rows, None]
        own = scores[start - first :]
        total += own.T @ own
        for lag in range(1, lags + 1):
            # products of a row of this part with the row `lag` before it, wherever that is
            late = np.arange(max(start, lag), rows.stop) - first
            if len(late) == 0:
                continue
            product = scores[late].T @ scores[late - lag]
            weight = 1.0 - lag / (lags + 1.0) if kernel == "bartlett" else 1.0
            total += weight * (product + product.T)
    ordered = "" if time is None else f", ordered by {time if isinstance(time, str) else 'time'}"
    return total, f"robust to autocorrelation (HAC, {kernel} kernel, {lags} lags{ordered})"


def default_lags(rows: int) -> int:
    """Largest lag where none is given: floor(4 (n / 100)^(2/9))."""
    return int(4.0 * (rows / 100.0) ** (2.0 / 9.0))


def _order(fit: Fit, time: Any) -> Any:
    design = fit.design
    if time is None:
        return np.arange(design.rows)
    values = pd.Series(np.asarray(for_rows_used(design, "time", time)))
    if values.isna().any():
        raise DataError(
            f"time is missing in {counted(int(values.isna().sum()), 'row')} used; fill it, or leave these rows out."
        )
    if values.duplicated().any():
        raise DataError(
            "Several rows have the same time: autocorrelation needs one row at a time; for panels use clusters."
        )
    return np.argsort(values.to_numpy(), kind="stable")
