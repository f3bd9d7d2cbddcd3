"""What the data say nothing about, after columns were left out: no number, with the reason, however the factors are coded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import NotEstimableWarning


def arms(order: list[str], reference: str = "control") -> pd.DataFrame:
    """Control never has a dose, the arms A and B have three."""
    rng = np.random.default_rng(0)
    n = 300
    arm = rng.choice(["control", "A", "B"], n)
    dose = np.where(arm == "control", "none", rng.choice(["none", "low", "high"], n))
    x = rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(-(-0.5 + 0.8 * (arm == "A") + 0.5 * (dose == "high") + 0.4 * x)))).astype(int)
    others = [a for a in ("control", "A", "B") if a != reference]
    return pd.DataFrame(
        {"arm": pd.Categorical(arm, [reference, *others]), "dose": pd.Categorical(dose, order), "x": x, "y": y}
    )


CODINGS = [
    (arms(["none", "low", "high"]), "y ~ arm * dose + x"),
    (arms(["none", "high", "low"]), "y ~ arm * dose + x"),
    (arms(["low", "none", "high"], "B"), "y ~ arm * dose + x"),
    (arms(["none", "low", "high"]), "y ~ C(arm, Sum) * C(dose, Sum) + x"),
]


@pytest.fixture(scope="module", params=range(len(CODINGS)))
def fitted(request):
    data, formula = CODINGS[request.param]
    return data, ls.logit(formula, data, check_rank="drop").fit()


@pytest.fixture(scope="module")
def cells():
    """The same cells with a factor of the combinations that occur."""
    data, _ = CODINGS[0]
    data = data.assign(cell=data["arm"].astype(str) + "/" + data["dose"].astype(str))
    return data, ls.logit("y ~ cell + x", data).fit()


def test_cells_without_rows_have_no_prediction(fitted, cells):
    _, res = fitted
    new = pd.DataFrame({"arm": ["control", "control", "A"], "dose": ["none", "high", "high"], "x": [0.0, 0.0, 0.0]})
    with pytest.warns(NotEstimableWarning, match="say nothing"):
        got = res.predict(new)
    known = cells[1].predict(new.assign(cell=["control/none", "A/high", "A/high"]))
    assert np.isnan(got[1])
    assert_allclose(got[[0, 2]], known[[0, 2]], rtol=1e-7)
    interval = res.get_prediction(new)
    assert np.isnan(interval.summary_frame().loc[1]).all()
    assert "not estimable" in str(interval)
    average = res.average_prediction(new)
    assert np.isnan(average.estimate)
    assert np.isfinite(res.average_prediction(new.iloc[[0, 2]]).estimate)


def test_means_and_effects_that_need_such_a_cell_are_not_estimable(fitted, cells):
    data, res = fitted
    means = res.means("arm").summary_frame().set_index("arm")
    assert np.isnan(means.loc["control", "link"])
    assert np.isfinite(means.loc[["A", "B"], "link"]).all()
    by_cell = cells[1].means("cell").summary_frame().set_index("cell")
    assert_allclose(means.loc["A", "link"], by_cell.loc[["A/none", "A/low", "A/high"], "link"].mean(), rtol=1e-7)
    pairs = res.means("arm").pairs(adjust="none").set_index("contrast")
    assert np.isfinite(pairs["estimate"]).sum() == 1
    effects = res.margins("arm", changes="pairwise")
    assert np.isfinite(effects.frame["estimate"]).sum() == 1
    assert "not estimable" in str(effects)
    inside = res.margins("arm", changes="pairwise", subset=data["dose"] == "none").frame
    assert np.isfinite(inside["estimate"]).all()
    assert np.isfinite(res.margins("x").frame["estimate"]).all()


def test_answers_that_exist_do_not_depend_on_the_coding():
    found = [ls.logit(f, d, check_rank="drop").fit().margins("x").frame.iloc[0] for d, f in CODINGS]
    for row in found[1:]:
        assert_allclose(
            row[["estimate", "std_error"]].astype(float), found[0][["estimate", "std_error"]].astype(float), rtol=1e-7
        )


def test_two_numbers_on_one_line_have_no_effects_of_their_own():
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"x": rng.normal(size=200), "z": rng.normal(size=200)})
    data["x2"] = 2.0 * data["x"] + 1.0
    data["y"] = (rng.random(200) < 1 / (1 + np.exp(-data["x"]))).astype(int)
    for formula in ("y ~ x + x2 + z", "y ~ x2 + x + z"):
        frame = ls.logit(formula, data, check_rank="drop").fit().margins().frame.set_index("variable")
        assert np.isnan(frame.loc[["x", "x2"], "estimate"]).all()
        assert np.isfinite(frame.loc["z", "estimate"])


def test_a_result_kept_without_its_rows_still_knows():
    data, formula = CODINGS[0]
    small = ls.logit(formula, data, check_rank="drop").fit().remove_data()
    with pytest.warns(NotEstimableWarning):
        assert np.isnan(small.predict(pd.DataFrame({"arm": ["control"], "dose": ["low"], "x": [0.0]}))).all()
