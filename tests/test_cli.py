"""The command line: what it prints, what it refuses, and with which exit status."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import logit_stats as ls
from logit_stats.cli import main
from tests.cases import FOLDER


def run(*arguments: str):
    return CliRunner().invoke(main, list(arguments))


def test_fits_a_data_set_that_comes_along():
    result = run("fit", "spector", "GRADE ~ GPA + TUCE + PSI", "--crosscheck", "--no-clock")
    assert result.exit_code == 0
    assert "Logit Regression Results" in result.output
    assert "Odds ratios" in result.output
    assert "passed" in result.output
    assert "Date:" not in result.output


def test_json_has_every_digit(tmp_path):
    result = run("fit", "spector", "GRADE ~ GPA + TUCE + PSI", "--json", "-", "--cov", "HC1")
    values = json.loads(result.output)
    res = ls.logit("GRADE ~ GPA + TUCE + PSI", ls.datasets.load("spector")).fit(cov_type="HC1")
    assert values["coefficients"]["params"]["GPA"] == res.params["GPA"]
    assert values["coefficients"]["bse"]["PSI"] == res.bse["PSI"]
    assert values["cov_type"] == "HC1"
    assert values["sample"]["used"] == 32
    path = tmp_path / "out.json"
    assert run("fit", "spector", "GRADE ~ GPA", "--json", str(path)).exit_code == 0
    assert json.loads(path.read_text())["llf"] == ls.logit("GRADE ~ GPA", ls.datasets.load("spector")).fit().llf


def test_json_of_an_empty_cell_is_still_json():
    result = run("fit", "ten_points", "y ~ 1", "--json", "-")
    values = json.loads(result.output)
    assert values["llr_pvalue"] == "NaN"


def test_report_is_one_page_that_reproduces(tmp_path):
    paths = [tmp_path / name for name in ("a.html", "b.html")]
    for path in paths:
        assert run("fit", "titanic", "survived ~ sex * pclass + age", "--report", str(path)).exit_code == 0
    page = paths[0].read_text(encoding="utf-8")
    assert page == paths[1].read_text(encoding="utf-8")
    assert "263 dropped for missing values" in page
    assert "sex[T.male]:pclass[T.2nd]" in page


def test_files_with_weights_offset_and_trials(tmp_path):
    path = tmp_path / "data.csv"
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"x": rng.normal(size=40), "n": rng.integers(1, 9, 40), "o": 0.1, "f": 2})
    frame["k"] = rng.binomial(frame["n"], 0.4)
    frame.to_csv(path, index=False)
    out = run("fit", str(path), "k ~ x", "--trials", "n", "--offset", "o", "--freq-weights", "f", "--json", "-")
    res = ls.logit("k ~ x", frame, trials="n", offset="o", freq_weights="f").fit()
    assert json.loads(out.output)["coefficients"]["params"]["x"] == pytest.approx(res.params["x"], rel=1e-12)
    frame.to_parquet(tmp_path / "data.parquet")
    assert run("fit", str(tmp_path / "data.parquet"), "k ~ x", "--trials", "n").exit_code == 0


REFUSED = [
    (("ten_points_separated", "y ~ x"), "--firth"),
    (("titanic", "survived ~ agee"), "did you mean 'age'"),
    (("nothere.csv", "y ~ x"), "no file"),
    (("nothere", "y ~ x"), "ten_points"),
    (("titanic", "survived ~ age", "--missing", "raise"), "263 rows"),
    (("titanic", "survived"), "no response"),
    (("spector", "GPA ~ PSI"), "needs 0 and 1"),
    (("spector", "GRADE ~ GPA", "--offset", "nope"), "'nope'"),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSED, ids=lambda v: " ".join(v) if isinstance(v, tuple) else "")
def test_a_refused_fit_is_one_line_and_status_1(arguments, said):
    result = run("fit", *arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


FILES = {
    "empty.csv": (b"", "is empty"),
    "latin1.csv": ("y,größe\n1,2\n0,1\n".encode("latin-1"), "--encoding"),
    "semicolons.csv": (b"y;x\n1;2\n0;1,5\n", '--sep ";" --decimal ","'),
    "tabs.csv": (b"y\tx\n1\t2\n0\t1\n", "--sep tab"),
    "header.csv": (b"y,x\n", "no row"),
    "ragged.csv": (b"y,x\n1,2\n0,1,5,6\n", "cannot be read as CSV"),
    "not.parquet": (b"nothing of the kind", "Parquet"),
}


@pytest.mark.parametrize("name", FILES)
def test_an_unreadable_file_is_one_line_and_status_1(tmp_path, name):
    content, said = FILES[name]
    (tmp_path / name).write_bytes(content)
    result = run("fit", str(tmp_path / name), "y ~ x")
    assert result.exit_code == 1, result.output
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_csv_with_holes_says_what_was_dropped(tmp_path):
    path = tmp_path / "holes.csv"
    path.write_text("y,x,g\n1,2,a\n0,,b\n1,1,\n0,3,a\n1,5,b\n0,2,b\n1,1,a\n0,4,a\n", encoding="utf-8")
    result = run("fit", str(path), "y ~ x + g")
    assert result.exit_code == 0, result.output
    assert "8 rows read, 2 dropped for missing values (x 1, g 1), 6 used" in " ".join(result.output.split())


def test_firth_on_the_command_line():
    result = run("fit", "endometrial", "HG ~ NV + PI + EH", "--firth")
    assert result.exit_code == 0
    assert "2.9293" in result.output


def test_formulas_know_the_columns_and_numpy_and_nothing_else():
    assert run("fit", "birthwt", "low ~ np.log(lwt)").exit_code == 0
    for name in ("alpha", "data", "warnings"):
        result = run("fit", "birthwt", f"low ~ {name}")
        assert result.exit_code == 1
        assert f"there is no column '{name}'" in result.output


def test_wrong_usage_is_status_2():
    assert run("fit", "spector").exit_code == 2
    assert run("fit", "spector", "GRADE ~ GPA", "--cov", "HC9").exit_code == 2
    assert run("fit", "spector", "GRADE ~ GPA", "--firth", "--crosscheck").exit_code == 2
    assert run("frobnicate").exit_code == 2


def test_datasets_lists_and_describes():
    assert "birthwt" in run("datasets").output
    assert "105 here" in run("datasets", "birthwt").output
    assert run("datasets", "nope").exit_code == 1


def test_runs_as_a_module():
    command = [sys.executable, "-m", "logit_stats", "fit", "spector", "GRADE ~ GPA", "--no-clock"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("                           Logit Regression Results")
    assert done.stderr == ""


def test_survey_designs(tmp_path):
    from tests.cases import read_data

    path = tmp_path / "schools.csv"
    read_data("apistrat.csv").to_csv(path, index=False)
    arguments = ["fit", str(path), "met_target ~ ell + meals", "--sampling-weights", "pw", "--no-clock"]
    done = CliRunner().invoke(main, [*arguments, "--strata", "stype", "--fpc", "fpc"])
    assert done.exit_code == 0, done.output
    assert "in 3 strata, finite-population correction, 197 degrees of freedom" in " ".join(done.output.split())
    assert CliRunner().invoke(main, [*arguments, "--strata", "stype", "--cov", "HC1"]).exit_code == 2
    without = ["fit", str(path), "met_target ~ ell + meals", "--psu", "stype"]
    assert CliRunner().invoke(main, without).exit_code == 2


# Files of other programs, and what is wrong with CSV.


@pytest.fixture
def trial(tmp_path):
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"x": np.round(rng.normal(size=80), 3), "g": rng.choice(["no", "yes"], 80), "year": 2000})
    frame["y"] = (rng.random(80) < 1 / (1 + np.exp(-frame["x"]))).astype(int)
    frame["year"] += np.arange(80) % 9
    return frame


def slopes(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.output)["coefficients"]["params"]


@pytest.fixture
def right(trial):
    return ls.logit("y ~ x + g", trial).fit().params.to_dict()


def agrees(result, right):
    found = slopes(result)
    assert found == pytest.approx(right, rel=1e-12)


def test_trailing_commas_shift_no_column(tmp_path, trial, right):
    path = tmp_path / "t.csv"
    lines = trial.to_csv(index=False).splitlines()
    path.write_text("\n".join([lines[0], *(line + "," for line in lines[1:])]), encoding="utf-8")
    agrees(run("fit", str(path), "y ~ x + g", "--json", "-"), right)
    path.write_text("\n".join(line + "," for line in lines), encoding="utf-8")
    agrees(run("fit", str(path), "y ~ x + g", "--json", "-"), right)


def test_unquoted_decimal_commas_are_recognised(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("y,x\n1,1,71\n0,0,5\n", encoding="utf-8")
    result = run("fit", str(path), "y ~ x")
    assert result.exit_code == 1
    assert "decimal commas" in result.stderr
    assert "line 2 has 3 cells and the head 2" in result.stderr


def test_a_german_file(tmp_path, trial, right):
    path = tmp_path / "t.csv"
    trial.rename(columns={"x": "größe"}).to_csv(path, index=False, sep=";", decimal=",", encoding="cp1252")
    options = ["--sep", ";", "--decimal", ",", "--encoding", "cp1252", "--json", "-"]
    found = slopes(run("fit", str(path), "y ~ größe + g", *options))
    assert found["größe"] == pytest.approx(right["x"], rel=1e-12)


def test_values_that_mean_missing_and_thousands(tmp_path, trial, right):
    path = tmp_path / "t.csv"
    text = trial.astype({"x": object})
    text.loc[80] = [-9, "yes", 2001, 1]
    text.loc[81] = [".", "no", 2001, 0]
    text.to_csv(path, index=False)
    agrees(run("fit", str(path), "y ~ x + g", "--na-values", "-9,.", "--json", "-"), right)
    path.write_text('y,x\n1,"1,019.5"\n0,"2,000.5"\n1,"3,000"\n0,"900"\n1,"1,100"\n', encoding="utf-8")
    assert run("fit", str(path), "y ~ x", "--thousands", ",").exit_code == 0


def test_standard_input(trial, right):
    done = CliRunner().invoke(main, ["fit", "-", "y ~ x + g", "--json", "-"], input=trial.to_csv(index=False))
    agrees(done, right)


def test_utf_16_is_known_by_its_mark(tmp_path, trial, right):
    path = tmp_path / "t.csv"
    trial.to_csv(path, index=False, encoding="utf-16")
    agrees(run("fit", str(path), "y ~ x + g", "--json", "-"), right)


def test_excel_sheets(tmp_path, trial, right):
    path = tmp_path / "t.xlsx"
    with pd.ExcelWriter(path) as book:
        trial.head(3).to_excel(book, sheet_name="first", index=False)
        trial.to_excel(book, sheet_name="all rows", index=False)
    agrees(run("fit", str(path), "y ~ x + g", "--sheet", "all rows", "--json", "-"), right)
    agrees(run("fit", str(path), "y ~ x + g", "--sheet", "2", "--json", "-"), right)
    result = run("fit", str(path), "y ~ x + g", "--sheet", "third")
    assert result.exit_code == 1
    assert "it has first, all rows" in result.stderr
    named = tmp_path / "t.csv"
    named.write_bytes(path.read_bytes())
    assert "name an Excel file .xlsx" in run("fit", str(named), "y ~ x").stderr


def test_stata_and_spss_with_value_labels(tmp_path, trial, right):
    import pyreadstat

    coded = trial.assign(g=(trial["g"] == "yes").astype(int))
    trial.astype({"g": "category"}).to_stata(tmp_path / "t.dta", write_index=False)
    pyreadstat.write_sav(coded, tmp_path / "t.sav", variable_value_labels={"g": {0: "no", 1: "yes"}})
    for name in ("t.dta", "t.sav"):
        agrees(run("fit", str(tmp_path / name), "y ~ x + g", "--json", "-"), right)


# Options, and what they refuse.


def test_an_empty_column_name_is_wrong_usage():
    for option in ("--cluster", "--offset", "--freq-weights", "--sampling-weights", "--trials"):
        result = run("fit", "spector", "GRADE ~ GPA", option, "")
        assert result.exit_code == 2, option
        assert "is empty" in result.stderr


def test_formulas_run_no_python(tmp_path):
    target = tmp_path / "made"
    for text in (f"I(__import__('os').system('touch {target}'))", f"I(open('{target}', 'w'))", "I(GPA.__class__)"):
        assert run("fit", "spector", f"GRADE ~ {text}").exit_code == 1
        assert run("fit", "spector", "GRADE ~ GPA", "--subset", text).exit_code == 1
    assert not target.exists()


def test_subset_profile_or_and_rank():
    births = ls.datasets.load("birthwt")
    found = slopes(run("fit", "birthwt", "low ~ lwt", "--subset", "age > 20 & smoke == 1", "--json", "-"))
    want = ls.logit("low ~ lwt", births, subset=(births.age > 20) & (births.smoke == 1)).fit()
    assert found == pytest.approx(want.params.to_dict(), rel=1e-12)
    shown = run("fit", "birthwt", "low ~ lwt + smoke", "--or", "--profile")
    profile = ls.logit("low ~ lwt + smoke", births).fit().odds_ratios(method="profile")
    assert "Logit Regression Results" not in shown.output
    assert f"{profile.loc['smoke'].iloc[-1]:.4g}" in shown.output
    assert "189 rows read" in shown.output
    refused = run("fit", "birthwt", "low ~ lwt + I(2 * lwt)")
    assert refused.exit_code == 1
    assert "--check-rank drop" in refused.stderr
    assert run("fit", "birthwt", "low ~ lwt + I(2 * lwt)", "--check-rank", "drop").exit_code == 0


def test_two_way_clusters_and_lonely_strata():
    values = json.loads(
        run("fit", "birthwt", "low ~ lwt", "--cluster", "race", "--cluster", "ftv", "--json", "-").output
    )
    want = ls.logit("low ~ lwt", ls.datasets.load("birthwt")).fit(
        cov_type="cluster", cov_kwds={"groups": ["race", "ftv"]}
    )
    assert values["coefficients"]["bse"]["lwt"] == pytest.approx(want.bse["lwt"], rel=1e-12)
    assert run("fit", "birthwt", "low ~ lwt", "--lonely", "adjust").exit_code == 2


# Commands that take a saved model.


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model"
    assert (
        run("fit", "birthwt", "low ~ np.log(lwt) + C(race) + smoke", "--cov", "HC1", "--save", str(path)).exit_code == 0
    )
    births = ls.datasets.load("birthwt")
    res = ls.logit("low ~ np.log(lwt) + C(race) + smoke", births).fit(cov_type="HC1")
    return str(path), res, births


def test_predict(saved, tmp_path):
    path, res, births = saved
    births.head(5).assign(lwt=[np.nan, 100, 110, 120, 130]).to_csv(tmp_path / "new.csv", index=False)
    result = run("predict", path, str(tmp_path / "new.csv"), "--keep", "smoke", "-o", str(tmp_path / "out.csv"))
    assert result.exit_code == 0, result.output
    found = pd.read_csv(tmp_path / "out.csv")
    want = res.get_prediction(births.head(5).assign(lwt=[np.nan, 100, 110, 120, 130])).summary_frame()
    assert found["smoke"].tolist() == births["smoke"].head(5).tolist()
    np.testing.assert_allclose(found[want.columns], want, rtol=1e-12)
    assert run("predict", path).output.startswith("row,")
    assert run("predict", path, "birthwt", "--keep", "nope").exit_code == 1
    assert "fit DATA FORMULA --save" in run("predict", str(tmp_path / "nothing")).stderr
    (tmp_path / "bad").write_bytes(b"no pickle")
    assert run("predict", str(tmp_path / "bad")).exit_code == 1


def test_margins_validate_report_and_compare(saved, tmp_path):
    path, res, births = saved
    shown = run("margins", path, "smoke", "-o", str(tmp_path / "m.csv"))
    assert shown.exit_code == 0, shown.output
    assert str(res.margins("smoke")) in shown.output
    found = pd.read_csv(tmp_path / "m.csv")
    number = res.margins("smoke").frame.select_dtypes("number")
    np.testing.assert_allclose(found[number.columns], number, rtol=1e-12)
    assert run("margins", path, "--at", "smoke").exit_code == 2
    assert run("margins", path, "lwt", "--at", "smoke=1").exit_code == 0
    assert str(res.validate(births)) in run("validate", path, "birthwt").output
    page = tmp_path / "page.html"
    assert run("report", path, str(page), "--no-pictures").exit_code == 0
    assert "np.log(lwt)" in page.read_text(encoding="utf-8")
    two = run("compare", path, path, "--name", "one", "--name", "other", "--format", "csv")
    assert two.exit_code == 0, two.output
    assert ",one,other" in two.output
    both = run("compare", "birthwt", "low ~ lwt", "low ~ lwt + smoke", "--stars")
    assert both.exit_code == 0
    assert "smoke" in both.output


def test_sample_size():
    result = run("sample-size", "--odds-ratio", "1.5", "--probability", "0.3", "--power", "0.9")
    assert "305 observations" in result.output
    assert run("sample-size").exit_code == 1


def test_files_are_written_before_the_text(tmp_path, monkeypatch):
    """A reader that goes away (a broken pipe) keeps no file from being written."""
    path = tmp_path / "out.json"
    command = f"{sys.executable} -m logit_stats fit spector 'GRADE ~ GPA' --json {path} | true"
    subprocess.run(command, shell=True, check=False, capture_output=True)
    assert json.loads(path.read_text())["nobs"] == 32


def test_names_reach_no_terminal_and_no_spreadsheet(tmp_path):
    path = tmp_path / "t.csv"
    rng = np.random.default_rng(1)
    name = "=x\x1b[31m\u202ered"
    frame = pd.DataFrame({"y": rng.integers(0, 2, 40), name: rng.normal(size=40)})
    frame.to_csv(path, index=False)
    result = run("fit", str(path), f"y ~ Q({name!r})", "--no-clock")
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output
    array = ls.Logit(frame["y"], frame[[name]]).fit()
    assert "\n'=x" in array.summary(clock=False).as_csv()


def test_json_of_an_odds_ratio_that_overflows_is_quiet(tmp_path):
    path = tmp_path / "t.csv"
    rng = np.random.default_rng(2)
    x = rng.normal(size=60)
    frame = pd.DataFrame({"y": (rng.random(60) < 1 / (1 + np.exp(-x))).astype(int), "x": x * 1e-5})
    frame.to_csv(path, index=False)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "logit_stats", "fit", str(path), "y ~ x", "--json", "-"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["coefficients"]["odds_ratio"]["x"] == "Infinity"


def test_ordered_and_multinomial_models(tmp_path):
    wine, mental = str(FOLDER / "data" / "wine.csv"), str(FOLDER / "data" / "mental.csv")
    ordered = run("fit", wine, "rating ~ temp + contact", "--model", "ordinal", "--no-clock")
    assert ordered.exit_code == 0
    assert "Ordered Logit Regression Results" in ordered.output
    assert "4|5" in ordered.output
    levels = "well,mild,moderate,impaired"
    kept = str(tmp_path / "ordered.pkl")
    adjacent = run(
        "fit", mental, "mental ~ ses", "--model", "ordinal", "--levels", levels, "--freq-weights", "freq",
        "--logits", "adjacent", "--nonparallel", "all", "--save", kept,
    )  # fmt: skip
    assert "ses:well|mild" in adjacent.output
    predicted = run("predict", kept, mental, "--keep", "ses")
    assert predicted.output.splitlines()[0].startswith("row,category,ses")
    assert len(predicted.output.splitlines()) == 1 + 4 * 24
    unordered = run("fit", mental, "mental ~ ses", "--model", "ordinal")
    assert unordered.exit_code == 1
    assert "Give --levels from the lowest" in unordered.stderr
    assert run("fit", mental, "mental ~ ses", "--levels", levels).exit_code == 2
    several = run("fit", mental, "mental ~ ses", "--model", "multinomial", "--freq-weights", "freq")
    assert "MNLogit" in several.output
