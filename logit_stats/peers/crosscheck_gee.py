"""A population-averaged fit in statsmodels' GEE, compared quantity by quantity."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.errors import DataError, NotAvailableError
from logit_stats.peers.crosscheck import Crosscheck, _compare, _empty

if TYPE_CHECKING:
    from logit_stats.results.gee import GEEResults

# statsmodels' name of each covariance that it has.
_COVARIANCES = {"robust": "robust", "naive": "naive", "mancl_derouen": "bias_reduced"}
_OTHER_ESTIMATORS = (
    "statsmodels estimates the working correlation {name!r} in another way (ours is that of SAS): another estimator, which its "
    "numbers are not compared with. R's gee has ours."
)


def crosscheck_gee(res: GEEResults, rtol: float = 1e-6) -> Crosscheck:
    """Fit the model in statsmodels and compare; parameters and result as for `crosscheck`."""
    if not rtol > 0.0:
        raise DataError(f"rtol={rtol} must be positive.")
    try:
        import statsmodels
    except ImportError as error:
        raise NotAvailableError(
            "crosscheck() compares with statsmodels, which is not installed: pip install statsmodels."
        ) from error
    peer = f"statsmodels {statsmodels.__version__} GEE(Binomial)"
    why_not = _why_not(res)
    if why_not:
        return Crosscheck(_empty(), peer, rtol, (), why_not)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = pd.DataFrame(list(_rows(res, _fit(res), rtol)))
    except Exception as error:
        failure = f"statsmodels cannot fit this model: {type(error).__name__}: {error}"
        return Crosscheck(_empty(), peer, rtol, (), failure)
    return Crosscheck(table, peer, rtol, tuple(_deviations(res)))


def _why_not(res: GEEResults) -> str:
    design, name = res.fit_.design, res.fit_.correlation.name
    if name not in ("independence", "exchangeable"):
        return _OTHER_ESTIMATORS.format(name=name)
    if design.response.grouped or design.weight is not None:
        return (
            "statsmodels' GEE takes weights and counts of trials in another way, so there is nothing to compare with."
        )
    return ""


def _deviations(res: GEEResults) -> Iterator[str]:
    if res.cov_type == "kauermann_carroll":
        yield "statsmodels has no Kauermann-Carroll covariance: standard errors are compared under the robust one."
    if res.cov_type == "naive" and res.scale != 1.0:
        yield "statsmodels' naive covariance has a dispersion of 1; ours is divided by its own for the comparison."


def _fit(res: GEEResults) -> Any:
    import statsmodels.api as sm

    design = res.fit_.design
    kinds = {"independence": sm.cov_struct.Independence, "exchangeable": sm.cov_struct.Exchangeable}
    offset = None if design.offset is None else design.offset.values
    model = sm.GEE(
        design.response.successes,
        np.asarray(design.X),
        groups=res.fit_.labels.codes,
        family=sm.families.Binomial(),
        cov_struct=kinds[res.fit_.correlation.name](),
        offset=offset,
    )
    kind = _COVARIANCES.get(res.cov_type, "robust")
    return model.fit(cov_type=kind, ctol=1e-12, params_niter=1, maxiter=500)


def _rows(res: GEEResults, theirs: Any, rtol: float) -> Iterator[dict[str, Any]]:
    ours = res if res.cov_type in _COVARIANCES else res.with_cov("robust")
    names = ours.model.exog_names
    beta, se = (np.asarray(v) for v in (ours.params, ours.bse))
    if ours.cov_type == "naive":
        se = se / np.sqrt(ours.scale)
    yield from _compare("params", names, beta, theirs.params, np.maximum(np.abs(beta), 1e-3 * se), rtol)
    yield from _compare("bse", names, se, theirs.bse, se, rtol)
    alpha = np.atleast_1d(theirs.cov_struct.dep_params) if len(ours.alpha) else np.zeros(0)
    yield from _compare("alpha", ["alpha"] * len(ours.alpha), ours.alpha, alpha, np.ones(len(ours.alpha)), rtol)
    prob = np.asarray(ours.predict())
    index = [str(label) for label in ours.fit_.design.index]
    yield from _compare("predict", index, prob, np.asarray(theirs.fittedvalues), np.ones(len(prob)), rtol)
