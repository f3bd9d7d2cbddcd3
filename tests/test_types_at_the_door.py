"""Every kind of column and container is read as what it is, or refused by name with what to do about it."""

from __future__ import annotations

import enum
from datetime import date, time
from decimal import Decimal
from time import perf_counter

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal

import logit_stats as ls
from logit_stats.errors import DataError, FormulaError, MissingDataError, ResponseError, WeightError

N = 60
RNG = np.random.default_rng(1)
X = RNG.normal(size=N).round(2)
Y = (RNG.random(N) < 1 / (1 + np.exp(-X))).astype(int)
DATA = pd.DataFrame({"y": Y, "x": X, "g": list("bac") * 20})
DAYS = pd.Series(pd.date_range("2024-01-01", periods=12).repeat(5))
WANT = ls.logit("y ~ x", DATA).fit().params.to_numpy()
DECIMALS = [Decimal(str(v)) for v in X]
COLUMNS = np.column_stack([np.ones(N), X])


def unaligned(values):
    """The numbers at an odd address, as after a header or in a packed record."""
    values = np.ascontiguousarray(values, dtype=np.float64)
    return np.ndarray(values.shape, np.float64, buffer=bytearray(b"\0" + values.tobytes()), offset=1)


REFUSED = {
    "floats and a text": ([*X[:-1], "?"], r"numbers and texts mixed \(not a number: '\?'\)"),
    "floats and an empty text": ([*X[:-1], ""], "numbers and texts mixed"),
    "floats and a bool": ([*X[:-1], True], "numbers and other values mixed"),
    "decimal comma": ([f"{v:.2f}".replace(".", ",") for v in 10 * X], "numbers written as text.*comma a point"),
    "thousands": ([f"{v:,.2f}" for v in 1000 * (X + 5)], "numbers written as text.*separators of thousands"),
    "percent": ([f"{v:.1f}%" for v in 10 * X], "numbers written as text.*take the sign off"),
    "currency": ([f"€{v:.2f}" for v in 50 + 10 * X], "numbers written as text.*take the sign off"),
    "measurements as text": ([f"{v:.2f}" for v in X], "numbers written as text.*pd.to_numeric"),
    "ISO dates as text": (DAYS.dt.strftime("%Y-%m-%d").tolist(), "dates written as text"),
    "dates and times as text": (DAYS.dt.strftime("%Y-%m-%d 12:30").tolist(), "dates written as text"),
    "German dates as text": (DAYS.dt.strftime("%d.%m.%Y").tolist(), "dates written as text"),
    "datetime64": (DAYS, "holds dates"),
    "tz-aware": (DAYS.dt.tz_localize("Europe/Berlin"), "holds dates"),
    "period": (DAYS.dt.to_period("D"), "holds periods"),
    "date objects": (list(DAYS.dt.date), "holds dates"),
    "time objects": ([time(h % 24) for h in range(N)], "holds times of day"),
    "Arrow timestamp": (DAYS.astype("timestamp[us][pyarrow]"), "holds dates"),
    "Arrow date32": (pd.Series(list(DAYS.dt.date)).astype(pd.ArrowDtype(pa.date32())), "holds dates"),
    "Arrow duration": ((DAYS - DAYS[0]).astype(pd.ArrowDtype(pa.duration("s"))), "holds durations"),
    "timedelta64": (DAYS - DAYS[0], "holds durations"),
    "timedelta64 with NaT": ((DAYS - DAYS[0]).where(DAYS.index > 4), "holds durations"),
    "complex": (X + 0j, "complex numbers"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_columns_that_are_refused_by_name(kind):
    values, said = REFUSED[kind]
    data = DATA.assign(k=values)
    for formula in ("y ~ k", "y ~ x + k:x"):
        with pytest.raises(FormulaError, match=f"'k' (?:holds|gives) .*{said.removeprefix('holds ')}"):
            ls.logit(formula, data)
    with pytest.raises(FormulaError, match="'k'"):
        ls.mnlogit("g ~ k", data)
    # as a response, and in an array, too
    for ask in (
        lambda: ls.logit("k ~ x", data),
        lambda: ls.mnlogit("k ~ x", data),
        lambda: ls.MNLogit(data["k"], COLUMNS),
    ):
        with pytest.raises(DataError):
            ask()
    with pytest.raises(DataError, match=r"C\(k\)"):
        ls.Logit(DATA["y"], data[["x", "k"]])
    if kind not in ("measurements as text", "floats and a bool"):
        # numbers in text, and True for 1, have one meaning where numbers are due
        with pytest.raises(DataError):
            ls.logit("y ~ x", data, offset="k")


def test_durations_of_every_container_are_refused():
    stay = DAYS - DAYS[0]
    tables = [
        {"y": Y, "k": stay.to_numpy()}, pl.DataFrame({"y": Y, "k": stay.to_numpy()}),
        pa.table({"y": Y, "k": pa.array(stay)}), DATA.assign(k=stay),
    ]  # fmt: skip
    for table in tables:
        with pytest.raises(FormulaError, match="'k' holds durations"):
            ls.logit("y ~ k", table)
    leaving = DATA.assign(left=DAYS, came=DAYS[0])
    with pytest.raises(FormulaError, match=r"'I\(left - came\)' holds durations"):
        ls.logit("y ~ I(left - came)", leaving)
    assert ls.logit("y ~ I((left - came).dt.days)", leaving).fit().converged
    with pytest.raises(DataError, match="real numbers"):
        ls.Logit(Y, stay.to_numpy()[:, None])
    with pytest.raises(WeightError, match="does not hold numbers"):
        ls.logit("y ~ x", DATA.assign(w=stay), freq_weights="w")


def test_dates_of_every_container_are_refused():
    dates = list(DAYS.dt.date)
    for table in (pl.DataFrame({"y": Y, "k": dates}), pa.table({"y": Y, "k": pa.array(dates)}), {"y": Y, "k": dates}):
        with pytest.raises(FormulaError, match="'k' holds dates"):
            ls.logit("y ~ k", table)


@pytest.mark.parametrize("values", [["2020", "2021"], ["6%", "7%"], ["1,5", "2,5"], ["2024-01-01", "2024-02-01"]])
def test_a_few_texts_are_levels(values):
    assert len(ls.logit("y ~ k", DATA.assign(k=values * 30)).exog_names) == 2
    codes = [f"{i % 15:05d}" for i in range(N)]
    assert len(ls.logit("y ~ k", DATA.assign(k=codes), check_rank=False).exog_names) == 15


TABLES = {
    "polars Decimal": lambda: pl.DataFrame({"y": Y, "x": DECIMALS}),
    "Arrow decimal": lambda: pa.table({"y": Y, "x": pa.array(DECIMALS)}),
    "pandas Arrow decimal": lambda: DATA.assign(x=pd.Series(DECIMALS).astype(pd.ArrowDtype(pa.decimal128(9, 2)))),
    "Decimal objects": lambda: DATA.assign(x=DECIMALS),
    "record batch": lambda: pa.record_batch({"y": Y, "x": X}),
    "unaligned": lambda: {"y": unaligned(Y), "x": unaligned(X)},
    "lazy": lambda: pl.from_pandas(DATA).lazy(),
    "polars": lambda: pl.from_pandas(DATA),
    "Arrow": lambda: pa.Table.from_pandas(DATA),
    "lists": lambda: {"y": Y.tolist(), "x": X.tolist()},
    "a dict of polars": lambda: {"y": pl.Series(Y), "x": pl.Series(X)},
    "a dict of Arrow": lambda: {"y": pa.array(Y), "x": pa.chunked_array([pa.array(X)])},
    "sparse columns": lambda: DATA.assign(x=pd.arrays.SparseArray(X)),
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
def test_tables_that_are_read(kind):
    res = ls.logit("y ~ x", TABLES[kind]()).fit()
    assert_allclose(res.params, WANT, rtol=1e-10)
    assert_allclose(res.predict(TABLES[kind]()), res.predict(), rtol=1e-10)
    assert_allclose(res.validate(TABLES[kind]()).roc.auc, res.roc().auc, rtol=1e-12)


def test_duckdb_relations():
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    connection.register("people", DATA)
    people = connection.sql('select *, 1.5::decimal(4, 2) as half, \'odd\' as "a "" b" from people')
    res = ls.logit("y ~ x + g", people).fit()
    assert_allclose(res.params, ls.logit("y ~ x + g", DATA).fit().params, rtol=1e-10)
    assert_allclose(res.predict(people), res.predict(), rtol=1e-12)
    # sums are DECIMAL(38, 0) there
    counts = connection.sql("select g, sum(y) as s, sum(1 - y) as f from people group by g order by g")
    assert_allclose(ls.logit("s + f ~ g", counts).fit().params, ls.logit("y ~ g", DATA).fit().params, atol=1e-9)


def test_lazy_frames_are_read_once_for_the_columns_of_the_formula(monkeypatch):
    wide = pl.from_pandas(DATA).with_columns(**{f"z{j}": pl.lit(1.0) for j in range(50)})
    asked = []
    collect = pl.LazyFrame.collect
    monkeypatch.setattr(
        pl.LazyFrame,
        "collect",
        lambda self, *a, **k: asked.append(self.collect_schema().names()) or collect(self, *a, **k),
    )
    res = ls.logit("y ~ x", wide.lazy(), freq_weights="z0").fit()
    assert [sorted(names) for names in asked] == [["x", "y", "z0"]]
    res.predict(wide.lazy())
    assert sorted(asked[-1]) == ["x"]
    # a column wanted later comes with those before, which must be the same
    by_g = res.with_cov("cluster", groups="g").bse
    assert_allclose(by_g, ls.logit("y ~ x", DATA).fit().with_cov("cluster", groups="g").bse, rtol=1e-10)


def test_a_lazy_frame_that_gives_other_rows_the_second_time_is_refused():
    turned = iter([False, True])
    lazy = pl.from_pandas(DATA).lazy().map_batches(lambda df: df.reverse() if next(turned) else df)
    res = ls.logit("y ~ x", lazy).fit()
    with pytest.raises(DataError, match="'g' was not read with the fit"):
        res.with_cov("cluster", groups="g")


@pytest.mark.parametrize("kind", ["polars", "Arrow", "pandas Arrow"])
def test_levels_do_not_depend_on_the_first_row(kind):
    found = []
    for rows in (DATA, DATA.iloc[::-1], DATA.sort_values("g", ascending=False)):
        arrow = pa.array(rows["g"]).dictionary_encode()
        table = {
            "polars": lambda r=rows: pl.from_pandas(r).with_columns(pl.col("g").cast(pl.Categorical)),
            "Arrow": lambda r=rows, a=arrow: pa.table({"y": r["y"], "x": r["x"], "g": a}),
            "pandas Arrow": lambda r=rows: r.assign(
                g=r["g"].astype(pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())))
            ),
        }[kind]()
        assert ls.logit("y ~ g", table).exog_names == ["Intercept", "g[T.b]", "g[T.c]"]
        assert ls.mnlogit("g ~ x", table).categories.labels == ("a", "b", "c")
        two = rows.assign(g=rows["g"].where(rows["g"] != "c", "a"))
        as_kind = pl.from_pandas(two).with_columns(pl.col("g").cast(pl.Categorical)) if kind == "polars" else two
        assert "g = b" in ls.logit("g ~ x", as_kind).design.response.success
        found.append(ls.logit("y ~ g", table).fit().params)
    assert_allclose(found[1:], [found[0]] * 2, atol=1e-12)


def test_declared_orders_are_kept():
    order = ["c", "a", "b"]
    ordered = pa.DictionaryArray.from_arrays(
        pa.array([order.index(g) for g in DATA["g"]]), pa.array(order), ordered=True
    )
    tables = [
        pl.from_pandas(DATA).with_columns(pl.col("g").cast(pl.Enum(order))), DATA.assign(g=pd.Categorical(DATA["g"], order)),
        pa.table({"y": Y, "g": ordered}),
    ]  # fmt: skip
    for table in tables:
        assert ls.logit("y ~ g", table).exog_names == ["Intercept", "g[T.a]", "g[T.b]"]


def test_members_of_an_enum_come_in_the_order_of_their_class():
    size = enum.Enum("size", ["small", "large", "huge"])
    model = ls.logit("y ~ k", DATA.assign(k=[size.huge, size.small, size.large] * 20))
    assert ["large" in model.exog_names[1], "huge" in model.exog_names[2]] == [True, True]
    assert_allclose(
        model.fit().params.iloc[0],
        ls.logit("y ~ C(i, levels=[0, 1, 2])", DATA.assign(i=[2, 0, 1] * 20)).fit().params.iloc[0],
    )


def test_missing_texts_in_a_dict_are_missing():
    holes = {
        "y": Y.tolist(),
        "x": X.tolist(),
        "g": ["a", "b", float("nan")] * 20,
        "r": ["No", "Yes", float("nan")] * 20,
    }
    want = ls.logit("y ~ g", pd.DataFrame(holes))
    model = ls.logit("y ~ g", holes)
    assert model.exog_names == ["Intercept", "g[T.b]"]
    assert (model.sample.dropped_by, model.nobs) == (want.sample.dropped_by, 40)
    assert ls.logit("r ~ x", holes).sample.dropped_by == {"r": 20}
    assert ls.mnlogit("g ~ x", holes).categories.labels == ("a", "b")
    assert ls.MNLogit(holes["g"], COLUMNS, missing="drop").categories.labels == ("a", "b")


def test_masks_are_missing_values():
    mask = np.arange(N) < 3
    masked = np.ma.masked_array(X, mask=mask)
    want = ls.logit("y ~ x", DATA.iloc[3:]).fit().params.to_numpy()
    assert_allclose(ls.logit("y ~ x", {"y": Y, "x": masked}).fit().params, want, rtol=1e-10)
    as_columns = np.ma.column_stack([np.ones(N), masked])
    assert_allclose(ls.Logit(Y, as_columns, missing="drop").fit().params, want, rtol=1e-10)
    with pytest.raises(MissingDataError, match="x1 in 3 rows"):
        ls.Logit(Y, as_columns)
    for endog in (
        np.ma.masked_array(Y, mask=mask),
        np.ma.masked_array(Y > 0, mask=mask),
        np.ma.masked_array(Y.astype(str), mask=mask),
    ):
        assert_allclose(ls.Logit(endog, COLUMNS, missing="drop").fit().params, want, rtol=1e-10)
        assert ls.MNLogit(endog, COLUMNS, missing="drop").nobs == N - 3
    weights = np.ma.masked_array(np.ones(N), mask=mask)
    assert_allclose(ls.Logit(Y, COLUMNS, freq_weights=weights, missing="drop").fit().params, want, rtol=1e-10)


def test_unaligned_arrays():
    res = ls.Logit(unaligned(Y), unaligned(COLUMNS), offset=unaligned(X * 0)).fit()
    assert_allclose(res.params, WANT, rtol=1e-10)
    record = np.zeros(N, dtype=[("flag", "u1"), ("x", "f8")])
    record["x"] = X
    right = ls.Logit(Y, np.ones((N, 1)), offset=X).fit().params
    assert_allclose(ls.Logit(Y, np.ones((N, 1)), offset=record["x"]).fit().params, right, rtol=1e-12)


def test_arrays_that_are_refused():
    for given, said in (
        (scipy.sparse.csr_matrix(COLUMNS), "sparse matrix"), (COLUMNS.astype(complex), "complex"), (None, "exog is None"),
        (np.array([["a"]] * N), "formula"), (pd.DataFrame(COLUMNS, columns=["x", "x"]), "more than one column named 'x'"),
        (pd.DataFrame(COLUMNS.astype(complex)), "complex128"),
    ):  # fmt: skip
        for model in (ls.Logit, ls.MNLogit):
            with pytest.raises(DataError, match=said):
                model(Y, given)
    for model in (ls.Logit, ls.MNLogit):
        with pytest.raises(ResponseError, match="endog is None"):
            model(None, COLUMNS)


def test_columns_of_polars_and_arrow_as_arrays():
    frame = pl.DataFrame({"one": np.ones(N), "x": X})
    for exog, endog in ((frame, pl.Series("y", Y)), (frame.to_arrow(), pa.array(Y)), (frame, Y.tolist())):
        res = ls.Logit(endog, exog).fit()
        assert_allclose(res.params, WANT, rtol=1e-10)
        assert res.model.exog_names == ["one", "x"]
        assert_allclose(res.predict(exog), res.predict(), rtol=1e-12)


LABELLED = ls.Logit(DATA["y"], pd.DataFrame({"one": 1.0, "x": X}))


@pytest.mark.parametrize("fit", ["fit", "fit_firth", "fit_limit", "fit_regularized"])
def test_predictions_of_arrays_after_a_labelled_fit(fit):
    res = getattr(LABELLED, fit)()
    want = 1 / (1 + np.exp(-(np.asarray(res.params)[0] + 0.2 * np.asarray(res.params)[1])))
    for exog in ([1, 0.2], np.array([[1, 0.2]]), [[1, 0.2]], pd.Series({"x": 0.2, "one": 1.0})):
        found = res.predict(exog)
        assert isinstance(found, np.ndarray)
        assert_allclose(found, [want])
    same = res.predict(COLUMNS)
    # as many rows as the fit had are not its rows
    assert isinstance(same, np.ndarray)
    assert_allclose(same, res.predict())
    assert res.predict(pd.DataFrame({"one": [1.0], "x": [0.2]}, index=["a"])).index.tolist() == ["a"]


def test_multinomial_predictions_of_arrays_after_a_labelled_fit():
    for res in (
        (model := ls.MNLogit(DATA["g"], pd.DataFrame({"one": 1.0, "x": X}))).fit(),
        model.fit_regularized(alpha=0.01),
    ):
        assert isinstance(res.predict([1, 0.2]), np.ndarray)
        assert res.predict(COLUMNS[:7]).shape == (7, 3)
        assert isinstance(res.predict(COLUMNS), np.ndarray)


def test_one_row():
    res = ls.logit("y ~ x + g", DATA).fit()
    want = res.predict(pd.DataFrame({"x": [0.2], "g": ["b"]}))
    for row in (
        {"x": 0.2, "g": "b"},
        pd.Series({"g": "b", "x": 0.2}),
        {"x": [0.2], "g": "b"},
        pl.DataFrame({"x": [0.2], "g": ["b"]}),
    ):
        assert_allclose(res.predict(row), want)
    assert_allclose(res.predict({"x": [0.2, 0.2], "g": "b"}), [want.iloc[0]] * 2)
    assert_allclose(res.predict(DATA.loc[3]), res.predict().loc[3])
    for nothing in (None, float("nan")):
        assert_array_equal(res.predict(pd.DataFrame({"x": [nothing], "g": ["a"]})), [np.nan])
        assert_array_equal(res.predict({"x": nothing, "g": "a"}), [np.nan])
    assert_allclose(res.predict({"x": True, "g": "a"}), res.predict({"x": 1, "g": "a"}))
    with pytest.raises(DataError, match=r"'x' was a column of numbers at the fit.* it holds '20' \(row 0\), a text"):
        res.predict({"x": "20", "g": "a"})


def test_a_frame_of_very_many_columns_costs_no_more_than_a_narrow_one():
    wide = pd.concat([DATA, pd.DataFrame(np.zeros((N, 20_000)), columns=[f"gene{j}" for j in range(20_000)])], axis=1)
    ls.logit("y ~ x", DATA).fit()
    begun = perf_counter()
    res = ls.logit("y ~ x + gene19999", wide, check_rank="drop").fit()
    res.predict(wide.iloc[:2])
    # counting every name among all names took 4 seconds a call
    assert perf_counter() - begun < 1.5


def test_a_date_object_is_no_number_where_one_is_due():
    res = ls.logit("y ~ x", DATA).fit()
    with pytest.raises(DataError):
        res.predict({"x": date(2024, 1, 1)})
