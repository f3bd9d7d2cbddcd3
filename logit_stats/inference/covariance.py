"""Covariance of the coefficients: from the information, or robust to a wrong variance (sandwich).

Each estimator is V M V with V the inverse information and M the "meat", a sum over rows of c_i u_i² z_i z_i' with
u_i = y_i - m_i p_i (White 1980, Econometrica 48, 817-838; White 1982, Econometrica 50, 1-25; MacKinnon and White 1985,
J. Econometrics 29, 305-325, carried over to the logit with the leverages of the weighted design):

========= ============================= ==========================================
HC0       c_i = 1
HC1       c_i = n / (n - k)
HC2       c_i = 1 / (1 - h_i)           h_i = m_i p_i (1 - p_i) z_i' V z_i
HC3       c_i = 1 / (1 - h_i)²
========= ============================= ==========================================

Where a leverage is one HC2 and HC3 have no value.

"quasi" is the model-based covariance times a dispersion (McCullagh and Nelder 1989, section 4.5), "opg" the inverse of the sum
of squared scores (Berndt, Hall, Hall and Hausman 1974, Annals of Economic and Social Measurement 3, 653-665), "HAC" allows
for autocorrelation (autocorrelation.py), "survey" is design-based (survey.py).
"cluster" sums the scores within clusters first; see cluster.py. "bootstrap" is the covariance of estimates from resampled
data; see bootstrap.py.

A frequency weight stands for that many rows; a sampling weight multiplies u_i.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError, NotAvailableError, UnknownOptionError, check_choice, listed, listed_rows
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.streamed import StreamedFit
from logit_stats.inference.autocorrelation import autocorrelation_meat
from logit_stats.inference.bias_reduced import bias_reduced
from logit_stats.inference.bootstrap import Bootstrap, bootstrap
from logit_stats.inference.cluster import Grouping, check_settings, cluster_covariance, read_groups, warnings_of
from logit_stats.inference.reference import CHI_SQUARED, NORMAL, LikelihoodReference, Reference
from logit_stats.inference.row_blocks import row_blocks
from logit_stats.inference.row_scores import leverages, residuals_and_weights, score_gram, score_residuals
from logit_stats.inference.satterthwaite import SatterthwaiteReference
from logit_stats.inference.streamed_covariance import (
    cluster_columns,
    cluster_meats,
    counted_groupings,
    dispersion_sum,
    leverage_meat,
    refuse,
)
from logit_stats.inference.survey import SurveyMeat, survey_meat
from logit_stats.inference.whitened import Whitened, whitened
from logit_stats.likelihoods.deviance import deviance_terms, pearson_residual
from logit_stats.likelihoods.linear_algebra import EquilibratedCholesky

COV_TYPES = (
    "nonrobust", "quasi", "opg", "HC0", "HC1", "HC2", "HC3", "HAC", "cluster", "survey", "bootstrap"
)  # fmt: skip
# Computed of scores, as a sandwich or the inverse of their squares.
SANDWICHES = ("opg", "HC0", "HC1", "HC2", "HC3", "HAC", "cluster", "survey")
# A robust standard error below this share of the model-based one is zero up to rounding.
NOTHING = 1e-7
# With less than this left, a row's leverage is one up to rounding.
FIXED = 1e-10
# Those that there are for a response of several categories.
FOR_CATEGORIES = ("nonrobust", "opg", "HC0", "HC1", "HC2", "HC3", "cluster", "survey", "bootstrap")


@dataclass(frozen=True, eq=False)
class Covariance:
    """An estimated covariance of the coefficients.

    Attributes
    ----------
    cov_type : str
        One of `COV_TYPES`.
    working : (k, k)
        Covariance of the working coefficients.
    matrix : (k, k)
        Covariance of the user's coefficients.
    standard_errors : (k,)
        Of the user's coefficients.
    description : str
        What a report says of it; empty for the types above.
    notes : tuple of str
        What a reader must know of it.
    bootstrap : Bootstrap or None
        The resampled estimates, for "bootstrap".
    student : Reference or None
        Student's t as the estimator has it: Satterthwaite's degrees of freedom (CR2), those of a survey's design, else
        those of the residuals.
    own_t : bool
        Whether the estimator brings degrees of freedom of its own, so that t is used unless something else is asked for.
    use_t : bool or None
        What was asked for.
    dispersion : float
        What likelihood ratios are divided by ("quasi").
    settings : mapping
        What was asked for.
    """

    cov_type: str
    working: FloatArray
    matrix: FloatArray
    standard_errors: FloatArray
    description: str = ""
    notes: tuple[str, ...] = ()
    bootstrap: Bootstrap | None = None
    student: Reference | None = None
    own_t: bool = False
    use_t: bool | None = None
    dispersion: float = 1.0
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def robust(self) -> bool:
        """Whether it holds when the model's variance is wrong."""
        return self.cov_type not in ("nonrobust", "naive", "quasi", "opg", "augmented")

    @property
    def reference(self) -> Reference:
        """What statistics under this covariance are compared with."""
        use_t = self.own_t if self.use_t is None else self.use_t
        return NORMAL if self.student is None or not use_t else self.student

    def with_t(self, use_t: bool | None) -> Reference:
        """Return the reference with t (and F) asked for, or not; None for the covariance's own."""
        if use_t is None:
            return self.reference
        return NORMAL if self.student is None or not use_t else self.student

    @property
    def likelihood_reference(self) -> LikelihoodReference:
        """What likelihood ratios are compared with: chi-squared, or with a dispersion F."""
        if self.cov_type != "quasi":
            return CHI_SQUARED
        return LikelihoodReference(self.dispersion, self.reference.df)  # type: ignore[arg-type]


