"""Rows out of memory: the same answers as in memory, the same bits however files are cut, and files that are damaged."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import logit_stats as ls
from logit_stats.design import stream
from logit_stats.errors import (
    DataError,
    FormulaError,
    MissingColumnError,
    MissingDataError,
    NoRowsError,
    NotAvailableError,
    OneClassError,
    RankDeficientError,
    ResponseError,
    SeparationError,
)

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

ROWS = 6000


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks so small that a test has many."""
    monkeypatch.setattr(stream, "BLOCK_ROWS", 512)


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    n = ROWS
    frame = pd.DataFrame({
        "x": rng.normal(size=n),
        "z": rng.gamma(2.0, size=n) + 1000.0,
        "g": rng.choice(list("abcdef"), n),
        "year": rng.integers(2000, 2005, n),
        "w": rng.integers(0, 4, n).astype(float),
        "off": rng.normal(size=n) * 0.3,
        "id": rng.integers(0, 300, n),
        "unused": rng.normal(size=n),
    })  # fmt: skip
    eta = 0.5 * frame.x - 0.2 * (frame.z - 1002.0) + 0.4 * (frame.g == "c") - 0.7 + frame.off
    frame["y"] = (rng.random(n) < 1.0 / (1.0 + np.exp(-eta))).astype(int)
    frame["m"] = rng.integers(0, 6, n)
    frame["s"] = rng.binomial(frame.m, 1.0 / (1.0 + np.exp(-eta)))
    frame["answer"] = np.where(frame.y == 1, "yes", "no")
    frame.loc[rng.random(n) < 0.03, "x"] = np.nan
    frame.loc[rng.random(n) < 0.02, "g"] = None
    return frame


def folder_of(frame: pd.DataFrame, path: Path, files: int = 3, group: int = 700) -> Path:
    path.mkdir(exist_ok=True)
    for number, part in enumerate(np.array_split(np.arange(len(frame)), files)):
        frame.iloc[part].to_parquet(path / f"part-{number:03d}.parquet", row_group_size=group, index=False)
    return path


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory) -> Path:
    return folder_of(data, tmp_path_factory.mktemp("rows"))


def close(out, inside) -> None:
    """Coefficients within 1e-9 standard errors, standard errors within 1e-9, the same account of rows."""
    assert list(out.params.index) == list(inside.params.index)
    assert np.max(np.abs(out.params - inside.params) / inside.bse) < 1e-9
    np.testing.assert_allclose(out.bse, inside.bse, rtol=1e-9)
    np.testing.assert_allclose([out.llf, out.llnull], [inside.llf, inside.llnull], rtol=1e-12)
    assert out.sample_line() == inside.sample_line()
    assert (out.nobs, out.df_model, out.df_resid) == (inside.nobs, inside.df_model, inside.df_resid)


FORMULAS = [
    ("y ~ x + C(g)", {}),
    ("y ~ x * z + g", {}),
    ("y ~ center(z) + standardize(x) + C(year)", {}),
    ("y ~ bs(x, df=4) + ns(z, df=3)", {}),
    ("y ~ np.log(z) + I(x > 0) + pd.cut(x, [-9, -1, 1, 9])", {}),
    ("y ~ 0 + C(g) + x", {}),
    ("y ~ x", {"offset": "off"}),
    ("y ~ x + g", {"freq_weights": "w"}),
    ("y ~ x + g", {"sampling_weights": "w"}),
    ("answer ~ x + g", {}),
    ("s ~ x + g", {"trials": "m"}),
    ("s + I(m - s) ~ x", {}),
    ("y ~ 1", {}),
    ("y ~ C(id) + x", {}),
]


@pytest.mark.parametrize(("formula", "settings"), FORMULAS)
def test_answers_are_those_in_memory(data, folder, formula, settings):
    close(ls.logit(formula, folder, **settings).fit(), ls.logit(formula, data, **settings).fit())


