"""Design-based covariance of a survey: sampling weights, strata, primary sampling units, finite populations.

The variance of the weighted total of the scores, by Taylor linearisation (Binder 1983, International Statistical Review 51,
279-292; Lumley 2010, Complex Surveys, chapter 2): within each stratum h of n_h primary sampling units

    (1 - f_h) n_h / (n_h - 1) sum_i (s_hi - mean_h)(s_hi - mean_h)'

with s_hi the sum of the weighted scores of a unit and f_h the share of the stratum's units that were sampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError, NotAvailableError, check_choice, listed
from logit_stats.estimation.fit import Fit
from logit_stats.inference.cluster import read_codes
from logit_stats.inference.row_scores import score_gram, score_residuals, sums_by_code

LONELY = ("error", "adjust", "average")


@dataclass(frozen=True, eq=False)
class SurveyMeat:
    """Meat of the working coefficients.

    Attributes
    ----------
    meat : (k, k)
    df : float
        Design degrees of freedom: sampling units minus strata.
    description : str
    notes : tuple of str
    """

    meat: FloatArray
    df: float
    description: str
    notes: tuple[str, ...]


def survey_meat(fit: Fit, strata: Any = None, psu: Any = None, fpc: Any = None, lonely: str = "error") -> SurveyMeat:
    """Meat of the design-based covariance.

    Parameters
    ----------
    fit : Fit
    strata, psu : str or (n,) array_like, optional
        Stratum and primary sampling unit of each row: a column name or labels. By default one stratum, and rows are units.
        Units of the same label in different strata are different units.
    fpc : str or (n,) array_like, optional
        Number of units in the stratum's population, or the share of them that was sampled; the same in all rows of a
        stratum. By default sampling is with replacement.
    lonely : {"error", "adjust", "average"}
        A stratum of a single unit: refuse it, take its deviation from the mean of all strata, or give it the average
        variance of the others.

    Raises
    ------
    DataError
        If labels are missing, fpc varies within a stratum or is smaller than the sample, or a stratum has a single unit.
    """
    check_choice("lonely", lonely, LONELY)
    if fit.design.weight_kind == "frequency":
        raise NotAvailableError(
            "Frequency weights say how often a row occurs, not how it was sampled; give sampling_weights=."
        )
    n = fit.design.rows
    stratum, names = (
        read_codes(fit.design, strata, "strata") if strata is not None else (np.zeros(n, dtype=np.intp), ["all rows"])
    )
    unit, of_stratum = _units(fit, psu, stratum)
    counts = np.bincount(of_stratum, minlength=len(names)).astype(np.float64)
    share = _shares(fit, fpc, stratum, counts, names)
    alone = (counts == 1) & (share < 1.0)
    if alone.any() and lonely == "error":
        which = [str(names[h]) for h in np.flatnonzero(alone)]
        raise DataError(
            f"The stratum {listed(which)} has a single sampling unit, from which no variance can be estimated: join strata, or "
            f"say lonely='adjust' or lonely='average'."
        )
    with np.errstate(divide="ignore"):
        factor = np.where(counts > 1, (1.0 - share) * counts / (counts - 1.0), 0.0)
    if alone.any() and lonely == "adjust":
        factor[alone] = 1.0 - share[alone]
    meat = _meat(fit, unit, of_stratum, stratum, factor, counts, alone)
    if alone.any() and lonely == "average":
        meat *= len(names) / float(len(names) - alone.sum())
    units = f"{int(counts.sum())} {'rows' if psu is None else 'sampling units'}"
    where = "" if strata is None else f" in {len(names)} strata"
    finite = ", finite-population correction" if fpc is not None else ", with replacement"
    notes = (f"{int(alone.sum())} strata of a single unit: lonely={lonely!r}.",) if alone.any() else ()
    df = float(counts.sum() - len(names))
    return SurveyMeat(meat, df, f"design-based: {units}{where}{finite}, {df:g} degrees of freedom", notes)


def _units(fit: Fit, psu: Any, stratum: NDArray[np.intp]) -> tuple[NDArray[np.intp] | None, NDArray[np.intp]]:
    """Unit of each row (None where rows are units), and stratum of each unit."""
    if psu is None:
        return None, stratum
    codes, _ = read_codes(fit.design, psu, "psu")
    unit, pairs = pd.factorize(codes.astype(np.int64) * (int(stratum.max()) + 1) + stratum)
    return unit.astype(np.intp), np.asarray(pairs % (int(stratum.max()) + 1), dtype=np.intp)


def _shares(fit: Fit, fpc: Any, stratum: NDArray[np.intp], counts: FloatArray, names: list[Any]) -> FloatArray:
    """(strata,) share of the units that was sampled."""
    if fpc is None:
        return np.zeros(len(counts))
    codes, values = read_codes(fit.design, fpc, "fpc")
    try:
        given = np.asarray(values, dtype=np.float64)[codes]
    except (TypeError, ValueError):
        raise DataError("fpc holds texts; give the number of units in the population, or the share sampled.") from None
    first = np.zeros(len(counts))
    first[stratum] = given
    varies = np.flatnonzero(np.bincount(stratum, weights=given != first[stratum], minlength=len(counts)))
    if len(varies):
        raise DataError(f"fpc differs between rows of the stratum {names[varies[0]]!r}; it belongs to the stratum.")
    if (first <= 0.0).any():
        raise DataError("fpc must be positive: a number of units in the population, or the share sampled.")
    share = np.where(first <= 1.0, first, counts / first)
    if (share > 1.0 + 1e-12).any():
        h = int(np.argmax(share))
        raise DataError(
            f"The stratum {names[h]!r} has {counts[h]:g} units in the sample and fpc={first[h]:g} in the population."
        )
    return np.minimum(share, 1.0)


def _meat(
    fit: Fit, unit: NDArray[np.intp] | None, of_stratum: NDArray[np.intp], stratum: NDArray[np.intp],
    factor: FloatArray, counts: FloatArray, alone: NDArray[np.bool_],
) -> FloatArray:  # fmt: skip
    u = score_residuals(fit)
    totals = sums_by_code(fit, stratum, len(counts), u)
    if unit is None:
        square = score_gram(fit, u, factor[stratum])
    else:
        sums = sums_by_code(fit, unit, len(of_stratum), u)
        square = np.asarray((sums * factor[of_stratum]) @ sums.T)
    # a lonely unit keeps its deviation from zero, which is the mean of all scores at the estimate
    centred = np.where(alone, 0.0, factor / counts)
    return np.asarray(square - (totals * centred) @ totals.T)
