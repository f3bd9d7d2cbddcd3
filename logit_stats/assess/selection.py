"""Stepwise selection of terms: forward, backward or both, by AIC, BIC or p-value, respecting marginality.

A term goes only when no other term of the model contains it, and comes only when all terms it contains are there (Venables
and Ripley 2002, Modern Applied Statistics with S, section 7.2). Selection makes the p-values of the final model too small;
the path is part of the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from logit_stats.design.design import Design
from logit_stats.design.terms import design_of_terms, model_terms, patsy_terms
from logit_stats.errors import DataError, NotAvailableError, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.inference.reference import CHI_SQUARED, LikelihoodReference

DIRECTIONS = ("backward", "forward", "both")
CRITERIA = ("aic", "bic", "pvalue")


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a selection: what was done ("" for the start), and the criterion and log-likelihood afterwards."""

    change: str
    criterion: float
    loglik: float
    terms: tuple[str, ...]


class Fitted(Protocol):
    """What decides between models: the log-likelihood of one, and how many coefficients it took."""

    @property
    def loglik(self) -> float:
        """Maximised log-likelihood."""
        ...

    @property
    def parameters(self) -> int:
        """Number of coefficients."""
        ...


class Models(Protocol):
    """Models of different terms, fitted to the same rows."""

    def fitted(self, names: tuple[str, ...]) -> Fitted | None:
        """The model of these terms; None where it has no estimate."""
        ...


@dataclass(frozen=True, eq=False)
class Rule:
    """How a selection walks, whatever the rows: where it starts, what may move, what decides.

    Attributes
    ----------
    start : tuple of str
        Terms.
    universe : dict
        Patsy's terms that may be in the model, by name.
    direction, criterion : str
    enter, stay : float
        P-values below which a term comes in, and above which it goes.
    reference : LikelihoodReference
        What likelihood ratios are compared with: by F where the start has a dispersion, which is kept on the whole path.
    """

    start: tuple[str, ...]
    universe: dict[str, Any]
    direction: str
    criterion: str
    enter: float
    stay: float
    reference: LikelihoodReference = CHI_SQUARED

    def penalty(self, observations: float) -> float:
        """What a coefficient costs, in units of -2 log-likelihood."""
        return float(np.log(observations)) if self.criterion == "bic" else 2.0

    def walk(self, models: Models, observations: float) -> list[tuple[str, tuple[str, ...]]]:
        """Every step: what was done ("" for the start), and the terms afterwards.

        Models without an estimate are no candidates.
        """
        penalty = self.penalty(observations)
        here, steps = self.start, [("", self.start)]
        while True:
            chosen = self._best(models, here, penalty)
            if chosen is None:
                return steps
            here = _after(here, chosen)
            steps.append((" ".join(chosen), here))

    def _candidates(self, here: tuple[str, ...]) -> list[tuple[str, str]]:
        factors = {name: frozenset(f.name() for f in term.factors) for name, term in self.universe.items()}
        moves = []
        if self.direction != "forward" and len(here) > 1:  # a model of a single term keeps it
            for name in here:
                inside = factors[name]
                if inside and not any(inside < factors[other] for other in here):
                    moves.append(("-", name))
        if self.direction != "backward":
            for name, own in factors.items():
                parts = [other for other, inside in factors.items() if inside and inside < own]
                if own and name not in here and all(part in here for part in parts):
                    moves.append(("+", name))
        return moves

    def _best(self, models: Models, here: tuple[str, ...], penalty: float) -> tuple[str, str] | None:
        now = models.fitted(here)
        found = {move: models.fitted(_after(here, move)) for move in self._candidates(here)}
        others = {move: model for move, model in found.items() if model is not None}
        if now is None or not others:
            return None
        if self.criterion == "pvalue":
            return self._by_p_values(now, others)
        criteria = {move: -2.0 * model.loglik + penalty * model.parameters for move, model in others.items()}
        best, present = min(criteria, key=criteria.__getitem__), -2.0 * now.loglik + penalty * now.parameters
        return best if criteria[best] < present - 1e-9 * max(1.0, abs(present)) else None

    def _by_p_values(self, now: Fitted, others: dict[tuple[str, str], Fitted]) -> tuple[str, str] | None:
        pvalues = {}
        for move, model in others.items():
            df = abs(model.parameters - now.parameters)
            pvalues[move] = self.reference.test(2.0 * abs(model.loglik - now.loglik), df).pvalue if df else 1.0
        worst = max((m for m in others if m[0] == "-"), key=pvalues.__getitem__, default=None)
        if worst is not None and pvalues[worst] > self.stay:
            return worst
        first = min((m for m in others if m[0] == "+"), key=pvalues.__getitem__, default=None)
        return first if first is not None and pvalues[first] < min(self.enter, self.stay) else None


