"""Tools made for statsmodels' results, and tools that carry objects about, take ours: as they are, or by `to_statsmodels()`."""

from __future__ import annotations

import copy
import io
import multiprocessing
import pickle

import numpy as np
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose, assert_array_equal

import logit_stats as ls
from logit_stats.errors import NotAvailableError

FORMULA = "low ~ age + lwt + smoke"


@pytest.fixture(scope="module")
def data():
    return ls.datasets.load("birthwt")


@pytest.fixture(scope="module")
def pair(data):
    return ls.logit(FORMULA, data).fit(), smf.logit(FORMULA, data).fit(disp=0, tol=1e-12)


def test_results_of_statsmodels_at_our_coefficients(data, pair):
    weights = np.arange(len(data)) % 3 + 1
    results = [
        pair[0].with_cov("HC3"),
        ls.logit(FORMULA, data, freq_weights=weights).fit(),
        ls.logit(FORMULA, data, offset=data["age"] / 50).fit(use_t=True),
        ls.mnlogit("race ~ age + lwt", data).fit(),
        ls.logit("admitted + rejected ~ gender + dept", ls.datasets.load("admissions")).fit(cov_type="HC1"),
        ls.Logit(data["low"].to_numpy(), sm.add_constant(data[["age"]].to_numpy())).fit(),
    ]
    for res in results:
        theirs = res.to_statsmodels()
        for name in ("params", "bse", "pvalues"):
            assert_allclose(np.asarray(getattr(theirs, name)), np.asarray(getattr(res, name)), rtol=1e-12, err_msg=name)
        assert "coef" in str(theirs.summary())
    assert pair[0].to_statsmodels().model.data.frame.equals(pair[0].model.data.frame)
    with pytest.raises(NotAvailableError, match="no counterpart"):
        ls.logit(FORMULA, data).fit_regularized(alpha=0.01).to_statsmodels()


def test_tables(pair):
    from statsmodels.iolib.summary2 import summary_col

    ours, theirs = pair
    assert str(summary_col([ours], stars=True)) == str(summary_col([theirs], stars=True))
    stargazer = pytest.importorskip("stargazer.stargazer")
    assert stargazer.Stargazer([ours.to_statsmodels()]).render_html() == stargazer.Stargazer([theirs]).render_html()


def test_pystout(pair, tmp_path):
    pystout = pytest.importorskip("pystout")
    texts = []
    for name, res in zip("ab", (pair[0].to_statsmodels(), pair[1]), strict=True):
        pystout.pystout(models=[res], file=str(tmp_path / name))
        texts.append((tmp_path / name).read_text())
    assert texts[0] == texts[1]


def test_marginal_effects(pair):
    effects = pytest.importorskip("marginaleffects")
    ours, theirs = (effects.avg_slopes(res)["estimate"].to_list() for res in (pair[0].to_statsmodels(), pair[1]))
    assert_allclose(ours, theirs, rtol=1e-8)


def test_variance_inflation_and_influence(pair):
    from statsmodels.stats.outliers_influence import MLEInfluence, variance_inflation_factor

    assert_allclose(variance_inflation_factor(pair[0].model.exog, 1), variance_inflation_factor(pair[1].model.exog, 1))
    found = MLEInfluence(pair[0].to_statsmodels()).cooks_distance[0]
    assert_allclose(found, pair[0].get_influence().cooks_distance, rtol=1e-6)


def test_copies_and_files(pair, tmp_path):
    res = pair[0]
    assert_array_equal(copy.deepcopy(res).bse, res.bse)
    joblib = pytest.importorskip("joblib")
    joblib.dump(res, tmp_path / "kept")
    assert_array_equal(joblib.load(tmp_path / "kept").bse, res.bse)
    cloudpickle = pytest.importorskip("cloudpickle")
    assert_array_equal(pickle.loads(cloudpickle.dumps(res)).bse, res.bse)


def _llf(res):
    return float(res.llf)


def test_other_processes(pair):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(_llf, [pair[0]]) == [float(pair[0].llf)]


def test_a_result_that_has_given_its_rows_away_writes_none(data, tmp_path):
    """statsmodels removes the data in place: a script that says ``remove_data(); save()`` must not publish them."""
    res, whole = ls.logit(FORMULA, data).fit(), io.BytesIO()
    res.save(whole)
    small = res.remove_data()
    res.save(tmp_path / "published")
    assert not ls.load(tmp_path / "published").fit_.facts.rows
    assert (tmp_path / "published").stat().st_size < len(whole.getvalue()) / 2
    res.save(tmp_path / "whole", remove_data=False)
    assert ls.load(tmp_path / "whole").fit_.facts.rows
    assert res.fit_.facts.rows
    assert not small.fit_.facts.rows