def spelled(cov_type: Any) -> Any:
    """One of `COV_TYPES` where `cov_type` is one in other letters ("hc0", "hac"); else as it is."""
    known = {name.lower(): name for name in COV_TYPES}
    return known.get(cov_type.lower(), cov_type) if isinstance(cov_type, str) else cov_type


def covariance_asked(cov_type: str | None, settings: Mapping[str, Any] | None) -> tuple[str | None, dict[str, Any]]:
    """Read `cov_type` and `cov_kwds` before anything is fitted.

    Raises
    ------
    UnknownOptionError
        If the type or a setting is not known.
    """
    cov_type, asked = spelled(cov_type), dict(settings or {})
    if cov_type is not None:
        check_choice("cov_type", cov_type, COV_TYPES)
    check_settings(cov_type or "nonrobust", asked)
    return cov_type, asked


def default_cov_type(fit: Fit) -> str:
    """``"survey"`` under sampling weights, for which the model-based covariance is wrong; else ``"nonrobust"``."""
    return "survey" if fit.design.weight_kind == "sampling" else "nonrobust"


def covariance(fit: Fit, cov_type: str | None = None, use_t: bool | None = None, **settings: Any) -> Covariance:
    """Covariance of the coefficients of a fit.

    Parameters
    ----------
    fit : Fit
    cov_type : str, optional
        One of `COV_TYPES`; by default that of `default_cov_type`.
    use_t : bool, optional
        Student's t and F in place of the normal distribution and chi-squared; by default where the estimator brings its own
        degrees of freedom ("quasi", "survey", CR2).
    **settings
        For "cluster": `groups` (a column name, labels, or a list of these) and `use_correction` (True, "G", False, "CR2" or
        "CR3"). For "HAC": `maxlags`, `kernel`, `time`, `use_correction`. For "survey": `strata`, `psu`, `fpc`, `lonely`,
        `subpop`. For "quasi": `dispersion` ("pearson" or "deviance").
        For "bootstrap": `reps`, `seed`, `groups` and `progress`; see `bootstrap`.

    Raises
    ------
    UnknownOptionError
        If the type or a setting is not known.
    DataError
        If groups are missing or do not fit the rows.
    """
    cov_type, settings = covariance_asked(default_cov_type(fit) if cov_type is None else cov_type, settings)
    assert cov_type is not None
    factor = settings.pop("scaling_factor", None)
    if factor is not None:
        return _times(covariance(fit, cov_type, use_t, **settings), factor)
    corrected = settings.pop("df_correction", None)
    if cov_type == "nonrobust":
        errors = fit.standard_errors
        return Covariance(cov_type, fit.covariance_working, fit.covariance, errors, student=_residual(fit), use_t=use_t)
    if not fit.facts.binary:
        _refuse_for_categories(cov_type, settings)
    made = _estimated(fit, cov_type, settings)
    student = made.student or _residual(fit)
    if corrected and cov_type == "cluster" and made.student is None:  # statsmodels' degrees of freedom
        fewest = min(grouping.count for grouping in read_groups(fit.design, settings.get("groups")))
        student = Reference(float(fewest - 1))
    return replace(made, settings=settings, student=student, use_t=use_t)


