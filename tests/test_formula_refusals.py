"""A formula that cannot be coded says which factor, which rows and what to write; no term goes without a word."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import (
    DataError,
    FormulaError,
    MissingColumnError,
    NonFiniteError,
    RankDeficientError,
    TooFewRowsError,
    UnseenLevelError,
)

ROWS = 240


def frame(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "y": rng.integers(0, 2, ROWS),
            "x": rng.normal(size=ROWS),
            "z": rng.uniform(1, 4, ROWS),
            "k": rng.integers(0, 4, ROWS),
            "g": rng.choice(["a", "b", "c"], ROWS),
            "sex": np.where(np.arange(ROWS) % 2, "female", "male"),
            "ans": rng.choice(["ja", "nein", "k.A."], ROWS),
        }
    )


FITS = [
    lambda formula, data, **given: ls.logit(f"y ~ {formula}", data, **given).fit(),
    lambda formula, data, **given: ls.logit(f"y ~ {formula}", data, **given).fit_firth(),
    lambda formula, data, **given: ls.mnlogit(f"ans ~ {formula}", data, **given).fit(),
    lambda formula, data, **given: ls.logit(f"y ~ {formula}", data, **given).fit_regularized(alpha=0.1),
]


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("kind", [str, object, "string", "category"])
def test_a_factor_of_which_missing_rows_leave_one_level_does_not_vanish(fit, kind):
    data = frame()
    data["preg"] = data["x"].where(data["sex"] == "female")
    data["sex"] = data["sex"].astype(kind)
    # levels of a declared category stay, and the columns without rows are named; a penalized fit has an answer for them
    if kind == "category":
        if fit is not FITS[3]:
            with pytest.raises(
                RankDeficientError, match=r"No row used has sex = 'male'; .*remove_unused_categories\(\)"
            ):
                fit("sex + preg", data)
        return
    with pytest.raises(FormulaError) as refused:
        fit("sex + preg", data)
    said = str(refused.value)
    assert "'sex' has only the level 'female' in the rows used" in said
    assert f"The rows of 'male' are left out for missing values (preg {ROWS // 2})" in said


@pytest.mark.parametrize("formula", ["sex + x", "x * sex", "sex:x", "sex + x - 1", "C(sex, Sum)", "C(sex == 'male')"])
def test_a_factor_of_which_a_subset_leaves_one_level_does_not_vanish(formula):
    data = frame()
    with pytest.raises(
        (FormulaError, RankDeficientError), match=r"only the level|True in every row|False in every row"
    ):
        ls.logit(f"y ~ {formula}", data, subset=data["sex"] == "male").fit()


@pytest.mark.parametrize("gone", ["a", "b", "c"])
@pytest.mark.parametrize("coding", ["g", "C(g, Sum)", "C(g, Treatment('b'))", "g * sex"])
def test_an_empty_level_is_named_wherever_it_stands(gone, coding):
    data = frame().assign(g=lambda d: d["g"].astype("category"))
    rest = data[data["g"] != gone]
    with pytest.raises(RankDeficientError) as refused:
        ls.logit(f"y ~ {coding} + x", rest).fit()
    name = coding.partition(" *")[0]
    assert f"No row used has {name} = '{gone}'; df['g'] = df['g'].cat.remove_unused_categories()" in str(refused.value)
    if coding != f"C(g, Treatment('{gone}'))":
        mended = rest.assign(g=rest["g"].cat.remove_unused_categories())
        assert ls.logit(f"y ~ {coding} + x", mended).fit().converged


def test_an_empty_cell_and_a_level_of_the_formula_are_named():
    data = frame()
    with pytest.raises(
        RankDeficientError, match=r"No row used has g = 'b' and sex = 'male': the data say nothing of this cell"
    ):
        ls.logit("y ~ g * sex", data[(data["g"] != "b") | (data["sex"] != "male")]).fit()
    with pytest.raises(RankDeficientError, match=r"= 'd': leave it out of levels="):
        ls.logit("y ~ C(g, levels=['a', 'b', 'c', 'd'])", data).fit()


@pytest.mark.parametrize(
    ("spline", "centred"),
    [
        ("cr(x, df=4)", "cr(x, df=4, constraints='center')"),
        ("cc(x, df=4)", "cc(x, df=4, constraints='center')"),
        ("te(cr(x, df=3), cr(z, df=3))", "te(cr(x, df=3), cr(z, df=3), constraints='center')"),
        ("bs(x, df=5, include_intercept=True)", None),
    ],
)
def test_a_spline_with_a_constant_of_its_own_says_what_works(spline, centred):
    data = frame()
    with pytest.raises(RankDeficientError) as refused:
        ls.logit(f"y ~ {spline}", data).fit()
    assert f"{spline} has a constant of its own" in str(refused.value)
    assert (centred or "leave include_intercept out") in str(refused.value)
    plain = ls.logit(f"y ~ {spline} - 1", data).fit()
    if centred:
        # four columns without the constant are three beside it
        beside = ls.logit(f"y ~ {centred.replace('df=4', 'df=3')}", data).fit()
        assert beside.llf == pytest.approx(plain.llf, rel=1e-9)


def test_a_contrast_that_does_not_fit_names_factor_and_levels():
    with pytest.raises(FormulaError, match=re.escape("C(g, Treatment('Low'))\" does not fit its levels 'a', 'b', 'c'")):
        ls.logit("y ~ C(g, Treatment('Low'))", frame())
    with pytest.raises(FormulaError, match=r"does not fit its levels 0, 1, 2, 3"):
        ls.logit("y ~ C(k, Treatment(9))", frame())


@pytest.mark.parametrize("text", ["y ~ {0} + x", "{0} ~ x"])
def test_a_value_beside_the_levels_asked_for_says_how_to_make_it_missing(text):
    data = frame()
    with pytest.raises(UnseenLevelError) as refused:
        ls.logit(text.format("C(ans, levels=['nein', 'ja'])"), data)
    said = str(refused.value)
    assert "has 'k.A.' in" in said
    assert "make these rows missing" in said
    remedy = said.rpartition(": ")[2].rstrip(".")
    model = ls.logit(text.format(remedy), data)
    assert model.sample.dropped == (data["ans"] == "k.A.").sum()
    made = data.assign(ans=data["ans"].where(data["ans"] != "k.A."))
    assert_allclose(
        model.fit().params, ls.logit(text.format("C(ans, levels=['nein', 'ja'])"), made).fit().params, rtol=1e-12
    )


def test_a_column_with_the_name_of_the_constant():
    data = frame().assign(Intercept=lambda d: d["z"], one=1.0)
    with pytest.raises(FormulaError, match=r"name of the constant .*- 1.*rename"):
        ls.logit("y ~ Intercept + x", data)
    assert_allclose(ls.logit("y ~ Intercept + x - 1", data).fit().params, ls.logit("y ~ z + x - 1", data).fit().params)


def test_identifiers_are_refused_before_their_contrasts_are_built():
    rows = 40_000
    data = pd.DataFrame(
        {"y": np.arange(rows) % 2, "g": [f"id {i}" for i in range(rows)], "h": [f"h{i // 2}" for i in range(rows)]}
    )
    with pytest.raises(TooFewRowsError, match=r"'g' has 40,000 levels, one for every row.*absorb='g'"):
        ls.logit("y ~ g", data)
    with pytest.raises(FormulaError, match=r"'h' has 20,000 levels; their contrasts alone would take 3 GB.*absorb='h'"):
        ls.logit("y ~ h", data)


@pytest.mark.parametrize("size", [1e-308, 1e-310, 1e-320])
@pytest.mark.parametrize("fit", FITS[:3])
def test_subnormal_columns_are_named(fit, size):
    data = frame()
    small = data.assign(small=data["x"] * size)
    with pytest.raises(NonFiniteError, match=r"'small' .*another unit"):
        fit("small", small)
    # as large as it can be with all of its digits
    near = fit("small", data.assign(small=data["x"] * 1e-306))
    assert_allclose(np.ravel(near.tvalues), np.ravel(fit("x", data).tvalues), rtol=1e-8)


@pytest.mark.parametrize("size", [1e-300, 1e-120, 1e120, 1e300])
def test_a_constant_far_from_one_is_named(size):
    data = frame()
    with pytest.raises(NonFiniteError, match=r"constant column 'const' holds .* write 1"):
        ls.Logit(data["y"], pd.DataFrame({"const": size, "x": data["x"]})).fit()
    near = ls.Logit(data["y"], pd.DataFrame({"const": np.sign(size) * 1e90, "x": data["x"]})).fit()
    assert_allclose(near.tvalues, ls.logit("y ~ x", data).fit().tvalues, rtol=1e-9)


def test_new_values_beyond_a_spline_name_row_limits_and_remedy():
    data = frame()
    res = ls.logit("y ~ bs(x, df=5)", data).fit()
    with pytest.raises(FormulaError) as refused:
        res.predict(pd.DataFrame({"x": [0.0, 9.0, -8.0]}, index=["u", "v", "w"]))
    said = str(refused.value)
    low, high = data["x"].min(), data["x"].max()
    assert f"{low:g} to {high:g}" in said
    assert "row v, w; the first is 9" in said
    assert "lower_bound= and upper_bound=" in said
    wide = ls.logit("y ~ bs(x, df=5, lower_bound=-10, upper_bound=10)", data).fit()
    assert np.isfinite(wide.predict({"x": [9.0, -8.0]})).all()


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("bs(x, knots=[99])", "knot values"),
        ("bs(x, df=1)", "too small"),
        ("[x]", "gives a list"),
        ("zip(x, z)", "gives a zip"),
        ("str(1)", "gives '1'"),
        ("I('a')", "gives 'a'"),
        ("(x.max() > 3)", "gives .* for all rows; a term needs one value for each row"),
        ("C(x.max())", "gives .* for all rows"),
        ("np.random.normal(size=240)", "gives other values each time it is evaluated: make the column first"),
        ("np.random.rand(len(x))", "other values each time|another value when other rows"),
        ("x +", r"a term is missing at its end\.$"),
        ("x:::z", r"a term is missing before ':' \(after 'y ~ x:'\)"),
        ("(x", "a bracket is not closed"),
        ("x)", "a bracket is closed that was not opened"),
        ("center(g)", "cannot be evaluated"),
        ("poly(x, 2, raw=TRUE)", "TRUE is R's; write True"),
        ("c.x##c.z", r"write x:z, or x\*z"),
        ("s(x)", r"s is a variable of the program and no function; write ns\(x, df=4\)"),
    ],
)
def test_what_is_no_column_is_said(formula, said):
    s = 3.0
    with pytest.raises(FormulaError, match=said):
        ls.logit(f"y ~ {formula}", frame())
    assert s == 3.0


@pytest.mark.parametrize("name", ["C", "I", "Q", "np", "bs", "center", "pd"])
def test_a_function_is_no_column(name):
    with pytest.raises(MissingColumnError, match=f"'{name}' is a function or module, no column.*the data have y, x"):
        ls.logit(f"y ~ {name}", frame())


@pytest.mark.parametrize("name", ["C", "I", "Q", "np", "bs", "center", "id", "type", "sum"])
def test_columns_with_the_names_of_functions(name):
    data = frame().rename(columns={"x": name})
    expected = ls.logit("y ~ x + I(x**2) + np.abs(x) + C(x > 0)", frame())
    model = ls.logit(f"y ~ {name} + I({name}**2) + np.abs({name}) + C({name} > 0)", data)
    assert_allclose(np.asarray(model.exog), np.asarray(expected.exog), rtol=1e-14)
    res = model.fit()
    assert_allclose(res.predict(data), expected.fit().predict(frame()), rtol=1e-12)
    assert name in res.margins().summary_frame().reset_index()["variable"].tolist()


def test_contradictory_constraints_are_not_called_repeated():
    res = ls.logit("y ~ x + z", frame())
    with pytest.raises(DataError, match=re.escape("'x + z = 1.6' contradicts the ones before it (x = 0.5, z = 1)")):
        res.fit_constrained("x = 0.5, z = 1, x + z = 1.6")
    with pytest.raises(DataError, match=r"combination of the ones before it"):
        res.fit_constrained("x = 0.5, z = 1, x + z = 1.5")
    with pytest.raises(DataError, match=r"contradicts"):
        res.fit().wald_test("x = 0, x = 1")


@pytest.mark.parametrize("odd", ["?", "", "NA", True])
@pytest.mark.parametrize("number", [1.5, 3])
def test_numbers_with_something_else_among_them_are_no_levels(odd, number):
    data = frame()
    data["mixed"] = pd.Series([number, odd, 2.0] * (ROWS // 3), dtype=object)
    with pytest.raises(FormulaError, match=r"'mixed' holds numbers and (texts|other values) mixed"):
        ls.logit("y ~ mixed", data)
    assert len(ls.logit("y ~ C(mixed)", data).exog_names) == 3


def test_the_pictures_of_a_result_are_named_where_they_are_called():
    with pytest.raises(TypeError, match=r"name one: plot\.coefficients"):
        ls.logit("y ~ x", frame()).fit().plot()
