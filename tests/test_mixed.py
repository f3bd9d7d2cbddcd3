"""Logit with random effects: reference values, lme4, identities, refusals."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import expit

import logit_stats as ls
from logit_stats.design.random_terms import split_random_terms
from logit_stats.errors import (
    DataError,
    EstimationError,
    FormulaError,
    MissingColumnError,
    NotAvailableError,
    OneClassError,
    SeparationError,
    UnknownOptionError,
    UnseenLevelError,
    WeightError,
)
from logit_stats.estimation.marginal_newton import information
from logit_stats.inference.integrated import integrated
from logit_stats.inference.mixed_margins import population_margins

HERE = Path(__file__).parent / "reference"
VALUES = json.loads((HERE / "values/family/toenail_mixed.json").read_text())["values"]
TOENAIL = pd.read_csv(HERE / "data/toenail.csv")
BCG = pd.read_csv(HERE / "data/bcg.csv")
VERBAGG = pd.read_csv(HERE / "data/verbagg.csv")
FORMULA = "outcome ~ terbinafine * time + (1 | patient)"
NEW = pd.DataFrame({"terbinafine": [0, 0, 1, 1], "time": [0, 6, 6, 12]})


@pytest.fixture(scope="module")
def toenail() -> ls.MixedResults:
    return ls.melogit(FORMULA, TOENAIL, quadrature=25).fit()


@pytest.fixture(scope="module")
def slopes() -> ls.MixedResults:
    return ls.melogit("cases ~ vaccine + (vaccine | study)", BCG, trials="n").fit()


@pytest.fixture(scope="module")
def crossed() -> ls.MixedResults:
    return ls.melogit("agree ~ anger + gender + btype + situ + (1 | person) + (1 | item)", VERBAGG).fit()


def _against(res: ls.MixedResults, ref: dict, names: list[str]) -> None:
    assert_allclose(res.params[names], ref["coef"], rtol=1e-8)
    assert_allclose(res.bse[names], ref["se"], rtol=1e-7)
    assert_allclose(res.cov_params().loc[names, names], ref["vcov"], rtol=1e-7, atol=1e-9)
    assert_allclose(res.conf_int().loc[names], ref["wald_ci_95"], rtol=1e-7)
    assert_allclose(res.llf, ref["loglik"], rtol=1e-9)
    assert_allclose(res.aic, ref["aic"], rtol=1e-9)
    sd = res.variance_components().frame.iloc[0]
    assert_allclose(sd["estimate"], ref["sigma"], rtol=1e-8)
    assert_allclose(sd["std_error"] / sd["estimate"], ref["log_sigma_se"], rtol=1e-7)
    assert_allclose(sd[["conf_low", "conf_high"]].astype(float), ref["sigma_wald_ci_95_from_log"], rtol=1e-7)
    assert_allclose(float(res.icc()), ref["icc_latent"], rtol=1e-8)
    assert_allclose(res.icc().std_error, ref["icc_latent_se"][0], rtol=1e-7)
    odds = res.median_odds_ratio()
    assert_allclose(float(odds), ref["median_odds_ratio"], rtol=1e-8)
    assert_allclose([odds.conf_low, odds.conf_high], ref["median_odds_ratio_ci_95_from_log_sigma"], rtol=1e-7)
    test = res.variance_test()
    assert_allclose(test.statistic, ref["lr_sigma_zero"]["statistic"], rtol=1e-8)
    assert_allclose(test.pvalue, ref["lr_sigma_zero"]["p_half_chi2_1"], rtol=1e-6)
    modes = res.random_effects()
    assert [str(label) for label in modes.index] == ref["conditional_modes"]["groups"]
    assert_allclose(modes.iloc[:, 0], ref["conditional_modes"]["mode"], rtol=1e-7, atol=1e-8)
    assert_allclose(modes.iloc[:, 1], ref["conditional_modes"]["sd"], rtol=1e-7)


NAMES = ["Intercept", "terbinafine", "time", "terbinafine:time"]


@pytest.mark.parametrize("points", [25, 1])
def test_reference_values(points: int) -> None:
    ref = VALUES[f"nAGQ_{points}"]
    res = ls.melogit(FORMULA, TOENAIL, quadrature=points).fit()
    _against(res, ref, NAMES)
    marginal = res.get_prediction(NEW)
    assert_allclose(marginal.predicted, ref["marginal_probability"]["prob"], rtol=1e-8)
    assert_allclose(marginal.se, ref["marginal_probability"]["se"], rtol=1e-7)
    assert_allclose(res.predict(NEW, effects="zero"), ref["conditional_probability_at_zero"], rtol=1e-7)


def test_reference_values_of_counts() -> None:
    ref = VALUES["grouped_random_intercept"]
    res = ls.melogit("cases ~ vaccine + (1 | study)", BCG, quadrature=25, trials="n").fit()
    _against(res, ref, ["Intercept", "vaccine"])
    assert_allclose(res.conf_int(method="profile"), ref["profile_ci_95"], rtol=1e-7)
    sd = res.variance_components(method="profile").frame.iloc[0]
    assert_allclose(sd[["conf_low", "conf_high"]].astype(float), ref["sigma_profile_ci_95"], rtol=1e-7)
    grouped = BCG.assign(noncases=BCG["n"] - BCG["cases"])
    two = ls.melogit("cases + noncases ~ vaccine + (1 | study)", grouped, quadrature=25).fit()
    assert_allclose(two.params, res.params, rtol=1e-10)


@pytest.mark.parametrize("points", [25, 1])
def test_reference_profile_limits(points: int) -> None:
    ref = VALUES[f"nAGQ_{points}"]
    res = ls.melogit(FORMULA, TOENAIL, quadrature=points).fit()
    sd = res.variance_components(method="profile").frame.iloc[0]
    assert_allclose(sd[["conf_low", "conf_high"]].astype(float), ref["sigma_profile_ci_95"], rtol=1e-7)
    if points == 25:
        assert_allclose(res.conf_int(method="profile").loc[NAMES], ref["profile_ci_95"], rtol=1e-7)


def test_reference_values_of_a_random_slope(slopes: ls.MixedResults) -> None:
    ref = VALUES["grouped_random_slope"]
    assert_allclose(slopes.params, ref["coef"], rtol=1e-8)
    assert_allclose(slopes.bse, ref["se"], rtol=1e-7)
    assert_allclose(slopes.cov_params(), ref["vcov"], rtol=1e-7)
    assert_allclose(slopes.llf, ref["loglik"], rtol=1e-9)
    frame = slopes.variance_components().frame
    assert_allclose(frame["estimate"], [ref["sd_intercept"], ref["sd_slope"], ref["correlation"]], rtol=1e-8)
    assert_allclose(frame["std_error"], ref["se_of_these"], rtol=1e-7)
    modes = slopes.random_effects().iloc[:10, :2]
    assert_allclose(modes, ref["conditional_modes_first_10"], rtol=1e-7, atol=1e-8)


def test_crossed_effects_agree_with_lme4(crossed: ls.MixedResults) -> None:
    """glmer(agree ~ anger + gender + btype + situ + (1 | person) + (1 | item)), lme4 1.1.31 with tolPwrss = 1e-13."""
    lme4 = {
        "Intercept": -0.0865649, "anger": 0.0575636, "gender[T.M]": -0.4343418, "btype[T.scold]": -1.2537009,
        "btype[T.shout]": -1.3997800, "situ[T.self]": -0.9978388,
    }  # fmt: skip
    assert_allclose(crossed.params[list(lme4)], list(lme4.values()), atol=1e-5)
    frame = crossed.variance_components().frame
    assert_allclose(frame["estimate"], [1.386700525, 0.451125905], atol=1e-6)
    assert_allclose(crossed.llf, -1310.68579131, rtol=1e-10)


def test_crossed_laplace_by_a_dense_determinant(crossed: ls.MixedResults) -> None:
    """The joint mode and the determinant of the whole matrix, as the definition has it."""
    X, y = np.asarray(crossed.model.exog), np.asarray(crossed.model.endog)
    sd = crossed.variance_components().frame["estimate"].to_numpy()
    codes = [pd.factorize(VERBAGG[name])[0] for name in ("person", "item")]
    Z = np.zeros((len(y), 124))
    Z[np.arange(len(y)), codes[0]], Z[np.arange(len(y)), 100 + codes[1]] = sd
    u = np.zeros(124)
    for _ in range(50):
        p = expit(X @ np.asarray(crossed.params) + Z @ u)
        H = np.eye(124) + (Z * (p * (1 - p))[:, None]).T @ Z
        u = u + np.linalg.solve(H, Z.T @ (y - p) - u)
    eta = X @ np.asarray(crossed.params) + Z @ u
    value = (y * eta - np.logaddexp(0, eta)).sum() - u @ u / 2 - np.linalg.slogdet(H)[1] / 2
    assert_allclose(crossed.llf, value, rtol=1e-11)
    modes = [*crossed.random_effects("person").iloc[:, 0], *crossed.random_effects("item").iloc[:, 0]]
    assert_allclose(modes, u * np.repeat(sd, [100, 24]), atol=1e-8)
    inverse = np.linalg.inv(H).diagonal()
    assert_allclose(crossed.random_effects("item")["se Intercept"], sd[1] * np.sqrt(inverse[100:]), rtol=1e-7)
    assert_allclose(crossed.random_effects("person")["se Intercept"], sd[0] * np.sqrt(inverse[:100]), rtol=1e-7)


@pytest.mark.parametrize("which", ["toenail", "slopes", "crossed"])
def test_gradients_and_informations_are_derivatives(which: str, request: pytest.FixtureRequest) -> None:
    fit = request.getfixturevalue(which).fit_
    marginal, psi = fit.marginal, fit.psi + 0.05
    point, h = marginal.at(psi), 1e-5
    steps = np.eye(len(psi)) * h
    slope = [(marginal.at(psi + s).value - marginal.at(psi - s).value) / (2 * h) for s in steps]
    assert_allclose(point.gradient, slope, rtol=1e-5, atol=1e-5 * np.abs(slope).max())
    curve = [-(marginal.at(psi + s).gradient - marginal.at(psi - s).gradient) / (2 * h) for s in steps]
    found = information(marginal, point)
    assert_allclose(found, curve, rtol=1e-6, atol=1e-7 * np.abs(found).max())


def test_quadrature_tends_to_the_integral() -> None:
    res = ls.melogit("outcome ~ time + (1 | patient)", TOENAIL[TOENAIL["patient"] < 40], quadrature=61).fit()
    data = TOENAIL[TOENAIL["patient"] < 40]
    sd, eta = res.fit_.theta[0], np.asarray(res.predict(which="linear", effects="zero"))
    total = 0.0
    for rows in data.reset_index(drop=True).groupby("patient").indices.values():
        y, e = data["outcome"].to_numpy()[rows], eta[rows]

        def density(u: float, y: np.ndarray = y, e: np.ndarray = e) -> float:
            return float(np.prod(expit((2 * y - 1) * (e + sd * u)))) * np.exp(-u * u / 2) / np.sqrt(2 * np.pi)

        total += np.log(quad(density, -12, 12, epsabs=1e-14, limit=400)[0])
    assert_allclose(res.llf, total, rtol=1e-6)


def test_nested_groupings_are_crossed_ones_of_unique_names() -> None:
    data = VERBAGG.assign(school=VERBAGG["person"] % 12, pupil=VERBAGG["person"])
    data = data.assign(y=(data["agree"] + (data["school"] > 8) * (data["item"] % 2) > 0).astype(int))
    nested = ls.melogit("y ~ situ + (1 | school / pupil)", data).fit()
    crossed = ls.melogit("y ~ situ + (1 | school) + (1 | pupil)", data).fit()
    assert_allclose(nested.llf, crossed.llf, rtol=1e-10)
    assert_allclose(nested.params, crossed.params, rtol=1e-7)
    assert list(nested.fit_.layout.names) == ["school:pupil", "school"]


def test_order_of_rows_units_and_origins_do_not_matter(toenail: ls.MixedResults) -> None:
    data = TOENAIL.sample(frac=1.0, random_state=0).assign(t=lambda d: d["time"] * 1e6 + 1e9)
    res = ls.melogit("outcome ~ terbinafine * t + (1 | patient)", data, quadrature=25).fit()
    assert_allclose(res.llf, toenail.llf, rtol=1e-9)
    assert_allclose(res.tvalues["terbinafine:t"], toenail.tvalues["terbinafine:time"], rtol=1e-5)


def test_frequency_weights_stand_for_identical_groups() -> None:
    some = TOENAIL[TOENAIL["patient"] < 60].assign(times=lambda d: 1 + d["patient"] % 3)
    copies = [some[some["times"] > j].assign(patient=lambda d, j=j: d["patient"] + 1000 * j) for j in range(3)]
    expanded = pd.concat(copies, ignore_index=True)
    for formula, points in (("outcome ~ time + (1 | patient)", 9), ("outcome ~ time + (time | patient)", 1)):
        one = ls.melogit(formula, some, quadrature=points, freq_weights="times").fit()
        two = ls.melogit(formula, expanded, quadrature=points).fit()
        assert_allclose(one.params, two.params, rtol=1e-7)
        assert_allclose(one.bse, two.bse, rtol=1e-6)
        assert_allclose(one.with_cov("robust").bse, two.with_cov("robust").bse, rtol=1e-5)
        assert_allclose([one.llf, one.nobs, one.bic], [two.llf, two.nobs, two.bic], rtol=1e-9)


def test_uncorrelated_slopes_are_terms_of_their_own() -> None:
    one = ls.melogit("cases ~ vaccine + (1 + vaccine || study)", BCG, trials="n").fit()
    two = ls.melogit("cases ~ vaccine + (1 | study) + (0 + vaccine | study)", BCG, trials="n").fit()
    assert_allclose(one.llf, two.llf, rtol=1e-11)
    assert len(one.fit_.theta) == 2


def test_profile_of_a_slope_does_not_depend_on_the_order_of_effects(slopes: ls.MixedResults) -> None:
    frame = slopes.variance_components(method="profile").frame
    other = ls.melogit("cases ~ vaccine + (0 + vaccine + I(1 - vaccine) | study)", BCG, trials="n").fit()
    assert_allclose(other.llf, slopes.llf, rtol=1e-9)  # the same model, its effects written otherwise
    low, high = frame.loc[1, ["conf_low", "conf_high"]]
    assert 0 < low < frame.loc[1, "estimate"] < high
    # at a limit the likelihood has fallen by half the quantile, found with the slope's deviation held there
    from scipy.optimize import minimize

    marginal, best = slopes.fit_.marginal, slopes.fit_.psi

    def fall(free: np.ndarray) -> float:
        angle = free[3]
        psi = np.array([free[0], free[1], free[2], high * np.sin(angle), high * np.cos(angle)])
        return 2.0 * (slopes.fit_.loglik - marginal.at(psi).value)

    start = [*best[:3], np.arctan2(best[3], best[4])]
    assert_allclose(minimize(fall, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000}).fun,
                    3.841458820694124, rtol=1e-5)  # fmt: skip


def test_robust_covariance_is_the_sandwich_of_group_scores(toenail: ls.MixedResults) -> None:
    fit = toenail.fit_
    scores, copies = fit.marginal.scores(fit.psi, fit.marginal.at(fit.psi).modes)
    assert_allclose(scores.sum(axis=0), 0.0, atol=1e-5)
    V = fit.covariance_psi
    expected = fit.working.covariance((V @ scores.T @ scores @ V)[:4, :4])
    assert_allclose(toenail.with_cov("robust").cov_params().to_numpy(), expected, rtol=1e-9)
    assert (copies == 1).all()


def test_margins_of_the_population_by_integration(toenail: ls.MixedResults) -> None:
    h, data = 1e-4, TOENAIL
    up, down = (toenail.predict(data.assign(time=data["time"] + s * h)).mean() for s in (1, -1))
    frame = toenail.margins().frame.set_index("variable")
    assert_allclose(frame.loc["time", "estimate"], (up - down) / (2 * h), rtol=1e-6)
    at = [toenail.predict(data.assign(terbinafine=v)).mean() for v in (0, 1)]
    change = toenail.margins("terbinafine", dummy=True).frame.iloc[0]
    assert_allclose(change["estimate"], at[1] - at[0], rtol=1e-9)
    # the delta method, by differences of the parameters
    fit = toenail.fit_
    gradient = []
    for j in range(len(fit.psi)):
        values = []
        for sign in (1, -1):
            psi = fit.psi.copy()
            psi[j] += sign * 1e-5
            working = fit.working.columns(np.asarray(toenail.model.exog))
            moved = [working.copy(), working.copy()]
            columns = [toenail.model.design.formula.design_matrix(data.assign(terbinafine=v))[0] for v in (0, 1)]
            moved = [
                integrated(fit.working.columns(X) @ psi[:-1], np.full(len(X), psi[-1])).prob.mean() for X in columns
            ]
            values.append(moved[1] - moved[0])
        gradient.append((values[0] - values[1]) / 2e-5)
    assert_allclose(change["std_error"], np.sqrt(gradient @ fit.covariance_psi @ gradient), rtol=1e-5)


def test_margins_with_a_random_slope_move_what_it_multiplies() -> None:
    data = TOENAIL[TOENAIL["patient"] < 120]
    res = ls.melogit("outcome ~ time + (time | patient)", data).fit()
    h = 1e-4
    up, down = (res.predict(data.assign(time=data["time"] + s * h)).mean() for s in (1, -1))
    assert_allclose(res.margins("time").frame["estimate"].item(), (up - down) / (2 * h), rtol=1e-6)


@pytest.mark.parametrize(
    "formula",
    ["outcome ~ terbinafine * time + (1 | patient)", "outcome ~ terbinafine + time + I(time**2) + (time | patient)"],
)
def test_errors_of_margins_by_differences_of_the_parameters(formula: str) -> None:
    fit = ls.melogit(formula, TOENAIL[TOENAIL["patient"] < 150]).fit().fit_

    def estimate(psi: np.ndarray) -> float:
        template, theta = fit.layout.templates[0], psi[fit.parameters :]
        factor = np.where(template >= 0, theta[np.maximum(template, 0)], 0.0)
        moved = replace(fit, psi=psi, gamma=psi[: fit.parameters], effects=(replace(fit.effects[0], factor=factor),))
        return float(population_margins(moved, fit.covariance_psi, "time").frame["estimate"].item())

    steps = np.eye(len(fit.psi)) * 1e-5
    gradient = np.array([(estimate(fit.psi + s) - estimate(fit.psi - s)) / 2e-5 for s in steps])
    found = population_margins(fit, fit.covariance_psi, "time").frame["std_error"].item()
    assert_allclose(found, np.sqrt(gradient @ fit.covariance_psi @ gradient), rtol=1e-6)


@pytest.mark.parametrize(("eta", "tau"), [(-2.0, 0.3), (1.0, 1.0), (-1.6, 4.0), (3.0, 15.0), (0.5, 0.0)])
def test_integrals_and_their_derivatives(eta: float, tau: float) -> None:
    def mean(e: float, t: float) -> float:
        return quad(lambda z: expit(e + t * z) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi), -10, 10, epsabs=1e-15,
                    limit=500, points=[-e / t] if t and abs(e / t) < 10 else None)[0]  # fmt: skip

    found = integrated(np.array([eta]), np.array([tau]))
    assert_allclose(found.prob, mean(eta, tau), rtol=1e-12)
    h = 1e-5
    assert_allclose(found.by_eta, (mean(eta + h, tau) - mean(eta - h, tau)) / (2 * h), rtol=1e-6)
    if tau:
        assert_allclose(found.by_tau, (mean(eta, tau + h) - mean(eta, tau - h)) / (2 * h), rtol=1e-5, atol=1e-9)


def test_likelihood_ratio_tests(toenail: ls.MixedResults) -> None:
    smaller = ls.melogit("outcome ~ terbinafine + time + (1 | patient)", TOENAIL, quadrature=25).fit()
    test = toenail.lr_test(smaller)
    assert_allclose(test.statistic, 2 * (toenail.llf - smaller.llf), rtol=1e-8)
    assert test.df == 1
    for table in (toenail.anova(type=3), toenail.drop1()):
        name = "statistic" if "statistic" in table.frame else "lr"
        assert_allclose(table.frame.loc["terbinafine:time", name], test.statistic, rtol=1e-6)
    independent = ls.logit("outcome ~ terbinafine * time", TOENAIL).fit()
    for found in (toenail.lr_test(independent), independent.lr_test(toenail)):
        assert_allclose(found.pvalue, toenail.variance_test().pvalue)
        assert found.weights == ((0.5, 0), (0.5, 1))
    with pytest.raises(DataError, match="one part at"):
        toenail.lr_test(ls.logit("outcome ~ time", TOENAIL).fit())
    with pytest.raises(DataError, match="quadrature points"):
        toenail.lr_test(ls.melogit("outcome ~ time + (1 | patient)", TOENAIL).fit())


def test_mixture_of_one_more_correlated_effect(slopes: ls.MixedResults) -> None:
    smaller = ls.melogit("cases ~ vaccine + (1 | study)", BCG, trials="n").fit()
    test = slopes.lr_test(smaller)
    assert test.weights == ((0.5, 1), (0.5, 2))
    assert not test.conservative
    assert slopes.variance_test().conservative


def test_singular_fits_are_said_in_words() -> None:
    data = VERBAGG.assign(school=VERBAGG["person"] % 10)
    res = ls.melogit("agree ~ btype + situ + (1 | school / person)", data).fit()
    frame = res.variance_components(method="profile").frame.set_index("grouping")
    assert frame.loc["school", "estimate"] == 0.0
    assert frame.loc["school", "conf_low"] == 0.0 < frame.loc["school", "conf_high"]
    assert "Singular fit: the standard deviation of Intercept between groups of school" in " ".join(
        str(res.summary()).split()
    )
    assert res.variance_test("school").pvalue == 1.0
    without = ls.melogit("agree ~ btype + situ + (1 | person)", data).fit()
    assert_allclose(res.params, without.params, rtol=1e-7)
    assert_allclose(res.bse, without.bse, rtol=1e-6)
    assert_allclose(res.llf, without.llf, rtol=1e-10)


def test_predictions_of_groups(toenail: ls.MixedResults) -> None:
    own = toenail.predict(effects="subject")
    assert_allclose(toenail.predict(TOENAIL, effects="subject"), own)
    first = toenail.random_effects().loc[1, "Intercept"]
    eta = toenail.predict(TOENAIL.head(1), which="linear", effects="zero").item() + first
    assert_allclose(own.iloc[0], expit(eta))
    with pytest.raises(UnseenLevelError, match="population"):
        toenail.predict(TOENAIL.head(1).assign(patient=9999), effects="subject")
    with pytest.raises(NotAvailableError, match="random_effects"):
        toenail.get_prediction(effects="subject")
    assert toenail.predict(TOENAIL.head(2).assign(time=[np.nan, 1.0])).isna().tolist() == [True, False]
    assert toenail.roc(effects="subject").auc > toenail.roc().auc
    assert toenail.classification(effects="subject").accuracy > toenail.classification().accuracy
    found = toenail.classification(0.3)
    prob, y = toenail.predict(), TOENAIL["outcome"]
    assert found.threshold == 0.3
    assert_allclose(found.sensitivity, ((prob > 0.3) & (y == 1)).sum() / y.sum())


def test_frames_reports_and_files(toenail: ls.MixedResults, tmp_path: Path) -> None:
    assert list(toenail.tidy()["term"]) == toenail.model.exog_names
    assert len(toenail.tidy(effects="ran_vals")) == 294
    assert toenail.glance().loc[0, "groups"] == 294
    assert ".fitted" in toenail.augment(TOENAIL)
    text = toenail.summary(clock=False).as_text()
    for said in ("AGQ, 25 points", "Groups of patient:", "patient: sd(Intercept)", "0.5\n    chi2(0) + 0.5 chi2(1)"):
        assert said in text
    toenail.save(tmp_path / "fit")
    assert ls.load(tmp_path / "fit").summary(clock=False).as_text() == text
    small = toenail.remove_data()
    assert small.summary(clock=False).as_text() == text
    assert len(pickle.dumps(small)) < len(pickle.dumps(toenail)) / 2
    assert_allclose(small.predict(NEW), toenail.predict(NEW))
    with pytest.raises(NotAvailableError, match="remove_data"):
        small.variance_components(method="profile")


def test_arrays_and_formulas_agree() -> None:
    X = np.column_stack([np.ones(len(TOENAIL)), TOENAIL["time"]])
    groups = TOENAIL["patient"].to_numpy()
    arrays = ls.RandomEffectsLogit(TOENAIL["outcome"].to_numpy(), X, groups, quadrature=7).fit()
    formula = ls.melogit("outcome ~ time + (1 | patient)", TOENAIL, quadrature=7).fit()
    assert_allclose(arrays.params, formula.params, rtol=1e-10)
    both = ls.RandomEffectsLogit(TOENAIL["outcome"].to_numpy(), X, groups, exog_re=X).fit()
    slopes = ls.melogit("outcome ~ time + (time | patient)", TOENAIL).fit()
    assert_allclose(both.llf, slopes.llf, rtol=1e-9)


def test_rows_with_missing_groups_and_slopes_are_dropped_and_counted() -> None:
    data = TOENAIL.assign(patient=TOENAIL["patient"].astype(float), w=TOENAIL["time"])
    data.loc[3:5, "patient"] = np.nan
    data.loc[9, "w"] = np.nan
    res = ls.melogit("outcome ~ time + (w | patient)", data).fit()
    assert "4 dropped for missing values" in res.sample_line()
    assert "patient 3" in res.sample_line()
    assert "w 1" in res.sample_line()


def test_answers_that_make_no_sense_are_refused(toenail: ls.MixedResults) -> None:
    for name in (
        "llnull",
        "prsquared",
        "deviance",
        "score_test",
        "crosscheck",
        "get_margeff",
        "bootstrap",
        "hosmer_lemeshow",
    ):
        with pytest.raises(NotAvailableError):
            getattr(toenail, name)
        assert not hasattr(toenail, name)
    slopes = ls.melogit("outcome ~ time + (time | patient)", TOENAIL)
    with pytest.raises(NotAvailableError, match="random intercepts"):
        slopes.fit().icc()
    with pytest.raises(NotAvailableError, match="one random effect"):
        ls.melogit("outcome ~ time + (time | patient)", TOENAIL, quadrature=5).fit()
    with pytest.raises(UnknownOptionError):
        toenail.predict(effects="marginal")


# The formula.


@pytest.mark.parametrize(
    ("formula", "fixed", "random"),
    [
        ("y ~ x + (1 | id)", "y ~ x", ["(1 | id)"]),
        ("y ~ (1|id)", "y ~ 1", ["(1 | id)"]),
        ("s + f ~ x*z - 1 + (1 + x | a/b) + C(g)", "s + f ~ x*z - 1 + C(g)", ["(1 + x | a)", "(1 + x | a:b)"]),
        ("y ~ Q('a | b') + (1 + x || id)", "y ~ Q('a | b')", ["(1 + x || id)"]),
        ("y ~ I((a | b)) + (0 + x | Q('my id'))", "y ~ I((a | b))", ["(0 + x | my id)"]),
        ("y ~ bs(x, knots=(1, 2)) + (1 | a:b) + (1 | c)", "y ~ bs(x, knots=(1, 2))", ["(1 | a:b)", "(1 | c)"]),
    ],
)
def test_random_terms_are_split_off(formula: str, fixed: str, random: list[str]) -> None:
    found, terms = split_random_terms(formula)
    assert found == fixed
    assert [str(term) for term in terms] == random


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("y ~ x", "no random term"),
        ("y ~ x + 1 | id", "brackets of its own"),
        ("y ~ x:(1 | id)", "brackets of its own"),
        ("y ~ x + (1 | )", "no column name"),
        ("y ~ x - (1 | id)", "subtracted"),
        ("y ~ x + (1 | C(id))", "no column name"),
        ("(1 | id)", "no response"),
    ],
)
def test_random_terms_that_cannot_be_read(formula: str, said: str) -> None:
    with pytest.raises(FormulaError, match=said):
        ls.melogit(formula, TOENAIL)


# Bad input.


def small(**columns: object) -> pd.DataFrame:
    base = {"y": [0, 1, 0, 1, 1, 0, 0, 1], "x": [1, 2, 3, 4, 5, 6, 7, 8], "id": [1, 1, 2, 2, 3, 3, 4, 4]}
    return pd.DataFrame({**base, **columns})


def test_one_class_one_group_and_a_group_for_every_row() -> None:
    with pytest.raises(OneClassError):
        ls.melogit("y ~ x + (1 | id)", small(y=[1] * 8))
    with pytest.raises(DataError, match="single group"):
        ls.melogit("y ~ x + (1 | id)", small(id=[1] * 8)).fit()
    with pytest.raises(DataError, match="single row"):
        ls.melogit("y ~ x + (1 | id)", small(id=range(8))).fit()
    with pytest.raises(MissingColumnError, match="groups of"):
        ls.melogit("y ~ x + (1 | idd)", small())


def test_no_variation_within_any_group() -> None:
    with pytest.raises(EstimationError, match="all outcomes are the same"):
        ls.melogit("y ~ x + (1 | id)", small(y=[1, 1, 0, 0, 1, 1, 0, 0])).fit()


def test_separation_is_said() -> None:
    with pytest.raises(SeparationError, match="Random effects do not change that"):
        ls.melogit("y ~ x + (1 | id)", small(y=[0, 0, 0, 0, 1, 1, 1, 1], id=[1, 2, 1, 2, 1, 2, 1, 2])).fit()


def test_frequency_weights_that_make_no_groups() -> None:
    data = TOENAIL.assign(w=1 + TOENAIL["visit"] % 2)
    with pytest.raises(WeightError, match="vary within patient"):
        ls.melogit("outcome ~ time + (1 | patient)", data, freq_weights="w").fit()
    with pytest.raises(WeightError, match="crossed"):
        ls.melogit("agree ~ situ + (1 | person) + (1 | item)", VERBAGG.assign(w=1), freq_weights="w").fit()
