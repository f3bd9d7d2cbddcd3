"""Effects on the probability: margins, means, doses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from logit_stats.results.finished import Finished

if TYPE_CHECKING:
    from logit_stats.inference.column_margins import ColumnMargins
    from logit_stats.inference.dose import EffectiveDose
    from logit_stats.inference.marginal_means import MarginalMeans
    from logit_stats.inference.variable_margins import Margins


class Effects(Finished):
    """What the variables do to the probability."""

    def get_margeff(
        self, at: str = "overall", method: str = "dydx", atexog: Any = None, dummy: bool = False, count: bool = False
    ) -> ColumnMargins:
        """Marginal effects of single design columns, as statsmodels defines them; see `column_margins`."""
        from logit_stats.inference.column_margins import column_margins

        return column_margins(self.fit_, self.covariance_, at, method, atexog, dummy, count)

    def margins(
        self, variables: str | Sequence[str] | None = None, at: Mapping[str, Any] | None = None,
        over: str | None = None, method: str = "dydx", *, comparison: str = "difference", changes: str = "reference",
        dummy: bool = False, subset: Any = None, alpha: float = 0.05,
    ) -> Margins:  # fmt: skip
        """Marginal effects of variables, all of their terms moving together; see `variable_margins`."""
        from logit_stats.inference.variable_margins import variable_margins

        return variable_margins(
            self.fit_, self.covariance_, variables, at, over, method,
            comparison=comparison, changes=changes, dummy=dummy, subset=subset, alpha=alpha,
        )  # fmt: skip

    def means(self, spec: str) -> MarginalMeans:
        """Estimated marginal means of factors, with contrasts: ``"sex"``, ``"sex + race"`` or ``"sex | race"``."""
        from logit_stats.inference.marginal_means import marginal_means

        return marginal_means(self.fit_, self.covariance_, spec)

    def dose(self, p: Any = 0.5, variable: str | None = None, alpha: float = 0.05) -> EffectiveDose:
        """Value of a number at which the probability reaches p, with delta-method and Fieller limits."""
        from logit_stats.inference.dose import effective_dose

        return effective_dose(self.fit_, self.covariance_, p, variable, alpha)
