"""Covariances of a fit with absorbed effects: those that dummies would give, from the columns cleared of the groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from logit_stats.errors import NotAvailableError, check_choice
from logit_stats.estimation.absorbed import AbsorbedFit
from logit_stats.inference.cluster import check_settings, read_groups
from logit_stats.inference.covariance import Covariance, covariance
from logit_stats.inference.reference import Reference

ABSORBED_COV_TYPES = ("nonrobust", "opg", "HC0", "HC1", "cluster")


def absorbed_covariance(
    fit: AbsorbedFit, cov_type: str = "nonrobust", use_t: bool | None = None, **settings: Any
) -> Covariance:
    """Covariance of the coefficients.

    Scores are those of the columns cleared of the groups, which are the scores of the coefficients with the effects at their
    best. Small-sample factors count the effects as parameters; "cluster" does not count those of a factor whose groups lie
    within clusters, whose number does not grow relative to that of the clusters (Cameron and Miller 2015, J. Human Resources
    50, section II.D).

    Parameters
    ----------
    fit : AbsorbedFit
    cov_type : {"nonrobust", "opg", "HC0", "HC1", "cluster"}
    use_t : bool, optional
        Student's t with the degrees of freedom that coefficients and effects leave.
    **settings
        For "cluster": `groups` and `use_correction`.
    """
    check_choice("cov_type", cov_type, ABSORBED_COV_TYPES)
    check_settings(cov_type, settings)
    left = float(fit.design.observations - fit.parameters - fit.absorbed_parameters)
    made = _estimated(fit, cov_type, settings)
    return replace(made, student=Reference(left), own_t=False, use_t=use_t, settings=settings)


def _estimated(fit: AbsorbedFit, cov_type: str, settings: dict[str, Any]) -> Covariance:
    if cov_type == "nonrobust":
        return Covariance(cov_type, fit.covariance_working, fit.covariance, fit.standard_errors)
    if settings.get("use_correction") in ("CR2", "CR3"):
        raise NotAvailableError("CR2 and CR3 need the leverages of all effects; use use_correction=True, 'G' or False.")
    plain = fit.plain
    made = covariance(plain, cov_type, **settings)
    n, k = plain.design.observations, plain.parameters
    absorbed = fit.absorbed_parameters
    if cov_type == "cluster" and settings.get("use_correction", True) is True:
        absorbed = _not_nested(fit, settings)
    elif cov_type != "HC1":
        return made
    factor = (n - k) / (n - k - absorbed) if n > k + absorbed else float("nan")
    return replace(
        made,
        working=made.working * factor,
        matrix=made.matrix * factor,
        standard_errors=made.standard_errors * np.sqrt(factor),
        description=f"{made.description or 'robust (sandwich times n / (n - k))'}, k with {absorbed} absorbed effects",
    )


def _not_nested(fit: AbsorbedFit, settings: dict[str, Any]) -> int:
    """Number of absorbed effects less those of factors whose groups lie within clusters of every grouping."""
    effects = fit.effects
    count = fit.absorbed_parameters
    clusters = [g.codes[effects.order] for g in read_groups(fit.design, settings.get("groups"))]
    for codes, levels in zip(effects.grouping.codes, effects.grouping.levels, strict=True):
        if any(_within(codes, cluster) for cluster in clusters):
            count -= levels
    return max(count, 0)


def _within(codes: np.ndarray, cluster: np.ndarray) -> bool:
    """Whether no group is cut apart by clusters."""
    first = np.empty(int(codes.max()) + 1, dtype=cluster.dtype)
    first[codes[::-1]] = cluster[::-1]
    return bool((first[codes] == cluster).all())
