"""Fits of rows that are read in passes: as few passes as there can be, each with all that it can carry.

The sample that the first pass kept says where to start. Newton's method then takes full moments from every pass, and squares its
distance to the maximum with each (Boyd and Vandenberghe 2004, section 9.5.3). Where the next pass is foreseen to be within a
millionth of a standard error, it is the last one: it brings the information at the estimate, the squares of the scores (for
robust errors) and whatever else the caller wants of the rows, and the step that follows it costs nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.streamed import Ends, StreamedDesign
from logit_stats.errors import ConvergenceWarning, DataError, LogitStatsError, NotAvailableError
from logit_stats.estimation.climb import Ascent, climb
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import linear_predictor, moments
from logit_stats.estimation.newton import SMALL_DISTANCE, LikelihoodSurface, newton_decrement
from logit_stats.estimation.null_model import NullModel, null_gamma
from logit_stats.estimation.trace import Step, Trace
from logit_stats.likelihoods.kernel import weighted_gram
from logit_stats.likelihoods.moments import Moments
from logit_stats.likelihoods.rows import score_residual
from logit_stats.likelihoods.working import WorkingColumns, centred_columns

# Foreseen distance, in standard errors, at which the next pass is the last one.
LAST = 1e-6
# By what share of itself the information may change between the last pass and the estimate.
SETTLED = 1e-10
LAST_PASSES = 6
# A fall of the log-likelihood by more than this share of itself, after a small step, is no rounding.
FALL = 1e-9

Beside = Callable[[Fit], Any]


@dataclass(frozen=True, eq=False)
class StreamedFit(Fit):
    """A fit of rows that are read in passes.

    Attributes
    ----------
    meat : (k, k)
        Sum over rows of the squared scores, as HC0 takes it, in the working columns.
    beside : object
        What else the last pass brought.
    """

    meat: FloatArray = field(kw_only=True)
    beside: Any = field(default=None, kw_only=True)

    @cached_property
    def carried(self) -> CarriedFit:
        """What workers need of the fit."""
        return CarriedFit(
            {name: getattr(self, name) for name in _OF_FIT}, {name: getattr(self, name) for name in _KNOWN}
        )  # fmt: skip

    def on(self, design: Design) -> Fit:
        """Return the same fit as one of some of the rows, in memory."""
        return self.carried.on(design)


_OF_FIT = (
    "working", "gamma", "information_working", "loglik", "max_abs_eta", "null", "constant_in_span", "method", "converged",
    "iterations", "decrement", "trace", "maximum",
)  # fmt: skip
_KNOWN = (
    "beta", "_factor", "_ill_conditioned_root", "covariance_root", "covariance_working", "covariance", "standard_errors"
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class CarriedFit:
    """A fit without its rows, on its way to a worker, where it meets some of them.

    Attributes
    ----------
    of_fit, known : dict of str to value
        Fields of the fit, and what was computed from them.
    """

    of_fit: dict[str, Any]
    known: dict[str, Any]

    @property
    def working(self) -> WorkingColumns:
        """The solver's columns."""
        found: WorkingColumns = self.of_fit["working"]
        return found

    def on(self, design: Design) -> Fit:
        """Return the fit as one of these rows."""
        fit = Fit(design=design, **self.of_fit)
        fit.__dict__.update(self.known)
        return fit


@dataclass(frozen=True, eq=False)
class LastPass:
    """What the last pass brings: moments, squared scores, ends of the columns, and what the caller wants."""

    moments: Moments
    meat: FloatArray
    ends: Ends
    beside: Any

    def __add__(self, other: Self) -> LastPass:
        beside = None if self.beside is None else self.beside + other.beside
        return LastPass(self.moments + other.moments, self.meat + other.meat, self.ends + other.ends, beside)


