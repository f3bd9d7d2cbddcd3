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
from logit_stats.errors import DataError, NotAvailableError
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