def of_matrix(fit: Fit, cov: Covariance, given: Any) -> Covariance:
    """A covariance of the coefficients that the user has computed, compared with what `cov` is compared with.

    Raises
    ------
    DataError
        If it is no symmetric matrix of their number.
    """
    k = fit.parameters
    try:
        matrix = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"cov_p must be a ({k}, {k}) matrix of numbers.") from None
    if matrix.shape != (k, k) or not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T, rtol=1e-6):
        raise DataError(f"cov_p must be a symmetric ({k}, {k}) matrix of finite numbers; its shape is {matrix.shape}.")
    back = np.linalg.inv(fit.working.matrix(k))
    errors = np.sqrt(np.maximum(matrix.diagonal(), 0.0))
    return Covariance(
        "given", back @ matrix @ back.T, matrix, errors, "as given (cov_p)", student=cov.student, use_t=cov.use_t
    )


def _times(made: Covariance, factor: Any) -> Covariance:
    """Covariance times a number: statsmodels' ``scaling_factor``."""
    if isinstance(factor, (bool, str)) or not np.isscalar(factor) or not 0.0 < float(factor) < np.inf:  # type: ignore[arg-type]
        raise UnknownOptionError(f"scaling_factor={factor!r} must be a finite number above zero.")
    size = float(factor)  # type: ignore[arg-type]
    said = f"{made.description or made.cov_type}, times {size:g}"
    return replace(
        made, working=made.working * size, matrix=made.matrix * size, standard_errors=made.standard_errors * np.sqrt(size),
        description=said, settings={**made.settings, "scaling_factor": size},
    )  # fmt: skip


def _estimated(fit: Fit, cov_type: str, settings: dict[str, Any]) -> Covariance:
    estimator = _ESTIMATORS.get(cov_type, partial(_heteroskedastic, cov_type=cov_type))
    if isinstance(fit, StreamedFit):
        estimator = partial(_in_passes, cov_type=cov_type)
        _refuse_ill_conditioned(fit, cov_type)
    elif not fit.facts.binary and cov_type in ("HC2", "HC3"):
        estimator = partial(_of_row_blocks, cov_type=cov_type)
    by_blocks = not fit.facts.binary and cov_type in ("HC2", "HC3")  # which see to it themselves
    white = whitened(fit) if cov_type in SANDWICHES and fit.design.in_memory and not by_blocks else None
    made = estimator(fit, **settings) if white is None else _carried_back(fit, white, estimator(white.fit, **settings))
    nothing = made.standard_errors <= NOTHING * fit.standard_errors
    nothing &= made.robust and fit.free_parameters == fit.parameters
    if not nothing.any():
        return made
    names = [name for name, none in zip(fit.design.coefficient_names, nothing, strict=True) if none]
    why = (
        "every unit was sampled, or its rows are"
        if cov_type == "survey"
        else "the rows or clusters that it is made of are"
    )
    note = (
        f"The {cov_type} standard error of {listed(names)} is zero: {why} fitted exactly, and do not say how they vary."
    )
    errors = np.where(nothing, 0.0, made.standard_errors)
    return replace(made, standard_errors=errors, notes=(*made.notes, note))


def _carried_back(fit: Fit, white: Whitened, made: Covariance) -> Covariance:
    """Covariance of the fit's own coefficients from that of its coefficients in whitened columns."""
    if not np.isfinite(made.working).all():
        empty = np.full_like(made.working, np.nan)
        return replace(made, working=empty, matrix=empty, standard_errors=empty.diagonal())
    root = white.back(made.working)
    mapped = fit.working.matrix(fit.parameters) @ root
    student = made.student
    if isinstance(student, SatterthwaiteReference) and student.source is not None:
        source = student.source.seen_through(white.root)
        student = SatterthwaiteReference(source.degrees(fit.working.matrix(fit.parameters)), source)
    errors = np.asarray(np.linalg.norm(mapped, axis=1))
    with np.errstate(over="ignore"):
        return replace(made, working=root @ root.T, matrix=mapped @ mapped.T, standard_errors=errors, student=student)


