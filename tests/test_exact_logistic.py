"""Exact logistic regression: distributions, p-values, estimates and limits against independent values and enumeration."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError
from logit_stats.inference.exact_columns import exact_problem, on_grid
from logit_stats.inference.exact_network import distribution, network, places
from tests.cases import FOLDER

VALUES = json.loads((FOLDER / "values" / "family" / "spector_exact.json").read_text())["values"]


def _data(name: str) -> pd.DataFrame:
    data = pd.read_csv(FOLDER / "data" / f"{name}.csv")
    if name == "esoph":
        data = data[data.agegp.isin(["25-34", "35-44"])]
        rank = {c: {v: i for i, v in enumerate(dict.fromkeys(pd.read_csv(FOLDER / "data" / "esoph.csv")[c]))}
                for c in ("alcgp", "tobgp")}  # fmt: skip
        data = data.assign(
            g=(data.agegp == "35-44").astype(int),
            alcgp=data.alcgp.map(rank["alcgp"]),
            tobgp=data.tobgp.map(rank["tobgp"]),
        )
    return data


CASES = [
    ("spector", "spector", "grade ~ tuce + psi", "tuce"),
    ("spector", "spector", "grade ~ tuce + psi", "psi"),
    ("endometrial", "endometrial", "HG ~ NV + PI", "NV"),
    ("endometrial", "endometrial", "HG ~ NV + PI", "PI"),
    ("esoph_young_grouped", "esoph", "ncases + ncontrols ~ g + alcgp + tobgp", "g"),
    ("esoph_young_grouped", "esoph", "ncases + ncontrols ~ g + alcgp + tobgp", "alcgp"),
    ("esoph_young_grouped", "esoph", "ncases + ncontrols ~ g + alcgp + tobgp", "tobgp"),
    ("fisher_check", "birthwt", "low ~ ht", "ht"),
    ("stratified", "birthwt", "low ~ C(race) + ht", "ht"),
]


def _close(ours: float, theirs: Any) -> bool:
    if theirs is None:
        return True
    expected = float(theirs)
    return ours == expected or abs(ours - expected) <= 1e-9 * abs(expected)


@pytest.mark.parametrize(("case", "file", "formula", "column"), CASES)
def test_one_coefficient(case: str, file: str, formula: str, column: str) -> None:
    reference = VALUES[case]["coefficients"][column]
    found = ls.exlogit(formula, _data(file), of=column)[column].distribution
    order = np.argsort(found.values[:, 0])
    np.testing.assert_allclose(found.values[order, 0], reference["distribution"]["values"])
    np.testing.assert_allclose(np.exp(found.log_count[order]), reference["distribution"]["count"], rtol=1e-12)
    low, high = found.limits()
    mid_low, mid_high = found.limits(mid_p=True)
    ours = {
        "observed": found.observed[0],
        "point_probability": found.point_probability,
        "score_statistic": found.score_statistic,
        "p_probability": found.p_value("probability"),
        "mid_p_probability": found.p_value("probability", mid_p=True),
        "p_score": found.p_value("score"),
        "mid_p_score": found.p_value("score", mid_p=True),
        "p_lower_tail": found.tails()[0],
        "p_upper_tail": found.tails()[1],
        "p_twice_smaller_tail": found.p_value("twice_smaller_tail"),
        "mid_p_twice_smaller_tail": found.p_value("twice_smaller_tail", mid_p=True),
        "conditional_mle": found.conditional_mle,
        "conditional_mle_se": found.conditional_mle_se,
        "median_unbiased": found.median_unbiased,
    }
    assert [name for name, value in ours.items() if not _close(value, reference[name])] == []
    assert all(map(_close, (low, high), reference["ci_95"]))
    assert all(map(_close, (mid_low, mid_high), reference["ci_95_mid_p"]))


@pytest.mark.parametrize(
    ("case", "file", "formula", "of"),
    [
        ("spector", "spector", "grade ~ tuce + psi", ["tuce", "psi"]),
        ("esoph_young_grouped", "esoph", "ncases + ncontrols ~ g + alcgp + tobgp", ["alcgp", "tobgp"]),
    ],
)
def test_joint(case: str, file: str, formula: str, of: list[str]) -> None:
    reference = VALUES[case]["joint"]
    results = ls.exlogit(formula, _data(file), of=of)
    found = results.joint[0].distribution
    assert len(found.values) == reference["points_in_distribution"]
    for ours, theirs in (
        (found.point_probability, "point_probability"),
        (found.score_statistic, "score_statistic"),
        (found.p_value("probability"), "p_probability"),
        (found.p_value("probability", mid_p=True), "mid_p_probability"),
        (found.p_value("score"), "p_score"),
        (found.p_value("score", mid_p=True), "mid_p_score"),
    ):
        assert ours == pytest.approx(reference[theirs], rel=1e-9)
    assert results.joint_tests().loc[" + ".join(of), "p_score"] == found.p_value("score")


def test_a_factor_is_tested_jointly() -> None:
    results = ls.exlogit("low ~ ht + C(race)", _data("birthwt"))
    assert [t.name for t in results.joint] == ["C(race)"]
    assert len(results.joint[0].columns) == 2
    assert "C(race) (2 coefficients jointly)" in str(results)


def test_two_by_two_is_fishers_test() -> None:
    table = np.array([[3, 9], [8, 2]])
    data = pd.DataFrame({"x": [0, 1], "events": table[:, 1], "none": table[:, 0]})
    found = ls.exlogit("events + none ~ x", data)
    assert found.pvalues()["x"] == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-12)
    limits = np.exp(found.conf_int().loc["x"])
    exact = stats.contingency.odds_ratio(table)
    assert np.exp(found.params["x"]) == pytest.approx(exact.statistic, rel=1e-6)
    # scipy finds its limits to about 1e-6
    np.testing.assert_allclose(limits, exact.confidence_interval(), rtol=1e-4)


def _enumerated(X: np.ndarray, free: list[int], y: np.ndarray) -> dict[tuple[float, ...], int]:
    held = [j for j in range(X.shape[1]) if j not in free]
    counts: dict[tuple[float, ...], int] = {}
    for vector in itertools.product([0, 1], repeat=len(y)):
        if np.allclose(vector @ X[:, held], y @ X[:, held]):
            key = tuple(np.round(vector @ X[:, free], 9).tolist())
            counts[key] = counts.get(key, 0) + 1
    return counts


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("free", [[1], [1, 2], [0]])
def test_the_network_counts_every_response_vector(seed: int, constant: bool, free: list[int]) -> None:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(11), rng.integers(-2, 3, 11) / 4, rng.integers(0, 2, 11), rng.integers(0, 3, 11)])
    X = X if constant else X[:, 1:]
    y = np.r_[0, 1, rng.integers(0, 2, 9)].astype(float)
    problem = exact_problem(ls.Logit(y, X, check_rank=False).design, free)
    integers, log_count = distribution(problem.patterns, 1e6)
    assert problem.units is not None
    values = np.round(integers * problem.units + problem.origins * problem.events, 9)
    ours = {tuple(v): round(c) for v, c in zip((values + 0.0).tolist(), np.exp(log_count), strict=True)}
    assert ours == _enumerated(X, free, y)


@pytest.mark.parametrize("strata", [True, False])
def test_the_bound_on_states_holds(strata: bool) -> None:
    data = _data("birthwt")
    model = ls.logit("low ~ ht + ui + ptl", data)
    codes = pd.factorize(data.race)[0] if strata else None
    problem = exact_problem(model.design, [1], codes)
    found = [(place.states, len(states.counts)) for place, states in network(problem.patterns, 1e7)]
    assert all(actual <= bound for bound, actual in found)
    assert len(found) == len(list(places(problem.patterns)))


def test_strata_are_dummies() -> None:
    data = _data("birthwt")
    codes = pd.factorize(data.race)[0]
    from logit_stats.inference.exact import exact

    by_set = exact(ls.logit("low ~ ht", data).design, "ht", strata=codes)
    by_column = ls.exlogit("low ~ ht + C(race)", data, of="ht")
    assert by_set["ht"].distribution.p_value() == pytest.approx(by_column["ht"].distribution.p_value(), rel=1e-12)
    assert by_set.strata == 3


def test_frequency_weights_are_rows() -> None:
    data = _data("spector").assign(w=lambda d: 1 + d.psi)
    weighted = ls.exlogit("grade ~ psi + tuce", data, of="psi", freq_weights="w")
    rows = ls.exlogit("grade ~ psi + tuce", data.loc[data.index.repeat(data.w)].reset_index(drop=True), of="psi")
    assert weighted.conf_int().equals(rows.conf_int())
    assert weighted.observations == rows.observations


def test_units_and_origin_make_no_difference() -> None:
    data = _data("spector")
    plain = ls.exlogit("grade ~ tuce + psi", data, of="tuce")
    moved = ls.exlogit("grade ~ t + psi", data.assign(t=data.tuce * 1e-3 + 7), of="t")
    assert moved.params["t"] * 1e-3 == pytest.approx(plain.params["tuce"], rel=1e-9)
    np.testing.assert_allclose(moved.conf_int().loc["t"] * 1e-3, plain.conf_int().loc["tuce"], rtol=1e-9)
    assert moved["t"].distribution.observed[0] == pytest.approx(259e-3 + 77)


@pytest.mark.parametrize(
    ("values", "unit"),
    [([1.0, 2.0, 4.0], 1.0), ([2.66, 3.1, 2.74], 0.04), ([1 / 3, 2 / 3, 0.0], 1 / 3), ([5.0, 5.0], 1.0)],
)
def test_grids(values: list[float], unit: float) -> None:
    grid = on_grid(np.array(values))
    assert grid is not None
    assert grid[2] == pytest.approx(unit)
    np.testing.assert_allclose(grid[1] + grid[2] * grid[0], values)


def test_random_draws_are_near_the_exact_answer() -> None:
    data = _data("endometrial")
    exact = ls.exlogit("HG ~ NV + PI", data, of="PI")
    drawn = ls.exlogit("HG ~ NV + PI", data, of="PI", monte_carlo=20000, seed=3)
    error = drawn["PI"].distribution.p_error()
    assert 0.0 < error < 0.01
    assert abs(drawn.pvalues()["PI"] - exact.pvalues("score")["PI"]) < 4 * error
    wrong = drawn["PI"].error(lambda d: d.conditional_mle)
    assert abs(drawn.params["PI"] - exact.params["PI"]) < 4 * wrong
    assert drawn.pvalues().equals(ls.exlogit("HG ~ NV + PI", data, of="PI", monte_carlo=20000, seed=3).pvalues())
    assert "Monte Carlo standard error" in str(drawn)


def test_draws_follow_the_distribution() -> None:
    data = _data("birthwt")
    exact = ls.exlogit("low ~ ht + C(race)", data, of="ht")["ht"].distribution
    drawn = ls.exlogit("low ~ ht + C(race)", data, of="ht", monte_carlo=40000)["ht"].distribution
    expected = dict(zip(exact.values[:, 0], exact.prob, strict=True))
    likely = [v for v, p in expected.items() if p * 40000 > 5]
    counts = dict(zip(drawn.values[:, 0], np.exp(drawn.log_count), strict=True))
    seen = np.array([counts[v] for v in likely])
    theory = np.array([expected[v] for v in likely])
    assert stats.chisquare(np.r_[seen, 40001 - seen.sum()], 40001 * np.r_[theory, 1 - theory.sum()]).pvalue > 1e-3


def test_no_p_value_by_probability_from_draws() -> None:
    drawn = ls.exlogit("grade ~ tuce + psi", _data("spector"), of="tuce", monte_carlo=500)
    with pytest.raises(NotAvailableError, match="Ask for score or twice_smaller_tail"):
        drawn.pvalues("probability")
    with pytest.raises(DataError, match="at least 100"):
        ls.exlogit("grade ~ tuce + psi", _data("spector"), monte_carlo=3)


def test_too_large_is_refused_before_it_starts() -> None:
    with pytest.raises(NotAvailableError, match=r"may need up to .* states at a time, about .* GB; the limit is 100"):
        ls.exlogit("grade ~ tuce + psi", _data("spector"), of="tuce", max_states=100)


def test_a_number_off_every_grid() -> None:
    data = _data("spector").assign(z=np.random.default_rng(0).normal(size=32))
    with pytest.raises(NotAvailableError, match="'z' must be held fixed, and its values lie on no grid"):
        ls.exlogit("grade ~ psi + z", data, of="psi")
    with pytest.raises(NotAvailableError, match="monte_carlo=100000"):
        ls.exlogit("grade ~ psi + z", data, of="z")
    drawn = ls.exlogit("grade ~ psi + z", data, of="z", monte_carlo=2000)
    assert 0.0 < drawn.pvalues()["z"] <= 1.0


def test_a_sum_with_one_possible_value_says_nothing() -> None:
    data = pd.DataFrame({"y": [0, 1, 0, 1, 1, 0], "x": [1, 2, 4, 8, 16, 32], "z": [0, 1, 0, 1, 0, 1]})
    found = ls.exlogit("y ~ x + z", data, of="z")
    assert found["z"].distribution.degenerate
    assert found.conf_int().loc["z"].tolist() == [-np.inf, np.inf]
    assert found.pvalues()["z"] == 1.0
    assert np.isnan(found.params["z"])
    assert "only one value" in str(found)


def test_what_exact_inference_cannot_hold_is_refused() -> None:
    data = _data("spector")
    with pytest.raises(NotAvailableError, match="offset"):
        ls.logit("grade ~ psi", data, offset="gpa").exact("psi")
    with pytest.raises(NotAvailableError, match="sampling weights"):
        ls.logit("grade ~ psi", data, sampling_weights="gpa").exact("psi")
    with pytest.raises(DataError, match="no term of the model"):
        ls.logit("grade ~ psi", data).exact("tuce")
    with pytest.raises(DataError, match="nothing but a constant"):
        ls.logit("grade ~ 1", data).exact()
    with pytest.raises(DataError, match="alpha"):
        ls.logit("grade ~ psi", data).exact(alpha=5)


def test_the_constant_by_name() -> None:
    found = ls.exlogit("y ~ 1", pd.DataFrame({"y": [0, 0, 1, 0, 0, 0, 0, 1]}), of="Intercept")
    limits = stats.binomtest(2, 8).proportion_ci(method="exact")
    np.testing.assert_allclose(1 / (1 + np.exp(-found.conf_int().loc["Intercept"])), limits, rtol=1e-9)


def test_reports() -> None:
    found = ls.exlogit("HG ~ NV + PI", _data("endometrial"))
    text = str(found)
    assert max(map(len, text.splitlines())) <= 80
    assert "inf" in text
    assert "MUE: median-unbiased" in text
    assert "<table" in found._repr_html_()
    assert found.frame.loc["NV", "kind"] == "MUE"
    assert found.tidy(exponentiate=True).loc[1, "estimate"] == pytest.approx(np.exp(found.params["PI"]))
    assert found.odds_ratios().loc["NV", "conf_high"] == np.inf
    with pytest.raises(DataError, match="EH"):
        found["EH"]
