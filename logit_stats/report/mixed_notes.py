"""The notes under the summary of a fit with random effects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logit_stats.inference.variance_components import singular
from logit_stats.inference.variance_test import mixture_test
from logit_stats.report.notes import design_notes

if TYPE_CHECKING:
    from logit_stats.results.mixed import MixedResults

# Groups that are few for a variance between them, and rows a group that are few for Laplace's approximation.
FEW_GROUPS, FEW_ROWS = 10, 8


def mixed_notes(res: MixedResults) -> list[str]:
    """Notes of a result, the most general first."""
    fit, layout = res.fit_, res.fit_.layout
    found = design_notes(fit)
    found.append(
        f"Subject-specific: odds ratios compare the same {layout.names[0]} under two conditions; margins() and predict() "
        f"average over groups."
    )
    if fit.converged:
        found.append(_independent(res))
    found += singular(fit)
    for g, name in enumerate(layout.names):
        if len(layout.labels(g)) < FEW_GROUPS:
            found.append(
                f"{len(layout.labels(g))} groups of {name} are few: their variance is uncertain, and usually too small; see "
                f"variance_components(method='profile')."
            )
    if (
        fit.points == 1
        and len(layout.names) == 1
        and fit.effects[0].rows.mean() < FEW_ROWS
        and not fit.design.response.grouped
    ):
        more = "; quadrature=7 or more is nearer" if layout.Z(0).shape[1] == 1 else ""
        found.append(
            f"Laplace's approximation with {fit.effects[0].rows.mean():.1f} rows a group can be off for large variances{more}."
        )
    if res.covariance_.description:
        found.append(f"Standard errors are {res.covariance_.description}.")
    if not fit.converged:
        found.append(
            f"NOT CONVERGED: {fit.decrement:.2g} standard errors from the maximum after {fit.iterations} iterations."
        )
    return found


def _independent(res: MixedResults) -> str:
    """The test against independent rows, whose fit is known already."""
    terms = [str(part.term) for parts in res.fit_.layout.parts for part in parts]
    return " ".join(str(mixture_test(res.fit_, res.fit_.loglik_independent, [], " + ".join(terms))).split()) + "."
