"""A missing value is never False: a row in which a variable of an expression is missing is missing, on both sides."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import logit_stats as ls
from logit_stats.errors import DataError, MissingDataError, NoRowsError

ROWS = 160
HOLES = np.arange(ROWS) % 7 == 3


def frame(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "y": rng.integers(0, 2, ROWS),
            "x": rng.normal(size=ROWS),
            "z": rng.uniform(1, 4, ROWS),
            "k": rng.integers(0, 4, ROWS),
            "s": rng.choice(["died", "lost", "well"], ROWS),
            "c": pd.Categorical(rng.choice(["lo", "mid", "hi"], ROWS), ["lo", "mid", "hi"]),
            "t": rng.random(ROWS) > 0.5,
            "d": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, ROWS), "D"),
        }
    )


# expression, the variables in it
EXPRESSIONS = [
    ("I(x > 0)", "x"),
    ("(x > 0)", "x"),
    ("x != 0.5", "x"),
    ("I(s == 'died')", "s"),
    ("I(s != 'died')", "s"),
    ("s.isin(['died', 'lost'])", "s"),
    ("I(~s.isin(['died']))", "s"),
    ("I(c == 'lo')", "c"),
    ("c.isin(['lo'])", "c"),
    ("x.between(-1, 1)", "x"),
    ("np.where(x > 0, 1, 0)", "x"),
    ("np.where(s == 'died', 'yes', 'no')", "s"),
    ("np.where(t, x, z)", "t"),
    ("np.where(t, x, z)", "z"),
    ("np.digitize(x, [-1, 0, 1])", "x"),
    ("C(np.digitize(x, [-1, 0, 1]))", "x"),
    ("np.select([x > 1, x > 0], [2, 1], 0)", "x"),
    ("I((x > 0).astype(int))", "x"),
    ("I((x > 0) & (z > 2))", "x"),
    ("I((x > 0) & (z > 2))", "z"),
    ("I((x > 0) | (k == 1))", "x"),
    ("I(1 * (x > 0) + (z > 2))", "z"),
    ("s.str.startswith('d')", "s"),
    ("s.str.contains('e')", "s"),
    ("s.str.upper()", "s"),
    ("s.str.len()", "s"),
    ("s.map({'died': 1, 'lost': 0, 'well': 0})", "s"),
    ("s.map({'died': 1, 'lost': 0, 'well': 0}) > 0", "s"),
    ("s.astype(str)", "s"),
    ("pd.cut(x, [-9, 0, 9])", "x"),
    ("pd.qcut(x, 3)", "x"),
    ("np.isin(x, [1.0, 2.0]) | (z > 2)", "x"),
    ("old(z)", "z"),
    ("k.astype(str)", "k"),
    ("I(d > '2021-01-01')", "d"),
    ("(d.dt.month > 6)", "d"),
    ("np.sign(x)", "x"),
    ("x:(z > 2)", "z"),
    ("bs(x, df=4):C(k)", "x"),
    ("I(center(z) * (x > 0))", "x"),
    ("C(s == 'died')", "s"),
    ("C(k > 1, Sum)", "k"),
    ("np.maximum(x - 1, 0)", "x"),
    ("np.logical_and(x > 0, z > 2)", "z"),
]  # fmt: skip


def old(values):
    return values > 2


def with_holes(data: pd.DataFrame, name: str, rows: np.ndarray = HOLES) -> pd.DataFrame:
    return data.assign(**{name: data[name].mask(rows)})


def kinds_of_missing(data: pd.DataFrame, name: str) -> list[pd.DataFrame]:
    """The same holes as NaN or NaT of the column's own type, as None among objects, as pd.NA of a nullable type."""
    holes = with_holes(data, name)
    found = [] if name == "k" else [holes]
    if name in ("s", "t"):
        found.append(holes.assign(**{name: holes[name].astype(object).where(~HOLES, None)}))
        found.append(data.assign(**{name: data[name].astype("boolean" if name == "t" else "string").mask(HOLES)}))
    if name in ("x", "z", "k"):
        nullable = "Int64" if name == "k" else "Float64"
        found.append(data.assign(**{name: data[name].astype(nullable).mask(HOLES)}))
    return found


