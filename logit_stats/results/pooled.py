"""`pool`: results of several imputed data sets as one, by Rubin's rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.constraints import Constraints, read_constraints
from logit_stats.errors import DataError, check_alpha, check_choice, listed
from logit_stats.inference.hypotheses import TestTable
from logit_stats.inference.pooling import Pooled, PooledTest, d1, d2, d3, pooled_scalars
from logit_stats.likelihoods.rows import probability
from logit_stats.results.pooled_tables import PooledPrediction, PooledTable
from logit_stats.results.published import Published
from logit_stats.wording import lines, printed, table

if TYPE_CHECKING:
    from logit_stats.report.summary_output import Summary

TESTS = ("D1", "D2", "D3")
# Columns of tables of estimates by which rows of different data sets are told to be the same.
NUMBERS = (
    "estimate",
    "std_error",
    "z",
    "t",
    "p_value",
    "conf_low",
    "conf_high",
    "link",
    "se_link",
    "prob",
    "note",
    "df",
)


@dataclass(frozen=True, eq=False)
class PooledResults(Published):
    """Results of m imputed data sets, pooled; names as in `LogitResults`.

    Attributes
    ----------
    results : tuple of results
        One for each data set.
    dfcom : float
        Degrees of freedom that complete data would have.
    """

    results: tuple[Any, ...]
    dfcom: float

    @property
    def m(self) -> int:
        """Number of data sets."""
        return len(self.results)

    @property
    def model(self) -> Any:
        """The model of the first data set: formula, names, levels."""
        return self.results[0].model

    @property
    def names(self) -> list[str]:
        """Names of the coefficients."""
        return list(self.results[0].fit_.design.coefficient_names)

    @cached_property
    def pooled(self) -> Pooled:
        """The arithmetic: estimates, covariances, degrees of freedom."""
        betas = np.array([res.fit_.beta for res in self.results])
        return Pooled(betas, np.array([res.covariance_.matrix for res in self.results]), self.dfcom)

    def _series(self, values: FloatArray, name: str | None = None) -> pd.Series:
        return pd.Series(values, index=self.names, name=name)

    @property
    def params(self) -> pd.Series:
        """(k,) pooled coefficients."""
        return self._series(self.pooled.estimate)

    @property
    def bse(self) -> pd.Series:
        """(k,) standard errors, from the total variance."""
        return self._series(self.pooled.standard_errors)

    @property
    def tvalues(self) -> pd.Series:
        """(k,) t statistics."""
        return self._series(self.pooled.estimate / self.pooled.standard_errors)

    @property
    def pvalues(self) -> pd.Series:
        """(k,) two-sided p-values of t with the degrees of freedom `df`."""
        return self._series(np.asarray(self.pooled.reference.p_value(self.tvalues.to_numpy())))

    @property
    def df(self) -> pd.Series:
        """(k,) degrees of freedom of Barnard and Rubin."""
        return self._series(self.pooled.df)

    @property
    def fmi(self) -> pd.Series:
        """(k,) fraction of missing information."""
        return self._series(self.pooled.missing_information)

    @property
    def relative_increase(self) -> pd.Series:
        """(k,) relative increase in variance because of the missing data."""
        return self._series(self.pooled.relative_increase)

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """(k, 2) limits at level ``1 - alpha``."""
        limits = self.pooled.reference.limits(self.pooled.estimate, self.pooled.standard_errors, check_alpha(alpha))
        return pd.DataFrame(limits, index=self.names)

    def cov_params(self) -> pd.DataFrame:
        """(k, k) total covariance."""
        return pd.DataFrame(self.pooled.covariance, index=self.names, columns=self.names)

    def odds_ratios(self, alpha: float = 0.05) -> pd.DataFrame:
        """Odds ratios, their delta-method standard errors, and the exponentiated limits of `conf_int`."""
        ratio, limits = np.exp(self.params), np.exp(self.conf_int(alpha))
        return pd.DataFrame(
            {"odds_ratio": ratio, "std_error": ratio * self.bse, "conf_low": limits[0], "conf_high": limits[1]}
        )

    @property
    def nobs(self) -> float:
        """Number of observations of each data set."""
        return float(self.results[0].nobs)

    @property
    def cov_type(self) -> str:
        """Covariance within the data sets."""
        return str(self.results[0].covariance_.cov_type)

    @property
    def converged(self) -> bool:
        """Whether every fit met its tolerance."""
        return all(res.converged for res in self.results)

    def with_cov(self, cov_type: str, **settings: Any) -> PooledResults:
        """Return the same fits pooled under another covariance within the data sets."""
        return pool([res.with_cov(cov_type, **settings) for res in self.results], dfcom=self.dfcom)

    # Tests.

    def wald_test(self, r: Any, method: str = "D1") -> PooledTest:
        """Joint test of constraints, given as for `LogitResults.wald_test`.

        Parameters
        ----------
        r : str, (q, k) array_like, or pair (R, q)
        method : {"D1", "D2"}
            From the pooled covariance; or from the chi-squared statistics of the data sets.
        """
        check_choice("method", method, ("D1", "D2"))
        constraints = read_constraints(r, tuple(self.names))
        if method == "D1":
            return d1(self.pooled.of(constraints.R), constraints.value)
        return d2(np.array([_chi2(res, constraints) for res in self.results]), len(constraints))

    def wald_test_terms(self, method: str = "D1") -> TestTable:
        """Test of every term of the formula.

        Parameters
        ----------
        method : {"D1", "D2", "D3"}
            Wald's, from the pooled covariance (the one to prefer where there is no other reason); from the statistics of the
            data sets (approximate); likelihood ratios, which refit the model without the term.
        """
        check_choice("method", method, TESTS)
        rows = {}
        for term, columns in self._terms().items():
            found = self._term_test(term, columns, method)
            rows[term] = {
                "F": found.statistic,
                "df_num": found.df_num,
                "df_denom": found.df_denom,
                "p_value": found.pvalue,
            }
        return TestTable(pd.DataFrame(rows).T, f"Tests of terms over {self.m} imputed data sets ({method})")

    def _terms(self) -> dict[str, list[int]]:
        design = self.results[0].fit_.design
        if design.formula is None:
            return {name: [j] for j, name in enumerate(self.names) if j != design.constant}
        position = {name: j for j, name in enumerate(design.names)}
        found = {}
        for term, where in design.formula.term_slices.items():
            columns = [position[name] for name in design.formula.names[where] if name in position]
            columns = [j for j in columns if j != design.constant]
            if columns:
                found[term] = list(design.coefficients_of(tuple(columns)))
        return found

    def _term_test(self, term: str, columns: list[int], method: str) -> PooledTest:
        if method == "D3":
            return self.lr_test(columns)
        R = np.eye(len(self.names))[columns]
        return self.wald_test(R, method)

    def lr_test(self, columns: Sequence[int | str]) -> PooledTest:
        """Likelihood-ratio test (D3) that the coefficients of some columns are zero, by name or position.

        The likelihoods are those at the averages of the coefficients, of the full and of the reduced fits (Meng and Rubin 1992).
        """
        out = [self.names.index(c) if isinstance(c, str) else int(c) for c in columns]
        text = ", ".join(f"`{self.names[j]}` = 0" for j in out)
        R = np.eye(len(self.names))[out]
        for res in self.results:
            res.fit_.facts.require(f"The likelihood-ratio test of {text}", "likelihood", "maximum", "rows")
        reduced = [res.model.fit_constrained((R, np.zeros(len(out)))) for res in self.results]
        of_each = np.array([2.0 * (big.llf - small.llf) for big, small in zip(self.results, reduced, strict=True)])
        full_mean = self.pooled.estimate
        small_mean = np.mean([small.fit_.beta for small in reduced], axis=0)
        at_average = np.array(
            [2.0 * (res.model.loglike(full_mean) - res.model.loglike(small_mean)) for res in self.results]
        )
        return d3(of_each, at_average, len(out))

    # Effects and predictions.

    def _each(
        self, answer: Callable[[Any], pd.DataFrame], keys_of: tuple[str, ...] = NUMBERS
    ) -> tuple[pd.DataFrame, Pooled]:
        """Tables of estimates of the data sets, pooled row by row."""
        frames = [answer(res).reset_index(drop=True) for res in self.results]
        first = frames[0]
        keys = [name for name in first.columns if name not in keys_of]
        for other in frames[1:]:
            if not first[keys].astype(str).equals(other[keys].astype(str)):
                raise DataError(
                    "The data sets give tables of different rows (levels or values that differ between them), which cannot be "
                    "pooled: say the values, for example at={'age': [20, 40]}."
                )
        estimates, errors = (
            np.array([f[name].to_numpy(dtype=float) for f in frames]) for name in ("estimate", "std_error")
        )
        return first[keys], pooled_scalars(estimates, errors, self.dfcom)

    def margins(self, variables: Any = None, *, alpha: float = 0.05, **settings: Any) -> PooledTable:
        """Effects of variables, pooled; arguments as for `LogitResults.margins`."""
        keys, pooled = self._each(lambda res: res.margins(variables, **settings).summary_frame())
        return PooledTable(keys, pooled, "Marginal effects of variables", check_alpha(alpha))

    def means(self, spec: Any, *, alpha: float = 0.05, **settings: Any) -> PooledTable:
        """Estimated marginal means on the log-odds scale, pooled, with the probability of each."""

        def of(res: Any) -> pd.DataFrame:
            frame = res.means(spec, **settings).summary_frame()
            named: pd.DataFrame = frame.drop(columns="std_error").rename(
                columns={"link": "estimate", "se_link": "std_error"}
            )
            return named

        keys, pooled = self._each(of)
        return PooledTable(keys, pooled, "Estimated marginal means (log odds)", check_alpha(alpha), probability=True)

    def get_prediction(self, exog: Any) -> PooledPrediction:
        """Predictions for new data: the linear predictors are pooled, limits go through the link."""
        found = [res.get_prediction(exog) for res in self.results]
        linear, errors = np.array([p.linear for p in found]), np.array([p.se_linear for p in found])
        return PooledPrediction(pooled_scalars(linear, errors, self.dfcom), found[0].index)

    def predict(self, exog: Any) -> pd.Series:
        """(m,) probabilities for new data, from the pooled linear predictor."""
        found = self.get_prediction(exog)
        return pd.Series(found.predicted, index=found.index)

    def roc(self, alpha: float = 0.05) -> pd.Series:
        """Area under the ROC curve, pooled on the log-odds scale with DeLong's variances: auc, conf_low, conf_high, df, fmi."""
        found = [res.roc() for res in self.results]
        auc, variances = np.array([r.auc for r in found]), np.array([r.variance for r in found])
        if not ((auc > 0.0) & (auc < 1.0)).all():
            raise DataError("An area of exactly 0 or 1 has no log odds and cannot be pooled.")
        logit = np.log(auc / (1.0 - auc))[:, None]
        pooled = pooled_scalars(logit, np.sqrt(variances)[:, None] / (auc * (1.0 - auc))[:, None])
        low, high = probability(pooled.reference.limits(pooled.estimate, pooled.standard_errors, check_alpha(alpha))[0])
        values = (probability(pooled.estimate)[0], low, high, pooled.df[0], pooled.missing_information[0])
        return pd.Series(values, index=["auc", "conf_low", "conf_high", "df", "fmi"])

    # Reports.

    def save(self, path: str | Path) -> None:
        """Write the results of all data sets to a file; `logit_stats.load` reads it back."""
        from logit_stats.results.keep import save

        save(self, path)

    def to_json(self, indent: int | None = None) -> str:
        """The model as a text, without rows, that `logit_stats.from_json` reads; see `LogitResults.to_json`."""
        from logit_stats.results.carrying import to_json

        return to_json(self, indent)

    def tidy(self, conf_int: bool = True, exponentiate: bool = False, alpha: float = 0.05) -> pd.DataFrame:
        """One row a coefficient: term, estimate, std_error, statistic, p_value, limits, df, fmi."""
        columns: dict[str, Any] = {"term": self.names, "estimate": self.pooled.estimate, "std_error": self.pooled.standard_errors,
                                   "statistic": self.tvalues.to_numpy(), "p_value": self.pvalues.to_numpy()}  # fmt: skip
        if conf_int:
            limits = self.conf_int(alpha).to_numpy()
            columns |= {"conf_low": limits[:, 0], "conf_high": limits[:, 1]}
        if exponentiate:
            columns |= {
                name: np.exp(columns[name]) for name in ("estimate", "conf_low", "conf_high") if name in columns
            }
        return pd.DataFrame({**columns, "df": self.pooled.df, "fmi": self.pooled.missing_information})

    def glance(self) -> pd.DataFrame:
        """One row: data sets, observations, dfcom, largest fraction of missing information, converged."""
        return pd.DataFrame(
            [{"m": self.m, "nobs": self.nobs, "dfcom": self.dfcom, "fmi_largest": float(np.max(self.pooled.missing_information)),
              "converged": self.converged, "cov_type": self.cov_type}]
        )  # fmt: skip

    def sample_line(self) -> str:
        """The account of the rows in one line."""
        return f"{self.m} imputed data sets, each: {self.results[0].sample_line()}"

    def summary(self, alpha: float = 0.05) -> Summary:
        """Pooled coefficients with degrees of freedom and fractions of missing information."""
        from logit_stats.report.pooled import pooled_summary

        return pooled_summary(self, alpha)

    @printed
    def __str__(self) -> str:
        return f"{lines(self.sample_line())}\n{table(self.tidy(), '{:.5g}'.format)}"

    def __repr__(self) -> str:
        return lines(
            f"<PooledResults of {self.m} data sets, {len(self.names)} coefficients; {self.results[0].sample_line()}>"
        )

    def _repr_html_(self) -> str:
        return str(self.summary()._repr_html_())


