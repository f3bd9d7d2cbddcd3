"""Factors kept as codes: the same design, the same moments, the same answers as with columns written out."""

from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logit_stats as ls
from logit_stats.design import formula as formula_room
from logit_stats.design.block import Block
from logit_stats.design.coded import CodedColumns, CodedPart
from logit_stats.likelihoods import kernel
from logit_stats.likelihoods.moments import block_moments
from tests.cases import STANDARD_CASES, load_case

ALWAYS, NEVER = 1, 10**9


def random_coded(seed: int, rows: int, levels: tuple[int, ...], numbers: int) -> CodedColumns:
    rng = np.random.default_rng(seed)
    widths = [max(count - 1, 1) for count in levels]
    place = rng.permutation(numbers + sum(widths))
    parts, used = [], numbers
    for number, (count, width) in enumerate(zip(levels, widths, strict=True)):
        contrast = np.eye(count)[:, -width:] if number % 2 == 0 else rng.normal(size=(count, width))
        parts.append(CodedPart(rng.integers(0, count, rows), contrast, place[used : used + width]))
        used += width
    return CodedColumns(np.asfortranarray(rng.normal(size=(rows, numbers))), place[:numbers], tuple(parts))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6), rows=st.integers(1, 400), levels=st.lists(st.integers(1, 12), min_size=1, max_size=3),
    numbers=st.integers(0, 4), grouped=st.booleans(), weighted=st.booleans(), moved=st.booleans(), compiled=st.booleans(),
)  # fmt: skip
def test_moments_are_those_of_the_columns_written_out(seed, rows, levels, numbers, grouped, weighted, moved, compiled):
    X = random_coded(seed, rows, tuple(levels), numbers)
    rng = np.random.default_rng(seed + 1)
    k = X.shape[1]
    trials = rng.integers(1, 5, rows).astype(float) if grouped else None
    y = rng.binomial(1 if trials is None else trials.astype(int), 0.4, rows).astype(float)
    weight = rng.random(rows) if weighted else None
    offset = rng.normal(size=rows)
    center, scale = np.zeros(k), np.ones(k)
    if moved:
        center[X.dense_columns] = rng.normal(size=numbers)
        scale[X.dense_columns] = 2.0
    gamma = rng.normal(size=k)
    want = block_moments(Block(np.asarray(X), y, trials, weight, offset), gamma, center, scale)
    with pytest.MonkeyPatch.context() as patch:
        if not compiled:
            patch.setattr(kernel, "_kernel", None)
        got = kernel.fast_moments(Block(X, y, trials, weight, offset), gamma, center, scale)
        eta = kernel.linear_predictor(X, gamma, offset, center, scale)
    size = 1.0 + rows
    np.testing.assert_allclose(got.loglik, want.loglik, rtol=1e-12, atol=1e-12 * size)
    np.testing.assert_allclose(got.score, want.score, rtol=1e-10, atol=1e-12 * size)
    np.testing.assert_allclose(got.information, want.information, rtol=1e-10, atol=1e-12 * size)
    assert got.max_abs_eta == pytest.approx(want.max_abs_eta, rel=1e-12)
    np.testing.assert_allclose(eta, (np.asarray(X) - center) * scale @ gamma + offset, rtol=1e-11, atol=1e-11)


def test_stands_for_the_array():
    X = random_coded(5, 60, (4, 7), 2)
    dense = np.asarray(X)
    assert X.shape == dense.shape
    assert len(X) == 60
    keep = [3, 0, 8, 5]
    for got, want in [
        (X[3:20], dense[3:20]), (X[np.arange(60) % 3 == 0], dense[np.arange(60) % 3 == 0]), (X[[5, 2]], dense[[5, 2]]),
        (X[7], dense[7]), (X[-1], dense[-1]), (X[:, 4], dense[:, 4]), (X[2, 1], dense[2, 1]), (X[:, keep], dense[:, keep]),
        (X[:, keep][1:9, 2], dense[1:9, 8]), (X[:, 2:6], dense[:, 2:6]), (X - 1.0, dense - 1.0), (2.0 * X, 2.0 * dense),
        (X != 0.0, dense != 0.0), (X.T, dense.T), (X.sum(axis=0), dense.sum(axis=0)), (X.max(axis=0), dense.max(axis=0)),
        (X.min(axis=0), dense.min(axis=0)), (X.min(axis=1), dense.min(axis=1)),
        (np.abs(X), np.abs(dense)), (np.hstack([X, X]), np.hstack([dense, dense])), (X.astype("f4"), dense.astype("f4")),
    ]:  # fmt: skip
        np.testing.assert_array_equal(np.asarray(got), want)
    vector, matrix = np.arange(11.0), np.arange(33.0).reshape(11, 3)
    np.testing.assert_allclose(X @ vector, dense @ vector, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(X @ matrix, dense @ matrix, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(X.T @ np.ones(60), dense.T @ np.ones(60))


FORMULAS = ["y ~ x + C(g)", "y ~ x + C(g, Sum) + C(h)", "y ~ C(g):C(h) + x", "y ~ C(g)*C(h)", "y ~ C(g)*x", "y ~ 0 + C(g) + x",
            "y ~ C(g, Poly) + C(h, Helmert) + np.log(x + 10)"]  # fmt: skip


def factors(n: int = 1500) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"g": rng.integers(0, 6, n), "h": rng.integers(0, 3, n), "x": rng.normal(size=n)})
    data["y"] = (rng.random(n) < 1 / (1 + np.exp(-0.5 * data.x + 0.2 * data.g - 0.5))).astype(int)
    data["w"] = rng.integers(1, 4, n)
    return data


