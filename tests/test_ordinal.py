"""Logits of ordered responses against independent values: R's numbers, statsmodels, and identities."""

from __future__ import annotations

import itertools
import json
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import logit_stats as ls
from logit_stats.errors import (
    CrossingWarning,
    DataError,
    NotAvailableError,
    RankDeficientError,
    SeparationError,
    UnknownOptionError,
)
from tests.cases import FOLDER

WINE = json.loads((FOLDER / "values" / "wine_ordinal.json").read_text())["values"]
SOUP = json.loads((FOLDER / "values" / "family" / "soup_ordinal.json").read_text())["values"]
MENTAL = json.loads((FOLDER / "values" / "family" / "mental_ordinal.json").read_text())["values"]
LEVELS = ["well", "mild", "moderate", "impaired"]
RHS = "prod + day + souptype + female + age"


def wine() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "data" / "wine.csv")


def soup() -> pd.DataFrame:
    data = pd.read_csv(FOLDER / "data" / "soup.csv")
    levels = {"souptype": ["selfmade", "canned", "drymix"], "prod": ["ref", "test"]}
    return data.astype({name: pd.CategoricalDtype(of) for name, of in levels.items()})


def mental() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "data" / "mental.csv")


def our_name(name: str) -> str:
    """R's name of a coefficient as it is here."""
    term, _, cut = name.partition(":") if "|" in name.partition(":")[2] else (name, "", "")
    for factor, level in (
        ("prod", "test"), ("souptype", "canned"), ("souptype", "drymix"), ("temp", "warm"), ("contact", "yes"),
    ):  # fmt: skip
        if term == factor + level:
            term = f"{factor}[T.{level}]"
    return f"{term}:{cut}" if cut else term


def order(res: Any, names: list[str]) -> list[int]:
    """Positions here of R's coefficients."""
    ours = list(res.model.exog_names)
    assert sorted(ours) == sorted(our_name(name) for name in names)
    return [ours.index(our_name(name)) for name in names]


def soup_model(case: str) -> Any:
    own = {
        "proportional_odds": ("cumulative", RHS, None),
        "partial_proportional_odds": ("cumulative", RHS, "day"),
        "non_proportional": ("cumulative", "prod + day", True),
        "adjacent_category": ("adjacent", RHS, None),
        "continuation_ratio": ("continuation", RHS, None),
    }
    kind, rhs, nonparallel = own[case]
    return ls.ologit(f"sureness ~ {rhs}", soup(), kind=kind, nonparallel=nonparallel)


def mental_model(case: str) -> Any:
    kind = {"adjacent_category": "adjacent", "continuation_ratio": "continuation"}.get(case, "cumulative")
    nonparallel = "ses" if case == "non_proportional" else None
    data = mental().assign(mental=lambda d: pd.Categorical(d.mental, LEVELS, ordered=True))
    model = ls.ologit("mental ~ ses", data, kind=kind, nonparallel=nonparallel, freq_weights="freq")
    return model


def cut_names(names: list[str]) -> list[str]:
    """R numbers the categories of mental impairment; here cuts are named by them."""
    for low, (a, b) in enumerate(itertools.pairwise(LEVELS), start=1):
        names = [name.replace(f"{low}|{low + 1}", f"{a}|{b}") for name in names]
    return names