@dataclass(frozen=True, eq=False)
class Last:
    """What the last pass makes of a range of rows."""

    gamma: FloatArray
    working: WorkingColumns
    null: NullModel
    beside: Beside | None

    def __call__(self, design: Design) -> LastPass:
        """Of one range of rows."""
        here = moments(design, self.gamma, self.working)
        eta = linear_predictor(design, self.gamma, self.working)
        beside = None
        if self.beside is not None:
            fit = Fit(
                design, self.working, self.gamma, here.information, here.loglik, here.max_abs_eta, self.null,
                self.null.kind == "intercept", "newton", True, 0, 0.0, Trace(()),
            )  # fmt: skip
            beside = self.beside(fit)
        return LastPass(here, squared_scores(design, eta, self.working), Ends.of(design), beside)


def squared_scores(design: Design, eta: FloatArray, working: WorkingColumns, factor: Any = 1.0) -> FloatArray:
    """(k, k) sum over rows of the squared scores ``u_i z_i``, weighted, each times its factor."""
    u = score_residual(eta, design.response.successes, design.response.trials)
    square = u**2 * factor
    if design.weight is not None:
        square = square * design.weight.values ** (2 if design.weight_kind == "sampling" else 1)
    return weighted_gram(design.X, square, working.center, working.scale)


@dataclass(frozen=True, eq=False)
class StreamedSurface(LikelihoodSurface):
    """The log-likelihood over all coefficients, a pass for every place."""

    def foreseen(self, steps: list[Step], place: Moments, tol: float) -> bool:
        """Whether the next full step ends so near that its pass is the last one."""
        if len(steps) < 2 or steps[-1].length != 1.0 or not steps[-1].decrement < 10.0 * SMALL_DISTANCE**0.5:
            return False
        return _constant(steps[-2], steps[-1]) * steps[-1].decrement ** 2 <= max(LAST, tol)


def _constant(before: Step, after: Step) -> float:
    """C of ``d' = C d²``, as the last full step showed it."""
    return after.decrement / before.decrement**2 if before.decrement > 0.0 else np.inf


def streamed_fit(
    design: StreamedDesign, null: NullModel, start: Any, *, maxiter: int, tol: float, method: str, callback: Any,
    check_rank: bool | str, prepare: Callable[..., Any], in_memory: Callable[[Design], Fit],
    check: Callable[[FloatArray, WorkingColumns], None],
    stacklevel: int, beside: Beside | None = None,
) -> StreamedFit:  # fmt: skip
    """Fit by Newton's method; parameters are those of `maximum_likelihood`.

    Parameters
    ----------
    prepare : callable
        Returns the design of full rank, or raises, from the design, its working columns and the moments at a start.
    in_memory : callable
        Fits a design in memory.
    check : callable
        Raises where there is no finite estimate.
    beside : callable, optional
        What else the last pass is to sum, of the fit on every range of rows.
    """
    sample = _sample(design)
    working = _working(design, sample)
    gamma = (
        working.gamma(np.asarray(start, dtype=np.float64))
        if start is not None
        else _start(design, working, null, sample, in_memory)
    )
    first = moments(design, gamma, working)
    if not np.isfinite(first.loglik):
        gamma = null_gamma(design, null)
        first = moments(design, gamma, working)
    kept = prepare(design, first, check_rank)
    if kept is not design:
        return streamed_fit(
            kept, null, None, maxiter=maxiter, tol=tol, method=method, callback=callback, check_rank=False,
            prepare=prepare, in_memory=in_memory, check=check, stacklevel=stacklevel + 1, beside=beside,
        )  # fmt: skip
    after = None if callback is None else lambda g: callback(working.beta(g))
    found = climb(
        StreamedSurface(design, working),
        gamma,
        first,
        maxiter=maxiter,
        tol=tol,
        after=after,
        before=_watch(check, working),
    )
    place, last, steps = _last_passes(design, working, null, found, beside)
    decrement = newton_decrement(last.moments)
    converged = found.converged and decrement < 1e-4
    if not converged or last.moments.max_abs_eta > 30.0:
        check(place, working)
    if converged and np.isfinite(decrement):
        place = place + last.moments.factor.solve(last.moments.score)
    if not converged:
        warnings.warn(
            f"No maximum after {len(steps) - 1} steps: {decrement:.2g} standard errors away. Raise maxiter.",
            ConvergenceWarning, stacklevel=stacklevel,
        )  # fmt: skip
    design.ends[:] = [last.ends.values]
    return StreamedFit(
        design=design, working=working, gamma=place, information_working=last.moments.information,
        loglik=last.moments.loglik + 0.5 * min(decrement, 1.0) ** 2 * converged, max_abs_eta=last.moments.max_abs_eta,
        null=null, constant_in_span=null.kind == "intercept", method=method, converged=converged,
        iterations=len(steps) - 1, decrement=decrement, trace=Trace(tuple(steps), "", design.outcomes),
        meat=last.meat, beside=last.beside,
    )  # fmt: skip


