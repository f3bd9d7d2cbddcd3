"""`PenalizedAnswers`: what a ridge, lasso or elastic-net fit answers, under the names of every other result.

Such a fit has coefficients, probabilities and everything made of them; it has no standard errors, and its log-likelihood is not
the largest. What needs these is refused by the facts of the fit.
"""

from __future__ import annotations

from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.errors import NotAvailableError, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.null_model import null_model
from logit_stats.estimation.penalized import PenalizedEstimate
from logit_stats.estimation.trace import Trace
from logit_stats.inference.inference import Wald
from logit_stats.likelihoods.facts import Facts
from logit_stats.likelihoods.working import WorkingColumns
from logit_stats.results.answers import Answers
from logit_stats.wording import WIDTH, lines, printed

if TYPE_CHECKING:
    from logit_stats.inference.covariance import Covariance
    from logit_stats.report.summary import Summary

NO_INFERENCE = (
    "A penalized fit has no valid Wald standard errors: the estimates are shrunk and the choice of the columns is part of "
    "the estimate."
)
_NO_LIKELIHOOD = (
    "A penalized fit has no maximised likelihood: its likelihood ratios and information criteria mean nothing. Ask refit(), or a "
    "path with cv=10 for the strength of the penalty."
)
NOTHING = Wald(())


def fit_of_estimate(
    estimate: PenalizedEstimate, design: Any, gamma: FloatArray, information: FloatArray, working: WorkingColumns
) -> Fit:
    """A penalized estimate in the terms of every other fit, at these working coefficients."""
    return Fit(
        design=design, working=working, gamma=gamma, information_working=information, loglik=estimate.point.loglik,
        max_abs_eta=estimate.point.max_abs_eta, null=null_model(design, constant_in_span=design.constant is not None),
        constant_in_span=design.constant is not None, method="penalized", converged=estimate.converged,
        iterations=estimate.iterations, decrement=float("nan"), trace=Trace(()), maximum=False,
    )  # fmt: skip


