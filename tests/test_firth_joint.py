"""Joint tests after Firth's fit: penalized likelihood ratios of terms and of nested fits, and what is said beside Wald's."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, stats

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError, SeparatedTestWarning
from tests.cases import load_case


def factor_data(n=120, seed=4):
    """A factor of four levels, one of which has no event."""
    rng = np.random.default_rng(seed)
    g, x = rng.integers(0, 4, n), rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(-(-0.5 + 0.7 * x + 0.4 * g)))).astype(int)
    y[g == 3] = 0
    return pd.DataFrame(
        {"y": y, "x": x, "g": np.array(list("abcd"))[g], "h": rng.integers(0, 2, n), "w": rng.integers(1, 4, n)}
    )


def highest(X, y, directions, weight=None, trials=None):
    """Maximum of ``loglik + log det X'WX / 2`` over ``beta = directions @ u``, by an optimiser that shares nothing with ours."""
    m = np.ones(len(y)) if trials is None else trials
    a = np.ones(len(y)) if weight is None else weight

    def minus(u):
        eta = X @ (directions @ u)
        p = 1 / (1 + np.exp(-eta))
        info = (X * (a * m * p * (1 - p))[:, None]).T @ X
        return -(a @ (y * eta - m * np.logaddexp(0, eta)) + 0.5 * np.linalg.slogdet(info)[1])

    if directions.shape[1] == 0:
        return -minus(np.zeros(0))
    start = optimize.minimize(minus, np.zeros(directions.shape[1]), method="BFGS", options={"gtol": 1e-9})
    return -optimize.minimize(
        minus, start.x, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 20000}
    ).fun


def falls(res, y, dropped, weight=None, trials=None):
    """Statistic of columns held at zero, from the independent optimiser."""
    X, eye = np.asarray(res.model.exog, dtype=float), np.eye(len(res.model.exog_names))
    keep = [j for j, name in enumerate(res.model.exog_names) if name not in dropped]
    return 2 * (highest(X, y, eye, weight, trials) - highest(X, y, eye[:, keep], weight, trials))


@pytest.mark.parametrize("weights", [None, "w"])
def test_a_separated_factor_is_tested_by_the_penalized_likelihood(weights):
    data = factor_data()
    res = ls.logit("y ~ x + C(g)", data, freq_weights=weights).fit_firth()
    weight = None if weights is None else data["w"].to_numpy(float)
    own = [name for name in res.model.exog_names if name.startswith("C(g)")]
    right = falls(res, data["y"].to_numpy(float), own, weight)
    table = res.anova(3).frame
    assert_allclose(table.loc["C(g)", "statistic"], right, rtol=1e-8)
    assert table.loc["C(g)", "df"] == 3
    assert_allclose(table.loc["C(g)", "p_value"], stats.chi2.sf(right, 3), rtol=1e-7)
    assert_allclose(res.anova(2).frame, table, rtol=1e-10)
    assert_allclose(res.anova(1).frame.loc["C(g)"], table.loc["C(g)"], rtol=1e-10)
    assert_allclose(res.drop1().frame.loc["C(g)", "lr"], right, rtol=1e-8)
    smaller = ls.logit("y ~ x", data, freq_weights=weights).fit_firth()
    for test in (res.lr_test(smaller), smaller.lr_test(res)):
        assert_allclose([test.statistic, test.df], [right, 3], rtol=1e-8)
    assert str(test).startswith("Penalized likelihood-ratio test of C(g)")


def test_types_of_an_interaction():
    data = factor_data()
    res = ls.logit("y ~ C(g) * h", data).fit_firth()
    y, names = data["y"].to_numpy(float), res.model.exog_names
    of = {
        "C(g)": [n for n in names if "C(g)" in n and ":h" not in n],
        "h": ["h"],
        "C(g):h": [n for n in names if ":h" in n],
    }
    for term, own in of.items():
        assert_allclose(res.anova(3).frame.loc[term, "statistic"], falls(res, y, own), rtol=1e-7, atol=1e-9)
    beyond = falls(res, y, of["C(g):h"])
    for term in ("C(g)", "h"):
        right = falls(res, y, [*of[term], *of["C(g):h"]]) - beyond
        assert_allclose(res.anova(2).frame.loc[term, "statistic"], right, rtol=1e-7, atol=1e-8)
    first = res.anova(1).frame["statistic"]
    assert_allclose(first.sum(), res.global_test().statistic, rtol=1e-9)
    assert list(res.drop1().frame.index) == ["C(g):h"]


@pytest.mark.parametrize("name", ["endometrial_separation_firth", "birthwt_factor", "pima_train_test"])
def test_a_term_of_one_column_has_the_recorded_test_of_its_coefficient(name):
    case = load_case(name)
    formula, arguments = case.model_arguments()
    res = ls.logit(formula, case.data, **arguments).fit_firth()
    statistics = case.values["firth"]["penalized_lr"]["statistic"]
    recorded = dict(zip(case.values["names_patsy"], statistics, strict=True))
    table = res.anova(3).frame
    for term in table.index:
        if term in recorded:
            assert_allclose(table.loc[term, "statistic"], recorded[term], rtol=1e-7)
    dropped = res.drop1().frame["lr"]
    assert_allclose(dropped, table.loc[dropped.index, "statistic"], rtol=1e-10)


