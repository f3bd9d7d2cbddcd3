"""One screening of rows for every door: what is missing, what has no weight and no trials, and what is left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from logit_stats.design.factor_values import FactorValues, NumericValues
from logit_stats.design.response import Response, outcome_counts
from logit_stats.design.row_arguments import RowValues
from logit_stats.design.sample import Mask, Sample, Screening


@dataclass(frozen=True, eq=False)
class Screened:
    """The rows that stay.

    Attributes
    ----------
    screening : Screening
    missing : dict of str to (n,) bool
        Rows (inside the subset) in which each variable is missing.
    zero : (n,) bool or None
        Rows whose weight, or number of trials, is zero.
    no_trials : (n,) bool or None
        Those of them that have no trials.
    keep : (n,) bool or None
        Rows that stay; None for all.
    rows : RowValues
        Offset, weights and trials of the rows that stay.
    labels : Index
        Their labels.
    """

    screening: Screening
    missing: dict[str, Mask]
    zero: Mask | None
    no_trials: Mask | None
    keep: Mask | None
    rows: RowValues
    labels: pd.Index

    def of(self, values: FactorValues) -> FactorValues:
        """Return the values of the rows that stay."""
        return values if self.keep is None else values.where(self.keep)

    def account(self, response: Response, events: float, nonevents: float) -> Sample:
        """Return the account of all rows."""
        return self.screening.account(
            self.missing,
            self.zero,
            self.keep,
            events,
            nonevents,
            outcome_counts(response, self.rows.weights),
            self.no_trials,
        )


def screen(
    screening: Screening,
    masks: Iterable[tuple[str, Mask | None]],
    rows: RowValues,
    response: list[FactorValues],
    policy: str,
) -> Screened:
    """Say which rows stay.

    Parameters
    ----------
    screening : Screening
    masks : iterable of (name, (n,) bool or None)
        Where each variable is missing; a name may occur several times.
    rows : RowValues
        Of the rows inside the subset.
    response : list of FactorValues
        The columns of the response.
    policy : {"drop", "raise", "none"}
        What to do about missing values.

    Raises
    ------
    MissingDataError
        If values are missing and `policy` is not "drop".
    NoRowsError
        If no row is left.
    """
    missing: dict[str, Mask] = {}
    for name, mask in [*masks, *rows.absent, *((numbers.label, np.isnan(numbers.values)) for numbers in rows)]:
        if mask is not None and mask.any():
            missing[name] = missing[name] | mask if name in missing else mask
    none = _without_trials(rows, response)
    zero = _either(none, None if rows.weights is None else rows.weights.values == 0)
    keep = screening.keep(missing, zero, policy)
    labels = screening.labels
    return Screened(
        screening, missing, zero, none, keep, rows.where(keep), labels if keep is None else labels[keep]
    )  # fmt: skip


def _without_trials(rows: RowValues, response: list[FactorValues]) -> Mask | None:
    """Rows in which nothing was tried: no trials, or neither a success nor a failure."""
    if rows.trials is not None:
        return _either(rows.trials.values == 0, None)
    if len(response) == 2 and all(isinstance(v, NumericValues) and v.values.shape[1] == 1 for v in response):
        successes, failures = (np.asarray(v.values)[:, 0] for v in response)  # type: ignore[union-attr]
        return _either((successes == 0) & (failures == 0), None)
    return None


def _either(one: Mask | None, other: Mask | None) -> Mask | None:
    """Rows in either mask; None where there is none."""
    found = [mask for mask in (one, other) if mask is not None and mask.any()]
    if not found:
        return None
    return found[0] if len(found) == 1 else found[0] | found[1]
