"""`LogitGEE` and `gee`: the population-averaged logit of outcomes in clusters, by generalized estimating equations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.containers import numbers_of
from logit_stats.design.design import Design
from logit_stats.design.formula import capture_scope
from logit_stats.design.from_arrays import design_from_arrays
from logit_stats.design.from_formula import design_from_formula
from logit_stats.design.given_rows import for_rows_used
from logit_stats.design.row_arguments import RowArguments
from logit_stats.errors import DataError, check_choice
from logit_stats.estimation.gee import ClusterLabels, gee_fit
from logit_stats.estimation.working_correlation import STRUCTURES
from logit_stats.inference.cluster import read_codes
from logit_stats.inference.cluster_sandwich import gee_covariance
from logit_stats.models.base import DesignModel

if TYPE_CHECKING:
    from logit_stats.results.gee import GEEResults


class LogitGEE(DesignModel):
    """Population-averaged logit model of arrays; the counterpart of ``statsmodels.api.GEE`` with the binomial family.

    Parameters
    ----------
    endog : (n,) array_like, or (n, 2) counts
        As for `Logit`.
    exog : (n, k) array_like
        Design columns. No intercept is added.
    groups : (n,) array_like
        Cluster of each row; rows of a cluster need not stand together.
    corr : {"exchangeable", "independence", "ar1", "unstructured"}
        Working correlation within clusters.
    time : (n,) array_like, optional
        Where each row stands in its cluster, for "ar1" (a gap of several steps is one) and "unstructured"; by default
        the rows of a cluster are in their order, one step apart.
    offset : (n,) array_like, optional
        Known part of the linear predictor.
    freq_weights : (n,) array_like, optional
        How many identical clusters a cluster stands for: the same in all of its rows.
    sampling_weights : (n,) array_like, optional
        Weights of rows, as the weights of R's geepack.
    trials : (n,) array_like, optional
        Number of trials, where `endog` counts successes.
    missing : {"none", "drop", "raise"}
        What to do with rows in which something is missing, cluster and time included.
    check_rank : bool or "drop"
        Whether columns that are combinations of others are an error, left out ("drop"), or not looked for (False).

    References
    ----------
    Liang and Zeger (1986), Biometrika 73, 13-22.

    Examples
    --------
    >>> import numpy as np
    >>> from logit_stats import LogitGEE
    >>> y = [0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0]
    >>> x = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]
    >>> groups = np.repeat([1, 2, 3, 4], 3)
    >>> LogitGEE(y, np.column_stack([np.ones(12), x]), groups).fit().params.round(4)
    array([-1.0986,  1.0986])
    """

    corr: str
    labels: ClusterLabels

    def __init__(
        self,
        endog: Any,
        exog: Any,
        groups: Any,
        *,
        corr: str = "exchangeable",
        time: Any = None,
        offset: Any = None,
        freq_weights: Any = None,
        sampling_weights: Any = None,
        trials: Any = None,
        missing: str = "none",
        check_rank: bool | str = True,
    ) -> None:
        arguments = RowArguments(
            offset=offset,
            freq_weights=freq_weights,
            sampling_weights=sampling_weights,
            trials=trials,
            missing=missing,
            labels=_labels(groups, time),
        )
        design = design_from_arrays(endog, exog, arguments, refuse_wide=check_rank is True)
        self._adopt_clusters(design, groups, time, corr, check_rank)

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        *,
        groups: Any,
        corr: str = "exchangeable",
        time: Any = None,
        subset: Any = None,
        missing: str = "drop",
        offset: Any = None,
        freq_weights: Any = None,
        sampling_weights: Any = None,
        trials: Any = None,
        check_rank: bool | str = True,
        depth: int = 0,
    ) -> Self:
        """Model from a formula and a table; arguments as for `gee`."""
        model = cls.__new__(cls)
        arguments = RowArguments(
            offset=offset,
            freq_weights=freq_weights,
            sampling_weights=sampling_weights,
            trials=trials,
            subset=subset,
            missing=missing,
            labels=_labels(groups, time),
        )
        design = design_from_formula(formula, data, capture_scope(depth + 1), arguments, refuse_wide=check_rank is True)
        model._adopt_clusters(design, groups, time, corr, check_rank)
        return model

    def _adopt_clusters(self, design: Design, groups: Any, time: Any, corr: str, check_rank: bool | str) -> None:
        check_choice("corr", corr, STRUCTURES)
        self.corr = corr
        self.labels = cluster_labels(design, groups, time)
        self._adopt(design, check_rank)

    @property
    def endog(self) -> FloatArray:
        """(n,) outcome: 0/1, or the proportion of successes of grouped rows."""
        return self.design.response.proportions

    def fit(
        self,
        cov_type: str = "robust",
        *,
        scale: float | None = None,
        small_sample: bool = True,
        start_params: Any = None,
        maxiter: int = 100,
        tol: float | None = None,
        use_t: bool = False,
    ) -> GEEResults:
        """Solve the estimating equations.

        Parameters
        ----------
        cov_type : {"robust", "naive", "kauermann_carroll", "mancl_derouen"}
            Covariance of the coefficients; see `GEEResults.with_cov`.
        scale : float, optional
            Dispersion, by default estimated from the Pearson residuals; 1 for that of the binomial distribution (naive errors
            are then those of statsmodels, which reports no other).
        small_sample : bool
            Whether sums of residuals are divided by the number of terms less the number of coefficients, as in SAS, R's gee
            and statsmodels; False for R's geepack.
        start_params : (k,) array_like, optional
            Coefficients to start from, by default those of independence.
        maxiter : int
        tol : float, optional
            Length of a step, in standard errors, that counts as none: by default 1e-10.
        use_t : bool
            Use Student's t for p-values and intervals, with as many degrees of freedom as there are clusters less coefficients.

        Returns
        -------
        GEEResults

        Raises
        ------
        SeparationError
            If some combination of columns predicts outcomes perfectly.
        EstimationError
            If the estimated working correlation is none.
        DataError
            If there is one cluster, or a time stands twice in a cluster.
        """
        from logit_stats.results.gee import GEEResults

        fitted = gee_fit(
            self.design,
            self.labels,
            self.corr,
            scale=scale,
            small_sample=small_sample,
            start=start_params,
            maxiter=maxiter,
            tol=tol,
            check_rank=self.check_rank,
        )
        return GEEResults(self.with_design(fitted.design), fitted, gee_covariance(fitted, cov_type, use_t))

    def with_design(self, design: Design) -> LogitGEE:
        """Return the model of another design, this one where it is the same."""
        if design is self.design:
            return self
        model = LogitGEE.__new__(LogitGEE)
        model.__dict__.update({**self.__dict__, "design": design})
        return model


def gee(
    formula: str,
    data: Any,
    *,
    groups: Any,
    corr: str = "exchangeable",
    time: Any = None,
    subset: Any = None,
    missing: str = "drop",
    offset: Any = None,
    freq_weights: Any = None,
    sampling_weights: Any = None,
    trials: Any = None,
    check_rank: bool | str = True,
) -> LogitGEE:
    """Population-averaged logit of outcomes in clusters, from a formula and a table.

    The coefficients compare people of the population, not the same person under two conditions: for that see `melogit`.

    Parameters
    ----------
    formula : str
        As for `logit`.
    data : DataFrame, dict of arrays, polars or Arrow table
    groups : str or (n,) array_like
        Cluster of each row: a column name, or labels.
    corr : {"exchangeable", "independence", "ar1", "unstructured"}
        Working correlation within clusters. Estimates and robust errors hold whichever is true; the nearer, the smaller
        they are.
    time : str or (n,) array_like, optional
        Where each row stands in its cluster; see `LogitGEE`.
    subset, missing, offset, freq_weights, sampling_weights, trials, check_rank
        As for `logit`; `freq_weights` as for `LogitGEE`.

    Returns
    -------
    LogitGEE
        Call `.fit()`.

    Examples
    --------
    >>> import logit_stats as ls
    >>> ohio = {"id": [1, 1, 2, 2, 3, 3, 4, 4], "wheeze": [0, 0, 1, 1, 0, 1, 1, 0], "age": [7, 8, 7, 8, 7, 8, 7, 8]}
    >>> res = ls.gee("wheeze ~ age", ohio, groups="id").fit(scale=1)
    >>> res.working_correlation.round(3).values.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return LogitGEE.from_formula(
        formula,
        data,
        groups=groups,
        corr=corr,
        time=time,
        subset=subset,
        missing=missing,
        offset=offset,
        freq_weights=freq_weights,
        sampling_weights=sampling_weights,
        trials=trials,
        check_rank=check_rank,
        depth=1,
    )


