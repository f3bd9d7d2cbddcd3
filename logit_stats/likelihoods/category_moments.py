"""The moments of a block of rows with a response of several categories: the multinomial logit.

Row i is in category y_i of C = J + 1; category c has the linear predictor eta_ic = z_i'gamma_c, zero for the reference, and
the probability p_ic = exp(eta_ic) / sum_d exp(eta_id) (McFadden 1974; Agresti 2013, Categorical Data Analysis, section 8.1):

    loglik              = sum a_i log p_{i, y_i}
    score, equation c   = sum a_i (1[y_i = c] - p_ic) z_i
    information, (c, d) = sum a_i p_ic (1[c = d] - p_id) z_i z_i'

Coefficients stand equation by equation. Where there are C equations instead of J (the symmetric parametrization of penalized
fits) the reference has coefficients of its own. Everything is relative to the largest predictor of a row: no finite one
overflows, and neither a probability near one nor its complement loses digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.coded import coded
from logit_stats.likelihoods.coded_moments import coded_score
from logit_stats.likelihoods.kernel import linear_predictor, weighted_gram
from logit_stats.likelihoods.moments import Moments, Score, working_columns

# Rows whose working columns and class probabilities are held at a time.
TILE_ROWS = 4096


@dataclass(frozen=True, slots=True)
class CategoryTerms:
    """What m rows contribute, for E equations and C categories.

    Attributes
    ----------
    loglik : (m,)
        Log of the probability of the row's own category.
    prob, complement : (C, m)
        Probabilities, and one minus these without cancellation.
    residual : (E, m)
        ``1[y = c] - p_c``.
    spread : float
        Largest distance between the predictors of a row.
    """

    loglik: FloatArray
    prob: FloatArray
    complement: FloatArray
    residual: FloatArray
    spread: float

    @property
    def equations(self) -> slice:
        """The categories that have an equation."""
        return slice(len(self.prob) - len(self.residual), None)

    def information_weight(self, e: int, f: int) -> FloatArray:
        """(m,) weight of ``z z'`` in the block of equations e and f."""
        prob = self.prob[self.equations]
        return np.asarray(prob[e] * (self.complement[self.equations][e] if e == f else -prob[f]))


def category_terms(eta: FloatArray, category: NDArray[np.intp] | None, categories: int) -> CategoryTerms:
    """Terms of rows with linear predictors eta (E, m); without `category` likelihood and residuals mean nothing."""
    if len(eta) < categories:
        eta = np.vstack([np.zeros((categories - len(eta), eta.shape[1])), eta])
        equations = slice(1, None)
    else:
        equations = slice(0, None)
    rows = np.arange(eta.shape[1])
    own = np.zeros(eta.shape[1], dtype=np.intp) if category is None else category
    top = eta.argmax(axis=0)
    below = eta - eta[top, rows]
    prob = np.exp(below)
    prob[top, rows] = 0.0
    others = prob.sum(axis=0)
    prob[top, rows] = 1.0
    prob /= 1.0 + others
    complement = 1.0 - prob
    complement[top, rows] = others / (1.0 + others)
    residual = -prob
    residual[own, rows] = complement[own, rows]
    loglik = below[own, rows] - np.log1p(others)
    return CategoryTerms(loglik, prob, complement, residual[equations], float(-below.min(initial=0.0)))


def category_predictor(
    X: FloatArray, gamma: FloatArray, center: FloatArray | None, scale: FloatArray | None
) -> FloatArray:
    """(E, m) linear predictors of the equations whose coefficients stand one after the other in gamma."""
    B = gamma.reshape(-1, X.shape[1])
    if coded(X) is not None:
        return np.array([linear_predictor(X, b, None, center, scale) for b in B])
    return np.asarray(B @ working_columns(X, center, scale).T)


