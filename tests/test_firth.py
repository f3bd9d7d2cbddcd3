"""Firth's penalized likelihood against brglm2 and logistf values, and on data without a finite estimate."""

from __future__ import annotations

import mpmath as mp  # type: ignore[import-untyped]
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import logit_stats as ls
from logit_stats.inference.row_scores import leverages
from tests.cases import in_patsy_order, load_case

CASES = (
    "endometrial_separation_firth",
    "spector_numeric",
    "birthwt_factor",
    "pima_train_test",
    "esoph_grouped_factors",
)


@pytest.mark.parametrize("name", CASES)
def test_reference_values(name):
    case = load_case(name)
    reference, names = case.values["firth"], case.values["names_patsy"]
    formula, arguments = case.model_arguments()
    res = ls.logit(formula, case.data, **arguments).fit_firth()
    order = list(res.params.index)
    assert_allclose(res.params, in_patsy_order(reference["coef"], names, order), rtol=1e-8)
    assert_allclose(res.bse, in_patsy_order(reference["se"], names, order), rtol=1e-8)
    assert_allclose(res.cov_params(), in_patsy_order(reference["vcov"], names, order), rtol=1e-7)
    assert_allclose(res.fit_.loglik, reference["loglik_kernel"], rtol=1e-9)
    kernel = res.llf - res._statistics.binomial_constant
    assert_allclose(kernel, reference["penalized_loglik_kernel"], rtol=1e-10)
    assert_allclose(res.predict(), reference["fitted"], rtol=1e-8)
    whole = reference["global_test"]["full_information_penalty"]
    assert_allclose([res.llr, res.llr_pvalue], [whole["statistic"], whole["p"]], rtol=1e-7)
    own = reference["global_test"]["own_information_penalty"]
    test = res.global_test("own")
    # the null model's own penalty is that of a column of ones, whose units are always the same; the other's are the user's
    assert_allclose([test.statistic, test.pvalue, test.df], [own["statistic"], own["p"], own["df"]], rtol=1e-7)
    assert_allclose(res.flic().params, in_patsy_order(reference["flic_coef"], names, order), rtol=1e-8)
    assert_allclose(res.flac().params, in_patsy_order(reference["flac_coef"], names, order), rtol=1e-8)
    indicator = res.flac().augmented_.beta[-1]
    assert_allclose(indicator, reference["flac_pseudo_data_indicator_coef"], rtol=1e-7)
    if "hat" in reference:
        assert_allclose(leverages(res.fit_), reference["hat"], rtol=1e-7)
    if "median_bias_reduction" in reference:
        median = ls.logit(formula, case.data, **arguments).fit_firth(kind="median")
        expected = reference["median_bias_reduction"]
        assert_allclose(median.params, in_patsy_order(expected["coef"], names, order), rtol=1e-9)
        assert_allclose(median.bse, in_patsy_order(expected["se"], names, order), rtol=1e-9)
    if "penalized_lr" in reference:
        statistic = in_patsy_order(reference["penalized_lr"]["statistic"], names, order)
        assert_allclose(res.penalized_lr, statistic, rtol=1e-7)
        assert_allclose(res.pvalues, in_patsy_order(reference["penalized_lr"]["p"], names, order), rtol=1e-7)
        limits = in_patsy_order(reference["profile_penalized_ci_95"], names, order)
        assert_allclose(res.conf_int(), limits, rtol=1e-7)
        wald = in_patsy_order(reference["wald_ci_95"], names, order)
        assert_allclose(res.conf_int(method="wald"), wald, rtol=1e-7)


@pytest.mark.parametrize("part", ["petal_length_only", "sepal_length_and_width"])
def test_complete_separation(part):
    case = load_case("iris_complete_separation")
    reference = case.values[part]["firth"]
    res = ls.logit(case.values[part]["formula_r"], case.data).fit_firth()
    assert_allclose(res.params, reference["coef"], rtol=1e-7)
    assert_allclose(res.bse, reference["se"], rtol=1e-7)
    assert_allclose(leverages(res.fit_), reference["hat"], rtol=1e-7)
    assert_allclose(res.predict(), reference["fitted"], rtol=1e-7)
    for penalty, key in (("full", "full_information_penalty"), ("own", "own_information_penalty")):
        test, expected = res.global_test(penalty), reference["global_test"][key]
        assert_allclose([test.statistic, test.df, test.pvalue], [expected["statistic"], expected["df"], expected["p"]],
                        rtol=1e-7)  # fmt: skip
    assert_allclose(res.flic().params, reference["flic_coef"], rtol=1e-7)
    assert_allclose(res.flac().params, reference["flac_coef"], rtol=1e-7)
    median = ls.logit(case.values[part]["formula_r"], case.data).fit_firth(kind="median")
    assert median.converged
    if part == "sepal_length_and_width":  # brglm2, type AS_median, slowit 0.2
        assert_allclose(median.params, [20.9405533519857, -9.6793143327706, 10.3762779861888], rtol=1e-9)
        assert_allclose(median.bse, [9.71079158773, 3.31186480301, 4.08813543526], rtol=1e-9)


