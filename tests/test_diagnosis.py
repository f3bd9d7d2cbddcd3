"""Outliers, collinearity and the explanation of separation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import logit_stats as ls
from logit_stats.assess.conditioning import condition_indices
from logit_stats.errors import DataError, NotAvailableError
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


class TestConditionIndices:
    def test_longley(self):
        # Belsley, Kuh and Welsch's diagnostics of Longley's data: the largest scaled condition index is 43,275 (SAS, COLLIN)
        exog = pytest.importorskip("statsmodels.api").datasets.longley.load_pandas().exog
        res = ls.logit("y ~ " + " + ".join(exog), exog.assign(y=[0, 1] * 8), check_rank=False)
        got = condition_indices(res.design)
        assert_allclose(got.index[-1], 43275.04, rtol=1e-6)
        assert got.proportions.iloc[-1].idxmax() in ("Intercept", "YEAR")
        assert "Nearly dependent, index 4.33e+04: Intercept" in str(got)

    @pytest.mark.parametrize("weighted", [True, False])
    def test_definition(self, weighted):
        data = ls.datasets.load("birthwt").assign(f=lambda d: 1 + d["ftv"])
        res = ls.logit("low ~ age + lwt + C(race) + smoke", data, freq_weights="f").fit()
        X, p = np.asarray(res.model.exog), np.asarray(res.predict())
        A = X * np.sqrt(data["f"].to_numpy() * (p * (1 - p) if weighted else 1.0))[:, None]
        length = np.linalg.norm(A, axis=0)
        singular, v = np.linalg.svd(A / length, full_matrices=False)[1:]
        got = res.condition_indices(weighted)
        assert_allclose(got.index, singular[0] / singular, rtol=1e-9)
        # the parts add up to the diagonal of the inverse: with weights, the variances of the coefficients
        parts = (v / singular[:, None]) ** 2
        assert_allclose(got.proportions, parts / parts.sum(axis=0), rtol=1e-7, atol=1e-12)
        if weighted:
            assert_allclose(parts.sum(axis=0) / length**2, np.diag(res.cov_params()), rtol=1e-7)
        assert_allclose(got.proportions.sum(), 1.0)
        assert ("weighted by" in str(got)) == weighted
        assert "No index" in got._repr_html_()

    @pytest.mark.parametrize("factor", [1e-250, 1e250])
    def test_units_do_not_matter(self, factor):
        data = ls.datasets.load("birthwt")
        plain = ls.logit("low ~ age + lwt", data).fit().condition_indices()
        scaled = ls.logit("low ~ age + lwt", data.assign(age=data["age"] * factor)).fit().condition_indices()
        assert_allclose(scaled.index, plain.index, rtol=1e-9)
        assert_allclose(scaled.proportions, plain.proportions, rtol=1e-6, atol=1e-10)


@pytest.mark.filterwarnings("error")
def test_no_variance_inflation_from_a_singular_covariance():
    data = ls.datasets.load("birthwt")
    res = ls.logit("low ~ age + lwt + smoke + ht + ui", data).fit()
    few = res.with_cov("cluster", groups=np.arange(len(data)) % 4)
    with pytest.raises(NotAvailableError, match=r"cluster covariance is singular.*with_cov\('nonrobust'\)"):
        few.vif()
    many = res.with_cov("cluster", groups=np.arange(len(data)) % 40)
    assert (many.vif().terms["gvif"] < 10).all()
    with pytest.raises(NotAvailableError, match="constraints"):
        ls.logit("low ~ age + lwt + smoke", data).fit_constrained("lwt = 0").vif()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_variance_inflation_has_no_unit(size):
    data = ls.datasets.load("birthwt")
    want = ls.logit("low ~ age + lwt + smoke", data).fit().vif()
    got = ls.logit("low ~ age + lwt + smoke", data.assign(lwt=data["lwt"] * size)).fit().vif()
    assert_allclose(got.terms["gvif"], want.terms["gvif"], rtol=1e-8)
    assert_allclose(got.columns, want.columns, rtol=1e-10)


def test_how_many_is_a_whole_number():
    res = ls.logit("low ~ age + lwt + smoke", ls.datasets.load("birthwt")).fit()
    for ask in (
        lambda: res.outlier_test(2.5), lambda: res.linearity(knots=4.5), lambda: res.hosmer_lemeshow(9.5),
        lambda: res.calibration(9.5), lambda: res.optimism(reps=2.5), lambda: res.fragility("age", most=2.5),
        lambda: res.optimism("crossvalidation", folds=2.5), lambda: res.outlier_test("3"),
    ):  # fmt: skip
        with pytest.raises(DataError, match="must be a whole number"):
            ask()
    assert str(res.hosmer_lemeshow(10.0)) == str(res.hosmer_lemeshow())
    assert res.optimism("crossvalidation", folds=5.0, seed=1).reps == 5


def test_both_kinds_of_variance_inflation_are_shown():
    got = ls.logit("low ~ age + lwt + C(race)", ls.datasets.load("birthwt")).fit().vif()
    for text in (str(got), got._repr_html_()):
        assert "from the covariance of the coefficients" in text
        assert "of the design columns, weights left out" in text
        assert f"{got.columns['C(race)[T.black]']:.4f}" in text
        assert f"{got.terms['gvif_power'].iloc[0]:.4f}" in text
