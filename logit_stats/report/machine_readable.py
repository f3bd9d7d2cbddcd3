"""A result as JSON: every number at full precision, names as in the results."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from logit_stats.errors import NotAvailableError
from logit_stats.report.coefficients import CoefficientTable
from logit_stats.version import versions

if TYPE_CHECKING:
    from logit_stats.results.logit import LogitResults


def as_dict(res: LogitResults, alpha: float = 0.05) -> dict[str, Any]:
    """Result as plain dictionaries and lists; infinite and missing numbers as the texts "Infinity", "-Infinity", "NaN"."""
    table = CoefficientTable.of(res, alpha)
    estimate, error, statistic, p, low, high = table.numbers.T
    sample = res.model.sample
    with np.errstate(over="ignore"):
        ratio = np.exp(estimate)
    coefficients = {"params": estimate, "bse": error, "tvalues": statistic, "pvalues": p, "conf_low": low,
                    "conf_high": high, "odds_ratio": ratio}  # fmt: skip
    values: dict[str, Any] = {
        "formula": res.model.formula,
        "endog_name": res.model.endog_names,
        "success": res.fit_.design.response.success,
        "cov_type": res.cov_type,
        "method": res.fit_.method,
        "converged": res.converged,
        "iterations": res.fit_.iterations,
        "alpha": alpha,
        "coefficients": {
            key: {name: _plain(v) for name, v in zip(table.row_names, column, strict=True)}
            for key, column in coefficients.items()
        },
        **{
            key: _asked(res, key)
            for key in ("llf", "llnull", "llr", "llr_pvalue", "prsquared", "deviance", "null_deviance", "pearson_chi2",
                        "aic", "bic", "nobs", "df_model", "df_resid")
        },
        "sample": {
            "rows_read": sample.read,
            "outside_subset": sample.outside_subset,
            "dropped_for_missing_values": sample.dropped,
            "missing_by_variable": sample.dropped_by,
            "zero_weight": int(sample.zero_weight.sum()),
            "without_variation": {name: int(rows.sum()) for name, rows in sample.uninformative.items()},
            "used": int(sample.used.sum()),
            "events": _plain(sample.events),
            "nonevents": _plain(sample.nonevents),
        },
        "notes": res.summary_notes(),
        "versions": versions(),
    }  # fmt: skip
    return values


def as_json(res: LogitResults, alpha: float = 0.05) -> str:
    """Result as a JSON text."""
    return json.dumps(as_dict(res, alpha), indent=2, ensure_ascii=False, allow_nan=False)


def _asked(res: LogitResults, key: str) -> float | str | None:
    """A number of the result; None where the model has none."""
    try:
        return _plain(getattr(res, key))
    except (NotAvailableError, AttributeError):
        return None


def _plain(value: Any) -> float | str:
    number = float(value)
    if math.isnan(number):
        return "NaN"
    return number if math.isfinite(number) else ("Infinity" if number > 0 else "-Infinity")
