"""Covariate patterns: rows of equal design columns and equal offset put together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.coded import coded
from logit_stats.design.design import Design
from logit_stats.design.sample import Sample


@dataclass(frozen=True, eq=False)
class PatternCodes:
    """Which rows have the same columns.

    Attributes
    ----------
    codes : (n,) int
        Pattern of each row, numbered from 0 in the order of their first rows.
    first : (J,) int
        First row of each pattern.
    """

    codes: NDArray[np.intp]
    first: NDArray[np.intp]

    @property
    def count(self) -> int:
        """Number J of patterns."""
        return len(self.first)

    def sums(self, values: FloatArray) -> FloatArray:
        """(J,) sums of a vector by pattern."""
        return np.bincount(self.codes, weights=values, minlength=self.count).astype(np.float64, copy=False)


def pattern_codes(design: Design) -> PatternCodes:
    """Patterns of the rows of a design.

    Columns are taken one after the other, each splitting the patterns so far: vectors of n, never a copy of the rows.
    """
    codes, count = np.zeros(design.rows, dtype=np.int64), 1
    for values in _vectors(design):
        if count == design.rows:
            break
        own, levels = pd.factorize(values)
        if len(levels) > 1:
            codes, pairs = pd.factorize(codes * np.int64(len(levels)) + own)
            codes, count = codes.astype(np.int64, copy=False), len(pairs)
    # patterns are numbered as they come: a new one is a new maximum
    new = np.diff(np.maximum.accumulate(codes), prepend=-1) > 0
    return PatternCodes(codes.astype(np.intp, copy=False), np.flatnonzero(new))


def _vectors(design: Design) -> Iterator[NDArray[np.float64] | NDArray[np.intp]]:
    """What rows of one pattern have in common, a vector at a time; a factor kept as codes is one vector."""
    by_code = coded(design.X)
    if by_code is None:
        yield from (np.asarray(design.X[:, j]) for j in range(design.columns))
    else:
        # no two levels have the same contrasts, so codes stand for all columns of a factor
        yield from (part.codes for part in by_code.parts)
        yield from (np.asarray(by_code.dense[:, j]) for j in range(by_code.dense.shape[1]))
    if design.offset is not None:
        yield design.offset.values


def grouped_by_pattern(design: Design, patterns: PatternCodes) -> Design:
    """Return the design with one row a pattern: its trials are all outcomes of its rows, frequency weights counted.

    Rows are labelled 0 ... J - 1. Sampling weights have no place in counts and are left out.
    """
    frequency = np.ones(design.rows) if design.frequency is None else design.frequency
    trials = design.response.trials
    part = design.at(patterns.first)
    response = replace(
        design.response,
        successes=patterns.sums(frequency * design.response.successes),
        trials=patterns.sums(frequency if trials is None else frequency * trials),
    )
    index = pd.RangeIndex(patterns.count)
    used = np.ones(patterns.count, dtype=np.bool_)
    sample = Sample(index, used, 0, {}, ~used, design.sample.events, design.sample.nonevents)
    return replace(part, response=response, weight=None, index=index, sample=sample, table=None)
