"""Separation explained, and the limiting fit: infinite coefficients with tests and one-sided intervals."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.optimize import linprog, minimize

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError, RankDeficientError, SeparationError
from tests.cases import load_case

ENDOMETRIAL = load_case("endometrial_separation_firth")
DATA = ENDOMETRIAL.data
FORMULA = "HG ~ NV + PI + EH"


def separated_draw(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Small data, most of them separated, of any kind."""
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(8, 30)), int(rng.integers(1, 4))
    X = np.column_stack([np.ones(n), rng.integers(-1, 2, size=(n, k))]).astype(float)
    y = rng.integers(0, 2, n).astype(float)
    y[X[:, 1] == 1] = 1.0
    y[:2] = [0, 1]
    return y, X


# The direction.


def cone(model: ls.Logit) -> np.ndarray:
    """(q, k) rows c with c'd >= 0 for every direction of recession d."""
    y, m = model.design.response.successes, model.design.response.trials
    m = np.ones_like(y) if m is None else m
    X = model.exog
    return np.vstack([X[y > 0], -X[y < m]])


def assert_direction_holds(model: ls.Logit, found: ls.estimation.separation.Separation) -> None:
    along = model.exog @ found.direction
    y, m = model.design.response.successes, model.design.response.trials
    m = np.ones_like(y) if m is None else m
    size = np.abs(model.exog) @ np.abs(found.direction)
    assert (along[y > 0] >= -1e-12 * size[y > 0]).all()
    assert (along[y < m] <= 1e-12 * size[y < m]).all()
    # and it separates every row that is said to be separated, on its side
    assert_allclose(np.sign(np.where(np.abs(along) > 1e-12 * size, along, 0.0)), found.side)
    assert (found.side != 0).sum() == found.rows


@pytest.mark.parametrize("seed", range(60))
def test_direction_and_fates_against_linear_programmes(seed):
    y, X = separated_draw(seed)
    model = ls.Logit(y, X)
    if np.linalg.matrix_rank(X) < X.shape[1]:
        with pytest.raises(RankDeficientError):
            model.separation()
        return
    found = model.separation()
    assert_direction_holds(model, found)
    fates = []
    for unit in np.eye(X.shape[1]):
        up, down = (
            -linprog(-s * unit, A_ub=-cone(model), b_ub=np.zeros(len(cone(model))), bounds=(-1, 1)).fun > 1e-8
            for s in (1.0, -1.0)
        )
        fates.append({(False, False): "finite", (True, True): "undetermined"}.get((up, down), "+inf" if up else "-inf"))
    assert list(found.fates) == fates


@pytest.mark.parametrize(
    "arguments", [{}, {"trials": [5, 4, 6, 4, 3]}, {"offset": [9, -7, 0, 300, 2]}, {"freq_weights": [1, 5, 2, 9, 1]}]
)
def test_direction_of_counts_weights_and_offsets(arguments):
    x = np.array([0.0, 1, 2, 3, 4])
    y = [0, 0, 3, 4, 3] if "trials" in arguments else [0, 0, 1, 1, 1]
    model = ls.Logit(y, np.column_stack([np.ones(5), x]), **arguments)
    found = model.separation()
    assert_direction_holds(model, found)
    assert found.kind == ("quasi-complete" if "trials" in arguments else "complete")
    assert found.side.tolist() == ([-1, -1, 0, 1, 1] if "trials" in arguments else [-1, -1, 1, 1, 1])


def test_rows_without_trials_say_nothing():
    counts = np.array([[0, 2], [0, 1], [3, 0], [0, 0]])
    X = np.column_stack([np.ones(4), [1.0, 2, 3, 0]])
    model = ls.Logit(counts, X)
    assert model.sample.line().startswith("4 rows read, 1 without trials, 3 used")
    found = model.separation()
    assert found.kind == "complete"
    assert found.side.tolist() == [-1, -1, 1]


