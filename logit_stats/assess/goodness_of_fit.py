"""Tests of fit: what each asks, side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

import numpy as np
import pandas as pd
from scipy import stats

from logit_stats.assess.hosmer_lemeshow import hosmer_lemeshow
from logit_stats.assess.scored import Scored
from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.patterns import pattern_codes
from logit_stats.errors import LogitStatsError, NotAvailableError, RankDeficientError, SeparationError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.likelihoods.deviance import deviance_terms, pearson_residual
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.likelihoods.rows import probability, variance
from logit_stats.wording import WIDTH, lines, printed

# Mean outcomes a covariate pattern from which chi-squared over patterns is worth its p-value.
FULL_PATTERNS = 5.0
SATURATED = (
    "The model is saturated: it has as many coefficients as there are covariate patterns, and reproduces the share of events in "
    "each. There is nothing to test."
)


@dataclass(frozen=True, slots=True)
class FitTest:
    """One test of fit.

    Attributes
    ----------
    name : str
    statistic, pvalue : float
    df : float
        Degrees of freedom of chi-squared; NaN where the statistic is a normal deviate.
    asks : str
        What a small p-value means, in words.
    """

    name: str
    statistic: float
    df: float
    pvalue: float
    asks: str

    @printed
    def __str__(self) -> str:
        what = "z" if np.isnan(self.df) else f"chi2({self.df:g})"
        return lines(f"{self.name}: {what} = {self.statistic:.4f}, p = {self.pvalue:.4g}. {self.asks}")


@dataclass(frozen=True, eq=False)
class GoodnessOfFit:
    """All tests of fit that are defined for the data.

    Attributes
    ----------
    tests : tuple of FitTest
    notes : tuple of str
        Tests left out, and why.
    """

    tests: tuple[FitTest, ...]
    notes: tuple[str, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a test."""
        rows = [(t.name, t.statistic, t.df, t.pvalue, t.asks) for t in self.tests]
        return pd.DataFrame(rows, columns=["test", "statistic", "df", "p_value", "a small p-value says"]).set_index(
            "test"
        )

    @printed
    def __str__(self) -> str:
        if not self.tests:
            return "\n".join(["Goodness of fit", *map(lines, self.notes)])
        numbers = self.frame.rename_axis(None)
        table = numbers.iloc[:, :-1].to_string(line_width=WIDTH, float_format="{:.4g}".format, na_rep="")
        says = [lines(f"  {name}: {text}", "    ") for name, text in numbers.iloc[:, -1].items()]
        return "\n".join(["Goodness of fit", table, "A small p-value says:", *says, *map(lines, self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{self.frame.to_html(float_format='{:.4g}'.format, na_rep='') if self.tests else ''}{notes}"


def goodness_of_fit(fit: Fit) -> GoodnessOfFit:
    """Every test of fit that is defined for the data.

    Raises
    ------
    NotAvailableError
        Under sampling weights, for which these tests are not defined.
    """
    fit.design.require_rows()
    if fit.design.weight_kind == "sampling":
        raise NotAvailableError(
            "Tests of fit are not defined under sampling weights, which make outcomes stand for unequal numbers."
        )
    fit.facts.require("A test of fit", "converged")
    patterns = covariate_patterns(fit)
    if len(patterns.trials) <= fit.free_parameters:
        return GoodnessOfFit((), (SATURATED,))
    found: list[FitTest] = []
    notes: list[str] = []
    for name, tests in (
        ("Hosmer-Lemeshow", _grouped),
        ("le Cessie-van Houwelingen", lambda f: [unweighted_sum_of_squares(f)]),
        ("covariate patterns", lambda f: pattern_tests(f, patterns)),
        ("Osius-Rojek", lambda f: [osius_rojek_test(f, patterns)]),
        ("link test", lambda f: [link_test(f).test]),
        ("Stukel", lambda f: [stukel_test(f)]),
    ):
        try:
            found += tests(fit)
        except LogitStatsError as error:
            notes.append(f"{name} left out: {error}")
    return GoodnessOfFit(tuple(found), tuple(notes))


def _grouped(fit: Fit) -> list[FitTest]:
    found = hosmer_lemeshow(Scored.of_fit(fit))
    asks = "observed and expected events differ over groups of p"
    return [FitTest(f"Hosmer-Lemeshow, {len(found.table)} groups", found.statistic, found.df, found.pvalue, asks)]


def unweighted_sum_of_squares(fit: Fit) -> FitTest:
    """Le Cessie and van Houwelingen's test in the form of Hosmer, Hosmer, le Cessie and Lemeshow (1997).

    Statistics in Medicine 16, 965-980: the sum of squared residuals against its expectation, whose variance is the weighted
    residual sum of squares of the regression of 1 - 2p on the columns.
    """
    _refuse_other_estimates(fit)
    scored = Scored.of_fit(fit)
    p, w = scored.prob, scored.outcomes * variance(scored.eta)
    sse = float(scored.events @ (1.0 - p) ** 2 + scored.nonevents @ p**2)
    left = _residual_square(fit, 1.0 - 2.0 * p, w)
    if left <= 1e-10 * float(w.sum()):
        raise NotAvailableError("The columns determine every probability, so squared residuals cannot vary.")
    sd = np.sqrt(left)
    z = (sse - float(w.sum())) / sd
    asks = "squared residuals are larger (or smaller) than the probabilities allow"
    return FitTest("le Cessie-van Houwelingen", float(z), float("nan"), float(2.0 * stats.norm.sf(abs(z))), asks)


def _residual_square(fit: Fit, target: FloatArray, weight: FloatArray) -> float:
    """Weighted residual sum of squares of a regression of `target` on the working columns."""
    k = fit.parameters
    gram, cross, start = np.zeros((k, k)), np.zeros(k), 0
    for block in fit.design.blocks(TALL_ROWS):
        rows = slice(start, start + len(block.successes))
        Z = fit.working.columns(block.X)
        gram += Z.T @ (Z * weight[rows, None])
        cross += Z.T @ (weight[rows] * target[rows])
        start = rows.stop
    coefficients = EquilibratedCholesky(gram).solve(cross)
    return float(weight @ target**2 - cross @ coefficients)


@dataclass(frozen=True, eq=False)
class Patterns:
    """Rows of equal columns (and offset) put together: (J,) trials, events, log odds, and one row of each."""

    trials: FloatArray
    events: FloatArray
    eta: FloatArray
    first: FloatArray


def covariate_patterns(fit: Fit) -> Patterns:
    """Covariate patterns of a fit."""
    patterns, scored = pattern_codes(fit.design), Scored.of_fit(fit)
    trials, events = patterns.sums(scored.outcomes), patterns.sums(scored.events)
    return Patterns(trials, events, scored.eta[patterns.first], np.asarray(fit.design.X[patterns.first]))


def pattern_tests(fit: Fit, patterns: Patterns) -> list[FitTest]:
    """Pearson's chi-squared and the deviance over covariate patterns, which hold where every pattern has many outcomes."""
    m, y = patterns.trials, patterns.events
    chi2, df = float(np.sum(pearson_residual(patterns.eta, y, m) ** 2)), len(m) - fit.free_parameters
    deviance = float(deviance_terms(patterns.eta, y, m).sum())
    if df <= 0:
        raise NotAvailableError(SATURATED)
    sparse = "patterns differ from the model"
    if float(m.max()) <= 1.0:
        sparse += " (one outcome a pattern: p says nothing)"
    elif float(m.mean()) < FULL_PATTERNS:
        sparse += " (few outcomes a pattern: do not trust p)"
    of_chi2 = [("Pearson", chi2), ("deviance", deviance)]
    return [FitTest(f"{name}, covariate patterns", s, df, float(stats.chi2.sf(s, df)), sparse) for name, s in of_chi2]


def osius_rojek_test(fit: Fit, patterns: Patterns) -> FitTest:
    """Osius and Rojek's normal form of Pearson's chi-squared over covariate patterns, which holds where they have few outcomes.

    Osius and Rojek (1992, JASA 87, 1145-1152), in the form of Hosmer and Lemeshow (2000, Applied Logistic Regression, section
    5.2.2).
    """
    _refuse_other_estimates(fit)
    m, y = patterns.trials, patterns.events
    v = m * variance(patterns.eta)
    p = probability(patterns.eta)
    chi2, df = float(np.sum(pearson_residual(patterns.eta, y, m) ** 2)), len(m) - fit.free_parameters
    if df <= 0:
        raise NotAvailableError(SATURATED)
    if not v.all():
        raise NotAvailableError(
            "A probability is 0 or 1 in double precision, and chi-squared has no finite variance there."
        )
    Z = fit.working.columns(patterns.first)
    target = (1.0 - 2.0 * p) / v
    coefficients = EquilibratedCholesky(Z.T @ (Z * v[:, None])).solve(Z.T @ (v * target))
    rss = float(v @ (target - Z @ coefficients) ** 2)
    spread = 2.0 * (len(m) - float(np.sum(1.0 / m))) + rss
    if spread <= 1e-10 * max(float(v @ target**2), 1e-300):
        raise NotAvailableError("The columns determine every probability, so chi-squared cannot vary.")
    z = (chi2 - df) / np.sqrt(spread)
    asks = "patterns differ from the model; few outcomes will do"
    return FitTest("Osius-Rojek", float(z), float("nan"), float(2.0 * stats.norm.sf(abs(z))), asks)


def _refuse_other_estimates(fit: Fit) -> None:
    """Refuse estimates that do not solve the likelihood equations of all columns, which the variance of a test supposes."""
    fit.facts.require("The test", "maximum", "finite", "unconstrained")


@dataclass(frozen=True, eq=False)
class LinkTest:
    """Pregibon's link test: the square of the linear predictor should add nothing.

    Attributes
    ----------
    fit_ : Fit
        Of a constant, the linear predictor and its square.
    """

    fit_: Fit

    @property
    def coef(self) -> FloatArray:
        """(3,) coefficients of the constant, the linear predictor and its square."""
        return self.fit_.beta

    @property
    def std_error(self) -> FloatArray:
        """(3,) their standard errors."""
        return self.fit_.standard_errors

    @property
    def statistic(self) -> float:
        """Z of the square."""
        return float(self.coef[2] / self.std_error[2])

    @property
    def pvalue(self) -> float:
        """Two-sided p-value of the square."""
        return float(2.0 * stats.norm.sf(abs(self.statistic)))

    @property
    def test(self) -> FitTest:
        """Return the test as a line of a table."""
        asks = "the link is wrong, or a variable (or its square) is missing"
        return FitTest("link test (eta²)", self.statistic, float("nan"), self.pvalue, asks)

    @printed
    def __str__(self) -> str:
        return lines(
            f"Link test: coefficient of eta {self.coef[1]:.4f}, of eta² {self.coef[2]:.4f} (SE {self.std_error[2]:.4f}), "
            f"z = {self.statistic:.4f}, p = {self.pvalue:.4g}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def link_test(fit: Fit) -> LinkTest:
    """Pregibon's link test (1980, Applied Statistics 29, 15-24): refit on the linear predictor and its square."""
    eta = fit.eta
    if _constant(eta):
        raise NotAvailableError("The linear predictor is the same in every row; there is no link to test.")
    columns = np.column_stack([np.ones(len(eta)), eta, eta**2])
    return LinkTest(_refitted(_of_columns(fit.design, columns), "the square of the linear predictor"))


def stukel_test(fit: Fit) -> FitTest:
    """Stukel's test (1988, JASA 83, 426-431): two columns that bend the tails, by likelihood ratio."""
    _refuse_other_estimates(fit)
    eta = fit.eta
    if _constant(eta):
        raise NotAvailableError("The linear predictor is the same in every row; there is no link to test.")
    tails = np.column_stack([0.5 * eta**2 * (eta >= 0.0), -0.5 * eta**2 * (eta < 0.0)])
    tails = tails[:, np.ptp(tails, axis=0) > 0.0]
    design = _of_columns(fit.design, np.column_stack([np.asarray(fit.design.X), tails]))
    larger = _refitted(
        replace(design, offset=fit.design.offset, constant=fit.design.constant), "the columns of the test"
    )
    statistic, df = max(larger.twice_above(fit), 0.0), tails.shape[1]
    asks = "near 0 and 1 probabilities bend otherwise than a logit's"
    return FitTest("Stukel", statistic, df, float(stats.chi2.sf(statistic, df)), asks)


def _constant(eta: FloatArray) -> bool:
    return bool(np.ptp(eta) < 1e-8 * max(1.0, float(np.abs(eta).max())))


def _refitted(design: Design, added: str) -> Fit:
    """Fit with columns added that a test needs; what goes wrong is said in the terms of the test."""
    try:
        return maximum_likelihood(design)
    except RankDeficientError:
        raise NotAvailableError(
            f"The model determines {added} already (its probabilities have so few values)."
        ) from None
    except SeparationError:
        raise NotAvailableError(f"With {added} there is no finite estimate (separation).") from None


def _of_columns(design: Design, X: FloatArray) -> Design:
    names = tuple(f"column {j + 1}" for j in range(X.shape[1]))
    return replace(design, X=X, names=names, offset=None, constant=0, formula=None, left_out=())
