"""Effects and means of variables inside expressions: as of a column made first, exact where smooth, never across a jump."""

from __future__ import annotations

import mpmath
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError, UnseenLevelError


def table(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    data = pd.DataFrame(
        {
            "age": rng.integers(0, 80, n),
            "x": rng.normal(size=n),
            "k": rng.integers(0, 8, n),
            "b": rng.integers(0, 2, n),
            "sex": rng.choice(["male", "female"], n),
            "s": rng.choice(["A", "a", "B", "b", "C"], n),
            "g": pd.Categorical(rng.choice(["low", "mid", "high"], n), ["low", "mid", "high"]),
            "ok": rng.random(n) < 0.5,
        }
    )
    eta = 0.03 * (data["age"] - 45) + 0.5 * data["x"] + 0.4 * (data["sex"] == "male") + 0.3 * data["b"]
    data["y"] = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
    data["c"] = np.where(rng.random(n) < 0.3, "third", np.where(data["y"] == 1, "yes", "no"))
    return data


DATA = table()

# A factor or step in the formula, and the column made first (its effects by levels, or by unit where it is a number).
MADE = {
    "C(age > 50)": ("age", lambda d: d["age"] > 50),
    "(k > 3)": ("k", lambda d: d["k"] > 3),
    "np.where(age > 50, 1, 0)": ("age", lambda d: np.where(d["age"] > 50, 1, 0)),
    "I((age > 50) * 1)": ("age", lambda d: (d["age"] > 50) * 1),
    "s.str.lower()": ("s", lambda d: d["s"].str.lower()),
    "C(s.isin(['A', 'C']))": ("s", lambda d: d["s"].isin(["A", "C"])),
    "C(k // 3)": ("k", lambda d: (d["k"] // 3).astype(str)),
    "C(np.round(k / 4))": ("k", lambda d: np.round(d["k"] / 4).astype(int).astype(str)),
    "C(k * 2)": ("k", lambda d: d["k"].astype(str)),
    "pd.cut(age, [-1, 20, 40, 90])": ("age", lambda d: pd.cut(d["age"], [-1, 20, 40, 90])),
    "s.map({'A': 'u', 'a': 'u', 'B': 'v', 'b': 'w', 'C': 'w'})": (
        "s",
        lambda d: d["s"].map({"A": "u", "a": "u", "B": "v", "b": "w", "C": "w"}),
    ),
    "age.astype(int)": ("age", lambda d: d["age"].astype(int)),
    "np.floor(age / 10)": ("age", lambda d: np.floor(d["age"] / 10)),
}


def fits(text: str, made, kind: str, response: str = "y", with_: str = " + x + sex"):
    data = DATA.assign(made=made(DATA))
    fit = {"logit": lambda f: ls.logit(f, data).fit(), "firth": lambda f: ls.logit(f, data).fit_firth(),
           "mnlogit": lambda f: ls.mnlogit(f, data).fit()}[kind]  # fmt: skip
    return fit(f"{response} ~ {text}{with_}"), fit(f"{response} ~ made{with_}")


def effects(res, name: str) -> pd.DataFrame:
    keys = ["estimate", "std_error", "p_value", "conf_low", "conf_high"]
    return res.margins(name, dummy=True).frame[keys].reset_index(drop=True)


@pytest.mark.parametrize("kind", ["logit", "firth", "mnlogit"])
@pytest.mark.parametrize("text", list(MADE))
def test_effects_of_a_step_are_those_of_the_column_made_first(text, kind):
    name, made = MADE[text]
    inside, outside = fits(text, made, kind, "c" if kind == "mnlogit" else "y")
    assert_allclose(effects(inside, name), effects(outside, "made"), rtol=1e-9, atol=1e-14)
    assert_allclose(effects(inside, "sex"), effects(outside, "sex"), rtol=1e-9)
    assert name in set(inside.margins().frame["variable"])


@pytest.mark.parametrize("text", list(MADE))
def test_means_with_a_factor_of_the_formula_are_those_of_the_column_made_first(text):
    name, made = MADE[text]
    inside, outside = fits(text, made, "logit")
    number = text in ("age.astype(int)", "np.floor(age / 10)")
    for spec, other in (("sex", "sex"), *(() if number else ((name, "made"),))):
        left, right = inside.means(spec).summary_frame(), outside.means(other).summary_frame()
        assert_allclose(left[["link", "se_link", "prob"]], right[["link", "se_link", "prob"]], rtol=1e-9)


def test_levels_of_a_text_belong_to_the_variable():
    for text in ("I(sex == 'female')", "np.where(sex == 'female', 1, 0)", "sex.map({'male': 'M', 'female': 'F'})"):
        frame = ls.logit(f"y ~ {text} + x", DATA).fit().margins("sex").frame
        plain = ls.logit("y ~ sex + x", DATA).fit().margins("sex").frame
        assert list(frame["contrast"]) == ["male against female"]
        assert_allclose(frame["estimate"], plain["estimate"], rtol=1e-9)


def test_a_reversed_comparison_does_not_reverse_the_effect():
    reversed_, plain = (
        ls.logit(f"y ~ {text} + x", DATA).fit().margins("b", dummy=True).frame for text in ("C(b == 0)", "b")
    )
    assert list(reversed_["contrast"]) == list(plain["contrast"]) == ["1 against 0"]
    assert_allclose(reversed_["estimate"], plain["estimate"], rtol=1e-9)


def test_a_step_beside_the_number_is_held_while_the_number_moves():
    data = DATA.assign(old=(DATA["age"] > 50) * 1)
    inside = ls.logit("y ~ age + np.where(age > 50, 1, 0)", data).fit().margins("age")
    made = ls.logit("y ~ age + old", data).fit().margins(dummy=True).frame
    assert_allclose(inside.frame["estimate"], made["estimate"], rtol=1e-9)
    assert_allclose(inside.frame["std_error"], made["std_error"], rtol=1e-9)
    assert "jumps in np.where" in " ".join(inside.notes)


def test_no_derivative_across_the_jump_of_an_expression_that_slopes_too():
    res = ls.logit("y ~ np.where(age > 50, age, 0) + x", DATA).fit()
    p, b = res.predict(), res.params.iloc[1]
    assert_allclose(res.margins("age").frame["estimate"], (p * (1 - p) * b * (DATA["age"] > 50)).mean(), rtol=1e-9)
    assert "jumps at age = 50" in " ".join(res.margins("age").notes)


def test_a_step_at_places_that_depend_on_other_numbers_has_no_effect_but_between_values():
    res = ls.logit("y ~ C(x > age / 45) + sex", DATA).fit()
    with pytest.raises(NotAvailableError, match="changes="):
        res.margins("age")
    assert set(res.margins().frame["variable"]) == {"sex"}
    got = res.margins("age", changes=[20, 40]).frame["estimate"].iloc[0]
    assert_allclose(got, res.predict(DATA.assign(age=40)).mean() - res.predict(DATA.assign(age=20)).mean(), rtol=1e-12)


# Smooth expressions.

WIDE = np.exp(3.0 * np.random.default_rng(5).normal(size=500))
SMOOTH = {
    "np.log(w)": lambda w: 1 / w,
    "I(w**0.5)": lambda w: 0.5 / np.sqrt(w),
    "I(np.log(w)**2) + np.log(w)": None,
    "np.exp(-w)": lambda w: -np.exp(-w),
    "I(1 / (1 + w))": lambda w: -1 / (1 + w) ** 2,
    "np.log1p(w)": lambda w: 1 / (1 + w),
    "np.arctan(w)": lambda w: 1 / (1 + w**2),
    "np.maximum(w, 0)": np.ones_like,
}


@pytest.mark.parametrize("text", list(SMOOTH))
def test_derivatives_are_exact_over_a_range_of_nine_orders(text):
    rng = np.random.default_rng(6)
    data = pd.DataFrame({"w": WIDE, "z": rng.normal(size=500)})
    data["y"] = (rng.random(500) < 1 / (1 + np.exp(-0.3 * np.log(WIDE)))).astype(int)
    res = ls.logit(f"y ~ {text} + z", data).fit()
    slope = SMOOTH[text]
    columns = (
        (lambda w: np.column_stack([2 * np.log(w) / w, 1 / w])) if slope is None else (lambda w: slope(w)[:, None])
    )
    p, b = res.predict().to_numpy(), res.params.to_numpy()[1:-1]
    expected = np.mean(p * (1 - p) * (columns(WIDE) @ b))
    assert_allclose(res.margins("w").frame["estimate"].iloc[0], expected, rtol=1e-7)


PARTS = (
    "{a}*v**2",
    "log(v + {a})",
    "exp(-{a}*v)",
    "sqrt(v + {a})",
    "sin({a}*v)",
    "v**3/(1 + v**2)",
    "1/(v + {a})",
    "tanh(v - {a})",
)
FUNCTIONS = ("log", "exp", "sqrt", "sin", "tanh")


@pytest.mark.parametrize("seed", range(12))
def test_the_effect_is_the_mean_of_the_derivative_of_predictions(seed):
    """Random smooth expressions of a number, in a product too, against mpmath's derivative of the prediction."""
    rng = np.random.default_rng(seed)
    f, g = (str(part).format(a=round(float(rng.uniform(0.5, 2.0)), 3)) for part in rng.choice(PARTS, 2, replace=False))
    data = pd.DataFrame({"v": rng.uniform(0.05, 6.0, 60), "z": rng.normal(size=60), "y": rng.integers(0, 2, 60)})
    res = fit_of(f, g, data)
    scope = {name: getattr(mpmath, name) for name in FUNCTIONS}
    b = [mpmath.mpf(float(v)) for v in res.params]
    assert [name.endswith("z") for name in res.params.index] == [False, False, False, True, True]

    def prob(v, z):
        left, right = (eval(part, scope, {"v": v}) for part in (f, g))
        return 1 / (1 + mpmath.exp(-(b[0] + b[1] * left + b[2] * right + b[3] * z + b[4] * left * z)))

    with mpmath.workdps(30):
        rows = [(mpmath.mpf(v), mpmath.mpf(z)) for v, z in data[["v", "z"]].to_numpy().tolist()]
        mean = sum(mpmath.diff(lambda at, z=z: prob(at, z), v) for v, z in rows) / len(rows)
    assert_allclose(res.margins("v").frame["estimate"].iloc[0], float(mean), rtol=1e-7)


def fit_of(f: str, g: str, data: pd.DataFrame):
    for name in FUNCTIONS:
        f, g = f.replace(f"{name}(", f"np.{name}("), g.replace(f"{name}(", f"np.{name}(")
    return ls.logit(f"y ~ I({f}) + I({g}) + z + I({f}):z", data).fit()


# at=, over=, subset=, weights=.


def test_effects_at_values_of_the_variable_itself():
    res = ls.logit("y ~ age + I(age**2) + sex", DATA).fit()
    frame = res.margins("age", at={"age": [20, 60]}).frame
    assert list(frame["at age"]) == [20, 60]
    b = res.params
    for age, got in zip((20, 60), frame["estimate"], strict=True):
        p = res.predict(DATA.assign(age=age))
        assert_allclose(got, (p * (1 - p)).mean() * (b["age"] + 2 * age * b["I(age ** 2)"]), rtol=1e-9)
    assert set(res.margins(at={"age": 30}).frame["variable"]) == {"age", "sex"}


def test_at_the_means_of_the_columns():
    res = ls.logit("y ~ age + x + b", DATA).fit()
    assert_allclose(res.margins(at="mean").frame["estimate"], res.get_margeff(at="mean").margeff, rtol=1e-10)
    assert_allclose(res.margins(at="mean").frame["std_error"], res.get_margeff(at="mean").margeff_se, rtol=1e-10)
    by_mean = res.margins("x", at={"age": "mean"}).frame
    assert_allclose(by_mean["at age"], DATA["age"].mean())


def test_over_several_columns():
    res = ls.logit("y ~ age + sex * x", DATA).fit()
    frame = res.margins("x", over=["sex", "ok"]).frame
    assert len(frame) == 4
    p = res.predict()
    for sex, ok, got in zip(frame["sex"], frame["ok"], frame["estimate"], strict=True):
        inside = (DATA["sex"] == sex) & (DATA["ok"] == ok)
        b = res.params["x"] + (res.params["sex[T.male]:x"] if sex == "male" else 0.0)
        assert_allclose(got, (p * (1 - p))[inside].mean() * b, rtol=1e-9)


def test_a_series_as_subset_is_taken_by_its_labels():
    data = DATA.sample(frac=1.0, random_state=3)
    res = ls.logit("y ~ age + x", data).fit()
    mask = DATA["x"] > 0
    expected = res.margins("age", subset=mask[data.index].to_numpy()).frame["estimate"]
    assert_allclose(res.margins("age", subset=mask).frame["estimate"], expected, rtol=1e-12)
    weights = DATA["x"].abs()
    by_label = res.margins("age", weights=weights).frame["estimate"]
    assert_allclose(by_label, res.margins("age", weights=weights[data.index].to_numpy()).frame["estimate"], rtol=1e-12)
    assert_allclose(res.margins("age", weights=mask * 1.0).frame["estimate"], expected, rtol=1e-12)


def test_values_that_a_variable_cannot_have_are_refused():
    res = ls.logit("y ~ I(sex == 'female') + age", DATA).fit()
    with pytest.raises(UnseenLevelError, match="'male'"):
        res.margins("age", at={"sex": "woman"})
    with pytest.raises(DataError, match="is a number"):
        res.margins("sex", at={"age": "old"})
    with pytest.raises(DataError, match="many values"):
        res.means("age")
    with pytest.raises(DataError, match=r"2 values"):
        res.margins(subset=[True, False])


def test_the_reference_asked_for_by_the_contrast_is_the_reference_of_margins():
    frame = ls.logit("y ~ C(g, Treatment('mid')) + x", DATA).fit().margins("g").frame
    assert list(frame["contrast"]) == ["low against mid", "high against mid"]