def check(res: Any, reference: dict[str, Any], names: list[str]) -> None:
    at = order(res, names)
    np.testing.assert_allclose(np.asarray(res.params)[at], reference["coef"], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(np.asarray(res.bse)[at], reference["se"], rtol=1e-8)
    np.testing.assert_allclose(np.asarray(res.tvalues)[at], reference["z"], rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(np.asarray(res.pvalues)[at], reference["p"], rtol=1e-6)
    np.testing.assert_allclose(np.asarray(res.conf_int())[at], reference["wald_ci_95"], rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(np.asarray(res.cov_params())[np.ix_(at, at)], reference["vcov"], rtol=1e-7, atol=1e-10)
    assert res.llf == pytest.approx(reference["loglik"], rel=1e-12)
    assert res.aic == pytest.approx(reference["aic"], rel=1e-12)


@pytest.mark.parametrize(
    "case",
    ["proportional_odds", "partial_proportional_odds", "non_proportional", "adjacent_category", "continuation_ratio"],
)
def test_sureness_of_soup(case: str) -> None:
    reference = SOUP[case]
    res = soup_model(case).fit()
    check(res, reference, reference["names_r"])
    at = order(res, reference["names_r"])
    assert res.bic == pytest.approx(reference["bic"], rel=1e-12)
    np.testing.assert_allclose(res.predict().iloc[:10], reference["fitted_first_10"], rtol=1e-8)
    robust = np.asarray(res.with_cov("HC0").cov_params())[np.ix_(at, at)]
    np.testing.assert_allclose(robust, reference["robust"]["vcov"], rtol=1e-7, atol=1e-10)
    for correction, name in ((False, "no_correction"), ("G", "correction_G")):
        clustered = res.with_cov("cluster", groups="resp", use_correction=correction)
        np.testing.assert_allclose(np.asarray(clustered.bse)[at], reference["cluster_robust"][name]["se"], rtol=1e-8)


@pytest.mark.parametrize("case", ["proportional_odds", "non_proportional", "adjacent_category", "continuation_ratio"])
def test_mental_impairment_with_frequency_weights(case: str) -> None:
    reference = MENTAL[case]
    res = mental_model(case).fit()
    names = cut_names(reference["names_r"])
    check(res, reference, names)
    at = order(res, names)
    assert res.nobs == 1660
    robust = np.asarray(res.with_cov("HC0").cov_params())[np.ix_(at, at)]
    np.testing.assert_allclose(robust, reference["robust"]["vcov"], rtol=1e-7, atol=1e-10)


def test_wine() -> None:
    res = ls.ologit("rating ~ temp + contact", wine()).fit()
    check(res, WINE, WINE["names_r"])
    assert res.llnull == pytest.approx(WINE["loglik_null"], rel=1e-12)
    assert res.llr == pytest.approx(WINE["likelihood_ratio"]["statistic"], rel=1e-10)
    assert res.llr_pvalue == pytest.approx(WINE["likelihood_ratio"]["p"], rel=1e-8)
    np.testing.assert_allclose(res.odds_ratios()["odds_ratio"].iloc[::-1].sort_index().to_numpy(),
                               sorted(WINE["odds_ratio"]), rtol=1e-8)  # fmt: skip
    np.testing.assert_allclose(res.predict(WINE["newdata"]), WINE["prob_newdata"], rtol=1e-8)
    larger = ls.ologit("rating ~ temp * contact", wine()).fit()
    at = order_of_interaction(larger)
    np.testing.assert_allclose(np.asarray(larger.params)[at], WINE["with_interaction"]["coef"], rtol=1e-8)
    np.testing.assert_allclose(np.asarray(larger.bse)[at], WINE["with_interaction"]["se"], rtol=1e-8)
    assert larger.lr_test(res).statistic == pytest.approx(2 * (WINE["with_interaction"]["loglik"] - WINE["loglik"]))


def order_of_interaction(res: Any) -> list[int]:
    ours = ["1|2", "2|3", "3|4", "4|5", "temp[T.warm]", "contact[T.yes]", "temp[T.warm]:contact[T.yes]"]
    return [list(res.model.exog_names).index(name) for name in ours]


def test_thresholds_that_run_away_have_no_estimate_and_a_likelihood_all_the_same() -> None:
    # with slopes of their own the wine data are separated: R gives the supremum of the likelihood, which is no fit
    found = ls.ologit("rating ~ temp + contact", wine()).fit().parallel_test()
    reference = WINE["proportional_odds_lr_by_term"]
    for term, lr in zip(reference["terms"], reference["lr"], strict=True):
        if np.isfinite(found.frame.loc[term, "statistic"]):
            assert found.frame.loc[term, "statistic"] == pytest.approx(lr, rel=1e-7)
        else:
            assert term in found.notes[0]


def test_brant() -> None:
    found = soup_model("proportional_odds").fit().brant()
    reference = SOUP["brant"]
    assert found.overall["statistic"] == pytest.approx(reference["overall"]["statistic"], rel=1e-8)
    assert found.overall["df"] == reference["overall"]["df"]
    assert found.overall["p_value"] == pytest.approx(reference["overall"]["p"], rel=1e-7)
    for term, of_term in reference["by_term"].items():
        assert found.frame.loc[term, "statistic"] == pytest.approx(of_term["statistic"], rel=1e-8)
        assert found.frame.loc[term, "df"] == of_term["df"]
    columns = [our_name(name) for name in reference["names"]]
    np.testing.assert_allclose(found.coefficients.loc[columns].T, reference["binary_coef_by_cut"], rtol=1e-7)


def test_brant_counts_frequency_weights() -> None:
    found = mental_model("proportional_odds").fit().brant()
    assert found.overall["statistic"] == pytest.approx(MENTAL["brant"]["overall"]["statistic"], rel=1e-8)
    np.testing.assert_allclose(np.ravel(found.coefficients), np.ravel(MENTAL["brant"]["binary_coef_by_cut"]), rtol=1e-7)


def test_likelihood_ratios_of_proportionality() -> None:
    found = soup_model("proportional_odds").fit().parallel_test()
    reference = SOUP["partial_proportional_odds"]["lr_against_proportional_odds"]
    assert found.frame.loc["day", "statistic"] == pytest.approx(reference["statistic"], rel=1e-8)
    assert found.frame.loc["day", "df"] == reference["df"]
    # the same question from the larger model
    back = soup_model("partial_proportional_odds").fit().parallel_test()
    assert back.frame.loc["day", "statistic"] == pytest.approx(reference["statistic"], rel=1e-8)
    for case in ("adjacent_category", "continuation_ratio"):
        of_all = soup_model(case).fit().parallel_test().overall
        known = SOUP[case]["own_coefficients_for_every_cut"]["lr_against_common"]
        assert of_all["statistic"] == pytest.approx(known["statistic"], rel=1e-7)
        assert of_all["df"] == known["df"]


@pytest.mark.parametrize("case", ["adjacent_category", "continuation_ratio"])
def test_slopes_of_their_own_for_every_cut(case: str) -> None:
    kind = case.split("_", maxsplit=1)[0]
    reference = SOUP[case]["own_coefficients_for_every_cut"]
    res = ls.ologit(f"sureness ~ {RHS}", soup(), kind=kind, nonparallel=True).fit()
    at = order(res, reference["names_r"])
    np.testing.assert_allclose(np.asarray(res.params)[at], reference["coef"], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(np.asarray(res.bse)[at], reference["se"], rtol=1e-8)
    assert res.llf == pytest.approx(reference["loglik"], rel=1e-12)


def test_offset() -> None:
    data = soup().assign(known=lambda d: -0.2 * (d.age - 2))
    res = ls.ologit(f"sureness ~ {RHS}", data, offset="known").fit()
    reference = SOUP["with_offset"]
    at = order(res, reference["names_r"])
    np.testing.assert_allclose(np.asarray(res.params)[at], reference["coef"], rtol=1e-8)
    np.testing.assert_allclose(np.asarray(res.bse)[at], reference["se"], rtol=1e-8)
    assert res.llf == pytest.approx(reference["loglik"], rel=1e-12)
    # what is moved from a slope to an offset changes nothing else
    plain = soup_model("proportional_odds").fit()
    np.testing.assert_allclose(res.predict(), plain.predict(), rtol=1e-8)
    np.testing.assert_allclose(res.predict(data.head()), plain.predict(data.head()), rtol=1e-8)
    assert res.params["age"] == pytest.approx(plain.params["age"] + 0.2, rel=1e-8)
    # the constants of the null model are those of the thresholds alone
    held = ls.ologit("sureness ~ age", data, offset="known").fit()
    assert held.llnull < held.llf


def test_average_effects() -> None:
    res = soup_model("proportional_odds").fit()
    frame = res.margins().frame
    for name, reference in SOUP["proportional_odds"]["average_marginal_effects"].items():
        variable = name.split("_")[0]
        mine = frame[frame["variable"] == variable]
        if reference["kind"] == "change" and "_" in name:
            mine = mine[mine["contrast"].str.startswith(reference["to"])]
        np.testing.assert_allclose(mine["estimate"], reference["estimate"], rtol=1e-8)
        np.testing.assert_allclose(mine["std_error"], reference["se"], rtol=1e-7)
    weighted = mental_model("proportional_odds").fit().margins().frame
    reference = MENTAL["proportional_odds"]["average_marginal_effects"]["ses"]
    np.testing.assert_allclose(weighted["estimate"], reference["estimate"], rtol=1e-8)
    np.testing.assert_allclose(weighted["std_error"], reference["se"], rtol=1e-7)


def test_predictions_with_errors() -> None:
    res = soup_model("proportional_odds").fit()
    reference = SOUP["proportional_odds"]["prediction"]
    X = np.array(reference["X"], dtype=float)
    kinds = np.where(X[:, 2] == 1, "canned", np.where(X[:, 3] == 1, "drymix", "selfmade"))
    new = {
        "prod": np.where(X[:, 0] == 1, "test", "ref"),
        "day": X[:, 1],
        "souptype": kinds,
        "female": X[:, 4],
        "age": X[:, 5],
    }
    for which, name in (("mean", "prob"), ("cumulative", "cumulative_prob")):
        np.testing.assert_allclose(res.predict(new, which=which), reference[name], rtol=1e-8)
        found = res.get_prediction(new, which=which)
        np.testing.assert_allclose(found.predicted, reference[name], rtol=1e-8)
        np.testing.assert_allclose(found.se, reference[f"se_{name}"], rtol=1e-7)


def test_profile_limits() -> None:
    limits = soup_model("proportional_odds").fit().conf_int(method="profile")
    known = SOUP["proportional_odds"]["profile_ci_95"]
    for name, reference in zip(known["names_r"], known["limits"], strict=True):
        np.testing.assert_allclose(limits.loc[our_name(name)], reference, rtol=1e-7, atol=1e-8)
    of_ses = mental_model("proportional_odds").fit().conf_int(method="profile").loc["ses"]
    np.testing.assert_allclose([of_ses], MENTAL["proportional_odds"]["profile_ci_95_ses"], rtol=1e-7)


def draws(rows: int = 400, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, year = rng.normal(size=rows), rng.integers(1990, 2021, rows).astype(float)
    g = rng.choice(["a", "b", "c"], rows)
    latent = 0.7 * x + 0.05 * (year - 2005) + 0.6 * (g == "b") + rng.logistic(size=rows)
    return pd.DataFrame({"x": x, "year": year, "g": g, "y": np.digitize(latent, [-1.0, 0.3, 1.5])})


KINDS = ["cumulative", "adjacent", "continuation"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nonparallel", [None, "x", True])
def test_score_and_information_are_derivatives(kind: str, nonparallel: Any) -> None:
    model = ls.ologit("y ~ x + g", draws(300), kind=kind, nonparallel=nonparallel)
    b = np.asarray(model.fit().params) * 0.9
    if kind == "cumulative":
        b[-3:] = [-1.2, 0.1, 1.3]
    step = 1e-6 * np.eye(len(b))
    numeric = [(model.loglike(b + s) - model.loglike(b - s)) / 2e-6 for s in step]
    np.testing.assert_allclose(model.score(b), numeric, rtol=1e-6, atol=1e-6)
    numeric = [(model.score(b + s) - model.score(b - s)) / 2e-6 for s in step]
    np.testing.assert_allclose(model.hessian(b), numeric, rtol=1e-6, atol=1e-6)
    assert model.loglikeobs(b).sum() == pytest.approx(model.loglike(b), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_outcomes_move_with_the_predictors_as_their_derivatives_say(kind: str) -> None:
    model = ls.ologit("y ~ x", draws(60), kind=kind, nonparallel=True)
    rng, h = np.random.default_rng(0), 1e-6
    eta = np.sort(rng.normal(size=(30, 3)) * 2.0, axis=1)[:, ::-1].copy()
    here = model.outcomes(eta)
    np.testing.assert_allclose(here.prob.sum(axis=0), 1.0, rtol=1e-14)
    np.testing.assert_allclose(here.prob + here.complement, 1.0, rtol=1e-14)
    np.testing.assert_allclose(here.first.sum(axis=0), 0.0, atol=1e-14)
    for f in range(3):
        shift = h * np.eye(3)[f]
        high, low = model.outcomes(eta + shift), model.outcomes(eta - shift)
        np.testing.assert_allclose((high.prob - low.prob) / (2 * h), here.first[:, f], atol=1e-9)
        np.testing.assert_allclose((high.first - low.first) / (2 * h), here.second()[:, :, f], atol=1e-9)


def test_probabilities_keep_their_digits_in_both_tails() -> None:
    import mpmath as mp

    model = ls.ologit("y ~ x", draws(60))
    F = lambda t: 1 / (1 + mp.exp(-mp.mpf(float(t))))  # noqa: E731
    for eta in ([40.0, 39.9, 39.8], [-38.0, -38.000001, -39.0], [2.0, 2.0 - 1e-9, -3.0], [300.0, 0.0, -300.0]):
        found = model.outcomes(np.array([eta]))
        exact = [1 - F(eta[0]), F(eta[0]) - F(eta[1]), F(eta[1]) - F(eta[2]), F(eta[2])]
        if abs(eta[0]) < 100:
            with mp.workdps(60):
                exact = [F(-eta[0]), F(eta[0]) - F(eta[1]), F(eta[1]) - F(eta[2]), F(eta[2])]
            np.testing.assert_allclose(found.prob[:, 0], [float(p) for p in exact], rtol=1e-13)
        assert (found.prob >= 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nonparallel", [None, "x"])
def test_answers_do_not_depend_on_origin_and_unit(kind: str, nonparallel: Any) -> None:
    data = draws()
    moved = data.assign(x=data.x * 1e6 + 1e9, year=data.year / 1e5)
    one, other = (ls.ologit("y ~ x + year + g", d, kind=kind, nonparallel=nonparallel).fit() for d in (data, moved))
    assert other.llf == pytest.approx(one.llf, rel=1e-11)
    np.testing.assert_allclose(np.asarray(other.tvalues)[:-3], np.asarray(one.tvalues)[:-3], rtol=1e-6)
    np.testing.assert_allclose(other.predict(), one.predict(), rtol=1e-6)
    np.testing.assert_allclose(other.margins("g").frame["std_error"], one.margins("g").frame["std_error"], rtol=1e-6)


def test_turning_the_order_round_turns_the_signs() -> None:
    data = draws()
    for kind in ("cumulative", "adjacent"):
        one = ls.ologit("y ~ x + g", data, kind=kind).fit()
        other = ls.ologit("y ~ x + g", data, kind=kind, levels=[3, 2, 1, 0]).fit()
        np.testing.assert_allclose(other.slopes, -one.slopes, rtol=1e-8)
        np.testing.assert_allclose(other.thresholds.to_numpy()[::-1], -one.thresholds.to_numpy(), rtol=1e-8)
        assert other.llf == pytest.approx(one.llf, rel=1e-12)
        assert list(other.params.index[-3:]) == ["3|2", "2|1", "1|0"]


def test_adjacent_categories_with_slopes_of_their_own_are_a_multinomial_logit() -> None:
    data = draws()
    res = ls.ologit("y ~ x + g", data, kind="adjacent", nonparallel=True).fit()
    other = ls.mnlogit("y ~ x + g", data).fit()
    assert res.llf == pytest.approx(other.llf, rel=1e-12)
    np.testing.assert_allclose(res.predict(), other.predict(), rtol=1e-8)


def test_continuation_ratios_are_binary_logits_of_going_on() -> None:
    data = draws()
    res = ls.ologit("y ~ x + year", data, kind="continuation", nonparallel=True).fit()
    for j in range(3):
        part = data[data.y >= j]
        binary = ls.logit(f"I(y > {j}) ~ x + year", part).fit()
        np.testing.assert_allclose(res.params[f"x:{j}|{j + 1}"], binary.params["x"], rtol=1e-8)
        np.testing.assert_allclose(res.bse[f"x:{j}|{j + 1}"], binary.bse["x"], rtol=1e-8)


def test_two_cuts_at_once_are_one_binary_logit_each_in_the_marginal_tails() -> None:
    # with slopes of their own for a factor alone, every cut reproduces the observed shares exactly
    data = draws()
    res = ls.ologit("y ~ g", data, nonparallel=True).fit()
    shares = pd.crosstab(data.g, data.y, normalize="index")
    np.testing.assert_allclose(res.predict({"g": ["a", "b", "c"]}), shares, rtol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_frequency_weights_are_rows_repeated(kind: str) -> None:
    data = draws(200)
    times = np.random.default_rng(1).integers(1, 4, 200)
    one = ls.ologit("y ~ x + g", data.assign(w=times), kind=kind, freq_weights="w").fit()
    other = ls.ologit("y ~ x + g", data.loc[data.index.repeat(times)].reset_index(drop=True), kind=kind).fit()
    np.testing.assert_allclose(one.params, other.params, rtol=1e-8)
    np.testing.assert_allclose(one.bse, other.bse, rtol=1e-8)
    np.testing.assert_allclose(one.with_cov("HC1").bse, other.with_cov("HC1").bse, rtol=1e-8)
    assert one.llnull == pytest.approx(other.llnull, rel=1e-12)
    np.testing.assert_allclose(one.pred_table(), other.pred_table())


def test_sampling_weights() -> None:
    data = draws(200).assign(w=np.random.default_rng(1).uniform(0.5, 2.0, 200))
    res = ls.ologit("y ~ x + g", data, sampling_weights="w").fit()
    assert res.cov_type == "survey"
    same = ls.ologit("y ~ x + g", data.assign(w=2.0), sampling_weights="w").fit()
    np.testing.assert_allclose(same.params, ls.ologit("y ~ x + g", data).fit().params, rtol=1e-8)
    with pytest.raises(NotAvailableError, match="sampling weights"):
        res.anova()
    with pytest.raises(NotAvailableError, match="sampling weights"):
        res.brant()
    assert np.isfinite(res.margins().frame["std_error"]).all()


def test_arrays_and_formulas_are_one_model() -> None:
    data = draws()
    X = data[["x", "year"]].to_numpy()
    res = ls.OrderedLogit(data.y.to_numpy(), X).fit()
    formula = ls.ologit("y ~ x + year", data).fit()
    np.testing.assert_allclose(res.params, formula.params, rtol=1e-8)
    assert res.model.exog_names == ["x1", "x2", "0|1", "1|2", "2|3"]
    np.testing.assert_allclose(res.predict(X[:5]), formula.predict(data.head()), rtol=1e-8)
    np.testing.assert_allclose(res.get_prediction(X[:5]).se, formula.get_prediction(data.head()).se, rtol=1e-7)
    # a constant that was there is the thresholds' too, whatever its value
    with_constant = ls.OrderedLogit(data.y.to_numpy(), np.column_stack([X, np.full(len(X), 5.0)])).fit()
    np.testing.assert_allclose(with_constant.params[:2], res.params[:2], rtol=1e-8)
    np.testing.assert_allclose(with_constant.predict(), res.predict(), rtol=1e-8)
    # and statsmodels' way of leaving it out of a formula changes nothing
    np.testing.assert_allclose(ls.ologit("y ~ 0 + x + year", data).fit().params, formula.params, rtol=1e-12)
    np.testing.assert_allclose(
        ls.ologit("y ~ 0 + g + x", data).fit().params, ls.ologit("y ~ g + x", data).fit().params, rtol=1e-12
    )
    frame = ls.OrderedLogit(data.y, data[["x", "year"]]).fit()
    np.testing.assert_allclose(frame.predict(data[["year", "x"]].head()), formula.predict(data.head()), rtol=1e-8)


def test_statsmodels_names() -> None:
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    data = draws()
    X = data[["x", "year"]].assign(year=lambda d: d.year - 2005)
    with warnings.catch_warnings():  # its Newton's method reaches the end and does not see it
        warnings.simplefilter("ignore")
        theirs = OrderedModel(data.y, X, distr="logit").fit(method="newton", disp=0, tol=1e-12, maxiter=100)
    model = ls.OrderedLogit(data.y, X, distr="logit")
    res = model.fit(method="bfgs", disp=False, maxiter=200)
    cuts = theirs.model.transform_threshold_params(theirs.params)
    np.testing.assert_allclose(model.transform_threshold_params(res.params), cuts, rtol=1e-4)
    res = model.fit()
    np.testing.assert_allclose(model.transform_threshold_params(res.params), cuts, rtol=1e-6)
    np.testing.assert_allclose(res.resid_prob, theirs.resid_prob, atol=1e-7)
    assert model.k_levels == 4
    assert model.k_vars == 2
    assert list(model.labels) == [0, 1, 2, 3]
    for name in ("prob", "linpred", "cumprob"):
        mine, its = res.predict(X, which=name), theirs.predict(X, which=name)
        np.testing.assert_allclose(mine, np.asarray(its)[:, :3] if name == "cumprob" else its, atol=1e-6)
        np.testing.assert_allclose(model.predict(res.params, X, which=name), mine, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(res.pred_table(), theirs.pred_table().iloc[:4, :4])
    with pytest.raises(DataError, match="package of logits"):
        ls.OrderedLogit(data.y, X, distr="probit")


def test_crosscheck() -> None:
    res = ls.ologit("y ~ x + g", draws()).fit()
    found = res.crosscheck()
    assert found.passed, str(found)
    weighted = ls.ologit("rating ~ temp", wine().assign(w=2), freq_weights="w").fit().crosscheck()
    assert weighted.passed, str(weighted)
    other = ls.ologit("y ~ x + g", draws(), kind="adjacent").fit().crosscheck()
    assert not other.passed
    assert "proportional odds alone" in other.failure


# What cannot be fitted, and what is noticed.

WORDS = np.array(["low", "mid", "high", "top"])


@pytest.mark.parametrize(
    ("change", "settings", "words"),
    [
        (lambda d: d.assign(y=(d.y > 1).astype(int)), {}, "two categories .* Use logit"),
        (lambda d: d.assign(y=1), {}, "holds only 1"),
        (lambda d: d.assign(y=WORDS[d.y]), {}, "nothing says in which order"),
        (lambda d: d.assign(y=pd.Categorical(WORDS[d.y])), {}, "nothing says in which order"),
        (lambda d: d.assign(y=WORDS[d.y]), {"levels": ["low", "mid", "high"]}, "leaves out 'top'"),
        (lambda d: d.assign(y=WORDS[d.y]), {"levels": [*WORDS, "low"]}, "more than once"),
        (lambda d: d.assign(y=WORDS[d.y]), {"levels": "low"}, "must be a list"),
        (lambda d: d.assign(y=d.x), {}, "a measurement"),
        (lambda d: d, {"nonparallel": "z"}, "no term of the model; it has g, x"),
        (lambda d: d, {"nonparallel": "x + ("}, "cannot be read"),
        (lambda d: d, {"nonparallel": 3}, "must be True"),
        (lambda d: d, {"kind": "probit"}, "cumulative"),
    ],
)
def test_bad_input_is_named(change: Any, settings: dict[str, Any], words: str) -> None:
    with pytest.raises((DataError, UnknownOptionError), match=words):
        ls.ologit("y ~ x + g", change(draws(120)), **settings)


def test_other_bad_input_is_named() -> None:
    data = draws(120)
    with pytest.raises(DataError, match="nothing to explain"):
        ls.ologit("y ~ 1", data)
    with pytest.raises(DataError, match="two columns of counts"):
        ls.ologit("y + year ~ x", data)
    model = ls.ologit("y ~ x", data)
    with pytest.raises(DataError, match=r"0\|1 = 2 is not below 1\|2 = 1"):
        model.fit(start_params=[0.1, 2.0, 1.0, 0.0])
    with pytest.raises(DataError, match="params has 3 values"):
        model.fit(start_params=[0.1, 2.0, 1.0])
    with pytest.raises(RankDeficientError, match="w"):
        ls.ologit("y ~ x + w", data.assign(w=2 * data.x)).fit()
    # a start that is far away does no harm
    far = model.fit(start_params=[50.0, -100.0, 0.0, 100.0])
    np.testing.assert_allclose(far.params, model.fit().params, rtol=1e-8)


def test_the_order_may_be_stated_in_several_ways() -> None:
    data = draws(200)
    known = ls.ologit("y ~ x", data).fit().params.to_numpy()
    text = data.assign(y=WORDS[data.y])
    for ordered, levels in (
        (text, list(WORDS)),
        (text.assign(y=pd.Categorical(text.y, WORDS, ordered=True)), None),
        (text.assign(y=pd.Categorical(text.y, WORDS)), None),
        (data.assign(y=data.y.astype(float)), [0, 1, 2, 3]),
    ):
        np.testing.assert_allclose(ls.ologit("y ~ x", ordered, levels=levels).fit().params, known, rtol=1e-12)
    arrays = ls.OrderedLogit(pd.Categorical(text.y, WORDS, ordered=True), data.x.to_numpy()).fit()
    np.testing.assert_allclose(arrays.params, known, rtol=1e-12)
    assert arrays.model.exog_names[1:] == ["low|mid", "mid|high", "high|top"]


def test_a_category_that_is_empty_is_left_out_and_said() -> None:
    data = draws(200)
    text = data.assign(y=WORDS[data.y])
    res = ls.ologit("y ~ x", text, levels=["low", "rare", "mid", "high", "top"]).fit()
    np.testing.assert_allclose(res.params, ls.ologit("y ~ x", data).fit().params, rtol=1e-12)
    assert res.model.exog_names[1] == "low|mid"
    assert "Left out, because no row used has it: y = rare" in " ".join(res.summary_notes())


@pytest.mark.parametrize("rare", [1, 3])
def test_a_rare_category_costs_no_digits(rare: int) -> None:
    y = np.r_[np.zeros(500), np.ones(rare), np.full(500, 2)]
    x = np.random.default_rng(1).normal(size=len(y)) + 0.5 * y
    model = ls.OrderedLogit(y, x)
    res = model.fit()
    assert res.converged
    assert (
        np.abs(model.score(res.params) @ np.linalg.solve(model.information(res.params), model.score(res.params)))
        < 1e-18
    )
    prob = res.predict()
    assert (prob > 0).all()
    # the thresholds make the expected number of each category about its count
    np.testing.assert_allclose(prob.sum(axis=0), [500, rare, 500], rtol=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_separation_is_told(kind: str) -> None:
    data = draws(120)
    parted = data.assign(z=(data.y > 1) * 1.0)
    with pytest.raises(SeparationError, match=r"on which side of some cut y lies.*z -> \+inf"):
        ls.ologit("y ~ x + z", parted, kind=kind).fit()
    found = ls.ologit("y ~ x + z", parted, kind=kind).separation()
    assert found.kind == "quasi-complete"
    assert found.infinite["z"] == np.inf
    assert "x" not in found.infinite
    # to check: along the direction the likelihood never falls
    model = ls.ologit("y ~ x + z", parted, kind=kind)
    b, d = np.asarray(ls.ologit("y ~ x", data, kind=kind).fit().params), found.direction
    b = np.insert(b, 1, 0.0)
    heights = [model.loglike(b + t * d) for t in (0.0, 1.0, 3.0, 10.0, 30.0)]
    assert (np.diff(heights) > 0).all()
    assert ls.ologit("y ~ x", data, kind=kind).separation().kind == "none"


def test_crossing_is_noticed() -> None:
    data = draws(60)
    with pytest.warns(CrossingWarning, match="of 60 rows cross"):
        res = ls.ologit("y ~ x + g", data, nonparallel=True).fit()
    assert any("cross" in note for note in res.summary_notes())
    fine = ls.ologit("y ~ x + g", draws(400), nonparallel="x").fit()
    assert not any("cross" in note for note in fine.summary_notes())
    sign = np.sign(fine.params["x:1|2"] - fine.params["x:0|1"])  # where the second cut overtakes the first
    with pytest.warns(CrossingWarning, match="of 1 rows cross"):
        assert (fine.predict({"x": [sign * 20.0], "g": ["a"]}).to_numpy() < 0).any()
    for kind in ("adjacent", "continuation"):
        other = ls.ologit("y ~ x + g", data, nonparallel=True, kind=kind).fit()
        assert (other.predict() > 0).all().all()


# Answers.


def test_surrogate_residuals_are_a_logistic_sample_where_the_model_holds() -> None:
    from scipy import stats

    data = draws(4000, seed=11)
    res = ls.ologit("y ~ x + year + g", data).fit()
    found = res.resid_surrogate(seed=7)
    assert found.equals(res.resid_surrogate(seed=7))
    assert not found.equals(res.resid_surrogate(seed=8))
    assert stats.kstest(found, stats.logistic.cdf).pvalue > 0.01
    assert abs(np.corrcoef(found, data.x)[0, 1]) < 0.05
    # the latent draw lies between the thresholds of the observed category
    latent = found + res.fittedvalues
    inside = np.digitize(latent, res.thresholds)
    np.testing.assert_array_equal(inside, data.y)
    # and where a column is missing they show it
    short = ls.ologit("y ~ x", data).fit()
    assert abs(np.corrcoef(short.resid_surrogate(seed=7), data.year)[0, 1]) > 0.15


def test_probability_residuals_have_mean_zero() -> None:
    res = ls.ologit("y ~ g", draws(), nonparallel=True).fit()
    assert abs(res.resid_prob.mean()) < 1e-10
    assert res.resid_prob.between(-1, 1).all()


def test_means_on_the_latent_scale_are_those_of_emmeans() -> None:
    # R 4.2.2, emmeans 1.8.4.1: emmeans(clm(sureness ~ prod + day + souptype + female + age), "souptype", mode = "latent")
    res = soup_model("proportional_odds").fit()
    found = res.means("souptype")
    frame = found.summary_frame()
    np.testing.assert_allclose(frame["link"], [0.696908504365237, 0.826366974300419, 0.818535043370565], rtol=1e-10)
    np.testing.assert_allclose(frame["se_link"], [0.120373345141719, 0.138393289435555, 0.180344910903010], rtol=1e-10)
    pairs = found.pairs("none")
    np.testing.assert_allclose(
        pairs["estimate"], [-0.12945846993518156, -0.12162653900532776, 0.00783193092985381], rtol=1e-9
    )
    np.testing.assert_allclose(
        pairs["std_error"], [0.175455011412632, 0.212570700106373, 0.224797133266399], rtol=1e-10
    )
    assert "latent scale" in str(found)


def test_score_test_of_adjacent_categories_is_the_linear_by_linear_test() -> None:
    # against the null model it is n r² of the column and the category's number (Agresti 2013, section 3.4.1, with n for n - 1)
    data = draws().assign(two=lambda d: (d.g == "b").astype(float))
    found = ls.ologit("y ~ two", data, kind="adjacent").fit().anova(1, "score").frame.loc["two"]
    assert found["statistic"] == pytest.approx(len(data) * np.corrcoef(data.two, data.y)[0, 1] ** 2, rel=1e-10)


def test_analysis_of_deviance_is_made_of_refits() -> None:
    data = draws()
    res = ls.ologit("y ~ x + year + g", data).fit()
    without = ls.ologit("y ~ x + year", data).fit()
    assert res.anova(2).frame.loc["g", "statistic"] == pytest.approx(2 * (res.llf - without.llf), rel=1e-9)
    assert res.anova(2).frame.loc["g", "df"] == 2
    assert without.add1("g").frame.loc["g", "lr"] == pytest.approx(2 * (res.llf - without.llf), rel=1e-9)
    assert res.drop1().frame.loc["g", "lr"] == pytest.approx(2 * (res.llf - without.llf), rel=1e-9)
    score = without.score_test("g").statistic
    assert score == pytest.approx(2 * (res.llf - without.llf), rel=0.1)
    assert without.score_test("g", robust=True).statistic == pytest.approx(score, rel=0.2)
    partial = ls.ologit("y ~ x + year + g", data, nonparallel="g").fit()
    assert partial.anova(2).frame.loc["g", "df"] == 6
    assert partial.lr_test(res).df == 4


def test_tables() -> None:
    data = draws()
    res = ls.ologit("y ~ x + g", data).fit()
    frame = res.tidy(exponentiate=True).set_index("term")
    assert frame.loc["x", "estimate"] == pytest.approx(np.exp(res.params["x"]))
    assert frame.loc["0|1", "estimate"] == pytest.approx(res.params["0|1"])
    assert list(frame["coef_type"]) == ["coefficient"] * 3 + ["threshold"] * 3
    assert list(res.odds_ratios().index) == ["g[T.b]", "g[T.c]", "x"]
    assert res.glance().loc[0, "df_model"] == 3
    beside = res.augment(data)
    np.testing.assert_allclose(beside[[f".prob_{j}" for j in range(4)]], res.predict())
    text = res.summary(clock=False).as_text()
    assert text.index("g[T.b]") < text.index("x  ") < text.index("0|1") < text.index("2|3")
    assert "Ordered Logit Regression Results" in text
    assert max(map(len, text.splitlines())) <= 90
    assert "OrderedLogit Marginal Effects" in str(res.get_margeff().summary())
    assert "0 < 1 < 2 < 3" in " ".join(res.summary_notes())
    assert res.classification().accuracy == pytest.approx((res.predict(which="class") == data.y).mean())
    np.testing.assert_allclose(res.margins("x").frame["estimate"].sum(), 0.0, atol=1e-12)
    average = res.average_prediction()
    np.testing.assert_allclose(average.estimate, res.predict().mean())
    table = str(ls.compare(res, ls.ologit("y ~ x", data).fit()))
    assert "0|1" in table
    with pytest.raises(NotAvailableError, match="in order"):
        res.hosmer_lemeshow()
    assert "20 resamples" in str(res.bootstrap(reps=20, seed=1))


def test_the_bootstrap_agrees_with_robust_errors() -> None:
    res = ls.ologit("y ~ x + g", draws(), nonparallel="x").fit()
    found = res.bootstrap(reps=200, seed=1, progress=False)
    np.testing.assert_allclose(np.asarray(found.standard_errors), res.with_cov("HC1").bse, rtol=0.25)
    assert (np.asarray(res.with_cov("HC3").bse) > np.asarray(res.with_cov("HC0").bse)).all()


def test_influence_foretells_a_refit() -> None:
    data = draws(150)
    res = ls.ologit("y ~ x + g", data).fit()
    row = res.get_influence().summary_frame()["cooks_d"].idxmax()
    without = ls.ologit("y ~ x + g", data.drop(index=row)).fit()
    foretold = res.get_influence().summary_frame().filter(like="dfb_").loc[row].to_numpy()
    np.testing.assert_allclose(foretold, (res.params - without.params) / res.bse, rtol=0.15, atol=0.01)


def test_results_without_rows_predict() -> None:
    data = draws()
    res = ls.ologit("y ~ x + g", data, nonparallel="x").fit()
    small = res.remove_data()
    np.testing.assert_array_equal(small.predict(data.head()), res.predict(data.head()))
    assert small.summary(clock=False).as_text() == res.summary(clock=False).as_text()
    for which in ("linear", "cumulative", "class"):
        np.testing.assert_array_equal(small.predict(data.head(), which=which), res.predict(data.head(), which=which))
    np.testing.assert_array_equal(small.wald_test("x:0|1 = x:1|2").statistic, res.wald_test("x:0|1 = x:1|2").statistic)
    for ask in (small.brant, small.parallel_test, small.resid_surrogate, lambda: small.resid_prob):
        with pytest.raises(NotAvailableError, match="rows"):
            ask()


def test_changes_and_pairs_are_those_of_the_latent_scale() -> None:
    data = draws()
    res = ls.ologit("y ~ x + year + g", data).fit()
    units = res.odds_ratios(units={"year": 10, "g": None}).set_index("change")
    assert units.loc["year + 10", "odds_ratio"] == pytest.approx(np.exp(10 * res.params["year"]))
    assert units.loc["g b against a", "std_error"] == pytest.approx(res.odds_ratios().loc["g[T.b]", "std_error"])
    found = res.t_test_pairwise("g").frame
    pairs = res.means("g").pairs("none")
    np.testing.assert_allclose(np.abs(found.iloc[:, 0]), np.abs(pairs["estimate"]), rtol=1e-9)
    np.testing.assert_allclose(found.iloc[:, 1], pairs["std_error"], rtol=1e-9)
    with pytest.raises(NotAvailableError, match="one slope for all cuts"):
        ls.ologit("y ~ x + year + g", data, nonparallel="x").fit().odds_ratios(units={"year": 10})


def test_a_page_and_a_text() -> None:
    res = ls.ologit("y ~ x + g", draws(), nonparallel="x").fit()
    page = res.report()
    assert "x:0|1" in page
    assert "in the order 0 &lt; 1 &lt; 2 &lt; 3" in page
    carried = ls.from_json(res.to_json())
    new = {"x": [0.5, -1.0], "g": ["a", "c"]}
    np.testing.assert_allclose(carried.predict(new), res.predict(new), rtol=1e-12)


def test_results_can_be_kept(tmp_path: Any) -> None:
    res = ls.ologit("y ~ x + g", draws(), nonparallel="x", kind="continuation").fit()
    res.save(tmp_path / "ordered.pkl")
    back = ls.load(tmp_path / "ordered.pkl")
    np.testing.assert_array_equal(back.params, res.params)
    np.testing.assert_array_equal(back.predict(draws().head()), res.predict(draws().head()))
    assert back.parallel_test().frame.equals(res.parallel_test().frame)


@pytest.mark.parametrize("kind", KINDS)
def test_other_optimisers_find_the_same(kind: str) -> None:
    model = ls.ologit("y ~ x + g", draws(), kind=kind)
    best = model.fit()
    for method in ("bfgs", "lbfgs"):
        np.testing.assert_allclose(model.fit(method=method, maxiter=300).params, best.params, atol=1e-4)
