"""One hypothesis has one p-value: normal, t or F belongs to the covariance, and every answer asks it."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError

# Overdispersed counts; values by R 4.2.2, glm(quasibinomial, epsilon = 1e-14), anova and drop1 with test = "F", car::Anova.
COUNTS = pd.DataFrame({
    "x": [0.2, 0.5, 0.9, 1.1, 1.6, 1.9, 2.3, 2.8, 3.1, 3.7],
    "g": list("abababbaba"),
    "s": [2, 4, 3, 9, 5, 12, 10, 9, 17, 15],
    "n": [20, 22, 19, 25, 18, 24, 21, 20, 23, 19],
})  # fmt: skip


@pytest.fixture(scope="module")
def counts():
    return ls.logit("s ~ x + g", COUNTS, trials="n").fit()


@pytest.fixture(scope="module")
def births():
    data = ls.datasets.load("birthwt")
    return data.assign(site=np.arange(len(data)) % 9, w=1.0 + np.arange(len(data)) % 3, area=np.arange(len(data)) % 12)


def asked_of(data, which):
    weights = {"sampling_weights": "w"} if which == "survey" else {}
    res = ls.logit("low ~ age + smoke + C(race)", data, **weights).fit()
    return {
        "cr2": lambda: res.with_cov("cluster", groups="site", use_correction="CR2"),
        "survey": lambda: res.with_cov("survey", psu="area"),
        "quasi": lambda: res.with_cov("quasi"),
        "use_t": lambda: res.with_cov("HC1", use_t=True),
        "normal": lambda: res.with_cov("HC1"),
    }[which]()


@pytest.mark.parametrize("which", ["cr2", "survey", "quasi", "use_t", "normal"])
def test_one_hypothesis_has_one_p_value(births, which):
    res = asked_of(births, which)
    p = res.pvalues["smoke"]
    assert p != pytest.approx(2 * stats.norm.sf(abs(res.tvalues["smoke"])), rel=1e-6) or which == "normal"
    evidence = res.evidence("smoke").tests.set_index("method")["p_value"]
    found = {
        "t_test": res.t_test("smoke = 0").pvalue[0],
        "wald_test": res.wald_test("smoke = 0").pvalue,
        "terms": res.wald_test_terms().frame.loc["smoke", "pvalue"],
        "anova 2": res.anova(2, test="Wald").frame.loc["smoke", "p_value"],
        "anova 3": res.anova(3, test="Wald").frame.loc["smoke", "p_value"],
        "evidence": evidence[f"Wald, {res.cov_type}"],
        "tidy": res.tidy().set_index("term").loc["smoke", "p_value"],
    }
    assert_allclose(list(found.values()), p, rtol=1e-8, err_msg=str(found))
    limits = res.conf_int().loc["smoke"].to_numpy()
    intervals = res.evidence("smoke").intervals.set_index("method").loc[f"Wald, {res.cov_type}"]
    assert_allclose([intervals["conf_low"], intervals["conf_high"]], limits, rtol=1e-10)


@pytest.mark.parametrize("which", ["cr2", "survey", "quasi", "use_t", "normal"])
def test_margins_means_and_predictions_of_a_contrast_use_its_distribution(births, which):
    res = asked_of(births, which)
    column = ls.logit("low ~ smoke", births).fit()
    # in a model of one dummy the effect of variables, of columns and the pairwise difference are one hypothesis
    one = {
        "cr2": lambda: column.with_cov("cluster", groups="site", use_correction="CR2"),
        "survey": lambda: ls.logit("low ~ smoke", births, sampling_weights="w").fit().with_cov("survey", psu="area"),
        "quasi": lambda: column.with_cov("quasi"),
        "use_t": lambda: column.with_cov("HC1", use_t=True),
        "normal": lambda: column.with_cov("HC1"),
    }[which]()
    letter = "z" if which == "normal" else "t"
    assert letter in res.margins("smoke").frame
    t = res.margins("smoke").frame.iloc[0]
    df = res.covariance_.reference.df
    if which != "cr2":
        expected = 2 * (stats.norm.sf(abs(t[letter])) if df is None else stats.t.sf(abs(t[letter]), df))
        assert_allclose(t["p_value"], expected, rtol=1e-10)
    pairs = one.means("smoke").pairs(adjust="none")
    assert_allclose(pairs["p_value"], one.pvalues["smoke"], rtol=1e-8)
    prediction = one.get_prediction(pd.DataFrame({"smoke": [0, 1]}))
    sums = one.t_test(np.array([[1.0, 0.0], [1.0, 1.0]]))
    inverse = 1 / (1 + np.exp(-sums.conf_int(0.1)))
    assert_allclose(prediction.conf_int(0.1), inverse, rtol=1e-8)
    note = next(note for note in one.summary_notes() if "all slopes" in note) if one.covariance_.robust else ""
    assert f"p = {one.pvalues['smoke']:.4g}" in note or not note


def test_dose_has_the_limits_of_t(counts):
    line = ls.logit("s ~ x", COUNTS, trials="n").fit()
    quasi = line.with_cov("quasi")
    plain, found = line.dose(0.5).frame.iloc[0], quasi.dose(0.5).frame.iloc[0]
    phi = quasi.covariance_.dispersion
    assert_allclose(found["std_error"], plain["std_error"] * np.sqrt(phi), rtol=1e-10)
    assert_allclose(found["conf_high"], found["dose"] + stats.t.isf(0.025, 8) * found["std_error"], rtol=1e-10)
    eta = quasi.get_prediction(pd.DataFrame({"x": [found["fieller_low"], found["fieller_high"]]}))
    # at Fieller's limits the linear predictor is just not different from the target
    assert_allclose(np.abs(eta.linear / eta.se_linear), stats.t.isf(0.025, 8), rtol=1e-8)


# Likelihood ratios under a dispersion.


def test_quasi_is_f_in_every_likelihood_ratio_as_in_r(counts):
    quasi = counts.with_cov("quasi")
    assert_allclose(quasi.covariance_.dispersion, 0.309913723574741, rtol=1e-10)
    p = [1.63447828271527e-05, 1.62251907674184e-05, 0.0112419486220147]
    assert_allclose(quasi.pvalues[["Intercept", "x", "g[T.b]"]], p, rtol=1e-7)
    first = quasi.anova(1).frame.loc[["NULL", "x", "g"]]
    assert_allclose(first["statistic"].iloc[1:], [126.383951833812, 11.959582304625], rtol=1e-9)
    assert_allclose(first["p_value"].iloc[1:], [9.83959737351006e-06, 0.0105723846457499], rtol=1e-9)
    second = [8.59668260666567e-06, 0.0105723846448321]
    by_terms = [
        quasi.anova(2).frame["p_value"],
        quasi.anova(3).frame["p_value"],
        quasi.drop1().frame["p_value"].iloc[1:],
    ]
    for p in by_terms:
        assert_allclose(p.sort_index(ascending=False), second, rtol=1e-8)
    nothing = ls.logit("s ~ 1", COUNTS, trials="n").fit()
    for test in (quasi.lr_test(nothing), nothing.lr_test(quasi)):
        assert_allclose([test.statistic, test.pvalue], [69.1717670692187, 2.45164810008256e-05], rtol=1e-9)
    assert_allclose(quasi.llr_pvalue, 2.45164810008256e-05, rtol=1e-9)
    evidence = quasi.evidence("g").tests.set_index("method")
    assert_allclose(evidence.loc["likelihood ratio, quasi", "p_value"], second[1], rtol=1e-8)
    assert "Wald" not in evidence.index
    only = ls.logit("s ~ x", COUNTS, trials="n").fit()
    assert_allclose(only.add1("g").frame.loc["g", "p_value"], stats.chi2.sf(3.70643868442491, 1), rtol=1e-8)


def test_deviance_dispersion_is_that_of_drop1_in_r(counts):
    frame = counts.with_cov("quasi", dispersion="deviance").drop1().frame
    assert_allclose(frame.loc[["x", "g"], "F"], [130.826438314056, 11.8893723253671], rtol=1e-8)
    assert_allclose(frame.loc[["x", "g"], "p_value"], [8.76753174890777e-06, 0.0107189171170953], rtol=1e-8)
    assert np.isnan(frame["aic"]).all()


def test_score_tests_are_divided_by_the_dispersion(counts):
    quasi, scaled = counts.with_cov("quasi"), counts.with_cov("quasi", use_t=False)
    frame = scaled.anova(1, test="score").frame.iloc[1:]
    assert_allclose(frame["p_value"], [6.20145879609499e-28, 0.00059296888173791], rtol=1e-7)
    rao = np.array([37.2018776253281, 3.65633775939201])
    assert_allclose(frame["statistic"], rao / 0.309913723574741, rtol=1e-8)
    assert_allclose(quasi.anova(1, test="score").frame["p_value"].iloc[1:],
                    stats.f.sf(rao / 0.309913723574741, 1, 7), rtol=1e-7)  # fmt: skip
    only = ls.logit("s ~ x", COUNTS, trials="n").fit().with_cov("quasi")
    added, plain = only.score_test("g"), ls.logit("s ~ x", COUNTS, trials="n").fit().score_test("g")
    assert_allclose(added.statistic, plain.statistic / only.covariance_.dispersion, rtol=1e-10)
    assert_allclose(added.pvalue, stats.f.sf(added.statistic, 1, 8), rtol=1e-10)


def test_profile_limits_are_where_the_f_test_turns(counts):
    quasi = counts.with_cov("quasi")
    low, high = quasi.conf_int(method="profile").loc["x"]
    for end in (low, high):
        held = ls.logit("s ~ g", COUNTS.assign(o=end * COUNTS.x), trials="n", offset="o").fit()
        square = 2 * (counts.llf - held.llf) / quasi.covariance_.dispersion
        assert_allclose(square, stats.t.isf(0.025, 7) ** 2, rtol=1e-7)
    # R's confint takes the normal quantile, by spline: three digits and more
    normal = counts.with_cov("quasi", use_t=False).conf_int(method="profile").to_numpy()
    r = [[-2.9245799, -2.0017696], [0.7438844, 1.0870007], [0.2635386, 0.9674672]]
    order = [list(counts.params.index).index(name) for name in ("Intercept", "x", "g[T.b]")]
    assert_allclose(normal[order], r, rtol=2e-4)
    assert_allclose(quasi.odds_ratios(method="profile").loc["x", "conf_low"], np.exp(low), rtol=1e-12)


def test_quasi_has_no_criterion(counts):
    quasi = counts.with_cov("quasi")
    assert np.isnan([quasi.aic, quasi.bic, quasi.aicc, quasi.info_criteria("bic")]).all()
    assert "dispersion" in str(quasi.drop1())
    with pytest.raises(NotAvailableError, match="dispersion"):
        ls.step(quasi)
    path = ls.step(quasi, criterion="pvalue")
    assert path.result.cov_type == "quasi"
    note = ls.compare(quasi, counts).notes
    assert any("dispersion" in text for text in note)


# CR2.


def by_blocks(res, groups, R):
    """Degrees of freedom from the blocks P_gh of every pair of clusters, written out in n x n matrices."""
    from tests.test_covariances import cluster_directions

    _, g, Phi = cluster_directions(res, groups)
    L = np.atleast_2d(R)
    blocks = np.array([[L @ a.T @ Phi @ b @ L.T for b in g] for a in g])  # (G, G, q, q)
    total = sum(blocks[i, i] for i in range(len(g)))
    values, vectors = np.linalg.eigh(total)
    turn = (vectors / np.sqrt(values)).T
    blocks = turn @ blocks @ turn.T
    q = len(L)
    traces = np.trace(blocks, axis1=2, axis2=3)
    spread = (traces**2).sum() + np.einsum("ghij,ghji->", blocks, blocks)
    return q * (q + 1) / spread


@pytest.mark.parametrize("sites", [9, 40])
def test_joint_tests_of_cr2_are_the_approximate_hotelling_test(births, sites):
    data = births.assign(site=np.arange(len(births)) % sites)
    res = ls.logit("low ~ age + smoke", data).fit().with_cov("cluster", groups="site", use_correction="CR2")
    R = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    eta = by_blocks(res, data["site"].to_numpy(), R)
    chi2 = res.wald_test(R, use_f=False).statistic
    made = res.wald_test(R)
    assert_allclose(made.df_denom, eta - 1.0, rtol=1e-7)
    assert_allclose(made.statistic, chi2 * (eta - 1.0) / (2 * eta), rtol=1e-7)
    assert_allclose(made.pvalue, stats.f.sf(made.statistic, 2, eta - 1.0), rtol=1e-10)
    one = res.t_test("age = 2 * smoke")
    assert_allclose(one.df_denom, by_blocks(res, data["site"].to_numpy(), [0.0, 1.0, -2.0]), rtol=1e-7)
    assert_allclose(res.wald_test("age = 2 * smoke").pvalue, one.pvalue[0], rtol=1e-10)


def test_surveys_use_t_unless_asked_not_to(births):
    res = ls.logit("low ~ age", births, sampling_weights="w").fit()
    assert "P>|t|" in str(res.summary())
    made = res.with_cov("survey", psu="area")
    assert made.covariance_.reference.df == 12 - 1 + 1 - 2
    normal = res.with_cov("survey", psu="area", use_t=False)
    assert_allclose(normal.pvalues, 2 * stats.norm.sf(np.abs(made.tvalues)), rtol=1e-12)
    assert_allclose(made.pvalues, 2 * stats.t.sf(np.abs(made.tvalues), 10), rtol=1e-12)


def test_a_survey_without_degrees_of_freedom_says_so(births):
    res = ls.logit(
        "low ~ age + lwt + smoke", births.assign(area=np.arange(len(births)) % 4), sampling_weights="w"
    ).fit()
    made = res.with_cov("survey", psu="area")
    assert np.isnan(made.pvalues).all()
    assert any("degrees of freedom" in note and "use_t=False" in note for note in made.summary_notes())


@pytest.mark.parametrize("alpha", ["a", None, True, [0.05]])
def test_an_alpha_that_is_no_number_names_the_argument(counts, alpha):
    asked = [
        counts.conf_int, counts.summary, counts.tidy, counts.odds_ratios, counts.get_prediction().conf_int,
        counts.t_test("x = 0").conf_int, counts.means("g").summary_frame, counts.get_margeff().conf_int,
        lambda alpha: counts.margins(alpha=alpha), lambda alpha: counts.dose(variable="x", by=["g"], alpha=alpha),
        lambda alpha: counts.conf_int(alpha, "profile"), lambda alpha: counts.evidence("x", alpha=alpha),
    ]  # fmt: skip
    for ask in asked:
        with pytest.raises(DataError, match="alpha="):
            ask(alpha=alpha)