def test_one_step_correction():
    case = load_case("spector_numeric")
    model = ls.logit(*case.model_arguments()[:1], case.data)
    res = model.fit_firth(kind="correction")
    reference = in_patsy_order(
        case.values["bias_corrected"]["coef"], case.values["names_patsy"], list(res.params.index)
    )
    assert_allclose(res.params, reference, rtol=1e-9)
    information = model.information(res.params)
    assert_allclose(res.bse, np.sqrt(np.diag(np.linalg.inv(information))), rtol=1e-7)
    with pytest.raises(ls.errors.SeparationError):
        ls.logit("HG ~ NV + PI + EH", load_case("endometrial_separation_firth").data).fit_firth(kind="correction")


def test_firth_to_fifty_digits():
    """Newton's method in mpmath on the penalized score equations, whose Jacobian is taken numerically."""
    x, y = [-2.0, -1.0, 0.5, 1.0, 1.5, 3.0], [0, 0, 1, 0, 1, 1]

    def score(b0, b1):
        rows = [(1 / (1 + mp.exp(-(b0 + b1 * v))), v, o) for v, o in zip(x, y, strict=True)]
        w = [p * (1 - p) for p, _, _ in rows]
        s0, s1, s2 = (mp.fsum(wi * mp.mpf(v) ** power for wi, v in zip(w, x, strict=True)) for power in range(3))
        det = s0 * s2 - s1 * s1
        terms = []
        for (p, v, o), wi in zip(rows, w, strict=True):
            h = wi * (s2 - 2 * v * s1 + v * v * s0) / det
            terms.append((o - p + h * (mp.mpf(1) / 2 - p), v))
        return [mp.fsum(t for t, _ in terms), mp.fsum(t * v for t, v in terms)]

    with mp.workdps(60):
        exact = [float(v) for v in mp.findroot(score, (0.1, 0.5), tol=1e-100)]
    res = ls.logit("y ~ x", {"x": x, "y": y}).fit_firth()
    assert_allclose(res.params, exact, rtol=1e-11)


def test_frequency_weights_equal_repeated_rows():
    data = load_case("endometrial_separation_firth").data
    weights = np.arange(len(data)) % 3 + 1
    weighted = ls.logit("HG ~ NV + EH", data, freq_weights=weights).fit_firth()
    repeated = ls.logit("HG ~ NV + EH", data.loc[data.index.repeat(weights)].reset_index(drop=True)).fit_firth()
    assert_allclose(weighted.params, repeated.params, rtol=1e-9)
    assert_allclose(weighted.pvalues, repeated.pvalues, rtol=1e-7)
    assert_allclose(weighted.llf, repeated.llf, rtol=1e-12)


KINDS = ("firth", "median", "correction", "flic", "flac", "augmented")


def fitted(kind, *args, **arguments):
    model = ls.logit(*args, **arguments) if isinstance(args[0], str) else ls.Logit(*args, **arguments)
    if kind in ("firth", "median", "correction"):
        return model.fit_firth(kind=kind)
    firth = model.fit_firth()
    return firth.with_cov("augmented") if kind == "augmented" else getattr(firth, kind)()


def assert_same(res, other, rtol=1e-7):
    assert_allclose(res.params, other.params, rtol=rtol)
    assert_allclose(res.bse, other.bse, rtol=rtol)
    assert_allclose(res.pvalues, other.pvalues, rtol=10 * rtol)
    assert_allclose(res.conf_int(), other.conf_int(), rtol=10 * rtol)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_trials_and_repeated_rows_agree(kind):
    data = load_case("spector_numeric").data
    weights = np.arange(len(data)) % 3 + 1
    repeated = data.loc[data.index.repeat(weights)].reset_index(drop=True)
    plain = fitted(kind, "grade ~ gpa + psi", repeated)
    assert_same(fitted(kind, "grade ~ gpa + psi", data, freq_weights=weights), plain)
    counts = data.assign(events=data["grade"] * weights, m=weights)
    grouped = fitted(kind, "events ~ gpa + psi", counts, trials="m")
    assert_same(grouped, plain)
    mixed = counts.groupby(["gpa", "psi"], as_index=False)[["events", "m"]].sum()
    assert_same(fitted(kind, "events ~ gpa + psi", mixed, trials="m"), plain)