def _residual(fit: Fit) -> Reference:
    """T with the degrees of freedom of the residuals."""
    return Reference(float(fit.design.observations - fit.free_parameters))


def covariance_of_part(cov: Covariance, rows: int, fit: Fit, keep: NDArray[np.bool_]) -> Covariance:
    """Covariance of the same kind for a fit to some of the rows.

    Parameters
    ----------
    cov : Covariance
        Of the fit to all rows.
    rows : int
        How many these are.
    fit : Fit
        To the rows kept.
    keep : (rows,) bool
    """

    def cut(value: Any) -> Any:
        # columns are looked up anew, and labels of all rows read are cut by the sample; labels of the rows used are cut here
        if (
            isinstance(value, str)
            or not hasattr(value, "__len__")
            or len(value) != rows
            or rows == fit.design.sample.read
        ):
            return value
        return value[keep] if isinstance(value, (pd.Series, pd.DataFrame)) else np.asarray(value)[keep]

    return covariance(fit, cov.cov_type, cov.use_t, **{name: cut(value) for name, value in cov.settings.items()})


def _refuse_for_categories(cov_type: str, settings: Mapping[str, Any]) -> None:
    bias_reduced_wanted = cov_type == "cluster" and settings.get("use_correction") in ("CR2", "CR3")
    if cov_type not in FOR_CATEGORIES or bias_reduced_wanted:
        wanted = f"use_correction={settings['use_correction']!r}" if bias_reduced_wanted else f"cov_type={cov_type!r}"
        raise NotAvailableError(
            f"{wanted} is not there for a response of several categories; choose one of {', '.join(FOR_CATEGORIES)}."
        )


def _of(fit: Fit, cov_type: str, working: FloatArray, description: str = "", notes: tuple[str, ...] = ()) -> Covariance:
    matrix, errors = fit.working.covariance(working), fit.working.standard_errors(working)
    return Covariance(cov_type, working, matrix, errors, description, notes)


def _heteroskedastic(fit: Fit, cov_type: str) -> Covariance:
    n, k = fit.design.observations, fit.parameters
    factor: FloatArray | float = 1.0
    if fit.design.weight is not None:
        factor = fit.design.weight.values ** (2 if fit.design.weight_kind == "sampling" else 1)
    if cov_type not in ("HC2", "HC3"):
        u = score_residuals(fit, weighted=False)
    else:
        u, weight = residuals_and_weights(fit)
        left = 1.0 - leverages(fit, weight)
        if (left < FIXED).any():
            return _of(
                fit,
                cov_type,
                np.full((k, k), np.nan),
                notes=(_determined(np.asarray(fit.design.index)[left < FIXED], cov_type),),
            )
        factor = factor / (left if cov_type == "HC2" else left**2)
    bread = fit.covariance_working
    scale = (n / (n - k) if n > k else float("nan")) if cov_type == "HC1" else 1.0
    return _of(fit, cov_type, bread @ score_gram(fit, u, factor) @ bread * scale)


def _of_row_blocks(fit: Fit, cov_type: str) -> Covariance:
    """HC2 and HC3 of several equations: HC0 of what each row's block leaves of its score."""
    blocks = row_blocks(fit)
    if (blocks.left < FIXED).any():
        perfect = np.asarray(fit.design.index)[blocks.left < FIXED]
        return _of(fit, cov_type, np.full((fit.parameters,) * 2, np.nan), notes=(_determined(perfect, cov_type),))
    u = blocks.standardized if cov_type == "HC2" else blocks.without
    weight = None if fit.design.weight is None else fit.design.weight.values
    if fit.design.weight_kind == "sampling":  # the weight is in them
        weight = None
    white = whitened(fit, u)
    if white is not None:
        meat = score_gram(white.fit, np.ones(fit.design.rows), 1.0 if weight is None else weight)
        bread = white.fit.covariance_working
        return _carried_back(fit, white, _of(white.fit, cov_type, bread @ meat @ bread))
    bread = fit.covariance_working
    return _of(fit, cov_type, bread @ score_gram(fit, u, 1.0 if weight is None else weight) @ bread)


