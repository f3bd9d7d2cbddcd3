"""Tests of hypotheses against R's values, statsmodels, and each other."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose
from scipy import stats

import logit_stats as ls
from logit_stats.errors import DataError, FormulaError, MissingDataError, NotAvailableError, UnknownOptionError
from logit_stats.inference.multiple_testing import adjusted_pvalues
from tests.cases import STANDARD_CASES, load_case

TERM_CASES = [name for name in STANDARD_CASES if "terms" in load_case(name).values]


def fitted(name: str) -> ls.LogitResults:
    case = load_case(name)
    formula, arguments = case.model_arguments()
    return ls.logit(formula, case.data, **arguments).fit()


def plain(name: str) -> str:
    """A term as R writes it: without C(...)."""
    return re.sub(r"C\(([^,()]+)[^()]*\)", r"\1", name)


# R's glm keeps the covariance of the last but one iteration: of titanic, Wald statistics are off by 4e-7 there.
WALD_RTOL = {"titanic_passengers_interaction": 1e-6}


def compare_wald(name: str, frame: pd.DataFrame, reference: dict) -> None:
    columns = {"df": "df", "statistic": "statistic"} | ({} if name in WALD_RTOL else {"p_value": "p"})
    compare(frame, reference, columns, WALD_RTOL.get(name, 1e-7))


def compare(frame: pd.DataFrame, reference: dict, columns: dict[str, str], rtol: float = 1e-7) -> None:
    mine = frame.rename(index=plain)
    for i, term in enumerate(reference["terms"]):
        name = term if term in mine.index else ":".join(reversed(term.split(":")))
        for ours, theirs in columns.items():
            if theirs in reference:
                assert_allclose(
                    mine.loc[name, ours], reference[theirs][i], rtol=rtol, atol=1e-300, err_msg=f"{term} {theirs}"
                )


@pytest.mark.parametrize("name", TERM_CASES)
def test_analysis_of_deviance(name):
    res, reference = fitted(name), load_case(name).values["terms"]
    first = {"df": "df", "statistic": "lr", "resid_df": "resid_df", "resid_deviance": "resid_dev", "p_value": "p"}
    compare(res.anova(1).frame, reference["type1"], first)
    compare(res.anova(1, "score").frame, reference["type1"], {"statistic": "rao_score"})
    other = {"df": "df", "statistic": "statistic", "p_value": "p"}
    compare(res.anova(2).frame, reference["type2_lr"], other)
    compare_wald(name, res.anova(2, "Wald").frame, reference["type2_wald"])
    drop = {"df": "df", "deviance": "deviance", "aic": "aic", "lr": "lr", "p_value": "p"}
    compare(res.drop1().frame, reference["drop1"], drop)


def test_drop1_with_an_offset():
    compare(fitted("mroz_offset").drop1().frame, load_case("mroz_offset").values["drop1"], {"lr": "lr"})


@pytest.mark.parametrize("name", [n for n in TERM_CASES if "type3_sum_contrasts_lr" in load_case(n).values["terms"]])
def test_type_three_with_sum_contrasts(name):
    case = load_case(name)
    formula, arguments = case.model_arguments()
    left, right = formula.split("~")
    for column in case.data.columns[[isinstance(t, pd.CategoricalDtype) for t in case.data.dtypes]]:
        right = re.sub(rf"C\({column}\)|\b{column}\b", f"C({column}, Sum)", right)
    res = ls.logit(f"{left}~{right}", case.data, **arguments).fit()
    other = {"df": "df", "statistic": "statistic", "p_value": "p"}
    compare(res.anova(3).frame, case.values["terms"]["type3_sum_contrasts_lr"], other)
    compare_wald(name, res.anova(3, "Wald").frame, case.values["terms"]["type3_sum_contrasts_wald"])


def test_linear_hypothesis():
    res, reference = fitted("birthwt_factor"), load_case("birthwt_factor")
    names = reference.values["names_patsy"]
    L = pd.DataFrame(reference.values["linear_hypothesis"]["L"], columns=names)[res.params.index].to_numpy()
    r, want = reference.values["linear_hypothesis"]["r"], reference.values["linear_hypothesis"]
    single = res.t_test((L, r))
    assert_allclose(single.effect, want["estimate"], rtol=1e-7)
    assert_allclose(single.sd, want["se"], rtol=1e-7)
    for one, kind in [(res, "wald"), (res.with_cov("HC1"), "wald_hc1")]:
        joint = one.wald_test((L, r))
        assert (joint.df_num, joint.distribution) == (want[kind]["df"], "chi2")
        assert_allclose([joint.statistic, joint.pvalue], [want[kind]["chi2"], want[kind]["p"]], rtol=1e-7)


@pytest.mark.parametrize("name", STANDARD_CASES)
def test_against_the_intercept_only(name):
    res, case = fitted(name), load_case(name)
    want = case.values["tests_against_intercept_only"]
    slopes = [n for n in res.params.index if n != "Intercept"]
    R = np.eye(len(res.params))[[list(res.params.index).index(n) for n in slopes]]
    wald = res.wald_test(R)
    assert_allclose([wald.statistic, wald.df_num], [want["wald"]["statistic"], want["wald"]["df"]], rtol=1e-7)
    formula, arguments = case.model_arguments()
    left, right = formula.split("~")
    null = ls.logit(f"{left}~ 1", case.data[case.data.index.isin(res.fit_.design.index)], **arguments).fit()
    score = null.score_test(right)
    assert_allclose([score.statistic, score.df], [want["score"]["statistic"], want["score"]["df"]], rtol=1e-7)
    assert_allclose(null.lr_test(res).statistic, want["likelihood_ratio"]["statistic"], rtol=1e-7)


FORMULA = "low ~ age + lwt + C(race) + smoke"


@pytest.fixture(scope="module")
def births() -> pd.DataFrame:
    return ls.datasets.load("birthwt")


@pytest.mark.parametrize("cov_type", ["nonrobust", "HC0"])
@pytest.mark.parametrize(
    "constraint", ["age = lwt", "smoke = 0.5, age - 2*lwt = 0.1", "C(race)[T.black] = C(race)[T.other]"]
)
def test_texts_as_in_statsmodels(births, cov_type, constraint):
    ours = ls.logit(FORMULA, births).fit().with_cov(cov_type)
    theirs = smf.logit(FORMULA, births).fit(disp=0, tol=1e-12, cov_type=cov_type)
    mine, peer = ours.t_test(constraint), theirs.t_test(constraint)
    assert_allclose(mine.effect, peer.effect, rtol=1e-6)
    assert_allclose(mine.sd, np.ravel(peer.sd), rtol=1e-6)
    assert_allclose(mine.pvalue, np.ravel(peer.pvalue), rtol=1e-5)
    assert_allclose(mine.conf_int(0.1), peer.conf_int(0.1), rtol=1e-6)
    joint, peer = ours.wald_test(constraint), theirs.wald_test(constraint, scalar=True)
    assert_allclose([joint.statistic, joint.pvalue], [peer.statistic, peer.pvalue], rtol=1e-5)
    f, peer = ours.f_test(constraint), theirs.f_test(constraint)
    assert_allclose(
        [f.fvalue, f.pvalue, f.df_denom], [float(peer.fvalue), float(peer.pvalue), peer.df_denom], rtol=1e-5
    )


def test_terms_as_in_statsmodels(births):
    mine = ls.logit(FORMULA, births).fit().wald_test_terms().frame
    peer = smf.logit(FORMULA, births).fit(disp=0, tol=1e-12).wald_test_terms(scalar=True).table
    for term in peer.index:
        assert_allclose(mine.loc[term, "statistic"], peer.loc[term, "statistic"], rtol=1e-5)
        assert mine.loc[term, "df_constraint"] == peer.loc[term, "df_constraint"]


def test_student_t_where_it_is_asked_for(births):
    res = ls.logit(FORMULA, births).fit(use_t=True)
    t = res.t_test("age = 0")
    assert t.df_denom == res.df_resid
    assert_allclose(t.pvalue, res.pvalues[["age"]], rtol=1e-12)
    assert_allclose(t.conf_int(), res.conf_int().loc[["age"]], rtol=1e-12)
    assert res.wald_test("age").distribution == "F"
    assert res.t_test("age", use_t=False).df_denom is None


@pytest.mark.parametrize("change", [lambda x: x * 1e-300, lambda x: x * 1e200, lambda x: x + 1e10])
def test_units_do_not_matter(births, change):
    there = births.assign(lwt=change(births.lwt.astype(float)))
    before, after = ls.logit(FORMULA, births).fit(), ls.logit(FORMULA, there).fit()
    rtol = (
        1e-4 if after.params["lwt"] == pytest.approx(before.params["lwt"], rel=1e-3) else 1e-7
    )  # a shift of 1e10 costs digits
    assert_allclose(after.t_test("lwt").statistic, before.t_test("lwt").statistic, rtol=rtol)
    assert_allclose(after.wald_test("lwt, smoke").statistic, before.wald_test("lwt, smoke").statistic, rtol=rtol)


def test_matrices_dicts_and_array_fits(births):
    X = np.column_stack([np.ones(len(births)), births.age, births.lwt])
    res = ls.Logit(births.low, X).fit()
    by_text, by_matrix = res.t_test("x1 = x2"), res.t_test([0.0, 1.0, -1.0])
    assert_allclose(by_text.statistic, by_matrix.statistic)
    assert_allclose(
        res.wald_test({"x1": 0.01, "x2": 0.0}).statistic, res.wald_test(([[0, 1, 0], [0, 0, 1]], [0.01, 0])).statistic
    )
    assert [*res.anova().frame.index] == ["NULL", "x1", "x2"]
    added = res.score_test(births[["smoke"]])
    assert added.added == "smoke"
    assert_allclose(
        added.statistic, ls.logit("low ~ age + lwt", births).fit().score_test("smoke").statistic, rtol=1e-10
    )


def test_one_statistic_three_ways(births):
    """A term's likelihood ratio is the same by anova, drop1 and lr_test; Wald's the same by text and by anova."""
    res, smaller = ls.logit(FORMULA, births).fit(), ls.logit("low ~ age + lwt + smoke", births).fit()
    lr = res.lr_test(smaller).statistic
    assert_allclose(
        [res.anova(2).frame.loc["C(race)", "statistic"], res.drop1().frame.loc["C(race)", "lr"]], lr, rtol=1e-9
    )
    assert_allclose(smaller.add1("C(race) + ptl").frame.loc["C(race)", "lr"], lr, rtol=1e-9)
    wald = res.with_cov("HC3").wald_test("C(race)[T.black] = 0, C(race)[T.other] = 0").statistic
    assert_allclose(res.with_cov("HC3").anova(3, "Wald").frame.loc["C(race)", "statistic"], wald, rtol=1e-12)
    assert_allclose(
        res.anova(2, "score").frame.loc["C(race)", "statistic"], smaller.score_test("C(race)").statistic, rtol=1e-9
    )


def test_without_an_intercept_the_other_factor_is_coded_anew(births):
    res = ls.logit("low ~ 0 + C(race) + C(smoke)", births).fit()
    dropped = ls.logit("low ~ 0 + C(smoke)", births).fit()
    assert_allclose(res.drop1().frame.loc["C(race)", ["df", "aic"]].astype(float), [2, dropped.aic], rtol=1e-9)
    empty = ls.logit("low ~ 0 + age", births).fit().anova().frame
    assert empty.loc["NULL", "resid_deviance"] == pytest.approx(2 * len(births) * np.log(2), rel=1e-12)


def test_robust_score_test_by_hand(births):
    res = ls.logit("low ~ age + lwt", births).fit()
    Z = res.model.exog
    u = births.low - res.predict()
    w = np.asarray(res.predict(which="var"))
    A = np.linalg.solve(Z.T @ (w[:, None] * Z), Z.T @ (w * births.smoke))
    cleared = np.asarray(u * (births.smoke - Z @ A))
    by_hand = cleared.sum() ** 2 / (cleared**2).sum()
    assert_allclose(res.score_test("smoke", robust=True).statistic, by_hand, rtol=1e-9)
    assert res.with_cov("HC0").score_test("smoke").robust


@pytest.mark.parametrize("kind", ["weights", "trials", "offset"])
def test_weights_trials_and_offsets(kind):
    rng = np.random.default_rng(6)
    data = pd.DataFrame(
        {
            "x": rng.normal(size=150),
            "z": rng.normal(size=150),
            "w": rng.integers(1, 4, 150),
            "m": rng.integers(1, 6, 150),
        }
    )
    data["y"] = (rng.random(150) < 0.4 + 0.1 * np.tanh(data.x)).astype(int)
    data["s"] = rng.binomial(data.m, 0.4)
    if kind == "weights":
        pairs = [ls.logit(f, data, freq_weights="w").fit() for f in ("y ~ x + z", "y ~ x")]
        expanded = data.loc[data.index.repeat(data.w)]
        again = ls.logit("y ~ x", expanded).fit()
        assert_allclose(
            pairs[1].score_test("z", robust=True).statistic, again.score_test("z", robust=True).statistic, rtol=1e-9
        )
        assert_allclose(pairs[0].anova().frame, ls.logit("y ~ x + z", expanded).fit().anova().frame, rtol=1e-8)
    elif kind == "trials":
        pairs = [ls.logit(f, data, trials="m").fit() for f in ("s ~ x + z", "s ~ x")]
    else:
        pairs = [ls.logit(f, data, offset="z").fit() for f in ("y ~ x + w", "y ~ x")]
    larger, smaller = pairs
    term = "w" if kind == "offset" else "z"
    assert_allclose(larger.drop1().frame.loc[term, "lr"], larger.lr_test(smaller).statistic, rtol=1e-9)
    score = smaller.score_test(term)
    assert_allclose(score.statistic, larger.lr_test(smaller).statistic, rtol=0.2)


def test_adjusted_pvalues():
    p = np.array([0.01, 0.04, 0.03, 0.005, 0.8])
    from statsmodels.stats.multitest import multipletests

    for method in ("holm", "bonferroni", "fdr_bh"):
        assert_allclose(adjusted_pvalues(p, method), multipletests(p, method=method)[1], rtol=1e-14)
    assert_allclose(adjusted_pvalues(p, "none"), p)


def test_pairs_of_levels(births):
    res = ls.logit(FORMULA, births).fit()
    table = res.t_test_pairwise("C(race)").frame
    assert [*table.index] == ["black - white", "other - white", "other - black"]
    assert_allclose(
        table.loc["other - black", "coef"], res.params["C(race)[T.other]"] - res.params["C(race)[T.black]"], rtol=1e-12
    )
    summed = ls.logit(FORMULA.replace("C(race)", "C(race, Sum)"), births).fit().t_test_pairwise("C(race, Sum)").frame
    assert_allclose(summed.to_numpy(dtype=float), table.to_numpy(dtype=float), rtol=1e-7)
    assert_allclose(table["pvalue-holm"], adjusted_pvalues(table["P>|z|"].to_numpy()), rtol=1e-12)
    with pytest.raises(DataError, match="no factor"):
        res.t_test_pairwise("age")


def test_terms_with_missing_values_are_refused(births):
    holes = births.assign(z=births.ptl.where(births.index % 7 != 0).astype(float))
    res = ls.logit("low ~ age", holes).fit()
    with pytest.raises(MissingDataError, match="missing in 27 of the 189 rows"):
        res.score_test("z")
    smaller = ls.logit("low ~ age + z", holes).fit()
    assert smaller.add1("lwt").frame.loc["lwt", "df"] == 1  # rows dropped by z stay dropped


def test_variables_of_the_caller_are_found(births):
    doubled = np.asarray(births.lwt * 2)
    res = ls.logit("low ~ age", births).fit()
    assert_allclose(res.score_test("doubled").statistic, res.score_test("lwt").statistic, rtol=1e-9)
    assert len(doubled) == 189


def test_wald_tests_under_few_clusters(births):
    data = births.assign(site=np.arange(len(births)) % 3)
    res = ls.logit(FORMULA, data).fit().with_cov("cluster", groups="site")
    with pytest.raises(NotAvailableError, match="clusters"):
        res.wald_test("age, lwt, smoke")


def test_what_is_refused(births):
    res = ls.logit(FORMULA, births).fit()
    for wrong, error, message in [
        ("weight = 1", FormulaError, "weight"),
        ("age = lwt, 2*age = 2*lwt", DataError, "combination"),
        ([1.0, 2.0], DataError, "shape"),
        ((np.eye(6), [1, 2]), DataError, "2 values"),
        (np.zeros((1, 6)), DataError, "no coefficient"),
        ([np.nan] * 6, DataError, "finite"),
    ]:
        with pytest.raises(error, match=message):
            res.wald_test(wrong)
    with pytest.raises(UnknownOptionError, match="type=4"):
        res.anova(4)
    with pytest.raises(UnknownOptionError, match="test"):
        res.anova(2, "F")
    with pytest.raises(FormulaError, match="adds no term"):
        res.add1("age")
    with pytest.raises(DataError, match="in one text"):
        res.add1(["ptl", "ui"])
    for ask in (res.lr_test, ls.step, lambda model: ls.compare_roc(res, model)):
        with pytest.raises(DataError, match="results of fit"):
            ask(res.model)
    with pytest.raises(DataError, match="combination"):
        res.score_test("I(2 * age)")
    survey = ls.logit(FORMULA, births, sampling_weights=np.linspace(1, 3, len(births))).fit()
    with pytest.raises(NotAvailableError, match="Wald"):
        survey.drop1()
    assert survey.anova(2, "Wald").frame.loc["smoke", "df"] == 1
    with pytest.raises(NotAvailableError, match="robust"):
        survey.score_test("ptl", robust=False)


def test_tables_print_in_text_and_html(births):
    res = ls.logit(FORMULA, births).fit()
    for table in (
        res.anova(),
        res.drop1(),
        res.t_test("age"),
        res.wald_test("age, lwt"),
        res.score_test("ptl"),
        res.wald_test_terms(),
    ):
        assert "age" in str(table) or "ptl" in str(table)
        assert "<" in table._repr_html_()
    assert "model-based" in str(res.with_cov("HC1").anova())
    interaction = ls.logit("low ~ smoke * C(race)", births).fit()
    assert "Type 3" in str(interaction.anova(3))
    assert stats.chi2.sf(res.drop1().frame.loc["smoke", "lr"], 1) == pytest.approx(
        res.drop1().frame.loc["smoke", "p_value"]
    )


def test_pairwise_differences_within_an_interaction_say_where_they_hold():
    births = ls.datasets.load("birthwt")
    inside = ls.logit("low ~ C(race) * lwt", births).fit().t_test_pairwise("C(race)")
    assert any("C(race):lwt" in note and "zero" in note for note in inside.notes)
    alone = ls.logit("low ~ C(race) + lwt", births).fit().t_test_pairwise("C(race)")
    assert not any("is part of" in note for note in alone.notes)
