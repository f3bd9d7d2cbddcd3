"""Probabilities of a fit with random effects: averaged over groups, of a typical group, of each group.

``effects="population"`` integrates over the distribution of the random effects, as a coefficient of `gee` would say it;
``"zero"`` sets them to zero (half of the groups have more, half less: no average); ``"subject"`` to the conditional modes of
the row's own groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.errors import NotAvailableError, check_choice
from logit_stats.estimation.mixed import MixedFit
from logit_stats.inference.integrated import integrated
from logit_stats.inference.predictions import Prediction
from logit_stats.likelihoods.rows import probability, variance

EFFECTS = ("population", "zero", "subject")


@dataclass(frozen=True, eq=False)
class MixedRows:
    """Rows in which a fit is asked: working columns, fixed linear predictor, and what random effects multiply.

    Attributes
    ----------
    working : (m, k)
    eta : (m,)
        Linear predictor of the fixed part, offset included.
    Z : tuple of (m, q)
        For each grouping.
    """

    working: FloatArray
    eta: FloatArray
    Z: tuple[FloatArray, ...]

    def spread(self, fit: MixedFit) -> FloatArray:
        """(m,) standard deviation of what the random effects add."""
        total = sum(((Z @ e.factor) ** 2).sum(axis=1) for Z, e in zip(self.Z, fit.effects, strict=True))
        return np.sqrt(np.asarray(total, dtype=np.float64))

    def spread_gradient(self, fit: MixedFit) -> FloatArray:
        """(m, t) derivatives of the spread by theta; zero where there is none."""
        tau = self.spread(fit)
        found = np.zeros((len(tau), len(fit.theta)))
        for Z, e, template in zip(self.Z, fit.effects, fit.layout.templates, strict=True):
            a = Z @ e.factor
            for i, j in np.argwhere(template >= 0):
                found[:, template[i, j]] += a[:, j] * Z[:, i]
        return np.asarray(found / np.where(tau > 0.0, tau, 1.0)[:, None])


def rows_of_fit(fit: MixedFit) -> MixedRows:
    """The rows of the fit."""
    fit.design.require_rows()
    Z = tuple(fit.layout.Z(g) for g in range(len(fit.layout.names)))
    return MixedRows(np.asarray(fit.working.columns(fit.design.X)), fit.eta, Z)


def new_random_columns(fit: MixedFit, data: Any, rows: int) -> tuple[FloatArray, ...]:
    """For each grouping (rows, q) columns of new data."""
    return tuple(np.column_stack([part.columns(data, rows) for part in parts]) for parts in fit.layout.parts)


def group_shift(fit: MixedFit, Z: tuple[FloatArray, ...], data: Any) -> FloatArray:
    """(m,) what the conditional modes of the rows' groups add to the linear predictor.

    Raises
    ------
    UnseenLevelError
        If new data have a group that the fit did not see.
    """
    total = np.zeros(len(Z[0]))
    for g, effects in enumerate(fit.effects):
        codes = fit.layout.codes(g) if data is None else fit.layout.parts[g][0].groups(data)
        total += (Z[g] * effects.modes[codes]).sum(axis=1)
    return total


def population_probability(fit: MixedFit, rows: MixedRows) -> tuple[FloatArray, FloatArray]:
    """(m,) probabilities averaged over groups, and (m, p) their derivatives by psi."""
    tau = rows.spread(fit)
    found = integrated(rows.eta, tau)
    by_beta = found.by_eta[:, None] * rows.working
    by_theta = found.by_tau[:, None] * rows.spread_gradient(fit)
    return found.prob, np.column_stack([by_beta, by_theta])


def mixed_prediction(fit: MixedFit, V: FloatArray, rows: MixedRows, effects: str, index: pd.Index) -> Prediction:
    """Probabilities with errors.

    Parameters
    ----------
    fit : MixedFit
    V : (p, p)
        Covariance of psi.
    rows : MixedRows
    effects : {"population", "zero"}
    index : Index

    Raises
    ------
    NotAvailableError
        For ``"subject"``: the error of a mode and that of the coefficients hang together in a way that is not worked out.
    """
    check_choice("effects", effects, EFFECTS)
    if effects == "subject":
        raise NotAvailableError(
            "Errors of probabilities of single groups are not there; predict(effects='subject') has the probabilities, and "
            "random_effects() the effects with their errors."
        )
    if effects == "zero":
        k = len(fit.gamma)
        se = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", rows.working, V[:k, :k], rows.working), 0.0))
        return Prediction(rows.eta, se, index)
    prob, gradient = population_probability(fit, rows)
    se = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", gradient, V, gradient), 0.0))
    linear = np.log(prob) - np.log1p(-prob)
    return Prediction(linear, se / variance(linear), index)


def predicted(fit: MixedFit, rows: MixedRows, effects: str, which: str, data: Any) -> FloatArray:
    """(m,) probabilities, or log odds, or variances of the outcome."""
    check_choice("effects", effects, EFFECTS)
    check_choice("which", which, ("mean", "linear", "var"))
    if effects == "population":
        prob = integrated(rows.eta, rows.spread(fit)).prob
        linear = np.log(prob) - np.log1p(-prob)
    else:
        linear = rows.eta if effects == "zero" else rows.eta + group_shift(fit, rows.Z, data)
    return linear if which == "linear" else (probability if which == "mean" else variance)(linear)
