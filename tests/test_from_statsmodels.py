"""Scripts written for statsmodels: what they call and read is there, and means the same."""

from __future__ import annotations

import io
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose, assert_array_equal

import logit_stats as ls
import logit_stats.api as ours
import logit_stats.formula.api as formulas
from logit_stats.accepted import UnknownArgumentError
from logit_stats.errors import DataError, RankDeficientError, ShrunkErrorsWarning, UnknownOptionError

FORMULA = "low ~ age + lwt + smoke"


@pytest.fixture(scope="module")
def data():
    return ls.datasets.load("birthwt")


@pytest.fixture(scope="module")
def pair(data):
    return formulas.logit(FORMULA, data).fit(disp=0), smf.logit(FORMULA, data).fit(disp=0, tol=1e-12)


def test_the_two_import_lines():
    spector = ours.datasets.spector.load_pandas()
    theirs = sm.datasets.spector.load_pandas()
    assert_allclose(spector.exog, theirs.exog)
    assert_allclose(spector.endog, theirs.endog)
    X = ours.add_constant(spector.exog, prepend=False)
    assert_allclose(
        ours.Logit(spector.endog, X).fit(disp=0).params, sm.Logit(theirs.endog, X).fit(disp=0).params, rtol=1e-5
    )
    for module, name in ((ours, "OLS"), (formulas, "ols"), (ours.datasets, "longley")):
        with pytest.raises(AttributeError, match=name):
            getattr(module, name)
    assert not hasattr(ours, "__path__")


def test_gee_as_statsmodels_calls_it(data):
    family, structure = ours.families.Binomial(), ours.cov_struct.Exchangeable()
    res = formulas.gee(FORMULA, "race", data, cov_struct=structure, family=family).fit()
    theirs = smf.gee(
        FORMULA, "race", data, cov_struct=sm.cov_struct.Exchangeable(), family=sm.families.Binomial()
    ).fit()
    assert_allclose(res.params, theirs.params, rtol=1e-4)
    with pytest.raises(UnknownOptionError, match="Gaussian"):
        formulas.gee(FORMULA, "race", data)


def test_arguments_that_have_nothing_to_do(data, pair):
    model, plain = formulas.logit(FORMULA, data), pair[0]
    res = model.fit(full_output=True, retall=0, warn_convergence=False, skip_hessian=True, gtol=1e-3, disp=0)
    assert_array_equal(res.params, plain.params)
    assert_allclose(
        model.fit(method="minimize", min_method="Nelder-Mead", maxiter=5000, disp=0).params, plain.params, rtol=1e-3
    )
    assert_allclose(
        model.fit(method="basinhopping", seed=np.random.RandomState(1), niter=2).params, plain.params, rtol=1e-5
    )
    with pytest.raises(UnknownArgumentError, match="did you mean 'maxiter'"):
        model.fit(maxitr=3)
    with pytest.raises(TypeError):
        model.fit(maxitr=3)
    assert plain.wald_test("age", scalar=True).statistic == plain.wald_test("age", scalar=False).statistic
    for name in ("hc0", "Hac"):
        assert_array_equal(model.fit(cov_type=name, cov_kwds={"maxlags": 1} if name == "Hac" else None).bse,
                           plain.with_cov(name.upper(), **({"maxlags": 1} if name == "Hac" else {})).bse)  # fmt: skip


def test_models_are_made_as_in_statsmodels(data):
    y, X = data["low"], ours.add_constant(data[["age", "lwt"]])
    offset = np.linspace(0, 1, len(y))
    assert_allclose(
        ours.Logit(y, X, offset, hasconst=True).fit().params, sm.Logit(y, X, offset).fit(disp=0).params, rtol=1e-5
    )
    mask = data["age"] > 20
    assert_allclose(
        formulas.logit(FORMULA, data, mask).fit().params, smf.logit(FORMULA, data, mask).fit(disp=0).params, rtol=1e-5
    )
    res, theirs = (m.logit(FORMULA, data, drop_cols=["lwt"]).fit(disp=0) for m in (formulas, smf))
    assert_allclose(res.params, theirs.params, rtol=1e-5)
    assert_allclose(res.predict(data.head()), theirs.predict(data.head()), rtol=1e-5)
    with pytest.raises(DataError, match="no column 'nothing'"):
        formulas.logit(FORMULA, data, drop_cols=["nothing"])
    shift = 3.0  # seen by the formula from here, and with eval_env=-1 not
    assert formulas.logit("low ~ I(age + shift)", data).fit().converged
    assert shift
    with pytest.raises(ls.errors.MissingColumnError):
        formulas.logit("low ~ I(age + shift)", data, eval_env=-1)


