"""Newton's method for a logit with the effects of very many groups, which are solved for and never stand as columns.

The step in (beta, effects) is the weighted least-squares regression of (y - m p) / w on the columns and the group indicators:
the effects are eliminated exactly (Frisch and Waugh 1933; Lovell 1963), so that

    H beta_step = X~'(y - m p),      H = X~'W X~,      X~ = X - D (D'W D)^- D'W X,

and the effects' step follows. H is the information of the coefficients with the effects estimated too: its inverse is the
block of the covariance that dummies would give (Stammann 2018, "Fast and feasible estimation of generalized linear models with
high-dimensional k-way fixed effects"). The analytical bias correction is Fernandez-Val and Weidner's (2016, Journal of
Econometrics 192), for strictly exogenous columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.likelihoods.group_effects import EffectsSolver, Grouping, IntArray

HALVINGS = 40
# Separation is looked for after so many steps, among rows beyond such linear predictors that a step moves on by so much while it
# moves no other row back by more than this.
SUSPECT_STEPS = 10
SUSPECT_ETA = 8.0
GAIN = 0.3
STILL = 1e-4


@dataclass(frozen=True, eq=False)
class EffectRows:
    """Rows of a logit with group effects.

    Attributes
    ----------
    X : (n, k)
        Columns, in memory order of rows.
    successes : (n,)
    trials, weight, offset : (n,) or None
    grouping : Grouping
    """

    X: FloatArray
    successes: FloatArray
    trials: FloatArray | None
    weight: FloatArray | None
    offset: FloatArray | None
    grouping: Grouping


@dataclass(frozen=True, eq=False)
class RowTerms:
    """Log-likelihood, and of every row the linear predictor, probability, residual and information weight."""

    loglik: float
    eta: FloatArray
    prob: FloatArray
    residual: FloatArray
    weight: FloatArray


@dataclass(frozen=True, eq=False)
class Absorbed:
    """A maximum over coefficients and group effects.

    Attributes
    ----------
    beta : (k,)
    effects : list of (G,)
        Effects of each factor's groups; where they are not told apart, one choice.
    terms : RowTerms
        At the last evaluation, within one negligible step of the maximum.
    within : (n, k)
        X~: the columns less their weighted projection on the groups.
    information : (k, k)
        X~'W X~.
    decrement : float
        Length of the last step in standard errors, over coefficients and effects.
    converged : bool
    iterations : int
    path : tuple of (float, float, float)
        Log-likelihood, decrement and step length of every evaluation.
    separated : (n,) bool or None
        Rows that the last steps predict ever better without end; None where there are none.
    moving : (k,)
        The last step of the coefficients, in the span of their columns: which take part in that.
    """

    beta: FloatArray
    effects: list[FloatArray]
    terms: RowTerms
    within: FloatArray
    information: FloatArray
    decrement: float
    converged: bool
    iterations: int
    path: tuple[tuple[float, float, float], ...]
    separated: NDArray[np.bool_] | None
    moving: FloatArray


def row_terms(rows: EffectRows, eta: FloatArray) -> RowTerms:
    """Terms of every row at its linear predictor, without overflow (see `moments`)."""
    absolute = np.abs(eta)
    e = np.exp(-absolute)
    likelier = 1.0 / (1.0 + e)
    rarer = e * likelier
    positive = eta >= 0.0
    prob = np.where(positive, likelier, rarer)
    y = rows.successes
    failures = (1.0 if rows.trials is None else rows.trials) - y
    residual = y * np.where(positive, rarer, likelier) - failures * prob
    weight = likelier * rarer if rows.trials is None else likelier * rarer * rows.trials
    trials = 1.0 if rows.trials is None else rows.trials
    terms = y * np.minimum(eta, 0.0) - failures * np.maximum(eta, 0.0) - trials * np.log1p(e)
    if rows.weight is not None:
        terms, residual, weight = terms * rows.weight, residual * rows.weight, weight * rows.weight
    return RowTerms(float(terms.sum()), eta, prob, residual, weight)


def maximum(
    rows: EffectRows,
    *,
    beta: FloatArray | None = None,
    start: FloatArray | None = None,
    fixed: bool = False,
    maxiter: int = 35,
    tol: float = 1e-9,
) -> Absorbed:
    """Maximise the log-likelihood over the coefficients and the effects, or with `fixed` over the effects alone.

    Parameters
    ----------
    rows : EffectRows
    beta : (k,), optional
        Where the coefficients start, or stay.
    start : (n,), optional
        Where the sum of effects of every row starts; by default at the log odds of its groups of the first factor.
    fixed : bool
        Whether the coefficients stay where they are.
    maxiter : int
    tol : float
        Length of a step, in standard errors, that counts as none; it is taken all the same.
    """
    k = rows.X.shape[1]
    beta = np.zeros(k) if beta is None else beta.copy()
    effects = [np.zeros(levels) for levels in rows.grouping.levels]
    if start is None:
        effects[0] = first_effects(rows)
    else:
        effects = EffectsSolver(rows.grouping, np.ones(len(start))).solve(rows.grouping.sums(start))
    here = row_terms(rows, predictor(rows, beta, effects))
    path: list[tuple[float, float, float]] = []
    length = 0.0
    for iteration in range(maxiter + 1):
        step = _step(rows, here, fixed)
        decrement = float(np.sqrt(max(float(here.residual @ step.eta), 0.0)))
        path.append((here.loglik, decrement, length))
        done = decrement <= tol or _at_rounding(path)
        separated = _separated(rows, here, step.eta) if iteration >= SUSPECT_STEPS else None
        if done or separated is not None or iteration == maxiter:
            break
        here, length = _controlled(rows, here, step.eta)
        beta = beta + length * step.beta
        effects = [a + length * b for a, b in zip(effects, step.effects, strict=True)]
        if length == 0.0:
            break
    if done and separated is None:
        beta, effects = beta + step.beta, [a + b for a, b in zip(effects, step.effects, strict=True)]
    spans = np.ptp(rows.X, axis=0) if k else np.zeros(0)
    return Absorbed(
        beta, effects, here, step.within, step.information, decrement, bool(done) and separated is None, iteration,
        tuple(path), separated, np.abs(step.beta) * spans,
    )  # fmt: skip


def _separated(rows: EffectRows, here: RowTerms, step: FloatArray) -> NDArray[np.bool_] | None:
    """Rows that a step moves on by about one towards certainty, where it moves no row back.

    Newton's steps along a direction of separation tend to a length at which each separated row gains one on the scale of the log
    odds, while the others come to rest.
    """
    sure = rows.successes if rows.trials is None else rows.successes / rows.trials
    gain = np.where(sure == 1.0, step, np.where(sure == 0.0, -step, -np.abs(step)))
    far = (gain > GAIN) & (np.abs(here.eta) > SUSPECT_ETA)
    return far if far.any() and float(gain.min()) > -STILL else None


def predictor(rows: EffectRows, beta: FloatArray, effects: list[FloatArray]) -> FloatArray:
    """(n,) linear predictor."""
    eta = rows.X @ beta + rows.grouping.spread(effects)
    return eta if rows.offset is None else eta + rows.offset


def first_effects(rows: EffectRows) -> FloatArray:
    """Log odds of the groups of the first factor."""
    weight = np.ones(len(rows.successes)) if rows.weight is None else rows.weight
    trials = weight if rows.trials is None else weight * rows.trials
    events, outcomes = rows.grouping.sums(weight * rows.successes)[0], rows.grouping.sums(trials)[0]
    return np.asarray(np.log(events / (outcomes - events)))


@dataclass(frozen=True, eq=False)
class _Step:
    beta: FloatArray
    effects: list[FloatArray]
    eta: FloatArray
    within: FloatArray
    information: FloatArray


def _step(rows: EffectRows, here: RowTerms, fixed: bool) -> _Step:
    """Newton's step in coefficients, effects and linear predictors."""
    solver = EffectsSolver(rows.grouping, here.weight)
    k = 0 if fixed else rows.X.shape[1]
    sides = np.empty((len(here.eta), k + 1))
    sides[:, 0] = here.residual
    if not fixed:
        np.multiply(rows.X, here.weight[:, None], out=sides[:, 1:])
    effects = solver.solve(rows.grouping.sums(sides))
    projected = rows.grouping.spread(effects)
    if fixed:
        return _Step(
            np.zeros(rows.X.shape[1]), [e[:, 0] for e in effects], projected[:, 0], rows.X[:, :0], np.zeros((0, 0))
        )
    within = rows.X - projected[:, 1:]
    information = within.T @ (within * here.weight[:, None])
    score = within.T @ here.residual
    beta = np.asarray(np.linalg.lstsq(information, score, rcond=None)[0] if k else score, dtype=np.float64)
    moved = [e[:, 0] - e[:, 1:] @ beta for e in effects]
    return _Step(beta, moved, projected[:, 0] + within @ beta, within, information)


