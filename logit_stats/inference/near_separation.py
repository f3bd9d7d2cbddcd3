"""Nearly separated data: a finite estimate that a few observations hold back from infinity.

The estimate exists as long as no direction separates the data, however little they overlap (Albert and Anderson 1984); how many
observations the overlap consists of is the data's regression depth (Christmann and Rousseeuw 2001, Computational Statistics and
Data Analysis 37, 65-75). Where it is one or very few, coefficients and standard errors are set by these and mean little. Finding
the depth is hard; that it is small is shown by taking away the observations that influence the fit most, or that it predicts
worst, and looking for separation among the others. It is looked for only where some row is predicted with near certainty by
a linear predictor that is itself badly determined.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import listed, listed_rows
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.estimation.recession import FINITE
from logit_stats.estimation.separation import Separation, find_separation
from logit_stats.likelihoods.rows import probability

CERTAIN = 15.0  # linear predictor of a probability within 3e-7 of 0 or 1
DETERMINED = 4.0  # standard errors that a well determined one is away from zero
MOST = 3.0  # observations taken away
LOOKED_AT = 1000  # rows whose standard error is computed


@dataclass(frozen=True, eq=False)
class NearSeparation:
    """What holds an estimate back from infinity.

    Attributes
    ----------
    rows : (m,) int
        Positions of the rows of which observations were taken away.
    observations : float
        How many observations.
    separation : Separation
        That of the others.
    """

    rows: NDArray[np.intp]
    observations: float
    separation: Separation

    def message(self, fit: Fit) -> str:
        """Say which observations, which columns, and what to do."""
        fates = zip(self.separation.names, self.separation.fates, fit.beta, fit.standard_errors, strict=True)
        moved = [f"{name} ({beta:.4g}, SE {error:.3g})" for name, fate, beta, error in fates if fate != FINITE]
        one = self.observations == 1.0
        what = "one observation" if one else f"{self.observations:g} observations"
        labels = listed_rows(np.asarray(fit.design.index)[self.rows])
        return (
            f"Nearly separated: the estimate is finite only because of {what} (row {labels}); without {'it' if one else 'them'} "
            f"there is {self.separation.kind} separation, and the coefficients of {listed(moved, 6)} would have no finite "
            f"estimate. Their size and standard errors mean little. Look at {'that row' if one else 'these rows'}; take p-values "
            f'and intervals from the likelihood (lr_test(), conf_int(method="profile")), or use fit_firth().'
        )


def near_separation(fit: Fit) -> NearSeparation | None:
    """Say which few observations keep the data from being separated; None where there are more than a few, or no sign of it."""
    if not (fit.converged and fit.design.in_memory and fit.max_abs_eta > CERTAIN):
        return None
    eta = fit.eta
    if not _badly_determined(fit, eta):
        return None
    removal = _Removal.of(fit, eta)
    tried: set[tuple[int, ...]] = set()
    for order in (np.argsort(-removal.influence, kind="stable"), np.argsort(removal.prob, kind="stable")):
        for m in range(1, int(MOST) + 1):
            rows = np.sort(order[:m])
            if removal.cost[rows].sum() > MOST:
                break
            if tuple(rows) in tried:
                continue
            tried.add(tuple(rows))
            left = removal.without(fit.design, rows)
            if left is None:
                continue
            found = find_separation(left, fit.beta)
            if found.kind != "none":
                return NearSeparation(rows, float(removal.cost[rows].sum()), found)
    return None


def _badly_determined(fit: Fit, eta: FloatArray) -> bool:
    """Whether a row that is predicted with near certainty has a linear predictor within a few standard errors of zero."""
    certain = np.flatnonzero(np.abs(eta) > CERTAIN)
    certain = certain[:: max(1, len(certain) // LOOKED_AT)]
    errors = np.sqrt(_forms(fit, certain))
    return bool((np.abs(eta[certain]) < DETERMINED * errors).any())


def _forms(fit: Fit, rows: NDArray[np.intp]) -> FloatArray:
    """(m,) variances of the linear predictors of rows."""
    forms = np.empty(len(rows))
    for start in range(0, len(rows), TALL_ROWS):
        part = slice(start, start + TALL_ROWS)
        Z = np.asarray(fit.working.columns(fit.design.X[rows[part]]))
        forms[part] = np.einsum("ij,ij->i", Z @ fit.covariance_working, Z)
    return forms


@dataclass(frozen=True, eq=False)
class _Removal:
    """For each row, the observations that can be taken away from it: those of the outcome it is less sure of.

    Attributes
    ----------
    prob : (n,)
        Probability of that outcome.
    influence : (n,)
        How far the coefficients move without one such observation: Cook's distance, in one step.
    cost : (n,)
        Number of observations.
    event : (n,) bool
        Whether they are events.
    """

    prob: FloatArray
    influence: FloatArray
    cost: FloatArray
    event: NDArray[np.bool_]

    @classmethod
    def of(cls, fit: Fit, eta: FloatArray) -> _Removal:
        design = fit.design
        y = design.response.successes
        m = np.ones_like(y) if design.response.trials is None else design.response.trials
        # a row of both outcomes loses the rarer one, a row of one outcome all of it
        event = np.where((y > 0.0) & (y < m), 2.0 * y <= m, y > 0.0)
        prob = np.where(event, probability(eta), probability(-eta))
        cost = np.where(event, y, m - y) * (1.0 if design.frequency is None else design.frequency)
        few = (cost > 0.0) & (cost <= MOST)
        form = np.zeros(design.rows)
        # observations that were to be expected move nothing
        surprising = np.flatnonzero(few & (prob < 0.999))
        form[surprising] = _forms(fit, surprising)
        left = np.maximum(1.0 - prob * (1.0 - prob) * form, 1e-12)
        influence = np.where(few, ((1.0 - prob) / left) ** 2 * form, -1.0)
        return cls(np.where(few, prob, np.inf), influence, np.where(few, cost, np.inf), event)

    def without(self, design: Design, rows: NDArray[np.intp]) -> Design | None:
        """Design without the observations; None where the others have one outcome only."""
        y = design.response.successes.copy()
        m = np.ones_like(y) if design.response.trials is None else design.response.trials.copy()
        gone = np.where(self.event[rows], y[rows], m[rows] - y[rows])
        y[rows] -= np.where(self.event[rows], gone, 0.0)
        m[rows] -= gone
        if y.sum() <= 0.0 or (m - y).sum() <= 0.0:
            return None
        return replace(design, response=replace(design.response, successes=y, trials=m))
