"""Choosing among models: stepwise selection, and models side by side."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.assess.selection import Move, Selection, null_start, select
from logit_stats.design.design import Design
from logit_stats.design.formula import capture_scope
from logit_stats.errors import DataError, NotAvailableError
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.inference.covariance import covariance
from logit_stats.inference.likelihood_ratio import different_likelihoods
from logit_stats.report.coefficients import CoefficientTable
from logit_stats.report.publication.grid import Grid, GridRow
from logit_stats.report.publication.numbers import MINUS
from logit_stats.report.publication.plain import markdown
from logit_stats.report.publication.typeset import latex_table, typst
from logit_stats.report.table import Table, TextLayout, csv_lines
from logit_stats.results.finished import fit_of
from logit_stats.wording import WIDTH, lines, printed

if TYPE_CHECKING:
    from logit_stats.assess.optimism import Optimism
    from logit_stats.results.logit import LogitResults


@dataclass(frozen=True, eq=False)
class StepPath:
    """A stepwise selection.

    Attributes
    ----------
    result : LogitResults
        The model where it ended. Its p-values and intervals do not know that it was selected.
    path : tuple of Move
        Every step.
    criterion : str
    selection_ : Selection or None
        What is repeated by `optimism`; None in a path that was pickled.
    """

    result: LogitResults
    path: tuple[Move, ...]
    criterion: str
    selection_: Selection | None = field(repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # patsy's terms cannot be pickled
        return {**self.__dict__, "selection_": None}

    def optimism(
        self, method: str = "bootstrap", *, reps: int = 200, folds: Any = 10, repeats: int = 1, groups: Any = None,
        seed: int | None = None, progress: bool | None = None,
    ) -> Optimism:  # fmt: skip
        """Indexes of the selected model corrected for optimism, the selection done again in every resample.

        Parameters are those of `LogitResults.optimism`. Models without a finite estimate in a resample are no candidates there.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("low ~ age + lwt + smoke + ht + ftv", ls.datasets.load("birthwt")).fit()
        >>> frame = ls.step(res).optimism(reps=20, seed=1).frame
        >>> frame.loc["C", ["index_orig", "index_corrected"]].round(3).tolist()
        [0.691, 0.637]
        """
        from logit_stats.assess.optimism import optimism

        if self.selection_ is None:
            raise NotAvailableError("A path that was pickled cannot be walked again; call step() anew.")
        return optimism(self.result.fit_, method, reps=reps, folds=folds, repeats=repeats, groups=groups, seed=seed,
                        progress=progress, selection=self.selection_)  # fmt: skip

    @property
    def frame(self) -> pd.DataFrame:
        """One row a step: what was done, the criterion (AIC where p-values decide) and -2 log-likelihood afterwards."""
        name = "aic" if self.criterion == "pvalue" else self.criterion
        rows = [(move.change, move.criterion, -2.0 * move.loglik) for move in self.path]
        return pd.DataFrame(rows, columns=["step", name, "-2 log-likelihood"])

    @printed
    def __str__(self) -> str:
        formula = self.result.model.formula
        note = "Selection makes the p-values and intervals of the final model too optimistic."
        table = self.frame.to_string(line_width=WIDTH, index=False, float_format="{:.4f}".format)
        return "\n".join([table, lines(f"Final model: {formula}"), note])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        table = self.frame.to_html(index=False, float_format="{:.4f}".format)
        return f"{table}<p>Final model: {escape(str(self.result.model.formula))}</p>"


def step(
    res: LogitResults, scope: str | None = None, direction: str = "backward", criterion: str = "aic", *,
    enter: float = 0.05, stay: float = 0.10, from_null: bool = False,
) -> StepPath:  # fmt: skip
    """Stepwise selection of terms, respecting marginality; prints its path.

    Parameters
    ----------
    res : LogitResults
        Of a formula fit: where to start. All models are fitted to its rows; the final one has its covariance.
    scope : str, optional
        Terms that may come in (``"age + lwt + age:lwt"``); those of `res` always may.
    direction : {"backward", "forward", "both"}
    criterion : {"aic", "bic", "pvalue"}
        With "pvalue" a term goes where its likelihood-ratio p-value is above `stay`, and comes where it is below `enter`.
    from_null : bool
        Start from the intercept alone; the terms of `res` are the scope.

    Raises
    ------
    NotAvailableError
        For array fits, penalized fits, and under sampling weights.
    MissingDataError
        If a term of the scope is missing in rows used.

    Examples
    --------
    >>> import logit_stats as ls
    >>> res = ls.logit("GRADE ~ GPA + TUCE + PSI", ls.datasets.load("spector")).fit()
    >>> ls.step(res).frame["step"].tolist()
    ['', '- TUCE']
    """
    namespace = capture_scope(1)
    start = fit_of(res, "step()")
    if scope is not None and not isinstance(scope, str):
        raise DataError(f"scope is a {type(scope).__name__}; write it as a text such as 'age + lwt + age:lwt'.")
    added = "from_null=True starts without terms" if from_null else "scope= names terms that may come in"
    if direction == "backward" and (from_null or scope is not None):
        raise DataError(f"{added}, and direction='backward' only takes terms away: say direction='forward' or 'both'.")
    if from_null:
        if res.model.formula is None:
            raise DataError("from_null=True needs a formula fit.")
        right = res.model.formula.partition("~")[2]
        scope = right if scope is None else f"{right} + {scope.rpartition('~')[2]}"
        start = maximum_likelihood(null_start(res.fit_.design, namespace))
    constant = res.llf - res.fit_.loglik
    kind = res.covariance_
    found = select(start, scope, namespace, direction, criterion, constant, enter, stay, kind.likelihood_reference)
    model = res.model.with_design(found.fit.design)
    result = type(res)(model, found.fit, covariance(found.fit, kind.cov_type, kind.use_t, **kind.settings))
    return StepPath(result, found.path, criterion, found)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Models side by side.

    Attributes
    ----------
    coefficients : DataFrame
        One column a model: coefficient with its standard error in brackets; empty where a model lacks it.
    statistics : DataFrame
        Observations, log-likelihood, df, AIC, BIC, AIC weights, pseudo-R², area under the ROC curve.
    notes : tuple of str
    results : tuple of LogitResults
    """

    coefficients: pd.DataFrame
    statistics: pd.DataFrame
    notes: tuple[str, ...]
    results: tuple[LogitResults, ...] = field(default=(), repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """Both tables, one under the other, as texts."""
        numbers = self.statistics.map(lambda v: "" if pd.isna(v) else f"{v:.4f}".rstrip("0").rstrip("."))
        return pd.concat([self.coefficients, numbers])

    @property
    def table(self) -> Table:
        """Both tables as one that prints."""
        body = [(str(name), *row) for name, row in zip(self.frame.index, self.frame.to_numpy(), strict=True)]
        return Table.of(body, head=("", *(str(head) for head in self.frame.columns)), layout=TextLayout(gap="  "))

    def as_text(self) -> str:
        """Return the table and its notes as plain text."""
        return "\n".join([self.table.as_text(), *self.notes])

    def as_html(self) -> str:
        """Return the table and its notes as HTML."""
        return self.table.as_html() + "".join(f"<p>{escape(note)}</p>" for note in self.notes)

    @property
    def grid(self) -> Grid:
        """The table and its notes as they are set in print."""
        heads = tuple(str(head) for head in self.frame.columns)
        rows = tuple(
            GridRow(str(name), "single", tuple(_in_print(text) for text in row), i >= len(self.coefficients))
            for i, (name, row) in enumerate(zip(self.frame.index, self.frame.to_numpy(), strict=True))
        )
        return Grid("", "", heads, ("",) * len(heads), rows, self.notes)

    def as_latex(self) -> str:
        """Return the table and its notes in LaTeX (packages booktabs and threeparttable)."""
        return latex_table(self.grid)

    def as_typst(self) -> str:
        """Return the table and its notes in Typst."""
        return typst(self.grid)

    def as_markdown(self) -> str:
        """Return the table and its notes in Markdown."""
        return markdown(self.grid)

    def as_csv(self) -> str:
        """Return the table as comma-separated values, the notes below."""
        return self.table.as_csv() + csv_lines([[note] for note in self.notes])

    def plot(self, ratios: bool = False, alpha: float = 0.05, method: str | None = None, ax: Any = None) -> Any:
        """Draw the coefficients (or odds ratios) of all models with intervals, the models under each other, as a forest."""
        from logit_stats.report.plots.of_coefficients import forests

        return forests(
            self.results,
            [str(head) for head in self.coefficients.columns],
            ratios=ratios,
            alpha=alpha,
            method=method,
            ax=ax,
        )

    @printed
    def __str__(self) -> str:
        return self.as_text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.as_html()


def compare(*results: LogitResults, names: list[str] | None = None, stars: bool = False, digits: int = 4) -> Comparison:
    """Set models side by side.

    Parameters
    ----------
    *results : LogitResults
    names : list of str, optional
        Headings; by default (1), (2), ...
    stars : bool
        Mark p-values below 0.05, 0.01 and 0.001 by one, two and three stars.
    digits : int

    Returns
    -------
    Comparison
        AIC weights are exp(-difference / 2) over their sum (Burnham and Anderson 2002, section 2.9), and are given only where
        all models are fitted by maximum likelihood to the same outcomes; where they are not, a note says why.

    Raises
    ------
    DataError
        If one of them is no result, or the names are not one for each, all different.
    """
    if not results:
        raise DataError("compare() needs a result or more.")
    heads = [f"({i})" for i in range(1, len(results) + 1)] if names is None else list(names)
    if len(heads) != len(results) or len(set(heads)) < len(heads):
        raise DataError(f"There are {len(results)} results and the names {heads}: give one for each, all different.")
    for head, res in zip(heads, results, strict=True):
        fit_of(res, f"compare() of {head}").facts.require(f"compare() of {head}", "finite", "wald")
    order = list(dict.fromkeys(name for res in results for name in CoefficientTable.of(res).row_names))
    columns = {head: _cells(res, order, stars, digits) for head, res in zip(heads, results, strict=True)}
    why_not = _not_comparable(results)
    aic = np.array([_asked(res, "aic") for res in results], dtype=np.float64)
    usable = not why_not and np.isfinite(aic).all()
    weights = np.exp(-0.5 * (aic - aic.min())) if usable else np.full(len(aic), np.nan)
    kinds = {res.cov_type for res in results}
    of_models = zip(heads, results, weights / weights.sum(), strict=True)
    statistics = pd.DataFrame({head: _statistics(res, weight) for head, res, weight in of_models})
    by_head = "; ".join(f"{head} {res.cov_type}" for head, res in zip(heads, results, strict=True))
    notes = [f"Standard errors in brackets: {kinds.pop() if len(kinds) == 1 else by_head}."]
    notes += ["* p < 0.05, ** p < 0.01, *** p < 0.001"] if stars else []
    notes += [f"{why_not}: log-likelihoods, AIC and BIC cannot be compared."] if why_not else []
    return Comparison(pd.DataFrame(columns, index=order), statistics, tuple(notes), results)


def _statistics(res: LogitResults, weight: float) -> dict[str, float]:
    return {
        "observations": res.nobs, "coefficients": float(res.fit_.free_parameters), "log-likelihood": _asked(res, "llf"),
        "AIC": _asked(res, "aic"), "BIC": _asked(res, "bic"), "AIC weight": weight, "McFadden R²": _asked(res, "prsquared"),
        "ROC area": res.roc().auc if hasattr(res, "roc") else float("nan"),
    }  # fmt: skip


def _asked(res: Any, name: str) -> float:
    """A number of a result; NaN where the model has none."""
    try:
        return float(getattr(res, name))
    except (NotAvailableError, AttributeError):
        return float("nan")


def _cells(res: LogitResults, order: list[str], stars: bool, digits: int) -> list[str]:
    table = CoefficientTable.of(res)
    beta, se, p = (dict(zip(table.row_names, column, strict=True)) for column in table.numbers[:, [0, 1, 3]].T)
    cells = []
    for name in order:
        if name not in beta:
            cells.append("")
            continue
        mark = "*" * int(sum(p[name] < level for level in (0.05, 0.01, 0.001))) if stars else ""
        cells.append(f"{beta[name]:.{digits}f}{mark} ({se[name]:.{digits}f})")
    return cells


def _not_comparable(results: Any) -> str:
    """Why the log-likelihoods of the models have nothing to do with one another; "" where they have."""
    designs = [res.fit_.design for res in results]
    first = designs[0]
    if not all(res.facts.maximum for res in results):
        return "Estimates that are penalized or bias-reduced are not where a likelihood is largest"
    if any(res.covariance_.likelihood_reference.scaled for res in results):
        return "With a dispersion (quasi) there is no likelihood"
    if any(res.facts.lacks("likelihood") and res.fit_.design.weight_kind != "sampling" for res in results):
        return "Estimating equations have no likelihood"
    if any(design.weight_kind == "sampling" for design in designs):
        return "Under sampling weights there is no likelihood"
    if any(not np.array_equal(design.index, first.index) for design in designs):
        return "The models have different rows"
    return _different_outcomes(results, designs)


def _in_print(text: str) -> str:
    """A text with minus signs before its numbers."""
    return re.sub(r"(?<![\w.])-(?=\d)", MINUS, text)


def _different_outcomes(results: Any, designs: list[Design]) -> str:
    if len({design.equations for design in designs}) > 1:
        return "The models have different responses"
    outcomes = [(d.response.outcomes, d.row_weight) for d in designs]
    if any(not np.array_equal(a, b) for pair in outcomes for a, b in zip(pair, outcomes[0], strict=True)):
        return "The models have different outcomes or weights"
    return next(filter(None, (different_likelihoods(results[0].fit_, res.fit_) for res in results)), "")
