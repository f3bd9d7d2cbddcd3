"""Likelihood objects: outcomes and their derivatives, layouts of parameters, facts, rows that belong together."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import logit_stats as ls
from logit_stats.design.block import Block
from logit_stats.design.parameters import NOWHERE, Parameters
from logit_stats.design.row_numbers import RowNumbers
from logit_stats.errors import ConvergenceWarning, NotAvailableError
from logit_stats.estimation.likelihood import linear_predictor, moments, score, triangular_factor
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.inference.profile import Profile
from logit_stats.likelihoods.binomial import BINOMIAL
from logit_stats.likelihoods.conditional import CONDITIONAL
from logit_stats.likelihoods.demands import Forms
from logit_stats.likelihoods.facts import Facts
from logit_stats.likelihoods.likelihood import RowLikelihood, RowTerms
from logit_stats.likelihoods.multinomial import MULTINOMIAL
from logit_stats.likelihoods.null import NullModel
from logit_stats.likelihoods.rows import probability, variance
from logit_stats.likelihoods.working import centred_columns


def designs():
    birthwt = ls.datasets.load("birthwt")
    weights = np.random.default_rng(1).integers(1, 4, len(birthwt)).astype(float)
    return {
        "binary": ls.logit("low ~ age + lwt + C(race)", birthwt, offset=birthwt.smoke * 0.3).design,
        "weighted": ls.logit("low ~ age + lwt + C(race)", birthwt, freq_weights=weights).design,
        "grouped": ls.logit("ncases + ncontrols ~ C(agegp)", ls.datasets.load("esoph")).design,
        "categories": ls.mnlogit("partic ~ hincome + C(children)", ls.datasets.load("womenlf")).design,
    }


class Spelled(RowLikelihood):
    """The same likelihood by the general path: nothing but its row terms is its own."""

    name = "spelled out"

    def __init__(self, own):
        self.terms, self.outcomes, self.null, self.facts = own.terms, own.outcomes, own.null, own.facts


@pytest.mark.parametrize("name", ["binary", "weighted", "grouped", "categories"])
def test_the_general_path_sums_what_the_likelihoods_own_path_sums(name):
    design = designs()[name]
    own = MULTINOMIAL if name == "categories" else BINOMIAL
    general = replace(design, likelihood=Spelled(own))
    working = centred_columns(design)
    gamma = np.random.default_rng(0).normal(size=design.parameters.count) * 0.3
    one, other = moments(design, gamma, working), moments(general, gamma, working)
    np.testing.assert_allclose(other.loglik, one.loglik, rtol=1e-13)
    np.testing.assert_allclose(other.score, one.score, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(other.information, one.information, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(score(general, gamma, working).score, one.score, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(
        linear_predictor(general, gamma, working), linear_predictor(design, gamma, working), rtol=1e-12, atol=1e-13
    )
    for rows in (design, general):
        R = triangular_factor(rows, working, gamma)
        np.testing.assert_allclose(R.T @ R, one.information, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", ["binary", "grouped", "categories"])
def test_demands_are_let_down_exactly_where_the_likelihood_of_a_row_falls_for_ever(name):
    # the log-likelihood of a row along u is concave and never above zero: it falls for ever, or not at all in the end
    design = designs()[name]
    own = MULTINOMIAL if name == "categories" else BINOMIAL
    rng = np.random.default_rng(9)
    demands = own.demands(design)
    for _ in range(20):
        u = rng.choice([-1.0, 0.0, 0.5, 1.0], size=(design.equations, design.rows))
        far, farther = (own.terms(design.block, t * u).loglik for t in (1e3, 1e4))
        if isinstance(demands, Forms):
            kept = np.ones(design.rows, dtype=bool)
            forms = np.einsum("ij,ij->i", demands.patterns[demands.pattern], u.T[demands.row])
            np.logical_and.at(kept, demands.row, forms >= 0.0)
        else:
            kept = np.where(demands.sign == 0.0, u[0] == 0.0, demands.sign * u[0] >= 0.0)
        assert kept.any()
        assert not kept.all()
        np.testing.assert_array_equal(farther > far - 1.0, kept)


def test_pairs_of_matched_sets_are_let_down_exactly_where_the_likelihood_falls_for_ever():
    rng = np.random.default_rng(4)
    data = {"y": np.tile([1.0, 0.0, 0.0, 1.0], 12), "x": rng.normal(size=48), "s": np.repeat(np.arange(12), 4)}
    design = ls.clogit("y ~ x", data, groups="s").design
    pairs = CONDITIONAL.demands(design)
    sets = np.asarray(data["s"])
    assert len(pairs.ahead) == 12 * 4
    held, fallen = 0, 0
    for _ in range(20):
        u = rng.choice([0.0, 1.0, 2.0], size=48) + 1.0 * np.asarray(data["y"])
        far, farther = (CONDITIONAL.set_terms(design, t * u).loglik for t in (1e3, 1e4))
        kept = np.ones(12, dtype=bool)
        np.logical_and.at(kept, sets[pairs.ahead], u[pairs.ahead] >= u[pairs.behind])
        np.testing.assert_array_equal(farther > far - 1.0, kept)
        held, fallen = held + kept.sum(), fallen + (~kept).sum()
    assert held
    assert fallen


@pytest.mark.parametrize("name", ["binary", "categories"])
def test_outcomes_move_with_the_predictors_as_their_derivatives_say(name):
    design = designs()[name]
    own = MULTINOMIAL if name == "categories" else BINOMIAL
    rng = np.random.default_rng(3)
    eta = rng.normal(size=(design.equations, 40)) * 2.0
    here, h = own.outcomes(eta, design), 1e-6
    np.testing.assert_allclose(here.prob + here.complement, 1.0, rtol=1e-15)
    if name == "categories":
        np.testing.assert_allclose(here.prob.sum(axis=0), 1.0, rtol=1e-15)
        np.testing.assert_allclose(here.first.sum(axis=0), 0.0, atol=1e-15)
    for f in range(design.equations):
        up, down = eta.copy(), eta.copy()
        up[f] += h
        down[f] -= h
        high, low = own.outcomes(up, design), own.outcomes(down, design)
        np.testing.assert_allclose((high.prob - low.prob) / (2 * h), here.first[:, f], atol=1e-9)
        np.testing.assert_allclose((high.first - low.first) / (2 * h), here.second()[:, :, f], atol=1e-9)


@pytest.mark.parametrize("eta", [40.0, 300.0, -300.0])
def test_outcomes_keep_their_digits_where_one_is_nearly_certain(eta):
    design = designs()["categories"]
    here = MULTINOMIAL.outcomes(np.array([[eta], [eta - 2.0]]), design)
    assert (here.prob > 0).all() or eta == 300.0
    largest = max(eta, 0.0)
    np.testing.assert_allclose(here.prob[1], np.exp(eta - largest) / (1 + np.exp(-2.0) if eta > 0 else 1.0), rtol=1e-12)
    by_own = here.first[1, 0]
    np.testing.assert_allclose(by_own, here.prob[1] * here.complement[1], rtol=1e-13)


def test_a_fit_hands_out_the_outcomes_of_rows():
    df = ls.datasets.load("birthwt")
    res = ls.logit("low ~ age + lwt", df).fit()
    out = res.fit_.outcomes(res.fit_.eta)
    assert out.prob.shape == (1, len(df))
    assert out.first.shape == (1, 1, len(df))
    np.testing.assert_allclose(out.prob[0], res.predict(), rtol=1e-14)
    several = ls.mnlogit("partic ~ hincome", ls.datasets.load("womenlf")).fit()
    np.testing.assert_allclose(several.fit_.outcomes(several.fit_.eta).prob.T, several.predict(), rtol=1e-13)


def test_equations_share_parameters_where_the_layout_says_so():
    # two thresholds, a slope shared, a slope of the second equation alone, an ancillary parameter
    slots = np.array([[0, 2, NOWHERE], [1, 2, 3]])
    layout = Parameters(("a1", "a2", "b", "c2", "sigma"), slots, ("1", "2"), ancillary=1)
    theta = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    table = layout.table(theta)
    np.testing.assert_array_equal(table, [[1.0, 3.0, 0.0], [2.0, 3.0, 4.0]])
    rng = np.random.default_rng(0)
    weight, Z = rng.normal(size=(2, 2, 7)), rng.normal(size=(7, 3))
    weight = weight + weight.transpose(1, 0, 2)
    # the derivative of table @ z by theta, written out
    D = np.zeros((7, 2, 5))
    for e in range(2):
        for j in range(3):
            if slots[e, j] != NOWHERE:
                D[:, e, slots[e, j]] += Z[:, j]
    dense = np.einsum("nei,efn,nfj->ij", D, weight, D)
    of_tables = np.einsum("ni,efn,nj->eifj", Z, weight, Z)
    np.testing.assert_allclose(layout.gathered_twice(of_tables), dense, atol=1e-12)
    u = rng.normal(size=(2, 7))
    np.testing.assert_allclose(layout.gathered(u @ Z), np.einsum("en,nei->i", u, D), atol=1e-12)
    assert layout.of_columns((0, 1)) == (0, 2, 1)  # equation by equation


def test_working_columns_leave_predictors_alone_under_any_layout():
    birthwt = ls.datasets.load("birthwt")
    layout = Parameters(("x", "a", "b", "z2"), np.array([[1, 0, NOWHERE], [2, 0, 3]]), ("1", "2"))

    class Shared(RowLikelihood):
        name = "shared slopes"

        def parameters(self, design):
            return layout

    design = replace(ls.logit("low ~ age + lwt", birthwt).design, likelihood=Shared())
    assert design.equations == 2
    assert design.coefficient_names == layout.names
    working = centred_columns(design)
    beta = np.array([0.3, -2.0, 1.0, 0.01])
    gamma = working.gamma(beta)
    np.testing.assert_allclose(working.beta(gamma), beta, rtol=1e-12)
    eta = linear_predictor(design, gamma, working)
    np.testing.assert_allclose(eta, np.asarray(design.X) @ layout.table(beta).T, rtol=1e-11)
    V = np.diag([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(working.standard_errors(V), np.sqrt(np.diag(working.covariance(V))), rtol=1e-12)


@pytest.mark.parametrize("rows", [1, 3, 4, 100])
def test_blocks_never_cut_a_group_apart(rows):
    design = designs()["binary"]
    group = np.repeat(np.arange(60), np.random.default_rng(5).integers(1, 7, 60))[: design.rows]
    together = replace(design, group=group)
    blocks = list(together.blocks(rows, whole="group"))
    np.testing.assert_array_equal(np.concatenate([block.group for block in blocks]), group)
    seen = [set(block.group.tolist()) for block in blocks]
    assert all(not (one & other) for one, other in itertools.pairwise(seen))
    np.testing.assert_array_equal(
        together.each(lambda block: block.successes, rows, "group"), design.response.successes
    )
    sizes = np.bincount(group)
    assert max(len(block.successes) for block in blocks) <= max(rows, sizes.max())


def test_a_group_travels_with_its_rows():
    design = designs()["binary"]
    group = np.arange(design.rows) // 3
    part = replace(design, group=group).at(np.array([5, 4, 9]))
    np.testing.assert_array_equal(part.group, [1, 1, 3])
    block = Block(np.zeros((4, 1)), np.zeros(4), group=np.array([0, 0, 1, 1])).at(slice(1, 3))
    np.testing.assert_array_equal(block.group, [0, 1])


def test_facts_say_what_is_missing_why_and_what_can_be_had():
    Facts().require(
        "Everything", "likelihood", "maximum", "finite", "wald", "binary", "rows", "converged", "unconstrained"
    )
    for fact, value in [
        (name, False) for name in ("likelihood", "maximum", "finite", "wald", "binary", "rows", "converged")
    ]:
        with pytest.raises(NotAvailableError, match=r"^The thing .*(;|,).*\.$"):
            replace(Facts(), **{fact: value}).require("The thing", fact)
    with pytest.raises(NotAvailableError, match="without the constraints"):
        Facts(constrained=True).require("The thing", "unconstrained")
    with pytest.raises(NotAvailableError, match="dispersion"):
        Facts(dispersion=2.0).require("The thing", "undispersed")
    with pytest.raises(NotAvailableError, match=r"The thing is not for cats\."):
        Facts().but({"wald": "is not for cats"}, wald=False).require("The thing", "wald")


def test_fits_know_their_facts():
    df = ls.datasets.load("birthwt")
    model = ls.logit("low ~ age + lwt + smoke", df)
    assert model.fit().fit_.facts == Facts()
    assert not model.fit_firth().fit_.facts.maximum
    assert not model.fit_firth(kind="median").fit_.facts.maximum
    assert not model.fit_firth().flac().fit_.facts.maximum
    assert not model.fit_limit().fit_.facts.finite
    assert model.fit_constrained("age = lwt").fit_.facts.constrained
    sampled = ls.logit("low ~ age", df, sampling_weights=np.full(len(df), 2.0)).fit().fit_.facts
    with pytest.raises(NotAvailableError, match="sampling weights"):
        sampled.require("A profile", "likelihood")
    assert not ls.mnlogit("partic ~ hincome", ls.datasets.load("womenlf")).fit().fit_.facts.binary
    assert not model.fit().remove_data().fit_.facts.rows
    with pytest.warns(ConvergenceWarning):
        stopped = model.fit(maxiter=1).fit_.facts
    with pytest.raises(NotAvailableError, match="has not converged"):
        stopped.require("A profile", "converged")


def test_a_fit_pickled_before_there_were_facts_keeps_them():
    fit = ls.logit("low ~ age", ls.datasets.load("birthwt")).fit_firth().fit_
    state = {name: value for name, value in fit.__dict__.items() if name not in ("maximum", "facts")}
    old = object.__new__(type(fit))
    old.__setstate__(state)
    assert not old.facts.maximum


class Cumulative(RowLikelihood):
    """Proportional odds in thirty lines: ``P(Y > c) = 1 / (1 + exp(-a_c - x'b))``, slopes shared, constants not."""

    name = "proportional odds"

    def parameters(self, design):
        equations = design.response.equations
        slopes = [j for j in range(design.columns) if j != design.constant]
        slots = np.full((len(equations), design.columns), NOWHERE, dtype=np.intp)
        slots[:, slopes] = np.arange(len(slopes))
        slots[:, design.constant] = len(slopes) + np.arange(len(equations))
        return Parameters((*(design.names[j] for j in slopes), *(f"from {e}" for e in equations)), slots, equations)

    def terms(self, block, eta):
        E, m = eta.shape
        rows, y = np.arange(m), block.category
        a = np.where(y > 0, eta[np.maximum(y - 1, 0), rows], np.inf)
        b = np.where(y < E, eta[np.minimum(y, E - 1), rows], -np.inf)
        apart = a - b
        q, r = 1.0 / np.expm1(apart), 1.0 / (np.expm1(apart) * -np.expm1(-apart))
        loglik = -np.log1p(np.exp(-a)) - np.log1p(np.exp(b)) + np.log(-np.expm1(-apart))
        own = [(y - 1 == e, y == e) for e in range(E)]
        residual = np.array([above * (probability(-a) + q) - below * (probability(b) + q) for above, below in own])

        def weight(e, f):
            if e == f:
                return own[e][0] * (variance(a) + r) + own[e][1] * (variance(b) + r)
            return -r * (own[e][0] & own[f][1] | own[e][1] & own[f][0])

        return RowTerms(loglik, residual, weight)

    def outcomes(self, eta, design):
        raise NotImplementedError

    def null(self, design, constant_in_span):
        counts = design.response.categories.counts(None)
        beyond = counts[::-1].cumsum()[::-1][1:]
        logits = np.log(beyond) - np.log(counts.sum() - beyond)
        loglik = float(counts @ np.log(counts / counts.sum()))
        return NullModel("intercept", 0.0, loglik, tuple(logits.tolist()))


def test_a_likelihood_whose_equations_share_slopes_is_fitted_by_what_is_there():
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    rng = np.random.default_rng(8)
    x, year = rng.normal(size=300), rng.integers(1990, 2021, 300).astype(float)
    latent = 0.7 * x + 0.05 * (year - 2005) + rng.logistic(size=300)
    data = {"x": x, "year": year, "y": np.digitize(latent, [-1.0, 0.3, 1.5])}
    design = replace(ls.mnlogit("y ~ x + year", data).design, likelihood=Cumulative())
    fit = maximum_likelihood(design)
    peer = OrderedModel(data["y"], np.column_stack([x, year - 2005.0]), distr="logit").fit(
        method="newton", disp=0, tol=1e-14, maxiter=100
    )
    assert fit.converged
    assert fit.design.coefficient_names == ("x", "year", "from 1", "from 2", "from 3")
    np.testing.assert_allclose(fit.loglik, peer.llf, rtol=1e-12)
    np.testing.assert_allclose(fit.beta[:2], peer.params[:2], rtol=1e-7)
    cuts = peer.model.transform_threshold_params(peer.params)[1:-1]
    np.testing.assert_allclose(-fit.beta[2:] - 2005.0 * fit.beta[1], cuts, rtol=1e-6)
    np.testing.assert_allclose(fit.standard_errors[:2], peer.bse[:2], rtol=1e-5)
    np.testing.assert_allclose(np.sqrt(fit.covariance.diagonal()), fit.standard_errors, rtol=1e-9)
    # limits of the profile are where the likelihood has fallen by half the quantile
    low, high = Profile(fit).interval(1)
    for limit in (low, high):
        held = replace(design, offset=RowNumbers("offset", None, limit * (year - 2005.0))).with_columns([0, 1], ())
        fall = 2.0 * (fit.loglik - maximum_likelihood(held).loglik)
        np.testing.assert_allclose(fall, 3.841458820694124, rtol=1e-8)
    assert low < fit.beta[1] < high