@pytest.mark.parametrize("kind", KINDS)
def test_an_offset_is_a_coefficient_held(kind):
    data = load_case("spector_numeric").data
    offset = 0.7 * data["gpa"]
    plain = fitted(kind, "grade ~ gpa + psi", data)
    res = fitted(kind, "grade ~ gpa + psi", data.assign(o=offset), offset="o")
    assert_allclose(res.params + np.array([0, 0.7, 0]), plain.params, rtol=1e-7)
    assert_allclose(res.bse, plain.bse, rtol=1e-7)
    assert_allclose(res.predict(data.assign(o=offset)), plain.predict(), rtol=1e-7)
    assert_allclose(res.conf_int() + np.array([[0], [0.7], [0]]), plain.conf_int(), rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_units_and_array_fits(kind, scale):
    data = load_case("spector_numeric").data
    y, X = data["grade"].to_numpy(), np.column_stack([np.ones(len(data)), data["gpa"], data["psi"]])
    plain = fitted(kind, "grade ~ gpa + psi", data)
    res = fitted(kind, y, X * [1, scale, 1])
    assert isinstance(res.params, np.ndarray)
    assert_allclose(res.params * [1, scale, 1], plain.params, rtol=1e-7)
    assert_allclose(res.bse * [1, scale, 1], plain.bse, rtol=1e-7)
    assert_allclose(res.pvalues, plain.pvalues, rtol=1e-6)
    assert_allclose(res.predict(), plain.predict(), rtol=1e-7)


@pytest.mark.parametrize("kind", ["flic", "flac"])
@pytest.mark.parametrize("name", CASES)
def test_corrected_probabilities_are_right_on_average(kind, name):
    case = load_case(name)
    formula, arguments = case.model_arguments()
    res = fitted(kind, formula, case.data, **arguments)
    weight = res.fit_.design.row_weight
    assert_allclose(weight @ res.predict(), res.fit_.design.response.successes.sum(), rtol=1e-9)
    new = res.get_prediction(case.data.head(3))
    assert_allclose(new.predicted, res.predict()[:3], rtol=1e-9)
    assert (new.se > 0).all()
    assert res.converged


def test_where_the_standard_errors_come_from():
    """Of FLIC: the information at its estimate. Of FLAC: that of the data written out, indicator and all."""
    data = load_case("endometrial_separation_firth").data
    model = ls.logit("HG ~ NV + PI + EH", data)
    firth = model.fit_firth()
    flic, flac = firth.flic(), firth.flac()
    assert_allclose(flic.params[1:], firth.params[1:], rtol=1e-12)
    assert_allclose(flic.cov_params(), np.linalg.inv(model.information(flic.params)), rtol=1e-7)
    assert_allclose(flic.pvalues[1:], firth.pvalues[1:])
    assert_allclose(flic.conf_int()[1:], firth.conf_int()[1:])
    assert_allclose(flic.conf_int().iloc[0], flic.conf_int(method="wald").iloc[0])
    h = leverages(firth.fit_)
    written_out = pd.concat(
        [data.assign(w=1.0, g=0), data.assign(w=h / 2, g=1), data.assign(HG=1 - data["HG"], w=h / 2, g=1)]
    )
    full = ls.logit("HG ~ NV + PI + EH + g", written_out, sampling_weights="w").fit(cov_type="nonrobust")
    assert_allclose(flac.params, full.params[:4], rtol=1e-8)
    assert_allclose(flac.bse, full.bse[:4], rtol=1e-8)
    # the likelihood of these data, with NV left out
    without = ls.logit("HG ~ PI + EH + g", written_out, sampling_weights="w").fit()
    assert_allclose(stats.chi2.isf(flac.pvalues["NV"], 1), 2 * (full.llf - without.llf), rtol=1e-7)
    low, high = flac.conf_int().loc["NV"]
    for end in (low, high):
        held = ls.logit("HG ~ PI + EH + g", written_out, sampling_weights="w", offset=end * written_out["NV"]).fit()
        assert_allclose(2 * (full.llf - held.llf), 3.841458820694124, rtol=1e-6)


def test_standard_errors_of_the_augmented_data():
    data = load_case("endometrial_separation_firth").data
    firth = ls.logit("HG ~ NV + PI + EH", data).fit_firth()
    res = firth.with_cov("augmented")
    p, h = firth.predict().to_numpy(), leverages(firth.fit_)
    X = firth.model.exog
    assert_allclose(res.cov_params(), np.linalg.inv(X.T @ (X * (p * (1 - p) * (1 + h))[:, None])), rtol=1e-8)
    assert (res.bse < firth.bse).all()
    assert_allclose(res.pvalues, firth.pvalues)
    assert "augmented data" in res.summary().as_text()
    assert res.with_cov("nonrobust").bse.equals(firth.bse)
    with pytest.raises(ls.errors.UnknownOptionError, match=r"'augmented', 'nonrobust'"):
        firth.with_cov("agumented")


def test_what_has_no_constant_to_correct():
    y, x = [0, 1, 0, 1, 1], np.array([-2.0, -1, 0.5, 1, 2])
    for what in ("flic", "flac"):
        with pytest.raises(ls.errors.NotAvailableError, match="no constant"):
            getattr(ls.Logit(y, x).fit_firth(), what)()
    birthwt = ls.datasets.load("birthwt")
    implicit, treatment = (ls.logit(f, birthwt).fit_firth() for f in ("low ~ 0 + C(race)", "low ~ C(race)"))
    assert_allclose([implicit.llr, implicit.df_model], [treatment.llr, treatment.df_model], rtol=1e-9)
    assert_allclose(implicit.global_test("own").statistic, treatment.global_test("own").statistic, rtol=1e-9)


@pytest.mark.parametrize("kind", ["median", "correction", "flic", "flac"])
def test_what_needs_a_maximum_is_refused(kind):
    data = load_case("spector_numeric").data
    res = fitted(kind, "grade ~ gpa + psi", data)
    smaller = ls.logit("grade ~ gpa", data).fit()
    for ask in (
        lambda: res.lr_test(smaller), lambda: smaller.lr_test(res), res.certificate, res.crosscheck, res.drop1,
        lambda: res.evidence("gpa"), lambda: res.bootstrap(5), lambda: res.score_test("tuce"),
    ):  # fmt: skip
        with pytest.raises(ls.errors.NotAvailableError):
            ask()
    if kind in ("median", "correction"):
        with pytest.raises(ls.errors.UnknownOptionError, match="profile"):
            res.conf_int(method="profile")
    assert np.isnan([res.llr, res.llr_pvalue]).all()
    text = res.summary().as_text()
    assert "Robust" not in text
    assert {"median": "Median", "correction": "Bias corr", "flic": "FLIC", "flac": "FLAC"}[kind] in text
    assert "not its maximum" in " ".join(text.split())


def test_unknown_kinds_and_early_stops():
    data = load_case("spector_numeric").data
    with pytest.raises(ls.errors.UnknownOptionError, match="'median'"):
        ls.logit("grade ~ gpa", data).fit_firth(kind="mean")
    for kind in ("firth", "median"):
        with pytest.warns(ls.errors.ConvergenceWarning, match="raise maxiter"):
            res = ls.logit("grade ~ gpa + psi", data).fit_firth(maxiter=2, kind=kind)
        assert not res.converged


def test_units_do_not_matter():
    data = load_case("endometrial_separation_firth").data
    plain = ls.logit("HG ~ NV + PI + EH", data).fit_firth()
    scaled = data.assign(PI=data["PI"] * 1e-8, EH=data["EH"] + 1e6)
    other = ls.logit("HG ~ NV + PI + EH", scaled).fit_firth()
    assert_allclose(other.tvalues[1:], plain.tvalues[1:], rtol=1e-7)
    assert_allclose(other.pvalues[1:], plain.pvalues[1:], rtol=1e-6)


def test_the_separation_error_offers_it_and_it_works():
    data = load_case("endometrial_separation_firth").data
    with pytest.raises(ls.errors.SeparationError, match="fit_firth"):
        ls.logit("HG ~ NV + PI + EH", data).fit()
    assert np.isfinite(ls.logit("HG ~ NV + PI + EH", data).fit_firth().conf_int()).all().all()


def test_array_fit_of_one_column():
    # half the events of one column of ones: Firth adds half a success and half a failure
    y = np.array([1.0, 0, 0, 0])
    res = ls.Logit(y, np.ones(4)).fit_firth()
    assert_allclose(res.params, [np.log(1.5 / 3.5)], rtol=1e-9)
    assert res.conf_int().shape == (1, 2)


def test_sampling_weights_are_refused():
    data = pd.DataFrame({"y": [0, 1, 0, 1], "x": [1.0, 2, 3, 5], "w": [1.0, 2, 3, 4]})
    with pytest.raises(ls.errors.NotAvailableError, match="sampling"):
        ls.logit("y ~ x", data, sampling_weights="w").fit_firth()
