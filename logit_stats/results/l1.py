"""`L1Results`: a fit with statsmodels' L1 penalty, or with a penalty of strength zero, with the answers statsmodels gives.

statsmodels counts the coefficients that are not zero as the parameters, in the information criteria and the degrees of freedom
(Zou, Hastie and Tibshirani 2007, Annals of Statistics 35, 2173-2192, show this for least squares), and takes the inverse
information of these as their covariance, as if they had been chosen beforehand and not been shrunk. Such errors are too small:
they are given under statsmodels' names, with a warning. Without a penalty they are those of maximum likelihood.
"""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.errors import DataError, ShrunkErrorsWarning, check_choice
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.inference import ONLY_WALD
from logit_stats.inference.reference import Reference
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.results.hypotheses import JointTests
from logit_stats.results.likelihood import Likelihood
from logit_stats.results.penalized import PenalizedAnswers

SHRUNK = (
    "These standard errors take the selection as given and the coefficients as not shrunk, as statsmodels does: they are too "
    "small, and intervals do not cover. Use refit() or the maximum-likelihood fit for valid ones."
)


class L1Answers(PenalizedAnswers):
    """Answers of a fit with statsmodels' L1 penalty."""

    def __init__(self, model: Any, estimate: Any, kind: str) -> None:
        super().__init__(model, estimate, kind)
        object.__setattr__(self, "inference_", ONLY_WALD)

    @cached_property
    def trimmed_(self) -> NDArray[np.bool_]:
        """(k,) which coefficients are zero, equation by equation."""
        return np.asarray(self.estimate.beta == 0.0) if self._penalized else np.zeros(len(self.estimate.beta), np.bool_)

    @property
    def trimmed(self) -> NDArray[np.bool_]:
        """Which coefficients are zero."""
        return self.trimmed_.copy()

    @property
    def nnz_params(self) -> int:
        """Number of coefficients that are not zero."""
        return int((~self.trimmed_).sum())

    @property
    def _penalized(self) -> bool:
        return bool(self.estimate.penalty.strength.any())

    @property
    def df_model(self) -> float:
        """Coefficients that are not zero, beyond one in each equation."""
        return float(self.nnz_params - self.fit_.design.equations)

    @property
    def df_resid(self) -> float:
        """Observations minus coefficients that are not zero."""
        return float(self.fit_.design.observations - self.nnz_params)

    # Likelihoods: those of any coefficients.

    aic, bic, aicc, info_criteria = Likelihood.aic, Likelihood.bic, Likelihood.aicc, Likelihood.info_criteria

    @property
    def llr(self) -> float:
        """Twice the log-likelihood above that of the null model."""
        return np.float64(2.0 * (self.llf - self.llnull))

    @property
    def llr_pvalue(self) -> float:
        """P-value of `llr` by chi-squared with `df_model` degrees of freedom, as in statsmodels; the penalty is not counted."""
        from scipy import stats

        return np.float64(stats.chi2.sf(self.llr, self.df_model)) if self.df_model > 0 else np.float64("nan")

    def _criterion(self, name: str) -> float:
        check_choice("crit", name, ("aic", "bic", "aicc"))
        n, k = float(self.fit_.design.observations), self.nnz_params
        if name == "aicc":
            return float("inf") if n <= k + 1 else -2.0 * self.llf + 2.0 * k * n / (n - k - 1.0)
        return -2.0 * self.llf + k * (2.0 if name == "aic" else np.log(n))

    @property
    def mle_retvals(self) -> dict[str, Any]:
        """How the iterations went, and which coefficients are zero."""
        return {**super().mle_retvals, "trimmed": self.trimmed, "warnflag": int(not self.converged)}

    # Errors.

    @cached_property
    def covariance_(self) -> Covariance:
        """Inverse information of the coefficients that are not zero; NaN for the others. Warns where there is a penalty."""
        if self._penalized:
            warnings.warn(SHRUNK, ShrunkErrorsWarning, stacklevel=5)
        fit, free = self.fit_, ~self.trimmed_
        back = np.linalg.inv(fit.working.matrix(fit.parameters))
        information = back.T @ fit.information_working @ back
        there = np.ix_(free, free)
        matrix = np.full(information.shape, np.nan)
        matrix[there] = EquilibratedCholesky(np.ascontiguousarray(information[there])).inverse()
        filled = np.nan_to_num(matrix)
        errors = np.sqrt(matrix.diagonal())
        left = Reference(float(fit.design.observations - free.sum()))
        said = "" if not self._penalized else "of the coefficients not zero, as if chosen beforehand and not shrunk"
        return Covariance("nonrobust", back @ filled @ back.T, matrix, errors, said, student=left)

    cov_type = property(lambda self: "nonrobust", doc="Type of the covariance.")
    use_t = uses_t = property(lambda self: False, doc="No: z tests.")

    @property
    def normalized_cov_params(self) -> Any:
        """Covariance of the coefficients."""
        return self.cov_params()

    def t_test(self, r_matrix: Any, cov_p: Any = None, use_t: bool | None = None) -> Any:
        """Test constraints one by one; NaN where one involves a coefficient that the penalty has set to zero."""
        from dataclasses import replace

        found = _bare(JointTests.t_test)(self, r_matrix, cov_p, use_t)
        unknown = self._constraints(r_matrix).R[:, self.trimmed_].any(axis=1)
        values = {name: np.where(unknown, np.nan, getattr(found, name)) for name in ("sd", "statistic", "pvalue")}
        return replace(found, **values)

    def wald_test(self, r_matrix: Any, *args: Any, **settings: Any) -> Any:
        """Test constraints jointly; see `LogitResults.wald_test`.

        Raises
        ------
        DataError
            If a constraint involves a coefficient that the penalty has set to zero.
        """
        touched = self._constraints(r_matrix).R[:, self.trimmed_].any(axis=0)
        if touched.any():
            names = np.array(self.fit_.design.coefficient_names)[self.trimmed_][touched]
            raise DataError(
                f"The penalty has set {', '.join(names)} to zero, which has no standard error: test the others."
            )
        return _bare(JointTests.wald_test)(self, r_matrix, *args, **settings)

    def summary2(self, *args: Any, **settings: Any) -> Any:
        """The same as `summary`."""
        settings.pop("float_format", None)
        return self.summary(*args, **settings)

    def tidy(self, conf_int: bool = False, exponentiate: bool = False, alpha: float = 0.05) -> pd.DataFrame:
        """One row a coefficient: term, estimate and penalty; errors are under `bse` and `conf_int`."""
        return super().tidy(False, exponentiate, alpha)


# Answers made of standard errors that statsmodels gives for such a fit, beyond those above.
GIVEN = (
    "bse",
    "tvalues",
    "pvalues",
    "conf_int",
    "cov_params",
    "f_test",
    "wald_test_terms",
    "get_margeff",
    "get_prediction",
)

Answered = TypeVar("Answered", bound=type[L1Answers])


def with_errors(cls: Answered) -> Answered:
    """Let a class give the answers that penalized fits refuse, as its bases make them."""
    for name in GIVEN:
        found = getattr(cls, name)
        setattr(
            cls, name, property(_bare(found.fget), doc=found.__doc__) if isinstance(found, property) else _bare(found)
        )
    return cls


def _bare(method: Any) -> Any:
    """A method without the question whether there are standard errors."""
    return getattr(method, "__wrapped__", method)
