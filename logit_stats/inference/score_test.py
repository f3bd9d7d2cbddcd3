"""Score tests: would more columns raise the likelihood? Asked at the smaller fit, without fitting the larger.

With s and I the score and information of the larger model at the smaller estimate, ``s' I^-1 s`` is chi-squared with as many
degrees of freedom as columns were added (Rao 1948, Proc. Cambridge Philosophical Society 44, 50-57). The robust form puts the
sum of squared scores of the added columns, cleared of the others, in the place of the information (Boos 1992, The American
Statistician 46, 327-333).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from html import escape

import numpy as np

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import DataError, NotAvailableError
from logit_stats.estimation.likelihood import TALL_ROWS, moments
from logit_stats.inference.reference import CHI_SQUARED, Joint, LikelihoodReference
from logit_stats.likelihoods.kernel import linear_predictor, weighted_gram
from logit_stats.likelihoods.likelihood import predictors
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky
from logit_stats.likelihoods.of_design import likelihood_of
from logit_stats.likelihoods.rows import score_residual
from logit_stats.likelihoods.working import WorkingColumns, centred_columns
from logit_stats.wording import printed


@dataclass(frozen=True, slots=True)
class ScoreTest:
    """A score test of added columns.

    Attributes
    ----------
    statistic, pvalue : float
    df : int
        Coefficients added.
    added : str
    robust : bool
        Whether it holds when the model's variance is wrong.
    df_denom : float or None
        Denominator degrees of freedom where the statistic is F, divided by a dispersion; None for chi-squared.
    """

    statistic: float
    df: int
    pvalue: float
    added: str
    robust: bool = False
    df_denom: float | None = None

    @property
    def k_constraint(self) -> int:
        """Number of coefficients tested, as statsmodels calls it."""
        return self.df

    def __iter__(self) -> Iterator[float]:
        """Statistic and p-value, to be unpacked as statsmodels' are."""
        return iter((self.statistic, self.pvalue))

    @printed
    def __str__(self) -> str:
        kind = "Robust score test" if self.robust else "Score test"
        return f"{kind} of adding {self.added}: {Joint(self.statistic, self.df, self.df_denom, self.pvalue)}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def score_test(
    design: Design, beta: FloatArray, columns: list[int], added: str, robust: bool = False,
    reference: LikelihoodReference = CHI_SQUARED,
) -> ScoreTest:  # fmt: skip
    """Score test of some columns of a design at an estimate of the others.

    Parameters
    ----------
    design : Design
        The larger model.
    beta : (p,)
        Its coefficients, zero in those of `columns`, the smaller model's estimates elsewhere.
    columns : list of int
        Columns tested.
    added : str
        What they are.
    robust : bool
    reference : LikelihoodReference
        What the statistic is compared with, unless robust.

    Raises
    ------
    DataError
        If an added column is a combination of the others.
    NotAvailableError
        Under sampling weights, unless robust.
    """
    if design.weight_kind == "sampling" and not robust:
        raise NotAvailableError("Under sampling weights the score test needs the robust form: robust=True.")
    working: WorkingColumns = centred_columns(design)
    gamma = working.gamma(beta)
    here = moments(design, gamma, working)
    factor = EquilibratedCholesky(here.information)
    if not (factor.definite and factor.smallest_pivot > 1e-10):
        raise DataError(f"{added}: a column is a combination of the columns of the model, and cannot be tested.")
    tested = list(design.coefficients_of(tuple(columns)))
    if not robust:
        statistic = float(here.score @ factor.solve(here.score))
    else:
        others = [j for j in range(len(gamma)) if j not in tested]
        of_rows = _meat if likelihood_of(design).facts.binary else partial(_meat_of_equations, design=design)
        meat = design.reduce(
            partial(of_rows, gamma=gamma, working=working, sampling=design.weight_kind == "sampling"), TALL_ROWS
        )
        clear = np.zeros((len(tested), len(gamma)))
        clear[:, tested] = np.eye(len(tested))
        if others:
            inside = EquilibratedCholesky(np.ascontiguousarray(here.information[np.ix_(others, others)]))
            clear[:, others] = -inside.solve(np.ascontiguousarray(here.information[np.ix_(others, tested)])).T
        score = clear @ here.score
        statistic = float(score @ EquilibratedCholesky(clear @ meat @ clear.T).solve(score))
    found = (CHI_SQUARED if robust else reference).test(statistic, len(tested))
    return ScoreTest(np.float64(found.statistic), found.df, np.float64(found.pvalue), added, robust, found.df_denom)


def _meat(block: Block, gamma: FloatArray, working: WorkingColumns, sampling: bool) -> FloatArray:
    eta = linear_predictor(block.X, gamma, block.offset, working.center, working.scale)
    square = score_residual(eta, block.successes, block.trials) ** 2
    if block.weight is not None:
        square = square * (block.weight**2 if sampling else block.weight)
    return weighted_gram(block.X, square, working.center, working.scale)


def _meat_of_equations(
    block: Block, gamma: FloatArray, working: WorkingColumns, sampling: bool, design: Design
) -> FloatArray:
    """The same where rows have several linear predictors."""
    Z = np.asarray(working.columns(block.X))
    eta = predictors(block, Z, design.parameters.table(gamma))
    residual = likelihood_of(design).terms(block, eta).residual
    scores = design.parameters.gathered(residual.T[:, :, None] * Z[:, None, :])
    weight = 1.0 if block.weight is None else (block.weight**2 if sampling else block.weight)[:, None]
    return np.asarray((scores * weight).T @ scores)
