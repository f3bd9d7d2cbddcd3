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
    "latin1.csv": ("y,größe\n1,2\n0,1\n".encode("latin-1"), "UTF-8"),
    "semicolons.csv": (b"y;x\n1;2\n0;1\n", "semicolons"),
    "tabs.csv": (b"y\tx\n1\t2\n0\t1\n", "tabs"),
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
