"""A result owns what it needs: what happens to the user's data after the fit changes nothing it says, or is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import logit_stats as ls
from logit_stats.design.borrowed import COPIED
from logit_stats.errors import DataError

N = 300


def make_data():
    rng = np.random.default_rng(4)
    x, z = rng.normal(size=N), rng.normal(size=N)
    return pd.DataFrame(
        {
            "y": (rng.random(N) < 1 / (1 + np.exp(-0.5 * x))).astype(float), "x": x, "z": z,
            "g": np.array(list("abc"))[rng.integers(0, 3, N)], "firm": rng.integers(0, 25, N), "o": rng.normal(size=N),
            "w": rng.integers(1, 4, N),
        },
        index=np.arange(N) + 10,
    )  # fmt: skip


def answers(res):
    """What needs the rows, or columns that the formula did not name."""
    return [
        res.with_cov("cluster", groups="firm").bse, res.with_cov("HC1").bse, res.score_test("z").statistic,
        res.add1("z + o") if hasattr(res, "add1") else None, res.predict(), res.margins("x").summary_frame(),
        res.margins("g").summary_frame(), res.get_influence().cooks_distance, res.resid_dev,
        res.bootstrap(reps=5, seed=1, groups="firm", progress=False).standard_errors, res.model.exog, res.model.endog,
        res.drop1(),
    ]  # fmt: skip


def sort(data):
    data.sort_values("x", inplace=True)


def overwrite(data):
    data["x"] = data["x"].rank()
    data["firm"] = 3
    data["z"] = 0.0


def cells(data):
    data.loc[data.index[:50], ["x", "z", "firm", "y"]] = 1


def forget(data):
    data.drop(columns=["z", "firm", "x"], inplace=True)


def lose_rows(data):
    data.drop(index=data.index[:40], inplace=True)


def relabel(data):
    data.index = data.index[::-1]


# what pandas will take away is what users have: changes in place
@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.parametrize("change", [sort, overwrite, cells, forget, lose_rows, relabel])
def test_a_frame_that_is_changed_in_place(change):
    data = make_data()
    res = ls.logit("y ~ x + g", data, offset="o", freq_weights="w").fit()
    want = answers(ls.logit("y ~ x + g", make_data(), offset="o", freq_weights="w").fit())
    change(data)
    for found, right in zip(answers(res), want, strict=True):
        assert str(found) == str(right)


@pytest.mark.parametrize("kind", ["dict", "polars"])
def test_other_tables_that_are_changed_in_place(kind):
    data = make_data().reset_index(drop=True)
    want = answers(ls.logit("y ~ x + g", data.copy()).fit())
    table = {name: data[name].to_numpy().copy() for name in data} if kind == "dict" else pl.from_pandas(data)
    res = ls.logit("y ~ x + g", table).fit()
    with_z = ls.logit("y ~ x + z + g", table).fit()
    if kind == "dict":
        for name in ("x", "y"):
            table[name][:] = 1.0
        del table["o"]
        # a column that the formula did not name was not copied, and is compared with what it was
        table["z"][:] = 0.5
        with pytest.raises(DataError, match="array of the column 'z' was changed"):
            res.score_test("z")
        right = ls.logit("y ~ x + z + g", data).fit().margins("z").summary_frame()
        assert str(with_z.margins("z").summary_frame()) == str(right)
        assert str(res.margins("x").summary_frame()) == str(want[5])
    else:
        table[0, "x"] = 55.0
        table.drop_in_place("z")
        for found, right in zip(answers(res), want, strict=True):
            assert str(found) == str(right)


def arrays(rows):
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(rows), rng.normal(size=(rows, 2))])
    return (rng.random(rows) < 1 / (1 + np.exp(-X @ [0.1, 0.5, -0.2]))).astype(float), X


ARRAY_ANSWERS = [
    lambda r: r.with_cov("HC1").bse, lambda r: r.predict(which="var"), lambda r: r.get_margeff().summary_frame(),
    lambda r: r.resid_pearson, lambda r: r.score_test(np.arange(len(r.model.endog)) % 7).statistic,
    lambda r: r.model.score(r.params),
]  # fmt: skip


@pytest.mark.parametrize("ask", ARRAY_ANSWERS)
@pytest.mark.parametrize("layout", ["C", "F"])
def test_an_array_that_is_filled_anew(ask, layout):
    y, X = arrays(400)
    X = np.array(X, order=layout)
    weights, offset = np.ones(400), np.linspace(0, 1, 400)
    res = ls.Logit(y, X, freq_weights=weights, offset=offset).fit()
    want = ls.Logit(y.copy(), X.copy(), freq_weights=weights.copy(), offset=offset.copy()).fit()
    right = ask(want)
    for array in (y, X, weights, offset):
        array[:] = array[::-1].copy()
    assert_allclose(np.asarray(ask(res)), np.asarray(right), rtol=1e-13)


CHANGES = {
    "refilled": lambda X: X.__setitem__(
        (slice(None), slice(1, None)), np.random.default_rng(9).normal(size=(len(X), 2))
    ),
    "sorted": lambda X: X.__setitem__(slice(None), X[X[:, 1].argsort()]),
    "reversed": lambda X: X.__setitem__(slice(None), X[::-1].copy()),
    "rolled": lambda X: X.__setitem__(slice(None), np.roll(X, 1, axis=0)),
    "one column": lambda X: X.__setitem__((slice(None), 2), X[:, 2] + 1e-9),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("layout", ["C", "F"])
def test_a_large_array_is_not_copied_and_a_change_of_it_is_refused(change, layout):
    y, X = arrays(COPIED // 3 + 1)
    X = np.array(X, order=layout)
    res = ls.Logit(y, X).fit()
    assert np.shares_memory(res.model.exog, X)
    assert np.isfinite(res.with_cov("HC1").bse).all()
    CHANGES[change](X)
    for ask in (
        lambda: res.with_cov("HC1"),
        res.get_margeff,
        lambda: res.model.exog,
        res.model.fit,
    ):
        with pytest.raises(DataError, match="array given as exog was changed after"):
            ask()
    # what does not need the rows is there
    assert np.isfinite(res.bse).all()
    assert np.isfinite(res.conf_int()).all()


def test_a_large_design_keeps_its_class_where_it_matters():
    y, X = arrays(COPIED // 3 + 1)
    res = ls.Logit(y, X).fit()
    again = pickle.loads(pickle.dumps(res))
    assert_array_equal(again.with_cov("HC1").bse, res.with_cov("HC1").bse)
    gone = res.remove_data()
    assert_array_equal(gone.bse, res.bse)
    right = res.with_cov("HC0").bse
    y[:] = 1 - y
    assert_array_equal(res.with_cov("HC0").bse, right)


def test_rows_left_out_are_copied_anyway():
    y, X = arrays(COPIED // 3 + 1)
    X[5, 1] = np.nan
    res = ls.Logit(y, X, missing="drop").fit()
    right = res.with_cov("HC1").bse
    X[:] = 0.0
    assert_array_equal(res.with_cov("HC1").bse, right)
