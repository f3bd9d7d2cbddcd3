"""The cross-check of an ordered logit with statsmodels' ``OrderedModel``."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.errors import DataError, NotAvailableError
from logit_stats.peers.crosscheck import Crosscheck, _compare, _empty

if TYPE_CHECKING:
    from logit_stats.results.ordinal import OrderedLogitResults

# statsmodels differentiates its likelihood numerically: its maximum and standard errors are good to about so much.
NUMERICAL = 1e-5
DEVIATIONS = (
    f"statsmodels' score and Hessian are numerical: coefficients and standard errors are compared to {NUMERICAL:g}.",
    "statsmodels' coefficients are the first threshold and the logarithms of the differences of the others: thresholds are "
    "compared after they are made of these.",
)


def crosscheck_ordered(res: OrderedLogitResults, rtol: float = 1e-6) -> Crosscheck:
    """Fit a proportional-odds model in statsmodels' ``OrderedModel`` and compare; parameters and result as for `crosscheck`.

    statsmodels has no weights there: rows of frequency weight f are given to it f times.
    """
    if not rtol > 0.0:
        raise DataError(f"rtol={rtol} must be positive.")
    try:
        import statsmodels
    except ImportError as error:
        raise NotAvailableError(
            "crosscheck() compares with statsmodels, which is not installed: pip install statsmodels."
        ) from error
    res.fit_.design.require_rows()
    peer = f"statsmodels {statsmodels.__version__} OrderedModel"
    deviations = list(DEVIATIONS)
    if res.cov_type != "nonrobust":
        deviations.append(f"The covariance {res.cov_type!r} is not compared; standard errors are compared model-based.")
    nothing = _nothing_to_compare(res)
    if nothing:
        return Crosscheck(_empty(), peer, rtol, tuple(deviations), nothing)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = _fitted(res)
            found = pd.DataFrame(list(_rows(res, theirs, rtol)))
    except Exception as error:
        failure = f"statsmodels cannot fit this model: {type(error).__name__}: {error}"
        return Crosscheck(_empty(), peer, rtol, tuple(deviations), failure)
    return Crosscheck(found, peer, rtol, tuple(deviations))


def _nothing_to_compare(res: OrderedLogitResults) -> str:
    if res.model.kind != "cumulative" or not res.model.parallel:
        return "statsmodels' OrderedModel has proportional odds alone."
    if res.fit_.design.weight_kind == "sampling":
        return "statsmodels' OrderedModel has no sampling weights."
    return ""


def _fitted(res: OrderedLogitResults) -> Any:
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    design = res.fit_.design
    times = np.ones(design.rows, dtype=np.intp) if design.frequency is None else design.frequency.astype(np.intp)
    X = np.repeat(_slope_columns(res), times, axis=0)
    offset = None if design.offset is None else np.repeat(design.offset.values, times)
    model = OrderedModel(np.repeat(res.model.categories.codes, times), X, offset=offset, distr="logit")
    return model.fit(method="newton", disp=0, tol=1e-12, maxiter=200)


def _rows(res: OrderedLogitResults, theirs: Any, rtol: float) -> Iterator[dict[str, Any]]:
    ours = res if res.cov_type == "nonrobust" else res.with_cov("nonrobust")
    names, k = list(ours.model.exog_names), ours.model.k_vars
    beta, se = np.asarray(ours.params), np.asarray(ours.bse)
    thresholds = theirs.model.transform_threshold_params(theirs.params)[1:-1]
    its = np.concatenate([theirs.params[:k], thresholds])
    yield from _compare("params", names, beta, its, np.maximum(np.abs(beta), se), max(rtol, NUMERICAL))
    yield from _compare("bse", names[:k], se[:k], theirs.bse[:k], se[:k], max(rtol, NUMERICAL))
    for name in ("llf", "aic", "bic"):
        mine = np.array([getattr(ours, name)])
        yield from _compare(name, [""], mine, np.array([getattr(theirs, name)]), np.abs(mine), rtol)
    its_prob = theirs.predict(_slope_columns(ours), offset=_offset(ours))
    prob = np.asarray(ours.predict())
    cells = [f"{row}: {label}" for row in ours.fit_.design.index for label in ours.model.categories.names]
    yield from _compare("predict", cells, prob.ravel(), np.ravel(its_prob), np.ones(prob.size), max(rtol, NUMERICAL))


def _slope_columns(res: OrderedLogitResults) -> np.ndarray:
    design = res.fit_.design
    return np.asarray(design.X)[:, [j for j in range(design.columns) if j != design.constant]]


def _offset(res: OrderedLogitResults) -> Any:
    return None if res.fit_.design.offset is None else res.fit_.design.offset.values
