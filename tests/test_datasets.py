"""The data sets that come along: complete, described, and equal to the reference data."""

from __future__ import annotations

from importlib.resources import files

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import logit_stats as ls
from logit_stats import datasets
from logit_stats.errors import UnknownOptionError
from tests.cases import FOLDER


@pytest.mark.parametrize("name", datasets.names())
def test_every_column_is_described_and_the_formula_fits(name):
    frame, description = datasets.load(name), datasets.describe(name)
    assert list(frame.columns) == list(description.columns)
    assert len(frame) == description.rows == datasets.table().set_index("name").loc[name, "rows"]
    assert all([description.title, description.source, description.licence, *description.columns.values()])
    for column, levels in description.levels.items():
        assert tuple(frame[column].cat.categories) == levels
        assert frame[column].notna().all()
    for shown in (str(description), repr(description)):
        assert f"{len(frame)}\n" in shown
    words = " ".join(shown.split())
    assert all(text in words for text in (name, description.source, description.licence))
    assert max(map(len, shown.split("\n"))) <= 80
    assert "<table>" in description._repr_html_()
    model = ls.logit(description.formula, frame, trials=description.trials)
    if name in ("endometrial", "ten_points_separated"):
        with pytest.raises(ls.errors.SeparationError):
            model.fit()
    else:
        assert model.fit().converged


@pytest.mark.parametrize(
    ("name", "file"),
    [("birthwt", "birthwt"), ("mroz", "mroz"), ("endometrial", "endometrial"), ("esoph", "esoph"),
     ("menarche", "menarche"), ("pima", "pima_train"), ("spector", "spector"), ("titanic", "titanic_passengers"),
     ("womenlf", "womenlf")],
)  # fmt: skip
def test_equal_to_the_reference_data(name, file):
    reference = pd.read_csv(FOLDER / "data" / f"{file}.csv")
    ours = datasets.load(name)
    if name == "spector":
        reference.columns = [column.upper() for column in reference.columns]
    for column in datasets.describe(name).levels:
        ours[column] = ours[column].astype(reference[column].dtype)
    assert_frame_equal(ours[sorted(ours)], reference[sorted(ours)])


def test_admissions_are_the_berkeley_counts():
    frame = datasets.load("admissions")
    assert (frame["admitted"].sum(), frame["rejected"].sum()) == (1755, 2771)
    persons = pd.read_csv(FOLDER / "data" / "ucb_admissions.csv").set_index(["gender", "dept", "admitted"])["freq"]
    for row in frame.itertuples():
        assert (row.admitted, row.rejected) == (persons[row.gender, row.dept, 1], persons[row.gender, row.dept, 0])
    assert not frame.duplicated(["gender", "dept"]).any()


def test_birthwt_differs_from_lbw_of_stata_in_the_one_weight_named():
    frame, formula = datasets.load("birthwt"), "low ~ age + lwt + race + smoke + ptl + ht + ui"
    assert round(ls.logit(formula, frame).fit().aic, 3) == 219.427  # as from R's MASS
    mother = frame.query("low == 1 and age == 20 and lwt == 105 and race == 'other' and ftv == 3").index
    frame.loc[mother, "lwt"] = 106
    assert len(mother) == 1
    assert round(ls.logit(formula, frame).fit().aic, 3) == 219.448  # as from Stata's lbw


def test_every_file_is_catalogued_and_every_entry_has_its_file():
    inside = {entry.name for entry in files("logit_stats.datasets").iterdir() if entry.name.endswith(".csv")}
    assert inside == {f"{name}.csv" for name in datasets.names()}


def test_a_loaded_frame_is_the_users_own():
    mine = datasets.load("ten_points")
    mine["y"] = 0
    assert datasets.load("ten_points")["y"].tolist() == [0, 1, 0, 0, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("function", [datasets.load, datasets.describe])
@pytest.mark.parametrize(("name", "near"), [("birthwgt", "birthwt"), ("SPECTOR", "spector"), ("Titanic", "titanic")])
def test_unknown_name_lists_the_nearest(function, name, near):
    with pytest.raises(UnknownOptionError, match=f"no data set '{name}'. Did you mean '{near}'.*admissions"):
        function(name)


@pytest.mark.parametrize("name", ["", "zzz", 3, None, ["spector"]])
def test_a_name_that_resembles_none_lists_them_all(name):
    with pytest.raises(UnknownOptionError, match=r"There are spector, .*ten_points_separated\."):
        datasets.load(name)
