"""Exact refits without rows, patterns and clusters; how far one step agrees with them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import ConvergenceWarning, DataError, NotAvailableError
from tests.cases import load_case

SMALL_CASES = ("spector_numeric", "menarche_grouped_dose", "bcg_rare_grouped", "esoph_grouped_factors", "birthwt_factor",
               "pima_train_test")  # fmt: skip


def said(thing) -> str:
    """What a result prints, without its line breaks."""
    return " ".join(str(thing).split())


@cache
def fitted(name: str) -> tuple:
    case = load_case(name)
    formula, arguments = case.model_arguments()
    return case, ls.logit(formula, data=case.data, **arguments).fit()


def everywhere(res):
    """Every row left out in turn, in the order of the rows."""
    return res.get_influence().exact(list(res.fit_.design.index))


@pytest.mark.parametrize("name", ["spector_numeric", "menarche_grouped_dose", "bcg_rare_grouped"])
def test_exact_refits_are_those_of_the_reference(name):
    case, res = fitted(name)
    reference = np.array(case.values["observations"]["influence"]["dfbeta_exact_refit"], dtype=float)
    order = [case.values["names_patsy"].index(column) for column in res.model.exog_names]
    got = everywhere(res)
    # differences of coefficients: as many digits as the coefficients have
    atol = 1e-8 * np.abs(np.asarray(res.params))
    assert (np.abs(got.dfbeta - reference[:, order]) <= 1e-7 * np.abs(reference[:, order]) + atol).all()


@pytest.mark.parametrize("name", SMALL_CASES)
def test_one_step_agrees_with_the_exact_refit_in_direction_and_size(name):
    """One Newton step s from the estimate, against the exact change e without the row, in the metric of the rows left.

    Along the way the information changes by a factor of at most exp(t), t the change of any linear predictor (the logit is
    self-concordant), which proves |s - e| <= (expm1(r) / r - 1) |e| with r = max |x'e|. A step without its 1 / (1 - h), or
    of the wrong sign, breaks that. Beside the proof: what the agreement in fact is.
    """
    _, res = fitted(name)
    got = everywhere(res)
    design = res.fit_.design
    X, p = np.asarray(design.X), np.asarray(res.predict())
    weight = p * (1.0 - p) * (1.0 if design.response.trials is None else design.response.trials)
    information = np.linalg.inv(np.asarray(res.cov_params()))
    compared = 0
    for i in range(len(X)):
        if got.reasons[i]:
            continue
        step, exact = got.one_step[i], got.dfbeta[i]
        metric = information - weight[i] * np.outer(X[i], X[i])
        length = [np.sqrt(v @ metric @ v) for v in (step, exact, step - exact)]
        reach = np.abs(np.delete(X, i, axis=0) @ exact).max()
        assert length[2] <= (np.expm1(reach) / reach - 1.0) * length[1] * (1.0 + 1e-6) + 1e-9
        assert step @ metric @ exact > 0.99 * length[0] * length[1]
        assert 0.6 < length[0] / length[1] < 1.6
        compared += 1
    assert compared >= len(X) - 1
    large = np.abs(got.dfbetas) > 0.1
    assert (np.sign(got.dfbeta[large]) == np.sign(got.one_step[large])).all()


def test_a_row_that_alone_holds_a_coefficient_is_said():
    _, res = fitted("esoph_grouped_factors")
    got = everywhere(res)
    (only,) = [i for i, reason in enumerate(got.reasons) if reason]
    assert np.isnan(got.dfbeta[only]).all()
    assert np.isfinite(np.delete(got.dfbeta, only, axis=0)).all()
    assert "no finite estimate" in got.reasons[only]
    alone = pd.DataFrame(
        {"s": [3, 5, 4, 6, 2], "m": [10, 9, 11, 10, 8], "x": [1.0, 2, 3, 4, 5], "own": [0, 0, 1, 0, 0]}
    )
    found = ls.logit("s ~ x + own", alone, trials="m").fit().refit_without(2)
    assert "no estimate of own" in said(found)
    assert found.frame["without"].isna().all()


def test_separation_without_a_row_is_no_error():
    ten = ls.logit("y ~ x", ls.datasets.load("ten_points")).fit()
    got = ten.get_influence().exact(1)
    assert np.isnan(got.dfbeta).all()
    assert "Without row 1 there is no finite estimate" in said(got)
    assert "no finite estimate" in got._repr_html_()
    found = ten.refit_without([0, 2, 3])
    assert "all outcomes left are the same" in said(found)
    assert "same" in found._repr_html_()


WAYS = {
    "plain": {},
    "offset": {"offset": "o"},
    "weights": {"freq_weights": "f"},
    "sampling": {"sampling_weights": "s"},
    "HC1": {"cov": {"cov_type": "HC1"}},
    "cluster by name": {"cov": {"cov_type": "cluster", "groups": "race"}},
    "cluster of rows used": {"cov": {"cov_type": "cluster", "groups": "used"}},
    "cluster of rows read": {"cov": {"cov_type": "cluster", "groups": "read"}},
    "t": {"use_t": True},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_refit_is_the_fit_to_the_other_rows(way):
    data = ls.datasets.load("birthwt").assign(
        o=lambda d: d["lwt"] / 100, f=lambda d: 1 + d["ftv"], s=lambda d: 1.5 + d["ptl"]
    )
    data.loc[7, "age"] = np.nan
    data.index = [f"mother {i}" for i in range(len(data))]
    settings = dict(WAYS[way])
    cov, use_t = dict(settings.pop("cov", {"cov_type": None})), settings.pop("use_t", False)
    out = ["mother 132", "mother 146", "mother 3"]
    rest = data.drop(out)

    def fit(frame):
        kwds = dict(cov)
        given = kwds.get("groups")
        if given in ("used", "read"):
            kwds["groups"] = (frame.dropna(subset=["age"]) if given == "used" else frame)["race"].to_numpy()
        cov_type = kwds.pop("cov_type")
        return ls.logit("low ~ age + lwt + smoke", frame, **settings).fit(cov_type=cov_type, cov_kwds=kwds, use_t=use_t)

    whole, want = fit(data), fit(rest)
    got = whole.refit_without(out)
    assert_allclose(got.frame["coef"], whole.params, rtol=1e-12)
    assert_allclose(got.frame["without"], want.params, rtol=1e-8)
    assert_allclose(got.frame["std_err_without"], want.bse, rtol=1e-7)
    assert_allclose(got.frame["p_without"], want.pvalues, rtol=1e-6)
    assert_allclose(got.frame["p_value"], whole.pvalues, rtol=1e-12)
    assert_allclose(got.frame["change_se"], (want.params - whole.params) / whole.bse, rtol=1e-6, atol=1e-9)
    assert (got.observations, got.left) == (whole.nobs, want.nobs)
    assert "rows mother 132, mother 146 and mother 3 (" in said(got)


def test_one_of_the_identical_rows_is_left_out():
    data = ls.datasets.load("birthwt").assign(f=lambda d: 1 + d["ftv"])
    repeated = data.loc[data.index.repeat(data["f"])].reset_index(drop=True)
    weighted = ls.logit("low ~ age + smoke", data, freq_weights="f").fit()
    plain = ls.logit("low ~ age + smoke", repeated).fit()
    row = int(data["f"].idxmax())
    first = int(np.cumsum(data["f"])[row] - data["f"][row])
    got, want = weighted.get_influence().exact(row), plain.get_influence().exact(first)
    assert_allclose(got.dfbeta, want.dfbeta, rtol=1e-6)
    assert_allclose(got.one_step, want.one_step, rtol=1e-6)
    assert_allclose(got.p_without, want.p_without, rtol=1e-7)


def test_patterns_are_left_out_whole():
    data = ls.datasets.load("birthwt")
    res = ls.logit("low ~ C(race) + smoke + ht", data).fit()
    found = res.get_influence("pattern")
    got = found.exact(most=2)
    for place, moved in zip(found.order[:2], got.dfbeta, strict=True):
        want = ls.logit("low ~ C(race) + smoke + ht", data[found.codes != place]).fit()
        assert_allclose(moved, res.params - want.params, rtol=1e-6, atol=1e-10)
    assert got.summary_frame()["pattern"].tolist() == np.repeat(found.order[:2], 5).tolist()


class TestClusters:
    @staticmethod
    def data():
        data = ls.datasets.load("birthwt")
        return data.assign(clinic=[f"clinic {i % 11}" for i in range(len(data))])

    def test_exact_refits_without_each(self):
        data = self.data()
        res = ls.logit("low ~ age + lwt + smoke", data).fit(cov_type="cluster", cov_kwds={"groups": "clinic"})
        found = res.get_influence(groups="clinic")
        got = found.exact(["clinic 4", "clinic 7"])
        for clinic, moved, errors in zip(
            ["clinic 4", "clinic 7"], got.dfbeta, got.standard_errors_without, strict=True
        ):
            rest = data[data["clinic"] != clinic]
            want = ls.logit("low ~ age + lwt + smoke", rest).fit(cov_type="cluster", cov_kwds={"groups": "clinic"})
            assert_allclose(moved, res.params - want.params, rtol=1e-6)
            assert_allclose(errors, want.bse, rtol=1e-7)
        one = found.dfbeta[[list(found.labels).index(c) for c in ("clinic 4", "clinic 7")]]
        assert_allclose(got.one_step, one)
        assert np.corrcoef(one.ravel(), got.dfbeta.ravel())[0, 1] > 0.98
        assert "of 11, with" in said(found)
        whole = res.refit_without("clinic 4", groups="clinic")
        assert_allclose(whole.frame["without"], res.params - got.dfbeta[0], rtol=1e-10)
        assert "Without clinic clinic 4" in said(whole)

    def test_clusters_of_one_row_are_rows(self):
        _, res = fitted("birthwt_factor")
        rows, clusters = res.get_influence(), res.get_influence(groups=np.arange(189))
        for name in ("dfbeta", "dfbetas", "cooks_distance"):
            assert_allclose(getattr(clusters, name), getattr(rows, name), rtol=1e-7, atol=1e-12)
        assert_allclose(clusters.hat, rows.hat_matrix_diag, rtol=1e-9)

    def test_one_step_is_a_newton_step_on_the_other_rows(self):
        data = self.data().assign(f=lambda d: 1 + d["ftv"])
        res = ls.logit("low ~ age + lwt + smoke", data, freq_weights="f").fit()
        found = res.get_influence(groups="clinic")
        rest = ls.logit("low ~ age + lwt + smoke", data[data["clinic"] != "clinic 2"], freq_weights="f")
        step = np.linalg.solve(rest.information(res.params), rest.score(res.params))
        at = list(found.labels).index("clinic 2")
        assert_allclose(found.dfbeta[at], -step, rtol=1e-6)
        assert_allclose(found.cooks_distance[at], step @ res.model.information(res.params) @ step / 4, rtol=1e-6)
        assert found.sizes[at] == data.loc[data["clinic"] == "clinic 2", "f"].sum()

    def test_a_cluster_with_a_coefficient_of_its_own(self):
        found = ls.logit("low ~ lwt + C(race)", self.data()).fit().get_influence(groups="race")
        assert np.isnan(found.dfbeta[list(found.labels).index("black")]).all()
        got = found.exact("black")
        assert "no estimate of" in got.reasons[0]

    def test_what_is_refused(self):
        res = ls.logit("low ~ lwt", self.data()).fit()
        with pytest.raises(DataError, match="no cluster 'clinic 99'"):
            res.refit_without("clinic 99", groups="clinic")
        with pytest.raises(DataError, match="single cluster"):
            res.get_influence(groups=np.zeros(189))


def test_what_is_refused():
    _, res = fitted("spector_numeric")
    with pytest.raises(DataError, match="no row 77 among"):
        res.refit_without([3, 77])
    with pytest.raises(DataError, match="one row at least"):
        res.refit_without([])
    with pytest.raises(DataError, match="no row 99"):
        res.get_influence().exact(99)
    with pytest.raises(DataError, match="most=0"):
        res.get_influence().exact(most=0)
    with pytest.raises(DataError, match="most=-1"):
        res.get_influence().exact(most=-1)
    with pytest.raises(DataError, match=r"most=2.5 must be a whole number"):
        res.get_influence().exact(most=2.5)
    with pytest.raises(DataError, match="one row at least"):
        res.get_influence().exact([])
    with pytest.raises(DataError, match="different things"):
        res.get_influence("pattern", groups=np.arange(32) % 4)
    data = ls.datasets.load("endometrial")
    firth = ls.logit("HG ~ NV + PI + EH", data).fit_firth()
    with pytest.raises(NotAvailableError, match="penalized"):
        firth.refit_without(0)
    with pytest.raises(NotAvailableError, match="maximum of the likelihood"):
        firth.get_influence(groups="NV")
    held = ls.logit("HG ~ PI + EH", data).fit_constrained("PI = 0")
    with pytest.raises(NotAvailableError, match="constraints"):
        held.refit_without(0)


def test_a_mask_is_not_taken_for_the_rows_1_and_0():
    case, res = fitted("spector_numeric")
    mask = case.data["gpa"] > 3.5
    for ask in (res.refit_without, res.get_influence().exact):
        with pytest.raises(DataError, match="mask of True and False"):
            ask(mask)
    by_group = res.get_influence(groups=mask.to_numpy())
    assert by_group.exact([True]).labels.tolist() == [True]
    assert "True" in str(res.refit_without(True, groups=mask.to_numpy()))


def test_groups_of_other_rows_are_refused_and_shuffled_ones_put_in_order():
    data = ls.datasets.load("birthwt")
    res = ls.logit("low ~ lwt", data.assign(age=data["age"].where(data["age"] < 40))).fit()
    groups = pd.Series(np.arange(189) % 5, index=data.index, name="clinic")
    others = groups.set_axis(groups.index + 1)
    for ask in (
        lambda g: res.get_influence(groups=g), lambda g: res.refit_without(1, groups=g), lambda g: res.fragility(groups=g),
        lambda g: res.with_cov("cluster", groups=g), lambda g: res.optimism("crossvalidation", folds=g),
    ):  # fmt: skip
        with pytest.raises(DataError, match="clinic has an index that differs"):
            ask(others)
    want = res.with_cov("cluster", groups=groups.to_numpy()).bse
    for given in (groups, groups.sample(frac=1, random_state=1)):
        pd.testing.assert_series_equal(res.with_cov("cluster", groups=given).bse, want)


def test_a_label_given_twice_is_one_row():
    _, res = fitted("spector_numeric")
    assert str(res.refit_without([3, 3])) == str(res.refit_without(3))
    assert len(res.get_influence().exact([3, 3]).labels) == 1


def test_array_fits_and_repeated_labels():
    case, res = fitted("spector_numeric")
    array = ls.Logit(np.asarray(res.model.endog), np.asarray(res.model.exog)).fit()
    got = array.refit_without([2, 5])
    assert_allclose(got.frame["without"], res.refit_without([2, 5]).frame["without"], rtol=1e-9)
    twice = case.data.set_index(np.arange(32) // 2)
    both = ls.logit("grade ~ gpa + tuce + psi", twice).fit().refit_without(4)
    assert_allclose(both.frame["without"], res.refit_without([8, 9]).frame["without"], rtol=1e-9)


def test_a_fit_that_has_not_converged_is_refused():
    with pytest.warns(ConvergenceWarning):
        res = ls.logit("low ~ age + lwt + smoke", ls.datasets.load("birthwt")).fit(maxiter=1)
    assert np.isfinite(res.get_influence().hat_matrix_diag).all()
    for ask in (
        lambda: res.get_influence().dfbeta, lambda: res.get_influence(groups="race"), lambda: res.refit_without(3),
        res.fragility, res.linearity,
    ):  # fmt: skip
        with pytest.raises(NotAvailableError, match="not converged"):
            ask()
