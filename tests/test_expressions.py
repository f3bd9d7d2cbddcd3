"""Expressions of formulas: 64-bit numbers, summaries of the rows of the fit, refusals of other rows, names as data have them."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import logit_stats as ls
from logit_stats.errors import DataError, FormulaError, MissingColumnError

ROWS = 200


def frame(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "y": rng.integers(0, 2, ROWS),
            "age": rng.integers(20, 100, ROWS),
            "k": rng.integers(0, 4, ROWS),
            "x": rng.normal(2, 1, size=ROWS),
            "z": rng.uniform(1, 4, ROWS),
            "g": rng.choice(["a", "b", "c"], ROWS),
        }
    )


# expression, and the column made first, in floats
ARITHMETIC = [
    ("I(age**2)", lambda a, k: a**2),
    ("np.power(age, 2)", lambda a, k: a**2),
    ("np.square(age)", lambda a, k: a**2),
    ("age.pow(2)", lambda a, k: a**2),
    ("I(age**3)", lambda a, k: a**3),
    ("I(age * age * age)", lambda a, k: a**3),
    ("I(age - 50)", lambda a, k: a - 50),
    ("I(20 - age)", lambda a, k: 20 - a),
    ("I(-age)", lambda a, k: -a),
    ("I(age * 3)", lambda a, k: a * 3),
    ("age.mul(k)", lambda a, k: a * k),
    ("I(age + age + age)", lambda a, k: 3 * a),
    ("I(age * 10 - 7 * k)", lambda a, k: a * 10 - 7 * k),
    ("I((age > 50) + (k > 1))", lambda a, k: (a > 50) * 1.0 + (k > 1)),
    ("I(age / 7)", lambda a, k: a / 7),
    ("I((age - 30)**2 * k)", lambda a, k: (a - 30) ** 2 * k),
    ("I(age**(-1))", lambda a, k: 1 / a),
    ("np.maximum(age - 60, 0)", lambda a, k: np.maximum(a - 60, 0)),
    ("I(age**12)", lambda a, k: a**12),
]
DTYPES = ["int8", "uint8", "int16", "uint16", "int32", "int64", "uint64", "Int8", "UInt8", "Int16", "UInt32", "Int64"]


def containers(data: pd.DataFrame) -> dict[str, object]:
    small = {"age": pl.Int8, "k": pl.UInt8}
    found = {dtype: data.astype({"age": dtype, "k": dtype}) for dtype in DTYPES}
    found["polars"] = pl.from_pandas(data.astype({"g": object})).cast(small)
    eight = {"age": pa.array(data["age"], pa.int8()), "k": pa.array(data["k"], pa.uint8())}
    found["arrow"] = pa.table({**{name: data[name] for name in ("y", "x", "z")}, **eight})
    found["arrow dtypes"] = data.astype({"age": "int8[pyarrow]", "k": "uint8[pyarrow]"})
    found["arrays"] = {
        "y": data["y"].to_numpy(),
        "age": data["age"].to_numpy(np.int8),
        "k": data["k"].to_numpy(np.uint8),
    }
    return found


@pytest.mark.parametrize(("expression", "made"), ARITHMETIC)
def test_small_integers_do_not_wrap_round(expression, made):
    data = frame()
    a, k = data["age"].to_numpy(float), data["k"].to_numpy(float)
    expected = np.asarray(made(a, k), dtype=float)
    for kind, table in containers(data).items():
        model = ls.logit(f"y ~ {expression}", table, check_rank=False)
        got = np.asarray(model.exog, dtype=float)[:, 1]
        assert_allclose(got, expected, rtol=1e-15, atol=0, err_msg=f"{expression} of {kind}")
        new, _, _ = model.design.formula.design_matrix(table)
        assert_allclose(new[:, 1], expected, rtol=1e-15, atol=0, err_msg=f"{expression} of new {kind}")


@pytest.mark.parametrize("dtype", ["int8", "uint8", "Int8"])
def test_small_integers_in_products_of_terms_in_responses_and_categories(dtype):
    data = frame()
    small = data.astype({"age": dtype, "k": dtype, "y": dtype})
    for formula in ("y ~ age * k", "y ~ I(age - 50) * g", "y ~ poly(age, 2)", "I(age * 2 > 120) ~ x", "y ~ C(k * 100)"):
        assert_allclose(ls.logit(formula, small).fit().params, ls.logit(formula, data).fit().params, rtol=1e-9)
    assert_allclose(
        ls.mnlogit("g ~ I(age**2) + k", small).fit().params,
        ls.mnlogit("g ~ I(age**2) + k", data).fit().params,
        rtol=1e-9,
    )
    # fitted on eight bits, asked in sixty-four, and the other way round
    res, wide = (ls.logit("y ~ I(age**2)", d).fit() for d in (small, data))
    assert_allclose(res.predict(data), wide.predict(small), rtol=1e-12)


# expression, and the column made first by the rows of the fit
SUMMARIES = [
    ("I(x - x.mean())", lambda d: d["x"] - d["x"].mean()),
    ("I(x - np.mean(x))", lambda d: d["x"] - d["x"].mean()),
    ("I((x - np.mean(x)) / np.std(x))", lambda d: (d["x"] - d["x"].mean()) / np.std(d["x"].to_numpy())),
    ("I(x / x.max())", lambda d: d["x"] / d["x"].max()),
    ("I(x > x.median())", lambda d: d["x"] > d["x"].median()),
    ("I(x - x.quantile(0.25))", lambda d: d["x"] - d["x"].quantile(0.25)),
    ("np.clip(x, np.percentile(x, 5), np.percentile(x, 95))", lambda d: np.clip(d["x"], *np.percentile(d["x"], [5, 95]))),
    ("pd.qcut(x, 4)", lambda d: pd.qcut(d["x"], 4).cat.rename_categories(str)),
    ("pd.qcut(x, 4, labels=False)", lambda d: pd.qcut(d["x"], 4, labels=False)),
    ("pd.cut(x, 3)", lambda d: pd.cut(d["x"], 3).cat.rename_categories(str)),
    ("pd.cut(x, 3, labels=['low', 'mid', 'high'])", lambda d: pd.cut(d["x"], 3, labels=["low", "mid", "high"])),
    ("C(pd.cut(x, [-99, x.mean(), 99], labels=False))", lambda d: (d["x"] > d["x"].mean()).astype(int).astype(str)),
    ("I(z * (x - x.min()))", lambda d: d["z"] * (d["x"] - d["x"].min())),
    ("center(x)", lambda d: d["x"] - d["x"].mean()),
    ("standardize(x)", lambda d: (d["x"] - d["x"].mean()) / np.std(d["x"].to_numpy())),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "made"), SUMMARIES)
@pytest.mark.parametrize("fit", ["fit", "fit_firth"])
def test_a_summary_is_that_of_the_rows_of_the_fit(expression, made, fit):
    data = frame()
    first = data.assign(made=made(data))
    got = getattr(ls.logit(f"y ~ {expression} + z", data), fit)()
    want = getattr(ls.logit("y ~ made + z", first), fit)()
    assert_allclose(np.asarray(got.params), np.asarray(want.params), rtol=1e-7, atol=1e-9)
    for rows in (slice(0, 3), slice(5, 6), slice(None, None, 7)):
        assert_allclose(got.predict(data.iloc[rows]), want.predict(first.iloc[rows]), rtol=1e-9)
    assert_allclose(got.predict(data.iloc[::-1]), want.predict(first.iloc[::-1]), rtol=1e-9)


@pytest.mark.parametrize(
    "expression", ["I(x - x.mean())", "I(x / x.max())", "I((x - np.mean(x)) / np.std(x))", "standardize(x)"]
)
def test_the_effect_of_a_variable_does_not_hang_on_its_scaling(expression):
    data = frame()
    plain = ls.logit("y ~ x + age", data).fit().margins("x").summary_frame()
    scaled = ls.logit(f"y ~ {expression} + age", data).fit().margins("x").summary_frame()
    assert_allclose(scaled["estimate"], plain["estimate"], rtol=1e-8)
    assert_allclose(scaled["std_error"], plain["std_error"], rtol=1e-7)


def own_score(values):
    return (values - values.mean()) / values.std()


OTHER_ROWS = [
    "x.rank()",
    "x.rank(pct=True)",
    "x.shift()",
    "x.diff()",
    "np.cumsum(x)",
    "x.cumsum()",
    "np.sort(x)",
    "x.rolling(3).mean()",
    "x.groupby(g).transform('mean')",
    "x.pct_change()",
    "own_score(x)",
    "stats.zscore(x)",
    "stats.rankdata(x)",
    "x.expanding().mean()",
    "np.argsort(x)",
    "x[::-1].to_numpy()",
    "np.roll(x, 1)",
    "x.ewm(span=3).mean()",
    "x.sample(frac=1, random_state=1).to_numpy()",
    "I(x.rank() > 100)",
    "C(x.rank() > 100)",
]


@pytest.mark.parametrize("expression", OTHER_ROWS)
def test_what_looks_at_other_rows_is_refused(expression):
    assert stats.zscore is not None
    data = frame()
    for formula in (f"y ~ {expression}", f"y ~ z + {expression}", f"y ~ z:{expression}"):
        with pytest.raises(FormulaError, match=r"another value when other rows.*center\(x\), standardize\(x\)"):
            ls.logit(formula, data)
    with pytest.raises(FormulaError, match="another value when other rows"):
        ls.mnlogit(f"k ~ {expression}", data)


def test_values_looked_up_in_counts_of_the_rows_of_the_fit_are_remembered():
    data = frame()
    res = ls.logit("y ~ g.map(g.value_counts()) + x", data).fit()
    made = data.assign(counts=data["g"].map(data["g"].value_counts()))
    want = ls.logit("y ~ counts + x", made).fit()
    assert_allclose(res.predict(data.iloc[:4]), want.predict(made.iloc[:4]), rtol=1e-10)


@pytest.mark.parametrize("name", [3, 2020, ("lab", "first"), ("a", 1), -1])
def test_columns_whose_names_are_no_texts(name):
    data = frame()
    expected = ls.logit("y ~ x * g", data)
    other = data.rename(columns={"x": "was"}).copy()
    other.columns = pd.Index([name if c == "was" else c for c in other.columns], tupleize_cols=False)
    model = ls.logit(f"y ~ Q({name!r}) * g", other)
    assert_allclose(np.asarray(model.exog), np.asarray(expected.exog), rtol=1e-15)
    res, want = model.fit(), expected.fit()
    assert_allclose(res.predict(other.iloc[:5]), want.predict(data.iloc[:5]), rtol=1e-12)
    assert_allclose(
        res.margins(name).summary_frame()["estimate"], want.margins("x").summary_frame()["estimate"], rtol=1e-9
    )
    missing = ("lab", "second") if isinstance(name, tuple) else 77
    with pytest.raises(MissingColumnError, match="no column"):
        ls.logit(f"y ~ Q({missing!r})", other)


@pytest.mark.parametrize("written", ["Größe", "µg", "ﬁber", "Ⅳ", "é"])
def test_names_in_any_spelling_of_their_letters(written):
    data = frame()
    expected = ls.logit("y ~ x + I(x**2)", data).fit()
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        for in_formula in ("NFC", "NFD", "NFKC"):
            column, name = unicodedata.normalize(form, written), unicodedata.normalize(in_formula, written)
            table = data.rename(columns={"x": column})
            if not name.isidentifier():
                continue
            res = ls.logit(f"y ~ {name} + I({name}**2)", table).fit()
            assert_allclose(res.params, expected.params, rtol=1e-12)
            assert_allclose(res.predict(table.iloc[:4]), expected.predict(data.iloc[:4]), rtol=1e-12)
            quoted = ls.logit(f'y ~ Q("{name}")', table)
            assert_allclose(np.asarray(quoted.exog)[:, 1], data["x"])


FITS = [
    lambda data: ls.logit("y ~ age + g + I(x**2)", data).fit(),
    lambda data: ls.mnlogit("g ~ age + k", data).fit(),
    lambda data: ls.logit("y ~ age + g", data).fit_firth(),
]


@pytest.mark.parametrize("fit", FITS)
def test_one_new_row_in_every_form(fit):
    data = frame()
    res = fit(data)
    want = np.ravel(np.asarray(res.predict(data.iloc[[7]])))
    row = data.iloc[7]
    single = {name: row[name] for name in data.columns}
    of_polars = pl.DataFrame({name: [value] for name, value in single.items()})
    for given in (row, single, {**single, "age": [row["age"]]}, data.iloc[7:8], of_polars):
        assert_allclose(np.ravel(np.asarray(res.predict(given))), want, rtol=1e-14)
    for missing in (None, np.nan, pd.NA):
        assert np.isnan(np.asarray(res.predict({**single, "age": missing}))).all()
        assert np.isnan(np.asarray(res.predict(pd.DataFrame({**single, "age": [missing]})))).all()
    true, one = (np.asarray(res.predict({**single, "age": value})) for value in (True, 1))
    assert_allclose(true, one)
    with pytest.raises(DataError, match=r"'age' was a column of numbers at the fit.*'20' \(row 0\), a text"):
        res.predict({**single, "age": "20"})
