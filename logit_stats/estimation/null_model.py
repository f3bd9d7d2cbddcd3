"""The null model: what the likelihood is measured against."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.estimation.newton import newton
from logit_stats.likelihoods.binomial import outcome_sums
from logit_stats.likelihoods.null import NullModel as NullModel  # noqa: PLC0414
from logit_stats.likelihoods.of_design import likelihood_of
from logit_stats.likelihoods.working import WorkingColumns


def null_model(design: Design, *, constant_in_span: bool) -> NullModel:
    """Fit the null model of a design."""
    known = likelihood_of(design).null(design, constant_in_span)
    return _fitted(design) if known is None else known


def _fitted(design: Design) -> NullModel:
    """Fit the constants of the equations, where the offset makes them no function of the shares."""
    only = design.intercept_only()
    start = np.zeros(only.parameters.count)
    signs = only.parameters.signs
    of_shares = likelihood_of(only).null(replace(only, offset=None), True) if only.equations > 1 else None
    if of_shares is not None:
        start = signs * np.array(of_shares.intercepts)
    if design.offset is not None and design.equations == 1:
        events, total = outcome_sums(design)
        start[0] = np.log(events) - np.log(total - events) - float(design.offset.values.sum()) / design.rows
    found = newton(only, WorkingColumns.of(only), start, maxiter=200, tol=1e-10)
    constants = tuple((signs * found.gamma).tolist())
    return NullModel("intercept", constants[0], found.moments.loglik, constants if design.equations > 1 else ())


def null_gamma(design: Design, null: NullModel) -> FloatArray:
    """Coefficients of the null model where a constant column can carry it, else zero."""
    gamma = np.zeros(design.coefficients)
    if design.constant is not None:
        value = design.constant_value
        for place, intercept in zip(
            design.coefficients_of((design.constant,)), null.intercepts or (null.intercept,), strict=True
        ):
            gamma[place] = design.parameters.signs[place] * intercept / value
    return gamma
