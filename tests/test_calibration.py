"""Calibration, comparisons of ROC curves, thresholds and validation against R's values and definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, precision_recall_curve

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError, UnseenLevelError
from tests.cases import STANDARD_CASES, load_case, read_data


def fitted(name: str):
    case = load_case(name)
    formula, arguments = case.model_arguments()
    return case, ls.logit(formula, case.data, **arguments).fit()


@pytest.fixture(scope="module")
def births():
    return ls.datasets.load("birthwt")


@pytest.mark.parametrize("name", [n for n in STANDARD_CASES if "scores" in load_case(n).values])
def test_scores(name):
    case, res = fitted(name)
    want, got = case.values["scores"], res.calibration()
    assert_allclose(
        [got.brier, got.brier_scaled, got.log_loss], [want[k] for k in ("brier", "brier_scaled", "log_loss")], rtol=1e-7
    )
    if "offset" not in case.info:  # an offset has a coefficient of one by decree, so the slope need not be one
        assert_allclose([got.intercept, got.slope, got.intercept_slope_1], [0, 1, 0], atol=1e-7)
    assert_allclose(got.observed_over_expected, 1.0, rtol=1e-8)


@pytest.fixture(scope="module")
def pima():
    case, first = fitted("pima_train_test")
    test = read_data("pima_test.csv", case.info["factor_levels_first_is_reference"])
    return first, test


def test_rows_with_missing_values_and_other_outcomes(pima):
    res, test = pima
    holes = test.assign(glu=test.glu.where(test.index % 10 != 0))
    got = res.validate(holes)
    assert (got.rows, got.dropped) == (298, 34)
    with pytest.raises(DataError, match="no column"):
        res.validate(test.drop(columns=res.fit_.design.response.name))
    y = test[res.fit_.design.response.name]
    assert res.validate(test.drop(columns=y.name), outcome=y.to_numpy()).roc.auc == pytest.approx(
        res.validate(test).roc.auc
    )
    words = test.assign(**{y.name: np.where(np.asarray(y) == y.iloc[0], "maybe", "no")})
    with pytest.raises((UnseenLevelError, DataError)):
        res.validate(words)
    array = ls.Logit([0, 1, 0, 1, 1, 0], np.column_stack([np.ones(6), [1, 2, 3, 4, 5, 6]])).fit()
    with pytest.raises(DataError, match="outcome="):
        array.validate(np.column_stack([np.ones(3), [1, 2, 3]]))
    assert array.validate(np.column_stack([np.ones(4), [1, 2, 3, 4]]), outcome=[0, 1, 0, 1]).rows == 4


def delong_by_pairs(y, one, other):
    """DeLong's variance of the difference from all pairs."""

    def kernel(p):
        return (p[y == 1][:, None] > p[y == 0]) + 0.5 * (p[y == 1][:, None] == p[y == 0])

    away = kernel(np.asarray(one)) - kernel(np.asarray(other))
    variance = away.mean(axis=1).var(ddof=1) / (y == 1).sum() + away.mean(axis=0).var(ddof=1) / (y == 0).sum()
    return away.mean(), np.sqrt(variance)


def test_compare_roc(births):
    one = ls.logit("low ~ age + lwt + C(race) + smoke + ht", births).fit()
    other = ls.logit("low ~ lwt + smoke", births).fit()
    got = ls.compare_roc(one, other)
    difference, se = delong_by_pairs(births.low.to_numpy(), one.predict().round(12), other.predict().round(12))
    assert_allclose([got.difference, got.std_error], [difference, se], rtol=1e-9)
    assert_allclose([got.auc1, got.auc2], [one.roc().auc, other.roc().auc], rtol=1e-12)
    assert ls.compare_roc(one, one).pvalue == 1.0
    with pytest.raises(DataError, match="different rows"):
        ls.compare_roc(one, ls.logit("low ~ lwt", births[20:160]).fit())


def test_precision_recall_as_in_scikit_learn(births):
    res = ls.logit("low ~ age + lwt + smoke", births).fit()
    got, p = res.precision_recall(), res.predict().to_numpy().round(12)
    assert_allclose(got.average_precision, average_precision_score(births.low, p), rtol=1e-9)
    precision, recall, _ = precision_recall_curve(births.low, p)
    assert_allclose(got.curve["precision"], precision[:-1][::-1], rtol=1e-9)
    assert_allclose(got.curve["recall"], recall[:-1][::-1], rtol=1e-9)
    assert_allclose(res.calibration().brier, brier_score_loss(births.low, p), rtol=1e-8)
    assert_allclose(res.calibration().log_loss, log_loss(births.low, p), rtol=1e-8)


