"""Integrated discrimination improvement and net reclassification improvement of one set of probabilities over another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from logit_stats.assess.discrimination import same_outcomes
from logit_stats.assess.scored import TIED, Scored
from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError
from logit_stats.wording import printed


@dataclass(frozen=True, slots=True)
class NetReclassification:
    """Net shares moving the right way: up among events, down among non-events.

    Attributes
    ----------
    events, nonevents : float
        Share moving up minus share moving down of the events, and down minus up of the non-events.
    se_events, se_nonevents : float
    """

    events: float
    nonevents: float
    se_events: float
    se_nonevents: float

    @property
    def total(self) -> float:
        """Sum of both parts, between -2 and 2; no share of anything."""
        return self.events + self.nonevents

    @property
    def std_error(self) -> float:
        """Standard error of the sum."""
        return float(np.hypot(self.se_events, self.se_nonevents))


@dataclass(frozen=True, eq=False)
class Reclassification:
    """IDI and NRI of new probabilities over old ones.

    Attributes
    ----------
    idi, se_idi : float
        Mean change of the probability in events minus that in non-events (the difference of Tjur's coefficients), and its
        standard error from the variances of the changes.
    continuous : NetReclassification
        Of every change, however small.
    categories : NetReclassification or None
        Of changes between categories of risk.
    table_events, table_nonevents : DataFrame or None
        Category by the old (rows) and the new (columns) probabilities.
    """

    idi: float
    se_idi: float
    continuous: NetReclassification
    categories: NetReclassification | None = None
    table_events: pd.DataFrame | None = None
    table_nonevents: pd.DataFrame | None = None

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row a measure, with normal limits at level ``1 - alpha``."""
        rows = {"IDI": (self.idi, self.se_idi)}
        for name, found in (("continuous", self.continuous), ("categories", self.categories)):
            if found is not None:
                rows[f"NRI ({name})"] = (found.total, found.std_error)
                rows[f"  events ({name})"] = (found.events, found.se_events)
                rows[f"  non-events ({name})"] = (found.nonevents, found.se_nonevents)
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "std_error"])
        half = float(stats.norm.isf(alpha / 2.0)) * frame["std_error"]
        return (
            frame.assign(lower=frame["estimate"] - half, upper=frame["estimate"] + half) + 0.0
        )  # no minus before a zero

    @property
    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        named = (("Events", self.table_events), ("Non-events", self.table_nonevents))
        return [(f"{kind}, old category in rows, new in columns", t) for kind, t in named if t is not None]

    @printed
    def __str__(self) -> str:
        parts = [
            "Reclassification, new probabilities against old",
            self.summary_frame().to_string(float_format="{:.4f}".format),
        ]
        parts += [f"{title}\n{table.to_string(float_format='{:g}'.format)}" for title, table in self._tables]
        return "\n".join(parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        tables = "".join(
            f"<p>{escape(title)}</p>{table.to_html(float_format='{:g}'.format)}" for title, table in self._tables
        )
        return self.summary_frame().to_html(float_format="{:.4f}".format) + tables


def reclassification(new: Scored, old: Scored, cutoffs: Sequence[float] | None = None) -> Reclassification:
    """Compare two sets of probabilities of the same outcomes; see `logit_stats.reclassification`.

    Raises
    ------
    DataError
        If the outcomes are not the same, or the cut-offs do not rise between 0 and 1.
    """
    same_outcomes(new, old)
    change = new.prob - old.prob
    kinds = (new.events, new.nonevents)
    means = [float(weight @ change) / float(weight.sum()) for weight in kinds]
    variance = sum(new.variance_of_mean(change, weight, mean) for weight, mean in zip(kinds, means, strict=True))
    # log odds that differ by rounding are the same probability
    same = np.abs(new.eta - old.eta) <= TIED * np.maximum(np.abs(old.eta), 1.0)
    continuous = _net(new, np.where(same, 0.0, np.sign(new.eta - old.eta)))
    found = Reclassification(means[0] - means[1], float(np.sqrt(variance)), continuous)
    if cutoffs is None:
        return found
    limits = np.asarray(cutoffs, dtype=np.float64).reshape(-1)
    if not len(limits) or not ((limits > 0.0) & (limits < 1.0)).all() or (np.diff(limits) <= 0.0).any():
        raise DataError(f"cutoffs={cutoffs!r} must be rising numbers between 0 and 1.")
    places = [np.searchsorted(limits, scored.prob, side="right") for scored in (old, new)]
    tables = [_table(places, weight, limits) for weight in kinds]
    return Reclassification(
        found.idi, found.se_idi, continuous, _net(new, np.sign(places[1] - places[0]).astype(np.float64)), *tables
    )


def _net(scored: Scored, direction: FloatArray) -> NetReclassification:
    """Net shares of moves up (1), down (-1) or none (0), with their standard errors (Pencina et al. 2011)."""
    shares, errors = [], []
    for weight, right in ((scored.events, 1.0), (scored.nonevents, -1.0)):
        total = float(weight.sum())
        net = right * float(weight @ direction) / total
        # under sampling weights each row is one draw, whatever its weight stands for
        size = weight**2 if scored.sampling else weight
        shares.append(net)
        errors.append(float(np.sqrt(size @ (right * direction - net) ** 2)) / total)
    return NetReclassification(shares[0], shares[1], errors[0], errors[1])


def _table(places: Sequence[Any], weight: FloatArray, limits: FloatArray) -> pd.DataFrame:
    size = len(limits) + 1
    counts = np.bincount(np.asarray(places[0] * size + places[1], dtype=np.intp), weights=weight, minlength=size**2)
    edges = [f"{limit:g}" for limit in limits]
    names = [f"< {edges[0]}", *[f"{a} to < {b}" for a, b in pairwise(edges)], f">= {edges[-1]}"]
    return pd.DataFrame(counts.reshape(size, size), index=names, columns=names)
