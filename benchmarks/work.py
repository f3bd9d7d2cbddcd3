"""The data and the pieces of work that are compared, ours and the peers'."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import logit_stats as ls

FORMULA = "y ~ x0 + x1 + x2 + x3 + x4 + x5 + c + s"


@dataclass
class Work:
    """One row of the table: our way, each peer's way, and what is wanted."""

    name: str
    ours: Callable[[], Any]
    peers: dict[str, Callable[[], Any]]
    wanted: str
    pairs: int = 5
    # coefficients of a result, for the distance to ours in standard errors; None where there are none to compare
    coefficients: dict[str, Callable[[Any], np.ndarray]] = field(default_factory=dict)
    # seconds that a peer reports itself (a process of its own)
    timed_itself: dict[str, Callable[[], tuple[float, np.ndarray]]] = field(default_factory=dict)
    memory: bool = False


def here(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def arrays(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Outcome and column-major design with a constant; half of the outcomes are events."""
    rng = np.random.default_rng(7)
    X = np.asfortranarray(np.column_stack([np.ones(rows), rng.normal(size=(rows, columns - 1))]))
    eta = X @ (rng.normal(size=columns) / np.sqrt(columns))
    return (rng.random(rows) < 1.0 / (1.0 + np.exp(-eta))).astype(float), X


def table(rows: int) -> pd.DataFrame:
    """Six numbers, a factor of 10 levels, a text of 3."""
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({f"x{j}": rng.normal(size=rows) for j in range(6)})
    frame["c"] = pd.Categorical(rng.integers(0, 10, rows))
    frame["s"] = rng.choice(["red", "green", "blue"], rows)
    frame["y"] = (rng.random(rows) < 1.0 / (1.0 + np.exp(-frame["x0"]))).astype(int)
    return frame


def many_levels(rows: int, levels: int) -> pd.DataFrame:
    rng = np.random.default_rng(9)
    frame = pd.DataFrame({"x": rng.normal(size=rows), "g": pd.Categorical(rng.integers(0, levels, rows))})
    effect = 0.5 * rng.normal(size=levels)[frame["g"].cat.codes]
    frame["y"] = (rng.random(rows) < 1.0 / (1.0 + np.exp(-0.5 * frame["x"] - effect))).astype(float)
    return frame


def fit_of_arrays(rows: int, columns: int, wanted: str, pairs: int = 5) -> Work:
    import statsmodels.api as sm

    y, X = arrays(rows, columns)
    work = Work(
        f"fit, {rows:,} x {columns}", lambda: ls.Logit(y, X).fit(), {"statsmodels": lambda: sm.Logit(y, X).fit(disp=0)},
        wanted, pairs, {"ours": _params, "statsmodels": _params},
    )  # fmt: skip
    if here("sklearn"):
        for solver in ("newton-cholesky", "lbfgs"):
            work.peers[f"scikit-learn {solver}"] = _sklearn(y, X, solver)
            work.coefficients[f"scikit-learn {solver}"] = lambda fitted: np.ravel(fitted.coef_)
    if here("glum"):
        work.peers["glum"] = _glum(y, X)
        work.coefficients["glum"] = lambda fitted: np.ravel(fitted.coef_)
    if shutil.which("Rscript") and rows >= 10_000:
        work.timed_itself["R glm.fit"] = lambda: _r_glm_fit(y, X)
    return work


def _params(result: Any) -> np.ndarray:
    return np.asarray(result.params)


def _sklearn(y: np.ndarray, X: np.ndarray, solver: str) -> Callable[[], Any]:
    from sklearn.linear_model import LogisticRegression

    return lambda: LogisticRegression(C=np.inf, solver=solver, tol=1e-8, max_iter=1000, fit_intercept=False).fit(X, y)


def _glum(y: np.ndarray, X: Any) -> Callable[[], Any]:
    from glum import GeneralizedLinearRegressor

    return lambda: GeneralizedLinearRegressor(
        family="binomial", alpha=0, fit_intercept=False, gradient_tol=1e-7, check_input=False
    ).fit(X, y)


def _r_glm_fit(y: np.ndarray, X: np.ndarray) -> tuple[float, np.ndarray]:
    """Seconds of R's glm.fit, timed in R, and its coefficients."""
    with tempfile.TemporaryDirectory() as folder:
        X.T.tofile(f"{folder}/X"), y.tofile(f"{folder}/y")
        script = (
            f'y <- readBin("{folder}/y", "double", {len(y)}); '
            f'X <- matrix(readBin("{folder}/X", "double", {X.size}), {len(y)}); '
            "t <- system.time(f <- glm.fit(X, y, family = binomial()))[[3]]; "
            'cat(t, sprintf("%.17g", f$coefficients))'
        )
        Path(f"{folder}/fit.R").write_text(script, encoding="utf-8")
        out = subprocess.run(["Rscript", f"{folder}/fit.R"], capture_output=True, text=True, check=True).stdout.split()
    return float(out[0]), np.array(out[1:], dtype=float)


def resampled_fits(rows: int = 2000, columns: int = 6, resamples: int = 1000) -> Work:
    import statsmodels.api as sm

    y, X = arrays(rows, columns)
    ours = ls.Logit(y, X).fit()

    def theirs() -> None:
        rng = np.random.default_rng(1)
        for _ in range(resamples):
            drawn = rng.integers(0, rows, rows)
            sm.Logit(y[drawn], X[drawn]).fit(disp=0)

    return Work(
        f"{resamples:,} resampled fits, {rows:,} x {columns}", lambda: ours.bootstrap(resamples, seed=1),
        {"statsmodels": theirs}, ">= 8", 3,
    )  # fmt: skip


def formula_to_summary(rows: int) -> Work:
    import statsmodels.formula.api as smf

    frame = table(rows)
    return Work(
        f"formula to summary text, {rows:,} rows, 18 columns", lambda: str(ls.logit(FORMULA, frame).fit().summary()),
        {"statsmodels": lambda: str(smf.logit(FORMULA, frame).fit(disp=0).summary())}, ">= 16, half the memory", 3,
        memory=True,
    )  # fmt: skip


def marginal_effects(rows: int) -> Work:
    import statsmodels.formula.api as smf

    frame = table(rows)
    ours, theirs = ls.logit(FORMULA, frame).fit(), smf.logit(FORMULA, frame).fit(disp=0)
    return Work(
        f"get_margeff() of it, {rows:,} rows", lambda: str(ours.get_margeff().summary()),
        {"statsmodels": lambda: str(theirs.get_margeff().summary())}, ">= 200", 2,
    )  # fmt: skip


def factor_of_many_levels(rows: int, levels: int) -> Work:
    import statsmodels.formula.api as smf

    frame = many_levels(rows, levels)
    work = Work(
        f"formula to fit, a factor of {levels} levels and a number, {rows:,} rows",
        lambda: ls.logit("y ~ x + g", frame).fit(), {}, ">= 2 than the fastest", 3,
        {"ours": lambda r: np.asarray(r.params)[-1:]},
    )  # fmt: skip
    work.peers["statsmodels"] = lambda: smf.logit("y ~ x + g", frame).fit(disp=0)
    work.coefficients["statsmodels"] = lambda r: np.array([r.params["x"]])
    work.coefficients["ours"] = lambda r: np.array([r.params["x"]])
    if here("glum"):
        from glum import GeneralizedLinearRegressor

        work.peers["glum"] = lambda: GeneralizedLinearRegressor(
            family="binomial", alpha=0, formula="y ~ x + g", drop_first=True, gradient_tol=1e-7
        ).fit(frame)
        work.coefficients["glum"] = lambda r: np.array([dict(zip(r.term_names_, r.coef_, strict=True))["x"]])
    if here("pyfixest"):
        import pyfixest

        work.peers["pyfixest (absorbed)"] = lambda: pyfixest.feglm("y ~ x | g", data=frame, family="logit")
        work.coefficients["pyfixest (absorbed)"] = lambda r: np.array([r.coef()["x"]])
    return work
