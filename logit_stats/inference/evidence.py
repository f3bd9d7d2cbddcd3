"""The evidence on one term: every test and interval side by side, so that their disagreement cannot hide.

Wald's test trusts a quadratic at the estimate, the score test one at zero, the likelihood ratio neither; robust errors do not
trust the model's variance, cluster errors not its independence. Where all agree, the choice among them does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from logit_stats.design.terms import ModelTerm, find_term
from logit_stats.errors import LogitStatsError, NotAvailableError
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance, covariance
from logit_stats.inference.deviance_analysis import Measures, SmallerModels, score_of_term
from logit_stats.inference.hauck_donner import hauck_donner
from logit_stats.inference.hypotheses import columns_are_zero, denominator, joint_wald
from logit_stats.inference.penalized import PenalizedProfile
from logit_stats.inference.penalized_tests import penalized_intervals, penalized_row
from logit_stats.inference.profile import Profile
from logit_stats.inference.reference import Joint
from logit_stats.inference.separated_wald import separated_columns
from logit_stats.inference.wald import wald_interval
from logit_stats.wording import lines, printed, table

FEW_EVENTS = 10.0


@dataclass(frozen=True, eq=False)
class Evidence:
    """Tests and intervals of one term.

    Attributes
    ----------
    term : str
    tests : DataFrame
        method, statistic (chi-squared, or F where there is df_denom), df, p_value.
    intervals : DataFrame
        For each coefficient and method: estimate, std_error, conf_low, conf_high, and whether the interval leaves zero out.
    alpha : float
    events_per_parameter : float
        Events or non-events, whichever are fewer, over the number of coefficients.
    past_peak : tuple of str
        Columns whose Wald statistic shrinks as the effect grows (Hauck and Donner 1977).
    """

    term: str
    tests: pd.DataFrame
    intervals: pd.DataFrame
    alpha: float
    events_per_parameter: float
    past_peak: tuple[str, ...]

    @property
    def agree(self) -> bool:
        """Whether all tests decide alike at level alpha."""
        below = self.tests["p_value"].dropna() < self.alpha
        return bool(below.all() or not below.any())

    @property
    def verdict(self) -> str:
        """Say in a sentence or two whether the methods agree."""
        p = self.tests["p_value"].dropna()
        below = p[p < self.alpha]
        if self.agree:
            side = "below" if len(below) else "above"
            said = (
                f"All {len(p)} tests agree: every p-value lies {side} {self.alpha:g} ({p.min():.3g} to {p.max():.3g})."
            )
        else:
            others = ", ".join(self.tests.loc[p.index.difference(below.index), "method"])
            those = ", ".join(self.tests.loc[below.index, "method"])
            said = f"The tests disagree at {self.alpha:g}: below are {those}; not {others}."
        if self.past_peak:
            said += f" The Wald statistic of {', '.join(self.past_peak)} is past its peak: trust the likelihood ratio."
        if self.events_per_parameter < FEW_EVENTS:
            said += (
                f" There are only {self.events_per_parameter:.1f} events per coefficient: large-sample tests are rough."
            )
        return said

    @printed
    def __str__(self) -> str:
        tests = table(self.tests, "{:.4g}".format)
        intervals = table(self.intervals, "{:.4g}".format, 2)
        return f"Evidence on {self.term}\n\n{tests}\n\n{intervals}\n\n{lines(self.verdict, '')}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        tables = [t.to_html(index=False, float_format="{:.4g}".format) for t in (self.tests, self.intervals)]
        return f"<p>Evidence on {escape(self.term)}</p>{tables[0]}{tables[1]}<p>{escape(self.verdict)}</p>"


def evidence(
    fit: Fit,
    cov: Covariance,
    measures: Measures,
    name: str,
    alpha: float = 0.05,
    penalized: PenalizedProfile | None = None,
) -> Evidence:
    """Every test and interval of a term.

    Parameters
    ----------
    fit : Fit
    cov : Covariance
        Shown too, where it is neither the model-based one nor HC3 (a cluster covariance, say).
    measures : Measures
        Of the fit.
    name : str
        A term, or a column.
    alpha : float
    penalized : PenalizedProfile, optional
        Of Firth's fit, whose tests and limits then take the place of those of the likelihood.

    Raises
    ------
    DataError
        If there is no such term.
    NotAvailableError
        For penalized fits and under constraints.
    """
    fit.facts.require(
        "The evidence on a term", "finite", "unconstrained", "converged", *(("maximum",) if penalized is None else ())
    )
    term = find_term(fit.design, name)
    covariances = _covariances(fit, cov)
    tests = [_wald_row(fit, label, one, term) for label, one in covariances.items()]
    intervals = [row for label, one in covariances.items() for row in _wald_intervals(fit, label, one, term, alpha)]
    if penalized is not None:
        tests.append(penalized_row(fit, penalized, term))
        intervals += penalized_intervals(fit, penalized, term, alpha)
    elif fit.facts.likelihood:
        tests += _likelihood_rows(fit, cov, measures, term)
        intervals += _profile_intervals(fit, cov, term, alpha)
    frame = pd.DataFrame(intervals)
    frame["excludes_zero"] = (frame["conf_low"] > 0.0) | (frame["conf_high"] < 0.0)
    order = {column: position for position, column in enumerate(fit.design.names)}
    frame = frame.sort_values("coefficient", key=lambda names: names.map(order), kind="stable", ignore_index=True)
    own = tuple(fit.design.names[j] for j in term.columns)
    suspects = {*hauck_donner(fit), *(fit.design.names[j] for j in separated_columns(fit))}
    past = tuple(column for column in own if column in suspects)
    return Evidence(term.name, pd.DataFrame(tests), frame, alpha, _events(fit) / fit.parameters, past)


def _covariances(fit: Fit, cov: Covariance) -> dict[str, Covariance]:
    if not fit.facts.likelihood:
        return {f"Wald, {cov.cov_type}": cov}
    if cov.likelihood_reference.scaled:  # a model-based test would forget the dispersion
        return {f"Wald, {cov.cov_type}": cov, "Wald, HC3": covariance(fit, "HC3", cov.use_t)}
    found = {"Wald": covariance(fit, "nonrobust", cov.use_t), "Wald, HC3": covariance(fit, "HC3", cov.use_t)}
    return found if cov.cov_type in ("nonrobust", "HC3") else {**found, f"Wald, {cov.cov_type}": cov}


def _wald_row(fit: Fit, label: str, cov: Covariance, term: ModelTerm) -> dict[str, object]:
    try:
        found = joint_wald(fit, cov, columns_are_zero(fit.design, term.columns))
    except NotAvailableError:
        found = Joint(float("nan"), len(term.columns), None, float("nan"))
    return _row(label, found)


def _row(label: str, found: Joint) -> dict[str, object]:
    df = {"df": found.df, **denominator(found)}
    return {"method": label, "statistic": found.statistic, **df, "p_value": found.pvalue}


def _likelihood_rows(fit: Fit, cov: Covariance, measures: Measures, term: ModelTerm) -> list[dict[str, object]]:
    models = SmallerModels(fit, measures)
    whole, without = models.without([]), models.without([term])
    df = whole.parameters - without.parameters
    rows = [("likelihood ratio", max(without.fall - whole.fall, 0.0))]
    try:
        rows.append(("score", score_of_term(whole, without, term)))
    except LogitStatsError:
        rows.append(("score", float("nan")))
    reference = cov.likelihood_reference
    return [_row(f"{name}{', quasi' if reference.scaled else ''}", reference.test(value, df)) for name, value in rows]


def _wald_intervals(fit: Fit, label: str, cov: Covariance, term: ModelTerm, alpha: float) -> list[dict[str, object]]:
    limits = wald_interval(fit, cov, alpha)
    return [
        {"coefficient": fit.design.names[j], "method": label, "estimate": fit.beta[j], "std_error": cov.standard_errors[j],
         "conf_low": limits[j, 0], "conf_high": limits[j, 1]}
        for j in term.columns
    ]  # fmt: skip


def _profile_intervals(fit: Fit, cov: Covariance, term: ModelTerm, alpha: float) -> list[dict[str, object]]:
    profile, alpha = Profile(fit), cov.likelihood_reference.plain_alpha(alpha)
    rows: list[dict[str, object]] = []
    for j in term.columns:
        low, high = profile.interval(j, alpha)
        rows.append({"coefficient": fit.design.names[j], "method": "profile likelihood", "estimate": fit.beta[j],
                     "std_error": np.nan, "conf_low": low, "conf_high": high})  # fmt: skip
    return rows


def _events(fit: Fit) -> float:
    """Events or non-events, whichever are fewer."""
    weight = 1.0 if fit.design.frequency is None else fit.design.frequency
    successes = fit.design.response.successes
    trials = np.ones(fit.design.rows) if fit.design.response.trials is None else fit.design.response.trials
    return float(min(np.sum(weight * successes), np.sum(weight * (trials - successes))))
