"""Rows in which nothing was tried are left out and counted, however the counts are written."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import NoRowsError

# Agreement with "women should run their homes" by years of education and sex (Everitt and Hothorn, HSAUR, womensrole); no woman
# of the survey had two years of education.
WOMENSROLE = pd.DataFrame(
    {
        "education": [*range(21), *range(21)],
        "sex": ["Male"] * 21 + ["Female"] * 21,
        "agree": [4, 2, 4, 6, 5, 13, 25, 27, 75, 29, 32, 36, 115, 31, 28, 9, 15, 3, 1, 2, 3,
                  4, 1, 0, 6, 10, 14, 17, 26, 91, 30, 55, 50, 190, 17, 18, 7, 13, 3, 0, 1, 2],
        "disagree": [2, 0, 0, 3, 5, 7, 9, 15, 49, 29, 45, 59, 245, 70, 79, 23, 110, 29, 28, 13, 20,
                     2, 0, 0, 1, 0, 7, 5, 16, 36, 35, 67, 62, 403, 92, 81, 34, 115, 28, 21, 2, 4],
    }
)  # fmt: skip


def three_ways(data, right, s="agree", f="disagree"):
    """The same counts as a sum in the formula, as trials, and as two columns beside an array."""
    in_formula = ls.logit(f"{s} + {f} ~ {right}", data)
    by_trials = ls.logit(f"{s} ~ {right}", data.assign(n=data[s] + data[f]), trials="n")
    X = np.asarray(ls.logit(f"{s} + {f} + 1 ~ {right}".replace(" + 1", ""), data.assign(**{f: data[f] + 1})).exog)
    array = ls.Logit(data[[s, f]].to_numpy(), X)
    return {"formula": in_formula, "trials": by_trials, "array": array}


@pytest.mark.parametrize("way", ["formula", "trials", "array"])
def test_published_deviances(way):
    """R 4.2: ``glm(cbind(agree, disagree) ~ sex + education, binomial, womensrole)``, and with ``quasibinomial``."""
    model = three_ways(WOMENSROLE, "C(sex, Treatment('Male')) + education")[way]
    res = model.fit()
    assert model.sample.line().startswith("42 rows read, 1 without trials, 41 used")
    assert (res.nobs, res.df_resid) == (41, 38)
    assert_allclose(res.deviance, 64.0066374917, rtol=1e-9)
    assert_allclose(res.null_deviance, 451.7218780543, rtol=1e-9)
    assert_allclose(res.pearson_chi2, 72.6708732637, rtol=1e-9)
    # R's BIC counts the empty row: 213.2810939 less 3 log(42 / 41)
    assert_allclose(res.bic, 213.2810939 - 3 * np.log(42 / 41), rtol=1e-9)
    assert_allclose(sorted(res.params), [-0.2706208549, -0.0114468532, 2.5093718690], rtol=1e-8)
    assert_allclose(sorted(res.with_cov("quasi").bse), [0.02131259438, 0.11636561389, 0.25429711721], rtol=1e-8)
    assert len(res.resid_dev) == 41


@pytest.mark.parametrize("way", ["formula", "trials", "array"])
def test_every_statistic_is_that_of_the_data_without_them(way):
    empty = WOMENSROLE.iloc[[3, 11]].assign(agree=0, disagree=0, education=60)
    data = pd.concat([WOMENSROLE, empty], ignore_index=True)
    some = data[data["agree"] + data["disagree"] > 0]
    right = "C(sex) + education"
    res, want = three_ways(data, right)[way].fit(), three_ways(some, right)[way].fit()
    for name in (
        "params",
        "bse",
        "llf",
        "deviance",
        "null_deviance",
        "pearson_chi2",
        "bic",
        "aic",
        "df_resid",
        "nobs",
        "prsquared",
    ):
        assert_allclose(getattr(res, name), getattr(want, name), rtol=1e-10, err_msg=name)
    for kind in ("HC0", "HC1", "HC2", "HC3", "quasi"):
        assert_allclose(res.with_cov(kind).bse, want.with_cov(kind).bse, rtol=1e-10, err_msg=kind)
    by_t = [r.model.fit(cov_type="HC1", use_t=True).pvalues for r in (res, want)]
    assert_allclose(*by_t, rtol=1e-10)
    assert str(res.gof()) == str(want.gof())
    drawn = [r.bootstrap(reps=20, seed=1, progress=False).standard_errors for r in (res, want)]
    assert_allclose(*drawn, rtol=1e-9)
    if way != "array":
        assert str(res.drop1()) == str(want.drop1())
        assert str(res.outlier_test()) == str(want.outlier_test())
    assert res.crosscheck().passed
    assert list(res.model.sample.left_out()) == ["no trials"] * 3


def test_a_level_without_trials():
    """R: ``glm(cbind(s, f) ~ q)`` on the rows with trials: 0.4418, 1.2528 with errors 0.690, 0.945, 0.945."""
    data = pd.DataFrame({"s": [3, 4, 0, 6], "f": [7, 6, 0, 4], "q": list("abcd"), "v": [1.0, 2, 3, 4]})
    res = ls.logit("s + f ~ q", data).fit()
    assert_allclose(res.params, [-0.8472979, 0.4418328, 1.2527630], atol=1e-6)
    assert_allclose(res.bse, [0.6900656, 0.9449112, 0.9449112], atol=1e-6)
    number = ls.logit("s + f ~ v", data).fit()
    assert (number.nobs, number.df_resid) == (3, 1)
    assert_allclose(number.deviance, 0.000871, atol=1e-6)


def test_columns_that_differ_only_where_nothing_was_tried_are_dependent():
    data = pd.DataFrame({"s": [3, 4, 0, 6], "f": [7, 6, 0, 4], "v": [0.0, 0, 1, 0], "x": [1.0, 2, 3, 5]})
    with pytest.raises(ls.errors.RankDeficientError, match="v"):
        ls.logit("s + f ~ x + v", data).fit()


def test_separation_does_not_count_them():
    data = pd.DataFrame({"s": [0, 0, 5, 6, 0, 0], "f": [4, 5, 0, 0, 0, 0], "x": [1.0, 2, 3, 4, 2.5, 9]})
    found = ls.logit("s + f ~ x", data).separation()
    assert len(found.side) == 4
    assert found.kind == "complete"


def test_new_rows_without_trials():
    res = ls.logit("agree + disagree ~ education", WOMENSROLE).fit()
    found = res.validate(WOMENSROLE)
    assert "1 without trials" in " ".join(str(found).split())
    with pytest.raises(NoRowsError):
        ls.logit("s + f ~ x", {"s": [0, 0], "f": [0, 0], "x": [1, 2]})
    # a negative count is an error, and not a row without trials
    with pytest.raises(ls.errors.ResponseError, match="whole numbers"):
        ls.logit("s + f ~ x", {"s": [-1, 2, 1], "f": [1, 2, 3], "x": [1, 2, 4]})