def test_factors_kept_as_codes():
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(50), 8)
    y = rng.integers(0, 2, 400)
    y[::8], y[1::8] = 0, 1
    y[group == 7], y[group == 9] = 1, 0
    model = ls.logit("y ~ C(g) + x", {"y": y, "g": group, "x": rng.normal(size=400)})
    found = model.separation()
    assert found.infinite == {"C(g)[T.7]": np.inf, "C(g)[T.9]": -np.inf}
    assert_direction_holds(model, found)
    res = model.fit_limit()
    keep = ~np.isin(group, (7, 9))
    inner = ls.logit("y ~ C(g) + x", {"y": y[keep], "g": group[keep], "x": model.design.X[keep][:, -1]}).fit()
    assert_allclose(res.params[inner.params.index], inner.params, rtol=1e-8)
    assert_allclose(res.bse[inner.params.index], inner.bse, rtol=1e-8)


def test_many_rows_are_not_copied():
    import tracemalloc

    rng = np.random.default_rng(0)
    n, k = 60_000, 30
    X = np.column_stack([np.ones(n), rng.normal(size=(n, k))])
    y = rng.integers(0, 2, n).astype(float)
    X[:, k] = 0.0
    X[np.flatnonzero(y == 0)[:40], k] = 1.0
    model = ls.Logit(y, X)
    tracemalloc.start()
    found = model.separation()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.infinite == {f"x{k}": -np.inf}
    assert peak < 0.7 * X.nbytes


def test_what_it_says():
    found = ls.logit(FORMULA, DATA).separation()
    assert max(map(len, str(found).split("\n"))) <= 80
    text = " ".join(str(found).split())
    assert "13 of 79 rows are predicted perfectly in the limit (13 as events, 0 as non-events)" in text
    for remedy in ("fit_limit()", "fit_firth()", "fit_regularized()"):
        assert remedy in text
    assert found.columns == ["NV"]
    assert list(found.row_labels) == list(DATA.index[DATA["NV"] == 1])
    assert found.rows_frame()["predicted"].eq("event").all()
    assert str(ls.logit("HG ~ PI", DATA).separation()) == "No separation: the maximum-likelihood estimate is finite."
    html = ls.logit("HG ~ Q('N<V') + PI + EH", DATA.rename(columns={"NV": "N<V"})).separation()._repr_html_()
    assert "N&lt;V" in html
    assert "N<V" not in html
    assert pickle.loads(pickle.dumps(found)).infinite == {"NV": np.inf}


# The limiting fit.


def test_endometrial_reference():
    reference = ENDOMETRIAL.values["maximum_likelihood"]
    res = ls.logit(FORMULA, DATA).fit_limit()
    assert_allclose(res.llf, reference["loglik_supremum"], rtol=1e-12)
    assert_allclose(res.llnull, reference["loglik_null"], rtol=1e-12)
    whole = reference["lr_against_intercept_only"]
    assert_allclose([res.llr, res.llr_pvalue, res.df_model], [whole["statistic"], whole["p"], whole["df"]], rtol=1e-10)
    assert_allclose(res.params, reference["coef_in_the_limit"], rtol=1e-9)
    assert_allclose(res.bse, reference["se_of_finite_coefficients_in_the_limit"], rtol=1e-9)
    test = res.lr_test(ls.logit("HG ~ PI + EH", DATA).fit())
    expected = reference["lr_of_NV"]
    assert_allclose([test.statistic, test.df, test.pvalue], [expected["statistic"], 1, expected["p"]], rtol=1e-9)
    assert_allclose([res.lr_statistics[1], res.pvalues["NV"]], [expected["statistic"], expected["p"]], rtol=1e-9)
    assert_allclose(res.conf_int().loc["NV"], reference["profile_ci_95_NV"], rtol=1e-9)


@pytest.mark.parametrize("part", ["petal_length_only", "sepal_length_and_width"])
def test_complete_separation_reference(part):
    case = load_case("iris_complete_separation")
    reference = case.values[part]
    res = ls.logit(reference["formula_r"], case.data).fit_limit()
    assert res.llf == reference["loglik_supremum"] == 0.0
    assert res.deviance == 0.0
    assert res.separation.kind == "complete"
    assert not np.isfinite(res.params).any()
    assert res.bse.isna().all()
    assert_allclose(res.predict(), case.data["setosa"])
    assert_allclose(res.llr, -2 * res.llnull)


