"""A formula from outside the program reaches columns, the formula language and NumPy's functions, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import logit_stats as ls
from logit_stats.design.restricted import restricted_formulas
from logit_stats.errors import DataError, FormulaError

RNG = np.random.default_rng(0)
DATA = pd.DataFrame(
    {
        "y": RNG.integers(0, 2, 80),
        "x": RNG.uniform(1, 9, 80),
        "k": RNG.integers(0, 4, 80),
        "g": RNG.choice(["Ab", "b", "c"], 80),
    }
)

HOSTILE = [
    "I(__import__('os').system('touch pwned'))",
    "x.__class__",
    "I(x.__class__.__mro__)",
    "x.to_csv('pwned')",
    "x.to_pickle('pwned')",
    "x.pipe(print)",
    "x.map(print)",
    "x.apply(np.log)",
    "x.str.format()",
    "'{0.__class__}'.format(x)",
    "np.save('pwned', x)",
    "np.load('pwned')",
    "np.lib.format",
    "np.f2py",
    "np.ctypeslib.load_library('x', 'y')",
    "open('pwned', 'w')",
    "exec('1')",
    "eval('x')",
    "getattr(x, 'to_csv')('pwned')",
    "globals()",
    "[i for i in x]",
    "(lambda: x)()",
    "I((q := x))",
    "f'{x.__class__}'",
    "x[0]",
    "pd.read_csv('pwned')",
    "secret",
    "function(x)",
    "np.log(x, out=x)",
    "C(x).contrast",
    "9**9**9",
    "I(x + 10**1000)",
    "I('a' * 1000000000)",
    "x.str.replace('1', exit)",
    "x.replace('1', print)",
    "Q(print)",
    "(1).__class__",
    "bs(x, df=np.load('pwned'))",
]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("form", ["y ~ k + {}", "{} ~ k"])
def test_nothing_but_columns_and_functions_of_numbers_is_reachable(hostile, form, tmp_path, monkeypatch):
    secret = np.ones(len(DATA))  # noqa: F841  the formula must not see it
    monkeypatch.chdir(tmp_path)
    before = DATA.copy()
    with restricted_formulas(), pytest.raises(DataError):
        ls.logit(form.format(hostile), DATA)
    assert list(tmp_path.iterdir()) == []
    pd.testing.assert_frame_equal(DATA, before)


HARMLESS = [
    "x",
    "C(k)",
    "C(g, Treatment('b'))",
    "np.log(x) + I(x**2)",
    "bs(x, df=4)",
    "ns(x, df=3)",
    "poly(x, 2)",
    "center(x) * C(k)",
    "standardize(np.sqrt(x))",
    "I((x > 3) & (k == 1))",
    "g.str.lower()",
    "np.where(x > 3, 1, 0)",
    "k.isin([1, 2])",
    "k.map({0: 1, 1: 5, 2: 3, 3: 0})",
    "x.between(2, 5)",
    "k.astype(float)",
    "np.maximum(x - 4, 0)",
    "x.clip(2, 6)",
    "Q('x')",
    "I(x - x.mean())",
    "C(k, levels=[3, 2, 1, 0])",
]


@pytest.mark.parametrize("right", HARMLESS)
def test_the_formula_language_is_whole(right):
    expected = ls.logit(f"y ~ {right}", DATA, check_rank=False)
    with restricted_formulas():
        restricted = ls.logit(f"y ~ {right}", DATA, check_rank=False)
        restricted.fit().predict(DATA.head(3)) if np.linalg.matrix_rank(expected.exog) == expected.exog.shape[
            1
        ] else None
    assert restricted.exog_names == expected.exog_names
    np.testing.assert_array_equal(restricted.exog, expected.exog)


def test_the_restriction_ends_with_the_block():
    local = np.arange(80.0)
    with restricted_formulas(), pytest.raises(DataError, match="'local'"):
        ls.logit("y ~ local", DATA)
    assert ls.logit("y ~ local", DATA).exog_names == ["Intercept", "local"]
    assert local.sum() > 0


def test_terms_added_later_are_restricted_too():
    res = ls.logit("y ~ x", DATA).fit()
    with restricted_formulas(), pytest.raises(FormulaError, match="not allowed here"):
        res.score_test("I(__import__('os').getpid())")
