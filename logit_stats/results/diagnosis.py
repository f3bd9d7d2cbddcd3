"""Which rows and columns drive the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from logit_stats.errors import DataError
from logit_stats.results.finished import Finished
from logit_stats.results.needs import needs

if TYPE_CHECKING:
    from logit_stats.assess.cluster_influence import ClusterInfluence
    from logit_stats.assess.collinearity import VarianceInflation
    from logit_stats.assess.conditioning import ConditionIndices
    from logit_stats.assess.equation_influence import EquationInfluence
    from logit_stats.assess.fragility import Fragility
    from logit_stats.assess.influence import Influence
    from logit_stats.assess.left_out import RefitWithout
    from logit_stats.assess.linearity import Linearity
    from logit_stats.assess.outliers import OutlierTest


class Diagnosis(Finished):
    """What drives the fit."""

    @overload
    def get_influence(self, by: str = "row", groups: None = None) -> Influence: ...
    @overload
    def get_influence(self, by: str = "row", *, groups: Any) -> ClusterInfluence: ...
    @needs("finite", "wald")
    def get_influence(self, by: str = "row", groups: Any = None) -> Influence | ClusterInfluence | EquationInfluence:
        """Leverage, Cook's distance, dfbetas and residuals standardized for leverage; what the fit is without a row.

        Parameters
        ----------
        by : {"row", "pattern"}
            For every row, or for every covariate pattern: rows of equal columns (and offset) put together (Hosmer and
            Lemeshow 2000, section 5.3).
        groups : str or (n,) array_like, optional
            For every cluster instead: a column name, or one label for each row.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("low ~ age + lwt + smoke", ls.datasets.load("birthwt")).fit()
        >>> res.get_influence().summary_frame()["cooks_d"].nlargest(2).round(4)
        132    0.0566
        146    0.0532
        Name: cooks_d, dtype: float64
        """
        from logit_stats.assess.cluster_influence import cluster_influence
        from logit_stats.assess.equation_influence import equation_influence
        from logit_stats.assess.influence import influence

        if groups is not None:
            self.facts.require("get_influence(groups=)", "binary")
        elif not self.facts.binary:
            return equation_influence(self._reported, by)
        if groups is None:
            return influence(self._reported, by)
        if by != "row":
            raise DataError(f"by={by!r} and groups= ask for different things: give one of them.")
        return cluster_influence(self._reported, groups)

    @needs("finite", "maximum", "binary")
    def refit_without(self, labels: Any, groups: Any = None) -> RefitWithout:
        """Fit again without some rows or clusters, all together: coefficients, errors and p-values before and after.

        Parameters
        ----------
        labels : label, or list of labels
            Of the rows to leave out (as in the index of the data; positions for arrays); with `groups`, of the clusters.
        groups : str or (n,) array_like, optional
            Cluster of each row: a column name or labels.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("low ~ age + lwt + smoke", ls.datasets.load("birthwt")).fit()
        >>> res.refit_without([132, 146]).frame[["coef", "without", "change_se", "p_value", "p_without"]].round(3)
                    coef  without  change_se  p_value  p_without
        Intercept  1.368    2.062      0.684    0.177      0.060
        age       -0.039   -0.045     -0.177    0.233      0.187
        lwt       -0.012   -0.017     -0.794    0.048      0.013
        smoke      0.671    0.655     -0.049    0.040      0.049
        """
        from logit_stats.assess.left_out import refit_without

        return refit_without(self._reported, labels, groups)

    @needs("finite", "maximum", "binary")
    def fragility(
        self,
        term: str | None = None,
        alpha: float = 0.05,
        *,
        change: str = "rows",
        groups: Any = None,
        most: int | None = None,
    ) -> Fragility:
        """What a few rows can change: the fewest without which a sign or a significance turns, each set verified by a refit.

        Parameters
        ----------
        term : str, optional
            A term, whose coefficients are looked at one by one, or a coefficient; by default all but the constant.
        alpha : float
            Level of significance.
        change : {"rows", "outcomes"}
            Leave observations out, or change their outcomes (the fragility index).
        groups : str or (n,) array_like, optional
            Leave out whole clusters: a column name or one label for each row.
        most : int, optional
            The most that are left out (changed): by default a tenth, at least 10.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("low ~ age + lwt + C(race) + smoke", ls.datasets.load("birthwt")).fit()
        >>> print(res.fragility("lwt").findings[1])
        Without row 67 (1 of 189) lwt is no longer significant: p 0.0498 -> 0.089.
        """
        from logit_stats.assess.fragility import fragility

        return fragility(self._reported, term, alpha, change, groups, most)

    @needs("finite", "wald")
    def vif(self) -> VarianceInflation:
        """Generalized variance inflation factors of the terms, and those of the design columns."""
        from logit_stats.assess.collinearity import variance_inflation

        return variance_inflation(self.fit_, self.covariance_)

    @needs("finite", "wald", "binary")
    def condition_indices(self, weighted: bool = True) -> ConditionIndices:
        """Condition indices of the columns, and which coefficients' variances they hold (Belsley, Kuh and Welsch 1980).

        Parameters
        ----------
        weighted : bool
            Weight rows by their information, as the covariance of the coefficients does; else all rows count alike.
        """
        from logit_stats.assess.conditioning import condition_indices

        return condition_indices(self.fit_.design, self.fit_ if weighted else None)

    @needs("finite", "maximum", "binary")
    def linearity(self, variables: str | list[str] | None = None, knots: int = 4) -> Linearity:
        """Test whether numbers act linearly on the log odds: Box and Tidwell's test, and a restricted cubic spline.

        Parameters
        ----------
        variables : str or list of str, optional
            Numbers of the formula (columns of array fits); by default all that enter linearly.
        knots : int
            Of the spline, 3 to 7.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("diabetic ~ glu + bmi + age", ls.datasets.load("pima")).fit()
        >>> print(res.linearity("age"))
        Linearity on the log odds: likelihood-ratio tests of columns that would bend it
        variable            test  statistic  df  p_value
             age     Box-Tidwell      4.248   1   0.0393
             age spline, 4 knots      4.968   2   0.0834
        """
        from logit_stats.assess.linearity import linearity

        return linearity(self.fit_, self.covariance_, variables, knots)

    @needs("finite", "wald", "binary")
    def outlier_test(self, most: int = 10) -> OutlierTest:
        """Largest studentized residuals with p-values adjusted for the number of observations (Bonferroni)."""
        from logit_stats.assess.outliers import outlier_test

        return outlier_test(self._reported, most)
