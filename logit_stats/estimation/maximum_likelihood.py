"""From a `Design` to a `Fit`: rank, start, iterations, separation."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.streamed import StreamedDesign
from logit_stats.errors import ConvergenceWarning, DataError, check_choice
from logit_stats.estimation.absorbed import absorbed_fit
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.gradient_descent import FIRST_ORDER_METHODS, Descent, descend, not_reached
from logit_stats.estimation.large import large_optimum, sound
from logit_stats.estimation.likelihood import moments
from logit_stats.estimation.newton import Optimum, newton
from logit_stats.estimation.null_model import NullModel, null_gamma, null_model
from logit_stats.estimation.rank import dependent_columns, rank_error, without
from logit_stats.estimation.scipy_methods import SCIPY_METHODS, scipy_optimum
from logit_stats.estimation.separation import find_separation, separation_error
from logit_stats.estimation.streamed import refuse_method, streamed_fit
from logit_stats.estimation.streamed_separation import refuse_streamed_separation
from logit_stats.likelihoods.kernel import weighted_gram
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.likelihoods.moments import Moments
from logit_stats.likelihoods.of_design import likelihood_of
from logit_stats.likelihoods.working import WorkingColumns, centred_columns

NEWTON_METHODS = ("newton", "irls")
METHODS = (*NEWTON_METHODS, *SCIPY_METHODS, *FIRST_ORDER_METHODS)
MAXITER = 35
# Distance to the maximum in standard errors that counts as reached.
NEWTON_TOLERANCE = 1e-9
# Steps of the large fit; with a smaller maxiter the iterations are counted one by one.
LARGE_STEPS = 3
SCIPY_TOLERANCE = 1e-5
FIRST_ORDER_TOLERANCE = {"gd": 1e-5, "sgd": 1e-2}

# A column of which its predecessors leave no more than this, centred and scaled, is looked at by a QR of the rows. Behind a
# column with a pivot p the pivots of others are rounding up to some eps / p: a dependent one shows 2e-9 and more behind 1e-7.
RANK_PIVOT = 1e-7

UserCallback = Callable[[FloatArray], None]


def maximum_likelihood(
    design: Design,
    *,
    start: FloatArray | None = None,
    method: str = "newton",
    maxiter: int | None = None,
    tol: float | None = None,
    callback: UserCallback | None = None,
    check_rank: bool | str = True,
    descent: Descent | None = None,
    stacklevel: int = 3,
    beside: Callable[[Fit], Any] | None = None,
) -> Fit:
    """Fit the model.

    Parameters
    ----------
    design : Design
    start : (k,), optional
        Coefficients to start from. A start worse than the null model is replaced by it, but not for `FIRST_ORDER_METHODS`,
        which start from zero by default.
    method : str
        One of `METHODS`.
    maxiter : int, optional
        Largest number of iterations.
    tol : float, optional
        Distance to the maximum, in standard errors, that counts as reached: by default 1e-9 for Newton's method (which
        then takes one more, free step), 1e-5 for SciPy's methods and gd, 0.01 for sgd.
    callback : callable, optional
        Called with the coefficients after every iteration.
    check_rank : bool or "drop"
        Whether dependent columns are an error (True), left out ("drop"), or not looked for (False).
    descent : Descent, optional
        Settings of `FIRST_ORDER_METHODS`.
    stacklevel : int
        How many calls up the line stands that a warning names.
    beside : callable, optional
        What else the last pass is to sum over rows out of memory, of the fit on every range of rows.

    Raises
    ------
    RankDeficientError
        If columns are combinations of others.
    SeparationError
        If there is no finite estimate.
    DivergenceError
        If gradient descent runs away.

    Warns
    -----
    ConvergenceWarning
        If the iterations end before the tolerance is met.
    """
    check_choice("method", method, METHODS)
    check_choice("check_rank", check_rank, (True, False, "drop"))  # type: ignore[arg-type]
    descent = (descent or Descent()).checked(method, maxiter)
    maxiter = descent.epochs if method in FIRST_ORDER_METHODS else MAXITER if maxiter is None else maxiter
    assert maxiter is not None
    _check_limits(maxiter, tol)
    if likelihood_of(design).profiled:
        goal = NEWTON_TOLERANCE if tol is None else tol
        return absorbed_fit(design, start=start, maxiter=maxiter, tol=goal, stacklevel=stacklevel + 1)
    implicit = design.constant is None and _spans_constant(design)
    null = null_model(design, constant_in_span=design.constant is not None or implicit)
    newtonian = method in NEWTON_METHODS
    tolerance = _tolerance(method) if tol is None else tol
    if isinstance(design, StreamedDesign):
        refuse_method(method)
        return streamed_fit(
            design, null, start, maxiter=maxiter, tol=tolerance, method=method, callback=callback, check_rank=check_rank,
            prepare=_of_full_rank, in_memory=lambda part: maximum_likelihood(part, check_rank="drop"),
            check=partial(refuse_streamed_separation, design),
            stacklevel=stacklevel + 1, beside=beside,
        )  # fmt: skip
    quick = newtonian and start is None and callback is None and maxiter >= LARGE_STEPS and design.group is None
    large = large_optimum(design, tolerance) if quick else None
    if large is not None:
        (working, best), note = large, ""
        gamma, first = best.gamma, best.moments
    else:
        design, working, at_null = _prepared(design, null, check_rank)
        if method in FIRST_ORDER_METHODS:
            gamma, first, note = _start_from_zero(design, working, start), at_null, ""
        else:
            gamma, first, note = _start(design, working, null, at_null, start)
    user_callback = None if callback is None else lambda g: callback(working.beta(g))

    def refuse_separation(gamma: FloatArray) -> None:
        separation = find_separation(design, working.beta(gamma))
        if separation.kind != "none":
            raise separation_error(design, separation)

    if large is not None and best.converged:
        pass
    elif newtonian:
        best = newton(
            design, working, gamma, maxiter=maxiter, tol=tolerance,
            callback=user_callback, check=refuse_separation, first=first,
        )  # fmt: skip
    elif method in FIRST_ORDER_METHODS:
        best = descend(design, working, gamma, method, descent, tol=tolerance, callback=user_callback)
    else:
        best = scipy_optimum(design, working, gamma, method, maxiter=maxiter, tol=tolerance, callback=user_callback)
    if _may_be_separated(design, best, early=method in FIRST_ORDER_METHODS):
        refuse_separation(best.gamma)
    trace = replace(best.trace, note=best.trace.note or note, outcomes=design.outcomes)
    if not best.converged:
        advice = not_reached(method, trace, design, descent) if method in FIRST_ORDER_METHODS else ""
        warnings.warn(_not_converged(method, best, maxiter, advice), ConvergenceWarning, stacklevel=stacklevel)
    return Fit(
        design=design,
        working=working,
        gamma=best.gamma,
        information_working=best.moments.information,
        loglik=best.moments.loglik,
        max_abs_eta=best.moments.max_abs_eta,
        null=null,
        constant_in_span=null.kind == "intercept",
        method=method,
        converged=best.converged,
        iterations=best.iterations,
        decrement=best.decrement,
        trace=trace,
    )


def prepared_for_penalty(
    design: Design, check_rank: bool | str, start: FloatArray | None
) -> tuple[Design, WorkingColumns, NullModel, FloatArray]:
    """Return a design of full rank, working columns, the null model, and where to start a penalized fit."""
    implicit = design.constant is None and _spans_constant(design)
    null = null_model(design, constant_in_span=design.constant is not None or implicit)
    design, working, at_null = _prepared(design, null, check_rank)
    gamma, _, _ = _start(design, working, null, at_null, start)
    return design, working, null, gamma


def _check_limits(maxiter: int, tol: float | None) -> None:
    if maxiter < 0:
        raise DataError(f"maxiter={maxiter} is negative.")
    if tol is not None and not tol >= 0.0:
        raise DataError(f"tol={tol} must be a number, zero or above: a distance in standard errors.")


def _tolerance(method: str) -> float:
    if method in NEWTON_METHODS:
        return NEWTON_TOLERANCE
    return FIRST_ORDER_TOLERANCE.get(method, SCIPY_TOLERANCE)


def _spans_constant(design: Design) -> bool:
    """Whether some combination of the columns is one in every row (a factor coded in full, say)."""
    sums = np.zeros(design.columns)
    gram = np.zeros((design.columns, design.columns))
    with np.errstate(over="ignore", invalid="ignore"):
        for block in design.blocks():
            sums += block.X.sum(axis=0)
            gram += weighted_gram(block.X, np.ones(len(block.X)))
    if not np.isfinite(gram).all():
        return False
    factor = EquilibratedCholesky(gram)
    combination = factor.solve(sums) if factor.definite else np.linalg.lstsq(gram, sums, rcond=None)[0]
    return all(bool(np.abs(block.X @ combination - 1.0).max() < 1e-8) for block in design.blocks())


def _prepared(design: Design, null: NullModel, check_rank: bool | str) -> tuple[Design, WorkingColumns, Moments]:
    """Working columns that the solver can trust, of full rank, and the moments of the null model in them."""
    working = WorkingColumns.of(design)
    at_null = moments(design, null_gamma(design, null), working)
    if sound(at_null):
        return design, working, at_null
    working = centred_columns(design)
    at_null = moments(design, null_gamma(design, null), working)
    factor = at_null.factor
    if not (factor.definite and factor.smallest_pivot > RANK_PIVOT) and check_rank is not False:
        found = dependent_columns(design)
        if found and check_rank is True:
            raise rank_error(design, found)
        if found:
            return _prepared(without(design, found), null, False)
    if not factor.definite and check_rank is False and dependent_columns(design):
        raise rank_error(design, dependent_columns(design))
    return design, working, at_null


def _of_full_rank(design: Design, at_start: Moments, check_rank: bool | str) -> Design:
    """Return the design without dependent columns, where the moments in centred columns say that there may be some."""
    factor = at_start.factor
    if check_rank is False or (factor.definite and factor.smallest_pivot > RANK_PIVOT):
        return design
    found = dependent_columns(design)
    if found and check_rank is True:
        raise rank_error(design, found)
    return without(design, found)


def _start(
    design: Design, working: WorkingColumns, null: NullModel, at_null: Moments, start: FloatArray | None
) -> tuple[FloatArray, Moments, str]:
    """Where to start: at the null model, or at the user's coefficients if these are better."""
    gamma = null_gamma(design, null)
    if start is None:
        return gamma, at_null, ""
    given = _start_from_zero(design, working, start)
    there = moments(design, given, working)
    if np.isfinite(there.loglik) and there.loglik >= at_null.loglik:
        return given, there, ""
    return gamma, at_null, "start_params were worse than the null model, which was started from instead"


