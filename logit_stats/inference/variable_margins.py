"""Marginal effects of variables: all terms in which a variable occurs move together.

For a number, the average over rows of dp/dx, exact where the formula's expressions of x are smooth; where they jump, the
change of the average from one side to the other (a derivative across a jump would depend on its step). For a factor, the
average of p at a level minus the average of p at another (g-computation: Greene 2012, section 17.3.2; Norton, Dowd and
Maciejewski 2019, JAMA 321, 1304-1305; Hernán and Robins 2020, Causal Inference, chapter 13). Averages are weighted by
frequency or sampling weights and by trials; standard errors by the delta method under any covariance, or from bootstrap
draws of the coefficients.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.counterfactual import check_level
from logit_stats.design.estimable import reason
from logit_stats.design.variables import Variable, find_variable, names_given, used_column, variables
from logit_stats.errors import DataError, NotAvailableError, UnknownOptionError, check_alpha, check_choice, listed
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.streamed import StreamedFit
from logit_stats.inference.averages import Average, Averages
from logit_stats.inference.comparisons import COMPARISONS, compared, shown
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.effect_weights import means_of_numbers, scenarios, weight_groups
from logit_stats.inference.margins_table import Margins
from logit_stats.inference.streamed_effects import effects_of

METHODS = ("dydx", "eyex", "dyex", "eydx")
CHANGES = ("reference", "pairwise", "sequential")
ERRORS = ("delta", "bootstrap")
_SLOPES = {"dydx": "dy/d{}", "eyex": "d(lny)/d(ln{})", "dyex": "dy/d(ln{})", "eydx": "d(lny)/d{}"}


def variable_margins(
    fit: Fit,
    cov: Covariance,
    names: str | Sequence[str] | None = None,
    at: Mapping[str, Any] | str | None = None,
    over: str | Sequence[str] | None = None,
    method: str = "dydx",
    *,
    comparison: str = "difference",
    changes: str | Sequence[Any] = "reference",
    dummy: bool = False,
    subset: Any = None,
    weights: Any = None,
    errors: str = "delta",
    alpha: float = 0.05,
) -> Margins:
    """Effects of variables.

    Parameters
    ----------
    fit : Fit
        Of a formula.
    cov : Covariance
    names : str or sequence of str, optional
        Variables; by default all.
    at : mapping or "mean", optional
        Variables set to a value ("mean" and "median" for those of a number), or to each of several values in turn; for a
        number also its own values, at which its effect is wanted. ``"mean"``: at the mean of the rows, numbers at their means
        and factors' columns at their shares.
    over : str or sequence of str, optional
        Columns of the data: effects for each combination of their values.
    method : {"dydx", "eyex", "dyex", "eydx"}
        Derivative, elasticity, or one of the semi-elasticities, for numbers.
    comparison : {"difference", "ratio", "odds_ratio", "nnt", "af"}
        How the average probabilities of two levels are compared; "nnt" is the number needed to treat, "af" the fraction of
        the average attributable to not being at the reference level.
    changes : {"reference", "pairwise", "sequential"} or sequence
        Levels against the first, every pair, or each against the one before; or values: the change from the first to each
        other, of numbers too.
    dummy : bool
        Whether numbers with two values (0 and 1, say) change from one to the other instead of being differentiated.
    subset : (rows used,) bool array_like, Series or column name, optional
        Rows to average over: the exposed for the effect in the treated. A Series is taken by its labels.
    weights : (rows used,) array_like, Series or column name, optional
        Weights of the average, in the place of the fit's own.
    errors : {"delta", "bootstrap"}
        Standard errors and limits by the delta method, or from the draws of ``with_cov("bootstrap")`` (percentiles).
    alpha : float
        The limits have level ``1 - alpha``.

    Raises
    ------
    MissingColumnError
        If a name is no variable of the model.
    NotAvailableError
        For array fits.
    """
    streamed = effects_of(fit, at, over, subset, weights) if isinstance(fit, StreamedFit) else None
    fit = fit if streamed is None else streamed.shown
    asked = _Asked(fit, method, comparison, changes, dummy, at, over)
    check_choice("errors", errors, ERRORS)
    check_alpha(alpha)
    if isinstance(at, str) and at != "mean":
        raise UnknownOptionError(
            f"at={at!r} is unknown; give 'mean', or variables with their values: at={{'age': 40}}."
        )
    known = variables(fit.design)
    wanted = list(known) if names is None else names_given(names, known)
    chosen = [find_variable(fit.design, name) for name in wanted]
    if not chosen:
        raise DataError("The model has no variable; there is no effect to show.")
    effects = [effect for variable in chosen for effect in asked.effects(variable, len(chosen) == 1)]
    groups = weight_groups(fit.design, over, subset, weights) if streamed is None else streamed.groups
    averages = Averages(fit, at_mean=at == "mean") if streamed is None else streamed.averages
    if streamed is not None:
        # asked a first time to learn what is wanted: one pass then answers everything
        asked.estimates(averages, effects, groups)
        streamed.averages.answer()
    rows, estimates, gradients = asked.estimates(averages, effects, groups)
    if not rows:
        raise DataError(_nothing_to_show(asked, chosen))
    G = np.array(gradients)
    draws = _draws(asked, cov, averages, effects, groups) if errors == "bootstrap" else None
    notes = (*_notes(chosen), *((reason(fit.design),) if np.isnan(estimates).any() else ()))
    return _table(asked, cov, rows, np.array(estimates), G, draws, alpha, notes)


@dataclass(frozen=True, eq=False)
class Effect:
    """A derivative by a number (`ends` None), or a change between two values; `only` of some expressions."""

    variable: Variable
    label: str
    ends: tuple[Any, Any] | None = None
    only: tuple[str, ...] | None = None


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is asked of every variable."""

    fit: Fit
    method: str
    comparison: str
    changes: str | Sequence[Any]
    dummy: bool
    at: Mapping[str, Any] | str | None
    over: str | Sequence[str] | None

    def __post_init__(self) -> None:
        check_choice("method", self.method, METHODS)
        check_choice("comparison", self.comparison, COMPARISONS)
        if isinstance(self.changes, str):
            check_choice("changes", self.changes, CHANGES)
        elif len(self.changes) < 2:
            raise DataError("changes= needs two values or more, or one of 'reference', 'pairwise', 'sequential'.")

    @property
    def _of_changes(self) -> bool:
        """Whether only changes are wanted: two values of a number are two levels then."""
        return self.dummy or self.comparison != "difference"

    def effects(self, variable: Variable, alone: bool) -> Iterator[Effect]:
        """Effects of one variable; what has none is left out, unless it is the only one asked for."""
        if not isinstance(self.changes, str):
            for value in self.changes:
                check_level(self.fit.design, variable.name, value)
            yield from self._changes(variable, tuple(self.changes), tuple(f"{v}" for v in self.changes), "reference")
            return
        if variable.tangled and not variable.slopes:
            if alone:
                raise NotAvailableError(_tangled(variable))
            return
        sloping = variable.slopes or variable.numeric_step
        if sloping and not (variable.two_valued and self._of_changes) and self.comparison == "difference":
            x = variable.numeric_step or "x"
            x = x if x == "x" else f"({x})"
            yield Effect(variable, _SLOPES[self.method].format(x))
        steps = variable.steps and variable.levels
        if self.method != "dydx" and variable.kind == "number":
            return
        if steps or (variable.two_valued and self._of_changes):
            yield from self._changes(variable, variable.levels, variable.labels, self.changes)

    def _changes(
        self, variable: Variable, values: tuple[Any, ...], labels: tuple[str, ...], changes: str
    ) -> Iterator[Effect]:
        held = variable.kind == "number" and bool(variable.steps) and isinstance(self.changes, str)
        only = variable.steps if held else None
        # labels of an expression that might be taken for values of the variable say whose they are
        ours = self._own_values(variable) if isinstance(self.changes, str) and not variable.own_levels else set()
        of = f" of {', '.join(variable.steps)}" if held or not ours.isdisjoint(labels) else ""
        if self.comparison == "af":
            yield Effect(variable, f"all at {labels[0]}{of}", (values[0], None), only)
            return
        n = len(values)
        pairs = {
            "reference": [(0, j) for j in range(1, n)],
            "pairwise": list(combinations(range(n), 2)),
            "sequential": [(j - 1, j) for j in range(1, n)],
        }[changes]
        for low, high in pairs:
            yield Effect(variable, f"{labels[high]} against {labels[low]}{of}", (values[low], values[high]), only)

    def _own_values(self, variable: Variable) -> set[str]:
        return {
            f"{v:g}" if isinstance(v, float) else str(v) for v in used_column(self.fit.design, variable.name).unique()
        }

    def estimates(
        self, averages: Averages, effects: list[Effect], groups: list[tuple[dict[str, Any], FloatArray]]
    ) -> tuple[list[dict[str, Any]], list[float], list[FloatArray]]:
        """Rows of the table, estimates on the scale of the test, and their gradients."""
        rows, values, gradients = [], [], []
        design = self.fit.design
        outcomes = outcome_labels(self.fit)
        mapping = None if isinstance(self.at, str) else self.at
        for scenario, (group, weight), effect in product(scenarios(design, mapping), groups, effects):
            if effect.ends is not None and effect.variable.name in scenario and effect.only is None:
                continue
            place = {f"at {name}": value for name, value in scenario.items()}
            setting = {**means_of_numbers(design, weight), **scenario} if averages.at_mean else scenario
            found = self._estimate(averages, effect, setting, weight)
            for c, outcome in enumerate(outcomes):
                rows.append({"variable": effect.variable.name, "contrast": effect.label, **place, **group, **outcome})
                values.append(float(found.value[c]))
                gradients.append(found.gradient[c])
        return rows, values, gradients

    def _estimate(self, averages: Averages, effect: Effect, setting: dict[str, Any], weight: FloatArray) -> Average:
        name = effect.variable.name
        if effect.ends is None:
            return averages.derivatives(weight, setting, effect.variable, self.method)
        low, high = effect.ends
        before = averages.probabilities(weight, setting, {name: low}, effect.only)
        after = averages.probabilities(weight, setting, {} if high is None else {name: high}, effect.only)
        return compared(before, after, "ratio" if "ey" in self.method else self.comparison)


