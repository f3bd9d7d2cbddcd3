"""Tests of linear hypotheses about the coefficients, ``R beta = q``: one by one (t), or jointly (Wald, F).

With V the covariance chosen, the Wald statistic ``(R b - q)' (R V R')^-1 (R b - q)`` is chi-squared with as many degrees of
freedom as there are constraints (Wald 1943; McCullagh and Nelder 1989, section 4.4); over that number it is compared with F
where Student's t is asked for. Everything is computed in the solver's columns, so that units do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.constraints import Constraints, refuse_repeated
from logit_stats.design.design import Design
from logit_stats.errors import NotAvailableError
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.reference import Joint, Reference
from logit_stats.inference.separated_wald import warn_of_separated
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.wording import WIDTH, lines, printed


@dataclass(frozen=True, eq=False)
class TTest:
    """Tests of single constraints, under statsmodels' names.

    Attributes
    ----------
    labels : tuple of str
        The constraints.
    effect, sd, statistic, pvalue : (q,)
        ``R b``, its standard error, z (or t) of ``R b - q``, two-sided p-value.
    value : (q,)
        What the constraints hold the effects to.
    df_denom : float or (q,) or None
        Degrees of freedom of Student's t; None for the normal distribution.
    """

    labels: tuple[str, ...]
    effect: FloatArray
    sd: FloatArray
    statistic: FloatArray
    pvalue: FloatArray
    value: FloatArray
    df_denom: float | FloatArray | None = None

    @property
    def _reference(self) -> Reference:
        return Reference(self.df_denom)

    @property
    def tvalue(self) -> FloatArray:
        """(q,) statistics, as statsmodels calls them."""
        return self.statistic

    def conf_int(self, alpha: float = 0.05) -> FloatArray:
        """(q, 2) limits of the effects at level ``1 - alpha``."""
        return self._reference.limits(self.effect, self.sd, alpha)

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """One row a constraint, with statsmodels' columns."""
        limits = self.conf_int(alpha)
        letter = self._reference.letter
        columns = {"coef": self.effect, "std err": self.sd, letter: self.statistic, f"P>|{letter}|": self.pvalue,
                   "Conf. Int. Low": limits[:, 0], "Conf. Int. Upp.": limits[:, 1]}  # fmt: skip
        return pd.DataFrame(columns, index=list(self.labels))

    def summary(self, alpha: float = 0.05) -> str:
        """Return the table as text."""
        return f"Tests of constraints\n{self.summary_frame(alpha).to_string(line_width=WIDTH, float_format='{:.4f}'.format)}"

    @printed
    def __str__(self) -> str:
        return self.summary()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.summary_frame().to_html(float_format="{:.4f}".format))


@dataclass(frozen=True, slots=True)
class WaldTest:
    """A joint test of constraints.

    Attributes
    ----------
    statistic : float
        Chi-squared, or F where `df_denom` is given.
    pvalue : float
    df_num : int
        Number of constraints.
    df_denom : float or None
        Denominator degrees of freedom of F; None for chi-squared.
    hypothesis : str
        The constraints in words.
    cov_type : str
        Covariance used.
    """

    statistic: float
    pvalue: float
    df_num: int
    df_denom: float | None
    hypothesis: str
    cov_type: str

    @property
    def fvalue(self) -> float:
        """The statistic, as statsmodels calls that of an F test."""
        return self.statistic

    @property
    def df_constraints(self) -> int:
        """Number of constraints, as statsmodels calls it."""
        return self.df_num

    @property
    def distribution(self) -> str:
        """``"chi2"`` or ``"F"``."""
        return "chi2" if self.df_denom is None else "F"

    @printed
    def __str__(self) -> str:
        found = Joint(self.statistic, self.df_num, self.df_denom, self.pvalue)
        return lines(f"Wald test of {self.hypothesis} ({self.cov_type} covariance): {found}")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


