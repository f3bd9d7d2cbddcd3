"""Average effects and predictions over rows out of memory, by the same sums as in memory, in one pass for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.representative import representative
from logit_stats.design.streamed import StreamedDesign
from logit_stats.design.variables import Variable, used_column
from logit_stats.errors import NotAvailableError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.streamed import CarriedFit, StreamedFit
from logit_stats.inference.averages import Average, Averages
from logit_stats.inference.effect_weights import weight_groups


@dataclass(frozen=True, eq=False)
class Asked:
    """One average that is wanted: what `Averages.probabilities` or `derivatives` take.

    Attributes
    ----------
    kind : {"probabilities", "derivatives"}
    arguments : tuple
        Theirs, without the weights.
    group : dict of str to value
        Over which rows: those with these values.
    """

    kind: str
    arguments: tuple[Any, ...]
    group: Mapping[str, Any] = field(default_factory=dict)

    def of(self, averages: Averages, design: Design) -> tuple[Average | None, float]:
        """The average over the rows of some averages, and their weight; None where there is none."""
        weight = design.row_weight
        for name, value in self.group.items():
            weight = weight * np.asarray(used_column(design, name) == value, dtype=np.float64)
        size = float(weight.sum())
        if size == 0.0:
            return None, 0.0
        if self.kind == "probabilities":
            return averages.probabilities(weight, *self.arguments), size
        return averages.derivatives(weight, *self.arguments), size


@dataclass(frozen=True, eq=False)
class Sums:
    """Weighted sums that several averages are made of."""

    values: tuple[Any, ...]
    gradients: tuple[Any, ...]
    weights: tuple[float, ...]

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            tuple(a + b for a, b in zip(self.values, other.values, strict=True)),
            tuple(a + b for a, b in zip(self.gradients, other.gradients, strict=True)),
            tuple(a + b for a, b in zip(self.weights, other.weights, strict=True)),
        )

    def averages(self) -> list[Average]:
        """The averages."""
        found = zip(self.values, self.gradients, self.weights, strict=True)
        return [Average(value / weight, gradient / weight) for value, gradient, weight in found]


@dataclass(frozen=True, eq=False)
class SumsOfRange:
    """All averages that are wanted, of a range of rows."""

    fit: CarriedFit
    asked: tuple[Asked, ...]

    def __call__(self, design: Design) -> Sums:
        """Of one range of rows."""
        averages = Averages(self.fit.on(design))
        found = [question.of(averages, design) for question in self.asked]
        return Sums(
            tuple(0.0 if f is None else f.value * size for f, size in found),
            tuple(0.0 if f is None else f.gradient * size for f, size in found),
            tuple(size for _, size in found),
        )


class StreamedAverages(Averages):
    """Averages over rows out of memory: asked once to learn what is wanted, then again for the answers of one pass.

    Parameters
    ----------
    fit : StreamedFit
    design : StreamedDesign
        Its rows, with the columns that groups are told apart by.
    shown : Fit
        The same fit on rows in memory, which say what an average looks like.
    groups : list of (values, weights)
        The groups of rows that averages are taken over; their weights are of the rows shown, and tell which is meant.
    """

    def __init__(
        self, fit: StreamedFit, design: StreamedDesign, shown: Fit, groups: list[tuple[dict[str, Any], FloatArray]]
    ) -> None:  # fmt: skip
        self.fit = shown
        self._design = design
        self._groups = groups
        self.at_mean = False
        self._streamed = fit
        self._questions: list[Asked] = []
        self._answers: list[Average] | None = None
        self._given = 0
        self._null = None

    def probabilities(
        self, weight: FloatArray, values: Mapping[str, Any], then: Mapping[str, Any] | None = None,
        only: tuple[str, ...] | None = None, method: str = "dydx",
    ) -> Average:  # fmt: skip
        """Mean probabilities; see `Averages`."""
        return self._next(Asked("probabilities", (values, then, only, method), self._group(weight)))

    def derivatives(
        self, weight: FloatArray, values: Mapping[str, Any], variable: Variable, method: str = "dydx"
    ) -> Average:
        """Mean derivatives; see `Averages`."""
        return self._next(Asked("derivatives", (values, variable, method), self._group(weight)))

    def _next(self, question: Asked) -> Average:
        if self._answers is None:
            self._questions.append(question)
            C = len(self.fit.outcomes(self.fit.predictor(np.zeros((1, self.fit.design.columns)))).prob)
            return Average(np.full(C, 0.5), np.zeros((C, self.fit.parameters)))
        self._given += 1
        return self._answers[self._given - 1]

    def _group(self, weight: FloatArray) -> Mapping[str, Any]:
        return next(values for values, of_group in self._groups if of_group is weight)

    def answer(self) -> None:
        """Take the pass."""
        sums: Sums = self._design.sum(SumsOfRange(self._streamed.carried, tuple(self._questions)), "margins")
        self._answers = sums.averages()


@dataclass(frozen=True, eq=False)
class EffectsOf:
    """Over which rows out of memory effects are averaged, and the rows that stand for them."""

    shown: Fit
    averages: StreamedAverages
    groups: list[tuple[dict[str, Any], FloatArray]]


def effects_of(fit: StreamedFit, at: Any, over: str | Sequence[str] | None, subset: Any, weights: Any) -> EffectsOf:
    """Prepare effects of variables.

    Raises
    ------
    NotAvailableError
        For averages over arrays of rows, at the mean row, or at a median.
    """
    refused = {"subset=": subset is not None, "weights=": weights is not None, "at='mean'": isinstance(at, str)}
    if isinstance(at, Mapping):
        refused["at= with 'median'"] = any(isinstance(v, str) and v == "median" for v in at.values())
    for what, here in refused.items():
        if here:
            raise NotAvailableError(
                f"{what} needs the rows in memory, and they are out of memory: use at= with values, over= with the name of a "
                f"column, or scan the rows that are meant."
            )
    names = () if over is None else (over,) if isinstance(over, str) else tuple(over)
    assert isinstance(fit.design, StreamedDesign)
    design = fit.design.reading(names)
    shown = fit.on(representative(design))
    groups = weight_groups(shown.design, over)
    return EffectsOf(shown, StreamedAverages(fit, design, shown, groups), groups)


def mean_prediction(fit: StreamedFit) -> tuple[float, FloatArray, int]:
    """Mean probability over the rows of a fit, its gradient by the working coefficients, and the number of rows."""
    design = fit.design
    assert isinstance(design, StreamedDesign)
    sums: Sums = design.sum(
        SumsOfRange(fit.carried, (Asked("probabilities", ({}, None, None, "dydx")),)), "mean prediction"
    )
    (found,) = sums.averages()
    return float(found.value[0]), np.asarray(found.gradient[0]), design.rows
