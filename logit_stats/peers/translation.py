"""A result of ours as a result of statsmodels, at our coefficients: for tools that take no other."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.errors import NotAvailableError

if TYPE_CHECKING:
    from logit_stats.results.answers import Answers


def to_statsmodels(res: Answers) -> Any:
    """The result of statsmodels' model of the same rows at our coefficients, with our covariance.

    statsmodels' ``Logit`` and ``MNLogit``; ``GLM`` with the binomial family for counts and weights. Nothing is fitted:
    statsmodels starts at our coefficients and takes no step.

    Raises
    ------
    NotAvailableError
        If statsmodels has no such model.
    """
    design = res.fit_.design
    if design.likelihood is not None or design.group is not None or not res.facts.maximum:
        raise NotAvailableError(
            f"statsmodels has no counterpart of a {type(res).__name__}; its tools take results of fit() of Logit and MNLogit."
        )
    model = _model(res)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = _at(model, np.asarray(res.params))
    inner = theirs._results
    inner.cov_params_default = np.array(res.covariance_.matrix)
    inner.cov_type = res.cov_type
    inner.use_t = bool(res.use_t)
    inner.cov_kwds = {"description": res.covariance_.description or f"computed by logit_stats ({res.cov_type})"}
    inner._cache = {}
    if hasattr(inner, "mle_retvals"):
        inner.mle_retvals = {**inner.mle_retvals, "converged": res.converged}
    inner.converged = res.converged
    return theirs


def _model(res: Answers) -> Any:
    import statsmodels.api as sm

    design = res.fit_.design
    names, offset = list(design.names), None if design.offset is None else design.offset.values
    X: Any = (
        pd.DataFrame(np.asarray(design.X), index=design.index, columns=names)
        if design.labelled
        else np.asarray(design.X)
    )
    if design.response.categories is not None:
        if design.weight is not None:
            raise NotAvailableError("statsmodels' MNLogit has no weights.")
        codes = design.response.categories.codes
        return sm.MNLogit(
            pd.Series(codes, index=design.index, name=design.response.name) if design.labelled else codes, X
        )
    grouped = design.response.grouped or design.weight is not None
    y = _outcome(design, grouped)
    if not grouped:
        return _with_frame(res, sm.Logit(y, X, offset=offset))
    kind = "var_weights" if design.weight_kind == "sampling" else "freq_weights"
    weights = {} if design.weight is None else {kind: design.weight.values}
    return sm.GLM(y, X, family=sm.families.Binomial(), offset=offset, **weights)


def _outcome(design: Any, grouped: bool) -> Any:
    response = design.response
    if grouped and response.trials is not None:
        return np.column_stack([response.successes, response.trials - response.successes])
    return (
        pd.Series(response.successes, index=design.index, name=response.name) if design.labelled else response.successes
    )


def _with_frame(res: Answers, model: Any) -> Any:
    """Give statsmodels' model the formula and the table it would have."""
    data = res.model.data
    if data.frame is not None:
        model.formula, model.data.frame, model.data.design_info = res.model.formula, data.frame, data.design_info
    return model


def _at(model: Any, params: Any) -> Any:
    """Statsmodels' result at given coefficients."""
    if hasattr(model, "family") and hasattr(model, "_fit_irls"):
        return model.fit(start_params=params, maxiter=0)
    return model.fit(start_params=params.ravel(order="F"), maxiter=0, disp=0, warn_convergence=False)
