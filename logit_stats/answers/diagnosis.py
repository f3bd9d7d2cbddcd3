"""Which rows and columns drive the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logit_stats.answers.finished import Finished

if TYPE_CHECKING:
    from logit_stats.assess.collinearity import VarianceInflation
    from logit_stats.assess.influence import Influence


class Diagnosis(Finished):
    """What drives the fit."""

    def get_influence(self) -> Influence:
        """Leverage, Cook's distance, dfbetas and residuals standardized for leverage, of every row."""
        from logit_stats.assess.influence import Influence

        return Influence(self.fit_)

    def vif(self) -> VarianceInflation:
        """Generalized variance inflation factors of the terms, and those of the design columns."""
        from logit_stats.assess.collinearity import variance_inflation

        return variance_inflation(self.fit_, self.covariance_)
