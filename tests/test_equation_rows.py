"""HC2, HC3 and influence where a row has several linear predictors, against sums written out row by row."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import NotAvailableError


def data(n=150, seed=3, categories="abc"):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.integers(0, 2, n)
    score = np.column_stack([np.zeros(n), 0.6 * x - 0.2, -0.5 * x + 0.8 * z, 0.3 * x])[:, : len(categories)]
    y = np.array(list(categories))[(score + rng.gumbel(size=score.shape)).argmax(axis=1)]
    return pd.DataFrame({"y": y, "x": x, "z": z, "w": rng.integers(1, 4, n), "p": rng.uniform(0.5, 3, n)})


def by_row(res, weight=None):
    """Scores (n, E k) and informations (n, E k, E k) of every row, written out."""
    X, P = np.asarray(res.model.exog), np.asarray(res.predict())[:, 1:]
    Y = res.model.wendog[:, 1:]
    a = np.ones(len(X)) if weight is None else weight
    scores = np.array([np.kron(y - p, x) for x, p, y in zip(X, P, Y, strict=True)])
    infos = np.array([np.kron(np.diag(p) - np.outer(p, p), np.outer(x, x)) for x, p in zip(X, P, strict=True)])
    return scores * a[:, None], infos * a[:, None, None]


@pytest.mark.parametrize("weights", [None, "sampling_weights"])
def test_what_a_row_moves_is_the_step_without_it(weights):
    df = data()
    res = ls.mnlogit("y ~ x + z", df, **({} if weights is None else {weights: "p"})).fit()
    scores, infos = by_row(res, None if weights is None else df["p"].to_numpy())
    whole = infos.sum(axis=0)
    steps = np.array([np.linalg.solve(whole - info, s) for s, info in zip(scores, infos, strict=True)])
    assert_allclose(res.with_cov("HC3").cov_params(), steps.T @ steps, rtol=1e-9)
    found = res.get_influence()
    assert_allclose(found.dfbeta, steps, rtol=1e-8, atol=1e-12)
    mean = 1.0 if weights is None else df["p"].mean()
    assert_allclose(found.cooks_distance, np.einsum("ni,ij,nj->n", steps, whole, steps) / (6 * mean), rtol=1e-8)
    assert_allclose(found.hat_matrix_diag, np.einsum("nij,ji->n", infos, np.linalg.inv(whole)), rtol=1e-9)
    assert_allclose(found.hat_matrix_diag.sum(), 6.0, rtol=1e-10)
    assert list(found.summary_frame().columns[:2]) == ["dfb_b:Intercept", "dfb_b:x"]


def test_hc2_has_the_variance_of_the_model_where_it_holds():
    res = ls.mnlogit("y ~ x + z", data()).fit()
    X, P, Y = np.asarray(res.model.exog), np.asarray(res.predict())[:, 1:], res.model.wendog[:, 1:]
    V, meat = np.asarray(ls.mnlogit("y ~ x + z", data()).fit().cov_params()), np.zeros((6, 6))
    for x, p, y in zip(X, P, Y, strict=True):
        Z, W = np.kron(np.eye(2), x), np.diag(p) - np.outer(p, p)
        D = np.linalg.cholesky(W).T  # any root will do: Bell and McCaffrey's adjustment does not depend on it
        B = D @ (np.linalg.inv(W) - Z @ V @ Z.T) @ D.T
        values, vectors = np.linalg.eigh(B)
        adjust = D.T @ (vectors / np.sqrt(values)) @ vectors.T @ np.linalg.inv(D.T)
        assert_allclose(adjust @ (W - W @ Z @ V @ Z.T @ W) @ adjust.T, W, atol=1e-12)
        score = Z.T @ adjust @ (y - p)
        meat += np.outer(score, score)
    assert_allclose(res.with_cov("HC2").cov_params(), V @ meat @ V, rtol=1e-8)


@pytest.mark.parametrize("weights", [{}, {"freq_weights": "w"}, {"sampling_weights": "p"}])
def test_two_categories_are_the_binary_logit(weights):
    df = data(categories="ab").assign(one=lambda d: (d["y"] == "b").astype(int))
    many, two = ls.mnlogit("y ~ x + z", df, **weights).fit(), ls.logit("one ~ x + z", df, **weights).fit()
    for cov_type in ("HC2", "HC3"):
        assert_allclose(many.with_cov(cov_type).cov_params(), two.with_cov(cov_type).cov_params(), rtol=1e-8)
    ours, theirs = many.get_influence(), two.get_influence()
    for name in ("hat_matrix_diag", "cooks_distance", "dfbeta", "dfbetas"):
        assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-7, atol=1e-12, err_msg=name)


def test_frequency_weights_are_rows_repeated():
    df = data(60)
    weighted = ls.mnlogit("y ~ x + z", df, freq_weights="w").fit()
    long = ls.mnlogit("y ~ x + z", df.loc[df.index.repeat(df["w"])]).fit()
    for cov_type in ("HC2", "HC3"):
        assert_allclose(weighted.with_cov(cov_type).bse, long.with_cov(cov_type).bse, rtol=1e-8)
    first = np.r_[0, np.cumsum(df["w"])[:-1]]
    assert_allclose(weighted.get_influence().cooks_distance, long.get_influence().cooks_distance[first], rtol=1e-7)


def test_an_ordered_response_with_shared_slopes():
    df = data()
    res = ls.ologit("y ~ x + z", df.assign(y=df["y"].astype("category").cat.as_ordered())).fit()
    found = res.get_influence()
    assert_allclose(found.hat_matrix_diag.sum(), len(res.params), rtol=1e-8)
    errors = [res.with_cov(name).bse for name in ("HC0", "HC2", "HC3")]
    assert (errors[0] < errors[1]).all()
    assert (errors[1] < errors[2]).all()


def test_what_is_not_there_is_refused():
    res = ls.mnlogit("y ~ x + z", data()).fit()
    with pytest.raises(NotAvailableError, match="patterns"):
        res.get_influence(by="pattern")
    with pytest.raises(NotAvailableError, match="two categories"):
        res.get_influence(groups="z")
    assert "Cook" in str(res.get_influence())
    assert "<table" in res.get_influence()._repr_html_()
