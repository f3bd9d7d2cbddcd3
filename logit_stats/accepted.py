"""statsmodels' arguments that have nothing to do here: taken, so that a script moves over by its import line.

What each is about is settled otherwise here: the iterations and everything they found are always kept, statistics are numbers,
accuracy is `tol`. A name that neither package knows is an error, as misspelt arguments must be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from logit_stats.errors import UnknownOptionError

# What fit() is told of its optimiser. Stopping rules of single optimisers are all replaced by `tol`.
OF_OPTIMISERS = frozenset({
    "full_output", "retall", "warn_convergence", "skip_hessian", "optim_score", "ridge_factor", "use_hessian",
    "loglike_and_score", "gtol", "norm", "epsilon", "m", "pgtol", "factr", "maxfun", "approx_grad", "bounds", "xtol",
    "ftol", "initial_simplex", "start_direc", "fhess_p", "avextol", "niter", "niter_success", "T", "stepsize", "interval",
    "minimizer", "min_method", "target_accept_rate", "stepwise_factor", "take_step", "accept_test", "seed",
    "cov_params_func", "rtol", "atol",
})  # fmt: skip
# What fit_regularized(method="l1") is told: zeros are exact here, and every fit reports how far from the optimum it is.
OF_L1 = frozenset({
    "acc", "auto_trim_tol", "qc_tol", "qc_verbose", "disp", "full_output", "callback", "retall", "abstol", "reltol", "feastol",
    "refinement", "cvxopt_kwargs", "warn_convergence", "skip_hessian",
})  # fmt: skip
# Optimisers of statsmodels that have no counterpart, and what finds the same (single) maximum.
STAND_INS = {"minimize": "newton", "basinhopping": "newton"}


class UnknownArgumentError(UnknownOptionError, TypeError):
    """An argument that the function does not have."""


def accept(function: str, given: Iterable[str], known: Iterable[str], own: Iterable[str] = ()) -> None:
    """Take arguments that have nothing to do; refuse what is not known.

    Parameters
    ----------
    function : str
        Whose arguments they are, for the message.
    given : names
    known : names
        That are taken.
    own : names
        Arguments of the function itself, for "did you mean".

    Raises
    ------
    UnknownArgumentError

    Examples
    --------
    >>> accept("fit()", {"full_output": True}, OF_OPTIMISERS)
    >>> accept("fit()", {"maxitr": 3}, OF_OPTIMISERS, ("maxiter",))
    Traceback (most recent call last):
    logit_stats.accepted.UnknownArgumentError: fit() has no argument 'maxitr'; did you mean 'maxiter'?
    """
    known = set(known)
    for name in given:
        if name not in known:
            near = get_close_matches(name, [*own, *known], 1)
            raise UnknownArgumentError(
                f"{function} has no argument {name!r}" + (f"; did you mean {near[0]!r}?" if near else ".")
            )


def only_none(function: str, **given: Any) -> None:
    """Refuse arguments of statsmodels that are there by name alone.

    Raises
    ------
    UnknownOptionError
    """
    for name, value in given.items():
        if value is not None:
            raise UnknownOptionError(f"{function} has no {name}; leave it out.")


def optimiser(method: str, settings: Mapping[str, Any]) -> str:
    """The optimiser to use for one of statsmodels' names; `min_method` says which one "minimize" stands for."""
    if method == "minimize" and isinstance(settings.get("min_method"), str):
        asked = settings["min_method"].lower()
        return {"nelder-mead": "nm", "newton-cg": "ncg", "l-bfgs-b": "lbfgs"}.get(
            asked, asked if asked in ("cg", "powell") else "bfgs"
        )
    return STAND_INS.get(method, method)
