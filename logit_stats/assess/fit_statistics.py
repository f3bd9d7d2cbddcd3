"""Likelihood, deviance, information criteria and pseudo-R² of a fit.

n is the number of rows, or the sum of the frequency weights. For grouped counts the log-likelihood contains the binomial
coefficients, as in R and in statsmodels' GLM; the pseudo-R² other than McFadden's treat a row of m trials as m rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy import stats

from logit_stats.design.block import FloatArray
from logit_stats.errors import check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.likelihoods.deviance import deviance_terms, pearson_residual, saturated_logliks
from logit_stats.likelihoods.rows import probability, saturated_terms

PSEUDO_RSQUARED = (
    "mcfadden", "mcfadden_adj", "cox_snell", "nagelkerke", "tjur", "efron", "mckelvey_zavoina", "aldrich_nelson",
    "veall_zimmermann", "estrella", "count", "count_adj",
)  # fmt: skip
# Those made of log-likelihoods, which are there whatever the response.
LIKELIHOOD_RSQUARED = (
    "mcfadden", "mcfadden_adj", "cox_snell", "nagelkerke", "aldrich_nelson", "veall_zimmermann", "estrella"
)  # fmt: skip
CRITERIA = ("aic", "bic", "aicc")


def cox_snell(loglik: float, null: float, size: float) -> float:
    """Share of the geometric mean likelihood explained (Cox and Snell 1989, p. 208; Maddala 1983)."""
    with np.errstate(over="ignore"):  # probabilities far worse than the null model's: minus infinity
        return -float(np.expm1(2.0 * (null - loglik) / size))


def nagelkerke(loglik: float, null: float, size: float) -> float:
    """Cox and Snell's over the largest value that it can take (Nagelkerke 1991, Biometrika 78, 691-692)."""
    return cox_snell(loglik, null, size) / -float(np.expm1(2.0 * null / size))


