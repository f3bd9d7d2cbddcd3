"""The first pass over a stream: levels of the rows used, what is missing, events, and a sample of the rows.

What an expression takes of all rows (a mean, a quantile) would be another number in every block. Transforms that know how to
learn (``center``, ``standardize``) learn block by block; those that need a whole column (``bs``, ``cr``, ``ns``, ``poly``) get it
where it fits into the memory given; a summary written out is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from logit_stats.design.coding import Coding, screened_values
from logit_stats.design.expression import HELPER, is_rowwise
from logit_stats.design.factor import Factor, begun_factors
from logit_stats.design.factor_values import CategoricalValues, FactorValues, NumericValues, _sorted
from logit_stats.design.formula import ParsedFormula, lay_out
from logit_stats.design.formula_pickle import factor_state, restored_factor
from logit_stats.design.operators import Operators
from logit_stats.design.other_rows import refuse_other_rows
from logit_stats.design.response import Response, binary_response
from logit_stats.design.row_arguments import RowArguments, RowValues
from logit_stats.design.row_batch import RowBatch
from logit_stats.design.sample import _any
from logit_stats.design.stream import Stream
from logit_stats.design.table import Table
from logit_stats.errors import DataError, FormulaError, NoRowsError, OneClassError, ResponseError, listed

# Of each block so many rows, and of so many blocks at most, are kept to start from.
SAMPLE_ROWS, SAMPLE_BLOCKS = 1 << 12, 128
# Different values of a response that are told apart in an error.
DIFFERENT = 8
# Transforms that add up what they see and keep no row.
ADDING = ("Center", "Standardize")


@dataclass(frozen=True, eq=False)
class Seen:
    """What a factor is in some of the rows.

    Attributes
    ----------
    levels : dict of level to number of rows used, or None for numbers
    columns : int
        Of numbers.
    declared : bool
        Whether the levels are the column's own, whichever rows there are.
    contrast : object
    values : tuple of float
        Some different values of a number, for messages of a response.
    """

    levels: dict[Any, int] | None
    columns: int = 1
    declared: bool = False
    contrast: Any = None
    values: tuple[float, ...] = ()
    nothing: bool = False

    @classmethod
    def of(cls, value: FactorValues, response: bool) -> Self:
        """Of the rows used."""
        if isinstance(value, CategoricalValues):
            counts = np.bincount(value.codes, minlength=len(value.levels)).tolist()
            return cls(dict(zip(value.levels, counts, strict=True)), 1, value.declared, value.contrast)
        values: tuple[float, ...] = ()
        if response and value.values.shape[1] == 1:
            values = tuple(np.unique(value.values.astype(np.float64))[:DIFFERENT].tolist())
        return cls(None, value.values.shape[1], values=values, nothing=len(value.values) == 0)

    def and_also(self, other: Seen, name: str) -> Seen:
        """What the factor is in these rows and those.

        Raises
        ------
        DataError
            If it is numbers here and levels there.
        """
        if self.nothing or other.nothing:
            return other if self.nothing else self
        if (self.levels is None) != (other.levels is None) or self.columns != other.columns:
            raise DataError(f"{name!r} is a number in some of the rows and not in others; give its column one type.")
        if self.levels is None:
            return replace(self, values=tuple(sorted({*self.values, *(other.values)}))[:DIFFERENT])
        assert other.levels is not None
        levels = dict(self.levels)
        for level, count in other.levels.items():
            levels[level] = levels.get(level, 0) + count
        if self.declared and other.declared and set(self.levels) != set(other.levels):
            return replace(self, levels=levels, declared=False)
        return replace(self, levels=levels, declared=self.declared and other.declared)

    def skeleton(self) -> FactorValues:
        """Values without rows, of which patsy reads levels and columns."""
        if self.levels is None:
            return NumericValues(np.zeros((1, self.columns)))
        return CategoricalValues(np.zeros(0, dtype=np.intp), self.ordered(), self.contrast, self.declared)

    def ordered(self) -> tuple[Any, ...]:
        """Levels in the order in which they are coded: as declared, else those of rows used, sorted."""
        assert self.levels is not None
        if self.declared:
            return tuple(self.levels)
        used = [level for level, count in self.levels.items() if count > 0]
        if any(isinstance(level, float) for level in used) and not any(isinstance(level, str) for level in used):
            # a column of whole numbers with missing values is one of floats, in every block as in memory
            used = list(dict.fromkeys(float(level) if not isinstance(level, bool) else level for level in used))
        return tuple(_sorted(used))


@dataclass(frozen=True, eq=False)
class Discovery:
    """Sums of the first pass.

    Attributes
    ----------
    rows, used, dropped, zero, idle : int
        Rows read, used, with missing values, of zero weight, without trials.
    missing : dict of name to int
    seen : dict of str to Seen
        Factors of both sides.
    which : int
        A number that tells sets of rows used apart.
    sample : dict of int to RowBatch
        Rows from the beginning of some blocks.
    weight, offset : float
        Sums of the weights (or the number of rows) and of the offset, over the rows used.
    outcomes : dict of value of the response to number of rows (weighted)
        For counts the numbers of "successes", "failures" and "trials", of which the last is not weighted.
    """

    rows: int
    used: int
    dropped: int
    zero: int
    idle: int
    missing: dict[str, int]
    seen: dict[str, Seen]
    weight: float
    offset: float
    outcomes: dict[Any, float]
    which: int
    sample: dict[int, RowBatch] = field(default_factory=dict, repr=False)

    def __add__(self, other: Discovery) -> Discovery:
        missing, outcomes = _added(self.missing, other.missing), _added(self.outcomes, other.outcomes)
        seen = {name: self.seen[name].and_also(other.seen[name], name) for name in self.seen}
        return Discovery(
            self.rows + other.rows, self.used + other.used, self.dropped + other.dropped, self.zero + other.zero,
            self.idle + other.idle, missing, seen, self.weight + other.weight, self.offset + other.offset,
            outcomes, (self.which + other.which) % 2**64, _thinned({**self.sample, **other.sample}),
        )  # fmt: skip


def _which(labels: pd.Index) -> int:
    """Sum of the hashes of row numbers (splitmix64): the same for the same rows, in whatever order they are added."""
    z = (np.asarray(labels).astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return int(np.bitwise_xor(z, z >> np.uint64(31)).sum(dtype=np.uint64))


def _added(one: dict[Any, Any], other: dict[Any, Any]) -> dict[Any, Any]:
    total = dict(one)
    for key, count in other.items():
        total[key] = total.get(key, 0) + count
    return total


def _outcomes(left: list[FactorValues], rows: RowValues) -> dict[Any, float]:
    """Numbers of the outcomes in the rows used: see `Discovery.outcomes`."""
    first = left[0] if left else None
    weight = None if rows.weights is None else rows.weights.values
    if isinstance(first, CategoricalValues):
        counts = np.bincount(first.codes, weight, minlength=len(first.levels)).tolist()
        return dict(zip(first.levels, counts, strict=True))
    if first is None or first.values.shape[1] != 1:
        return {}
    y = first.values[:, 0].astype(np.float64)
    if len(left) == 2 or rows.trials is not None:
        last = left[-1]
        trials = rows.trials.values if rows.trials is not None else y + np.asarray(getattr(last, "values", 0.0))[:, 0]
        a = np.ones(len(y)) if weight is None else weight
        return {"successes": float(a @ y), "failures": float(a @ (trials - y)), "trials": float(trials.sum())}
    values, places = np.unique(y, return_inverse=True)
    counts = np.bincount(places, weight, minlength=len(values)).tolist()
    return dict(zip(values[:DIFFERENT].tolist(), counts[:DIFFERENT], strict=True))


def _thinned(sample: dict[int, RowBatch]) -> dict[int, RowBatch]:
    """Every second block's rows, or every fourth, ...: the same whatever was added to what."""
    stride = 1
    while sum(index % stride == 0 for index in sample) > SAMPLE_BLOCKS:
        stride *= 2
    return {index: batch for index, batch in sorted(sample.items()) if index % stride == 0}