def _labels(groups: Any, time: Any) -> dict[str, Any]:
    if groups is None:
        raise DataError("groups= says which rows belong together: give a column name, or one label for each row.")
    return {"groups": groups} if time is None else {"groups": groups, "time": time}


def cluster_labels(design: Design, groups: Any, time: Any) -> ClusterLabels:
    """Clusters and times of the rows used.

    Raises
    ------
    DataError
        If times are no numbers.
    """
    codes, labels = read_codes(design, groups, "groups")
    name = _name(groups, "groups")
    if time is None:
        return ClusterLabels(name, codes, tuple(labels))
    given = for_rows_used(design, "time", time)
    try:
        numbers = _as_numbers(given)
    except (TypeError, ValueError):
        raise DataError(
            f"{_name(time, 'time')!r} holds {getattr(given, 'dtype', type(given).__name__)}, not numbers or dates: number the "
            f"occasions 1, 2, 3, ... in their order."
        ) from None
    if not np.isfinite(numbers).all():
        raise DataError(f"{_name(time, 'time')!r} is infinite in some rows: times must be finite.")
    return ClusterLabels(name, codes, tuple(labels), _name(time, "time"), numbers)


def _as_numbers(given: Any) -> Any:
    dtype = getattr(given, "dtype", None)
    if isinstance(dtype, pd.CategoricalDtype) and dtype.ordered:
        return np.asarray(given.cat.codes if isinstance(given, pd.Series) else given.codes, dtype=np.float64)
    if dtype is not None and dtype.kind == "M":
        return np.asarray(given).astype("datetime64[ns]").astype(np.float64) / 86400e9
    return numbers_of(given if isinstance(given, pd.Series) else np.asarray(given))


def _name(given: Any, argument: str) -> str:
    if isinstance(given, str):
        return given
    return str(given.name) if isinstance(given, pd.Series) and given.name is not None else argument
