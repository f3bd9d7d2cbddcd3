"""Multinomial logit: reference values, statsmodels, identities, and refusals."""

from __future__ import annotations

import pickle
import re
import warnings

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.optimize import minimize

import logit_stats as ls
from logit_stats.design.categories import Categories
from logit_stats.errors import (
    DataError,
    NonFiniteError,
    NotAvailableError,
    OneClassError,
    RankDeficientError,
    ResponseError,
    SeparationError,
    TooFewRowsError,
    UnknownOptionError,
)
from logit_stats.estimation.likelihood import triangular_factor
from logit_stats.likelihoods.category_moments import category_terms
from tests.cases import load_case
from tests.test_summary_layout import without_clock

CASE = load_case("womenlf_multinomial")
ORDER = ["Intercept", "hincome", "children[T.present]"]
FORMULA = "partic ~ hincome + children"


@pytest.fixture(scope="module")
def women():
    return ls.mnlogit(FORMULA, CASE.data).fit()


def simulated(n=400, k=4, categories=4, seed=0, intercept=True):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, k))
    if intercept:
        X[:, 0] = 1.0
    B = rng.normal(size=(k, categories)) * 0.7
    y = (X @ B + rng.gumbel(size=(n, categories))).argmax(axis=1)
    return y, X


def flat(table):
    return np.asarray(table).ravel(order="F")


# Reference values.


def test_estimates_are_those_of_the_reference(women):
    want = CASE.values
    assert list(women.params.columns) == want["categories"][1:]
    assert women.params.columns.name == "partic"
    for name, table in (("coef", women.params), ("se", women.bse), ("z", women.tvalues), ("p", women.pvalues)):
        assert_allclose(table.loc[ORDER], want[name], rtol=1e-9)
    order = [(label, column) for label in want["categories"][1:] for column in ORDER]
    assert_allclose(women.cov_params().loc[order, order], want["vcov"], rtol=1e-9)
    ratios = women.relative_risk_ratios()["relative_risk_ratio"].loc[order]
    assert_allclose(ratios, flat(want["relative_risk_ratio"]), rtol=1e-9)


def test_likelihoods_are_those_of_the_reference(women):
    want = CASE.values
    assert_allclose(women.llf, want["loglik"], rtol=1e-12)
    assert_allclose(women.llnull, want["loglik_null"], rtol=1e-12)
    assert_allclose([women.deviance, women.aic, women.bic], [want["deviance"], want["aic"], want["bic"]], rtol=1e-12)
    assert_allclose(women.prsquared, want["mcfadden"], rtol=1e-12)
    ratio = want["likelihood_ratio"]
    assert_allclose(
        [women.llr, women.df_model, women.llr_pvalue], [ratio[x] for x in ("statistic", "df", "p")], rtol=1e-9
    )


@pytest.mark.parametrize(("key", "test"), [("lr_of_terms", "LR"), ("wald_of_terms", "Wald")])
def test_tests_of_terms_are_those_of_the_reference(women, key, test):
    for type_ in (2, 3):
        table = women.anova(type_, test).frame
        for term, want in CASE.values[key].items():
            assert_allclose(table.loc[term], [want["df"], want["statistic"], want["p"]], rtol=1e-8)
    if test == "Wald":
        assert_allclose(women.wald_test_terms().frame.loc["children", "statistic"], want["statistic"], rtol=1e-8)
    else:
        assert_allclose(women.drop1().frame.loc["children", "lr"], want["statistic"], rtol=1e-8)
        smaller = ls.mnlogit("partic ~ hincome", CASE.data).fit()
        assert_allclose(women.lr_test(smaller).statistic, want["statistic"], rtol=1e-8)
        assert women.lr_test(smaller).df == want["df"]


def test_predictions_are_those_of_the_reference(women):
    want = CASE.values
    assert list(women.predict().columns) == want["categories"]
    assert_allclose(women.predict().head(20), want["fitted_first_20"], rtol=1e-9)
    new = pd.DataFrame(want["newdata"], index=["a", "b", "c"])
    assert_allclose(women.predict(new), want["prob_newdata"], rtol=1e-9)
    new.loc["b", "hincome"] = np.nan
    found = women.predict(new)
    assert found.loc["b"].isna().all()
    assert list(found.index) == ["a", "b", "c"]
    assert_allclose(found.loc[["a", "c"]], np.array(want["prob_newdata"])[[0, 2]], rtol=1e-9)
    linear = women.predict(new, which="linear")
    assert (linear.loc[["a", "c"], "not_work"] == 0.0).all()
    assert linear.loc["b"].isna().all()
    with pytest.raises(UnknownOptionError):
        women.predict(new, which="var")