def _controlled(rows: EffectRows, here: RowTerms, step: FloatArray) -> tuple[RowTerms, float]:
    """Take the step, halved until the log-likelihood does not fall; length 0 where no fraction of it helps."""
    slack = 1e-13 * (1.0 + abs(here.loglik))
    length = 1.0
    for _ in range(HALVINGS):
        there = row_terms(rows, here.eta + length * step)
        if np.isfinite(there.loglik) and there.loglik >= here.loglik - slack:
            return there, length
        length *= 0.5
    return here, 0.0


def _at_rounding(path: list[tuple[float, float, float]]) -> bool:
    return len(path) > 1 and path[-1][1] < 1e-6 and path[-1][1] > 0.25 * path[-2][1]


def bias_correction(rows: EffectRows, fit: Absorbed) -> FloatArray:
    """(k,) what the analytical correction adds to the coefficients: Fernandez-Val and Weidner (2016), equation 4.4.

    H^-1 sum over factors and groups of (1/2) sum w (1 - 2p) x~ / sum w, the columns being strictly exogenous.
    """
    third = fit.terms.weight * (1.0 - 2.0 * fit.terms.prob)
    tops = rows.grouping.sums(third[:, None] * fit.within)
    bottoms = rows.grouping.sums(fit.terms.weight)
    bias = sum((0.5 * (top / bottom[:, None])).sum(axis=0) for top, bottom in zip(tops, bottoms, strict=True))
    return np.asarray(np.linalg.solve(fit.information, np.asarray(bias)))


def without_variation(
    codes: Sequence[IntArray], successes: FloatArray, outcomes: FloatArray
) -> list[NDArray[np.bool_]]:
    """For each factor the (n,) rows left out because every outcome of their group is the same.

    The factors are gone through in turn, again until nothing more is left out: a group that lost rows to another factor may have
    lost its variation.

    Parameters
    ----------
    codes : sequence of (n,)
        Groups of each factor, numbered from 0.
    successes, outcomes : (n,)
        Events and outcomes of each row, weighted.
    """
    kept = np.ones(len(successes), dtype=np.bool_)
    out = [np.zeros(len(successes), dtype=np.bool_) for _ in codes]
    while True:
        before = int(kept.sum())
        for f, of_factor in enumerate(codes):
            events = np.bincount(of_factor, np.where(kept, successes, 0.0))
            total = np.bincount(of_factor, np.where(kept, outcomes, 0.0))
            idle = kept & ((events <= 0.0) | (events >= total))[of_factor]
            out[f] |= idle
            kept &= ~idle
        if int(kept.sum()) == before:
            return out
