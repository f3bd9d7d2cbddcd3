"""Covariances after the fit against R's values, statsmodels, and their definitions written out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose
from scipy import stats

import logit_stats as ls
from logit_stats.errors import DataError, MissingColumnError, NotAvailableError, UnknownOptionError
from logit_stats.inference.row_scores import information_weights, leverages, score_residuals
from tests.cases import STANDARD_CASES, load_case

FORMULA = "low ~ age + lwt + C(race) + smoke"


def fitted(name: str):
    case = load_case(name)
    formula, arguments = case.model_arguments()
    return case, ls.logit(formula, case.data, **arguments).fit()


def ordered(values, names, res):
    return np.asarray(values)[[list(names).index(name) for name in res.params.index]]


@pytest.fixture(scope="module")
def births() -> pd.DataFrame:
    data = ls.datasets.load("birthwt")
    return data.assign(site=np.arange(len(data)) % 31, w=1 + np.arange(len(data)) % 3, t=np.arange(len(data))[::-1])


@pytest.fixture(scope="module")
def res(births):
    return ls.logit(FORMULA, births).fit()


@pytest.mark.parametrize("name", STANDARD_CASES)
def test_quasi(name):
    case, res = fitted(name)
    want, quasi = case.values["quasi"], res.with_cov("quasi")
    names = case.values["names_patsy"]
    assert_allclose(quasi.bse, ordered(want["se"], names, res), rtol=1e-7)
    assert_allclose(quasi.tvalues, ordered(want["t"], names, res), rtol=1e-7)
    assert_allclose(quasi.pvalues, ordered(want["p_t"], names, res), rtol=1e-6)
    scale = case.values["dispersion_deviance"] ** 0.5
    assert_allclose(res.with_cov("quasi", dispersion="deviance").bse, res.bse * scale, rtol=1e-7)


@pytest.mark.parametrize("kind", ["CR2", "CR3"])
def test_bias_reduced_clusters(kind):
    case, res = fitted("ohio_clusters_gee")
    made = res.with_cov("cluster", groups="id", use_correction=kind)
    assert_allclose(
        made.bse,
        ordered(case.values["bias_reduced_cluster"][kind.lower()], case.values["names_patsy"], res),
        rtol=1e-10,
    )
    plain = res.with_cov("cluster", groups="id", use_correction="CR1")
    assert_allclose(plain.bse, res.with_cov("cluster", groups="id", use_correction="G").bse)


def cluster_directions(res, groups):
    """Inverse information, what every cluster's adjusted score is of the outcomes (times V), and their variance."""
    V, _, g, Phi = clusters_by_definition(res, groups)
    return V, g, Phi


def by_definition(res, groups):
    """CR2 with Satterthwaite's degrees of freedom, in n x n matrices."""
    V, meat, g, Phi = clusters_by_definition(res, groups)
    df = []
    for j in range(len(V)):
        G = np.array([one[:, j] for one in g])
        Omega = G @ Phi @ G.T
        df.append(np.trace(Omega) ** 2 / np.trace(Omega @ Omega))
    return V @ meat @ V, np.array(df)


def clusters_by_definition(res, groups):
    """Inverse information, CR2's meat, the clusters' adjusted scores as functions of the outcomes, and their variance."""
    fit = res.fit_
    X, w, u = np.asarray(fit.design.X), information_weights(fit), score_residuals(fit)
    V = np.linalg.inv(X.T @ (w[:, None] * X))
    n, k = X.shape
    Phi = np.diag(w)
    leave = Phi - (w[:, None] * X) @ V @ (w[:, None] * X).T  # (I - H) Phi (I - H)', which is (I - H) Phi
    meat, g = np.zeros((k, k)), []
    for label in np.unique(groups):
        rows = np.flatnonzero(groups == label)
        D = np.diag(np.sqrt(w[rows]))
        values, vectors = np.linalg.eigh(D @ leave[np.ix_(rows, rows)] @ D)
        A = D @ vectors @ np.diag(values**-0.5) @ vectors.T @ D
        score = X[rows].T @ A @ u[rows]
        meat += np.outer(score, score)
        across = (np.eye(n) - (w[:, None] * X) @ V @ X.T)[rows]
        g.append(across.T @ A.T @ X[rows] @ V)
    return V, meat, g, Phi


