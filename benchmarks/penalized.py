"""Penalized fits beside scikit-learn, glum and glmnet, in one run on the same data at equal optimality.

    python benchmarks/penalized.py [--share 1.0] [--only ridge path digits] [--write docs]

Each line: the work and the largest violation of the conditions of an optimum (gradient per observation) that each program
reached, the seconds of each, and the median ratio of runs in turn. Where a peer stops early, the tolerance of the package
is loosened to what the peer attained. glmnet is timed inside R; peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from timing import fastest, paired
from work import here

import logit_stats as ls
from logit_stats.estimation.coordinate_descent import subgradient_violation

Array = Any
HEADER = """\
| work | peer | here | peer's time | times faster | violation here | violation of the peer |
|---|---|---|---|---|---|---|"""


def line(work: str, peer: str, ours: float, theirs: float, ratio: float, mine: float, its: float) -> str:
    times = f"{ours * 1e3:.4g} ms | {theirs * 1e3:.4g} ms"
    return f"| {work} | {peer} | {times} | **{ratio:.1f}** | {mine:.0e} | {its:.0e} |"


def data(n: int, k: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((n, k)))
    beta = np.where(np.arange(k) % 3 == 0, rng.normal(0, 0.3, k), 0.0)
    return X, (rng.random(n) < 1 / (1 + np.exp(-(X @ beta)))).astype(float)


def violation(X: Array, y: Array, intercept: float, b: Array, alpha: float, l1_wt: float) -> float:
    residual = 1 / (1 + np.exp(-(X @ b + intercept))) - y
    gradient = X.T @ residual / len(y) + alpha * (1 - l1_wt) * b
    return float(max(abs(residual.mean()), subgradient_violation(gradient, b, np.full(len(b), alpha * l1_wt)).max()))


def ridge(share: float) -> Iterator[str]:
    from sklearn.linear_model import LogisticRegression

    n, k, alpha = int(1_000_000 * share), 50, 1e-3
    X, y = data(n, k)
    design = np.asfortranarray(np.column_stack([np.ones(n), X]))
    # scikit-learn's tolerances that end nearest below a violation of 1e-9
    for solver, tol in (("newton-cholesky", 1e-7), ("lbfgs", 1e-9)):
        peer = LogisticRegression(C=1 / (alpha * n), solver=solver, tol=tol, max_iter=1000)
        model = peer.fit(X, y)
        reached = violation(X, y, model.intercept_[0], model.coef_[0], alpha, 0.0)

        def ours(tol: float = reached) -> Any:
            return ls.Logit(y, design).fit_regularized(alpha=alpha, L1_wt=0.0, tol=tol)

        b = ours().params
        mine = violation(X, y, b[0], b[1:], alpha, 0.0)
        times = paired(ours, lambda peer=peer: peer.fit(X, y), 5)
        yield line(f"ridge, {n:,} x {k}", f"scikit-learn {solver}", *times, mine, reached)


def path(share: float) -> Iterator[str]:
    n, k, l1_wt = int(100_000 * share), 100, 0.5
    X, y = data(n, k)
    design = np.asfortranarray(np.column_stack([np.ones(n), X]))
    model = ls.Logit(y, design)
    alphas = model.regularization_path(L1_wt=l1_wt, standardize=False, tol=1e-4).alphas

    def worst(coefficients: Array) -> float:
        """Of a path: (100, k + 1) with the intercepts first."""
        return max(violation(X, y, b[0], b[1:], a, l1_wt) for a, b in zip(alphas, coefficients, strict=True))

    def ours(tol: float) -> Callable[[], Any]:
        return lambda: ls.Logit(y, design).regularization_path(alphas, L1_wt=l1_wt, standardize=False, tol=tol)

    work = f"elastic-net path of 100, {n:,} x {k}"
    if shutil.which("Rscript"):
        for thresh in (1e-7, 1e-14):
            _, found = _glmnet(X, y, alphas, l1_wt, thresh)
            reached = worst(found)
            mine = worst(ours(reached)().params.to_numpy())
            times = [(fastest(ours(reached), 1), _glmnet(X, y, alphas, l1_wt, thresh)[0]) for _ in range(3)]
            middle = [median(column) for column in zip(*times, strict=True)]
            ratio = median(theirs / here_ for here_, theirs in times)
            name = f"glmnet (R), thresh {thresh:.0e}"
            yield line(work, name + (", its default" if thresh == 1e-7 else ""), *middle, ratio, mine, reached)
    if here("glum"):
        from glum import GeneralizedLinearRegressor

        for tol in (1e-4, 1e-8):
            peer = GeneralizedLinearRegressor(
                family="binomial", l1_ratio=l1_wt, alpha_search=True, alpha=list(alphas), gradient_tol=tol
            )
            fitted = peer.fit(X, y)
            reached = worst(np.column_stack([fitted.intercept_path_, fitted.coef_path_]))
            mine = worst(ours(reached)().params.to_numpy())
            times = paired(ours(reached), lambda peer=peer: peer.fit(X, y), 3)
            name = f"glum, gradient_tol {tol:.0e}"
            yield line(work, name + (", its default" if tol == 1e-4 else ""), *times, mine, reached)


def _glmnet(X: Array, y: Array, alphas: Array, l1_wt: float, thresh: float) -> tuple[float, Array]:
    """Seconds of glmnet on these strengths, timed in R, and its coefficients with the intercepts first: (m, k + 1)."""
    n, k = X.shape
    with tempfile.TemporaryDirectory() as folder:
        X.T.tofile(f"{folder}/X"), y.tofile(f"{folder}/y"), np.asarray(alphas).tofile(f"{folder}/alphas")
        script = f"""
            suppressMessages(library(glmnet))
            numbers <- function(name, n) readBin(file.path("{folder}", name), "double", n)
            y <- numbers("y", {n}); X <- matrix(numbers("X", {n * k}), {n}); alphas <- numbers("alphas", {len(alphas)})
            glmnet.control(fdev = 0, devmax = 1)  # no strength of the path is left out
            t <- system.time(f <- glmnet(X, y, family = "binomial", alpha = {l1_wt}, lambda = alphas,
                                         standardize = FALSE, thresh = {thresh}, maxit = 1e6))[[3]]
            writeBin(as.vector(rbind(f$a0, as.matrix(f$beta))), file.path("{folder}", "beta"))
            cat(t)
        """
        Path(f"{folder}/path.R").write_text(script, encoding="utf-8")
        out = subprocess.run(["Rscript", f"{folder}/path.R"], capture_output=True, text=True, check=True).stdout
        found = np.fromfile(f"{folder}/beta").reshape(len(alphas), k + 1)
    return float(out), found


def digits(_: float) -> Iterator[str]:
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.preprocessing import StandardScaler

    from logit_stats.sklearn import LogitClassifier

    X, y = load_digits(return_X_y=True)
    X, _, y, _ = train_test_split(X, y, test_size=0.2, random_state=0)
    X = StandardScaler().fit_transform(X)
    design, C = np.column_stack([np.ones(len(X)), X]), 0.05

    def worst(intercepts: Array, coefficients: Array) -> float:
        found = 0.0
        for label, b in enumerate(np.column_stack([intercepts, coefficients])):
            residual = 1 / (1 + np.exp(-(design @ b))) - (y == label)
            found = max(found, float(np.abs(design.T @ residual + b / C).max()) / len(y))
        return found

    def ours() -> Any:
        return LogitClassifier(C=C, penalize_intercept=True).fit(X, y)

    mine = worst(ours().intercept_, ours().coef_)
    for tol, note in ((1e-4, ", its default"), (1e-8, ", no lower helps")):
        peer = OneVsRestClassifier(LogisticRegression(C=C, solver="liblinear", tol=tol, max_iter=10_000))
        models = peer.fit(X, y).estimators_
        reached = worst([one.intercept_[0] for one in models], [one.coef_[0] for one in models])
        times = paired(ours, lambda peer=peer: peer.fit(X, y), 9)
        yield line("digits, one-vs-rest", f"liblinear, tol {tol:.0e}{note}", *times, mine, reached)


PARTS = {"ridge": ridge, "path": path, "digits": digits}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="share of the rows")
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--write", type=Path, help="folder for penalized_table.md")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    lines = [HEADER]
    print(HEADER)
    for name in given.only:
        for text in PARTS[name](given.share):
            print(text, flush=True)
            lines.append(text)
    if given.write:
        (given.write / "penalized_table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
