"""`WorkingColumns`: the columns in which the solver computes, and the way back to the user's.

Working column j is ``z_j = (x_j - center_j) * scale_j``; the linear predictor is the same number in both,
``eta = X beta = Z gamma``. Centring needs a constant column to take up the difference. Scales are powers of two, so
that scaling loses no digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.linalg import null_space

from logit_stats.design.block import FloatArray
from logit_stats.design.coded import coded
from logit_stats.design.design import Design
from logit_stats.design.parameters import Parameters
from logit_stats.errors import NonFiniteError, listed
from logit_stats.likelihoods.moments import working_columns

# Columns that vary by less are kept in fewer than 53 bits, and their coefficients overflow.
SMALLEST_SIZE = 1e-307
# A constant column is not scaled, so its square must have digits.
LARGEST_CONSTANT = 1e100


@dataclass(frozen=True, eq=False)
class WorkingColumns:
    """Centres and scales of the solver's columns; None leaves the columns as they are.

    Attributes
    ----------
    center, scale : (k,) or None
        ``Z = (X - center) * scale``.
    constant : int or None
        Position of the constant column, which is not centred; nor is it scaled but in `boxed_columns`.
    constant_value : float
        Its value.
    equations : int
        Number of linear predictors of a row; their coefficients stand one after the other, all of the same columns.
    layout : Parameters or None
        Where parameters do not stand like that (equations share some): how they stand on the columns. Every equation then has
        the constant.
    """

    center: FloatArray | None = None
    scale: FloatArray | None = None
    constant: int | None = None
    constant_value: float = 1.0
    equations: int = 1
    layout: Parameters | None = None

    @classmethod
    def of(
        cls, design: Design, center: FloatArray | None = None, scale: FloatArray | None = None, value: float = 1.0
    ) -> Self:
        """Working columns of a design, as its parameters stand on them; by default the columns themselves."""
        layout = None if design.likelihood is None or design.parameters.separate else design.parameters
        return cls(center, scale, design.constant, value, design.equations, layout)

    @property
    def plain(self) -> bool:
        """Whether working columns are the user's columns."""
        return self.center is None and self.scale is None

    def columns(self, X: FloatArray) -> FloatArray:
        """Working columns of rows given in the user's columns."""
        return working_columns(X, self.center, self.scale)

    def beta(self, gamma: FloatArray) -> FloatArray:
        """Coefficients of the user's columns from those of the working columns."""
        if self.plain:
            return gamma.copy()
        return self.matrix(len(gamma)) @ gamma

    def gamma(self, beta: FloatArray) -> FloatArray:
        """Coefficients of the working columns from those of the user's columns."""
        if self.plain:
            return np.array(beta, dtype=np.float64)
        if self.layout is not None:
            return np.asarray(np.linalg.solve(self.matrix(len(beta)), beta))
        of_equation = np.reshape(beta, (self.equations, -1))
        gamma: FloatArray = of_equation / (1.0 if self.scale is None else self.scale)
        if self.center is not None and self.constant is not None:
            scale = 1.0 if self.scale is None else self.scale[self.constant]
            gamma[:, self.constant] += of_equation @ self.center / (self.constant_value * scale)
        return gamma.ravel()

    def matrix(self, k: int) -> FloatArray:
        """(k, k) matrix A with ``beta = A gamma``, for all k coefficients."""
        columns = k // self.equations if self.layout is None else self.layout.slots.shape[1]
        scale = np.ones(columns) if self.scale is None else self.scale
        A = np.diag(scale)
        if self.center is not None and self.constant is not None:
            A[self.constant] -= self.center * scale / self.constant_value
        if self.layout is not None:
            return self.layout.matrix(A)
        return A if self.equations == 1 else np.asarray(np.kron(np.eye(self.equations), A), dtype=np.float64)

    def standard_errors(self, covariance: FloatArray) -> FloatArray:
        """Standard errors of the user's coefficients from the covariance of the working ones.

        The square root is taken before scaling back: columns of size 1e-300 have standard errors of size 1e300, whose
        squares are no numbers.
        """
        se: FloatArray = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
        if self.plain:
            return se
        if self.scale is not None:
            se = se * (np.tile(self.scale, self.equations) if self.layout is None else self.matrix(len(se)).diagonal())
        if self.center is not None and self.constant is not None:
            A = self.matrix(len(se))
            for j in self._constants(len(se)):
                size = np.abs(A[j]).max()
                square = float((A[j] / size) @ covariance @ (A[j] / size))
                # a variance of nothing but rounding may be negative
                se[j] = size * np.sqrt(0.0 if square < 0.0 else square)
        return se

    def _constants(self, k: int) -> Sequence[int]:
        """Positions of the parameters of the constant column."""
        assert self.constant is not None
        if self.layout is not None:
            return self.layout.of_columns((self.constant,))
        return range(self.constant, k, k // self.equations)

    def covariance(self, covariance: FloatArray) -> FloatArray:
        """Covariance of the user's coefficients from that of the working ones."""
        if self.plain:
            return covariance.copy()
        A = self.matrix(len(covariance))
        with np.errstate(over="ignore", invalid="ignore"):
            return A @ covariance @ A.T


def scaled_row(working: WorkingColumns, k: int, j: int) -> tuple[FloatArray, float]:
    """(k,) a, and a number, with the user's coefficient j the number times ``a'gamma``.

    The largest of a is one: a column of size 1e300 has a coefficient of size 1e-300, whose square is no number.
    """
    a = working.matrix(k)[j]
    size = float(np.abs(a).max())
    return np.asarray(a / size), size


def directions_along(a: FloatArray) -> FloatArray:
    """(k, k - 1) directions that leave ``a'gamma`` alone."""
    return np.asarray(null_space(a[None, :] / np.abs(a).max()))


def centred_columns(design: Design) -> WorkingColumns:
    """Working columns of mean about zero and size about one.

    Without a constant column nothing is centred, since nothing could take up the difference. Coded columns are of size
    one already and stay as they are.
    """
    k = design.columns
    center = np.zeros(k)
    size = np.zeros(k)
    if design.constant is not None:
        for block in design.blocks(1 << 14):
            center += (block.X / design.rows).sum(axis=0)
        center[design.constant] = 0.0
    for block in design.blocks(1 << 14):
        np.maximum(size, np.abs(block.X - center).max(axis=0), out=size)
    by_code = coded(design.X)
    if by_code is not None:
        for part in by_code.parts:
            center[part.columns] = 0.0
            size[part.columns] = 0.5
    _refuse_sizes(design, size)
    exponent = np.frexp(size)[1].astype(np.float64)
    scale = np.where(size > 0, np.exp2(-np.clip(exponent, -1021, 1021)), 1.0)
    value = 1.0
    if design.constant is not None:
        scale[design.constant] = 1.0
        value = design.constant_value
    middle = center if design.constant is not None else None
    return WorkingColumns.of(design, middle, scale, value)


def _refuse_sizes(design: Design, size: FloatArray) -> None:
    """Raise `NonFiniteError` for columns so small that their coefficients are no numbers, and constants far from one."""
    small = [j for j in range(design.columns) if 0.0 < size[j] < SMALLEST_SIZE]
    if small:
        named = listed([f"{design.names[j]!r} (at most {size[j]:.3g})" for j in small], 3)
        raise NonFiniteError(
            f"The numbers in {named} are so small that they have lost digits, and a coefficient of them is beyond 1.8e308. Give "
            f"them another unit."
        )
    at = design.constant
    if at is not None and not 1.0 / LARGEST_CONSTANT <= size[at] <= LARGEST_CONSTANT:
        raise NonFiniteError(f"The constant column {design.names[at]!r} holds {size[at]:.3g} in every row; write 1.")


def boxed_columns(design: Design) -> WorkingColumns:
    """Centred columns of which the constant is of size one too, whatever its value: a box of directions has no units."""
    working = centred_columns(design)
    if working.constant is None or working.scale is None:
        return working
    scale = working.scale.copy()
    scale[working.constant] = np.exp2(1.0 - np.frexp(np.clip(abs(working.constant_value), 1e-300, 1e300))[1])
    return replace(working, scale=scale)


def map_between(inner: WorkingColumns, outer: WorkingColumns, places: Sequence[int | None], k: int) -> FloatArray:
    """(k, m) matrix from the working coefficients of one design to those of another with (some of) the same columns.

    Centres are subtracted from one another before they are multiplied: no digit is lost where both are large.

    Parameters
    ----------
    inner, outer : WorkingColumns
        Of the designs with m and with k columns.
    places : sequence of int or None
        For each of the m columns its position among the k; None for a column that is zero in the rows meant.
    """
    m = len(places)
    scale = np.ones(m) if inner.scale is None else inner.scale
    center = np.zeros(m) if inner.center is None else inner.center
    outer_scale = np.ones(k) if outer.scale is None else outer.scale
    outer_center = np.zeros(k) if outer.center is None else outer.center
    M = np.zeros((k, m))
    for i, place in enumerate(places):
        if place is not None:
            M[place, i] = scale[i] / outer_scale[place]
        if outer.constant is not None:
            M[outer.constant, i] += (
                ((0.0 if place is None else outer_center[place]) - center[i])
                * scale[i]
                / (outer.constant_value * outer_scale[outer.constant])
            )
    return M
