"""The null model: what the likelihood is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.estimation.likelihood import moments
from logit_stats.estimation.newton import newton
from logit_stats.estimation.working import WorkingColumns


@dataclass(frozen=True, slots=True)
class NullModel:
    """The null model that is nested in the fitted one.

    Attributes
    ----------
    kind : str
        ``"intercept"``: one common probability (and the offset); ``"half"``: probability 1/2 (or the offset alone), the
        null of a model without a constant in the span of its columns.
    intercept : float
        Its intercept (0 for ``"half"``).
    loglik : float
        Its log-likelihood, without binomial coefficients.
    intercepts : tuple of float
        For a response of several categories, the intercept of each equation; ``"half"`` is then the null model of equal
        probabilities.
    """

    kind: Literal["intercept", "half"]
    intercept: float
    loglik: float
    intercepts: tuple[float, ...] = ()


def null_model(design: Design, *, constant_in_span: bool) -> NullModel:
    """Fit the null model of a design."""
    if design.response.categories is not None:
        return _of_categories(design, constant_in_span)
    plain = WorkingColumns()
    if not constant_in_span:
        return NullModel("half", 0.0, moments(design.intercept_only(), np.zeros(1), plain).loglik)
    successes, trials = design.response.successes, design.response.trials
    if design.weight is None:
        total = float(design.rows if trials is None else trials.sum())
        events = float(successes.sum())
    else:
        weight = design.weight.values
        total = float(weight.sum() if trials is None else weight @ trials)
        events = float(weight @ successes)
    logit = float(np.log(events) - np.log(total - events))
    if design.offset is None:
        loglik = events * (np.log(events) - np.log(total)) + (total - events) * (np.log(total - events) - np.log(total))
        return NullModel("intercept", logit, float(loglik))
    start = np.array([logit - float(np.mean(design.offset.values))])
    found = newton(design.intercept_only(), plain, start, maxiter=200, tol=1e-10)
    return NullModel("intercept", float(found.gamma[0]), found.moments.loglik)


def _of_categories(design: Design, constant_in_span: bool) -> NullModel:
    """The shares of the categories, or equal probabilities."""
    assert design.response.categories is not None
    counts = design.response.categories.counts(None if design.weight is None else design.weight.values)
    if not constant_in_span:
        return NullModel("half", 0.0, float(-counts.sum() * np.log(len(counts))), (0.0,) * design.equations)
    logs = np.log(counts)
    loglik = float(counts @ (logs - np.log(counts.sum())))
    return NullModel("intercept", 0.0, loglik, tuple((logs[1:] - logs[0]).tolist()))


def null_gamma(design: Design, null: NullModel) -> FloatArray:
    """Coefficients of the null model where a constant column can carry it, else zero."""
    gamma = np.zeros((design.equations, design.columns))
    if design.constant is not None:
        gamma[:, design.constant] = np.array(null.intercepts or null.intercept) / float(design.X[0, design.constant])
    return gamma.ravel()
