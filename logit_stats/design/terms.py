"""The terms of a model: which columns belong to which, what contains what, and designs of more or fewer of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pandas as pd
import patsy

from logit_stats.design.block import FloatArray
from logit_stats.design.coded import CodedColumns, coded
from logit_stats.design.containers import numbers_of
from logit_stats.design.design import Design, constant_column
from logit_stats.design.formula import CompiledFormula, ParsedFormula, lay_out, learn_factors, parse
from logit_stats.design.given_rows import for_rows_used
from logit_stats.design.other_rows import refuse_other_rows
from logit_stats.design.reading import right_hand_terms
from logit_stats.errors import DataError, FormulaError, MissingDataError, NotAvailableError, listed


@dataclass(frozen=True)
class ModelTerm:
    """One term of a model.

    Attributes
    ----------
    name : str
        As the formula has it; a column's name in array fits.
    columns : tuple of int
        Its design columns.
    factors : frozenset of str
        What it multiplies; empty for the constant.
    """

    name: str
    columns: tuple[int, ...]
    factors: frozenset[str]

    def contains(self, other: ModelTerm) -> bool:
        """Whether this term is a product of the other with something more (and the other is not the constant)."""
        return bool(other.factors) and other.factors < self.factors


def model_terms(design: Design) -> tuple[ModelTerm, ...]:
    """Terms as the formula is written (main effects first), without those whose columns were all left out.

    patsy lays factors out before numbers, which must not decide about sequential tests. Columns are terms of array fits.
    """
    if design.formula is None:
        return tuple(
            ModelTerm(name, (j,), frozenset() if j == design.constant else frozenset([name]))
            for j, name in enumerate(design.names)
        )
    formula, place = design.formula, {name: j for j, name in enumerate(design.names)}
    found = []
    for term, slice_ in formula.info.term_slices.items():
        columns = tuple(place[name] for name in formula.names[slice_] if name in place)
        if columns:
            found.append(ModelTerm(term.name(), columns, frozenset(f.name() for f in term.factors)))
    written = [term.name() for term in right_hand_terms(formula.text)]
    order = {name: position for position, name in enumerate(written)}
    return tuple(sorted(found, key=lambda term: (len(term.factors), order.get(term.name, len(written)))))


def find_term(design: Design, name: str) -> ModelTerm:
    """The term of this name, or the column of this name as a term.

    Raises
    ------
    DataError
        If there is none.
    """
    terms = model_terms(design)
    for term in terms:
        if term.name == name:
            return term
    if name in design.names:
        return ModelTerm(name, (design.names.index(name),), frozenset([name]))
    raise DataError(f"{name!r} is no term of the model; its terms are {listed([term.name for term in terms], 10)}.")


def without_terms(design: Design, dropped: list[ModelTerm]) -> Design:
    """Return the design of the other terms.

    Without an intercept patsy codes the first factor in full, so leaving it out changes the coding of the others: then the
    formula is laid out anew, as if it had been written without the term.
    """
    names = {term.name for term in dropped}
    if design.formula is None or "Intercept" in [term.name for term in model_terms(design)] or design.left_out:
        columns = {j for term in dropped for j in term.columns}
        return design.with_columns([j for j in range(design.columns) if j not in columns], ())
    formula = design.formula
    terms = tuple(term for term in formula.info.terms if term.name() not in names)
    parsed = ParsedFormula(formula.text, (), terms, None)
    return _laid_out(design, parsed, formula.factors)


def with_added(design: Design, added: str, scope: Any) -> tuple[Design, tuple[ModelTerm, ...]]:
    """Return the design with more terms, and these terms.

    Parameters
    ----------
    design : Design
        Of a formula fit.
    added : str
        Terms as on the right of a formula: ``"z + x:z"``.
    scope : EvalEnvironment
        Where names are looked up that are no columns.

    Raises
    ------
    MissingDataError
        If a new term is missing in a row used: the models would have different rows.
    FormulaError
        If the terms cannot be read, or are in the model already.
    """
    formula = design.formula
    if formula is None or design.table is None:
        raise NotAvailableError("Terms are added to formula fits; to an array fit add columns.")
    more = parse(f"y ~ 0 + {added.strip().removeprefix('~')}", scope).terms
    present = {frozenset(f.name() for f in term.factors) for term in formula.info.terms}
    new = tuple(t for t in more if t.factors and frozenset(f.name() for f in t.factors) not in present)
    if not new:
        raise FormulaError(f"{added!r} adds no term to the model {formula.text!r}.")
    parsed = ParsedFormula(formula.text, (), (*formula.info.terms, *new), scope)
    used = design.table.where(design.sample.used)
    unknown = {f.name() for t in new for f in t.factors} - set(formula.factors)
    wanted = tuple(patsy.Term([f]) for f in dict.fromkeys(f for t in new for f in t.factors if f.name() in unknown))
    factors = {**formula.factors, **learn_factors(wanted, parsed, used)}
    larger = _laid_out(design, parsed, factors)
    before = {term.factors for term in model_terms(design)}
    return larger, tuple(term for term in model_terms(larger) if term.factors not in before)


def patsy_terms(design: Design, scope: str | None, namespace: Any) -> dict[str, Any]:
    """Patsy's terms of the model, and of a scope given as on the right of a formula, by name."""
    assert design.formula is not None
    found = {term.name(): term for term in design.formula.info.terms}
    if scope is not None:
        right = scope.rpartition("~")[2]
        present = {frozenset(f.name() for f in term.factors) for term in found.values()}
        for term in parse(f"y ~ {right}", namespace).terms:
            if frozenset(f.name() for f in term.factors) not in present:
                found[term.name()] = term
    return found