def outcome_labels(fit: Fit) -> list[dict[str, Any]]:
    """What is said of each outcome: nothing of the event of a binary response, else the category."""
    return [{"category": label} for label in fit.design.response.labels] or [{}]


def _nothing_to_show(asked: _Asked, chosen: list[Variable]) -> str:
    names = listed([v.name for v in chosen])
    if asked.comparison != "difference":
        return (
            f"comparison={asked.comparison!r} compares levels, and {names} has none; give values to compare: "
            f"changes=[20, 40]."
        )
    return f"at= sets {names} itself, and a change of level has no value to be taken at; leave it out of at=."


def _tangled(variable: Variable) -> str:
    return (
        f"{variable.name!r} stands in {listed(list(variable.tangled))}, which jumps at places that depend on other variables: "
        f"it has no levels, and no derivative where it jumps. Give values to compare: changes=[20, 40]."
    )


def _notes(chosen: list[Variable]) -> Iterator[str]:
    for variable in chosen:
        if variable.numeric_step is not None:
            yield (
                f"{variable.name} enters by {variable.numeric_step}, which jumps: its effect is that of one unit of this step."
            )
        elif variable.steps and not variable.own_levels:
            also = ", held as observed by its other terms" if variable.slopes else ""
            yield f"{variable.name} jumps in {listed(list(variable.steps))}: changes from step to step{also}, no derivative."
        for name, places in (variable.jumps or {}).items():
            where = listed([f"{place:g}" for place in places], 3)
            yield (
                f"{name} jumps at {variable.name} = {where}: its derivative is that between the jumps; for the whole change give "
                f"two values, changes=[...]."
            )
        if variable.tangled:
            yield _tangled(variable)


