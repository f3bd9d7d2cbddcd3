"""Which design columns are linear combinations of the ones before them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from logit_stats.design.block import FloatArray
from logit_stats.design.dependent import remedies
from logit_stats.design.design import Design
from logit_stats.errors import RankDeficientError
from logit_stats.estimation.likelihood import triangular_factor
from logit_stats.likelihoods.working import centred_columns

# What is left of a column after taking out the columns before it, relative to the column: below this it counts as
# nothing. R's glm.fit has the same value.
DEPENDENT = 1e-11
# With less than this left, the rounding of the other columns is looked at too.
SUSPECT = 1e-4


@dataclass(frozen=True)
class Dependence:
    """One dependent column and the combination of earlier columns that it equals."""

    column: int
    combination: dict[int, float]


def dependent_columns(design: Design) -> list[Dependence]:
    """Columns that are combinations of the columns before them, in their order.

    The columns are centred and scaled first, so that the verdict does not depend on units. A column is dependent when
    less than `DEPENDENT` of it, or less than the rounding error of its own numbers and of the numbers that make up the
    combination, is left.
    """
    working = centred_columns(design)
    R = triangular_factor(design, working)
    rounding = _rounding(design, working.scale)
    kept: list[int] = []
    found: list[Dependence] = []
    for j in range(design.columns):
        # QR of the kept columns and this one: k x k work, and a dependent column taken along would spoil the next
        T = np.asarray(np.linalg.qr(R[:, [*kept, j]], mode="r"))
        last = T[:, -1]
        residual = abs(last[len(kept)]) if len(kept) < len(last) else 0.0
        norm = float(np.linalg.norm(last))
        if residual > SUSPECT * norm and residual > rounding[j]:
            kept.append(j)
            continue
        weights = solve_triangular(T[: len(kept), : len(kept)], last[: len(kept)]) if kept else np.zeros(0)
        # a combination is known to the digits of the columns that are in it: two times since 1970 are known to a millisecond,
        # and so is the duration between them, however short
        of_combination = float(np.abs(weights) @ rounding[kept])
        if residual > max(DEPENDENT * norm, rounding[j] + of_combination):
            kept.append(j)
            continue
        found.append(Dependence(j, _in_user_columns(design, working.center, working.scale, j, kept, weights)))
    return found


def of_full_rank(design: Design, check_rank: bool | str) -> Design:
    """Return the design without dependent columns where these may be left out (``check_rank="drop"``).

    Raises
    ------
    RankDeficientError
        If there are dependent columns that may not.
    """
    found = dependent_columns(design)
    if found and check_rank != "drop":
        raise rank_error(design, found)
    return without(design, found)


def without(design: Design, found: list[Dependence]) -> Design:
    """Return the design without these columns, which it remembers as left out; itself where there are none."""
    out = {d.column for d in found}
    if not out:
        return design
    keep = [j for j in range(design.columns) if j not in out]
    in_order = sorted(found, key=lambda d: d.column)
    aliases = tuple({design.names[i]: w for i, w in d.combination.items()} for d in in_order)
    return design.with_columns(keep, tuple(design.names[d.column] for d in in_order), aliases)


def _rounding(design: Design, scale: FloatArray | None) -> FloatArray:
    """Norm of the rounding error of each working column: the data are known to half a unit in the last place."""
    largest = np.zeros(design.columns)
    for block in design.blocks(1 << 14):
        np.maximum(largest, np.abs(block.X).max(axis=0), out=largest)
    scaled = largest * (1.0 if scale is None else scale)
    return np.asarray(4.0 * np.finfo(np.float64).eps * scaled * np.sqrt(design.rows))


def _in_user_columns(
    design: Design,
    center: FloatArray | None,
    scale: FloatArray | None,
    j: int,
    kept: list[int],
    weights: FloatArray,
) -> dict[int, float]:
    """The combination in the user's columns; negligible coefficients are left out."""
    s = np.ones(design.columns) if scale is None else scale
    c = np.zeros(design.columns) if center is None else center
    size = np.abs(weights).max(initial=0.0)
    combination = {
        i: float(w * s[i] / s[j]) for i, w in zip(kept, weights, strict=True) if abs(w) > 1e-9 * max(size, 1e-300)
    }
    if design.constant is not None and center is not None and design.constant in kept:
        value = design.constant_value
        shift = c[j] - sum(w * c[i] for i, w in combination.items())
        terms = [abs(c[j])] + [abs(w * c[i]) for i, w in combination.items()]
        total = combination.get(design.constant, 0.0) + shift / value
        combination.pop(design.constant, None)
        if abs(total) > 1e-9 * max(*terms, 1e-300):
            combination = {design.constant: total, **combination}
    return combination


def rank_error(design: Design, found: list[Dependence]) -> RankDeficientError:
    """Return the error that names the dependent columns and what they are the sum of."""
    names = design.names
    lines = [f"{names[d.column]!r} {_combination_text(names, d.combination)}" for d in found[:5]]
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    why = " ".join(["", *remedies(design, [d.column for d in found])])
    message = (
        f"{len(found)} design column{'s are' if len(found) > 1 else ' is'} determined by the columns before "
        f"{'them' if len(found) > 1 else 'it'}, so the coefficients are not unique: {'; '.join(lines)}{more}.{why} "
        f'Leave {"them" if len(found) > 1 else "it"} out of the model, or pass check_rank="drop" to have that done.'
    )
    dependent = {names[d.column]: {names[i]: w for i, w in d.combination.items()} for d in found}
    return RankDeficientError(message, dependent)


def _combination_text(names: tuple[str, ...], combination: dict[int, float]) -> str:
    if not combination:
        return "is zero in every row used"
    terms = [f"{weight:+.6g}*{names[i]}" for i, weight in list(combination.items())[:6]]
    more = " + ..." if len(combination) > 6 else ""
    return f"= {' '.join(terms).removeprefix('+')}{more}"