@pytest.mark.parametrize(("expression", "variable"), EXPRESSIONS)
def test_a_row_with_a_missing_variable_is_missing(expression, variable):
    data = frame()
    expected = ls.logit(f"y ~ {expression}", data[~HOLES], check_rank=False)
    new = frame(1)
    new["x"] = new["x"].clip(data["x"][~HOLES].min(), data["x"][~HOLES].max())
    for holes in kinds_of_missing(data, variable):
        model = ls.logit(f"y ~ {expression}", holes, check_rank=False)
        assert model.sample.dropped_by == {variable: int(HOLES.sum())}
        assert model.exog_names == expected.exog_names
        assert_allclose(np.asarray(model.exog, float), np.asarray(expected.exog, float), rtol=1e-14, atol=1e-15)
        coded, complete, _ = model.design.formula.design_matrix(with_holes(new, variable))
        assert_array_equal(complete, ~HOLES)
        assert np.isnan(coded[HOLES]).all()
        assert_allclose(coded[~HOLES], model.design.formula.design_matrix(new)[0][~HOLES], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    ("left", "variable"),
    [("I(s == 'died')", "s"), ("I(x > 0)", "x"), ("s.isin(['died', 'lost'])", "s"), ("np.where(k > 1, 1, 0)", "k"),
     ("(c == 'hi')", "c"), ("I((x > 0) & t)", "t"), ("s.str.startswith('d')", "s"), ("I((x > 0).astype(int))", "x")],
)  # fmt: skip
def test_a_missing_outcome_is_no_failure(left, variable):
    data = frame()
    for holes in kinds_of_missing(data, variable):
        model = ls.logit(f"{left} ~ z", holes)
        assert model.sample.dropped_by == {variable: int(HOLES.sum())}
        assert_allclose(model.fit().params, ls.logit(f"{left} ~ z", data[~HOLES]).fit().params, rtol=1e-12)
        # and as outcomes of other data
        assert model.fit().validate(holes).roc.auc == pytest.approx(model.fit().validate(data[~HOLES]).roc.auc)


def test_the_advice_of_the_response_error_keeps_to_r():
    # R: glm((ans == "yes") ~ x, binomial) uses 100 rows, 40 events
    rng = np.random.default_rng(5)
    ans = np.array(["yes"] * 40 + ["no"] * 45 + ["k.A."] * 15 + [None] * 20, dtype=object)
    data = pd.DataFrame({"ans": ans, "x": rng.normal(size=120)})
    model = ls.logit("I(ans == 'yes') ~ x", data)
    assert (
        str(model.sample) == "120 rows read, 20 dropped for missing values (ans 20), 100 used: 40 events, 60 non-events"
    )
    with pytest.raises(MissingDataError, match="ans in 20 rows"):
        ls.logit("I(ans == 'yes') ~ x", data, missing="raise")


@pytest.mark.parametrize(
    ("expression", "variable"), [("I(x > 0)", "x"), ("s.isin(['died'])", "s"), ("np.where(k > 1, 1, 0)", "k")]
)
def test_the_multinomial_logit_too(expression, variable):
    data = frame()
    holes = with_holes(data, variable)
    model = ls.mnlogit(f"c ~ z + {expression}", holes)
    assert model.sample.dropped_by == {variable: int(HOLES.sum())}
    assert_allclose(model.fit().params, ls.mnlogit(f"c ~ z + {expression}", data[~HOLES]).fit().params, rtol=1e-10)
    assert np.isnan(np.asarray(model.fit().predict(holes))[HOLES]).all()


def test_polars_and_dicts():
    data = frame()[["y", "x", "s"]]
    holes = with_holes(with_holes(data, "x"), "s")
    table = pl.DataFrame(
        {
            "y": data["y"].to_list(),
            "x": [None if h else v for v, h in zip(data["x"], HOLES, strict=True)],
            "s": [None if h else v for v, h in zip(data["s"], HOLES, strict=True)],
        }
    )
    expected = ls.logit("y ~ I(x > 0) + (s == 'died')", data[~HOLES]).fit().params
    for given_ in (table, {name: table[name].to_list() for name in table.columns}, holes):
        model = ls.logit("y ~ I(x > 0) + (s == 'died')", given_)
        assert model.sample.dropped == HOLES.sum()
        assert_allclose(model.fit().params, expected, rtol=1e-12)