def test_finite_coefficients_are_those_of_the_rows_that_are_left():
    res = ls.logit(FORMULA, DATA).fit_limit()
    left = ls.logit("HG ~ PI + EH", DATA[DATA["NV"] == 0]).fit()
    same = ["Intercept", "PI", "EH"]
    assert_allclose(res.params[same], left.params[same], rtol=1e-10)
    assert_allclose(res.cov_params().loc[same, same], left.cov_params().loc[same, same], rtol=1e-9)
    assert_allclose(res.conf_int().loc[same], left.conf_int(method="profile").loc[same], rtol=1e-8)
    assert_allclose(res.conf_int(method="wald").loc[same], left.conf_int().loc[same], rtol=1e-9)
    assert res.conf_int(method="wald").loc["NV"].isna().all()
    ratios = res.odds_ratios()
    assert_allclose(ratios.loc["NV"], [np.inf, np.nan, np.exp(res.conf_int().loc["NV"].iloc[0]), np.inf])
    assert_allclose(res.llf, left.llf, rtol=1e-12)
    assert_allclose(res.pearson_chi2, left.pearson_chi2, rtol=1e-10)
    whole = ls.logit("HG ~ PI", DATA)
    assert_allclose(whole.fit_limit().params, whole.fit().params, rtol=1e-9)
    assert_allclose(whole.fit_limit().bse, whole.fit().bse, rtol=1e-9)
    assert "No separation" in " ".join(whole.fit_limit().summary_notes())


def supremum(model: ls.Logit, j: int, value: float) -> float:
    """Log-likelihood with coefficient j held, maximised by brute force in a box that is as good as infinite."""
    free = [i for i in range(len(model.exog_names)) if i != j]

    def fall(b: np.ndarray) -> tuple[float, np.ndarray]:
        beta = np.insert(b, j, value)
        return -model.loglike(beta), -model.score(beta)[free]

    best = minimize(fall, np.zeros(len(free)), jac=True, method="L-BFGS-B", bounds=[(-60, 60)] * len(free),
                    options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-10})  # fmt: skip
    return -float(best.fun)


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_profile_limits_against_brute_force(seed):
    y, X = separated_draw(seed)
    if np.linalg.matrix_rank(X) < X.shape[1]:
        return
    model = ls.Logit(y, X)
    res = model.fit_limit()
    for j, (low, high) in enumerate(res.conf_int()):
        fate = res.separation.fates[j]
        assert np.isfinite(low) == (fate in ("finite", "+inf"))
        assert np.isfinite(high) == (fate in ("finite", "-inf"))
        for end in (low, high):
            if np.isfinite(end):
                assert_allclose(2 * (res.llf - supremum(model, j, end)), 3.841458820694124, atol=2e-3)
        assert_allclose(2 * (res.llf - supremum(model, j, 0.0)), res.lr_statistics[j], atol=2e-3)


def test_an_undetermined_coefficient_has_no_limits_and_no_evidence():
    case = load_case("iris_complete_separation")
    res = ls.logit("setosa ~ petal_length + sepal_width", case.data).fit_limit()
    assert res.separation.undetermined == ["Intercept", "sepal_width"]
    assert np.isnan(res.params["sepal_width"])
    assert res.pvalues["sepal_width"] == 1.0
    assert res.conf_int().loc["sepal_width"].tolist() == [-np.inf, np.inf]
    assert res.params["petal_length"] == -np.inf
    assert np.isfinite(res.conf_int().loc["petal_length"].iloc[1])
    new = pd.DataFrame({"petal_length": [1.4, 5.0, 2.4], "sepal_width": [3.4, 3.0, 50.0]})
    assert_allclose(res.predict(new), [1.0, 0.0, np.nan])