@dataclass(frozen=True, eq=False)
class Discover:
    """What the first pass makes of a block."""

    left: dict[str, Factor]
    right: dict[str, Factor]
    arguments: RowArguments
    count: str | None = None

    def __call__(self, index: int, batch: RowBatch) -> Discovery:
        """Of one range of rows."""
        table = Table(batch)
        left, right = ({name: _afresh(f) for name, f in side.items()} for side in (self.left, self.right))
        values, screened = screened_values(left, right, self.arguments, table)
        for name, factor in {**self.left, **self.right}.items():
            _refuse_summaries(factor, ({**left, **right})[name], table)
        for name, factor in right.items():
            refuse_other_rows(factor, table, values[name])
        values = {name: screened.of(value) for name, value in values.items()}
        seen = {name: Seen.of(value, name in self.left) for name, value in values.items()}
        outcomes = _outcomes([values[name] for name in self.left], screened.rows)
        return self._counted(index, batch, screened, seen, outcomes)

    def __getstate__(self) -> dict[str, Any]:
        left, right = ({name: factor_state(f) for name, f in side.items()} for side in (self.left, self.right))
        return {"left": left, "right": right, "arguments": self.arguments, "count": self.count}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for side in ("left", "right"):
            self.__dict__[side] = {name: restored_factor(name, kept) for name, kept in state[side].items()}
        self.__dict__.update(arguments=state["arguments"], count=state["count"])

    def _counted(
        self, index: int, batch: RowBatch, screened: Any, seen: dict[str, Seen], outcomes: dict[Any, float]
    ) -> Discovery:
        gone = _any(screened.missing, len(batch))
        zero = np.zeros(len(batch), np.bool_) if screened.zero is None else screened.zero & ~gone
        idle = np.zeros(len(batch), np.bool_) if screened.no_trials is None else screened.no_trials & ~gone
        used = np.ones(len(batch), np.bool_) if screened.keep is None else screened.keep
        # a pattern counts as the rows that it stands for
        each = np.asarray(batch.column(self.count), dtype=np.int64) if self.count else np.ones(len(batch), np.int64)
        numbers = screened.rows
        weight = float(len(screened.labels)) if numbers.weights is None else float(numbers.weights.values.sum())
        offset = 0.0 if numbers.offset is None else float(numbers.offset.values.sum())
        which = 0 if self.count else _which(screened.labels)
        return Discovery(
            int(each.sum()), int(each[used].sum()), int(each[gone].sum()), int(each[zero].sum()), int(each[idle].sum()),
            {name: int(each[mask].sum()) for name, mask in screened.missing.items()}, seen, weight, offset,
            outcomes, which, {index: RowBatch(batch.rows.slice(0, SAMPLE_ROWS), batch.first)},
        )  # fmt: skip


