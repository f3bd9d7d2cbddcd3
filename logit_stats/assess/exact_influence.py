"""One-step influence beside the truth: refits without each of some rows, patterns or clusters in turn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.assess.left_out import kept_rows, label_list, refit, refuse_mask, refuse_refits
from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError, listed, whole_number
from logit_stats.inference.wald import Reported
from logit_stats.wording import WIDTH, lines, printed

if TYPE_CHECKING:
    from logit_stats.assess.cluster_influence import ClusterInfluence
    from logit_stats.assess.influence import Influence


@dataclass(frozen=True, eq=False)
class ExactInfluence:
    """What leaving out each of some units in turn does to the coefficients: in one step, and by an exact refit.

    Attributes
    ----------
    unit : str
        "row", "pattern", or the name of the clusters.
    labels : Index
        Units left out, one after the other.
    names : tuple of str
        Coefficients.
    standard_errors, p_values : (k,)
        Of the whole fit.
    one_step : (m, k)
        Coefficients minus those without the unit, in one step.
    dfbeta : (m, k)
        The same by refitting; NaN where the model has no estimate without the unit.
    standard_errors_without, p_without : (m, k)
        Without the unit.
    reasons : tuple of str
        Why there is no estimate without the unit; empty where there is.
    """

    unit: str
    labels: pd.Index
    names: tuple[str, ...]
    standard_errors: FloatArray
    p_values: FloatArray
    one_step: FloatArray
    dfbeta: FloatArray
    standard_errors_without: FloatArray
    p_without: FloatArray
    reasons: tuple[str, ...]

    @property
    def dfbetas(self) -> FloatArray:
        """(m, k) exact changes in standard errors of the whole fit."""
        return np.asarray(self.dfbeta / self.standard_errors)

    def summary_frame(self) -> pd.DataFrame:
        """One row for each unit and coefficient: changes in standard errors, in one step and exact, and p-values."""
        m, k = self.dfbeta.shape
        columns = {
            self.unit: np.repeat(np.arange(m), k), "coefficient": list(self.names) * m,
            "one_step": (self.one_step / self.standard_errors).ravel(), "exact": self.dfbetas.ravel(),
            "p_value": np.tile(self.p_values, m), "p_without": self.p_without.ravel(),
            "note": np.repeat(np.asarray(self.reasons, dtype=object), k),
        }  # fmt: skip
        frame = pd.DataFrame(columns)
        frame[self.unit] = self.labels[np.asarray(columns[self.unit])]
        return frame

    def _shown(self) -> pd.DataFrame:
        """One line a unit: the coefficient that moves most."""
        moved = np.where(np.isnan(self.dfbeta), self.one_step, self.dfbeta) / self.standard_errors
        most = np.argmax(np.nan_to_num(np.abs(moved)), axis=1)
        at = np.arange(len(most))
        columns = {
            "moves most": [self.names[j] for j in most], "one step": (self.one_step / self.standard_errors)[at, most],
            "exact": self.dfbetas[at, most], "p": self.p_values[most], "p without": self.p_without[at, most],
        }  # fmt: skip
        several = isinstance(self.labels, pd.MultiIndex)
        return pd.DataFrame(columns, index=self.labels if several else self.labels.rename(self.unit))

    @property
    def _title(self) -> str:
        return f"Coefficients minus those without the {self.unit}, in standard errors: in one step, and by refitting"

    @property
    def _notes(self) -> list[str]:
        pairs = zip(self.labels, self.reasons, strict=True)
        return [f"Without {self.unit} {label} {reason}." for label, reason in pairs if reason]

    @printed
    def __str__(self) -> str:
        table = self._shown().to_string(line_width=WIDTH, float_format="{:.4g}".format, na_rep="")
        return "\n".join([lines(self._title), table, *map(lines, self._notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes)
        table = self._shown().to_html(float_format="{:.4g}".format, na_rep="")
        return f"<p>{escape(self._title)}</p>{table}{notes}"


def exact_influence(found: Influence | ClusterInfluence, chosen: Any, most: int) -> ExactInfluence:
    """Refit without each of some units.

    Parameters
    ----------
    found : Influence or ClusterInfluence
    chosen : label, or list of labels, or None
        None takes the most influential.
    most : int
        How many of these.

    Raises
    ------
    DataError
        If there is no such unit.
    NotAvailableError
        For penalized fits and under constraints.
    """
    reported = found.of_rows
    refuse_refits(reported.fit)
    if chosen is None:
        most = whole_number("most", most)
        if most < 1:
            raise DataError(f"most={most}: leave out one {found.unit} or more.")
        places = found.order[:most]
    else:
        places = _places(found.labels, label_list(chosen), found.unit)
    kept = (_without(found, place) for place in places)
    return _refits(reported, found, places, kept)


def _refits(
    reported: Reported, found: Influence | ClusterInfluence, places: NDArray[np.intp], kept: Iterable[FloatArray]
) -> ExactInfluence:
    shape = (len(places), reported.fit.parameters)
    moved, errors, p = (np.full(shape, np.nan) for _ in range(3))
    reasons = []
    for i, weights in enumerate(kept):
        without = refit(reported, weights)
        reasons.append(without.reason)
        if without.reported is not None:
            moved[i] = reported.fit.beta - without.reported.fit.beta
            errors[i], p[i] = without.reported.standard_errors, without.reported.p_values
    return ExactInfluence(
        found.unit, found.labels[places], reported.names, found.scale, reported.p_values, found.dfbeta[places], moved,
        errors, p, tuple(reasons),
    )  # fmt: skip


def _without(found: Influence | ClusterInfluence, place: int) -> FloatArray:
    """What is kept of the rows: of a row of frequency weight f all but one, of a pattern or a cluster nothing."""
    kept = kept_rows(found.of_rows.fit.design)
    codes = found.codes
    if codes is None:
        kept[place] -= 1.0 if found.of_rows.fit.design.frequency is not None else kept[place]
    else:
        kept[codes == place] = 0.0
    return kept


def _places(index: pd.Index, labels: list[Any], unit: str) -> NDArray[np.intp]:
    if not labels:
        raise DataError(f"Give the label of one {unit} at least.")
    refuse_mask(index, labels)
    places = [np.flatnonzero(index.isin([label])) for label in labels]
    missing = [repr(label) for label, place in zip(labels, places, strict=True) if len(place) == 0]
    if missing:
        raise DataError(f"There is no {unit} {listed(missing)} in the fit.")
    return np.concatenate(places)