def test_whatever_names_files_is_a_source(data, folder):
    import pyarrow.dataset as pads

    inside = ls.logit("y ~ x + g", data).fit()
    files = sorted(folder.iterdir())
    sources = [
        str(folder), folder, f"{folder}/*.parquet", [str(file) for file in files], tuple(files), folder.as_uri(),
        pads.dataset(folder), ls.scan(folder), ls.scan(files, verify=False),
    ]  # fmt: skip
    for source in sources:
        close(ls.logit("y ~ x + g", source).fit(), inside)


@pytest.mark.parametrize("seed", range(6))
def test_any_cut_gives_the_same_bits(data, folder, tmp_path, seed):
    """Files, row groups, empty row groups, engines: nothing changes a bit."""
    rng = np.random.default_rng(seed)
    formula = "y ~ x + center(z) + C(g)"
    one = ls.logit(formula, folder).fit()
    ends = np.sort(rng.choice(np.arange(1, ROWS), size=rng.integers(0, 12), replace=False))
    table = pa.Table.from_pandas(data, preserve_index=False)
    for number, (start, stop) in enumerate(zip([0, *ends], [*ends, ROWS], strict=True)):
        part = table.slice(start, stop - start)
        with pq.ParquetWriter(tmp_path / f"p{number:02d}.parquet", table.schema) as writer:
            writer.write_table(part, row_group_size=int(rng.integers(1, 2000)))
            if rng.random() < 0.3:
                writer.write_table(table.slice(0, 0))
    with ThreadPoolExecutor(int(rng.integers(1, 5))) as pool:
        other = ls.logit(formula, ls.scan(tmp_path, engine=pool)).fit()
        assert (other.params == one.params).all()
        assert (other.bse == one.bse).all()
        assert other.llf == one.llf
        assert other.sample_line() == one.sample_line()
        for cov in ("HC3", "HC0"):
            assert (other.with_cov(cov).bse == one.with_cov(cov).bse).all()
        assert (other.with_cov("cluster", groups="id").bse == one.with_cov("cluster", groups="id").bse).all()


def test_a_sequential_source_gives_the_same_bits(data, folder, tmp_path):
    import pyarrow.dataset as pads

    one = ls.logit("y ~ x + C(g)", folder).fit()
    for source in (pads.dataset(folder), pads.dataset(pa.Table.from_pandas(data, preserve_index=False))):
        other = ls.logit("y ~ x + C(g)", source).fit()
        assert (other.params == one.params).all()
        assert (other.bse == one.bse).all()


def test_other_processes_give_the_same_bits(folder):
    one = ls.logit("y ~ x + center(z) + C(g)", folder).fit()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        other = ls.logit("y ~ x + center(z) + C(g)", ls.scan(folder, engine=pool)).fit()
        assert (other.params == one.params).all()
        assert (other.bse == one.bse).all()
        assert (other.with_cov("HC2").bse == one.with_cov("HC2").bse).all()


def test_a_dask_cluster_gives_the_same_bits_and_outlives_a_worker(folder):
    distributed = pytest.importorskip("distributed")
    one = ls.logit("y ~ x + center(z) + C(g)", folder).fit()
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    )
    with cluster, distributed.Client(cluster) as client:
        model = ls.logit("y ~ x + center(z) + C(g)", ls.scan(folder, engine=client))
        victim = next(iter(cluster.workers.values()))
        os.kill(victim.pid, signal.SIGKILL)
        other = model.fit()
    assert (other.params == one.params).all()
    assert (other.bse == one.bse).all()


def test_csv_and_arrow_files(data, tmp_path):
    import pyarrow.feather as feather

    inside = ls.logit("y ~ x + g", data).fit()
    data.to_csv(tmp_path / "rows.csv", index=False)
    feather.write_feather(pa.Table.from_pandas(data, preserve_index=False), tmp_path / "rows.feather")
    close(ls.logit("y ~ x + g", tmp_path / "rows.csv").fit(), inside)
    close(ls.logit("y ~ x + g", tmp_path / "rows.feather").fit(), inside)


