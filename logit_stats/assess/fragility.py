"""What a few observations can change: the fewest whose removal turns a conclusion.

The search is greedy: observations are ordered by what leaving one out does, to first order, to the coefficient and to its
standard error (Broderick, Giordano and Meager 2020, arXiv 2011.14999), some are left out, and the model is fitted again, until
the conclusion has turned. Every set reported was verified by an exact refit, and of a set of up to 30 no member can be put
back. That it is the smallest is said only where it is proved: a set of one, or of two where every single observation was
tried. Outcomes can be changed instead of left out (Walsh et al. 2014, Journal of Clinical Epidemiology 67, 622-628: the
fragility index).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.assess.interventions import Intervention, Tally, intervention
from logit_stats.assess.left_out import Refit, refuse_refits
from logit_stats.design.block import FloatArray
from logit_stats.design.terms import find_term
from logit_stats.errors import DataError, NotAvailableError, check_alpha, check_choice, whole_number
from logit_stats.inference.wald import Reported
from logit_stats.wording import lines, printed

# Units of which every single one is tried by an exact refit.
SINGLES = 1000
# Sets of this size and less are searched for members that can be put back.
THINNED = 30
# With more units, a search that first order foretells to take more than this many times the most allowed is not begun.
HOPELESS = 2.0
# Failed refits (no finite estimate) after which a search gives up.
FAILURES = 10


@dataclass(frozen=True, eq=False)
class Finding:
    """What it takes to turn one conclusion.

    Attributes
    ----------
    coefficient : str
    conclusion : str
        "sign" (of the coefficient), "significance" (lost, or gained), or "reversal" (significant with the other sign).
    size : int
        Observations (clusters, outcomes) that it takes; 0 where no set was found.
    labels : tuple
        Their labels.
    coef, coef_after, p_value, p_after : float
        Before and after.
    fewest : bool
        Whether it is proved that fewer do not do it.
    sentence : str
    """

    coefficient: str
    conclusion: str
    size: int
    labels: tuple[Any, ...]
    coef: float
    coef_after: float
    p_value: float
    p_after: float
    fewest: bool
    sentence: str

    @printed
    def __str__(self) -> str:
        return lines(self.sentence)


@dataclass(frozen=True, eq=False)
class Fragility:
    """What a few observations can change in the conclusions of a fit.

    Attributes
    ----------
    findings : tuple of Finding
    alpha : float
    total, most : int
        Observations (clusters, outcomes) there are, and the most that were left out (changed).
    notes : tuple of str
    """

    findings: tuple[Finding, ...]
    alpha: float
    total: int
    most: int
    notes: tuple[str, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a conclusion; size 0 where no set was found."""
        columns = ("coefficient", "conclusion", "size", "labels", "coef", "coef_after", "p_value", "p_after", "fewest")
        return pd.DataFrame([[getattr(f, name) for name in columns] for f in self.findings], columns=list(columns))

    @printed
    def __str__(self) -> str:
        title = f"Fragility of conclusions (significance at {self.alpha:g})"
        return "\n".join([title, *[lines(said) for said in (*[f.sentence for f in self.findings], *self.notes)]])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(finding.sentence)}</li>" for finding in self.findings)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<p>Fragility of conclusions (significance at {self.alpha:g})</p><ul>{items}</ul>{notes}"


@dataclass(frozen=True, eq=False)
class _Target:
    """A state of coefficient j to reach, and how far it is.

    ``side * b + slope * se`` falls below zero there: the sign has turned (slope 0), significance on this side is lost (slope
    -q), or gained on the other side (slope q), with q the quantile of the test.
    """

    j: int
    side: float
    kind: str  # "sign", "lost" or "gained"
    alpha: float

    def _slope(self, reported: Reported) -> float:
        if self.kind == "sign":
            return 0.0
        quantile = float(np.broadcast_to(reported.cov.reference.critical(self.alpha), len(reported.names))[self.j])
        return -quantile if self.kind == "lost" else quantile

    def distance(self, reported: Reported) -> float:
        """How far it is, in standard errors."""
        beta, se = float(reported.fit.beta[self.j]), float(reported.standard_errors[self.j])
        return self.side * beta / se + self._slope(reported)

    def gains(self, reported: Reported, beta: FloatArray, se: FloatArray) -> FloatArray:
        """How much nearer these changes bring it."""
        return np.asarray(-(self.side * beta + self._slope(reported) * se))

    def reached(self, found: Refit) -> bool:
        if found.reported is None:
            return False
        beta, p = float(found.reported.fit.beta[self.j]), float(found.reported.p_values[self.j])
        if self.kind == "lost":
            return p > self.alpha
        turned = self.side * beta < 0.0
        return turned if self.kind == "sign" else turned and p <= self.alpha


@dataclass(frozen=True, eq=False)
class _Set:
    """A set found, and the refit that verified it; or why none was."""

    tally: Tally | None
    refit: Refit | None
    fewest: bool = False
    foretold: float = float("inf")


