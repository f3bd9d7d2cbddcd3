"""Classification, ranking and collinearity against the reference values."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.assess.indexes import indexes
from logit_stats.assess.scored import Scored
from logit_stats.errors import DataError, NotAvailableError
from tests.cases import STANDARD_CASES, load_case


@cache
def fitted(name: str) -> tuple:
    case = load_case(name)
    formula, arguments = case.model_arguments()
    return case, ls.logit(formula, data=case.data, **arguments).fit()


def cases_with(key: str) -> list[str]:
    return [name for name in STANDARD_CASES if key in load_case(name).values]


@pytest.mark.parametrize("name", cases_with("classification"))
def test_classification(name):
    case, res = fitted(name)
    reference, got = case.values["classification"], res.classification()
    for ours, theirs in [("accuracy", "accuracy"), ("sensitivity", "sensitivity"), ("specificity", "specificity"),
                         ("ppv", "ppv"), ("npv", "npv"), ("f1", "f1"), ("balanced_accuracy", "balanced_accuracy"),
                         ("mcc", "mcc"), ("kappa", "cohen_kappa")]:  # fmt: skip
        assert_allclose(getattr(got, ours), reference[theirs], rtol=1e-9, err_msg=ours)
    counts = [[reference["true_neg"], reference["false_pos"]], [reference["false_neg"], reference["true_pos"]]]
    assert_allclose(got.table, counts)


@pytest.mark.parametrize("name", cases_with("pairs"))
def test_concordance(name):
    case, res = fitted(name)
    got, reference = res.roc().concordance, case.values["pairs"]
    for key in (
        "pairs",
        "concordant",
        "discordant",
        "tied",
        "c_index",
        "somers_dxy",
        "goodman_kruskal_gamma",
        "kendall_tau_a",
    ):
        assert_allclose(getattr(got, key), reference[key], rtol=1e-9, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("name", cases_with("rms_lrm"))
def test_what_lrm_of_rms_shows(name):
    case, res = fitted(name)
    want = dict(case.values["rms_lrm"])
    found, pairs = indexes(Scored.of_fit(res.fit_)), res.roc().concordance
    ours = {
        "Obs": res.nobs, "Model_L_R_": res.llr, "d_f_": res.df_model, "R2": found.r2, "Brier": found.brier, "g": found.g,
        "gr": np.exp(found.g), "gp": found.gp, f"R2({res.nobs:.0f})": res.pseudo_rsquared("cox_snell"),
    }  # fmt: skip
    for key, value in ours.items():
        assert_allclose(value, want.pop(key), rtol=1e-7, err_msg=key)
    # rms takes p-values as 1 - probability
    assert_allclose(res.llr_pvalue, want.pop("P"), rtol=1e-7, atol=1e-15)
    gof = res.gof().frame.loc["le Cessie-van Houwelingen", ["statistic", "p_value"]].astype(float)
    assert_allclose(gof, want.pop("residuals_gof_z_p"), rtol=1e-7)
    # the reference says of these: from probabilities rounded into bins, which differ in the third digit (of pairs that rounding
    # ties, the first three count by halves and gamma not at all)
    ranks = {
        "C": pairs.c_index,
        "Dxy": pairs.somers_dxy,
        "Gamma": pairs.goodman_kruskal_gamma,
        "Tau-a": pairs.kendall_tau_a,
    }
    for key, value in ranks.items():
        assert_allclose(value, want.pop(key), rtol=0, atol=8e-3, err_msg=key)
    # what is left are shares of explained variation adjusted for the number of coefficients, which we do not have
    assert all(key.startswith("R2(") or key == "Max_Deriv" for key in want)


@pytest.mark.parametrize("name", cases_with("roc"))
def test_roc(name):
    case, res = fitted(name)
    got, reference = res.roc(), case.values["roc"]
    assert_allclose(got.auc, reference["auc"], rtol=1e-10)
    assert_allclose(got.variance, reference["delong_var"], rtol=1e-7)
    assert_allclose(got.conf_int(clip=False), reference["delong_ci_95"], rtol=1e-7)
    assert_allclose(got.conf_int(), reference["delong_ci_95_clipped_to_0_1"], rtol=1e-7)
    best = got.youden.sort_values("threshold")
    order = np.argsort(reference["youden_cutoffs_rule_ge"])
    assert_allclose(best["youden"], reference["youden_j_max"], rtol=1e-9)
    assert_allclose(best["threshold"], np.array(reference["youden_cutoffs_rule_ge"])[order], rtol=1e-7)
    assert_allclose(best["sensitivity"], np.array(reference["youden_sensitivity"])[order], rtol=1e-9)


@pytest.mark.parametrize("name", cases_with("vif"))
def test_variance_inflation(name):
    case, res = fitted(name)
    reference, got = case.values["vif"], res.vif()
    terms = got.terms.set_index("term")
    from_coefficients = reference["from_coefficient_covariance"]
    renamed = {"I(age^2)": "I(age ** 2)"}
    names = [renamed.get(term, term) for term in from_coefficients["terms"]]
    # car takes the covariance of R's glm, from the weights before the last iteration: off by 6e-7 in titanic
    rtol = 1e-6 if name.startswith("titanic") else 1e-7
    key = "gvif" if "gvif" in from_coefficients else "vif"
    assert_allclose(terms.loc[names, "gvif"], from_coefficients[key], rtol=rtol)
    if "gvif_power" in from_coefficients:
        assert_allclose(terms.loc[names, "gvif_power"], from_coefficients["gvif_power"], rtol=rtol)
    assert_allclose(np.sort(got.columns), np.sort(reference["from_design_columns"]["vif"]), rtol=1e-7)


def test_frequency_weights_count_as_repeated_rows():
    rng = np.random.default_rng(6)
    data = pd.DataFrame({"x": rng.normal(size=50).round(1), "f": rng.integers(1, 4, 50)})
    data["y"] = (rng.random(50) < 1 / (1 + np.exp(-data["x"]))).astype(int)
    weighted = ls.logit("y ~ x", data, freq_weights="f").fit()
    repeated = ls.logit("y ~ x", data.loc[data.index.repeat(data["f"])]).fit()
    assert_allclose(weighted.roc().auc, repeated.roc().auc, rtol=1e-12)
    assert_allclose(weighted.roc().variance, repeated.roc().variance, rtol=1e-9)
    assert_allclose(weighted.classification().table, repeated.classification().table)


def test_report_has_the_columns_and_rows_of_a_classification_report():
    _, res = fitted("spector_numeric")
    assert res.classification().report() == (
        "              precision     recall   f1-score    support\n"
        "\n"
        "           0       0.86       0.86       0.86         21\n"
        "           1       0.73       0.73       0.73         11\n"
        "\n"
        "    accuracy                             0.81         32\n"
        "   macro avg       0.79       0.79       0.79         32\n"
        "weighted avg       0.81       0.81       0.81         32"
    )


def test_what_cannot_be_asked_is_said():
    _, res = fitted("spector_numeric")
    with pytest.raises(DataError, match="threshold=2"):
        res.classification(2)
    with pytest.raises(NotAvailableError, match="two terms"):
        ls.logit("grade ~ gpa", load_case("spector_numeric").data).fit().vif()
    with pytest.raises(NotAvailableError, match="has none"):
        ls.logit("grade ~ gpa + psi - 1", load_case("spector_numeric").data).fit().vif()
    for thing in (res.classification(), res.roc(), res.get_influence(), res.vif()):
        assert len(str(thing)) > 60
        assert thing._repr_html_().startswith("<")
