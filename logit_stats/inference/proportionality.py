"""Do the cuts of an ordered response share their slopes? Brant's test, and likelihood ratios term by term.

Brant (1990), Biometrics 46, 1171-1178: binary logits of ``Y > j`` are fitted at every cut, their joint covariance follows from
their common rows, and a Wald test asks whether their slopes agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.terms import ModelTerm, model_terms
from logit_stats.errors import DataError, SeparationError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.inference.reference import CHI_SQUARED, Joint
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.likelihoods.ordered import Ordered
from logit_stats.likelihoods.rows import probability
from logit_stats.likelihoods.working import WorkingColumns, centred_columns
from logit_stats.wording import lines, printed, table


@dataclass(frozen=True, eq=False)
class ParallelTest:
    """Tests that the cuts share the slopes of each term.

    Attributes
    ----------
    frame : DataFrame
        A row for each term, the last for all together: statistic, df, p_value.
    title : str
    notes : tuple of str
    """

    frame: pd.DataFrame
    title: str
    notes: tuple[str, ...] = ()

    @property
    def overall(self) -> Any:
        """The test of all terms together."""
        return self.frame.loc[ALL]

    def summary_frame(self) -> pd.DataFrame:
        """The tests."""
        return self.frame.copy()

    @printed
    def __str__(self) -> str:
        shown = table(self.frame.reset_index(), "{:.4g}".format)
        return "\n".join([lines(self.title), shown, *(lines(note) for note in self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<p>{escape(self.title)}</p>{self.frame.to_html(float_format='{:.4g}'.format)}{notes}"


@dataclass(frozen=True, eq=False)
class BrantTest(ParallelTest):
    """Brant's test.

    Attributes
    ----------
    coefficients : DataFrame
        Slopes of the binary fits: a row for each column, a column for each cut.
    """

    coefficients: pd.DataFrame = field(default_factory=pd.DataFrame)


ALL = "all terms"


def brant(fit: Fit) -> BrantTest:
    """Brant's test of proportional odds.

    Parameters
    ----------
    fit : Fit
        Of a cumulative logit with shared slopes.

    Raises
    ------
    DataError
        If slopes are not shared, or the model is another than cumulative.
    SeparationError
        If the binary fit of some cut has no finite estimate.
    """
    likelihood = _of_ordered(fit, "brant()")
    if likelihood.kind != "cumulative" or likelihood.own:
        raise DataError(
            "brant() tests proportional odds: fit kind='cumulative' with shared slopes, or ask parallel_test()."
        )
    fit.facts.require("brant()", "likelihood")
    slopes = [j for j in range(fit.design.columns) if j != fit.design.constant]
    working = replace(centred_columns(replace(fit.design, likelihood=None)), layout=None, equations=1)
    cuts, gammas = [_cut_fit(fit, e) for e in range(fit.design.equations)], []
    gammas = [working.gamma(cut.beta) for cut in cuts]
    B, V = _joint(fit.design, working, np.array(gammas))
    B, V = B[:, slopes], V[:, slopes][:, :, :, slopes]
    terms = _terms(fit.design)
    rows: list[Joint | None] = [_agree(B, V, [slopes.index(j) for j in term.columns]) for term in terms]
    rows.append(_agree(B, V, list(range(len(slopes)))))
    names = [fit.design.names[j] for j in slopes]
    beta = np.array([cut.beta for cut in cuts])[:, slopes].T
    return BrantTest(
        _frame(rows, terms),
        "Brant's test of proportional odds: a small p-value speaks against one slope for all cuts",
        coefficients=pd.DataFrame(beta, index=names, columns=list(fit.design.parameters.equations)),
    )


def parallel_test(fit: Fit) -> ParallelTest:
    """Likelihood-ratio tests that the cuts share the slopes of a term: against slopes of its own at every cut.

    Parameters
    ----------
    fit : Fit
        Of any kind. A term whose slopes differ already is tested against the fit where it shares them.
    """
    likelihood = _of_ordered(fit, "parallel_test()")
    fit.facts.require("parallel_test()", "likelihood", "maximum", "converged")
    terms, rows, notes = _terms(fit.design), [], []
    for term in terms:
        names = {fit.design.names[j] for j in term.columns}
        rows.append(
            _against(fit, likelihood, likelihood.own ^ names if names <= likelihood.own else likelihood.own | names)
        )
    slopes = {name for j, name in enumerate(fit.design.names) if j != fit.design.constant}
    rows.append(_against(fit, likelihood, frozenset(slopes), frozenset()))
    lost = [name for name, row in zip([*(t.name for t in terms), ALL], rows, strict=True) if row is None]
    if lost:
        notes.append(
            f"No finite estimate with slopes of their own: {', '.join(lost)}. Join sparse categories to test these."
        )
    title = f"Likelihood-ratio tests of shared slopes ({likelihood.name}): a small p-value speaks against sharing"
    return ParallelTest(_frame(rows, terms), title, tuple(notes))


def _of_ordered(fit: Fit, what: str) -> Ordered:
    fit.facts.require(what, "rows", "finite", "unconstrained")
    assert isinstance(fit.likelihood, Ordered)
    return fit.likelihood


def _terms(design: Design) -> list[ModelTerm]:
    return [term for term in model_terms(design) if term.factors]


def _frame(rows: list[Joint | None], terms: list[ModelTerm]) -> pd.DataFrame:
    nothing = {"statistic": np.nan, "df": np.nan, "p_value": np.nan}
    found = [nothing if r is None else {"statistic": r.statistic, "df": r.df, "p_value": r.pvalue} for r in rows]
    return pd.DataFrame(found, index=pd.Index([*(term.name for term in terms), ALL], name="term"))


def _against(fit: Fit, likelihood: Ordered, own: frozenset[str], smaller: frozenset[str] | None = None) -> Joint | None:
    """Likelihood ratio of two sets of columns with slopes of their own; None where one has no finite estimate."""
    try:
        one = _with_own(fit, likelihood, own)
        other = fit if smaller is None else _with_own(fit, likelihood, smaller)
    except SeparationError:
        return None
    statistic = 2.0 * abs(one.loglik - other.loglik)
    return CHI_SQUARED.test(statistic, abs(one.parameters - other.parameters))


def _with_own(fit: Fit, likelihood: Ordered, own: frozenset[str]) -> Fit:
    if own == likelihood.own:
        return fit
    return maximum_likelihood(replace(fit.design, likelihood=likelihood.with_own(own)), check_rank=False)


def _cut_fit(fit: Fit, e: int) -> Fit:
    """Binary fit of lying above a cut."""
    response = fit.design.response
    assert response.categories is not None
    above = (response.categories.codes > e).astype(np.float64)
    cut = fit.design.parameters.equations[e]
    binary = replace(
        response, successes=above, categories=None, success=f"above {cut}", failure=f"below {cut}", levels=None
    )
    return maximum_likelihood(replace(fit.design, likelihood=None, response=binary), check_rank=False)


def _joint(design: Design, working: WorkingColumns, gammas: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Working coefficients (E, k) of the binary fits and their joint covariance (E, k, E, k).

    Fits j <= l: ``I_j^-1 (Z' W_jl Z) I_l^-1``, ``W_jl = diag(p_l (1 - p_j))``.
    """
    E, k = gammas.shape
    cross = np.zeros((E, E, k, k))
    for block in design.blocks(1 << 14):
        Z = np.asarray(working.columns(block.X))
        eta = gammas @ Z.T + (0.0 if block.offset is None else block.offset)
        weight = 1.0 if block.weight is None else block.weight
        up, down = probability(eta), probability(-eta)
        for j in range(E):
            for m in range(j, E):
                cross[j, m] += (Z.T * (up[m] * down[j] * weight)) @ Z
    inverse = [EquilibratedCholesky(cross[j, j]).inverse() for j in range(E)]
    V = np.empty((E, k, E, k))
    for j in range(E):
        for m in range(j, E):
            V[j, :, m] = inverse[j] @ cross[j, m] @ inverse[m]
            V[m, :, j] = V[j, :, m].T
    return gammas, V


def _agree(B: FloatArray, V: FloatArray, columns: list[int]) -> Joint:
    """Wald test that the slopes of some columns are the same at all cuts."""
    E, q = len(B), len(columns)
    contrasts = np.kron(np.hstack([np.ones((E - 1, 1)), -np.eye(E - 1)]), np.eye(q))
    b = B[:, columns].ravel()
    of = V[:, columns][:, :, :, columns].reshape(E * q, E * q)
    d = contrasts @ b
    return CHI_SQUARED.test(float(d @ EquilibratedCholesky(contrasts @ of @ contrasts.T).solve(d)), len(d))
