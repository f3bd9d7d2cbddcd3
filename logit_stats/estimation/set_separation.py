"""Separation of matched sets: a direction along which no case falls behind a row of its set that is none.

The conditional likelihood of a set rises for ever along a direction exactly where each of its cases gains at least as much as
each other row, and one of them more: the maximum over all choices of m rows is then that of the cases. So the pairs of a case
and another row of its set are the rows of an ordinary search for separation, every one a success.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import SeparationError, listed
from logit_stats.estimation.separation import Separation, find_separation
from logit_stats.likelihoods.conditional import sets_of


def find_set_separation(design: Design, beta: FloatArray | None = None) -> Separation:
    """Search for directions of separation among the pairs of cases and other rows of their sets."""
    case, other = case_pairs(design)
    X = np.asarray(design.X)
    pairs = replace(
        design, X=X[case] - X[other], likelihood=None, group=None, offset=None, weight=None, constant=None,
        response=replace(design.response, successes=np.ones(len(case)), trials=None), index=design.index[case],
    )  # fmt: skip
    found = find_separation(pairs, beta)
    level, side = np.zeros(design.rows, dtype=np.int_), np.zeros(design.rows, dtype=np.int_)
    apart = found.level > 0
    for rows, sign in ((other, -1), (case, 1)):
        level[rows[apart]] = found.level[apart]
        side[rows[apart]] = sign
    return replace(found, level=level, side=side, index=design.index)


def case_pairs(design: Design) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of the case and of the other row of every pair within a set."""
    sets, y = sets_of(design), design.response.successes
    cases, others = [], []
    for start, end in zip(sets.starts[:-1], sets.starts[1:], strict=True):
        rows = sets.order[start:end]
        here, there = rows[y[rows] == 1.0], rows[y[rows] == 0.0]
        cases.append(np.repeat(here, len(there)))
        others.append(np.tile(there, len(here)))
    return np.concatenate(cases), np.concatenate(others)


def set_separation_error(design: Design, separation: Separation) -> SeparationError:
    """Return the error that says along which columns the cases of how many sets are told from the others."""
    sets = sets_of(design)
    touched = len(np.unique(sets.of_row[separation.level[sets.order] > 0]))
    terms = [
        f"{value:+.4g}*{name}"
        for name, value in zip(separation.names, separation.direction, strict=True)
        if abs(value) > 1e-9
    ]
    infinite = [f"{name} -> {'+' if limit > 0 else '-'}inf" for name, limit in separation.infinite.items()]
    infinite += [f"{name} (undetermined)" for name in separation.undetermined]
    shown = " ".join(terms[:6]).removeprefix("+") + (" ..." if len(terms) > 6 else "")
    message = (
        f"{separation.kind.capitalize()} separation: there is no finite maximum-likelihood estimate. Along {shown} no case "
        f"falls behind another row of its set, and in {touched} of {sets.count} sets cases draw ahead, so the conditional "
        f"likelihood keeps rising. Coefficients without a finite limit: {listed(infinite, 6)}. exact() has one-sided limits and "
        f"tests; joining sparse levels or leaving the columns out asks another question."
    )
    return SeparationError(message, separation)