# statsmodels.


@pytest.mark.parametrize(("categories", "k", "seed"), [(2, 3, 1), (3, 1, 2), (4, 4, 3), (7, 3, 4)])
def test_agrees_with_statsmodels(categories, k, seed):
    y, X = simulated(500, k, categories, seed)
    ours, theirs = ls.MNLogit(y, X).fit(), sm.MNLogit(y, X).fit(disp=0, tol=1e-12)
    assert isinstance(ours.params, np.ndarray)
    for name in ("params", "bse", "tvalues"):
        assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-6, atol=1e-9)
    assert_allclose(ours.cov_params(), theirs.cov_params(), rtol=1e-6, atol=1e-9)
    assert_allclose(ours.conf_int(0.1), theirs.conf_int(0.1), rtol=1e-6, atol=1e-9)
    assert_allclose([ours.llf, ours.llnull, ours.aic, ours.bic], [theirs.llf, theirs.llnull, theirs.aic, theirs.bic])
    assert (ours.df_model, ours.df_resid) == (theirs.df_model, theirs.df_resid)
    assert_allclose(ours.predict(), theirs.predict(), rtol=1e-7)
    assert_allclose(ours.predict(X[:3], which="linear"), theirs.predict(X[:3], which="linear"), atol=1e-9)
    assert_allclose(ours.fittedvalues, theirs.fittedvalues, atol=1e-9)
    assert_array_equal(ours.pred_table(), theirs.pred_table())
    assert_array_equal(ours.resid_misclassified, theirs.resid_misclassified)
    observed = (y[:, None] == np.arange(categories)).astype(float)
    assert_allclose(ours.resid_response, observed - theirs.predict(), atol=1e-9)


def test_model_functions_are_those_of_statsmodels():
    y, X = simulated(60, 3, 4)
    ours, theirs = ls.MNLogit(y, X), sm.MNLogit(y, X)
    B = np.random.default_rng(5).normal(size=(3, 3))
    for name in ("loglike", "score", "score_obs", "score_factor", "hessian"):
        if not hasattr(theirs, name):  # statsmodels before 0.15 has no score_factor
            continue
        assert_allclose(getattr(ours, name)(B), getattr(theirs, name)(flat(B)), rtol=1e-10, atol=1e-12)
    assert_allclose(ours.loglikeobs(B), theirs.loglikeobs(flat(B)).sum(axis=1))
    assert_allclose(ours.predict(flat(B)), theirs.predict(B))
    assert_array_equal(ours.wendog, theirs.wendog)
    assert (ours.J, ours.K) == (theirs.J, theirs.K)
    assert_array_equal(ours.endog, theirs.endog)
    with pytest.raises(DataError, match=r"\(3, 3\)"):
        ours.loglike(np.zeros((3, 2)))


