"""Optimism by bootstrap and cross-validation against rms::validate and rms::calibrate, resample by resample."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.assess.indexes import gini_mean_difference, indexes
from logit_stats.assess.optimism import ROWS, resampled
from logit_stats.assess.scored import Scored
from logit_stats.assess.smoothing import lowess_curve
from logit_stats.errors import DataError, NotAvailableError, UnknownOptionError
from tests.cases import FOLDER, read_data

FORMULA = "diabetic ~ npreg + glu + bp + skin + bmi + ped + age"


@pytest.fixture(scope="module")
def reference():
    return json.loads((FOLDER / "resampled_validation.json").read_text(encoding="utf-8"))["values"]


@pytest.fixture(scope="module")
def pima():
    return read_data("pima_train.csv")


@pytest.fixture(scope="module")
def res(pima):
    return ls.logit(FORMULA, pima).fit()


def pairs(reference, rows=200):
    whole = np.ones(rows)
    for draw in reference["bootstrap"]["draws"]:
        yield np.bincount(np.array(draw) - 1, minlength=rows).astype(float), whole


def values(scored):
    return indexes(scored).values()


def test_bootstrap_of_fixed_resamples_is_that_of_rms(reference, res):
    want = reference["bootstrap"]
    training, test, n = resampled(res.fit_, pairs(reference), 12, values).means()
    whole = values(Scored.of_fit(res.fit_))
    ours = dict(
        zip(ROWS, np.column_stack([whole, training, test, training - test, whole - training + test, n]), strict=True)
    )
    for name, row in zip(want["rows"], want["values"], strict=True):
        if name != "Emax":
            assert_allclose(ours[name], row, rtol=1e-7, atol=1e-10, err_msg=name)


def test_one_resample_and_the_indexes_that_rms_lacks(reference, res):
    want = reference["first_resample"]
    found = resampled(res.fit_, pairs(reference), 1, values)
    order = [ROWS.index(name) for name in want["rows"]]
    assert_allclose(found.training[0, order], want["training"], rtol=1e-7, atol=1e-10)
    assert_allclose(found.test[0, order], want["test"], rtol=1e-7)


def test_cross_validation_of_fixed_folds_is_that_of_rms(reference, res, pima):
    want = reference["crossvalidation"]
    frame = res.optimism("crossvalidation", folds=want["folds"], seed=1).frame
    for name, row in zip(want["rows"], want["values"], strict=True):
        assert_allclose(frame.loc[name], row, rtol=1e-7, atol=1e-10, err_msg=name)
    by_column = ls.logit(FORMULA, pima.assign(fold=want["folds"])).fit().optimism("crossvalidation", folds="fold")
    assert_allclose(by_column.frame, frame, rtol=1e-10)


def test_selection_in_every_resample(reference, res):
    want, path = reference["bootstrap_with_step"], ls.step(res)
    found = resampled(path.result.fit_, pairs(reference), 12, values, path.selection_)
    assert [sorted(row.index[row]) for _, row in found.kept.iterrows()] == [sorted(kept) for kept in want["kept"]]
    order = [ROWS.index(name) for name in want["rows"]]
    training, test, _ = found.means()
    assert_allclose(values(Scored.of_fit(path.result.fit_))[order], want["index_orig"], rtol=1e-7, atol=1e-10)
    assert_allclose(training[order], want["training"], rtol=1e-7, atol=1e-10)
    assert_allclose(test[order], want["test"], rtol=1e-7)


def test_calibration_curve_is_that_of_rms_calibrate(reference, res):
    want = reference["calibrate"]
    prob = np.array(want["prob"])

    def measure(scored):
        return lowess_curve(scored, prob) - prob

    training, test, _ = resampled(res.fit_, pairs(reference), 12, measure).means()
    apparent = lowess_curve(Scored.of_fit(res.fit_), prob)
    assert_allclose(apparent, want["apparent"], rtol=1e-7)
    assert_allclose(apparent - training + test, want["corrected"], rtol=1e-7)
    # the same probabilities are those of the curve that is handed out
    assert_allclose(res.optimism(reps=2, seed=1).curve["prob"], prob, rtol=1e-9)


def test_frequency_weights_are_repeated_rows():
    births = ls.datasets.load("birthwt").assign(f=lambda d: 1 + np.arange(len(d)) % 3)
    long = births.loc[births.index.repeat(births.f)].reset_index(drop=True)
    weighted = ls.logit("low ~ age + lwt + smoke", births, freq_weights="f").fit()
    whole = ls.logit("low ~ age + lwt + smoke", long).fit()
    fold_of = np.arange(len(births)) % 4
    one = weighted.optimism("crossvalidation", folds=fold_of)
    other = whole.optimism("crossvalidation", folds=np.repeat(fold_of, births.f))
    assert_allclose(one.frame, other.frame, rtol=1e-6, atol=1e-9)
    assert_allclose(one.curve, other.curve, rtol=1e-6)
    # persons are drawn one by one: the expectations of both are the same
    drawn, drawn_long = weighted.optimism(reps=300, seed=3).frame, whole.optimism(reps=300, seed=4).frame
    assert_allclose(drawn.loc[["C", "B"], "optimism"], drawn_long.loc[["C", "B"], "optimism"], rtol=0.25)
    divided = weighted.optimism("crossvalidation", folds=5, seed=1)
    assert "379 rows" in divided.account() or f"{births.f.sum()} rows" in divided.account()


def test_every_outcome_is_in_one_fold_and_clusters_stay_together(res, pima):
    from logit_stats.assess.optimism import _fold_pairs
    from logit_stats.inference.bootstrap import draws_of

    grouped = pima.assign(who=np.arange(200) // 3, f=1 + np.arange(200) % 4)
    fit = ls.logit(FORMULA, grouped).fit().fit_
    weighted = ls.logit(FORMULA, grouped, freq_weights="f").fit().fit_
    for one, groups in ((fit, None), (fit, "who"), (weighted, None), (weighted, "who")):
        whole = grouped.f if one is weighted else np.ones(200)
        found, total = _fold_pairs(one, draws_of(one, groups), 7, 2, np.random.default_rng(1))
        parts = list(found)
        assert len(parts) == total == 14
        for some in (parts[:7], parts[7:]):
            assert_allclose(sum(test for _, test in some), whole)
        for train, test in parts:
            assert_allclose(train + test, whole)
            if groups:
                assert pd.Series(test > 0).groupby(grouped.who).nunique().max() == 1
            else:
                assert abs(test.sum() - np.sum(whole) / 7) < 1.0


def test_resamples_without_an_estimate_are_counted():
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"x": rng.normal(size=60), "rare": np.arange(60) < 4, "y": rng.integers(0, 2, 60)})
    data.loc[:3, "y"] = [0, 1, 1, 1]
    found = ls.logit("y ~ x + rare", data).fit().optimism(reps=100, seed=5)
    assert found.separated > 10
    assert found.frame["n"].max() == 100 - found.separated - found.dependent - found.unfinished
    assert f"{found.separated} without a finite estimate" in " ".join(str(found).split())
    again = ls.logit("y ~ x + rare", data).fit().optimism(reps=100, seed=5)
    assert_allclose(again.frame, found.frame)


def test_offsets_counts_and_models_without_intercept(pima):
    shifted = ls.logit("diabetic ~ glu", pima.assign(o=0.3 * pima.npreg), offset="o").fit()
    frame = shifted.optimism("crossvalidation", folds=5, seed=1).frame
    line = shifted.calibration()
    assert_allclose(frame.loc[["Intercept", "Slope"], "index_orig"], [line.intercept, line.slope], rtol=1e-7)
    plain = ls.logit("diabetic ~ glu - 1", pima).fit()
    assert_allclose(
        plain.optimism(reps=3, seed=1).frame.loc["Slope", "index_orig"], plain.calibration().slope, rtol=1e-7
    )
    grouped = ls.logit("reached ~ age", ls.datasets.load("menarche"), trials="total").fit()
    found = grouped.optimism(reps=20, seed=1).frame
    assert_allclose(found.loc["C", "index_orig"], grouped.roc().auc, rtol=1e-12)
    assert (found["n"] == 20).all()


def test_a_model_of_nothing_promises_nothing(pima):
    frame = ls.logit("diabetic ~ 1", pima).fit().optimism(reps=20, seed=1).frame
    assert_allclose(frame.loc[["Dxy", "R2", "g", "gp"], "index_corrected"], 0.0, atol=1e-10)
    assert_allclose(frame.loc[["C", "Slope"], "index_corrected"], [0.5, 1.0])


def test_gini_mean_difference_is_over_all_pairs():
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=30) + 1e6, rng.integers(1, 4, 30)
    long = np.repeat(x, w)
    pairs = np.abs(long[:, None] - long)[np.triu_indices(len(long), 1)]
    assert_allclose(gini_mean_difference(x, w.astype(float)), pairs.mean(), rtol=1e-9)


def test_what_is_refused(res, pima):
    with pytest.raises(UnknownOptionError, match="jackknife"):
        res.optimism("jackknife")
    with pytest.raises(DataError, match="folds=1"):
        res.optimism("crossvalidation", folds=1)
    with pytest.raises(DataError, match="reps=0"):
        res.optimism(reps=0)
    with pytest.raises(DataError, match="neither repeats"):
        res.optimism("crossvalidation", folds=np.arange(200) % 5, repeats=3)
    with pytest.raises(NotAvailableError, match="survey"):
        ls.logit("diabetic ~ glu", pima, sampling_weights=np.ones(200)).fit().optimism()
    with pytest.raises(NotAvailableError, match="maximum of the likelihood"):
        ls.logit("diabetic ~ glu", pima).fit_firth().optimism()
    path = pickle.loads(pickle.dumps(ls.step(ls.logit("diabetic ~ glu + bp", pima).fit())))
    with pytest.raises(NotAvailableError, match="pickled"):
        path.optimism()


def test_indexes_without_a_value_are_explained(pima):
    one_by_one = ls.logit("diabetic ~ glu", pima.iloc[:20]).fit().optimism("crossvalidation", folds=20, seed=1)
    assert one_by_one.frame.loc["C", "n"] == 0
    assert "not defined in any resample" in str(one_by_one)
    assert "not defined in any resample" in one_by_one._repr_html_()


def test_what_is_shown(res):
    path = ls.step(res)
    shown = path.optimism(reps=5, seed=1)
    assert str(shown).startswith("Optimism by bootstrap of 200 rows: 5 resamples, seed 1\n")
    assert "share of resamples: glu 1.00" in str(shown)
    assert "-0.0000" not in str(shown)
    assert "<table" in shown._repr_html_()
