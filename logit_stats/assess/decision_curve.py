"""Decision curves: what treating by a model is worth, threshold by threshold.

Who is treated when p >= t holds that a false positive costs t / (1 - t) of what a true positive gains. The net benefit
(Vickers and Elkin 2006, Medical Decision Making 26, 565-574) is ``TP / n - FP / n t / (1 - t)``, in true positives per outcome;
the model is compared with treating all and treating none (zero). It is a mean over the outcomes, hence its standard error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from logit_stats.assess.scored import TIED, Scored
from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError
from logit_stats.wording import WIDTH, lines, printed

TREAT_ALL = "treat all"
TREAT_NONE = "treat none"
DEFAULT_THRESHOLDS = tuple(round(0.01 * i, 2) for i in range(1, 100))
# Rows of the table that are printed; all are in `table`.
SHOWN_THRESHOLDS = 9


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit of one or several models, and of treating all, at thresholds.

    Attributes
    ----------
    table : DataFrame
        model, threshold, net_benefit, std_error, conf_low, conf_high, standardized (net benefit over the share of events),
        interventions_avoided (per 100 outcomes, against treating all), treated (share).
    prevalence : float
        Share of events.
    alpha : float
        One minus the confidence level.
    same_rows : bool
        Whether the models were fitted to these rows, so that the net benefits are optimistic.
    """

    table: pd.DataFrame
    prevalence: float
    alpha: float
    same_rows: bool

    @property
    def models(self) -> list[str]:
        """Labels of the models."""
        return [label for label in self.table["model"].unique() if label not in (TREAT_ALL, TREAT_NONE)]

    def of(self, model: str) -> pd.DataFrame:
        """Rows of the table that belong to a model."""
        if model not in set(self.table["model"]):
            raise DataError(f"There is no model {model!r}; there are {', '.join(self.table['model'].unique())}.")
        return self.table[self.table["model"] == model].reset_index(drop=True)

    def difference(self, model: str, other: str = TREAT_ALL) -> pd.DataFrame:
        """Net benefit of a model beyond another, or beyond treating all or none: threshold, difference."""
        one, two = self.of(model), self.of(other)
        return pd.DataFrame({"threshold": one["threshold"], "difference": one["net_benefit"] - two["net_benefit"]})

    def best(self) -> pd.Series:
        """Which of the models, treating all and treating none has the largest net benefit at each threshold."""
        wide = self._wide()
        return wide.idxmax(axis=1).rename("best")

    def _wide(self) -> pd.DataFrame:
        order = [*self.models, TREAT_ALL, TREAT_NONE]
        return self.table.pivot(index="threshold", columns="model", values="net_benefit")[order]

    def plot(self, ax: Any = None) -> Any:
        """Draw net benefit by threshold; returns the Axes."""
        from logit_stats.report.plots.of_decisions import decision_curve

        return decision_curve(self, ax=ax)

    def _shown(self) -> pd.DataFrame:
        wide = self._wide()
        step = max(1, -(-len(wide) // SHOWN_THRESHOLDS))
        return wide.iloc[step - 1 :: step] if len(wide) > SHOWN_THRESHOLDS else wide

    def _notes(self) -> list[str]:
        notes = [f"Net benefit: true positives per outcome, less false positives at the odds of the threshold. "
                 f"Prevalence {self.prevalence:.4g}."]  # fmt: skip
        if self.same_rows:
            notes.append("On the rows of the fit a model looks better than it is; see validate() and optimism().")
        return notes

    @printed
    def __str__(self) -> str:
        frame = self._shown().rename_axis(columns=None)
        text = frame.to_string(float_format="{:.4f}".format, line_width=WIDTH)
        return "\n".join([text, *map(lines, self._notes())])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        frame = self._shown().rename_axis(columns=None).to_html(float_format="{:.4f}".format)
        return frame + "".join(f"<p>{note}</p>" for note in self._notes())


def decision_curve(
    models: Mapping[str, Scored], thresholds: Any = None, alpha: float = 0.05, *, same_rows: bool = True
) -> DecisionCurve:
    """Net benefit of models on the same outcomes.

    Parameters
    ----------
    models : mapping of str to Scored
        Probabilities and outcomes by label; all of the same rows.
    thresholds : (m,) array_like, optional
        Between 0 and 1; by default 0.01, 0.02, ..., 0.99.
    alpha : float
        One minus the confidence level.
    same_rows : bool
        Whether the models were fitted to these rows.

    Returns
    -------
    DecisionCurve

    Raises
    ------
    DataError
        If a threshold is outside (0, 1), or a label is taken.
    """
    at = _thresholds(thresholds)
    taken = {TREAT_ALL, TREAT_NONE} & set(models)
    if taken:
        raise DataError(f"The label {taken.pop()!r} is taken; call the model something else.")
    first = next(iter(models.values())).of_both_kinds()
    everyone = np.ones(len(first.eta), dtype=bool)
    parts = []
    for label, scored in models.items():
        cut = np.log(at) - np.log1p(-at)
        treated = [scored.eta >= c - TIED * max(abs(c), 1.0) for c in cut]
        parts.append(_rows(label, scored, at, treated, alpha))
    parts.append(_rows(TREAT_ALL, first, at, [everyone] * len(at), alpha))
    parts.append(_rows(TREAT_NONE, first, at, [~everyone] * len(at), alpha))
    prevalence = float(first.events.sum() / first.total)
    return DecisionCurve(pd.concat(parts, ignore_index=True), prevalence, alpha, same_rows)


def _rows(label: str, scored: Scored, at: FloatArray, treated: list[Any], alpha: float) -> pd.DataFrame:
    prevalence = float(scored.events.sum() / scored.total)
    found = []
    for threshold, chosen in zip(at.tolist(), treated, strict=True):
        price = threshold / (1.0 - threshold)
        gain, loss = chosen.astype(np.float64), -price * chosen
        benefit = scored.mean(gain, loss)
        all_treated = prevalence - (1.0 - prevalence) * price
        share = float(scored.outcomes @ gain / scored.total)
        error = _standard_error(scored, gain, loss, benefit)
        found.append(
            (label, threshold, benefit, error, benefit / prevalence, 100.0 * (benefit - all_treated) / price, share)
        )
    frame = pd.DataFrame(
        found,
        columns=["model", "threshold", "net_benefit", "std_error", "standardized", "interventions_avoided", "treated"],
    )
    reach = float(stats.norm.isf(alpha / 2.0)) * frame["std_error"]
    frame.insert(4, "conf_low", frame["net_benefit"] - reach)
    frame.insert(5, "conf_high", frame["net_benefit"] + reach)
    return frame


def _standard_error(scored: Scored, gain: FloatArray, loss: FloatArray, mean: float) -> float:
    """Of a mean over outcomes: an event has the value `gain`, a non-event the value `loss`."""
    values, weight = np.concatenate([gain, loss]), np.concatenate([scored.events, scored.nonevents])
    return float(np.sqrt(scored.variance_of_mean(values, weight, mean)))


def _thresholds(thresholds: Any) -> FloatArray:
    if thresholds is None:
        return np.array(DEFAULT_THRESHOLDS)
    at = np.unique(np.atleast_1d(np.asarray(thresholds, dtype=np.float64)))
    if at.ndim != 1 or not ((at > 0.0) & (at < 1.0)).all():
        raise DataError("thresholds must lie between 0 and 1: at 0 all are treated, at 1 none.")
    return at
