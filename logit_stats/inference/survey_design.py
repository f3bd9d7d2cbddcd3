"""`SurveyDesign`: strata and sampling units of all rows that were read, of which a fit may use a part, its domain.

The units of a stratum are those that were sampled, whether they have rows in the domain or not: a domain is no sample of its
own (Lumley 2010, Complex Surveys, section 2.2.1). Rows outside `subset=`, of zero weight, or dropped for missing values belong
to the design.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.alignment import in_row_order
from logit_stats.design.block import FloatArray
from logit_stats.design.containers import as_column
from logit_stats.design.design import Design
from logit_stats.design.given_rows import for_rows_used
from logit_stats.errors import DataError, counted, listed_rows

Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class SurveyDesign:
    """The design of a survey.

    Attributes
    ----------
    names : list
        What the strata are called.
    stratum : (n,) int
        Stratum of each row used.
    unit : (n,) int or None
        Sampling unit of each row used; None where rows are units.
    of_unit : (units,) int
        Stratum of each unit that has rows used.
    counts : (strata,)
        Number of units sampled in each stratum, those without rows used among them.
    share : (strata,)
        Share of the units of the population that was sampled; zero for sampling with replacement.
    notes : tuple of str
    """

    names: list[Any]
    stratum: Codes
    unit: Codes | None
    of_unit: Codes
    counts: FloatArray
    share: FloatArray
    notes: tuple[str, ...]

    @property
    def present(self) -> NDArray[np.bool_]:
        """(strata,) whether a stratum has rows used."""
        return np.bincount(self.of_unit, minlength=len(self.names)) > 0

    @property
    def df(self) -> float:
        """Degrees of freedom: units minus strata, of those that have rows used."""
        return float(len(self.of_unit) - int(self.present.sum()))

    @property
    def sampled(self) -> int:
        """Number of units sampled."""
        return int(self.counts.sum())


def survey_design(design: Design, strata: Any, psu: Any, fpc: Any) -> SurveyDesign:
    """Read the design.

    Raises
    ------
    MissingColumnError, DataError
        If a column is not there, labels are missing in a row used, fpc varies within a stratum or is smaller than the sample.
    """
    given = {name: value for name, value in (("strata", strata), ("psu", psu), ("fpc", fpc)) if value is not None}
    columns = {name: _all_rows(design, name, value) for name, value in given.items()}
    member, notes = _members(design, columns)
    used = design.sample.used[member]
    stratum, names = _codes(columns.get("strata"), member, len(used), "all rows")
    unit, of_unit = _units(columns.get("psu"), member, stratum)
    counts = np.bincount(of_unit, minlength=len(names)).astype(np.float64)
    share = _shares(columns.get("fpc"), member, stratum, counts, names)
    own, active = (None, stratum[used]) if unit is None else _renumbered(unit[used], of_unit)
    return SurveyDesign(names, stratum[used], own, active, counts, share, notes)


def _all_rows(design: Design, argument: str, given: Any) -> pd.Series:
    """Values of all rows read; missing where labels were given for the rows used only."""
    sample = design.sample
    used = pd.Series(np.asarray(for_rows_used(design, argument, given), dtype=object))
    if isinstance(given, str):
        assert design.table is not None
        whole: Any = design.table.column(given, argument)
    else:
        whole = as_column(given)
        whole = in_row_order(argument, whole, sample.index, design.index) if design.labelled else whole
    if used.isna().any():
        rows = np.asarray(design.index)[used.isna().to_numpy()]
        raise DataError(
            f"{argument} is missing in {counted(len(rows), 'row')} used (row {listed_rows(rows)}); fill it, or leave these rows "
            f"out with subset=."
        )
    if len(whole) == sample.read:
        return pd.Series(np.asarray(whole, dtype=object))
    values = np.full(sample.read, None, dtype=object)
    values[sample.used] = used.to_numpy()
    return pd.Series(values)


def _members(design: Design, columns: dict[str, pd.Series]) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Rows that belong to the design, and what must be said of the others."""
    member = np.ones(design.sample.read, dtype=np.bool_)
    for column in columns.values():
        member &= column.notna().to_numpy()
    left = int((~member).sum())
    if design.sample.taken_out is not None:
        member &= ~design.sample.taken_out
    if not left:
        return member, ()
    return member, (
        f"{left} rows that were read have no {' or '.join(columns)} and were taken to be no part of the survey's design; if they "
        f"are, give these for all rows read.",
    )


def _codes(column: pd.Series | None, member: NDArray[np.bool_], rows: int, whole: str) -> tuple[Codes, list[Any]]:
    if column is None:
        return np.zeros(rows, dtype=np.intp), [whole]
    codes, names = pd.factorize(column[member])
    return codes.astype(np.intp), list(names)


def _units(column: pd.Series | None, member: NDArray[np.bool_], stratum: Codes) -> tuple[Codes | None, Codes]:
    """Unit of each row of the design (None where rows are units), and stratum of each unit."""
    if column is None:
        return None, stratum
    codes, _ = pd.factorize(column[member])
    strata = int(stratum.max()) + 1
    unit, pairs = pd.factorize(codes.astype(np.int64) * strata + stratum)
    return unit.astype(np.intp), np.asarray(pairs % strata, dtype=np.intp)


def _renumbered(unit: Codes, of_unit: Codes) -> tuple[Codes, Codes]:
    """Units that have rows used, counted from zero, and their strata."""
    codes, which = pd.factorize(unit)
    return codes.astype(np.intp), of_unit[which]


def _shares(
    column: pd.Series | None, member: NDArray[np.bool_], stratum: Codes, counts: FloatArray, names: list[Any]
) -> FloatArray:
    """(strata,) share of the units that was sampled."""
    if column is None:
        return np.zeros(len(counts))
    try:
        given = column[member].to_numpy().astype(np.float64)
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
