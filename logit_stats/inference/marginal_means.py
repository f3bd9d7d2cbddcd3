"""Estimated marginal means: the linear predictor at each level of some factors, averaged over the levels of the others.

The other factors' levels count equally, so do the two values of a number that has two, and other numbers stand at their
means (Searle, Speed and Milliken 1980, American
Statistician 34, 216-221; the defaults of R's emmeans). The probability is the inverse logit of that mean, not a mean of
probabilities; for those see the margins of variables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from logit_stats.design.block import FloatArray
from logit_stats.design.counterfactual import Variable, find_variable, used_column, variables
from logit_stats.errors import DataError, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.linear_combinations import LinearCombinations, on_probability
from logit_stats.wording import lines, table

ADJUSTMENTS = ("none", "tukey", "bonferroni", "holm", "sidak", "scheffe", "fdr_bh")
LARGEST_GRID = 100_000


@dataclass(frozen=True, eq=False)
class MarginalMeans:
    """Estimated marginal means.

    Attributes
    ----------
    levels : DataFrame
        Levels of the factors, one row a mean.
    by : tuple of str
        Factors within whose levels contrasts are taken.
    combinations : LinearCombinations
        The means on the log-odds scale.
    cov_type : str
        Covariance of the coefficients.
    """

    levels: pd.DataFrame
    by: tuple[str, ...]
    combinations: LinearCombinations
    cov_type: str

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Means on both scales: link, se_link, prob, std_error (of the probability), conf_low, conf_high."""
        at = self.combinations
        columns = on_probability(at, alpha)
        return self.levels.assign(link=at.estimate, se_link=at.se, **columns)

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
            differences = self.combinations.contrast(C)
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
            frame = _contrast_frame([f"{self._label(r)} effect" for r in rows], self.combinations.contrast(C), alpha)
            frames.append(frame.assign(**{", ".join(self.by): group}) if self.by else frame)
        return pd.concat(frames, ignore_index=True)

    def __str__(self) -> str:
        head = f"Estimated marginal means (other factors at equal weights, numbers at their means; covariance {self.cov_type})"
        return f"{lines(head)}\n{table(self.summary_frame(), '{:.6g}'.format, self.levels.shape[1])}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.summary_frame().to_html(index=False, float_format=lambda v: f"{v:.6g}"))


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
    bonferroni, sidak; holm (Holm 1979); fdr_bh (Benjamini and Hochberg 1995).
    """
    p = at.pvalues
    m = len(p)
    df = np.inf if at.reference.df is None else at.reference.df
    if adjust == "none" or m <= 1:
        return p
    ways: dict[str, Callable[[], Any]] = {
        "tukey": lambda: stats.studentized_range.sf(np.sqrt(2.0) * np.abs(at.z), means, df),
        "scheffe": lambda: _scheffe(at.z**2, means - 1, at.reference.df),
        "bonferroni": lambda: np.minimum(1.0, m * p),
        "sidak": lambda: -np.expm1(m * np.log1p(-p)),
        "holm": lambda: _holm(p),
        "fdr_bh": lambda: stats.false_discovery_control(p, method="bh"),
    }
    return np.asarray(ways[adjust]())


def _scheffe(square: FloatArray, q: int, df: Any) -> FloatArray:
    return np.asarray(stats.chi2.sf(square, q) if df is None else stats.f.sf(square / q, q, df))


def _holm(p: FloatArray) -> FloatArray:
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1.0, np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))))
    result = np.empty(len(p))
    result[order] = stepped
    return result


def marginal_means(fit: Fit, cov: Covariance, spec: str) -> MarginalMeans:
    """Estimated marginal means.

    Parameters
    ----------
    fit : Fit
        Of a formula.
    cov : Covariance
    spec : str
        Factors, as in ``"sex"``, ``"sex + pclass"`` (every combination) or ``"sex | pclass"`` (contrasts of sex within
        each class).

    Raises
    ------
    DataError
        If a name is no factor.
    """
    wanted, by = _read_spec(spec)
    known = variables(fit.design)
    factors = []
    for name in [*wanted, *by]:
        variable = find_variable(fit.design, name)
        if not variable.levels:
            raise DataError(f"{name!r} is a number with many values, not a factor; set it in margins(at=...) instead.")
        factors.append(variable)
    others = [v for name, v in known.items() if v.levels and name not in {f.name for f in factors}]
    size = int(np.prod([len(v.levels) for v in (*factors, *others)]))
    if size > LARGEST_GRID:
        raise DataError(f"The factors have {size} combinations of levels, too many to average over.")
    cells = [dict(zip([f.name for f in factors], c, strict=True)) for c in product(*[f.levels for f in factors])]
    if by:
        order = {name: list(next(f.levels for f in factors if f.name == name)) for name in by}
        cells.sort(key=lambda cell: [order[name].index(cell[name]) for name in by])
    Z = np.array([_mean_row(fit, cell, others, known) for cell in cells])
    offset = 0.0 if fit.design.offset is None else float(np.mean(fit.design.offset.values))
    at = LinearCombinations.of_rows(fit, cov, Z, offset)
    return MarginalMeans(pd.DataFrame(cells), tuple(by), at, cov.cov_type)


def _read_spec(spec: str) -> tuple[list[str], list[str]]:
    left, _, right = spec.partition("|")
    names = [[name.strip() for name in side.replace("*", "+").split("+") if name.strip()] for side in (left, right)]
    if not names[0]:
        raise DataError(f"spec={spec!r} names no factor; write for example 'sex' or 'sex | pclass'.")
    return names[0], names[1]


def _mean_row(fit: Fit, cell: dict[str, Any], others: list[Variable], known: dict[str, Variable]) -> FloatArray:
    """Working columns averaged over the levels of the other factors."""
    grid = [dict(zip([v.name for v in others], levels, strict=True)) for levels in product(*[v.levels for v in others])]
    columns: dict[str, Any] = {}
    for name, variable in known.items():
        source = used_column(fit.design, name)
        if variable.kind == "number" and not variable.levels:
            columns[name] = np.full(len(grid), _mean(fit, source))
            continue
        values = [cell.get(name, row.get(name)) for row in grid]
        columns[name] = pd.Series(values, dtype=source.dtype) if not isinstance(source.dtype, np.dtype) else np.array(
            values, dtype=object if source.dtype == object else source.dtype
        )  # fmt: skip
    formula = fit.design.formula
    assert formula is not None
    X, _, _ = formula.design_matrix(columns)
    X = X[:, [formula.names.index(name) for name in fit.design.names]]
    return np.asarray(fit.working.columns(X).mean(axis=0))


def _mean(fit: Fit, column: pd.Series) -> float:
    frequency = fit.design.frequency
    return float(np.average(np.asarray(column, dtype=np.float64), weights=frequency))
