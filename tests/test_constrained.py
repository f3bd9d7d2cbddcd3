"""Fits under constraints against statsmodels' GLM and fits of combined columns."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError, RankDeficientError, SeparationError

FORMULA = "low ~ age + lwt + C(race) + smoke"
CONSTRAINTS = [
    "age = lwt",
    "smoke = 1",
    "C(race)[T.black] = C(race)[T.other], smoke = 0.5",
    "Intercept = 0",
    "2*age + lwt - smoke = 0.3, Intercept + lwt = 1",
]


@pytest.fixture(scope="module")
def births():
    return ls.datasets.load("birthwt")


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_as_in_statsmodels(births, constraint):
    ours = ls.logit(FORMULA, births).fit_constrained(constraint)
    theirs = smf.glm(FORMULA, births, family=sm.families.Binomial()).fit_constrained(constraint, tol=1e-14)
    assert_allclose(ours.params, theirs.params, rtol=1e-7, atol=1e-9)
    assert_allclose(ours.cov_params(), theirs.cov_params(), rtol=1e-6, atol=1e-8)
    assert_allclose(ours.llf, theirs.llf, rtol=1e-12)
    assert ours.df_resid == len(births) - 6 + constraint.count("=")
    held = ours.t_test(constraint)
    assert_allclose(held.effect, held.value, atol=1e-12)


def test_the_constraints_are_tested_by_the_likelihood_ratio(births):
    model = ls.logit(FORMULA, births)
    free, same = model.fit(), model.fit_constrained("C(race)[T.black] = C(race)[T.other]")
    test = free.lr_test(same)
    merged = ls.logit("low ~ age + lwt + I(race != 'white') + smoke", births).fit()
    assert_allclose(test.statistic, 2 * (free.llf - merged.llf), rtol=1e-8)
    assert test.df == 1
    assert_allclose(same.aic, merged.aic, rtol=1e-12)
    assert_allclose(
        same.with_cov("HC1").bse["smoke"], merged.with_cov("HC1").bse["smoke"], rtol=0.02
    )  # n - k counts all columns
    assert_allclose(same.with_cov("HC0").bse["smoke"], merged.with_cov("HC0").bse["smoke"], rtol=1e-8)
    assert_allclose(same.predict(), merged.predict(), rtol=1e-8)


def test_weights_offsets_and_trials():
    data = ls.datasets.load("menarche").assign(z=lambda d: np.sin(d.age))
    formula, settings = "reached ~ age + z", {"trials": "total"}
    fixed = ls.logit(formula, data, **settings).fit_constrained("z = 0.1")
    by_offset = ls.logit("reached ~ age", data.assign(o=0.1 * data.z), offset="o", **settings).fit()
    assert_allclose(fixed.params[["Intercept", "age"]], by_offset.params, rtol=1e-9)
    assert_allclose(fixed.bse[["Intercept", "age"]], by_offset.bse, rtol=1e-8)
    assert_allclose(fixed.llf, by_offset.llf, rtol=1e-12)
    weighted = ls.logit(FORMULA, ls.datasets.load("birthwt"), freq_weights=np.full(189, 2)).fit_constrained("age = lwt")
    plain = ls.logit(FORMULA, ls.datasets.load("birthwt")).fit_constrained("age = lwt")
    assert_allclose(weighted.params, plain.params, rtol=1e-8)
    assert_allclose(weighted.bse, plain.bse / np.sqrt(2), rtol=1e-8)


def test_summary_says_what_was_held(births):
    res = ls.logit(FORMULA, births).fit_constrained("smoke = 1")
    text = str(res.summary(clock=False))
    assert "smoke = 1" in text
    assert res.bse["smoke"] == 0.0
    assert np.isnan(res.pvalues["smoke"])
    again = pickle.loads(pickle.dumps(res))
    assert_allclose(again.params, res.params)


def test_arrays_and_what_would_forget_the_constraints(births):
    X = np.column_stack([np.ones(len(births)), births.age, births.lwt])
    res = ls.Logit(births.low.to_numpy(), X).fit_constrained([[0.0, 1.0, -1.0]])
    assert res.params[1] == pytest.approx(res.params[2], rel=1e-12)
    by_profile, resampled = partial(res.conf_int, method="profile"), partial(res.bootstrap, 10)
    added = partial(res.score_test, births.smoke)
    for asked in (by_profile, resampled, added, res.drop1, res.anova, res.crosscheck, res.certificate):
        with pytest.raises(NotAvailableError, match="constraints"):
            asked()


def test_what_is_refused(births):
    model = ls.logit(FORMULA, births)
    with pytest.raises(DataError, match="combination"):
        model.fit_constrained("age = lwt, 3*age = 3*lwt")
    with pytest.raises(DataError, match="nothing to estimate"):
        model.fit_constrained((np.eye(6), np.zeros(6)))
    doubled = births.assign(twice=2 * births.lwt)
    with pytest.raises(RankDeficientError):
        ls.logit("low ~ lwt + twice + age", doubled).fit_constrained("age = 0")
    ls.logit("low ~ lwt + twice + age", doubled).fit_constrained(
        "twice = 0"
    )  # the constraint takes the dependence away
    separated = births.assign(apart=births.low * 2 - 1)
    with pytest.raises(SeparationError):
        ls.logit("low ~ age + apart", separated).fit_constrained("age = 0")
