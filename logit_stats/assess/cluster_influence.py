"""Influence of whole clusters: what the fit owes to a clinic, a school, a person.

One Newton step from the estimate, on the rows outside cluster g, gives ``b - b(g) = (I - I_g)^-1 s_g`` with s_g and I_g the
cluster's score and information and I that of all rows (Pregibon 1981 for a row; Preisser and Qaqish 1996, Biometrika 83,
551-562, for clusters). Cook's distance is its length in the metric of I, over the number of coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.assess.exact_influence import ExactInfluence, exact_influence
from logit_stats.assess.influence import FITTED_PERFECTLY, MOST_SHOWN
from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.inference.cluster import read_codes
from logit_stats.inference.row_scores import information_weights, score_residuals
from logit_stats.inference.wald import Reported
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.wording import WIDTH, printed


@dataclass(frozen=True, eq=False)
class ClusterInfluence:
    """Influence of clusters.

    Attributes
    ----------
    of_rows : Reported
        The fit, with the covariance that its summary shows.
    unit : str
        Name of the clusters.
    labels : Index
        Clusters, in the order of their first rows.
    codes : (n,) int
        Cluster of each row.
    dfbeta : (G, k)
        Coefficients minus those without the cluster, in one step; NaN where one of them has no estimate without it.
    cooks_distance : (G,)
    hat : (G,)
        Sum of the leverages of the cluster's rows.
    sizes : (G,)
        Number of observations.
    """

    of_rows: Reported
    unit: str
    labels: pd.Index
    codes: NDArray[np.intp]
    dfbeta: FloatArray
    cooks_distance: FloatArray
    hat: FloatArray
    sizes: FloatArray

    @property
    def scale(self) -> FloatArray:
        """(k,) standard errors in which `dfbetas` are: those of the result."""
        return self.of_rows.standard_errors

    @property
    def dfbetas(self) -> FloatArray:
        """(G, k) one-step changes in standard errors of the result."""
        with np.errstate(divide="ignore", invalid="ignore"):  # what a constraint has fixed has none
            return np.asarray(self.dfbeta / self.scale)

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """(G,) positions, the largest Cook's distances first."""
        return np.argsort(-np.nan_to_num(self.cooks_distance, nan=-1.0, posinf=np.inf), kind="stable")

    def exact(self, clusters: Any = None, most: int = MOST_SHOWN) -> ExactInfluence:
        """Refit without each of some clusters in turn.

        Parameters
        ----------
        clusters : label, or list of labels, optional
            By default those of the largest Cook's distances.
        most : int
            How many of them.
        """
        return exact_influence(self, clusters, most)

    def summary_frame(self) -> pd.DataFrame:
        """One row a cluster: size, dfbetas, Cook's distance, leverage."""
        moved = self.dfbetas
        columns = {"observations": self.sizes, **{f"dfb_{n}": moved[:, j] for j, n in enumerate(self.of_rows.names)},
                   "cooks_d": self.cooks_distance, "hat": self.hat}  # fmt: skip
        return pd.DataFrame(columns, index=self.labels)

    def _head(self) -> tuple[str, pd.DataFrame]:
        top = self.summary_frame().iloc[self.order[:MOST_SHOWN]]
        return f"{self.unit}, of {len(self.labels)}, with the largest Cook's distances", top

    @printed
    def __str__(self) -> str:
        title, top = self._head()
        return f"{title}\n{top.to_string(line_width=WIDTH, float_format='{:.4g}'.format)}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        title, top = self._head()
        return f"<p>{escape(title)}</p>{top.to_html(float_format='{:.4g}'.format)}"


def cluster_influence(reported: Reported, groups: Any) -> ClusterInfluence:
    """Influence of every cluster.

    Parameters
    ----------
    reported : Reported
    groups : str or (n,) array_like
        Cluster of each row: a column name or labels.

    Raises
    ------
    DataError
        If there is a single cluster, or a label is missing.
    NotAvailableError
        For penalized fits.
    """
    fit = reported.fit
    fit.facts.require("What the absence of a cluster does", "maximum", "converged")
    codes, names = read_codes(fit.design, groups, "groups")
    if len(names) < 2:
        raise DataError("There is a single cluster; without it nothing is left.")
    name = groups if isinstance(groups, str) else str(getattr(groups, "name", None) or "cluster")
    labels = pd.Index(names, name=name)
    moved, cooks, hat = _leave_out(fit, codes, len(names))
    weight = fit.design.weight
    if weight is not None and fit.design.weight_kind == "sampling":
        cooks /= float(weight.values.mean())
    counted = np.ones(fit.design.rows) if fit.design.frequency is None else fit.design.frequency
    sizes = np.bincount(codes, weights=counted, minlength=len(names)).astype(np.float64)
    return ClusterInfluence(reported, name, labels, codes, moved, cooks, hat, sizes)


def _leave_out(fit: Fit, codes: NDArray[np.intp], count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """One-step changes, Cook's distances and leverages of the clusters.

    With V = C C', the step is ``C (1 - C' I_g C)^-1 C' s_g``.
    """
    C = fit.covariance_root
    to_user = fit.working.matrix(fit.parameters) @ C
    moved, cooks, hat = np.full((count, fit.parameters), np.nan), np.full(count, np.nan), np.empty(count)
    u, w = score_residuals(fit), information_weights(fit)
    if fit.design.weight is not None:
        w = w * fit.design.weight.values
    rows = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=count))
    for g, end in enumerate(ends):
        own, score = np.zeros((C.shape[1], C.shape[1])), np.zeros(C.shape[1])
        for start in range(ends[g - 1] if g else 0, end, TALL_ROWS):
            part = rows[start : min(start + TALL_ROWS, end)]
            Z = fit.working.columns(fit.design.X[part]) @ C
            own += (Z * w[part, None]).T @ Z
            score += u[part] @ Z
        hat[g] = own.trace()
        left = EquilibratedCholesky(np.eye(len(score)) - own)
        # a cluster with a coefficient of its own leaves nothing of that direction
        if left.definite and (1.0 - own.diagonal()).min() > FITTED_PERFECTLY and left.smallest_pivot > FITTED_PERFECTLY:
            step = left.solve(score)
            moved[g], cooks[g] = to_user @ step, step @ step / fit.free_parameters
    return moved, cooks, hat
