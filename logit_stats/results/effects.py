"""Effects on the probability: margins, means, doses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from logit_stats.results.finished import Finished
from logit_stats.results.needs import needs

if TYPE_CHECKING:
    import pandas as pd

    from logit_stats.inference.additive_interaction import AdditiveInteraction
    from logit_stats.inference.column_margins import ColumnMargins
    from logit_stats.inference.dose import EffectiveDose
    from logit_stats.inference.marginal_means import MarginalMeans
    from logit_stats.inference.margins_table import Margins


class Effects(Finished):
    """What the variables do to the probability."""

    @needs("finite", "wald")
    def get_margeff(
        self, at: str = "overall", method: str = "dydx", atexog: Any = None, dummy: bool = False, count: bool = False
    ) -> ColumnMargins:
        """Marginal effects of single design columns, as statsmodels defines them; see `column_margins`."""
        from logit_stats.inference.column_margins import column_margins

        return column_margins(self.fit_, self.covariance_, at, method, atexog, dummy, count)

    @needs("finite", "wald")
    def margins(
        self, variables: str | Sequence[str] | None = None, at: Mapping[str, Any] | str | None = None,
        over: str | Sequence[str] | None = None, method: str = "dydx", *, comparison: str = "difference",
        changes: str | Sequence[Any] = "reference", dummy: bool = False, subset: Any = None, weights: Any = None,
        errors: str = "delta", alpha: float = 0.05,
    ) -> Margins:  # fmt: skip
        """Marginal effects of variables, all of their terms moving together; see `variable_margins`.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("low ~ smoke + age + lwt + race", ls.datasets.load("birthwt")).fit()
        >>> exposed = ls.datasets.load("birthwt")["smoke"] == 1
        >>> treated = res.margins("smoke", comparison="ratio", subset=exposed)
        >>> treated.frame[["contrast", "estimate", "conf_low", "conf_high"]].round(3)
              contrast  estimate  conf_low  conf_high
        0  1 against 0      1.98      1.23      3.187
        """
        from logit_stats.inference.variable_margins import variable_margins

        return variable_margins(
            self.fit_, self.covariance_, variables, at, over, method, comparison=comparison, changes=changes,
            dummy=dummy, subset=subset, weights=weights, errors=errors, alpha=alpha,
        )  # fmt: skip

    @needs("finite", "wald", "latent")
    def means(self, spec: str, at: Mapping[str, Any] | None = None, weights: str = "equal") -> MarginalMeans:
        """Estimated marginal means of factors: ``"sex"``, ``"sex + race"`` or ``"sex | race"``; see `marginal_means`."""
        from logit_stats.inference.marginal_means import marginal_means

        return marginal_means(self.fit_, self.covariance_, spec, at, weights)

    @needs("finite", "wald", "binary")
    def dose(
        self, p: Any = 0.5, variable: str | None = None, at: Mapping[str, Any] | None = None, by: Any = None,
        alpha: float = 0.05,
    ) -> EffectiveDose:  # fmt: skip
        """Value of a number at which the probability reaches p, with delta-method and Fieller limits; see `effective_dose`."""
        from logit_stats.inference.dose import effective_dose

        return effective_dose(self.fit_, self.covariance_, p, variable, at, by, alpha)

    @needs("finite", "wald", "binary")
    def interaction(
        self, a: str, b: str, levels: Mapping[str, tuple[Any, Any]] | None = None, at: Mapping[str, Any] | None = None,
        alpha: float = 0.05,
    ) -> AdditiveInteraction:  # fmt: skip
        """Interaction of two exposures on the additive scale: RERI, AP and S with limits; see `additive_interaction`.

        Examples
        --------
        >>> import logit_stats as ls
        >>> data = ls.datasets.load("birthwt")
        >>> data["ptl1"] = (data["ptl"] > 0).astype(int)
        >>> res = ls.logit("low ~ smoke * ptl1 + lwt + race", data).fit()
        >>> found = res.interaction("smoke", "ptl1")
        >>> round(found.reri, 4), round(found.ap, 4), round(found.synergy, 4)
        (4.6478, 0.5254, 2.4528)
        """
        from logit_stats.inference.additive_interaction import additive_interaction

        return additive_interaction(self.fit_, self.covariance_, a, b, levels, at, alpha)

    @needs("finite", "wald", "binary")
    def standardized(self) -> pd.DataFrame:
        """Standardized coefficients, by several definitions side by side; see `standardized_coefficients`."""
        from logit_stats.inference.standardized import standardized_coefficients

        return standardized_coefficients(self.fit_, self.covariance_)

    @needs("finite", "wald", "binary")
    def e_values(self, scale: str = "rare", alpha: float = 0.05) -> pd.DataFrame:
        """E-values of the odds ratios: of a "rare" or a "common" outcome; see `e_value`."""
        from logit_stats.inference.e_value import e_values

        return e_values(self.fit_, self.covariance_, scale, alpha)
