"""The binomial logit: successes out of trials, one linear predictor. Its sums over rows are the compiled kernel's own."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.coded import coded
from logit_stats.design.design import Design
from logit_stats.design.parameters import Parameters
from logit_stats.likelihoods.demands import Separated, SeparationWords, Signs, first_six, labels_of
from logit_stats.likelihoods.facts import Facts
from logit_stats.likelihoods.kernel import available, fast_moments, fast_score, kernel_moments, kernel_score, row_terms
from logit_stats.likelihoods.kernel import linear_predictor as rows_predictor
from logit_stats.likelihoods.likelihood import IndependentRows, RowTerms
from logit_stats.likelihoods.moments import Moments, Score
from logit_stats.likelihoods.null import NullModel
from logit_stats.likelihoods.outcomes import Outcomes
from logit_stats.likelihoods.rows import loglik_terms, probability, score_residual, variance, variance_and_slope
from logit_stats.likelihoods.working import WorkingColumns

# A design so small goes to the kernel at once: asking for blocks, ranges and threads would take longer than the sums.
SMALL_ROWS = 1024
SMALL_COLUMNS = 100


def _limit(found: Separated) -> str:
    events = int((found.side > 0).sum())
    return (
        f"{found.rows} of {len(found.level)} rows {'is' if found.rows == 1 else 'are'} predicted perfectly in the limit "
        f"({events} as events, {found.rows - events} as non-events): {labels_of(found)}."
    )


def _error(design: Design, found: Separated) -> str:
    return (
        f"Along {found.along} the likelihood keeps rising; in the limit {found.rows} of {design.rows} rows "
        f"{'is' if found.rows == 1 else 'are'} predicted perfectly "
        f"(row {labels_of(found)}). Coefficients without a finite limit: {first_six(found.without_limit)}. "
        f"Use the limit itself (fit_limit(): infinite coefficients with tests and one-sided intervals), Firth's penalized "
        f"likelihood (fit_firth(): finite ones), join sparse levels, or leave the columns out."
    )


SEPARATION = SeparationWords(
    _limit,
    "To check: X @ direction is not negative in any row of events, not positive in any row of non-events, and zero "
    "where a row has both; so the likelihood never falls along the direction.",
    _error,
    (
        "fit_limit() keeps maximum likelihood: infinite coefficients, with tests and one-sided intervals",
        "fit_firth() has finite estimates, with tests and intervals of its own",
        "fit_regularized() shrinks all coefficients",
        "joining sparse levels or leaving columns out asks another question",
    ),
)


class Binomial(IndependentRows):
    """Successes y out of m trials with probability ``p = 1 / (1 + exp(-eta))`` (McCullagh and Nelder 1989, chapter 4)."""

    name: ClassVar[str] = "binary logit"
    facts: ClassVar[Facts] = Facts()
    takes: ClassVar[frozenset[str]] = frozenset({"offset", "freq_weights", "sampling_weights", "trials"})
    separation: ClassVar[SeparationWords] = SEPARATION

    def parameters(self, design: Design) -> Parameters:
        """One coefficient for each column."""
        return Parameters.by_equation(design.names)

    def moments(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Moments:
        """Log-likelihood, score and information, summed over all rows."""
        if _small(rows):
            return kernel_moments(rows.block, theta, working.center, working.scale)
        with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
            return rows.reduce(
                partial(fast_moments, gamma=theta, center=working.center, scale=working.scale), rows=None
            )

    def score(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Score:
        """Log-likelihood and score, summed over all rows."""
        if _small(rows):
            return kernel_score(rows.block, theta, working.center, working.scale)
        with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
            return rows.reduce(partial(fast_score, gamma=theta, center=working.center, scale=working.scale), rows=None)

    def linear_predictor(
        self, rows: Design, theta: FloatArray, working: WorkingColumns, offset: bool = True
    ) -> FloatArray:
        """(n,) linear predictor of every row."""
        block = rows.block
        known = block.offset if offset else None
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            return rows_predictor(block.X, theta, known, working.center, working.scale)

    def root(self, block: Block, Z: FloatArray, theta: FloatArray, parameters: Parameters) -> FloatArray:
        """(m, k) working columns times the square root of ``a m p (1 - p)``."""
        eta = Z @ theta
        if block.offset is not None:
            eta += block.offset
        e = np.exp(-np.abs(eta))
        half: FloatArray = np.sqrt(e) / (1.0 + e)
        if block.trials is not None:
            half *= np.sqrt(block.trials)
        if block.weight is not None:
            half *= np.sqrt(block.weight)
        return np.asarray(Z * half[:, None])

    def terms(self, block: Block, eta: FloatArray) -> RowTerms:
        """Log-likelihood, ``y - m p`` and ``m p (1 - p)`` of every row."""
        one = eta[0]
        weight = variance(one) if block.trials is None else variance(one) * block.trials
        return RowTerms(
            loglik_terms(one, block.successes, block.trials),
            score_residual(one, block.successes, block.trials)[None, :],
            lambda e, f: weight,
        )

    def outcomes(self, eta: FloatArray, design: Design) -> Outcomes:
        """Probability of a success, ``p (1 - p)``, and ``p (1 - p) (1 - 2 p)``."""
        slope, curvature = variance_and_slope(eta)
        return Outcomes(probability(eta), probability(-eta), slope[None], lambda: curvature[None, None])

    def null(self, design: Design, constant_in_span: bool) -> NullModel | None:
        """Probability one half, or that of all outcomes; with an offset the constant must be fitted."""
        if not constant_in_span:
            return NullModel("half", 0.0, self.moments(design.intercept_only(), np.zeros(1), WorkingColumns()).loglik)
        if design.offset is not None:
            return None
        events, total = outcome_sums(design)
        logit = float(np.log(events) - np.log(total - events))
        loglik = events * (np.log(events) - np.log(total)) + (total - events) * (np.log(total - events) - np.log(total))
        return NullModel("intercept", logit, float(loglik))

    def residuals(self, design: Design, eta: FloatArray) -> FloatArray:
        """(n,) ``y - m p``."""
        return row_terms(replace(design.block, weight=None), eta)[1]

    def demands(self, design: Design) -> Signs:
        """The predictor must rise where all outcomes are successes, fall where none is, and stay where there are both."""
        y = design.response.successes
        trials = np.ones_like(y) if design.response.trials is None else design.response.trials
        return Signs(np.where(y == trials, 1.0, np.where(y == 0.0, -1.0, 0.0)), trials > 0.0)


def outcome_sums(design: Design) -> tuple[float, float]:
    """Weighted numbers of successes and of trials."""
    return design.outcome_sums


def _small(rows: Design) -> bool:
    return (
        rows.rows <= SMALL_ROWS
        and rows.in_memory
        and rows.columns <= SMALL_COLUMNS
        and coded(rows.X) is None
        and available()
    )


BINOMIAL = Binomial()
