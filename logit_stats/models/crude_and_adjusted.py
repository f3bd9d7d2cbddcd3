"""`crude_and_adjusted`: each variable alone beside all of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from logit_stats.design.terms import ModelTerm, model_terms
from logit_stats.errors import DataError, EstimationError, check_alpha, check_choice, listed
from logit_stats.models.logit import Logit
from logit_stats.report.publication.build import Style, check_columns, outcome, put_together
from logit_stats.report.publication.labels import Labels
from logit_stats.report.publication.model import Asked, ModelNumbers, model_numbers
from logit_stats.report.publication.notes import table_notes
from logit_stats.report.publication.publication import PublicationTable
from logit_stats.report.publication.rows import TermRows


@dataclass(frozen=True, slots=True)
class _Fitting:
    """How every one of the models is fitted."""

    firth: bool
    cov_type: str | None
    cov_kwds: dict[str, Any] | None

    def __call__(self, model: Logit) -> Any:
        if self.firth:
            return model.fit_firth()
        return model.fit(cov_type=self.cov_type, cov_kwds=self.cov_kwds)


def crude_and_adjusted(
    formula: str,
    data: Any,
    *,
    rows: str = "common",
    firth: bool = False,
    cov_type: str | None = None,
    cov_kwds: dict[str, Any] | None = None,
    subset: Any = None,
    missing: str = "drop",
    offset: Any = None,
    freq_weights: Any = None,
    sampling_weights: Any = None,
    trials: Any = None,
    labels: Any = None,
    columns: Sequence[str] | None = None,
    exponentiate: bool = True,
    alpha: float = 0.05,
    method: str | None = None,
    tests: str = "own",
    digits: int | None = None,
    stars: bool = False,
    level_p: bool = False,
    binary: str = "levels",
    title: str | None = None,
    notes: Sequence[str] = (),
) -> PublicationTable:
    """Crude and adjusted odds ratios: each variable alone beside all of them together.

    Parameters
    ----------
    formula : str
        The adjusted model; each of its terms is fitted alone too. A product whose parts are in the model has no crude estimate.
    data : table
        As for `logit`.
    rows : {"common", "available"}
        Crude estimates on the rows of the adjusted model, so that the two differ by the adjustment alone; or each on all
        rows that have the variable, which a note says.
    firth : bool
        Fit all models by Firth's penalized likelihood.
    cov_type, cov_kwds
        As for `Logit.fit`, for all models alike.
    subset, missing, offset, freq_weights, sampling_weights, trials
        As for `logit`.
    labels, columns, exponentiate, alpha, method, tests, digits, stars, level_p, binary, title, notes
        As for `table`.

    Returns
    -------
    PublicationTable

    Raises
    ------
    DataError
        If the formula has no constant: a model of one variable without one compares nothing.

    Examples
    --------
    >>> import logit_stats as ls
    >>> print(ls.crude_and_adjusted("low ~ smoke + lwt", ls.datasets.load("birthwt"), columns=["estimate"]))
    Crude and adjusted odds ratios for low = 1
    ============================================================
                          Crude                  Adjusted
                  ----------------------  ----------------------
                             OR (95% CI)             OR (95% CI)
    ------------------------------------------------------------
    smoke
      0                    1 (reference)           1 (reference)
      1              2.02 (1.08 to 3.78)     1.97 (1.04 to 3.72)
    lwt           0.986 (0.974 to 0.998)  0.987 (0.975 to 0.999)
    ------------------------------------------------------------
    Observations                     189                     189
    Events                            59                      59
    ============================================================
    OR, odds ratio; CI, confidence interval.
    Sample: 189 rows read, 189 used: 59 events, 130 non-events.
    Standard errors model-based; Wald's limits and p-values.
    Crude: each variable alone, on the rows of the adjusted model.
    """
    check_choice("rows", rows, ("common", "available"))
    check_choice("tests", tests, ("own", "LR"))
    check_choice("binary", binary, ("levels", "single"))
    style = Style(exponentiate, stars, digits, level_p, check_columns(columns), check_alpha(alpha))
    arguments: dict[str, Any] = {
        "subset": subset, "missing": missing, "offset": offset, "freq_weights": freq_weights,
        "sampling_weights": sampling_weights, "trials": trials,
    }  # fmt: skip
    fitting = _Fitting(firth, cov_type, cov_kwds)
    adjusted = fitting(Logit.from_formula(formula, data, **arguments, depth=1))
    if adjusted.fit_.design.constant is None:
        raise DataError(
            "crude_and_adjusted() needs a constant in the formula: without one a variable alone compares nothing."
        )
    asked = Asked(Labels.read(labels, [adjusted.fit_.design]), style.alpha, method, tests, binary)
    together = model_numbers(adjusted, asked)
    terms, products = _alone(model_terms(adjusted.fit_.design))
    models: dict[ModelTerm, Logit | None] = dict.fromkeys(terms)
    if rows == "available":
        left = formula.partition("~")[0]
        for term in terms:  # no comprehension: what is no column is looked up one frame above this one
            models[term] = Logit.from_formula(f"{left} ~ {term.name}", data, **arguments, depth=1)
    crude, refused = _crude(together, models, fitting, asked, rows)
    found = put_together(
        [crude, together], ["Crude", "Adjusted"], style, ("nobs", "events") if rows == "common" else ()
    )
    said = [
        *table_notes([together], found, asked, style),
        *_rows_notes(crude, together, rows),
        *_missing_notes(products, refused),
    ]
    shown = (
        "Crude and adjusted "
        + ("odds ratios" if exponentiate else "coefficients (log odds)")
        + f" for {outcome(together)}"
    )
    return replace(found, title=shown if title is None else title, notes=(*said, *notes))


def _alone(terms: Sequence[ModelTerm]) -> tuple[list[ModelTerm], list[str]]:
    """Terms to be fitted alone, and names of the products that are not."""
    slopes = [term for term in terms if term.factors]
    products = [term for term in slopes if any(term.contains(other) for other in slopes)]
    return [term for term in slopes if term not in products], [term.name for term in products]


def _on_same_rows(adjusted: Any, term: ModelTerm) -> Logit:
    """The model of one term: the same columns (knots, levels) of the same rows."""
    design = adjusted.fit_.design
    model: Logit = adjusted.model.with_design(design.with_columns(sorted({design.constant, *term.columns}), ()))
    return model


@dataclass(frozen=True, eq=False)
class _Crude(ModelNumbers):
    """The models of one variable each, as one column."""

    parts: tuple[ModelNumbers, ...] = ()


def _crude(
    together: ModelNumbers, models: Mapping[ModelTerm, Logit | None], fitting: _Fitting, asked: Asked, rows: str
) -> tuple[_Crude, dict[str, str]]:
    """All models of one variable as one column; the names of those without an estimate, and why."""
    parts: list[ModelNumbers] = []
    refused: dict[str, str] = {}
    for term, model in models.items():
        try:
            parts.append(model_numbers(fitting(_on_same_rows(together.res, term) if model is None else model), asked))
        except EstimationError as error:
            refused[term.name] = type(error).__name__.removesuffix("Error").lower()
    of_term = {terms.name: part for part in parts for terms in part.terms}

    def p(equation: int, term: TermRows) -> float:
        part = of_term.get(term.name)
        own = None if part is None else next(t for t in part.terms if t.name == term.name)
        return float("nan") if part is None or own is None else part.term_p(equation, own)

    numbers = {key: value for part in parts for key, value in part.numbers[0].items()}
    counts = {key: value for part in parts for key, value in part.counts.items()}
    common = rows == "common"
    shown = [term for term in together.terms if term.name in of_term]
    extra = [terms for part in parts for terms in part.terms if terms.name not in {t.name for t in shown}]
    return _Crude(
        together.res, [*shown, *extra], ("",), [numbers], p, together.counts if common else counts,
        together.total if common else None, together.design, together.letter, tuple(parts),
    ), refused  # fmt: skip


def _rows_notes(crude: _Crude, together: ModelNumbers, rows: str) -> list[str]:
    if rows == "common":
        return ["Crude: each variable alone, on the rows of the adjusted model."]
    used = [part.total.observations for part in crude.parts if part.total is not None]
    if not used or together.total is None:
        return []
    low, high = min(used), max(used)
    crude_rows = f"{low:g}" if np.isclose(low, high) else f"{low:g} to {high:g}"
    return [
        f"Crude: each variable alone, on all rows that have it ({crude_rows} observations); adjusted: on rows that have all "
        f"variables ({together.total.observations:g})."
    ]


def _missing_notes(products: list[str], refused: dict[str, str]) -> list[str]:
    notes = []
    if products:
        notes.append(f"Products have no crude estimate: {listed(products, 8)}.")
    if refused:
        notes.append(f"No finite crude estimate: {listed([f'{name} ({why})' for name, why in refused.items()], 8)}.")
    return notes
