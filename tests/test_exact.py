"""Against solutions to 50 digits (tests/reference/make_exact.py): to 1e-9 standard errors, whatever units and offsets."""

from __future__ import annotations

import json

import mpmath as mp
import numpy as np
import pytest

import logit_stats as ls
from tests.cases import FOLDER

PROBLEMS = json.loads((FOLDER / "exact.json").read_text(encoding="utf-8"))


def arrays(name: str):
    problem = PROBLEMS[name]
    X = np.array([[float.fromhex(v) for v in row] for row in problem["X"]])
    given = {
        key: np.array([float.fromhex(v) for v in problem[key]])
        for key in ("trials", "weight", "offset")
        if key in problem
    }
    return problem, X, np.array(problem["y"]), given


# one of the problems is nearly separated, and the fit says so
pytestmark = pytest.mark.filterwarnings("ignore::logit_stats.errors.NearSeparationWarning")


def fitted(name: str) -> tuple[dict, ls.LogitResults]:
    problem, X, y, given = arrays(name)
    if "weight" in given:
        given["freq_weights"] = given.pop("weight")
    return problem, ls.Logit(y, X, **given).fit()


def distance(problem: dict, values: np.ndarray) -> float:
    """Largest distance to the exact coefficients in exact standard errors."""
    with mp.workdps(60):
        return max(
            float(abs(mp.mpf(float(v)) - mp.mpf(exact)) / mp.mpf(se))
            for v, exact, se in zip(values, problem["coef"], problem["se"], strict=True)
        )


@pytest.mark.parametrize("name", PROBLEMS)
def test_coefficients_to_a_billionth_of_a_standard_error(name):
    problem, res = fitted(name)
    assert res.converged
    assert distance(problem, res.params) < 1e-9


@pytest.mark.parametrize("name", PROBLEMS)
def test_standard_errors(name):
    problem, res = fitted(name)
    relative = [abs(ours / float(mp.mpf(exact)) - 1) for ours, exact in zip(res.bse, problem["se"], strict=True)]
    # rounding of the data's products grows with the condition number: 4e6 for the nearly collinear pair
    assert max(relative) < (1e-8 if name != "nearly_collinear" else 1e-7)


@pytest.mark.parametrize("name", PROBLEMS)
def test_log_likelihood(name):
    problem, res = fitted(name)
    exact = float(mp.mpf(problem["loglik"]))
    assert abs(res.fit_.loglik - exact) <= 1e-12 * abs(exact)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_certificate_tells_the_truth(name):
    problem, res = fitted(name)
    certificate = res.certificate()
    # coefficients are stored in double precision, which is part of the digits and not of the distance
    rounding = max(
        abs(float(b)) * np.finfo(float).eps / float(mp.mpf(se)) for b, se in zip(res.params, problem["se"], strict=True)
    )
    assert distance(problem, res.params) <= certificate.distance_bound + 4 * rounding
    with mp.workdps(60):
        for ours, exact, digits in zip(res.params, problem["coef"], certificate.coefficient_digits, strict=True):
            relative = abs(mp.mpf(float(ours)) - mp.mpf(exact)) / abs(mp.mpf(exact))
            assert float(relative) <= 0.5 * 10.0**-digits * 1.0000001
        loglik = abs(mp.mpf(res.fit_.loglik) - mp.mpf(problem["loglik"]))
        assert float(loglik) <= certificate.loglik_error_bound


@pytest.mark.parametrize("name", ["ten_points", "grouped"])
def test_the_stored_solution_solves_the_likelihood_equations(name):
    problem, X, y, given = arrays(name)
    trials = given.get("trials", np.ones(len(y)))
    with mp.workdps(50):
        beta = [mp.mpf(text) for text in problem["coef"]]
        for j in range(X.shape[1]):
            score = mp.mpf(0)
            for i in range(len(y)):
                eta = mp.fsum(mp.mpf(float(X[i, r])) * beta[r] for r in range(X.shape[1]))
                score += (mp.mpf(float(y[i])) - mp.mpf(float(trials[i])) / (1 + mp.exp(-eta))) * mp.mpf(float(X[i, j]))
            assert abs(score) < mp.mpf(10) ** -25
