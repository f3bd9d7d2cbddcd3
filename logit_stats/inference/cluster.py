"""Cluster-robust covariance, one-way and multi-way.

Scores are summed within clusters, and the meat is the sum of their squares (Liang and Zeger 1986, Biometrika 73, 13-22). For
several groupings the covariances of all their intersections are added and subtracted in turn (Cameron, Gelbach and Miller
2011, J. Business and Economic Statistics 29, 238-249); where the result is not positive semi-definite, its negative
eigenvalues, taken in units of the model-based covariance so that neither origin nor unit of a column matters, are set to zero,
and that is said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.containers import as_column
from logit_stats.design.design import Design
from logit_stats.design.given_rows import for_rows_used
from logit_stats.errors import DataError, UnknownOptionError, counted, listed, listed_rows
from logit_stats.estimation.fit import Fit
from logit_stats.inference.row_scores import meat_by_code, score_residuals

SETTINGS = {
    "quasi": ("dispersion",),
    "HAC": ("maxlags", "kernel", "time", "use_correction"),
    "cluster": ("groups", "use_correction"),
    "survey": ("strata", "psu", "fpc", "lonely", "subpop"),
    "bootstrap": ("reps", "seed", "groups", "progress"),
}
# statsmodels' settings of every covariance.
OF_ALL = ("scaling_factor", "df_correction")
CORRECTIONS = (True, False, "G", "CR1", "CR2", "CR3")


@dataclass(frozen=True, eq=False)
class Grouping:
    """Clusters of the rows used.

    Attributes
    ----------
    name : str
    codes : (n,)
        Cluster of each row, from 0.
    count : int
        Number G of clusters.
    """

    name: str
    codes: NDArray[np.intp]
    count: int


@dataclass(frozen=True, eq=False)
class ClusterCovariance:
    """A cluster-robust covariance of the working coefficients, and what a report should say of it."""

    working: FloatArray
    description: str
    notes: tuple[str, ...]


# Number and meat of the clusters that groupings make together.
MeatOf = Callable[[list[Grouping]], tuple[int, FloatArray]]


def read_groups(design: Design, groups: Any) -> list[Grouping]:
    """Clusters from a column name, an array, or a list (or a table) of several.

    Arrays may cover the rows read or the rows used.

    Raises
    ------
    MissingColumnError
        If the data have no such column.
    DataError
        If groups are missing in a row used, have the wrong length, or number less than two.
    """
    if groups is None:
        raise DataError('cov_type="cluster" needs groups=: a column name, or one label for each row.')
    several: list[Any]
    groups = as_column(groups) if not isinstance(groups, (str, list, tuple)) else groups
    if isinstance(groups, pd.DataFrame):
        several = [groups[name] for name in groups.columns]
    elif isinstance(groups, (list, tuple)) and groups and all(isinstance(g, (str, pd.Series)) for g in groups):
        # a list of texts names columns, unless it is as long as the data and names none
        named = design.table is not None and all(not isinstance(g, str) or g in design.table for g in groups)
        several = list(groups) if named or len(groups) not in (design.rows, design.sample.read) else [groups]
    else:
        several = [groups]
        if isinstance(groups, (list, tuple, np.ndarray)) and np.ndim(groups) == 2:
            table = np.asarray(groups)
            several = [table[:, j] for j in range(table.shape[1])]
    return [_grouping(design, g, f"groups {i + 1}" if len(several) > 1 else "groups") for i, g in enumerate(several)]


def read_codes(design: Design, labels: Any, name: str) -> tuple[NDArray[np.intp], list[Any]]:
    """Code of each row used, and what each code stands for, from a column name or labels of the rows read or used.

    Raises
    ------
    MissingColumnError
        If the data have no such column.
    DataError
        If a label is missing in a row used, or they have the wrong length.
    """
    if isinstance(labels, pd.Series) and labels.name is not None:
        name = str(labels.name)
    values = for_rows_used(design, name, labels)
    name = labels if isinstance(labels, str) else name
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    if (codes < 0).any():
        rows = np.asarray(design.index)[codes < 0]
        raise DataError(
            f"{name!r} is missing in {counted(len(rows), 'row')} used (row {listed_rows(rows)}); fill it, or leave these "
            f"rows out with subset=."
        )
    return codes.astype(np.intp), list(uniques)


def _grouping(design: Design, labels: Any, name: str) -> Grouping:
    codes, uniques = read_codes(design, labels, name)
    if isinstance(labels, str):
        name = labels
    elif isinstance(labels, pd.Series):
        name = name if labels.name is None else str(labels.name)
    if len(uniques) < 2:
        raise DataError(
            f"{name!r} has a single cluster; a cluster-robust covariance needs two at the least, better 30."
        )
    return Grouping(name, codes, len(uniques))


def cluster_covariance(
    fit: Fit, groupings: list[Grouping], use_correction: bool | str = True, meat_of: MeatOf | None = None
) -> ClusterCovariance:
    """Covariance of the working coefficients, robust to dependence within clusters.

    Parameters
    ----------
    fit : Fit
    groupings : list of Grouping
    use_correction : {True, "G", "CR1", False}
        Times ``G / (G - 1) (n - 1) / (n - k)`` (as statsmodels and Stata), ``G / (G - 1)``, or nothing.
    meat_of : callable, optional
        Number and meat of the clusters that some of the groupings make together, where rows are out of memory.
    """
    if use_correction not in CORRECTIONS:
        raise UnknownOptionError(
            f"use_correction={use_correction!r} is not known; choose one of True, False, 'G' (or 'CR1'), 'CR2', 'CR3'."
        )
    bread = fit.covariance_working
    total = np.zeros_like(bread)
    meat_of = _in_memory(fit) if meat_of is None else meat_of
    counted = list(groupings)
    for size in range(1, len(groupings) + 1):
        for chosen in combinations(range(len(groupings)), size):
            count, meat = meat_of([groupings[g] for g in chosen])
            if size == 1:
                counted[chosen[0]] = replace(groupings[chosen[0]], count=count)
            total += (-1.0) ** (size + 1) * _factor(fit, count, use_correction) * (bread @ meat @ bread)
    groupings = counted
    notes = warnings_of(fit, groupings)
    if len(groupings) > 1:
        total, repaired = _repaired(total, fit.covariance_root)
        if repaired:
            notes.append(
                "The multi-way covariance was not positive semi-definite; its negative eigenvalues were set to zero "
                "(Cameron, Gelbach and Miller 2011, section 2.3)."
            )
    said = " and ".join(f"{g.count} clusters of {g.name}" for g in groupings)
    how = "times G/(G-1) (n-1)/(n-k)" if use_correction is True else "times G/(G-1)"
    how = how if use_correction else "without small-sample factor"
    return ClusterCovariance(total, f"cluster-robust: {said}, {how}", tuple(notes))


def _in_memory(fit: Fit) -> MeatOf:
    u = score_residuals(fit)

    def meat_of(chosen: list[Grouping]) -> tuple[int, FloatArray]:
        part = _intersection(chosen)
        return part.count, meat_by_code(fit, part.codes, part.count, u)

    return meat_of


def _intersection(groupings: list[Grouping]) -> Grouping:
    codes = groupings[0].codes.astype(np.int64)
    for other in groupings[1:]:
        codes = pd.factorize(codes * other.count + other.codes)[0].astype(np.int64)
    return Grouping(" x ".join(g.name for g in groupings), codes, int(codes.max()) + 1)


def _factor(fit: Fit, clusters: int, use_correction: bool | str) -> float:
    if use_correction is False:
        return 1.0
    n, k = fit.design.observations, fit.parameters
    factor = clusters / (clusters - 1.0)
    return factor * (n - 1.0) / (n - k) if use_correction is True else factor


def warnings_of(fit: Fit, groupings: list[Grouping]) -> list[str]:
    """Say where clusters are few."""
    found = []
    for grouping in groupings:
        if grouping.count <= fit.parameters:
            found.append(
                f"There are {grouping.count} clusters of {grouping.name} and {fit.parameters} coefficients: the covariance has "
                f"rank {grouping.count} at most, and joint tests of all coefficients are not possible."
            )
        elif grouping.count < 30:
            found.append(
                f"{grouping.count} clusters of {grouping.name} are few: the standard errors are likely too small."
            )
    return found


def _repaired(matrix: FloatArray, root: FloatArray) -> tuple[FloatArray, bool]:
    """Cut negative eigenvalues, and say whether there were any.

    They are those of the covariance in units of the model-based one, C C', which no shift or scale of a column changes.
    """
    inverse = np.linalg.pinv(root)
    values, vectors = np.linalg.eigh(inverse @ matrix @ inverse.T)
    if not np.isfinite(values).all() or values.min() >= -1e-10 * values.max():
        return matrix, False
    half = root @ vectors
    return np.asarray((half * np.maximum(values, 0.0)) @ half.T), True


def check_settings(cov_type: str, settings: dict[str, Any]) -> None:
    """Refuse settings that the covariance does not have.

    Raises
    ------
    UnknownOptionError
    """
    known = SETTINGS.get(cov_type, ())
    unknown = [name for name in settings if name not in (*known, *OF_ALL)]
    if unknown:
        has = f"it has {listed([repr(name) for name in known])}" if known else "it has none"
        raise UnknownOptionError(
            f"The covariance {cov_type!r} has no setting {listed([repr(n) for n in unknown])}; {has}."
        )
