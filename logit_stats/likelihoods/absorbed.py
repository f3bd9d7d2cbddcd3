"""The logit with absorbed effects: a likelihood of the coefficients alone, maximised over the effects of all groups.

That is the profile likelihood; its score is ``X'(y - m p)`` at the effects that go with the coefficients, and its second
derivative is the information with the effects estimated too (see `absorbed_maximum`). So whatever asks a likelihood for its
value, score and information (profile limits, likelihood-ratio and score tests) has from it what dummies would give.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.design.parameters import Parameters
from logit_stats.likelihoods.absorbed_maximum import Absorbed, EffectRows, maximum
from logit_stats.likelihoods.binomial import BINOMIAL
from logit_stats.likelihoods.demands import SeparationWords, Signs
from logit_stats.likelihoods.facts import Facts
from logit_stats.likelihoods.group_effects import Grouping, IntArray
from logit_stats.likelihoods.likelihood import RowTerms
from logit_stats.likelihoods.moments import Moments, Score
from logit_stats.likelihoods.null import NullModel
from logit_stats.likelihoods.outcomes import Outcomes
from logit_stats.likelihoods.working import WorkingColumns

# Rows of a root of the information that are made at a time.
ROOT_ROWS = 1 << 15

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, eq=False)
class AbsorbedEffects:
    """Success with log odds of the columns and of the row's groups (McCullagh and Nelder 1989, chapter 4).

    Attributes
    ----------
    factors : tuple of str
        What the groups are called, factor by factor.
    grouping : Grouping
        Groups of the rows in `order`.
    order : (n,)
        Positions of the rows, sorted by the factor of the most groups: its sums then read memory in a row.
    """

    name: ClassVar[str] = "logit with absorbed effects"
    facts: ClassVar[Facts] = Facts()
    takes: ClassVar[frozenset[str]] = frozenset({"offset", "freq_weights", "trials", "absorb"})
    unit: ClassVar[str | None] = "group"
    separation: ClassVar[SeparationWords] = BINOMIAL.separation
    profiled: ClassVar[bool] = True

    factors: tuple[str, ...]
    grouping: Grouping
    order: IntArray
    _rows: WeakKeyDictionary[Design, EffectRows] = field(default_factory=WeakKeyDictionary, repr=False)
    _last: WeakKeyDictionary[Design, tuple[FloatArray, Absorbed]] = field(default_factory=WeakKeyDictionary, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return AbsorbedEffects, (self.factors, self.grouping, self.order)

    def rows_of(self, design: Design) -> EffectRows:
        """The rows of a design, in `order`."""
        found = self._rows.get(design)
        if found is None:
            response, o = design.response, self.order
            found = self._rows[design] = EffectRows(
                np.ascontiguousarray(np.asarray(design.X)[o]),
                response.successes[o],
                None if response.trials is None else response.trials[o],
                None if design.weight is None else design.weight.values[o],
                None if design.offset is None else design.offset.values[o],
                self.grouping,
            )
        return found

    def at(self, design: Design, beta: FloatArray) -> Absorbed:
        """The maximum over the effects at coefficients of the user's columns."""
        known = self._last.get(design)
        if known is not None and np.array_equal(known[0], beta):
            return known[1]
        rows = self.rows_of(design)
        start = None if known is None else self.grouping.spread(known[1].effects)
        found = maximum(rows, beta=beta, start=start, fixed=True, maxiter=100, tol=1e-11)
        self._last[design] = (beta.copy(), found)
        return found

    def remember(self, design: Design, beta: FloatArray, found: Absorbed) -> None:
        """Keep a maximum that is known, for the next question about it."""
        self._last[design] = (beta.copy(), found)

    def in_rows_order(self, values: NDArray[Number]) -> NDArray[Number]:
        """Values of rows in `order`, put back in the rows' own order."""
        back = np.empty_like(values)
        back[self.order] = values
        return back

    # What a likelihood is asked for.

    def parameters(self, design: Design) -> Parameters:
        """One coefficient for each column; the effects are none."""
        return Parameters.by_equation(design.names)

    def moments(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Moments:
        """Log-likelihood, score and information of the coefficients, the effects at their best for these."""
        found = self.at(rows, working.beta(theta))
        within, terms = self._within(rows, found), found.terms
        information = within.T @ (within * terms.weight[:, None])
        score = within.T @ terms.residual
        A = working.matrix(len(theta))
        return Moments(terms.loglik, A.T @ score, A.T @ information @ A, float(np.abs(terms.eta).max(initial=0.0)))

    def score(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Score:
        """Return the same without the information."""
        here = self.moments(rows, theta, working)
        return Score(here.loglik, here.score, here.max_abs_eta)

    def linear_predictor(
        self, rows: Design, theta: FloatArray, working: WorkingColumns, offset: bool = True
    ) -> FloatArray:
        """(n,) linear predictor, effects of the groups included; without them and the offset where `offset` is false."""
        beta = working.beta(theta)
        return self.in_rows_order(self.at(rows, beta).terms.eta) if offset else np.asarray(rows.X) @ beta

    def within(self, design: Design, beta: FloatArray) -> FloatArray:
        """(n, k) columns less their weighted projection on the groups, in the rows' own order."""
        return self.in_rows_order(self._within(design, self.at(design, beta)))

    def _within(self, design: Design, found: Absorbed) -> FloatArray:
        from logit_stats.likelihoods.group_effects import EffectsSolver

        rows = self.rows_of(design)
        if found.within.shape == rows.X.shape:
            return found.within
        effects = EffectsSolver(self.grouping, found.terms.weight).solve(
            self.grouping.sums(rows.X * found.terms.weight[:, None])
        )
        return rows.X - self.grouping.spread(effects)

    def roots(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Iterator[FloatArray]:
        """Rows whose Gram matrix is the information, in parts."""
        beta = working.beta(theta)
        found = self.at(rows, beta)
        root = self._within(rows, found) @ working.matrix(len(theta)) * np.sqrt(found.terms.weight)[:, None]
        yield from (root[start : start + ROOT_ROWS] for start in range(0, len(root), ROOT_ROWS))

    def residuals(self, design: Design, eta: FloatArray) -> FloatArray:
        """(n,) ``y - m p`` at linear predictors that include the effects."""
        return BINOMIAL.residuals(design, eta)

    def groups(self, design: Design) -> list[NDArray[np.intp]]:
        """Groups of the rows, factor by factor."""
        return [self.in_rows_order(of_factor) for of_factor in self.grouping.codes]

    def terms(self, block: Block, eta: FloatArray) -> RowTerms:
        """Contributions of rows at linear predictors that include the effects: those of the binomial."""
        return BINOMIAL.terms(block, eta)

    def outcomes(self, eta: FloatArray, design: Design) -> Outcomes:
        """Probabilities at linear predictors that include the effects, and their derivatives."""
        return BINOMIAL.outcomes(eta, design)

    def null(self, design: Design, constant_in_span: bool) -> NullModel | None:
        """The effects alone (and the offset)."""
        rows = self.rows_of(design)
        found = maximum(rows, beta=np.zeros(design.columns), fixed=True, maxiter=100, tol=1e-9)
        return NullModel("half", 0.0, found.terms.loglik)

    def demands(self, design: Design) -> Signs:
        """Those of the binary logit."""
        return BINOMIAL.demands(design)
