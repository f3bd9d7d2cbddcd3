"""Bootstrap of rows or of clusters: covariance and intervals without a model of the errors.

Rows (or whole clusters) are drawn with replacement, and the model is fitted again to each draw by weighting the rows with
how often they were drawn (Efron and Tibshirani 1993, An Introduction to the Bootstrap; chapters 6, 13 and 14; clusters:
Cameron, Gelbach and Miller 2008, Review of Economics and Statistics 90, 414-427, section III "pairs cluster bootstrap").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError, NotAvailableError, check_alpha, check_choice
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.estimation.refits import DEPENDENT, FITTED, SEPARATED, Refitter, residuals, scores_of
from logit_stats.inference.cluster import Grouping, read_groups
from logit_stats.inference.progress import progress_of
from logit_stats.wording import WIDTH, lines, printed

INTERVALS = ("percentile", "bca", "basic", "normal")
# Memory of the weights that are held at once.
CHUNK_BYTES = 1 << 25
CHUNK_REFITS = 64


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Estimates from resampled data.

    Attributes
    ----------
    names : tuple of str
        Coefficients.
    estimate : (k,)
        Estimates from the data.
    draws : (b, k)
        Estimates from the resamples that have one, in the order drawn.
    reps : int
        Resamples drawn.
    separated, dependent, unfinished : int
        Resamples without a finite estimate, with dependent columns, and whose iterations did not end.
    unit : str
        What was drawn: "rows", or "clusters of <name>".
    units : int
        How many of them there are.
    seed : int
        Seed that draws the same resamples again.
    acceleration : (k,)
        Of the BCa intervals, from the empirical influence of each unit.
    """

    names: tuple[str, ...]
    estimate: FloatArray
    draws: FloatArray
    reps: int
    separated: int
    dependent: int
    unfinished: int
    unit: str
    units: int
    seed: int
    acceleration: FloatArray

    @property
    def failed(self) -> int:
        """Resamples without an estimate."""
        return self.reps - len(self.draws)

    @property
    def standard_errors(self) -> FloatArray:
        """(k,) standard deviations of the draws."""
        # columns of size 1e-300 have coefficients whose squares are no numbers
        size = np.maximum(np.abs(self.draws).max(axis=0), np.finfo(float).tiny)
        return np.asarray(size * (self.draws / size).std(axis=0, ddof=1))

    @property
    def bias(self) -> FloatArray:
        """(k,) mean of the draws minus the estimate."""
        return np.asarray((self.draws - self.estimate).mean(axis=0))

    def conf_int(self, alpha: float = 0.05, kind: str = "percentile") -> FloatArray:
        """Confidence limits at level ``1 - alpha``.

        Parameters
        ----------
        alpha : float
        kind : {"percentile", "bca", "basic", "normal"}
            Percentiles of the draws; bias-corrected and accelerated percentiles (Efron 1987, JASA 82, 171-185, equation
            2.3); percentiles reflected at the estimate; estimate minus bias with the draws' standard deviation.

        Returns
        -------
        (k, 2)
            Quantiles are those of rank ``(b + 1) p``, interpolated; a limit beyond the outermost draws is these.
        """
        check_choice("kind", kind, INTERVALS)
        check_alpha(alpha)
        tails = np.array([alpha / 2.0, 1.0 - alpha / 2.0])
        if kind == "normal":
            return np.asarray((self.estimate - self.bias)[:, None] + self.standard_errors[:, None] * ndtri(tails))
        levels = self._bca_levels(tails) if kind == "bca" else np.tile(tails, (len(self.names), 1))
        limits = np.array([_quantiles(self.draws[:, j], p) for j, p in enumerate(levels)])
        return 2.0 * self.estimate[:, None] - limits[:, ::-1] if kind == "basic" else limits

    def _bca_levels(self, tails: FloatArray) -> FloatArray:
        """(k, 2) levels of the percentiles (Efron and Tibshirani 1993, equation 14.10); ties count half."""
        below = (self.draws < self.estimate).mean(axis=0) + 0.5 * (self.draws == self.estimate).mean(axis=0)
        half = 0.5 / len(self.draws)  # an estimate beyond all draws is as near as one between the two outermost
        z0 = ndtri(np.clip(below, half, 1.0 - half))[:, None]
        moved = z0 + ndtri(tails)
        return np.asarray(ndtr(z0 + moved / (1.0 - self.acceleration[:, None] * moved)))

    def summary_frame(self, alpha: float = 0.05, kind: str = "percentile") -> pd.DataFrame:
        """One row a coefficient: estimate, bias, bootstrap standard error, limits."""
        limits = self.conf_int(alpha, kind)
        columns = {"coef": self.estimate, "bias": self.bias, "std err": self.standard_errors,
                   "conf_low": limits[:, 0], "conf_high": limits[:, 1]}  # fmt: skip
        return pd.DataFrame(columns, index=list(self.names))

    def account(self) -> str:
        """Say in one sentence what was drawn, and what came of it."""
        said = f"bootstrap of {self.units} {self.unit}: {self.reps} resamples, seed {self.seed}"
        without = [(self.separated, "without a finite estimate (separated)"), (self.dependent, "with dependent columns"),
                   (self.unfinished, "not converged")]  # fmt: skip
        parts = [f"{count} {why}" for count, why in without if count]
        return said + (f"; left out: {', '.join(parts)}" if parts else "")

    @printed
    def __str__(self) -> str:
        return (
            f"{lines(self.account())}\n{self.summary_frame().to_string(line_width=WIDTH, float_format='{:.4f}'.format)}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(self.account())}</p>{self.summary_frame().to_html(float_format='{:.4f}'.format)}"


def bootstrap(
    fit: Fit, reps: int = 999, *, seed: int | None = None, groups: Any = None, progress: bool | None = None
) -> Bootstrap:
    """Fit the model to resamples of its rows, or of clusters of them.

    Parameters
    ----------
    fit : Fit
    reps : int
        Number of resamples, 2 or more; 999 is common for intervals.
    seed : int, optional
        For the same draws again; otherwise one is made up, and reported.
    groups : str, (n,) array_like, optional
        Clusters to draw as wholes: a column name or labels. Without it rows are drawn: those of a row with a frequency
        weight one by one, those of grouped data (several trials a row) whole.
    progress : bool, optional
        Show a progress bar; by default after three seconds, on a terminal or in a notebook.

    Raises
    ------
    DataError
        If the frequency weights are not whole numbers, or fewer than two resamples have an estimate.
    NotAvailableError
        For penalized fits.
    """
    fit.facts.require("The bootstrap", "maximum", "finite", "unconstrained", "converged")
    if reps < 2:
        raise DataError(f"reps={reps}: a bootstrap needs two resamples at the least, better 999.")
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    draw = draws_of(fit, groups)
    gamma, outcome = _refit(fit, draw, reps, np.random.default_rng(seed), progress)
    fitted = gamma[outcome == FITTED]
    counts = [int((outcome == code).sum()) for code in (SEPARATED, DEPENDENT)]
    if len(fitted) < 2:
        raise DataError(
            f"Of {reps} resamples {counts[0]} had no finite estimate and {counts[1]} had dependent columns: the data are too "
            f"few for a bootstrap of this model; use profile-likelihood intervals or fit_firth()."
        )
    A = fit.working.matrix(fit.parameters)
    return Bootstrap(
        names=fit.design.coefficient_names, estimate=fit.beta.copy(), draws=np.asarray(fitted @ A.T), reps=reps,
        separated=counts[0], dependent=counts[1], unfinished=reps - len(fitted) - sum(counts),
        unit="rows" if draw.grouping is None else f"clusters of {draw.grouping.name}", units=draw.units, seed=seed,
        acceleration=_acceleration(fit, draw.grouping),
    )  # fmt: skip


def resampled_interval(drawn: Bootstrap | None, alpha: float, method: str) -> FloatArray:
    """(k, 2) limits of a result whose covariance is "bootstrap": percentiles ("bootstrap") or "bca".

    Raises
    ------
    NotAvailableError
        If its covariance is another one: resampling is asked for, not done on the quiet.
    """
    if drawn is None:
        raise NotAvailableError(
            f'method="{method}" needs resamples: res.with_cov("bootstrap", reps=999, seed=1).conf_int(method="{method}").'
        )
    return drawn.conf_int(alpha, "bca" if method == "bca" else "percentile")


@dataclass(frozen=True, eq=False)
class Draws:
    """How the row weights of a resample are drawn: `base` times the number of times a row (or its cluster) was drawn."""

    base: FloatArray | None
    grouping: Grouping | None
    frequency: NDArray[np.int64] | None
    rows: int

    @property
    def units(self) -> int:
        """How many rows, persons or clusters are drawn from."""
        if self.grouping is not None:
            return self.grouping.count
        return self.rows if self.frequency is None else int(self.frequency.sum())

    def weights(self, rng: np.random.Generator) -> FloatArray:
        """(n,) weights of the rows in a resample."""
        if self.frequency is not None and self.grouping is None:
            return rng.multinomial(self.units, self.frequency / self.units).astype(np.float64)
        units = self.units
        counts = np.bincount(rng.integers(0, units, units), minlength=units)
        if self.grouping is not None:
            counts = counts[self.grouping.codes]
        return counts.astype(np.float64) if self.base is None else counts * self.base


def draws_of(fit: Fit, groups: Any) -> Draws:
    """How the rows of a fit, or clusters of them, are drawn.

    Raises
    ------
    DataError
        If the frequency weights are not whole numbers.
    """
    design = fit.design
    grouping = None
    if groups is not None:
        groupings = read_groups(design, groups)
        if len(groupings) > 1:
            raise NotAvailableError('The bootstrap draws clusters of one grouping; cov_type="cluster" takes several.')
        grouping = groupings[0]
    if design.weight is None:
        return Draws(None, grouping, None, design.rows)
    if design.weight_kind == "sampling":
        return Draws(design.weight.values, grouping, None, design.rows)
    whole = np.rint(design.weight.values)
    if grouping is None and (whole != design.weight.values).any():
        raise DataError(
            f"The frequency weights {design.weight.label} are not whole numbers: how many rows to draw is not defined."
        )
    return Draws(design.weight.values, grouping, whole.astype(np.int64), design.rows)


def _refit(
    fit: Fit, draw: Draws, reps: int, rng: np.random.Generator, progress: bool | None
) -> tuple[FloatArray, NDArray[np.int_]]:
    refitter = Refitter(fit)
    gamma, outcome = np.empty((reps, fit.parameters)), np.empty(reps, dtype=np.int_)
    for start, stop in progress_of(chunks(reps, draw.rows), reps, "resamples", progress):
        weights = np.array([draw.weights(rng) for _ in range(start, stop)])
        found = refitter.fits(weights)
        gamma[start:stop], outcome[start:stop] = found.gamma, found.outcome
    return gamma, outcome


def chunks(reps: int, rows: int) -> Iterator[tuple[int, int]]:
    """Ranges of resamples whose weights are held at once."""
    size = max(1, min(CHUNK_REFITS, CHUNK_BYTES // (8 * rows)))
    for start in range(0, reps, size):
        yield start, min(start + size, reps)


def _acceleration(fit: Fit, grouping: Grouping | None) -> FloatArray:
    """(k,) a sixth of the skewness of the empirical influence of the units (Efron 1987, equation 4.4).

    The influence of a unit is V times its score: what one Newton step says of leaving it out.
    """
    k = fit.parameters
    # in standard errors, so that nothing overflows: skewness has no unit
    A = fit.working.matrix(k) / fit.standard_errors[:, None] @ fit.covariance_working
    frequency = fit.design.frequency
    sums = np.zeros((0 if grouping is None else grouping.count, k))
    squares, cubes = np.zeros(k), np.zeros(k)
    residual, start = residuals(fit), 0
    for block in fit.design.blocks(TALL_ROWS):
        rows = slice(start, start + len(block.successes))
        scores = scores_of(fit, np.asarray(fit.working.columns(block.X)), residual[:, rows])
        if block.weight is not None and (grouping is not None or frequency is None):
            scores *= block.weight[:, None]
        if grouping is not None:
            np.add.at(sums, grouping.codes[rows], scores)
        else:
            influence = scores @ A.T
            times = 1.0 if frequency is None else frequency[rows, None]
            squares += (times * influence**2).sum(axis=0)
            cubes += (times * influence**3).sum(axis=0)
        start = rows.stop
    if grouping is not None:
        influence = sums @ A.T
        squares, cubes = (influence**2).sum(axis=0), (influence**3).sum(axis=0)
    return np.asarray(cubes / (6.0 * np.maximum(squares, np.finfo(float).tiny) ** 1.5))


def _quantiles(values: FloatArray, levels: FloatArray) -> FloatArray:
    return np.asarray(np.quantile(values, levels, method="weibull"))