def pool(results: Sequence[Any], *, dfcom: float | None = None) -> PooledResults:
    """Pool results of the same model on several imputed data sets, by Rubin's rules.

    Parameters
    ----------
    results : sequence of results
        Two or more, of the same formula on data sets with the same rows.
    dfcom : float, optional
        Degrees of freedom that complete data would have; by default observations minus coefficients, as R's mice.
        Infinite for the large-sample rules.

    Returns
    -------
    PooledResults

    Raises
    ------
    DataError
        If there are fewer than two results, their coefficients or numbers of observations differ, or one is no result of a fit.
    NotAvailableError
        If the results have no standard errors, or infinite coefficients.

    References
    ----------
    Rubin (1987), Multiple Imputation for Nonresponse in Surveys; Barnard and Rubin (1999), Biometrika 86, 948-955.

    Examples
    --------
    >>> import logit_stats as ls
    >>> import numpy as np
    >>> data = ls.datasets.load("pima")
    >>> random = np.random.default_rng(1)
    >>> filled = [data.assign(skin=data["skin"] + random.normal(0, 5, len(data))) for _ in range(3)]
    >>> res = ls.pool([ls.logit("diabetic ~ glu + skin", part).fit() for part in filled])
    >>> res.m, res.params.index.tolist()
    (3, ['Intercept', 'glu', 'skin'])
    """
    found: list[Any] = list(results) if isinstance(results, (list, tuple)) else [results]
    for res in found:
        if not hasattr(res, "fit_"):
            raise DataError(f"pool() takes a list of results of fit(); here is a {type(res).__name__}.")
        res.fit_.facts.require("Pooling", "wald", "finite")
    if len(found) < 2:
        raise DataError("Pooling needs two results or more, one for each imputed data set; here is one.")
    _refuse_unlike(found)
    if dfcom is None:
        dfcom = float(found[0].df_resid)
    if not dfcom > 0.0:
        raise DataError(f"dfcom={dfcom!r} must be above zero: observations minus coefficients, or infinity.")
    return PooledResults(tuple(found), float(dfcom))


def _refuse_unlike(results: list[Any]) -> None:
    names = results[0].fit_.design.coefficient_names
    for i, res in enumerate(results[1:], 2):
        others = res.fit_.design.coefficient_names
        if set(others) != set(names):
            odd = sorted(set(names) ^ set(others))
            raise DataError(
                f"Result {i} has other coefficients than the first ({listed(odd)}): the same formula is needed, and the "
                f"same levels; make factors categoricals with the same categories in every data set."
            )
        if others != names:
            raise DataError(f"Result {i} has its coefficients in another order than the first; fit the same formula.")
        if res.nobs != results[0].nobs:
            raise DataError(
                f"Result {i} has {res.nobs:g} observations, the first {results[0].nobs:g}: imputed data sets have the same rows. "
                f"Are values still missing?"
            )


def _chi2(res: Any, constraints: Constraints) -> float:
    from logit_stats.inference.hypotheses import wald_statistic

    return wald_statistic(res.fit_, res.covariance_, constraints)
