"""Write exact.json: logit fits solved to 50 digits with mpmath, from float64 data taken as they are.

Run ``python tests/reference/make_exact.py`` (some seconds; needs mpmath). Newton's method in 60 digits goes on until the
step is below 1e-40 standard errors; coefficients, standard errors and log-likelihood are stored with 40 digits. The drawn
outcomes come from NumPy's generator, whose stream may change between versions: the stored data are what counts.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mpmath as mp  # type: ignore[import-untyped]
import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent
DIGITS = 60


def solve(X: np.ndarray, y: np.ndarray, trials: np.ndarray, weight: np.ndarray, offset: np.ndarray) -> dict[str, Any]:
    """Newton's method in 60 digits, steps halved where the likelihood falls."""
    n, k = X.shape
    rows = [[mp.mpf(float(v)) for v in row] for row in X]
    y_, m, a, o = ([mp.mpf(float(v)) for v in column] for column in (y, trials, weight, offset))
    beta = start(X, y, trials, weight, offset)

    def evaluate(b: list[Any]) -> tuple[Any, Any, Any]:
        loglik, score, information = mp.mpf(0), mp.zeros(k, 1), mp.zeros(k, k)
        for i in range(n):
            eta = o[i] + mp.fsum(rows[i][j] * b[j] for j in range(k))
            p = 1 / (1 + mp.exp(-eta))
            loglik += a[i] * (y_[i] * mp.log(p) + (m[i] - y_[i]) * mp.log(1 - p))
            u, w = a[i] * (y_[i] - m[i] * p), a[i] * m[i] * p * (1 - p)
            for r in range(k):
                score[r] += u * rows[i][r]
                for s in range(r + 1):
                    information[r, s] += w * rows[i][r] * rows[i][s]
        for r in range(k):
            for s in range(r):
                information[s, r] = information[r, s]
        return loglik, score, information

    loglik, score, information = evaluate(beta)
    for _ in range(200):
        step = mp.lu_solve(information, score)
        length = mp.mpf(1)
        while True:
            candidate = [beta[j] + length * step[j] for j in range(k)]
            there = evaluate(candidate)
            if there[0] >= loglik - mp.mpf(10) ** -45 or length < mp.mpf(10) ** -30:
                break
            length /= 2
        beta, (loglik, score, information) = candidate, there
        if (score.T * mp.lu_solve(information, score))[0] < mp.mpf(10) ** -80:
            break
    inverse = information**-1
    return {
        "coef": [mp.nstr(v, 40) for v in beta],
        "se": [mp.nstr(mp.sqrt(inverse[j, j]), 40) for j in range(k)],
        "loglik": mp.nstr(loglik, 40),
    }


def start(X: np.ndarray, y: np.ndarray, trials: np.ndarray, weight: np.ndarray, offset: np.ndarray) -> list[Any]:
    """The null model: near enough, since steps are halved."""
    share = float((weight * y).sum() / (weight * trials).sum())
    first = mp.log(mp.mpf(share) / (1 - mp.mpf(share))) - mp.mpf(float(offset.mean()))
    return [first if (X[:, j] == 1.0).all() else mp.mpf(0) for j in range(X.shape[1])]


