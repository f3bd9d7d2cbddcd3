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
from logit_stats.estimation.gee import GeeFit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.reference import Reference

GEE_COVARIANCES = ("robust", "naive", "kauermann_carroll", "mancl_derouen")
_POWER = {"kauermann_carroll": -0.5, "mancl_derouen": -1.0}
_ALIASES = {"bias_reduced": "mancl_derouen", "nonrobust": "naive"}
_WORDS = {
    "naive": "naive: right where the working correlation is",
    "robust": "robust to a wrong working correlation (Liang and Zeger)",
    "kauermann_carroll": "robust, with Kauermann and Carroll's correction for few clusters",
    "mancl_derouen": "robust, with Mancl and DeRouen's correction for few clusters",
}
FEW = 40
# A cluster that fits a direction all by itself leaves no residual in it, and none is made up.
OWN_DIRECTION = 1e-10


def gee_covariance(fit: GeeFit, kind: str = "robust", use_t: bool | None = None) -> Covariance:
    """Covariance of the coefficients of a fit; statsmodels' names "bias_reduced" and "nonrobust" are understood.

    Raises
    ------
    UnknownOptionError
        If there is no such covariance.
    NotAvailableError
        If the rows were taken out.
    """
    kind = _ALIASES.get(kind, kind)
    check_choice("cov_type", kind, GEE_COVARIANCES)
    fit.facts.require("Another covariance", "rows")
    assert fit.at is not None
    working = cluster_sandwich(fit.at, kind)
    matrix, errors = fit.working.covariance(working), fit.working.standard_errors(working)
    # what robust errors are made of are clusters
    student = Reference(float(len(fit.sizes) - fit.parameters))
    notes = tuple(_notes(fit, kind))
    return Covariance(kind, working, matrix, errors, _WORDS[kind], notes, student=student, use_t=use_t)


def _notes(fit: GeeFit, kind: str) -> list[str]:
    assert fit.at is not None
    clusters = len(fit.sizes)
    notes: list[str] = []
    if kind == "naive":
        return notes
    if clusters <= fit.parameters:
        notes.append(
            f"There are {clusters} clusters and {fit.parameters} coefficients: the covariance has rank {clusters} at most, and "
            f"joint tests of all coefficients are not possible."
        )
    elif kind == "robust" and clusters < FEW:
        notes.append(
            f"{clusters} clusters are few for robust errors, which are then too small: with_cov('mancl_derouen') or "
            f"with_cov('kauermann_carroll') allow for that."
        )
    if kind != "robust" and own_directions(fit.at):
        notes.append(
            f"Clusters that determine a combination of coefficients by themselves, and have no residual in it: "
            f"{own_directions(fit.at)}. They add nothing to the covariance there."
        )
    return notes


def qic(fit: GeeFit, robust: Covariance) -> tuple[float, float]:
    """QIC and QICu (Pan 2001, Biometrics 57, 120-125): quasi-likelihood at independence, penalized.

    ``-2 Q + 2 tr(Omega V)`` with Omega the information of independent rows without a dispersion and V the robust covariance;
    QICu has 2 k in place of the trace.
    """
    trace = float(np.sum(fit.independence_information * robust.working))
    return -2.0 * fit.loglik + 2.0 * trace, -2.0 * fit.loglik + 2.0 * fit.parameters


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
