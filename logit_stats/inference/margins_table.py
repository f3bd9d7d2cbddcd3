"""`Margins`: effects of variables as a table, and hypotheses about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from itertools import combinations

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.constraints import read_constraints
from logit_stats.errors import DataError
from logit_stats.inference.combined_estimates import EstimateTest, combination_test, joint_test
from logit_stats.inference.hypotheses import WaldTest
from logit_stats.inference.reference import NORMAL, Reference
from logit_stats.wording import lines, printed, table

CONTRASTS = ("reference", "pairwise", "sequential")


@dataclass(frozen=True, eq=False)
class Margins:
    """Effects of variables.

    Attributes
    ----------
    frame : DataFrame
        One row for each effect: variable, contrast, the values and groups it holds for, estimate, std_error, z (or t, as the
        covariance has it), p_value, conf_low, conf_high. Ratios have their standard error on the log scale.
    covariance : (m, m)
        Covariance of the estimates (of their logarithms for ratios, of the differences for numbers needed to treat).
    method, comparison : str
        What was asked for.
    alpha : float
        The limits have level ``1 - alpha``.
    cov_type : str
        Covariance of the coefficients that the standard errors come from.
    notes : tuple of str
        What a reader must know: steps of expressions, what is not estimable.
    estimates : (m,)
        The estimates on the scale of the covariance.
    gradients : (m, p)
        Their derivatives by the working parameters.
    reference : Reference
        What statistics are compared with.
    """

    frame: pd.DataFrame
    covariance: FloatArray
    method: str
    comparison: str
    alpha: float
    cov_type: str
    notes: tuple[str, ...] = ()
    estimates: FloatArray = field(default_factory=lambda: np.zeros(0), repr=False)
    gradients: FloatArray = field(default_factory=lambda: np.zeros((0, 0)), repr=False)
    reference: Reference = field(default=NORMAL, repr=False)

    def summary_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the rows in hypotheses: ``b1``, ``b2``, ... in the order of the table."""
        return tuple(f"b{i + 1}" for i in range(len(self.frame)))

    def contrast(self, hypothesis: object = "reference", alpha: float | None = None) -> EstimateTest:
        """Differences, or other combinations, of the effects, each with its error, test and limits.

        Parameters
        ----------
        hypothesis : str, matrix or pair
            ``"b2 - b1"``, ``"b1 = b2, b3 = 0"`` with b1, b2, ... for the rows of the table; a matrix with a column for each row;
            or ``"reference"`` (each against the first), ``"pairwise"`` or ``"sequential"`` (each against the one before).
        alpha : float, optional
            By default that of the table.

        Returns
        -------
        EstimateTest
            Of ratios differences of logarithms: their exponentials are ratios of ratios.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("low ~ smoke * age + lwt", ls.datasets.load("birthwt")).fit()
        >>> effects = res.margins("smoke", at={"age": [20, 30]}, dummy=True)
        >>> print(effects.contrast("b2 - b1").summary_frame()[["estimate", "std_error", "p_value"]].round(4))
                 estimate  std_error  p_value
        b2 - b1    0.1271     0.1333   0.3402
        """
        R, value, labels = self._combinations(hypothesis)
        alpha = self.alpha if alpha is None else alpha
        exponentials = self.comparison in ("ratio", "odds_ratio")
        return combination_test(
            self.estimates, self.covariance, self.gradients, R, value, labels, self.reference, alpha, exponentials
        )

    def wald_test(self, hypothesis: object = "reference") -> WaldTest:
        """Test combinations of the effects jointly; `hypothesis` as for `contrast`."""
        R, value, labels = self._combinations(hypothesis)
        return joint_test(
            self.estimates, self.covariance, self.gradients, R, value, labels, self.reference, self.cov_type
        )

    def _combinations(self, hypothesis: object) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
        return read_combinations(hypothesis, self.names)

    @property
    def _title(self) -> str:
        title = f"Marginal effects of variables ({self.method}, covariance {self.cov_type})"
        if self.comparison == "difference":
            return title
        said = {"nnt": "numbers needed to treat", "af": "attributable fractions"}.get(
            self.comparison, f"{self.comparison.replace('_', ' ')} (standard errors of the logarithm)"
        )
        return f"{title}, changes as {said}"

    @printed
    def __str__(self) -> str:
        keys = list(self.frame).index("estimate")
        return "\n".join([lines(self._title), table(self.frame, "{:.6g}".format, keys), *map(lines, self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        below = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return str(self.frame.to_html(index=False, float_format=lambda v: f"{v:.6g}", escape=True)) + below


def read_combinations(hypothesis: object, names: tuple[str, ...]) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
    """Combinations of estimates of these names: one row each, what they are held to, and what they are called.

    Raises
    ------
    DataError
        If there is nothing to compare, or the text cannot be read.
    """
    m = len(names)
    if isinstance(hypothesis, str) and hypothesis in CONTRASTS:
        pairs = {
            "reference": [(0, j) for j in range(1, m)],
            "pairwise": list(combinations(range(m), 2)),
            "sequential": [(j - 1, j) for j in range(1, m)],
        }[hypothesis]
        if not pairs:
            raise DataError("There is one estimate; nothing to compare it with.")
        R = np.zeros((len(pairs), m))
        for i, (low, high) in enumerate(pairs):
            R[i, low], R[i, high] = -1.0, 1.0
        return R, np.zeros(len(pairs)), tuple(f"{names[high]} - {names[low]}" for low, high in pairs)
    read = read_constraints(hypothesis, names)
    labels = tuple(label.removesuffix(" = 0") for label in read.labels)
    if isinstance(hypothesis, str) and hypothesis.count(",") == len(read.R) - 1:
        labels = tuple(part.strip() for part in hypothesis.split(","))
    return read.R, read.value, labels
