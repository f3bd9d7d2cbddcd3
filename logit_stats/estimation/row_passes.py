"""Passes over the rows that analyses of a fit need: quadratic forms, sums by code, log-likelihood terms.

As the moments, each is one function twice: by the compiled kernel, a tile of rows at a time, and by NumPy where there is none
or where a factor is kept as codes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.coded import coded
from logit_stats.likelihoods.kernel import BLAS_ROWS, available, ranges, summed, walk
from logit_stats.likelihoods.moments import working_columns
from logit_stats.likelihoods.rows import loglik_terms

# Above this many columns a matrix product by BLAS is faster than the kernel's one combination after the other.
FORM_COLUMNS = 64


def quadratic_form(
    X: FloatArray, root: FloatArray, center: FloatArray | None = None, scale: FloatArray | None = None
) -> FloatArray:
    """Quadratic forms ``z_i' C C' z_i`` of the rows of the working columns ``Z = (X - center) * scale``.

    Parameters
    ----------
    X : (m, k)
    root : (k, r)
        C.
    center, scale : (k,) or None

    Returns
    -------
    (m,)

    Examples
    --------
    >>> quadratic_form(np.array([[1.0, 2.0], [1.0, 4.0]]), np.array([[1.0, 0.0], [0.5, 1.0]]))
    array([ 8., 25.])
    """
    form = np.empty(len(X))
    across = np.ascontiguousarray(root.T)
    if not available() or coded(X) is not None or X.shape[1] > FORM_COLUMNS:
        for start in range(0, len(X), BLAS_ROWS):
            half = across @ working_columns(np.asarray(X[start : start + BLAS_ROWS]), center, scale).T
            np.square(half, out=half).sum(axis=0, out=form[start : start + half.shape[1]])
        return form

    def of_range(part: slice) -> int:
        walk(X[part], None, None, center, scale, root=across, form=form[part])
        return 0

    summed(ranges(len(X), 1.0 + 0.02 * root.size), of_range)
    return form


def sums_by_code(
    X: FloatArray, codes: NDArray[np.intp], count: int, u: FloatArray, center: FloatArray | None = None,
    scale: FloatArray | None = None,
) -> FloatArray:  # fmt: skip
    """Sums of the rows of the working columns ``Z = (X - center) * scale``, times u, by code.

    Parameters
    ----------
    X : (m, k)
    codes : (m,)
        Integers of 0 to count - 1.
    count : int
    u : (m,)
    center, scale : (k,) or None

    Returns
    -------
    (count, k)

    Examples
    --------
    >>> sums_by_code(np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 8.0]]), np.array([0, 1, 0]), 2, np.array([1.0, 1.0, -1.0]))
    array([[ 0., -6.],
           [ 1.,  4.]])
    """
    k = X.shape[1]
    if available() and coded(X) is None:
        sums = np.zeros((count, k))
        walk(X, None, None, center, scale, weight=u, codes=np.ascontiguousarray(codes, dtype=np.int64), code_sums=sums)
        return sums
    columns = np.empty((k, count))
    for j in range(k):
        z = X[:, j] if center is None else X[:, j] - center[j]
        columns[j] = np.bincount(codes, weights=u * z, minlength=count)
    return columns.T if scale is None else columns.T * scale


def loglik_rows(block: Block, eta: FloatArray) -> FloatArray:
    """Log-likelihood of each row at a linear predictor, without weights and binomial coefficients: (m,)."""
    if not available():
        return loglik_terms(eta, block.successes, block.trials)
    terms = np.empty(len(eta))
    plain = Block(eta[:, None], block.successes, block.trials)

    def of_range(part: slice) -> int:
        walk(eta[part, None], plain.at(part), np.ones(1), terms=terms[part])
        return 0

    summed(ranges(len(eta), 3.0), of_range)
    return terms
