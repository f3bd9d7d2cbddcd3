"""Sample sizes against published examples, reference values, and simulation-free identities."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import integrate, stats

import logit_stats as ls
from logit_stats.errors import DataError, UnknownOptionError
from logit_stats.planning.effect import EffectDesign
from logit_stats.planning.prediction import largest_r2, r2_of_c_statistic

VALUES = json.loads(
    (Path(__file__).parent / "reference/values/family/birthwt_epidemiology.json").read_text(encoding="utf-8")
)["values"]["sample_size"]


@pytest.mark.parametrize("case", ["hsieh_continuous", "hsieh_continuous_with_covariates"])
def test_hsieh_continuous(case):
    v = VALUES[case]
    found = ls.sample_size(
        float(np.exp(v["log_odds_ratio_per_sd"])), probability=v["event_probability_at_mean"], power=v["power"],
        alpha=v["alpha"], r2_other=v["r2_with_other_covariates"],
    )  # fmt: skip
    assert found.n == v["n"]
    assert found.n_exact == pytest.approx(v["n_exact"], rel=1e-12)


def test_hsieh_binary():
    v = VALUES["hsieh_binary"]
    p0, p1 = v["event_probability_x0"], v["event_probability_x1"]
    found = ls.sample_size(
        p1 / (1 - p1) / (p0 / (1 - p0)), probability=p0, distribution="binary", share=v["share_x1"], power=v["power"]
    )
    assert found.n == v["n"]
    assert found.n_exact == pytest.approx(v["n_exact"], rel=1e-12)
    assert found.events == pytest.approx(v["n"] * (0.7 * p0 + 0.3 * p1))


def test_published_examples():
    # Hsieh, Bloch and Larsen (1998), sections 2 and 3
    assert ls.sample_size(float(np.exp(0.405)), probability=0.5, power=0.95).n == 317
    assert ls.sample_size(1.5, probability=0.4, distribution="binary", share=0.5, power=0.95).n == 1281
    # the help of pmsampsize
    assert ls.sample_size(parameters=24, prevalence=0.174, csrsquared=0.288).n == 662


@pytest.mark.parametrize("case", ["riley", "riley_shrinkage_0.8"])
def test_riley(case):
    v = VALUES[case]
    found = ls.sample_size(
        parameters=v["parameters"], prevalence=v["prevalence"], csrsquared=v["cox_snell_r2"], shrinkage=v["shrinkage"]
    )
    assert found.table["n"].tolist() == v["n_per_criterion"]
    exact = [v["criterion_1_shrinkage"], v["criterion_2_optimism"], v["criterion_3_with_1.96"]]
    np.testing.assert_allclose(found.table["n_exact"], exact, rtol=1e-12)
    np.testing.assert_allclose(found.table["shrinkage"][1], v["criterion_2_shrinkage_needed"], rtol=1e-12)
    assert found.design.nagelkerke == pytest.approx(v["nagelkerke"], rel=1e-12)
    assert (found.n, found.events) == (v["n"], v["events"])
    assert found.events_per_parameter == pytest.approx(v["events_per_parameter"])
    again = ls.sample_size(
        parameters=v["parameters"], prevalence=v["prevalence"], nagrsquared=v["nagelkerke"], shrinkage=v["shrinkage"]
    )
    assert again.n == found.n
    # the shrinkage to expect of so many observations is the one that asked for them
    assert found.design.expected_shrinkage(v["criterion_1_shrinkage"]) == pytest.approx(v["shrinkage"], rel=1e-9)


@pytest.mark.parametrize(("c", "share"), [(0.6, 0.3), (0.81, 0.174), (0.95, 0.5)])
def test_r2_of_a_c_statistic_is_the_integral(c, share):
    shift = np.sqrt(2) * stats.norm.ppf(c)

    def loglik(x):
        odds = np.log(share / (1 - share)) + shift * x - shift**2 / 2
        event, other = share * stats.norm.pdf(x - shift), (1 - share) * stats.norm.pdf(x)
        return -event * np.logaddexp(0, -odds) - other * np.logaddexp(0, odds)

    total = integrate.quad(loglik, -12, 14, epsabs=1e-13, epsrel=1e-12, limit=200)[0]
    null = share * np.log(share) + (1 - share) * np.log(1 - share)
    assert r2_of_c_statistic(c, share) == pytest.approx(1 - np.exp(-2 * (total - null)), rel=1e-9)
    assert 0 < r2_of_c_statistic(c, share) < largest_r2(share)


def test_demidenkos_variance_is_that_of_a_large_fit():
    """A fit to the quadrature's points as frequency weights has the variance that is planned with."""
    design = EffectDesign(0.3, method="demidenko")
    slope = np.log(1.5)
    x = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    p = 1 / (1 + np.exp(-(design.intercept + slope * x)))
    w = p * (1 - p)
    X = np.column_stack([np.ones_like(x), x])
    variance = np.linalg.inv((X * w[:, None]).T @ X / len(x))[1, 1]
    assert design.covariate.wald_variance(design.intercept, slope) == pytest.approx(variance, rel=1e-3)
    z = stats.norm.isf(0.025) + stats.norm.ppf(0.8)
    assert design.observations(1.5, 0.8) == pytest.approx(z**2 * variance / slope**2, rel=1e-3)


