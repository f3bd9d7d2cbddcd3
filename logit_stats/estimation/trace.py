"""`Trace`: what the iterations did, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from logit_stats.design.block import FloatArray


@dataclass(frozen=True, slots=True)
class Step:
    """One evaluation of the likelihood.

    Attributes
    ----------
    loglik : float
        Log-likelihood (without binomial coefficients) at this point; the penalized one for Firth's fits.
    decrement : float
        Newton decrement sqrt(score' information^-1 score): the distance to the maximum in standard errors, as the
        quadratic model sees it. NaN where the information is singular.
    length : float
        Fraction of the full step that led here (1 for a full Newton step, 0 for the start); the learning rate of gradient
        descent.
    """

    loglik: float
    decrement: float
    length: float


@dataclass(frozen=True, slots=True)
class Trace:
    """All evaluations of a fit, the start first (for ``method="sgd"``: the end of every epoch).

    Attributes
    ----------
    steps : tuple of Step
    note : str
        What was out of the ordinary.
    outcomes : float
        Number of outcomes (weights times trials) that the log-likelihood is a sum of.
    penalized : bool
        Whether the log-likelihood is a penalized one (Firth's).
    step_name : str
        What a step is called: an iteration, or an epoch.

    Examples
    --------
    >>> import logit_stats as ls
    >>> trace = ls.logit("y ~ x", ls.datasets.load("ten_points")).fit().trace
    >>> trace.cost.round(4)
    array([0.6109, 0.3871, 0.3552, 0.3506, 0.3505, 0.3505, 0.3505])
    """

    steps: tuple[Step, ...]
    note: str = ""
    outcomes: float = 1.0
    penalized: bool = False
    step_name: str = "iteration"

    @property
    def cost(self) -> FloatArray:
        """Mean negative log-likelihood of an outcome, at every evaluation (log loss, cross-entropy)."""
        return np.array([-step.loglik for step in self.steps]) / self.outcomes

    @property
    def distance(self) -> FloatArray:
        """Distance to the maximum in standard errors, at every evaluation."""
        return np.array([step.decrement for step in self.steps])

    def __str__(self) -> str:
        lines = ["step    log-likelihood         distance (SE)  length"]
        lines += [
            f"{i:>4}  {step.loglik:>20.12g}  {step.decrement:>13.3e}  {step.length:g}"
            for i, step in enumerate(self.steps)
        ]
        return "\n".join([*lines, self.note] if self.note else lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"
