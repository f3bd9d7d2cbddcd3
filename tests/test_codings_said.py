"""What coefficients under other codings than treatment are, and where differences inside an interaction stand, is said."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls

BIRTHS = ls.datasets.load("birthwt")


@pytest.mark.parametrize("coding", ["Sum", "Poly", "Helmert", "Diff"])
def test_contrasts_are_no_odds_ratios_of_levels(coding):
    res = ls.logit(f"low ~ lwt + C(race, {coding})", BIRTHS).fit()
    (note,) = res.odds_ratios().attrs["notes"]
    assert f"C(race, {coding})" in note
    assert "no odds ratio" in note
    assert "no odds ratio" in " ".join(str(res.summary(clock=False)).split())
    # what the note offers is the odds ratio of the levels, whatever the coding
    treatment = ls.logit("low ~ lwt + C(race)", BIRTHS).fit()
    assert_allclose(
        res.odds_ratios(units={"race": None})["odds_ratio"],
        treatment.odds_ratios().filter(like="race", axis=0)["odds_ratio"],
        rtol=1e-8,
    )


@pytest.mark.parametrize(
    "formula", ["low ~ C(race)", "low ~ 0 + C(race) + lwt", "low ~ C(race, Treatment('white'))", "low ~ lwt"]
)
def test_nothing_is_said_of_indicators(formula):
    res = ls.logit(formula, BIRTHS).fit()
    assert "notes" not in res.odds_ratios().attrs
    assert "no odds ratio" not in str(res.summary(clock=False))


def test_differences_inside_an_interaction_say_where_they_stand():
    crossed = ls.logit("low ~ C(race) * smoke", BIRTHS).fit().t_test_pairwise("C(race)")
    assert "C(race):smoke" in str(crossed.notes)
    assert "coded zero" in str(crossed.notes)
    alone = ls.logit("low ~ C(race)", BIRTHS[BIRTHS["smoke"] == 0]).fit().t_test_pairwise("C(race)")
    assert len(alone.notes) == 1
    # as the note says: where smoke is zero
    assert_allclose(np.asarray(crossed.frame["coef"]), np.asarray(alone.frame["coef"]), rtol=1e-7)
