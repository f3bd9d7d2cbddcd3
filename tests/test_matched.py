"""Conditional logit: recursion, estimates, covariances and answers against independent values, enumeration and identities."""

from __future__ import annotations

import itertools
import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp

import logit_stats as ls
from logit_stats.errors import (
    DataError,
    MissingDataError,
    NotAvailableError,
    OneClassError,
    RankDeficientError,
    RankWarning,
    ResponseError,
    SeparationError,
    WeightError,
)
from logit_stats.likelihoods.conditional_moments import information_root, set_moments, set_terms
from logit_stats.likelihoods.matched_sets import matched_sets
from tests.cases import FOLDER

VALUES = json.loads((FOLDER / "values" / "family" / "infert_conditional_more.json").read_text())["values"]
FIRST = json.loads((FOLDER / "values" / "infert_conditional.json").read_text())["values"]
INFERT = pd.read_csv(FOLDER / "data" / "infert.csv")


def _large_sets() -> pd.DataFrame:
    data = pd.read_csv(FOLDER / "data" / "birthwt.csv")
    other = data[data.race == "other"]
    kept = pd.concat([other[other.low == 1], other[other.low == 0].head(35)])
    return pd.concat([data[data.race != "other"], kept])


def _model(case: str) -> Any:
    if case == "n_to_m_bacteria":
        return ls.clogit("y ~ week", pd.read_csv(FOLDER / "data" / "bacteria.csv"), groups="child")
    if case == "large_sets_birthwt":
        return ls.clogit("low ~ age + lwt + smoke + ht", _large_sets(), groups="race")
    data = INFERT.assign(half=0.5 * INFERT.spontaneous)
    offset = "half" if case == "matched_sets_offset" else None
    return ls.clogit("case ~ spontaneous + induced", data, groups="stratum", offset=offset)


@pytest.mark.parametrize("case", list(VALUES))
def test_reference(case: str) -> None:
    reference = VALUES[case]
    model = _model(case)
    res = model.fit()
    np.testing.assert_allclose(res.params, reference["coef"], rtol=1e-9)
    np.testing.assert_allclose(res.bse, reference["se"], rtol=1e-9)
    np.testing.assert_allclose(res.cov_params(), reference["vcov"], rtol=1e-8)
    np.testing.assert_allclose(res.conf_int(), reference["wald_ci_95"], rtol=1e-8)
    np.testing.assert_allclose(res.pvalues, reference["p"], rtol=1e-7)
    assert res.llf == pytest.approx(reference["loglik"], rel=1e-11)
    assert res.llnull == pytest.approx(reference["loglik_at_zero"], rel=1e-11)
    assert res.aic == pytest.approx(reference["aic"], rel=1e-11)
    assert res.llr == pytest.approx(reference["likelihood_ratio"]["statistic"], rel=1e-10)
    assert res.llr_pvalue == pytest.approx(reference["likelihood_ratio"]["p"], rel=1e-8)
    assert res.global_score_test().statistic == pytest.approx(reference["score"]["statistic"], rel=1e-9)
    wald = res.wald_test(np.eye(len(res.params)))
    assert float(wald.statistic) == pytest.approx(reference["wald"]["statistic"], rel=1e-8)
    by_set = reference["robust_by_set"]
    np.testing.assert_allclose(res.with_cov("HC0").bse, by_set["no_correction"]["se"], rtol=1e-8)
    np.testing.assert_allclose(res.with_cov("HC1").bse, by_set["correction_G"]["se"], rtol=1e-8)
    assert model.nobs == reference["rows_used"]
    assert model.sets.count == reference["sets_used"]
    assert model.sets.sizes.max() == reference["largest_set"]
    assert model.sets.cases.max() == reference["largest_number_of_cases_in_a_set"]
    assert model.sample.events == reference["events_used"]
    out = model.sample.uninformative
    assert sum(int(mask.sum()) for mask in out.values()) == reference["rows_dropped"]


