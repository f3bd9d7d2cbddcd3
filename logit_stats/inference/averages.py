"""Averages over rows of a fit with variables set: of the probabilities of the outcomes, and of their derivatives.

With p_c the probability of outcome c, eta_e the linear predictors of a row and theta the parameters,

    mean of p_c                         sum a p_c / sum a
    mean derivative by a number x       sum a sum_e (dp_c / d eta_e) (d eta_e / dx) / sum a,   d eta_e / dx = (dz / dx) theta_e

(for elasticities log p_c stands for p_c); gradients by theta follow by the chain rule, for every likelihood by its
`Outcomes`. Weights a are the rows' own, or those asked for. Where the data do not determine the linear predictor of a row
(columns were left out), the average is NaN.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.counterfactual import Part, kept_places, parts
from logit_stats.design.estimable import null_space, outside
from logit_stats.design.variables import Variable
from logit_stats.estimation.fit import Fit
from logit_stats.likelihoods.outcomes import Outcomes

# Numbers of all rows together up to which the parts of a fit are kept between one average and the next.
KEPT_NUMBERS = 1 << 24


@dataclass(frozen=True, eq=False)
class Average:
    """An average for each of C outcomes.

    Attributes
    ----------
    value : (C,)
    gradient : (C, p)
        By the working parameters.
    """

    value: FloatArray
    gradient: FloatArray


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows with variables set, in the solver's columns.

    Attributes
    ----------
    Z : (m, k)
    offset : (m,) or None
    weight : (m,)
    moving : list of int
        Columns that move with a number that is differentiated.
    slope : (m, len(moving))
        Their derivatives.
    factor : (m,) or None
        What derivatives are multiplied by.
    """

    Z: FloatArray
    offset: FloatArray | None
    weight: FloatArray
    moving: list[int]
    slope: FloatArray
    factor: FloatArray | None = None

    def at_mean(self) -> Rows:
        """Return the one row that is the weighted mean of these."""
        a = self.weight
        offset = None if self.offset is None else np.array([a @ self.offset])
        factor = None if self.factor is None else np.array([a @ self.factor])
        return Rows((a @ self.Z)[None], offset, np.array([a.sum()]), self.moving, (a @ self.slope)[None], factor)

    def __add__(self, other: Rows) -> Rows:
        offset = None if self.offset is None or other.offset is None else self.offset + other.offset
        factor = None if self.factor is None or other.factor is None else self.factor + other.factor
        return Rows(self.Z + other.Z, offset, self.weight + other.weight, self.moving, self.slope + other.slope, factor)

    def divided(self) -> Rows:
        """Sums of several parts as their mean."""
        w = self.weight[0]
        offset = None if self.offset is None else self.offset / w
        factor = None if self.factor is None else self.factor / w
        return Rows(self.Z / w, offset, self.weight, self.moving, self.slope / w, factor)


