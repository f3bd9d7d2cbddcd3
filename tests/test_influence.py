"""Influence of rows and covariate patterns: reference values, identities, refits."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.design.patterns import pattern_codes
from logit_stats.errors import NotAvailableError, UnknownOptionError
from tests.cases import STANDARD_CASES, load_case

STATISTICS = ("hat_matrix_diag", "resid_pearson_std", "resid_dev_std", "resid_studentized", "cooks_distance", "delta_chi2",
              "delta_deviance", "delta_deviance_hl", "delta_beta")  # fmt: skip


@cache
def fitted(name: str) -> tuple:
    case = load_case(name)
    formula, arguments = case.model_arguments()
    return case, ls.logit(formula, data=case.data, **arguments).fit()


def cases_with(*keys: str) -> list[str]:
    def there(name: str) -> bool:
        found = load_case(name).values
        for key in keys:
            if key not in found:
                return False
            found = found[key]
        return True

    return [name for name in STANDARD_CASES if there(name)]


def row_tolerance(name: str) -> float:
    # leverages of nearly one (a study of its own column) leave 1 - h with fewer digits
    return 1e-6 if name in ("star98_grouped_badly_scaled", "bcg_rare_grouped") else 1e-7


@pytest.mark.parametrize("name", cases_with("observations"))
def test_every_statistic_of_every_row(name):
    case, res = fitted(name)
    observations = case.values["observations"]
    place = pd.Index(res.fit_.design.index).get_indexer(np.array(observations["file_row"]) - 1)
    got, rtol = res.get_influence(), row_tolerance(name)
    theirs = {"hat_matrix_diag": "hat", "resid_dev_std": "resid_deviance_std"}
    for ours in STATISTICS:
        key = theirs.get(ours, ours)
        values, reference = getattr(got, ours), np.array(observations["values"][key])
        assert_allclose(values[place], reference, rtol=rtol, atol=1e-9 * np.abs(reference).max(), err_msg=ours)
        total = observations["sum_of_squares_over_all_rows"][key]
        assert_allclose((values**2).sum(), total, rtol=rtol, err_msg=ours)


@pytest.mark.parametrize("name", cases_with("observations", "influence", "dfbeta_one_step"))
def test_one_step_dfbetas(name):
    case, res = fitted(name)
    observations = case.values["observations"]
    place = pd.Index(res.fit_.design.index).get_indexer(np.array(observations["file_row"]) - 1)
    order = [case.values["names_patsy"].index(column) for column in res.model.exog_names]
    got = res.get_influence()
    for ours, key in (("dfbeta", "dfbeta_one_step"), ("dfbetas", "dfbetas_one_step")):
        reference = np.array(observations["influence"][key], dtype=float)[:, order]
        values = getattr(got, ours)
        scale = np.abs(reference).max(axis=0)
        assert_allclose(values[place] / scale, reference / scale, rtol=row_tolerance(name), atol=1e-9, err_msg=key)
        total = observations["influence"]["sum_of_squares_over_all_rows_by_coef"]
        if key in total:
            assert_allclose((values**2).sum(axis=0), np.array(total[key])[order], rtol=row_tolerance(name), err_msg=key)


def test_patterns_are_the_rows_of_the_grouped_fit():
    # Hosmer and Lemeshow's diagnostics by covariate pattern are those of the data put together by hand
    data = ls.datasets.load("birthwt").assign(one=1)
    res = ls.logit("low ~ C(race) + smoke + ptl + ht", data).fit()
    keys = ["race", "smoke", "ptl", "ht"]
    table = data.groupby(keys, observed=True, sort=False)[["low", "one"]].sum().reset_index()
    grouped = ls.logit("low ~ C(race) + smoke + ptl + ht", table, trials="one").fit()
    got, want = res.get_influence("pattern"), grouped.get_influence()
    assert got.patterns.count == len(table)
    for name in (*STATISTICS, "dfbeta", "dfbetas"):
        assert_allclose(getattr(got, name), getattr(want, name), rtol=1e-7, atol=1e-9, err_msg=name)
    frame = got.summary_frame()
    assert frame["trials"].tolist() == table["one"].tolist()
    assert frame["events"].tolist() == table["low"].tolist()
    assert (data.loc[frame["first_row"], keys].to_numpy() == table[keys].to_numpy()).all()
    assert f"of {len(table)}," in str(got)


def test_patterns_of_weights_are_those_of_the_expanded_data():
    case, res = fitted("ucb_frequency_weights")
    repeated = case.data.loc[case.data.index.repeat(case.data["freq"])]
    want = ls.logit(case.info["formula_patsy"], repeated).fit().get_influence("pattern")
    got = res.get_influence("pattern")
    assert got.patterns.count == want.patterns.count == 12
    for name in (*STATISTICS, "dfbetas"):
        assert_allclose(getattr(got, name), getattr(want, name), rtol=1e-7, atol=1e-9, err_msg=name)


def test_rows_of_different_offsets_are_different_patterns():
    data = pd.DataFrame({"y": [0, 1, 0, 1, 1, 0], "x": [1.0, 1, 2, 2, 1, 1], "o": [0.0, 0, 0, 0, 1, 1]})
    assert ls.logit("y ~ x", data).fit().get_influence("pattern").patterns.codes.tolist() == [0, 0, 1, 1, 0, 0]
    with_offset = ls.logit("y ~ x", data, offset="o").fit()
    assert with_offset.get_influence("pattern").patterns.codes.tolist() == [0, 0, 1, 1, 2, 2]


def test_pattern_codes_are_those_of_unique_rows():
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(400), rng.integers(0, 3, (400, 3)), rng.normal(size=400).round(0)])
    design = ls.Logit(rng.integers(0, 2, 400), X).design
    got = pattern_codes(design)
    _, first, codes = np.unique(X, axis=0, return_index=True, return_inverse=True)
    assert got.count == len(first)
    assert_allclose(np.sort(got.first), np.sort(first))
    # the same rows share a code, and different rows do not
    assert len(set(zip(got.codes.tolist(), codes.reshape(-1).tolist(), strict=True))) == len(first)
    coded = ls.logit("y ~ C(g)", {"y": rng.integers(0, 2, 400), "g": np.arange(400) % 40}).design
    assert pattern_codes(coded).count == 40


@pytest.mark.parametrize("by", ["row", "pattern"])
def test_a_row_with_a_coefficient_of_its_own_has_no_absence(by):
    data = pd.DataFrame({"s": [3, 5, 4, 6, 2], "m": [10, 9, 11, 10, 8], "x": [1.0, 2, 3, 4, 5], "own": [0, 0, 1, 0, 0]})
    got = ls.logit("s ~ x + own", data, trials="m").fit().get_influence(by)
    assert_allclose(got.hat_matrix_diag[2], 1.0, rtol=1e-10)
    for name in ("resid_pearson_std", "resid_studentized", "cooks_distance", "delta_chi2", "delta_beta", "dfbeta"):
        values = getattr(got, name)
        assert np.isnan(values[2]).all()
        assert np.isfinite(np.delete(values, 2, axis=0)).all()
    assert 2 not in got.order[:4]
    assert "Cook" in str(got)


def test_a_frequency_weight_is_one_of_the_identical_rows():
    rng = np.random.default_rng(6)
    data = pd.DataFrame({"x": rng.normal(size=50).round(1), "f": rng.integers(1, 4, 50)})
    data["y"] = (rng.random(50) < 1 / (1 + np.exp(-data["x"]))).astype(int)
    weighted = ls.logit("y ~ x", data, freq_weights="f").fit()
    repeated = ls.logit("y ~ x", data.loc[data.index.repeat(data["f"])]).fit()
    first = np.r_[0, np.cumsum(data["f"])[:-1]]
    for name in (*STATISTICS, "dfbeta", "dfbetas"):
        expected = getattr(repeated.get_influence(), name)[first]
        assert_allclose(getattr(weighted.get_influence(), name), expected, rtol=1e-8, err_msg=name)


def test_sampling_weights_have_no_unit():
    case = load_case("apistrat_survey")
    formula, weights = case.info["formula_patsy"], case.data[case.info["sampling_weights"]]
    one, thousand = (
        ls.logit(formula, case.data, sampling_weights=scale * weights).fit().get_influence() for scale in (1.0, 1e3)
    )
    for name in (*STATISTICS, "dfbeta", "dfbetas"):
        assert_allclose(getattr(one, name), getattr(thousand, name), rtol=1e-7, err_msg=name)
    equal = ls.logit(formula, case.data, sampling_weights=np.full(len(case.data), 7.0)).fit().get_influence()
    plain = ls.logit(formula, case.data).fit().get_influence()
    for name in (*STATISTICS, "dfbeta"):
        assert_allclose(getattr(equal, name), getattr(plain, name), rtol=1e-7, err_msg=name)
    with pytest.raises(NotAvailableError, match="sampling weights"):
        ls.logit(formula, case.data, sampling_weights=weights).fit().get_influence("pattern")


def test_sampling_weights_count_in_cooks_distance():
    # by its definition: the distance of the coefficients in one step, in the metric of the weighted information
    case = load_case("apistrat_survey")
    weights = case.data[case.info["sampling_weights"]]
    res = ls.logit(case.info["formula_patsy"], case.data, sampling_weights=weights).fit()
    got = res.get_influence()
    information = res.model.information(res.params) / weights.mean()
    wanted = np.einsum("ij,jk,ik->i", got.dfbeta, information, got.dfbeta) / len(res.params)
    assert_allclose(got.cooks_distance, wanted, rtol=1e-7)
    assert_allclose(got.dfbetas, got.dfbeta / np.asarray(res.bse), rtol=1e-10)


def test_under_constraints_influence_is_that_of_the_combined_columns():
    data = ls.datasets.load("birthwt")
    held = ls.logit("low ~ age + ptl + ui + smoke", data).fit_constrained("ptl = ui, age = 0")
    free = ls.logit("low ~ I(ptl + ui) + smoke", data).fit()
    got, want = held.get_influence(), free.get_influence()
    for name in STATISTICS:
        assert_allclose(getattr(got, name), getattr(want, name), rtol=1e-7, err_msg=name)
    names = held.model.exog_names
    columns = [names.index(name) for name in ("Intercept", "ptl", "smoke")]
    assert_allclose(got.dfbetas[:, columns], want.dfbetas, rtol=1e-6, atol=1e-9)
    assert_allclose(got.dfbeta[:, names.index("age")], 0.0, atol=1e-12)


@pytest.mark.filterwarnings("error")
def test_under_constraints_what_is_fixed_has_no_dfbetas_of_clusters():
    res = ls.logit("low ~ age + lwt + smoke", ls.datasets.load("birthwt")).fit_constrained("lwt = 0")
    found = res.get_influence(groups="race").summary_frame()
    assert found["dfb_lwt"].isna().all()
    assert np.isfinite(found[["dfb_age", "dfb_smoke", "cooks_d"]].to_numpy()).all()


def test_a_penalized_fit_has_leverages_only():
    firth = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_firth()
    got = firth.get_influence()
    assert np.isfinite(got.resid_studentized).all()
    assert "cooks_d" not in got.summary_frame()
    assert "leverages" in str(got)
    with pytest.raises(NotAvailableError, match="penalized"):
        _ = got.cooks_distance


def test_an_unknown_unit_is_refused():
    _, res = fitted("spector_numeric")
    with pytest.raises(UnknownOptionError, match="'row', 'pattern'"):
        res.get_influence("cluster")


def test_outliers_of_weighted_rows_are_those_of_the_expanded_data():
    data = ls.datasets.load("birthwt").assign(f=lambda d: 1 + d["ftv"])
    weighted = ls.logit("low ~ age + lwt", data, freq_weights="f").fit().outlier_test(200).frame
    repeated = ls.logit("low ~ age + lwt", data.loc[data.index.repeat(data["f"])]).fit().outlier_test(1000)
    assert repeated.observations == data["f"].sum()
    expected = repeated.frame[~repeated.frame.index.duplicated()].loc[weighted.index]
    for column in weighted:
        assert_allclose(weighted[column], expected[column], rtol=1e-7, err_msg=column)