def draw(X: np.ndarray, beta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    probability = 1.0 / (1.0 + np.exp(-(X @ beta)))
    return np.where(rng.random(len(X)) < probability, 1.0, 0.0)


def problems() -> dict[str, dict[str, Any]]:
    data = FOLDER / "data"
    rng = np.random.default_rng(20)
    found: dict[str, dict[str, Any]] = {}

    def add(name: str, X: np.ndarray, y: Any, names: list[str], **more: np.ndarray) -> None:
        found[name] = {"names": names, "X": np.asarray(X, float), "y": np.asarray(y, float), **more}

    spector = pd.read_csv(data / "spector.csv")
    ones = np.ones(len(spector))
    add(
        "spector",
        np.column_stack([ones, spector[["gpa", "tuce", "psi"]]]),
        spector["grade"],
        ["Intercept", "gpa", "tuce", "psi"],
    )
    x = np.arange(10.0)
    add("ten_points", np.column_stack([np.ones(10), x]), np.array([0, 1, 0, 0, 1, 1, 1, 1, 1, 1]), ["Intercept", "x"])
    mroz = pd.read_csv(data / "mroz.csv").iloc[::4]
    ones = np.ones(len(mroz))
    scaled = np.column_stack([ones, mroz["age"] * 1e-8, mroz["inc"] * 1e8, mroz["k5"]])
    add("units_1e-8_and_1e8", scaled, mroz["lfp"], ["Intercept", "age", "inc", "k5"])
    year = 1950.0 + np.arange(142) // 2
    outcome = draw(
        np.column_stack([np.ones(142), (year - 1985) / 10, ((year - 1985) / 10) ** 2]), np.array([0.5, 0.4, -0.3]), rng
    )
    add(
        "calendar_year_and_square",
        np.column_stack([np.ones(142), year, year**2]),
        outcome,
        ["Intercept", "year", "year2"],
    )
    z = rng.normal(size=100)
    X = np.column_stack([np.ones(100), z])
    add("offset_of_30", X, draw(X, np.array([0.2, 0.7]), rng), ["Intercept", "z"], offset=np.full(100, 30.0))
    o = 30.0 + rng.normal(size=100)
    add("varying_offset_near_30", X, draw(X, np.array([-0.2, 0.5]), rng), ["Intercept", "z"], offset=o)
    shifted = z + 1e10
    add(
        "shift_of_1e10",
        np.column_stack([np.ones(100), shifted]),
        draw(X, np.array([0.1, 0.9]), rng),
        ["Intercept", "x"],
    )
    trials = rng.integers(1, 40, 30).astype(float)
    dose = np.linspace(-2, 2, 30)
    counts = rng.binomial(trials.astype(int), 1 / (1 + np.exp(-(0.3 + 1.1 * dose)))).astype(float)
    add("grouped", np.column_stack([np.ones(30), dose]), counts, ["Intercept", "dose"], trials=trials)
    weights = rng.integers(1, 6, 60).astype(float)
    X = np.column_stack([np.ones(60), rng.normal(size=(60, 2))])
    add("frequency_weights", X, draw(X, np.array([0.0, 0.6, -0.4]), rng), ["Intercept", "a", "b"], weight=weights)
    a = rng.normal(size=120)
    X = np.column_stack([np.ones(120), a, a + 1e-6 * rng.normal(size=120)])
    add("nearly_collinear", X, draw(X[:, :2], np.array([0.2, 0.8]), rng), ["Intercept", "a", "b"])
    x = np.concatenate([np.linspace(-30, -0.5, 40), [0.3, -0.2], np.linspace(0.5, 30, 40)])
    y = np.concatenate([np.zeros(40), [0.0, 1.0], np.ones(40)])
    add("steep_but_finite", np.column_stack([np.ones(82), x]), y, ["Intercept", "x"])
    return found


def main() -> None:
    written: dict[str, dict[str, Any]] = {}
    for name, problem in problems().items():
        n = len(problem["y"])
        columns = {
            "trials": problem.get("trials", np.ones(n)),
            "weight": problem.get("weight", np.ones(n)),
            "offset": problem.get("offset", np.zeros(n)),
        }
        with mp.workdps(DIGITS):
            solution = solve(problem["X"], problem["y"], **columns)
        print(name, solution["coef"][1][:20], solution["se"][1][:12])
        written[name] = {
            "names": problem["names"],
            "X": [[float(v).hex() for v in row] for row in problem["X"]],
            "y": problem["y"].tolist(),
            **{key: [float(v).hex() for v in problem[key]] for key in ("trials", "weight", "offset") if key in problem},
            **solution,
        }
    (FOLDER / "exact.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
