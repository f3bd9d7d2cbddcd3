"""The conditional logit: which rows of a matched set are its cases, given how many are (see `conditional_terms`).

Whatever is the same for all rows of a set drops out: the set's own effect, and the coefficient of a column that does not vary
within sets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.design.parameters import Parameters
from logit_stats.errors import NotAvailableError, listed
from logit_stats.likelihoods.conditional_moments import SetTerms, information_root, set_moments, set_terms
from logit_stats.likelihoods.demands import Pairs, Separated, SeparationWords, labels_of
from logit_stats.likelihoods.facts import Facts
from logit_stats.likelihoods.likelihood import RowTerms
from logit_stats.likelihoods.matched_sets import MatchedSets, matched_sets
from logit_stats.likelihoods.moments import Moments, Score
from logit_stats.likelihoods.null import NullModel
from logit_stats.likelihoods.outcomes import Outcomes
from logit_stats.likelihoods.working import WorkingColumns

NO_PROBABILITY = (
    "A conditional logit knows the odds of rows of one set against each other, and no probability of its own for a row: the "
    "sets' effects dropped out. predict() gives the probability within the set, odds_ratios() the effects; for average effects "
    "fit logit(..., absorb=) or a random-effects model."
)

# The sets of a design are found once; a design that is no longer used takes them along.
_SETS: WeakKeyDictionary[Design, MatchedSets] = WeakKeyDictionary()
_COLUMNS: WeakKeyDictionary[Design, FloatArray] = WeakKeyDictionary()


def sets_of(design: Design) -> MatchedSets:
    """The matched sets of a design whose rows carry their set's number."""
    found = _SETS.get(design)
    if found is None:
        assert design.group is not None
        found = _SETS[design] = matched_sets(design.group, design.response.successes)
    return found


def _limit(found: Separated) -> str:
    ahead = int((found.side > 0).sum())
    return (
        f"In {found.rows} of {len(found.level)} rows it becomes certain who of the set is the case ({ahead} draw ahead, "
        f"{found.rows - ahead} fall behind): {labels_of(found)}."
    )


def _error(design: Design, found: Separated) -> str:
    sets = sets_of(design)
    touched = len(np.unique(sets.of_row[found.level[sets.order] > 0]))
    return (
        f"Along {found.along} no case falls behind another row of its set, and in {touched} of {sets.count} sets cases draw "
        f"ahead, so the conditional likelihood keeps rising. Coefficients without a finite limit: "
        f"{listed(found.without_limit, 6)}. exact() has one-sided limits and tests; joining sparse levels or leaving the "
        f"columns out asks another question."
    )


SEPARATION = SeparationWords(
    _limit,
    "To check: in no set is X @ direction of a case below that of a row which is none; so the likelihood never falls along the "
    "direction.",
    _error,
    (
        "exact() has one-sided limits and tests",
        "joining sparse levels or leaving columns out asks another question",
    ),
)


