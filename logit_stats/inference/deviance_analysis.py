"""Analysis of deviance: what each term of a model contributes.

Type 1 adds the terms in their order. Type 2 tests each term after all others that do not contain it, type 3 after all
others whatever they contain (Fox and Weisberg 2019, An R Companion to Applied Regression, sections 5.3.4 and 6.4). Each by
the likelihood ratio, by Wald's statistic with the covariance chosen, or by the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.design import Design
from logit_stats.design.terms import ModelTerm, model_terms, with_added, with_columns_added, without_terms
from logit_stats.errors import DataError, NotAvailableError, UnknownOptionError, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.estimation.null_model import null_model
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.hypotheses import TestTable, columns_are_zero, denominator, joint_wald
from logit_stats.inference.reference import Joint
from logit_stats.inference.score_test import score_test
from logit_stats.inference.separated_wald import separated_terms, warn_of_separated, words_of_separated

TESTS = ("LR", "Wald", "score")


@dataclass(frozen=True, eq=False)
class Nested:
    """Deviance and number of coefficients of a model of some of the terms; twice the log-likelihood it lies below the whole."""

    fall: float
    deviance: float
    aic: float
    parameters: int
    fit: Fit | None


@dataclass(frozen=True, slots=True)
class Measures:
    """Deviance and AIC of the model itself, from which those of others follow by the difference of log-likelihoods."""

    deviance: float
    aic: float

    def of(self, whole: Fit, fit: Fit) -> Nested:
        """Say of another model on the same rows what comparisons need."""
        return self.fallen(whole, whole.twice_above(fit), fit.parameters, fit)

    def fallen(self, whole: Fit, fall: float, parameters: int, fit: Fit | None = None) -> Nested:
        """Say the same of a model that lies so far below the whole."""
        aic = self.aic + fall - 2.0 * (whole.parameters - parameters)
        return Nested(fall, self.deviance + fall, aic, parameters, fit)


class SmallerModels:
    """Fits of models of fewer terms on the same rows, each fitted once."""

    def __init__(self, fit: Fit, measures: Measures) -> None:
        self.fit = fit
        self.measures = measures
        self.terms = model_terms(fit.design)
        self._found: dict[frozenset[str], Nested] = {}

    @cached_property
    def effects(self) -> tuple[ModelTerm, ...]:
        """Terms without the constant."""
        return tuple(term for term in self.terms if term.factors)

    def without(self, dropped: list[ModelTerm]) -> Nested:
        """Fit the model without these terms."""
        key = frozenset(term.name for term in dropped)
        if key not in self._found:
            self._found[key] = self._fitted(dropped)
        return self._found[key]

    def _fitted(self, dropped: list[ModelTerm]) -> Nested:
        whole, fit = self.fit, self.fit
        if len(dropped) == len(self.terms):  # probability one half, or what the offset says
            null = null_model(whole.design, constant_in_span=False)
            return self.measures.fallen(whole, 2.0 * (whole.loglik - null.loglik), 0)
        if dropped:
            fit = maximum_likelihood(without_terms(whole.design, dropped), check_rank="drop")
        return self.measures.of(whole, fit)


def anova(fit: Fit, cov: Covariance, measures: Measures, type: int = 1, test: str = "LR") -> TestTable:
    """Analysis of deviance.

    Parameters
    ----------
    fit : Fit
    cov : Covariance
        Used by Wald tests.
    measures : Measures
        Of the fit.
    type : {1, 2, 3}
    test : {"LR", "Wald", "score"}

    Returns
    -------
    TestTable
        Columns df, statistic, p_value; for type 1 also resid_df and resid_deviance of the model up to the term.

    Raises
    ------
    NotAvailableError
        For likelihood-ratio and score tests under sampling weights, where there is no likelihood.
    """
    if type not in (1, 2, 3):
        raise UnknownOptionError(f"type={type!r} is not known; choose one of 1, 2, 3.")
    check_choice("test", test, TESTS)
    _refuse_without_likelihood(fit, test)
    models = SmallerModels(fit, measures)
    if not models.effects:
        raise DataError("The model has no term beside the constant; there is nothing to compare.")
    rows = [_row(models, cov, term, type, test) for term in models.effects]
    frame = pd.DataFrame(rows, index=[term.name for term in models.effects])
    frame.index.name = "term"
    if type == 1 and test != "Wald":
        frame = pd.concat([_first_row(models), frame])
    return TestTable(frame, f"Analysis of deviance, type {type}, {_words(test, cov)}", _notes(models, type, test, cov))


def _row(models: SmallerModels, cov: Covariance, term: ModelTerm, type_: int, test: str) -> dict[str, float]:
    later = cleared(models, term, type_)
    if test == "Wald":
        joint = _wald(models, cov, term, later, type_)
    else:
        larger, smaller = models.without(later), models.without([*later, term])
        df = larger.parameters - smaller.parameters
        if test == "LR":
            statistic = max(smaller.fall - larger.fall, 0.0)
        else:
            statistic = score_of_term(larger, smaller, term)
        joint = cov.likelihood_reference.test(statistic, df)
    found = {"df": joint.df, "statistic": joint.statistic, **denominator(joint), "p_value": joint.pvalue}
    if type_ == 1 and test != "Wald":
        upto = models.without(later)
        found["resid_df"] = models.fit.design.observations - upto.parameters - models.fit.absorbed_parameters
        found["resid_deviance"] = upto.deviance
    return found


def wald_row(models: SmallerModels, cov: Covariance, term: ModelTerm, type_: int) -> dict[str, float]:
    """Wald test of a term, of type 2 or 3, as a row of the table."""
    return _row(models, cov, term, type_, "Wald")


def cleared(models: SmallerModels, term: ModelTerm, type_: int) -> list[ModelTerm]:
    """Terms that are left out of both models that a term's test compares."""
    order = list(models.effects)
    if type_ == 1:
        return order[order.index(term) + 1 :]
    return [other for other in order if other.contains(term)] if type_ == 2 else []


