"""What can be done to data to see whether a conclusion holds: leave out observations or clusters, or change outcomes.

Each intervention keeps a tally of what was done to its units (rows, clusters, outcomes), says what one more would change to
first order, and refits exactly.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.assess.first_order import Changes, FirstOrder
from logit_stats.assess.left_out import Refit, in_words, kept_rows, refit, refit_to
from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError, NotAvailableError
from logit_stats.inference.cluster import read_codes
from logit_stats.inference.covariance import covariance
from logit_stats.inference.wald import Reported

Tally = NDArray[np.int_]


class Intervention(Protocol):
    """Something that can be done to units of the data."""

    reported: Reported
    total: int  # what sizes are out of

    def capacity(self) -> Tally:
        """Return how often each unit can be dealt with."""
        ...

    def changes(self, current: Reported, tally: Tally, j: int) -> Changes:
        """First-order changes of coefficient j when one more is done to each unit, from the fit after `tally`."""
        ...

    def refit(self, tally: Tally) -> Refit:
        """Fit again after what the tally says was done."""
        ...

    def words(self, tally: Tally) -> str:
        """Say what was done, as the beginning of a sentence."""
        ...

    def labels(self, tally: Tally) -> list[Any]:
        """Labels of the units dealt with, each as often as it was."""
        ...


class WithoutRows:
    """Observations are left out; of a row with a frequency weight one after the other."""

    def __init__(self, reported: Reported) -> None:
        self.reported = reported
        self.total = int(reported.fit.design.observations)

    def capacity(self) -> Tally:
        """Return how many identical rows each row stands for."""
        return kept_rows(self.reported.fit.design).astype(int)

    def changes(self, current: Reported, tally: Tally, j: int) -> Changes:
        """First-order changes; zero for rows that are gone."""
        kept = self.capacity() > tally
        found = FirstOrder(current, j).without_one()
        return Changes(_spread(found.beta, kept), _spread(found.se, kept))

    def refit(self, tally: Tally) -> Refit:
        """Fit to the observations left."""
        return refit(self.reported, kept_rows(self.reported.fit.design) - tally)

    def words(self, tally: Tally) -> str:
        """``Without rows 12 and 87 (2 of 189)``; with frequency weights, how many of a row's observations."""
        design = self.reported.fit.design
        rows = np.flatnonzero(tally)
        names = _names(design.index, rows)
        if design.frequency is None:
            what = in_words("row", names)
        else:
            pairs = zip(names, tally[rows], design.frequency[rows], strict=True)
            what = in_words("row", [f"{row} ({n} of its {of:.0f})" if of > 1 else str(row) for row, n, of in pairs])
        return f"Without {what} ({tally.sum()} of {self.total})"

    def labels(self, tally: Tally) -> list[Any]:
        """Labels of the rows."""
        return list(self.reported.fit.design.index.repeat(tally))


class WithoutClusters:
    """Whole clusters are left out."""

    def __init__(self, reported: Reported, groups: Any) -> None:
        self.reported = reported
        self._codes, self._names = read_codes(reported.fit.design, groups, "groups")
        self.total = len(self._names)
        if self.total < 2:
            raise DataError("There is a single cluster; without it nothing is left.")
        self._unit = groups if isinstance(groups, str) else str(getattr(groups, "name", None) or "cluster")

    def capacity(self) -> Tally:
        """Return one for each cluster."""
        return np.ones(self.total, dtype=int)

    def changes(self, current: Reported, tally: Tally, j: int) -> Changes:
        """First-order changes; zero for clusters that are gone."""
        codes = self._codes[tally[self._codes] == 0]
        return FirstOrder(current, j).without_group(codes, self.total)

    def refit(self, tally: Tally) -> Refit:
        """Fit to the clusters left."""
        kept = kept_rows(self.reported.fit.design)
        kept[tally[self._codes] > 0] = 0.0
        return refit(self.reported, kept)

    def words(self, tally: Tally) -> str:
        """``Without clinic A and B (2 of 11)``."""
        return f"Without {in_words(self._unit, self.labels(tally))} ({tally.sum()} of {self.total})"

    def labels(self, tally: Tally) -> list[Any]:
        """Labels of the clusters."""
        return [self._names[g] for g in np.flatnonzero(tally)]


class OutcomesChanged:
    """Events become non-events, or non-events events; the first n units are the latter, row by row."""

    def __init__(self, reported: Reported) -> None:
        design = reported.fit.design
        if design.frequency is not None:
            if reported.cov.cov_type != "nonrobust" or reported.cov.reference.uses_t:
                raise NotAvailableError(
                    "Outcomes of rows with frequency weights are changed one by one, which splits rows; expand the data for "
                    "any but the model-based covariance."
                )
            trials = 1.0 if design.response.trials is None else design.response.trials
            response = replace(
                design.response,
                successes=design.frequency * design.response.successes,
                trials=design.frequency * trials,
            )
            design = replace(design, response=response, weight=None)
            reported = replace(reported, fit=replace(reported.fit, design=design))
        self.reported = reported
        self._successes = design.response.successes
        self._trials = np.ones(design.rows) if design.response.trials is None else design.response.trials
        self.total = int(self._trials.sum())

    def capacity(self) -> Tally:
        """Return how many non-events, then how many events, each row has."""
        return np.concatenate([self._trials - self._successes, self._successes]).astype(int)

    def changes(self, current: Reported, tally: Tally, j: int) -> Changes:
        """First-order changes of one outcome more."""
        return FirstOrder(current, j).with_outcome_changed()

    def refit(self, tally: Tally) -> Refit:
        """Fit to the changed outcomes."""
        design, cov = self.reported.fit.design, self.reported.cov
        n = design.rows
        response = replace(design.response, successes=self._successes + tally[:n] - tally[n:])
        changed = replace(design, response=response)
        return refit_to(self.reported, changed, lambda fit: covariance(fit, cov.cov_type, cov.use_t, **cov.settings))

    def words(self, tally: Tally) -> str:
        """``With the outcomes of rows 12 and 87 changed (2 of 189)``."""
        n = len(self._successes)
        labels = _names(self.reported.fit.design.index, np.flatnonzero(tally[:n] + tally[n:]))
        outcomes = "the outcome" if tally.sum() == 1 else "the outcomes"
        return f"With {outcomes} of {in_words('row', labels)} changed ({tally.sum()} of {self.total})"

    def labels(self, tally: Tally) -> list[Any]:
        """Labels of the rows."""
        n = len(self._successes)
        return list(self.reported.fit.design.index.repeat(tally[:n] + tally[n:]))


def intervention(reported: Reported, change: str, groups: Any) -> Intervention:
    """Return the intervention that `fragility` was asked for."""
    if change == "outcomes":
        if groups is not None:
            raise DataError("groups= leaves out whole clusters; it does not go with change='outcomes'.")
        return OutcomesChanged(reported)
    return WithoutRows(reported) if groups is None else WithoutClusters(reported, groups)


def _names(index: pd.Index, rows: NDArray[np.intp]) -> list[Any]:
    """Labels of rows, with their positions where labels occur several times."""
    return list(index[rows]) if index.is_unique else [f"{index[i]} (position {i})" for i in rows]


def _spread(values: FloatArray, kept: NDArray[np.bool_]) -> FloatArray:
    found = np.zeros(len(kept))
    found[kept] = values
    return found