class Averages:
    """Averages over the rows of a fit.

    Parameters
    ----------
    fit : Fit
        Of a formula.
    at_mean : bool
        Evaluate at the mean of the rows, each design column averaged, in the place of the mean over the rows.
    """

    def __init__(self, fit: Fit, at_mean: bool = False) -> None:
        self.fit = fit
        self.at_mean = at_mean
        self._null = null_space(fit.design)
        design = fit.design
        small = design.rows * max(design.columns, 1) <= KEPT_NUMBERS
        self._kept = list(parts(design)) if small else None
        # the rows of each average in the order asked for, so that other parameters need not make them again
        self._made: list[list[Rows | None] | None] | None = [] if small else None
        self._asked = 0

    def with_parameters(self, fit: Fit) -> Averages:
        """Return the same rows with other parameters; the same averages are to be asked for in the same order."""
        other = Averages.__new__(Averages)
        other.__dict__.update({**self.__dict__, "fit": fit, "_asked": 0})
        return other

    def _parts(self) -> Iterator[Part]:
        return iter(self._kept) if self._kept is not None else parts(self.fit.design)

    def probabilities(
        self, weight: FloatArray, values: Mapping[str, Any], then: Mapping[str, Any] | None = None,
        only: tuple[str, ...] | None = None, method: str = "dydx",
    ) -> Average:  # fmt: skip
        """Mean probabilities (of their logarithms for "ey") with variables set; `then` further ones, for some expressions."""
        steps = (part.with_values(values).with_values(then or {}, only) for part in self._parts())
        return self._average(steps, weight, None, method)

    def derivatives(
        self, weight: FloatArray, values: Mapping[str, Any], variable: Variable, method: str = "dydx"
    ) -> Average:
        """Mean derivatives by a number with variables set; elasticities by method."""
        return self._average((part.with_values(values) for part in self._parts()), weight, variable, method)

    def _average(self, walked: Iterator[Part], weight: FloatArray, variable: Variable | None, method: str) -> Average:
        self._asked += 1
        if self._made is None:
            made: Iterable[Rows | None] | None = self._walk(walked, weight, variable, method)
        elif self._asked <= len(self._made):
            made = self._made[self._asked - 1]
        else:
            kept = list(self._walk(walked, weight, variable, method))
            made = kept if all(rows is not None for rows in kept) else None
            self._made.append(made)
        return self._nothing() if made is None else self._sum(made, weight, variable is not None, method)

    def _sum(self, made: Iterable[Rows | None], weight: FloatArray, slopes: bool, method: str) -> Average:
        value: FloatArray | float = 0.0
        gradient: FloatArray | float = 0.0
        whole: Rows | None = None
        for rows in made:
            if rows is None:
                return self._nothing()
            if self.at_mean:
                whole = rows.at_mean() if whole is None else whole + rows.at_mean()
                continue
            found = sums(self.fit, rows, slopes, method)
            value, gradient = value + found[0], gradient + found[1]
        if whole is not None:
            value, gradient = sums(self.fit, whole.divided(), slopes, method)
        size = float(weight.sum())
        return Average(np.asarray(value) / size, np.asarray(gradient) / size)

    def _walk(
        self, walked: Iterator[Part], weight: FloatArray, variable: Variable | None, method: str
    ) -> Iterator[Rows | None]:
        """The rows of each part that count; None where the data do not determine them."""
        for part in walked:
            a = weight[part.rows]
            if a.any():
                yield None if self._undetermined(part, a, variable) else self._rows(part, a, variable, method)

    def _rows(self, part: Part, a: FloatArray, variable: Variable | None, method: str) -> Rows:
        design, working = self.fit.design, self.fit.working
        Z = working.columns(part.X())
        offset = None if design.row_offset is None else design.row_offset[part.rows]
        if variable is None:
            return Rows(Z, offset, a, [], np.zeros((part.size, 0)))
        columns, slope = part.derivative(variable)
        kept, places = kept_places(design, columns)
        slope = slope[:, [columns.index(j) for j in kept]]
        slope = slope if working.scale is None else slope * working.scale[places]
        factor = part.numbers(variable.name) if "ex" in method else None
        return Rows(Z, offset, a, places, slope, factor)

    def _undetermined(self, part: Part, a: FloatArray, variable: Variable | None) -> bool:
        """Whether a row that counts, or its derivative, lies outside of what the data determine."""
        if self._null is None:
            return False
        full = part.full()
        if bool(outside(self._null, full)[a != 0.0].any()):
            return True
        if variable is None:
            return False
        columns, slope = part.derivative(variable)
        moved = np.zeros_like(full)
        moved[:, columns] = slope
        return bool(outside(self._null, moved)[a != 0.0].any())

    def _nothing(self) -> Average:
        outcomes = self.fit.outcomes(self.fit.predictor(np.zeros((1, self.fit.design.columns))))
        C = len(outcomes.prob)
        return Average(np.full(C, np.nan), np.full((C, self.fit.parameters), np.nan))


def sums(fit: Fit, rows: Rows, slopes: bool, method: str) -> tuple[FloatArray, FloatArray]:
    """Weighted sums (C,) over rows of probabilities or derivatives, and their gradients (C, p)."""
    eta = fit.predictor(rows.Z)
    if rows.offset is not None:
        eta = eta + (rows.offset if eta.ndim == 1 else rows.offset[:, None])
    found = fit.outcomes(eta)
    layout = fit.design.parameters
    a = rows.weight
    if not slopes:
        level, first = (found.prob, found.first) if "ey" not in method else logarithms(found)[:2]
        return level @ a, layout.gathered((first * a) @ rows.Z)
    a = a if rows.factor is None else a * rows.factor
    first, second = (found.first, found.second()) if "ey" not in method else logarithms(found)[1:]
    d = np.atleast_2d((rows.slope @ layout.table(fit.gamma)[:, rows.moving].T).T)  # (E, m)
    value = np.einsum("cem,em,m->c", first, d, a)
    by_table = (np.einsum("cefm,em->cfm", second, d) * a) @ rows.Z
    by_table[:, :, rows.moving] += (first * a) @ rows.slope
    return value, layout.gathered(by_table)


def logarithms(found: Outcomes) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Logarithms of the probabilities (C, m), their first (C, E, m) and second (C, E, E, m) derivatives."""
    p = found.prob[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        first = found.first / p
        second = found.second() / p[:, None] - first[:, :, None] * first[:, None]
        return np.log(found.prob), first, second