def test_names_read_off_models_and_results(pair):
    res, theirs = pair
    assert_allclose(res.normalized_cov_params, theirs.normalized_cov_params, rtol=1e-5)
    assert res.mle_settings["optimizer"] == theirs.mle_settings["optimizer"] == "newton"
    assert {"fopt", "iterations", "converged", "gopt", "fcalls", "warnflag"} <= set(res.mle_retvals)
    assert res.k_constant == res.model.k_constant == theirs.model.k_constant == 1
    assert res.scale == theirs.scale
    assert isinstance(res.nobs, int)
    assert list(range(res.nobs))[-1] == 188
    assert f"{res.nobs:d}" == "189"
    for name in ("llf", "llnull", "llr", "llr_pvalue", "prsquared", "aic", "bic"):
        assert_allclose(getattr(res, name).round(3), np.round(getattr(theirs, name), 3))
    pd.testing.assert_frame_equal(res.model.data.frame, theirs.model.data.frame)
    assert res.model.data.xnames == theirs.model.data.xnames
    assert_allclose(res.model.data.orig_exog, theirs.model.data.orig_exog)
    assert_allclose(res.model.cdf(0.3), theirs.model.cdf(0.3))
    assert_allclose(res.model.pdf(0.3), theirs.model.pdf(0.3))
    assert type(res.model.family) is type(theirs.model.family)
    assert type(res.model.link) is type(theirs.model.link)
    assert_allclose(res.model.get_distribution(res.params).var(), res.predict(which="var"))
    assert_allclose(res.im_ratio, theirs.im_ratio, rtol=1e-4, atol=1e-6)
    for crit in ("AIC", "bic"):
        assert_allclose(res.info_criteria(crit, 1), theirs.info_criteria(crit.lower(), 1), rtol=1e-8)
    with pytest.raises(AttributeError, match="fit_constrained"):
        getattr(res, "constraints")  # noqa: B009


def test_tests_of_hypotheses(pair, data):
    res, theirs = pair
    V = 2.0 * np.asarray(theirs.cov_params())
    assert_allclose(res.t_test("age", cov_p=V).sd, np.ravel(theirs.t_test("age", cov_p=V).sd), rtol=1e-5)
    assert_allclose(
        res.wald_test("age, lwt", cov_p=V).statistic,
        theirs.wald_test("age, lwt", cov_p=V, scalar=True).statistic,
        rtol=1e-4,
    )
    with pytest.raises(DataError, match="symmetric"):
        res.t_test("age", cov_p=np.eye(2))
    statistic, p = res.score_test(exog_extra=data[["ht"]].to_numpy())
    its = theirs.score_test(exog_extra=data[["ht"]].to_numpy())
    assert_allclose([statistic, p], [np.ravel(its[0])[0], np.ravel(its[1])[0]], rtol=1e-5)
    assert_allclose(
        res.wald_test_terms(scalar=True).table["statistic"],
        np.ravel(theirs.wald_test_terms(scalar=True).table["statistic"]),
        rtol=1e-5,
    )
    by_race, its = (m.logit("low ~ age + C(race)", data).fit(disp=0) for m in (formulas, smf))
    ours_pairs, their_pairs = by_race.t_test_pairwise("C(race)", method="hs"), its.t_test_pairwise("C(race)")
    assert_allclose(ours_pairs.result_frame["pvalue-hs"], their_pairs.result_frame["pvalue-hs"], rtol=1e-5)


def test_predictions(pair, data):
    res, theirs = pair
    X = res.model.exog[:3]
    assert_allclose(res.predict(X, transform=False), theirs.predict(X, transform=False), rtol=1e-6)
    new = data.head(3)
    for which in ("mean", "linear"):
        found, its = (r.get_prediction(new, which=which) for r in (res, theirs))
        assert_allclose(found.predicted, its.predicted, rtol=1e-5)
        assert_allclose(found.se, its.se, rtol=1e-5)
    assert_allclose(
        res.get_prediction(new, which="linear").conf_int(),
        theirs.get_prediction(new, which="linear").conf_int(),
        rtol=1e-5,
    )
    assert res.get_prediction(new, row_labels=list("abc")).summary_frame().index.tolist() == list("abc")
    average = theirs.get_prediction(average=True)
    assert_allclose([res.get_prediction(average=True).estimate, res.get_prediction(average=True).std_error],
                    [average.predicted.item(), average.se.item()], rtol=1e-5)  # fmt: skip


