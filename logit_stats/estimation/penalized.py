"""Penalized maximum likelihood: what is minimised, in which columns, and the estimate.

With N observations and a penalty lambda_j for each coefficient,

    -loglik(beta) / N + sum_j lambda_j [ (1 - w) d_j^2 / 2 + w |d_j| ],        d_j = s_j beta_j,

where s_j is one, or the standard deviation (divisor N) of column j where columns are standardized (Friedman, Hastie and
Tibshirani 2010, Journal of Statistical Software 33(1), equations 3 and 17). The minimum is found in `proximal_newton`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.coded import coded
from logit_stats.design.design import Design
from logit_stats.estimation.likelihood import moments
from logit_stats.likelihoods.moments import Moments, Score
from logit_stats.likelihoods.working import WorkingColumns

TOLERANCE = 1e-10
# Fits of more rows start from a fit of a part of them: the part costs a tenth of a pass, and saves several passes.
SUBSAMPLE_ROWS = 50_000
SUBSAMPLE_STRIDE = 16


@dataclass(frozen=True, eq=False)
class Penalty:
    """An elastic-net penalty.

    Attributes
    ----------
    strength : (k,)
        lambda_j of each coefficient, per observation; 0 leaves it free.
    l1_wt : float
        Share w of the absolute values: 0 is ridge, 1 is the lasso.
    standardize : bool
        Whether the penalty is on coefficients of columns divided by their standard deviations.
    """

    strength: FloatArray
    l1_wt: float
    standardize: bool = False

    def times(self, factor: float) -> Penalty:
        """Return the penalty with every strength multiplied."""
        return replace(self, strength=self.strength * factor)


@dataclass(frozen=True, eq=False)
class PenalizedProblem:
    """A design made ready for penalized fits: several penalties share its columns.

    Attributes
    ----------
    design : Design
    working : WorkingColumns
        Columns of mean zero (where the intercept is free) and standard deviation one.
    unit : (k,)
        ``d_j = unit_j * gamma_j``: from working to penalized coefficients.
    observations : float
        N: weights times trials, summed.
    pinned : (k, k) or None
        Curvature added where the likelihood has none, in directions that no step should take.
    """

    design: Design
    working: WorkingColumns
    unit: FloatArray
    observations: float
    pinned: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class PenalizedEstimate:
    """A penalized fit.

    Attributes
    ----------
    problem : PenalizedProblem
    penalty : Penalty
    gamma : (k,)
        Working coefficients.
    point : Moments or Score
        Log-likelihood and score at the estimate.
    curvature : (k, k)
        Information per observation, nearly: what the last step was taken with.
    objective : float
        What was minimised.
    violation : float
        Largest violation of the conditions of an optimum (gradient per observation, by penalized coefficient).
    converged : bool
    iterations : int
    """

    problem: PenalizedProblem
    penalty: Penalty
    gamma: FloatArray
    point: Moments | Score
    curvature: FloatArray
    objective: float
    violation: float
    converged: bool
    iterations: int

    @cached_property
    def moments(self) -> Moments:
        """Log-likelihood, score and information at the estimate."""
        if isinstance(self.point, Moments):
            return self.point
        return moments(self.problem.design, self.gamma, self.problem.working)

    @property
    def beta(self) -> FloatArray:
        """(k,) coefficients of the user's columns; zeros are exact."""
        beta = self.problem.working.beta(self.gamma)
        column = np.arange(len(beta)) % self.problem.design.columns
        beta[(self.gamma == 0.0) & (column != self.problem.working.constant)] = 0.0
        return beta


def column_sums(design: Design, center: FloatArray | None) -> FloatArray:
    """Weighted sums of the columns, or with `center` of their squared distances to it: (k,)."""

    def of_block(block: Block) -> FloatArray:
        weight = np.ones(len(block.successes)) if block.weight is None else block.weight
        if block.trials is not None:
            weight = weight * block.trials
        return np.asarray(weight @ (block.X if center is None else (block.X - center) ** 2))

    return design.reduce(of_block, rows=4096)


def _deviations(design: Design, mean: FloatArray, total: float) -> FloatArray:
    """Standard deviations of the columns: (k,)."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        deviation = np.sqrt(column_sums(design, mean) / total)
    extreme = ~((deviation > 1e-150) & (deviation < 1e150))
    if extreme.any():  # constant, or of a size whose square is no number
        distance = np.abs(design.X[:, extreme] - mean[extreme])
        size = np.where((distance > 0.0).any(axis=0), distance.max(axis=0), 1.0)
        deviation[extreme] = size * np.sqrt(design.row_weight @ (distance / size) ** 2 / total)
    return np.asarray(deviation)


def prepare(design: Design, penalty: Penalty) -> PenalizedProblem:
    """Centre and scale the columns for a kind of penalty (its strength may still change, but not where it is zero)."""
    total = float(design.row_weight.sum())
    # where columns are not standardized, centre and scale only condition the problem: a part of the rows will do
    part = design.thinned(SUBSAMPLE_STRIDE) if not penalty.standardize and design.rows >= SUBSAMPLE_ROWS else design
    counted = float(part.row_weight.sum())
    mean = column_sums(part, None) / counted
    deviation = _deviations(part, mean, counted)
    constant = design.constant
    deviation[deviation <= 1e-13 * np.abs(mean)] = 0.0
    sized = np.where(deviation > 0.0, deviation, np.where(mean != 0.0, np.abs(mean), 1.0))
    if constant is not None:
        sized[constant] = 1.0
    centred = constant is not None and penalty.strength[constant] == 0.0
    center = None
    if centred:
        mean[constant] = 0.0
        # a second constant column stays as it is: centred, it would be nothing
        center = np.where(deviation > 0.0, mean, 0.0)
    scale = 1.0 / sized
    by_code = coded(design.X)
    for piece in (
        () if by_code is None else by_code.parts
    ):  # coded columns are of size one already, and stay as they are
        scale[piece.columns] = 1.0
        if center is not None:
            center[piece.columns] = 0.0
    value = float(design.X[0, constant]) if constant is not None else 1.0
    working = WorkingColumns(center, scale, constant if centred else None, value)
    unit = sized * scale if penalty.standardize else scale
    return PenalizedProblem(design, working, unit, total)
