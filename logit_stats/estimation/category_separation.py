"""Separation where the response has several categories: which categories become impossible, and where coefficients go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import SeparationError, listed, listed_rows
from logit_stats.estimation.category_comparisons import Comparisons
from logit_stats.estimation.recession import RecessionCone, combined
from logit_stats.estimation.separation import Separation, directions_of, user_direction


@dataclass(frozen=True, eq=False, repr=False)
class CategorySeparation(Separation):
    """What is separated; directions and fates are of the coefficients ``category:column``.

    `level` and `side` are not zero in rows for which some category becomes impossible in the limit.
    """

    remedies: ClassVar[tuple[str, ...]] = (
        "joining categories, or sparse levels",
        "leaving columns out",
        "fit_regularized() shrinks all coefficients",
    )

    def rows_frame(self) -> pd.DataFrame:
        """One row for each row for which some category becomes impossible, and by which of the directions."""
        return pd.DataFrame({"direction": self.level[self.level > 0]}, index=self.row_labels)

    def _sentences(self) -> tuple[list[str], list[str]]:
        above = [
            f"{self.kind.capitalize()} separation: there is no finite maximum-likelihood estimate.",
            f"In {self.rows} of {len(self.level)} rows some category becomes impossible in the limit: "
            f"{listed_rows(np.asarray(self.row_labels))}.",
        ]
        below = [
            "To check: along the direction (zero for the reference) no row's linear predictor grows faster for another category "
            "than for its own; so the likelihood never falls."
        ]
        if self.undetermined:
            below.append(
                f"Undetermined: {listed(self.undetermined)}. The likelihood comes as near to its supremum with any value."
            )
        return above, below


def find_category_separation(design: Design, gamma: FloatArray | None = None) -> Separation:
    """Search for directions of separation; parameters as for `find_separation`."""
    rows = Comparisons.of(design)
    first = rows.sign * 0.0 if gamma is None else rows.margins(rows.working.gamma(gamma))
    directions, level, left = directions_of(rows, first)
    if not directions:
        return none_of_categories(design)
    of_row = level.reshape(design.rows, -1)
    never = len(directions) + 1
    row_level = np.where(of_row > 0, of_row, never).min(axis=1)
    row_level = np.where(row_level == never, 0, row_level)
    return CategorySeparation(
        kind="quasi-complete" if left.any() else "complete",
        names=design.coefficient_names,
        direction=user_direction(rows.working, combined(rows, directions, level)),
        directions=np.array([user_direction(rows.working, d) for d in directions]),
        level=row_level,
        side=(row_level > 0).astype(np.int_),
        fates=tuple(RecessionCone.of(rows, level > 0).fates(rows.working.matrix(rows.coefficients))),
        index=design.index,
    )


def none_of_categories(design: Design) -> Separation:
    """Return what is to be said of a design whose estimate is finite."""
    k, nowhere = len(design.coefficient_names), np.zeros(design.rows, dtype=np.int_)
    return CategorySeparation(
        "none", design.coefficient_names, np.zeros(k), np.zeros((0, k)), nowhere, nowhere, ("finite",) * k, design.index
    )


def category_separation_error(design: Design, separation: Separation) -> SeparationError:
    """Return the error that says which coefficients have no finite estimate, and in how many rows."""
    categories = design.response.categories
    assert categories is not None
    infinite = [f"{name} -> {'+' if limit > 0 else '-'}inf" for name, limit in separation.infinite.items()]
    infinite += [f"{name} (undetermined)" for name in separation.undetermined]
    message = (
        f"{separation.kind.capitalize()} separation: there is no finite maximum-likelihood estimate. Some categories of "
        f"{design.response.name} never occur, or always, where certain columns say so: the likelihood keeps rising with "
        f"{', '.join(infinite[:6])}{' ...' if len(infinite) > 6 else ''} (category:column; the reference is "
        f"{categories.labels[0]!r}). In {separation.rows} of {design.rows} rows a category becomes impossible (row "
        f"{listed_rows(np.asarray(separation.row_labels))}). Join categories or sparse levels, leave the columns "
        f"out, or use fit_regularized()."
    )
    return SeparationError(message, separation)
