"""Updating a prediction model with data from elsewhere: recalibration in the large, logistic recalibration, refit.

With eta the linear predictor of the old model, new outcomes are fitted by ``a + eta`` (the intercept), by ``a + b eta``
(intercept and slope), or by all coefficients anew; the closed test of Vergouwe et al. (2017, Statistics in Medicine 36,
4529-4539) says how much of the old model has to go.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from logit_stats.assess.calibration import calibration_line, calibration_shift
from logit_stats.assess.scored import Scored
from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import check_alpha, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.likelihoods.rows import probability
from logit_stats.results.prediction import new_design_columns, predict_new
from logit_stats.wording import lines, printed, table

METHODS = ("original", "intercept", "logistic", "refit")
_MEANS = {
    "original": "the model as it is",
    "intercept": "recalibration in the large: a new intercept",
    "logistic": "logistic recalibration: a new intercept and one slope for all coefficients",
    "refit": "all coefficients anew",
}


@dataclass(frozen=True, eq=False)
class ModelUpdate:
    """A model and three ways to bring it up to date with new data.

    Attributes
    ----------
    fit : Fit
        The model as it was.
    design : Design
        The new rows.
    scored : Scored
        Their outcomes beside the old model's predictions.
    alpha : float
        Size of the tests that `recommended` follows.
    """

    fit: Fit
    design: Design
    scored: Scored
    alpha: float = 0.05

    @cached_property
    def lines(self) -> dict[str, tuple[float, float]]:
        """Intercept a and slope b of ``a + b eta`` for the first three methods."""
        shift = float(calibration_shift(self.scored).beta[0])
        a, b = (float(value) for value in calibration_line(self.scored).coef)
        return {"original": (0.0, 1.0), "intercept": (shift, 1.0), "logistic": (a, b)}

    @cached_property
    def refitted(self) -> Fit:
        """The model fitted to the new rows alone."""
        return maximum_likelihood(self.design)

    @cached_property
    def logliks(self) -> dict[str, float]:
        """Log-likelihood of the new outcomes under each method."""
        found = {name: self._loglik(a + b * self.scored.eta) for name, (a, b) in self.lines.items()}
        return {**found, "refit": self._loglik(self.refitted.eta)}

    def _loglik(self, eta: FloatArray) -> float:
        return Scored(probability(eta), eta, self.scored.events, self.scored.nonevents, self.scored.sampling).loglik

    @property
    def table(self) -> pd.DataFrame:
        """One row a method: coefficients it fits, a, b, llf, and the likelihood-ratio test of the refit against it."""
        counts = {"original": 0, "intercept": 1, "logistic": 2, "refit": self.refitted.parameters}
        rows = []
        for name in METHODS:
            a, b = self.lines.get(name, (np.nan, np.nan))
            lr, df = 2.0 * (self.logliks["refit"] - self.logliks[name]), counts["refit"] - counts[name]
            p = float(stats.chi2.sf(lr, df)) if df > 0 else np.nan
            rows.append((name, counts[name], a, b, self.logliks[name], lr if df > 0 else np.nan, max(df, 0), p))
        columns = ["method", "fitted", "intercept", "slope", "llf", "lr_of_refit", "df", "p_value"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def recommended(self) -> str:
        """The method that changes least and is not rejected against the refit: closed testing."""
        found = self.table.set_index("method")["p_value"]
        return next((name for name in METHODS[:-1] if not found[name] < self.alpha), "refit")

    def predict(self, exog: Any = None, method: str | None = None, offset: Any = None) -> pd.Series:
        """(m,) probabilities of the updated model.

        Parameters
        ----------
        exog : table or (m, k) array_like, optional
            Data to predict; by default the rows it was updated with.
        method : {"original", "intercept", "logistic", "refit"}, optional
            By default the one recommended.
        offset : optional
            As for `LogitResults.predict`.
        """
        chosen = self.recommended if method is None else method
        check_choice("method", chosen, METHODS)
        if exog is None:
            index: Any = self.design.index
            eta = self.refitted.eta if chosen == "refit" else self.scored.eta
        else:
            eta, index = predict_new(self.refitted if chosen == "refit" else self.fit, exog, offset)
        a, b = self.lines.get(chosen, (0.0, 1.0))
        return pd.Series(probability(a + b * eta), index=index)

    def coefficients(self, method: str | None = None) -> pd.Series:
        """(k,) coefficients of the updated model, where it has a constant to take the new intercept.

        Parameters
        ----------
        method : str, optional
            By default the one recommended.
        """
        chosen = self.recommended if method is None else method
        check_choice("method", chosen, METHODS)
        if chosen == "refit":
            return pd.Series(self.refitted.beta, index=list(self.refitted.design.names))
        a, b = self.lines[chosen]
        beta = b * self.fit.beta
        constant = self.fit.design.constant
        if constant is None:
            return pd.Series(np.append(beta, a), index=[*self.fit.design.names, "(recalibration)"])
        beta[constant] += a / float(new_design_columns(self.fit.design, None)[0][0, constant])
        return pd.Series(beta, index=list(self.fit.design.names))

    @printed
    def __str__(self) -> str:
        head = lines(f"Updating with new data: {self.design.sample.line()}")
        said = lines(
            f"Recommended (closed testing, size {self.alpha:g}): {self.recommended}, {_MEANS[self.recommended]}."
        )
        return f"{head}\n{table(self.table, '{:.5g}'.format)}\n{said}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        frame = self.table.to_html(index=False, float_format="{:.5g}".format)
        return (
            f"<p>{escape(self.design.sample.line())}</p>{frame}<p>Recommended: {escape(_MEANS[self.recommended])}.</p>"
        )


def model_update(fit: Fit, design: Design, scored: Scored, alpha: float) -> ModelUpdate:
    """Prepare the update of a fit with a design of new rows and their outcomes beside the fit's predictions."""
    fit.facts.require("Updating", "finite", "binary")
    return ModelUpdate(fit, design, scored.of_both_kinds(), check_alpha(alpha))