def _in_passes(fit: StreamedFit, cov_type: str, **settings: Any) -> Covariance:  # noqa: PLR0911 (one for each type)
    """A covariance of rows out of memory: the sums of streamed_covariance.py between the same bread."""
    refuse(cov_type, settings)
    n, k, bread = fit.design.observations, fit.parameters, fit.covariance_working
    if cov_type in ("HC0", "HC1"):
        scale = (n / (n - k) if n > k else float("nan")) if cov_type == "HC1" else 1.0
        return _of(fit, cov_type, bread @ fit.meat @ bread * scale)
    if cov_type in ("HC2", "HC3"):
        meat, fixed = leverage_meat(fit, int(cov_type[-1]) - 1)
        if fixed:
            return _of(fit, cov_type, np.full((k, k), np.nan), notes=(_determined(fixed, cov_type),))
        return _of(fit, cov_type, bread @ meat @ bread)
    if cov_type == "opg":
        return _opg_of(fit, fit.meat)
    if cov_type == "quasi":
        return _dispersed(fit, **settings)
    if cov_type == "survey":
        return _survey_of(fit, _every_row(fit))
    columns = cluster_columns(fit, settings.pop("groups", None))
    made = cluster_covariance(
        fit, counted_groupings(fit, columns), **settings, meat_of=cluster_meats(fit, columns)
    )  # fmt: skip
    return _of(fit, "cluster", made.working, made.description, made.notes)


def _every_row(fit: StreamedFit) -> SurveyMeat:
    """Meat of a sample whose rows are its units: those read, whether they are used or not; the scores add up to zero."""
    read = float(fit.design.sample.read)
    df = float(fit.design.rows - 1)
    said = f"design-based: {int(read)} rows, with replacement, {df:g} degrees of freedom"
    return SurveyMeat(fit.meat * read / (read - 1.0), df, said, ())


def _refuse_ill_conditioned(fit: Fit, cov_type: str) -> None:
    if cov_type in SANDWICHES and fit.ill_conditioned:
        raise NotAvailableError(
            f"Some columns are nearly dependent (condition number {fit.condition:.2g}), and a sandwich would lose its digits. "
            f"Centre the columns, center(x), or leave one out."
        )


def _determined(rows: Sequence[Any] | NDArray[Any], cov_type: str) -> str:
    """Say which rows have a leverage of one, as R's sandwich does by NaN."""
    return (
        f"Rows of leverage one ({listed_rows(np.asarray(rows), 3)}) are fitted exactly whatever their outcome, and "
        f"{cov_type} divides their residual of zero by zero: it has no value. HC0, HC1 and the model-based covariance do."
    )


def _quasi(fit: Fit, dispersion: str = "pearson") -> Covariance:
    check_choice("dispersion", dispersion, ("pearson", "deviance"))
    response = fit.design.response
    weight = 1.0 if fit.design.weight is None else fit.design.weight.values
    if dispersion == "pearson":
        terms = pearson_residual(fit.eta, response.successes, response.trials) ** 2
    else:
        terms = deviance_terms(fit.eta, response.successes, response.trials)
    return _times_dispersion(fit, float(np.sum(weight * terms)), dispersion)


def _dispersed(fit: StreamedFit, dispersion: str = "pearson") -> Covariance:
    check_choice("dispersion", dispersion, ("pearson", "deviance"))
    return _times_dispersion(fit, dispersion_sum(fit, dispersion), dispersion)


def _times_dispersion(fit: Fit, total: float, dispersion: str) -> Covariance:
    df = fit.design.observations - fit.free_parameters
    if df <= 0:
        raise NotAvailableError("A dispersion needs more observations than coefficients.")
    phi = total / df
    return Covariance(
        "quasi", fit.covariance_working * phi, fit.covariance * phi, fit.standard_errors * np.sqrt(phi),
        f"model-based times the dispersion {phi:.4f} ({dispersion})", own_t=True, dispersion=phi,
    )  # fmt: skip


