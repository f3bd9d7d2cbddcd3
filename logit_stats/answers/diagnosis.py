"""Which rows and columns drive the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logit_stats.answers.finished import Finished

if TYPE_CHECKING:
    from logit_stats.assess.collinearity import VarianceInflation
    from logit_stats.assess.influence import Influence
    from logit_stats.assess.outliers import OutlierTest


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

    def outlier_test(self, most: int = 10) -> OutlierTest:
        """Largest studentized residuals with p-values adjusted for the number of rows (Bonferroni)."""
        from logit_stats.assess.outliers import outlier_test

        return outlier_test(self.fit_, most)
