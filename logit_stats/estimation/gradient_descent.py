"""Gradient descent, by all rows at once or by mini-batches: the algorithms of the textbooks, for teaching and comparison.

With the cost J(beta) = -loglik(beta) / N, N outcomes (rows, or weights times trials), a step is

    beta <- beta - rate * J'(beta)        J' from all rows (gd), or its estimate from a batch of rows (sgd)

on the columns as the user gave them, so that columns of unlike size make it slow, as they do in the textbooks. The sums
are computed in the solver's working columns, where X beta = Z gamma with beta = A gamma and J'(gamma) = A' J'(beta); the
same step is gamma <- gamma - rate * (A'A)^-1 J'(gamma), and loses no digits to columns far from zero.

J' changes by at most L times the way gone, L = largest eigenvalue of X' diag(a m) X / (4 N), since p (1 - p) <= 1/4. With
rate 1 / L the cost therefore falls in every step (Nesterov 2004, Introductory Lectures on Convex Optimization, section
2.1.5). For batches of b out of n rows L becomes the expected smoothness of Gower et al. (2019, SGD: General Analysis and
Improved Rates, ICML), which is L for b = n and that of the longest row for b = 1.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import numpy as np
from scipy.linalg import eigvalsh

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import DataError, DivergenceError, UnknownOptionError
from logit_stats.estimation.likelihood import TALL_ROWS, moments
from logit_stats.estimation.newton import Optimum, newton_decrement
from logit_stats.estimation.trace import Step, Trace
from logit_stats.likelihoods.kernel import fast_score, weighted_gram
from logit_stats.likelihoods.moments import Moments
from logit_stats.likelihoods.working import WorkingColumns

FIRST_ORDER_METHODS = ("gd", "sgd")
EPOCHS = {"gd": 1000, "sgd": 100}
BATCH_ROWS = 32
DECAY = 0.1
# A cost that rises by less than this share of itself has not risen: sums of n terms differ by rounding.
RISE = 1e-12


@dataclass(frozen=True, slots=True)
class Descent:
    """Settings of the first-order methods; None stands for the default.

    Attributes
    ----------
    learning_rate : float, optional
        Step length on the mean cost, by default 1 / L (see the top of the module).
    epochs : int, optional
        Largest number of passes over the rows: 1000 for gd, 100 for sgd.
    batch_size : int, optional
        Rows a step of sgd, by default 32.
    decay : float, optional
        The rate of sgd in epoch e = 0, 1, ... is ``learning_rate / (1 + decay * e)``, by default with ``decay=0.1``.
    seed : int, optional
        Of sgd's shuffling, by default 0.
    """

    learning_rate: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    decay: float | None = None
    seed: int | None = None

    def checked(self, method: str, maxiter: int | None) -> Descent:
        """Return these settings, after a look at each of them; `maxiter` is another name of epochs.

        Raises
        ------
        UnknownOptionError
            If a setting does not belong to the method.
        DataError
            If one is out of range.
        """
        given = [name for name in self.__slots__ if getattr(self, name) is not None]
        allowed = {"gd": ("learning_rate", "epochs"), "sgd": self.__slots__}.get(method, ())
        for name in given:
            if name not in allowed:
                owners = "method='sgd'" if name not in ("learning_rate", "epochs") else "method='gd' and method='sgd'"
                raise UnknownOptionError(f"{name} belongs to {owners}; method={method!r} does not use it.")
        if method not in FIRST_ORDER_METHODS:
            return self
        if maxiter is not None and self.epochs is not None:
            raise UnknownOptionError(f"maxiter and epochs are the same for method={method!r}; give one of them.")
        epochs = self.epochs if self.epochs is not None else maxiter if maxiter is not None else EPOCHS[method]
        return Descent(
            None if self.learning_rate is None else _number("learning_rate", self.learning_rate, "above zero"),
            _whole("epochs", epochs, 0),
            _whole("batch_size", BATCH_ROWS if self.batch_size is None else self.batch_size, 1),
            _number("decay", DECAY if self.decay is None else self.decay, "zero or above"),
            _whole("seed", 0 if self.seed is None else self.seed, 0),
        )


def _number(name: str, value: object, where: str) -> float:
    number = float(value) if isinstance(value, Real) else float("nan")
    if not (0.0 < number < np.inf or (number == 0.0 and where == "zero or above")):
        raise DataError(f"{name}={value!r} must be a number, {where}.")
    return number


def _whole(name: str, value: object, least: int) -> int:
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = least - 1
    if number < least:
        raise DataError(f"{name}={value!r} must be a whole number, {least} or above.")
    return number


def descend(
    design: Design,
    working: WorkingColumns,
    start: FloatArray,
    method: str,
    settings: Descent,
    *,
    tol: float,
    callback: Callable[[FloatArray], None] | None = None,
) -> Optimum:
    """Lower the cost by ``method="gd"`` or ``"sgd"``; other parameters and the result as for `newton`.

    Parameters
    ----------
    settings : Descent
        Checked settings.

    Raises
    ------
    DivergenceError
        If the cost stops being a number.
    """
    assert settings.epochs is not None
    slope = _Slope(design, working, method, settings)
    gamma, here = start, moments(design, start, working)
    slope.refuse_overflow(here, 0)
    steps = [Step(here.loglik, newton_decrement(here), 0.0)]
    while not (steps[-1].decrement <= tol) and len(steps) <= settings.epochs:
        epoch = len(steps) - 1
        gamma = slope.all_rows(gamma, here) if method == "gd" else slope.by_batches(gamma, epoch)
        here = moments(design, gamma, working)
        slope.refuse_overflow(here, epoch + 1)
        steps.append(Step(here.loglik, newton_decrement(here), slope.rate(epoch)))
        if callback is not None:
            callback(gamma)
    last = steps[-1].decrement
    trace = Trace(tuple(steps), slope.account(), step_name="epoch" if method == "sgd" else "iteration")
    return Optimum(gamma, here, last, bool(last <= tol), len(steps) - 1, trace)


class _Slope:
    """Steps down the slope of the cost."""

    def __init__(self, design: Design, working: WorkingColumns, method: str, settings: Descent) -> None:
        self._design, self._working = design, working
        self._method, self._settings = method, settings
        back = np.column_stack([working.gamma(unit) for unit in np.eye(design.columns)])
        with np.errstate(over="ignore", invalid="ignore"):
            self._metric = back @ back.T  # (A'A)^-1
        self._random = np.random.default_rng(settings.seed)
        batch = settings.batch_size if method == "sgd" else None
        self._first_rate = settings.learning_rate or steady_rate(design, batch)

    def rate(self, epoch: int) -> float:
        """Learning rate of an epoch."""
        decay = (self._settings.decay or 0.0) if self._method == "sgd" else 0.0
        return self._first_rate / (1.0 + decay * epoch)

    def all_rows(self, gamma: FloatArray, here: Moments) -> FloatArray:
        """One step by all rows."""
        return gamma + self._down(self._first_rate / self._design.outcomes, here.score)

    def by_batches(self, gamma: FloatArray, epoch: int) -> FloatArray:
        """Steps by one batch after the other, through all rows in a new order.

        Batches are as equal as can be. A row with a weight or with trials is drawn as one, and counts that often.
        """
        rows, size = self._design.rows, self._settings.batch_size
        assert size is not None
        factor = self.rate(epoch) / self._design.outcomes
        block = self._design.block
        center, scale = self._working.center, self._working.scale
        for batch in np.array_split(self._random.permutation(rows), -(-rows // size)):
            with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
                found = fast_score(block.at(batch), gamma, center, scale)
            gamma = gamma + self._down(factor * rows / len(batch), found.score)
        return gamma

    def _down(self, factor: float, score: FloatArray) -> FloatArray:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(factor * (score if self._working.plain else self._metric @ score))

    def refuse_overflow(self, here: Moments, epoch: int) -> None:
        """Raise where the cost is no number any more."""
        if np.isfinite(here.loglik) and np.isfinite(here.score).all() and np.isfinite(self._first_rate):
            return
        if epoch == 0:
            raise DivergenceError(
                "The cost at the start is not a number: rescale the columns (they are too large for gradient descent), or "
                "give other start_params."
            )
        raise DivergenceError(
            f"method={self._method!r} diverged: the cost is not a number after epoch {epoch}. Lower the learning rate (it is "
            f"{self._first_rate:.3g}), or rescale the columns."
        )

    def account(self) -> str:
        """How the fit was made, in a sentence without its full stop."""
        own = "" if self._settings.learning_rate is not None else " (1 / L)"
        if self._method == "gd":
            return f"fitted by gradient descent, learning rate {self._first_rate:.4g}{own}"
        s = self._settings
        rows = min(s.batch_size or 1, self._design.rows)
        return (
            f"fitted by mini-batch gradient descent: batches of {rows} row{'s' * (rows > 1)}, learning rate "
            f"{self._first_rate:.4g}{own}, decay {s.decay:g}, seed {s.seed}"
        )


def steady_rate(design: Design, batch_size: int | None = None) -> float:
    """Learning rate 1 / L at which steps by all rows, or on average by batches, do not overshoot."""
    n, weight = design.rows, design.row_weight
    gram = np.zeros((design.columns, design.columns))
    longest, first = 0.0, 0
    with np.errstate(over="ignore", invalid="ignore"):
        for block in design.blocks(TALL_ROWS):
            a = weight[first : first + len(block.successes)]
            first += len(a)
            gram += weighted_gram(block.X, a)
            if batch_size is not None:
                X = np.asarray(block.X)
                longest = max(longest, float((a * np.einsum("ij,ij->i", X, X)).max()))
    if not np.isfinite(gram).all():
        return float("nan")
    smooth = float(eigvalsh(gram, subset_by_index=[len(gram) - 1] * 2)[0])
    if batch_size is not None and n > 1:
        b = min(batch_size, n)
        smooth = (smooth * (b - 1) + longest * (n - b)) * n / (b * (n - 1)) if b < n else smooth
    return 4.0 * design.outcomes / smooth


def not_reached(method: str, trace: Trace, design: Design, settings: Descent) -> str:
    """What to do about iterations that ended too early, by what their cost did."""
    cost = trace.cost
    rises = int((np.diff(cost) > RISE * cost[:-1]).sum())
    rate = steady_rate(design, settings.batch_size if method == "sgd" else None)
    if method == "gd" and rises:
        return f"the cost rose in {rises} of {len(cost) - 1} steps: lower learning_rate (at {rate:.3g} or less it cannot rise)"
    if method == "sgd" and cost[-1] > cost[0]:
        return f"the cost ended higher than it began: lower learning_rate (to {rate:.3g}, say)"
    if method == "sgd":
        return (
            "raise epochs; or, where the noise of the batches keeps the cost up, lower learning_rate or raise decay or "
            "batch_size; or use method='newton'"
        )
    if settings.learning_rate is not None and settings.learning_rate < 0.5 * rate:
        return f"raise learning_rate (up to {rate:.3g} the cost cannot rise) or epochs, or use method='newton'"
    return "raise epochs, bring the columns to one scale, or use method='newton'"
