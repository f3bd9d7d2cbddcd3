"""`Facts`: what is true of a fit, asked by name; and the one place that says no."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from logit_stats.errors import NotAvailableError

# What is missing, why, and what can be had instead, where a model gives no words of its own.
_WORDS = {
    "likelihood": "needs a likelihood, which this fit does not have; use Wald tests and intervals, which it has",
    "maximum": "needs the maximum of the likelihood; this estimate is moved away from it on purpose (it is penalized, or its "
    "bias is reduced). Ask the maximum-likelihood fit, fit(), or this fit's own p-values and intervals",
    "finite": "needs finite coefficients; this is a limiting fit. Ask fit_firth() for finite ones",
    "wald": "needs standard errors, which this estimate does not have. Bootstrap it, or fit the columns it keeps with refit()",
    "binary": "is for responses of two categories; this one has several. Compare two of them, or one with all others, by logit()",
    "latent": "is for responses that one linear predictor describes; this one has a predictor for each category. Compare two "
    "of them, or one with all others, by logit()",
    "rows": "needs the rows, and they were taken out by remove_data(): ask the result that still has its data, or fit again",
    "converged": "needs the maximum of the likelihood; this fit has not converged. Fit again with more iterations, or with "
    "method='newton'",
    "unconstrained": "would fit without the constraints of this model; fit it as a model of its own (combine the columns, put "
    "what is fixed into offset=)",
    "undispersed": "has no dispersion in its distribution; use F tests and Wald intervals, which divide by it",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of a fit. Every answer asks these by name; none looks at a class, a method's name or a kind of weights.

    Attributes
    ----------
    likelihood : bool
        There is a likelihood. No: sampling weights, estimating equations.
    maximum : bool
        The estimate is where the likelihood is largest. No: Firth's and its relatives, penalties.
    finite : bool
        The coefficients are finite. No: the limit under separation.
    wald : bool
        There are standard errors. No: after a lasso.
    binary : bool
        The response has one probability. No: several categories.
    latent : bool
        One linear predictor says how rows differ, whatever the number of categories. No: one for each category.
    rows : bool
        The rows are there. No: after ``remove_data()``.
    converged : bool
        The iterations met their tolerance.
    constrained : bool
        Coefficients satisfy constraints (asked for as ``"unconstrained"``).
    dispersion : float
        Other than one, likelihood ratios are divided by it and become F (``"undispersed"`` asks for one).
    words : tuple of (str, str)
        For a fact that does not hold, what `require` says after the name of what was asked, if not the usual.

    Examples
    --------
    >>> Facts(maximum=False).lacks("likelihood", "maximum")
    'maximum'
    >>> Facts(rows=False).but({"rows": "needs the rows"}).require("A plot", "rows")
    Traceback (most recent call last):
    logit_stats.errors.NotAvailableError: A plot needs the rows.
    """

    likelihood: bool = True
    maximum: bool = True
    finite: bool = True
    wald: bool = True
    binary: bool = True
    latent: bool = True
    rows: bool = True
    converged: bool = True
    constrained: bool = False
    dispersion: float = 1.0
    words: tuple[tuple[str, str], ...] = ()

    @property
    def unconstrained(self) -> bool:
        """Whether coefficients are free."""
        return not self.constrained

    @property
    def undispersed(self) -> bool:
        """Whether the dispersion is one."""
        return self.dispersion == 1.0

    def lacks(self, *needs: str) -> str | None:
        """Return the first of these facts that does not hold; None where all do."""
        return next((need for need in needs if not getattr(self, need)), None)

    def require(self, what: str, *needs: str) -> None:
        """Raise `NotAvailableError` unless all these facts hold, saying what is missing, why, and what can be had.

        Parameters
        ----------
        what : str
            What was asked for, as the subject of a sentence: ``"The score test"``.
        *needs : str
            Names of facts.
        """
        missing = self.lacks(*needs)
        if missing is not None:
            raise NotAvailableError(f"{what} {dict(self.words).get(missing, _WORDS[missing])}.")

    def but(self, words: dict[str, str] | None = None, **changes: bool | float) -> Self:
        """Return these facts with some of them changed, and the words for what does not hold."""
        said = {**dict(self.words), **(words or {})}
        return replace(self, words=tuple(said.items()), **changes)  # type: ignore[arg-type]
