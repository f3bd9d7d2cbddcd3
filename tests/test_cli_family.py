"""The command line fits every model of the family, and carries models to other programs."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import logit_stats as ls
from logit_stats.cli import main

BIRTHS = ls.datasets.load("birthwt")


def run(*arguments, code=0):
    found = CliRunner().invoke(main, [str(a) for a in arguments])
    assert found.exit_code == code, found.output
    return found.output


def test_population_averaged(tmp_path):
    out = tmp_path / "o.json"
    run("fit", "birthwt", "low ~ age + smoke", "--model", "gee", "--groups", "race", "--corr", "independence", "--cov", "naive",
        "--json", out)  # fmt: skip
    res = ls.gee("low ~ age + smoke", BIRTHS, groups="race", corr="independence").fit(cov_type="naive")
    found = json.loads(out.read_text())["coefficients"]
    np.testing.assert_allclose(list(found["params"].values()), res.params)
    np.testing.assert_allclose(list(found["bse"].values()), res.bse)


def test_mixed(tmp_path):
    out, saved = tmp_path / "o.json", tmp_path / "m"
    run(
        "fit",
        "birthwt",
        "low ~ age + (1 | race)",
        "--model",
        "mixed",
        "--quadrature",
        7,
        "--json",
        out,
        "--save",
        saved,
    )
    res = ls.melogit("low ~ age + (1 | race)", BIRTHS, quadrature=7).fit()
    assert json.loads(out.read_text())["llf"] == pytest.approx(res.llf)
    np.testing.assert_array_equal(ls.load(saved).predict(BIRTHS), res.predict(BIRTHS))


@pytest.mark.parametrize("model", ["multinomial", "ordinal"])
def test_several_categories(model):
    assert "Odds ratios" in run("fit", "womenlf", "partic ~ hincome", "--model", model)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model", "gee"), "--groups"),
        (("--corr", "ar1"), "--model gee"),
        (("--model", "mixed", "--groups", "race"), "no --groups"),
        (("--model", "gee", "--groups", "race", "--firth"), "no --firth"),
        (("--cov", "mancl_derouen"), "--model gee"),
        (("--model", "ordinal", "--report", "x.html"), "--report"),
    ],
)
def test_options_of_another_model_are_wrong_usage(arguments, words):
    assert words in run("fit", "birthwt", "low ~ age", *arguments, code=2)


def test_a_model_as_a_text_predicts(tmp_path):
    text, data = tmp_path / "model.json", tmp_path / "new.csv"
    run("fit", "birthwt", "low ~ ns(age, df=3) + race", "--model-json", text)
    BIRTHS.head(5).to_csv(data, index=False)
    res = ls.logit("low ~ ns(age, df=3) + race", BIRTHS).fit()
    assert ls.from_json(text.read_text()).predict(BIRTHS).equals(res.predict(BIRTHS))
    assert repr(float(res.predict(BIRTHS.head(1)).iloc[0]))[:12] in run("predict", text, data)
    assert "no whole model" in run("predict", broken(text, tmp_path), data, code=1)


def broken(text, folder):
    path = folder / "broken.json"
    path.write_text(text.read_text().replace('"working"', '"walking"'))
    return path


def test_sql():
    res = ls.logit("low ~ age", BIRTHS).fit()
    assert run("fit", "birthwt", "low ~ age", "--sql", "postgres").strip() == res.to_sql("postgres")
    assert "duckdb" in run("fit", "birthwt", "low ~ age", "--sql", "access", code=1)
