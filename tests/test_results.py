"""Results as objects: keeping them, tidy frames, what they print, and that they stay what they are."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal, assert_series_equal

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError, UnknownOptionError

BIRTHS = ls.datasets.load("birthwt")
FORMULA = "low ~ center(age) + bs(lwt, df=4) + C(race, Sum) * smoke"


@pytest.fixture(scope="module")
def res():
    return ls.logit(FORMULA, BIRTHS).fit(cov_type="HC1")


def test_saved_results_predict_the_same_in_a_fresh_process(res, tmp_path):
    path = tmp_path / "fit.logit"
    res.save(path)
    new = BIRTHS.head(12)
    new.to_csv(tmp_path / "new.csv", index=False)
    code = (
        "import sys, numpy as np, pandas as pd, logit_stats as ls\n"
        "res = ls.load(sys.argv[1]); new = pd.read_csv(sys.argv[2])\n"
        "print(repr(res.predict(new).tolist())); print(repr(res.bse.tolist())); print(res.summary(clock=False).as_text())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path, tmp_path / "new.csv"], capture_output=True, text=True, check=True
    )
    first, second, *rest = done.stdout.splitlines()
    assert_allclose(eval(first), res.predict(new), rtol=1e-12)
    assert_allclose(eval(second), res.bse, rtol=1e-12)
    assert "\n".join(rest).strip() == res.summary(clock=False).as_text().strip()


def test_pickling_keeps_everything(res):
    again = pickle.loads(pickle.dumps(res))
    assert_series_equal(again.params, res.params)
    assert_frame_equal(again.cov_params(), res.cov_params())
    assert_frame_equal(again.margins("age").frame, res.margins("age").frame)
    assert again.certificate().data_hash == res.certificate().data_hash
    y, X = BIRTHS["low"].to_numpy(), np.column_stack([np.ones(189), BIRTHS["lwt"]])
    arrays = ls.Logit(y, X).fit()
    assert_allclose(pickle.loads(pickle.dumps(arrays)).params, arrays.params)


def test_a_function_that_cannot_be_kept_is_a_clear_error(tmp_path):
    def local(x):
        return x / 2

    res = ls.logit("low ~ local(age)", BIRTHS).fit()
    with pytest.raises(NotAvailableError, match="cannot be saved"):
        res.save(tmp_path / "x")


def test_loading_something_else_is_a_clear_error(tmp_path):
    path = tmp_path / "other"
    path.write_bytes(b"no pickle")
    with pytest.raises(DataError, match="no saved result"):
        ls.load(path)
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(DataError, match="holds a dict"):
        ls.load(path)


def test_results_are_frozen(res):
    with pytest.raises(FrozenInstanceError):
        res.use_t = True
    params = res.params
    params.iloc[0] = 99.0
    assert res.params.iloc[0] != 99.0


def test_tidy_glance_augment(res):
    tidy = res.tidy()
    assert list(tidy.columns) == ["term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
    assert_allclose(tidy["estimate"], res.params)
    ratios = res.tidy(exponentiate=True)
    assert_allclose(ratios["estimate"], np.exp(res.params))
    assert_allclose(ratios["conf_low"], np.exp(res.conf_int()[0]))
    glance = res.glance()
    assert len(glance) == 1
    assert_allclose(glance["aic"], res.aic)
    holes = BIRTHS.assign(lwt=BIRTHS["lwt"].where(BIRTHS.index != 4))
    augmented = ls.logit("low ~ lwt", holes).fit().augment(holes)
    assert len(augmented) == 189
    assert np.isnan(augmented.loc[4, ".fitted"])
    assert augmented[".fitted"].notna().sum() == 188


def test_odds_ratios_follow_covariance_and_alpha(res):
    frame = res.odds_ratios(alpha=0.1)
    assert_allclose(frame[["conf_low", "conf_high"]], np.exp(res.conf_int(0.1)))
    with pytest.raises(DataError, match=r"alpha=1\.5"):
        res.conf_int(1.5)


def test_use_t(res):
    from scipy import stats

    t = ls.logit(FORMULA, BIRTHS).fit(use_t=True)
    assert_allclose(t.pvalues, 2 * stats.t.sf(np.abs(t.tvalues), t.df_resid))
    assert "P>|t|" in t.summary().as_text()


def test_information_criteria_and_pseudo_r2_names(res):
    assert res.info_criteria("aicc") == res.aicc
    with pytest.raises(UnknownOptionError, match="aicc"):
        res.info_criteria("dic")
    with pytest.raises(UnknownOptionError, match="tjur"):
        res.pseudo_rsquared("magic")
    assert len(res.pseudo_rsquared("all")) == 12


def test_everything_prints(res):
    for thing in (res, res.model, res.model.sample, res.margins(), res.means("race"), res.get_prediction(), res.trace,
                  res.certificate(), res.get_margeff(), ls.logit("low ~ lwt", BIRTHS).fit().dose()):  # fmt: skip
        assert len(str(thing)) > 20
    assert "<table" in res._repr_html_()
    assert res._repr_html_() == res._repr_html_()


def test_lr_test_refuses_what_it_cannot_compare():
    large, small = ls.logit("low ~ age + lwt", BIRTHS).fit(), ls.logit("low ~ age", BIRTHS).fit()
    test = large.lr_test(small)
    assert_allclose(test.statistic, 2 * (large.llf - small.llf))
    assert small.lr_test(large) == test
    with pytest.raises(DataError, match="different rows"):
        large.lr_test(ls.logit("low ~ age", BIRTHS.iloc[50:]).fit())
    with pytest.raises(DataError, match="different responses"):
        large.lr_test(ls.logit("ui ~ age", BIRTHS).fit())
    with pytest.raises(DataError, match="not nested"):
        large.lr_test(ls.logit("low ~ ptl", BIRTHS).fit())
    with pytest.raises(DataError, match="one inside the other"):
        large.lr_test(ls.logit("low ~ age + ptl", BIRTHS).fit())
    # nested in another coding is nested all the same
    nested = ls.logit("low ~ C(race, Sum) + age", BIRTHS).fit().lr_test(ls.logit("low ~ race", BIRTHS).fit())
    assert nested.df == 1
    weighted = ls.logit("low ~ age + lwt", BIRTHS.assign(w=1.5), sampling_weights="w").fit()
    with pytest.raises(NotAvailableError, match="Wald"):
        weighted.lr_test(small)


def test_importing_loads_nothing_heavy():
    importing = ("import logit_stats", ["statsmodels", "matplotlib", "patsy", "pandas", "rich"])
    fit = "import logit_stats as ls; ls.logit('y ~ x', ls.datasets.load('ten_points')).fit().summary()"
    for code, heavy in (importing, (fit, ["statsmodels", "matplotlib", "rich", "click", "polars"])):
        command = f"import sys; {code}; print([m for m in {heavy} if m in sys.modules])"
        done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


def test_show_config_says_the_kernel(capsys):
    ls.show_config()
    out = capsys.readouterr().out
    assert "kernel" in out
    assert "numpy" in out
    assert pd.__version__ in out