def _draws(asked: _Asked, cov: Covariance, averages: Averages, effects: list[Effect], groups: list[Any]) -> FloatArray:
    """(draws, m) estimates at the coefficients of every resample."""
    if cov.bootstrap is None:
        raise NotAvailableError(
            "errors='bootstrap' needs draws of the coefficients: res.with_cov('bootstrap', reps=999, seed=1).margins(...)."
        )
    found = []
    for beta in cov.bootstrap.draws:
        fit = replace(asked.fit, gamma=asked.fit.working.gamma(beta))
        found.append(asked.estimates(averages.with_parameters(fit), effects, groups)[1])
    return np.array(found)


def _table(
    asked: _Asked,
    cov: Covariance,
    rows: list[dict[str, Any]],
    estimates: FloatArray,
    G: FloatArray,
    draws: FloatArray | None,
    alpha: float,
    notes: tuple[str, ...],
) -> Margins:
    covariance = G @ cov.working @ G.T if draws is None else np.atleast_2d(np.cov(draws, rowvar=False))
    frame = pd.DataFrame(rows)
    se = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    reference = cov.reference.along(np.nan_to_num(G))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = estimates / se
    limits = reference.limits(estimates, se, alpha)
    if draws is not None:
        limits = np.quantile(draws, [alpha / 2.0, 1.0 - alpha / 2.0], axis=0).T
    # elasticities of factors are ratios' logarithms and stay so; only comparisons asked for are shown as such
    value, error, low, high = shown(estimates, se, limits[:, 0], limits[:, 1], asked.comparison)
    if asked.comparison == "nnt" and bool(((limits[:, 0] < 0.0) & (limits[:, 1] > 0.0)).any()):
        notes = (*notes, "Where the limits have two signs, the interval goes from the negative one through infinity to the "
                         "positive one: no effect lies inside.")  # fmt: skip
    frame = frame.assign(
        estimate=value, std_error=error, **{reference.letter: z}, p_value=np.atleast_1d(reference.p_value(z)),
        conf_low=low, conf_high=high,
    )  # fmt: skip
    return Margins(
        frame, covariance, asked.method, asked.comparison, alpha, cov.cov_type, notes, estimates, G, cov.reference
    )
