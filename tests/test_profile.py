"""Profile-likelihood intervals against root-found reference limits, and where a limit is infinite."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError
from tests.cases import STANDARD_CASES, in_patsy_order, load_case


@pytest.mark.parametrize("name", [name for name in STANDARD_CASES if "profile_ci_95" in load_case(name).values])
def test_reference_values(name):
    case = load_case(name)
    formula, arguments = case.model_arguments()
    res = ls.logit(formula, case.data, **arguments).fit()
    names, order = case.values["names_patsy"], list(res.params.index)
    limits = [in_patsy_order(np.array(case.values["profile_ci_95"])[:, side], names, order) for side in (0, 1)]
    got = res.conf_int(method="profile")
    scale = np.maximum(np.abs(np.column_stack(limits)), np.asarray(res.bse)[:, None])
    assert (np.abs(got - np.column_stack(limits)) <= 1e-7 * scale).all().all()
    ratios = res.odds_ratios(method="profile")
    assert_allclose(ratios["conf_low"], np.exp(got[0]))


def test_limits_are_where_the_likelihood_ratio_test_says():
    data = ls.datasets.load("birthwt")
    res = ls.logit("low ~ lwt + smoke", data).fit()
    for limit in res.conf_int(0.1, method="profile").loc["smoke"]:
        held = ls.logit("low ~ lwt", data, offset=limit * data["smoke"]).fit()
        assert_allclose(2 * (res.llf - held.llf), 2.705543454095404, rtol=1e-8)


def test_far_limits_of_few_rows_are_found():
    frame = pd.DataFrame({"k": [1, 1], "n": [2, 2], "x": [0, 1]})
    res = ls.logit("k ~ x", frame, trials="n").fit()
    low, high = res.conf_int(0.0001, method="profile").loc["x"]
    assert_allclose(low, -high, rtol=1e-8)
    # two groups of one success in two: held at t, the constant is -t / 2 and each group's log-likelihood is known
    p = 1 / (1 + np.exp(-high / 2))
    assert_allclose(2 * (4 * np.log(0.5) - 2 * np.log(p * (1 - p))), 15.136705226623606, rtol=1e-8)


def test_units_and_origin():
    data = ls.datasets.load("birthwt")
    plain = ls.logit("low ~ lwt + smoke", data).fit().conf_int(method="profile")
    moved = ls.logit("low ~ lwt + smoke", data.assign(lwt=data["lwt"] * 1e-8 + 1e3)).fit().conf_int(method="profile")
    assert_allclose(moved.loc["lwt"] * 1e-8, plain.loc["lwt"], rtol=1e-5)
    assert_allclose(moved.loc["smoke"], plain.loc["smoke"], rtol=1e-7)


def test_what_has_no_profile_is_refused():
    data = ls.datasets.load("birthwt").assign(w=2.0)
    with pytest.raises(NotAvailableError, match="wald"):
        ls.logit("low ~ lwt", data, sampling_weights="w").fit().conf_int(method="profile")
    with pytest.raises(DataError, match="alpha"):
        ls.logit("low ~ lwt", data).fit().conf_int(2, method="profile")