def _opg(fit: Fit) -> Covariance:
    u = score_residuals(fit, weighted=False)
    return _opg_of(fit, score_gram(fit, u, 1.0 if fit.design.weight is None else fit.design.weight.values))


def _opg_of(fit: Fit, squares: FloatArray) -> Covariance:
    if fit.design.weight_kind == "sampling":
        raise NotAvailableError(
            "Under sampling weights the outer product of the scores is no information; use cov_type='survey'."
        )
    factor = EquilibratedCholesky(squares)
    if not factor.definite:
        raise NotAvailableError("The outer product of the scores is singular; use another covariance.")
    return _of(fit, "opg", factor.inverse(), "from the outer product of the scores (BHHH)")


def _autocorrelated(fit: Fit, use_correction: bool = False, **settings: Any) -> Covariance:
    meat, description = autocorrelation_meat(fit, **settings)
    n, k = fit.design.observations, fit.parameters
    bread = fit.covariance_working * np.sqrt(n / (n - k) if use_correction else 1.0)
    return _of(fit, "HAC", bread @ meat @ bread, description + (", times n/(n-k)" if use_correction else ""))


def _clustered(fit: Fit, groups: Any = None, use_correction: bool | str = True) -> Covariance:
    groupings = read_groups(fit.design, groups)
    if use_correction in ("CR2", "CR3"):
        return _bias_reduced(fit, groupings, str(use_correction))
    made = cluster_covariance(fit, groupings, use_correction)
    return _of(fit, "cluster", made.working, made.description, made.notes)


def _bias_reduced(fit: Fit, groupings: list[Grouping], kind: str) -> Covariance:
    if len(groupings) > 1:
        raise NotAvailableError(f"{kind} is defined for one grouping; for several use use_correction=True or 'G'.")
    (grouping,) = groupings
    made = bias_reduced(fit, grouping, kind)
    if made.freedom is None:
        student, with_df = None, ""
    else:
        df = made.freedom.degrees(fit.working.matrix(fit.parameters))
        student = SatterthwaiteReference(df, made.freedom)
        with_df = f", t with Satterthwaite's degrees of freedom ({df.min():.1f} to {df.max():.1f})"
    said = f"cluster-robust: {grouping.count} clusters of {grouping.name}, {kind}{with_df}"
    few = () if kind == "CR2" else tuple(warnings_of(fit, groupings))
    cov = _of(fit, "cluster", made.working, said, few)
    return replace(cov, student=student, own_t=student is not None)


def _survey(fit: Fit, **settings: Any) -> Covariance:
    return _survey_of(fit, survey_meat(fit, **settings))


def _survey_of(fit: Fit, made: SurveyMeat) -> Covariance:
    bread = fit.covariance_working
    df = made.df + 1.0 - fit.parameters
    notes = made.notes
    if df <= 0.0:
        notes += (
            f"{made.df:g} degrees of freedom of the design and {fit.parameters} coefficients leave {df:g} for t, so that there "
            f"are no p-values and limits; use_t=False compares with the normal distribution, which errs on the unsafe side.",
        )
    cov = _of(fit, "survey", bread @ made.meat @ bread, made.description, notes)
    return replace(cov, student=Reference(df), own_t=True)


def _from_resamples(fit: Fit, drawn: Bootstrap) -> Covariance:
    gamma = np.array([fit.working.gamma(beta) for beta in drawn.draws])
    working = np.atleast_2d(np.cov(gamma, rowvar=False))
    description = f"from a {drawn.account()}"
    errors, matrix = drawn.standard_errors, fit.working.covariance(working)
    return Covariance("bootstrap", working, matrix, errors, description, _few(drawn), drawn)


def _few(drawn: Bootstrap) -> tuple[str, ...]:
    if not drawn.failed:
        return ()
    return (
        f"{drawn.failed} of {drawn.reps} resamples had no estimate and were left out: the bootstrap errors understate how "
        f"uncertain the coefficients are; profile-likelihood intervals or fit_firth() do not.",
    )


_ESTIMATORS: dict[str, Callable[..., Covariance]] = {
    "quasi": _quasi,
    "opg": _opg,
    "HAC": _autocorrelated,
    "cluster": _clustered,
    "survey": _survey,
    "bootstrap": lambda fit, **settings: _from_resamples(fit, bootstrap(fit, **settings)),
}
