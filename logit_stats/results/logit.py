"""`LogitResults`: results of a binary or grouped logit by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass

from logit_stats.results.answers import Answers


@dataclass(frozen=True, eq=False, repr=False)
class LogitResults(Answers):
    """Results of a logit fit, with statsmodels' names.

    Results of formula fits (and of fits to pandas objects) carry labels; those of array fits are NumPy arrays.

    Attributes
    ----------
    model : Logit
        The model.
    fit_ : Fit
        The finished fit in the solver's terms.
    covariance_ : Covariance
        The covariance that standard errors, tests and intervals use.
    inference_ : Inference
        How p-values and limits of the coefficients are had.
    """
