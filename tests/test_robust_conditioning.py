"""Robust covariances where columns are far from zero, where leverages are one, and where cells are fitted exactly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls


def interaction(shift: float, rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    # multiples of 2^-10, so that the shift is exact
    u = np.round(rng.normal(size=rows) * 1024) / 1024
    g = rng.integers(0, 2, rows)
    y = (rng.random(rows) < 1 / (1 + np.exp(-(0.3 + 0.5 * u + 0.4 * g - 0.6 * u * g)))).astype(int)
    return pd.DataFrame(
        {"y": y, "x": u + shift, "g": g, "id": rng.integers(0, 40, rows), "j": rng.integers(0, 35, rows),
         "w": rng.integers(1, 4, rows).astype(float), "t": np.arange(rows)}
    )  # fmt: skip


KINDS = {
    "HC0": {}, "HC1": {}, "HC2": {}, "HC3": {}, "opg": {}, "quasi": {}, "HAC": {"maxlags": 3}, "cluster": {"groups": "id"},
    "two-way": {"groups": ["id", "j"]}, "CR2": {"groups": "id", "use_correction": "CR2"},
    "CR3": {"groups": "id", "use_correction": "CR3"},
}  # fmt: skip


def covariance(shift: float, kind: str):
    settings = KINDS[kind]
    name = kind if kind[:2] in ("HC", "op", "qu", "HA") else "cluster"
    return ls.logit("y ~ x * g", interaction(shift)).fit().with_cov(name, **settings)


SLOPES = ["x", "x:g"]


@pytest.mark.parametrize("shift", [1e3, 1e5, 1e6, 1e7, 1e8, 1e9])
@pytest.mark.parametrize("kind", KINDS)
def test_interactions_far_from_zero(kind, shift):
    """Slopes do not move; the standard error of g is that of the difference at x = 0, so of the slope times the shift."""
    near, far = covariance(0.0, kind), covariance(shift, kind)
    tol = max(1e-8, 4e-16 * shift * 10)
    assert_allclose(far.bse[SLOPES], near.bse[SLOPES], rtol=tol)
    assert_allclose(far.pvalues[SLOPES], near.pvalues[SLOPES], rtol=tol * 100)
    for name, slope in (("g", "x:g"), ("Intercept", "x")):
        V = near.cov_params()
        variance = V.loc[name, name] - 2 * shift * V.loc[name, slope] + shift**2 * V.loc[slope, slope]
        assert_allclose(far.bse[name], np.sqrt(variance), rtol=tol * 10)


@pytest.mark.parametrize("shift", [1e5, 1e7, 1e9])
def test_surveys_far_from_zero(shift):
    near, far = (
        ls.logit("y ~ x * g", interaction(at), sampling_weights="w").fit().with_cov("survey", psu="id")
        for at in (0.0, shift)
    )
    assert_allclose(far.bse[SLOPES], near.bse[SLOPES], rtol=max(1e-8, 4e-15 * shift))


def categories(shift: float, model: str, cov_type: str, **settings):
    data = interaction(shift)
    # three categories, in an order that x and g move
    v = data["x"] - shift + data["g"] + np.random.default_rng(5).logistic(size=len(data))
    data["c"] = pd.Categorical(np.select([v < 0, v < 1], ["a", "b"], "c"), categories=["a", "b", "c"], ordered=True)
    return getattr(ls, model)("c ~ x * g", data, **settings.pop("given", {})).fit().with_cov(cov_type, **settings)


def errors_of_slopes(res) -> np.ndarray:
    return np.sqrt(np.array([float(np.asarray(res.t_test(R).sd).squeeze()) ** 2 for R in slopes_of(res)]))


def slopes_of(res) -> list[np.ndarray]:
    names = res.fit_.design.coefficient_names
    return [
        row
        for row, name in zip(np.eye(len(names)), names, strict=True)
        if name.split(":", 1)[-1] in ("x", "x:g", "g") and "x" in name
    ]


@pytest.mark.parametrize("shift", [1e5, 1e7, 1e8])
@pytest.mark.parametrize("model", ["mnlogit", "ologit"])
@pytest.mark.parametrize(
    ("cov_type", "settings"),
    [("HC0", {}), ("HC1", {}), ("HC2", {}), ("HC3", {}),
     ("opg", {}), ("cluster", {"groups": "id"}), ("cluster", {"groups": ["id", "j"]}),
     ("survey", {"psu": "id", "given": {"sampling_weights": "w"}})],
)  # fmt: skip
def test_several_categories_far_from_zero(model, cov_type, settings, shift):
    near, far = (categories(at, model, cov_type, **settings) for at in (0.0, shift))
    tol = max(1e-8, 4e-15 * shift)
    expected = errors_of_slopes(near)
    assert len(expected) >= 2
    assert_allclose(errors_of_slopes(far), expected, rtol=tol)


def dependent_two_way(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a, b = np.repeat(np.arange(6), 10), np.tile(np.arange(10), 6)
    x = rng.normal(size=60) + rng.normal(size=6)[a]
    y = (rng.random(60) < 1 / (1 + np.exp(-0.8 * x + rng.normal(size=10)[b]))).astype(int)
    return pd.DataFrame({"y": y, "x": x, "z": rng.normal(size=60), "a": a, "b": b})


def test_two_way_repair_depends_on_no_origin_or_unit():
    repaired = 0
    for seed in range(12):
        data = dependent_two_way(seed)
        results = [
            ls.logit("y ~ x + z", frame).fit().with_cov("cluster", groups=["a", "b"])
            for frame in (data, data.assign(x=data["x"] - 50), data.assign(x=data["x"] / 1000, z=data["z"] * 4e3))
        ]
        repaired += any("positive semi-definite" in note for note in results[0].covariance_.notes)
        for other in results[1:]:
            assert_allclose(other.tvalues[["x", "z"]], results[0].tvalues[["x", "z"]], rtol=1e-8)
    assert repaired >= 2


def test_a_leverage_of_one_has_no_hc2_and_hc3():
    data = pd.DataFrame({"s": [3, 5, 4, 2, 6], "f": [4, 2, 6, 3, 2], "g": list("aabbc"), "x": [0.0, 1, 2, 0, 1]})
    res = ls.logit("s + f ~ g + x", data).fit()
    for kind in ("HC2", "HC3"):
        made = res.with_cov(kind)
        assert made.bse.isna().all()
        assert "leverage one (4)" in made.covariance_.notes[0]
        assert "leverage one" in str(made.summary(clock=False))
    assert np.isfinite(res.with_cov("HC1").bse).all()


def test_a_cell_fitted_exactly_has_a_robust_error_of_zero_and_a_note():
    """All rows of a cell are fitted exactly in a saturated model of counts: sandwich's truth is zero."""
    data = pd.DataFrame({"s": [3, 5, 4], "f": [4, 2, 6], "g": list("abc")})
    made = ls.logit("s + f ~ g", data).fit().with_cov("HC0")
    assert_allclose(made.bse, 0.0, atol=0)
    assert "fitted exactly" in made.covariance_.notes[0]
    mixed = pd.DataFrame({"s": [3, 5, 4, 2], "f": [4, 2, 6, 3], "g": list("aabb"), "x": [0.0, 1, 0, 1]})
    mixed = pd.concat([mixed, pd.DataFrame({"s": [7], "f": [9], "g": ["c"], "x": [0.0]})], ignore_index=True)
    made = ls.logit("s + f ~ C(g) - 1 + x", mixed).fit().with_cov("HC0")
    assert made.bse["C(g)[c]"] == 0.0
    assert (made.bse.drop("C(g)[c]") > 0).all()
    assert "C(g)[c]" in made.covariance_.notes[0]
