"""The prediction in SQL, run in DuckDB and SQLite, is the prediction."""

import sqlite3

import numpy as np
import pandas as pd
import pytest

import logit_stats as ls
from logit_stats.errors import NotAvailableError, UnknownOptionError
from logit_stats.report.sql_dialects import DIALECTS

duckdb = pytest.importorskip("duckdb")
BIRTHS = ls.datasets.load("birthwt")
WOMEN = ls.datasets.load("womenlf")
CUTOFF = 25

FORMULAS = [
    "low ~ age + lwt + C(race) + smoke",
    "low ~ ns(age, df=3) * smoke + poly(lwt, 3)",
    "low ~ ns(age, df=2) : ns(lwt, df=2) + ns(age, df=2):C(race)",
    "low ~ standardize(age) + center(lwt) + np.log(lwt) + scale(ftv, ddof=1)",
    "low ~ C(race, Sum) * smoke + C(ht, levels=[0, 1]) * smoke",
    "low ~ C(race, Treatment('other')):age + I(age > CUTOFF)",
    "low ~ I(age - age.mean()) + I((lwt > 120) & ~(age < 30)) + I(lwt**2) + I(lwt**0.5)",
    "low ~ race.str.upper() + age.clip(15, 35) + 0",
    "low ~ (age + lwt + C(race)) ** 2 - age:lwt",
    "low ~ np.where(age > 25, lwt, 100) + age.isin([20, 21]) + Q('lwt'):smoke",
    "low ~ bs(np.log(lwt), knots=[4.8], degree=2) + age // 10 + I(age % 7) + I(lwt / (ftv + 1))",
    "low ~ np.sqrt(lwt) + np.exp(age / 20) + np.maximum(age, 30) + I(-age * (race == 'white'))",
    "low ~ pd.cut(age, [10, 20, 25, 50]) + pd.qcut(lwt, 3)",
    "low ~ C(age > 30) + I(2 < ftv) + I(lwt - 3 * age) + ftv.fillna(1)",
    "low ~ poly(age, 2):C(race) + cr(lwt, df=4, constraints='center')",
    "low ~ yes + age:yes + np.log1p(ftv) + np.square(age - 20)",
]
FRAME = BIRTHS.assign(yes=BIRTHS["smoke"] == 1)


def drawn(frame, seed=1, n=300):
    """Random rows of the same variables, with missing values."""
    rng = np.random.default_rng(seed)
    new = pd.DataFrame({name: rng.choice(frame[name], n) for name in frame.columns}).astype(
        {"age": float, "lwt": float, "ftv": float, "smoke": float}
    )
    new["age"] += rng.uniform(0, 0.9, n) * (new["age"] < 40)
    for name in ("age", "lwt", "ftv", "smoke", "race"):
        new[name] = new[name].astype(object if new[name].dtype == object else new[name].dtype)
        new.loc[rng.random(n) < 0.05, name] = np.nan if new[name].dtype.kind == "f" else None
    return new


def in_duckdb(sql, new):
    return duckdb.sql(f"SELECT {sql} AS p FROM new").df()["p"].to_numpy(np.float64, na_value=np.nan)


def in_sqlite(sql, new):
    with sqlite3.connect(":memory:") as base:
        new.to_sql("new", base, index=False)
        return pd.read_sql(f"SELECT {sql} AS p FROM new", base)["p"].to_numpy(np.float64, na_value=np.nan)


