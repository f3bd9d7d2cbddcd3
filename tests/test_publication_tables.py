"""Tables for publication: the numbers in their cells, for every model; and each form read back as a reader would."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

import logit_stats as ls
from logit_stats.report.publication.labels import Labels
from logit_stats.report.publication.typeset import typ

LABELS = {"lwt": "Weight (lb)", "race": {"black": "Black"}, "smoke": {"0": "no", "1": "yes"}}


@pytest.fixture(scope="module")
def birthwt():
    return ls.datasets.load("birthwt")


@pytest.fixture(scope="module")
def res(birthwt):
    return ls.logit("low ~ race + smoke + lwt", birthwt).fit()


@pytest.fixture(scope="module")
def two(res):
    return ls.table(res, res.with_cov("HC3"), names=["A & B", "=C"], labels=LABELS)


def cell(table, kind, term, level="", model=""):
    found = table.numbers.query("kind == @kind and term == @term and level == @level and model == @model")
    assert len(found) == 1
    return found.iloc[0]


def test_cells_are_the_numbers_of_statsmodels(birthwt, res):
    table = ls.table(res)
    theirs = smf.logit("low ~ race + smoke + lwt", birthwt).fit(disp=0)
    ratios = np.exp(theirs.params), np.exp(theirs.conf_int())
    rows = {("race", "black"): "race[T.black]", ("smoke", "1"): "smoke", ("lwt", ""): "lwt"}
    for (term, level), name in rows.items():
        found = cell(table, "estimate", term, level)
        assert found["value"] == pytest.approx(ratios[0][name], rel=1e-8)
        assert found[["conf_low", "conf_high"]].tolist() == pytest.approx(ratios[1].loc[name].tolist(), rel=1e-7)
    joint = theirs.wald_test_terms(scalar=True).table["pvalue"]
    for term in ("race", "smoke", "lwt"):
        assert cell(table, "p", term)["value"] == pytest.approx(joint[term], rel=1e-7)


def test_observations_and_events_of_levels_are_those_of_a_cross_table(birthwt, res):
    table = ls.table(res)
    for term in ("race", "smoke"):
        counted = pd.crosstab(birthwt[term], birthwt["low"])
        for level, row in counted.iterrows():
            assert cell(table, "n", term, str(level))["value"] == row.sum()
            assert cell(table, "events", term, str(level))["value"] == row[1]


def test_counts_follow_missing_rows_frequency_weights_and_trials(birthwt):
    holes = birthwt.astype({"age": float}).copy()
    holes.loc[:9, "age"] = np.nan
    found = ls.table(ls.logit("low ~ race + age", holes).fit())
    assert cell(found, "n", "race", "black")["value"] == (holes.dropna()["race"] == "black").sum()
    assert any("10 dropped for missing values (age 10)" in note for note in found.notes)
    grouped = birthwt.groupby(["race", "smoke"], observed=True)["low"].agg(["sum", "count"]).reset_index()
    by_trials = ls.table(ls.logit("sum ~ race + smoke", grouped, trials="count").fit())
    by_row = ls.table(ls.logit("low ~ race + smoke", birthwt).fit())
    weighted = birthwt.value_counts(["low", "race", "smoke"]).reset_index()
    by_weight = ls.table(ls.logit("low ~ race + smoke", weighted, freq_weights="count").fit())
    for other in (by_trials, by_weight):
        assert other.numbers["value"].to_numpy() == pytest.approx(by_row.numbers["value"].to_numpy(), rel=1e-8)


def test_text_is_a_table_a_journal_would_print(res):
    text = ls.table(res, labels=LABELS).as_text()
    assert "  white        96   23 (24.0)           1 (reference)" in text
    assert "  Black        26   11 (42.3)     3.63 (1.33 to 9.89)" in text
    assert "Weight (lb)                    0.987 (0.975 to 0.999)  0.036" in text
    assert "P-values of factors: joint tests of all levels." in text
    assert max(map(len, text.split("\n"))) <= 80


def test_models_that_are_too_wide_stand_below_each_other(res):
    table = ls.table(*[res.with_cov(kind) for kind in ("HC0", "HC1", "HC2", "HC3")])
    text = table.as_text()
    assert max(map(len, text.split("\n"))) <= 80
    for name in ("(1)", "(2)", "(3)", "(4)"):
        assert name in text
    assert text.count("white") >= 2


def test_decimals_fit_the_interval_and_hide_no_significance(birthwt):
    far = birthwt.assign(income=birthwt["lwt"] * 1000.0)
    text = ls.table(ls.logit("low ~ income", far).fit(), columns=["estimate"]).as_text()
    assert re.search(r"income\s+0\.99998\d? \(0\.99997\d? to 0\.99999\d*\)", text)
    assert "0.000" not in ls.table(ls.logit("low ~ income", far).fit()).as_text()
    fixed = ls.table(ls.logit("low ~ smoke", birthwt).fit(), digits=1).as_text()
    assert "2.0 (1.1 to 3.8)" in fixed


def test_profile_limits_likelihood_ratios_and_stars_on_request(birthwt, res):
    found = ls.table(res, method="profile", tests="LR", stars=True)
    limits = np.exp(np.asarray(res.conf_int(method="profile")))
    j = res.model.exog_names.index("lwt")
    assert cell(found, "estimate", "lwt")[["conf_low", "conf_high"]].tolist() == pytest.approx(limits[j].tolist())
    small = ls.logit("low ~ smoke + lwt", birthwt).fit()
    assert cell(found, "p", "race")["value"] == pytest.approx(stats.chi2.sf(2 * (res.llf - small.llf), 2), rel=1e-8)
    assert "2.89** (" in found.as_text()
    assert "*" not in ls.table(res).as_text()


def test_outcomes_of_several_categories_stand_under_their_names(birthwt):
    visits = birthwt.assign(v=birthwt["ftv"].clip(upper=2).map({0: "none", 1: "one", 2: "more"}))
    res = ls.mnlogit("v ~ age + race", visits).fit()
    table = ls.table(res)
    for outcome in ("none", "one"):
        found = cell(table, "estimate", "race", "black", f"v = {outcome}")
        assert found["value"] == pytest.approx(np.exp(res.params.loc["race[T.black]", outcome]))
        assert (
            cell(table, "events", "race", "black", f"v = {outcome}")["value"]
            == ((visits["race"] == "black") & (visits["v"] == outcome)).sum()
        )
        names = [f"{outcome}:race[T.black]", f"{outcome}:race[T.other]"]
        b = res.params.loc[["race[T.black]", "race[T.other]"], outcome].to_numpy()
        places = [res.fit_.design.coefficient_names.index(name) for name in names]
        V = res.cov_params().to_numpy()[np.ix_(places, places)]
        p = stats.chi2.sf(b @ np.linalg.solve(V, b), 2)
        assert cell(table, "p", "race", "", f"v = {outcome}")["value"] == pytest.approx(p, rel=1e-8)
    assert "RRR (95% CI)" in table.as_text()


def test_firth_tests_a_factor_by_its_penalized_likelihood(birthwt):
    res = ls.logit("low ~ race + smoke", birthwt).fit_firth()
    p = cell(ls.table(res), "p", "race")["value"]
    # the same maximum found by a general optimiser: intercept and smoke free, race at zero, penalty of the whole information
    from scipy.optimize import minimize

    X, y = res.model.exog, birthwt["low"].to_numpy()
    free = [j for j, name in enumerate(res.model.exog_names) if not name.startswith("race")]

    def penalized(b):
        eta = X @ b
        w = np.exp(-np.logaddexp(0, eta) - np.logaddexp(0, -eta))
        return -(y @ eta - np.logaddexp(0, eta).sum() + 0.5 * np.linalg.slogdet(X.T @ (w[:, None] * X))[1])

    def held(u):
        b = np.zeros(X.shape[1])
        b[free] = u
        return penalized(b)

    at_null = minimize(held, np.zeros(len(free)), method="BFGS", options={"gtol": 1e-9}).fun
    statistic = 2.0 * (at_null - penalized(np.asarray(res.params)))
    assert p == pytest.approx(stats.chi2.sf(statistic, 2), rel=1e-6)


def test_separated_data_show_infinity_and_one_limit():
    res = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_limit()
    table = ls.table(res)
    found = cell(table, "estimate", "NV", "1")
    assert found["value"] == np.inf
    assert np.isfinite(found["conf_low"])
    assert re.search(r"∞ \(\d+\.\d+ to ∞\)", table.as_text())
    assert r"$\infty$" in table.as_latex()


def test_factor_of_a_separated_fit_is_tested_by_likelihood_ratio():
    data = pd.DataFrame({"y": [0, 1, 0, 1, 1, 1, 0, 0, 1, 0, 1, 1], "g": list("aaabbbaaaccc"), "x": range(12)})
    data.loc[[3, 4, 5], "y"] = 1
    res = ls.logit("y ~ g + x", data).fit_limit()
    smaller = ls.logit("y ~ x", data).fit()
    p = cell(ls.table(res), "p", "g")["value"]
    assert p == pytest.approx(stats.chi2.sf(2 * (res.llf - smaller.llf), 2), rel=1e-6)


def _others(birthwt):
    data = birthwt.assign(g=np.arange(len(birthwt)) % 20)
    noise = np.random.default_rng(1)
    sets = [data.assign(lwt=data["lwt"] + noise.normal(0, 5, len(data))) for _ in range(3)]
    return {
        "conditional": ls.clogit("low ~ race + smoke", data, groups="g").fit(),
        "gee": ls.gee("low ~ race + smoke", data, groups="g", corr="independence").fit(),
        "mixed": ls.melogit("low ~ race + smoke + (1 | g)", data).fit(),
        "absorbed": ls.logit("low ~ race + smoke", data, absorb="g").fit(),
        "pooled": ls.logit("low ~ race + smoke + lwt", sets).fit(),
        "exact": ls.exlogit("low ~ smoke + race", data, of=["smoke", "race"]),
        "lasso": ls.logit("low ~ race + smoke", data).fit_regularized(alpha=1.0),
        "flic": ls.logit("low ~ race + smoke", data).fit_firth().flic(),
        "flac": ls.logit("low ~ race + smoke", data).fit_firth().flac(),
        "without rows": ls.logit("low ~ race + smoke", data).fit().remove_data(),
        "quasi": ls.logit("low ~ race + smoke", data).fit().with_cov("quasi"),
    }


def test_every_kind_of_result_has_a_table(birthwt):
    results = _others(birthwt)
    for name, res in results.items():
        table = ls.table(res)
        found = table.numbers.query("kind == 'estimate' and term == 'race' and level == 'black'")["value"]
        params = res.params
        assert found.tolist() == pytest.approx([np.exp(params["race[T.black]"])], rel=1e-9), name
        for form in ("text", "html", "latex", "typst", "markdown", "csv"):
            assert "black" in getattr(table, f"as_{form}")()
        assert table.notes
    together = ls.table(*results.values(), names=list(results))
    # one row for black, whichever of the models has it
    assert sum(row.key == ("race", "black") for row in together.rows) == 1
    estimates = [column for column in together.columns if column.kind == "estimate"]
    assert len(estimates) == len(results)
    lasso = next(column for column in together.columns if column.spanner == "lasso")
    assert "(" not in str(lasso.cells[[row.key for row in together.rows].index(("race", "black"))])


def test_crude_estimates_are_those_of_models_of_one_variable():
    titanic = ls.datasets.load("titanic")
    complete = titanic.dropna(subset=["age"])
    common = ls.crude_and_adjusted("survived ~ pclass + sex + age", titanic)
    available = ls.crude_and_adjusted("survived ~ pclass + sex + age", titanic, rows="available")
    for table, rows in ((common, complete), (available, titanic)):
        for term, level, name in (
            ("pclass", "3rd", "pclass[T.3rd]"),
            ("sex", "male", "sex[T.male]"),
            ("age", "", "age"),
        ):
            alone = smf.logit(f"survived ~ {term}", rows).fit(disp=0)
            assert cell(table, "estimate", term, level, "Crude")["value"] == pytest.approx(np.exp(alone.params[name]))
    adjusted = smf.logit("survived ~ pclass + sex + age", complete).fit(disp=0)
    assert cell(common, "estimate", "age", "", "Adjusted")["value"] == pytest.approx(np.exp(adjusted.params["age"]))
    assert any("on the rows of the adjusted model" in note for note in common.notes)
    assert any("1046 to 1309" in note for note in available.notes)
    assert cell(available, "n", "sex", "male", "Crude")["value"] == (titanic["sex"] == "male").sum()
    assert cell(available, "n", "sex", "male", "Adjusted")["value"] == (complete["sex"] == "male").sum()


def test_crude_says_what_it_cannot_have(birthwt):
    table = ls.crude_and_adjusted("low ~ smoke * ht", birthwt)
    assert "Products have no crude estimate: smoke:ht." in table.notes
    separated = pd.DataFrame({"y": [0, 1, 0, 1, 1, 1, 0, 0] * 4, "x": np.tile(np.arange(8.0), 4)})
    separated["z"] = separated["y"] * 1.0
    with pytest.raises(ls.errors.DataError, match="needs a constant"):
        ls.crude_and_adjusted("low ~ 0 + smoke", birthwt)
    firth = ls.crude_and_adjusted("HG ~ NV + EH", ls.datasets.load("endometrial"), firth=True)
    alone = ls.logit("HG ~ NV", ls.datasets.load("endometrial")).fit_firth()
    assert cell(firth, "estimate", "NV", "1", "Crude")["value"] == pytest.approx(np.exp(alone.params["NV"]))


def test_names_of_the_callers_scope_are_found(birthwt):
    shift = 100.0
    for rows in ("common", "available"):
        table = ls.crude_and_adjusted("low ~ I(lwt - shift) + smoke", birthwt, rows=rows)
        assert "I(lwt - shift)" in table.as_text()
    assert shift == 100.0


def test_labels_come_from_the_data_and_from_arguments(birthwt):
    data = birthwt.copy()
    data.attrs["variable_labels"] = {"lwt": "Weight at last period", "smoke": "Smoking"}
    res = ls.logit("low ~ C(race) + smoke + lwt", data).fit()
    text = ls.table(res).as_text()
    assert "Weight at last period" in text
    assert "Smoking" in text
    assert "\nrace " in text  # not C(race)
    assert "Smoker" in ls.table(res, labels={"smoke": "Smoker"}).as_text()
    assert "Weight at last period" in ls.table(ls.logit("low ~ lwt", birthwt).fit(), labels=data).as_text()
    with pytest.raises(ls.errors.DataError, match="mapping of names"):
        ls.table(res, labels=["a"])
    assert Labels().key('C(race, Treatment("white")):Q("a:b")') == "race:a:b"


# Forms.


def test_html_is_accessible_and_escaped(two):
    table = ElementTree.fromstring(two.as_html())
    heads = table.findall(".//th[@scope='col']")
    assert {"OR (95% CI)", "p", "n"} <= {head.text for head in heads}
    assert [head.text for head in table.findall(".//th[@scope='colgroup']/span")] == ["A & B", "=C"]
    labels = [row.text for row in table.findall(".//th[@scope='row']")]
    assert labels[:4] == ["race", "white", "Black", "other"]
    assert table.find("caption").text == "Odds ratios for low = 1"
    width = len(heads) + 1  # heads of columns under spanners, and the empty corner
    assert all(len(row) == width for row in table.findall(".//tbody/tr"))
    hostile = ls.table(ls.logit("y ~ x", {"y": [0, 1, 0, 1, 1], "x": [1, 2, 3, 4, 2]}).fit(), title="<script>\x1b[31m")
    assert "<script>" not in hostile.as_html()
    assert "\x1b" not in hostile.as_text() + hostile.as_html() + hostile.as_csv() + hostile.as_latex()


def test_word_document_is_read_back(two, tmp_path):
    docx = pytest.importorskip("docx")
    two.save(tmp_path / "t.docx")
    document = docx.Document(str(tmp_path / "t.docx"))
    (table,) = document.tables
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert rows[1] == ["", "n", "Events (%)", "OR (95% CI)", "p", "OR (95% CI)", "p"]
    assert rows[0][3:] == ["A & B", "A & B", "=C", "=C"]  # merged cells read alike
    assert rows[4] == ["Black", "26", "11 (42.3)", "3.63 (1.33 to 9.89)", "", "3.63 (1.29 to 10.25)", ""]
    repeated = [bool(row._tr.xpath("w:trPr/w:tblHeader")) for row in table.rows]
    assert repeated == [True, True] + [False] * (len(rows) - 2)
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert texts[0] == "Odds ratios for low = 1"
    assert texts[1:] == list(two.notes)


def test_csv_is_read_back_and_runs_no_formula(birthwt):
    data = birthwt.assign(race=birthwt["race"].astype(str).replace({"black": "=1+1", "other": "@sum"}))
    table = ls.table(ls.logit("low ~ race + lwt", data).fit(), title="=danger()")
    rows = list(csv.reader(io.StringIO(table.as_csv())))
    assert rows[1] == ["variable", "level", "n", "Events (%)", "OR (95% CI)", "p"]
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]
    assert ["race", "'=1+1"] in [row[:2] for row in rows]


def test_markdown_has_a_pipe_for_every_column(two):
    lines = [line for line in two.as_markdown().split("\n") if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert "| &emsp;Black | 26 |" in two.as_markdown()


def test_latex_is_well_formed_and_compiles_where_it_can(two, tmp_path):
    text = two.as_latex()
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    rows = [line for line in body.split("\n") if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows[1:]} == {6}
    assert r"A \& B" in text
    assert text.count("{") == text.count("}")
    if shutil.which("pdflatex") is None:
        return
    document = (
        "\\documentclass{article}\\usepackage{booktabs,threeparttable}\\begin{document}\n" + text + "\n\\end{document}"
    )
    (tmp_path / "t.tex").write_text(document, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "t.tex"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]


def test_typst_escapes_and_counts_its_cells(two):
    text = two.as_typst()
    assert typ("a[1] *b* #c $d$") == r"a\[1\] \*b\* \#c \$d\$"
    assert "columns: 7," in text
    rows = [line for line in text.split("\n") if line.startswith("  [") and line != "  ["]
    assert {len(re.findall(r"(?<!\\)\],", row)) for row in rows} == {7}


def test_great_table_has_spanners_and_notes(two):
    pytest.importorskip("great_tables")
    page = two.as_gt().as_raw_html()
    assert "A &amp; B" in page
    assert "3.63 (1.29 to 10.25)" in page
    assert "robust (HC3)" in page


def test_maketables_reads_our_results_beside_others(birthwt, res):
    maketables = pytest.importorskip("maketables")
    theirs = smf.logit("low ~ race + smoke + lwt", birthwt).fit(disp=0)
    page = maketables.ETable([res, theirs]).make("gt").as_raw_html()
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", page, re.S)]
    alike = [row[-2:] for row in cells if len(row) >= 2]
    assert len(alike) >= 5
    assert all(ours == other for ours, other in alike)
    frame = res.__maketables_coef_table__
    assert {"b", "se", "t", "p", "ci95l", "ci95u"} <= set(frame.columns)
    assert res.__maketables_stat__("N") == 189


def test_saved_forms_and_an_unknown_one(two, tmp_path):
    for ending in ("html", "tex", "typ", "md", "csv", "txt"):
        two.save(tmp_path / f"t.{ending}")
        assert "Black" in (tmp_path / f"t.{ending}").read_text(encoding="utf-8-sig")
    with pytest.raises(ls.errors.DataError, match="does not say the form"):
        two.save(tmp_path / "t.odt")


def test_wrong_arguments_are_said(res):
    with pytest.raises(ls.errors.DataError, match="a result or more"):
        ls.table()
    with pytest.raises(ls.errors.DataError, match="takes results of fit"):
        ls.table("no")
    with pytest.raises(ls.errors.DataError, match="names"):
        ls.table(res, res, names=["a", "a"])
    with pytest.raises(ls.errors.UnknownOptionError, match="columns"):
        ls.table(res, columns=["odds"])
    with pytest.raises(ls.errors.UnknownOptionError, match="statistics"):
        ls.table(res, statistics=["r2"])
    with pytest.raises(ls.errors.UnknownOptionError, match="tests"):
        ls.table(res, tests="score")


def test_ordered_outcomes_have_one_column_and_no_events(birthwt):
    visits = birthwt.assign(v=birthwt["ftv"].clip(upper=2))
    res = ls.ologit("v ~ age + race", visits).fit()
    table = ls.table(res)
    assert [column.kind for column in table.columns] == ["n", "estimate", "p"]
    assert cell(table, "estimate", "age")["value"] == pytest.approx(np.exp(res.params["age"]))
    own = ls.table(ls.ologit("v ~ age + race", visits, nonparallel="age").fit())
    assert {column.spanner for column in own.columns if column.kind == "estimate"} == {"v: 0|1", "v: 1|2"}
    assert not any(column.kind == "events" for column in own.columns)