def _afresh(factor: Factor) -> Factor:
    """The factor with operators that have seen no rows, where it is not seen at a glance to work row by row."""
    if HELPER not in factor.state["transforms"] or is_rowwise(factor.term_factor.code):
        return factor
    transforms = {**factor.state["transforms"], HELPER: Operators()}
    return replace(factor, state={**factor.state, "transforms": transforms})


def _refuse_summaries(known: Factor, fresh: Factor, table: Table) -> None:
    """Raise where an expression takes a number from all of its rows, which is another one in every block."""
    if fresh is known:
        return
    if table.rows > 1:
        half = _afresh(known)
        some = np.zeros(table.rows, dtype=np.bool_)
        some[::2] = True
        half.evaluate(table.where(some))
        _refuse_unlike(known, half, fresh)
    first: Operators = known.state["transforms"][HELPER]
    if first.memory or first.limits:
        _refuse_unlike(known, known, fresh)


def _refuse_unlike(known: Factor, one: Factor, other: Factor) -> None:
    a, b = (factor.state["transforms"][HELPER] for factor in (one, other))
    same = all(_equal(a.memory[key], b.memory[key]) for key in a.memory.keys() & b.memory.keys())
    same = same and all(_equal(a.limits[key][0], b.limits[key][0]) for key in a.limits.keys() & b.limits.keys())
    if not same:
        raise FormulaError(
            f"{known.name!r} in the formula takes a number from all rows (a mean, a limit, a quantile), and rows out of memory "
            f"are read in parts. Write the number itself, or use center(x) or standardize(x), which learn it in a pass."
        )


def _equal(one: Any, other: Any) -> bool:
    try:
        return bool(np.array_equal(np.asarray(one), np.asarray(other), equal_nan=True))
    except TypeError:
        return bool(np.array_equal(np.asarray(one), np.asarray(other)))


