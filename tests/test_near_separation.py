"""A finite estimate that very few observations hold back from infinity: said so, and only then."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import logit_stats as ls
from logit_stats.errors import NearSeparationWarning
from tests.cases import STANDARD_CASES, load_case


def nearly_separated(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Every event lies right of every non-event, but for two neighbours that have changed places."""
    x = np.sort(np.random.default_rng(seed).normal(size=rows))
    y = (x > 0).astype(float)
    first = int(np.flatnonzero(y)[0])
    y[first], y[first - 1] = 0.0, 1.0
    return pd.DataFrame({"x": x, "y": y})


def drawn(rows: int, x: np.ndarray, eta: np.ndarray, seed: int = 0) -> pd.DataFrame:
    y = (np.random.default_rng(seed).random(rows) < 1 / (1 + np.exp(-np.clip(eta, -500, 500)))).astype(float)
    return pd.DataFrame({"x": x, "y": y})


def assert_silent(formula, data, **arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return ls.logit(formula, data, **arguments).fit()


def test_it_names_the_column_the_row_and_what_to_do():
    data = nearly_separated()
    with pytest.warns(NearSeparationWarning) as caught:
        res = ls.logit("y ~ x", data).fit(maxiter=100)
    assert res.converged
    assert caught[0].filename == __file__
    message = str(caught[0].message)
    row = int(message.split("(row ")[1].split(")", maxsplit=1)[0])
    assert row in np.flatnonzero(data["y"].diff()) - 1 or row in np.flatnonzero(data["y"].diff())
    for part in (
        "one observation",
        "complete separation",
        "x (",
        "lr_test()",
        'conf_int(method="profile")',
        "fit_firth()",
    ):
        assert part in message
    # what it says is true: without the row the data are separated
    assert ls.logit("y ~ x", data.drop(index=row)).separation().kind == "complete"


def test_the_same_of_any_units_weights_and_counts():
    data = nearly_separated()
    counts = data.assign(m=2.0, k=2.0 * data["y"])
    crossing = data.index == int(np.argmax(data["y"]))
    for formula, frame, arguments in (
        ("y ~ x", data.assign(x=data["x"] * 1e-8), {}),
        ("y ~ x", data.assign(x=data["x"] * 1e8), {}),
        ("y ~ x", data.assign(w=np.where(crossing, 1, 2)), {"freq_weights": "w"}),
        ("k ~ x", counts, {"trials": "m"}),  # a row of two is two observations
    ):
        with pytest.warns(
            NearSeparationWarning, match="2 observations" if arguments.get("trials") else "one observation"
        ):
            ls.logit(formula, frame, **arguments).fit(maxiter=100)
    # four identical observations are no accident of one
    assert_silent("k ~ x", counts.assign(m=4.0, k=4.0 * data["y"]), trials="m")
    assert_silent("y ~ x", data.assign(w=4), freq_weights="w")


def test_the_rarer_outcome_of_a_row_of_counts():
    x = np.linspace(-3, 3, 60)
    data = pd.DataFrame({"x": x, "m": 10.0, "k": np.where(x > 0, 10.0, 0.0)})
    data.loc[[29, 30], "k"] += [1.0, -1.0]
    with pytest.warns(NearSeparationWarning, match=r"row (29|30)"):
        ls.logit("k ~ x", data, trials="m").fit(maxiter=100)


def test_one_group_of_several():
    rng = np.random.default_rng(1)
    inner = nearly_separated(150).assign(g=1)
    outer = pd.DataFrame({"x": rng.normal(size=150), "y": rng.integers(0, 2, 150).astype(float), "g": 0})
    data = pd.concat([inner, outer], ignore_index=True)
    with pytest.warns(NearSeparationWarning, match=r"quasi-complete separation.*g:x"):
        ls.logit("y ~ g * x", data).fit(maxiter=100)


@pytest.mark.parametrize("kind", ["strong", "heavy tails", "rare", "badly scaled", "offset", "small"])
def test_other_extreme_fits_are_none(kind):
    rng = np.random.default_rng(2)
    n = {"rare": 20_000, "small": 40}.get(kind, 1000)
    x = rng.standard_cauchy(n) if kind == "heavy tails" else rng.normal(size=n)
    slope = {"strong": 8.0, "badly scaled": 8.0, "rare": 1.0, "small": 4.0}.get(kind, 1.0)
    offset = 20.0 * rng.normal(size=n) if kind == "offset" else np.zeros(n)
    data = drawn(n, x, slope * x + offset - (7.0 if kind == "rare" else 0.0))
    if kind == "badly scaled":
        data["x"] = data["x"] * 1e-8
    res = assert_silent("y ~ x", data.assign(o=offset), **({"offset": "o"} if kind == "offset" else {}))
    # the tests are of the criterion, not of fits that it never looks at
    assert kind in ("rare", "small") or res.fit_.max_abs_eta > 15


@pytest.mark.parametrize("name", STANDARD_CASES)
def test_no_published_data_set_is(name):
    case = load_case(name)
    formula, arguments = case.model_arguments()
    assert_silent(formula, case.data, **arguments)


def test_the_last_event_is_not_taken_away():
    x = np.r_[np.linspace(0, 1, 400), 40.0]
    data = pd.DataFrame({"x": x, "y": np.r_[np.zeros(400), 0.0]})
    data.loc[200, "y"] = 1.0
    assert_silent("y ~ x", data)
