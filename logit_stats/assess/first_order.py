"""First-order changes of a coefficient and of its standard error when one observation is left out, or its outcome changed.

With V the inverse information, q = V e_j and c_i = z_i'q, leaving out an observation of row i moves the coefficients by
``-V z_i u_i / (1 - h_i)``, and the squared standard error by what the observation itself contributed and by what the move of
the coefficients does to every other row: one vector of k numbers, found in one pass over the rows, stands for the latter
(Broderick, Giordano and Meager 2020, An automatic finite-sample robustness metric, arXiv 2011.14999, section 2.2). All is
linear in the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.errors import LogitStatsError
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.inference.cluster import read_codes, read_groups
from logit_stats.inference.row_scores import information_weights, leverages, score_residuals
from logit_stats.inference.wald import Reported
from logit_stats.likelihoods.kernel import linear_predictor
from logit_stats.likelihoods.rows import probability

LEAST_LEFT = 1e-8


@dataclass(frozen=True, eq=False)
class Changes:
    """Changes of a coefficient and of its standard error, in standard errors, one for each thing that could be done."""

    beta: FloatArray
    se: FloatArray


class FirstOrder:
    """First-order changes of one coefficient of a fit.

    Parameters
    ----------
    reported : Reported
        Standard errors are those of its covariance: model-based, or a sandwich over rows or clusters (other kinds count as the
        nearest of these, which is good enough for a search whose finds are verified).
    j : int
        The coefficient.
    """

    def __init__(self, reported: Reported, j: int) -> None:
        fit = reported.fit
        self._reported, self._fit = reported, fit
        self._V = fit.covariance_working
        # in standard errors, whose squares are numbers whatever the units of the column
        unit = fit.working.matrix(fit.parameters)[j] / float(reported.standard_errors[j])
        self._c = self._along(self._V @ unit)
        weight = fit.design.weight
        sampling = weight is not None and fit.design.weight_kind == "sampling"
        # one of the identical rows of a frequency weight is spoken of; a sampling weight goes with its row
        self._own = weight.values if weight is not None and sampling else np.ones(fit.design.rows)
        self._repeats = np.ones(fit.design.rows) if fit.design.frequency is None else fit.design.frequency
        self._u = score_residuals(fit, weighted=False) * self._own
        self._v = information_weights(fit) * self._own
        self._curve = self._v * (1.0 - 2.0 * probability(fit.eta))

    def _along(self, direction: FloatArray) -> FloatArray:
        """(n,) ``Z direction``."""
        return linear_predictor(self._fit.design.X, direction, None, self._fit.working.center, self._fit.working.scale)

    def _total(self, values: FloatArray) -> FloatArray:
        """(k,) ``Z' values``, repeated rows counted."""
        total, start = np.zeros(self._fit.parameters), 0
        for block in self._fit.design.blocks(TALL_ROWS):
            rows = slice(start, start + len(block.successes))
            total += (self._repeats[rows] * values[rows]) @ self._fit.working.columns(block.X)
            start = rows.stop
        return total

    @cached_property
    def _left(self) -> FloatArray:
        return np.maximum(1.0 - leverages(self._fit), LEAST_LEFT)

    @cached_property
    def _codes(self) -> NDArray[np.intp] | None:
        """(n,) clusters of the covariance (the first grouping, of several); None where rows are units."""
        settings = self._reported.cov.settings
        design = self._fit.design
        if settings.get("groups") is not None:
            return read_groups(design, settings["groups"])[0].codes
        if settings.get("psu") is not None:
            try:
                return read_codes(design, settings["psu"], "psu")[0]
            except LogitStatsError:
                return None
        return None

    @cached_property
    def _sandwich(self) -> bool:
        return self._reported.cov.robust

    @cached_property
    def _scores(self) -> FloatArray:
        """(n,) ``q'`` times the score of the row's cluster."""
        own = self._u * self._c
        if self._codes is None:
            return own
        return np.asarray(np.bincount(self._codes, weights=self._repeats * own)[self._codes])

    @cached_property
    def _meat(self) -> FloatArray:
        """(n,) ``z' V M q`` with M the meat."""
        return self._along(self._V @ self._total(self._u * self._scores))

    @cached_property
    def _variance(self) -> float:
        """The squared standard error, without small-sample factors."""
        per_row = self._v * self._c**2 if not self._sandwich else self._u * self._c * self._scores
        return float(self._repeats @ per_row)

    @cached_property
    def _through_the_others(self) -> FloatArray:
        """(n,) change of the squared standard error when the coefficients move by ``-V z_i``."""
        if not self._sandwich:
            gradient = self._total(self._curve * self._c**2)
        else:
            gradient = 2.0 * self._total(self._scores * self._c * self._v + self._curve * self._c * self._meat)
        return self._along(self._V @ gradient)

    def _changes(self, beta: FloatArray, squared: FloatArray) -> Changes:
        return Changes(beta, 0.5 * squared / self._variance)

    def without_one(self) -> Changes:
        """(n,) changes when one observation of each row is left out."""
        step = self._u / self._left
        by_information = self._v * self._c / self._left
        if not self._sandwich:
            own = by_information * self._c
        else:
            score = self._u * self._c
            own = score * (score - 2.0 * self._scores) + 2.0 * by_information * self._meat
        return self._changes(-self._c * step, own + self._through_the_others * step)

    def without_group(self, codes: NDArray[np.intp], count: int) -> Changes:
        """(count,) changes when all rows of each group are left out."""

        def summed(values: FloatArray) -> FloatArray:
            return np.bincount(codes, weights=self._repeats * values, minlength=count).astype(np.float64)

        squared = summed(self._through_the_others * self._u)
        if not self._sandwich:
            squared += summed(self._v * self._c**2)
        else:
            score = self._u * self._c
            squared += summed(2.0 * self._v * self._c * self._meat - 2.0 * score * self._scores)
            if self._codes is None:
                squared += summed(score**2)
            else:
                pair, first = pd.factorize(self._codes.astype(np.int64) * count + codes)
                shared = np.bincount(pair, weights=self._repeats * score)
                squared += np.bincount(first % count, weights=shared**2, minlength=count)
        return self._changes(-summed(self._c * self._u), squared)

    def with_outcome_changed(self) -> Changes:
        """(2 n,) changes when a non-event of each row becomes an event, then when an event becomes a non-event."""
        score = self._own * self._c
        through = self._own * self._through_the_others
        up = -through
        down = through
        if self._sandwich:
            up = up + score * (score + 2.0 * self._scores)
            down = down + score * (score - 2.0 * self._scores)
        return self._changes(np.concatenate([score, -score]), np.concatenate([up, down]))
