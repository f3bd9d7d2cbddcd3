"""`summary` and `summary2` against statsmodels: the same text to the byte, from the same result."""

from __future__ import annotations

import csv
import re
import time
import warnings
from io import StringIO
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.iolib.summary import summary_params
from statsmodels.tools.sm_exceptions import ConvergenceWarning

import logit_stats as ls
from logit_stats.errors import DataError
from logit_stats.report.escaping import display_width
from logit_stats.report.summary import Summary, summary, summary2
from tests.test_report_table import cells_of_html

SPECTOR = sm.datasets.spector.load_pandas().data
X = sm.add_constant(SPECTOR[["GPA", "TUCE", "PSI"]])
DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4}|\d{4}-\d\d-\d\d \d\d:\d\d|\d\d:\d\d:\d\d")


def without_clock(text: str) -> str:
    """The text with every digit and name of its date and time replaced, so that their widths still count."""
    return DATE.sub(lambda found: "#" * len(found[0]), text)


def factors() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    group = rng.choice(["short", "a level with a very long name indeed", "ünïcode & <b>_%"], 300)
    x = rng.normal(size=300)
    y = (rng.random(300) < 1 / (1 + np.exp(-0.5 * x + (group == "short")))).astype(int)
    return pd.DataFrame({"y_a": y, "x": x, "group": group, "tiny": x * 1e-9 + 1e-9, "huge": rng.normal(size=300) * 1e9})


def unfinished():
    with pytest.warns(ConvergenceWarning):
        return sm.Logit(SPECTOR.GRADE, X).fit(maxiter=1, disp=0)


FITS = {
    "labelled": lambda: sm.Logit(SPECTOR.GRADE, X).fit(disp=0),
    "arrays": lambda: sm.Logit(SPECTOR.GRADE.to_numpy(), X.to_numpy()).fit(disp=0),
    "formula": lambda: smf.logit("GRADE ~ GPA * C(PSI) + TUCE", SPECTOR).fit(disp=0),
    "long names": lambda: smf.logit("y_a ~ x * C(group) + I(x ** 2) + np.exp(x)", factors()).fit(disp=0),
    "tiny and huge": lambda: smf.logit("y_a ~ tiny + huge", factors()).fit(disp=0, method="bfgs"),
    "HC0": lambda: sm.Logit(SPECTOR.GRADE, X).fit(disp=0, cov_type="HC0"),
    "HC1": lambda: sm.Logit(SPECTOR.GRADE, X).fit(disp=0, cov_type="HC1"),
    "cluster": lambda: sm.Logit(SPECTOR.GRADE, X).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": SPECTOR.TUCE.to_numpy()}
    ),
    "t": lambda: sm.Logit(SPECTOR.GRADE, X).fit(disp=0, use_t=True),
    "intercept only": lambda: smf.logit("GRADE ~ 1", SPECTOR).fit(disp=0),
    "no intercept": lambda: smf.logit("GRADE ~ 0 + GPA + TUCE", SPECTOR).fit(disp=0),
    "optimizer": lambda: sm.Logit(SPECTOR.GRADE, X).fit(disp=0, method="powell"),
    "not converged": unfinished,
}


@pytest.fixture(scope="module", params=FITS)
def fit(request):
    with warnings.catch_warnings():
        # statsmodels' own: a covariance on the edge of singularity, robust types it cannot tell apart
        warnings.simplefilter("ignore")
        return FITS[request.param]()


@pytest.fixture(scope="module")
def spector():
    return FITS["labelled"]()


class WithNotes:
    """A result that has more to say than statsmodels'."""

    def __init__(self, res, *notes):
        self._res, self._notes = res, notes

    def __getattr__(self, name):
        return getattr(self._res, name)

    def sample_line(self):
        return "189 rows read, 3 dropped for missing values (age 3), 186 used: 59 events, 127 non-events"

    def summary_notes(self):
        return self._notes


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.01, 0.001, 0.32])
def test_summary_is_statsmodels_to_the_byte(fit, alpha):
    assert without_clock(summary(fit, alpha=alpha).as_text()) == without_clock(fit.summary(alpha=alpha).as_text())


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.01, 0.001, 0.32])
def test_summary2_is_statsmodels_to_the_byte(fit, alpha):
    assert without_clock(summary2(fit, alpha=alpha).as_text()) == without_clock(fit.summary2(alpha=alpha).as_text())


