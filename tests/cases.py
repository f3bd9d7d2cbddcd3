"""The reference cases: data, the call that fits each, and the independent values (see tests/reference/README.md)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent / "reference"
_TEXTS = {"Inf": float("inf"), "-Inf": float("-inf"), "NaN": float("nan")}

# Every binary or grouped case with the standard set of values.
STANDARD_CASES = (
    "bcg_rare_grouped",
    "birthwt_factor",
    "esoph_grouped_factors",
    "menarche_grouped_dose",
    "mroz_offset",
    "mroz_quadratic",
    "mroz_spline",
    "ohio_clusters_gee",
    "pima_train_test",
    "spector_numeric",
    "star98_grouped_badly_scaled",
    "titanic_passengers_interaction",
    "ucb_frequency_weights",
    "verbagg_two_way_clusters",
)


@dataclass(frozen=True, eq=False)
class Case:
    """One reference case: `info` is the JSON without its values, `values` the reference values, `data` the file."""

    name: str
    info: dict[str, Any]
    values: dict[str, Any]
    data: pd.DataFrame

    @property
    def grouped(self) -> bool:
        return "response" in self.info

    def model_arguments(self) -> tuple[str, dict[str, Any]]:
        """Formula and keyword arguments of `logit_stats.logit(formula, data=case.data, **arguments)`."""
        formula, arguments = self.info["formula_patsy"], {}
        if self.grouped:
            response = self.info["response"]
            if "failures" in response:
                formula = f"{response['successes']} + {response['failures']} ~ {formula}"
            else:
                formula = f"{response['successes']} ~ {formula}"
                arguments["trials"] = response["trials"]
        if "frequency_weights" in self.info:
            arguments["freq_weights"] = self.info["frequency_weights"]
        if "offset" in self.info:
            arguments["offset"] = "offset_"
        return formula, arguments


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    if value is None:
        return float("nan")
    return _TEXTS.get(value, value) if isinstance(value, str) else value


def read_data(name: str, levels: dict[str, list[Any]] | None = None) -> pd.DataFrame:
    """A file of tests/reference/data, with factors made categorical."""
    frame = pd.read_csv(FOLDER / "data" / name)
    for column, order in (levels or {}).items():
        texts = frame[column].map(lambda v: v if isinstance(v, str) else f"{v:g}", na_action="ignore")
        frame[column] = pd.Categorical(texts, [str(level) for level in order])
    return frame


def load_case(name: str) -> Case:
    """A case with a frame of its own, so that no test spoils the data of another."""
    case = _read_case(name)
    return replace(case, data=case.data.copy())


@cache
def _read_case(name: str) -> Case:
    info = json.loads((FOLDER / "values" / f"{name}.json").read_text(encoding="utf-8"))
    values = _numbers(info.pop("values"))
    data = read_data(Path(info["data_file"]).name, info["factor_levels_first_is_reference"])
    if "offset" in info:
        given = info["offset"]
        data["offset_"] = data.eval(given if isinstance(given, str) else given["expression"])
    return Case(name, info, values, data)


def in_patsy_order(values: Sequence[Any], names: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """A vector, a matrix by rows (k, 2), or a square matrix of the reference, in the order of `wanted` names.

    Raises
    ------
    ValueError
        If two rows change places in a (2, 2) array: limits (k, 2) and a covariance (k, k) look the same there.
    """
    array = np.asarray(values, dtype=np.float64)
    order = [list(names).index(name) for name in wanted]
    if array.shape == (2, 2) and order == [1, 0]:
        raise ValueError("A (2, 2) array may be limits or a covariance; reorder it where that is known.")
    square = array.ndim == 2 and array.shape[0] == array.shape[1] == len(names)
    return array[np.ix_(order, order)] if square else array[order]
