"""The design of matched sets: whose rows belong together, and which sets have a case and another row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.design import Design
from logit_stats.design.given_rows import for_rows_used
from logit_stats.design.parameters import Parametrized
from logit_stats.design.sample import Mask, Sample
from logit_stats.errors import (
    DataError,
    MissingDataError,
    NoRowsError,
    OneClassError,
    ResponseError,
    WeightError,
    counted,
    listed_rows,
)


def group_codes(design: Design, argument: str, given: Any, missing: str) -> tuple[Design, NDArray[np.intp], str]:
    """Group of every row, numbered from 0, with the design of the rows that have one, and the groups' name.

    Rows whose group is missing are left out and counted under its name, or refused, as those of any variable.

    Raises
    ------
    DataError
        If there is not one label for each row.
    MissingDataError
        If labels are missing and `missing` is not "drop".
    """
    labels = for_rows_used(design, argument, given)
    name = given if isinstance(given, str) else str(getattr(labels, "name", None) or argument)
    if np.ndim(labels) != 1:
        raise DataError(f"{argument} takes one label for each row; it has {np.ndim(labels)} dimensions.")
    codes = pd.factorize(labels, use_na_sentinel=True)[0].astype(np.intp)
    lost = codes < 0
    if not lost.any():
        return design, codes, name
    rows = np.asarray(design.index)[lost]
    if missing != "drop":
        raise MissingDataError(
            f"Values are missing: {name} in {counted(len(rows), 'row')} (row {listed_rows(rows)}). Say which group they belong "
            f'to, or leave these rows out with missing="drop".'
        )
    if lost.all():
        raise NoRowsError(f"No row is left: {name!r} is missing in all of them.")
    return without_rows_of(design, [lost], "missing", [name]), codes[~lost], name


def matched_design(design: Design, codes: NDArray[np.intp], name: str, likelihood: Parametrized) -> Design:
    """Rows of sets with variation under a conditional likelihood, without the constant, which drops out.

    Raises
    ------
    ResponseError
        If rows are counts.
    WeightError
        If weights differ within a set.
    OneClassError
        If no set has both outcomes.
    """
    if design.response.grouped or design.response.labels:
        raise ResponseError(
            f"A matched set has rows of one outcome each, case or not; {design.response.name!r} holds "
            + ("counts: give a row for each trial." if design.response.grouped else "several categories.")
        )
    if design.weight is not None:
        _refuse_unequal_weights(design, codes, name)
    y = design.response.successes
    size, cases = np.bincount(codes), np.bincount(codes, y)
    idle = ((cases == 0) | (cases == size))[codes]
    if idle.all():
        raise OneClassError(_no_variation(name, size))
    design = without_rows_of(design, [idle], "uninformative", [name])
    return replace(design, likelihood=likelihood, group=codes[~idle]).without_constant()


def _no_variation(name: str, size: NDArray[np.intp]) -> str:
    if size.max() == 1:
        return (
            f"Every row is a set of its own by {name!r}: nothing is compared within a set. Give the column that rows of one set "
            f"share."
        )
    return (
        f"No set of {name!r} has both outcomes ({len(size)} sets): a set of only cases, or of none, says nothing. Check that "
        f"{name!r} joins cases with their controls."
    )


def _refuse_unequal_weights(design: Design, codes: NDArray[np.intp], name: str) -> None:
    assert design.weight is not None
    weight = design.weight.values
    if design.weight.argument == "sampling_weights":
        raise WeightError(
            "A conditional likelihood takes no sampling weights: whom a set consists of is conditioned on. Sets may have "
            "freq_weights."
        )
    first = np.zeros(codes.max() + 1)
    first[codes[::-1]] = weight[::-1]
    unequal = first[codes] != weight
    if unequal.any():
        rows = np.asarray(design.index)[unequal]
        raise WeightError(
            f"freq_weights count sets, and must be the same for all rows of a set of {name!r}; row {listed_rows(rows, 1)} has "
            f"another weight than the first of its set. Repeat rows that stand for several in one set."
        )


def without_rows_of(design: Design, out: Sequence[Mask], kind: str, names: Sequence[str]) -> Design:
    """The design without some rows, which are accounted for as "missing" or "uninformative", each mask under its name."""
    if not any(mask.any() for mask in out):
        return design
    account = dict(getattr(design.sample, kind))
    for mask, name in zip(out, names, strict=True):
        lost = np.zeros(design.sample.read, dtype=np.bool_)
        lost[np.flatnonzero(design.sample.used)[mask]] = True
        if mask.any():
            account[name] = account[name] | lost if name in account else lost
    left = design.where(~np.logical_or.reduce(out))
    events, nonevents = outcomes_of(left)
    sample: Sample = replace(left.sample, **{kind: account}, events=events, nonevents=nonevents)  # type: ignore[arg-type]
    return replace(left, sample=sample)


def outcomes_of(design: Design) -> tuple[float, float]:
    """Number of events and of other outcomes, frequency weights and trials counted."""
    weight = np.ones(design.rows) if design.frequency is None else design.frequency
    trials = 1.0 if design.response.trials is None else design.response.trials
    events = float(weight @ design.response.successes)
    return events, float((weight * trials).sum()) - events
