"""The notes under the summary of matched sets: what a reader must know beside the numbers, a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from logit_stats.errors import listed

if TYPE_CHECKING:
    from logit_stats.results.conditional import ConditionalLogitResults


def set_notes(res: ConditionalLogitResults) -> list[str]:
    """Notes of a conditional fit, the most general first."""
    fit, design, sets = res.fit_, res.fit_.design, res.model.sets
    response = design.response
    found = [
        f"Models which rows of a set of {res.model.groups_name} are {response.success} (against {response.failure}), given how "
        f"many are: {_sets_in_words(sets.sizes, sets.cases)}. The null model takes all choices for alike."
    ]
    if design.offset is not None:
        found.append(f"The linear predictor contains the offset {design.offset.label}.")
    if design.weight is not None:
        found.append(f"Frequency weights: {sets.count} sets stand for {_weight_of_sets(res):.0f}.")
    dropped = [name for name in design.left_out if name not in ("Intercept", "const")]
    if dropped:
        found.append(f"Left out, being the same within every set or combinations there: {listed(dropped, 8)}.")
    if res.covariance_.description:
        found.append(f"Covariance {res.covariance_.description}.")
    found += list(res.covariance_.notes)
    if not fit.converged:
        found.append(
            f"NOT CONVERGED: {fit.decrement:.2g} standard errors from the maximum after {fit.iterations} iterations."
        )
    if fit.trace.note:
        found.append(f"{fit.trace.note[0].upper()}{fit.trace.note[1:]}.")
    return found


def _weight_of_sets(res: ConditionalLogitResults) -> float:
    from logit_stats.likelihoods.conditional import set_weights

    weight = set_weights(res.fit_.design)
    return float(res.model.sets.count) if weight is None else float(weight.sum())


def _sets_in_words(sizes: np.ndarray, cases: np.ndarray) -> str:
    """How many sets, of how many rows and cases."""
    shapes = f"{_span(sizes)} rows with {_span(cases)} case{'s' if cases.max() > 1 else ''}"
    return f"{len(sizes)} sets of {shapes}"


def _span(numbers: np.ndarray) -> str:
    low, high = int(numbers.min()), int(numbers.max())
    return f"{low}" if low == high else f"{low} to {high}"
