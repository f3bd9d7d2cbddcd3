"""Covariances of a fit with random effects: of coefficients and parameters of random effects together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.errors import NotAvailableError, check_choice
from logit_stats.estimation.mixed import MixedFit
from logit_stats.inference.covariance import Covariance

MIXED_COVARIANCES = ("nonrobust", "robust")


@dataclass(frozen=True, eq=False)
class MixedCovariance(Covariance):
    """A covariance of the coefficients, and of everything that was estimated.

    Attributes
    ----------
    whole : (p, p)
        Covariance of the working coefficients and theta.
    """

    whole: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))


def mixed_covariance(fit: MixedFit, kind: str = "nonrobust") -> MixedCovariance:
    """Covariance of a fit: the inverse observed information, or the sandwich of the scores of groups.

    Raises
    ------
    NotAvailableError
        For ``"robust"`` with several groupings, whose groups are not independent.
    """
    check_choice("cov_type", kind, MIXED_COVARIANCES)
    whole, said = fit.covariance_psi, ""
    if kind == "robust":
        fit.facts.require("A robust covariance", "rows")
        if len(fit.layout.names) > 1 or fit.marginal is None:
            raise NotAvailableError(
                "A robust covariance sums over independent groups, and with several groupings there are none; use nonrobust."
            )
        scores, copies = fit.marginal.scores(fit.psi, fit.marginal.at(fit.psi).modes)
        meat = (scores * copies[:, None]).T @ scores
        whole = whole @ meat @ whole
        said = f"robust to a wrong distribution: sandwich of the scores of {len(scores)} groups"
    k = len(fit.gamma)
    working = np.ascontiguousarray(whole[:k, :k])
    matrix, errors = fit.working.covariance(working), fit.working.standard_errors(working)
    return MixedCovariance(kind, working, matrix, errors, said, whole=whole)
