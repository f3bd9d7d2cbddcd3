"""Data sets in the form of statsmodels' ``datasets``: response and other columns apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Bunch:
    """A data set in parts.

    Attributes
    ----------
    data : DataFrame
        All of it.
    endog : Series
        The response of the model to begin with.
    exog : DataFrame
        The other columns.
    """

    data: pd.DataFrame
    endog: pd.Series
    exog: pd.DataFrame

    @property
    def endog_name(self) -> str:
        """Name of the response."""
        return str(self.endog.name)

    @property
    def exog_name(self) -> list[str]:
        """Names of the other columns."""
        return [str(name) for name in self.exog.columns]

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return [str(name) for name in self.data.columns]

    @property
    def raw_data(self) -> NDArray[np.generic]:
        """(n, c) all columns as an array."""
        return self.data.to_numpy()


@dataclass(frozen=True, slots=True)
class Loader:
    """A data set by name: ``datasets.spector``.

    Attributes
    ----------
    name : str
    load_frame, describe : callable
        `datasets.load` and `datasets.describe`.
    """

    name: str
    load_frame: Callable[[str], pd.DataFrame]
    describe: Callable[[str], Any]

    def load_pandas(self) -> Bunch:
        """Load the data set: response and other columns apart.

        Examples
        --------
        >>> from logit_stats import datasets
        >>> datasets.spector.load_pandas().exog.columns.tolist()
        ['GPA', 'TUCE', 'PSI']
        """
        data = self.load_frame(self.name)
        response = self.describe(self.name).formula.split("~")[0].split("+")[0].strip()
        return Bunch(data, data[response], data.drop(columns=response))

    def load(self) -> Bunch:
        """Load the data set, as `load_pandas`."""
        return self.load_pandas()

    @property
    def NOTE(self) -> str:
        """What the data set holds and where it comes from."""
        return str(self.describe(self.name))
