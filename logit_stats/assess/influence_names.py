"""Influence under statsmodels' names, and its pair of Cook's distances and p-values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from logit_stats.design.block import FloatArray
from logit_stats.errors import check_choice
from logit_stats.likelihoods.rows import variance

if TYPE_CHECKING:
    from logit_stats.estimation.fit import Fit

# What `plot_index` draws, by the beginning of statsmodels' names.
_INDEXED = {
    "cooks": "cooks_distance",
    "hat": "hat_matrix_diag",
    "dfbeta": "dfbetas",
    "resid_stu": "resid_studentized",
    "resid": "resid",
}


class CooksDistances(np.ndarray):
    """(n,) Cook's distances, which unpack as statsmodels' pair: ``distances, p_values = influence.cooks_distance``.

    An array like any other, but for two places: ``[0]`` is the array of all distances and ``[1]`` that of their p-values, as in
    statsmodels, where ``cooks_distance[0]`` in scripts means the distances and never the first row's. Of single rows, ask a plain
    array: ``np.asarray(influence.cooks_distance)[0]``, or `summary_frame`.

    Examples
    --------
    >>> pair = CooksDistances.of(np.array([0.1, 0.2, 0.6]), 2, 10.0)
    >>> pair[0], int((pair > 0.15).sum()), float(pair.max()), len(pair[1])
    (array([0.1, 0.2, 0.6]), 2, 0.6, 3)
    """

    p_values: FloatArray | None = None

    @classmethod
    def of(cls, distances: FloatArray, parameters: int, df_resid: float) -> CooksDistances:
        """Distances with p-values of F with these degrees of freedom, as statsmodels has them (a rough guide at best)."""
        made: CooksDistances = np.array(distances, dtype=np.float64).view(cls)
        made.p_values = np.asarray(stats.f.sf(distances, parameters, df_resid))
        return made

    def __array_finalize__(self, made_from: Any) -> None:
        self.p_values = None  # what is made of it (a part, a copy, a sum) is an array like any other

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return np.asarray(array)[()] if return_scalar else np.asarray(array)

    def __getitem__(self, key: Any) -> Any:
        plain = np.asarray(self)
        if self.p_values is None or isinstance(key, (bool, np.bool_)) or not isinstance(key, (int, np.integer)):
            return plain[key]
        return plain if key == 0 else self.p_values if key == 1 else plain[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(np.asarray(self)) if self.p_values is None else iter((np.asarray(self), self.p_values))

    def __repr__(self) -> str:
        return repr(np.asarray(self))

    def __reduce__(self) -> Any:
        return _rebuilt, (np.asarray(self), self.p_values)


def _rebuilt(distances: FloatArray, p_values: FloatArray | None) -> CooksDistances:
    made: CooksDistances = distances.view(CooksDistances)
    made.p_values = p_values
    return made


class InfluenceNames:
    """statsmodels' names of what `Influence` has under others."""

    if TYPE_CHECKING:
        fit: Fit

        @property
        def dfbeta(self) -> FloatArray:
            """See `Influence`."""
            ...

        @property
        def resid_pearson(self) -> FloatArray:
            """See `Influence`."""
            ...

        @property
        def _eta(self) -> FloatArray:
            """See `Influence`."""
            ...

    @property
    def resid(self) -> FloatArray:
        """(n,) Pearson residuals."""
        return self.resid_pearson

    @property
    def d_params(self) -> FloatArray:
        """(n, k) coefficients minus those without the row, in one step: `dfbeta`."""
        return self.dfbeta

    @property
    def params_one(self) -> FloatArray:
        """(n, k) coefficients without each row, in one step."""
        return np.asarray(self.fit.beta - self.dfbeta)

    @property
    def d_fittedvalues(self) -> FloatArray:
        """(n,) probability of the row minus that without it, in one step."""
        return np.asarray(variance(self._eta) * self._d_linear)

    @property
    def d_fittedvalues_scaled(self) -> FloatArray:
        """(n,) the same in standard errors of the probability (DFFITS)."""
        Z = self.fit.working.columns(self.fit.design.X)
        spread = np.einsum("ij,jk,ik->i", Z, self.fit.covariance_working, Z)
        return np.asarray(self._d_linear / np.sqrt(spread))

    @property
    def _d_linear(self) -> FloatArray:
        return np.asarray(np.einsum("ij,ij->i", np.asarray(self.fit.design.X), self.dfbeta))

    def plot_influence(self, external: Any = None, *, labels: int = 5, ax: Any = None, **_: Any) -> Any:
        """Draw studentized residuals against leverage, areas by Cook's distance; return the figure, as statsmodels does.

        statsmodels' arguments of how it looks change nothing.
        """
        from logit_stats.report.plots.of_rows import influence_of

        return influence_of(self, labels, ax=ax).figure

    def plot_index(
        self, y_var: str = "cooks", threshold: float | None = None, title: str | None = None, ax: Any = None,
        idx: int | None = None, **_: Any,
    ) -> Any:  # fmt: skip
        """Draw a statistic by row; return the figure, as statsmodels does.

        Parameters
        ----------
        y_var : {"cooks", "hat", "resid", "resid_studentized", "dfbeta"}
        threshold : float, optional
            Rows beyond it carry their labels.
        title : str, optional
        ax : Axes, optional
        idx : int, optional
            Which coefficient, for "dfbeta" (drawn in standard errors).
        """
        from logit_stats.report.plots.of_rows import index_plot

        known = [name for name in _INDEXED if y_var.startswith(name) or name.startswith(y_var)]
        if not known:
            check_choice("y_var", y_var, ("cooks", "hat", "resid", "resid_studentized", "dfbeta"))
        values = np.asarray(getattr(self, _INDEXED[known[0]]))
        values = values if values.ndim == 1 else values[:, idx or 0]
        return index_plot(self, values, y_var, threshold, title, ax=ax).figure