@dataclass(frozen=True, eq=False)
class TestTable:
    """Tests side by side.

    Attributes
    ----------
    frame : DataFrame
        One row a test.
    title : str
    notes : tuple of str
        What a reader must know of them.
    """

    frame: pd.DataFrame
    title: str
    notes: tuple[str, ...] = ()

    __test__ = False  # pytest would take the class for a test

    @property
    def result_frame(self) -> pd.DataFrame:
        """The table as a frame, under statsmodels' name for ``t_test_pairwise``."""
        return self.frame.copy()

    table = result_frame  # and for wald_test_terms

    def summary_frame(self) -> pd.DataFrame:
        """Return the table as a frame."""
        return self.frame.copy()

    @printed
    def __str__(self) -> str:
        return "\n".join(
            [
                lines(self.title),
                self.frame.to_string(line_width=WIDTH, float_format="{:.6g}".format, na_rep=""),
                *map(lines, self.notes),
            ]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        below = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        table = self.frame.to_html(float_format="{:.6g}".format, na_rep="")
        return f"<p>{escape(self.title)}</p>{table}{below}"


def t_test(fit: Fit, cov: Covariance, constraints: Constraints, use_t: bool | None = None) -> TTest:
    """Test each constraint by itself.

    Parameters
    ----------
    fit : Fit
    cov : Covariance
    constraints : Constraints
    use_t : bool, optional
        Student's t; by default as the covariance has it.
    """
    L, size = _scaled(fit, constraints)
    effect = constraints.R @ fit.beta
    variance = np.einsum("ij,jk,ik->i", L, cov.working, L)
    sd = size * np.sqrt(np.maximum(variance, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = (effect - constraints.value) / sd
    reference = cov.with_t(use_t).along(L)
    pvalue = np.atleast_1d(reference.p_value(statistic))
    return TTest(constraints.labels, effect, sd, statistic, pvalue, constraints.value, reference.df)


def wald_test(fit: Fit, cov: Covariance, constraints: Constraints, use_f: bool | None = None) -> WaldTest:
    """Test all constraints jointly, by chi-squared or F; by default as the covariance has it.

    Raises
    ------
    DataError
        If a constraint repeats others.
    NotAvailableError
        If the covariance does not determine the combinations (fewer clusters than constraints, say).
    """
    refuse_repeated(constraints)
    warn_of_separated(fit, np.flatnonzero(constraints.R.any(axis=0)).tolist())
    found = joint_wald(fit, cov, constraints, use_f)
    return WaldTest(found.statistic, found.pvalue, found.df, found.df_denom, str(constraints), cov.cov_type)


def joint_wald(
    fit: Fit, cov: Covariance, constraints: Constraints, use_f: bool | None = None, beyond: Constraints | None = None
) -> Joint:
    """Wald's statistic of all constraints, compared as the covariance has it.

    With `beyond` the statistic of the constraints after others have been cleared away: of the combinations whose estimates
    are not correlated with those of the others.
    """
    L, size = _scaled(fit, constraints)
    away = (constraints.R @ fit.beta - constraints.value) / size
    if beyond is not None and len(beyond):
        M, other_size = _scaled(fit, beyond)
        others = _factor(cov, M, len(constraints) + len(beyond))
        turn = np.asarray(others.solve(np.ascontiguousarray(M @ cov.working @ L.T))).T
        L = L - turn @ M
        away = away - turn @ ((beyond.R @ fit.beta - beyond.value) / other_size)
    chi2 = float(away @ _factor(cov, L, len(constraints)).solve(away))
    return cov.with_t(use_f).joint(chi2, len(constraints), L)


def denominator(joint: Joint) -> dict[str, float]:
    """The column of denominator degrees of freedom, where there are any."""
    return {} if joint.df_denom is None else {"df_denom": joint.df_denom}


def _factor(cov: Covariance, L: FloatArray, count: int) -> EquilibratedCholesky:
    factor = EquilibratedCholesky(L @ cov.working @ L.T)
    if not (factor.definite and factor.smallest_pivot > 1e-12):
        raise NotAvailableError(
            f"The {cov.cov_type} covariance does not determine these {count} combinations together (a cluster "
            f"covariance has no more rank than clusters): test fewer, or use another covariance."
        )
    return factor


def wald_statistic(fit: Fit, cov: Covariance, constraints: Constraints) -> float:
    """Wald's chi-squared of all constraints."""
    L, size = _scaled(fit, constraints)
    away = (constraints.R @ fit.beta - constraints.value) / size
    return float(away @ _factor(cov, L, len(constraints)).solve(away))


def columns_are_zero(design: Design, columns: tuple[int, ...]) -> Constraints:
    """Constraints that hold the coefficients of some columns to zero, in every equation."""
    names, columns = design.coefficient_names, design.coefficients_of(columns)
    R = np.zeros((len(columns), len(names)))
    R[np.arange(len(columns)), list(columns)] = 1.0
    return Constraints(R, np.zeros(len(columns)), tuple(f"{names[j]} = 0" for j in columns))


def _scaled(fit: Fit, constraints: Constraints) -> tuple[FloatArray, FloatArray]:
    """Rows of ``R A`` divided by their largest entry, and these sizes: columns of size 1e-300 must not overflow."""
    L = constraints.R @ fit.working.matrix(fit.parameters)
    size = np.abs(L).max(axis=1)
    return L / size[:, None], size
