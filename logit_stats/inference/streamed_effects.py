"""Average effects and predictions over rows out of memory, by the same sums as in memory, in one pass for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.streamed import StreamedDesign
from logit_stats.design.variables import Variable
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.streamed import CarriedFit, StreamedFit
from logit_stats.inference.averages import Average, Averages


@dataclass(frozen=True, eq=False)
class Asked:
    """One average that is wanted: what `Averages.probabilities` or `derivatives` take, without the weights."""

    kind: str
    arguments: tuple[Any, ...]

    def of(self, averages: Averages, weight: FloatArray) -> Average:
        """The average over the rows of some averages."""
        if self.kind == "probabilities":
            return averages.probabilities(weight, *self.arguments)
        return averages.derivatives(weight, *self.arguments)


@dataclass(frozen=True, eq=False)
class Sums:
    """Weighted sums that several averages are made of."""

    values: tuple[FloatArray, ...]
    gradients: tuple[FloatArray, ...]
    weight: float

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            tuple(a + b for a, b in zip(self.values, other.values, strict=True)),
            tuple(a + b for a, b in zip(self.gradients, other.gradients, strict=True)),
            self.weight + other.weight,
        )


@dataclass(frozen=True, eq=False)
class SumsOfRange:
    """All averages that are wanted, of a range of rows."""

    fit: CarriedFit
    asked: tuple[Asked, ...]

    def __call__(self, design: Design) -> Sums:
        """Of one range of rows."""
        averages = Averages(self.fit.on(design))
        weight = design.row_weight
        size = float(weight.sum())
        found = [question.of(averages, weight) for question in self.asked]
        return Sums(tuple(f.value * size for f in found), tuple(f.gradient * size for f in found), size)


class StreamedAverages(Averages):
    """Averages over rows out of memory: asked once to learn what is wanted, then again for the answers of one pass.

    Parameters
    ----------
    fit : StreamedFit
    shown : Fit
        The same fit on rows in memory, which say what an average looks like.
    """

    def __init__(self, fit: StreamedFit, shown: Fit) -> None:
        self.fit = shown
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
        return self._next(Asked("probabilities", (values, then, only, method)))

    def derivatives(
        self, weight: FloatArray, values: Mapping[str, Any], variable: Variable, method: str = "dydx"
    ) -> Average:
        """Mean derivatives; see `Averages`."""
        return self._next(Asked("derivatives", (values, variable, method)))

    def _next(self, question: Asked) -> Average:
        if self._answers is None:
            self._questions.append(question)
            C = len(self.fit.outcomes(self.fit.predictor(np.zeros((1, self.fit.design.columns)))).prob)
            return Average(np.full(C, 0.5), np.zeros((C, self.fit.parameters)))
        self._given += 1
        return self._answers[self._given - 1]

    def answer(self) -> None:
        """Take the pass."""
        design = self._streamed.design
        assert isinstance(design, StreamedDesign)
        sums: Sums = design.sum(SumsOfRange(self._streamed.carried, tuple(self._questions)), "margins")
        pairs = zip(sums.values, sums.gradients, strict=True)
        self._answers = [Average(value / sums.weight, gradient / sums.weight) for value, gradient in pairs]


def mean_prediction(fit: StreamedFit) -> tuple[float, FloatArray, int]:
    """Mean probability over the rows of a fit, its gradient by the working coefficients, and the number of rows."""
    design = fit.design
    assert isinstance(design, StreamedDesign)
    sums: Sums = design.sum(
        SumsOfRange(fit.carried, (Asked("probabilities", ({}, None, None, "dydx")),)), "mean prediction"
    )
    return float(sums.values[0][0] / sums.weight), sums.gradients[0][0] / sums.weight, design.rows
