"""What a few observations can change: every claim is checked by a fit of its own."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.assess.first_order import FirstOrder
from logit_stats.errors import DataError, LogitStatsError, NotAvailableError

FORMULA = "low ~ age + lwt + smoke"


def said(thing) -> str:
    """What a result prints, without its line breaks."""
    return " ".join(str(thing).split())


def birthwt():
    data = ls.datasets.load("birthwt").assign(
        f=lambda d: 1 + d["ftv"], s=lambda d: 1.5 + d["ptl"], clinic=lambda d: np.arange(len(d)) % 20
    )
    data.index = [f"m{i}" for i in range(len(data))]
    return data


WAYS = {
    "model": ({}, {}),
    "weights": ({"freq_weights": "f"}, {}),
    "sampling": ({"sampling_weights": "s"}, {}),
    "HC0": ({}, {"cov_type": "HC0"}),
    "HC3": ({}, {"cov_type": "HC3"}),
    "weights HC1": ({"freq_weights": "f"}, {"cov_type": "HC1"}),
    "clusters": ({}, {"cov_type": "cluster", "cov_kwds": {"groups": "clinic"}}),
    "sampling units": ({"sampling_weights": "s"}, {"cov_type": "survey", "cov_kwds": {"psu": "clinic"}}),
}


@pytest.mark.parametrize("way", WAYS)
def test_first_order_follows_exact_refits(way):
    arguments, settings = WAYS[way]
    res = ls.logit(FORMULA, birthwt(), **arguments).fit(**settings)
    rows, found = res.get_influence(), res.get_influence(groups="clinic")
    by_row, by_cluster = rows.exact(list(rows.labels)), found.exact(list(found.labels))
    for j in (2, 3):
        first = FirstOrder(res._reported, j)
        # a cluster is a twentieth of the data, of which first order foretells order and direction better than size
        for got, want, close, steepest in (
            (first.without_one(), by_row, 0.99, 1.15),
            (first.without_group(found.codes, len(found.labels)), by_cluster, 0.98, 1.6),
        ):
            unit = np.asarray(res.bse)[j]
            moved = want.standard_errors_without[:, j] / unit - 1.0
            for ours, theirs in ((got.beta, -want.dfbeta[:, j] / unit), (got.se, moved)):
                assert np.corrcoef(ours, theirs)[0, 1] > close
                assert 0.9 < np.polyfit(ours, theirs, 1)[0] < steepest


@pytest.mark.parametrize("way", ["model", "HC0", "clusters"])
def test_first_order_of_changed_outcomes(way):
    arguments, settings = WAYS[way]
    data = birthwt()
    res = ls.logit(FORMULA, data, **arguments).fit(**settings)
    got = FirstOrder(res._reported, 3).with_outcome_changed()
    chosen = np.arange(0, 189, 7)
    beta, se = [], []
    for i in chosen:
        changed = data.assign(low=np.where(np.arange(189) == i, 1 - data["low"], data["low"]))
        other = ls.logit(FORMULA, changed, **arguments).fit(**settings)
        beta.append(other.params["smoke"] - res.params["smoke"])
        se.append(other.bse["smoke"] - res.bse["smoke"])
    place = np.where(data["low"].to_numpy()[chosen] == 0, chosen, 189 + chosen)
    assert np.corrcoef(got.beta[place], beta)[0, 1] > 0.99
    assert np.corrcoef(got.se[place], se)[0, 1] > 0.95


def holds(finding, res, after) -> bool:
    """Whether a refit by hand shows what a finding claims."""
    b, b_after, p_after = (
        res.params[finding.coefficient],
        after.params[finding.coefficient],
        after.pvalues[finding.coefficient],
    )
    assert_allclose([finding.coef_after, finding.p_after], [b_after, p_after], rtol=1e-6)
    if finding.conclusion == "sign":
        return b * b_after < 0
    if finding.conclusion == "reversal":
        return b * b_after < 0 and p_after < 0.05
    return (res.pvalues[finding.coefficient] < 0.05) != (p_after < 0.05)


@pytest.mark.parametrize("way", WAYS)
def test_every_claim_holds_without_the_rows(way):
    arguments, settings = WAYS[way]
    data = birthwt()
    res = ls.logit(FORMULA, data, **arguments).fit(**settings)
    got = res.fragility()
    assert got.frame["coefficient"].tolist() == ["age"] * 3 + ["lwt"] * 3 + ["smoke"] * 3
    assert (got.frame["size"] > 0).sum() >= 6
    for finding in got.findings:
        if finding.size:
            left = data.copy()
            if "freq_weights" in arguments:
                left["f"] -= left.index.map(pd.Index(finding.labels).value_counts()).fillna(0)
            else:
                left = left.drop(list(finding.labels))
            assert holds(finding, res, ls.logit(FORMULA, left, **arguments).fit(**settings))
            assert len(finding.labels) == finding.size <= got.most
            assert f"({finding.size} of {got.total})" in finding.sentence


def test_every_claim_holds_without_the_clusters():
    data = birthwt()
    res = ls.logit(FORMULA, data).fit()
    got = res.fragility(groups="clinic")
    assert (got.total, got.most) == (20, 10)
    for finding in got.findings:
        if finding.size:
            assert holds(finding, res, ls.logit(FORMULA, data[~data["clinic"].isin(finding.labels)]).fit())
    assert "Without clinic" in said(got)


@pytest.mark.parametrize("way", ["model", "sampling", "HC0", "clusters"])
def test_every_claim_holds_with_the_outcomes_changed(way):
    arguments, settings = WAYS[way]
    data = birthwt()
    res = ls.logit(FORMULA, data, **arguments).fit(**settings)
    found = res.fragility(change="outcomes")
    assert (found.frame["size"] > 0).sum() >= 6
    for finding in found.findings:
        if finding.size:
            turned = data.index.isin(finding.labels)
            changed = data.assign(low=np.where(turned, 1 - data["low"], data["low"]))
            assert holds(finding, res, ls.logit(FORMULA, changed, **arguments).fit(**settings))


def test_outcomes_of_counts_change_one_by_one():
    data = pd.DataFrame({"events": [3, 9, 6, 14], "n": [20, 22, 19, 21], "x": [0.0, 1, 2, 3]})
    res = ls.logit("events ~ x", data, trials="n").fit()
    got = res.fragility(change="outcomes").findings[1]
    assert got.conclusion == "significance"
    rows = pd.DataFrame({"x": np.repeat(data["x"], data["n"]).to_numpy(), "f": 1})
    rows["y"] = np.concatenate([np.repeat([1, 0], [e, n - e]) for e, n in zip(data["events"], data["n"], strict=True)])
    single = ls.logit("y ~ x", rows).fit().fragility(change="outcomes").findings[1]
    counted = rows.groupby(["x", "y"], as_index=False)["f"].sum()
    weighted = ls.logit("y ~ x", counted, freq_weights="f").fit().fragility(change="outcomes").findings[1]
    assert got.size == single.size == weighted.size > 1
    assert_allclose([single.p_after, weighted.p_after], got.p_after, rtol=1e-6)
    assert "of 82)" in got.sentence


def test_walsh_fragility_index_of_a_trial():
    """Two arms of 100, 10 and 24 events: change non-events of the first arm to events until Wald's p passes 0.05."""
    data = pd.DataFrame({"events": [10, 24], "n": [100, 100], "arm": [0, 1]})
    res = ls.logit("events ~ arm", data, trials="n").fit()
    (finding,) = [f for f in res.fragility("arm", change="outcomes").findings if f.conclusion == "significance"]
    by_hand = next(k for k in range(1, 20) if ls.logit("events ~ arm", data.assign(events=[10 + k, 24]), trials="n").fit()
                   .pvalues["arm"] > 0.05)  # fmt: skip
    other = next(k for k in range(1, 20) if ls.logit("events ~ arm", data.assign(events=[10, 24 - k]), trials="n").fit()
                 .pvalues["arm"] > 0.05)  # fmt: skip
    assert finding.size == min(by_hand, other)


