"""`exlogit`: exact conditional logistic regression, from a formula and a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from logit_stats.inference.exact import MAX_STATES, ExactResults
from logit_stats.models.logit import Logit


def exlogit(
    formula: str,
    data: Any,
    of: str | Sequence[str] | None = None,
    *,
    subset: Any = None,
    missing: str = "drop",
    freq_weights: Any = None,
    trials: Any = None,
    alpha: float = 0.05,
    monte_carlo: int | None = None,
    seed: int | None = None,
    max_states: float = MAX_STATES,
) -> ExactResults:
    """Exact logistic regression, for small samples and empty cells.

    Inference about a coefficient comes from the permutation distribution of its sufficient statistic, given those of the
    others: nothing is approximated, nothing diverges, and under separation the limits are infinite on one side.

    Parameters
    ----------
    formula, data, subset, missing, freq_weights, trials
        As for `logit`.
    of : str or list of str, optional
        Term or column to infer about, or several, which are then tested jointly too; by default every term but the constant.
        The sums of all other columns are held fixed.
    alpha : float
        Limits have level ``1 - alpha`` (or more: the distribution is discrete).
    monte_carlo : int, optional
        Number of random response vectors to estimate the distribution from, where it is too large to compute; with its error.
    seed : int, optional
        Of the random draws.
    max_states : float
        Largest number of states of the computation. What needs more is refused before it starts, with the size it would need.

    Returns
    -------
    ExactResults

    Raises
    ------
    NotAvailableError
        If the computation is too large, or a numeric variable that must be held fixed lies on no grid.

    References
    ----------
    Hirji, Mehta and Patel (1987), Journal of the American Statistical Association 82, 1110-1117; Mehta and Patel (1995),
    Statistics in Medicine 14, 2143-2160.

    Examples
    --------
    >>> import logit_stats as ls
    >>> ls.exlogit("GRADE ~ TUCE + PSI", ls.datasets.load("spector"), of="PSI")
    Exact logistic regression of GRADE: 32 outcomes, 11 events
         sum   coef   by       low  high  odds ratio        p    mid-p
    PSI   8  1.7979 CMLE -0.048267 3.981      6.0367 0.048972 0.036185
    Limits: 95%, exact; p: by probability (mid-p beside it).
    """
    model = Logit.from_formula(
        formula,
        data,
        subset=subset,
        missing=missing,
        freq_weights=freq_weights,
        trials=trials,
        check_rank=False,
        depth=1,
    )
    return model.exact(of, alpha=alpha, monte_carlo=monte_carlo, seed=seed, max_states=max_states)
