"""The same model in statsmodels, compared quantity by quantity.

Binary rows without weights go to ``Logit``; counts, and frequency or sampling weights, to ``GLM`` with the binomial family,
which statsmodels' ``Logit`` has no arguments for. Where statsmodels is known to answer another question, the row says so
instead of failing.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError, NotAvailableError
from logit_stats.inference.autocorrelation import default_lags
from logit_stats.inference.cluster import read_groups
from logit_stats.wording import WIDTH, lines, printed, table

if TYPE_CHECKING:
    from logit_stats.results.answers import Answers
    from logit_stats.results.of_categories import OfCategories

AGREES, DIFFERS, KNOWN = "agrees", "differs", "known deviation"


@dataclass(frozen=True, eq=False)
class Crosscheck:
    """Comparison with statsmodels.

    Attributes
    ----------
    table : DataFrame
        One row for each number: quantity, term, ours, theirs, absolute and relative difference, verdict.
    peer : str
        What it was compared with.
    rtol : float
        Largest relative difference that agrees.
    deviations : tuple of str
        Where statsmodels is known to differ, and why.
    failure : str
        Why statsmodels has nothing to compare with; empty where it has.
    """

    table: pd.DataFrame
    peer: str
    rtol: float
    deviations: tuple[str, ...]
    failure: str = ""

    @property
    def passed(self) -> bool:
        """Whether every number that can be compared agrees."""
        return not self.failure and len(self.table) > 0 and not bool((self.table["verdict"] == DIFFERS).any())

    def worst(self) -> pd.DataFrame:
        """Return the largest relative difference of each quantity."""
        order = self.table["relative_difference"].fillna(0.0).sort_values(ascending=False, kind="stable").index
        return self.table.loc[order].drop_duplicates("quantity").sort_index()

    def _lines(self) -> list[str]:
        if self.failure:
            return [f"Cross-check with {self.peer}: NOT POSSIBLE", self.failure]
        compared = int((self.table["verdict"] != KNOWN).sum())
        verdict = "passed" if self.passed else "FAILED"
        return [f"Cross-check with {self.peer}: {verdict} ({compared} numbers, relative tolerance {self.rtol:g})"]

    def _shown(self) -> str:
        """The largest differences, and the numbers themselves where they fit beside the names."""
        worst = self.worst().rename(columns={"relative_difference": "relative"})
        formats = {"ours": "{:.5g}", "theirs": "{:.5g}", "relative": "{:.1e}"}
        texts = {name: worst[name].map(form.format, na_action="ignore").fillna("") for name, form in formats.items()}
        frame = worst.assign(**texts).drop(columns="difference")
        whole = frame.to_string(index=False)
        if max(map(len, whole.split("\n"))) <= WIDTH:
            return whole
        names = table(frame.drop(columns=["ours", "theirs"]), "{:g}".format, 2)
        return f"{names}\nBoth numbers of every comparison are in `table`."

    @printed
    def __str__(self) -> str:
        head = [*map(lines, self._lines())]
        body = [] if self.failure else [self._shown()]
        return "\n".join([*head, *body, *[lines(f"Known deviation: {text}") for text in self.deviations]])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        head = "".join(f"<p>{escape(line)}</p>" for line in self._lines())
        body = (
            ""
            if self.failure
            else self.worst().to_html(index=False, float_format=lambda v: f"{v:.4g}", na_rep="", border=0)
        )
        notes = "".join(f"<p>Known deviation: {escape(text)}</p>" for text in self.deviations)
        return f"{head}{body}{notes}"


def crosscheck(res: Answers, rtol: float = 1e-6) -> Crosscheck:
    """Fit the model of a result in statsmodels and compare.

    Parameters
    ----------
    res : Answers
    rtol : float
        Largest relative difference that agrees. Covariances are judged against the standard errors, coefficients
        against the larger of themselves and a thousandth of their standard error, probabilities against one.

    Returns
    -------
    Crosscheck

    Raises
    ------
    NotAvailableError
        If statsmodels is not installed.
    DataError
        If rtol is not positive.
    """
    if not rtol > 0.0:
        raise DataError(f"rtol={rtol} must be positive.")
    try:
        import statsmodels
    except ImportError as error:
        raise NotAvailableError(
            "crosscheck() compares with statsmodels, which is not installed: pip install statsmodels."
        ) from error
    uses_glm = res.fit_.design.weight is not None or res.fit_.design.response.grouped
    peer = f"statsmodels {statsmodels.__version__} {'GLM(Binomial)' if uses_glm else 'Logit'}"
    deviations = list(_deviations(res, uses_glm))
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            theirs = _fit_glm(res) if uses_glm else _fit_logit(res)
            table = pd.DataFrame(list(_rows(res, theirs, rtol, uses_glm)))
    except Exception as error:
        failure = f"statsmodels cannot fit this model: {type(error).__name__}: {error}"
        return Crosscheck(_empty(), peer, rtol, tuple(deviations), failure)
    if not bool(getattr(theirs, "converged", True) if uses_glm else theirs.mle_retvals["converged"]):
        said = f" ({caught[0].message})" if caught else ""
        return Crosscheck(table, peer, rtol, tuple(deviations), f"statsmodels did not converge{said}.")
    return Crosscheck(table, peer, rtol, tuple(deviations))


def crosscheck_categories(res: OfCategories, rtol: float = 1e-6) -> Crosscheck:
    """Fit a multinomial model in statsmodels' ``MNLogit`` and compare; parameters and result as for `crosscheck`.

    statsmodels has no weights there: rows of frequency weight f are given to it f times.
    """
    if not rtol > 0.0:
        raise DataError(f"rtol={rtol} must be positive.")
    try:
        import statsmodels
    except ImportError as error:
        raise NotAvailableError(
            "crosscheck() compares with statsmodels, which is not installed: pip install statsmodels."
        ) from error
    peer = f"statsmodels {statsmodels.__version__} MNLogit"
    deviations = list(_category_deviations(res))
    if res.fit_.design.weight_kind == "sampling":
        return Crosscheck(_empty(), peer, rtol, tuple(deviations), "statsmodels' MNLogit has no sampling weights.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = _fit_mnlogit(res)
            table = pd.DataFrame(list(_category_rows(res, theirs, rtol)))
    except Exception as error:
        failure = f"statsmodels cannot fit this model: {type(error).__name__}: {error}"
        return Crosscheck(_empty(), peer, rtol, tuple(deviations), failure)
    failure = "" if theirs.mle_retvals["converged"] else "statsmodels did not converge."
    return Crosscheck(table, peer, rtol, tuple(deviations), failure)


def _category_deviations(res: OfCategories) -> Iterator[str]:
    if res.cov_type not in ("nonrobust", "HC0"):
        yield f"The covariance {res.cov_type!r} is not compared; standard errors are compared model-based."
    if not res.fit_.constant_in_span:
        yield (
            "Without a constant statsmodels takes intercepts as the null model, which is not nested in this one: LL-Null, "
            "pseudo-R² and the LLR p-value differ."
        )


def _fit_mnlogit(res: OfCategories) -> Any:
    import statsmodels.api as sm

    design = res.fit_.design
    times = np.ones(design.rows, dtype=np.intp) if design.frequency is None else design.frequency.astype(np.intp)
    codes, X = np.repeat(res.model.categories.codes, times), np.repeat(np.asarray(design.X), times, axis=0)
    cov_type = res.cov_type if res.cov_type == "HC0" else "nonrobust"
    return sm.MNLogit(codes, X).fit(
        disp=0, maxiter=200, tol=1e-12, cov_type=cov_type, use_t=bool(res.covariance_.use_t)
    )


def _category_rows(res: OfCategories, theirs: Any, rtol: float) -> Iterator[dict[str, Any]]:
    ours = res if res.cov_type in ("nonrobust", "HC0") else res.with_cov("nonrobust")
    names = list(ours.fit_.design.coefficient_names)
    beta, se, z, p = (np.ravel(np.asarray(v), order="F") for v in (ours.params, ours.bse, ours.tvalues, ours.pvalues))
    its = {name: np.ravel(getattr(theirs, name), order="F") for name in ("params", "bse", "tvalues", "pvalues")}
    yield from _compare("params", names, beta, its["params"], np.maximum(np.abs(beta), 1e-3 * se), rtol)
    yield from _compare("bse", names, se, its["bse"], se, rtol)
    yield from _compare("tvalues", names, z, its["tvalues"], np.maximum(np.abs(z), 1e-3), rtol)
    yield from _compare("pvalues", names, p, its["pvalues"], np.maximum(p * (1.0 + z**2), 1e-300), rtol)
    limits, its_limits = np.asarray(ours.conf_int()).reshape(-1, 2), np.asarray(theirs.conf_int()).reshape(-1, 2)
    for column, side in enumerate(("lower", "upper")):
        size = np.maximum(np.abs(limits[:, column]), se)
        yield from _compare(f"conf_int {side}", names, limits[:, column], its_limits[:, column], size, rtol)
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1)]
    V, W = np.asarray(ours.cov_params()), np.asarray(theirs.cov_params())
    of = [np.array([M[i, j] for i, j in pairs]) for M in (V, W, np.outer(se, se))]
    yield from _compare("cov_params", [f"{names[i]} x {names[j]}" for i, j in pairs], of[0], of[1], of[2], rtol)
    yield from _fit_rows(ours, theirs, rtol, False)
    table, its_table = np.asarray(ours.pred_table()).ravel(), np.asarray(theirs.pred_table()).ravel()
    labels = ours.model.categories.names
    cells = [f"observed {a}, predicted {b}" for a in labels for b in labels]
    yield from _compare("pred_table", cells, table, its_table, np.maximum(table, 1.0), rtol)
    yield from _category_row_numbers(ours, theirs, rtol)


def _category_row_numbers(ours: OfCategories, theirs: Any, rtol: float) -> Iterator[dict[str, Any]]:
    """Probabilities and average marginal effects."""
    labels, design = ours.model.categories.names, ours.fit_.design
    prob = np.asarray(ours.predict())
    its_prob = np.asarray(theirs.predict(np.asarray(design.X))).ravel()
    cells = [f"{row}: {label}" for row in design.index for label in labels]
    yield from _compare("predict", cells, prob.ravel(), its_prob, np.ones(prob.size), rtol)
    mine = ours.get_margeff()
    if not mine.names:
        return
    its = theirs.get_margeff()
    effects, se = mine.margeff.ravel(), mine.margeff_se.ravel()
    cells = [f"{label}: {name}" for name in mine.names for label in labels]
    yield from _compare(
        "get_margeff", cells, effects, its.margeff.ravel(), np.maximum(np.abs(effects), 1e-3 * se), rtol
    )
    yield from _compare("get_margeff se", cells, se, its.margeff_se.ravel(), se, rtol)


def _empty() -> pd.DataFrame:
    columns = ["quantity", "term", "ours", "theirs", "difference", "relative_difference", "verdict"]
    return pd.DataFrame(columns=columns)


def _fit_logit(res: Answers) -> Any:
    import statsmodels.api as sm

    design = res.fit_.design
    offset = None if design.offset is None else design.offset.values
    model = sm.Logit(design.response.successes, np.asarray(design.X), offset=offset)
    cov_type, settings = _peer_covariance(res)
    return model.fit(disp=0, maxiter=100, cov_type=cov_type, cov_kwds=settings, use_t=_comparable(res).use_t)


def _fit_glm(res: Answers) -> Any:
    import statsmodels.api as sm

    design = res.fit_.design
    response = design.response
    y: Any = response.successes
    if response.trials is not None:
        y = np.column_stack([response.successes, response.trials - response.successes])
    weights: dict[str, Any] = {}
    if design.weight is not None:
        weights["freq_weights" if design.weight_kind == "frequency" else "var_weights"] = design.weight.values
    offset = None if design.offset is None else design.offset.values
    model = sm.GLM(y, np.asarray(design.X), family=sm.families.Binomial(), offset=offset, **weights)
    cov_type, settings = _peer_covariance(res)
    return model.fit(tol=1e-12, maxiter=200, cov_type=cov_type, cov_kwds=settings, use_t=_comparable(res).use_t)


def _peer_covariance(res: Answers) -> tuple[str, dict[str, Any] | None]:
    """Covariance that statsmodels is asked for, and its settings.

    Robust covariances are compared as HC0, which statsmodels returns whichever one asks for; those that it does not have,
    model-based.
    """
    design, asked = res.fit_.design, res.covariance_.settings
    if res.cov_type in ("HC0", "HC1", "HC2", "HC3", "survey"):
        return "HC0", None
    if res.cov_type == "cluster" and _has_clusters(res):
        codes = np.column_stack([grouping.codes for grouping in read_groups(design, asked["groups"])])
        return "cluster", {"groups": np.squeeze(codes), "use_correction": asked.get("use_correction", True)}
    if res.cov_type == "HAC" and asked.get("time") is None and asked.get("kernel", "bartlett") == "bartlett":
        lags = asked.get("maxlags")
        lags = default_lags(design.rows) if lags is None else lags
        return "HAC", {"maxlags": lags, "use_correction": asked.get("use_correction", False)}
    return "nonrobust", None


def _has_clusters(res: Answers) -> bool:
    """Whether statsmodels has this cluster covariance: one or two groupings, its own correction or none, no weights."""
    asked, design = res.covariance_.settings, res.fit_.design
    few = len(read_groups(design, asked["groups"])) <= 2
    return few and asked.get("use_correction", True) in (True, False) and design.weight is None


def _deviations(res: Answers, uses_glm: bool) -> Iterator[str]:
    if res.cov_type in ("HC1", "HC2", "HC3"):
        yield (
            f"statsmodels returns HC0 for cov_type={res.cov_type!r} (its issue 7798): standard errors and what follows are "
            f"compared under HC0, and ours under {res.cov_type} are not compared."
        )
    elif res.cov_type == "survey":
        yield "statsmodels has no design-based covariance: standard errors are compared under HC0."
    elif _peer_covariance(res)[0] not in (res.cov_type, "HC0"):
        yield f"The covariance {res.cov_type!r} is not compared; standard errors are compared model-based."
    if res.fit_.design.weight_kind == "sampling":
        yield "Under sampling weights a likelihood is not defined here: log-likelihoods and criteria are not compared."
    if res.cov_type == "HC0" and uses_glm and res.fit_.design.weight_kind == "frequency":
        yield "statsmodels' HC0 takes a row of frequency weight f as one observation; ours takes it as f observations."
    if not res.fit_.constant_in_span:
        yield (
            "Without a constant statsmodels takes an intercept as the null model, which is not nested in this one: LL-Null, "
            "pseudo-R² and the LLR p-value differ."
        )


def _comparable(res: Answers) -> Answers:
    """Our result under the covariance that statsmodels computes."""
    peer = _peer_covariance(res)[0]
    return res if peer == res.cov_type else res.with_cov(peer)


def _rows(res: Answers, theirs: Any, rtol: float, uses_glm: bool) -> Iterator[dict[str, Any]]:
    ours = _comparable(res)
    names = res.model.exog_names
    beta, se = np.asarray(ours.params), np.asarray(ours.bse)
    z = np.asarray(ours.tvalues)
    frequency_rows = ours.cov_type == "HC0" and res.fit_.design.weight_kind == "frequency"
    deviates = KNOWN if frequency_rows else ""
    scale = np.maximum(np.abs(beta), 1e-3 * se)
    yield from _compare("params", names, beta, theirs.params, scale, rtol)
    yield from _compare("bse", names, se, theirs.bse, se, rtol, deviates)
    yield from _compare("tvalues", names, z, theirs.tvalues, np.maximum(np.abs(z), 1e-3), rtol, deviates)
    # p moves by about z² times a relative change of z, and its last digits below 1e-300 are nobody's
    p = np.asarray(ours.pvalues)
    yield from _compare("pvalues", names, p, theirs.pvalues, np.maximum(p * (1.0 + z**2), 1e-300), rtol, deviates)
    limits, its_limits = np.asarray(ours.conf_int()), np.asarray(theirs.conf_int())
    for column, side in enumerate(("lower", "upper")):
        size = np.maximum(np.abs(limits[:, column]), se)
        yield from _compare(f"conf_int {side}", names, limits[:, column], its_limits[:, column], size, rtol, deviates)
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1)]
    V, W = np.asarray(ours.cov_params()), np.asarray(theirs.cov_params())
    labels = [f"{names[i]} x {names[j]}" for i, j in pairs]
    of = [np.array([M[i, j] for i, j in pairs]) for M in (V, W, np.outer(se, se))]
    yield from _compare("cov_params", labels, of[0], of[1], of[2], rtol, deviates)
    yield from _fit_rows(ours, theirs, rtol, uses_glm)
    prob = np.asarray(res.predict())
    labels = [str(label) for label in res.fit_.design.index]
    yield from _compare("predict", labels, prob, np.asarray(theirs.predict()), np.ones_like(prob), rtol)
    if not uses_glm:
        cells = [
            "observed 0, predicted 0",
            "observed 0, predicted 1",
            "observed 1, predicted 0",
            "observed 1, predicted 1",
        ]
        table, its_table = res.pred_table().ravel(), np.asarray(theirs.pred_table()).ravel()
        yield from _compare("pred_table", cells, table, its_table, np.maximum(table, 1.0), rtol)
        yield from _test_rows(ours, theirs, rtol)


def _test_rows(ours: Answers, theirs: Any, rtol: float) -> Iterator[dict[str, Any]]:
    """Average marginal effects, and joint tests of all slopes, under the covariance compared."""
    slopes = [j for j in range(ours.fit_.parameters) if j != ours.fit_.design.constant]
    if not slopes:
        return
    if ours.fit_.design.offset is None:  # statsmodels refuses margins of models with an offset
        mine, its = ours.get_margeff(), theirs.get_margeff()
        effects, se = np.asarray(mine.margeff), np.asarray(mine.margeff_se)
        names = [ours.model.exog_names[j] for j in slopes]
        yield from _compare("get_margeff", names, effects, its.margeff, np.maximum(np.abs(effects), 1e-3 * se), rtol)
        yield from _compare("get_margeff se", names, se, its.margeff_se, se, rtol)
    R = np.eye(ours.fit_.parameters)[slopes]
    try:
        chi2 = ours.wald_test(R, use_f=False).statistic
    except NotAvailableError:  # fewer clusters than slopes
        return
    its_chi2 = float(theirs.wald_test(R, use_f=False, scalar=True).statistic)
    yield from _compare(
        "wald_test", ["all slopes"], np.array([chi2]), np.array([its_chi2]), np.array([max(chi2, 1.0)]), 10 * rtol
    )


def _fit_rows(res: Answers, theirs: Any, rtol: float, uses_glm: bool) -> Iterator[dict[str, Any]]:
    """Log-likelihoods and what is made of them."""
    if res.fit_.design.weight_kind == "sampling":
        return
    without_constant = "" if res.fit_.constant_in_span else KNOWN
    singles = [("llf", res.llf, theirs.llf, ""), ("llnull", res.llnull, theirs.llnull, without_constant)]
    if uses_glm:
        singles += [
            ("prsquared", res.prsquared, theirs.pseudo_rsquared("mcf"), without_constant),
            ("deviance", res.deviance, theirs.deviance, ""),
            ("pearson_chi2", res.pearson_chi2, theirs.pearson_chi2, ""),
        ]
        its_bic = theirs.bic_llf
    else:
        singles += [
            ("llr_pvalue", res.llr_pvalue, theirs.llr_pvalue, without_constant),
            ("prsquared", res.prsquared, theirs.prsquared, without_constant),
        ]
        its_bic = theirs.bic
    singles += [("aic", res.aic, theirs.aic, ""), ("bic", res.bic, its_bic, "")]
    for name, ours, its, verdict in singles:
        size = max(abs(ours), 1e-300)
        if name == "prsquared":
            size = 1.0
        elif name == "llr_pvalue":
            size = max(abs(ours) * (1.0 + res.llr), 1e-300)
        yield from _compare(name, [""], np.array([ours]), np.array([its]), np.array([size]), rtol, verdict)


def _compare(
    quantity: str,
    terms: list[str],
    ours: FloatArray,
    theirs: Any,
    scale: FloatArray,
    rtol: float,
    verdict: str = "",
) -> Iterator[dict[str, Any]]:
    theirs = np.asarray(theirs, dtype=np.float64)
    with np.errstate(all="ignore"):
        difference = ours - theirs
        relative = np.abs(difference) / scale
    same = (relative <= rtol) | (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    for i, term in enumerate(terms):
        yield {
            "quantity": quantity,
            "term": term,
            "ours": float(ours[i]),
            "theirs": float(theirs[i]),
            "difference": float(difference[i]),
            "relative_difference": float(relative[i]),
            "verdict": verdict or (AGREES if same[i] else DIFFERS),
        }
