"""Covariance of the coefficients: from the information, or robust to a wrong variance (sandwich).

Each estimator is V M V with V the inverse information and M the "meat", a sum over rows of c_i u_i² z_i z_i' with
u_i = y_i - m_i p_i (White 1980, Econometrica 48, 817-838; White 1982, Econometrica 50, 1-25; MacKinnon and White 1985,
J. Econometrics 29, 305-325, carried over to the logit with the leverages of the weighted design):

========= ============================= ==========================================
HC0       c_i = 1
HC1       c_i = n / (n - k)
HC2       c_i = 1 / (1 - h_i)           h_i = m_i p_i (1 - p_i) z_i' V z_i
HC3       c_i = 1 / (1 - h_i)²
survey    c_i = n / (n - 1)             sampling weights, one stratum, with replacement
========= ============================= ==========================================

"cluster" sums the scores within clusters first; see cluster.py. "bootstrap" is the covariance of estimates from resampled
data; see bootstrap.py.

A frequency weight stands for that many rows; a sampling weight multiplies u_i.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.errors import check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.estimation.moments import working_columns
from logit_stats.estimation.rows import score_residual, variance
from logit_stats.inference.bootstrap import Bootstrap, bootstrap
from logit_stats.inference.cluster import check_settings, cluster_covariance, read_groups

COV_TYPES = ("nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster", "survey", "bootstrap")


@dataclass(frozen=True, eq=False)
class Covariance:
    """An estimated covariance of the coefficients.

    Attributes
    ----------
    cov_type : str
        One of `COV_TYPES`.
    working : (k, k)
        Covariance of the working coefficients.
    matrix : (k, k)
        Covariance of the user's coefficients.
    standard_errors : (k,)
        Of the user's coefficients.
    description : str
        What a report says of it; empty for the types above.
    notes : tuple of str
        What a reader must know of it.
    bootstrap : Bootstrap or None
        The resampled estimates, for "bootstrap".
    """

    cov_type: str
    working: FloatArray
    matrix: FloatArray
    standard_errors: FloatArray
    description: str = ""
    notes: tuple[str, ...] = ()
    bootstrap: Bootstrap | None = None

    @property
    def robust(self) -> bool:
        """Whether it holds when the model's variance is wrong."""
        return self.cov_type != "nonrobust"


def default_cov_type(fit: Fit) -> str:
    """``"survey"`` under sampling weights, for which the model-based covariance is wrong; else ``"nonrobust"``."""
    return "survey" if fit.design.weight_kind == "sampling" else "nonrobust"


def covariance(fit: Fit, cov_type: str | None = None, **settings: Any) -> Covariance:
    """Covariance of the coefficients of a fit.

    Parameters
    ----------
    fit : Fit
    cov_type : str, optional
        One of `COV_TYPES`; by default that of `default_cov_type`.
    **settings
        For "cluster": `groups` (a column name, labels, or a list of these) and `use_correction` (True, "G" or False).
        For "bootstrap": `reps`, `seed`, `groups` and `progress`; see `bootstrap`.

    Raises
    ------
    UnknownOptionError
        If the type or a setting is not known.
    DataError
        If groups are missing or do not fit the rows.
    """
    cov_type = default_cov_type(fit) if cov_type is None else cov_type
    check_choice("cov_type", cov_type, COV_TYPES)
    check_settings(cov_type, settings)
    if cov_type == "cluster":
        groupings = read_groups(fit.design, settings.get("groups"))
        made = cluster_covariance(fit, groupings, settings.get("use_correction", True))
        matrix, se = fit.working.covariance(made.working), fit.working.standard_errors(made.working)
        return Covariance(cov_type, made.working, matrix, se, made.description, made.notes)
    if cov_type == "bootstrap":
        return _from_resamples(fit, bootstrap(fit, **settings))
    bread = fit.covariance_working
    if cov_type == "nonrobust":
        return Covariance(cov_type, bread, fit.covariance, fit.standard_errors)
    meat = fit.design.reduce(partial(_meat, fit=fit, cov_type=cov_type), rows=TALL_ROWS)
    working = bread @ meat @ bread * _small_sample(fit, cov_type)
    return Covariance(cov_type, working, fit.working.covariance(working), fit.working.standard_errors(working))


def _from_resamples(fit: Fit, drawn: Bootstrap) -> Covariance:
    gamma = np.array([fit.working.gamma(beta) for beta in drawn.draws])
    working = np.atleast_2d(np.cov(gamma, rowvar=False))
    description = f"from a {drawn.account()}"
    errors, matrix = drawn.standard_errors, fit.working.covariance(working)
    return Covariance("bootstrap", working, matrix, errors, description, _few(drawn), drawn)


def _few(drawn: Bootstrap) -> tuple[str, ...]:
    if not drawn.failed:
        return ()
    return (
        f"{drawn.failed} of {drawn.reps} resamples had no estimate and were left out: the bootstrap errors understate how "
        f"uncertain the coefficients are; profile-likelihood intervals or fit_firth() do not.",
    )


def _small_sample(fit: Fit, cov_type: str) -> float:
    n, k = fit.design.observations, fit.parameters
    if cov_type == "HC1":
        return n / (n - k) if n > k else float("nan")
    return n / (n - 1.0) if cov_type == "survey" and n > 1 else 1.0


def _meat(block: Block, fit: Fit, cov_type: str) -> FloatArray:
    """Meat of one block: (k, k)."""
    Z = working_columns(block.X, fit.working.center, fit.working.scale)
    eta = Z @ fit.gamma
    if block.offset is not None:
        eta += block.offset
    u = score_residual(eta, block.successes, block.trials)
    sampling = fit.design.weight_kind == "sampling"
    if sampling and block.weight is not None:
        u = u * block.weight
    factor = u**2
    if cov_type in ("HC2", "HC3"):
        weight = variance(eta)
        if block.trials is not None:
            weight = weight * block.trials
        if sampling and block.weight is not None:
            weight = weight * block.weight
        left = 1.0 - weight * np.einsum("ij,ij->i", Z @ fit.covariance_working, Z)
        # a row that the model fits whatever its outcome has no residual to speak of, not an infinite one
        left = np.where(left > 1e-12, left, np.inf)
        factor = factor / (left if cov_type == "HC2" else left**2)
    if not sampling and block.weight is not None:
        factor = factor * block.weight
    return np.asarray((Z * factor[:, None]).T @ Z)