def test_constrained_fits(data):
    model, its = formulas.logit(FORMULA, data), smf.glm(FORMULA, data, family=sm.families.Binomial())
    res = model.fit_constrained("age = 0.1 * lwt", method="bfgs", start_params=[0.0, 0.1, 1.0, 0.0], disp=0)
    theirs = its.fit_constrained("age = 0.1 * lwt")
    assert_allclose(res.params, theirs.params, rtol=1e-4)
    assert_allclose(res.constraints.coefs, np.asarray(theirs.constraints.coefs))
    assert res.k_constr == 1
    scaled = model.fit_constrained("age = 0", cov_type="HC0", cov_kwds={"scaling_factor": 4.0})
    assert_allclose(scaled.bse, 2.0 * model.fit_constrained("age = 0", cov_type="HC0").bse)
    smaller = smf.logit("low ~ lwt + smoke", data).fit(disp=0, cov_type="HC0")
    assert_allclose(scaled.bse[["Intercept", "lwt", "smoke"]], 2.0 * smaller.bse, rtol=1e-5)


def test_degrees_of_freedom_of_clusters(data):
    kwds = {"groups": data["race"].astype("category").cat.codes, "df_correction": True}
    res, theirs = (
        m.logit(FORMULA, data).fit(disp=0, cov_type="cluster", cov_kwds=kwds, use_t=True) for m in (formulas, smf)
    )
    assert_allclose(res.pvalues, theirs.pvalues, rtol=1e-4)


@pytest.mark.parametrize("alpha", [1.0, 8.0, 0.0])
def test_l1_fits(data, alpha):
    y, X = data["low"], sm.add_constant(data[["age", "lwt", "smoke", "ht"]])
    strengths = alpha * np.array([0.0, 1.0, 1.0, 1.0, 1.0])
    res = ours.Logit(y, X).fit_regularized(method="l1", alpha=strengths, disp=0, acc=1e-10, trim_mode="auto")
    with np.errstate(all="ignore"):  # statsmodels' steps are long
        theirs = sm.Logit(y, X).fit_regularized(
            method="l1", alpha=strengths, disp=0, acc=1e-12, maxiter=5000, trim_mode="auto", auto_trim_tol=0.003
        )
    assert_array_equal(res.trimmed, theirs.trimmed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShrunkErrorsWarning)
        for name in ("params", "bse", "tvalues", "aic", "bic", "prsquared", "llf", "llnull", "llr", "nobs", "df_model",
                     "df_resid", "nnz_params", "fittedvalues", "resid_response"):  # fmt: skip
            assert_allclose(getattr(res, name), getattr(theirs, name), rtol=2e-3, atol=2e-4, err_msg=name)
        assert_allclose(res.conf_int(), theirs.conf_int(), rtol=2e-3, atol=2e-3)
        assert_allclose(res.cov_params(), theirs.cov_params(), rtol=2e-3, atol=1e-3)
    assert_array_equal(res.pred_table(), theirs.pred_table())
    assert "converged" in res.mle_retvals
    assert "Notes" in str(res.summary())


def test_errors_of_shrunk_estimates_come_with_a_warning(data):
    model = formulas.logit(FORMULA, data)
    res = model.fit_regularized("l1", alpha=1.0)
    with pytest.warns(ShrunkErrorsWarning, match="too small"):
        res.cov_params()
    with pytest.raises(ls.errors.NotAvailableError, match="shrunk"):
        model.fit_regularized(alpha=0.05).cov_params()
    assert_allclose(model.fit_regularized(alpha=0.0).bse, model.fit().bse, rtol=1e-6)


