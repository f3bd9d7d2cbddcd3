"""Refits of a finished fit under other row weights: what resampling and leaving rows out come down to.

A refit starts one step from its end: at the estimate plus V s, with V the inverse information of the whole fit and s the
score under the new weights. The distance left is of the order of a tenth of a standard error, and Newton's method squares
it with every pass. Rows are never copied: a row left out has weight zero.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.design.row_numbers import RowNumbers
from logit_stats.errors import ConvergenceWarning, RankDeficientError, SeparationError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.likelihoods.kernel import available, kernel_moments, threads
from logit_stats.likelihoods.moments import Moments, block_moments

FITTED, SEPARATED, DEPENDENT, UNFINISHED = range(4)

QUICK_PASSES = 12
# Distance in standard errors after which one more, free step leaves its square.
QUICK_TOLERANCE = 1e-5
# Rows times refits from which threads share the refits: below, they would wait for each other's Python.
THREADED_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class Refits:
    """Working coefficients of several refits.

    Attributes
    ----------
    gamma : (b, k)
        NaN where there is no estimate.
    outcome : (b,) int
        `FITTED`, `SEPARATED` (no finite estimate), `DEPENDENT` (columns dependent in the rows left) or `UNFINISHED`.
    """

    gamma: FloatArray
    outcome: NDArray[np.int_]


class Refitter:
    """Fits the model of a finished fit again under other row weights.

    Parameters
    ----------
    fit : Fit
        A maximum-likelihood fit.
    """

    def __init__(self, fit: Fit) -> None:
        self._fit = fit
        self._scale = 1.0 / np.sqrt(fit.information_working.diagonal())
        self._outer_scale = self._scale * self._scale[:, None]
        self._binary = fit.facts.binary
        self._residual = residuals(fit)

    def fits(self, weights: FloatArray) -> Refits:
        """Refit under each of the rows of `weights` (b, n); rows of weight zero are left out."""
        starts = self._fit.gamma + self._scores(weights) @ self._fit.covariance_working
        jobs = list(zip(weights, starts, strict=True))
        if threads() > 1 and self._fit.design.rows >= THREADED_ROWS and len(jobs) > 1:
            with ThreadPoolExecutor(threads()) as pool:
                found = list(pool.map(lambda job: self._quick(*job), jobs))
        else:
            found = [self._quick(*job) for job in jobs]
        gamma = np.full(starts.shape, np.nan)
        outcome = np.full(len(jobs), FITTED)
        for i, quick in enumerate(found):
            if quick is not None:
                gamma[i] = quick
            else:
                gamma[i], outcome[i] = self._careful(weights[i])
        return Refits(gamma, outcome)

    def _scores(self, weights: FloatArray) -> FloatArray:
        """(b, k) score at the estimate under each of the weights."""
        scores = np.zeros((len(weights), self._fit.parameters))
        start = 0
        for block in self._fit.design.blocks(TALL_ROWS):
            rows = slice(start, start + len(block.successes))
            Z = self._fit.working.columns(block.X)
            scores += weights[:, rows] @ scores_of(self._fit, np.asarray(Z), self._residual[:, rows])
            start = rows.stop
        return scores

    def _moments(self, weight: FloatArray) -> Callable[[FloatArray], Moments]:
        """Moments under row weights, as a function of the working coefficients."""
        fit = self._fit
        if not self._binary:
            design = replace(fit.design, weight=RowNumbers("freq_weights", None, weight))
            return partial(fit.likelihood.moments, design, working=fit.working)
        whole = fit.design.block
        block = Block(whole.X, whole.successes, whole.trials, weight, whole.offset)
        function = kernel_moments if available() else block_moments
        return partial(function, block, center=fit.working.center, scale=fit.working.scale)

    def _quick(self, weight: FloatArray, start: FloatArray) -> FloatArray | None:
        """Newton's method without safeguards; None where something looks wrong and the careful way must decide."""
        moments, gamma = self._moments(weight), start
        with np.errstate(all="ignore"):
            here = moments(gamma)
            for _ in range(QUICK_PASSES):
                step = self._step(here)
                if step is None:
                    return None
                squared = float(here.score @ step)
                if squared <= QUICK_TOLERANCE**2:
                    # so small a decrement proves that nothing is separated (see maximum_likelihood.py)
                    least = min(1.0, float(weight.min(initial=1.0, where=weight > 0.0)))
                    return gamma + step if squared < 0.5 * least * np.exp(-here.max_abs_eta) else None
                gamma = gamma + step
                there = moments(gamma)
                if not there.loglik >= here.loglik - 1e-10 * (1.0 + abs(here.loglik)):
                    return None
                here = there
        return None

    def _step(self, here: Moments) -> FloatArray | None:
        _, scaled, failed = dposv(here.information * self._outer_scale, here.score * self._scale, lower=1)
        return None if failed else np.asarray(scaled * self._scale)

    def _careful(self, weight: FloatArray) -> tuple[FloatArray, int]:
        """Fit the rows of positive weight with every check of a first fit."""
        nothing = np.full(self._fit.parameters, np.nan)
        design = self._fit.design.at(np.flatnonzero(weight > 0.0))
        argument = "sampling_weights" if design.weight_kind == "sampling" else "freq_weights"
        design = replace(design, weight=RowNumbers(argument, None, weight[weight > 0.0]))
        if _lacks_an_outcome(design):
            return nothing, SEPARATED
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ConvergenceWarning)
                found = maximum_likelihood(design, maxiter=100)
        except RankDeficientError:
            return nothing, DEPENDENT
        except SeparationError:
            return nothing, SEPARATED
        except ConvergenceWarning:
            return nothing, UNFINISHED
        return self._fit.working.gamma(found.beta), FITTED


def residuals(fit: Fit) -> FloatArray:
    """(E, n) derivatives of every row's log-likelihood by its linear predictors, weights left out."""
    return np.atleast_2d(fit.likelihood.residuals(fit.design, fit.eta))


def scores_of(fit: Fit, Z: FloatArray, residual: FloatArray) -> FloatArray:
    """(m, p) scores of rows with working columns Z and residuals (E, m)."""
    if len(residual) == 1:
        return np.asarray(Z * residual[0][:, None])
    return fit.design.parameters.gathered(residual.T[:, :, None] * Z[:, None, :])


def _lacks_an_outcome(design: Design) -> bool:
    """Whether an outcome never occurs in the rows: then no finite estimate exists."""
    if design.response.categories is not None:
        return len(np.unique(design.response.categories.codes)) < len(design.response.categories.labels)
    events = float(design.response.successes.sum())
    trials = float(design.rows) if design.response.trials is None else float(design.response.trials.sum())
    return not 0.0 < events < trials
