"""Stepwise selection of terms: forward, backward or both, by AIC, BIC or p-value, respecting marginality.

A term goes only when no other term of the model contains it, and comes only when all terms it contains are there (Venables
and Ripley 2002, Modern Applied Statistics with S, section 7.2). Selection makes the p-values of the final model too small;
the path is part of the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from logit_stats.design.design import Design
from logit_stats.design.terms import design_of_terms, model_terms, patsy_terms
from logit_stats.errors import DataError, NotAvailableError, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.maximum_likelihood import maximum_likelihood

DIRECTIONS = ("backward", "forward", "both")
CRITERIA = ("aic", "bic", "pvalue")


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a selection: what was done ("" for the start), and the criterion and log-likelihood afterwards."""

    change: str
    criterion: float
    loglik: float
    terms: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Selection:
    """Where a selection went, and the fit where it ended."""

    fit: Fit
    path: tuple[Move, ...]


def select(
    fit: Fit,
    scope: str | None,
    namespace: Any,
    direction: str,
    criterion: str,
    constant: float,
    enter: float,
    stay: float,
) -> Selection:
    """Select terms.

    Parameters
    ----------
    fit : Fit
        Where to start.
    scope : str or None
        Terms that may come in, as on the right of a formula; those of the start always may.
    namespace : EvalEnvironment
    direction : {"backward", "forward", "both"}
    criterion : {"aic", "bic", "pvalue"}
    constant : float
        What the log-likelihood lacks (binomial coefficients), for the criterion shown.
    enter, stay : float
        P-values of likelihood-ratio tests below which a term comes in, and above which it goes.
    """
    check_choice("direction", direction, DIRECTIONS)
    check_choice("criterion", criterion, CRITERIA)
    design = fit.design
    if design.formula is None or design.table is None:
        raise NotAvailableError("Selection moves terms of a formula; an array fit has columns only.")
    if design.weight_kind == "sampling":
        raise NotAvailableError("Under sampling weights there is no likelihood to select by.")
    if fit.method == "firth":
        raise NotAvailableError("Penalized fits of different models have different penalties; they cannot be compared.")
    fit.refuse_constraints("Selection")
    fit.refuse_unconverged("Selection")
    universe = patsy_terms(design, scope, namespace)
    penalty = {"aic": 2.0, "bic": float(np.log(design.observations)), "pvalue": 2.0}[criterion]
    walk = _Walk(design, universe, namespace, penalty, constant)
    here = tuple(term.name for term in model_terms(design))
    path = [walk.move("", here)]
    walk.fits[frozenset(here)] = fit
    while True:
        moves = walk.candidates(here, direction)
        chosen = _best(walk, here, moves, criterion, enter, stay)
        if chosen is None:
            return Selection(walk.fit(here), tuple(path))
        sign, name = chosen
        here = tuple(t for t in here if t != name) if sign == "-" else (*here, name)
        path.append(walk.move(f"{sign} {name}", here))


class _Walk:
    """Models of a selection, each fitted once."""

    def __init__(
        self, design: Design, universe: dict[str, Any], namespace: Any, penalty: float, constant: float
    ) -> None:
        self.design, self.universe, self.namespace = design, universe, namespace
        self.penalty, self.constant = penalty, constant
        self.factors = {name: frozenset(f.name() for f in term.factors) for name, term in universe.items()}
        self.fits: dict[frozenset[str], Fit] = {}

    def fit(self, names: tuple[str, ...]) -> Fit:
        key = frozenset(names)
        if key not in self.fits:
            if not names:
                raise DataError("The model without any term has nothing to estimate; keep the intercept.")
            design = design_of_terms(self.design, tuple(self.universe[name] for name in names), self.namespace)
            self.fits[key] = maximum_likelihood(design, check_rank="drop")
        return self.fits[key]

    def criterion(self, names: tuple[str, ...]) -> float:
        found = self.fit(names)
        return -2.0 * (found.loglik + self.constant) + self.penalty * found.parameters

    def move(self, change: str, names: tuple[str, ...]) -> Move:
        return Move(change, self.criterion(names), self.fit(names).loglik + self.constant, names)

    def candidates(self, here: tuple[str, ...], direction: str) -> list[tuple[str, str]]:
        moves = []
        if direction != "forward":
            for name in here:
                inside = self.factors[name]
                if inside and not any(inside < self.factors[other] for other in here):
                    moves.append(("-", name))
        if direction != "backward":
            for name, factors in self.factors.items():
                parts = [other for other, own in self.factors.items() if own and own < factors]
                if factors and name not in here and all(part in here for part in parts):
                    moves.append(("+", name))
        if len(here) == 1:  # a model of a single term keeps it
            moves = [move for move in moves if move[0] == "+"]
        return moves


def _best(
    walk: _Walk, here: tuple[str, ...], moves: list[tuple[str, str]], criterion: str, enter: float, stay: float
) -> tuple[str, str] | None:
    def after(move: tuple[str, str]) -> tuple[str, ...]:
        return tuple(t for t in here if t != move[1]) if move[0] == "-" else (*here, move[1])

    if criterion != "pvalue":
        now = walk.criterion(here)
        best = min(moves, key=lambda move: walk.criterion(after(move)), default=None)
        return best if best is not None and walk.criterion(after(best)) < now - 1e-9 * max(1.0, abs(now)) else None
    own = walk.fit(here)
    pvalues = {}
    for move in moves:
        other = walk.fit(after(move))
        df = abs(other.parameters - own.parameters)
        lr = 2.0 * abs(other.loglik - own.loglik)
        pvalues[move] = float(stats.chi2.sf(lr, df)) if df else 1.0
    worst = max((m for m in moves if m[0] == "-"), key=lambda m: pvalues[m], default=None)
    if worst is not None and pvalues[worst] > stay:
        return worst
    first = min((m for m in moves if m[0] == "+"), key=lambda m: pvalues[m], default=None)
    return first if first is not None and pvalues[first] < min(enter, stay) else None


def null_start(design: Design, namespace: Any) -> Design:
    """Return the design of the intercept alone, where forward selection from nothing starts."""
    universe = patsy_terms(design, None, namespace)
    intercept = tuple(term for name, term in universe.items() if name == "Intercept")
    if not intercept:
        raise DataError("Forward selection from nothing needs an intercept in the formula.")
    return design_of_terms(design, intercept, namespace)