def _start_from_zero(design: Design, working: WorkingColumns, start: FloatArray | None) -> FloatArray:
    """Working coefficients of the user's start, or zero."""
    names = design.coefficient_names
    if start is None:
        return np.zeros(len(names))
    beta = np.asarray(start, dtype=np.float64).reshape(-1)
    if beta.shape != (len(names),) or not np.isfinite(beta).all():
        raise DataError(f"start_params must be {len(names)} finite numbers, one for each of {', '.join(names[:8])}.")
    return working.gamma(beta)


def _may_be_separated(design: Design, best: Optimum, *, early: bool) -> bool:
    """Whether the end of the iterations leaves separation possible.

    Along a direction of separation d, with q_i the probability of the outcome that row i did not have, the squared
    decrement is at least (sum q c)² / sum q (1-q) c² >= min q. A smaller decrement therefore proves that there is no
    such direction; only where it is larger is the search needed. Iterations that may have ended `early` say nothing by
    moderate predictions.
    """
    weight = 1.0 if design.weight is None else min(1.0, float(design.weight.values.min()))
    least = weight * 0.5 * np.exp(-best.moments.max_abs_eta)
    if np.isfinite(best.decrement) and best.decrement**2 < least:
        return False
    return early or best.converged or best.moments.max_abs_eta > 5.0 or not np.isfinite(best.decrement)


def _not_converged(method: str, best: Optimum, maxiter: int, advice: str = "") -> str:
    distance = f"{best.decrement:.2g} standard errors" if np.isfinite(best.decrement) else "an unknown distance"
    if not advice:
        advice = "raise maxiter" if best.iterations >= maxiter else "try method='newton'"
    if method in SCIPY_METHODS and best.iterations >= maxiter:
        advice = "raise maxiter, or use method='newton'"
    return (
        f"The {method} iterations stopped after {best.iterations} steps, {distance} from the maximum: "
        f"the coefficients are not the maximum-likelihood estimate; {advice}."
    )