def test_a_variable_of_the_program_too():
    data = frame()
    score = data["x"].mask(HOLES)
    array = score.to_numpy()
    for name in ("score", "array"):
        model = ls.logit(f"y ~ I({name} > 0)", data)
        assert model.nobs == ROWS - HOLES.sum()
        assert_allclose(model.fit().params, ls.logit("y ~ I(x > 0)", data[~HOLES]).fit().params, rtol=1e-12)
        inside = ls.logit(f"y ~ I({name} > 0) + np.abs(z)", data, subset=data["z"] > 1.5)
        assert inside.nobs == (~HOLES & (data["z"] > 1.5)).sum()
    assert len(array) == len(score)


@pytest.mark.parametrize(
    ("expression", "same"),
    [
        ("x.fillna(0)", lambda d: d["x"].fillna(0)),
        ("x.isna()", lambda d: d["x"].isna()),
        ("x.notna()", lambda d: d["x"].notna()),
        ("pd.isna(x)", lambda d: d["x"].isna()),
        ("np.isnan(x)", lambda d: d["x"].isna()),
        ("I(x.isna() * 1)", lambda d: d["x"].isna() * 1),
        ("x.combine_first(z)", lambda d: d["x"].combine_first(d["z"])),
        ("np.nan_to_num(x)", lambda d: d["x"].fillna(0)),
        ("(x.fillna(0) > 0.5)", lambda d: d["x"].fillna(0) > 0.5),
        ("np.where(x.isna(), 0, x)", lambda d: d["x"].fillna(0)),
        ("np.where(x.isna(), 0, x > 0)", lambda d: (d["x"] > 0) * 1),
        ("x.where(x.notna(), 5)", lambda d: d["x"].fillna(5)),
        ("I((x > 0) | x.isna())", lambda d: (d["x"] > 0) | d["x"].isna()),
        ("I((x > 0) & x.notna())", lambda d: (d["x"] > 0) & d["x"].notna()),
        ("I((x > 0).fillna(False))", lambda d: d["x"] > 0),
        ("x.isin([0.5, np.nan])", lambda d: d["x"].isna()),
        ("s.fillna('unknown')", lambda d: d["s"].fillna("unknown")),
        ("I(s.fillna('unknown') == 'unknown')", lambda d: d["s"].isna()),
        ("x.replace(np.nan, 0)", lambda d: d["x"].fillna(0)),
    ],
)
def test_what_looks_after_missing_values_keeps_its_meaning(expression, same):
    holes = with_holes(with_holes(frame(), "x"), "s")
    model = ls.logit(f"y ~ {expression}", holes, check_rank=False)
    assert model.nobs == ROWS
    made = ls.logit("y ~ made", holes.assign(made=same(holes)), check_rank=False)
    assert_array_equal(np.asarray(model.exog, float), np.asarray(made.exog, float))
    coded, complete, _ = model.design.formula.design_matrix(holes)
    assert complete.all()
    assert_array_equal(coded, np.asarray(model.exog, float))


def test_other_variables_beside_a_filled_one_are_still_missing():
    holes = with_holes(frame(), "x")
    holes["z"] = holes["z"].mask(np.arange(ROWS) < 5)
    model = ls.logit("y ~ I(x.fillna(0) > z - 2)", holes)
    assert model.sample.dropped_by == {"z": 5}
    both = ls.logit("y ~ I(x.combine_first(z) > 1)", holes)
    neither = int((holes["x"].isna() & holes["z"].isna()).sum())
    assert both.nobs == ROWS - neither < ROWS


@pytest.mark.parametrize(
    ("expression", "undefined"),
    [
        ("np.log(x)", lambda d: d["x"] < 0),
        ("I(np.log(x) > 0)", lambda d: d["x"] < 0),
        ("np.where(np.log(x) > 0, 1, 0)", lambda d: d["x"] < 0),
        ("np.digitize(np.log(x), [0, 1])", lambda d: d["x"] < 0),
        ("pd.to_numeric(text, errors='coerce') > 3", lambda d: d["text"] == "k.A."),
        ("I((pd.to_numeric(text, errors='coerce') > 3) * 1)", lambda d: d["text"] == "k.A."),
        ("I((pd.to_numeric(text, errors='coerce') > 3).astype(int))", lambda d: d["text"] == "k.A."),
        ("s.map({'died': 1, 'lost': 0}) > 0", lambda d: d["s"] == "well"),
        ("s.map({'died': 1, 'lost': 0}).isin([1])", lambda d: d["s"] == "well"),
        ("s.map({'died': 'a', 'lost': 'b'}).str.contains('a')", lambda d: d["s"] == "well"),
        ("pd.cut(z, [1, 2, 3])", lambda d: (d["z"] > 3) | (d["z"] <= 1)),
        ("I(pd.cut(z, [0, 2, 3], labels=['a', 'b']) == 'a')", lambda d: d["z"] > 3),
    ],
)
def test_a_value_that_an_expression_does_not_have_is_missing_and_said(expression, undefined):
    data = frame()
    data["text"] = np.where(np.arange(ROWS) % 5 == 0, "k.A.", data["k"].astype(str))
    gone = np.asarray(undefined(data))
    model = ls.logit(f"y ~ {expression}", data)
    assert model.sample.dropped_by == {expression: int(gone.sum())}
    assert_array_equal(~model.sample.used, gone)
    assert f"{int(gone.sum())} dropped because {expression} " in str(model.sample)
    assert "dropped for missing values" not in str(model.sample)