NAMES = [
    {"yname": "outcome"},
    {"yname": "y" * 25},
    {"yname": "y" * 70},
    {"xname": ["a", "b", "c", "d"]},
    {"xname": ["x" * 10, "b", "c", "d"]},
    {"xname": ["x" * 60, "b", "c", "d"], "yname": "y" * 40},
    {"title": "A title"},
    {"title": "An odd title"},
    {"title": "t" * 100},
    {"title": ""},
]


@pytest.mark.parametrize("names", NAMES, ids=str)
@pytest.mark.parametrize(("ours", "theirs"), [(summary, "summary"), (summary2, "summary2")])
def test_names_and_title_are_statsmodels_to_the_byte(spector, ours, theirs, names):
    assert without_clock(ours(spector, **names).as_text()) == without_clock(getattr(spector, theirs)(**names).as_text())


def test_the_clock_is_there_and_can_be_left_out(spector, monkeypatch):
    assert len(DATE.findall(summary(spector).as_text())) == 2
    assert len(DATE.findall(summary2(spector).as_text())) == 1
    for report in (summary, summary2):
        first = report(spector, clock=False)
        monkeypatch.setattr(time, "localtime", lambda *_: (1999, 1, 2, 3, 4, 5, 5, 2, 0))
        assert report(spector, clock=False) == first
        for text in (first.as_text(), first.as_html(), first.as_latex(), first.as_csv()):
            assert "Date" not in text
            assert "Time" not in text
            assert not DATE.search(text)


def test_without_the_clock_the_layout_holds(spector):
    lines = summary(spector, clock=False).as_text().split("\n")
    with_clock = summary(spector).as_text().split("\n")
    assert [len(line) for line in lines] == [len(line) for line in with_clock]
    assert [line[39:] for line in lines[2:9]] == [line[39:] for line in with_clock[2:9]]
    assert lines[5] == with_clock[7][:39] + with_clock[5][39:]
    assert lines[7][:39] == lines[8][:39] == " " * 39
    second = summary2(spector, clock=False).as_text().split("\n")
    assert len(second) == len(summary2(spector).as_text().split("\n"))
    assert {len(line) for line in second[1:-1]} == {len(second[1])}


def extreme(values):
    values = np.array(values)
    names = [f"x{i}" for i in range(len(values))]
    return SimpleNamespace(
        params=values, bse=np.abs(values), tvalues=-values, pvalues=np.abs(values) % 1.0, use_t=False,
        conf_int=lambda alpha: np.column_stack([-values, values]), llf=values[0], llnull=values[-1], prsquared=values[1],
        llr_pvalue=1e-300, aic=values[0], bic=values[1], nobs=values[0], df_model=3.0, df_resid=values[0], scale=1.0,
        mle_retvals={"converged": True, "iterations": 3}, cov_type="nonrobust", k_constant=1,
        model=SimpleNamespace(endog_names="y", exog_names=names),
    )  # fmt: skip


EXTREME = [1e300, -1e-300, np.inf, -np.inf, np.nan, 0.0, -0.0, 99999.5, 9999.9999, 1e-4, 9.9999e-5, 5e-324]


@pytest.mark.filterwarnings("ignore:invalid value encountered in remainder")
def test_extreme_numbers_are_statsmodels_to_the_byte():
    res = extreme(EXTREME)
    assert str(summary(res).tables[1]) == summary_params(res, use_t=False).as_text()


@pytest.mark.filterwarnings("ignore:invalid value encountered in remainder")
@pytest.mark.parametrize("values", [EXTREME, EXTREME[::-1], EXTREME[4:] + EXTREME[:4]])
def test_extreme_numbers_do_not_break_the_layout(values):
    for report in (summary, summary2):
        for part in report(extreme(values)).parts:
            lines = part.as_text().split("\n")
            assert max(map(len, lines)) < 130
            assert min(map(len, lines[1:])) == part.width