def test_plans_of_engines(data, folder):
    inside = ls.logit("y ~ x + g", data).fit()
    polars = pytest.importorskip("polars")
    close(ls.logit("y ~ x + g", ls.scan(polars.scan_parquet(folder / "*.parquet"))).fit(), inside)
    duckdb = pytest.importorskip("duckdb")
    close(ls.logit("y ~ x + g", ls.scan(duckdb.sql(f"select * from '{folder}/*.parquet'"))).fit(), inside)


def test_only_the_columns_of_the_formula_are_read(folder):
    model = ls.logit("y ~ x + np.log(z)", folder, offset="off")
    assert sorted(model.design.stream.source.columns_read) == ["off", "x", "y", "z"]


def test_passes_are_few(folder):
    model = ls.logit("y ~ x + z", folder)
    model.fit()
    assert model.design.stream.passes.count("discovery") == 1
    assert len(model.design.stream.passes) <= 1 + 4


# One more pass.


@pytest.mark.parametrize("settings", [{}, {"freq_weights": "w"}, {"sampling_weights": "w"}, {"trials": "m"}])
def test_covariances(data, folder, settings):
    formula = "s ~ x + g" if "trials" in settings else "y ~ x + g"
    out, inside = ls.logit(formula, folder, **settings).fit(), ls.logit(formula, data, **settings).fit()
    kinds = ["HC0", "HC1", "HC2", "HC3", "quasi"] + (["survey"] if "sampling_weights" in settings else ["opg"])
    for kind in kinds:
        np.testing.assert_allclose(out.with_cov(kind).cov_params(), inside.with_cov(kind).cov_params(), rtol=1e-8)
        np.testing.assert_allclose(out.with_cov(kind).pvalues, inside.with_cov(kind).pvalues, rtol=1e-8)
    for groups, correction in (("id", True), ("id", "G"), (["id", "year"], False)):
        one, other = (r.with_cov("cluster", groups=groups, use_correction=correction) for r in (out, inside))
        np.testing.assert_allclose(one.bse, other.bse, rtol=1e-9)
        assert one.covariance_.description == other.covariance_.description
        assert one.covariance_.notes == other.covariance_.notes


def test_clusters_that_do_not_fit_are_summed_in_several_passes(data, folder):
    out = ls.logit("y ~ x + g", ls.scan(folder, memory=20_000)).fit()
    inside = ls.logit("y ~ x + g", data).fit()
    passes = out.model.design.stream.passes
    before = len(passes)
    np.testing.assert_allclose(
        out.with_cov("cluster", groups="id").bse, inside.with_cov("cluster", groups="id").bse, rtol=1e-9
    )
    assert len(passes) - before > 4


@pytest.mark.parametrize("settings", [{}, {"freq_weights": "w"}, {"trials": "m"}])
def test_statistics(data, folder, settings):
    formula = "s ~ x + g" if "trials" in settings else "y ~ x + g"
    out, inside = ls.logit(formula, folder, **settings).fit(), ls.logit(formula, data, **settings).fit()
    for one, other in zip(out.glance().iloc[0], inside.glance().iloc[0], strict=True):
        assert one == other or abs(one - other) <= 1e-10 * abs(other)
    np.testing.assert_allclose(out.pseudo_rsquared("all"), inside.pseudo_rsquared("all"), rtol=1e-9)
    np.testing.assert_allclose(out.pearson_chi2, inside.pearson_chi2, rtol=1e-10)
    np.testing.assert_allclose(out.pred_table(0.3), inside.pred_table(0.3))
    one, other = out.average_prediction(), inside.average_prediction()
    np.testing.assert_allclose([one.estimate, one.std_error], [other.estimate, other.std_error], rtol=1e-9)


