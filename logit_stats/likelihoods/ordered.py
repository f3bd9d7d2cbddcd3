"""What the logits of an ordered response have in common: cuts between neighbouring categories, slopes shared or not.

A response of C = E + 1 ordered categories has E cuts, named by the categories that they part (``1|2``). In each equation a
linear predictor says what lies above a cut against what lies below (which of the categories, the kinds differ in), so that a
positive coefficient always means higher categories. Slopes are shared by all equations, but those of the columns in `own`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.parameters import Parameters
from logit_stats.errors import DataError
from logit_stats.likelihoods.demands import Forms, Separated, SeparationWords, first_six, labels_of
from logit_stats.likelihoods.facts import Facts
from logit_stats.likelihoods.likelihood import RowLikelihood
from logit_stats.likelihoods.multinomial import impossible
from logit_stats.likelihoods.null import NullModel

if TYPE_CHECKING:
    from typing import Self

# What statsmodels calls the kinds of predictions.
WHICH = {"prob": "mean", "cumprob": "cumulative", "linpred": "linear"}

ORDERED_FACTS = Facts(
    binary=False,
    words=(
        (
            "binary",
            "is for responses of two categories; this one has several, in order. Ask it of a cut, logit('I(y >= 2) ~ ...'), or "
            "ask predictions, margins and means of the categories",
        ),
    ),
)


def _error(design: Design, found: Separated) -> str:
    return (
        f"Certain columns say beyond doubt on which side of some cut {design.response.name} lies: the likelihood keeps rising "
        f"with {first_six(found.without_limit)} (a|b is the threshold between a and b). In {found.rows} of {design.rows} rows a "
        f"category becomes impossible (row {labels_of(found)}). Join neighbouring categories or sparse levels, leave the "
        f"columns out, or let them share their slopes over the cuts."
    )


SEPARATION = SeparationWords(
    impossible,
    "To check: along the direction no row's own category loses against another one; so the likelihood never falls.",
    _error,
    (
        "joining neighbouring categories, or sparse levels",
        "leaving columns out",
        "shared slopes in the place of slopes of their own (nonparallel=)",
    ),
    sides=False,
)


@dataclass(frozen=True)
class Ordered(RowLikelihood):
    """A logit of an ordered response.

    Attributes
    ----------
    own : frozenset of str
        Names of the columns that have a slope of their own in each equation; the others share theirs.
    """

    own: frozenset[str] = frozenset()

    kind: ClassVar[str]
    facts: ClassVar[Facts] = ORDERED_FACTS
    separation: ClassVar[SeparationWords] = SEPARATION
    # whether a threshold stands in its equation with a minus
    falling: ClassVar[bool] = False

    def parameters(self, design: Design) -> Parameters:
        """Shared slopes once, others ``column:cut`` for every cut, and the thresholds last."""
        if design.constant is None:
            raise DataError("Thresholds need a constant column, and there is none.")
        cuts = cuts_of(design)
        slots = np.empty((len(cuts), design.columns), dtype=np.intp)
        names: list[str] = []
        for j, name in enumerate(design.names):
            if j == design.constant:
                continue
            each = name in self.own
            slots[:, j] = len(names) + (np.arange(len(cuts)) if each else 0)
            names += [f"{name}:{cut}" for cut in cuts] if each else [name]
        slots[:, design.constant] = len(names) + np.arange(len(cuts))
        negative = tuple(range(len(names), len(names) + len(cuts))) if self.falling else ()
        return Parameters((*names, *cuts), slots, cuts, negative=negative)

    def null(self, design: Design, constant_in_span: bool) -> NullModel | None:
        """Return the model of the shares of the categories; with an offset its thresholds must be fitted."""
        assert design.response.categories is not None
        if design.offset is not None:
            return None
        counts = design.response.categories.counts(None if design.weight is None else design.weight.values)
        loglik = float(counts @ (np.log(counts) - np.log(counts.sum())))
        return NullModel("intercept", 0.0, loglik, tuple(self.intercepts(counts).tolist()))

    def intercepts(self, counts: FloatArray) -> FloatArray:
        """(E,) linear predictors at which the categories have these counts."""
        raise NotImplementedError

    def demands(self, design: Design) -> Forms:
        """What rows demand of a direction along which the likelihood never falls."""
        assert design.response.categories is not None
        return self.forms(design.response.categories.codes, design.equations)

    def forms(self, codes: NDArray[np.intp], equations: int) -> Forms:
        """Demands of rows of these categories."""
        raise NotImplementedError

    def with_own(self, own: frozenset[str]) -> Self:
        """Return the same kind with slopes of their own for other columns."""
        return type(self)(own)


def cuts_of(design: Design) -> tuple[str, ...]:
    """Names of the cuts: of the categories that they part."""
    assert design.response.categories is not None
    names = design.response.categories.names
    return tuple(f"{low}|{high}" for low, high in pairwise(names))


def own_cut_forms(codes: NDArray[np.intp], below: NDArray[np.bool_], equations: int) -> Forms:
    """Demands of rows by sign: equation e must rise where ``below[i, e]``, and that of the row's category must fall."""
    rising, e = np.nonzero(below)
    falling = np.flatnonzero(codes < equations)
    patterns = np.vstack([np.eye(equations), -np.eye(equations)])
    return Forms(np.r_[rising, falling], np.r_[e, equations + codes[falling]], patterns)


def crossing_words(crossed: int, rows: int) -> str:
    """Say that cumulative probabilities cross."""
    return (
        f"Slopes of their own make the cumulative probabilities of {crossed} of {rows} rows cross: some probability is negative "
        f"there. Let more columns share their slopes (parallel_test() says which do), or take kind='adjacent' or "
        f"'continuation', whose probabilities never cross."
    )
