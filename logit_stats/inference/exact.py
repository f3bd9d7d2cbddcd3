"""Exact conditional inference: of each coefficient and of several jointly, whatever the size of the sample.

The sums of the other columns over the events are sufficient for their coefficients; given these sums, the distribution of the
sum of a column depends on its own coefficient alone (Cox 1970; Mehta and Patel 1995).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.design import Design
from logit_stats.design.terms import ModelTerm, find_term, model_terms
from logit_stats.errors import DataError, NotAvailableError
from logit_stats.inference.exact_columns import ExactProblem, exact_problem
from logit_stats.inference.exact_draws import drawn_sums
from logit_stats.inference.exact_network import distribution
from logit_stats.inference.exact_tests import ConditionalDistribution
from logit_stats.wording import lines, printed, table

MAX_STATES = 2e7
# Parts of the random draws, of which the spread gives the error of what is computed from all.
BATCHES = 10


@dataclass(frozen=True, eq=False)
class ExactCoefficient:
    """Exact inference of one coefficient.

    Attributes
    ----------
    name : str
        Its column.
    distribution : ConditionalDistribution
        Of the column's sum over the events, given the sums of the others.
    parts : tuple of ConditionalDistribution
        Parts of the random draws; empty where the distribution is exact.
    """

    name: str
    distribution: ConditionalDistribution
    parts: tuple[ConditionalDistribution, ...] = ()

    @property
    def estimate(self) -> float:
        """Conditional maximum-likelihood estimate; where that is infinite the median-unbiased one."""
        mle = self.distribution.conditional_mle
        return mle if np.isfinite(mle) else self.distribution.median_unbiased

    @property
    def median_unbiased(self) -> bool:
        """Whether `estimate` is the median-unbiased one."""
        return not np.isfinite(self.distribution.conditional_mle) and not self.distribution.degenerate

    def error(self, quantity: Callable[[ConditionalDistribution], float]) -> float:
        """Monte Carlo standard error of something computed from the distribution; 0 where that is exact."""
        if not self.parts:
            return 0.0
        values = np.array([quantity(part) for part in self.parts])
        return float(values.std(ddof=1) / np.sqrt(len(values))) if np.isfinite(values).all() else float("nan")


@dataclass(frozen=True, eq=False)
class ExactJointTest:
    """Exact test that several coefficients are all zero.

    Attributes
    ----------
    name : str
        The term, or the columns.
    columns : tuple of str
    distribution : ConditionalDistribution
        Of the columns' sums, given the sums of the others.
    """

    name: str
    columns: tuple[str, ...]
    distribution: ConditionalDistribution


@dataclass(frozen=True, eq=False)
class ExactResults:
    """Exact conditional logistic regression.

    Attributes
    ----------
    response : str
    observations, events : float
    coefficients : tuple of ExactCoefficient
    joint : tuple of ExactJointTest
    strata : int or None
        Number of matched sets whose numbers of events are held too.
    alpha : float
        The limits shown have level ``1 - alpha``.
    """

    response: str
    observations: float
    events: float
    coefficients: tuple[ExactCoefficient, ...]
    joint: tuple[ExactJointTest, ...]
    strata: int | None = None
    alpha: float = 0.05

    def __getitem__(self, name: str) -> ExactCoefficient:
        """Return the coefficient of a column."""
        for coefficient in self.coefficients:
            if coefficient.name == name:
                return coefficient
        raise DataError(f"{name!r} was not asked for; the columns are {', '.join(c.name for c in self.coefficients)}.")

    @property
    def params(self) -> pd.Series:
        """Estimates: conditional maximum likelihood, or median-unbiased where that is infinite."""
        return pd.Series({c.name: c.estimate for c in self.coefficients})

    def conf_int(self, alpha: float | None = None, mid_p: bool = False) -> pd.DataFrame:
        """Exact confidence limits of the coefficients, alpha / 2 in each tail; infinite on one side where nothing bounds them.

        Parameters
        ----------
        alpha : float, optional
        mid_p : bool
            Count the observed value half: shorter intervals, whose level is about, and no longer at least, ``1 - alpha``.
        """
        level = _level(self.alpha if alpha is None else alpha)
        limits = {c.name: c.distribution.limits(level, mid_p) for c in self.coefficients}
        return pd.DataFrame.from_dict(limits, orient="index", columns=[0, 1])

    def pvalues(self, kind: str | None = None, mid_p: bool = False) -> pd.Series:
        """P-values of the coefficients; see `ConditionalDistribution.p_value`."""
        return pd.Series({c.name: c.distribution.p_value(kind, mid_p) for c in self.coefficients})

    def joint_tests(self) -> pd.DataFrame:
        """One row for each term of several columns: its score statistic and p-values."""
        rows = {
            t.name: {"score_statistic": t.distribution.score_statistic, **_p_values(t.distribution)} for t in self.joint
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    def odds_ratios(self, alpha: float | None = None, mid_p: bool = False) -> pd.DataFrame:
        """Odds ratios and their exact limits."""
        limits = np.exp(self.conf_int(alpha, mid_p))
        return pd.DataFrame({"odds_ratio": np.exp(self.params), "conf_low": limits[0], "conf_high": limits[1]})

    @property
    def frame(self) -> pd.DataFrame:
        """One row a coefficient: observed sum, estimate, its kind and error, limits, all p-values."""
        return pd.DataFrame([self._row(c) for c in self.coefficients]).set_index("column")

    def tidy(self, conf_int: bool = True, exponentiate: bool = False, alpha: float | None = None) -> pd.DataFrame:
        """One row a coefficient, as broom's ``tidy``; the p-value is the usual one (`ConditionalDistribution.kinds`)."""
        scale: Callable[[Any], Any] = np.exp if exponentiate else np.asarray
        found = pd.DataFrame({"term": list(self.params.index), "estimate": scale(self.params.to_numpy())})
        found["std_error"] = [c.distribution.conditional_mle_se for c in self.coefficients]
        found["p_value"] = self.pvalues().to_numpy()
        if conf_int:
            found[["conf_low", "conf_high"]] = scale(self.conf_int(alpha).to_numpy())
        return found

    def _row(self, c: ExactCoefficient) -> dict[str, Any]:
        low, high = c.distribution.limits(self.alpha)
        shown = {
            "column": c.name,
            "observed": float(c.distribution.observed[0]),
            "values": len(c.distribution.values),
            "estimate": c.estimate,
            "kind": "MUE" if c.median_unbiased else "CMLE",
            "std_error": c.distribution.conditional_mle_se,
            "conf_low": low,
            "conf_high": high,
        }
        if c.parts:
            shown["monte_carlo_error"] = c.error(lambda d: ExactCoefficient("", d).estimate)
        return {**shown, **_p_values(c.distribution)}

    def summary(self) -> str:
        """Return the table of coefficients, the joint tests and what they mean, as text."""
        return str(self)

    @property
    def notes(self) -> tuple[str, ...]:
        """What stands under the table."""
        draws = next((c.distribution.draws for c in self.coefficients if c.distribution.draws), None)
        by = "score" if draws else "probability"
        found = [f"Limits: {100 * (1 - self.alpha):g}%{'' if draws else ', exact'}; p: by {by} (mid-p beside it)."]
        found += [
            f"{c.name}: only one value of its sum is possible given the others; the data say nothing of this coefficient."
            for c in self.coefficients
            if c.distribution.degenerate
        ]
        if any(c.median_unbiased for c in self.coefficients):
            found.append("MUE: median-unbiased, where the conditional maximum-likelihood estimate (CMLE) is infinite.")
        if draws:
            found.append(f"From {draws} random response vectors; +- is the Monte Carlo standard error of the p-value.")
        return tuple(found)

    def _shown(self) -> pd.DataFrame:
        rows = []
        for c in self.coefficients:
            p, mid = c.distribution.p_value(), c.distribution.p_value(mid_p=True)
            low, high = c.distribution.limits(self.alpha)
            row = {"": c.name, "sum": f"{c.distribution.observed[0]:g}", "coef": c.estimate,
                   "by": "MUE" if c.median_unbiased else "CMLE", "low": low, "high": high,
                   "odds ratio": np.exp(c.estimate), "p": p, "mid-p": mid}  # fmt: skip
            if c.distribution.draws:
                row["+-"] = c.distribution.p_error()
            rows.append(row)
        return pd.DataFrame(rows)

    def _title(self) -> str:
        sets = "" if self.strata is None else f", {self.strata} sets"
        return f"Exact logistic regression of {self.response}: {self.observations:g} outcomes, {self.events:g} events{sets}"

    @printed
    def __str__(self) -> str:
        parts = [lines(self._title()), table(self._shown(), "{:.5g}".format)]
        parts += [
            lines(
                f"{t.name} ({len(t.columns)} coefficients jointly): score statistic {t.distribution.score_statistic:.5g}, p = "
                + ", ".join(f"{t.distribution.p_value(kind):.5g} by {kind}" for kind in t.distribution.kinds)
                + "."
            )
            for t in self.joint
        ]
        return "\n".join([*parts, *map(lines, self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        joint = self.joint_tests().to_html(float_format="{:.5g}".format) if self.joint else ""
        shown = self._shown().to_html(index=False, float_format="{:.5g}".format)
        return f"<p>{escape(self._title())}</p>{shown}{joint}{notes}"


def _p_values(d: ConditionalDistribution) -> dict[str, float]:
    found = {}
    for kind in d.kinds:
        found[f"p_{kind}"] = d.p_value(kind)
        found[f"mid_p_{kind}"] = d.p_value(kind, mid_p=True)
    return found


def _level(alpha: float) -> float:
    if not 0.0 < alpha < 1.0:
        raise DataError(f"alpha={alpha} must lie between 0 and 1.")
    return alpha


def exact(
    design: Design,
    of: str | Sequence[str] | None = None,
    *,
    strata: NDArray[np.intp] | None = None,
    alpha: float = 0.05,
    monte_carlo: int | None = None,
    seed: int | None = None,
    max_states: float = MAX_STATES,
) -> ExactResults:
    """Exact inference of terms of a model.

    Parameters
    ----------
    design : Design
        Of a binary response.
    of : str or list of str, optional
        A term or column, or several, which are then tested jointly too; by default every term but the constant, each by
        itself.
    strata : (n,) int, optional
        Matched set of every row, whose number of events is held.
    alpha : float
    monte_carlo : int, optional
        Number of random response vectors that the distribution is estimated from; by default it is computed.
    seed : int, optional
        Of the random draws; 0 by default.
    max_states : float
        Largest number of states of the computation; what needs more is refused before it starts.

    Raises
    ------
    NotAvailableError
        If the computation would be too large, or the model has what exact inference cannot hold fixed.
    """
    terms = _terms(design, of)
    settings = _Settings(strata, monte_carlo, 0 if seed is None else seed, max_states)
    columns = tuple(dict.fromkeys(j for term in terms for j in term.columns))
    coefficients = tuple(_coefficient(design, j, settings) for j in columns)
    joint = [term for term in terms if len(term.columns) > 1]
    if not (of is None or isinstance(of, str)) and len(terms) > 1:
        joint.append(ModelTerm(" + ".join(term.name for term in terms), columns, frozenset()))
    tests = tuple(
        ExactJointTest(t.name, tuple(design.names[j] for j in t.columns), _distribution(design, t.columns, settings)[0])
        for t in joint
    )
    return ExactResults(
        design.response.name,
        float(design.outcomes),
        float(design.response.successes @ (np.ones(design.rows) if design.frequency is None else design.frequency)),
        coefficients,
        tests,
        None if strata is None else len(np.unique(strata)),
        _level(alpha),
    )


@dataclass(frozen=True, eq=False)
class _Settings:
    strata: NDArray[np.intp] | None
    monte_carlo: int | None
    seed: int
    max_states: float

    def __post_init__(self) -> None:
        if self.monte_carlo is not None and self.monte_carlo < 100:
            raise DataError(f"monte_carlo={self.monte_carlo}: give the number of random draws, at least 100.")


def _terms(design: Design, of: str | Sequence[str] | None) -> list[ModelTerm]:
    if of is None:
        found = [term for term in model_terms(design) if term.factors]
        if not found:
            raise DataError("The model has nothing but a constant; name it (of='Intercept') for its exact limits.")
        return found
    return [find_term(design, name) for name in ([of] if isinstance(of, str) else of)]


def _coefficient(design: Design, column: int, settings: _Settings) -> ExactCoefficient:
    whole, parts = _distribution(design, (column,), settings)
    return ExactCoefficient(design.names[column], whole, parts)


def _distribution(
    design: Design, columns: Sequence[int], settings: _Settings
) -> tuple[ConditionalDistribution, tuple[ConditionalDistribution, ...]]:
    """Distribution of the sums of some columns, and parts of it where it is of random draws."""
    problem = exact_problem(design, columns, settings.strata)
    if settings.monte_carlo is not None:
        return _from_draws(problem, settings)
    if problem.units is None:
        raise NotAvailableError(
            f"The values of {', '.join(design.names[j] for j in columns)} lie on no grid, so that their sums have too many "
            f"values to list; monte_carlo=100000 estimates the distribution from random draws, with its error."
        )
    integers, log_count = distribution(problem.patterns, settings.max_states)
    values = integers * problem.units + problem.origins * problem.events
    return ConditionalDistribution(values, log_count, problem.observed), ()


def _from_draws(
    problem: ExactProblem, settings: _Settings
) -> tuple[ConditionalDistribution, tuple[ConditionalDistribution, ...]]:
    """The same from random response vectors, the observed one among them (Davison and Hinkley 1997, section 4.2)."""
    assert settings.monte_carlo is not None
    rng = np.random.default_rng(settings.seed)
    sums = drawn_sums(problem.patterns, problem.free, settings.monte_carlo, rng, settings.max_states)
    parts = [_counted(part, problem.observed) for part in np.array_split(sums, BATCHES)]
    return _counted(sums, problem.observed), tuple(parts)


def _counted(sums: NDArray[np.float64], observed: NDArray[np.float64]) -> ConditionalDistribution:
    scale = np.maximum(np.abs(sums).max(axis=0), 1e-300)
    rounded = np.round(np.vstack([observed, sums]) / scale, 12)
    _, first, count = np.unique(rounded, axis=0, return_index=True, return_counts=True)
    values = np.vstack([observed, sums])[first]
    return ConditionalDistribution(values, np.log(count.astype(np.float64)), observed, len(sums))