def _after(here: tuple[str, ...], move: tuple[str, str]) -> tuple[str, ...]:
    return tuple(t for t in here if t != move[1]) if move[0] == "-" else (*here, move[1])


class FittedModels:
    """Models of some of the terms on the rows of a design, each fitted once."""

    def __init__(self, design: Design, universe: dict[str, Any], namespace: Any) -> None:
        self.design, self.universe, self.namespace = design, universe, namespace
        self.fits: dict[frozenset[str], Fit] = {}

    def fitted(self, names: tuple[str, ...]) -> Fit:
        """Return the model of these terms."""
        key = frozenset(names)
        if key not in self.fits:
            if not names:
                raise DataError("The model without any term has nothing to estimate; keep the intercept.")
            design = design_of_terms(self.design, tuple(self.universe[name] for name in names), self.namespace)
            self.fits[key] = maximum_likelihood(design, check_rank="drop")
        return self.fits[key]


@dataclass(frozen=True, eq=False)
class Selection:
    """Where a selection went, and the fit where it ended.

    Attributes
    ----------
    fit : Fit
    path : tuple of Move
    rule, models
        With which it is done again, on resamples.
    """

    fit: Fit
    path: tuple[Move, ...]
    rule: Rule
    models: FittedModels


def select(
    fit: Fit,
    scope: str | None,
    namespace: Any,
    direction: str,
    criterion: str,
    constant: float,
    enter: float,
    stay: float,
    reference: LikelihoodReference = CHI_SQUARED,
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
    reference : LikelihoodReference
        What likelihood ratios are compared with.
    """
    check_choice("direction", direction, DIRECTIONS)
    check_choice("criterion", criterion, CRITERIA)
    for name, level in (("enter", enter), ("stay", stay)):
        if not 0.0 < level <= 1.0:
            raise DataError(f"{name}={level} must be a p-value, between 0 and 1.")
    design = fit.design
    if design.formula is None or design.table is None:
        raise NotAvailableError("Selection moves terms of a formula; an array fit has columns only.")
    fit.facts.require("Selection", "likelihood", "maximum")
    if reference.scaled and criterion != "pvalue":
        raise NotAvailableError(
            f"With a dispersion there is no likelihood, and so no {criterion.upper()}: select by F tests, criterion='pvalue'."
        )
    fit.facts.require("Selection", "finite", "unconstrained", "converged")
    start = tuple(term.name for term in model_terms(design))
    rule = Rule(start, patsy_terms(design, scope, namespace), direction, criterion, enter, stay, reference)
    models = FittedModels(design, rule.universe, namespace)
    models.fits[frozenset(start)] = fit
    penalty, path = rule.penalty(design.observations), []
    for change, names in rule.walk(models, design.observations):
        loglik = models.fitted(names).loglik + constant
        path.append(Move(change, -2.0 * loglik + penalty * models.fitted(names).parameters, loglik, names))
    return Selection(models.fitted(path[-1].terms), tuple(path), rule, models)


def null_start(design: Design, namespace: Any) -> Design:
    """Return the design of the intercept alone, where forward selection from nothing starts."""
    universe = patsy_terms(design, None, namespace)
    intercept = tuple(term for name, term in universe.items() if name == "Intercept")
    if not intercept:
        raise DataError("Forward selection from nothing needs an intercept in the formula.")
    return design_of_terms(design, intercept, namespace)
