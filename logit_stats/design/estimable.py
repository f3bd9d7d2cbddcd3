"""What the data determine after columns were left out: a row is estimable when the columns left out add nothing to it.

A column left out equals a combination of the others in every row of the fit. In other rows it need not: a cell without
rows, a value off the line on which two numbers lay. The coefficients do not say then what the linear predictor is (it
would depend on which column was left out), and there is no number to give (Searle 1971, Linear Models, section 5.4; R's
emmeans says "nonEst", Stata "not estimable").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import listed

# What is left of a row's terms, relative to their sizes, when the combination holds up to rounding.
ROUNDING = 1e-8


def null_space(design: Design) -> FloatArray | None:
    """(columns of the formula, left out) directions that the data do not see; None where they see all."""
    if not design.left_out or design.formula is None or len(design.aliases) != len(design.left_out):
        return None
    place = {name: j for j, name in enumerate(design.formula.names)}
    if not set(design.left_out) <= place.keys():
        return None
    N = np.zeros((len(place), len(design.left_out)))
    for column, (name, combination) in enumerate(zip(design.left_out, design.aliases, strict=True)):
        N[place[name], column] = 1.0
        for other, weight in combination.items():
            N[place[other], column] -= weight
    return N


def outside(N: FloatArray, X: FloatArray) -> NDArray[np.bool_]:
    """Rows of the formula's columns (m, k) that the data do not determine; rows with missing values are not among them."""
    left, size = np.abs(X @ N), np.abs(X) @ np.abs(N)
    return np.asarray((left > ROUNDING * size).any(axis=1))


def reason(design: Design) -> str:
    """Why there is no number."""
    names = listed([repr(name) for name in design.left_out], 3)
    return (
        f"The data say nothing about it (not estimable): {names} {'was' if len(design.left_out) == 1 else 'were'} left out of "
        f"the model, and what is asked for needs {'it' if len(design.left_out) == 1 else 'them'}."
    )
