"""``logit-stats table`` and the sections of ``logit-stats report``."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

import logit_stats as ls
from logit_stats.cli import main


def run(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_table_prints_what_python_prints():
    found = run(
        "table",
        "birthwt",
        "low ~ race + smoke",
        "low ~ race",
        "--name",
        "both",
        "--name",
        "race",
        "--label",
        "race=Race",
    )
    data = ls.datasets.load("birthwt")
    models = [ls.logit(formula, data).fit() for formula in ("low ~ race + smoke", "low ~ race")]
    assert found.exit_code == 0
    assert found.output.strip() == str(ls.table(*models, names=["both", "race"], labels={"race": "Race"})).strip()


def test_crude_table_as_a_word_document(tmp_path):
    docx = pytest.importorskip("docx")
    assert run("table", "birthwt", "low ~ race + smoke", "--crude", "-o", tmp_path / "t.docx").exit_code == 0
    (table,) = docx.Document(str(tmp_path / "t.docx")).tables
    assert "Crude" in [cell.text for cell in table.rows[0].cells]


def test_wrong_usage_and_refusals():
    assert run("table", "birthwt", "low ~ race", "low ~ age", "--crude").exit_code == 2
    assert run("table", "birthwt", "low ~ race", "--label", "race").exit_code == 2


def test_sections_of_a_report(tmp_path):
    model, page = tmp_path / "m.model", tmp_path / "page.html"
    assert run("fit", "birthwt", "low ~ race + smoke", "--save", model).exit_code == 0
    assert (
        run("report", model, page, "--section", "table", "--section", "methods", "--label", "smoke=Smoking").exit_code
        == 0
    )
    text = page.read_text(encoding="utf-8")
    assert re.findall('<section id="(.*?)">', text) == ["table", "methods"]
    assert "Smoking" in text
