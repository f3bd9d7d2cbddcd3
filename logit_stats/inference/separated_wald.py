"""Wald tests where the data are separated: what is to be said beside them.

Firth's estimate and its relatives are finite there, but the likelihood is not quadratic at all: Wald's statistic shrinks to
nothing as the evidence grows (Hauck and Donner 1977), and a joint test of a factor may find nothing where there is much.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from logit_stats.design.terms import model_terms
from logit_stats.errors import SeparatedTestWarning, listed
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.separation import find_separation


def separated_columns(fit: Fit) -> frozenset[int]:
    """Coefficients whose maximum-likelihood estimate is not finite, of a fit that is not at the maximum.

    Where the fit is at the maximum there are none: it would have been refused.
    """
    if fit.facts.lacks("rows", "binary") or fit.facts.maximum:
        return frozenset()
    fates = find_separation(fit.design).fates
    return frozenset(j for j, fate in enumerate(fates) if fate != "finite")


def separated_terms(fit: Fit) -> list[str]:
    """Names of the terms with such a coefficient, without the constant."""
    columns = separated_columns(fit)
    return [term.name for term in model_terms(fit.design) if term.factors and columns.intersection(term.columns)]


def words_of_separated(names: Iterable[str]) -> str:
    """What is to be said beside a Wald test of these."""
    return (
        f"The data are separated along {listed(list(names), 5)}: Wald's statistic falls there as the evidence grows, and "
        f"says little. Use the penalized likelihood-ratio test: fit_firth().anova(type=3), or lr_test() of two Firth fits."
    )


def warn_of_separated(fit: Fit, tested: Iterable[int]) -> None:
    """Warn where a Wald test of these coefficients is asked and one of them has no finite maximum-likelihood estimate."""
    found = sorted(separated_columns(fit).intersection(tested))
    if found:
        names = [fit.design.coefficient_names[j] for j in found]
        warnings.warn(words_of_separated(names), SeparatedTestWarning, stacklevel=2)
