"""The reference files themselves: read as they were written, and the exact solutions are solutions."""

from __future__ import annotations

import json

import mpmath as mp
import numpy as np
import pandas as pd
import patsy
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.cases import FOLDER, STANDARD_CASES, in_patsy_order, load_case, read_data
from tests.reference.make_exact import problems

NAMES = sorted(path.stem for path in (FOLDER / "values").glob("*.json"))
EXACT = json.loads((FOLDER / "exact.json").read_text(encoding="utf-8"))
IN_THE_STANDARD_SET = {"coef", "se", "vcov", "loglik", "deviance", "pearson_chi2", "pseudo_r2", "observations"}


def test_every_case_with_the_standard_set_is_a_standard_case():
    found = []
    for name in NAMES:
        case = load_case(name)
        # frequency weights have every value but those by rows
        needed = IN_THE_STANDARD_SET - ({"observations"} if "frequency_weights" in case.info else set())
        if case.info["family"] == "binomial, logit link" and needed <= set(case.values):
            found.append(name)
    assert tuple(found) == STANDARD_CASES


@pytest.mark.parametrize("name", NAMES)
def test_rows_and_levels_are_those_of_the_file(name):
    case = load_case(name)
    assert len(case.data) == case.info["rows_in_file"]
    read = pd.read_csv(FOLDER / case.info["data_file"])
    for column, levels in case.info["factor_levels_first_is_reference"].items():
        assert list(case.data[column].cat.categories) == levels
        assert not case.data[column].cat.ordered
        assert_array_equal(case.data[column].isna(), read[column].isna())
        assert_array_equal(case.data[column].dropna().astype(str), read[column].dropna().astype(str))


@pytest.mark.parametrize("name", STANDARD_CASES)
def test_data_and_formula_give_the_design_of_the_reference(name):
    case = load_case(name)
    right = case.info["formula_patsy"].split("~")[-1]
    data = case.data
    if "frequency_weights" in case.info:  # the reference shows the persons, not the rows that stand for them
        data = data.loc[data.index.repeat(data[case.info["frequency_weights"]])]
    design = patsy.dmatrix(right, data, return_type="dataframe")[case.values["names_patsy"]]
    expected = np.array(case.values["design_first_rows"])
    assert_allclose(design.to_numpy()[: len(expected)], expected, rtol=1e-12, atol=1e-14)


def test_texts_for_numbers_become_numbers():
    limit = load_case("endometrial_separation_firth").values["maximum_likelihood"]
    assert limit["coef_in_the_limit"][1] == np.inf
    assert np.isnan(limit["se_of_finite_coefficients_in_the_limit"][1])


def test_the_model_arguments_of_each_kind_of_response():
    formula, arguments = load_case("esoph_grouped_factors").model_arguments()
    assert (formula, arguments) == ("ncases + ncontrols ~ agegp + alcgp + tobgp", {})
    assert load_case("menarche_grouped_dose").model_arguments() == ("reached ~ age", {"trials": "total"})
    assert load_case("ucb_frequency_weights").model_arguments()[1] == {"freq_weights": "freq"}
    offset = load_case("mroz_offset")
    assert offset.model_arguments()[1] == {"offset": "offset_"}
    assert_allclose(offset.data["offset_"], -0.06 * (read_data("mroz.csv")["age"] - 42), rtol=1e-15)


def test_a_case_has_a_frame_of_its_own():
    mine = load_case("spector_numeric").data
    mine["grade"] = 7
    assert set(load_case("spector_numeric").data["grade"]) == {0, 1}


def test_reordering_by_name():
    names, wanted = ["a", "b", "c"], ["c", "a", "b"]
    square = np.arange(9.0).reshape(3, 3)
    assert_array_equal(in_patsy_order([1.0, 2.0, 3.0], names, wanted), [3.0, 1.0, 2.0])
    assert_array_equal(in_patsy_order(square[:, :2], names, wanted), square[[2, 0, 1], :2])
    assert_array_equal(in_patsy_order(square, names, wanted), square[[2, 0, 1]][:, [2, 0, 1]])
    assert_array_equal(in_patsy_order(square[:2, :2], names[:2], names[:2]), square[:2, :2])
    with pytest.raises(ValueError, match="limits or a covariance"):
        in_patsy_order(square[:2, :2], ["a", "b"], ["b", "a"])


@pytest.mark.parametrize("name", ["spector", "ten_points", "units_1e-8_and_1e8"])
def test_exact_problems_hold_the_data_they_name(name):
    made = problems()[name]  # these three are not drawn at random, so that every NumPy makes the same
    stored = np.array([[float.fromhex(value) for value in row] for row in EXACT[name]["X"]])
    assert_array_equal(stored, made["X"])
    assert_array_equal(EXACT[name]["y"], made["y"])


@pytest.mark.parametrize("name", EXACT)
def test_exact_solutions_are_solutions(name):
    problem = EXACT[name]
    with mp.workdps(80):
        stored = mp.matrix(problem["coef"])
        _, score, information = moments(problem, stored)
        step = mp.lu_solve(information, score)
        assert all(
            abs(step[j]) < mp.mpf(10) ** -38 * abs(stored[j]) for j in range(len(stored))
        )  # stored with 40 digits
        loglik, _, information = moments(problem, stored + step)
        assert abs(loglik / mp.mpf(problem["loglik"]) - 1) < mp.mpf(10) ** -38
        covariance = information**-1
        for j, se in enumerate(problem["se"]):
            assert abs(mp.sqrt(covariance[j, j]) / mp.mpf(se) - 1) < mp.mpf(10) ** -38


def moments(problem, beta):
    """Log-likelihood, score and information by formulas free of cancellation, unlike those that made the file."""
    n, k = len(problem["y"]), len(problem["names"])
    X = mp.matrix([[mp.mpf(float.fromhex(value)) for value in row] for row in problem["X"]])

    def column(key, otherwise):
        return [mp.mpf(float.fromhex(v)) for v in problem[key]] if key in problem else [mp.mpf(otherwise)] * n

    trials, frequency = column("trials", 1), column("weight", 1)
    eta = X * beta + mp.matrix(column("offset", 0))
    loglik, score, weighted = mp.mpf(0), mp.zeros(k, 1), X.copy()
    for i, y in enumerate(problem["y"]):
        e = mp.exp(-abs(eta[i]))
        prob = (1 if eta[i] >= 0 else e) / (1 + e)
        loglik += frequency[i] * (y * eta[i] - trials[i] * (max(eta[i], 0) + mp.log1p(e)))
        for j in range(k):
            score[j] += frequency[i] * (y - trials[i] * prob) * X[i, j]
            weighted[i, j] *= frequency[i] * trials[i] * e / (1 + e) ** 2
    return loglik, score, X.T * weighted