@pytest.mark.parametrize("kind", ["probability", "linear"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_databases_give_the_prediction(formula, kind):
    res = ls.logit(formula, FRAME).fit()
    new = drawn(FRAME)
    wanted = res.predict(new, which="linear" if kind == "linear" else "mean").to_numpy()
    assert 20 < np.isnan(wanted).sum() < 200 or "fillna" in formula
    for dialect, run in (("duckdb", in_duckdb), ("sqlite", in_sqlite)):
        np.testing.assert_allclose(run(res.to_sql(dialect, kind), new), wanted, rtol=1e-9, atol=1e-11)


def test_splines_without_a_constant_beside():
    res = ls.logit("low ~ 0 + cr(lwt, df=4) + cc(age, df=4, constraints='center')", FRAME).fit()
    new = drawn(FRAME)
    new["lwt"] = new["lwt"] * 1.7 - 60
    wanted = res.predict(new).to_numpy()
    for dialect, run in (("duckdb", in_duckdb), ("sqlite", in_sqlite)):
        np.testing.assert_allclose(run(res.to_sql(dialect), new), wanted, rtol=1e-9, atol=1e-12)


def test_columns_left_out_of_splines_are_refused():
    res = ls.logit("low ~ cr(lwt, df=3)", FRAME, check_rank="drop").fit()
    with pytest.raises(NotAvailableError, match="left out"):
        res.to_sql()


def test_beyond_the_knots():
    natural = ls.logit("low ~ ns(age, df=3)", FRAME).fit()
    new = pd.DataFrame({"age": [-50.0, 5.0, 90.0, 300.0]})
    np.testing.assert_allclose(in_duckdb(natural.to_sql(), new), natural.predict(new), rtol=1e-9)
    b = ls.logit("low ~ bs(age, df=4)", FRAME).fit()
    assert np.isnan(in_duckdb(b.to_sql(), new)).all()


def test_unseen_levels_and_missing_values_are_null():
    res = ls.logit("low ~ C(race) + age", FRAME).fit()
    new = pd.DataFrame({"race": ["white", "WHITE", "green", None], "age": [20.0, 20.0, 20.0, 20.0]})
    for dialect, run in (("duckdb", in_duckdb), ("sqlite", in_sqlite)):
        found = run(res.to_sql(dialect), new)
        assert np.isnan(found).tolist() == [False, True, True, True]


@pytest.mark.parametrize("eta", [-1e6, -800.0, -746.0, -36.0, 36.0, 41.0, 800.0, 1e6])
def test_no_linear_predictor_overflows(eta):
    res = ls.logit("low ~ age", FRAME, offset="lwt").fit()
    beta = res.params
    new = pd.DataFrame({"age": [20.0], "lwt": [eta - beta["Intercept"] - 20 * beta["age"]]})
    wanted = res.predict(new)
    for dialect, run in (("duckdb", in_duckdb), ("sqlite", in_sqlite)):
        np.testing.assert_allclose(run(res.to_sql(dialect), new), wanted, rtol=1e-9, atol=1e-300)


def test_several_categories():
    res = ls.mnlogit("partic ~ hincome + children", WOMEN).fit()
    new = WOMEN.assign(hincome=WOMEN["hincome"].where(WOMEN.index % 7 != 0).astype(float) * 1.5)
    new.loc[new.index[1], "hincome"] = 1e5
    for kind, which in (("probability", "mean"), ("linear", "linear")):
        wanted = res.predict(new, which=which)
        for dialect, run in (("duckdb", in_duckdb), ("sqlite", in_sqlite)):
            for label, sql in res.to_sql(dialect, kind).items():
                np.testing.assert_allclose(run(sql, new), wanted[label], rtol=1e-9, atol=1e-280)


@pytest.mark.parametrize("kind", ["cumulative", "adjacent", "continuation"])
def test_ordered_categories(kind):
    levels = ["not_work", "parttime", "fulltime"]
    res = ls.ologit("partic ~ hincome + children", WOMEN, levels=levels, kind=kind, nonparallel=["hincome"]).fit()
    wanted = res.predict(WOMEN)
    for label, sql in res.to_sql("sqlite").items():
        np.testing.assert_allclose(in_sqlite(sql, WOMEN), wanted[label], rtol=1e-9, atol=1e-14)
    assert ls.from_json(res.to_json()).to_sql() == res.to_sql()


@pytest.mark.parametrize("name", ['a "quoted" name', "semi;colon -- x", "it's", "a`b", "a]b", "größe"])
def test_names_and_levels_are_quoted(name):
    levels = ["o'clock", 'say "x"', "back\\slash", "'; DROP TABLE new; --"]
    frame = pd.DataFrame(
        {"y": BIRTHS["low"], name: np.arange(len(BIRTHS)) % 5, "g": np.array(levels)[np.arange(189) % 4]}
    )
    res = ls.logit(f"y ~ Q({name!r}) + C(g)", frame).fit()
    new = frame.drop(columns="y")
    for dialect, run in (("duckdb", in_duckdb), ("sqlite", in_sqlite)):
        np.testing.assert_allclose(run(res.to_sql(dialect), new), res.predict(new), rtol=1e-12)


def test_the_family_and_what_was_carried():
    new = drawn(FRAME)
    for res in (
        ls.logit("low ~ age + C(race)", FRAME).fit_firth(),
        ls.logit("low ~ age + C(race)", FRAME, population_prevalence=0.1).fit(),
        ls.gee("low ~ age + C(race)", FRAME, groups="ftv", corr="independence").fit(),
    ):
        np.testing.assert_allclose(in_duckdb(res.to_sql(), new), res.predict(new), rtol=1e-10)
        assert ls.from_json(res.to_json()).to_sql() == res.to_sql()


def test_cells_without_rows_are_null():
    frame = FRAME[(FRAME["race"] != "black") | (FRAME["smoke"] == 0)].assign(smoke=lambda d: d["smoke"].astype(str))
    res = ls.logit("low ~ C(race) * C(smoke)", frame, check_rank="drop").fit()
    new = pd.DataFrame({"race": ["black", "black", "white"], "smoke": ["1", "0", "1"]})
    found = in_duckdb(res.to_sql(), new)
    assert np.isnan(found).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("formula", "named"),
    [
        ("low ~ te(cr(age, df=3), cr(lwt, df=3)) - 1", "te\\("),
        ("low ~ np.round(age)", "np.round"),
        ("low ~ twice(age)", "twice"),
    ],
)
def test_what_has_no_translation_is_named(formula, named):
    def twice(x):
        return 2 * x

    with pytest.raises(NotAvailableError, match=named):
        ls.logit(formula, FRAME).fit().to_sql()


def test_dialects_write_their_own():
    res = ls.logit("low ~ age + C(race)", FRAME).fit()
    for dialect in DIALECTS:
        sql = res.to_sql(dialect)
        assert sql.count("(") == sql.count(")")
    assert "`age`" in res.to_sql("mysql")
    assert "[age]" in res.to_sql("sqlserver")
    with pytest.raises(UnknownOptionError, match="duckdb"):
        res.to_sql("access")


def test_other_dialects_parse():
    sqlglot = pytest.importorskip("sqlglot")
    res = ls.logit("low ~ ns(age, df=3) + C(race) + I(lwt > 120) + np.log(lwt)", FRAME).fit()
    named = {"sqlserver": "tsql", "mariadb": "mysql"}
    for dialect in DIALECTS:
        sqlglot.parse_one(f"SELECT {res.to_sql(dialect)} AS p FROM t", read=named.get(dialect, dialect))
