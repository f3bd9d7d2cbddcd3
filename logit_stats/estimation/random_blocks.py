"""Marginal likelihood of a logit with several random effects a group, or several groupings: Laplace's approximation.

Row i has the linear predictor ``eta = x'beta + offset + sum_f z_f' Lambda_f u_f``, one vector u_f ~ N(0, I) for the level of
each grouping f that the row is in, Lambda_f lower triangular. With the joint mode û and ``H = I + A'WA`` (A the rows
``z'Lambda`` side by side, W = m p (1 - p)) the log-likelihood is ``loglik(û) - û'û/2 - log det(H)/2``.

H has a block for each level of the first grouping, the one with the most levels, and columns for all others; it is
eliminated block by block, and what remains is dense (nested groupings leave it diagonal). The gradient takes the mode along:
with h_i = a_i'H^-1 a_i and the slope w' of the weights, v = H^-1 A'(-h w'/2) is what the determinant owes to the mode
(Breslow and Clayton 1993, JASA 88, 9-25; Bates et al. 2015, J. Statistical Software 67(1), for the parameters).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from logit_stats.design.block import FloatArray
from logit_stats.estimation.outcome_terms import Numbers, damping, row_terms
from logit_stats.estimation.random_effect import MODE_STEPS, MODE_TOLERANCE, MarginalPoint


@dataclass(frozen=True, eq=False)
class Grouping:
    """Random effects of the levels of one factor.

    Attributes
    ----------
    codes : (n,) int
        Level of each row.
    levels : int
        Number of levels.
    Z : (n, q)
        What the q effects of a level multiply.
    template : (q, q) int
        For each entry of Lambda (lower triangle) the position of its parameter among theta; -1 where it is zero.
    """

    codes: NDArray[np.intp]
    levels: int
    Z: FloatArray
    template: NDArray[np.intp]

    @property
    def size(self) -> int:
        """Number q of effects of a level."""
        return int(self.Z.shape[1])

    def factor(self, theta: Numbers) -> Numbers:
        """(q, q) Lambda."""
        return np.where(self.template >= 0, theta[np.maximum(self.template, 0)], 0.0)


@dataclass(frozen=True, eq=False)
class RandomBlocks:
    """Laplace's approximation to the marginal likelihood.

    Attributes
    ----------
    X : (n, k)
    successes, trials, offset : (n,)
    groupings : tuple of Grouping
        The one with the most levels first.
    copies : (n,)
        Number of identical groups that the group of each row stands for; other than one only with one grouping.
    """

    X: FloatArray
    successes: FloatArray
    trials: FloatArray
    offset: FloatArray
    groupings: tuple[Grouping, ...]
    copies: FloatArray

    @cached_property
    def parameters(self) -> int:
        """Number of coefficients and of parameters of random effects."""
        return int(self.X.shape[1]) + 1 + max(int(g.template.max()) for g in self.groupings)

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """(n, Q) positions among all effects of those of each row: first grouping first, level by level."""
        found, start = [], 0
        for g in self.groupings:
            found.append(start + g.codes[:, None] * g.size + np.arange(g.size))
            start += g.levels * g.size
        return np.column_stack(found)

    @cached_property
    def effects(self) -> int:
        """Number of random effects, over all levels of all groupings."""
        return sum(g.levels * g.size for g in self.groupings)

    @cached_property
    def level_copies(self) -> FloatArray:
        """(effects,) number of identical groups that each effect stands for."""
        found = np.ones(self.effects)
        found[self.places] = self.copies[:, None]
        return found

    def loadings(self, theta: Numbers) -> Numbers:
        """(n, Q) rows ``z'Lambda``."""
        return np.column_stack([g.Z @ g.factor(theta) for g in self.groupings])

    def at(self, psi: FloatArray, start: FloatArray | None = None) -> MarginalPoint:
        """Value and gradient; modes are searched from `start`."""
        modes = self._modes(psi, np.zeros(self.effects) if start is None else start)
        state = _State(self, psi, modes)
        return MarginalPoint(psi, float(state.value), state.gradient, modes)

    def gradient(self, psi: Numbers, modes: FloatArray) -> Numbers:
        """Gradient at complex parameters near those of the modes."""
        state = _State(self, psi, modes.astype(psi.dtype))
        return _State(self, psi, state.u + state.step).gradient

    def scores(self, psi: FloatArray, modes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(G, p) score of each group of a single grouping, and (G,) how many identical groups it stands for."""
        (g,) = self.groupings
        rows = _State(self, psi, modes).row_scores
        found = np.column_stack([np.bincount(g.codes, column, g.levels) for column in rows.T]).astype(np.float64)
        copies = np.ones(g.levels)
        copies[g.codes] = self.copies
        return found, copies

    def mode_covariances(self, point: MarginalPoint) -> list[FloatArray]:
        """For each grouping (levels, q, q) covariances of u given the data: blocks of the inverse of H."""
        return _State(self, point.psi, point.modes).own_blocks()

    def _modes(self, psi: FloatArray, u: FloatArray) -> FloatArray:
        before = np.inf
        for _ in range(MODE_STEPS):
            state = _State(self, psi, u)
            reach = np.abs(state.of_rows(state.step))
            length = float(reach.max())
            u = u + state.length(reach) * state.step
            if length < MODE_TOLERANCE or (length < 1e-8 and length > 0.1 * before):
                break
            before = length
        return u


class _State:
    """Everything at some parameters and effects u: the linear predictor, H and its elimination."""

    def __init__(self, of: RandomBlocks, psi: Numbers, u: Numbers) -> None:
        self.of, self.u = of, u
        k = of.X.shape[1]
        self.theta = psi[k:]
        self.A = of.loadings(self.theta)
        self.eta = of.X @ psi[:k] + of.offset + (self.A * u[of.places]).sum(axis=1)
        self.terms = row_terms(self.eta, of.successes, of.trials)
        first = of.groupings[0]
        self.q, self.head = first.size, first.levels * first.size

    # Sums of rows.

    def of_rows(self, effects: Numbers) -> Numbers:
        """(n,) change of the linear predictor with the effects."""
        return np.asarray((self.A * effects[self.of.places]).sum(axis=1))

    def by_effect(self, row: Numbers) -> Numbers:
        """(effects,) ``A' row``."""
        return _counted(self.of.places, self.A * row[:, None], self.of.effects)

    def length(self, reach: FloatArray) -> Any:
        """Damping of a step: group by group where groups do not touch, else one for all."""
        if len(self.of.groupings) > 1:
            return damping(np.array(reach.max()))
        most = np.zeros(self.of.groupings[0].levels)
        np.maximum.at(most, self.of.groupings[0].codes, reach)
        return np.repeat(damping(most), self.q)

    # H and what follows from it.

    @cached_property
    def D(self) -> Numbers:
        """(levels, q, q) blocks of H of the first grouping."""
        q, first = self.q, self.of.groupings[0]
        A = self.A[:, :q]
        products = (self.terms.weight[:, None] * A)[:, :, None] * A[:, None, :]
        place = first.codes[:, None] * (q * q) + np.arange(q * q)
        blocks = _counted(place, products.reshape(len(A), -1), first.levels * q * q)
        return blocks.reshape(-1, q, q) + np.eye(q)

    @cached_property
    def D_inverse(self) -> Numbers:
        """(levels, q, q)."""
        return np.asarray(np.linalg.inv(self.D))

    @cached_property
    def rest(self) -> tuple[Any, Numbers]:
        """``B = D^-1 C`` (sparse, head x rest) and the Schur complement's inverse, of the other groupings."""
        C, E = self._cross(), self._other()
        D = (
            sparse.block_diag(list(self.D_inverse), format="csr")
            if self.q > 1
            else sparse.diags(self.D_inverse[:, 0, 0])
        )
        B = (D @ C).tocsr()
        S = E - (C.T @ B).tocsr()
        return B, S.toarray()

    def _cross(self) -> Any:
        q, n = self.q, len(self.A)
        left, right = self.of.places[:, :q], self.of.places[:, q:] - self.head
        values = (self.terms.weight[:, None] * self.A[:, :q])[:, :, None] * self.A[:, None, q:]
        shape = (n, q, right.shape[1])
        rows, columns = np.broadcast_to(left[:, :, None], shape), np.broadcast_to(right[:, None, :], shape)
        size = (self.head, self.of.effects - self.head)
        return sparse.coo_matrix((values.ravel(), (rows.ravel(), columns.ravel())), shape=size).tocsr()

    def _other(self) -> Any:
        q, n = self.q, len(self.A)
        place, A = self.of.places[:, q:] - self.head, self.A[:, q:]
        values = (self.terms.weight[:, None] * A)[:, :, None] * A[:, None, :]
        shape = (n, place.shape[1], place.shape[1])
        rows, columns = np.broadcast_to(place[:, :, None], shape), np.broadcast_to(place[:, None, :], shape)
        size = self.of.effects - self.head
        E = sparse.coo_matrix((values.ravel(), (rows.ravel(), columns.ravel())), shape=(size, size)).tocsr()
        return E + sparse.identity(size, format="csr")

    @cached_property
    def S_inverse(self) -> Numbers:
        """Inverse of the Schur complement."""
        S = self.rest[1]
        diagonal = np.diag(S)
        off = np.abs(S).sum() - np.abs(diagonal).sum()
        return np.diag(1.0 / diagonal) if off == 0.0 else np.asarray(np.linalg.inv(S))

    @property
    def single(self) -> bool:
        """Whether there is one grouping."""
        return len(self.of.groupings) == 1

    def solve(self, b: Numbers) -> Numbers:
        """(effects,) ``H^-1 b``."""
        head = np.einsum("gij,gj->gi", self.D_inverse, b[: self.head].reshape(-1, self.q)).ravel()
        if self.single:
            return np.asarray(head)
        B = self.rest[0]
        tail = self.S_inverse @ (b[self.head :] - B.T @ b[: self.head])
        return np.concatenate([head - B @ tail, tail])

    @cached_property
    def step(self) -> Numbers:
        """Newton's step to the mode."""
        return self.solve(self.by_effect(self.terms.residual) - self.u)

    @cached_property
    def value(self) -> Any:
        """Laplace's approximation."""
        of = self.of
        determinants = np.linalg.slogdet(self.D)[1]
        copies = of.level_copies[: self.head : self.q]
        total = of.copies @ self.terms.loglik - 0.5 * (of.level_copies @ self.u**2) - 0.5 * (copies @ determinants)
        return total if self.single else total - 0.5 * np.linalg.slogdet(self.rest[1])[1]

    @cached_property
    def _inverse_products(self) -> Any:
        """``B S^-1`` (head x rest)."""
        return self.rest[0] @ self.S_inverse

    @cached_property
    def head_blocks(self) -> Numbers:
        """(levels, q, q) blocks of H^-1 of the first grouping."""
        if self.single:
            return self.D_inverse
        B, P, q = self.rest[0], self._inverse_products, self.q
        extra = np.empty_like(self.D_inverse)
        for a in range(q):
            for b in range(q):
                extra[:, a, b] = np.asarray(B[b::q].multiply(P[a::q]).sum(axis=1)).ravel()
        return self.D_inverse + extra

    def own_blocks(self) -> list[FloatArray]:
        """For each grouping the (levels, q, q) blocks of H^-1."""
        found, start = [self.head_blocks], 0
        for g in self.of.groupings[1:]:
            at = start + np.arange(g.levels)[:, None] * g.size + np.arange(g.size)
            found.append(self.S_inverse[at[:, :, None], at[:, None, :]])
            start += g.levels * g.size
        return found

    @cached_property
    def inverse_rows(self) -> Numbers:
        """(n, Q) ``H^-1 a_i`` at the row's own effects."""
        q, of = self.q, self.of
        A0 = self.A[:, :q]
        head = np.einsum("nij,nj->ni", self.head_blocks[of.groupings[0].codes], A0)
        if self.single:
            return np.asarray(head)
        left, right, A1 = of.places[:, :q], of.places[:, q:] - self.head, self.A[:, q:]
        cross = -self._inverse_products[left[:, :, None], right[:, None, :]]
        other = self.S_inverse[right[:, :, None], right[:, None, :]]
        head = head + np.einsum("nij,nj->ni", cross, A1)
        tail = np.einsum("nij,ni->nj", cross, A0) + np.einsum("nij,nj->ni", other, A1)
        return np.column_stack([head, tail])

    @cached_property
    def _owed(self) -> tuple[Numbers, Numbers]:
        """(n,) derivatives by each row's predictor, and (n, Q) by the loadings of each row, u being the mode."""
        terms, inverse = self.terms, self.inverse_rows
        h = (self.A * inverse).sum(axis=1)
        v = self.solve(self.by_effect(-0.5 * h * terms.slope))
        rho = terms.residual - 0.5 * h * terms.slope - terms.weight * self.of_rows(v)
        direct = rho[:, None] * self.u[self.of.places] + terms.residual[:, None] * v[self.of.places]
        return rho, direct - terms.weight[:, None] * inverse

    @cached_property
    def row_scores(self) -> Numbers:
        """(n, p) what each row adds to the gradient by coefficients and theta."""
        of, (rho, owed) = self.of, self._owed
        found = np.zeros((len(rho), of.parameters), dtype=self.theta.dtype)
        found[:, : of.X.shape[1]] = rho[:, None] * of.X
        start = 0
        for g in of.groupings:
            for i, j in np.argwhere(g.template >= 0):
                found[:, of.X.shape[1] + g.template[i, j]] += g.Z[:, i] * owed[:, start + j]
            start += g.size
        return found

    @property
    def gradient(self) -> Numbers:
        """(p,) derivatives by coefficients and theta; u must be the mode."""
        return np.asarray(self.of.copies @ self.row_scores)


def _counted(place: NDArray[np.intp], values: Numbers, size: int) -> Numbers:
    """(size,) sums of values by place."""
    flat, at = values.ravel(), place.ravel()
    if not np.iscomplexobj(flat):
        return np.bincount(at, flat, size)
    return np.bincount(at, flat.real, size) + 1j * np.bincount(at, flat.imag, size)
