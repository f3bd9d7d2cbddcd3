"""A result on other data: how well it ranks, how far its probabilities can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.assess.calibration import Calibration, calibration
from logit_stats.assess.hosmer_lemeshow import HosmerLemeshow, hosmer_lemeshow
from logit_stats.assess.ranking import Roc, roc_of
from logit_stats.assess.scored import Scored
from logit_stats.design.block import FloatArray
from logit_stats.design.factor_values import CategoricalValues, factor_values
from logit_stats.design.table import Table
from logit_stats.errors import DataError, NotAvailableError, UnseenLevelError
from logit_stats.estimation.fit import Fit
from logit_stats.prediction import predict_new


@dataclass(frozen=True, eq=False)
class Validation:
    """Measures of a result on other data.

    Attributes
    ----------
    rows, dropped : int
        Rows used; rows left out because a value is missing.
    roc : Roc
    calibration : Calibration
    hosmer_lemeshow : HosmerLemeshow or None
        With as many degrees of freedom as groups; None where ties leave too few.
    """

    rows: int
    dropped: int
    roc: Roc
    calibration: Calibration
    hosmer_lemeshow: HosmerLemeshow | None

    def __str__(self) -> str:
        left = f" ({self.dropped} left out: a value is missing)" if self.dropped else ""
        fit = "" if self.hosmer_lemeshow is None else "\n" + str(self.hosmer_lemeshow).partition("\n")[0]
        return f"Validation on {self.rows} rows{left}\n{self.roc}\n{self.calibration}{fit}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def validate(fit: Fit, data: Any, outcome: Any = None, offset: Any = None, bins: int = 10) -> Validation:
    """Apply a result to other data.

    Parameters
    ----------
    fit : Fit
    data : table, or (m, k) array_like
        New data: for formula fits with the response among its columns.
    outcome : (m,) array_like, optional
        Outcomes, where the data do not have them (always for array fits).
    offset : optional
        As for `predict`.
    bins : int

    Raises
    ------
    NotAvailableError
        For grouped responses, whose trials new data would have to bring.
    DataError
        If the outcome has other levels than at the fit, or does not vary.
    """
    if fit.design.response.grouped:
        raise NotAvailableError("validate() takes one outcome a row; expand the counts of the new data to rows.")
    eta, index = predict_new(fit, data, offset)
    y = _outcome(fit, data, outcome, len(eta), index)
    complete = np.isfinite(eta) & np.isfinite(y)
    scored = Scored.of_rows(eta[complete], y[complete], 1.0 - y[complete])
    try:
        groups = hosmer_lemeshow(scored, fitted=False)
    except DataError:
        groups = None
    measures = calibration(scored, bins)
    return Validation(int(complete.sum()), int((~complete).sum()), roc_of(scored), measures, groups)


def _outcome(fit: Fit, data: Any, outcome: Any, rows: int, index: pd.Index | None) -> FloatArray:
    """0/1 outcomes, NaN where missing, read as at the fit: the same level is the event."""
    response, formula = fit.design.response, fit.design.formula
    if outcome is None:
        if formula is None:
            raise DataError("An array fit needs outcome=: the new outcomes, one for each row.")
        table = Table(data)
        if response.name not in table:
            raise DataError(f"The new data have no column {response.name!r}; give the outcomes as outcome=.")
        outcome = table[response.name]
    values = factor_values(response.name, outcome, rows, pd.RangeIndex(rows) if index is None else index)
    if not isinstance(values, CategoricalValues):
        y = np.asarray(values.values[:, 0], dtype=np.float64)
        if not np.isin(y[np.isfinite(y)], (0.0, 1.0)).all():
            raise DataError(f"The outcome {response.name!r} of the new data has values other than 0 and 1.")
        return y
    texts = {f"{response.name} = {level}": code for code, level in enumerate(values.levels)}
    known = (response.success, response.failure)
    unknown = [level for text, level in zip(texts, values.levels, strict=True) if text not in known]
    if unknown:
        raise UnseenLevelError(
            f"The outcome {response.name!r} has the level {unknown[0]!r}, which the fit did not see."
        )
    y = np.asarray(values.codes == texts.get(response.success, -2), dtype=np.float64)
    y[values.codes < 0] = np.nan
    return y


def compare_roc(one: Any, other: Any) -> Any:
    """Compare the areas under the ROC curves of two results of the same rows (DeLong's test, paired).

    Parameters
    ----------
    one, other : LogitResults

    Returns
    -------
    RocComparison

    Examples
    --------
    >>> import logit_stats as ls
    >>> data = ls.datasets.load("birthwt")
    >>> larger, smaller = (ls.logit(f, data).fit() for f in ("low ~ lwt + smoke + ht", "low ~ lwt"))
    >>> round(ls.compare_roc(larger, smaller).difference, 4)
    0.0784
    """
    from logit_stats.assess.discrimination import compare_rocs

    first, second = one.fit_.design, other.fit_.design
    if first.rows != second.rows or not np.array_equal(first.index, second.index):
        raise DataError(
            "The two results have different rows; a paired comparison needs the same rows in the same order."
        )
    return compare_rocs(Scored.of_fit(one.fit_), Scored.of_fit(other.fit_))
