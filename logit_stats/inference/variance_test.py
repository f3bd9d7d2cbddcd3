"""Likelihood-ratio tests of variances: on the border of what they can be, chi-squared is mixed with fewer degrees of freedom.

Self and Liang (1987), JASA 82, 605-610; Stram and Lee (1994), Biometrics 50, 1171-1177: for one variance, half of the time the
estimate is zero and so is the statistic; for one more effect, correlated with q others, chi-squared with q and with q + 1
degrees of freedom, half each.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from scipy import stats

from logit_stats.design.random_columns import RandomPart
from logit_stats.errors import DataError, UnknownOptionError, listed
from logit_stats.estimation.mixed import MixedFit, layout_of, mixed_fit
from logit_stats.wording import lines, printed


@dataclass(frozen=True, slots=True)
class VarianceTest:
    """A test that random effects are not there.

    Attributes
    ----------
    statistic : float
        Twice the difference of the log-likelihoods.
    weights : tuple of (float, int)
        Shares of chi-squared distributions with these degrees of freedom.
    pvalue : float
    tested : str
        The random terms tested.
    conservative : bool
        Whether the mixture is not known, so that the p-value is an upper bound.
    """

    statistic: float
    weights: tuple[tuple[float, int], ...]
    pvalue: float
    tested: str
    conservative: bool = False

    @printed
    def __str__(self) -> str:
        mixture = " + ".join(f"{share:g} chi2({df})" if share != 1.0 else f"chi2({df})" for share, df in self.weights)
        bound = "; conservative: the true p-value is smaller" if self.conservative else ""
        return lines(
            f"Likelihood-ratio test that there is no {self.tested}: {self.statistic:.4f} against {mixture}, p = "
            f"{self.pvalue:.4g}{bound}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def variance_test(fit: MixedFit, term: str | None = None) -> VarianceTest:
    """Test a random term, or all of them together.

    Parameters
    ----------
    fit : MixedFit
    term : str, optional
        A random term as the formula has it, or its grouping; by default all.

    Raises
    ------
    UnknownOptionError
        If there is no such term.
    """
    fit.facts.require("A test of a variance", "rows", "converged")
    parts = [part for of_grouping in fit.layout.parts for part in of_grouping]
    dropped = parts if term is None else _named(parts, term)
    kept = [part for part in parts if part not in dropped]
    smaller = mixed_fit(fit.design, kept, fit.points).loglik if kept else fit.loglik_independent
    return mixture_test(fit, smaller, kept, " + ".join(str(part.term) for part in dropped))


def mixture_test(fit: MixedFit, smaller: float, kept: list[RandomPart], tested: str) -> VarianceTest:
    """Compare with the log-likelihood of the random parts kept."""
    df = len(fit.theta) - (layout_of(kept).parameters if kept else 0)
    if df < 1:
        raise DataError("Both models have as many parameters of random effects: there is nothing to test.")
    statistic = max(2.0 * (fit.loglik - smaller), 0.0)
    if df == 1:
        weights: tuple[tuple[float, int], ...] = ((0.5, 0), (0.5, 1))
    elif df == _of_one_more(fit, kept):
        weights = ((0.5, df - 1), (0.5, df))
    else:
        weights = ((1.0, df),)
    pvalue = sum(share * (float(stats.chi2.sf(statistic, d)) if d else float(statistic <= 0.0)) for share, d in weights)
    return VarianceTest(statistic, weights, pvalue, tested, len(weights) == 1)


def _of_one_more(fit: MixedFit, kept: list[RandomPart]) -> int:
    """Parameters of one more effect, correlated with those that its group has; 0 where that is not what differs."""
    if not kept or len(layout_of(kept).names) != len(fit.layout.names):
        return 0
    smaller = {name: len(layout_of(kept).columns(g)) for g, name in enumerate(layout_of(kept).names)}
    more = [(len(fit.layout.columns(g)), smaller.get(name, 0)) for g, name in enumerate(fit.layout.names)]
    differing = [(q, before) for q, before in more if q != before]
    return differing[0][0] if len(differing) == 1 and differing[0][0] - differing[0][1] == 1 else 0


def _named(parts: list[RandomPart], term: str) -> list[RandomPart]:
    wanted = term.replace(" ", "").strip("()")
    found = [p for p in parts if wanted in (str(p.term).replace(" ", "").strip("()"), p.term.grouping)]
    if not found:
        raise UnknownOptionError(
            f"term={term!r} is none of the random terms; choose one of {listed([str(p.term) for p in parts], 8)}."
        )
    return found
