"""Results without their rows: small, and as good as before for all that needs none."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import NotAvailableError
from tests.cases import load_case


def data(rows: int = 189) -> pd.DataFrame:
    birthwt = ls.datasets.load("birthwt")
    frame = birthwt.iloc[np.arange(rows) % len(birthwt)].reset_index(drop=True)
    return frame.assign(f=1 + frame["ftv"], s=1.5 + frame["ptl"], o=frame["lwt"] / 100, clinic=np.arange(rows) % 20)


FORMULA = "low ~ age + C(race) + smoke + bs(lwt, df=4)"
WAYS = {
    "plain": ({}, {}),
    "weights": ({"freq_weights": "f"}, {"cov_type": "HC1"}),
    "sampling": ({"sampling_weights": "s"}, {}),
    "offset": ({"offset": "o"}, {"use_t": True}),
    "clusters": ({}, {"cov_type": "cluster", "cov_kwds": {"groups": np.arange(189) % 20}}),
    "bootstrap": ({}, {"cov_type": "bootstrap", "cov_kwds": {"reps": 30, "seed": 1}}),
}


@pytest.mark.parametrize("way", WAYS)
def test_everything_that_needs_no_rows_is_as_before(way):
    arguments, settings = WAYS[way]
    frame = data()
    frame.loc[3, "age"] = np.nan
    if way == "clusters":
        settings = {"cov_type": "cluster", "cov_kwds": {"groups": np.delete(np.arange(189) % 20, 3)}}
    res = ls.logit(FORMULA, frame, **arguments).fit(**settings)
    small = pickle.loads(pickle.dumps(res.remove_data()))
    assert str(small.summary(clock=False)) == str(res.summary(clock=False))
    assert str(small.summary2(clock=False)) == str(res.summary2(clock=False))
    assert (str(small), repr(small), small._repr_html_()) == (str(res), repr(res), res._repr_html_())
    pd.testing.assert_frame_equal(small.glance(), res.glance())
    pd.testing.assert_frame_equal(small.tidy(), res.tidy())
    pd.testing.assert_series_equal(small.pseudo_rsquared("all"), res.pseudo_rsquared("all"))
    pd.testing.assert_frame_equal(small.cov_params(), res.cov_params())
    assert small.sample_line() == res.sample_line()
    assert small.mle_retvals["condition_number"] == res.mle_retvals["condition_number"]
    new = frame.iloc[5:15].reset_index(drop=True)
    assert_allclose(small.predict(new), res.predict(new))
    pd.testing.assert_frame_equal(small.get_prediction(new).summary_frame(), res.get_prediction(new).summary_frame())
    for test in ("smoke = 0.5", "age = 0, smoke = 0"):
        assert str(small.wald_test(test)) == str(res.wald_test(test))
        assert str(small.t_test(test)) == str(res.t_test(test))
    assert str(small.wald_test_terms()) == str(res.wald_test_terms())
    assert str(small.with_cov("nonrobust").summary(clock=False)) == str(res.with_cov("nonrobust").summary(clock=False))


def test_counts_arrays_and_constraints():
    case = load_case("esoph_grouped_factors")
    formula, arguments = case.model_arguments()
    grouped = ls.logit(formula, case.data, **arguments).fit()
    array = ls.Logit(
        np.asarray(grouped.model.exog)[:, 0] * 0 + np.arange(88) % 2, np.asarray(grouped.model.exog)[:, :3]
    ).fit()
    held = ls.logit("low ~ age + smoke + ptl", data()).fit_constrained("ptl = smoke")
    for res in (grouped, array, held):
        small = res.remove_data()
        assert str(small.summary(clock=False)) == str(res.summary(clock=False))
    assert_allclose(array.remove_data().predict(np.eye(3)), array.predict(np.eye(3)))


def test_what_needs_rows_says_so():
    frame = data()
    res = ls.logit("low ~ age + lwt + smoke", frame).fit()
    small, smaller = res.remove_data(), ls.logit("low ~ age + lwt", frame).fit()
    needing = [
        lambda r: r.predict(), lambda r: r.fittedvalues, lambda r: r.resid_dev, lambda r: r.resid_pearson,
        lambda r: r.get_influence().hat_matrix_diag, lambda r: r.get_influence(groups="race"), lambda r: r.with_cov("HC1"),
        lambda r: r.with_cov("cluster", groups="race"), lambda r: r.conf_int(method="profile"), lambda r: r.margins(),
        lambda r: r.get_margeff(), lambda r: r.roc(), lambda r: r.calibration(), lambda r: r.gof(), lambda r: r.anova(),
        lambda r: r.drop1(), lambda r: r.add1("ptl"), lambda r: r.score_test("ptl"), lambda r: r.certificate(),
        lambda r: r.crosscheck(), lambda r: r.bootstrap(10), lambda r: r.fragility(), lambda r: r.refit_without(0),
        lambda r: r.linearity(), lambda r: r.condition_indices(), lambda r: r.outlier_test(), lambda r: r.evidence("age"),
        lambda r: r.get_prediction(), lambda r: r.classification(), lambda r: r.pred_table(), lambda r: r.augment(),
        lambda r: r.lr_test(smaller), lambda r: r.hosmer_lemeshow(), lambda r: r.means("smoke"), lambda r: r.model.fit(),
        lambda r: r.model.loglike(r.params), lambda r: r.model.sample.left_out(), lambda r: np.asarray(r.model.exog),
        lambda r: r.model.endog + 1, lambda r: r.vif(), lambda r: r.get_influence("pattern"),
        lambda r: r.model.endog ** 2, lambda r: abs(r.model.endog),
    ]  # fmt: skip
    for ask in needing:
        with pytest.raises(NotAvailableError, match="remove_data"):
            ask(small)
    # and the result that it came from has its rows still
    assert len(res.resid_dev) == 189
    assert len(res.get_influence().hat_matrix_diag) == 189


@pytest.mark.parametrize("weights", ["freq_weights", "sampling_weights"])
def test_sums_of_squared_weights_say_so_too(weights):
    small = ls.logit("low ~ age + smoke", data(), **{weights: "f"}).fit().remove_data()
    for ask in (lambda: small.with_cov("HC1"), lambda: small.evidence("age")):
        with pytest.raises(NotAvailableError):
            ask()
    with pytest.raises(NotAvailableError, match="remove_data"):
        small.with_cov("HC0")


def test_it_is_small_and_can_be_saved(tmp_path):
    frame = data(20_000)
    res = ls.logit("low ~ age + C(race) + smoke", frame).fit(cov_type="cluster", cov_kwds={"groups": frame["clinic"]})
    path = tmp_path / "small.pickle"
    res.remove_data().save(path)
    assert path.stat().st_size < 20_000
    again = ls.load(path)
    assert str(again.summary(clock=False)) == str(res.summary(clock=False))
    assert_allclose(again.remove_data().predict(frame.head()), res.predict(frame.head()))


def test_penalized_fits_keep_their_rows():
    firth = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_firth()
    with pytest.raises(NotAvailableError, match="penalized likelihood"):
        firth.remove_data()