@pytest.mark.parametrize(
    ("cov_type", "settings"), [("HC0", {}), ("cluster", {"groups": np.arange(400) // 5})], ids=["HC0", "cluster"]
)
def test_robust_covariances_are_those_of_statsmodels(cov_type, settings):
    y, X = simulated()
    ours = ls.MNLogit(y, X).fit(cov_type=cov_type, cov_kwds=settings)
    theirs = sm.MNLogit(y, X).fit(disp=0, cov_type=cov_type, **({"cov_kwds": settings} if settings else {}))
    assert_allclose(ours.cov_params(), theirs.cov_params(), rtol=1e-6, atol=1e-10)
    assert_allclose(ours.with_cov("nonrobust").bse, ls.MNLogit(y, X).fit().bse)


def test_sandwiches_are_sums_of_squared_scores():
    y, X = simulated()
    res = ls.MNLogit(y, X).fit()
    scores, V = res.model.score_obs(res.params), res.cov_params()
    n, p = scores.shape
    assert_allclose(res.with_cov("HC1").cov_params(), V @ scores.T @ scores @ V * n / (n - p), rtol=1e-8, atol=1e-12)
    assert_allclose(res.with_cov("opg").cov_params(), np.linalg.inv(scores.T @ scores), rtol=1e-8, atol=1e-12)
    for refused in ("quasi", "HAC"):
        with pytest.raises(NotAvailableError, match="several categories"):
            res.with_cov(refused)
    with pytest.raises(NotAvailableError, match="CR2"):
        res.with_cov("cluster", groups=np.arange(n) // 4, use_correction="CR2")


LAYOUTS = {
    "text": lambda: (CASE.data["partic"], sm.add_constant(CASE.data[["hincome"]])),
    "arrays": lambda: simulated(300, 3, 4),
    "one column": lambda: (pd.Series(simulated(300, 1, 3)[0], name="y"), pd.DataFrame({"const": np.ones(300)})),
    "names of all lengths": lambda: (
        pd.Series(np.array(["a", "another level", "ünïcode & <b>"])[simulated(300, 3, 3)[0]], name="response"),
        pd.DataFrame(simulated(300, 3, 3)[1] * [1.0, 1e-7, 1e9], columns=["const", "tiny", "h" * 25]),
    ),
}


class OfStatsmodels:
    """A result of statsmodels that says how its equations are called."""

    def __init__(self, res):
        self._res = res

    def __getattr__(self, name):
        return getattr(self._res, name)

    def equation_names(self):
        return self._res._get_endog_name(None, None)[1]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("alpha", [0.05, 0.1])
def test_summary_is_statsmodels_to_the_byte(layout, alpha):
    from logit_stats.report.summary import summary as category_summary

    y, X = LAYOUTS[layout]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statsmodels' iterations on tiny and huge columns do not end
        theirs = sm.MNLogit(y, X).fit(disp=0)
    expected = without_clock(theirs.summary(alpha=alpha).as_text())
    assert without_clock(category_summary(OfStatsmodels(theirs), alpha=alpha).as_text()) == expected
    ours = ls.MNLogit(y, X).fit().summary(alpha=alpha)
    if layout in ("text", "arrays"):  # statsmodels' iterations on the others stop a little short
        assert without_clock(ours.as_text()).startswith(expected + "\n\nNotes:\n[1] ")
    for text in (ours.as_html(), ours.as_latex(), ours.as_csv()):
        assert text.count("std err") == theirs.params.shape[1]


# Identities.


def test_two_categories_are_the_binary_logit():
    y, X = simulated(300, 3, 2)
    for weights in ({}, {"freq_weights": np.arange(300) % 4}, {"sampling_weights": 0.5 + np.arange(300) % 3}):
        many, two = ls.MNLogit(y, X, **weights).fit(), ls.Logit(y, X, **weights).fit()
        for name in ("params", "bse", "tvalues", "pvalues"):
            assert_allclose(flat(getattr(many, name)), getattr(two, name), rtol=1e-10, atol=1e-13)
        assert_allclose(many.cov_params(), two.cov_params(), rtol=1e-9, atol=1e-14)
        assert_allclose(many.llf, two.llf, rtol=1e-13)
        assert_allclose(many.predict()[:, 1], two.predict(), rtol=1e-11)
        if "sampling_weights" not in weights:
            assert_allclose([many.llnull, many.aic, many.bic], [two.llnull, two.aic, two.bic], rtol=1e-13)
            assert_allclose(many.conf_int(method="profile")[0], two.conf_int(method="profile"), rtol=1e-8)
        else:
            assert many.cov_type == "survey"
            assert np.isnan(many.aic)


@pytest.mark.parametrize("cov", [("nonrobust", {}), ("HC0", {}), ("HC1", {}), ("cluster", {"groups": "g"})], ids=str)
def test_frequency_weights_stand_for_identical_rows(cov):
    y, X = simulated(200, 3, 3)
    data = pd.DataFrame(X, columns=["c", "a", "b"]).assign(y=np.array(["no", "some", "much"])[y])
    data["f"] = np.arange(200) % 4
    data["g"] = np.arange(200) // 7
    weighted = ls.mnlogit("y ~ a + b", data, freq_weights="f").fit(cov_type=cov[0], cov_kwds=cov[1])
    expanded = ls.mnlogit("y ~ a + b", data.loc[data.index.repeat(data["f"])].reset_index(drop=True)).fit(
        cov_type=cov[0], cov_kwds=cov[1]
    )
    for name in ("params", "bse", "pvalues"):
        assert_allclose(getattr(weighted, name), getattr(expanded, name), rtol=1e-8)
    for name in ("llf", "llnull", "aic", "bic", "prsquared", "nobs", "df_resid", "llr_pvalue"):
        assert_allclose(getattr(weighted, name), getattr(expanded, name), rtol=1e-10)
    assert_array_equal(weighted.pred_table(), expanded.pred_table())
    assert weighted.classification().report() == expanded.classification().report()
    assert weighted.sample_line().endswith(expanded.sample_line().partition("used: ")[2])
    assert_allclose(weighted.drop1().frame, expanded.drop1().frame, rtol=1e-8)


def test_another_reference_is_the_same_model(women):
    other = ls.mnlogit(FORMULA, CASE.data, base="fulltime").fit()
    assert list(other.params.columns) == ["not_work", "parttime"]
    assert_allclose(other.llf, women.llf, rtol=1e-14)
    assert_allclose(other.params["not_work"], -women.params["fulltime"], rtol=1e-9)
    assert_allclose(other.params["parttime"], women.params["parttime"] - women.params["fulltime"], rtol=1e-8)
    assert_allclose(other.predict()[["not_work", "parttime", "fulltime"]], women.predict(), rtol=1e-10)
    contrast = women.t_test("parttime:hincome = fulltime:hincome")
    assert_allclose(contrast.effect[0], other.params.loc["hincome", "parttime"], rtol=1e-8)
    assert_allclose(contrast.sd[0], other.bse.loc["hincome", "parttime"], rtol=1e-8)
    smaller = ls.mnlogit("partic ~ hincome", CASE.data).fit()
    assert_allclose(other.lr_test(smaller).statistic, women.lr_test(smaller).statistic, rtol=1e-9)


def test_units_and_shifts_do_not_matter():
    y, X = simulated()
    plain = ls.MNLogit(y, X).fit()
    moved = X * [1.0, 1e-8, 1e7, 1.0]
    moved[:, 3] += 1e6
    found = ls.MNLogit(y, moved).fit()
    assert_allclose(found.tvalues[1:], plain.tvalues[1:], rtol=1e-7)
    assert_allclose(found.params[1:] * np.array([[1e-8], [1e7], [1.0]]), plain.params[1:], rtol=1e-7)
    for size in (1e-300, 1e300):
        far = ls.MNLogit(y, X * [1.0, size, 1.0, 1.0]).fit()
        assert_allclose(far.tvalues, plain.tvalues, rtol=1e-8)


def test_nearly_dependent_columns_have_the_errors_of_the_rotated_ones():
    y, X = simulated(400, 3, 3)
    near = np.column_stack([X, X[:, 2] + 1e-6 * np.random.default_rng(1).normal(size=400)])
    res = ls.MNLogit(y, near).fit()
    rotated = near.copy()
    rotated[:, 3] = (rotated[:, 3] - rotated[:, 2]) * 1e6
    clean = ls.MNLogit(y, rotated).fit()
    assert_allclose(res.tvalues[3], clean.tvalues[3], rtol=1e-5)
    assert_allclose(res.bse[3] / 1e6, clean.bse[3], rtol=1e-5)
    assert res.fit_._ill_conditioned_root is not None
    R = triangular_factor(res.fit_.design, res.fit_.working, res.fit_.gamma)
    assert_allclose(R.T @ R, res.fit_.information_working, rtol=1e-8, atol=1e-8)


def test_probabilities_lose_no_digit():
    eta = np.array([[800.0, -800.0, 1e5, 40.0], [-800.0, -900.0, 1e5, -40.0]])
    terms = category_terms(eta, np.array([1, 2, 2, 1]), 3)
    assert_allclose(terms.prob.sum(axis=0), 1.0)
    assert_allclose(terms.loglik, [0.0, -900.0, -np.log(2.0), -np.log1p(np.exp(-40) + np.exp(-80))], rtol=1e-15)
    assert_allclose(terms.residual[0, 3], (np.exp(-40) + np.exp(-80)), rtol=1e-14)
    assert_allclose(terms.complement[1, 3], np.exp(-40) + np.exp(-80), rtol=1e-14)


def test_score_and_information_are_derivatives():
    y, X = simulated(50, 3, 4)
    model = ls.MNLogit(y, X, freq_weights=1 + np.arange(50) % 3)
    b = np.random.default_rng(3).normal(size=9)
    step = 1e-5 * np.eye(9)
    assert_allclose(
        model.score(b), [(model.loglike(b + s) - model.loglike(b - s)) / 2e-5 for s in step], rtol=1e-6, atol=1e-6
    )
    assert_allclose(
        model.hessian(b), [(model.score(b + s) - model.score(b - s)) / 2e-5 for s in step], rtol=1e-6, atol=1e-6
    )


def test_coefficients_are_exact():
    for data in (lambda: (CASE.data["partic"], sm.add_constant(CASE.data[["hincome"]])), lambda: simulated(150, 3, 4)):
        y, X = data()
        res = ls.MNLogit(y, X).fit()
        B, codes = np.asarray(res.params), res.model.categories.codes
        with mp.workdps(40):
            score = [[mp.mpf(0)] * B.shape[0] for _ in range(B.shape[1])]
            for x, code in zip(np.asarray(X), codes, strict=True):
                row = [mp.mpf(float(v)) for v in x]
                e = [mp.mpf(1), *(mp.exp(mp.fdot(row, map(float, b))) for b in B.T)]
                for c in range(B.shape[1]):
                    u = (code == c + 1) - e[c + 1] / mp.fsum(e)
                    score[c] = [s + u * v for s, v in zip(score[c], row, strict=True)]
        s = np.array(score, dtype=float).ravel()
        distance = np.sqrt(s @ np.asarray(res.cov_params()) @ s)  # to the maximum, in standard errors
        assert distance < 1e-12


def test_stepwise_selection_walks_over_multinomial_models():
    y, X = simulated(400, 3, 3)
    noise = np.random.default_rng(8).normal(size=(400, 2))
    data = pd.DataFrame(np.column_stack([X, noise]), columns=["c", "a", "b", "n1", "n2"]).assign(y=y)
    path = ls.step(ls.mnlogit("y ~ a + b + n1 + n2", data).fit())
    assert isinstance(path.result, ls.MNLogitResults)
    assert path.result.model.formula == "y ~ a + b"
    assert_allclose(path.frame["aic"].iloc[-1], ls.mnlogit("y ~ a + b", data).fit().aic, rtol=1e-10)


def test_many_rows_and_coded_factors_are_the_same_model():
    y, X = simulated(30_000, 3, 3)
    large = ls.MNLogit(y, X).fit()
    assert_allclose(large.model.score(large.params), 0.0, atol=1e-6)
    assert large.fit_.trace.steps[0].loglik > large.llnull  # started from a share of the rows
    slow = ls.MNLogit(y, X).fit(start_params=np.zeros((3, 2)))
    assert_allclose(large.params, slow.params, rtol=1e-8, atol=1e-9)
    assert_allclose(large.bse, slow.bse, rtol=1e-8)
    data = pd.DataFrame({"y": y[:4000], "g": np.arange(4000) % 40, "x": X[:4000, 1]})
    coded = ls.mnlogit("y ~ C(g) + x", data).fit()
    dense = ls.MNLogit(data["y"], pd.DataFrame(coded.model.exog, columns=coded.model.exog_names)).fit()
    assert_allclose(coded.params, dense.params, rtol=1e-7, atol=1e-9)
    assert_allclose(coded.with_cov("HC0").bse, dense.with_cov("HC0").bse, rtol=1e-7)


@pytest.mark.parametrize("method", ["bfgs", "lbfgs"])
def test_other_methods_arrive_at_the_same_place(women, method):
    found = ls.mnlogit(FORMULA, CASE.data).fit(method=method, maxiter=200)
    assert_allclose(found.params, women.params, rtol=1e-4)


def test_no_intercept_has_equal_probabilities_as_null():
    y, X = simulated(300, 2, 3, intercept=False)
    res = ls.MNLogit(y, X).fit()
    assert_allclose(res.llnull, -300 * np.log(3.0), rtol=1e-13)
    assert res.df_model == 4
    data = pd.DataFrame({"y": y, "g": np.where(X[:, 0] > 0, "a", "b")})
    spanned = ls.mnlogit("y ~ 0 + g", data).fit()
    assert_allclose(spanned.llnull, ls.mnlogit("y ~ 1", data).fit().llf, rtol=1e-12)
    assert spanned.df_model == 2


def test_profile_limits_are_where_the_likelihood_has_fallen(women):
    limits = women.conf_int(method="profile")
    target = women.llf - stats.chi2.isf(0.05, 1) / 2
    for j, side in ((4, 0), (2, 1)):
        others = [i for i in range(6) if i != j]

        def fall(b, j=j, others=others, value=limits.iloc[j, side]):
            beta = np.insert(b, j, value)
            return -women.model.loglike(beta), -women.model.score(beta)[others]

        found = minimize(fall, flat(women.params)[others], jac=True, method="BFGS", options={"gtol": 1e-6})
        assert_allclose(-found.fun, target, rtol=1e-9)
    assert_allclose(np.log(women.relative_risk_ratios(method="profile")["conf_low"]), limits["lower"])


# What the categories may be.


def test_categories_keep_their_labels():
    y, X = simulated(200, 2, 3)
    frame = pd.DataFrame(X, columns=["c", "x"])
    for values, labels in (
        (y, [0, 1, 2]),
        (y.astype(float) + 1, [1, 2, 3]),
        (y / 2.0, [0, 0.5, 1]),
        (np.array(["z", "a", "ü 2"])[y], ["a", "z", "ü 2"]),
        (pd.Categorical.from_codes(y, ["none", "some", "much"], ordered=True), ["none", "some", "much"]),
        (pd.Series(y).map({0: "r", 1: "s", 2: "t"}).astype("string"), ["r", "s", "t"]),
        (y > 0, [False, True]),
    ):
        res = ls.mnlogit("y ~ x", frame.assign(y=values)).fit()
        assert list(res.predict().columns) == labels
        assert list(res.params.columns) == labels[1:]
        assert list(res.model.categories.names) == [str(label) for label in labels]
        array = ls.MNLogit(values, frame[["c", "x"]]).fit()
        assert_allclose(np.sort(flat(array.params)), np.sort(flat(res.params)), rtol=1e-8)
    transformed = ls.mnlogit("np.minimum(y, 1) ~ x", frame.assign(y=y)).fit()
    assert list(transformed.params.columns) == [1]
    ordered = ls.mnlogit("C(y, levels=[2, 0, 1]) ~ x", frame.assign(y=y)).fit()
    assert list(ordered.predict().columns) == [2, 0, 1]


def test_categories_that_do_not_occur_are_left_out_and_named():
    y, X = simulated(200, 2, 3)
    values = pd.Categorical.from_codes(y, ["a", "b", "c", "never", "nowhere"])
    res = ls.mnlogit("y ~ x", pd.DataFrame({"y": values, "x": X[:, 1]})).fit()
    assert list(res.predict().columns) == ["a", "b", "c"]
    assert "Left out, because no row used has it: y = never, nowhere." in res.summary_notes()
    assert "never" not in repr(res.model)
    with pytest.raises(ResponseError, match="base='never' is no category of 'y' in the rows used"):
        ls.mnlogit("y ~ x", pd.DataFrame({"y": values, "x": X[:, 1]}), base="never")


def test_a_category_of_one_row():
    y, X = simulated(200, 2, 3)
    y = np.where(np.arange(200) == 7, 3, y % 3)
    res = ls.MNLogit(y, X).fit()
    assert_allclose(res.predict()[:, 3].sum(), 1.0, rtol=1e-9)


def test_rows_with_missing_values_are_dropped_and_accounted_for():
    y, X = simulated(200, 2, 3)
    data = pd.DataFrame(
        {"y": np.array(["a", "b", None], dtype=object)[np.where(np.arange(200) < 9, 2, y % 2)], "x": X[:, 1]}
    )
    data.loc[20:24, "x"] = np.nan
    res = ls.mnlogit("y ~ x", data).fit()
    assert res.sample_line().startswith("200 rows read, 14 dropped for missing values (y 9, x 5), 186 used: ")
    assert res.fittedvalues.shape == (186, 1)
    with pytest.raises(DataError, match="Values are missing"):
        ls.mnlogit("y ~ x", data, missing="raise")


# Refusals.


def test_separation_names_columns_and_categories():
    rng = np.random.default_rng(0)
    g, x = rng.integers(0, 2, 300), rng.normal(size=300)
    y = rng.integers(0, 4, 300)
    y[(g == 1) & (y == 2)] = 1
    data = pd.DataFrame({"y": np.array(["a", "b", "c", "d"])[y], "g": g, "x": x})
    with pytest.raises(
        SeparationError, match=re.escape("the likelihood keeps rising with c:g -> -inf (category:column")
    ):
        ls.mnlogit("y ~ g + x", data).fit()
    found = ls.mnlogit("y ~ g + x", data).separation()
    assert found.kind == "quasi-complete"
    assert found.infinite == {"c:g": -np.inf}
    assert_array_equal(found.level > 0, g == 1)
    # any direction: no comparison of a row's own category with another may be against it
    X = np.column_stack([np.ones(300), g, x])
    D = np.vstack([np.zeros(3), found.direction.reshape(3, 3)])
    value = X @ D.T
    margins = value[np.arange(300), y][:, None] - value
    assert margins.min() >= -1e-9
    assert margins.max() > 0.5
    ordered = pd.DataFrame({"y": np.digitize(x, [-0.5, 0.5]), "x": x})
    with pytest.raises(SeparationError, match="Complete separation"):
        ls.mnlogit("y ~ x", ordered).fit()
    assert ls.mnlogit("y ~ x", data).separation().kind == "none"
    assert f"In {(g == 1).sum()} of 300 rows some category becomes impossible in the limit" in str(found)
    assert list(found.rows_frame().index) == list(np.flatnonzero(g == 1))
    assert "fit_firth" not in found._repr_html_()


def test_the_reference_may_be_the_one_that_never_occurs():
    rng = np.random.default_rng(2)
    g = rng.integers(0, 2, 300)
    y = rng.integers(0, 3, 300)
    y[(g == 1) & (y == 0)] = 2
    with pytest.raises(SeparationError, match=r"1:x1 -> \+inf, 2:x1 -> \+inf"):
        ls.MNLogit(y, np.column_stack([np.ones(300), g])).fit()


def test_bad_responses_and_designs_are_refused():
    y, X = simulated(60, 3, 3)
    with pytest.raises(OneClassError, match="holds only"):
        ls.MNLogit(np.zeros(60), X)
    with pytest.raises(ResponseError, match="a measurement"):
        ls.MNLogit(X[:, 1], X)
    with pytest.raises(NonFiniteError):
        ls.MNLogit(np.where(y == 0, np.inf, y), X)
    with pytest.raises(ResponseError, match="two columns of counts"):
        ls.MNLogit(np.column_stack([y, 3 - y]), X)
    with pytest.raises(ResponseError, match="3 columns"):
        ls.MNLogit(np.eye(3)[y] + 1.0, X)
    with pytest.raises(TooFewRowsError, match="more coefficients than observations"):
        ls.MNLogit(y[:5], X[:5])
    with pytest.raises(RankDeficientError, match="'x3' = "):
        ls.MNLogit(y, np.column_stack([X, X[:, 1]])).fit()
    dropped = ls.MNLogit(y, np.column_stack([X, X[:, 1]]), check_rank="drop").fit()
    assert_allclose(dropped.params, ls.MNLogit(y, X).fit().params)
    with pytest.raises(TypeError, match="offset"):
        ls.MNLogit(y, X, offset=np.ones(60))
    with pytest.raises(DataError, match="params has shape"):
        ls.MNLogit(y, X).fit(start_params=np.zeros(4))
    with pytest.raises(ResponseError, match="mnlogit"):
        ls.Logit(np.array(["a", "b", "c"])[y], X)


def test_what_is_not_there_is_said(women):
    for ask in (women.dose, lambda: women.means("children")):
        with pytest.raises(NotAvailableError):
            ask()
    with pytest.raises(UnknownOptionError):
        women.pseudo_rsquared("tjur")
    assert_allclose(women.pseudo_rsquared("all")["mcfadden"], women.prsquared)
    with pytest.raises(NotAvailableError):
        women.conf_int(method="bootstrap")


def test_the_score_test_of_a_factor_is_pearsons_chi_squared():
    from scipy.stats import chi2_contingency

    found = ls.mnlogit("partic ~ children", CASE.data).fit().anova(1, "score").frame
    known = chi2_contingency(pd.crosstab(CASE.data["children"], CASE.data["partic"]), correction=False)
    assert_allclose(found.loc["children", ["statistic", "df", "p_value"]].astype(float), [known[0], known[2], known[1]])


def test_different_responses_are_not_compared(women):
    other = CASE.data.assign(partic=CASE.data["partic"].cat.rename_categories({"parttime": "half"}))
    with pytest.raises(DataError, match="different responses"):
        women.lr_test(ls.mnlogit("partic ~ hincome", other).fit())
    binary = ls.logit("I(partic != 'not_work') ~ hincome", CASE.data).fit()
    with pytest.raises(DataError, match="different responses"):
        women.lr_test(binary)


# Showing and keeping.


def test_tidy_and_glance(women):
    tidy = women.tidy(exponentiate=True)
    assert list(tidy.columns) == [
        "y_level", "term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high",
    ]  # fmt: skip
    assert list(tidy["y_level"]) == ["parttime"] * 3 + ["fulltime"] * 3
    assert_allclose(tidy["estimate"], women.relative_risk_ratios()["relative_risk_ratio"])
    assert_allclose(tidy["conf_low"], women.relative_risk_ratios()["conf_low"])
    assert women.glance().loc[0, "llf"] == women.llf
    assert "womenlf" not in repr(women)
    assert "263 used: 155 not_work, 42 parttime, 66 fulltime" in " ".join(repr(women).split())
    assert "children[T.present]" in str(women)
    assert max(len(line.rstrip()) for line in str(women).split("\n")) <= 80
    assert "<table" in women._repr_html_()


def test_classification_has_its_measures(women):
    found = women.classification()
    assert_allclose(found.accuracy, (136 + 41) / 263)
    assert_allclose(found.recall, [136 / 155, 0.0, 41 / 66])
    assert np.isnan(found.precision[1])
    assert "predicted parttime" in str(found)
    assert found.report().splitlines()[2].split() == ["not_work", "0.69", "0.88", "0.77", "155"]
    assert "<table" in found._repr_html_()


def test_results_can_be_kept(women, tmp_path):
    women.save(tmp_path / "fit.pickle")
    back = ls.load(tmp_path / "fit.pickle")
    assert_array_equal(back.params, women.params)
    new = pd.DataFrame({"hincome": [5.0], "children": ["present"]})
    assert_array_equal(back.predict(new), women.predict(new))
    model = pickle.loads(pickle.dumps(ls.mnlogit(FORMULA, CASE.data)))
    assert isinstance(model.categories, Categories)
    assert_allclose(model.fit().params, women.params)


def test_student_t(women):
    with_t = ls.mnlogit(FORMULA, CASE.data).fit(use_t=True)
    assert_allclose(with_t.pvalues, 2 * stats.t.sf(np.abs(women.tvalues), 257), rtol=1e-10)
    assert "P>|t|" in str(with_t.summary())


def test_design_based_covariance_of_sampling_weights():
    y, X = simulated(200, 2, 3)
    w = 0.5 + np.arange(200) % 3
    res = ls.MNLogit(y, X, sampling_weights=w).fit()
    scores, V = res.model.score_obs(res.params), np.linalg.inv(res.model.information(res.params))
    centred = scores - scores.mean(axis=0)
    assert_allclose(res.cov_params(), V @ (centred.T @ centred) @ V * 200 / 199, rtol=1e-8, atol=1e-12)
    units = res.with_cov("survey", psu=np.arange(200) // 4, strata=np.arange(200) // 40)
    assert units.covariance_.reference.df == 50 - 5 + 1 - 4
    assert "design-based" in units.summary().extra_txt


def test_predictions_have_the_errors_of_the_delta_method(women):
    new = pd.DataFrame({"hincome": [5.0, np.nan, 40.0], "children": ["present", "absent", "absent"]}, index=list("abc"))
    found = women.get_prediction(new)
    assert_allclose(found.predicted, women.predict(new), rtol=1e-12)
    X = women.model.design.formula.design_matrix(new)[0][[0, 2]]
    beta = flat(women.params)

    def probabilities(b):
        return women.model.predict(b, X).ravel()

    step = 1e-6 * np.eye(6)
    J = np.array([(probabilities(beta + s) - probabilities(beta - s)) / 2e-6 for s in step]).T
    se = np.sqrt(np.diag(J @ women.cov_params().to_numpy() @ J.T)).reshape(2, 3)
    assert_allclose(found.se[[0, 2]], se, rtol=1e-7)
    assert np.isnan(found.se[1]).all()
    frame = found.summary_frame()
    assert list(frame.loc["a"].index) == ["not_work", "parttime", "fulltime"]
    limits = found.conf_int()[[0, 2]]
    assert ((limits[..., 0] > 0) & (limits[..., 1] < 1)).all()
    assert_allclose(found.conf_int(0.1, "delta")[..., 1] - found.predicted, stats.norm.isf(0.05) * found.se)
    assert "ci_lower" in str(found)
    assert "<table" in found._repr_html_()


def test_predictions_of_two_categories_are_those_of_the_binary_logit():
    y, X = simulated(200, 3, 2)
    many, two = (model(y, X).fit(cov_type="HC0").get_prediction(X[:7]) for model in (ls.MNLogit, ls.Logit))
    assert_allclose(many.conf_int()[:, 1], two.conf_int(), rtol=1e-9)
    assert_allclose(many.conf_int()[:, 0], 1 - two.conf_int()[:, ::-1], rtol=1e-9)
    assert_allclose(many.se[:, 1], two.se, rtol=1e-9)
    assert many.summary_frame().index.nlevels == 2
    assert len(ls.MNLogit(y, X).fit().get_prediction().index) == 200
