"""`RandomEffectsLogit` and `melogit`: the subject-specific logit of outcomes in groups, with random effects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.formula import capture_scope
from logit_stats.design.from_arrays import design_from_arrays
from logit_stats.design.from_formula import design_from_formula
from logit_stats.design.given_rows import for_rows_used
from logit_stats.design.random_columns import RandomPart, group_codes, names_needed, random_part
from logit_stats.design.random_terms import RandomTerm, split_random_terms
from logit_stats.design.row_arguments import RowArguments
from logit_stats.design.table import Table
from logit_stats.errors import DataError, whole_number
from logit_stats.estimation.mixed import mixed_fit
from logit_stats.inference.mixed_covariance import mixed_covariance
from logit_stats.models.base import DesignModel

if TYPE_CHECKING:
    from logit_stats.results.mixed import MixedResults


class RandomEffectsLogit(DesignModel):
    """Logit model of arrays with random effects for groups.

    Parameters
    ----------
    endog : (n,) array_like, or (n, 2) counts
        As for `Logit`.
    exog : (n, k) array_like
        Design columns of the fixed part. No intercept is added.
    groups : (n,) array_like
        Group of each row.
    exog_re : (n, q) array_like, optional
        What the random effects of a group multiply, correlated; by default a random intercept.
    quadrature : int
        Points of adaptive Gauss-Hermite quadrature; 1 is Laplace's approximation, the only one for several effects.
    offset, freq_weights, trials, missing, check_rank
        As for `Logit`; frequency weights stand for identical groups, and are the same in all rows of a group.

    References
    ----------
    Breslow and Clayton (1993), JASA 88, 9-25; Pinheiro and Bates (1995), J. Computational and Graphical Statistics 4, 12-35.

    Examples
    --------
    >>> import numpy as np
    >>> from logit_stats import RandomEffectsLogit
    >>> y = [0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 1]
    >>> groups = np.repeat([1, 2, 3, 4], 4)
    >>> res = RandomEffectsLogit(y, np.ones((16, 1)), groups, quadrature=15).fit()
    >>> res.params.round(3), round(float(res.variance_components().frame.estimate[0]), 3)
    (array([-0.35]), 1.25)
    """

    quadrature: int
    random: tuple[RandomPart, ...]
    text: str | None

    def __init__(
        self,
        endog: Any,
        exog: Any,
        groups: Any,
        *,
        exog_re: Any = None,
        quadrature: int = 1,
        offset: Any = None,
        freq_weights: Any = None,
        trials: Any = None,
        missing: str = "none",
        check_rank: bool | str = True,
    ) -> None:
        if groups is None:
            raise DataError("groups= says which rows belong together: give one label for each row.")
        labels = {"groups": groups}
        if exog_re is not None:
            columns = np.asarray(exog_re, dtype=np.float64)
            columns = columns[:, None] if columns.ndim == 1 else columns
            labels["exog_re"] = np.where(np.isfinite(columns).all(axis=1), 1.0, np.nan)
        arguments = RowArguments(
            offset=offset, freq_weights=freq_weights, trials=trials, missing=missing, labels=labels
        )
        design = design_from_arrays(endog, exog, arguments, refuse_wide=check_rank is True)
        found, codes = group_codes([for_rows_used(design, "groups", groups)])
        Z = np.ones((design.rows, 1)) if exog_re is None else np.asarray(for_rows_used(design, "exog_re", columns))
        names = ("const",) if exog_re is None else tuple(f"z{j + 1}" for j in range(Z.shape[1]))
        part = RandomPart(RandomTerm(" + ".join(names), ("groups",), True), names, found, codes, Z, None)
        self._adopt_random(design, (part,), quadrature, check_rank, None)

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        *,
        quadrature: int = 1,
        subset: Any = None,
        missing: str = "drop",
        offset: Any = None,
        freq_weights: Any = None,
        trials: Any = None,
        check_rank: bool | str = True,
        depth: int = 0,
    ) -> Self:
        """Model from a formula with random terms and a table; arguments as for `melogit`."""
        fixed, terms = split_random_terms(formula)
        scope = capture_scope(depth + 1)
        arguments = RowArguments(
            offset=offset,
            freq_weights=freq_weights,
            trials=trials,
            subset=subset,
            missing=missing,
            labels=names_needed(terms, scope, Table.of(data)),
        )
        design = design_from_formula(fixed, data, scope, arguments, refuse_wide=check_rank is True)
        model = cls.__new__(cls)
        parts = tuple(random_part(term, scope, design) for term in terms)
        model._adopt_random(design, parts, quadrature, check_rank, formula)
        return model

    def _adopt_random(
        self, design: Design, parts: tuple[RandomPart, ...], quadrature: int, check_rank: bool | str, text: str | None
    ) -> None:
        self.quadrature = whole_number("quadrature", quadrature)
        self.random = parts
        self.text = text
        self._adopt(design, check_rank)

    @property
    def endog(self) -> FloatArray:
        """(n,) outcome: 0/1, or the proportion of successes of grouped rows."""
        return self.design.response.proportions

    @property
    def formula(self) -> str | None:
        """The formula, random terms included; None for array fits."""
        return self.text

    def fit(self, *, cov_type: str = "nonrobust", maxiter: int = 60) -> MixedResults:
        """Fit by maximum marginal likelihood.

        Parameters
        ----------
        cov_type : {"nonrobust", "robust"}
            From the observed information, or the sandwich of the scores of groups (one grouping).
        maxiter : int

        Returns
        -------
        MixedResults

        Raises
        ------
        SeparationError, EstimationError
            If there is no finite estimate.
        DataError
            If there is a single group, or nothing repeats within groups.

        Warns
        -----
        ConvergenceWarning
            If the iterations end before the maximum is reached.
        """
        from logit_stats.results.mixed import MixedResults

        fitted = mixed_fit(self.design, self.random, self.quadrature, maxiter=maxiter, check_rank=self.check_rank)
        return MixedResults(self.with_design(fitted.design), fitted, mixed_covariance(fitted, cov_type))

    def with_design(self, design: Design) -> RandomEffectsLogit:
        """Return the model of another design, this one where it is the same."""
        if design is self.design:
            return self
        model = RandomEffectsLogit.__new__(RandomEffectsLogit)
        random = self.random if design.has_rows else tuple(part.without_rows() for part in self.random)
        model.__dict__.update({**self.__dict__, "design": design, "random": random})
        return model


def melogit(
    formula: str,
    data: Any,
    *,
    quadrature: int = 1,
    subset: Any = None,
    missing: str = "drop",
    offset: Any = None,
    freq_weights: Any = None,
    trials: Any = None,
    check_rank: bool | str = True,
) -> RandomEffectsLogit:
    """Logit with random effects, from a formula and a table.

    The coefficients compare the same group (person, school) under two conditions; for groups of the population see `gee`, or
    the predictions and margins of this model with ``effects="population"``.

    Parameters
    ----------
    formula : str
        As for `logit`, with random terms: ``(1 | id)`` a random intercept, ``(1 + x | id)`` with a correlated random slope,
        ``(1 + x || id)`` without a correlation, ``(1 | school / class)`` nested and ``(1 | person) + (1 | item)`` crossed.
    data : DataFrame, dict of arrays, polars or Arrow table
    quadrature : int
        Points of adaptive Gauss-Hermite quadrature for one random effect; 1 is Laplace's approximation. Small groups and
        large variances need more: compare 1, 7 and 25.
    subset, missing, offset, trials, check_rank
        As for `logit`.
    freq_weights : str or (n,) array_like, optional
        How many identical groups a group stands for: the same in all of its rows.

    Returns
    -------
    RandomEffectsLogit
        Call `.fit()`.

    Examples
    --------
    >>> import logit_stats as ls
    >>> data = {"y": [0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 1], "id": [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4}
    >>> res = ls.melogit("y ~ 1 + (1 | id)", data, quadrature=15).fit()
    >>> print(res.icc())
    Intraclass correlation of id: 0.3221 (SE 0.378, 0.0157 to 0.9338)
    """
    return RandomEffectsLogit.from_formula(
        formula,
        data,
        quadrature=quadrature,
        subset=subset,
        missing=missing,
        offset=offset,
        freq_weights=freq_weights,
        trials=trials,
        check_rank=check_rank,
        depth=1,
    )
