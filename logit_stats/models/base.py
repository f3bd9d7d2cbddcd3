"""`DesignModel`: what every model of the package says of the data it is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.sample import Sample
from logit_stats.errors import UnknownOptionError
from logit_stats.wording import lines


class DesignModel:
    """Data in the form of a design.

    Attributes
    ----------
    design : Design
    check_rank : bool or "drop"
        What is done about dependent columns.
    """

    design: Design
    check_rank: bool | str

    def _adopt(self, design: Design, check_rank: bool | str) -> None:
        if check_rank not in (True, False, "drop"):
            raise UnknownOptionError(f"check_rank={check_rank!r} is not known; choose one of True, False, 'drop'.")
        self.design = design
        self.check_rank = check_rank

    @property
    def exog(self) -> FloatArray:
        """(n, k) design columns; factors kept as codes are written out."""
        return np.asarray(self.design.X)

    @property
    def endog_names(self) -> str:
        """Name of the response."""
        return self.design.response.name

    @property
    def exog_names(self) -> list[str]:
        """Names of the design columns."""
        return list(self.design.names)

    @property
    def nobs(self) -> float:
        """Number of observations: rows, or the sum of the frequency weights."""
        return self.design.observations

    @property
    def df_model(self) -> float:
        """Number of coefficients beyond the constants."""
        return float(self.design.equations * (self.design.columns - (self.design.constant is not None)))

    @property
    def df_resid(self) -> float:
        """Observations minus coefficients."""
        return self.design.observations - self.design.columns * self.design.equations

    @property
    def formula(self) -> str | None:
        """The formula; None for array fits."""
        return None if self.design.formula is None else self.design.formula.text

    @property
    def design_info(self) -> Any:
        """DesignInfo (patsy's) of the columns; None for array fits."""
        return None if self.design.formula is None else self.design.formula.info

    @property
    def sample(self) -> Sample:
        """The account of the rows: read, dropped and why, used."""
        return self.design.sample

    def __repr__(self) -> str:
        what = f"{self.formula!r}" if self.formula else f"{self.design.columns} columns"
        return lines(f"<{type(self).__name__} {what}: {self.sample.line()}>")
