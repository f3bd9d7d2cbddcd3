"""Covariances of coefficients that solve estimating equations: naive, robust, and two that allow for few clusters.

With V the inverse information (no dispersion), s_i the score and M_i the information of cluster i:

================== ==================================================== =========================================
naive              phi V                                                right where the working correlation is
robust             V (sum s_i s_i') V                                   Liang and Zeger 1986
kauermann_carroll  the same with (I - M_i V)^-1/2 s_i                   Kauermann and Carroll 2001, JASA 96, 1387
mancl_derouen      the same with (I - M_i V)^-1 s_i                     Mancl and DeRouen 2001, Biometrics 57, 126
================== ==================================================== =========================================

The last two are usually written with the leverage ``H_i = D_i V D_i' W_i`` of a cluster's residuals; since
``D'W f(I - H) = f(I - M V) D'W`` for powers f, matrices of the size of the coefficients do, however large a cluster is.
"""

from __future__ import annotations

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.errors import check_choice
from logit_stats.estimation.estimating_equations import Equations

GEE_COVARIANCES = ("robust", "naive", "kauermann_carroll", "mancl_derouen")
_POWER = {"kauermann_carroll": -0.5, "mancl_derouen": -1.0}
# A cluster that fits a direction all by itself leaves no residual in it, and none is made up.
OWN_DIRECTION = 1e-10


def cluster_sandwich(at: Equations, kind: str = "robust") -> FloatArray:
    """(k, k) covariance of the coefficients at the root of the estimating equations.

    Parameters
    ----------
    at : Equations
        At the root.
    kind : {"robust", "naive", "kauermann_carroll", "mancl_derouen"}
    """
    check_choice("cov_type", kind, GEE_COVARIANCES)
    V = at.factor.inverse()
    if kind == "naive":
        return at.phi * V
    scores = at.scores if kind == "robust" else _corrected(at, V, _POWER[kind])
    weighted = scores * at.clusters.copies[:, None]
    return np.asarray(V @ (weighted.T @ scores) @ V)


def _corrected(at: Equations, V: FloatArray, power: float) -> FloatArray:
    """(G, k) scores times ``(I - M V)^power``, from the eigenvalues of ``C' M C`` with ``C C' = V``."""
    C = np.linalg.cholesky(V)
    M, scores = C.T @ _informations(at) @ C, at.scores @ C
    values, vectors = np.linalg.eigh(M)
    left = 1.0 - values
    factor = np.where(left > OWN_DIRECTION, np.maximum(left, OWN_DIRECTION) ** power, 0.0)
    turned = np.einsum("gij,gi->gj", vectors, scores) * factor
    return np.asarray(np.linalg.solve(C.T, np.einsum("gij,gj->ig", vectors, turned)).T)


def own_directions(at: Equations) -> int:
    """Number of clusters that determine a combination of coefficients all by themselves."""
    C = np.linalg.cholesky(at.factor.inverse())
    values = np.linalg.eigvalsh(C.T @ _informations(at) @ C)
    return int((values[:, -1] > 1.0 - OWN_DIRECTION).sum())


def _informations(at: Equations) -> FloatArray:
    """(G, k, k) information of each cluster."""
    k = at.Z.shape[1]
    found = np.empty((len(at.clusters.starts), k, k))
    for clusters, rows in at.clusters.by_size():
        Z = at.Z[rows]
        found[clusters] = Z.transpose(0, 2, 1) @ Z
    return found
