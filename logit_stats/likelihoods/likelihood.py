"""What a model is made of: `Likelihood`, the handful of functions that everything else is written against.

How to add a likelihood
-----------------------
1.  One file in this room, with one class. Where rows are independent given their linear predictors, derive it from
    `RowLikelihood` and write three methods: `terms` (log-likelihood of each row, its derivatives by the linear predictors, and
    the weights of the information), `outcomes` (probabilities and their derivatives: margins, means, predictions and averages
    come from these), and `null`. Where rows are not independent (matched sets), set `unit = "group"` and write `moments` and
    `score` yourself as ``rows.reduce(function, whole="group")``: no group is then cut apart.
2.  `parameters` says how coefficients stand on the columns (`logit_stats.design.parameters`): one equation by default; own
    parameters in every equation (multinomial), slopes that equations share and constants that they do not (thresholds), or any
    mixture (partial proportional odds). Working columns, names, covariances and tables follow from that.
3.  `demands` says what separation asks of the rows, and `separation` how it is told.
4.  `facts` says what holds of every fit of the model (`Facts`): whether there is a likelihood, whether one probability describes
    an outcome. Answers ask these by name, and refuse in words where one does not hold.
5.  One door in ``models/``, which makes a design with ``likelihood=`` set (and ``group=``, where rows belong together).
    Newton's method, covariances, tests, effects, tables and reports then work as for the others.

Shapes: m rows of a block, k columns, E equations, p parameters, C outcomes. Linear predictors are (E, m), offset included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.design.parameters import NOWHERE, Parameters
from logit_stats.likelihoods.demands import Demands, SeparationWords
from logit_stats.likelihoods.facts import Facts
from logit_stats.likelihoods.moments import Moments, Score
from logit_stats.likelihoods.null import NullModel
from logit_stats.likelihoods.outcomes import Outcomes
from logit_stats.likelihoods.working import WorkingColumns

# Rows whose working columns are held at a time.
TALL_ROWS = 4096


@dataclass(frozen=True, slots=True)
class RowTerms:
    """What m rows contribute, weights left out.

    Attributes
    ----------
    loglik : (m,)
        Log-likelihood.
    residual : (E, m)
        Derivatives by the linear predictors: the score of a row in equation e is ``residual[e] z``.
    weight : callable
        ``weight(e, f)`` (m,) is the weight of ``z z'`` in the information of equations e and f.
    """

    loglik: FloatArray
    residual: FloatArray
    weight: Callable[[int, int], FloatArray]


class Likelihood(Protocol):
    """A model of the response, given the linear predictors of the rows.

    Attributes
    ----------
    name : str
        What the model is called in a sentence.
    facts : Facts
        What holds of its fits.
    takes : frozenset of str
        Row arguments that it understands: ``"offset"``, ``"freq_weights"``, ``"sampling_weights"``, ``"trials"``, ``"groups"``.
    unit : str or None
        ``"group"`` where rows of a group are one unit and never cut apart.
    separation : SeparationWords
        How it is told that there is no finite estimate.
    profiled : bool
        Whether it is maximised over effects of groups within: `estimation.absorbed` then climbs.
    """

    name: ClassVar[str]
    facts: ClassVar[Facts]
    takes: ClassVar[frozenset[str]]
    unit: ClassVar[str | None]
    separation: ClassVar[SeparationWords]
    profiled: ClassVar[bool]

    def parameters(self, design: Design) -> Parameters:
        """How the parameters stand on the columns."""
        ...

    def moments(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Moments:
        """Log-likelihood, score and information at the working parameters, summed over all rows."""
        ...

    def score(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Score:
        """Return the same without the information."""
        ...

    def linear_predictor(
        self, rows: Design, theta: FloatArray, working: WorkingColumns, offset: bool = True
    ) -> FloatArray:
        """Linear predictor of every row: (n,), for several categories (n, E)."""
        ...

    def roots(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Iterator[FloatArray]:
        """Rows (M, p) whose Gram matrix is the information, in parts; nothing cancels in them."""
        ...

    def residuals(self, design: Design, eta: FloatArray) -> FloatArray:
        """(n,) derivatives of the log-likelihood by the linear predictor of each row, weights left out; of several (E, n)."""
        ...

    def groups(self, design: Design) -> list[NDArray[np.intp]]:
        """Groups of the rows that the likelihood knows, factor by factor."""
        ...

    def terms(self, block: Block, eta: FloatArray) -> RowTerms:
        """Contributions of the rows of a block at linear predictors (E, m)."""
        ...

    def outcomes(self, eta: FloatArray, design: Design) -> Outcomes:
        """Probabilities of the outcomes at linear predictors (E, m), and their derivatives."""
        ...

    def null(self, design: Design, constant_in_span: bool) -> NullModel | None:
        """Return the null model, where that needs no iterations; None where its constants must be fitted."""
        ...

    def demands(self, design: Design) -> Demands:
        """What the rows demand of a direction along which the likelihood never falls."""
        ...


class IndependentRows:
    """What holds of every likelihood of rows that are independent given their linear predictors, from its `terms` and `root`."""

    unit: ClassVar[str | None] = None
    profiled: ClassVar[bool] = False

    def terms(self, block: Block, eta: FloatArray) -> RowTerms:
        """Contributions of the rows of a block at linear predictors (E, m)."""
        raise NotImplementedError

    def root(self, block: Block, Z: FloatArray, theta: FloatArray, parameters: Parameters) -> FloatArray:
        """Rows whose Gram matrix is the information of a block with working columns Z."""
        raise NotImplementedError

    def roots(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Iterator[FloatArray]:
        """Rows whose Gram matrix is the information, in parts."""
        for block in rows.blocks(TALL_ROWS):
            yield self.root(block, np.asarray(working.columns(block.X)), theta, rows.parameters)

    def residuals(self, design: Design, eta: FloatArray) -> FloatArray:
        """(n,) derivatives of the log-likelihood by the linear predictor of each row; of several (E, n)."""
        of_rows, u, start = np.atleast_2d(eta.T), np.empty((design.equations, design.rows)), 0
        for block in design.blocks(TALL_ROWS):
            part = slice(start, start + len(block.successes))
            u[:, part], start = self.terms(block, of_rows[:, part]).residual, part.stop
        return u if eta.ndim == 2 else u[0]

    def groups(self, design: Design) -> list[NDArray[np.intp]]:
        """None, or the one of the design."""
        return [] if design.group is None else [design.group]


class RowLikelihood(IndependentRows):
    """A likelihood of rows that are independent given their linear predictors, from its `terms` alone."""

    name: ClassVar[str]
    facts: ClassVar[Facts] = Facts(binary=False, latent=False)
    takes: ClassVar[frozenset[str]] = frozenset({"offset", "freq_weights", "sampling_weights"})
    separation: ClassVar[SeparationWords]

    def demands(self, design: Design) -> Demands:
        """What the rows demand of a direction along which the likelihood never falls."""
        raise NotImplementedError(f"{self.name}: demands() is not written, so separation cannot be looked for.")

    def parameters(self, design: Design) -> Parameters:
        """By default every column has a parameter of its own in every equation."""
        return Parameters.by_equation(design.names, design.response.equations)

    def moments(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Moments:
        """Log-likelihood, score and information, summed over all rows."""
        function = partial(self._moments, theta=theta, working=working, parameters=rows.parameters)
        with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
            return rows.reduce(function, TALL_ROWS)

    def score(self, rows: Design, theta: FloatArray, working: WorkingColumns) -> Score:
        """Log-likelihood and score, summed over all rows."""
        function = partial(self._score, theta=theta, working=working, parameters=rows.parameters)
        with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
            return rows.reduce(function, TALL_ROWS)

    def linear_predictor(
        self, rows: Design, theta: FloatArray, working: WorkingColumns, offset: bool = True
    ) -> FloatArray:
        """Linear predictor of every row: (n,), for several categories (n, E)."""
        table = rows.parameters.table(theta)

        def of_block(block: Block) -> FloatArray:
            return predictors(block, np.asarray(working.columns(block.X)), table, offset).T

        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            eta = rows.each(of_block, TALL_ROWS)
        return eta[:, 0] if self.facts.binary else eta

    def root(self, block: Block, Z: FloatArray, theta: FloatArray, parameters: Parameters) -> FloatArray:
        """Rows whose Gram matrix is the information of a block: a square root of the weights of every row, times z."""
        eta = predictors(block, Z, parameters.table(theta))
        weight = _weights(self.terms(block, eta), len(eta), block.weight)
        values, vectors = np.linalg.eigh(weight.transpose(2, 0, 1))
        halves = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
        rows = [parameters.gathered(halves[:, :, r, None] * Z[:, None, :]) for r in range(len(eta))]
        return np.vstack(rows)

    def _moments(self, block: Block, theta: FloatArray, working: WorkingColumns, parameters: Parameters) -> Moments:
        Z = np.asarray(working.columns(block.X))
        eta = predictors(block, Z, parameters.table(theta))
        terms = self.terms(block, eta)
        first = _summed(block, terms, Z, eta, parameters)
        information = _information(Z, _weights(terms, len(eta), block.weight), parameters)
        return Moments(first.loglik, first.score, information, first.max_abs_eta)

    def _score(self, block: Block, theta: FloatArray, working: WorkingColumns, parameters: Parameters) -> Score:
        Z = np.asarray(working.columns(block.X))
        eta = predictors(block, Z, parameters.table(theta))
        return _summed(block, self.terms(block, eta), Z, eta, parameters)


def predictors(block: Block, Z: FloatArray, table: FloatArray, offset: bool = True) -> FloatArray:
    """(E, m) linear predictors of the rows of a block from its working columns and the (E, k) table of coefficients."""
    eta: FloatArray = table @ Z.T
    return eta if block.offset is None or not offset else eta + block.offset


def _summed(block: Block, terms: RowTerms, Z: FloatArray, eta: FloatArray, parameters: Parameters) -> Score:
    residual = terms.residual if block.weight is None else terms.residual * block.weight
    loglik = float(terms.loglik.sum() if block.weight is None else block.weight @ terms.loglik)
    return Score(loglik, parameters.gathered(residual @ Z), float(np.abs(eta).max(initial=0.0)))


def _weights(terms: RowTerms, equations: int, weight: FloatArray | None) -> FloatArray:
    """(E, E, m) weights of the information, times those of the rows."""
    every = np.array([[terms.weight(e, f) for f in range(equations)] for e in range(equations)])
    return every if weight is None else every * weight


def _information(Z: FloatArray, weight: FloatArray, parameters: Parameters) -> FloatArray:
    """(p, p) information of rows, weights (E, E, m): columns of which equations share the parameter are walked once.

    Between shared columns the weights of all pairs of equations are summed first, between a shared column and one of an
    equation's own those of that equation with all others.
    """
    common = list(parameters.common)
    own = [j for j in range(Z.shape[1]) if j not in common]
    information = _of_own(Z[:, own], weight, parameters.of_part(own))
    if not common:
        return information
    signs, places = parameters.signs, parameters.slots[0, common]
    Zc, Zo, with_all = Z[:, common], Z[:, own], weight.sum(axis=1)
    information[np.ix_(places, places)] += signs[places, None] * signs[places] * ((Zc.T * with_all.sum(axis=0)) @ Zc)
    for e, slots in enumerate(parameters.slots[:, own]):
        here = slots != NOWHERE
        cross = signs[places, None] * signs[slots[here]] * ((Zc.T * with_all[e]) @ Zo[:, here])
        information[np.ix_(places, slots[here])] += cross
        information[np.ix_(slots[here], places)] += cross.T
    return information


def _of_own(Z: FloatArray, weight: FloatArray, parameters: Parameters) -> FloatArray:
    """(p, p) information of columns that every pair of equations is asked about."""
    E, k = len(weight), Z.shape[1]
    table = np.empty((E, k, E, k))
    for e in range(E):
        for f in range(e + 1):
            table[e, :, f, :] = table[f, :, e, :] = (Z * weight[e, f][:, None]).T @ Z
    return parameters.gathered_twice(table)
