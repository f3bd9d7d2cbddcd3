"""k x k algebra: solving with an information matrix whatever the units of its columns."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs, dtrtri

from logit_stats.design.block import FloatArray


class EquilibratedCholesky:
    """Cholesky factor of a symmetric positive definite matrix, scaled to a unit diagonal first.

    Van der Sluis (1969, Numerische Mathematik 14, 14-23): that scaling is within a factor k of the best one.

    Parameters
    ----------
    matrix : (k, k)
        Symmetric.

    Attributes
    ----------
    definite : bool
        Whether the factorisation succeeded.
    smallest_pivot : float
        Least share of a column that the columns before it leave unexplained (1 - R²); 0 where it failed.
    """

    __slots__ = ("_factor", "_scale", "definite", "smallest_pivot")

    def __init__(self, matrix: FloatArray) -> None:
        self.smallest_pivot = 0.0
        # a Gram matrix whose diagonal is finite and positive has no entry beyond it; NaN fails the comparison
        # (lists, because on a few numbers they are faster than arrays, and a small fit is made of such things)
        self.definite = False
        for value in matrix.diagonal().tolist():
            if not 0.0 < value < inf:
                return
        self._scale = 1.0 / np.sqrt(matrix.diagonal())
        self._factor, failed = dpotrf(matrix * self._scale * self._scale[:, None], lower=1, clean=1)
        self.definite = failed == 0
        if self.definite:
            self.smallest_pivot = min(self._factor.diagonal().tolist()) ** 2

    def __getstate__(self) -> dict[str, Any]:
        # all protocols of pickle, not only those that look into slots by themselves
        return {name: getattr(self, name) for name in self.__slots__ if hasattr(self, name)}

    def __setstate__(self, state: Any) -> None:
        for name, value in (state[1] if isinstance(state, tuple) else state).items():
            setattr(self, name, value)

    def solve(self, right: FloatArray) -> FloatArray:
        """Solve for a vector (k,) or columns (k, m)."""
        scale = self._scale if right.ndim == 1 else self._scale[:, None]
        solution, _ = dpotrs(self._factor, right * scale, lower=1)
        return np.asarray(solution * scale)

    def log_det(self) -> float:
        """Logarithm of the determinant."""
        return float(2.0 * np.log(self._factor.diagonal()).sum() - 2.0 * np.log(self._scale).sum())

    def inverse(self) -> FloatArray:
        """Return the inverse matrix (k, k)."""
        # not LAPACK's dpotri: OpenBLAS starts all of its threads for it from 10 columns on, which then wait busily for
        # milliseconds and take processors away from whatever the caller does next
        root, _ = dtrtri(self._factor, lower=1)
        return np.asarray((root.T @ root) * self._scale * self._scale[:, None])


def inverse_root(R: FloatArray) -> FloatArray:
    """Return C with ``C C'`` the inverse of R'R: the digits that forming R'R would lose are kept.

    NaN where R is singular: where all rows are predicted with certainty, as only iterations that went astray end.
    """
    size = np.sqrt((R**2).sum(axis=0))
    if not (np.isfinite(R).all() and size.all() and R.diagonal().all()):
        return np.full(R.shape, np.nan)
    return np.asarray(np.linalg.solve(R / size, np.eye(len(R))) / size[:, None])
