"""LogitClassifier: scikit-learn's own checks, its meaning of C, and the figures of its examples."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import logit_stats as ls

pytest.importorskip("sklearn")

from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from logit_stats.errors import DataError, SeparationError, UnknownOptionError
from logit_stats.sklearn import LogitClassifier

X10 = np.arange(10.0)[:, None]


def _data(n=300, k=4, seed=3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, k))
    return X, rng.random(n) < 1 / (1 + np.exp(-X[:, 0] + 0.5 * X[:, 1]))


CHECKS = """
from sklearn.utils.estimator_checks import check_estimator
from logit_stats.sklearn import LogitClassifier
done = check_estimator(LogitClassifier({arguments}), on_fail=None, on_skip=None)
print(len(done), [(check["check_name"], repr(check["exception"])) for check in done if check["status"] != "passed"])
"""


@pytest.mark.parametrize("arguments", ["", "l1_ratio=0.5", "penalize_intercept=True", "multi_class='multinomial'"])
def test_scikit_learn_checks(arguments):
    # SciPy reads the setting when it is imported, and without it the array-API check would be skipped
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHECKS.format(arguments=arguments)],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split(maxsplit=1)
    assert done[1].strip() == "[]"
    assert int(done[0]) > 40


@pytest.mark.parametrize(
    ("y", "C", "expected"),
    [
        ([0] * 4 + [1] * 6, 1.0, [-1.04608067, 0.51491375]),
        ([0] * 4 + [1] * 6, 10.0, [-3.51335372, 1.12066084]),
        ([0, 1, 0, 0] + [1] * 6, 10.0, [-1.51632619, 0.703457]),
    ],
)
def test_ten_points_as_liblinear(y, C, expected):
    model = LogitClassifier(C=C, penalize_intercept=True).fit(X10, y)
    found = [model.intercept_[0], model.coef_[0, 0]]
    np.testing.assert_allclose(found, expected, atol=4e-4)
    tight = LogisticRegression(solver="liblinear", C=C, tol=1e-12, max_iter=100000).fit(X10, y)
    np.testing.assert_allclose(found, [tight.intercept_[0], tight.coef_[0, 0]], atol=1e-8)


def test_digits_one_vs_rest():
    X, y = load_digits(return_X_y=True)
    parts = train_test_split(X, y, test_size=0.2, random_state=0)
    scaler = StandardScaler().fit(parts[0])
    train, test = scaler.transform(parts[0]), scaler.transform(parts[1])
    # figures of liblinear, which penalizes the intercept
    model = LogitClassifier(C=0.05, penalize_intercept=True).fit(train, parts[2])
    assert round(model.score(train, parts[2]), 4) == 0.9645
    assert round(model.score(test, parts[3]), 4) == 0.9417
    np.testing.assert_allclose(model.predict_proba(test).sum(axis=1), 1.0)
    tight = OneVsRestClassifier(LogisticRegression(C=0.05, solver="liblinear", tol=1e-10, max_iter=100_000))
    tight.fit(train, parts[2])
    np.testing.assert_array_equal(
        confusion_matrix(parts[3], model.predict(test)), confusion_matrix(parts[3], tight.predict(test))
    )


@pytest.mark.parametrize("scaling", [1.0, 3.0])
def test_intercept_scaling_as_liblinear(scaling):
    X, y = _data()
    ours = LogitClassifier(C=0.1, intercept_scaling=scaling, penalize_intercept=True).fit(X, y)
    theirs = LogisticRegression(C=0.1, intercept_scaling=scaling, solver="liblinear", tol=1e-12).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-7)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_weights_as_scikit_learn(fit_intercept):
    X, y = _data()
    weight = np.random.default_rng(1).integers(0, 4, len(y)).astype(float)
    settings = {"C": 0.3, "fit_intercept": fit_intercept, "class_weight": {False: 1.0, True: 3.0}}
    ours = LogitClassifier(**settings).fit(X, y, weight)
    theirs = LogisticRegression(**settings, solver="newton-cholesky", tol=1e-12).fit(X, y, weight)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-8)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-8)


@pytest.mark.parametrize("C", [None, np.inf])
def test_unpenalized_has_full_results(C):
    X, y = _data()
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = LogitClassifier(C=C).fit(frame, y)
    expected = ls.Logit(y, np.column_stack([np.ones(len(X)), X])).fit()
    np.testing.assert_allclose(model.result_.params, expected.params, atol=1e-10)
    np.testing.assert_allclose(model.result_.bse, expected.bse, rtol=1e-9)
    assert list(model.result_.params.index) == ["Intercept", "a", "b", "c", "d"]
    assert not hasattr(model.set_params(C=1.0).fit(frame, y), "result_")


def test_text_classes_in_a_search_over_a_pipeline():
    X, y = _data()
    frame = pd.DataFrame(X[:, :2], columns=["a", "b"]).assign(g=np.where(X[:, 2] > 0, "high", "low"))
    columns = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["g"]), (StandardScaler(), ["a", "b"]), verbose_feature_names_out=False
    ).set_output(transform="pandas")
    search = GridSearchCV(make_pipeline(columns, LogitClassifier()), {"logitclassifier__C": [0.01, 1.0]}, cv=3).fit(
        frame, np.where(y, "yes", "no")
    )
    final = search.best_estimator_[-1]
    assert list(final.classes_) == ["no", "yes"]
    assert list(final.feature_names_in_) == ["g_high", "g_low", "a", "b"]
    assert search.best_score_ > 0.6


def test_refusals():
    y = [0] * 4 + [1] * 6
    with pytest.raises(SeparationError):
        LogitClassifier(C=None).fit(X10, y)
    for settings in ({"C": 0.0}, {"l1_ratio": 2.0}, {"intercept_scaling": 0.0}):
        with pytest.raises(DataError):
            LogitClassifier(**settings).fit(X10, y)
    with pytest.raises(UnknownOptionError, match="multi_class"):
        LogitClassifier(multi_class="softmax").fit(X10, y)
    with pytest.raises(DataError, match="one class"):
        LogitClassifier().fit(X10, np.zeros(10))
