"""Rows are matched by label, never by position, wherever something is given for each row."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError

N = 240


def _data() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    x, z = rng.normal(size=N), rng.normal(size=N)
    trials = rng.integers(1, 6, N)
    chance = 1 / (1 + np.exp(-0.3 - 0.6 * x))
    return pd.DataFrame(
        {
            "y": (rng.random(N) < chance).astype(int), "x": x, "z": z, "s": rng.binomial(trials, chance), "t": trials,
            "c": np.array(list("abc"))[rng.integers(0, 3, N)], "w": rng.integers(1, 5, N), "p": rng.uniform(0.5, 3.0, N),
            "o": rng.normal(size=N), "firm": rng.integers(0, 24, N), "state": rng.integers(0, 4, N), "time": rng.permutation(N),
            "inside": rng.random(N) < 0.7, "fpc": 400,
        }
    )  # fmt: skip


ORDERED = _data()
SHUFFLED = ORDERED.sample(frac=1, random_state=3)
HOLES = SHUFFLED.assign(x=SHUFFLED["x"].where(SHUFFLED["w"] != 4))


def fits(data):
    """Every kind of fit of the formula, by name."""
    model = ls.logit("y ~ x", data)
    return {
        "logit": model.fit(),
        "Logit": ls.Logit(data["y"], data[["x"]].assign(one=1.0), missing="drop").fit(),
        "firth": model.fit_firth(),
        "mnlogit": ls.mnlogit("c ~ x", data).fit(),
    }


# What is given to the model: the argument, and the column that holds it. Each is asked of every model that has it.
MODEL_ARGUMENTS = [
    ("offset", "o"),
    ("freq_weights", "w"),
    ("sampling_weights", "p"),
    ("subset", "inside"),
    ("trials", "t"),
]
MODELS = {
    "logit": lambda d, **more: ls.logit("y ~ x", d, **more).fit().params,
    "grouped": lambda d, **more: ls.logit("s ~ x", d, **more).fit().params,
    "Logit": lambda d, **more: ls.Logit(d["y"], d[["x"]].assign(one=1.0), missing="drop", **more).fit().params,
    "mnlogit": lambda d, **more: ls.mnlogit("c ~ x", d, **more).fit().params,
    "MNLogit": lambda d, **more: ls.MNLogit(d["c"], d[["x"]].assign(one=1.0), missing="drop", **more).fit().params,
    "firth": lambda d, **more: ls.logit("y ~ x", d, **more).fit_firth().params,
    "limit": lambda d, **more: ls.logit("y ~ x", d, **more).fit_limit().params,
    "ridge": lambda d, **more: ls.logit("y ~ x", d, **more).fit_regularized(alpha=0.1, L1_wt=0).params,
    "constrained": lambda d, **more: ls.logit("y ~ x", d, **more).fit_constrained("x = 0.5").params,
}
NOT_TAKEN = {
    ("mnlogit", "offset"), ("MNLogit", "offset"), ("Logit", "subset"), ("MNLogit", "subset"), ("firth", "sampling_weights"),
    ("limit", "sampling_weights"),
}  # fmt: skip
TAKEN = [
    (model, argument, column)
    for model in MODELS
    for argument, column in MODEL_ARGUMENTS
    if (model, argument) not in NOT_TAKEN and (argument == "trials") == (model == "grouped")
]


@pytest.mark.parametrize("data", [SHUFFLED, HOLES], ids=["complete", "missing rows"])
@pytest.mark.parametrize(("model", "argument", "column"), TAKEN)
def test_what_a_model_is_given_for_its_rows(model, argument, column, data):
    fit = MODELS[model]
    right = np.asarray(fit(data, **{argument: data[column].to_numpy()}))
    assert_allclose(fit(data, **{argument: ORDERED[column]}), right, rtol=1e-12)
    assert_allclose(fit(data, **{argument: data[column].tolist()}), right, rtol=1e-12)
    assert_allclose(fit(data, **{argument: pl.Series(data[column].to_numpy())}), right, rtol=1e-12)
    with pytest.raises(DataError, match="index that differs"):
        fit(data, **{argument: ORDERED[column].set_axis(ORDERED.index + N)})


ASKED = {
    "cluster": (lambda r, g: r.with_cov("cluster", groups=g).bse, "firm"),
    "cluster at the fit": (lambda r, g: r.model.fit(cov_type="cluster", cov_kwds={"groups": g}).bse, "firm"),
    "two clusters": (lambda r, g: r.with_cov("cluster", groups=g).bse, ["firm", "state"]),
    "strata": (lambda r, g: r.with_cov("survey", strata=g).bse, "state"),
    "sampling units": (lambda r, g: r.with_cov("survey", psu=g).bse, "firm"),
    "finite population": (lambda r, g: r.with_cov("survey", fpc=g).bse, "fpc"),
    "time": (lambda r, g: r.with_cov("HAC", time=g, maxlags=3).bse, "time"),
    "bootstrap": (lambda r, g: r.bootstrap(reps=20, seed=1, groups=g, progress=False).standard_errors, "firm"),
    "bootstrap covariance": (
        lambda r, g: r.with_cov("bootstrap", reps=20, seed=1, groups=g, progress=False).bse,
        "firm",
    ),
    "influence": (lambda r, g: r.get_influence(groups=g).cooks_distance, "firm"),
    "refit without": (lambda r, g: r.refit_without([3], groups=g).frame, "firm"),
    "fragility": (lambda r, g: str(r.fragility("x", groups=g)), "firm"),
    "optimism": (lambda r, g: str(r.optimism("bootstrap", reps=5, seed=1, groups=g)), "firm"),
    "folds": (lambda r, g: str(r.optimism("crossvalidation", folds=g)), "state"),
    "score test": (lambda r, g: r.score_test(g).statistic, "z"),
    "score test of a table": (lambda r, g: r.score_test(g).statistic, ["z", "o"]),
    "margins": (lambda r, g: r.margins(subset=g).summary_frame().select_dtypes("number"), "inside"),
    "predict": (lambda r, g: r.predict(offset=g), "o"),
    "predict new rows": (lambda r, g: r.predict(SHUFFLED, offset=g), "o"),
    "get_prediction": (lambda r, g: r.get_prediction(SHUFFLED, offset=g).predicted, "o"),
    "average_prediction": (lambda r, g: r.average_prediction(SHUFFLED, offset=g).estimate, "o"),
    "validate the outcome": (lambda r, g: r.validate(SHUFFLED, outcome=g).roc.auc, "y"),
    "validate with weights": (lambda r, g: r.validate(SHUFFLED, outcome=SHUFFLED["y"], freq_weights=g).roc.auc, "w"),
    "validate with an offset": (lambda r, g: r.validate(SHUFFLED, outcome=SHUFFLED["y"], offset=g).roc.auc, "o"),
    "validate counts": (lambda r, g: str(r.validate(SHUFFLED, outcome=SHUFFLED["s"], trials=g)), "t"),
}
# Labels for the rows used alone say that the others were no part of the survey's design: another answer, held below.
OF_ALL_ROWS_READ = ("strata", "sampling units", "finite population")
# What only some fits answer.
ONLY = {
    "firth": {"cluster", "two clusters", "predict", "predict new rows", "margins", "validate the outcome"},
    "mnlogit": {"cluster", "two clusters", "strata", "sampling units", "margins"},
}


@pytest.mark.parametrize("data", [SHUFFLED, HOLES], ids=["complete", "missing rows"])
@pytest.mark.parametrize("asked", ASKED)
def test_what_a_result_is_given_for_its_rows(asked, data):
    ask, columns = ASKED[asked]
    right_data = data if "new rows" not in asked and "validate" not in asked and "prediction" not in asked else SHUFFLED
    for name, res in fits(data).items():
        if asked not in ONLY.get(name, {asked}) or (name == "Logit" and _formula_only(asked)):
            continue
        try:
            right = ask(res, right_data[columns].to_numpy())
        except ls.errors.NotAvailableError:
            continue
        given = [ORDERED[columns]]
        if right_data is data and asked not in ("predict", *OF_ALL_ROWS_READ):
            given.append(data[columns][np.asarray(res.model.sample.used)].sort_index())
        if isinstance(columns, list) and "cluster" in asked:
            given.append([ORDERED[c] for c in columns])
        for one in given:
            found = ask(res, one)
            if isinstance(right, str):
                # the names of columns given without labels are not known
                assert _numbers(found) == _numbers(right), (name, asked)
            else:
                assert_allclose(
                    np.asarray(found, dtype=float), np.asarray(right, dtype=float), rtol=1e-10, err_msg=name
                )
        with pytest.raises(DataError, match="index that differs"):
            ask(res, ORDERED[columns].set_axis(ORDERED.index + N))


@pytest.mark.parametrize("asked", OF_ALL_ROWS_READ)
def test_labels_of_the_rows_used_make_the_design_of_these(asked):
    ask, columns = ASKED[asked]
    names = {"logit", "mnlogit"} if "mnlogit" in _answering(asked) else {"logit"}
    whole = HOLES.dropna()
    for name in names:
        res, alone = fits(HOLES)[name], fits(whole)[name]
        labels = whole[columns].sort_index()
        assert_allclose(ask(res, labels), ask(alone, labels), rtol=1e-10, err_msg=name)


def _answering(asked):
    return {name for name, answers in ONLY.items() if asked in answers}


def _formula_only(asked):
    return (
        asked in ("margins", "optimism", "folds") or "new rows" in asked or "validate" in asked or "prediction" in asked
    )


def _numbers(text):
    return re.findall(r"\d+\.\d+", text)


def test_a_series_of_the_notebook_in_a_formula():
    extra = ORDERED["z"]
    right = ls.logit("y ~ z", SHUFFLED).fit().params.to_numpy()
    for formula in ("y ~ extra", "y ~ I(np.abs(extra) * 0 + extra)", "y ~ center(extra)", "y ~ I(extra + 0 * x)"):
        found = ls.logit(formula, SHUFFLED).fit()
        assert_allclose(found.params.iloc[-1], right[-1], rtol=1e-8)
    holes = ls.logit("y ~ x + extra", HOLES).fit().params
    assert_allclose(holes, ls.logit("y ~ x + z", HOLES).fit().params, rtol=1e-10)
    part = ls.logit("y ~ extra", SHUFFLED, subset=ORDERED["inside"]).fit().params
    assert_allclose(part, ls.logit("y ~ z", SHUFFLED, subset=SHUFFLED["inside"]).fit().params, rtol=1e-10)
    other = extra.set_axis(extra.index + N)  # noqa: F841
    with pytest.raises(DataError, match="'other' has an index that differs"):
        ls.logit("y ~ other", SHUFFLED)
    # what is only looked up in need not have the rows of the data
    names = pd.Series({"a": 1.0, "b": 2.0, "c": 5.0})  # noqa: F841
    assert ls.logit("y ~ c.map(names)", SHUFFLED.iloc[:3].assign(y=[0, 1, 0]), check_rank=False).exog.shape == (3, 2)


def test_labels_that_occur_twice():
    twice = SHUFFLED.set_axis(np.arange(N) // 2)
    right = ls.logit("y ~ x", twice, freq_weights="w").fit().params
    assert_allclose(ls.logit("y ~ x", twice, freq_weights=twice["w"]).fit().params, right)
    with pytest.raises(DataError, match="more than once"):
        ls.logit("y ~ x", twice, freq_weights=twice["w"].iloc[::-1])
    with pytest.raises(DataError, match="shape"):
        ls.logit("y ~ x", SHUFFLED, freq_weights=ORDERED["w"].iloc[1:])


def test_arrays_have_no_labels():
    """Beside NumPy data a Series is taken by position, whatever its labels: there is nothing to match."""
    y, X = SHUFFLED["y"].to_numpy(), np.column_stack([np.ones(N), SHUFFLED["x"]])
    right = ls.Logit(y, X, freq_weights=SHUFFLED["w"].to_numpy()).fit()
    assert_allclose(ls.Logit(y, X, freq_weights=SHUFFLED["w"]).fit().params, right.params)
    by_firm = right.with_cov("cluster", groups=SHUFFLED["firm"].to_numpy()).bse
    assert_allclose(right.with_cov("cluster", groups=SHUFFLED["firm"]).bse, by_firm)


def test_polars_rows_have_their_positions_as_labels():
    table = pl.from_pandas(SHUFFLED.reset_index(drop=True))
    right = ls.logit("y ~ x", SHUFFLED, freq_weights="w").fit().params
    assert_allclose(ls.logit("y ~ x", table, freq_weights=SHUFFLED["w"].reset_index(drop=True)).fit().params, right)
    assert_allclose(ls.logit("y ~ x", table, freq_weights=table["w"]).fit().params, right)
    reordered = SHUFFLED["w"].reset_index(drop=True).sample(frac=1, random_state=2)
    assert_allclose(ls.logit("y ~ x", table, freq_weights=reordered).fit().params, right)


def test_rows_without_a_group_are_missing_where_a_model_needs_one():
    from logit_stats.design.formula import scope_of
    from logit_stats.design.from_arrays import design_from_arrays
    from logit_stats.design.from_formula import design_from_formula
    from logit_stats.design.row_arguments import RowArguments

    groups = ORDERED["c"].where(ORDERED["w"] != 2)
    data = SHUFFLED.assign(group=groups)
    X = SHUFFLED[["x"]]
    designs = [design_from_formula("y ~ x", data, scope_of({}), RowArguments(groups=g)) for g in ("group", groups)]
    designs += [
        design_from_arrays(SHUFFLED["y"], X, RowArguments(groups=groups, missing="drop")),
        design_from_arrays(SHUFFLED["y"].to_numpy(), X.to_numpy(), RowArguments(groups=data["group"], missing="drop")),
    ]
    for design in designs:
        assert list(design.sample.dropped_by.values()) == [int((ORDERED["w"] == 2).sum())]
        assert_allclose(design.X[:, -1], SHUFFLED["x"][SHUFFLED["w"] != 2])
    with pytest.raises(DataError, match="index that differs"):
        design_from_formula("y ~ x", data, scope_of({}), RowArguments(groups=groups.set_axis(groups.index + N)))
    with pytest.raises(DataError, match="one label for each"):
        design_from_formula("y ~ x", data, scope_of({}), RowArguments(groups=[1, 2, 3]))


def test_coefficients_under_the_names_of_the_columns():
    model, several = ls.logit("y ~ x + z", ORDERED), ls.mnlogit("c ~ x + z", ORDERED)
    for one in (model, several):
        params = one.fit().params
        turned = params.iloc[::-1] if one is model else params.iloc[::-1, ::-1]
        for name in ("loglike", "score", "predict"):
            assert_allclose(getattr(one, name)(turned), getattr(one, name)(np.asarray(params)))