@pytest.mark.parametrize("settings", [{}, {"freq_weights": "w"}, {"trials": "m"}, {"offset": "off"}])
def test_effects(data, folder, settings):
    formula = ("s" if "trials" in settings else "y") + " ~ x * z + C(g) + np.log(z)"
    out, inside = ls.logit(formula, folder, **settings).fit(), ls.logit(formula, data, **settings).fit()
    asked = [
        {}, {"method": "eyex", "variables": ["x", "z"]}, {"variables": "g", "comparison": "ratio"},
        {"variables": "x", "at": {"z": [1000.0, 1002.0], "g": "c"}}, {"variables": "z", "changes": [1000.0, 1001.0]},
    ]  # fmt: skip
    for question in asked:
        one, other = out.margins(**question), inside.margins(**question)
        assert one.frame.iloc[:, :2].equals(other.frame.iloc[:, :2])
        numbers = ["estimate", "std_error", "conf_low", "conf_high"]
        np.testing.assert_allclose(one.frame[numbers], other.frame[numbers], rtol=1e-7, atol=1e-12)
    for question in ({}, {"method": "eyex"}, {"dummy": True}, {"at": "zero"}, {"atexog": {1: 0.5}}):
        one, other = out.get_margeff(**question), inside.get_margeff(**question)
        np.testing.assert_allclose(one.summary_frame(), other.summary_frame(), rtol=1e-7, atol=1e-12)
    one, other = out.means("g").summary_frame(), inside.means("g").summary_frame()
    np.testing.assert_allclose(one.iloc[:, 1:], other.iloc[:, 1:], rtol=1e-9)


def test_effects_over_a_column_that_the_formula_does_not_read(data, folder):
    out = ls.logit("y ~ x + g", folder).fit().margins("x", over="year")
    inside = ls.logit("y ~ x + g", data).fit().margins("x", over="year")
    assert out.frame["year"].tolist() == inside.frame["year"].tolist()
    np.testing.assert_allclose(out.frame["estimate"], inside.frame["estimate"], rtol=1e-9)
    np.testing.assert_allclose(out.frame["std_error"], inside.frame["std_error"], rtol=1e-7)
    with pytest.raises(NotAvailableError, match=r"at='mean'.*out of memory"):
        ls.logit("y ~ x + g", folder).fit().margins(at="mean")


def test_ranking_says_its_bound(data, folder):
    out, inside = ls.logit("y ~ x + g", folder).fit(), ls.logit("y ~ x + g", data).fit()
    bound = out._scores.bound
    assert 0.0 < bound < 1e-4
    assert abs(out.roc().auc - inside.roc().auc) <= bound
    assert f"{bound:.1e}" in " ".join(str(out.roc()).split())
    np.testing.assert_allclose(out.roc().se, inside.roc().se, rtol=1e-3)
    np.testing.assert_allclose(out.calibration().slope, inside.calibration().slope, rtol=1e-6)
    np.testing.assert_allclose(out.calibration().brier, inside.calibration().brier, rtol=1e-6)