def test_predictions_on_either_side_and_between():
    res = ls.logit(FORMULA, DATA).fit_limit()
    new = pd.DataFrame({"NV": [0, 1, -1, 0, np.nan], "PI": [10, 10, 10, 20, 1], "EH": [1.0, 1, 1, 2, 1]})
    left = ls.logit("HG ~ PI + EH", DATA[DATA["NV"] == 0]).fit()
    expected = left.get_prediction(new.iloc[[0, 3]])
    found = res.get_prediction(new)
    assert_allclose(found.predicted, [expected.predicted[0], 1, 0, expected.predicted[1], np.nan])
    assert_allclose(found.se[[0, 3]], expected.se, rtol=1e-9)
    assert_allclose(found.conf_int()[[0, 3]], expected.conf_int(), rtol=1e-9)
    assert np.isnan(found.conf_int()[1]).all()
    assert_allclose(res.predict(), res.predict(DATA), rtol=1e-9)
    assert_allclose(res.fittedvalues[DATA["NV"] == 1], np.inf)
    assert_allclose(res.predict(new, which="var")[1:3], 0.0)
    assert_allclose(res.roc().auc, ls.logit(FORMULA, DATA).fit_firth().roc().auc, atol=0.02)
    assert res.pred_table().sum() == 79


def test_frequency_weights_trials_and_repeated_rows_agree():
    weights = np.arange(len(DATA)) % 3 + 1
    repeated = DATA.loc[DATA.index.repeat(weights)].reset_index(drop=True)
    plain = ls.logit(FORMULA, repeated).fit_limit()
    weighted = ls.logit(FORMULA, DATA, freq_weights=weights).fit_limit()
    counts = DATA.assign(events=DATA["HG"] * weights, m=weights)
    grouped = ls.logit("events ~ NV + PI + EH", counts, trials="m").fit_limit()
    for other in (weighted, grouped):
        assert_allclose(other.params, plain.params, rtol=1e-8)
        assert_allclose(other.bse, plain.bse, rtol=1e-8)
        assert_allclose(other.conf_int(), plain.conf_int(), rtol=1e-7)
        assert_allclose(other.pvalues, plain.pvalues, rtol=1e-6)
        assert_allclose(other.llr, plain.llr, rtol=1e-10)
    assert weighted.nobs == plain.nobs


def test_offsets():
    offset = np.linspace(-1.0, 2.0, len(DATA))
    res = ls.logit(FORMULA, DATA.assign(o=offset), offset="o").fit_limit()
    here = DATA["NV"] == 0
    left = ls.logit("HG ~ PI + EH", DATA[here], offset=offset[here]).fit()
    assert_allclose(res.params[["Intercept", "PI", "EH"]], left.params, rtol=1e-9)
    low = res.conf_int().loc["NV"].iloc[0]
    held = ls.logit("HG ~ PI + EH", DATA, offset=offset + low * DATA["NV"]).fit()
    assert_allclose(2 * (res.llf - held.llf), 3.841458820694124, rtol=1e-9)
    assert_allclose(res.predict(DATA.assign(o=offset))[here], left.predict(), rtol=1e-9)


@pytest.mark.parametrize(("scale", "shift"), [(1e-8, 0.0), (1e8, 0.0), (1.0, 1e7)])
def test_units_do_not_matter(scale, shift):
    plain = ls.logit(FORMULA, DATA).fit_limit()
    other = ls.logit(FORMULA, DATA.assign(NV=DATA["NV"] * scale + shift, PI=DATA["PI"] * scale + shift)).fit_limit()
    assert other.params["NV"] == np.inf
    assert_allclose(other.pvalues[1:], plain.pvalues[1:], rtol=1e-6)
    assert_allclose(other.tvalues[2:], plain.tvalues[2:], rtol=1e-6)
    assert_allclose(other.conf_int().loc["NV"].iloc[0] * scale, plain.conf_int().loc["NV"].iloc[0], rtol=1e-6)
    assert_allclose(other.predict(), plain.predict(), atol=1e-8)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_units_at_the_ends_of_double_precision(scale):
    y, X = DATA["HG"].to_numpy(), np.column_stack([np.ones(len(DATA)), DATA[["NV", "PI", "EH"]]])
    for fitted in (lambda m: m.fit_limit(), lambda m: m.fit_firth()):
        plain, other = fitted(ls.Logit(y, X)), fitted(ls.Logit(y, X * [1, scale, scale, 1]))
        unit = np.array([1, scale, scale, 1])
        assert_allclose(other.conf_int() * unit[:, None], plain.conf_int(), rtol=1e-7)
        assert_allclose(other.pvalues, plain.pvalues, rtol=1e-6)
    ordinary = [ls.Logit(y, X[:, [0, 2, 3]] * c).fit().conf_int(method="profile") for c in ([1, scale, 1], 1)]
    assert_allclose(ordinary[0] * np.array([[1], [scale], [1]]), ordinary[1], rtol=1e-7)


