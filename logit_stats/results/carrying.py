"""A fitted model as a text (JSON), and back: what it learned and estimated, by a documented schema, without running anything.

The schema is `logit_stats/results/model.schema.json`; docs/json_schema.md says what each field means. What is read is checked:
expressions keep to the restricted formula language, shapes fit, and the coefficients follow from the working ones.
"""

from __future__ import annotations

import json
import platform
from dataclasses import replace
from functools import singledispatch
from typing import Any

import numpy as np
import pandas as pd
import patsy

from logit_stats.assess.certificate import data_hash
from logit_stats.design.block import FloatArray
from logit_stats.design.categories import Categories
from logit_stats.design.design import Design
from logit_stats.design.formula_document import formula_document, formula_of
from logit_stats.design.plain_values import decoded, decoded_array, encoded
from logit_stats.design.removed import DesignWithoutRows, Removed, SampleWithoutRows
from logit_stats.design.response import Response
from logit_stats.design.row_numbers import PREVALENCE, RowNumbers
from logit_stats.errors import DataError, LogitStatsError, NotAvailableError
from logit_stats.estimation.absorbed import AbsorbedFit
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.gee import GeeFit
from logit_stats.estimation.mixed import MixedFit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.inference import WALD
from logit_stats.inference.mixed_covariance import MixedCovariance
from logit_stats.inference.reference import NORMAL, Reference
from logit_stats.likelihoods.cumulative import Cumulative
from logit_stats.likelihoods.ordered import Ordered
from logit_stats.likelihoods.stepwise import Adjacent, Continuation
from logit_stats.likelihoods.working import WorkingColumns
from logit_stats.results.carried import CarriedFit, CarriedResults
from logit_stats.results.finished import Finished
from logit_stats.results.pooled import PooledResults
from logit_stats.version import versions

FORMAT, VERSION = "logit_stats model", 1
MODELS = ("binomial", "firth", "multinomial", "ordinal", "gee", "mixed")
ORDERED: dict[str, type[Ordered]] = {kind.kind: kind for kind in (Cumulative, Adjacent, Continuation)}
# Coefficients follow from the working ones up to this, relative to their errors.
AGREEMENT = 1e-6
LARGEST_TEXT = 200_000_000


# Writing.


@singledispatch
def document_of(results: Any) -> dict[str, Any]:
    """What a result says, as JSON has it.

    Raises
    ------
    NotAvailableError
        If the result, or its formula, cannot be carried in a text.
    """
    raise NotAvailableError(f"A {type(results).__name__} cannot be carried in a text.")


@document_of.register
def _(results: CarriedResults) -> dict[str, Any]:
    return results.document


@document_of.register
def _(results: PooledResults) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": "pooled",
        "degrees_of_freedom_complete": encoded(results.dfcom, "dfcom"),
        "of_data_sets": [document_of(res) for res in results.results],
    }


@document_of.register
def _(results: Finished) -> dict[str, Any]:
    answers: Any = results
    fit = results.fit_
    model = _model(results)
    design = fit.design
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": model,
        "method": fit.method,
        "ordered": _ordered(design),
        "written_by": {"python": platform.python_version(), **versions()},
        "data": _data(design),
        "response": _response(design.response),
        "formula": None if design.formula is None else formula_document(design.formula),
        "columns": {
            "names": list(design.names),
            "labelled": design.labelled,
            "constant": design.constant,
            "left_out": list(design.left_out),
            "aliases": [{n: float(v) for n, v in weights.items()} for weights in design.aliases],
        },
        "offset": _offset(design),
        "coefficients": _coefficients(results),
        "working": _working(fit, _covariance_working(results)),
        "covariance": {
            "type": results.covariance_.cov_type,
            "description": results.covariance_.description,
            "notes": list(results.covariance_.notes),
        },
        "reference": _reference(results.covariance_.reference),
        "statistics": {str(k): encoded(v, f"glance()'s {k}") for k, v in answers.glance().iloc[0].items()},
    }


