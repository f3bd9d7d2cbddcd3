"""Optimism: how much better a model looks on the data it was fitted to than it would on others.

The model is fitted again to resamples (Efron and Gong 1983, American Statistician 37, 36-48; Harrell 2015, Regression
Modeling Strategies, section 5.3.5): to bootstrap samples, each then measured on the original data, or to all folds but one,
measured on that one. The mean difference between what a fit shows on its own data and on the others is the optimism; the
index of the original fit less the optimism is corrected. Where the model was selected, the selection is part of the fit and
is done again in every resample. Definitions are those of `rms::validate` and `rms::calibrate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.assess.indexes import indexes
from logit_stats.assess.scored import Scored
from logit_stats.assess.selection import FittedModels, Rule, Selection
from logit_stats.assess.smoothing import kernel_curve
from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError, NotAvailableError, SeparationError, check_choice, whole_number
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import linear_predictor
from logit_stats.estimation.refits import DEPENDENT, FITTED, SEPARATED, Refitter
from logit_stats.inference.bootstrap import Draws, chunks, draws_of
from logit_stats.inference.cluster import read_groups
from logit_stats.inference.progress import progress_of
from logit_stats.likelihoods.rows import probability
from logit_stats.wording import lines, printed

METHODS = ("bootstrap", "crossvalidation")
# Rows of the table, in the order of `Indexes`; Emax comes after the calibration line of which it is made.
ROWS = ("Dxy", "C", "R2", "Intercept", "Slope", "D", "U", "Q", "B", "Brier scaled", "g", "gp")
CURVE_POINTS = 50

Measure = Callable[[Scored], FloatArray]


@dataclass(frozen=True, eq=False)
class Optimism:
    """Indexes of a fit, corrected for optimism.

    Attributes
    ----------
    frame : DataFrame
        One row an index: index_orig, training, test, optimism, index_corrected, and n, the resamples it was defined in. The
        rows are those of `rms::validate`, with C and the scaled Brier score: Dxy, C, R2 (Nagelkerke), Intercept and Slope of
        the calibration line, Emax (the largest change that line makes to a probability), D, U and Q (per outcome), B (Brier),
        g and gp (Gini's mean difference of log odds and of probabilities).
    curve : DataFrame
        Calibration curve: prob, apparent share of events, and the share corrected for optimism.
    method, unit : str
        How and what was drawn.
    reps : int
        Resamples (or folds) drawn.
    separated, dependent, unfinished : int
        Those without a finite estimate, with dependent columns, and whose iterations did not end: they are left out.
    seed : int
    kept : DataFrame or None
        Where a selection was repeated: one row a resample, one column a term, whether it was kept.
    """

    frame: pd.DataFrame
    curve: pd.DataFrame
    method: str
    unit: str
    reps: int
    separated: int
    dependent: int
    unfinished: int
    seed: int
    kept: pd.DataFrame | None = None

    def account(self) -> str:
        """Say what was drawn and what came of it."""
        drawn = "resamples" if self.method == "bootstrap" else "fits"
        said = f"{self.method} of {self.unit}: {self.reps} {drawn}, seed {self.seed}"
        without = [(self.separated, "without a finite estimate (separated)"), (self.dependent, "with dependent columns"),
                   (self.unfinished, "not converged")]  # fmt: skip
        parts = [f"{count} {why}" for count, why in without if count]
        return f"Optimism by {said}" + (f"; left out: {', '.join(parts)}" if parts else "")

    @property
    def _shown(self) -> pd.DataFrame:
        # no minus before a zero
        return (self.frame.round(4) + 0.0).astype({"n": int})

    @property
    def _notes(self) -> list[str]:
        notes = []
        if (self.frame["n"] == 0).any():
            notes.append("Indexes with n 0 are not defined in any resample: the rows it leaves for a test are too few.")
        if self.kept is not None:
            shares = self.kept.mean().sort_values(ascending=False)
            notes.append(
                "Terms selected, share of resamples: "
                + ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
            )
        return notes

    @printed
    def __str__(self) -> str:
        return "\n".join(
            [lines(self.account()), self._shown.to_string(float_format="{:.4f}".format), *map(lines, self._notes)]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes)
        return f"<p>{escape(self.account())}</p>{self._shown.to_html(float_format='{:.4f}'.format)}{notes}"


def optimism(
    fit: Fit, method: str = "bootstrap", *, reps: int = 200, folds: Any = 10, repeats: int = 1, groups: Any = None,
    seed: int | None = None, progress: bool | None = None, selection: Selection | None = None,
) -> Optimism:  # fmt: skip
    """Correct the indexes of a fit for optimism.

    Parameters
    ----------
    fit : Fit
    method : {"bootstrap", "crossvalidation"}
    reps : int
        Bootstrap samples; 200 to 400 are common.
    folds : int, str or (n,) array_like
        Number of folds of a cross-validation, or a column or labels that say which fold each row is in.
    repeats : int
        How many times the rows are divided anew into folds.
    groups : str or (n,) array_like, optional
        Clusters that are drawn, or put into a fold, as wholes. Without it rows are: those of a row with a frequency weight
        one by one, those of grouped data (several trials a row) whole.
    seed : int, optional
        For the same resamples again; otherwise one is made up, and reported.
    progress : bool, optional
        Show a progress bar; by default after three seconds, on a terminal or in a notebook.
    selection : Selection, optional
        What led to the fit, to be repeated in every resample.

    Raises
    ------
    NotAvailableError
        For penalized fits and under sampling weights.
    DataError
        If the folds are not possible, or no resample has an estimate.
    """
    check_choice("method", method, METHODS)
    fit.facts.require("Resampling", "maximum")
    if fit.design.weight_kind == "sampling":
        raise NotAvailableError(
            "The optimism of a survey's estimates depends on its design; rows cannot be drawn one by one."
        )
    fit.facts.require("Resampling", "finite", "unconstrained", "converged")
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    rng, draw = np.random.default_rng(seed), draws_of(fit, groups)
    if method == "bootstrap":
        reps = whole_number("reps", reps)
        if reps < 1:
            raise DataError(f"reps={reps}: give one or more, better 200.")
        pairs, total = _bootstrap_pairs(fit, draw, reps, rng), reps
    else:
        pairs, total = _fold_pairs(fit, draw, folds, repeats, rng)
    grid = _grid(fit)
    found = resampled(fit, pairs, total, lambda scored: _measured(scored, grid), selection, progress)
    whole = _measured(Scored.of_fit(fit), grid)
    training, test, n = found.means()
    frame = _frame(whole[: len(ROWS)], training[: len(ROWS)], test[: len(ROWS)], n[: len(ROWS)])
    prob, apparent = probability(grid), whole[len(ROWS) :]
    excess = (training - test)[len(ROWS) :]
    curve = pd.DataFrame(
        {"prob": prob, "apparent": prob + apparent, "corrected": np.clip(prob + apparent - excess, 0.0, 1.0)}
    )
    counts = [int((found.outcome == code).sum()) for code in (SEPARATED, DEPENDENT)]
    return Optimism(
        frame=frame, curve=curve, method=method,
        unit=f"{draw.units} {'rows' if draw.grouping is None else f'clusters of {draw.grouping.name}'}", reps=total,
        separated=counts[0], dependent=counts[1], unfinished=int((found.outcome != FITTED).sum()) - sum(counts), seed=seed,
        kept=found.kept,
    )  # fmt: skip


def _measured(scored: Scored, grid: FloatArray) -> FloatArray:
    """Return the indexes, and by how much the smooth share of events differs from the probability along a grid of log odds."""
    return np.concatenate([indexes(scored).values(), kernel_curve(scored, grid) - probability(grid)])


def _grid(fit: Fit) -> FloatArray:
    """Log odds of probabilities equally far apart, within the fifth smallest and the fifth largest of the fit."""
    scored = Scored.of_fit(fit)
    order = np.argsort(scored.eta, kind="stable")
    rising, upto = scored.prob[order], np.cumsum(scored.outcomes[order])
    inner = min(4.0, np.floor((upto[-1] - 1.0) / 2.0))
    low, high = rising[np.searchsorted(upto, [inner, upto[-1] - 1.0 - inner], side="right")]
    prob = np.linspace(low, high, CURVE_POINTS)
    return np.asarray(np.log(prob) - np.log1p(-prob))


def _frame(whole: FloatArray, training: FloatArray, test: FloatArray, n: NDArray[np.int_]) -> pd.DataFrame:
    excess = training - test
    columns = {
        "index_orig": whole,
        "training": training,
        "test": test,
        "optimism": excess,
        "index_corrected": whole - excess,
    }
    frame = pd.DataFrame({**columns, "n": n}, index=pd.Index(ROWS, name="index"))
    emax = _largest_change(*frame.loc[["Intercept", "Slope"], "index_corrected"])
    row = pd.DataFrame([[0.0, 0.0, emax, emax, emax, n[ROWS.index("Slope")]]], index=["Emax"], columns=frame.columns)
    place = ROWS.index("Slope") + 1
    return pd.concat([frame.iloc[:place], row, frame.iloc[place:]]).astype({"n": int}).rename_axis("index")


def _largest_change(intercept: float, slope: float) -> float:
    """Largest distance of a probability from the calibration line, in steps of 0.0005 as in rms."""
    p = np.arange(1, 2000) * 5e-4
    return float(np.abs(p - probability(intercept + slope * (np.log(p) - np.log1p(-p)))).max())


# Resamples as row weights: (n,) of the rows fitted, (n,) of the rows measured.
Pair = tuple[FloatArray, FloatArray]


def _whole(fit: Fit) -> FloatArray:
    weight = fit.design.weight
    return np.ones(fit.design.rows) if weight is None else weight.values


def _bootstrap_pairs(fit: Fit, draw: Draws, reps: int, rng: np.random.Generator) -> Iterator[Pair]:
    whole = _whole(fit)
    for _ in range(reps):
        yield draw.weights(rng), whole


def _fold_pairs(
    fit: Fit, draw: Draws, folds: Any, repeats: int, rng: np.random.Generator
) -> tuple[Iterator[Pair], int]:
    whole = _whole(fit)
    if not isinstance(folds, str) and np.ndim(folds) == 0:
        count, repeats = whole_number("folds", folds), whole_number("repeats", repeats)
        if not 2 <= count <= draw.units:
            raise DataError(f"folds={count}: give at least 2 and at most {draw.units}, the number of units to divide.")
        if repeats < 1:
            raise DataError(f"repeats={repeats}: give one or more.")
        parts = (part for _ in range(repeats) for part in _divided(draw, whole, count, rng))
        return ((whole - part, part) for part in parts), count * repeats
    given = read_groups(fit.design, folds)
    if len(given) > 1 or given[0].count < 2:
        raise DataError("folds= must be one label for each row, of two folds or more.")
    if repeats != 1 or draw.grouping is not None:
        raise DataError("Folds that are given leave nothing to draw: neither repeats= nor groups= belong to them.")
    codes = given[0].codes
    labels = (np.where(codes == fold, whole, 0.0) for fold in range(given[0].count))
    return ((whole - part, part) for part in labels), given[0].count


def _divided(draw: Draws, whole: FloatArray, count: int, rng: np.random.Generator) -> Iterator[FloatArray]:
    """Row weights of each fold: units are dealt out at random, as evenly as can be."""
    if draw.frequency is not None and draw.grouping is None:
        left = draw.frequency.copy()
        for fold in range(count):
            part = rng.multivariate_hypergeometric(left, int(left.sum()) // (count - fold), method="marginals")
            left -= part
            yield part.astype(np.float64)
        return
    dealt = rng.permutation(np.arange(draw.units) % count)
    fold_of = dealt if draw.grouping is None else dealt[draw.grouping.codes]
    for fold in range(count):
        yield np.where(fold_of == fold, whole, 0.0)


@dataclass(frozen=True, eq=False)
class Resampled:
    """What was measured in each resample, on the rows fitted and on the others: (b, m), NaN where there is no estimate."""

    training: FloatArray
    test: FloatArray
    outcome: NDArray[np.int_]
    kept: pd.DataFrame | None

    def means(self) -> tuple[FloatArray, FloatArray, NDArray[np.int_]]:
        """Return the means over the resamples in which a measure is defined on both, and how many these are."""
        both = np.isfinite(self.training) & np.isfinite(self.test)
        n = both.sum(axis=0)
        if not n.any():
            raise DataError(
                f"None of the {len(self.outcome)} resamples has a finite estimate: the data are too few for this model."
            )
        sums = [np.where(both, values, 0.0).sum(axis=0) for values in (self.training, self.test)]
        training, test = (np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0) for total in sums)
        return training, test, n


def resampled(
    fit: Fit, pairs: Iterator[Pair], total: int, measure: Measure, selection: Selection | None = None,
    progress: bool | None = None,
) -> Resampled:  # fmt: skip
    """Fit the model to resamples, and measure each fit on the rows fitted and on the others."""
    refit = _Plain(fit) if selection is None else _Selected(selection)
    trained: list[FloatArray] = []
    tested: list[FloatArray] = []
    outcome: list[int] = []
    for start, stop in progress_of(chunks(total, fit.design.rows), total, "resamples", progress):
        part = [next(pairs) for _ in range(start, stop)]
        for (train, test), (eta, code) in zip(part, refit.etas(np.array([train for train, _ in part])), strict=True):
            outcome.append(code)
            measured = [np.full(1, np.nan)] * 2
            if eta is not None:
                measured = [measure(_scored(fit, eta, weight)) for weight in (train, test)]
            trained.append(measured[0])
            tested.append(measured[1])
    return Resampled(_stacked(trained), _stacked(tested), np.array(outcome), refit.kept)


def _stacked(rows: list[FloatArray]) -> FloatArray:
    width = max(len(row) for row in rows)
    return np.array([row if len(row) == width else np.full(width, np.nan) for row in rows])


def _scored(fit: Fit, eta: FloatArray, weight: FloatArray) -> Scored:
    used = weight > 0.0
    response, w = fit.design.response, weight[used]
    y = response.successes[used]
    trials = 1.0 if response.trials is None else response.trials[used]
    return Scored(probability(eta[used]), eta[used], w * y, w * (trials - y))


class _Plain:
    """The model of a fit, refitted under row weights."""

    kept: pd.DataFrame | None = None

    def __init__(self, fit: Fit) -> None:
        self.fit, self.refitter = fit, Refitter(fit)

    def etas(self, weights: FloatArray) -> Iterator[tuple[FloatArray | None, int]]:
        """(n,) log odds of all rows, None where there is no estimate, and what came of the refit."""
        found = self.refitter.fits(weights)
        for gamma, code in zip(found.gamma, found.outcome, strict=True):
            eta = linear_predictor(self.fit.design, gamma, self.fit.working) if code == FITTED else None
            yield eta, int(code)


class _Selected:
    """A selection, done again under row weights."""

    def __init__(self, selection: Selection) -> None:
        self.rule: Rule = selection.rule
        self.refitters: dict[frozenset[str], _Plain] = {}
        self.models: FittedModels = selection.models
        self.terms = [name for name, term in self.rule.universe.items() if term.factors]
        self.rows: list[list[bool]] = []

    @property
    def kept(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows, columns=self.terms)

    def etas(self, weights: FloatArray) -> Iterator[tuple[FloatArray | None, int]]:
        for weight in weights:
            models = _RefittedModels(self, weight)
            start = models.refitted(self.rule.start)
            if start.eta is None:
                yield None, start.code
                continue
            names = self.rule.walk(models, float(weight.sum()))[-1][1]
            self.rows.append([name in names for name in self.terms])
            yield models.refitted(names).eta, FITTED


@dataclass(frozen=True, slots=True)
class _Refitted:
    """One model of a resample."""

    eta: FloatArray | None
    code: int
    loglik: float
    parameters: int


class _RefittedModels:
    """Models of some of the terms under the weights of one resample, each fitted once."""

    def __init__(self, selected: _Selected, weight: FloatArray) -> None:
        self.selected, self.weight = selected, weight
        self.found: dict[frozenset[str], _Refitted] = {}

    def fitted(self, names: tuple[str, ...]) -> _Refitted | None:
        found = self.refitted(names)
        return found if found.eta is not None else None

    def refitted(self, names: tuple[str, ...]) -> _Refitted:
        key = frozenset(names)
        if key not in self.found:
            self.found[key] = self._refit(key, names)
        return self.found[key]

    def _refit(self, key: frozenset[str], names: tuple[str, ...]) -> _Refitted:
        plain = self.selected.refitters.get(key)
        if plain is None:
            try:
                plain = self.selected.refitters[key] = _Plain(self.selected.models.fitted(names))
            except SeparationError:  # of all rows, and so of any part of them
                return _Refitted(None, SEPARATED, float("nan"), 0)
        ((eta, code),) = plain.etas(self.weight[None, :])
        loglik = float("nan") if eta is None else _scored(plain.fit, eta, self.weight).loglik
        return _Refitted(eta, code, loglik, plain.fit.parameters)
