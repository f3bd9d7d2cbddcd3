"""Joint tests from Firth's penalized likelihood: of terms, and of nested fits.

The smaller model is maximised inside the larger one, under the penalty of the larger one's whole information: twice the fall of
the penalized log-likelihood is compared with chi-squared (Heinze and Schemper 2002, Statistics in Medicine 21, 2409-2419, section
3; ``logistftest`` of R's logistf). Under a penalty of its own a smaller model may be higher than the larger, and the difference
depends on the units of the columns.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.terms import ModelTerm, without_terms
from logit_stats.errors import DataError, NotAvailableError, UnknownOptionError, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.deviance_analysis import Measures, Nested, SmallerModels, _notes, cleared, wald_row
from logit_stats.inference.hypotheses import TestTable
from logit_stats.inference.likelihood_ratio import (
    LikelihoodRatioTest,
    _refuse_different_rows,
    _refuse_not_nested,
    joint_triangle,
)
from logit_stats.inference.penalized import PenalizedProfile
from logit_stats.inference.reference import CHI_SQUARED, Joint
from logit_stats.inference.separated_wald import separated_terms, words_of_separated

NAME = "Penalized likelihood-ratio test"
PENALTY = "Smaller models are maximised under the penalty of the whole one (as logistf does); there is no deviance and no AIC."


class ModelsInside(SmallerModels):
    """Models of fewer terms, maximised inside the whole one under its penalty."""

    def __init__(self, fit: Fit, profile: PenalizedProfile) -> None:
        super().__init__(fit, Measures(float("nan"), float("nan")))
        self.profile = profile

    def _fitted(self, dropped: list[ModelTerm]) -> Nested:
        whole = self.fit
        if not dropped:
            return _nested(self.profile.best.penalized_loglik, whole.parameters)
        if len(dropped) == len(self.terms):
            N = np.zeros((whole.parameters, 0))
        else:
            N = directions_inside(whole, without_terms(whole.design, dropped))
        return _nested(self.profile.within(N).penalized_loglik, N.shape[1])


def _nested(height: float, parameters: int) -> Nested:
    return Nested(-2.0 * height, float("nan"), float("nan"), parameters, None)


def directions_inside(whole: Fit, smaller: Design) -> FloatArray:
    """(k, d) orthonormal directions of the working coefficients whose columns are combinations of those of a smaller design."""
    k, place = whole.parameters, {name: j for j, name in enumerate(whole.design.names)}
    if all(name in place for name in smaller.names):
        B = np.eye(k)[:, [place[name] for name in smaller.names]]
    else:  # coded anew
        R = joint_triangle(whole.design, smaller)
        B = solve_triangular(R[:k, :k], R[:k, k:])
    N = np.column_stack([whole.working.gamma(b) for b in B.T])
    left, sizes, _ = np.linalg.svd(N / np.linalg.norm(N, axis=0), full_matrices=False)
    return np.asarray(left[:, sizes > 1e-10 * sizes[0]])


def penalized_lr_test(larger: Fit, profile: PenalizedProfile, smaller: Fit) -> LikelihoodRatioTest:
    """Test the smaller of two nested Firth fits against the larger, by the larger's penalty.

    Raises
    ------
    DataError
        If the fits do not have the same rows, response, weights and offset, or are not nested.
    NotAvailableError
        For fits that have not converged.
    """
    if larger.parameters == smaller.parameters:
        raise DataError(
            f"Both models have {larger.parameters} coefficients; a likelihood-ratio test needs one inside the other."
        )
    for fit in (larger, smaller):
        fit.facts.require("A penalized likelihood-ratio test", "converged", "rows")
    _refuse_different_rows(larger, smaller)
    _refuse_not_nested(larger, smaller)
    N = directions_inside(larger, smaller.design)
    fall = 2.0 * (profile.best.penalized_loglik - profile.within(N).penalized_loglik)
    found = CHI_SQUARED.test(max(fall, 0.0), larger.parameters - N.shape[1])
    extra = [name for name in larger.design.names if name not in smaller.design.names]
    kept = [name for name in smaller.design.names if name in larger.design.names]
    return LikelihoodRatioTest(
        found.statistic, found.df, found.pvalue, " + ".join(extra), " + ".join(kept) or "the smaller model", name=NAME
    )


def penalized_anova(fit: Fit, cov: Covariance, profile: PenalizedProfile, type_: int, test: str) -> TestTable:
    """Analysis of terms by penalized likelihood ratios, of types 1, 2 and 3; or of types 2 and 3 by Wald's statistic.

    Raises
    ------
    NotAvailableError
        For score tests, Wald tests of type 1, and a fit that has not converged.
    """
    if type_ not in (1, 2, 3):
        raise UnknownOptionError(f"type={type_!r} is not known; choose one of 1, 2, 3.")
    check_choice("test", test, ("LR", "Wald", "score"))
    if test == "score" or (test == "Wald" and type_ == 1):
        raise NotAvailableError(
            f'Tests of type {type_} by test="{test}" fit smaller models by maximum likelihood, which may not exist where '
            f'Firth\'s estimate does; use test="LR", the penalized likelihood ratio.'
        )
    fit.facts.require("The comparison", "converged", "rows")
    models = ModelsInside(fit, profile)
    if not models.effects:
        raise DataError("The model has no term beside the constant; there is nothing to compare.")
    index = pd.Index([term.name for term in models.effects], name="term")
    rows = [_term_row(models, cov, term, type_, test) for term in models.effects]
    how = "penalized likelihood-ratio tests" if test == "LR" else f"Wald tests ({cov.cov_type} covariance)"
    notes = (*_notes(models, type_, "Wald", cov), *(_notes_of(cov) if test == "LR" else _of_separated(fit)))
    return TestTable(pd.DataFrame(rows, index=index), f"Analysis of terms, type {type_}, {how}", notes)


def _term_row(models: ModelsInside, cov: Covariance, term: ModelTerm, type_: int, test: str) -> dict[str, float]:
    if test == "Wald":
        return wald_row(models, cov, term, type_)
    later = cleared(models, term, type_)
    found = _fall(models.without(later), models.without([*later, term]))
    return {"df": found.df, "statistic": found.statistic, "p_value": found.pvalue}


def _fall(larger: Nested, smaller: Nested) -> Joint:
    """Twice the fall of the penalized log-likelihood, against chi-squared; negative only by rounding."""
    return CHI_SQUARED.test(max(smaller.fall - larger.fall, 0.0), larger.parameters - smaller.parameters)


def penalized_drop1(fit: Fit, cov: Covariance, profile: PenalizedProfile) -> TestTable:
    """Leave out each term in turn that no other contains: penalized likelihood-ratio tests."""
    fit.facts.require("The comparison", "converged", "rows")
    models = ModelsInside(fit, profile)
    droppable = [t for t in models.effects if not any(other.contains(t) for other in models.effects)]
    found = [_fall(models.without([]), models.without([term])) for term in droppable]
    rows = [{"df": one.df, "lr": one.statistic, "p_value": one.pvalue} for one in found]
    frame = pd.DataFrame(rows, index=pd.Index([t.name for t in droppable], name="term"))
    name = "The model" if fit.design.formula is None else fit.design.formula.text
    return TestTable(frame, f"{name}: one term left out, penalized likelihood-ratio tests", _notes_of(cov))


def penalized_row(fit: Fit, profile: PenalizedProfile, term: ModelTerm) -> dict[str, object]:
    """The penalized likelihood-ratio test of a term after all others that do not contain it, as a row of the evidence."""
    models = ModelsInside(fit, profile)
    found = _fall(models.without([]), models.without([term]))
    return {"method": "penalized likelihood ratio", "statistic": found.statistic, "df": found.df,
            "p_value": found.pvalue}  # fmt: skip


def penalized_intervals(fit: Fit, profile: PenalizedProfile, term: ModelTerm, alpha: float) -> list[dict[str, object]]:
    """Limits of a term's coefficients from the penalized likelihood, as rows of the evidence."""
    limits = {j: profile.interval(j, alpha) for j in term.columns}
    return [
        {"coefficient": fit.design.names[j], "method": "penalized profile likelihood", "estimate": fit.beta[j],
         "std_error": np.nan, "conf_low": low, "conf_high": high}
        for j, (low, high) in limits.items()
    ]  # fmt: skip


def _notes_of(cov: Covariance) -> tuple[str, ...]:
    if cov.robust:
        return (f"These tests are model-based: they do not use the {cov.cov_type} covariance.", PENALTY)
    return (PENALTY,)


def _of_separated(fit: Fit) -> tuple[str, ...]:
    terms = separated_terms(fit)
    return (words_of_separated(terms),) if terms else ()