def test_nested_models(data, folder):
    out, inside = ls.logit("y ~ x + z + C(g)", folder).fit(), ls.logit("y ~ x + z + C(g)", data).fit()
    small, small_inside = ls.logit("y ~ x + C(g)", folder).fit(), ls.logit("y ~ x + C(g)", data).fit()
    np.testing.assert_allclose(out.lr_test(small).statistic, inside.lr_test(small_inside).statistic, rtol=1e-9)
    for type_ in (1, 2):
        np.testing.assert_allclose(out.anova(type=type_).frame, inside.anova(type=type_).frame, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(out.drop1().frame, inside.drop1().frame, rtol=1e-9)
    np.testing.assert_allclose(
        out.conf_int(method="profile").loc["x"], inside.conf_int(method="profile").loc["x"], rtol=1e-8
    )
    with pytest.raises(DataError, match="different"):
        out.lr_test(ls.logit("y ~ off", folder).fit())


def test_new_data_and_reports(data, folder, tmp_path):
    out, inside = ls.logit("y ~ center(z) + C(g)", folder).fit(), ls.logit("y ~ center(z) + C(g)", data).fit()
    new = data.head(20)
    np.testing.assert_allclose(out.predict(new), inside.predict(new), rtol=1e-11)
    pd.testing.assert_frame_equal(out.get_prediction(new).summary_frame(), inside.get_prediction(new).summary_frame())
    pd.testing.assert_frame_equal(out.tidy(), inside.tidy())
    assert "Rows out of memory" in str(out.summary())
    np.testing.assert_allclose(out.wald_test("center(z) = 0").statistic, inside.wald_test("center(z) = 0").statistic)
    out.save(tmp_path / "result.pickle")
    again = ls.load(tmp_path / "result.pickle")
    np.testing.assert_array_equal(again.params, out.params)
    np.testing.assert_array_equal(again.with_cov("HC3").bse, out.with_cov("HC3").bse)


def test_rows_are_written(data, folder, tmp_path):
    out, inside = ls.logit("y ~ x + g", folder).fit(), ls.logit("y ~ x + g", data).fit()
    written = pd.read_parquet(out.augment(to=tmp_path / "out.parquet"))
    expected = inside.augment(data)
    assert len(written) == len(data)
    np.testing.assert_array_equal(written[".row"], np.arange(len(data)))
    for name in (".fitted", ".prob", ".resid", ".resid_pearson"):
        np.testing.assert_allclose(written[name], expected[name], rtol=1e-9, atol=1e-11)
    with pytest.raises(DataError, match="one of the files that are read"):
        out.augment(to=next(folder.iterdir()))


@pytest.mark.parametrize(
    "ask",
    [
        lambda r: r.fittedvalues, lambda r: r.predict(), lambda r: r.resid_dev, lambda r: r.augment(),
        lambda r: r.get_influence(), lambda r: r.bootstrap(), lambda r: r.crosscheck(), lambda r: r.gof(),
        lambda r: r.with_cov("HAC", maxlags=1), lambda r: r.with_cov("bootstrap"),
        lambda r: r.with_cov("cluster", groups="id", use_correction="CR2"), lambda r: r.optimism(),
        lambda r: r.model.fit(method="bfgs"), lambda r: r.model.fit_firth(), lambda r: r.model.exog,
        lambda r: r.fragility(), lambda r: r.link_test(), lambda r: r.model.fit_limit(), lambda r: r.model.separation(),
        lambda r: r.model.fit_constrained("x = 0"), lambda r: r.model.fit_regularized(alpha=0.1),
    ],
)  # fmt: skip
def test_what_needs_all_rows_says_what_would_do(folder, ask):
    with pytest.raises(NotAvailableError, match="out of memory") as caught:
        ask(ls.logit("y ~ x", folder).fit())
    assert any(
        word in str(caught.value) for word in ("augment(to=", "fit a part", "with_cov", "use ", "new data", "take ")
    )


# Rows counted as patterns.


@pytest.mark.parametrize("compress", [True, "auto"])
def test_few_different_rows_are_counted(data, tmp_path, compress, monkeypatch):
    monkeypatch.setattr(stream, "BLOCK_ROWS", 2048)
    frame = pd.concat([data] * 4, ignore_index=True)
    frame["x"] = (frame.x > 0).where(frame.x.notna()).astype(float)
    folder_of(frame[["y", "x", "year", "id"]], tmp_path)
    formula = "y ~ x" if compress == "auto" else "y ~ x + C(year)"
    out = ls.logit(formula, ls.scan(tmp_path, compress=compress)).fit()
    inside = ls.logit(formula, frame).fit()
    close(out, inside)
    assert out.model.design.patterns[0] == len(frame)
    assert "counted as" in " ".join(str(out.summary()).split())
    assert "Frequency weights:" not in str(out.summary())
    for kind in ("HC0", "HC1", "HC2", "HC3", "opg"):
        np.testing.assert_allclose(out.with_cov(kind).bse, inside.with_cov(kind).bse, rtol=1e-9)
    np.testing.assert_allclose(out.roc().auc, inside.roc().auc, rtol=1e-9)
    np.testing.assert_allclose(out.margins().frame["std_error"], inside.margins().frame["std_error"], rtol=1e-8)
    np.testing.assert_allclose(out.anova(type=2).frame, inside.anova(type=2).frame, rtol=1e-7)
    with pytest.raises(NotAvailableError, match="compress=False"):
        out.with_cov("cluster", groups="id")
    with pytest.raises(NotAvailableError, match="compress=False"):
        out.augment(to=tmp_path / "rows.parquet")


def test_rows_that_differ_stay_rows(folder):
    assert ls.logit("y ~ x", folder).design.patterns is None
    assert ls.logit("y ~ 1", ls.scan(folder, compress=False)).design.patterns is None


# What is refused at the door.


@pytest.mark.parametrize("argument", ["offset", "freq_weights", "sampling_weights", "trials"])
def test_arrays_beside_files_are_refused(data, folder, argument):
    with pytest.raises(DataError, match=f"{argument}=.*name of a column"):
        ls.logit("y ~ x", folder, **{argument: np.ones(len(data))})


def test_arrays_of_groups_and_subsets_are_refused(data, folder):
    with pytest.raises(DataError, match="subset="):
        ls.logit("y ~ x", folder, subset=data.x > 0)
    with pytest.raises(DataError, match="name of a column"):
        ls.logit("y ~ x", folder).fit().with_cov("cluster", groups=data.id)
    with pytest.raises(MissingColumnError, match="idd"):
        ls.logit("y ~ x", folder).fit().with_cov("cluster", groups="idd")


def test_bad_formulas_and_responses(data, folder):
    with pytest.raises(MissingColumnError, match="xx"):
        ls.logit("y ~ xx", folder)
    with pytest.raises(FormulaError, match="takes a number from all rows"):
        ls.logit("y ~ I(x - np.mean(x))", folder)
    with pytest.raises(FormulaError, match=r"other rows stand beside it|all rows"):
        ls.logit("y ~ x.rank()", folder)
    with pytest.raises(FormulaError, match="all values of its column at once"):
        ls.logit("y ~ bs(x, df=5)", ls.scan(folder, memory=1000))
    with pytest.raises(ResponseError, match="6 different values"):
        ls.logit("m ~ x", folder)
    with pytest.raises(ResponseError, match="different values"):
        ls.logit("g ~ x", folder)
    with pytest.raises(MissingDataError, match="x in"):
        ls.logit("y ~ x", folder, missing="raise")


def test_one_class_and_no_rows(data, tmp_path):
    folder_of(data.assign(y=1, gone=np.nan), tmp_path)
    with pytest.raises(OneClassError, match="y = 1"):
        ls.logit("y ~ x", tmp_path)
    with pytest.raises(NoRowsError):
        ls.logit("answer ~ gone", tmp_path)


def test_dependent_columns_and_separation(data, tmp_path):
    frame = data.assign(twice=2.0 * data.x + 1.0, sure=np.where(data.y == 1, 1.0, data.x.abs() - 9.0))
    rare = frame.g.where(frame.index % 500 != 3, "rare")
    frame["h"] = rare.where((rare != "rare") | (frame.y == 1), None)
    folder_of(frame, tmp_path)
    with pytest.raises(RankDeficientError, match="twice"):
        ls.logit("y ~ x + twice", tmp_path).fit()
    kept = ls.logit("y ~ x + twice", tmp_path, check_rank="drop").fit()
    close(kept, ls.logit("y ~ x + twice", frame, check_rank="drop").fit())
    with pytest.raises(SeparationError, match="Complete separation"):
        ls.logit("y ~ sure + z", tmp_path).fit()
    with pytest.raises(SeparationError, match=r"Quasi-complete separation.*h\[T.rare\]"):
        ls.logit("y ~ x + h", tmp_path).fit()


# Files that are not what they say.


def test_a_column_absent_in_a_later_file(data, tmp_path):
    folder_of(data, tmp_path)
    data.drop(columns="x").to_parquet(tmp_path / "part-900.parquet")
    with pytest.raises(DataError, match=r"part-900.parquet has no column 'x'"):
        ls.logit("y ~ x", tmp_path)
    ls.logit("y ~ z", tmp_path).fit()


def test_types_that_differ_between_files(data, tmp_path):
    half = len(data) // 2
    whole = data.assign(k=np.arange(len(data)) % 7)
    first, second = whole.iloc[:half], whole.iloc[half:]
    first.astype({"k": "int32"}).to_parquet(tmp_path / "a.parquet", index=False)
    second.assign(k=second.k + 0.5).to_parquet(tmp_path / "b.parquet", index=False)
    joined = pd.concat([first, second.assign(k=second.k + 0.5)])
    close(ls.logit("y ~ k", tmp_path).fit(), ls.logit("y ~ k", joined).fit())
    second.assign(k=second.k.astype(str)).to_parquet(tmp_path / "b.parquet", index=False)
    with pytest.raises(DataError, match=r"b.parquet has the column 'k' as string, and .*a.parquet as int32"):
        ls.logit("y ~ k", tmp_path)


def test_a_level_in_one_file_only(data, tmp_path):
    frame = data.copy()
    frame.loc[frame.index[-40:], "g"] = "zz"
    frame.loc[5, "g"] = "only"
    frame.loc[5, "x"] = np.nan  # in no row that is used: forgotten, as in memory
    folder_of(frame, tmp_path)
    close(ls.logit("y ~ x + C(g)", tmp_path).fit(), ls.logit("y ~ x + C(g)", frame).fit())


def test_truncated_files_are_named(data, tmp_path):
    folder_of(data, tmp_path)
    file = tmp_path / "part-001.parquet"
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"part-001.parquet is damaged, cut off"):
        ls.logit("y ~ x", tmp_path)