def fewest(data, formula, name, turned, up_to) -> int | None:
    """The size of the smallest set of rows without which the conclusion turns, by trying all."""
    for size in range(1, up_to + 1):
        for rows in combinations(range(len(data)), size):
            try:
                after = ls.logit(formula, data.drop(list(rows))).fit()
            except LogitStatsError:
                continue
            if turned(after.params[name], after.pvalues[name]):
                return size
    return None


@pytest.mark.parametrize("seed", range(6))
def test_no_smaller_set_exists_where_it_says_so(seed):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"x": rng.normal(size=26)})
    data["y"] = (rng.random(26) < 1 / (1 + np.exp(-1.4 * data["x"]))).astype(int)
    res = ls.logit("y ~ x", data).fit()
    significant = res.pvalues["x"] < 0.05
    finding = res.fragility("x").findings[1]
    truth = fewest(data, "y ~ x", "x", lambda b, p: (p < 0.05) != significant, 2)
    if truth is not None and truth == 1:
        assert finding.size == 1
    if finding.fewest:
        assert finding.size == truth
    elif finding.size:
        assert truth is None or finding.size >= truth
    # the search is greedy, and on these data no worse than trying all pairs
    if truth is not None:
        assert finding.size == truth


def test_weights_are_repeated_rows():
    data = birthwt()
    repeated = data.loc[data.index.repeat(data["f"])].reset_index(drop=True)
    for change in ("rows", "outcomes"):
        weighted = ls.logit(FORMULA, data, freq_weights="f").fit().fragility("smoke", change=change).frame
        expanded = ls.logit(FORMULA, repeated).fit().fragility("smoke", change=change).frame
        assert weighted["size"].tolist() == expanded["size"].tolist()
        # ties between rows of equal effect may be broken otherwise: the counts agree, and p-values nearly
        assert_allclose(weighted["p_after"], expanded["p_after"], rtol=0.05)


