"""The quadratic part of a proximal Newton step: a weighted least-squares problem with an elastic-net penalty.

Minimises over b, with H (k, k) positive semi-definite,

    c'b + b'Hb/2 + sum_j l2_j b_j^2 / 2 + sum_j l1_j |b_j|.

Cyclic coordinate descent (Friedman, Hastie and Tibshirani 2010, Journal of Statistical Software 33(1), section 2) finds
which coefficients are zero and the signs of the others; with these known the problem is a linear system, which is solved
exactly. The answer is taken once it meets the conditions of an optimum, so that no tolerance on the sweeps is needed.

Where it does not, it says which zeros and signs are wrong. Putting those right and solving again mostly ends after a few
rounds (the primal-dual active set of Hintermüller, Ito and Kunisch 2003, SIAM Journal on Optimization 13, 865-888), and
where it comes round to a pattern once tried, sweeps go on.
"""

from __future__ import annotations

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky

SWEEPS = 2000
SWEEPS_AT_ONCE = 3
ROUNDS = 30
# Curvature added per round where there is none, relative to the diagonal, and how many rounds.
NEAR = 1e-6
PROXIMAL_ROUNDS = 200


def subgradient_violation(gradient: FloatArray, b: FloatArray, l1: FloatArray) -> FloatArray:
    """How far each coefficient is from the condition of an optimum: (k,).

    `gradient` is that of the smooth part. Where b is not zero it must be ``-l1 sign(b)``; where b is zero, at most l1 in
    absolute value.
    """
    at_zero = np.maximum(np.abs(gradient) - l1, 0.0)
    return np.asarray(np.where(b != 0.0, np.abs(gradient + l1 * np.sign(b)), at_zero))


def elastic_net_quadratic(
    H: FloatArray, c: FloatArray, l1: FloatArray, l2: FloatArray, start: FloatArray
) -> FloatArray:
    """Minimise the penalized quadratic.

    Parameters
    ----------
    H : (k, k)
        Curvature.
    c : (k,)
        Linear part.
    l1, l2 : (k,)
        Non-negative penalties of each coefficient.
    start : (k,)
        Where to start; a neighbouring solution saves the descent.

    Returns
    -------
    (k,)

    Examples
    --------
    >>> elastic_net_quadratic(np.eye(2), np.array([-3.0, 0.5]), np.ones(2), np.zeros(2), np.zeros(2))
    array([2., 0.])
    """
    Q = H + np.diag(l2)
    if not l1.any():
        whole = EquilibratedCholesky(Q)
        if whole.definite and whole.smallest_pivot > 1e-13:
            return whole.solve(-c)
    b = start.copy()
    tried: set[bytes] = set()
    flat: bool | None = None
    for _ in range(SWEEPS // SWEEPS_AT_ONCE):
        exact = _by_signs(Q, c, l1, np.sign(b), tried)
        if exact is not None:
            return exact
        if flat is None:
            flat = not EquilibratedCholesky(Q).smallest_pivot > 1e-10
            exact = _by_proximal_points(Q, c, l1, b) if flat else None
            if exact is not None:
                return exact
        before = b.copy()
        gradient = c + Q @ b
        for _ in range(SWEEPS_AT_ONCE):
            _sweep(Q, gradient, b, l1, np.arange(len(b)))
        if np.abs(b - before).max(initial=0.0) <= 1e-15 * max(1.0, float(np.abs(b).max(initial=0.0))):
            break
    return b


def _by_proximal_points(Q: FloatArray, c: FloatArray, l1: FloatArray, start: FloatArray) -> FloatArray | None:
    """Solution where Q has no curvature in some direction, as under collinear columns; None where it is not reached.

    Each round adds the squared distance to the point before (Rockafellar 1976, SIAM Journal on Control and Optimization 14,
    877-898), which makes the problem definite; where a round does not move, the added part is zero. Along a flat direction sweeps
    would creep by l1, a round steps by l1 over what was added.
    """
    added = NEAR * np.where(Q.diagonal() > 0.0, Q.diagonal(), 1.0)
    b = start.copy()
    for _ in range(PROXIMAL_ROUNDS):
        found = _by_signs(Q + np.diag(added), c - added * b, l1, np.sign(b), set())
        if found is None:
            return None
        slack = 1e-13 * (np.abs(c) + np.abs(Q) @ np.abs(found)) + 1e-300
        if (subgradient_violation(c + Q @ found, found, l1) <= slack).all():
            return found
        b = found
    return None


def _by_signs(Q: FloatArray, c: FloatArray, l1: FloatArray, signs: FloatArray, tried: set[bytes]) -> FloatArray | None:
    """Solution from a guess of the signs (0 for zeros), put right round by round; None where a round comes again."""
    penalized = l1 > 0.0
    signs = np.where(penalized, signs, 1.0)
    for _ in range(ROUNDS):
        pattern = signs.astype(np.int8).tobytes()
        if pattern in tried:
            return None
        tried.add(pattern)
        b = _with_signs(Q, c, l1, signs)
        if b is None:
            return None
        gradient = c + Q @ b
        slack = 1e-13 * (np.abs(c) + np.abs(Q) @ np.abs(b)) + 1e-300
        turned = penalized & (b * signs < 0.0)
        wanted = (signs == 0.0) & (np.abs(gradient) > l1 + slack)
        if not turned.any() and not wanted.any():
            return b
        signs = np.where(turned, 0.0, np.where(wanted, -np.sign(gradient), signs))
    return None


def _with_signs(Q: FloatArray, c: FloatArray, l1: FloatArray, signs: FloatArray) -> FloatArray | None:
    """Minimum with the given zeros and signs, which b need not keep; None where it is not unique."""
    b = np.zeros(len(c))
    free = signs != 0.0
    if free.any():
        part = Q[np.ix_(free, free)]
        factor = EquilibratedCholesky(part)
        if not factor.definite or factor.smallest_pivot < 1e-13:
            return None
        right = -(c + l1 * signs)[free]
        found = factor.solve(right)
        b[free] = found + factor.solve(right - part @ found)
    return b


def _sweep(Q: FloatArray, gradient: FloatArray, b: FloatArray, l1: FloatArray, order: np.ndarray) -> None:
    """Minimise over one coefficient after another; `gradient` (of c'b + b'Qb/2) and `b` are brought up to date."""
    diagonal = Q.diagonal()
    for j in order:
        curvature = diagonal[j]
        if curvature <= 0.0:
            continue
        target = curvature * b[j] - gradient[j]
        size = abs(target) - l1[j]
        moved = (np.copysign(size, target) / curvature if size > 0.0 else 0.0) - b[j]
        if moved != 0.0:
            b[j] += moved
            gradient += moved * Q[j]