def test_cooks_distance_is_statsmodels_pair_and_an_array(pair):
    found, theirs = (r.get_influence() for r in pair)
    distances, p = found.cooks_distance
    assert_allclose(distances, theirs.cooks_distance[0], rtol=1e-5)
    assert_allclose(p, theirs.cooks_distance[1], rtol=1e-5)
    c = found.cooks_distance
    assert_array_equal(c[0], distances)
    assert (c[0] > 4 / len(c[0])).sum() == (c > 4 / len(c)).sum() == 4
    assert c.max() == distances.max()
    assert c.argmax() == distances.argmax()
    assert c[2] == distances[2]
    for made in (c + 0.0, c[1:3], c[c > 0.01], np.log(c)):
        assert type(made) is np.ndarray
    assert_array_equal(pickle.loads(pickle.dumps(c))[0], distances)
    for name in ("d_params", "d_fittedvalues", "d_fittedvalues_scaled", "resid", "dfbetas", "hat_matrix_diag"):
        assert_allclose(getattr(found, name), getattr(theirs, name), rtol=1e-4, atol=1e-8, err_msg=name)
    assert_allclose(found.params_one, np.asarray(pair[0].params) - found.d_params)
    mine, its = found.summary_frame(), theirs.summary_frame()
    assert_allclose(mine[its.columns], its, rtol=1e-4, atol=1e-8)


def test_pictures_of_influence(pair):
    import matplotlib.pyplot as plt

    found = pair[0].get_influence()
    figures = [
        found.plot_influence(external=False),
        *(found.plot_index(name, threshold=0.03, idx=1) for name in ("cook", "hat", "resid", "dfbeta")),
    ]
    assert all(len(figure.axes) == 1 for figure in figures)
    plt.close("all")
    with pytest.raises(UnknownOptionError):
        found.plot_index("nothing")


def test_saving_and_loading(pair, tmp_path):
    res, buffer = pair[0], io.BytesIO()
    res.save(buffer)
    buffer.seek(0)
    assert_array_equal(type(res).load(buffer).params, res.params)
    res.save(tmp_path / "small", remove_data=True)
    again = ls.LogitResults.load(tmp_path / "small")
    assert_array_equal(again.params, res.params)
    assert (tmp_path / "small").stat().st_size < len(buffer.getvalue()) / 2
    with pytest.raises(DataError, match="not a MNLogitResults"):
        ls.MNLogitResults.load(tmp_path / "small")


@pytest.mark.parametrize("protocol", range(6))
def test_every_pickle_protocol(pair, protocol):
    again = pickle.loads(pickle.dumps(pair[0], protocol))
    assert_array_equal(again.bse, pair[0].bse)
    assert_allclose(again.predict(pair[0].model.data.frame), pair[0].predict())


def test_singular_matrices_are_caught_as_such():
    X = np.column_stack([np.ones(10), np.arange(10), np.arange(10)])
    with pytest.raises(np.linalg.LinAlgError):
        ls.Logit(np.tile([0, 1], 5), X).fit()
    assert issubclass(RankDeficientError, ValueError)


@pytest.mark.parametrize("counts", [False, True])
def test_complex_steps(data, counts):
    X = np.column_stack([np.ones(len(data)), data["age"] / 10, data["lwt"] / 100])
    y = data["low"].to_numpy(float)
    arguments = {"trials": np.full(len(y), 3)} if counts else {}
    model = ls.Logit(y, X, offset=X[:, 1] / 5, freq_weights=np.arange(len(y)) % 3 + 1, **arguments)
    beta, h = np.array([0.2, -0.3, 0.1]), 1e-20
    steps = beta + 1j * h * np.eye(3)
    assert_allclose([model.loglike(step).imag / h for step in steps], model.score(beta), rtol=1e-12)
    assert_allclose([model.score(step).imag / h for step in steps], model.hessian(beta), rtol=1e-12)
    assert_allclose(model.loglike(beta.astype(complex)).real, model.loglike(beta), rtol=1e-12)
    assert_allclose(model.hessian(beta.astype(complex)).real, model.hessian(beta), rtol=1e-12)


def test_complex_steps_of_several_categories():
    data = ls.datasets.load("womenlf")
    model = (
        ls.mnlogit("partic ~ hincome + children", data)
        if "partic" in data
        else ls.mnlogit("working ~ hincome + children", data)
    )
    beta, h = np.linspace(-0.1, 0.1, model.K * (model.J - 1)), 1e-20
    steps = beta + 1j * h * np.eye(len(beta))
    assert_allclose([model.loglike(step).imag / h for step in steps], model.score(beta), rtol=1e-11)
    assert_allclose([model.score(step).imag / h for step in steps], model.hessian(beta), rtol=1e-10, atol=1e-9)


