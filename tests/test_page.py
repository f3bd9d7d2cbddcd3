"""The page of HTML: complete, self-contained, the same for the same fit."""

from __future__ import annotations

import re
import sys
from base64 import b64decode
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

import logit_stats as ls


@pytest.fixture(scope="module")
def res():
    data = ls.datasets.load("birthwt").astype({"age": float})
    data.loc[3, "age"] = float("nan")
    return ls.logit("low ~ age + lwt + race", data).fit()


def pictures(page):
    found = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    return [ElementTree.fromstring(b64decode(data)) for data in found]


def test_page_has_its_parts_and_asks_for_nothing_outside(res):
    page = res.report()
    parts = ["Methods", "Results", "Sample", "Odds ratios", "Tests of terms", "Average effects on the probability",
             "Calibration and discrimination", "Influence", "Summary", "Notes", "Certificate"]  # fmt: skip
    assert re.findall("<h2>(.*?)</h2>", page) == parts
    assert len(pictures(page)) == 5
    assert page.count("<img alt=") == 5
    assert "missing age" in page
    assert not re.search(r"(src|href)=.?(https?:|//|[^\"d])", page)
    assert "@media print" in page
    assert "prefers-color-scheme: dark" in page


def test_page_is_the_same_in_any_style_and_leaves_the_style_alone(res):
    first = res.report()
    with plt.style.context("dark_background"):
        before = dict(mpl.rcParams)
        assert res.report() == first
        assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


def test_page_without_matplotlib_or_pictures(res, monkeypatch):
    from logit_stats.report.page import page

    assert not pictures(page(res, pictures=False))
    assert "Pictures are left out" not in page(res, pictures=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    without = res.report()
    assert not pictures(without)
    assert "Pictures are left out: matplotlib is not installed" in without
    assert "Certificate" in without


def test_pages_of_other_fits_leave_out_what_they_cannot_draw():
    firth = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_firth().report()
    assert len(pictures(firth)) == 5
    assert "Certificate" not in firth
    constant = ls.logit("low ~ 1", ls.datasets.load("birthwt")).fit().report()
    assert "Certificate" in constant
    assert len(pictures(constant)) < 5


def test_sections_are_chosen_by_name(res):
    page = res.report(sections=["table", "methods"], labels={"lwt": "Weight (lb)"})
    assert re.findall('<section id="(.*?)">', page) == ["table", "methods"]
    assert "Weight (lb)" in page
    with pytest.raises(ls.errors.UnknownOptionError, match="no section 'tables'"):
        res.report(sections=["tables"])
    checked = res.report(sections=["crosscheck"])
    assert "Cross-check with statsmodels" in checked
    # asked for, and not to be had: the page says why
    firth = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_firth()
    assert re.search(r"Certificate</h2><p>.*maximum", firth.report(sections=["certificate"]))


def test_sample_flow_adds_up(res):
    page = res.report(sections=["sample"])
    numbers = dict(re.findall(r'<tr><td class="text">(.*?)</td><td>([\d,]+)</td></tr>', page))
    assert int(numbers["Rows read"]) - int(numbers["− with missing values"]) == int(numbers["= used"])
    assert int(numbers["&emsp;events"]) + int(numbers["&emsp;non-events"]) == int(numbers["= used"])


def test_paragraphs_hold_the_numbers_of_the_result(res):
    text = res.results_text(labels={"lwt": "weight"})
    ratios = res.odds_ratios()
    low, high = (f"{ratios.loc['lwt', name]:.3f}" for name in ("conf_low", "conf_high"))
    assert (
        f"weight (p = {res.pvalues['lwt']:.3f}): per unit, {ratios.loc['lwt', 'odds_ratio']:.3f} ({low} to {high})"
        in text
    )
    assert f"black against white, {ratios.loc['race[T.black]', 'odds_ratio']:.2f}" in text
    assert f"188 observations with 59 events ({100 * 59 / 188:.1f}%)" in text
    assert f"{res.roc().auc:.3f}" in text
    methods = res.with_cov("HC3").methods_text()
    assert "189 rows 1 with missing values were left out: age (1)" in methods
    # every source is cited, and every citation has its source
    cited = set(re.findall(r"\[(\d)\]", methods.partition("\n\n")[0]))
    assert cited == set(re.findall(r"^\[(\d)\]", methods.partition("\n\n")[2], re.M)) == {"1", "2"}


def test_paragraphs_of_every_kind_of_result():
    data = ls.datasets.load("birthwt").assign(g=lambda d: d.index % 20)
    kinds = {
        "conditional logistic regression": ls.clogit("low ~ race + smoke", data, groups="g").fit(),
        "generalized estimating equations": ls.gee("low ~ race + smoke", data, groups="g", corr="independence").fit(),
        "random effects": ls.melogit("low ~ race + smoke + (1 | g)", data).fit(),
        "Firth's penalized likelihood": ls.logit("low ~ race", data).fit_firth(),
        "multinomial logistic regression": ls.mnlogit("race ~ lwt", data).fit(),
        "penalized logistic regression": ls.logit("low ~ race", data).fit_regularized(alpha=0.1),
    }
    for words, res in kinds.items():
        assert words in res.methods_text()
        assert "odds ratio " in res.results_text()
    limit = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_limit()
    assert "limits of maximum likelihood" in limit.methods_text()
    assert "∞ (95% CI" in limit.results_text()


def test_names_that_are_no_mathematics_do_not_break_a_page():
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(1)
    data = pd.DataFrame({"cost ($x^{$)": random.normal(size=80)}, index=[f"row $x^{{{i}$" for i in range(80)])
    data["y"] = random.integers(0, 2, 80)
    data["g"] = np.where(np.arange(80) % 2, "a $_{", "b\x1b[31m")
    res = ls.logit("y ~ Q('cost ($x^{$)') + g", data).fit()
    page = res.report()
    assert len(pictures(page)) == 5
    assert "\x1b" not in page
    for ax in (
        res.plot.influence(),
        res.plot.margins("g"),
        res.plot.residuals("g"),
        res.plot.margins("cost ($x^{$)", over="g"),
    ):
        ax.figure.canvas.draw()
        plt.close(ax.figure)


def test_pictures_of_many_rows_and_levels_are_readable():
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(1)
    names = [f"Regierungsbezirk{i:02d}" for i in range(16)]
    data = pd.DataFrame(
        {"land": random.choice(names, 600), "x": random.normal(size=600), "y": random.integers(0, 2, 600)}
    )
    res = ls.logit("y ~ land + x", data).fit()
    ax = res.plot.margins("land")
    ax.figure.canvas.draw()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))
    assert [label.get_text() for label in ax.get_xticklabels()] == names  # no word is broken
    for drawn in (
        ax,
        res.plot.margins("x", over="land"),
        res.plot.residuals(),
        res.plot.influence(),
        res.plot.residuals("land"),
    ):
        drawn.figure.canvas.draw()
        box = drawn.get_legend()
        inside = drawn.get_window_extent()
        assert box is None or not inside.padded(-3).overlaps(box.get_window_extent())
        plt.close(drawn.figure)
    forest = re.search(
        r'<figure class="wide-picture"><img alt="Odds ratios.*?base64,([^"]+)"', res.report(sections=["table"])
    )
    height = float(ElementTree.fromstring(b64decode(forest[1])).get("height").removesuffix("pt")) / 72
    assert height > 0.3 * 16