@pytest.mark.parametrize("case", list(VALUES))
def test_probabilities_within_sets(case: str) -> None:
    reference = VALUES[case]["within_set_probability"]
    res = _model(case).fit()
    expected = pd.Series(reference["first_30_rows_of_file"], dtype=float)
    prob = res.predict()
    shown = (
        res.augment(pd.read_csv(FOLDER / "data" / "bacteria.csv"))[".prob"] if case == "n_to_m_bacteria" else prob
    ).to_numpy()
    if case != "large_sets_birthwt":
        np.testing.assert_allclose(shown[:30], expected, rtol=1e-9)
    assert float((prob**2).sum()) == pytest.approx(reference["sum_of_squares"], rel=1e-9)
    sums = np.bincount(res.model.groups, prob, minlength=res.model.groups.max() + 1)
    cases = np.bincount(res.model.groups, res.model.endog, minlength=len(sums))
    np.testing.assert_allclose(sums, cases, atol=1e-12)


def test_cluster_robust() -> None:
    reference = VALUES["matched_sets_cluster_robust"]["cluster_robust"]
    res = _model("matched_sets").fit()
    groups = "pooled_stratum"
    plain = res.with_cov("cluster", groups=groups, use_correction=False)
    np.testing.assert_allclose(plain.bse, reference["no_correction"]["se"], rtol=1e-8)
    corrected = res.with_cov("cluster", groups=groups, use_correction="G")
    np.testing.assert_allclose(corrected.bse, reference["correction_G"]["se"], rtol=1e-8)
    with pytest.raises(DataError, match="cuts sets apart"):
        res.with_cov("cluster", groups="spontaneous")


@pytest.mark.parametrize(
    ("case", "formula", "groups"),
    [
        ("matched_sets", "case ~ spontaneous + induced", "stratum"),
        ("many_to_many", "case ~ spontaneous + induced + age", "parity"),
        ("matched_with_interaction", "case ~ spontaneous * induced", "stratum"),
    ],
)
def test_first_reference(case: str, formula: str, groups: str) -> None:
    reference = FIRST[case]
    res = ls.clogit(formula, INFERT, groups=groups).fit()
    np.testing.assert_allclose(res.params, reference["coef"], rtol=1e-9)
    np.testing.assert_allclose(res.bse, reference["se"], rtol=1e-9)
    assert res.llf == pytest.approx(reference["loglik"], rel=1e-11)
    assert res.llnull == pytest.approx(reference["loglik_null"], rel=1e-11)


# The recursion.


def _enumerated(
    X: np.ndarray, y: np.ndarray, eta: np.ndarray, codes: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    loglik, score, information = 0.0, np.zeros(X.shape[1]), np.zeros((X.shape[1], X.shape[1]))
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        m = int(y[rows].sum())
        choices = np.array(list(itertools.combinations(rows, m)))
        exponent, total = eta[choices].sum(axis=1), X[choices].sum(axis=1)
        prob = np.exp(exponent - logsumexp(exponent))
        loglik += y[rows] @ eta[rows] - logsumexp(exponent)
        centred = total - prob @ total
        score += y[rows] @ X[rows] - prob @ total
        information += centred.T @ (centred * prob[:, None])
    return loglik, score, information


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0])
def test_the_walk_is_enumeration(share: float, spread: float) -> None:
    rng = np.random.default_rng(round(100 * share))
    codes = rng.integers(0, 12, 110)
    y = (rng.random(110) < share).astype(float)
    X = rng.normal(size=(110, 3))
    eta = spread * rng.normal(size=110)
    sets = matched_sets(codes, y)
    o = sets.order
    kept = np.isin(np.arange(110), o)
    expected = _enumerated(X[kept], y[kept], eta[kept], codes[kept])
    found = set_moments(X[o], y[o], eta[o], sets)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11)
    root = np.vstack(list(information_root(X[o], eta[o], sets)))
    np.testing.assert_allclose(root.T @ root, expected[2], rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("cases", [1, 4])
def test_one_row_to_pick_has_a_closed_form(cases: int) -> None:
    rng = np.random.default_rng(cases)
    codes = np.repeat(np.arange(7), 5)
    y = np.tile((np.arange(5) < cases).astype(float), 7)
    X, eta = rng.normal(size=(35, 2)), rng.normal(size=35)
    sets = matched_sets(codes, y)
    assert sets.single
    for ours, theirs in zip(set_moments(X, y, eta, sets), _enumerated(X, y, eta, codes), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 100.0, 3000.0])