@dataclass(frozen=True, eq=False)
class FitStatistics:
    """How well a fit describes its data; every attribute is computed once, when it is first asked for."""

    fit: Fit

    @property
    def _weighted(self) -> bool:
        return self.fit.design.weight_kind == "sampling"

    @cached_property
    def _row_weight(self) -> FloatArray:
        weight = self.fit.design.weight
        return np.ones(self.fit.design.rows) if weight is None else weight.values

    @cached_property
    def _trials(self) -> FloatArray:
        trials = self.fit.design.response.trials
        return np.ones(self.fit.design.rows) if trials is None else trials

    @cached_property
    def _eta(self) -> FloatArray:
        return self.fit.eta

    @cached_property
    def binomial_constant(self) -> float:
        """Sum of the logs of the binomial coefficients (zero for 0/1 rows)."""
        response = self.fit.design.response
        if response.trials is None:
            return 0.0
        y, m = response.successes, response.trials
        return float(self._row_weight @ (saturated_logliks(y, m) - saturated_terms(y, m)))

    @property
    def _counts(self) -> bool:
        """Whether rows hold counts, of which likelihoods are computed as what is missing to the saturated one."""
        return self.fit.design.response.trials is not None and self.fit.facts.finite and self.fit.facts.likelihood

    @cached_property
    def _deviances(self) -> tuple[float, float] | None:
        """Deviance of the model and of the null model; None where rows are single outcomes and nothing cancels."""
        if not self._counts:
            return None
        response, offset = self.fit.design.response, self.fit.design.offset
        null = np.full(self.fit.design.rows, self.fit.null.intercept)
        eta = null if offset is None else null + offset.values
        own = self.fit.deviance_of_counts
        assert own is not None
        return own, float(self._row_weight @ deviance_terms(eta, response.successes, response.trials))

    @cached_property
    def _saturated_count(self) -> float:
        """Saturated log-likelihood of counts, binomial coefficients included."""
        response = self.fit.design.response
        return float(self._row_weight @ saturated_logliks(response.successes, response.trials))

    @property
    def llf(self) -> float:
        """Maximised log-likelihood (weighted under sampling weights)."""
        if self._deviances is not None:
            return self._saturated_count - 0.5 * self._deviances[0]
        return self.fit.loglik + self.binomial_constant

    @property
    def llnull(self) -> float:
        """Log-likelihood of the null model."""
        if self._deviances is not None:
            return self._saturated_count - 0.5 * self._deviances[1]
        return self.fit.null.loglik + self.binomial_constant

    @property
    def df_model(self) -> int:
        """Number of coefficients beyond the null model."""
        return self.fit.free_parameters - int(self.fit.constant_in_span) * self.fit.design.equations

    @property
    def df_resid(self) -> float:
        """Observations minus coefficients."""
        return self.fit.design.observations - self.fit.free_parameters

    @property
    def llr(self) -> float:
        """Likelihood-ratio statistic against the null model, ``2 (llf - llnull)``; NaN under sampling weights."""
        return float("nan") if self._weighted else 2.0 * (self.llf - self.llnull)

    @property
    def llr_pvalue(self) -> float:
        """Its p-value, chi-squared with `df_model` degrees of freedom."""
        return float(stats.chi2.sf(self.llr, self.df_model)) if self.df_model > 0 else float("nan")

    @property
    def prsquared(self) -> float:
        """McFadden's pseudo-R², ``1 - llf / llnull``."""
        return 1.0 - self.llf / self.llnull

    @cached_property
    def _saturated(self) -> float:
        response = self.fit.design.response
        return float(self._row_weight @ saturated_terms(response.successes, response.trials))

    @property
    def deviance(self) -> float:
        """Twice the distance to the saturated log-likelihood (McCullagh and Nelder 1989, section 4.4.3)."""
        if self._deviances is not None:
            return self._deviances[0]
        # rows of one outcome, of two categories or more, have a saturated log-likelihood of zero
        return 2.0 * (self._saturated - self.fit.loglik)

    @property
    def null_deviance(self) -> float:
        """Deviance of the null model."""
        if self._deviances is not None:
            return self._deviances[1]
        return 2.0 * (self._saturated - self.fit.null.loglik)

    @cached_property
    def pearson_chi2(self) -> float:
        """Sum over rows of ``(y - m p)² / (m p (1 - p))``."""
        return float(self._row_weight @ self._pearson_terms())

    def _pearson_terms(self) -> FloatArray:
        response = self.fit.design.response
        with np.errstate(over="ignore"):
            return np.asarray(pearson_residual(self._eta, response.successes, response.trials) ** 2)

    def criterion(self, name: str) -> float:
        """AIC (Akaike 1974), BIC (Schwarz 1978) or AICc (Hurvich and Tsai 1989); NaN under sampling weights.

        Raises
        ------
        UnknownOptionError
            If `name` is none of `CRITERIA`.
        """
        check_choice("criterion", name, CRITERIA)
        n, k = self.fit.design.observations, self.fit.free_parameters
        if self._weighted:
            return float("nan")
        if name == "bic":
            return float(-2.0 * self.llf + k * np.log(n))
        aic = -2.0 * self.llf + 2.0 * k
        if name == "aic":
            return aic
        return aic + 2.0 * k * (k + 1.0) / (n - k - 1.0) if n - k - 1 > 0 else float("inf")

    def pseudo_rsquared(self, kind: str) -> float:
        """One of the pseudo-R² of `PSEUDO_RSQUARED`.

        Raises
        ------
        UnknownOptionError
            If `kind` is none of them.
        """
        check_choice("kind", kind, PSEUDO_RSQUARED)
        if kind not in self._pseudo_rsquared:
            self._pseudo_rsquared[kind] = float(getattr(self, f"_{kind}")())
        return self._pseudo_rsquared[kind]

    @cached_property
    def _pseudo_rsquared(self) -> dict[str, float]:
        return {}

    def without_rows(self, fit: Fit) -> Self:
        """Return the same statistics for a fit whose rows are gone: what needs them is computed now."""
        binary = self.fit.facts.binary
        for kind in PSEUDO_RSQUARED if binary else LIKELIHOOD_RSQUARED:
            self.pseudo_rsquared(kind)
        kept = ["binomial_constant", "_saturated", "_saturated_count", "_deviances", "_size", "_pseudo_rsquared"]
        values = {name: getattr(self, name) for name in [*kept, *(["pearson_chi2"] if binary else [])]}
        found = replace(self, fit=fit)
        found.__dict__.update(values)
        return found

    # Likelihood-based kinds; n counts trials, so that grouped counts and their single rows agree.

    @cached_property
    def _size(self) -> float:
        return float(self._row_weight @ self._trials)

    def _mcfadden(self) -> float:
        return self.prsquared

    def _mcfadden_adj(self) -> float:
        """Ben-Akiva and Lerman 1985, section 7.2: all coefficients counted."""
        return 1.0 - (self.llf - self.fit.free_parameters) / self.llnull

    def _cox_snell(self) -> float:
        return cox_snell(self.fit.loglik, self.fit.null.loglik, self._size)

    def _nagelkerke(self) -> float:
        return nagelkerke(self.fit.loglik, self.fit.null.loglik, self._size)

    def _aldrich_nelson(self) -> float:
        """Aldrich and Nelson 1984, p. 57."""
        ratio = 2.0 * (self.fit.loglik - self.fit.null.loglik)
        return ratio / (ratio + self._size)

    def _veall_zimmermann(self) -> float:
        """Veall and Zimmermann 1992."""
        null = -2.0 * self.fit.null.loglik
        return self._aldrich_nelson() * (self._size + null) / null

    def _estrella(self) -> float:
        """Estrella 1998, J. Business and Economic Statistics 16, 198-205."""
        null = self.fit.null.loglik
        return float(1.0 - (self.fit.loglik / null) ** (-2.0 * null / self._size))

    # Kinds based on the fitted probabilities.

    @cached_property
    def _prob(self) -> FloatArray:
        return probability(self._eta)

    @cached_property
    def _events(self) -> FloatArray:
        return self._row_weight * self.fit.design.response.successes

    @cached_property
    def _nonevents(self) -> FloatArray:
        return self._row_weight * (self._trials - self.fit.design.response.successes)

    def _tjur(self) -> float:
        """Tjur 2009, American Statistician 63, 366-372: mean probability of events minus that of non-events."""
        events, nonevents = self._events, self._nonevents
        return float(events @ self._prob / events.sum() - nonevents @ self._prob / nonevents.sum())

    def _efron(self) -> float:
        """Efron 1978, JASA 73, 113-121."""
        mean = self._events.sum() / self._size
        residual = self._events @ (1.0 - self._prob) ** 2 + self._nonevents @ self._prob**2
        return 1.0 - float(residual / (self._size * mean * (1.0 - mean)))

    def _mckelvey_zavoina(self) -> float:
        """McKelvey and Zavoina 1975, J. Mathematical Sociology 4, 103-120; variance with divisor n."""
        weight = self._row_weight * self._trials
        mean = weight @ self._eta / self._size
        spread = float(weight @ (self._eta - mean) ** 2 / self._size)
        return spread / (spread + np.pi**2 / 3.0)

    def _right(self) -> float:
        predicted = self._prob > 0.5
        return float(self._events[predicted].sum() + self._nonevents[~predicted].sum())

    def _count(self) -> float:
        """Share predicted right at 0.5."""
        return self._right() / self._size

    def _count_adj(self) -> float:
        """Share right beyond always guessing the larger class (Long 1997, p. 108)."""
        larger = max(float(self._events.sum()), float(self._nonevents.sum()))
        return (self._right() - larger) / (self._size - larger)


@dataclass(frozen=True, eq=False)
class PenalizedStatistics(FitStatistics):
    """The same for a penalized fit: log-likelihood and null log-likelihood are the penalized ones given.

    What is made of these two (likelihood ratio, McFadden's R², criteria) follows; the deviance and the other pseudo-R²
    stay those of the likelihood without penalty.
    """

    penalized_loglik: float = float("nan")
    penalized_null: float = float("nan")

    @property
    def llf(self) -> float:
        """Maximised penalized log-likelihood."""
        return self.penalized_loglik + self.binomial_constant

    @property
    def llnull(self) -> float:
        """Penalized log-likelihood with all slopes zero, under the penalty of the whole information."""
        return self.penalized_null + self.binomial_constant
