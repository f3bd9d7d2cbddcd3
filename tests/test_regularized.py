"""Penalized fits against the reference values, statsmodels, expanded data, and the conditions of an optimum."""

import numpy as np
import pandas as pd
import pytest

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError, UnknownOptionError, WeightError
from logit_stats.estimation import proximal_newton
from logit_stats.estimation.coordinate_descent import elastic_net_quadratic, subgradient_violation
from logit_stats.estimation.one_vs_rest import one_vs_rest_fits
from logit_stats.estimation.penalized import Penalty, prepare
from tests.cases import load_case

CASES = [
    (name, key)
    for name, keys in {
        "birthwt_factor": ["ridge", "ridge_standardized", "lasso_standardized", "elastic_net_standardized"],
        "pima_train_test": ["ridge", "ridge_standardized", "lasso", "lasso_standardized", "elastic_net_standardized"],
    }.items()
    for key in keys
]


def _model(name="pima_train_test"):
    case = load_case(name)
    formula, arguments = case.model_arguments()
    return ls.logit(formula, case.data, **arguments)


def _data(n=200, k=5, seed=0):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, k))])
    return X, (rng.random(n) < 1 / (1 + np.exp(-X[:, 1] + X[:, 2]))).astype(float)


@pytest.mark.parametrize(("name", "key"), CASES)
def test_reference_values(name, key):
    value = load_case(name).values["elastic_net"][key]
    fit = _model(name).fit_regularized(alpha=value["lambda"], L1_wt=value["alpha"], standardize=value["standardize"])
    columns = [c.replace("raceblack", "race[T.black]").replace("raceother", "race[T.other]") for c in value["columns"]]
    found = fit.params.rename(lambda c: c.replace("C(race)", "race").split(", Treatment")[0])
    np.testing.assert_allclose(found["Intercept"], value["intercept"], rtol=1e-9)
    np.testing.assert_allclose(found[columns], value["coef"], rtol=1e-9, atol=1e-12)
    assert list(found[columns] == 0.0) == [c == 0 for c in value["coef"]]
    assert fit.converged
    assert fit.optimality_violation <= 1e-10
    np.testing.assert_allclose(fit.estimate.objective, value["objective"], rtol=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_l1_as_statsmodels():
    sm = pytest.importorskip("statsmodels.api")
    X, y = _data()
    for alpha in (5.0, np.array([0.0, 3.0, 3.0, 10.0, 1.0, 0.0])):
        theirs = sm.Logit(y, X).fit_regularized(alpha=alpha, disp=0, acc=1e-14, trim_mode="off")
        ours = ls.Logit(y, X).fit_regularized("l1", alpha=alpha, trim_mode="off")
        np.testing.assert_allclose(ours.params, theirs.params, atol=2e-6)


@pytest.mark.parametrize("l1_wt", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("penalize_intercept", [False, True])
def test_conditions_of_an_optimum_at_the_users_scale(l1_wt, penalize_intercept):
    X, y = _data()
    X[:, 3] *= 100.0
    X[:, 2] += 50.0
    fit = ls.Logit(y, X).fit_regularized(alpha=0.05, L1_wt=l1_wt, penalize_intercept=penalize_intercept)
    b = fit.params
    strength = np.where(np.arange(6) == 0, 0.05 * penalize_intercept, 0.05)
    gradient = -X.T @ (y - 1 / (1 + np.exp(-X @ b))) / len(y) + strength * (1 - l1_wt) * b
    assert subgradient_violation(gradient, b, strength * l1_wt).max() < 1e-9


@pytest.mark.parametrize("standardize", [False, True])
def test_frequency_weights_and_grouped_rows_are_the_expanded_data(standardize):
    X, y = _data(40, 3)
    times = np.random.default_rng(2).integers(1, 4, 40)
    arguments = {"alpha": 0.03, "L1_wt": 0.5, "standardize": standardize}
    expanded = ls.Logit(np.repeat(y, times), np.repeat(X, times, axis=0)).fit_regularized(**arguments).params
    weighted = ls.Logit(y, X, freq_weights=times).fit_regularized(**arguments).params
    grouped = ls.Logit(y * times, X, trials=times).fit_regularized(**arguments).params
    np.testing.assert_allclose(weighted, expanded, atol=1e-9)
    np.testing.assert_allclose(grouped, expanded, atol=1e-9)


def test_class_weights():
    X, y = _data()
    model = ls.Logit(y, X)
    share = y.mean()
    by_hand = {0: 0.5 / (1 - share), 1: 0.5 / share}
    balanced = model.fit_regularized(alpha=0.01, class_weight="balanced").params
    np.testing.assert_allclose(balanced, model.fit_regularized(alpha=0.01, class_weight=by_hand).params, atol=1e-10)
    grouped = ls.Logit(y, X, trials=np.ones(len(y))).fit_regularized(alpha=0.01, class_weight=by_hand).params
    np.testing.assert_allclose(balanced, grouped, atol=1e-9)
    with pytest.raises(WeightError):
        model.fit_regularized(alpha=0.01, class_weight={2: 1.0})


def test_no_penalty_is_maximum_likelihood():
    X, y = _data()
    offset = np.linspace(-1, 1, len(y))
    model = ls.Logit(y, X, offset=offset)
    np.testing.assert_allclose(model.fit_regularized(alpha=0.0).params, model.fit().params, atol=1e-8)


def test_penalty_weights_and_no_intercept():
    X, y = _data()
    fit = ls.Logit(y, X[:, 1:]).fit_regularized(alpha=1.0, penalty_weights=[0, 1, 1, 1, 1])
    assert list(fit.params != 0.0) == [True, False, False, False, False]


def test_separated_and_dependent_columns_have_a_penalized_fit():
    x = np.arange(10.0)
    y = (x > 3).astype(float)
    fit = ls.Logit(y, np.column_stack([np.ones(10), x, x]), check_rank=False).fit_regularized(alpha=0.01, L1_wt=0.0)
    assert fit.converged
    np.testing.assert_allclose(fit.params[1], fit.params[2], atol=1e-9)


def test_path_choice_and_plot():
    model = _model()
    path = model.regularization_path(count=15, cv=5, seed=1)
    assert (path.params.iloc[0, 1:] == 0.0).all()
    assert (path.params.iloc[1, 1:] != 0.0).any()
    assert max(fit.optimality_violation for fit in path.fits) <= 1e-10
    one = model.fit_regularized(alpha=float(path.alphas[7]), standardize=True)
    np.testing.assert_allclose(path.params.iloc[7], one.params, atol=1e-8)
    again = model.regularization_path(count=15, cv=5, seed=1)
    np.testing.assert_array_equal(path.cv.deviance, again.cv.deviance)
    assert path.cv.one_se <= path.cv.best
    assert path.cv.deviance[path.cv.one_se] <= path.cv.deviance[path.cv.best] + path.cv.se[path.cv.best]
    assert path.choose() is path.fits[path.cv.one_se]
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    axes = path.plot()
    assert len(axes.lines) == 7 + 2
    with pytest.raises(NotAvailableError, match="cv=10"):
        model.regularization_path(count=3).choose()


def test_inference_is_refused_and_what_stands_in_its_place():
    model = _model()
    fit = model.fit_regularized(alpha=0.05, standardize=True)
    for ask in (lambda: fit.bse, lambda: fit.pvalues, fit.conf_int, fit.cov_params):
        with pytest.raises(NotAvailableError, match="refit"):
            ask()
    refitted = fit.refit()
    kept = [name for name in fit.params.index if fit.params[name] != 0.0]
    assert list(refitted.params.index) == kept
    pd.testing.assert_series_equal(
        refitted.params,
        ls.logit("diabetic ~ npreg + glu + bmi + ped + age", load_case("pima_train_test").data).fit().params,
    )
    share = fit.stability(30, seed=4)
    pd.testing.assert_series_equal(share, fit.stability(30, seed=4))
    assert share["glu"] == 1.0
    assert share["skin"] < 0.5
    assert "no valid Wald" in str(fit)
    assert "<table" in fit._repr_html_()


def test_predictions_of_new_data_keep_index():
    model = _model()
    fit = model.fit_regularized(alpha=0.05, standardize=True)
    data = load_case("pima_train_test").data
    pd.testing.assert_series_equal(fit.predict(data.iloc[5:9]), fit.predict().iloc[5:9])


def test_refusals():
    X, y = _data()
    model = ls.Logit(y, X)
    with pytest.raises(UnknownOptionError, match="no argument 'alpah'"):
        model.fit_regularized(alpah=1.0)
    with pytest.raises(UnknownOptionError):
        model.fit_regularized("l2", alpha=1.0)
    for arguments in ({"alpha": -1.0}, {"alpha": np.nan}, {"alpha": [1.0, 2.0]}, {"alpha": 1.0, "L1_wt": 2.0}):
        with pytest.raises(DataError):
            model.fit_regularized(**arguments)


def test_quadratic_with_random_curvatures():
    rng = np.random.default_rng(5)
    for _ in range(30):
        k = int(rng.integers(1, 30))
        root = rng.normal(size=(k + 5, k))
        H, c, l1 = root.T @ root / k, 3 * rng.normal(size=k), np.full(k, 1.0)
        b = elastic_net_quadratic(H, c, l1, np.full(k, 0.1), np.zeros(k))
        assert subgradient_violation(c + H @ b + 0.1 * b, b, l1).max() < 1e-10


@pytest.mark.parametrize("l1_wt", [0.0, 0.5])
def test_steps_without_the_information_end_where_newton_ends(monkeypatch, l1_wt):
    X, y = _data(3000, 60)
    fits = []
    for saved in (0.0, np.inf):  # always the information, never after the first
        monkeypatch.setattr(proximal_newton, "SAVED", saved)
        monkeypatch.setattr(proximal_newton, "information_cost", lambda X: 2.0)
        fits.append(ls.Logit(y, X).fit_regularized(alpha=0.01, L1_wt=l1_wt))
    newton, learnt = fits
    assert learnt.estimate.iterations > newton.estimate.iterations
    assert learnt.optimality_violation < 1e-12
    np.testing.assert_allclose(learnt.params, newton.params, atol=1e-11)
    np.testing.assert_allclose(learnt.fit_.information_working, newton.fit_.information_working, rtol=1e-9, atol=1e-9)


def test_curvature_foretells_the_last_change_of_the_gradient():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(9, 6))
    true, old, step = root.T @ root, root.T @ root + np.eye(6), rng.normal(size=6)
    new = proximal_newton._corrected(old, step, true @ step)
    np.testing.assert_allclose(new @ step, true @ step)
    assert np.linalg.eigvalsh(new).min() > 0.0
    # what is rounding, or was seen too far away, teaches nothing
    assert proximal_newton._corrected(old, step, -(true @ step)) is old
    assert proximal_newton._corrected(old, step, 1e3 * (true @ step)) is old


@pytest.mark.parametrize("l1_wt", [0.0, 1.0])
def test_many_rows_start_from_a_part_of_them(l1_wt):
    X, y = _data(60_000, 4)
    X[:30_000] += 3.0  # the part is another mixture than the whole
    X[:, 0] = 1.0
    fit = ls.Logit(y, X).fit_regularized(alpha=0.002, L1_wt=l1_wt)
    gradient = -X.T @ (y - 1 / (1 + np.exp(-X @ fit.params))) / len(y)
    strength = np.array([0.0, *[0.002] * 4])
    gradient += strength * (1 - l1_wt) * fit.params
    assert subgradient_violation(gradient, fit.params, strength * l1_wt).max() < 1e-11


@pytest.mark.parametrize("spared", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_one_vs_rest_in_step_is_each_fit_by_itself(spared, weighted):
    X, _ = _data(300, 5)
    X[:, 2] = 1e4 * X[:, 2] + 1e6
    rng = np.random.default_rng(8)
    label = rng.integers(0, 4, 300)
    label[:5] = 4  # a rare class
    outcomes = (label[:, None] == np.arange(5)).astype(float)
    weights = {"sampling_weights": rng.random(300) + 0.1} if weighted else {}
    strength = np.full(6, 0.02)
    strength[0] *= not spared
    penalty = Penalty(strength, 0.0)
    for offset in ({}, {"offset": rng.normal(size=300)}):
        problem = prepare(ls.Logit(outcomes[:, 0], X, **weights, **offset).design, penalty)
        together = one_vs_rest_fits(problem, penalty, outcomes, tol=1e-12, maxiter=200)
        for outcome, estimate in zip(outcomes.T, together, strict=True):
            alone = ls.Logit(outcome, X, **weights, **offset).fit_regularized(
                alpha=strength, L1_wt=0.0, penalize_intercept=True
            )
            assert estimate.converged
            np.testing.assert_allclose(estimate.beta, alone.params, rtol=1e-8, atol=1e-9)


def test_one_vs_rest_of_dependent_columns_and_too_few_steps():
    X, y = _data(200, 3)
    X = np.column_stack([X, X[:, 1]])
    outcomes = np.column_stack([y, 1 - y])
    penalty = Penalty(np.array([0.0, 0.1, 0.1, 0.1, 0.1]), 0.0)
    problem = prepare(ls.Logit(y, X, check_rank=False).design, penalty)
    first, second = one_vs_rest_fits(problem, penalty, outcomes, tol=1e-12, maxiter=200)
    np.testing.assert_allclose(first.beta, -second.beta, atol=1e-9)
    # nothing penalized: the columns are dependent, and no factor of the bound would do
    free = one_vs_rest_fits(problem, Penalty(np.zeros(5), 0.0), outcomes, tol=1e-9, maxiter=200)
    np.testing.assert_allclose(X @ free[0].beta, ls.Logit(y, X[:, :4]).fit().predict(which="linear"), atol=1e-6)
    early = one_vs_rest_fits(problem, penalty, outcomes, tol=1e-12, maxiter=1)
    assert not early[0].converged


def test_statsmodels_l1_arguments_work_or_are_refused():
    X, y = _data()
    model = ls.Logit(y, X)
    plain = model.fit_regularized("l1", alpha=3.0)
    trimmed = model.fit_regularized("l1", alpha=3.0, trim_mode="size", size_trim_tol=0.2)
    small = np.abs(plain.params) < 0.2
    assert small.any()
    np.testing.assert_allclose(trimmed.params, np.where(small, 0.0, plain.params), rtol=1e-12)
    # what is reported is of the coefficients that are left
    np.testing.assert_allclose(trimmed.llf, model.loglike(trimmed.params), rtol=1e-12)
    assert trimmed.llf != plain.llf
    assert trimmed.optimality_violation > 1e-4
    # what has nothing to do here changes nothing
    unused = {
        "acc": 1e-10,
        "qc_tol": 0.1,
        "qc_verbose": True,
        "auto_trim_tol": 0.5,
        "disp": 1,
        "full_output": 0,
        "callback": print,
    }
    told = model.fit_regularized("l1", alpha=3.0, size_trim_tol=0.5, maxiter="defined_by_method", **unused)
    np.testing.assert_array_equal(told.params, plain.params)
    with pytest.raises(UnknownOptionError, match="L1_wt"):
        model.fit_regularized("l1", alpha=3.0, L1_wt=0.5)
    with pytest.raises(DataError, match="size_trim_tol"):
        model.fit_regularized("l1", alpha=3.0, trim_mode="size", size_trim_tol=-1.0)


def test_labelled_strengths_are_read_by_name():
    model = _model()
    names = list(model.exog_names)
    strength = pd.Series(np.linspace(0.0, 0.7, 8), index=names)
    expected = model.fit_regularized(alpha=strength.to_numpy()).params
    pd.testing.assert_series_equal(model.fit_regularized(alpha=strength[::-1]).params, expected)
    pd.testing.assert_series_equal(model.fit_regularized(alpha=dict(strength[::-1])).params, expected)
    pd.testing.assert_series_equal(
        model.fit_regularized(alpha=1.0, penalize_intercept=True, penalty_weights=strength[::-1]).params, expected
    )
    pd.testing.assert_series_equal(model.fit_regularized(alpha=strength.reset_index(drop=True)).params, expected)
    for wrong in (strength[1:], strength.rename({"glu": "glucose"})):
        with pytest.raises(DataError, match="name each column once"):
            model.fit_regularized(alpha=wrong)


def test_class_weights_by_the_values_of_the_response():
    X, y = _data()
    frame = pd.DataFrame({"y": np.where(y > 0, "yes", "no"), "x": X[:, 1]})
    model = ls.logit("y ~ x", frame)
    by_position = model.fit_regularized(alpha=0.01, class_weight={0: 1.0, 1: 3.0}).params
    by_value = model.fit_regularized(alpha=0.01, class_weight={"yes": 3.0}).params
    pd.testing.assert_series_equal(by_value, by_position)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_standardized_columns_of_any_size(size):
    X, y = _data(200, 2)
    expected = ls.Logit(y, X).fit_regularized(alpha=0.01, standardize=True).params
    X[:, 2] *= size
    found = ls.Logit(y, X).fit_regularized(alpha=0.01, standardize=True).params
    np.testing.assert_allclose(found * [1.0, 1.0, size], expected, rtol=1e-9)


def test_refusals_of_paths():
    X, y = _data()
    model = ls.Logit(y, X)
    for arguments in ({"count": 0}, {"ratio": 2.0}, {"cv": 2.5}, {"cv": 1}, {"alphas": "a"}, {"alphas": []}):
        with pytest.raises(DataError):
            model.regularization_path(**arguments)


@pytest.mark.parametrize("L1_wt", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("size", [1e8, 1e12])
def test_rounding_in_large_columns_is_no_failure(L1_wt, size, recwarn):
    X, y = _data()
    X[:, 2:] *= size
    fit = ls.Logit(y, X).fit_regularized(alpha=0.01, L1_wt=L1_wt)
    assert fit.converged
    assert not recwarn
    short = ls.Logit(y, X / np.r_[1.0, 1.0, np.full(4, size)]).fit_regularized(
        alpha=np.r_[0.0, 0.01, np.full(4, 0.01 / size if L1_wt == 1.0 else 0.0)], L1_wt=L1_wt
    )
    if L1_wt != 0.5:  # there the two parts of the penalty would need strengths of their own
        np.testing.assert_allclose(fit.params[2:] * size, short.params[2:], rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("model", ["logit", "mnlogit"])
def test_penalty_weights_say_which_columns_they_leave_out(model):
    births = ls.datasets.load("birthwt")
    fit = getattr(ls, model)("low ~ lwt + age", births).fit_regularized
    with pytest.raises(DataError, match=r"leaves out Intercept \(0 leaves a column free\)"):
        fit(alpha=0.1, penalty_weights={"lwt": 1.0, "age": 1.0})
    with pytest.raises(DataError, match=r"leaves out age .*ag is no column"):
        fit(alpha=0.1, penalty_weights={"Intercept": 0.0, "lwt": 1.0, "ag": 1.0})


@pytest.mark.parametrize("C", [1.0, 100.0, 1e4])
def test_weak_lasso_on_collinear_columns_ends_after_a_few_steps(C):
    """Where columns are combinations of others the likelihood is flat along them, and only the penalty decides."""
    rng = np.random.default_rng(11)
    base = rng.normal(size=(200, 8))
    X = np.column_stack([np.ones(200), base, base @ rng.normal(size=(8, 4))])
    y = (rng.random(200) < 1 / (1 + np.exp(-X[:, 1]))).astype(float)
    model = ls.Logit(y, X, check_rank=False)
    res = model.fit_regularized(alpha=1.0 / (C * 200))
    assert res.converged
    assert res.estimate.iterations < 20
    assert res.optimality_violation < 1e-12
    # of all coefficients with these probabilities, those of the least sum: never more than that of the fit without the copies
    plain = ls.Logit(y, X[:, :9]).fit_regularized(alpha=1.0 / (C * 200))
    assert res.penalized_cost <= plain.penalized_cost + 1e-12