def _wald(models: SmallerModels, cov: Covariance, term: ModelTerm, later: list[ModelTerm], type_: int) -> Joint:
    """Wald test; after the terms of `later` have been cleared away in the metric of the covariance.

    The part of a joint hypothesis that is orthogonal to another one has the difference of their statistics: it is the test
    of the combinations whose estimates are uncorrelated with those of the other.
    """
    if type_ == 1:
        fit = models.without(later).fit
        assert fit is not None
        from logit_stats.inference.covariance import covariance

        if cov.cov_type not in ("nonrobust", "HC0", "HC1", "HC2", "HC3"):
            raise NotAvailableError(
                f'Type 1 Wald tests refit smaller models, for which cov_type="{cov.cov_type}" is not kept.'
            )
        mine = next(t for t in model_terms(fit.design) if t.name == term.name)
        hypothesis = columns_are_zero(fit.design, mine.columns)
        return joint_wald(fit, covariance(fit, cov.cov_type, cov.use_t), hypothesis)
    design = models.fit.design
    above = tuple(j for other in later for j in other.columns)
    return joint_wald(models.fit, cov, columns_are_zero(design, term.columns), beyond=columns_are_zero(design, above))


def score_of_term(larger: Nested, smaller: Nested, term: ModelTerm) -> float:
    """Score statistic of a term at the fit of the smaller model."""
    assert larger.fit is not None
    design = larger.fit.design
    beta = np.zeros(design.coefficients)
    if smaller.fit is not None:
        place = {name: j for j, name in enumerate(design.coefficient_names)}
        if any(name not in place for name in smaller.fit.design.coefficient_names):
            raise NotAvailableError(f"Without {term.name} the other terms are coded anew; use test='LR'.")
        for name, value in zip(smaller.fit.design.coefficient_names, smaller.fit.beta, strict=True):
            beta[place[name]] = value
    kept = () if smaller.fit is None else smaller.fit.design.names
    columns = [j for j, name in enumerate(design.names) if name not in kept]
    return score_test(design, beta, columns, term.name).statistic


def drop1(fit: Fit, cov: Covariance, measures: Measures) -> TestTable:
    """Leave out each term in turn that no other term contains: deviance, AIC and likelihood-ratio test, as R's ``drop1``."""
    _refuse_without_likelihood(fit, "LR")
    models = SmallerModels(fit, measures)
    droppable = [t for t in models.effects if not any(other.contains(t) for other in models.effects)]
    whole = models.without([])
    return _compared(whole, {t.name: models.without([t]) for t in droppable}, f"{_name(fit)}: one term left out", cov)


