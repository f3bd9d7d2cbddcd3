"""Samples taken by the outcome: constant, predictions and effects for a population of another prevalence."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError
from tests.test_epidemiology import DATA, VALUES


@pytest.mark.parametrize("values", [VALUES, VALUES["ui_exposure"]], ids=["smoke", "ui"])
@pytest.mark.parametrize("key", ["rare", "common"])
def test_prior_correction(values, key):
    reference = values["prior_correction"][key]
    tau = reference["population_share_tau"]
    res = ls.logit(values["formula_r"], DATA, population_prevalence=tau).fit()
    plain = ls.logit(values["formula_r"], DATA).fit()
    assert_allclose(res.params["Intercept"], reference["intercept"], rtol=1e-9)
    assert_allclose(res.params[1:], plain.params[1:], rtol=1e-9)
    assert_allclose([res.llf, res.llnull, res.aic], [plain.llf, plain.llnull, plain.aic], rtol=1e-10)
    assert_allclose(res.bse, plain.bse, rtol=1e-8)
    assert_allclose(res.predict()[:5], reference["prob_first_5"], rtol=1e-9)
    assert_allclose(res.predict(DATA)[:5], reference["prob_first_5"], rtol=1e-9)
    assert_allclose(res.get_prediction(DATA.head()).predicted, reference["prob_first_5"], rtol=1e-9)
    assert_allclose(res.average_prediction().estimate, res.predict().mean(), rtol=1e-12)
    p = res.predict()
    for got in (res.margins("age").frame["estimate"].iloc[0], res.get_margeff().summary_frame().loc["age"].iloc[0]):
        assert_allclose(got, (p * (1 - p)).mean() * res.params["age"], rtol=1e-9)
    assert "population" in " ".join(res.summary_notes())
    assert_allclose(res.fittedvalues, plain.fittedvalues, rtol=1e-8, atol=1e-10)


def test_with_an_offset_of_its_own_weights_and_arrays():
    data = DATA.assign(known=0.01 * (DATA["age"] - 23), w=np.arange(len(DATA)) % 3 + 1)
    res = ls.logit("low ~ lwt", data, offset="known", freq_weights="w", population_prevalence=0.05).fit()
    plain = ls.logit("low ~ lwt", data, offset="known", freq_weights="w").fit()
    share = np.average(DATA["low"], weights=data["w"])
    shift = np.log(0.95 / 0.05 * share / (1 - share))
    assert_allclose(res.params["Intercept"], plain.params["Intercept"] - shift, rtol=1e-9)
    assert_allclose(res.predict(data), res.predict(), rtol=1e-12)
    assert_allclose(res.predict(data, which="linear"), plain.predict(data, which="linear") - shift, rtol=1e-9)
    X = np.column_stack([np.ones(len(data)), data["lwt"]])
    arrays = ls.Logit(data["low"].to_numpy(), X, population_prevalence=0.05).fit()
    assert_allclose(arrays.predict(X), arrays.predict(), rtol=1e-12)
    assert_allclose(
        arrays.predict().mean(), ls.logit("low ~ lwt", data, population_prevalence=0.05).fit().predict().mean()
    )


def test_what_is_no_prevalence_is_refused():
    for tau in (0.0, 1.0, 5, "1%", True):
        with pytest.raises(DataError, match="share between 0 and 1"):
            ls.logit("low ~ lwt", DATA, population_prevalence=tau)
    with pytest.raises(DataError, match="constant"):
        ls.logit("low ~ lwt - 1", DATA, population_prevalence=0.1)
    with pytest.raises(DataError, match="not both"):
        ls.logit("low ~ lwt", DATA.assign(w=1.5), sampling_weights="w", population_prevalence=0.1)
