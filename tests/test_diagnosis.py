"""Outlier tests and the explanation of separation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import logit_stats as ls
from tests.cases import load_case


def test_outliers_are_ranked_and_adjusted():
    res = ls.logit("low ~ age + lwt + smoke", ls.datasets.load("birthwt")).fit()
    got = res.outlier_test(5)
    studentized = res.get_influence().resid_studentized
    assert_allclose(np.abs(got.frame["resid_studentized"]), np.sort(np.abs(studentized))[::-1][:5])
    assert_allclose(got.frame["p_value"], 2 * stats.norm.sf(np.abs(got.frame["resid_studentized"])))
    assert_allclose(got.frame["bonferroni"], np.minimum(189 * got.frame["p_value"], 1))
    assert "of 189 observations" in str(got)
    assert "<table" in got._repr_html_()


@pytest.mark.parametrize("name", ["endometrial_separation_firth", "iris_complete_separation"])
def test_the_direction_can_be_checked_by_anyone(name):
    case = load_case(name)
    formula, arguments = case.model_arguments()
    model = ls.logit(formula, case.data, **arguments)
    found = model.separation()
    y, along = model.endog, model.exog @ found.directions[0]
    assert found.kind != "none"
    assert (along[y == 1] >= -1e-9).all()
    assert (along[y == 0] <= 1e-9).all()
    assert np.abs(along).max() > 1e-6
    assert "Remedies" in str(found)
    assert "inf" in found._repr_html_()


def test_data_that_overlap_are_not_separated():
    found = ls.logit("low ~ age + lwt", ls.datasets.load("birthwt")).separation()
    assert found.kind == "none"
    assert "finite" in str(found)