def test_arrays_of_one_column_and_without_constant():
    res = ls.Logit([0, 0, 1, 1], np.array([-2.0, -1, 1, 2])).fit_limit()
    assert isinstance(res.params, np.ndarray)
    assert_allclose(res.params, [np.inf])
    # the log-likelihood at t is -2 log(1 + e^-t) - 2 log(1 + e^-2t)
    low = res.conf_int()[0, 0]
    assert_allclose(4 * (np.log1p(np.exp(-low)) + np.log1p(np.exp(-2 * low))), 3.841458820694124, rtol=1e-9)
    assert_allclose(res.lr_statistics, [8 * np.log(2)])
    assert_allclose(res.predict(np.array([[3.0], [-1.0], [0.0]])), [1, 0, 0.5])
    assert res.df_model == 1


def test_rows_that_no_column_reaches_keep_their_likelihood():
    x, y = [0.0, 0.0, 0.0, 1.0, -1.0], [2, 1, 0, 2, 0]
    res = ls.Logit(y, x, trials=[3, 2, 1, 2, 2], offset=[0.5, 0.0, -1.0, 0.0, 3.0]).fit_limit()
    odds = np.exp([0.5, 0.0, -1.0])
    chance = odds / (1.0 + odds)
    assert res.params.tolist() == [np.inf]
    rows = stats.binom([3, 2, 1], chance)
    assert_allclose(res.llf, rows.logpmf([2, 1, 0]).sum(), rtol=1e-13)
    assert_allclose(res.pearson_chi2, ((np.array([2, 1, 0]) - rows.mean()) ** 2 / rows.var()).sum(), rtol=1e-13)
    offsets = np.array([0.0, 3.0])
    at_zero = np.log(1.0 / (1.0 + np.exp(-offsets[0]))) * 2.0 - 2.0 * np.log1p(np.exp(offsets[1]))
    assert_allclose(res.lr_statistics, [-2.0 * at_zero], rtol=1e-12)
    low, high = res.conf_int()[0]
    assert high == np.inf
    fall = -2.0 * (2.0 * low - 2.0 * np.log1p(np.exp(low)) - 2.0 * np.log1p(np.exp(3.0 - low)))
    assert_allclose(fall, stats.chi2.isf(0.05, 1), rtol=1e-9)


def test_degrees_of_freedom_count_what_the_smaller_model_leaves():
    data = DATA.assign(NP=DATA["NV"] * DATA["PI"])
    with_product = ls.logit("HG ~ NV + NP + PI + EH", data).fit_limit()
    without = ls.logit(FORMULA, data).fit_limit()
    assert_allclose(with_product.llf, without.llf, rtol=1e-12)
    test = with_product.lr_test(without)
    # rows with NV = 1 are certain already; in the others the product is zero
    assert (test.statistic, test.df, test.pvalue) == (0.0, 0, 1.0)
    smaller = ls.logit("HG ~ NV + PI", data).fit_limit()
    assert without.lr_test(smaller).df == 1
    assert with_product.lr_test(ls.logit("HG ~ PI + EH", data).fit()).df == 2
    finite = ls.logit("HG ~ PI + EH", data).fit()
    assert finite.lr_test(without).df == 1  # from either side
    with pytest.raises(NotAvailableError, match="penalized"):
        without.lr_test(ls.logit("HG ~ PI", data).fit_firth())


