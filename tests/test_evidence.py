"""The panel for one term shows what the separate methods show."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError

FORMULA = "low ~ age + lwt + C(race) + smoke"


@pytest.fixture(scope="module")
def births():
    return ls.datasets.load("birthwt").assign(site=lambda d: np.arange(len(d)) % 40)


@pytest.mark.parametrize("term", ["smoke", "C(race)", "C(race)[T.black]"])
def test_the_panel_is_the_sum_of_its_parts(births, term):
    res = ls.logit(FORMULA, births).fit().with_cov("cluster", groups="site")
    panel = res.evidence(term)
    p = panel.tests.set_index("method")
    assert [*p.index] == ["Wald", "Wald, HC3", "Wald, cluster", "likelihood ratio", "score"]
    columns = {"smoke": ["smoke"], "C(race)": ["C(race)[T.black]", "C(race)[T.other]"]}.get(term, [term])
    held = ", ".join(f"{c} = 0" for c in columns)
    for label, cov in [("Wald", "nonrobust"), ("Wald, HC3", "HC3")]:
        assert_allclose(p.loc[label, "statistic"], res.with_cov(cov).wald_test(held).statistic, rtol=1e-12)
    assert_allclose(p.loc["Wald, cluster", "statistic"], res.wald_test(held).statistic, rtol=1e-12)
    constrained = res.model.fit_constrained(held)
    assert_allclose(p.loc["likelihood ratio", "statistic"], res.lr_test(constrained).statistic, rtol=1e-8)
    rows = panel.intervals.set_index(["coefficient", "method"])
    assert_allclose(
        rows.loc[(columns[0], "profile likelihood"), ["conf_low", "conf_high"]].astype(float),
        res.conf_int(method="profile").loc[columns[0]], rtol=1e-9,
    )  # fmt: skip
    assert_allclose(rows.loc[(columns[0], "Wald, cluster"), "std_error"], res.bse[columns[0]], rtol=1e-12)
    assert panel.events_per_parameter == pytest.approx(59 / 6)


def test_agreement_and_disagreement_are_said(births):
    res = ls.logit(FORMULA, births).fit()
    assert res.evidence("smoke").agree
    assert "All 4 tests agree" in res.evidence("smoke").verdict
    p = res.evidence("lwt").tests["p_value"]
    between = float(np.sqrt(p.min() * p.max()))
    split = res.evidence("lwt", alpha=between)
    assert not split.agree
    assert "disagree" in str(split)
    assert "events per coefficient" in split.verdict
    assert "<table" in split._repr_html_()


def test_a_peak_that_is_past_is_flagged():
    # two groups of 100: none but one event in the first, all but one in the second
    data = pd.DataFrame({"x": np.repeat([0.0, 1.0], 100), "y": np.r_[1, np.zeros(99), np.ones(99), 0].astype(int)})
    panel = ls.logit("y ~ x", data).fit().evidence("x")
    assert panel.past_peak == ("x",)
    assert "past its peak" in panel.verdict


def test_what_cannot_be_compared(births):
    res = ls.logit(FORMULA, births).fit()
    with pytest.raises(DataError, match="no term"):
        res.evidence("weight")
    with pytest.raises(NotAvailableError, match="bias is reduced"):
        ls.logit(FORMULA, births).fit_firth(kind="median").evidence("age")
    firth = ls.logit(FORMULA, births).fit_firth().evidence("age")
    assert "penalized likelihood ratio" in [*firth.tests["method"]]
    survey = ls.logit(FORMULA, births, sampling_weights=np.linspace(1, 2, len(births))).fit().evidence("age")
    assert [*survey.tests["method"]] == ["Wald, survey"]
