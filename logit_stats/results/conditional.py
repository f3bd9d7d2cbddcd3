"""`ConditionalLogitResults`: what a user asks of a conditional fit, under the names of every other fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np
import pandas as pd

from logit_stats.errors import DataError, NotAvailableError, check_choice
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.set_covariance import set_covariance
from logit_stats.inference.set_predictions import probabilities_within
from logit_stats.likelihoods.conditional import CONDITIONAL, NO_PROBABILITY
from logit_stats.results.estimates import Estimates
from logit_stats.results.finished import Vector
from logit_stats.results.hypotheses import JointTests
from logit_stats.results.likelihood import Likelihood
from logit_stats.results.prediction import predict_new
from logit_stats.results.transport import Transport
from logit_stats.wording import lines, printed, table

if TYPE_CHECKING:
    from logit_stats.inference.score_test import ScoreTest
    from logit_stats.models.conditional import ConditionalLogit
    from logit_stats.peers.crosscheck import Crosscheck
    from logit_stats.report.summary import Summary


@dataclass(frozen=True, eq=False)
class ConditionalLogitResults(Estimates, Likelihood, JointTests, Transport):
    """Results of a conditional logit fit, with statsmodels' names.

    Attributes
    ----------
    model : ConditionalLogit
        The model.
    fit_ : Fit
        The finished fit in the solver's terms.
    covariance_ : Covariance
        The covariance that standard errors, tests and intervals use.
    """

    model: ConditionalLogit  # type: ignore[assignment]

    # Estimates.

    def conf_int(self, alpha: float = 0.05, method: str | None = "wald") -> Any:
        """(k, 2) confidence limits at level ``1 - alpha``, from standard errors ("wald") or the "profile" likelihood."""
        check_choice("method", method, ("wald", "profile"))
        return super().conf_int(alpha, method)

    def with_cov(self, cov_type: str, use_t: bool | None = None, **settings: Any) -> Self:
        """Return the same fit with another covariance: "nonrobust", "opg", "HC0", "HC1" (by set) or "cluster" (groups=)."""
        return self._carried_to(replace(self, covariance_=self._covariance(cov_type, use_t, settings)))

    def bootstrap(self, *_: Any, **__: Any) -> NoReturn:
        """Not available for matched sets."""
        raise NotAvailableError(
            "The bootstrap resamples rows, and sets are not cut apart; use with_cov('HC0'), robust by set."
        )

    @property
    def pearson_chi2(self) -> NoReturn:
        """Not available for matched sets."""
        raise NotAvailableError("Pearson's chi-squared needs rows that are independent; within sets they are not.")

    def pseudo_rsquared(self, kind: str = "mcfadden") -> Any:
        """McFadden's pseudo-R² ("mcfadden", "mcfadden_adj"), against choices of cases that are all alike; or "all"."""
        check_choice("kind", kind, ("mcfadden", "mcfadden_adj", "all"))
        if kind != "all":
            return self._statistics.pseudo_rsquared(kind)
        return pd.Series({name: self._statistics.pseudo_rsquared(name) for name in ("mcfadden", "mcfadden_adj")})

    def score_test(self, added: Any) -> ScoreTest:
        """Score test of terms (``"z + x:z"``) or columns that the model does not have, without fitting the larger model."""
        from logit_stats.design.formula import capture_scope
        from logit_stats.inference.added_terms import score_test_of_added

        return score_test_of_added(self.fit_, self.covariance_, added, False, capture_scope(1))

    def global_score_test(self) -> ScoreTest:
        """Score test that all coefficients are zero; with one column and no ties between sets, Mantel and Haenszel's test."""
        from logit_stats.inference.score_test import score_test

        k = self.fit_.design.columns
        return score_test(self.fit_.design, np.zeros(k), list(range(k)), "all columns to none")

    def _covariance(self, cov_type: str, use_t: bool | None, settings: dict[str, Any]) -> Covariance:
        return set_covariance(self.fit_, cov_type, self.covariance_.use_t if use_t is None else use_t, **settings)

    # Rows.

    @property
    def fittedvalues(self) -> Vector:
        """(n,) linear predictor, up to a number that is the same for all rows of a set."""
        return self._rows(self.fit_.eta)

    @property
    def resid_response(self) -> Vector:
        """(n,) outcome minus probability within the set."""
        return self._rows(CONDITIONAL.residuals(self.fit_.design, self.fit_.eta))

    def predict(
        self, exog: Any = None, which: str = "mean", *, groups: Any = None, cases: Any = None, offset: Any = None
    ) -> Vector:
        """Probability that a row is a case, given the number of cases in its set; or linear predictors.

        Parameters
        ----------
        exog : table or (m, k) array_like, optional
            New data; by default the rows of the fit.
        which : {"mean", "linear"}
        groups : str or (m,) array_like, optional
            Set of each new row: a column of the new data, or labels. By default all new rows are one set.
        cases : int, or mapping from set to int, optional
            Number of cases of the new sets, by default one.
        offset : str, float or (m,) array_like, optional
            As for `LogitResults.predict`.

        Returns
        -------
        Series or array
            The probabilities of a set sum to its number of cases. NaN where something of the set is missing.
        """
        check_choice("which", which, ("mean", "linear"))
        if exog is None:
            if groups is not None or cases is not None:
                raise DataError("groups= and cases= are for new data; the rows of the fit have sets and cases.")
            eta = self.fit_.eta
            return self._rows(eta if which == "linear" else CONDITIONAL.set_terms(self.fit_.design, eta).prob)
        eta, index = predict_new(self.fit_, exog, offset)
        values = eta if which == "linear" else probabilities_within(eta, exog, groups, cases)
        return pd.Series(values, index=index) if index is not None else values

    def get_prediction(self, *_: Any, **__: Any) -> NoReturn:
        """Not available: rows have no probability of their own."""
        raise NotAvailableError(NO_PROBABILITY)

    def margins(self, *_: Any, **__: Any) -> NoReturn:
        """Not available: rows have no probability of their own."""
        raise NotAvailableError(NO_PROBABILITY)

    get_margeff = means = get_prediction

    def set_frame(self) -> pd.DataFrame:
        """One row a set: its rows, cases, and log-likelihood beside that of choices all alike."""
        sets, fit = self.model.sets, self.fit_
        offset = np.zeros(fit.design.rows) if fit.design.offset is None else fit.design.offset.values
        found: dict[str, Any] = {"rows": sets.sizes, "cases": sets.cases}
        found["loglik"] = CONDITIONAL.set_terms(fit.design, fit.eta).loglik
        found["loglik_null"] = CONDITIONAL.set_terms(fit.design, offset).loglik
        first = np.asarray(fit.design.index)[sets.order[sets.starts[:-1]]]
        return pd.DataFrame(found, index=pd.Index(first, name="first row"))

    # Reports.

    model_title = "Conditional Logit Regression Results"

    def summary(
        self, yname: str | None = None, xname: list[str] | None = None, title: str | None = None,
        alpha: float = 0.05, *, clock: bool = True,
    ) -> Summary:  # fmt: skip
        """Summary in statsmodels' layout; ``clock=False`` leaves date and time out, so that reports reproduce."""
        from logit_stats.report.summary import summary

        return summary(self, yname=yname, xname=xname, title=title, alpha=alpha, clock=clock)

    def summary_notes(self) -> list[str]:
        """Return the sentences that stand under the summary."""
        from logit_stats.report.set_notes import set_notes

        return set_notes(self)

    def tidy(self, conf_int: bool = True, exponentiate: bool = False, alpha: float = 0.05) -> pd.DataFrame:
        """One row a coefficient, as broom's ``tidy``."""
        from logit_stats.report.tidy import tidy

        return tidy(self, conf_int=conf_int, exponentiate=exponentiate, alpha=alpha)

    def glance(self) -> pd.DataFrame:
        """One row for the model, as broom's ``glance``."""
        from logit_stats.report.tidy import glance

        return glance(self)

    def augment(self, data: Any = None) -> pd.DataFrame:
        """One row an observation: `.fitted`, `.prob` (within the set), `.resid`, beside the data; NaN in rows left out."""
        from logit_stats.report.tidy import beside_rows

        columns = {".fitted": self.fittedvalues, ".prob": self.predict(), ".resid": self.resid_response}
        return beside_rows(self, columns, data)

    def crosscheck(self, rtol: float = 1e-6) -> Crosscheck:
        """Fit the same model in statsmodels and compare, quantity by quantity."""
        from logit_stats.peers.set_crosscheck import crosscheck_sets

        return crosscheck_sets(self, rtol=rtol)

    def save(self, path: str | Path) -> None:
        """Write the result to a file; `logit_stats.load` reads it back."""
        from logit_stats.results.keep import save

        save(self, path)

    @printed
    def __str__(self) -> str:
        return f"{self.model!r}\n{table(self.tidy(), '{:.5g}'.format)}"

    def __repr__(self) -> str:
        state = "" if self.converged else "NOT CONVERGED, "
        what = f"{state}llf={self.llf:.6g}, {self.fit_.parameters} coefficients; {self.sample_line()}"
        return lines(f"<{type(self).__name__} {what}>")

    def _repr_html_(self) -> str:
        return str(self.summary(clock=False)._repr_html_())
