"""Bias-reduced cluster covariances CR2 and CR3, and Satterthwaite's degrees of freedom for CR2.

The scores of a cluster are adjusted by A_g before they are squared, so that the covariance is unbiased (CR2) or errs on the
safe side (CR3, close to leaving clusters out) if the model's own variance holds (Bell and McCaffrey 2002, Survey Methodology
28, 169-181; Pustejovsky and Tipton 2018, J. Business and Economic Statistics 36, 672-683). The linear model of a logit is the
one of its last step, for the outcomes: columns W X, rows of variance w_i = m_i p_i (1 - p_i), weights 1 / w_i. With

    CR2  A = D B^-1/2 D with D = W^1/2 and B = D (W - W X V X' W) D, within the cluster
    CR3  A = (I - W X V X')^-1 within the cluster

the cluster's score is X' A (y - m p). Degrees of freedom come from O_gh = a_g' (W [g = h] - W X_g V X_h' W) a_h with
a_g = A_g X_g V; see satterthwaite.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.errors import NotAvailableError
from logit_stats.estimation.fit import Fit
from logit_stats.inference.cluster import Grouping
from logit_stats.inference.row_scores import information_weights, score_residuals
from logit_stats.inference.satterthwaite import Satterthwaite

# Numbers in the stacked matrices of the clusters that are worked on at a time.
CHUNK_NUMBERS = 1 << 22
LARGEST_CLUSTER = 4000


@dataclass(frozen=True, eq=False)
class BiasReduced:
    """Covariance of the working coefficients, and Satterthwaite's degrees of freedom (CR2 only)."""

    working: FloatArray
    freedom: Satterthwaite | None


def bias_reduced(fit: Fit, grouping: Grouping, kind: str) -> BiasReduced:
    """CR2 or CR3 covariance.

    Raises
    ------
    NotAvailableError
        Under weights, and for clusters so large that their matrices would not fit.
    """
    if fit.design.weight_kind is not None:
        raise NotAvailableError(f"{kind} is defined for rows without weights; expand frequency weights to rows.")
    sizes = np.bincount(grouping.codes, minlength=grouping.count)
    if sizes.max() > LARGEST_CLUSTER:
        raise NotAvailableError(
            f"{kind} needs a matrix of the size of each cluster, and one of {grouping.name} has {sizes.max()} rows (at most "
            f"{LARGEST_CLUSTER}); with clusters so large use use_correction='G'."
        )
    k, V = fit.parameters, fit.covariance_working
    meat = np.zeros((k, k))
    sums = _Sums(V)
    weights, residuals = information_weights(fit), score_residuals(fit)
    for rows in _clusters(grouping.codes, sizes, k):
        Z = fit.working.columns(np.asarray(fit.design.X[rows.ravel()])).reshape(*rows.shape, k)
        w, u = weights[rows], residuals[rows]
        if kind == "CR2":
            adjust = _cr2_root(Z, w, V)  # B^-1/2
            scores = np.einsum("gik,gi,gij,gj->gk", Z, np.sqrt(w), adjust, np.sqrt(w) * u, optimize=True)
            sums.add(Z, w, adjust)
        else:
            root = np.sqrt(w)
            G = np.einsum("gi,gik,kl,gjl,gj->gij", root, Z, V, Z, root, optimize=True)
            inverse = _power(np.eye(rows.shape[1]) - G, -1.0)
            scores = np.einsum("gik,gi,gij,gj->gk", Z, root, inverse, u / root, optimize=True)
        meat += scores.T @ scores
    return BiasReduced(V @ meat @ V, sums.freedom() if kind == "CR2" else None)


def _clusters(codes: NDArray[np.intp], sizes: NDArray[np.intp], k: int) -> Iterator[NDArray[np.intp]]:
    """Rows of several clusters of one size: (clusters, size)."""
    order = np.argsort(codes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    for size in np.unique(sizes):
        chosen = starts[sizes == size]
        step = max(1, CHUNK_NUMBERS // (int(size) * max(int(size), k)))
        for first in range(0, len(chosen), step):
            yield order[chosen[first : first + step, None] + np.arange(size)]


def _cr2_root(Z: FloatArray, w: FloatArray, V: FloatArray) -> FloatArray:
    """Symmetric inverse square root of B."""
    B = -np.einsum("gi,gik,kl,gjl,gj->gij", w**1.5, Z, V, Z, w**1.5, optimize=True)
    diagonal = np.arange(w.shape[1])
    B[:, diagonal, diagonal] += w**2
    return _power(B, -0.5)


def _power(symmetric: FloatArray, exponent: float) -> FloatArray:
    """Power of stacked symmetric matrices; directions in which a cluster determines its own fit are left out."""
    values, vectors = np.linalg.eigh(symmetric)
    keep = values > 1e-10 * values[:, -1:]
    power = np.where(keep, np.where(keep, values, 1.0) ** exponent, 0.0)
    return np.asarray((vectors * power[:, None, :]) @ np.swapaxes(vectors, 1, 2))


class _Sums:
    """The matrices of every cluster of which degrees of freedom are made, in the working coefficients."""

    def __init__(self, V: FloatArray) -> None:
        self.V = V
        self.own: list[FloatArray] = []
        self.cross: list[FloatArray] = []

    def add(self, Z: FloatArray, w: FloatArray, root: FloatArray) -> None:
        """Add clusters of one size."""
        half = np.sqrt(w)[:, :, None]
        along = half * (root @ (half * (Z @ self.V)))  # (g, m, k): a_g of every working coefficient
        weighted = along * w[:, :, None]
        self.own.append(np.swapaxes(along, 1, 2) @ weighted)
        self.cross.append(np.swapaxes(weighted, 1, 2) @ Z)

    def freedom(self) -> Satterthwaite:
        """Put the clusters together."""
        return Satterthwaite.of(self.V, np.concatenate(self.own), np.concatenate(self.cross))