class _Search:
    """Searches of one fit, which share the refits without single observations."""

    def __init__(self, what: Intervention, most: int, alpha: float) -> None:
        self.what, self.most, self.alpha = what, most, alpha
        self.without_estimate: dict[str, str] = {}

    @cached_property
    def singles(self) -> list[tuple[int, Refit]] | None:
        """Exact refits after each single unit; None where there are too many."""
        if self._many:
            return None
        units = [int(unit) for unit in np.flatnonzero(self.what.capacity())]
        return [(unit, self._refit(self._single(unit))) for unit in units]

    @cached_property
    def _many(self) -> bool:
        return int((self.what.capacity() > 0).sum()) > SINGLES

    def _single(self, unit: int) -> Tally:
        tally = np.zeros(len(self.what.capacity()), dtype=int)
        tally[unit] = 1
        return tally

    def _refit(self, tally: Tally) -> Refit:
        found = self.what.refit(tally)
        if found.reported is None and tally.sum() == 1:
            self.without_estimate[self.what.words(tally)] = found.reason
        return found

    def find(self, target: _Target) -> _Set:
        """Find a small set after which the target is reached."""
        found = self._greedy(target)
        if found.tally is not None and 1 < found.tally.sum() <= THINNED:
            found = self._put_back(target, found)
        if found.tally is not None and found.tally.sum() == 1:
            return _Set(found.tally, found.refit, True)
        if self.singles is None:
            return found
        for unit, refit in self.singles:
            if target.reached(refit):
                return _Set(self._single(unit), refit, True)
        return _Set(found.tally, found.refit, found.tally is not None and found.tally.sum() == 2, found.foretold)

    def _greedy(self, target: _Target) -> _Set:
        capacity = self.what.capacity()
        tally, current = np.zeros(len(capacity), dtype=int), self.what.reported
        barred = np.zeros(len(capacity), dtype=np.bool_)
        foretold, failures = float("inf"), 0
        while (room := self.most - int(tally.sum())) > 0 and failures <= FAILURES:
            changes = self.what.changes(current, tally, target.j)
            gains = target.gains(current, changes.beta, changes.se)
            gains[barred | (tally >= capacity) | ~np.isfinite(gains)] = -np.inf
            order = np.argsort(-gains, kind="stable")
            order = order[gains[order] > 0.0]
            needed = _needed(target.distance(current), gains[order], (capacity - tally)[order])
            foretold = min(foretold, int(tally.sum()) + needed)
            if len(order) == 0 or (self._many and needed > HOPELESS * room):
                break
            # one by one is best, and affordable where refits are cheap
            share = min(needed, float(room)) * (0.75 if self._many else 0.1)
            step = 1 if failures or share < 2.0 else int(share)
            further = _taken(tally, order, capacity, step)
            refit = self._refit(further)
            if refit.reported is None:
                failures += 1
                if step == 1:
                    barred[order[0]] = True
            elif target.reached(refit):
                return self._shortest(target, tally, order, capacity, step, further, refit)
            else:
                tally, current = further, refit.reported
        return _Set(None, None, False, foretold)

    def _shortest(
        self, target: _Target, tally: Tally, order: Any, capacity: Tally, step: int, further: Tally, refit: Refit
    ) -> _Set:
        """Bisect the last step for the fewest of it that reach the target."""
        low, high = 0, step
        while high - low > 1:
            middle = (low + high) // 2
            tried = _taken(tally, order, capacity, middle)
            again = self._refit(tried)
            if target.reached(again):
                high, further, refit = middle, tried, again
            else:
                low = middle
        return _Set(further, refit)

    def _put_back(self, target: _Target, found: _Set) -> _Set:
        """Put back what is not needed, one by one."""
        assert found.tally is not None
        tally, refit = found.tally, found.refit
        for unit in np.flatnonzero(tally):
            while tally[unit] > 0 and tally.sum() > 1:
                fewer = tally.copy()
                fewer[unit] -= 1
                again = self._refit(fewer)
                if not target.reached(again):
                    break
                tally, refit = fewer, again
        return _Set(tally, refit)


def _needed(distance: float, gains: FloatArray, capacity: Tally) -> float:
    """How many it takes to first order; infinite where all together do not do it."""
    upto = np.cumsum(gains * capacity)
    if len(upto) == 0 or upto[-1] < distance:
        return float("inf")
    last = int(np.searchsorted(upto, distance))
    before = upto[last - 1] if last else 0.0
    return float(capacity[:last].sum() + np.ceil((distance - before) / gains[last]))


def _taken(tally: Tally, order: Any, capacity: Tally, count: int) -> Tally:
    """Return the tally after `count` more, in this order."""
    left = (capacity - tally)[order]
    take = np.clip(count - (np.cumsum(left) - left), 0, left)
    further = tally.copy()
    further[order] += take
    return further


