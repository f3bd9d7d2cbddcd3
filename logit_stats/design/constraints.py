"""Linear constraints on the coefficients, ``R beta = q``, from patsy's texts, matrices, or pairs of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import patsy

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError, FormulaError

# Least share of a constraint that the ones before it leave; below this it repeats them.
REPEATED = 1e-10


@dataclass(frozen=True, eq=False)
class Constraints:
    """Linear constraints.

    Attributes
    ----------
    R : (q, k)
        One row a constraint.
    value : (q,)
        What ``R beta`` is held to.
    labels : tuple of str
        The constraints in words.
    """

    R: FloatArray
    value: FloatArray
    labels: tuple[str, ...]

    @property
    def coefs(self) -> FloatArray:
        """(q, k) `R`, as patsy and statsmodels call it."""
        return self.R

    @property
    def constants(self) -> FloatArray:
        """(q, 1) `value`, as patsy and statsmodels call it."""
        return self.value[:, None]

    def __len__(self) -> int:
        return len(self.value)

    def __str__(self) -> str:
        return ", ".join(self.labels)


def read_constraints(given: Any, names: tuple[str, ...]) -> Constraints:
    """Constraints on coefficients of these names.

    Parameters
    ----------
    given : str, list of str, dict, (k,) or (q, k) array_like, or a pair (R, q)
        A text in patsy's grammar (``"x1 = x2, x3 = 0.5"``; without ``=`` a combination is held to zero), names with their
        values, or a matrix, with the values in a pair.
    names : tuple of str

    Raises
    ------
    FormulaError
        If a text cannot be read, or names no coefficient.
    DataError
        If a matrix has the wrong shape or is not finite, or a constraint is empty.
    """
    if isinstance(given, Constraints):
        return given
    if isinstance(given, (str, dict)) or (
        isinstance(given, (list, tuple)) and given and all(isinstance(g, str) for g in given)
    ):
        return _from_text(given, names)
    if isinstance(given, tuple) and len(given) == 2:
        R, value = given
        return _from_matrix(R, value, names)
    return _from_matrix(given, None, names)


def refuse_repeated(constraints: Constraints) -> None:
    """Raise `DataError` where a constraint repeats or contradicts the ones before it."""
    kept: list[FloatArray] = []
    for place, (row, label) in enumerate(zip(constraints.R, constraints.labels, strict=True)):
        left = row / np.linalg.norm(row)
        for other in kept:
            left = left - other * (other @ left)
        if np.linalg.norm(left) < REPEATED:
            raise DataError(_repeated(constraints, place, label))
        kept.append(left / np.linalg.norm(left))


def _repeated(constraints: Constraints, place: int, label: str) -> str:
    """Say whether a combination of the constraints before it repeats or contradicts them."""
    weights = np.linalg.lstsq(constraints.R[:place].T, constraints.R[place], rcond=None)[0]
    implied, value = float(weights @ constraints.value[:place]), float(constraints.value[place])
    size = float(np.abs(weights) @ np.abs(constraints.value[:place])) + abs(value)
    if abs(implied - value) > 1e-9 * size:
        before = ", ".join(constraints.labels[:place])
        return (
            f"The constraint {label!r} contradicts the ones before it ({before}): no coefficients satisfy all of them."
        )
    return f"The constraint {label!r} is a combination of the ones before it; leave it out."


def _from_text(given: Any, names: tuple[str, ...]) -> Constraints:
    try:
        read = patsy.DesignInfo(list(names)).linear_constraint(given)
    except patsy.PatsyError as error:
        shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        raise FormulaError(
            f"The constraint {given!r} cannot be read: {error.message}. Coefficients: {shown}; write names with brackets "
            f"or spaces as they are, numbers after =."
        ) from None
    return _checked(np.asarray(read.coefs, dtype=np.float64), np.ravel(read.constants).astype(np.float64) + 0.0, names)


def _from_matrix(R: Any, value: Any, names: tuple[str, ...]) -> Constraints:
    try:
        matrix = np.atleast_2d(np.asarray(R, dtype=np.float64))
        values = (
            np.zeros(len(matrix)) if value is None else np.atleast_1d(np.asarray(value, dtype=np.float64)).reshape(-1)
        )
    except (TypeError, ValueError):
        raise DataError(
            "Constraints are a text such as 'x1 = x2', a matrix with one column for each coefficient, or a pair (R, q)."
        ) from None
    if matrix.ndim != 2 or matrix.shape[1] != len(names):
        raise DataError(
            f"The constraint matrix has shape {matrix.shape}; it needs {len(names)} columns, one for each coefficient."
        )
    if len(values) == 1 and len(matrix) > 1:
        values = np.repeat(values, len(matrix))
    if len(values) != len(matrix):
        raise DataError(f"There are {len(matrix)} constraints and {len(values)} values.")
    return _checked(matrix, values, names)


def _checked(R: FloatArray, value: FloatArray, names: tuple[str, ...]) -> Constraints:
    if not (np.isfinite(R).all() and np.isfinite(value).all()):
        raise DataError("Constraints must be finite numbers.")
    labels = tuple(_label(row, v, names) for row, v in zip(R, value, strict=True))
    empty = [label for row, label in zip(R, labels, strict=True) if not row.any()]
    if empty or len(R) == 0:
        raise DataError(f"A constraint names no coefficient: {empty[0]!r}." if empty else "There is no constraint.")
    return Constraints(R, value, labels)


def _label(row: FloatArray, value: float, names: tuple[str, ...]) -> str:
    terms = []
    for c, name in zip(row, names, strict=True):
        if c != 0.0:
            size = "" if abs(c) == 1.0 else f"{abs(c):g}*"
            terms.append(f"{'-' if c < 0 else '+'} {size}{name}")
    text = " ".join(terms)
    return f"{text.removeprefix('+ ').replace('- ', '-', 1) if text.startswith('- ') else text.removeprefix('+ ')} = {value:g}"
