"""`CoefficientTable`: every coefficient with its error, statistic, p-value and limits, from which every report is made.

A row belongs to an equation (of several categories; "" where there is one) and a term (a column of the design). What a result
does not have (errors of a penalized fit) is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError, check_alpha


@dataclass(frozen=True, eq=False)
class CoefficientTable:
    """Coefficients, equation by equation.

    Attributes
    ----------
    equations : tuple
        Labels of the equations (levels of the response against the reference); empty where there is one.
    terms : tuple of str
        Names of the columns.
    numbers : (rows, 6)
        Estimate, error, statistic, p-value and limits.
    letter : str
        ``"z"`` or ``"t"``: the reference distribution.
    alpha : float
        The limits have level ``1 - alpha``.
    """

    equations: tuple[Any, ...]
    terms: tuple[str, ...]
    numbers: FloatArray
    letter: str
    alpha: float

    @classmethod
    def of(cls, res: Any, alpha: float = 0.05, method: str | None = None) -> CoefficientTable:
        """Of a result: anything with statsmodels' ``params bse tvalues pvalues conf_int(alpha)`` and ``model.exog_names``."""
        alpha = check_alpha(alpha)
        params = np.asarray(res.params, dtype=np.float64)
        columns = [params.ravel(order="F")]
        wald = getattr(getattr(res, "facts", None), "wald", True)
        if wald:
            given = [np.asarray(v, dtype=np.float64).ravel(order="F") for v in (res.bse, res.tvalues, res.pvalues)]
            limits = res.conf_int(alpha) if method is None else res.conf_int(alpha, method)
            columns += [*given, *np.asarray(limits, dtype=np.float64).reshape(-1, 2).T]
        else:
            columns += [np.full(params.size, np.nan)] * 5
        equations = () if params.ndim == 1 else _labels(res, params.shape[1])
        letter = "t" if wald and getattr(res, "uses_t", getattr(res, "use_t", False)) else "z"
        return cls(equations, tuple(map(str, res.model.exog_names)), np.column_stack(columns), letter, alpha)

    def renamed(self, xname: Sequence[str] | None) -> CoefficientTable:
        """Return the table with other names of the columns.

        Raises
        ------
        DataError
            If there is not one for each.
        """
        names = self.terms if xname is None else tuple(str(name) for name in xname)
        count = len(self.numbers) // max(len(self.equations), 1)
        if len(names) != count:
            raise DataError(f"xname has {len(names)} names; the model has {count} coefficients.")
        return CoefficientTable(self.equations, names, self.numbers, self.letter, self.alpha)

    def heads(self, estimate: str, error: str) -> list[str]:
        """Heads of the six columns; the limits are named by their probabilities."""
        # twelve digits: 1 - alpha / 2 must not show its rounding error
        low, high = self.alpha / 2, 1 - self.alpha / 2
        return [estimate, error, self.letter, f"P>|{self.letter}|", f"[{low:.12g}", f"{high:.12g}]"]

    def by_equation(self) -> FloatArray:
        """(equations, terms, 6) numbers."""
        return self.numbers.reshape(max(len(self.equations), 1), -1, 6)

    @property
    def row_names(self) -> list[str]:
        """Name of every row: the term, after its equation where there are several."""
        if not self.equations:
            return list(self.terms)
        return [f"{equation}: {term}" for equation in self.equations for term in self.terms]

    def keys(self) -> dict[str, list[Any]]:
        """Columns that say which coefficient a row is: term, and y_level where there are several equations."""
        if not self.equations:
            return {"term": list(self.terms)}
        levels = [label for label in self.equations for _ in self.terms]
        return {"y_level": levels, "term": list(self.terms) * len(self.equations)}

    def tidy(self, conf_int: bool = True, exponentiate: bool = False) -> pd.DataFrame:
        """Return the frame of broom's ``tidy``: term, estimate, std_error, statistic, p_value, conf_low, conf_high."""
        names = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"][: 6 if conf_int else 4]
        columns = dict(zip(names, self.numbers.T, strict=False))
        if exponentiate:
            # a limit that is past the largest number is shown as infinite
            with np.errstate(over="ignore"):
                columns |= {
                    name: np.exp(columns[name]) for name in names if name in ("estimate", "conf_low", "conf_high")
                }
        return pd.DataFrame({**self.keys(), **columns})


def _labels(res: Any, count: int) -> tuple[Any, ...]:
    columns = getattr(res.params, "columns", None)
    if columns is not None:
        return tuple(columns)
    design = getattr(res.model, "design", None)
    return (() if design is None else tuple(design.response.labels[-count:])) or tuple(range(1, count + 1))
