"""Firth's penalized likelihood against brglm2 and logistf values, and on data without a finite estimate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from tests.cases import in_patsy_order, load_case

CASES = (
    "endometrial_separation_firth",
    "spector_numeric",
    "birthwt_factor",
    "pima_train_test",
    "esoph_grouped_factors",
)


@pytest.mark.parametrize("name", CASES)
def test_reference_values(name):
    case = load_case(name)
    reference, names = case.values["firth"], case.values["names_patsy"]
    formula, arguments = case.model_arguments()
    res = ls.logit(formula, case.data, **arguments).fit_firth()
    order = list(res.params.index)
    assert_allclose(res.params, in_patsy_order(reference["coef"], names, order), rtol=1e-8)
    assert_allclose(res.bse, in_patsy_order(reference["se"], names, order), rtol=1e-8)
    assert_allclose(res.cov_params(), in_patsy_order(reference["vcov"], names, order), rtol=1e-7)
    assert_allclose(res.fit_.loglik, reference["loglik_kernel"], rtol=1e-9)
    kernel = res.llf - res._statistics.binomial_constant
    assert_allclose(kernel, reference["penalized_loglik_kernel"], rtol=1e-10)
    assert_allclose(res.predict(), reference["fitted"], rtol=1e-8)
    whole = reference["global_test"]["full_information_penalty"]
    assert_allclose([res.llr, res.llr_pvalue], [whole["statistic"], whole["p"]], rtol=1e-7)
    if "penalized_lr" in reference:
        statistic = in_patsy_order(reference["penalized_lr"]["statistic"], names, order)
        assert_allclose(res.penalized_lr, statistic, rtol=1e-7)
        assert_allclose(res.pvalues, in_patsy_order(reference["penalized_lr"]["p"], names, order), rtol=1e-6)
        limits = in_patsy_order(reference["profile_penalized_ci_95"], names, order)
        assert_allclose(res.conf_int(), limits, rtol=1e-7)
        wald = in_patsy_order(reference["wald_ci_95"], names, order)
        assert_allclose(res.conf_int(method="wald"), wald, rtol=1e-7)


@pytest.mark.parametrize("part", ["petal_length_only", "sepal_length_and_width"])
def test_complete_separation(part):
    case = load_case("iris_complete_separation")
    reference = case.values[part]
    res = ls.logit(reference["formula_r"], case.data).fit_firth()
    assert_allclose(res.params, reference["firth"]["coef"], rtol=1e-7)
    assert_allclose(res.bse, reference["firth"]["se"], rtol=1e-7)


def test_frequency_weights_equal_repeated_rows():
    data = load_case("endometrial_separation_firth").data
    weights = np.arange(len(data)) % 3 + 1
    weighted = ls.logit("HG ~ NV + EH", data, freq_weights=weights).fit_firth()
    repeated = ls.logit("HG ~ NV + EH", data.loc[data.index.repeat(weights)].reset_index(drop=True)).fit_firth()
    assert_allclose(weighted.params, repeated.params, rtol=1e-9)
    assert_allclose(weighted.pvalues, repeated.pvalues, rtol=1e-7)
    assert_allclose(weighted.llf, repeated.llf, rtol=1e-12)


def test_units_do_not_matter():
    data = load_case("endometrial_separation_firth").data
    plain = ls.logit("HG ~ NV + PI + EH", data).fit_firth()
    scaled = data.assign(PI=data["PI"] * 1e-8, EH=data["EH"] + 1e6)
    other = ls.logit("HG ~ NV + PI + EH", scaled).fit_firth()
    assert_allclose(other.tvalues[1:], plain.tvalues[1:], rtol=1e-7)
    assert_allclose(other.pvalues[1:], plain.pvalues[1:], rtol=1e-6)


def test_the_separation_error_offers_it_and_it_works():
    data = load_case("endometrial_separation_firth").data
    with pytest.raises(ls.errors.SeparationError, match="fit_firth"):
        ls.logit("HG ~ NV + PI + EH", data).fit()
    assert np.isfinite(ls.logit("HG ~ NV + PI + EH", data).fit_firth().conf_int()).all().all()


def test_array_fit_of_one_column():
    # half the events of one column of ones: Firth adds half a success and half a failure
    y = np.array([1.0, 0, 0, 0])
    res = ls.Logit(y, np.ones(4)).fit_firth()
    assert_allclose(res.params, [np.log(1.5 / 3.5)], rtol=1e-9)
    assert res.conf_int().shape == (1, 2)


def test_sampling_weights_are_refused():
    data = pd.DataFrame({"y": [0, 1, 0, 1], "x": [1.0, 2, 3, 5], "w": [1.0, 2, 3, 4]})
    with pytest.raises(ls.errors.NotAvailableError, match="sampling"):
        ls.logit("y ~ x", data, sampling_weights="w").fit_firth()
