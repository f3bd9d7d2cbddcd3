"""Stepwise selection against MASS::stepAIC; models side by side."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError, MissingDataError, NotAvailableError, UnknownOptionError
from tests.cases import load_case

CASES = [
    ("birthwt_factor", "step_backward_aic", {}),
    ("birthwt_factor", "step_backward_bic", {"criterion": "bic"}),
    ("birthwt_factor", "step_forward_aic", {"direction": "forward", "from_null": True}),
    ("birthwt_factor", "step_both_aic_with_interactions", {"direction": "both"}),
    ("pima_train_test", "step_backward_aic", {}),
    ("pima_train_test", "step_both_bic", {"direction": "both", "criterion": "bic"}),
    ("spector_numeric", "step_backward_aic", {}),
]


def plain(text: str) -> str:
    return re.sub(r"C\((\w+)\)", r"\1", text)


@pytest.mark.parametrize(("name", "key", "settings"), CASES)
def test_the_path_is_that_of_step_aic(name, key, settings):
    case = load_case(name)
    want = case.values[key]
    formula, arguments = case.model_arguments()
    if "start_formula_r" in want:
        formula = want["start_formula_r"].replace("race", "C(race)")
    path = ls.step(ls.logit(formula, case.data, **arguments).fit(), **settings)
    steps = [plain(s) for s in path.frame["step"]]
    turned = [re.sub(r"(\w+):(\w+)", r"\2:\1", s) for s in steps]
    assert [a if a in want["steps"] else b for a, b in zip(steps, turned, strict=True)] == want["steps"]
    assert_allclose(path.frame.iloc[:, 1], want["criterion"], rtol=1e-9)
    assert_allclose(path.frame["-2 log-likelihood"], want["resid_dev"], rtol=1e-9)
    final = ls.logit(path.result.model.formula, case.data, **arguments).fit()
    assert_allclose(path.result.params.sort_index(), final.params.sort_index(), rtol=1e-8)
    assert_allclose(np.sort(path.result.params), np.sort(want["final_coef"]), rtol=1e-7)
    assert_allclose(path.result.predict(case.data.head(3)), final.predict(case.data.head(3)), rtol=1e-9)


@pytest.fixture(scope="module")
def births():
    return ls.datasets.load("birthwt")


def test_by_p_values(births):
    res = ls.logit("low ~ age + lwt + C(race) + smoke + ftv", births).fit()
    path = ls.step(res, criterion="pvalue", stay=0.2)
    assert (path.result.drop1().frame["p_value"].dropna() <= 0.2).all()
    forward = ls.step(ls.logit("low ~ 1", births).fit(), "age + lwt + smoke + ht", "forward", "pvalue")
    assert forward.path[1].change == "+ lwt" or forward.path[1].change.startswith("+ ")
    p = forward.result.add1("age + lwt + smoke + ht + ui").frame["p_value"].drop("ui", errors="ignore").dropna()
    assert (p[[name for name in p.index if name in ("age", "lwt", "smoke", "ht")]] >= 0.05).all()


def test_interactions_come_after_their_parts_and_hold_them(births):
    res = ls.logit("low ~ smoke", births).fit()
    path = ls.step(res, "smoke + lwt + smoke:lwt", "forward", "pvalue", enter=0.999, stay=0.9999)
    assert [m.change for m in path.path[1:]].index("+ lwt") == 0
    kept = ls.step(ls.logit("low ~ age * ftv + lwt", births).fit())
    assert "age" in kept.result.model.formula


def test_what_selection_refuses(births):
    res = ls.logit("low ~ age", births).fit()
    with pytest.raises(NotAvailableError, match="array"):
        ls.step(ls.Logit(births.low, np.column_stack([np.ones(189), births.age])).fit())
    with pytest.raises(DataError, match="only takes terms away"):
        ls.step(res, "lwt")
    with pytest.raises(DataError, match="from_null=True starts without"):
        ls.step(res, from_null=True)
    with pytest.raises(DataError, match="scope is a list"):
        ls.step(res, ["lwt"], "forward")
    with pytest.raises(DataError, match="enter=5"):
        ls.step(res, "lwt", "forward", "pvalue", enter=5)
    with pytest.raises(UnknownOptionError, match="direction"):
        ls.step(res, direction="up")
    with pytest.raises(MissingDataError, match="z"):
        ls.step(
            ls.logit("low ~ age", births.assign(z=births.lwt.where(births.index != births.index[3]))).fit(),
            "z",
            "forward",
        )
    with pytest.raises(NotAvailableError, match="enalized"):
        ls.step(ls.logit("low ~ age", births).fit_firth())


def test_side_by_side(births):
    models = [ls.logit(f, births).fit() for f in ("low ~ lwt", "low ~ lwt + smoke", "low ~ age")]
    table = ls.compare(*models, stars=True)
    assert [*table.coefficients.index] == ["Intercept", "lwt", "smoke", "age"]
    assert table.coefficients.loc["smoke", "(1)"] == ""
    aic = np.array([m.aic for m in models])
    weights = np.exp(-(aic - aic.min()) / 2)
    assert_allclose(table.statistics.loc["AIC weight"], weights / weights.sum(), rtol=1e-12)
    assert "*" in table.coefficients.loc["lwt", "(1)"]
    assert "log-likelihood" in str(table)
    assert "\\begin{tabular}" in table.as_latex()
    other = ls.compare(models[0], ls.logit("low ~ lwt", births[20:]).fit(), names=["all", "some"])
    assert np.isnan(other.statistics.loc["AIC weight"]).all()
    assert "different rows" in str(other)
    with pytest.raises(DataError, match="names"):
        ls.compare(models[0], names=["a", "b"])
    with pytest.raises(DataError, match="all different"):
        ls.compare(*models[:2], names=["a", "a"])
    with pytest.raises(DataError, match="is a DataFrame"):
        ls.compare(births)


def test_what_cannot_be_weighed_is_not(births):
    plain = ls.logit("low ~ lwt", births).fit()
    weight = 1 + np.arange(len(births)) % 2
    up, down = (ls.logit("low ~ lwt", births, freq_weights=w).fit() for w in (weight, np.roll(weight, 1)))
    for pair, why in (
        ((plain, ls.logit("low ~ age", births).fit_firth()), "penalized or bias-reduced"),
        ((up, down), "different outcomes or weights"),
        ((plain, ls.logit("smoke ~ lwt", births).fit()), "different outcomes or weights"),
        ((plain, ls.logit("low ~ lwt", births, sampling_weights=weight).fit()), "Under sampling weights"),
    ):
        table = ls.compare(*pair)
        assert table.statistics.loc["AIC weight"].isna().all()
        assert why in str(table)
    grouped = ls.datasets.load("esoph")
    one, two = (ls.logit(f"ncases + ncontrols ~ {f}", grouped).fit() for f in ("agegp", "agegp + alcgp"))
    assert ls.compare(one, two).statistics.loc["AIC weight"].sum() == pytest.approx(1.0)


def test_a_comparison_prints_as_other_tables_do(births):
    table = ls.compare(*(ls.logit(f, births).fit() for f in ("low ~ lwt", "low ~ C(race)")), names=["one", "<two>"])
    assert table.as_text() == str(table)
    assert table.as_text().splitlines()[1].split() == ["one", "<two>"]
    assert "&lt;two&gt;" in table.as_html()
    assert table.as_html() == table._repr_html_()
    assert table.as_csv().splitlines()[0] == ",one,<two>"


def test_the_selected_model_keeps_the_covariance(births):
    data = births.assign(who=np.arange(len(births)) // 3)
    for kind, settings in (("HC1", None), ("cluster", {"groups": "who"})):
        start = ls.logit("low ~ lwt + age", data).fit(cov_type=kind, cov_kwds=settings)
        final = ls.step(start).result
        assert final.cov_type == kind
        assert_allclose(final.bse, ls.logit("low ~ lwt", data).fit(cov_type=kind, cov_kwds=settings).bse, rtol=1e-9)


def test_comparison_says_whose_errors_are_which_in_every_form():
    res = ls.logit("low ~ age + smoke", ls.datasets.load("birthwt")).fit()
    found = ls.compare(res, res.with_cov("HC3"), names=["a_1", "b"])
    said = "Standard errors in brackets: a_1 nonrobust; b HC3."
    assert said in found.as_text()
    assert said in found.as_html()
    assert said in found.as_csv()
    assert said.replace("_", r"\_") in found.as_latex()
    assert "$-$0.0498 (0.0320)" in found.as_latex()  # a minus sign, no hyphen
    assert "\\_1 nonrobust" in found.as_markdown()
    assert "−0.0498" in found.as_typst()
