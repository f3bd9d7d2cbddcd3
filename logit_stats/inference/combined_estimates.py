"""Combinations of estimates that have a covariance: differences of margins, of means, of their differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.errors import NotAvailableError
from logit_stats.inference.hypotheses import WaldTest
from logit_stats.inference.reference import NORMAL, Reference
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.wording import printed, table


@dataclass(frozen=True, eq=False)
class EstimateTest:
    """Combinations of estimates, each tested by itself.

    Attributes
    ----------
    labels : tuple of str
        What they are called.
    estimate, std_error : (q,)
        The combinations, and their delta-method errors.
    value : (q,)
        What each is held to.
    alpha : float
        The limits have level ``1 - alpha``.
    exponentials : bool
        Whether the estimates are logarithms, so that exponentials are of interest.
    reference : Reference
        What statistics are compared with.
    """

    labels: tuple[str, ...]
    estimate: FloatArray
    std_error: FloatArray
    value: FloatArray
    alpha: float
    exponentials: bool = False
    reference: Reference = NORMAL

    @property
    def statistic(self) -> FloatArray:
        """(q,) z or t."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((self.estimate - self.value) / self.std_error)

    @property
    def pvalue(self) -> FloatArray:
        """(q,) two-sided p-values."""
        return np.atleast_1d(self.reference.p_value(self.statistic))

    def conf_int(self) -> FloatArray:
        """(q, 2) limits."""
        return self.reference.limits(self.estimate, self.std_error, self.alpha)

    def summary_frame(self) -> pd.DataFrame:
        """One row a combination."""
        limits = self.conf_int()
        columns = {"estimate": self.estimate, "std_error": self.std_error, self.reference.letter: self.statistic,
                   "p_value": self.pvalue, "conf_low": limits[:, 0], "conf_high": limits[:, 1]}  # fmt: skip
        if self.value.any():
            columns = {"estimate": self.estimate, "value": self.value, **columns}
        if self.exponentials:
            columns["exp(estimate)"] = np.exp(self.estimate)
        return pd.DataFrame(columns, index=list(self.labels))

    @printed
    def __str__(self) -> str:
        frame = self.summary_frame().reset_index(names="combination")
        return f"Combinations of estimates\n{table(frame, '{:.6g}'.format)}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.summary_frame().to_html(float_format=lambda v: f"{v:.6g}", escape=True))


def combination_test(
    estimates: FloatArray, covariance: FloatArray, gradients: FloatArray, R: FloatArray, value: FloatArray,
    labels: tuple[str, ...], reference: Reference, alpha: float, exponentials: bool = False,
) -> EstimateTest:  # fmt: skip
    """Test each of the combinations ``R estimates = value``; `gradients` say along what the reference is asked."""
    R, estimates, covariance = _determined(R, estimates, covariance)
    se = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", R, covariance, R), 0.0))
    along = reference.along(R @ np.nan_to_num(gradients))
    return EstimateTest(labels, R @ estimates, se, value, alpha, exponentials, along)


def _determined(R: FloatArray, estimates: FloatArray, covariance: FloatArray) -> tuple[FloatArray, ...]:
    """An estimate that is NaN makes NaN of the combinations in which it is, and of no other."""
    gone = np.isnan(estimates)
    if not gone.any():
        return R, estimates, covariance
    R = R.copy()
    R[(R[:, gone] != 0.0).any(axis=1)] = np.nan
    return R, np.where(gone, 0.0, estimates), np.where(gone[:, None] | gone, 0.0, covariance)


def joint_test(
    estimates: FloatArray, covariance: FloatArray, gradients: FloatArray, R: FloatArray, value: FloatArray,
    labels: tuple[str, ...], reference: Reference, cov_type: str,
) -> WaldTest:  # fmt: skip
    """Test all combinations ``R estimates = value`` together.

    Raises
    ------
    NotAvailableError
        If the covariance does not determine them together.
    """
    away = R @ estimates - value
    factor = EquilibratedCholesky(R @ covariance @ R.T) if np.isfinite(away).all() else None
    if factor is None or not (factor.definite and factor.smallest_pivot > 1e-12):
        raise NotAvailableError(
            f"The {cov_type} covariance does not determine these {len(R)} combinations together: one repeats others, or is "
            f"not estimable. Test fewer."
        )
    found = reference.joint(float(away @ factor.solve(away)), len(R), R @ gradients)
    return WaldTest(found.statistic, found.pvalue, found.df, found.df_denom, ", ".join(labels), cov_type)
