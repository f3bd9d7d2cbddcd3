"""Degrees of freedom of a CR2 covariance: of any combination of the coefficients, and of several together.

With P_gh = [g = h] H_g - E_g V E_h' for the clusters g and h, the covariance is (if the variance of the model holds) a
quadratic form of normal variables with the blocks P_gh. A combination l has Satterthwaite's (sum l'P_gg l)² / sum (l'P_gh l)²
degrees of freedom. q combinations, turned so that their P_gg add up to the identity, have

    eta = q (q + 1) / sum over g, h of [(tr P_gh)² + tr P_gh²],

those of the Wishart distribution with the same total variance, and Wald's chi-squared times (eta - q + 1) / (eta q) is F with q
and eta - q + 1 degrees of freedom (Pustejovsky and Tipton 2018, J. Business and Economic Statistics 36, 672-683, section 3.2:
the AHT test, HTZ in R's clubSandwich). For q = 1 the two are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from logit_stats.design.block import FloatArray
from logit_stats.inference.reference import Joint, Reference


@dataclass(frozen=True, eq=False)
class Satterthwaite:
    """What the degrees of freedom are made of, in the working coefficients.

    Attributes
    ----------
    V : (k, k)
        Inverse information.
    expected : (k, k)
        Sum of P_gg.
    own, shared : (r, k, k)
        H_g and E_g V E_g', or fewer matrices with the same sums of products of two.
    cross : (s, k, k)
        E_g, or fewer matrices with the same sums of products of two.
    """

    V: FloatArray
    expected: FloatArray
    own: FloatArray
    shared: FloatArray
    cross: FloatArray

    @classmethod
    def of(cls, V: FloatArray, own: FloatArray, cross: FloatArray) -> Satterthwaite:
        """From H_g and E_g of every cluster (G, k, k)."""
        k, shared = len(V), cross @ V @ np.swapaxes(cross, 1, 2)
        pairs = _condensed(np.hstack([own.reshape(-1, k * k), shared.reshape(-1, k * k)]))
        few = _condensed(cross.reshape(-1, k * k)).reshape(-1, k, k)
        expected = np.asarray((own - shared).sum(axis=0))
        return cls(V, expected, pairs[:, : k * k].reshape(-1, k, k), pairs[:, k * k :].reshape(-1, k, k), few)

    def seen_through(self, C: FloatArray) -> Satterthwaite:
        """Return the same for coefficients gamma of which these are ``C^-1 gamma``."""
        return _SeenThrough(self.V, self.expected, self.own, self.shared, self.cross, C)

    def degrees(self, L: FloatArray) -> FloatArray:
        """(m,) degrees of freedom of the combinations in the rows of L (m, k)."""
        return np.array([self._of_one(row) for row in self._scaled(L)])

    def _scaled(self, L: FloatArray) -> FloatArray:
        """Combinations in standard errors: degrees of freedom have no unit, and columns of size 1e300 no square."""
        largest = np.abs(L).max(axis=1, keepdims=True)
        L = L / np.where(largest > 0.0, largest, 1.0)
        size = np.sqrt(np.einsum("ij,jk,ik->i", L, self.V, L))[:, None]
        return np.asarray(L / np.where(size > 0.0, size, 1.0))

    def _of_one(self, row: FloatArray) -> float:
        own, shared = self.own @ row @ row, self.shared @ row @ row
        E = row @ self.cross
        M = E.T @ E @ self.V
        square = float(own @ own - 2.0 * own @ shared + np.sum(M * M.T))
        return float(row @ self.expected @ row) ** 2 / square if square > 0.0 else float("nan")

    def joint(self, L: FloatArray) -> float:
        """Eta of all combinations in the rows of L (q, k) together."""
        L = self._scaled(L)
        values, vectors = np.linalg.eigh(L @ self.expected @ L.T)
        if values[0] <= 1e-12 * values[-1]:
            return float("nan")
        L = (vectors / np.sqrt(values)).T @ L
        q = len(L)
        own, shared = (L @ matrices @ L.T for matrices in (self.own, self.shared))
        E = L @ self.cross  # (s, q, k)
        traces = [np.trace(matrices, axis1=1, axis2=2) for matrices in (own, shared)]
        gram = np.tensordot(E @ self.V, E, axes=([1, 2], [1, 2]))
        wide = np.tensordot(E, E, axes=([0], [0]))  # sum of E[a, i] E[b, j]: (q, k, q, k)
        turned = np.einsum("aibj,ik,jl->akbl", wide, self.V, self.V, optimize=True)
        of_traces = traces[0] @ traces[0] - 2.0 * traces[0] @ traces[1] + np.sum(gram * gram.T)
        of_squares = np.sum(own * own) - 2.0 * np.sum(own * shared) + np.einsum("akbl,bkal->", turned, wide)
        return float(q * (q + 1) / (of_traces + of_squares))


@dataclass(frozen=True, eq=False)
class _SeenThrough(Satterthwaite):
    """Combinations ``L gamma = (L C) (C^-1 gamma)``, computed in the latter, which are well conditioned."""

    C: FloatArray

    def degrees(self, L: FloatArray) -> FloatArray:
        """(m,) degrees of freedom of the combinations in the rows of L (m, k)."""
        return super().degrees(L @ self.C)

    def joint(self, L: FloatArray) -> float:
        """Eta of all combinations in the rows of L (q, k) together."""
        return super().joint(L @ self.C)


def _condensed(rows: FloatArray) -> FloatArray:
    """Rows with the same sums of squares and products, no more than there are columns."""
    return rows if len(rows) <= 2 * rows.shape[1] else np.asarray(np.linalg.qr(rows, mode="r"))


@dataclass(frozen=True, eq=False)
class SatterthwaiteReference(Reference):
    """T and F with degrees of freedom of their own for every hypothesis.

    Attributes
    ----------
    df : (k,)
        Of the coefficients of the user.
    source : Satterthwaite
    """

    source: Satterthwaite | None = None

    def along(self, L: FloatArray) -> Reference:
        """Reference of the combinations ``L gamma``, L (m, k)."""
        assert self.source is not None
        return _Along(self.source, L)

    def joint(self, chi2: float, q: int, L: FloatArray | None = None) -> Joint:
        """AHT test of the hypotheses L (q, k)."""
        assert self.source is not None
        assert L is not None
        eta = self.source.joint(L)
        df = eta - q + 1.0
        statistic = df / (eta * q) * chi2
        return Joint(statistic, q, df, float(stats.f.sf(statistic, q, df)) if df > 0.0 else float("nan"))


class _Along(Reference):
    """Reference of combinations whose degrees of freedom are worked out when they are first asked for."""

    def __init__(self, source: Satterthwaite, L: FloatArray) -> None:
        object.__setattr__(self, "_made_of", (source, L))

    @cached_property
    def df(self) -> FloatArray:
        """(m,) degrees of freedom; NaN for a combination with missing values."""
        source, L = self.__dict__["_made_of"]
        return np.asarray(source.degrees(L))
