"""`tidy`, `glance`, `augment`: the three frames of R's broom, with fixed column names.

broom's names with underscores for dots (``std_error`` for ``std.error``), so that a column is an attribute and a query
name; the columns of `augment` keep broom's dot in front, which keeps them apart from those of the data. Where statsmodels
has a name (``llf``, ``df_resid``, ``prsquared``), that is the name.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.table import Table
from logit_stats.errors import DataError
from logit_stats.report.coefficients import CoefficientTable

_GLANCE = (
    "null_deviance", "df_null", "llf", "aic", "bic", "deviance", "df_resid", "nobs", "df_model", "llnull", "llr",
    "llr_pvalue", "prsquared", "converged", "cov_type",
)  # fmt: skip


def tidy(res: Any, conf_int: bool = True, exponentiate: bool = False, alpha: float = 0.05) -> pd.DataFrame:
    """One row for each coefficient.

    Parameters
    ----------
    res : result
        With ``params bse tvalues pvalues conf_int(alpha)`` and ``model.exog_names``.
    conf_int : bool
        Whether to give confidence limits, of level ``1 - alpha``.
    exponentiate : bool
        Odds ratios and their limits in place of coefficients. As in broom, `std_error` stays on the log scale, and
        `statistic` and `p_value` are those of the coefficient.
    alpha : float

    Returns
    -------
    DataFrame
        Columns `y_level` (the category, where there are several), `term`, `estimate`, `std_error`, `statistic`, `p_value`,
        and with `conf_int` also `conf_low`, `conf_high`.
    """
    return CoefficientTable.of(res, alpha).tidy(conf_int, exponentiate)


def glance(res: Any) -> pd.DataFrame:
    """One row for the model.

    Parameters
    ----------
    res : result

    Returns
    -------
    DataFrame
        Columns `null_deviance`, `df_null`, `llf` (broom's ``logLik``), `aic`, `bic`, `deviance`, `df_resid` (its
        ``df.residual``), `nobs`, and beyond broom `df_model`, `llnull`, `llr`, `llr_pvalue`, `prsquared`, `converged`,
        `cov_type`. `df_null` is the number of observations less one where the null model has a constant.
    """
    values = {name: getattr(res, name) for name in _GLANCE if name != "df_null"}
    values["df_null"] = res.df_resid + res.df_model
    return pd.DataFrame([values], columns=list(_GLANCE))


def augment(res: Any, data: Any = None) -> pd.DataFrame:
    """One row for each observation: fitted values and residuals, beside the data.

    Parameters
    ----------
    res : result
    data : table, optional
        The table of the fit (pandas, dict, polars, Arrow), rows in the same order. All its rows and columns and its
        index are kept; rows that were left out of the fit get NaN. Without it the rows of the fit are given, under their labels.

    Returns
    -------
    DataFrame
        `data` and the columns `.fitted` (linear predictor), `.prob` (probability), `.resid` (deviance residual),
        `.resid_pearson`, and `.hat` (leverage) where the result offers it. Columns of these names that `data` has
        already are replaced.

    Raises
    ------
    DataError
        If `data` is no table, has not as many rows as were read, or has the same row labels in another order.
    """
    columns = {
        ".fitted": res.fittedvalues,
        ".prob": res.predict(),
        ".resid": res.resid_dev,
        ".resid_pearson": res.resid_pearson,
    }
    if hasattr(res, "get_influence"):
        columns[".hat"] = res.get_influence().hat_matrix_diag
    return beside_rows(res, columns, data)


def beside_rows(res: Any, columns: dict[str, Any], data: Any = None) -> pd.DataFrame:
    """Values of the rows of a fit beside the table of the fit, NaN in rows that were left out; parameters as for `augment`."""
    sample = getattr(res.model, "sample", None)
    if data is None:
        labels = sample.index[sample.used] if sample is not None else getattr(res.fittedvalues, "index", None)
        return pd.DataFrame({name: _numbers(values) for name, values in columns.items()}, index=labels)
    frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(dict(Table(data)))
    used = np.ones(len(_numbers(res.fittedvalues)), dtype=np.bool_) if sample is None else np.asarray(sample.used)
    _check_same_rows(frame, len(used), None if sample is None else sample.index)
    return frame.assign(**{name: _over_all_rows(_numbers(values), used) for name, values in columns.items()})


def _numbers(values: Any) -> FloatArray:
    return np.asarray(values, dtype=np.float64)


def _over_all_rows(values: FloatArray, used: NDArray[np.bool_]) -> FloatArray:
    """(rows read,) values of the rows used at their places, NaN elsewhere."""
    spread = np.full(len(used), np.nan)
    spread[used] = values
    return spread


def _check_same_rows(data: pd.DataFrame, rows: int, index: pd.Index | None) -> None:
    if len(data) != rows:
        raise DataError(f"`data` has {len(data)} rows, but {rows} were read for the fit; give the table of the fit.")
    # values are set by position: rows that were sorted since would silently get those of others
    if index is not None and not data.index.equals(index) and bool(data.index.isin(index).all()):
        raise DataError(
            "`data` has the row labels of the fit in another order; give the rows in their order at the fit, or match "
            "them by position with data.reset_index(drop=True)."
        )
