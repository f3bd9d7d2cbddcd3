"""The data sets that come along: complete, described, and equal to the reference data."""

from __future__ import annotations

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
    assert len(frame) == datasets.table().set_index("name").loc[name, "rows"]
    for column, levels in description.levels.items():
        assert tuple(frame[column].cat.categories) == levels
        assert frame[column].notna().all()
    assert name in str(description)
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
     ("menarche", "menarche"), ("pima", "pima_train"), ("spector", "spector"), ("titanic", "titanic_passengers")],
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


def test_a_loaded_frame_is_the_users_own():
    mine = datasets.load("ten_points")
    mine["y"] = 0
    assert datasets.load("ten_points")["y"].tolist() == [0, 1, 0, 0, 1, 1, 1, 1, 1, 1]


def test_unknown_name_lists_the_nearest():
    with pytest.raises(UnknownOptionError, match="'birthwt'"):
        datasets.load("birthwgt")
