"""Tables of predicted against observed outcomes call the outcomes what the response calls them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import logit_stats as ls


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    x = rng.normal(size=150)
    y = (rng.random(150) < 1 / (1 + np.exp(-x))).astype(int)
    return pd.DataFrame(
        {"y": y, "x": x, "id": np.arange(150) % 15, "ans": np.where(y == 1, "yes", "no"), "flag": y == 1}
    )


@pytest.mark.parametrize(
    ("response", "names"),
    [("y", ("0", "1")), ("ans", ("no", "yes")), ("flag", ("False", "True")), ("C(ans, levels=['yes', 'no'])", ("yes", "no")),
     ("I(x > 0.3)", ("False", "True"))],
)  # fmt: skip
def test_outcomes_keep_their_names(response, names):
    model = ls.logit(f"{response} ~ x" if "x >" not in response else f"{response} ~ y", frame())
    res = model.fit_firth() if "x >" in response else model.fit()
    found = res.classification()
    assert found.names == names
    first, second = (
        line.split() for line in found.report().splitlines() if line.split()[:1] in ([names[0]], [names[1]])
    )
    assert [first[0], second[0]] == list(names)
    for text in (str(found), found._repr_html_()):
        assert f"observed {names[0]}" in text
        assert f"predicted {names[1]}" in text
    assert_array_equal(found.table, res.pred_table())


def test_counts_of_successes_are_called_0_and_1():
    data = pd.DataFrame({"s": [3, 9, 6, 14], "n": [20, 22, 19, 21], "x": [0.0, 1, 2, 3]})
    assert ls.logit("s ~ x", data, trials="n").fit().classification().names == ("0", "1")


def test_random_effects_keep_the_names_and_the_rule():
    res = ls.melogit("ans ~ x + (1 | id)", frame()).fit()
    assert res.classification().names == ("no", "yes")
    at = float(res.predict().iloc[0])
    below, above = res.pred_table(np.nextafter(at, 0)), res.pred_table(np.nextafter(at, 1))
    # at the very threshold an event is predicted, as everywhere
    assert_array_equal(res.pred_table(at), below)
    assert above[:, 1].sum() < below[:, 1].sum()