def test_wide_names_and_line_breaks_do_not_break_the_layout(spector):
    names = ["定数", "a\nb", "e\u0301", "x"]
    for report in (summary, summary2):
        for part in report(spector, xname=names, yname="成績\r\n").parts:
            # the rules of statsmodels' second layout can be shorter than the table
            lines = [line for line in part.as_text().split("\n")[1:] if set(line) != {"="}]
            assert {display_width(line) for line in lines} == {part.width}


def test_limits_are_named_without_rounding_errors(spector):
    # 1 - 0.13 / 2 and 1 - 0.07 / 2 in binary
    assert summary(spector, alpha=0.13).tables[1].data[0][-2:] == ["[0.065", "0.935]"]
    assert summary(spector, alpha=0.07).tables[1].data[0][-2:] == ["[0.035", "0.965]"]


@pytest.mark.parametrize("report", [summary, summary2])
def test_html_holds_statsmodels_cells(fit, report):
    theirs = getattr(fit, report.__name__)()
    ours = cells_of_html(without_clock(report(fit).as_html()))
    expected = cells_of_html(without_clock(theirs.as_html()).replace("& <b>_%", "&amp; &lt;b&gt;_%"))
    assert ours == [[cell.strip() for cell in row] for row in expected]


@pytest.mark.parametrize("report", [summary, summary2])
def test_csv_and_html_hold_the_same_cells(fit, report):
    page = report(WithNotes(fit, 'A note, with "quotes".'), clock=False)
    rows = list(csv.reader(StringIO(page.as_csv())))
    assert rows[0] == [page.parts[0].title]
    assert rows[1:-3] == cells_of_html(page.as_html())
    assert rows[-3:] == [["Notes:"], [f"[1] {page.notes[0]}"], ['[2] A note, with "quotes".']]


@pytest.mark.parametrize("report", [summary, summary2])
def test_markup_escapes_names(spector, report):
    page = report(spector, xname=["<b>", "a_b", "50%", "C(z)[T.1]"], yname="y & z", title="T_1 < 2")
    html, latex = page.as_html(), page.as_latex()
    assert "<b>" not in html
    assert "<caption>T_1 &lt; 2</caption>" in html
    assert "y &amp; z" in html
    for text in (r"a\_b", r"50\%", r"C(z){[}T.1{]}", r"y \& z", r"\textless{}b\textgreater{}", r"T\_1 \textless{} 2"):
        assert text in latex
    assert not re.search(r"(?<!\\)[_#$^]", re.sub(r"\$-?[\d.]+( \\times 10\^\{-?\d+\})?\$", "", latex))


def test_latex_is_balanced(fit):
    for latex in (summary(WithNotes(fit, "100 % of {it}")).as_latex(), summary2(fit).as_latex("tab:a_b")):
        opened = []
        for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", latex):
            if kind == "begin":
                opened.append(name)
            else:
                assert opened.pop() == name
        assert not opened
        bare = latex.replace(r"\{", "").replace(r"\}", "")
        assert bare.count("{") == bare.count("}")
        for tabular in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\bottomrule", latex, re.DOTALL):
            for row in re.findall(r"(.*) \\\\", tabular[1]):
                assert len(re.findall(r"(?<!\\)&", row)) == len(tabular[0]) - 1


def test_latex_of_summary2_has_caption_and_label(spector):
    latex = summary2(spector).as_latex(label="tab:grades")
    assert latex.startswith("\\begin{table}\n\\caption{Results: Logit}\n\\label{tab:grades}\n")