@pytest.mark.parametrize("formula", FORMULAS)
def test_columns_and_fits_are_the_same(formula, monkeypatch):
    data = factors()
    monkeypatch.setattr(formula_room, "CODED_COLUMNS", NEVER)
    written = ls.logit(formula, data, freq_weights="w").fit()
    monkeypatch.setattr(formula_room, "CODED_COLUMNS", ALWAYS)
    coded = ls.logit(formula, data, freq_weights="w").fit()
    assert isinstance(coded.fit_.design.X, CodedColumns)
    assert isinstance(coded.model.exog, np.ndarray)
    np.testing.assert_array_equal(coded.model.exog, written.model.exog)
    assert coded.model.exog_names == written.model.exog_names
    np.testing.assert_allclose(coded.params, written.params, rtol=1e-9, atol=1e-11)
    for cov_type in ("nonrobust", "HC0", "HC3"):
        np.testing.assert_allclose(coded.with_cov(cov_type).bse, written.with_cov(cov_type).bse, rtol=1e-9)


@pytest.mark.parametrize("l1_wt", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("standardize", [False, True])
def test_penalized_fits_are_the_same(l1_wt, standardize, monkeypatch):
    data = factors()
    fits = []
    for limit in (NEVER, ALWAYS):
        monkeypatch.setattr(formula_room, "CODED_COLUMNS", limit)
        model = ls.logit("y ~ x + C(g, Sum) + C(h)", data, freq_weights="w")
        categories = ls.mnlogit("h ~ x + C(g)", data)
        fits.append([m.fit_regularized(alpha=0.01, L1_wt=l1_wt, standardize=standardize) for m in (model, categories)])
        path = model.regularization_path(count=5, L1_wt=max(l1_wt, 0.5), standardize=standardize)
        fits[-1].append(path.fits[-1] if hasattr(path, "fits") else path)
    for written, coded in zip(*fits, strict=True):
        np.testing.assert_allclose(coded.params, written.params, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in STANDARD_CASES if "star98" not in name])
def test_reference_cases_with_every_factor_as_codes(name, monkeypatch):
    monkeypatch.setattr(formula_room, "CODED_COLUMNS", ALWAYS)
    case = load_case(name)
    formula, arguments = case.model_arguments()
    coded = ls.logit(formula, case.data, **arguments).fit()
    monkeypatch.setattr(formula_room, "CODED_COLUMNS", NEVER)
    written = ls.logit(formula, case.data, **arguments).fit()
    np.testing.assert_allclose(coded.params, written.params, rtol=1e-9)
    np.testing.assert_allclose(coded.bse, written.bse, rtol=1e-9)
    assert coded.llf == pytest.approx(written.llf, rel=1e-12)
    np.testing.assert_allclose(
        coded.get_influence().hat_matrix_diag, written.get_influence().hat_matrix_diag, rtol=1e-8
    )
    assert str(coded.summary(clock=False)) == str(written.summary(clock=False))


def test_many_levels_do_not_become_columns():
    rng = np.random.default_rng(1)
    n, levels = 40_000, 400
    data = pd.DataFrame({"x": rng.normal(size=n), "g": pd.Categorical(rng.integers(0, levels, n))})
    data["y"] = (rng.random(n) < 1 / (1 + np.exp(-data.x))).astype(int)
    ls.logit("y ~ x + g", data).fit()
    tracemalloc.start()
    res = ls.logit("y ~ x + g", data).fit()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < n * levels * 8 / 4
    again = pickle.loads(pickle.dumps(res))
    np.testing.assert_array_equal(again.params, res.params)
    np.testing.assert_allclose(again.predict(data[:7]), res.predict()[:7], rtol=1e-12)


def test_dependent_coded_columns_are_found_and_left_out(monkeypatch):
    monkeypatch.setattr(formula_room, "CODED_COLUMNS", ALWAYS)
    data = factors().assign(copy=lambda d: d.g)
    with pytest.raises(ls.errors.RankDeficientError, match=r"C\(copy\)"):
        ls.logit("y ~ C(g) + C(copy)", data).fit()
    dropped = ls.logit("y ~ C(g) + C(copy) + x", data, check_rank="drop").fit()
    plain = ls.logit("y ~ C(g) + x", data).fit()
    np.testing.assert_allclose(dropped.params.sort_index(), plain.params.sort_index(), rtol=1e-9)


def test_separated_levels_are_named(monkeypatch):
    monkeypatch.setattr(formula_room, "CODED_COLUMNS", ALWAYS)
    data = factors()
    data.loc[data.g == 3, "y"] = 1
    with pytest.raises(ls.errors.SeparationError, match=r"C\(g\)\[T.3\]"):
        ls.logit("y ~ C(g) + x", data).fit()
