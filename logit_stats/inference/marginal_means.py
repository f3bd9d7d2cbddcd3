"""Estimated marginal means: the linear predictor at each level of some factors, averaged over the levels of the others.

The other factors' levels count equally, so do the two values of a number that has two, and other numbers stand at their
means (Searle, Speed and Milliken 1980, American Statistician 34, 216-221; the defaults of R's emmeans); or levels count by
their frequency. A factor made inside the formula has the levels of what the formula made. The probability is the inverse
logit of that mean, not a mean of probabilities; for those see the margins of variables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from logit_stats.design.block import FloatArray
from logit_stats.design.counterfactual import check_level, kept_places
from logit_stats.design.design import Design
from logit_stats.design.estimable import null_space, outside, reason
from logit_stats.design.factor_values import CategoricalValues, NumericValues
from logit_stats.design.representative import Representative, representative
from logit_stats.design.streamed import StreamedDesign
from logit_stats.design.variables import (
    Variable,
    coded_values,
    codes_or_numbers,
    column_of,
    find_variable,
    is_number,
    used_column,
    variables,
)
from logit_stats.errors import DataError, NotAvailableError, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.streamed import StreamedFit
from logit_stats.inference.combined_estimates import EstimateTest, combination_test, joint_test
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.effect_weights import mean_of, scenarios
from logit_stats.inference.hypotheses import WaldTest
from logit_stats.inference.linear_combinations import LinearCombinations, on_probability
from logit_stats.inference.margins_table import read_combinations
from logit_stats.wording import lines, printed, table

ADJUSTMENTS = ("none", "tukey", "bonferroni", "holm", "sidak", "scheffe", "fdr_bh")
WEIGHTS = ("equal", "proportional")
LARGEST_GRID = 100_000


@dataclass(frozen=True, eq=False)
class MarginalMeans:
    """Estimated marginal means.

    Attributes
    ----------
    levels : DataFrame
        Levels of the factors (and values of `at`), one row a mean.
    by : tuple of str
        Factors within whose levels contrasts are taken.
    combinations : LinearCombinations
        The means on the log-odds scale; NaN where the data say nothing.
    cov_type : str
        Covariance of the coefficients.
    weights : str
        How the levels of the other factors count: "equal" or "proportional".
    notes : tuple of str
        What a reader must know.
    latent : bool
        Of an ordered response, on the scale of its latent variable, the thresholds' mean taken as zero (the mean over the cuts
        of the log odds of lying above them): there is no one probability.
    """

    levels: pd.DataFrame
    by: tuple[str, ...]
    combinations: LinearCombinations
    cov_type: str
    weights: str = "equal"
    notes: tuple[str, ...] = ()
    latent: bool = False

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Means on both scales: link, se_link, prob, std_error (of the probability), conf_low, conf_high.

        On a latent scale there is no probability: link, se_link, and limits of the link.
        """
        at = self.combinations
        if self.latent:
            limits = at.limits(alpha)
            return self.levels.assign(link=at.estimate, se_link=at.se, conf_low=limits[:, 0], conf_high=limits[:, 1])
        columns = on_probability(at, alpha)
        return self.levels.assign(link=at.estimate, se_link=at.se, **columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the means in hypotheses: ``b1``, ``b2``, ... in the order of the table."""
        return tuple(f"b{i + 1}" for i in range(len(self.levels)))

    def contrast(self, hypothesis: object = "reference", alpha: float = 0.05) -> EstimateTest:
        """Combinations of the log odds, with errors, tests and limits; their exponentials are odds ratios (or their ratios).

        Parameters
        ----------
        hypothesis : str, matrix or pair
            As for `Margins.contrast`: ``"b2 - b1"``, ``"(b4 - b3) - (b2 - b1)"`` (a difference of differences), ``"pairwise"``.
        alpha : float

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("survived ~ sex * pclass + age", ls.datasets.load("titanic")).fit()
        >>> means = res.means("sex + pclass", at={"pclass": ["1st", "3rd"]})
        >>> means.contrast("(b3 - b1) - (b4 - b2)").estimate.round(4)
        array([-2.4888])
        """
        R, value, labels = read_combinations(hypothesis, self.names)
        at = self.combinations
        return combination_test(at.estimate, at.covariance, at.rows, R, value, labels, at.source, alpha, True)

    def wald_test(self, hypothesis: object = "reference") -> WaldTest:
        """Test combinations of the log odds jointly; by default that all means are equal."""
        R, value, labels = read_combinations(hypothesis, self.names)
        at = self.combinations
        return joint_test(at.estimate, at.covariance, at.rows, R, value, labels, at.source, self.cov_type)

    def _groups(self) -> list[tuple[str, list[int]]]:
        """Rows compared with each other, and what they share."""
        if not self.by:
            return [("", list(range(len(self.levels))))]
        keys = self.levels[list(self.by)].astype(str).agg(", ".join, axis=1)
        return [(key, list(np.flatnonzero(keys == key))) for key in dict.fromkeys(keys)]

    def _label(self, row: int) -> str:
        own = [c for c in self.levels.columns if c not in self.by]
        return " ".join(str(self.levels[c].iloc[row]) for c in own)

    def pairs(self, adjust: str = "tukey", alpha: float = 0.05) -> pd.DataFrame:
        """All pairwise differences of the log odds, as odds ratios too, with adjusted p-values.

        Parameters
        ----------
        adjust : {"none", "tukey", "bonferroni", "holm", "sidak", "scheffe", "fdr_bh"}
            For the number of pairs (within each level of the `by` factors).
        alpha : float
            The limits of the odds ratios, not adjusted, have level ``1 - alpha``.
        """
        check_choice("adjust", adjust, ADJUSTMENTS)
        frames = []
        for group, rows in self._groups():
            C = np.zeros((len(rows) * (len(rows) - 1) // 2, len(self.levels)))
            labels = []
            for i, (a, b) in enumerate(combinations(rows, 2)):
                C[i, a], C[i, b] = 1.0, -1.0
                labels.append(f"{self._label(a)} - {self._label(b)}")
            differences = self._contrast(C)
            frame = _contrast_frame(labels, differences, alpha)
            frame["p_value"] = adjusted(differences, adjust, len(rows))
            frames.append(frame.assign(**{", ".join(self.by): group}) if self.by else frame)
        return pd.concat(frames, ignore_index=True)

    def deviations(self, alpha: float = 0.05) -> pd.DataFrame:
        """Difference of each mean from the mean of all (within each level of the `by` factors)."""
        frames = []
        for group, rows in self._groups():
            C = np.zeros((len(rows), len(self.levels)))
            C[:, rows] = np.eye(len(rows)) - 1.0 / len(rows)
            frame = _contrast_frame([f"{self._label(r)} effect" for r in rows], self._contrast(C), alpha)
            frames.append(frame.assign(**{", ".join(self.by): group}) if self.by else frame)
        return pd.concat(frames, ignore_index=True)

    def _contrast(self, C: FloatArray) -> LinearCombinations:
        """Combinations; those of a mean that is not estimable are not estimable either, the others are."""
        gone = np.isnan(self.combinations.estimate)
        if not gone.any():
            return self.combinations.contrast(C)
        kept = LinearCombinations(
            np.where(gone, 0.0, self.combinations.estimate),
            np.where(gone[:, None] | gone, 0.0, self.combinations.covariance),
            np.where(gone[:, None], 0.0, self.combinations.rows),
            self.combinations.source,
        ).contrast(C)
        lost = (C[:, gone] != 0.0).any(axis=1)
        estimate, covariance = np.where(lost, np.nan, kept.estimate), kept.covariance.copy()
        covariance[lost], covariance[:, lost] = np.nan, np.nan
        return LinearCombinations(estimate, covariance, kept.rows, kept.source)

    @property
    def _title(self) -> str:
        counted = "at equal weights" if self.weights == "equal" else "in proportion to their frequency"
        what = "Estimated marginal means on the latent scale" if self.latent else "Estimated marginal means"
        return f"{what} (other factors {counted}, numbers at their means; covariance {self.cov_type})"

    @printed
    def __str__(self) -> str:
        shown = table(self.summary_frame(), "{:.6g}".format, self.levels.shape[1])
        return "\n".join([lines(self._title), shown, *map(lines, self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        below = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return str(self.summary_frame().to_html(index=False, float_format=lambda v: f"{v:.6g}")) + below


def _contrast_frame(labels: list[str], at: LinearCombinations, alpha: float) -> pd.DataFrame:
    limits = at.limits(alpha)
    return pd.DataFrame(
        {
            "contrast": labels,
            "estimate": at.estimate,
            "std_error": at.se,
            at.reference.letter: at.z,
            "p_value": at.pvalues,
            "odds_ratio": np.exp(at.estimate),
            "conf_low": np.exp(limits[:, 0]),
            "conf_high": np.exp(limits[:, 1]),
        }
    )


def adjusted(at: LinearCombinations, adjust: str, means: int) -> FloatArray:
    """P-values of the contrasts of a number of means, adjusted for their number.

    tukey: the studentized range (Tukey 1953); scheffe: F with ``means - 1`` degrees of freedom (Scheffé 1953);
    bonferroni, sidak; holm (Holm 1979); fdr_bh (Benjamini and Hochberg 1995). What is not estimable is not counted.
    """
    p = at.pvalues
    known = np.isfinite(p)
    m = int(known.sum())
    df = np.inf if at.reference.df is None else at.reference.df
    if adjust == "none" or m <= 1:
        return p
    ways: dict[str, Callable[[], Any]] = {
        "tukey": lambda: stats.studentized_range.sf(np.sqrt(2.0) * np.abs(at.z), means, df),
        "scheffe": lambda: _scheffe(at.z**2, means - 1, at.reference.df),
        "bonferroni": lambda: np.minimum(1.0, m * p),
        "sidak": lambda: -np.expm1(m * np.log1p(-p)),
        "holm": lambda: _of_known(_holm, p, known),
        "fdr_bh": lambda: _of_known(lambda q: stats.false_discovery_control(q, method="bh"), p, known),
    }
    return np.asarray(ways[adjust]())


def _scheffe(square: FloatArray, q: int, df: Any) -> FloatArray:
    return np.asarray(stats.chi2.sf(square, q) if df is None else stats.f.sf(square / q, q, df))


def _of_known(adjust: Callable[[FloatArray], FloatArray], p: FloatArray, known: Any) -> FloatArray:
    result = np.full(len(p), np.nan)
    result[known] = adjust(p[known])
    return result


def _holm(p: FloatArray) -> FloatArray:
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1.0, np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))))
    result = np.empty(len(p))
    result[order] = stepped
    return result


def marginal_means(
    fit: Fit, cov: Covariance, spec: str, at: Mapping[str, Any] | None = None, weights: str = "equal"
) -> MarginalMeans:
    """Estimated marginal means.

    Parameters
    ----------
    fit : Fit
        Of a formula.
    cov : Covariance
    spec : str
        Factors, as in ``"sex"``, ``"sex + pclass"`` (every combination) or ``"sex | pclass"`` (contrasts of sex within
        each class).
    at : mapping, optional
        Variables set to a value, or to each of several in turn: numbers away from their means, or some of a factor's levels.
    weights : {"equal", "proportional"}
        Whether the levels of the other factors count equally, or by how often their combinations occur.

    Raises
    ------
    DataError
        If a name is no factor.
    """
    check_choice("weights", weights, WEIGHTS)
    fit.facts.require("means()", "latent")
    wanted, by = _read_spec(spec)
    if isinstance(fit, StreamedFit):
        _refuse_proportions(weights)
        assert isinstance(fit.design, StreamedDesign)
        fit = fit.on(representative(fit.design))
    known = variables(fit.design)
    at = dict(at or {})
    factors = [_factor(fit.design, name, at) for name in (*wanted, *by)]
    settings = scenarios(fit.design, {n: v for n, v in at.items() if n not in (*wanted, *by)})
    others = [v for n, v in known.items() if _averaged(v) and n not in (*wanted, *by) and n not in settings[0]]
    size = int(np.prod([len(v.levels) for v in (*factors, *others)])) * len(settings)
    if size > LARGEST_GRID:
        raise DataError(f"The factors have {size} combinations of levels, too many to average over.")
    cells = list(product(*[range(len(f.levels)) for f in factors]))
    if by:
        cells.sort(key=lambda cell: cell[len(wanted) :])
    grid = _Grid(fit, known, others, weights)
    places = [(setting, dict(zip(factors, cell, strict=True))) for setting in settings for cell in cells]
    found = [grid.mean_row({**setting, **{f.name: f.levels[i] for f, i in cell.items()}}) for setting, cell in places]
    N = null_space(fit.design)
    full = np.array(found)
    gone = np.zeros(len(full), dtype=np.bool_) if N is None else outside(N, full)
    return _means(fit, cov, full, gone, [_labels_of(*place) for place in places], (*by, *_several(settings)), weights)


def _means(
    fit: Fit,
    cov: Covariance,
    full: FloatArray,
    gone: Any,
    labels: list[dict[str, Any]],
    by: tuple[str, ...],
    weights: str,
) -> MarginalMeans:
    kept, places = kept_places(fit.design, list(range(full.shape[1])))
    X = np.empty((len(full), fit.design.columns))
    X[:, places] = full[:, kept]
    design = fit.design
    offset = _mean_offset(design)
    at = LinearCombinations.of_rows(fit, cov, fit.working.columns(X), offset)
    if gone.any():
        covariance = np.where(gone[:, None] | gone, np.nan, at.covariance)
        at = LinearCombinations(np.where(gone, np.nan, at.estimate), covariance, at.rows, at.source)
    notes = (reason(design),) if gone.any() else ()
    return MarginalMeans(pd.DataFrame(labels), by, at, cov.cov_type, weights, notes, not fit.facts.binary)


def _factor(design: Design, name: str, at: Mapping[str, Any]) -> Variable:
    """A variable whose levels are wanted: all, or those that `at` gives."""
    variable = find_variable(design, name)
    if name in at:
        values = at[name] if isinstance(at[name], (list, tuple, np.ndarray)) else [at[name]]
        for value in values:
            check_level(design, name, value)
        return Variable(name, variable.kind, tuple(values), False, labels=tuple(map(str, values)))
    if not _averaged(variable):
        raise DataError(
            f"{name!r} is a number with many values, not a factor; give values, at={{{name!r}: [...]}}, or ask margins()."
        )
    return variable


def _averaged(variable: Variable) -> bool:
    """Whether means are taken over its levels: it is a factor, or a number with two values."""
    return bool(variable.levels) and (variable.kind == "factor" or variable.two_valued)


def _several(settings: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(f"at {name}" for name in settings[0]) if len(settings) > 1 else ()


def _labels_of(setting: dict[str, Any], cell: dict[Variable, int]) -> dict[str, Any]:
    named = {f.name: f.levels[i] if f.own_levels else f.labels[i] for f, i in cell.items()}
    return {**named, **{f"at {name}": value for name, value in setting.items()}}


def _read_spec(spec: str) -> tuple[list[str], list[str]]:
    left, _, right = spec.partition("|")
    names = [[name.strip() for name in side.replace("*", "+").split("+") if name.strip()] for side in (left, right)]
    if not names[0]:
        raise DataError(f"spec={spec!r} names no factor; write for example 'sex' or 'sex | pclass'.")
    return names[0], names[1]


class _Grid:
    """Combinations of the other factors' levels, with numbers at their means."""

    def __init__(self, fit: Fit, known: Mapping[str, Variable], others: list[Variable], weights: str) -> None:
        self.design = fit.design
        self.known = known
        self.others = others
        combos = list(product(*[range(len(v.levels)) for v in others]))
        self.grid = [{v.name: v.levels[i] for v, i in zip(others, combo, strict=True)} for combo in combos]
        self.share = np.full(len(combos), 1.0 / len(combos)) if weights == "equal" else self._shares(combos)
        self.means = {
            name: mean_of(fit.design, name)
            for name, v in known.items()
            if is_number(used_column(fit.design, name)) and not _averaged(v)
        }

    def _shares(self, combos: list[tuple[int, ...]]) -> FloatArray:
        """How often each combination of levels occurs."""
        place = {combo: i for i, combo in enumerate(combos)}
        states = [_state_of_rows(self.design, v) for v in self.others]
        total = np.zeros(len(combos))
        for combo, weight in zip(zip(*states, strict=True), self.design.row_weight, strict=True):
            total[place[combo]] += weight
        return total / total.sum() if states else np.ones(1)

    def mean_row(self, cell: Mapping[str, Any]) -> FloatArray:
        """The formula's columns at a cell, averaged over the grid."""
        rows = [{**self.means, **row, **cell} for row in self.grid]
        source = {name: used_column(self.design, name) for name in self.known}
        columns = {name: column_of([row[name] for row in rows], source[name]) for name in self.known}
        formula = self.design.formula
        assert formula is not None
        values = {}
        for name, factor in formula.factors.items():
            value = coded_values(self.design, factor, {n: columns[n] for n in factor.columns})
            stepped = [v for v in self.known.values() if v.numeric_step == name and v.name not in cell]
            if stepped and not isinstance(value, CategoricalValues):
                # a step of many numbers stands at the mean of its own values, as a column made first would
                value = NumericValues(np.tile(self._mean_of_step(name), (len(rows), 1)))
            values[name] = value
        return np.asarray(self.share @ formula.fill(values, len(rows)))

    def _mean_of_step(self, name: str) -> FloatArray:
        if isinstance(self.design, Representative):
            raise NotAvailableError(
                f"{name} is a step of a number, whose mean needs the rows in memory, and they are out of it: give at= for its "
                f"variable."
            )
        assert self.design.formula is not None
        factor = self.design.formula.factors[name]
        value = coded_values(self.design, factor, {n: used_column(self.design, n) for n in factor.columns})
        assert isinstance(value, NumericValues)
        return np.average(np.asarray(value.values, dtype=np.float64), axis=0, weights=self.design.row_weight)


def _mean_offset(design: Design) -> float:
    if design.row_offset is None:
        return 0.0
    if isinstance(design, Representative):
        return design.mean_offset
    return float(np.average(design.row_offset, weights=design.row_weight))


def _refuse_proportions(weights: str) -> None:
    if weights != "equal":
        raise NotAvailableError(
            "weights='proportional' counts levels in the rows, and they are out of memory: use weights='equal', or margins()."
        )


def _state_of_rows(design: Design, variable: Variable) -> list[int]:
    """The state of a variable in each of the rows used: the first that its jumping expressions do not tell apart from it."""
    column = used_column(design, variable.name)
    names = variable.steps or ()
    assert design.formula is not None
    formula = design.formula
    if not names or variable.own_levels:
        place = {level: i for i, level in enumerate(variable.levels)}
        return [place[value] for value in column]
    if any(len(formula.factors[s].columns) > 1 for s in names):
        raise DataError(
            f"weights='proportional' counts the levels of {variable.name!r}, which jumps with other variables: give at= for it."
        )
    used = {name: used_column(design, name) for s in names for name in formula.factors[s].columns}
    seen = [codes_or_numbers(coded_values(design, formula.factors[s], used)) for s in names]
    levels = column_of(list(variable.levels), column)
    shown = [codes_or_numbers(coded_values(design, formula.factors[s], {variable.name: levels})) for s in names]
    place = {tuple(row): i for i, row in enumerate(np.hstack(shown).tolist())}
    return [place[tuple(row)] for row in np.hstack(seen).tolist()]
