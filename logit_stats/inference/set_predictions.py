"""Probabilities within new sets: which of their rows would be the cases, given how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.table import Table
from logit_stats.errors import DataError, MissingDataError
from logit_stats.likelihoods.conditional_moments import set_terms
from logit_stats.likelihoods.matched_sets import MatchedSets


def probabilities_within(eta: FloatArray, exog: Any, groups: Any, cases: Any) -> FloatArray:
    """(m,) probability that each new row is a case; NaN in sets with a row whose linear predictor is missing.

    Parameters
    ----------
    eta : (m,)
        Linear predictors.
    exog : table or array
        The new data, where a column name is looked up.
    groups : str, (m,) array_like or None
        Sets; None for one set of all rows.
    cases : int, mapping from set to int, or None
        Cases of each set, by default one.

    Raises
    ------
    DataError
        If a set has no such number of cases.
    """
    labels = _labels(exog, groups, len(eta))
    codes, names = pd.factorize(labels, use_na_sentinel=True)
    if (codes < 0).any():
        raise MissingDataError("groups: the set of some new rows is missing.")
    order = np.argsort(codes, kind="stable").astype(np.intp)
    size = np.bincount(codes)
    wanted = np.array([_cases(cases, name) for name in names], dtype=np.intp)
    wrong = (wanted < 0) | (wanted > size)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(f"Set {names[at]!r} has {size[at]} rows, and cannot have {wanted[at]} cases.")
    return _within(eta, codes, order, size, wanted)


def _within(eta: FloatArray, codes: Any, order: Any, size: Any, wanted: Any) -> FloatArray:
    prob = np.where(wanted[codes] == 0, 0.0, 1.0)
    known = np.bincount(codes, np.isnan(eta)) == 0
    varied = (wanted > 0) & (wanted < size) & known
    rows = order[varied[codes[order]]]
    starts = np.r_[0, np.cumsum(size[varied])].astype(np.intp)
    sets = MatchedSets(rows, starts, wanted[varied])
    # any rows may stand as the cases: probabilities do not depend on who they were
    y = (np.arange(len(rows)) - np.repeat(starts[:-1], sets.sizes) < np.repeat(sets.cases, sets.sizes)).astype(
        np.float64
    )
    prob[rows] = set_terms(y, eta[rows], sets).prob
    prob[~known[codes]] = np.nan
    return prob


def _labels(exog: Any, groups: Any, rows: int) -> Any:
    if groups is None:
        return np.zeros(rows)
    if isinstance(groups, str):
        groups = Table(exog).column(groups, "groups")
    if len(groups) != rows:
        raise DataError(f"groups has {len(groups)} labels; the new data have {rows} rows.")
    return groups


def _cases(cases: Any, name: Any) -> int:
    if cases is None:
        return 1
    if isinstance(cases, Mapping):
        if name not in cases:
            raise DataError(f"cases= says nothing of set {name!r}.")
        return int(cases[name])
    return int(cases)
