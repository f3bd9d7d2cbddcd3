"""`NullModel`: what the likelihood is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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
