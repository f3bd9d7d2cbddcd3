"""Every standard statistic of every binary and grouped reference case, against values computed independently in R."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from tests.cases import STANDARD_CASES, Case, in_patsy_order, load_case

RTOL = 1e-8
BADLY_SCALED = "star98_grouped_badly_scaled"  # its notes and definitions allow its standard errors 1e-6


@cache
def fitted(name: str) -> tuple[Case, ls.LogitResults]:
    case = load_case(name)
    formula, arguments = case.model_arguments()
    return case, ls.logit(formula, data=case.data, **arguments).fit()


def wanted(case: Case, res: ls.LogitResults, key: str) -> np.ndarray:
    return in_patsy_order(case.values[key], case.values["names_patsy"], list(res.params.index))


def se_rtol(name: str) -> float:
    return 1e-6 if name == BADLY_SCALED else RTOL


@pytest.mark.parametrize("name", STANDARD_CASES)
class TestStandardSet:
    def test_coefficients(self, name):
        case, res = fitted(name)
        assert_allclose(res.params, wanted(case, res, "coef"), rtol=RTOL)

    def test_standard_errors_z_and_p(self, name):
        case, res = fitted(name)
        rtol = se_rtol(name)
        assert_allclose(res.bse, wanted(case, res, "se"), rtol=rtol)
        assert_allclose(res.tvalues, wanted(case, res, "z"), rtol=rtol)
        # the p-value of z = 20 moves by z² times a relative change of z
        size = 1.0 + np.asarray(res.tvalues) ** 2
        reference = wanted(case, res, "p")
        assert (np.abs(res.pvalues - reference) <= rtol * size * reference).all()

    def test_wald_intervals(self, name):
        case, res = fitted(name)
        limits = wanted(case, res, "wald_ci_95")
        scale = np.maximum(np.abs(limits), np.asarray(res.bse)[:, None])
        assert (np.abs(res.conf_int().to_numpy() - limits) <= se_rtol(name) * scale).all()

    def test_covariance_matrix(self, name):
        case, res = fitted(name)
        reference = wanted(case, res, "vcov")
        root = np.sqrt(np.diag(reference))
        assert_allclose(res.cov_params() / np.outer(root, root), reference / np.outer(root, root), atol=se_rtol(name))

    @pytest.mark.parametrize("kind", ["hc0", "hc1", "hc2", "hc3"])
    def test_robust_covariances(self, name, kind):
        case, res = fitted(name)
        robust = res.with_cov(kind.upper())
        names = case.values["names_patsy"]
        rtol = 1e-6 if name == BADLY_SCALED else 1e-7
        se = in_patsy_order(case.values["robust"][kind]["se"], names, list(res.params.index))
        # a coefficient of leverage one (a study with its own column) has no robust variance to speak of
        assert_allclose(robust.bse, se, rtol=rtol, atol=1e-9 * np.nanmax(np.abs(se)))

    def test_odds_ratios(self, name):
        case, res = fitted(name)
        frame = res.odds_ratios()
        assert_allclose(frame["odds_ratio"], wanted(case, res, "odds_ratio"), rtol=1e-7)
        assert_allclose(frame["std_error"], wanted(case, res, "odds_ratio_se_delta"), rtol=1e-7)
        limits = wanted(case, res, "odds_ratio_wald_ci_95")
        assert_allclose(frame[["conf_low", "conf_high"]], limits, rtol=1e-7)

    def test_likelihood_and_deviance(self, name):
        case, res = fitted(name)
        for ours, key in [
            (res.llf, "loglik"),
            (res.llnull, "loglik_null"),
            (res.fit_.loglik, "loglik_kernel"),
            (res.fit_.null.loglik, "loglik_null_kernel"),
            (res.deviance, "deviance"),
            (res.null_deviance, "null_deviance"),
            (res.pearson_chi2, "pearson_chi2"),
            (res.aic, "aic"),
            (res.bic, "bic"),
            (res.aicc, "aicc"),
            (res.nobs, "n_obs"),
            (res.df_resid, "df_resid"),
        ]:
            assert_allclose(ours, case.values[key], rtol=RTOL, err_msg=key)

    def test_likelihood_ratio_against_the_null(self, name):
        case, res = fitted(name)
        reference = case.values["tests_against_intercept_only"]["likelihood_ratio"]
        assert_allclose(res.llr, reference["statistic"], rtol=RTOL)
        assert res.df_model == reference["df"]
        # log p, since p is 1e-300 and less in some cases
        if reference["p"] > 0:
            assert_allclose(np.log(res.llr_pvalue), np.log(reference["p"]), rtol=RTOL)

    def test_pseudo_r2(self, name):
        case, res = fitted(name)
        reference = case.values["pseudo_r2"]
        ours = res.pseudo_rsquared("all")
        pairs = {
            "mcfadden_with_constant": "mcfadden",
            "cox_snell_n_trials": "cox_snell",
            "nagelkerke_n_trials": "nagelkerke",
            "mcfadden_adj_all_params": "mcfadden_adj",
            "mckelvey_zavoina_var_n": "mckelvey_zavoina",
        }
        compared = 0
        for key, value in reference.items():
            kind = pairs.get(key, key)
            if kind in ours.index:
                assert_allclose(ours[kind], value, rtol=RTOL, err_msg=key)
                compared += 1
        assert compared >= 3

    def test_residuals_and_fitted_values(self, name):
        case, res = fitted(name)
        if "observations" not in case.values:
            # persons, not rows, are the observations of the frequency-weighted case
            assert name == "ucb_frequency_weights"
            return
        observations = case.values["observations"]
        table = pd.DataFrame(observations["values"], index=np.array(observations["file_row"]) - 1)
        ours = {
            "linear_predictor": res.fittedvalues,
            "fitted": res.predict(),
            "resid_response": res.resid_response,
            "resid_pearson": res.resid_pearson,
            "resid_deviance": res.resid_dev,
            "resid_working": res.resid_working,
        }
        for key, values in ours.items():
            scale = np.abs(table[key]).max()
            assert_allclose(values.loc[table.index], table[key], rtol=RTOL, atol=1e-10 * scale, err_msg=key)
            total = observations["sum_of_squares_over_all_rows"][key]
            assert_allclose((values**2).sum(), total, rtol=RTOL, err_msg=f"sum of squares of {key}")

    def test_condition_number(self, name):
        case, res = fitted(name)
        reference = case.values["condition"]["kappa_2norm_X_columns_unit_length"]
        assert_allclose(res.certificate().condition_number, reference, rtol=1e-6)

    def test_predictions_for_new_data(self, name):
        case, res = fitted(name)
        if "prediction" not in case.values:
            assert case.grouped or name in ("ohio_clusters_gee", "ucb_frequency_weights", "verbagg_two_way_clusters")
            return
        reference = case.values["prediction"]
        new = pd.DataFrame(reference["newdata"])
        for column, levels in case.info["factor_levels_first_is_reference"].items():
            if column in new:
                new[column] = pd.Categorical(new[column], [str(level) for level in levels])
        offset = None
        if "offset" in case.info:
            offset = new.eval(case.info["offset"])
        got = res.get_prediction(new, offset=offset)
        assert_allclose(got.linear, reference["linear_predictor"], rtol=RTOL)
        assert_allclose(got.se_linear, reference["se_linear_predictor"], rtol=1e-7)
        assert_allclose(got.predicted, reference["prob"], rtol=RTOL)
        assert_allclose(got.se, reference["se_prob"], rtol=1e-7)
        assert_allclose(got.conf_int(), reference["ci_95_from_link"], rtol=1e-7)
        assert_allclose(got.conf_int(method="delta"), reference["ci_95_delta"], rtol=1e-7, atol=1e-12)

    def test_classification_table(self, name):
        case, res = fitted(name)
        if "classification" not in case.values:
            assert case.grouped
            return
        reference = case.values["classification"]
        table = [
            [reference["true_neg"], reference["false_pos"]],
            [reference["false_neg"], reference["true_pos"]],
        ]
        assert_allclose(res.pred_table(), table)

    def test_certified(self, name):
        _, res = fitted(name)
        certificate = res.certificate()
        assert certificate.distance_bound < 1e-9
        assert certificate.coefficient_digits.min() >= 8


def test_weights_only_survey():
    case = load_case("apistrat_survey")
    reference = case.values["weights_only"]
    formula = case.info["formula_patsy"]
    res = ls.logit(formula, case.data, sampling_weights=case.info["sampling_weights"]).fit()
    names = ["Intercept" if name == "(Intercept)" else name for name in reference["names_r"]]
    names = [name.replace("ellYes", "ell[T.Yes]") for name in names]
    order = [names.index(name) for name in res.params.index]
    assert res.cov_type == "survey"
    assert_allclose(res.params, np.array(reference["coef"])[order], rtol=RTOL)
    assert_allclose(res.bse, np.array(reference["se"])[order], rtol=1e-7)
    weighted = case.values["weighted_likelihood"]
    assert_allclose(res.llf, weighted["weighted_loglik"], rtol=RTOL)
    assert_allclose(res.with_cov("HC0").bse, np.array(weighted["hc0_se"])[order], rtol=1e-7)
    assert_allclose(res.with_cov("nonrobust").bse, np.array(weighted["model_se"])[order], rtol=1e-7)
    assert np.isnan(res.aic)
    assert np.isnan(res.llr_pvalue)


def test_steep_but_finite_fit_is_not_called_separated():
    case = load_case("iris_complete_separation")
    reference = case.values["not_separated"]
    res = ls.logit(reference["formula_r"], case.data).fit()
    assert_allclose(res.params, reference["coef"], rtol=RTOL)
    assert_allclose(res.bse, reference["se"], rtol=RTOL)


def test_ten_points():
    x = np.arange(10)
    res = ls.Logit([0, 1, 0, 0, 1, 1, 1, 1, 1, 1], np.column_stack([np.ones(10), x])).fit()
    assert_allclose(res.params, [-1.972805, 0.82240094], rtol=1e-7)
    assert round(res.mle_retvals["fopt"], 6) == 0.350471
    assert res.mle_retvals["iterations"] <= 7
    assert round(res.prsquared, 4) == 0.4263
    assert round(res.llr_pvalue, 5) == 0.02248
    assert res.pred_table().tolist() == [[2, 1], [1, 6]]
    assert_allclose(res.predict()[[0, -1]], [0.12208792, 0.99563083], rtol=1e-7)
    assert round(res.aic, 4) == 11.0094
    assert round(res.bic, 4) == 11.6146


EMMEANS = [
    ("titanic_passengers_interaction", "sex | pclass", "emmeans_sex_by_pclass"),
    ("titanic_passengers_interaction", "pclass", "emmeans_pclass"),
    ("birthwt_factor", "race", "emmeans_race"),
    ("esoph_grouped_factors", "alcgp", "emmeans_alcgp"),
    ("ucb_frequency_weights", "dept", "emmeans_dept"),
]


@pytest.mark.parametrize(("name", "spec", "key"), EMMEANS)
def test_estimated_marginal_means(name, spec, key):
    case, res = fitted(name)
    reference = case.values[key]
    means = res.means(spec)
    frame = means.summary_frame()
    # emmeans takes the covariance of R's glm, from the weights before the last iteration: off by 4e-7 in titanic
    rtol = 1e-6 if name.startswith("titanic") else 1e-7
    assert_allclose(frame["link"], reference["link"], rtol=RTOL)
    assert_allclose(frame["prob"], reference["prob"], rtol=RTOL)
    assert_allclose(frame["se_link"], reference["se_link"], rtol=rtol)
    assert_allclose(frame["std_error"], reference["se_prob"], rtol=rtol)
    pairs = reference["pairs"]
    ours = means.pairs(adjust="none")
    # emmeans puts levels that hold a minus sign in parentheses
    assert list(ours["contrast"]) == [contrast.replace("(", "").replace(")", "") for contrast in pairs["contrast"]]
    assert_allclose(ours["estimate"], pairs["estimate"], rtol=1e-7)
    assert_allclose(ours["std_error"], pairs["se"], rtol=rtol)
    assert_allclose(ours["odds_ratio"], pairs["odds_ratio"], rtol=1e-7)
    for adjust in ("none", "tukey", "bonferroni", "holm", "sidak", "scheffe", "fdr_bh"):
        # R's ptukey and 1 - (1 - p)^m have an absolute, not a relative, accuracy
        got = means.pairs(adjust=adjust)["p_value"]
        assert_allclose(got, pairs[f"p_{adjust}"], rtol=2e-4 if rtol > 1e-7 else 1e-6, atol=1e-11, err_msg=adjust)
    deviations = reference["deviations_from_mean"]
    assert_allclose(means.deviations()["estimate"], deviations["estimate"], rtol=1e-7)
    assert_allclose(means.deviations()["std_error"], deviations["se"], rtol=rtol)


def test_effective_dose():
    case, res = fitted("menarche_grouped_dose")
    reference = case.values["effective_dose"]
    frame = res.dose(reference["prob"]).frame
    assert_allclose(frame["dose"], reference["age"], rtol=RTOL)
    assert_allclose(frame["std_error"], reference["se_delta"], rtol=RTOL)
    assert_allclose(frame[["conf_low", "conf_high"]], reference["ci_95_delta"], rtol=RTOL)
    assert_allclose(frame[["fieller_low", "fieller_high"]], reference["ci_95_fieller"], rtol=RTOL)


@pytest.mark.parametrize("name", STANDARD_CASES)
def test_marginal_effects_of_variables(name):
    case, res = fitted(name)
    if "marginal_effects" not in case.values:
        assert name == BADLY_SCALED
        return
    hc1 = res.with_cov("HC1")
    for effect in case.values["marginal_effects"]["effects"].values():
        variable = effect["variable"]
        if effect["kind"] == "derivative":
            row = res.margins(variable).frame.iloc[0]
            got = [row.estimate, row.std_error, row.z, row.conf_low, row.conf_high]
            assert_allclose(got, [effect["estimate"], effect["se"], effect["z"], *effect["ci_95"]], rtol=1e-7)
            assert_allclose(hc1.margins(variable).frame.std_error.iloc[0], effect["se_hc1"], rtol=1e-7)
            for method in ("eyex", "dyex", "eydx"):
                row = res.margins(variable, method=method).frame.iloc[0]
                expected = [effect[method]["estimate"], effect[method]["se"]]
                assert_allclose([row.estimate, row.std_error], expected, rtol=1e-7)
            continue
        label = f"{effect['to']} against {effect['from']}"
        for comparison, estimate, se in (
            ("difference", "estimate", "se"),
            ("ratio", "risk_ratio", "log_risk_ratio_se"),
            ("odds_ratio", "marginal_odds_ratio", "log_marginal_odds_ratio_se"),
        ):
            frame = res.margins(variable, dummy=True, comparison=comparison).frame
            row = frame[frame["contrast"] == label].iloc[0]
            assert_allclose([row.estimate, row.std_error], [effect[estimate], effect[se]], rtol=1e-7)


@pytest.mark.parametrize("name", STANDARD_CASES)
def test_marginal_effects_of_columns(name):
    case, res = fitted(name)
    if "column_effects" not in case.values:
        assert name == BADLY_SCALED
        return
    reference = case.values["column_effects"]
    names = [case.values["names_patsy"][j - 1] for j in reference["columns"]]
    for at, key in (("overall", "average"), ("mean", "at_column_means")):
        frame = res.get_margeff(at=at).summary_frame().loc[names]
        assert_allclose(frame["dy/dx"], reference[key]["estimate"], rtol=1e-7)
        assert_allclose(frame["Std. Err."], reference[key]["se"], rtol=1e-7)