def _model(results: Finished) -> str:
    """Name of the model; what cannot be carried is refused here."""
    fit = results.fit_
    results.facts.require("to_json()", "finite", "wald")
    design = fit.design
    if isinstance(fit, AbsorbedFit) or design.group is not None:
        raise NotAvailableError(
            "to_json() carries models that predict new rows by their columns alone; this one has effects of groups that are no "
            "columns. save() keeps it."
        )
    if isinstance(fit, MixedFit):
        return "mixed"
    if isinstance(fit, GeeFit):
        return "gee"
    if not fit.facts.binary:
        if isinstance(design.likelihood, Ordered):
            return "ordinal"
        if design.likelihood is not None:
            raise NotAvailableError("to_json() does not know this model of several categories; save() keeps it.")
        return "multinomial"
    return "binomial" if fit.facts.maximum else "firth"


def _ordered(design: Design) -> dict[str, Any] | None:
    """The logit of an ordered response, and the columns whose slopes differ from cut to cut."""
    found = design.likelihood
    return {"kind": found.kind, "own_slopes": sorted(found.own)} if isinstance(found, Ordered) else None


def _data(design: Design) -> dict[str, Any]:
    sample = design.sample
    return {
        "account": sample.line(),
        "rows_read": sample.read,
        "rows_used": design.rows,
        "sha256": data_hash(design) if design.has_rows else None,
    }


def _response(response: Response) -> dict[str, Any]:
    categories, levels = response.categories, response.levels
    return {
        "name": response.name,
        "success": response.success,
        "failure": response.failure,
        "levels": None if levels is None else [encoded(level, "a level of the response") for level in levels],
        "categories": None if categories is None else [encoded(c, "a category") for c in categories.labels],
    }


def _offset(design: Design) -> dict[str, Any] | None:
    given = design.offset
    return None if given is None else {"argument": given.argument, "column": given.column, "shift": float(given.shift)}


def _coefficients(results: Finished) -> dict[str, Any]:
    fit, cov, inference = results.fit_, results.covariance_, results.inference_
    usual = inference is WALD or type(inference) is type(WALD)
    limits = inference.limits(fit, cov, 0.05, inference.methods[0])
    return {
        "names": list(fit.design.coefficient_names),
        "estimate": _numbers(fit.beta),
        "standard_errors": _numbers(cov.standard_errors),
        "covariance": encoded(np.asarray(cov.matrix), "the covariance"),
        "inference": "wald" if usual else "profile",
        "p_values": _numbers(inference.p_values(fit, cov)),
        "limits_95": [_numbers(row) for row in limits],
    }


def _numbers(values: FloatArray) -> list[Any]:
    """Numbers as a plain list; what is not finite as null."""
    return [float(v) if np.isfinite(v) else None for v in np.asarray(values)]


def _covariance_working(results: Finished) -> FloatArray:
    cov = results.covariance_
    k = len(results.fit_.gamma)
    return cov.whole[:k, :k] if isinstance(cov, MixedCovariance) else cov.working


def _working(fit: Fit, covariance: FloatArray) -> dict[str, Any]:
    working = fit.working
    return {
        "center": encoded(working.center, "a centre"),
        "scale": encoded(working.scale, "a scale"),
        "constant": working.constant,
        "constant_value": float(working.constant_value),
        "equations": working.equations,
        "estimate": encoded(np.asarray(fit.gamma), "the estimate"),
        "covariance": encoded(np.asarray(covariance), "the covariance"),
    }


def _reference(reference: Reference) -> dict[str, Any]:
    if type(reference) is not Reference:
        raise NotAvailableError(
            "The degrees of freedom of CR2 are made of the clusters, for each prediction its own, and cannot be carried in a "
            "text; carry with_cov('cluster', groups=..., use_correction=True), or use save()."
        )
    df = reference.df
    return {
        "distribution": "normal" if df is None else "t",
        "df": None if df is None else encoded(np.atleast_1d(df) if np.ndim(df) else float(df), "df"),
    }