def test_a_large_set_does_not_overflow(scale: float) -> None:
    rng = np.random.default_rng(0)
    y = (np.arange(500) < 200).astype(float)
    X = rng.normal(size=(500, 4))
    eta = scale * rng.normal(size=500)
    sets = matched_sets(np.zeros(500, dtype=np.intp), y)
    loglik, score, information = set_moments(X, y, eta, sets)
    assert np.isfinite(loglik)
    assert np.isfinite(score).all()
    assert (np.linalg.eigvalsh(information) >= 0.0).all()
    prob = set_terms(y, eta, sets).prob
    assert prob.sum() == pytest.approx(200.0, rel=1e-12)
    # far out only the 200 largest are ever picked
    best = np.sort(eta)[-200:].sum()
    if scale > 1000.0:
        assert loglik == pytest.approx(y @ eta - best, rel=1e-6)


def test_moments_are_derivatives() -> None:
    model = _model("large_sets_birthwt")
    beta = np.array([0.01, -0.01, 0.5, 1.0])
    step = 1e-6
    slopes = [(model.loglike(beta + step * e) - model.loglike(beta - step * e)) / (2 * step) for e in np.eye(4)]
    np.testing.assert_allclose(model.score(beta), slopes, rtol=1e-5, atol=1e-5)
    bends = [(model.score(beta + step * e) - model.score(beta - step * e)) / (2 * step) for e in np.eye(4)]
    np.testing.assert_allclose(model.hessian(beta), bends, rtol=1e-5, atol=1e-5)


# Properties.


def test_order_of_rows_and_names_of_sets_make_no_difference() -> None:
    shuffled = INFERT.sample(frac=1.0, random_state=1).assign(stratum=lambda d: "s" + (100 - d.stratum).astype(str))
    ours = ls.clogit("case ~ spontaneous + induced", INFERT, groups="stratum").fit()
    theirs = ls.clogit("case ~ spontaneous + induced", shuffled, groups="stratum").fit()
    np.testing.assert_allclose(theirs.params, ours.params, rtol=1e-12)
    np.testing.assert_allclose(theirs.predict().sort_index(), ours.predict(), rtol=1e-12)


def test_what_is_the_same_in_a_set_makes_no_difference() -> None:
    moved = INFERT.assign(spontaneous=INFERT.spontaneous + 1e6 * INFERT.stratum, offset=1e3 * INFERT.stratum)
    ours = ls.clogit("case ~ spontaneous + induced", INFERT, groups="stratum").fit()
    theirs = ls.clogit("case ~ spontaneous + induced", moved, groups="stratum", offset="offset").fit()
    np.testing.assert_allclose(theirs.params, ours.params, rtol=1e-8)
    np.testing.assert_allclose(theirs.bse, ours.bse, rtol=1e-8)
    assert theirs.llf == pytest.approx(ours.llf, rel=1e-10)


def test_other_methods_reach_the_same() -> None:
    model = _model("matched_sets")
    np.testing.assert_allclose(model.fit(method="bfgs").params, model.fit().params, rtol=1e-4)


def test_pairs_are_a_logit_of_differences_without_constant() -> None:
    rng = np.random.default_rng(5)
    n = 60
    data = pd.DataFrame({"pair": np.repeat(np.arange(n), 2), "case": np.tile([1, 0], n), "x": rng.normal(size=2 * n),
                         "z": rng.normal(size=2 * n)})  # fmt: skip
    res = ls.clogit("case ~ x + z", data, groups="pair").fit()
    X = data[["x", "z"]].to_numpy()
    differences, flip = X[::2] - X[1::2], np.where(np.arange(n) % 2, -1.0, 1.0)
    plain = ls.Logit((flip > 0).astype(float), differences * flip[:, None]).fit()
    np.testing.assert_allclose(res.params, plain.params, rtol=1e-9)
    np.testing.assert_allclose(res.bse, plain.bse, rtol=1e-9)
    np.testing.assert_allclose(res.conf_int(method="profile"), plain.conf_int(method="profile"), rtol=1e-7)
    assert res.llf == pytest.approx(plain.llf, rel=1e-11)


