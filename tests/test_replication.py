"""Scripts that fit a model again are run, agree, and stop where a number is changed."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import logit_stats as ls
from logit_stats.errors import NotAvailableError

BIRTHS = ls.datasets.load("birthwt")
LIMIT = 25
HOLES = BIRTHS.assign(age=BIRTHS["age"].where(BIRTHS.index % 9 != 0))
FORMULAS = [
    "low ~ age + C(race) * smoke + I(lwt**2)",
    "low ~ np.log(lwt) + bs(age, df=4) + race:smoke",
    "low ~ ns(age, df=3) + poly(lwt, 2) + C(race, Sum)",
    "low ~ 0 + race + center(age) + I(age > LIMIT) + standardize(lwt)",
    "low ~ C(ftv > 0) + C(race, Treatment('other')):lwt + lwt",
    "low ~ cr(age, df=3) - 1 + age.clip(15, 30):smoke",
    "low ~ race:C(smoke)",
]
needs_r = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")


def run(res, language, folder, change=False):
    """Status and output of a script."""
    made = res.replication(language)
    path = made.save(folder)
    if change:
        first = f"{res.fit_.beta[0]!r}".removeprefix("np.float64(").removesuffix(")").strip("-")
        path.write_text(made.script.replace(first, str(float(first) * 1.001)))
    command = ["Rscript", path.name] if language == "R" else [sys.executable, path.name]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    return found.returncode, found.stdout + found.stderr


@needs_r
@pytest.mark.parametrize("formula", FORMULAS)
def test_r_agrees(formula, tmp_path):
    status, said = run(ls.logit(formula, HOLES).fit(), "R", tmp_path)
    assert status == 0, said
    assert "Every number agrees" in said


@pytest.mark.parametrize("formula", FORMULAS)
def test_statsmodels_agrees(formula, tmp_path):
    status, said = run(ls.logit(formula, HOLES).fit(), "statsmodels", tmp_path)
    assert status == 0, said
    assert "Every number agrees" in said


FITS = {
    "cluster": lambda: ls.logit("low ~ age + smoke", BIRTHS.assign(g=BIRTHS.index % 20)).fit(
        cov_type="cluster", cov_kwds={"groups": "g"}
    ),
    "HC0": lambda: ls.logit("low ~ age + smoke", BIRTHS).fit(cov_type="HC0"),
    "HC1": lambda: ls.logit("low ~ age + smoke", BIRTHS).fit(cov_type="HC1"),
    "HC3": lambda: ls.logit("low ~ age + smoke", BIRTHS).fit(cov_type="HC3"),
    "frequencies": lambda: ls.logit("low ~ age", BIRTHS.assign(w=1 + BIRTHS.index % 3), freq_weights="w").fit(),
    "sampling": lambda: ls.logit("low ~ age", BIRTHS.assign(w=1.5 + BIRTHS.index % 3), sampling_weights="w").fit(),
    "offset": lambda: ls.logit("low ~ age", BIRTHS.assign(o=BIRTHS["lwt"] / 100), offset="o").fit(),
    "trials": lambda: ls.logit("low ~ age", BIRTHS.assign(t=BIRTHS["low"] + 2), trials="t").fit(),
    "arrays": lambda: ls.Logit(BIRTHS["low"].to_numpy(), np.column_stack([np.ones(189), BIRTHS["age"]])).fit(),
}


@pytest.mark.parametrize("kind", FITS)
@pytest.mark.parametrize("language", ["statsmodels", pytest.param("R", marks=needs_r)])
def test_weights_offsets_and_covariances(kind, language, tmp_path):
    status, said = run(FITS[kind](), language, tmp_path)
    assert status == 0, said


@pytest.mark.parametrize("language", ["statsmodels", pytest.param("R", marks=needs_r)])
def test_a_changed_number_stops_the_script(language, tmp_path):
    status, said = run(ls.logit("low ~ age + smoke", BIRTHS).fit(), language, tmp_path, change=True)
    assert status != 0
    assert "agrees" not in said


def test_what_has_no_translation_is_said():
    made = ls.logit("low ~ te(cr(age, df=3), cr(lwt, df=3)) - 1", BIRTHS).fit().replication("R")
    assert "te(cr(age, df=3), cr(lwt, df=3)) has no translation" in made.notes[0]
    assert made.notes[0] in made.script
    assert "HC3" in FITS["HC3"]().replication("R").script


def test_stata_generates_every_column():
    made = ls.logit("low ~ C(race) * lwt + I(age**2)", BIRTHS).fit().replication("stata")
    assert len(re.findall(r"^generate double x\d+", made.script, re.M)) == 7
    assert 'generate double x2 = ((race == "black"))' in made.script
    assert len(re.findall(r"^assert reldif\(_b", made.script, re.M)) == 7


def test_other_models_are_refused():
    for res in (
        ls.logit("low ~ age", BIRTHS).fit_firth(),
        ls.mnlogit("race ~ age", BIRTHS).fit(),
        ls.gee("low ~ age", BIRTHS, groups="ftv", corr="independence").fit(),
        ls.logit("low ~ age", BIRTHS).fit().remove_data(),
    ):
        with pytest.raises(NotAvailableError):
            res.replication("R")
