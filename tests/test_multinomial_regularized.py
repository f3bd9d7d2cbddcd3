"""Penalized multinomial fits: scikit-learn, statsmodels, conditions of an optimum; the classifier's multinomial model."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax

import logit_stats as ls
from logit_stats.errors import ConvergenceWarning, DataError, NotAvailableError, SeparationError
from tests.cases import load_case
from tests.test_multinomial import FORMULA, flat, simulated

linear_model = pytest.importorskip("sklearn.linear_model")
LogitClassifier = ls.sklearn.LogitClassifier

SETTINGS = [(0.1, 0.0), (0.01, 0.0), (0.05, 1.0), (0.02, 0.5)]

# scikit-learn before 1.8 wants the penalty by name beside l1_ratio
NAMED = {} if "deprecated" in str(linear_model.LogisticRegression().penalty) else {"penalty": "elasticnet"}


def objective(B, y, X, alpha, l1_wt, weight=None):
    """-llf/N plus the penalty of coefficients (k, C); the first row is a free intercept."""
    eta = X @ B
    top = eta.max(axis=1)
    loglik = eta[np.arange(len(y)), y] - top - np.log(np.exp(eta - top[:, None]).sum(axis=1))
    return -np.average(loglik, weights=weight) + alpha * (
        (1 - l1_wt) * (B[1:] ** 2).sum() / 2 + l1_wt * np.abs(B[1:]).sum()
    )


@pytest.mark.parametrize(("alpha", "l1_wt"), SETTINGS)
def test_ends_at_an_optimum(alpha, l1_wt):
    y, X = simulated(200, 5, 4)
    res = ls.MNLogit(y, X).fit_regularized(alpha=alpha, L1_wt=l1_wt)
    assert res.converged
    B = res.params
    gradient = X.T @ (softmax(X @ B, axis=1) - np.eye(4)[y]) / 200
    gradient[1:] += alpha * (1 - l1_wt) * B[1:]
    assert_allclose(gradient[0], 0.0, atol=1e-10)
    slope, b = gradient[1:], B[1:]
    assert_allclose(slope[b != 0], -alpha * l1_wt * np.sign(b[b != 0]), atol=1e-10)
    assert np.abs(slope[b == 0]).max(initial=0.0) <= alpha * l1_wt + 1e-10
    assert_allclose(B[0].sum(), 0.0, atol=1e-12)
    if l1_wt > 0:
        assert (b == 0).any()
    rng = np.random.default_rng(0)
    best = objective(B, y, X, alpha, l1_wt)
    assert all(objective(B + 0.01 * rng.normal(size=B.shape), y, X, alpha, l1_wt) > best for _ in range(20))


@pytest.mark.parametrize("C", [0.05, 1.0, 50.0])
def test_ridge_is_that_of_scikit_learn(C):
    y, X = simulated(300, 5, 4)
    weight = 0.5 + np.arange(300) % 3
    for w in (None, weight):
        theirs = linear_model.LogisticRegression(C=C, tol=1e-12, solver="newton-cg", max_iter=1000)
        theirs.fit(X[:, 1:], y, sample_weight=w)
        ours = LogitClassifier(C=C, multi_class="multinomial").fit(X[:, 1:], y, sample_weight=w)
        assert_allclose(ours.coef_, theirs.coef_, atol=1e-8)
        assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-8)
        assert_allclose(ours.predict_proba(X[:, 1:]), theirs.predict_proba(X[:, 1:]), atol=1e-9)
        assert_allclose(ours.predict_log_proba(X[:, 1:]), theirs.predict_log_proba(X[:, 1:]), atol=1e-8)
        assert_array_equal(ours.predict(X[:, 1:]), theirs.predict(X[:, 1:]))
        total = 300.0 if w is None else w.sum()
        weights = {} if w is None else {"sampling_weights": w}
        res = ls.MNLogit(y, X, **weights).fit_regularized(alpha=1 / (C * total), L1_wt=0.0)
        assert_allclose(res.params[1:].T, ours.coef_, atol=1e-9)
        assert_allclose(res.predict(), ours.predict_proba(X[:, 1:]), atol=1e-10)


def test_elastic_net_is_that_of_scikit_learn():
    y, X = simulated(200, 4, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's own about its arguments
        theirs = linear_model.LogisticRegression(
            C=0.1, l1_ratio=0.5, solver="saga", tol=1e-12, max_iter=20_000, **NAMED
        )
        theirs.fit(X[:, 1:], y)
    ours = LogitClassifier(C=0.1, l1_ratio=0.5, multi_class="multinomial").fit(X[:, 1:], y)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-7)


def test_intercepts_can_be_penalized_or_left_out():
    y, X = simulated(200, 4, 3)
    theirs = linear_model.LogisticRegression(C=0.5, fit_intercept=False, solver="newton-cg", tol=1e-12).fit(X, y)
    ours = LogitClassifier(C=0.5, fit_intercept=False, multi_class="multinomial").fit(X, y)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-8)
    penalized = ls.MNLogit(y, X).fit_regularized(alpha=1 / 100, L1_wt=0.0, penalize_intercept=True)
    assert_allclose(penalized.params.T, theirs.coef_, atol=1e-8)


def test_l1_is_that_of_statsmodels():
    y, X = simulated(200, 4, 3)
    theirs = sm.MNLogit(y, X).fit_regularized(method="l1", alpha=5.0, disp=0, acc=1e-14, maxiter=2000, trim_mode="off")
    ours = ls.MNLogit(y, X).fit_regularized("l1", alpha=5.0)
    assert ours.params.shape == (4, 2)
    assert_allclose(ours.params, theirs.params, atol=1e-5)
    assert_allclose(ours.against_reference, ours.params)
    assert_allclose(ours.predict(X[:5], which="linear")[:, 0], 0.0)


def test_no_penalty_is_maximum_likelihood():
    y, X = simulated(300, 4, 3)
    ml = ls.MNLogit(y, X).fit()
    free = ls.MNLogit(y, X).fit_regularized(alpha=0.0)
    assert_allclose(free.against_reference, ml.params, atol=1e-9)
    assert_allclose(free.params.sum(axis=1), 0.0, atol=1e-12)
    assert_allclose(free.llf, ml.llf, rtol=1e-12)
    classifier = LogitClassifier(C=None, multi_class="multinomial").fit(X[:, 1:], y)
    assert_allclose(classifier.coef_, free.params[1:].T, atol=1e-9)
    assert_allclose(classifier.intercept_, free.params[0], atol=1e-9)
    assert_allclose(classifier.result_.bse, ml.bse, rtol=1e-8)
    assert classifier.coef_.shape == (3, 3)
    weighted = LogitClassifier(C=None, multi_class="multinomial").fit(X[:, 1:], y, np.full(300, 2))
    assert weighted.result_.nobs == 600
    with pytest.raises(SeparationError):
        LogitClassifier(C=None, multi_class="multinomial").fit(X[:, 1:2], np.digitize(X[:, 1], [-0.5, 0.5]))


def test_the_reference_and_units_of_standardized_columns_do_not_matter():
    data = load_case("womenlf_multinomial").data
    settings = {"alpha": 0.02, "L1_wt": 0.5, "standardize": True}
    one = ls.mnlogit(FORMULA, data).fit_regularized(**settings)
    other = ls.mnlogit(FORMULA, data, base="fulltime").fit_regularized(**settings)
    assert list(one.params.columns) == ["not_work", "parttime", "fulltime"]
    assert_allclose(other.params[one.params.columns], one.params, atol=1e-10)
    scaled = ls.mnlogit("partic ~ I(hincome * 1e6) + children", data).fit_regularized(**settings)
    assert_allclose(scaled.predict(), one.predict(), atol=1e-9)
    new = pd.DataFrame({"hincome": [5.0, np.nan], "children": ["present", "absent"]})
    predicted = one.predict(new)
    assert predicted.loc[1].isna().all()
    assert_allclose(predicted.loc[0].sum(), 1.0)
    weighted = ls.mnlogit(FORMULA, data.assign(f=2), freq_weights="f").fit_regularized(**settings)
    assert_allclose(weighted.params, one.params, atol=1e-9)


def test_columns_can_be_free_or_selected():
    y, X = simulated(300, 4, 3)
    res = ls.MNLogit(y, X).fit_regularized(alpha=10.0, penalty_weights=[0.0, 0.0, 1.0, 1.0])
    assert res.selected == ["const", "x1"]
    assert_allclose(res.against_reference[:2], ls.MNLogit(y, X[:, :2]).fit().params, atol=1e-8)
    assert_allclose(res.params[:2].sum(axis=1), 0.0, atol=1e-12)


def test_separated_data_have_a_penalized_fit():
    x = np.linspace(-2, 2, 60)
    res = ls.MNLogit(np.digitize(x, [-0.5, 0.5]), np.column_stack([np.ones(60), x])).fit_regularized(
        alpha=1e-3, L1_wt=0.0
    )
    assert res.converged


def test_says_what_it_is():
    model = ls.mnlogit(FORMULA, load_case("womenlf_multinomial").data)
    res = model.fit_regularized(alpha=0.05)
    assert "every\n  category has coefficients" in str(res)
    assert max(map(len, str(res).split("\n"))) <= 80
    assert "<table" in res._repr_html_()
    assert list(res.summary_frame().columns) == ["not_work", "parttime", "fulltime"]
    for ask in (lambda: res.bse, lambda: res.pvalues, res.conf_int, res.cov_params):
        with pytest.raises(NotAvailableError, match="standard errors"):
            ask()
    with pytest.raises(DataError, match="alpha"):
        model.fit_regularized(alpha=-1.0)
    with pytest.raises(TypeError):
        model.fit_regularized(alpa=1.0)
    with pytest.warns(ConvergenceWarning, match="stopped after 1"):
        model.fit_regularized(alpha=0.01, maxiter=1)


def test_two_classes_are_the_binary_classifier():
    y, X = simulated(200, 3, 2)
    one, other = (LogitClassifier(multi_class=kind).fit(X[:, 1:], y) for kind in ("ovr", "multinomial"))
    assert_array_equal(one.coef_, other.coef_)
    assert_array_equal(one.predict_proba(X[:, 1:]), other.predict_proba(X[:, 1:]))


def test_text_classes_and_class_weights():
    y, X = simulated(300, 4, 3)
    names = np.array(["z", "a", "m"])[y]
    settings = {"C": 1.0, "class_weight": "balanced"}
    theirs = linear_model.LogisticRegression(tol=1e-12, solver="newton-cg", **settings).fit(X[:, 1:], names)
    ours = LogitClassifier(multi_class="multinomial", **settings).fit(X[:, 1:], names)
    assert list(ours.classes_) == ["a", "m", "z"]
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-8)
    assert_array_equal(ours.predict(X[:, 1:]), theirs.predict(X[:, 1:]))
    unpenalized = LogitClassifier(C=None, multi_class="multinomial").fit(X[:, 1:], names)
    assert list(unpenalized.result_.params.columns) == ["m", "z"]
    assert flat(unpenalized.result_.params).shape == (8,)
