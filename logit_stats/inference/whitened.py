"""A fit in columns in which its information is the identity, for sandwiches of ill-conditioned designs.

In `y ~ x * g` with x far from zero, ``x``, ``g`` and ``x:g`` are dependent but for the last digits. A sandwich V M V cancels
there as the square of the condition number. In the columns ``W = Z C``, with C C' = V from a QR, nothing cancels: they are
nearly orthonormal, the meat is computed of their rows, and only its square root is carried back. What C lacks in digits is made
up by the information of W, which is computed too: C need only be near.

Where rows have several linear predictors, the same is done with what each row contributes to the score of all coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.parameters import Parameters
from logit_stats.design.row_numbers import RowNumbers
from logit_stats.estimation.fit import Fit
from logit_stats.likelihoods.kernel import weighted_gram
from logit_stats.likelihoods.likelihood import TALL_ROWS, RowLikelihood
from logit_stats.likelihoods.rows import variance
from logit_stats.likelihoods.working import WorkingColumns


@dataclass(frozen=True, eq=False)
class Whitened:
    """A fit in other columns, and the way back.

    Attributes
    ----------
    fit : Fit
        The same fit in the columns W, of coefficient zero: what it predicts is in its offset.
    root : (k, k)
        C, with ``Z C = W`` for the working columns Z.
    """

    fit: Fit
    root: FloatArray

    def back(self, white: FloatArray) -> FloatArray:
        """Square root R of the covariance ``R R'`` of the working coefficients, from that of the coefficients of W."""
        values, vectors = np.linalg.eigh(white)
        return np.asarray(self.root @ (vectors * np.sqrt(np.maximum(values, 0.0))))


def whitened(fit: Fit, residual: FloatArray | None = None) -> Whitened | None:
    """Return a fit in well-conditioned columns; None where its own are, or where there is no such basis.

    With several equations `residual` (E, n) may stand for the derivatives by the linear predictors.
    """
    if not fit.ill_conditioned or fit.facts.constrained or not fit.facts.finite:
        return None
    root = fit.covariance_root
    if not np.isfinite(root).all():
        return None
    return _of_columns(fit, root) if fit.facts.binary else _of_scores(fit, root, residual)


def _of_columns(fit: Fit, root: FloatArray) -> Whitened:
    design, eta = fit.design, fit.eta
    W = design.each(lambda block: np.asarray(fit.working.columns(block.X)) @ root, TALL_ROWS)
    weight = variance(eta) * design.row_weight
    moved = replace(design, X=np.asfortranarray(W), offset=RowNumbers("offset", None, eta), constant=None)
    information = weighted_gram(moved.X, weight, None, None)
    return _moved(fit, moved, information, root)


def _of_scores(fit: Fit, root: FloatArray, residual: FloatArray | None) -> Whitened:
    """Columns are the scores of the rows in the coefficients of W, each with a residual of one."""
    design, layout = fit.design, fit.design.parameters
    u = np.atleast_2d(fit.likelihood.residuals(design, fit.eta) if residual is None else residual)
    parts, start = [], 0
    for block in design.blocks(TALL_ROWS):
        Z = np.asarray(fit.working.columns(block.X))
        of_rows = u[:, start : start + len(Z)].T[:, :, None] * Z[:, None, :]
        parts.append(layout.gathered(of_rows) @ root)
        start += len(Z)
    information = np.zeros((len(root), len(root)))
    for rows in fit.likelihood.roots(design, fit.gamma, fit.working):
        white = rows @ root
        information += white.T @ white
    moved = replace(
        design, X=np.asfortranarray(np.vstack(parts)), names=layout.names, offset=None, constant=None, likelihood=SCORES
    )  # fmt: skip
    return _moved(fit, moved, information, root)


def _moved(fit: Fit, design: Design, information: FloatArray, root: FloatArray) -> Whitened:
    zero = np.zeros(fit.parameters)
    return Whitened(
        replace(fit, design=design, working=WorkingColumns(), gamma=zero, information_working=information), root
    )


class ScoresOfRows(RowLikelihood):
    """Stands for a likelihood whose rows contribute their columns to the score."""

    name: ClassVar[str] = "scores of rows"

    def parameters(self, design: Design) -> Parameters:
        """One for each column."""
        return Parameters.by_equation(design.names)

    def residuals(self, design: Design, eta: FloatArray) -> FloatArray:
        """(n,) ones."""
        return np.ones(design.rows)


SCORES = ScoresOfRows()