def fragility(
    reported: Reported, term: str | None = None, alpha: float = 0.05, change: str = "rows", groups: Any = None,
    most: int | None = None,
) -> Fragility:  # fmt: skip
    """What a few observations can change in the conclusions of a fit.

    Parameters
    ----------
    reported : Reported
    term : str, optional
        A term, whose coefficients are looked at one by one, or a coefficient; by default all but the constant.
    alpha : float
        Level of significance, of the p-values that the summary shows.
    change : {"rows", "outcomes"}
        Leave observations out, or change their outcomes.
    groups : str or (n,) array_like, optional
        Leave out whole clusters: a column name or one label for each row.
    most : int, optional
        The most that are left out (changed): by default a tenth, at least 10.

    Raises
    ------
    DataError
        If there is no such term, or alpha or most is out of range.
    NotAvailableError
        For penalized fits, under constraints, and for bootstrapped standard errors.
    """
    check_choice("change", change, ("rows", "outcomes"))
    check_alpha(alpha)
    refuse_refits(reported.fit)
    if reported.cov.cov_type == "bootstrap":
        raise NotAvailableError("Every refit would draw its own resamples; use another covariance, with_cov(...).")
    what = intervention(reported, change, groups)
    design = reported.fit.design
    if term is None:
        columns = tuple(j for j in range(design.columns) if j != design.constant)
        if not columns:
            raise DataError("There is no coefficient beside the constant; name the constant to ask about it.")
    else:
        columns = find_term(design, term).columns
    if most is None:
        most = min(max(10, what.total // 10), what.total - 1)
    most = whole_number("most", most)
    if not 1 <= most < what.total:
        raise DataError(f"most={most}: give 1 to {what.total - 1}.")
    search = _Search(what, most, alpha)
    findings = tuple(finding for j in columns for finding in _of_coefficient(search, j))
    return Fragility(findings, alpha, what.total, most, _notes(search))


def _of_coefficient(search: _Search, j: int) -> Iterator[Finding]:
    reported = search.what.reported
    beta, p = float(reported.fit.beta[j]), float(reported.p_values[j])
    side = 1.0 if beta >= 0.0 else -1.0
    significant = p <= search.alpha
    yield _finding(search, j, "sign", search.find(_Target(j, side, "sign", search.alpha)))
    other_side = search.find(_Target(j, side, "gained", search.alpha))
    if significant:
        yield _finding(search, j, "significance", search.find(_Target(j, side, "lost", search.alpha)))
    else:
        this_side = search.find(_Target(j, -side, "gained", search.alpha))
        sizes = [float("inf") if s.tally is None else float(s.tally.sum()) for s in (this_side, other_side)]
        yield _finding(search, j, "significance", this_side if sizes[0] <= sizes[1] else other_side)
    yield _finding(search, j, "reversal", other_side)


def _finding(search: _Search, j: int, conclusion: str, found: _Set) -> Finding:
    what, reported = search.what, search.what.reported
    name, beta, p = reported.names[j], float(reported.fit.beta[j]), float(reported.p_values[j])
    if found.tally is None or found.refit is None or found.refit.reported is None:
        sentence = f"{name} {_kept(conclusion, p <= search.alpha)}: {_not_found(search, found)}"
        return Finding(name, conclusion, 0, (), beta, np.nan, p, np.nan, False, sentence)
    size = int(found.tally.sum())
    after = found.refit.reported
    beta_after, p_after = float(after.fit.beta[j]), float(after.p_values[j])
    turned = _turned(conclusion, p <= search.alpha, beta_after)
    moved = f"coef {beta:.3g} -> {beta_after:.3g}"
    numbers = {"sign": moved, "significance": f"p {p:.3g} -> {p_after:.3g}", "reversal": f"{moved}, p {p_after:.3g}"}
    proof = " (fewer do not do it)" if found.fewest and size > 1 else ""
    sentence = f"{what.words(found.tally)} {name} {turned}: {numbers[conclusion]}{proof}."
    return Finding(
        name, conclusion, size, tuple(what.labels(found.tally)), beta, beta_after, p, p_after, found.fewest, sentence
    )


def _turned(conclusion: str, significant: bool, beta_after: float) -> str:
    if conclusion == "sign":
        return "changes its sign"
    if conclusion == "significance":
        return "is no longer significant" if significant else "becomes significant"
    return f"is significantly {'positive' if beta_after > 0 else 'negative'}"


def _kept(conclusion: str, significant: bool) -> str:
    if conclusion == "sign":
        return "keeps its sign"
    if conclusion == "significance":
        return "stays significant" if significant else "does not become significant"
    return "is not reversed"


def _not_found(search: _Search, found: _Set) -> str:
    if found.foretold < search.what.total:
        foretold = f"; to first order it takes {found.foretold:.0f}"
    else:
        foretold = ""
    return f"no set of up to {search.most} of {search.what.total} was found{foretold}."


def _notes(search: _Search) -> tuple[str, ...]:
    found = [f"{words}: {reason}." for words, reason in list(search.without_estimate.items())[:5]]
    found.append(
        "Sets were found by a greedy search and verified by refitting; where it is not said that fewer do not do it, a smaller "
        "set may exist."
    )
    return tuple(found)
