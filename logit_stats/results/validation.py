"""A result on other data: how well it ranks, how far its probabilities can be believed; and two results compared there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from logit_stats.assess.calibration import Calibration, calibration, calibration_line
from logit_stats.assess.hosmer_lemeshow import HosmerLemeshow, hosmer_lemeshow
from logit_stats.assess.indexes import LikelihoodIndexes, likelihood_indexes
from logit_stats.assess.ranking import Roc, roc_of
from logit_stats.assess.scored import Scored
from logit_stats.design.design import Design
from logit_stats.design.new_rows import design_of_new_rows
from logit_stats.design.sample import Sample
from logit_stats.errors import DataError, LogitStatsError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import linear_predictor
from logit_stats.results.finished import fit_of
from logit_stats.wording import decimals, lines, printed

if TYPE_CHECKING:
    from logit_stats.assess.decision_curve import DecisionCurve
    from logit_stats.assess.discrimination import RocComparison
    from logit_stats.assess.reclassification import Reclassification
    from logit_stats.results.finished import Finished
    from logit_stats.results.logit import LogitResults


@dataclass(frozen=True, eq=False)
class Validation:
    """Measures of a result on other data.

    Attributes
    ----------
    sample : Sample
        What became of the rows: `sample.line()` says how many were read and dropped, and for which variable.
    roc : Roc
    calibration : Calibration
    hosmer_lemeshow : HosmerLemeshow or None
        With as many degrees of freedom as groups; None where it is not defined.
    indexes : LikelihoodIndexes or None
        Nagelkerke's R², and D, U and Q of `rms::val.prob`; None under sampling weights, which make no likelihood.
    notes : tuple of str
        How rows were weighted; what is not defined, and why.
    """

    sample: Sample
    roc: Roc
    calibration: Calibration
    hosmer_lemeshow: HosmerLemeshow | None
    indexes: LikelihoodIndexes | None
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Rows used."""
        return int(self.sample.used.sum())

    @property
    def dropped(self) -> int:
        """Rows left out because a value is missing."""
        return self.sample.dropped

    @printed
    def __str__(self) -> str:
        parts = [lines(f"Validation on other data: {self.sample.line()}"), str(self.roc)]
        if self.indexes is not None:
            found = self.indexes
            parts.append(
                f"R² (Nagelkerke) {decimals(found.r2)}, D {decimals(found.d)}, U {decimals(found.u)}, Q {decimals(found.q)}"
            )
        parts.append(str(self.calibration))
        if self.hosmer_lemeshow is not None:
            parts.append(lines(self.hosmer_lemeshow.sentence()))
        return "\n".join([*parts, *map(lines, self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def validate(
    fit: Fit, data: Any, outcome: Any = None, offset: Any = None, bins: int = 10, *, freq_weights: Any = None,
    sampling_weights: Any = None, trials: Any = None,
) -> Validation:  # fmt: skip
    """Apply a result to other data.

    Parameters
    ----------
    fit : Fit
    data : table, or (m, k) array_like
        New data: for formula fits with the columns of the formula, those of the response among them (the response is
        evaluated as the formula writes it).
    outcome : str or (m,) array_like, optional
        Outcomes, or the column that has them, where it is not that of the fit (always for array fits). Levels mean what they
        meant at the fit.
    offset : optional
        As for `predict`.
    bins : int
    freq_weights, sampling_weights, trials : str or (m,) array_like, optional
        By default the columns that the fit used, where the data have them. A model of counts takes single outcomes with
        ``trials=1``, a model of single outcomes takes counts of successes with `trials`.

    Raises
    ------
    DataError
        If the outcome or a variable has a level that the fit did not see, or the outcome does not vary.

    Examples
    --------
    >>> import logit_stats as ls
    >>> data = ls.datasets.load("birthwt")
    >>> res = ls.logit("low ~ lwt + smoke", data, subset=data.index % 2 == 0).fit()
    >>> print(str(res.validate(data[data.index % 2 == 1])).splitlines()[0])
    Validation on other data: 94 rows read, 94 used: 29 events, 65 non-events
    """
    design, scored = scored_on(
        fit, data, outcome=outcome, offset=offset, freq_weights=freq_weights, sampling_weights=sampling_weights,
        trials=trials,
    )  # fmt: skip
    notes = []
    if design.weight is not None:
        notes.append(f"Rows are weighted by {design.weight.label} ({design.weight.argument}).")
    groups = None
    try:
        groups = hosmer_lemeshow(scored, fitted=False)
    except LogitStatsError as error:
        notes.append(f"Hosmer-Lemeshow left out: {error}")
    line = None if scored.sampling else likelihood_indexes(scored, calibration_line(scored).loglik)
    return Validation(design.sample, roc_of(scored), calibration(scored, bins), groups, line, tuple(notes))


def scored_on(fit: Fit, data: Any, **given: Any) -> tuple[Design, Scored]:
    """Other data as a design, and its outcomes beside the probabilities of the fit."""
    design = design_of_new_rows(fit.design, data, **given)
    scored = Scored.of_design(design, linear_predictor(design, fit.gamma, fit.working))
    return design, scored.of_both_kinds()


def compare_roc(one: LogitResults, other: LogitResults, data: Any = None, outcome: Any = None) -> RocComparison:
    """Compare the areas under the ROC curves of two results (DeLong's test, paired).

    Parameters
    ----------
    one, other : LogitResults
        Of the same rows.
    data : table, or (m, k) array_like, optional
        Compare them on other data, where the results need not be of the same rows.
    outcome : (m,) array_like, optional
        Outcomes, where `data` do not have them.

    Returns
    -------
    RocComparison

    Notes
    -----
    On the data that nested models were fitted to, the test is conservative to the point of being misleading (Demler, Pencina
    and D'Agostino 2012, Statistics in Medicine 31, 2577-2587): whether a variable belongs is a question for `lr_test`.

    Examples
    --------
    >>> import logit_stats as ls
    >>> data = ls.datasets.load("birthwt")
    >>> larger, smaller = (ls.logit(f, data).fit() for f in ("low ~ lwt + smoke + ht", "low ~ lwt"))
    >>> round(ls.compare_roc(larger, smaller).difference, 4)
    0.0784
    """
    from logit_stats.assess.discrimination import compare_rocs

    return compare_rocs(*_pair(one, other, data, outcome))


def reclassification(
    new: LogitResults, old: LogitResults, data: Any = None, outcome: Any = None, cutoffs: Any = None
) -> Reclassification:
    """How far the probabilities of one result are better than those of another: IDI and NRI.

    Parameters
    ----------
    new, old : LogitResults
        Of the same rows.
    data : table, or (m, k) array_like, optional
        Compare them on other data, which they should be: see the notes.
    outcome : (m,) array_like, optional
        Outcomes, where `data` do not have them.
    cutoffs : sequence of float, optional
        Limits of categories of risk, each counted to the category above it: adds the net reclassification between them.

    Returns
    -------
    Reclassification

    Notes
    -----
    The integrated discrimination improvement and the net reclassification improvement (Pencina et al. 2008, Statistics in
    Medicine 27, 157-172; 2011, 30, 11-21) are widely asked for and widely criticised. A useless variable makes the
    continuous NRI positive on average, on other data too; a miscalibrated model can have a better one than the true
    model; and on the data of the fit the published tests reject far too often (Pepe et al. 2015, Statistics in
    Biosciences 7, 282-295; Hilden and Gerds 2014, Statistics in Medicine 33, 3405-3414; Kerr et al. 2014, Epidemiology
    25, 114-121). So there are no p-values here: test a variable by `lr_test`, compare discrimination by `compare_roc`
    and accuracy by the Brier score, on other data, and give the parts of the NRI for events and non-events apart.

    Examples
    --------
    >>> import logit_stats as ls
    >>> data = ls.datasets.load("birthwt")
    >>> larger, smaller = (ls.logit(f, data).fit() for f in ("low ~ lwt + smoke + ht", "low ~ lwt"))
    >>> round(ls.reclassification(larger, smaller).idi, 4)
    0.0622
    """
    from logit_stats.assess.reclassification import reclassification

    return reclassification(*_pair(new, old, data, outcome), cutoffs)


def decisions(
    results: Sequence[Finished],
    thresholds: Any,
    data: Any,
    outcome: Any,
    labels: Sequence[str] | None,
    alpha: float,
) -> DecisionCurve:
    """Net benefit of results on the same rows.

    Parameters
    ----------
    results : sequence of LogitResults
    thresholds : (m,) array_like, optional
        Between 0 and 1; by default 0.01, 0.02, ..., 0.99.
    data : table, or (m, k) array_like, optional
        Other data than those of the fit.
    outcome : (m,) array_like, optional
        Outcomes, where `data` do not have them.
    labels : sequence of str, optional
        Names of the results; by default "model", or "model 1", "model 2", ...
    alpha : float
        One minus the confidence level.

    Examples
    --------
    >>> import logit_stats as ls
    >>> res = ls.logit("low ~ age + lwt + smoke + ht", ls.datasets.load("birthwt")).fit()
    >>> res.decision_curve(thresholds=[0.2, 0.3]).of("model")["net_benefit"].round(4).tolist()
    [0.1521, 0.1156]
    """
    from logit_stats.assess.decision_curve import decision_curve

    names = _labels(labels, len(results))
    first = results[0]
    pairs = [_pair(first, other, data, outcome) for other in results[1:] or results]
    scored = [pairs[0][0], *(other for _, other in pairs)][: len(results)]
    return decision_curve(dict(zip(names, scored, strict=True)), thresholds, alpha, same_rows=data is None)


def _labels(labels: Sequence[str] | None, count: int) -> list[str]:
    if labels is None:
        return ["model"] if count == 1 else [f"model {i + 1}" for i in range(count)]
    names = [labels] if isinstance(labels, str) else [str(label) for label in labels]
    if len(names) != count or len(set(names)) != count:
        raise DataError(f"labels= must be {count} different names, one for each result.")
    return names


def _pair(one: Finished, other: Finished, data: Any, outcome: Any) -> tuple[Scored, Scored]:
    """Two results on the same rows: those of their fits, or of other data."""
    for res in (one, other):
        fit_of(res, "A paired comparison").facts.require("A paired comparison", "finite", "binary")
    if data is None:
        if outcome is not None:
            raise DataError("outcome= belongs to data=, the other data; the rows of the fits have their outcomes.")
        first, second = one.fit_.design, other.fit_.design
        scored = (Scored.of_fit(one.fit_), Scored.of_fit(other.fit_))
    else:
        (first, new_one), (second, new_other) = (scored_on(res.fit_, data, outcome=outcome) for res in (one, other))
        scored = (new_one, new_other)
    if first.rows != second.rows or not np.array_equal(first.index, second.index):
        raise DataError(
            "The two results have different rows; a paired comparison needs the same rows in the same order. Leave the rows "
            "out of both in which a variable of either is missing."
        )
    return scored
