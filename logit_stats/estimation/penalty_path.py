"""Whole paths of penalized fits, and the choice of a penalty by cross-validation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.estimation.coordinate_descent import subgradient_violation
from logit_stats.estimation.penalized import PenalizedEstimate, Penalty, prepare
from logit_stats.estimation.proximal_newton import penalized_fit
from logit_stats.likelihoods.rows import loglik_terms

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Held-out deviance of every penalty of a path.

    Attributes
    ----------
    deviance, se : (m,)
        Mean held-out deviance per observation over the folds, and its standard error.
    best, one_se : int
        Position of the least deviance, and of the largest penalty within one standard error of it.
    """

    deviance: FloatArray
    se: FloatArray
    best: int
    one_se: int


def rows_of(design: Design, rows: Rows) -> Design:
    """Return the design of some rows (a copy of them); rows may repeat."""
    response = design.response
    return replace(
        design,
        X=design.X[rows],
        response=replace(
            response,
            successes=response.successes[rows],
            trials=None if response.trials is None else response.trials[rows],
        ),
        weight=None if design.weight is None else replace(design.weight, values=design.weight.values[rows]),
        offset=None if design.offset is None else replace(design.offset, values=design.offset.values[rows]),
        index=design.index[rows],
    )


def largest_alpha(design: Design, penalty: Penalty) -> float:
    """Least strength at which every penalized coefficient is zero; for ridge (where none is) that of a share of 0.001."""
    free = Penalty(np.where(penalty.strength > 0.0, np.inf, 0.0), 1.0, penalty.standardize)
    problem = prepare(design, penalty)
    blocked = replace(free, strength=np.where(penalty.strength > 0.0, 1e6 * _gradient_bound(design), 0.0))
    null = penalized_fit(problem, blocked)
    gradient = null.point.score / problem.observations / problem.unit
    penalized = penalty.strength > 0.0
    share = max(penalty.l1_wt, 1e-3)
    size = subgradient_violation(gradient, np.zeros(len(gradient)), np.zeros(len(gradient)))
    return float((size[penalized] / penalty.strength[penalized]).max(initial=0.0) / share)


def _gradient_bound(design: Design) -> float:
    """No gradient per observation is larger, whatever the scale of the columns."""
    return float(max(1.0, np.abs(design.X).max(initial=0.0)))


def alpha_grid(design: Design, penalty: Penalty, count: int, ratio: float | None) -> FloatArray:
    """Strengths from the least that leaves nothing down to `ratio` times that, evenly spaced in logarithms."""
    if ratio is None:
        ratio = 1e-4 if design.rows > design.columns else 1e-2
    largest = largest_alpha(design, penalty)
    return np.asarray(largest * np.geomspace(1.0, ratio, count))


def penalty_path(design: Design, penalty: Penalty, alphas: FloatArray, tol: float) -> list[PenalizedEstimate]:
    """Fits at falling strengths, each started from the one before (warm starts).

    `penalty.strength` holds the relative weight of each coefficient, 0 for free ones.
    """
    problem = prepare(design, penalty)
    estimates: list[PenalizedEstimate] = []
    for alpha in alphas:
        start = estimates[-1] if estimates else None
        estimates.append(penalized_fit(problem, penalty.times(float(alpha)), start, tol=tol))
    return estimates


def folds(design: Design, count: int, seed: int) -> NDArray[np.intp]:
    """Fold of every row, balanced within outcomes, the same for the same seed: (n,)."""
    rng = np.random.default_rng(seed)
    outcome = design.response.proportions >= 0.5
    fold = np.empty(design.rows, dtype=np.intp)
    first = 0
    for group in (outcome, ~outcome):
        rows = rng.permutation(np.flatnonzero(group))
        fold[rows] = (np.arange(len(rows)) + first) % count
        first += len(rows)
    return fold


def cross_validate(
    design: Design, penalty: Penalty, alphas: FloatArray, count: int, seed: int, tol: float
) -> CrossValidation:
    """Deviance of each strength on rows left out of the fit, by the one-standard-error rule.

    Hastie, Tibshirani and Friedman (2009), The Elements of Statistical Learning, section 7.10.
    """
    fold = folds(design, count, seed)
    losses, sizes = np.empty((count, len(alphas))), np.empty(count)
    for number in range(count):
        inside, outside = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        held_out = rows_of(design, outside)
        sizes[number] = held_out.row_weight.sum()
        for position, estimate in enumerate(penalty_path(rows_of(design, inside), penalty, alphas, tol)):
            losses[number, position] = _deviance(held_out, estimate.beta) / sizes[number]
    share = sizes / sizes.sum()
    mean = share @ losses
    se = np.sqrt(share @ (losses - mean) ** 2 / (count - 1))
    best = int(np.argmin(mean))
    return CrossValidation(mean, se, best, int(np.flatnonzero(mean <= mean[best] + se[best])[0]))


def _deviance(design: Design, beta: FloatArray) -> float:
    eta = design.X @ beta
    if design.offset is not None:
        eta = eta + design.offset.values
    terms = loglik_terms(eta, design.response.successes, design.response.trials)
    return float(-2.0 * (terms.sum() if design.weight is None else design.weight.values @ terms))


def selection_frequencies(
    design: Design, penalty: Penalty, replications: int, share: float, seed: int, tol: float
) -> FloatArray:
    """Share of random subsamples in which each coefficient is not zero: (k,).

    Stability selection (Meinshausen and Bühlmann 2010, Journal of the Royal Statistical Society B 72, 417-473):
    subsamples without replacement; with `share` 1, bootstrap samples. Each outcome keeps its share of the rows.
    """
    rng = np.random.default_rng(seed)
    outcome = design.response.proportions >= 0.5
    chosen = np.zeros(design.columns)
    for _ in range(replications):
        parts = []
        for group in (np.flatnonzero(outcome), np.flatnonzero(~outcome)):
            size = len(group) if share == 1.0 else max(1, round(share * len(group)))
            parts.append(rng.choice(group, size, replace=share == 1.0))
        part = rows_of(design, np.sort(np.concatenate(parts)))
        chosen += penalized_fit(prepare(part, penalty), penalty, tol=tol).beta != 0.0
    return chosen / replications