def test_frequency_weights_are_more_sets() -> None:
    data = INFERT.assign(w=1 + INFERT.stratum % 3)
    weighted = ls.clogit("case ~ spontaneous + induced", data, groups="stratum", freq_weights="w").fit()
    copies = [data[data.w > c].assign(stratum=lambda d, c=c: d.stratum + 1000 * c) for c in range(3)]
    rows = ls.clogit("case ~ spontaneous + induced", pd.concat(copies, ignore_index=True), groups="stratum").fit()
    np.testing.assert_allclose(weighted.params, rows.params, rtol=1e-9)
    np.testing.assert_allclose(weighted.bse, rows.bse, rtol=1e-9)
    np.testing.assert_allclose(weighted.with_cov("HC1").bse, rows.with_cov("HC1").bse, rtol=1e-9)
    assert weighted.llf == pytest.approx(rows.llf, rel=1e-12)
    assert weighted.nobs == rows.nobs
    assert weighted.crosscheck().passed


def test_tests_of_terms_are_comparisons_of_fits() -> None:
    res = ls.clogit("case ~ spontaneous + induced", INFERT, groups="stratum").fit()
    smaller = ls.clogit("case ~ induced", INFERT, groups="stratum").fit()
    lr = res.lr_test(smaller)
    assert lr.statistic == pytest.approx(2 * (res.llf - smaller.llf), rel=1e-10)
    assert res.drop1().frame.loc["spontaneous", "lr"] == pytest.approx(lr.statistic, rel=1e-8)
    assert res.anova(type=2).frame.loc["spontaneous", "statistic"] == pytest.approx(lr.statistic, rel=1e-8)
    larger = ls.clogit("case ~ spontaneous * induced", INFERT, groups="stratum").fit()
    added = res.add1("spontaneous:induced").frame.loc["spontaneous:induced", "lr"]
    assert added == pytest.approx(2 * (larger.llf - res.llf), rel=1e-7)
    score = res.score_test("spontaneous:induced")
    assert score.df == 1
    assert score.statistic == pytest.approx(added, rel=0.05)


def test_factors_keep_their_reference_level() -> None:
    data = pd.read_csv(FOLDER / "data" / "bacteria.csv").assign(late=lambda d: np.where(d.week > 6, "late", "early"))
    res = ls.clogit("y ~ C(late)", data, groups="child").fit()
    assert list(res.params.index) == ["C(late)[T.late]"]
    new = pd.DataFrame({"late": ["early", "late"]})
    assert res.predict(new, which="linear").iloc[0] == 0.0


def test_new_sets() -> None:
    res = _model("matched_sets").fit()
    new = pd.DataFrame({"spontaneous": [0, 1, 2, 0, 1, 0], "induced": [0, 0, 0, 1, 1, 0], "set": list("aaabbb")})
    prob = res.predict(new, groups="set", cases={"a": 1, "b": 2})
    assert prob[:3].sum() == pytest.approx(1.0)
    assert prob[3:].sum() == pytest.approx(2.0)
    odds = np.exp(res.params["spontaneous"])
    assert prob[1] / prob[0] == pytest.approx(odds)
    np.testing.assert_allclose(res.predict(new.head(3)), prob[:3])
    assert res.predict(new.head(3), cases=3).tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(DataError, match="cannot have 4 cases"):
        res.predict(new, groups="set", cases=4)
    with pytest.raises(DataError, match="for new data"):
        res.predict(cases=1)
    gone = new.assign(induced=[0, np.nan, 0, 1, 1, 0])
    assert res.predict(gone, groups="set", cases=1).isna().tolist() == [True] * 3 + [False] * 3


@pytest.mark.parametrize("case", list(VALUES))
def test_statsmodels_agrees(case: str) -> None:
    if case == "large_sets_birthwt":
        pytest.skip("statsmodels' recursion over a set of 96 rows takes minutes")
    assert _model(case).fit().crosscheck().passed


# Sets, columns and arguments that say nothing, or nonsense.


def test_sets_without_variation_are_counted() -> None:
    sample = _model("n_to_m_bacteria").sample
    assert "112 in child without variation, 108 used" in sample.line()
    assert (sample.left_out() == "child without variation").all()


def test_a_column_of_the_sets() -> None:
    with pytest.raises(RankDeficientError, match=r"'age' does not vary within any set of 'stratum'"):
        ls.clogit("case ~ spontaneous * age", INFERT, groups="stratum")
    inside = ls.clogit("case ~ spontaneous + spontaneous:age", INFERT, groups="stratum").fit()
    assert list(inside.params.index) == ["spontaneous", "spontaneous:age"]
    with pytest.warns(RankWarning, match="age"):
        dropped = ls.clogit("case ~ spontaneous * age", INFERT, groups="stratum", check_rank="drop")
    np.testing.assert_allclose(dropped.fit().params, inside.params, rtol=1e-9)


