"""Covariances of a conditional logit: model-based, or robust by sets or clusters of whole sets.

Rows of a set are not independent given its number of cases; the scores that are independent are those of sets. So robust
covariances sum over sets (Lin and Wei 1989 for the same likelihood in survival analysis), and a cluster must hold whole sets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from logit_stats.errors import DataError, NotAvailableError, check_choice, listed_rows
from logit_stats.estimation.fit import Fit
from logit_stats.inference.cluster import Grouping, check_settings, cluster_covariance, read_groups
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.reference import Reference
from logit_stats.inference.row_scores import score_residuals, sums_by_code
from logit_stats.likelihoods.conditional import set_weights, sets_of
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky

SET_COV_TYPES = ("nonrobust", "opg", "HC0", "HC1", "cluster")


def set_covariance(fit: Fit, cov_type: str = "nonrobust", use_t: bool | None = None, **settings: Any) -> Covariance:
    """Covariance of the coefficients of a conditional fit.

    Parameters
    ----------
    fit : Fit
    cov_type : {"nonrobust", "opg", "HC0", "HC1", "cluster"}
        "HC0" sums over sets; "HC1" is that times S / (S - 1), S the number of sets; "cluster" sums over clusters.
    use_t : bool, optional
        Student's t with n - k degrees of freedom.
    **settings
        For "cluster": `groups`, and `use_correction` True (times ``G / (G - 1) (n - 1) / (n - k)``), "G" or False.

    Raises
    ------
    DataError
        If a cluster cuts a set apart.
    """
    check_choice("cov_type", cov_type, SET_COV_TYPES)
    check_settings(cov_type, settings)
    if cov_type == "nonrobust":
        made = Covariance(cov_type, fit.covariance_working, fit.covariance, fit.standard_errors)
    else:
        made = _clustered(fit, settings) if cov_type == "cluster" else _by_set(fit, cov_type)
    student = Reference(float(fit.design.observations - fit.free_parameters))
    return replace(made, student=student, use_t=use_t, settings=settings)


def _by_set(fit: Fit, cov_type: str) -> Covariance:
    sets = sets_of(fit.design)
    assert fit.design.group is not None
    number = np.empty(fit.design.rows, dtype=np.intp)
    number[sets.order] = sets.of_row
    scores = sums_by_code(fit, number, sets.count, score_residuals(fit, weighted=False))
    weight = set_weights(fit.design)
    count = float(sets.count) if weight is None else float(weight.sum())
    meat = (scores if weight is None else scores * weight) @ scores.T
    if cov_type == "opg":
        factor = EquilibratedCholesky(meat)
        if not factor.definite:
            raise NotAvailableError("The outer product of the sets' scores is singular; use another covariance.")
        return _of(fit, cov_type, factor.inverse(), "from the outer product of the scores of sets")
    scale, said = (count / (count - 1.0), ", times S / (S - 1)") if cov_type == "HC1" else (1.0, "")
    V = fit.covariance_working
    return _of(fit, cov_type, V @ meat @ V * scale, f"robust by set: {count:.0f} sets{said}")


def _clustered(fit: Fit, settings: dict[str, Any]) -> Covariance:
    groupings = read_groups(fit.design, settings.get("groups"))
    correction = settings.get("use_correction", True)
    if correction in ("CR2", "CR3"):
        raise NotAvailableError(
            f"{correction} is defined for independent rows; for sets use_correction=True, 'G' or False."
        )
    for grouping in groupings:
        _refuse_cut_sets(fit, grouping)
    made = cluster_covariance(fit, groupings, correction)
    return replace(_of(fit, "cluster", made.working, made.description), notes=made.notes)


def _refuse_cut_sets(fit: Fit, grouping: Grouping) -> None:
    sets = sets_of(fit.design)
    codes = grouping.codes[sets.order]
    cut = codes != np.repeat(codes[sets.starts[:-1]], sets.sizes)
    if cut.any():
        rows = np.asarray(fit.design.index)[sets.order[cut]]
        raise DataError(
            f"{grouping.name!r} cuts sets apart (row {listed_rows(rows, 3)} is in another cluster than the first row of its "
            f"set); a cluster must hold whole sets."
        )


def _of(fit: Fit, cov_type: str, working: np.ndarray, description: str) -> Covariance:
    matrix, errors = fit.working.covariance(working), fit.working.standard_errors(working)
    return Covariance(cov_type, working, matrix, errors, description)