def add1(fit: Fit, cov: Covariance, measures: Measures, scope: str | Any, namespace: Any) -> TestTable:
    """Add each term of the scope in turn: deviance, AIC and likelihood-ratio test, as R's ``add1``."""
    _refuse_without_likelihood(fit, "LR")
    _, terms = extended(fit.design, scope, namespace)
    found: dict[str, Nested] = {}
    for term in terms:
        design, _ = (
            extended(fit.design, term.name, namespace)
            if isinstance(scope, str)
            else _one_added(fit.design, scope, term)
        )
        larger = maximum_likelihood(design, check_rank="drop")
        found[term.name] = measures.of(fit, larger)
    return _compared(measures.of(fit, fit), found, f"{_name(fit)}: one term added", cov)


def extended(design: Design, added: Any, namespace: Any) -> tuple[Design, tuple[ModelTerm, ...]]:
    """Return the design with terms (a text) or columns (an array or a frame) added, and these terms."""
    return with_added(design, added, namespace) if isinstance(added, str) else with_columns_added(design, added)


def _one_added(design: Design, exog: Any, term: ModelTerm) -> tuple[Design, tuple[ModelTerm, ...]]:
    larger, terms = with_columns_added(design, exog)
    return without_terms(larger, [other for other in terms if other.name != term.name]), (term,)


def _compared(base: Nested, others: dict[str, Nested], title: str, cov: Covariance) -> TestTable:
    reference = cov.likelihood_reference
    name = "lr" if reference.df_denom is None else "F"
    rows: list[dict[str, float]] = [
        {"df": np.nan, "deviance": base.deviance, "aic": base.aic, name: np.nan, "p_value": np.nan}
    ]
    for other in others.values():
        lr = abs(other.fall - base.fall)
        found = reference.test(lr, abs(base.parameters - other.parameters))
        rows.append({"df": found.df, "deviance": other.deviance, "aic": other.aic, name: found.statistic,
                     **denominator(found), "p_value": found.pvalue})  # fmt: skip
    frame = pd.DataFrame(rows, index=["<none>", *others])
    frame.index.name = "term"
    return TestTable(frame, title, _notes_of_likelihood(cov))


def _first_row(models: SmallerModels) -> pd.DataFrame:
    empty = models.without(list(models.effects))
    left = models.fit.design.observations - empty.parameters - models.fit.absorbed_parameters
    row = {"resid_df": left, "resid_deviance": empty.deviance}
    return pd.DataFrame(
        [row], index=pd.Index(["NULL"], name="term"), columns=["df", "statistic", "p_value", *row], dtype=float
    )


def _refuse_without_likelihood(fit: Fit, test: str) -> None:
    if test != "Wald":
        fit.facts.require(f'The comparison by test="{test}"', "likelihood")
    fit.facts.require("The comparison", "finite", "unconstrained", "converged", "maximum")


def _name(fit: Fit) -> str:
    return "The model" if fit.design.formula is None else fit.design.formula.text


def _words(test: str, cov: Covariance) -> str:
    return {"LR": "likelihood-ratio tests", "score": "score tests", "Wald": f"Wald tests ({cov.cov_type} covariance)"}[
        test
    ]


def _notes(models: SmallerModels, type_: int, test: str, cov: Covariance) -> tuple[str, ...]:
    found = []
    if type_ == 3 and any(other.contains(term) for term in models.effects for other in models.effects):
        found.append(
            "Type 3 tests of a term inside an interaction depend on the coding; sum-to-zero contrasts, C(x, Sum), test "
            "averages over the other factor."
        )
    return (*found, *(_notes_of_likelihood(cov) if test != "Wald" else ()))


def _notes_of_likelihood(cov: Covariance) -> tuple[str, ...]:
    """Say what likelihood ratios have to do with the covariance."""
    if cov.robust:
        return (f"These tests are model-based: they do not use the {cov.cov_type} covariance.",)
    words = cov.likelihood_reference.words()
    return (f"{words} There is no AIC.",) if words else ()


def wald_of_terms(fit: Fit, cov: Covariance) -> TestTable:
    """Joint Wald test of the columns of each term, as statsmodels' ``wald_test_terms``."""
    rows = []
    terms = model_terms(fit.design)
    for term in terms:
        found = joint_wald(fit, cov, columns_are_zero(fit.design, term.columns))
        row = {"statistic": found.statistic, "pvalue": found.pvalue, "df_constraint": found.df}
        rows.append({**row, **denominator(found)})
    frame = pd.DataFrame(rows, index=[term.name for term in terms])
    warn_of_separated(fit, [j for term in terms if term.factors for j in term.columns])
    separated = separated_terms(fit)
    notes = (words_of_separated(separated),) if separated else ()
    return TestTable(frame, f"Wald tests of the terms ({cov.cov_type} covariance)", notes)
