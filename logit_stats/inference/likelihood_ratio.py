"""Likelihood-ratio test of nested models."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.streamed import StreamedDesign
from logit_stats.errors import DataError, NotAvailableError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.estimation.limit import LimitFit
from logit_stats.inference.reference import CHI_SQUARED, Joint, LikelihoodReference
from logit_stats.wording import lines, printed


@dataclass(frozen=True, slots=True)
class LikelihoodRatioTest:
    """Twice the difference of two log-likelihoods, chi-squared if the smaller model holds (Wilks 1938).

    Attributes
    ----------
    statistic : float
    df : int
        Difference of the numbers of coefficients; where the smaller model is separated, of the columns that the rows tell
        apart which it does not predict with certainty.
    pvalue : float
    larger, smaller : str
        Columns that only the larger model has; description of the smaller.
    df_denom : float or None
        Denominator degrees of freedom where the statistic is F, divided by a dispersion; None for chi-squared.
    name : str
        Which likelihood it is of.
    """

    statistic: float
    df: int
    pvalue: float
    larger: str
    smaller: str
    df_denom: float | None = None
    name: str = "Likelihood-ratio test"

    @printed
    def __str__(self) -> str:
        return lines(
            f"{self.name} of {self.larger} beyond {self.smaller}: "
            f"{Joint(self.statistic, self.df, self.df_denom, self.pvalue)}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def likelihood_ratio_test(one: Fit, other: Fit, reference: LikelihoodReference = CHI_SQUARED) -> LikelihoodRatioTest:
    """Test the smaller of two nested fits against the larger, by the dispersion of the larger where there is one.

    Raises
    ------
    DataError
        If the fits do not have the same rows, response, weights and offset, or are not nested.
    NotAvailableError
        Under sampling weights, where there is no likelihood to compare, and for fits that have not converged.
    """
    larger, smaller = (one, other) if one.free_parameters >= other.free_parameters else (other, one)
    for fit in (larger, smaller):
        fit.facts.require("A likelihood-ratio test", "likelihood", "maximum")
    if larger.free_parameters == smaller.free_parameters:
        raise DataError(
            f"Both models have {larger.free_parameters} coefficients; a likelihood-ratio test needs one inside the other."
        )
    for fit in (larger, smaller):
        fit.facts.require("A likelihood-ratio test", "converged")
    _refuse_different_rows(larger, smaller)
    why = different_likelihoods(larger, smaller)
    if why:
        raise DataError(f"{why}; their likelihoods cannot be compared.")
    _refuse_not_nested(larger, smaller)
    if larger.free_parameters < larger.parameters:
        raise NotAvailableError("The larger model has constraints of its own; compare each with the model without any.")
    statistic = max(larger.twice_above(smaller), 0.0)
    df = larger.free_parameters - smaller.free_parameters
    if isinstance(smaller, LimitFit):
        df = smaller.degrees_beyond(larger.design)
    extra = [name for name in larger.design.names if name not in smaller.design.names]
    kept = [name for name in smaller.design.names if name in larger.design.names]
    beyond = " + ".join(extra) or "the model without constraints"
    kept_words = "the constraints" if not extra else " + ".join(kept) or "the smaller model"
    # without degrees of freedom the statistic is zero: nothing speaks against the smaller model
    found = reference.test(statistic, df) if df > 0 else Joint(statistic, df, None, 1.0)
    return LikelihoodRatioTest(found.statistic, found.df, found.pvalue, beyond, kept_words, found.df_denom)


def different_likelihoods(one: Fit, other: Fit) -> str:
    """Why the likelihoods of two fits to the same rows are of different kinds, or of other groups; "" where they are not."""
    a, b = one.likelihood, other.likelihood
    if a.name != b.name:
        return f"The models have different likelihoods ({a.name}, {b.name})"
    ours, theirs = _groups(one), _groups(other)
    if len(ours) != len(theirs) or any(not np.array_equal(x, y) for x, y in zip(ours, theirs, strict=True)):
        return "The models have different groups"
    return ""


def _groups(fit: Fit) -> list[NDArray[np.intp]]:
    """Groups of every row that the likelihood knows, numbered in the order in which they appear."""
    codes = fit.likelihood.groups(fit.design)
    return [pd.factorize(of_factor)[0].astype(np.intp) for of_factor in codes]


def _refuse_different_rows(larger: Fit, smaller: Fit) -> None:
    a, b = larger.design, smaller.design
    if a.rows != b.rows:
        raise DataError(
            f"The models were fitted to different rows ({a.rows} and {b.rows}); a variable with missing values may be in "
            f"one of them only. Fit both to the complete rows of the larger model."
        )
    if isinstance(a, StreamedDesign):
        if not a.same_rows(b):
            raise DataError(
                "The models were fitted to different files, responses, weights or offsets; their likelihoods cannot be compared."
            )
        return
    b.require_rows()
    pairs = [
        ("responses", a.response.outcomes, b.response.outcomes),
        ("trials", a.response.trials, b.response.trials),
        ("weights", None if a.weight is None else a.weight.values, None if b.weight is None else b.weight.values),
        ("offsets", None if a.offset is None else a.offset.values, None if b.offset is None else b.offset.values),
    ]
    for what, left, right in pairs:
        if (left is None) != (right is None) or (left is not None and not np.array_equal(left, right)):  # type: ignore[arg-type]
            raise DataError(f"The models have different {what}; their likelihoods cannot be compared.")


def joint_triangle(larger: Design, smaller: Design) -> FloatArray:
    """R of the QR decomposition of the columns of two designs of the same rows, side by side."""
    R = np.zeros((0, larger.columns + smaller.columns))
    for big, small in zip(larger.blocks(TALL_ROWS), smaller.blocks(TALL_ROWS), strict=True):
        R = np.asarray(np.linalg.qr(np.vstack([R, np.hstack([big.X, small.X])]), mode="r"))
    return R


def _refuse_not_nested(larger: Fit, smaller: Fit) -> None:
    """Every column of the smaller model must be a combination of those of the larger."""
    if not larger.design.in_memory and set(smaller.design.names) <= set(larger.design.names):
        return  # the same files, the same columns
    k, R = larger.design.columns, joint_triangle(larger.design, smaller.design)
    outside = np.linalg.norm(R[k:, k:], axis=0) > 1e-8 * np.linalg.norm(R[:, k:], axis=0)
    if outside.any():
        names = [name for name, out in zip(smaller.design.names, outside, strict=True) if out]
        raise DataError(
            f"The models are not nested: {', '.join(names[:5])} of the smaller model is no combination of the columns of "
            f"the larger. Compare such models by AIC or BIC."
        )
