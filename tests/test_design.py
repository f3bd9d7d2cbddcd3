"""Formulas and arrays become columns: patsy's matrix exactly, statsmodels' names, and clear errors."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import patsy
import polars as pl
import pyarrow as pa
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import logit_stats as ls
from logit_stats.errors import (
    DataError,
    FormulaError,
    MissingColumnError,
    MissingDataError,
    NonFiniteError,
    NoRowsError,
    ResponseError,
    TooFewRowsError,
    WeightError,
)

KNOTS = [-1.0, 0.0, 1.0]


def frame(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "y": rng.integers(0, 2, rows),
            "a": rng.normal(size=rows),
            "b": rng.normal(size=rows) * 100 + 5,
            "i": rng.integers(1, 4, rows),
            "t": rng.random(rows) > 0.5,
            "g": rng.choice(list("uvwxyz"), rows),
            "h": pd.Categorical(rng.choice(["lo", "mid", "hi"], rows), ["lo", "mid", "hi"]),
            "ünï": rng.normal(size=rows),
            "odd name": rng.normal(size=rows),
        }
    )


DATA = frame()
RIGHT_HAND_SIDES = [
    "1", "0 + a", "a + b", "a * g", "C(i)", "C(i, Sum)", "C(i, Poly):a", "C(i, Diff)", "0 + g", "0 + g:h", "g * h * a",
    "bs(a, df=5)", "bs(a, knots=KNOTS, degree=2) * t", "cr(b, df=4)", "cc(b, df=4)", "te(cr(a, df=3), cr(b, df=3)) - 1",
    "center(a) + standardize(b)", "center(np.log(b + 1000))", "I(a**2) + np.exp(a)", "t", "C(g, Treatment('w'))",
    "C(h, Helmert)", "-1 + a", "C(i, levels=[3, 2, 1])", "Q('odd name') : C(t)", "a:b + g:a + h", "ünï", "a + a:g", "(a + b)**2",
    "h / a", "np.where(a > 0, 'pos', 'neg')", "a > 0", "g.str.upper()",
]  # fmt: skip


@pytest.mark.parametrize("right", RIGHT_HAND_SIDES)
def test_columns_are_those_of_patsy(right):
    model = ls.logit(f"y ~ {right}", DATA, check_rank=False)
    expected = patsy.dmatrix(right, DATA)
    assert model.exog_names == expected.design_info.column_names
    assert_array_equal(model.exog, np.asarray(expected))
    new = frame(40, seed=1).assign(a=lambda d: d["a"].clip(DATA["a"].min(), DATA["a"].max()))
    new["b"] = new["b"].clip(DATA["b"].min(), DATA["b"].max())
    theirs = patsy.build_design_matrices([expected.design_info], new)[0]
    ours, complete, _ = model.design.formula.design_matrix(new)
    assert complete.all()
    assert_array_equal(ours, np.asarray(theirs))
    again = pickle.loads(pickle.dumps(model.design.formula))
    assert_array_equal(again.design_matrix(new)[0], ours)
    # the design_info is patsy's own and works there
    assert_array_equal(np.asarray(patsy.build_design_matrices([model.design_info], new)[0]), ours)


NAMES = st.sampled_from(["a", "b", "C(i)", "g", "h", "t", "C(i, Sum)", "I(a**2)", "center(b)"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(NAMES, min_size=1, max_size=3, unique=True).map(":".join), min_size=1, max_size=4), st.booleans()
)
def test_any_combination_of_terms_is_coded_as_patsy_codes_it(terms, intercept):
    right = " + ".join(terms) + ("" if intercept else " - 1")
    model = ls.logit(f"y ~ {right}", frame(600), check_rank=False)
    expected = patsy.dmatrix(right, frame(600))
    assert model.exog_names == expected.design_info.column_names
    assert_array_equal(model.exog, np.asarray(expected))


def test_variables_and_functions_of_the_callers_scope():
    local = np.linspace(0, 1, len(DATA))

    def twice(v):
        return 2 * v

    model = ls.logit("y ~ local + twice(a)", DATA)
    assert_array_equal(model.exog[:, 1], local)
    assert_array_equal(model.exog[:, 2], 2 * DATA["a"])
    by_class = ls.Logit.from_formula("y ~ local + twice(a)", DATA)
    assert_array_equal(by_class.exog, model.exog)


def test_transforms_learn_from_rows_in_which_their_own_columns_are_present():
    holes = DATA.copy()
    holes.loc[:19, "a"] = np.nan
    holes.loc[100:109, "b"] = np.nan
    model = ls.logit("y ~ center(a) + bs(a, df=4) + b", holes)
    assert model.nobs == 170
    mean = holes["a"].mean()
    assert_allclose(
        model.exog[:, model.exog_names.index("center(a)")], (holes["a"] - mean).dropna().drop(range(100, 110))
    )
    assert np.isfinite(model.exog).all()


def test_levels_that_occur_only_in_dropped_rows_are_forgotten():
    holes = DATA.assign(g=np.where(np.arange(200) < 3, "rare", DATA["g"]))
    holes.loc[:2, "a"] = np.nan
    model = ls.logit("y ~ g + a", holes)
    assert "g[T.rare]" not in model.exog_names
    assert model.fit().converged


@pytest.mark.parametrize("kind", ["dict", "polars", "polars lazy", "arrow", "dict of lists"])
def test_other_tables(kind):
    small = DATA[["y", "a", "g", "t", "i"]]
    expected = ls.logit("y ~ a + g + t + C(i)", small).fit()
    table = {
        "dict": {name: small[name].to_numpy() for name in small},
        "dict of lists": {name: small[name].tolist() for name in small},
        "polars": pl.DataFrame({name: small[name].tolist() for name in small}),
        "polars lazy": pl.DataFrame({name: small[name].tolist() for name in small}).lazy(),
        "arrow": pa.table({name: small[name].tolist() for name in small}),
    }[kind]
    res = ls.logit("y ~ a + g + t + C(i)", table).fit()
    assert list(res.params.index) == list(expected.params.index)
    assert_allclose(res.params, expected.params, rtol=1e-12)
    assert_allclose(res.predict(table), expected.predict(), rtol=1e-12)


def test_polars_nulls_and_categories():
    table = pl.DataFrame(
        {
            "y": [0, 1, 0, 1, 1, 0, 1, 0],
            "x": [1, 2, None, 4, 5, 6, 1, 3],
            "g": pl.Series(["b", "a", "b", None, "a", "a", "b", "a"], dtype=pl.Enum(["b", "a"])),
            "t": [True, None, False, True, True, False, False, True],
        }
    )
    model = ls.logit("y ~ x + g + t", table)
    assert model.sample.dropped_by == {"x": 1, "g": 1, "t": 1}
    assert "g[T.a]" in model.exog_names
    assert "t[T.True]" in model.exog_names


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "float32", "int8"])
def test_number_types(dtype):
    data = DATA.assign(i=DATA["i"].astype(dtype))
    assert_array_equal(ls.logit("y ~ i", data).exog[:, 1], DATA["i"])
    if dtype in ("Int64", "Float64"):
        holes = data.assign(i=data["i"].mask(data.index < 5))
        assert ls.logit("y ~ i", holes).sample.dropped_by == {"i": 5}


def test_nullable_booleans_and_strings():
    data = DATA.assign(t=DATA["t"].astype("boolean").mask(DATA.index < 4), g=DATA["g"].astype("string"))
    model = ls.logit("y ~ t + g", data)
    assert model.exog_names[:3] == ["Intercept", "t[T.True]", "g[T.v]"]
    assert model.sample.dropped_by == {"t": 4}


def test_duplicate_and_multi_indexes_are_kept():
    data = DATA.set_index(pd.Index([7] * 200))
    res = ls.logit("y ~ a", data).fit()
    assert list(res.fittedvalues.index) == [7] * 200
    multi = DATA.set_index(["g", "i"])
    assert ls.logit("y ~ a", multi).fit().resid_pearson.index.equals(multi.index)


def test_missing_can_be_refused():
    holes = DATA.assign(a=DATA["a"].where(DATA.index > 2))
    with pytest.raises(MissingDataError, match=r"a in 3 rows \(row 0, 1, 2\)"):
        ls.logit("y ~ a", holes, missing="raise")
    # a missing value that a function fills is not missing
    assert ls.logit("y ~ a.fillna(0)", holes).nobs == 200


def test_log_of_a_negative_number_is_accounted_for_without_a_warning():
    model = ls.logit("y ~ np.log(a)", DATA)
    negative = int((DATA["a"] < 0).sum())
    assert model.sample.dropped_by == {"np.log(a)": negative}
    assert f"{negative} dropped because np.log(a) is not a number, " in str(model.sample)
    assert set(model.sample.left_out()) == {"np.log(a) is not a number"}
    with pytest.raises(NonFiniteError, match=r"np\.log"):
        ls.logit("y ~ np.log(a.abs())", DATA.assign(a=DATA["a"].where(DATA.index != 3, 0.0)))


ERRORS = [
    ("y ~ aa", MissingColumnError, "did you mean 'a'"),
    ("y ~ Q('odd')", MissingColumnError, "'odd'"),
    ("y ~ np.sqrt(aa)", MissingColumnError, "in 'np.sqrt"),
    ("y ~ a + offset(b)", MissingColumnError, "offset="),
    ("y ~ ", FormulaError, "cannot be read"),
    ("y ~ a +* b", FormulaError, "cannot be read"),
    ("a + b", FormulaError, "no response"),
    ("y ~ np.dot(a)", FormulaError, "cannot be evaluated"),
    ("y ~ a[:10]", FormulaError, "200 rows"),
    ("y ~ C(g, Treatment('nope'))", FormulaError, "nope"),
    ("g ~ a", ResponseError, "6 different values"),
    ("i ~ a", ResponseError, "3 different values"),
    ("I(i * 2 - 1.5 > 0) + a + b ~ g", ResponseError, "one variable"),
    ("a:b ~ g", ResponseError, "one variable"),
]


@pytest.mark.parametrize(("formula", "kind", "said"), ERRORS)
def test_wrong_formulas(formula, kind, said):
    with pytest.raises(kind, match=said.replace("(", r"\(")):
        ls.logit(formula, DATA)


def test_wrong_data():
    with pytest.raises(NoRowsError, match="no row"):
        ls.logit("y ~ a", DATA.head(0))
    with pytest.raises(NoRowsError, match="missing values: a in 200"):
        ls.logit("y ~ a", DATA.assign(a=np.nan))
    with pytest.raises(TooFewRowsError, match="more coefficients than rows"):
        ls.logit("y ~ C(a) + b", DATA)
    with pytest.raises(DataError, match="is a ndarray"):
        ls.logit("y ~ a", DATA[["y", "a"]].to_numpy())
    with pytest.raises(DataError, match="different lengths"):
        ls.logit("y ~ a", {"y": [0, 1], "a": [1, 2, 3]})
    with pytest.raises(DataError, match="subset"):
        ls.logit("y ~ a", DATA, subset=[1, 2, 3])
    with pytest.raises(FormulaError, match="text such as"):
        ls.logit(3, DATA)


def test_weights_trials_and_offsets_are_checked():
    with pytest.raises(WeightError, match="negative in 1 row"):
        ls.logit("y ~ a", DATA, freq_weights=np.where(DATA.index == 4, -1, 1))
    with pytest.raises(WeightError, match="whole numbers"):
        ls.logit("y ~ a", DATA, freq_weights=np.full(200, 1.5))
    with pytest.raises(WeightError, match="not both"):
        ls.logit("y ~ a", DATA, freq_weights="i", sampling_weights="i")
    with pytest.raises(WeightError, match="one number for each"):
        ls.logit("y ~ a", DATA, offset=[1.0, 2.0])
    with pytest.raises(WeightError, match="does not hold numbers"):
        ls.logit("y ~ a", DATA, offset="g")
    with pytest.raises(NonFiniteError, match="offset"):
        ls.logit("y ~ a", DATA, offset=np.where(DATA.index == 4, np.inf, 0))
    with pytest.raises(ResponseError, match="exceed the trials"):
        ls.logit("i ~ a", DATA, trials=np.ones(200))
    with pytest.raises(ResponseError, match="whole numbers"):
        ls.logit("ünï ~ a", DATA, trials="i")


def test_one_row_and_one_column():
    with pytest.raises(ls.errors.OneClassError):
        ls.logit("y ~ 1", DATA.head(1))
    res = ls.logit("k ~ 1", {"k": [3]}, trials=[10]).fit()
    assert_allclose(res.params, [np.log(3 / 7)], rtol=1e-12)
    assert ls.Logit([0, 1, 1], np.ones(3)).fit().params.shape == (1,)


# Arrays.


def array_data():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(80, 3))
    return (rng.random(80) < 0.5).astype(float), X


@pytest.mark.parametrize("constant", ["first", "last", "none"])
def test_names_and_attributes_are_those_of_statsmodels(constant):
    y, X = array_data()
    if constant != "none":
        X = sm.add_constant(X, prepend=constant == "first")
    ours, theirs = ls.Logit(y, X), sm.Logit(y, X)
    assert ours.exog_names == theirs.exog_names
    assert ours.endog_names == theirs.endog_names
    assert_array_equal(ours.exog, theirs.exog)
    assert_array_equal(ours.endog, theirs.endog)
    assert ours.df_resid == theirs.df_resid
    # without a constant statsmodels counts one column too few
    assert ours.df_model == theirs.df_model + (constant == "none")
    res, their_res = ours.fit(), theirs.fit(disp=0)
    for name in ("params", "bse", "tvalues", "pvalues", "fittedvalues", "resid_response", "resid_pearson", "resid_dev",
                 "resid_generalized"):  # fmt: skip
        left, right = getattr(res, name), getattr(their_res, name)
        assert isinstance(left, np.ndarray)
        assert_allclose(left, right, rtol=1e-7, atol=1e-10, err_msg=name)
    assert_allclose(res.conf_int(0.1), their_res.conf_int(0.1), rtol=1e-7)


def test_frames_keep_their_labels():
    y, X = array_data()
    exog = sm.add_constant(pd.DataFrame(X, columns=["p", "q", "r"], index=np.arange(80) + 100))
    endog = pd.Series(y, index=exog.index, name="won")
    ours, theirs = ls.Logit(endog, exog).fit(), sm.Logit(endog, exog).fit(disp=0)
    assert ours.model.endog_names == "won"
    assert list(ours.params.index) == list(theirs.params.index)
    assert ours.resid_pearson.index.equals(exog.index)
    assert_allclose(ours.predict(exog.head(3)), theirs.predict(exog.head(3)), rtol=1e-9)
    with pytest.raises(DataError, match="not aligned"):
        ls.Logit(endog, exog.sort_index(ascending=False))


@pytest.mark.parametrize("kind", ["list", "fortran", "strided", "float32", "int", "bool", "reversed"])
def test_any_layout_of_the_array(kind):
    y, X = array_data()
    X = np.column_stack([np.ones(80), np.round(3 * X)])
    given = {
        "list": X.tolist(),
        "fortran": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=0)[::2],
        "float32": X.astype(np.float32),
        "int": X.astype(int),
        "bool": X > 0,
        "reversed": X[::-1][::-1],
    }[kind]
    expected = sm.Logit(y, np.asarray(given, dtype=float)).fit(disp=0)
    assert_allclose(ls.Logit(y, given).fit().params, expected.params, rtol=1e-8)


def test_missing_values_in_arrays():
    y, X = array_data()
    X = sm.add_constant(X)
    holes = X.copy()
    holes[3, 2] = np.nan
    with pytest.raises(MissingDataError, match=r"x2 in 1 row \(row 3\)"):
        ls.Logit(y, holes)
    dropped = ls.Logit(y, holes, missing="drop").fit()
    assert_allclose(dropped.params, ls.Logit(np.delete(y, 3), np.delete(X, 3, axis=0)).fit().params, rtol=1e-12)
    holes[3, 2] = np.inf
    with pytest.raises(NonFiniteError, match="'x2' is infinite"):
        ls.Logit(y, holes)


def test_wrong_arrays():
    y, X = array_data()
    with pytest.raises(DataError, match="has 80 rows and exog has 79"):
        ls.Logit(y, X[:-1])
    with pytest.raises(DataError, match="formula"):
        ls.Logit(y, np.array([["a"], ["b"]] * 40))
    with pytest.raises(DataError, match="no columns"):
        ls.Logit(y, np.empty((80, 0)))
    with pytest.raises(ResponseError, match="0 and 1"):
        ls.Logit(np.arange(80) % 3, X)
    with pytest.raises(TooFewRowsError):
        ls.Logit([0, 1], np.ones((2, 3)))
    with pytest.raises(DataError, match="the model has 3"):
        ls.Logit(y, X).fit().predict(np.ones((2, 5)))


def test_counts_as_two_columns():
    rng = np.random.default_rng(3)
    trials = rng.integers(1, 9, 30)
    k = rng.binomial(trials, 0.4)
    X = sm.add_constant(rng.normal(size=30))
    two = ls.Logit(np.column_stack([k, trials - k]), X).fit()
    theirs = sm.GLM(np.column_stack([k, trials - k]), X, family=sm.families.Binomial()).fit()
    assert_allclose(two.params, theirs.params, rtol=1e-8)
    assert_allclose(two.llf, theirs.llf, rtol=1e-10)
    assert_allclose(ls.Logit(k, X, trials=trials).fit().params, two.params, rtol=1e-12)


def test_subset_as_a_mask_of_the_frame():
    data = DATA.assign(t=DATA["t"].astype("boolean"))
    expected = ls.logit("y ~ a", DATA[DATA["b"] > 5]).fit().params
    for mask in (
        DATA["b"] > 5,
        (DATA["b"] > 5).to_numpy(),
        (DATA["b"] > 5).astype("boolean"),
        (DATA["b"] > 5).tolist(),
    ):
        assert_allclose(ls.logit("y ~ a", data, subset=mask).fit().params, expected)
    with pytest.raises(DataError, match="missing values"):
        ls.logit("y ~ a", data, subset=(DATA["b"] > 5).astype("boolean").mask(DATA.index < 2))
    shuffled = (DATA["b"] > 5).sort_index(ascending=False)
    assert_allclose(ls.logit("y ~ a", DATA, subset=shuffled).fit().params, expected)
    with pytest.raises(DataError, match="index that differs"):
        ls.logit("y ~ a", DATA, subset=shuffled.set_axis(DATA.index + 50))


def test_a_series_of_other_labels_is_not_taken_by_position():
    data = DATA.set_index(np.arange(200) + 50)
    offset = pd.Series(np.linspace(0, 1, 200), index=data.index)
    assert_array_equal(ls.logit("y ~ a", data, offset=offset).design.offset.values, offset)
    assert_array_equal(ls.logit("y ~ a", data, offset=offset.sort_index(ascending=False)).design.offset.values, offset)
    with pytest.raises(WeightError, match="index that differs"):
        ls.logit("y ~ a", DATA, offset=offset)


def test_arrays_of_the_scope_are_data_where_none_are_given():
    y, a = DATA["y"].to_numpy(), DATA["a"].to_numpy()
    assert_array_equal(ls.logit("y ~ a", None).exog[:, 1], a)
    assert len(y) == 200
    with pytest.raises(MissingColumnError, match="no data"):
        ls.logit("nothing ~ here", None)


def test_a_model_without_columns_is_refused():
    with pytest.raises(FormulaError, match="no columns"):
        ls.logit("y ~ 0", DATA)


def test_numbers_spoilt_by_a_text_are_not_taken_for_levels():
    spoilt = DATA.assign(a=[f"{v:.3f}" if i != 17 else "?" for i, v in enumerate(DATA["a"])])
    with pytest.raises(FormulaError, match=r"not a number: '\?'"):
        ls.logit("y ~ a", spoilt)
    with pytest.raises(FormulaError, match="mixed"):
        ls.logit("y ~ a", DATA.assign(a=[1, "x"] * 100))
    # a few codes in text are levels
    assert ls.logit("y ~ i", DATA.assign(i=DATA["i"].astype(str))).exog_names == ["Intercept", "i[T.2]", "i[T.3]"]


def test_a_formula_that_was_read_before_learns_from_its_own_data():
    rng = np.random.default_rng(8)
    first = pd.DataFrame({"y": rng.integers(0, 2, 60), "x": rng.normal(size=60), "k": rng.integers(0, 3, 60)})
    second = pd.DataFrame(
        {"y": rng.integers(0, 2, 60), "x": rng.normal(9, 1, size=60), "k": rng.choice(list("ab"), 60)}
    )
    for formula in ("y ~ center(x) + bs(x, df=4)", "y ~ k + x", "y ~ x", "y ~ x:k"):
        models = [ls.logit(formula, data) for data in (first, second, first)]
        for model, data in zip(models, (first, second, first), strict=True):
            expected = patsy.dmatrix(formula.partition("~")[2], data)
            assert model.exog_names == expected.design_info.column_names
            assert_allclose(model.exog, expected, rtol=1e-13, atol=1e-13)
            # what each has learned is its own, also when it meets data again
            coded, _, _ = model.design.formula.design_matrix(data.iloc[:7])
            assert_allclose(coded, np.asarray(expected)[:7], rtol=1e-13, atol=1e-13)
            again = patsy.build_design_matrices([model.design.formula.info], data.iloc[:7])[0]
            assert_allclose(again, np.asarray(expected)[:7], rtol=1e-13, atol=1e-13)
    with pytest.raises(MissingColumnError, match="did you mean 'xx'"):
        ls.logit("y ~ x", first.rename(columns={"x": "xx"}))
