"""`StreamedDesign`: a design whose rows are read from files in every pass.

What is a sum over rows (`reduce`), or walks over them (`blocks`), works as in memory: each range of rows is a design in memory
for as long as it is looked at. What needs all rows at once says so, and what would do instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, Self, TypeVar, cast

import numpy as np
import pandas as pd

from logit_stats.design import stream as passes
from logit_stats.design.block import Block, FloatArray
from logit_stats.design.coded import CodedColumns, coded
from logit_stats.design.coding import Coding
from logit_stats.design.design import BLOCK_ROWS, Design, Summable
from logit_stats.design.discovery import Discovery, discovered, events_of, sample_designs
from logit_stats.design.formula import ParsedFormula, names_in, parse
from logit_stats.design.opening import opened
from logit_stats.design.pattern_rows import COUNT, as_patterns
from logit_stats.design.removed import Removed, SampleWithoutRows
from logit_stats.design.response import refuse_one_class
from logit_stats.design.row_arguments import RowArguments
from logit_stats.design.row_batch import RowBatch
from logit_stats.design.row_numbers import RowNumbers
from logit_stats.design.scan import Scan
from logit_stats.design.stream import Stream
from logit_stats.design.table import missing_column_message
from logit_stats.errors import DataError, MissingColumnError, NotAvailableError, TooFewRowsError, check_choice

MESSAGE = (
    "This needs every row at once, and the rows of this fit are out of memory. For the rows themselves write them: "
    "res.augment(to='rows.parquet') has probabilities and residuals. For other answers fit a part of the rows in memory (a "
    "sample, a table of counts with freq_weights=)."
)

T = TypeVar("T", bound=Summable)
Change = Callable[[Design], Design]


@dataclass(frozen=True, eq=False)
class StreamedDesign(Design):
    """A design out of memory.

    Attributes
    ----------
    stream : Stream
        The rows as they are read.
    coding : Coding
        How they become columns.
    found : Discovery
        What the first pass found.
    changes : tuple of callable
        What is done to the design of every range of rows: columns left out, and the like.
    ends : list of (2, k) array
        Smallest and largest values of the columns, once a pass has found them.
    patterns : (rows, patterns) or None
        How many rows were counted as how many different ones, where they were.
    """

    stream: Stream = field(kw_only=True)
    coding: Coding = field(kw_only=True)
    found: Discovery = field(kw_only=True)
    changes: tuple[Change, ...] = field(default=(), kw_only=True)
    ends: list[FloatArray] = field(default_factory=list, kw_only=True)
    patterns: tuple[int, int] | None = field(default=None, kw_only=True)

    @property
    def in_memory(self) -> bool:
        """False."""
        return False

    def require_memory(self, what: str) -> None:
        """Raise `NotAvailableError`."""
        raise NotAvailableError(
            f"{what} needs all rows at once, and they are out of memory: fit a part of the rows in memory, a sample of the files "
            f"or a table of counts with freq_weights=."
        )

    @property
    def constant_value(self) -> float:
        """Value of the constant column, which a formula writes as one."""
        return 1.0

    @property
    def outcome_sums(self) -> tuple[float, float]:
        """Weighted numbers of successes and of trials."""
        events, nonevents = self.sample.events, self.sample.nonevents
        return events, events + nonevents

    @property
    def outcomes(self) -> float:
        """Number of outcomes (weighted)."""
        return self.outcome_sums[1]

    @property
    def block(self) -> Block:
        """Not available."""
        _refuse()

    def require_rows(self) -> None:
        """Raise `NotAvailableError`."""
        _refuse()

    def piece(self, batch: RowBatch) -> Design | None:
        """The design of a range of rows; None where none of them is used."""
        design = self.coding.design(batch)
        for change in self.changes if design is not None else ():
            design = change(cast(Design, design))
        return design

    def sum(self, function: Callable[[Design], Any], what: str = "pass") -> Any:
        """Sum of what a function makes of the designs of ranges of rows."""
        return self.stream.sum(OfPieces(self.coding, self.changes, function), what)

    def pieces(self) -> Iterator[Design]:
        """Designs of ranges of rows, in their order."""
        for _, batch in self.stream.batches():
            design = self.piece(batch)
            if design is not None:
                yield design

    def reduce(self, function: Callable[[Block], T], rows: int | None = BLOCK_ROWS, whole: str | None = None) -> T:
        """Sum of `function(block)` over the blocks."""
        return cast(T, self.sum(Reduced(function, rows, whole)))

    def blocks(self, rows: int = BLOCK_ROWS, whole: str | None = None) -> Iterator[Block]:
        """All rows in their order, in blocks of at most `rows` rows."""
        for design in self.pieces():
            yield from design.blocks(rows, whole)

    def each(self, function: Callable[[Block], FloatArray], rows: int = BLOCK_ROWS, whole: str | None = None) -> Any:
        """Not available."""
        _refuse()

    def largest(self, function: Callable[[Design], float]) -> float:
        """Largest of what a function makes of ranges of rows."""
        return float(self.sum(Largest(function)).value)

    def column_ends(self) -> Iterator[FloatArray]:
        """(2, k) smallest and largest values of the columns."""
        if not self.ends:
            self.ends.append(self.sum(Ends.of, "limits").values)
        yield self.ends[0]

    def with_columns(
        self, keep: list[int], left_out: tuple[str, ...], aliases: tuple[dict[str, float], ...] = ()
    ) -> Design:
        """Return the design of some of the columns."""
        constant = keep.index(self.constant) if self.constant in keep else None
        return replace(
            self,
            X=_stand_in(self.rows, len(keep)),
            names=tuple(self.names[j] for j in keep),
            constant=constant,
            left_out=self.left_out + left_out,
            aliases=self.aliases + aliases,
            changes=(*self.changes, WithColumns(keep, left_out, aliases)),
            ends=[ends[:, keep] for ends in self.ends],
        )

    def intercept_only(self) -> Design:
        """Return the design whose single column is one."""
        return replace(
            self, X=_stand_in(self.rows, 1), names=("Intercept",), constant=0, formula=None, left_out=(),
            changes=(*self.changes, Design.intercept_only), ends=[],
        )  # fmt: skip

    def thinned(self, stride: int) -> Design:
        """Return the sample of rows that the first pass kept, in memory."""
        return self.kept

    @property
    def kept(self) -> Design:
        """The sample of rows that the first pass kept, in memory."""
        designs = list(sample_designs(self.coding, self.found))
        for change in self.changes:
            designs = [change(design) for design in designs]
        return joined(designs)

    def at(self, rows: Any) -> Design:
        """Not available."""
        _refuse()

    def where(self, keep: Any) -> Design:
        """Not available."""
        _refuse()

    def reading(self, columns: tuple[str, ...]) -> StreamedDesign:
        """Return the same design, in whose passes further columns are read.

        Raises
        ------
        MissingColumnError
            If the files have no such column.
        """
        source = self.stream.source
        for name in columns if self.patterns is None else ():
            if name not in source.names:
                raise MissingColumnError(f"groups: {missing_column_message(name, list(source.names))}")
        known = source.columns_read
        if self.patterns is not None and any(name not in known for name in columns):
            raise NotAvailableError(
                f"{', '.join(columns)} was not counted with the patterns of the rows, which are out of memory: fit with "
                f"scan(..., compress=False) and use the column then."
            )
        more = [name for name in columns if name not in known]
        if not more:
            return self
        return replace(self, stream=replace(self.stream, source=source.prepared([*known, *more])))

    def same_rows(self, other: Design) -> bool:
        """Whether another design is of the same rows, with the same response, weights and offset."""
        if not isinstance(other, StreamedDesign):
            return False
        mine, theirs = (
            (
                d.stream.source.identity(), d.response.name, d.response.levels, d.rows, d.outcome_sums,
                d.coding.arguments.columns, d.found.which,
            )
            for d in (self, other)
        )  # fmt: skip
        return mine == theirs


def _refuse() -> NoReturn:
    raise NotAvailableError(MESSAGE)


def _stand_in(*shape: int, total: float = 0.0) -> Any:
    return Removed(*shape, total=total, message=MESSAGE)


@dataclass(frozen=True, eq=False)
class OfPieces:
    """From rows to a term of a sum."""

    coding: Coding
    changes: tuple[Change, ...]
    function: Callable[[Design], Any]

    def __call__(self, index: int, batch: RowBatch) -> Any:
        """Of one range of rows."""
        design = self.coding.design(batch)
        if design is None:
            return None
        for change in self.changes:
            design = change(design)
        return self.function(design)


@dataclass(frozen=True, eq=False)
class Reduced:
    """A sum over the blocks of a design."""

    function: Callable[[Block], Any]
    rows: int | None
    whole: str | None

    def __call__(self, design: Design) -> Any:
        """Of one range of rows."""
        return design.reduce(self.function, self.rows, self.whole)


@dataclass(frozen=True, eq=False)
class WithColumns:
    """Some of the columns of a design."""

    keep: list[int]
    left_out: tuple[str, ...]
    aliases: tuple[dict[str, float], ...]

    def __call__(self, design: Design) -> Design:
        """Of one range of rows."""
        return design.with_columns(self.keep, self.left_out, self.aliases)


@dataclass(frozen=True, slots=True)
class Maximum:
    """A number of which the sum is the larger one."""

    value: float

    def __add__(self, other: Maximum) -> Maximum:
        return Maximum(max(self.value, other.value))


@dataclass(frozen=True, eq=False)
class Largest:
    """Largest value of a function over ranges of rows."""

    function: Callable[[Design], float]

    def __call__(self, design: Design) -> Maximum:
        """Of one range of rows."""
        return Maximum(self.function(design))


@dataclass(frozen=True, eq=False)
class Ends:
    """(2, k) smallest and largest values of the columns."""

    values: FloatArray

    @classmethod
    def of(cls, design: Design) -> Self:
        """Of a range of rows."""
        return cls(np.array([design.X.min(axis=0), design.X.max(axis=0)]))

    def __add__(self, other: Ends) -> Ends:
        low, high = (
            np.minimum(self.values[0], other.values[0]),
            np.maximum(self.values[1], other.values[1]),
        )
        return Ends(np.array([low, high]))


def joined(designs: list[Design]) -> Design:
    """One design in memory of the rows of several, which have the same columns.

    Raises
    ------
    DataError
        If there are none.
    """
    if not designs:
        raise DataError("No row of the sample is used.")
    first = designs[0]
    if len(designs) == 1:
        return first
    trials = None if first.response.trials is None else _stacked([d.response.trials for d in designs])
    rows = sum(d.rows for d in designs)
    X = _one_array([d.X for d in designs], rows)
    sample = SampleWithoutRows(
        pd.RangeIndex(0), np.ones(rows, np.bool_), 0, {}, np.zeros(rows, np.bool_), 0.0, 0.0,
        rows_read=rows, rows_dropped=0, rows_dropped_by={},
    )  # fmt: skip
    return replace(
        first,
        X=X,
        response=replace(
            first.response, successes=_stacked([d.response.successes for d in designs]), trials=trials
        ),
        weight=_numbers([d.weight for d in designs]),
        offset=_numbers([d.offset for d in designs]),
        sample=sample,
        index=pd.Index(np.concatenate([np.asarray(d.index) for d in designs])),
        table=None,
    )  # fmt: skip


def _one_array(arrays: list[Any], rows: int) -> Any:
    """The rows of several arrays; codes stay codes."""
    first = coded(arrays[0])
    if first is not None:
        dense = _one_array([X.dense for X in arrays], rows)
        parts = tuple(
            replace(part, codes=np.concatenate([X.parts[j].codes for X in arrays]))
            for j, part in enumerate(first.parts)
        )
        return CodedColumns(dense, first.dense_columns, parts)
    whole = np.empty((arrays[0].shape[1], rows)).T
    start = 0
    for X in arrays:
        whole[start : start + len(X)] = X
        start += len(X)
    return whole


def _stacked(arrays: list[Any]) -> FloatArray:
    return np.concatenate(arrays)


def _numbers(numbers: list[RowNumbers | None]) -> RowNumbers | None:
    first = numbers[0]
    return None if first is None else replace(first, values=_stacked([n.values for n in numbers if n is not None]))


def streamed_design(formula: str, scan: Scan, scope: Any, arguments: RowArguments, *, refuse_wide: bool) -> Design:
    """The design of a formula and a scan, after the first pass.

    Raises
    ------
    DataError
        One of its kinds, for everything that can be wrong with files, formula and rows.
    """
    check_choice("missing", arguments.missing, ("drop", "raise"))
    _refuse_arrays(arguments)
    source = opened(scan)
    parsed = parse(formula, scope, tuple(source.names))
    wanted = {*names_in(parsed), *arguments.columns}
    columns = [name for name in source.names if name in wanted]
    stream = Stream(source.prepared(columns or source.names[:1]), scan.engine, scan.memory, None, passes.BLOCK_ROWS, [])
    counted = None if _learns(parsed) else as_patterns(stream, scan, arguments)
    if counted is None:
        coding, found = discovered(stream, parsed, arguments)
        return of_discovery(stream.counted(found.rows), coding, found, refuse_wide=refuse_wide)
    coding, found = discovered(counted[0], parsed, counted[1], COUNT)
    design = of_discovery(counted[0], coding, found, refuse_wide=refuse_wide)
    return replace(design, patterns=(found.rows, counted[2]))


def _learns(parsed: ParsedFormula) -> bool:
    """Whether a transform of the formula learns from rows, each of which counts there: patterns would not do."""
    state: dict[str, Any]
    for term in (*parsed.terms, *parsed.response_terms):
        for factor in term.factors:
            state = {}
            try:
                if factor.memorize_passes_needed(state, parsed.scope):
                    return True
            except Exception:
                return False  # the formula is refused in words a little later
    return False


def of_discovery(stream: Stream, coding: Coding, found: Discovery, *, refuse_wide: bool) -> StreamedDesign:
    """The design that the first pass of a stream leads to, its events counted."""
    compiled, n = coding.formula, found.used
    if refuse_wide and len(compiled.names) > n:
        raise TooFewRowsError(
            f"The formula gives {len(compiled.names)} columns and there are {n} rows: more coefficients than rows cannot be "
            f"estimated."
        )
    events, nonevents = events_of(coding.response, found)
    if events == 0.0 or nonevents == 0.0:
        refuse_one_class(replace(coding.response, successes=np.full(n, float(events > 0.0))), None)
    arguments = coding.arguments
    weight = arguments.freq_weights or arguments.sampling_weights
    kind = "freq_weights" if arguments.freq_weights is not None else "sampling_weights"
    grouped = coding.response.trials is not None
    sample = SampleWithoutRows(
        pd.RangeIndex(0), _stand_in(found.rows, total=found.used), 0, {}, _stand_in(found.rows, total=found.zero),
        events, nonevents, (), _stand_in(found.rows, total=found.idle) if found.idle else None,
        rows_read=found.rows, rows_dropped=found.dropped, rows_dropped_by=found.missing,
    )  # fmt: skip
    return StreamedDesign(
        _stand_in(n, len(compiled.names)),
        compiled.names,
        replace(
            coding.response,
            successes=_stand_in(n, total=events),
            trials=_stand_in(n, total=found.outcomes["trials"]) if grouped else None,
        ),
        None if weight is None else RowNumbers(kind, weight, _stand_in(n, total=found.weight)),
        None if arguments.offset is None else RowNumbers("offset", arguments.offset, _stand_in(n, total=found.offset)),
        sample,
        pd.RangeIndex(0),
        True,
        compiled,
        compiled.names.index("Intercept") if "Intercept" in compiled.names else None,
        stream=stream,
        coding=coding,
        found=found,
    )  # fmt: skip


def _refuse_arrays(arguments: RowArguments) -> None:
    if arguments.subset is not None:
        raise DataError(
            "Rows out of memory take no subset= of one value for each row: filter the source (a pyarrow Dataset's filter(), a "
            "WHERE in DuckDB), or give the rows a freq_weights= column of 0 and 1."
        )
    for name in ("offset", "freq_weights", "sampling_weights", "trials", "groups"):
        given = getattr(arguments, name)
        if given is not None and not isinstance(given, str):
            raise DataError(
                f"{name}= was given as values, and the rows are out of memory: give the name of a column of the files."
            )