def test_what_it_says():
    res = ls.logit("low ~ age + lwt + C(race) + smoke", ls.datasets.load("birthwt")).fit()
    text = said(res.fragility("lwt"))
    assert "Without row 67 (1 of 189) lwt is no longer significant: p 0.0498 -> 0.089." in text
    assert "lwt is not reversed: no set of up to 18 of 189 was found" in text
    assert "verified by refitting" in text
    race = res.fragility("C(race)")
    assert race.frame["coefficient"].unique().tolist() == ["C(race)[T.black]", "C(race)[T.other]"]
    assert "Without rows 130 and 155 (2 of 189) C(race)[T.other] is no longer significant" in said(race)
    assert "(fewer do not do it)" in said(race)
    assert "<li>" in race._repr_html_()
    assert "<li>" in res.fragility("age", change="outcomes", most=1)._repr_html_()


def test_rows_without_which_there_is_no_estimate_are_said():
    got = ls.logit("y ~ x", ls.datasets.load("ten_points")).fit().fragility()
    assert "Without row 1 (1 of 10): there is no finite estimate" in said(got)


def test_many_rows_take_few_refits(monkeypatch):
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(20_000), rng.normal(size=(20_000, 2))])
    y = (rng.random(20_000) < 1 / (1 + np.exp(-X @ [-1.0, 0.1, 0.2]))).astype(float)
    from logit_stats.assess import interventions

    counted = []
    original = interventions.refit
    monkeypatch.setattr(interventions, "refit", lambda *given: counted.append(1) or original(*given))
    res = ls.Logit(y, X).fit()
    lost = res.fragility("x1").findings[1]
    assert lost.size > 20
    keep = ~np.isin(np.arange(20_000), lost.labels)
    assert ls.Logit(y[keep], X[keep]).fit().pvalues[1] > 0.05
    # three searches of logarithmically many refits each
    assert len(counted) < 120


def test_what_is_refused():
    data = birthwt()
    res = ls.logit(FORMULA, data).fit()
    with pytest.raises(DataError, match="no term"):
        res.fragility("height")
    with pytest.raises(DataError, match="beside the constant"):
        ls.logit("low ~ 1", data).fit().fragility()
    with pytest.raises(DataError, match="most=0"):
        res.fragility(most=0)
    with pytest.raises(DataError, match="alpha"):
        res.fragility(alpha=1.5)
    with pytest.raises(LogitStatsError, match="'rows', 'outcomes'"):
        res.fragility(change="columns")
    with pytest.raises(DataError, match="does not go with"):
        res.fragility(change="outcomes", groups="clinic")
    with pytest.raises(NotAvailableError, match="resamples"):
        res.with_cov("bootstrap", reps=20, seed=1).fragility()
    with pytest.raises(NotAvailableError, match="expand the data"):
        ls.logit(FORMULA, data, freq_weights="f").fit(cov_type="HC1").fragility(change="outcomes")
    with pytest.raises(NotAvailableError, match="penalized"):
        ls.logit(FORMULA, data).fit_firth().fragility()
    with pytest.raises(NotAvailableError, match="constraints"):
        ls.logit(FORMULA, data).fit_constrained("age = 0").fragility()


@pytest.mark.parametrize("factor", [1e-300, 1e300])
def test_units_do_not_matter(factor):
    data = birthwt()
    plain = ls.logit(FORMULA, data).fit().fragility("lwt").frame
    scaled = ls.logit(FORMULA, data.assign(lwt=data["lwt"] * factor)).fit().fragility("lwt").frame
    assert scaled["labels"].tolist() == plain["labels"].tolist()
    assert_allclose(scaled["p_after"], plain["p_after"], rtol=1e-6)


def test_repeated_labels_are_told_apart_by_position():
    data = ls.datasets.load("birthwt").set_axis([0] * 189)
    res = ls.logit(FORMULA, data).fit()
    found = res.fragility("smoke").findings[1]
    assert found.size >= 1
    assert "0 (position " in found.sentence
    levels = ls.datasets.load("birthwt").set_index(["race", "age"], append=True, drop=False)
    levels.index.names = [None] * 3
    assert "Coefficients minus" in said(ls.logit(FORMULA, levels).fit().get_influence().exact(most=2))
