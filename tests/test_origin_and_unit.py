"""No answer from a likelihood depends on the origin or the unit of a column, nor on where a search for it began."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import NotAvailableError, RankDeficientError
from logit_stats.estimation.firth import maximise_penalized
from logit_stats.estimation.likelihood import moments
from logit_stats.estimation.newton import constrained_maximum
from logit_stats.inference.penalized import PenalizedProfile
from logit_stats.inference.profile import HeldWalk, Profile
from logit_stats.likelihoods.working import directions_along

# mean and standard deviation of columns as they come
COLUMNS = {
    "year": (2005.0, 9.0),
    "birth year": (1955.0, 15.0),
    "pH": (7.4, 0.05),
    "temperature": (37.0, 0.6),
    "kelvin": (293.0, 5.0),
    "latitude": (51.0, 0.5),
    "seconds": (1.6e9, 1e7),
}


def drawn(kind: str, seed: int, rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    mean, sd = COLUMNS[kind]
    u, z = rng.normal(size=rows), rng.normal(size=rows)
    # the raw column is made first, so that the standard one is what its digits say
    raw = mean + sd * u
    return pd.DataFrame(
        {
            "raw": raw,
            "standard": (raw - mean) / sd,
            "z": z,
            "y": (rng.random(rows) < 1 / (1 + np.exp(-0.4 * u - 0.5 * z))).astype(int),
            "m": np.array(list("abc"))[(u + 1.5 * rng.normal(size=rows) > 0).astype(int) + (rng.random(rows) < 0.3)],
        }
    )


def p_values_and_limits(df: pd.DataFrame, column: str, sd: float) -> dict[str, np.ndarray]:
    """Everything that a likelihood says of the two slopes, limits in units of the standard column."""
    model, unit = ls.logit(f"y ~ {column} + z", df), np.array([sd, 1.0])
    limit, firth = model.fit_limit(), model.fit_firth()
    several = ls.mnlogit(f"m ~ {column} + z", df).fit()

    def slopes(values):
        return np.asarray(values)[1:]

    return {
        "profile": slopes(model.fit().conf_int(method="profile")) * unit[:, None],
        "limit p": slopes(limit.pvalues),
        "limit": slopes(limit.conf_int()) * unit[:, None],
        "firth": slopes(firth.params) * unit,
        "firth p": slopes(firth.pvalues),
        "firth limits": slopes(firth.conf_int()) * unit[:, None],
        "flac p": slopes(firth.flac().pvalues),
        "flac": slopes(firth.flac().conf_int()) * unit[:, None],
        "several": np.asarray(several.conf_int(method="profile")).reshape(2, 3, 2)[:, 1:] * unit[:, None],
    }


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("seed", range(3))
def test_likelihood_answers_do_not_depend_on_origin_and_unit(kind, seed):
    df, sd = drawn(kind, seed), COLUMNS[kind][1]
    raw, standard = p_values_and_limits(df, "raw", sd), p_values_and_limits(df, "standard", 1.0)
    for name, value in standard.items():
        assert_allclose(raw[name], value, rtol=1e-6, atol=1e-7, err_msg=f"{name} of {kind}")


def test_limits_of_a_year_are_where_the_likelihood_has_fallen():
    # a limit is where a fit with the slope held in the offset is less likely by half the quantile
    df = drawn("year", 1)
    res = ls.logit("y ~ raw + z", df).fit()
    for limit in res.conf_int(method="profile").loc["raw"]:
        held = ls.logit("y ~ z", df.assign(known=limit * (df["raw"] - 2005.0)), offset="known").fit()
        assert_allclose(2.0 * (res.llf - held.llf), 3.841458820694124, rtol=1e-7)
    without = ls.logit("y ~ z", df).fit()
    assert_allclose(ls.logit("y ~ raw + z", df).fit_limit().pvalues["raw"], res.lr_test(without).pvalue, rtol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_limits_of_an_interaction_are_where_the_likelihood_has_fallen(seed):
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({"age": rng.integers(18, 80, 30), "g": rng.choice(["a", "b"], 30)})
    df["y"] = (rng.random(30) < 1 / (1 + np.exp(-(df["age"] - 50) / 30))).astype(int)
    res = ls.logit("y ~ age * g", df).fit()
    X = np.asarray(res.model.exog)
    for j, row in enumerate(np.asarray(res.conf_int(method="profile"))):
        for limit in row:
            held = ls.Logit(df["y"].to_numpy(), np.delete(X, j, axis=1), offset=limit * X[:, j]).fit()
            assert_allclose(2.0 * (res.llf - held.llf), 3.841458820694124, rtol=1e-6)


def test_a_climb_that_was_given_up_is_no_maximum(monkeypatch):
    df = drawn("year", 0)
    fit = ls.logit("y ~ raw + z", df).fit().fit_
    a = fit.working.matrix(3)[1]
    place = constrained_maximum(fit.design, fit.working, fit.gamma, directions_along(a))
    assert place.converged
    monkeypatch.setattr("logit_stats.estimation.newton.CONSTRAINED_STEPS", 0)
    # no step is allowed, so that nothing but the maximum itself is one
    with pytest.raises(NotAvailableError, match="could not be maximised"):
        Profile(fit).interval(1)
    with pytest.raises(NotAvailableError, match="could not be maximised"):
        HeldWalk(fit.design, fit.working, a, fit.gamma, fit.information_working).loglik_at(0.0)


def fraud() -> pd.DataFrame:
    state = np.random.RandomState(42)
    honest = state.normal(loc=[100, 12, 5], scale=[20, 4, 2], size=(100, 3))
    false = state.normal(loc=[200, 3, 50], scale=[100, 5, 20], size=(20, 3))
    return pd.DataFrame(np.vstack([honest, false]), columns=["amount", "time", "distance"]).assign(
        fraud=[0] * 100 + [1] * 20
    )


def test_firth_leaves_a_lower_maximum():
    # mpmath at 40 digits has both as roots of the modified score; 60 random starts find no third
    df = fraud()
    model = ls.logit("fraud ~ amount + time + distance", df)
    res = model.fit_firth()
    assert_allclose(res.params, [-2.4672, -0.004694, -0.312895, 0.167006], rtol=2e-4)
    assert_allclose(res.pvalues["amount"], 0.790, atol=5e-4)
    assert (res.penalized_lr >= 0.0).all()
    assert "lower maximum" in res.trace.note
    # where the lower one is given as the answer, it is not believed
    design, working = res.fit_.design, res.fit_.working
    lower, converged, _ = maximise_penalized(
        design, working, working.gamma(np.array([-11.6289, 0.0464, 0.0986, 0.1403]))
    )
    assert converged
    assert lower.penalized_loglik < res.point_.penalized_loglik - 0.1
    with pytest.raises(NotAvailableError, match=r"start_params=\["):
        PenalizedProfile(design, working, lower, True).statistics()


@pytest.mark.parametrize("seed", range(12))
def test_firth_ends_where_a_row_has_leverage_one(seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, 40)
    df = pd.DataFrame({"y": y, "g": ["a"] * 20 + ["b"] * 19 + ["c"]})
    res = ls.logit("y ~ g", df).fit_firth()

    def log_odds(part):
        return np.log((part.sum() + 0.5) / (len(part) - part.sum() + 0.5))

    exact = np.array([log_odds(y[:20]), log_odds(y[20:39]), log_odds(y[39:])])
    assert_allclose(res.params, [exact[0], exact[1] - exact[0], exact[2] - exact[0]], atol=1e-11)
    assert len(res.trace.steps) < 40


def test_a_step_is_not_refused_for_the_rounding_of_the_likelihood():
    # large coefficients cancel in the linear predictor: the log-likelihood is rough, its gradient is not
    rng = np.random.default_rng(11)
    x, z, o = rng.normal(size=(3, 300))
    y = (rng.random(300) < 1 / (1 + np.exp(-0.3 - 0.8 * x))).astype(int)
    for share in (1e-5, 1e-6, 1e-7, 3e-8):
        df = pd.DataFrame({"x": x, "z": z, "near": x + z + share * o, "y": y})
        res = ls.logit("y ~ x + z + near", df).fit()
        assert res.converged
        assert len(res.trace.steps) < 20
        here = moments(res.fit_.design, res.fit_.gamma, res.fit_.working)
        assert here.loglik >= res.llf - 1e-9


@pytest.mark.parametrize(
    "formula", ["y ~ start + end + duration", "y ~ duration + start + end", "y ~ end + duration + start"]
)
@pytest.mark.parametrize("longest", [7200.0, 86400.0, 5e6])
@pytest.mark.parametrize("seed", range(4))
def test_a_duration_between_two_times_depends_on_them(formula, longest, seed):
    rng = np.random.default_rng(seed)
    start, duration = 1.6e9 + rng.uniform(0, 3e7, 200), rng.uniform(60, longest, 200)
    df = pd.DataFrame({"start": start, "end": start + duration, "duration": duration, "y": rng.integers(0, 2, 200)})
    with pytest.raises(RankDeficientError, match=r"= [-+]?1\*"):
        ls.logit(formula, df).fit()
    # two of the three are a model, the same whichever they are
    llf = [ls.logit(f"y ~ {two}", df).fit().llf for two in ("start + end", "start + duration", "end + duration")]
    assert_allclose(llf, llf[0], rtol=1e-9)
