"""Variance inflation: what the other columns cost a coefficient.

Generalized variance inflation factors (Fox and Monette 1992, JASA 87, 178-183) from the correlation matrix R of the
estimated coefficients without the constant: ``det R_term det R_others / det R`` for each term, whose power 1 / (2 df) is
comparable between terms of different size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.errors import NotAvailableError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import triangular_factor
from logit_stats.inference.covariance import Covariance
from logit_stats.likelihoods.working import WorkingColumns, centred_columns
from logit_stats.wording import WIDTH, printed

SINGULAR = 1e-13  # smallest eigenvalue of a correlation matrix that is rounding


@dataclass(frozen=True, eq=False)
class VarianceInflation:
    """Variance inflation factors.

    Attributes
    ----------
    terms : DataFrame
        term, df, gvif, gvif_power: from the covariance of the coefficients.
    columns : Series
        From the design columns alone, weights left out: diagonal of the inverse of their correlation matrix.
    """

    terms: pd.DataFrame
    columns: pd.Series

    @property
    def _tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        return (
            ("Variance inflation of the terms, from the covariance of the coefficients", self.terms.set_index("term")),
            ("Variance inflation of the design columns, weights left out", self.columns.to_frame()),
        )

    @printed
    def __str__(self) -> str:
        return "\n".join(
            f"{title}\n{t.to_string(line_width=WIDTH, float_format='{:.4f}'.format)}" for title, t in self._tables
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return "".join(f"<p>{title}</p>{t.to_html(float_format='{:.4f}'.format)}" for title, t in self._tables)


def variance_inflation(fit: Fit, cov: Covariance) -> VarianceInflation:
    """Variance inflation of every term and column.

    Raises
    ------
    NotAvailableError
        If the model has fewer than two terms beside the constant, no constant, or constraints; if the covariance is singular.
    """
    design = fit.design
    if design.constant is None:
        raise NotAvailableError("Variance inflation compares with a model of a constant; this one has none.")
    if fit.free_parameters < fit.parameters:
        raise NotAvailableError(
            "Under constraints not every coefficient has a variance of its own; ask the fit without them, or a model of "
            "combined columns."
        )
    slopes = [j for j in range(design.columns) if j != design.constant]
    terms = _terms(fit, slopes)
    if len(terms) < 2:
        raise NotAvailableError("Variance inflation needs two terms or more beside the constant.")
    coefficients = list(design.coefficients_of(tuple(slopes)))
    V = cov.working[np.ix_(coefficients, coefficients)]
    R = _correlation(V, cov)
    place = {j: i for i, j in enumerate(coefficients)}
    whole = _log_det(R)
    rows = []
    for name, columns in terms.items():
        own = [place[j] for j in design.coefficients_of(tuple(columns))]
        rest = [i for i in range(len(coefficients)) if i not in own]
        gvif = float(np.exp(_log_det(R[np.ix_(own, own)]) + _log_det(R[np.ix_(rest, rest)]) - whole))
        rows.append((name, len(own), gvif, gvif ** (1.0 / (2.0 * len(own)))))
    frame = pd.DataFrame(rows, columns=["term", "df", "gvif", "gvif_power"])
    return VarianceInflation(frame, _of_columns(fit, slopes))


def _correlation(V: FloatArray, cov: Covariance) -> FloatArray:
    """Correlations of the coefficients; a sandwich of few clusters has fewer dimensions than there are coefficients."""
    variances = V.diagonal()
    if (variances > 0.0).all():
        root = np.sqrt(variances)
        R: FloatArray = V / root / root[:, None]
        if cov.cov_type == "nonrobust" or np.linalg.eigvalsh(R)[0] > SINGULAR:
            return R
    raise NotAvailableError(
        f"The {cov.cov_type} covariance is singular (as with fewer clusters than coefficients), and what it says of variance "
        f"inflation is rounding; ask with_cov('nonrobust')."
    )


def _terms(fit: Fit, slopes: list[int]) -> dict[str, list[int]]:
    """Columns of each term; every column is a term of its own for array fits."""
    design = fit.design
    if design.formula is None:
        return {design.names[j]: [j] for j in slopes}
    position = {name: j for j, name in enumerate(design.names)}
    found = {}
    for term, where in design.formula.term_slices.items():
        columns = [position[name] for name in design.formula.names[where] if name in position]
        columns = [j for j in columns if j != design.constant]
        if columns:
            found[term] = columns
    return found


def _of_columns(fit: Fit, slopes: list[int]) -> pd.Series:
    """Length of each column about its mean, squared, times the diagonal of the inverse of the Gram matrix."""
    design = fit.design
    order = [design.constant, *slopes]
    ordered = design.with_columns([j for j in order if j is not None], ())
    # powers of two keep the squares of very large and very small columns numbers, and cancel in the end
    R = triangular_factor(ordered, WorkingColumns(None, centred_columns(ordered).scale))
    # with the constant first, the other rows of R belong to the columns about their means
    centred = R[1:, 1:]
    length = np.linalg.norm(centred, axis=0)
    inverse = np.linalg.inv(centred / length)
    return pd.Series((inverse**2).sum(axis=1), index=[design.names[j] for j in slopes], name="vif")


def _log_det(matrix: FloatArray) -> float:
    return float(np.linalg.slogdet(matrix)[1])
