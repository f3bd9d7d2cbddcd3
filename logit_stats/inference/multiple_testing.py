"""Pairwise comparisons of the levels of a factor, and p-values adjusted for their number."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy import stats

from logit_stats.design.block import FloatArray
from logit_stats.design.constraints import Constraints
from logit_stats.design.terms import find_term, model_terms
from logit_stats.errors import DataError, check_choice, listed
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.hypotheses import TestTable, t_test

ADJUSTMENTS = ("holm", "bonferroni", "holm-sidak", "sidak", "fdr_bh", "none")
OTHER_NAMES = {"hs": "holm-sidak", "h": "holm", "b": "bonferroni", "s": "sidak"}  # statsmodels'


def adjusted_pvalues(pvalues: FloatArray, method: str = "holm") -> FloatArray:
    """Adjust p-values for their number.

    Parameters
    ----------
    pvalues : (m,)
    method : {"holm", "bonferroni", "holm-sidak", "sidak", "fdr_bh", "none"}
        Family-wise error (Holm 1979, Scandinavian J. of Statistics 6, 65-70; Bonferroni; Šidák 1967, J. American Statistical
        Association 62, 626-633, which takes the tests as independent; "hs", "h", "b" and "s" for short), or the false discovery
        rate (Benjamini and Hochberg 1995, J. Royal Statistical Society B 57, 289-300).

    Examples
    --------
    >>> adjusted_pvalues(np.array([0.01, 0.02, 0.04]), "holm")
    array([0.03, 0.04, 0.04])
    """
    method = OTHER_NAMES.get(method, method)
    check_choice("method", method, ADJUSTMENTS)
    p = np.asarray(pvalues, dtype=np.float64)
    m = len(p)
    if method == "none" or m == 0:
        return p.copy()
    if method == "bonferroni":
        return np.minimum(m * p, 1.0)
    if method == "fdr_bh":
        return np.asarray(stats.false_discovery_control(p, method="bh"))
    if method == "sidak":
        return np.asarray(-np.expm1(m * np.log1p(-p)))
    order = np.argsort(p, kind="stable")
    left = m - np.arange(m)
    stepped = np.maximum.accumulate(left * p[order] if method == "holm" else -np.expm1(left * np.log1p(-p[order])))
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def pairwise_test(
    fit: Fit,
    cov: Covariance,
    term: str,
    method: str = "holm",
    alpha: float = 0.05,
) -> TestTable:
    """Differences of the log odds between all pairs of levels of a factor, on the scale of the coefficients.

    Raises
    ------
    DataError
        If the term is no single factor.
    """
    levels, effects = _level_effects(fit, term)
    if not fit.facts.binary:  # of several cuts the mean, which is the slope where they share it
        layout = fit.design.parameters
        E, k = layout.slots.shape
        effects = layout.gathered(np.broadcast_to((effects / E)[:, None, :], (len(effects), E, k)))
    pairs = list(combinations(range(len(levels)), 2))
    R = np.array([effects[j] - effects[i] for i, j in pairs])
    labels = tuple(f"{levels[j]} - {levels[i]}" for i, j in pairs)
    found = t_test(fit, cov, Constraints(R, np.zeros(len(R)), labels))
    frame = found.summary_frame(alpha)
    frame[f"pvalue-{method}"] = adjusted_pvalues(found.pvalue, method)
    frame[f"reject-{method}"] = frame[f"pvalue-{method}"] < alpha
    notes = (f"p-values adjusted by {method}; intervals are not.", *_inside(fit, term))
    return TestTable(frame, f"Pairwise differences of the levels of {term}", notes)


def _inside(fit: Fit, name: str) -> tuple[str, ...]:
    """Say where differences stand of a factor that interacts with others."""
    term = find_term(fit.design, name)
    around = [other.name for other in model_terms(fit.design) if other.contains(term)]
    if not around:
        return ()
    return (
        f"{name} is part of {listed(around, 3)}, so that its differences depend on the rest of it: these are the ones where "
        f"that is coded zero (the reference level under treatment coding, the mean of the levels under Sum, 0 of a number). "
        f"For others: odds_ratios(units=, at=), or means().",
    )


def _level_effects(fit: Fit, name: str) -> tuple[tuple[object, ...], FloatArray]:
    """Levels of a factor, and for each the combination of coefficients that is its effect."""
    design, term = fit.design, find_term(fit.design, name)
    formula = design.formula
    codings = (
        [] if formula is None else [c for t, cs in formula.info.term_codings.items() if t.name() == name for c in cs]
    )
    if formula is None or len(term.factors) != 1 or len(codings) != 1 or not codings[0].contrast_matrices:
        raise DataError(f"{name!r} is no factor by itself; pairs of levels are compared of a term such as C(race).")
    ((factor, contrast),) = codings[0].contrast_matrices.items()
    levels = formula.info.factor_infos[factor].categories
    names = formula.names[formula.info.term_name_slices[name]]
    effects = np.zeros((len(levels), design.columns))
    for column, label in enumerate(names):
        if label in design.names:
            effects[:, design.names.index(label)] = contrast.matrix[:, column]
    return tuple(levels), effects
