"""No answer depends on the origin or the unit of a column: every public answer of a result, asked of shifted and scaled data."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.results.logit import LogitResults

# What an answer is asked with, where it needs an argument.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "means": ("g",),
    "wald_test": ("z = 0",),
    "t_test": ("z = 0",),
    "f_test": ("z = 0",),
    "score_test": ("w",),
    "info_criteria": ("aic",),
    "evidence": ("z",),
    "add1": ("w",),
    "t_test_pairwise": ("g",),
    "pseudo_rsquared": ("all",),
}
# What is not compared, each with its reason.
LEFT_OUT = {
    "model": "the model, not an answer",
    "fit_": "internal",
    "covariance_": "internal",
    "plot": "pictures",
    "save": "a file",
    "remove_data": "changes what can be asked",
    "bootstrap": "random, tested elsewhere",
    "crosscheck": "rests on statsmodels' convergence",
    "certificate": "digits and hash of these very data",
    "mle_retvals": "the iterations",
    "mle_settings": "settings",
    "report": "a page",
    "summary": "a text of these numbers",
    "summary2": "a text of these numbers",
    "summary_notes": "a text",
    "validate": "needs data",
    "nomogram": "a picture",
    "dose": "in the unit of the column, its own tests",
    "with_cov": "tested kind by kind below",
    "get_distribution": "SciPy's object",
    "lr_test": "needs another result",
    "optimism": "random",
    "stability": "random",
    "fragility": "counts rows; slow",
    "added_variable": "a picture's data",
    "partial_residuals": "a picture's data",
    "sample_line": "a text",
    "methods_text": "a text",
    "normalized_cov_params": "as cov_params",
    "replication": "a text",
    "to_json": "a text",
    "to_sql": "a text",
    "margins": "asked of z below",
    "get_margeff": "asked of z below",
    "conf_int": "asked by method below",
    "interaction": "of two binary variables, its own tests",
    "null_model": "internal",
    "decision_curve": "of predictions only",
    "refit_without": "another fit",
    "update": "needs data",
    "threshold": "needs a cost",
    "linearity": "x log x (Box and Tidwell) is of the origin by definition",
    "condition_indices": "Belsley's are of uncentred columns by definition",
    "constraints": "there are none",
    "im_ratio": "a matrix in the units of the columns, as statsmodels has it",
    "load": "a file",
    "use_t": "a setting",
    "cov_type": "a setting",
    "converged": "said of both",
}


def data() -> pd.DataFrame:
    rng = np.random.default_rng(21)
    n = 160
    frame = pd.DataFrame(
        {"x": np.round(rng.normal(size=n) * 64) / 64, "z": rng.normal(size=n), "w": rng.normal(size=n)}
    )
    frame["g"] = rng.choice(list("abc"), n)
    frame["id"] = rng.integers(0, 35, n)
    eta = 0.4 * frame["x"] - 0.5 * frame["z"] + 0.6 * (frame["g"] == "b")
    frame["y"] = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
    return frame


MOVES = {
    "scaled": (lambda x: x * 1024.0, ("x",)),
    "small": (lambda x: x / 2.0**20, ("x",)),
    "shifted": (lambda x: x + 2048.0, ("Intercept",)),
    "far": (lambda x: x + 2.0**26, ("Intercept",)),
}  # fmt: skip


def numbers(value: Any, moved: tuple[str, ...], depth: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    """Numbers of an answer, those of the coefficients that move left out."""
    if depth > 3:
        return
    if isinstance(value, (pd.DataFrame, pd.Series)):
        value = value.drop(index=[k for k in value.index if str(k) in moved])
        if isinstance(value, pd.DataFrame):
            text = [c for c in value.columns if str(c) in moved]
            value = value.drop(columns=text)
            for column in value.columns[[not pd.api.types.is_numeric_dtype(t) for t in value.dtypes]]:
                value = value[~value[column].map(lambda v: str(v) in moved)]
            value = value.select_dtypes("number")
        elif not pd.api.types.is_numeric_dtype(value):
            return
        yield "", value.to_numpy(dtype=float)
    elif isinstance(value, (bool, int, float, np.number)):
        yield "", np.asarray(float(value))
    elif isinstance(value, np.ndarray) and value.dtype.kind in "fib":
        yield "", value.astype(float)
    elif isinstance(getattr(value, "frame", None), pd.DataFrame):
        yield from numbers(value.frame, moved, depth + 1)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name in SKIPPED_FIELDS:
                continue
            for name, found in numbers(getattr(value, field.name), moved, depth + 1):
                yield f".{field.name}{name}", found


# Fields that hold the fit itself, or coefficients in the column's own unit.
SKIPPED_FIELDS = (
    "fit",
    "res",
    "results",
    "design",
    "cov",
    "matrix",
    "constraints",
    "covariance",
    "gradient",
    "direction",
    "combinations",
)
EXPECTED_MISSING = (ls.errors.LogitStatsError, TypeError)


def answers() -> list[str]:
    return [n for n, _ in inspect.getmembers(LogitResults) if not n.startswith("_") and n not in LEFT_OUT]


def ask(res: Any, name: str) -> Any:
    value = getattr(res, name)
    return value(*ARGUMENTS.get(name, ())) if callable(value) else value


@pytest.fixture(scope="module")
def fits():
    frame = data()
    made = {"given": ls.logit("y ~ x + z + g", frame).fit()}
    for name, (move, _) in MOVES.items():
        made[name] = ls.logit("y ~ x + z + g", frame.assign(x=move(frame["x"]))).fit()
    return made


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("name", answers())
def test_every_answer(fits, name, move):
    compare(ask(fits["given"], name), ask(fits[move], name), MOVES[move][1])


def compare(here: Any, there: Any, moved: tuple[str, ...], rtol: float = 1e-6) -> None:
    one, other = dict(numbers(here, moved)), dict(numbers(there, moved))
    assert one.keys() == other.keys()
    for key, value in one.items():
        assert value.shape == other[key].shape, key
        assert_allclose(other[key], value, rtol=rtol, atol=1e-8, err_msg=key)


KINDS = {
    "HC0": {}, "HC1": {}, "HC2": {}, "HC3": {}, "opg": {}, "quasi": {}, "HAC": {"maxlags": 2}, "cluster": {"groups": "id"},
    "CR2": {"groups": "id", "use_correction": "CR2"}, "two-way": {"groups": ["id", "g"]},
}  # fmt: skip


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_covariance(fits, kind, move):
    cov = kind if kind not in ("CR2", "two-way") else "cluster"
    here, there = (fits[name].with_cov(cov, **KINDS[kind]) for name in ("given", move))
    for name in ("bse", "tvalues", "pvalues"):
        compare(getattr(here, name), getattr(there, name), MOVES[move][1])
    compare(here.wald_test("z = 0, x = 0"), there.wald_test("z = 0, x = 0"), MOVES[move][1])
    compare(here.margins("z").frame, there.margins("z").frame, ())
    compare(here.get_prediction().summary_frame(), there.get_prediction().summary_frame(), ())


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("method", ["wald", "profile"])
def test_every_interval(fits, method, move):
    compare(fits["given"].conf_int(method=method), fits[move].conf_int(method=method), MOVES[move][1])


@pytest.mark.parametrize("move", MOVES)
def test_firth_and_multinomial(move):
    frame = data()
    moved = frame.assign(x=MOVES[move][0](frame["x"]))
    here, there = (ls.logit("y ~ x + z + g", d).fit_firth() for d in (frame, moved))
    for name in (
        "params",
        "bse",
        "pvalues",
        "llr",
        "fittedvalues",
    ):  # the penalty itself, and so llf, has the unit of the columns
        compare(ask(here, name), ask(there, name), MOVES[move][1], rtol=1e-5)
    compare(here.conf_int(), there.conf_int(), MOVES[move][1], rtol=1e-5)
    many = frame.assign(k=np.where(frame["y"] == 1, "one", np.where(frame["w"] > 0, "two", "three")))
    here, there = (ls.mnlogit("k ~ x + z", d).fit() for d in (many, many.assign(x=moved["x"])))
    for name in ("params", "bse", "pvalues", "llf", "deviance", "fittedvalues"):
        compare(ask(here, name), ask(there, name), MOVES[move][1])
