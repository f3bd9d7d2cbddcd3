"""Rows out of memory with what a fit says of each, written to a Parquet file block by block."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from logit_stats.assess.residuals import residuals
from logit_stats.design.block import FloatArray
from logit_stats.design.row_batch import RowBatch
from logit_stats.design.streamed import StreamedDesign
from logit_stats.errors import DataError, NotAvailableError
from logit_stats.estimation.streamed import StreamedFit
from logit_stats.likelihoods.rows import probability


def written(fit: StreamedFit, to: Path) -> Path:
    """Write all rows read, in their order.

    Raises
    ------
    DataError
        If the file is one of those that are read, or cannot be written.
    """
    import pyarrow.parquet as pq

    design = fit.design
    assert isinstance(design, StreamedDesign)
    if design.patterns is not None:
        raise NotAvailableError(
            "The rows were counted, not kept; fit with scan(..., compress=False) and write that result's rows."
        )
    if any(Path(file.path) == to.absolute() for file in getattr(design.stream.source, "files", ())):
        raise DataError(f"{to} is one of the files that are read; write another one.")
    writer: Any = None
    part = to.with_name(f".{to.name}.part")
    try:
        for _, batch in design.stream.batches():
            table = _with_answers(fit, design, batch)
            writer = pq.ParquetWriter(part, table.schema, write_page_checksum=True) if writer is None else writer
            writer.write_table(table)
        writer.close()
        part.replace(to)
    except OSError as error:
        raise DataError(f"{to} cannot be written: {error}") from error
    finally:
        if writer is not None:
            writer.close()
        part.unlink(missing_ok=True)
    return to


def _with_answers(fit: StreamedFit, design: StreamedDesign, batch: RowBatch) -> Any:
    import pyarrow as pa

    columns: dict[str, Any] = {".row": pa.array(np.asarray(batch.index, dtype=np.int64))}
    columns |= {name: batch.rows.column(name) for name in batch.names}
    for name, values in _answers(fit, design.piece(batch), len(batch)).items():
        columns[name] = pa.array(values, mask=np.isnan(values))
    return pa.table(columns)


def _answers(fit: StreamedFit, design: Any, rows: int) -> dict[str, FloatArray]:
    names = (".fitted", ".prob", ".resid", ".resid_pearson")
    found = {name: np.full(rows, np.nan) for name in names}
    if design is None:
        return found
    part, used = fit.on(design), design.sample.used
    eta = part.eta
    for name, values in zip(
        names, (eta, probability(eta), residuals(part, "dev"), residuals(part, "pearson")), strict=True
    ):
        found[name][used] = values
    return found