def discovered(
    stream: Stream, parsed: ParsedFormula, arguments: RowArguments, count: str | None = None
) -> tuple[Coding, Discovery]:
    """Learn from all rows how to code them; `count` is the column that says how many rows a pattern stands for.

    Raises
    ------
    DataError
        One of its kinds, for everything that can be wrong with the data.
    """
    first = next((batch for _, batch in stream.batches()), None)
    if first is None:
        raise NoRowsError("There is no row to fit: the files are empty.")
    table = Table(first)
    left = _learned(stream, parsed.response_terms, parsed, table)
    right = _learned(stream, parsed.terms, parsed, table)
    found: Discovery = stream.sum(Discover(left, right, arguments, count), "discovery")
    if found.used == 0:
        by = listed([f"{name} in {count}" for name, count in found.missing.items()], 8)
        raise NoRowsError(f"No row is left of the {found.rows} read (missing values: {by}).")
    compiled = lay_out(parsed, right, {name: found.seen[name].skeleton() for name in right})
    response = _response_of(parsed, arguments, found)
    return Coding(replace(compiled, left=left), parsed, arguments, response), found


def _learned(stream: Stream, terms: tuple[Any, ...], parsed: ParsedFormula, table: Table) -> dict[str, Factor]:
    factors: dict[str, Factor] = {}
    for factor, passes in begun_factors(terms, parsed, table):
        factors[factor.name] = factor
        if passes:
            _refuse_whole_columns(factor, stream)
        for number in range(passes):
            for _, batch in stream.batches():
                factor.memorize_rows(Table(batch), number)
            factor.memorize_end(table, number)
        factor.evaluate(table)  # seals what constants the expression has
    return factors


def _refuse_whole_columns(factor: Factor, stream: Stream) -> None:
    """Raise where a transform keeps a whole column, and that would not fit."""
    keeping = [
        name
        for name, transform in factor.state["transforms"].items()
        if name != HELPER and hasattr(transform, "memorize_chunk") and type(transform).__name__ not in ADDING
    ]
    rows = stream.source.rows
    if keeping and rows is not None and 24 * rows > stream.memory:
        raise FormulaError(
            f"{factor.name!r} in the formula needs all values of its column at once ({24 * rows / 2**30:.1f} GiB while it "
            f"learns, and memory={stream.memory / 2**30:.1f} GiB). Give scan(..., memory=) more, or use center(x), "
            f"standardize(x), powers, or pieces such as I((x > 3) * (x - 3)), which need no row twice."
        )


def _response_of(parsed: ParsedFormula, arguments: RowArguments, found: Discovery) -> Response:
    """The response without rows: its name, its values, and errors where it is none."""
    terms = parsed.response_terms
    if any(len(term.factors) != 1 for term in terms) or len(terms) > 2:
        raise ResponseError(
            f"The response of {parsed.text!r} must be one variable, or 'successes + failures' as two variables."
        )
    names = [term.factors[0].name() for term in terms]
    empty = np.zeros(0)
    if len(names) == 2:
        return Response(" + ".join(names), "success", "failure", empty, empty)
    if arguments.trials is not None:
        return Response(names[0], "success", "failure", empty, empty, None, arguments.trials)
    seen = found.seen[names[0]]
    values: FactorValues
    if seen.levels is None:
        values = NumericValues(np.array(seen.values)[:, None]) if seen.columns == 1 else seen.skeleton()
    else:
        levels = seen.ordered()
        codes = [code for code, level in enumerate(levels) if seen.levels.get(level, 0) > 0]
        values = CategoricalValues(np.array(codes, dtype=np.intp), levels, None, seen.declared)
    response = binary_response(names[0], values, _labels(values))
    if len({*response.successes.tolist()}) < 2:
        only = response.success if response.successes[0] == 1.0 else response.failure
        raise OneClassError(
            f"All {found.used} rows used have {only}: the response {names[0]!r} does not vary, so no coefficient can be "
            f"estimated. Check the coding of the response, and the rows left out."
        )
    return replace(response, successes=empty)


def _labels(values: FactorValues) -> pd.Index:
    rows = len(values.codes) if isinstance(values, CategoricalValues) else len(values.values)
    return pd.RangeIndex(rows)


def events_of(response: Response, found: Discovery) -> tuple[float, float]:
    """Events and non-events, weighted."""
    if response.trials is not None:
        return found.outcomes["successes"], found.outcomes["failures"]
    assert response.levels is not None
    no, yes = response.levels
    return float(found.outcomes.get(yes, 0.0)), float(found.outcomes.get(no, 0.0))


def sample_designs(coding: Coding, found: Discovery) -> Iterator[Any]:
    """Designs of the rows of the sample."""
    for batch in found.sample.values():
        design = coding.design(batch)
        if design is not None:
            yield design
