"""SciPy's optimisers behind one adapter, for comparison with other packages.

They work on coordinates in which the information at the start is the identity, so that none of them sees the units of
the columns; where they stop is judged as Newton's method is, in standard errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.estimation.likelihood import moments
from logit_stats.estimation.newton import Optimum, newton_decrement
from logit_stats.estimation.trace import Step, Trace
from logit_stats.likelihoods.moments import Moments
from logit_stats.likelihoods.working import WorkingColumns

SCIPY_METHODS = {
    "bfgs": "BFGS",
    "lbfgs": "L-BFGS-B",
    "cg": "CG",
    "ncg": "Newton-CG",
    "powell": "Powell",
    "nm": "Nelder-Mead",
}
# Their own stopping rules are set out of reach; these say when a gradient, or a simplex, is as good as zero.
_OPTIONS: dict[str, dict[str, Any]] = {
    "bfgs": {"gtol": 1e-9},
    "lbfgs": {"gtol": 1e-9, "ftol": 1e-16, "maxfun": 10**7, "maxls": 50},
    "cg": {"gtol": 1e-9},
    "ncg": {"xtol": 1e-12},
    "powell": {"xtol": 1e-10, "ftol": 1e-16, "maxfev": 10**7},
    "nm": {"xatol": 1e-8, "fatol": 1e-14, "maxfev": 10**7, "adaptive": True},
}


def scipy_optimum(
    design: Design,
    working: WorkingColumns,
    start: FloatArray,
    method: str,
    *,
    maxiter: int,
    tol: float,
    callback: Callable[[FloatArray], None] | None = None,
) -> Optimum:
    """Maximise the log-likelihood with one of `SCIPY_METHODS`; parameters and result as for `newton`."""
    evaluate = _Remembered(design, working)
    first = evaluate(start)
    steps = [Step(first.loglik, newton_decrement(first), 0.0)]
    to_gamma = _whitening(first)
    scale = max(1.0, abs(first.loglik))

    def gamma_of(u: FloatArray) -> FloatArray:
        return start + to_gamma @ u

    def objective(u: FloatArray) -> float:
        loglik = evaluate(gamma_of(u)).loglik
        return -loglik / scale if np.isfinite(loglik) else float("inf")

    def gradient(u: FloatArray) -> FloatArray:
        return -(to_gamma.T @ evaluate(gamma_of(u)).score) / scale

    def hessian(u: FloatArray) -> FloatArray:
        return to_gamma.T @ evaluate(gamma_of(u)).information @ to_gamma / scale

    def after_step(u: FloatArray) -> None:
        gamma = gamma_of(u)
        there = evaluate(gamma)
        steps.append(Step(there.loglik, newton_decrement(there), 1.0))
        if callback is not None:
            callback(gamma)

    derivative_free = method in ("powell", "nm")
    found = minimize(  # type: ignore[call-overload]
        objective,
        np.zeros(len(start)),
        method=SCIPY_METHODS[method],
        jac=None if derivative_free else gradient,
        hess=hessian if method == "ncg" else None,
        callback=after_step,
        options={"maxiter": maxiter, **_OPTIONS[method]},
    )
    gamma = gamma_of(np.asarray(found.x))
    there = evaluate(gamma)
    decrement = newton_decrement(there)
    return Optimum(gamma, there, decrement, decrement <= tol, int(found.nit), Trace(tuple(steps)))


class _Remembered:
    """Moments of the last few points: an optimiser asks for value, gradient and Hessian one after the other."""

    def __init__(self, design: Design, working: WorkingColumns) -> None:
        self._design, self._working = design, working
        self._last: tuple[bytes, Moments] | None = None

    def __call__(self, gamma: FloatArray) -> Moments:
        key = gamma.tobytes()
        if self._last is None or self._last[0] != key:
            self._last = (key, moments(self._design, gamma, self._working))
        return self._last[1]


def _whitening(first: Moments) -> FloatArray:
    """Return (k, k) matrix T with ``T' information T = identity``."""
    information = first.information
    scale = 1.0 / np.sqrt(np.where(information.diagonal() > 0, information.diagonal(), 1.0))
    values, vectors = np.linalg.eigh(information * scale * scale[:, None])
    floor = max(float(values.max(initial=0.0)), 1.0) * 1e-14
    return np.asarray(scale[:, None] * vectors / np.sqrt(np.maximum(values, floor)))
