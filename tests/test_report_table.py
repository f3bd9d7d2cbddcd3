"""The building blocks of reports: tables in four outputs, and broom's three frames."""

from __future__ import annotations

import csv
import subprocess
import sys
from html.parser import HTMLParser
from io import StringIO
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from logit_stats.errors import DataError
from logit_stats.report.escaping import display_width, latex, one_line
from logit_stats.report.numbers import adaptive, count, fixed, significant
from logit_stats.report.table import Cell, Table, TextLayout
from logit_stats.report.tidy import augment, glance, tidy

AWKWARD = "C(race)[T.2] <b>&amp; a_b 100% \\x {y} ~^#$ \"q\" 'p' |z|"


class Cells(HTMLParser):
    """Rows of the texts of all table cells."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def cells_of_html(html: str) -> list[list[str]]:
    parser = Cells()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser.rows


def test_text_has_rules_aligned_columns_and_a_centred_title():
    table = Table.of([("age", "0.02"), ("C(race)[T.2]", "-1.30")], head=("", "coef"), title="Coefficients")
    assert str(table) == (
        "   Coefficients   \n"
        "==================\n"
        "              coef\n"
        "------------------\n"
        "age           0.02\n"
        "C(race)[T.2] -1.30\n"
        "=================="
    )


def test_layout_sets_rules_gaps_and_least_widths():
    layout = TextLayout(above="-", under_head="", below="", gap=" | ", least_widths=(4,), head_align="c")
    table = Table.of([("a", "1"), ("b", "22")], head=("x", "yyyy"), align="lr", layout=layout)
    assert table.as_text() == "-----------\n x   | yyyy\na    |    1\nb    |   22"


def test_wide_and_combining_characters_stay_aligned():
    table = Table.of([("収入", "1"), ("age", "2"), ("e\u0301ta\u0301t", "3")])
    assert table.as_text().split("\n")[1:-1] == ["収入 1", "age  2", "e\u0301ta\u0301t 3"]
    assert display_width("収入") == display_width("e\u0301ta\u0301t") == 4


def test_line_breaks_in_names_do_not_break_lines():
    table = Table.of([("a\nb\tc\u2028d", "1")])
    assert table.as_text().split("\n")[1] == "a\\nb\\tc\\u2028d 1"
    assert cells_of_html(table.as_html()) == [["a\\nb\\tc\\u2028d", "1"]]


def test_html_escapes_names_and_title():
    html = Table.of([(AWKWARD, "1")], head=("", "P>|z|"), title="a < b").as_html()
    assert "<b>" not in html
    assert "<caption>a &lt; b</caption>" in html
    assert cells_of_html(html) == [["", "P>|z|"], [AWKWARD, "1"]]


def test_html_marks_heads_of_rows_and_columns():
    html = Table.of([("age", "1")], head=("", "coef")).as_html()
    assert '<th scope="col" style="text-align:right">coef</th>' in html
    assert '<th scope="row" style="text-align:left">age</th>' in html
    assert '<td style="text-align:right">1</td>' in html
    assert "<td></td>" in html


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C(race)[T.2]", "C(race){[}T.2{]}"),
        ("a_b & 100% #1 $x$", r"a\_b \& 100\% \#1 \$x\$"),
        ("{x} \\ ^ ~", r"\{x\} \textbackslash{} \textasciicircum{} \textasciitilde{}"),
        ("P>|z| <", r"P\textgreater{}\textbar{}z\textbar{} \textless{}"),
        ("-13.0213", "$-13.0213$"),
        ("0.008", "0.008"),
        ("-1.2e-05", r"$-1.2 \times 10^{-5}$"),
        ("1e+300", r"$1 \times 10^{300}$"),
        ("nan", "nan"),
        ("-inf", "-inf"),
        ("1a", "1a"),
    ],
)
def test_latex_escapes_text_and_sets_numbers(text, expected):
    assert latex(text) == expected


def test_latex_tabular_is_whole():
    table = Table.of([("a_b", "-1.5"), ("c", "")], head=("", "coef"), align="lc")
    assert table.as_latex() == (
        "\\begin{tabular}{lc}\n\\toprule\n & \\textbf{coef} \\\\\n\\midrule\n"
        "\\textbf{a\\_b} & $-1.5$ \\\\\n\\textbf{c} &  \\\\\n\\bottomrule\n\\end{tabular}"
    )


def test_csv_reads_back():
    table = Table.of([('say "x, y"', "1"), ("  indented", "2")], head=("", "coef"), title="One, two")
    rows = list(csv.reader(StringIO(table.as_csv())))
    assert rows == [["One, two"], ["", "coef"], ['say "x, y"', "1"], ["indented", "2"]]


def test_data_are_the_texts():
    assert Table.of([("a", "1")], head=("", "coef")).data == [["", "coef"], ["a", "1"]]


def test_table_without_rows_prints_its_head():
    assert Table.of([], head=("term", "coef")).as_text() == "=========\nterm coef\n---------\n========="
    assert Table.of([]).as_html().endswith("<tbody>\n</tbody>\n</table>")


def test_rows_of_different_lengths_are_refused():
    with pytest.raises(DataError, match="different numbers of cells: 2 and 1"):
        Table.of([("a", "1"), ("b",)])
    with pytest.raises(DataError, match="different numbers of cells: 1 and 2"):
        Table(((Cell("a"),), (Cell("b"), Cell("c"))))


@pytest.mark.parametrize("align", ["l", "lrr", "lx"])
def test_alignments_are_checked(align):
    with pytest.raises(DataError, match="for each of 2 columns"):
        Table.of([("a", "1")], align=align)


texts = st.text(max_size=12)


@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=5), st.tuples(texts, texts, texts))
def test_any_text_keeps_the_shape_in_every_output(rows, head):
    table = Table.of(rows, head=head)
    lines = table.as_text().split("\n")
    assert len(lines) == len(rows) + 4
    assert {display_width(line) for line in lines} == {table.width}
    shown = [[one_line(text).strip() for text in row] for row in (head, *rows)]
    assert cells_of_html(table.as_html()) == shown
    # what a spreadsheet would take for a formula has an apostrophe in front
    read = list(csv.reader(StringIO(table.as_csv())))
    assert [[text.removeprefix("'") for text in row] for row in read] == [
        [text.removeprefix("'") for text in row] for row in shown
    ]
    assert table.as_latex().count(r"\\") == len(rows) + 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [(2.8261, "2.826"), (12345.6, "1.23e+04"), (1e-5, "1e-05"), (0.0, "0"), (np.inf, "inf"), (np.nan, "nan")],
)
def test_adaptive_numbers(value, expected):
    assert adaptive(value, 3) == expected


def test_counts_may_be_fractional_huge_or_missing():
    assert [count(n) for n in (32, 31.5, np.float64(7), np.nan, np.inf, 1e300)] == [
        "32", "31.50", "7", "NaN", "inf", "1e+300",
    ]  # fmt: skip


def test_fixed_numbers_stay_short():
    assert fixed(12345678.9, "%.4f") == "12345678.9000"
    assert fixed(-1e300, "%.4f") == "-1e+300"
    assert significant(1e-300, 4) == "1.000e-300"


# broom's frames.


@pytest.fixture(scope="module")
def fitted():
    spector = sm.datasets.spector.load_pandas()
    return sm.Logit(spector.endog, sm.add_constant(spector.exog)).fit(disp=0)


def test_tidy_has_fixed_columns(fitted):
    frame = tidy(fitted)
    assert list(frame.columns) == [
        "term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high",
    ]  # fmt: skip
    assert list(frame.term) == ["const", "GPA", "TUCE", "PSI"]
    for column, values in [("estimate", fitted.params), ("std_error", fitted.bse), ("statistic", fitted.tvalues)]:
        np.testing.assert_array_equal(frame[column], values)
    np.testing.assert_array_equal(frame.p_value, fitted.pvalues)
    np.testing.assert_array_equal(frame[["conf_low", "conf_high"]], fitted.conf_int())


def test_tidy_limits_follow_alpha_and_can_be_left_out(fitted):
    np.testing.assert_array_equal(tidy(fitted, alpha=0.2)[["conf_low", "conf_high"]], fitted.conf_int(0.2))
    assert list(tidy(fitted, conf_int=False).columns) == ["term", "estimate", "std_error", "statistic", "p_value"]


def test_tidy_exponentiates_estimate_and_limits_only(fitted):
    plain, ratios = tidy(fitted), tidy(fitted, exponentiate=True)
    for name in ("estimate", "conf_low", "conf_high"):
        np.testing.assert_allclose(ratios[name], np.exp(plain[name]), rtol=1e-15)
    for name in ("term", "std_error", "statistic", "p_value"):
        pd.testing.assert_series_equal(ratios[name], plain[name])
    assert "conf_low" not in tidy(fitted, conf_int=False, exponentiate=True)


def test_tidy_of_an_enormous_coefficient_is_infinite_without_a_warning():
    res = SimpleNamespace(
        params=np.array([800.0]), bse=np.array([1.0]), tvalues=np.array([800.0]), pvalues=np.array([0.0]),
        conf_int=lambda alpha: np.array([[798.0, 802.0]]), model=SimpleNamespace(exog_names=["x"]),
    )  # fmt: skip
    assert np.isinf(tidy(res, exponentiate=True).estimate[0])


def stub(used, index, labelled=True, **more):
    """A result of a fit to the rows of `index` that are `used`."""
    rows = int(np.sum(used))

    def values(start):
        numbers = start + np.arange(rows, dtype=float)
        return pd.Series(numbers, index=index[used]) if labelled else numbers

    return SimpleNamespace(
        fittedvalues=values(0), predict=lambda: values(100), resid_dev=values(200), resid_pearson=values(300),
        model=SimpleNamespace(sample=SimpleNamespace(used=np.asarray(used), index=index)), **more,
    )  # fmt: skip


@pytest.mark.parametrize("labelled", [True, False])
def test_augment_keeps_every_row_and_the_index(labelled):
    data = pd.DataFrame({"x": [1.0, np.nan, 3.0]}, index=["c", "a", "b"])
    frame = augment(stub([True, False, True], data.index, labelled), data)
    expected = pd.DataFrame(
        {"x": data.x, ".fitted": [0, np.nan, 1], ".prob": [100, np.nan, 101], ".resid": [200, np.nan, 201],
         ".resid_pearson": [300, np.nan, 301]}, index=data.index,
    )  # fmt: skip
    pd.testing.assert_frame_equal(frame, expected)
    assert list(data.columns) == ["x"]


def test_augment_without_data_gives_the_rows_of_the_fit():
    frame = augment(stub([True, False, True], pd.Index(["c", "a", "b"])))
    assert list(frame.index) == ["c", "b"]
    assert list(frame[".prob"]) == [100.0, 101.0]


def test_augment_gives_leverages_where_the_result_has_them():
    influence = SimpleNamespace(hat_matrix_diag=np.array([0.25, 0.75]))
    res = stub([True, False, True], pd.RangeIndex(3), get_influence=lambda: influence)
    np.testing.assert_array_equal(augment(res, pd.DataFrame({"x": [1, 2, 3]}))[".hat"], [0.25, np.nan, 0.75])


def test_augment_of_statsmodels_results(fitted):
    spector = sm.datasets.spector.load_pandas().data
    frame = augment(fitted, spector)
    assert list(frame.columns) == [*spector.columns, ".fitted", ".prob", ".resid", ".resid_pearson", ".hat"]
    np.testing.assert_allclose(frame[".prob"], 1 / (1 + np.exp(-frame[".fitted"])), rtol=1e-12)
    assert frame[".hat"].sum() == pytest.approx(4)


def test_augment_takes_the_tables_that_a_fit_takes():
    res = stub([True, False, True], pd.RangeIndex(3))
    for data in (pl.DataFrame({"x": [1, 2, 3]}), {"x": [1, 2, 3]}):
        frame = augment(res, data)
        assert list(frame.x) == [1, 2, 3]
        np.testing.assert_array_equal(frame[".fitted"], [0, np.nan, 1])


def test_augment_refuses_other_data():
    res = stub([True, False, True], pd.Index(["c", "a", "b"]))
    with pytest.raises(DataError, match=r"has 2 rows, but 3 were read"):
        augment(res, pd.DataFrame({"x": [1, 3]}))
    with pytest.raises(DataError, match="list"):
        augment(res, [1, 2, 3])


def test_augment_refuses_sorted_data():
    data = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=["c", "a", "b"])
    res = stub([True, True, True], data.index)
    with pytest.raises(DataError, match="another order"):
        augment(res, data.sort_index())
    assert list(augment(res, data.sort_index().reset_index(drop=True))[".fitted"]) == [0.0, 1.0, 2.0]


def test_glance_is_one_row_with_brooms_quantities_first():
    values = {
        "null_deviance": 41.18, "llf": -12.89, "aic": 33.78, "bic": 39.64, "deviance": 25.78, "df_resid": 28.0,
        "nobs": 32.0, "df_model": 3.0, "llnull": -20.59, "llr": 15.4, "llr_pvalue": 0.0015, "prsquared": 0.374,
        "converged": True, "cov_type": "HC1",
    }  # fmt: skip
    frame = glance(SimpleNamespace(**values))
    assert list(frame.columns[:8]) == [
        "null_deviance", "df_null", "llf", "aic", "bic", "deviance", "df_resid", "nobs",
    ]  # fmt: skip
    assert len(frame) == 1
    assert frame.df_null[0] == 31.0
    assert frame.drop(columns="df_null").iloc[0].to_dict() == values


def test_reports_need_neither_statsmodels_nor_matplotlib():
    code = (
        "import sys, logit_stats.report.summary, logit_stats.report.tidy\n"
        "sys.exit(sum(name in sys.modules for name in ('statsmodels', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