def test_columns_that_are_combinations_within_sets() -> None:
    data = INFERT.assign(twice=2 * INFERT.spontaneous + INFERT.age)
    with pytest.raises(RankDeficientError, match=r"'twice' = \+?2\*spontaneous"):
        ls.clogit("case ~ spontaneous + twice", data, groups="stratum")


def test_groups_that_are_missing() -> None:
    data = INFERT.assign(stratum=INFERT.stratum.where(INFERT.index != 4))
    model = ls.clogit("case ~ spontaneous", data, groups="stratum")
    assert model.sample.dropped_by == {"stratum": 1}
    # row 4 was the case of its set, whose other two rows say nothing without it
    assert model.nobs == 245
    with pytest.raises(MissingDataError, match=r"stratum in 1 row \(row 4\)"):
        ls.clogit("case ~ spontaneous", data, groups="stratum", missing="raise")
    with pytest.raises(MissingDataError):
        ls.ConditionalLogit(data.case, data[["spontaneous"]], groups=data.stratum)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"stratum": np.arange(248)}, OneClassError, "Every row is a set of its own"),
        ({"case": lambda d: (d.stratum > 40).astype(int)}, OneClassError, "No set of 'stratum' has both outcomes"),
        ({"case": 1}, OneClassError, "does not vary"),
    ],
)
def test_nothing_to_compare(change: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        ls.clogit("case ~ spontaneous", INFERT.assign(**change), groups="stratum")


def test_one_set_is_enough() -> None:
    one = ls.clogit("case ~ spontaneous + induced", INFERT.assign(all=1), groups="all").fit()
    assert one.model.sets.count == 1
    plain = ls.logit("case ~ spontaneous + induced", INFERT).fit()
    np.testing.assert_allclose(one.params, plain.params[1:], rtol=0.02)


def test_refused_arguments() -> None:
    with pytest.raises(DataError, match="needs groups="):
        ls.clogit("case ~ spontaneous", INFERT, groups=None)
    with pytest.raises(DataError, match="nothing but a constant"):
        ls.clogit("case ~ 1", INFERT, groups="stratum")
    with pytest.raises(WeightError, match="the same for all rows of a set"):
        ls.clogit("case ~ spontaneous", INFERT, groups="stratum", freq_weights=1 + np.arange(248) % 2)
    counts = pd.DataFrame({"s": [1, 2], "f": [2, 1], "x": [0, 1], "g": [1, 1]})
    with pytest.raises(ResponseError, match="a row for each trial"):
        ls.clogit("s + f ~ x", counts, groups="g")


def test_separated_sets() -> None:
    data = INFERT.assign(mark=((INFERT.case == 1) & (INFERT.stratum < 10)).astype(int))
    model = ls.clogit("case ~ spontaneous + mark", data, groups="stratum")
    with pytest.raises(SeparationError, match=r"in 9 of 83 sets cases draw ahead.*mark -> \+inf.*exact\(\)"):
        model.fit()
    found = model.separation()
    assert found.kind == "quasi-complete"
    assert found.infinite == {"mark": np.inf}
    low, high = model.exact("mark").conf_int().loc["mark"]
    assert np.isfinite(low)
    assert high == np.inf
    assert ls.clogit("case ~ spontaneous", data, groups="stratum").separation().kind == "none"


def test_separated_n_to_m_sets() -> None:
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"set": np.repeat(np.arange(6), 6), "x": rng.normal(size=36)})
    data["case"] = data.groupby("set").x.rank() > 4
    with pytest.raises(SeparationError, match="Complete separation"):
        ls.clogit("case ~ x", data, groups="set").fit()


def test_what_makes_no_sense_is_refused_in_words() -> None:
    res = _model("matched_sets").fit()
    for asked in (res.margins, res.get_margeff, res.means, res.get_prediction):
        with pytest.raises(NotAvailableError, match="no probability of its own"):
            asked()
    with pytest.raises(NotAvailableError, match="robust by set"):
        res.bootstrap()
    with pytest.raises(NotAvailableError, match="independent"):
        _ = res.pearson_chi2
    with pytest.raises(NotAvailableError, match="CR2"):
        res.with_cov("cluster", groups="stratum", use_correction="CR2")


