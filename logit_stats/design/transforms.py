"""Transforms of the formula language beside patsy's: R's ``poly`` and ``ns``, which remember what they learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from patsy import stateful_transform
from scipy.interpolate import BSpline

from logit_stats.design.block import FloatArray
from logit_stats.errors import FormulaError, whole_number

DEGREE = 3


class OrthogonalPolynomial:
    """``poly(x, degree)``: polynomials orthogonal over the rows of the fit, each of length one, as R's ``poly``.

    The three-term recurrence of Kennedy and Gentle (1980, *Statistical Computing*, p. 343), as in R's ``stats::poly``;
    new data are coded by the coefficients of the fit. With ``raw=True`` the plain powers.
    """

    def __init__(self) -> None:
        self._seen: list[FloatArray] = []
        self._degree = 1
        self.centres: list[float] = []
        self.norms: list[float] = []

    def memorize_chunk(self, x: Any, degree: int = 1, raw: bool = False) -> None:
        """Take the rows of the fit."""
        self._degree = _positive("poly", "degree", degree)
        self._seen.append(_column("poly", x))

    def memorize_finish(self) -> None:
        """Learn the recurrence."""
        x = np.concatenate(self._seen)
        self._seen = []
        if len(np.unique(x)) <= self._degree:
            raise FormulaError(
                f"poly(..., {self._degree}) needs more than {self._degree} different values; there are {len(np.unique(x))}."
            )
        before, now = np.zeros_like(x), np.ones_like(x)
        norms = [1.0, float(len(x))]
        for _ in range(self._degree):
            centre = float(np.sum(x * now**2) / norms[-1])
            self.centres.append(centre)
            before, now = now, (x - centre) * now - norms[-1] / norms[-2] * before * (len(norms) > 2)
            norms.append(float(np.sum(now**2)))
        self.norms = norms

    def transform(self, x: Any, degree: int = 1, raw: bool = False) -> FloatArray:
        """Columns of degree 1 to `degree`: (n, degree)."""
        values = _column("poly", x)
        if raw:
            return np.column_stack([values**power for power in range(1, degree + 1)])
        before, now = np.zeros_like(values), np.ones_like(values)
        columns = []
        for j, centre in enumerate(self.centres):
            before, now = now, (values - centre) * now - self.norms[j + 1] / self.norms[j] * before * (j > 0)
            columns.append(now / np.sqrt(self.norms[j + 2]))
        return np.column_stack(columns)


class NaturalSpline:
    """``ns(x, df)``: a natural cubic spline, linear beyond its boundary knots, in the columns of R's ``splines::ns``.

    Inner knots stand at quantiles of the fit's rows, boundary knots at their limits. The basis is the B-spline basis without
    the constant, projected to zero second derivative at the boundaries (Hastie, 1992, in Chambers and Hastie,
    *Statistical Models in S*, ch. 7).
    """

    def __init__(self) -> None:
        self._seen: list[FloatArray] = []
        self._asked: tuple[Any, Any, Any, Any] = (None, None, None, None)
        self.knots: FloatArray = np.zeros(0)

    def memorize_chunk(
        self,
        x: Any,
        df: int | None = None,
        knots: Any = None,
        lower_bound: float | None = None,
        upper_bound: float | None = None,
    ) -> None:
        """Take the rows of the fit."""
        self._asked = (df, knots, lower_bound, upper_bound)
        self._seen.append(_column("ns", x))

    def memorize_finish(self) -> None:
        """Place the knots."""
        x = np.concatenate(self._seen)
        self._seen = []
        df, knots, lower, upper = self._asked
        low = float(x.min()) if lower is None else float(lower)
        high = float(x.max()) if upper is None else float(upper)
        if knots is None:
            count = (1 if df is None else _positive("ns", "df", df)) - 1
            inside = x[(x >= low) & (x <= high)]
            knots = np.quantile(inside, np.linspace(0, 1, count + 2)[1:-1])
        inner = np.sort(np.atleast_1d(np.asarray(knots, dtype=np.float64)))
        if df is not None and len(inner) + 1 != df:
            raise FormulaError(
                f"ns(..., df={df}) with {len(inner)} knots has {len(inner) + 1} columns; give df or knots."
            )
        if low >= high or (len(inner) and (inner[0] <= low or inner[-1] >= high)) or (np.diff(inner) <= 0).any():
            raise FormulaError(
                f"The knots of ns ({low:g}; {', '.join(f'{knot:g}' for knot in inner)}; {high:g}) do not rise: the values have "
                f"too many ties for them. Ask for a smaller df, or give knots=[...]."
            )
        self.knots = np.concatenate([[low], inner, [high]])

    def transform(
        self,
        x: Any,
        df: int | None = None,
        knots: Any = None,
        lower_bound: float | None = None,
        upper_bound: float | None = None,
    ) -> FloatArray:
        """Columns of the spline: (n, inner knots + 1)."""
        values = _column("ns", x)
        low, high = self.knots[0], self.knots[-1]
        t = np.concatenate([np.repeat(low, DEGREE), self.knots, np.repeat(high, DEGREE)])
        spline = BSpline(t, np.eye(len(t) - DEGREE - 1), DEGREE)
        inside = np.clip(values, low, high)
        basis = spline(inside)
        beyond = values != inside
        basis[beyond] += (values - inside)[beyond, None] * spline.derivative()(inside[beyond])
        curvature = spline.derivative(2)(np.array([low, high]))
        orthogonal, _ = np.linalg.qr(curvature[:, 1:].T, mode="complete")
        columns: FloatArray = basis[:, 1:] @ orthogonal[:, 2:]
        return columns


def _column(name: str, x: Any) -> FloatArray:
    try:
        values = np.asarray(
            x.to_numpy(np.float64, na_value=np.nan) if isinstance(x, pd.Series) else x, dtype=np.float64
        )
    except (TypeError, ValueError):
        raise FormulaError(f"{name}(...) takes a column of numbers.") from None
    if values.ndim != 1:
        raise FormulaError(f"{name}(...) takes one column of numbers; it was given {values.ndim} dimensions.")
    return values


def _positive(name: str, argument: str, value: Any) -> int:
    number = whole_number(argument, value)
    if number < 1:
        raise FormulaError(f"{name}(..., {argument}={number}): give a whole number from 1.")
    return number


poly = stateful_transform(OrthogonalPolynomial)
ns = stateful_transform(NaturalSpline)
TRANSFORMS: dict[str, Any] = {"poly": poly, "ns": ns}

__all__ = ["TRANSFORMS", "NaturalSpline", "OrthogonalPolynomial", "ns", "poly"]
