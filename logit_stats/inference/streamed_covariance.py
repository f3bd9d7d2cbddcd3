"""Covariances of fits whose rows are out of memory: each is a sum over rows, taken in one more pass, or in none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.given_rows import for_rows_used
from logit_stats.design.streamed import StreamedDesign
from logit_stats.errors import DataError, NotAvailableError, counted, listed_rows
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.streamed import CarriedFit, StreamedFit, squared_scores
from logit_stats.inference.cluster import Grouping
from logit_stats.inference.row_scores import leverages, residuals_and_weights, score_residuals, sums_by_code
from logit_stats.likelihoods.deviance import deviance_terms, pearson_residual

# With less than this left, a row's leverage is one up to rounding.
FIXED = 1e-10
# Most clusters are looked at in so many passes.
LARGEST_SPLIT = 256


@dataclass(frozen=True, eq=False)
class Numbers:
    """An array that is added up, and rows that were counted."""

    values: FloatArray
    rows: tuple[Any, ...] = ()

    def __add__(self, other: Numbers) -> Numbers:
        return Numbers(self.values + other.values, (self.rows + other.rows)[:3])


def leverage_meat(fit: StreamedFit, power: int) -> tuple[FloatArray, tuple[Any, ...]]:
    """Meat of HC2 (power 1) and HC3 (2) in one pass, and labels of rows whose leverage is one."""
    found: Numbers = _rows(fit).sum(partial(_leverage_meat, fit=fit.carried, power=power), f"HC{power + 1}")
    return found.values, found.rows


def _leverage_meat(design: Design, fit: CarriedFit, power: int) -> Numbers:
    part = fit.on(design)
    _, weight = residuals_and_weights(part)
    left = 1.0 - leverages(part, weight)
    fixed = tuple(np.asarray(design.index)[left < FIXED].tolist()[:3])
    factor = 1.0 / np.where(left < FIXED, 1.0, left) ** power
    return Numbers(squared_scores(design, part.eta, fit.working, factor), fixed)


def dispersion_sum(fit: StreamedFit, dispersion: str) -> float:
    """Sum of the squared Pearson residuals, or the deviance."""
    found: Numbers = _rows(fit).sum(partial(_dispersion, fit=fit.carried, dispersion=dispersion), "dispersion")
    return float(found.values[0])


def _dispersion(design: Design, fit: CarriedFit, dispersion: str) -> Numbers:
    eta, response = fit.on(design).eta, design.response
    weight = 1.0 if design.weight is None else design.weight.values
    if dispersion == "pearson":
        terms = pearson_residual(eta, response.successes, response.trials) ** 2
    else:
        terms = deviance_terms(eta, response.successes, response.trials)
    return Numbers(np.array([float(np.sum(weight * terms))]))


def _rows(fit: Fit) -> StreamedDesign:
    assert isinstance(fit.design, StreamedDesign)
    return fit.design


class TooManyClustersError(NotAvailableError):
    """The sums of so many clusters do not fit into the memory given."""

    def __init__(self) -> None:
        super().__init__("There are too many clusters for the memory given: raise memory= in scan().")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()


@dataclass(frozen=True, eq=False)
class ClusterSums:
    """Sums of the scores by cluster.

    Attributes
    ----------
    labels : Index
        Labels of the clusters.
    sums : (G, k)
    memory : int
        Bytes that they may take.
    """

    labels: pd.Index
    sums: FloatArray
    memory: int

    def __add__(self, other: ClusterSums) -> ClusterSums:
        labels = self.labels.append(other.labels)
        codes, unique = pd.factorize(labels)
        # the tree of sums holds some of these at the same time
        if 4 * 8 * len(unique) * self.sums.shape[1] > self.memory:
            raise TooManyClustersError
        sums = np.zeros((len(unique), self.sums.shape[1]))
        sums[codes[: len(self.labels)]] = self.sums
        sums[codes[len(self.labels) :]] += other.sums
        return ClusterSums(pd.Index(unique), sums, self.memory)


@dataclass(frozen=True, eq=False)
class SumsOfRange:
    """Sums of the scores by cluster in a range of rows; of several buckets of labels only one."""

    fit: CarriedFit
    columns: tuple[str, ...]
    memory: int
    bucket: int = 0
    buckets: int = 1

    def __call__(self, design: Design) -> ClusterSums | None:
        """Of one range of rows."""
        part = self.fit.on(design)
        labels = _labels(design, self.columns)
        codes, unique = pd.factorize(labels)
        sums = sums_by_code(part, codes.astype(np.intp), len(unique), score_residuals(part)).T
        if self.buckets > 1:
            hashed = pd.util.hash_array(np.asarray(pd.Index(unique).astype(str), dtype=object))
            mine = hashed % np.uint64(self.buckets) == np.uint64(self.bucket)
            unique, sums = pd.Index(unique)[mine], sums[mine]
        return ClusterSums(pd.Index(unique), sums, self.memory) if len(unique) else None


def _labels(design: Design, columns: tuple[str, ...]) -> Any:
    """Label of every row used; of several columns a pair, triple, ... of labels."""
    found = []
    for name in columns:
        values = pd.Series(np.asarray(for_rows_used(design, name, name)))
        if values.isna().any():
            rows = np.asarray(design.index)[values.isna().to_numpy()]
            raise DataError(
                f"{name!r} is missing in {counted(len(rows), 'row')} used (row {listed_rows(rows)}); "
                f"fill it, or leave these rows out."
            )
        found.append(values)
    return found[0] if len(found) == 1 else pd.MultiIndex.from_arrays(found).to_flat_index()


def cluster_columns(fit: Fit, groups: Any) -> tuple[str, ...]:
    """Names of the columns that hold the clusters.

    Raises
    ------
    DataError
        If labels were given in the place of names.
    """
    names = [groups] if isinstance(groups, str) else groups
    if not isinstance(names, (list, tuple)) or not names or not all(isinstance(name, str) for name in names):
        raise DataError(
            "groups= was given as labels, and the rows are out of memory: give the name of a column of the files, or a list of "
            "names."
        )
    return tuple(names)


def cluster_meats(fit: StreamedFit, columns: tuple[str, ...]) -> Callable[[list[Grouping]], tuple[int, FloatArray]]:
    """A function that gives number and meat of the clusters that some of the groupings make together.

    Each takes a pass; where the sums of all clusters do not fit into the memory given, several, of some of the clusters each.
    """
    design = _rows(fit).reading(columns)

    def meat(chosen: list[Grouping]) -> tuple[int, FloatArray]:
        names = tuple(grouping.name for grouping in chosen)
        buckets = 1
        while buckets <= LARGEST_SPLIT:
            try:
                return _meat(fit, design, names, buckets)
            except TooManyClustersError:
                buckets *= 4
        raise TooManyClustersError

    return meat


def _meat(fit: StreamedFit, design: StreamedDesign, names: tuple[str, ...], buckets: int) -> tuple[int, FloatArray]:
    count, total = 0, np.zeros((fit.parameters, fit.parameters))
    for bucket in range(buckets):
        function = SumsOfRange(fit.carried, names, design.stream.memory, bucket, buckets)
        found: ClusterSums | None = design.sum(function, "clusters")
        if found is not None:
            count += len(found.labels)
            total += found.sums.T @ found.sums
    return count, total


def counted_groupings(fit: StreamedFit, columns: tuple[str, ...]) -> list[Grouping]:
    """The groupings by name; how many clusters each has is seen when its sums are taken."""
    return [Grouping(name, np.zeros(0, dtype=np.intp), 0) for name in columns]


def refuse(cov_type: str, settings: dict[str, Any]) -> None:
    """Raise where a covariance cannot be had in passes."""
    instead = {
        "HAC": "cov_type='cluster' with the series as groups",
        "bootstrap": "HC0 to HC3 or 'cluster', which a pass gives exactly",
    }
    if cov_type in instead:
        raise NotAvailableError(
            f"cov_type={cov_type!r} needs all rows at once, and they are out of memory; use {instead[cov_type]}."
        )
    if cov_type == "survey" and any(value is not None for name, value in settings.items() if name != "lonely"):
        raise NotAvailableError(
            "The survey covariance with strata, sampling units or finite populations needs the design of all rows in memory; "
            "out of it use cov_type='cluster' with the sampling units as groups, which is the same without strata."
        )
    if settings.get("use_correction") in ("CR2", "CR3"):
        raise NotAvailableError(
            f"use_correction={settings['use_correction']!r} needs all rows of a cluster at once, and they are out of memory; "
            f"use True or 'G'."
        )
