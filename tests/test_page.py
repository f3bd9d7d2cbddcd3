"""The page of HTML: complete, self-contained, the same for the same fit."""

from __future__ import annotations

import re
import sys
from base64 import b64decode
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
    parts = ["Summary", "Odds ratios", "Pictures", "Notes", "Rows left out", "Certificate"]
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

    assert "Pictures" not in page(res, pictures=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    without = res.report()
    assert "<img" not in without
    assert "Pictures need matplotlib, which is not installed: pip install matplotlib." in without
    assert "Certificate" in without


def test_pages_of_other_fits_leave_out_what_they_cannot_draw():
    firth = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_firth().report()
    assert len(pictures(firth)) == 5
    assert "Certificate" not in firth
    constant = ls.logit("low ~ 1", ls.datasets.load("birthwt")).fit().report()
    assert "Certificate" in constant
    assert len(pictures(constant)) < 5
