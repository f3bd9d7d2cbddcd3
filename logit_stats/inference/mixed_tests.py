"""Likelihood-ratio tests of models with random effects: of the fixed part, and of the random part."""

from __future__ import annotations

import numpy as np
import pandas as pd

from logit_stats.design.terms import without_terms
from logit_stats.errors import DataError, UnknownOptionError, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.mixed import MixedFit, mixed_fit
from logit_stats.inference.deviance_analysis import Measures, Nested, SmallerModels, _notes, _row, anova
from logit_stats.inference.hypotheses import TestTable
from logit_stats.inference.likelihood_ratio import LikelihoodRatioTest, _refuse_different_rows, _refuse_not_nested
from logit_stats.inference.mixed_covariance import MixedCovariance
from logit_stats.inference.reference import CHI_SQUARED
from logit_stats.inference.variance_test import VarianceTest, mixture_test


def mixed_lr_test(one: Fit, other: Fit) -> LikelihoodRatioTest | VarianceTest:
    """Test nested models of which one has random effects, or both.

    Raises
    ------
    DataError
        If the models have different rows, other quadrature, or differ in both parts.
    """
    larger, smaller = (one, other) if one.free_parameters >= other.free_parameters else (other, one)
    for fit in (larger, smaller):
        fit.facts.require("A likelihood-ratio test", "likelihood", "maximum", "rows", "converged", "unconstrained")
    if not isinstance(larger, MixedFit):
        raise DataError("The models are not nested: the one with random effects has fewer parameters than the other.")
    if isinstance(smaller, MixedFit) and smaller.points != larger.points:
        raise DataError(
            f"The models have {larger.points} and {smaller.points} quadrature points: their log-likelihoods are approximated "
            f"differently and cannot be compared. Fit both with the same quadrature=."
        )
    _refuse_different_rows(larger, smaller)
    _refuse_not_nested(larger, smaller)
    mine, its = _random_terms(larger), _random_terms(smaller)
    same_fixed = larger.parameters == smaller.parameters
    if mine == its:
        return _of_fixed_part(larger, smaller)
    if not same_fixed:
        raise DataError(
            "The models differ in fixed and in random terms, and one test of both has no known distribution: test one part at "
            "a time."
        )
    kept = [p for of in smaller.layout.parts for p in of] if isinstance(smaller, MixedFit) else []
    extra = " + ".join(sorted(mine - its)) or "random effects"
    return mixture_test(larger, smaller.loglik, kept, extra)


def _random_terms(fit: Fit) -> set[str]:
    return {str(p.term) for of in fit.layout.parts for p in of} if isinstance(fit, MixedFit) else set()


def _of_fixed_part(larger: MixedFit, smaller: Fit) -> LikelihoodRatioTest:
    df = larger.parameters - smaller.parameters
    if df == 0:
        raise DataError(
            f"Both models have {larger.parameters} coefficients; a likelihood-ratio test needs one inside the other."
        )
    found = CHI_SQUARED.test(max(2.0 * (larger.loglik - smaller.loglik), 0.0), df)
    extra = [name for name in larger.design.names if name not in smaller.design.names]
    kept = [name for name in smaller.design.names if name in larger.design.names]
    return LikelihoodRatioTest(found.statistic, df, found.pvalue, " + ".join(extra), " + ".join(kept))


class MixedModels(SmallerModels):
    """Fits of fewer fixed terms with the same random part."""

    def _fitted(self, dropped: list[object]) -> Nested:  # type: ignore[override]
        whole = self.fit
        assert isinstance(whole, MixedFit)
        if not dropped:
            return self.measures.of(whole, whole)
        if len(dropped) == len(self.terms):
            raise DataError("Without any fixed term there is no model to compare with; keep the constant.")
        parts = [part for of in whole.layout.parts for part in of]
        design = without_terms(whole.design, dropped)  # type: ignore[arg-type]
        fit = mixed_fit(design, parts, whole.points, start=whole.theta, check_rank="drop")
        return self.measures.of(whole, fit)


def mixed_anova(fit: MixedFit, cov: MixedCovariance, measures: Measures, type_: int, test: str) -> TestTable:
    """Tests of the fixed terms, of types 2 and 3, by the likelihood ratio or Wald's statistic."""
    if type_ not in (2, 3):
        raise UnknownOptionError(f"type={type_!r} is not there with random effects; choose one of 2, 3.")
    check_choice("test", test, ("LR", "Wald"))
    if test == "Wald":
        return anova(fit, cov, measures, type_, "Wald")
    fit.facts.require("The comparison", "rows", "converged")
    models = MixedModels(fit, measures)
    if not models.effects:
        raise DataError("The model has no term beside the constant; there is nothing to compare.")
    rows = [_row(models, cov, term, type_, "LR") for term in models.effects]
    frame = pd.DataFrame(rows, index=pd.Index([term.name for term in models.effects], name="term"))
    title = f"Tests of the fixed part, type {type_}, likelihood-ratio tests (random part as it is)"
    return TestTable(frame, title, _notes(models, type_, "LR", cov))


def mixed_drop1(fit: MixedFit, aic: float) -> TestTable:
    """Leave out each fixed term that no other contains: AIC and likelihood-ratio test."""
    fit.facts.require("The comparison", "rows", "converged")
    models = MixedModels(fit, Measures(np.nan, aic))
    droppable = [t for t in models.effects if not any(other.contains(t) for other in models.effects)]
    rows = [{"df": np.nan, "aic": aic, "lr": np.nan, "p_value": np.nan}]
    for term in droppable:
        smaller = models.without([term])
        found = CHI_SQUARED.test(max(smaller.fall, 0.0), fit.parameters - smaller.parameters)
        rows.append({"df": found.df, "aic": smaller.aic, "lr": found.statistic, "p_value": found.pvalue})
    index = pd.Index(["<none>", *(t.name for t in droppable)], name="term")
    return TestTable(pd.DataFrame(rows, index=index), "One term of the fixed part left out")
