"""`Representative`: a few rows of a stream, in memory, that show what its variables can be.

Every level, both ends of every number and some of its values are among them. What an effect is called, which levels it compares
and over which range a number is differentiated is read of these rows; means and sums are always those of all rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.coding import Coding
from logit_stats.design.design import Design
from logit_stats.design.row_batch import RowBatch
from logit_stats.design.streamed import StreamedDesign
from logit_stats.errors import DataError, NotAvailableError

# Values of a number that are shown; levels of anything else.
VALUES, LEVELS = 64, 10_000


@dataclass(frozen=True, eq=False)
class Representative(Design):
    """Rows that stand for many more.

    Attributes
    ----------
    means : dict of str to float
        Means of the numbers over all rows, which count by their weight and trials.
    mean_offset : float
        That of the offset.
    """

    means: dict[str, float] = field(kw_only=True)
    mean_offset: float = field(kw_only=True)

    def mean(self, name: str) -> float:
        """Mean of a number over all rows."""
        return self.means[name]


def representative(design: StreamedDesign) -> Representative:
    """Take a pass for the rows and the means.

    Raises
    ------
    NotAvailableError
        Where columns were left out, or rows were taken by the outcome.
    """
    if design.left_out:
        raise NotAvailableError(
            "Effects out of memory need all columns of the formula, and some were left out as combinations of others; write the "
            "formula without them."
        )
    found: Exemplars | None = design.stream.sum(ExemplarsOf(design.coding), "variables")
    assert found is not None
    shown = design.piece(RowBatch(found.rows, 0))
    if shown is None:
        raise DataError("No row is used.")
    means = {name: float(total / found.weight) for name, total in found.sums.items()}
    return Representative(
        **{f.name: getattr(shown, f.name) for f in fields(Design)}, means=means, mean_offset=found.offset / found.weight
    )


@dataclass(frozen=True, eq=False)
class Exemplars:
    """Rows picked so far, and sums of the numbers over all rows."""

    rows: Any
    sums: dict[str, float]
    weight: float
    offset: float

    def __add__(self, other: Exemplars) -> Exemplars:
        import pyarrow as pa

        sums = {name: total + other.sums[name] for name, total in self.sums.items()}
        return Exemplars(
            _picked(pa.concat_tables([self.rows, other.rows])),
            sums,
            self.weight + other.weight,
            self.offset + other.offset,
        )


@dataclass(frozen=True, eq=False)
class ExemplarsOf:
    """Rows picked of a range of rows."""

    coding: Coding

    def __call__(self, index: int, batch: RowBatch) -> Exemplars | None:
        """Of one range of rows."""
        import pyarrow as pa

        design = self.coding.design(batch)
        if design is None:
            return None
        used = batch.rows.filter(pa.array(design.sample.used))
        weight = design.row_weight
        sums = {
            name: float(weight @ _numbers(used.column(name))) for name in used.column_names if _is_number(used, name)
        }
        offset = 0.0 if design.row_offset is None else float(weight @ design.row_offset)
        return Exemplars(_picked(used), sums, float(weight.sum()), offset)


def _is_number(rows: Any, name: str) -> bool:
    import pyarrow.types as pat

    kind = rows.column(name).type
    return bool(pat.is_integer(kind) or pat.is_floating(kind))


def _numbers(column: Any) -> FloatArray:
    import pyarrow as pa

    values: FloatArray = column.cast(pa.float64()).to_numpy()
    return np.where(np.isnan(values), 0.0, values)


def _picked(rows: Any) -> Any:
    """The first row of every level, the rows of the ends of every number, and of some of its values."""
    chosen = [_firsts(rows, name) for name in rows.column_names]
    return rows.take(np.unique(np.concatenate(chosen))).combine_chunks()


def _firsts(rows: Any, name: str) -> Any:
    if not _is_number(rows, name):
        encoded = rows.column(name).combine_chunks()
        encoded = encoded if hasattr(encoded, "indices") else encoded.dictionary_encode()
        _, first = np.unique(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), return_index=True)
        return np.sort(first)[:LEVELS]
    values, first = np.unique(rows.column(name).to_numpy(), return_index=True)
    if len(values) <= VALUES:
        return first
    finite = np.isfinite(values)
    first = first[finite] if finite.any() else first
    return first[np.linspace(0, len(first) - 1, VALUES).astype(np.intp)]