@pytest.mark.parametrize("method", ["hsieh", "demidenko"])
@pytest.mark.parametrize("kwds", [{}, {"distribution": "binary", "share": 0.2}])
def test_n_power_and_odds_ratio_find_each_other(method, kwds):
    found = ls.sample_size(1.7, probability=0.2, power=0.85, method=method, r2_other=0.2, **kwds)
    again = ls.sample_size(1.7, probability=0.2, n=found.n_exact, method=method, r2_other=0.2, **kwds)
    assert again.power == pytest.approx(0.85, abs=1e-12)
    third = ls.sample_size(n=found.n_exact, power=0.85, probability=0.2, method=method, r2_other=0.2, **kwds)
    assert third.odds_ratio == pytest.approx(1.7, rel=1e-9)
    # an effect of the other sign asks for as many observations of the other event
    turned = ls.sample_size(1 / 1.7, probability=0.8, power=0.85, method=method, r2_other=0.2, **kwds)
    assert turned.n_exact == pytest.approx(found.n_exact, rel=1e-9)


def test_more_observations_have_more_power_and_the_curve_says_so():
    found = ls.sample_size(1.5, probability=0.3, power=0.9)
    curve = found.curve([50, 305, 5000])
    assert curve["power"].is_monotonic_increasing
    assert curve["power"][1] == found.power
    assert found.curve()["n"].max() == 2 * found.n
    model = ls.sample_size(parameters=12, prevalence=0.25, csrsquared=0.12)
    assert model.curve()["shrinkage"].is_monotonic_increasing


@pytest.mark.parametrize(
    ("kwds", "words"),
    [
        ({"odds_ratio": 1.5}, "probability= is needed"),
        ({"odds_ratio": 1.0, "probability": 0.3}, "no effect"),
        ({"odds_ratio": -2, "probability": 0.3}, "above zero"),
        ({"odds_ratio": 1.5, "probability": 1.3}, "between 0 and 1"),
        ({"odds_ratio": 1.5, "probability": 0.3, "n": 10, "power": 0.8}, "leave one out"),
        ({"probability": 0.3}, "Give the odds_ratio"),
        ({"odds_ratio": 1.5, "probability": 0.3, "distribution": "binary"}, "share="),
        ({"odds_ratio": 1.5, "probability": 0.3, "distribution": "uniform"}, "demidenko"),
        ({"odds_ratio": "1.5", "probability": 0.3}, "must be a number"),
        ({"n": 3, "probability": 0.01, "power": 0.99}, "raise n"),
        ({"parameters": 3, "probability": 0.3}, "ask for one of them"),
        ({"parameters": 0, "prevalence": 0.3, "csrsquared": 0.1}, "1 or more"),
        ({"parameters": 3, "prevalence": 0.3}, "Give one of csrsquared"),
        ({"parameters": 3, "prevalence": 0.3, "csrsquared": 0.9}, "the largest with prevalence"),
        ({"parameters": 3, "prevalence": 0.3, "cstatistic": 0.4}, "between 0.5 and 1"),
        ({"parameters": 3, "csrsquared": 0.1}, "prevalence= is needed"),
    ],
)
def test_what_cannot_be_planned_is_said(kwds, words):
    with pytest.raises(DataError, match=words):
        ls.sample_size(**kwds)


def test_unknown_choices_are_named():
    with pytest.raises(UnknownOptionError, match="hsieh"):
        ls.sample_size(1.5, probability=0.3, method="whittemore")


def test_it_prints_in_80_columns_and_draws():
    effect = ls.sample_size(1.5, probability=0.3, power=0.9, r2_other=0.1)
    model = ls.sample_size(parameters=12, prevalence=0.25, cstatistic=0.7)
    for found in (effect, model):
        assert max(map(len, str(found).splitlines())) <= 80
        assert str(found.n) in repr(found).replace(",", "")
        assert "<pre>" in found._repr_html_()
        ax = found.plot()
        assert ax.get_xlabel() == "observations"
        plt.close(ax.figure)