def to_json(results: Any, indent: int | None = None) -> str:
    """A result as a text; see `document_of`.

    Parameters
    ----------
    results : result of a fit
    indent : int, optional
        Spaces by which lines are set in; by default everything is on one line.
    """
    return json.dumps(document_of(results), indent=indent, allow_nan=False)


# Reading.


def from_json(text: str) -> CarriedResults | PooledResults:
    """Read a model that ``to_json()`` wrote. Nothing in the text is run: a file from anywhere may be read.

    Parameters
    ----------
    text : str
        JSON.

    Returns
    -------
    CarriedResults
        Predicts new data, with limits, as the result that was carried; `PooledResults` of such where data sets were pooled.

    Raises
    ------
    DataError
        If the text is no such model, or says something that a model does not.

    Examples
    --------
    >>> import logit_stats as ls
    >>> res = ls.logit("low ~ ns(age, df=3) + C(race)", ls.datasets.load("birthwt")).fit()
    >>> carried = ls.from_json(res.to_json())
    >>> carried.predict({"age": [20], "race": ["black"]}).round(4).tolist()
    [0.401]
    """
    document = _parsed(text)
    try:
        if document["model"] == "pooled":
            return _pooled_of(document)
        return carried_of(document)
    except LogitStatsError as error:
        raise DataError(f"The text is no model that can be read: {error}") from None
    except (
        KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError, MemoryError, ArithmeticError,
        SyntaxError, AssertionError, patsy.PatsyError,
    ) as error:  # fmt: skip
        raise DataError(f"The text is no whole model: {type(error).__name__}: {error}") from None


def _parsed(text: str) -> dict[str, Any]:
    if not isinstance(text, str) or len(text) > LARGEST_TEXT:
        raise DataError("from_json() takes the text that to_json() wrote; for a file, Path(path).read_text().")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"The text is no JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DataError(f"The text is JSON, and no model: it does not say {FORMAT!r} as its format.")
    if document.get("version") != VERSION:
        raise DataError(
            f"The model is written in version {document.get('version')!r} of the format; this version of logit_stats reads "
            f"{VERSION}."
        )
    return document


def _pooled_of(document: dict[str, Any]) -> PooledResults:
    parts = document["of_data_sets"]
    if len(parts) < 2:
        raise DataError("Pooled results are of two data sets or more.")
    return PooledResults(
        tuple(carried_of(part) for part in parts), float(decoded(document["degrees_of_freedom_complete"]))
    )


def carried_of(document: dict[str, Any]) -> CarriedResults:
    """The model that a document says."""
    if document["model"] not in MODELS:
        raise DataError(f"The model {document['model']!r} is not known.")
    design = _design_of(document)
    fit = CarriedFit(design, *_working_of(document["working"], design))
    cov = _covariance_of(document, fit)
    beta = np.array(document["coefficients"]["estimate"], dtype=np.float64)
    with np.errstate(invalid="ignore"):
        apart = np.abs(beta - fit.beta) > AGREEMENT * np.maximum(cov.standard_errors, np.abs(fit.beta))
    if len(beta) != len(fit.beta) or apart.any():
        raise DataError("The coefficients are not those that the working coefficients give; the text was changed.")
    return CarriedResults(fit, cov, document)