class PenalizedAnswers(Answers):
    """Answers of a penalized fit.

    Attributes
    ----------
    model : Logit or MNLogit
    estimate : PenalizedEstimate
    kind : str
        "elastic_net" or "l1", as it was asked for.
    """

    estimate: PenalizedEstimate
    kind: str

    def __init__(self, model: Any, estimate: PenalizedEstimate, kind: str) -> None:
        for name, value in (("model", model), ("estimate", estimate), ("kind", kind), ("inference_", NOTHING)):
            object.__setattr__(self, name, value)

    @cached_property
    def fit_(self) -> Fit:
        """The fit in the solver's terms, as predictions read it."""
        return self._fit()

    def _fit(self) -> Fit:
        e = self.estimate
        return fit_of_estimate(e, self.model.design, e.gamma, e.moments.information, e.problem.working)

    @property
    def method(self) -> str:
        """What was asked for: "elastic_net" or "l1"."""
        return self.kind

    @cached_property
    def facts(self) -> Facts:
        """What is true of the fit."""
        words = {"wald": f"is not there for a penalized fit. {NO_INFERENCE} {self._instead()}".rstrip(" .")}
        return self.fit_.facts.but(words, wald=False)

    def _instead(self) -> str:
        return ""

    @property
    def covariance_(self) -> Covariance:
        """Not available: see the message."""
        raise NotAvailableError(NO_INFERENCE)

    # What was minimised.

    @property
    def penalized_cost(self) -> float:
        """What was minimised, per observation: the mean negative log-likelihood plus the penalty."""
        return float(self.estimate.objective)

    @property
    def penalty_value(self) -> float:
        """The penalty alone, per observation: the sum of ``alpha ((1 - L1_wt) b**2 / 2 + L1_wt |b|)``."""
        e = self.estimate
        d = np.abs(e.problem.unit * e.gamma)
        w = e.penalty.l1_wt
        return float(np.sum(e.penalty.strength * ((1.0 - w) * d**2 / 2.0 + w * d)))

    @property
    def objective(self) -> float:
        """What was minimised, as the method states it: `penalized_cost`, times the observations for ``method="l1"``."""
        return self.penalized_cost * (self.estimate.problem.observations if self.kind == "l1" else 1.0)

    @property
    def optimality_violation(self) -> float:
        """Largest violation of the conditions of an optimum, per observation."""
        return self.estimate.violation

    @property
    def selected(self) -> list[str]:
        """Names of the columns with a coefficient that is not zero (in some category)."""
        return [name for name, b in zip(self.model.exog_names, self._by_column().T, strict=True) if b.any()]

    def _by_column(self) -> FloatArray:
        """(E, k) coefficients."""
        return self.estimate.beta[None, :]

    # Likelihoods.

    @property
    def llr(self) -> float:
        """Not available: see the message."""
        raise NotAvailableError(_NO_LIKELIHOOD)

    llr_pvalue = aic = bic = aicc = llr

    def info_criteria(self, crit: str, dk_params: float = 0) -> float:
        """Not available: see the message."""
        check_choice("crit", crit, ("aic", "bic", "aicc"))
        raise NotAvailableError(_NO_LIKELIHOOD)

    def _criterion(self, name: str) -> float:
        raise NotAvailableError(_NO_LIKELIHOOD)

    @property
    def mle_retvals(self) -> dict[str, Any]:
        """How the iterations went."""
        e = self.estimate
        return {"converged": e.converged, "iterations": e.iterations, "violation": e.violation, "fopt": e.objective}

    def convergence_message(self) -> str:
        """How the iterations ended, in statsmodels' words."""
        first = "Optimization terminated successfully." if self.converged else "Maximum number of iterations reached."
        cost = f"         Current function value: {self.penalized_cost:.6f}"
        return f"{first}\n{cost}\n         Iterations {self.estimate.iterations}"

    @property
    def cov_type(self) -> str:
        """Not available: see the message."""
        raise NotAvailableError(NO_INFERENCE)

    @property
    def use_t(self) -> bool:
        """Not available: see the message."""
        raise NotAvailableError(NO_INFERENCE)

    uses_t = use_t

    # Reports.

    def summary_frame(self) -> pd.DataFrame:
        """Coefficients, a row for each column of the design."""
        raise NotImplementedError

    def summary(
        self, yname: str | None = None, xname: list[str] | None = None, title: str | None = None,
        alpha: float = 0.05, *, clock: bool = True,
    ) -> Summary:  # fmt: skip
        """Header and coefficients, without errors: a penalized fit has none."""
        from logit_stats.report.penalized_summary import penalized_summary

        return penalized_summary(self, yname=yname, xname=xname, title=title, clock=clock)

    def summary_notes(self) -> list[str]:
        """Return the sentences that stand under the summary."""
        from logit_stats.report.notes import design_notes

        return [*design_notes(self.fit_), *self._lines()[1:], f"{NO_INFERENCE} {self._instead()}".strip()]

    def tidy(self, conf_int: bool = False, exponentiate: bool = False, alpha: float = 0.05) -> pd.DataFrame:
        """One row a coefficient: term, estimate and penalty, as broom's ``tidy`` of glmnet; there are no errors."""
        from logit_stats.report.penalized_summary import penalized_tidy

        if conf_int:
            raise NotAvailableError(NO_INFERENCE)
        return penalized_tidy(self, exponentiate)

    def glance(self) -> pd.DataFrame:
        """One row for the model."""
        values = {"null_deviance": self.null_deviance, "deviance": self.deviance, "llf": self.llf, "nobs": self.nobs,
                  "nonzero": float((self._by_column() != 0.0).sum()), "penalized_cost": self.penalized_cost,
                  "converged": self.converged}  # fmt: skip
        return pd.DataFrame([values])

    def remove_data(self) -> Any:
        """Not available: a penalized fit is its columns' penalty and needs the rows to say anything of it."""
        raise NotAvailableError(
            "A penalized fit keeps its rows; save its params, or ask refit() for a result without rows."
        )

    def report(self, path: Any = None, alpha: float = 0.05, sections: Any = None, labels: Any = None) -> str:
        """Not available: the page is made of intervals, which a penalized fit does not have; see `summary` and `plot`."""
        raise NotAvailableError(f"The page shows odds ratios with limits. {NO_INFERENCE} Ask summary() and plot.")

    def lr_test(self, other: Any) -> Any:
        """Not available: see the message."""
        raise NotAvailableError(_NO_LIKELIHOOD)

    def _lines(self) -> list[str]:
        raise NotImplementedError

    @printed
    def __str__(self) -> str:
        return "\n".join(
            [*map(lines, self._lines()), self.summary_frame().to_string(line_width=WIDTH),
             lines(f"{NO_INFERENCE} {self._instead()}".strip())]
        )  # fmt: skip

    __repr__ = __str__

    def _repr_html_(self) -> str:
        above = "".join(f"<p>{escape(line)}</p>" for line in self._lines())
        return f"{above}{self.summary_frame().to_html()}<p>{escape(f'{NO_INFERENCE} {self._instead()}'.strip())}</p>"

    @property
    def plot(self) -> Any:
        """Pictures that need no standard errors: ``coefficients()``, ``roc()``, ``confusion()``, ``calibration()``, ..."""
        from logit_stats.results.plots import PenalizedPlots

        return PenalizedPlots(self)
