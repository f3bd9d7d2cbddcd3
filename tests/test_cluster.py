"""Cluster-robust covariances against sandwich's values and statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from click.testing import CliRunner
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.cli import main
from logit_stats.errors import DataError, MissingColumnError, UnknownOptionError
from logit_stats.inference import row_scores
from tests.cases import in_patsy_order, load_case

CORRECTIONS = {False: "no_correction", "G": "correction_G", True: "correction_G_and_k"}
CASES = [
    ("ohio_clusters_gee", "id", "cluster_robust"),
    ("verbagg_two_way_clusters", "person", "cluster_robust"),
    ("verbagg_two_way_clusters", "item", "cluster_robust_item"),
    ("bcg_rare_grouped", "study", "cluster_robust"),
]


def fitted(name: str):
    case = load_case(name)
    formula, arguments = case.model_arguments()
    return case, ls.logit(formula, case.data, **arguments).fit()


@pytest.mark.parametrize("correction", CORRECTIONS)
@pytest.mark.parametrize(("name", "column", "key"), CASES)
def test_reference_values(name, column, key, correction):
    case, res = fitted(name)
    reference = case.values[key][CORRECTIONS[correction]]
    robust = res.with_cov("cluster", groups=column, use_correction=correction)
    expected = in_patsy_order(reference["vcov"], case.values["names_patsy"], list(res.params.index))
    # where clusters are levels of the model their own scores vanish: those entries are rounding, judged by the largest
    assert_allclose(robust.cov_params(), expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max())
    assert f"{case.values[key]['clusters']} clusters of {column}" in " ".join(robust.summary_notes())


@pytest.mark.parametrize(("correction", "key"), [(False, "no_correction"), ("G", "each_part_times_G_over_G_minus_1")])
def test_two_way(correction, key):
    case, res = fitted("verbagg_two_way_clusters")
    robust = res.with_cov("cluster", groups=["person", "item"], use_correction=correction)
    reference = case.values["two_way_person_item"][key]
    expected = in_patsy_order(reference["vcov"], case.values["names_patsy"], list(res.params.index))
    assert_allclose(robust.cov_params(), expected, rtol=1e-7, atol=1e-10)
    array = case.data[["person", "item"]].to_numpy()
    assert_allclose(res.with_cov("cluster", groups=array, use_correction=correction).bse, robust.bse, rtol=1e-12)


def test_as_statsmodels_and_through_everything_after_it():
    case, res = fitted("ohio_clusters_gee")
    theirs = smf.logit("resp ~ age * smoke", case.data).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": case.data["id"]}
    )
    ours = ls.logit("resp ~ age * smoke", case.data).fit(cov_type="cluster", cov_kwds={"groups": "id"})
    assert_allclose(ours.bse, theirs.bse, rtol=1e-8)
    assert_allclose(ours.get_margeff().margeff_se, theirs.get_margeff().margeff_se, rtol=1e-6)
    assert "Covariance Type:              cluster" in ours.summary(clock=False).as_text()
    assert ours.margins("age").cov_type == "cluster"
    assert not np.allclose(ours.get_prediction().se, res.get_prediction().se)


def test_rows_dropped_from_the_fit_are_dropped_from_the_clusters():
    data = load_case("ohio_clusters_gee").data
    holes = data.assign(age=data["age"].where(data.index % 7 != 0))
    expected = ls.logit("resp ~ age", holes.dropna()).fit().with_cov("cluster", groups="id")
    for groups in ("id", holes["id"], holes["id"].to_numpy(), holes["id"].to_numpy()[holes["age"].notna()]):
        assert_allclose(
            ls.logit("resp ~ age", holes).fit().with_cov("cluster", groups=groups).bse, expected.bse, rtol=1e-12
        )


def test_frequency_weights_equal_repeated_rows():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"x": rng.normal(size=90), "g": rng.integers(0, 20, 90), "f": rng.integers(1, 4, 90)})
    data["y"] = (rng.random(90) < 0.5).astype(int)
    weighted = ls.logit("y ~ x", data, freq_weights="f").fit().with_cov("cluster", groups="g")
    repeated = ls.logit("y ~ x", data.loc[data.index.repeat(data["f"])]).fit().with_cov("cluster", groups="g")
    assert_allclose(weighted.bse, repeated.bse, rtol=1e-9)


def test_few_clusters_are_noted_and_nonsense_is_refused():
    _, res = fitted("bcg_rare_grouped")
    few = " ".join(res.with_cov("cluster", groups="study").summary_notes())
    assert "13 clusters of study and 15 coefficients" in few
    _, ohio = fitted("ohio_clusters_gee")
    data = load_case("ohio_clusters_gee").data
    with pytest.raises(DataError, match="needs groups"):
        ohio.with_cov("cluster")
    with pytest.raises(MissingColumnError, match="'idd'"):
        ohio.with_cov("cluster", groups="idd")
    with pytest.raises(DataError, match="single cluster"):
        ohio.with_cov("cluster", groups=np.zeros(len(data)))
    with pytest.raises(DataError, match=r"missing in 2 rows used \(row 0, 1\)"):
        ohio.with_cov("cluster", groups=data["id"].where(data.index > 1))
    with pytest.raises(DataError, match="3 values"):
        ohio.with_cov("cluster", groups=[1, 2, 3])
    with pytest.raises(UnknownOptionError, match="'group'"):
        ohio.with_cov("cluster", group="id")
    with pytest.raises(UnknownOptionError, match="use_correction"):
        ohio.with_cov("cluster", groups="id", use_correction="CR9")


def test_on_the_command_line(tmp_path):
    path = tmp_path / "ohio.csv"
    load_case("ohio_clusters_gee").data.to_csv(path, index=False)
    result = CliRunner().invoke(main, ["fit", str(path), "resp ~ age * smoke", "--cluster", "id", "--crosscheck"])
    assert result.exit_code == 0, result.output
    assert "537 clusters of id" in " ".join(result.output.split())
    assert CliRunner().invoke(main, ["fit", str(path), "resp ~ age", "--cov", "cluster"]).exit_code == 2
    assert CliRunner().invoke(main, ["fit", str(path), "resp ~ age", "--cov", "HC1", "--cluster", "id"]).exit_code == 2


@pytest.mark.parametrize("formula", ["y ~ x + z", "y ~ x + C(level)", "kind ~ x + z"])
def test_sums_of_many_clusters_are_never_all_held_at_once(formula, monkeypatch):
    rng = np.random.default_rng(5)
    n, clusters = 4000, 1500
    data = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "z": rng.normal(size=n),
            "firm": rng.integers(0, clusters, n),
            "level": rng.integers(0, 40, n),
        }
    )
    data["kind"] = np.array(list("abc"))[rng.integers(0, 3, n)]
    data["y"] = (rng.random(n) < 1 / (1 + np.exp(-0.4 * data["x"]))).astype(int)
    # one cluster is larger than what is held at a time
    data.loc[:900, "firm"] = 7
    res = (ls.mnlogit if formula.startswith("kind") else ls.logit)(formula, data).fit()
    want = res.with_cov("cluster", groups="firm").cov_params()
    of_survey = res.with_cov("survey", strata="kind" if "kind" not in formula else None, psu="firm").cov_params()
    monkeypatch.setattr(row_scores, "SUMS", 100 * res.fit_.parameters)
    held = []
    sums_of = row_scores.row_passes.sums_by_code
    monkeypatch.setattr(
        row_scores.row_passes, "sums_by_code", lambda X, c, count, *a: held.append(count) or sums_of(X, c, count, *a)
    )
    assert_allclose(res.with_cov("cluster", groups="firm").cov_params(), want, rtol=1e-11)
    in_parts = res.with_cov("survey", strata="kind" if "kind" not in formula else None, psu="firm").cov_params()
    assert_allclose(in_parts, of_survey, rtol=1e-10)
    assert max(held) <= 100
    monkeypatch.undo()
    if not formula.startswith("kind"):
        scores = res.model.score_obs(res.params)
        sums = pd.DataFrame(scores).groupby(data["firm"].to_numpy()).sum().to_numpy()
        bread, count = np.linalg.inv(res.model.information(res.params)), len(sums)
        factor = count / (count - 1) * (n - 1) / (n - scores.shape[1])
        by_hand = factor * bread @ sums.T @ sums @ bread
        assert_allclose(want, by_hand, rtol=1e-8, atol=1e-10)