def test_every_other_question_is_answered_clearly():
    res = ls.logit(FORMULA, DATA).fit_limit()
    asked = {"margins": (), "with_cov": ("HC1",), "t_test": ("PI = 0",), "get_influence": (), "certificate": (),
             "wald_test": ("PI = 0",), "anova": (), "drop1": (), "vif": (), "gof": (), "crosscheck": (), "evidence": ("PI",),
             "remove_data": ()}  # fmt: skip
    for name, arguments in asked.items():
        with pytest.raises(NotAvailableError, match=rf"{name} needs finite coefficients, and those of NV"):
            getattr(res, name)(*arguments)
    with pytest.raises(NotAvailableError, match="bootstrap needs finite"):
        res.bootstrap()
    with pytest.raises(AttributeError):
        res.no_such_thing  # noqa: B018
    with pytest.raises(NotAvailableError, match=r"ask fit\(\)"):
        ls.logit("HG ~ PI", DATA).fit_limit().margins()
    with pytest.raises(NotAvailableError, match="sampling weights"):
        ls.logit(FORMULA, DATA, sampling_weights=np.ones(len(DATA))).fit_limit()
    with pytest.raises(DataError, match="alpha"):
        res.conf_int(alpha=2.0)
    with pytest.raises(RankDeficientError):
        ls.logit("HG ~ NV + PI + I(2 * PI)", DATA).fit_limit()
    dropped = ls.logit("HG ~ NV + PI + I(2 * PI) + EH", DATA, check_rank="drop").fit_limit()
    assert_allclose(dropped.llf, res.llf, rtol=1e-12)


def test_it_is_offered_and_never_the_default():
    with pytest.raises(SeparationError, match=r"fit_limit\(\)"):
        ls.logit(FORMULA, DATA).fit()


def test_summary_and_files(tmp_path):
    res = ls.logit(FORMULA, DATA).fit_limit()
    text = res.summary(clock=False).as_text()
    assert "limit of maximum likelihood" in text
    assert "13 of 79 rows are predicted with certainty" in " ".join(text.split())
    assert [len(line) for line in text.splitlines() if line.startswith("NV")] == [78]
    frame = res.tidy(exponentiate=True)
    assert frame.set_index("term").loc["NV", "estimate"] == np.inf
    assert res.glance()["df_model"].item() == 3
    assert "inf" in str(res)
    assert "1 infinite" in repr(res)
    assert "<table" in res._repr_html_()
    res.save(tmp_path / "limit.pickle")
    assert_allclose(ls.load(tmp_path / "limit.pickle").conf_int(), res.conf_int())


@pytest.mark.parametrize("value", [1e-8, 1e8])
def test_the_value_of_the_constant_column_does_not_matter(value):
    rng = np.random.default_rng(2)
    x = np.round(rng.normal(size=50), 1)
    y = (x >= 0.1).astype(float)
    ones, offset = np.ones(50), rng.normal(size=50)
    plain = ls.Logit(y, np.column_stack([ones, x]), offset=offset).fit_limit()
    other = ls.Logit(y, np.column_stack([value * ones, x * 1e-8]), offset=offset).fit_limit()
    assert other.separation.fates == plain.separation.fates
    assert_allclose(other.lr_statistics, plain.lr_statistics, rtol=1e-9)
    assert_allclose(other.conf_int() * [[value], [1e-8]], plain.conf_int(), rtol=1e-8)


@pytest.mark.parametrize("seed", [1, 2, 6])
def test_separation_of_categories_whatever_the_constant_column(seed):
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(20, 2)), 1)
    y = (x @ rng.integers(-2, 3, (2, 4)) + rng.integers(-1, 2, 4)).argmax(axis=1)
    plain, other = (ls.MNLogit(y, np.column_stack([np.full(20, v), x])).separation() for v in (1.0, 1e8))
    assert other.kind == plain.kind == "complete"
    assert other.fates == plain.fates
