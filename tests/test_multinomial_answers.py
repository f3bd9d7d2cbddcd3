"""What multinomial results answer as the binary ones do: resamples, results without rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import NotAvailableError
from tests.test_equation_rows import data


def test_resamples_are_fits_to_the_rows_drawn():
    df = data(80)
    res = ls.mnlogit("y ~ x", df).fit()
    drawn = res.bootstrap(reps=6, seed=11)
    rng = np.random.default_rng(11)
    for found in drawn.draws:
        rows = rng.integers(0, 80, 80)
        again = ls.mnlogit("y ~ x", df.iloc[rows].reset_index(drop=True)).fit()
        assert_allclose(found, np.asarray(again.params).ravel(order="F"), rtol=1e-7)
    assert list(drawn.names) == ["b:Intercept", "b:x", "c:Intercept", "c:x"]


@pytest.mark.parametrize("groups", [None, "z"])
def test_resamples_of_two_categories_are_those_of_the_binary_logit(groups):
    df = data(90, categories="ab").assign(one=lambda d: (d["y"] == "b").astype(int), z=lambda d: np.arange(90) // 5)
    many, two = ls.mnlogit("y ~ x", df).fit(), ls.logit("one ~ x", df).fit()
    ours, theirs = (res.bootstrap(reps=40, seed=5, groups=groups) for res in (many, two))
    assert_allclose(ours.draws, theirs.draws, rtol=1e-7)
    assert_allclose(ours.acceleration, theirs.acceleration, rtol=1e-7)
    for method in ("bootstrap", "bca"):
        limits = [np.asarray(res.with_cov("bootstrap", reps=40, seed=5).conf_int(method=method)) for res in (many, two)]
        assert_allclose(limits[0], limits[1], rtol=1e-7)


def test_a_resample_without_a_category_has_no_estimate():
    df = data(60)
    df.loc[:, "y"] = np.where(np.arange(60) < 2, "c", np.where(df["y"] == "c", "a", df["y"]))
    drawn = ls.mnlogit("y ~ 1", df).fit().bootstrap(reps=60, seed=2)
    assert drawn.separated > 0
    assert drawn.separated + len(drawn.draws) == 60


def test_ordered_responses_are_resampled_too():
    df = data(120)
    df["y"] = df["y"].astype("category").cat.as_ordered()
    res = ls.ologit("y ~ x", df).fit()
    drawn = res.bootstrap(reps=4, seed=3)
    rng = np.random.default_rng(3)
    for found in drawn.draws:
        again = ls.ologit("y ~ x", df.iloc[rng.integers(0, 120, 120)].reset_index(drop=True)).fit()
        assert_allclose(found, again.params, rtol=1e-6)


def test_results_without_rows_print_and_predict_as_before(tmp_path):
    df = data()
    res = ls.mnlogit("y ~ x + z", df, freq_weights="w").fit(cov_type="HC1")
    small = res.remove_data()
    assert str(small.summary(clock=False)) == str(res.summary(clock=False))
    new = df.head(4)
    assert_allclose(small.predict(new), res.predict(new))
    assert_allclose(small.pseudo_rsquared("all"), res.pseudo_rsquared("all"))
    assert small.tidy().equals(res.tidy())
    assert_allclose(small.wald_test("b:x = 0").statistic, res.wald_test("b:x = 0").statistic)
    for ask in (small.margins, small.predict, small.get_influence, lambda: small.with_cov("HC3"), small.classification):
        with pytest.raises(NotAvailableError, match="remove_data"):
            ask()
    res.save(tmp_path / "whole.pkl")
    res.save(tmp_path / "small.pkl", remove_data=True)
    assert_allclose(ls.load(tmp_path / "small.pkl").params, res.params)


def test_score_tests_of_added_columns():
    df = data()
    df["u"] = np.random.default_rng(0).normal(size=len(df))
    small, large = (ls.mnlogit(f, df).fit() for f in ("y ~ x", "y ~ x + u"))
    found = small.score_test("u")
    beta = np.zeros((3, 2))
    beta[:2] = np.asarray(small.params)
    model = large.model
    score, info = model.score(beta), model.information(beta)
    assert_allclose([found.statistic, found.df], [score @ np.linalg.solve(info, score), 2], rtol=1e-9)
    assert abs(found.statistic - large.lr_test(small).statistic) < 0.5
