"""Domains, lonely units and degrees of freedom of surveys, against R's survey package (tests/reference/scripts)."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError
from tests.cases import FOLDER, read_data

WANT = json.loads((FOLDER / "survey_domains.json").read_text())
CLUSTERED = {"strata": "h", "psu": "id"}


@pytest.fixture(scope="module")
def data():
    return read_data("survey_domains.csv")


def agrees(res, key):
    want = WANT[key]
    assert_allclose(res.params, want["coef"], rtol=1e-9)
    assert_allclose(res.bse, want["se"], rtol=1e-8)
    assert res.covariance_.reference.df == want["df"]
    assert_allclose(res.pvalues, want["p"], rtol=1e-7)


DESIGNS = {
    "domain": CLUSTERED,
    "domain_fpc": {**CLUSTERED, "fpc": "fpc"},
    "domain_rows": {"strata": "h"},
    "domain_plain": {},
}


@pytest.mark.parametrize("key", DESIGNS)
def test_a_subset_keeps_the_design(data, key):
    res = ls.logit("y ~ x", data, sampling_weights="w", subset=data["dom"] == 1).fit()
    made = res.with_cov("survey", **DESIGNS[key])
    agrees(made, key)
    assert any("A domain: " in note for note in made.covariance_.notes)


def test_zero_weights_keep_the_design(data):
    agrees(ls.logit("y ~ x", data, sampling_weights="w0").fit().with_cov("survey", **CLUSTERED), "zero_weights")


def test_rows_dropped_for_missing_values_keep_the_design(data):
    holes = data.assign(x=data["x"].where(data["dom"] == 1))
    agrees(ls.logit("y ~ x", holes, sampling_weights="w").fit().with_cov("survey", **CLUSTERED), "domain")


def test_arrays_of_all_rows_read_keep_the_design_and_of_the_rows_used_are_said_not_to(data):
    inside = data["dom"] == 1
    res = ls.logit("y ~ x", data, sampling_weights="w", subset=inside).fit()
    agrees(res.with_cov("survey", strata=data["h"], psu=data["id"].to_numpy()), "domain")
    alone = res.with_cov("survey", strata=data["h"][inside], psu=data["id"][inside])
    fresh = ls.logit("y ~ x", data[inside], sampling_weights="w").fit().with_cov("survey", **CLUSTERED)
    assert_allclose(alone.bse, fresh.bse, rtol=1e-12)
    assert "no part of the survey's design" in alone.covariance_.notes[0]


@pytest.mark.parametrize("lonely", ["remove", "certainty", "adjust", "average"])
def test_lonely_units(data, lonely):
    design = {"strata": "lone", "psu": "id", "lonely": lonely}
    agrees(ls.logit("y ~ x", data, sampling_weights="w").fit().with_cov("survey", **design), lonely)
    domain = ls.logit("y ~ x", data, sampling_weights="w", subset=data["dom"] == 1).fit()
    agrees(domain.with_cov("survey", **design), f"{lonely}_domain")


def test_subpop_is_checked(data):
    inside = data["dom"] == 1
    res = ls.logit("y ~ x", data, sampling_weights="w", subset=inside).fit()
    agrees(res.with_cov("survey", **CLUSTERED, subpop="dom"), "domain")
    whole = ls.logit("y ~ x", data, sampling_weights="w").fit()
    with pytest.raises(DataError, match="give subset= to the model"):
        whole.with_cov("survey", **CLUSTERED, subpop="dom")
    with pytest.raises(DataError, match="true or false"):
        res.with_cov("survey", **CLUSTERED, subpop="id")


def test_no_degrees_of_freedom_are_said(data):
    small = data[data["id"].isin([1, 2, 6, 7])]
    res = ls.logit("y ~ x", small, sampling_weights="w").fit().with_cov("survey", **CLUSTERED)
    assert np.isnan(res.pvalues[res.params.index != "Intercept"]).all() or res.covariance_.reference.df > 0
    few = small[small["id"].isin([1, 6])].assign(h=1)
    made = ls.logit("y ~ x", few, sampling_weights="w").fit().with_cov("survey", **CLUSTERED)
    assert made.covariance_.reference.df == 0
    assert np.isnan(made.pvalues).all()
    assert any("no p-values" in note for note in made.covariance_.notes)
    assert np.isfinite(made.with_cov("survey", use_t=False, **CLUSTERED).pvalues).all()