# Reports.


def test_summary_says_what_is_modelled() -> None:
    text = str(_model("n_to_m_bacteria").fit(cov_type="HC1").summary(clock=False))
    assert "Conditional Logit Regression Results" in text
    assert "24 sets of 2 to 5 rows with 1 to 4 cases" in " ".join(text.split())
    assert "robust by set: 24 sets, times S / (S - 1)" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_frames() -> None:
    res = _model("matched_sets").fit()
    assert list(res.tidy()["term"]) == ["spontaneous", "induced"]
    assert res.glance()["df_model"].item() == 2
    assert res.set_frame()["loglik"].sum() == pytest.approx(res.llf)
    assert res.set_frame()["loglik_null"].sum() == pytest.approx(res.llnull)
    assert {".fitted", ".prob", ".resid"} <= set(res.augment(INFERT).columns)
    assert res.odds_ratios().loc["induced", "odds_ratio"] == pytest.approx(np.exp(res.params["induced"]))


def test_arrays_give_arrays() -> None:
    res = ls.ConditionalLogit(
        INFERT.case.to_numpy(), INFERT[["spontaneous", "induced"]].to_numpy(), groups=INFERT.stratum.to_numpy()
    ).fit()
    assert isinstance(res.params, np.ndarray)
    np.testing.assert_allclose(res.params, VALUES["matched_sets_cluster_robust"]["coef"], rtol=1e-9)
    assert res.predict().shape == (248,)


def test_kept(tmp_path: Any) -> None:
    res = _model("n_to_m_bacteria").fit()
    res.save(tmp_path / "fit.pkl")
    back = ls.load(tmp_path / "fit.pkl")
    assert str(back.summary(clock=False)) == str(res.summary(clock=False))
    assert pickle.loads(pickle.dumps(res)).predict().equals(res.predict())


def test_likelihoods_of_other_kinds_are_not_compared() -> None:
    res = ls.clogit("case ~ spontaneous", INFERT, groups="stratum").fit()
    plain = ls.logit("case ~ spontaneous + induced", INFERT).fit()
    other = ls.clogit("case ~ spontaneous + induced", INFERT.assign(all=1), groups="all").fit()
    with pytest.raises(
        DataError, match=r"different likelihoods \((binary|conditional) logit, (binary|conditional) logit\)"
    ):
        res.lr_test(plain)
    with pytest.raises(DataError, match="different groups"):
        res.lr_test(other)
    assert "cannot be compared" in str(ls.compare(res, plain))
    assert "cannot be compared" not in str(
        ls.compare(res, ls.clogit("case ~ spontaneous + induced", INFERT, groups="stratum").fit())
    )


def test_json_has_null_where_there_is_no_number() -> None:
    from logit_stats.report.machine_readable import as_dict

    found = as_dict(_model("n_to_m_bacteria").fit())
    assert found["pearson_chi2"] is None
    assert found["sample"]["without_variation"] == {"child": 112}


def test_command_line() -> None:
    from click.testing import CliRunner

    from logit_stats.__main__ import main

    infert = str(FOLDER / "data" / "infert.csv")
    verbagg = str(FOLDER / "data" / "verbagg.csv")
    run = CliRunner().invoke
    sets = run(
        main, ["fit", infert, "case ~ spontaneous + induced", "--groups", "stratum", "--cov", "HC1", "--crosscheck"]
    )
    assert sets.exit_code == 0
    assert "83 sets of 2 to 3 rows with 1 case" in " ".join(sets.output.split())
    assert "passed" in sets.output
    absorbed = run(main, ["fit", verbagg, "agree ~ btype", "--absorb", "person + item", "--json", "-"])
    assert absorbed.exit_code != 0
    absorbed = run(main, ["fit", verbagg, "agree ~ btype + situ", "--absorb", "person", "--json", "-"])
    assert json.loads(absorbed.output)["coefficients"]["params"]["situ[T.self]"] == pytest.approx(-1.0035765361359352)
    for more in (["--absorb", "parity"], ["--firth"], ["--report", "x.html"]):
        assert run(main, ["fit", infert, "case ~ spontaneous", "--groups", "stratum", *more]).exit_code == 2
