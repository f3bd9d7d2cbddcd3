"""`RowArguments`: what a model is told of its rows beside the formula or the columns, in one piece.

The faces of the package spell the arguments out; from there on they travel together, and one place reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.alignment import in_row_order
from logit_stats.design.containers import as_column
from logit_stats.design.row_numbers import RowNumbers, check_weights, numbers_at, row_numbers
from logit_stats.design.sample import Mask
from logit_stats.design.table import Table
from logit_stats.errors import DataError, WeightError


@dataclass(frozen=True, eq=False, kw_only=True)
class RowArguments:
    """As the user gave them: column names, or one value for each row read.

    Attributes
    ----------
    offset : str or (n,) array_like, optional
        Known part of the linear predictor.
    freq_weights, sampling_weights : str or (n,) array_like, optional
        How many identical rows a row stands for; inverse selection probabilities. Not both.
    trials : str or (n,) array_like, optional
        Number of trials, where the response counts successes.
    subset : (n,) bool array_like, optional
        Rows to use.
    missing : {"drop", "raise", "none"}
        What to do with rows that have missing values.
    groups : str or (n,) array_like, optional
        What rows belong to, where a model needs it of every row: rows without are missing, and counted. Codes are read of the
        finished design (`given_rows`).
    labels : mapping of str to (str or (n,) array_like)
        What else must be known of every row (its time, the groupings of random terms), by the argument's name.
    """

    offset: Any = None
    freq_weights: Any = None
    sampling_weights: Any = None
    trials: Any = None
    subset: Any = None
    missing: str = "drop"
    groups: Any = None
    labels: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that are named."""
        given = (self.offset, self.freq_weights, self.sampling_weights, self.trials, self.groups, *self.labels.values())
        return tuple(name for name in given if isinstance(name, str))

    def inside(self, index: pd.Index) -> Mask | None:
        """(n,) rows inside the subset; None for all.

        Raises
        ------
        DataError
            If the subset does not say True or False for each row.
        """
        if self.subset is None:
            return None
        mask = as_column(in_row_order("`subset`", self.subset, index))
        mask = mask if hasattr(mask, "dtype") else np.asarray(mask)
        if not pd.api.types.is_bool_dtype(mask.dtype) or mask.shape != (len(index),):
            raise DataError(
                f"`subset` must say True or False for each of the {len(index)} rows, as in subset=df['year'] > 2000; "
                f"it has shape {mask.shape} and holds {mask.dtype}."
            )
        if pd.isna(mask).any():
            raise DataError(
                "`subset` has missing values; say with fillna(False) or fillna(True) what becomes of these rows."
            )
        return np.asarray(mask, dtype=np.bool_)

    def read(self, table: Table | None, index: pd.Index, *, labelled: bool = True) -> RowValues:
        """Numbers for all rows read.

        Parameters
        ----------
        table : Table or None
            Where column names are looked up; None for array fits.
        index : Index
            Labels of the rows.
        labelled : bool
            Whether these are the data's own; if not, a Series is taken by position.

        Raises
        ------
        WeightError
            If they are no numbers, not one for each row, or weights of both kinds.
        """
        if self.freq_weights is not None and self.sampling_weights is not None:
            raise WeightError("Give freq_weights or sampling_weights, not both: they mean different things.")
        frequency = self.freq_weights is not None
        argument, weights = (
            ("freq_weights", self.freq_weights) if frequency else ("sampling_weights", self.sampling_weights)
        )
        return RowValues(
            row_numbers("offset", self.offset, table, index, labelled=labelled),
            row_numbers(argument, weights, table, index, labelled=labelled),
            row_numbers("trials", self.trials, table, index, labelled=labelled),
            tuple(self._absent(table, index, labelled)),
        )

    def _absent(self, table: Table | None, index: pd.Index, labelled: bool) -> Iterator[tuple[str, Mask]]:
        """Rows that have no group or label, under the name of its column where it has one."""
        for argument, given in {"groups": self.groups, **self.labels}.items():
            if given is not None:
                name = given if isinstance(given, str) else argument
                yield name, _without_label(argument, given, table, index, labelled)


def _without_label(argument: str, given: Any, table: Table | None, index: pd.Index, labelled: bool) -> Mask:
    """(n,) rows that have no label; `given` is a column of the table, or one label for each row."""
    if isinstance(given, str):
        if table is None:
            raise DataError(f"{argument}={given!r} names a column, and an array fit has none: give the labels.")
        given = table.column(given, argument)
    elif labelled:
        given = in_row_order(argument, given, index)
    absent = np.asarray(pd.isna(pd.Series(as_column(given)))) if np.ndim(given) else np.zeros(0, dtype=np.bool_)
    if absent.shape != (len(index),):
        raise DataError(
            f"{argument} has shape {np.shape(given)}; it needs one label for each of the {len(index)} rows."
        )
    return absent


@dataclass(frozen=True, eq=False)
class RowValues:
    """What was read of `RowArguments`: numbers for the rows at hand.

    Attributes
    ----------
    offset, weights, trials : RowNumbers or None
    absent : tuple of (name, (n,) bool)
        Where something else is missing that every row must have.
    """

    offset: RowNumbers | None = None
    weights: RowNumbers | None = None
    trials: RowNumbers | None = None
    absent: tuple[tuple[str, Mask], ...] = ()

    def __iter__(self) -> Iterator[RowNumbers]:
        return (numbers for numbers in (self.offset, self.weights, self.trials) if numbers is not None)

    def where(self, keep: Mask | None) -> RowValues:
        """Return the numbers of the rows in which `keep` is true; of all where it is None."""
        if keep is None:
            return self
        offset, weights, trials = (numbers_at(number, keep) for number in (self.offset, self.weights, self.trials))
        return RowValues(offset, weights, trials, tuple((name, mask[keep]) for name, mask in self.absent))

    def check(self, index: pd.Index) -> RowValues:
        """Return these; raise `WeightError` for weights that are negative, or frequency weights that are no counts."""
        if self.weights is not None:
            check_weights(self.weights, index)
        return self