def test_missing_and_undefined_values_are_counted_apart():
    data = with_holes(frame(), "x")
    model = ls.logit("y ~ np.log(x)", data)
    negative = int((data["x"] < 0).sum())
    both = int(HOLES.sum()) + negative
    said = f"{both} dropped for missing values (x {HOLES.sum()}) or because np.log(x) is not a number ({negative})"
    assert said in str(model.sample)
    with pytest.raises(NoRowsError, match="standardize\\(one\\) is not a number in 160"):
        ls.logit("y ~ standardize(one)", data.assign(one=1.0))
    with pytest.raises(MissingDataError, match=r"np\.log\(x\) is not a number"):
        ls.logit("y ~ np.log(x)", frame(), missing="raise")


def test_three_valued_logic_guards_as_in_r():
    # FALSE & NA is FALSE, TRUE | NA is TRUE
    data = frame()
    assert ls.logit("y ~ I((x > 0) & (np.log(x) > 0))", data).nobs == ROWS
    assert ls.logit("y ~ I((x <= 0) | (np.log(x) > 0))", data).nobs == ROWS
    assert ls.logit("y ~ np.where(x > 0, np.log(x), 0)", data).nobs == ROWS


NUMBERS = st.sampled_from(["x", "z", "k"])
CONDITIONS = st.builds(
    "({} {} {})".format, NUMBERS, st.sampled_from([">", "<=", "!=", "=="]), st.sampled_from(["0.3", "1", "2", "z", "x"])
) | st.sampled_from(
    ["(s == 'died')", "s.isin(['well', 'lost'])", "(c == 'mid')", "t", "s.str.contains('e')", "x.between(-1, k)"]
)
JOINED = st.recursive(
    CONDITIONS,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["&", "|"]), inner) | st.builds("(~{})".format, inner)
    ),
    max_leaves=3,
)
RANDOM = st.one_of(
    st.builds("I({})".format, JOINED),
    st.builds("np.where({}, {}, {})".format, JOINED, NUMBERS, NUMBERS),
    st.builds("I({} * {} + {})".format, JOINED, NUMBERS, NUMBERS),
    st.builds("np.digitize({}, [0, 1, 2])".format, NUMBERS),
    st.builds("C({}.astype(str))".format, st.sampled_from(["k", "s", "t"])),
)


@settings(max_examples=150, deadline=None)
@given(RANDOM, st.sampled_from(["x", "z", "k", "s", "c", "t"]), st.integers(0, 5), st.booleans())
def test_holes_in_any_variable_of_any_expression_are_rows_dropped(expression, variable, seed, left):
    data = frame(seed)
    rows = np.random.default_rng(seed).random(ROWS) < 0.2
    holes = with_holes(data, variable, rows)
    right = f"y ~ z + {expression}" if not left else f"{expression} ~ z"
    read = variable in re.findall(r"\b[xzksct]\b", re.sub(r"'[^']*'", "", right))
    kept = data[~rows] if read else data
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            expected = ls.logit(right, kept, check_rank=False)
        except DataError:
            with pytest.raises(DataError):
                ls.logit(right, holes, check_rank=False)
            return
        model = ls.logit(right, holes, check_rank=False)
    assert list(model.design.index) == list(expected.design.index)
    assert_array_equal(np.asarray(model.exog, float), np.asarray(expected.exog, float))
    assert_array_equal(model.endog, expected.endog)