def _file_with_bytes_flipped(data, path, checksums):
    table = pa.Table.from_pandas(data[["y", "x"]], preserve_index=False)
    pq.write_table(table, path, compression="none", use_dictionary=False, write_page_checksum=checksums)
    column = pq.ParquetFile(path).metadata.row_group(0).column(1)
    start = column.data_page_offset
    content = bytearray(path.read_bytes())
    at = start + column.total_compressed_size // 2
    at -= at % 8
    for offset in range(at, at + 64):
        content[offset] ^= 0x7F
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("checksums", [True, False])
def test_flipped_bytes_are_found(data, tmp_path, checksums):
    _file_with_bytes_flipped(data.dropna(), tmp_path / "rows.parquet", checksums)
    with pytest.raises(DataError, match=r"rows.parquet, row group 0.*damaged"):
        ls.logit("y ~ x", tmp_path / "rows.parquet").fit()


def test_a_file_rewritten_between_passes(data, tmp_path):
    folder_of(data, tmp_path)
    model = ls.logit("y ~ x", tmp_path)
    file = tmp_path / "part-002.parquet"
    changed = pd.read_parquet(file)
    changed["x"] = -changed["x"]
    changed.to_parquet(file, row_group_size=700, index=False)
    os.utime(file, ns=(1, 1))
    with pytest.raises(DataError, match=r"part-002.parquet was changed while it was read"):
        model.fit()


