"""Penalized fits beside scikit-learn and glum, in one run on the same data at equal optimality.

    python benchmarks/penalized.py [--share 1.0] [--only ridge path digits]

Each line: seconds of each program (best of the repetitions), the largest violation of the conditions of an optimum
(gradient per observation) that each reached, and the ratio.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import logit_stats as ls
from logit_stats.estimation.coordinate_descent import subgradient_violation

Array = Any


def timed(function: Callable[[], Any], repetitions: int) -> tuple[float, Any]:
    best, answer = np.inf, None
    for _ in range(repetitions):
        start = time.perf_counter()
        answer = function()
        best = min(best, time.perf_counter() - start)
    return best, answer


def data(n: int, k: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((n, k)))
    beta = np.where(np.arange(k) % 3 == 0, rng.normal(0, 0.3, k), 0.0)
    return X, (rng.random(n) < 1 / (1 + np.exp(-(X @ beta)))).astype(float)


def violation(X: Array, y: Array, intercept: float, b: Array, alpha: float, l1_wt: float) -> float:
    residual = 1 / (1 + np.exp(-(X @ b + intercept))) - y
    gradient = X.T @ residual / len(y) + alpha * (1 - l1_wt) * b
    return float(max(abs(residual.mean()), subgradient_violation(gradient, b, np.full(len(b), alpha * l1_wt)).max()))


def ridge(share: float) -> None:
    from sklearn.linear_model import LogisticRegression

    n, k = int(1_000_000 * share), 50
    X, y = data(n, k)
    design = np.asfortranarray(np.column_stack([np.ones(n), X]))
    alpha = 1e-3
    seconds, fit = timed(lambda: ls.Logit(y, design).fit_regularized(alpha=alpha, L1_wt=0.0), 3)
    b = fit.params
    print(f"ridge n={n} k={k}: logit_stats {seconds:.2f} s, {violation(X, y, b[0], b[1:], alpha, 0.0):.0e}")
    for solver, tol in (("newton-cholesky", 1e-9), ("lbfgs", 1e-9)):
        peer = LogisticRegression(C=1 / (alpha * n), solver=solver, tol=tol, max_iter=1000)
        taken, model = timed(lambda peer=peer: peer.fit(X, y), 2)
        reached = violation(X, y, model.intercept_[0], model.coef_[0], alpha, 0.0)
        print(f"  scikit-learn {solver} {taken:.2f} s, {reached:.0e}: ratio {taken / seconds:.2f}")


def path(share: float) -> None:
    n, k = int(100_000 * share), 100
    X, y = data(n, k)
    design = np.asfortranarray(np.column_stack([np.ones(n), X]))
    # 1e-7 is what glum's gradient_tol gives; the default of the package is 1e-10
    for tol in (1e-7, 1e-10):
        seconds, found = timed(
            lambda tol=tol: ls.Logit(y, design).regularization_path(L1_wt=0.5, standardize=False, tol=tol), 1
        )
        worst = max(
            violation(X, y, b[0], b[1:], a, 0.5) for a, b in zip(found.alphas, found.params.to_numpy(), strict=True)
        )
        print(f"elastic-net path of 100, n={n} k={k}, tol {tol:.0e}: logit_stats {seconds:.2f} s, {worst:.0e}")
        if tol == 1e-7:
            at_peer = seconds
    try:
        from glum import GeneralizedLinearRegressor
    except ImportError:
        print("  glum is not installed")
        return
    peer = GeneralizedLinearRegressor(
        family="binomial", l1_ratio=0.5, alpha_search=True, alpha=list(found.alphas), gradient_tol=1e-7
    )
    taken, model = timed(lambda: peer.fit(X, y), 1)
    worst = max(
        violation(X, y, a0, b, a, 0.5)
        for a0, b, a in zip(model.intercept_path_, model.coef_path_, found.alphas, strict=True)
    )
    print(f"  glum {taken:.2f} s, {worst:.0e}: ratio {taken / at_peer:.2f} at 1e-7")


def digits(_: float) -> None:
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.preprocessing import StandardScaler

    from logit_stats.sklearn import LogitClassifier

    X, y = load_digits(return_X_y=True)
    X, _, y, _ = train_test_split(X, y, test_size=0.2, random_state=0)
    X = StandardScaler().fit_transform(X)
    seconds, ours = timed(lambda: LogitClassifier(C=0.05, penalize_intercept=True).fit(X, y), 5)
    print(f"digits one-vs-rest: logit_stats {seconds * 1e3:.0f} ms")
    for tol in (1e-4, 1e-8):
        peer = OneVsRestClassifier(LogisticRegression(C=0.05, solver="liblinear", tol=tol, max_iter=10_000))
        taken, model = timed(lambda peer=peer: peer.fit(X, y), 3)
        apart = max(np.abs(one.coef_[0] - b).max() for one, b in zip(model.estimators_, ours.coef_, strict=True))
        print(f"  liblinear tol {tol:.0e} {taken * 1e3:.0f} ms (coefficients {apart:.0e} off): {taken / seconds:.1f}")


PARTS = {"ridge": ridge, "path": path, "digits": digits}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="share of the rows")
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS))
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in given.only:
        PARTS[name](given.share)
