"""Net benefit against reference values and by counting."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import logit_stats as ls
from logit_stats.errors import DataError

CASE = json.loads(
    (Path(__file__).parent / "reference/values/family/birthwt_epidemiology.json").read_text(encoding="utf-8")
)
VALUES = CASE["values"]["decision_curve"]


@pytest.fixture(scope="module")
def data():
    df = pd.read_csv(Path(__file__).parent / "reference" / CASE["data_file"])
    for name, levels in CASE["factor_levels_first_is_reference"].items():
        df[name] = pd.Categorical(df[name], levels)
    return df


@pytest.fixture(scope="module")
def res(data):
    return ls.logit(CASE["formula_patsy"], data).fit()


def test_reference_values(res):
    found = res.decision_curve(thresholds=VALUES["thresholds"])
    model, everyone = found.of("model"), found.of("treat all")
    np.testing.assert_allclose(model["net_benefit"], VALUES["net_benefit"], atol=1e-12)
    np.testing.assert_allclose(everyone["net_benefit"], VALUES["treat_all"], atol=1e-12)
    np.testing.assert_allclose(model["standardized"], VALUES["standardized_net_benefit"], atol=1e-12)
    np.testing.assert_allclose(model["interventions_avoided"], VALUES["interventions_avoided_per_100"], atol=1e-10)
    assert (found.of("treat none")["net_benefit"] == 0.0).all()


def test_the_standard_error_is_that_of_a_mean(res, data):
    y, p, t = data["low"].to_numpy(), res.predict().to_numpy(), 0.3
    each = np.where(p >= t, np.where(y == 1, 1.0, -t / (1 - t)), 0.0)
    row = res.decision_curve(thresholds=[t]).of("model").iloc[0]
    assert row["net_benefit"] == pytest.approx(each.mean(), rel=1e-12)
    assert row["std_error"] == pytest.approx(each.std(ddof=1) / np.sqrt(len(y)), rel=1e-12)
    assert row["conf_high"] - row["net_benefit"] == pytest.approx(1.959963984540054 * row["std_error"], rel=1e-12)


def test_frequency_weights_are_repeated_rows(data):
    repeated = data.loc[data.index.repeat(np.arange(len(data)) % 3 + 1)].reset_index(drop=True)
    weighted = ls.logit("low ~ lwt + smoke", data.assign(f=np.arange(len(data)) % 3 + 1), freq_weights="f").fit()
    plain = ls.logit("low ~ lwt + smoke", repeated).fit()
    one, two = (r.decision_curve(thresholds=[0.2, 0.4]).table.drop(columns="model") for r in (weighted, plain))
    np.testing.assert_allclose(one, two, atol=1e-9)


def test_several_models_and_other_data(data):
    train, test = data.iloc[::2], data.iloc[1::2]
    small, large = (ls.logit(f, train).fit() for f in ("low ~ lwt", "low ~ lwt + smoke + ht"))
    found = small.decision_curve(large, data=test, labels=["small", "large"], thresholds=[0.25, 0.35])
    assert found.models == ["small", "large"]
    assert not found.same_rows
    y, p = test["low"].to_numpy(), large.predict(test).to_numpy()
    by_hand = [((p >= t) & (y == 1)).mean() - ((p >= t) & (y == 0)).mean() * t / (1 - t) for t in (0.25, 0.35)]
    np.testing.assert_allclose(found.of("large")["net_benefit"], by_hand, atol=1e-12)
    gain = found.difference("large", "small")["difference"]
    np.testing.assert_allclose(gain, found.of("large")["net_benefit"] - found.of("small")["net_benefit"])
    assert set(found.best()) <= {"small", "large", "treat all", "treat none"}


def test_a_probability_on_the_threshold_is_treated():
    df = pd.DataFrame({"g": ["a", "b"] * 40, "y": [1, 0] * 10 + [0, 0] * 20 + [0, 1] * 10})
    df = pd.DataFrame({"g": ["a"] * 40 + ["b"] * 40, "y": [1] * 20 + [0] * 20 + [1] * 10 + [0] * 30})
    res = ls.logit("y ~ g", df).fit()
    assert res.decision_curve(thresholds=[0.5]).of("model")["treated"].tolist() == [0.5]
    assert res.decision_curve(thresholds=[0.25]).of("model")["treated"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("kwds", "words"),
    [
        ({"thresholds": [0.0, 0.5]}, "between 0 and 1"),
        ({"labels": ["treat all"]}, "is taken"),
        ({"labels": ["a", "b"]}, "1 different"),
    ],
)
def test_what_it_cannot_take_is_said(res, kwds, words):
    with pytest.raises(DataError, match=words):
        res.decision_curve(**kwds)


def test_an_unknown_model_is_named(res):
    with pytest.raises(DataError, match="there are model"):
        res.decision_curve(thresholds=[0.3]).of("modle")


def test_it_prints_and_draws(res):
    found = res.decision_curve()
    assert len(found.of("model")) == 99
    assert max(map(len, str(found).splitlines())) <= 80
    assert "validate()" in str(found)
    assert "<table" in found._repr_html_()
    ax = res.plot.decision_curve()
    assert ax.get_xlabel() == "threshold probability"
    ax.figure.savefig("/dev/null", format="png")
    plt.close(ax.figure)
