"""Log-likelihoods, deviances, information criteria, pseudo-R²."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.assess.fit_statistics import PSEUDO_RSQUARED
from logit_stats.errors import check_choice
from logit_stats.results.finished import Finished

if TYPE_CHECKING:
    pass


class Likelihood(Finished):
    """How likely the data are under the fit."""

    @property
    def llf(self) -> float:
        """Maximised log-likelihood."""
        return np.float64(self._statistics.llf)

    @property
    def llnull(self) -> float:
        """Log-likelihood of the null model (probability 1/2 where there is no constant)."""
        return np.float64(self._statistics.llnull)

    @property
    def llr(self) -> float:
        """Likelihood-ratio statistic against the null model."""
        return np.float64(self._statistics.llr)

    @property
    def llr_pvalue(self) -> float:
        """P-value of `llr`; with a dispersion by F."""
        found, reference = self._statistics, self.covariance_.likelihood_reference
        return np.float64(reference.test(found.llr, found.df_model).pvalue if reference.scaled else found.llr_pvalue)

    @property
    def prsquared(self) -> float:
        """McFadden's pseudo-R²."""
        return np.float64(self._statistics.prsquared)

    @property
    def deviance(self) -> float:
        """Residual deviance."""
        return np.float64(self._statistics.deviance)

    @property
    def null_deviance(self) -> float:
        """Deviance of the null model."""
        return np.float64(self._statistics.null_deviance)

    @property
    def pearson_chi2(self) -> float:
        """Pearson's chi-squared."""
        return np.float64(self._statistics.pearson_chi2)

    @property
    def aic(self) -> float:
        """Akaike's information criterion; NaN with a dispersion, under which there is no likelihood."""
        return self.info_criteria("aic")

    @property
    def bic(self) -> float:
        """Schwarz's information criterion; n is the number of observations."""
        return self.info_criteria("bic")

    @property
    def aicc(self) -> float:
        """AIC corrected for small samples."""
        return self.info_criteria("aicc")

    def info_criteria(self, crit: str, dk_params: float = 0) -> float:
        """Information criterion `crit`: "aic", "bic" or "aicc", in any letters.

        Parameters
        ----------
        crit : str
        dk_params : float
            Parameters to count beyond those of the fit, for "aic" and "bic".
        """
        crit = crit.lower() if isinstance(crit, str) else crit
        if not dk_params:
            return np.float64(self._criterion(crit))
        check_choice("crit", crit, ("aic", "bic"))
        return np.float64(
            self._criterion(crit) + dk_params * (2.0 if crit == "aic" else np.log(self.fit_.design.observations))
        )

    def pseudo_rsquared(self, kind: str = "mcfadden") -> Any:
        """Pseudo-R² of one kind, or of all as a Series (``kind="all"``)."""
        check_choice("kind", kind, (*PSEUDO_RSQUARED, "all"))
        if kind != "all":
            return self._statistics.pseudo_rsquared(kind)
        return pd.Series({name: self._statistics.pseudo_rsquared(name) for name in PSEUDO_RSQUARED})
