"""The multinomial logit: one of C categories, a linear predictor for each beyond the reference."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.design.parameters import Parameters
from logit_stats.likelihoods.category_moments import (
    category_block_moments,
    category_block_score,
    category_predictor,
    category_root,
    category_terms,
)
from logit_stats.likelihoods.demands import Forms, Separated, SeparationWords, first_six, labels_of
from logit_stats.likelihoods.facts import Facts
from logit_stats.likelihoods.likelihood import TALL_ROWS, IndependentRows, RowTerms
from logit_stats.likelihoods.moments import Moments, Score
from logit_stats.likelihoods.null import NullModel
from logit_stats.likelihoods.outcomes import Outcomes
from logit_stats.likelihoods.working import WorkingColumns


def impossible(found: Separated) -> str:
    """Say in which rows a category becomes impossible."""
    return (
        f"In {found.rows} of {len(found.level)} rows some category becomes impossible in the limit: {labels_of(found)}."
    )


def _error(design: Design, found: Separated) -> str:
    return (
        f"Some categories of {design.response.name} never occur, or always, where certain columns say so: the likelihood keeps "
        f"rising with {first_six(found.without_limit)} (category:column; the reference is "
        f"{design.response.labels[0]!r}). In {found.rows} of {design.rows} rows a category becomes impossible (row "
        f"{labels_of(found)}). Join categories or sparse levels, leave the columns out, or use fit_regularized()."
    )


SEPARATION = SeparationWords(
    impossible,
    "To check: along the direction (zero for the reference) no row's linear predictor grows faster for another category "
    "than for its own; so the likelihood never falls.",
    _error,
    (
        "joining categories, or sparse levels",
        "leaving columns out",
        "fit_regularized() shrinks all coefficients",
    ),
    sides=False,
)


class Multinomial(IndependentRows):
    """Category c with probability ``exp(eta_c) / sum_d exp(eta_d)``, eta zero for the reference (McFadden 1974)."""

    name: ClassVar[str] = "multinomial logit"
    facts: ClassVar[Facts] = Facts(binary=False, latent=False)
    takes: ClassVar[frozenset[str]] = frozenset({"freq_weights", "sampling_weights"})
    separation: ClassVar[SeparationWords] = SEPARATION

    def parameters(self, design: Design) -> Parameters:
        """A coefficient for each column in every equation."""
        return Parameters.by_equation(design.names, design.response.equations)

    def moments(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Moments:
        """Log-likelihood, score and information, summed over all rows."""
        with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
            return rows.reduce(partial(category_block_moments, gamma=theta, center=working.center, scale=working.scale))

    def score(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Score:
        """Log-likelihood and score, summed over all rows."""
        function = partial(category_block_score, gamma=theta, center=working.center, scale=working.scale)
        with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
            return rows.reduce(function, rows=None)

    def linear_predictor(
        self, rows: Design, theta: FloatArray, working: WorkingColumns, offset: bool = True
    ) -> FloatArray:
        """(n, J) linear predictors of every row."""
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            return rows.each(
                lambda block: category_predictor(block.X, theta, working.center, working.scale).T, TALL_ROWS
            )

    def root(self, block: Block, Z: FloatArray, theta: FloatArray, parameters: Parameters) -> FloatArray:
        """Rows whose Gram matrix is the information of a block."""
        return category_root(block, Z, theta)

    def terms(self, block: Block, eta: FloatArray) -> RowTerms:
        """Log probability of the own category, ``1[y = c] - p_c`` and ``p_c (1[c = d] - p_d)``."""
        terms = category_terms(eta, block.category, block.categories)
        return RowTerms(terms.loglik, terms.residual, terms.information_weight)

    def outcomes(self, eta: FloatArray, design: Design) -> Outcomes:
        """Probabilities of all categories; ``dp_c / d eta_e = p_c (1[c = e] - p_e)``."""
        terms = category_terms(eta, None, len(design.response.equations) + 1)
        p = terms.prob
        own = np.eye(len(p))[:, terms.equations, None] - p[None, terms.equations]
        # nothing is lost where a category is nearly certain
        for e, c in enumerate(range(len(p))[terms.equations]):
            own[c, e] = terms.complement[c]
        first = p[:, None] * own

        def second() -> FloatArray:
            # d/d eta_f of p_c (1[c = e] - p_e)
            return np.asarray(
                p[:, None, None] * own[:, :, None] * own[:, None, :] - p[:, None, None] * first[terms.equations][None]
            )

        return Outcomes(p, terms.complement, first, second)

    def null(self, design: Design, constant_in_span: bool) -> NullModel | None:
        """Return the shares of the categories, or equal probabilities."""
        counts = design.response.counts(None if design.weight is None else design.weight.values)
        if not constant_in_span:
            return NullModel("half", 0.0, float(-counts.sum() * np.log(len(counts))), (0.0,) * design.equations)
        logs = np.log(counts)
        loglik = float(counts @ (logs - np.log(counts.sum())))
        return NullModel("intercept", 0.0, loglik, tuple((logs[1:] - logs[0]).tolist()))

    def demands(self, design: Design) -> Forms:
        """The own category must gain on each other one: ``eta_y - eta_c`` must not fall (Albert and Anderson 1984, section 4)."""
        J, codes = design.equations, design.response.codes
        assert codes is not None
        own = np.repeat(codes, J)
        other = np.tile(np.arange(J), design.rows)
        other += other >= own
        of_category = np.eye(J + 1)[:, 1:]
        patterns = of_category[:, None] - of_category[None, :]
        row = np.repeat(np.arange(design.rows), J)
        return Forms(row, own * (J + 1) + other, patterns.reshape(-1, J))


MULTINOMIAL = Multinomial()
