"""Is the effect of a number linear on the log odds? Tests of what would bend it.

For each number x that enters the model as it is, two larger models are fitted to the same rows:

- Box and Tidwell (1962, Technometrics 4, 531-550): x log x is added, the first-order effect of a power of x other than one.
  It is defined for positive x alone; a number with zeros or negative values is not shifted, since the answer would depend on
  the shift.
- A restricted cubic spline (Harrell 2015, Regression Modeling Strategies, section 2.4.5): knots - 2 columns are added that are
  cubic between knots and linear beyond the outer ones.

Each is tested by the likelihood ratio; where the result has a covariance of its own (robust, clustered, of a survey), by a
Wald test of the added columns under that covariance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.counterfactual import used_column, variables
from logit_stats.design.design import Design
from logit_stats.design.terms import model_terms, with_columns_added
from logit_stats.errors import DataError, LogitStatsError, NotAvailableError, SeparationError, listed, whole_number
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.inference.covariance import Covariance, covariance
from logit_stats.inference.hypotheses import columns_are_zero, denominator, joint_wald
from logit_stats.inference.reference import Joint
from logit_stats.wording import WIDTH, lines, printed

FEWEST_KNOTS, MOST_KNOTS = 3, 7


@dataclass(frozen=True, eq=False)
class Linearity:
    """Tests that the effects of numbers are linear on the log odds.

    Attributes
    ----------
    frame : DataFrame
        One row for each variable and test: variable, test, statistic (chi-squared), df, p_value.
    method : str
        "likelihood-ratio", or "Wald" with the covariance used.
    notes : tuple of str
        Tests left out, and why.
    """

    frame: pd.DataFrame
    method: str
    notes: tuple[str, ...]

    @property
    def _title(self) -> str:
        return f"Linearity on the log odds: {self.method} tests of columns that would bend it"

    @printed
    def __str__(self) -> str:
        table = self.frame.to_string(line_width=WIDTH, index=False, float_format="{:.4g}".format, na_rep="")
        return "\n".join([lines(self._title), table, *map(lines, self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        table = self.frame.to_html(index=False, float_format="{:.4g}".format, na_rep="")
        return f"<p>{escape(self._title)}</p>{table}{notes}"


def linearity(fit: Fit, cov: Covariance, names: Any = None, knots: int = 4) -> Linearity:
    """Test the linearity of numbers.

    Parameters
    ----------
    fit : Fit
    cov : Covariance
    names : str or list of str, optional
        Variables of the formula (columns of array fits); by default every number with three values or more that is a term
        of its own and in no other function.
    knots : int
        Of the spline, 3 to 7, at the quantiles that Harrell recommends.

    Raises
    ------
    DataError
        If a name is no such number, or there is none.
    NotAvailableError
        For penalized fits and under constraints.
    """
    fit.facts.require("The test of linearity", "finite", "unconstrained", "converged", "maximum")
    knots = whole_number("knots", knots)
    if not FEWEST_KNOTS <= knots <= MOST_KNOTS:
        raise DataError(f"knots={knots}: give {FEWEST_KNOTS} to {MOST_KNOTS}.")
    numbers = _linear_numbers(fit.design)
    wanted = list(numbers) if names is None else [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if name not in numbers:
            raise DataError(
                f"{name!r} is no number that enters the model linearly; these do: {listed(list(numbers), 10) or 'none'}."
            )
    if not wanted:
        raise DataError("No number with three values or more enters the model linearly; there is nothing to test.")
    design, found = fit.design, []
    counted = design.frequency is not None or (design.weight is None and design.response.trials is not None)
    counts, constant = design.row_weight if counted else None, design.constant is not None
    for name in wanted:
        x = numbers[name]
        places = spline_knots(x, knots, counts)
        found.append(_tested(fit, cov, name, "Box-Tidwell", partial(box_tidwell_column, name, x, constant)))
        found.append(_tested(fit, cov, name, f"spline, {len(places)} knots", partial(spline_columns, x, places)))
    return Linearity(
        pd.DataFrame([row for row, _ in found]), _method(fit, cov), tuple(note for _, note in found if note)
    )


def _linear_numbers(design: Design) -> dict[str, FloatArray]:
    """Values of the numbers that enter linearly, in the rows used."""
    if design.formula is None:
        found = {name: np.asarray(design.X[:, j], dtype=np.float64) for j, name in enumerate(design.names)}
    else:
        alone = {next(iter(term.factors)) for term in model_terms(design) if len(term.factors) == 1}
        found = {
            name: np.asarray(used_column(design, name), dtype=np.float64)
            for name, variable in variables(design).items()
            if variable.kind == "number" and variable.linear and alone & {name, f"Q({name!r})", f'Q("{name}")'}
        }
    return {name: x for name, x in found.items() if _several(x)}


def _several(x: FloatArray) -> bool:
    """Whether there are three values or more: two lie on a line."""
    low, high = x.min(), x.max()
    return bool(((x != low) & (x != high)).any())


def _tested(
    fit: Fit, cov: Covariance, name: str, label: str, columns: Callable[[], FloatArray]
) -> tuple[dict[str, Any], str]:
    """One row of the table, and why it is empty."""
    found, note = Joint(float("nan"), 0, None, float("nan")), ""
    try:
        found = _tested_together(fit, cov, columns())
    except SeparationError:
        note = f"{label} of {name} left out: with its columns there is no finite estimate (separation)."
    except LogitStatsError as error:
        note = f"{label} of {name} left out: {error}"
    row = {"variable": name, "test": label, "statistic": found.statistic, "df": found.df or float("nan")}
    return {**row, **denominator(found), "p_value": found.pvalue}, note


def _tested_together(fit: Fit, cov: Covariance, added: FloatArray) -> Joint:
    design, _ = with_columns_added(fit.design, added)
    larger = maximum_likelihood(design, check_rank="drop")
    own = [j for j, name in enumerate(larger.design.names) if name not in fit.design.names]
    if not own:
        raise NotAvailableError("the added columns are combinations of the model's own.")
    if _by_likelihood(fit, cov):
        lr = max(larger.twice_above(fit), 0.0)
        return cov.likelihood_reference.test(lr, larger.parameters - fit.parameters)
    larger_cov = covariance(larger, cov.cov_type, cov.use_t, **cov.settings)
    return joint_wald(larger, larger_cov, columns_are_zero(larger.design, tuple(own)))


def _by_likelihood(fit: Fit, cov: Covariance) -> bool:
    return cov.cov_type == "nonrobust" and fit.design.weight_kind != "sampling"


def _method(fit: Fit, cov: Covariance) -> str:
    return "likelihood-ratio" if _by_likelihood(fit, cov) else f"Wald ({cov.cov_type} covariance)"


def box_tidwell_column(name: str, x: FloatArray, constant: bool = False) -> FloatArray:
    """(n, 1) ``x log(x / g)``, which with x spans what x log x does; g is the geometric mean.

    Near g the logarithm is taken of the difference, and beside a constant x - g is taken off: of large numbers that differ
    little no digits would be left otherwise.

    Raises
    ------
    NotAvailableError
        If x is not positive everywhere.
    """
    if not (x > 0.0).all():
        count = int((x <= 0.0).sum())
        raise NotAvailableError(
            f"x log x needs positive numbers, and {name} is 0 or less in {count} of {len(x)} rows. It is not shifted, since "
            f"the answer would depend on by how much; the spline needs no positive numbers."
        )
    logs = np.log(x)
    middle = float(np.exp(logs.mean()))
    with np.errstate(over="ignore"):
        away = (x - middle) / middle
    near = np.abs(away) < 0.5
    column = x * np.where(near, np.log1p(np.where(near, away, 0.0)), logs - logs.mean())
    return np.asarray(column - (x - middle) if constant else column)[:, None]


def spline_knots(x: FloatArray, knots: int, frequency: FloatArray | None = None) -> FloatArray:
    """Knots at equally spaced quantiles between outer ones of 10 % (3 knots), 5 % (4 to 6) or 2.5 % (7).

    Where quantiles fall together, as those of counts do, knots are spread over the distinct values instead.
    """
    outer = {3: 0.1, 7: 0.025}.get(knots, 0.05)
    levels = np.linspace(outer, 1.0 - outer, knots)
    places = _quantiles(x, levels, frequency)
    if len(np.unique(places)) == knots:
        return places
    values = np.unique(x)
    count = min(knots, len(values))
    return np.asarray(values[np.round(np.linspace(0, len(values) - 1, count)).astype(np.intp)])


def _quantiles(x: FloatArray, levels: Iterable[float], frequency: FloatArray | None) -> FloatArray:
    """Quantiles interpolated between ranks (type 7), as those of the expanded data under weights and trials."""
    if frequency is None:
        return np.asarray(np.quantile(x, list(levels)))
    order = np.argsort(x, kind="stable")
    upto = np.cumsum(frequency[order])
    rank = (upto[-1] - 1.0) * np.asarray(list(levels))
    low, high = (x[order[np.searchsorted(upto, r, side="right")]] for r in (np.floor(rank), np.ceil(rank)))
    return np.asarray(low + (rank - np.floor(rank)) * (high - low))


def spline_columns(x: FloatArray, knots: FloatArray) -> FloatArray:
    """(n, knots - 2) columns that with x span the restricted cubic splines (Harrell 2015, equation 2.25)."""
    last, before = knots[-1], knots[-2]
    scale = last - knots[0]

    def cubed(knot: float) -> FloatArray:
        return np.asarray(np.maximum((x - knot) / scale, 0.0) ** 3)

    columns = [
        cubed(knot) - cubed(before) * (last - knot) / (last - before) + cubed(last) * (before - knot) / (last - before)
        for knot in knots[:-2]
    ]
    return np.column_stack(columns)
