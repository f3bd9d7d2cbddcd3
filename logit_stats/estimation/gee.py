"""From rows in clusters to a `GeeFit`: estimating equations solved from the estimate of independence."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import ConvergenceWarning, DataError, WeightError
from logit_stats.estimation.clusters import ClusteredRows, clustered_rows
from logit_stats.estimation.estimating_equations import TOLERANCE, Equations, Root, solve_equations
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.estimation.working_correlation import WorkingCorrelation, working_correlation
from logit_stats.likelihoods.facts import Facts
from logit_stats.likelihoods.rows import loglik_terms
from logit_stats.likelihoods.working import WorkingColumns

NO_LIKELIHOOD = (
    "needs a likelihood, and estimating equations have none; use Wald tests and intervals (wald_test(), anova(test='Wald')), "
    "and qic() to compare models"
)


@dataclass(frozen=True, eq=False)
class ClusterLabels:
    """Which rows belong together, and where they stand in their cluster.

    Attributes
    ----------
    name : str
        What the clusters are of.
    codes : (n,) int
        Cluster of each row, from 0.
    labels : tuple
        What each cluster is called.
    time_name : str or None
    time : (n,) or None
        Where each row stands; None for the order of the rows.
    """

    name: str
    codes: NDArray[np.intp]
    labels: tuple[object, ...]
    time_name: str | None = None
    time: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class CorrelationEstimate:
    """An estimated working correlation.

    Attributes
    ----------
    name : str
        Structure.
    alpha : (a,)
        Its numbers.
    matrix : (T, T)
        Correlation of a cluster that has all positions.
    positions : (T,)
        These.
    beyond : float
        Share of pairs of rows for which two yes/no outcomes of such probabilities cannot be so correlated.
    """

    name: str
    alpha: FloatArray
    matrix: FloatArray
    positions: FloatArray
    beyond: float


@dataclass(frozen=True, eq=False)
class GeeFit(Fit):
    """Coefficients that solve estimating equations; `loglik` is the quasi-likelihood of independence there.

    Attributes
    ----------
    at : Equations or None
        The equations at the estimate; None where the rows were taken out.
    labels : ClusterLabels
    correlation : CorrelationEstimate
    scale : float
        Dispersion.
    sizes : (G,)
        Rows of each cluster.
    """

    at: Equations | None = field(kw_only=True)
    labels: ClusterLabels = field(kw_only=True)
    correlation: CorrelationEstimate = field(kw_only=True)
    scale: float = field(kw_only=True)
    sizes: NDArray[np.intp] = field(kw_only=True)

    @cached_property
    def facts(self) -> Facts:
        """No likelihood."""
        return super().facts.but({"likelihood": NO_LIKELIHOOD}, likelihood=False)

    @cached_property
    def _ill_conditioned_root(self) -> FloatArray | None:
        return None

    @cached_property
    def independence_information(self) -> FloatArray:
        """(k, k) information of independent rows, without a dispersion, in the working columns."""
        return self.likelihood.moments(self.design, self.gamma, self.working).information

    def without_rows(self) -> Self:
        """Return the same fit without its rows; what inference needs of them is computed now."""
        values = {"independence_information": self.independence_information}
        labels = replace(self.labels, codes=np.zeros(0, dtype=np.intp), time=None)
        fit = replace(super().without_rows(), at=None, labels=labels)
        fit.__dict__.update({**self.__dict__, **values, "design": fit.design, "at": None, "labels": labels})
        fit.__dict__.pop("facts", None)
        return fit


def gee_fit(
    design: Design,
    labels: ClusterLabels,
    corr: str,
    *,
    scale: float | None = None,
    small_sample: bool = True,
    start: FloatArray | None = None,
    maxiter: int = 100,
    tol: float | None = None,
    check_rank: bool | str = True,
) -> GeeFit:
    """Fit the marginal model.

    Parameters
    ----------
    design : Design
    labels : ClusterLabels
    corr : {"independence", "exchangeable", "ar1", "unstructured"}
    scale : float, optional
        Dispersion; by default estimated.
    small_sample : bool
        Whether moments are divided by the number of terms less the number of coefficients (SAS, gee), or by the number of
        terms (geepack).
    start : (k,), optional
        Coefficients to start from, by default those of independence.
    maxiter, tol
        Largest number of steps; length of a step in standard errors that counts as none.
    check_rank : bool or "drop"

    Raises
    ------
    EstimationError
        If there is no finite estimate, or the working correlation is not feasible.
    DataError
        If there is one cluster, or a time stands twice in a cluster.

    Warns
    -----
    ConvergenceWarning
        If the steps end before the tolerance is met.
    """
    first = maximum_likelihood(design, check_rank=check_rank, stacklevel=4)
    design, working = first.design, first.working
    rows = rows_of_clusters(design, labels, working)
    _check(rows, labels, corr, design)
    structure = working_correlation(corr, rows)
    ddof = float(first.parameters) if small_sample else 0.0
    gamma = first.gamma if start is None else working.gamma(np.asarray(start, dtype=np.float64))
    tol = TOLERANCE if tol is None else tol
    root = solve_equations(rows, structure, gamma, ddof=ddof, scale=scale, maxiter=maxiter, tol=tol)
    if not root.converged:
        warnings.warn(
            f"The estimating equations were not solved in {root.iterations} steps: the last was {root.distance:.2g} standard "
            f"errors long. Raise maxiter=, or use another working correlation.",
            ConvergenceWarning,
            stacklevel=3,
        )
    return _finished(first, rows, structure, labels, root)


def _finished(
    first: Fit, rows: ClusteredRows, structure: WorkingCorrelation, labels: ClusterLabels, root: Root
) -> GeeFit:
    design, at = first.design, root.at
    response = design.response
    weight = np.ones(design.rows) if design.weight is None else design.weight.values
    eta = first.likelihood.linear_predictor(design, root.gamma, first.working)
    loglik = float(weight @ loglik_terms(eta, response.successes, response.trials))
    longest = rows.starts[int(rows.sizes.argmax())]
    positions = getattr(structure, "levels", rows.time[longest : longest + int(rows.sizes.max())])
    beyond = 0.0 if response.grouped else share_beyond_bounds(rows, structure, at)
    return GeeFit(
        design=design,
        working=first.working,
        gamma=root.gamma,
        information_working=at.information / at.phi,
        loglik=loglik,
        max_abs_eta=float(np.abs(eta).max()),
        null=first.null,
        constant_in_span=first.constant_in_span,
        method="GEE",
        converged=root.converged,
        iterations=root.iterations,
        decrement=root.distance,
        trace=first.trace,
        at=at,
        labels=labels,
        correlation=CorrelationEstimate(structure.name, at.alpha, structure.matrix(at.alpha), positions, beyond),
        scale=at.phi,
        sizes=rows.sizes,
    )


def rows_of_clusters(design: Design, labels: ClusterLabels, working: WorkingColumns | None = None) -> ClusteredRows:
    """Rows of a design, sorted by cluster; their columns in the solver's terms.

    Frequency weights say how many identical clusters there are, sampling weights and trials weigh rows.

    Raises
    ------
    WeightError
        If a frequency weight varies within a cluster.
    """
    response = design.response
    trials = np.ones(design.rows) if response.trials is None else response.trials
    weight = trials if design.weight_kind != "sampling" else trials * design.weight.values  # type: ignore[union-attr]
    rows = clustered_rows(
        design.X if working is None else np.asarray(working.columns(design.X)),
        response.successes / trials,
        labels.codes,
        trials=weight,
        offset=None if design.offset is None else design.offset.values,
        time=labels.time,
        copies=design.frequency,
    )
    if design.frequency is not None and (design.frequency[rows.order] != rows.row_copies).any():
        row = int(np.flatnonzero(design.frequency[rows.order] != rows.row_copies)[0])
        raise WeightError(
            f"freq_weights vary within {labels.name} {labels.labels[rows.cluster[row]]!r}: a frequency weight stands for that "
            f"many identical clusters, and must be the same in all rows of a cluster. Expand the rows, or give trials=."
        )
    return rows


def _check(rows: ClusteredRows, labels: ClusterLabels, corr: str, design: Design) -> None:
    if len(rows.starts) < 2:
        raise DataError(
            f"{labels.name!r} has a single cluster: robust errors come from differences between clusters, of which two are "
            f"needed at the least, better 30."
        )
    if corr != "independence" and rows.sizes.max() == 1:
        raise DataError(
            f"Every {labels.name} has a single row: there is no correlation within clusters to estimate. Use logit(), or "
            f"corr='independence'."
        )
    inside = rows.cluster[1:] == rows.cluster[:-1]
    twice = np.flatnonzero(inside & (np.diff(rows.time) == 0.0))
    if len(twice):
        i = int(twice[0]) + 1
        raise DataError(
            f"{labels.time_name!r} has the value {rows.time[i]:g} more than once in {labels.name} "
            f"{labels.labels[rows.cluster[i]]!r} (row {design.index[rows.order[i]]}; {len(twice)} such rows in all): each row of "
            f"a cluster needs a time of its own."
        )


def share_beyond_bounds(rows: ClusteredRows, structure: WorkingCorrelation, at: Equations) -> float:
    """Share of pairs whose working correlation two yes/no outcomes with these probabilities cannot have.

    The correlation of outcomes with odds a < b lies between ``-min(sqrt(ab), 1/sqrt(ab))`` and ``sqrt(a/b)`` (Prentice 1988,
    Biometrics 44, 1033-1048).
    """
    beyond = pairs = 0.0
    if structure.name == "independence":
        return 0.0
    for clusters, all_rows in rows.by_size():
        size = all_rows.shape[1]
        # a quadratic number of pairs a cluster: of very large clusters the first rows stand for all
        members = all_rows[: max(1, 20_000_000 // size**2)] if size <= 2000 else all_rows[:1, :2000]
        half = 0.5 * at.eta[members]
        difference, total = half[:, :, None] - half[:, None, :], half[:, :, None] + half[:, None, :]
        R = structure.between(at.alpha, members)
        impossible = (np.exp(-np.abs(difference)) * (1 + 1e-9) < R) | (-np.exp(-np.abs(total)) * (1 + 1e-9) > R)
        impossible[:, np.arange(members.shape[1]), np.arange(members.shape[1])] = False
        share = len(clusters) / len(members)
        beyond += share * impossible.sum() / 2.0
        pairs += share * len(members) * members.shape[1] * (members.shape[1] - 1) / 2.0
    return beyond / pairs if pairs else 0.0