def test_grouped_counts_against_the_independent_optimiser():
    data = pd.DataFrame(
        {"s": [0, 3, 4, 0, 5, 7], "t": [9, 8, 8, 7, 9, 9], "d": list("aabbcc"), "x": [0, 1, 2, 0, 1, 2]}
    )
    res = ls.logit("s ~ x + C(d)", data, trials="t").fit_firth()
    right = falls(res, data["s"].to_numpy(float), ["C(d)[T.b]", "C(d)[T.c]"], trials=data["t"].to_numpy(float))
    assert_allclose(res.anova(2).frame.loc["C(d)", "statistic"], right, rtol=1e-8)


def test_a_design_coded_anew_is_tested_by_what_it_spans():
    data = factor_data()
    res, with_constant = (ls.logit(f, data).fit_firth() for f in ("y ~ 0 + C(g) + x", "y ~ C(g) + x"))
    assert_allclose(res.anova(3).frame.loc["x"], with_constant.anova(3).frame.loc["x"], rtol=1e-8)
    treatment, sums = (ls.logit(f"y ~ x + {g}", data).fit_firth() for g in ("C(g)", "C(g, Sum)"))
    assert_allclose(sums.anova(2).frame, treatment.anova(2).frame, rtol=1e-7)
    small = ls.logit("y ~ 0 + C(h)", data).fit_firth()
    large = ls.logit("y ~ x + h", data).fit_firth()
    assert_allclose(large.lr_test(small).statistic, large.anova(3).frame.loc["x", "statistic"], rtol=1e-8)


def test_units_and_origins_do_not_matter():
    data = factor_data()
    moved = data.assign(x=data["x"] * 1e-6 + 3e3)
    one, other = (ls.logit("y ~ x + C(g)", d).fit_firth().anova(3).frame for d in (data, moved))
    assert_allclose(other, one, rtol=1e-5)


def test_wald_is_not_offered_in_silence():
    data = factor_data()
    for kind in ("firth", "median"):
        res = ls.logit("y ~ x + C(g)", data).fit_firth(kind=kind)
        with pytest.warns(SeparatedTestWarning, match=r"C\(g\)\[T.d\].*penalized likelihood-ratio.*anova"):
            table = res.wald_test_terms()
        assert "C(g)" in " ".join(table.notes)
        with pytest.warns(SeparatedTestWarning):
            res.wald_test("C(g)[T.b] = 0, C(g)[T.d] = 0")
        res.wald_test("x = 0")
    res = ls.logit("y ~ x + C(g)", data).fit_firth()
    wald = res.anova(3, test="Wald")
    assert "penalized likelihood-ratio test" in " ".join(wald.notes)
    assert_allclose(wald.frame.loc["x", "statistic"], res.tvalues["x"] ** 2, rtol=1e-9)
    clean = ls.logit("y ~ x + h", data).fit_firth()
    assert not clean.wald_test_terms().notes


def test_evidence_shows_the_penalized_tests_beside_wald():
    res = ls.logit("y ~ x + C(g)", factor_data()).fit_firth()
    found = res.evidence("C(g)")
    rows = found.tests.set_index("method")
    assert_allclose(
        rows.loc["penalized likelihood ratio", ["statistic", "df", "p_value"]].astype(float),
        res.anova(3).frame.loc["C(g)", ["statistic", "df", "p_value"]],
        rtol=1e-10,
    )
    assert "likelihood ratio" not in rows.index
    limits = found.intervals.query("method == 'penalized profile likelihood'").set_index("coefficient")
    assert_allclose(limits.loc["C(g)[T.d]", ["conf_low", "conf_high"]].astype(float), res.conf_int().loc["C(g)[T.d]"])
    assert "C(g)[T.d]" in found.past_peak


def test_what_cannot_be_compared_is_refused():
    data = factor_data()
    res, smaller = (ls.logit(f, data).fit_firth() for f in ("y ~ x + C(g)", "y ~ x"))
    for other in (ls.logit("y ~ x", data).fit(), ls.logit("y ~ x", data).fit_firth(kind="median")):
        with pytest.raises(NotAvailableError):
            res.lr_test(other)
        with pytest.raises(NotAvailableError):
            other.lr_test(res)
    with pytest.raises(DataError, match="not nested"):
        res.lr_test(ls.logit("y ~ h", data).fit_firth())
    with pytest.raises(DataError, match="different rows"):
        res.lr_test(ls.logit("y ~ x", data[1:]).fit_firth())
    with pytest.raises(DataError, match="one inside the other"):
        smaller.lr_test(smaller)
    for test, type_ in (("score", 2), ("Wald", 1)):
        with pytest.raises(NotAvailableError, match="penalized likelihood ratio"):
            res.anova(type_, test=test)
