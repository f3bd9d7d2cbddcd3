"""What results print fits a terminal of 80 columns, at a prompt as by print()."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import logit_stats as ls
from logit_stats.wording import WIDTH, lines, table

BIRTHWT = "low ~ age + lwt + race + smoke + ht + ui"
ESOPH = "ncases + ncontrols ~ agegp + alcgp + tobgp"


@pytest.fixture(scope="module", params=["birthwt", "esoph"])
def case(request):
    data = ls.datasets.load(request.param)
    model = ls.logit(BIRTHWT if request.param == "birthwt" else ESOPH, data)
    factor, other = ("race", "age + lwt") if request.param == "birthwt" else ("alcgp", "agegp")
    short = ls.logit(f"{model.formula.partition('~')[0]} ~ {other}", data).fit()
    return model.fit(), short, factor


ANSWERS = {
    "itself": lambda res, short, factor: res,
    "tests of fit": lambda res, short, factor: res.gof(),
    "ROC": lambda res, short, factor: res.roc(),
    "Hosmer-Lemeshow": lambda res, short, factor: res.hosmer_lemeshow(),
    "link test": lambda res, short, factor: res.link_test(),
    "calibration": lambda res, short, factor: res.calibration(),
    "classification": lambda res, short, factor: res.classification(),
    "threshold": lambda res, short, factor: res.threshold(false_negative=5),
    "inflation": lambda res, short, factor: res.vif(),
    "conditioning": lambda res, short, factor: res.condition_indices(),
    "influence": lambda res, short, factor: res.get_influence(),
    "outliers": lambda res, short, factor: res.outlier_test(),
    "refit": lambda res, short, factor: res.refit_without([res.fit_.design.index[0]]),
    "margins": lambda res, short, factor: res.margins(),
    "means": lambda res, short, factor: res.means(factor),
    "pairs": lambda res, short, factor: res.t_test_pairwise(factor),
    "evidence": lambda res, short, factor: res.evidence(res.model.exog_names[-1]),
    "Wald": lambda res, short, factor: res.wald_test(np.eye(len(res.params))[1:4]),
    "likelihood ratio": lambda res, short, factor: short.lr_test(res),
    "deviance": lambda res, short, factor: res.anova(2),
    "compared ROC": lambda res, short, factor: ls.compare_roc(res, short),
    "compared": lambda res, short, factor: ls.compare(res, short),
    "average": lambda res, short, factor: res.average_prediction(),
    "optimism": lambda res, short, factor: short.optimism(reps=3, seed=1),
    "pictures": lambda res, short, factor: res.plot,
    "steps": lambda res, short, factor: res.trace,
    "model": lambda res, short, factor: res.model,
    "rows": lambda res, short, factor: res.model.sample,
    "fragility": lambda res, short, factor: res.fragility(res.model.exog_names[-1], most=3),
    "certificate": lambda res, short, factor: res.certificate(),
    "cross-check": lambda res, short, factor: res.crosscheck(),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_answers_fit_the_terminal_and_print_themselves(case, answer):
    found = ANSWERS[answer](*case)
    for text in (str(found), repr(found)):
        assert max(map(len, text.split("\n"))) <= WIDTH
    if answer != "itself":
        assert repr(found) == str(found)


def test_fits_of_every_kind_fit_the_terminal():
    endometrial, women = (ls.datasets.load(name) for name in ("endometrial", "womenlf"))
    separated = ls.logit("HG ~ NV + PI + EH", endometrial)
    work = ls.mnlogit("partic ~ hincome + children", women)
    res, firth = work.fit(), separated.fit_firth()
    for found in (
        firth, firth.flac(), firth.global_test(), separated.fit_limit(), separated.fit_regularized(alpha=0.1),
        work, res, work.fit_regularized(alpha=0.01), res.crosscheck(),
    ):  # fmt: skip
        for text in (str(found), repr(found)):
            assert max(map(len, text.split("\n"))) <= WIDTH


@pytest.mark.parametrize("answer", [name for name in ANSWERS if name not in ("model", "pictures")])
def test_answers_show_themselves_in_a_notebook(case, answer):
    assert ANSWERS[answer](*case)._repr_html_().startswith("<")


def test_effects_of_every_row_show_as_text_in_a_notebook():
    margins = ls.logit("low ~ age", ls.datasets.load("birthwt")).fit().get_margeff(at="all")
    assert margins._repr_html_() is None


def test_html_of_names_is_escaped():
    data = ls.datasets.load("birthwt").rename(columns={"age": "<b>"})
    larger, smaller = (ls.logit(f"low ~ lwt{more}", data).fit() for more in (" + Q('<b>')", ""))
    assert "&lt;b&gt;" in larger.lr_test(smaller)._repr_html_()
    assert "<b>" not in larger.lr_test(smaller)._repr_html_()


def test_crosscheck_with_long_names_says_where_the_numbers_are():
    data = ls.datasets.load("birthwt").rename(columns={"age": "age_of_the_mother_in_completed_years"})
    shown = str(ls.logit("low ~ age_of_the_mother_in_completed_years", data).fit().crosscheck())
    assert "theirs" not in shown
    assert "`table`" in shown
    shown = str(ls.logit("low ~ age + lwt", ls.datasets.load("birthwt")).fit().crosscheck())
    assert "theirs" in shown.split("\n")[2]


def test_sentences_break_at_words_only():
    sentence = "word " * 40 + "x" * 100 + " well-known"
    shown = lines(sentence).split("\n")
    assert "".join(sentence.split()) == "".join("".join(shown).split())
    assert all(len(line) <= WIDTH or "x" * 100 in line for line in shown)
    assert all(line.startswith("  ") for line in shown[1:])


def test_wide_tables_name_their_rows_in_every_part():
    names = [f"number_{j}" for j in range(14)]
    frame = pd.DataFrame(np.arange(28.0).reshape(2, 14) / 3.0, columns=names).assign(
        key=["first", "second"], at=[0.5, 1.0]
    )
    shown = table(frame[["key", "at", *names]], "{:.3f}".format, 2)
    parts = shown.split("\n\n")
    assert len(parts) > 1
    assert all(part.count("first") == part.count("second") == 1 for part in parts)
    assert all(part.count("0.500") == 1 for part in parts)
    assert all(name in shown for name in names)
    assert max(map(len, shown.split("\n"))) <= WIDTH


def test_results_of_firth_say_what_they_are():
    firth = ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_firth()
    assert repr(firth).startswith("<FirthResults llf=")


def test_no_printed_answer_sends_control_characters_of_names_to_a_terminal():
    import numpy as np
    import pandas as pd

    import logit_stats as ls

    random = np.random.default_rng(0)
    bad = "x\x1b[31m\u202e"
    data = pd.DataFrame({"const": 1.0, bad: random.normal(size=80), "z": random.normal(size=80)})
    res = ls.Logit(pd.Series(random.integers(0, 2, 80), name="y"), data).fit()
    answers = [
        res, res.vif(), res.t_test(np.eye(3)), res.wald_test(np.eye(3)), res.get_margeff(), res.wald_test_terms(), res.drop1(),
        res.get_influence(), res.summary(), res.gof(), res.evidence(bad), res.certificate(),
        ls.compare(res), ls.table(res), res.model.fit_firth(), res.model.fit_regularized(alpha=0.1),
    ]  # fmt: skip
    for answer in answers:
        for text in (str(answer), repr(answer)):
            assert "\x1b" not in text, type(answer)
            assert "\u202e" not in text, type(answer)
