"""The cross-check of a conditional fit with statsmodels' ``ConditionalLogit``."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.errors import DataError, NotAvailableError
from logit_stats.likelihoods.conditional import sets_of
from logit_stats.peers.crosscheck import Crosscheck, _compare, _empty

if TYPE_CHECKING:
    from logit_stats.results.conditional import ConditionalLogitResults

# statsmodels differentiates its score numerically: its standard errors are good to about so much.
ERRORS = 1e-5
DEVIATIONS = (
    f"statsmodels' standard errors are differentiated numerically: compared to {ERRORS:g}.",
    "statsmodels maximises by BFGS, whose end is polished here by Newton's steps of its own score and Hessian.",
)


def crosscheck_sets(res: ConditionalLogitResults, rtol: float = 1e-6) -> Crosscheck:
    """Fit a conditional model in statsmodels' ``ConditionalLogit`` and compare; parameters and result as for `crosscheck`.

    Sets of frequency weight f are given to it f times.
    """
    if not rtol > 0.0:
        raise DataError(f"rtol={rtol} must be positive.")
    try:
        import statsmodels
    except ImportError as error:
        raise NotAvailableError(
            "crosscheck() compares with statsmodels, which is not installed: pip install statsmodels."
        ) from error
    peer = f"statsmodels {statsmodels.__version__} ConditionalLogit"
    deviations = list(DEVIATIONS)
    if res.cov_type != "nonrobust":
        deviations.append(f"The covariance {res.cov_type!r} is not compared; standard errors are compared model-based.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model, beta = _fitted(res)
            found = pd.DataFrame(list(_rows(res, model, beta, rtol)))
    except Exception as error:
        failure = f"statsmodels cannot fit this model: {type(error).__name__}: {error}"
        return Crosscheck(_empty(), peer, rtol, tuple(deviations), failure)
    return Crosscheck(found, peer, rtol, tuple(deviations), "")


def _fitted(res: ConditionalLogitResults) -> tuple[Any, np.ndarray]:
    from statsmodels.discrete.conditional_models import ConditionalLogit

    design = res.fit_.design
    sets = sets_of(design)
    times = np.ones(design.rows, dtype=np.intp) if design.weight is None else design.weight.values.astype(np.intp)
    rows, number = sets.order, sets.of_row
    copies = [(rows[times[rows] > c], number[times[rows] > c] + c * sets.count) for c in range(int(times.max()))]
    at = np.concatenate([rows for rows, _ in copies])
    groups = np.concatenate([numbers for _, numbers in copies])
    offset = {} if design.offset is None else {"offset": design.offset.values[at]}
    model = ConditionalLogit(design.response.successes[at], np.asarray(design.X)[at], groups=groups, **offset)
    beta = np.asarray(model.fit(disp=0).params)
    for _ in range(5):
        step = np.linalg.solve(-model.hessian(beta), model.score(beta))
        beta = beta + step
    return model, beta


def _rows(res: ConditionalLogitResults, model: Any, theirs: np.ndarray, rtol: float) -> Iterator[dict[str, Any]]:
    ours = res if res.cov_type == "nonrobust" else res.with_cov("nonrobust")
    names = list(ours.model.exog_names)
    beta, se = np.asarray(ours.params), np.asarray(ours.bse)
    yield from _compare("params", names, beta, theirs, np.maximum(np.abs(beta), 1e-3 * se), rtol)
    its = np.sqrt(np.diag(np.linalg.inv(-model.hessian(theirs))))
    yield from _compare("bse", names, se, its, se, max(rtol, ERRORS))
    llf = np.array([ours.llf])
    yield from _compare("llf", [""], llf, np.array([model.loglike(theirs)]), np.abs(llf), rtol)
