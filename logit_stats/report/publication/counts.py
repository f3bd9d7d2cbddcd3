"""How many observations, and how many events, each row of a table stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.report.publication.rows import Rows


@dataclass(frozen=True, eq=False)
class Counted:
    """Observations and events of one row.

    Attributes
    ----------
    observations : float
    events : (equations,)
        Events; of a response of several categories, those of each category beyond the reference.
    """

    observations: float
    events: FloatArray


def counted(design: Design, members: dict[tuple[str, ...], Rows]) -> dict[tuple[str, ...], Counted]:
    """Count every row in one pass; frequency weights and trials count, sampling weights do not.

    Parameters
    ----------
    design : Design
    members : dict of row key to Rows

    Returns
    -------
    dict
        Empty where the rows were taken out of the fit.
    """
    if not members or not design.has_rows:
        return {}
    sampled = design.weight_kind == "sampling"

    def of(block: Block) -> FloatArray:
        each, events = _outcomes(block, sampled)
        return np.array(
            [[each[here].sum(), *events[here].sum(axis=0)] for here in (m.of(block) for m in members.values())]
        )

    totals = design.reduce(of)
    return {key: Counted(float(row[0]), row[1:]) for key, row in zip(members, totals, strict=True)}


def totals(design: Design) -> Counted | None:
    """Count all rows; None where they were taken out."""
    return counted(design, {(): Rows()}).get(())


def _outcomes(block: Block, sampled: bool) -> tuple[Any, Any]:
    """(m,) observations and (m, equations) events of each row."""
    weight = np.ones(len(block.successes)) if block.weight is None or sampled else block.weight
    each = weight if block.trials is None else weight * block.trials
    if block.category is None:
        return each, (weight * block.successes)[:, None]
    hit = block.category[:, None] == np.arange(1, block.categories)
    return each, weight[:, None] * hit