def test_notes_are_numbered_and_wrapped_to_the_table(spector):
    long = "Models the probability of GRADE = 1. " + "word " * 40 + "a_name_that_cannot_be_broken_" * 3
    page = summary(WithNotes(spector, long, "Short."))
    plain = summary(spector).as_text()
    assert without_clock(page.as_text()) == without_clock(plain) + "\n\n" + page.extra_txt
    lines = page.extra_txt.split("\n")
    assert lines[:3] == [
        "Notes:",
        "[1] 189 rows read, 3 dropped for missing values (age 3), 186 used: 59 events,",
        "    127 non-events",
    ]
    assert lines[-1] == "[3] Short."
    width = max(map(len, plain.split("\n")))
    assert [line for line in lines if len(line) > width] == ["    " + "a_name_that_cannot_be_broken_" * 3]
    assert page.notes == [WithNotes(spector).sample_line(), long, "Short."]


def test_notes_are_in_every_output(spector):
    for report in (summary, summary2):
        page = report(WithNotes(spector, "p < 0.05 & more"))
        assert page.as_text().endswith("\n[2] p < 0.05 & more")
        assert "<li>p &lt; 0.05 &amp; more</li>" in page.as_html()
        assert r"{[}2{]} p \textless{} 0.05 \& more" in page.as_latex()


def test_without_notes_there_is_no_extra_text(spector):
    assert summary(spector).extra_txt is None
    assert summary(spector).notes == []


def test_a_result_can_name_its_model_and_method(spector):
    firth = WithNotes(spector)
    firth.model_title, firth.method = "Firth Logit Regression Results", "Penalized"
    assert summary(firth).parts[0].title == "Firth Logit Regression Results"
    assert summary(firth, title="Mine").parts[0].title == "Mine"
    assert summary(firth).tables[0].data[2][:2] == ["Method:", "Penalized"]
    assert summary2(firth).parts[0].title == "Firth Logit Regression Results"


def test_tables_of_summary_give_their_texts(spector):
    top, coefficients = summary(spector).tables
    assert top.data[0] == ["Dep. Variable:", "GRADE", "  No. Observations:", "32"]
    assert coefficients.data[2] == ["GPA", "2.8261", "1.263", "2.238", "0.025", "0.351", "5.301"]


def test_tables_of_summary2_are_statsmodels_frames(fit):
    ours, theirs = summary2(fit, alpha=0.1, clock=True).tables, fit.summary2(alpha=0.1).tables
    pd.testing.assert_frame_equal(ours[1], theirs[1], check_exact=True)
    assert list(ours[0].shape) == list(theirs[0].shape)


def test_summary2_uses_its_float_format(spector):
    rows = cells_of_html(summary2(spector, float_format="%.2f").as_html())
    assert rows[-1] == ["PSI", "2.38", "1.06", "2.23", "0.03", "0.29", "4.47"]


@pytest.mark.parametrize("report", [summary, summary2])
def test_bad_arguments_are_named(spector, report):
    with pytest.raises(DataError, match="xname has 2 names; the model has 4 coefficients"):
        report(spector, xname=["a", "b"])
    for alpha in (0.0, 1.0, 95, -0.05):
        with pytest.raises(DataError, match="alpha"):
            report(spector, alpha=alpha)


@pytest.mark.parametrize("float_format", ["4f", "%s and more", "%d%d", "{:.4f}"])
def test_a_bad_float_format_is_named(spector, float_format):
    with pytest.raises(DataError, match="float_format"):
        summary2(spector, float_format=float_format)


def test_a_summary_shows_itself(spector):
    for report in (summary, summary2):
        page = report(spector, clock=False)
        assert isinstance(page, Summary)
        assert str(page) == page.as_text()
        assert repr(page).endswith(f'"""\n{page.as_text()}\n"""')
        assert page._repr_html_() == page.as_html()
        assert page._repr_latex_() == page.as_latex()


def test_our_own_result_prints_statsmodels_text_above_its_notes():
    for formula in ("GRADE ~ GPA + TUCE + PSI", "GRADE ~ GPA * C(PSI)"):
        ours, theirs = ls.logit(formula, SPECTOR).fit(), smf.logit(formula, SPECTOR).fit(disp=0)
        text = without_clock(ours.summary().as_text())
        assert text.startswith(without_clock(theirs.summary().as_text()) + "\n\nNotes:\n[1] 32 rows read")
