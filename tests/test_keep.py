"""Every kind of result is kept and read back by one rule; results of every kind stand side by side."""

import pickle

import numpy as np
import pytest

import logit_stats as ls
from logit_stats.errors import DataError

BIRTHS = ls.datasets.load("birthwt").assign(g=np.arange(189) % 20)


def logit():
    return ls.logit("low ~ age + smoke", BIRTHS).fit()


KINDS = {
    "logit": logit,
    "gee": lambda: ls.gee("low ~ age + smoke", BIRTHS, groups="g", corr="independence").fit(),
    "mixed": lambda: ls.melogit("low ~ age + smoke + (1 | g)", BIRTHS).fit(),
    "conditional": lambda: ls.clogit("low ~ age + smoke", BIRTHS, groups="g").fit(),
    "absorbed": lambda: ls.logit("low ~ age + smoke", BIRTHS, absorb="g").fit(),
    "multinomial": lambda: ls.mnlogit("race ~ age", BIRTHS).fit(),
    "ordinal": lambda: ls.ologit("ftv ~ age", BIRTHS).fit(),
    "pooled": lambda: ls.pool([logit(), ls.logit("low ~ age + smoke", BIRTHS.assign(age=BIRTHS["age"] + 1)).fit()]),
    "exact": lambda: ls.exlogit("low ~ smoke + ht", BIRTHS),
    "carried": lambda: ls.from_json(logit().to_json()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_result_is_kept(kind, tmp_path):
    res = KINDS[kind]()
    ls.save(res, tmp_path / "r")
    found = ls.load(tmp_path / "r")
    assert type(found) is type(res)
    assert repr(found) == repr(res)
    if hasattr(res, "save"):
        res.save(tmp_path / "s")
        assert type(ls.load(tmp_path / "s")) is type(res)


def test_other_pickles_are_no_results(tmp_path):
    (tmp_path / "x").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(DataError, match="dict"):
        ls.load(tmp_path / "x")


def test_models_of_the_family_side_by_side():
    table = ls.compare(logit(), KINDS["gee"](), KINDS["mixed"]())
    assert "Estimating equations have no likelihood" in str(table)
    assert np.isnan(table.statistics.loc["AIC", "(2)"])
    assert table.statistics.loc["AIC", "(3)"] == pytest.approx(KINDS["mixed"]().aic)
    weights = ls.compare(logit(), KINDS["mixed"]()).statistics.loc["AIC weight"]
    assert weights.sum() == pytest.approx(1.0)
