"""What separation asks of a likelihood: what its rows demand of a direction along which the likelihood never falls.

There are three kinds. The one linear predictor of a row must rise or fall (`Signs`); forms of several predictors of a row must
not fall (`Forms`); one row must not fall behind another one (`Pairs`). The search itself is `estimation.separation`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import listed_rows


@dataclass(frozen=True, slots=True, eq=False)
class Signs:
    """Where a row has one linear predictor.

    Attributes
    ----------
    sign : (n,)
        +1 where the predictor must not fall, -1 where it must not rise, 0 where it must do neither.
    informative : (n,) bool
        Rows that demand anything.
    """

    sign: FloatArray
    informative: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Forms:
    """Forms of the linear predictors of a row that must not fall.

    Attributes
    ----------
    row, pattern : (N,) int
        Row and pattern of every demand.
    patterns : (P, E)
        Weights of the linear predictors.
    """

    row: NDArray[np.intp]
    pattern: NDArray[np.intp]
    patterns: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Rows that must not fall behind another one.

    Attributes
    ----------
    ahead, behind : (N,) int
        Positions of the two rows of every pair.
    """

    ahead: NDArray[np.intp]
    behind: NDArray[np.intp]


Demands = Signs | Forms | Pairs


class Separated(Protocol):
    """What was found, as far as words need it."""

    @property
    def level(self) -> NDArray[np.int_]:
        """(n,) zero for rows that are not separated."""
        ...

    @property
    def side(self) -> NDArray[np.int_]:
        """(n,) which way a row's predictor goes."""
        ...

    @property
    def rows(self) -> int:
        """Number of rows that are separated."""
        ...

    @property
    def row_labels(self) -> pd.Index:
        """Labels of these rows."""
        ...

    @property
    def along(self) -> str:
        """The direction, written out."""
        ...

    @property
    def without_limit(self) -> list[str]:
        """Coefficients without a finite limit, and where they go."""
        ...


@dataclass(frozen=True, slots=True)
class SeparationWords:
    """How separation is told of a likelihood.

    Attributes
    ----------
    limit : callable
        Sentence of what is certain in the limit, in which rows.
    check : str
        How anyone can check the direction.
    error : callable
        What follows "there is no finite maximum-likelihood estimate." in the error.
    remedies : tuple of str
    sides : bool
        Whether a row is predicted to be an event or none.
    """

    limit: Callable[[Separated], str]
    check: str
    error: Callable[[Design, Separated], str]
    remedies: tuple[str, ...]
    sides: bool = True


def first_six(words: list[str]) -> str:
    """The first six, and whether there are more."""
    return ", ".join(words[:6]) + (" ..." if len(words) > 6 else "")


def labels_of(found: Separated) -> str:
    """Labels of the separated rows, as far as a sentence takes them."""
    return listed_rows(np.asarray(found.row_labels))
