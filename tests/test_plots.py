"""Plots show the statistics: what is drawn equals what the result says."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import ConvergenceWarning, DataError, NotAvailableError, UnknownOptionError


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def res():
    return ls.logit("low ~ age + lwt + C(race) + smoke", ls.datasets.load("birthwt")).fit()


def drawn(ax, index=0):
    return np.column_stack(ax.lines[index].get_data())


def test_forests_show_estimates_and_intervals(res):
    ax = res.plot.coefficients()
    segments = [line.get_xdata() for line in ax.lines[:5]]
    assert_allclose(segments, res.conf_int().iloc[1:])
    assert_allclose(ax.lines[5].get_xdata(), res.params.iloc[1:])
    assert [t.get_text() for t in ax.get_yticklabels()] == list(res.params.index[1:])
    ratios = res.with_cov("HC3").plot.odds_ratios(alpha=0.1)
    assert ratios.get_xscale() == "log"
    assert_allclose([line.get_xdata() for line in ratios.lines[:5]], np.exp(res.with_cov("HC3").conf_int(0.1).iloc[1:]))
    profile = res.plot.coefficients(method="profile")
    assert_allclose([line.get_xdata() for line in profile.lines[:5]], res.conf_int(method="profile").iloc[1:])


def test_roc_and_precision_recall(res):
    ax, found = res.plot.roc(), res.roc()
    curve = drawn(ax)
    assert_allclose(np.trapezoid(curve[:, 1], curve[:, 0]), found.auc, rtol=1e-9)
    assert f"{found.auc:.3f}" in ax.get_legend().get_texts()[0].get_text()
    best = found.youden.iloc[0]
    assert_allclose(drawn(ax, 2)[0], [1 - best["specificity"], best["sensitivity"]])
    ax = res.plot.precision_recall()
    assert_allclose(drawn(ax)[:, 1], res.precision_recall().curve["precision"])


def test_calibration_and_confusion(res):
    ax = res.plot.calibration(bins=8)
    table = res.calibration(8).table
    dots = np.column_stack(ax.containers[0].lines[0].get_data()).astype(float)
    assert_allclose(dots, table[["mean_prob", "share"]])
    ax = res.plot.confusion(0.3)
    counts = [float(text.get_text().split()[0]) for text in ax.texts]
    assert_allclose(counts, res.pred_table(0.3).ravel())


def test_residuals_average_to_the_mean_residual(res):
    ax = res.plot.residuals("lwt", bins=1)
    assert_allclose(drawn(ax)[:, 1], 0.0, atol=1e-10)
    assert ax.get_xlabel() == "lwt"
    two = drawn(res.plot.residuals("smoke"))
    assert_allclose(two, [[0.0, 0.0], [1.0, 0.0]], atol=1e-9)
    data = ls.datasets.load("birthwt").assign(w=lambda d: 1 + np.arange(len(d)) % 3)
    weighted = ls.logit("low ~ age + lwt", data, freq_weights="w").fit()
    assert_allclose(drawn(weighted.plot.residuals(bins=1))[:, 1], 0.0, atol=1e-10)
    with pytest.raises(DataError, match="bins=0"):
        res.plot.residuals(bins=0)


def test_dollars_in_names_and_penalized_profiles():
    data = ls.datasets.load("birthwt").rename(columns={"lwt": "cost_$_per_$"})
    ax = ls.logit("low ~ Q('cost_$_per_$') + age", data).fit().plot.coefficients()
    ax.figure.canvas.draw()
    with pytest.raises(NotAvailableError, match="penalized"):
        ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_firth().plot.profile("NV")


def test_influence_labels_the_largest(res):
    ax = res.plot.influence(labels=3)
    found = res.get_influence()
    assert_allclose(ax.collections[0].get_offsets(), np.column_stack([found.hat_matrix_diag, found.resid_studentized]))
    largest = found.summary_frame()["cooks_d"].nlargest(3).index
    assert {text.get_text() for text in ax.texts} == {str(label) for label in largest}


def test_margins_of_numbers_and_factors(res):
    ax = res.plot.margins("race")
    data = ls.datasets.load("birthwt")
    means = [
        res.average_prediction(data.assign(race=pd.Categorical([v] * 189, data.race.cat.categories))).estimate
        for v in data.race.cat.categories
    ]
    assert_allclose(ax.lines[0].get_ydata(), means, rtol=1e-9)
    ax = res.plot.margins("lwt", points=3)
    ends = [res.average_prediction(data.assign(lwt=v)).estimate for v in (data.lwt.min(), data.lwt.max())]
    assert_allclose(ax.lines[0].get_ydata()[[0, -1]], ends, rtol=1e-9)


def test_curve_and_boundary():
    ten = ls.logit("y ~ x", ls.datasets.load("ten_points")).fit()
    ax = ten.plot.curve("x")
    line = drawn(ax, 1)
    assert_allclose(line[:, 1], ten.predict({"x": line[:, 0]}))
    crossing = ax.lines[-1].get_xdata()[0]
    assert abs(crossing - ten.dose(0.5).frame["dose"].iloc[0]) < 0.1
    two = ls.logit("low ~ age + lwt + smoke", ls.datasets.load("birthwt")).fit()
    ax = two.plot.boundary("age", "lwt", threshold=0.3)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("age", "lwt")
    assert "smoke" in ax.get_title()
    with pytest.raises(DataError, match="alone"):
        two.plot.curve("age")
    with pytest.raises(DataError, match="factor"):
        ls.logit("low ~ age + C(race)", ls.datasets.load("birthwt")).fit().plot.boundary("age", "race")


def test_profile_and_trace(res):
    ax = res.plot.profile("smoke")
    assert_allclose(drawn(ax, 3)[:, 0], res.conf_int(method="profile").loc["smoke"], rtol=1e-6)


def test_trace_draws_the_cost_of_one_fit_or_several(res):
    ax = res.plot.trace()
    assert_allclose(drawn(ax)[:, 1], [-step.loglik / res.nobs for step in res.trace.steps])
    assert drawn(ax)[-1, 1] == pytest.approx(res.mle_retvals["fopt"])
    assert "cost" in ax.get_ylabel()
    assert ax.get_legend() is None
    slow = ls.logit("y ~ x", ls.datasets.load("ten_points"))
    with pytest.warns(ConvergenceWarning):
        epochs = slow.fit(method="sgd", batch_size=2, epochs=200)
    assert epochs.plot.trace(ax=ax) is ax
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["newton", "sgd, not converged"]
    assert (ax.get_xscale(), ax.get_xlabel()) == ("symlog", "iteration or epoch")
    assert len({line.get_color() for line in ax.lines}) == 2
    ax = res.plot.trace("distance", label="Newton")
    assert_allclose(drawn(ax)[:, 1], [step.decrement for step in res.trace.steps])
    assert (ax.get_yscale(), ax.get_legend().get_texts()[0].get_text()) == ("log", "Newton")
    firth = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_firth()
    assert "penalized" in firth.plot.trace().get_ylabel()
    assert_allclose(drawn(firth.plot.trace())[-1, 1], -firth._point.penalized_loglik / 79)
    with pytest.raises(UnknownOptionError, match="distance"):
        res.plot.trace("loglik")


def test_axes_given_are_used_and_misspelt_arguments_refused(res):
    _, ax = plt.subplots()
    for picture in (res.plot.roc, res.plot.coefficients, res.plot.trace):
        assert picture(ax=ax) is ax
    with pytest.raises(TypeError):
        res.plot.roc(axis=ax)


def test_large_fits_are_thinned_and_say_so():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"x": rng.normal(size=20_000)})
    data["y"] = (rng.random(20_000) < 1 / (1 + np.exp(-data.x))).astype(int)
    ax = ls.logit("y ~ x", data).fit().plot.curve("x")
    assert len(ax.lines[0].get_xdata()) == 5000
    assert any("every 4th of 20,000" in text.get_text() for text in ax.texts)


def test_array_and_firth_results():
    array = ls.Logit([0, 1, 0, 1, 1, 0, 1, 1], np.column_stack([np.ones(8), [1, 2, 3, 4, 5, 6, 7, 9]])).fit()
    for picture in (array.plot.roc, array.plot.coefficients, array.plot.influence, array.plot.residuals):
        picture()
    firth = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_firth()
    ax = firth.plot.coefficients()
    assert_allclose([line.get_xdata() for line in ax.lines[:3]], firth.conf_int().iloc[1:])
