"""`MNLogitResults`: results of a multinomial logit by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass

from logit_stats.results.of_categories import OfCategories


@dataclass(frozen=True, eq=False, repr=False)
class MNLogitResults(OfCategories):
    """Results of a multinomial logit fit, with statsmodels' names.

    Coefficients are a table with a row for each column of the design and a column for each category but the reference.
    Results of formula fits (and of fits to pandas objects) carry labels; those of array fits are NumPy arrays.

    Attributes
    ----------
    model : MNLogit
        The model.
    fit_ : Fit
        The finished fit in the solver's terms.
    covariance_ : Covariance
        The covariance that standard errors, tests and intervals use.
    inference_ : Inference
        How p-values and limits of the coefficients are had.
    """
