"""`OrderedLogitResults`: what a user asks of a fit to an ordered response, under the names of every other fit."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.assess.classification import CategoryClassification, category_table
from logit_stats.assess.fit_statistics import LIKELIHOOD_RSQUARED
from logit_stats.assess.surrogate import probability_residuals, surrogate_residuals
from logit_stats.design.block import FloatArray
from logit_stats.errors import CrossingWarning, NotAvailableError, check_choice
from logit_stats.likelihoods.ordered import WHICH, crossing_words
from logit_stats.results.answers import Answers
from logit_stats.results.finished import Matrix, Vector
from logit_stats.results.needs import needs
from logit_stats.results.of_categories import no_threshold
from logit_stats.results.prediction import new_rows, not_estimable, own_predictor, warn_not_estimable
from logit_stats.results.refusals import refused

if TYPE_CHECKING:
    from logit_stats.assess.category_ranking import CategoryRoc
    from logit_stats.inference.predictions import AveragePrediction, Prediction
    from logit_stats.inference.proportionality import BrantTest, ParallelTest
    from logit_stats.models.ordinal import OrderedLogit
    from logit_stats.peers.crosscheck import Crosscheck

_SEVERAL = "is not there for a response of several categories"


@dataclass(frozen=True, eq=False, repr=False)
class OrderedLogitResults(Answers):
    """Results of an ordered logit fit, with statsmodels' names.

    Slopes come first, then the thresholds. Results of formula fits (and of fits to pandas objects) carry labels; those of
    array fits are NumPy arrays.

    Attributes
    ----------
    model : OrderedLogit
        The model.
    fit_ : Fit
        The finished fit in the solver's terms.
    covariance_ : Covariance
        The covariance that standard errors, tests and intervals use.
    inference_ : Inference
        How p-values and limits of the coefficients are had.
    """

    model: OrderedLogit  # type: ignore[assignment]

    # Estimates.

    @property
    def slopes(self) -> Vector:
        """Slopes, without the thresholds."""
        return self.params[: self.model.k_vars]

    @property
    def thresholds(self) -> Vector:
        """(E,) thresholds, from the lowest cut to the highest."""
        return self.params[self.model.k_vars :]

    @needs("wald")
    def odds_ratios(
        self, alpha: float = 0.05, method: str | None = None, units: Mapping[str, Any] | None = None,
        at: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Odds ratios exp(slope) with the limits of `conf_int`: of lying above a cut (cumulative), in the higher of two
        neighbouring categories (adjacent), or beyond a category that was reached (continuation)."""  # noqa: D209
        if units is not None:
            if not self.model.parallel:
                raise NotAvailableError(
                    "odds_ratios(units=) needs one slope for all cuts; here they differ: ask margins(), or share them."
                )
            return super().odds_ratios(alpha, method, units, at)
        return super().odds_ratios(alpha, method, units, at).iloc[: self.model.k_vars]

    def pseudo_rsquared(self, kind: str = "mcfadden") -> Any:
        """Pseudo-R² of one kind that is made of likelihoods, or of all these as a Series (``kind="all"``)."""
        check_choice("kind", kind, (*LIKELIHOOD_RSQUARED, "all"))
        if kind != "all":
            return self._statistics.pseudo_rsquared(kind)
        return pd.Series({name: self._statistics.pseudo_rsquared(name) for name in LIKELIHOOD_RSQUARED})

    pearson_chi2 = refused(
        "Pearson's chi-squared", words=f"{_SEVERAL}; brant() and parallel_test() ask whether slopes fit"
    )
    resid_pearson = refused(
        "resid_pearson", words=f"{_SEVERAL}; resid_prob and resid_surrogate() are residuals of ordered ones"
    )
    resid_generalized = refused("resid_generalized", words=f"{_SEVERAL}; resid_prob and resid_surrogate() are there")

    # Do the cuts share their slopes?

    def brant(self) -> BrantTest:
        """Brant's test of proportional odds: do binary fits at every cut agree, together and for each term? See `brant`."""
        from logit_stats.inference.proportionality import brant

        return brant(self.fit_)

    def parallel_test(self) -> ParallelTest:
        """Likelihood-ratio test of every term: slopes of its own at every cut against a shared one; see `parallel_test`."""
        from logit_stats.inference.proportionality import parallel_test

        return parallel_test(self.fit_)

    # Rows.

    def _new(self, exog: Any, offset: Any) -> tuple[FloatArray, FloatArray, pd.Index | None]:
        """Working columns, linear predictors and labels of rows."""
        exog = None if exog is None else self.model.with_constant(exog)
        warn_not_estimable(self.fit_.design, exog)
        Z, eta, index = new_rows(self.fit_, exog, offset)
        crossed = self.model.crossed(eta)
        if crossed and exog is not None:
            warnings.warn(crossing_words(crossed, len(eta)), CrossingWarning, stacklevel=3)
        return Z, eta, index

    def _labelled(self, values: FloatArray, columns: list[Any], index: pd.Index | None, own: bool) -> Matrix:
        index = self.fit_.design.index if index is None and own and self.fit_.design.labelled else index
        if index is None:
            return values
        if values.ndim == 1:
            return pd.Series(values, index=index)
        return pd.DataFrame(values, index=index, columns=pd.Index(columns, name=self.model.endog_names))

    @property
    def cuts(self) -> list[str]:
        """Names of the thresholds."""
        return list(self.fit_.design.parameters.equations)

    def _latent(self, eta: FloatArray) -> FloatArray:
        """Linear predictors without thresholds: (m,), or (m, E) where slopes differ."""
        design = self.fit_.design
        signs = design.parameters.signs[-design.equations :] * self.model.constant_value
        latent = eta - signs * np.asarray(self.fit_.beta)[-design.equations :]
        return np.asarray(latent.mean(axis=1)) if self.model.parallel else latent

    @property
    def fittedvalues(self) -> Matrix:
        """(n,) latent linear predictor without the thresholds; (n, E), one for each cut, where slopes differ."""
        return self._labelled(self._latent(self.fit_.eta), self.cuts, None, True)

    def predict(  # type: ignore[override]
        self, exog: Any = None, which: str = "mean", offset: Any = None
    ) -> Matrix:
        """Probabilities of the categories, cumulative ones, linear predictors, or the most probable category.

        Parameters
        ----------
        exog : table or (m, k) array_like, optional
            New data: for formula fits a table with the formula's columns, else design columns. By default the rows of
            the fit.
        which : {"mean", "cumulative", "linear", "class"}
            P(Y = j) for every category; P(Y <= j) for every cut; the latent linear predictor without thresholds (one for each
            cut where slopes differ); the most probable category. statsmodels' "prob", "cumprob" and "linpred" are known too.
        offset : str, float or (m,) array_like, optional
            As for `LogitResults.predict`.

        Returns
        -------
        DataFrame, Series or array
            One row for each row, NaN where something is missing.

        Examples
        --------
        >>> import logit_stats as ls
        >>> levels = ["not_work", "parttime", "fulltime"]
        >>> res = ls.ologit("partic ~ hincome + children", ls.datasets.load("womenlf"), levels=levels).fit()
        >>> res.predict({"hincome": [10, 30], "children": ["absent", "present"]}).round(3)
        partic  not_work  parttime  fulltime
        0          0.212     0.189     0.599
        1          0.850     0.084     0.066
        """
        check_choice("which", which, ("mean", "cumulative", "linear", "class", *WHICH))
        which = WHICH.get(which, which)
        own = exog is None
        if own and offset is None:
            eta, index = own_predictor(self.fit_), None
        else:
            _, eta, index = self._new(exog, offset)
        if which == "linear":
            return self._labelled(self._latent(eta), self.cuts, index, own)
        found = self.fit_.outcomes(eta)
        if which == "class":
            return self._labelled(self._most_probable(found.prob), [], index, own)
        if which == "mean":
            return self._labelled(found.prob.T, self.model.labels, index, own)
        return self._labelled(found.cumulative().prob.T, self.model.labels[:-1], index, own)

    def _most_probable(self, prob: FloatArray) -> Any:
        missing = np.isnan(prob).any(axis=0)
        labels = np.array(self.model.labels, dtype=object)[np.where(missing, 0, prob.argmax(axis=0))]
        labels[missing] = np.nan
        plain = np.array(labels.tolist()) if not missing.any() else labels
        return plain

    @needs("wald")
    def get_prediction(  # type: ignore[override]
        self, exog: Any = None, offset: Any = None, which: str = "mean"
    ) -> Prediction:
        """Probabilities of each category ("mean"), or P(Y <= j) ("cumulative"), with standard errors and intervals."""
        from logit_stats.inference.predictions import prediction

        which = WHICH.get(which, which)
        check_choice("which", which, ("mean", "cumulative"))
        Z, eta, index = self._new(exog, offset)
        index = index if index is not None else self.fit_.design.index if exog is None else pd.RangeIndex(len(Z))
        notes = not_estimable(self.fit_.design, exog)
        return prediction(self.fit_, self.covariance_, Z, eta, index, notes, cumulative=which == "cumulative")

    @needs("wald")
    def average_prediction(self, exog: Any = None, offset: Any = None, alpha: float = 0.05) -> AveragePrediction:
        """Mean probability of each category over new data, or over the rows of the fit (weights counted)."""
        from logit_stats.inference.predictions import average_prediction

        Z, eta, _ = self._new(exog, offset)
        weight = self.fit_.design.row_weight if exog is None else None
        notes = not_estimable(self.fit_.design, exog)
        return average_prediction(self.fit_, self.covariance_, Z, eta, weight, alpha, notes)

    @property
    def resid_response(self) -> Matrix:
        """(n, C) indicator of the category minus its probability."""
        observed = np.eye(self.model.k_levels)[self.model.categories.codes]
        return self._labelled(observed - self.fit_.outcomes(self.fit_.eta).prob.T, self.model.labels, None, True)

    @property
    def resid_prob(self) -> Vector:
        """(n,) ``P(Y < y) - P(Y > y)``: the probability-scale residual of Li and Shepherd (2012), as statsmodels has it."""
        return self._rows(probability_residuals(self.fit_))

    def resid_surrogate(self, seed: int | None = None) -> Vector:
        """(n,) surrogate residuals of Liu and Zhang (2018): a draw of the latent variable between the thresholds of the
        observed category, minus its mean. Where the model holds they are a standard logistic sample, free of the columns:
        plot them against each. The same `seed` gives the same numbers."""  # noqa: D209
        return self._rows(surrogate_residuals(self.fit_, seed))

    def pred_table(self, threshold: float = 0.5) -> Matrix:
        """(C, C) counts: row observed, column the most probable category; weights are counted."""
        no_threshold(threshold)
        counts = category_table(self.fit_)
        if not self.fit_.design.labelled:
            return counts
        labels = self.model.labels
        return pd.DataFrame(counts, index=pd.Index(labels, name="observed"), columns=pd.Index(labels, name="predicted"))

    def classification(self, threshold: float = 0.5) -> CategoryClassification:  # type: ignore[override]
        """Precision, recall and F1 of each category, accuracy, Cohen's kappa, with a `report()` text."""
        no_threshold(threshold)
        return CategoryClassification(category_table(self.fit_), self.model.categories.names)

    def roc(self) -> CategoryRoc:  # type: ignore[override]
        """ROC curves of each category against all others, their macro and weighted averages, Hand and Till's M."""
        from logit_stats.assess.category_ranking import category_roc

        self.facts.require("roc", "rows")
        prob = self.fit_.outcomes(self.fit_.eta).prob.T
        sampling = self.fit_.design.weight_kind == "sampling"
        return category_roc(prob, self.model.categories, self.fit_.design.row_weight, sampling)

    @property
    def plot(self) -> Any:
        """Pictures: ``coefficients()``, ``odds_ratios()``, ``roc()`` of each category, ``confusion()``."""
        from logit_stats.results.plots import LimitPlots

        return LimitPlots(self)

    # Reports.

    model_title = "Ordered Logit Regression Results"

    def summary_notes(self) -> list[str]:
        """Return the sentences that stand under the summary."""
        crossed = self.model.crossed(self.fit_.eta) if self.facts.rows else 0
        words = [crossing_words(crossed, self.fit_.design.rows)] if crossed else []
        return [*super().summary_notes(), *words]

    def tidy(self, conf_int: bool = True, exponentiate: bool = False, alpha: float = 0.05) -> pd.DataFrame:
        """One row a coefficient, as broom's ``tidy``; `coef_type` is "coefficient" or "threshold" (never exponentiated)."""
        from logit_stats.report.tidy import tidy

        frame = tidy(self, conf_int=conf_int, alpha=alpha)
        slope = np.arange(len(frame)) < self.model.k_vars
        if exponentiate:
            ratios = [name for name in ("estimate", "conf_low", "conf_high") if name in frame]
            frame.loc[slope, ratios] = np.exp(frame.loc[slope, ratios])
        return frame.assign(coef_type=np.where(slope, "coefficient", "threshold"))

    def augment(self, data: Any = None) -> pd.DataFrame:
        """One row an observation: ``.prob_<category>`` of each, `.resid` (probability scale), beside the data."""
        from logit_stats.report.tidy import beside_rows

        prob = self.fit_.outcomes(self.fit_.eta).prob
        columns: dict[str, Any] = {
            f".prob_{name}": p for name, p in zip(self.model.categories.names, prob, strict=True)
        }
        return beside_rows(self, {**columns, ".resid": self.resid_prob}, data)

    @needs("maximum", "rows")
    def crosscheck(self, rtol: float = 1e-6) -> Crosscheck:
        """Fit the same model in statsmodels' ``OrderedModel`` and compare, quantity by quantity."""
        from logit_stats.peers.ordinal_crosscheck import crosscheck_ordered

        return crosscheck_ordered(self, rtol=rtol)
