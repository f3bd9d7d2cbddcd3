"""Firth's estimate with predictions that are right on average: FLIC and FLAC (Puhr et al. 2017).

Firth's penalty pulls probabilities towards one half: their mean is not the share of events. FLIC keeps the slopes and fits the
intercept again by maximum likelihood. FLAC writes the penalty as data: each row comes with pseudo-observations of total weight
h_i, its leverage, half of them events, of which Firth's estimate is the maximum-likelihood estimate; an indicator of the
pseudo-observations, fitted along, takes their effect on the mean away.

Puhr, Heinze, Nold, Lusa and Geroldinger (2017), Statistics in Medicine 36, 2302-2317.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.coded import CodedColumns, coded
from logit_stats.design.design import Design
from logit_stats.design.row_numbers import RowNumbers
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import moments
from logit_stats.estimation.newton import newton
from logit_stats.likelihoods.working import WorkingColumns

PSEUDO = "pseudo-observation"


def with_fitted_intercept(fit: Fit) -> FloatArray:
    """(k,) working coefficients of a fit with the constant fitted again, by maximum likelihood with the slopes held."""
    design = fit.design
    assert design.constant is not None
    only = replace(design.intercept_only(), offset=RowNumbers("offset", None, fit.eta))
    found = newton(only, WorkingColumns(constant=0), np.zeros(1), maxiter=200, tol=1e-12)
    gamma = fit.gamma.copy()
    gamma[design.constant] += float(found.gamma[0]) / design.constant_value
    return gamma


def augmented(design: Design, leverage: FloatArray) -> Design:
    """Return the rows, their pseudo-observations, and the indicator of these as the last column.

    The pseudo-observations of a row, y and 1 - y of weight h/2 each, are h/2 events out of h trials.
    """
    n = design.rows
    twice = design.at(np.r_[np.arange(n), np.arange(n)])
    indicator = np.r_[np.zeros(n), np.ones(n)]
    X = coded(twice.X)
    if X is None:
        columns: FloatArray = np.column_stack([twice.X, indicator])
    else:
        places = np.r_[X.dense_columns, design.columns]
        columns = CodedColumns(np.column_stack([X.dense, indicator]), places, X.parts)  # type: ignore[assignment]
    y, m = design.response.successes, design.response.trials
    response = replace(
        design.response,
        successes=np.r_[y, leverage / 2.0],
        trials=np.r_[np.ones(n) if m is None else m, leverage],
    )
    return replace(twice, X=columns, names=(*design.names, PSEUDO), response=response, formula=None)


def refitted(fit: Fit, gamma: FloatArray, method: str) -> Fit:
    """Return the fit at other working coefficients."""
    here = moments(fit.design, gamma, fit.working)
    return replace(
        fit, gamma=gamma, information_working=here.information, loglik=here.loglik, max_abs_eta=here.max_abs_eta,
        method=method, maximum=False,
    )  # fmt: skip
