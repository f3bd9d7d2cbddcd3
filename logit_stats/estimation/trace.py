"""`Trace`: what the iterations did, step by step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One evaluation of the likelihood.

    Attributes
    ----------
    loglik : float
        Log-likelihood (without binomial coefficients) at this point.
    decrement : float
        Newton decrement sqrt(score' information^-1 score): the distance to the maximum in standard errors, as the
        quadratic model sees it. NaN for methods that do not compute it.
    length : float
        Fraction of the full step that led here (1 for a full Newton step, 0 for the start).
    """

    loglik: float
    decrement: float
    length: float


@dataclass(frozen=True, slots=True)
class Trace:
    """All evaluations of a fit, the start first; `note` says what was out of the ordinary."""

    steps: tuple[Step, ...]
    note: str = ""

    def __str__(self) -> str:
        lines = ["step    log-likelihood         distance (SE)  length"]
        lines += [
            f"{i:>4}  {step.loglik:>20.12g}  {step.decrement:>13.3e}  {step.length:g}"
            for i, step in enumerate(self.steps)
        ]
        return "\n".join([*lines, self.note] if self.note else lines)