class Conditional:
    """One outcome of all choices of as many rows of a set as it has cases."""

    name: ClassVar[str] = "conditional logit"
    facts: ClassVar[Facts] = Facts()
    takes: ClassVar[frozenset[str]] = frozenset({"offset", "freq_weights", "groups"})
    unit: ClassVar[str | None] = "group"
    separation: ClassVar[SeparationWords] = SEPARATION
    profiled: ClassVar[bool] = False

    def parameters(self, design: Design) -> Parameters:
        """One coefficient for each column."""
        return Parameters.by_equation(design.names)

    def moments(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Moments:
        """Log-likelihood, score and information, summed over all sets."""
        sets, X = sets_of(rows), _in_order(rows, working)
        eta, largest = _predictors(rows, X, theta, sets)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            loglik, score, information = set_moments(X, _outcomes(rows, sets), eta, sets, set_weights(rows))
        return Moments(loglik, score, information, largest)

    def score(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Score:
        """Return the same without the information."""
        sets, X = sets_of(rows), _in_order(rows, working)
        eta, largest = _predictors(rows, X, theta, sets)
        terms = set_terms(_outcomes(rows, sets), eta, sets)
        weight = set_weights(rows)
        by_set = np.ones(sets.count) if weight is None else weight
        return Score(float(terms.loglik @ by_set), (terms.residual * np.repeat(by_set, sets.sizes)) @ X, largest)

    def linear_predictor(
        self, rows: Design, theta: FloatArray, working: WorkingColumns, offset: bool = True
    ) -> FloatArray:
        """(n,) linear predictor of every row, up to a number that is the same for all rows of a set."""
        eta: FloatArray = np.asarray(working.columns(rows.X)) @ theta
        return eta if rows.offset is None or not offset else eta + rows.offset.values

    def set_terms(self, design: Design, eta: FloatArray) -> SetTerms:
        """Log-likelihoods of sets; probabilities and residuals of rows, in the rows' order."""
        sets = sets_of(design)
        found = set_terms(_outcomes(design, sets), _centred(eta[sets.order], sets), sets)
        prob, residual = np.full(design.rows, np.nan), np.zeros(design.rows)
        prob[sets.order], residual[sets.order] = found.prob, found.residual
        return SetTerms(found.loglik, prob, residual)

    def residuals(self, design: Design, eta: FloatArray) -> FloatArray:
        """(n,) outcome minus probability within the set: a set's score is the sum of these times its rows."""
        return self.set_terms(design, eta).residual

    def roots(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Iterator[FloatArray]:
        """Rows whose Gram matrix is the information, in parts."""
        sets, X = sets_of(rows), _in_order(rows, working)
        eta, _ = _predictors(rows, X, theta, sets)
        return information_root(X, eta, sets, set_weights(rows))

    def groups(self, design: Design) -> list[NDArray[np.intp]]:
        """The sets."""
        assert design.group is not None
        return [design.group]

    def terms(self, block: Block, eta: FloatArray) -> RowTerms:
        """Not of a block: rows of a set are not independent."""
        raise NotAvailableError(NO_PROBABILITY)

    def outcomes(self, eta: FloatArray, design: Design) -> Outcomes:
        """Not there: rows have no probabilities of their own."""
        raise NotAvailableError(NO_PROBABILITY)

    def null(self, design: Design, constant_in_span: bool) -> NullModel | None:
        """All choices of cases alike, or as the offset has them."""
        sets = sets_of(design)
        eta = np.zeros(design.rows) if design.offset is None else design.offset.values
        terms = set_terms(_outcomes(design, sets), _centred(eta[sets.order], sets), sets)
        weight = set_weights(design)
        return NullModel("half", 0.0, float(terms.loglik.sum() if weight is None else terms.loglik @ weight))

    def demands(self, design: Design) -> Pairs:
        """No case may fall behind another row of its set: the maximum over all choices is then that of the cases."""
        sets, y = sets_of(design), design.response.successes
        cases, others = [], []
        for start, end in zip(sets.starts[:-1], sets.starts[1:], strict=True):
            rows = sets.order[start:end]
            here, there = rows[y[rows] == 1.0], rows[y[rows] == 0.0]
            cases.append(np.repeat(here, len(there)))
            others.append(np.tile(there, len(here)))
        return Pairs(np.concatenate(cases), np.concatenate(others))


CONDITIONAL = Conditional()


def set_weights(design: Design) -> FloatArray | None:
    """(S,) weight of every set: that of its rows, which is the same for all."""
    if design.weight is None:
        return None
    sets = sets_of(design)
    return design.weight.values[sets.order[sets.starts[:-1]]]


def _in_order(design: Design, working: WorkingColumns) -> FloatArray:
    """(n, k) working columns set by set, each set's first row subtracted: large constants cost no digit.

    What is subtracted is a row of the user's own numbers, so that a column that is constant within a set becomes exactly zero.
    """
    X = within_sets(design)
    return X if working.scale is None else X * working.scale


def within_sets(design: Design) -> FloatArray:
    """(n, k) the user's columns set by set, each set's first row subtracted; made once for a design."""
    found = _COLUMNS.get(design)
    if found is None:
        sets = sets_of(design)
        found = np.asarray(design.X)[sets.order]
        found = _COLUMNS[design] = found - np.repeat(found[sets.starts[:-1]], sets.sizes, axis=0)
    return found


def _outcomes(design: Design, sets: MatchedSets) -> FloatArray:
    return design.response.successes[sets.order]


def _predictors(design: Design, X: FloatArray, theta: FloatArray, sets: MatchedSets) -> tuple[FloatArray, float]:
    """Linear predictors set by set, and their widest range within a set."""
    with np.errstate(over="ignore", invalid="ignore"):
        eta = X @ theta
    if design.offset is not None:
        eta = eta + _centred(design.offset.values[sets.order], sets)
    if not sets.count:
        return eta, 0.0
    starts = sets.starts[:-1]
    return eta, float((np.maximum.reduceat(eta, starts) - np.minimum.reduceat(eta, starts)).max())


def _centred(values: FloatArray, sets: MatchedSets) -> FloatArray:
    return values - np.repeat(values[sets.starts[:-1]], sets.sizes)