def test_a_csv_rewritten_between_passes(data, tmp_path):
    file = tmp_path / "rows.csv"
    data.to_csv(file, index=False)
    model = ls.logit("y ~ x", file)
    data.head(1000).to_csv(file, index=False)
    with pytest.raises(DataError, match="was changed while it was read"):
        model.fit()


def test_a_csv_whose_types_change(data, tmp_path):
    file = tmp_path / "rows.csv"
    lines = ["y,k", *(f"{i % 2},{i % 5}" for i in range(400_000)), *(["1,2.5"] * 10)]
    file.write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"rows.csv.*"):
        ls.logit("y ~ k", file)
    assert ls.logit("y ~ k", ls.scan(file, columns={"k": "double"})).fit().nobs == 400_010


def test_no_such_files(tmp_path):
    for path in (tmp_path / "none.parquet", str(tmp_path / "*.parquet")):
        with pytest.raises(DataError, match="There is no file"):
            ls.logit("y ~ x", path)
    (tmp_path / "rows.xyz").write_text("a,b")
    with pytest.raises(DataError, match="of no kind that is known"):
        ls.logit("y ~ x", tmp_path / "rows.xyz")
    (tmp_path / "bad.parquet").write_text("a,b")
    with pytest.raises(DataError, match=r"of several kinds|bad.parquet is damaged"):
        ls.logit("y ~ x", tmp_path / "bad.parquet")