def test_thresholds(births):
    res = ls.logit("low ~ age + lwt + smoke", births).fit()
    p, y = res.predict().to_numpy(), births.low.to_numpy()
    cheap = res.threshold(false_negative=3.0)
    costs = [(3.0 * ((p < t) & (y == 1)).sum() + ((p >= t) & (y == 0)).sum()) / len(y) for t in [*np.unique(p), np.inf]]
    assert_allclose(cheap.cost, min(costs), rtol=1e-12)
    wanted = res.threshold(sensitivity=0.8)
    assert wanted.sensitivity >= 0.8
    assert ((p > wanted.threshold * (1 + 1e-9)) & (y == 1)).sum() / y.sum() < 0.8
    strict = res.threshold(specificity=0.9)
    assert strict.specificity >= 0.9
    with pytest.raises(DataError, match="Give one"):
        res.threshold()
    with pytest.raises(DataError, match="Give one"):
        res.threshold(sensitivity=0.8, specificity=0.9)
    for wrong in ({"sensitivity": 3}, {"specificity": -0.1}, {"false_negative": -1}, {"sensitivity": float("nan")}):
        with pytest.raises(DataError, match=next(iter(wrong))):
            res.threshold(**wrong)


def test_brier_parts_add_up_where_bins_hold_single_probabilities():
    data = pd.DataFrame({"y": [0, 0, 1, 0, 1, 1, 1, 0, 1, 1], "g": [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]})
    got = ls.logit("y ~ C(g)", data).fit().calibration(bins=30)
    assert len(got.table) == 3 or len(got.table) == 2
    assert_allclose(got.brier, got.reliability - got.resolution + got.uncertainty, rtol=1e-9)
    assert got.ece < 1e-9


def test_weights_count_as_rows(births):
    data = births.assign(w=1 + np.arange(len(births)) % 3)
    weighted = ls.logit("low ~ age + lwt", data, freq_weights="w").fit()
    expanded = ls.logit("low ~ age + lwt", data.loc[data.index.repeat(data.w)]).fit()
    for name, value in weighted.calibration().summary_frame()["value"].items():
        assert_allclose(
            value, expanded.calibration().summary_frame()["value"][name], rtol=1e-6, atol=1e-9, err_msg=str(name)
        )
    assert_allclose(
        weighted.precision_recall().average_precision, expanded.precision_recall().average_precision, rtol=1e-9
    )
    survey = ls.logit("low ~ age + lwt", births, sampling_weights=np.linspace(1, 3, len(births))).fit()
    assert_allclose([survey.calibration().slope, survey.calibration().intercept], [1, 0], atol=1e-6)


def test_what_is_refused(births):
    res = ls.logit("low ~ 1", births).fit()
    with pytest.raises(DataError, match="same in every row"):
        res.calibration()
    with pytest.raises(DataError, match="bins=1"):
        ls.logit("low ~ age", births).fit().calibration(bins=1)


def test_sampling_weights_have_no_unit(births):
    def asked(scale):
        res = ls.logit("low ~ age + lwt", births, sampling_weights=scale * np.linspace(1, 3, len(births))).fit()
        other = ls.logit("low ~ smoke", births, sampling_weights=scale * np.linspace(1, 3, len(births))).fit()
        pair, c = ls.compare_roc(res, other), res.calibration()
        return [res.roc().se, pair.std_error, pair.pvalue, c.spiegelhalter_z, c.se_slope, c.ece, c.brier]

    for scale in (10.0, 0.1, 1.0 / 378.0):
        assert_allclose(asked(scale), asked(1.0), rtol=1e-7)
    with pytest.raises(NotAvailableError, match="sampling weights"):
        ls.logit("low ~ age", births, sampling_weights=np.ones(len(births))).fit().hosmer_lemeshow()


def test_extreme_log_odds_are_no_ties():
    from logit_stats.assess.ranking import roc_of
    from logit_stats.assess.scored import Scored

    eta, y = np.array([35.0, 30.0, -1.0, -2.0]), np.array([1.0, 0.0, 1.0, 0.0])
    assert roc_of(Scored.of_rows(eta, y, 1 - y)).auc == 0.75
    assert roc_of(Scored.of_rows(-eta, 1 - y, y)).auc == 0.75


def test_rows_dropped_differently_are_no_pairs(births):
    one = births.assign(age=births.age.where(births.index != births.index[2]).astype(float))
    other = births.assign(lwt=births.lwt.where(births.index != births.index[3]).astype(float))
    with pytest.raises(DataError, match="different rows"):
        ls.compare_roc(ls.logit("low ~ age", one).fit(), ls.logit("low ~ lwt", other).fit())