@pytest.fixture(scope="module")
def three():
    rng = np.random.default_rng(4)
    X = pd.DataFrame({"const": 1.0, "age": rng.normal(size=300), "z": rng.normal(size=300)})
    eta = np.column_stack([np.zeros(300), X["age"], -X["z"]]) + rng.gumbel(size=(300, 3))
    return pd.Series(eta.argmax(axis=1), name="y"), X


def test_several_categories(three):
    y, X = three
    res = ours.MNLogit(y, X).fit(full_output=True, m=20, disp=0)
    theirs = sm.MNLogit(y, X).fit(disp=0)
    assert (res.J, res.K) == (theirs.J, theirs.K)
    for text in ("y1_age", "y1_age = y2_age, y2_z"):
        assert_allclose(
            res.wald_test(text, scalar=True).statistic, theirs.wald_test(text, scalar=True).statistic, rtol=1e-4
        )
    extra = np.random.default_rng(0).normal(size=(300, 2))
    found, its = (r.score_test(exog_extra=extra) for r in (res, theirs))
    assert_allclose(found.statistic, its.statistic, rtol=1e-4)
    assert found.k_constraint == its.k_constraint == 4
    assert_allclose(
        res.score_test(exog_extra=extra, cov_type="HC0").statistic, robust_score(y, X, extra, res), rtol=1e-8
    )
    factor = res.model.hessian_factor(res.params)
    blocks = np.einsum("ia,ijk,ib->jakb", res.model.exog, factor, res.model.exog).reshape(6, 6)
    assert_allclose(blocks, res.model.hessian(res.params), rtol=1e-10)
    value, score = res.model.loglike_and_score(res.params)
    assert_allclose(value, res.llf)
    assert_allclose(score, 0.0, atol=1e-6)
    assert "coef" in str(res.summary2()).lower()


def robust_score(y, X, extra, res):
    """Boos (1992), equation 14: scores of the added columns, cleared of the others, over their sum of squares."""
    larger = ours.MNLogit(np.asarray(y), np.column_stack([X, extra]))
    beta = np.vstack([np.asarray(res.params), np.zeros((2, 2))])
    S, H, new = larger.score_obs(beta), larger.information(beta), np.tile([0, 0, 0, 1, 1], 2) == 1
    clear = np.zeros((4, 10))
    clear[:, new] = np.eye(4)
    clear[:, ~new] = -H[np.ix_(new, ~new)] @ np.linalg.inv(H[np.ix_(~new, ~new)])
    s = clear @ S.sum(axis=0)
    return s @ np.linalg.solve(clear @ S.T @ S @ clear.T, s)


def test_categories_as_indicators(three):
    y, X = three
    names = np.array(["no", "maybe", "yes"])
    dummies = pd.get_dummies(pd.Categorical(names[y], names))
    dummies.index = X.index
    found, want = ours.MNLogit(dummies, X).fit(), ours.MNLogit(pd.Series(pd.Categorical(names[y], names)), X).fit()
    assert_array_equal(found.params, want.params)
    assert list(found.params.columns) == ["maybe", "yes"]
    assert_allclose(ours.MNLogit(np.eye(3)[y], X.to_numpy()).fit().params, want.params, rtol=1e-9)


def test_l1_fits_of_several_categories(three):
    y, X = (np.asarray(part) for part in three)
    alpha = np.array([[0.0, 0.0], [6.0, 1.0], [30.0, 2.0]])
    res = ours.MNLogit(y, X).fit_regularized(
        method="l1", alpha=alpha, disp=0, acc=1e-10, trim_mode="size", size_trim_tol=1e-5
    )
    theirs = sm.MNLogit(y, X).fit_regularized(method="l1", alpha=alpha.ravel(order="F"), disp=0, acc=1e-12, maxiter=5000,
                                              trim_mode="size", size_trim_tol=1e-5)  # fmt: skip
    assert_allclose(res.params, theirs.params, atol=1e-4)
    assert res.nnz_params == theirs.nnz_params < 6
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShrunkErrorsWarning)
        assert_allclose(res.bse, theirs.bse, rtol=1e-3)
    for name in ("aic", "bic", "df_model", "df_resid", "llf"):
        assert_allclose(getattr(res, name), getattr(theirs, name), rtol=1e-4)
