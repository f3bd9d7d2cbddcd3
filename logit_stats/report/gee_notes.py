"""The notes under the summary of a population-averaged fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logit_stats.report.notes import design_notes

if TYPE_CHECKING:
    from logit_stats.results.gee import GEEResults

# Working correlations past the bounds of binary outcomes in more pairs than this are worth a sentence.
BEYOND = 0.0


def gee_notes(res: GEEResults) -> list[str]:
    """Notes of a result, the most general first."""
    fit, cov = res.fit_, res.covariance_
    found = [note.replace("; the log-likelihood contains the binomial coefficients", "") for note in design_notes(fit)]
    found.append(
        f"Population-averaged: odds ratios compare groups of the population, not one {fit.labels.name} under two conditions."
    )
    found.append(f"Standard errors are {cov.description}.")
    found += cov.notes
    if fit.labels.time_name is None and fit.correlation.name in ("ar1", "unstructured"):
        found.append("Rows of a cluster are taken in their order, one step apart; time= says where each stands.")
    if fit.correlation.beyond > BEYOND:
        found.append(
            f"In {fit.correlation.beyond:.1%} of the pairs of rows two yes/no outcomes of such probabilities cannot be so "
            f"correlated: the working correlation is only a weight there, and naive errors are not to be trusted."
        )
    if not fit.converged:
        found.append(f"NOT CONVERGED: the last step was {fit.decrement:.2g} standard errors long.")
    return found