def design_of_terms(design: Design, terms: tuple[Any, ...], namespace: Any) -> Design:
    """Return the design of these terms of patsy's, on the same rows, as if the formula had been written with them."""
    formula = design.formula
    assert formula is not None
    assert design.table is not None
    left = formula.text.partition("~")[0].strip()
    names = [term.name() for term in terms]
    right = [name for name in names if name != "Intercept"]
    text = f"{left} ~ {' + '.join(right) or '1'}" + ("" if "Intercept" in names or not right else " - 1")
    parsed = ParsedFormula(text, (), terms, namespace)
    used = design.table.where(design.sample.used)
    unknown = {f.name() for t in terms for f in t.factors} - set(formula.factors)
    wanted = tuple(patsy.Term([f]) for f in dict.fromkeys(f for t in terms for f in t.factors if f.name() in unknown))
    return _laid_out(design, parsed, {**formula.factors, **learn_factors(wanted, parsed, used)})


def with_columns_added(design: Design, exog: Any) -> tuple[Design, tuple[ModelTerm, ...]]:
    """Return the design with further columns, given for the rows used (or read), and these columns as one term each."""
    frame = exog if isinstance(exog, (pd.DataFrame, pd.Series)) else None
    if isinstance(exog, (list, tuple)) and all(isinstance(name, str) for name in exog):
        raise DataError("The added columns must be numbers; name terms in one text, as in 'z + C(group)'.")
    given = for_rows_used(design, "added columns", exog)
    try:
        X = given.to_numpy(dtype=np.float64, na_value=np.nan) if isinstance(given, pd.DataFrame) else numbers_of(given)
    except (TypeError, ValueError):
        raise DataError("The added columns must be numbers; name terms in one text, as in 'z + C(group)'.") from None
    X = X[:, None] if X.ndim == 1 else X
    if X.ndim != 2:
        raise DataError(f"The added columns have shape {X.shape}; the model has {design.rows} rows.")
    if not np.isfinite(X).all():
        raise MissingDataError("The added columns have missing or infinite values in rows that the model uses.")
    names = [f"added{j + 1}" for j in range(X.shape[1])]
    if isinstance(frame, pd.DataFrame):
        names = [str(name) for name in frame.columns]
    elif isinstance(frame, pd.Series) and frame.name is not None:
        names = [str(frame.name)]
    repeated = set(names) & set(design.names)
    if repeated:
        raise DataError(f"{sorted(repeated)[0]!r} is a column of the model already.")
    k = design.columns
    larger = replace(design, X=_side_by_side(design.X, X), names=(*design.names, *names), formula=None)
    return larger, tuple(ModelTerm(name, (k + j,), frozenset([name])) for j, name in enumerate(names))


def _side_by_side(X: FloatArray, more: FloatArray) -> FloatArray:
    """Columns after the columns of a design; factors kept as codes stay so."""
    by_code = coded(X)
    if by_code is None:
        return np.column_stack([np.asarray(X), more])
    places = np.concatenate([by_code.dense_columns, X.shape[1] + np.arange(more.shape[1])])
    return cast(FloatArray, CodedColumns(np.column_stack([by_code.dense, more]), places, by_code.parts))


def _laid_out(design: Design, parsed: ParsedFormula, factors: dict[str, Any]) -> Design:
    """Return the design of other terms on the same rows."""
    assert design.table is not None
    used = design.table.where(design.sample.used)
    needed = {f.name() for term in parsed.terms for f in term.factors}
    factors = {name: factor for name, factor in factors.items() if name in needed}
    values = {name: factor.evaluate(used) for name, factor in factors.items()}
    known = {} if design.formula is None else design.formula.factors
    for name, value in values.items():
        if name not in known:
            refuse_other_rows(factors[name], used, value)
        if value.missing is not None and value.missing.any():
            count = int(value.missing.sum())
            raise MissingDataError(
                f"{name!r} is missing in {count} of the {design.rows} rows that the model uses: the models would have different "
                f"rows. Fit the model to the complete rows first (subset=)."
            )
    left = {} if design.formula is None else design.formula.left
    compiled: CompiledFormula = replace(lay_out(parsed, factors, values), left=left)
    X = compiled.fill_coded(values, design.rows)
    constant = compiled.names.index("Intercept") if "Intercept" in compiled.names else constant_column(X)
    laid_out = replace(design, X=X, names=compiled.names, formula=compiled, constant=constant, left_out=())
    # a constant that dropped out of the model before does so again
    return laid_out.without_constant() if "Intercept" in design.left_out else laid_out
