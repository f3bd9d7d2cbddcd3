"""Interaction on the additive scale of two exposures, from their odds ratios: RERI, AP and S, with limits.

With OR11, OR10, OR01 the odds ratios of both, of the first and of the second exposure alone against neither (Rothman 1986;
Hosmer and Lemeshow 1992, Epidemiology 3, 452-456):

    RERI = OR11 - OR10 - OR01 + 1,   AP = RERI / OR11,   S = (OR11 - 1) / (OR10 + OR01 - 2)

Standard errors by the delta method; limits of S from its logarithm. None is an effect on risks unless the outcome is rare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.counterfactual import check_level, kept_places, parts
from logit_stats.design.design import Design
from logit_stats.design.estimable import null_space, outside, reason
from logit_stats.design.variables import find_variable
from logit_stats.errors import DataError, NotAvailableError
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.inference.effect_weights import scenarios
from logit_stats.wording import lines, printed, table


@dataclass(frozen=True, eq=False)
class AdditiveInteraction:
    """Measures of interaction of two exposures.

    Attributes
    ----------
    exposures : tuple of str
        The exposures and what is compared.
    frame : DataFrame
        By measure: estimate, std_error (of the logarithm for odds ratios and S), conf_low, conf_high, p_value (of no effect, or
        no interaction).
    cov_type : str
    notes : tuple of str
    """

    exposures: tuple[str, ...]
    frame: pd.DataFrame
    cov_type: str
    notes: tuple[str, ...] = ()

    @property
    def reri(self) -> float:
        """Relative excess risk due to interaction."""
        return float(self.frame.loc["RERI", "estimate"])  # type: ignore[arg-type]

    @property
    def ap(self) -> float:
        """Attributable proportion due to interaction."""
        return float(self.frame.loc["AP", "estimate"])  # type: ignore[arg-type]

    @property
    def synergy(self) -> float:
        """Synergy index S."""
        return float(self.frame.loc["S", "estimate"])  # type: ignore[arg-type]

    def summary_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()

    @printed
    def __str__(self) -> str:
        head = f"Interaction of {' and '.join(self.exposures)} (covariance {self.cov_type})"
        shown = table(self.frame.reset_index(names="measure"), "{:.6g}".format)
        return "\n".join([lines(head), shown, *map(lines, self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        below = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return str(self.frame.to_html(float_format=lambda v: f"{v:.6g}")) + below


def additive_interaction(
    fit: Fit, cov: Covariance, a: str, b: str, levels: Mapping[str, tuple[Any, Any]] | None = None,
    at: Mapping[str, Any] | None = None, alpha: float = 0.05,
) -> AdditiveInteraction:  # fmt: skip
    """Interaction of two exposures.

    Parameters
    ----------
    fit : Fit
        A binary fit of a formula.
    cov : Covariance
    a, b : str
        Variables.
    levels : mapping, optional
        For a variable the pair (unexposed, exposed); by default its two levels.
    at : mapping, optional
        Values of other variables with which the exposures interact.
    alpha : float
        The limits have level ``1 - alpha``.

    Raises
    ------
    DataError
        If an exposure has more than two levels and none are given, or the odds ratios depend on other variables.
    """
    fit.facts.require("interaction()", "binary")
    if a == b:
        raise DataError(f"interaction() takes two variables; {a!r} was given twice.")
    ends = {name: _ends(fit.design, name, (levels or {}).get(name)) for name in (a, b)}
    settings = scenarios(fit.design, at)
    if len(settings) > 1:
        raise DataError("interaction() takes one value for each variable of at=; call it for each setting.")
    D, gone = _directions(fit, ends, settings[0])
    if gone:
        raise NotAvailableError(reason(fit.design))
    frame, notes = _measures(fit, cov, D, alpha)
    said = tuple(f"{name} ({high} against {low})" for name, (low, high) in ends.items())
    return AdditiveInteraction(said, frame, cov.cov_type, notes)


def _ends(design: Design, name: str, given: tuple[Any, Any] | None) -> tuple[Any, Any]:
    variable = find_variable(design, name)
    if given is not None:
        low, high = given
        for value in (low, high):
            check_level(design, name, value)
        return low, high
    if len(variable.levels) != 2:
        raise DataError(
            f"{name!r} has {len(variable.levels) or 'many'} levels; say which are compared: "
            f"levels={{{name!r}: (unexposed, exposed)}}."
        )
    return variable.levels[0], variable.levels[1]


def _directions(fit: Fit, ends: Mapping[str, tuple[Any, Any]], setting: Mapping[str, Any]) -> tuple[FloatArray, bool]:
    """Changes (3, k) of the working columns: first exposure alone, second alone, both; and whether the data say nothing."""
    (a, (a0, a1)), (b, (b0, b1)) = ends.items()
    first: FloatArray | None = None
    for part in parts(fit.design):
        rows = part.with_values(setting)
        neither = rows.with_values({a: a0, b: b0}).full()
        moved = np.array([rows.with_values({a: x, b: y}).full() - neither for x, y in ((a1, b0), (a0, b1), (a1, b1))])
        first = moved[:, 0] if first is None else first
        size = np.maximum(np.abs(moved).max(axis=1), 1e-300)
        if (np.abs(moved - first[:, None]) > 1e-9 * size[:, None]).any():
            raise DataError(
                "The odds ratios of these exposures depend on other variables of the model; set them with at=."
            )
    assert first is not None
    N = null_space(fit.design)
    kept, places = kept_places(fit.design, list(range(first.shape[1])))
    D = np.empty((3, fit.design.columns))
    D[:, places] = first[:, kept]
    scaled = D if fit.working.scale is None else D * fit.working.scale
    return scaled, N is not None and bool(outside(N, first).any())


def _measures(fit: Fit, cov: Covariance, D: FloatArray, alpha: float) -> tuple[pd.DataFrame, tuple[str, ...]]:
    odds = np.exp(D @ fit.gamma)
    (or10, or01, or11), (g10, g01, g11) = odds, odds[:, None] * D
    reri, g_reri = or11 - or10 - or01 + 1.0, g11 - g10 - g01
    product = D[2] - D[0] - D[1]
    rows: dict[str, tuple[float, FloatArray, bool]] = {
        "OR10": (np.log(or10), D[0], True),
        "OR01": (np.log(or01), D[1], True),
        "OR11": (np.log(or11), D[2], True),
        "ratio of odds ratios": (float(product @ fit.gamma), product, True),
        "RERI": (reri, g_reri, False),
        "AP": (reri / or11, g_reri / or11 - reri / or11 * D[2], False),
    }
    up, down = or11 - 1.0, or10 + or01 - 2.0
    if up / down > 0.0 if down != 0.0 else False:
        rows["S"] = (float(np.log(up / down)), g11 / up - (g10 + g01) / down, True)
    else:
        rows["S"] = (float("nan"), np.full(len(product), np.nan), True)
    frame = pd.DataFrame({name: _line(cov, *row, alpha) for name, row in rows.items()}).T
    notes = []
    if or10 < 1.0 or or01 < 1.0:
        notes.append("An exposure lowers the odds: these measures are meant for exposures that raise them; turn its levels "
                     "round with levels= (Knol et al. 2011, European J. of Epidemiology 26, 433-438).")  # fmt: skip
    if not up * down > 0.0:
        notes.append("S is not defined here: the joint and the summed excess odds ratios have different signs.")
    return frame, tuple(notes)


def _line(cov: Covariance, estimate: float, gradient: FloatArray, logarithm: bool, alpha: float) -> dict[str, float]:
    square = float(gradient @ cov.working @ gradient)
    se = float(np.sqrt(max(square, 0.0))) if np.isfinite(gradient).all() else float("nan")
    reference = cov.reference.along(np.nan_to_num(gradient)[None])
    ((low, high),) = reference.limits(np.array([estimate]), np.array([se]), alpha)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = float(np.ravel(reference.p_value(np.array([np.float64(estimate) / se])))[0])
    shown = np.array([estimate, low, high], dtype=np.float64)
    shown = np.exp(shown) if logarithm else shown
    return {"estimate": float(shown[0]), "std_error": se, "conf_low": float(shown[1]), "conf_high": float(shown[2]),
            "p_value": p}  # fmt: skip
