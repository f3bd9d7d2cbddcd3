"""`Design`: the rows of a fit behind one door.

What the user gave has become columns here: numbers only, complete, finite. Everything above this room asks a design for
its rows in blocks, or for a sum over them, and does not know where the rows are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Protocol, Self, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.coded import coded
from logit_stats.design.formula import CompiledFormula
from logit_stats.design.parameters import Parameters, Parametrized
from logit_stats.design.response import Response
from logit_stats.design.row_numbers import RowNumbers
from logit_stats.design.sample import Sample
from logit_stats.design.table import Table
from logit_stats.errors import DataError, listed

BLOCK_ROWS = 1 << 20
# Neighbouring rows that a thinned design takes: eight cache lines of each column.
RUN_ROWS = 64
# Numbers in a block of a design that keeps factors as codes, when its columns are written out.
CODED_BLOCK_NUMBERS = 1 << 22


class Summable(Protocol):
    """Anything that can be added to its like."""

    def __add__(self, other: Self, /) -> Self: ...


T = TypeVar("T", bound=Summable)


@dataclass(frozen=True, eq=False)
class Design:
    """The rows of a fit.

    Attributes
    ----------
    X : (n, k) float64
        Design columns, of any memory layout; or `CodedColumns`, which stand for them.
    names : tuple of str
        Their names.
    response : Response
        Successes and trials.
    weight : RowNumbers or None
        Frequency or sampling weights (`weight.argument` says which), without zeros.
    offset : RowNumbers or None
        Known part of the linear predictor.
    sample : Sample
        The account of the rows read and used.
    index : Index
        Labels of the rows used.
    labelled : bool
        Whether results are handed out as pandas objects.
    formula : CompiledFormula or None
        How new data become columns; None for array fits.
    constant : int or None
        Position of a constant column other than zero; None where there is none.
    left_out : tuple of str
        Dependent columns that were left out.
    table : Table or None
        The user's table, all rows read (`sample.used` says which are in X); None for array fits.
    likelihood : Likelihood or None
        The model of the response (see `logit_stats.likelihoods.likelihood`); None for the usual one of such a response.
    group : (n,) int or None
        Which rows belong together (a matched set), rows of one set next to each other.
    aliases : tuple of dict
        For each column left out, the combination of kept columns that it equals in every row: weights by name.
    """

    X: FloatArray
    names: tuple[str, ...]
    response: Response
    weight: RowNumbers | None
    offset: RowNumbers | None
    sample: Sample
    index: pd.Index
    labelled: bool
    formula: CompiledFormula | None
    constant: int | None
    left_out: tuple[str, ...] = ()
    table: Table | None = None
    likelihood: Parametrized | None = None
    group: NDArray[np.intp] | None = None
    aliases: tuple[dict[str, float], ...] = ()

    @property
    def row_offset(self) -> FloatArray | None:
        """(n,) offset of the rows as predictions and effects have it: without what belongs to the sample alone."""
        return None if self.offset is None else self.offset.of_rows

    @property
    def rows(self) -> int:
        """Number n of rows."""
        return int(self.X.shape[0])

    @property
    def columns(self) -> int:
        """Number k of columns."""
        return int(self.X.shape[1])

    @cached_property
    def parameters(self) -> Parameters:
        """How the coefficients stand on the columns."""
        if self.likelihood is not None:
            return self.likelihood.parameters(self)
        return Parameters.by_equation(self.names, self.response.equations)

    @property
    def equations(self) -> int:
        """Number of linear predictors of a row: one for each category beyond the reference, one for a binary response."""
        return len(self.response.equations) if self.likelihood is None else len(self.parameters.equations)

    @property
    def coefficient_names(self) -> tuple[str, ...]:
        """Names of the coefficients, equation by equation: the columns, or ``category:column``."""
        return self.parameters.names

    def coefficients_of(self, columns: tuple[int, ...]) -> tuple[int, ...]:
        """Positions of the coefficients of some columns, in every equation."""
        if self.likelihood is None:
            return tuple(e * self.columns + j for e in range(self.equations) for j in columns)
        return self.parameters.of_columns(columns)

    @property
    def coefficients(self) -> int:
        """Number of coefficients, over all equations."""
        return self.columns * self.equations if self.likelihood is None else self.parameters.count

    @property
    def weight_kind(self) -> Literal["frequency", "sampling"] | None:
        """What the weights stand for."""
        if self.weight is None:
            return None
        return "frequency" if self.weight.argument == "freq_weights" else "sampling"

    @property
    def frequency(self) -> FloatArray | None:
        """(n,) number of identical rows that each row stands for; None where that is one."""
        return self.weight.values if self.weight is not None and self.weight_kind == "frequency" else None

    @property
    def observations(self) -> float:
        """Number of observations: rows, or the sum of the frequency weights."""
        return float(self.rows) if self.frequency is None else float(self.frequency.sum())

    @property
    def outcomes(self) -> float:
        """Number of outcomes (weighted): the sum of `row_weight`."""
        return (
            float(self.rows) if self.weight is None and self.response.trials is None else float(self.row_weight.sum())
        )

    @property
    def row_weight(self) -> FloatArray:
        """(n,) number of outcomes (weighted) that each row stands for: weights times trials."""
        weight = np.ones(self.rows) if self.weight is None else self.weight.values
        return weight if self.response.trials is None else weight * self.response.trials

    @property
    def has_rows(self) -> bool:
        """Whether the rows are there; removed.py has the design whose rows were taken out."""
        return True

    @property
    def in_memory(self) -> bool:
        """Whether the rows can be had all at once; streamed.py has the design whose rows are read in passes."""
        return True

    def require_memory(self, what: str) -> None:
        """Raise `NotAvailableError` where the rows are out of memory and `what` needs them in it."""

    @property
    def constant_value(self) -> float:
        """Value of the constant column."""
        return float(self.X[0, self.constant])

    @property
    def outcome_sums(self) -> tuple[float, float]:
        """Weighted numbers of successes and of trials."""
        successes, trials = self.response.successes, self.response.trials
        if self.weight is None:
            return float(successes.sum()), float(self.rows if trials is None else trials.sum())
        weight = self.weight.values
        return float(weight @ successes), float(weight.sum() if trials is None else weight @ trials)

    def column_ends(self) -> Iterator[FloatArray]:
        """(2, k) smallest and largest values of the columns in ranges of rows."""
        for block in self.blocks():
            yield np.array([block.X.min(axis=0), block.X.max(axis=0)])

    def require_rows(self) -> None:
        """Raise `NotAvailableError` where the rows were taken out (removed.py); here they are there."""

    @property
    def block(self) -> Block:
        """All rows as one block (views, nothing is copied)."""
        return Block(
            self.X,
            self.response.successes,
            self.response.trials,
            None if self.weight is None else self.weight.values,
            None if self.offset is None else self.offset.values,
            self.response.codes,
            len(self.response.labels),
            self.group,
        )

    def blocks(self, rows: int = BLOCK_ROWS, whole: str | None = None) -> Iterator[Block]:
        """All rows in their order, in blocks of at most `rows` rows (views, nothing is copied).

        With ``whole="group"`` no group is cut apart; a block is then larger where a group is.
        """
        block = self.block
        for part in self._ranges(self._rows_a_block(rows), whole):
            yield block.at(part)

    def _ranges(self, rows: int, whole: str | None) -> Iterator[slice]:
        """Ranges of rows of a block; with ``whole="group"`` their ends are ends of groups."""
        if whole is None or self.group is None:
            yield from (slice(start, start + rows) for start in range(0, self.rows, rows))
            return
        ends = np.r_[np.flatnonzero(np.diff(self.group)) + 1, self.rows]
        start = 0
        while start < self.rows:
            # the last end within reach, or the first one beyond
            at = int(np.searchsorted(ends, start + rows, side="right"))
            stop = int(ends[at - 1]) if at and ends[at - 1] > start else int(ends[at])
            yield slice(start, stop)
            start = stop

    def each(
        self, function: Callable[[Block], FloatArray], rows: int = BLOCK_ROWS, whole: str | None = None
    ) -> FloatArray:
        """(n, ...) what `function(block)` (m, ...) makes of every row."""
        return np.concatenate([function(block) for block in self.blocks(rows, whole)])

    def _rows_a_block(self, rows: int) -> int:
        # what is made of a block may write its coded columns out
        return rows if coded(self.X) is None else max(min(rows, CODED_BLOCK_NUMBERS // self.columns), 256)

    def reduce(self, function: Callable[[Block], T], rows: int | None = BLOCK_ROWS, whole: str | None = None) -> T:
        """Sum of `function(block)` over the blocks: every statistic that is a sum over rows.

        With ``rows=None`` the function takes blocks of any size, and must not write coded columns out. With
        ``whole="group"`` no group is cut apart.
        """
        if rows is None:
            rows = BLOCK_ROWS if coded(self.X) is None else self.rows
        elif self.rows > 0:
            rows = self._rows_a_block(rows)
        if self.rows <= rows:
            return function(self.block)
        blocks = self.blocks(rows, whole)
        total = function(next(blocks))
        for block in blocks:
            total = total + function(block)
        return total

    def largest(self, function: Callable[[Design], float]) -> float:
        """Largest of what a function makes of designs of ranges of rows."""
        return function(self)

    def thinned(self, stride: int) -> Design:
        """Return the design of a share ``1 / stride`` of the rows: runs of neighbours, which are cheap to copy."""
        runs = np.arange(self.rows // (RUN_ROWS * stride)) * (RUN_ROWS * stride)
        return self._part((runs[:, None] + np.arange(RUN_ROWS)).ravel(), _runs(self.X, stride))

    def at(self, rows: NDArray[np.intp]) -> Design:
        """Return the design of the rows at these positions (copied)."""
        return self._part(rows, self.X[rows])

    def where(self, keep: NDArray[np.bool_]) -> Design:
        """Return the design of the rows kept (copied); its sample accounts for no other."""
        used = self.sample.used.copy()
        used[used] = keep
        return replace(self.at(np.flatnonzero(keep)), sample=replace(self.sample, used=used))

    def taken_out(self, keep: NDArray[np.bool_]) -> Design:
        """Return the design of the rows kept, as by `where`, as if the others had never been read."""
        part = self.where(keep)
        before = self.sample.taken_out
        gone = self.sample.used & ~part.sample.used
        return replace(part, sample=replace(part.sample, taken_out=gone if before is None else before | gone))

    def _part(self, rows: NDArray[np.intp], X: FloatArray) -> Design:
        return replace(
            self,
            X=X,
            response=self.response.at(rows),
            weight=None if self.weight is None else replace(self.weight, values=self.weight.values[rows]),
            offset=None if self.offset is None else replace(self.offset, values=self.offset.values[rows]),
            index=self.index[rows],
            group=None if self.group is None else self.group[rows],
        )

    def with_columns(
        self, keep: list[int], left_out: tuple[str, ...], aliases: tuple[dict[str, float], ...] = ()
    ) -> Design:
        """Return the design of some of the columns; the others are remembered as left out, and what they equal."""
        constant = keep.index(self.constant) if self.constant in keep else None
        return replace(
            self,
            X=self.X[:, keep],
            names=tuple(self.names[j] for j in keep),
            constant=constant,
            left_out=self.left_out + left_out,
            aliases=self.aliases + aliases,
        )

    def without_constant(self) -> Design:
        """Return the design without its constant column, which is remembered as left out."""
        if self.constant is None:
            return self
        keep = [j for j in range(self.columns) if j != self.constant]
        return self.with_columns(keep, (self.names[self.constant],))

    def intercept_only(self) -> Design:
        """Return the design whose single column is one."""
        return replace(self, X=np.ones((self.rows, 1)), names=("Intercept",), constant=0, formula=None, left_out=())


def _runs(X: FloatArray, stride: int) -> FloatArray:
    """The first `RUN_ROWS` of every ``RUN_ROWS * stride`` rows, in the memory order of X."""
    span = RUN_ROWS * stride
    whole = len(X) // span * span
    if coded(X) is not None:
        rows: FloatArray = X[(np.arange(0, whole, span)[:, None] + np.arange(RUN_ROWS)).ravel()]
        return rows
    k = X.shape[1]
    if abs(X.strides[0]) > abs(X.strides[1]):
        return X[:whole].reshape(-1, span, k)[:, :RUN_ROWS].reshape(-1, k)
    return X[:whole].T.reshape(k, -1, span)[:, :, :RUN_ROWS].reshape(k, -1).T


def constant_column(X: FloatArray) -> int | None:
    """Position of the first column of ones, else of the first constant column other than zero."""
    if X.shape[0] == 0:
        return None
    # a few rows tell that most columns vary; lists, because on a few numbers they are faster than arrays
    first, middle, last = (np.asarray(X[i]).tolist() for i in (0, len(X) // 2, -1))
    candidates = [j for j, (a, b, c) in enumerate(zip(first, middle, last, strict=True)) if a == b == c != 0.0]
    constant = [j for j in candidates if (X[:64, j] == first[j]).all() and (X[:, j] == first[j]).all()]
    ones = [j for j in constant if first[j] == 1.0]
    found = ones or constant
    return found[0] if found else None


def without_columns(design: Design, names: Any) -> Design:
    """Return the design without some columns, asked for by name.

    Raises
    ------
    DataError
        If there is no such column, or none is left.
    """
    if names is None:
        return design
    asked = [names] if isinstance(names, str) else [str(name) for name in names]
    unknown = [name for name in asked if name not in design.names]
    if unknown:
        raise DataError(
            f"drop_cols: there is no column {unknown[0]!r}; the columns are {listed(list(design.names), 12)}."
        )
    keep = [j for j, name in enumerate(design.names) if name not in asked]
    if not keep:
        raise DataError("drop_cols leaves no column.")
    return design.with_columns(keep, tuple(asked))
