"""Plots show the statistics: what is drawn equals what is computed without them."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats
from sklearn import metrics

import logit_stats as ls
from logit_stats.errors import ConvergenceWarning, DataError, MissingColumnError, NotAvailableError, UnknownOptionError
from logit_stats.report.penalty_path_plot import moved_apart
from logit_stats.report.plots.canvas import place_labels


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def data():
    return ls.datasets.load("birthwt")


@pytest.fixture(scope="module")
def res(data):
    return ls.logit("low ~ age + lwt + C(race) + smoke", data).fit()


@pytest.fixture(scope="module")
def menarche():
    return ls.logit("reached ~ age", ls.datasets.load("menarche"), trials="total").fit()


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(300), rng.normal(size=(300, 2))])
    return ls.Logit((rng.random(300) < 1 / (1 + np.exp(-X @ [0.2, 1.0, -0.7]))).astype(int), X).fit()


def large(rows=20_000):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=rows), "z": rng.normal(size=rows)})
    return frame.assign(y=(rng.random(rows) < 1 / (1 + np.exp(-frame.x))).astype(int))


def drawn(ax, label):
    """The points of the line with a label that begins so."""
    found = [line for line in ax.lines if str(line.get_label()).startswith(label) and len(line.get_xdata())]
    return np.column_stack(found[0].get_data()).astype(float)


def intervals(ax, count):
    return [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"][:count]


def remarks(ax):
    return " ".join([ax.get_title(), *(text.get_text() for text in ax.texts)])


# Coefficients.


def test_forests_show_estimates_and_intervals(res):
    ax = res.plot.coefficients()
    assert_allclose(intervals(ax, 5), res.conf_int().iloc[1:])
    assert [t.get_text() for t in ax.get_yticklabels()] == list(res.params.index[1:])
    dots = next(line for line in ax.lines if line.get_marker() == "o")
    assert_allclose(dots.get_xdata(), res.params.iloc[1:])
    robust = res.with_cov("HC3")
    ratios = robust.plot.odds_ratios(alpha=0.1)
    assert ratios.get_xscale() == "log"
    assert ratios.get_xlabel() == "odds ratio, 90 % interval (HC3)"
    assert_allclose(intervals(ratios, 5), np.exp(robust.conf_int(0.1).iloc[1:]))
    profile = res.plot.coefficients(method="profile")
    assert_allclose(intervals(profile, 5), res.conf_int(method="profile").iloc[1:])
    assert "profile" in profile.get_xlabel()


def test_forest_with_numbers_writes_estimates_and_limits(data):
    res = ls.logit("low ~ ht", data).fit()
    ax = res.plot.odds_ratios(numbers=True)
    row = res.odds_ratios().loc["ht"]
    wanted = f"{row.odds_ratio:.2f} ({row.conf_low:.2f} to {row.conf_high:.2f})"
    assert [t.get_text() for t in ax.child_axes[0].get_yticklabels()] == [wanted]


@pytest.mark.parametrize("spread", [0.01, 0.3, 2.0, 6.0, 40.0])
def test_odds_ratio_ticks_are_plain_numbers(spread):
    from logit_stats.report.plots.canvas import axes, plain_log_axis

    ax = axes(None)
    plain_log_axis(ax, np.exp(-spread), np.exp(spread))
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    texts = [t.get_text() for t in ax.get_xticklabels() if low <= t.get_position()[0] <= high]
    assert 2 <= len(texts) <= 14
    assert "1" in texts
    assert_allclose([float(text) for text in texts], [t for t in ax.get_xticks() if low <= t <= high], rtol=1e-9)
    assert len(set(texts)) == len(texts)


def test_infinite_limits_and_estimates_are_arrows(res):
    class Unbounded(type(res)):
        params = pd.Series([0.0, 0.5, np.inf, -0.5, -np.inf, 1.0], res.params.index)

        def conf_int(self, alpha=0.05, method="wald"):
            limits = [[0, 0], [0.1, 0.9], [1, np.inf], [-np.inf, 0.2], [-np.inf, np.inf], [np.nan, np.nan]]
            return pd.DataFrame(np.array(limits, dtype=float), res.params.index)

    endless = Unbounded(res.model, res.fit_, res.covariance_)
    for ax, value in ((endless.plot.coefficients(), np.asarray), (endless.plot.odds_ratios(), np.exp)):
        ax.figure.canvas.draw()
        arrows = [(line.get_marker(), line.get_ydata()[0]) for line in ax.lines if line.get_marker() in "<>"]
        assert sorted(arrows) == [("<", 2), ("<", 3), (">", 1), (">", 3)]
        dots = next(line for line in ax.lines if line.get_marker() == "o")
        assert_allclose(dots.get_xdata(), value(np.array([0.5, -0.5, 1.0])))
        assert np.isfinite(ax.get_xlim()).all()


def test_models_side_by_side(res, data):
    short = ls.logit("low ~ age + ht", data).fit()
    ax = ls.compare(res, short, names=["full", "short"]).plot(ratios=True)
    assert [t.get_text() for t in ax.get_yticklabels()] == [*res.params.index[1:], "ht"]
    assert_allclose(drawn(ax, "full")[:, 0], np.exp(res.params.iloc[1:]))
    assert_allclose(drawn(ax, "short")[:, 0], np.exp(short.params.iloc[1:]))
    # the models of one coefficient stand under each other, within its row
    assert_allclose(np.round(drawn(ax, "short")[:, 1]), [0 + 2, 5])
    assert drawn(ax, "short")[0, 1] > drawn(ax, "full")[2, 1]


@pytest.mark.parametrize("cov_type", ["nonrobust", "HC1"])
def test_profile_is_the_likelihood_and_wald_the_covariance_in_use(res, cov_type):
    chosen = res.with_cov(cov_type)
    ax = chosen.plot.profile("smoke")
    assert_allclose(drawn(ax, "profile 95 %")[:, 0], res.conf_int(method="profile").loc["smoke"], rtol=1e-6)
    parabola = drawn(ax, f"Wald's parabola ({cov_type})")
    z = (parabola[:, 0] - chosen.params["smoke"]) / chosen.bse["smoke"]
    assert_allclose(parabola[:, 1], z**2)
    line = drawn(ax, "profile likelihood")
    for beta, fall in line[[10, 60, 150, 190]]:
        exact = 2 * (res.llf - res.model.fit_constrained(f"smoke = {float(beta)!r}").llf)
        assert_allclose(fall, exact, rtol=3e-3, atol=2e-3)


def test_profile_of_penalized_fits_and_refusals(res):
    firth = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_firth()
    ax = firth.plot.profile("NV", alpha=0.1)
    assert_allclose(drawn(ax, "profile 90 %")[:, 0], firth.conf_int(0.1).loc["NV"], rtol=1e-6)
    assert "penalized" in ax.get_ylabel()
    with pytest.raises(DataError, match=r"'smok' is no coefficient; they are Intercept, C\(race\)"):
        res.plot.profile("smok")
    with pytest.raises(DataError, match="alpha=2"):
        firth.plot.profile("NV", alpha=2)


def traced(ax):
    return np.column_stack(ax.lines[0].get_data())


def test_trace_draws_the_cost_of_one_fit_or_several(res):
    ax = res.plot.trace()
    assert_allclose(traced(ax)[:, 1], [-step.loglik / res.nobs for step in res.trace.steps])
    assert traced(ax)[-1, 1] == pytest.approx(res.mle_retvals["fopt"])
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
    assert_allclose(traced(ax)[:, 1], [step.decrement for step in res.trace.steps])
    assert (ax.get_yscale(), ax.get_legend().get_texts()[0].get_text()) == ("log", "Newton")
    firth = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_firth()
    assert "penalized" in firth.plot.trace().get_ylabel()
    assert_allclose(traced(firth.plot.trace())[-1, 1], -firth._point.penalized_loglik / 79)
    with pytest.raises(UnknownOptionError, match="distance"):
        res.plot.trace("loglik")


# Predictions.


def test_roc_is_the_curve_of_scikit_learn(res, data):
    ax, found = res.plot.roc(thresholds=[0.2, 0.5]), res.roc()
    curve = drawn(ax, "area")
    assert_allclose(
        integrate.trapezoid(curve[:, 1], curve[:, 0]), metrics.roc_auc_score(data.low, res.predict()), rtol=1e-12
    )
    assert f"{found.auc:.3f}" in ax.get_legend().get_texts()[0].get_text()
    best = found.youden.iloc[0]
    assert_allclose(drawn(ax, "largest")[0], [1 - best["specificity"], best["sensitivity"]])
    marked = [line for line in ax.lines if line.get_marker() == "s"]
    for line, threshold in zip(marked, (0.2, 0.5), strict=True):
        says = res.predict() >= threshold
        wanted = [says[data.low == 0].mean(), says[data.low == 1].mean()]
        assert_allclose([line.get_xdata()[0], line.get_ydata()[0]], wanted)
    with pytest.raises(DataError, match="threshold of 2"):
        res.plot.roc(thresholds=[2])


def test_several_curves_on_one_pair_of_axes(res, data):
    other = ls.logit("low ~ age", data).fit()
    for draw, said in (("roc", "area"), ("precision_recall", "average precision")):
        ax = getattr(res.plot, draw)(label="full")
        assert getattr(other.plot, draw)(label="age", ax=ax) is ax
        texts = [text.get_text() for text in ax.get_legend().get_texts()]
        assert sum(said in text.replace("\n", " ") for text in texts) == 2
        curves = [line for line in ax.lines if line.get_gid() == "logit_stats curve"]
        assert len({line.get_color() for line in curves}) == 2
        assert len([line for line in ax.lines if line.get_linestyle() == "--"]) == 1


def test_precision_recall_area_is_the_average_precision(res, data):
    ax = res.plot.precision_recall()
    curve = drawn(ax, "average")
    assert ax.lines[0].get_drawstyle() == "steps-pre"
    area = np.sum(np.diff(curve[:, 0]) * curve[1:, 1])
    assert_allclose(area, metrics.average_precision_score(data.low, res.predict()), rtol=1e-12)
    assert_allclose(drawn(ax, "prevalence")[:, 1], data.low.mean())


def test_calibration_and_its_rug(res):
    ax = res.plot.calibration(bins=8)
    table = res.calibration(8).table
    dots = np.column_stack(ax.containers[0].lines[0].get_data()).astype(float)
    assert_allclose(dots, table[["mean_prob", "share"]])
    strokes = np.array([segment[0, 0] for segment in ax.collections[-1].get_segments()])
    assert_allclose(strokes, res.predict())


def test_confusion_of_results_and_of_any_table(res, menarche):
    ax = res.plot.confusion(0.3)
    counts = [float(text.get_text().split()[0]) for text in ax.texts]
    assert_allclose(counts, res.pred_table(0.3).ravel())
    assert [t.get_text() for t in ax.get_xticklabels()] == ["low = 0", "low = 1"]
    assert [t.get_text() for t in menarche.plot.confusion().get_yticklabels()] == ["failure", "success"]
    table = np.array([[123456, 2, 0], [0, 0, 0], [1, 2.5, 7]])
    ax = ls.plot_confusion(pd.DataFrame(table, index=["setosa", "größer", "$c$"]))
    assert [text.get_text().split("\n")[0] for text in ax.texts] == [
        "123,456",
        "2",
        "0",
        "0",
        "0",
        "0",
        "1",
        "2.5",
        "7",
    ]
    assert ax.texts[-1].get_text().endswith("66.7 %")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["setosa", "größer", r"\$c\$"]
    ten = ls.plot_confusion(np.eye(10) * 1000, ax=plt.subplots(figsize=(3, 2))[1])
    assert all("\n" not in text.get_text() for text in ten.texts)
    for wrong in ([[1, 2]], [[1, -1], [0, 1]], [[1, np.nan], [0, 1]], []):
        with pytest.raises(DataError, match="square"):
            ls.plot_confusion(wrong)
    with pytest.raises(DataError, match="2 classes and 3 labels"):
        ls.plot_confusion(np.eye(2), labels=list("abc"))


# Rows.


def test_residuals_average_to_the_mean_residual(res, data):
    ax = res.plot.residuals("lwt", bins=1)
    assert_allclose(drawn(ax, "mean")[:, 1], 0.0, atol=1e-10)
    assert ax.get_xlabel() == "lwt"
    assert_allclose(drawn(res.plot.residuals("smoke"), "mean"), [[0.0, 0.0], [1.0, 0.0]], atol=1e-9)
    ax, p = res.plot.residuals(bins=4), res.predict()
    bins = pd.cut(p, np.quantile(p, [0, 0.25, 0.5, 0.75, 1]), right=False, labels=False).fillna(3)
    assert_allclose(drawn(ax, "mean")[:, 1], (data.low - p).groupby(bins).mean(), atol=1e-12)
    with pytest.raises(DataError, match="bins=0"):
        res.plot.residuals(bins=0)


@pytest.mark.parametrize("kind", ["freq_weights", "sampling_weights"])
def test_residual_bounds_know_what_weights_are(data, kind):
    weighted = data.assign(w=1 + np.arange(len(data)) % 3)
    ax = ls.logit("low ~ age + lwt", weighted, **{kind: "w"}).fit().plot.residuals("race")
    fit = ls.logit("low ~ age + lwt", weighted, **{kind: "w"}).fit()
    rows = weighted.assign(p=fit.predict(), r=fit.resid_response)
    for place, level in enumerate(data.race.cat.categories):
        part = rows[rows.race == level]
        power = 1 if kind == "freq_weights" else 2
        bound = 2 * np.sqrt((part.w**power * part.p * (1 - part.p)).sum()) / part.w.sum()
        assert_allclose(ax.collections[0].get_segments()[place], [[place, -bound], [place, bound]])
        assert_allclose(drawn(ax, "mean")[place], [place, np.average(part.r, weights=part.w)])


def test_residuals_against_factors_and_columns_the_model_leaves_out(data):
    short = ls.logit("low ~ age", data.assign(name=np.where(data.ht == 1, "hoch", "übrige"))).fit()
    ax = short.plot.residuals("name")
    assert [t.get_text() for t in ax.get_xticklabels()] == ["hoch", "übrige"]
    assert_allclose(drawn(ax, "mean")[:, 1], short.resid_response.groupby(data.ht).mean()[::-1])
    holes = data.assign(lwt=data.lwt.astype(float).mask(data.index[:] % 10 == 0))
    ax = ls.logit("low ~ age", holes).fit().plot.residuals("lwt", bins=1)
    assert f"{holes.lwt.isna().sum()} rows without lwt" in remarks(ax)
    assert_allclose(drawn(ax, "mean")[0, 1], short.resid_response[holes.lwt.notna().to_numpy()].mean())
    with pytest.raises(MissingColumnError, match="racee"):
        short.plot.residuals("racee")


def test_influence_labels_the_largest(res):
    ax = res.plot.influence(labels=3)
    found = res.get_influence()
    assert_allclose(ax.collections[0].get_offsets(), np.column_stack([found.hat_matrix_diag, found.resid_studentized]))
    sizes, cook = ax.collections[0].get_sizes(), found.cooks_distance
    seen = sizes > sizes.min()
    assert_allclose(sizes[seen] / sizes.max(), cook[seen] / cook.max())
    largest = found.summary_frame()["cooks_d"].nlargest(3).index
    assert {text.get_text() for text in ax.texts} == {str(label) for label in largest}
    assert_allclose(drawn(ax, "twice")[:, 0], 2 * 6 / 189)


def test_influence_of_patterns_and_of_penalized_fits(data):
    few = ls.logit("low ~ smoke + race", data).fit()
    ax, found = few.plot.influence(labels=1, by="pattern"), few.get_influence("pattern")
    assert_allclose(ax.collections[0].get_offsets()[:, 0], found.hat_matrix_diag)
    assert [text.get_text() for text in ax.texts] == [str(np.argmax(found.cooks_distance))]
    firth = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_firth()
    ax, found = firth.plot.influence(labels=1), firth.get_influence()
    assert_allclose(ax.collections[0].get_offsets(), np.column_stack([found.hat_matrix_diag, found.resid_studentized]))
    assert [text.get_text() for text in ax.texts] == [str(np.argmax(found.hat_matrix_diag))]


def test_labels_of_neighbours_do_not_cover_each_other():
    _, ax = plt.subplots()
    place_labels(ax, [0.5, 0.501, 0.502], [0.5, 0.5, 0.5], ["first", "second", "third"], 8)
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(boxes[i].overlaps(boxes[j]) for i in range(3) for j in range(i))


# Variables.


def test_margins_of_numbers_and_factors(res, data):
    categories = data.race.cat.categories
    set_to = {v: data.assign(race=pd.Categorical([v] * 189, categories)) for v in categories}
    averages = [res.average_prediction(set_to[v]) for v in categories]
    bars = res.plot.margins("race").containers[0]
    assert_allclose(bars.lines[0].get_ydata().astype(float), [a.estimate for a in averages], rtol=1e-9)
    ends = [segment[:, 1] for segment in bars.lines[2][0].get_segments()]
    assert_allclose(ends, [[a.conf_low, a.conf_high] for a in averages], rtol=1e-9)
    line = res.plot.margins("lwt", points=3).lines[0]
    ends = [res.average_prediction(data.assign(lwt=v)).estimate for v in (data.lwt.min(), data.lwt.max())]
    assert_allclose(line.get_ydata()[[0, -1]], ends, rtol=1e-9)
    with pytest.raises(MissingColumnError, match="its variables are age, lwt, race, smoke"):
        res.plot.margins("lwtt")


def test_margins_of_interactions(data):
    res = ls.logit("low ~ lwt * smoke + race", data).fit()
    ax = res.plot.margins("lwt", points=2, at={"smoke": [0, 1]})
    for value in (0, 1):
        wanted = [res.average_prediction(data.assign(smoke=value, lwt=v)).estimate for v in (80, 250)]
        assert_allclose(drawn(ax, f"smoke = {value}")[:, 1], wanted, rtol=1e-9)
    ax = res.plot.margins("lwt", points=2, over="race")
    for level in data.race.cat.categories:
        part = data[data.race == level]
        wanted = [res.average_prediction(part.assign(lwt=v)).estimate for v in (80, 250)]
        assert_allclose(drawn(ax, f"race = {level}")[:, 1], wanted, rtol=1e-9)
    assert len(res.plot.margins("race", at={"smoke": [0, 1]}).containers) == 2


def test_curve_data_probability_and_crossing():
    ten = ls.logit("y ~ x", ls.datasets.load("ten_points")).fit()
    ax = ten.plot.curve("x", threshold=0.3, logit=True)
    line = drawn(ax, "probability")
    assert_allclose(line[:, 1], ten.predict({"x": line[:, 0]}))
    assert_allclose(drawn(ax, "p = 0.3")[:, 0], ten.dose(0.3).frame["dose"].iloc[0], rtol=1e-9)
    offsets = ax.collections[0].get_offsets()
    assert_allclose(offsets, ls.datasets.load("ten_points")[["x", "y"]], atol=0.021)
    odds = ax.figure.axes[1].lines[0]
    assert_allclose(odds.get_ydata(), ten.predict({"x": odds.get_xdata()}, which="linear"))
    with pytest.raises(DataError, match=r"threshold=1\.0"):
        ten.plot.curve("x", threshold=1.0)


def test_curve_of_counts_weights_and_offsets(menarche, data):
    table = ls.datasets.load("menarche")
    dots = menarche.plot.curve("age").collections[0]
    assert_allclose(dots.get_offsets(), np.column_stack([table.age, table.reached / table.total]))
    seen = dots.get_sizes() > dots.get_sizes().min()
    assert_allclose(dots.get_sizes()[seen] / dots.get_sizes().max(), table.total[seen] / table.total.max())
    more = data.assign(o=np.linspace(-1, 1, 189), w=1 + np.arange(189) % 4)
    res = ls.logit("low ~ lwt", more, offset="o", freq_weights="w").fit()
    ax = res.plot.curve("lwt")
    line, mean = drawn(ax, "probability"), np.average(more.o, weights=more.w)
    assert_allclose(line[:, 1], res.predict({"lwt": line[:, 0]}, offset=np.full(len(line), mean)))
    assert f"offset = {mean:.3g}" in remarks(ax)
    with pytest.raises(DataError, match="this one has lwt too"):
        ls.logit("low ~ age + lwt", data).fit().plot.curve("age")


def test_boundary_runs_where_the_probability_is_the_threshold(data):
    res = ls.logit("low ~ age * lwt + smoke + race", data).fit()
    ax = res.plot.boundary("age", "lwt", threshold=0.3)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("age", "lwt")
    held = {"smoke": data.smoke.mean(), "race": "white"}
    assert f"smoke = {held['smoke']:.3g}" in ax.get_title()
    path = np.vstack([p.vertices for c in ax.collections if hasattr(c, "levels") for p in c.get_paths()])
    along = {"age": path[:, 0], "lwt": path[:, 1], **{k: [v] * len(path) for k, v in held.items()}}
    assert_allclose(res.predict(along), 0.3, atol=1e-3)
    picture = ax.images[0].get_array()
    corner = {"age": [ax.get_xlim()[0]], "lwt": [ax.get_ylim()[0]], "smoke": [held["smoke"]], "race": ["white"]}
    assert_allclose(picture[0, 0], res.predict(corner).iloc[0])
    assert "is not reached" in res.plot.boundary("age", "lwt", threshold=0.99).get_title().replace("\n", " ")
    with pytest.raises(DataError, match="factor"):
        res.plot.boundary("age", "race")


def test_array_fits_take_columns_by_name_and_position(arrays):
    X = arrays.model.exog.copy()
    for column in ("x1", 1, -2):
        ax = arrays.plot.margins(column, points=2)
        wanted = []
        for value in (X[:, 1].min(), X[:, 1].max()):
            moved = X.copy()
            moved[:, 1] = value
            wanted.append(arrays.average_prediction(moved))
        assert_allclose(ax.lines[0].get_ydata(), [w.estimate for w in wanted])
        band = ax.collections[0].get_paths()[0].vertices[:, 1]
        assert_allclose([band.min(), band.max()], [min(w.conf_low for w in wanted), max(w.conf_high for w in wanted)])
        assert ax.get_xlabel() == "x1"
    ax = arrays.plot.boundary("x1", 2)
    path = np.vstack([p.vertices for c in ax.collections if hasattr(c, "levels") for p in c.get_paths()])
    assert_allclose(arrays.predict(np.column_stack([np.ones(len(path)), path])), 0.5, atol=1e-6)
    assert_allclose(drawn(arrays.plot.residuals(1, bins=1), "mean")[0, 1], arrays.resid_response.mean(), atol=1e-12)
    one = ls.Logit(arrays.model.endog, X[:, :2]).fit()
    line = drawn(one.plot.curve("x1"), "probability")
    assert_allclose(line[:, 1], one.predict(np.column_stack([np.ones(len(line)), line[:, 0]])))
    for call in (arrays.plot.margins, arrays.plot.residuals, one.plot.curve):
        with pytest.raises(MissingColumnError, match="its columns are const, x1"):
            call("x9")
    with pytest.raises(NotAvailableError, match="formula"):
        arrays.plot.margins("x1", over="x2")


def test_margins_of_array_fits_count_weights_trials_and_offsets():
    rng = np.random.default_rng(8)
    X, m = np.column_stack([np.ones(60), rng.normal(size=(60, 2))]), rng.integers(1, 9, 60)
    y, w, o = rng.binomial(m, 0.4), rng.integers(1, 4, 60), rng.normal(size=60)
    res = ls.Logit(y, X, trials=m, freq_weights=w, offset=o).fit()
    ax = res.plot.margins(1, points=3)
    for x, p in np.column_stack(ax.lines[0].get_data()):
        eta = np.column_stack([X[:, 0], np.full(60, x), X[:, 2]]) @ res.params + o
        assert_allclose(p, np.average(1 / (1 + np.exp(-eta)), weights=m * w), rtol=1e-12)


# Paths of penalized fits.


def test_path_names_its_lines_without_covering(data):
    model = ls.logit("low ~ age + lwt + race + smoke + ptl + ht + ui + ftv", data)
    path = model.regularization_path(cv=5)
    ax = path.plot()
    names = list(path.params.columns[1:])
    # on the scale on which they are penalized
    deviation = dict(zip(model.exog_names, np.std(model.exog, axis=0), strict=True))
    for line, name in zip(ax.lines, names, strict=False):
        drawn = path.params[name].sort_index(ascending=False) * deviation[name]
        assert_allclose(line.get_ydata(), drawn, rtol=1e-9)
    plain = model.regularization_path(count=3, standardize=False)
    assert_allclose(plain.plot().lines[0].get_ydata(), plain.params[names[0]])
    written = [text for text in ax.texts if text.get_text() in names]
    assert len(written) == len(names)
    heights = np.sort([text.xyann[1] for text in written])
    assert np.diff(heights).min() > 0.02
    assert 0.0 <= heights[0] <= heights[-1] <= 1.0
    assert_allclose(moved_apart([0.1, 0.1, 0.9], 0.2), [0.0, 0.2, 0.9], atol=1e-6)


# Everywhere.


def every_picture(res, number, second, factor):
    p = res.plot
    yield from (p.coefficients, p.odds_ratios, p.roc, p.precision_recall, p.calibration, p.confusion, p.residuals)
    yield from (p.influence, p.trace, lambda ax: p.margins(number, ax=ax), lambda ax: p.margins(factor, ax=ax))
    yield lambda ax: p.boundary(number, second, ax=ax)
    yield lambda ax: p.profile(res.model.exog_names[-1], ax=ax)


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_axes_given_are_used_labelled_and_small_ones_do(data, style):
    names = {"lwt": "Gewicht der Mutter bei der letzten Regel ($ je $, geschätzt)", "race": "Herkunft é"}
    res = ls.logit(f"low ~ age + Q('{names['lwt']}') + Q('{names['race']}')", data.rename(columns=names)).fit()
    with plt.style.context(style):
        for picture in every_picture(res, names["lwt"], "age", names["race"]):
            figure, ax = plt.subplots(figsize=(3, 2), layout="constrained")
            assert picture(ax=ax) is ax
            assert ax.get_xlabel()
            figure.savefig(io.BytesIO(), dpi=40)
            background = matplotlib.colors.to_hex(ax.get_facecolor())
            assert all(matplotlib.colors.to_hex(line.get_color()) != background for line in ax.lines)


def test_misspelt_names_and_arguments_are_refused(res):
    with pytest.raises(TypeError):
        res.plot.roc(axis=None)
    with pytest.raises(
        AttributeError, match="'rocc'; there are coefficients, odds_ratios, roc, confusion, precision_recall"
    ):
        _ = res.plot.rocc
    assert "boundary" in repr(res.plot)


def test_large_fits_stay_small_and_say_what_they_leave_out():
    res = ls.logit("y ~ x + z", large()).fit()
    ax = res.plot.boundary("x", "z")
    assert sum(len(c.get_offsets()) for c in ax.collections if not hasattr(c, "levels")) == 2000
    assert "every 10th of 20,000 rows shown" in remarks(ax)
    ax, found = res.plot.influence(labels=4), res.get_influence()
    largest = np.argsort(-found.cooks_distance)[:400]
    assert_allclose(np.sort(ax.collections[0].get_offsets()[:, 0]), np.sort(found.hat_matrix_diag[largest]))
    assert "of 20,000 rows shown" in remarks(ax)
    for picture in every_picture(res, "x", "z", "z"):
        file = io.BytesIO()
        picture(ax=None).figure.savefig(file, format="svg")
        assert len(file.getvalue()) < 1_000_000


def test_curves_of_many_rows_keep_their_area_and_show_bins():
    rows = large()
    res = ls.logit("y ~ x", rows).fit()
    curve = drawn(res.plot.roc(), "area")
    assert len(curve) < 10_000
    assert_allclose(integrate.trapezoid(curve[:, 1], curve[:, 0]), res.roc().auc, atol=5e-4)
    ax = res.plot.curve("x")
    bins = drawn(ax, "share of events")
    place = pd.qcut(rows.x, 20, labels=False)
    assert_allclose(bins, rows.groupby(place)[["x", "y"]].mean(), atol=2e-3)
    events = -np.array([bar.get_height() for bar in ax.patches if bar.get_y() > 0.5])
    assert_allclose(
        events / events.sum(), np.histogram(rows.x[rows.y == 1], 60, (rows.x.min(), rows.x.max()))[0] / rows.y.sum()
    )


def test_quantile_of_the_profile_line_is_that_of_the_level(res):
    ax = res.plot.profile("age", alpha=0.2)
    assert_allclose(drawn(ax, "profile 80 %")[:, 1], stats.chi2.isf(0.2, 1))


def test_limiting_fits_show_what_needs_no_finite_coefficient():
    limit = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_limit()
    ax = limit.plot.odds_ratios()
    assert [(line.get_marker(), line.get_ydata()[0]) for line in ax.lines if line.get_marker() in "<>"] == [(">", 0)]
    assert_allclose(intervals(ax, 3)[1:], np.exp(limit.conf_int().loc[["PI", "EH"]]))
    assert_allclose(intervals(ax, 1)[0][0], np.exp(limit.conf_int().loc["NV", 0]))
    assert f"{limit.roc().auc:.3f}" in limit.plot.roc().get_legend().get_texts()[0].get_text()
    with pytest.raises(AttributeError, match="'influence'; there are coefficients, odds_ratios, roc, confusion"):
        _ = limit.plot.influence


def test_a_number_that_jumps_in_the_formula_is_drawn_along_its_range():
    data = ls.datasets.load("birthwt")
    res = ls.logit("low ~ lwt + np.where(age > 25, 1, 0) + C(ptl > 0)", data).fit()
    for name in ("age", "ptl", "lwt"):
        line = res.plot.margins(name).get_lines()[0]
        assert len(line.get_xdata()) > 10
