"""Effective dose: the value of a number at which the probability reaches p, with delta-method and Fieller limits.

With the linear predictor ``a + b x`` along the dose x, the dose is ``x = (logit p - a) / b``. Its standard error is that of the
delta method (Finney 1971, Probit Analysis, section 4.6); Fieller's set (1954, J. Royal Statistical Society B 16, 175-185) are
the doses that a test of ``a + b x = logit p`` does not reject: an interval where the slope is significant, else all doses
outside of one, or all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.counterfactual import kept_places
from logit_stats.design.design import Design
from logit_stats.design.estimable import null_space, outside, reason
from logit_stats.design.variables import Variable, coded_values, column_of, names_given, used_column, variables
from logit_stats.errors import DataError, listed
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.effect_weights import mean_of, scenarios
from logit_stats.wording import lines, printed, table


@dataclass(frozen=True, eq=False)
class EffectiveDose:
    """Doses at which given probabilities are reached.

    Attributes
    ----------
    variable : str
    frame : DataFrame
        The values of `at` and `by`; prob, dose, std_error (delta method), conf_low and conf_high (delta); fieller_low and
        fieller_high, and fieller_set: "inside" (the doses between them), "outside" (those below the one or above the other:
        the slope is not significant at this level), or "all" (nothing is excluded, the limits are infinite).
    notes : tuple of str
        Where other variables stand, and what cannot be told.
    """

    variable: str
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()

    @printed
    def __str__(self) -> str:
        keys = list(self.frame).index("dose")
        shown = table(self.frame, "{:.6g}".format, keys)
        return "\n".join([f"Effective dose of {self.variable}", shown, *map(lines, self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        below = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return str(self.frame.to_html(index=False, float_format=lambda v: f"{v:.6g}")) + below


def effective_dose(
    fit: Fit,
    cov: Covariance,
    p: float | list[float] | FloatArray = 0.5,
    variable: str | None = None,
    at: Mapping[str, Any] | None = None,
    by: str | list[str] | None = None,
    alpha: float = 0.05,
) -> EffectiveDose:
    """Values of a variable at which the probability is p.

    Parameters
    ----------
    fit : Fit
        A formula fit that is linear in the variable.
    cov : Covariance
    p : float or array_like
        Probabilities.
    variable : str, optional
        By default the only variable of the model, or the only one that `at` and `by` leave.
    at : mapping, optional
        Other variables set to a value, or to each of several values in turn. Other numbers stand at their means (rows counted
        by their weights and trials), so does the offset.
    by : str or list of str, optional
        Factors: a dose for each level.
    alpha : float
        The limits have level ``1 - alpha``.

    Raises
    ------
    DataError
        If the model is not linear in the variable, a factor has no level, or a probability is not between 0 and 1.
    """
    fit.facts.require("dose()", "binary")
    known = variables(fit.design)
    groups = [] if by is None else names_given(by, known)
    dose = _dose_variable(known, variable, {*(at or {}), *groups})
    at = {**{name: list(_levels(known, name)) for name in groups}, **(at or {})}
    if dose.name in at:
        raise DataError(f"{dose.name!r} is the dose; it is not set by at=.")
    open_factors = [n for n, v in known.items() if v.kind == "factor" and n not in at]
    if open_factors:
        raise DataError(
            f"The dose depends on the levels of {listed(open_factors)}: ask by={open_factors!r} for a dose at each, or set "
            f"them with at=."
        )
    prob = np.atleast_1d(np.asarray(p, dtype=np.float64))
    if not ((prob > 0.0) & (prob < 1.0)).all():
        raise DataError("p must lie between 0 and 1.")
    rows, undetermined = [], False
    for setting in scenarios(fit.design, at):
        line = _Line(fit, cov, known, dose, setting)
        undetermined = undetermined or line.undetermined
        rows += [{**setting, **line.dose(float(q), alpha)} for q in prob]
    return EffectiveDose(dose.name, pd.DataFrame(rows), _notes(fit.design, known, dose, at, undetermined))


def _levels(known: Mapping[str, Variable], name: str) -> tuple[Any, ...]:
    if name not in known:
        raise DataError(f"by={name!r} is no variable of the model; its variables are {', '.join(known)}.")
    if not known[name].levels:
        raise DataError(f"by={name!r} is a number with many values; set it to some with at=.")
    return known[name].levels


def _dose_variable(known: Mapping[str, Variable], variable: str | None, given: set[str]) -> Variable:
    left = [name for name in known if name not in given]
    numbers = [name for name in left if known[name].kind == "number"]
    if variable is None and len(left) != 1 and len(numbers) != 1:
        raise DataError(f"The model has the variables {', '.join(known)}; say which one is the dose with variable=.")
    name = variable if variable is not None else left[0] if len(left) == 1 else numbers[0]
    if name not in known:
        raise DataError(f"{name!r} is no variable of the model; its variables are {', '.join(known)}.")
    if not (known[name].kind == "number" and known[name].linear):
        raise DataError(f"The model is not linear in {name!r}; a dose has no closed form there.")
    return known[name]


def _notes(
    design: Design, known: Mapping[str, Variable], dose: Variable, at: Mapping[str, Any], undetermined: bool
) -> tuple[str, ...]:
    held = [name for name in known if name != dose.name and name not in at]
    means = listed([f"{name} at its mean {mean_of(design, name):.6g}" for name in held], 6)
    said = [f"With {means}."] if held else []
    return (*said, reason(design)) if undetermined else tuple(said)


class _Line:
    """The linear predictor ``a + b x`` along the dose, and the covariance of a and b."""

    def __init__(
        self, fit: Fit, cov: Covariance, known: Mapping[str, Variable], dose: Variable, setting: Mapping[str, Any]
    ) -> None:
        design = fit.design
        others = {name: setting.get(name, None) for name in known if name != dose.name}
        values = {n: mean_of(design, n) if v is None else v for n, v in others.items()}
        full = _columns(design, {**{n: [v, v] for n, v in values.items()}, dose.name: [0.0, 1.0]})
        N = null_space(design)
        self.undetermined = N is not None and bool(outside(N, np.array([full[0], full[1] - full[0]])).any())
        kept, places = kept_places(design, list(range(full.shape[1])))
        X = np.empty((2, design.columns))
        X[:, places] = full[:, kept]
        Z = fit.working.columns(X)
        shift = 0.0 if design.row_offset is None else np.average(design.row_offset, weights=design.row_weight)
        self.base, self.slope = Z[0], Z[1] - Z[0]
        self.a, self.b = float(self.base @ fit.gamma + shift), float(self.slope @ fit.gamma)
        V = cov.working
        self.V = tuple(
            float(x @ V @ y) for x, y in ((self.base, self.base), (self.base, self.slope), (self.slope, self.slope))
        )
        self.cov = cov
        if any(len(design_term) > 1 for design_term in _powers(design, dose.name)):
            raise DataError(f"The model is not linear in {dose.name!r}; a dose has no closed form there.")

    def dose(self, prob: float, alpha: float) -> dict[str, Any]:
        """One row of the table."""
        target = float(np.log(prob) - np.log1p(-prob)) - self.a
        row: dict[str, Any] = {"prob": prob}
        if self.undetermined or self.b == 0.0:
            nothing = dict.fromkeys(("dose", "std_error", "conf_low", "conf_high"), np.nan)
            return {**row, **nothing, "fieller_low": -np.inf, "fieller_high": np.inf, "fieller_set": "all"}
        x = target / self.b
        vaa, vab, vbb = self.V
        se = float(np.sqrt(max(vaa + 2.0 * x * vab + x**2 * vbb, 0.0)) / abs(self.b))
        # what the dose is a combination of, to first order: the reference has its degrees of freedom along it
        reference = self.cov.reference.along((self.base + x * self.slope)[None])
        ((low, high),) = reference.limits(np.array([x]), np.array([se]), alpha)
        critical = float(np.ravel(reference.critical(alpha))[0])
        left, right, kind = _fieller(target, self.b, (vaa, vab, vbb), critical**2)
        return {**row, "dose": x, "std_error": se, "conf_low": low, "conf_high": high, "fieller_low": left,
                "fieller_high": right, "fieller_set": kind}  # fmt: skip


def _columns(design: Design, values: Mapping[str, list[Any]]) -> FloatArray:
    """The formula's columns at rows of variables."""
    formula = design.formula
    assert formula is not None
    columns = {name: column_of(given, used_column(design, name)) for name, given in values.items()}
    coded = {name: coded_values(design, f, {n: columns[n] for n in f.columns}) for name, f in formula.factors.items()}
    return formula.fill(coded, len(next(iter(values.values()))))


def _powers(design: Design, name: str) -> list[list[str]]:
    """For each term, the expressions in it that read the variable."""
    formula = design.formula
    assert formula is not None
    return [
        [f.name() for f in term.factors if name in formula.factors[f.name()].columns] for term in formula.info.terms
    ]


def _fieller(target: float, b: float, V: tuple[float, float, float], q: float) -> tuple[float, float, str]:
    """Doses x that a test of ``target - b x = 0`` does not reject, ``(target - b x)² <= q var``: a quadratic in x."""
    vaa, vab, vbb = V
    A = b**2 - q * vbb
    half = target * b + q * vab
    C = target**2 - q * vaa
    discriminant = half**2 - A * C
    if A > 0.0:
        root = np.sqrt(max(discriminant, 0.0))
        return float((half - root) / A), float((half + root) / A), "inside"
    if A == 0.0 or discriminant <= 0.0:
        return -np.inf, np.inf, "all"
    ends = sorted(float((half + sign * np.sqrt(discriminant)) / A) for sign in (-1.0, 1.0))
    return ends[0], ends[1], "outside"