def _design_of(document: dict[str, Any]) -> DesignWithoutRows:
    columns, formula, data = document["columns"], document["formula"], document["data"]
    names = tuple(map(str, columns["names"]))
    compiled = None if formula is None else formula_of(formula)
    if compiled is not None and not set(names) <= set(compiled.names):
        raise DataError("The formula has not the columns of the coefficients.")
    constant = columns["constant"]
    if constant is not None and not (type(constant) is int and 0 <= constant < len(names)):
        raise DataError(f"The constant is no column: {constant!r}.")
    n = int(data["rows_used"])
    gone: Any = Removed(n)
    sample = SampleWithoutRows(
        pd.RangeIndex(0),
        gone,
        0,
        {},
        gone,
        0.0,
        0.0,
        rows_read=int(data["rows_read"]),
        rows_dropped=0,
        rows_dropped_by={},
    )
    shape: Any = Removed(n, len(names))
    return DesignWithoutRows(
        shape, names, _response_of(document["response"], gone), None, _offset_of(document["offset"], gone), sample,
        pd.RangeIndex(0), bool(columns["labelled"]), compiled, constant, tuple(columns["left_out"]),
        likelihood=_likelihood_of(document),
        aliases=tuple({str(n): float(v) for n, v in weights.items()} for weights in columns["aliases"]),
    )  # fmt: skip


def _likelihood_of(document: dict[str, Any]) -> Ordered | None:
    given = document["ordered"]
    if (given is None) != (document["model"] != "ordinal"):
        raise DataError("An ordinal model says how it is ordered, and no other does.")
    return None if given is None else ORDERED[given["kind"]](frozenset(map(str, given["own_slopes"])))


def _response_of(given: dict[str, Any], gone: Any) -> Response:
    labels, levels = given["categories"], given["levels"]
    categories = None if labels is None else Categories(tuple(decoded(label) for label in labels), gone)
    pair: Any = None if levels is None else tuple(decoded(level) for level in levels)
    return Response(
        str(given["name"]), str(given["success"]), str(given["failure"]), gone, None, pair, categories=categories
    )


def _offset_of(given: dict[str, Any] | None, gone: Any) -> RowNumbers | None:
    if given is None:
        return None
    if given["argument"] not in ("offset", PREVALENCE):
        raise DataError(f"The offset {given['argument']!r} is not known.")
    column = given["column"]
    return RowNumbers(given["argument"], None if column is None else str(column), gone, float(given["shift"]))


def _working_of(given: dict[str, Any], design: Design) -> tuple[WorkingColumns, FloatArray]:
    k, count = design.columns, design.parameters.count
    center, scale = (
        None if given[name] is None else decoded_array(given[name], (k,), name) for name in ("center", "scale")
    )
    constant = given["constant"]
    if constant is not None and not (type(constant) is int and 0 <= constant < k):
        raise DataError(f"The constant is no column: {constant!r}.")
    if given["equations"] != design.equations:
        raise DataError(f"{given['equations']} linear predictors are named, and the response has {design.equations}.")
    working = WorkingColumns.of(design, center, scale, float(given["constant_value"]))
    return replace(working, constant=constant), decoded_array(given["estimate"], (count,), "The estimate")


def _covariance_of(document: dict[str, Any], fit: CarriedFit) -> Covariance:
    count = len(fit.gamma)
    given, said = document["coefficients"], document["covariance"]
    errors = np.array(given["standard_errors"], dtype=np.float64)
    if errors.shape != (count,):
        raise DataError(f"There are {len(errors)} standard errors of {count} coefficients.")
    reference = _reference_of(document["reference"], count)
    return Covariance(
        str(said["type"]),
        decoded_array(document["working"]["covariance"], (count, count), "The working covariance"),
        decoded_array(given["covariance"], (count, count), "The covariance"),
        errors,
        str(said["description"]),
        tuple(map(str, said["notes"])),
        student=None if reference is NORMAL else reference,
        own_t=reference is not NORMAL,
    )


def _reference_of(given: dict[str, Any], count: int) -> Reference:
    if given["distribution"] == "normal":
        return NORMAL
    if given["distribution"] != "t":
        raise DataError(f"The reference distribution {given['distribution']!r} is not known.")
    df = decoded(given["df"])
    return Reference(df if isinstance(df, np.ndarray) else float(df))