def category_score(
    X: FloatArray, residual: FloatArray, center: FloatArray | None, scale: FloatArray | None
) -> FloatArray:
    """(E k,) sums of ``residual_e z``, equation by equation."""
    by_code = coded(X)
    if by_code is not None:
        return np.concatenate([coded_score(by_code, r, center, scale) for r in residual])
    return np.asarray((residual @ working_columns(X, center, scale)).ravel())


def category_block_moments(
    block: Block, gamma: FloatArray, center: FloatArray | None, scale: FloatArray | None
) -> Moments:
    """Moments of a block, information included."""
    k = block.X.shape[1]
    equations = len(gamma) // k
    information = np.zeros((equations, k, equations, k))
    first = category_block_score(block, gamma, center, scale, information)
    size = equations * k
    return Moments(first.loglik, first.score, information.reshape(size, size), first.max_abs_eta)


def category_block_score(
    block: Block,
    gamma: FloatArray,
    center: FloatArray | None,
    scale: FloatArray | None,
    information: FloatArray | None = None,
) -> Score:
    """Log-likelihood and score of a block; the information (E, k, E, k) is added to what is given."""
    loglik, score, spread = 0.0, np.zeros(len(gamma)), 0.0
    rows = len(block.successes)
    # coded columns are summed by level, which costs as much for few rows as for many
    tile = TILE_ROWS if coded(block.X) is None else max(rows, 1)
    for start in range(0, rows, tile):
        part = slice(start, start + tile)
        X, middle, size = block.X[part], center, scale
        if coded(X) is None:
            X, middle, size = working_columns(X, center, scale), None, None
        assert block.category is not None
        terms = category_terms(category_predictor(X, gamma, middle, size), block.category[part], block.categories)
        weight = None if block.weight is None else block.weight[part]
        residual = terms.residual if weight is None else terms.residual * weight
        loglik += float(terms.loglik.sum() if weight is None else weight @ terms.loglik)
        score += category_score(X, residual, middle, size)
        spread = max(spread, terms.spread)
        if information is not None:
            _add_information(information, terms, X, weight, middle, size)
    # so that half of exp(-max_abs_eta) is a bound of the probabilities, as it is for two categories
    return Score(loglik, score, spread + float(np.log(block.categories / 2.0)))


def _add_information(
    total: FloatArray,
    terms: CategoryTerms,
    X: FloatArray,
    weight: FloatArray | None,
    center: FloatArray | None,
    scale: FloatArray | None,
) -> None:
    for e in range(len(terms.residual)):
        for f in range(e + 1):
            w = terms.information_weight(e, f)
            gram = weighted_gram(X, w if weight is None else w * weight, center, scale)
            total[e, :, f, :] += gram
            if e != f:
                total[f, :, e, :] += gram


def category_root(block: Block, Z: FloatArray, gamma: FloatArray) -> FloatArray:
    """Rows whose Gram matrix is the information of a block: (C m, E k).

    ``diag(p) - p p'`` is the sum over c of ``p_c (e_c - p)(e_c - p)'``; nothing cancels.
    """
    eta = gamma.reshape(-1, Z.shape[1]) @ Z.T
    terms = category_terms(eta, block.category, block.categories)
    root = np.sqrt(terms.prob if block.weight is None else terms.prob * block.weight)
    equations = range(block.categories)[terms.equations]
    parts = []
    for c in range(block.categories):
        away = -terms.prob[terms.equations]
        for e, own in enumerate(equations):
            if own == c:
                away[e] = terms.complement[c]
        parts.append(np.hstack([(root[c] * a)[:, None] * Z for a in away]))
    return np.vstack(parts)


def by_category(eta: FloatArray, which: str) -> FloatArray:
    """(m, J + 1) probabilities, or linear predictors with the reference's zero, from predictors (m, J)."""
    if which == "linear":
        reference = np.where(np.isnan(eta[:, :1]), np.nan, 0.0)
        return np.hstack([reference, eta])
    return category_terms(eta.T, None, eta.shape[1] + 1).prob.T
