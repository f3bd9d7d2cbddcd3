"""What a formula's factors must be before they are laid out: of several levels, of fitting contrasts, of names of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import patsy
from patsy.contrasts import Treatment, code_contrast_matrix

from logit_stats.design.factor import Factor
from logit_stats.design.factor_values import CategoricalValues, FactorValues
from logit_stats.design.reading import ParsedFormula
from logit_stats.design.sample import Mask
from logit_stats.errors import FormulaError, TooFewRowsError, listed

# A contrast is a table of levels by levels: 16,000 levels are two GiB of it.
MOST_LEVELS = 16_000


def refuse_lone_levels(
    factors: dict[str, Factor],
    before: dict[str, FactorValues],
    after: dict[str, FactorValues],
    missing: dict[str, Mask],
    subset: bool,
) -> None:
    """Raise `FormulaError` for a factor of which one level is left: its term would vanish, or be the constant.

    Parameters
    ----------
    factors : dict of str to Factor
        Of the right-hand side.
    before, after : dict of str to FactorValues
        Values in the rows of the subset, and in those of them that are used.
    missing : dict of str to (n,) bool
        The rows (of `before`) in which each variable is missing.
    subset : bool
        Whether there is a subset.
    """
    for name in factors:
        value = after[name]
        if not isinstance(value, CategoricalValues) or len(value.levels) != 1:
            continue
        others = [repr(level) for level in before[name].levels if level != value.levels[0]]  # type: ignore[union-attr]
        raise FormulaError(
            f"{name!r} has only the level {value.levels[0]!r} in the rows used, so there is nothing to compare it with. "
            f"{_why(others, missing, subset)}Leave it out of the formula."
        )


def _why(others: list[str], missing: dict[str, Mask], subset: bool) -> str:
    if others:
        by = listed([f"{name} {int(rows.sum())}" for name, rows in missing.items()])
        return (
            f"The rows of {listed(others)} are left out for missing values ({by}): they cannot both be in the model. "
        )
    return "Rows of other levels are outside the subset, if there are any. " if subset else ""


def refuse_uncodable(parsed: ParsedFormula, values: dict[str, FactorValues], rows: int) -> None:
    """Raise before the columns are laid out where they cannot be, naming the factor.

    Raises
    ------
    FormulaError
        If a contrast does not fit the levels, there are too many levels, or a column would have the name of the constant.
    TooFewRowsError
        If a factor alone has as many levels as there are rows.
    """
    for name, value in values.items():
        if isinstance(value, CategoricalValues):
            _refuse_many(name, len(value.levels), rows)
            _refuse_contrast(name, value)
    bare = {term.factors[0].name() for term in parsed.terms if len(term.factors) == 1}
    if patsy.INTERCEPT in parsed.terms and "Intercept" in bare:
        raise FormulaError(
            f"The column 'Intercept' in {parsed.text!r} has the name of the constant that every formula adds. Leave it out if "
            f"it is the constant, write '- 1' to have it in its place, or rename it."
        )


def _refuse_many(name: str, levels: int, rows: int) -> None:
    if levels <= MOST_LEVELS:
        return
    instead = (
        f"For effects of so many groups fit them without columns: absorb={name!r}, clogit(groups={name!r}), or a random "
        f"intercept by melogit; for errors that allow for groups, with_cov('cluster', groups={name!r})."
    )
    if levels >= rows:
        raise TooFewRowsError(
            f"{name!r} has {levels:,} levels, one for every row: an identifier is no predictor. {instead}"
        )
    raise FormulaError(
        f"{name!r} has {levels:,} levels; their contrasts alone would take {8e-9 * levels * levels:,.0f} GB. {instead}"
    )


def _refuse_contrast(name: str, value: CategoricalValues) -> None:
    if value.contrast is None:
        return
    try:
        for constant in (False, True):
            code_contrast_matrix(constant, list(value.levels), value.contrast, Treatment)
    except Exception as error:
        reason = error.message if isinstance(error, patsy.PatsyError) else str(error)
        raise FormulaError(
            f"The contrast of {name!r} does not fit its levels {_shown(value.levels)}: {reason}."
        ) from None


def _shown(levels: tuple[Any, ...]) -> str:
    return listed([repr(level.item() if isinstance(level, np.generic) else level) for level in levels], 8)
