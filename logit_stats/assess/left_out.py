"""The model without some of its rows, fitted anew: what changes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import (
    ConvergenceWarning,
    DataError,
    LogitStatsError,
    RankDeficientError,
    SeparationError,
    listed,
)
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.inference.cluster import read_codes
from logit_stats.inference.covariance import covariance_of_part
from logit_stats.inference.wald import Reported
from logit_stats.wording import WIDTH, lines, printed

MAXITER = 100


def refuse_refits(fit: Fit) -> None:
    """Raise `NotAvailableError` where refits would not be of the same kind as the fit."""
    fit.design.require_rows()
    what = "A refit without some of the rows (subset= fits anew)"
    fit.facts.require(what, "finite", "unconstrained", "converged", "maximum")


@dataclass(frozen=True, eq=False)
class Refit:
    """A refit, or why there is none.

    Attributes
    ----------
    reported : Reported or None
        Under the same covariance as before.
    reason : str
        Why there is no estimate, or no covariance; empty otherwise.
    separated : bool
        Whether the estimate is infinite.
    """

    reported: Reported | None
    reason: str = ""
    separated: bool = False


def kept_rows(design: Design) -> FloatArray:
    """(n,) how many of the identical rows of each row are kept when none is left out."""
    return np.ones(design.rows) if design.frequency is None else design.frequency.copy()


def refit(reported: Reported, kept: FloatArray) -> Refit:
    """Fit again to what is kept of the rows.

    Parameters
    ----------
    reported : Reported
    kept : (n,)
        0 leaves a row out; under frequency weights, how many of its identical rows stay.
    """
    design, keep = reported.fit.design, kept > 0.0
    part = design.taken_out(keep)
    if design.frequency is not None and part.weight is not None:
        part = replace(part, weight=replace(part.weight, values=kept[keep]))
    return refit_to(reported, part, lambda fit: covariance_of_part(reported.cov, design.rows, fit, keep))


def refit_to(reported: Reported, design: Design, covariance: Callable[[Fit], Any]) -> Refit:
    """Fit the model to another design of the same columns."""
    response = design.response
    trials = float(design.rows) if response.trials is None else float(response.trials.sum())
    if not 0.0 < float(response.successes.sum()) < trials:
        return Refit(None, "all outcomes left are the same: there is no finite estimate", separated=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            fit = maximum_likelihood(design, maxiter=MAXITER)
    except SeparationError:
        return Refit(None, "there is no finite estimate: the rows left are separated", separated=True)
    except RankDeficientError as error:
        dependent = listed(list(error.dependent)) or "a column"
        return Refit(None, f"there is no estimate of {dependent}, which does not vary independently in the rows left")
    except ConvergenceWarning:
        return Refit(None, "the iterations did not end")
    try:
        return Refit(Reported(fit, covariance(fit)))
    except LogitStatsError as error:
        return Refit(None, f"there is no covariance: {error}")


@dataclass(frozen=True, eq=False)
class RefitWithout:
    """Coefficients with and without some rows, from an exact refit.

    Attributes
    ----------
    left_out : str
        What was left out, in words.
    observations, left : float
        Number of observations before and after.
    frame : DataFrame
        For each coefficient: coef, without, change_se (the change in standard errors of the whole fit), std_err,
        std_err_without, p_value, p_without. NaN where there is no estimate.
    reason : str
        Why there is no estimate; empty where there is.
    """

    left_out: str
    observations: float
    left: float
    frame: pd.DataFrame
    reason: str = ""

    @property
    def _title(self) -> str:
        gone = self.observations - self.left
        return f"Without {self.left_out} ({gone:.0f} of {self.observations:.0f} observations)"

    @printed
    def __str__(self) -> str:
        if self.reason:
            return lines(f"{self._title}: {self.reason}.")
        shown = self.frame[["coef", "without", "change_se", "p_value", "p_without"]]
        return f"{lines(self._title)}\n{shown.to_string(line_width=WIDTH, float_format='{:.4g}'.format)}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        if self.reason:
            return f"<p>{escape(self._title)}: {escape(self.reason)}.</p>"
        return f"<p>{escape(self._title)}</p>{self.frame.to_html(float_format='{:.4g}'.format)}"


def refit_without(reported: Reported, labels: Any, groups: Any = None) -> RefitWithout:
    """Fit again without some rows, or without some clusters.

    Parameters
    ----------
    reported : Reported
    labels : label, or list of labels
        Of the rows to leave out, all together; with `groups`, of the clusters. A row of frequency weight f is left out whole.
    groups : str or (n,) array_like, optional
        Cluster of each row: a column name or labels.

    Raises
    ------
    DataError
        If a label is not among the rows used, or nothing is left out.
    NotAvailableError
        For penalized fits and under constraints.
    """
    refuse_refits(reported.fit)
    design = reported.fit.design
    wanted = label_list(labels)
    if groups is None:
        out, what = rows_of_labels(design, wanted), "row"
    else:
        codes, names = read_codes(design, groups, "groups")
        refuse_mask(pd.Index(names), wanted)
        places = pd.Index(names).get_indexer_for(wanted)
        if len(places) == 0 or (places < 0).any():
            missing = [repr(w) for w, place in zip(wanted, places, strict=True) if place < 0]
            raise DataError(f"There is no cluster {listed(missing) or 'to leave out'}; there are {listed(names)}.")
        out, what = np.isin(codes, places), str(groups) if isinstance(groups, str) else "cluster"
    kept = kept_rows(design)
    total = kept.sum()
    kept[out] = 0.0
    found = refit(reported, kept)
    return RefitWithout(in_words(what, wanted), float(total), float(kept.sum()), _frame(reported, found), found.reason)


def _frame(reported: Reported, found: Refit) -> pd.DataFrame:
    beta, se = reported.fit.beta, reported.standard_errors
    other = np.full((3, len(beta)), np.nan)
    if found.reported is not None:
        other[:] = found.reported.fit.beta, found.reported.standard_errors, found.reported.p_values
    columns = {"coef": beta, "without": other[0], "change_se": (other[0] - beta) / se, "std_err": se,
               "std_err_without": other[1], "p_value": reported.p_values, "p_without": other[2]}  # fmt: skip
    return pd.DataFrame(columns, index=list(reported.names))


def label_list(labels: Any) -> list[Any]:
    """Different labels as a list; a single one (a tuple is one, of an index of several levels) as a list of one."""
    several = pd.api.types.is_list_like(labels) and not isinstance(labels, tuple)
    return list(dict.fromkeys(labels)) if several else [labels]


def refuse_mask(known: pd.Index, labels: list[Any]) -> None:
    """Raise `DataError` for True and False, which pandas takes for the labels 1 and 0, unless labels are such."""
    if known.inferred_type != "boolean" and any(isinstance(label, (bool, np.bool_)) for label in labels):
        raise DataError("Labels were expected and not a mask of True and False; give data.index[mask].")


def rows_of_labels(design: Design, labels: list[Any]) -> NDArray[np.bool_]:
    """(n,) rows of these labels; a label that occurs several times stands for all its rows.

    Raises
    ------
    DataError
        If there is no such row, or no label.
    """
    refuse_mask(design.index, labels)
    known = design.index.isin(labels)
    missing = [label for label in labels if label not in design.index]
    if missing:
        raise DataError(f"There is no row {listed([repr(label) for label in missing])} among the rows of the fit.")
    if not labels:
        raise DataError("Give the label of one row at least.")
    return np.asarray(known, dtype=np.bool_)


def in_words(what: str, labels: list[Any], most: int = 8) -> str:
    """Labels as a phrase: ``rows 12 and 87``, ``rows 3, 4, 5 and 7 more``."""
    texts = [str(label) for label in labels]
    if len(texts) == 1:
        return f"{what} {texts[0]}"
    plural = f"{what}s" if what in ("row", "cluster", "pattern") else what
    if len(texts) > most:
        return f"{plural} {listed(texts, most)}"
    return f"{plural} {', '.join(texts[:-1])} and {texts[-1]}"
