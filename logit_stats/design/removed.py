"""Rows that were taken out of a design: what remains knows how many there were, and says so when it is asked for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NoReturn, cast

import numpy as np
import pandas as pd

from logit_stats.design.block import Block
from logit_stats.design.design import Design
from logit_stats.design.row_numbers import RowNumbers
from logit_stats.design.sample import Sample
from logit_stats.errors import NotAvailableError

MESSAGE = (
    "The rows of this result were taken out by remove_data(), and what was asked for needs them: ask the result that still has "
    "its data, or fit again."
)


def _gone(*_: Any, **__: Any) -> NoReturn:
    raise NotAvailableError(MESSAGE)


class Removed:
    """Stands for an array that is gone: has its shape (and, of a vector, its sum), and raises for everything else."""

    def __init__(self, *shape: int, total: float = 0.0, message: str = MESSAGE) -> None:
        self.shape = shape
        self._total = total
        self._message = message

    def _gone(self, *_: Any, **__: Any) -> NoReturn:
        raise NotAvailableError(self.__dict__.get("_message", MESSAGE))

    def __len__(self) -> int:
        return self.shape[0]

    def sum(self) -> float:
        """Sum of the numbers that were there."""
        return self._total

    def any(self) -> bool:
        """Whether any of them was true."""
        return self._total > 0.0

    def __repr__(self) -> str:
        return f"<removed: {' x '.join(str(size) for size in self.shape)}>"

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self._gone()

    __getitem__ = __iter__ = __array__ = __array_ufunc__ = __array_function__ = __contains__ = _gone
    __matmul__ = __rmatmul__ = __mul__ = __rmul__ = __add__ = __radd__ = __sub__ = __rsub__ = _gone
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _gone
    __neg__ = __abs__ = __invert__ = __lt__ = __gt__ = __le__ = __ge__ = __and__ = __rand__ = __or__ = __ror__ = _gone


@dataclass(frozen=True, eq=False, kw_only=True)
class SampleWithoutRows(Sample):
    """The account of rows that are gone: the same numbers."""

    rows_read: int
    rows_dropped: int
    rows_dropped_by: dict[str, int]

    @property
    def read(self) -> int:
        """Number of rows read."""
        return self.rows_read

    @property
    def dropped(self) -> int:
        """Number of rows dropped for missing values."""
        return self.rows_dropped

    @property
    def dropped_by(self) -> dict[str, int]:
        """Number of rows in which each variable is missing."""
        return self.rows_dropped_by

    def left_out(self) -> pd.Series:
        """Not available."""
        _gone()


@dataclass(frozen=True, eq=False)
class DesignWithoutRows(Design):
    """A design whose rows are gone: names, terms, codings and counts are there."""

    @property
    def has_rows(self) -> bool:
        """False: they were taken out."""
        return False

    def require_rows(self) -> None:
        """Raise `NotAvailableError`."""
        _gone()

    @property
    def block(self) -> Block:
        """Not available."""
        _gone()


def without_rows(design: Design) -> DesignWithoutRows:
    """Return a design without its rows, which still codes new data."""
    n, sample, response = design.rows, design.sample, design.response
    counted = SampleWithoutRows(
        pd.RangeIndex(0), _removed(sample.used), sample.outside_subset, {}, _removed(sample.zero_weight), sample.events,
        sample.nonevents, sample.categories, None if sample.no_trials is None else _removed(sample.no_trials),
        rows_read=sample.read, rows_dropped=sample.dropped,
        rows_dropped_by=sample.dropped_by,
    )  # fmt: skip
    return DesignWithoutRows(
        cast(Any, Removed(n, design.columns)),
        design.names,
        replace(
            response,
            successes=_removed(response.successes),
            trials=None if response.trials is None else _removed(response.trials),
            categories=None
            if response.categories is None
            else replace(response.categories, codes=_removed(response.categories.codes)),
        ),
        _numbers_removed(design.weight),
        _numbers_removed(design.offset),
        counted,
        pd.RangeIndex(0),
        design.labelled,
        design.formula,
        design.constant,
        design.left_out,
        None if design.table is None else cast(Any, Removed(sample.read)),
        design.likelihood,
        None if design.group is None else _removed(design.group),
        design.aliases,
    )


def removed_if_long(value: Any) -> Any:
    """Return a setting as it is, or what stands for it where it holds a value for each row."""
    long = not isinstance(value, (str, dict)) and hasattr(value, "__len__") and len(value) > 1
    return Removed(len(value)) if long else value


def _numbers_removed(numbers: RowNumbers | None) -> RowNumbers | None:
    return None if numbers is None else replace(numbers, values=_removed(numbers.values))


def _removed(values: Any) -> Any:
    return Removed(*np.shape(values), total=float(np.sum(values)))