def _watch(check: Callable[[FloatArray, WorkingColumns], None], working: WorkingColumns) -> Any:
    """Look for separation once, when the iterations look as if the maximum were at infinity."""
    done = [False]

    def before(iteration: int, gamma: FloatArray, here: Moments) -> None:
        if not done[0] and iteration >= 9 and here.max_abs_eta > 8.0:
            check(gamma, working)
            done[0] = True

    return before


def _last_passes(
    design: StreamedDesign, working: WorkingColumns, null: NullModel, found: Ascent[Moments], beside: Beside | None
) -> tuple[FloatArray, LastPass, list[Step]]:
    """The pass at the foreseen estimate; another one where the information there would not be settled."""
    gamma = found.gamma + found.step if found.converged else found.gamma
    steps = list(found.steps)
    for _ in range(LAST_PASSES):
        last: LastPass = design.sum(Last(gamma, working, null, beside), "last pass")
        distance = newton_decrement(last.moments)
        if last.moments.loglik < steps[-1].loglik - FALL * abs(steps[-1].loglik) and steps[-1].decrement < 1e-2:
            raise DataError(
                f"The log-likelihood fell from {steps[-1].loglik:.6f} to {last.moments.loglik:.6f} after a step of "
                f"{steps[-1].decrement:.2g} standard errors: the rows are not those of the pass before. Fit again when nobody "
                f"writes to them."
            )
        steps.append(Step(last.moments.loglik, distance, 1.0))
        constant = max(_constant(steps[-2], steps[-1]), 1.0 / np.sqrt(design.rows))
        if not found.converged or not np.isfinite(distance) or constant * distance <= SETTLED or distance < 1e-11:
            break
        if len(steps) > 2 and distance > 0.25 * steps[-2].decrement:
            break  # what is left is rounding
        gamma = gamma + last.moments.factor.solve(last.moments.score)
    return gamma, last, steps


def _sample(design: StreamedDesign) -> Design | None:
    try:
        return design.kept
    except DataError:
        return None


def _working(design: StreamedDesign, sample: Design | None) -> WorkingColumns:
    """Centres and scales by the sample: any will do that are near."""
    if sample is None:
        return WorkingColumns.of(design)
    return centred_columns(sample)


def _start(
    design: StreamedDesign,
    working: WorkingColumns,
    null: NullModel,
    sample: Design | None,
    in_memory: Callable[[Design], Fit],
) -> FloatArray:
    """Coefficients of the sample; those of the null model where the sample has none."""
    if sample is not None and sample.rows > 5 * design.columns:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fit = in_memory(sample)
        except LogitStatsError:
            return null_gamma(design, null)
        if fit.converged and fit.max_abs_eta < 30.0:
            beta = np.zeros(design.columns)
            beta[[design.names.index(name) for name in fit.design.names]] = fit.beta
            return working.gamma(beta)
    return null_gamma(design, null)


def refuse_method(method: str) -> None:
    """Raise where a method needs more passes than anyone would wait for."""
    if method not in ("newton", "irls"):
        raise NotAvailableError(
            f"method={method!r} reads the rows hundreds of times, and they are out of memory; use method='newton', which needs "
            f"three or four passes."
        )
