"""Design-based covariance of a survey: sampling weights, strata, primary sampling units, finite populations, domains.

The variance of the weighted total of the scores, by Taylor linearisation (Binder 1983, International Statistical Review 51,
279-292; Lumley 2010, Complex Surveys, chapter 2): within each stratum h of n_h primary sampling units

    (1 - f_h) n_h / (n_h - 1) sum_i (s_hi - mean_h)(s_hi - mean_h)'

with s_hi the sum of the weighted scores of a unit (zero for a unit without rows in the domain) and f_h the share of the stratum's
units that were sampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.given_rows import for_rows_used
from logit_stats.errors import DataError, NotAvailableError, check_choice, listed, listed_rows
from logit_stats.estimation.fit import Fit
from logit_stats.inference.row_scores import meat_by_code, score_gram, score_residuals, sums_by_code
from logit_stats.inference.survey_design import SurveyDesign, survey_design

LONELY = ("error", "remove", "certainty", "adjust", "average")


@dataclass(frozen=True, eq=False)
class SurveyMeat:
    """Meat of the working coefficients.

    Attributes
    ----------
    meat : (k, k)
    df : float
        Design degrees of freedom: sampling units minus strata, of those with rows in the domain.
    description : str
    notes : tuple of str
    """

    meat: FloatArray
    df: float
    description: str
    notes: tuple[str, ...]


def survey_meat(
    fit: Fit, strata: Any = None, psu: Any = None, fpc: Any = None, lonely: str = "error", subpop: Any = None
) -> SurveyMeat:
    """Meat of the design-based covariance.

    Parameters
    ----------
    fit : Fit
    strata, psu : str or (n,) array_like, optional
        Stratum and primary sampling unit of each row: a column name or labels. By default one stratum, and rows are units.
        Units of the same label in different strata are different units. Given for all rows read, they keep the design where
        the fit uses some of these: the rows used are then a domain.
    fpc : str or (n,) array_like, optional
        Number of units in the stratum's population, or the share of them that was sampled; the same in all rows of a
        stratum. By default sampling is with replacement.
    lonely : {"error", "remove", "certainty", "adjust", "average"}
        A stratum of a single unit: refuse it; let it contribute nothing (``"remove"``, ``"certainty"``); take its deviation from
        the mean of all strata; or give it the average variance of the others.
    subpop : str or (n,) array_like of bool, optional
        The domain, to be checked: every row used must lie in it.

    Raises
    ------
    DataError
        If labels are missing, fpc varies within a stratum or is smaller than the sample, a stratum has a single unit, or the
        fit used rows outside `subpop`.
    """
    check_choice("lonely", lonely, LONELY)
    if fit.design.weight_kind == "frequency":
        raise NotAvailableError(
            "Frequency weights say how often a row occurs, not how it was sampled; give sampling_weights=."
        )
    if subpop is not None:
        _refuse_rows_outside(fit, subpop)
    survey = survey_design(fit.design, strata, psu, fpc)
    alone = (survey.counts == 1) & (survey.share < 1.0) & survey.present
    if alone.any() and lonely == "error":
        which = [str(survey.names[h]) for h in np.flatnonzero(alone)]
        raise DataError(
            f"The stratum {listed(which)} has a single sampling unit, from which no variance can be estimated: join strata, or "
            f"say lonely='adjust', 'average', or 'certainty' if the unit was sure to be sampled."
        )
    meat = _meat(fit, survey, alone, lonely)
    if alone.any() and lonely == "average":
        present = int(survey.present.sum())
        if present == alone.sum():
            raise DataError("Every stratum has a single sampling unit; there are no others to average. Join strata.")
        meat *= present / float(present - alone.sum())
    return SurveyMeat(meat, survey.df, _words(survey, strata, psu, fpc), _notes(survey, psu, alone, lonely))


def _refuse_rows_outside(fit: Fit, subpop: Any) -> None:
    """A covariance of the same fit cannot be that of fewer rows."""
    inside = np.asarray(for_rows_used(fit.design, "subpop", subpop))
    if inside.dtype != np.bool_ and not np.isin(inside, (0, 1)).all():
        raise DataError("subpop must be true or false (or 1 and 0) in every row.")
    outside = ~inside.astype(np.bool_)
    if outside.any():
        raise DataError(
            f"{int(outside.sum())} rows that the fit used are outside subpop (row "
            f"{listed_rows(np.asarray(fit.design.index)[outside], 3)}). The estimates of a domain need a fit of its rows: "
            f"give subset= to the model; strata= and psu= then keep the design of all rows."
        )


def _meat(fit: Fit, survey: SurveyDesign, alone: NDArray[np.bool_], lonely: str) -> FloatArray:
    counts = survey.counts
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(counts > 1, (1.0 - survey.share) * counts / (counts - 1.0), 0.0)
    if lonely == "adjust":
        factor[alone] = 1.0 - survey.share[alone]
    u = score_residuals(fit)
    totals = sums_by_code(fit, survey.stratum, len(counts), u)
    if survey.unit is None:
        square = score_gram(fit, u, factor[survey.stratum])
    else:
        square = meat_by_code(fit, survey.unit, len(survey.of_unit), u, factor[survey.of_unit])
    # a lonely unit keeps its deviation from zero, which is the mean of all scores at the estimate
    centred = np.where(alone, 0.0, factor / counts)
    return np.asarray(square - (totals * centred) @ totals.T)


def _words(survey: SurveyDesign, strata: Any, psu: Any, fpc: Any) -> str:
    units = f"{survey.sampled} {'rows' if psu is None else 'sampling units'}"
    where = "" if strata is None else f" in {len(survey.names)} strata"
    finite = ", finite-population correction" if fpc is not None else ", with replacement"
    return f"design-based: {units}{where}{finite}, {survey.df:g} degrees of freedom"


def _notes(survey: SurveyDesign, psu: Any, alone: NDArray[np.bool_], lonely: str) -> tuple[str, ...]:
    notes = survey.notes
    if alone.any():
        notes += (f"{int(alone.sum())} strata of a single unit: lonely={lonely!r}.",)
    if len(survey.of_unit) < survey.sampled:
        what = "rows" if psu is None else "sampling units"
        notes += (
            f"A domain: {len(survey.of_unit)} of the {survey.sampled} {what} sampled have rows in the fit; the variance is "
            f"that of the whole design.",
        )
    return notes