def test_cr2_and_its_degrees_of_freedom_by_definition(births, res):
    made = res.with_cov("cluster", groups="site", use_correction="CR2")
    covariance, df = by_definition(res, births["site"].to_numpy())
    assert_allclose(made.cov_params(), covariance, rtol=1e-8)
    assert_allclose(made.covariance_.reference.df, df, rtol=1e-8)
    assert_allclose(made.pvalues, 2 * stats.t.sf(np.abs(made.tvalues), df), rtol=1e-10)
    half = stats.t.isf(0.025, df) * made.bse
    assert_allclose(made.conf_int()[1], made.params + half, rtol=1e-10)
    text = str(made.summary(clock=False))
    assert "P>|t|" in text
    assert "Satterthwaite" in text
    unequal = births.assign(site=np.minimum(np.arange(len(births)) // 4, 11))
    again = ls.logit(FORMULA, unequal).fit()
    cr2 = again.with_cov("cluster", groups="site", use_correction="CR2")
    assert_allclose(cr2.covariance_.reference.df, by_definition(again, unequal["site"].to_numpy())[1], rtol=1e-7)


def test_units_do_not_change_the_degrees_of_freedom(births, res):
    changed = ls.logit(FORMULA, births.assign(lwt=births.lwt * 1e-200)).fit()
    one, other = (r.with_cov("cluster", groups="site", use_correction="CR2") for r in (res, changed))
    assert_allclose(other.covariance_.reference.df, one.covariance_.reference.df, rtol=1e-7)
    assert_allclose(other.tvalues, one.tvalues, rtol=1e-7)


@pytest.mark.parametrize("correction", [True, False])
@pytest.mark.parametrize("lags", [0, 1, 4, 30])
def test_hac_as_in_statsmodels(births, res, lags, correction):
    theirs = smf.logit(FORMULA, births).fit(
        disp=0, tol=1e-12, cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": correction}
    )
    ours = res.with_cov("HAC", maxlags=lags, use_correction=correction)
    assert_allclose(ours.cov_params(), theirs.cov_params(), rtol=1e-6, atol=1e-9)


def test_hac_kernels_order_and_parts(births, res, monkeypatch):
    uniform = res.with_cov("HAC", maxlags=2, kernel="uniform").cov_params()
    S = np.asarray(score_residuals(res.fit_)[:, None] * res.model.exog)
    meat = S.T @ S + sum(S[lag:].T @ S[:-lag] + S[:-lag].T @ S[lag:] for lag in (1, 2))
    V = np.asarray(res.cov_params())
    assert_allclose(uniform, V @ meat @ V, rtol=1e-8, atol=1e-12)
    shuffled = births.sample(frac=1, random_state=3)
    by_time = ls.logit(FORMULA, shuffled).fit().with_cov("HAC", maxlags=3, time="t").bse
    assert_allclose(by_time, res.with_cov("HAC", maxlags=3).bse, rtol=1e-9)
    monkeypatch.setattr("logit_stats.inference.autocorrelation.TALL_ROWS", 7)
    assert_allclose(res.with_cov("HAC", maxlags=11).bse, res.with_cov("HAC", maxlags=11, time="t").bse, rtol=1e-9)
    assert_allclose(res.with_cov("HAC", maxlags=0).bse, res.with_cov("HC0").bse, rtol=1e-9)


def test_opg_is_the_inverse_of_the_squared_scores(births, res):
    S = res.model.score_obs(res.params)
    assert_allclose(res.with_cov("opg").cov_params(), np.linalg.inv(S.T @ S), rtol=1e-7)


@pytest.mark.parametrize("cov_type", ["quasi", "opg", "HC0", "HC1", "HC2", "HC3"])
def test_frequency_weights_equal_the_repeated_rows(births, cov_type):
    weighted = ls.logit(FORMULA, births, freq_weights="w").fit()
    expanded = ls.logit(FORMULA, births.loc[births.index.repeat(births.w)]).fit()
    assert_allclose(weighted.with_cov(cov_type).cov_params(), expanded.with_cov(cov_type).cov_params(), rtol=1e-8)


def test_frequency_weights_in_clusters(births):
    weighted = ls.logit(FORMULA, births, freq_weights="w").fit().with_cov("cluster", groups="site")
    expanded = births.loc[births.index.repeat(births.w)]
    assert_allclose(weighted.bse, ls.logit(FORMULA, expanded).fit().with_cov("cluster", groups="site").bse, rtol=1e-8)
    for settings in ({"groups": "site", "use_correction": "CR2"}, {"groups": "site", "use_correction": "CR3"}):
        with pytest.raises(NotAvailableError, match="expand"):
            weighted.with_cov("cluster", **settings)
    with pytest.raises(NotAvailableError, match="expand"):
        weighted.with_cov("HAC", maxlags=1)


def test_hc2_and_hc3_by_definition(res):
    X, u = res.model.exog, score_residuals(res.fit_)
    V = np.asarray(res.cov_params())
    h = information_weights(res.fit_) * np.einsum("ij,jk,ik->i", X, V, X)
    assert_allclose(leverages(res.fit_), h, rtol=1e-9)
    for cov_type, power in [("HC2", 1), ("HC3", 2)]:
        meat = X.T @ ((u**2 / (1 - h) ** power)[:, None] * X)
        assert_allclose(res.with_cov(cov_type).cov_params(), V @ meat @ V, rtol=1e-8)


# Surveys.

SURVEYS = {
    "stratified_with_fpc": {"strata": "stype", "fpc": "fpc"},
    "stratified_without_fpc": {"strata": "stype"},
    "weights_only": {},
    "stratified_with_fpc_stype": {"strata": "stype", "fpc": "fpc"},
}


@pytest.mark.parametrize("key", SURVEYS)
def test_survey_of_schools(key):
    case = load_case("apistrat_survey")
    want = case.values[key]
    formula = want.get("formula_r", case.info["formula_patsy"])
    model = ls.logit(formula, case.data, sampling_weights="pw")
    res = model.fit(cov_type="survey", cov_kwds=SURVEYS[key], use_t=True)
    names = [n.replace("(Intercept)", "Intercept").replace("ellYes", "ell[T.Yes]") for n in want["names_r"]]
    names = [f"stype[T.{n.removeprefix('stype')}]" if n.startswith("stype") else n for n in names]
    assert_allclose(res.params, ordered(want["coef"], names, res), rtol=1e-8)
    assert_allclose(res.bse, ordered(want["se"], names, res), rtol=1e-7)
    assert_allclose(res.tvalues, ordered(want["t"], names, res), rtol=1e-7)
    assert_allclose(res.pvalues, ordered(want["p_t"], names, res), rtol=1e-6)
    assert_allclose(res.conf_int(), ordered(want["ci_95_t"], names, res), rtol=1e-6)
    assert res.covariance_.reference.df == want["df_resid"]
    terms = res.wald_test_terms().frame
    for term, test in want["term_tests"].items():
        got = terms.loc[term]
        assert_allclose([got["statistic"], got["pvalue"]], [test["F"], test["p"]], rtol=1e-6)
        assert (got["df_constraint"], got["df_denom"]) == (test["df1"], test["df2"])


def test_survey_of_clusters_by_definition():
    case = load_case("apistrat_survey")
    data = case.data.assign(district=np.arange(200) // 3)
    res = ls.logit("met_target ~ meals + ell", data, sampling_weights="pw").fit()
    made = res.with_cov("survey", strata="stype", psu="district")
    S = pd.DataFrame(res.model.score_obs(res.params)).groupby([data.stype.astype(str), data.district]).sum()
    meat = np.zeros((3, 3))
    for _, units in S.groupby(level=0):
        centred = (units - units.mean()).to_numpy()
        meat += len(units) / (len(units) - 1) * centred.T @ centred
    V = np.linalg.inv(-res.model.hessian(res.params))
    assert_allclose(made.cov_params(), V @ meat @ V, rtol=1e-7)
    assert made.covariance_.reference.df == len(S) - 3 + 1 - 3
    assert "sampling units in 3 strata" in str(made.summary(clock=False))


def test_lonely_units(births):
    data = births.assign(stratum=np.minimum(np.arange(189), 3), w=1.0 + births.lwt / 100)
    res = ls.logit("low ~ age", data, sampling_weights="w").fit()
    with pytest.raises(DataError, match="single sampling unit"):
        res.with_cov("survey", strata="stratum")
    S = res.model.score_obs(res.params)
    V = np.linalg.inv(-res.model.hessian(res.params))
    centred = S[3:] - S[3:].mean(axis=0)
    rest = 186 / 185 * centred.T @ centred
    assert_allclose(
        res.with_cov("survey", strata="stratum", lonely="adjust").cov_params(),
        V @ (rest + S[:3].T @ S[:3]) @ V,
        rtol=1e-7,
    )
    assert_allclose(
        res.with_cov("survey", strata="stratum", lonely="average").cov_params(), V @ (rest * 4) @ V, rtol=1e-7
    )


def test_fpc_as_a_share_and_a_census(births):
    data = births.assign(h=births.smoke, share=np.where(births.smoke == 1, 0.25, 0.5), w=2.0)
    res = ls.logit("low ~ age", data, sampling_weights="w").fit()
    sizes = data["h"].map(data["h"].value_counts()) / data["share"]
    by_share, by_size = (res.with_cov("survey", strata="h", fpc=f).bse for f in ("share", sizes.to_numpy()))
    assert_allclose(by_share, by_size, rtol=1e-12)
    assert_allclose(res.with_cov("survey", strata="h", fpc=np.ones(189)).bse, 0.0, atol=1e-12)
    for wrong, message in [
        (np.arange(1.0, 190.0), "differs"),
        (np.full(189, 20.0), "20 in the population"),
        (np.zeros(189), "positive"),
    ]:
        with pytest.raises(DataError, match=message):
            res.with_cov("survey", strata="h", fpc=wrong)


# What a result shows, and what it refuses.


def test_the_choice_runs_through_what_follows(res):
    robust = res.with_cov("cluster", groups="site", use_correction="CR2")
    assert_allclose(robust.tidy()["std_error"], robust.bse)
    assert_allclose(robust.tidy()["p_value"], robust.pvalues)
    assert_allclose(robust.odds_ratios()["conf_low"], np.exp(robust.conf_int()[0]))
    assert_allclose(robust.t_test("age").sd, robust.bse[["age"]])
    slope = np.asarray(robust.get_prediction().se_linear)
    X = robust.model.exog
    assert_allclose(slope, np.sqrt(np.einsum("ij,jk,ik->i", X, np.asarray(robust.cov_params()), X)), rtol=1e-8)
    assert robust.margins().cov_type == "cluster"


@pytest.mark.parametrize(
    ("cov_type", "settings", "words"),
    [
        ("quasi", {}, "dispersion"), ("opg", {}, "outer product"), ("HAC", {"maxlags": 2}, "2 lags"),
        ("cluster", {"groups": "site"}, "31 clusters of site"), ("cluster", {"groups": "site", "use_correction": "CR3"}, "CR3"),
    ],
)  # fmt: skip
def test_summaries_say_which(res, cov_type, settings, words):
    text = str(res.with_cov(cov_type, **settings).summary(clock=False))
    assert words in text
    assert f"Covariance Type:{cov_type:>21}" in text


def test_what_is_refused(births, res):
    for cov_type, settings, error, message in [
        ("HC9", {}, UnknownOptionError, "HC9"),
        ("HC1", {"groups": "site"}, UnknownOptionError, "has none"),
        ("cluster", {"groups": "site", "use_correction": "CR4"}, UnknownOptionError, "CR2"),
        ("cluster", {"groups": ["site", "smoke"], "use_correction": "CR2"}, NotAvailableError, "one grouping"),
        ("HAC", {"maxlags": 200}, DataError, "189 rows"),
        ("HAC", {"maxlags": 2.5}, DataError, "whole number"),
        ("HAC", {"time": "site"}, DataError, "same time"),
        ("HAC", {"time": "when"}, MissingColumnError, "when"),
        ("HAC", {"kernel": "parzen"}, UnknownOptionError, "kernel"),
        ("quasi", {"dispersion": "x"}, UnknownOptionError, "dispersion"),
        ("survey", {"strata": "nowhere"}, MissingColumnError, "nowhere"),
        ("survey", {"lonely": "drop"}, UnknownOptionError, "lonely"),
    ]:
        with pytest.raises(error, match=message):
            res.with_cov(cov_type, **settings)
    holes = births.assign(site=births.site.where(births.index != births.index[4]))
    with pytest.raises(DataError, match="missing in 1 row"):
        ls.logit(FORMULA, holes).fit(cov_type="survey", cov_kwds={"strata": "site"})


@pytest.mark.parametrize("kind", ["CR2", "CR3"])
def test_clusters_that_determine_their_own_fit(kind):
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(np.arange(12), 8), "x": rng.normal(size=96)})
    data["y"] = np.tile([0, 1, 1, 0, 1, 0, 0, 1], 12)
    orders = [data.sample(frac=1, random_state=seed) for seed in range(3)]
    fits = [ls.logit("y ~ x + C(g)", order).fit() for order in orders]
    errors = [fit.with_cov("cluster", groups="g", use_correction=kind).bse for fit in fits]
    for other in errors[1:]:
        assert_allclose(other["x"], errors[0]["x"], rtol=1e-9)
        assert_allclose(other["Intercept"], errors[0]["Intercept"], rtol=1e-6)


def test_surveys_take_no_frequency_weights(births):
    with pytest.raises(NotAvailableError, match="sampling_weights"):
        ls.logit(FORMULA, births, freq_weights="w").fit().with_cov("survey")
